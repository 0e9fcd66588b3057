#include <gtest/gtest.h>

#include "warehouse/engine/function_fixture.h"

namespace leat::engine {
namespace {

class FloatCheck : public FunctionFixture {};

constexpr const char* kOverflow = "22003 value out of range: overflow";

TEST_F(FloatCheck, HandsOnWhatIsInRange) {
  EXPECT_EQ(rows("SELECT leat_finite(x * 1.5::DOUBLE, x) FROM (VALUES (1::DOUBLE), (NULL), (-2)) "
                 "t(x)"),
            "[1.5][NULL][-3]");
  EXPECT_EQ(rows("SELECT sum(leat_finite(x * 2::FLOAT, x)) FROM (SELECT CAST(i % 5 AS FLOAT) AS x "
                 "FROM range(100000) r(i))"),
            "[400000]");
  EXPECT_EQ(rows("SELECT leat_finite(1.7e308::DOUBLE)"), "[1.7e+308]");
}

TEST_F(FloatCheck, RefusesWhatLeavesIt) {
  for (const char* value : {"1e308::DOUBLE * 10", "-1e308::DOUBLE * 10", "3e38::FLOAT * 10::FLOAT",
                            "1e308::DOUBLE + 1e308::DOUBLE", "1e308::DOUBLE / 1e-10::DOUBLE"}) {
    EXPECT_EQ(rows(std::string("SELECT leat_finite(") + value + ")"), kOverflow) << value;
  }
  EXPECT_EQ(rows("SELECT leat_finite(x * 1e308, x) FROM (SELECT i::DOUBLE AS x FROM range(3000) "
                 "r(i))"),
            kOverflow);
}

TEST_F(FloatCheck, InfinityAndNoNumberComputeWithThemselves) {
  EXPECT_EQ(rows("SELECT leat_finite(x * 2, x) FROM (VALUES ('inf'::DOUBLE), ('nan'::DOUBLE), "
                 "('-inf'::DOUBLE), (1)) t(x)"),
            "[Infinity][NaN][-Infinity][2]");
  EXPECT_EQ(rows("SELECT leat_finite(x * 2 + y, x, y) FROM (VALUES (1::FLOAT, 'inf'::FLOAT)) "
                 "t(x, y)"),
            "[Infinity]");
  EXPECT_EQ(rows("SELECT leat_finite(x * 1e308, x, y) FROM (VALUES (100::DOUBLE, NULL::DOUBLE)) "
                 "t(x, y)"),
            kOverflow);
}

}  // namespace
}  // namespace leat::engine
