// Shapes, stages and loads some batches of one source: what a sync and a replay have in common.
// Used by loader.cc and replay.cc only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "pipeline/archive/archive.h"
#include "pipeline/load/freshness.h"
#include "pipeline/load/load_transaction.h"
#include "pipeline/load/loader.h"
#include "pipeline/load/staging.h"
#include "pipeline/shape/shaper.h"

namespace leat::load {

/// A batch, and the seal that it is part of.
struct SealedBatch {
  archive::Batch batch;
  std::string stream;
  journal::Offset first;
  journal::Offset last;
};

[[nodiscard]] std::vector<std::string> ids_of(const std::vector<SealedBatch>& batches);

/// Everything of one transaction that can be made before it.
struct Prepared {
  LoadPlan plan;
  std::unique_ptr<Staging> staging;             ///< Nothing when nothing is to be written.
  std::vector<shape::SelectedCounts> selected;  ///< Of each batch.
  std::vector<TableTimes> times;                ///< Of the tables of events.
  std::int64_t refused_events = 0;  ///< Rescued because the warehouse refused their rows.
};

/// A failure that the destination has no part in.
[[nodiscard]] StepFailure local_failure(Error error);

template <class T>
[[nodiscard]] Step<T> as_step(Result<T> result) {
  if (!result) return std::unexpected(local_failure(std::move(result).error()));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return std::move(*result);
  }
}

/// Waits `ms` or until stopped.
void pause(std::int64_t ms, const std::stop_token& stop);

/// "20261120150000-<random>": of a sync or a replay that starts at `now`.
[[nodiscard]] std::string make_run_id(TimeUs now, Random& random);

/// One thread at a time.
class GroupLoad {
 public:
  explicit GroupLoad(LoaderOptions options);

  [[nodiscard]] const LoaderOptions& options() const { return options_; }

  /// Begins a run: staged files, ledger rows and uuid_ts carry its id and start.
  void begin(std::string run_id, TimeUs started_at, std::stop_token stop);
  /// Closes the connection.
  void end() { connection_.reset(); }

  /// A session of the destination in which the ledger is there.
  [[nodiscard]] Step<void> open();
  /// How long the parts of the run took; find_us is the caller's.
  [[nodiscard]] const SyncPhases& phases() const { return phases_; }
  /// The open session.
  [[nodiscard]] Session session() { return Session(*connection_, options_.destination, stop_); }
  /// The next open looks for the ledger again, the next load at its tables.
  void forget_ledger() {
    ledger_ready_ = false;
    hashed_tables_.clear();
  }
  [[nodiscard]] bool stop_requested() const { return stop_.stop_requested(); }
  [[nodiscard]] const std::stop_token& stop() const { return stop_; }
  [[nodiscard]] StepFailure stopped() const;

  struct Work {
    const SourceSettings& source;
    const std::vector<SealedBatch>& batches;
    const TableColumns& tables;  ///< Of the source's schema.
    shape::Selection selection{};
    bool writes_files = true;
    shape::Refusals refusals{};
    bool shares_stage = true;  ///< Small tables are staged together.
  };
  /// Shapes the batches against the tables as they are known, and stages what they give.
  [[nodiscard]] Step<Prepared> prepare(const Work& work);

  /// Completes a plan by what only the caller knows.
  using CompletePlan = std::function<void(Prepared&)>;
  /// Asked after a connection was lost during COMMIT, inside a transaction that holds the ledger's
  /// lock: the result if that load is there, nothing if it is not.
  using AskOutcome = std::function<Step<std::optional<LoadResult>>(const LoadPlan&, Session&)>;
  struct Loaded {
    Prepared prepared;
    LoadResult result;
  };
  /// Prepares and loads, trying again what may pass by itself. When a table refuses rows, they are
  /// found by trials of ever smaller parts, their events are rescued, and the rest is loaded.
  [[nodiscard]] Step<Loaded> run(Work work, const CompletePlan& complete, const AskOutcome& ask);

 private:
  [[nodiscard]] Step<void> open_session();
  [[nodiscard]] Step<shape::Staged> shape(const Work& work);
  [[nodiscard]] Result<shape::Batch> read_batch(const archive::Batch& batch);
  [[nodiscard]] static Step<StagedTable> plan_table(const Work& work,
                                                    const shape::StagedTable& table);
  [[nodiscard]] Step<void> fill_batches(const Work& work, const shape::Staged& staged,
                                        LoadPlan& plan) const;
  /// Runs the transaction, trying again what may pass by itself.
  [[nodiscard]] Step<LoadResult> load(const SourceSettings& source, const LoadPlan& plan,
                                      const AskOutcome& ask);
  [[nodiscard]] Step<std::optional<LoadResult>> ask_outcome(const LoadPlan& plan,
                                                            const AskOutcome& ask);
  [[nodiscard]] Step<void> find_refused(Work& work, const StepFailure& refusal);
  struct Part;
  /// False: what is left of a refused part loads when it is alone.
  [[nodiscard]] Step<bool> is_part_refused(const Work& work, const std::string& table,
                                           const Part& part);
  static void refuse(Work& work, const std::string& table, const Part& part);
  [[nodiscard]] Step<void> try_part(const Work& work, const std::string& table, std::int64_t first,
                                    std::int64_t end);

  LoaderOptions options_;
  metrics::Histogram* transaction_time_ = nullptr;
  metrics::Counter* retries_ = nullptr;
  std::unique_ptr<Connection> connection_;  // open during a run only
  bool ledger_ready_ = false;
  std::map<std::string, bool> hashed_tables_;  // LoadPlan::hashed_tables

  // Of the run.
  std::string run_id_;
  TimeUs started_at_;
  std::stop_token stop_;
  std::int64_t parts_ = 0;
  SyncPhases phases_;
};

/// The tables of a plan, put into what is known of the schema after it was loaded.
void add_planned_tables(const LoadPlan& plan, TableColumns& known);

/// Adds what a transaction did to the report of its sync.
void add_to_report(const LoadResult& result, std::int64_t staged_bytes, SyncReport& report);

}  // namespace leat::load
