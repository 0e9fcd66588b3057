// Tables for people: aligned columns, numbers to the right.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace leat::app {

struct TableText {
  std::vector<std::string> columns;
  std::vector<bool> numeric;  ///< Per column: aligned to the right. May be shorter than `columns`.
  std::vector<std::vector<std::string>> rows;
};

/// The table with its header, a line under it, and two spaces between columns; every line ends with
/// a newline. Widths count code points, line breaks within a cell are shown as "\n". Pure; any
/// thread.
[[nodiscard]] std::string to_text(const TableText& table);

/// "1,234,567" with a separator each three digits. Pure; any thread.
[[nodiscard]] std::string count_text(std::int64_t count);

/// "512 B", "1.5 MB": decimal units, one decimal. Pure; any thread.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace leat::app
