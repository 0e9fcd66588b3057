// One DuckDB instance: a file (or memory) shared by all sessions of the process.
//
// A file is written ahead to FILE.wal and survives kill -9 and power loss at any point; a damaged
// one is refused at open (kCorrupt). No extension is ever downloaded, and only a database with a
// key loads one (encryption.h). SQL can read files in the named directories only. A transaction may
// write to one database file only: what must commit together must be in one file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "warehouse/engine/connection.h"

namespace leat::engine {

struct DatabaseState;
struct ScalarFunction;
struct TableFunction;

struct DatabaseOptions {
  /// Empty: in memory, gone at close.
  std::string path = {};
  /// Workers of all statements together; 0: one per core that the process may use.
  int threads = 0;
  /// Buffers of all statements together; 0: 80 % of the machine.
  std::uint64_t memory_bytes_max = 0;
  /// Where big sorts and joins spill; empty: PATH.tmp, none in memory.
  std::string temp_directory = {};
  /// 0: 90 % of the free space.
  std::uint64_t temp_bytes_max = 0;
  /// WAL size that starts a checkpoint. One writes the last row groups of all changed tables anew,
  /// which is most of what small loads cost; the next start after a crash reads so much.
  std::uint64_t checkpoint_bytes = 128ULL << 20;
  /// With it all files are encrypted, logs and temporary ones too; empty: none is. Never shown.
  std::string key = {};
  /// Without a key: readies the engine for files that are attached with one of their own.
  bool encryption = false;
  /// Absolute; SQL may read and write files below these and nowhere else.
  std::vector<std::string> directories = {};
  /// More of DuckDB's, for tests.
  std::vector<std::pair<std::string, std::string>> settings = {};
};

/// Shared by all threads.
class Database {
 public:
  /// Opens or creates. Errors: kCorrupt for a damaged or foreign file, kConflict when another
  /// process holds it, kInvalid for an unusable option; with a key: kDenied when it is another one
  /// or the file is plain, kNotFound without encryption_extension().
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  /// Every Connection must be gone. Checkpoints, so that the WAL is empty at the next open.
  ~Database();

  [[nodiscard]] SqlResult<std::unique_ptr<Connection>> connect();

  /// Opens or creates another file under the SQL name `name`; detach() closes it. The file must be
  /// in one of the directories; ":memory:": none, gone at detach(). With the key of open(), or with
  /// another (empty: the file is plain). Errors: as open().
  [[nodiscard]] Status attach(std::string_view name, std::string_view path);
  [[nodiscard]] Status attach(std::string_view name, std::string_view path, const std::string& key);
  [[nodiscard]] SqlStatus detach(std::string_view name);

  /// Moves the WAL into the file. Waits for nobody: skipped while transactions are running (they do
  /// it later).
  [[nodiscard]] SqlStatus checkpoint();

  /// From now on the WAL only grows, and neither it nor the file's header nor any block that they
  /// name is written over, so that somebody can copy them. Until as many releases as holds.
  [[nodiscard]] SqlStatus hold_checkpoints();
  void release_checkpoints();

  /// Makes a function of ours callable from SQL in all connections (engine/function.h).
  [[nodiscard]] SqlStatus add_function(ScalarFunction function);
  /// Makes live content a table: SELECT ... FROM name() (engine/source.h).
  [[nodiscard]] SqlStatus add_table_function(TableFunction function);

  /// "1.5.5": the DuckDB in use.
  [[nodiscard]] static std::string engine_version();

 private:
  explicit Database(std::shared_ptr<DatabaseState> state);
  std::shared_ptr<DatabaseState> state_;
};

/// Sets glibc's allocator to keep freed memory (a page fault in a VM costs more than the memory):
/// call once at the start of a process that runs the engine, before threads start.
void tune_allocator();

}  // namespace leat::engine
