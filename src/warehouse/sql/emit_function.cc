// Function calls: the table's rewrites, aggregates, windows and strings.
#include "base/text.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

std::string upper_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return result;
}

/// Names DuckDB would treat as ranking functions, which refuse frames and arguments in Redshift.
bool needs_frame(std::string_view name) {
  return name == "first_value" || name == "last_value" || name == "nth_value";
}

}  // namespace

const std::string& Emitter::literal_argument(const Expression& node, std::size_t index,
                                             std::string_view function) {
  const Expression& argument = *node.children[index];
  if (argument.kind != ExpressionKind::kString) {
    unsupported(upper_case(function) + " with an argument " + std::to_string(index + 1) +
                    " that is not a literal",
                argument.span);
  }
  return argument.text;
}

void Emitter::function(const Expression& node) {
  const std::string_view name = node.names.back();
  const bool system_schema = node.names.size() == 2 &&
                             (node.names[0] == "pg_catalog" ||
                              (node.names[0] == "information_schema" && name.starts_with("_pg_")));
  if (node.names.size() > 1 && !system_schema) return call_unknown(node);
  const auto entries = find_function(name);
  if (entries.empty()) {
    if (system_schema || name.starts_with("pg_")) return call_system(name, node);
    return call_unknown(node);
  }
  if (node.call->filter) unsupported("FILTER", node.span);
  const auto count = static_cast<int>(node.children.size());
  const FunctionEntry* found = nullptr;
  for (const FunctionEntry& entry : entries) {
    if (count >= entry.arguments_min && (entry.arguments_max < 0 || count <= entry.arguments_max))
      found = &entry;
  }
  if (found == nullptr) {
    throw TranslateFailure{{.sqlstate = "42883",
                            .message = "function " + std::string(name) + " with " +
                                       std::to_string(count) + " arguments does not exist",
                            .detail = {},
                            .hint = "No function matches the given name and argument types. You "
                                    "may need to add explicit type casts.",
                            .position = node.span.begin + 1}};
  }
  refuse_sketch_arguments(node);
  const bool text = found->group == "String";
  const bool number = found->group == "Math" || name == "sum" || name == "avg";
  with_super_as(text     ? SuperUse::kText
                : number ? SuperUse::kNumber
                         : SuperUse::kValue,
                [&] {
                  // An aggregate's arguments see the rows, not the groups.
                  const bool rows = !scopes_.empty() && found->group == "Aggregate" &&
                                    !node.call->window && name != "grouping" &&
                                    name != "grouping_id";
                  const bool grouped = rows && std::exchange(scopes_.back().grouped, false);
                  const bool keys = !scopes_.empty() && found->target == "grouping";
                  if (keys) scopes_.back().by_key = true;
                  const bool checks = std::exchange(float_checks_, float_checks_ || rows);
                  if (!insensitive_function(node)) rewritten(*found, node);
                  float_checks_ = checks;
                  if (keys) scopes_.back().by_key = false;
                  if (rows) scopes_.back().grouped = grouped;
                });
  if (collations_) check_collations(node);
}

void Emitter::check_collations(const Expression& node) const {
  const std::string_view name = node.names.back();
  if (name == "collate") return;
  // Only what may become the result meets there.
  if (name == "decode" || name == "nvl2")
    return static_cast<void>(met(infer(node).collation, Collation::kOpen, node.span));
  static_cast<void>(met(node.children, node.span));
}

bool Emitter::insensitive_function(const Expression& node) {
  const std::string_view name = node.names.back();
  const bool search = name == "strpos" || name == "position" || name == "charindex";
  const bool extreme = name == "min" || name == "max";
  const bool choice = name == "greatest" || name == "least";
  if (!search && !extreme && !choice) return false;
  InferredType type{.kind = Inferred::kText, .collation = met(node.children, node.span)};
  const bool texts = std::ranges::any_of(node.children, [&](const ExpressionPtr& child) {
    return infer(*child).kind == Inferred::kText;
  });
  if (!texts || !is_insensitive(type)) return false;
  type.trimmed = true;
  const auto key = [&](std::size_t i) { return text_key(text_of(*node.children[i]), type); };
  if (search) {
    const std::size_t text = name == "strpos" ? 0 : 1;
    write("CAST(strpos(" + key(text) + ", " + key(1 - text) + ") AS INTEGER)");
  } else if (extreme) {
    write((name == "min" ? "arg_min(" : "arg_max(") + text_of(*node.children[0]) + ", " + key(0) +
          ")");
    over(node);
  } else {
    // The values beside their keys, compared as pairs; NULL is left out.
    write(std::string(name) + "(");
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      write((i > 0 ? ", CASE WHEN " : "CASE WHEN ") + operand_text(*node.children[i]) +
            " IS NOT NULL THEN {'key': " + key(i) + ", 'value': " + text_of(*node.children[i]) +
            "} END");
    }
    write(").value");
  }
  return true;
}

void Emitter::rewritten(const FunctionEntry& entry, const Expression& node) {
  const std::string_view name = node.names.back();
  switch (entry.rewrite) {
    case FunctionRewrite::kName:
      return call_by_name(entry.target, node);
    case FunctionRewrite::kTemplate:
      return call_template(entry.target, node);
    case FunctionRewrite::kSystem:
      return call_system(entry.target, node);
    case FunctionRewrite::kNone:
      if (name == "lag" || name == "lead") {
        fail("0A000", "Default parameter not be supported for window function " + std::string(name),
             node.span);
      }
      unsupported("function " + upper_case(name), node.span);
    case FunctionRewrite::kSpecial:
      if (aggregate_function(node) || sketch_function(node) || string_function(node) ||
          date_function(node) || json_function(node))
        return;
      fail("XX000", "function " + std::string(name) + " has no translation", node.span);
  }
}

/// name([DISTINCT] arguments [ORDER BY ...] [IGNORE NULLS]) [OVER (...)].
void Emitter::call_by_name(std::string_view name, const Expression& node) {
  const Call& call = *node.call;
  write(name);
  write("(");
  if (call.distinct) write("DISTINCT ");
  if (call.star) write("*");
  if (call.distinct && name == "count") {
    compared_values(node.children);
  } else {
    comma_separated(node.children);
  }
  if (!call.order_by.empty()) order_by(call.order_by);
  if (call.nulls == NullOrder::kFirst) write(" IGNORE NULLS");
  write(")");
  over(node);
}

void Emitter::call_template(std::string_view text, const Expression& node) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 >= text.size()) {
      const std::size_t next = std::min(text.find('$', i), text.size());
      write(text.substr(i, next - i));
      i = next - 1;
      continue;
    }
    const char what = text[++i];
    if (what == '*') {
      comma_separated(node.children);
    } else if (what == 'm') {
      write(context_.function_schema);
    } else if (what == 's') {
      write(context_.system_schema);
    } else {
      operand(*node.children[static_cast<std::size_t>(what - '1')]);
    }
  }
}

void Emitter::call_system(std::string_view name, const Expression& node) {
  write(context_.system_schema);
  write(".");
  identifier(name);
  write("(");
  comma_separated(node.children);
  write(")");
}

void Emitter::call_unknown(const Expression& node) {
  if (call_defined(node)) return;
  for (std::size_t i = 0; i < node.names.size(); ++i) {
    if (i > 0) write(".");
    identifier(node.names[i]);
  }
  call_by_name("", node);
}

InferredType Emitter::ordered_type(const Expression& node,
                                   const std::vector<ScopeColumn>* outputs) const {
  if (outputs != nullptr && node.kind == ExpressionKind::kNumber) {
    const auto place = parse_number<std::size_t>(node.text).value_or(0);
    return place > 0 && place <= outputs->size() ? (*outputs)[place - 1].type : InferredType{};
  }
  if (is_output_alias(node)) {
    for (const LateralAlias& each : scopes_.back().aliases) {
      if (each.alias == node.names[0]) return each.type;
    }
  }
  return infer(node);
}

/// `compared`: texts that differ in blanks at the end have one place.
void Emitter::order_by(const std::vector<OrderItem>& items, bool compared,
                       const std::vector<ScopeColumn>* outputs) {
  if (items.empty()) return;
  write(" ORDER BY ");
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) write(", ");
    const OrderItem& item = items[i];
    const bool insensitive = is_insensitive(ordered_type(*item.value, outputs));
    if (compared && has_blanks(infer(*item.value)) && !is_output_alias(*item.value)) {
      write("rtrim(" + text_of(*item.value) + ", ' ')");
    } else if (insensitive) {
      operand(*item.value);
    } else {
      expression(*item.value);
    }
    // An alias, and what a set operation gives, can be ordered so, but not by an expression.
    if (insensitive) write(" COLLATE NOCASE");
    if (item.descending) write(" DESC");
    if (item.nulls != NullOrder::kDefault) {
      write(item.nulls == NullOrder::kFirst ? " NULLS FIRST" : " NULLS LAST");
    }
  }
}

void Emitter::over(const Expression& node) {
  if (&node == filtered_) {
    write(" FILTER (WHERE " + filter_ + ")");
    filter_written_ = true;
  }
  if (!node.call->window) return;
  const Window& spec = *node.call->window;
  const std::string_view name = node.names.back();
  if (needs_frame(name) && !spec.order_by.empty() && !spec.frame) {
    fail("42601", "Aggregate window functions with an ORDER BY clause require a frame clause",
         node.span);
  }
  write(" OVER (");
  window(spec);
  write(")");
}

void Emitter::window(const Window& node) {
  static constexpr std::string_view kBounds[] = {"UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW",
                                                 " FOLLOWING", "UNBOUNDED FOLLOWING"};
  for (const ExpressionPtr& key : node.partition_by) refuse_sketch_key(*key, "equality");
  for (const OrderItem& key : node.order_by) refuse_sketch_key(*key.value, "ordering");
  if (!node.partition_by.empty()) {
    write("PARTITION BY ");
    compared_values(node.partition_by);
  }
  order_by(node.order_by, true);
  if (!node.frame) return;
  const WindowFrame& frame = *node.frame;
  if (frame.range) fail("0A000", "RANGE frame is not supported; use ROWS", {});
  write(" ROWS ");
  const auto bound = [&](FrameBound kind, const ExpressionPtr& offset) {
    if (offset) expression(*offset);
    write(kBounds[static_cast<std::size_t>(kind)]);
  };
  if (frame.between) write("BETWEEN ");
  bound(frame.start, frame.start_offset);
  if (!frame.between) return;
  write(" AND ");
  bound(frame.end, frame.end_offset);
}

bool Emitter::aggregate_function(const Expression& node) {
  const std::string_view name = node.names.back();
  const Call& call = *node.call;
  const bool window_needs_frame =
      call.window && !call.window->order_by.empty() && !call.window->frame;
  if (window_needs_frame && (name == "sum" || name == "avg" || name == "count")) {
    fail("42601", "Aggregate window functions with an ORDER BY clause require a frame clause",
         node.span);
  }
  if (name == "count") {
    if (call.approximate) {
      write("leat_approximate_count(");
      compared_values(node.children);
      write(")");
      over(node);
    } else if (node.children.size() == 1 && node.children[0]->kind == ExpressionKind::kStar) {
      write("count(*)");
      over(node);
    } else {
      call_by_name("count", node);
    }
    return true;
  }
  if (name == "generate_series") return series(node), true;
  if (name == "sum") return sum(node), true;
  if (name == "avg") return average(node), true;
  if (name == "listagg") return list_aggregate(node), true;
  if (name == "percentile_cont" || name == "percentile_disc") return percentile(node), true;
  if (name == "median") return continuous(node, *node.children[0], "0.5", false), true;
  if (name == "decode") return decode(node), true;
  if (name == "nullif") return null_if(node), true;
  if (name != "ratio_to_report") return false;
  if (!call.window) fail("42601", "RATIO_TO_REPORT needs an OVER clause", node.span);
  write("(CAST(");
  comma_separated(node.children);
  write(" AS DOUBLE) / sum(");
  comma_separated(node.children);
  write(")");
  over(node);
  write(")");
  return true;
}

/// In a select list it gives rows, of the type of its bounds; in FROM (emit_table.cc) DuckDB's own
/// table function answers.
void Emitter::series(const Expression& node) {
  if (in_from_function_) return call_by_name("generate_series", node);
  const InferredType type = infer(*node.children[0]);
  const bool whole = type.kind == Inferred::kSmallint || type.kind == Inferred::kInteger;
  if (whole) write("CAST(");
  write("unnest(generate_series(");
  comma_separated(node.children);
  write("))");
  if (whole) write(" AS INTEGER)");
}

void Emitter::sum(const Expression& node) {
  const InferredType type = infer(*node.children[0]);
  const bool whole = type.kind == Inferred::kSmallint || type.kind == Inferred::kInteger ||
                     type.kind == Inferred::kBigint;
  if (whole) write("CAST(");
  call_by_name("sum", node);
  if (whole) write(" AS BIGINT)");
}

/// sum / count with integer division: truncated for integers and to a DECIMAL's scale, as Redshift
/// does, plain for DOUBLE.
void Emitter::average(const Expression& node) {
  const InferredType type = infer(*node.children[0]);
  if (type.kind == Inferred::kDouble) return call_by_name("avg", node);
  const bool whole = type.kind == Inferred::kSmallint || type.kind == Inferred::kInteger ||
                     type.kind == Inferred::kBigint;
  const bool decimal = type.kind == Inferred::kDecimal;
  const std::string total = captured([&] { call_by_name("sum", node); });
  const std::string rows = captured([&] { call_by_name("count", node); });
  if (decimal) return exact_quotient(total, rows, {Inferred::kDecimal, 38, type.scale});
  write((whole ? "CAST((" : "(") + total + " / " + rows + ")");
  if (whole) write(" AS BIGINT)");
}

/// LISTAGG ignores NULL and empty strings; its order is that of WITHIN GROUP.
void Emitter::list_aggregate(const Expression& node) {
  const Call& call = *node.call;
  if (call.distinct && is_insensitive(infer(*node.children[0])))
    unsupported("LISTAGG with DISTINCT of case-insensitive text", node.span);
  write("leat_fit_listagg(string_agg(");
  const auto value = [&](const Expression& each) {
    if (call.distinct) return write(compared_value(each));
    expression(each);
  };
  if (call.distinct) write("DISTINCT ");
  write("nullif(CAST(");
  value(*node.children[0]);
  write(" AS VARCHAR), ''), ");
  if (node.children.size() > 1) {
    expression(*node.children[1]);
  } else {
    write("''");
  }
  const auto& order = call.within_group.empty() ? call.order_by : call.within_group;
  if (call.distinct && order.size() == 1) {
    // DuckDB orders a DISTINCT aggregate only by its own argument.
    write(" ORDER BY nullif(CAST(");
    value(*order[0].value);
    write(order[0].descending ? " AS VARCHAR), '') DESC" : " AS VARCHAR), '')");
  } else {
    order_by(order);
  }
  write(")");
  over(node);
  write(", 65535)");
}

void Emitter::percentile(const Expression& node) {
  const Call& call = *node.call;
  if (call.within_group.size() != 1) {
    fail("42601", upper_case(node.names.back()) + " needs WITHIN GROUP (ORDER BY one expression)",
         node.span);
  }
  const OrderItem& order = call.within_group[0];
  const Expression& place = *node.children[0];
  const std::string at = operand_text(place);
  if (node.names.back() == "percentile_cont" && !call.approximate) {
    return continuous(node, *order.value, at, order.descending);
  }
  write(call.approximate ? "approx_quantile(" : "quantile_disc(");
  expression(*order.value);
  write(", ");
  // DuckDB counts from the end for a negative place; the approximate one knows only 1 - p.
  const bool first = place.kind == ExpressionKind::kNumber && parse_number<double>(place.text) == 0;
  if (order.descending && first) {
    write("1)");
  } else {
    if (order.descending) write(call.approximate ? "1 - " : "-");
    write(at + ")");
  }
  over(node);
}

/// MEDIAN and PERCENTILE_CONT: of integers a DECIMAL that holds what lies between two of them, of
/// dates a date.
void Emitter::continuous(const Expression& node, const Expression& value, const std::string& place,
                         bool descending) {
  const InferredType type = infer(value);
  const bool whole = type.kind == Inferred::kSmallint || type.kind == Inferred::kInteger ||
                     type.kind == Inferred::kBigint;
  if (type.kind == Inferred::kDate) write("CAST(");
  write("quantile_cont(");
  if (whole) {
    const InferredType number = infer_continuous(node);
    write("CAST(" + operand_text(value) + " AS DECIMAL(" + std::to_string(number.precision) + "," +
          std::to_string(number.scale) + "))");
  } else {
    expression(value);
  }
  write((descending ? ", 1 - " : ", ") + place + ")");
  over(node);
  if (type.kind == Inferred::kDate) write(" AS DATE)");
}

/// Blanks at the end count for nothing here as well.
void Emitter::null_if(const Expression& node) {
  const std::string equal = captured([&] {
    (void)(text_comparison("=", *node.children[0], *node.children[1]) ||
           text_pair("=", *node.children[0], *node.children[1]));
  });
  if (equal.empty()) return call_by_name("nullif", node);
  write("CASE WHEN " + equal + " THEN NULL ELSE ");
  expression(*node.children[0]);
  write(" END");
}

/// DECODE(e, s1, r1, ..., d): NULL equals NULL.
void Emitter::decode(const Expression& node) {
  write("CASE");
  std::size_t i = 1;
  for (; i + 1 < node.children.size(); i += 2) {
    write(" WHEN ");
    if (node.children[i]->kind == ExpressionKind::kString) {
      comparison("=", *node.children[0], *node.children[i]);
      write(" THEN ");
      expression(*node.children[i + 1]);
      continue;
    }
    if (infer(*node.children[0]).kind == Inferred::kText &&
        infer(*node.children[i]).kind == Inferred::kText) {
      const Collation collation =
          met(infer(*node.children[0]).collation, infer(*node.children[i]).collation, node.span);
      write(compared_value(*node.children[0], collation) + " IS NOT DISTINCT FROM " +
            compared_value(*node.children[i], collation) + " THEN ");
      expression(*node.children[i + 1]);
      continue;
    }
    operand(*node.children[0]);
    if (node.children[i]->kind == ExpressionKind::kNull) {
      write(" IS NULL");
    } else if (node.children[i]->kind == ExpressionKind::kNumber) {
      write(" = ");
      expression(*node.children[i]);
    } else {
      write(" IS NOT DISTINCT FROM ");
      operand(*node.children[i]);
    }
    write(" THEN ");
    expression(*node.children[i + 1]);
  }
  if (i < node.children.size()) {
    write(" ELSE ");
    expression(*node.children[i]);
  }
  write(" END");
}

/// Positions below 1 count, but hold no characters.
void Emitter::substring(const Expression& node) {
  if (infer(*node.children[0]).kind == Inferred::kOtherKnown) {  // VARBYTE: two digits a byte
    return call_template(node.children.size() > 2 ? "unhex(substring(hex($1), 2 * $2 - 1, 2 * $3))"
                                                  : "unhex(substring(hex($1), 2 * $2 - 1))",
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
  const std::size_t count = node.children.size();
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
    } else if (format == "utf8" || format == "utf-8") {
      call_template(to ? "encode($1)" : "decode($1)", node);
    } else if (format == "base64") {
      call_template(to ? "from_base64($1)" : "base64($1)", node);
    } else {
      unsupported(upper_case(name) + " with format '" + format + "'", node.span);
    }
    return true;
  }
  if (name == "collate") {
    collated(node);
    return true;
  }
  if (name == "checksum") return checksum(node), true;
  if (name.starts_with("text_to_")) return text_to_number(node), true;
  if (name == "round") {
    const InferredType type = infer(*node.children[0]);
    const bool text =
        node.children[0]->kind == ExpressionKind::kString || type.kind == Inferred::kText;
    if (text) write("round(CAST(");
    if (!text) write("round(");
    expression(*node.children[0]);
    if (text) write(" AS DOUBLE)");
    if (count > 1) {
      write(", ");
      expression(*node.children[1]);
    }
    write(")");
    return true;
  }
  if (name == "trunc") {
    const InferredType type = infer(*node.children[0]);
    if (type.kind == Inferred::kTimestamp || type.kind == Inferred::kDate) {
      call_template("CAST($1 AS DATE)", node);
    } else {
      call_by_name("trunc", node);
    }
    return true;
  }
  return false;
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
    } else {
      expression(*node.children[2]);
    }
  }
  const auto number = [&](std::size_t argument, std::string_view otherwise) {
    write(", ");
    if (count <= argument) return write(otherwise);
    write(perl ? "CAST(" : "");
    expression(*node.children[argument]);
    write(perl ? " AS INTEGER)" : "");
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
