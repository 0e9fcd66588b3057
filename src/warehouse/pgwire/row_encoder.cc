#include "warehouse/pgwire/row_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdlib>

#include "base/time_zone.h"
#include "warehouse/pgwire/codec.h"

namespace leat::pgwire {
namespace {

using engine::Column;
using engine::HugeInt;
using engine::Type;

constexpr std::int64_t kEpoch2000Us = 946'684'800'000'000;
constexpr std::int32_t kEpoch2000Days = 10'957;
constexpr std::int64_t kFiniteUs = INT64_MAX - 100'000LL * 1'000'000;

void put_int16(char* at, std::uint16_t value) {
  at[0] = static_cast<char>(value >> 8U);
  at[1] = static_cast<char>(value);
}

void put_int32(char* at, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) at[i] = static_cast<char>(value >> (24 - 8 * i));
}

void append_big_endian(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i > 0; --i) out.push_back(static_cast<char>(value >> (8 * (i - 1))));
}

/// Length and digits of an integer in one go: the most common cell.
void append_integer(std::string& out, std::int64_t value) {
  std::array<char, 24> buffer{};
  const auto end = std::to_chars(buffer.data() + 4, buffer.data() + buffer.size(), value).ptr;
  put_int32(buffer.data(), static_cast<std::uint32_t>(end - buffer.data() - 4));
  out.append(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
}

void append_sized(std::string& out, std::string_view bytes) {
  std::array<char, 4> length{};
  put_int32(length.data(), static_cast<std::uint32_t>(bytes.size()));
  out.append(length.data(), 4);
  out.append(bytes);
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

std::uint32_t element_oid(const engine::ColumnType& type) {
  switch (type.type) {
    case Type::kBoolean:
      return 16;
    case Type::kInt16:
      return 21;
    case Type::kInt32:
      return 23;
    case Type::kInt64:
      return type.catalog == engine::CatalogType::kOid ? 26 : 20;
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

void append_text_cell(std::string& out, const Column& column, std::size_t row,
                      const CellStyle& style);
void append_binary_cell(std::string& out, const Column& column, std::size_t row,
                        const CellStyle& style);

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
  std::string array = "{";
  for (std::size_t i = elements.first; i < elements.first + elements.count; ++i) {
    if (array.size() > 1) array += ',';
    if (elements.column->is_null(i)) {
      array += "NULL";
      continue;
    }
    std::string cell;
    append_text_cell(cell, *elements.column, i, style);
    append_element(array, std::string_view(cell).substr(4));  // without its length
  }
  append_sized(out, array + "}");
}

/// Dimensions, whether there are NULLs, the elements' type, their number, the first index; then
/// each with its length.
void append_binary_array(std::string& out, const Column& column, std::size_t row,
                         const CellStyle& style) {
  const Column::Elements elements = column.elements(row);
  const std::size_t at = out.size();
  out.append(4, '\0');
  bool nulls = false;
  for (std::size_t i = elements.first; i < elements.first + elements.count; ++i)
    nulls = nulls || elements.column->is_null(i);
  append_big_endian(out, elements.count == 0 ? 0 : 1, 4);
  append_big_endian(out, nulls ? 1 : 0, 4);
  append_big_endian(out, element_oid(elements.column->type()), 4);
  if (elements.count > 0) {
    append_big_endian(out, elements.count, 4);
    append_big_endian(out, 1, 4);
  }
  for (std::size_t i = elements.first; i < elements.first + elements.count; ++i) {
    if (elements.column->is_null(i)) {
      out.append(4, '\xff');
    } else {
      append_binary_cell(out, *elements.column, i, style);
    }
  }
  put_int32(out.data() + at, static_cast<std::uint32_t>(out.size() - at - 4));
}

void append_text_cell(std::string& out, const Column& column, std::size_t row,
                      const CellStyle& style) {
  if (engine::is_plain_list(column.type())) return append_text_array(out, column, row, style);
  switch (column.type().type) {
    case Type::kInt8:
    case Type::kInt16:
    case Type::kInt32:
    case Type::kInt64:
    case Type::kUInt8:
    case Type::kUInt16:
    case Type::kUInt32:
      append_integer(out, column.integer(row));
      return;
    case Type::kVarchar:
    case Type::kJson:
    case Type::kSketch:
      append_sized(out, column.text(row));
      return;
    default:
      break;
  }
  const std::size_t at = out.size();
  out.append(4, '\0');
  const bool zoned = column.type().type == Type::kTimestampTz && style.time_zone != nullptr;
  // The infinities have no local time.
  if (const std::int64_t us = zoned ? column.cells<std::int64_t>()[row] : 0;
      zoned && us > -kFiniteUs && us < kFiniteUs) {
    append_zoned_timestamp(out, us, *style.time_zone);
  } else {
    engine::append_text(column, row, out, {.extra_float_digits = style.extra_float_digits});
  }
  put_int32(out.data() + at, static_cast<std::uint32_t>(out.size() - at - 4));
}

/// PostgreSQL's binary numeric, from its decimal text: base-10000 digits around the point.
void append_binary_numeric(std::string& out, const Column& column, std::size_t row) {
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
  append_big_endian(out, 8 + digits.size() * 2, 4);
  append_big_endian(out, digits.size(), 2);
  append_big_endian(out, static_cast<std::uint16_t>(weight), 2);
  append_big_endian(out, negative && !digits.empty() ? 0x4000U : 0U, 2);
  append_big_endian(out, scale, 2);
  for (const std::uint16_t digit : digits) append_big_endian(out, digit, 2);
}

void append_fixed(std::string& out, std::uint64_t value, std::size_t bytes) {
  append_big_endian(out, bytes, 4);
  append_big_endian(out, value, bytes);
}

/// Redshift's binary numeric: the unscaled value in 8 or 16 bytes; the scale is in the modifier.
void append_redshift_numeric(std::string& out, const Column& column, std::size_t row) {
  const HugeInt value = column.huge_integer(row);
  const bool wide = column.type().type != Type::kDecimal || column.type().width > 18;
  append_big_endian(out, wide ? 16 : 8, 4);
  if (wide) append_big_endian(out, static_cast<std::uint64_t>(value.high), 8);
  append_big_endian(out, value.low, 8);
}

void append_binary_cell(std::string& out, const Column& column, std::size_t row,
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
    case Type::kInt64:
      return append_fixed(out, integer(),
                          column.type().catalog == engine::CatalogType::kOid ? 4 : 8);
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
      append_big_endian(out, 12, 4);
      append_big_endian(out, bits >> 24U, 8);
      append_big_endian(out, static_cast<std::uint32_t>(-engine::time_tz_offset(bits)), 4);
      return;
    }
    case Type::kInterval: {
      const engine::Interval value = column.cells<engine::Interval>()[row];
      append_big_endian(out, 16, 4);
      append_big_endian(out, static_cast<std::uint64_t>(value.us), 8);
      append_big_endian(out, static_cast<std::uint32_t>(value.days), 4);
      append_big_endian(out, static_cast<std::uint32_t>(value.months), 4);
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
  std::vector<bool> binary(columns);
  for (std::size_t i = 0; i < columns; ++i) binary[i] = format_of(formats, i) == 1;
  for (std::size_t row = first; row < first + count; ++row) {
    const std::size_t start = out.size();
    out.append("D\0\0\0\0\0\0", 7);
    for (std::size_t i = 0; i < columns; ++i) {
      const Column& column = chunk.column(i);
      if (column.is_null(row)) {
        out.append(4, '\xff');
      } else if (binary[i]) {
        append_binary_cell(out, column, row, style);
      } else {
        append_text_cell(out, column, row, style);
      }
    }
    put_int32(out.data() + start + 1, static_cast<std::uint32_t>(out.size() - start - 1));
    put_int16(out.data() + start + 5, static_cast<std::uint16_t>(columns));
  }
}

}  // namespace leat::pgwire
