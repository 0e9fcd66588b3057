#include "pipeline/collect/sources.h"

#include <fmt/format.h>

#include <unordered_set>

namespace leat::collect {

Result<Sources> Sources::make(std::vector<Source> sources) {
  Sources made;
  auto stored = std::make_shared<const std::vector<Source>>(std::move(sources));
  std::unordered_set<std::string_view> names;
  for (const Source& source : *stored) {
    if (source.name.empty() || source.name.size() > 255) {
      return fail(Errc::kInvalid, "a source needs a name of 1 to 255 bytes");
    }
    if (!names.insert(source.name).second) {
      return fail(Errc::kInvalid, fmt::format("two sources have the name '{}'", source.name));
    }
    if (source.write_keys.empty()) {
      return fail(Errc::kInvalid, fmt::format("source '{}' needs a write key", source.name));
    }
    for (const std::string& key : source.write_keys) {
      if (key.empty() || key.size() > 1024) {
        return fail(
            Errc::kInvalid,
            fmt::format("a write key of source '{}' must have 1 to 1024 bytes", source.name));
      }
      if (!made.by_key_.emplace(key, &source).second) {
        return fail(Errc::kInvalid,
                    fmt::format("a write key of source '{}' is given twice", source.name));
      }
    }
  }
  made.sources_ = std::move(stored);
  return made;
}

const Source* Sources::find(std::string_view write_key) const {
  const auto found = by_key_.find(write_key);
  return found == by_key_.end() ? nullptr : found->second;
}

std::size_t Sources::index_of(const Source& source) const {
  return static_cast<std::size_t>(&source - sources_->data());
}

}  // namespace leat::collect
