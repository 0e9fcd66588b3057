// Which relations a question about the catalog is about: listing every column of thousands of
// tables to answer for one of them costs more than everything else about the question.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/sql/ast.h"

namespace leat::sql {

struct CatalogFocus {
  std::string schema;
  std::vector<std::string> relations;  ///< Sorted; empty: all of the schema.

  [[nodiscard]] bool includes(std::string_view in_schema, std::string_view relation) const;
};

/// The focus of a SELECT from one system relation that lists columns or tables, such as
/// SVV_COLUMNS, when its condition names a schema, or some tables of one, by literals. Rows of
/// other relations cannot be in its answer. Nothing for every other statement. Pure; any thread.
[[nodiscard]] std::optional<CatalogFocus> catalog_focus(const Statement& statement);

/// Appends the conditions that AND joins to `condition`, or `condition` itself.
void add_conjuncts(const Expression& condition, std::vector<const Expression*>& out);

}  // namespace leat::sql
