// Comparisons of text with constants. Redshift ignores blanks at the end of both sides; DuckDB does
// not. Blanks of a literal are cut here. A column may hold values that end in blanks, so it is
// trimmed where it is compared; but DuckDB leaves out row groups only by conditions on the column
// itself, so such a condition, true for every value that matters, goes before. Where case does not
// count, both sides are compared in lower case, without such a condition.
#include <algorithm>

#include "base/text.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

std::string without_blanks(std::string_view text) {
  const std::size_t end = text.find_last_not_of(' ');
  return std::string(text.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

/// True when a text with blanks behind it and the text itself are on the same side of every value:
/// no byte below the blank could stand where the blanks begin.
bool blanks_are_lowest(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= ' '; });
}

std::string_view flipped(std::string_view op) {
  if (op == "<") return ">";
  if (op == ">") return "<";
  if (op == "<=") return ">=";
  if (op == ">=") return "<=";
  return op;
}

std::string in_lower_case(std::string_view text) {
  // What lies beyond ASCII is left to the engine, so that both sides are changed by the same rules.
  const bool ascii =
      std::ranges::all_of(text, [](char c) { return static_cast<signed char>(c) >= 0; });
  return ascii ? quote_literal(to_lower(text)) : "lower(" + quote_literal(text) + ")";
}

/// The first text behind `text` and all that is `text` with blanks: '!' follows the blank.
std::string behind(const ConstantText& text) {
  return text.literal ? quote_literal(*text.literal + "!") : "(" + text.sql + " || '!')";
}

}  // namespace

bool Emitter::is_constant_text(const Expression& node) const {
  if (node.kind == ExpressionKind::kString) return true;
  if (node.kind != ExpressionKind::kParameter || frame_ != nullptr) return false;
  if (!is_declared(node)) return true;
  const TypeKind kind = context_.parameter_types[static_cast<std::size_t>(node.number - 1)].kind;
  return kind == TypeKind::kVarchar || kind == TypeKind::kChar;
}

std::optional<ConstantText> Emitter::constant_text(const Expression& node, Collation collation) {
  if (!is_constant_text(node)) return std::nullopt;
  const InferredType type{.kind = Inferred::kText, .collation = collation};
  if (node.kind != ExpressionKind::kString)
    return ConstantText{.sql = text_key(text_of(node), type)};
  std::string text = without_blanks(node.text);
  if (is_insensitive(type)) return ConstantText{.sql = in_lower_case(text)};
  std::string sql = quote_literal(text);
  return ConstantText{.sql = std::move(sql), .literal = std::move(text)};
}

Emitter::TextSide Emitter::text_side(const Expression& node) const {
  if (node.kind == ExpressionKind::kString) return TextSide::kComputed;
  const InferredType type = infer(node);
  if (type.kind != Inferred::kText) return TextSide::kOther;
  if (!has_blanks(type)) return TextSide::kTrimmed;
  const bool column = node.kind == ExpressionKind::kColumn && find_lateral(node) == nullptr &&
                      find_column(node) != nullptr;
  return column ? TextSide::kColumn : TextSide::kComputed;
}

std::string Emitter::keyed_text(const Expression& node, TextSide side, Collation collation) {
  if (const auto constant = constant_text(node, collation)) return constant->sql;
  const InferredType type{
      .kind = Inferred::kText, .trimmed = side == TextSide::kTrimmed, .collation = collation};
  return has_key(type) ? text_key(text_of(node), type) : operand_text(node);
}

std::string Emitter::compared_text(std::string_view op, const Expression& value, TextSide side,
                                   Collation collation, const ConstantText& constant) {
  std::string trimmed =
      keyed_text(value, side, collation) + " " + std::string(op) + " " + constant.sql;
  const bool insensitive = is_insensitive({.kind = Inferred::kText, .collation = collation});
  if (side != TextSide::kColumn || insensitive || op == "<>" || op == "!=") return trimmed;
  const std::string column = operand_text(value);
  if (op == "=") {
    return "(" + column + " >= " + constant.sql + " AND " + column + " < " + behind(constant) +
           " AND " + trimmed + ")";
  }
  if (!constant.literal || !blanks_are_lowest(*constant.literal)) return trimmed;
  if (op == "<" || op == ">=") return column + " " + std::string(op) + " " + constant.sql;
  if (op == ">") return "(" + column + " > " + constant.sql + " AND " + trimmed + ")";
  return "(" + column + " < " + behind(constant) + " AND " + trimmed + ")";
}

bool Emitter::text_comparison(std::string_view op, const Expression& left,
                              const Expression& right) {
  const bool right_constant = is_constant_text(right);
  if (!right_constant && !is_constant_text(left)) return false;
  const Expression& value = right_constant ? left : right;
  const TextSide side = text_side(value);
  if (side == TextSide::kOther) return false;
  const Collation collation = infer(value).collation;
  const auto constant = constant_text(right_constant ? right : left, collation);
  write(compared_text(right_constant ? op : flipped(op), value, side, collation, *constant));
  return true;
}

/// A column of text beside a number: a decimal turns the text into a decimal, any other number is
/// compared as text.
bool Emitter::number_comparison(std::string_view op, const Expression& left,
                                const Expression& right) {
  const auto stored_text = [&](const Expression& node) {
    return node.kind == ExpressionKind::kColumn && infer(node).kind == Inferred::kText;
  };
  const bool left_text = stored_text(left);
  if (left_text == stored_text(right)) return false;
  const InferredType number = infer(left_text ? right : left);
  if (!is_numeric(number.kind)) return false;
  const bool decimal = number.kind == Inferred::kDecimal;
  const auto side = [&](const Expression& node) {
    const bool text = (&node == &left) == left_text;
    if (text != decimal) return operand(node);
    write("CAST(");
    expression(node);
    write(decimal ? " AS DECIMAL(38," + std::to_string(number.scale) + "))" : " AS VARCHAR)");
  };
  side(left);
  write(" " + std::string(op) + " ");
  side(right);
  return true;
}

bool Emitter::text_between(const Expression& node) {
  const Expression& value = *node.children[0];
  const TextSide side = text_side(value);
  if (side == TextSide::kOther) return false;
  const Collation collation = met(node.children, node.span);
  const auto first = constant_text(*node.children[1], collation);
  const auto last = constant_text(*node.children[2], collation);
  if (!first || !last) {
    bool texts = true;
    bool keys = is_insensitive({.kind = Inferred::kText, .collation = collation});
    for (const ExpressionPtr& each : node.children) {
      texts = texts && (is_constant_text(*each) || infer(*each).kind == Inferred::kText);
      keys = keys || has_key(*each);
    }
    if (!texts || !keys) return false;
    write(compared_value(value, collation) + (node.negated ? " NOT BETWEEN " : " BETWEEN ") +
          compared_value(*node.children[1], collation) + " AND " +
          compared_value(*node.children[2], collation));
    return true;
  }
  if (node.negated) write("NOT ");
  write("(" + compared_text(">=", value, side, collation, *first) + " AND " +
        compared_text("<=", value, side, collation, *last) + ")");
  return true;
}

bool Emitter::text_in(const Expression& node) {
  const Expression& value = *node.children[0];
  if (node.query || node.children.size() < 2) return false;
  const TextSide side = text_side(value);
  if (side == TextSide::kOther) return false;
  const Collation collation = met(node.children, node.span);
  const bool insensitive = is_insensitive({.kind = Inferred::kText, .collation = collation});
  const bool constants =
      std::all_of(node.children.begin() + 1, node.children.end(), [&](const ExpressionPtr& each) {
        return each->kind == ExpressionKind::kNull || is_constant_text(*each);
      });
  if (!constants) {
    for (const ExpressionPtr& each : node.children) {
      if (each->kind != ExpressionKind::kNull && !is_constant_text(*each) &&
          infer(*each).kind != Inferred::kText)
        return false;
    }
    if (!insensitive &&
        std::ranges::none_of(node.children, [&](auto& each) { return has_key(*each); }))
      return false;
    write(compared_value(value, collation) + (node.negated ? " NOT IN (" : " IN ("));
    for (std::size_t i = 1; i < node.children.size(); ++i)
      write((i > 1 ? ", " : "") + compared_value(*node.children[i], collation));
    write(")");
    return true;
  }
  std::string list;
  std::optional<std::string> first;
  std::optional<std::string> last;
  bool literals = true;
  for (std::size_t i = 1; i < node.children.size(); ++i) {
    const Expression& each = *node.children[i];
    const auto constant = constant_text(each, collation);
    list += (i > 1 ? ", " : "") + (constant ? constant->sql : "NULL");
    literals = literals && constant && constant->literal;
    if (!literals) continue;
    first = std::min(first.value_or(*constant->literal), *constant->literal);
    last = std::max(last.value_or(*constant->literal), *constant->literal);
  }
  const std::string test =
      keyed_text(value, side, collation) + (node.negated ? " NOT IN (" : " IN (") + list + ")";
  if (node.negated || !literals || side != TextSide::kColumn) {
    write(test);
    return true;
  }
  const std::string column = operand_text(value);
  write("(" + column + " >= " + quote_literal(*first) + " AND " + column + " < " +
        quote_literal(*last + "!") + " AND " + test + ")");
  return true;
}

}  // namespace leat::sql
