// What storing text in a column of a declared length does, for every statement that writes:
//
//   leat_fit_varchar(text, bytes)                 refuses what is longer; blanks beyond are cut
//   leat_fit_char(text, bytes)                    the same, and blanks at the end are not kept
//   leat_fit_varbyte(bytes, bytes)                refuses what is longer
//   leat_fit_loaded(text, bytes, column, file)    refuses what is longer in COPY's words
//   leat_fit_listagg(text, bytes)                 refuses what is longer in LISTAGG's words
//   leat_noted(text, key)                         as it is
//
// With the key of a column (blank_marks.h) as one more argument they note texts that end in blanks.
// One pass over the lengths decides; values that fit are passed on without a copy. Built in,
// because an expression that does the same costs more to plan for each column than most loads take
// to run.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {
namespace {

enum class Check : std::uint8_t { kVarchar, kChar, kVarbyte, kLoaded, kListagg, kNone };

std::string_view view_of(const duckdb_string_t& text) {
  const std::uint32_t length = text.value.inlined.length;
  constexpr std::uint32_t kInlinedMax = 12;
  return {length <= kInlinedMax ? text.value.inlined.inlined : text.value.pointer.ptr, length};
}

/// The vectors of one call.
class Rows {
 public:
  explicit Rows(duckdb_data_chunk input)
      : input_(input),
        size_(duckdb_data_chunk_get_size(input)),
        values_(cells<duckdb_string_t>(0)),
        columns_(duckdb_data_chunk_get_column_count(input)),
        limits_(columns_ > 1 ? cells<std::int32_t>(1) : nullptr),
        validity_(duckdb_vector_get_validity(vector(0))) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] duckdb_vector vector(std::size_t column) const {
    return duckdb_data_chunk_get_vector(input_, column);
  }
  [[nodiscard]] bool is_null(std::size_t row) const {
    return validity_ != nullptr && !duckdb_validity_row_is_valid(validity_, row);
  }
  [[nodiscard]] std::string_view value(std::size_t row) const { return view_of(values_[row]); }
  [[nodiscard]] std::size_t limit(std::size_t row) const {
    return static_cast<std::size_t>(limits_[row]);
  }
  [[nodiscard]] std::string_view argument(std::size_t column, std::size_t row) const {
    return view_of(cells<duckdb_string_t>(column)[row]);
  }

  /// The key that stands behind `arguments` others; 0: none does.
  [[nodiscard]] std::int64_t key(std::size_t arguments) const {
    return size_ == 0 || columns_ <= arguments ? 0 : cells<std::int64_t>(arguments)[0];
  }
  [[nodiscard]] bool any_ends_in_blank() const {
    for (std::size_t row = 0; row < size_; ++row) {
      if (values_[row].value.inlined.length > 0 && !is_null(row) && value(row).back() == ' ')
        return true;
    }
    return false;
  }

  /// True when every value can be stored as it is.
  [[nodiscard]] bool all_fit(bool without_blanks) const {
    bool fit = true;
    for (std::size_t row = 0; row < size_; ++row) {
      const std::uint32_t length = values_[row].value.inlined.length;
      bool good = length <= static_cast<std::uint32_t>(limits_[row]);
      // The cell of a NULL may hold anything, a wild pointer as well.
      if (without_blanks && good && length > 0 && !is_null(row)) good = value(row).back() != ' ';
      fit = fit && (good || is_null(row));
    }
    return fit;
  }

 private:
  template <class T>
  [[nodiscard]] const T* cells(std::size_t column) const {
    return static_cast<const T*>(duckdb_vector_get_data(vector(column)));
  }

  duckdb_data_chunk input_;
  std::size_t size_;
  const duckdb_string_t* values_;
  std::size_t columns_;
  const std::int32_t* limits_;
  std::uint64_t* validity_;
};

SqlError too_long(Check check, const Rows& rows, std::size_t row) {
  if (check == Check::kLoaded) {
    return {
        .sqlstate = "XX000",
        .message = fmt::format(
            "The length of the data column {} is longer than the length defined in the table. "
            "Table: {}, Data: {}, File name: {}",
            rows.argument(2, row), rows.limit(row), rows.value(row).size(), rows.argument(3, row))};
  }
  if (check == Check::kListagg)
    return {.sqlstate = "XX000", .message = "Result size exceeds LISTAGG limit"};
  const std::string_view type = check == Check::kVarchar ? "character varying"
                                : check == Check::kChar  ? "character"
                                                         : "binary varying";
  return {.sqlstate = "22001",
          .message = fmt::format("value too long for type {}({})", type, rows.limit(row))};
}

SqlStatus store_each(Check check, const Rows& rows, duckdb_vector output) {
  duckdb_vector_ensure_validity_writable(output);
  std::uint64_t* const validity = duckdb_vector_get_validity(output);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.is_null(row)) {
      duckdb_validity_set_row_invalid(validity, row);
      continue;
    }
    const std::string_view value = rows.value(row);
    // Blanks at the end count for nothing: SQL lets them go.
    const bool blanks_count = check != Check::kVarchar && check != Check::kChar;
    const std::size_t end = value.find_last_not_of(' ');
    const std::size_t length = end == std::string_view::npos ? 0 : end + 1;
    if ((blanks_count ? value.size() : length) > rows.limit(row)) {
      return std::unexpected(too_long(check, rows, row));
    }
    const std::size_t kept =
        check == Check::kChar ? length : std::min(value.size(), rows.limit(row));
    duckdb_vector_assign_string_element_len(output, row, value.data(), kept);
  }
  return {};
}

/// Without a column's key.
constexpr std::size_t arguments_of(Check check) {
  return check == Check::kLoaded ? 4 : check == Check::kNone ? 1 : 2;
}

template <Check check>
void run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const Rows rows(input);
  if (const std::int64_t key = rows.key(arguments_of(check));
      key != 0 && rows.any_ends_in_blank()) {
    static_cast<DatabaseState*>(duckdb_scalar_function_get_extra_info(info))->blank_marks.note(key);
  }
  if (check == Check::kNone || rows.all_fit(check == Check::kChar)) {
    duckdb_vector_reference_vector(output, rows.vector(0));
    return;
  }
  run_scalar(info, [&] { return store_each(check, rows, output); });
}

struct Definition {
  const char* name;
  duckdb_type type;
  Check check;
  duckdb_scalar_function_t run;
};

constexpr Definition kDefinitions[] = {
    {"leat_fit_varchar", DUCKDB_TYPE_VARCHAR, Check::kVarchar, run<Check::kVarchar>},
    {"leat_fit_char", DUCKDB_TYPE_VARCHAR, Check::kChar, run<Check::kChar>},
    {"leat_fit_varbyte", DUCKDB_TYPE_BLOB, Check::kVarbyte, run<Check::kVarbyte>},
    {"leat_fit_loaded", DUCKDB_TYPE_VARCHAR, Check::kLoaded, run<Check::kLoaded>},
    {"leat_fit_loaded", DUCKDB_TYPE_BLOB, Check::kLoaded, run<Check::kLoaded>},
    {"leat_fit_listagg", DUCKDB_TYPE_VARCHAR, Check::kListagg, run<Check::kListagg>},
    {"leat_noted", DUCKDB_TYPE_VARCHAR, Check::kNone, run<Check::kNone>},
};

SqlStatus register_check(DatabaseState& database, duckdb_connection connection,
                         const Definition& definition, bool with_key) {
  const LogicalType value(duckdb_create_logical_type(definition.type));
  const LogicalType text(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  const LogicalType limit(duckdb_create_logical_type(DUCKDB_TYPE_INTEGER));
  const LogicalType key(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_scalar_function handle = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(handle, definition.name);
  duckdb_scalar_function_add_parameter(handle, value.get());
  if (definition.check != Check::kNone) duckdb_scalar_function_add_parameter(handle, limit.get());
  if (definition.check == Check::kLoaded) {
    duckdb_scalar_function_add_parameter(handle, text.get());
    duckdb_scalar_function_add_parameter(handle, text.get());
  }
  if (with_key) duckdb_scalar_function_add_parameter(handle, key.get());
  duckdb_scalar_function_set_return_type(handle, value.get());
  // A NULL among the values must not keep the others from being looked at.
  duckdb_scalar_function_set_special_handling(handle);
  duckdb_scalar_function_set_function(handle, definition.run);
  duckdb_scalar_function_set_extra_info(handle, &database, nullptr);
  return register_scalar_function(connection, handle, definition.name);
}

}  // namespace

SqlStatus register_length_checks(const std::shared_ptr<DatabaseState>& database,
                                 duckdb_connection connection) {
  for (const Definition& definition : kDefinitions) {
    const bool text = definition.type == DUCKDB_TYPE_VARCHAR && definition.check != Check::kChar &&
                      definition.check != Check::kListagg;
    if (definition.check != Check::kNone)
      LEAT_TRY(register_check(*database, connection, definition, false));
    if (text) LEAT_TRY(register_check(*database, connection, definition, true));
  }
  return {};
}

}  // namespace leat::engine
