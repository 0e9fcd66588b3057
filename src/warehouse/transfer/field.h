// One field of a load file to one cell, with the error code and words of STL_LOAD_ERRORS when it
// cannot be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "warehouse/engine/source.h"
#include "warehouse/transfer/copy.h"
#include "warehouse/transfer/date_time.h"

namespace leat::transfer {

/// Why a row is not loaded: a code of redshift.md 5.8 and at most 100 bytes of words.
struct FieldError {
  std::int32_t code = 0;
  std::string reason;
};

/// The conversion parameters of COPY, read once.
struct FieldOptions {
  bool blanks_as_null = false;
  bool empty_as_null = false;
  bool trim_blanks = false;
  bool truncate_columns = false;
  bool round_decimals = false;
  bool accept_any_date = false;
  std::optional<char> invalid_replacement;
  DateTimePattern date_pattern;
  DateTimePattern time_pattern;
  DateTimePattern time_zone_pattern;

  /// Errors: 22007 for a format that does not exist.
  [[nodiscard]] static engine::SqlResult<FieldOptions> read(const sql::CopyStatement& statement);
};

/// Where UTF-8 is broken: `size` bytes at `at`, with the sub-code of error 1220.
struct Utf8Error {
  std::size_t at = 0;
  std::size_t size = 0;
  int code = 0;
};

/// The first malformed sequence of `text` from `from` on; nothing when there is none. `strict` also
/// finds the non-characters U+FDD0 to U+FDEF and U+nFFFE, U+nFFFF. Pure; any thread.
[[nodiscard]] std::optional<Utf8Error> find_utf8_error(std::string_view text, std::size_t from,
                                                       bool strict);

/// Converts the fields of one column. Holds the cell of the current row until it is stored. One
/// thread.
class FieldConverter {
 public:
  FieldConverter(const TargetColumn& column, const FieldOptions& options);

  /// Takes a field as text, decoded and unquoted. The bytes must live until store().
  [[nodiscard]] std::optional<FieldError> set(std::string_view text);
  [[nodiscard]] std::optional<FieldError> set_null();
  /// True when ACCEPTINVCHARS changed the current cell.
  [[nodiscard]] bool replaced() const { return replaced_; }

  /// Writes the current cell.
  void store(engine::ChunkWriter& writer, std::size_t column, std::size_t row) const;

  [[nodiscard]] const TargetColumn& column() const { return column_; }
  /// Of the current cell, which is text.
  [[nodiscard]] bool ends_in_blank() const { return !null_ && text_.ends_with(' '); }

 private:
  using Outcome = std::optional<FieldError>;
  Outcome set_text(std::string_view text);
  Outcome set_integer(std::string_view text);
  Outcome set_floating(std::string_view text);
  Outcome set_decimal(std::string_view text);
  Outcome set_boolean(std::string_view text);
  Outcome set_date_time(std::string_view text);
  Outcome set_time(std::string_view text);
  Outcome set_super(std::string_view text);
  Outcome set_bytes(std::string_view text);
  Outcome set_sketch(std::string_view text);
  Outcome set_interval(std::string_view text);
  Outcome repair(std::string_view& text);

  const TargetColumn& column_;
  const FieldOptions& options_;
  engine::ColumnType type_;
  bool null_ = true;
  bool replaced_ = false;
  std::int64_t integer_ = 0;
  double floating_ = 0;
  engine::HugeInt huge_;
  engine::Interval interval_{};
  std::string_view text_;
  std::string owned_;  // what text_ points into when the field had to be changed
};

}  // namespace leat::transfer
