// Queries that hand their rows to a ChunkSink, through the real DuckDB.
#include "warehouse/engine/sink.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "warehouse/engine/function_fixture.h"

namespace leat::engine {
namespace {

class Sink : public FunctionFixture {
 protected:
  Sink() : FunctionFixture(2) {}
};

/// Collects the rows as text, and refuses the row of `refused_row`.
class CollectingSink final : public ChunkSink {
 public:
  SqlStatus take(const Chunk& chunk) override {
    for (std::size_t row = 0; row < chunk.rows(); ++row) {
      if (rows.size() == refused_row) return fail_sql("22012", "this row is refused");
      std::string& line = rows.emplace_back();
      for (const Column& column : chunk.columns()) {
        if (!line.empty()) line += '|';
        line += cell_text(column, row).value_or("NULL");
      }
    }
    return {};
  }
  std::size_t refused_row = ~std::size_t{0};
  std::vector<std::string> rows{};
};

TEST_F(Sink, QueriesRunIntoASink) {
  // Tables of several row groups, read by two workers; vectors of every layout that DuckDB has.
  ASSERT_TRUE(
      connection->run("create table t as select range as n, 'name ' || (range % 7) as name, case "
                      "when range % 3 = 0 "
                      "then null else range::decimal(10,2) end as price from range(130000)"));
  for (const std::string_view sql :
       {"select * from t", "select n, 1 as one, 'same' as same, null as none from t",
        "select name, n from t where n % 5 = 0;", "select * from t order by price desc, n",
        "select name, count(*) as rows, sum(price) from t group by 1 order by 1",
        "with big as (select * from t where n > 129990) select a.n, b.name from big a join t b on "
        "a.n = b.n order by 1",
        "select n as x, n as x from t limit 3", "values (1, 'a'), (2, null)",
        "select [n, n + 1] as list, {'a': name} as item from t limit 5000"}) {
    auto query = connection->prepare(sql);
    ASSERT_TRUE(query) << query.error().message;
    CollectingSink sink;
    const auto ran = query->run_into(sink);
    ASSERT_TRUE(ran) << sql << ": " << ran.error().message;
    std::vector<std::string> expected;
    const auto rows = connection->query(sql);
    ASSERT_TRUE(rows) << rows.error().message;
    for (const TextRow& row : *rows) {
      std::string& line = expected.emplace_back();
      for (const auto& cell : row) {
        if (!line.empty()) line += '|';
        line += cell.value_or("NULL");
      }
    }
    EXPECT_TRUE(sink.rows == expected) << sql << ": " << sink.rows.size() << " rows";
  }
}

TEST_F(Sink, ASinkEndsItsQuery) {
  CollectingSink sink;
  sink.refused_row = 5000;
  auto query = connection->prepare("select range from range(1000000)");
  ASSERT_TRUE(query);
  const auto refused = query->run_into(sink);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sqlstate + " " + refused.error().message, "22012 this row is refused");
  EXPECT_EQ(sink.rows.size(), 5000U);

  auto nothing = connection->prepare("select range from range(1000) where range < 0");
  auto broken = connection->prepare("select (range || 'x')::int from range(10)");
  ASSERT_TRUE(nothing && broken);
  CollectingSink other;
  EXPECT_TRUE(nothing->run_into(other));
  EXPECT_TRUE(other.rows.empty());
  const auto error = broken->run_into(other);
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().sqlstate, "22P02") << error.error().message;
  // Not a query, or with parameters: the ordinary way.
  auto asked = connection->prepare("explain select 1");
  ASSERT_TRUE(asked);
  EXPECT_TRUE(asked->run_into(other));
  EXPECT_FALSE(other.rows.empty());
}

TEST_F(Sink, ASinkCannotBeNamedBySql) {
  const auto taken =
      connection->run("copy (select 1) to '/dev/null/leat_rows/1' (format leat_rows)");
  ASSERT_FALSE(taken);
  const auto written = connection->run("copy (select 1) to '/dev/null/leat_rows/1' (format csv)");
  EXPECT_FALSE(written);
}

TEST_F(Sink, InterruptEndsAQueryIntoASink) {
  auto query = connection->prepare("select count(*) from range(10000000000) t(a), range(1000)");
  ASSERT_TRUE(query);
  std::atomic<bool> done = false;
  SqlError error;
  std::thread runner([&] {
    CollectingSink sink;
    const auto ran = query->run_into(sink);
    if (!ran) error = ran.error();
    done = true;
  });
  while (!done) connection->interrupt();
  runner.join();
  EXPECT_EQ(error.sqlstate, "57014") << error.message;
}

}  // namespace
}  // namespace leat::engine
