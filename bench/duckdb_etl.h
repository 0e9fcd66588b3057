// What a user would do instead of shape: the same ETL in DuckDB's SQL. For programs of bench/ only.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "judge/duckdb_query.h"
#include "judge/temp_file.h"
#include "pipeline/shape/shaper.h"

namespace leat::bench {

/// The statements that make the same tables in DuckDB, column for column, from one table of
/// structs. Left out are only the loader's own columns (leat_batch, leat_order), and every row gets
/// one time of receipt, which the events do not carry. Numbers and times have the types that DuckDB
/// finds.
class DuckDbEtl {
 public:
  DuckDbEtl(const std::vector<std::string>& events, const shape::Staged& like)
      : json_(
            [&] {
              std::string all;
              for (const std::string& batch : events) all += batch;
              return all;
            }(),
            ".ndjson"),
        out_(std::filesystem::temp_directory_path() / ("leat-etl-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(out_);
    judge::DuckDb duckdb;
    duckdb.run("create table raw as " + read());
    collect_paths(duckdb);
    for (const shape::StagedTable& table : like.tables) {
      if (table.kind == shape::TableKind::kRescue) continue;
      selects_[table.name] = select_of(table);
      check_ids(duckdb, table);
    }
  }
  ~DuckDbEtl() { std::filesystem::remove_all(out_); }
  DuckDbEtl(const DuckDbEtl&) = delete;
  DuckDbEtl& operator=(const DuckDbEtl&) = delete;

  /// The whole job: raw table, one CTAS and one COPY for each table.
  void run() const {
    judge::DuckDb duckdb;
    duckdb.run("create table raw as " + read());
    for (const auto& [table, select] : selects_) {
      duckdb.run(fmt::format("create table \"{}\" as {}", table, select));
      duckdb.run(fmt::format("copy \"{0}\" to '{1}/{0}.parquet' (format parquet, codec zstd)",
                             table, out_.string()));
    }
  }

 private:
  std::string read() const {
    return fmt::format(
        "select * from read_json_auto('{}', format='newline_delimited', sample_size=-1, "
        "maximum_depth=-1)",
        json_.path());
  }

  /// Every leaf of the events by the name that its column gets, without underscores; of properties
  /// and traits with the scope before it.
  void collect_paths(judge::DuckDb& duckdb) {
    for (const auto& row : duckdb.query("describe raw").rows) {
      const std::string& name = *row[0];
      const bool is_scope = name == "properties" || name == "traits";
      expand(duckdb, fmt::format("\"{}\"", name), is_scope ? name + ":" : name);
    }
  }

  void expand(judge::DuckDb& duckdb, const std::string& path, const std::string& column) {
    const std::string type =
        *duckdb.query(fmt::format("select typeof({}) from raw limit 1", path)).rows[0][0];
    if (!type.starts_with("STRUCT") || type.ends_with("]")) {
      // Identifiers and lists are text in the destination.
      std::string value = type.ends_with("]") ? fmt::format("to_json({})", path) : path;
      if (type.ends_with("]") || type == "UUID") value += "::varchar";
      leaves_[flat(column)] = std::move(value);
      return;
    }
    const auto keys = duckdb.query(fmt::format(
        "select distinct unnest(json_keys(to_json({0}))) as k from raw where {0} is not null",
        path));
    for (const auto& child : keys.rows) {
      expand(duckdb, fmt::format("{}.\"{}\"", path, *child[0]), column + *child[0]);
    }
  }

  std::string select_of(const shape::StagedTable& table) const {
    const bool is_entity = table.name == "users" || table.name == "accounts";
    const std::string id = table.name == "users"      ? "\"userId\""
                           : table.name == "accounts" ? "\"groupId\""
                                                      : "\"messageId\"";
    std::string columns;
    for (const auto& staged : table.columns) {
      const std::string& name = staged.column.name;
      if (name.starts_with("leat_")) continue;
      std::string value = name == "id" ? id : value_of(table.name, name, id);
      // One row for each user: of every trait the newest value that is not null.
      if (is_entity && name != "id") value = fmt::format("arg_max({}, \"sentAt\")", value);
      columns += fmt::format("{}{} as \"{}\"", columns.empty() ? "" : ", ", value, name);
    }
    return fmt::format("select {} from raw where {}{}", columns, rows_of(table.name),
                       is_entity ? " group by " + id : "");
  }

  std::string value_of(const std::string& table, const std::string& column,
                       const std::string& id) const {
    static const std::map<std::string, std::string> kStandard = {
        {"received_at", std::string(kReceived)},
        {"uuid_ts", "now()::timestamp"},
        {"original_timestamp", std::string(kHappened)},
        {"sent_at", "\"sentAt\""},
        // The device's clock, corrected by how far it was off when it sent.
        {"timestamp", fmt::format("{} - (\"sentAt\" - {})", kReceived, kHappened)},
        {"event", "lower(replace(\"event\", ' ', '_'))"},
        {"event_text", "\"event\""}};
    if (column == "uuid") return fmt::format("(hash({}) >> 1)::bigint", id);
    const auto standard = kStandard.find(column);
    if (standard != kStandard.end()) return standard->second;
    const bool has_traits =
        table == "identifies" || table == "users" || table == "groups" || table == "accounts";
    for (const char* const scope : {has_traits ? "traits:" : "properties:", ""}) {
      const auto found = leaves_.find(flat(scope + column));
      if (found != leaves_.end()) return found->second;
    }
    fmt::print(stderr, "the ETL has nothing for {}.{}\n", table, column);
    std::exit(1);
  }

  /// An ETL that forgets rows would be fast.
  void check_ids(judge::DuckDb& duckdb, const shape::StagedTable& table) const {
    const judge::TempFile ours(table.parquet);
    const std::string ids =
        *duckdb.query(fmt::format("select count(distinct id) from ({})", selects_.at(table.name)))
             .rows[0][0];
    const std::string wanted =
        *duckdb.query(fmt::format("select count(distinct id) from '{}'", ours.path())).rows[0][0];
    if (ids == wanted) return;
    fmt::print(stderr, "the ETL makes {} ids of {}, leat {}\n", ids, table.name, wanted);
    std::exit(1);
  }

  static std::string rows_of(const std::string& table) {
    static const std::map<std::string, std::string> kWhere = {
        {"tracks", "\"type\" = 'track'"},
        {"identifies", "\"type\" = 'identify'"},
        {"users", "\"type\" = 'identify' and \"userId\" is not null"},
        {"pages", "\"type\" = 'page'"},
        {"screens", "\"type\" = 'screen'"},
        {"groups", "\"type\" = 'group'"},
        {"accounts", "\"type\" = 'group'"},
        {"aliases", "\"type\" = 'alias'"}};
    const auto found = kWhere.find(table);
    if (found != kWhere.end()) return found->second;
    return fmt::format("\"type\" = 'track' and lower(replace(\"event\", ' ', '_')) = '{}'", table);
  }

  static std::string flat(const std::string& name) {
    std::string out;
    for (const char c : to_lower(name)) {
      if (c != '_') out += c;
    }
    return out;
  }

  static constexpr std::string_view kReceived = "timestamp '2026-10-28 14:03:06'";
  static constexpr std::string_view kHappened = "coalesce(\"timestamp\", \"originalTimestamp\")";

  judge::TempFile json_;
  std::filesystem::path out_;
  std::map<std::string, std::string> selects_;  // by table
  std::map<std::string, std::string> leaves_;   // SQL by flat name
};

}  // namespace leat::bench
