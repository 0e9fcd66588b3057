#include "app/table_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace leat::app {
namespace {

// One code point a column is wrong for wide and combining characters, and right for what tables
// here hold.
std::size_t width(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1U : 0U;
  return count;
}

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

void append_cells(std::string& out, const std::vector<std::string>& cells, const TableText& table,
                  const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::string text = i < cells.size() ? one_line(cells[i]) : std::string();
    const std::size_t padding = widths[i] - std::min(widths[i], width(text));
    const bool right = i < table.numeric.size() && table.numeric[i];
    if (i > 0) line += "  ";
    line += right ? std::string(padding, ' ') + text : text + std::string(padding, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

}  // namespace

std::string to_text(const TableText& table) {
  std::vector<std::size_t> widths;
  for (const std::string& name : table.columns) widths.push_back(width(name));
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < std::min(row.size(), widths.size()); ++i) {
      widths[i] = std::max(widths[i], width(one_line(row[i])));
    }
  }
  std::string out;
  append_cells(out, table.columns, table, widths);
  std::vector<std::string> rules;
  rules.reserve(widths.size());
  for (const std::size_t columns : widths) rules.emplace_back(columns, '-');
  append_cells(out, rules, table, widths);
  for (const auto& row : table.rows) append_cells(out, row, table, widths);
  return out;
}

std::string count_text(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t sign = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = digits.size(); at > sign + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "KB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace leat::app
