#include "warehouse/sql/function_table.h"

#include <algorithm>
#include <array>

namespace leat::sql {
namespace {

constexpr auto kName = FunctionRewrite::kName;
constexpr auto kTemplate = FunctionRewrite::kTemplate;
constexpr auto kSystem = FunctionRewrite::kSystem;
constexpr auto kSpecial = FunctionRewrite::kSpecial;
constexpr auto kNone = FunctionRewrite::kNone;
constexpr auto kExact = FunctionState::kExact;
constexpr auto kApproximate = FunctionState::kApproximate;
constexpr auto kUnsupported = FunctionState::kUnsupported;

constexpr FunctionEntry kTable[] = {
#define LEAT_FUNCTION(name, least, most, rewrite, target, state, group, note) \
  {name, least, most, rewrite, target, state, group, note},
#include "warehouse/sql/function_table.inc"
#undef LEAT_FUNCTION
};

/// Where the names begin that start with a byte, and behind the last one how many there are.
constexpr auto kLetters = [] {
  std::array<std::uint16_t, 257> first{};
  for (const FunctionEntry& entry : kTable) {
    ++first[static_cast<unsigned char>(entry.name.front()) + std::size_t{1}];
  }
  for (std::size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
  return first;
}();

constexpr std::string_view kGroups[] = {
    "Conditional", "Aggregate",     "Window",         "String",
    "Math",        "Date and time", "JSON and SUPER", "System and session"};

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return result;
}

}  // namespace

std::string_view state_name(FunctionState state) {
  switch (state) {
    case FunctionState::kExact:
      return "exact";
    case FunctionState::kApproximate:
      return "approximate";
    case FunctionState::kUnsupported:
      return "not supported";
  }
  return {};
}

std::span<const FunctionEntry> function_table() {
  return kTable;
}

std::span<const FunctionEntry> find_function(std::string_view name) {
  if (name.empty()) return {};
  const auto letter = static_cast<unsigned char>(name.front());
  const auto* end = kTable + kLetters[letter + 1];
  const auto* low = std::lower_bound(
      kTable + kLetters[letter], end, name,
      [](const FunctionEntry& entry, std::string_view wanted) { return entry.name < wanted; });
  const auto* high = low;
  while (high != end && high->name == name) ++high;
  return {low, high};
}

std::string function_reference() {
  std::string page;
  for (const std::string_view group : kGroups) {
    page += "\n## " + std::string(group) +
            "\n\n| function | state | how it differs |\n| --- | --- | --- |\n";
    std::string_view previous;
    for (const FunctionEntry& entry : kTable) {
      if (entry.group != group || entry.name == previous) continue;
      previous = entry.name;
      page += "| " + upper(entry.name) + " | " + std::string(state_name(entry.state)) + " | " +
              std::string(entry.note) + " |\n";
    }
  }
  return page;
}

}  // namespace leat::sql
