#include "pipeline/load/group_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "columns/types.h"
#include "io/object_store.h"

namespace leat::load {
namespace {

TableRole role_of(const shape::StagedTable& table) {
  switch (table.kind) {
    case shape::TableKind::kEntities:
      return TableRole::kLatest;
    case shape::TableKind::kRescue:
      return TableRole::kRescue;
    case shape::TableKind::kEvents:
      break;
  }
  return table.is_home ? TableRole::kPrimary : TableRole::kDetail;
}

// Tells users and accounts where the calls are that they are made of.
void link_homes(std::vector<StagedTable>& tables) {
  for (StagedTable& table : tables) {
    if (table.role != TableRole::kLatest) continue;
    const bool is_users = table.name == "users";
    const std::string home_name = is_users ? "identifies" : "groups";
    const auto home = std::ranges::find(tables, home_name, &StagedTable::name);
    if (home == tables.end()) continue;
    table.home = static_cast<std::size_t>(home - tables.begin());
    table.home_key = is_users ? "user_id" : "group_id";
  }
}

}  // namespace

std::vector<std::string> ids_of(const std::vector<SealedBatch>& batches) {
  std::vector<std::string> ids;
  ids.reserve(batches.size());
  for (const SealedBatch& each : batches) ids.push_back(each.batch.id);
  return ids;
}

StepFailure local_failure(Error error) {
  return StepFailure{std::move(error), FailureKind::kOther};
}

void pause(std::int64_t ms, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any condition;
  std::unique_lock lock(mutex);
  condition.wait_for(lock, stop, std::chrono::milliseconds(ms), [] { return false; });
}

std::string make_run_id(TimeUs now, Random& random) {
  std::string digits;
  for (const char c : format_timestamp(now).substr(0, 19)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return digits + "-" + to_lower(random_token(random, 10));
}

GroupLoad::GroupLoad(LoaderOptions options) : options_(std::move(options)) {
  if (options_.metrics == nullptr) return;
  const metrics::Labels labels = {{"destination", options_.destination.name}};
  transaction_time_ =
      &options_.metrics->histogram("leat_load_transaction_duration_seconds",
                                   "Duration of load transactions, failed ones too", labels);
  retries_ = &options_.metrics->counter("leat_load_retries_total", "Load transactions tried again",
                                        labels);
}

void GroupLoad::begin(std::string run_id, TimeUs started_at, std::stop_token stop) {
  run_id_ = std::move(run_id);
  started_at_ = started_at;
  stop_ = std::move(stop);
  parts_ = 0;
}

Step<void> GroupLoad::open_session() {
  if (connection_ && connection_->is_open()) return {};
  auto opened = options_.connect(options_.destination, stop_);
  if (!opened) {
    return std::unexpected(
        StepFailure{.error = describe_failure(opened.error(), "connecting", options_.destination),
                    .kind = opened.error().kind});
  }
  connection_ = std::move(*opened);
  return {};
}

Step<void> GroupLoad::open() {
  LEAT_TRY(open_session());
  if (ledger_ready_) return {};
  Session on = session();
  LEAT_TRY(ensure_ledger(on));
  ledger_ready_ = true;
  return {};
}

StepFailure GroupLoad::stopped() const {
  return StepFailure{
      .error = Error{Errc::kUnavailable, "the sync was stopped; the next one goes on"},
      .kind = FailureKind::kStopped};
}

Step<shape::Staged> GroupLoad::shape(const Work& work) {
  std::vector<shape::KnownTable> known;
  known.reserve(work.tables.size());
  for (const auto& [name, table_columns] : work.tables) {
    shape::KnownTable table;
    table.name = name;
    for (const StagedColumn& column : table_columns) {
      table.columns.push_back(columns::column_from_sql_type(column.name, column.type));
    }
    known.push_back(std::move(table));
  }
  shape::Options shape_options = options_.shape;
  shape_options.synced_at = started_at_;
  shape_options.selection = work.selection;
  shape_options.exclusion = work.source.exclusion;
  shape_options.tracking_plan = work.source.tracking_plan;
  auto staged = shape::shape_batches(
      shape_options, known, work.batches.size(),
      [&](std::size_t position) { return read_batch(work.batches[position].batch); });
  if (!staged && stop_.stop_requested()) return std::unexpected(stopped());
  if (!staged && staged.error().code == Errc::kInvalid) {
    staged.error().message =
        fmt::format("schema {} of source \"{}\": {}", quote_identifier(work.source.schema),
                    work.source.name, staged.error().message);
  }
  return as_step(std::move(staged));
}

Result<shape::Batch> GroupLoad::read_batch(const archive::Batch& batch) {
  if (stop_.stop_requested()) return fail(Errc::kUnavailable, "stopped");
  auto lines = options_.archive->read(batch);
  if (!lines) {
    return fail(
        lines.error().code,
        fmt::format("cannot read batch {} from {}: {}; later batches of source \"{}\" wait for it",
                    batch.id, batch.uri, lines.error().message, batch.source));
  }
  return shape::Batch{batch.id, std::move(*lines)};
}

Step<Prepared> GroupLoad::prepare(const Work& work) {
  Prepared prepared;
  prepared.plan.schema = work.source.schema;
  if (work.batches.empty()) return prepared;
  LEAT_ASSIGN(shape::Staged staged, shape(work));
  LEAT_TRY(fill_batches(work, staged, prepared.plan));
  prepared.selected = std::move(staged.selected);
  if (work.writes_files) {
    prepared.staging = std::make_unique<Staging>(*options_.store, options_.bucket,
                                                 work.source.schema, run_id_, ++parts_);
  }
  for (shape::StagedTable& table : staged.tables) {
    LEAT_ASSIGN(StagedTable planned, plan_table(work.source, table));
    if (prepared.staging) {
      LEAT_ASSIGN(planned.manifest_uri,
                  as_step(prepared.staging->write(table.name, table.parquet)));
    }
    table.parquet = std::string();  // the memory is needed by the warehouse
    prepared.plan.tables.push_back(std::move(planned));
  }
  link_homes(prepared.plan.tables);
  return prepared;
}

Step<StagedTable> GroupLoad::plan_table(const SourceSettings& source,
                                        const shape::StagedTable& table) {
  StagedTable planned;
  planned.schema = source.schema;
  planned.name = table.name;
  planned.role = role_of(table);
  planned.is_new = table.is_new;
  planned.rows = static_cast<std::int64_t>(table.rows);
  std::size_t count = table.columns.size();
  if (planned.role != TableRole::kLatest) {
    // The file's last two columns exist in the stage only.
    const bool ordered = count > 2 && table.columns[count - 2].column.name == kBatchColumn &&
                         table.columns[count - 1].column.name == kOrderColumn;
    if (!ordered) {
      return std::unexpected(local_failure(
          Error{Errc::kBug,
                fmt::format("the staged rows of table {} carry no batch and order", table.name)}));
    }
    count -= 2;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const shape::StagedColumn& column = table.columns[i];
    planned.columns.push_back(StagedColumn{.name = column.column.name,
                                           .type = columns::sql_type(column.column),
                                           .is_new = column.is_new && !table.is_new});
  }
  return planned;
}

Step<void> GroupLoad::fill_batches(const Work& work, const shape::Staged& staged,
                                   LoadPlan& plan) const {
  if (staged.batches.size() != work.batches.size() ||
      staged.selected.size() != work.batches.size()) {
    return std::unexpected(
        local_failure(Error{Errc::kBug, fmt::format("shaping {} batches gave the books of {}",
                                                    work.batches.size(), staged.batches.size())}));
  }
  for (std::size_t i = 0; i < work.batches.size(); ++i) {
    const SealedBatch& sealed = work.batches[i];
    const shape::BatchCounts& counts = staged.batches[i];
    BatchBooks books;
    books.batch_id = sealed.batch.id;
    books.source = sealed.batch.source;
    books.shard = sealed.stream;
    books.first_offset = static_cast<std::int64_t>(sealed.first.value);
    books.last_offset = static_cast<std::int64_t>(sealed.last.value);
    books.hour = sealed.batch.hour;
    books.events.received = static_cast<std::int64_t>(sealed.batch.events);
    books.events.rescued = static_cast<std::int64_t>(counts.rescued_events);
    books.events.excluded = static_cast<std::int64_t>(counts.excluded);
    books.values_rescued = static_cast<std::int64_t>(counts.rescued_values);
    for (const auto& [table, rows] : counts.rows) {
      books.table_rows[table] = static_cast<std::int64_t>(rows);
    }
    books.sync_id = run_id_;
    books.loaded_at = options_.clock->now();
    plan.batches.push_back(std::move(books));
  }
  return {};
}

Step<std::optional<LoadResult>> GroupLoad::ask_outcome(const AskOutcome& ask) {
  LEAT_TRY(open_session());
  Session on = session();
  // The lost session may still be committing; it holds the ledger's lock until it has.
  constexpr std::string_view kAction = "asking the ledger what became of a commit";
  LEAT_TRY(on.run("BEGIN", kAction));
  LEAT_TRY(on.run(lock_ledger_sql(options_.destination.ledger_schema), kAction));
  auto outcome = ask(on);
  on.roll_back();
  return outcome;
}

Step<LoadResult> GroupLoad::load(const SourceSettings& source, const LoadPlan& plan,
                                 const AskOutcome& ask) {
  for (int attempt = 1;; ++attempt) {
    if (stop_.stop_requested()) return std::unexpected(stopped());
    LEAT_TRY(open_session());
    Session on = session();
    const std::int64_t started_us = options_.clock->monotonic_us();
    auto loaded = run_load(on, plan);
    if (transaction_time_ != nullptr) {
      transaction_time_->observe_us(options_.clock->monotonic_us() - started_us);
    }
    if (loaded) return loaded;
    StepFailure failure = std::move(loaded).error();
    if (failure.commit_uncertain && failure.kind != FailureKind::kStopped) {
      LEAT_ASSIGN(auto outcome, ask_outcome(ask));
      if (outcome) return std::move(*outcome);
    }
    const bool passing =
        failure.kind == FailureKind::kSerialization || failure.kind == FailureKind::kUnreachable;
    if (failure.plan_is_stale || !passing || attempt >= options_.attempts_max) {
      return std::unexpected(std::move(failure));
    }
    log::info("load", "source \"{}\": trying again after: {}", source.name, failure.error.message);
    if (retries_ != nullptr) retries_->add();
    if (failure.kind == FailureKind::kSerialization) {
      pause(std::int64_t{25} << std::min(attempt, 5), stop_);
    }
  }
}

void add_planned_tables(const LoadPlan& plan, TableColumns& known) {
  for (const StagedTable& table : plan.tables) {
    std::vector<StagedColumn>& columns = known[table.name];
    for (const StagedColumn& column : table.columns) {
      if (table.is_new || column.is_new) {
        columns.push_back(StagedColumn{column.name, column.type, false});
      }
    }
  }
}

void add_to_report(const LoadResult& result, std::int64_t staged_bytes, SyncReport& report) {
  if (!result.batches.empty()) ++report.transactions;
  report.batches += static_cast<std::int64_t>(result.batches.size());
  report.staged_bytes += staged_bytes;
  for (const BatchBooks& batch : result.batches) {
    report.events += batch.events;
    report.values_rescued += batch.values_rescued;
    for (const auto& [table, rows] : batch.table_rows) report.table_rows[table] += rows;
  }
  report.tables_created.insert(report.tables_created.end(), result.tables_created.begin(),
                               result.tables_created.end());
  report.columns_added.insert(report.columns_added.end(), result.columns_added.begin(),
                              result.columns_added.end());
}

}  // namespace leat::load
