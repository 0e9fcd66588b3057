// The durable log: what stands between "an event was received" and "200, it is kept".
//
// A journal is a folder with one shard per collector loop. A shard numbers its records 1, 2, 3, ...
// for ever; append() copies a record into the buffer that is filling while a flusher thread writes
// and syncs the other one (pipelined group commit: the next commit starts when the last one ends).
// durable() then tells which records will survive kill -9 and power loss. Nothing at or below
// durable() is ever lost; nothing above it was ever promised.
//
// When the disk is full, or the journal has reached `disk_max`, append() refuses with kExhausted
// and works again by itself once there is room. When a write or sync fails, the segment is
// poisoned: it takes nothing more, the records that were not durable yet go into a fresh segment,
// and until one is found append() refuses with kUnavailable.
//
// Bytes on disk: docs/formats/journal.md. Guarantees: docs/concepts/durability.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/time.h"
#include "io/file_system.h"

namespace leat::journal {

/// Number of a record in its shard, from 1, without gaps. Zero: before the first record.
struct Offset {
  std::uint64_t value = 0;
  auto operator<=>(const Offset&) const = default;
};

/// What the collector knows of the lines it appends.
struct RecordHeader {
  std::string_view source;  ///< Name of the source, 1 to 255 bytes.
  TimeUs received_at;
  std::uint32_t event_count = 0;  ///< Lines in the record.
};

/// A record to be appended.
struct NewRecord {
  RecordHeader header;
  std::string_view lines;
};

/// A record read back. The views hold until the reader's next call.
struct Record {
  Offset offset;
  TimeUs received_at;
  std::string_view source;
  std::uint32_t event_count = 0;
  std::string_view lines;
};

struct Options {
  io::FileSystem* files = nullptr;  ///< Borrowed; posix_file_system() when null.
  std::string directory;            ///< Made when missing.
  std::size_t shard_count =
      1;  ///< 1 to 256. May change between runs; shards beyond it stay readable.
  /// Size of a new segment file, 64 KiB to 1 GiB, a multiple of 4096.
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;
  /// Of each of a shard's two buffers; fits a segment. What the requests in flight bring should
  /// fit.
  std::uint64_t buffer_bytes = std::uint64_t{8} << 20;
  /// All files of all shards together.
  std::uint64_t disk_max = std::uint64_t{64} << 30;
  std::int64_t commit_interval_us =
      0;  ///< Start a commit at most this often; 0: whenever the last one ended.
  std::int64_t retry_us =
      500'000;  ///< How often a refusing shard looks for space or a working disk.
  /// Threads commit in the background; without them the owner calls Journal::run_once(), as tests
  /// do.
  bool background = true;
  const Clock* clock = nullptr;          ///< Borrowed; system_clock() when null.
  Random* random = nullptr;              ///< Borrowed; secure_random() when null.
  metrics::Registry* metrics = nullptr;  ///< Borrowed; none when null.
};

/// Errors: kInvalid, a number that is out of its range or does not go with the others.
[[nodiscard]] Status check_sizes(const Options& options);

class ShardWriter;  // shard_writer.h

/// The appending end of one shard. append() belongs to one thread; the rest is for any thread.
class Shard {
 public:
  explicit Shard(ShardWriter& writer) : writer_(&writer) {}

  /// Copies all of `records` (at least one) into the filling buffer, or none, and wakes the
  /// flusher. The records are durable once durable() reaches the returned offset, which is the last
  /// one's. Takes well under a microsecond and never blocks on the disk. Errors: kInvalid (source
  /// empty or too long; records larger than record_bytes_max()), kExhausted (disk full; disk_max;
  /// while health() is fine: the buffer is full, notify_fd() tells when there is room),
  /// kUnavailable (the disk fails; the journal is closed).
  [[nodiscard]] Result<Offset> append(std::span<const NewRecord> records);
  [[nodiscard]] Result<Offset> append(const RecordHeader& header, std::string_view lines);

  /// Most bytes of `lines` that one record can hold.
  [[nodiscard]] std::size_t record_bytes_max() const;
  /// An eventfd that becomes readable when durable() or health() changed, or when there is room
  /// after an append had found none; read 8 bytes to clear it. Owned by the shard.
  [[nodiscard]] int notify_fd() const;
  /// Every record up to and including this one survives a crash.
  [[nodiscard]] Offset durable() const;
  /// Fine, or why append() refuses now. A request that waits for durable() should be refused (503)
  /// when this fails.
  [[nodiscard]] Status health() const;

 private:
  ShardWriter* writer_;
};

/// What an operator sees of one shard.
struct ShardStatus {
  std::size_t shard = 0;
  bool writable = false;  ///< False for shards that an earlier, larger shard_count left behind.
  Offset oldest;          ///< First record still held; durable + 1 when none is.
  Offset durable;
  Offset released;                       ///< Everything up to here may be recycled.
  std::uint64_t durable_line_bytes = 0;  ///< Bytes of lines made durable since open().
  std::uint64_t disk_bytes = 0;
  std::size_t segments = 0;        ///< Files that hold records.
  std::size_t spare_segments = 0;  ///< Files ready to be used.
  std::string health;              ///< "ok" or the error of Shard::health().
};

/// A journal folder, held by one process at a time.
class Journal {
 public:
  /// Locks the folder, finds each shard's durable end and opens it for more. A torn tail of a crash
  /// is cut silently. A full disk is no error here: the shards come up refusing and recover.
  /// Errors: kInvalid (options), kConflict (another process has the folder), kCorrupt (names file
  /// and offset), kUnsupported (written by a newer version).
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(Options options);
  /// Without close(): stops without writing anything more, like a crash.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Commits what was appended, marks the segments as cleanly closed and stops the threads; appends
  /// are refused from now on. The error of the first shard that could not commit everything.
  [[nodiscard]] Status close();

  /// Random name made when the folder was: 10 lower-case hexadecimal digits.
  [[nodiscard]] const std::string& id() const;
  /// Shards to append to: 0 to shard_count()-1.
  [[nodiscard]] std::size_t shard_count() const;
  /// Shards that hold or may hold records: at least shard_count().
  [[nodiscard]] std::size_t readable_shard_count() const;
  /// Name of a shard's sequence of records, unique among all journals: "<id>-<shard, 4 digits>".
  [[nodiscard]] std::string stream(std::size_t shard) const;
  /// The writing end of a shard; the same object each time, it lives as long as the journal.
  [[nodiscard]] Shard& shard(std::size_t index);

  /// As Shard::durable(), for every readable shard. Any thread.
  [[nodiscard]] Offset durable(std::size_t shard) const;
  /// Lets segments wholly at or below `through` be reused: their records are safe elsewhere. Never
  /// goes back. Any thread.
  void release(std::size_t shard, Offset through);
  /// Goes on in fresh segments, so that everything appended before can be released whole. Errors:
  /// no room for one; kUnavailable when the disk takes longer than `timeout_us` for a shard. Any
  /// thread, one at a time.
  [[nodiscard]] Status begin_segments(std::int64_t timeout_us);
  /// Writes zeros over all files whose records are released, which otherwise stay there until they
  /// are reused; returns how many bytes. Errors: those of the file system; what is left is erased
  /// by the next call. Any thread.
  [[nodiscard]] Result<std::uint64_t> erase_released();
  [[nodiscard]] ShardStatus status(std::size_t shard) const;

  /// Does what the background threads would: prepares spare segments, then commits what each shard
  /// has appended. Only without Options::background.
  void run_once();

 private:
  friend class Reader;
  struct Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Reads the durable records of one shard in order, and follows the shard as it grows. One thread;
/// must not outlive the journal. Checks every byte it returns.
class Reader {
 public:
  /// Starts at record `from` (at least 1; may be durable + 1, where nothing is yet).
  Reader(Journal& journal, std::size_t shard, Offset from);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) = delete;

  /// Moves to the next record; false when there is no durable one yet (call again later).
  /// Errors: kNotFound (released and perhaps reused), kCorrupt (names file and position),
  /// kUnavailable (read failed).
  [[nodiscard]] Result<bool> next(Record& record);
  /// The record that next() would return.
  [[nodiscard]] Offset position() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::journal
