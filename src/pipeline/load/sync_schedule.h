// When each source is synced to one destination: on a period, at once when asked, again with
// backoff after a failure.
//
// States of a source: waiting (next_run in the future) -> due -> running -> waiting. Success sets
// next_run to the next of SyncTimes; a failure sets it to the backoff (1 s doubling to the period,
// at most 60 s, in the hours in which syncs may start) while a person may have to act: events wait
// in the archive, nothing is lost. One sync at a time. Replays take their steps in the same thread,
// between syncs, so no source is ever synced and replayed at once. A paused source is neither; what
// is to be known after a restart (who is paused, when a cron schedule last ran) is remembered.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "pipeline/load/loader.h"
#include "pipeline/load/replay_jobs.h"
#include "pipeline/load/sync_history.h"
#include "pipeline/load/sync_memory.h"
#include "pipeline/load/sync_times.h"

namespace leat::load {

/// What is known of one source's syncs; a copy.
struct SourceState {
  SourceSettings source;
  bool running = false;
  std::optional<TimeUs> last_started;
  std::optional<TimeUs> last_success;  ///< End of the last sync that failed nowhere.
  std::optional<TimeUs> last_failure;
  std::optional<SyncReport> last_report;  ///< The last sync that loaded something.
  std::string last_error;  ///< Empty when the last sync succeeded; names the next step otherwise.
  std::string last_error_kind;  ///< failure_kind_name, or empty.
  int consecutive_failures = 0;
  std::optional<TimeUs> next_run;  ///< Nothing while running, held, or when the schedule is manual.
  std::optional<TimeUs> paused_since;  ///< By a person, at run time.

  /// Paused by a person or by the settings.
  [[nodiscard]] bool is_held() const { return source.is_paused || paused_since.has_value(); }
};

struct SyncScheduleOptions {
  std::vector<SourceSettings> sources;
  SyncTimes times;                       ///< Every minute.
  const Clock* clock = &system_clock();  ///< Borrowed.
  metrics::Registry* metrics = nullptr;  ///< Optional; borrowed.
  /// Seals what the journal holds, so that sync_now brings every event acknowledged before it;
  /// called with no lock held.
  std::function<Status()> seal_now;
  ReplayWork* replays = nullptr;   ///< Optional; borrowed.
  SyncHistory* history = nullptr;  ///< Optional; borrowed. Gets what was loaded and what failed.
  SyncMemory memory;               ///< As the process before this one left it.
  /// Keeps it for the next one; called with no lock held, by one thread at a time. Empty: not kept.
  std::function<Status(const SyncMemory&)> remember;
};

/// Runs the syncs of one destination in one thread of its own.
class SyncSchedule {
 public:
  /// `sync` does the work of one source; the usual one is a Loader's sync.
  using Sync =
      std::function<std::expected<SyncReport, SyncFailure>(const SourceSettings&, std::stop_token)>;

  SyncSchedule(SyncScheduleOptions options, Sync sync);
  /// Stops.
  ~SyncSchedule();
  SyncSchedule(const SyncSchedule&) = delete;
  SyncSchedule& operator=(const SyncSchedule&) = delete;

  /// Starts the thread; the first syncs run at once. Call once.
  void start();
  /// Cancels a running sync (its transaction rolls back) and ends the thread. Idempotent; any
  /// thread.
  void stop();

  /// Seals, then syncs `source` (empty: all) and waits, at most `timeout_us`, for the end. Returns
  /// a report per source. Errors: kNotFound for an unknown source (the message names the near
  /// miss), kUnavailable on timeout or stop, else the sync's own. Any thread but the schedule's
  /// own.
  [[nodiscard]] Result<std::vector<SyncReport>> sync_now(std::string_view source,
                                                         std::int64_t timeout_us);

  /// Starts a replay, or finds the one of the same selection that is not over; a sync of its source
  /// comes before its first step. Errors: kNotFound for an unknown source, kUnsupported without
  /// replays. Returns at once; any thread.
  [[nodiscard]] Result<ReplayJob> start_replay(const ReplayRequest& request);
  /// Ends a replay after the step that it is in, for good. kNotFound. Returns at once; any thread.
  [[nodiscard]] Result<ReplayJob> stop_replay(std::int64_t number);
  /// The replays of this process, the newest first. Any thread.
  [[nodiscard]] std::vector<ReplayJob> replays() const;

  /// Runs every sync that is due by the clock, and all replays to their end, in the caller's
  /// thread; returns when the next sync is due. For tests and for callers with a thread of their
  /// own; not together with start().
  std::optional<TimeUs> run_due();

  /// Copies of the state. Any thread.
  [[nodiscard]] std::vector<SourceState> states() const;

  /// Pauses `source` (empty: each that there is): no sync or step of a replay begins; its events
  /// wait in the archive. Remembered over restarts. Waits, at most `timeout_us`, for the end of
  /// what runs; `running` of a state that is returned tells whether it has ended. Pausing what is
  /// paused changes nothing. Errors: kNotFound for an unknown source; what `remember` says, and
  /// nothing is paused then. Any thread but the schedule's own.
  [[nodiscard]] Result<std::vector<SourceState>> pause(std::string_view source,
                                                       std::int64_t timeout_us);
  /// The reverse, at once; a sync that was missed meanwhile is made up for. Errors as pause.
  [[nodiscard]] Result<std::vector<SourceState>> resume(std::string_view source);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::load
