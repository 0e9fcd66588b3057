#include "pipeline/shape/conflicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "pipeline/shape/names.h"

namespace leat::shape {
namespace {

using columns::Column;
using columns::Type;

constexpr std::uint8_t kNumericPrecisionMax = 38;

/// A number that numeric(38,0) holds.
bool is_long_integer(std::string_view token) {
  if (token.starts_with('-')) token.remove_prefix(1);
  return token.size() <= kNumericPrecisionMax &&
         token.find_first_not_of("0123456789") == std::string_view::npos;
}

Column text_beside() {
  return {.name = "__varchar", .type = Type::kVarchar, .length = columns::kTextBytesMax};
}

/// The type of the column for values like this one, and in `name` the end of its name.
std::optional<Column> type_beside(const Value& value) {
  switch (value.kind) {
    case ValueKind::kInteger:
      return Column{.name = "__bigint", .type = Type::kInt64};
    case ValueKind::kReal:
      return Column{.name = "__double", .type = Type::kDouble};
    case ValueKind::kBoolean:
      return Column{.name = "__boolean", .type = Type::kBoolean};
    case ValueKind::kTime:
      return Column{.name = "__timestamp", .type = Type::kTimestamp};
    case ValueKind::kHuge:
      if (is_long_integer(value.raw_text())) {
        return Column{
            .name = "__numeric", .type = Type::kDecimal, .precision = kNumericPrecisionMax};
      }
      return text_beside();
    case ValueKind::kText:
    case ValueKind::kJson:
      return text_beside();
    case ValueKind::kFlawedText:
    case ValueKind::kNever:
      break;
  }
  return std::nullopt;
}

bool is_part_of_name(std::string_view text) {
  return text == "*" ||
         (!text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
                               std::string_view::npos);
}

// The name of a table that gets rows of events, `name` itself if it is one. What is in the way of
// an event's table gives it a `_`, whatever its name.
std::string nearest_table(const std::string& name) {
  const std::string bare = name.starts_with('_') ? name.substr(1) : name;
  if (is_fixed_table(name) && name != "leat_rescue") return name;
  const bool stepped_aside =
      bare != name && (event_table_of(bare) == bare || event_table_of(bare) == name);
  return stepped_aside || is_hashed_name(name) ? name : event_table_of(name);
}

// The name of a column that an event gives, `name` itself if it is one.
std::string nearest_column(const std::string& name) {
  if (is_standard_column_name(name) || is_hashed_name(name)) return name;
  const std::string bare = name.starts_with('_') ? name.substr(1) : name;
  constexpr std::array kTypes = {event::EventType::kTrack, event::EventType::kGroup,
                                 event::EventType::kAlias};
  const std::array<std::string_view, 1> path = {bare};
  const bool is_pushed = bare != name && std::ranges::any_of(kTypes, [&](event::EventType type) {
                           return column_name_of(Scope::kProperties, type, path) == name;
                         });
  return is_pushed ? name : identifier_of(name);
}

}  // namespace

std::optional<ConflictPolicy> conflict_policy_named(std::string_view name) {
  if (name == "rescue") return ConflictPolicy::kRescue;
  if (name == "widen") return ConflictPolicy::kWiden;
  if (name == "super") return ConflictPolicy::kSuper;
  if (name == "fail") return ConflictPolicy::kFail;
  return std::nullopt;
}

Result<ConflictPolicies> ConflictPolicies::parse(std::string_view all,
                                                 std::string_view exceptions) {
  ConflictPolicies policies;
  const auto for_all = conflict_policy_named(all);
  if (!for_all) return fail(Errc::kInvalid, fmt::format("'{}' is no conflict policy", all));
  policies.all_ = *for_all;
  for (const std::string_view part : split(exceptions, ',')) {
    const std::string entry(trim(part));
    if (entry.empty()) continue;
    const std::size_t equals = entry.find('=');
    const std::size_t dot = entry.find('.');
    const bool has_both = equals != std::string::npos && dot < equals;
    const std::string table = entry.substr(0, has_both ? dot : 0);
    const std::string column =
        has_both ? std::string(trim(std::string_view(entry).substr(dot + 1, equals - dot - 1)))
                 : "";
    const auto policy =
        has_both ? conflict_policy_named(trim(std::string_view(entry).substr(equals + 1)))
                 : std::nullopt;
    const bool is_all = table == "*" && column == "*";
    if (!policy || is_all || !is_part_of_name(table) || !is_part_of_name(column)) {
      return fail(Errc::kInvalid, fmt::format("'{}' is not TABLE.COLUMN=POLICY", entry));
    }
    if (!policies.exceptions_.emplace(std::pair(table, column), *policy).second) {
      return fail(Errc::kInvalid, fmt::format("'{}.{}' is there twice", table, column));
    }
  }
  return policies;
}

std::vector<ConflictPolicies::Unreachable> ConflictPolicies::unreachable() const {
  std::vector<Unreachable> out;
  for (const auto& [names, policy] : exceptions_) {
    const auto& [table, column] = names;
    const std::string near_table = table == "*" ? table : nearest_table(table);
    const std::string near_column = column == "*" ? column : nearest_column(column);
    if (near_table == table && near_column == column) continue;
    out.push_back({.entry = fmt::format("{}.{}", table, column),
                   .nearest = fmt::format("{}.{}", near_table, near_column)});
  }
  return out;
}

ConflictPolicy ConflictPolicies::of(std::string_view table, std::string_view column) const {
  if (exceptions_.empty()) return all_;
  const std::string table_name(table);
  const std::string column_name(column);
  for (const auto& key :
       {std::pair(table_name, column_name), std::pair(std::string("*"), column_name),
        std::pair(table_name, std::string("*"))}) {
    if (const auto found = exceptions_.find(key); found != exceptions_.end()) return found->second;
  }
  return all_;
}

std::optional<Column> column_beside(const Column& column, const Value& value,
                                    ConflictPolicy policy) {
  std::optional<Column> beside;
  if (policy == ConflictPolicy::kWiden) {
    beside = type_beside(value);
  } else if (policy == ConflictPolicy::kSuper && column.type != Type::kSuper) {
    beside = Column{.name = "__super", .type = Type::kSuper};
  }
  if (beside) beside->name = name_beside(column.name, beside->name);
  return beside;
}

}  // namespace leat::shape
