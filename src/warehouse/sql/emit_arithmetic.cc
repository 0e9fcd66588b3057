// Operators between two values: numbers, dates, intervals, text.
#include <algorithm>

#include "base/text.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {

bool is_number_text(std::string_view text) {
  return !text.empty() && parse_number<double>(text).has_value() &&
         text.find_first_of("nN") == std::string_view::npos;
}

namespace {

/// The DuckDB type of a parameter that takes it from its neighbour; empty: none.
std::string parameter_cast(const InferredType& type) {
  switch (type.kind) {
    case Inferred::kSmallint:
      return "SMALLINT";
    case Inferred::kInteger:
      return "INTEGER";
    case Inferred::kBigint:
      return "BIGINT";
    case Inferred::kDecimal:
      return "DECIMAL(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
    case Inferred::kDouble:
      return "DOUBLE";
    case Inferred::kDate:
      return "DATE";
    default:
      return {};
  }
}

}  // namespace

InferredType Emitter::operand_type(std::string_view op, const Expression& node,
                                   const Expression& other) const {
  if (node.kind != ExpressionKind::kParameter || frame_ != nullptr) return infer(node);
  if (is_declared(node)) {
    const TypeName& type = context_.parameter_types[static_cast<std::size_t>(node.number - 1)];
    return is_any_decimal(type) ? kAnyDecimal : inferred_of(column_type(type));
  }
  const InferredType beside = infer(other);
  if (beside.kind == Inferred::kDecimal) return kAnyDecimal;
  if (is_numeric(beside.kind)) return beside;
  // A date has no sum with another, so days are added to it; a difference is that of two dates.
  if (beside.kind == Inferred::kDate && op == "+") return {Inferred::kInteger};
  return beside.kind == Inferred::kDate && op == "-" ? beside : InferredType{};
}

/// `1 + '2'`: an untyped literal takes the other side's type.
void Emitter::arithmetic_operand(std::string_view op, const Expression& node,
                                 const Expression& other) {
  if (node.kind == ExpressionKind::kString && is_number_text(node.text)) {
    const InferredType type = infer(other);
    if (is_numeric(type.kind)) return write(node.text);
  }
  const bool literal = node.kind == ExpressionKind::kString && op.size() == 1 &&
                       std::string_view("+-*/%").find(op) != std::string_view::npos;
  if (literal && is_numeric(infer(other).kind) && to_lower(trim(node.text)) != "nan") {
    fail("22P02",
         "invalid input syntax for " + format_type(type_of(infer(other))) + ": \"" + node.text +
             "\"",
         node.span);
  }
  if (is_untyped_parameter(node)) {
    const std::string type = parameter_cast(operand_type(op, node, other));
    if (!type.empty()) {
      has_parameters_ = true;
      return write("CAST($" + std::to_string(node.number) + " AS " + type + ")");
    }
  }
  if (infer(node).kind != Inferred::kSuper) return operand(node);
  with_super_as(SuperUse::kNumber, [&] { operand(node); });
}

template <class Operand>
void Emitter::balanced(std::span<const Expression* const> operands, std::string_view op,
                       const Operand& operand) {
  if (operands.size() == 1) return operand(*operands.front());
  const std::size_t half = operands.size() / 2;
  write("(");
  balanced(operands.first(half), op, operand);
  write(op);
  balanced(operands.subspan(half), op, operand);
  write(")");
}

bool Emitter::long_chain(const Expression& node) {
  if ((node.text != "||" && node.text != "+") || node.depth <= kPlainChainMax) return false;
  std::vector<const Expression*> operands;
  const Expression* first = &node;
  for (; first->kind == ExpressionKind::kBinary && first->text == node.text;
       first = first->children[0].get()) {
    operands.push_back(first->children[1].get());
  }
  operands.push_back(first);
  // A parameter without a type takes that of what is to its left.
  const bool typed = std::ranges::none_of(
      operands, [&](const Expression* each) { return is_untyped_parameter(*each); });
  if (!typed || operands.size() <= kPlainChainMax) return false;
  std::ranges::reverse(operands);
  if (node.text == "||") {
    balanced(operands, " || ", [&](const Expression& each) { concatenated_operand(each); });
    return true;
  }
  // Of one type: the parts of a sum of several could leave the range of the narrower one.
  const Inferred kind = infer(*first).kind;
  const bool whole =
      kind == Inferred::kSmallint || kind == Inferred::kInteger || kind == Inferred::kBigint;
  if (!whole || !std::ranges::all_of(
                    operands, [&](const Expression* each) { return infer(*each).kind == kind; })) {
    return false;
  }
  balanced(operands, " + ", [&](const Expression& each) { operand(each); });
  return true;
}

void Emitter::concatenated_operand(const Expression& node) {
  // DuckDB writes these otherwise.
  if (infer(node).kind == Inferred::kDouble || is_interval(node)) return write(as_text(node));
  operand(node);
}

void Emitter::concatenated(const Expression& node) {
  if (collations_) static_cast<void>(met(node.children, node.span));
  with_super_as(SuperUse::kText, [&] {
    if (long_chain(node)) return;
    concatenated_operand(*node.children[0]);
    write(" || ");
    concatenated_operand(*node.children[1]);
  });
}

void Emitter::binary(const Expression& node) {
  const std::string_view op = node.text;
  const Expression& left = *node.children[0];
  const Expression& right = *node.children[1];
  refuse_sketch_operands(node, op);
  if (checked_float(node)) return;
  if (op == "/" || op == "%") return division(node);
  if (op == "~" || op == "!~" || op == "~*" || op == "!~*")
    return with_super_as(SuperUse::kText, [&] { regex_match(node); });
  if (op == "#") return call_template("xor($1, $2)", node);
  if (op == "^") return call_template("$m.power($1, $2)", node);
  if (op == "||") return concatenated(node);
  if (long_chain(node)) return;
  if (op == "+" || op == "-" || op == "*") {
    // An untyped literal beside a date is a date.
    const auto is_date = [&](const Expression& side, const Expression& other) {
      return operand_type(op, side, other).kind == Inferred::kDate ||
             (side.kind == ExpressionKind::kString && infer(other).kind == Inferred::kDate);
    };
    const bool dates = op == "-" && is_date(left, right) && is_date(right, left) &&
                       (left.kind != ExpressionKind::kString || right.kind != left.kind);
    const auto side = [&](const Expression& node_side, const Expression& other) {
      if (!dates || node_side.kind != ExpressionKind::kString)
        return arithmetic_operand(op, node_side, other);
      TypeName date;
      date.kind = TypeKind::kDate;
      literal_cast(node_side, date);
    };
    if (dates) write("CAST(");
    side(left, right);
    write(" ");
    write(op);
    write(" ");
    side(right, left);
    if (dates) write(" AS INTEGER)");
    return;
  }
  if (op == "~~" || op == "!~~" || op == "~~*" || op == "!~~*" || op == "&" || op == "|" ||
      op == "<<" || op == ">>") {
    operand(left);
    write(" ");
    write(op);
    write(" ");
    return operand(right);
  }
  comparison(op, left, right);
}

bool Emitter::is_interval(const Expression& node) const {
  const auto named = [](const TypeName& type) {
    return type.kind == TypeKind::kInterval || type.kind == TypeKind::kIntervalDayToSecond ||
           type.kind == TypeKind::kIntervalYearToMonth;
  };
  switch (node.kind) {
    case ExpressionKind::kInterval:
      return true;
    case ExpressionKind::kTypedLiteral:
    case ExpressionKind::kCast:
      return named(*node.type);
    case ExpressionKind::kUnary:
      return is_interval(*node.children[0]);
    case ExpressionKind::kBinary: {
      const Expression& left = *node.children[0];
      const Expression& right = *node.children[1];
      if (node.text == "*") return is_interval(left) || is_interval(right);
      if (node.text == "/") return is_interval(left);
      const bool moments =
          infer(left).kind == Inferred::kTimestamp && infer(right).kind == Inferred::kTimestamp;
      return (node.text == "-" && moments) ||
             ((node.text == "-" || node.text == "+") && is_interval(left) && is_interval(right));
    }
    default:
      return infer(node).kind == Inferred::kInterval;
  }
}

void Emitter::division(const Expression& node) {
  const Expression& left = *node.children[0];
  const Expression& right = *node.children[1];
  // Written first: what a subquery gives is known then.
  const std::string dividend = captured([&] { arithmetic_operand(node.text, left, right); });
  const std::string divisor = captured([&] { arithmetic_operand(node.text, right, left); });
  const InferredType result = infer_binary(node);
  if (node.text == "/" && result.kind == Inferred::kDecimal) {
    return exact_quotient(dividend, divisor, result);
  }
  if (node.text == "/" && is_interval(left)) {
    return write("\"/\"(" + dividend + ", " + context_.function_schema + ".divisor(" + divisor +
                 "))");
  }
  const bool nonzero =
      right.kind == ExpressionKind::kNumber && parse_number<double>(right.text).value_or(0) != 0;
  write(dividend + " " + node.text + " ");
  write(nonzero ? divisor : context_.function_schema + ".divisor(" + divisor + ")");
}

void Emitter::exact_quotient(const std::string& dividend, const std::string& divisor,
                             const InferredType& result) {
  const bool narrower = result.precision != 18 && result.precision != 38;
  if (narrower) write("CAST(");
  write(quotient_call(result.precision, result.scale, dividend, divisor));
  if (narrower) {
    write(" AS DECIMAL(" + std::to_string(result.precision) + "," + std::to_string(result.scale) +
          "))");
  }
}

std::string Emitter::quotient_call(std::int32_t precision, std::int32_t scale,
                                   const std::string& dividend, const std::string& divisor) {
  return std::string(precision > 18 ? "leat_quotient_38_" : "leat_quotient_18_") +
         std::to_string(scale) + "(" + dividend + ", " + divisor + ")";
}

}  // namespace leat::sql
