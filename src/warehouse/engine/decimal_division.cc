// Exact division of decimals and integers, as Redshift divides:
//
//   leat_quotient_W_S(dividend, divisor)          a DECIMAL(W,S), digits beyond S cut off
//
// W is 18 or 38. The operands keep the types they have: each is a decimal of its own scale or an
// integer, and the quotient is computed from their unscaled values, so that no digit is lost on the
// way. DuckDB itself divides decimals as DOUBLE. 22012 for a divisor of zero, 22003 for a quotient
// that has no place.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {
namespace {

__extension__ using Signed128 = __int128;
__extension__ using Unsigned128 = unsigned __int128;

constexpr unsigned kDigitsMax = 38;

constexpr auto kPowers = [] {
  std::array<Unsigned128, kDigitsMax + 1> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

/// The 256 bits of a dividend that is too large for 128.
struct Wide {
  Unsigned128 high = 0;
  Unsigned128 low = 0;
};

/// a * b, where b < 2^127.
Wide multiply(Unsigned128 a, Unsigned128 b) {
  const auto low64 = [](Unsigned128 x) {
    return static_cast<Unsigned128>(static_cast<std::uint64_t>(x));
  };
  const Unsigned128 low = low64(a) * low64(b);
  const Unsigned128 left = (a >> 64) * low64(b);
  const Unsigned128 right = low64(a) * (b >> 64);
  const Unsigned128 middle = (low >> 64) + low64(left) + low64(right);
  return {.high = (a >> 64) * (b >> 64) + (left >> 64) + (right >> 64) + (middle >> 64),
          .low = (middle << 64) | low64(low)};
}

/// The quotient of long division, one bit at a time; nothing when it has more than 128 bits.
/// `divisor` < 2^127.
std::optional<Unsigned128> divide(Wide dividend, Unsigned128 divisor) {
  if (dividend.high >= divisor) return std::nullopt;
  Unsigned128 rest = dividend.high;
  Unsigned128 quotient = 0;
  for (int bit = 127; bit >= 0; --bit) {
    rest = (rest << 1) | ((dividend.low >> bit) & 1);
    quotient <<= 1;
    if (rest >= divisor) {
      rest -= divisor;
      quotient |= 1;
    }
  }
  return quotient;
}

/// dividend * 10^exponent / divisor, cut off; nothing when it has more than 128 bits.
/// `exponent` is -38 to 75, both others are below 2^127.
std::optional<Unsigned128> scaled_quotient(Unsigned128 dividend, int exponent,
                                           Unsigned128 divisor) {
  Unsigned128 product = 0;
  if (exponent < 0) {
    const Unsigned128 factor = kPowers[static_cast<unsigned>(-exponent)];
    if (__builtin_mul_overflow(divisor, factor, &product)) return 0;
    return dividend / product;
  }
  const unsigned first = std::min(static_cast<unsigned>(exponent), kDigitsMax);
  const unsigned second = static_cast<unsigned>(exponent) - first;
  if (second == 0 && !__builtin_mul_overflow(dividend, kPowers[first], &product))
    return product / divisor;
  const Wide wide = multiply(dividend, kPowers[first]);
  const Wide high = multiply(wide.high, kPowers[second]);
  const Wide low = multiply(wide.low, kPowers[second]);
  Unsigned128 top = 0;
  if (high.high != 0 || __builtin_add_overflow(high.low, low.high, &top)) return std::nullopt;
  return divide({.high = top, .low = low.low}, divisor);
}

/// The unscaled values of one argument and their scale.
struct Operand {
  std::vector<std::int64_t> narrow;  ///< One of both is used.
  std::vector<Signed128> wide;
  int scale = 0;
  const std::uint64_t* validity = nullptr;
};

template <class Stored, class Held>
void copy_cells(duckdb_vector vector, std::size_t rows, std::vector<Held>& out) {
  const auto* cells = static_cast<const std::byte*>(duckdb_vector_get_data(vector));
  out.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    Stored cell;  // DuckDB aligns to eight bytes at most.
    std::memcpy(&cell, cells + row * sizeof(Stored), sizeof(Stored));
    out[row] = static_cast<Held>(cell);
  }
}

SqlResult<Operand> read_operand(duckdb_vector vector, std::size_t rows) {
  const LogicalType type(duckdb_vector_get_column_type(vector));
  duckdb_type kind = duckdb_get_type_id(type.get());
  Operand operand;
  operand.validity = duckdb_vector_get_validity(vector);
  if (kind == DUCKDB_TYPE_DECIMAL) {
    operand.scale = duckdb_decimal_scale(type.get());
    kind = duckdb_decimal_internal_type(type.get());
  }
  switch (kind) {
    case DUCKDB_TYPE_TINYINT:
      copy_cells<std::int8_t>(vector, rows, operand.narrow);
      return operand;
    case DUCKDB_TYPE_SMALLINT:
      copy_cells<std::int16_t>(vector, rows, operand.narrow);
      return operand;
    case DUCKDB_TYPE_INTEGER:
      copy_cells<std::int32_t>(vector, rows, operand.narrow);
      return operand;
    case DUCKDB_TYPE_BIGINT:
      copy_cells<std::int64_t>(vector, rows, operand.narrow);
      return operand;
    case DUCKDB_TYPE_HUGEINT:
      copy_cells<Signed128>(vector, rows, operand.wide);
      return operand;
    case DUCKDB_TYPE_SQLNULL:
      operand.narrow.resize(rows);
      return operand;
    default:
      return fail_sql("42883", "decimal division of a value that is neither decimal nor integer");
  }
}

bool is_valid(const Operand& operand, std::size_t row) {
  return operand.validity == nullptr || ((operand.validity[row / 64] >> (row % 64)) & 1) != 0;
}

struct Result {
  int scale = 0;
  Unsigned128 limit = 0;  ///< The first absolute value that has no place.
  duckdb_vector vector = nullptr;
};

template <class Value>
auto magnitude(Value value) {
  using Unsigned = std::conditional_t<sizeof(Value) == 8, std::uint64_t, Unsigned128>;
  return value < 0 ? Unsigned{0} - static_cast<Unsigned>(value) : static_cast<Unsigned>(value);
}

template <class Left, class Right, class Out>
SqlStatus divide_rows(const Operand& left, const std::vector<Left>& dividends, const Operand& right,
                      const std::vector<Right>& divisors, const Result& result) {
  const int exponent = result.scale + right.scale - left.scale;
  auto* const quotients = static_cast<std::byte*>(duckdb_vector_get_data(result.vector));
  std::uint64_t* validity = nullptr;
  constexpr int kNarrowMax = 19;
  const bool narrow = exponent >= 0 && exponent <= kNarrowMax;
  const auto factor =
      static_cast<std::uint64_t>(narrow ? kPowers[static_cast<unsigned>(exponent)] : 0);
  for (std::size_t row = 0; row < dividends.size(); ++row) {
    if (!is_valid(left, row) || !is_valid(right, row)) {
      if (validity == nullptr) {
        duckdb_vector_ensure_validity_writable(result.vector);
        validity = duckdb_vector_get_validity(result.vector);
      }
      duckdb_validity_set_row_invalid(validity, row);
      continue;
    }
    if (divisors[row] == 0) return fail_sql("22012", "division by zero");
    const auto dividend = magnitude(dividends[row]);
    const auto divisor = magnitude(divisors[row]);
    const bool negative = (dividends[row] < 0) != (divisors[row] < 0);
    std::optional<Unsigned128> size;
    if constexpr (sizeof(Left) == 8 && sizeof(Right) == 8) {
      std::uint64_t product = 0;
      if (narrow && !__builtin_mul_overflow(dividend, factor, &product)) size = product / divisor;
    }
    if (!size) size = scaled_quotient(dividend, exponent, divisor);
    if (!size || *size >= result.limit)
      return fail_sql("22003", "Numeric data overflow (result precision)");
    const auto quotient = negative ? -static_cast<Out>(*size) : static_cast<Out>(*size);
    std::memcpy(quotients + row * sizeof(Out), &quotient, sizeof(Out));
  }
  return {};
}

/// By the widths of both operands.
template <class Out>
SqlStatus divide_operands(const Operand& left, const Operand& right, const Result& result) {
  const auto with_left = [&](const auto& dividends) {
    using Left = typename std::decay_t<decltype(dividends)>::value_type;
    return right.wide.empty()
               ? divide_rows<Left, std::int64_t, Out>(left, dividends, right, right.narrow, result)
               : divide_rows<Left, Signed128, Out>(left, dividends, right, right.wide, result);
  };
  return left.wide.empty() ? with_left(left.narrow) : with_left(left.wide);
}

SqlStatus divide_chunk(duckdb_data_chunk input, unsigned width, Result result) {
  const std::size_t rows = duckdb_data_chunk_get_size(input);
  LEAT_ASSIGN(const Operand left, read_operand(duckdb_data_chunk_get_vector(input, 0), rows));
  LEAT_ASSIGN(const Operand right, read_operand(duckdb_data_chunk_get_vector(input, 1), rows));
  result.limit = kPowers[width];
  return width == 18 ? divide_operands<std::int64_t>(left, right, result)
                     : divide_operands<Signed128>(left, right, result);
}

template <unsigned width>
void run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto scale = reinterpret_cast<std::uintptr_t>(duckdb_scalar_function_get_extra_info(info));
  const Result result{.scale = static_cast<int>(scale), .limit = 0, .vector = output};
  run_scalar(info, [&] { return divide_chunk(input, width, result); });
}

SqlStatus register_division(duckdb_connection connection, unsigned width, unsigned scale) {
  const std::string name = fmt::format("leat_quotient_{}_{}", width, scale);
  const LogicalType operand(duckdb_create_logical_type(DUCKDB_TYPE_ANY));
  const LogicalType result(duckdb_create_decimal_type(static_cast<std::uint8_t>(width),
                                                      static_cast<std::uint8_t>(scale)));
  duckdb_scalar_function handle = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(handle, name.c_str());
  duckdb_scalar_function_add_parameter(handle, operand.get());
  duckdb_scalar_function_add_parameter(handle, operand.get());
  duckdb_scalar_function_set_return_type(handle, result.get());
  // With DuckDB's own NULL handling the cells of NULLs would be divided.
  duckdb_scalar_function_set_special_handling(handle);
  // The scale is the pointer: there is nothing to free.
  duckdb_scalar_function_set_extra_info(handle, reinterpret_cast<void*>(std::uintptr_t{scale}),
                                        nullptr);
  duckdb_scalar_function_set_function(handle, width == 18 ? run<18> : run<kDigitsMax>);
  return register_scalar_function(connection, handle, name);
}

}  // namespace

SqlStatus register_decimal_division(duckdb_connection connection) {
  for (unsigned scale = 0; scale <= 18; ++scale) {
    LEAT_TRY(register_division(connection, 18, scale));
  }
  for (unsigned scale = 0; scale <= kDigitsMax; ++scale) {
    LEAT_TRY(register_division(connection, kDigitsMax, scale));
  }
  return {};
}

}  // namespace leat::engine
