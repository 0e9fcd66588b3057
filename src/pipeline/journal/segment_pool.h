// The segment files of one shard: which hold records, which may be reused, and the making of new
// ones.
//
// A file ("slot") is made once, filled with zeros and synced, so that later writes neither change
// metadata nor meet a full disk. Using it writes a fresh header over the old one. The rules that
// keep this safe across a crash:
//   - a header names the oldest segment still needed and, link by link, every one between; after a
//   crash all of these
//     must be there, or records are missing (kCorrupt);
//   - a slot is reused or removed only when its sequence is below the `oldest` of the newest
//   durable header, so that
//     losing the header being written harms nothing;
//   - a header lies within one 512-byte sector, so that writing it again with a later `oldest` is
//   all or nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "io/aligned_buffer.h"
#include "io/file_system.h"
#include "pipeline/journal/format.h"

namespace leat::journal {

struct PoolOptions {
  io::FileSystem* files = nullptr;
  std::string directory;
  std::string journal_id;
  std::uint32_t shard = 0;
  std::uint64_t segment_bytes = 0;
  std::uint64_t disk_max = 0;  ///< Of this shard.
  const Clock* clock = nullptr;
  Random* random = nullptr;
};

/// The segment being written.
struct ActiveSegment {
  std::unique_ptr<io::File> file;
  std::string path;
  SegmentHeader header;
  std::uint64_t position = kBlock;  ///< Where the next commit goes.
  std::uint32_t next_number = 1;
};

/// Where a record is to be read.
struct ReadableSegment {
  std::string path;
  SegmentHeader header;
  std::uint64_t end = 0;  ///< Bytes that may be read.
};

/// Any thread; activate() and what writes to the active segment belong to the flusher.
class SegmentPool {
 public:
  explicit SegmentPool(PoolOptions options);

  /// Reads the folder: finds the chain of segments, checks that it is whole, and scans the newest
  /// for the durable end. Writes the newest header and the last commit once more and syncs them,
  /// because a process killed before a sync, or after a failed one, left them visible but not
  /// durable; and clears the block behind them, so that an unfinished commit dropped now stays
  /// dropped. Returns the segment to go on with, or nothing when a fresh one is needed.
  [[nodiscard]] Result<std::optional<ActiveSegment>> recover(bool writable);

  /// Offset of the last record that recover() found.
  [[nodiscard]] Offset recovered() const { return recovered_; }

  /// Begins a segment whose first record is `first`: takes a spare, or makes one (kExhausted: disk
  /// full or disk_max).
  [[nodiscard]] Result<ActiveSegment> activate(Offset first);
  /// For a shard that nobody writes to: begins a segment behind the newest one if that has records,
  /// which can then be released like all others. Errors: those of activate().
  [[nodiscard]] Status leave_newest();
  /// The active segment has durable commits up to this byte.
  void set_active_end(std::uint64_t end);
  /// The active segment failed: it is never written again and its file is not reused.
  void poison_active();

  /// Makes a spare when there is none and removes surplus ones. Called in the background.
  [[nodiscard]] Status prepare();

  /// Frees the segments that end at or below `through`.
  void release(Offset through);

  /// Writes zeros over the files that are free and may hold records of an earlier use; returns how
  /// many bytes. A file for which that fails is removed. Any thread.
  [[nodiscard]] Result<std::uint64_t> erase_free();

  /// The segment that holds, or will hold, record `offset`. kNotFound when it was released.
  [[nodiscard]] Result<ReadableSegment> find(Offset offset) const;

  struct Counts {
    std::size_t segments = 0;
    std::size_t spares = 0;
    std::uint64_t disk_bytes = 0;
    std::uint64_t poisoned = 0;
    Offset oldest;  ///< First record held.
    Offset released;
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Segment {
    std::string path;
    SegmentHeader header;
    std::uint64_t end = 0;  ///< Bytes that may be read.
    bool poisoned = false;
  };
  struct Slot {
    std::string path;
    std::uint64_t bytes = 0;
    std::uint64_t sequence = 0;  ///< Of its last use; zero when new.
    bool keep = true;            ///< False: remove it instead of using it again.
    bool is_blank = false;       ///< Zeros but for its header.
  };
  struct Found {
    std::vector<Segment> segments;
    std::vector<Slot> unused;   ///< Never used, or of a wrong size.
    std::vector<Slot> damaged;  ///< With a header that cannot be read.
  };

  [[nodiscard]] Result<Found> read_folder();
  [[nodiscard]] Status read_slot(const std::string& path, Found& found);
  [[nodiscard]] Status link_chain(Found found);
  [[nodiscard]] Status check_damaged(const Slot& slot, std::uint64_t newest) const;
  [[nodiscard]] Result<std::optional<ActiveSegment>> scan_newest(bool writable);
  [[nodiscard]] bool has_usable_slot() const;
  [[nodiscard]] Status ensure_slot();
  [[nodiscard]] Status advance_oldest();
  [[nodiscard]] Result<Slot> take_slot();
  [[nodiscard]] Result<Slot> create_slot(const std::string& path, std::uint64_t bytes);
  [[nodiscard]] Status make_file(const std::string& path, std::uint64_t bytes);
  [[nodiscard]] Status blank(const Slot& slot);
  [[nodiscard]] Status write_spare_header(const Slot& slot);
  [[nodiscard]] bool is_unneeded(const Slot& slot) const;
  [[nodiscard]] Result<std::unique_ptr<io::File>> write_header(const Slot& slot,
                                                               const SegmentHeader& header);
  [[nodiscard]] bool usable(const Slot& slot) const;
  [[nodiscard]] std::uint64_t disk_bytes() const;
  [[nodiscard]] std::string slot_path(std::uint64_t number) const;
  void discard_slot(const Slot& slot);

  PoolOptions options_;
  Offset recovered_;
  std::mutex making_mutex_;       // one thread makes files at a time; taken before all others
  std::mutex header_mutex_;       // one header is written at a time; taken before mutex_
  mutable std::mutex mutex_;      // guards all below; no file is touched under it
  std::deque<Segment> segments_;  // ascending; the last is the newest
  std::deque<Slot> slots_;        // ascending by sequence
  std::uint64_t last_sequence_ = 0;
  std::uint64_t durable_oldest_ = 0;  // `oldest` of the newest durable header
  std::uint64_t next_slot_number_ = 1;
  std::uint64_t making_bytes_ = 0;
  std::uint64_t poisoned_ = 0;
  Offset released_;
};

}  // namespace leat::journal
