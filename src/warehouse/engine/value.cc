#include "warehouse/engine/value.h"

#include <fmt/format.h>

namespace leat::engine {

namespace {

std::string struct_sql(const ColumnType& type) {
  std::string out = "STRUCT(";
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    if (i > 0) out += ", ";
    out += quote_identifier(type.child_names[i]) + " " + type_sql(type.children[i]);
  }
  return out + ")";
}

}  // namespace

std::string type_sql(const ColumnType& type) {
  switch (type.type) {
    case Type::kNull:
      return "\"NULL\"";
    case Type::kBoolean:
      return "BOOLEAN";
    case Type::kInt8:
      return "TINYINT";
    case Type::kInt16:
      return "SMALLINT";
    case Type::kInt32:
      return "INTEGER";
    case Type::kInt64:
      return "BIGINT";
    case Type::kUInt8:
      return "UTINYINT";
    case Type::kUInt16:
      return "USMALLINT";
    case Type::kUInt32:
      return "UINTEGER";
    case Type::kUInt64:
      return "UBIGINT";
    case Type::kHugeInt:
      return "HUGEINT";
    case Type::kFloat:
      return "FLOAT";
    case Type::kDouble:
      return "DOUBLE";
    case Type::kDecimal:
      return fmt::format("DECIMAL({},{})", type.width, type.scale);
    case Type::kVarchar:
    case Type::kEnum:
    case Type::kOther:
      return "VARCHAR";
    case Type::kJson:
      return "JSON";
    case Type::kSketch:
      return "HLLSKETCH";
    case Type::kBlob:
      return "BLOB";
    case Type::kDate:
      return "DATE";
    case Type::kTime:
      return "TIME";
    case Type::kTimeTz:
      return "TIMETZ";
    case Type::kTimestamp:
      return "TIMESTAMP";
    case Type::kTimestampTz:
      return "TIMESTAMPTZ";
    case Type::kInterval:
      return "INTERVAL";
    case Type::kUuid:
      return "UUID";
    case Type::kList:
      return type_sql(type.children.at(0)) + "[]";
    case Type::kArray:
      return fmt::format("{}[{}]", type_sql(type.children.at(0)), type.length);
    case Type::kStruct:
      return struct_sql(type);
    case Type::kMap:
      return fmt::format("MAP({}, {})", type_sql(type.children.at(0)),
                         type_sql(type.children.at(1)));
  }
  return "VARCHAR";
}

namespace {

std::string quote(std::string_view text, char mark) {
  std::string out;
  out.reserve(text.size() + 2);
  out += mark;
  for (const char c : text) {
    if (c == mark) out += mark;
    out += c;
  }
  out += mark;
  return out;
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  return quote(name, '"');
}
std::string quote_literal(std::string_view text) {
  return quote(text, '\'');
}

}  // namespace leat::engine
