// Inside of the engine: aggregate functions through DuckDB's C API. Not for other modules.
#pragma once

#include <duckdb.h>

#include <memory>
#include <new>
#include <string>

#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {

/// What DuckDB keeps for each group, and may move about in memory: a T of its own, made with the
/// group's first value.
template <class T>
struct GroupState {
  T* value = nullptr;  // owned; null: no value so far

  T& made() {
    if (value == nullptr) value = std::make_unique<T>().release();
    return *value;
  }

  static GroupState& of(duckdb_aggregate_state state) {
    return *reinterpret_cast<GroupState*>(state);  // NOLINT(*-reinterpret-cast): DuckDB's memory
  }
  static idx_t size(duckdb_function_info /*info*/) { return sizeof(GroupState); }
  static void init(duckdb_function_info /*info*/, duckdb_aggregate_state state) {
    new (state) GroupState();
  }
  static void destroy(duckdb_aggregate_state* states, idx_t count) {
    for (idx_t i = 0; i < count; ++i) std::unique_ptr<T>(of(states[i]).value).reset();
  }
};

/// What an aggregate function does for one chunk.
template <class Work>
void run_aggregate(duckdb_function_info info, Work work) {
  run_for_duckdb([&](const char* error) { duckdb_aggregate_function_set_error(info, error); },
                 work);
}

/// An aggregate of one argument, which sees NULLs.
struct Aggregate {
  const char* name;
  ColumnType parameter;
  ColumnType returns;
  duckdb_aggregate_update_t update;
  duckdb_aggregate_combine_t combine;
  duckdb_aggregate_finalize_t finalize;
};

/// Registers an aggregate over GroupState<T>.
template <class T>
SqlStatus register_aggregate(duckdb_connection connection, const Aggregate& aggregate) {
  duckdb_aggregate_function handle = duckdb_create_aggregate_function();
  duckdb_aggregate_function_set_name(handle, aggregate.name);
  const LogicalType parameter(type_to_duckdb(aggregate.parameter));
  duckdb_aggregate_function_add_parameter(handle, parameter.get());
  const LogicalType returns(type_to_duckdb(aggregate.returns));
  duckdb_aggregate_function_set_return_type(handle, returns.get());
  duckdb_aggregate_function_set_functions(handle, GroupState<T>::size, GroupState<T>::init,
                                          aggregate.update, aggregate.combine, aggregate.finalize);
  duckdb_aggregate_function_set_destructor(handle, GroupState<T>::destroy);
  duckdb_aggregate_function_set_special_handling(handle);
  const duckdb_state state = duckdb_register_aggregate_function(connection, handle);
  duckdb_destroy_aggregate_function(&handle);
  if (state == DuckDBSuccess) return {};
  return fail_sql("42723", std::string("function ") + aggregate.name + " could not be registered");
}

}  // namespace leat::engine
