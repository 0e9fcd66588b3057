// The replays that a process was asked for, and what is to be done next of them. Used by
// sync_schedule.cc only, which holds its lock around every call.
#pragma once

#include <cstdint>
#include <list>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "pipeline/load/replay.h"

namespace leat::load {

/// waiting (for the sync before it) -> running -> done, failed or stopped. A failure that may pass
/// by itself leaves it running, with the error shown, until it has failed too often in a row.
enum class ReplayPhase : std::uint8_t { kWaiting, kRunning, kDone, kFailed, kStopped };
/// "waiting", "running", "done", "failed", "stopped".
[[nodiscard]] std::string_view replay_phase_name(ReplayPhase phase);

/// What is known of one replay; a copy.
struct ReplayJob {
  std::int64_t number = 0;  ///< From 1, in this process.
  ReplayPhase phase = ReplayPhase::kWaiting;
  ReplayState state;
  std::string error;  ///< Empty when the last step succeeded.
  std::string error_kind;
  Errc error_code = Errc::kUnavailable;

  [[nodiscard]] bool is_over() const {
    return phase != ReplayPhase::kWaiting && phase != ReplayPhase::kRunning;
  }
};

[[nodiscard]] std::string to_json(const ReplayJob& job);

class ReplayJobs {
 public:
  struct Entry {
    ReplayJob job;
    SourceSettings source;
    ReplayRequest request;
    TimeUs requested_at;
    std::uint64_t ticket = 0;  // of the sync that has to come first
    bool has_begun = false;
    bool stop_requested = false;
    std::stop_source stop;
    int failures = 0;
    std::int64_t due_us = 0;  // monotonic
  };
  static constexpr std::size_t kKept = 100;

  explicit ReplayJobs(const Clock& clock) : clock_(clock) {}

  /// The job of that request: one that is not over and has the same selection, or a new one.
  Entry& add(const SourceSettings& source, const ReplayRequest& request, TimeUs requested_at,
             bool& is_new);
  [[nodiscard]] Entry* find(std::int64_t number);
  [[nodiscard]] std::list<Entry>& entries() { return entries_; }
  [[nodiscard]] const std::list<Entry>& entries() const { return entries_; }

  void note_success(Entry& entry, ReplayState state);
  void note_failure(Entry& entry, const SyncFailure& failure);

 private:
  const Clock& clock_;
  std::int64_t last_number_ = 0;
  std::list<Entry> entries_;  // a list: who works on one holds no lock
};

}  // namespace leat::load
