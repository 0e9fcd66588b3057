#include <gtest/gtest.h>

#include "warehouse/engine/function_fixture.h"

namespace leat::engine {
namespace {

class HllFunction : public FunctionFixture {
 protected:
  HllFunction() : FunctionFixture(2) {}
};

TEST_F(HllFunction, CountsEveryType) {
  for (const char* type :
       {"BOOLEAN", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL(4,1)",
        "DECIMAL(9,2)", "DECIMAL(18,4)", "DECIMAL(38,10)", "VARCHAR"}) {
    EXPECT_EQ(rows(std::string("SELECT leat_hll(CAST(x % 2 AS ") + type + ")) FROM range(10) r(x)"),
              "[2]")
        << type;
  }
  EXPECT_EQ(rows("SELECT leat_hll(DATE '2026-01-01' + CAST(x % 3 AS INTEGER)) FROM range(9) r(x)"),
            "[3]");
  EXPECT_EQ(rows("SELECT leat_hll(TIMESTAMP '2026-01-01' + to_days(CAST(x % 3 AS INTEGER))) "
                 "FROM range(9) r(x)"),
            "[3]");
  EXPECT_EQ(rows("SELECT leat_hll(to_days(CAST(x % 3 AS INTEGER))) FROM range(9) r(x)"), "[3]");
  EXPECT_EQ(rows("SELECT leat_hll(v) FROM (VALUES (0.0::DOUBLE), (-0.0::DOUBLE), ('nan'::DOUBLE), "
                 "(-('nan'::DOUBLE))) t(v)"),
            "[2]");
  EXPECT_EQ(rows("SELECT leat_hll(CAST('ab' AS BLOB))"),
            "42883 HyperLogLog functions take no value of this type");
  EXPECT_EQ(rows("SELECT leat_hll([1, 2])"),
            "42883 HyperLogLog functions take no value of this type");
}

TEST_F(HllFunction, ApproximateCountTakesBytes) {
  EXPECT_EQ(rows("SELECT leat_approximate_count(v) FROM (VALUES ('a'::BLOB), ('b'), ('a')) t(v)"),
            "[2]");
}

TEST_F(HllFunction, IgnoresNullsAndAnswersForNone) {
  EXPECT_EQ(rows("SELECT leat_hll(v) FROM (VALUES (1), (NULL), (1)) t(v)"), "[1]");
  EXPECT_EQ(rows("SELECT leat_hll(NULL)"), "[0]");
  EXPECT_EQ(rows("SELECT leat_hll(x) FROM range(0) r(x)"), "[0]");
  const std::string empty = R"([{"version":1,"logm":15,"sparse":{"indices":[],"values":[]}}])";
  EXPECT_EQ(rows("SELECT leat_hll_create_sketch(NULL)"), empty);
  EXPECT_EQ(rows("SELECT leat_hll_create_sketch(x) FROM range(0) r(x)"), empty);
  EXPECT_EQ(rows("SELECT leat_hll_combine(leat_hll_sketch(NULL)) FROM range(2)"), "[NULL]");
  EXPECT_EQ(rows("SELECT leat_hll_cardinality(NULL)"), "[NULL]");
}

TEST_F(HllFunction, GroupsOfManyThreadsBecomeOneSketch) {
  EXPECT_EQ(rows("SELECT count(*) FROM (SELECT g, leat_hll(x) AS n FROM (SELECT x % 1000 AS g, x "
                 "FROM range(400000) r(x)) GROUP BY g) WHERE n <> 400"),
            "[0]");
  EXPECT_EQ(rows("SELECT abs(leat_hll(x) - 1000000) < 20000, leat_hll(x) = "
                 "leat_hll_cardinality(leat_hll_create_sketch(x)) FROM range(1000000) r(x)"),
            "[t]");
  EXPECT_EQ(rows("WITH s AS (SELECT leat_hll_create_sketch(x) AS s FROM range(300000) r(x) GROUP "
                 "BY x % 7) SELECT leat_hll_combine(s) = (SELECT leat_hll_create_sketch(x) FROM "
                 "range(300000) r(x)) FROM s"),
            "[t]");
}

TEST_F(HllFunction, SketchesAreATypeOfTheirOwn) {
  EXPECT_EQ(rows("SELECT typeof(leat_hll_create_sketch(1))"), "[HLLSKETCH]");
  ASSERT_TRUE(connection->run("CREATE TABLE t (s HLLSKETCH)"));
  ASSERT_TRUE(connection->run("INSERT INTO t SELECT leat_hll_create_sketch(x) FROM range(5) r(x)"));
  ASSERT_TRUE(connection->run(
      "INSERT INTO t SELECT leat_hll_sketch(CAST(c AS VARCHAR)) FROM (SELECT NULL) q(c)"));
  EXPECT_EQ(rows("SELECT leat_hll_cardinality(leat_hll_combine_sketches(s, (SELECT "
                 "leat_hll_create_sketch(x) FROM range(3, 8) r(x)))) FROM t"),
            "[8][NULL]");
  EXPECT_TRUE(rows("SELECT upper(s) FROM t").starts_with("42883"));
  EXPECT_TRUE(rows("SELECT leat_hll_sketch('{}')").starts_with("22P02 invalid input syntax"));
  EXPECT_TRUE(rows("SELECT leat_hll_cardinality('x')").starts_with("22P02 invalid input syntax"));
}

}  // namespace
}  // namespace leat::engine
