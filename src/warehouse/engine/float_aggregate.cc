// Sums of floating point that leave the range:
//
//   leat_sum(double), leat_avg(double)   22003 where the sum is infinite or no number and every
//                                        value is a number, as in Redshift
//
// DuckDB's own sum computes on with infinity, and its result does not tell whether one was among
// the values. Here each group remembers, and looks only when its sum is beyond the range.
#include <cmath>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {
namespace {

struct FloatSum {
  double sum = 0;
  std::uint64_t count = 0;
  bool has_beyond = false;  ///< A value was infinite or no number.

  static FloatSum& of(duckdb_aggregate_state state) {
    return *reinterpret_cast<FloatSum*>(state);  // NOLINT(*-reinterpret-cast): DuckDB's memory
  }
  static idx_t size(duckdb_function_info /*info*/) { return sizeof(FloatSum); }
  static void init(duckdb_function_info /*info*/, duckdb_aggregate_state state) {
    new (state) FloatSum();
  }
  void add(double value) {
    sum += value;
    ++count;
    if (!std::isfinite(value)) [[unlikely]]
      has_beyond = true;
  }
};

/// Many values of one group: four sums, which do not wait for each other.
void add_all(FloatSum& group, const double* values, idx_t count) {
  constexpr idx_t kLanes = 4;
  double lanes[kLanes] = {};
  idx_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (idx_t lane = 0; lane < kLanes; ++lane) lanes[lane] += values[i + lane];
  }
  for (; i < count; ++i) lanes[0] += values[i];
  const double added = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  group.sum += added;
  group.count += count;
  if (std::isfinite(added)) return;
  for (i = 0; i < count && !group.has_beyond; ++i) group.has_beyond = !std::isfinite(values[i]);
}

void add_values(duckdb_function_info /*info*/, duckdb_data_chunk input,
                duckdb_aggregate_state* states) {
  constexpr idx_t kMany = 64;  // fewer are added one after the other, as by hand
  duckdb_vector vector = duckdb_data_chunk_get_vector(input, 0);
  const auto* values = static_cast<const double*>(duckdb_vector_get_data(vector));
  std::uint64_t* validity = duckdb_vector_get_validity(vector);
  const idx_t count = duckdb_data_chunk_get_size(input);
  if (validity == nullptr && count >= kMany) {
    std::uintptr_t differences = 0;
    for (idx_t i = 0; i < count; ++i) {
      // NOLINTNEXTLINE(*-reinterpret-cast): the addresses alone
      differences |= reinterpret_cast<std::uintptr_t>(states[i]) ^
                     reinterpret_cast<std::uintptr_t>(states[0]);  // NOLINT(*-reinterpret-cast)
    }
    if (differences == 0) return add_all(FloatSum::of(states[0]), values, count);
  }
  for (idx_t i = 0; i < count; ++i) {
    if (validity == nullptr || duckdb_validity_row_is_valid(validity, i))
      FloatSum::of(states[i]).add(values[i]);
  }
}

void merge(duckdb_function_info /*info*/, duckdb_aggregate_state* sources,
           duckdb_aggregate_state* targets, idx_t count) {
  for (idx_t i = 0; i < count; ++i) {
    const FloatSum& source = FloatSum::of(sources[i]);
    FloatSum& target = FloatSum::of(targets[i]);
    target.sum += source.sum;
    target.count += source.count;
    target.has_beyond = target.has_beyond || source.has_beyond;
  }
}

template <bool kMean>
void give(duckdb_function_info info, duckdb_aggregate_state* states, duckdb_vector output,
          idx_t count, idx_t offset) {
  auto* results = static_cast<double*>(duckdb_vector_get_data(output));
  for (idx_t i = 0; i < count; ++i) {
    const FloatSum& group = FloatSum::of(states[i]);
    if (group.count == 0) {
      duckdb_vector_ensure_validity_writable(output);
      duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), offset + i);
      continue;
    }
    if (!group.has_beyond && !std::isfinite(group.sum))
      return duckdb_aggregate_function_set_error(info, "22003: value out of range: overflow");
    results[offset + i] = kMean ? group.sum / static_cast<double>(group.count) : group.sum;
  }
}

SqlStatus register_one(duckdb_connection connection, const char* name,
                       duckdb_aggregate_finalize_t finalize) {
  const LogicalType type(duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE));
  duckdb_aggregate_function handle = duckdb_create_aggregate_function();
  duckdb_aggregate_function_set_name(handle, name);
  duckdb_aggregate_function_add_parameter(handle, type.get());
  duckdb_aggregate_function_set_return_type(handle, type.get());
  duckdb_aggregate_function_set_functions(handle, FloatSum::size, FloatSum::init, add_values, merge,
                                          finalize);
  duckdb_aggregate_function_set_special_handling(handle);
  const duckdb_state state = duckdb_register_aggregate_function(connection, handle);
  duckdb_destroy_aggregate_function(&handle);
  if (state == DuckDBSuccess) return {};
  return fail_sql("42723", std::string("function ") + name + " could not be registered");
}

}  // namespace

SqlStatus register_float_aggregates(duckdb_connection connection) {
  LEAT_TRY(register_one(connection, "leat_sum", give<false>));
  return register_one(connection, "leat_avg", give<true>);
}

}  // namespace leat::engine
