// Rows of cells, `(a, b) = (1, 2)`, which the engine compares as values that may hold NULLs; and
// long chains of AND and OR, which it is slow with (ADR 0155).
#include <algorithm>
#include <map>
#include <utility>

#include "warehouse/sql/emitter.h"

namespace leat::sql {

/// Cell by cell, as NULL in a cell may make the answer NULL: the engine compares rows as values
/// that may hold NULLs. False: not two rows.
bool Emitter::row_comparison(std::string_view op, const Expression& left, const Expression& right) {
  const std::size_t size = left.children.size();
  if (left.kind != ExpressionKind::kRow || right.kind != left.kind || size == 0 ||
      right.children.size() != size) {
    return false;
  }
  const auto cell = [&](std::string_view test, std::size_t i) {
    comparison(test, *left.children[i], *right.children[i]);
  };
  const bool equal = op == "=";
  write("(");
  if (equal || op == "<>" || op == "!=") {
    for (std::size_t i = 0; i < size; ++i) {
      if (i > 0) write(equal ? " AND " : " OR ");
      cell(op, i);
    }
    write(")");
    return true;
  }
  const std::string_view strict = op.substr(0, 1);
  for (std::size_t i = 0; i + 1 < size; ++i) {
    cell(strict, i);
    write(" OR (");
    cell("=", i);
    write(" AND (");
  }
  cell(op, size - 1);
  for (std::size_t i = 0; i + 1 < size; ++i) write("))");
  write(")");
  return true;
}

/// A row of a list as a value of the engine's: texts as their keys.
void Emitter::compared_row(const Expression& row, const Expression& value) {
  write("(");
  for (std::size_t i = 0; i < row.children.size(); ++i) {
    if (i > 0) write(", ");
    const Expression& cell = *row.children[i];
    const InferredType type = infer(*value.children[i]);
    if (type.kind == Inferred::kText) {
      write(compared_value(cell, met(type.collation, infer(cell).collation, cell.span)));
    } else {
      expression(cell);
    }
  }
  write(")");
}

/// `(a, b) IN ((1, 'x'), ...)`: as equal rows, where NULL in a cell may make the answer NULL. A
/// long list of constants is looked up by the engine, which compares rows as values, where no cell
/// is NULL.
bool Emitter::row_in_list(const Expression& node) {
  const Expression& value = *node.children[0];
  const bool rows = std::ranges::all_of(node.children, [&](const ExpressionPtr& each) {
    return each->kind == ExpressionKind::kRow && each->children.size() == value.children.size();
  });
  if (!rows || node.query || node.children.size() < 2) return false;
  const bool many = node.children.size() > kPlainTermsMax;
  const auto is_constant = [](const ExpressionPtr& cell) {
    return cell->kind == ExpressionKind::kNumber || cell->kind == ExpressionKind::kString;
  };
  const bool looked_up =
      many && std::all_of(node.children.begin() + 1, node.children.end(), [&](const auto& row) {
        return std::ranges::all_of(row->children, is_constant);
      });
  write(node.negated ? "NOT (" : "(");
  if (looked_up) {
    write("CASE WHEN ");
    for (std::size_t i = 0; i < value.children.size(); ++i)
      write((i > 0 ? " AND " : "") + operand_text(*value.children[i]) + " IS NOT NULL");
    write(" THEN ");
    compared_row(value, value);
    write(" IN (");
    for (std::size_t i = 1; i < node.children.size(); ++i) {
      if (i > 1) write(", ");
      compared_row(*node.children[i], value);
    }
    write(") ELSE ");
  }
  // The engine takes long over many of them; not in a cast, see joined().
  if (many) write("CAST(CAST((");
  for (std::size_t i = 1; i < node.children.size(); ++i) {
    if (i > 1) write(" OR ");
    comparison("=", value, *node.children[i]);
  }
  if (many) write(") AS TINYINT) AS BOOLEAN)");
  write(looked_up ? " END)" : ")");
  return true;
}

namespace {

/// `column = constant` under OR, `column <> constant` under AND: what IN and NOT IN say.
bool is_list_term(const Expression& term, bool any) {
  if (term.kind != ExpressionKind::kBinary || term.children[0]->kind != ExpressionKind::kColumn)
    return false;
  return any ? term.text == "=" : term.text == "<>" || term.text == "!=";
}

ExpressionPtr copied(const Expression& leaf) {
  auto copy = std::make_unique<Expression>();
  copy->kind = leaf.kind;
  copy->flag = leaf.flag;
  copy->span = leaf.span;
  copy->text = leaf.text;
  copy->names = leaf.names;
  return copy;
}

}  // namespace

/// The engine plans AND and OR in a time that grows with the square of their terms, IN in one that
/// is linear.
bool Emitter::joined_as_lists(const Expression& node, std::string_view separator) {
  const bool any = node.kind == ExpressionKind::kOr;
  // Constants of one kind, which are compared with the column one by one as in a list.
  const auto fits = [&](const Expression& term) {
    if (!is_list_term(term, any)) return false;
    const Expression& value = *term.children[1];
    const Inferred kind = infer(*term.children[0]).kind;
    if (kind == Inferred::kText) return value.kind == ExpressionKind::kString;
    return is_numeric(kind) && kind != Inferred::kDouble && value.kind == ExpressionKind::kNumber &&
           value.text.find_first_not_of("0123456789") == std::string::npos;
  };
  std::map<std::vector<std::string>, Expression> lists;
  std::vector<const Expression*> others;
  for (const ExpressionPtr& term : node.children) {
    if (!fits(*term)) {
      others.push_back(term.get());
      continue;
    }
    Expression& list = lists[term->children[0]->names];
    list.kind = ExpressionKind::kIn;
    list.negated = !any;
    list.span = term->span;
    if (list.children.empty()) list.children.push_back(copied(*term->children[0]));
    list.children.push_back(copied(*term->children[1]));
  }
  if (lists.empty() || others.size() > kPlainTermsMax) return false;
  bool first = true;
  for (const auto& [names, list] : lists) {
    if (!std::exchange(first, false)) write(separator);
    operand(list);
  }
  for (const Expression* term : others) {
    require_condition(*term, any ? "OR" : "AND");
    write(separator);
    operand(*term);
  }
  return true;
}

}  // namespace leat::sql
