// The system relations and functions (pg_class, svv_tables, format_type, ...) as DuckDB views and
// macros in the schema leat_system.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/engine/connection.h"

namespace leat::catalog {

/// A relation whose rows come from SystemHost::live_rows, or which is always empty. `columns` is a
/// list of "name type" separated by commas; types are those of DuckDB. Names that are words of SQL
/// are quoted by the maker.
struct RelationSpec {
  std::string_view name;
  std::string_view columns;
};

/// Rows held in memory by the running process: sessions, queries, loads, locks.
[[nodiscard]] std::span<const RelationSpec> live_relations();
/// Relations that tools may ask for and that have no content here.
[[nodiscard]] std::span<const RelationSpec> empty_relations();
[[nodiscard]] std::span<const RelationSpec> absent_relations();

/// Macros; those over system relations, which come after pg_catalog; views in their order.
[[nodiscard]] std::vector<std::string> system_macro_statements();
[[nodiscard]] std::vector<std::string> late_macro_statements();
[[nodiscard]] std::vector<std::string> pg_catalog_statements();
[[nodiscard]] std::vector<std::string> information_statements();
[[nodiscard]] std::vector<std::string> rights_statements();
[[nodiscard]] std::vector<std::string> spec_statements();
/// After those of spec_statements(), which they read.
[[nodiscard]] std::vector<std::string> activity_statements();

/// Makes the schema anew unless the database has exactly this version of it already. The functions
/// of system_functions.h must be registered.
[[nodiscard]] engine::SqlStatus create_system_schema(engine::Connection& connection);

}  // namespace leat::catalog
