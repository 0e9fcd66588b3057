// The functions of value_function.cc.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "warehouse/engine/function_fixture.h"

namespace leat::engine {
namespace {

using ValueFunction = FunctionFixture;

TEST_F(ValueFunction, Answers) {
  const std::pair<std::string, std::string> table[] = {
      {"leat_text(2008::double)", "[2008]"},
      {"leat_text(1e15::double)", "[1e+15]"},
      {"leat_text(0.1::float)", "[0.1]"},
      {"leat_text('infinity'::double)", "[Infinity]"},
      {"leat_text(interval 14 month)", "[1 year 2 mons]"},
      {"leat_text(NULL::double)", "[NULL]"},
      {"leat_strtol('0xf', 16)", "[15]"},
      {"leat_strtol('-10', 2)", "[-2]"},
      {"leat_strtol(' +7f ', 16)", "[127]"},
      {"leat_strtol('', 16)", "[0]"},
      {"leat_strtol('12a', 10)", "22023 The input 12a is not valid to be converted to base 10"},
      {"leat_strtol('8000000000000000', 16)",
       "22003 STRTOL: 8000000000000000 in base 16 is out of range for type bigint"},
      {"leat_strtol('1', 37)", "22023 STRTOL: base 37 is not between 2 and 36"},
      {"leat_round('28.05', 1)", "[028.10]"},
      {"leat_round('-28.05', 1)", "[-028.10]"},
      {"leat_round('999.95', 1)", "[1000.00]"},
      {"leat_round('1250', -2)", "[01300]"},
      {"leat_round('1250', -4)", "[00000]"},
      {"leat_round('5000', -4)", "[10000]"},
      {"leat_round('5000', -9)", "[00000]"},
      {"leat_round('0.50', 0)", "[01.00]"},
      {"leat_round('1.5', 7)", "[1.5]"},
      {"leat_trunc('111.86', 1)", "[0111.80]"},
      {"leat_trunc('-0.86', 0)", "[00.00]"},
      {"leat_trunc('111.86', -5)", "[0000.00]"},
      {R"(leat_json_compact(' { "a b" : [ 1,\t42.50e3 ] , "c":"\"\\ \u00e9 " } '))",
       R"([{"a b":[1,\t42.50e3],"c":"\"\\ \u00e9 "}])"},
      {"leat_json_compact('12345678901234567890.0123456789 ')",
       "[12345678901234567890.0123456789]"},
  };
  for (const auto& [call, answer] : table) EXPECT_EQ(rows("SELECT " + call), answer) << call;
}

}  // namespace
}  // namespace leat::engine
