// One session's connection to the engine.
//
// Used by one thread at a time, except interrupt(). Statements are DuckDB SQL, already translated.
//
// Transactions follow PostgreSQL: outside a block every statement commits by itself; inside one the
// first error rolls the work back at once and every later statement is refused with 25P02 until the
// block is ended.
//
//   kIdle --begin()--> kActive --commit(), rollback()--> kIdle
//   kActive --any failed statement--> kFailed --commit() (rolls back), rollback()--> kIdle
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "warehouse/engine/result.h"

namespace leat::engine {

class BlankMarks;
class ChunkSink;
class ChunkSource;

enum class TransactionState : std::uint8_t { kIdle, kActive, kFailed };

struct ExecuteOptions {
  /// False: the whole result is made before execute returns, which costs less for small results and
  /// frees the connection; it is held in memory. True: rows come as they are asked for.
  bool streaming = true;
};

/// A planned statement with parameters $1 ... $n. Must not outlive its Connection.
class Prepared {
 public:
  Prepared(Prepared&& other) noexcept;
  Prepared& operator=(Prepared&& other) noexcept;
  ~Prepared();

  [[nodiscard]] StatementKind kind() const;
  [[nodiscard]] std::size_t parameter_count() const;
  /// Type of $(index + 1) as the planner sees it; kNull when nothing determines it.
  [[nodiscard]] const ColumnType& parameter_type(std::size_t index) const;
  /// The columns it will return, known without running it; empty when it returns no rows.
  [[nodiscard]] const std::vector<ColumnInfo>& columns() const;

  /// Runs with exactly parameter_count() values. Errors: 08P01 for a wrong count, 22P02 for text
  /// that does not read as the parameter's type, and the statement's own.
  [[nodiscard]] SqlResult<Cursor> execute(std::span<const Value> parameters,
                                          ExecuteOptions options = {});

  /// Runs a query without parameters to its end and hands its rows to `sink`, without the copies
  /// that a Cursor costs. Errors: the query's and the sink's.
  [[nodiscard]] SqlStatus run_into(ChunkSink& sink);

  struct State;  ///< Inside of the engine only.

 private:
  friend class Connection;
  explicit Prepared(std::unique_ptr<State> state);
  SqlStatus stream_into(ChunkSink& sink);

  std::unique_ptr<State> state_;
};

class Connection {
 public:
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Runs one statement without parameters. Text with several statements is refused (42601).
  [[nodiscard]] SqlResult<Cursor> execute(std::string_view sql, ExecuteOptions options = {});
  /// Runs one or more statements and throws their rows away; stops at the first error. Returns the
  /// rows that the last one changed. BEGIN and COMMIT inside the text are refused: use begin() and
  /// commit().
  [[nodiscard]] SqlResult<std::int64_t> run(std::string_view sql);
  /// Runs one statement and reads its rows as text: for catalog look-ups.
  [[nodiscard]] SqlResult<std::vector<TextRow>> query(std::string_view sql,
                                                      std::span<const Value> parameters = {});

  [[nodiscard]] SqlResult<Prepared> prepare(std::string_view sql);

  /// Runs `sql` with the rows of `source`, which its last word `leat_rows` stands for:
  /// "INSERT INTO t(a, b) SELECT a, b FROM leat_rows". Returns the rows changed. The source is not
  /// used afterwards.
  [[nodiscard]] SqlResult<std::int64_t> run_with(std::string_view sql, ChunkSource& source);

  [[nodiscard]] TransactionState transaction() const;
  /// 25001 when a block is open.
  [[nodiscard]] SqlStatus begin(bool read_only = false);
  /// Ends the block. In kFailed it is a rollback: `committed` tells. 40001 when another transaction
  /// was first.
  [[nodiscard]] SqlResult<bool> commit();
  /// Ends the block; nothing to do in kIdle.
  [[nodiscard]] SqlStatus rollback();

  /// Fails an open block because of an error that did not come from a statement on this connection
  /// (a missing file, a syntax error); nothing to do in kIdle and kFailed.
  void fail_block();

  /// Stops the running statement, which then fails with 57014; without one it does nothing. Any
  /// thread.
  void interrupt();

  /// Share of the running statement's work done, 0 to 100; -1 when not known. Any thread.
  [[nodiscard]] double progress() const;

  /// Of the whole warehouse.
  [[nodiscard]] BlankMarks& blank_marks() const;

  struct State;  ///< Inside of the engine only.

 private:
  friend class Database;
  explicit Connection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace leat::engine
