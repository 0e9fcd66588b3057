// What a user would do instead of shape: the same ETL in DuckDB's SQL. For programs of bench/ only.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "judge/duckdb_query.h"
#include "judge/temp_file.h"
#include "pipeline/shape/shaper.h"

namespace leat::bench {

/// The statements that make the same tables with the same columns in DuckDB, from one table of
/// structs.
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
    collect_paths(duckdb, "raw");
    for (const shape::StagedTable& table : like.tables) {
      if (table.kind != shape::TableKind::kRescue) tables_.push_back(table.name);
    }
    narrow(like);
  }
  ~DuckDbEtl() { std::filesystem::remove_all(out_); }
  DuckDbEtl(const DuckDbEtl&) = delete;
  DuckDbEtl& operator=(const DuckDbEtl&) = delete;

  /// The whole job: raw table, one CTAS and one COPY for each table.
  void run() const {
    judge::DuckDb duckdb;
    duckdb.run("create table raw as " + read());
    for (const std::string& table : tables_) {
      duckdb.run(fmt::format("create table \"{}\" as select {} from raw where {}", table,
                             columns_of(table), rows_of(table)));
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

  /// Every leaf of the structs as a column: path in SQL, name, and the scope it belongs to.
  void collect_paths(judge::DuckDb& duckdb, const std::string& table) {
    for (const auto& row : duckdb.query("describe " + table).rows) {
      const std::string& name = *row[0];
      const bool is_scope = name == "context" || name == "properties" || name == "traits";
      if (!is_scope) continue;
      expand(duckdb, name, "\"" + name + "\"", name == "context" ? "context_" : "", name);
    }
  }

  void expand(judge::DuckDb& duckdb, const std::string& scope, const std::string& path,
              const std::string& prefix, const std::string&) {
    const auto type = duckdb.query(fmt::format("select typeof({}) from raw limit 1", path));
    if (!type.rows[0][0]->starts_with("STRUCT")) return;
    const auto keys = duckdb.query(fmt::format(
        "select unnest(json_keys(to_json({}))) as k from raw where {} is not null limit 1000", path,
        path));
    std::set<std::string> seen;
    for (const auto& key : keys.rows) {
      if (!seen.insert(*key[0]).second) continue;
      const std::string child = fmt::format("{}.\"{}\"", path, *key[0]);
      const auto child_type =
          duckdb.query(fmt::format("select typeof({}) from raw limit 1", child));
      if (child_type.rows[0][0]->starts_with("STRUCT") && !child_type.rows[0][0]->ends_with("]")) {
        expand(duckdb, scope, child, prefix + *key[0] + "_", scope);
      } else {
        const bool is_list = child_type.rows[0][0]->ends_with("]");
        leaves_[scope].push_back(fmt::format("{} as \"{}{}\"",
                                             is_list ? "to_json(" + child + ")::varchar" : child,
                                             prefix, *key[0]));
      }
    }
  }

  std::string columns_of(const std::string& table) const {
    std::string out =
        "\"messageId\" as id, \"anonymousId\" as anonymous_id, \"userId\" as user_id, "
        "coalesce(\"timestamp\", \"originalTimestamp\") as original_timestamp, \"sentAt\" as "
        "sent_at, "
        "\"event\" as event_text";
    const auto add = [&](const std::string& scope) {
      for (const std::string& leaf : leaves_.at(scope)) out += ", " + leaf;
    };
    add("context");
    if (table == "tracks") return out;
    const bool has_traits = table == "identifies" || table == "users" || table == "groups" ||
                            table == "accounts" || table == "aliases";
    // Only the leaves that the table has: an ETL written by hand would name just those.
    const auto used = used_leaves_.find(table);
    if (used != used_leaves_.end()) {
      for (const std::string& leaf : used->second) out += ", " + leaf;
    } else {
      add(has_traits ? "traits" : "properties");
    }
    return out;
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

  /// Finds which properties each event table has, so that the SQL names only those.
  void narrow(const shape::Staged& like) {
    for (const shape::StagedTable& table : like.tables) {
      std::set<std::string> names;
      for (const auto& column : table.columns) names.insert(flat(column.column.name));
      for (const auto* scope : {"properties", "traits"}) {
        for (const std::string& leaf : leaves_[scope]) {
          const std::size_t at = leaf.rfind(" as \"");
          const std::string name = flat(leaf.substr(at + 5, leaf.size() - at - 6));
          const bool wants_traits = table.name == "identifies" || table.name == "users" ||
                                    table.name == "groups" || table.name == "accounts";
          if (wants_traits != (std::string_view(scope) == "traits")) continue;
          if (names.contains(name)) used_leaves_[table.name].push_back(leaf);
        }
      }
    }
  }

  static std::string flat(const std::string& name) {
    std::string out;
    for (const char c : to_lower(name)) {
      if (c != '_') out += c;
    }
    return out;
  }

  judge::TempFile json_;
  std::filesystem::path out_;
  std::vector<std::string> tables_;
  std::map<std::string, std::vector<std::string>> leaves_;
  std::map<std::string, std::vector<std::string>> used_leaves_;
};

}  // namespace leat::bench
