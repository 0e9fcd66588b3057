#include "pipeline/archive/sealer.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "pipeline/archive/compressor.h"
#include "pipeline/archive/line_buffer.h"
#include "pipeline/archive/names.h"

namespace leat::archive {
namespace {

using journal::Offset;

constexpr std::int64_t kTickUs = 250'000;
constexpr std::int64_t kFirstRetryUs = 250'000;
constexpr std::chrono::milliseconds kAskAgain{100};

struct Range {
  Offset first;
  Offset last;
  bool operator==(const Range&) const = default;
};

// The lines of one object to be, in the order of the journal.
struct Group {
  LineBuffer lines;
  std::uint64_t events = 0;
};
using Groups = std::map<std::pair<std::string, std::string>, Group>;  // (source, hour)

struct Gathered {
  Groups groups;
  std::uint64_t raw_bytes = 0;
  std::uint64_t events = 0;
  Offset last;
};

template <class T>
Status without_value(const Result<T>& result) {
  return result ? Status{} : std::unexpected(result.error());
}

std::string format_intent(const std::string& stream, const Range& range) {
  return fmt::format("{{\"leat_intent\":1,\"stream\":{},\"first\":{},\"last\":{}}}\n",
                     json_string(stream), range.first.value, range.last.value);
}

Result<Range> parse_intent(std::string_view text, const std::string& stream,
                           const std::string& path) {
  const auto object = nlohmann::json::parse(text, nullptr, false);
  if (object.is_object() && object.value("leat_intent", 0U) == 1 &&
      object.value("stream", std::string()) == stream && object.contains("first") &&
      object["first"].is_number_unsigned() && object.contains("last") &&
      object["last"].is_number_unsigned()) {
    const Range range{Offset{object["first"].get<std::uint64_t>()},
                      Offset{object["last"].get<std::uint64_t>()}};
    if (range.first.value != 0 && range.first <= range.last) {
      return range;
    }
  }
  return fail(Errc::kCorrupt, "the seal's intent file cannot be read; " + path);
}

}  // namespace

struct Sealer::Impl {
  // One journal shard on its way into the archive.
  struct Stream {
    std::size_t shard = 0;
    std::string name;
    Offset sealed;                    // everything up to here is sealed
    std::optional<Range> unfinished;  // intended: its seal may or may not exist
    bool registered = false;
    std::optional<std::int64_t> waiting_since_us;  // monotonic, of the first unsealed record
    std::uint64_t bytes_before = 0;  // the journal's durable_line_bytes at the last seal
    unsigned failures = 0;
    std::int64_t retry_at_us = 0;
  };
  struct Instruments {
    explicit Instruments(metrics::Registry& registry)
        : events(registry.counter("leat_archive_sealed_events_total",
                                  "Events sealed into the archive.")),
          batches(registry.counter("leat_archive_sealed_batches_total", "Batches sealed.")),
          raw_bytes(
              registry.counter("leat_archive_raw_bytes_total", "Bytes of event lines sealed.")),
          object_bytes(registry.counter("leat_archive_object_bytes_total",
                                        "Bytes of compressed batches sealed.")),
          failures(
              registry.counter("leat_archive_failures_total", "Attempts to seal that failed.")),
          seconds(registry.histogram("leat_archive_seal_seconds", "Time to make one seal.")) {}
    metrics::Counter& events;
    metrics::Counter& batches;
    metrics::Counter& raw_bytes;
    metrics::Counter& object_bytes;
    metrics::Counter& failures;
    metrics::Histogram& seconds;
  };

  SealerOptions options;
  std::unique_ptr<Instruments> instruments;
  std::mutex step_mutex;  // one step at a time; guards streams and compressor
  std::vector<Stream> streams;
  Compressor compressor;

  mutable std::mutex mutex;  // guards all below; taken after step_mutex
  std::condition_variable wake;
  std::condition_variable stepped;
  std::vector<StreamStatus> statuses;
  bool running = false;
  bool stopping = false;
  bool seal_all = false;
  std::thread thread;

  [[nodiscard]] std::string intent_path(const Stream& stream) const {
    return fmt::format("{}/{}.intent", options.state_directory, stream.name);
  }
  [[nodiscard]] Status open_stream(std::size_t shard);
  [[nodiscard]] Status step(bool all);
  [[nodiscard]] Status advance(Stream& stream, bool all);
  [[nodiscard]] bool is_due(Stream& stream, bool all) const;
  [[nodiscard]] Status seal_next(Stream& stream);
  [[nodiscard]] Status finish(Stream& stream, const Range& range, Gathered gathered);
  [[nodiscard]] Result<bool> is_sealed(const Stream& stream, const Range& range);
  [[nodiscard]] Result<Gathered> gather(const Stream& stream, Offset first,
                                        std::optional<Offset> last);
  [[nodiscard]] Result<Batch> put_batch(const Stream& stream, const Range& range,
                                        const std::string& source, const std::string& hour,
                                        const Group& group);
  [[nodiscard]] Status register_stream(Stream& stream);
  void settle(Stream& stream, Offset sealed);
  void note(const Stream& stream, const Status& result);
  void run();
};

// ---- opening

Status Sealer::Impl::open_stream(std::size_t shard) {
  Stream stream;
  stream.shard = shard;
  stream.name = options.journal->stream(shard);
  const std::string path = intent_path(stream);
  const auto text = io::read_file(*options.files, path);
  if (!text && text.error().code != Errc::kNotFound) {
    return std::unexpected(text.error());
  }
  if (text) {
    LEAT_ASSIGN(const Range range, parse_intent(*text, stream.name, path));
    if (options.journal->durable(shard) < range.last) {
      return fail(
          Errc::kCorrupt,
          fmt::format(
              "the journal of stream {} ends at record {}, but records up to {} were taken from "
              "it: its files are older than the archive; remove the whole journal folder, so that "
              "a "
              "new stream begins, or put the newer files back",
              stream.name, options.journal->durable(shard).value, range.last.value));
    }
    stream.sealed = Offset{range.first.value - 1};
    stream.unfinished = range;
  }
  statuses.push_back({.stream = stream.name,
                      .durable = {},
                      .sealed = stream.sealed,
                      .sealed_events = 0,
                      .sealed_bytes = 0,
                      .error = {}});
  streams.push_back(std::move(stream));
  return {};
}

Result<std::unique_ptr<Sealer>> Sealer::open(SealerOptions options) {
  LEAT_CHECK(options.journal != nullptr && options.store != nullptr);
  options.files = options.files != nullptr ? options.files : &io::posix_file_system();
  options.clock = options.clock != nullptr ? options.clock : &system_clock();
  if (options.state_directory.empty() || options.seal_bytes_max == 0) {
    return fail(Errc::kInvalid,
                "the archive needs a folder for its state and a seal size above zero");
  }
  LEAT_TRY(without_value(io::parse_object_uri(seal_uri(options.bucket, "s", Offset{1}))));
  LEAT_TRY(options.files->make_directories(options.state_directory));
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  static metrics::Registry unread;
  impl->instruments = std::make_unique<Impl::Instruments>(
      impl->options.metrics != nullptr ? *impl->options.metrics : unread);
  for (std::size_t shard = 0; shard < impl->options.journal->readable_shard_count(); ++shard) {
    LEAT_TRY(impl->open_stream(shard));
  }
  return std::unique_ptr<Sealer>(new Sealer(std::move(impl)));
}

Sealer::Sealer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Sealer::~Sealer() {
  stop();
}

// ---- one seal

// Reads records from `first` on: through `last`, or without it as far as they are durable and fit.
Result<Gathered> Sealer::Impl::gather(const Stream& stream, Offset first,
                                      std::optional<Offset> last) {
  journal::Reader reader(*options.journal, stream.shard, first);
  Gathered gathered;
  gathered.last = Offset{first.value - 1};
  journal::Record record;
  while (!last || gathered.last < *last) {
    LEAT_ASSIGN(const bool more, reader.next(record));
    if (!more) {
      break;
    }
    const bool fits = gathered.raw_bytes + record.lines.size() <= options.seal_bytes_max;
    if (!last && !fits && gathered.raw_bytes != 0) {
      break;
    }
    const std::uint64_t newlines = count_byte(record.lines, '\n');
    if (newlines != record.event_count || !record.lines.ends_with('\n')) {
      return fail(Errc::kBug,
                  fmt::format("record {} of stream {} says {} events, but has {} lines",
                              record.offset.value, stream.name, record.event_count, newlines));
    }
    Group& group = gathered.groups[{std::string(record.source), hour_text(record.received_at)}];
    group.lines.append(record.lines);
    group.events += record.event_count;
    gathered.raw_bytes += record.lines.size();
    gathered.events += record.event_count;
    gathered.last = record.offset;
  }
  return gathered;
}

Status Sealer::Impl::register_stream(Stream& stream) {
  if (stream.registered) {
    return {};
  }
  const std::string uri = stream_uri(options.bucket, stream.name);
  auto text = options.store->get(uri);
  if (!text) {
    if (text.error().code != Errc::kNotFound) {
      return std::unexpected(text.error());
    }
    text =
        fmt::format("{{\"leat_stream\":1,\"stream\":{},\"first\":1}}\n", json_string(stream.name));
  }
  // Also when it is there: whoever put it may have failed after it could be seen.
  LEAT_TRY(without_value(options.store->put(uri, *text)));
  stream.registered = true;
  return {};
}

Result<Batch> Sealer::Impl::put_batch(const Stream& stream, const Range& range,
                                      const std::string& source, const std::string& hour,
                                      const Group& group) {
  LEAT_ASSIGN(const std::string object, compressor.compress(group.lines.view()));
  Batch batch{.id = batch_id(source, hour, stream.name, range.first, range.last),
              .source = source,
              .hour = hour,
              .uri = batch_uri(options.bucket, source, hour, stream.name, range.first, range.last),
              .events = group.events,
              .raw_bytes = group.lines.size(),
              .object_bytes = object.size(),
              .xxh128 = to_hex(xxh128(object)),
              .sha256 = {}};
  LEAT_TRY(without_value(options.store->put(batch.uri, object)));
  instruments->batches.add();
  instruments->raw_bytes.add(batch.raw_bytes);
  instruments->object_bytes.add(batch.object_bytes);
  return batch;
}

// Writes the objects of a range whose intent is durable, then its seal; then the range is done.
Status Sealer::Impl::finish(Stream& stream, const Range& range, Gathered gathered) {
  const std::int64_t started_us = options.clock->monotonic_us();
  if (gathered.last != range.last) {
    return fail(
        Errc::kCorrupt,
        fmt::format("stream {} was to be sealed through record {}, but the journal ends at {}",
                    stream.name, range.last.value, gathered.last.value));
  }
  LEAT_TRY(register_stream(stream));
  Seal seal{.stream = stream.name,
            .first = range.first,
            .last = range.last,
            .events = gathered.events,
            .batches = {}};
  for (auto& [key, group] : gathered.groups) {
    LEAT_ASSIGN(Batch batch, put_batch(stream, range, key.first, key.second, group));
    seal.batches.push_back(std::move(batch));
    group.lines = LineBuffer();  // as early as possible: this is the memory bound
  }
  LEAT_TRY(without_value(
      options.store->put(seal_uri(options.bucket, stream.name, range.first), format_seal(seal))));
  settle(stream, range.last);
  instruments->events.add(gathered.events);
  instruments->seconds.observe_us(options.clock->monotonic_us() - started_us);
  const std::lock_guard lock(mutex);
  statuses[stream.shard].sealed_events += gathered.events;
  statuses[stream.shard].sealed_bytes += gathered.raw_bytes;
  return {};
}

void Sealer::Impl::settle(Stream& stream, Offset sealed) {
  stream.sealed = sealed;
  stream.unfinished.reset();
  options.journal->release(stream.shard, sealed);
  const std::lock_guard lock(mutex);
  statuses[stream.shard].sealed = sealed;
}

// Whether an earlier run got as far as the seal. If so the seal is put once more: a process killed
// inside put() may have left it visible but not durable, and the journal is about to be released.
Result<bool> Sealer::Impl::is_sealed(const Stream& stream, const Range& range) {
  const std::string uri = seal_uri(options.bucket, stream.name, range.first);
  const auto text = options.store->get(uri);
  if (!text) {
    return text.error().code == Errc::kNotFound ? Result<bool>(false)
                                                : std::unexpected(text.error());
  }
  const auto seal = parse_seal(*text);
  if (!seal) {
    return fail(seal.error().code, fmt::format("{}; {}", seal.error().message, uri));
  }
  if (seal->stream != stream.name || Range{seal->first, seal->last} != range) {
    return fail(
        Errc::kConflict,
        fmt::format(
            "records {} to {} of stream {} were sealed by somebody else as {} to {}: two copies of "
            "one journal are running; stop one and remove its journal folder; {}",
            range.first.value, range.last.value, stream.name, seal->first.value, seal->last.value,
            uri));
  }
  LEAT_TRY(without_value(options.store->put(uri, *text)));
  return true;
}

Status Sealer::Impl::seal_next(Stream& stream) {
  if (stream.unfinished) {
    const Range range = *stream.unfinished;
    LEAT_ASSIGN(const bool sealed, is_sealed(stream, range));
    if (sealed) {
      settle(stream, range.last);
      return {};
    }
    // The range, and so every name and byte, was fixed by the intent.
    LEAT_TRY(io::write_file_atomically(*options.files, intent_path(stream),
                                       format_intent(stream.name, range)));
    LEAT_ASSIGN(Gathered gathered, gather(stream, range.first, range.last));
    return finish(stream, range, std::move(gathered));
  }
  const Offset first{stream.sealed.value + 1};
  LEAT_ASSIGN(Gathered gathered, gather(stream, first, std::nullopt));
  const Range range{first, gathered.last};
  LEAT_TRY(io::write_file_atomically(*options.files, intent_path(stream),
                                     format_intent(stream.name, range)));
  stream.unfinished = range;
  return finish(stream, range, std::move(gathered));
}

// ---- when

bool Sealer::Impl::is_due(Stream& stream, bool all) const {
  if (stream.unfinished) {
    return true;
  }
  if (options.journal->durable(stream.shard) <= stream.sealed) {
    stream.waiting_since_us.reset();
    return false;
  }
  const std::int64_t now_us = options.clock->monotonic_us();
  if (!stream.waiting_since_us) {
    stream.waiting_since_us = now_us;
  }
  const std::uint64_t bytes = options.journal->status(stream.shard).durable_line_bytes;
  return all || now_us - *stream.waiting_since_us >= options.seal_every_us ||
         bytes - stream.bytes_before >= options.seal_bytes_max;
}

Status Sealer::Impl::advance(Stream& stream, bool all) {
  if (!all && options.clock->monotonic_us() < stream.retry_at_us) {
    return {};
  }
  if (!is_due(stream, all)) {
    return {};
  }
  // Everything that is durable now; what comes meanwhile waits for its own time.
  const std::uint64_t bytes = options.journal->status(stream.shard).durable_line_bytes;
  const Offset target = options.journal->durable(stream.shard);
  Status result;
  while (result && (stream.unfinished || stream.sealed < target)) {
    result = seal_next(stream);
  }
  if (result) {
    stream.bytes_before = bytes;
    stream.waiting_since_us.reset();
    stream.failures = 0;
    stream.retry_at_us = 0;
  } else {
    instruments->failures.add();
    const std::int64_t pause_us =
        std::min(options.retry_us_max, kFirstRetryUs << std::min(stream.failures, 16U));
    stream.retry_at_us = options.clock->monotonic_us() + pause_us;
    ++stream.failures;
  }
  note(stream, result);
  return result;
}

void Sealer::Impl::note(const Stream& stream, const Status& result) {
  const std::string error = result ? "" : result.error().to_string();
  std::string& last = statuses[stream.shard].error;
  const std::lock_guard lock(mutex);
  if (error != last) {
    if (error.empty()) {
      log::info("archive", "stream {} is sealed again", stream.name);
    } else {
      log::error("archive", "stream {} cannot be sealed; its records stay in the journal: {}",
                 stream.name, error);
    }
    last = error;
  }
}

Status Sealer::Impl::step(bool all) {
  const std::lock_guard step_lock(step_mutex);
  Status result;
  for (Stream& stream : streams) {
    Status advanced = advance(stream, all);
    if (!advanced && result) {
      result = std::move(advanced);
    }
  }
  return result;
}

Status Sealer::step(bool all) {
  return impl_->step(all);
}

// ---- the thread

void Sealer::Impl::run() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    const bool all = seal_all;
    seal_all = false;
    lock.unlock();
    [[maybe_unused]] const Status result = step(all);  // also in the status and the log
    lock.lock();
    stepped.notify_all();
    const std::int64_t tick_us = std::clamp<std::int64_t>(options.seal_every_us / 2, 1000, kTickUs);
    wake.wait_for(lock, std::chrono::microseconds(tick_us),
                  [this] { return stopping || seal_all; });
  }
}

void Sealer::start() {
  const std::lock_guard lock(impl_->mutex);
  LEAT_CHECK(!impl_->running);
  impl_->running = true;
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

void Sealer::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  impl_->stepped.notify_all();
  if (impl_->thread.joinable()) {
    impl_->thread.join();
  }
}

Status Sealer::seal_now(std::int64_t timeout_us) {
  std::vector<Offset> targets;
  for (std::size_t shard = 0; shard < impl_->options.journal->readable_shard_count(); ++shard) {
    targets.push_back(impl_->options.journal->durable(shard));
  }
  std::unique_lock lock(impl_->mutex);
  if (!impl_->running) {
    lock.unlock();
    return impl_->step(true);
  }
  const auto reached = [&] {
    for (std::size_t shard = 0; shard < targets.size(); ++shard) {
      if (impl_->statuses[shard].sealed < targets[shard]) {
        return false;
      }
    }
    return true;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(timeout_us);
  while (!reached() && !impl_->stopping && std::chrono::steady_clock::now() < deadline) {
    impl_->seal_all = true;
    impl_->wake.notify_all();
    // After a failure the next try waits a little; a good step ends the wait at once.
    impl_->stepped.wait_until(lock,
                              std::min(deadline, std::chrono::steady_clock::now() + kAskAgain),
                              [&] { return reached() || impl_->stopping; });
  }
  if (reached()) {
    return {};
  }
  for (const StreamStatus& status : impl_->statuses) {
    if (!status.error.empty()) {
      return fail(Errc::kUnavailable,
                  fmt::format("stream {} was not sealed in time: {}", status.stream, status.error));
    }
  }
  return fail(Errc::kUnavailable, "the archive was not sealed in time");
}

std::vector<StreamStatus> Sealer::status() const {
  std::vector<StreamStatus> result;
  {
    const std::lock_guard lock(impl_->mutex);
    result = impl_->statuses;
  }
  for (std::size_t shard = 0; shard < result.size(); ++shard) {
    result[shard].durable = impl_->options.journal->durable(shard);
  }
  return result;
}

}  // namespace leat::archive
