// Named parameters of the Data API (:name) as the positional ones of the session ($1).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::dataapi {

struct SqlParameter {
  std::string name{};
  std::string value{};
  bool operator==(const SqlParameter&) const = default;
};

struct PositionalSql {
  std::string text{};
  /// Index into the given parameters of $1, $2, ...
  std::vector<std::size_t> order{};
  /// Where texts part: (byte in `text`, byte in the original), ascending.
  std::vector<std::pair<std::size_t, std::size_t>> places{};

  /// Byte of the original text for a byte of `text`.
  [[nodiscard]] std::size_t original_position(std::size_t position) const;
};

/// Replaces each :name that names one of `parameters`. Not within literals, quoted identifiers,
/// dollar quotes and comments; "::" is a cast. Without parameters the text stays as it is. Pure;
/// any thread.
[[nodiscard]] PositionalSql to_positional(std::string_view sql,
                                          std::span<const SqlParameter> parameters);

}  // namespace leat::dataapi
