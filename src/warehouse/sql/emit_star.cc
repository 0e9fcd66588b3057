// The columns a star stands for: in which order, under which names, and with which types.
#include <algorithm>
#include <utility>

#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

std::vector<StarColumn> columns_of(const ScopeTable& table) {
  std::vector<StarColumn> columns;
  const std::string qualifier =
      table.emitted_alias.empty() ? "" : quote_identifier(table.emitted_alias) + ".";
  for (const ScopeColumn& column : table.columns)
    columns.push_back({.column = column,
                       .text = column.emitted.empty() ? qualifier + quote_identifier(column.name)
                                                      : column.emitted});
  for (StarColumn& each : columns) each.column.emitted.clear();
  return columns;
}

auto named(std::vector<StarColumn>& columns, const std::string& name) {
  return std::ranges::find_if(columns,
                              [&](const StarColumn& each) { return each.column.name == name; });
}

/// USING and NATURAL show each common column once, before the others.
std::vector<StarColumn> joined_by_name(const TableReference& join, std::vector<StarColumn> left,
                                       std::vector<StarColumn> right) {
  std::vector<std::string> names = join.using_columns;
  if (join.natural) {
    for (const StarColumn& column : left) {
      if (named(right, column.column.name) != right.end()) names.push_back(column.column.name);
    }
  }
  std::vector<StarColumn> columns;
  for (const std::string& name : names) {
    const auto first = named(left, name);
    const auto second = named(right, name);
    if (first == left.end() || second == right.end()) return {};
    StarColumn merged = join.join_type == JoinType::kRight ? *second : *first;
    if (join.join_type == JoinType::kFull) {
      merged.text = "coalesce(" + first->text + ", " + second->text + ")";
      merged.column.type = sql::merged(first->column.type, second->column.type);
      merged.column.relation = nullptr;
      merged.column.origin = nullptr;
    }
    columns.push_back(std::move(merged));
    left.erase(first);
    right.erase(second);
  }
  std::ranges::move(left, std::back_inserter(columns));
  std::ranges::move(right, std::back_inserter(columns));
  return columns;
}

/// `next`: the first of `tables` that belongs to the item of FROM; behind its last one afterwards.
std::vector<StarColumn> columns_of(const TableReference& item,
                                   const std::vector<ScopeTable>& tables, std::size_t& next) {
  if (item.kind != TableKind::kJoin)
    return next < tables.size() ? columns_of(tables[next++]) : std::vector<StarColumn>{};
  std::vector<StarColumn> left = columns_of(*item.left, tables, next);
  std::vector<StarColumn> right = columns_of(*item.right, tables, next);
  if (item.natural || !item.using_columns.empty())
    return joined_by_name(item, std::move(left), std::move(right));
  std::ranges::move(right, std::back_inserter(left));
  return left;
}

}  // namespace

bool covers(const Expression& star, const ScopeTable& table) {
  return star.names.empty() || table.alias == star.names.back();
}

std::optional<std::vector<StarColumn>> Emitter::star_columns(const Select& node,
                                                             const Expression& star) const {
  const std::vector<ScopeTable>& tables = scopes_.back().tables;
  const bool known = std::ranges::all_of(
      tables, [&](const ScopeTable& table) { return !covers(star, table) || table.columns_known; });
  if (!known) return std::nullopt;
  std::vector<StarColumn> columns;
  const bool by_name =
      star.names.empty() &&
      std::ranges::any_of(node.from, [](const TablePtr& table) { return joins_by_name(*table); });
  if (by_name) {
    std::size_t next = 0;
    for (const TablePtr& item : node.from)
      std::ranges::move(columns_of(*item, tables, next), std::back_inserter(columns));
    if (next != tables.size()) return std::nullopt;
  } else {
    for (const ScopeTable& table : tables) {
      if (covers(star, table)) std::ranges::move(columns_of(table), std::back_inserter(columns));
    }
  }
  std::erase_if(columns, [&](const StarColumn& each) {
    return std::ranges::find(node.exclude, each.column.name) != node.exclude.end();
  });
  return columns;
}

/// The engine leaves the common columns of a join where the left table has them, and knows nothing
/// of the names of elements.
bool Emitter::star_by_columns(const Select& node, const Expression& star) {
  const bool by_name =
      std::ranges::any_of(node.from, [](const TablePtr& table) { return joins_by_name(*table); });
  const bool elements = scopes_.back().has_elements;
  if (!elements && (!by_name || !star.names.empty() || !scopes_.back().groups.empty()))
    return false;
  const auto columns = star_columns(node, star);
  if (!columns || columns->empty()) return false;
  check_readable(star);
  for (std::size_t i = 0; i < columns->size(); ++i) {
    const StarColumn& each = (*columns)[i];
    write((i > 0 ? ", " : "") + each.text + " AS " + quote_identifier(each.column.name));
  }
  return true;
}

std::vector<ScopeColumn> Emitter::output_columns(const Select& node) const {
  std::vector<ScopeColumn> columns;
  columns.reserve(node.items.size());
  for (const SelectItem& item : node.items) {
    if (item.value->kind == ExpressionKind::kStar) {
      auto all = star_columns(node, *item.value);
      if (!all) return {};
      for (StarColumn& each : *all) columns.push_back(std::move(each.column));
      continue;
    }
    ScopeColumn column{.name = {}, .type = infer(*item.value)};
    if (item.value->kind == ExpressionKind::kColumn) {
      if (const ScopeColumn* source = find_column(*item.value)) column = *source;
      column.emitted.clear();
    } else {
      column.type.collated = false;
    }
    column.name = item.alias.empty() ? output_name(*item.value) : item.alias;
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace leat::sql
