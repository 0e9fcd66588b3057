// The functions of HyperLogLog sketches (hll_sketch.h):
//
//   leat_hll(any)                              aggregate: how many different values, as BIGINT
//   leat_approximate_count(any)                the same, of bytes (VARBYTE) too
//   leat_hll_create_sketch(any)                aggregate: the sketch of the values
//   leat_hll_combine(sketch)                   aggregate: the sketch of all; NULL for none
//   leat_hll_cardinality(sketch)
//   leat_hll_combine_sketches(sketch, sketch)
//   leat_hll_sketch(text)                      a sketch's text as HLL_CREATE_SKETCH writes it
//
// A sketch is a column of DuckDB's type HLLSKETCH, which is text of another name. NULLs are not
// counted.
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "warehouse/engine/aggregate.h"
#include "warehouse/engine/database.h"
#include "warehouse/engine/duckdb_bridge.h"
#include "warehouse/engine/hll_sketch.h"

namespace leat::engine {
namespace {

const ColumnType kSketchType{.type = Type::kSketch};

using SketchState = GroupState<HllSketch>;

void merge_sketches(duckdb_function_info info, duckdb_aggregate_state* sources,
                    duckdb_aggregate_state* targets, idx_t count) {
  run_aggregate(info, [&]() -> SqlStatus {
    for (idx_t i = 0; i < count; ++i) {
      const HllSketch* source = SketchState::of(sources[i]).value;
      if (source != nullptr) SketchState::of(targets[i]).made().merge(*source);
    }
    return {};
  });
}

/// The cells of a vector that are not NULL, with their groups.
template <class Cell, class Hash>
void add_cells(duckdb_vector vector, idx_t count, duckdb_aggregate_state* states, Hash hash) {
  const auto* cells = static_cast<const Cell*>(duckdb_vector_get_data(vector));
  std::uint64_t* const validity = duckdb_vector_get_validity(vector);
  for (idx_t i = 0; i < count; ++i) {
    if (validity != nullptr && !duckdb_validity_row_is_valid(validity, i)) continue;
    SketchState::of(states[i]).made().add(hash(cells[i]));
  }
}

template <class Integer>
HllHash integer_hash(Integer value) {
  return hll_hash(static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<Integer>>(value)),
                  sizeof value);
}
/// Decimals of up to 18 digits are eight bytes, as in Redshift, however DuckDB keeps them.
template <class Integer>
HllHash decimal_hash(Integer value) {
  return integer_hash<std::int64_t>(value);
}
/// Equal numbers have equal bytes: there is one zero, and one NaN.
template <class Float, class Bits>
HllHash float_hash(Float value) {
  if (value == 0) value = 0;
  if (std::isnan(value)) value = std::numeric_limits<Float>::quiet_NaN();
  Bits bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return hll_hash(bits, sizeof bits);
}
template <class Wide>
HllHash wide_hash(const Wide& value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  return hll_hash(std::string_view(bytes, sizeof bytes));
}
HllHash text_hash(duckdb_string_t value) {
  return hll_hash(std::string_view(duckdb_string_t_data(&value), duckdb_string_t_length(value)));
}

using Add = void (*)(duckdb_vector, idx_t, duckdb_aggregate_state*);

template <class Cell, auto kHash>
void add_as(duckdb_vector vector, idx_t count, duckdb_aggregate_state* states) {
  add_cells<Cell>(vector, count, states, [](const Cell& cell) { return kHash(cell); });
}

Add add_decimals(std::uint8_t width) {
  if (width <= 4) return add_as<std::int16_t, decimal_hash<std::int16_t>>;
  if (width <= 9) return add_as<std::int32_t, decimal_hash<std::int32_t>>;
  if (width <= 18) return add_as<std::int64_t, decimal_hash<std::int64_t>>;
  return add_as<HugeInt, wide_hash<HugeInt>>;
}

/// Null for a type whose values are not counted.
Add add_function_of(const ColumnType& type) {
  switch (type.type) {
    case Type::kBoolean:
    case Type::kInt8:
    case Type::kUInt8:
      return add_as<std::int8_t, integer_hash<std::int8_t>>;
    case Type::kInt16:
    case Type::kUInt16:
      return add_as<std::int16_t, integer_hash<std::int16_t>>;
    case Type::kInt32:
    case Type::kUInt32:
    case Type::kDate:
    case Type::kNull:  // cells of 32 bits, all of them NULL
      return add_as<std::int32_t, integer_hash<std::int32_t>>;
    case Type::kInt64:
    case Type::kUInt64:
    case Type::kTime:
    case Type::kTimeTz:
    case Type::kTimestamp:
    case Type::kTimestampTz:
      return add_as<std::int64_t, integer_hash<std::int64_t>>;
    case Type::kHugeInt:
    case Type::kUuid:
      return add_as<HugeInt, wide_hash<HugeInt>>;
    case Type::kInterval:
      return add_as<Interval, wide_hash<Interval>>;
    case Type::kDecimal:
      return add_decimals(type.width);
    case Type::kFloat:
      return add_as<float, float_hash<float, std::uint32_t>>;
    case Type::kDouble:
      return add_as<double, float_hash<double, std::uint64_t>>;
    case Type::kVarchar:
    case Type::kJson:
      return add_as<duckdb_string_t, text_hash>;
    default:
      return nullptr;
  }
}

/// `kBytes`: VARBYTE is counted.
template <bool kBytes>
void add_values(duckdb_function_info info, duckdb_data_chunk input,
                duckdb_aggregate_state* states) {
  run_aggregate(info, [&]() -> SqlStatus {
    duckdb_vector vector = duckdb_data_chunk_get_vector(input, 0);
    const LogicalType logical(duckdb_vector_get_column_type(vector));
    const ColumnType type = type_from_duckdb(logical.get());
    const bool bytes = kBytes && type.type == Type::kBlob;
    const Add add = bytes ? add_as<duckdb_string_t, text_hash> : add_function_of(type);
    if (add == nullptr)
      return fail_sql("42883", "HyperLogLog functions take no value of this type");
    add(vector, duckdb_data_chunk_get_size(input), states);
    return {};
  });
}

void add_sketches(duckdb_function_info info, duckdb_data_chunk input,
                  duckdb_aggregate_state* states) {
  run_aggregate(info, [&]() -> SqlStatus {
    duckdb_vector vector = duckdb_data_chunk_get_vector(input, 0);
    auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
    std::uint64_t* const validity = duckdb_vector_get_validity(vector);
    const idx_t count = duckdb_data_chunk_get_size(input);
    for (idx_t i = 0; i < count; ++i) {
      if (validity != nullptr && !duckdb_validity_row_is_valid(validity, i)) continue;
      LEAT_ASSIGN(const HllSketch sketch, HllSketch::parse({duckdb_string_t_data(&texts[i]),
                                                            duckdb_string_t_length(texts[i])}));
      SketchState::of(states[i]).made().merge(sketch);
    }
    return {};
  });
}

void give_cardinalities(duckdb_function_info /*info*/, duckdb_aggregate_state* states,
                        duckdb_vector result, idx_t count, idx_t offset) {
  auto* out = static_cast<std::int64_t*>(duckdb_vector_get_data(result));
  for (idx_t i = 0; i < count; ++i) {
    const HllSketch* sketch = SketchState::of(states[i]).value;
    out[offset + i] = sketch == nullptr ? 0 : sketch->cardinality();
  }
}

/// `null_for_none`: what no sketch at all comes to; otherwise an empty one.
template <bool kNullForNone>
void give_sketches(duckdb_function_info info, duckdb_aggregate_state* states, duckdb_vector result,
                   idx_t count, idx_t offset) {
  run_aggregate(info, [&]() -> SqlStatus {
    const HllSketch empty;
    std::string text;
    for (idx_t i = 0; i < count; ++i) {
      const HllSketch* sketch = SketchState::of(states[i]).value;
      if (sketch == nullptr && kNullForNone) {
        duckdb_vector_ensure_validity_writable(result);
        duckdb_validity_set_row_invalid(duckdb_vector_get_validity(result), offset + i);
        continue;
      }
      text.clear();
      (sketch == nullptr ? empty : *sketch).append_text(text);
      duckdb_vector_assign_string_element_len(result, offset + i, text.data(), text.size());
    }
    return {};
  });
}

ScalarFunction made(std::string name, std::vector<ColumnType> parameters, ColumnType returns,
                    decltype(ScalarFunction::run) run) {
  return {.name = std::move(name),
          .parameters = std::move(parameters),
          .returns = std::move(returns),
          .run = std::move(run)};
}

SqlStatus cardinality(const Chunk& arguments, std::size_t row, FunctionOutput& output) {
  LEAT_ASSIGN(const HllSketch sketch, HllSketch::parse(arguments.column(0).text(row)));
  output.set_int64(row, sketch.cardinality());
  return {};
}

SqlStatus combined(const Chunk& arguments, std::size_t row, FunctionOutput& output) {
  LEAT_ASSIGN(HllSketch sketch, HllSketch::parse(arguments.column(0).text(row)));
  LEAT_ASSIGN(const HllSketch other, HllSketch::parse(arguments.column(1).text(row)));
  sketch.merge(other);
  std::string text;
  sketch.append_text(text);
  output.set_text(row, text);
  return {};
}

SqlStatus sketch_of_text(const Chunk& arguments, std::size_t row, FunctionOutput& output) {
  LEAT_ASSIGN(const HllSketch sketch, HllSketch::parse(arguments.column(0).text(row)));
  std::string text;
  sketch.append_text(text);
  output.set_text(row, text);
  return {};
}

}  // namespace

SqlStatus register_sketch_aggregates(duckdb_connection connection) {
  const LogicalType type(type_to_duckdb(kSketchType));
  if (duckdb_register_logical_type(connection, type.get(), nullptr) != DuckDBSuccess)
    return fail_sql("42710", "type HLLSKETCH could not be registered");
  const ColumnType any{.type = Type::kNull};
  const ColumnType number{.type = Type::kInt64};
  for (const Aggregate& each :
       {Aggregate{"leat_hll", any, number, add_values<false>, merge_sketches, give_cardinalities},
        Aggregate{"leat_approximate_count", any, number, add_values<true>, merge_sketches,
                  give_cardinalities},
        Aggregate{"leat_hll_create_sketch", any, kSketchType, add_values<false>, merge_sketches,
                  give_sketches<false>},
        Aggregate{"leat_hll_combine", kSketchType, kSketchType, add_sketches, merge_sketches,
                  give_sketches<true>}}) {
    LEAT_TRY(register_aggregate<HllSketch>(connection, each));
  }
  return {};
}

SqlStatus add_sketch_functions(Database& database) {
  const ColumnType text{.type = Type::kVarchar};
  for (ScalarFunction& each : std::vector<ScalarFunction>{
           made("leat_hll_cardinality", {kSketchType}, {.type = Type::kInt64}, cardinality),
           made("leat_hll_combine_sketches", {kSketchType, kSketchType}, kSketchType, combined),
           made("leat_hll_sketch", {text}, kSketchType, sketch_of_text)}) {
    LEAT_TRY(database.add_function(std::move(each)));
  }
  return {};
}

}  // namespace leat::engine
