#include "warehouse/catalog/types.h"

#include <algorithm>
#include <array>
#include <utility>

namespace leat::catalog {
namespace {

using sql::TypeKind;
using sql::TypeName;

struct TypeEntry {
  std::uint32_t oid;
  std::int16_t size;
  TypeKind kind;
  std::string_view formatted;  // without modifier
};

constexpr std::array kTypes = {
    TypeEntry{16, 1, TypeKind::kBoolean, "boolean"},
    TypeEntry{17, -1, TypeKind::kVarbyte, "bytea"},
    TypeEntry{18, 1, TypeKind::kInternalChar, "\"char\""},
    TypeEntry{19, 128, TypeKind::kName, "name"},
    TypeEntry{20, 8, TypeKind::kBigint, "bigint"},
    TypeEntry{21, 2, TypeKind::kSmallint, "smallint"},
    TypeEntry{22, -1, TypeKind::kOther, "int2vector"},
    TypeEntry{23, 4, TypeKind::kInteger, "integer"},
    TypeEntry{24, 4, TypeKind::kRegProc, "regproc"},
    TypeEntry{25, -1, TypeKind::kVarchar, "text"},
    TypeEntry{26, 4, TypeKind::kOid, "oid"},
    TypeEntry{28, 4, TypeKind::kInteger, "xid"},
    TypeEntry{30, -1, TypeKind::kOther, "oidvector"},
    TypeEntry{700, 4, TypeKind::kReal, "real"},
    TypeEntry{701, 8, TypeKind::kDouble, "double precision"},
    TypeEntry{702, 4, TypeKind::kTimestamp, "abstime"},
    TypeEntry{705, -2, TypeKind::kOther, "unknown"},
    TypeEntry{1009, -1, TypeKind::kOther, "text[]"},
    TypeEntry{1033, 12, TypeKind::kOther, "aclitem"},
    TypeEntry{1034, -1, TypeKind::kOther, "aclitem[]"},
    TypeEntry{1042, -1, TypeKind::kChar, "character"},
    TypeEntry{1043, -1, TypeKind::kVarchar, "character varying"},
    TypeEntry{1082, 4, TypeKind::kDate, "date"},
    TypeEntry{1083, 8, TypeKind::kTime, "time without time zone"},
    TypeEntry{1114, 8, TypeKind::kTimestamp, "timestamp without time zone"},
    TypeEntry{1184, 8, TypeKind::kTimestampTz, "timestamp with time zone"},
    TypeEntry{1186, 16, TypeKind::kInterval, "interval"},
    TypeEntry{1188, 4, TypeKind::kIntervalYearToMonth, "intervaly2m"},
    TypeEntry{1190, 8, TypeKind::kIntervalDayToSecond, "intervald2s"},
    TypeEntry{1266, 12, TypeKind::kTimeTz, "time with time zone"},
    TypeEntry{1700, -1, TypeKind::kDecimal, "numeric"},
    TypeEntry{2205, 4, TypeKind::kRegClass, "regclass"},
    TypeEntry{2206, 4, TypeKind::kRegType, "regtype"},
    TypeEntry{2935, -1, TypeKind::kHllSketch, "hllsketch"},
    TypeEntry{3001, -1, TypeKind::kGeography, "geography"},
    TypeEntry{3999, -1, TypeKind::kGeometry, "geometry"},
    TypeEntry{4000, -1, TypeKind::kSuper, "super"},
    TypeEntry{6551, -1, TypeKind::kVarbyte, "binary varying"},
};

const TypeEntry* find_type(std::uint32_t oid) {
  const auto* const entry = std::ranges::find(kTypes, oid, &TypeEntry::oid);
  return entry == kTypes.end() ? nullptr : entry;
}

constexpr std::array<std::pair<std::string_view, std::int32_t>, 14> kEncodings = {{{"none", 0},
                                                                                   {"raw", 0},
                                                                                   {"bytedict", 1},
                                                                                   {"delta", 2},
                                                                                   {"delta32k", 3},
                                                                                   {"lzo", 4},
                                                                                   {"mostly8", 5},
                                                                                   {"mostly16", 6},
                                                                                   {"mostly32", 7},
                                                                                   {"runlength", 8},
                                                                                   {"text255", 9},
                                                                                   {"text32k", 10},
                                                                                   {"zstd", 11},
                                                                                   {"az64", 12}}};

TypeName simple(TypeKind kind) {
  TypeName type;
  type.kind = kind;
  return type;
}

/// Of 64 bits.
TypeKind integer_kind(engine::CatalogType type) {
  using engine::CatalogType;
  if (type == CatalogType::kShortElement) return TypeKind::kSmallint;
  const bool oid = type == CatalogType::kOid || type == CatalogType::kOidElement;
  return oid ? TypeKind::kOid : TypeKind::kBigint;
}

}  // namespace

std::int32_t type_modifier(const TypeName& type) {
  if (type.array_dimensions > 0) return -1;
  switch (type.kind) {
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kVarbyte:
      return type.length < 0 ? -1 : type.length + 4;
    case TypeKind::kDecimal:
      return type.precision < 0 ? -1 : (type.precision << 16 | std::max(type.scale, 0)) + 4;
    default:
      return -1;
  }
}

std::int16_t type_size(std::uint32_t oid) {
  const TypeEntry* entry = find_type(oid);
  return entry == nullptr ? std::int16_t{-1} : entry->size;
}

TypeName type_from_oid(std::uint32_t oid, std::int32_t modifier) {
  TypeName type;
  const TypeEntry* entry = find_type(oid);
  if (entry == nullptr || entry->kind == TypeKind::kOther) return type;
  type.kind = entry->kind;
  if (modifier >= 4) {
    if (type.kind == TypeKind::kDecimal) {
      type.precision = (modifier - 4) >> 16 & 0xffff;
      type.scale = (modifier - 4) & 0xffff;
    } else {
      type.length = modifier - 4;
    }
  }
  return type;
}

TypeName type_from_engine(const engine::ColumnType& type) {
  using engine::Type;
  switch (type.type) {
    case Type::kBoolean:
      return simple(TypeKind::kBoolean);
    case Type::kInt8:
    case Type::kUInt8:
    case Type::kInt16:
      return simple(TypeKind::kSmallint);
    case Type::kUInt16:
    case Type::kInt32:
      return simple(TypeKind::kInteger);
    case Type::kUInt32:
    case Type::kInt64:
      return simple(integer_kind(type.catalog));
    case Type::kUInt64:
    case Type::kHugeInt:
    case Type::kDecimal: {
      TypeName decimal = simple(TypeKind::kDecimal);
      decimal.precision = type.type == Type::kDecimal  ? type.width
                          : type.type == Type::kUInt64 ? 20
                                                       : 38;
      decimal.scale = type.type == Type::kDecimal ? type.scale : 0;
      return decimal;
    }
    case Type::kFloat:
      return simple(TypeKind::kReal);
    case Type::kDouble:
      return simple(TypeKind::kDouble);
    case Type::kDate:
      return simple(TypeKind::kDate);
    case Type::kTime:
      return simple(TypeKind::kTime);
    case Type::kTimeTz:
      return simple(TypeKind::kTimeTz);
    case Type::kTimestamp:
      return simple(TypeKind::kTimestamp);
    case Type::kTimestampTz:
      return simple(TypeKind::kTimestampTz);
    case Type::kInterval:
      return simple(TypeKind::kInterval);
    case Type::kBlob:
      return simple(TypeKind::kVarbyte);
    case Type::kJson:
      return simple(TypeKind::kSuper);
    case Type::kSketch:
      return simple(TypeKind::kHllSketch);
    default:
      return simple(type.catalog == engine::CatalogType::kCharacter ? TypeKind::kInternalChar
                                                                    : TypeKind::kVarchar);
  }
}

std::string format_type(std::uint32_t oid, std::int32_t modifier) {
  const TypeEntry* entry = find_type(oid);
  if (entry == nullptr) return oid == 0 ? "-" : "???";
  std::string text(entry->formatted);
  if (modifier < 4) return text;
  if (entry->kind == TypeKind::kDecimal) {
    const std::int32_t bits = modifier - 4;
    return text + "(" + std::to_string(bits >> 16 & 0xffff) + "," + std::to_string(bits & 0xffff) +
           ")";
  }
  if (oid == 1042 || oid == 1043 || oid == 6551) text += "(" + std::to_string(modifier - 4) + ")";
  return text;
}

std::string_view default_encoding(const TypeName& type, bool sort_key, bool temporary) {
  if (sort_key || temporary) return "none";
  switch (type.kind) {
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDecimal:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimeTz:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return "az64";
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kVarbyte:
      return "lzo";
    case TypeKind::kSuper:
      return "zstd";
    default:
      return "none";
  }
}

bool encoding_fits(std::string_view encoding, TypeKind type) {
  const auto is = [&](std::initializer_list<TypeKind> kinds) {
    return std::ranges::find(kinds, type) != kinds.end();
  };
  const bool decimal = type == TypeKind::kDecimal;
  const bool day = is({TypeKind::kDate, TypeKind::kTimestamp, TypeKind::kTimestampTz});
  const bool fraction = is({TypeKind::kReal, TypeKind::kDouble});
  if (encoding == "mostly32") return decimal || type == TypeKind::kBigint;
  const bool wide = decimal || is({TypeKind::kInteger, TypeKind::kBigint});
  if (encoding == "mostly16") return wide;
  if (encoding == "delta32k") return wide || day;
  const bool number = wide || type == TypeKind::kSmallint;
  if (encoding == "mostly8") return number;
  if (encoding == "delta") return number || day;
  if (encoding == "az64") return number || day || is({TypeKind::kTime, TypeKind::kTimeTz});
  if (encoding == "text255" || encoding == "text32k") return type == TypeKind::kVarchar;
  if (encoding == "bytedict") return type != TypeKind::kBoolean;
  if (encoding == "lzo") return type != TypeKind::kBoolean && !fraction;
  return true;
}

std::int32_t encoding_number(std::string_view encoding) {
  const auto* const entry =
      std::ranges::find(kEncodings, encoding, &std::pair<std::string_view, std::int32_t>::first);
  return entry == kEncodings.end() ? 0 : entry->second;
}

std::string_view encoding_name(std::int32_t number) {
  const auto* const entry =
      std::ranges::find(kEncodings, number, &std::pair<std::string_view, std::int32_t>::second);
  return entry == kEncodings.end() ? "none" : entry->first;
}

}  // namespace leat::catalog
