#include "warehouse/transfer/target_type.h"

#include <fmt/format.h>

#include "base/text.h"

namespace leat::transfer {

using sql::TypeKind;

engine::ColumnType engine_column_type(const sql::TypeName& type) {
  using engine::Type;
  switch (type.kind) {
    case TypeKind::kBoolean:
      return {.type = Type::kBoolean};
    case TypeKind::kSmallint:
      return {.type = Type::kInt16};
    case TypeKind::kInteger:
      return {.type = Type::kInt32};
    case TypeKind::kBigint:
      return {.type = Type::kInt64};
    case TypeKind::kReal:
      return {.type = Type::kFloat};
    case TypeKind::kDouble:
      return {.type = Type::kDouble};
    case TypeKind::kDecimal:
      return {.type = Type::kDecimal,
              .width = static_cast<std::uint8_t>(type.precision < 0 ? 18 : type.precision),
              .scale = static_cast<std::uint8_t>(type.scale < 0 ? 0 : type.scale)};
    case TypeKind::kDate:
      return {.type = Type::kDate};
    case TypeKind::kTime:
      return {.type = Type::kTime};
    case TypeKind::kTimeTz:
      return {.type = Type::kTimeTz};
    case TypeKind::kTimestamp:
      return {.type = Type::kTimestamp};
    case TypeKind::kTimestampTz:
      return {.type = Type::kTimestampTz};
    case TypeKind::kSuper:
      return {.type = Type::kJson};
    case TypeKind::kVarbyte:
      return {.type = Type::kBlob};
    case TypeKind::kHllSketch:
      return {.type = Type::kSketch};
    case TypeKind::kInterval:
    case TypeKind::kIntervalYearToMonth:
    case TypeKind::kIntervalDayToSecond:
      return {.type = Type::kInterval};
    default:
      return {.type = Type::kVarchar};
  }
}

std::string engine_type(const sql::TypeName& type) {
  return engine::type_sql(engine_column_type(type));
}

std::string declared_type(const sql::TypeName& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return "BOOLEAN";
    case TypeKind::kSmallint:
      return "SMALLINT";
    case TypeKind::kInteger:
      return "INT";
    case TypeKind::kBigint:
      return "BIGINT";
    case TypeKind::kReal:
      return "REAL";
    case TypeKind::kDouble:
      return "DOUBLE";
    case TypeKind::kDecimal:
      return fmt::format("DECIMAL({}, {})", type.precision, type.scale);
    case TypeKind::kChar:
      return fmt::format("CHAR({})", type.length);
    case TypeKind::kVarchar:
      return fmt::format("VARCHAR({})", type.length);
    case TypeKind::kDate:
      return "DATE";
    case TypeKind::kTime:
      return "TIME";
    case TypeKind::kTimeTz:
      return "TIMETZ";
    case TypeKind::kTimestamp:
      return "TIMESTAMP";
    case TypeKind::kTimestampTz:
      return "TIMESTAMPTZ";
    case TypeKind::kSuper:
      return "SUPER";
    case TypeKind::kVarbyte:
      return fmt::format("VARBYTE({})", type.length);
    case TypeKind::kHllSketch:
      return "HLLSKETCH";
    case TypeKind::kIntervalYearToMonth:
      return "INTERVAL YEAR TO MONTH";
    case TypeKind::kIntervalDayToSecond:
      return "INTERVAL DAY TO SECOND";
    default:
      return "UNKNOWN";
  }
}

std::string catalog_type(const sql::TypeName& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return "bool";
    case TypeKind::kSmallint:
      return "int2";
    case TypeKind::kInteger:
      return "int4";
    case TypeKind::kBigint:
      return "int8";
    case TypeKind::kReal:
      return "float4";
    case TypeKind::kDouble:
      return "float8";
    case TypeKind::kDecimal:
      return "numeric";
    case TypeKind::kChar:
      return "char";
    case TypeKind::kVarchar:
      return "varchar";
    case TypeKind::kDate:
      return "date";
    case TypeKind::kTime:
      return "time";
    case TypeKind::kTimeTz:
      return "timetz";
    case TypeKind::kTimestamp:
      return "timestamp";
    case TypeKind::kTimestampTz:
      return "timestamptz";
    case TypeKind::kSuper:
      return "super";
    case TypeKind::kVarbyte:
      return "varbyte";
    case TypeKind::kHllSketch:
      return "hllsketch";
    case TypeKind::kIntervalYearToMonth:
      return "intervaly2m";
    case TypeKind::kIntervalDayToSecond:
      return "intervald2s";
    default:
      return "unknown";
  }
}

std::string catalog_length(const sql::TypeName& type) {
  switch (type.kind) {
    case TypeKind::kDecimal:
      return fmt::format("{}, {}", type.precision, type.scale);
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kVarbyte:
      return std::to_string(type.length);
    default:
      return "";
  }
}

bool decimal_fits(std::string_view from, const sql::TypeName& to) {
  if (!from.starts_with("DECIMAL(") || !from.ends_with(')')) return false;
  const auto parts = split(from.substr(8, from.size() - 9), ',');
  if (parts.size() != 2) return false;
  const auto width = parse_number<int>(trim(parts[0]));
  const auto scale = parse_number<int>(trim(parts[1]));
  if (!width || !scale) return false;
  const engine::ColumnType target = engine_column_type(to);
  return *scale <= target.scale && *width - *scale <= target.width - target.scale;
}

}  // namespace leat::transfer
