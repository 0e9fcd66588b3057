// UNION, INTERSECT, EXCEPT: the sides, and the types in which their columns meet.
#include <utility>

#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

/// The expression of the item at a place of the select list; null where it is not one that can be
/// seen.
const Expression* item_at(const Query& query, std::size_t place) {
  if (query.kind != QueryKind::kSelect || place >= query.select->items.size()) return nullptr;
  const Expression& item = *query.select->items[place].value;
  return item.kind == ExpressionKind::kStar ? nullptr : &item;
}

/// True for an item that is NULL, and so has the type of the set operation's other side.
bool is_null_item(const Query& query, std::size_t place) {
  const Expression* item = item_at(query, place);
  return item != nullptr && item->kind == ExpressionKind::kNull;
}

/// Text from a table, or from a cast or function: no literal, which would take any type.
bool is_typed_text(const Query& query, std::size_t place, const ScopeColumn& column) {
  if (column.type.kind != Inferred::kText) return false;
  const Expression* item = item_at(query, place);
  if (item == nullptr) return column.origin != nullptr;
  return item->kind == ExpressionKind::kCast || item->kind == ExpressionKind::kFunction ||
         (item->kind == ExpressionKind::kColumn && column.origin != nullptr);
}

bool is_moment(Inferred kind) {
  return kind == Inferred::kDate || kind == Inferred::kTimestamp;
}

}  // namespace

void Emitter::check_sides_match(const Query& node, const std::vector<ScopeColumn>& left,
                                const std::vector<ScopeColumn>& right) {
  static constexpr std::string_view kNames[] = {"UNION", "INTERSECT", "EXCEPT"};
  for (std::size_t i = 0; i < left.size(); ++i) {
    const Inferred a = left[i].type.kind;
    const Inferred b = right[i].type.kind;
    const bool text = (is_typed_text(*node.left, i, left[i]) && (is_numeric(b) || is_moment(b))) ||
                      (is_typed_text(*node.right, i, right[i]) && (is_numeric(a) || is_moment(a)));
    const bool other = (is_numeric(a) && (is_moment(b) || b == Inferred::kBoolean)) ||
                       (is_numeric(b) && (is_moment(a) || a == Inferred::kBoolean)) ||
                       (is_moment(a) && b == Inferred::kBoolean) ||
                       (is_moment(b) && a == Inferred::kBoolean);
    if ((!text && !other) || is_null_item(*node.left, i) || is_null_item(*node.right, i)) continue;
    fail("42804",
         std::string(kNames[static_cast<std::size_t>(node.set_operator)]) + " types " +
             type_words(left[i].type) + " and " + type_words(right[i].type) +
             " cannot be matched: cast one of them",
         node.span);
  }
}

/// A side whose decimals the engine would round: it leaves no room for the other side's digits.
std::string Emitter::widened_side(std::string text, const std::vector<ScopeColumn>& columns,
                                  const std::vector<ScopeColumn>& both,
                                  const std::vector<bool>& wide) {
  bool any = false;
  std::string items;
  std::string names;
  for (std::size_t i = 0; i < both.size(); ++i) {
    const std::string name = "\"c" + std::to_string(i + 1) + "\"";
    const bool cast = wide[i] && is_numeric(columns[i].type.kind);
    any = any || cast;
    const std::string value =
        cast ? "CAST(" + name + " AS DECIMAL(38," + std::to_string(both[i].type.scale) + "))"
             : name;
    items += (i > 0 ? ", " : "") + value + " AS " + quote_identifier(both[i].name);
    names += (i > 0 ? ", " : "") + name;
  }
  if (!any) return text;
  return "SELECT " + items + " FROM (" + text + ") AS \"side\"(" + names + ")";
}

std::string Emitter::set_side(const Query& node, bool right) {
  // Only what has its own ORDER BY, LIMIT or WITH, or another nesting, needs brackets.
  const bool plain = node.order_by.empty() && !node.limit && !node.offset && node.with.empty() &&
                     (node.kind == QueryKind::kSelect || node.kind == QueryKind::kValues ||
                      (!right && node.kind == QueryKind::kSetOperation)) &&
                     !(node.kind == QueryKind::kSelect && node.select->top);
  return captured([&] {
    if (!plain) write("(");
    query(node);
    if (!plain) write(")");
  });
}

void Emitter::set_operation(const Query& node) {
  static constexpr std::string_view kOperators[] = {" UNION ", " INTERSECT ", " EXCEPT "};
  const bool same_precedence = node.left->kind != QueryKind::kSetOperation ||
                               (node.left->set_operator == SetOperator::kIntersect) ==
                                   (node.set_operator == SetOperator::kIntersect);
  std::string left = set_side(*node.left, false);
  if (!same_precedence) left = "(" + left + ")";
  note_anchor(node);
  std::vector<ScopeColumn> columns = std::move(last_columns_);
  std::string right = set_side(*node.right, true);
  if (columns.size() != last_columns_.size()) columns.clear();
  const std::vector<ScopeColumn> left_columns = columns;
  check_sides_match(node, left_columns, last_columns_);
  std::vector<bool> wide(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const InferredType& other = last_columns_[i].type;
    if (is_null_item(*node.left, i)) {
      columns[i].type = other;
    } else if (!is_null_item(*node.right, i)) {
      wide[i] = exceeds_digits(columns[i].type, other);
      columns[i].type = merged(columns[i].type, other);
    }
    columns[i].relation = nullptr;
    columns[i].origin = nullptr;
    if (!node.set_all && columns[i].type.kind == Inferred::kSketch)
      fail("42883", "could not identify an equality operator for type hllsketch", node.span);
    static_cast<void>(met(columns[i].type.collation, Collation::kOpen, node.span));
  }
  if (!columns.empty()) {
    left = widened_side(std::move(left), left_columns, columns, wide);
    right = widened_side(std::move(right), last_columns_, columns, wide);
  }
  const std::size_t left_at = out_.size();
  write(left);
  write(kOperators[static_cast<std::size_t>(node.set_operator)]);
  if (node.set_all) write("ALL ");
  const std::size_t right_at = out_.size();
  write(right);
  combine(node, left_at, right_at, columns);
  last_columns_ = std::move(columns);
}

}  // namespace leat::sql
