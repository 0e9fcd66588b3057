#include "warehouse/catalog/catalog_session.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "warehouse/catalog/store.h"
#include "warehouse/engine/blank_marks.h"

namespace leat::catalog {
namespace {

using engine::SqlResult;
using engine::SqlStatus;

/// The changed version of an object by name (which may be new), else the committed one unless it
/// was changed.
template <class Map, class Committed>
auto overlaid(const Map& changes, std::string_view name, const Committed& committed) ->
    typename Map::mapped_type {
  for (const auto& [id, object] : changes) {
    if (object != nullptr && object->name == name) return object;
  }
  return committed;
}

template <class Map>
bool changed_in(const Map& changes, typename Map::key_type id) {
  return changes.contains(id);
}

template <class Map>
auto merged(const Map& changes, std::vector<typename Map::mapped_type> committed, auto id_of)
    -> std::vector<typename Map::mapped_type> {
  std::erase_if(committed, [&](const auto& object) { return changes.contains(id_of(*object)); });
  for (const auto& [id, object] : changes) {
    if (object != nullptr) committed.push_back(object);
  }
  return committed;
}

constexpr auto kId = [](const auto& object) { return object.id; };
constexpr auto kOid = [](const auto& object) { return object.oid; };

}  // namespace

UserPointer CatalogSession::user(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  UserPointer committed = catalog_->user(name);
  if (committed != nullptr && changed_in(changes_.users, committed->id)) committed = nullptr;
  return overlaid(changes_.users, name, committed);
}

UserPointer CatalogSession::user(std::int32_t id) const {
  const std::lock_guard lock(mutex_);
  const auto changed = changes_.users.find(id);
  return changed == changes_.users.end() ? catalog_->user(id) : changed->second;
}

GroupPointer CatalogSession::group(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  GroupPointer committed = catalog_->group(name);
  if (committed != nullptr && changed_in(changes_.groups, committed->id)) committed = nullptr;
  return overlaid(changes_.groups, name, committed);
}

GroupPointer CatalogSession::group(std::int32_t id) const {
  const std::lock_guard lock(mutex_);
  const auto changed = changes_.groups.find(id);
  return changed == changes_.groups.end() ? catalog_->group(id) : changed->second;
}

std::vector<GroupPointer> CatalogSession::groups() const {
  const std::lock_guard lock(mutex_);
  return merged(changes_.groups, catalog_->groups(), kId);
}

RolePointer CatalogSession::role(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  RolePointer committed = catalog_->role(name);
  if (committed != nullptr && changed_in(changes_.roles, committed->id)) committed = nullptr;
  return overlaid(changes_.roles, name, committed);
}

RolePointer CatalogSession::role(std::int32_t id) const {
  const std::lock_guard lock(mutex_);
  const auto changed = changes_.roles.find(id);
  return changed == changes_.roles.end() ? catalog_->role(id) : changed->second;
}

std::vector<RolePointer> CatalogSession::roles() const {
  const std::lock_guard lock(mutex_);
  return merged(changes_.roles, catalog_->roles(), kId);
}

SchemaPointer CatalogSession::schema(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  SchemaPointer committed = catalog_->schema(name);
  if (committed != nullptr && changed_in(changes_.schemas, committed->oid)) committed = nullptr;
  return overlaid(changes_.schemas, name, committed);
}

SchemaPointer CatalogSession::schema(Oid oid) const {
  const std::lock_guard lock(mutex_);
  const auto changed = changes_.schemas.find(oid);
  return changed == changes_.schemas.end() ? catalog_->schema(oid) : changed->second;
}

std::vector<SchemaPointer> CatalogSession::schemas() const {
  const std::lock_guard lock(mutex_);
  return merged(changes_.schemas, catalog_->schemas(), kOid);
}

RelationPointer CatalogSession::relation(Oid oid) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, temporary] : temporaries_) {
    if (temporary->oid == oid) return temporary;
  }
  const auto changed = changes_.relations.find(oid);
  return changed == changes_.relations.end() ? catalog_->relation(oid) : changed->second;
}

RelationPointer CatalogSession::relation(std::string_view schema_name,
                                         std::string_view name) const {
  const SchemaPointer in = schema(schema_name);
  if (in == nullptr) return nullptr;
  const std::lock_guard lock(mutex_);
  for (const auto& [oid, changed] : changes_.relations) {
    if (changed != nullptr && changed->schema == in->oid && changed->name == name) return changed;
  }
  RelationPointer committed = catalog_->relation(in->oid, name);
  if (committed != nullptr && changed_in(changes_.relations, committed->oid)) committed = nullptr;
  return committed;
}

RelationPointer CatalogSession::temporary(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = temporaries_.find(name);
  return found == temporaries_.end() ? nullptr : found->second;
}

std::vector<RelationPointer> CatalogSession::relations(Oid schema) const {
  const std::lock_guard lock(mutex_);
  std::vector<RelationPointer> list = merged(changes_.relations, catalog_->relations(schema), kOid);
  if (schema != 0) {
    std::erase_if(list,
                  [&](const RelationPointer& relation) { return relation->schema != schema; });
  }
  return list;
}

std::vector<RelationPointer> CatalogSession::temporaries() const {
  const std::lock_guard lock(mutex_);
  std::vector<RelationPointer> list;
  for (const auto& [name, relation] : temporaries_) list.push_back(relation);
  return list;
}

std::vector<FunctionPointer> CatalogSession::functions() const {
  const std::lock_guard lock(mutex_);
  return merged(changes_.functions, catalog_->functions(), kOid);
}

DatabasePointer CatalogSession::database() const {
  return database(catalog_->oid());
}

DatabasePointer CatalogSession::database(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  DatabasePointer committed = catalog_->database(name);
  if (committed != nullptr && changed_in(changes_.databases, committed->oid)) committed = nullptr;
  return overlaid(changes_.databases, name, committed);
}

DatabasePointer CatalogSession::database(Oid oid) const {
  const std::lock_guard lock(mutex_);
  const auto changed = changes_.databases.find(oid);
  return changed == changes_.databases.end() ? catalog_->database(oid) : changed->second;
}

std::vector<DatabasePointer> CatalogSession::databases() const {
  const std::lock_guard lock(mutex_);
  return merged(changes_.databases, catalog_->databases(), kOid);
}

StandingPointer CatalogSession::standing() const {
  const std::lock_guard lock(mutex_);
  return changes_.standing == nullptr ? catalog_->standing() : changes_.standing;
}

IamGrantsPointer CatalogSession::iam_grants() const {
  const std::lock_guard lock(mutex_);
  return changes_.iam_grants == nullptr ? catalog_->iam_grants() : changes_.iam_grants;
}

SqlStatus CatalogSession::put(User user) {
  LEAT_TRY(write_user(connection_, catalog_->cluster_store(), user));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  const std::int32_t id = user.id;
  changes_.users[id] = std::make_shared<const User>(std::move(user));
  return {};
}

SqlStatus CatalogSession::put(Group group) {
  LEAT_TRY(write_group(connection_, catalog_->cluster_store(), group));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  const std::int32_t id = group.id;
  changes_.groups[id] = std::make_shared<const Group>(std::move(group));
  return {};
}

SqlStatus CatalogSession::put(Role role) {
  LEAT_TRY(write_role(connection_, catalog_->cluster_store(), role));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  const std::int32_t id = role.id;
  changes_.roles[id] = std::make_shared<const Role>(std::move(role));
  return {};
}

SqlStatus CatalogSession::put(Schema schema) {
  LEAT_TRY(write_schema(connection_, schema));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  const Oid oid = schema.oid;
  changes_.schemas[oid] = std::make_shared<const Schema>(std::move(schema));
  return {};
}

SqlStatus CatalogSession::rename(const Schema& schema, const std::string& name) {
  Schema renamed = schema;
  renamed.stored_as = schema.engine_name() == name ? std::string() : schema.engine_name();
  renamed.name = name;
  const std::vector<RelationPointer> inside = relations(schema.oid);
  const std::vector<FunctionPointer> all_functions = functions();
  const Schema& known = renamed;
  LEAT_TRY(write_schema(connection_, known));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  for (const RelationPointer& relation : inside)
    changes_.relations[relation->oid] = placed_in(known, *relation);
  for (const FunctionPointer& function : all_functions) {
    if (function->schema == known.oid)
      changes_.functions[function->oid] = placed_in(known, *function);
  }
  changes_.schemas[schema.oid] = std::make_shared<const Schema>(std::move(renamed));
  return {};
}

SqlStatus CatalogSession::put(Relation relation) {
  if (relation.temporary) {
    const std::lock_guard lock(mutex_);
    ++epoch_;
    temporaries_changed_ = true;
    std::erase_if(temporaries_,
                  [&](const auto& entry) { return entry.second->oid == relation.oid; });
    std::string name = relation.name;
    temporaries_[std::move(name)] = std::make_shared<const Relation>(std::move(relation));
    return {};
  }
  const RelationPointer before = this->relation(relation.oid);
  LEAT_TRY(write_relation(connection_, relation, before.get()));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  const Oid oid = relation.oid;
  changes_.relations[oid] = std::make_shared<const Relation>(std::move(relation));
  return {};
}

SqlStatus CatalogSession::put(Function function) {
  LEAT_TRY(write_function(connection_, function));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  const Oid oid = function.oid;
  changes_.functions[oid] = std::make_shared<const Function>(std::move(function));
  return {};
}

SqlStatus CatalogSession::put(Database database) {
  LEAT_TRY(write_database(connection_, catalog_->cluster_store(), database));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  const Oid oid = database.oid;
  changes_.databases[oid] = std::make_shared<const Database>(std::move(database));
  return {};
}

SqlStatus CatalogSession::put(StandingPrivileges standing) {
  LEAT_TRY(write_standing(connection_, standing));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  changes_.standing = std::make_shared<const StandingPrivileges>(std::move(standing));
  return {};
}

SqlStatus CatalogSession::put(IamGrants grants) {
  LEAT_TRY(write_iam_grants(connection_, catalog_->cluster_store(), grants));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  changes_.iam_grants = std::make_shared<const IamGrants>(std::move(grants));
  return {};
}

SqlStatus CatalogSession::put_blanks(const Relation& relation) {
  const std::vector<std::int16_t> noted = connection_.blank_marks().columns(relation.oid);
  if (noted.empty() || relation.temporary) return {};
  std::set<std::int16_t> stored = catalog_->stored_blanks(relation.oid);
  if (const auto changed = changes_.blanks.find(relation.oid); changed != changes_.blanks.end())
    stored.insert(changed->second.begin(), changed->second.end());
  std::vector<std::int16_t> unknown;
  std::ranges::set_difference(noted, stored, std::back_inserter(unknown));
  if (unknown.empty()) return {};
  LEAT_TRY(write_blanks(connection_, relation.oid, unknown));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  changes_.blanks[relation.oid].insert(unknown.begin(), unknown.end());
  return {};
}

SqlStatus CatalogSession::drop_user(std::int32_t id) {
  LEAT_TRY(erase_user(connection_, catalog_->cluster_store(), id));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  changes_.users[id] = nullptr;
  return {};
}

SqlStatus CatalogSession::drop_group(std::int32_t id) {
  LEAT_TRY(erase_group(connection_, catalog_->cluster_store(), id));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  changes_.groups[id] = nullptr;
  return {};
}

SqlStatus CatalogSession::drop_role(std::int32_t id) {
  LEAT_TRY(erase_role(connection_, catalog_->cluster_store(), id));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  changes_.roles[id] = nullptr;
  return {};
}

SqlStatus CatalogSession::drop_database(Oid oid) {
  LEAT_TRY(erase_database(connection_, catalog_->cluster_store(), oid));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  changes_.databases[oid] = nullptr;
  return {};
}

SqlStatus CatalogSession::drop_schema(Oid oid) {
  LEAT_TRY(erase_schema(connection_, oid));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  changes_.schemas[oid] = nullptr;
  return {};
}

SqlStatus CatalogSession::drop_relation(const Relation& relation) {
  if (!relation.temporary) LEAT_TRY(erase_relation(connection_, relation.oid));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  if (relation.temporary) {
    temporaries_changed_ = true;
    temporaries_.erase(relation.name);
  } else {
    changes_.relations[relation.oid] = nullptr;
  }
  return {};
}

SqlStatus CatalogSession::drop_function(Oid oid) {
  LEAT_TRY(erase_function(connection_, oid));
  const std::lock_guard lock(mutex_);
  ++epoch_;
  changes_.functions[oid] = nullptr;
  return {};
}

void CatalogSession::look_at(Catalog& catalog) {
  const std::lock_guard lock(mutex_);
  ++epoch_;
  if (!changes_.empty()) changes_elsewhere_[catalog_] = std::move(changes_);
  const auto kept = changes_elsewhere_.extract(&catalog);
  changes_ = kept.empty() ? Changes() : std::move(kept.mapped());
  catalog_ = &catalog;
}

void CatalogSession::transaction_started() {
  const std::lock_guard lock(mutex_);
  temporaries_before_ = temporaries_;
  temporaries_changed_ = false;
}

SqlResult<bool> CatalogSession::commit() {
  const auto end = [&] { return connection_.commit(); };
  Catalog* changed = catalog_;
  for (auto& [elsewhere, changes] : changes_elsewhere_) {
    // The engine lets a transaction write to one file: what changed here then is of the cluster.
    changes.take_cluster(changes_);
    changes_ = std::move(changes);
    changed = elsewhere;
  }
  SqlResult<bool> committed = changes_.empty() ? end() : changed->commit(changes_, end);
  if (!committed || !*committed) {
    rolled_back();
    return committed;
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [oid, relation] : changes_.relations) {
    if (relation == nullptr) connection_.blank_marks().forget(oid);
  }
  changes_ = {};
  changes_elsewhere_.clear();
  temporaries_before_.clear();
  return committed;
}

void CatalogSession::rolled_back() {
  const std::lock_guard lock(mutex_);
  if (!changes_.empty() || temporaries_changed_) ++epoch_;
  changes_ = {};
  changes_elsewhere_.clear();
  if (temporaries_changed_) temporaries_ = std::exchange(temporaries_before_, {});
  temporaries_changed_ = false;
}

bool CatalogSession::changed() const {
  const std::lock_guard lock(mutex_);
  return !changes_.empty() || !changes_elsewhere_.empty() || temporaries_changed_;
}

bool CatalogSession::changed_database() const {
  const std::lock_guard lock(mutex_);
  return changes_.of_database();
}

}  // namespace leat::catalog
