// Which columns of relations a query uses, noted while the emitter resolves its names (mentions.h).
#include <algorithm>
#include <utility>

#include "warehouse/sql/emitter.h"
#include "warehouse/sql/mentions.h"

namespace leat::sql {
namespace {

/// Each place once, however often it is written.
void note(ColumnUse& use, ColumnMention mention) {
  const auto same = [&](const ColumnMention& known) {
    return known.relation == mention.relation && known.column == mention.column &&
           known.kind == mention.kind && known.span.begin == mention.span.begin;
  };
  const auto found = std::ranges::find_if(use.columns, same);
  if (found == use.columns.end()) {
    use.columns.push_back(std::move(mention));
  } else {
    found->output = found->output || mention.output;
  }
}

void note_counted(ColumnUse& use, std::uint32_t relation, const std::string& column) {
  note(use, {.relation = relation, .column = column, .names = {}});
}

const ScopeColumn* column_of(const ScopeTable& table, std::string_view name) {
  const auto found = std::ranges::find(table.columns, name, &ScopeColumn::name);
  return found == table.columns.end() ? nullptr : &*found;
}

}  // namespace

bool joins_by_name(const TableReference& table) {
  if (table.kind != TableKind::kJoin) return false;
  return table.natural || !table.using_columns.empty() || joins_by_name(*table.left) ||
         joins_by_name(*table.right);
}

void Emitter::note_column(const Expression& node) const {
  if (use_ == nullptr) return;
  const std::vector<std::string>& names = node.names;
  if (!scopes_.empty() && scopes_.back().alias_first && names.size() == 1) {
    const std::vector<LateralAlias>& aliases = scopes_.back().aliases;
    if (std::ranges::find(aliases, names[0], &LateralAlias::alias) != aliases.end()) return;
  }
  std::size_t part = 0;
  const ScopeTable* table = nullptr;
  for (std::size_t i = 0; i + 1 < names.size() && i < 3 && table == nullptr; ++i) {
    table = find_alias(names[i]);
    if (table != nullptr) part = i + 1;
  }
  bool known = true;
  if (table == nullptr) {
    if (const ScopeTable* element = find_alias(names[0]); element && element->element) return;
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend() && !table && known; ++scope) {
      for (const ScopeTable& each : scope->tables) {
        if (table == nullptr && column_of(each, names[0]) != nullptr) table = &each;
        known = known && each.columns_known;
      }
    }
  } else {
    known = table->columns_known;
  }
  if (table != nullptr && table->element) return;
  const ScopeColumn* column = table == nullptr ? nullptr : column_of(*table, names[part]);
  if (column == nullptr) {
    if (!known) note_counted(*use_, 0, names[part]);
    return;
  }
  // A query's column was noted where the query is written.
  if (column->origin == nullptr || column->relation != table->relation) return;
  if (column->name != column->origin->name) return;  // noted with its alias
  note(*use_, {.kind = ColumnMentionKind::kNamed,
               .relation = column->relation->oid,
               .column = column->name,
               .span = node.span,
               .names = names,
               .part = part,
               .outer_mark = node.flag,
               .output = &node == item_ && part + 1 == names.size()});
}

void Emitter::note_call(const DefinedFunction& function, const Expression& node) const {
  if (use_ == nullptr || function.oid == 0) return;
  FunctionCall call{.oid = function.oid, .names = node.names};
  if (std::ranges::find(use_->calls, call) == use_->calls.end())
    use_->calls.push_back(std::move(call));
}

void Emitter::note_all(const ScopeTable& table) const {
  if (use_ == nullptr || table.relation == nullptr || table.relation->oid == 0) return;
  for (const RelationColumn& column : table.relation->columns)
    note_counted(*use_, table.relation->oid, column.name);
}

void Emitter::note_all() const {
  for (const ScopeTable& table : scopes_.back().tables) note_all(table);
}

void Emitter::note_join(const TableReference& node) const {
  if (use_ == nullptr) return;
  std::vector<std::string> shared = node.using_columns;
  if (node.natural) {
    for (const ScopeTable& table : scopes_.back().tables)
      for (const ScopeColumn& column : table.columns) shared.push_back(column.name);
  }
  for (const ScopeTable& table : scopes_.back().tables) {
    if (table.relation == nullptr || table.relation->oid == 0) continue;
    for (const std::string& name : shared) {
      if (column_of(table, name) != nullptr) note_counted(*use_, table.relation->oid, name);
    }
  }
}

void Emitter::note_star(const Select& node, const SelectItem& item) const {
  if (use_ == nullptr) return;
  const std::vector<ScopeTable>& tables = scopes_.back().tables;
  // A star that the parser made has no place in the text.
  bool plain =
      item.span.begin < item.span.end && node.exclude.empty() && !node.connect_by &&
      std::ranges::none_of(node.from, [](const TablePtr& table) { return joins_by_name(*table); });
  std::string columns;
  for (const ScopeTable& table : tables) {
    if (!covers(*item.value, table)) continue;
    note_all(table);
    plain = plain && table.columns_known && !table.columns.empty() &&
            table.alias == table.emitted_alias && !table.alias.empty();
    for (const ScopeColumn& column : table.columns) {
      plain = plain && column_of(table, column.name) == &column;
      columns += columns.empty() ? "" : ", ";
      if (tables.size() > 1) columns += quote_identifier(table.alias) + ".";
      columns += quote_identifier(column.name);
    }
  }
  if (!plain || columns.empty()) return;
  const auto same = [&](const StarText& star) { return star.span.begin == item.span.begin; };
  if (std::ranges::none_of(use_->stars, same)) use_->stars.push_back({item.span, columns});
}

SqlResult<ColumnUse> used_columns(const Query& query, const TranslateContext& context) {
  ColumnUse use;
  try {
    Emitter(context, use).query(query);
  } catch (TranslateFailure& failure) {
    return std::unexpected(std::move(failure.error));
  }
  return use;
}

}  // namespace leat::sql
