// One file that holds a whole warehouse: its database files and their logs as they were at one
// moment, in checked chunks (docs/formats/warehouse-backup.md).
//
// The warehouse may run and load meanwhile, if whoever calls keeps it from moving its log into the
// file (engine::Database::hold_checkpoints): until it does, blocks that the file's header or the
// log name are never written again. That it did not is checked: the file's headers must be the same
// before and after, else the copy begins anew.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace leat::io {
class FileSystem;
}

namespace leat::backup {

/// What a backup is of.
struct Contents {
  std::string database{};  ///< Its name; at most 127 bytes.
  TimeUs made{};
  std::string leat_version{};
  std::string engine_version{};
  std::uint64_t database_bytes = 0;
  std::uint64_t log_bytes = 0;  ///< Of the log that goes with the file.
  /// The files of the other databases, "100123.duckdb", and all their bytes, logs included.
  std::vector<std::string> others{};
  std::uint64_t other_bytes = 0;
  bool encrypted = false;  ///< The files are, and so the backup is.
  std::string key_id{};    ///< Of their key, 16 hexadecimal digits; empty: not known.

  [[nodiscard]] std::uint64_t bytes() const { return database_bytes + log_bytes + other_bytes; }
};

/// Told after each chunk; `total` grows until the log has been copied.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct BackupOptions {
  io::FileSystem* files = nullptr;
  std::string database_file{};  ///< DIRECTORY/NAME.duckdb; its log is NAME.duckdb.wal beside it.
  /// DIRECTORY/NAME.databases/NUMBER.duckdb: each other database, with its log beside it.
  std::vector<std::string> other_files{};
  std::string backup_file{};  ///< Must not exist.
  Contents contents{};        ///< database, made, the versions and, when there is a key, key_id.
  Progress progress{};        ///< May be empty.
  /// Called before an attempt after the first: the warehouse was moving its log. Waits a little.
  std::function<void()> pause{};
  int attempts_max = 20;
  std::uint32_t chunk_bytes = 1U << 20U;  ///< At most 16 MiB.
};

/// Writes `backup_file`, whole or not at all, durable when it returns; BACKUP_FILE.new is what a
/// process that died leaves. Errors: kConflict when the file exists, kNotFound without a database
/// file, kAborted when the warehouse moved its log again and again, and those of the file system.
[[nodiscard]] Result<Contents> write_backup(const BackupOptions& options);

/// Whether a file that begins with `bytes` is a backup. Pure.
[[nodiscard]] bool is_backup(std::string_view bytes);

/// Reads all of a backup and checks it. Errors: kCorrupt with the byte where it goes wrong,
/// kInvalid for a file that is none, kUnsupported for a newer version.
[[nodiscard]] Result<Contents> check_backup(io::FileSystem& files, const std::string& backup_file,
                                            const Progress& progress = {});

/// Puts the database files and logs of a backup into `directory`, which is made, or emptied of what
/// an unpacking that was cut off has left: NAME.duckdb, and each other as unpacked_other(). Errors:
/// as check_backup; kConflict when the directory holds anything else.
[[nodiscard]] Result<Contents> unpack_backup(io::FileSystem& files, const std::string& backup_file,
                                             const std::string& directory,
                                             const Progress& progress = {});

/// Where a file of Contents::others is unpacked.
[[nodiscard]] std::string unpacked_other(const std::string& directory, const Contents& contents,
                                         std::string_view other);

/// Moves the database files, whose logs must be empty or gone, from where they were unpacked to
/// `directory`, and removes the former; the first database last, so that there is a warehouse only
/// when all of it is there. Errors: kConflict when a database file or a log is there.
[[nodiscard]] Status install_databases(io::FileSystem& files, const std::string& unpacked_in,
                                       const Contents& contents, const std::string& directory);

}  // namespace leat::backup
