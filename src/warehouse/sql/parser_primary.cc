// Expressions that begin with a word: literals, CASE, CAST, functions, columns.
#include "warehouse/sql/parser_core.h"

namespace leat::sql {
namespace {

constexpr int kNotOperandPower = 31;
constexpr int kAboveIn = 61;
constexpr int kSignPower = 130;

bool is_bare_function(Word word) {
  switch (word) {
    case "current_date"_w:
    case "current_time"_w:
    case "current_timestamp"_w:
    case "localtime"_w:
    case "localtimestamp"_w:
    case "current_schema"_w:
    case "current_user"_w:
    case "session_user"_w:
    case "user"_w:
    case "current_user_id"_w:
    case "sysdate"_w:
      return true;
    default:
      return false;
  }
}

/// Hard words that may still name a function when a bracket follows.
bool is_function_word(Word word) {
  switch (word) {
    case "collate"_w:
    case "left"_w:
    case "right"_w:
    case "isnull"_w:
    case "unnest"_w:
      return true;
    case "values"_w:
      return false;  // rows follow
    default:
      return word_class(word) != WordClass::kHard || is_bare_function(word);
  }
}

bool is_interval_field(Word word) {
  switch (word) {
    case "year"_w:
    case "years"_w:
    case "quarter"_w:
    case "month"_w:
    case "months"_w:
    case "week"_w:
    case "weeks"_w:
    case "day"_w:
    case "days"_w:
    case "hour"_w:
    case "hours"_w:
    case "minute"_w:
    case "minutes"_w:
    case "second"_w:
    case "seconds"_w:
    case "millisecond"_w:
    case "milliseconds"_w:
    case "microsecond"_w:
    case "microseconds"_w:
      return true;
    default:
      return false;
  }
}

}  // namespace

ExpressionPtr Parser::prefix_word() {
  const std::size_t first = at_;
  if (ExpressionPtr typed = typed_literal_or_null()) return postfix(std::move(typed));
  switch (token().word) {
    case "null"_w:
      return postfix(literal(ExpressionKind::kNull, {}));
    case "true"_w:
      return postfix(literal(ExpressionKind::kBoolean, "true"));
    case "false"_w:
      return postfix(literal(ExpressionKind::kBoolean, "false"));
    case "default"_w:
      return literal(ExpressionKind::kDefault, {});
    case "not"_w: {
      advance();
      ExpressionPtr node = make(ExpressionKind::kNot, first);
      node->children.push_back(expression(kNotOperandPower - 1));
      node->span = span_from(first);
      return done(std::move(node));
    }
    case "case"_w:
      return postfix(case_expression());
    case "cast"_w:
    case "try_cast"_w:
      return postfix(cast_call());
    case "convert"_w:
      if (at_operator("(", 1)) return postfix(convert_call());
      break;
    case "interval"_w:
      return postfix(interval_literal());
    case "exists"_w:
      if (at_operator("(", 1) && at_query(2)) {
        advance();
        return exists_or_subquery(ExpressionKind::kExists);
      }
      break;
    case "array"_w:
      return postfix(array_value());
    case "row"_w:
      if (at_operator("(", 1)) {
        advance(2);
        ExpressionPtr node = make(ExpressionKind::kRow, first);
        if (!at_operator(")")) node->children = expressions();
        expect_operator(")");
        node->span = span_from(first);
        return postfix(done(std::move(node)));
      }
      break;
    case "operator"_w:
      if (at_operator("(", 1)) {
        const std::string op = operator_name();
        return unary(op, kAboveIn, first);
      }
      break;
    case "approximate"_w:
      if (is_label(token(1)) && at_operator("(", 2)) {
        advance();
        ExpressionPtr node = column_or_function();
        if (!node->call) syntax_error(tokens_[first]);
        node->call->approximate = true;
        return postfix(std::move(node));
      }
      break;
    case "prior"_w:
      if (in_connect_by_ && (is_label(token(1)) || at_operator("(", 1)))
        return hierarchy_operator();
      break;
    case "connect_by_root"_w:
      if (is_label(token(1)) || at_operator("(", 1)) return hierarchy_operator();
      break;
    default:
      break;
  }
  return postfix(column_or_function());
}

/// PRIOR x, CONNECT_BY_ROOT x: they bind as tightly as a sign.
ExpressionPtr Parser::hierarchy_operator() {
  const std::size_t first = at_;
  const std::string_view word = token().text;
  advance();
  return unary(word, kSignPower, first);
}

/// At "(+)" that marks the optional side of an outer join.
bool Parser::at_outer_join_mark(std::size_t ahead) const {
  return at_operator("(", ahead) && at_operator("+", ahead + 1) && at_operator(")", ahead + 2);
}

ExpressionPtr Parser::case_expression() {
  const std::size_t first = at_;
  advance();
  ExpressionPtr node = make(ExpressionKind::kCase, first);
  node->children.reserve(5);
  if (!at("when"_w)) {
    node->flag = true;
    node->children.push_back(expression());
  }
  do {
    expect("when"_w);
    node->children.push_back(expression());
    expect("then"_w);
    node->children.push_back(expression());
  } while (at("when"_w));
  if (accept("else"_w)) {
    node->flag2 = true;
    node->children.push_back(expression());
  }
  expect("end"_w);
  node->span = span_from(first);
  return done(std::move(node));
}

ExpressionPtr Parser::cast_call() {
  const std::size_t first = at_;
  ExpressionPtr node = make(ExpressionKind::kCast, first);
  node->text = token().text;
  advance();
  expect_operator("(");
  node->children.push_back(expression());
  expect("as"_w);
  node->type = std::make_unique<TypeName>(type_name());
  expect_operator(")");
  node->span = span_from(first);
  return done(std::move(node));
}

/// CONVERT(type, expression).
ExpressionPtr Parser::convert_call() {
  const std::size_t first = at_;
  ExpressionPtr node = make(ExpressionKind::kCast, first);
  node->text = "convert";
  advance(2);
  node->type = std::make_unique<TypeName>(type_name());
  expect_operator(",");
  node->children.push_back(expression());
  expect_operator(")");
  node->span = span_from(first);
  return done(std::move(node));
}

ExpressionPtr Parser::interval_literal() {
  const std::size_t first = at_;
  advance();
  if (!at_kind(TokenKind::kString)) {
    if (!at_kind(TokenKind::kNumber)) syntax_error();
    ExpressionPtr number_form = make(ExpressionKind::kInterval, first);
    number_form->text = token().text;
    advance();
    if (!is_interval_field(token().word)) syntax_error();
    number_form->names.emplace_back(token().text);
    advance();
    number_form->span = span_from(first);
    return done(std::move(number_form));
  }
  ExpressionPtr node = make(ExpressionKind::kInterval, first);
  node->text = string_literal();
  if (is_interval_field(token().word)) {
    node->names.emplace_back(token().text);
    advance();
    if (at("to"_w) && is_interval_field(token(1).word)) {
      node->names.emplace_back("to");
      node->names.emplace_back(token(1).text);
      advance(2);
    }
    if (at_operator("(") && at_kind(TokenKind::kNumber, 1) && at_operator(")", 2)) {
      node->names.push_back("(" + std::string(token(1).text) + ")");
      advance(3);
    }
  }
  node->span = span_from(first);
  return done(std::move(node));
}

ExpressionPtr Parser::array_value() {
  const std::size_t first = at_;
  if (at_operator("[", 1)) {
    advance(2);
    ExpressionPtr node = make(ExpressionKind::kArray, first);
    if (!at_operator("]")) node->children = expressions();
    expect_operator("]");
    node->span = span_from(first);
    return done(std::move(node));
  }
  if (!at_operator("(", 1)) syntax_error(token(1));
  if (at_query(2)) {
    advance();
    return exists_or_subquery(ExpressionKind::kArrayQuery);
  }
  advance();
  return function_call({"array"}, first);
}

ExpressionPtr Parser::column_or_function() {
  const std::size_t first = at_;
  const Token& head = token();
  const bool quoted = head.kind == TokenKind::kQuotedIdentifier;
  if (!is_label(head)) syntax_error();
  if (!quoted && at_operator("(", 1) && !at_outer_join_mark(1)) {
    if (!is_function_word(head.word)) syntax_error();
    advance();
    return function_call({std::string(head.text)}, first);
  }
  if (!quoted && is_bare_function(head.word)) {
    ExpressionPtr node = make(ExpressionKind::kFunction, first);
    node->names.emplace_back(head.text);
    node->call = std::make_unique<Call>();
    node->call->bare = true;
    advance();
    deepest_ = 0;
    return done(std::move(node));
  }
  if (!quoted && word_class(head.word) == WordClass::kHard) syntax_error();
  std::vector<std::string> parts;
  parts.reserve(at_operator(".", 1) ? 2 : 1);
  parts.emplace_back(head.text);
  advance();
  while (at_operator(".") && is_label(token(1))) {
    advance();
    parts.push_back(label());
    if (parts.size() > 64) syntax_error();
  }
  if (at_operator("(") && !at_outer_join_mark(0)) return function_call(std::move(parts), first);
  ExpressionPtr node = make(ExpressionKind::kColumn, first);
  if (at_outer_join_mark(0)) {
    node->flag = true;
    advance(3);
  }
  if (at_operator(".") && at_operator("*", 1)) {
    advance(2);
    node->kind = ExpressionKind::kStar;
  }
  node->names = std::move(parts);
  node->span = span_from(first);
  return done(std::move(node));
}

/// At the opening bracket; the name is behind the cursor.
ExpressionPtr Parser::function_call(std::vector<std::string> function_name,
                                    std::size_t first_token) {
  const std::uint16_t outer = deepest_;
  deepest_ = 0;
  ExpressionPtr node = make(ExpressionKind::kFunction, first_token);
  node->names = std::move(function_name);
  node->call = std::make_unique<Call>();
  expect_operator("(");
  if (!special_arguments(*node)) function_arguments(*node);
  expect_operator(")");
  node->span = span_from(first_token);
  function_tail(*node);
  node = done(std::move(node));
  deepest_ = std::max(outer, deepest_);
  return node;
}

void Parser::function_arguments(Expression& node) {
  if (at_operator(")")) return;
  if (at_operator("*") && at_operator(")", 1)) {
    advance();
    node.call->star = true;
    return;
  }
  if (accept("distinct"_w)) {
    node.call->distinct = true;
  } else if (at("all"_w) && !at_operator("(", 1)) {
    advance();
    node.call->all = true;
  }
  if (at_whole_query()) {
    ExpressionPtr bare = make(ExpressionKind::kSubquery, at_);
    bare->query = query();
    node.children.push_back(done(std::move(bare)));
  } else {
    node.children = expressions();
  }
  if (at("order"_w)) node.call->order_by = order_items();
  if (accept("ignore"_w, "nulls"_w)) node.call->nulls = NullOrder::kFirst;
  if (accept("respect"_w, "nulls"_w)) node.call->nulls = NullOrder::kLast;
}

/// POSITION(a IN b), EXTRACT(part FROM x), SUBSTRING(x FROM a FOR b), TRIM(BOTH a FROM b),
/// OVERLAY(...). False with the cursor unmoved when the call has plain arguments.
bool Parser::special_arguments(Expression& node) {
  if (node.names.size() != 1) return false;
  const std::string_view name = node.names.front();
  if (name == "object_transform") {
    object_transform_arguments(node);
    return true;
  }
  if (name == "position") {
    node.children.push_back(expression(kAboveIn));
    if (accept("in"_w)) {
      node.children.push_back(expression());
    } else {
      expect_operator(",");
      node.children.push_back(expression());
    }
    return true;
  }
  if (name == "extract") {
    ExpressionPtr part = make(ExpressionKind::kString, at_);
    part->text = at_kind(TokenKind::kString) ? string_literal() : label();
    node.children.push_back(done(std::move(part)));
    if (!accept_operator(",")) expect("from"_w);
    node.children.push_back(expression());
    return true;
  }
  if (name == "trim") {
    node.names.front() = "btrim";
    if (accept("leading"_w)) {
      node.names.front() = "ltrim";
    } else if (accept("trailing"_w)) {
      node.names.front() = "rtrim";
    } else {
      (void)accept("both"_w);
    }
    if (accept("from"_w)) {
      node.children.push_back(expression());
      return true;
    }
    node.children.push_back(expression());
    if (accept("from"_w)) {
      node.children.insert(node.children.begin(), expression());
    } else if (accept_operator(",")) {
      node.children.push_back(expression());
    }
    return true;
  }
  if (name == "substring" || name == "overlay") {
    node.children.push_back(expression());
    if (name == "overlay" && accept("placing"_w)) node.children.push_back(expression());
    if (accept("from"_w)) {
      node.children.push_back(expression());
      if (accept("for"_w)) node.children.push_back(expression());
    } else if (accept("for"_w)) {
      ExpressionPtr one = std::make_unique<Expression>();
      one->kind = ExpressionKind::kNumber;
      one->text = "1";
      one->span = node.span;
      node.children.push_back(done(std::move(one)));
      node.children.push_back(expression());
    } else {
      while (accept_operator(",")) node.children.push_back(expression());
    }
    return true;
  }
  return false;
}

/// OBJECT_TRANSFORM(object [KEEP path, ...] [SET path, value, ...]): `number` counts the paths of
/// KEEP among the children.
void Parser::object_transform_arguments(Expression& node) {
  const auto path = [&] {
    ExpressionPtr literal = make(ExpressionKind::kString, at_);
    if (!at_kind(TokenKind::kString)) syntax_error();
    literal->text = string_literal();
    node.children.push_back(done(std::move(literal)));
  };
  node.children.push_back(expression());
  if (accept("keep"_w)) {
    do {
      path();
      ++node.number;
    } while (accept_operator(","));
  }
  if (!accept("set"_w)) return;
  do {
    path();
    expect_operator(",");
    node.children.push_back(expression());
  } while (accept_operator(","));
}

void Parser::function_tail(Expression& node) {
  Call& call = *node.call;
  if (at("within"_w) && at("group"_w, 1)) {
    advance(2);
    expect_operator("(");
    call.within_group = order_items();
    expect_operator(")");
  }
  if (at("filter"_w) && at_operator("(", 1)) {
    advance(2);
    expect("where"_w);
    call.filter = expression();
    expect_operator(")");
  }
  if (accept("ignore"_w, "nulls"_w)) call.nulls = NullOrder::kFirst;
  if (accept("respect"_w, "nulls"_w)) call.nulls = NullOrder::kLast;
  if (at("over"_w)) {
    if (!at_operator("(", 1)) {
      if (is_name(token(1))) unsupported(token(1), "named window");
      return;
    }
    advance(2);
    call.window = window();
    expect_operator(")");
  }
}

std::unique_ptr<Window> Parser::window() {
  auto node = std::make_unique<Window>();
  if (accept("partition"_w)) {
    expect("by"_w);
    node->partition_by = expressions();
  }
  if (at("order"_w)) node->order_by = order_items();
  if (at("rows"_w) || at("range"_w)) node->frame = window_frame();
  return node;
}

std::unique_ptr<WindowFrame> Parser::window_frame() {
  auto frame = std::make_unique<WindowFrame>();
  frame->range = at("range"_w);
  advance();
  frame->between = accept("between"_w);
  frame->start = frame_bound(frame->start_offset);
  if (frame->between) {
    expect("and"_w);
    frame->end = frame_bound(frame->end_offset);
  }
  return frame;
}

FrameBound Parser::frame_bound(ExpressionPtr& offset) {
  if (accept("current"_w, "row"_w)) return FrameBound::kCurrentRow;
  if (accept("unbounded"_w)) {
    if (accept("preceding"_w)) return FrameBound::kUnboundedPreceding;
    expect("following"_w);
    return FrameBound::kUnboundedFollowing;
  }
  offset = expression(kAboveIn);
  if (accept("preceding"_w)) return FrameBound::kPreceding;
  expect("following"_w);
  return FrameBound::kFollowing;
}

/// At ORDER.
std::vector<OrderItem> Parser::order_items() {
  expect("order"_w);
  expect("by"_w);
  std::vector<OrderItem> items;
  do {
    OrderItem item;
    item.value = expression();
    if (accept("desc"_w)) {
      item.descending = true;
      item.direction_written = true;
    } else if (accept("asc"_w)) {
      item.direction_written = true;
    }
    if (accept("nulls"_w)) {
      item.nulls = at("first"_w) ? NullOrder::kFirst : NullOrder::kLast;
      if (!accept("first"_w)) expect("last"_w);
    }
    items.push_back(std::move(item));
  } while (accept_operator(","));
  return items;
}

}  // namespace leat::sql
