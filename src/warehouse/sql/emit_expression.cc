// Operators, literals, casts, columns and SUPER paths.
#include <algorithm>

#include "base/text.h"
#include "warehouse/sql/datetime.h"
#include "warehouse/sql/emitter.h"
#include "warehouse/sql/lexer.h"

namespace leat::sql {
namespace {

/// Kinds that bind as tightly as a name does and need no brackets as an operand.
bool is_atom(const Expression& node) {
  switch (node.kind) {
    case ExpressionKind::kUnary:
    case ExpressionKind::kBinary:
    case ExpressionKind::kAtTimeZone:
    case ExpressionKind::kCollate:
    case ExpressionKind::kFunction:
      return false;
    default:
      return !is_condition(node.kind);
  }
}

/// One level more while it lives.
class Level {
 public:
  explicit Level(int& depth) : depth_(depth) { ++depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;
  ~Level() { --depth_; }

 private:
  int& depth_;
};

[[noreturn]] void too_complex(const std::string& what, const std::string& limit, std::string hint,
                              const Expression& node) {
  throw TranslateFailure{{.sqlstate = "54001",
                          .message = what + " is too complex, limit is " + limit,
                          .detail = {},
                          .hint = std::move(hint),
                          .position = node.span.begin + 1}};
}

}  // namespace

void Emitter::fail(std::string sqlstate, std::string message, SourceSpan span) {
  throw TranslateFailure{{.sqlstate = std::move(sqlstate),
                          .message = std::move(message),
                          .detail = {},
                          .hint = {},
                          .position = span.end == 0 ? 0 : span.begin + 1}};
}

void Emitter::too_large() const {
  fail("54000", "translated statement is larger than 64 MiB", {});
}

void Emitter::identifiers(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) write(", ");
    identifier(names[i]);
  }
}

void Emitter::comma_separated(const Arguments& nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i > 0) write(", ");
    expression(*nodes[i]);
  }
}

void Emitter::operand(const Expression& node) {
  if (is_atom(node)) {
    expression(node);
    return;
  }
  write("(");
  expression(node);
  write(")");
}

void Emitter::expression(const Expression& node) {
  const Level level(depth_);
  if (depth_ > kDepthMax) {
    too_complex("expression", std::to_string(kDepthMax) + " operators in each other",
                "Compute parts of it in a subquery in FROM.", node);
  }
  if (represented(node)) {
    reached_ = 0;
    return;
  }
  if (recast(node)) return;
  if (node.kind == ExpressionKind::kCase || node.kind == ExpressionKind::kFunction)
    note_wide_choices(node);
  const auto wide = wide_choices_.empty() ? wide_choices_.end() : wide_choices_.find(&node);
  if (wide != wide_choices_.end()) write("CAST(");
  if (!simple_value(node) && !condition(node)) composite(node);
  if (wide != wide_choices_.end()) write(" AS DECIMAL(38," + std::to_string(wide->second) + "))");
}

bool Emitter::simple_value(const Expression& node) {
  switch (node.kind) {
    case ExpressionKind::kNull:
      return write("NULL"), true;
    case ExpressionKind::kBoolean:
      return write(node.text), true;
    case ExpressionKind::kNumber:
      return number(node), true;
    case ExpressionKind::kString:
      return string_literal(node.text), true;
    case ExpressionKind::kTypedLiteral:
      return typed_literal(*node.type, node.text, node.span), true;
    case ExpressionKind::kInterval:
      return interval(node), true;
    case ExpressionKind::kParameter:
      return parameter(node), true;
    case ExpressionKind::kColumn:
      return column(node), true;
    case ExpressionKind::kStar:
      check_readable(node);
      if (node.names.empty() && !scopes_.empty() && scopes_.back().reordered) {
        for (std::size_t i = 0; i < scopes_.back().tables.size(); ++i) {
          write(i > 0 ? ", " : "");
          identifier(scopes_.back().tables[i].emitted_alias);
          write(".*");
        }
        return true;
      }
      for (const std::string& part : node.names) {
        const ScopeTable* table = find_alias(part);
        identifier(table == nullptr ? part : table->emitted_alias);
        write(".");
      }
      return write("*"), true;
    case ExpressionKind::kDefault:
      return write("DEFAULT"), true;
    default:
      return false;
  }
}

bool Emitter::condition(const Expression& node) {
  switch (node.kind) {
    case ExpressionKind::kAnd:
      return joined(node, " AND "), true;
    case ExpressionKind::kOr:
      return joined(node, " OR "), true;
    case ExpressionKind::kNot:
      require_condition(*node.children[0], "NOT");
      write("NOT ");
      return operand(*node.children[0]), true;
    case ExpressionKind::kIs:
      return is_test(node), true;
    case ExpressionKind::kBetween:
      refuse_sketch_operands(node, ">=");
      if (text_between(node)) return true;
      comparison(node.negated ? "NOT BETWEEN" : "BETWEEN", *node.children[0], *node.children[1]);
      write(" AND ");
      return arithmetic_operand("<=", *node.children[2], *node.children[0]), true;
    case ExpressionKind::kIn:
      refuse_sketch_operands(node, "=");
      return in_test(node), true;
    case ExpressionKind::kLike:
      refuse_sketch_operands(node, "~~");
      return with_super_as(SuperUse::kText, [&] { like_test(node); }), true;
    case ExpressionKind::kQuantified:
      refuse_sketch_operands(node, "=");
      return quantified(node), true;
    case ExpressionKind::kExists:
      write("EXISTS (");
      query(*node.query);
      return write(")"), true;
    default:
      return false;
  }
}

/// Of parts: operators, calls, brackets.
void Emitter::composite(const Expression& node) {
  const auto enclosed = [&](std::string_view open, std::string_view close) {
    write(open);
    if (node.query) {
      query(*node.query);
    } else {
      comma_separated(node.children);
    }
    write(close);
  };
  switch (node.kind) {
    case ExpressionKind::kUnary:
      return unary(node);
    case ExpressionKind::kBinary:
      return binary(node);
    case ExpressionKind::kCase:
      return case_when(node);
    case ExpressionKind::kCast:
      if (super_taken(node)) return;
      return with_super_as(SuperUse::kValue, [&] { cast(node); });
    case ExpressionKind::kFunction:
      if (super_taken(node)) return;
      return function(node);
    case ExpressionKind::kSubquery:
      enclosed("(", ")");
      if (last_columns_.size() == 1) subquery_types_[&node] = last_columns_[0].type;
      return;
    case ExpressionKind::kRow:
      return enclosed("(", ")");
    case ExpressionKind::kArray:
      return enclosed("[", "]");
    case ExpressionKind::kArrayQuery:
      return enclosed("ARRAY(", ")");
    case ExpressionKind::kSubscript:
      return subscript(node);
    case ExpressionKind::kField:
      return field(node);
    case ExpressionKind::kAtTimeZone:
      operand(*node.children[0]);
      write(" AT TIME ZONE ");
      return time_zone(*node.children[1]);
    case ExpressionKind::kCollate:
      return collated(node);
    case ExpressionKind::kGroupingSets:
      return enclosed(node.text == "grouping sets" ? "GROUPING SETS ("
                      : node.text == "cube"        ? "CUBE ("
                                                   : "ROLLUP (",
                      ")");
    default:
      fail("XX000", "an expression has no translation", node.span);
  }
}

bool Emitter::is_declared(const Expression& node) const {
  const auto index = static_cast<std::size_t>(node.number - 1);
  return index < context_.parameter_types.size() &&
         (context_.parameter_types[index].kind != TypeKind::kOther ||
          !context_.parameter_types[index].spelling.empty());
}

bool Emitter::is_untyped_parameter(const Expression& node) const {
  return node.kind == ExpressionKind::kParameter && frame_ == nullptr && !is_declared(node);
}

void Emitter::parameter(const Expression& node) {
  const auto index = static_cast<std::size_t>(node.number - 1);
  if (frame_ != nullptr) {
    if (index >= frame_->texts.size())
      fail("42P02", "there is no parameter $" + std::to_string(node.number), {});
    return write(frame_->texts[index]);
  }
  has_parameters_ = true;
  if (!is_declared(node)) return write("$" + std::to_string(node.number));
  const TypeName& type = context_.parameter_types[index];
  if (type.kind == TypeKind::kHllSketch)
    return write("leat_hll_sketch(CAST($" + std::to_string(node.number) + " AS VARCHAR))");
  write("CAST($" + std::to_string(node.number) + " AS " +
        (is_any_decimal(type) ? "DECIMAL(38,10)" : duckdb_type(type)) + ")");
}

bool Emitter::is_decimal_parameter(const Expression& node) const {
  if (node.kind != ExpressionKind::kParameter) return false;
  const auto index = static_cast<std::size_t>(node.number - 1);
  return index < context_.parameter_types.size() &&
         context_.parameter_types[index].kind == TypeKind::kDecimal;
}

void Emitter::require_condition(const Expression& node, std::string_view where) const {
  // As the real one: sqlalchemy-redshift writes WHERE 1 AND ...
  const bool is_whole = node.text.find_first_not_of("0123456789") == std::string::npos;
  if (node.kind == ExpressionKind::kNumber && is_whole) return;
  const InferredType type = infer(node);
  const bool text = type.kind == Inferred::kText && node.kind != ExpressionKind::kString;
  if (!text && !is_numeric(type.kind) && type.kind != Inferred::kDate &&
      type.kind != Inferred::kTimestamp && type.kind != Inferred::kSketch) {
    return;
  }
  fail("42804",
       "argument of " + std::string(where) + " must be type boolean, not type " + type_words(type),
       node.span);
}

void Emitter::joined(const Expression& node, std::string_view separator) {
  if (node.children.size() > kTermsMax) {
    too_complex("condition", std::to_string(kTermsMax) + " terms",
                "Use IN (...), or join a table of the values.", node);
  }
  if (node.children.size() > kPlainTermsMax && joined_as_lists(node, separator)) return;
  // The engine looks for what all of OR's terms have in common, in a time that grows with the third
  // power of their number; not in a cast.
  const bool hidden = node.kind == ExpressionKind::kOr && node.children.size() > kPlainTermsMax &&
                      std::ranges::any_of(node.children, [](const ExpressionPtr& term) {
                        return term->kind == ExpressionKind::kAnd;
                      });
  if (hidden) write("CAST(CAST((");
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    require_condition(*node.children[i], node.kind == ExpressionKind::kAnd ? "AND" : "OR");
    if (i > 0) write(separator);
    operand(*node.children[i]);
  }
  if (hidden) write(") AS TINYINT) AS BOOLEAN)");
}

void Emitter::unary(const Expression& node) {
  const Expression& value = *node.children[0];
  if (node.text == "@") return call_template("abs($1)", node);
  if (node.text == "|/") return call_template("sqrt($1)", node);
  if (node.text == "||/") return call_template("cbrt($1)", node);
  if (node.text == "prior" || node.text == "connect_by_root") return hierarchy_value(node);
  write(node.text);
  if (value.kind == ExpressionKind::kString && is_number_text(value.text)) return write(value.text);
  if (value.kind == ExpressionKind::kUnary) write(" ");
  operand(value);
}

/// Comparisons look at SUPER values through the type of the other side.
bool Emitter::compared_super(const Expression& node, const InferredType& other) {
  const bool number = is_numeric(other.kind);
  if ((!number && other.kind != Inferred::kText) || infer(node).kind != Inferred::kSuper)
    return false;
  const auto path = super_navigation(node);
  const std::string text = "json_extract_string(" + (path ? path->first : text_of(node)) + ", " +
                           quote_literal(path ? path->second : "$") + ")";
  write(number ? "TRY_CAST(" + text + " AS DOUBLE)" : text);
  return true;
}

void Emitter::comparison(std::string_view op, const Expression& left, const Expression& right) {
  const bool plain =
      op == "=" || op == "<>" || op == "!=" || op == "<" || op == "<=" || op == ">" || op == ">=";
  if (plain && row_comparison(op, left, right)) return;
  if (plain && (text_comparison(op, left, right) || number_comparison(op, left, right) ||
                text_pair(op, left, right))) {
    return;
  }
  const auto side = [&](const Expression& node, const Expression& other) {
    if (compared_super(node, infer(other))) return;
    if (node.kind == ExpressionKind::kString) return arithmetic_operand(op, node, other);
    operand(node);
  };
  if (plain && infer(left).kind == Inferred::kSuper && infer(right).kind == Inferred::kSuper) {
    const std::string a = super_order(left);
    const std::string b = super_order(right);
    const std::string test = a + " " + std::string(op) + " " + b;
    if (op == "=" || op == "<>" || op == "!=") return write(test);
    return write("CASE WHEN " + a + ".kind = " + b + ".kind THEN " + test + " END");  // else NULL
  }
  side(left, right);
  write(" ");
  write(op);
  write(" ");
  side(right, left);
}

void Emitter::regex_match(const Expression& node) {
  if (node.text.front() == '!') write("NOT ");
  write("regexp_matches(");
  expression(*node.children[0]);
  write(", ");
  expression(*node.children[1]);
  const Collation collation = met(node.children, node.span);
  const bool insensitive = is_insensitive({.kind = Inferred::kText, .collation = collation});
  if (node.text.back() == '*' || insensitive) write(", 'i'");
  write(")");
}

/// The collation itself is infer()'s matter; here stands the value.
void Emitter::collated(const Expression& node) {
  const bool call = node.kind == ExpressionKind::kFunction;
  const std::string name =
      call ? to_lower(literal_argument(node, 1, "collate")) : node.names.back();
  const std::optional<bool> insensitive = insensitive_collation(name);
  // psql writes COLLATE pg_catalog.default.
  const bool plain = !call && (name == "default" || name == "c" || name == "posix");
  if (!insensitive && !plain) {
    throw TranslateFailure{{.sqlstate = "42704",
                            .message = "collation \"" + name + "\" does not exist",
                            .detail = {},
                            .hint = "Use case_sensitive, cs, case_insensitive or ci.",
                            .position = node.span.begin + 1}};
  }
  collations_ = true;
  const Expression& value = *node.children[0];
  if (call) write("(");
  with_super_as(SuperUse::kText, [&] { operand(value); });
  // Under a join with USING the engine's own collation may be in force.
  if (insensitive && !*insensitive && infer(value).collated) write(" COLLATE C");
  if (call) write(")");
}

void Emitter::is_test(const Expression& node) {
  if (node.text == "distinct from" && infer(*node.children[0]).kind == Inferred::kText &&
      infer(*node.children[1]).kind == Inferred::kText) {
    const Collation collation = met(node.children, node.span);
    return write(compared_value(*node.children[0], collation) +
                 (node.negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ") +
                 compared_value(*node.children[1], collation));
  }
  operand(*node.children[0]);
  if (node.text == "unknown") return write(node.negated ? " IS NOT NULL" : " IS NULL");
  write(node.negated ? " IS NOT " : " IS ");
  if (node.text == "distinct from") {
    write("DISTINCT FROM ");
    return operand(*node.children[1]);
  }
  write(node.text == "null" ? "NULL" : (node.text == "true" ? "TRUE" : "FALSE"));
}

void Emitter::in_test(const Expression& node) {
  const Expression& value = *node.children[0];
  if (text_in(node) || row_in_list(node) || key_set_test(node)) return;
  if (node.query) {
    if (row_in_query(node)) return;
    return compare_with_query(value, node.negated ? " NOT IN " : " IN ", *node.query);
  }
  const bool numbers =
      std::all_of(node.children.begin() + 1, node.children.end(),
                  [&](const ExpressionPtr& item) { return is_numeric(infer(*item).kind); });
  if (!compared_super(value, {numbers ? Inferred::kDouble : Inferred::kText})) operand(value);
  write(node.negated ? " NOT IN (" : " IN (");
  for (std::size_t i = 1; i < node.children.size(); ++i) {
    if (i > 1) write(", ");
    expression(*node.children[i]);
  }
  write(")");
}

void Emitter::like_test(const Expression& node) {
  const Expression& pattern = *node.children[1];
  const bool has_escape = node.children.size() > 2;
  const Collation collation = met(std::span(node.children).first(2), node.span);
  const bool insensitive = is_insensitive({.kind = Inferred::kText, .collation = collation});
  if (node.text == "similar to") {
    if (pattern.kind != ExpressionKind::kString ||
        (has_escape && node.children[2]->kind != ExpressionKind::kString)) {
      unsupported("SIMILAR TO with a pattern that is not a literal", node.span);
    }
    const std::string escape = has_escape ? node.children[2]->text : "\\";
    if (node.negated) write("NOT ");
    write("regexp_full_match(CAST(");
    expression(*node.children[0]);
    write(" AS VARCHAR), ");
    string_literal(regex_of_similar_pattern(pattern.text, escape));
    return write(insensitive ? ", 'si')" : ", 's')");
  }
  const InferredType type = infer(*node.children[0]);
  const bool text =
      type.kind == Inferred::kText || node.children[0]->kind == ExpressionKind::kString;
  if (text) {
    operand(*node.children[0]);
  } else {
    write("CAST(");
    expression(*node.children[0]);
    write(" AS VARCHAR)");
  }
  write(node.negated ? " NOT " : " ");
  write(node.text == "like" && !insensitive ? "LIKE " : "ILIKE ");
  operand(pattern);
  if (has_escape) {
    write(" ESCAPE ");
    operand(*node.children[2]);
  } else if (pattern.kind != ExpressionKind::kString ||
             pattern.text.find('\\') != std::string::npos) {
    write(" ESCAPE '\\'");
  }
}

void Emitter::quantified(const Expression& node) {
  const std::string word = " " + node.text + (node.names[0] == "all" ? " ALL " : " ANY ");
  if (node.query) return compare_with_query(*node.children[0], word, *node.query);
  operand(*node.children[0]);
  write(word + "(");
  expression(*node.children[1]);
  write(")");
}

void Emitter::case_when(const Expression& node) {
  std::size_t i = 0;
  write("CASE");
  bool boolean_operand = false;
  bool text_operand = false;
  Collation collation = Collation::kOpen;
  const std::size_t last = node.children.size() - (node.flag2 ? 1 : 0);
  if (node.flag) {
    write(" ");
    const Expression& value = *node.children[i++];
    boolean_operand = infer(value).kind == Inferred::kBoolean;
    text_operand = text_side(value) != TextSide::kOther;
    if (text_operand) {
      collation = infer(value).collation;
      for (std::size_t when = 1; when < last; when += 2)
        collation = met(collation, infer(*node.children[when]).collation, node.span);
      write(keyed_text(value, text_side(value), collation));
    } else {
      operand(value);
    }
  }
  const bool insensitive = is_insensitive({.kind = Inferred::kText, .collation = collation});
  std::vector<const Expression*> results;
  for (std::size_t result = node.flag ? 2 : 1; result < last; result += 2)
    results.push_back(node.children[result].get());
  if (node.flag2) results.push_back(node.children.back().get());
  const std::vector<const Expression*> noted = note_super_results(results);
  while (i + 1 < last + 1 && i < last) {
    write(" WHEN ");
    const Expression& when = *node.children[i++];
    if (!node.flag) require_condition(when, "CASE/WHEN");
    if (boolean_operand && when.kind == ExpressionKind::kString) {
      write("CAST(" + quote_literal(when.text) + " AS BOOLEAN)");
    } else if (text_operand &&
               (insensitive || when.kind == ExpressionKind::kString || has_key(when))) {
      write(compared_value(when, collation));
    } else {
      expression(when);
    }
    write(" THEN ");
    expression(*node.children[i++]);
  }
  if (node.flag2) {
    write(" ELSE ");
    expression(*node.children.back());
  }
  write(" END");
  for (const Expression* each : noted) recasts_.erase(each);
  if (collations_) static_cast<void>(met(infer(node).collation, Collation::kOpen, node.span));
}

const ScopeTable* Emitter::find_alias(std::string_view alias) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    for (const ScopeTable& table : scope->tables) {
      if (table.alias == alias) return &table;
    }
  }
  return nullptr;
}

/// LEVEL of CONNECT BY.
bool Emitter::is_level(const Expression& node) const {
  return node.names.size() == 1 && node.names[0] == "level" && !scopes_.empty() &&
         !scopes_.back().level.empty() && find_column(node) == nullptr;
}

void Emitter::column(const Expression& node) {
  check_readable(node);
  if (is_level(node)) return write(scopes_.back().level);
  const LateralAlias* lateral = find_lateral(node);
  if (lateral != nullptr && !scopes_.back().by_alias && may_raise(lateral->text)) {
    // DuckDB refuses the alias of an expression that can fail ("has side effects").
    write("(");
    write(std::string(lateral->text));
    return write(")");
  }
  if (const auto path = super_navigation(node)) {
    reached_ = 0;  // which scope has it is not asked
    return super_path(path->first, path->second);
  }
  const ScopeColumn* known = unambiguous_column(node);
  const std::vector<std::string>& names = node.names;
  // Functions that are written without brackets, but no words of the grammar.
  const bool bare = names.size() == 1 &&
                    (names[0] == "current_aws_account" || names[0] == "current_namespace") &&
                    known == nullptr;
  if (bare) return write(context_.system_schema + "." + quote_identifier(names[0]) + "()");
  const bool taken = super_use_ != SuperUse::kValue && infer(node).kind == Inferred::kSuper;
  if (taken) {
    write(context_.function_schema +
          (super_use_ == SuperUse::kText ? ".super_text(" : ".super_number("));
  }
  const ScopeTable* element = names.size() == 1 ? find_alias(names[0]) : nullptr;
  if (element != nullptr && element->element && !element->columns.empty()) {
    write(element->columns[0].emitted);
  } else if (known != nullptr && !known->emitted.empty()) {
    write(known->emitted);
  } else if (names.size() == 1) {
    if (element != nullptr && element->element) {
      identifier(element->emitted_alias);
      write(".");
    }
    identifier(names[0]);
  } else {
    const ScopeTable* table = find_alias(names[names.size() - 2]);
    identifier(table == nullptr ? names[names.size() - 2] : table->emitted_alias);
    write(".");
    identifier(names.back());
  }
  if (taken) write(")");
}

/// The engine tells columns of one name apart only when they are of different tables.
const ScopeColumn* Emitter::unambiguous_column(const Expression& node) {
  const ScopeColumn* column = find_column(node);
  if (column == nullptr) reached_ = 0;
  if (column == nullptr || is_output_alias(node)) return column;
  for (std::size_t i = 0; i < scopes_.size(); ++i) {
    for (const ScopeTable& table : scopes_[i].tables) {
      const ScopeColumn* const first = table.columns.data();
      if (column < first || column >= first + table.columns.size()) continue;
      reached_ = std::min(reached_, i);
      if (table.columns_known &&
          std::ranges::count(table.columns, column->name, &ScopeColumn::name) > 1)
        fail("42702", "column reference \"" + column->name + "\" is ambiguous", node.span);
    }
  }
  return column;
}

void Emitter::subscript(const Expression& node) {
  if (const auto path = super_navigation(node)) return super_path(path->first, path->second);
  write(context_.system_schema + ".leat_element(");
  expression(*node.children[0]);
  write(", ");
  expression(*node.children[1]);
  write(")");
}

void Emitter::field(const Expression& node) {
  if (const auto path = super_navigation(node)) return super_path(path->first, path->second);
  write("(");
  expression(*node.children[0]);
  write(").");
  identifier(node.names[0]);
}

void Emitter::number(const Expression& node) {
  const std::string_view text = node.text;
  const bool exponent = text.find_first_of("eE") != std::string_view::npos;
  const bool zero = text.find_first_of("123456789") == std::string_view::npos;
  if (exponent && !zero && !parse_number<double>(text)) {
    fail("22003", "\"" + node.text + "\" is out of range for type double precision", node.span);
  }
  const std::size_t first = std::min(text.find_first_not_of('0'), text.size());
  if (!exponent && text.find('.') == std::string_view::npos && text.size() - first > 38) {
    fail("22003", "Numeric data overflow: " + node.text + " has more than 38 digits", node.span);
  }
  if (text.front() == '.') write("0");  // DuckDB would show .5 so
  write(text);
}

void Emitter::interval(const Expression& node) {
  const auto parsed = parse_interval(node.text, node.names);
  if (!parsed) {
    fail("22007", "invalid input syntax for type interval: \"" + node.text + "\"", node.span);
  }
  write("INTERVAL '" + std::to_string(parsed->months) + " month " + std::to_string(parsed->days) +
        " day " + std::to_string(parsed->microseconds) + " microsecond'");
}

void Emitter::typed_literal(const TypeName& type, std::string_view text, SourceSpan span) {
  if (type.kind == TypeKind::kInterval || type.kind == TypeKind::kIntervalDayToSecond ||
      type.kind == TypeKind::kIntervalYearToMonth) {
    const auto parsed = parse_interval(text, {});
    if (!parsed) {
      fail("22007", "invalid input syntax for type interval: \"" + std::string(text) + "\"", span);
    }
    return write("INTERVAL '" + std::to_string(parsed->months) + " month " +
                 std::to_string(parsed->days) + " day " + std::to_string(parsed->microseconds) +
                 " microsecond'");
  }
  if (type.kind == TypeKind::kHllSketch)
    return write("leat_hll_sketch(CAST(" + quote_literal(text) + " AS VARCHAR))");
  const std::string normal = normal_literal(type, text, span);
  if (normal.starts_with('(')) return write(normal);
  write("CAST(");
  string_literal(normal);
  write(" AS " + duckdb_type(type) + ")");
}

}  // namespace leat::sql
