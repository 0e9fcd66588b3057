// The sources that events may be sent to, found by write key. Immutable once made; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"

namespace leat::collect {

struct Source {
  std::string name;                        ///< of the archive's and the journal's batches
  std::vector<std::string> write_keys;     ///< at least one; each belongs to one source only
  bool enabled = true;                     ///< false: events are answered 200 and kept as rejected
  std::int64_t events_per_second_max = 0;  ///< above: 429; 0: no limit. Shared evenly by the loops
};

class Sources {
 public:
  /// Errors: kInvalid for a name or key that is empty, too long (name 255, key 1024 bytes) or there
  /// twice.
  [[nodiscard]] static Result<Sources> make(std::vector<Source> sources);

  /// The source of a write key, or nullptr. The result and its index live as long as this object.
  [[nodiscard]] const Source* find(std::string_view write_key) const;
  [[nodiscard]] std::size_t index_of(const Source& source) const;
  [[nodiscard]] const std::vector<Source>& all() const { return *sources_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::shared_ptr<const std::vector<Source>> sources_ = std::make_shared<std::vector<Source>>();
  std::unordered_map<std::string, const Source*, Hash, std::equal_to<>> by_key_;
};

}  // namespace leat::collect
