// `leat warehouse backup` and `restore`: the warehouse in one file, and back.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include "app/backup_text.h"
#include "app/commands.h"
#include "app/data_directory.h"
#include "app/encryption_key.h"
#include "app/progress.h"
#include "app/sql_client.h"
#include "app/table_text.h"
#include "base/clock.h"
#include "base/text.h"
#include "io/file_system.h"
#include "warehouse/backup/backup.h"
#include "warehouse/backup/exchange.h"
#include "warehouse/engine/database.h"

namespace leat::app {
namespace {

constexpr auto kPause = std::chrono::milliseconds(250);

/// What keeps the warehouse's files copyable: the data directory itself while nothing runs in it,
/// else a promise of the running warehouse, which ends with the connection.
struct Hold {
  std::optional<DataDirectory> directory;
  std::optional<SqlClient> warehouse;
};

Result<Hold> hold_warehouse(const Config& config) {
  Hold hold;
  auto directory = DataDirectory::open(config.data);
  if (directory) {
    hold.directory.emplace(std::move(*directory));
    return hold;
  }
  if (directory.error().code != Errc::kConflict) return std::unexpected(directory.error());
  LEAT_ASSIGN(SqlClient client, SqlClient::connect(config, "leat warehouse backup"));
  LEAT_TRY(client.run("CALL leat_hold_checkpoints()"));
  hold.warehouse.emplace(std::move(client));
  return hold;
}

/// Bytes done and to do, for the line on the terminal.
struct Counts {
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> total{0};

  [[nodiscard]] backup::Progress progress() {
    return [this](std::uint64_t now_done, std::uint64_t now_total) {
      done = now_done;
      total = now_total;
    };
  }
  [[nodiscard]] std::string line(std::string_view what) const {
    return fmt::format(
        "{} {} of {}",
        progress_bar(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total)), what,
        size_text(total));
  }
};

std::string absolute_path(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.string();
}

Result<backup::Contents> back_up(const Terminal& terminal, const Config& config,
                                 const std::string& file) {
  if (!config.destination_host.empty()) {
    return fail(Errc::kInvalid,
                fmt::format("destination.host names another warehouse, {}: back that one up with "
                            "its own means",
                            config.destination_host));
  }
  io::FileSystem& files = io::posix_file_system();
  backup::BackupOptions options;
  options.files = &files;
  options.database_file =
      fmt::format("{}/{}.duckdb", DataPaths{config.data}.warehouse(), config.warehouse_database);
  options.backup_file = file;
  options.contents = {.database = config.warehouse_database,
                      .made = system_clock().now(),
                      .leat_version = LEAT_VERSION,
                      .engine_version = engine::Database::engine_version()};
  if (const auto info = files.stat(options.database_file); !info) {
    return fail(info.error().code,
                fmt::format("there is no warehouse to back up: {}; name its folder with --data",
                            info.error().message));
  }
  LEAT_ASSIGN(const EncryptionKey key, configured_key(config));
  options.contents.key_id = key.id;
  LEAT_ASSIGN(Hold hold, hold_warehouse(config));
  if (hold.directory) LEAT_TRY(backup::finish_exchange(files, DataPaths{config.data}.warehouse()));
  // None is made or removed while the hold lasts.
  const std::string others =
      fmt::format("{}/{}.databases", DataPaths{config.data}.warehouse(), config.warehouse_database);
  if (const auto entries = files.list(others)) {
    for (const io::DirectoryEntry& entry : *entries) {
      if (entry.name.ends_with(".duckdb")) options.other_files.push_back(others + "/" + entry.name);
    }
  } else if (entries.error().code != Errc::kNotFound) {
    return std::unexpected(entries.error());
  }
  Counts counts;
  options.progress = counts.progress();
  options.pause = [] { std::this_thread::sleep_for(kPause); };
  const Progress shown(terminal, [&](double) { return counts.line("copied"); });
  return backup::write_backup(options);
}

/// Plays the log into the unpacked file, and reads what every warehouse has: the last check.
Status open_once(const backup::Contents& contents, const std::string& directory,
                 const EncryptionKey& key) {
  LEAT_ASSIGN(const auto database,
              engine::Database::open({.path = directory + "/" + contents.database + ".duckdb",
                                      .key = contents.encrypted ? key.text : std::string(),
                                      .directories = {directory}}));
  for (const std::string& other : contents.others) {
    LEAT_TRY(database->attach(other, backup::unpacked_other(directory, contents, other)));
  }
  const auto connection = database->connect();
  if (!connection) return fail(Errc::kCorrupt, connection.error().message);
  if (const auto users = (*connection)->query("SELECT name FROM leat_catalog.users"); !users) {
    return fail(Errc::kCorrupt, "the backup holds no warehouse: " + users.error().message);
  }
  return {};
}

/// Before anything is opened: which key the backup needs.
Status check_key(const backup::Contents& contents, const EncryptionKey& key) {
  if (!contents.encrypted || (key.id == contents.key_id && !key.id.empty())) return {};
  const std::string wanted =
      contents.key_id.empty() ? "one that was not known when it was made" : contents.key_id;
  if (key.text.empty()) {
    return fail(Errc::kDenied,
                fmt::format("the backup is encrypted, and its key is {}: name the key's file in "
                            "warehouse.encryption_key_file",
                            wanted));
  }
  // What was not known is tried.
  if (contents.key_id.empty()) return {};
  return fail(Errc::kDenied,
              fmt::format("the backup is encrypted with the key {}, and the file in "
                          "warehouse.encryption_key_file holds the key {}: name the other's file",
                          wanted, key.id));
}

Result<backup::Contents> restore(const Terminal& terminal, const Config& config,
                                 const std::string& file) {
  io::FileSystem& files = io::posix_file_system();
  LEAT_ASSIGN(const bool is_backup, is_backup_file(file));
  if (!is_backup) return fail(Errc::kInvalid, file + " is no backup of a warehouse");
  LEAT_ASSIGN(const DataDirectory data, DataDirectory::open(config.data));
  const std::string directory = data.paths().warehouse();
  const std::string there = fmt::format("{}/{}.duckdb", directory, config.warehouse_database);
  if (files.stat(there)) {
    return fail(
        Errc::kConflict,
        fmt::format("{} exists; a backup is restored where no warehouse is: move it away, or "
                    "choose another directory with --data",
                    there));
  }
  Counts counts;
  const Progress shown(terminal, [&](double) { return counts.line("unpacked"); });
  const std::string unpacked = directory + ".restoring";
  LEAT_ASSIGN(backup::Contents contents,
              backup::unpack_backup(files, file, unpacked, counts.progress()));
  if (contents.database != config.warehouse_database) {
    return fail(Errc::kInvalid,
                fmt::format("the backup is of the database {}, and warehouse.database is {}: set "
                            "LEAT_WAREHOUSE_DATABASE={}, or warehouse.database in leat.yml",
                            contents.database, config.warehouse_database, contents.database));
  }
  LEAT_ASSIGN(const EncryptionKey key, configured_key(config));
  LEAT_TRY(check_key(contents, key));
  LEAT_TRY(open_once(contents, unpacked, key));
  LEAT_TRY(backup::install_databases(files, unpacked, contents, directory));
  return contents;
}

Exit say(const Terminal& terminal, const BackupCommandOptions& options, std::string_view what,
         const Result<backup::Contents>& contents, std::int64_t started_us) {
  if (!contents) return report(terminal, contents.error());
  if (options.json) {
    terminal.print(backup_json(*contents) + "\n");
    return Exit::kOk;
  }
  const double seconds = static_cast<double>(system_clock().monotonic_us() - started_us) / 1e6;
  terminal.say(fmt::format("{} {}: {} in {:.1f} s, {}\n", what, contents->database,
                           size_text(contents->bytes()), seconds, options.file));
  return Exit::kOk;
}

}  // namespace

Result<bool> is_backup_file(const std::string& path) {
  LEAT_ASSIGN(const auto file, io::posix_file_system().open(path, {}));
  std::string start(16, '\0');
  LEAT_ASSIGN(const std::size_t got, file->pread(start, 0));
  start.resize(got);
  return backup::is_backup(start);
}

std::string backup_text(const backup::Contents& contents) {
  return fmt::format(
      "backup of the warehouse {}, made {}\n  database  {}\n  log       {}\n{}{}  by        leat "
      "{}, "
      "DuckDB {}\nall checksums are right\n",
      contents.database, format_iso8601(contents.made), size_text(contents.database_bytes),
      size_text(contents.log_bytes),
      contents.others.empty()
          ? std::string()
          : fmt::format("  others    {} databases, {}\n", contents.others.size(),
                        size_text(contents.other_bytes)),
      contents.encrypted
          ? fmt::format("  key       {}\n",
                        contents.key_id.empty() ? "not known" : contents.key_id.c_str())
          : std::string(),
      contents.leat_version, contents.engine_version);
}

std::string backup_json(const backup::Contents& contents) {
  return fmt::format(R"({{"database":{},"made_at":"{}","database_bytes":{},"log_bytes":{},)"
                     R"("other_databases":{},"other_bytes":{},)"
                     R"("encrypted":{},"key":{},"leat":{},"duckdb":{}}})",
                     json_string(contents.database), format_iso8601(contents.made),
                     contents.database_bytes, contents.log_bytes, contents.others.size(),
                     contents.other_bytes, contents.encrypted, json_string(contents.key_id),
                     json_string(contents.leat_version), json_string(contents.engine_version));
}

Exit run_backup(const Terminal& terminal, const BackupCommandOptions& options) {
  const std::int64_t started_us = system_clock().monotonic_us();
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  return say(terminal, options, "backed up",
             back_up(terminal, *config, absolute_path(options.file)), started_us);
}

Exit run_restore(const Terminal& terminal, const BackupCommandOptions& options) {
  const std::int64_t started_us = system_clock().monotonic_us();
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  return say(terminal, options, "restored", restore(terminal, *config, absolute_path(options.file)),
             started_us);
}

}  // namespace leat::app
