// One shard's writing end: two buffers and the flusher that commits them.
//
//   appending thread:  append() -> filling buffer
//   flusher:           swap filling and flushing; write flushing as one commit; sync; durable()
//   advances; again
//
// States of a shard and what changes them:
//   working    commits succeed. A failed write or sync poisons the segment (write_commit) and tries
//   a fresh one. refusing   the commit found no segment to go to: append() refuses, health() says
//   why. The same commit is tried
//              every retry_us, and when release() made room; success leads back to working.
//   closed     after close() or abandon(): append() refuses for good.
// In every state the records above durable() keep their offsets and order, in the buffers or behind
// them on disk.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "io/aligned_buffer.h"
#include "pipeline/journal/format.h"
#include "pipeline/journal/journal.h"
#include "pipeline/journal/segment_pool.h"

namespace leat::journal {

struct WriterOptions {
  SegmentPool* pool = nullptr;
  std::uint64_t buffer_bytes = 0;
  std::int64_t commit_interval_us = 0;
  std::int64_t retry_us = 0;
  const Clock* clock = nullptr;
  metrics::Registry* metrics = nullptr;  ///< May be null.
  std::uint32_t shard = 0;
  std::function<void()> segment_taken;  ///< Called when a spare was used up; may be empty.
};

class ShardWriter {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ShardWriter>> open(
      WriterOptions options, Offset durable, std::optional<ActiveSegment> active);
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  /// See Shard.
  [[nodiscard]] Result<Offset> append(std::span<const NewRecord> records);
  [[nodiscard]] std::size_t record_bytes_max() const;
  [[nodiscard]] int notify_fd() const { return notify_fd_; }
  [[nodiscard]] Offset durable() const { return Offset{durable_.load(std::memory_order_acquire)}; }
  [[nodiscard]] Status health() const;
  [[nodiscard]] std::uint64_t durable_line_bytes() const {
    return durable_line_bytes_.load(std::memory_order_relaxed);
  }

  /// Has a segment to write to before the first append; failing that, refuses until one is found.
  void ensure_segment();
  /// Starts the flusher thread.
  void start();
  /// Without a thread: commits what is buffered.
  void run_once();
  /// Space may have become free: a refusing shard tries at once.
  void poke();
  /// Goes on in a fresh segment unless this one is fresh. Errors: those of SegmentPool::activate,
  /// and then nothing changed; kUnavailable when closed, or when it takes longer than `timeout_us`.
  [[nodiscard]] Status begin_segment(std::int64_t timeout_us);

  /// Commits what is buffered, marks the clean stop, ends the thread.
  [[nodiscard]] Status close();
  /// Ends the thread after the system call it is in.
  void abandon();

 private:
  struct Buffer {
    io::AlignedBuffer memory;
    std::uint64_t used = kCommitHeaderBytes;  // the commit's header goes in front
    std::uint64_t line_bytes = 0;
    Offset first;
    std::uint32_t records = 0;
    std::uint32_t events = 0;
    std::uint32_t digest = 0;

    void clear() {
      used = kCommitHeaderBytes;
      line_bytes = 0;
      records = 0;
      events = 0;
      digest = 0;
    }
  };
  struct Instruments;

  ShardWriter(WriterOptions options, Offset durable, std::optional<ActiveSegment> active,
              int notify_fd);

  void run();
  [[nodiscard]] bool swap_buffers();
  void take_filling();
  void commit_until_done();
  [[nodiscard]] Status commit_buffer();
  [[nodiscard]] Status write_commit(bool closed);
  [[nodiscard]] Status roll();
  [[nodiscard]] Status take_segment();
  [[nodiscard]] Status leave_segment();
  void finish_commit();
  void set_health(Status health);
  void notify() const;
  void wait_before_retry();
  void pace(std::int64_t started_us);
  [[nodiscard]] Status accepting() const;
  [[nodiscard]] Result<std::uint64_t> measure(std::span<const NewRecord> records) const;

  WriterOptions options_;
  int notify_fd_;
  std::unique_ptr<Instruments> instruments_;
  std::atomic<std::uint64_t> durable_;
  std::atomic<std::uint64_t> durable_line_bytes_{0};
  std::atomic<bool> accepting_{true};  // false: look at health_ and closed_

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  Buffer filling_;
  Offset last_;  // last record appended
  Status health_;
  bool closed_ = false;    // no more appends
  bool stopping_ = false;  // the flusher ends, after what is buffered unless abandoned_
  bool abandoned_ = false;
  bool poked_ = false;
  bool room_wanted_ = false;   // an append found the buffer full
  bool leave_wanted_ = false;  // begin_segment waits
  Status left_;                // what became of it
  std::condition_variable leave_done_;

  // Of the flusher alone:
  Buffer flushing_;
  std::optional<ActiveSegment> active_;
  unsigned failures_ = 0;  // in a row, other than a full disk
  std::thread thread_;
};

}  // namespace leat::journal
