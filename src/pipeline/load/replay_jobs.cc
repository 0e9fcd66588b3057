#include "pipeline/load/replay_jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "base/text.h"

namespace leat::load {
namespace {

// Two minutes in all: who waits for the replay shall hear of it, and the next one goes on.
constexpr int kReplayFailuresMax = 8;
constexpr std::int64_t kReplayBackoffMaxUs = 30 * kUsPerSecond;

bool may_pass(FailureKind kind) {
  return kind == FailureKind::kUnreachable || kind == FailureKind::kSerialization ||
         kind == FailureKind::kTimeout || kind == FailureKind::kObjectMissing ||
         kind == FailureKind::kObjectExists;
}

}  // namespace

std::string_view replay_phase_name(ReplayPhase phase) {
  switch (phase) {
    case ReplayPhase::kWaiting:
      return "waiting";
    case ReplayPhase::kRunning:
      return "running";
    case ReplayPhase::kDone:
      return "done";
    case ReplayPhase::kFailed:
      return "failed";
    case ReplayPhase::kStopped:
      return "stopped";
  }
  return "";
}

std::string to_json(const ReplayJob& job) {
  return fmt::format(
      R"({{"number":{},"phase":{},"error":{},"error_kind":{},"error_code":{},"replay":{}}})",
      job.number, json_string(replay_phase_name(job.phase)), json_string(job.error),
      json_string(job.error_kind), json_string(job.error.empty() ? "" : errc_name(job.error_code)),
      to_json(job.state));
}

ReplayJobs::Entry& ReplayJobs::add(const SourceSettings& source, const ReplayRequest& request,
                                   TimeUs requested_at, bool& is_new) {
  const std::string selection = request.selection.to_json();
  for (Entry& entry : entries_) {
    const bool is_same = !entry.job.is_over() && entry.job.state.selection == selection &&
                         entry.request.dry_run == request.dry_run;
    if (is_same && !request.restart) {
      is_new = false;
      return entry;
    }
    // The new one takes its place.
    if (is_same && !request.dry_run) {
      entry.stop_requested = true;
      entry.stop.request_stop();
    }
  }
  is_new = true;
  for (auto at = entries_.begin(); entries_.size() >= kKept && at != entries_.end();) {
    at = at->job.is_over() ? entries_.erase(at) : std::next(at);
  }
  Entry& entry = entries_.emplace_back();
  entry.source = source;
  entry.request = request;
  entry.requested_at = requested_at;
  entry.job.number = ++last_number_;
  entry.job.state.source = source.name;
  entry.job.state.selection = selection;
  entry.job.state.is_dry = request.dry_run;
  entry.job.state.started_at = requested_at;
  entry.job.state.updated_at = requested_at;
  return entry;
}

ReplayJobs::Entry* ReplayJobs::find(std::int64_t number) {
  const auto found = std::ranges::find_if(
      entries_, [number](const Entry& entry) { return entry.job.number == number; });
  return found == entries_.end() ? nullptr : &*found;
}

void ReplayJobs::note_success(Entry& entry, ReplayState state) {
  ReplayJob& job = entry.job;
  entry.failures = 0;
  entry.due_us = 0;
  job.error.clear();
  job.error_kind.clear();
  job.state = std::move(state);
  job.phase = ReplayPhase::kRunning;
  if (job.state.status == "done") job.phase = ReplayPhase::kDone;
  if (job.state.status == "stopped") job.phase = ReplayPhase::kStopped;
  if (job.phase == ReplayPhase::kDone && !job.state.is_dry) {
    const EventCounts& events = job.state.events;
    log::info("load",
              "source \"{}\": replay {} is done: {} batches, {} events ({} new, {} again, {} "
              "rescued, {} excluded)",
              entry.source.name, job.state.replay_id, job.state.batches_done, events.received,
              events.loaded, events.deduplicated, events.rescued, events.excluded);
  }
}

void ReplayJobs::note_failure(Entry& entry, const SyncFailure& failure) {
  ReplayJob& job = entry.job;
  // Stopping is no failure.
  if (failure.kind == FailureKind::kStopped) return;
  ++entry.failures;
  job.error = failure.error.message;
  job.error_code = failure.error.code;
  job.error_kind = failure_kind_name(failure.kind);
  if (!may_pass(failure.kind) || entry.failures >= kReplayFailuresMax) {
    job.phase = ReplayPhase::kFailed;
    log::warning("load", "source \"{}\": replay {} failed: {}", entry.source.name,
                 job.state.replay_id, failure.error.message);
    return;
  }
  const std::int64_t wait =
      std::min(kUsPerSecond << std::min(entry.failures - 1, 6), kReplayBackoffMaxUs);
  entry.due_us = clock_.monotonic_us() + wait;
}

}  // namespace leat::load
