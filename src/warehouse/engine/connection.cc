#include "warehouse/engine/connection.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {

namespace {

StatementKind kind_of(duckdb_statement_type type, std::string_view sql) {
  switch (type) {
    case DUCKDB_STATEMENT_TYPE_SELECT:
      return StatementKind::kSelect;
    case DUCKDB_STATEMENT_TYPE_INSERT:
      return StatementKind::kInsert;
    case DUCKDB_STATEMENT_TYPE_UPDATE:
      return StatementKind::kUpdate;
    case DUCKDB_STATEMENT_TYPE_DELETE:
      return StatementKind::kDelete;
    case DUCKDB_STATEMENT_TYPE_CREATE:
    case DUCKDB_STATEMENT_TYPE_CREATE_FUNC:
      return StatementKind::kCreate;
    case DUCKDB_STATEMENT_TYPE_ALTER:
      return StatementKind::kAlter;
    case DUCKDB_STATEMENT_TYPE_DROP:
      return StatementKind::kDrop;
    case DUCKDB_STATEMENT_TYPE_TRANSACTION:
      return StatementKind::kTransaction;
    case DUCKDB_STATEMENT_TYPE_EXPLAIN:
      return StatementKind::kExplain;
    case DUCKDB_STATEMENT_TYPE_COPY:
      return StatementKind::kCopy;
    case DUCKDB_STATEMENT_TYPE_SET:
    case DUCKDB_STATEMENT_TYPE_VARIABLE_SET:
      return StatementKind::kSet;
    default:
      break;
  }
  // The C API has no number for MERGE.
  const std::string_view start = trim(sql).substr(0, 5);
  return equal_ignore_case(start, "merge") ? StatementKind::kMerge : StatementKind::kOther;
}

SqlStatus check_text(std::string_view sql) {
  if (sql.find('\0') != std::string_view::npos) {
    return fail_sql("22021", "invalid byte sequence for encoding \"UTF8\": 0x00");
  }
  return {};
}

/// The parsed statements of a text. Freed at the end of the scope.
class Statements {
 public:
  Statements(duckdb_connection connection, const char* sql) {
    count_ = duckdb_extract_statements(connection, sql, &handle_);
  }
  Statements(const Statements&) = delete;
  Statements& operator=(const Statements&) = delete;
  ~Statements() { duckdb_destroy_extracted(&handle_); }

  [[nodiscard]] idx_t count() const { return count_; }
  [[nodiscard]] duckdb_extracted_statements get() const { return handle_; }
  /// Empty when the text just held no statement.
  [[nodiscard]] std::string error() const {
    const char* text = duckdb_extract_statements_error(handle_);
    return text == nullptr ? "" : text;
  }

 private:
  duckdb_extracted_statements handle_ = nullptr;
  idx_t count_ = 0;
};

std::vector<ColumnInfo> prepared_columns(duckdb_prepared_statement statement) {
  std::vector<ColumnInfo> out;
  const idx_t count = duckdb_prepared_statement_column_count(statement);
  out.reserve(count);
  for (idx_t i = 0; i < count; ++i) {
    const char* name = duckdb_prepared_statement_column_name(statement, i);
    const LogicalType type(duckdb_prepared_statement_column_logical_type(statement, i));
    out.push_back({.name = name == nullptr ? "" : name,
                   .type = type.get() == nullptr ? ColumnType{} : type_from_duckdb(type.get())});
    duckdb_free(const_cast<char*>(name));  // NOLINT: the C API gives ownership as const char*
  }
  return out;
}

std::vector<ColumnInfo> result_columns(duckdb_result* result) {
  std::vector<ColumnInfo> out;
  const idx_t count = duckdb_column_count(result);
  out.reserve(count);
  for (idx_t i = 0; i < count; ++i) {
    const LogicalType type(duckdb_column_logical_type(result, i));
    out.push_back({.name = duckdb_column_name(result, i), .type = type_from_duckdb(type.get())});
  }
  return out;
}

SqlStatus check_columns(const std::vector<ColumnInfo>& columns) {
  for (const ColumnInfo& column : columns) {
    if (column.type.type != Type::kOther) continue;
    return fail_sql("0A000",
                    fmt::format("column \"{}\" has a type that cannot be returned", column.name),
                    {}, "Cast it to VARCHAR.");
  }
  return {};
}

bool returns_rows(StatementKind kind) {
  return kind != StatementKind::kTransaction && kind != StatementKind::kCreate &&
         kind != StatementKind::kAlter && kind != StatementKind::kDrop &&
         kind != StatementKind::kSet;
}

}  // namespace

std::unexpected<SqlError> Connection::State::failed(SqlError error) {
  if (error.sqlstate == "57014") {
    const std::lock_guard lock(interrupt_mutex);
    // With several workers DuckDB sometimes stops the others before it has noted the error of the
    // first.
    if (!interrupted) {
      error = {.sqlstate = "XX000", .message = std::string(kLostReason), .hint = "Run it again."};
    }
  }
  if (transaction == TransactionState::kActive) {
    transaction = TransactionState::kFailed;
    ++statements;
    // DuckDB has often rolled back by itself; then there is nothing to do and its answer does not
    // matter.
    (void)run_raw("ROLLBACK");
  }
  return std::unexpected(std::move(error));
}

SqlStatus Connection::State::start() {
  {
    const std::lock_guard lock(interrupt_mutex);
    interrupted = false;
  }
  ++statements;
  // Earlier statements are at their ends, or overtaken.
  database->key_sets.forget(id);
  if (transaction != TransactionState::kFailed) return {};
  return fail_sql("25P02",
                  "current transaction is aborted, commands ignored until end of transaction "
                  "block");
}

SqlStatus Connection::State::run_raw(const char* sql) {
  duckdb_result result;
  const bool good = duckdb_query(connection, sql, &result) == DuckDBSuccess;
  SqlError error;
  if (!good) {
    const char* text = duckdb_result_error(&result);
    error = map_duckdb_error(text == nullptr ? "" : text, sql);
  }
  duckdb_destroy_result(&result);
  if (!good) return std::unexpected(std::move(error));
  return {};
}

Prepared::Prepared(std::unique_ptr<State> state) : state_(std::move(state)) {}
Prepared::Prepared(Prepared&& other) noexcept = default;
Prepared& Prepared::operator=(Prepared&& other) noexcept = default;
Prepared::~Prepared() = default;

StatementKind Prepared::kind() const {
  return state_->kind;
}
std::size_t Prepared::parameter_count() const {
  return state_->parameters.size();
}
const ColumnType& Prepared::parameter_type(std::size_t index) const {
  return state_->parameters.at(index);
}
const std::vector<ColumnInfo>& Prepared::columns() const {
  return state_->columns;
}

namespace {

/// Runs the bound statement to its first rows. `out` is destroyed by the caller in every case.
SqlStatus run_pending(Connection::State& connection, duckdb_prepared_statement statement,
                      bool streaming, const std::string& sql, duckdb_result* out) {
  duckdb_pending_result pending = nullptr;
  const duckdb_state made = streaming ? duckdb_pending_prepared_streaming(statement, &pending)
                                      : duckdb_pending_prepared(statement, &pending);
  {
    // DuckDB forgets an interrupt that came before this, and would run to the end.
    const std::lock_guard lock(connection.interrupt_mutex);
    if (connection.interrupted) duckdb_interrupt(connection.connection);
  }
  SqlStatus status;
  if (made != DuckDBSuccess) {
    const char* text = duckdb_pending_error(pending);
    status = std::unexpected(map_duckdb_error(text == nullptr ? "" : text, sql));
  } else if (duckdb_execute_pending(pending, out) != DuckDBSuccess) {
    const char* text = duckdb_result_error(out);
    status = std::unexpected(map_duckdb_error(text == nullptr ? "" : text, sql));
  }
  duckdb_destroy_pending(&pending);
  return status;
}

std::int64_t read_rows_changed(duckdb_result& result) {
  if (duckdb_result_return_type(result) != DUCKDB_RESULT_TYPE_CHANGED_ROWS) return 0;
  duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
  if (chunk == nullptr) return 0;
  std::int64_t count = 0;
  if (duckdb_data_chunk_get_size(chunk) > 0) {
    count =
        *static_cast<std::int64_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0)));
  }
  duckdb_destroy_data_chunk(&chunk);
  return count;
}

}  // namespace

namespace {

/// The text is one statement that does not touch the transaction, as far as a glance tells.
bool is_plain_statement(std::string_view sql) {
  const std::size_t last = sql.find_last_not_of("; \n\t");
  if (last == std::string_view::npos || sql.substr(0, last).contains(';')) return false;
  const std::size_t first = sql.find_first_not_of(" \n\t");
  const std::string word = to_lower(sql.substr(first, sql.find_first_of(" \n\t;(", first) - first));
  for (const std::string_view refused :
       {"begin", "start", "commit", "end", "rollback", "abort", "prepare", "execute"}) {
    if (word == refused) return false;
  }
  return !word.empty() && word.front() >= 'a' && word.front() <= 'z';
}

}  // namespace

Cursor Prepared::State::cursor_over(std::unique_ptr<Cursor::State> state) {
  Cursor cursor;
  cursor.state_ = std::move(state);
  return cursor;
}

SqlResult<Cursor> Connection::State::describe_result(std::unique_ptr<Cursor::State> cursor) {
  cursor->streaming = duckdb_result_is_streaming(cursor->result);
  if (!cursor->streaming) database->key_sets.forget(id);
  auto columns = std::make_shared<std::vector<ColumnInfo>>();
  const bool has_rows =
      duckdb_result_return_type(cursor->result) == DUCKDB_RESULT_TYPE_QUERY_RESULT &&
      returns_rows(cursor->kind);
  if (has_rows) *columns = result_columns(&cursor->result);
  auto known = check_columns(*columns);
  if (!known) return failed(std::move(known).error());
  cursor->columns = std::move(columns);
  if (!has_rows) {
    cursor->rows_changed = read_rows_changed(cursor->result);
    cursor->close();
  }
  return Prepared::State::cursor_over(std::move(cursor));
}

SqlResult<Cursor> Connection::State::run_at_once(std::string text) {
  LEAT_TRY(start());
  auto cursor = std::make_unique<Cursor::State>();
  cursor->connection = this;
  cursor->sql = std::move(text);
  cursor->statement = statements;
  cursor->has_result = true;
  if (duckdb_query(connection, cursor->sql.c_str(), &cursor->result) != DuckDBSuccess) {
    const char* error = duckdb_result_error(&cursor->result);
    return failed(map_duckdb_error(error == nullptr ? "" : error, cursor->sql));
  }
  cursor->kind = kind_of(duckdb_result_statement_type(cursor->result), cursor->sql);
  return describe_result(std::move(cursor));
}

SqlResult<Cursor> Prepared::execute(std::span<const Value> parameters, ExecuteOptions options) {
  Connection::State& connection = *state_->connection;
  LEAT_TRY(connection.start());
  if (parameters.size() != state_->parameters.size()) {
    return connection.failed(
        {.sqlstate = "08P01",
         .message = fmt::format("{} parameters were given, the statement "
                                "needs {}",
                                parameters.size(), state_->parameters.size())});
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto bound = bind_value(state_->statement, i, parameters[i], state_->parameters[i]);
    if (!bound) return connection.failed(std::move(bound).error());
  }
  auto cursor = std::make_unique<Cursor::State>();
  cursor->connection = &connection;
  cursor->kind = state_->kind;
  cursor->sql = state_->sql;
  cursor->statement = connection.statements;
  cursor->has_result = true;
  auto ran =
      run_pending(connection, state_->statement, options.streaming, state_->sql, &cursor->result);
  if (!ran) return connection.failed(std::move(ran).error());
  return connection.describe_result(std::move(cursor));
}

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() = default;

namespace {

/// Prepares statement `index` of `statements`.
SqlResult<std::unique_ptr<Prepared::State>> prepare_statement(Connection::State& connection,
                                                              Statements& statements, idx_t index,
                                                              std::string sql) {
  auto state = std::make_unique<Prepared::State>();
  state->connection = &connection;
  state->sql = std::move(sql);
  if (duckdb_prepare_extracted_statement(connection.connection, statements.get(), index,
                                         &state->statement) != DuckDBSuccess) {
    const char* text = duckdb_prepare_error(state->statement);
    return connection.failed(map_duckdb_error(text == nullptr ? "" : text, state->sql));
  }
  state->kind = kind_of(duckdb_prepared_statement_type(state->statement), state->sql);
  const idx_t parameters = duckdb_nparams(state->statement);
  for (idx_t i = 1; i <= parameters; ++i) {
    const LogicalType type(duckdb_param_logical_type(state->statement, i));
    ColumnType known = type.get() == nullptr ? ColumnType{} : type_from_duckdb(type.get());
    if (known.type == Type::kOther) known = {};
    state->parameters.push_back(std::move(known));
  }
  return state;
}

}  // namespace

SqlResult<std::int64_t> Connection::State::run_prepared(std::string text) {
  LEAT_TRY(start());
  Statements parsed(connection, text.c_str());
  if (parsed.count() != 1) return failed(map_duckdb_error(parsed.error(), text));
  LEAT_ASSIGN(auto state, prepare_statement(*this, parsed, 0, std::move(text)));
  Prepared prepared(std::move(state));
  LEAT_ASSIGN(const Cursor cursor, prepared.execute({}, {.streaming = false}));
  return cursor.rows_changed();
}

SqlResult<Prepared> Connection::prepare(std::string_view sql) {
  LEAT_TRY(state_->start());
  auto clean = check_text(sql);
  if (!clean) return state_->failed(std::move(clean).error());
  std::string text(sql);
  Statements statements(state_->connection, text.c_str());
  if (statements.count() != 1) {
    const std::string error = statements.error();
    if (!error.empty()) return state_->failed(map_duckdb_error(error, sql));
    return state_->failed({.sqlstate = "42601",
                           .message = statements.count() == 0
                                          ? "the text holds no statement"
                                          : "cannot insert multiple commands into a prepared "
                                            "statement"});
  }
  LEAT_ASSIGN(auto state, prepare_statement(*state_, statements, 0, std::move(text)));
  if (state->kind == StatementKind::kTransaction) {
    return state_->failed({.sqlstate = "XX000",
                           .message = "transactions are opened and ended by begin(), commit() and "
                                      "rollback()"});
  }
  if (returns_rows(state->kind)) state->columns = prepared_columns(state->statement);
  const bool counts_rows =
      state->kind == StatementKind::kInsert || state->kind == StatementKind::kUpdate ||
      state->kind == StatementKind::kDelete || state->kind == StatementKind::kMerge ||
      state->kind == StatementKind::kCopy;
  // DuckDB describes the row count of such a statement as a column.
  if (counts_rows && state->columns.size() == 1 && state->columns[0].name == "Count") {
    state->columns.clear();
  }
  auto known = check_columns(state->columns);
  if (!known) return state_->failed(std::move(known).error());
  return Prepared(std::move(state));
}

SqlResult<Cursor> Connection::execute(std::string_view sql, ExecuteOptions options) {
  // Preparing plans a statement over files twice: once to describe it, once to run it.
  if (!options.streaming && is_plain_statement(sql) && check_text(sql)) {
    return state_->run_at_once(std::string(sql));
  }
  LEAT_ASSIGN(Prepared prepared, prepare(sql));
  // The statement's own handle may go: DuckDB's result keeps the plan alive.
  return prepared.execute({}, options);
}

SqlResult<std::int64_t> Connection::run(std::string_view sql) {
  LEAT_TRY(state_->start());
  auto clean = check_text(sql);
  if (!clean) return state_->failed(std::move(clean).error());
  const std::string text(sql);
  std::int64_t changed = 0;
  if (is_plain_statement(sql)) {
    LEAT_ASSIGN(const Cursor cursor, state_->run_at_once(text));
    return cursor.rows_changed();
  }
  Statements statements(state_->connection, text.c_str());
  if (statements.count() == 0) {
    const std::string error = statements.error();
    if (!error.empty()) return state_->failed(map_duckdb_error(error, sql));
  }
  for (idx_t i = 0; i < statements.count(); ++i) {
    LEAT_ASSIGN(auto state, prepare_statement(*state_, statements, i, text));
    if (state->kind == StatementKind::kTransaction) {
      return state_->failed({.sqlstate = "XX000",
                             .message = "transactions are opened and ended by begin(), commit() "
                                        "and rollback()"});
    }
    Prepared prepared(std::move(state));
    LEAT_ASSIGN(const Cursor cursor, prepared.execute({}, {.streaming = false}));
    changed = cursor.rows_changed();
  }
  return changed;
}

SqlResult<std::vector<TextRow>> Connection::query(std::string_view sql,
                                                  std::span<const Value> parameters) {
  if (parameters.empty()) {
    LEAT_ASSIGN(Cursor cursor, execute(sql, {.streaming = false}));
    return read_all(std::move(cursor));
  }
  LEAT_ASSIGN(Prepared prepared, prepare(sql));
  LEAT_ASSIGN(Cursor cursor, prepared.execute(parameters, {.streaming = false}));
  return read_all(std::move(cursor));
}

TransactionState Connection::transaction() const {
  return state_->transaction;
}

SqlStatus Connection::begin(bool read_only) {
  if (state_->transaction != TransactionState::kIdle) {
    return fail_sql("25001", "there is already a transaction in progress");
  }
  ++state_->statements;
  LEAT_TRY(state_->run_raw(read_only ? "BEGIN TRANSACTION READ ONLY" : "BEGIN TRANSACTION"));
  state_->transaction = TransactionState::kActive;
  return {};
}

SqlResult<bool> Connection::commit() {
  const TransactionState before = std::exchange(state_->transaction, TransactionState::kIdle);
  if (before != TransactionState::kActive) return before == TransactionState::kIdle;
  ++state_->statements;
  auto committed = state_->run_raw("COMMIT");
  if (!committed) {
    // A failed commit has ended DuckDB's transaction in most cases, never all.
    (void)state_->run_raw("ROLLBACK");
    return std::unexpected(std::move(committed).error());
  }
  return true;
}

SqlStatus Connection::rollback() {
  const TransactionState before = std::exchange(state_->transaction, TransactionState::kIdle);
  if (before != TransactionState::kActive) return {};
  ++state_->statements;
  return state_->run_raw("ROLLBACK");
}

void Connection::fail_block() {
  (void)state_->failed({});
}

void Connection::interrupt() {
  const std::lock_guard lock(state_->interrupt_mutex);
  state_->interrupted = true;
  duckdb_interrupt(state_->connection);
}

double Connection::progress() const {
  return duckdb_query_progress(state_->connection).percentage;
}

BlankMarks& Connection::blank_marks() const {
  return state_->database->blank_marks;
}

SqlResult<std::int64_t> Connection::run_with(std::string_view sql, ChunkSource& source) {
  DatabaseState& database = *state_->database;
  std::int64_t id = 0;
  {
    const std::lock_guard lock(database.sources_mutex);
    id = database.next_source++;
    database.sources.emplace_back(id, &source);
  }
  // A reference to a relation that does not exist as such: replaced by a scan of the source.
  std::string text(sql);
  constexpr std::string_view kName = "leat_rows";
  const std::size_t at = text.rfind(kName);
  LEAT_CHECK(at != std::string::npos);
  text.replace(at, kName.size(), fmt::format("leat_source({})", id));
  auto changed = run(text);
  const std::lock_guard lock(database.sources_mutex);
  std::erase_if(database.sources, [id](const auto& entry) { return entry.first == id; });
  return changed;
}

}  // namespace leat::engine
