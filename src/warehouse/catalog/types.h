// Types as the PostgreSQL catalog and protocol number them, and what DuckDB's types are called in
// Redshift.
#pragma once

#include <cstdint>
#include <string_view>

#include "warehouse/engine/value.h"
#include "warehouse/sql/names.h"

namespace leat::catalog {

/// pg_attribute.atttypmod: length + 4, ((precision << 16) | scale) + 4, or -1. Pure; any thread.
[[nodiscard]] std::int32_t type_modifier(const sql::TypeName& type);

/// pg_type.typlen: bytes, -1 for variable, -2 for unknown. Pure; any thread.
[[nodiscard]] std::int16_t type_size(std::uint32_t oid);

/// The type with that OID and modifier; kOther for an OID that Redshift does not have. Pure; any
/// thread.
[[nodiscard]] sql::TypeName type_from_oid(std::uint32_t oid, std::int32_t modifier = -1);

/// The Redshift type that shows a DuckDB type: HUGEINT is numeric(38,0), lists are varchar. Text
/// has no length (-1). Pure; any thread.
[[nodiscard]] sql::TypeName type_from_engine(const engine::ColumnType& type);

/// format_type(oid, modifier): "character varying(256)", "integer"; "???" for an unknown OID. Pure;
/// any thread.
[[nodiscard]] std::string format_type(std::uint32_t oid, std::int32_t modifier);

/// The encoding that Redshift chooses for a column: "none" for sort keys and temporary tables, else
/// by type. Pure; any thread.
[[nodiscard]] std::string_view default_encoding(const sql::TypeName& type, bool sort_key,
                                                bool temporary);

/// True when columns of the type can have the encoding.
[[nodiscard]] bool encoding_fits(std::string_view encoding, sql::TypeKind type);

/// pg_attribute.attencodingtype of an encoding's name and back ("none" for an unknown number).
/// Pure; any thread.
[[nodiscard]] std::int32_t encoding_number(std::string_view encoding);
[[nodiscard]] std::string_view encoding_name(std::int32_t number);

}  // namespace leat::catalog
