// Casts: '...'::type, CAST, CONVERT, and the catalog's name types.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "warehouse/sql/datetime.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

std::string_view plain_type_name(TypeKind kind) {
  switch (kind) {
    case TypeKind::kDate:
      return "date";
    case TypeKind::kTime:
    case TypeKind::kTimeTz:
      return "time";
    default:
      return "timestamp";
  }
}

/// The types whose values are named objects; empty for others.
std::string_view registered_name(TypeKind kind) {
  switch (kind) {
    case TypeKind::kRegClass:
      return "regclass";
    case TypeKind::kRegType:
      return "regtype";
    case TypeKind::kRegProc:
      return "regproc";
    case TypeKind::kRegNamespace:
      return "regnamespace";
    default:
      return {};
  }
}

/// Types without values of their own that the catalog's queries name.
bool is_catalog_type(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "aclitem",        "abstime", "anyarray", "anyelement",     "bytea",      "cardinal_number",
      "character_data", "cid",     "cstring",  "inet",           "int2vector", "oidvector",
      "pg_node_tree",   "record",  "reltime",  "sql_identifier", "tid",        "time_stamp",
      "unknown",        "void",    "xid",      "yes_or_no"};
  return name.empty() || name.starts_with("reg") || name.starts_with('_') ||
         std::ranges::find(kNames, name) != std::end(kNames);
}

bool is_integer_text(std::string_view text) {
  text = trim(text);
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_interval_type(const TypeName& type) {
  return type.kind == TypeKind::kInterval || type.kind == TypeKind::kIntervalYearToMonth ||
         type.kind == TypeKind::kIntervalDayToSecond;
}

/// An expression of numbers alone, which Redshift computes before any row is read.
bool is_constant_number(const Expression& node) {
  if (node.kind == ExpressionKind::kNumber || node.kind == ExpressionKind::kParameter) return true;
  const bool inner = node.kind == ExpressionKind::kUnary || node.kind == ExpressionKind::kBinary ||
                     node.kind == ExpressionKind::kCast;
  return inner && std::ranges::all_of(node.children, [](const ExpressionPtr& child) {
           return child->kind == ExpressionKind::kString || is_constant_number(*child);
         });
}

/// Digits, with a point and an exponent perhaps: a number, if it is none that DOUBLE holds.
bool is_number_shape(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
         text.find_first_of("123456789") != std::string_view::npos &&
         text.find_first_of("eE") != std::string_view::npos;
}

std::optional<bool> boolean_text(std::string_view text) {
  const std::string word = to_lower(trim(text));
  for (const std::string_view yes : {"t", "true", "y", "yes", "1", "on"}) {
    if (word == yes) return true;
  }
  for (const std::string_view no : {"f", "false", "n", "no", "0", "off"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

}  // namespace

/// A date, time or timestamp text in DuckDB's spelling; an SQL expression in brackets for now,
/// today and so on.
std::string Emitter::normal_literal(const TypeName& type, std::string_view text,
                                    SourceSpan span) const {
  const bool date = type.kind == TypeKind::kDate;
  const bool time = type.kind == TypeKind::kTime || type.kind == TypeKind::kTimeTz;
  const bool stamp = type.kind == TypeKind::kTimestamp || type.kind == TypeKind::kTimestampTz;
  if (type.kind == TypeKind::kBoolean) {
    const auto value = boolean_text(text);
    if (!value) {
      fail("22P02", "invalid input syntax for type boolean: \"" + std::string(text) + "\"", span);
    }
    return *value ? "true" : "false";
  }
  if (type.kind == TypeKind::kSmallint || type.kind == TypeKind::kInteger ||
      type.kind == TypeKind::kBigint) {
    if (!is_integer_text(text)) {
      fail("22P02", "invalid input syntax for integer: \"" + std::string(text) + "\"", span);
    }
    require_whole(type, trim(text), span);
    return std::string(trim(text));
  }
  if (type.kind == TypeKind::kReal || type.kind == TypeKind::kDouble) {
    const auto value = parse_number<double>(trim(text));
    const bool real = type.kind == TypeKind::kReal;
    const bool beyond = value ? real && std::isfinite(*value) &&
                                    std::fabs(*value) > std::numeric_limits<float>::max()
                              : is_number_shape(trim(text));
    if (beyond) {
      fail("22003", "\"" + std::string(text) + "\" is out of range for type " + format_type(type),
           span);
    }
  }
  if (!date && !time && !stamp) return std::string(text);
  const std::string word = to_lower(trim(text));
  const std::string type_text = duckdb_type(type);
  if (word == "now") return "(CAST(" + local_now_text() + " AS " + type_text + "))";
  if (word == "epoch" && !time) return "1970-01-01 00:00:00";
  if (!time && (word == "today" || word == "tomorrow" || word == "yesterday")) {
    const std::string days = word == "today" ? "0" : (word == "tomorrow" ? "1" : "-1");
    return "(CAST(CAST(" + local_now_text() + " AS DATE) + " + days + " AS " + type_text + "))";
  }
  const auto normal = time ? normal_time(text) : normal_timestamp(text);
  if (!normal && has_moment_shape(text))
    fail("22008", "date/time field value out of range: \"" + std::string(text) + "\"", span);
  if (!normal) {
    fail("22007",
         "invalid input syntax for type " + std::string(plain_type_name(type.kind)) + ": \"" +
             std::string(text) + "\"",
         span);
  }
  if (time) return *normal;
  const LocalMoment moment = split_moment(*normal);
  if (date) return moment.date;
  return type.kind == TypeKind::kTimestamp ? moment.date + moment.clock : *normal;
}

void Emitter::require_whole(const TypeName& type, std::string_view text, SourceSpan span) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto value = parse_number<std::int64_t>(text);
  const bool fits =
      value && (type.kind == TypeKind::kBigint ||
                (type.kind == TypeKind::kInteger && *value == static_cast<std::int32_t>(*value)) ||
                *value == static_cast<std::int16_t>(*value));
  if (fits) return;
  fail("22003", "value \"" + std::string(text) + "\" is out of range for type " + format_type(type),
       span);
}

void Emitter::literal_cast(const Expression& node, const TypeName& type) {
  const std::string normal = normal_literal(type, node.text, node.span);
  if (normal.starts_with('(') && normal != node.text) return write(normal);
  write(narrowed("CAST(" + quote_literal(normal) + " AS " + duckdb_type(type) + ")", type));
}

/// TRY_CAST: NULL for a text that is no value of the type.
void Emitter::lax_literal_cast(const Expression& node, const TypeName& type) {
  const std::string target = " AS " + duckdb_type(type) + ")";
  try {
    const std::string normal = normal_literal(type, node.text, node.span);
    if (normal.starts_with('(') && normal != node.text) return write(normal);
    write("TRY_CAST(" + quote_literal(normal) + target);
  } catch (const TranslateFailure&) {
    write("CAST(NULL" + target);
  }
}

/// 'pg_class'::regclass is the object's oid; oid::regclass is its name.
void Emitter::registered_name_cast(const Expression& node, std::string_view what) {
  const Expression& value = *node.children[0];
  const bool text =
      value.kind == ExpressionKind::kString || value.kind == ExpressionKind::kParameter;
  write(context_.system_schema);
  write(text ? ".to_" : ".");
  write(what);
  write(text ? "(" : "_name(");
  expression(value);
  write(")");
}

void Emitter::character_cast(const Expression& value, const TypeName& type) {
  const auto path = super_navigation(value);
  const auto plain = [&] {
    if (path) {
      write("json_extract_string(" + path->first + ", " + quote_literal(path->second) + ")");
    } else if (infer(value).kind == Inferred::kSuper) {
      write("json_extract_string(");
      expression(value);
      write(", '$')");
    } else if (infer(value).kind == Inferred::kDouble || is_interval(value)) {
      write(as_text(value));
    } else if (type.length < 0 || is_sketch(value)) {
      write("CAST(");
      expression(value);
      write(" AS VARCHAR)");
    } else {
      expression(value);
    }
  };
  if (type.length < 0) {
    if (type.kind == TypeKind::kChar && type.spelling != "bpchar") {
      write("left(");
      plain();
      return write(", 1)");
    }
    return plain();
  }
  write(context_.function_schema +
        (type.kind == TypeKind::kChar ? ".cast_char(" : ".cast_varchar("));
  plain();
  write(", " + std::to_string(type.length) + ")");
}

void Emitter::cast(const Expression& node) {
  const TypeName& type = *node.type;
  const Expression& value = *node.children[0];
  if (type.kind == TypeKind::kOther && !is_catalog_type(type.spelling))
    fail("42704", "type \"" + type.spelling + "\" does not exist", type.span);
  if (type.array_dimensions > 0 && value.kind == ExpressionKind::kString)
    unsupported("an array written as text ('" + value.text + "'::" + format_type(type) + ")",
                node.span);
  if (type.array_dimensions > 0) return plain_cast(node);
  if (const std::string_view name = registered_name(type.kind); !name.empty())
    return registered_name_cast(node, name);
  if (type.kind == TypeKind::kHllSketch) return sketch_cast(node);
  if (type.kind != TypeKind::kVarchar && type.kind != TypeKind::kChar && is_sketch(value))
    fail("42846", "cannot cast type hllsketch to " + format_type(type), node.span);
  switch (type.kind) {
    case TypeKind::kVarchar:
    case TypeKind::kChar:
      // 't'::regclass is an oid for comparisons, but shows its name.
      if (value.kind == ExpressionKind::kCast && !registered_name(value.type->kind).empty() &&
          value.children[0]->kind == ExpressionKind::kString) {
        write(context_.system_schema + "." + std::string(registered_name(value.type->kind)) +
              "_name(");
        expression(value);
        return write(")");
      }
      return character_cast(value, type);
    case TypeKind::kSuper:
      if (infer(value).kind == Inferred::kDate || infer(value).kind == Inferred::kTimestamp) {
        fail("42846", "cannot cast type " + format_type(type_of(infer(value))) + " to super",
             node.span);
      }
      write("to_json(");
      expression(value);
      return write(")");
    case TypeKind::kBoolean: {
      const Inferred from = infer(value).kind;
      if (from != Inferred::kDecimal && from != Inferred::kDouble) break;
      fail("42846",
           std::string("cannot cast type ") +
               (from == Inferred::kDecimal ? "numeric" : "double precision") + " to boolean",
           node.span);
    }
    case TypeKind::kDecimal:
    case TypeKind::kReal:
    case TypeKind::kDouble:
      if (infer(value).kind != Inferred::kBoolean) break;
      fail("42846", "cannot cast type boolean to " + format_type(type), node.span);
    case TypeKind::kVarbyte:
      return varbyte_cast(value, type);
    default:
      break;
  }
  if (value.kind == ExpressionKind::kString) {
    if (node.text == "try_cast") return lax_literal_cast(value, type);
    if (is_interval_type(type)) return typed_literal(type, value.text, value.span);
    return literal_cast(value, type);
  }
  plain_cast(node);
}

/// Text as its bytes, integers big-endian; cut off at the type's length.
void Emitter::varbyte_cast(const Expression& value, const TypeName& type) {
  const InferredType from = infer(value);
  std::string bytes = text_of(value);
  const std::size_t size = from.kind == Inferred::kSmallint  ? 2
                           : from.kind == Inferred::kInteger ? 4
                           : from.kind == Inferred::kBigint  ? 8
                                                             : 0;
  if (from.kind == Inferred::kText) {
    // CHAR is stored without the blanks that fill it.
    bytes = from.padded && from.length > 0
                ? "encode(rpad(" + bytes + ", " + std::to_string(from.length) + ", ' '))"
                : "encode(" + bytes + ")";
  } else if (size > 0) {
    bytes = "unhex(right(lpad(to_hex(CAST(" + bytes + " AS BIGINT)), 16, '0'), " +
            std::to_string(size * 2) + "))";
  } else if (is_numeric(from.kind) || from.kind == Inferred::kBoolean ||
             from.kind == Inferred::kDate || from.kind == Inferred::kTimestamp) {
    fail("42846", "cannot cast type " + format_type(type_of(from)) + " to varbyte", value.span);
  } else {
    bytes = "CAST(" + bytes + " AS BLOB)";
  }
  if (type.length <= 0) return write(bytes);
  write("unhex(left(hex(" + bytes + "), " + std::to_string(std::int64_t{type.length} * 2) + "))");
}

void Emitter::plain_cast(const Expression& node) {
  const Expression& value = *node.children[0];
  const bool lax = node.text == "try_cast";
  if (const auto path = super_navigation(value)) {
    write("TRY_CAST(json_extract_string(" + path->first + ", " + quote_literal(path->second) + ")");
  } else if (infer(value).kind == Inferred::kSuper) {
    write("TRY_CAST(json_extract_string(");
    expression(value);
    write(", '$')");
  } else if (node.type->kind == TypeKind::kTimeTz && infer(value).kind == Inferred::kOtherKnown) {
    return write(zoned_time(text_of(value)));
  } else {
    const std::string cast =
        (lax ? "TRY_CAST(" : "CAST(") + cut_value(node) + " AS " + duckdb_type(*node.type) + ")";
    return write(narrowed(cast, *node.type));
  }
  write(" AS " + duckdb_type(*node.type) + ")");
}

/// A TIME has the session's time zone, as it is today; the engine takes UTC.
std::string Emitter::zoned_time(const std::string& value) const {
  return context_.function_schema + ".zoned_time(" + value + ", CAST(" + local_now_text() +
         " AS DATE), " + quote_literal(context_.time_zone) + ")";
}

std::string Emitter::cut_value(const Expression& node) {
  const Expression& value = *node.children[0];
  const TypeKind kind = node.type->kind;
  if (kind == TypeKind::kDecimal && is_decimal_parameter(value))
    return "$" + std::to_string(value.number);
  std::string text = text_of(value);  // what a subquery gives is known then
  // The 15 digits that count, or 6 of REAL: more than 18 would show what binary numbers add.
  if (kind == TypeKind::kDecimal && node.type->precision > 18 &&
      infer(value).kind == Inferred::kDouble) {
    const std::int32_t whole_digits = node.type->precision - column_type(*node.type).scale;
    return context_.function_schema + ".decimal_text(" + text + ", 1e" +
           std::to_string(whole_digits) + ")";
  }
  const bool whole =
      kind == TypeKind::kSmallint || kind == TypeKind::kInteger || kind == TypeKind::kBigint;
  if (context_.numeric_rounding || !reads_table_ || !(whole || kind == TypeKind::kDecimal))
    return text;
  const std::int32_t scale = whole ? 0 : column_type(*node.type).scale;
  const InferredType from = infer(value);
  if (from.kind != Inferred::kDecimal || from.scale <= scale || is_constant_number(value))
    return text;
  return quotient_call(from.precision, scale, text, "1");
}

/// TEXT_TO_INT_ALT(text), TEXT_TO_NUMERIC_ALT(text [, precision, scale]).
void Emitter::text_to_number(const Expression& node) {
  const bool whole = node.names.back() == "text_to_int_alt";
  const std::string name = whole ? "TEXT_TO_INT_ALT" : "TEXT_TO_NUMERIC_ALT";
  const std::size_t count = node.children.size();
  if (count == 2 || count == 4) unsupported(name + " with a format", node.span);
  InferredType type{Inferred::kDecimal, whole ? 18 : 38, 0};
  if (count == 3) {
    const auto number = [&](std::size_t i) {
      const Expression& argument = *node.children[i];
      return argument.kind == ExpressionKind::kNumber
                 ? parse_number<std::int32_t>(argument.text).value_or(-1)
                 : -1;
    };
    type.precision = number(1);
    type.scale = number(2);
    if (type.precision < 1 || type.precision > 38 || type.scale < 0 || type.scale > type.precision)
      fail("22023", name + ": precision must be 1 to 38, scale 0 to the precision", node.span);
  }
  const std::string scale = std::to_string(type.scale);
  const std::string precision = std::to_string(type.precision);
  if (whole) write("CAST(");
  write("CAST(leat_text_to_number(CAST(" + text_of(*node.children[0]) + " AS VARCHAR), " +
        precision + ", " + scale + (whole ? ", false) AS BIGINT" : ", true) AS DECIMAL(") +
        (whole ? ")" : precision + "," + scale + "))"));
  if (whole) write(" AS INTEGER)");
}

std::string Emitter::narrowed(std::string value, const TypeName& type) const {
  if (type.kind != TypeKind::kDecimal || type.precision != 19 || type.array_dimensions > 0)
    return value;
  const auto with_point = [&](std::string digits) {
    if (type.scale > 0) digits.insert(19U - static_cast<std::size_t>(type.scale), ".");
    return digits.starts_with('.') ? "0" + digits : digits;
  };
  return context_.function_schema + ".narrow_decimal(" + value + ", -" +
         with_point("9223372036854775808") + ", " + with_point("9223372036854775807") + ")";
}

}  // namespace leat::sql
