// Rows as columns: up to 2048 rows that DuckDB made, read in place.
//
// A Column is a view into its Chunk: it holds no memory and dies with it. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/engine/value.h"

namespace leat::engine {

class Column {
 public:
  [[nodiscard]] const ColumnType& type() const { return *type_; }

  [[nodiscard]] bool is_null(std::size_t row) const {
    return validity_ != nullptr && ((validity_[row >> 6] >> (row & 63)) & 1) == 0;
  }

  /// The fixed-width cells: T must be the kind's storage type (value.h), for kDecimal int16_t,
  /// int32_t, int64_t or HugeInt for widths up to 4, 9, 18 and 38. The cell of a NULL is undefined.
  template <class T>
  [[nodiscard]] std::span<const T> cells() const {
    return {static_cast<const T*>(data_), size_};
  }

  /// All cells as they lie in memory, and a bit for each that is not NULL, the first the least
  /// significant; nullptr: none is NULL. As long as the chunk.
  [[nodiscard]] const void* data() const { return data_; }
  [[nodiscard]] const std::uint64_t* validity() const { return validity_; }

  /// kBoolean and every integer kind but kUInt64 and kHugeInt.
  [[nodiscard]] std::int64_t integer(std::size_t row) const;
  /// kHugeInt, every other integer kind, and kDecimal (its unscaled value).
  [[nodiscard]] HugeInt huge_integer(std::size_t row) const;
  /// kVarchar, kJson, kSketch, kBlob. Valid as long as the chunk.
  [[nodiscard]] std::string_view text(std::size_t row) const;

  /// kList: the cells of `row` are `count` cells of `column` from `first` on.
  struct Elements {
    const Column* column = nullptr;
    std::size_t first = 0;
    std::size_t count = 0;
  };
  [[nodiscard]] Elements elements(std::size_t row) const;

 private:
  friend class ChunkReader;
  friend class TextWriter;

  const ColumnType* type_ = nullptr;
  const void* data_ = nullptr;
  const std::uint64_t* validity_ = nullptr;
  std::size_t size_ = 0;
  std::vector<Column> children_;
};

/// Owns one chunk. Movable.
class Chunk {
 public:
  Chunk() = default;
  Chunk(Chunk&& other) noexcept;
  Chunk& operator=(Chunk&& other) noexcept;
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  ~Chunk();

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::span<const Column> columns() const { return columns_; }
  [[nodiscard]] const Column& column(std::size_t index) const { return columns_[index]; }

 private:
  friend class ChunkReader;

  void* handle_ = nullptr;  // duckdb_data_chunk
  bool owned_ = true;
  std::size_t rows_ = 0;
  std::shared_ptr<const std::vector<ColumnInfo>> info_;  // what the columns' types point into
  std::vector<Column> columns_;
};

/// True for lists of plain values, which PostgreSQL's protocol has arrays for; other nested values
/// are shown as JSON.
[[nodiscard]] bool is_plain_list(const ColumnType& type);

/// True for an int2vector or oidvector of PostgreSQL's catalog: a list of one of the types that
/// CatalogType has for their numbers. Any thread.
[[nodiscard]] bool is_catalog_vector(const ColumnType& type);

struct TextOptions {
  /// PostgreSQL's extra_float_digits, -15 to 3: from 1 on the shortest text that reads back the
  /// same is written, below it 15 + n significant digits for DOUBLE and 6 + n for REAL.
  int extra_float_digits = 0;
};

/// Appends the cell in the text form that Redshift sends: booleans as t and f, timestamps as
/// "2026-11-20 14:03:05.5", TIMESTAMPTZ in UTC with "+00", decimals with exactly their scale,
/// VARBYTE in lower-case hex, vectors of the catalog as numbers between blanks, other lists and
/// structs as compact JSON. The cell must not be NULL. Any thread.
void append_text(const Column& column, std::size_t row, std::string& out, TextOptions options = {});

/// The kinds whose text has at most kShortTextMax bytes: booleans, numbers, dates, times, UUIDs.
constexpr std::size_t kShortTextMax = 64;
[[nodiscard]] bool has_short_text(const ColumnType& type);

/// append_text of those kinds into a place with room for kShortTextMax bytes; returns the end of
/// the text.
[[nodiscard]] char* write_short_text(const Column& column, std::size_t row, char* at,
                                     TextOptions options = {});

/// The text of a cell, or nothing for a NULL: for tests, catalog look-ups and messages.
[[nodiscard]] std::optional<std::string> cell_text(const Column& column, std::size_t row);

/// The text forms alone, for other writers of text (UNLOAD, messages).
void append_date(std::int64_t days, std::string& out);
void append_timestamp(std::int64_t us, std::string& out);
void append_time(std::int64_t us, std::string& out);
/// The zone of a kTimeTz cell: seconds east of UTC.
[[nodiscard]] constexpr std::int32_t time_tz_offset(std::uint64_t bits) {
  constexpr std::int32_t kOffsetMax = 16 * 60 * 60 - 1;
  return kOffsetMax - static_cast<std::int32_t>(bits & 0xFFFFFFU);
}
void append_interval(Interval interval, std::string& out);
void append_huge_integer(HugeInt value, std::string& out);
/// `unscaled` divided by 10^scale, with exactly `scale` decimals.
void append_decimal(HugeInt unscaled, int scale, std::string& out);
void append_double(double value, int extra_float_digits, std::string& out);
void append_float(float value, int extra_float_digits, std::string& out);

}  // namespace leat::engine
