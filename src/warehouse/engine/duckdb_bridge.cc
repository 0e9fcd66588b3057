#include "warehouse/engine/duckdb_bridge.h"

#include <string>

namespace leat::engine {

namespace {

/// Takes a string that DuckDB allocated.
std::string take(char* text) {
  std::string out = text == nullptr ? "" : text;
  duckdb_free(text);
  return out;
}

ColumnType plain(Type type) {
  return {.type = type};
}

ColumnType enum_from_duckdb(duckdb_logical_type type) {
  ColumnType out = plain(Type::kEnum);
  const std::uint32_t size = duckdb_enum_dictionary_size(type);
  for (std::uint32_t i = 0; i < size; ++i) {
    out.child_names.push_back(take(duckdb_enum_dictionary_value(type, i)));
  }
  const duckdb_type storage = duckdb_enum_internal_type(type);
  out.width = storage == DUCKDB_TYPE_UTINYINT ? 1 : storage == DUCKDB_TYPE_USMALLINT ? 2 : 4;
  return out;
}

/// A child of a nested type; kOther inside makes the whole kOther.
bool add_child(ColumnType& parent, duckdb_logical_type child) {
  const LogicalType owned(child);
  parent.children.push_back(type_from_duckdb(owned.get()));
  return parent.children.back().type != Type::kOther;
}

ColumnType nested_from_duckdb(duckdb_logical_type type, duckdb_type id) {
  ColumnType out;
  bool known = true;
  switch (id) {
    case DUCKDB_TYPE_LIST:
      out.type = Type::kList;
      known = add_child(out, duckdb_list_type_child_type(type));
      break;
    case DUCKDB_TYPE_ARRAY:
      out.type = Type::kArray;
      out.length = static_cast<std::int32_t>(duckdb_array_type_array_size(type));
      known = add_child(out, duckdb_array_type_child_type(type));
      break;
    case DUCKDB_TYPE_MAP:
      out.type = Type::kMap;
      known = add_child(out, duckdb_map_type_key_type(type));
      known = add_child(out, duckdb_map_type_value_type(type)) && known;
      break;
    default:
      out.type = Type::kStruct;
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        out.child_names.push_back(take(duckdb_struct_type_child_name(type, i)));
        known = add_child(out, duckdb_struct_type_child_type(type, i)) && known;
      }
  }
  return known ? out : plain(Type::kOther);
}

struct CatalogName {
  const char* name;
  CatalogType type;
};
constexpr CatalogName kCatalogNames[] = {{kOidName, CatalogType::kOid},
                                         {kCharacterName, CatalogType::kCharacter},
                                         {kShortElementName, CatalogType::kShortElement},
                                         {kOidElementName, CatalogType::kOidElement}};

CatalogType catalog_type(duckdb_logical_type type) {
  const std::string name = take(duckdb_logical_type_get_alias(type));
  for (const CatalogName& each : kCatalogNames) {
    if (name == each.name) return each.type;
  }
  return CatalogType::kNone;
}

}  // namespace

ColumnType type_from_duckdb(duckdb_logical_type type) {
  const duckdb_type id = duckdb_get_type_id(type);
  switch (id) {
    case DUCKDB_TYPE_SQLNULL:
    case DUCKDB_TYPE_INVALID:
    case DUCKDB_TYPE_ANY:
      return plain(Type::kNull);
    case DUCKDB_TYPE_BOOLEAN:
      return plain(Type::kBoolean);
    case DUCKDB_TYPE_TINYINT:
      return plain(Type::kInt8);
    case DUCKDB_TYPE_SMALLINT:
      return plain(Type::kInt16);
    case DUCKDB_TYPE_INTEGER:
      return plain(Type::kInt32);
    case DUCKDB_TYPE_BIGINT:
      return {.type = Type::kInt64, .catalog = catalog_type(type)};
    case DUCKDB_TYPE_UTINYINT:
      return plain(Type::kUInt8);
    case DUCKDB_TYPE_USMALLINT:
      return plain(Type::kUInt16);
    case DUCKDB_TYPE_UINTEGER:
      return plain(Type::kUInt32);
    case DUCKDB_TYPE_UBIGINT:
      return plain(Type::kUInt64);
    case DUCKDB_TYPE_HUGEINT:
      return plain(Type::kHugeInt);
    case DUCKDB_TYPE_FLOAT:
      return plain(Type::kFloat);
    case DUCKDB_TYPE_DOUBLE:
      return plain(Type::kDouble);
    case DUCKDB_TYPE_DECIMAL:
      return {.type = Type::kDecimal,
              .width = duckdb_decimal_width(type),
              .scale = duckdb_decimal_scale(type)};
    case DUCKDB_TYPE_VARCHAR: {
      const std::string name = take(duckdb_logical_type_get_alias(type));
      if (name == "JSON") return plain(Type::kJson);
      if (name == "HLLSKETCH") return plain(Type::kSketch);
      return {.type = Type::kVarchar, .catalog = catalog_type(type)};
    }
    case DUCKDB_TYPE_BLOB:
      return plain(Type::kBlob);
    case DUCKDB_TYPE_DATE:
      return plain(Type::kDate);
    case DUCKDB_TYPE_TIME:
      return plain(Type::kTime);
    case DUCKDB_TYPE_TIME_TZ:
      return plain(Type::kTimeTz);
    case DUCKDB_TYPE_TIMESTAMP:
      return plain(Type::kTimestamp);
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return plain(Type::kTimestampTz);
    case DUCKDB_TYPE_INTERVAL:
      return plain(Type::kInterval);
    case DUCKDB_TYPE_UUID:
      return plain(Type::kUuid);
    case DUCKDB_TYPE_ENUM:
      return enum_from_duckdb(type);
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_STRUCT:
      return nested_from_duckdb(type, id);
    default:
      return plain(Type::kOther);
  }
}

namespace {

duckdb_type type_id(Type type) {
  switch (type) {
    case Type::kBoolean:
      return DUCKDB_TYPE_BOOLEAN;
    case Type::kInt8:
      return DUCKDB_TYPE_TINYINT;
    case Type::kInt16:
      return DUCKDB_TYPE_SMALLINT;
    case Type::kInt32:
      return DUCKDB_TYPE_INTEGER;
    case Type::kInt64:
      return DUCKDB_TYPE_BIGINT;
    case Type::kUInt8:
      return DUCKDB_TYPE_UTINYINT;
    case Type::kUInt16:
      return DUCKDB_TYPE_USMALLINT;
    case Type::kUInt32:
      return DUCKDB_TYPE_UINTEGER;
    case Type::kUInt64:
      return DUCKDB_TYPE_UBIGINT;
    case Type::kHugeInt:
      return DUCKDB_TYPE_HUGEINT;
    case Type::kFloat:
      return DUCKDB_TYPE_FLOAT;
    case Type::kDouble:
      return DUCKDB_TYPE_DOUBLE;
    case Type::kBlob:
      return DUCKDB_TYPE_BLOB;
    case Type::kDate:
      return DUCKDB_TYPE_DATE;
    case Type::kTime:
      return DUCKDB_TYPE_TIME;
    case Type::kTimeTz:
      return DUCKDB_TYPE_TIME_TZ;
    case Type::kTimestamp:
      return DUCKDB_TYPE_TIMESTAMP;
    case Type::kTimestampTz:
      return DUCKDB_TYPE_TIMESTAMP_TZ;
    case Type::kInterval:
      return DUCKDB_TYPE_INTERVAL;
    case Type::kUuid:
      return DUCKDB_TYPE_UUID;
    case Type::kNull:
      return DUCKDB_TYPE_ANY;
    default:
      return DUCKDB_TYPE_VARCHAR;
  }
}

}  // namespace

duckdb_logical_type type_to_duckdb(const ColumnType& type) {
  if (type.type == Type::kDecimal) return duckdb_create_decimal_type(type.width, type.scale);
  if (type.type == Type::kList) {
    const LogicalType child(type_to_duckdb(type.children.at(0)));
    return duckdb_create_list_type(child.get());
  }
  duckdb_logical_type out = duckdb_create_logical_type(type_id(type.type));
  if (type.type == Type::kJson) duckdb_logical_type_set_alias(out, "JSON");
  if (type.type == Type::kSketch) duckdb_logical_type_set_alias(out, "HLLSKETCH");
  for (const CatalogName& each : kCatalogNames) {
    if (type.catalog == each.type) duckdb_logical_type_set_alias(out, each.name);
  }
  return out;
}

SqlStatus register_scalar_function(duckdb_connection connection, duckdb_scalar_function function,
                                   std::string_view name) {
  const duckdb_state state = duckdb_register_scalar_function(connection, function);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBSuccess) return {};
  return fail_sql("42723", "function " + std::string(name) + " could not be registered");
}

}  // namespace leat::engine
