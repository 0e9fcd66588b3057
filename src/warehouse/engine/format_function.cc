// The functions of the dialect that take a template:
//
//   leat_to_char(timestamp | time, format)              the moment as the template says
//   leat_to_char(timestamp, format, zone, offset)       with the zone's name and microseconds east
//   leat_to_char_number(text, format)                   the number, given as text
//   leat_to_timestamp(text, format, strict)             TIMESTAMP
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

ColumnType plain_type(Type type) {
  return {.type = type, .children = {}, .child_names = {}};
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
  LEAT_TRY(add(database, "leat_to_char_number", {Type::kVarchar, Type::kVarchar}, Type::kVarchar,
               [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
                 output.set_text(row, format_number(arguments.column(0).text(row),
                                                    arguments.column(1).text(row)));
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
