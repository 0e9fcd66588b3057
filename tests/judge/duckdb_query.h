// Runs SQL in an in-memory DuckDB and gives every value as text. For tests and benchmarks only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace leat::judge {

/// One result: values as DuckDB prints them, nothing for NULL.
struct Table {
  std::vector<std::string> names;
  std::vector<std::vector<std::optional<std::string>>> rows;
};

/// One in-memory database with one thread. Ends the program with a message when a statement fails.
class DuckDb {
 public:
  DuckDb();
  ~DuckDb();
  DuckDb(const DuckDb&) = delete;
  DuckDb& operator=(const DuckDb&) = delete;
  /// Runs one statement and fetches everything.
  Table query(const std::string& sql);
  /// Runs one statement, dropping its rows.
  void run(const std::string& sql);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::judge
