#include "ops/console/replay_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::console {
namespace {

using testing::HasSubstr;

TEST(ReplayApi, ReadsWhatIsAskedFor) {
  const auto request = read_replay_query(
      "source=web&from=2026-11-20&to=2026-11-20T14:00Z&event=Order%20Completed&table=t&column=c"
      "&restart=true");
  ASSERT_TRUE(request.has_value()) << request.error().message;
  EXPECT_EQ(request->selection.to_json(),
            R"({"source":"web","from":"2026-11-20T00:00:00.000Z","to":"2026-11-20T14:00:00.000Z",)"
            R"("event":"Order Completed","table":"t","column":"c"})");
  EXPECT_TRUE(request->restart);
  EXPECT_FALSE(request->dry_run);
}

TEST(ReplayApi, TableAndColumnOfRescuedEventsAreThoseOfTheirRescueRows) {
  const auto request =
      read_replay_query("source=web&rescued=true&table=t&reason=too_long&dry_run=1");
  ASSERT_TRUE(request.has_value()) << request.error().message;
  EXPECT_EQ(request->selection.to_json(),
            R"({"source":"web","rescue":{"table":"t","reason":"too_long"}})");
  EXPECT_TRUE(request->dry_run);
}

TEST(ReplayApi, ReadsWhichRescueRowsToShow) {
  const auto query = read_rescued_query("source=web&table=t&reason=too_long&values=5");
  ASSERT_TRUE(query.has_value()) << query.error().message;
  EXPECT_EQ(query->source, "web");
  EXPECT_EQ(query->query.filter, (load::RescueFilter{.table = "t", .reason = "too_long"}));
  EXPECT_EQ(query->query.values_max, 5);
  EXPECT_FALSE(read_rescued_query("values=10001").has_value());
  EXPECT_FALSE(read_rescued_query("rows=1").has_value());
}

TEST(ReplayApi, NamesTheWrongParameter) {
  for (const auto& [query, what] : std::initializer_list<std::pair<const char*, const char*>>{
           {"form=2026", "unknown parameter \"form\""},
           {"from=yesterday", "parameter from is \"yesterday\""},
           {"dry_run=maybe", "parameter dry_run"},
           {"reason=too_long", "need rescued=true"}}) {
    const auto request = read_replay_query(query);
    ASSERT_FALSE(request.has_value()) << query;
    EXPECT_EQ(request.error().code, Errc::kInvalid);
    EXPECT_THAT(request.error().message, HasSubstr(what));
  }
  EXPECT_FALSE(read_replay_number("number=x", true).has_value());
  EXPECT_FALSE(read_replay_number("", false).has_value());
  EXPECT_EQ(read_replay_number("", true).value_or(-1), 0);
  EXPECT_EQ(read_replay_number("number=3", false).value_or(-1), 3);
}

}  // namespace
}  // namespace leat::console
