// Users, schemas and relations of one database, kept in memory and in the database file.
//
// Users, groups, roles and the list of databases are of the whole warehouse: they are kept in the
// file of its first database, the cluster, and every other catalog asks the cluster's for them.
//
// The file is the truth; memory is what it held after the last commit. A session changes the
// catalog through its CatalogSession (catalog_session.h): within the same DuckDB transaction as the
// data, and published here only when that transaction has committed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "warehouse/catalog/model.h"
#include "warehouse/engine/connection.h"
#include "warehouse/engine/error.h"

namespace leat {
class Random;
}

namespace leat::catalog {

/// Schema in the file that holds Redshift's side of the objects; users cannot name it.
inline constexpr std::string_view kStoreSchema = "leat_catalog";
/// Schema that holds pg_class and the other system relations and functions.
inline constexpr std::string_view kSystemSchema = "leat_system";
/// Schema that holds the macros of sql::dialect_macros().
inline constexpr std::string_view kDialectSchema = "leat_dialect";

/// New versions of objects by id; null: dropped. What a transaction changed.
struct Changes {
  // Of the warehouse.
  std::map<std::int32_t, UserPointer> users;
  std::map<std::int32_t, GroupPointer> groups;
  std::map<std::int32_t, RolePointer> roles;
  std::map<Oid, DatabasePointer> databases;
  IamGrantsPointer iam_grants;  ///< Null: unchanged.
  // Of the database.
  std::map<Oid, SchemaPointer> schemas;
  std::map<Oid, RelationPointer> relations;
  std::map<Oid, FunctionPointer> functions;
  StandingPointer standing;  ///< Null: unchanged.
  /// Numbers of columns that may hold texts with a blank at the end; none is ever taken back.
  std::map<Oid, std::set<std::int16_t>> blanks;

  [[nodiscard]] bool empty() const { return !of_cluster() && !of_database(); }
  [[nodiscard]] bool of_database() const {
    return !(schemas.empty() && relations.empty() && functions.empty() && standing == nullptr &&
             blanks.empty());
  }
  [[nodiscard]] bool of_cluster() const {
    return !(users.empty() && groups.empty() && roles.empty() && databases.empty() &&
             iam_grants == nullptr);
  }
  /// Adds what `other` has of the warehouse; what both have stays as it is.
  void take_cluster(Changes& other) {
    users.merge(other.users);
    groups.merge(other.groups);
    roles.merge(other.roles);
    databases.merge(other.databases);
    if (iam_grants == nullptr) iam_grants = other.iam_grants;
  }
};

class Catalog;

struct CatalogOptions {
  /// Name of the first database when the warehouse is new.
  std::string database = "dev";
  Oid oid = kDatabaseOid;
  /// Of the schema public in another new database.
  std::int32_t owner = kBootstrapUserId;
  /// Of the first database; null: this is the first one. Must outlive the catalog.
  Catalog* cluster = nullptr;
  std::string admin_user = "leat";
  std::string admin_password{};  ///< Set at every open; empty: no password login.
  TimeUs now{};
  Random* random = nullptr;
};

/// Any thread.
class Catalog {
 public:
  /// Makes the store and the bootstrap objects when absent, sets the administrator's password,
  /// reads everything; all in the database that `connection` uses by default.
  [[nodiscard]] static engine::SqlResult<std::unique_ptr<Catalog>> open(
      engine::Connection& connection, const CatalogOptions& options);

  [[nodiscard]] UserPointer user(std::string_view name) const;
  [[nodiscard]] UserPointer user(std::int32_t id) const;
  [[nodiscard]] GroupPointer group(std::string_view name) const;
  [[nodiscard]] GroupPointer group(std::int32_t id) const;
  [[nodiscard]] RolePointer role(std::string_view name) const;
  [[nodiscard]] RolePointer role(std::int32_t id) const;
  [[nodiscard]] SchemaPointer schema(std::string_view name) const;
  [[nodiscard]] SchemaPointer schema(Oid oid) const;
  [[nodiscard]] RelationPointer relation(Oid oid) const;
  [[nodiscard]] RelationPointer relation(Oid schema, std::string_view name) const;
  /// The one that this is the catalog of.
  [[nodiscard]] DatabasePointer database() const;
  [[nodiscard]] DatabasePointer database(std::string_view name) const;
  [[nodiscard]] DatabasePointer database(Oid oid) const;
  /// Never null.
  [[nodiscard]] StandingPointer standing() const;
  /// Never null.
  [[nodiscard]] IamGrantsPointer iam_grants() const;

  [[nodiscard]] std::vector<DatabasePointer> databases() const;
  [[nodiscard]] std::vector<UserPointer> users() const;
  [[nodiscard]] std::vector<GroupPointer> groups() const;
  [[nodiscard]] std::vector<RolePointer> roles() const;
  [[nodiscard]] std::vector<SchemaPointer> schemas() const;
  /// Of one schema; 0: of all.
  [[nodiscard]] std::vector<RelationPointer> relations(Oid schema) const;
  /// The materialized views with AUTO REFRESH YES.
  [[nodiscard]] std::set<Oid> auto_refreshed() const;

  [[nodiscard]] std::vector<FunctionPointer> functions() const;
  /// The columns whose marks (engine::BlankMarks) are in the file.
  [[nodiscard]] std::set<std::int16_t> stored_blanks(Oid relation) const;

  [[nodiscard]] Oid oid() const { return oid_; }
  /// The engine's name of the database's file.
  [[nodiscard]] const std::string& alias() const { return alias_; }
  /// The schema of the tables that hold users, groups, roles and databases, as SQL text.
  [[nodiscard]] const std::string& cluster_store() const { return cluster().own_store_; }
  /// Unique in the warehouse.
  [[nodiscard]] Oid new_oid() { return cluster().next_oid_.fetch_add(1); }
  [[nodiscard]] std::int32_t new_user_id() { return cluster().next_user_id_.fetch_add(1); }
  /// Grows with every change published in any database.
  [[nodiscard]] std::uint64_t version() const { return cluster().version_.load(); }

  /// Runs `commit`, and publishes `changes` if it returns true; one at a time, so that memory
  /// follows the file's order.
  [[nodiscard]] engine::SqlResult<bool> commit(
      const Changes& changes, const std::function<engine::SqlResult<bool>()>& commit);

 private:
  Catalog(const CatalogOptions& options, std::string alias);
  [[nodiscard]] Catalog& cluster() { return cluster_ == nullptr ? *this : *cluster_; }
  [[nodiscard]] const Catalog& cluster() const { return cluster_ == nullptr ? *this : *cluster_; }
  void apply(const Changes& changes);
  /// Gives relations and functions the names that their schemas have now.
  void follow_schemas(const Changes& changes);
  void apply_to_cluster(const Changes& changes);
  /// Numbers to come are larger than those of `state`.
  void count_from(const Changes& state);

  using RelationKey = std::pair<Oid, std::string>;

  Catalog* cluster_ = nullptr;
  Oid oid_ = kDatabaseOid;
  std::string alias_;
  std::string own_store_;
  std::atomic<Oid> next_oid_{kFirstObjectOid};
  std::atomic<std::int32_t> next_user_id_{kFirstUserId};
  std::atomic<std::uint64_t> version_{1};
  std::mutex commit_mutex_;
  mutable std::shared_mutex mutex_;  // guards all below
  std::map<std::int32_t, UserPointer> users_;
  std::map<std::int32_t, GroupPointer> groups_;
  std::map<std::int32_t, RolePointer> roles_;
  std::map<Oid, DatabasePointer> databases_;
  IamGrantsPointer iam_grants_ = std::make_shared<const IamGrants>();
  std::map<Oid, SchemaPointer> schemas_;
  std::unordered_map<Oid, RelationPointer> relations_;
  std::set<Oid> auto_refreshed_;
  std::map<RelationKey, Oid, std::less<>> relation_names_;
  std::map<Oid, FunctionPointer> functions_;
  std::map<Oid, std::set<std::int16_t>> blanks_;
  StandingPointer standing_ = std::make_shared<const StandingPrivileges>();
};

}  // namespace leat::catalog
