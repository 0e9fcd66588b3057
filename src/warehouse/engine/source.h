// Rows that C++ makes and DuckDB reads: how COPY brings parsed rows into a table, and how live
// system views get content.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/engine/error.h"
#include "warehouse/engine/value.h"

namespace leat::engine {

/// Cells of the chunk being filled. Rows are 0 to capacity() - 1; each cell is set once.
class ChunkWriter {
 public:
  [[nodiscard]] static std::size_t capacity() { return 2048; }

  void set_null(std::size_t column, std::size_t row);
  /// T must be the storage type of the column's kind (chunk.h, Column::cells).
  template <class T>
  void set(std::size_t column, std::size_t row, T value) {
    static_cast<T*>(columns_[column].data)[row] = value;
  }
  void set_text(std::size_t column, std::size_t row, std::string_view value);

 private:
  friend struct SourceBridge;
  struct Target {
    void* vector = nullptr;
    void* data = nullptr;
    std::uint64_t* validity = nullptr;
  };
  std::vector<Target> columns_;
};

/// A stream of rows that is read once.
class ChunkSource {
 public:
  ChunkSource() = default;
  ChunkSource(const ChunkSource&) = delete;
  ChunkSource& operator=(const ChunkSource&) = delete;
  virtual ~ChunkSource() = default;

  /// The columns of all rows. kList, kStruct and kMap are not supported.
  [[nodiscard]] virtual const std::vector<ColumnInfo>& columns() const = 0;
  /// Fills up to ChunkWriter::capacity() rows and returns how many; 0 at the end. Called by one
  /// thread at a time, not always the same. An error ends the statement with its SQLSTATE and
  /// message.
  [[nodiscard]] virtual SqlResult<std::size_t> fill(ChunkWriter& writer) = 0;
};

/// A table of which SQL sees live content: `SELECT * FROM name(number)`, a constant.
struct TableFunction {
  std::string name;
  std::vector<ColumnInfo> columns;
  /// Called once a scan, from any thread, with the number (0 for NULL). The source's columns must
  /// be `columns`.
  std::function<SqlResult<std::unique_ptr<ChunkSource>>(std::int64_t number)> open;
};

}  // namespace leat::engine
