// What writing and reading the store share. Inside of the module only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/text.h"
#include "warehouse/catalog/store.h"
#include "warehouse/engine/value.h"

namespace leat::catalog {

/// The lists of rights by the object's id.
using AclMap = std::map<std::int64_t, Acl>;

/// A literal of the engine's SQL.
[[nodiscard]] inline std::string text(std::string_view value) {
  return engine::quote_literal(value);
}
[[nodiscard]] inline std::string boolean(bool value) {
  return value ? "true" : "false";
}

/// One row read back, by position.
class Row {
 public:
  explicit Row(const engine::TextRow& row) : row_(row) {}
  std::string string() {
    const auto& cell = row_[next_++];
    return cell.value_or(std::string());
  }
  bool boolean() { return string() == "t"; }
  template <class Number>
  Number number() {
    return parse_number<Number>(string()).value_or(Number{});
  }

 private:
  const engine::TextRow& row_;
  std::size_t next_ = 0;
};

/// Runs SQL whose rows nobody needs.
[[nodiscard]] engine::SqlStatus run(engine::Connection& connection, const std::string& sql);
/// The statements that store an object's rights.
[[nodiscard]] std::string acl_rows(std::int64_t object, const Acl& acl,
                                   std::string_view store = kStoreSchema);

// store_rights.cc
[[nodiscard]] engine::SqlStatus read_roles(engine::Connection& connection, Changes& changes);
[[nodiscard]] engine::SqlStatus read_iam_grants(engine::Connection& connection, Changes& changes);
[[nodiscard]] engine::SqlStatus read_standing(engine::Connection& connection, Changes& changes);
/// After the schemas.
[[nodiscard]] engine::SqlStatus read_functions(engine::Connection& connection, AclMap& acls,
                                               Changes& changes);

}  // namespace leat::catalog
