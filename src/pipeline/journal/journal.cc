#include "pipeline/journal/journal.h"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "pipeline/journal/format.h"
#include "pipeline/journal/journal_impl.h"

namespace leat::journal {
namespace {

constexpr std::size_t kShardsMax = 256;
constexpr std::uint64_t kSegmentBytesMin = std::uint64_t{64} << 10;
constexpr std::uint64_t kSegmentBytesMax = std::uint64_t{1} << 30;
constexpr std::uint64_t kBufferBytesMin = std::uint64_t{16} << 10;
constexpr std::uint64_t kSegmentsMin =
    3;  // that disk_max must allow: one written, one spare, one being archived
constexpr std::string_view kIdentityPrefix = "{\"leat_journal\":1,\"id\":\"";
constexpr std::string_view kIdentitySuffix = "\"}\n";
constexpr std::string_view kShardPrefix = "shard-";

std::string shard_directory(const std::string& directory, std::size_t shard) {
  return fmt::format("{}/{}{:04}", directory, kShardPrefix, shard);
}

bool is_journal_id(std::string_view id) {
  return id.size() == kJournalIdBytes &&
         id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Reads the journal's name, or makes one when the folder is new.
Result<std::string> identify(const Options& options, bool has_shards) {
  const std::string path = options.directory + "/journal.json";
  const auto text = io::read_file(*options.files, path);
  if (!text && text.error().code != Errc::kNotFound) {
    return std::unexpected(text.error());
  }
  if (text) {
    std::string_view id = *text;
    if (id.starts_with(kIdentityPrefix) && id.ends_with(kIdentitySuffix)) {
      id.remove_prefix(kIdentityPrefix.size());
      id.remove_suffix(kIdentitySuffix.size());
      if (is_journal_id(id)) {
        LEAT_TRY(options.files->sync_directory(options.directory));
        return std::string(id);
      }
    }
    return fail(Errc::kCorrupt, "the journal's name cannot be read; " + path);
  }
  if (has_shards) {
    return fail(Errc::kCorrupt,
                "the journal's name is missing though it has shards; put the file back; " + path);
  }
  std::string id = fmt::format("{:016x}", options.random->next()).substr(0, kJournalIdBytes);
  LEAT_TRY(io::write_file_atomically(*options.files, path,
                                     fmt::format("{}{}{}", kIdentityPrefix, id, kIdentitySuffix)));
  return id;
}

Result<std::size_t> count_shards(const Options& options) {
  LEAT_ASSIGN(const auto entries, options.files->list(options.directory));
  std::size_t count = 0;
  for (const io::DirectoryEntry& entry : entries) {
    if (entry.directory && entry.name.starts_with(kShardPrefix)) {
      const auto number =
          parse_number<std::size_t>(std::string_view(entry.name).substr(kShardPrefix.size()));
      if (number && *number < kShardsMax) {
        count = std::max(count, *number + 1);
      }
    }
  }
  return count;
}

}  // namespace

Status check_sizes(const Options& options) {
  if (options.shard_count < 1 || options.shard_count > kShardsMax) {
    return fail(Errc::kInvalid, fmt::format("journal.shards is {}, 1 to {} are allowed",
                                            options.shard_count, kShardsMax));
  }
  if (options.segment_bytes < kSegmentBytesMin || options.segment_bytes > kSegmentBytesMax ||
      options.segment_bytes % kBlock != 0) {
    return fail(
        Errc::kInvalid,
        fmt::format("journal.segment_bytes is {}, a multiple of {} from {} to {} is allowed",
                    options.segment_bytes, kBlock, kSegmentBytesMin, kSegmentBytesMax));
  }
  if (options.buffer_bytes < kBufferBytesMin ||
      options.buffer_bytes + 2 * kBlock > options.segment_bytes) {
    return fail(Errc::kInvalid, fmt::format("journal.buffer_bytes is {}, {} to {} are allowed",
                                            options.buffer_bytes, kBufferBytesMin,
                                            options.segment_bytes - 2 * kBlock));
  }
  if (options.disk_max / options.shard_count < kSegmentsMin * options.segment_bytes) {
    return fail(
        Errc::kInvalid,
        fmt::format(
            "journal.disk_max is {}, at least {} are needed: {} segments of {} bytes for each of "
            "{} shards",
            options.disk_max, kSegmentsMin * options.segment_bytes * options.shard_count,
            kSegmentsMin, options.segment_bytes, options.shard_count));
  }
  return {};
}

// ---- Shard: the public face of a writer

Result<Offset> Shard::append(const RecordHeader& header, std::string_view lines) {
  const NewRecord record{.header = header, .lines = lines};
  return writer_->append({&record, 1});
}
Result<Offset> Shard::append(std::span<const NewRecord> records) {
  return writer_->append(records);
}
std::size_t Shard::record_bytes_max() const {
  return writer_->record_bytes_max();
}
int Shard::notify_fd() const {
  return writer_->notify_fd();
}
Offset Shard::durable() const {
  return writer_->durable();
}
Status Shard::health() const {
  return writer_->health();
}

// ---- the thread that keeps spare segments ready

void Journal::Impl::prepare_all() {
  bool lacking = false;
  for (std::size_t i = 0; i < options.shard_count; ++i) {
    if (const Status prepared = shards[i].pool->prepare(); !prepared) {
      lacking = true;
      if (prepared.error().message != shards[i].prepare_problem) {
        log::warning("journal", "shard {} has no spare segment: {}", i,
                     prepared.error().to_string());
        shards[i].prepare_problem = prepared.error().message;
      }
    } else {
      shards[i].prepare_problem.clear();
    }
    const SegmentPool::Counts counts = shards[i].pool->counts();
    shards[i].disk_bytes->set(static_cast<std::int64_t>(counts.disk_bytes));
    shards[i].segments->set(static_cast<std::int64_t>(counts.segments));
    shards[i].spares->set(static_cast<std::int64_t>(counts.spares));
  }
  retry_prepare = lacking;
}

void Journal::Impl::run_preparer() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    wanted = false;
    lock.unlock();
    prepare_all();
    lock.lock();
    const auto ready = [this] { return stopping || wanted; };
    if (retry_prepare) {
      wake.wait_for(lock, std::chrono::microseconds(options.retry_us), ready);
    } else {
      wake.wait(lock, ready);
    }
  }
}

void Journal::Impl::want_prepare() {
  {
    const std::lock_guard lock(mutex);
    wanted = true;
  }
  wake.notify_one();
}

void Journal::Impl::stop_preparer() {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
  }
  wake.notify_one();
  if (preparer.joinable()) {
    preparer.join();
  }
}

Status Journal::Impl::open_shard(std::size_t index) {
  static metrics::Registry unread;
  metrics::Registry& registry = options.metrics != nullptr ? *options.metrics : unread;
  const metrics::Labels labels{{"shard", fmt::format("{}", index)}};
  const bool writable = index < options.shard_count;
  ShardState& state = shards.emplace_back();
  state.disk_bytes =
      &registry.gauge("leat_journal_disk_bytes", "Bytes of the shard's segment files.", labels);
  state.segments = &registry.gauge("leat_journal_segments",
                                   "Segments that hold records not released yet.", labels);
  state.spares =
      &registry.gauge("leat_journal_spare_segments", "Segment files without records.", labels);
  state.pool = std::make_unique<SegmentPool>(
      PoolOptions{.files = options.files,
                  .directory = shard_directory(options.directory, index),
                  .journal_id = id,
                  .shard = static_cast<std::uint32_t>(index),
                  .segment_bytes = options.segment_bytes,
                  .disk_max = options.disk_max / options.shard_count,
                  .clock = options.clock,
                  .random = options.random});
  LEAT_ASSIGN(auto active, state.pool->recover(writable));
  if (!writable) {
    return {};
  }
  LEAT_ASSIGN(state.writer, ShardWriter::open({.pool = state.pool.get(),
                                               .buffer_bytes = options.buffer_bytes,
                                               .commit_interval_us = options.commit_interval_us,
                                               .retry_us = options.retry_us,
                                               .clock = options.clock,
                                               .metrics = options.metrics,
                                               .shard = static_cast<std::uint32_t>(index),
                                               .segment_taken = [this] { want_prepare(); }},
                                              state.pool->recovered(), std::move(active)));
  state.shard = std::make_unique<Shard>(*state.writer);
  state.writer->ensure_segment();
  return {};
}

// ---- Journal

Result<std::unique_ptr<Journal>> Journal::open(Options options) {
  if (options.directory.empty()) return fail(Errc::kInvalid, "the journal needs a folder");
  LEAT_TRY(check_sizes(options));
  options.files = options.files != nullptr ? options.files : &io::posix_file_system();
  options.clock = options.clock != nullptr ? options.clock : &system_clock();
  options.random = options.random != nullptr ? options.random : &secure_random();
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  LEAT_TRY(options.files->make_directories(options.directory));
  auto lock = options.files->lock(options.directory + "/lock");
  if (!lock) {
    if (lock.error().code == Errc::kConflict) {
      return fail(Errc::kConflict,
                  "another process has the journal open; stop it first, or give this one its own "
                  "folder; " +
                      options.directory);
    }
    return std::unexpected(lock.error());
  }
  impl->folder_lock = std::move(*lock);
  LEAT_ASSIGN(const std::size_t existing, count_shards(options));
  LEAT_ASSIGN(impl->id, identify(options, existing > 0));
  for (std::size_t i = 0; i < std::max(existing, options.shard_count); ++i) {
    LEAT_TRY(impl->open_shard(i));
  }
  if (options.background) {
    for (std::size_t i = 0; i < options.shard_count; ++i) {
      impl->shards[i].writer->start();
    }
    impl->preparer = std::thread([raw = impl.get()] { raw->run_preparer(); });
  }
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Journal::~Journal() {
  impl_->stop_preparer();
  for (ShardState& state : impl_->shards) {
    if (state.writer) {
      state.writer->abandon();
    }
  }
}

Status Journal::close() {
  impl_->stop_preparer();
  Status result;
  for (ShardState& state : impl_->shards) {
    if (state.writer) {
      Status closed = state.writer->close();
      if (!closed && result) {
        result = std::move(closed);
      }
    }
  }
  return result;
}

const std::string& Journal::id() const {
  return impl_->id;
}
std::size_t Journal::shard_count() const {
  return impl_->options.shard_count;
}
std::size_t Journal::readable_shard_count() const {
  return impl_->shards.size();
}

std::string Journal::stream(std::size_t shard) const {
  return fmt::format("{}-{:04}", impl_->id, shard);
}

Shard& Journal::shard(std::size_t index) {
  LEAT_CHECK(index < shard_count());
  return *impl_->shards[index].shard;
}

Offset Journal::durable(std::size_t shard) const {
  LEAT_CHECK(shard < impl_->shards.size());
  return impl_->shards[shard].durable();
}

void Journal::release(std::size_t shard, Offset through) {
  LEAT_CHECK(shard < impl_->shards.size());
  ShardState& state = impl_->shards[shard];
  state.pool->release(std::min(through, state.durable()));
  if (state.writer) {
    impl_->want_prepare();
    state.writer->poke();
  }
}

Status Journal::begin_segments(std::int64_t timeout_us) {
  for (const ShardState& state : impl_->shards) {
    LEAT_TRY(state.writer ? state.writer->begin_segment(timeout_us) : state.pool->leave_newest());
  }
  return {};
}

Result<std::uint64_t> Journal::erase_released() {
  std::uint64_t erased = 0;
  for (const ShardState& state : impl_->shards) {
    state.pool->release({});  // what was the newest when it was released may have left by now
    LEAT_ASSIGN(const std::uint64_t bytes, state.pool->erase_free());
    erased += bytes;
  }
  return erased;
}

ShardStatus Journal::status(std::size_t shard) const {
  LEAT_CHECK(shard < impl_->shards.size());
  const ShardState& state = impl_->shards[shard];
  const SegmentPool::Counts counts = state.pool->counts();
  ShardStatus status;
  status.shard = shard;
  status.writable = state.writer != nullptr;
  status.durable = state.durable();
  status.oldest = counts.oldest.value == 0 ? Offset{status.durable.value + 1} : counts.oldest;
  status.released = counts.released;
  status.disk_bytes = counts.disk_bytes;
  status.segments = counts.segments;
  status.spare_segments = counts.spares;
  status.durable_line_bytes = state.writer ? state.writer->durable_line_bytes() : 0;
  const Status health = state.writer ? state.writer->health() : Status{};
  status.health = health ? "ok" : health.error().to_string();
  return status;
}

void Journal::run_once() {
  LEAT_CHECK(!impl_->options.background);
  impl_->prepare_all();
  for (ShardState& state : impl_->shards) {
    if (state.writer) {
      state.writer->run_once();
    }
  }
}

}  // namespace leat::journal
