// Rows go to a ChunkSink through a COPY TO of our own format: its last step gets DuckDB's vectors
// as they are, by one thread and in order. A streamed result is copied, every text one by one, into
// a queue first.
#include "warehouse/engine/sink.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {

namespace {

constexpr std::string_view kFormat = "leat_rows";

/// The functions of DuckDB 1.5's C API for formats of COPY TO. Found at run time, because 1.4 does
/// not have them: its rows are streamed.
struct CopyCalls {
  void* (*create)() = nullptr;
  void (*destroy)(void** function) = nullptr;
  void (*set_name)(void* function, const char* name) = nullptr;
  void (*set_extra_info)(void* function, void* data, duckdb_delete_callback_t destroy) = nullptr;
  void (*set_bind)(void* function, void (*bind)(void* info)) = nullptr;
  void (*set_global_init)(void* function, void (*init)(void* info)) = nullptr;
  void (*set_sink)(void* function, void (*sink)(void* info, duckdb_data_chunk chunk)) = nullptr;
  duckdb_state (*add)(duckdb_connection connection, void* function) = nullptr;
  idx_t (*column_count)(void* bind_info) = nullptr;
  duckdb_logical_type (*column_type)(void* bind_info, idx_t column) = nullptr;
  void (*set_bind_data)(void* bind_info, void* data, duckdb_delete_callback_t destroy) = nullptr;
  void* (*init_extra_info)(void* init_info) = nullptr;
  const char* (*init_path)(void* init_info) = nullptr;
  void (*set_state)(void* init_info, void* data, duckdb_delete_callback_t destroy) = nullptr;
  void (*init_error)(void* init_info, const char* error) = nullptr;
  void* (*sink_bind_data)(void* sink_info) = nullptr;
  void* (*sink_state)(void* sink_info) = nullptr;
  void (*sink_error)(void* sink_info, const char* error) = nullptr;
  bool all_found = true;

  template <class Function>
  void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
    all_found = all_found && function != nullptr;
  }
  CopyCalls() {
    find(create, "duckdb_create_copy_function");
    find(destroy, "duckdb_destroy_copy_function");
    find(set_name, "duckdb_copy_function_set_name");
    find(set_extra_info, "duckdb_copy_function_set_extra_info");
    find(set_bind, "duckdb_copy_function_set_bind");
    find(set_global_init, "duckdb_copy_function_set_global_init");
    find(set_sink, "duckdb_copy_function_set_sink");
    find(add, "duckdb_register_copy_function");
    find(column_count, "duckdb_copy_function_bind_get_column_count");
    find(column_type, "duckdb_copy_function_bind_get_column_type");
    find(set_bind_data, "duckdb_copy_function_bind_set_bind_data");
    find(init_extra_info, "duckdb_copy_function_global_init_get_extra_info");
    find(init_path, "duckdb_copy_function_global_init_get_file_path");
    find(set_state, "duckdb_copy_function_global_init_set_global_state");
    find(init_error, "duckdb_copy_function_global_init_set_error");
    find(sink_bind_data, "duckdb_copy_function_sink_get_bind_data");
    find(sink_state, "duckdb_copy_function_sink_get_global_state");
    find(sink_error, "duckdb_copy_function_sink_set_error");
  }
};

const CopyCalls& copy_calls() {
  static const CopyCalls kCalls;
  return kCalls;
}

using Columns = std::shared_ptr<const std::vector<ColumnInfo>>;

/// The types of the rows that will come, for Chunk.
void bind_rows(void* info) {
  const CopyCalls& calls = copy_calls();
  auto columns = std::make_shared<std::vector<ColumnInfo>>();
  for (idx_t i = 0; i < calls.column_count(info); ++i) {
    const LogicalType type(calls.column_type(info, i));
    columns->push_back({.name = {}, .type = type_from_duckdb(type.get())});
  }
  calls.set_bind_data(info, new Columns(std::move(columns)),
                      [](void* data) { delete static_cast<Columns*>(data); });
}

/// The sink by its number, with which the path ends.
void init_rows(void* info) {
  const CopyCalls& calls = copy_calls();
  const auto database =
      static_cast<const std::weak_ptr<DatabaseState>*>(calls.init_extra_info(info))->lock();
  const std::string_view path = calls.init_path(info);
  const auto id = parse_number<std::int64_t>(path.substr(path.rfind('/') + 1));
  if (database && id) {
    const std::lock_guard lock(database->sinks_mutex);
    const auto found =
        std::ranges::find(database->sinks, *id, &std::pair<std::int64_t, ChunkSink*>::first);
    if (found != database->sinks.end()) return calls.set_state(info, found->second, nullptr);
  }
  calls.init_error(info, "there is no such sink of rows");
}

void take_rows(void* info, duckdb_data_chunk rows) {
  const CopyCalls& calls = copy_calls();
  const auto report = [&](const char* error) { calls.sink_error(info, error); };
  run_for_duckdb(report, [&]() -> SqlStatus {
    const Columns& columns = *static_cast<const Columns*>(calls.sink_bind_data(info));
    const Chunk chunk = ChunkReader::read(rows, columns, false);
    if (chunk.rows() == 0) return {};
    return static_cast<ChunkSink*>(calls.sink_state(info))->take(chunk);
  });
}

}  // namespace

SqlStatus register_sinks(const std::shared_ptr<DatabaseState>& database,
                         duckdb_connection connection) {
  const CopyCalls& calls = copy_calls();
  if (!calls.all_found) return {};
  void* function = calls.create();
  calls.set_name(function, kFormat.data());
  calls.set_extra_info(function, new std::weak_ptr<DatabaseState>(database),
                       [](void* data) { delete static_cast<std::weak_ptr<DatabaseState>*>(data); });
  calls.set_bind(function, bind_rows);
  calls.set_global_init(function, init_rows);
  calls.set_sink(function, take_rows);
  const duckdb_state state = calls.add(connection, function);
  calls.destroy(&function);
  if (state != DuckDBSuccess) return fail_sql("XX000", "the sink of rows could not be registered");
  database->has_sinks = true;
  return {};
}

SqlStatus Prepared::run_into(ChunkSink& sink) {
  const bool plain = state_->kind == StatementKind::kSelect && state_->parameters.empty();
  if (!plain || !state_->connection->database->has_sinks) return stream_into(sink);
  DatabaseState& database = *state_->connection->database;
  std::int64_t id = 0;
  {
    const std::lock_guard lock(database.sinks_mutex);
    id = database.next_sink++;
    database.sinks.emplace_back(id, &sink);
  }
  std::string_view query = state_->sql;
  query = query.substr(0, query.find_last_not_of("; \n\t") + 1);
  const auto ran = state_->connection->run_prepared(fmt::format(
      "COPY ({}) TO '{}{}' (FORMAT {}, USE_TMP_FILE false)", query, kSinkDirectory, id, kFormat));
  const std::lock_guard lock(database.sinks_mutex);
  std::erase_if(database.sinks, [id](const auto& entry) { return entry.first == id; });
  if (!ran) return std::unexpected(ran.error());
  return {};
}

SqlStatus Prepared::stream_into(ChunkSink& sink) {
  LEAT_ASSIGN(Cursor cursor, execute({}));
  for (;;) {
    LEAT_ASSIGN(const std::optional<Chunk> chunk, cursor.next());
    if (!chunk) return {};
    LEAT_TRY(sink.take(*chunk));
  }
}

}  // namespace leat::engine
