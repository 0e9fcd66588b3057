#include "judge/duckdb_query.h"

#include <duckdb.h>

#include <cstdio>
#include <cstdlib>

namespace leat::judge {

struct DuckDb::State {
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
};

DuckDb::DuckDb() : state_(std::make_unique<State>()) {
  if (duckdb_open(nullptr, &state_->database) == DuckDBError ||
      duckdb_connect(state_->database, &state_->connection) == DuckDBError) {
    std::fputs("cannot open an in-memory DuckDB\n", stderr);
    std::abort();
  }
  run("set threads = 1");
  run("set timezone = 'UTC'");
}

DuckDb::~DuckDb() {
  duckdb_disconnect(&state_->connection);
  duckdb_close(&state_->database);
}

void DuckDb::run(const std::string& sql) {
  duckdb_result result;
  if (duckdb_query(state_->connection, sql.c_str(), &result) == DuckDBError) {
    std::fprintf(stderr, "DuckDB: %s\n  in: %.400s\n", duckdb_result_error(&result), sql.c_str());
    std::abort();
  }
  duckdb_destroy_result(&result);
}

Table DuckDb::query(const std::string& sql) {
  duckdb_result result;
  if (duckdb_query(state_->connection, sql.c_str(), &result) == DuckDBError) {
    std::fprintf(stderr, "DuckDB: %s\n  in: %.400s\n", duckdb_result_error(&result), sql.c_str());
    std::abort();
  }
  Table table;
  const idx_t columns = duckdb_column_count(&result);
  const idx_t rows = duckdb_row_count(&result);
  for (idx_t c = 0; c < columns; ++c) table.names.emplace_back(duckdb_column_name(&result, c));
  for (idx_t r = 0; r < rows; ++r) {
    auto& row = table.rows.emplace_back();
    for (idx_t c = 0; c < columns; ++c) {
      char* text =
          duckdb_value_is_null(&result, c, r) ? nullptr : duckdb_value_varchar(&result, c, r);
      row.push_back(text == nullptr ? std::nullopt : std::optional<std::string>(text));
      duckdb_free(text);
    }
  }
  duckdb_destroy_result(&result);
  return table;
}

}  // namespace leat::judge
