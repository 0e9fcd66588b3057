// Encodes one column of one Parquet row group after another: values into a dictionary while it
// pays, else plain; pages compressed as soon as they are full. Used by parquet_writer.cc only.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "columns/byte_buffer.h"
#include "columns/page_compressor.h"
#include "columns/parquet_writer.h"
#include "columns/types.h"
#include "columns/value_range.h"

namespace leat::columns {

/// Parquet's physical types by their number in the format.
enum class Physical : std::uint8_t {
  kBoolean = 0,
  kInt32 = 1,
  kInt64 = 2,
  kFloat = 4,
  kDouble = 5,
  kByteArray = 6,
  kFixed16 = 7,  ///< FIXED_LEN_BYTE_ARRAY of 16 bytes
};

[[nodiscard]] Physical physical_type(const Column& column);

/// One finished column chunk: its bytes, to be written as they are, and what the footer says of it.
struct ColumnChunk {
  std::string_view dictionary_page;  ///< with its header; empty without a dictionary
  std::string_view data_pages;       ///< with their headers
  bool has_plain_pages = false;
  std::uint64_t rows = 0;
  std::uint64_t nulls = 0;
  std::uint64_t uncompressed_bytes = 0;
  bool has_range = false;  ///< min and max are known, in plain encoding without length
  std::string min;
  std::string max;
};

/// One thread at a time.
class ColumnEncoder {
 public:
  ColumnEncoder(Column column, const ParquetOptions& options);

  [[nodiscard]] const Column& column() const { return column_; }
  [[nodiscard]] std::uint64_t rows() const { return chunk_.rows + page_rows_; }
  /// Of the row group so far, before compression; roughly.
  [[nodiscard]] std::uint64_t bytes() const {
    return chunk_.uncompressed_bytes + (dictionary_is_closed_ ? 0 : dictionary_.plain.size()) +
           page_.size() + page_indices_.size() / 2;
  }

  /// Appends rows. Errors: kInvalid for a NULL in a column that is not nullable.
  [[nodiscard]] Status append(const ColumnView& view, std::size_t rows);
  /// Appends NULLs until the row group has `rows` rows.
  [[nodiscard]] Status fill_nulls_to(std::uint64_t rows);
  /// Ends the row group; the encoder starts the next one. The chunk's pages live until the next
  /// call.
  [[nodiscard]] Result<ColumnChunk> finish_chunk();

 private:
  /// A value that is known: `word` is its 64-bit pattern, or where a text lies in the dictionary
  /// (low half) and its size, so that finding it touches the slot and the text only.
  struct Slot {
    std::uint64_t word = 0;
    std::uint32_t tag = 0;
    std::uint32_t index_plus_one = 0;
  };
  struct Dictionary {
    ByteBuffer plain;  // the dictionary page before compression
    std::vector<Slot> slots;
    std::uint32_t size = 0;
    Slot last;
    void clear();
    [[nodiscard]] std::string_view only_text() const;  // size is 1
    [[nodiscard]] bool has_text(const Slot& slot, std::string_view text) const;
  };

  void append_bits(std::uint64_t bits, std::size_t count);
  void append_values(const ColumnView& view, std::size_t at, std::uint64_t bits);
  void encode_texts(std::span<const std::string_view> texts);
  void encode_plain_texts(std::span<const std::string_view> texts);
  void encode_integers(std::span<const std::int64_t> values);
  void encode_reals(std::span<const double> values);
  void encode_words(std::span<const std::uint64_t> words);
  void encode_booleans(std::span<const std::int64_t> values);
  void encode_decimals(std::span<const Cell> cells);
  [[nodiscard]] std::uint32_t* add_indices(std::size_t count);
  [[nodiscard]] std::span<const std::uint32_t> indices() const;
  [[nodiscard]] std::uint32_t text_index(std::string_view text, std::uint32_t tag);
  [[nodiscard]] std::uint32_t add_text(std::string_view text, std::uint32_t tag, std::size_t at);
  [[nodiscard]] std::uint32_t word_index(std::uint64_t word);
  void grow_slots();
  void judge_dictionary();
  void start_page();
  [[nodiscard]] Status close_page();
  [[nodiscard]] std::size_t put_definition_levels();
  void append_indices();
  [[nodiscard]] Status close_dictionary();
  void finish_range();

  Column column_;
  ParquetOptions options_;
  Physical physical_;
  std::size_t plain_width_ = 0;
  PageKind plain_kind_ = PageKind::kTexts;
  PageCompressor compressor_;

  bool dictionary_wanted_ = true;      // false for ever once it did not pay
  bool dictionary_open_ = true;        // false until the row group ends, when it grew too big
  bool dictionary_is_closed_ = false;  // what it has is of the last row group
  Dictionary dictionary_;
  // Of the texts' hashes. Where an object lies differs from process to process.
  std::uint64_t seed_ = std::bit_cast<std::uintptr_t>(this) * 0x9e3779b97f4a7c15ULL;

  // The page being filled.
  std::vector<std::uint64_t> page_valid_;
  std::size_t page_rows_ = 0;
  std::size_t page_values_ = 0;
  std::size_t levels_room_ = 0;  // bytes that the definition levels of a page need at most
  std::size_t page_begin_ = 0;   // where plain values begin in page_: after room for the levels
  ByteBuffer page_;              // plain values; of a packed page nothing before it is closed
  ByteBuffer page_indices_;      // 32 bits each
  bool page_uses_dictionary_ = true;

  ByteBuffer data_pages_;  // of the chunk, compressed, with their headers
  ByteBuffer dictionary_page_;
  ColumnChunk chunk_;
  ValueRange range_;
};

}  // namespace leat::columns
