#include "warehouse/transfer/field.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "base/time.h"
#include "warehouse/engine/hll_sketch.h"
#include "warehouse/engine/number.h"
#include "warehouse/sql/datetime.h"
#include "warehouse/transfer/target_type.h"

namespace leat::transfer {

using sql::TypeKind;

namespace {

std::optional<FieldError> error_of(std::int32_t code, std::string reason) {
  return FieldError{.code = code, .reason = std::move(reason)};
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view trim_end(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return all < 128;
}

std::string hex_words(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    if (!out.empty()) out += ' ';
    out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

struct IntegerRange {
  std::int64_t min;
  std::int64_t max;
  std::string_view name;
};

IntegerRange range_of(engine::Type type) {
  if (type == engine::Type::kInt16) {
    return {.min = std::numeric_limits<std::int16_t>::min(),
            .max = std::numeric_limits<std::int16_t>::max(),
            .name = "Short"};
  }
  if (type == engine::Type::kInt32) {
    return {.min = std::numeric_limits<std::int32_t>::min(),
            .max = std::numeric_limits<std::int32_t>::max(),
            .name = "Integer"};
  }
  return {.min = std::numeric_limits<std::int64_t>::min(),
          .max = std::numeric_limits<std::int64_t>::max(),
          .name = "Long"};
}

}  // namespace

engine::SqlResult<FieldOptions> FieldOptions::read(const sql::CopyStatement& statement) {
  FieldOptions out;
  out.blanks_as_null = statement.blanks_as_null;
  out.empty_as_null = statement.empty_as_null;
  out.trim_blanks = statement.trim_blanks;
  out.truncate_columns = statement.truncate_columns;
  out.round_decimals = statement.round_decimals;
  out.accept_any_date = statement.accept_any_date;
  if (statement.accept_invalid_characters) {
    const std::string& replacement = *statement.accept_invalid_characters;
    out.invalid_replacement = replacement.empty() ? '?' : replacement.front();
  }
  const std::string date = statement.date_format.empty() ? "YYYY-MM-DD" : statement.date_format;
  const std::string time =
      statement.time_format.empty() ? "YYYY-MM-DD HH:MI:SS" : statement.time_format;
  LEAT_ASSIGN(out.date_pattern, DateTimePattern::parse(date));
  LEAT_ASSIGN(out.time_pattern, DateTimePattern::parse(time));
  LEAT_ASSIGN(out.time_zone_pattern,
              DateTimePattern::parse(statement.time_format.empty() ? time + "OF" : time));
  return out;
}

namespace {

/// Length that the lead byte promises; 0 for a byte that cannot lead.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC0) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF8 ? 4 : 0;
}

/// Sub-code of a complete sequence's value; 0 when it is fine.
int value_error(std::uint32_t value, std::size_t length, bool strict) {
  constexpr std::array<std::uint32_t, 5> kShortest{0, 0, 0x80, 0x800, 0x10000};
  if (value > 0x10FFFF || value < kShortest[length]) return 8;
  if (value >= 0xD800 && value <= 0xDFFF) return 5;
  const bool non_character = (value >= 0xFDD0 && value <= 0xFDEF) || (value & 0xFFFE) == 0xFFFE;
  return strict && non_character ? 7 : 0;
}

}  // namespace

std::optional<Utf8Error> find_utf8_error(std::string_view text, std::size_t from, bool strict) {
  std::size_t i = from;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = sequence_length(lead);
    if (length == 0) {
      return Utf8Error{.at = i, .size = 1, .code = lead >= 0xF8 && lead < 0xFE ? 1 : 3};
    }
    std::uint32_t value = lead & (0x7FU >> length);
    std::size_t read = 1;
    for (; read < length && i + read < text.size(); ++read) {
      const auto next = static_cast<unsigned char>(text[i + read]);
      if ((next & 0xC0) != 0x80) break;
      value = value << 6 | (next & 0x3FU);
    }
    if (read < length) {
      const bool cut = i + read == text.size();
      return Utf8Error{.at = i, .size = read, .code = cut ? 2 : 4};
    }
    if (const int code = value_error(value, length, strict); code != 0) {
      return Utf8Error{.at = i, .size = length, .code = code};
    }
    i += length;
  }
  return std::nullopt;
}

FieldConverter::FieldConverter(const TargetColumn& column, const FieldOptions& options)
    : column_(column), options_(options), type_(engine_column_type(column.type)) {}

FieldConverter::Outcome FieldConverter::set_null() {
  null_ = true;
  replaced_ = false;
  if (column_.nullable) return std::nullopt;
  return error_of(1213, "Missing data for not-null field");
}

FieldConverter::Outcome FieldConverter::set(std::string_view text) {
  null_ = false;
  replaced_ = false;
  const TypeKind kind = column_.type.kind;
  if (kind == TypeKind::kVarchar || kind == TypeKind::kChar) return set_text(text);
  text = trim_blanks(text);
  if (text.empty()) return set_null();
  switch (kind) {
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
      return set_integer(text);
    case TypeKind::kReal:
    case TypeKind::kDouble:
      return set_floating(text);
    case TypeKind::kDecimal:
      return set_decimal(text);
    case TypeKind::kBoolean:
      return set_boolean(text);
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return set_date_time(text);
    case TypeKind::kTime:
    case TypeKind::kTimeTz:
      return set_time(text);
    case TypeKind::kSuper:
      return set_super(text);
    case TypeKind::kVarbyte:
      return set_bytes(text);
    case TypeKind::kHllSketch:
      return set_sketch(text);
    case TypeKind::kInterval:
    case TypeKind::kIntervalYearToMonth:
    case TypeKind::kIntervalDayToSecond:
      return set_interval(text);
    default:
      return error_of(1223, "Invalid data type");
  }
}

/// Finds broken UTF-8 and replaces it when ACCEPTINVCHARS says so.
FieldConverter::Outcome FieldConverter::repair(std::string_view& text) {
  const bool strict = options_.invalid_replacement.has_value();
  std::optional<Utf8Error> bad;
  if (!strict) {
    if (is_utf8(text)) return std::nullopt;
  }
  bad = find_utf8_error(text, 0, strict);
  if (!bad) return std::nullopt;
  if (!strict) {
    return error_of(1220, fmt::format("String contains invalid or unsupported UTF8 codepoints. Bad "
                                      "UTF8 hex sequence: {} (error {})",
                                      hex_words(text.substr(bad->at, bad->size)), bad->code));
  }
  std::string repaired(text);
  while (bad) {
    for (std::size_t i = 0; i < bad->size; ++i)
      repaired[bad->at + i] = *options_.invalid_replacement;
    bad = find_utf8_error(repaired, bad->at + bad->size, strict);
  }
  owned_ = std::move(repaired);
  text = owned_;
  replaced_ = true;
  return std::nullopt;
}

FieldConverter::Outcome FieldConverter::set_text(std::string_view text) {
  const bool is_char = column_.type.kind == TypeKind::kChar;
  if (options_.trim_blanks && !is_char) text = trim_end(text);
  if (options_.empty_as_null && text.empty()) return set_null();
  if (options_.blanks_as_null && trim_blanks(text).empty()) return set_null();
  // Blanks at the end of a CHAR have no meaning: they are not kept.
  if (is_char) {
    while (text.ends_with(' ')) text.remove_suffix(1);
  }
  const bool ascii = is_ascii(text);
  if (!ascii) {
    if (is_char) {
      if (!options_.invalid_replacement) {
        std::size_t at = 0;
        while (static_cast<unsigned char>(text[at]) < 128) ++at;
        return error_of(1220,
                        fmt::format("Multibyte character not supported for CHAR (Hint: Try using "
                                    "VARCHAR). Invalid char: {}",
                                    hex_words(text.substr(at, 4))));
      }
      return error_of(1220,
                      "Multibyte character not supported for CHAR (Hint: Try using VARCHAR).");
    }
    if (auto error = repair(text)) return error;
  }
  if (text.find('\0') != std::string_view::npos) {
    return error_of(1218, "NUL in the middle of a text field");
  }
  const auto length = static_cast<std::size_t>(column_.type.length);
  if (text.size() > length) {
    if (!options_.truncate_columns) {
      return error_of(
          1204, is_char ? "Char length exceeds DDL length" : "String length exceeds DDL length");
    }
    text = utf8_prefix(text, length);
  }
  text_ = text;
  return std::nullopt;
}

FieldConverter::Outcome FieldConverter::set_integer(std::string_view text) {
  const IntegerRange range = range_of(type_.type);
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const auto [stop, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), integer_);
  const bool whole = stop == digits.data() + digits.size();
  if (error == std::errc{} && whole && integer_ >= range.min && integer_ <= range.max) {
    return std::nullopt;
  }
  std::size_t at = text.starts_with('+') || text.starts_with('-') ? 1 : 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  if (at == text.size() && at > 0 && text != "-" && text != "+") {
    return error_of(
        1204, fmt::format("Overflow ({} valid range {} to {})", range.name, range.min, range.max));
  }
  if (at == text.size()) at = text.size() - 1;
  const auto shown = static_cast<unsigned char>(text[at]);
  return error_of(1207, fmt::format("Invalid digit, Value '{}', Pos {}, Type: {}",
                                    shown >= 32 && shown < 127 ? static_cast<char>(shown) : '.', at,
                                    range.name));
}

FieldConverter::Outcome FieldConverter::set_floating(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto value = parse_number<double>(text);
  if (!value) {
    const std::string lower = to_lower(text);
    const bool negative = lower.starts_with('-');
    const std::string_view word = std::string_view(lower).substr(negative ? 1 : 0);
    if (word == "inf" || word == "infinity") {
      floating_ = negative ? -std::numeric_limits<double>::infinity()
                           : std::numeric_limits<double>::infinity();
      return std::nullopt;
    }
    if (word == "nan") {
      floating_ = std::numeric_limits<double>::quiet_NaN();
      return std::nullopt;
    }
    double ignored = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), ignored);
    const bool too_large =
        result.ec == std::errc::result_out_of_range && result.ptr == text.data() + text.size();
    return too_large ? error_of(1204, "Overflow, the value is out of the range of the type")
                     : error_of(1208, "Invalid Float value");
  }
  floating_ = *value;
  if (type_.type == engine::Type::kFloat && std::isfinite(floating_) &&
      std::fabs(floating_) > static_cast<double>(std::numeric_limits<float>::max())) {
    return error_of(1204, "Overflow, the value is out of the range of the type");
  }
  return std::nullopt;
}

FieldConverter::Outcome FieldConverter::set_decimal(std::string_view text) {
  const auto parsed =
      engine::parse_decimal(text, type_.width, type_.scale,
                            options_.round_decimals ? engine::DecimalRounding::kHalfAwayFromZero
                                                    : engine::DecimalRounding::kTruncate);
  // Redshift keeps up to 19 digits in 8 bytes.
  const bool wide = parsed.unscaled.high != static_cast<std::int64_t>(parsed.unscaled.low) >> 63;
  if (parsed.error == engine::NumberError::kRange || (type_.width == 19 && !parsed.error && wide)) {
    return error_of(1204, "Numeric data overflow (result precision)");
  }
  if (parsed.error) {
    std::size_t at = text.find_first_not_of("0123456789+-.eE");
    if (at == std::string_view::npos) at = 0;
    const auto shown = static_cast<unsigned char>(text[at]);
    return error_of(1209,
                    fmt::format("Invalid numeric, Value '{}', Pos {}, Type: Decimal",
                                shown >= 32 && shown < 127 ? static_cast<char>(shown) : '.', at));
  }
  huge_ = parsed.unscaled;
  return std::nullopt;
}

FieldConverter::Outcome FieldConverter::set_boolean(std::string_view text) {
  if (text.size() > 5) return error_of(1210, "Unknown boolean format");
  const std::string word = to_lower(text);
  for (const std::string_view yes : {"t", "true", "y", "yes", "1"}) {
    if (word == yes) {
      integer_ = 1;
      return std::nullopt;
    }
  }
  for (const std::string_view no : {"f", "false", "n", "no", "0"}) {
    if (word == no) {
      integer_ = 0;
      return std::nullopt;
    }
  }
  return error_of(1210, "Unknown boolean format");
}

FieldConverter::Outcome FieldConverter::set_date_time(std::string_view text) {
  const TypeKind kind = column_.type.kind;
  const DateTimePattern& pattern = kind == TypeKind::kDate        ? options_.date_pattern
                                   : kind == TypeKind::kTimestamp ? options_.time_pattern
                                                                  : options_.time_zone_pattern;
  const auto value = pattern.read(text, kind == TypeKind::kDate);
  if (!value) {
    if (options_.accept_any_date) return set_null();
    if (kind == TypeKind::kDate) {
      return error_of(1205, text.size() < 10 ? "Invalid Date Format - length must be 10 or more"
                                             : "Error in Date value or format [YYYY-MM-DD]");
    }
    return error_of(1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]");
  }
  if (kind == TypeKind::kDate) {
    integer_ = value->us / kUsPerDay - (value->us % kUsPerDay < 0 ? 1 : 0);
  } else {
    integer_ = kind == TypeKind::kTimestamp ? value->us : value->utc();
  }
  return std::nullopt;
}

FieldConverter::Outcome FieldConverter::set_time(std::string_view text) {
  const auto whole = recognise_date_time(fmt::format("1970-01-01 {}", text));
  const auto time = recognise_time(text);
  if (!time) return error_of(1206, "Invalid time format or value [HH24:MI:SS]");
  integer_ = *time;
  if (column_.type.kind == TypeKind::kTimeTz) {
    // DuckDB packs the time and how far its offset is from the largest one.
    constexpr std::int64_t kOffsetMax = 16 * 60 * 60 - 1;
    const std::int64_t offset = whole ? whole->zone_seconds.value_or(0) : 0;
    integer_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(*time) << 24 |
                                         static_cast<std::uint64_t>(kOffsetMax - offset));
  }
  return std::nullopt;
}

FieldConverter::Outcome FieldConverter::set_super(std::string_view text) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element element;
  // A scalar at the top is fine too.
  if (parser.parse(text.data(), text.size(), true).get(element) != simdjson::SUCCESS) {
    return error_of(1224, "Invalid JSON format. Value of a SUPER column is not valid JSON");
  }
  owned_ = simdjson::minify(element);
  if (owned_.size() > (16U << 20)) {
    return error_of(1224, "SUPER values may have at most 16 MB");
  }
  text_ = owned_;
  return std::nullopt;
}

FieldConverter::Outcome FieldConverter::set_bytes(std::string_view text) {
  std::string bytes;
  const auto value_of = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  if (text.size() % 2 != 0) return error_of(1219, "Invalid hex digit: the number of digits is odd");
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = value_of(text[i]);
    const int low = value_of(text[i + 1]);
    if (high < 0 || low < 0) {
      return error_of(1219, fmt::format("Invalid hex digit, Pos {}", high < 0 ? i : i + 1));
    }
    bytes += static_cast<char>(high * 16 + low);
  }
  if (bytes.size() > static_cast<std::size_t>(column_.type.length)) {
    if (!options_.truncate_columns) return error_of(1204, "Varbyte length exceeds DDL length");
    bytes.resize(static_cast<std::size_t>(column_.type.length));
  }
  owned_ = std::move(bytes);
  text_ = owned_;
  return std::nullopt;
}

FieldConverter::Outcome FieldConverter::set_interval(std::string_view text) {
  const auto read = sql::parse_interval(text, {});
  if (!read || !std::in_range<std::int32_t>(read->months) ||
      !std::in_range<std::int32_t>(read->days)) {
    return error_of(1206, "Invalid interval format or value");
  }
  if (column_.type.kind == TypeKind::kIntervalYearToMonth &&
      (read->days != 0 || read->microseconds != 0)) {
    return error_of(1206, "An INTERVAL YEAR TO MONTH holds no days, hours, minutes or seconds");
  }
  if (column_.type.kind == TypeKind::kIntervalDayToSecond && read->months != 0)
    return error_of(1206, "An INTERVAL DAY TO SECOND holds no years or months");
  interval_ = {.months = static_cast<std::int32_t>(read->months),
               .days = static_cast<std::int32_t>(read->days),
               .us = read->microseconds};
  return std::nullopt;
}

FieldConverter::Outcome FieldConverter::set_sketch(std::string_view text) {
  const auto sketch = engine::HllSketch::parse(text);
  if (!sketch) return error_of(1223, sketch.error().message);
  owned_.clear();
  sketch->append_text(owned_);
  text_ = owned_;
  return std::nullopt;
}

void FieldConverter::store(engine::ChunkWriter& writer, std::size_t column, std::size_t row) const {
  using engine::Type;
  if (null_) {
    writer.set_null(column, row);
    return;
  }
  switch (type_.type) {
    case Type::kBoolean:
      writer.set<bool>(column, row, integer_ != 0);
      return;
    case Type::kInt16:
      writer.set<std::int16_t>(column, row, static_cast<std::int16_t>(integer_));
      return;
    case Type::kInt32:
    case Type::kDate:
      writer.set<std::int32_t>(column, row, static_cast<std::int32_t>(integer_));
      return;
    case Type::kInt64:
    case Type::kTime:
    case Type::kTimeTz:
    case Type::kTimestamp:
    case Type::kTimestampTz:
      writer.set<std::int64_t>(column, row, integer_);
      return;
    case Type::kFloat:
      writer.set<float>(column, row, static_cast<float>(floating_));
      return;
    case Type::kDouble:
      writer.set<double>(column, row, floating_);
      return;
    case Type::kDecimal: {
      const auto low = static_cast<std::int64_t>(huge_.low);
      if (type_.width <= 4) {
        writer.set<std::int16_t>(column, row, static_cast<std::int16_t>(low));
      } else if (type_.width <= 9) {
        writer.set<std::int32_t>(column, row, static_cast<std::int32_t>(low));
      } else if (type_.width <= 18) {
        writer.set<std::int64_t>(column, row, low);
      } else {
        writer.set<engine::HugeInt>(column, row, huge_);
      }
      return;
    }
    case Type::kInterval:
      writer.set<engine::Interval>(column, row, interval_);
      return;
    default:
      writer.set_text(column, row, text_);
      return;
  }
}

}  // namespace leat::transfer
