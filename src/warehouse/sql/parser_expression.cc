// Expressions, by precedence climbing. Powers, from loosest to tightest binding.
#include "base/text.h"
#include "warehouse/sql/parser_core.h"

namespace leat::sql {
namespace {

constexpr int kOrPower = 10;
constexpr int kAndPower = 20;
constexpr int kIsPower = 40;
constexpr int kComparisonPower = 50;
constexpr int kRangePower = 60;  // BETWEEN, IN, LIKE
constexpr int kOtherPower = 70;  // || ~ & | # << >>
constexpr int kAddPower = 80;
constexpr int kMultiplyPower = 90;
constexpr int kPowerPower = 100;
constexpr int kZonePower = 110;
constexpr int kCollatePower = 120;
constexpr int kSignPower = 130;

int operator_power(std::string_view op) {
  switch (op.front()) {
    case '+':
    case '-':
      return kAddPower;
    case '*':
    case '/':
    case '%':
      return kMultiplyPower;
    case '^':
      return kPowerPower;
    case '=':
      return kComparisonPower;
    case '<':
    case '>':
      return op == "<<" || op == ">>" ? kOtherPower : kComparisonPower;
    case '!':
      return op == "!=" ? kComparisonPower : (op == "!" ? 0 : kOtherPower);
    case '|':
      return op == "|/" || op == "||/" ? 0 : kOtherPower;
    case '~':
    case '&':
    case '#':
      return kOtherPower;
    default:
      return 0;
  }
}

}  // namespace

ExpressionPtr Parser::make(ExpressionKind kind, std::size_t first_token) const {
  auto node = std::make_unique<Expression>();
  node->kind = kind;
  node->span = {tokens_[first_token].begin, tokens_[first_token].end};
  return node;
}

/// Sets the node's depth from its children, and refuses trees that recursive walks could not
/// survive.
ExpressionPtr Parser::done(ExpressionPtr node) {
  std::uint16_t deepest = 0;
  for (const ExpressionPtr& child : node->children) deepest = std::max(deepest, child->depth);
  if (node->query) deepest = std::max(deepest, node->query->depth);
  if (node->call) deepest = std::max(deepest, deepest_);  // OVER (...), ORDER BY ...: not children
  if (deepest >= kTreeDepthMax) {
    throw ParseFailure{{.sqlstate = "54001",
                        .message = "expression is nested too deeply, limit is " +
                                   std::to_string(kTreeDepthMax) + " levels",
                        .detail = {},
                        .hint = {},
                        .position = character_position(script_, node->span.begin)}};
  }
  node->depth = static_cast<std::uint16_t>(deepest + 1);
  deepest_ = std::max(deepest_, node->depth);
  return node;
}

ExpressionPtr Parser::expression(int minimum_power) {
  const NestingGuard guard = nest();
  ExpressionPtr left = prefix();
  bool more = true;
  while (more) left = infix(std::move(left), minimum_power, more);
  return left;
}

std::vector<ExpressionPtr> Parser::expressions() {
  std::vector<ExpressionPtr> list;
  list.reserve(3);  // most lists are short, and growing to three takes three allocations
  do {
    list.push_back(expression());
  } while (accept_operator(","));
  return list;
}

ExpressionPtr Parser::unary(std::string_view op, int power, std::size_t first_token) {
  ExpressionPtr node = make(ExpressionKind::kUnary, first_token);
  node->text = op;
  node->children.push_back(expression(power));
  node->span = span_from(first_token);
  return done(std::move(node));
}

ExpressionPtr Parser::binary(std::string_view op, ExpressionPtr left, ExpressionPtr right) {
  auto node = std::make_unique<Expression>();
  node->kind = ExpressionKind::kBinary;
  node->text = op;
  node->span = {left->span.begin, right->span.end};
  node->children.reserve(2);
  node->children.push_back(std::move(left));
  node->children.push_back(std::move(right));
  return done(std::move(node));
}

/// OPERATOR(pg_catalog.~): the operator's name; the cursor stands after the closing bracket.
std::string Parser::operator_name() {
  advance();
  expect_operator("(");
  while (is_label(token()) && at_operator(".", 1)) advance(2);
  // One between two values: what is written in front of one, and brackets, have no power.
  if (!at_kind(TokenKind::kOperator) || operator_power(token().text) == 0) syntax_error();
  std::string op(token().text);
  advance();
  expect_operator(")");
  return op;
}

ExpressionPtr Parser::infix(ExpressionPtr left, int minimum_power, bool& more) {
  const Token& current = token();
  if (current.kind == TokenKind::kWord) return infix_word(std::move(left), minimum_power, more);
  if (current.kind != TokenKind::kOperator) {
    more = false;
    return left;
  }
  const int power = operator_power(current.text);
  if (power == 0 || power < minimum_power) {
    more = false;
    return left;
  }
  const std::string_view op = current.text == "!=" ? std::string_view("<>") : current.text;
  advance();
  return comparison_tail(op, std::move(left), power);
}

ExpressionPtr Parser::comparison_tail(std::string_view op, ExpressionPtr left, int power) {
  if (!at_any({"any"_w, "some"_w, "all"_w}) || !at_operator("(", 1)) {
    return binary(op, std::move(left), expression(power + 1));
  }
  auto node = std::make_unique<Expression>();
  node->kind = ExpressionKind::kQuantified;
  node->text = op;
  node->span = left->span;
  node->names.emplace_back(at("all"_w) ? "all" : "any");
  node->children.push_back(std::move(left));
  advance(2);
  if (at_whole_query()) {
    node->query = query();
  } else {
    node->children.push_back(expression());
  }
  expect_operator(")");
  return done(std::move(node));
}

ExpressionPtr Parser::infix_word(ExpressionPtr left, int minimum_power, bool& more) {
  switch (token().word) {
    case "or"_w:
      if (minimum_power > kOrPower) break;
      return logical(ExpressionKind::kOr, std::move(left), kOrPower);
    case "and"_w:
      if (minimum_power > kAndPower) break;
      return logical(ExpressionKind::kAnd, std::move(left), kAndPower);
    case "is"_w:
    case "isnull"_w:
    case "notnull"_w:
      if (minimum_power > kIsPower) break;
      return is_tail(std::move(left));
    case "not"_w:
      if (minimum_power > kRangePower) break;
      if (at("between"_w, 1)) return between_tail(std::move(left), true);
      if (at("in"_w, 1)) return in_tail(std::move(left), true);
      if (at_any({"like"_w, "ilike"_w, "similar"_w}, 1)) return like_tail(std::move(left), true);
      break;
    case "between"_w:
      if (minimum_power > kRangePower) break;
      return between_tail(std::move(left), false);
    case "in"_w:
      if (minimum_power > kRangePower) break;
      return in_tail(std::move(left), false);
    case "like"_w:
    case "ilike"_w:
    case "similar"_w:
      if (minimum_power > kRangePower) break;
      return like_tail(std::move(left), false);
    case "operator"_w: {
      if (!at_operator("(", 1) || minimum_power > kOtherPower) break;
      const std::string op = operator_name();
      return comparison_tail(op == "!=" ? std::string_view("<>") : std::string_view(op),
                             std::move(left), kOtherPower);
    }
    case "at"_w: {
      if (minimum_power > kZonePower || !at("time"_w, 1) || !at("zone"_w, 2)) break;
      advance(3);
      auto node = std::make_unique<Expression>();
      node->kind = ExpressionKind::kAtTimeZone;
      node->span = left->span;
      node->children.push_back(std::move(left));
      node->children.push_back(expression(kZonePower + 1));
      return done(std::move(node));
    }
    case "collate"_w: {
      if (minimum_power > kCollatePower) break;
      advance();
      auto node = std::make_unique<Expression>();
      node->kind = ExpressionKind::kCollate;
      node->span = left->span;
      node->children.push_back(std::move(left));
      node->names.push_back(label());
      while (accept_operator(".")) node->names.push_back(label());
      return done(std::move(node));
    }
    default:
      break;
  }
  more = false;
  return left;
}

/// AND and OR chains become one node, so that a long list of conditions is not a deep tree.
ExpressionPtr Parser::logical(ExpressionKind kind, ExpressionPtr left, int power) {
  auto node = std::make_unique<Expression>();
  node->kind = kind;
  node->span = left->span;
  node->children.reserve(4);
  node->children.push_back(std::move(left));
  const Word word = kind == ExpressionKind::kOr ? "or"_w : "and"_w;
  while (accept(word)) node->children.push_back(expression(power + 1));
  node->span.end = node->children.back()->span.end;
  return done(std::move(node));
}

ExpressionPtr Parser::is_tail(ExpressionPtr left) {
  auto node = std::make_unique<Expression>();
  node->kind = ExpressionKind::kIs;
  node->span = left->span;
  node->children.push_back(std::move(left));
  node->text = "null";
  if (accept("isnull"_w)) return done(std::move(node));
  if (accept("notnull"_w)) {
    node->negated = true;
    return done(std::move(node));
  }
  expect("is"_w);
  node->negated = accept("not"_w);
  if (at_any({"null"_w, "true"_w, "false"_w, "unknown"_w})) {
    node->text = token().text;
    advance();
  } else if (accept("distinct"_w, "from"_w)) {
    node->text = "distinct from";
    node->children.push_back(expression(kIsPower + 1));
  } else {
    syntax_error();
  }
  return done(std::move(node));
}

ExpressionPtr Parser::between_tail(ExpressionPtr left, bool negated) {
  advance(negated ? 2 : 1);
  auto node = std::make_unique<Expression>();
  node->kind = ExpressionKind::kBetween;
  node->negated = negated;
  node->span = left->span;
  (void)accept("asymmetric"_w);
  node->children.reserve(3);
  node->children.push_back(std::move(left));
  node->children.push_back(expression(kRangePower + 1));
  expect("and"_w);
  node->children.push_back(expression(kRangePower + 1));
  return done(std::move(node));
}

ExpressionPtr Parser::in_tail(ExpressionPtr left, bool negated) {
  advance(negated ? 2 : 1);
  auto node = std::make_unique<Expression>();
  node->kind = ExpressionKind::kIn;
  node->negated = negated;
  node->span = left->span;
  node->children.reserve(4);
  node->children.push_back(std::move(left));
  expect_operator("(");
  if (at_whole_query()) {
    node->query = query();
  } else {
    do {
      node->children.push_back(expression());
    } while (accept_operator(","));
  }
  expect_operator(")");
  node->span.end = span_from(at_ - 1).end;
  return done(std::move(node));
}

ExpressionPtr Parser::like_tail(ExpressionPtr left, bool negated) {
  if (negated) advance();
  auto node = std::make_unique<Expression>();
  node->kind = ExpressionKind::kLike;
  node->negated = negated;
  node->span = left->span;
  node->text = at("similar"_w) ? "similar to" : std::string(token().text);
  advance();
  if (node->text == "similar to") expect("to"_w);
  node->children.reserve(2);
  node->children.push_back(std::move(left));
  node->children.push_back(expression(kRangePower + 1));
  if (accept("escape"_w)) node->children.push_back(expression(kRangePower + 1));
  node->span.end = node->children.back()->span.end;
  return done(std::move(node));
}

ExpressionPtr Parser::literal(ExpressionKind kind, std::string_view text) {
  ExpressionPtr node = make(kind, at_);
  node->text = text;
  advance();
  return done(std::move(node));
}

ExpressionPtr Parser::parameter() {
  const auto number = parse_number<std::int32_t>(token().text);
  if (!number || *number < 1 || *number > 32767) {
    fail_at(token(), "42P02", "there is no parameter $" + std::string(token().text));
  }
  ExpressionPtr node = make(ExpressionKind::kParameter, at_);
  node->number = *number;
  parameter_count_ = std::max(parameter_count_, static_cast<int>(*number));
  advance();
  return done(std::move(node));
}

ExpressionPtr Parser::prefix() {
  const Token& current = token();
  const std::size_t first = at_;
  switch (current.kind) {
    case TokenKind::kNumber:
      return postfix(literal(ExpressionKind::kNumber, current.text));
    case TokenKind::kString:
      return postfix(literal(ExpressionKind::kString, current.text));
    case TokenKind::kParameter:
      return postfix(parameter());
    case TokenKind::kQuotedIdentifier:
      return postfix(column_or_function());
    case TokenKind::kWord:
      return prefix_word();
    case TokenKind::kOperator:
      break;
    case TokenKind::kEnd:
      syntax_error();
  }
  const std::string_view op = current.text;
  if (op == "(") return postfix(parenthesized());
  if (op == "+" || op == "-" || op == "~" || op == "@" || op == "|/" || op == "||/") {
    advance();
    return unary(op, op == "+" || op == "-" ? kSignPower : kOtherPower, first);
  }
  syntax_error();
}

ExpressionPtr Parser::postfix(ExpressionPtr value) {
  while (at_kind(TokenKind::kOperator)) {
    const char mark = token().text.front();
    if (mark != ':' && mark != '[' && mark != '.') return value;
    auto node = std::make_unique<Expression>();
    node->span = value->span;
    if (accept_operator("::")) {
      node->kind = ExpressionKind::kCast;
      node->text = "::";
      node->type = std::make_unique<TypeName>(type_name());
      node->children.push_back(std::move(value));
    } else if (accept_operator("[")) {
      node->kind = ExpressionKind::kSubscript;
      node->children.push_back(std::move(value));
      node->children.push_back(expression());
      expect_operator("]");
    } else if (at_operator(".") && is_label(token(1)) && value->kind != ExpressionKind::kNumber) {
      advance();
      node->kind = ExpressionKind::kField;
      node->children.push_back(std::move(value));
      node->names.push_back(label());
    } else {
      return value;
    }
    node->span.end = tokens_[at_ - 1].end;
    value = done(std::move(node));
  }
  return value;
}

ExpressionPtr Parser::parenthesized() {
  const std::size_t first = at_;
  if (at_operator("+", 1) && at_operator(")", 2)) unsupported(token(), "outer join operator (+)");
  advance();
  if (at_whole_query()) {
    --at_;
    return exists_or_subquery(ExpressionKind::kSubquery);
  }
  ExpressionPtr inner = expression();
  if (!at_operator(",")) {
    expect_operator(")");
    return inner;
  }
  ExpressionPtr row = make(ExpressionKind::kRow, first);
  row->children.push_back(std::move(inner));
  while (accept_operator(",")) row->children.push_back(expression());
  expect_operator(")");
  row->span = span_from(first);
  return done(std::move(row));
}

/// At the opening bracket of a query in brackets.
ExpressionPtr Parser::exists_or_subquery(ExpressionKind kind) {
  const std::size_t first = at_;
  expect_operator("(");
  ExpressionPtr node = make(kind, first);
  node->query = query();
  expect_operator(")");
  node->span = span_from(first);
  return done(std::move(node));
}

}  // namespace leat::sql
