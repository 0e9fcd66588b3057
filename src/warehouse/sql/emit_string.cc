// Functions of strings, and of numbers beside them: the part that a template cannot say.
#include <algorithm>

#include "base/text.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {

/// Positions below 1 count, but hold no characters.
void Emitter::substring(const Expression& node) {
  if (infer(*node.children[0]).kind == Inferred::kOtherKnown) {  // VARBYTE: two digits a byte
    return call_template(node.children.size() > 2
                             ? "unhex($m.substring(hex($1), 2 * $2 - 1, 2 * $3))"
                             : "unhex($m.substring(hex($1), 2 * $2 - 1))",
                         node);
  }
  const Expression& start = *node.children[1];
  const bool positive = start.kind == ExpressionKind::kNumber;
  const bool plain_length =
      node.children.size() < 3 || node.children[2]->kind == ExpressionKind::kNumber;
  if (positive && plain_length && start.text.find_first_not_of("0123456789") == std::string::npos &&
      parse_number<std::int64_t>(start.text).value_or(0) > 0) {
    write("substring(");
    comma_separated(node.children);
    return write(")");
  }
  write(context_.function_schema + ".substring(");
  comma_separated(node.children);
  write(")");
}

bool Emitter::string_function(const Expression& node) {
  const std::string_view name = node.names.back();
  const std::string& schema = context_.function_schema;
  if (name == "substring" || name == "substr") return substring(node), true;
  if (name == "len" || name == "length" || name == "textlen" || name.ends_with("r_length")) {
    const bool bytes = infer(*node.children[0]).kind == Inferred::kOtherKnown;
    return call_by_name(bytes ? "octet_length" : "length", node), true;
  }
  if (name == "sys_connect_by_path") return hierarchy_path(node), true;
  if (name == "overlay") {
    write(schema + ".overlay(");
    comma_separated(node.children);
    write(")");
    return true;
  }
  if (name.starts_with("regexp_")) return regexp_function(node), true;
  if ((name == "to_varbyte" || name == "from_varbyte") &&
      node.children[1]->kind != ExpressionKind::kString) {
    return call_template(name == "to_varbyte" ? "$m.to_varbyte($1, $2)" : "$m.from_varbyte($1, $2)",
                         node),
           true;
  }
  if (name == "to_varbyte" || name == "from_varbyte") {
    const std::string format = to_lower(literal_argument(node, 1, name));
    const bool to = name == "to_varbyte";
    if (format == "hex") {
      call_template(to ? "unhex($1)" : "lower(hex($1))", node);
    } else if (format == "binary") {
      call_template(
          to ? "CAST(CAST($1 AS BIT) AS BLOB)" : "CAST(CAST(CAST($1 AS BLOB) AS BIT) AS VARCHAR)",
          node);
    } else if (format == "utf8" || format == "utf-8" || format == "utf_8") {
      call_template(to ? "encode($1)" : "decode($1)", node);
    } else if (format == "base64") {
      call_template(to ? "from_base64($1)" : "base64($1)", node);
    } else {
      fail("22023",
           upper_case(name) + ": unknown format '" + format + "'; use hex, binary, utf8 or base64",
           node.span);
    }
    return true;
  }
  if (name == "collate") {
    collated(node);
    return true;
  }
  if (name == "checksum") return checksum(node), true;
  if (name.starts_with("text_to_")) return text_to_number(node), true;
  if (name == "to_hex") {
    // A negative INTEGER has eight digits.
    const Inferred kind = infer(*node.children[0]).kind;
    const bool narrow = kind == Inferred::kSmallint || kind == Inferred::kInteger;
    return call_template(
               narrow ? "right(lower(to_hex(CAST($1 AS BIGINT))), 8)" : "lower(to_hex($1))", node),
           true;
  }
  if (name == "fnv_hash" || name == "murmur3_32_hash") return hash(node), true;
  if (name == "sign") return sign(node), true;
  if (name != "round" && name != "trunc") return false;
  const Inferred kind = infer(*node.children[0]).kind;
  if (name == "trunc" && (kind == Inferred::kTimestamp || kind == Inferred::kDate)) {
    call_template("CAST($1 AS DATE)", node);
  } else {
    rounded(node);
  }
  return true;
}

/// Of the argument's type, which the engine's is not.
void Emitter::sign(const Expression& node) {
  const InferredType type = infer(node);
  if (type.kind != Inferred::kDecimal && type.kind != Inferred::kDouble)
    return call_by_name("sign", node);
  write("CAST(");
  call_by_name("sign", node);
  write(type.kind == Inferred::kDecimal ? " AS DECIMAL(1,0))" : " AS DOUBLE)");
}

void Emitter::rounded(const Expression& node) {
  const std::string name(node.names.back());
  const InferredType type = infer(*node.children[0]);
  const bool places = node.children.size() > 1;
  const Expression* last = node.children.back().get();
  if (last->kind == ExpressionKind::kUnary) last = last->children[0].get();
  // DuckDB must know the places of a decimal when it plans.
  if (places && type.kind == Inferred::kDecimal && last->kind != ExpressionKind::kNumber) {
    const InferredType result = infer(node);
    return write("CAST(leat_" + name + "(CAST(" + text_of(*node.children[0]) +
                 " AS VARCHAR), CAST(" + text_of(*node.children[1]) + " AS INTEGER)) AS DECIMAL(" +
                 std::to_string(result.precision) + "," + std::to_string(result.scale) + "))");
  }
  const bool text = name == "round" && type.kind == Inferred::kText &&
                    node.children[0]->kind != ExpressionKind::kString;
  write(name + (text ? "(CAST(" : "("));
  expression(*node.children[0]);
  if (text) write(" AS DOUBLE)");
  if (places) {
    write(", ");
    expression(*node.children[1]);
  }
  write(")");
}

/// Hashes by name: of what type, the engine's functions know.
void Emitter::hash(const Expression& node) {
  const bool fnv = node.names.back() == "fnv_hash";
  const Inferred kind = infer(*node.children[0]).kind;
  if (kind == Inferred::kDecimal || kind == Inferred::kDouble)
    unsupported(upper_case(node.names.back()) + " of DECIMAL or floating point", node.span);
  const std::string_view seed = fnv ? "CAST(-3750763034362895579 AS BIGINT)" : "CAST(0 AS INTEGER)";
  write((fnv ? "leat_fnv_hash(" : "leat_murmur3(") + text_of(*node.children[0]) + ", ");
  if (node.children.size() < 2) return write(std::string(seed) + ")");
  write("CAST(" + text_of(*node.children[1]) + (fnv ? " AS BIGINT))" : " AS INTEGER))"));
}

/// Numbers only: what Redshift computes of text is not published.
void Emitter::checksum(const Expression& node) {
  const InferredType type = infer(*node.children[0]);
  const bool whole = is_numeric(type.kind) && type.kind != Inferred::kDouble;
  if (!whole) unsupported("CHECKSUM of anything but integers and decimals", node.span);
  write(context_.function_schema + ".checksum(");
  const std::string value = operand_text(*node.children[0]);
  if (type.kind == Inferred::kDecimal && type.scale > 0) {
    // Digits alone, without the point.
    write("CAST(replace(CAST(" + value + " AS VARCHAR), '.', '') AS HUGEINT)");
  } else {
    write(value);
  }
  write(")");
}

/// $1 becomes \1; the position argument cuts the text first.
void Emitter::regexp_function(const Expression& node) {
  const std::string_view name = node.names.back();
  const std::size_t count = node.children.size();
  const bool replaces = name == "regexp_replace";
  const std::size_t position_index = replaces ? 3 : 2;
  const bool position = name == "regexp_instr";
  const std::size_t flags_index = position ? 5 : (replaces || name == "regexp_substr" ? 4 : 3);
  std::string flags;
  if (count > flags_index) flags = literal_argument(node, flags_index, name);
  const bool extracts = flags.find('e') != std::string::npos;
  // RE2's macro cannot tell where a group begins.
  const bool perl = flags.find('p') != std::string::npos || (position && extracts);
  const Expression& pattern = *node.children[1];
  if (perl) {
    write("leat_pcre_");
    write(name.substr(std::string_view("regexp_").size()));
  } else {
    write(context_.function_schema + ".");
    write(name);
  }
  write("(");
  expression(*node.children[0]);
  write(", ");
  const Collation collation = met(std::span(node.children).first(2), node.span);
  const bool insensitive = is_insensitive({.kind = Inferred::kText, .collation = collation}) &&
                           flags.find('c') == std::string::npos;
  if (insensitive || flags.find('i') != std::string::npos) {
    write("'(?i)' || ");
    operand(pattern);
  } else {
    expression(pattern);
  }
  if (replaces) {
    write(", ");
    if (count < 3) {
      write("''");
    } else if (!perl && node.children[2]->kind == ExpressionKind::kString) {
      std::string replacement;
      const std::string& written = node.children[2]->text;
      for (std::size_t i = 0; i < written.size(); ++i) {
        const bool group = written[i] == '$' && i + 1 < written.size() && written[i + 1] >= '0' &&
                           written[i + 1] <= '9';
        replacement += group ? '\\' : written[i];
        if (written[i] == '\\' &&
            !(i + 1 < written.size() && written[i + 1] >= '0' && written[i + 1] <= '9')) {
          replacement += '\\';
        }
      }
      string_literal(replacement);
    } else if (perl) {
      expression(*node.children[2]);
    } else {
      write("regexp_replace(replace(" + text_of(*node.children[2]) +
            R"sql(, '\', '\\'), '\$([0-9])', '\\\1', 'g'))sql");
    }
  }
  const auto number = [&](std::size_t argument, std::string_view otherwise) {
    write(", ");
    if (count <= argument) return write(otherwise);
    const bool literal = !perl && node.children[argument]->kind == ExpressionKind::kNumber;
    write(literal ? "" : "CAST(");
    expression(*node.children[argument]);
    write(literal ? "" : " AS INTEGER)");
  };
  number(position_index, "1");
  if (position) {
    number(3, "1");
    number(4, "0");
    if (perl) write(extracts ? ", 1" : ", 0");
  }
  if (name == "regexp_substr") {
    number(3, "1");
    write(extracts ? ", 1" : ", 0");
  }
  write(")");
}

}  // namespace leat::sql
