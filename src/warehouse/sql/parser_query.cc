// SELECT and everything that can stand in its place.
#include "warehouse/sql/parser_core.h"

namespace leat::sql {
namespace {

constexpr int kUnionPower = 1;
constexpr int kIntersectPower = 2;

}  // namespace

/// True at SELECT, WITH, VALUES, also behind opening brackets.
bool Parser::at_query(std::size_t ahead) const {
  const std::size_t last = ahead + kNestingDepthMax;  // deeper brackets are refused anyway
  while (at_operator("(", ahead) && ahead < last) ++ahead;
  if (at("select"_w, ahead)) return true;
  if (at("values"_w, ahead)) return at_operator("(", ahead + 1);
  return at("with"_w, ahead);
}

/// The place of the bracket that closes the one at `opening`; behind the last token: there is none.
std::size_t Parser::closing_bracket(std::size_t opening) const {
  if (closings_.empty()) {
    closings_.assign(tokens_.size(), tokens_.size());
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_[i].kind != TokenKind::kOperator) continue;
      if (tokens_[i].text == "(") open.push_back(i);
      if (tokens_[i].text != ")" || open.empty()) continue;
      closings_[open.back()] = i;
      open.pop_back();
    }
  }
  return closings_[opening];
}

/// True at a query in brackets' content: "(select 1) union select 2)" and "(select 1))", but not
/// "(select 1) + 1)" or "(select 1), 2)", which are expressions and begin alike.
bool Parser::at_whole_query() const {
  if (!at_operator("(") || !at_query()) return at_query();
  const std::size_t after = closing_bracket(at_) + 1 - at_;
  return at_operator(")", after) ||
         at_any({"union"_w, "intersect"_w, "except"_w, "minus"_w, "order"_w, "limit"_w, "offset"_w},
                after);
}

SourceSpan Parser::query_with_span(QueryPtr& out) {
  const std::size_t first = at_;
  if (!at_query()) syntax_error();
  out = query();
  return span_from(first);
}

QueryPtr Parser::query() {
  const NestingGuard guard = nest();
  const std::size_t first = at_;
  const std::uint16_t outer = deepest_;
  deepest_ = 0;
  std::vector<CommonTable> with;
  bool recursive = false;
  if (at("with"_w)) with_clause(with, recursive);
  QueryPtr node = query_term(kUnionPower);
  if (!with.empty() && !node->with.empty()) {
    auto wrapped = std::make_unique<Query>();
    wrapped->kind = QueryKind::kNested;
    wrapped->left = std::move(node);
    node = std::move(wrapped);
  }
  if (!with.empty()) {
    node->with = std::move(with);
    node->recursive = recursive;
  }
  if (node->kind == QueryKind::kNested && (node->with.empty() || node->left->with.empty())) {
    QueryPtr inner = std::move(node->left);  // brackets around the whole query mean nothing
    if (!node->with.empty()) {
      inner->with = std::move(node->with);
      inner->recursive = node->recursive;
    }
    node = std::move(inner);
  }
  query_tail(*node);
  return finish_query(std::move(node), first, outer);
}

QueryPtr Parser::finish_query(QueryPtr node, std::size_t first_token, std::uint16_t outer) {
  if (deepest_ >= kTreeDepthMax) {
    fail_at(tokens_[first_token], "54001",
            "query is nested too deeply, limit is " + std::to_string(kTreeDepthMax) + " levels");
  }
  node->span = span_from(first_token);
  node->depth = static_cast<std::uint16_t>(deepest_ + 1);
  deepest_ = std::max(outer, node->depth);
  return node;
}

/// asyncpg names one oid, which is a reserved word.
std::vector<std::string> Parser::common_table_columns() {
  std::vector<std::string> names;
  if (!accept_operator("(")) return names;
  do {
    names.push_back(at("oid"_w) ? label() : name());
  } while (accept_operator(","));
  expect_operator(")");
  return names;
}

void Parser::with_clause(std::vector<CommonTable>& tables, bool& recursive) {
  expect("with"_w);
  recursive = accept("recursive"_w);
  do {
    const std::size_t first = at_;
    CommonTable table;
    table.name = name();
    table.columns = common_table_columns();
    expect("as"_w);
    expect_operator("(");
    if (!at_query()) syntax_error();
    table.query = query();
    expect_operator(")");
    table.span = span_from(first);
    tables.push_back(std::move(table));
  } while (accept_operator(","));
}

/// Set operations by precedence climbing: INTERSECT binds tighter than UNION and EXCEPT.
QueryPtr Parser::query_term(int minimum_power) {
  const NestingGuard guard = nest();
  const std::size_t first = at_;
  QueryPtr left = query_primary();
  while (true) {
    SetOperator op{};
    int power = kUnionPower;
    if (at("union"_w)) {
      op = SetOperator::kUnion;
    } else if (at("except"_w) || at("minus"_w)) {
      op = SetOperator::kExcept;
    } else if (at("intersect"_w)) {
      op = SetOperator::kIntersect;
      power = kIntersectPower;
    } else {
      return left;
    }
    if (power < minimum_power) return left;
    const Token& where = token();
    advance();
    auto node = std::make_unique<Query>();
    node->kind = QueryKind::kSetOperation;
    node->set_operator = op;
    node->set_all = accept("all"_w);
    if (!node->set_all) (void)accept("distinct"_w);
    if (node->set_all && op != SetOperator::kUnion) {
      unsupported(where, op == SetOperator::kExcept ? "EXCEPT ALL" : "INTERSECT ALL");
    }
    node->left = std::move(left);
    node->right = query_term(power + 1);
    node->span = span_from(first);
    node->depth = static_cast<std::uint16_t>(std::max(node->left->depth, node->right->depth) + 1);
    if (node->depth >= kTreeDepthMax) {
      fail_at(where, "54001", "too many set operations, limit is " + std::to_string(kTreeDepthMax));
    }
    deepest_ = std::max(deepest_, node->depth);
    left = std::move(node);
  }
}

QueryPtr Parser::query_primary() {
  const std::size_t first = at_;
  auto node = std::make_unique<Query>();
  if (accept_operator("(")) {
    if (!at_query()) syntax_error();
    node->kind = QueryKind::kNested;
    node->left = query();
    expect_operator(")");
    node->depth = static_cast<std::uint16_t>(node->left->depth + 1);
  } else if (at("values"_w)) {
    advance();
    node->kind = QueryKind::kValues;
    node->values = values_rows();
    node->depth = static_cast<std::uint16_t>(deepest_ + 1);
  } else {
    node->kind = QueryKind::kSelect;
    node->select = select();
    node->depth = static_cast<std::uint16_t>(deepest_ + 1);
  }
  node->span = span_from(first);
  return node;
}

std::vector<std::vector<ExpressionPtr>> Parser::values_rows() {
  std::vector<std::vector<ExpressionPtr>> rows;
  do {
    expect_operator("(");
    rows.push_back(expressions());
    expect_operator(")");
  } while (accept_operator(","));
  return rows;
}

/// A query in brackets may have a part of the tail inside and another one behind them.
void Parser::query_tail(Query& node) {
  const auto once = [&](bool written, std::string_view what) {
    if (written) fail_at(token(), "42601", "multiple " + std::string(what) + " not allowed");
    advance();
  };
  if (at("order"_w)) {
    if (!node.order_by.empty()) once(true, "ORDER BY clauses");
    node.order_by = order_items();
  }
  while (true) {
    if (at("limit"_w)) {
      once(node.limit || (node.select && node.select->top), "LIMIT clauses");
      if (accept("all"_w)) continue;
      node.limit = expression();
    } else if (at("offset"_w)) {
      once(node.offset != nullptr, "OFFSET clauses");
      node.offset = expression();
      if (!accept("rows"_w)) (void)accept("row"_w);
    } else {
      break;
    }
  }
  if (at("fetch"_w) && at_any({"first"_w, "next"_w}, 1)) {
    fail_at(token(), "0A000", "FETCH FIRST is not supported; use LIMIT");
  }
  if (at("for"_w) && at_any({"update"_w, "share"_w}, 1))
    unsupported(token(), "SELECT FOR UPDATE/SHARE");
  if (at("window"_w) && is_name(token(1))) unsupported(token(), "WINDOW clause");
}

std::unique_ptr<Select> Parser::select() {
  const std::size_t first = at_;
  const bool into_allowed = std::exchange(into_allowed_, false);
  expect("select"_w);
  auto node = std::make_unique<Select>();
  if (accept("top"_w)) {
    const bool bracketed = accept_operator("(");
    if (!at_kind(TokenKind::kNumber) && !at_kind(TokenKind::kParameter)) syntax_error();
    node->top =
        at_kind(TokenKind::kNumber) ? literal(ExpressionKind::kNumber, token().text) : parameter();
    if (bracketed) expect_operator(")");
  }
  if (accept("distinct"_w)) {
    node->distinct = true;
    if (accept("on"_w)) {
      expect_operator("(");
      node->distinct_on = expressions();
      expect_operator(")");
    }
  } else {
    (void)accept("all"_w);
  }
  if (!node->top && at("top"_w) && at_kind(TokenKind::kNumber, 1)) {
    advance();
    node->top = literal(ExpressionKind::kNumber, token().text);
  }
  select_items(*node);
  if (at("into"_w)) {
    if (!into_allowed) syntax_error();
    advance();
    into_.emplace();
    into_->temporary = accept("temp"_w) || accept("temporary"_w);
    (void)accept("table"_w);
    into_->name = qualified_name();
    if (into_->name.is_hash_temporary()) into_->temporary = true;
  }
  if (accept("from"_w)) node->from = table_list();
  if (accept("where"_w)) node->where = expression();
  connect_by(*node);
  group_by(*node);
  if (accept("having"_w)) node->having = expression();
  if (accept("qualify"_w)) node->qualify = expression();
  node->span = span_from(first);
  return node;
}

/// [START WITH condition] CONNECT BY [NOCYCLE] condition, in either order.
void Parser::connect_by(Select& node) {
  const bool outer = in_connect_by_;
  for (int part = 0; part < 2; ++part) {
    if (!node.start_with && at("start"_w) && at("with"_w, 1)) {
      advance(2);
      node.start_with = expression();
    } else if (!node.connect_by && at("connect"_w) && at("by"_w, 1)) {
      advance(2);
      node.no_cycle = accept("nocycle"_w);
      in_connect_by_ = true;
      node.connect_by = expression();
      in_connect_by_ = outer;
    }
  }
  if (node.start_with && !node.connect_by) syntax_error();
}

void Parser::select_items(Select& node) {
  if (at("from"_w)) syntax_error();
  do {
    const std::size_t first = at_;
    SelectItem item;
    if (at_operator("*")) {
      advance();
      item.value = done(make(ExpressionKind::kStar, first));
    } else {
      item.value = expression();
    }
    if (accept("as"_w) || is_bare_alias(token())) item.alias = label();
    item.span = span_from(first);
    node.items.push_back(std::move(item));
    if (at("exclude"_w) && node.exclude.empty() && (at_operator("(", 1) || is_label(token(1)))) {
      advance();
      if (at_operator("(")) {
        node.exclude = name_list();
      } else {
        do {
          node.exclude.push_back(name());
        } while (accept_operator(","));
      }
      break;
    }
  } while (accept_operator(","));
}

void Parser::group_by(Select& node) {
  if (!at("group"_w) || !at("by"_w, 1)) return;
  advance(2);
  if (at("all"_w) && !at_operator("(", 1)) {
    advance();
    node.group_by_all = true;
    return;
  }
  do {
    node.group_by.push_back(grouping_element());
  } while (accept_operator(","));
}

/// A key, (), or ROLLUP, CUBE, GROUPING SETS over such elements.
ExpressionPtr Parser::grouping_element() {
  const NestingGuard guard = nest();
  const std::size_t first = at_;
  if (at_operator("(") && at_operator(")", 1)) {
    advance(2);
    return done(make(ExpressionKind::kRow, first));
  }
  std::string kind;
  if (at("rollup"_w) && at_operator("(", 1)) {
    kind = "rollup";
  } else if (at("cube"_w) && at_operator("(", 1)) {
    kind = "cube";
  } else if (at("grouping"_w) && at("sets"_w, 1)) {
    kind = "grouping sets";
    advance();
  } else {
    return expression();
  }
  advance();
  expect_operator("(");
  ExpressionPtr sets = make(ExpressionKind::kGroupingSets, first);
  sets->text = kind;
  do {
    sets->children.push_back(kind == "grouping sets" ? grouping_element() : expression());
  } while (accept_operator(","));
  expect_operator(")");
  return done(std::move(sets));
}

}  // namespace leat::sql
