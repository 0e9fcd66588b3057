// Aggregates and window functions.
#include <algorithm>

#include "base/text.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

/// With ORDER BY these window functions need a frame that is written.
bool needs_frame(std::string_view name) {
  if (name == "first_value" || name == "last_value" || name == "nth_value") return true;
  const auto entries = find_function(name);
  return !entries.empty() && entries.front().group == "Aggregate";
}

bool refuses_frame(std::string_view name) {
  static constexpr std::string_view kNames[] = {"rank",         "dense_rank", "row_number", "ntile",
                                                "percent_rank", "cume_dist",  "lag",        "lead"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

}  // namespace

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
  if (name == "nth_value" && node.children[1]->kind == ExpressionKind::kNumber &&
      parse_number<std::int64_t>(node.children[1]->text).value_or(1) < 1) {
    fail("22016", "argument of NTH_VALUE must be greater than zero", node.span);
  }
  if (spec.frame && refuses_frame(name)) {
    fail("42601", "Window function " + upper_case(name) + " takes no frame clause (ROWS ...)",
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
      // The engine would read memory that is not its own (ADR 0149).
      if (call.window) unsupported("APPROXIMATE COUNT(DISTINCT ...) with OVER", node.span);
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
  if (name == "min" || name == "max") return extreme(node), true;
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
  // A parameter without a type is a number beside numbers.
  const bool numbers = std::ranges::all_of(node.children, [&](const ExpressionPtr& each) {
    return is_untyped_parameter(*each) || is_numeric(infer(*each).kind);
  });
  std::vector<std::string> arguments;
  for (const ExpressionPtr& each : node.children) {
    const std::string text = text_of(*each);
    const bool cast = numbers && is_untyped_parameter(*each);
    arguments.push_back(cast ? "CAST(" + text + " AS BIGINT)" : text);
  }
  if (numbers && !in_from_function_) {
    arguments[1] = context_.function_schema + ".series_end(" + arguments[0] + ", " + arguments[1] +
                   ", " + (arguments.size() > 2 ? arguments[2] : "1") + ")";
  }
  std::string series = "generate_series(" + arguments[0];
  for (std::size_t i = 1; i < arguments.size(); ++i) series += ", " + arguments[i];
  series += ")";
  if (in_from_function_) return write(series);
  const InferredType type = infer(*node.children[0]);
  const bool whole = type.kind == Inferred::kSmallint || type.kind == Inferred::kInteger;
  write(whole ? "CAST(unnest(" + series + ") AS INTEGER)" : "unnest(" + series + ")");
}

void Emitter::refuse_boolean(const Expression& node) const {
  const std::string_view name = node.names.back();
  const bool refused = name == "sum" || name == "avg" || name == "min" || name == "max" ||
                       name.starts_with("stddev") || name.starts_with("var");
  if (!refused || node.children.empty() || infer(*node.children[0]).kind != Inferred::kBoolean)
    return;
  throw TranslateFailure{{.sqlstate = "42883",
                          .message = "function " + std::string(name) + "(boolean) does not exist",
                          .detail = {},
                          .hint = "Use BOOL_AND or BOOL_OR, or cast the value to INTEGER.",
                          .position = node.span.begin + 1}};
}

void Emitter::extreme(const Expression& node) {
  const Expression& value = *node.children[0];
  if (infer(value).kind != Inferred::kSuper) return call_by_name(node.names.back(), node);
  write((node.names.back() == "min" ? "arg_min(" : "arg_max(") + text_of(value) + ", " +
        super_order(value) + ")");
  over(node);
}

/// Months, days and the time of day by themselves.
void Emitter::interval_sum(const Expression& node) {
  const std::string value = text_of(*node.children[0]);
  const auto total = [&](std::string_view step, const std::string& parts, std::string_view type) {
    write(std::string(step) + "(CAST(sum(" + parts + ")");
    over(node);
    write(" AS " + std::string(type) + "))");
  };
  const auto part = [&](std::string_view name) {
    return "date_part('" + std::string(name) + "', " + value + ")";
  };
  if (node.call->distinct) unsupported("SUM with DISTINCT of intervals", node.span);
  write("(");
  total("to_months", part("year") + " * 12 + " + part("month"), "INTEGER");
  write(" + ");
  total("to_days", part("day"), "INTEGER");
  write(" + ");
  total("to_microseconds",
        "(" + part("hour") + " * 60 + " + part("minute") + ") * 60000000 + " + part("microsecond"),
        "BIGINT");
  write(")");
}

/// Ours end beyond the range. Not in a window: the engine gives functions of its C API no state of
/// their own there when the frame is the whole partition.
std::string Emitter::float_aggregate(std::string_view name, const Expression& node) {
  return (node.call->window ? "" : "leat_") + std::string(name);
}

void Emitter::sum(const Expression& node) {
  if (is_interval(*node.children[0])) return interval_sum(node);
  const InferredType type = infer(*node.children[0]);
  const bool whole = type.kind == Inferred::kSmallint || type.kind == Inferred::kInteger ||
                     type.kind == Inferred::kBigint;
  if (type.kind == Inferred::kDouble) return call_by_name(float_aggregate("sum", node), node);
  if (whole) write("CAST(");
  call_by_name("sum", node);
  if (whole) write(" AS BIGINT)");
}

/// sum / count with integer division: truncated for integers and to a DECIMAL's scale, as Redshift
/// does, plain for DOUBLE.
void Emitter::average(const Expression& node) {
  const InferredType type = infer(*node.children[0]);
  if (type.kind == Inferred::kDouble) return call_by_name(float_aggregate("avg", node), node);
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

}  // namespace leat::sql
