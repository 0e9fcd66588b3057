// The one transaction that makes a load exactly-once, and what it needs of the destination before.
//
//   BEGIN -> lock ledger -> none of the batches there? -> tables still as planned? -> make tables
//   and columns
//         -> per table: stage, COPY; small tables share one -> count all of them
//         -> per table: delete replaced, insert
//         -> books balance? -> ledger rows -> COMMIT
//
// A replay goes the same way with batches that have ledger rows: the rows are read inside the lock
// and change by what the replay brings in, rescue rows of events that load now go, and the replay's
// own row says how far it is.
//
// Any failure before COMMIT rolls everything back. A connection lost during COMMIT leaves the
// outcome unknown
// (`commit_uncertain`): the caller asks the ledger, over a new connection, before anything else.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/load/books.h"
#include "pipeline/load/destination.h"
#include "pipeline/load/load_sql.h"
#include "pipeline/load/replay_state.h"

namespace leat::load {

/// Why a step failed. `error` is for people; the rest for the loader.
struct StepFailure {
  Error error;
  FailureKind kind = FailureKind::kOther;
  bool commit_uncertain = false;
  bool plan_is_stale =
      false;  ///< The destination is not what the plan assumed: read it anew, shape anew.
  /// kRowRefused: the table that refused a row of the load; empty when no table did.
  std::string refused_by{};
  bool refused_shared = false;  ///< kRowRefused: it was the stage that small tables share.
};
template <class T>
using Step = std::expected<T, StepFailure>;

/// A failure that should not be possible.
[[nodiscard]] std::unexpected<StepFailure> bug(std::string message);

/// Runs statements of one connection with their names for messages. One thread.
class Session {
 public:
  Session(Connection& connection, const DestinationSettings& settings, std::stop_token stop)
      : connection_(connection), settings_(settings), stop_(std::move(stop)) {}

  /// `action`: what a person calls it, such as "copying into \"web\".\"tracks\"".
  [[nodiscard]] Step<Rows> run(const std::string& sql, std::string_view action);
  [[nodiscard]] const DestinationSettings& settings() const { return settings_; }
  void roll_back();

 private:
  Connection& connection_;
  const DestinationSettings& settings_;
  std::stop_token stop_;
};

/// Columns of a schema's tables by table, in order, with types as DDL writes them ("varchar(512)",
/// "bigint").
using TableColumns = std::map<std::string, std::vector<StagedColumn>>;
/// `tables` empty: all of the schema.
[[nodiscard]] Step<TableColumns> read_columns(Session& session, const std::string& schema,
                                              const std::vector<std::string>& tables);
/// The same of all tables of the schema, as a load may use them: what no row can be inserted into
/// (a view, a table that the user may not see) is there without columns.
[[nodiscard]] Step<TableColumns> read_tables(Session& session, const std::string& schema);

[[nodiscard]] Step<bool> schema_exists(Session& session, const std::string& schema);

/// Makes the ledger's schema and table when missing. kUnsupported when a table of that name is no
/// ledger of this version.
[[nodiscard]] Step<void> ensure_ledger(Session& session);

/// Makes the view `syncs` beside the ledger when nothing of that name is there. It is for people: a
/// failure is no failure of a load, and said in the log.
void offer_syncs_view(Session& session);

/// Newest last_offset of each shard of `source`.
[[nodiscard]] Step<std::map<std::string, std::int64_t>> read_positions(Session& session,
                                                                       const std::string& source);

/// How many deletions of events of `source` were committed.
[[nodiscard]] Step<std::int64_t> read_deletions(Session& session, const std::string& source);

/// Those of the batches that have a ledger row, in the order of `batch_ids`.
[[nodiscard]] Step<std::vector<BatchBooks>> read_batches(Session& session,
                                                         const std::vector<std::string>& batch_ids);

/// What makes a load a replay.
struct ReplayPlan {
  ReplayState before;  ///< As the replay's row must be.
  ReplayState after;   ///< As it is to be, without what this load counts.
  /// Of each batch; is_whole, rescued and excluded are set.
  std::vector<ReplayCounts> counts;
  std::vector<std::int64_t> first_orders;  ///< kOrderColumn of each batch's first line.
  bool has_rescue_table = false;           ///< The schema has leat_rescue already.
};

/// What one transaction is to do. `batches` come with received, rescued, excluded and
/// values_rescued set; loaded and deduplicated are counted by the warehouse.
struct LoadPlan {
  std::string schema;
  std::vector<BatchBooks> batches;  ///< In the order of kBatchColumn.
  std::vector<StagedTable> tables;
  /// The columns that the plan was made from, also those that got no value: one of another type now
  /// might take what had to be rescued. Borrowed; nullptr: not looked at.
  const TableColumns* known = nullptr;
  std::optional<SharedStage> shared;  ///< Of those of the tables with shared_places.
  /// Positions of shards that had nothing for this source for long: stored so that no later start
  /// reads those seals again.
  std::vector<BatchBooks> checkpoints;
  std::optional<ReplayPlan> replay;
  /// Deletions of the source's events before the archive was read: see deletions_row_id.
  std::int64_t deletions = 0;
  /// Everything but the books is done and rolled back: only whether the rows go in is asked.
  bool is_trial = false;
  /// What is known of tables by qualified name: whether `uuid` has our hash. Borrowed; the
  /// transaction adds to it. Without it every transaction looks anew.
  std::map<std::string, bool>* hashed_tables = nullptr;
};

struct LoadResult {
  std::vector<BatchBooks> batches;  ///< Complete.
  std::vector<std::string> tables_created;
  std::vector<std::string> columns_added;  ///< "table.column".
  std::optional<ReplayState> replay;       ///< The replay's row as it is now.
};

/// Runs the whole transaction.
[[nodiscard]] Step<LoadResult> run_load(Session& session, const LoadPlan& plan);

/// id of the ledger row that holds the position of a shard without batches of the source, and that
/// row.
[[nodiscard]] BatchBooks checkpoint_row(const std::string& source, const std::string& shard,
                                        std::int64_t last_offset, const std::string& sync_id,
                                        TimeUs now);

}  // namespace leat::load
