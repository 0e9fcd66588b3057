// FROM t, t.items AS x: the elements of a SUPER array as columns of a query over their own table.
// Beside the table, as a lateral join, the engine would give them in any order and compare whole
// values of the table to find the rows they belong to.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

/// The array that an item of FROM names; `made` is where a plain path is put. Null: none.
const Expression* array_of(const TableReference& node, Expression& made) {
  if (node.kind == TableKind::kFunction) {
    const Expression& call = *node.value;
    const bool unnest = call.names.back() == "unnest" && call.children.size() == 1;
    return unnest ? call.children[0].get() : nullptr;
  }
  if (node.kind != TableKind::kName) return nullptr;
  if (node.value) return node.value.get();
  if (node.name.parts.size() < 2) return nullptr;
  made.kind = ExpressionKind::kColumn;
  made.names = node.name.parts;
  made.span = node.name.span;
  return &made;
}

const Expression& base_of(const Expression& path) {
  const Expression* base = &path;
  while (base->kind == ExpressionKind::kField || base->kind == ExpressionKind::kSubscript)
    base = base->children[0].get();
  return *base;
}

const TableReference& first_of(const TableReference& node) {
  const TableReference* first = &node;
  while (first->kind == TableKind::kJoin) first = first->left.get();
  return *first;
}

/// True for joins that elements put into the table before may stand at the beginning of.
bool keeps_first(const TableReference& node) {
  if (node.kind != TableKind::kJoin) return true;
  const bool keeps = node.join_type == JoinType::kInner || node.join_type == JoinType::kCross ||
                     node.join_type == JoinType::kLeft;
  return keeps && !joins_by_name(node) && keeps_first(*node.left);
}

}  // namespace

bool Emitter::hosted_elements(const TableReference& node, bool or_null) {
  Expression made;
  const Expression* array = array_of(node, made);
  if (!hosts_ || array == nullptr) return false;
  const bool call = node.kind == TableKind::kFunction;
  const std::size_t columns = node.at_alias.empty() ? 1 : 2;
  if (call && node.column_aliases.size() > columns) return false;  // unnest_call() says so
  ScopeTable entry;
  entry.alias = node.alias.empty() ? "unnest" : node.alias;
  if (node.alias.empty() && std::ranges::find(scopes_.back().tables, entry.alias,
                                              &ScopeTable::alias) != scopes_.back().tables.end())
    return false;
  entry.element = !call;
  const std::string name =
      !call || node.column_aliases.empty() ? entry.alias : node.column_aliases[0];
  entry.columns.push_back({.name = name, .type = {Inferred::kSuper}});
  if (columns > 1) entry.columns.push_back({.name = node.at_alias, .type = {Inferred::kBigint}});
  entry.columns_known = true;
  return host_elements(*array, std::move(entry), or_null);
}

ScopeTable* Emitter::host_of(const Expression& array) {
  std::vector<ScopeTable>& tables = scopes_.back().tables;
  const Expression& base = base_of(array);
  if (base.kind != ExpressionKind::kColumn) return nullptr;
  const auto owner = std::ranges::find(tables, base.names[0], &ScopeTable::alias);
  if (owner == tables.end()) return nullptr;
  const bool element = !owner->columns.empty() && !owner->columns[0].emitted.empty();
  return element ? &tables[owner->host] : &*owner;
}

bool Emitter::host_elements(const Expression& array, ScopeTable entry, bool or_null) {
  std::vector<ScopeTable>& tables = scopes_.back().tables;
  ScopeTable* const found = host_of(array);
  if (found == nullptr) return false;
  ScopeTable& host = *found;
  if (std::ranges::find(tables, entry.alias, &ScopeTable::alias) != tables.end())
    fail("42712", "table name \"" + entry.alias + "\" specified more than once", array.span);
  const bool numbered = entry.columns.size() > 1;
  const bool reachable = host.end > 0 && host.begin >= hosts_from_;
  if (!reachable || !host.columns_known || (or_null && numbered)) return false;
  auto path = super_navigation(array);
  if (!path) path.emplace(text_of(array), "$");  // a column
  const std::string number = std::to_string(++elements_);
  const std::string list =
      "json_extract(" + path->first + ", " + quote_literal(path->second + "[*]") + ")";
  const std::string item = "\"leat_item" + number + "\"";
  const std::string at = "\"leat_at" + number + "\"";
  const std::string all = "\"leat_all" + number + "\"";
  std::string before = "(SELECT *, unnest(" + list + ") AS " + item + " FROM ";
  std::string behind = ") AS " + quote_identifier(host.emitted_alias);
  if (or_null) {
    before = "(SELECT *, unnest(CASE WHEN len(" + list + ") > 0 THEN " + list +
             " ELSE [NULL] END) AS " + item + " FROM ";
  } else if (numbered) {
    before = "(SELECT * EXCLUDE (" + all + "), unnest(" + all + ") AS " + item +
             ", generate_subscripts(" + all + ", 1) - 1 AS " + at + " FROM (SELECT *, " + list +
             " AS " + all + " FROM ";
    behind = ")" + behind;
  }
  const std::size_t begin = host.begin;
  const std::size_t end = host.end;
  out_.insert(end, behind);
  out_.insert(begin, before);
  for (ScopeTable& table : tables) {
    if (table.begin > end) {
      table.begin += before.size() + behind.size();
      table.end += before.size() + behind.size();
    }
  }
  host.end += before.size() + behind.size();
  const std::string qualifier = quote_identifier(host.emitted_alias) + ".";
  entry.columns[0].emitted = qualifier + item;
  if (numbered) entry.columns[1].emitted = qualifier + at;
  entry.host = static_cast<std::size_t>(&host - tables.data());
  entry.emitted_alias = host.emitted_alias;
  scopes_.back().has_elements = true;
  tables.push_back(std::move(entry));
  return true;
}

bool Emitter::continues_table(const TableReference& node) {
  if (node.kind != TableKind::kJoin) return hosted_elements(node);
  const TableReference& first = first_of(node);
  // The joined tables must stand right behind the table that has the elements.
  if (!hosts_ || !keeps_first(node)) return false;
  Expression made;
  const Expression* array = array_of(first, made);
  if (array == nullptr) return false;
  const ScopeTable* const host = host_of(*array);
  if (host == nullptr) return false;
  const std::size_t begin = host->begin;
  if (host->end != out_.size() || !hosted_elements(first)) return false;
  continued_ = &first;
  continued_at_ = begin;
  table(node);
  continued_ = nullptr;
  return true;
}

bool Emitter::joins_elements(const TableReference& node, std::size_t left) {
  const bool always =
      node.on != nullptr && node.on->kind == ExpressionKind::kBoolean && node.on->text == "true";
  const bool inner = (node.join_type == JoinType::kInner && always) ||
                     (node.join_type == JoinType::kCross && !node.natural);
  const bool outer = node.join_type == JoinType::kLeft && always;
  if (!inner && !outer) return false;
  // Only a table of the left side may take them: it has an end where it may.
  const bool hosts = std::exchange(hosts_, true);
  const std::size_t from = std::exchange(hosts_from_, left);
  const bool done = hosted_elements(*node.right, outer);
  hosts_from_ = from;
  hosts_ = hosts;
  return done;
}

/// Behind a star whose columns are not all known.
void Emitter::rename_elements() {
  write(" RENAME (");
  bool first = true;
  for (const ScopeTable& table : scopes_.back().tables) {
    for (const ScopeColumn& column : table.columns) {
      if (column.emitted.empty()) continue;
      write(std::exchange(first, false) ? "" : ", ");
      write(column.emitted.substr(column.emitted.rfind("\"leat_")) + " AS " +
            quote_identifier(column.name));
    }
  }
  write(")");
}

}  // namespace leat::sql
