// Types and values that cross the edge between the engine and the rest of the warehouse.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace leat::engine {

/// Physical kinds of a column. Redshift's own types are fewer: the catalog keeps the declared ones.
enum class Type : std::uint8_t {
  kNull,  ///< An untyped NULL, or a parameter whose type is not determined.
  kBoolean,
  kInt8,  ///< Not a Redshift type; shown as SMALLINT.
  kInt16,
  kInt32,
  kInt64,
  kUInt8,  ///< Unsigned kinds come out of a few DuckDB functions only.
  kUInt16,
  kUInt32,
  kUInt64,
  kHugeInt,  ///< 128 bit, from SUM over integers; shown as DECIMAL(38,0).
  kFloat,
  kDouble,
  kDecimal,  ///< width 1 to 38, scale 0 to width.
  kVarchar,
  kJson,         ///< SUPER: text that is JSON.
  kSketch,       ///< HLLSKETCH: the text of a sketch (hll_sketch.h).
  kBlob,         ///< VARBYTE.
  kDate,         ///< int32 days since 1970-01-01.
  kTime,         ///< int64 microseconds since midnight.
  kTimeTz,       ///< DuckDB's packed time and offset.
  kTimestamp,    ///< int64 microseconds since 1970-01-01.
  kTimestampTz,  ///< The same, UTC.
  kInterval,     ///< Months, days, microseconds.
  kUuid,
  kEnum,  ///< Shown as VARCHAR.
  kList,  ///< Lists, arrays, structs and maps are shown as JSON text.
  kArray,
  kStruct,
  kMap,
  kOther,  ///< Anything else of DuckDB's; cannot be shown (cast to VARCHAR first).
};

/// Types of PostgreSQL's catalog that are others' values under a name of their own.
enum class CatalogType : std::uint8_t {
  kNone,
  kOid,           ///< of kInt64
  kCharacter,     ///< of kVarchar: "char", one byte
  kShortElement,  ///< of kInt64: what a kList has that is an int2vector
  kOidElement     ///< of kInt64: what a kList has that is an oidvector
};

/// A type with its parameters.
struct ColumnType {
  Type type = Type::kNull;
  std::uint8_t width = 0;   ///< kDecimal only.
  std::uint8_t scale = 0;   ///< kDecimal only.
  std::int32_t length = 0;  ///< kArray only: elements.
  /// kList, kArray: 1; kStruct: its fields; kMap: key, value.
  std::vector<ColumnType> children = {};
  std::vector<std::string> child_names = {};  ///< kStruct: as many as children. kEnum: its labels.
  CatalogType catalog = CatalogType::kNone;

  bool operator==(const ColumnType&) const = default;
};

/// The DuckDB SQL name of a type, such as "DECIMAL(10,2)". Pure; any thread.
[[nodiscard]] std::string type_sql(const ColumnType& type);

struct ColumnInfo {
  std::string name;
  ColumnType type;
};

struct HugeInt {
  std::uint64_t low = 0;
  std::int64_t high = 0;
  bool operator==(const HugeInt&) const = default;
};

struct Interval {
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int64_t us = 0;
  bool operator==(const Interval&) const = default;
};

/// Text whose type follows from where it stands, as a PostgreSQL client's text parameters are: it
/// is converted to the parameter's type (22P02 when it cannot be).
struct UntypedText {
  std::string text;
};
struct BlobValue {
  std::string bytes;
};
struct DateValue {
  std::int32_t days = 0;  ///< Since 1970-01-01.
};
struct TimeValue {
  std::int64_t us = 0;  ///< Since midnight.
};
struct TimestampValue {
  std::int64_t us = 0;  ///< Since 1970-01-01.
};
struct TimestampTzValue {
  std::int64_t us = 0;  ///< Since 1970-01-01, UTC.
};
struct DecimalValue {
  std::uint8_t width = 18;
  std::uint8_t scale = 0;
  HugeInt unscaled = {};
};

/// A parameter of a prepared statement. std::monostate is NULL; std::string is VARCHAR.
using Value = std::variant<std::monostate, bool, std::int16_t, std::int32_t, std::int64_t, float,
                           double, std::string, UntypedText, BlobValue, DateValue, TimeValue,
                           TimestampValue, TimestampTzValue, Interval, DecimalValue>;

/// `name` as a DuckDB identifier in double quotes; `text` as a DuckDB string literal in single
/// quotes.
[[nodiscard]] std::string quote_identifier(std::string_view name);
[[nodiscard]] std::string quote_literal(std::string_view text);

}  // namespace leat::engine
