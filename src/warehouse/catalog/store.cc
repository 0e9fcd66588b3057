#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "base/time.h"
#include "warehouse/catalog/store_row.h"
#include "warehouse/catalog/types.h"
#include "warehouse/catalog/view_binding.h"
#include "warehouse/engine/source.h"

namespace leat::catalog {
namespace {

using engine::SqlResult;
using engine::SqlStatus;
using engine::TextRow;

/// A list of numbers as the store keeps it: "1 2 3".
template <class Numbers>
std::string number_list(const Numbers& numbers) {
  std::string out;
  for (const auto number : numbers) {
    if (!out.empty()) out += ' ';
    out += std::to_string(number);
  }
  return out;
}

template <class Number>
std::vector<Number> parse_list(std::string_view list) {
  std::vector<Number> numbers;
  if (list.empty()) return numbers;
  for (const std::string_view part : split(list, ' ')) {
    if (const auto number = parse_number<Number>(part)) numbers.push_back(*number);
  }
  return numbers;
}

std::string hex_bytes(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

bool same_stored(const Column& a, const Column& b) {
  return a.number == b.number && a.name == b.name &&
         sql::format_type(a.type) == sql::format_type(b.type) && a.not_null == b.not_null &&
         a.default_text == b.default_text && a.identity == b.identity &&
         a.identity_by_default == b.identity_by_default && a.identity_seed == b.identity_seed &&
         a.identity_step == b.identity_step && a.encoding == b.encoding &&
         a.distribution_key == b.distribution_key && a.sort_key == b.sort_key &&
         a.comment == b.comment && a.insensitive == b.insensitive;
}

/// The columns of a relation from `first` on as rows of leat_catalog.columns: one plan whatever
/// their number, where a list of VALUES is planned cell by cell.
class ColumnRows final : public engine::ChunkSource {
 public:
  ColumnRows(const Relation& relation, std::size_t first) : relation_(relation), next_(first) {}

  [[nodiscard]] const std::vector<engine::ColumnInfo>& columns() const override {
    static const std::vector<engine::ColumnInfo> kColumns = [] {
      using engine::Type;
      std::vector<engine::ColumnInfo> columns;
      for (const Type type :
           {Type::kInt64, Type::kInt16, Type::kVarchar, Type::kVarchar, Type::kInt64, Type::kInt32,
            Type::kBoolean, Type::kVarchar, Type::kBoolean, Type::kBoolean, Type::kInt64,
            Type::kInt64, Type::kVarchar, Type::kBoolean, Type::kInt32, Type::kVarchar,
            Type::kBoolean}) {
        columns.push_back({.name = fmt::format("c{}", columns.size()),
                           .type = {.type = type, .children = {}, .child_names = {}}});
      }
      return columns;
    }();
    return kColumns;
  }

  [[nodiscard]] SqlResult<std::size_t> fill(engine::ChunkWriter& writer) override {
    std::size_t row = 0;
    for (; row < engine::ChunkWriter::capacity() && next_ < relation_.columns.size(); ++row) {
      const Column& column = relation_.columns[next_++];
      writer.set(0, row, static_cast<std::int64_t>(relation_.oid));
      writer.set(1, row, column.number);
      writer.set_text(2, row, column.name);
      writer.set_text(3, row, sql::format_type(column.type));
      writer.set(4, row, static_cast<std::int64_t>(sql::type_oid(column.type)));
      writer.set(5, row, type_modifier(column.type));
      writer.set(6, row, column.not_null);
      writer.set_text(7, row, column.default_text);
      writer.set(8, row, column.identity);
      writer.set(9, row, column.identity_by_default);
      writer.set(10, row, column.identity_seed);
      writer.set(11, row, column.identity_step);
      writer.set_text(12, row, column.encoding);
      writer.set(13, row, column.distribution_key);
      writer.set(14, row, column.sort_key);
      writer.set_text(15, row, column.comment);
      writer.set(16, row, column.insensitive);
    }
    return row;
  }

 private:
  const Relation& relation_;
  std::size_t next_;
};

/// Writes the columns that `before` does not have; all when the earlier ones differ.
SqlStatus write_columns(engine::Connection& connection, const Relation& relation,
                        const Relation* before) {
  std::size_t first = 0;
  if (before != nullptr) {
    const bool grows = before->columns.size() <= relation.columns.size() &&
                       std::equal(before->columns.begin(), before->columns.end(),
                                  relation.columns.begin(), same_stored);
    if (grows) {
      first = before->columns.size();
    } else {
      LEAT_TRY(run(connection, fmt::format("DELETE FROM leat_catalog.columns WHERE relation = {}",
                                           relation.oid)));
    }
  }
  if (first == relation.columns.size()) return {};
  ColumnRows rows(relation, first);
  LEAT_TRY(connection.run_with("INSERT INTO leat_catalog.columns SELECT * FROM leat_rows", rows));
  return {};
}

std::string constraint_rows(const Relation& relation) {
  std::string sql;
  for (const Constraint& constraint : relation.constraints) {
    sql += fmt::format(
        "INSERT INTO leat_catalog.constraints VALUES ({}, {}, {}, '{}', {}, '{}', {}, '{}', {});",
        constraint.oid, constraint.index_oid, relation.oid, static_cast<char>(constraint.kind),
        text(constraint.name), number_list(constraint.columns), constraint.references,
        number_list(constraint.references_columns), text(constraint.comment));
  }
  return sql;
}

constexpr std::string_view kClusterTables = R"sql(
CREATE TABLE IF NOT EXISTS leat_catalog.databases (name VARCHAR, owner INTEGER);
ALTER TABLE leat_catalog.databases ADD COLUMN IF NOT EXISTS oid BIGINT DEFAULT 100;
ALTER TABLE leat_catalog.databases ADD COLUMN IF NOT EXISTS connection_limit BIGINT DEFAULT -1;
ALTER TABLE leat_catalog.databases ADD COLUMN IF NOT EXISTS insensitive BOOLEAN DEFAULT false;
ALTER TABLE leat_catalog.databases ADD COLUMN IF NOT EXISTS serializable BOOLEAN DEFAULT false;
ALTER TABLE leat_catalog.databases ADD COLUMN IF NOT EXISTS comment VARCHAR DEFAULT '';
CREATE TABLE IF NOT EXISTS leat_catalog.users (id INTEGER, name VARCHAR, superuser BOOLEAN,
  create_database BOOLEAN,
  password_disabled BOOLEAN, unrestricted_log BOOLEAN, md5_hex VARCHAR, sha256_digest VARCHAR,
  sha256_salt VARCHAR,
  valid_until VARCHAR, connection_limit BIGINT);
ALTER TABLE leat_catalog.users ADD COLUMN IF NOT EXISTS settings VARCHAR DEFAULT '';
ALTER TABLE leat_catalog.users ADD COLUMN IF NOT EXISTS session_timeout_s BIGINT DEFAULT 0;
ALTER TABLE leat_catalog.users ADD COLUMN IF NOT EXISTS external_id VARCHAR DEFAULT '';
CREATE TABLE IF NOT EXISTS leat_catalog.groups (id INTEGER, name VARCHAR, members VARCHAR);
CREATE TABLE IF NOT EXISTS leat_catalog.roles (id INTEGER, name VARCHAR, owner INTEGER,
  external_id VARCHAR, privileges VARCHAR);
CREATE TABLE IF NOT EXISTS leat_catalog.role_holders (role INTEGER, holder_kind INTEGER,
  holder INTEGER, admin BOOLEAN);
CREATE TABLE IF NOT EXISTS leat_catalog.iam_grants AS SELECT '' AS role, 0 AS grantee_kind,
  0 AS grantee, 15 AS commands;
CREATE OR REPLACE VIEW leat_catalog.database_acl AS SELECT * FROM leat_catalog.acl WHERE object IN
  (SELECT oid FROM leat_catalog.databases);
)sql";

constexpr std::string_view kTables = R"sql(
CREATE SCHEMA IF NOT EXISTS leat_catalog;
CREATE TABLE IF NOT EXISTS leat_catalog.properties (name VARCHAR, value VARCHAR);
CREATE TABLE IF NOT EXISTS leat_catalog.schemas (oid BIGINT, name VARCHAR, owner INTEGER, comment
  VARCHAR);
ALTER TABLE leat_catalog.schemas ADD COLUMN IF NOT EXISTS stored_as VARCHAR DEFAULT '';
ALTER TABLE leat_catalog.schemas ADD COLUMN IF NOT EXISTS quota_mb BIGINT DEFAULT -1;
CREATE TABLE IF NOT EXISTS leat_catalog.relations (oid BIGINT, schema BIGINT, name VARCHAR, kind
  VARCHAR, owner INTEGER,
  distribution INTEGER, sort_automatic BOOLEAN, backup BOOLEAN, definition VARCHAR, depends_on
  VARCHAR, comment VARCHAR,
  created BIGINT);
ALTER TABLE leat_catalog.relations ADD COLUMN IF NOT EXISTS uses VARCHAR DEFAULT '';
ALTER TABLE leat_catalog.relations ADD COLUMN IF NOT EXISTS bound VARCHAR DEFAULT '';
ALTER TABLE leat_catalog.relations ADD COLUMN IF NOT EXISTS auto_refresh BOOLEAN DEFAULT false;
CREATE TABLE IF NOT EXISTS leat_catalog.columns (relation BIGINT, number SMALLINT, name VARCHAR,
  type VARCHAR,
  type_oid BIGINT, type_modifier INTEGER, not_null BOOLEAN, default_text VARCHAR, identity BOOLEAN,
  identity_by_default BOOLEAN, identity_seed BIGINT, identity_step BIGINT, encoding VARCHAR,
  distribution_key BOOLEAN,
  sort_key INTEGER, comment VARCHAR);
ALTER TABLE leat_catalog.columns ADD COLUMN IF NOT EXISTS insensitive BOOLEAN DEFAULT false;
CREATE TABLE IF NOT EXISTS leat_catalog.constraints (oid BIGINT, index_oid BIGINT, relation BIGINT,
  kind VARCHAR,
  name VARCHAR, columns VARCHAR, referenced BIGINT, referenced_columns VARCHAR);
ALTER TABLE leat_catalog.constraints ADD COLUMN IF NOT EXISTS comment VARCHAR DEFAULT '';
CREATE TABLE IF NOT EXISTS leat_catalog.acl (object BIGINT, grantee_kind INTEGER, grantee INTEGER,
  grantor INTEGER,
  privileges BIGINT, grantable BIGINT);
ALTER TABLE leat_catalog.acl ADD COLUMN IF NOT EXISTS column_number SMALLINT DEFAULT 0;
CREATE TABLE IF NOT EXISTS leat_catalog.standing_acl (target VARCHAR, owner INTEGER, schema BIGINT,
  grantee_kind INTEGER, grantee INTEGER, grantor INTEGER, privileges BIGINT, grantable BIGINT);
CREATE TABLE IF NOT EXISTS leat_catalog.blanks (relation BIGINT, number SMALLINT);
CREATE TABLE IF NOT EXISTS leat_catalog.functions (oid BIGINT, schema BIGINT, name VARCHAR,
  owner INTEGER, parameters VARCHAR[], parameter_oids BIGINT[], returns VARCHAR, returns_oid BIGINT,
  volatility VARCHAR, body VARCHAR);
ALTER TABLE leat_catalog.functions ADD COLUMN IF NOT EXISTS comment VARCHAR DEFAULT '';
)sql";

/// Of leat_catalog.relations: a file that several versions wrote has them in another order.
constexpr std::string_view kRelationColumns =
    "oid, \"schema\", name, kind, owner, distribution, sort_automatic, backup, definition, "
    "depends_on, comment, created, uses, bound, auto_refresh";

/// "relation.column relation.column".
std::string uses_text(const std::vector<ColumnReference>& uses) {
  std::string out;
  for (const ColumnReference& use : uses)
    out += fmt::format("{}{}.{}", out.empty() ? "" : " ", use.relation, use.number);
  return out;
}

std::vector<ColumnReference> parse_uses(std::string_view list) {
  std::vector<ColumnReference> uses;
  if (list.empty()) return uses;
  for (const std::string_view each : split(list, ' ')) {
    const auto parts = split(each, '.');
    uses.push_back({.relation = parse_number<Oid>(parts.front()).value_or(0),
                    .number = parse_number<std::int16_t>(parts.back()).value_or(0)});
  }
  return uses;
}

/// One line "name=value" each, as pg_user.useconfig has them; values hold no line feed.
std::string settings_text(const std::map<std::string, std::string>& settings) {
  std::string out;
  for (const auto& [name, value] : settings) {
    out += out.empty() ? "" : "\n";
    out.append(name).append("=").append(value);
  }
  return out;
}

std::map<std::string, std::string> parse_settings(std::string_view lines) {
  std::map<std::string, std::string> settings;
  for (const std::string_view line : split(lines, '\n')) {
    const std::size_t sign = line.find('=');
    if (sign != std::string_view::npos)
      settings.emplace(line.substr(0, sign), line.substr(sign + 1));
  }
  return settings;
}

SqlStatus read_people(engine::Connection& connection, Changes& changes) {
  LEAT_ASSIGN(const auto users, connection.query("SELECT * FROM leat_catalog.users"));
  for (const TextRow& cells : users) {
    Row row(cells);
    User user;
    user.id = row.number<std::int32_t>();
    user.name = row.string();
    user.superuser = row.boolean();
    user.create_database = row.boolean();
    user.password_disabled = row.boolean();
    user.unrestricted_log = row.boolean();
    user.md5_hex = row.string();
    user.sha256_digest = hex_bytes(row.string());
    user.sha256_salt = hex_bytes(row.string());
    user.valid_until = row.string();
    user.valid_until_time = parse_iso8601(user.valid_until);
    user.connection_limit = row.number<std::int64_t>();
    user.settings = parse_settings(row.string());
    user.session_timeout_s = row.number<std::int64_t>();
    user.external_id = row.string();
    auto& slot = changes.users[user.id];
    slot = std::make_shared<const User>(std::move(user));
  }
  LEAT_ASSIGN(const auto groups, connection.query("SELECT * FROM leat_catalog.groups"));
  for (const TextRow& cells : groups) {
    Row row(cells);
    Group group;
    group.id = row.number<std::int32_t>();
    group.name = row.string();
    group.members = parse_list<std::int32_t>(row.string());
    auto& slot = changes.groups[group.id];
    slot = std::make_shared<const Group>(std::move(group));
  }
  return {};
}

SqlResult<AclMap> read_acl(engine::Connection& connection) {
  AclMap acls;
  LEAT_ASSIGN(const auto rows, connection.query("SELECT * FROM leat_catalog.acl"));
  for (const TextRow& cells : rows) {
    Row row(cells);
    Acl& acl = acls[row.number<std::int64_t>()];
    AclEntry entry;
    entry.kind = static_cast<GranteeKind>(row.number<int>());
    entry.grantee = row.number<std::int32_t>();
    entry.grantor = row.number<std::int32_t>();
    entry.privileges = row.number<std::uint32_t>();
    entry.grantable = row.number<std::uint32_t>();
    entry.column = row.number<std::int16_t>();
    acl.push_back(entry);
  }
  return acls;
}

SqlResult<std::map<Oid, std::vector<Column>>> read_columns(engine::Connection& connection) {
  std::map<Oid, std::vector<Column>> columns;
  LEAT_ASSIGN(const auto rows,
              connection.query("SELECT * FROM leat_catalog.columns ORDER BY relation, number"));
  for (const TextRow& cells : rows) {
    Row row(cells);
    std::vector<Column>& list = columns[row.number<Oid>()];
    Column column;
    column.number = row.number<std::int16_t>();
    column.name = row.string();
    column.type = sql::parse_type_name(row.string());
    static_cast<void>(row.string());  // type_oid and type_modifier follow from the type; they are
                                      // there for the views
    static_cast<void>(row.string());
    column.not_null = row.boolean();
    column.default_text = row.string();
    column.identity = row.boolean();
    column.identity_by_default = row.boolean();
    column.identity_seed = row.number<std::int64_t>();
    column.identity_step = row.number<std::int64_t>();
    column.encoding = row.string();
    column.distribution_key = row.boolean();
    column.sort_key = row.number<std::int32_t>();
    column.comment = row.string();
    column.insensitive = row.boolean();
    list.push_back(std::move(column));
  }
  return columns;
}

SqlResult<std::map<Oid, std::vector<Constraint>>> read_constraints(engine::Connection& connection) {
  std::map<Oid, std::vector<Constraint>> constraints;
  LEAT_ASSIGN(const auto rows,
              connection.query("SELECT * FROM leat_catalog.constraints ORDER BY oid"));
  for (const TextRow& cells : rows) {
    Row row(cells);
    Constraint constraint;
    constraint.oid = row.number<Oid>();
    constraint.index_oid = row.number<Oid>();
    const Oid relation = row.number<Oid>();
    constraint.kind = static_cast<ConstraintKind>(row.string().front());
    constraint.name = row.string();
    constraint.columns = parse_list<std::int16_t>(row.string());
    constraint.references = row.number<Oid>();
    constraint.references_columns = parse_list<std::int16_t>(row.string());
    constraint.comment = row.string();
    constraints[relation].push_back(std::move(constraint));
  }
  return constraints;
}

SqlStatus read_relations(engine::Connection& connection, const std::string& alias, AclMap& acls,
                         Changes& changes) {
  LEAT_ASSIGN(auto columns, read_columns(connection));
  LEAT_ASSIGN(auto constraints, read_constraints(connection));
  LEAT_ASSIGN(const auto rows, connection.query(fmt::format("SELECT {} FROM leat_catalog.relations",
                                                            kRelationColumns)));
  for (const TextRow& cells : rows) {
    Row row(cells);
    Relation relation;
    relation.oid = row.number<Oid>();
    relation.schema = row.number<Oid>();
    const auto schema = changes.schemas.find(relation.schema);
    if (schema == changes.schemas.end()) {
      return engine::fail_sql("XX001", fmt::format("relation {} is in no schema", relation.oid));
    }
    relation.schema_name = schema->second->name;
    relation.engine_schema = schema->second->stored_as;
    relation.database = alias;
    relation.name = row.string();
    relation.kind = static_cast<RelationKind>(row.string().front());
    relation.owner = row.number<std::int32_t>();
    relation.distribution = static_cast<DistributionStyle>(row.number<int>());
    relation.sort_automatic = row.boolean();
    relation.backup = row.boolean();
    relation.definition = row.string();
    relation.depends_on = parse_list<Oid>(row.string());
    relation.comment = row.string();
    relation.created = TimeUs{row.number<std::int64_t>()};
    relation.uses = parse_uses(row.string());
    relation.binding = parse_binding(row.string());
    relation.auto_refresh = row.boolean();
    relation.columns = std::move(columns[relation.oid]);
    relation.constraints = std::move(constraints[relation.oid]);
    relation.acl = std::move(acls[relation.oid]);
    auto& slot = changes.relations[relation.oid];
    slot = std::make_shared<const Relation>(std::move(relation));
  }
  return {};
}

/// The marks of a file that has none yet.
SqlStatus look_for_blanks(engine::Connection& connection, const Changes& changes) {
  for (const auto& [oid, relation] : changes.relations) {
    if (relation->kind != RelationKind::kTable && relation->kind != RelationKind::kMaterializedView)
      continue;
    std::string list;
    std::vector<std::int16_t> numbers;
    for (const Column& column : relation->columns) {
      if (column.type.kind != sql::TypeKind::kVarchar) continue;
      numbers.push_back(column.number);
      list += fmt::format("{}bool_or(suffix({}, ' '))", list.empty() ? "" : ", ",
                          engine::quote_identifier(column.name));
    }
    if (list.empty()) continue;
    LEAT_ASSIGN(const auto rows,
                connection.query(fmt::format("SELECT {} FROM {}", list, relation->duckdb_name())));
    std::vector<std::int16_t> found;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (rows.at(0).at(i).value_or("").starts_with('t')) found.push_back(numbers[i]);
    }
    LEAT_TRY(write_blanks(connection, oid, found));
  }
  return {};
}

}  // namespace

SqlStatus run(engine::Connection& connection, const std::string& sql) {
  auto result = connection.run(sql);
  if (!result) return std::unexpected(std::move(result).error());
  return {};
}

std::string acl_rows(std::int64_t object, const Acl& acl, std::string_view store) {
  std::string sql;
  for (const AclEntry& entry : acl) {
    sql += fmt::format("INSERT INTO {}.acl VALUES ({}, {}, {}, {}, {}, {}, {});", store, object,
                       static_cast<int>(entry.kind), entry.grantee, entry.grantor, entry.privileges,
                       entry.grantable, entry.column);
  }
  return sql;
}

SqlStatus create_store(engine::Connection& connection) {
  return run(connection, std::string(kTables));
}

SqlStatus create_cluster_store(engine::Connection& connection) {
  return run(connection, std::string(kClusterTables));
}

SqlStatus create_cluster_views(engine::Connection& connection, std::string_view store) {
  std::string sql;
  for (const std::string_view table :
       {"databases", "users", "groups", "roles", "role_holders", "database_acl", "iam_grants"}) {
    sql += fmt::format("CREATE OR REPLACE VIEW leat_catalog.{0} AS SELECT * FROM {1}.{0};", table,
                       store);
  }
  return run(connection, sql);
}

SqlStatus read_cluster(engine::Connection& connection, Changes& changes) {
  LEAT_TRY(read_people(connection, changes));
  LEAT_TRY(read_roles(connection, changes));
  LEAT_TRY(read_iam_grants(connection, changes));
  LEAT_ASSIGN(AclMap acls, read_acl(connection));
  LEAT_ASSIGN(const auto databases,
              connection.query("SELECT name, owner, oid, connection_limit, insensitive, "
                               "serializable, comment FROM leat_catalog.databases"));
  for (const TextRow& cells : databases) {
    Row row(cells);
    Database database;
    database.name = row.string();
    database.owner = row.number<std::int32_t>();
    database.oid = row.number<Oid>();
    database.connection_limit = row.number<std::int64_t>();
    database.insensitive = row.boolean();
    database.serializable = row.boolean();
    database.comment = row.string();
    database.acl = acls[database.oid];
    auto& slot = changes.databases[database.oid];
    slot = std::make_shared<const Database>(std::move(database));
  }
  return {};
}

SqlResult<Changes> read_store(engine::Connection& connection, const std::string& alias) {
  Changes changes;
  LEAT_TRY(read_standing(connection, changes));
  LEAT_ASSIGN(AclMap acls, read_acl(connection));
  LEAT_ASSIGN(const auto schemas, connection.query("SELECT * FROM leat_catalog.schemas"));
  for (const TextRow& cells : schemas) {
    Row row(cells);
    Schema schema;
    schema.oid = row.number<Oid>();
    schema.name = row.string();
    schema.owner = row.number<std::int32_t>();
    schema.comment = row.string();
    schema.stored_as = row.string();
    schema.quota_mb = row.number<std::int64_t>();
    schema.acl = acls[schema.oid];
    auto& slot = changes.schemas[schema.oid];
    slot = std::make_shared<const Schema>(std::move(schema));
  }
  LEAT_TRY(read_relations(connection, alias, acls, changes));
  LEAT_TRY(read_functions(connection, acls, changes));
  return changes;
}

SqlStatus write_user(engine::Connection& connection, std::string_view store, const User& user) {
  return run(
      connection,
      fmt::format("DELETE FROM {11}.users WHERE id = {0};"
                  "INSERT INTO {11}.users VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, "
                  "{8}, {9}, {10}, {12}, {13}, {14})",
                  user.id, text(user.name), boolean(user.superuser), boolean(user.create_database),
                  boolean(user.password_disabled), boolean(user.unrestricted_log),
                  text(user.md5_hex), text(to_hex(user.sha256_digest)),
                  text(to_hex(user.sha256_salt)), text(user.valid_until), user.connection_limit,
                  store, text(settings_text(user.settings)), user.session_timeout_s,
                  text(user.external_id)));
}

SqlStatus write_group(engine::Connection& connection, std::string_view store, const Group& group) {
  return run(connection,
             fmt::format("DELETE FROM {3}.groups WHERE id = {0};"
                         "INSERT INTO {3}.groups VALUES ({0}, {1}, '{2}')",
                         group.id, text(group.name), number_list(group.members), store));
}

SqlStatus write_schema(engine::Connection& connection, const Schema& schema) {
  return run(
      connection,
      fmt::format("DELETE FROM leat_catalog.schemas WHERE oid = {0};"
                  "DELETE FROM leat_catalog.acl WHERE object = {0};"
                  "INSERT INTO leat_catalog.schemas VALUES ({0}, {1}, {2}, {3}, {5}, {6});"
                  "{4}",
                  schema.oid, text(schema.name), schema.owner, text(schema.comment),
                  acl_rows(schema.oid, schema.acl), text(schema.stored_as), schema.quota_mb));
}

SqlStatus write_database(engine::Connection& connection, std::string_view store,
                         const Database& database) {
  LEAT_TRY(erase_database(connection, store, database.oid));
  return run(
      connection,
      fmt::format("INSERT INTO {}.databases (name, owner, oid, connection_limit, "
                  "insensitive, serializable, comment) VALUES ({}, {}, {}, {}, {}, {}, {});{}",
                  store, text(database.name), database.owner, database.oid,
                  database.connection_limit, boolean(database.insensitive),
                  boolean(database.serializable), text(database.comment),
                  acl_rows(database.oid, database.acl, store)));
}

SqlStatus write_relation(engine::Connection& connection, const Relation& relation,
                         const Relation* before) {
  std::string sql;
  if (before != nullptr) {
    sql = fmt::format("DELETE FROM leat_catalog.relations WHERE oid = {};", relation.oid);
    if (before->acl != relation.acl)
      sql += fmt::format("DELETE FROM leat_catalog.acl WHERE object = {};", relation.oid);
    if (!before->constraints.empty()) {
      sql += fmt::format("DELETE FROM leat_catalog.constraints WHERE relation = {};", relation.oid);
    }
  }
  sql += fmt::format(
      "INSERT INTO leat_catalog.relations ({}) VALUES ({}, {}, {}, '{}', {}, {}, {}, {}, {}, '{}', "
      "{}, {}, '{}', {}, {});",
      kRelationColumns, relation.oid, relation.schema, text(relation.name),
      static_cast<char>(relation.kind), relation.owner, static_cast<int>(relation.distribution),
      boolean(relation.sort_automatic), boolean(relation.backup), text(relation.definition),
      number_list(relation.depends_on), text(relation.comment), relation.created.value,
      uses_text(relation.uses), text(binding_text(relation.binding.get())),
      boolean(relation.auto_refresh));
  sql += constraint_rows(relation);
  if (before == nullptr || before->acl != relation.acl) sql += acl_rows(relation.oid, relation.acl);
  LEAT_TRY(run(connection, sql));
  return write_columns(connection, relation, before);
}

SqlStatus read_blanks(engine::Connection& connection, Changes& changes) {
  LEAT_ASSIGN(const auto known, connection.query("SELECT value FROM leat_catalog.properties WHERE "
                                                 "name = 'blanks'"));
  if (known.empty()) {
    LEAT_TRY(look_for_blanks(connection, changes));
    LEAT_TRY(run(connection, "INSERT INTO leat_catalog.properties VALUES ('blanks', 'known')"));
  }
  LEAT_ASSIGN(const auto rows, connection.query("SELECT * FROM leat_catalog.blanks"));
  for (const TextRow& cells : rows) {
    Row row(cells);
    std::set<std::int16_t>& columns = changes.blanks[row.number<Oid>()];
    columns.insert(row.number<std::int16_t>());
  }
  return {};
}

SqlStatus write_blanks(engine::Connection& connection, Oid relation,
                       const std::vector<std::int16_t>& columns) {
  std::string rows;
  for (const std::int16_t column : columns)
    rows += fmt::format("{}({}, {})", rows.empty() ? "" : ", ", relation, column);
  return rows.empty() ? SqlStatus{}
                      : run(connection, "INSERT INTO leat_catalog.blanks VALUES " + rows);
}

SqlStatus erase_user(engine::Connection& connection, std::string_view store, std::int32_t id) {
  return run(connection, fmt::format("DELETE FROM {}.users WHERE id = {}", store, id));
}

SqlStatus erase_group(engine::Connection& connection, std::string_view store, std::int32_t id) {
  return run(connection, fmt::format("DELETE FROM {}.groups WHERE id = {}", store, id));
}

SqlStatus erase_database(engine::Connection& connection, std::string_view store, Oid oid) {
  return run(connection, fmt::format("DELETE FROM {0}.databases WHERE oid = {1};"
                                     "DELETE FROM {0}.acl WHERE object = {1}",
                                     store, oid));
}

SqlStatus erase_schema(engine::Connection& connection, Oid oid) {
  return run(connection, fmt::format("DELETE FROM leat_catalog.schemas WHERE oid = {0};"
                                     "DELETE FROM leat_catalog.acl WHERE object = {0}",
                                     oid));
}

SqlStatus erase_relation(engine::Connection& connection, Oid oid) {
  return run(connection, fmt::format("DELETE FROM leat_catalog.relations WHERE oid = {0};"
                                     "DELETE FROM leat_catalog.columns WHERE relation = {0};"
                                     "DELETE FROM leat_catalog.constraints WHERE relation = {0};"
                                     "DELETE FROM leat_catalog.blanks WHERE relation = {0};"
                                     "DELETE FROM leat_catalog.acl WHERE object = {0}",
                                     oid));
}

}  // namespace leat::catalog
