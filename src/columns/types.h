// Column types, schemas and cells: what shape and UNLOAD hand to the Parquet writer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::columns {

enum class Type : std::uint8_t {
  kBoolean,
  kInt16,        ///< smallint
  kInt32,        ///< integer
  kInt64,        ///< bigint
  kFloat,        ///< real
  kDouble,       ///< double precision
  kDecimal,      ///< numeric(precision, scale), precision 1 to 38
  kVarchar,      ///< UTF-8 text of at most `length` bytes
  kDate,         ///< days since 1970-01-01
  kTimestamp,    ///< microseconds since 1970-01-01, without zone, UTC by convention
  kTimestampTz,  ///< the same, with zone UTC
  kSuper,        ///< JSON text of at most kTextBytesMax bytes; SUPER in Redshift
  kUnsupported,  ///< a destination type that Leat does not write
};

/// Longest text of Redshift, in bytes.
inline constexpr std::uint32_t kTextBytesMax = 65'535;

struct Column {
  std::string name;
  Type type = Type::kVarchar;
  std::uint32_t length = 0;    ///< kVarchar: longest value in bytes
  std::uint8_t precision = 0;  ///< kDecimal
  std::uint8_t scale = 0;      ///< kDecimal
  bool nullable = true;
  bool operator==(const Column&) const = default;
};

/// True when cells of `type` are text.
[[nodiscard]] constexpr bool is_text(Type type) {
  return type == Type::kVarchar || type == Type::kSuper;
}

/// "bigint", "varchar(512)", "numeric(18,2)", ...: the type in Redshift's DDL.
[[nodiscard]] std::string sql_type(const Column& column);

/// Reads a type as Redshift's catalog or DDL writes it ("character varying(512)", "timestamp
/// without time zone", "int8", "numeric(18,2)", any case) into type, length, precision and scale. A
/// type that Leat does not write gives kUnsupported. varchar without a length is 256, numeric is
/// (18,0).
[[nodiscard]] Column column_from_sql_type(std::string name, std::string_view sql_type_text);

/// One value, 16 bytes; which member is set follows from the column's type. Text is borrowed.
struct Cell {
  union {
    std::int64_t integer;  ///< kInt16/32/64, kDate (days), kTimestamp (us), kBoolean (0 or 1)
    double real;           ///< kFloat, kDouble
    const char* text;      ///< kVarchar, kSuper: `text_size` bytes of UTF-8
    std::uint64_t low;     ///< kDecimal: low half of the unscaled 128-bit value
  };
  union {
    std::uint64_t text_size;
    std::int64_t high;  ///< kDecimal: high half
  };

  static Cell of_integer(std::int64_t value) { return Cell{{.integer = value}, {.text_size = 0}}; }
  static Cell of_real(double value) { return Cell{{.real = value}, {.text_size = 0}}; }
  static Cell of_text(std::string_view value) {
    return Cell{{.text = value.data()}, {.text_size = value.size()}};
  }
  static Cell of_decimal(std::uint64_t low_half, std::int64_t high_half) {
    return Cell{{.low = low_half}, {.high = high_half}};
  }
  [[nodiscard]] std::string_view as_text() const { return {text, text_size}; }
};
static_assert(sizeof(Cell) == 16);

/// DuckDB's text value: up to 12 bytes in place, else the first four and where all of them are.
struct ShortText {
  std::uint32_t size;
  char start[4];
  union {
    char rest[8];
    const char* all;
  };
  [[nodiscard]] std::string_view as_text() const {
    return size <= 12 ? std::string_view(start, size) : std::string_view(all, size);
  }
};
static_assert(sizeof(ShortText) == 16);

/// What the values of a ColumnView are, side by side. Other than kCells they are read as they lie
/// in DuckDB's vectors: kBytes by kBoolean, integers by the integer kinds, times and decimals of up
/// to 18 digits, kFloat and kDouble by their namesakes, kShortText by kVarchar and kSuper.
enum class Layout : std::uint8_t {
  kCells,
  kBytes,
  kInt16,
  kInt32,
  kInt64,
  kFloat,
  kDouble,
  kShortText,
};

/// A run of values of one column. `values` nullptr: all rows are NULL. `valid`: one bit per row,
/// least significant first, 1 = has a value; nullptr: all rows have one. Values of NULL rows are
/// not read.
struct ColumnView {
  const void* values = nullptr;
  const std::uint64_t* valid = nullptr;
  Layout layout = Layout::kCells;
};

}  // namespace leat::columns
