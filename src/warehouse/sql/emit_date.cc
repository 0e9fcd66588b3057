// Date and time functions, and the format templates of TO_CHAR and its relatives.
#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "warehouse/sql/datetime.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {

std::string Emitter::date_part_name(const Expression& node) {
  std::string written;
  if (node.kind == ExpressionKind::kString) {
    written = to_lower(node.text);
  } else if (node.kind == ExpressionKind::kColumn && node.names.size() == 1) {
    written = node.names[0];
  } else {
    fail("42601", "a date part must be a name or a literal", node.span);
  }
  const std::string_view canonical = date_part_canonical(written);
  if (canonical.empty()) {
    fail("22023", "timestamp units \"" + written + "\" not recognized", node.span);
  }
  return std::string(canonical);
}

std::string Emitter::local_now_text() const {
  return "(now() AT TIME ZONE " + quote_literal(context_.time_zone) + ")";
}

void Emitter::moment(const Expression& node) {
  if (node.kind == ExpressionKind::kString) {
    TypeName type;
    type.kind = TypeKind::kTimestamp;
    return literal_cast(node, type);
  }
  if (node.kind == ExpressionKind::kNull) return write("CAST(NULL AS TIMESTAMP)");
  if (node.kind == ExpressionKind::kParameter) {
    write("CAST(");
    parameter(node);
    return write(" AS TIMESTAMP)");
  }
  operand(node);
}

void Emitter::date_add(const Expression& node) {
  const std::string part = date_part_name(*node.children[0]);
  const Expression& amount = *node.children[1];
  if (part == "year" || part == "decade" || part == "century" || part == "millennium") {
    const char* years =
        part == "year" ? "1" : (part == "decade" ? "10" : (part == "century" ? "100" : "1000"));
    write(context_.function_schema + ".add_years(");
    moment(*node.children[2]);
    write(", ");
    operand(amount);
    return write(std::string(" * ") + years + ")");
  }
  static constexpr std::pair<std::string_view, std::string_view> kSteps[] = {
      {"quarter", "to_quarters"},
      {"month", "to_months"},
      {"week", "to_weeks"},
      {"day", "to_days"},
      {"hour", "to_hours"},
      {"minute", "to_minutes"},
      {"second", "to_seconds"},
      {"millisecond", "to_milliseconds"},
      {"microsecond", "to_microseconds"}};
  for (const auto& [name, step] : kSteps) {
    if (name != part) continue;
    write("(");
    moment(*node.children[2]);
    write(" + ");
    write(step);
    write("(CAST(");
    expression(amount);
    return write(" AS BIGINT)))");
  }
  fail("22023", "timestamp units \"" + part + "\" not supported", node.span);
}

/// How many boundaries of the part lie between two moments.
void Emitter::date_difference(const Expression& node) {
  static constexpr std::string_view kWithoutBoundaries[] = {
      "dow", "doy", "epoch", "isodow", "isoyear", "timezone", "timezone_hour", "timezone_minute"};
  const std::string part = date_part_name(*node.children[0]);
  if (std::ranges::find(kWithoutBoundaries, part) != std::end(kWithoutBoundaries))
    fail("22023", "timestamp units \"" + part + "\" not supported", node.children[0]->span);
  const auto side = [&](std::size_t i) { return captured([&] { moment(*node.children[i]); }); };
  // A century begins with the year 1; DuckDB counts those that begin with 0.
  if (part == "century" || part == "millennium") {
    return write("(date_part('" + part + "', " + side(2) + ") - date_part('" + part + "', " +
                 side(1) + "))");
  }
  // DuckDB counts whole weeks between two moments, Redshift the Mondays that lie between.
  const std::string before = part == "week" ? "date_trunc('week', " : "";
  const std::string after = part == "week" ? ")" : "";
  write("date_diff('" + part + "', " + before + side(1) + after + ", " + before + side(2) + after +
        ")");
}

/// Sub-second parts are the field alone. EXTRACT gives INTEGER, DATE_PART always DOUBLE; its
/// seconds have a fraction, as have EXTRACT's of an interval.
void Emitter::date_part(const Expression& node, bool extract) {
  const std::string part = date_part_name(*node.children[0]);
  const std::string value = captured([&] { moment(*node.children[1]); });
  const std::string type = extract ? " AS INTEGER)" : " AS DOUBLE)";
  if (part == "epoch") {
    return write(extract ? "CAST(trunc(epoch(" + value + ")) AS BIGINT)" : "epoch(" + value + ")");
  }
  if (part == "millisecond" || part == "microsecond") {
    const std::string unit = part == "millisecond" ? "1000" : "1000000";
    return write("CAST(date_part('" + part + "', " + value + ") % " + unit + type);
  }
  if (part == "second" && (!extract || is_interval(*node.children[1]))) {
    // The engine's microseconds are those of the minute.
    return write("(CAST(date_part('microsecond', " + value + ") AS DOUBLE) / 1000000)");
  }
  // The years 2000 to 2009 are the decade 201.
  const std::string_view decade = part == "decade" ? " + 1" : "";
  write("CAST(date_part('" + part + "', " + value + ")" + std::string(decade) + type);
}

void Emitter::convert_timezone(const Expression& node) {
  const bool three = node.children.size() == 3;
  const std::string local =
      "CAST(" + captured([&] { moment(*node.children[three ? 2 : 1]); }) + " AS TIMESTAMP)";
  const std::string utc =
      three ? in_utc(local, *node.children[0]) : "(" + local + " AT TIME ZONE 'UTC')";
  write(in_zone(utc, *node.children[three ? 1 : 0]));
}

namespace {

/// Minutes east of UTC of what has a fixed offset: abbreviations (PST, not the zone that has it in
/// winter), `NAME+2:30` and `+2` (west of UTC, as in POSIX); nothing for names of zones.
std::optional<std::int32_t> fixed_offset(const Expression& zone) {
  if (zone.kind != ExpressionKind::kString) return std::nullopt;
  return zone_offset_minutes(zone.text);
}

}  // namespace

std::string Emitter::in_utc(const std::string& local, const Expression& zone) {
  if (const auto east = fixed_offset(zone)) {
    return "((" + local + " - to_minutes(" + std::to_string(*east) + ")) AT TIME ZONE 'UTC')";
  }
  return "(" + local + " AT TIME ZONE " + captured([&] { time_zone(zone); }) + ")";
}

std::string Emitter::in_zone(const std::string& utc, const Expression& zone) {
  if (const auto east = fixed_offset(zone)) {
    return "((" + utc + " AT TIME ZONE 'UTC') + to_minutes(" + std::to_string(*east) + "))";
  }
  return "(" + utc + " AT TIME ZONE " + captured([&] { time_zone(zone); }) + ")";
}

/// DATE_CMP and its kin: both sides as the wider of the types that the name says.
void Emitter::compare_moments(const Expression& node) {
  const std::string_view name = node.names.back();
  TypeName type;
  type.kind = name == "interval_cmp"                          ? TypeKind::kInterval
              : name.find("timestamptz") != std::string::npos ? TypeKind::kTimestampTz
              : name == "date_cmp"                            ? TypeKind::kDate
                                                              : TypeKind::kTimestamp;
  write(context_.function_schema + ".compare(");
  for (std::size_t i = 0; i < 2; ++i) {
    const Expression& value = *node.children[i];
    if (i > 0) write(", ");
    if (value.kind == ExpressionKind::kString) {
      typed_literal(type, value.text, value.span);
    } else {
      write("CAST(");
      expression(value);
      write(" AS " + duckdb_type(type) + ")");
    }
  }
  write(")");
}

/// Beside AT TIME ZONE: a zone's name, or one of DuckDB's for a whole number of hours.
void Emitter::time_zone(const Expression& node) {
  const auto east = fixed_offset(node);
  if (!east || *east % 60 != 0) return operand(node);
  const std::int32_t hours = *east / 60;
  string_literal(hours == 0 ? "UTC"
                            : "Etc/GMT" + std::string(hours > 0 ? "-" : "+") +
                                  std::to_string(std::abs(hours)));
}

/// Where nothing is known of the value, a template that is a literal says whether it is for
/// numbers.
void Emitter::to_char(const Expression& node) {
  const Expression& value = *node.children[0];
  const Expression& format = *node.children[1];
  const InferredType type = infer(value);
  const bool literal = format.kind == ExpressionKind::kString;
  const bool moment_known = type.kind == Inferred::kDate || type.kind == Inferred::kTimestamp ||
                            type.kind == Inferred::kInterval;
  if (type.kind == Inferred::kDouble) return call_template("leat_to_char_number($1, $2)", node);
  if (is_numeric(type.kind) || (literal && !moment_known && is_number_format(format.text)))
    return call_template("leat_to_char_number(CAST($1 AS VARCHAR), $2)", node);
  if (type.kind == Inferred::kOtherKnown) return call_template("leat_to_char($1, $2)", node);
  const std::string moment_text = captured([&] { moment(value); });
  const std::string local = "CAST(" + moment_text + " AS TIMESTAMP)";
  write("leat_to_char(" + local + ", ");
  expression(format);
  const bool zone = !literal || format.text.find("OF") != std::string::npos ||
                    to_lower(format.text).find("tz") != std::string::npos;
  if (zone) {
    write(", current_setting('TimeZone'), epoch_us(" + local + ") - epoch_us(CAST(" + moment_text +
          " AS TIMESTAMPTZ))");
  }
  write(")");
}

/// TO_DATE and TO_TIMESTAMP (text, template [, strict]).
void Emitter::read_moment(const Expression& node) {
  const bool date = node.names.back() == "to_date";
  write(date ? "CAST(" : "(");
  write("leat_to_timestamp(CAST(");
  expression(*node.children[0]);
  write(" AS VARCHAR), ");
  expression(*node.children[1]);
  write(", ");
  if (node.children.size() > 2) {
    expression(*node.children[2]);
  } else {
    write("false");
  }
  write(date ? ") AS DATE)" : ") AT TIME ZONE " + quote_literal(context_.time_zone) + ")");
}

void Emitter::to_number(const Expression& node) {
  const std::string& format = literal_argument(node, 1, "to_number");
  write("CAST(leat_to_number(CAST(");
  expression(*node.children[0]);
  write(" AS VARCHAR), " + quote_literal(format) + ") AS DECIMAL(38," +
        std::to_string(number_format_scale(format)) + "))");
}

bool Emitter::date_function(const Expression& node) {
  const std::string_view name = node.names.back();
  if (name == "getdate") return write("date_trunc('second', " + local_now_text() + ")"), true;
  if (name == "sysdate" || name == "localtimestamp") return write(local_now_text()), true;
  if (name == "current_date") return write("CAST(" + local_now_text() + " AS DATE)"), true;
  if (name == "current_timestamp" || name == "now") return write("now()"), true;
  if (name == "localtime") return write("CAST(" + local_now_text() + " AS TIME)"), true;
  if (name == "current_time") return write("CAST(now() AS TIMETZ)"), true;
  if (name == "dateadd" || name == "date_add") return date_add(node), true;
  if (name == "datediff" || name == "date_diff") return date_difference(node), true;
  if (name == "date_part" || name == "pgdate_part") return date_part(node, false), true;
  if (name == "extract") return date_part(node, true), true;
  if (name == "date_trunc") return date_trunc(node), true;
  if (name == "timezone") {
    const Expression& value = *node.children[1];
    const bool text = value.kind == ExpressionKind::kString || value.kind == ExpressionKind::kNull;
    write("timezone(" + captured([&] { time_zone(*node.children[0]); }) + ", ");
    text ? moment(value) : expression(value);
    return write(")"), true;
  }
  if (name.find("_cmp") != std::string::npos) return compare_moments(node), true;
  if (name == "convert_timezone") return convert_timezone(node), true;
  if (name == "to_char") return to_char(node), true;
  if (name == "to_number") return to_number(node), true;
  if (name != "to_date" && name != "to_timestamp") return false;
  return read_moment(node), true;
}

void Emitter::date_trunc(const Expression& node) {
  static constexpr std::string_view kTruncated[] = {
      "microsecond", "millisecond", "second", "minute", "hour",    "day",       "week",
      "month",       "quarter",     "year",   "decade", "century", "millennium"};
  const ExpressionKind written = node.children[0]->kind;
  // Not a word of ours, as `month` without quotes is: a parameter, or what is known with the row.
  if (written == ExpressionKind::kParameter || written == ExpressionKind::kFunction ||
      written == ExpressionKind::kCast || written == ExpressionKind::kCase) {
    const std::string text = "CAST(" + text_of(*node.children[0]) + " AS VARCHAR)";
    write(context_.function_schema + ".date_trunc_by(CASE lower(" + text + ")");
    for (const DatePart& each : date_parts()) {
      if (std::ranges::find(kTruncated, each.canonical) == std::end(kTruncated)) continue;
      write(" WHEN " + quote_literal(each.written) + " THEN " + quote_literal(each.canonical));
    }
    write(" END, " + text + ", ");
    moment(*node.children[1]);
    return write(")");
  }
  const std::string part = date_part_name(*node.children[0]);
  if (std::ranges::find(kTruncated, part) == std::end(kTruncated))
    fail("22023", "timestamp units \"" + part + "\" not supported", node.children[0]->span);
  const std::string value = captured([&] { moment(*node.children[1]); });
  // The years 1901 to 2000 are the 20th century; DuckDB's begins in 1900.
  const bool ages = part == "century" || part == "millennium";
  write(ages ? "(date_trunc('" + part + "', " + value + " - to_years(1)) + to_years(1))"
             : "date_trunc('" + part + "', " + value + ")");
}

bool Emitter::json_function(const Expression& node) {
  const std::string_view name = node.names.back();
  if (name == "object_transform") return object_transform(node), true;
  const Expression* last = node.children.back().get();
  const bool lax_written = node.children.size() > 1 && last->kind == ExpressionKind::kBoolean;
  const bool lax = lax_written && last->text == "true";
  const std::string document = captured([&] { expression(*node.children[0]); });
  const auto source = [&] {
    return lax ? "CASE WHEN json_valid(" + document + ") THEN " + document + " END" : document;
  };
  if (name == "json_array_length") {
    write(context_.function_schema + ".json_array_length(" + source() + ")");
    return true;
  }
  if (name == "json_extract_array_element_text") {
    write(context_.function_schema + ".json_element(" + source() + ", ");
    expression(*node.children[1]);
    write(")");
    return true;
  }
  if (name != "json_extract_path_text") return false;
  const std::size_t paths_end = node.children.size() - (lax_written ? 1 : 0);
  bool literal = true;
  std::string path = "$";
  for (std::size_t i = 1; i < paths_end; ++i) {
    literal = literal && node.children[i]->kind == ExpressionKind::kString &&
              node.children[i]->text.find_first_of("\"*\\") == std::string::npos;
    path += "." + quote_identifier(node.children[i]->text);
  }
  if (literal) {
    write("json_extract_string(" + source() + ", " + quote_literal(path) + ")");
    return true;
  }
  // As a JSON pointer, where every name can be written.
  write("json_extract_string(" + source() + ", ''");
  for (std::size_t i = 1; i < paths_end; ++i) {
    write(" || '/' || replace(replace(" + operand_text(*node.children[i]) +
          ", '~', '~0'), '/', '~1')");
  }
  write(")");
  return true;
}

}  // namespace leat::sql
