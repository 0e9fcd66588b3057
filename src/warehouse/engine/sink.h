// The rows of a query, handed over while DuckDB makes them: what UNLOAD writes its files from.
#pragma once

#include "warehouse/engine/chunk.h"
#include "warehouse/engine/error.h"

namespace leat::engine {

/// Takes the rows of a query that runs to its end (Prepared::run_into).
class ChunkSink {
 public:
  ChunkSink() = default;
  ChunkSink(const ChunkSink&) = delete;
  ChunkSink& operator=(const ChunkSink&) = delete;
  virtual ~ChunkSink() = default;

  /// Takes the next rows, one or more, in the query's order. The chunk lives until the call
  /// returns. Called by one thread at a time, not always the same. An error ends the query with its
  /// SQLSTATE and message.
  [[nodiscard]] virtual SqlStatus take(const Chunk& chunk) = 0;
};

}  // namespace leat::engine
