// Arithmetic of floating point that leaves the range:
//
//   leat_finite(result, operands...)   the result; 22003 where it is infinite or no number and
//                                      every operand is a number, as in Redshift
//
// DuckDB computes on with infinity. The result is handed on as it is, not copied, after one look
// at all exponents of a chunk.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {
namespace {

template <class Float>
struct Cells {
  const Float* values;
  std::uint64_t* validity;

  explicit Cells(duckdb_vector vector)
      : values(static_cast<const Float*>(duckdb_vector_get_data(vector))),
        validity(duckdb_vector_get_validity(vector)) {}
  [[nodiscard]] bool is_beyond(idx_t row) const {
    const bool valid = validity == nullptr || duckdb_validity_row_is_valid(validity, row);
    return valid && !std::isfinite(values[row]);
  }
};

/// True when some cell, that of a NULL perhaps, is infinite or no number: its exponent is all ones,
/// and one more makes the sign bit. Written so that the compiler takes several at once.
template <class Float, class Bits>
bool may_be_beyond(const Float* values, idx_t count) {
  constexpr int kFraction = std::numeric_limits<Float>::digits - 1;
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  constexpr Bits kOne = Bits{1} << kFraction;
  constexpr Bits kExponent = kSign - kOne;
  Bits seen = 0;
  for (idx_t i = 0; i < count; ++i)
    seen |= static_cast<Bits>((std::bit_cast<Bits>(values[i]) & kExponent) + kOne);
  return (seen & kSign) != 0;
}

template <class Float>
bool operand_is_beyond(duckdb_data_chunk input, idx_t row) {
  const idx_t columns = duckdb_data_chunk_get_column_count(input);
  for (idx_t i = 1; i < columns; ++i) {
    if (Cells<Float>(duckdb_data_chunk_get_vector(input, i)).is_beyond(row)) return true;
  }
  return false;
}

template <class Float, class Bits>
void run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  run_scalar(info, [&]() -> SqlStatus {
    duckdb_vector vector = duckdb_data_chunk_get_vector(input, 0);
    const Cells<Float> cells(vector);
    const idx_t count = duckdb_data_chunk_get_size(input);
    if (may_be_beyond<Float, Bits>(cells.values, count)) {
      for (idx_t row = 0; row < count; ++row) {
        if (cells.is_beyond(row) && !operand_is_beyond<Float>(input, row))
          return fail_sql("22003", "value out of range: overflow");
      }
    }
    duckdb_vector_reference_vector(output, vector);
    return {};
  });
}

SqlStatus register_for(duckdb_connection connection, duckdb_type id,
                       duckdb_scalar_function_t function) {
  const LogicalType type(duckdb_create_logical_type(id));
  duckdb_scalar_function handle = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(handle, "leat_finite");
  duckdb_scalar_function_add_parameter(handle, type.get());
  duckdb_scalar_function_set_varargs(handle, type.get());
  duckdb_scalar_function_set_return_type(handle, type.get());
  duckdb_scalar_function_set_special_handling(handle);
  duckdb_scalar_function_set_function(handle, function);
  return register_scalar_function(connection, handle, "leat_finite");
}

}  // namespace

SqlStatus register_float_check(duckdb_connection connection) {
  LEAT_TRY(register_for(connection, DUCKDB_TYPE_FLOAT, run<float, std::uint32_t>));
  return register_for(connection, DUCKDB_TYPE_DOUBLE, run<double, std::uint64_t>);
}

}  // namespace leat::engine
