// Splits CSV, delimited and fixed-width text into records and fields.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/transfer/byte_stream.h"
#include "warehouse/transfer/field.h"

namespace leat::transfer {

enum class TextKind : std::uint8_t { kDelimited, kCsv, kFixedWidth };

struct TextFormat {
  TextKind kind = TextKind::kDelimited;
  std::string delimiter = "|";  ///< One byte or more, without line ends.
  char quote = '"';
  bool escape = false;
  bool remove_quotes = false;
  bool ignore_blank_lines = false;
  std::string null_as = "\\N";
  std::vector<std::size_t> widths = {};  ///< kFixedWidth: characters of each field.

  /// Errors: 42601 for a FIXEDWIDTH description that cannot be read.
  [[nodiscard]] static engine::SqlResult<TextFormat> read(const sql::CopyStatement& statement);
};

struct Field {
  std::string_view text;  ///< Decoded: without quotes and escapes.
  std::size_t at = 0;     ///< Byte in Record::raw where it begins.
  bool is_null = false;   ///< It is NULL AS's text.
};

struct Record {
  std::string_view raw;          ///< Without its line end.
  std::int64_t line_number = 0;  ///< Of its first line, from 1.
  std::vector<Field> fields;
  std::optional<FieldError> error;  ///< The fields could not be told apart.
  std::size_t error_at = 0;
};

/// One file. The views of a record live until the next call.
class RecordReader {
 public:
  RecordReader(std::unique_ptr<ByteStream> stream, const TextFormat& format,
               std::uint64_t row_bytes_max);

  /// Skips physical lines (IGNOREHEADER).
  [[nodiscard]] engine::SqlStatus skip_lines(std::int64_t count);
  /// False at the end. Errors: the stream's; a record longer than row_bytes_max is a record with an
  /// error.
  [[nodiscard]] engine::SqlResult<bool> next(Record& record);
  [[nodiscard]] std::int64_t lines() const { return line_ - 1; }

 private:
  enum class Scan : std::uint8_t { kDone, kMore };
  /// False also where the delimiter may begin, but the buffer ends within it.
  [[nodiscard]] bool at_delimiter(std::size_t at) const {
    return buffer_[at] == format_.delimiter.front() &&
           (format_.delimiter.size() == 1 ||
            std::string_view(buffer_).substr(at).starts_with(format_.delimiter));
  }
  /// True when more must be read to know whether the delimiter begins at `at`.
  [[nodiscard]] bool may_be_delimiter(std::size_t at) const {
    return !at_end_ && buffer_.size() - at < format_.delimiter.size() &&
           format_.delimiter.starts_with(std::string_view(buffer_).substr(at));
  }

  [[nodiscard]] engine::SqlResult<bool> fill();
  Scan scan(Record& record);
  Scan scan_plain(Record& record);
  Scan scan_escaped(Record& record);
  Scan scan_csv(Record& record);
  Scan scan_fixed(Record& record);
  /// Where the line that begins at start_ + from ends, or nothing when it is not all in the buffer.
  [[nodiscard]] std::optional<std::size_t> line_end(std::size_t from) const;
  /// Ends the record at buffer place `end` (its '\n' or the buffer's end).
  void finish(Record& record, std::size_t end);
  void give_up(Record& record, std::int32_t code, std::string reason, std::size_t at,
               std::size_t end);
  engine::SqlResult<bool> skip_oversize(Record& record);
  std::string& scratch();

  std::unique_ptr<ByteStream> stream_;
  const TextFormat& format_;
  std::uint64_t row_bytes_max_;
  std::string buffer_;
  std::size_t start_ = 0;                              // of the current record
  std::size_t next_ = 0;                               // behind the current record
  bool at_end_ = false;                                // the stream has no more
  std::int64_t line_ = 1;                              // of the byte at start_
  std::vector<std::unique_ptr<std::string>> scratch_;  // decoded fields of the current record
  std::size_t scratch_used_ = 0;
};

}  // namespace leat::transfer
