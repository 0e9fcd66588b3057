#include "warehouse/session/databases.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "warehouse/catalog/catalog_session.h"
#include "warehouse/catalog/system_schema.h"
#include "warehouse/sql/translate.h"

namespace leat::session {
namespace {

/// The engine's name: no schema is called so, and a renaming does not touch it.
std::string alias_of(catalog::Oid oid) {
  return fmt::format("leat_db_{}", oid);
}

/// Makes the file's entry in its directory, or its absence there, survive a power loss.
Status sync_path(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (file < 0) return fail_errno(errno, "cannot open " + path);
  const int failed = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  if (failed != 0) return fail_errno(failed, "cannot sync " + path);
  return {};
}

std::unexpected<SqlError> as_sql(const Error& error) {
  const std::string_view state = error.code == Errc::kExhausted ? "53100" : "58030";
  return engine::fail_sql(std::string(state), error.message);
}

Error to_error(const catalog::Database& database, const SqlError& error) {
  return Error{error.sqlstate == "53100" ? Errc::kExhausted : Errc::kCorrupt,
               fmt::format("cannot read the catalog of the database {}: {} [{}]", database.name,
                           error.message, error.sqlstate)};
}

bool exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

}  // namespace

std::unexpected<SqlError> no_database(std::string_view name) {
  return engine::fail_sql("3D000", "database \"" + std::string(name) + "\" does not exist");
}

/// A change of the set of files; not while a backup is made.
class Databases::Change {
 public:
  explicit Change(Databases& databases) : databases_(databases) {}
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;
  ~Change() {
    if (!begun_) return;
    const std::lock_guard lock(databases_.mutex_);
    --databases_.changes_;
  }
  [[nodiscard]] SqlStatus begin() {
    const std::lock_guard lock(databases_.mutex_);
    if (databases_.holds_ > 0) {
      return engine::fail_sql("55006", "a backup of the warehouse is being made", {},
                              "Databases can be created and dropped when it is done.");
    }
    ++databases_.changes_;
    begun_ = true;
    return {};
  }

 private:
  Databases& databases_;
  bool begun_ = false;
};

SqlStatus Databases::hold() {
  const std::lock_guard lock(mutex_);
  if (changes_ > 0) {
    return engine::fail_sql("55006", "a database is being created or dropped", {}, "Try again.");
  }
  ++holds_;
  return {};
}

void Databases::release() {
  const std::lock_guard lock(mutex_);
  --holds_;
}

std::string Databases::file_of(catalog::Oid oid) const {
  return directory_.empty() ? ":memory:" : fmt::format("{}/{}.duckdb", directory_, oid);
}

Status Databases::mark(catalog::Oid oid) const {
  if (directory_.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error) return fail_errno(error.value(), "cannot make the folder " + directory_);
  LEAT_TRY(sync_path(fmt::format("{}/{}.pending", directory_, oid), O_WRONLY | O_CREAT));
  return sync_path(directory_, O_RDONLY | O_DIRECTORY);
}

void Databases::unmark(catalog::Oid oid) const {
  if (directory_.empty()) return;
  std::error_code error;
  std::filesystem::remove(fmt::format("{}/{}.pending", directory_, oid), error);
}

void Databases::remove_files(catalog::Oid oid) const {
  if (directory_.empty()) return;
  for (const char* suffix : {"", ".wal", ".wal.checkpoint", ".wal.recovery"}) {
    std::error_code error;
    std::filesystem::remove(file_of(oid) + suffix, error);
    if (error)
      log::warning("warehouse", "cannot remove {}{}: {}", file_of(oid), suffix, error.message());
  }
}

Status Databases::clear_up() const {
  std::error_code error;
  if (directory_.empty() || !exists(directory_)) return {};
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error))
    names.push_back(entry.path().filename().string());
  if (error) return fail_errno(error.value(), "cannot list " + directory_);
  for (const std::string& name : names) {
    const auto oid = parse_number<catalog::Oid>(std::string_view(name).substr(0, name.find('.')));
    if (!oid || !name.ends_with(".pending")) continue;
    if (first_->database(*oid) == nullptr) remove_files(*oid);
    unmark(*oid);
  }
  for (const std::string& name : names) {
    const auto oid = parse_number<catalog::Oid>(std::string_view(name).substr(0, name.find('.')));
    if (oid && name.ends_with(".duckdb") && first_->database(*oid) == nullptr &&
        exists(file_of(*oid))) {
      log::warning("warehouse", "{} is of no database of this warehouse; it is left alone",
                   file_of(*oid));
    }
  }
  return {};
}

Result<Databases::CatalogPointer> Databases::open(const catalog::Database& database) {
  const std::string alias = alias_of(database.oid);
  LEAT_TRY(engine_.attach(alias, file_of(database.oid)));
  const auto read = [&]() -> SqlResult<CatalogPointer> {
    LEAT_ASSIGN(const std::unique_ptr<engine::Connection> connection, engine_.connect());
    for (const std::string& setting : sql::required_settings()) LEAT_TRY(connection->run(setting));
    LEAT_TRY(connection->run("USE " + engine::quote_identifier(alias)));
    catalog::CatalogOptions options;
    options.oid = database.oid;
    options.owner = database.owner;
    options.cluster = first_.get();
    LEAT_ASSIGN(std::unique_ptr<catalog::Catalog> made,
                catalog::Catalog::open(*connection, options));
    LEAT_TRY(catalog::create_system_schema(*connection));
    return CatalogPointer(std::move(made));
  };
  SqlResult<CatalogPointer> made = read();
  if (!made) {
    static_cast<void>(engine_.detach(alias));
    return std::unexpected(to_error(database, made.error()));
  }
  return std::move(*made);
}

Status Databases::open_all(CatalogPointer first) {
  first_ = std::move(first);
  {
    const std::lock_guard lock(mutex_);
    open_[first_->oid()] = first_;
  }
  LEAT_TRY(clear_up());
  for (const catalog::DatabasePointer& database : first_->databases()) {
    if (database->oid == first_->oid()) continue;
    const std::string file = file_of(database->oid);
    if (!exists(file)) {
      return fail(Errc::kCorrupt,
                  fmt::format("the file of the database {} is gone: {}; put it back, or restore a "
                              "backup with: leat warehouse restore FILE",
                              database->name, file));
    }
    LEAT_ASSIGN(CatalogPointer opened, open(*database));
    const std::lock_guard lock(mutex_);
    open_[database->oid] = std::move(opened);
  }
  return {};
}

Databases::CatalogPointer Databases::of(catalog::Oid oid) const {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(oid);
  return found == open_.end() ? nullptr : found->second;
}

std::vector<Databases::CatalogPointer> Databases::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<CatalogPointer> list;
  list.reserve(open_.size());
  for (const auto& [oid, catalog] : open_) list.push_back(catalog);
  return list;
}

SqlStatus Databases::list(const std::function<SqlStatus(catalog::CatalogSession&)>& change) {
  LEAT_ASSIGN(const std::unique_ptr<engine::Connection> connection, engine_.connect());
  catalog::CatalogSession session(*first_, *connection);
  LEAT_TRY(connection->begin());
  session.transaction_started();
  LEAT_TRY(change(session));
  LEAT_TRY(session.commit());
  return {};
}

SqlStatus Databases::create(catalog::Database database) {
  Change change(*this);
  LEAT_TRY(change.begin());
  do {
    database.oid = first_->new_oid();
  } while (!directory_.empty() && exists(file_of(database.oid)));
  if (const Status marked = mark(database.oid); !marked) return as_sql(marked.error());
  Result<CatalogPointer> made = open(database);
  SqlStatus done;
  if (!made) {
    done = as_sql(made.error());
  } else {
    if (!directory_.empty()) {
      if (const Status synced = sync_path(directory_, O_RDONLY | O_DIRECTORY); !synced)
        done = as_sql(synced.error());
    }
    if (done) {
      {
        const std::lock_guard lock(mutex_);
        open_[database.oid] = *made;
      }
      done = list([&](catalog::CatalogSession& session) { return session.put(database); });
    }
    if (!done) {
      {
        const std::lock_guard lock(mutex_);
        open_.erase(database.oid);
      }
      static_cast<void>(engine_.detach(alias_of(database.oid)));
    }
  }
  if (!done) remove_files(database.oid);
  unmark(database.oid);
  return done;
}

SqlStatus Databases::drop(const catalog::Database& database) {
  Change change(*this);
  LEAT_TRY(change.begin());
  if (const Status marked = mark(database.oid); !marked) return as_sql(marked.error());
  const SqlStatus unlisted =
      list([&](catalog::CatalogSession& session) { return session.drop_database(database.oid); });
  if (!unlisted) {
    unmark(database.oid);
    return unlisted;
  }
  {
    const std::lock_guard lock(mutex_);
    open_.erase(database.oid);
  }
  // It is gone for everybody; what cannot be cleared up now is at the next start.
  if (const SqlStatus detached = engine_.detach(alias_of(database.oid)); !detached) {
    log::warning("warehouse", "cannot close the file of the dropped database {}: {}", database.name,
                 detached.error().message);
    return {};
  }
  remove_files(database.oid);
  unmark(database.oid);
  return {};
}

}  // namespace leat::session
