// Sets of keys, and the SQL functions that make and ask them.
#include "warehouse/engine/key_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "warehouse/engine/function_fixture.h"

namespace leat::engine {
namespace {

std::string bytes_of(const std::vector<std::int64_t>& keys) {
  return {reinterpret_cast<const char*>(keys.data()), keys.size() * sizeof(std::int64_t)};
}

bool holds(const KeySet& set, std::int64_t key) {
  std::array<bool, 1> found{};
  set.look_up(std::array{key}, found);
  return found[0];
}

TEST(KeySet, HoldsWhatItWasMadeOf) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const KeySet set(bytes_of({0, 1, -1, kLeast, kMost, 7, 7}));
  for (const std::int64_t key :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, kLeast, kMost, std::int64_t{7}}) {
    EXPECT_TRUE(holds(set, key)) << key;
  }
  for (const std::int64_t key : {std::int64_t{2}, std::int64_t{-7}, kLeast + 1, kMost - 1})
    EXPECT_FALSE(holds(set, key)) << key;
}

TEST(KeySet, AnEmptyOneHoldsNothing) {
  const KeySet set("");
  EXPECT_FALSE(holds(set, 0));
  EXPECT_FALSE(holds(set, 1));
}

TEST(KeySet, BytesBehindTheLastKeyAreIgnored) {
  const KeySet set(bytes_of({5}) + "abc");
  EXPECT_TRUE(holds(set, 5));
  EXPECT_FALSE(holds(set, 0));
}

// Beside std::set: near and far keys, sizes around powers of two.
TEST(KeySet, AgreesWithASetOfTheLibrary) {
  std::mt19937_64 random(20);
  for (const std::size_t size : {1U, 2U, 3U, 127U, 128U, 129U, 5000U}) {
    for (const std::uint64_t range : {std::uint64_t{2} * size, std::uint64_t{1} << 62U}) {
      std::vector<std::int64_t> keys(size);
      for (std::int64_t& key : keys) key = static_cast<std::int64_t>(random() % range);
      const KeySet set(bytes_of(keys));
      const std::set<std::int64_t> known(keys.begin(), keys.end());
      std::vector<std::int64_t> asked = keys;
      for (std::size_t i = 0; i < 2 * size + 10; ++i)
        asked.push_back(static_cast<std::int64_t>(random() % range));
      const std::unique_ptr<bool[]> found(new bool[asked.size()]);
      set.look_up(asked, {found.get(), asked.size()});
      for (std::size_t i = 0; i < asked.size(); ++i)
        ASSERT_EQ(found[i], known.contains(asked[i])) << size << " " << range << " " << asked[i];
    }
  }
}

class KeySetFunctions : public FunctionFixture {
 protected:
  KeySetFunctions() : FunctionFixture(2) {}

  static std::string among(const std::string& from) {
    return "leat_among(t.k, (SELECT leat_kept_keys(leat_key_set(s.k)) FROM " + from + " s))";
  }
};

// What a filter keeps is what IN keeps, NULLs on both sides among it.
TEST_F(KeySetFunctions, KeepTheRowsThatInKeeps) {
  ASSERT_TRUE(
      connection->run("CREATE TABLE t AS SELECT CASE WHEN i % 11 = 0 THEN NULL ELSE i * 7 "
                      "% 100003 END::bigint k FROM range(300000) r(i)"));
  ASSERT_TRUE(
      connection->run("CREATE TABLE s AS SELECT CASE WHEN i % 13 = 0 THEN NULL ELSE i * 3 "
                      "END::bigint k FROM range(20000) r(i)"));
  const std::string kept = rows("SELECT count(*) || ' ' || sum(k) FROM t WHERE " + among("s"));
  EXPECT_EQ(kept, rows("SELECT count(*) || ' ' || sum(k) FROM t WHERE t.k IN (SELECT s.k FROM s)"));
  EXPECT_NE(kept, "[NULL]");
  for (const char* const empty : {"(SELECT k FROM s WHERE false)", "(SELECT NULL::bigint k)"})
    EXPECT_EQ(rows("SELECT count(*) FROM t WHERE " + among(empty)), "[0]") << empty;
}

TEST_F(KeySetFunctions, ASetForEachGroup) {
  ASSERT_TRUE(connection->run("CREATE TABLE t AS SELECT i::bigint k FROM range(10) r(i)"));
  EXPECT_EQ(rows("SELECT string_agg(g || ':' || k, ' ' ORDER BY g, k) FROM t, (SELECT i % 3 AS g, "
                 "leat_kept_keys(leat_key_set(i)) AS n FROM range(9) r(i) GROUP BY i % 3) WHERE "
                 "leat_among(k, n)"),
            "[0:0 0:3 0:6 1:1 1:4 1:7 2:2 2:5 2:8]");
}

// A plan that runs again keeps a new set, and nothing of the old one.
TEST_F(KeySetFunctions, APreparedStatementAsksAnew) {
  ASSERT_TRUE(connection->run("CREATE TABLE t AS SELECT i::bigint k FROM range(100) r(i)"));
  ASSERT_TRUE(connection->run("CREATE TABLE s(k bigint)"));
  auto prepared = connection->prepare("SELECT count(*) FROM t WHERE " + among("s"));
  ASSERT_TRUE(prepared) << prepared.error().message;
  for (const std::string expected : {"0", "1", "2"}) {
    auto cursor = prepared->execute({});
    ASSERT_TRUE(cursor) << cursor.error().message;
    auto answer = read_all(std::move(*cursor));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->at(0)[0].value_or("NULL"), expected);
    ASSERT_TRUE(connection->run("INSERT INTO s VALUES (" + expected + ")"));
  }
}

TEST_F(KeySetFunctions, AForeignNumberIsAnError) {
  EXPECT_EQ(rows("SELECT leat_among(1, 77)"), "XX000 the keys of a query after IN are gone");
  EXPECT_EQ(rows("SELECT leat_among(1, NULL)"), "[NULL]");
  EXPECT_EQ(rows("SELECT leat_among(NULL, 77)"), "[NULL]");
}

// A set ends with the statement after its own.
TEST_F(KeySetFunctions, ASetEndsWithItsStatement) {
  auto number = connection->query("SELECT leat_kept_keys(leat_key_set(i)) FROM range(9) r(i)");
  ASSERT_TRUE(number) << number.error().message;
  EXPECT_EQ(rows("SELECT leat_among(1, " + *number->at(0)[0] + ")"),
            "XX000 the keys of a query after IN are gone");
}

}  // namespace
}  // namespace leat::engine
