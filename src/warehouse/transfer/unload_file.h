// One file of an UNLOAD, made in memory: delimited, CSV, fixed width or JSON text, compressed or
// not, or Parquet.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "warehouse/engine/chunk.h"
#include "warehouse/engine/error.h"
#include "warehouse/sql/ast.h"
#include "warehouse/transfer/unload.h"

namespace leat::transfer {

/// Which columns of the query a file holds, and how.
struct UnloadLayout {
  const sql::UnloadStatement& statement;
  std::vector<std::size_t> positions;  ///< In the query's columns.
  std::vector<std::string> names;
  std::vector<engine::ColumnType> types;
  std::vector<std::size_t> widths;  ///< FIXEDWIDTH only.
};

/// One thread at a time.
class UnloadFile {
 public:
  UnloadFile() = default;
  UnloadFile(const UnloadFile&) = delete;
  UnloadFile& operator=(const UnloadFile&) = delete;
  virtual ~UnloadFile() = default;

  /// Appends the rows numbered `rows` of `chunk`. Errors: 22001 for a value wider than its fixed
  /// width.
  [[nodiscard]] virtual engine::SqlStatus append(const engine::Chunk& chunk,
                                                 std::span<const std::uint32_t> rows) = 0;
  /// Bytes that the file has at least.
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
  /// Rows appended, and the header.
  [[nodiscard]] std::int64_t lines() const { return lines_; }
  /// Ends the file and returns its bytes; nothing may be called afterwards.
  [[nodiscard]] virtual engine::SqlResult<std::string> finish() = 0;

 protected:
  std::int64_t lines_ = 0;
};

/// `layout` must outlive the file.
[[nodiscard]] std::unique_ptr<UnloadFile> open_unload_file(const UnloadLayout& layout);

/// What the file's name ends with: ".parquet", ".gz", "" or what EXTENSION says. Pure; any thread.
[[nodiscard]] std::string unload_extension(const sql::UnloadStatement& statement);

}  // namespace leat::transfer
