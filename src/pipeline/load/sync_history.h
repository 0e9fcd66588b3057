// The syncs of one process, kept over restarts: every sync that loaded something or failed, with
// what it did, how long each part took, and why it failed.
//
// A file of JSON lines in the data directory, `history.ndjson`, and the one before it: so failures
// are there too when the destination is not (docs/adr/0074). A failure that repeats is one entry
// with a count. Of a line that a crash tore, nothing is read.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "io/file_system.h"
#include "pipeline/load/sync_report.h"

namespace leat::load {

enum class SyncOutcome : std::uint8_t {
  kSuccess,
  kPartial,  ///< Failed after some of its transactions had committed.
  kFailure,  ///< Loaded nothing.
  kStopped,  ///< The program ended after some of its transactions had committed.
};
/// "success", "partial", "failure", "stopped".
[[nodiscard]] std::string_view sync_outcome_name(SyncOutcome outcome);

/// One sync, or failures in a row with the same error.
struct SyncHistoryEntry {
  SyncReport report;  ///< Of the last of them.
  SyncOutcome outcome = SyncOutcome::kSuccess;
  std::string error;       ///< Empty on success; names the next step otherwise.
  std::string error_kind;  ///< failure_kind_name, or empty.
  int times = 1;
  std::string first_sync_id;  ///< Of the first of them.
  TimeUs first_started_at;
};

/// One JSON object, one line. Pure; any thread.
[[nodiscard]] std::string to_json(const SyncHistoryEntry& entry);
/// Reads what to_json wrote; members that are missing are empty. kCorrupt: no such object. Pure;
/// any thread.
[[nodiscard]] Result<SyncHistoryEntry> sync_history_entry(std::string_view json);

struct SyncHistoryOptions {
  io::FileSystem* files = nullptr;  ///< Borrowed. Without: kept in memory only.
  std::string directory = {};       ///< Made when it is not there.
  /// Of both files together; the older is dropped when the newer has half of it.
  std::uint64_t bytes_max = 16U << 20U;
};

/// Any thread.
class SyncHistory {
 public:
  static constexpr std::size_t kInMemory = 200;

  /// Errors: as the file system's.
  [[nodiscard]] static Result<std::unique_ptr<SyncHistory>> open(SyncHistoryOptions options);

  /// Adds a sync. What cannot be written is said in the log, and written with the next one.
  void add(SyncHistoryEntry entry);
  /// The newest, newest first, at most kInMemory of them. Does not block on files.
  [[nodiscard]] std::vector<SyncHistoryEntry> latest(std::size_t limit) const;
  /// The newest of `source` (empty: of all), newest first, also those that are in files only.
  [[nodiscard]] Result<std::vector<SyncHistoryEntry>> read(std::string_view source,
                                                           std::size_t limit) const;
  /// Writes the counts of failures that still go on. Idempotent.
  Status flush();

 private:
  struct Kept {
    SyncHistoryEntry entry;
    bool written = false;  // with its present count
  };

  explicit SyncHistory(SyncHistoryOptions options) : options_(std::move(options)) {}
  [[nodiscard]] std::string path(bool old) const;
  [[nodiscard]] Status open_file();
  [[nodiscard]] Status make_room(std::size_t bytes);
  [[nodiscard]] Status write(const SyncHistoryEntry& entry);
  [[nodiscard]] Status write_all(bool with_counts);
  [[nodiscard]] Result<std::vector<SyncHistoryEntry>> read_files(std::string_view source,
                                                                 std::size_t limit) const;

  SyncHistoryOptions options_;
  mutable std::mutex files_mutex_;  // before mutex_; guards file_, size_ and the files
  std::unique_ptr<io::File> file_;
  std::uint64_t size_ = 0;    // good bytes of it
  bool fails_ = false;        // the last write failed
  mutable std::mutex mutex_;  // guards kept_
  std::deque<Kept> kept_;     // newest first
};

}  // namespace leat::load
