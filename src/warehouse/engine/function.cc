#include "warehouse/engine/function.h"

#include <memory>
#include <utility>

#include "warehouse/engine/database.h"
#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {

/// What DuckDB keeps for a registered function.
struct FunctionBridge {
  ScalarFunction function;
  std::shared_ptr<const std::vector<ColumnInfo>> columns;

  static void run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
    const auto& bridge =
        *static_cast<const FunctionBridge*>(duckdb_scalar_function_get_extra_info(info));
    run_scalar(info, [&] { return bridge.run_rows(input, output); });
  }

  [[nodiscard]] SqlStatus run_rows(duckdb_data_chunk input, duckdb_vector output) const {
    auto types = columns;
    const std::size_t count = duckdb_data_chunk_get_column_count(input);
    if (count > types->size()) {
      auto more = std::make_shared<std::vector<ColumnInfo>>(*types);
      while (more->size() < count) {
        more->push_back({.name = {}, .type = function.more_parameters.value_or(ColumnType{})});
      }
      types = std::move(more);
    }
    const Chunk arguments = ChunkReader::read(input, types, false);
    FunctionOutput out;
    out.vector_ = output;
    out.data_ = duckdb_vector_get_data(output);
    for (std::size_t row = 0; row < arguments.rows(); ++row) {
      bool any_null = false;
      if (!function.sees_null) {
        for (const Column& column : arguments.columns()) any_null |= column.is_null(row);
      }
      if (any_null) {
        out.set_null(row);
      } else {
        LEAT_TRY(function.run(arguments, row, out));
      }
    }
    return {};
  }
};

void FunctionOutput::set_null(std::size_t row) {
  if (validity_ == nullptr) {
    auto* vector = static_cast<duckdb_vector>(vector_);
    duckdb_vector_ensure_validity_writable(vector);
    validity_ = duckdb_vector_get_validity(vector);
  }
  duckdb_validity_set_row_invalid(validity_, row);
}
void FunctionOutput::set_bool(std::size_t row, bool value) {
  static_cast<bool*>(data_)[row] = value;
}
void FunctionOutput::set_int32(std::size_t row, std::int32_t value) {
  static_cast<std::int32_t*>(data_)[row] = value;
}
void FunctionOutput::set_int64(std::size_t row, std::int64_t value) {
  static_cast<std::int64_t*>(data_)[row] = value;
}
void FunctionOutput::set_double(std::size_t row, double value) {
  static_cast<double*>(data_)[row] = value;
}
void FunctionOutput::set_huge(std::size_t row, HugeInt value) {
  static_cast<HugeInt*>(data_)[row] = value;
}
void FunctionOutput::set_interval(std::size_t row, Interval value) {
  static_cast<Interval*>(data_)[row] = value;
}
void FunctionOutput::set_text(std::size_t row, std::string_view value) {
  duckdb_vector_assign_string_element_len(static_cast<duckdb_vector>(vector_), row, value.data(),
                                          value.size());
}

SqlStatus Database::add_function(ScalarFunction function) {
  LEAT_ASSIGN(const std::unique_ptr<Connection> connection, connect());
  auto columns = std::make_shared<std::vector<ColumnInfo>>();
  for (const ColumnType& type : function.parameters) columns->push_back({.name = {}, .type = type});
  auto bridge = std::make_unique<FunctionBridge>();
  duckdb_scalar_function handle = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(handle, function.name.c_str());
  for (const ColumnType& type : function.parameters) {
    const LogicalType parameter(type_to_duckdb(type));
    duckdb_scalar_function_add_parameter(handle, parameter.get());
  }
  if (function.more_parameters) {
    const LogicalType parameter(type_to_duckdb(*function.more_parameters));
    duckdb_scalar_function_set_varargs(handle, parameter.get());
  }
  const LogicalType returns(type_to_duckdb(function.returns));
  duckdb_scalar_function_set_return_type(handle, returns.get());
  // With DuckDB's own NULL handling a function is called for rows whose cells are undefined.
  duckdb_scalar_function_set_special_handling(handle);
  if (function.is_volatile) duckdb_scalar_function_set_volatile(handle);
  duckdb_scalar_function_set_function(handle, FunctionBridge::run);
  const std::string name = function.name;
  bridge->function = std::move(function);
  bridge->columns = std::move(columns);
  duckdb_scalar_function_set_extra_info(
      handle, bridge.release(), [](void* data) { delete static_cast<FunctionBridge*>(data); });
  return register_scalar_function(connection->state_->connection, handle, name);
}

}  // namespace leat::engine
