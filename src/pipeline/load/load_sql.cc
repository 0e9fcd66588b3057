#include "pipeline/load/load_sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "pipeline/load/overflow_sql.h"

namespace leat::load {
namespace {

std::string stage_name(std::size_t index) {
  return fmt::format("\"leat_stage_{}\"", index);
}

constexpr std::string_view kSharedStage = R"("leat_shared")";

std::string target(const StagedTable& table) {
  return qualified(table.schema, table.name);
}

// "p"."a", "p"."b", ...
std::string column_list(const StagedTable& table, std::string_view prefix) {
  std::string out;
  for (const StagedColumn& column : table.columns) {
    if (!out.empty()) out += ", ";
    out += prefix;
    out += quote_identifier(column.name);
  }
  return out;
}

// The table's columns as the shared stage has them.
std::vector<StagedColumn> shared_columns(const SharedStage& shared, const StagedTable& table) {
  std::vector<StagedColumn> out;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    StagedColumn& column = out.emplace_back(table.columns[i]);
    column.name = shared.columns[table.shared_places[i]].name;
  }
  return out;
}

bool is_super(const StagedColumn& column) {
  return column.type == "super";
}

// The values of new rows. A column that is named in an INSERT does not get its DEFAULT any more.
std::string inserted_values(std::span<const StagedColumn> columns, std::string_view prefix) {
  std::string out;
  for (const StagedColumn& column : columns) {
    if (!out.empty()) out += ", ";
    const std::string value = staged_value(prefix, column);
    out += column.required_default.empty()
               ? value
               : fmt::format("coalesce({}, {})", value, column.required_default);
  }
  return out;
}

std::string definition(const StagedColumn& column, std::string_view type) {
  return fmt::format("{} {}{}", quote_identifier(column.name), type,
                     column.name == "id" ? " NOT NULL" : "");
}

// In a table that stays. Ids differ from row to row, which the encodings that warehouses choose by
// themselves are not made for: writing them was half of an INSERT's time.
std::string stored_definition(const StagedColumn& column) {
  const bool is_key =
      column.name == "id" || column.name == "user_id" || column.name == "anonymous_id";
  return fmt::format("{}{}", definition(column, column.type),
                     is_key && column.type.starts_with("varchar") ? " ENCODE zstd" : "");
}

// Of a temporary table: COPY brings SUPER as its JSON.
std::string definitions(std::span<const StagedColumn> columns) {
  std::string out;
  for (const StagedColumn& column : columns) {
    if (!out.empty()) out += ", ";
    out += definition(column, is_super(column) ? "varchar(65535)" : column.type);
  }
  return out;
}

std::string copy_from(std::string_view to, std::string_view manifest_uri,
                      std::string_view authorization) {
  return fmt::format("COPY {} FROM '{}' {} FORMAT AS PARQUET MANIFEST", to, manifest_uri,
                     authorization);
}

int creation_rank(std::string_view name) {
  if (name == "id") return 0;
  if (name == "received_at") return 1;
  if (name == "uuid") return 2;
  if (name == "uuid_ts") return 3;
  return 4;
}

std::string literal_list(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    if (!out.empty()) out += ", ";
    out += quote_literal(text);
  }
  return out;
}

std::string ledger_column_list() {
  std::string out;
  for (const std::string_view name : kLedgerColumns) {
    if (!out.empty()) out += ", ";
    out += quote_identifier(name);
  }
  return out;
}

bool has_order(const StagedTable& table) {
  return table.role != TableRole::kLatest;
}

// Staged rows that give way to another staged row, by their order.
std::string losers_name(std::size_t index) {
  return fmt::format("\"leat_losers_{}\"", index);
}

// Staged rows whose id the target has.
std::string known_name(std::size_t index) {
  return fmt::format("\"leat_known_{}\"", index);
}

// Cuts the target to the time in which rows with staged ids were received; it is sorted by that.
std::string within_known(const CountedTable& counted, std::string_view prefix) {
  if (counted.known_from.empty()) return {};
  return fmt::format(R"( AND {0}"received_at" BETWEEN '{1}' AND '{2}')", prefix, counted.known_from,
                     counted.known_until);
}

// The target's ids that may be staged, with their newest received_at ("known_at"): by their hashes
// also some that are not, and those without a hash.
std::string known_rows(const CountedTable& counted) {
  const std::string from =
      fmt::format(R"(SELECT t."id", t."received_at" FROM {} t WHERE)", target(*counted.table));
  const std::string within = within_known(counted, "t.");
  const auto staged = [&](std::string_view key) {
    return fmt::format(R"({0} t.{1} IN (SELECT s.{1} FROM {2} s){3})", from, key,
                       stage_name(counted.index), within);
  };
  const std::string rows = counted.is_hashed ? fmt::format(R"({} UNION ALL {} t."uuid" IS NULL{})",
                                                           staged(R"("uuid")"), from, within)
                                             : staged(R"("id")");
  return fmt::format(
      R"((SELECT r."id", )"
      R"(coalesce(max(r."received_at"), CAST('0001-01-01 00:00:00' AS timestamp)) AS "known_at" )"
      R"(FROM ({}) r GROUP BY r."id"))",
      rows);
}

// Staged rows, as `s`, and which of them win over others with the same id.
struct Winners {
  std::string from;
  std::string condition;  // empty: all
};

// Rows of `table`, a stage or a part of it, as `s`. Of events few rows have an id that repeats,
// which are known by their order then.
Winners winners_in(const std::string& table, const CountedTable& counted, bool has_duplicates) {
  if (!has_duplicates) return {.from = table + " s", .condition = {}};
  return {.from = fmt::format(R"({} s LEFT JOIN {} l ON l."leat_order" = s."leat_order")", table,
                              losers_name(counted.index)),
          .condition = R"(l."leat_order" IS NULL)"};
}

// `columns`: those of `s` that are wanted. An event may have many rescue rows.
Winners winners_among(const CountedTable& counted, bool has_duplicates, std::string_view columns) {
  const std::string stage = stage_name(counted.index);
  if (!has_duplicates || counted.table->role != TableRole::kRescue) {
    return winners_in(stage, counted, has_duplicates);
  }
  return {.from = fmt::format(R"((SELECT {}, row_number() OVER (PARTITION BY "id" ORDER BY )"
                              R"("received_at" DESC, "leat_order" DESC) AS "leat_rank" FROM {}) s)",
                              columns, stage),
          .condition = R"(s."leat_rank" = 1)"};
}

// Which of them win, where not all do: as a condition that can be counted.
std::string is_winner(const Winners& winners) {
  return winners.condition.empty() ? "true" : winners.condition;
}

// Of each batch: staged rows with an id that the target has; those of them that win over other
// staged rows; those that replace the target's.
std::string count_known(const CountedTable& counted, const Winners& winners) {
  Winners known = winners;
  if (counted.lists_known) {
    known = winners_in(known_name(counted.index), counted, counted.has_duplicates);
  } else {
    known.from += fmt::format(R"( JOIN {} k ON k."id" = s."id")", known_rows(counted));
  }
  return fmt::format(
      R"(SELECT s."leat_batch", count(*) AS "rows", sum(CASE WHEN {0} THEN 1 ELSE 0 END) AS "wins", )"
      R"(sum(CASE WHEN {0} AND "known_at" <= s."received_at" THEN 1 ELSE 0 END) AS "replacing" )"
      R"(FROM {1} GROUP BY s."leat_batch")",
      is_winner(known), known.from);
}

std::string count_rows(const CountedTable& counted) {
  const Winners winners =
      winners_among(counted, counted.has_duplicates, R"("id", "received_at", "leat_batch")");
  const std::string staged = fmt::format(
      R"(SELECT s."leat_batch", count(*) AS "rows", sum(CASE WHEN {} THEN 1 ELSE 0 END) AS "wins" )"
      R"(FROM {} GROUP BY s."leat_batch")",
      is_winner(winners), winners.from);
  if (counted.table->is_new || !counted.has_known) {
    return fmt::format(R"(SELECT {}, b."leat_batch", b."rows", b."wins", 0, 0 FROM ({}) b)",
                       counted.index, staged);
  }
  return fmt::format(R"(SELECT {}, b."leat_batch", b."rows", b."wins" - coalesce(n."wins", 0), )"
                     R"(coalesce(n."replacing", 0), coalesce(n."rows", 0) )"
                     R"(FROM ({}) b LEFT JOIN ({}) n ON n."leat_batch" = b."leat_batch")",
                     counted.index, staged, count_known(counted, winners));
}

// One row: rows of the target that may have a staged id, when they were received, how many of them
// have no such time.
std::string may_be_known(const CountedTable& counted) {
  const std::string name = target(*counted.table);
  const std::string stage = stage_name(counted.index);
  const auto rows_by = [&](std::string_view column) {
    return fmt::format(
        R"(SELECT t."received_at" FROM {0} t WHERE t.{1} IN (SELECT s.{1} FROM {2} s))", name,
        column, stage);
  };
  // Rows that were not written by Leat have no hash, and any id.
  const std::string rows =
      counted.is_hashed
          ? fmt::format(R"({} UNION ALL SELECT t."received_at" FROM {} t WHERE t."uuid" IS NULL)",
                        rows_by(R"("uuid")"), name)
          : rows_by(R"("id")");
  return fmt::format(
      R"((SELECT count(*) AS "rows", min("received_at") AS "first", max("received_at") AS "last", )"
      R"(count(*) - count("received_at") AS "untimed" FROM ({}) r))",
      rows);
}

std::string overlap(const CountedTable& counted) {
  const std::string_view key = counted.is_hashed ? R"("uuid")" : R"("id")";
  // Of events the shaper has said it. Rescue rows it does not compare.
  const bool asks = counted.table->role == TableRole::kRescue;
  const std::string different =
      asks ? fmt::format("count(DISTINCT {})", key) : std::string("count(*)");
  const std::string staged = fmt::format(R"((SELECT count(*) AS "rows", {} AS "ids" FROM {}))",
                                         different, stage_name(counted.index));
  if (counted.table->is_new) {
    return fmt::format(
        R"(SELECT {}, s."rows", s."ids", 0, CAST(NULL AS timestamp), CAST(NULL AS timestamp), 0 )"
        R"(FROM {} s)",
        counted.index, staged);
  }
  return fmt::format(
      R"(SELECT {}, s."rows", s."ids", k."rows", k."first", k."last", k."untimed" FROM {} s, {} k)",
      counted.index, staged, may_be_known(counted));
}

std::string sample(const CountedTable& counted) {
  return fmt::format(R"(SELECT {}, r."id", r."uuid" FROM (SELECT "id", "uuid" FROM {} LIMIT 32) r)",
                     counted.index, target(*counted.table));
}

template <class ToSql>
std::string union_all(std::span<const CountedTable> tables, ToSql to_sql) {
  std::string out;
  for (const CountedTable& counted : tables) {
    if (!out.empty()) out += " UNION ALL ";
    out += to_sql(counted);
  }
  return out;
}

std::string count_latest(const CountedTable& counted) {
  const StagedTable& table = *counted.table;
  const std::string stage = stage_name(counted.index);
  if (table.is_new) {
    return fmt::format(R"(SELECT {}, 0, count(*), count(DISTINCT s."id"), 0, 0 FROM {} s)",
                       counted.index, stage);
  }
  std::string late = "0";
  std::string calls;
  if (table.home) {
    late = R"(sum(CASE WHEN k."known_at" > c."oldest" THEN 1 ELSE 0 END))";
    calls =
        fmt::format(R"( LEFT JOIN (SELECT {0} AS "id", min("received_at") AS "oldest" FROM {1} )"
                    R"(GROUP BY {0}) c ON c."id" = s."id")",
                    quote_identifier(table.home_key), stage_name(*table.home));
  }
  return fmt::format(
      R"(SELECT {}, 0, count(*), count(DISTINCT s."id"), count(DISTINCT k."id"), {} )"
      R"(FROM {} s LEFT JOIN {} k ON k."id" = s."id"{})",
      counted.index, late, stage, known_rows(counted), calls);
}

}  // namespace

std::string staged_value(std::string_view prefix, const StagedColumn& column) {
  const std::string name = fmt::format("{}{}", prefix, quote_identifier(column.name));
  return column.type == "super" ? fmt::format("json_parse({})", name) : name;
}

std::string deletions_row_id(std::string_view source) {
  return fmt::format("{}/deletions", source);
}

std::string qualified(std::string_view schema, std::string_view table) {
  return quote_identifier(schema) + "." + quote_identifier(table);
}

std::string create_schema_sql(std::string_view schema) {
  return "CREATE SCHEMA IF NOT EXISTS " + quote_identifier(schema);
}

std::string create_table_sql(const StagedTable& table) {
  std::vector<StagedColumn> columns = table.columns;
  std::ranges::stable_sort(columns, [](const StagedColumn& a, const StagedColumn& b) {
    const int rank_a = creation_rank(a.name);
    const int rank_b = creation_rank(b.name);
    return rank_a != rank_b ? rank_a < rank_b : a.name < b.name;
  });
  std::string out = fmt::format("CREATE TABLE IF NOT EXISTS {} (", target(table));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out += ", ";
    out += stored_definition(columns[i]);
  }
  return out + R"() DISTKEY("id") SORTKEY("received_at"))";
}

std::string add_column_sql(const StagedTable& table, const StagedColumn& column) {
  return fmt::format("ALTER TABLE {} ADD COLUMN {}", target(table), stored_definition(column));
}

std::string create_stage_sql(const StagedTable& table, std::size_t index) {
  std::string out =
      fmt::format("CREATE TEMP TABLE {} ({}", stage_name(index), definitions(table.columns));
  if (has_order(table)) out += R"(, "leat_batch" bigint, "leat_order" bigint)";
  return out + R"() DISTKEY("id"))";
}

std::string role_sql(std::string_view iam_role) {
  return iam_role == "default" ? std::string("IAM_ROLE default")
                               : fmt::format("IAM_ROLE '{}'", iam_role);
}

Result<std::string> keys_sql(const CopyKeys& keys) {
  for (const std::string& text : {keys.access_key_id, keys.secret_access_key, keys.session_token}) {
    const bool is_plain = std::ranges::all_of(
        text, [](char c) { return c > ' ' && c < '\x7f' && c != '\'' && c != '\\'; });
    if (!is_plain) return fail(Errc::kInvalid, "the AWS keys for COPY hold a quote or no ASCII");
  }
  std::string out = fmt::format("ACCESS_KEY_ID '{}' SECRET_ACCESS_KEY '{}'", keys.access_key_id,
                                keys.secret_access_key);
  if (!keys.session_token.empty()) out += fmt::format(" SESSION_TOKEN '{}'", keys.session_token);
  return out;
}

std::string copy_sql(const StagedTable& table, std::size_t index, std::string_view authorization) {
  return copy_from(fmt::format("{} ({}{})", stage_name(index), column_list(table, ""),
                               has_order(table) ? R"(, "leat_batch", "leat_order")" : ""),
                   table.manifest_uri, authorization);
}

std::string create_shared_sql(const SharedStage& shared) {
  return fmt::format(R"(CREATE TEMP TABLE {} ({}) DISTKEY("id"))", kSharedStage,
                     definitions(shared.columns));
}

std::string copy_shared_sql(const SharedStage& shared, std::string_view authorization) {
  return copy_from(kSharedStage, shared.manifest_uri, authorization);
}

std::string count_shared_sql() {
  return fmt::format(R"(SELECT "leat_table", count(*) FROM {} GROUP BY "leat_table")",
                     kSharedStage);
}

std::string fill_stage_sql(const SharedStage& shared, const StagedTable& table, std::size_t index) {
  std::string values;
  for (const StagedColumn& column : shared_columns(shared, table)) {
    values += quote_identifier(column.name) + ", ";
  }
  return fmt::format(R"(INSERT INTO {0} ({1}, "leat_batch", "leat_order") )"
                     R"(SELECT {2}"leat_batch", "leat_order" FROM {3} WHERE "leat_table" = {4})",
                     stage_name(index), column_list(table, ""), values, kSharedStage, index);
}

std::string insert_shared_sql(const SharedStage& shared, const StagedTable& table,
                              std::size_t index) {
  return fmt::format(R"(INSERT INTO {} ({}) SELECT {} FROM {} WHERE "leat_table" = {})",
                     target(table), column_list(table, ""),
                     inserted_values(shared_columns(shared, table), ""), kSharedStage, index);
}

std::string overlap_shared_sql(std::span<const CountedTable> tables) {
  const std::string rows = union_all(tables, [](const CountedTable& counted) {
    return fmt::format(R"(SELECT {} AS "leat_table", t."uuid" FROM {} t)", counted.index,
                       target(*counted.table));
  });
  return fmt::format(R"(SELECT r."leat_table", count(*) FROM ({}) r WHERE r."uuid" IS NULL )"
                     R"(OR r."uuid" IN (SELECT s."uuid" FROM {} s) GROUP BY r."leat_table")",
                     rows, kSharedStage);
}

std::string overlap_sql(std::span<const CountedTable> tables) {
  return union_all(tables, overlap);
}

std::string sample_sql(std::span<const CountedTable> tables) {
  return union_all(tables, sample);
}

std::string count_sql(std::span<const CountedTable> tables) {
  return union_all(tables, [](const CountedTable& counted) {
    return counted.table->role == TableRole::kLatest ? count_latest(counted) : count_rows(counted);
  });
}

std::string create_losers_sql(const CountedTable& counted) {
  // Few rows have an id that repeats: only those are ranked.
  return fmt::format(
      R"(CREATE TEMP TABLE {0} AS SELECT r."leat_order" FROM (SELECT s."leat_order", )"
      R"(row_number() OVER (PARTITION BY s."id" ORDER BY s."received_at" DESC, )"
      R"(s."leat_order" DESC) AS "leat_rank" FROM {1} s WHERE s.{2} IN )"
      R"((SELECT {2} FROM {1} GROUP BY {2} HAVING count(*) > 1)) r WHERE r."leat_rank" > 1)",
      losers_name(counted.index), stage_name(counted.index),
      counted.is_hashed ? R"("uuid")" : R"("id")");
}

std::string create_known_sql(const CountedTable& counted) {
  return fmt::format(
      R"(CREATE TEMP TABLE {} AS SELECT s."leat_order", s."leat_batch", s."id", s."received_at", )"
      R"(k."known_at" FROM {} s JOIN {} k ON k."id" = s."id")",
      known_name(counted.index), stage_name(counted.index), known_rows(counted));
}

std::string drop_lists_sql(const CountedTable& counted, bool has_losers) {
  std::string out = "DROP TABLE ";
  if (has_losers) out += losers_name(counted.index);
  if (has_losers && counted.lists_known) out += ", ";
  if (counted.lists_known) out += known_name(counted.index);
  return out;
}

std::string delete_replaced_sql(const CountedTable& counted) {
  const std::string name = quote_identifier(counted.table->name);
  const std::string staged =
      counted.lists_known ? known_name(counted.index) : stage_name(counted.index);
  return fmt::format(R"(DELETE FROM {0} USING {1} WHERE {2}."id" = {1}."id"{3} )"
                     R"(AND ({2}."received_at" IS NULL OR {2}."received_at" <= {1}."received_at"))",
                     target(*counted.table), staged, name, within_known(counted, name + "."));
}

std::string insert_sql(const CountedTable& counted, InsertShape shape) {
  const StagedTable& table = *counted.table;
  const std::string columns = column_list(table, "");
  std::string out = fmt::format("INSERT INTO {} ({}) SELECT {} FROM ", target(table), columns,
                                inserted_values(table.columns, "s."));
  auto [from, condition] = winners_among(counted, shape.stage_has_duplicates, columns);
  out += from;
  if (shape.target_has_newer) {
    if (!condition.empty()) condition += " AND ";
    condition += counted.lists_known ? fmt::format(R"(NOT EXISTS (SELECT 1 FROM {} k WHERE )"
                                                   R"(k."leat_order" = s."leat_order" AND )"
                                                   R"(k."known_at" > s."received_at"))",
                                                   known_name(counted.index))
                                     : fmt::format(R"(NOT EXISTS (SELECT 1 FROM {} k WHERE k."id" )"
                                                   R"(= s."id" AND k."received_at" > )"
                                                   R"(s."received_at"{}))",
                                                   target(table), within_known(counted, "k."));
  }
  return condition.empty() ? out : out + " WHERE " + condition;
}

std::string update_latest_sql(const StagedTable& table, std::size_t index) {
  std::string out = fmt::format("UPDATE {} SET ", target(table));
  bool first = true;
  for (const StagedColumn& column : table.columns) {
    if (column.name == "id" || is_overflow(column)) continue;
    if (!first) out += ", ";
    first = false;
    const std::string name = quote_identifier(column.name);
    const std::string old_value = quote_identifier(table.name) + "." + name;
    out += fmt::format(
        R"({0} = CASE WHEN {1}."received_at" > k."received_at" THEN coalesce({2}, {3}) )"
        R"(ELSE coalesce({3}, {2}) END)",
        name, quote_identifier(table.name), old_value, staged_value("k.", column));
  }
  return out + fmt::format(R"( FROM {} k WHERE {}."id" = k."id")", stage_name(index),
                           quote_identifier(table.name));
}

std::string insert_latest_sql(const StagedTable& table, std::size_t index) {
  return fmt::format(R"(INSERT INTO {0} ({1}) SELECT {2} FROM {3} k )"
                     R"(WHERE NOT EXISTS (SELECT 1 FROM {0} t WHERE t."id" = k."id"))",
                     target(table), column_list(table, ""), inserted_values(table.columns, "k."),
                     stage_name(index));
}

std::string drop_stages_sql(std::span<const std::size_t> tables, bool has_shared) {
  std::string out = "DROP TABLE ";
  if (has_shared) out += kSharedStage;
  for (const std::size_t index : tables) {
    if (!out.ends_with(' ')) out += ", ";
    out += stage_name(index);
  }
  return out;
}

std::vector<std::string> ledger_tables_in(std::string_view schema, std::string_view ledger_schema) {
  if (schema != ledger_schema) return {};
  return {"batches", "replays", "syncs", std::string(kDeletionsTable)};
}

std::string create_ledger_sql(std::string_view ledger_schema) {
  return fmt::format(
      R"(CREATE TABLE IF NOT EXISTS {} ("batch_id" varchar(1024) NOT NULL, )"
      R"("source" varchar(512) NOT NULL, "shard" varchar(128) NOT NULL, )"
      R"("first_offset" bigint NOT NULL, "last_offset" bigint NOT NULL, "hour" timestamp, )"
      R"("received" bigint NOT NULL, "loaded" bigint NOT NULL, "deduplicated" bigint NOT NULL, )"
      R"("rescued" bigint NOT NULL, "excluded" bigint NOT NULL, "values_rescued" bigint NOT NULL, )"
      R"("table_rows" varchar(65535) NOT NULL, "sync_id" varchar(64) NOT NULL, )"
      R"("loaded_at" timestamp NOT NULL) DISTKEY("batch_id") SORTKEY("loaded_at"))",
      qualified(ledger_schema, "batches"));
}

std::string create_syncs_view_sql(std::string_view ledger_schema) {
  std::string sums;
  for (const std::string_view column :
       {"received", "loaded", "deduplicated", "rescued", "excluded", "values_rescued"}) {
    sums += fmt::format(R"(, CAST(sum("{0}") AS bigint) AS "{0}")", column);
  }
  return fmt::format(
      R"(CREATE VIEW {} AS SELECT "sync_id", "source", min("loaded_at") AS "first_loaded_at", )"
      R"(max("loaded_at") AS "last_loaded_at", count(*) AS "batches"{} FROM {} )"
      R"(WHERE "hour" IS NOT NULL GROUP BY "sync_id", "source")",
      qualified(ledger_schema, "syncs"), sums, qualified(ledger_schema, "batches"));
}

std::string lock_ledger_sql(std::string_view ledger_schema) {
  return "LOCK TABLE " + qualified(ledger_schema, "batches");
}

std::string insert_ledger_sql(std::string_view ledger_schema,
                              const std::vector<BatchBooks>& batches) {
  std::string out = fmt::format(
      R"(INSERT INTO {} ("batch_id", "source", "shard", "first_offset", "last_offset", "hour", )"
      R"("received", "loaded", "deduplicated", "rescued", "excluded", "values_rescued", )"
      R"("table_rows", "sync_id", "loaded_at") VALUES )",
      qualified(ledger_schema, "batches"));
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const BatchBooks& batch = batches[i];
    const std::string& digits = batch.hour;  // yyyymmddhh
    const std::string hour =
        digits.size() == 10
            ? fmt::format("'{}-{}-{} {}:00:00'", digits.substr(0, 4), digits.substr(4, 2),
                          digits.substr(6, 2), digits.substr(8, 2))
            : "NULL";
    if (i > 0) out += ", ";
    out += fmt::format("({}, {}, {}, {}, {}, {}, ", quote_literal(batch.batch_id),
                       quote_literal(batch.source), quote_literal(batch.shard), batch.first_offset,
                       batch.last_offset, hour);
    out += fmt::format("{}, {}, {}, {}, {}, {}, {}, {}, '{}')", batch.events.received,
                       batch.events.loaded, batch.events.deduplicated, batch.events.rescued,
                       batch.events.excluded, batch.values_rescued,
                       quote_literal(table_rows_json(batch.table_rows)),
                       quote_literal(batch.sync_id), format_timestamp(batch.loaded_at));
  }
  return out;
}

std::string find_batches_sql(std::string_view ledger_schema,
                             const std::vector<std::string>& batch_ids) {
  return fmt::format(R"(SELECT {} FROM {} WHERE "batch_id" IN ({}))", ledger_column_list(),
                     qualified(ledger_schema, "batches"), literal_list(batch_ids));
}

std::string delete_batches_sql(std::string_view ledger_schema,
                               const std::vector<BatchBooks>& batches) {
  std::vector<std::string> ids;
  ids.reserve(batches.size());
  for (const BatchBooks& batch : batches) ids.push_back(batch.batch_id);
  return fmt::format(R"(DELETE FROM {} WHERE "batch_id" IN ({}))",
                     qualified(ledger_schema, "batches"), literal_list(ids));
}

std::string schema_exists_sql(std::string_view schema) {
  return "SELECT nspname FROM pg_namespace WHERE nspname = " + quote_literal(schema);
}

std::string ledger_totals_sql(std::string_view ledger_schema) {
  return fmt::format(
      R"(SELECT "source", count(*), sum("received"), sum("loaded"), sum("deduplicated"), )"
      R"(sum("rescued"), )"
      R"(sum("excluded"), sum("values_rescued"), max("loaded_at") FROM {} WHERE "hour" IS NOT )"
      R"(NULL )"
      R"(GROUP BY "source" ORDER BY "source")",
      qualified(ledger_schema, "batches"));
}

std::string deletion_totals_sql(std::string_view ledger_schema) {
  return fmt::format(R"(SELECT "source", sum("events") FROM {} GROUP BY "source")",
                     qualified(ledger_schema, kDeletionsTable));
}

std::string ledger_latest_sql(std::string_view ledger_schema, int limit) {
  return fmt::format(
      R"(SELECT {} FROM {} WHERE "hour" IS NOT NULL ORDER BY "loaded_at" DESC, "batch_id" )"
      R"(DESC LIMIT {})",
      ledger_column_list(), qualified(ledger_schema, "batches"), limit);
}

std::string positions_sql(std::string_view ledger_schema, std::string_view source) {
  return fmt::format(
      R"(SELECT "shard", max("last_offset") FROM {} WHERE "source" = {} GROUP BY "shard")",
      qualified(ledger_schema, "batches"), quote_literal(source));
}

std::string columns_sql(std::string_view schema, const std::vector<std::string>& tables) {
  std::string out = fmt::format(
      "SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, "
      "numeric_scale, column_default, is_nullable FROM svv_columns WHERE table_schema = {}",
      quote_literal(schema));
  if (!tables.empty()) out += fmt::format(" AND table_name IN ({})", literal_list(tables));
  return out + " ORDER BY table_name, ordinal_position";
}

std::string relations_sql(std::string_view schema) {
  return fmt::format(
      "SELECT c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
      "WHERE n.nspname = {}",
      quote_literal(schema));
}

std::string manifest_json(std::string_view uri, std::int64_t bytes) {
  return fmt::format(
      R"({{"entries":[{{"url":{},"mandatory":true,"meta":{{"content_length":{}}}}}]}})",
      json_string(uri), bytes);
}

std::string table_rows_json(const std::map<std::string, std::int64_t>& table_rows) {
  constexpr std::size_t kBytesMax = 65'000;
  std::vector<std::pair<std::int64_t, std::string>> entries;
  for (const auto& [table, rows] : table_rows) {
    entries.emplace_back(rows, fmt::format("{}:{}", json_string(table), rows));
  }
  std::size_t bytes = 2;
  for (const auto& entry : entries) bytes += entry.second.size() + 1;
  std::int64_t summed = 0;
  if (bytes > kBytesMax) {
    std::ranges::stable_sort(entries,
                             [](const auto& a, const auto& b) { return a.first > b.first; });
    bytes += 32;  // the entry of the sum
    while (bytes > kBytesMax) {
      summed += entries.back().first;
      bytes -= entries.back().second.size() + 1;
      entries.pop_back();
    }
  }
  std::string out = "{";
  for (const auto& entry : entries) {
    if (out.size() > 1) out += ',';
    out += entry.second;
  }
  if (summed > 0) out += fmt::format(R"(,"*":{})", summed);
  return out + "}";
}

}  // namespace leat::load
