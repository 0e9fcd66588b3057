// Types of PostgreSQL's catalog for drivers that ask which type a column has: LEAT_OID is a BIGINT,
// LEAT_CHARACTER a VARCHAR. Functions and operators take them as those; where they meet those,
// as in CASE, UNION and beside parameters, they stay.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "warehouse/engine/duckdb_bridge.h"
#include "warehouse/engine/function.h"

namespace leat::engine {
namespace {

bool copy_numbers(duckdb_function_info, idx_t count, duckdb_vector input, duckdb_vector output) {
  const auto* from = static_cast<const std::int64_t*>(duckdb_vector_get_data(input));
  std::copy_n(from, count, static_cast<std::int64_t*>(duckdb_vector_get_data(output)));
  const std::uint64_t* valid = duckdb_vector_get_validity(input);
  if (valid == nullptr) return true;
  duckdb_vector_ensure_validity_writable(output);
  constexpr idx_t kBits = 64;
  std::copy_n(valid, (count + kBits - 1) / kBits, duckdb_vector_get_validity(output));
  return true;
}

bool share_texts(duckdb_function_info, idx_t, duckdb_vector input, duckdb_vector output) {
  duckdb_vector_reference_vector(output, input);
  return true;
}

SqlStatus register_type(duckdb_connection connection, const ColumnType& named,
                        duckdb_cast_function_t run) {
  const LogicalType source(type_to_duckdb(named));
  const LogicalType target(type_to_duckdb(plain_type(named.type)));
  if (duckdb_register_logical_type(connection, source.get(), nullptr) != DuckDBSuccess)
    return fail_sql("42710", "a type of the catalog could not be registered");
  duckdb_cast_function cast = duckdb_create_cast_function();
  duckdb_cast_function_set_source_type(cast, source.get());
  duckdb_cast_function_set_target_type(cast, target.get());
  duckdb_cast_function_set_implicit_cast_cost(cast, 1);
  duckdb_cast_function_set_function(cast, run);
  const duckdb_state state = duckdb_register_cast_function(connection, cast);
  duckdb_destroy_cast_function(&cast);
  if (state == DuckDBSuccess) return {};
  return fail_sql("42710", "a cast of the catalog's types could not be registered");
}

}  // namespace

SqlStatus register_catalog_types(duckdb_connection connection) {
  LEAT_TRY(register_type(connection, {.type = Type::kInt64, .catalog = CatalogType::kOid},
                         copy_numbers));
  return register_type(connection, {.type = Type::kVarchar, .catalog = CatalogType::kCharacter},
                       share_texts);
}

}  // namespace leat::engine
