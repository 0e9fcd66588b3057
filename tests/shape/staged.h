// Shapes events and puts the staged files into DuckDB, one table each, as a loader without
// deduplication would.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "judge/duckdb_query.h"
#include "judge/temp_file.h"
#include "pipeline/shape/shaper.h"

namespace leat::shape {

/// Lines of the event log from events, one JSON object each; `head` are further members of the
/// line, with a comma at their end.
inline std::string to_lines(const std::vector<std::string>& events, std::string_view head = "",
                            std::string_view received_at = "2026-11-20T14:03:05.123Z") {
  std::string lines;
  for (const std::string& event : events) {
    lines += R"({"received_at":")";
    lines += received_at;
    lines += R"(","source":"web",)";
    lines += head;
    lines += R"("event":)";
    lines += event;
    lines += "}\n";
  }
  return lines;
}

/// Results of one shaper in DuckDB, beside a table staged_columns(table_name, column_name,
/// sql_type, is_new).
class StagedTables {
 public:
  explicit StagedTables(const std::string& lines, const Options& options = {},
                        const std::vector<KnownTable>& known = {})
      : StagedTables(std::vector<Batch>{{"web/2026112014/0-1-1", lines}}, options, known) {}

  StagedTables(const std::vector<Batch>& batches, const Options& options,
               const std::vector<KnownTable>& known) {
    auto finished =
        shape_batches(options, known, batches.size(),
                      [&](std::size_t position) -> Result<Batch> { return batches[position]; });
    if (!finished) std::abort();
    staged = std::move(*finished);
    static int made = 0;
    schema_ = "s" + std::to_string(made++);
    duckdb.run("create schema " + schema_);
    duckdb.run("use " + schema_);
    duckdb.run(
        "create table staged_columns(table_name text, column_name text, sql_type text, is_new "
        "bool)");
    for (std::size_t i = 0; i < staged.tables.size(); ++i) {
      const StagedTable& table = staged.tables[i];
      const bool shares = !table.shared_places.empty();
      const judge::TempFile file(shares ? staged.shared.parquet : table.parquet);
      duckdb.run("create table \"" + table.name + "\" as select " +
                 (shares ? shared_columns(table) : "*") + " from '" + file.path() + "'" +
                 (shares ? " where leat_table = " + std::to_string(i) : ""));
      for (const StagedColumn& column : table.columns) {
        duckdb.run("insert into staged_columns values ('" + table.name + "', '" +
                   column.column.name + "', '" + columns::sql_type(column.column) + "', " +
                   (column.is_new ? "true" : "false") + ")");
      }
    }
  }

  ~StagedTables() {
    duckdb.run("use main");
    duckdb.run("drop schema " + schema_ + " cascade");
  }
  StagedTables(const StagedTables&) = delete;
  StagedTables& operator=(const StagedTables&) = delete;

  /// Values of a query, joined: columns by '|', rows by ';', NULL as "NULL".
  std::string answer(const std::string& sql) {
    duckdb.run("use " + schema_);
    std::string out;
    for (const auto& row : duckdb.query("select columns(*)::varchar from (" + sql + ")").rows) {
      if (!out.empty()) out += ';';
      for (std::size_t c = 0; c < row.size(); ++c) {
        if (c != 0) out += '|';
        out += row[c].value_or("NULL");
      }
    }
    return out;
  }

  Staged staged;

 private:
  [[nodiscard]] std::string shared_columns(const StagedTable& table) const {
    std::string out;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      out += (i == 0 ? "\"" : ", \"") + staged.shared.columns[table.shared_places[i]].name +
             "\" as \"" + table.columns[i].column.name + "\"";
    }
    return out;
  }

  /// One database for all tests of the program: opening one costs more than a test.
  static judge::DuckDb& shared_duckdb() {
    static judge::DuckDb duckdb;
    return duckdb;
  }

  judge::DuckDb& duckdb = shared_duckdb();
  std::string schema_;
};

}  // namespace leat::shape
