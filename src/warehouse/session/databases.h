// The databases of one warehouse: a file for each, attached to one engine.
//
//   DIRECTORY/NAME.duckdb                 the first: its own objects, and the users, groups, roles
//                                         and the list of databases of all
//   DIRECTORY/NAME.databases/OID.duckdb   each other one
//   DIRECTORY/NAME.databases/OID.pending  while that one is made or removed
//
// The list of databases decides what exists. A file that is not listed is removed at the next start
// if it is marked as pending, which is what a crash in the middle leaves; any other is left alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "warehouse/catalog/catalog_session.h"
#include "warehouse/engine/database.h"
#include "warehouse/session/result.h"

namespace leat::session {

/// The folder of the other databases' files, beside NAME.duckdb.
[[nodiscard]] inline std::string others_folder(std::string_view name) {
  return std::string(name) + ".databases";
}

/// 3D000: there is no database of that name.
[[nodiscard]] std::unexpected<SqlError> no_database(std::string_view name);

/// Any thread.
class Databases {
 public:
  using CatalogPointer = std::shared_ptr<catalog::Catalog>;

  /// `directory` of the other databases' files; empty: they are in memory. `engine` must outlive
  /// this.
  Databases(engine::Database& engine, std::string directory)
      : engine_(engine), directory_(std::move(directory)) {}

  /// Opens every database that the first one lists, and clears up after crashes. Errors: kCorrupt
  /// for a file that is damaged or gone.
  [[nodiscard]] Status open_all(CatalogPointer first);

  /// Null when there is none.
  [[nodiscard]] CatalogPointer of(catalog::Oid oid) const;
  [[nodiscard]] std::vector<CatalogPointer> all() const;

  /// Makes the file, then lists it; all or nothing, at any crash. `database.oid` is chosen here.
  /// Errors: 55006 while the files are held, those of the engine.
  [[nodiscard]] SqlStatus create(catalog::Database database);
  /// Takes it off the list, then removes the file. Nobody may use it.
  [[nodiscard]] SqlStatus drop(const catalog::Database& database);

  /// From now on no file is made or removed, until as many releases: a backup copies them. 55006
  /// while one is being made.
  [[nodiscard]] SqlStatus hold();
  void release();

 private:
  class Change;

  [[nodiscard]] std::string file_of(catalog::Oid oid) const;
  [[nodiscard]] Status mark(catalog::Oid oid) const;
  void unmark(catalog::Oid oid) const;
  void remove_files(catalog::Oid oid) const;
  [[nodiscard]] Status clear_up() const;
  [[nodiscard]] Result<CatalogPointer> open(const catalog::Database& database);
  [[nodiscard]] SqlStatus list(const std::function<SqlStatus(catalog::CatalogSession&)>& change);

  engine::Database& engine_;
  const std::string directory_;
  CatalogPointer first_;
  mutable std::mutex mutex_;  // guards all below
  std::map<catalog::Oid, CatalogPointer> open_;
  int holds_ = 0;
  int changes_ = 0;
};

}  // namespace leat::session
