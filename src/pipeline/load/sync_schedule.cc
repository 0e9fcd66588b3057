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
      : options(std::move(schedule_options)),
        sync(std::move(sync_function)),
        jobs(*options.clock),
        looks_for_replays(options.replays != nullptr) {
    for (const SourceSettings& source : options.sources) {
      Entry entry;
      entry.state.source = source;
      entry.due_us = due_after(source, std::nullopt);
      if (options.metrics != nullptr) entry.counters = make_metrics(*options.metrics, source.name);
      entries.push_back(std::move(entry));
    }
    for (Entry& entry : entries) show_next_run(entry);
  }

  // When to start after a start at `last`, by the monotonic clock.
  [[nodiscard]] std::int64_t due_after(const SourceSettings& source,
                                       std::optional<TimeUs> last) const {
    if (source.is_paused) return kNever;
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
    entry.due_us = due_after(state.source, state.last_started);
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

  // The replay whose next step is to be made now; else nothing. With `mutex` held.
  ReplayJobs::Entry* pick_replay(std::int64_t now) {
    for (ReplayJobs::Entry& replay : jobs.entries()) {
      if (replay.job.is_over() || replay.due_us > now) continue;
      const Entry* entry = find(replay.source.name);
      const bool sync_is_done = entry == nullptr || entry->served >= replay.ticket;
      if (sync_is_done || replay.stop_requested) return &replay;
    }
    return nullptr;
  }

  Entry* find(std::string_view source) {
    for (Entry& entry : entries) {
      if (entry.state.source.name == source) return &entry;
    }
    return nullptr;
  }

  // Makes one step of a replay with `lock` released. Entries of jobs are not erased while one that
  // is not over is worked on.
  void run_replay(ReplayJobs::Entry& replay, std::unique_lock<std::mutex>& lock) {
    const Entry* entry = find(replay.source.name);
    if (!replay.has_begun && replay.ticket > 0 && entry->outcome_error && !replay.stop_requested) {
      jobs.note_failure(replay, SyncFailure{.error = *entry->outcome_error, .done = {}});
      finished.notify_all();
      return;
    }
    ReplayState state = replay.job.state;
    const bool ends = replay.stop_requested;
    const bool begins = !replay.has_begun;
    const auto token = ends ? stop_source.get_token() : replay.stop.get_token();
    lock.unlock();
    std::expected<void, SyncFailure> done;
    if (ends) {
      state.status = "stopped";
      if (!begins) done = options.replays->abandon(state, token);
    } else if (begins) {
      auto begun =
          options.replays->begin(replay.source, replay.request, replay.requested_at, token);
      if (begun) {
        state = std::move(*begun);
      } else {
        done = std::unexpected(std::move(begun).error());
      }
    } else {
      done = options.replays->step(replay.source, state, token);
    }
    lock.lock();
    if (done) {
      replay.has_begun = true;
      jobs.note_success(replay, std::move(state));
    } else {
      jobs.note_failure(replay, done.error());
    }
    finished.notify_all();
  }

  // Replays that a process before this one has not finished go on.
  void find_replays(std::unique_lock<std::mutex>& lock) {
    const auto token = stop_source.get_token();
    lock.unlock();
    auto found = options.replays->unfinished(token);
    lock.lock();
    if (!found) {
      look_again_us = options.clock->monotonic_us() + kBackoffMaxUs;
      return;
    }
    looks_for_replays = false;
    for (ReplayState& state : *found) {
      const Entry* entry = find(state.source);
      auto selection = ReplaySelection::parse(state.selection);
      if (entry == nullptr || entry->state.source.is_paused || !selection) continue;
      bool is_new = false;
      ReplayJobs::Entry& replay = jobs.add(
          entry->state.source, {.selection = std::move(*selection)}, state.started_at, is_new);
      if (!is_new) continue;
      log::info("load", "source \"{}\": going on with replay {}: {} of {} batches are done",
                state.source, state.replay_id, state.batches_done, state.batches_total);
      replay.job.phase = ReplayPhase::kRunning;
      replay.job.state = std::move(state);
      replay.job.state.is_resumed = true;
      replay.has_begun = true;
    }
  }

  // Runs what is due, one piece; false when nothing is. A sync and a step of a replay take turns.
  bool run_one(std::unique_lock<std::mutex>& lock) {
    const std::int64_t now = options.clock->monotonic_us();
    Entry* entry = pick(now);
    const bool is_asked_for = entry != nullptr && entry->requested > entry->served;
    ReplayJobs::Entry* replay = pick_replay(now);
    const bool looks_now = looks_for_replays && look_again_us <= now;
    const bool may_replay = replay != nullptr || looks_now;
    if (entry != nullptr && (is_asked_for || !may_replay || !synced_last)) {
      synced_last = true;
      run_entry(*entry, lock);
      return true;
    }
    synced_last = false;
    if (looks_now) {
      find_replays(lock);
      return true;
    }
    if (replay == nullptr) return false;
    run_replay(*replay, lock);
    return true;
  }

  [[nodiscard]] std::int64_t next_replay_due() const {
    std::int64_t due = looks_for_replays ? look_again_us : kNever;
    for (const ReplayJobs::Entry& replay : jobs.entries()) {
      if (!replay.job.is_over()) due = std::min(due, replay.due_us);
    }
    return due;
  }

  void run_thread() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      if (run_one(lock)) continue;
      const std::int64_t now = options.clock->monotonic_us();
      const std::int64_t due = std::min(next_due(), next_replay_due());
      // At most an hour at once, so that the arithmetic of the wait cannot overflow.
      const std::int64_t wait_us = due == kNever ? kUsPerHour : std::min(due - now, kUsPerHour);
      wake.wait_for(lock, std::chrono::microseconds(wait_us));
    }
  }

  Result<std::vector<Entry*>> select(std::string_view source) {
    std::vector<Entry*> selected;
    std::vector<std::string> names;
    for (Entry& entry : entries) {
      const SourceSettings& each = entry.state.source;
      names.push_back(each.name);
      const bool is_meant = source.empty() ? !each.is_paused : each.name == source;
      if (!is_meant) continue;
      if (each.is_paused) {
        return fail(Errc::kInvalid,
                    fmt::format("source \"{0}\" is not loaded: sources.{0}.sync is false; its "
                                "events wait in the archive",
                                source));
      }
      selected.push_back(&entry);
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
  ReplayJobs jobs;
  bool looks_for_replays = false;
  std::int64_t look_again_us = 0;  // monotonic
  bool synced_last = false;
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
    for (ReplayJobs::Entry& replay : impl_->jobs.entries()) replay.stop.request_stop();
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

Result<ReplayJob> SyncSchedule::start_replay(const ReplayRequest& request) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->options.replays == nullptr) {
    return fail(Errc::kUnsupported, "this process runs no replays");
  }
  LEAT_ASSIGN(const auto selected, impl_->select(request.selection.source));
  if (selected.size() != 1) {
    return fail(Errc::kInvalid, "a replay is of one source; say which with --source");
  }
  Impl::Entry& entry = *selected.front();
  ReplayRequest named = request;
  named.selection.source = entry.state.source.name;
  bool is_new = false;
  ReplayJobs::Entry& replay =
      impl_->jobs.add(entry.state.source, named, impl_->options.clock->now(), is_new);
  // What is not loaded yet is the sync's to load.
  if (is_new && !request.dry_run) replay.ticket = ++entry.requested;
  impl_->wake.notify_all();
  return replay.job;
}

Result<ReplayJob> SyncSchedule::stop_replay(std::int64_t number) {
  const std::lock_guard lock(impl_->mutex);
  ReplayJobs::Entry* replay = impl_->jobs.find(number);
  if (replay == nullptr) return fail(Errc::kNotFound, fmt::format("there is no replay {}", number));
  if (!replay->job.is_over()) {
    replay->stop_requested = true;
    replay->due_us = 0;
    replay->stop.request_stop();
    impl_->wake.notify_all();
  }
  return replay->job;
}

std::vector<ReplayJob> SyncSchedule::replays() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<ReplayJob> out;
  for (const ReplayJobs::Entry& replay : impl_->jobs.entries()) {
    out.insert(out.begin(), replay.job);
  }
  return out;
}

std::optional<TimeUs> SyncSchedule::run_due() {
  std::unique_lock lock(impl_->mutex);
  while (!impl_->stopping && impl_->run_one(lock)) {
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
