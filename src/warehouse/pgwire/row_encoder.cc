#include "warehouse/pgwire/row_encoder.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/time_zone.h"
#include "warehouse/pgwire/codec.h"

namespace leat::pgwire {
namespace {

using engine::Column;
using engine::HugeInt;
using engine::Type;

constexpr std::int64_t kEpoch2000Us = 946'684'800'000'000;
constexpr std::int32_t kEpoch2000Days = 10'957;
constexpr std::string_view kNullCell = "\xff\xff\xff\xff";  // a length of -1
constexpr std::size_t kRowHead = 7;                         // type, length, number of cells
constexpr std::int64_t kFiniteUs = INT64_MAX - 100'000LL * 1'000'000;

void put_int16(char* at, std::uint16_t value) {
  const std::uint16_t swapped = __builtin_bswap16(value);
  std::memcpy(at, &swapped, sizeof swapped);
}

void put_int32(char* at, std::uint32_t value) {
  const std::uint32_t swapped = __builtin_bswap32(value);
  std::memcpy(at, &swapped, sizeof swapped);
}

/// Writes behind what `out` has. The string's size runs ahead of what is written, so that a piece
/// costs one look at the room that is left; `finish` cuts it.
class RowBytes {
 public:
  explicit RowBytes(std::string& out) : out_(out) { place(out.size()); }

  /// A place for at most `size` bytes; `end_at` says how many there are.
  char* room(std::size_t size) {
    if (static_cast<std::size_t>(end_ - at_) < size) grow(size);
    return at_;
  }
  void end_at(char* at) { at_ = at; }

  void append(std::string_view bytes) {
    end_at(std::copy(bytes.begin(), bytes.end(), room(bytes.size())));
  }
  void big_endian(std::uint64_t value, std::size_t bytes) {
    char* at = room(bytes);
    for (std::size_t i = bytes; i > 0; --i) *at++ = static_cast<char>(value >> (8 * (i - 1)));
    end_at(at);
  }

  /// What is written, and the place of an earlier byte.
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(at_ - out_.data()); }
  char* byte(std::size_t index) { return out_.data() + index; }

  /// Empty; for text whose length is not known beforehand.
  std::string& scratch() {
    scratch_.clear();
    return scratch_;
  }

  void finish() { out_.resize(size()); }

 private:
  void place(std::size_t size) {
    at_ = out_.data() + size;
    end_ = out_.data() + out_.size();
  }
  void grow(std::size_t size) {
    constexpr std::size_t kLeast = 16'384;
    const std::size_t written = this->size();
    out_.resize(std::max(written + std::max(size, kLeast), written * 2));
    place(written);
  }

  std::string& out_;
  char* at_ = nullptr;
  char* end_ = nullptr;
  std::string scratch_;
};

void append_sized(RowBytes& out, std::string_view bytes) {
  char* const at = out.room(4 + bytes.size());
  put_int32(at, static_cast<std::uint32_t>(bytes.size()));
  out.end_at(std::copy(bytes.begin(), bytes.end(), at + 4));
}

/// "2026-11-20 09:03:05-05", "...+05:30".
void append_zoned_timestamp(std::string& out, std::int64_t us, const TimeZone& zone) {
  const auto offset = static_cast<std::int32_t>(zone.offset_us(TimeUs{us}) / 1'000'000);
  engine::append_timestamp(us + std::int64_t{offset} * 1'000'000, out);
  const std::int32_t size = std::abs(offset);
  const auto two_digits = [&](std::int32_t value) {
    out.push_back(static_cast<char>('0' + value / 10));
    out.push_back(static_cast<char>('0' + value % 10));
  };
  out.push_back(offset < 0 ? '-' : '+');
  two_digits(size / 3600);
  if (size % 3600 == 0) return;
  out.push_back(':');
  two_digits(size / 60 % 60);
  if (size % 60 == 0) return;
  out.push_back(':');
  two_digits(size % 60);
}

/// Of a kInt64.
std::uint32_t integer_oid(engine::CatalogType type) {
  switch (type) {
    case engine::CatalogType::kOid:
    case engine::CatalogType::kOidElement:
      return 26;
    case engine::CatalogType::kShortElement:
      return 21;
    default:
      return 20;
  }
}

std::uint32_t element_oid(const engine::ColumnType& type) {
  switch (type.type) {
    case Type::kBoolean:
      return 16;
    case Type::kInt16:
      return 21;
    case Type::kInt32:
      return 23;
    case Type::kInt64:
      return integer_oid(type.catalog);
    case Type::kFloat:
      return 700;
    case Type::kDouble:
      return 701;
    case Type::kDate:
      return 1082;
    case Type::kTimestamp:
      return 1114;
    default:
      return 25;
  }
}

void append_binary_cell(RowBytes& out, const Column& column, std::size_t row,
                        const CellStyle& style);

/// The text of a cell, without its length.
void append_plain_text(std::string& out, const Column& column, std::size_t row,
                       const CellStyle& style) {
  const bool zoned = column.type().type == Type::kTimestampTz && style.time_zone != nullptr;
  // The infinities have no local time.
  if (const std::int64_t us = zoned ? column.cells<std::int64_t>()[row] : 0;
      zoned && us > -kFiniteUs && us < kFiniteUs) {
    append_zoned_timestamp(out, us, *style.time_zone);
  } else {
    engine::append_text(column, row, out, {.extra_float_digits = style.extra_float_digits});
  }
}

/// An element of an array, in quotes where PostgreSQL puts them.
void append_element(std::string& out, std::string_view text) {
  std::string upper;
  for (const char c : text) upper.push_back(static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c));
  const bool plain = !text.empty() && upper != "NULL" &&
                     text.find_first_of("{},\"\\ \t\n\r\v\f") == std::string_view::npos;
  if (plain) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

/// {1,2,NULL}
void append_text_array(std::string& out, const Column& column, std::size_t row,
                       const CellStyle& style) {
  const Column::Elements elements = column.elements(row);
  out += '{';
  for (std::size_t i = elements.first; i < elements.first + elements.count; ++i) {
    if (i > elements.first) out += ',';
    if (elements.column->is_null(i)) {
      out += "NULL";
      continue;
    }
    std::string cell;
    append_plain_text(cell, *elements.column, i, style);
    append_element(out, cell);
  }
  out += '}';
}

/// Dimensions, whether there are NULLs, the elements' type, their number, the first index; then
/// each with its length.
void append_binary_array(RowBytes& out, const Column& column, std::size_t row,
                         const CellStyle& style) {
  const Column::Elements elements = column.elements(row);
  const std::size_t at = out.size();
  out.big_endian(0, 4);
  bool nulls = false;
  for (std::size_t i = elements.first; i < elements.first + elements.count; ++i)
    nulls = nulls || elements.column->is_null(i);
  out.big_endian(elements.count == 0 ? 0 : 1, 4);
  out.big_endian(nulls ? 1 : 0, 4);
  out.big_endian(element_oid(elements.column->type()), 4);
  if (elements.count > 0) {
    out.big_endian(elements.count, 4);
    out.big_endian(engine::is_catalog_vector(column.type()) ? 0 : 1, 4);
  }
  for (std::size_t i = elements.first; i < elements.first + elements.count; ++i) {
    if (elements.column->is_null(i)) {
      out.append(kNullCell);
    } else {
      append_binary_cell(out, *elements.column, i, style);
    }
  }
  put_int32(out.byte(at), static_cast<std::uint32_t>(out.size() - at - 4));
}

/// How the cells of a column are written.
enum class CellForm : std::uint8_t {
  kShortText,  ///< into a place of a known size
  kTextInPlace,
  kText,
  kBinary
};

CellForm form_of(const engine::ColumnType& type, bool is_binary, const CellStyle& style) {
  if (is_binary) return CellForm::kBinary;
  if (type.type == Type::kTimestampTz && style.time_zone != nullptr) return CellForm::kText;
  if (engine::has_short_text(type)) return CellForm::kShortText;
  const bool is_in_place =
      type.type == Type::kVarchar || type.type == Type::kJson || type.type == Type::kSketch;
  return is_in_place ? CellForm::kTextInPlace : CellForm::kText;
}

void append_text_cell(RowBytes& out, const Column& column, std::size_t row,
                      const CellStyle& style) {
  std::string& text = out.scratch();
  if (engine::is_plain_list(column.type()) && !engine::is_catalog_vector(column.type())) {
    append_text_array(text, column, row, style);
  } else {
    append_plain_text(text, column, row, style);
  }
  append_sized(out, text);
}

/// PostgreSQL's binary numeric, from its decimal text: base-10000 digits around the point.
void append_binary_numeric(RowBytes& out, const Column& column, std::size_t row) {
  std::string text;
  engine::append_text(column, row, text, {});
  const bool negative = text.starts_with('-');
  if (negative) text.erase(0, 1);
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string whole = text.substr(0, point);
  std::string fraction = point < text.size() ? text.substr(point + 1) : std::string();
  const std::size_t scale = fraction.size();
  whole.insert(0, (4 - whole.size() % 4) % 4, '0');
  fraction.append((4 - fraction.size() % 4) % 4, '0');
  const std::string all = whole + fraction;
  std::vector<std::uint16_t> digits;
  for (std::size_t i = 0; i < all.size(); i += 4) {
    std::uint16_t digit = 0;
    std::from_chars(all.data() + i, all.data() + i + 4, digit);
    digits.push_back(digit);
  }
  int weight = static_cast<int>(whole.size() / 4) - 1;
  while (!digits.empty() && digits.front() == 0) {
    digits.erase(digits.begin());
    --weight;
  }
  while (!digits.empty() && digits.back() == 0) digits.pop_back();
  if (digits.empty()) weight = 0;
  out.big_endian(8 + digits.size() * 2, 4);
  out.big_endian(digits.size(), 2);
  out.big_endian(static_cast<std::uint16_t>(weight), 2);
  out.big_endian(negative && !digits.empty() ? 0x4000U : 0U, 2);
  out.big_endian(scale, 2);
  for (const std::uint16_t digit : digits) out.big_endian(digit, 2);
}

void append_fixed(RowBytes& out, std::uint64_t value, std::size_t bytes) {
  out.big_endian(bytes, 4);
  out.big_endian(value, bytes);
}

/// Redshift's binary numeric: the unscaled value in 8 or 16 bytes; the scale is in the modifier.
void append_redshift_numeric(RowBytes& out, const Column& column, std::size_t row) {
  const HugeInt value = column.huge_integer(row);
  const bool wide = column.type().type != Type::kDecimal || column.type().width > 18;
  out.big_endian(wide ? 16 : 8, 4);
  if (wide) out.big_endian(static_cast<std::uint64_t>(value.high), 8);
  out.big_endian(value.low, 8);
}

void append_binary_cell(RowBytes& out, const Column& column, std::size_t row,
                        const CellStyle& style) {
  if (engine::is_plain_list(column.type())) return append_binary_array(out, column, row, style);
  const auto integer = [&] { return static_cast<std::uint64_t>(column.integer(row)); };
  switch (column.type().type) {
    case Type::kBoolean:
      return append_fixed(out, column.integer(row) != 0 ? 1 : 0, 1);
    case Type::kInt8:
    case Type::kUInt8:
    case Type::kInt16:
      return append_fixed(out, integer(), 2);
    case Type::kUInt16:
    case Type::kInt32:
      return append_fixed(out, integer(), 4);
    case Type::kUInt32:
      return append_fixed(out, integer(), 8);
    case Type::kInt64: {
      const std::uint32_t oid = integer_oid(column.type().catalog);
      return append_fixed(out, integer(), oid == 26 ? 4 : oid == 21 ? 2 : 8);
    }
    case Type::kFloat:
      return append_fixed(out, std::bit_cast<std::uint32_t>(column.cells<float>()[row]), 4);
    case Type::kDouble:
      return append_fixed(out, std::bit_cast<std::uint64_t>(column.cells<double>()[row]), 8);
    case Type::kDate:
      return append_fixed(
          out, static_cast<std::uint32_t>(column.cells<std::int32_t>()[row] - kEpoch2000Days), 4);
    case Type::kTime:
      return append_fixed(out, static_cast<std::uint64_t>(column.cells<std::int64_t>()[row]), 8);
    case Type::kTimestamp:
    case Type::kTimestampTz:
      return append_fixed(
          out, static_cast<std::uint64_t>(column.cells<std::int64_t>()[row] - kEpoch2000Us), 8);
    case Type::kTimeTz: {
      // Microseconds of the local time, and seconds west of UTC.
      const std::uint64_t bits = column.cells<std::uint64_t>()[row];
      out.big_endian(12, 4);
      out.big_endian(bits >> 24U, 8);
      out.big_endian(static_cast<std::uint32_t>(-engine::time_tz_offset(bits)), 4);
      return;
    }
    case Type::kInterval: {
      const engine::Interval value = column.cells<engine::Interval>()[row];
      out.big_endian(16, 4);
      out.big_endian(static_cast<std::uint64_t>(value.us), 8);
      out.big_endian(static_cast<std::uint32_t>(value.days), 4);
      out.big_endian(static_cast<std::uint32_t>(value.months), 4);
      return;
    }
    case Type::kBlob:
      return append_sized(out, column.text(row));
    case Type::kUInt64:
    case Type::kHugeInt:
    case Type::kDecimal:
      if (style.version >= WireVersion::kBinary && column.type().type != Type::kUInt64)
        return append_redshift_numeric(out, column, row);
      return append_binary_numeric(out, column, row);
    default:
      return append_text_cell(out, column, row, style);  // text types are the same in both formats
  }
}

void append_cell(RowBytes& out, const Column& column, std::size_t row, CellForm form,
                 const CellStyle& style) {
  if (column.is_null(row)) return out.append(kNullCell);
  switch (form) {
    case CellForm::kShortText: {
      char* const at = out.room(4 + engine::kShortTextMax);
      char* const end = engine::write_short_text(column, row, at + 4,
                                                 {.extra_float_digits = style.extra_float_digits});
      put_int32(at, static_cast<std::uint32_t>(end - at - 4));
      return out.end_at(end);
    }
    case CellForm::kTextInPlace:
      return append_sized(out, column.text(row));
    case CellForm::kText:
      return append_text_cell(out, column, row, style);
    case CellForm::kBinary:
      return append_binary_cell(out, column, row, style);
  }
}

}  // namespace

std::int16_t format_of(std::span<const std::int16_t> formats, std::size_t column) {
  if (formats.empty()) return 0;
  if (formats.size() == 1) return formats[0];
  return column < formats.size() ? formats[column] : std::int16_t{0};
}

void append_row_description(std::string& out, std::span<const session::Field> fields,
                            std::span<const std::int16_t> formats, WireVersion version,
                            std::string_view database) {
  MessageWriter writer(out);
  writer.begin('T');
  writer.int16(static_cast<std::int16_t>(fields.size()));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const session::Field& field = fields[i];
    writer.cstring(field.name);
    writer.int32(static_cast<std::int32_t>(field.table_oid));
    writer.int16(field.column_number);
    writer.int32(static_cast<std::int32_t>(field.type_oid));
    writer.int16(field.type_size);
    writer.int32(field.type_modifier);
    writer.int16(format_of(formats, i));
    if (version == WireVersion::kPostgres) continue;
    writer.cstring(field.schema);
    writer.cstring(field.table);
    writer.cstring(field.column);
    writer.cstring(field.table.empty() ? std::string_view() : database);
    constexpr int kNotNull = 1;
    constexpr int kAutoIncrement = 1 << 4;
    constexpr int kSearchable = 1 << 12;
    writer.int16(static_cast<std::int16_t>((field.not_null ? kNotNull : 0) |
                                           (field.identity ? kAutoIncrement : 0) | kSearchable));
  }
  writer.end();
}

void append_rows(std::string& out, const engine::Chunk& chunk, std::size_t first, std::size_t count,
                 std::span<const std::int16_t> formats, const CellStyle& style) {
  const std::size_t columns = chunk.columns().size();
  std::vector<CellForm> forms(columns);
  for (std::size_t i = 0; i < columns; ++i)
    forms[i] = form_of(chunk.column(i).type(), format_of(formats, i) == 1, style);
  RowBytes bytes(out);
  for (std::size_t row = first; row < first + count; ++row) {
    const std::size_t start = bytes.size();
    char* const head = bytes.room(kRowHead);
    *head = 'D';
    put_int16(head + 5, static_cast<std::uint16_t>(columns));
    bytes.end_at(head + kRowHead);
    for (std::size_t i = 0; i < columns; ++i) {
      append_cell(bytes, chunk.column(i), row, forms[i], style);
    }
    put_int32(bytes.byte(start) + 1, static_cast<std::uint32_t>(bytes.size() - start - 1));
  }
  bytes.finish();
}

}  // namespace leat::pgwire
