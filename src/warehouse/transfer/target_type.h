// What a declared column type is called, and what stores it.
#pragma once

#include <string>
#include <string_view>

#include "warehouse/engine/value.h"
#include "warehouse/sql/names.h"

namespace leat::transfer {

/// DuckDB's SQL type that stores it: "DECIMAL(10,2)".
[[nodiscard]] std::string engine_type(const sql::TypeName& type);
/// The same as a type of the engine.
[[nodiscard]] engine::ColumnType engine_column_type(const sql::TypeName& type);
/// As an error shows it: "VARCHAR(256)", "INT", "DECIMAL(10, 2)".
[[nodiscard]] std::string declared_type(const sql::TypeName& type);
/// As STL_LOAD_ERRORS.type and col_length show it: "varchar" and "256", "numeric" and "10, 2".
[[nodiscard]] std::string catalog_type(const sql::TypeName& type);
[[nodiscard]] std::string catalog_length(const sql::TypeName& type);
/// True when every value of DuckDB type `from` ("DECIMAL(8,2)") is one of `to`.
[[nodiscard]] bool decimal_fits(std::string_view from, const sql::TypeName& to);

}  // namespace leat::transfer
