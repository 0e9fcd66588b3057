#include "pipeline/load/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "pipeline/archive/names.h"
#include "pipeline/load/group_load.h"
#include "pipeline/load/replay_sql.h"

namespace leat::load {
namespace {

constexpr std::size_t kBatchesPerStep = 500;

SyncFailure as_failure(StepFailure failure) {
  return SyncFailure{.error = std::move(failure.error), .kind = failure.kind, .done = {}};
}

std::unexpected<StepFailure> wrong(Errc code, std::string message) {
  return std::unexpected(local_failure(Error{code, std::move(message)}));
}

Step<void> check_selection(const ReplaySelection& selection) {
  if (selection.from && selection.to && *selection.to <= *selection.from) {
    return wrong(Errc::kInvalid,
                 fmt::format("a replay from {} to {} is empty; --to must be later than --from",
                             format_iso8601(*selection.from), format_iso8601(*selection.to)));
  }
  if (selection.table == shape::kRescueTable) {
    return wrong(Errc::kInvalid,
                 "leat_rescue is no table of events; load rescued events with leat rescue replay");
  }
  return {};
}

template <class List, class Value>
void add_once(List& list, Value value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(std::move(value));
}

}  // namespace

struct Replayer::Impl {
  explicit Impl(LoaderOptions loader_options)
      : work(std::move(loader_options)), options(work.options()) {}

  GroupLoad work;
  const LoaderOptions& options;

  // Of the replay that made the last step; all of it can be read again.
  std::string current;
  std::optional<TableColumns> tables;
  std::int64_t deletions = 0;     // of the source's events, read before the archive
  std::deque<std::string> ahead;  // batches to come

  void forget() {
    tables.reset();
    ahead.clear();
  }

  [[nodiscard]] const std::string& ledger_schema() const {
    return options.destination.ledger_schema;
  }

  Step<Rows> ask(const std::string& sql, std::string_view action) {
    Session on = work.session();
    return on.run(sql, action);
  }

  Step<bool> has_replays() {
    Session on = work.session();
    LEAT_ASSIGN(const TableColumns found, read_columns(on, ledger_schema(), {"replays"}));
    return !found.empty();
  }

  // Runs `body` in a transaction that holds the ledger's lock.
  template <class Body>
  Step<void> locked(std::string_view action, Body body) {
    Session on = work.session();
    LEAT_TRY(on.run("BEGIN", action));
    Step<void> done = [&]() -> Step<void> {
      LEAT_TRY(on.run(lock_ledger_sql(ledger_schema()), action));
      LEAT_TRY(body(on));
      LEAT_TRY(on.run("COMMIT", action));
      return {};
    }();
    if (!done) on.roll_back();
    return done;
  }

  Step<void> write_row(const ReplayState& state, std::string_view action) {
    return locked(action, [&](Session& on) -> Step<void> {
      LEAT_TRY(on.run(delete_replay_sql(ledger_schema(), state.replay_id), action));
      LEAT_TRY(on.run(insert_replay_sql(ledger_schema(), state), action));
      return {};
    });
  }

  Step<ReplayState> begin(const SourceSettings& source, const ReplayRequest& request,
                          TimeUs requested_at) {
    LEAT_TRY(check_selection(request.selection));
    for (int attempt = 1;; ++attempt) {
      auto state = begin_once(source, request, requested_at);
      // Another process makes the same table, or begins a replay as well.
      const bool in_the_way = !state && (state.error().kind == FailureKind::kSerialization ||
                                         state.error().kind == FailureKind::kObjectExists);
      if (!in_the_way || attempt >= options.attempts_max) return state;
      pause(std::int64_t{10} << std::min(attempt, 5), work.stop());
    }
  }

  Step<ReplayState> begin_once(const SourceSettings& source, const ReplayRequest& request,
                               TimeUs requested_at) {
    LEAT_TRY(work.open());
    forget();
    ReplayState state;
    state.replay_id = make_run_id(requested_at, *options.random);
    state.source = source.name;
    state.selection = request.selection.to_json();
    state.started_at = requested_at;
    state.updated_at = options.clock->now();
    state.is_dry = request.dry_run;
    LEAT_TRY(count_batches(source, request.selection, state));
    if (request.dry_run) return state;
    LEAT_ASSIGN(const bool exists, has_replays());
    if (!exists) {
      LEAT_TRY(ask(create_replays_sql(ledger_schema()),
                   "creating the table of replays beside the ledger"));
    }
    constexpr std::string_view kAction = "writing that a replay begins";
    auto noted = locked(kAction, [&](Session& on) -> Step<void> {
      LEAT_ASSIGN(const Rows running,
                  on.run(running_replays_sql(ledger_schema(), source.name), kAction));
      for (const auto& row : running.rows) {
        ReplayState found = replay_from_row(row);
        if (found.selection != state.selection) continue;
        if (!request.restart) {
          state = std::move(found);
          state.is_resumed = true;
          return {};
        }
        LEAT_TRY(on.run(delete_replay_sql(ledger_schema(), found.replay_id), kAction));
        found.status = "stopped";
        LEAT_TRY(on.run(insert_replay_sql(ledger_schema(), found), kAction));
      }
      LEAT_TRY(on.run(insert_replay_sql(ledger_schema(), state), kAction));
      return {};
    });
    LEAT_TRY(std::move(noted));
    return state;
  }

  [[nodiscard]] ReplayRange range_of(const SourceSettings& source, const ReplaySelection& selection,
                                     const ReplayState& state) const {
    return ReplayRange{.ledger_schema = ledger_schema(),
                       .schema = source.schema,
                       .selection = selection,
                       .loaded_before = state.started_at,
                       .position = state.position};
  }

  Step<void> count_batches(const SourceSettings& source, const ReplaySelection& selection,
                           ReplayState& state) {
    if (selection.rescue) {
      Session on = work.session();
      LEAT_ASSIGN(const TableColumns found,
                  read_columns(on, source.schema, {std::string(shape::kRescueTable)}));
      if (found.empty()) {
        return wrong(Errc::kNotFound,
                     fmt::format("schema {} has no leat_rescue: nothing of source \"{}\" was "
                                 "rescued",
                                 quote_identifier(source.schema), source.name));
      }
    }
    LEAT_ASSIGN(const Rows rows, ask(replay_total_sql(range_of(source, selection, state)),
                                     "counting the batches to replay"));
    if (!rows.rows.empty() && !rows.rows.front().empty()) {
      state.batches_total =
          parse_number<std::int64_t>(rows.rows.front().front().value_or("0")).value_or(0);
    }
    return {};
  }

  // The batches of the next transaction; none at the end.
  Step<std::vector<SealedBatch>> next_batches(const SourceSettings& source,
                                              const ReplaySelection& selection,
                                              const ReplayState& state) {
    if (ahead.empty()) {
      LEAT_ASSIGN(const Rows rows,
                  ask(replay_batches_sql(range_of(source, selection, state), kBatchesPerStep),
                      "looking for the next batches to replay"));
      for (const auto& row : rows.rows) ahead.push_back(row.at(0).value_or(""));
    }
    std::vector<SealedBatch> out;
    std::int64_t bytes = 0;
    std::int64_t events = 0;
    while (!ahead.empty() && !work.stop_requested()) {
      LEAT_ASSIGN(SealedBatch next, find_batch(ahead.front()));
      bytes += static_cast<std::int64_t>(next.batch.raw_bytes);
      events += static_cast<std::int64_t>(next.batch.events);
      const bool full =
          bytes > options.transaction_bytes_max || events > options.transaction_events_max;
      if (full && !out.empty()) break;
      out.push_back(std::move(next));
      ahead.pop_front();
    }
    return out;
  }

  Step<SealedBatch> find_batch(const std::string& id) {
    auto batch = options.archive->find_batch(id);
    if (!batch) {
      return wrong(batch.error().code,
                   fmt::format("cannot replay batch {}, which the ledger has: {}; leave its hour "
                               "out with --from and --to",
                               id, batch.error().message));
    }
    const auto name = archive::parse_batch_id(id);
    return SealedBatch{std::move(*batch), name->stream, name->first, name->last};
  }

  Step<shape::Selection> selection_of(const SourceSettings& source,
                                      const ReplaySelection& selection,
                                      const std::vector<SealedBatch>& batches) {
    shape::Selection out;
    if (selection.from) out.from = *selection.from;
    if (selection.to) out.to = *selection.to;
    out.event = selection.event;
    out.table = selection.table;
    out.column = selection.column;
    if (!selection.rescue) return out;
    out.lines[""] = {};  // so that no line is selected when none is found
    LEAT_ASSIGN(const Rows rows,
                ask(rescue_lines_sql(source.schema, *selection.rescue, ids_of(batches)),
                    "reading which events were rescued"));
    for (const auto& row : rows.rows) {
      const auto line = parse_number<std::uint64_t>(row.at(1).value_or("0")).value_or(0);
      out.lines[row.at(0).value_or("")].insert(line);
    }
    return out;
  }

  // What makes the plan of a load one of a replay.
  void plan_replay(const ReplayState& state, Prepared& prepared) const {
    ReplayPlan replay;
    replay.before = state;
    replay.after = state;
    replay.after.position = prepared.plan.batches.back().batch_id;
    replay.after.batches_done += static_cast<std::int64_t>(prepared.plan.batches.size());
    replay.after.updated_at = options.clock->now();
    replay.has_rescue_table = tables->contains(std::string(shape::kRescueTable));
    std::int64_t lines = 0;
    for (std::size_t i = 0; i < prepared.plan.batches.size(); ++i) {
      const shape::SelectedCounts& selected = prepared.selected[i];
      ReplayCounts counts;
      counts.rescued = static_cast<std::int64_t>(selected.rescued);
      counts.excluded = static_cast<std::int64_t>(selected.excluded);
      const auto all =
          static_cast<std::int64_t>(selected.rows + selected.rescued + selected.excluded);
      counts.is_whole = all == prepared.plan.batches[i].events.received;
      replay.counts.push_back(counts);
      replay.first_orders.push_back(lines);
      lines += prepared.plan.batches[i].events.received;
    }
    prepared.plan.replay = std::move(replay);
  }

  // A dry run knows how many events have rows, not whether their ids are there.
  static ReplayState after_dry_step(const Prepared& prepared) {
    ReplayState after = prepared.plan.replay->after;
    for (std::size_t i = 0; i < prepared.plan.batches.size(); ++i) {
      const shape::SelectedCounts& selected = prepared.selected[i];
      const auto rows = static_cast<std::int64_t>(selected.rows);
      const auto rescued = static_cast<std::int64_t>(selected.rescued);
      const auto excluded = static_cast<std::int64_t>(selected.excluded);
      after.events += EventCounts{.received = rows + rescued + excluded,
                                  .loaded = rows,
                                  .rescued = rescued,
                                  .excluded = excluded};
      after.values_rescued += prepared.plan.batches[i].values_rescued;
    }
    for (const StagedTable& table : prepared.plan.tables) {
      if (table.is_new) add_once(after.tables_created, table.name);
      for (const StagedColumn& column : table.columns) {
        if (column.is_new) add_once(after.columns_added, table.name + "." + column.name);
      }
    }
    return after;
  }

  Step<void> finish(ReplayState& state) {
    ReplayState done = state;
    done.status = "done";
    done.updated_at = options.clock->now();
    if (!state.is_dry) LEAT_TRY(write_row(done, "writing that a replay is done"));
    state = std::move(done);
    return {};
  }

  Step<void> step_once(const SourceSettings& source, const ReplaySelection& selection,
                       ReplayState& state) {
    LEAT_TRY(work.open());
    if (!tables) {
      Session on = work.session();
      LEAT_ASSIGN(deletions, read_deletions(on, source.name));
      LEAT_ASSIGN(tables, read_tables(on, source.schema));
    }
    LEAT_ASSIGN(const auto batches, next_batches(source, selection, state));
    if (work.stop_requested()) return std::unexpected(work.stopped());
    if (batches.empty()) return finish(state);
    LEAT_ASSIGN(shape::Selection selected, selection_of(source, selection, batches));
    const GroupLoad::Work step_work{.source = source,
                                    .batches = batches,
                                    .tables = *tables,
                                    .selection = std::move(selected),
                                    .writes_files = !state.is_dry};
    const auto complete = [&](Prepared& prepared) {
      plan_replay(state, prepared);
      prepared.plan.deletions = deletions;
    };
    ReplayState after;
    LoadPlan plan;
    if (state.is_dry) {
      LEAT_ASSIGN(Prepared prepared, work.prepare(step_work));
      complete(prepared);
      after = after_dry_step(prepared);
      plan = std::move(prepared.plan);
    } else {
      const auto ask = [&](const LoadPlan& asked, Session& on) {
        return outcome_of(on, asked.replay->after);
      };
      LEAT_ASSIGN(GroupLoad::Loaded loaded, work.run(step_work, complete, ask));
      after = take_result(std::move(loaded.result), state);
      plan = std::move(loaded.prepared.plan);
    }
    for (const StagedTable& table : plan.tables) after.table_rows[table.name] += table.rows;
    add_planned_tables(plan, *tables);
    state = std::move(after);
    return {};
  }

  Step<std::optional<LoadResult>> outcome_of(Session& on, const ReplayState& after) const {
    LEAT_ASSIGN(const Rows rows, on.run(find_replay_sql(ledger_schema(), after.replay_id),
                                        "asking how far the replay is"));
    if (rows.rows.empty()) return std::nullopt;
    LoadResult result;
    result.replay = replay_from_row(rows.rows.front());
    if (result.replay->position != after.position) return std::nullopt;
    return result;
  }

  // The replay's row, with what only this process knows.
  static ReplayState take_result(LoadResult loaded, const ReplayState& before) {
    ReplayState after = std::move(*loaded.replay);
    after.is_resumed = before.is_resumed;
    after.table_rows = before.table_rows;
    after.tables_created = before.tables_created;
    after.columns_added = before.columns_added;
    for (std::string& name : loaded.tables_created) add_once(after.tables_created, std::move(name));
    for (std::string& name : loaded.columns_added) add_once(after.columns_added, std::move(name));
    return after;
  }

  // Another process may have gone on with the replay, or stopped it.
  Step<void> read_row(ReplayState& state) {
    LEAT_TRY(work.open());
    LEAT_ASSIGN(const Rows rows, ask(find_replay_sql(ledger_schema(), state.replay_id),
                                     "reading how far the replay is"));
    if (rows.rows.empty()) {
      return wrong(Errc::kNotFound,
                   fmt::format("the row of replay {} is gone from {}; start it again",
                               state.replay_id, qualified(ledger_schema(), "replays")));
    }
    LoadResult found;
    found.replay = replay_from_row(rows.rows.front());
    state = take_result(std::move(found), state);
    return {};
  }

  Step<void> step(const SourceSettings& source, ReplayState& state) {
    if (current != state.replay_id) forget();
    current = state.replay_id;
    LEAT_ASSIGN(const ReplaySelection selection, as_step(ReplaySelection::parse(state.selection)));
    for (int attempt = 1;; ++attempt) {
      auto done = step_once(source, selection, state);
      if (done) return {};
      forget();
      if (!done.error().plan_is_stale || attempt >= options.attempts_max) return done;
      log::info("load", "source \"{}\": planning the replay again: {}", source.name,
                done.error().error.message);
      pause(std::int64_t{10} << std::min(attempt, 5), work.stop());
      work.forget_ledger();
      if (state.is_dry) continue;
      LEAT_TRY(read_row(state));
      if (state.status != "running") return {};
    }
  }
};

Replayer::Replayer(LoaderOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Replayer::~Replayer() = default;

std::expected<ReplayState, SyncFailure> Replayer::begin(const SourceSettings& source,
                                                        const ReplayRequest& request,
                                                        TimeUs requested_at, std::stop_token stop) {
  const TimeUs now = impl_->options.clock->now();
  impl_->work.begin(make_run_id(now, *impl_->options.random), now, std::move(stop));
  auto state = impl_->begin(source, request, requested_at);
  impl_->work.end();
  if (!state) return std::unexpected(as_failure(std::move(state).error()));
  return std::move(*state);
}

std::expected<void, SyncFailure> Replayer::step(const SourceSettings& source, ReplayState& state,
                                                std::stop_token stop) {
  const TimeUs now = impl_->options.clock->now();
  impl_->work.begin(make_run_id(now, *impl_->options.random), now, std::move(stop));
  auto done = impl_->step(source, state);
  impl_->work.end();
  if (!done) return std::unexpected(as_failure(std::move(done).error()));
  return {};
}

std::expected<void, SyncFailure> Replayer::abandon(ReplayState& state, std::stop_token stop) {
  const TimeUs now = impl_->options.clock->now();
  impl_->work.begin(make_run_id(now, *impl_->options.random), now, std::move(stop));
  ReplayState ended = state;
  ended.status = "stopped";
  ended.updated_at = now;
  Step<void> done = impl_->work.open();
  if (done && !state.is_dry) done = impl_->write_row(ended, "writing that a replay was stopped");
  impl_->work.end();
  if (!done) return std::unexpected(as_failure(std::move(done).error()));
  state = std::move(ended);
  return {};
}

std::expected<std::vector<ReplayState>, SyncFailure> Replayer::unfinished(std::stop_token stop) {
  const TimeUs now = impl_->options.clock->now();
  impl_->work.begin(make_run_id(now, *impl_->options.random), now, std::move(stop));
  const auto read = [&]() -> Step<std::vector<ReplayState>> {
    std::vector<ReplayState> out;
    LEAT_TRY(impl_->work.open());
    LEAT_ASSIGN(const bool exists, impl_->has_replays());
    if (!exists) return out;
    LEAT_ASSIGN(const Rows rows, impl_->ask(running_replays_sql(impl_->ledger_schema(), ""),
                                            "looking for unfinished replays"));
    for (const auto& row : rows.rows) out.insert(out.begin(), replay_from_row(row));
    return out;
  };
  auto found = read();
  impl_->work.end();
  if (!found) return std::unexpected(as_failure(std::move(found).error()));
  return std::move(*found);
}

}  // namespace leat::load
