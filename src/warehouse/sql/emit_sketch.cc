// HLLSKETCH: its functions, what becomes one, and what no sketch can do. A sketch has no order and
// no equality; besides its own functions only COUNT, COALESCE, NVL and CASE take one.
#include <algorithm>

#include "base/text.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

std::string_view type_word(Inferred kind) {
  switch (kind) {
    case Inferred::kSmallint:
      return "smallint";
    case Inferred::kInteger:
      return "integer";
    case Inferred::kBigint:
      return "bigint";
    case Inferred::kDecimal:
      return "numeric";
    case Inferred::kDouble:
      return "double precision";
    case Inferred::kText:
      return "character varying";
    case Inferred::kBoolean:
      return "boolean";
    case Inferred::kDate:
      return "date";
    case Inferred::kTimestamp:
      return "timestamp without time zone";
    case Inferred::kSuper:
      return "super";
    case Inferred::kSketch:
      return "hllsketch";
    default:
      return "unknown";
  }
}

bool takes_sketches(const Expression& call) {
  const std::string_view name = call.names.back();
  if (name == "count") return !call.call->distinct && !call.call->approximate;
  return name == "coalesce" || name == "nvl" || name == "hll_combine" ||
         name == "hll_cardinality" || name == "hll_combine_sketches";
}

/// What a sketch can be read from when it is stored or cast.
bool may_be_text(Inferred kind) {
  return kind == Inferred::kText || kind == Inferred::kUnknown;
}

}  // namespace

bool Emitter::is_sketch(const Expression& node) const {
  switch (node.kind) {
    case ExpressionKind::kColumn:
    case ExpressionKind::kCast:
    case ExpressionKind::kTypedLiteral:
    case ExpressionKind::kFunction:
    case ExpressionKind::kCase:
    case ExpressionKind::kSubquery:
      return infer(node).kind == Inferred::kSketch;
    default:
      return false;
  }
}

void Emitter::refuse_sketch_key(const Expression& node, std::string_view operation) const {
  if (!is_sketch(node)) return;
  fail("42883", "could not identify an " + std::string(operation) + " operator for type hllsketch",
       node.span);
}

void Emitter::refuse_sketch_keys(const Select& node, const std::vector<OrderItem>& order) const {
  const auto item = [&](const Expression& key) -> const Expression& {
    if (key.kind != ExpressionKind::kNumber) return key;
    const std::size_t number = parse_number<std::uint16_t>(key.text).value_or(0);
    return number > 0 && number <= node.items.size() ? *node.items[number - 1].value : key;
  };
  for (const ExpressionPtr& key : node.group_by) refuse_sketch_key(item(*key), "equality");
  for (const OrderItem& key : order) refuse_sketch_key(item(*key.value), "ordering");
  for (const ExpressionPtr& key : node.distinct_on) refuse_sketch_key(*key, "equality");
  if (!node.distinct) return;
  for (const SelectItem& each : node.items) refuse_sketch_key(*each.value, "equality");
}

void Emitter::refuse_sketch_operands(const Expression& node, std::string_view op) const {
  if (std::ranges::none_of(node.children,
                           [&](const ExpressionPtr& child) { return is_sketch(*child); })) {
    return;
  }
  std::string operands;
  for (std::size_t i = 0; i < node.children.size() && i < 2; ++i) {
    if (i > 0 || node.children.size() == 1)
      operands += std::string(i > 0 ? " " : "") + std::string(op) + " ";
    operands += type_word(infer(*node.children[i]).kind);
  }
  fail("42883", "operator does not exist: " + operands, node.span);
}

void Emitter::refuse_sketch_arguments(const Expression& node) const {
  if (takes_sketches(node) || std::ranges::none_of(node.children, [&](const ExpressionPtr& child) {
        return is_sketch(*child);
      })) {
    return;
  }
  std::string types;
  for (const ExpressionPtr& child : node.children)
    types += (types.empty() ? "" : ", ") + std::string(type_word(infer(*child).kind));
  fail("42883", "function " + node.names.back() + "(" + types + ") does not exist", node.span);
}

bool Emitter::sketch_function(const Expression& node) {
  const std::string_view name = node.names.back();
  if (!name.starts_with("hll")) return false;
  if (node.call->window)
    unsupported("HyperLogLog function " + std::string(name) + " with OVER", node.span);
  const bool of_values = name == "hll" || name == "hll_create_sketch";
  for (const ExpressionPtr& child : node.children) {
    const Inferred kind = infer(*child).kind;
    const bool known = kind != Inferred::kUnknown && kind != Inferred::kSketch;
    if (of_values || !known || child->kind == ExpressionKind::kString) continue;
    fail("42883",
         "function " + std::string(name) + "(" + std::string(type_word(kind)) + ") does not exist",
         child->span);
  }
  write("leat_");
  write(name);
  write("(");
  if (of_values) {
    compared_values(node.children);
  } else {
    comma_separated(node.children);
  }
  write(")");
  over(node);
  return true;
}

/// value::hllsketch.
void Emitter::sketch_cast(const Expression& node) {
  const Expression& value = *node.children[0];
  if (node.text == "try_cast") unsupported("TRY_CAST to HLLSKETCH", node.span);
  const Inferred kind = infer(value).kind;
  if (!may_be_text(kind) && kind != Inferred::kSketch) {
    fail("42846", "cannot cast type " + std::string(type_word(kind)) + " to hllsketch", node.span);
  }
  sketch_value(value);
}

void Emitter::sketch_value(const Expression& value) {
  if (is_sketch(value)) return expression(value);
  write("leat_hll_sketch(CAST(");
  expression(value);
  write(" AS VARCHAR))");
}

void Emitter::assigned_sketch(const Expression& value, const RelationColumn& column) {
  const Inferred kind = infer(value).kind;
  if (!may_be_text(kind) && kind != Inferred::kSketch) {
    fail("42804",
         "column \"" + column.name + "\" is of type hllsketch but expression is of type " +
             std::string(type_word(kind)),
         value.span);
  }
  sketch_value(value);
}

}  // namespace leat::sql
