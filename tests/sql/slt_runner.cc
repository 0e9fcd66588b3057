// Runs sqllogictest files: slt_runner FILE...
//
//   statement ok | statement error SQLSTATE | query [rowsort]   then SQL up to a blank line or
//   "----", after "----" one line per row, values separated by tabs; NULL, and (empty) for the
//   empty string. "onlyif direct" or "onlyif server" before a record limits it to one of the two
//   ways below.
//
// Without LEAT_SLT_SERVER every statement is translated and run in a DuckDB in memory ("direct").
// With it (a libpq connection string) the statements go as they are to that server: Leat's
// warehouse, or Amazon Redshift itself.
#include <duckdb.h>
#include <libpq-fe.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "warehouse/sql/translate.h"

namespace {

struct Answer {
  std::string sqlstate;  // empty: success
  std::string message;
  std::vector<std::string> rows;
};

class Target {
 public:
  virtual ~Target() = default;
  virtual Answer run(const std::string& sql) = 0;
  [[nodiscard]] virtual std::string name() const = 0;
};

std::string shown(const char* value) {
  if (value == nullptr) return "NULL";
  return *value == '\0' ? "(empty)" : value;
}

/// Through the translator into DuckDB. Values are written as the PostgreSQL protocol writes them.
class DirectTarget : public Target {
 public:
  DirectTarget() {
    duckdb_open(nullptr, &database_);
    duckdb_connect(database_, &connection_);
    must("CREATE SCHEMA leat_system");
    must("CREATE SCHEMA public");
    must("SET search_path = 'public,main'");
    for (const std::string& setting : leat::sql::required_settings()) must(setting);
    for (const std::string& macro : leat::sql::dialect_macros(context_)) must(macro);
  }
  ~DirectTarget() override {
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }
  std::string name() const override { return "direct"; }

  Answer run(const std::string& sql) override {
    const auto script = leat::sql::parse_script(sql);
    if (!script) return {script.error().sqlstate, script.error().message, {}};
    Answer answer;
    for (const auto& parsed : *script) {
      const auto translation = leat::sql::translate(parsed.statement, context_);
      if (!translation) return {translation.error().sqlstate, translation.error().message, {}};
      for (const std::string& statement : translation->statements) {
        answer = run_duckdb(statement);
        if (!answer.sqlstate.empty()) return answer;
      }
    }
    return answer;
  }

 private:
  void must(const std::string& sql) {
    const Answer answer = run_duckdb(sql);
    if (answer.sqlstate.empty()) return;
    std::cerr << sql << "\n" << answer.message << "\n";
    std::exit(2);
  }

  Answer run_duckdb(const std::string& sql) {
    duckdb_result result;
    Answer answer;
    if (duckdb_query(connection_, sql.c_str(), &result) == DuckDBError) {
      answer.message = duckdb_result_error(&result);
      answer.sqlstate = state_of(answer.message);
    } else {
      const idx_t columns = duckdb_column_count(&result);
      for (idx_t row = 0; row < duckdb_row_count(&result); ++row) {
        std::string line;
        for (idx_t column = 0; column < columns; ++column) {
          line += (column > 0 ? "\t" : "") + value_text(result, column, row);
        }
        answer.rows.push_back(std::move(line));
      }
    }
    duckdb_destroy_result(&result);
    return answer;
  }

  static std::string value_text(duckdb_result& result, idx_t column, idx_t row) {
    if (duckdb_value_is_null(&result, column, row)) return "NULL";
    switch (duckdb_column_type(&result, column)) {
      case DUCKDB_TYPE_BOOLEAN:
        return duckdb_value_boolean(&result, column, row) ? "t" : "f";
      case DUCKDB_TYPE_DOUBLE:
      case DUCKDB_TYPE_FLOAT: {
        char text[64];
        (void)std::snprintf(text, sizeof(text), "%.15g", duckdb_value_double(&result, column, row));
        return text;
      }
      default:
        break;
    }
    const std::unique_ptr<char, decltype(&duckdb_free)> text(
        duckdb_value_varchar(&result, column, row), &duckdb_free);
    return shown(text.get());
  }

  /// Leat's macros put the SQLSTATE before the text; DuckDB's own errors have none here.
  static std::string state_of(const std::string& message) {
    const std::size_t at = message.find(": ");
    const std::string rest = at == std::string::npos ? message : message.substr(at + 2);
    if (rest.size() > 6 && rest.compare(5, 2, ": ") == 0) return rest.substr(0, 5);
    return "?????";
  }

  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
  leat::sql::TranslateContext context_;
};

class ServerTarget : public Target {
 public:
  explicit ServerTarget(const char* url) : connection_(PQconnectdb(url), &PQfinish) {
    if (PQstatus(connection_.get()) == CONNECTION_OK) return;
    std::cerr << PQerrorMessage(connection_.get());
    std::exit(2);
  }
  std::string name() const override { return "server"; }
  Answer run(const std::string& sql) override {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection_.get(), sql.c_str()), &PQclear);
    Answer answer;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
      const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
      answer.sqlstate = state == nullptr ? "?????" : state;
      answer.message = PQresultErrorMessage(result.get());
      return answer;
    }
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      std::string line;
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        const bool null = PQgetisnull(result.get(), row, column) != 0;
        line += (column > 0 ? "\t" : "") +
                shown(null ? nullptr : PQgetvalue(result.get(), row, column));
      }
      answer.rows.push_back(std::move(line));
    }
    return answer;
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

struct Record {
  int line = 0;
  std::string kind;  // "ok", "error", "query"
  std::string sqlstate;
  bool sorted = false;
  std::string only;
  std::string sql;
  std::vector<std::string> rows;
};

bool read_record(std::ifstream& file, int& line_number, Record& record) {
  record = {};
  std::string line;
  while (std::getline(file, line)) {
    ++line_number;
    if (line.starts_with("onlyif ")) {
      record.only = line.substr(7);
    } else if (line == "statement ok") {
      record.kind = "ok";
    } else if (line.starts_with("statement error ")) {
      record.kind = "error";
      record.sqlstate = line.substr(16);
    } else if (line == "query" || line == "query rowsort") {
      record.kind = "query";
      record.sorted = line == "query rowsort";
    } else if (!line.empty() && !line.starts_with("#")) {
      std::cerr << "line " << line_number << ": not a record: " << line << "\n";
      std::exit(2);
    }
    if (!record.kind.empty()) break;
  }
  if (record.kind.empty()) return false;
  record.line = line_number;
  bool rows = false;
  while (std::getline(file, line)) {
    ++line_number;
    if (line.empty()) break;
    if (line == "----") {
      rows = true;
    } else if (rows) {
      record.rows.push_back(line);
    } else {
      record.sql += (record.sql.empty() ? "" : "\n") + line;
    }
  }
  return true;
}

bool check(Target& target, Record& record, const std::string& file) {
  Answer answer = target.run(record.sql);
  std::string problem;
  if (record.kind == "error") {
    if (answer.sqlstate.empty()) problem = "no error; expected " + record.sqlstate;
    if (answer.sqlstate != record.sqlstate && answer.sqlstate != "?????" && problem.empty()) {
      problem = "expected " + record.sqlstate + ", got " + answer.sqlstate + " " + answer.message;
    }
  } else if (!answer.sqlstate.empty()) {
    problem = answer.sqlstate + " " + answer.message;
  } else if (record.kind == "query") {
    if (record.sorted) {
      std::sort(answer.rows.begin(), answer.rows.end());
      std::sort(record.rows.begin(), record.rows.end());
    }
    if (answer.rows != record.rows) {
      problem = "expected rows:";
      for (const std::string& row : record.rows) problem += "\n    " + row;
      problem += "\n  got:";
      for (const std::string& row : answer.rows) problem += "\n    " + row;
    }
  }
  if (problem.empty()) return true;
  std::cerr << file << ":" << record.line << ": " << record.sql << "\n  " << problem << "\n";
  return false;
}

}  // namespace

int main(int count, char** arguments) {
  int failures = 0;
  int checked = 0;
  for (int i = 1; i < count; ++i) {
    std::ifstream file(arguments[i]);
    if (!file) {
      std::cerr << arguments[i] << ": cannot be read\n";
      return 2;
    }
    const char* url = std::getenv("LEAT_SLT_SERVER");
    std::unique_ptr<Target> target;
    if (url != nullptr) {
      target = std::make_unique<ServerTarget>(url);
    } else {
      target = std::make_unique<DirectTarget>();
    }
    int line = 0;
    Record record;
    while (read_record(file, line, record)) {
      if (!record.only.empty() && record.only != target->name()) continue;
      ++checked;
      if (!check(*target, record, arguments[i])) ++failures;
    }
  }
  std::cout << checked << " records, " << failures << " failures\n";
  return failures == 0 && checked > 0 ? 0 : 1;
}
