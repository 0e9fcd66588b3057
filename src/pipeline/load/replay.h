// Loads batches again that the ledger has already: after a change of settings, a dropped table, or
// a fix of what was rescued.
//
// The same events go through the same transaction as in a sync. A row is its message id, so nothing
// comes twice: a replayed row replaces the row of the same id unless that one is newer. How far a
// replay is stands in the table `replays` beside the ledger and commits with the rows, so that
// whoever goes on with it, after whatever happened, goes on where the last commit was.
// docs/concepts/replay.md tells it in full.
#pragma once

#include <expected>
#include <memory>
#include <stop_token>
#include <vector>

#include "pipeline/load/loader.h"
#include "pipeline/load/replay_state.h"

namespace leat::load {

struct ReplayRequest {
  ReplaySelection selection{};
  bool restart = false;  ///< Begin anew even if a replay of the same selection was not finished.
  bool dry_run = false;  ///< Only find out what would be loaded.
};

/// What the schedule needs of a replayer; a seam for tests.
class ReplayWork {
 public:
  virtual ~ReplayWork() = default;
  /// Goes on with the unfinished replay of that selection, or makes one of all batches that were
  /// loaded before `requested_at`. Errors: kInvalid, kNotFound (the selection), those of a sync.
  [[nodiscard]] virtual std::expected<ReplayState, SyncFailure> begin(const SourceSettings& source,
                                                                      const ReplayRequest& request,
                                                                      TimeUs requested_at,
                                                                      std::stop_token stop) = 0;
  /// Loads one transaction's worth; state.status is "done" when nothing was left, or "stopped" when
  /// another process stopped it. After an error `state` is as before, and step may be called again.
  [[nodiscard]] virtual std::expected<void, SyncFailure> step(const SourceSettings& source,
                                                              ReplayState& state,
                                                              std::stop_token stop) = 0;
  /// Ends an unfinished replay: nobody goes on with it.
  [[nodiscard]] virtual std::expected<void, SyncFailure> abandon(ReplayState& state,
                                                                 std::stop_token stop) = 0;
  /// Replays that were not finished, of all sources, the oldest first.
  [[nodiscard]] virtual std::expected<std::vector<ReplayState>, SyncFailure> unfinished(
      std::stop_token stop) = 0;
};

/// One thread at a time. What it loads, two of them in two processes may both be at: the second one
/// finds out inside the ledger's lock.
class Replayer final : public ReplayWork {
 public:
  explicit Replayer(LoaderOptions options);
  ~Replayer() override;
  Replayer(const Replayer&) = delete;
  Replayer& operator=(const Replayer&) = delete;

  [[nodiscard]] std::expected<ReplayState, SyncFailure> begin(const SourceSettings& source,
                                                              const ReplayRequest& request,
                                                              TimeUs requested_at,
                                                              std::stop_token stop) override;
  [[nodiscard]] std::expected<void, SyncFailure> step(const SourceSettings& source,
                                                      ReplayState& state,
                                                      std::stop_token stop) override;
  [[nodiscard]] std::expected<void, SyncFailure> abandon(ReplayState& state,
                                                         std::stop_token stop) override;
  [[nodiscard]] std::expected<std::vector<ReplayState>, SyncFailure> unfinished(
      std::stop_token stop) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::load
