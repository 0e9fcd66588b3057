#include "pipeline/journal/shard_writer.h"

#include <fmt/core.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace leat::journal {

struct ShardWriter::Instruments {
  Instruments(metrics::Registry& registry, const metrics::Labels& labels)
      : records(registry.counter("leat_journal_appended_records_total",
                                 "Records made durable in the journal.", labels)),
        events(registry.counter("leat_journal_appended_events_total",
                                "Events made durable in the journal.", labels)),
        bytes(registry.counter("leat_journal_appended_bytes_total",
                               "Bytes of event lines made durable in the journal.", labels)),
        written_bytes(registry.counter("leat_journal_written_bytes_total",
                                       "Bytes written to segments, with headers and padding.",
                                       labels)),
        refused(registry.counter("leat_journal_refused_records_total",
                                 "Records refused because the disk was full or failed.", labels)),
        full(registry.counter("leat_journal_full_buffer_total",
                              "Appends that found the buffer full and had to wait for a commit.",
                              labels)),
        poisoned(registry.counter("leat_journal_poisoned_segments_total",
                                  "Segments given up because a write or sync failed.", labels)),
        commits(registry.histogram("leat_journal_commit_seconds",
                                   "Time to write and sync one group commit.", labels)),
        durable(registry.gauge("leat_journal_durable_offset", "Last durable record of the shard.",
                               labels)),
        healthy(registry.gauge("leat_journal_healthy", "1 when the shard accepts records, else 0.",
                               labels)) {}

  metrics::Counter& records;
  metrics::Counter& events;
  metrics::Counter& bytes;
  metrics::Counter& written_bytes;
  metrics::Counter& refused;
  metrics::Counter& full;
  metrics::Counter& poisoned;
  metrics::Histogram& commits;
  metrics::Gauge& durable;
  metrics::Gauge& healthy;
};

Result<std::unique_ptr<ShardWriter>> ShardWriter::open(WriterOptions options, Offset durable,
                                                       std::optional<ActiveSegment> active) {
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) {
    return fail_errno(errno, "cannot make an event descriptor for the journal");
  }
  return std::unique_ptr<ShardWriter>(
      new ShardWriter(std::move(options), durable, std::move(active), fd));
}

ShardWriter::ShardWriter(WriterOptions options, Offset durable, std::optional<ActiveSegment> active,
                         int notify_fd)
    : options_(std::move(options)),
      notify_fd_(notify_fd),
      durable_(durable.value),
      last_(durable),
      active_(std::move(active)) {
  filling_.memory = io::AlignedBuffer(options_.buffer_bytes);
  flushing_.memory = io::AlignedBuffer(options_.buffer_bytes);
  static metrics::Registry unread;
  metrics::Registry& registry = options_.metrics != nullptr ? *options_.metrics : unread;
  instruments_ = std::make_unique<Instruments>(
      registry, metrics::Labels{{"shard", fmt::format("{}", options_.shard)}});
  instruments_->durable.set(static_cast<std::int64_t>(durable.value));
  instruments_->healthy.set(1);
}

ShardWriter::~ShardWriter() {
  abandon();
  ::close(notify_fd_);
}

std::size_t ShardWriter::record_bytes_max() const {
  // Not the buffer's own size: the flusher swaps the buffers.
  return round_up_to_block(options_.buffer_bytes) - kCommitHeaderBytes - kFrameHeaderBytes -
         kSourceBytesMax;
}

Status ShardWriter::accepting() const {
  const std::lock_guard lock(mutex_);
  if (closed_) {
    return fail(Errc::kUnavailable, "the journal is closed");
  }
  return health_;
}

/// Bytes of the records' frames. Errors: see Shard::append.
Result<std::uint64_t> ShardWriter::measure(std::span<const NewRecord> records) const {
  std::uint64_t bytes = 0;
  std::uint64_t line_bytes = 0;
  for (const NewRecord& record : records) {
    const std::size_t source_bytes = record.header.source.size();
    if (source_bytes == 0 || source_bytes > kSourceBytesMax) [[unlikely]] {
      return fail(Errc::kInvalid, fmt::format("source name has {} bytes, 1 to {} are allowed",
                                              source_bytes, kSourceBytesMax));
    }
    bytes += frame_bytes(source_bytes, record.lines.size());
    line_bytes += record.lines.size();
  }
  const std::uint64_t room = round_up_to_block(options_.buffer_bytes) - kCommitHeaderBytes;
  if (line_bytes > record_bytes_max() || bytes > room) [[unlikely]] {
    return fail(Errc::kInvalid, fmt::format("{} record(s) have {} bytes, at most {} are allowed; "
                                            "raise journal.buffer_bytes to take larger requests",
                                            records.size(), line_bytes, record_bytes_max()));
  }
  return bytes;
}

Result<Offset> ShardWriter::append(std::span<const NewRecord> records) {
  if (!accepting_.load(std::memory_order_acquire)) [[unlikely]] {
    if (Status refused = accepting(); !refused) {
      instruments_->refused.add(records.size());
      return std::unexpected(std::move(refused).error());
    }
  }
  LEAT_ASSIGN(const std::uint64_t bytes, measure(records));
  bool was_empty = false;
  Offset offset;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) [[unlikely]] {
      return fail(Errc::kUnavailable, "the journal is closed");
    }
    if (filling_.used + bytes > filling_.memory.size()) [[unlikely]] {
      room_wanted_ = true;
      instruments_->full.add();
      return fail(
          Errc::kExhausted,
          fmt::format("the journal's buffer is full: {} bytes wait for the disk", filling_.used));
    }
    was_empty = filling_.records == 0;
    if (was_empty) {
      filling_.first = Offset{last_.value + 1};
    }
    for (const auto& [header, lines] : records) {
      last_ = Offset{last_.value + 1};
      const std::uint32_t checksum =
          encode_frame(filling_.memory.data() + filling_.used, last_, header, lines);
      filling_.digest = extend_digest(filling_.digest, checksum);
      filling_.used += frame_bytes(header.source.size(), lines.size());
      filling_.line_bytes += lines.size();
      filling_.events += header.event_count;
      ++filling_.records;
    }
    offset = last_;
  }
  if (was_empty) {
    wake_.notify_one();
  }
  return offset;
}

Status ShardWriter::health() const {
  if (accepting_.load(std::memory_order_acquire)) [[likely]] {
    return {};
  }
  return accepting();
}

void ShardWriter::notify() const {
  // Fails only when the counter is about to overflow, and then the descriptor is readable already.
  [[maybe_unused]] const int written = ::eventfd_write(notify_fd_, 1);
}

void ShardWriter::set_health(Status health) {
  failures_ = health || health.error().code == Errc::kExhausted ? 0 : failures_ + 1;
  if (health && accepting_.load(std::memory_order_relaxed)) [[likely]] {
    return;
  }
  bool changed = false;
  std::string message = health ? "" : health.error().to_string();
  {
    const std::lock_guard lock(mutex_);
    changed = health_.has_value() != health.has_value() ||
              (!health && health_.error().message != health.error().message);
    health_ = std::move(health);
    accepting_.store(health_.has_value() && !closed_, std::memory_order_release);
  }
  if (!changed) {
    return;
  }
  instruments_->healthy.set(message.empty() ? 1 : 0);
  if (message.empty()) {
    log::info("journal", "shard {} accepts events again", options_.shard);
  } else {
    log::error("journal", "shard {} refuses events: {}", options_.shard, message);
  }
  notify();
}

// ---- the flusher

void ShardWriter::ensure_segment() {
  if (!active_) {
    set_health(roll());
  }
}

void ShardWriter::start() {
  thread_ = std::thread([this] { run(); });
}

void ShardWriter::run_once() {
  LEAT_CHECK(!thread_.joinable());
  if (flushing_.records == 0) {
    const std::lock_guard lock(mutex_);
    take_filling();
  }
  if (flushing_.records != 0) {
    set_health(commit_buffer());
  } else {
    ensure_segment();
  }
}

void ShardWriter::run() {
  while (swap_buffers()) {
    const std::int64_t started_us = options_.clock->monotonic_us();
    commit_until_done();
    if (flushing_.records != 0) {
      return;  // stopped while refusing; close() tries once more and reports
    }
    if (options_.commit_interval_us > 0) {
      pace(started_us);
    }
  }
}

// Waits for records and takes them. False: the flusher ends.
bool ShardWriter::swap_buffers() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (abandoned_ || (stopping_ && filling_.records == 0)) {
      return false;
    }
    if (leave_wanted_) {
      lock.unlock();
      Status left = leave_segment();
      lock.lock();
      left_ = std::move(left);
      leave_wanted_ = false;
      leave_done_.notify_all();
      continue;
    }
    if (filling_.records != 0) {
      take_filling();
      return true;
    }
    if (health_) {
      wake_.wait(lock);
      continue;
    }
    // Refusing without anything to commit: look for a segment all the same, so that appends are
    // accepted again.
    lock.unlock();
    wait_before_retry();
    ensure_segment();
    lock.lock();
  }
}

// Under the mutex.
void ShardWriter::take_filling() {
  std::swap(filling_, flushing_);
  if (std::exchange(room_wanted_, false)) {
    notify();
  }
}

void ShardWriter::commit_until_done() {
  while (true) {
    Status committed = commit_buffer();
    const bool done = committed.has_value();
    set_health(std::move(committed));
    if (done) {
      return;
    }
    wait_before_retry();
    const std::lock_guard lock(mutex_);
    if (abandoned_ || stopping_) {
      return;
    }
  }
}

void ShardWriter::wait_before_retry() {
  // A failing disk costs a segment with each try, so the tries become rare.
  const std::int64_t wait_us = options_.retry_us << std::min(failures_, 6U);
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, std::chrono::microseconds(wait_us),
                 [this] { return poked_ || stopping_ || abandoned_; });
  poked_ = false;
}

void ShardWriter::pace(std::int64_t started_us) {
  const std::int64_t left_us =
      started_us + options_.commit_interval_us - options_.clock->monotonic_us();
  if (left_us > 0) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::microseconds(left_us),
                   [this] { return stopping_ || abandoned_; });
  }
}

Status ShardWriter::roll() {
  active_.reset();
  return take_segment();
}

Status ShardWriter::take_segment() {
  LEAT_ASSIGN(active_,
              options_.pool->activate(Offset{durable_.load(std::memory_order_relaxed) + 1}));
  if (options_.segment_taken) {
    options_.segment_taken();
  }
  return {};
}

// Nothing is lost when there is no fresh one, so this one stays until there is.
Status ShardWriter::leave_segment() {
  if (!active_ || active_->position == kBlock) return {};
  return take_segment();
}

// Commits the flushing buffer, in a fresh segment when this one is full or fails.
Status ShardWriter::commit_buffer() {
  const std::uint64_t bytes = round_up_to_block(flushing_.used);
  if (!active_ || active_->position + bytes > active_->header.segment_bytes) {
    LEAT_TRY(roll());
  }
  if (const Status written = write_commit(false); !written) {
    log::error("journal", "segment is given up: {}", written.error().to_string());
    LEAT_TRY(roll());
    LEAT_TRY(write_commit(false));
  }
  finish_commit();
  return {};
}

// Writes and syncs the flushing buffer as one commit; a failure poisons the segment.
Status ShardWriter::write_commit(bool closed) {
  const std::int64_t started_us = options_.clock->monotonic_us();
  const std::uint64_t bytes = round_up_to_block(flushing_.used);
  char* out = flushing_.memory.data();
  std::fill(out + flushing_.used, out + bytes, '\0');
  CommitHeader header;
  header.nonce = active_->header.nonce;
  header.sequence = active_->header.sequence;
  header.first = Offset{durable_.load(std::memory_order_relaxed) + 1};
  LEAT_CHECK(flushing_.records == 0 || header.first == flushing_.first);
  header.records = flushing_.records;
  header.data_bytes = static_cast<std::uint32_t>(flushing_.used - kCommitHeaderBytes);
  header.events = flushing_.events;
  header.digest = flushing_.digest;
  header.committed_at = options_.clock->now();
  header.number = active_->next_number;
  header.closed = closed;
  encode_commit_header(header, std::span<char, kCommitHeaderBytes>(out, kCommitHeaderBytes));

  Status written = active_->file->pwrite({out, bytes}, active_->position);
  if (written) {
    written = active_->file->sync();
  }
  if (!written) {
    instruments_->poisoned.add();
    options_.pool->poison_active();
    active_.reset();
    return written;
  }
  active_->position += bytes;
  ++active_->next_number;
  options_.pool->set_active_end(active_->position);
  instruments_->written_bytes.add(bytes);
  instruments_->commits.observe_us(options_.clock->monotonic_us() - started_us);
  return {};
}

void ShardWriter::finish_commit() {
  instruments_->records.add(flushing_.records);
  instruments_->events.add(flushing_.events);
  instruments_->bytes.add(flushing_.line_bytes);
  durable_line_bytes_.fetch_add(flushing_.line_bytes, std::memory_order_relaxed);
  const std::uint64_t durable = durable_.load(std::memory_order_relaxed) + flushing_.records;
  durable_.store(durable, std::memory_order_release);
  instruments_->durable.set(static_cast<std::int64_t>(durable));
  flushing_.clear();
  notify();
}

// ---- ending

void ShardWriter::poke() {
  {
    const std::lock_guard lock(mutex_);
    poked_ = true;
  }
  wake_.notify_all();
}

Status ShardWriter::begin_segment(std::int64_t timeout_us) {
  const auto closed = [] { return fail(Errc::kUnavailable, "the journal is closed"); };
  std::unique_lock lock(mutex_);
  if (closed_) return closed();
  if (!thread_.joinable()) {
    lock.unlock();
    return leave_segment();
  }
  leave_wanted_ = true;
  wake_.notify_all();
  leave_done_.wait_for(lock, std::chrono::microseconds(timeout_us),
                       [this] { return !leave_wanted_ || closed_; });
  if (!leave_wanted_) return left_;
  leave_wanted_ = false;
  if (closed_) return closed();
  return fail(Errc::kUnavailable, "the journal's disk takes too long to begin a segment");
}

Status ShardWriter::close() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      return {};
    }
    closed_ = true;
    stopping_ = true;
    accepting_.store(false, std::memory_order_release);
  }
  wake_.notify_all();
  leave_done_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
  notify();
  // What a failing disk or a missing thread left behind.
  while (flushing_.records != 0 || filling_.records != 0) {
    if (flushing_.records == 0) {
      std::swap(filling_, flushing_);
    }
    LEAT_TRY(commit_buffer());
  }
  flushing_.clear();
  if (active_ && active_->position + kBlock <= active_->header.segment_bytes) {
    LEAT_TRY(write_commit(true));
  }
  active_.reset();
  return {};
}

void ShardWriter::abandon() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    stopping_ = true;
    abandoned_ = true;
    accepting_.store(false, std::memory_order_release);
  }
  wake_.notify_all();
  leave_done_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace leat::journal
