// What the translator can know of types without planning: literals, casts, known columns and the
// arithmetic of redshift.md's numeric rules. Unknown is always a right answer.
#include <algorithm>

#include "base/text.h"
#include "warehouse/sql/datetime.h"
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

/// The bytes that a value of the type takes at most as text; -1: not known.
std::int32_t text_bytes(const InferredType& type) {
  switch (type.kind) {
    case Inferred::kText:
      return type.length;
    case Inferred::kSmallint:
      return 6;
    case Inferred::kInteger:
      return 11;
    case Inferred::kBigint:
      return 20;
    case Inferred::kDecimal:
      return type.precision + 2;
    case Inferred::kDate:
      return 10;
    default:
      return -1;
  }
}

InferredType joined_texts(const InferredType& left, const InferredType& right) {
  const std::int32_t a = text_bytes(left);
  const std::int32_t b = text_bytes(right);
  // The last byte is that of the second, or of the first if the second is empty.
  return {.kind = Inferred::kText,
          .length = a >= 0 && b >= 0 ? std::min(a + b, 65535) : -1,
          .trimmed = ends_in_no_blank(left) && ends_in_no_blank(right),
          .collation = merged(left.collation, right.collation)};
}

/// `value` with a collation of that name; others than the two leave it as it is.
InferredType collated_type(InferredType value, std::string_view name) {
  const std::optional<bool> insensitive = insensitive_collation(name);
  if (!insensitive) return value;
  if (value.kind != Inferred::kText) value = {.kind = Inferred::kText};
  value.collation = *insensitive ? Collation::kInsensitive : Collation::kSensitive;
  value.collated = false;
  return value;
}

/// A count of characters that is written as a literal; -1: none.
std::int32_t literal_count(const Expression& node) {
  if (node.kind != ExpressionKind::kNumber) return -1;
  return parse_number<std::int32_t>(node.text).value_or(-1);
}

/// The arguments that become the result of a call: first, last (one behind) and the step.
struct Choices {
  std::size_t first = 0;
  std::size_t step = 1;
};

std::optional<Choices> choices_of(std::string_view name) {
  static constexpr std::string_view kAll[] = {"coalesce", "nvl", "isnull", "greatest", "least"};
  for (const std::string_view each : kAll) {
    if (name == each) return Choices{};
  }
  if (name == "nvl2") return Choices{.first = 1};
  if (name == "decode") return Choices{.first = 2, .step = 2};
  return std::nullopt;
}

}  // namespace

Collation merged(Collation a, Collation b) {
  if (a == Collation::kOpen || a == b) return b;
  return b == Collation::kOpen ? a : Collation::kMixed;
}

bool exceeds_digits(const InferredType& a, const InferredType& b) {
  const InferredType left = as_decimal(a);
  const InferredType right = as_decimal(b);
  if (left.kind != Inferred::kDecimal || right.kind != Inferred::kDecimal) return false;
  return std::max(left.precision - left.scale, right.precision - right.scale) +
             std::max(left.scale, right.scale) >
         38;
}

std::string type_words(const InferredType& type) {
  if (type.kind == Inferred::kTimestamp) return "timestamp";
  if (type.kind == Inferred::kBoolean) return "boolean";
  if (type.kind == Inferred::kText) return type.padded ? "character" : "character varying";
  if (type.kind == Inferred::kDecimal) return "numeric";
  return format_type(type_of(type));
}

/// The type in which values of both meet: CASE, COALESCE, UNION.
InferredType merged(const InferredType& a, const InferredType& b) {
  if (is_numeric(a.kind) && is_numeric(b.kind)) {
    if (is_whole(a.kind) && is_whole(b.kind)) return {std::max(a.kind, b.kind)};
    if (a.kind == Inferred::kDouble || b.kind == Inferred::kDouble) return {Inferred::kDouble};
    const InferredType left = as_decimal(a);
    const InferredType right = as_decimal(b);
    const std::int32_t scale = std::max(left.scale, right.scale);
    const std::int32_t whole = std::max(left.precision - left.scale, right.precision - right.scale);
    return {Inferred::kDecimal, std::min(whole + scale, 38), scale};
  }
  if (a.kind != b.kind) return {};
  if (a.kind != Inferred::kText) return a;
  const bool known = a.length >= 0 && b.length >= 0;
  return {.kind = Inferred::kText,
          .length = known ? std::max(a.length, b.length) : -1,
          .padded = a.padded && b.padded && a.length == b.length,
          .trimmed = !has_blanks(a) && !has_blanks(b),
          .collation = merged(a.collation, b.collation)};
}

bool is_condition(ExpressionKind kind) {
  return kind == ExpressionKind::kAnd || kind == ExpressionKind::kOr ||
         kind == ExpressionKind::kNot || kind == ExpressionKind::kIs ||
         kind == ExpressionKind::kBetween || kind == ExpressionKind::kIn ||
         kind == ExpressionKind::kLike || kind == ExpressionKind::kQuantified;
}

bool has_blanks(const InferredType& type) {
  return type.kind == Inferred::kText && !type.padded && !type.trimmed;
}

bool ends_in_no_blank(const InferredType& type) {
  return type.kind == Inferred::kText
             ? !has_blanks(type)
             : is_numeric(type.kind) || type.kind == Inferred::kBoolean ||
                   type.kind == Inferred::kDate || type.kind == Inferred::kTimestamp;
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
    case TypeKind::kInterval:
    case TypeKind::kIntervalYearToMonth:
    case TypeKind::kIntervalDayToSecond:
      return {Inferred::kInterval};
    case TypeKind::kSuper:
      return {Inferred::kSuper};
    case TypeKind::kHllSketch:
      return {Inferred::kSketch};
    case TypeKind::kOther:
      return {Inferred::kUnknown};
    default:
      return {Inferred::kOtherKnown};
  }
}

TypeName type_of(const InferredType& type) {
  static constexpr std::pair<Inferred, TypeKind> kKinds[] = {
      {Inferred::kSmallint, TypeKind::kSmallint},   {Inferred::kInteger, TypeKind::kInteger},
      {Inferred::kBigint, TypeKind::kBigint},       {Inferred::kDecimal, TypeKind::kDecimal},
      {Inferred::kDouble, TypeKind::kDouble},       {Inferred::kText, TypeKind::kVarchar},
      {Inferred::kBoolean, TypeKind::kBoolean},     {Inferred::kDate, TypeKind::kDate},
      {Inferred::kTimestamp, TypeKind::kTimestamp}, {Inferred::kSketch, TypeKind::kHllSketch},
      {Inferred::kSuper, TypeKind::kSuper},         {Inferred::kInterval, TypeKind::kInterval}};
  TypeName name;
  for (const auto& [inferred, kind] : kKinds) {
    if (type.kind == inferred) name.kind = kind;
  }
  if (type.kind == Inferred::kText) {
    if (type.padded) name.kind = TypeKind::kChar;
    name.length = type.length;
  }
  if (type.kind == Inferred::kDecimal) {
    name.precision = type.precision;
    name.scale = type.scale;
  }
  return name;
}

/// Nothing in the catalog ends in a blank, and case counts there.
InferredType inferred_of(const Relation& relation, const RelationColumn& column) {
  InferredType type = inferred_of(column.type);
  type.trimmed = relation.kind == RelationKind::kSystem || !column.blanks;
  if (type.kind == Inferred::kText)
    type.collation = column.insensitive ? Collation::kInsensitive : Collation::kSensitive;
  return type;
}

InferredType Emitter::infer(const Expression& node) const {
  switch (node.kind) {
    case ExpressionKind::kNumber:
      return number_type(node.text);
    case ExpressionKind::kBoolean:
    case ExpressionKind::kExists:
      return {Inferred::kBoolean};
    case ExpressionKind::kTypedLiteral:
      return inferred_of(*node.type);
    case ExpressionKind::kCast: {
      InferredType type = inferred_of(*node.type);
      if (type.kind != Inferred::kText) return type;
      const InferredType value = infer(*node.children[0]);
      type.collation = value.collation;
      if (type.length >= 0 || type.padded) return type;
      // Without a length of its own it keeps all of its operand.
      type.length = text_bytes(value);
      type.trimmed = ends_in_no_blank(value);
      return type;
    }
    case ExpressionKind::kCollate:
      return collated_type(infer(*node.children[0]), node.names.back());
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
    case ExpressionKind::kString:
      return {.kind = Inferred::kText,
              .length = static_cast<std::int32_t>(node.text.size()),
              .trimmed = !node.text.ends_with(' ')};
    case ExpressionKind::kSubquery: {
      const auto found = subquery_types_.find(&node);
      return found == subquery_types_.end() ? InferredType{} : found->second;
    }
    case ExpressionKind::kCase:
      return infer_choice(choices(node));
    default:
      return is_condition(node.kind) ? InferredType{Inferred::kBoolean} : InferredType{};
  }
}

const ScopeColumn* Emitter::find_column(const Expression& node) const {
  const std::vector<std::string>& names = node.names;
  if (names.size() > 1) {
    const ScopeTable* table = find_alias(names[names.size() - 2]);
    if (table == nullptr || table->element) return nullptr;
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
  if (op == "||") {
    return joined_texts(infer(*node.children[0]), infer(*node.children[1]));
  }
  const bool arithmetic = op == "+" || op == "-" || op == "*" || op == "/" || op == "%";
  if (!arithmetic) {
    if (op == "=" || op == "<>" || op == "<" || op == ">" || op == "<=" || op == ">=" ||
        op == "~" || op == "!~" || op == "~*" || op == "!~*") {
      return {Inferred::kBoolean};
    }
    return op == "^" ? InferredType{Inferred::kDouble} : InferredType{};
  }
  const InferredType left = operand_type(op, *node.children[0], *node.children[1]);
  const InferredType right = operand_type(op, *node.children[1], *node.children[0]);
  if (is_whole(left.kind) && is_whole(right.kind)) return {std::max(left.kind, right.kind)};
  const auto computes = [](Inferred kind) { return kind == Inferred::kSuper || is_numeric(kind); };
  const bool super = left.kind == Inferred::kSuper || right.kind == Inferred::kSuper;
  if (super && computes(left.kind) && computes(right.kind)) return {Inferred::kDouble};
  const bool numbers =
      (is_whole(left.kind) || left.kind == Inferred::kDecimal || left.kind == Inferred::kDouble) &&
      (is_whole(right.kind) || right.kind == Inferred::kDecimal || right.kind == Inferred::kDouble);
  if (!numbers) {
    if (left.kind == Inferred::kDate && right.kind == Inferred::kDate && op == "-")
      return {Inferred::kInteger};
    if (left.kind == Inferred::kDate && is_whole(right.kind)) return {Inferred::kDate};
    if (is_whole(left.kind) && right.kind == Inferred::kDate && op == "+") return {Inferred::kDate};
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

/// The type of one of `results`: literals and NULL take that of the others.
InferredType Emitter::infer_choice(const std::vector<const Expression*>& results) const {
  std::optional<InferredType> type;
  std::optional<InferredType> literal;
  for (const Expression* result : results) {
    if (result->kind == ExpressionKind::kNull) continue;
    const InferredType each = infer(*result);
    if (each.kind == Inferred::kSuper) return each;  // the others become SUPER
    std::optional<InferredType>& side = result->kind == ExpressionKind::kString ? literal : type;
    side = side ? merged(*side, each) : each;
  }
  if (!type) return literal.value_or(InferredType{});
  return literal && type->kind == Inferred::kText ? merged(*type, *literal) : *type;
}

std::vector<const Expression*> Emitter::choices(const Expression& node) {
  std::vector<const Expression*> results;
  if (node.kind == ExpressionKind::kCase) {
    for (std::size_t i = node.flag ? 2 : 1; i < node.children.size() - (node.flag2 ? 1 : 0); i += 2)
      results.push_back(node.children[i].get());
    if (node.flag2) results.push_back(node.children.back().get());
    return results;
  }
  if (node.kind != ExpressionKind::kFunction) return results;
  const std::string_view name = node.names.back();
  const auto places = choices_of(name);
  if (!places) return results;
  for (std::size_t i = places->first; i < node.children.size(); i += places->step)
    results.push_back(node.children[i].get());
  // DECODE's default stands behind the pairs.
  if (name == "decode" && node.children.size() % 2 == 0)
    results.push_back(node.children.back().get());
  return results;
}

void Emitter::note_wide_choices(const Expression& node) {
  const std::vector<const Expression*> results = choices(node);
  if (results.size() < 2) return;
  std::optional<InferredType> type;
  bool wide = false;
  for (const Expression* result : results) {
    if (result->kind == ExpressionKind::kNull || result->kind == ExpressionKind::kString) continue;
    const InferredType each = infer(*result);
    if (!is_numeric(each.kind)) return;
    wide = wide || (type && exceeds_digits(*type, each));
    type = type ? merged(*type, each) : each;
  }
  if (!wide) return;
  for (const Expression* result : results) {
    if (result->kind != ExpressionKind::kNull) wide_choices_[result] = type->scale;
  }
}

/// Text functions whose result is never longer than what they are given, or of a known size.
InferredType Emitter::infer_text_function(const Expression& node) const {
  const std::string_view name = node.names.back();
  if (name == "md5") return {.kind = Inferred::kText, .length = 32, .trimmed = true};
  InferredType type{Inferred::kText};
  if (node.children.empty()) return type;
  std::vector<InferredType> types;
  for (const ExpressionPtr& child : node.children) {
    types.push_back(infer(*child));
    type.collation = merged(type.collation, types.back().collation);
  }
  const InferredType& first = types[0];
  if (first.kind == Inferred::kOtherKnown) return first;  // VARBYTE
  for (const std::string_view same : {"btrim", "trim", "ltrim", "rtrim", "split_part"}) {
    if (name == same) type.length = text_bytes(first);
  }
  const bool cut = name == "btrim" || name == "trim" || name == "rtrim";
  type.trimmed =
      name == "sha" || name == "sha1" || name == "sha2" || (cut && node.children.size() == 1);
  if (name == "upper" || name == "lower" || name == "initcap" || name == "ltrim")
    type.trimmed = first.kind == Inferred::kText && !has_blanks(first);
  const bool substring = (name == "substring" || name == "substr") && node.children.size() == 3;
  if (substring || name == "left" || name == "right") {
    // Four bytes a character at most.
    const std::int32_t count = literal_count(*node.children.back());
    type.length = text_bytes(first);
    if (count >= 0 && count < 16384 && (type.length < 0 || count * 4 < type.length))
      type.length = count * 4;
  }
  if (name == "concat" && node.children.size() == 2) {
    return joined_texts(first, types[1]);
  }
  return type;
}

/// MEDIAN and PERCENTILE_CONT.
InferredType Emitter::infer_continuous(const Expression& node) const {
  const bool median = node.names.back() == "median";
  if (!median && node.call->within_group.size() != 1) return {};
  const InferredType type = infer(median ? *node.children[0] : *node.call->within_group[0].value);
  if (!is_whole(type.kind)) return type;
  // What lies between two integers has as many digits behind the point as the place has.
  const InferredType place = median ? InferredType{} : infer(*node.children[0]);
  const std::int32_t scale = place.kind == Inferred::kDecimal ? std::clamp(place.scale, 1, 8) : 1;
  return {Inferred::kDecimal, as_decimal(type).precision + scale, scale};
}

InferredType Emitter::infer_function(const Expression& node) const {
  const std::string_view name = node.names.back();
  const auto first = [&] {
    return node.children.empty() ? InferredType{} : infer(*node.children[0]);
  };
  if (name == "count" || name == "hll" || name == "hll_cardinality") return {Inferred::kBigint};
  if (name == "hll_create_sketch" || name == "hll_combine" || name == "hll_combine_sketches")
    return {Inferred::kSketch};
  if (name == "sum" || name == "avg") {
    const InferredType type = first();
    if (is_whole(type.kind)) return {Inferred::kBigint};
    if (type.kind == Inferred::kDecimal) return {Inferred::kDecimal, 38, type.scale};
    return type.kind == Inferred::kDouble ? type : InferredType{};
  }
  if (name == "median" || name == "percentile_cont") return infer_continuous(node);
  if (name == "percentile_disc" && node.call->within_group.size() == 1)
    return infer(*node.call->within_group[0].value);
  if (name == "min" || name == "max" || name == "abs" || name == "any_value" || name == "nullif" ||
      name == "lag" || name == "lead" || name == "first_value" || name == "last_value") {
    return first();
  }
  if (name == "mod" && node.children.size() == 2) {
    const InferredType divisor = infer(*node.children[1]);
    const InferredType type = first();
    const bool whole = is_whole(type.kind) && is_whole(divisor.kind);
    if (whole) return {std::max(type.kind, divisor.kind)};
    const bool numbers = is_numeric(type.kind) && is_numeric(divisor.kind);
    return numbers ? merged(type, divisor) : InferredType{};
  }
  if (const auto results = choices(node); !results.empty()) return infer_choice(results);
  if (name == "round" || name == "trunc" || name == "ceil" || name == "ceiling" ||
      name == "floor") {
    const InferredType type = first();
    if (type.kind == Inferred::kDouble) return type;
    if (type.kind != Inferred::kDecimal) return {};
    if (node.children.size() == 1) return {Inferred::kDecimal, type.precision, 0};
    const std::int32_t scale = literal_count(*node.children[1]);
    if (node.children[1]->kind != ExpressionKind::kNumber &&
        node.children[1]->kind != ExpressionKind::kUnary) {
      return {Inferred::kDecimal, std::min(type.precision + 1, 38), type.scale};
    }
    if (scale < 0) return {};
    return {Inferred::kDecimal, type.precision, std::min(scale, type.scale)};
  }
  if (name == "row_number" || name == "rank" || name == "dense_rank" || name == "datediff")
    return {Inferred::kBigint};
  if (name == "len" || name == "length" || name == "strpos" || name == "extract")
    return {Inferred::kBigint};
  if (name == "getdate" || name == "sysdate" || name == "date_trunc" || name == "dateadd")
    return {Inferred::kTimestamp};
  if (name == "current_date" || name == "to_date" || name == "last_day") return {Inferred::kDate};
  if (name == "collate" && node.children.size() == 2)
    return collated_type(first(), to_lower(node.children[1]->text));
  if (name == "sign") {  // of decimals and floating point: an integer becomes DOUBLE PRECISION
    const Inferred kind = first().kind;
    if (kind == Inferred::kDecimal) return {Inferred::kDecimal, 1, 0};
    return kind == Inferred::kDouble || is_whole(kind) ? InferredType{Inferred::kDouble}
                                                       : InferredType{};
  }
  if (name == "age" && (node.children.size() == 2 || first().kind == Inferred::kTimestamp ||
                        first().kind == Inferred::kDate)) {
    return {Inferred::kInterval};
  }
  if (name == "text_to_int_alt") return {Inferred::kInteger};
  if (name == "to_number" && node.children[1]->kind == ExpressionKind::kString)
    return {Inferred::kDecimal, 38, number_format_scale(node.children[1]->text)};
  if (name == "text_to_numeric_alt") {
    if (node.children.size() != 3) return {Inferred::kDecimal, 38, 0};
    return {Inferred::kDecimal, std::max(literal_count(*node.children[1]), 1),
            std::max(literal_count(*node.children[2]), 0)};
  }
  if (name == "to_varbyte" || name == "from_hex") return {Inferred::kOtherKnown};
  static constexpr std::string_view kDoubles[] = {"sqrt",
                                                  "cbrt",
                                                  "exp",
                                                  "dexp",
                                                  "ln",
                                                  "log",
                                                  "dlog1",
                                                  "dlog10",
                                                  "power",
                                                  "pow",
                                                  "sin",
                                                  "cos",
                                                  "tan",
                                                  "cot",
                                                  "asin",
                                                  "acos",
                                                  "atan",
                                                  "atan2",
                                                  "degrees",
                                                  "radians",
                                                  "pi",
                                                  "stddev",
                                                  "var_pop",
                                                  "stddev_pop",
                                                  "stddev_samp",
                                                  "var_samp",
                                                  "variance",
                                                  "cume_dist",
                                                  "percent_rank",
                                                  "ratio_to_report",
                                                  "months_between",
                                                  "date_part",
                                                  "pgdate_part"};
  if (std::ranges::find(kDoubles, name) != std::end(kDoubles)) return {Inferred::kDouble};
  static constexpr std::string_view kSupers[] = {"json_parse",
                                                 "array",
                                                 "object",
                                                 "object_transform",
                                                 "array_concat",
                                                 "array_flatten",
                                                 "subarray",
                                                 "split_to_array",
                                                 "array_distinct",
                                                 "array_except",
                                                 "array_intersection",
                                                 "array_positions",
                                                 "array_sort",
                                                 "lower_attribute_names",
                                                 "upper_attribute_names"};
  if (std::ranges::find(kSupers, name) != std::end(kSupers)) return {Inferred::kSuper};
  static constexpr std::string_view kTexts[] = {"upper",
                                                "lower",
                                                "btrim",
                                                "trim",
                                                "ltrim",
                                                "rtrim",
                                                "substring",
                                                "left",
                                                "right",
                                                "replace",
                                                "to_char",
                                                "listagg",
                                                "json_extract_path_text",
                                                "split_part",
                                                "concat",
                                                "regexp_replace",
                                                "regexp_substr",
                                                "md5",
                                                "lpad",
                                                "rpad",
                                                "repeat",
                                                "replicate",
                                                "reverse",
                                                "initcap",
                                                "translate",
                                                "chr",
                                                "substr",
                                                "quote_ident",
                                                "quote_literal",
                                                "sha",
                                                "sha1",
                                                "sha2",
                                                "soundex",
                                                "json_serialize",
                                                "json_extract_array_element_text"};
  for (const std::string_view text : kTexts) {
    if (name == text) return infer_text_function(node);
  }
  if (!find_function(name).empty()) return {};
  const DefinedFunction* defined = find_defined(node);
  return defined == nullptr ? InferredType{} : inferred_of(column_type(defined->returns));
}

}  // namespace leat::sql
