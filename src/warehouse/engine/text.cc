// The text forms of cells.
#include "base/text.h"

#include <array>
#include <cmath>

#include "base/digest.h"
#include "base/time.h"
#include "warehouse/engine/chunk.h"

namespace leat::engine {

void append_interval(Interval interval, std::string& out) {
  const std::size_t start = out.size();
  bool negative = false;  // the part before: one that is not has a sign then
  const auto part = [&](std::int64_t count, std::string_view one, std::string_view many) {
    if (count == 0) return;
    if (out.size() > start) out += ' ';
    if (negative && count > 0) out += '+';
    negative = count < 0;
    out += std::to_string(count);
    out += ' ';
    out += count == 1 ? one : many;
  };
  part(interval.months / 12, "year", "years");
  part(interval.months % 12, "mon", "mons");
  part(interval.days, "day", "days");
  if (interval.us == 0 && out.size() > start) return;
  if (out.size() > start) out += ' ';
  std::uint64_t us = static_cast<std::uint64_t>(interval.us);
  if (interval.us < 0) {
    out += '-';
    us = 0 - us;
  } else if (negative) {
    out += '+';
  }
  const std::uint64_t hours = us / static_cast<std::uint64_t>(kUsPerHour);
  if (hours < 10) out += '0';
  out += std::to_string(hours);
  std::string rest;
  append_time(static_cast<std::int64_t>(us % static_cast<std::uint64_t>(kUsPerHour)), rest);
  out.append(rest, 2);
}

/// Writes cells; nested ones as JSON.
class TextWriter {
 public:
  static void write(const Column& column, std::size_t row, std::string& out, TextOptions options);
  static void write_json(const Column& column, std::size_t row, std::string& out);

 private:
  static void write_nested(const Column& column, std::size_t row, std::string& out);
  static void write_list(const Column& child, std::size_t begin, std::size_t size,
                         std::string& out);
  static void write_vector(const Column& child, std::size_t begin, std::size_t size,
                           std::string& out);
  static void write_key(const Column& column, std::size_t row, std::string& out);
};

/// "1 2", the form of PostgreSQL's int2vector.
void TextWriter::write_vector(const Column& child, std::size_t begin, std::size_t size,
                              std::string& out) {
  for (std::size_t i = 0; i < size; ++i) {
    if (i > 0) out += ' ';
    out += std::to_string(child.is_null(begin + i) ? 0 : child.integer(begin + i));
  }
}

void TextWriter::write_list(const Column& child, std::size_t begin, std::size_t size,
                            std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < size; ++i) {
    if (i > 0) out += ',';
    write_json(child, begin + i, out);
  }
  out += ']';
}

void TextWriter::write_key(const Column& column, std::size_t row, std::string& out) {
  std::string key;
  if (!column.is_null(row)) write(column, row, key, {.extra_float_digits = 1});
  append_json_string(out, key);
}

void TextWriter::write_nested(const Column& column, std::size_t row, std::string& out) {
  struct Entry {
    std::uint64_t offset;
    std::uint64_t length;
  };
  switch (column.type().type) {
    case Type::kList: {
      const Entry entry = column.cells<Entry>()[row];
      const auto write_elements = is_catalog_vector(column.type()) ? write_vector : write_list;
      write_elements(column.children_[0], entry.offset, entry.length, out);
      return;
    }
    case Type::kArray: {
      const auto length = static_cast<std::size_t>(column.type().length);
      write_list(column.children_[0], row * length, length, out);
      return;
    }
    case Type::kMap: {
      const Entry entry = column.cells<Entry>()[row];
      out += '{';
      for (std::uint64_t i = 0; i < entry.length; ++i) {
        if (i > 0) out += ',';
        write_key(column.children_[0], entry.offset + i, out);
        out += ':';
        write_json(column.children_[1], entry.offset + i, out);
      }
      out += '}';
      return;
    }
    default:
      out += '{';
      for (std::size_t i = 0; i < column.children_.size(); ++i) {
        if (i > 0) out += ',';
        append_json_string(out, column.type().child_names[i]);
        out += ':';
        write_json(column.children_[i], row, out);
      }
      out += '}';
      return;
  }
}

void TextWriter::write_json(const Column& column, std::size_t row, std::string& out) {
  if (column.is_null(row)) {
    out += "null";
    return;
  }
  switch (column.type().type) {
    case Type::kBoolean:
      out += column.integer(row) != 0 ? "true" : "false";
      return;
    case Type::kFloat:
      if (std::isfinite(column.cells<float>()[row])) break;
      out += "null";
      return;
    case Type::kDouble:
      if (std::isfinite(column.cells<double>()[row])) break;
      out += "null";
      return;
    case Type::kInt8:
    case Type::kInt16:
    case Type::kInt32:
    case Type::kInt64:
    case Type::kUInt8:
    case Type::kUInt16:
    case Type::kUInt32:
    case Type::kUInt64:
    case Type::kHugeInt:
    case Type::kDecimal:
    case Type::kJson:
    case Type::kList:
    case Type::kArray:
    case Type::kStruct:
    case Type::kMap:
      break;
    default: {
      std::string text;
      write(column, row, text, {});
      append_json_string(out, text);
      return;
    }
  }
  write(column, row, out, {.extra_float_digits = 1});
}

void TextWriter::write(const Column& column, std::size_t row, std::string& out,
                       TextOptions options) {
  switch (column.type().type) {
    case Type::kNull:
      return;
    case Type::kVarchar:
    case Type::kJson:
    case Type::kSketch:
      out += column.text(row);
      return;
    case Type::kBlob:
      out += to_hex(column.text(row));
      return;
    case Type::kInterval:
      append_interval(column.cells<Interval>()[row], out);
      return;
    case Type::kEnum:
      out += column.type().child_names[static_cast<std::size_t>(column.integer(row))];
      return;
    case Type::kList:
    case Type::kArray:
    case Type::kStruct:
    case Type::kMap:
      write_nested(column, row, out);
      return;
    case Type::kOther:
      return;  // refused when the statement is described
    default: {
      std::array<char, kShortTextMax> buffer{};
      out.append(buffer.data(), write_short_text(column, row, buffer.data(), options));
    }
  }
}

void append_text(const Column& column, std::size_t row, std::string& out, TextOptions options) {
  TextWriter::write(column, row, out, options);
}

std::optional<std::string> cell_text(const Column& column, std::size_t row) {
  if (column.is_null(row)) return std::nullopt;
  std::string out;
  append_text(column, row, out);
  return out;
}

}  // namespace leat::engine
