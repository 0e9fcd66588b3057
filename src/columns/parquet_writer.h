// Writes Parquet files that Redshift's COPY and DuckDB read: dictionary pages while they pay,
// zstd or Snappy, min/max statistics. Design: docs/internals/shape.md, "The Parquet writer".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "columns/types.h"

namespace leat::columns {

/// Takes the bytes of a file in order.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// Appends `bytes`; after an error nothing more is written.
  [[nodiscard]] virtual Status write(std::string_view bytes) = 0;
};

/// Collects the bytes in memory.
class StringSink final : public ByteSink {
 public:
  [[nodiscard]] Status write(std::string_view bytes) override {
    bytes_.append(bytes);
    return {};
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// How pages are compressed, by its number in the format.
enum class Codec : std::uint8_t {
  kSnappy =
      1,  ///< what Redshift's UNLOAD writes: a third of zstd's time, half as much again in size
  kZstd = 6
};

inline constexpr std::uint64_t kNoBytesMax = ~std::uint64_t{0};

struct ParquetOptions {
  std::uint32_t row_group_rows =
      122'880;  ///< a row group is closed at the first append that reaches this
  std::uint64_t row_group_bytes = kNoBytesMax;  ///< or reaches this before compression
  std::uint32_t page_rows = 65'536;             ///< rows of one data page at most
  std::uint32_t page_bytes = 262'144;  ///< a page is closed when its plain values reach this
  Codec codec = Codec::kZstd;
  bool ranges = true;  ///< the least and greatest value of each column chunk, for those who search
};

/// One file. Columns may be added at any time before finish: rows written before are NULL in them.
/// One thread at a time; keeps one row group compressed in memory.
class ParquetWriter {
 public:
  explicit ParquetWriter(ByteSink& sink, ParquetOptions options = {});
  ~ParquetWriter();
  ParquetWriter(const ParquetWriter&) = delete;
  ParquetWriter& operator=(const ParquetWriter&) = delete;

  /// Adds a column after the others and returns its position. `column.type` must not be
  /// kUnsupported.
  std::size_t add_column(const Column& column);

  /// Gives a column that has no value yet another type; its position stays.
  void retype_column(std::size_t position, const Column& column);

  /// Appends `rows` rows; `views` holds one view per column, in column order; missing views at the
  /// end are NULL. The bytes of text cells need to live only until the call returns. Errors:
  /// kInvalid for a NULL in a column that is not nullable, else those of the sink.
  [[nodiscard]] Status append(std::span<const ColumnView> views, std::size_t rows);

  /// Writes the rest and the footer. Nothing may be called afterwards. A file needs at least one
  /// column. `order`: the columns' positions in the order that the file's schema shall have; empty:
  /// as added.
  [[nodiscard]] Status finish(std::span<const std::size_t> order = {});

  /// Adds a column with the same value in every row so far, which are all in the open row group.
  [[nodiscard]] Status add_constant_column(const Column& column, const Cell& value);

  /// Instead of finish: makes the rows one row group of `other`, which has none open. `places[i]`
  /// is the position there of this file's i-th column, of the same type; the other columns of
  /// `other` are nullable, and NULL in these rows. Every row must be in the open row group. Errors:
  /// those of the other's sink.
  [[nodiscard]] Status finish_into(ParquetWriter& other, std::span<const std::size_t> places);

  /// True while no row group has been closed.
  [[nodiscard]] bool is_one_row_group() const;
  [[nodiscard]] std::uint64_t rows() const;
  /// Bytes handed to the sink so far.
  [[nodiscard]] std::uint64_t bytes_written() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::columns
