// Inside of the engine: the handles of DuckDB's C API, and how its types become ours. Not for other
// modules.
#pragma once

#include <duckdb.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/engine/blank_marks.h"
#include "warehouse/engine/chunk.h"
#include "warehouse/engine/connection.h"
#include "warehouse/engine/error.h"
#include "warehouse/engine/function.h"
#include "warehouse/engine/key_set.h"
#include "warehouse/engine/result.h"
#include "warehouse/engine/sink.h"
#include "warehouse/engine/source.h"
#include "warehouse/engine/value.h"

namespace leat::engine {

/// Ours from DuckDB's; kOther for what cannot be shown.
[[nodiscard]] ColumnType type_from_duckdb(duckdb_logical_type type);
/// DuckDB's from ours. The caller destroys it.
[[nodiscard]] duckdb_logical_type type_to_duckdb(const ColumnType& type);

/// Destroys a logical type at the end of the scope.
class LogicalType {
 public:
  explicit LogicalType(duckdb_logical_type type) : type_(type) {}
  LogicalType(const LogicalType&) = delete;
  LogicalType& operator=(const LogicalType&) = delete;
  ~LogicalType() { duckdb_destroy_logical_type(&type_); }
  [[nodiscard]] duckdb_logical_type get() const { return type_; }

 private:
  duckdb_logical_type type_;
};

/// Runs what DuckDB calls us for, which gives a SqlStatus or throws, and hands its error to
/// `report(const char*)`: nothing may be thrown through the C interface. False after an error.
template <class Report, class Work>
bool run_for_duckdb(Report report, Work work) {
  try {
    const SqlStatus status = work();
    if (!status) report(pack_error(status.error()).c_str());
    return status.has_value();
  } catch (const std::exception& error) {
    report(pack_error({.sqlstate = "XX000", .message = error.what()}).c_str());
    return false;
  }
}
/// What a scalar function does for one chunk.
template <class Work>
void run_scalar(duckdb_function_info info, Work work) {
  run_for_duckdb([&](const char* error) { duckdb_scalar_function_set_error(info, error); }, work);
}

/// Registers and destroys a scalar function that is complete. 42723 when DuckDB refuses it.
[[nodiscard]] SqlStatus register_scalar_function(duckdb_connection connection,
                                                 duckdb_scalar_function function,
                                                 std::string_view name);

class ChunkReader {
 public:
  /// Makes a Chunk over `chunk`, which it owns from then on when `owned`.
  static Chunk read(duckdb_data_chunk chunk, std::shared_ptr<const std::vector<ColumnInfo>> info,
                    bool owned);

 private:
  static Column column(duckdb_vector vector, const ColumnType& type, std::size_t size);
};

/// What all connections of a database share. Outlives them.
struct DatabaseState {
  duckdb_database database = nullptr;
  std::string key{};   // of all files; empty: they are plain
  std::string main{};  // where connections begin; empty: where DuckDB lets them
  std::mutex sources_mutex;
  std::vector<std::pair<std::int64_t, ChunkSource*>> sources;  // guarded by sources_mutex
  std::int64_t next_source = 1;                                // guarded by sources_mutex
  std::mutex sinks_mutex;
  std::vector<std::pair<std::int64_t, ChunkSink*>> sinks;  // guarded by sinks_mutex
  std::int64_t next_sink = 1;                              // guarded by sinks_mutex
  bool has_sinks = false;                                  // set at open
  std::uint64_t checkpoint_bytes = 0;                      // of WAL start a checkpoint
  std::mutex holds_mutex;
  int holds = 0;  // guarded by holds_mutex
  BlankMarks blank_marks;
  KeySets key_sets;

  ~DatabaseState() {
    if (database != nullptr) duckdb_close(&database);
  }
};

struct Connection::State {
  std::shared_ptr<DatabaseState> database;
  duckdb_connection connection = nullptr;
  std::uint64_t id = 0;  ///< DuckDB's number of the connection.
  TransactionState transaction = TransactionState::kIdle;
  std::mutex interrupt_mutex;
  bool interrupted = false;  // guarded by interrupt_mutex
  /// Counts up with each one: tells a streaming cursor that it was overtaken.
  std::uint64_t statements = 0;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (database != nullptr) database->key_sets.forget(id);
    if (connection != nullptr) duckdb_disconnect(&connection);
  }

  /// Rolls an open block back after an error of one of its statements, and returns the error.
  std::unexpected<SqlError> failed(SqlError error);
  /// Starts a statement: 25P02 in a failed block. Forgets earlier interrupts and overtakes open
  /// streams.
  SqlStatus start();
  /// Runs one statement whose rows nobody wants, past the state machine.
  SqlStatus run_raw(const char* sql);
  /// Plans and runs one statement without parameters; all its rows are made.
  SqlResult<Cursor> run_at_once(std::string text);
  /// Plans and runs one statement of our own that returns no rows and heeds interrupt() at once.
  SqlResult<std::int64_t> run_prepared(std::string text);
  /// The cursor over a result that is there.
  SqlResult<Cursor> describe_result(std::unique_ptr<Cursor::State> cursor);
};

struct Prepared::State {
  Connection::State* connection = nullptr;
  duckdb_prepared_statement statement = nullptr;
  std::string sql;
  StatementKind kind = StatementKind::kOther;
  std::vector<ColumnType> parameters;
  std::vector<ColumnInfo> columns;

  static Cursor cursor_over(std::unique_ptr<Cursor::State> state);

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (statement != nullptr) duckdb_destroy_prepare(&statement);
  }
};

struct Cursor::State {
  Connection::State* connection = nullptr;
  duckdb_result result{};
  bool has_result = false;
  bool streaming = false;
  std::uint64_t statement = 0;  ///< Connection::State::statements when it was made.
  StatementKind kind = StatementKind::kOther;
  std::string sql;
  std::shared_ptr<const std::vector<ColumnInfo>> columns;
  std::int64_t rows_changed = 0;
  std::vector<Chunk> detached;  ///< Read from the back to the front.

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { close(); }
  void close() {
    if (has_result) duckdb_destroy_result(&result);
    has_result = false;
  }
};

/// Sets parameter `index` (from 0) of `statement`.
[[nodiscard]] SqlStatus bind_value(duckdb_prepared_statement statement, std::size_t index,
                                   const Value& value, const ColumnType& type);

/// Registers the table function through which ChunkSources are read.
[[nodiscard]] SqlStatus register_sources(const std::shared_ptr<DatabaseState>& database,
                                         duckdb_connection connection);
/// Where the sinks' numbers stand as files: a place where no file can be, so that SQL may name it.
inline constexpr std::string_view kSinkDirectory = "/dev/null/leat_rows/";
/// Registers the format of COPY TO through which ChunkSinks get rows, if this DuckDB can.
[[nodiscard]] SqlStatus register_sinks(const std::shared_ptr<DatabaseState>& database,
                                       duckdb_connection connection);
/// Registers what checks the lengths of stored text (length_check.cc).
[[nodiscard]] SqlStatus register_length_checks(const std::shared_ptr<DatabaseState>& database,
                                               duckdb_connection connection);
/// Registers the functions of key_set.h.
[[nodiscard]] SqlStatus register_key_sets(const std::shared_ptr<DatabaseState>& database,
                                          duckdb_connection connection);
/// Registers exact division (decimal_division.cc).
[[nodiscard]] SqlStatus register_decimal_division(duckdb_connection connection);
/// Registers the check of floating-point arithmetic (float_check.cc).
[[nodiscard]] SqlStatus register_float_check(duckdb_connection connection);
/// Registers sums and averages of floating point (float_aggregate.cc).
[[nodiscard]] SqlStatus register_float_aggregates(duckdb_connection connection);
/// The engine's names of CatalogType's.
inline constexpr const char* kOidName = "LEAT_OID";
inline constexpr const char* kCharacterName = "LEAT_CHARACTER";
inline constexpr const char* kShortElementName = "LEAT_SHORT_ELEMENT";
inline constexpr const char* kOidElementName = "LEAT_OID_ELEMENT";
/// Registers them (catalog_type.cc).
[[nodiscard]] SqlStatus register_catalog_types(duckdb_connection connection);
class Database;
/// Registers the hash functions that DuckDB lacks (hash_function.cc).
[[nodiscard]] SqlStatus add_hash_functions(Database& database);
/// Regular expressions of Perl's kind (pattern_function.cc).
[[nodiscard]] SqlStatus add_pattern_functions(Database& database);
/// Registers the type of sketches and the functions of hll_function.cc.
[[nodiscard]] SqlStatus register_sketch_aggregates(duckdb_connection connection);
[[nodiscard]] SqlStatus add_sketch_functions(Database& database);
/// Registers the function of text_number_function.cc.
[[nodiscard]] SqlStatus add_text_number_function(Database& database);
[[nodiscard]] SqlStatus add_object_function(Database& database);
/// Registers the functions of value_function.cc.
[[nodiscard]] SqlStatus add_value_functions(Database& database);
/// Registers the functions of format_function.cc.
[[nodiscard]] SqlStatus add_format_functions(Database& database);

}  // namespace leat::engine
