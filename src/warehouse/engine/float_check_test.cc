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

TEST_F(FloatCheck, SumsAndMeans) {
  EXPECT_EQ(rows("SELECT leat_sum(x) || ' ' || leat_avg(x) FROM (VALUES (1.5::DOUBLE), (NULL), "
                 "(-2)) t(x)"),
            "[-0.5 -0.25]");
  EXPECT_EQ(rows("SELECT coalesce(leat_sum(x), leat_avg(x)) FROM (VALUES (NULL::DOUBLE)) t(x)"),
            "[NULL]");
  EXPECT_EQ(rows("SELECT leat_sum(x::DOUBLE) || ' ' || leat_avg(x) FROM range(1, 100001) r(x)"),
            "[5000050000.0 50000.5]");
  EXPECT_EQ(rows("SELECT leat_sum(x::FLOAT) FROM range(3) r(x)"), "[3]");
  EXPECT_EQ(rows("SELECT leat_sum(x::DOUBLE) FROM range(3000) r(x) GROUP BY x % 3 ORDER BY x % 3"),
            "[1498500][1499500][1500500]");
  EXPECT_EQ(rows("SELECT leat_sum(DISTINCT (x % 2)::DOUBLE) FROM range(3000) r(x)"), "[1]");
}

TEST_F(FloatCheck, SumsThatLeaveTheRangeAreRefused) {
  for (const char* values :
       {"(VALUES (1e308::DOUBLE), (1e308))", "(VALUES (-1e308::DOUBLE), (-1e308))",
        "(SELECT 1e305::DOUBLE FROM range(5000))",
        "(SELECT CASE WHEN i % 2 = 0 THEN 1e305::DOUBLE END FROM range(9000) r(i))"}) {
    EXPECT_EQ(rows(std::string("SELECT leat_sum(x) FROM ") + values + " t(x)"), kOverflow)
        << values;
    EXPECT_EQ(rows(std::string("SELECT leat_avg(x) FROM ") + values + " t(x)"), kOverflow)
        << values;
  }
}

TEST_F(FloatCheck, SumsOfInfinity) {
  EXPECT_EQ(rows("SELECT leat_avg(x) FROM (VALUES ('inf'::DOUBLE), (1e308)) t(x)"), "[Infinity]");
  EXPECT_EQ(rows("SELECT leat_sum(x) FROM (VALUES ('inf'::DOUBLE), ('-inf'::DOUBLE)) t(x)"),
            "[NaN]");
  EXPECT_EQ(rows("SELECT leat_sum(x) FROM (SELECT CASE WHEN i = 2900 THEN 'inf'::DOUBLE ELSE 1e305 "
                 "END AS x FROM range(3000) r(i)) t"),
            "[Infinity]");
}

}  // namespace
}  // namespace leat::engine
