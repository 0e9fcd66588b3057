// Division of decimals, as translated SQL calls it.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "warehouse/engine/function_fixture.h"

namespace leat::engine {
namespace {

class DecimalDivision : public FunctionFixture {};

TEST_F(DecimalDivision, EachRule) {
  const std::string nines38(38, '9');
  const std::string nines37(37, '9');
  const std::vector<std::pair<std::string, std::string>> table{
      {"leat_quotient_18_9(1::decimal(8,2), 3::decimal(8,2))", "[0.333333333]"},
      {"leat_quotient_18_4(2::decimal(1,0), 3::decimal(1,0))", "[0.6666]"},
      // Towards zero, whichever sign.
      {"leat_quotient_18_4(-2::decimal(1,0), 3)", "[-0.6666]"},
      {"leat_quotient_18_4(2, -3::decimal(4,0))", "[-0.6666]"},
      {"leat_quotient_18_4(-2::smallint, -3::decimal(4,0))", "[0.6666]"},
      {"leat_quotient_18_4(0.00, -3)", "[0.0000]"},
      {"leat_quotient_18_4(NULL, 3)", "[NULL]"},
      {"leat_quotient_18_4(3, NULL)", "[NULL]"},
      {"leat_quotient_18_4(1.5, 0)", "22012 division by zero"},
      {"leat_quotient_38_4(1.5, 0.00)", "22012 division by zero"},
      // A NULL that was computed is not divided.
      {"leat_quotient_18_4(x, nullif(x, x)) FROM (VALUES (0.5), (0.0)) AS t(x)", "[NULL][NULL]"},
      // Where DOUBLE would lose digits.
      {"leat_quotient_38_4(12345678901234567890123456789012.34::decimal(38,2), 1)",
       "[12345678901234567890123456789012.3400]"},
      {"leat_quotient_38_0(" + nines38 + "::decimal(38,0), 1)", "[" + nines38 + "]"},
      {"leat_quotient_38_0(-" + nines38 + "::decimal(38,0), 1)", "[-" + nines38 + "]"},
      {"leat_quotient_38_0(" + nines38 + "::decimal(38,0), " + nines37 + "::decimal(38,0))",
       "[10]"},
      // Dividends of more than 128 bits on the way.
      {"leat_quotient_38_37(" + nines38 + "::decimal(38,0), " + nines38 + "::decimal(38,0))",
       "[1." + std::string(37, '0') + "]"},
      {"leat_quotient_38_38(" + nines37 + "::decimal(38,0), " + nines38 + "::decimal(38,0))",
       "[0.0" + nines37 + "]"},
      {"leat_quotient_38_4(1, 0." + std::string(36, '0') + "7::decimal(38,37))",
       "22003 Numeric data overflow (result precision)"},
      {"leat_quotient_38_4(0." + std::string(36, '0') + "7::decimal(38,37), 0." +
           std::string(36, '0') + "3::decimal(38,37))",
       "[2.3333]"},
      {"leat_quotient_38_38(" + nines38 + "::decimal(38,0), 0.1)",
       "22003 Numeric data overflow (result precision)"},
      {"leat_quotient_18_18(1, 1)", "22003 Numeric data overflow (result precision)"},
      {"leat_quotient_38_38(9::bigint, 10)", "[0.9" + std::string(37, '0') + "]"},
      // A dividend of more digits after the point than were foreseen.
      {"leat_quotient_38_4(1.23456789::decimal(38,8), 2)", "[0.6172]"},
      {"leat_quotient_38_0(1.5::decimal(38,37), " + nines38 + "::decimal(38,0))", "[0]"},
      {"leat_quotient_38_4(-9223372036854775808, -1)", "[9223372036854775808.0000]"},
      {"leat_quotient_38_4(1::double, 1)",
       "42883 decimal division of a value that is neither decimal nor integer"},
  };
  for (const auto& [call, expected] : table) {
    EXPECT_EQ(rows("SELECT " + call), expected) << call;
  }
}

TEST_F(DecimalDivision, ReversesMultiplication) {
  // Of n rows, those whose quotient times divisor is not the dividend but for what was cut.
  EXPECT_EQ(
      rows(
          "SELECT count(*) FROM (SELECT (range * 7919 - 40000000)::decimal(18,4) / 100 AS ignored, "
          "(range * 7919 - 40000000)::decimal(12,0) AS a, (range % 977 + 1)::decimal(6,0) AS b "
          "FROM range(10000)) WHERE leat_quotient_38_0(a, b) <> CASE WHEN a < 0 THEN "
          "-((-a)::bigint // b::bigint) ELSE a::bigint // b::bigint END"),
      "[0]");
}

}  // namespace
}  // namespace leat::engine
