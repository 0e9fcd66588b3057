// FROM: tables, subqueries, functions, joins, PIVOT and UNPIVOT.
#include <algorithm>
#include <utility>

#include "warehouse/sql/parser_core.h"

namespace leat::sql {

std::vector<TablePtr> Parser::table_list() {
  std::vector<TablePtr> list;
  do {
    list.push_back(table_reference());
  } while (accept_operator(","));
  return list;
}

TablePtr Parser::finish_table(TablePtr node, std::size_t first_token) {
  std::uint16_t deepest = 0;
  if (node->left) deepest = std::max(deepest, node->left->depth);
  if (node->right) deepest = std::max(deepest, node->right->depth);
  if (deepest >= kTreeDepthMax) {
    fail_at(tokens_[first_token], "54001",
            "too many joins, limit is " + std::to_string(kTreeDepthMax));
  }
  node->depth = static_cast<std::uint16_t>(deepest + 1);
  node->span = span_from(first_token);
  deepest_ = std::max(deepest_, node->depth);
  return node;
}

TablePtr Parser::table_reference() {
  const NestingGuard guard = nest();
  const std::size_t first = at_;
  TablePtr left = table_factor();
  while (true) {
    if (!at_any({"join"_w, "left"_w, "right"_w, "full"_w, "inner"_w, "cross"_w, "natural"_w})) {
      return left;
    }
    auto join = std::make_unique<TableReference>();
    join->kind = TableKind::kJoin;
    const std::size_t start = at_;
    join->natural = accept("natural"_w);
    if (accept("cross"_w)) {
      join->join_type = JoinType::kCross;
    } else if (accept("left"_w)) {
      join->join_type = JoinType::kLeft;
      (void)accept("outer"_w);
    } else if (accept("right"_w)) {
      join->join_type = JoinType::kRight;
      (void)accept("outer"_w);
    } else if (accept("full"_w)) {
      join->join_type = JoinType::kFull;
      (void)accept("outer"_w);
    } else {
      (void)accept("inner"_w);
    }
    if (!accept("join"_w)) {
      if (at_ != start) syntax_error();
      return left;
    }
    join->left = std::move(left);
    join->right = table_factor();
    const bool conditional = !join->natural && join->join_type != JoinType::kCross;
    // a JOIN b JOIN c ON .. ON ..: the condition of the inner join comes first.
    if (conditional && !at("on"_w) && !at("using"_w)) {
      if (at_any({"join"_w, "left"_w, "right"_w, "full"_w, "inner"_w, "cross"_w, "natural"_w})) {
        join->right = nested_join(std::move(join->right));
      }
    }
    if (conditional) {
      if (accept("using"_w)) {
        join->using_columns = name_list();
      } else {
        expect("on"_w);
        join->on = expression();
      }
    }
    left = finish_table(std::move(join), first);
  }
}

/// The cursor stands at a join word after a right operand that has no condition yet.
TablePtr Parser::nested_join(TablePtr left) {
  const NestingGuard guard = nest();
  const std::size_t first = at_;
  auto join = std::make_unique<TableReference>();
  join->kind = TableKind::kJoin;
  if (accept("left"_w)) {
    join->join_type = JoinType::kLeft;
  } else if (accept("right"_w)) {
    join->join_type = JoinType::kRight;
  } else if (accept("full"_w)) {
    join->join_type = JoinType::kFull;
  } else {
    (void)accept("inner"_w);
  }
  (void)accept("outer"_w);
  expect("join"_w);
  join->left = std::move(left);
  join->right = table_factor();
  if (!at("on"_w) && !at("using"_w)) join->right = nested_join(std::move(join->right));
  if (accept("using"_w)) {
    join->using_columns = name_list();
  } else {
    expect("on"_w);
    join->on = expression();
  }
  return finish_table(std::move(join), first);
}

TablePtr Parser::table_factor() {
  TablePtr table = table_primary();
  while (true) {
    if (at("pivot"_w) && at_operator("(", 1)) {
      table = pivot(std::move(table));
    } else if (at("unpivot"_w) && (at_operator("(", 1) || at_any({"include"_w, "exclude"_w}, 1))) {
      table = unpivot(std::move(table));
    } else {
      return table;
    }
  }
}

/// The cursor stands behind the bracket. A join with an alias is one table with the columns of
/// both sides, whose own names nobody sees any more: it is read as a query of all its columns.
TablePtr Parser::bracketed_table(std::size_t first) {
  const std::uint16_t outer = std::exchange(deepest_, 0);
  TablePtr inner = table_reference();
  expect_operator(")");
  const bool is_named = at("as"_w) || is_bare_alias(token());
  if (!is_named || inner->kind != TableKind::kJoin) {
    deepest_ = std::max(outer, deepest_);
    if (is_named) table_alias(*inner);
    return inner;
  }
  auto query = std::make_unique<Query>();
  query->select = std::make_unique<Select>();
  query->select->items.emplace_back().value = done(make(ExpressionKind::kStar, first));
  query->select->from.push_back(std::move(inner));
  query->select->span = span_from(first);
  auto node = std::make_unique<TableReference>();
  node->kind = TableKind::kSubquery;
  node->query = finish_query(std::move(query), first, outer);
  table_alias(*node);
  return finish_table(std::move(node), first);
}

TablePtr Parser::table_primary() {
  const NestingGuard guard = nest();
  const std::size_t first = at_;
  auto node = std::make_unique<TableReference>();
  node->lateral = accept("lateral"_w);
  if (at_operator("(")) {
    if (!at_query()) {
      advance();
      return bracketed_table(first);
    }
    // "((select ..) union ..)" and "((select ..) s join t ..)" begin alike: try the query first.
    const std::size_t start = at_;
    advance();
    node->kind = TableKind::kSubquery;
    if (at_operator("(")) {
      const int nesting = nesting_;
      const std::uint16_t deepest = deepest_;
      try {
        node->query = query();
        if (!at_operator(")")) syntax_error();
      } catch (const ParseFailure&) {
        nesting_ = nesting;
        deepest_ = deepest;
        if (++retries_ > kRetriesMax) throw;
        at_ = start + 1;
        return bracketed_table(first);
      }
    } else {
      node->query = query();
    }
    expect_operator(")");
    table_alias(*node);
    return finish_table(std::move(node), first);
  }
  if (accept("unpivot"_w)) {
    node->kind = TableKind::kSuperUnpivot;
    node->value = expression();
    expect("as"_w);
    node->alias = name();
    if (accept("at"_w)) node->at_alias = name();
    return finish_table(std::move(node), first);
  }
  node->only = accept("only"_w);
  if (at("unnest"_w) && at_operator("(", 1)) {
    node->kind = TableKind::kFunction;
    node->value = column_or_function();
    const bool offset = accept("with"_w, "offset"_w);
    table_alias(*node);
    if (offset)
      node->at_alias = node->column_aliases.size() > 1 ? node->column_aliases[1] : "offset_col";
    return finish_table(std::move(node), first);
  }
  // SELECT .. FROM current_database(): any function.
  node->name = qualified_name(kTreeDepthMax);
  if (at_operator("(")) {
    node->kind = TableKind::kFunction;
    node->value = function_call(node->name.parts, first);
    node->name = {};
  } else if (at_operator("[")) {
    ExpressionPtr path = make(ExpressionKind::kColumn, first);
    path->names = node->name.parts;
    path->span = node->name.span;
    node->value = postfix(done(std::move(path)));
  } else {
    (void)accept_operator(
        "*");  // t*: with the tables that inherit from it, of which there are none
  }
  table_alias(*node);
  return finish_table(std::move(node), first);
}

void Parser::table_alias(TableReference& node) {
  const bool written = accept("as"_w);
  if (written && at_operator("(") && node.kind == TableKind::kFunction) {
    --at_;
  } else if (written || is_bare_alias(token())) {
    node.alias = label();
  }
  if (accept("at"_w)) {
    node.at_alias = name();
    return;
  }
  if (node.kind == TableKind::kFunction && node.alias.empty()) (void)accept("as"_w);
  if (!at_operator("(") || (node.alias.empty() && node.kind != TableKind::kFunction)) return;
  advance();
  do {
    std::string column = name();
    if (at_operator(",") || at_operator(")")) {
      node.column_aliases.push_back(std::move(column));
    } else {
      node.column_definitions.push_back({.name = std::move(column), .type = type_name()});
    }
  } while (accept_operator(","));
  expect_operator(")");
}

TablePtr Parser::pivot(TablePtr source) {
  const std::size_t first = at_;
  advance(2);
  auto node = std::make_unique<TableReference>();
  node->kind = TableKind::kPivot;
  node->left = std::move(source);
  do {
    SelectItem item;
    const std::size_t start = at_;
    item.value = expression();
    if (accept("as"_w) || is_bare_alias(token())) item.alias = label();
    item.span = span_from(start);
    node->pivot_aggregates.push_back(std::move(item));
  } while (accept_operator(","));
  expect("for"_w);
  node->pivot_for = column_or_function();
  pivot_values(*node);
  expect_operator(")");
  table_alias(*node);
  return finish_table(std::move(node), first);
}

void Parser::pivot_values(TableReference& node) {
  expect("in"_w);
  expect_operator("(");
  do {
    PivotValue value;
    value.value = expression();
    if (accept("as"_w)) {
      value.alias = at_kind(TokenKind::kString) ? string_literal() : label();
    } else if (is_bare_alias(token())) {
      value.alias = label();
    }
    node.pivot_values.push_back(std::move(value));
  } while (accept_operator(","));
  expect_operator(")");
}

TablePtr Parser::unpivot(TablePtr source) {
  const std::size_t first = at_;
  advance();
  auto node = std::make_unique<TableReference>();
  node->kind = TableKind::kUnpivot;
  node->left = std::move(source);
  if (accept("include"_w, "nulls"_w)) {
    node->unpivot_include_nulls = true;
  } else {
    (void)accept("exclude"_w, "nulls"_w);
  }
  expect_operator("(");
  node->unpivot_value = name();
  expect("for"_w);
  node->unpivot_name = name();
  pivot_values(*node);
  expect_operator(")");
  table_alias(*node);
  return finish_table(std::move(node), first);
}

}  // namespace leat::sql
