#include "warehouse/engine/result.h"

#include <algorithm>
#include <utility>

#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {

Cursor::Cursor() = default;
Cursor::Cursor(Cursor&& other) noexcept = default;
Cursor& Cursor::operator=(Cursor&& other) noexcept = default;
Cursor::~Cursor() = default;

StatementKind Cursor::kind() const {
  return state_->kind;
}
const std::vector<ColumnInfo>& Cursor::columns() const {
  return *state_->columns;
}
std::int64_t Cursor::rows_changed() const {
  return state_->rows_changed;
}

SqlResult<std::optional<Chunk>> Cursor::next() {
  State& state = *state_;
  if (!state.detached.empty()) {
    Chunk chunk = std::move(state.detached.back());
    state.detached.pop_back();
    return chunk;
  }
  while (state.has_result) {
    if (state.streaming && state.statement != state.connection->statements) {
      state.close();
      return fail_sql("24000", "the cursor was closed by a later statement");
    }
    duckdb_data_chunk raw = duckdb_fetch_chunk(state.result);
    if (raw == nullptr) {
      const char* text = duckdb_result_error(&state.result);
      if (text != nullptr && text[0] != '\0') {
        SqlError error = map_duckdb_error(text, state.sql);
        state.close();
        return state.connection->failed(std::move(error));
      }
      state.close();
      break;
    }
    Chunk chunk = ChunkReader::read(raw, state.columns, true);
    if (chunk.rows() > 0) return chunk;
  }
  return std::nullopt;
}

namespace {

/// Roughly what the chunk holds: its fixed cells and its texts.
std::uint64_t bytes_of(const Chunk& chunk) {
  std::uint64_t bytes = 0;
  for (const Column& column : chunk.columns()) {
    bytes += chunk.rows() * 16;
    const Type type = column.type().type;
    const bool text = type == Type::kVarchar || type == Type::kJson || type == Type::kSketch;
    if (!text && type != Type::kBlob) continue;
    for (std::size_t row = 0; row < chunk.rows(); ++row) {
      if (!column.is_null(row)) bytes += column.text(row).size();
    }
  }
  return bytes;
}

}  // namespace

SqlStatus Cursor::detach(std::uint64_t bytes_max) {
  State& state = *state_;
  if (!state.has_result || !state.streaming) return {};
  std::vector<Chunk> chunks;
  std::uint64_t bytes = 0;
  while (true) {
    LEAT_ASSIGN(std::optional<Chunk> chunk, next());
    if (!chunk) break;
    bytes += bytes_of(*chunk);
    if (bytes > bytes_max) {
      state.close();
      return fail_sql("54000", "the result is too large to be held in memory", {},
                      "Read it to its end before the next statement, or use a cursor.");
    }
    chunks.push_back(std::move(*chunk));
  }
  std::reverse(chunks.begin(), chunks.end());
  state.detached = std::move(chunks);
  return {};
}

SqlResult<std::vector<TextRow>> read_all(Cursor cursor) {
  std::vector<TextRow> rows;
  while (true) {
    LEAT_ASSIGN(const std::optional<Chunk> chunk, cursor.next());
    if (!chunk) return rows;
    for (std::size_t row = 0; row < chunk->rows(); ++row) {
      TextRow& out = rows.emplace_back();
      for (const Column& column : chunk->columns()) out.push_back(cell_text(column, row));
    }
  }
}

}  // namespace leat::engine
