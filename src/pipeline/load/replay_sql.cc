#include "pipeline/load/replay_sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "pipeline/load/overflow_sql.h"
#include "pipeline/load/rows.h"

namespace leat::load {
namespace {

constexpr std::string_view kReplayColumns =
    R"("replay_id", "source", "selection", "status", "position", "batches_total", )"
    R"("batches_done", "selected", "loaded", "deduplicated", "rescued", "excluded", )"
    R"("values_rescued", "rescue_rows_removed", "started_at", "updated_at")";

std::string rescue_table(std::string_view schema) {
  return qualified(schema, "leat_rescue");
}

// The tail of a SELECT from the ledger.
std::string range_sql(const ReplayRange& range) {
  const ReplaySelection& selection = range.selection;
  std::string out =
      fmt::format(R"( FROM {} WHERE "source" = {} AND "hour" IS NOT NULL AND "loaded_at" < '{}')",
                  qualified(range.ledger_schema, "batches"), quote_literal(selection.source),
                  format_timestamp(range.loaded_before));
  if (!range.position.empty()) {
    out += fmt::format(R"( AND "batch_id" > {})", quote_literal(range.position));
  }
  // `hour` is the start of the batch's hour.
  if (selection.from) {
    out += fmt::format(R"( AND "hour" > '{}')",
                       format_timestamp(TimeUs{selection.from->value - kUsPerHour}));
  }
  if (selection.to) out += fmt::format(R"( AND "hour" < '{}')", format_timestamp(*selection.to));
  if (selection.rescue) {
    out += fmt::format(R"( AND "batch_id" IN (SELECT r."batch_id" FROM {} r WHERE r."line" > 0{}))",
                       rescue_table(range.schema), rescue_conditions(*selection.rescue, "r."));
  }
  return out;
}

// True when the newest value of the column can be told from rows of `home`.
bool is_shared(const StagedColumn& column, const StagedTable& home) {
  if (column.name == "id" || column.name == "uuid" || column.name == "uuid_ts") return false;
  if (is_overflow(column)) return false;
  const auto found = std::ranges::find(home.columns, column.name, &StagedColumn::name);
  return found != home.columns.end() && found->type == column.type;
}

}  // namespace

std::string create_replays_sql(std::string_view ledger_schema) {
  return fmt::format(
      R"(CREATE TABLE IF NOT EXISTS {} ("replay_id" varchar(64) NOT NULL, )"
      R"("source" varchar(512) NOT NULL, "selection" varchar(65535) NOT NULL, )"
      R"("status" varchar(16) NOT NULL, "position" varchar(1024), )"
      R"("batches_total" bigint NOT NULL, "batches_done" bigint NOT NULL, )"
      R"("selected" bigint NOT NULL, "loaded" bigint NOT NULL, "deduplicated" bigint NOT NULL, )"
      R"("rescued" bigint NOT NULL, "excluded" bigint NOT NULL, "values_rescued" bigint NOT NULL, )"
      R"("rescue_rows_removed" bigint NOT NULL, "started_at" timestamp NOT NULL, )"
      R"("updated_at" timestamp NOT NULL))",
      qualified(ledger_schema, "replays"));
}

std::string find_replay_sql(std::string_view ledger_schema, std::string_view replay_id) {
  return fmt::format(R"(SELECT {} FROM {} WHERE "replay_id" = {})", kReplayColumns,
                     qualified(ledger_schema, "replays"), quote_literal(replay_id));
}

std::string running_replays_sql(std::string_view ledger_schema, std::string_view source) {
  return fmt::format(
      R"(SELECT {} FROM {} WHERE "status" = 'running'{} ORDER BY "started_at" DESC, "replay_id")",
      kReplayColumns, qualified(ledger_schema, "replays"),
      source.empty() ? std::string() : fmt::format(R"( AND "source" = {})", quote_literal(source)));
}

std::string delete_replay_sql(std::string_view ledger_schema, std::string_view replay_id) {
  return fmt::format(R"(DELETE FROM {} WHERE "replay_id" = {})",
                     qualified(ledger_schema, "replays"), quote_literal(replay_id));
}

std::string insert_replay_sql(std::string_view ledger_schema, const ReplayState& state) {
  std::string out = fmt::format(
      "INSERT INTO {} ({}) VALUES ({}, {}, {}, {}, {}, {}, {}, ",
      qualified(ledger_schema, "replays"), kReplayColumns, quote_literal(state.replay_id),
      quote_literal(state.source), quote_literal(state.selection), quote_literal(state.status),
      quote_literal(state.position), state.batches_total, state.batches_done);
  return out + fmt::format("{}, {}, {}, {}, {}, {}, {}, '{}', '{}')", state.events.received,
                           state.events.loaded, state.events.deduplicated, state.events.rescued,
                           state.events.excluded, state.values_rescued, state.rescue_rows_removed,
                           format_timestamp(state.started_at), format_timestamp(state.updated_at));
}

ReplayState replay_from_row(const Row& row) {
  ReplayState state;
  state.replay_id = text_at(row, 0);
  state.source = text_at(row, 1);
  state.selection = text_at(row, 2);
  state.status = text_at(row, 3);
  state.position = text_at(row, 4);
  state.batches_total = number_at(row, 5);
  state.batches_done = number_at(row, 6);
  state.events = EventCounts{.received = number_at(row, 7),
                             .loaded = number_at(row, 8),
                             .deduplicated = number_at(row, 9),
                             .rescued = number_at(row, 10),
                             .excluded = number_at(row, 11)};
  state.values_rescued = number_at(row, 12);
  state.rescue_rows_removed = number_at(row, 13);
  state.started_at = time_at(row, 14);
  state.updated_at = time_at(row, 15);
  return state;
}

std::string replay_total_sql(const ReplayRange& range) {
  return R"(SELECT count(*), sum("received"))" + range_sql(range);
}

std::string replay_batches_sql(const ReplayRange& range, std::size_t limit) {
  return fmt::format(R"(SELECT "batch_id"{} ORDER BY "batch_id" LIMIT {})", range_sql(range),
                     limit);
}

std::string rescue_conditions(const RescueFilter& filter, std::string_view prefix) {
  std::string out;
  const auto add = [&](std::string_view column, const std::string& text) {
    if (!text.empty())
      out += fmt::format(R"( AND {}"{}" = {})", prefix, column, quote_literal(text));
  };
  add("table_name", filter.table);
  add("column_name", filter.column);
  add("reason", filter.reason);
  add("event_id", filter.event_id);
  add("id", filter.id);
  return out;
}

std::string rescue_lines_sql(std::string_view schema, const RescueFilter& filter,
                             const std::vector<std::string>& batch_ids) {
  std::string ids;
  for (const std::string& id : batch_ids) {
    if (!ids.empty()) ids += ", ";
    ids += quote_literal(id);
  }
  return fmt::format(
      R"(SELECT DISTINCT "batch_id", "line" FROM {} WHERE "line" > 0 AND "batch_id" IN ({}){})",
      rescue_table(schema), ids, rescue_conditions(filter, ""));
}

std::string create_lines_sql() {
  return R"(CREATE TEMP TABLE "leat_replayed" ("leat_batch" bigint, "batch_id" varchar(1024), )"
         R"("line" bigint))";
}

std::string add_lines_sql(std::size_t stage, const std::vector<BatchBooks>& batches,
                          const std::vector<std::int64_t>& first_orders) {
  std::string names = R"(CASE s."leat_batch")";
  std::string firsts = names;
  for (std::size_t i = 0; i < batches.size() && i < first_orders.size(); ++i) {
    names += fmt::format(" WHEN {} THEN {}", i, quote_literal(batches[i].batch_id));
    firsts += fmt::format(" WHEN {} THEN {}", i, first_orders[i]);
  }
  return fmt::format(
      R"(INSERT INTO "leat_replayed" ("leat_batch", "batch_id", "line") SELECT s."leat_batch", )"
      R"({} END, s."leat_order" - {} END + 1 FROM "leat_stage_{}" s)",
      names, firsts, stage);
}

std::string count_resolved_sql(std::string_view schema, std::optional<std::size_t> rescue_stage) {
  const std::string gone =
      rescue_stage ? R"(sum(CASE WHEN s."id" IS NULL THEN 1 ELSE 0 END))" : std::string("count(*)");
  const std::string staged =
      rescue_stage ? fmt::format(R"(LEFT JOIN (SELECT DISTINCT "id" FROM "leat_stage_{}") s )"
                                 R"(ON s."id" = r."id" )",
                                 *rescue_stage)
                   : std::string();
  return fmt::format(
      R"(SELECT l."leat_batch", )"
      R"(count(DISTINCT CASE WHEN r."column_name" IS NULL THEN r."line" END), )"
      R"(sum(CASE WHEN r."column_name" IS NOT NULL AND r."part" = 1 THEN 1 ELSE 0 END), {} )"
      R"(FROM {} r JOIN "leat_replayed" l ON l."batch_id" = r."batch_id" AND l."line" = r."line" )"
      R"({}GROUP BY l."leat_batch")",
      gone, rescue_table(schema), staged);
}

std::string delete_resolved_sql(std::string_view schema) {
  return fmt::format(
      R"(DELETE FROM {0} WHERE "id" IN (SELECT r."id" FROM {0} r JOIN "leat_replayed" l )"
      R"(ON l."batch_id" = r."batch_id" AND l."line" = r."line"))",
      rescue_table(schema));
}

std::string drop_lines_sql() {
  return R"(DROP TABLE "leat_replayed")";
}

std::string restore_latest_sql(const StagedTable& table, std::size_t index, const StagedTable& home,
                               std::string_view key) {
  const std::string target = qualified(table.schema, table.name);
  std::string set;
  std::string select;
  for (const StagedColumn& column : table.columns) {
    if (!is_shared(column, home)) continue;
    const std::string name = quote_identifier(column.name);
    const std::string old_value = quote_identifier(table.name) + "." + name;
    if (!set.empty()) set += ", ";
    // The time of the newest call never goes back, whatever was deleted since.
    set += column.name == "received_at"
               ? fmt::format("{0} = CASE WHEN {1} > r.{0} THEN {1} ELSE coalesce(r.{0}, {1}) END",
                             name, old_value)
               : fmt::format("{0} = coalesce(r.{0}, {1})", name, old_value);
    select += fmt::format(R"(, first_value(h.{0} IGNORE NULLS) OVER (PARTITION BY h.{1} )"
                          R"(ORDER BY h."received_at" DESC, h."id" DESC )"
                          R"(ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS {0})",
                          name, quote_identifier(key));
  }
  return fmt::format(
      R"(UPDATE {0} SET {1} FROM (SELECT DISTINCT h.{2} AS "id"{3} FROM {4} h )"
      R"(WHERE h.{2} IN (SELECT s."id" FROM "leat_stage_{5}" s)) r WHERE {6}."id" = r."id")",
      target, set, quote_identifier(key), select, qualified(home.schema, home.name), index,
      quote_identifier(table.name));
}

std::string fill_latest_sql(const StagedTable& table, std::size_t index, const StagedTable* home) {
  std::string set;
  for (const StagedColumn& column : table.columns) {
    if (column.name == "id" || column.name == "uuid" || column.name == "uuid_ts") continue;
    if (is_overflow(column)) continue;
    if (home != nullptr && is_shared(column, *home)) continue;
    const std::string name = quote_identifier(column.name);
    if (!set.empty()) set += ", ";
    set += fmt::format("{0} = coalesce({1}.{0}, {2})", name, quote_identifier(table.name),
                       staged_value("k.", column));
  }
  if (set.empty()) return set;
  return fmt::format(R"(UPDATE {} SET {} FROM "leat_stage_{}" k WHERE {}."id" = k."id")",
                     qualified(table.schema, table.name), set, index, quote_identifier(table.name));
}

}  // namespace leat::load
