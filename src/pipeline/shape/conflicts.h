// What happens to a value that does not fit its column: the policies of a destination and its
// columns (docs/reference/tables-and-columns.md, "Conflicts"). Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "columns/types.h"
#include "pipeline/shape/fit.h"

namespace leat::shape {

enum class ConflictPolicy : std::uint8_t {
  kRescue,  ///< NULL in the row, whole in leat_rescue
  kWiden,   ///< into a column of the value's own type beside it; the old column stays
  kSuper,   ///< as JSON into a SUPER column beside it
  kFail,    ///< the sync stops
};

/// "rescue", "widen", "super" and "fail"; nothing for any other text.
[[nodiscard]] std::optional<ConflictPolicy> conflict_policy_named(std::string_view name);

/// The policy of every column of a destination.
class ConflictPolicies {
 public:
  /// Reads the policy of all columns and a list of exceptions, such as "order_completed.price=fail,
  /// *.note=super, pages.*=widen". A column named whole counts before *.COLUMN, that before
  /// TABLE.*. Errors: kInvalid, naming the entry.
  [[nodiscard]] static Result<ConflictPolicies> parse(std::string_view all,
                                                      std::string_view exceptions);

  /// An exception whose table or column has a name that no event gives, so that it never counts,
  /// and the nearest one that an event may give.
  struct Unreachable {
    std::string entry;    ///< "order__completed.price"
    std::string nearest;  ///< "order_completed.price"
  };
  [[nodiscard]] std::vector<Unreachable> unreachable() const;

  [[nodiscard]] ConflictPolicy of(std::string_view table, std::string_view column) const;

 private:
  ConflictPolicy all_ = ConflictPolicy::kRescue;
  std::map<std::pair<std::string, std::string>, ConflictPolicy> exceptions_;  // table and column
};

/// The column beside `column` that takes `value` under kWiden or kSuper, such as price__varchar;
/// nothing when there is none. No name of an event gives one with two underscores.
[[nodiscard]] std::optional<columns::Column> column_beside(const columns::Column& column,
                                                           const Value& value,
                                                           ConflictPolicy policy);

}  // namespace leat::shape
