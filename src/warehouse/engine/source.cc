#include "warehouse/engine/source.h"

#include <algorithm>
#include <utility>

#include "warehouse/engine/database.h"
#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {

namespace {

/// What DuckDB keeps for a registered table function: `open` is empty for leat_source, which finds
/// its source by number.
struct TableBridge {
  std::weak_ptr<DatabaseState> database;
  TableFunction function;
};

/// One scan.
struct Scan {
  ChunkSource* source = nullptr;
  std::unique_ptr<ChunkSource> owned;
  std::int64_t id = 0;
};

ChunkSource* find_source(const TableBridge& bridge, std::int64_t id) {
  const auto database = bridge.database.lock();
  if (!database) return nullptr;
  const std::lock_guard lock(database->sources_mutex);
  const auto found =
      std::ranges::find(database->sources, id, &std::pair<std::int64_t, ChunkSource*>::first);
  return found == database->sources.end() ? nullptr : found->second;
}

void add_columns(duckdb_bind_info info, const std::vector<ColumnInfo>& columns) {
  for (const ColumnInfo& column : columns) {
    const LogicalType type(type_to_duckdb(column.type));
    duckdb_bind_add_result_column(info, column.name.c_str(), type.get());
  }
}

void bind_source(duckdb_bind_info info) {
  const auto& bridge = *static_cast<const TableBridge*>(duckdb_bind_get_extra_info(info));
  auto scan = std::make_unique<Scan>();
  duckdb_value value = duckdb_bind_get_parameter(info, 0);
  scan->id = duckdb_is_null_value(value) ? 0 : duckdb_get_int64(value);
  duckdb_destroy_value(&value);
  if (bridge.function.open) {
    add_columns(info, bridge.function.columns);
  } else {
    const ChunkSource* source = find_source(bridge, scan->id);
    if (source == nullptr) {
      duckdb_bind_set_error(info, "there is no such source of rows");
      return;
    }
    add_columns(info, source->columns());
  }
  duckdb_bind_set_bind_data(info, scan.release(),
                            [](void* data) { delete static_cast<Scan*>(data); });
}

void init_source(duckdb_init_info info) {
  const auto& bridge = *static_cast<const TableBridge*>(duckdb_init_get_extra_info(info));
  auto scan = std::make_unique<Scan>();
  const std::int64_t number = static_cast<Scan*>(duckdb_init_get_bind_data(info))->id;
  const auto report = [&](const char* error) { duckdb_init_set_error(info, error); };
  const bool opened = run_for_duckdb(report, [&]() -> SqlStatus {
    if (bridge.function.open) {
      LEAT_ASSIGN(scan->owned, bridge.function.open(number));
      scan->source = scan->owned.get();
    } else {
      scan->source = find_source(bridge, number);
    }
    return {};
  });
  if (!opened) return;
  duckdb_init_set_max_threads(info, 1);
  duckdb_init_set_init_data(info, scan.release(),
                            [](void* data) { delete static_cast<Scan*>(data); });
}

}  // namespace

struct SourceBridge {
  static void fill(duckdb_function_info info, duckdb_data_chunk output) {
    auto& scan = *static_cast<Scan*>(duckdb_function_get_init_data(info));
    const auto report = [&](const char* error) { duckdb_function_set_error(info, error); };
    run_for_duckdb(report, [&]() -> SqlStatus {
      ChunkWriter writer;
      const std::size_t count = duckdb_data_chunk_get_column_count(output);
      writer.columns_.resize(count);
      for (std::size_t i = 0; i < count; ++i) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(output, i);
        writer.columns_[i] = {
            .vector = vector, .data = duckdb_vector_get_data(vector), .validity = nullptr};
      }
      if (scan.source == nullptr) {
        duckdb_data_chunk_set_size(output, 0);
        return {};
      }
      LEAT_ASSIGN(const std::size_t rows, scan.source->fill(writer));
      duckdb_data_chunk_set_size(output, rows);
      return {};
    });
  }
};

void ChunkWriter::set_null(std::size_t column, std::size_t row) {
  Target& target = columns_[column];
  if (target.validity == nullptr) {
    auto* vector = static_cast<duckdb_vector>(target.vector);
    duckdb_vector_ensure_validity_writable(vector);
    target.validity = duckdb_vector_get_validity(vector);
  }
  duckdb_validity_set_row_invalid(target.validity, row);
}

void ChunkWriter::set_text(std::size_t column, std::size_t row, std::string_view value) {
  duckdb_vector_assign_string_element_len(static_cast<duckdb_vector>(columns_[column].vector), row,
                                          value.data(), value.size());
}

namespace {

SqlStatus register_table(duckdb_connection connection, std::unique_ptr<TableBridge> bridge,
                         const std::string& name) {
  duckdb_table_function handle = duckdb_create_table_function();
  duckdb_table_function_set_name(handle, name.c_str());
  const LogicalType number(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_table_function_add_parameter(handle, number.get());
  duckdb_table_function_set_bind(handle, bind_source);
  duckdb_table_function_set_init(handle, init_source);
  duckdb_table_function_set_function(handle, SourceBridge::fill);
  duckdb_table_function_set_extra_info(handle, bridge.release(),
                                       [](void* data) { delete static_cast<TableBridge*>(data); });
  const duckdb_state state = duckdb_register_table_function(connection, handle);
  duckdb_destroy_table_function(&handle);
  if (state != DuckDBSuccess) {
    return fail_sql("42723", "table function " + name + " could not be registered");
  }
  return {};
}

}  // namespace

SqlStatus register_sources(const std::shared_ptr<DatabaseState>& database,
                           duckdb_connection connection) {
  auto bridge = std::make_unique<TableBridge>();
  bridge->database = database;
  return register_table(connection, std::move(bridge), "leat_source");
}

SqlStatus Database::add_table_function(TableFunction function) {
  LEAT_ASSIGN(const std::unique_ptr<Connection> connection, connect());
  auto bridge = std::make_unique<TableBridge>();
  bridge->database = state_;
  const std::string name = function.name;
  bridge->function = std::move(function);
  return register_table(connection->state_->connection, std::move(bridge), name);
}

}  // namespace leat::engine
