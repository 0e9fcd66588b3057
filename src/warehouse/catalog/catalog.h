// Users, schemas and relations of one warehouse, kept in memory and in the database file.
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
  std::map<std::int32_t, UserPointer> users;
  std::map<std::int32_t, GroupPointer> groups;
  std::map<std::int32_t, RolePointer> roles;
  std::map<Oid, SchemaPointer> schemas;
  std::map<Oid, RelationPointer> relations;
  std::map<Oid, FunctionPointer> functions;
  DatabasePointer database;  ///< Null: unchanged.
  StandingPointer standing;  ///< Null: unchanged.

  [[nodiscard]] bool empty() const {
    return users.empty() && groups.empty() && roles.empty() && schemas.empty() &&
           relations.empty() && functions.empty() && database == nullptr && standing == nullptr;
  }
};

struct CatalogOptions {
  std::string database = "dev";
  std::string admin_user = "leat";
  std::string admin_password{};  ///< Set at every open; empty: no password login.
  TimeUs now{};
  Random* random = nullptr;
};

/// Any thread.
class Catalog {
 public:
  /// Makes the store and the bootstrap objects when absent, sets the administrator's password,
  /// reads everything.
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
  [[nodiscard]] DatabasePointer database() const;
  /// Never null.
  [[nodiscard]] StandingPointer standing() const;

  [[nodiscard]] std::vector<UserPointer> users() const;
  [[nodiscard]] std::vector<GroupPointer> groups() const;
  [[nodiscard]] std::vector<RolePointer> roles() const;
  [[nodiscard]] std::vector<SchemaPointer> schemas() const;
  /// Of one schema; 0: of all.
  [[nodiscard]] std::vector<RelationPointer> relations(Oid schema) const;

  [[nodiscard]] std::vector<FunctionPointer> functions() const;

  [[nodiscard]] Oid new_oid() { return next_oid_.fetch_add(1); }
  [[nodiscard]] std::int32_t new_user_id() { return next_user_id_.fetch_add(1); }
  /// Grows with every published change.
  [[nodiscard]] std::uint64_t version() const { return version_.load(); }

  /// Runs `commit`, and publishes `changes` if it returns true; one at a time, so that memory
  /// follows the file's order.
  [[nodiscard]] engine::SqlResult<bool> commit(
      const Changes& changes, const std::function<engine::SqlResult<bool>()>& commit);

 private:
  Catalog() = default;
  void apply(const Changes& changes);

  using RelationKey = std::pair<Oid, std::string>;

  std::atomic<Oid> next_oid_{kFirstObjectOid};
  std::atomic<std::int32_t> next_user_id_{kFirstUserId};
  std::atomic<std::uint64_t> version_{1};
  std::mutex commit_mutex_;
  mutable std::shared_mutex mutex_;  // guards all below
  std::map<std::int32_t, UserPointer> users_;
  std::map<std::int32_t, GroupPointer> groups_;
  std::map<std::int32_t, RolePointer> roles_;
  std::map<Oid, SchemaPointer> schemas_;
  std::unordered_map<Oid, RelationPointer> relations_;
  std::map<RelationKey, Oid, std::less<>> relation_names_;
  std::map<Oid, FunctionPointer> functions_;
  DatabasePointer database_;
  StandingPointer standing_ = std::make_shared<const StandingPrivileges>();
};

}  // namespace leat::catalog
