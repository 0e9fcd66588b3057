#include "warehouse/engine/blank_marks.h"

namespace leat::engine {

void BlankMarks::note(std::int64_t key) {
  const std::lock_guard lock(mutex_);
  if (keys_.insert(key).second) version_.fetch_add(1);
}

std::vector<std::int16_t> BlankMarks::columns(std::uint32_t relation) const {
  std::vector<std::int16_t> list;
  if (version_.load() == 0) return list;
  const std::lock_guard lock(mutex_);
  for (auto at = keys_.lower_bound(key(relation, 0));
       at != keys_.end() && (*at >> 16) == static_cast<std::int64_t>(relation); ++at) {
    list.push_back(static_cast<std::int16_t>(*at & 0xffff));
  }
  return list;
}

void BlankMarks::forget(std::uint32_t relation) {
  const std::lock_guard lock(mutex_);
  keys_.erase(keys_.lower_bound(key(relation, 0)), keys_.lower_bound(key(relation + 1, 0)));
}

}  // namespace leat::engine
