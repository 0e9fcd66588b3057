#include "pipeline/load/group_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "columns/types.h"
#include "io/object_store.h"
#include "pipeline/shape/names.h"

namespace leat::load {
namespace {

/// A table with more rows is worth a COPY of its own.
constexpr std::uint64_t kSharedRowsMax = 1000;

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

// What is no table, and a table that somebody made for something else, is none of an event. Both
// columns are in each of ours, and the first cannot be added. Only names that events have matter.
bool is_in_the_way(const std::string& name, const std::vector<StagedColumn>& columns) {
  const auto id = std::ranges::find(columns, "id", &StagedColumn::name);
  const bool takes_ids =
      id != columns.end() &&
      columns::column_from_sql_type("id", id->type).type == columns::Type::kVarchar;
  const bool has_time =
      std::ranges::find(columns, "received_at", &StagedColumn::name) != columns.end();
  return !(takes_ids && has_time) && shape::event_table_of(name) == name;
}

void take_defaults(const std::vector<StagedColumn>& known, std::vector<StagedColumn>& planned) {
  for (const StagedColumn& column : known) {
    if (column.required_default.empty()) continue;
    const auto found = std::ranges::find(planned, column.name, &StagedColumn::name);
    if (found != planned.end()) found->required_default = column.required_default;
  }
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
  phases_ = {};
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
  std::vector<std::string> taken =
      ledger_tables_in(work.source.schema, options_.destination.ledger_schema);
  for (const auto& [name, table_columns] : work.tables) {
    if (is_in_the_way(name, table_columns)) {
      taken.push_back(name);
      continue;
    }
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
  shape_options.refusals = work.refusals;
  shape_options.exclusion = work.source.exclusion;
  shape_options.taken_tables = std::move(taken);
  shape_options.tracking_plan = work.source.tracking_plan;
  shape_options.shared_rows_max = work.shares_stage ? kSharedRowsMax : 0;
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
  prepared.plan.hashed_tables = &hashed_tables_;
  prepared.plan.known = &work.tables;
  if (work.batches.empty()) return prepared;
  const std::int64_t started_us = options_.clock->monotonic_us();
  LEAT_ASSIGN(shape::Staged staged, shape(work));
  const std::int64_t shaped_us = options_.clock->monotonic_us();
  phases_.shape_us += shaped_us - started_us;
  LEAT_TRY(fill_batches(work, staged, prepared.plan));
  prepared.selected = std::move(staged.selected);
  for (const shape::BatchCounts& counts : staged.batches) {
    prepared.refused_events += static_cast<std::int64_t>(counts.refused);
  }
  if (work.writes_files) {
    prepared.staging = std::make_unique<Staging>(*options_.store, options_.bucket,
                                                 work.source.schema, run_id_, ++parts_);
  }
  for (shape::StagedTable& table : staged.tables) {
    LEAT_ASSIGN(StagedTable planned, plan_table(work, table));
    if (prepared.staging && !table.parquet.empty()) {
      LEAT_ASSIGN(planned.manifest_uri,
                  as_step(prepared.staging->write(table.name, table.parquet)));
    }
    if (table.kind == shape::TableKind::kEvents) {
      prepared.times.push_back({table.name, table.is_home, std::move(table.times)});
    }
    table.parquet = std::string();  // the memory is needed by the warehouse
    prepared.plan.tables.push_back(std::move(planned));
  }
  if (!staged.shared.parquet.empty()) {
    SharedStage shared;
    for (const columns::Column& column : staged.shared.columns) {
      shared.columns.push_back({column.name, columns::sql_type(column)});
    }
    if (prepared.staging) {
      // No table has such a name.
      LEAT_ASSIGN(shared.manifest_uri,
                  as_step(prepared.staging->write("(shared)", staged.shared.parquet)));
    }
    for (StagedTable& table : prepared.plan.tables) {
      if (!table.shared_places.empty()) table.manifest_uri = shared.manifest_uri;
    }
    prepared.plan.shared = std::move(shared);
  }
  link_homes(prepared.plan.tables);
  phases_.stage_us += options_.clock->monotonic_us() - shaped_us;
  return prepared;
}

Step<StagedTable> GroupLoad::plan_table(const Work& work, const shape::StagedTable& table) {
  StagedTable planned;
  planned.schema = work.source.schema;
  planned.name = table.name;
  planned.role = role_of(table);
  planned.is_new = table.is_new;
  planned.rows = static_cast<std::int64_t>(table.rows);
  planned.is_distinct = table.is_distinct;
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
  if (const auto known = work.tables.find(table.name); known != work.tables.end()) {
    take_defaults(known->second, planned.columns);
  }
  planned.shared_places = table.shared_places;
  if (!planned.shared_places.empty()) planned.shared_places.resize(count);
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

Step<std::optional<LoadResult>> GroupLoad::ask_outcome(const LoadPlan& plan,
                                                       const AskOutcome& ask) {
  LEAT_TRY(open_session());
  Session on = session();
  // The lost session may still be committing; it holds the ledger's lock until it has.
  constexpr std::string_view kAction = "asking the ledger what became of a commit";
  LEAT_TRY(on.run("BEGIN", kAction));
  LEAT_TRY(on.run(lock_ledger_sql(options_.destination.ledger_schema), kAction));
  auto outcome = ask(plan, on);
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
    const std::int64_t took_us = options_.clock->monotonic_us() - started_us;
    phases_.load_us += took_us;
    if (transaction_time_ != nullptr) transaction_time_->observe_us(took_us);
    if (loaded) return loaded;
    StepFailure failure = std::move(loaded).error();
    if (failure.commit_uncertain && failure.kind != FailureKind::kStopped) {
      LEAT_ASSIGN(auto outcome, ask_outcome(plan, ask));
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

/// Events of a group's batches, by their number over all of them, of which one at least is refused.
struct GroupLoad::Part {
  std::int64_t first = 0;
  std::int64_t end = 0;
  std::string why;
  /// The smallest part around it that was tried and refused: itself, unless it is what was left
  /// when the other half was fine.
  std::int64_t tried_first = first;
  std::int64_t tried_end = end;

  [[nodiscard]] bool was_tried() const { return tried_first == first && tried_end == end; }
};

Step<GroupLoad::Loaded> GroupLoad::run(Work work, const CompletePlan& complete,
                                       const AskOutcome& ask) {
  constexpr int kRoundsMax = 32;  // each finds the refused rows of a table
  for (int round = 1;; ++round) {
    LEAT_ASSIGN(Prepared prepared, prepare(work));
    complete(prepared);
    auto result = load(work.source, prepared.plan, ask);
    if (result) return Loaded{std::move(prepared), std::move(*result)};
    const StepFailure failure = std::move(result).error();
    if (failure.refused_shared && work.shares_stage) {
      log::info("load", "source \"{}\": every table is staged by itself after: {}",
                work.source.name, failure.error.message);
      work.shares_stage = false;
      continue;
    }
    // What the rescue table itself refuses has nowhere to go.
    const bool may_rescue = failure.kind == FailureKind::kRowRefused &&
                            !failure.refused_by.empty() &&
                            failure.refused_by != shape::kRescueTable && round < kRoundsMax;
    if (!may_rescue) return std::unexpected(failure);
    log::warning("load", "source \"{}\": looking for rows that table {} refuses: {}",
                 work.source.name, qualified(work.source.schema, failure.refused_by),
                 failure.error.message);
    prepared = Prepared();
    LEAT_TRY(find_refused(work, failure));
  }
}

// Halves what holds a refused row, the larger parts first, until each part is one event. When that
// would take too long, whole parts count as refused: a replay of them looks again.
Step<void> GroupLoad::find_refused(Work& work, const StepFailure& refusal) {
  const std::string table = refusal.refused_by;
  std::int64_t events = 0;
  for (const SealedBatch& each : work.batches) {
    events += static_cast<std::int64_t>(each.batch.events);
  }
  std::deque<Part> parts;
  parts.push_back({.first = 0, .end = events, .why = refusal.error.message});
  for (int trials = 0; !parts.empty(); parts.pop_front()) {
    Part part = parts.front();
    if (part.end - part.first <= 1 || trials >= options_.refusal_trials_max) {
      ++trials;
      LEAT_ASSIGN(const bool is_refused, is_part_refused(work, table, part));
      if (!is_refused) {
        // Its events are refused together only, such as by a column that one of them brings and
        // that may not be NULL in the others.
        part.first = part.tried_first;
        part.end = part.tried_end;
      }
      refuse(work, table, part);
      continue;
    }
    const std::int64_t middle = part.first + (part.end - part.first) / 2;
    bool any = false;
    for (const auto& [first, end] : {std::pair(part.first, middle), std::pair(middle, part.end)}) {
      // Where one half is fine, it is the other.
      if (first == middle && !any) {
        parts.push_back({.first = first,
                         .end = end,
                         .why = part.why,
                         .tried_first = part.tried_first,
                         .tried_end = part.tried_end});
        break;
      }
      ++trials;
      auto tried = try_part(work, table, first, end);
      if (tried) continue;
      if (tried.error().refused_by.empty()) return tried;
      parts.push_back({.first = first, .end = end, .why = tried.error().error.message});
      any = true;
    }
  }
  return {};
}

Step<bool> GroupLoad::is_part_refused(const Work& work, const std::string& table,
                                      const Part& part) {
  if (part.was_tried()) return true;
  auto tried = try_part(work, table, part.first, part.end);
  if (tried) return false;
  if (tried.error().refused_by.empty()) return std::unexpected(std::move(tried).error());
  return true;
}

void GroupLoad::refuse(Work& work, const std::string& table, const Part& part) {
  constexpr std::size_t kDetailBytes = 1024;
  std::int64_t start = 0;
  for (const SealedBatch& each : work.batches) {
    const auto events = static_cast<std::int64_t>(each.batch.events);
    const std::int64_t first = std::max(part.first, start);
    const std::int64_t end = std::min(part.end, start + events);
    if (first < end) {
      work.refusals.by_batch[each.batch.id].push_back(
          {.first = static_cast<std::uint64_t>(first - start + 1),
           .last = static_cast<std::uint64_t>(end - start),
           .table = table,
           .detail = std::string(utf8_prefix(part.why, kDetailBytes))});
    }
    start += events;
  }
}

// Whether these events go into the warehouse: loads those of `table` and rolls back.
Step<void> GroupLoad::try_part(const Work& work, const std::string& table, std::int64_t first,
                               std::int64_t end) {
  std::vector<SealedBatch> batches;
  std::int64_t start = 0;
  std::int64_t skipped = 0;
  for (const SealedBatch& each : work.batches) {
    const auto events = static_cast<std::int64_t>(each.batch.events);
    if (start < end && start + events > first) {
      if (batches.empty()) skipped = start;
      batches.push_back(each);
    }
    start += events;
  }
  Work part{.source = work.source,
            .batches = batches,
            .tables = work.tables,
            .selection = work.selection,
            .writes_files = true,
            .refusals = work.refusals,
            .shares_stage = false};
  part.selection.first_order = first - skipped;
  part.selection.end_order = end - skipped;
  const bool is_open = part.selection.table.empty() && part.selection.column.empty();
  if (is_open) part.selection.table = table;
  LEAT_ASSIGN(Prepared prepared, prepare(part));
  if (prepared.plan.tables.empty()) return {};
  prepared.plan.is_trial = true;
  const auto never_asked = [](const LoadPlan&, Session&) -> Step<std::optional<LoadResult>> {
    return std::nullopt;
  };
  LEAT_TRY(load(work.source, prepared.plan, never_asked));
  return {};
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
