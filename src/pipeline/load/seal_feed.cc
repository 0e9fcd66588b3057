#include "pipeline/load/seal_feed.h"

#include <algorithm>
#include <iterator>

namespace leat::load {

Result<std::vector<archive::Seal>> SealFeed::list_after(const archive::Positions& positions,
                                                        std::size_t limit) {
  std::vector<archive::Seal> found;
  archive::Positions reached = positions;
  for (const auto& [stream, run] : runs_) {
    const auto position = positions.find(stream);
    const bool is_unread = position == positions.end() || position->second.value == 0;
    if (is_unread && !run.is_from_start) continue;
    auto at = run.seals.begin();
    if (!is_unread) {
      const journal::Offset next{position->second.value + 1};
      at = std::ranges::lower_bound(run.seals, next, {}, &archive::Seal::first);
      if (at == run.seals.end() || at->first != next) continue;
    }
    for (; at != run.seals.end() && found.size() < limit; ++at) {
      reached[stream] = at->last;
      found.push_back(*at);
    }
  }
  if (found.size() >= limit) return found;
  LEAT_ASSIGN(std::vector<archive::Seal> fresh, archive_.list_after(reached, limit - found.size()));
  for (const archive::Seal& seal : fresh) {
    const auto [position, is_first] = reached.try_emplace(seal.stream);
    remember(seal, is_first || position->second.value == 0);
    position->second = seal.last;
  }
  forget_oldest();
  std::ranges::move(fresh, std::back_inserter(found));
  return found;
}

void SealFeed::remember(const archive::Seal& seal, bool is_first) {
  Run& run = runs_[seal.stream];
  // A source that is far behind reads old seals, which nobody else wants.
  const bool follows = run.seals.empty() || run.seals.back().last.value + 1 == seal.first.value;
  if (!follows) return;
  if (run.seals.empty()) run.is_from_start = is_first;
  run.seals.push_back(seal);
  batches_ += seal.batches.size() + 1;
}

void SealFeed::forget_oldest() {
  for (auto& [stream, run] : runs_) {
    while (batches_ > batches_max_ && !run.seals.empty()) {
      batches_ -= run.seals.front().batches.size() + 1;
      run.seals.pop_front();
      run.is_from_start = false;
    }
  }
}

}  // namespace leat::load
