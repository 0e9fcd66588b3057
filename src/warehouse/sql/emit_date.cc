// Date and time functions, and the format templates of TO_CHAR and its relatives.
#include "base/text.h"
#include "warehouse/sql/datetime.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

/// TO_CHAR elements strftime lacks, as SQL over the value ("$").
struct ComputedElement {
  std::string_view element;  ///< upper case
  std::string_view sql;      ///< for a template written in upper case
};
constexpr ComputedElement kComputed[] = {
    {"MONTH", "rpad(strftime($, '%B'), 9, ' ')"},
    {"DAY", "rpad(strftime($, '%A'), 9, ' ')"},
    {"MON", "strftime($, '%b')"},
    {"DY", "strftime($, '%a')"},
    {"SSSS", "CAST(hour($) * 3600 + minute($) * 60 + second($) AS VARCHAR)"},
    {"IDDD", ""},
    {"Q", "CAST(quarter($) AS VARCHAR)"},
    {"WW", "lpad(CAST((dayofyear($) - 1) // 7 + 1 AS VARCHAR), 2, '0')"},
    {"W", "CAST((day($) - 1) // 7 + 1 AS VARCHAR)"},
    {"CC", "lpad(CAST(century($) AS VARCHAR), 2, '0')"},
    {"D", "CAST(dayofweek($) + 1 AS VARCHAR)"},
    {"J", "CAST(CAST(julian($) AS BIGINT) AS VARCHAR)"},
    {"A.M.", "CASE WHEN hour($) < 12 THEN 'A.M.' ELSE 'P.M.' END"},
    {"P.M.", "CASE WHEN hour($) < 12 THEN 'A.M.' ELSE 'P.M.' END"},
    {"AM", "CASE WHEN hour($) < 12 THEN 'AM' ELSE 'PM' END"},
    {"PM", "CASE WHEN hour($) < 12 THEN 'AM' ELSE 'PM' END"},
};
/// Elements strftime has; tried together with the computed ones, longest first.
constexpr std::string_view kPlain[] = {"YYYY", "IYYY", "HH24", "HH12", "IDDD", "DDD",
                                       "YY",   "MM",   "DD",   "HH",   "MI",   "SS",
                                       "MS",   "US",   "IW",   "ID",   "TZ",   "OF"};

enum class Case : std::uint8_t { kUpper, kMixed, kLower };

Case case_of(std::string_view written) {
  const bool first_upper = written[0] < 'a';
  if (!first_upper) return Case::kLower;
  return written.size() > 1 && written[1] >= 'a' ? Case::kMixed : Case::kUpper;
}

std::string replaced(std::string_view text, const std::string& value) {
  std::string result;
  for (const char c : text) {
    if (c == '$') {
      result += value;
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

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

/// Sub-second parts are the field alone; most parts are INTEGER.
void Emitter::date_part(const Expression& node, bool extract) {
  const std::string part = date_part_name(*node.children[0]);
  const std::string value = captured([&] { moment(*node.children[1]); });
  if (part == "epoch") {
    return write(extract ? "CAST(epoch(" + value + ") AS BIGINT)" : "epoch(" + value + ")");
  }
  if (part == "millisecond" || part == "microsecond") {
    const std::string unit = part == "millisecond" ? "1000" : "1000000";
    return write("CAST(date_part('" + part + "', " + value + ") % " + unit + " AS INTEGER)");
  }
  write("CAST(date_part('" + part + "', " + value + ") AS INTEGER)");
}

void Emitter::convert_timezone(const Expression& node) {
  const bool three = node.children.size() == 3;
  write("((");
  moment(*node.children[three ? 2 : 1]);
  write(" AT TIME ZONE ");
  if (three) {
    operand(*node.children[0]);
  } else {
    write("'UTC'");
  }
  write(") AT TIME ZONE ");
  operand(*node.children[three ? 1 : 0]);
  write(")");
}

namespace {

/// The element that strftime has as well, at the beginning of `rest`; empty: none.
std::string_view plain_element(std::string_view rest) {
  for (const std::string_view candidate : kPlain) {
    if (equal_ignore_case(rest.substr(0, candidate.size()), candidate)) return candidate;
  }
  return {};
}

/// The element that SQL computes at the beginning of `rest`, when it is longer than `size`.
const ComputedElement* computed_element(std::string_view rest, std::size_t size) {
  for (const ComputedElement& entry : kComputed) {
    if (entry.element.size() > size &&
        equal_ignore_case(rest.substr(0, entry.element.size()), entry.element)) {
      return &entry;
    }
  }
  return nullptr;
}

/// Its SQL for `value`; `written` begins with the element, whose letters decide those of the
/// result.
std::string computed_piece(const ComputedElement& element, std::string_view written,
                           const std::string& value, bool fill) {
  std::string_view sql = element.sql;
  const bool name = sql.find("strftime") != std::string_view::npos;
  if (name && !fill && sql.starts_with("rpad(")) sql = sql.substr(5, sql.size() - 5 - 9);
  std::string piece = replaced(sql, value);
  const Case letters = case_of(written);
  if (name && letters == Case::kUpper) piece = "upper(" + piece + ")";
  if (letters == Case::kLower && (name || sql.find("'A") != std::string_view::npos))
    piece = "lower(" + piece + ")";
  return piece.starts_with("CASE") ? "(" + piece + ")" : piece;
}

}  // namespace

/// Pieces of the template joined by ||: strftime where it can, SQL where it cannot.
void Emitter::to_char(const Expression& node) {
  const std::string& format = literal_argument(node, 1, "to_char");
  if (is_number_format(format)) return to_char_number(node, format);
  const std::string value = captured([&] { moment(*node.children[0]); });
  std::vector<std::string> pieces;
  std::string pending;  // template text that strftime takes as it is
  const auto flush = [&] {
    if (pending.empty()) return;
    const auto code = strftime_format(pending, false);
    if (!code) unsupported("TO_CHAR with format '" + pending + "'", node.children[1]->span);
    pieces.push_back("strftime(" + value + ", " + quote_literal(*code) + ")");
    pending.clear();
  };
  std::string_view rest = format;
  bool fill = true;
  while (!rest.empty()) {
    if (equal_ignore_case(rest.substr(0, 2), "FM")) {
      fill = false;
      rest.remove_prefix(2);
      continue;
    }
    if (rest.front() == '"') {
      const std::size_t close = std::min(rest.find('"', 1), rest.size() - 1);
      pending += rest.substr(0, close + 1);
      rest.remove_prefix(close + 1);
      continue;
    }
    const std::string_view plain = plain_element(rest);
    if (const ComputedElement* computed = computed_element(rest, plain.size())) {
      flush();
      pieces.push_back(computed_piece(*computed, rest, value, fill));
      fill = true;
      rest.remove_prefix(computed->element.size());
      continue;
    }
    const std::size_t size = plain.empty() ? 1 : plain.size();
    if (!fill && !plain.empty()) pending += "FM";
    if (!plain.empty()) fill = true;
    pending += rest.substr(0, size);
    rest.remove_prefix(size);
  }
  flush();
  if (pieces.empty()) return write("''");
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i > 0) write(" || ");
    write(pieces[i]);
  }
}

/// 9, 0, point, comma, FM, S, MI, $: DuckDB's format() and then padding to the template's width.
void Emitter::to_char_number(const Expression& node, const std::string& format) {
  int whole = 0;
  int fraction = 0;
  int zeros = 0;  // digits from the first 0 before the point
  int fixed_fraction = 0;
  bool point = false;
  bool comma = false;
  bool fill = true;
  bool dollar = false;
  std::string sign = "lead";
  for (std::size_t i = 0; i < format.size(); ++i) {
    const char c = format[i];
    const std::string pair = to_lower(std::string_view(format).substr(i, 2));
    if (pair == "fm") {
      fill = false;
      ++i;
    } else if (pair == "mi") {
      sign = "mi";
      ++i;
    } else if (c == '9' || c == '0') {
      if (point) {
        ++fraction;
        if (c == '0') fixed_fraction = fraction;
      } else {
        ++whole;
        if (c == '0' && zeros == 0) zeros = -whole;
      }
    } else if (c == '.' || c == 'D' || c == 'd') {
      point = true;
    } else if (c == ',' || c == 'G' || c == 'g') {
      comma = true;
    } else if (c == 'S' || c == 's') {
      sign = whole == 0 ? "s-first" : "s-last";
    } else if (c == '$' || c == 'L' || c == 'l') {
      dollar = true;
    } else if (c != ' ') {
      unsupported("TO_CHAR with format '" + format + "'", node.children[1]->span);
    }
  }
  if (zeros < 0) zeros = whole + zeros + 1;
  const int width = whole + (comma ? (whole - 1) / 3 : 0) + (fraction > 0 ? fraction + 1 : 0) +
                    (dollar ? 1 : 0) + 1;
  const auto flag = [](bool value) { return value ? std::string("true") : std::string("false"); };
  write(context_.function_schema + ".to_char_number(CAST(");
  expression(*node.children[0]);
  write(" AS DECIMAL(38," + std::to_string(std::min(fraction, 18)) + "))");
  for (const int number : {whole, width, fraction, zeros, fixed_fraction})
    write(", " + std::to_string(number));
  write(", " + flag(comma) + ", " + flag(fill) + ", " + flag(dollar) + ", " + quote_literal(sign) +
        ")");
}

void Emitter::to_number(const Expression& node) {
  const std::string& format = literal_argument(node, 1, "to_number");
  int scale = 0;
  bool point = false;
  for (const char c : format) {
    if (point && (c == '9' || c == '0')) ++scale;
    if (c == '.' || c == 'D' || c == 'd') point = true;
    if (std::string_view("90.,DGdgSsLl$MIFPfmip ").find(c) == std::string_view::npos) {
      unsupported("TO_NUMBER with format '" + format + "'", node.children[1]->span);
    }
  }
  write("CAST(" + context_.function_schema + ".number_text(");
  expression(*node.children[0]);
  write(") AS DECIMAL(38," + std::to_string(std::min(scale, 18)) + "))");
}

bool Emitter::date_function(const Expression& node) {
  const std::string& name = node.names.back();
  if (name == "getdate") return write("date_trunc('second', " + local_now_text() + ")"), true;
  if (name == "sysdate" || name == "localtimestamp") return write(local_now_text()), true;
  if (name == "current_date") return write("CAST(" + local_now_text() + " AS DATE)"), true;
  if (name == "current_timestamp" || name == "now") return write("now()"), true;
  if (name == "localtime") return write("CAST(" + local_now_text() + " AS TIME)"), true;
  if (name == "current_time") return write("CAST(now() AS TIMETZ)"), true;
  if (name == "dateadd" || name == "date_add") return date_add(node), true;
  if (name == "datediff" || name == "date_diff") {
    write("date_diff('" + date_part_name(*node.children[0]) + "', ");
    moment(*node.children[1]);
    write(", ");
    moment(*node.children[2]);
    write(")");
    return true;
  }
  if (name == "date_part" || name == "pgdate_part") return date_part(node, false), true;
  if (name == "extract") return date_part(node, true), true;
  if (name == "date_trunc") {
    write("date_trunc('" + date_part_name(*node.children[0]) + "', ");
    moment(*node.children[1]);
    write(")");
    return true;
  }
  if (name == "convert_timezone") return convert_timezone(node), true;
  if (name == "to_char") return to_char(node), true;
  if (name == "to_number") return to_number(node), true;
  if (name != "to_date" && name != "to_timestamp") return false;
  const std::string& format = literal_argument(node, 1, name);
  const auto code = strftime_format(format, true);
  if (!code) {
    unsupported(
        (name == "to_date" ? "TO_DATE with format '" : "TO_TIMESTAMP with format '") + format + "'",
        node.children[1]->span);
  }
  write(name == "to_date" ? "CAST(" : "(");
  write("strptime(");
  write("CAST(");
  expression(*node.children[0]);
  write(" AS VARCHAR), ");
  string_literal(*code);
  write(name == "to_date" ? ") AS DATE)"
                          : ") AT TIME ZONE " + quote_literal(context_.time_zone) + ")");
  return true;
}

bool Emitter::json_function(const Expression& node) {
  const std::string& name = node.names.back();
  const Expression* last = node.children.back().get();
  const bool lax_written = node.children.size() > 1 && last->kind == ExpressionKind::kBoolean;
  const bool lax = lax_written && last->text == "true";
  const std::string document = captured([&] { expression(*node.children[0]); });
  const auto source = [&] {
    return lax ? "CASE WHEN json_valid(" + document + ") THEN " + document + " END" : document;
  };
  if (name == "json_array_length") {
    write("CAST(json_array_length(" + source() + ") AS INTEGER)");
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
              node.children[i]->text.find('"') == std::string::npos;
    path += "." + quote_identifier(node.children[i]->text);
  }
  if (literal) {
    write("json_extract_string(" + source() + ", " + quote_literal(path) + ")");
    return true;
  }
  write("json_extract_string(" + source() + ", '$'");
  for (std::size_t i = 1; i < paths_end; ++i) {
    write(" || '.\"' || ");
    operand(*node.children[i]);
    write(" || '\"'");
  }
  write(")");
  return true;
}

}  // namespace leat::sql
