#include "warehouse/catalog/catalog.h"

#include <algorithm>

#include "base/random.h"
#include "warehouse/catalog/password.h"
#include "warehouse/catalog/store.h"
#include "warehouse/catalog/view_binding.h"
#include "warehouse/engine/blank_marks.h"
#include "warehouse/engine/value.h"

namespace leat::catalog {
namespace {

using engine::SqlResult;
using engine::SqlStatus;

template <class Map>
auto find_by_id(const Map& map, typename Map::key_type id) -> typename Map::mapped_type {
  const auto found = map.find(id);
  return found == map.end() ? nullptr : found->second;
}

template <class Map>
auto find_by_name(const Map& map, std::string_view name) -> typename Map::mapped_type {
  for (const auto& [id, object] : map) {
    if (object->name == name) return object;
  }
  return nullptr;
}

template <class Map>
auto values(const Map& map) -> std::vector<typename Map::mapped_type> {
  std::vector<typename Map::mapped_type> list;
  list.reserve(map.size());
  for (const auto& [id, object] : map) list.push_back(object);
  return list;
}

template <class Map>
void merge(Map& into, const Map& changes) {
  for (const auto& [id, object] : changes) {
    if (object == nullptr) {
      into.erase(id);
    } else {
      into[id] = object;
    }
  }
}

AclEntry everybody(std::int32_t grantor, std::uint32_t privileges) {
  return {.kind = GranteeKind::kPublic,
          .grantee = 0,
          .grantor = grantor,
          .privileges = privileges,
          .grantable = 0};
}

SqlStatus make_public(engine::Connection& connection, std::int32_t owner, Changes& state) {
  const Schema schema{.oid = kPublicOid,
                      .name = "public",
                      .owner = owner,
                      .acl = {everybody(owner, kUsage | kCreate)},
                      .comment = "standard public schema"};
  LEAT_TRY(write_schema(connection, schema));
  LEAT_TRY(connection.run("CREATE SCHEMA IF NOT EXISTS public"));
  state.schemas[schema.oid] = std::make_shared<const Schema>(schema);
  return {};
}

/// The administrator, schema public and the database itself, in a new file; the administrator's
/// password always.
SqlStatus bootstrap(engine::Connection& connection, const CatalogOptions& options,
                    const std::string& store, Changes& state) {
  Random& random = options.random == nullptr ? secure_random() : *options.random;
  UserPointer known;
  std::int32_t next_id = kFirstUserId;
  for (const auto& [id, user] : state.users) {
    if (user->name == options.admin_user) known = user;
    next_id = std::max(next_id, id + 1);
  }
  User admin = known == nullptr ? User{} : *known;
  const bool same_password =
      known != nullptr &&
      (options.admin_password.empty() ? known->password_disabled
                                      : password_matches(known.get(), options.admin_password));
  if (known == nullptr) {
    admin.id = next_id;
    admin.name = options.admin_user;
    admin.create_database = true;
  }
  admin.superuser = true;
  if (options.admin_password.empty()) {
    admin.password_disabled = true;
  } else if (!same_password) {
    LEAT_TRY(set_password(admin, options.admin_password, false, random));
  }
  if (!same_password || !known->superuser) LEAT_TRY(write_user(connection, store, admin));
  state.users[admin.id] = std::make_shared<const User>(admin);

  if (!state.databases.empty()) return {};
  LEAT_TRY(make_public(connection, admin.id, state));
  const Database database{
      .name = options.database, .owner = admin.id, .acl = {everybody(admin.id, kTemporary)}};
  LEAT_TRY(write_database(connection, store, database));
  state.databases[database.oid] = std::make_shared<const Database>(database);
  return {};
}

}  // namespace

const Column* Relation::find_column(std::string_view column) const {
  const auto found = std::ranges::find(columns, column, &Column::name);
  return found == columns.end() ? nullptr : &*found;
}

std::string Relation::duckdb_name() const {
  if (temporary) return "temp.main." + engine::quote_identifier(name);
  const std::string& schema_in_engine = engine_schema.empty() ? schema_name : engine_schema;
  std::string qualified =
      engine::quote_identifier(schema_in_engine) + "." + engine::quote_identifier(name);
  // Two parts could be read as database and table.
  return database.empty() ? qualified : engine::quote_identifier(database) + "." + qualified;
}

RelationPointer placed_in(const Schema& schema, Relation relation) {
  relation.schema_name = schema.name;
  relation.engine_schema = schema.stored_as;
  return std::make_shared<const Relation>(std::move(relation));
}

FunctionPointer placed_in(const Schema& schema, Function function) {
  function.schema_name = schema.name;
  return std::make_shared<const Function>(std::move(function));
}

std::string Function::signature() const {
  std::string types;
  for (const sql::TypeName& type : parameters)
    types += (types.empty() ? "" : ", ") + sql::format_type(type);
  return name + "(" + types + ")";
}

Catalog::Catalog(const CatalogOptions& options, std::string alias)
    : cluster_(options.cluster),
      oid_(options.oid),
      alias_(std::move(alias)),
      own_store_(engine::quote_identifier(alias_) + "." + std::string(kStoreSchema)) {}

SqlResult<std::unique_ptr<Catalog>> Catalog::open(engine::Connection& connection,
                                                  const CatalogOptions& options) {
  LEAT_ASSIGN(const auto used, connection.query("SELECT current_database()"));
  std::unique_ptr<Catalog> catalog(new Catalog(options, used.at(0).at(0).value_or("")));
  const bool first = options.cluster == nullptr;
  LEAT_TRY(connection.begin());
  LEAT_ASSIGN(const auto had_store,
              connection.query("SELECT count(*) FROM duckdb_schemas() WHERE schema_name = "
                               "'leat_catalog' AND database_name = current_database()"));
  LEAT_TRY(create_store(connection));
  LEAT_TRY(first ? create_cluster_store(connection)
                 : create_cluster_views(connection, catalog->cluster_store()));
  LEAT_ASSIGN(Changes state, read_store(connection, catalog->alias_));
  if (first) {
    LEAT_TRY(read_cluster(connection, state));
    LEAT_TRY(bootstrap(connection, options, catalog->own_store_, state));
  } else if (!had_store.empty() && had_store[0][0] == "0") {
    LEAT_TRY(make_public(connection, options.owner, state));
  }
  LEAT_TRY(read_blanks(connection, state));
  LEAT_TRY(bind_older_views(connection, state));
  LEAT_TRY(connection.commit());
  for (const auto& [oid, columns] : state.blanks) {
    for (const std::int16_t column : columns)
      connection.blank_marks().note(engine::BlankMarks::key(oid, column));
  }
  catalog->cluster().count_from(state);
  catalog->apply(state);
  catalog->apply_to_cluster(state);
  return catalog;
}

void Catalog::count_from(const Changes& state) {
  Oid next = next_oid_;
  for (const auto& [oid, database] : state.databases) next = std::max(next, oid + 1);
  for (const auto& [oid, schema] : state.schemas) next = std::max(next, oid + 1);
  for (const auto& [oid, relation] : state.relations) {
    next = std::max(next, oid + 1);
    for (const Constraint& constraint : relation->constraints) {
      next = std::max({next, constraint.oid + 1, constraint.index_oid + 1});
    }
  }
  for (const auto& [oid, function] : state.functions) next = std::max(next, oid + 1);
  std::int32_t next_user = next_user_id_;
  for (const auto& [id, user] : state.users) next_user = std::max(next_user, id + 1);
  for (const auto& [id, group] : state.groups) next_user = std::max(next_user, id + 1);
  for (const auto& [id, role] : state.roles) next_user = std::max(next_user, id + 1);
  next_oid_ = next;
  next_user_id_ = next_user;
}

UserPointer Catalog::user(std::string_view name) const {
  if (cluster_ != nullptr) return cluster_->user(name);
  const std::shared_lock lock(mutex_);
  return find_by_name(users_, name);
}

UserPointer Catalog::user(std::int32_t id) const {
  if (cluster_ != nullptr) return cluster_->user(id);
  const std::shared_lock lock(mutex_);
  return find_by_id(users_, id);
}

GroupPointer Catalog::group(std::string_view name) const {
  if (cluster_ != nullptr) return cluster_->group(name);
  const std::shared_lock lock(mutex_);
  return find_by_name(groups_, name);
}

GroupPointer Catalog::group(std::int32_t id) const {
  if (cluster_ != nullptr) return cluster_->group(id);
  const std::shared_lock lock(mutex_);
  return find_by_id(groups_, id);
}

RolePointer Catalog::role(std::string_view name) const {
  if (cluster_ != nullptr) return cluster_->role(name);
  const std::shared_lock lock(mutex_);
  return find_by_name(roles_, name);
}

RolePointer Catalog::role(std::int32_t id) const {
  if (cluster_ != nullptr) return cluster_->role(id);
  const std::shared_lock lock(mutex_);
  return find_by_id(roles_, id);
}

SchemaPointer Catalog::schema(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  return find_by_name(schemas_, name);
}

SchemaPointer Catalog::schema(Oid oid) const {
  const std::shared_lock lock(mutex_);
  return find_by_id(schemas_, oid);
}

RelationPointer Catalog::relation(Oid oid) const {
  const std::shared_lock lock(mutex_);
  return find_by_id(relations_, oid);
}

RelationPointer Catalog::relation(Oid schema, std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto found = relation_names_.find(RelationKey(schema, name));
  return found == relation_names_.end() ? nullptr : find_by_id(relations_, found->second);
}

DatabasePointer Catalog::database() const {
  return database(oid_);
}

DatabasePointer Catalog::database(std::string_view name) const {
  const std::shared_lock lock(cluster().mutex_);
  return find_by_name(cluster().databases_, name);
}

DatabasePointer Catalog::database(Oid oid) const {
  const std::shared_lock lock(cluster().mutex_);
  return find_by_id(cluster().databases_, oid);
}

std::vector<DatabasePointer> Catalog::databases() const {
  const std::shared_lock lock(cluster().mutex_);
  return values(cluster().databases_);
}

StandingPointer Catalog::standing() const {
  const std::shared_lock lock(mutex_);
  return standing_;
}

IamGrantsPointer Catalog::iam_grants() const {
  const std::shared_lock lock(cluster().mutex_);
  return cluster().iam_grants_;
}

std::vector<UserPointer> Catalog::users() const {
  if (cluster_ != nullptr) return cluster_->users();
  const std::shared_lock lock(mutex_);
  return values(users_);
}

std::vector<GroupPointer> Catalog::groups() const {
  if (cluster_ != nullptr) return cluster_->groups();
  const std::shared_lock lock(mutex_);
  return values(groups_);
}

std::vector<RolePointer> Catalog::roles() const {
  if (cluster_ != nullptr) return cluster_->roles();
  const std::shared_lock lock(mutex_);
  return values(roles_);
}

std::vector<SchemaPointer> Catalog::schemas() const {
  const std::shared_lock lock(mutex_);
  return values(schemas_);
}

std::vector<RelationPointer> Catalog::relations(Oid schema) const {
  const std::shared_lock lock(mutex_);
  if (schema == 0) return values(relations_);
  std::vector<RelationPointer> list;
  for (auto at = relation_names_.lower_bound(RelationKey(schema, std::string()));
       at != relation_names_.end() && at->first.first == schema; ++at) {
    list.push_back(relations_.at(at->second));
  }
  return list;
}

std::vector<FunctionPointer> Catalog::functions() const {
  const std::shared_lock lock(mutex_);
  return values(functions_);
}

std::set<Oid> Catalog::auto_refreshed() const {
  const std::shared_lock lock(mutex_);
  return auto_refreshed_;
}

std::set<std::int16_t> Catalog::stored_blanks(Oid relation) const {
  const std::shared_lock lock(mutex_);
  const auto found = blanks_.find(relation);
  return found == blanks_.end() ? std::set<std::int16_t>() : found->second;
}

SqlResult<bool> Catalog::commit(const Changes& changes,
                                const std::function<SqlResult<bool>()>& commit) {
  // A transaction changes one of the two, so that no thread takes both locks.
  const bool of_cluster = changes.of_cluster();
  const std::lock_guard lock((of_cluster ? cluster() : *this).commit_mutex_);
  LEAT_ASSIGN(const bool committed, commit());
  if (committed) {
    apply(changes);
    if (of_cluster) apply_to_cluster(changes);
  }
  return committed;
}

void Catalog::apply_to_cluster(const Changes& changes) {
  Catalog& target = cluster();
  const std::unique_lock lock(target.mutex_);
  merge(target.users_, changes.users);
  merge(target.groups_, changes.groups);
  merge(target.roles_, changes.roles);
  merge(target.databases_, changes.databases);
  if (changes.iam_grants != nullptr) target.iam_grants_ = changes.iam_grants;
  target.version_.fetch_add(1);
}

void Catalog::follow_schemas(const Changes& changes) {
  const auto follow = [&](auto& object) {
    const SchemaPointer schema = find_by_id(schemas_, object->schema);
    if (schema != nullptr && schema->name != object->schema_name)
      object = placed_in(*schema, *object);
  };
  // What others made or changed while one transaction renamed the schema has its old name.
  if (!changes.schemas.empty()) {
    for (auto& [oid, relation] : relations_) follow(relation);
  } else {
    for (const auto& [oid, relation] : changes.relations) {
      if (relation != nullptr) follow(relations_[oid]);
    }
  }
  for (auto& [oid, function] : functions_) follow(function);
}

void Catalog::apply(const Changes& changes) {
  const std::unique_lock lock(mutex_);
  merge(functions_, changes.functions);
  merge(schemas_, changes.schemas);
  for (const auto& [oid, relation] : changes.relations) {
    if (const auto known = relations_.find(oid); known != relations_.end()) {
      // Another relation may have taken the name within the same transaction: that entry is not
      // ours to remove.
      const auto name =
          relation_names_.find(RelationKey(known->second->schema, known->second->name));
      if (name != relation_names_.end() && name->second == oid) relation_names_.erase(name);
    }
    if (relation == nullptr) {
      relations_.erase(oid);
      blanks_.erase(oid);
    } else {
      relations_[oid] = relation;
    }
    if (relation != nullptr && relation->auto_refresh) {
      auto_refreshed_.insert(oid);
    } else {
      auto_refreshed_.erase(oid);
    }
  }
  for (const auto& [oid, relation] : changes.relations) {
    if (relation != nullptr) relation_names_[RelationKey(relation->schema, relation->name)] = oid;
  }
  follow_schemas(changes);
  for (const auto& [oid, columns] : changes.blanks) {
    if (relations_.contains(oid)) blanks_[oid].insert(columns.begin(), columns.end());
  }
  if (changes.standing != nullptr) standing_ = changes.standing;
  cluster().version_.fetch_add(1);
}

}  // namespace leat::catalog
