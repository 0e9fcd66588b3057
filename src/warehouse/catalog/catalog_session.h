// The catalog as one session sees it: what is committed, what its own transaction changed, its
// temporary tables.
//
// Changes are written through the session's connection in its open transaction, and shown to others
// by commit().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "warehouse/catalog/catalog.h"

namespace leat::catalog {

/// One session's thread changes it; reading is safe from the engine's threads as well (system
/// functions run there).
class CatalogSession {
 public:
  CatalogSession(Catalog& catalog, engine::Connection& connection)
      : catalog_(&catalog), connection_(connection) {}

  [[nodiscard]] Catalog& catalog() const { return *catalog_; }
  /// Shows another database from now on, beside the same temporary tables. What the transaction
  /// changed in the one before stays a part of it.
  void look_at(Catalog& catalog);

  [[nodiscard]] UserPointer user(std::string_view name) const;
  [[nodiscard]] UserPointer user(std::int32_t id) const;
  [[nodiscard]] GroupPointer group(std::string_view name) const;
  [[nodiscard]] GroupPointer group(std::int32_t id) const;
  [[nodiscard]] std::vector<GroupPointer> groups() const;
  [[nodiscard]] RolePointer role(std::string_view name) const;
  [[nodiscard]] RolePointer role(std::int32_t id) const;
  [[nodiscard]] std::vector<RolePointer> roles() const;
  [[nodiscard]] SchemaPointer schema(std::string_view name) const;
  [[nodiscard]] SchemaPointer schema(Oid oid) const;
  [[nodiscard]] std::vector<SchemaPointer> schemas() const;
  [[nodiscard]] RelationPointer relation(Oid oid) const;
  [[nodiscard]] RelationPointer relation(std::string_view schema, std::string_view name) const;
  [[nodiscard]] RelationPointer temporary(std::string_view name) const;
  /// Of one schema (0: of all), temporary ones not among them.
  [[nodiscard]] std::vector<RelationPointer> relations(Oid schema) const;
  [[nodiscard]] std::vector<RelationPointer> temporaries() const;
  [[nodiscard]] std::vector<FunctionPointer> functions() const;
  /// The session's own.
  [[nodiscard]] DatabasePointer database() const;
  [[nodiscard]] DatabasePointer database(std::string_view name) const;
  [[nodiscard]] DatabasePointer database(Oid oid) const;
  [[nodiscard]] std::vector<DatabasePointer> databases() const;
  /// Never null.
  [[nodiscard]] StandingPointer standing() const;
  /// Never null.
  [[nodiscard]] IamGrantsPointer iam_grants() const;

  // Each writes the store now. The objects themselves (DuckDB's table) are the caller's work.
  [[nodiscard]] engine::SqlStatus put(User user);
  [[nodiscard]] engine::SqlStatus put(Group group);
  [[nodiscard]] engine::SqlStatus put(Role role);
  [[nodiscard]] engine::SqlStatus put(Schema schema);
  /// Gives a schema, and what is in it, another name; the engine's schema keeps its own.
  [[nodiscard]] engine::SqlStatus rename(const Schema& schema, const std::string& name);
  [[nodiscard]] engine::SqlStatus put(Relation relation);
  [[nodiscard]] engine::SqlStatus put(Function function);
  [[nodiscard]] engine::SqlStatus put(Database database);
  [[nodiscard]] engine::SqlStatus put(StandingPrivileges standing);
  [[nodiscard]] engine::SqlStatus put(IamGrants grants);
  /// Keeps the marks that the relation's columns have by now (engine::BlankMarks). To be called
  /// after each statement that writes rows.
  [[nodiscard]] engine::SqlStatus put_blanks(const Relation& relation);
  [[nodiscard]] engine::SqlStatus drop_user(std::int32_t id);
  [[nodiscard]] engine::SqlStatus drop_group(std::int32_t id);
  [[nodiscard]] engine::SqlStatus drop_role(std::int32_t id);
  [[nodiscard]] engine::SqlStatus drop_database(Oid oid);
  [[nodiscard]] engine::SqlStatus drop_schema(Oid oid);
  [[nodiscard]] engine::SqlStatus drop_relation(const Relation& relation);
  [[nodiscard]] engine::SqlStatus drop_function(Oid oid);

  /// Remembers the temporary tables, to be restored by rolled_back().
  void transaction_started();
  /// Commits the connection's transaction and publishes the changes. False: it had failed and was
  /// rolled back.
  [[nodiscard]] engine::SqlResult<bool> commit();
  void rolled_back();
  /// True when this transaction has changed the catalog.
  [[nodiscard]] bool changed() const;
  /// True when it has changed objects of the database that is looked at.
  [[nodiscard]] bool changed_database() const;
  /// Grows with every change of this session's own view.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

 private:
  Catalog* catalog_;
  engine::Connection& connection_;
  std::uint64_t epoch_ = 0;
  mutable std::mutex mutex_;  // guards all below
  Changes changes_;
  /// Of the databases that are not looked at now.
  std::map<Catalog*, Changes> changes_elsewhere_;
  std::map<std::string, RelationPointer, std::less<>> temporaries_;
  std::map<std::string, RelationPointer, std::less<>> temporaries_before_;
  bool temporaries_changed_ = false;
};

}  // namespace leat::catalog
