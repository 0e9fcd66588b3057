// What the translator can know of types without planning: literals, casts, known columns and the
// arithmetic of redshift.md's numeric rules. Unknown is always a right answer.
#include <algorithm>

#include "base/text.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

bool is_whole(Inferred kind) {
  return kind == Inferred::kSmallint || kind == Inferred::kInteger || kind == Inferred::kBigint;
}

/// An integer in decimal arithmetic.
InferredType as_decimal(InferredType type) {
  if (type.kind == Inferred::kSmallint) return {Inferred::kDecimal, 5, 0};
  if (type.kind == Inferred::kInteger) return {Inferred::kDecimal, 10, 0};
  if (type.kind == Inferred::kBigint) return {Inferred::kDecimal, 19, 0};
  return type;
}

InferredType capped(std::int32_t precision, std::int32_t scale) {
  if (precision > 38) {
    scale = std::max(38 + scale - precision, std::min(4, scale));
    precision = 38;
  }
  return {Inferred::kDecimal, precision, scale};
}

InferredType number_type(std::string_view text) {
  if (text.find_first_of("eE") != std::string_view::npos) return {Inferred::kDouble};
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) {
    if (parse_number<std::int32_t>(text)) return {Inferred::kInteger};
    if (parse_number<std::int64_t>(text)) return {Inferred::kBigint};
    return {Inferred::kDecimal, static_cast<std::int32_t>(std::min<std::size_t>(text.size(), 38)),
            0};
  }
  const auto digits = static_cast<std::int32_t>(std::min<std::size_t>(text.size() - 1, 38));
  const auto scale = static_cast<std::int32_t>(std::min<std::size_t>(text.size() - point - 1, 37));
  return {Inferred::kDecimal, std::max(digits, 1), scale};
}

/// What is left of a type when values of several sizes meet in it.
InferredType unsized(InferredType type) {
  if (type.kind == Inferred::kDecimal) return {};
  return {.kind = type.kind};
}

}  // namespace

bool is_condition(ExpressionKind kind) {
  return kind == ExpressionKind::kAnd || kind == ExpressionKind::kOr ||
         kind == ExpressionKind::kNot || kind == ExpressionKind::kIs ||
         kind == ExpressionKind::kBetween || kind == ExpressionKind::kIn ||
         kind == ExpressionKind::kLike || kind == ExpressionKind::kQuantified;
}

bool is_numeric(Inferred kind) {
  return is_whole(kind) || kind == Inferred::kDecimal || kind == Inferred::kDouble;
}

InferredType inferred_of(const TypeName& type) {
  if (type.array_dimensions > 0) return {Inferred::kList};
  switch (type.kind) {
    case TypeKind::kSmallint:
      return {Inferred::kSmallint};
    case TypeKind::kInteger:
      return {Inferred::kInteger};
    case TypeKind::kBigint:
    case TypeKind::kOid:
      return {Inferred::kBigint};
    case TypeKind::kDecimal: {
      const TypeName effective = column_type(type);
      return {Inferred::kDecimal, effective.precision, effective.scale};
    }
    case TypeKind::kReal:
    case TypeKind::kDouble:
      return {Inferred::kDouble};
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      return {
          .kind = Inferred::kText, .length = type.length, .padded = type.kind == TypeKind::kChar};
    case TypeKind::kName:
      return {Inferred::kText};
    case TypeKind::kBoolean:
      return {Inferred::kBoolean};
    case TypeKind::kDate:
      return {Inferred::kDate};
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return {Inferred::kTimestamp};
    case TypeKind::kSuper:
      return {Inferred::kSuper};
    case TypeKind::kOther:
      return {Inferred::kUnknown};
    default:
      return {Inferred::kOtherKnown};
  }
}

InferredType Emitter::infer(const Expression& node) const {
  switch (node.kind) {
    case ExpressionKind::kNumber:
      return number_type(node.text);
    case ExpressionKind::kBoolean:
    case ExpressionKind::kExists:
      return {Inferred::kBoolean};
    case ExpressionKind::kTypedLiteral:
    case ExpressionKind::kCast:
      return inferred_of(*node.type);
    case ExpressionKind::kParameter: {
      const auto index = static_cast<std::size_t>(node.number - 1);
      if (frame_ == nullptr || index >= frame_->function->parameters.size()) return {};
      return inferred_of(column_type(frame_->function->parameters[index]));
    }
    case ExpressionKind::kColumn: {
      if (const LateralAlias* lateral = find_lateral(node)) return lateral->type;
      if (const ScopeColumn* column = find_column(node)) return column->type;
      const ScopeTable* table = find_alias(node.names[0]);
      if (table != nullptr && table->element) return {Inferred::kSuper};
      const bool path = node.names.size() > 1 && super_navigation(node);
      return path ? InferredType{Inferred::kSuper} : InferredType{};
    }
    case ExpressionKind::kField:
    case ExpressionKind::kSubscript:
      return super_navigation(node) ? InferredType{Inferred::kSuper} : InferredType{};
    case ExpressionKind::kUnary:
      return node.text == "-" || node.text == "+" || node.text == "@" ? infer(*node.children[0])
                                                                      : InferredType{};
    case ExpressionKind::kBinary:
      return infer_binary(node);
    case ExpressionKind::kFunction:
      return infer_function(node);
    case ExpressionKind::kCase: {
      // All results alike, else unknown.
      const std::size_t first = node.flag ? 2 : 1;
      const InferredType type = infer(*node.children[first]);
      for (std::size_t i = first; i < node.children.size() - (node.flag2 ? 1 : 0); i += 2) {
        if (infer(*node.children[i]).kind != type.kind) return {};
      }
      if (node.flag2 && infer(*node.children.back()).kind != type.kind) return {};
      return unsized(type);
    }
    default:
      return is_condition(node.kind) ? InferredType{Inferred::kBoolean} : InferredType{};
  }
}

const ScopeColumn* Emitter::find_column(const Expression& node) const {
  const std::vector<std::string>& names = node.names;
  if (names.size() > 1) {
    const ScopeTable* table = find_alias(names[names.size() - 2]);
    if (table == nullptr) return nullptr;
    for (const ScopeColumn& column : table->columns) {
      if (column.name == names.back()) return &column;
    }
    return nullptr;
  }
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    bool all_known = true;
    for (const ScopeTable& table : scope->tables) {
      for (const ScopeColumn& column : table.columns) {
        if (column.name == names[0]) return &column;
      }
      all_known = all_known && table.columns_known;
    }
    if (!all_known) return nullptr;
  }
  return nullptr;
}

const LateralAlias* Emitter::find_lateral(const Expression& node) const {
  if (node.names.size() != 1 || scopes_.empty()) return nullptr;
  const Scope& scope = scopes_.back();
  for (const LateralAlias& lateral : scope.aliases) {
    if (lateral.alias != node.names[0]) continue;
    for (const ScopeTable& table : scope.tables) {
      if (!table.columns_known) return nullptr;
      for (const ScopeColumn& column : table.columns) {
        if (column.name == lateral.alias) return nullptr;
      }
    }
    return &lateral;
  }
  return nullptr;
}

InferredType Emitter::infer_binary(const Expression& node) const {
  const std::string_view op = node.text;
  if (op == "||") return {Inferred::kText};
  const bool arithmetic = op == "+" || op == "-" || op == "*" || op == "/" || op == "%";
  if (!arithmetic) {
    if (op == "=" || op == "<>" || op == "<" || op == ">" || op == "<=" || op == ">=" ||
        op == "~" || op == "!~" || op == "~*" || op == "!~*") {
      return {Inferred::kBoolean};
    }
    return op == "^" ? InferredType{Inferred::kDouble} : InferredType{};
  }
  const InferredType left = infer(*node.children[0]);
  const InferredType right = infer(*node.children[1]);
  if (is_whole(left.kind) && is_whole(right.kind)) return {std::max(left.kind, right.kind)};
  const bool numbers =
      (is_whole(left.kind) || left.kind == Inferred::kDecimal || left.kind == Inferred::kDouble) &&
      (is_whole(right.kind) || right.kind == Inferred::kDecimal || right.kind == Inferred::kDouble);
  if (!numbers) {
    if (left.kind == Inferred::kDate && right.kind == Inferred::kDate && op == "-")
      return {Inferred::kInteger};
    if (left.kind == Inferred::kDate && is_whole(right.kind)) return {Inferred::kDate};
    return {};
  }
  if (left.kind == Inferred::kDouble || right.kind == Inferred::kDouble) return {Inferred::kDouble};
  const InferredType a = as_decimal(left);
  const InferredType b = as_decimal(right);
  if (op == "*") return capped(a.precision + b.precision + 1, a.scale + b.scale);
  if (op == "/") {
    const std::int32_t scale = std::max(4, a.scale + b.precision - b.scale + 1);
    return capped(a.precision - a.scale + b.scale + scale, scale);
  }
  const std::int32_t scale = std::max(a.scale, b.scale);
  return capped(std::max(a.precision - a.scale, b.precision - b.scale) + scale + 1, scale);
}

InferredType Emitter::infer_function(const Expression& node) const {
  const std::string_view name = node.names.back();
  const auto first = [&] {
    return node.children.empty() ? InferredType{} : infer(*node.children[0]);
  };
  if (name == "count") return {Inferred::kBigint};
  if (name == "sum" || name == "avg") {
    const InferredType type = first();
    if (is_whole(type.kind)) return {Inferred::kBigint};
    if (type.kind == Inferred::kDecimal) return {Inferred::kDecimal, 38, type.scale};
    return type.kind == Inferred::kDouble ? type : InferredType{};
  }
  if (name == "min" || name == "max" || name == "abs" || name == "any_value" || name == "nullif" ||
      name == "lag" || name == "lead" || name == "first_value" || name == "last_value") {
    return first();
  }
  if (name == "mod" && node.children.size() == 2) {
    const InferredType divisor = infer(*node.children[1]);
    const InferredType type = first();
    const bool whole = is_whole(type.kind) && is_whole(divisor.kind);
    return whole ? InferredType{std::max(type.kind, divisor.kind)} : InferredType{};
  }
  if (name == "coalesce" || name == "nvl" || name == "greatest" || name == "least") {
    const InferredType type = first();
    for (const ExpressionPtr& child : node.children) {
      if (infer(*child).kind != type.kind) return {};
    }
    return unsized(type);
  }
  if (name == "row_number" || name == "rank" || name == "dense_rank" || name == "datediff")
    return {Inferred::kBigint};
  if (name == "len" || name == "length" || name == "strpos" || name == "extract")
    return {Inferred::kBigint};
  if (name == "getdate" || name == "sysdate" || name == "date_trunc" || name == "dateadd")
    return {Inferred::kTimestamp};
  if (name == "current_date" || name == "to_date" || name == "last_day") return {Inferred::kDate};
  if (name == "to_varbyte" || name == "from_hex") return {Inferred::kOtherKnown};
  if (name == "json_parse" || name == "array" || name == "object") return {Inferred::kSuper};
  for (const std::string_view text :
       {"upper", "lower", "btrim", "ltrim", "rtrim", "substring", "left", "right", "replace",
        "to_char", "listagg", "json_extract_path_text", "split_part", "concat", "regexp_replace",
        "regexp_substr", "md5"}) {
    if (name == text) return {Inferred::kText};
  }
  return {};
}

}  // namespace leat::sql
