// Encodes one column of one Parquet row group after another: values into a dictionary while it
// pays, else plain; pages compressed as soon as they are full. Used by parquet_writer.cc only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "columns/parquet_writer.h"
#include "columns/types.h"

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
  std::string dictionary_page;  ///< with its header; empty without a dictionary
  std::string data_pages;       ///< with their headers
  bool has_plain_pages = false;
  std::uint64_t rows = 0;
  std::uint64_t nulls = 0;
  std::uint64_t uncompressed_bytes = 0;
  bool has_range = false;  ///< min and max are known, in plain encoding without length
  std::string min;
  std::string max;
};

/// Growing bytes without zeroing; room(n) makes n bytes writable at the end.
class ByteBuffer {
 public:
  [[nodiscard]] char* room(std::size_t bytes) {
    if (size_ + bytes > bytes_.size()) grow(bytes);
    return bytes_.data() + size_;
  }
  void advance(std::size_t bytes) { size_ += bytes; }
  void clear() { size_ = 0; }
  void overwrite(std::size_t at, std::string_view bytes) {
    bytes.copy(bytes_.data() + at, bytes.size());
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const char* data() const { return bytes_.data(); }
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  void grow(std::size_t bytes);
  std::vector<char> bytes_;
  std::size_t size_ = 0;
};

/// One thread at a time.
class ColumnEncoder {
 public:
  ColumnEncoder(Column column, const ParquetOptions& options);

  [[nodiscard]] const Column& column() const { return column_; }
  [[nodiscard]] std::uint64_t rows() const { return chunk_.rows + page_rows_; }

  /// Appends rows. Errors: kInvalid for a NULL in a column that is not nullable.
  [[nodiscard]] Status append(const ColumnView& view, std::size_t rows);
  /// Appends NULLs until the row group has `rows` rows.
  [[nodiscard]] Status fill_nulls_to(std::uint64_t rows);
  /// Ends the row group; the encoder starts the next one.
  [[nodiscard]] Result<ColumnChunk> finish_chunk();

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t index_plus_one = 0;
  };
  /// Values of one dictionary: text by its bytes, others by their 64-bit pattern.
  struct Dictionary {
    ByteBuffer plain;                    // the dictionary page before compression
    std::vector<std::uint32_t> offsets;  // of each text in `plain`
    std::vector<std::uint64_t> words;    // of each other value
    std::vector<Slot> slots;
    std::uint32_t size = 0;
    std::uint64_t last_word = 0;
    std::uint32_t last_index = 0;
    void clear();
    [[nodiscard]] std::string_view text_at(std::uint32_t index) const;
  };

  void append_bits(std::uint64_t bits, std::size_t count);
  void append_word(const Cell* cells, std::uint64_t bits);
  template <class Encode>
  void for_each_value(const Cell* cells, std::uint64_t bits, Encode encode);
  void encode_text(std::string_view text);
  void encode_word(std::uint64_t word);
  void encode_plain_word(std::uint64_t word);
  void encode_boolean(bool value);
  void encode_decimal(const Cell& cell);
  [[nodiscard]] std::uint32_t text_index(std::string_view text);
  [[nodiscard]] std::uint32_t word_index(std::uint64_t word);
  void grow_slots();
  void note_text_range(std::string_view text);
  void note_integer_range(std::int64_t value);
  void note_real_range(double value);
  void judge_dictionary();
  [[nodiscard]] Status close_page();
  void append_definition_levels();
  void append_indices();
  void finish_range();

  Column column_;
  ParquetOptions options_;
  Physical physical_;
  std::size_t plain_width_ = 0;

  bool dictionary_wanted_ = true;  // false for ever once it did not pay
  bool dictionary_open_ = true;    // false until the row group ends, when it grew too big
  Dictionary dictionary_;

  // The page being filled.
  std::vector<std::uint64_t> page_valid_;
  std::size_t page_rows_ = 0;
  std::size_t page_values_ = 0;
  ByteBuffer page_plain_;
  std::vector<std::uint32_t> page_indices_;
  bool page_uses_dictionary_ = true;
  ByteBuffer page_raw_;
  ByteBuffer page_compressed_;

  ColumnChunk chunk_;
  std::int64_t min_integer_ = 0;
  std::int64_t max_integer_ = 0;
  double min_real_ = 0;
  double max_real_ = 0;
  bool range_unknown_ = false;
};

}  // namespace leat::columns
