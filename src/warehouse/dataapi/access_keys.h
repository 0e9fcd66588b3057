// The access keys of the Data API and the credential calls: whose they are, and the file that holds
// them.
//
// One key a line: ID SECRET USER, with spaces between; empty lines and those that begin with # are
// skipped.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace leat {
class Random;
}

namespace leat::dataapi {

struct AccessKey {
  std::string id{};      ///< 16 to 128 of [A-Za-z0-9_].
  std::string secret{};  ///< 16 to 128 printable characters, no space.
  std::string user{};    ///< Of the warehouse.
  bool operator==(const AccessKey&) const = default;
};

/// kInvalid names the line and what is wrong with it. Pure; any thread.
[[nodiscard]] Result<std::vector<AccessKey>> parse_access_keys(std::string_view text);
[[nodiscard]] std::string access_keys_text(const std::vector<AccessKey>& keys);
/// A new random key for `user`.
[[nodiscard]] AccessKey make_access_key(Random& random, std::string_view user);

}  // namespace leat::dataapi
