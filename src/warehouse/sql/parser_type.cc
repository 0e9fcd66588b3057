// Type names: one or several words, modifiers, array brackets.
#include "warehouse/sql/parser_core.h"

namespace leat::sql {
namespace {

struct NamedType {
  std::string_view name;
  TypeKind kind;
};

constexpr NamedType kNamedTypes[] = {
    {"bool", TypeKind::kBoolean},
    {"boolean", TypeKind::kBoolean},
    {"smallint", TypeKind::kSmallint},
    {"int2", TypeKind::kSmallint},
    {"int", TypeKind::kInteger},
    {"integer", TypeKind::kInteger},
    {"int4", TypeKind::kInteger},
    {"bigint", TypeKind::kBigint},
    {"int8", TypeKind::kBigint},
    {"decimal", TypeKind::kDecimal},
    {"numeric", TypeKind::kDecimal},
    {"dec", TypeKind::kDecimal},
    {"real", TypeKind::kReal},
    {"float4", TypeKind::kReal},
    {"float8", TypeKind::kDouble},
    {"float", TypeKind::kDouble},
    {"char", TypeKind::kChar},
    {"character", TypeKind::kChar},
    {"nchar", TypeKind::kChar},
    {"bpchar", TypeKind::kChar},
    {"varchar", TypeKind::kVarchar},
    {"nvarchar", TypeKind::kVarchar},
    {"text", TypeKind::kVarchar},
    {"string", TypeKind::kVarchar},
    {"date", TypeKind::kDate},
    {"time", TypeKind::kTime},
    {"timetz", TypeKind::kTimeTz},
    {"timestamp", TypeKind::kTimestamp},
    {"datetime", TypeKind::kTimestamp},
    {"timestamptz", TypeKind::kTimestampTz},
    {"interval", TypeKind::kInterval},
    {"intervaly2m", TypeKind::kIntervalYearToMonth},
    {"intervald2s", TypeKind::kIntervalDayToSecond},
    {"super", TypeKind::kSuper},
    {"varbyte", TypeKind::kVarbyte},
    {"varbinary", TypeKind::kVarbyte},
    {"hllsketch", TypeKind::kHllSketch},
    {"geometry", TypeKind::kGeometry},
    {"geography", TypeKind::kGeography},
    {"name", TypeKind::kName},
    {"oid", TypeKind::kOid},
    {"regclass", TypeKind::kRegClass},
    {"regtype", TypeKind::kRegType},
    {"regproc", TypeKind::kRegProc},
    {"regprocedure", TypeKind::kRegProc},
    {"regnamespace", TypeKind::kRegNamespace},
};

TypeKind named_type(std::string_view name) {
  for (const NamedType& entry : kNamedTypes) {
    if (entry.name == name) return entry.kind;
  }
  return TypeKind::kOther;
}

constexpr std::int32_t kVarcharLengthMax = 65535;
constexpr std::int32_t kCharLengthMax = 4096;
constexpr std::int32_t kVarbyteLengthMax = 16777216;

std::int32_t length_max(TypeKind kind) {
  if (kind == TypeKind::kChar) return kCharLengthMax;
  return kind == TypeKind::kVarchar ? kVarcharLengthMax : kVarbyteLengthMax;
}

bool has_length(TypeKind kind) {
  return kind == TypeKind::kChar || kind == TypeKind::kVarchar || kind == TypeKind::kVarbyte;
}

}  // namespace

void Parser::type_modifiers(TypeName& type, bool is_float) {
  const Token& where = token();
  if (!accept_operator("(")) return;
  if (accept("max"_w)) {
    if (!has_length(type.kind)) syntax_error(where);
    type.length = length_max(type.kind);
    expect_operator(")");
    return;
  }
  const std::int64_t first = integer();
  std::int64_t second = -1;
  if (accept_operator(",")) {
    second = integer();
    if (second < 0) syntax_error(where);
  }
  expect_operator(")");
  if (has_length(type.kind) && second < 0) {
    if (first < 1 || first > length_max(type.kind)) {
      fail_at(where, "22023",
              "length for type " + format_type(type) + " must be between 1 and " +
                  std::to_string(length_max(type.kind)));
    }
    type.length = static_cast<std::int32_t>(first);
  } else if (type.kind == TypeKind::kDecimal) {
    if (first < 1 || first > 38) {
      fail_at(where, "22023",
              "NUMERIC precision " + std::to_string(first) + " must be between 1 and 38");
    }
    if (second > std::min<std::int64_t>(first, 37)) {
      fail_at(where, "22023",
              "NUMERIC scale " + std::to_string(second) + " must be between 0 and precision " +
                  std::to_string(first));
    }
    type.precision = static_cast<std::int32_t>(first);
    type.scale = second < 0 ? 0 : static_cast<std::int32_t>(second);
  } else if (is_float) {
    if (first < 1 || first > 53)
      fail_at(where, "22023", "precision for type float must be between 1 and 53");
    if (first <= 24) type.kind = TypeKind::kReal;
  } else if (type.kind != TypeKind::kTime && type.kind != TypeKind::kTimeTz &&
             type.kind != TypeKind::kTimestamp && type.kind != TypeKind::kTimestampTz &&
             type.kind != TypeKind::kInterval && type.kind != TypeKind::kOther) {
    syntax_error(where);
  }
}

void Parser::time_zone_words(TypeName& type) {
  if (type.kind != TypeKind::kTime && type.kind != TypeKind::kTimestamp) return;
  const bool with = at("with"_w);
  if (!(with || at("without"_w)) || !at("time"_w, 1) || !at("zone"_w, 2)) return;
  advance(3);
  if (with) type.kind = type.kind == TypeKind::kTime ? TypeKind::kTimeTz : TypeKind::kTimestampTz;
}

void Parser::interval_type_fields(TypeName& type) {
  if (type.kind != TypeKind::kInterval) return;
  const auto is_field = [&](std::size_t ahead) {
    return at_any({"year"_w, "month"_w, "day"_w, "hour"_w, "minute"_w, "second"_w}, ahead);
  };
  if (!is_field(0)) return;
  const bool months = at_any({"year"_w, "month"_w});
  type.kind = months ? TypeKind::kIntervalYearToMonth : TypeKind::kIntervalDayToSecond;
  advance();
  if (at("to"_w) && is_field(1)) {
    if (months != at("month"_w, 1)) syntax_error(token(1));
    advance(2);
  }
  if (!months) {
    if (at_operator("(")) {
      advance();
      (void)integer();
      expect_operator(")");
    }
  }
}

TypeName Parser::type_name() {
  const std::size_t first = at_;
  if (at("pg_catalog"_w) && at_operator(".", 1)) advance(2);
  if (!is_label(token()) ||
      (word_class(token().word) == WordClass::kHard && !at("interval"_w) && !at("timestamp"_w))) {
    syntax_error();
  }
  TypeName type;
  type.spelling = std::string(token().text);
  if (at_kind(TokenKind::kQuotedIdentifier) && token().text == "char") {
    type.kind = TypeKind::kInternalChar;
  } else {
    type.kind = named_type(token().text);
  }
  advance();
  bool is_float = type.spelling == "float";
  if (type.spelling == "double" && accept("precision"_w)) {
    type.kind = TypeKind::kDouble;
    type.spelling = "double precision";
  } else if (type.kind == TypeKind::kChar && type.spelling != "bpchar" && accept("varying"_w)) {
    type.kind = TypeKind::kVarchar;
    type.spelling += " varying";
  } else if (type.spelling == "binary" && accept("varying"_w)) {
    type.kind = TypeKind::kVarbyte;
    type.spelling = "binary varying";
  }
  type_modifiers(type, is_float);
  time_zone_words(type);
  interval_type_fields(type);
  while (at_operator("[")) {
    advance();
    if (at_kind(TokenKind::kNumber)) advance();
    expect_operator("]");
    if (++type.array_dimensions > 6) syntax_error();
  }
  type.span = span_from(first);
  return type;
}

/// DATE '...' and every other `type 'text'`; null when the cursor stands at none.
ExpressionPtr Parser::typed_literal_or_null() {
  const Token& current = token();
  if (current.kind != TokenKind::kWord || at("interval"_w)) return nullptr;
  bool literal = at_kind(TokenKind::kString, 1);
  if (!literal && (at("timestamp"_w) || at("time"_w))) {
    literal = at_any({"with"_w, "without"_w}, 1) && at("time"_w, 2) && at("zone"_w, 3) &&
              at_kind(TokenKind::kString, 4);
  }
  if (!literal && at("double"_w)) literal = at("precision"_w, 1) && at_kind(TokenKind::kString, 2);
  if (!literal || named_type(current.text) == TypeKind::kOther) {
    if (!(literal && at("double"_w))) return nullptr;
  }
  const std::size_t first = at_;
  ExpressionPtr node = make(ExpressionKind::kTypedLiteral, first);
  node->type = std::make_unique<TypeName>(type_name());
  node->text = string_literal();
  node->span = span_from(first);
  return done(std::move(node));
}

}  // namespace leat::sql
