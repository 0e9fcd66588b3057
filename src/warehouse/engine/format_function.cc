// The functions of the dialect that take a template:
//
//   leat_to_char(timestamp | time, format)              the moment as the template says
//   leat_to_char(timestamp, format, zone, offset)       with the zone's name and microseconds east
//   leat_to_char_number(text | double | real, format)   the number; integers and decimals as text
//   leat_to_number(text, format)                        the number as decimal text
//   leat_to_timestamp(text, format, strict)             TIMESTAMP
//
// and leat_attribute_names(json, upper): the JSON with the names of its objects' members in upper
// or lower case, ASCII only.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/engine/database.h"
#include "warehouse/engine/duckdb_bridge.h"
#include "warehouse/engine/format_template.h"
#include "warehouse/engine/function.h"

namespace leat::engine {
namespace {

/// A string is a member's name when a colon follows. Escapes stay as they are.
std::string with_attribute_names(std::string_view json, bool upper) {
  std::string out(json);
  for (std::size_t at = 0; at < out.size(); ++at) {
    if (out[at] != '"') continue;
    const std::size_t first = at + 1;
    for (at = first; at < out.size() && out[at] != '"'; ++at) at += out[at] == '\\' ? 1 : 0;
    const std::size_t next = out.find_first_not_of(" \t\r\n", at + 1);
    if (next == std::string::npos || out[next] != ':') continue;
    for (std::size_t i = first; i < at; ++i) {
      char& c = out[i];
      if (c == '\\') {
        ++i;
      } else if (upper && c >= 'a' && c <= 'z') {
        c = static_cast<char>(c - 32);
      } else if (!upper && c >= 'A' && c <= 'Z') {
        c = static_cast<char>(c + 32);
      }
    }
  }
  return out;
}

using Run = std::function<SqlStatus(const Chunk&, std::size_t, FunctionOutput&)>;

SqlStatus add(Database& database, std::string name, const std::vector<Type>& parameters,
              Type returns, Run run) {
  ScalarFunction function{.name = std::move(name),
                          .parameters = {},
                          .more_parameters = {},
                          .returns = plain_type(returns),
                          .sees_null = false,
                          .is_volatile = false,
                          .run = std::move(run)};
  for (const Type parameter : parameters) function.parameters.push_back(plain_type(parameter));
  return database.add_function(std::move(function));
}

/// Of binary numbers, which have no more decimal digits than that.
template <class Float>
SqlStatus add_number_function(Database& database, Type type, int digits_max) {
  return add(
      database, "leat_to_char_number", {type, Type::kVarchar}, Type::kVarchar,
      [digits_max](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
        const double number{arguments.column(0).cells<Float>()[row]};
        LEAT_ASSIGN(const std::string text,
                    format_number(number, digits_max, arguments.column(1).text(row)));
        output.set_text(row, text);
        return {};
      });
}

SqlStatus add_number_functions(Database& database) {
  LEAT_TRY(add(database, "leat_to_char_number", {Type::kVarchar, Type::kVarchar}, Type::kVarchar,
               [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
                 LEAT_ASSIGN(const std::string text, format_number(arguments.column(0).text(row),
                                                                   arguments.column(1).text(row)));
                 output.set_text(row, text);
                 return {};
               }));
  LEAT_TRY(add_number_function<double>(database, Type::kDouble, 15));
  LEAT_TRY(add_number_function<float>(database, Type::kFloat, 6));
  return add(database, "leat_to_number", {Type::kVarchar, Type::kVarchar}, Type::kVarchar,
             [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
               LEAT_ASSIGN(const std::string text, read_number(arguments.column(0).text(row),
                                                               arguments.column(1).text(row)));
               output.set_text(row, text);
               return {};
             });
}

}  // namespace

SqlStatus add_format_functions(Database& database) {
  for (const Type type : {Type::kTimestamp, Type::kTime}) {
    LEAT_TRY(add(database, "leat_to_char", {type, Type::kVarchar}, Type::kVarchar,
                 [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
                   output.set_text(row, format_moment(arguments.column(0).integer(row),
                                                      arguments.column(1).text(row)));
                   return {};
                 }));
  }
  LEAT_TRY(add(database, "leat_to_char",
               {Type::kTimestamp, Type::kVarchar, Type::kVarchar, Type::kInt64}, Type::kVarchar,
               [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
                 const ZoneText zone{arguments.column(2).text(row),
                                     arguments.column(3).integer(row) / 1'000'000};
                 output.set_text(row, format_moment(arguments.column(0).integer(row),
                                                    arguments.column(1).text(row), zone));
                 return {};
               }));
  LEAT_TRY(add_number_functions(database));
  LEAT_TRY(add(database, "leat_attribute_names", {Type::kVarchar, Type::kBoolean}, Type::kVarchar,
               [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
                 output.set_text(row, with_attribute_names(arguments.column(0).text(row),
                                                           arguments.column(1).integer(row) != 0));
                 return {};
               }));
  return add(database, "leat_to_timestamp", {Type::kVarchar, Type::kVarchar, Type::kBoolean},
             Type::kTimestamp,
             [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
               LEAT_ASSIGN(
                   const std::int64_t moment,
                   parse_moment(arguments.column(0).text(row), arguments.column(1).text(row),
                                arguments.column(2).integer(row) != 0));
               output.set_int64(row, moment);
               return {};
             });
}

}  // namespace leat::engine
