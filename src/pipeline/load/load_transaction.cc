#include "pipeline/load/load_transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "base/text.h"
#include "columns/types.h"
#include "pipeline/load/overflow_sql.h"
#include "pipeline/load/replay_sql.h"
#include "pipeline/load/rows.h"
#include "pipeline/load/staged_counts.h"

namespace leat::load {
namespace {

std::unexpected<StepFailure> stale(std::string message) {
  return std::unexpected(StepFailure{.error = Error{Errc::kAborted, std::move(message)},
                                     .kind = FailureKind::kObjectExists,
                                     .plan_is_stale = true});
}

// Whether the warehouse numbers a column by itself, by the text of its default.
bool is_identity(const std::string& default_text) {
  constexpr std::array<std::string_view, 2> kStarts = {R"("identity"()", "default_identity("};
  return std::ranges::any_of(
      kStarts, [&](std::string_view start) { return default_text.starts_with(start); });
}

// The type of a row of columns_sql as DDL writes it; kIdentityType whatever the numbers' type.
std::string ddl_type(const Row& row) {
  if (is_identity(text_at(row, 6))) return std::string(kIdentityType);
  std::string type = to_lower(text_at(row, 2));
  const std::string length = text_at(row, 3);
  const bool has_length = type.find('(') == std::string::npos && !length.empty() && length != "0";
  if (has_length && type.find("char") != std::string::npos) {
    type = fmt::format("{}({})", type, length);
  } else if (type == "numeric" || type == "decimal") {
    type = fmt::format("{}({},{})", type, text_at(row, 4), text_at(row, 5));
  }
  const columns::Column column = columns::column_from_sql_type("", type);
  return column.type == columns::Type::kUnsupported ? type : columns::sql_type(column);
}

class LoadRun {
 public:
  LoadRun(Session& session, const LoadPlan& plan)
      : session_(session), plan_(plan), counts_(session, plan) {
    result_.batches = plan.batches;
    if (plan.replay) replayed_ = plan.replay->counts;
  }

  Step<LoadResult> run() {
    LEAT_TRY(session_.run("BEGIN", "starting the load transaction"));
    LEAT_TRY(
        session_.run(lock_ledger_sql(session_.settings().ledger_schema), "locking the ledger"));
    if (!plan_.is_trial) LEAT_TRY(plan_.replay ? check_replay() : check_not_loaded());
    LEAT_TRY(check_tables());
    LEAT_TRY(make_tables());
    LEAT_TRY(stage_all());
    if (plan_.replay && plan_.replay->has_rescue_table) LEAT_TRY(remove_resolved());
    LEAT_TRY(counts_.count(result_.batches, replayed_));
    LEAT_TRY(merge());
    if (plan_.is_trial) {
      session_.roll_back();
      return std::move(result_);
    }
    if (!plan_.tables.empty()) {
      LEAT_TRY(session_.run(drop_stages_sql(counts_.own_stages(), plan_.shared.has_value()),
                            "dropping the stage tables"));
    }
    if (plan_.replay) LEAT_TRY(book_replay());
    for (const BatchBooks& batch : result_.batches) {
      if (auto balanced = check_balance(batch); !balanced) {
        return std::unexpected(StepFailure{std::move(balanced).error(), FailureKind::kOther});
      }
    }
    LEAT_TRY(write_ledger());
    if (auto commit = session_.run("COMMIT", "committing the load"); !commit) {
      StepFailure failure = std::move(commit).error();
      failure.commit_uncertain = failure.kind == FailureKind::kUnreachable ||
                                 failure.kind == FailureKind::kTimeout ||
                                 failure.kind == FailureKind::kStopped;
      return std::unexpected(std::move(failure));
    }
    return std::move(result_);
  }

 private:
  // Inside the lock nobody else can add ledger rows, so what is not there now is not loaded.
  Step<void> check_not_loaded() {
    if (plan_.batches.empty()) return {};
    LEAT_ASSIGN(const auto found, read_planned());
    if (!found.empty()) {
      return stale(fmt::format("another loader has loaded {} of {} batches meanwhile", found.size(),
                               plan_.batches.size()));
    }
    return {};
  }

  // The ledger rows of the plan's batches, all of one source. The row that counts deletions is read
  // with them: what was read from the archive before a deletion must not be loaded after it.
  Step<std::vector<BatchBooks>> read_planned() {
    std::vector<std::string> ids;
    ids.reserve(plan_.batches.size() + 1);
    for (const BatchBooks& batch : plan_.batches) ids.push_back(batch.batch_id);
    ids.push_back(deletions_row_id(plan_.batches.front().source));
    LEAT_ASSIGN(auto found, read_batches(session_, ids));
    std::int64_t deletions = 0;
    if (!found.empty() && found.back().batch_id == ids.back()) {
      deletions = found.back().last_offset;
      found.pop_back();
    }
    if (deletions != plan_.deletions) {
      return stale("events of the source were deleted after the archive was read");
    }
    return found;
  }

  // Inside the lock nobody else goes on with the replay, and the batches' books stand still.
  Step<void> check_replay() {
    const ReplayState& expected = plan_.replay->before;
    LEAT_ASSIGN(const Rows rows,
                session_.run(find_replay_sql(session_.settings().ledger_schema, expected.replay_id),
                             "reading how far the replay is"));
    if (rows.rows.empty()) return stale("the replay's row was removed meanwhile");
    const ReplayState actual = replay_from_row(rows.rows.front());
    if (actual.status != expected.status || actual.position != expected.position) {
      return stale("another process went on with the replay, or stopped it");
    }
    if (plan_.batches.empty()) return {};
    LEAT_ASSIGN(books_before_, read_planned());
    if (books_before_.size() != plan_.batches.size()) {
      return stale("ledger rows of replayed batches were removed meanwhile");
    }
    for (std::size_t i = 0; i < plan_.batches.size(); ++i) {
      const std::int64_t received = books_before_[i].events.received;
      if (received == plan_.batches[i].events.received) continue;
      return std::unexpected(StepFailure{
          Error{Errc::kCorrupt,
                fmt::format("batch {} has {} events in the archive and {} in the ledger; it was "
                            "not replayed; please report this",
                            plan_.batches[i].batch_id, plan_.batches[i].events.received, received)},
          FailureKind::kOther});
    }
    return {};
  }

  // The plan was made outside the transaction; only what it touches is looked at again.
  Step<void> check_tables() {
    if (plan_.tables.empty()) return {};
    std::vector<std::string> names;
    names.reserve(plan_.tables.size());
    for (const StagedTable& table : plan_.tables) names.push_back(table.name);
    LEAT_ASSIGN(const TableColumns actual, read_columns(session_, plan_.schema, names));
    for (const StagedTable& table : plan_.tables) {
      const auto found = actual.find(table.name);
      if (table.is_new != (found == actual.end())) {
        return stale(fmt::format("table {} {} meanwhile", qualified(table.schema, table.name),
                                 table.is_new ? "was made" : "was dropped"));
      }
      if (table.is_new) continue;
      LEAT_TRY(check_columns(table, found->second));
      LEAT_TRY(check_known(table, found->second));
    }
    return {};
  }

  Step<void> check_known(const StagedTable& table, const std::vector<StagedColumn>& actual) const {
    if (plan_.known == nullptr) return {};
    const auto known = plan_.known->find(table.name);
    if (known == plan_.known->end()) return {};
    // Both are in the table's order, but for what was dropped since.
    auto at = actual.begin();
    for (const StagedColumn& column : known->second) {
      auto found = std::ranges::find(at, actual.end(), column.name, &StagedColumn::name);
      if (found == actual.end())
        found = std::ranges::find(actual, column.name, &StagedColumn::name);
      if (found == actual.end()) continue;
      at = found + 1;
      if (found->type != column.type) return column_changed(table, column);
    }
    return {};
  }

  static std::unexpected<StepFailure> column_changed(const StagedTable& table,
                                                     const StagedColumn& column) {
    return stale(fmt::format("column {}.{} changed meanwhile", qualified(table.schema, table.name),
                             quote_identifier(column.name)));
  }

  static Step<void> check_columns(const StagedTable& table,
                                  const std::vector<StagedColumn>& actual) {
    for (const StagedColumn& column : table.columns) {
      const auto found = std::ranges::find(actual, column.name, &StagedColumn::name);
      const bool exists = found != actual.end();
      if (exists == column.is_new || (exists && found->type != column.type)) {
        return column_changed(table, column);
      }
    }
    return {};
  }

  Step<void> make_tables() {
    const bool any_new = std::ranges::any_of(plan_.tables, &StagedTable::is_new);
    if (any_new) {
      // A user who owns the schema need not have CREATE on the database.
      LEAT_ASSIGN(const bool exists, schema_exists(session_, plan_.schema));
      if (!exists) {
        LEAT_TRY(session_.run(create_schema_sql(plan_.schema),
                              "creating schema " + quote_identifier(plan_.schema)));
      }
    }
    for (const StagedTable& table : plan_.tables) {
      const std::string name = qualified(table.schema, table.name);
      if (table.is_new) {
        LEAT_TRY(session_.run(create_table_sql(table), "creating table " + name));
        result_.tables_created.push_back(table.name);
        continue;
      }
      for (const StagedColumn& column : table.columns) {
        if (!column.is_new) continue;
        LEAT_TRY(session_.run(
            add_column_sql(table, column),
            fmt::format("adding column {} to {}", quote_identifier(column.name), name)));
        result_.columns_added.push_back(table.name + "." + column.name);
      }
    }
    return {};
  }

  Step<void> stage_all() {
    if (plan_.shared) LEAT_TRY(stage_shared(*plan_.shared));
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
      const StagedTable& table = plan_.tables[i];
      if (!table.shared_places.empty()) continue;
      const std::string name = qualified(table.schema, table.name);
      LEAT_TRY(session_.run(create_stage_sql(table, i), "making the stage table of " + name));
      LEAT_TRY(copy(
          table.name, [&](std::string_view keys) { return copy_sql(table, i, keys); },
          fmt::format("copying {} into the stage table of {}", table.manifest_uri, name)));
    }
    return {};
  }

  Step<void> stage_shared(const SharedStage& shared) {
    const std::string what =
        fmt::format("the stage of small tables of {}", quote_identifier(plan_.schema));
    LEAT_TRY(session_.run(create_shared_sql(shared), "making " + what));
    auto copied = copy(
        {}, [&](std::string_view keys) { return copy_shared_sql(shared, keys); },
        fmt::format("copying {} into {}", shared.manifest_uri, what));
    if (!copied) copied.error().refused_shared = copied.error().kind == FailureKind::kRowRefused;
    return copied;
  }

  // Runs the COPY that `sql` makes of what it may read S3 with, into the stage of `table`.
  template <class ToSql>
  Step<void> copy(const std::string& table, ToSql sql, const std::string& action) {
    const auto& copy_keys = session_.settings().copy_keys;
    if (!copy_keys) {
      LEAT_TRY(put(table, sql(role_sql(session_.settings().iam_role)), action));
      return {};
    }
    const auto keys = copy_keys();
    if (!keys) return no_keys(keys.error(), action);
    const auto authorization = keys_sql(*keys);
    if (!authorization) return no_keys(authorization.error(), action);
    auto copied = put(table, sql(*authorization), action);
    if (copied) return {};
    // A server may say which statement failed.
    std::string& message = copied.error().error.message;
    mask(message, keys->secret_access_key);
    mask(message, keys->session_token);
    return std::unexpected(std::move(copied).error());
  }

  static std::unexpected<StepFailure> no_keys(const Error& error, std::string_view action) {
    return std::unexpected(StepFailure{
        Error{error.code, fmt::format("no AWS keys for {}: {}; events wait in the archive", action,
                                      error.message)},
        FailureKind::kStagedFile});
  }

  // Runs a statement that brings rows of the load into `table`, which may refuse them.
  Step<Rows> put(const std::string& table, const std::string& sql, std::string_view action) {
    auto rows = session_.run(sql, action);
    if (!rows && rows.error().kind == FailureKind::kRowRefused) rows.error().refused_by = table;
    return rows;
  }

  // Events that load now leave leat_rescue; what still does not fit of them is staged anew.
  Step<void> remove_resolved() {
    constexpr std::string_view kAction = "looking for rescue rows of replayed events";
    LEAT_TRY(session_.run(create_lines_sql(), kAction));
    std::optional<std::size_t> rescue_stage;
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
      if (plan_.tables[i].role == TableRole::kRescue) rescue_stage = i;
      if (plan_.tables[i].role != TableRole::kPrimary) continue;
      LEAT_TRY(session_.run(add_lines_sql(i, plan_.batches, plan_.replay->first_orders), kAction));
    }
    LEAT_ASSIGN(const Rows rows,
                session_.run(count_resolved_sql(plan_.schema, rescue_stage), kAction));
    for (const auto& row : rows.rows) {
      const auto batch = static_cast<std::size_t>(number_at(row, 0));
      if (batch >= replayed_.size()) {
        return bug(
            fmt::format("a replayed line names batch {} of {}", text_at(row, 0), replayed_.size()));
      }
      replayed_[batch].resolved_events += number_at(row, 1);
      replayed_[batch].resolved_values += number_at(row, 2);
      replayed_[batch].rows_removed += number_at(row, 3);
    }
    if (!rows.rows.empty()) {
      LEAT_TRY(session_.run(delete_resolved_sql(plan_.schema),
                            "removing rescue rows of replayed events"));
    }
    LEAT_TRY(session_.run(drop_lines_sql(), kAction));
    return {};
  }

  Step<void> merge() {
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
      const StagedTable& table = plan_.tables[i];
      if (table.role == TableRole::kLatest) {
        LEAT_TRY(merge_latest(table, i));
      } else {
        LEAT_TRY(merge_rows(table, i));
      }
    }
    // From all rows of identifies and groups, which are whole only now.
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
      const bool is_late = plan_.replay || counts_.of(i).late > 0;
      if (plan_.tables[i].role == TableRole::kLatest && is_late) {
        LEAT_TRY(restore_latest(plan_.tables[i], i));
      }
    }
    return {};
  }

  Step<void> merge_rows(const StagedTable& table, std::size_t index) {
    const std::string name = qualified(table.schema, table.name);
    const TableCounts& counts = counts_.of(index);
    if (counts_.is_shared(index)) return insert_shared(table, index);
    if (counts.replaced > 0) {
      LEAT_TRY(session_.run(delete_replaced_sql(counts_.table(index)),
                            "deleting replaced rows of " + name));
    }
    // Fewer rows leave the stage than came in when ids repeat in it or the target has newer ones;
    // which of the two makes no difference to a rare, slower statement.
    const std::int64_t expected = counts.added + counts.replaced;
    const bool all_leave = expected == counts.staged;
    const InsertShape shape{
        .stage_has_duplicates = !all_leave && counts_.table(index).has_duplicates,
        .target_has_newer = !all_leave && !table.is_new && counts_.table(index).has_known};
    LEAT_TRY(insert(table, insert_sql(counts_.table(index), shape), expected));
    if (!counts_.has_lists(index)) return {};
    LEAT_TRY(session_.run(drop_lists_sql(counts_.table(index), counts_.has_losers(index)),
                          "dropping the lists of " + name));
    return {};
  }

  // All rows are new ones: they go from the shared stage as they are.
  Step<void> insert_shared(const StagedTable& table, std::size_t index) {
    return insert(table, insert_shared_sql(*plan_.shared, table, index), table.rows);
  }

  Step<void> insert(const StagedTable& table, const std::string& sql, std::int64_t expected) {
    const std::string name = qualified(table.schema, table.name);
    LEAT_ASSIGN(const Rows inserted, put(table.name, sql, "inserting into " + name));
    if (inserted.affected_rows != expected) {
      return bug(fmt::format("inserted {} rows into {} where {} were counted; nothing was loaded",
                             inserted.affected_rows, name, expected));
    }
    return {};
  }

  Step<void> merge_latest(const StagedTable& table, std::size_t index) {
    const std::string name = qualified(table.schema, table.name);
    const TableCounts& counts = counts_.of(index);
    const std::int64_t ids = counts.added;
    const std::int64_t known = counts.replaced;
    if (ids != table.rows) {
      return bug(fmt::format(
          "the stage table of {} has {} rows and {} ids where {} were staged; nothing was loaded",
          name, counts.staged, ids, table.rows));
    }
    if (known > 0 && !plan_.replay) {
      LEAT_TRY(merge_overflow(table, index, OverflowOrder::kRows, nullptr));
      LEAT_TRY(put(table.name, update_latest_sql(table, index), "updating " + name));
    }
    if (known < ids) {
      LEAT_TRY(put(table.name, insert_latest_sql(table, index), "inserting into " + name));
    }
    return {};
  }

  Step<void> merge_overflow(const StagedTable& table, std::size_t index, OverflowOrder order,
                            const StagedTable* home) {
    if (!has_overflow(table)) return {};
    LEAT_TRY(put(table.name, merge_overflow_sql(table, index, order, home),
                 "updating _extra of " + qualified(table.schema, table.name)));
    return {};
  }

  // Calls that are older than what the target has came late, or again: then the time of its row
  // says nothing of a single value, and the newest of each column is looked for among all calls.
  Step<void> restore_latest(const StagedTable& table, std::size_t index) {
    const StagedTable* home = table.home ? &plan_.tables[*table.home] : nullptr;
    const std::string action = "updating " + qualified(table.schema, table.name);
    const std::string fill = fill_latest_sql(table, index, home);
    if (plan_.replay && !fill.empty()) LEAT_TRY(put(table.name, fill, action));
    const bool home_overflows = home != nullptr && std::ranges::any_of(home->columns, is_overflow);
    LEAT_TRY(merge_overflow(table, index, OverflowOrder::kCalls, home_overflows ? home : nullptr));
    if (home == nullptr) return {};
    LEAT_TRY(put(table.name, restore_latest_sql(table, index, *home, table.home_key), action));
    return {};
  }

  // The books of the batches, and the replay's own.
  Step<void> book_replay() {
    ReplayState after = plan_.replay->after;
    for (std::size_t i = 0; i < replayed_.size(); ++i) {
      const ReplayCounts& counts = replayed_[i];
      result_.batches[i] = books_after_replay(books_before_[i], plan_.batches[i], counts);
      after.events += EventCounts{.received = counts.staged + counts.rescued + counts.excluded,
                                  .loaded = counts.added,
                                  .deduplicated = counts.staged - counts.added,
                                  .rescued = counts.rescued,
                                  .excluded = counts.excluded};
      after.values_rescued += plan_.batches[i].values_rescued;
      after.rescue_rows_removed += counts.rows_removed;
    }
    result_.replay = std::move(after);
    return {};
  }

  Step<void> write_ledger() {
    const std::string& schema = session_.settings().ledger_schema;
    std::vector<BatchBooks> rows;
    for (std::size_t i = 0; i < result_.batches.size(); ++i) {
      const bool is_unchanged = plan_.replay && result_.batches[i] == books_before_[i];
      if (!is_unchanged) rows.push_back(result_.batches[i]);
    }
    if (plan_.replay) {
      if (!rows.empty())
        LEAT_TRY(session_.run(delete_batches_sql(schema, rows), "writing the ledger"));
      LEAT_TRY(session_.run(delete_replay_sql(schema, result_.replay->replay_id),
                            "writing how far the replay is"));
      LEAT_TRY(session_.run(insert_replay_sql(schema, *result_.replay),
                            "writing how far the replay is"));
    }
    if (!plan_.checkpoints.empty()) {
      LEAT_TRY(session_.run(delete_batches_sql(schema, plan_.checkpoints), "writing the ledger"));
    }
    rows.insert(rows.end(), plan_.checkpoints.begin(), plan_.checkpoints.end());
    // A statement has at most 16 MB; a row has at most about 68 kB.
    constexpr std::size_t kRowsPerStatement = 100;
    const std::size_t bytes_max = session_.settings().statement_bytes_max;
    std::size_t count = kRowsPerStatement;
    for (std::size_t at = 0; at < rows.size();) {
      const auto end = std::min(rows.size(), at + count);
      const std::vector<BatchBooks> some(rows.begin() + static_cast<std::ptrdiff_t>(at),
                                         rows.begin() + static_cast<std::ptrdiff_t>(end));
      const std::string sql = insert_ledger_sql(schema, some);
      if (bytes_max != 0 && sql.size() > bytes_max && some.size() > 1) {
        count = some.size() / 2;
        continue;
      }
      LEAT_TRY(session_.run(sql, "writing the ledger"));
      at = end;
    }
    return {};
  }

  Session& session_;
  const LoadPlan& plan_;
  LoadResult result_;
  StagedCounts counts_;
  // Of a replay, by batch:
  std::vector<ReplayCounts> replayed_;
  std::vector<BatchBooks> books_before_;
};

}  // namespace

std::unexpected<StepFailure> bug(std::string message) {
  return std::unexpected(StepFailure{Error{Errc::kBug, std::move(message)}, FailureKind::kOther});
}

Step<Rows> Session::run(const std::string& sql, std::string_view action) {
  auto rows = connection_.run(sql, stop_);
  if (!rows) {
    const FailureKind kind = rows.error().kind;
    return std::unexpected(StepFailure{.error = describe_failure(rows.error(), action, settings_),
                                       .kind = kind,
                                       .plan_is_stale = kind == FailureKind::kObjectMissing ||
                                                        kind == FailureKind::kObjectExists});
  }
  return std::move(*rows);
}

void Session::roll_back() {
  if (!connection_.is_open()) return;
  // A stop request must not keep the transaction open; a failure closes the connection, which rolls
  // back as well.
  [[maybe_unused]] const auto ignored = connection_.run("ROLLBACK", {});
}

Step<TableColumns> read_columns(Session& session, const std::string& schema,
                                const std::vector<std::string>& tables) {
  LEAT_ASSIGN(const Rows rows,
              session.run(columns_sql(schema, tables),
                          "reading the columns of schema " + quote_identifier(schema)));
  TableColumns out;
  for (const auto& row : rows.rows) {
    StagedColumn& column = out[text_at(row, 0)].emplace_back(
        StagedColumn{.name = text_at(row, 1), .type = ddl_type(row)});
    const bool is_required = text_at(row, 7) == "NO" && column.type != kIdentityType;
    if (is_required) column.required_default = text_at(row, 6);
  }
  return out;
}

Step<TableColumns> read_tables(Session& session, const std::string& schema) {
  LEAT_ASSIGN(TableColumns out, read_columns(session, schema, {}));
  LEAT_ASSIGN(const Rows rows,
              session.run(relations_sql(schema),
                          "reading the tables and views of schema " + quote_identifier(schema)));
  for (const auto& row : rows.rows) {
    std::vector<StagedColumn>& columns = out[text_at(row, 0)];
    if (text_at(row, 1) != "r") columns.clear();
  }
  return out;
}

Step<bool> schema_exists(Session& session, const std::string& schema) {
  LEAT_ASSIGN(const Rows rows, session.run(schema_exists_sql(schema),
                                           "looking for schema " + quote_identifier(schema)));
  return !rows.rows.empty();
}

Step<void> ensure_ledger(Session& session) {
  const std::string& schema = session.settings().ledger_schema;
  LEAT_ASSIGN(TableColumns columns, read_columns(session, schema, {"batches"}));
  if (columns.empty()) {
    LEAT_ASSIGN(const bool exists, schema_exists(session, schema));
    if (!exists) {
      LEAT_TRY(session.run(create_schema_sql(schema),
                           "creating the ledger's schema " + quote_identifier(schema)));
    }
    LEAT_TRY(session.run(create_ledger_sql(schema),
                         "creating the ledger " + qualified(schema, "batches")));
    LEAT_ASSIGN(columns, read_columns(session, schema, {"batches"}));
  }
  for (const std::string_view name : kLedgerColumns) {
    if (std::ranges::find(columns["batches"], name, &StagedColumn::name) ==
        columns["batches"].end()) {
      return std::unexpected(StepFailure{
          Error{
              Errc::kUnsupported,
              fmt::format(
                  "table {} of destination \"{}\" has no column \"{}\", so it is no ledger of this "
                  "version; set another ledger_schema or move that table away",
                  qualified(schema, "batches"), session.settings().name, name)},
          FailureKind::kUnsupported});
    }
  }
  return {};
}

void offer_syncs_view(Session& session) {
  const std::string& schema = session.settings().ledger_schema;
  const auto columns = read_columns(session, schema, {"syncs"});
  if (!columns || !columns->empty()) return;
  const auto made =
      session.run(create_syncs_view_sql(schema), "creating the view " + qualified(schema, "syncs"));
  if (!made) log::info("load", "{}; loads do not need it", made.error().error.message);
}

Step<std::map<std::string, std::int64_t>> read_positions(Session& session,
                                                         const std::string& source) {
  LEAT_ASSIGN(const Rows rows, session.run(positions_sql(session.settings().ledger_schema, source),
                                           "reading the position of source \"" + source + "\""));
  std::map<std::string, std::int64_t> out;
  for (const auto& row : rows.rows) out[text_at(row, 0)] = number_at(row, 1);
  return out;
}

Step<std::int64_t> read_deletions(Session& session, const std::string& source) {
  LEAT_ASSIGN(const auto rows, read_batches(session, {deletions_row_id(source)}));
  return rows.empty() ? 0 : rows.front().last_offset;
}

Step<std::vector<BatchBooks>> read_batches(Session& session,
                                           const std::vector<std::string>& batch_ids) {
  // An id has seldom more than 100 bytes.
  const std::size_t ids_per_statement =
      session.settings().statement_bytes_max == 0
          ? 1000
          : std::max<std::size_t>(session.settings().statement_bytes_max / 500, 1);
  std::map<std::string, BatchBooks> found;
  for (std::size_t at = 0; at < batch_ids.size(); at += ids_per_statement) {
    const auto end = std::min(batch_ids.size(), at + ids_per_statement);
    const std::vector<std::string> some(batch_ids.begin() + static_cast<std::ptrdiff_t>(at),
                                        batch_ids.begin() + static_cast<std::ptrdiff_t>(end));
    LEAT_ASSIGN(const Rows rows,
                session.run(find_batches_sql(session.settings().ledger_schema, some),
                            "looking for batches in the ledger"));
    for (const auto& row : rows.rows) {
      BatchBooks batch = batch_from_row(row);
      found.insert_or_assign(batch.batch_id, std::move(batch));
    }
  }
  std::vector<BatchBooks> out;
  for (const std::string& id : batch_ids) {
    if (const auto batch = found.find(id); batch != found.end()) out.push_back(batch->second);
  }
  return out;
}

Step<LoadResult> run_load(Session& session, const LoadPlan& plan) {
  auto result = LoadRun(session, plan).run();
  if (!result) session.roll_back();
  return result;
}

BatchBooks checkpoint_row(const std::string& source, const std::string& shard,
                          std::int64_t last_offset, const std::string& sync_id, TimeUs now) {
  BatchBooks row;
  row.batch_id = fmt::format("{}/checkpoint/{}", source, shard);
  row.source = source;
  row.shard = shard;
  row.last_offset = last_offset;
  row.sync_id = sync_id;
  row.loaded_at = now;
  return row;
}

}  // namespace leat::load
