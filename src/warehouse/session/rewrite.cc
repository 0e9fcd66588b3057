#include "warehouse/session/rewrite.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "warehouse/catalog/copy_database.h"
#include "warehouse/catalog/system_functions.h"
#include "warehouse/session/session_state.h"
#include "warehouse/sql/translate.h"

namespace leat::session {
namespace {

/// No schema and no other database is called so.
constexpr std::string_view kOld = "leat_rewritten";

struct Work {
  const RewriteOptions& options;
  engine::Database& database;
  std::string first{};  ///< The first database's name in the engine.
};

Error to_error(const SqlError& error, const std::string& file) {
  return Error{error.sqlstate == "53100" ? Errc::kExhausted : Errc::kCorrupt,
               fmt::format("cannot write {} anew: {} [{}] {}; nothing was replaced", file,
                           error.message, error.sqlstate, error.detail)};
}

/// Plays the old file's log into it, so that DuckDB tells where its sequences stand.
Status settle(const Work& work, const std::string& path) {
  LEAT_TRY(work.database.attach(kOld, path, work.options.key));
  if (const SqlStatus closed = work.database.detach(kOld); !closed)
    return std::unexpected(to_error(closed.error(), path));
  std::error_code error;
  if (std::filesystem::exists(path + ".wal", error)) {
    return fail(Errc::kUnavailable,
                fmt::format("the log of {} could not be moved into it; start and stop Leat once, "
                            "then try again",
                            path));
  }
  return work.database.attach(kOld, path, work.options.key);
}

SqlStatus fill(const Work& work, const std::string& name, const std::string& file) {
  LEAT_ASSIGN(const std::unique_ptr<engine::Connection> connection, work.database.connect());
  for (const std::string& setting : sql::required_settings()) LEAT_TRY(connection->run(setting));
  catalog::DatabaseCopy copy;
  copy.from = kOld;
  copy.to = name;
  if (name != work.first)
    copy.cluster_store = engine::quote_identifier(work.first) + ".leat_catalog";
  copy.progress = [&](std::uint64_t done, std::uint64_t total) {
    if (work.options.progress) work.options.progress(file, done, total);
  };
  LEAT_TRY(catalog::copy_database(*connection, copy));
  // The new file has no log when this is over.
  LEAT_TRY(connection->run("CHECKPOINT"));
  LEAT_TRY(connection->run("USE " + engine::quote_identifier(work.first)));
  return {};
}

Status rewrite(const Work& work, const std::string& name, const std::string& file) {
  const std::string old = work.options.data_directory + "/" + file;
  LEAT_TRY(settle(work, std::filesystem::absolute(old).string()));
  SqlStatus done = fill(work, name, file);
  const SqlStatus closed = work.database.detach(kOld);
  if (done) done = closed;
  if (!done) return std::unexpected(to_error(done.error(), old));
  return {};
}

/// Of the databases that the new first one lists, those that have files.
SqlResult<std::vector<catalog::Oid>> others(const Work& work) {
  LEAT_ASSIGN(const std::unique_ptr<engine::Connection> connection, work.database.connect());
  LEAT_ASSIGN(const auto rows,
              connection->query("SELECT oid FROM leat_catalog.databases ORDER BY oid"));
  std::vector<catalog::Oid> list;
  for (const auto& row : rows) {
    const auto oid = parse_number<catalog::Oid>(row.at(0).value_or(""));
    std::error_code error;
    if (oid && std::filesystem::exists(fmt::format("{}/{}/{}.duckdb", work.options.data_directory,
                                                   others_folder(work.options.database), *oid),
                                       error)) {
      list.push_back(*oid);
    }
  }
  return list;
}

Status rewrite_others(const Work& work, std::vector<std::string>& files) {
  const auto list = others(work);
  if (!list) return std::unexpected(to_error(list.error(), work.options.database));
  for (const catalog::Oid oid : *list) {
    const std::string folder = others_folder(work.options.database);
    std::error_code error;
    std::filesystem::create_directories(work.options.new_directory + "/" + folder, error);
    if (error) return fail_errno(error.value(), "cannot make a folder for " + folder);
    files.push_back(fmt::format("{}/{}.duckdb", folder, oid));
    const std::string name = fmt::format("leat_db_{}", oid);
    LEAT_TRY(work.database.attach(name, work.options.new_directory + "/" + files.back()));
    LEAT_TRY(rewrite(work, name, files.back()));
    if (const SqlStatus closed = work.database.detach(name); !closed)
      return std::unexpected(to_error(closed.error(), files.back()));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> rewrite_warehouse(const RewriteOptions& options) {
  std::vector<std::string> files{options.database + ".duckdb"};
  // Views of the system schema call functions of a warehouse, which nobody asks here.
  const auto host = std::make_shared<WarehouseState>(WarehouseOptions{});
  engine::DatabaseOptions opened;
  opened.path = options.new_directory + "/" + files.front();
  opened.key = options.new_key;
  opened.encryption = !options.key.empty();
  opened.memory_bytes_max = options.memory_bytes_max;
  opened.directories = {options.new_directory,
                        std::filesystem::absolute(options.data_directory).string()};
  LEAT_ASSIGN(host->database, engine::Database::open(opened));
  if (const SqlStatus added = catalog::add_system_functions(*host->database, *host); !added)
    return std::unexpected(to_error(added.error(), files.front()));
  Work work{.options = options, .database = *host->database, .first = {}};
  {
    const auto connection = host->database->connect();
    const auto name = connection ? (*connection)->query("SELECT current_database()")
                                 : std::unexpected(connection.error());
    if (!name) return std::unexpected(to_error(name.error(), files.front()));
    work.first = name->at(0).at(0).value_or("");
  }
  LEAT_TRY(rewrite(work, work.first, files.front()));
  LEAT_TRY(rewrite_others(work, files));
  return files;
}

}  // namespace leat::session
