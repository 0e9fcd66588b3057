// `t.key IN (SELECT s.key FROM s)` of integers, where s is a small table of the session's own: what
// every load asks of its stage. The engine looks such keys up in a set (engine/key_set.h) for less
// than half of what its hash join takes. A set lies in memory, so s must be known to be small.
#include <algorithm>
#include <utility>

#include "warehouse/sql/emitter.h"
#include "warehouse/sql/focus.h"

namespace leat::sql {
namespace {

bool is_integer(const InferredType& type) {
  return type.kind == Inferred::kSmallint || type.kind == Inferred::kInteger ||
         type.kind == Inferred::kBigint;
}

/// SELECT of one column of one table, all rows.
bool is_plain_column_of_table(const Query& node) {
  if (node.kind != QueryKind::kSelect || !node.with.empty() || !node.order_by.empty() ||
      node.limit != nullptr || node.offset != nullptr) {
    return false;
  }
  const Select& select = *node.select;
  return select.distinct_on.empty() && select.top == nullptr && select.items.size() == 1 &&
         select.items[0].value->kind == ExpressionKind::kColumn && select.from.size() == 1 &&
         select.from[0]->kind == TableKind::kName && select.from[0]->value == nullptr &&
         select.from[0]->column_aliases.empty() && select.where == nullptr &&
         select.connect_by == nullptr && select.group_by.empty() && !select.group_by_all &&
         select.having == nullptr && select.qualify == nullptr;
}

}  // namespace

void Emitter::filter(const Expression& node) {
  require_condition(node, "WHERE");
  std::vector<const Expression*> conjuncts;
  add_conjuncts(node, conjuncts);
  const auto outer = std::exchange(filters_, std::move(conjuncts));
  expression(node);
  filters_ = outer;
}

bool Emitter::is_key_query(const Query& node) const {
  if (!is_plain_column_of_table(node)) return false;
  const TableReference& from = *node.select->from[0];
  if (is_common_table(from.name) || context_.relations == nullptr) return false;
  const Relation* relation = look_up(from.name);
  if (relation == nullptr || relation->kind != RelationKind::kTable) return false;
  const Expression& item = *node.select->items[0].value;
  const std::string& alias = from.alias.empty() ? relation->name : from.alias;
  // A name of more parts may be one of a query around it.
  const bool names_it =
      item.names.size() == 1 || (item.names.size() == 2 && item.names[0] == alias);
  const auto column =
      std::ranges::find(relation->columns, item.names.back(), &RelationColumn::name);
  return names_it && column != relation->columns.end() && column->readable &&
         is_integer(inferred_of(column->type)) && context_.relations->holds_few_rows(*relation);
}

bool Emitter::key_set_test(const Expression& node) {
  // A NULL counts as false in a filter only, and a set knows none.
  if (node.query == nullptr || node.negated || std::ranges::find(filters_, &node) == filters_.end())
    return false;
  const Expression& value = *node.children[0];
  if (!is_integer(infer(value)) || !is_key_query(*node.query)) return false;
  const std::string key = operand_text(value);
  const std::string keys = captured([&] { query(*node.query); });
  write("leat_among(CAST(" + key +
        " AS BIGINT), (SELECT leat_kept_keys(leat_key_set(CAST(\"key\" AS BIGINT))) FROM (" + keys +
        ") AS \"rows\"(\"key\")))");
  return true;
}

}  // namespace leat::sql
