#include "columns/types.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"

namespace leat::columns {
namespace {

struct TypeName {
  std::string_view name;
  Type type;
};

constexpr TypeName kTypeNames[] = {
    {"boolean", Type::kBoolean},
    {"bool", Type::kBoolean},
    {"smallint", Type::kInt16},
    {"int2", Type::kInt16},
    {"integer", Type::kInt32},
    {"int", Type::kInt32},
    {"int4", Type::kInt32},
    {"bigint", Type::kInt64},
    {"int8", Type::kInt64},
    {"real", Type::kFloat},
    {"float4", Type::kFloat},
    {"double precision", Type::kDouble},
    {"float8", Type::kDouble},
    {"float", Type::kDouble},
    {"numeric", Type::kDecimal},
    {"decimal", Type::kDecimal},
    {"character varying", Type::kVarchar},
    {"varchar", Type::kVarchar},
    {"nvarchar", Type::kVarchar},
    {"text", Type::kVarchar},
    {"character", Type::kVarchar},
    {"char", Type::kVarchar},
    {"nchar", Type::kVarchar},
    {"bpchar", Type::kVarchar},
    {"date", Type::kDate},
    {"timestamp", Type::kTimestamp},
    {"timestamp without time zone", Type::kTimestamp},
    {"timestamptz", Type::kTimestampTz},
    {"timestamp with time zone", Type::kTimestampTz},
    {"super", Type::kSuper},
};

/// "numeric(18, 2)" as "numeric" and {18, 2}; absent numbers are empty.
struct ParsedType {
  std::string name;
  std::optional<std::uint32_t> first;
  std::optional<std::uint32_t> second;
  bool valid = true;
};

ParsedType parse_type(std::string_view text) {
  ParsedType parsed;
  const std::string lower = to_lower(trim(text));
  const std::size_t open = lower.find('(');
  parsed.name = trim(std::string_view(lower).substr(0, open));
  if (open == std::string::npos) return parsed;
  const std::size_t close = lower.find(')', open);
  if (close == std::string::npos) {
    parsed.valid = false;
    return parsed;
  }
  const auto arguments = split(std::string_view(lower).substr(open + 1, close - open - 1), ',');
  if (trim(arguments[0]) == "max") {
    parsed.first = kTextBytesMax;
  } else {
    parsed.first = parse_number<std::uint32_t>(trim(arguments[0]));
  }
  if (arguments.size() > 1) parsed.second = parse_number<std::uint32_t>(trim(arguments[1]));
  parsed.valid = parsed.first && arguments.size() <= 2 && (arguments.size() == 1 || parsed.second);
  // "timestamp(6) without time zone"
  parsed.name += std::string_view(lower).substr(close + 1);
  return parsed;
}

}  // namespace

std::string sql_type(const Column& column) {
  switch (column.type) {
    case Type::kBoolean:
      return "boolean";
    case Type::kInt16:
      return "smallint";
    case Type::kInt32:
      return "integer";
    case Type::kInt64:
      return "bigint";
    case Type::kFloat:
      return "real";
    case Type::kDouble:
      return "double precision";
    case Type::kDecimal:
      return fmt::format("numeric({},{})", column.precision, column.scale);
    case Type::kVarchar:
      return fmt::format("varchar({})", column.length);
    case Type::kDate:
      return "date";
    case Type::kTimestamp:
      return "timestamp";
    case Type::kTimestampTz:
      return "timestamptz";
    case Type::kSuper:
      return "super";
    case Type::kUnsupported:
      return "unsupported";
  }
  return "unsupported";
}

Column column_from_sql_type(std::string name, std::string_view sql_type_text) {
  Column column{.name = std::move(name), .type = Type::kUnsupported};
  const ParsedType parsed = parse_type(sql_type_text);
  if (!parsed.valid) return column;
  for (const TypeName& known : kTypeNames) {
    if (known.name == parsed.name) column.type = known.type;
  }
  if (column.type == Type::kVarchar) {
    const bool is_char = parsed.name == "char" || parsed.name == "character" ||
                         parsed.name == "nchar" || parsed.name == "bpchar";
    const std::uint32_t default_length = is_char && parsed.name != "bpchar" ? 1 : 256;
    column.length = parsed.first.value_or(default_length);
    if (column.length == 0 || column.length > kTextBytesMax) column.type = Type::kUnsupported;
  } else if (column.type == Type::kDecimal) {
    const std::uint32_t precision = parsed.first.value_or(18);
    const std::uint32_t scale = parsed.second.value_or(0);
    if (precision < 1 || precision > 38 || scale > precision) {
      column.type = Type::kUnsupported;
      return column;
    }
    column.precision = static_cast<std::uint8_t>(precision);
    column.scale = static_cast<std::uint8_t>(scale);
  } else if (parsed.name == "float" && parsed.first && *parsed.first <= 24) {
    column.type = Type::kFloat;
  }
  return column;
}

}  // namespace leat::columns
