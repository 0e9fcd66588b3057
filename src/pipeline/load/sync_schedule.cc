#include "pipeline/load/sync_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "base/text.h"

namespace leat::load {
namespace {

constexpr std::size_t kHistoryMax = 200;
constexpr std::int64_t kBackoffFirstUs = kUsPerSecond;
constexpr std::int64_t kBackoffMaxUs = 60 * kUsPerSecond;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

std::int64_t backoff_us(int failures, std::int64_t period_us) {
  const int doublings = std::clamp(failures - 1, 0, 20);
  return std::min({kBackoffFirstUs << doublings, period_us, kBackoffMaxUs});
}

struct SourceMetrics {
  metrics::Counter* succeeded = nullptr;
  metrics::Counter* failed = nullptr;
  metrics::Counter* batches = nullptr;
  metrics::Counter* loaded = nullptr;
  metrics::Counter* deduplicated = nullptr;
  metrics::Counter* rescued = nullptr;
  metrics::Counter* excluded = nullptr;
  metrics::Counter* values_rescued = nullptr;
  metrics::Counter* staged_bytes = nullptr;
  metrics::Histogram* duration = nullptr;
  metrics::Gauge* last_success = nullptr;
  metrics::Gauge* failures_in_a_row = nullptr;
};

SourceMetrics make_metrics(metrics::Registry& registry, const std::string& source) {
  const auto syncs = [&](const char* result) {
    return &registry.counter("leat_load_syncs_total", "Syncs by result",
                             {{"source", source}, {"result", result}});
  };
  const auto events = [&](const char* outcome) {
    return &registry.counter("leat_load_events_total", "Events by what became of them",
                             {{"source", source}, {"outcome", outcome}});
  };
  const metrics::Labels labels = {{"source", source}};
  return SourceMetrics{
      .succeeded = syncs("success"),
      .failed = syncs("failure"),
      .batches = &registry.counter("leat_load_batches_total", "Batches loaded", labels),
      .loaded = events("loaded"),
      .deduplicated = events("deduplicated"),
      .rescued = events("rescued"),
      .excluded = events("excluded"),
      .values_rescued = &registry.counter("leat_load_values_rescued_total",
                                          "Single values kept in the rescue table", labels),
      .staged_bytes =
          &registry.counter("leat_load_staged_bytes_total", "Bytes of staged files", labels),
      .duration =
          &registry.histogram("leat_load_sync_duration_seconds", "Duration of syncs", labels),
      .last_success =
          &registry.gauge("leat_load_last_success_timestamp_seconds",
                          "Start of the last successful sync: every event sealed before it is "
                          "in the warehouse",
                          labels),
      .failures_in_a_row = &registry.gauge("leat_load_consecutive_failures",
                                           "Failed syncs since the last good one", labels),
  };
}

void count_report(const SourceMetrics& counters, const SyncReport& report) {
  const auto add = [](metrics::Counter* counter, std::int64_t n) {
    counter->add(static_cast<std::uint64_t>(std::max<std::int64_t>(n, 0)));
  };
  add(counters.batches, report.batches);
  add(counters.loaded, report.events.loaded);
  add(counters.deduplicated, report.events.deduplicated);
  add(counters.rescued, report.events.rescued);
  add(counters.excluded, report.events.excluded);
  add(counters.values_rescued, report.values_rescued);
  add(counters.staged_bytes, report.staged_bytes);
}

}  // namespace

struct SyncSchedule::Impl {
  struct Entry {
    SourceState state;
    std::int64_t due_us = 0;      // monotonic; kNever: only when asked
    std::uint64_t requested = 0;  // tickets of sync_now; one run serves all taken before it began
    std::uint64_t served = 0;
    std::optional<Error> outcome_error;  // of the run that served `served`
    SyncReport outcome;
    std::optional<SourceMetrics> counters;
  };

  Impl(SyncScheduleOptions schedule_options, Sync sync_function)
      : options(std::move(schedule_options)), sync(std::move(sync_function)) {
    for (const SourceSettings& source : options.sources) {
      Entry entry;
      entry.state.source = source;
      entry.due_us = due_after(std::nullopt);
      if (options.metrics != nullptr) entry.counters = make_metrics(*options.metrics, source.name);
      entries.push_back(std::move(entry));
    }
    for (Entry& entry : entries) show_next_run(entry);
  }

  // When to start after a start at `last`, by the monotonic clock.
  [[nodiscard]] std::int64_t due_after(std::optional<TimeUs> last) const {
    const TimeUs now = options.clock->now();
    const auto next = options.times.next(last, now);
    return next ? options.clock->monotonic_us() + (next->value - now.value) : kNever;
  }

  [[nodiscard]] std::int64_t due_after_failure(int failures) const {
    if (options.times.is_manual()) return kNever;
    const TimeUs now = options.clock->now();
    const TimeUs retry{now.value + backoff_us(failures, options.times.period_us())};
    const TimeUs allowed = options.times.into_hours(retry);
    return options.clock->monotonic_us() + (allowed.value - now.value);
  }

  // The entry to run now, requested ones first; else nothing. With `mutex` held.
  Entry* pick(std::int64_t now) {
    for (Entry& entry : entries) {
      if (entry.requested > entry.served) return &entry;
    }
    Entry* best = nullptr;
    for (Entry& entry : entries) {
      if (entry.due_us <= now && (best == nullptr || entry.due_us < best->due_us)) best = &entry;
    }
    return best;
  }

  [[nodiscard]] std::int64_t next_due() const {
    std::int64_t due = kNever;
    for (const Entry& entry : entries) due = std::min(due, entry.due_us);
    return due;
  }

  void show_next_run(Entry& entry) const {
    if (entry.due_us == kNever) {
      entry.state.next_run.reset();
      return;
    }
    const std::int64_t wait =
        std::max<std::int64_t>(entry.due_us - options.clock->monotonic_us(), 0);
    entry.state.next_run = TimeUs{options.clock->now().value + wait};
  }

  // Runs one sync with `lock` released.
  void run_entry(Entry& entry, std::unique_lock<std::mutex>& lock) {
    const std::uint64_t serving = entry.requested;
    const std::int64_t started_us = options.clock->monotonic_us();
    entry.state.running = true;
    entry.state.last_started = options.clock->now();
    entry.state.next_run.reset();
    const SourceSettings source = entry.state.source;
    lock.unlock();
    auto result = sync(source, stop_source.get_token());
    lock.lock();
    entry.state.running = false;
    if (entry.counters)
      entry.counters->duration->observe_us(options.clock->monotonic_us() - started_us);
    if (result) {
      finish_success(entry, std::move(*result));
    } else {
      finish_failure(entry, std::move(result).error());
    }
    entry.served = serving;
    show_next_run(entry);
    finished.notify_all();
  }

  void finish_success(Entry& entry, SyncReport report) {
    SourceState& state = entry.state;
    const bool recovered = state.consecutive_failures > 0;
    state.last_success = options.clock->now();
    state.last_error.clear();
    state.last_error_kind.clear();
    state.consecutive_failures = 0;
    entry.due_us = due_after(state.last_started);
    entry.outcome_error.reset();
    if (entry.counters) {
      entry.counters->succeeded->add();
      entry.counters->failures_in_a_row->set(0);
      entry.counters->last_success->set(state.last_started->value / kUsPerSecond);
      count_report(*entry.counters, report);
    }
    if (recovered) log::info("load", "source \"{}\": syncs work again", state.source.name);
    if (report.batches > 0) {
      log::info("load",
                "source \"{}\": sync {} loaded {} batches, {} events ({} duplicates, {} rescued, "
                "{} excluded)",
                state.source.name, report.sync_id, report.batches, report.events.received,
                report.events.deduplicated, report.events.rescued, report.events.excluded);
      state.last_report = report;
      remember(SyncHistoryEntry{report, ""});
    }
    entry.outcome = std::move(report);
  }

  void finish_failure(Entry& entry, SyncFailure failure) {
    SourceState& state = entry.state;
    // Stopping is no failure of the sync.
    if (failure.kind != FailureKind::kStopped) {
      ++state.consecutive_failures;
      state.last_failure = options.clock->now();
      state.last_error = failure.error.message;
      state.last_error_kind = failure_kind_name(failure.kind);
      // The 1st, 2nd, 4th, 8th ... in a row: a day away must not fill the log.
      if (std::has_single_bit(static_cast<unsigned>(state.consecutive_failures))) {
        log::warning("load", "source \"{}\": sync {} failed, {} in a row: {}", state.source.name,
                     failure.done.sync_id, state.consecutive_failures, failure.error.message);
      }
    }
    entry.due_us = due_after_failure(state.consecutive_failures);
    if (entry.counters) {
      entry.counters->failed->add();
      entry.counters->failures_in_a_row->set(state.consecutive_failures);
      count_report(*entry.counters, failure.done);
    }
    if (failure.done.batches > 0) state.last_report = failure.done;
    remember(SyncHistoryEntry{failure.done, failure.error.message});
    entry.outcome = std::move(failure.done);
    entry.outcome_error = std::move(failure.error);
  }

  void remember(SyncHistoryEntry entry) {
    const bool repeats =
        !history.empty() && !entry.error.empty() && history.front().error == entry.error &&
        history.front().report.source == entry.report.source && entry.report.batches == 0;
    if (repeats) {
      entry.times = history.front().times + 1;
      history.front() = std::move(entry);
      return;
    }
    history.push_front(std::move(entry));
    if (history.size() > kHistoryMax) history.pop_back();
  }

  void run_thread() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      const std::int64_t now = options.clock->monotonic_us();
      if (Entry* entry = pick(now); entry != nullptr) {
        run_entry(*entry, lock);
        continue;
      }
      const std::int64_t due = next_due();
      // At most an hour at once, so that the arithmetic of the wait cannot overflow.
      const std::int64_t wait_us = due == kNever ? kUsPerHour : std::min(due - now, kUsPerHour);
      wake.wait_for(lock, std::chrono::microseconds(wait_us));
    }
  }

  Result<std::vector<Entry*>> select(std::string_view source) {
    std::vector<Entry*> selected;
    std::vector<std::string> names;
    for (Entry& entry : entries) {
      names.push_back(entry.state.source.name);
      if (source.empty() || entry.state.source.name == source) selected.push_back(&entry);
    }
    if (!selected.empty() || source.empty()) return selected;
    std::string message = fmt::format("there is no source \"{}\"", source);
    if (const auto near = near_miss(source, names))
      message += fmt::format("; did you mean \"{}\"?", *near);
    return fail(Errc::kNotFound, std::move(message));
  }

  SyncScheduleOptions options;
  Sync sync;
  std::thread thread;
  std::stop_source stop_source;

  mutable std::mutex mutex;  // guards all below
  std::condition_variable wake;
  std::condition_variable finished;
  bool started = false;
  bool stopping = false;
  std::deque<Entry> entries;  // addresses stay
  std::deque<SyncHistoryEntry> history;
};

SyncSchedule::SyncSchedule(SyncScheduleOptions options, Sync sync)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(sync))) {}

SyncSchedule::~SyncSchedule() {
  stop();
}

void SyncSchedule::start() {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->started || impl_->stopping) return;
  impl_->started = true;
  impl_->thread = std::thread([this] { impl_->run_thread(); });
}

void SyncSchedule::stop() {
  std::thread thread;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    thread.swap(impl_->thread);
  }
  impl_->stop_source.request_stop();
  impl_->wake.notify_all();
  impl_->finished.notify_all();
  if (thread.joinable()) thread.join();
}

Result<std::vector<SyncReport>> SyncSchedule::sync_now(std::string_view source,
                                                       std::int64_t timeout_us) {
  {
    const std::lock_guard lock(impl_->mutex);
    LEAT_TRY(impl_->select(source));
  }
  // What was acknowledged before this call must be in the archive before its sync starts.
  if (impl_->options.seal_now) LEAT_TRY(impl_->options.seal_now());
  std::unique_lock lock(impl_->mutex);
  if (!impl_->started) return fail(Errc::kUnavailable, "the sync schedule is not running");
  LEAT_ASSIGN(const auto selected, impl_->select(source));
  std::vector<std::uint64_t> tickets;
  for (Impl::Entry* entry : selected) tickets.push_back(++entry->requested);
  impl_->wake.notify_all();
  const auto all_served = [&] {
    for (std::size_t i = 0; i < selected.size(); ++i) {
      if (selected[i]->served < tickets[i]) return false;
    }
    return true;
  };
  const bool done = impl_->finished.wait_for(lock, std::chrono::microseconds(timeout_us),
                                             [&] { return impl_->stopping || all_served(); });
  if (!all_served()) {
    return fail(Errc::kUnavailable,
                done
                    ? "the program is stopping; the next start loads what is left"
                    : fmt::format("the sync has not ended after {} s; it goes on in the background",
                                  timeout_us / kUsPerSecond));
  }
  std::vector<SyncReport> reports;
  for (const Impl::Entry* entry : selected) {
    if (entry->outcome_error) return std::unexpected(*entry->outcome_error);
    reports.push_back(entry->outcome);
  }
  return reports;
}

std::optional<TimeUs> SyncSchedule::run_due() {
  std::unique_lock lock(impl_->mutex);
  while (!impl_->stopping) {
    Impl::Entry* entry = impl_->pick(impl_->options.clock->monotonic_us());
    if (entry == nullptr) break;
    impl_->run_entry(*entry, lock);
  }
  const std::int64_t due = impl_->next_due();
  if (due == kNever) return std::nullopt;
  const std::int64_t wait = std::max<std::int64_t>(due - impl_->options.clock->monotonic_us(), 0);
  return TimeUs{impl_->options.clock->now().value + wait};
}

std::vector<SourceState> SyncSchedule::states() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<SourceState> out;
  for (const Impl::Entry& entry : impl_->entries) out.push_back(entry.state);
  return out;
}

std::vector<SyncHistoryEntry> SyncSchedule::history(std::size_t limit) const {
  const std::lock_guard lock(impl_->mutex);
  const std::size_t count = std::min(limit, impl_->history.size());
  return {impl_->history.begin(), impl_->history.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace leat::load
