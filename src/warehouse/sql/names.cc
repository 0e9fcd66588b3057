#include "warehouse/sql/names.h"

#include "warehouse/sql/words.h"

namespace leat::sql {
namespace {

struct TypeFacts {
  TypeKind kind;
  std::string_view redshift;
  std::string_view duckdb;
  std::uint32_t oid;
};

constexpr TypeFacts kTypes[] = {
    {TypeKind::kBoolean, "boolean", "BOOLEAN", 16},
    {TypeKind::kSmallint, "smallint", "SMALLINT", 21},
    {TypeKind::kInteger, "integer", "INTEGER", 23},
    {TypeKind::kBigint, "bigint", "BIGINT", 20},
    {TypeKind::kDecimal, "numeric", "DECIMAL", 1700},
    {TypeKind::kReal, "real", "FLOAT", 700},
    {TypeKind::kDouble, "double precision", "DOUBLE", 701},
    {TypeKind::kChar, "character", "VARCHAR", 1042},
    {TypeKind::kVarchar, "character varying", "VARCHAR", 1043},
    {TypeKind::kDate, "date", "DATE", 1082},
    {TypeKind::kTime, "time without time zone", "TIME", 1083},
    {TypeKind::kTimeTz, "time with time zone", "TIMETZ", 1266},
    {TypeKind::kTimestamp, "timestamp without time zone", "TIMESTAMP", 1114},
    {TypeKind::kTimestampTz, "timestamp with time zone", "TIMESTAMPTZ", 1184},
    {TypeKind::kInterval, "interval", "INTERVAL", 1186},
    {TypeKind::kIntervalYearToMonth, "interval year to month", "INTERVAL", 1188},
    {TypeKind::kIntervalDayToSecond, "interval day to second", "INTERVAL", 1190},
    {TypeKind::kSuper, "super", "JSON", 4000},
    {TypeKind::kVarbyte, "binary varying", "BLOB", 6551},
    {TypeKind::kHllSketch, "hllsketch", "HLLSKETCH", 2935},
    {TypeKind::kGeometry, "geometry", "BLOB", 3999},
    {TypeKind::kGeography, "geography", "BLOB", 3001},
    {TypeKind::kName, "name", "VARCHAR", 19},
    {TypeKind::kOid, "oid", "LEAT_OID", 26},
    {TypeKind::kInternalChar, "\"char\"", "LEAT_CHARACTER", 18},
    {TypeKind::kRegClass, "regclass", "VARCHAR", 2205},
    {TypeKind::kRegType, "regtype", "VARCHAR", 2206},
    {TypeKind::kRegProc, "regproc", "VARCHAR", 24},
    {TypeKind::kRegNamespace, "regnamespace", "VARCHAR", 4089},
};

const TypeFacts* facts(TypeKind kind) {
  for (const TypeFacts& entry : kTypes) {
    if (entry.kind == kind) return &entry;
  }
  return nullptr;
}

struct ArrayOid {
  std::uint32_t element;
  std::uint32_t array;
};
constexpr ArrayOid kArrayOids[] = {
    {16, 1000},   {18, 1002},   {19, 1003},   {20, 1016},   {21, 1005},   {23, 1007},
    {24, 1008},   {26, 1028},   {700, 1021},  {701, 1022},  {1042, 1014}, {1043, 1015},
    {1082, 1182}, {1083, 1183}, {1114, 1115}, {1184, 1185}, {1186, 1187}, {1188, 1189},
    {1190, 1191}, {1266, 1270}, {1700, 1231},
};

/// `text` between two marks; each mark inside stands twice.
std::string quoted(std::string_view text, char mark) {
  std::string out;
  out.reserve(text.size() + 2);
  out += mark;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t found = text.find(mark, at);
    const std::size_t end = found == std::string_view::npos ? text.size() : found + 1;
    out += text.substr(at, end - at);
    if (found != std::string_view::npos) out += mark;
    at = end;
  }
  out += mark;
  return out;
}

std::string spelled_other(const TypeName& type) {
  return type.spelling.empty() ? std::string("unknown") : type.spelling;
}

/// DuckDB's type for the catalog types kept only by name.
std::string duckdb_other(const TypeName& type) {
  const std::string_view name = type.spelling;
  if (name == "xid" || name == "cid" || name == "tid") return "BIGINT";
  if (name == "abstime" || name == "reltime") return "TIMESTAMP";
  if (name == "bytea") return "BLOB";
  if (name == "int2vector") return "LEAT_SHORT_ELEMENT[]";
  if (name == "oidvector") return "LEAT_OID_ELEMENT[]";
  return "VARCHAR";
}

}  // namespace

std::string QualifiedName::to_string() const {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += '.';
    text += part;
  }
  return text;
}

TypeName column_type(TypeName written) {
  switch (written.kind) {
    case TypeKind::kDecimal:
      if (written.precision < 0) written.precision = 18;
      if (written.scale < 0) written.scale = 0;
      break;
    case TypeKind::kChar:
      if (written.length < 0) written.length = written.spelling == "bpchar" ? 256 : 1;
      break;
    case TypeKind::kVarchar:
      if (written.length < 0) written.length = 256;
      break;
    case TypeKind::kVarbyte:
      if (written.length < 0) written.length = 64000;
      break;
    default:
      break;
  }
  return written;
}

std::string format_type(const TypeName& type) {
  const TypeFacts* known = facts(type.kind);
  std::string text = known == nullptr ? spelled_other(type) : std::string(known->redshift);
  if (type.length >= 0) text += "(" + std::to_string(type.length) + ")";
  if (type.precision >= 0) {
    text +=
        "(" + std::to_string(type.precision) + "," + std::to_string(std::max(type.scale, 0)) + ")";
  }
  for (int i = 0; i < type.array_dimensions; ++i) text += "[]";
  return text;
}

std::string duckdb_type(const TypeName& type) {
  const TypeFacts* known = facts(type.kind);
  std::string text = known == nullptr ? duckdb_other(type) : std::string(known->duckdb);
  if (type.kind == TypeKind::kDecimal) {
    const TypeName effective = column_type(type);
    text += "(" + std::to_string(effective.precision) + "," + std::to_string(effective.scale) + ")";
  }
  for (int i = 0; i < type.array_dimensions; ++i) text += "[]";
  return text;
}

std::uint32_t type_oid(const TypeName& type) {
  const TypeFacts* known = facts(type.kind);
  std::uint32_t oid = known == nullptr ? (type.spelling == "text" ? 25U : 705U) : known->oid;
  if (type.kind == TypeKind::kVarchar && type.spelling == "text" && type.length < 0) oid = 25;
  if (type.array_dimensions == 0) return oid;
  for (const ArrayOid& pair : kArrayOids) {
    if (pair.element == oid) return pair.array;
  }
  return 1009;
}

std::string quote_identifier(std::string_view name) {
  return quoted(name, '"');
}

std::string quote_literal(std::string_view literal) {
  return quoted(literal, '\'');
}

bool is_reserved_word(std::string_view word) {
  return word_class(find_word(word)) != WordClass::kNone;
}

std::optional<bool> insensitive_collation(std::string_view name) {
  if (name == "case_insensitive" || name == "ci") return true;
  if (name == "case_sensitive" || name == "cs") return false;
  return std::nullopt;
}

}  // namespace leat::sql
