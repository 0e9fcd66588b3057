#include "pipeline/shape/selection.h"

#include <algorithm>
#include <array>

#include "pipeline/shape/names.h"

namespace leat::shape {

std::string_view home_table_of(event::EventType type) {
  using enum event::EventType;
  switch (type) {
    case kTrack:
      return "tracks";
    case kIdentify:
      return "identifies";
    case kPage:
      return "pages";
    case kScreen:
      return "screens";
    case kGroup:
      return "groups";
    case kAlias:
      return "aliases";
    case kNone:
      break;
  }
  return "";
}

bool matches_pattern(std::string_view text, std::string_view pattern) {
  // The last star and the text behind what it has taken so far; on a mismatch it takes one more.
  std::size_t star = std::string_view::npos;
  std::size_t taken = 0;
  std::size_t t = 0;
  std::size_t p = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool Exclusion::leaves_out_table(std::string_view table) const {
  const auto is_off = [this](std::string_view name) {
    return std::ranges::any_of(
        tables, [name](const std::string& pattern) { return matches_pattern(name, pattern); });
  };
  if (is_off(table)) return true;
  if (table == "users") return is_off("identifies");
  return table == "accounts" && is_off("groups");
}

bool Exclusion::leaves_out_column(std::string_view table, std::string_view column) const {
  return std::ranges::any_of(columns, [&](std::string_view pattern) {
    const std::size_t dot = pattern.find('.');
    if (dot == std::string_view::npos) return matches_pattern(column, pattern);
    return matches_pattern(table, pattern.substr(0, dot)) &&
           matches_pattern(column, pattern.substr(dot + 1));
  });
}

bool Exclusion::leaves_out_event(event::EventType type, std::string_view name,
                                 std::span<const std::string> taken) const {
  const bool home_is_off = leaves_out_table(home_table_of(type));
  if (type != event::EventType::kTrack || name.empty()) return home_is_off;
  const std::string table = event_table_of(name, taken);
  const bool event_is_off = std::ranges::any_of(events, [&](const std::string& pattern) {
    return matches_pattern(name, pattern) || matches_pattern(table, pattern);
  });
  return event_is_off || (home_is_off && leaves_out_table(table));
}

bool Selection::takes_all() const {
  const Selection all;
  return from == all.from && to == all.to && event.empty() && table.empty() && column.empty() &&
         lines.empty() && first_order == all.first_order && end_order == all.end_order;
}

const std::string* Refusals::find(std::string_view batch_id, std::uint64_t line,
                                  event::EventType type, std::string_view name,
                                  std::span<const std::string> taken) const {
  const auto batch = by_batch.find(batch_id);
  if (batch == by_batch.end()) return nullptr;
  for (const Lines& lines : batch->second) {
    if (line < lines.first || line > lines.last) continue;
    Selection of_table;
    of_table.table = lines.table;
    if (of_table.takes_event(type, name, taken)) return &lines.detail;
  }
  return nullptr;
}

bool Selection::takes_line(std::string_view batch_id, std::uint64_t line) const {
  if (lines.empty()) return true;
  const auto found = lines.find(batch_id);
  return found != lines.end() && found->second.contains(line);
}

bool Selection::takes_event(event::EventType type, std::string_view name,
                            std::span<const std::string> taken) const {
  const bool is_track = type == event::EventType::kTrack;
  const std::string event_table = is_track && !name.empty() ? event_table_of(name, taken) : "";
  if (!event.empty()) {
    if (event_table.empty()) return false;
    if (name != event && event_table != event) return false;
  }
  if (table.empty() || table == home_table_of(type)) return true;
  if (is_track) return table == event_table;
  if (type == event::EventType::kIdentify) return table == "users";
  return type == event::EventType::kGroup && table == "accounts";
}

bool Selection::column_is_standard() const {
  return is_standard_column_name(column);
}

}  // namespace leat::shape
