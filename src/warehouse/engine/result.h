// What a statement gives back: a Cursor over typed chunks, and how to read small results whole.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "warehouse/engine/chunk.h"
#include "warehouse/engine/error.h"
#include "warehouse/engine/value.h"

namespace leat::engine {

enum class StatementKind : std::uint8_t {
  kSelect,  ///< Anything that returns rows and changes nothing.
  kInsert,
  kUpdate,
  kDelete,
  kMerge,
  kCreate,
  kAlter,
  kDrop,
  kTransaction,
  kExplain,
  kCopy,
  kSet,
  kOther,
};

/// Rows of one statement, in chunks. Belongs to its Connection's thread and must not outlive the
/// Connection.
///
/// A streaming cursor is alive until the next execute or prepare on its Connection: read it to its
/// end, detach() it, or drop it before. next() on a cursor that was overtaken gives 24000.
class Cursor {
 public:
  Cursor();
  Cursor(Cursor&& other) noexcept;
  Cursor& operator=(Cursor&& other) noexcept;
  ~Cursor();

  [[nodiscard]] StatementKind kind() const;
  /// Empty for statements that return no rows.
  [[nodiscard]] const std::vector<ColumnInfo>& columns() const;
  /// Rows inserted, updated, deleted; 0 for other kinds.
  [[nodiscard]] std::int64_t rows_changed() const;

  /// The next chunk, never one without rows; nothing at the end. Errors of the running statement
  /// come out here.
  [[nodiscard]] SqlResult<std::optional<Chunk>> next();

  /// Reads all remaining rows into memory, so that the Connection is free for other statements.
  /// `bytes_max` bounds the memory roughly (54000 when it is passed; the cursor is then closed).
  [[nodiscard]] SqlStatus detach(std::uint64_t bytes_max);

  struct State;  ///< Inside of the engine only.

 private:
  friend class Prepared;
  std::unique_ptr<State> state_;
};

/// Reads the cursor to its end as text, row by row; NULL is nothing. For catalog queries and tests.
using TextRow = std::vector<std::optional<std::string>>;
[[nodiscard]] SqlResult<std::vector<TextRow>> read_all(Cursor cursor);

}  // namespace leat::engine
