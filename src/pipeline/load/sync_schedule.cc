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
#include "pipeline/load/source_metrics.h"

namespace leat::load {
namespace {

constexpr std::int64_t kBackoffFirstUs = kUsPerSecond;
constexpr std::int64_t kBackoffMaxUs = 60 * kUsPerSecond;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

std::int64_t backoff_us(int failures, std::int64_t period_us) {
  const int doublings = std::clamp(failures - 1, 0, 20);
  return std::min({kBackoffFirstUs << doublings, period_us, kBackoffMaxUs});
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
        memory(options.memory),
        jobs(*options.clock),
        looks_for_replays(options.replays != nullptr) {
    for (const SourceSettings& source : options.sources) {
      Entry entry;
      entry.state.source = source;
      const auto paused = memory.paused_since.find(source.name);
      if (paused != memory.paused_since.end()) entry.state.paused_since = paused->second;
      entry.due_us = due_after(entry, last_start_before(source.name));
      if (options.metrics != nullptr)
        entry.counters = SourceMetrics::make(*options.metrics, source.name);
      if (entry.counters) entry.counters->paused->set(entry.state.is_held() ? 1 : 0);
      entries.push_back(std::move(entry));
    }
    for (Entry& entry : entries) show_next_run(entry);
  }

  // When the process before this one last ran the source; only where the time of the day matters,
  // for else the first syncs run at once. Nothing is known of the future.
  [[nodiscard]] std::optional<TimeUs> last_start_before(const std::string& source) const {
    const auto found = memory.last_starts.find(source);
    if (found == memory.last_starts.end() || !options.times.is_cron()) return std::nullopt;
    return std::min(found->second, options.clock->now());
  }

  // When to start after a start at `last`, by the monotonic clock.
  [[nodiscard]] std::int64_t due_after(const Entry& entry, std::optional<TimeUs> last) const {
    if (entry.state.is_held()) return kNever;
    const TimeUs now = options.clock->now();
    const auto next = options.times.next(last, now);
    return next ? options.clock->monotonic_us() + (next->value - now.value) : kNever;
  }

  [[nodiscard]] std::int64_t due_after_failure(const Entry& entry) const {
    if (options.times.is_manual() || entry.state.is_held()) return kNever;
    const int failures = entry.state.consecutive_failures;
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
    const bool succeeded = result.has_value();
    lock.lock();
    if (entry.counters)
      entry.counters->duration->observe_us(options.clock->monotonic_us() - started_us);
    auto record = result ? finish_success(entry, std::move(*result))
                         : finish_failure(entry, std::move(result).error());
    const TimeUs last_start = *entry.state.last_started;
    lock.unlock();
    // Files: with no lock held that an event loop may wait for.
    if (record && options.history != nullptr) options.history->add(std::move(*record));
    if (succeeded && options.times.is_cron()) remember_start(source.name, last_start);
    lock.lock();
    entry.state.running = false;
    entry.due_us = succeeded ? due_after(entry, last_start) : due_after_failure(entry);
    entry.served = serving;
    show_next_run(entry);
    finished.notify_all();
  }

  std::optional<SyncHistoryEntry> finish_success(Entry& entry, SyncReport report) {
    std::optional<SyncHistoryEntry> record;
    SourceState& state = entry.state;
    const bool recovered = state.consecutive_failures > 0;
    state.last_success = options.clock->now();
    state.last_error.clear();
    state.last_error_kind.clear();
    state.consecutive_failures = 0;
    entry.outcome_error.reset();
    if (entry.counters) {
      entry.counters->succeeded->add();
      entry.counters->failures_in_a_row->set(0);
      entry.counters->last_success->set(state.last_started->value / kUsPerSecond);
      entry.counters->count(report);
    }
    if (recovered) log::info("load", "source \"{}\": syncs work again", state.source.name);
    if (report.batches > 0) {
      log::info("load",
                "source \"{}\": sync {} loaded {} batches, {} events ({} duplicates, {} rescued, "
                "{} excluded), and rescued {} values",
                state.source.name, report.sync_id, report.batches, report.events.received,
                report.events.deduplicated, report.events.rescued, report.events.excluded,
                report.values_rescued);
      state.last_report = report;
      record.emplace().report = report;
    }
    entry.outcome = std::move(report);
    return record;
  }

  std::optional<SyncHistoryEntry> finish_failure(Entry& entry, SyncFailure failure) {
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
    if (entry.counters) {
      entry.counters->failed->add();
      entry.counters->failures_in_a_row->set(state.consecutive_failures);
      entry.counters->count(failure.done);
    }
    const bool has_loaded = failure.done.batches > 0;
    if (has_loaded) state.last_report = failure.done;
    std::optional<SyncHistoryEntry> record;
    if (has_loaded || failure.kind != FailureKind::kStopped) {
      record.emplace();
      record->report = failure.done;
      record->outcome = has_loaded ? SyncOutcome::kPartial : SyncOutcome::kFailure;
      record->error = failure.error.message;
      record->error_kind = failure_kind_name(failure.kind);
      if (failure.kind == FailureKind::kStopped) record->outcome = SyncOutcome::kStopped;
    }
    entry.outcome = std::move(failure.done);
    entry.outcome_error = std::move(failure.error);
    return record;
  }

  // What is to be remembered over restarts, changed by `change` and written; `mutex` not held.
  template <class Change>
  Status remember(const Change& change) {
    const std::lock_guard lock(memory_mutex);
    SyncMemory changed = memory;
    change(changed);
    if (changed == memory) return {};
    if (options.remember) LEAT_TRY(options.remember(changed));
    memory = std::move(changed);
    return {};
  }

  void remember_start(const std::string& source, TimeUs last_start) {
    const Status written =
        remember([&](SyncMemory& changed) { changed.last_starts[source] = last_start; });
    if (written) return;
    log::warning("load",
                 "source \"{}\": when it was synced cannot be kept for the next start: {}; a "
                 "restart may sync it once more",
                 source, written.error().message);
  }

  // The replay whose next step is to be made now; else nothing. With `mutex` held.
  ReplayJobs::Entry* pick_replay(std::int64_t now) {
    for (ReplayJobs::Entry& replay : jobs.entries()) {
      if (replay.job.is_over() || replay.due_us > now) continue;
      const Entry* entry = find(replay.source.name);
      if (entry != nullptr && entry->state.is_held() && !replay.stop_requested) continue;
      const bool sync_is_done = entry == nullptr || entry->served >= replay.ticket;
      if (sync_is_done || replay.stop_requested) return &replay;
    }
    return nullptr;
  }

  [[nodiscard]] const Entry* find(std::string_view source) const {
    for (const Entry& entry : entries) {
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
    replaying = replay.source.name;
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
    replaying.clear();
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
      const Entry* entry = find(replay.source.name);
      const bool is_held = entry != nullptr && entry->state.is_held() && !replay.stop_requested;
      if (!replay.job.is_over() && !is_held) due = std::min(due, replay.due_us);
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

  // The entry of that name, or all.
  Result<std::vector<Entry*>> named(std::string_view source) {
    std::vector<Entry*> found;
    std::vector<std::string> names;
    for (Entry& entry : entries) {
      names.push_back(entry.state.source.name);
      if (source.empty() || names.back() == source) found.push_back(&entry);
    }
    if (!found.empty() || source.empty()) return found;
    std::string message = fmt::format("there is no source \"{}\"", source);
    if (const auto near = near_miss(source, names))
      message += fmt::format("; did you mean \"{}\"?", *near);
    return fail(Errc::kNotFound, std::move(message));
  }

  // Of those, the ones that may be synced now. One that is named and held is an error.
  Result<std::vector<Entry*>> select(std::string_view source) {
    LEAT_ASSIGN(std::vector<Entry*> found, named(source));
    if (!source.empty() && found.front()->state.source.is_paused) {
      return fail(Errc::kInvalid,
                  fmt::format("source \"{0}\" is not loaded: sources.{0}.sync is false; its "
                              "events wait in the archive",
                              source));
    }
    if (!source.empty() && found.front()->state.paused_since) {
      return fail(Errc::kInvalid,
                  fmt::format("source \"{0}\" is paused since {1}; its events wait in the "
                              "archive; leat resume --source {0} loads them",
                              source, format_iso8601(*found.front()->state.paused_since)));
    }
    std::erase_if(found, [](const Entry* entry) { return entry->state.is_held(); });
    return found;
  }

  [[nodiscard]] bool is_busy(const Entry& entry) const {
    return entry.state.running || entry.state.source.name == replaying;
  }

  Result<std::vector<SourceState>> pause(std::string_view source, bool pauses,
                                         std::int64_t timeout_us) {
    std::vector<Entry*> selected;
    {
      const std::lock_guard lock(mutex);
      LEAT_ASSIGN(selected, named(source));
    }
    const TimeUs now = options.clock->now();
    LEAT_TRY(remember([&](SyncMemory& changed) {
      for (const Entry* entry : selected) {
        const std::string& name = entry->state.source.name;
        if (pauses) {
          changed.paused_since.emplace(name, now);
        } else {
          changed.paused_since.erase(name);
        }
      }
    }));
    std::unique_lock lock(mutex);
    std::vector<SourceState> out;
    for (Entry* entry : selected) set_paused(*entry, pauses, now);
    wake.notify_all();
    const auto is_idle = [&] {
      return std::ranges::none_of(selected, [this](const Entry* entry) { return is_busy(*entry); });
    };
    if (pauses) {
      finished.wait_for(lock, std::chrono::microseconds(timeout_us),
                        [&] { return stopping || is_idle(); });
    }
    for (const Entry* entry : selected) {
      out.push_back(entry->state);
      out.back().running = is_busy(*entry);
    }
    return out;
  }

  void set_paused(Entry& entry, bool pauses, TimeUs now) {
    SourceState& state = entry.state;
    if (pauses == state.paused_since.has_value()) return;
    const auto paused_since = state.paused_since;
    state.paused_since = pauses ? std::optional(now) : std::nullopt;
    log::info("load", "source \"{}\": syncs {}", state.source.name,
              pauses ? "are paused; its events wait in the archive" : "go on");
    if (entry.counters) entry.counters->paused->set(state.is_held() ? 1 : 0);
    if (state.running) return;  // its end sets when it is due
    // A time of the schedule that passed meanwhile is made up for, and so is a start that failed.
    const auto last = state.last_started ? state.last_started : paused_since;
    entry.due_us =
        state.consecutive_failures > 0 ? due_after_failure(entry) : due_after(entry, last);
    show_next_run(entry);
  }

  SyncScheduleOptions options;
  Sync sync;
  std::thread thread;
  std::stop_source stop_source;

  std::mutex memory_mutex;  // guards memory and its file; never taken with `mutex` held
  SyncMemory memory;

  mutable std::mutex mutex;  // guards all below
  std::condition_variable wake;
  std::condition_variable finished;
  bool started = false;
  bool stopping = false;
  std::deque<Entry> entries;  // addresses stay
  ReplayJobs jobs;
  bool looks_for_replays = false;
  std::int64_t look_again_us = 0;  // monotonic
  bool synced_last = false;
  std::string replaying;  // source of the replay whose step is being made
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

Result<std::vector<SourceState>> SyncSchedule::pause(std::string_view source,
                                                     std::int64_t timeout_us) {
  return impl_->pause(source, true, timeout_us);
}

Result<std::vector<SourceState>> SyncSchedule::resume(std::string_view source) {
  return impl_->pause(source, false, 0);
}

}  // namespace leat::load
