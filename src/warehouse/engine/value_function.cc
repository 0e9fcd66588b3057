// Functions of single values that DuckDB answers otherwise:
//
//   leat_text(double | real | interval)   the value as clients see it: 2008, 1e+15, 1 year 2 mons
//   leat_strtol(text, base)               BIGINT; 22023 for other characters than digits of it
//   leat_round(text, places)              the decimal, given as text, rounded half away from zero
//   leat_trunc(text, places)              or cut off at that place; below 0 before the point
//   leat_json_compact(json)               valid JSON without the blanks between its parts;
//   everything
//                                         else as it was written: digits that no DOUBLE keeps
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json_compact.h"
#include "base/text.h"
#include "warehouse/engine/database.h"
#include "warehouse/engine/duckdb_bridge.h"
#include "warehouse/engine/function.h"

namespace leat::engine {
namespace {

template <class T, class Append>
SqlStatus add_text_of(Database& database, Type type, Append append) {
  return database.add_function({.name = "leat_text",
                                .parameters = {plain_type(type)},
                                .returns = plain_type(Type::kVarchar),
                                .run = [append](const Chunk& arguments, std::size_t row,
                                                FunctionOutput& output) -> SqlStatus {
                                  std::string text;
                                  append(arguments.column(0).cells<T>()[row], text);
                                  output.set_text(row, text);
                                  return {};
                                }});
}

SqlStatus string_to_long(const Chunk& arguments, std::size_t row, FunctionOutput& output) {
  const std::string_view written = arguments.column(0).text(row);
  const std::int64_t base = arguments.column(1).integer(row);
  if (base < 2 || base > 36)
    return fail_sql("22023", fmt::format("STRTOL: base {} is not between 2 and 36", base));
  const std::string text(trim(written));
  if (text.empty()) {
    output.set_int64(row, 0);
    return {};
  }
  errno = 0;
  char* end = nullptr;
  const long long value = std::strtoll(text.c_str(), &end, static_cast<int>(base));
  if (end != text.c_str() + text.size()) {
    return fail_sql("22023", fmt::format("The input {} is not valid to be converted to base {}",
                                         written, base));
  }
  if (errno == ERANGE) {
    return fail_sql("22003", fmt::format("STRTOL: {} in base {} is out of range for type bigint",
                                         written, base));
  }
  output.set_int64(row, value);
  return {};
}

/// Adds one to the last digit before `end`; the point is passed over.
void count_up(std::string& digits, std::size_t end) {
  for (std::size_t i = end; i-- > 0;) {
    if (digits[i] == '.') continue;
    if (digits[i] != '9') {
      ++digits[i];
      return;
    }
    digits[i] = '0';
  }
  digits.insert(digits.begin(), '1');
}

/// `decimal`: digits with a sign and a point perhaps. As many digits behind the point as it had.
std::string cut_at(std::string_view decimal, std::int64_t places, bool rounds) {
  const bool negative = decimal.starts_with('-');
  // A digit in front, so that rounding 9.9 up has a place for its 1.
  std::string digits = "0" + std::string(negative ? decimal.substr(1) : decimal);
  const auto point = static_cast<std::int64_t>(std::min(digits.find('.'), digits.size()));
  const std::int64_t first = places > 0 ? point + 1 + places : point + places;
  if (first >= static_cast<std::int64_t>(digits.size())) return std::string(decimal);
  const auto kept = static_cast<std::size_t>(std::max<std::int64_t>(first, 0));
  // What is behind the point begins one further.
  const std::size_t next = digits[kept] == '.' ? kept + 1 : kept;
  const bool up = rounds && first >= 0 && next < digits.size() && digits[next] >= '5';
  for (std::size_t i = kept; i < digits.size(); ++i) {
    if (digits[i] != '.') digits[i] = '0';
  }
  if (up) count_up(digits, kept);
  const bool zero = digits.find_first_of("123456789") == std::string::npos;
  return (negative && !zero ? "-" : "") + digits;
}

SqlStatus add_cut(Database& database, std::string name, bool rounds) {
  return database.add_function(
      {.name = std::move(name),
       .parameters = {plain_type(Type::kVarchar), plain_type(Type::kInt32)},
       .returns = plain_type(Type::kVarchar),
       .run = [rounds](const Chunk& arguments, std::size_t row,
                       FunctionOutput& output) -> SqlStatus {
         output.set_text(
             row, cut_at(arguments.column(0).text(row), arguments.column(1).integer(row), rounds));
         return {};
       }});
}

}  // namespace

SqlStatus add_value_functions(Database& database) {
  LEAT_TRY(add_text_of<double>(database, Type::kDouble, [](double value, std::string& out) {
    append_double(value, 0, out);
  }));
  LEAT_TRY(add_text_of<float>(database, Type::kFloat,
                              [](float value, std::string& out) { append_float(value, 0, out); }));
  LEAT_TRY(add_text_of<Interval>(database, Type::kInterval, append_interval));
  LEAT_TRY(
      database.add_function({.name = "leat_strtol",
                             .parameters = {plain_type(Type::kVarchar), plain_type(Type::kInt32)},
                             .returns = plain_type(Type::kInt64),
                             .run = string_to_long}));
  LEAT_TRY(database.add_function(
      {.name = "leat_json_compact",
       .parameters = {plain_type(Type::kVarchar)},
       .returns = plain_type(Type::kVarchar),
       .run = [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
         std::string json;
         append_compact_json(json, arguments.column(0).text(row));
         output.set_text(row, json);
         return {};
       }}));
  LEAT_TRY(add_cut(database, "leat_round", true));
  return add_cut(database, "leat_trunc", false);
}

}  // namespace leat::engine
