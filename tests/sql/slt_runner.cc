// Runs sqllogictest files over the PostgreSQL protocol: slt_runner [--check PAGE | --write PAGE]
// FILE...
//
//   statement ok | statement error SQLSTATE | query [rowsort] [columns]   then SQL up to a blank
//   line or "----", after "----" one line per row, values separated by tabs; NULL, and (empty) for
//   the empty string. With "columns" the first line has the columns' names. Before a record:
//   "user NAME" gives it to a session of that user (password Secret1234, kept for the file);
//   "onlyif leat" or "onlyif redshift" leaves it out on the other. "every query answers" at a line
//   of its own: from there on a query without a row, or with NULL only, fails.
//
// Without LEAT_SLT_SERVER each file has a warehouse of its own, in memory, behind a server of this
// process, with an empty object store for COPY and UNLOAD. With it (a libpq connection string of
// key = value pairs) the statements go to that server: Leat's warehouse, or Amazon Redshift itself.
// A file leaves its tables there, so that each needs an empty database.
//
// --write rewrites the tables of a page from what the files show of each statement and function,
// --check fails when the page says something else.
#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/directory_object_store.h"
#include "warehouse/pgwire/server.h"
#include "warehouse/session/warehouse.h"
#include "warehouse/sql/function_table.h"
#include "warehouse/sql/translate.h"

namespace {

constexpr const char* kPassword = "Secret1234";

struct Answer {
  std::string sqlstate;  // empty: success
  std::string message;
  std::vector<std::string> rows;
  std::string columns;
};

std::string shown(const char* value) {
  if (value == nullptr) return "NULL";
  return *value == '\0' ? "(empty)" : value;
}

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

/// The sessions of one file: the administrator's, and one of each user that a record names.
class Server {
 public:
  Server() {
    if (const char* url = std::getenv("LEAT_SLT_SERVER")) {
      url_ = url;
    } else {
      start();
    }
    const Answer version = run({}, "select version()");
    if (!version.sqlstate.empty()) die(version.message);
    leat_ = version.rows.at(0).find("Redshift 1.0.100000") != std::string::npos;
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    sessions_.clear();
    server_.reset();
    warehouse_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string name() const { return leat_ ? "leat" : "redshift"; }

  Answer run(const std::string& user, const std::string& sql) {
    PGconn* connection = session(user);
    if (PQstatus(connection) != CONNECTION_OK) return {"08001", PQerrorMessage(connection), {}, {}};
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection, sql.c_str()),
                                                               &PQclear);
    Answer answer;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
      const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
      answer.sqlstate = state == nullptr ? "?????" : state;
      answer.message = PQresultErrorMessage(result.get());
      return answer;
    }
    for (int column = 0; column < PQnfields(result.get()); ++column)
      answer.columns += (column > 0 ? "\t" : "") + std::string(PQfname(result.get(), column));
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
  [[noreturn]] static void die(const std::string& why) {
    std::cerr << why << "\n";
    std::exit(2);
  }

  void start() {
    folder_ = (std::filesystem::temp_directory_path() / "leat_slt_XXXXXX").string();
    if (mkdtemp(folder_.data()) == nullptr) die("no temporary folder could be made");
    auto store = leat::io::DirectoryObjectStore::open({.root = folder_});
    if (!store) die(store.error().message);
    store_ = std::move(*store);
    auto opened = leat::session::Warehouse::open({.admin_password = kPassword,
                                                  .threads = 2,
                                                  .directories = {folder_},
                                                  .object_store = store_.get()});
    if (!opened) die(opened.error().message);
    warehouse_ = std::move(*opened);
    auto started = leat::pgwire::Server::start({.listen = "127.0.0.1:0"}, *warehouse_);
    if (!started) die(started.error().message);
    server_ = std::move(*started);
    url_ = "host=127.0.0.1 dbname=dev user=leat sslmode=disable port=" +
           std::to_string(server_->port()) + " password=" + kPassword;
  }

  PGconn* session(const std::string& user) {
    const auto known = sessions_.find(user);
    if (known != sessions_.end()) return known->second.get();
    std::string url = url_;
    // Of two values of one key the later counts.
    if (!user.empty()) url += " user=" + user + " password=" + kPassword;
    Connection opened(PQconnectdb(url.c_str()), &PQfinish);
    PQsetNoticeProcessor(opened.get(), [](void*, const char*) {}, nullptr);
    return sessions_.emplace(user, std::move(opened)).first->second.get();
  }

  std::string folder_;
  std::unique_ptr<leat::io::DirectoryObjectStore> store_;
  std::unique_ptr<leat::session::Warehouse> warehouse_;
  std::unique_ptr<leat::pgwire::Server> server_;
  std::string url_;
  bool leat_ = true;
  std::map<std::string, Connection> sessions_;
};

struct Record {
  int line = 0;
  std::string kind;  // "ok", "error", "query"
  std::string sqlstate;
  bool sorted = false;
  bool columns = false;
  std::string only;
  std::string user;
  bool answers = false;  // stays for the records after it
  std::string sql;
  std::vector<std::string> rows;
};

bool read_head(const std::string& line, Record& record) {
  if (line.starts_with("onlyif ")) {
    record.only = line.substr(7);
  } else if (line.starts_with("user ")) {
    record.user = line.substr(5);
  } else if (line == "every query answers") {
    record.answers = true;
  } else if (line == "statement ok") {
    record.kind = "ok";
  } else if (line.starts_with("statement error ")) {
    record.kind = "error";
    record.sqlstate = line.substr(16);
  } else if (line.starts_with("query")) {
    record.kind = "query";
    record.sorted = line.find(" rowsort") != std::string::npos;
    record.columns = line.find(" columns") != std::string::npos;
  } else {
    return line.empty() || line.starts_with("#");
  }
  return true;
}

bool read_record(std::ifstream& file, int& line_number, Record& record) {
  const bool answers = record.answers;
  record = {};
  record.answers = answers;
  std::string line;
  while (record.kind.empty() && std::getline(file, line)) {
    ++line_number;
    if (!read_head(line, record)) {
      std::cerr << "line " << line_number << ": not a record: " << line << "\n";
      std::exit(2);
    }
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

/// What is wrong with the answer; empty: nothing.
std::string problem_of(Answer answer, Record& record) {
  if (record.kind == "error") {
    if (answer.sqlstate.empty()) return "no error; expected " + record.sqlstate;
    if (answer.sqlstate == record.sqlstate) return {};
    return "expected " + record.sqlstate + ", got " + answer.sqlstate + " " + answer.message;
  }
  if (!answer.sqlstate.empty()) return answer.sqlstate + " " + answer.message;
  if (record.kind != "query") return {};
  const auto is_null = [](const std::string& row) {
    return row.find_first_not_of("NUL\t") == std::string::npos;
  };
  if (record.answers && std::ranges::all_of(answer.rows, is_null)) return "no answer";
  if (record.sorted) {
    std::sort(answer.rows.begin(), answer.rows.end());
    std::sort(record.rows.begin() + (record.columns ? 1 : 0), record.rows.end());
  }
  if (record.columns) answer.rows.insert(answer.rows.begin(), answer.columns);
  if (answer.rows == record.rows) return {};
  std::string problem = "expected rows:";
  for (const std::string& row : record.rows) problem += "\n    " + row;
  problem += "\n  got:";
  for (const std::string& row : answer.rows) problem += "\n    " + row;
  return problem;
}

struct Score {
  int passed = 0;
  int refused = 0;  // of the passed: records that expect an error
  int failed = 0;
};

/// How the records fared, by what they are made of.
struct Conformance {
  std::map<std::string, Score> statements;
  std::map<std::string, Score> functions;

  void note(const Record& record, bool passed) {
    const auto script = leat::sql::parse_script(record.sql);
    if (!script) return;  // what is no statement is in no row
    const auto add = [&](Score& score) {
      ++(passed ? score.passed : score.failed);
      if (passed && record.kind == "error") ++score.refused;
    };
    for (const auto& parsed : *script) {
      add(statements[std::string(leat::sql::statement_kind(parsed.statement))]);
      for (const std::string& name : leat::sql::called_functions(parsed.statement))
        add(functions[name]);
    }
  }

  [[nodiscard]] std::string page() const {
    std::string text =
        "\n## Statements\n\n| statement | records | of them refused | failing |\n"
        "| --- | --- | --- | --- |\n";
    for (const auto& [name, score] : statements) text += "| " + name + cells(score) + "\n";
    text +=
        "\n## Functions\n\n| function | state | records | of them refused | failing |\n"
        "| --- | --- | --- | --- | --- |\n";
    std::string_view previous;
    for (const leat::sql::FunctionEntry& entry : leat::sql::function_table()) {
      if (entry.name == previous) continue;
      previous = entry.name;
      std::string upper(entry.name);
      for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
      const auto found = functions.find(std::string(entry.name));
      text += "| " + upper + " | " + std::string(leat::sql::state_name(entry.state)) +
              cells(found == functions.end() ? Score{} : found->second) + "\n";
    }
    return text;
  }

 private:
  static std::string cells(const Score& score) {
    return " | " + std::to_string(score.passed + score.failed) + " | " +
           std::to_string(score.refused) + " | " + std::to_string(score.failed) + " |";
  }
};

/// Puts `tables` into the page after its marker, or compares. False: the page differs.
bool settle_page(const std::string& path, const std::string& tables, bool write) {
  std::ifstream file(path);
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::string marker = "<!-- generated -->\n";
  const std::size_t at = page.find(marker);
  if (at == std::string::npos) {
    std::cerr << path << ": has no line " << marker;
    return false;
  }
  const std::string made = page.substr(0, at + marker.size()) + tables;
  if (write) {
    std::ofstream(path) << made;
    return true;
  }
  if (page == made) return true;
  std::cerr << path << ": differs from what the files show; write it anew with --write\n";
  return false;
}

}  // namespace

int main(int count, char** arguments) {
  int failures = 0;
  int checked = 0;
  std::string page;
  bool write = false;
  Conformance conformance;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--check" || argument == "--write") {
      write = argument == "--write";
      page = i + 1 < count ? arguments[++i] : "";
      continue;
    }
    std::ifstream file(argument);
    if (!file) {
      std::cerr << argument << ": cannot be read\n";
      return 2;
    }
    Server server;
    int line = 0;
    Record record;
    while (read_record(file, line, record)) {
      if (!record.only.empty() && record.only != server.name()) continue;
      ++checked;
      const std::string problem = problem_of(server.run(record.user, record.sql), record);
      conformance.note(record, problem.empty());
      if (problem.empty()) continue;
      ++failures;
      std::cerr << argument << ":" << record.line << ": " << record.sql << "\n  " << problem
                << "\n";
    }
  }
  std::cout << checked << " records, " << failures << " failures\n";
  if (!page.empty() && !settle_page(page, conformance.page(), write)) return 1;
  return failures == 0 && checked > 0 ? 0 : 1;
}
