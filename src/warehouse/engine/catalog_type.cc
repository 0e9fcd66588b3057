// Types of PostgreSQL's catalog for drivers that ask which type a column has: LEAT_OID is a BIGINT,
// LEAT_CHARACTER a VARCHAR. Functions and operators take them as those; where they meet those,
// as in CASE, UNION and beside parameters, they stay. An int2vector is a list of
// LEAT_SHORT_ELEMENT, an oidvector one of LEAT_OID_ELEMENT, which are BIGINTs: what takes lists
// takes them, and as text they are their numbers between blanks.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/text.h"
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

/// Registers a cast; `cost` of one that is made unasked, -1 for others.
SqlStatus register_cast(duckdb_connection connection, duckdb_logical_type source,
                        duckdb_logical_type target, std::int64_t cost, duckdb_cast_function_t run) {
  duckdb_cast_function cast = duckdb_create_cast_function();
  duckdb_cast_function_set_source_type(cast, source);
  duckdb_cast_function_set_target_type(cast, target);
  duckdb_cast_function_set_implicit_cast_cost(cast, cost);
  duckdb_cast_function_set_function(cast, run);
  const duckdb_state state = duckdb_register_cast_function(connection, cast);
  duckdb_destroy_cast_function(&cast);
  if (state == DuckDBSuccess) return {};
  return fail_sql("42710", "a cast of the catalog's types could not be registered");
}

SqlStatus register_type(duckdb_connection connection, const ColumnType& named,
                        duckdb_cast_function_t run) {
  const LogicalType source(type_to_duckdb(named));
  const LogicalType target(type_to_duckdb(plain_type(named.type)));
  if (duckdb_register_logical_type(connection, source.get(), nullptr) != DuckDBSuccess)
    return fail_sql("42710", "a type of the catalog could not be registered");
  return register_cast(connection, source.get(), target.get(), 1, run);
}

bool is_valid(duckdb_vector vector, idx_t row) {
  std::uint64_t* valid = duckdb_vector_get_validity(vector);
  return valid == nullptr || duckdb_validity_row_is_valid(valid, row);
}

void set_null(duckdb_vector vector, idx_t row) {
  duckdb_vector_ensure_validity_writable(vector);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
}

bool write_vectors(duckdb_function_info, idx_t count, duckdb_vector input, duckdb_vector output) {
  const auto* entries = static_cast<const duckdb_list_entry*>(duckdb_vector_get_data(input));
  const auto* numbers =
      static_cast<const std::int64_t*>(duckdb_vector_get_data(duckdb_list_vector_get_child(input)));
  for (idx_t row = 0; row < count; ++row) {
    if (!is_valid(input, row)) {
      set_null(output, row);
      continue;
    }
    std::string text;
    for (idx_t i = 0; i < entries[row].length; ++i)
      text += (i > 0 ? " " : "") + std::to_string(numbers[entries[row].offset + i]);
    duckdb_vector_assign_string_element_len(output, row, text.data(), text.size());
  }
  return true;
}

/// The numbers in "1 2"; nothing for another text.
std::optional<std::vector<std::int64_t>> vector_numbers(std::string_view text) {
  std::vector<std::int64_t> numbers;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    numbers.push_back(number);
  }
  return numbers;
}

bool read_vectors(duckdb_function_info info, idx_t count, duckdb_vector input,
                  duckdb_vector output) {
  auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(input));
  std::vector<std::int64_t> all;
  bool readable = true;
  for (idx_t row = 0; row < count; ++row) {
    auto& entry = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(output))[row];
    entry = {all.size(), 0};
    if (!is_valid(input, row)) {
      set_null(output, row);
      continue;
    }
    const std::string_view text(duckdb_string_t_data(&texts[row]),
                                duckdb_string_t_length(texts[row]));
    const auto numbers = vector_numbers(text);
    if (!numbers) {
      const std::string message =
          "22P02: invalid input syntax for integer: \"" + std::string(text) + "\"";
      duckdb_cast_function_set_row_error(info, message.c_str(), row, output);
      readable = false;
      continue;
    }
    entry.length = numbers->size();
    all.insert(all.end(), numbers->begin(), numbers->end());
  }
  duckdb_list_vector_reserve(output, all.size());
  duckdb_list_vector_set_size(output, all.size());
  auto* to =
      static_cast<std::int64_t*>(duckdb_vector_get_data(duckdb_list_vector_get_child(output)));
  std::ranges::copy(all, to);
  return readable;
}

SqlStatus register_vector(duckdb_connection connection, CatalogType element) {
  const ColumnType number{.type = Type::kInt64, .catalog = element};
  LEAT_TRY(register_type(connection, number, copy_numbers));
  const LogicalType vector(type_to_duckdb({.type = Type::kList, .children = {number}}));
  const LogicalType text(type_to_duckdb(plain_type(Type::kVarchar)));
  constexpr std::int64_t kWhenAsked = -1;
  LEAT_TRY(register_cast(connection, vector.get(), text.get(), kWhenAsked, write_vectors));
  return register_cast(connection, text.get(), vector.get(), kWhenAsked, read_vectors);
}

}  // namespace

SqlStatus register_catalog_types(duckdb_connection connection) {
  LEAT_TRY(register_type(connection, {.type = Type::kInt64, .catalog = CatalogType::kOid},
                         copy_numbers));
  LEAT_TRY(register_type(connection, {.type = Type::kVarchar, .catalog = CatalogType::kCharacter},
                         share_texts));
  LEAT_TRY(register_vector(connection, CatalogType::kShortElement));
  return register_vector(connection, CatalogType::kOidElement);
}

}  // namespace leat::engine
