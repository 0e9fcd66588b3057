// Floating-point arithmetic that leaves the range is an error (22003), where DuckDB computes on
// with infinity. An infinite value stays one through +, - and *, so one check of the outermost
// result covers all of an expression's operators; what stands under a division has a check of its
// own. The check is given the operands that may be infinite themselves, which is no error.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

bool is_arithmetic(const Expression& node) {
  return node.kind == ExpressionKind::kBinary &&
         (node.text == "+" || node.text == "-" || node.text == "*" || node.text == "/");
}

/// False for what costs too much to be computed twice, has no text of its own to repeat, or would
/// make the text grow with each level: aggregates do not stand in each other.
bool is_repeatable(const Expression& node, bool arithmetic) {
  const bool window = node.call && node.call->window;
  if (window || node.query || node.kind == ExpressionKind::kParameter) return false;
  if (is_arithmetic(node) && !arithmetic) return false;
  const bool inner = arithmetic || calls_aggregate(node);
  return std::ranges::all_of(
      node.children, [&](const ExpressionPtr& child) { return is_repeatable(*child, inner); });
}

}  // namespace

/// Notes the operators in `node` as parts of an expression that is checked as a whole, and adds the
/// operands that may be infinite. False: not all of them can be named.
bool Emitter::float_operands(const Expression& node, std::vector<const Expression*>& operands) {
  if (is_arithmetic(node) ||
      (node.kind == ExpressionKind::kUnary && (node.text == "-" || node.text == "+"))) {
    bool known = true;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const Expression& child = *node.children[i];
      if (is_arithmetic(child) && !(node.text == "/" && i == 1)) float_parts_.insert(&child);
      known = float_operands(child, operands) && known;
    }
    return known;
  }
  if (node.kind == ExpressionKind::kNumber) return true;
  if (node.kind == ExpressionKind::kString) return is_number_text(node.text);
  if (node.kind == ExpressionKind::kParameter && frame_ == nullptr) {
    // One that takes its type from its neighbour is written with that type there only.
    const auto index = static_cast<std::size_t>(node.number - 1);
    if (!is_declared(node) ||
        inferred_of(context_.parameter_types[index]).kind != Inferred::kDouble) {
      return true;
    }
    operands.push_back(&node);
    return operands.size() <= kFloatOperandsMax;
  }
  if (infer(node).kind != Inferred::kDouble) return true;
  if (!is_repeatable(node, false) || operands.size() >= kFloatOperandsMax) return false;
  operands.push_back(&node);
  return true;
}

bool Emitter::has_computed_groups(const Select& node) {
  if (node.group_by_all) return true;
  return std::ranges::any_of(node.group_by, [&](const ExpressionPtr& key) {
    const Expression* value = key.get();
    if (key->kind == ExpressionKind::kNumber) {
      const std::size_t number = parse_number<std::uint16_t>(key->text).value_or(0);
      if (number == 0 || number > node.items.size()) return true;
      value = node.items[number - 1].value.get();
    }
    if (value->kind != ExpressionKind::kColumn) return true;
    // An alias of the select list.
    return value->names.size() == 1 && std::ranges::any_of(node.items, [&](const SelectItem& item) {
             return item.alias == value->names[0] && item.value->kind != ExpressionKind::kColumn;
           });
  });
}

bool Emitter::checked_float(const Expression& node) {
  if (!float_checks_ || !is_arithmetic(node) || float_root_ == &node ||
      float_parts_.contains(&node)) {
    return false;
  }
  const Inferred kind = infer(node).kind;
  if (!is_numeric(kind)) return false;
  std::vector<const Expression*> operands;
  const bool known = float_operands(node, operands);
  if (kind != Inferred::kDouble || !known) return false;
  const Expression* outer = std::exchange(float_root_, &node);
  write("leat_finite(");
  binary(node);
  float_root_ = outer;
  std::vector<std::string> texts;
  for (const Expression* each : operands) {
    std::string text = operand_text(*each);
    if (std::ranges::find(texts, text) != texts.end()) continue;
    write(", " + text);
    texts.push_back(std::move(text));
  }
  write(")");
  return true;
}

}  // namespace leat::sql
