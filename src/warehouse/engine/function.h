// SQL functions written in C++ (rs_to_char and the like).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/engine/chunk.h"
#include "warehouse/engine/error.h"

namespace leat::engine {

/// A type without parameters. Pure; any thread.
[[nodiscard]] inline ColumnType plain_type(Type type) {
  return {.type = type};
}

/// Where a function puts its answer. Exactly one setter is called for each row.
class FunctionOutput {
 public:
  void set_null(std::size_t row);
  void set_bool(std::size_t row, bool value);
  void set_int32(std::size_t row, std::int32_t value);  ///< kInt32, kDate.
  void set_int64(std::size_t row,
                 std::int64_t value);  ///< kInt64, kTimestamp, kTimestampTz, kTime.
  void set_double(std::size_t row, double value);
  void set_huge(std::size_t row, HugeInt value);  ///< kHugeInt, kDecimal of width 19 to 38.
  void set_interval(std::size_t row, Interval value);
  void set_text(std::size_t row, std::string_view value);  ///< kVarchar, kJson, kSketch, kBlob.

 private:
  friend struct FunctionBridge;
  void* vector_ = nullptr;
  void* data_ = nullptr;
  std::uint64_t* validity_ = nullptr;
};

/// Several functions of one name and different parameters are overloads. Must be pure unless
/// `is_volatile`.
struct ScalarFunction {
  std::string name;
  std::vector<ColumnType> parameters = {};
  std::optional<ColumnType> more_parameters = {};  ///< Any number of further ones of this type.
  ColumnType returns;
  bool sees_null = false;  ///< False: any NULL argument gives NULL without a call.
  bool is_volatile = false;
  /// Answers for one row of `arguments`. Called from many threads. An error ends the statement with
  /// its SQLSTATE and message.
  std::function<SqlStatus(const Chunk& arguments, std::size_t row, FunctionOutput& output)> run;
};

}  // namespace leat::engine
