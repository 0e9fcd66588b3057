#include "pipeline/shape/selection.h"

#include <gtest/gtest.h>

namespace leat::shape {
namespace {

using event::EventType;

TEST(Selection, TakesEverythingUnlessToldOtherwise) {
  EXPECT_TRUE(Selection{}.takes_all());
  EXPECT_TRUE(Selection{}.takes_event(EventType::kTrack, "A"));
  EXPECT_TRUE(Selection{}.takes_line("b", 7));
  EXPECT_FALSE(Selection{.event = "A"}.takes_all());
  EXPECT_FALSE(Selection{.to = TimeUs{1}}.takes_all());
}

TEST(Selection, KnowsEventsByNameAndByTable) {
  struct Case {
    std::string event;
    std::string table;
    EventType type;
    std::string name;
    bool taken;
  };
  const Case cases[] = {
      {"Order Completed", "", EventType::kTrack, "Order Completed", true},
      {"order_completed", "", EventType::kTrack, "Order Completed", true},
      {"Order Completed", "", EventType::kTrack, "orderCompleted", false},
      {"Order Completed", "", EventType::kPage, "", false},
      {"Order Completed", "", EventType::kTrack, "", false},
      {"", "order_completed", EventType::kTrack, "orderCompleted", true},
      {"", "tracks", EventType::kTrack, "Signed Up", true},
      {"", "signed_up", EventType::kTrack, "Order Completed", false},
      {"", "users", EventType::kIdentify, "", true},
      {"", "identifies", EventType::kIdentify, "", true},
      {"", "users", EventType::kGroup, "", false},
      {"", "accounts", EventType::kGroup, "", true},
      {"", "pages", EventType::kPage, "", true},
      {"", "pages", EventType::kNone, "", false},
      {"Signed Up", "order_completed", EventType::kTrack, "Signed Up", false},
      {"Signed Up", "tracks", EventType::kTrack, "Signed Up", true},
      {"Users", "", EventType::kTrack, "Users", true},
      {"", "users", EventType::kTrack, "Users", false},
      {"", "_users", EventType::kTrack, "Users", true},
  };
  for (const Case& each : cases) {
    const Selection selection{.event = each.event, .table = each.table};
    EXPECT_EQ(selection.takes_event(each.type, each.name), each.taken)
        << each.event << " | " << each.table << " | " << each.name;
  }
}

TEST(Selection, TakesEventsByTheirNumber) {
  const Selection part{.first_order = 3, .end_order = 5};
  EXPECT_FALSE(part.takes_all());
  EXPECT_FALSE(part.takes_order(2));
  EXPECT_TRUE(part.takes_order(3));
  EXPECT_TRUE(part.takes_order(4));
  EXPECT_FALSE(part.takes_order(5));
  EXPECT_TRUE(Selection{}.takes_order(1LL << 60));
}

TEST(Refusals, AreOfLinesThatHaveARowInTheTable) {
  Refusals refusals;
  refusals.by_batch["b"] = {{.first = 3, .last = 5, .table = "order_completed", .detail = "NULL"},
                            {.first = 5, .last = 9, .table = "users", .detail = "long"}};
  const auto find = [&](std::string_view batch, std::uint64_t line, EventType type,
                        std::string_view name) -> std::string {
    const std::string* why = refusals.find(batch, line, type, name);
    return why == nullptr ? "-" : *why;
  };
  EXPECT_EQ(find("b", 2, EventType::kTrack, "Order Completed"), "-");
  EXPECT_EQ(find("b", 3, EventType::kTrack, "Order Completed"), "NULL");
  EXPECT_EQ(find("b", 5, EventType::kTrack, "Order Completed"), "NULL");
  EXPECT_EQ(find("b", 5, EventType::kIdentify, ""), "long");
  EXPECT_EQ(find("b", 4, EventType::kTrack, "Signed Up"), "-");
  EXPECT_EQ(find("b", 10, EventType::kIdentify, ""), "-");
  EXPECT_EQ(find("a", 3, EventType::kTrack, "Order Completed"), "-");
}

TEST(Selection, PatternsMatchAnyCharacters) {
  struct Case {
    const char* text;
    const char* pattern;
    bool matches;
  };
  const Case cases[] = {
      {"", "", true},          {"", "*", true},          {"a", "", false},
      {"abc", "abc", true},    {"abc", "ab", false},     {"abc", "a*", true},
      {"abc", "*c", true},     {"abc", "*b*", true},     {"abc", "a*b", false},
      {"abcbc", "a*bc", true}, {"abc", "**", true},      {"aXbXc", "a*b*c", true},
      {"ac", "a*b*c", false},  {"abab", "*ab*ab", true}, {"aba", "*ab*ab", false},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(matches_pattern(each.text, each.pattern), each.matches)
        << each.text << " | " << each.pattern;
  }
}

TEST(Selection, LeavesOutEventsTablesAndColumns) {
  const Exclusion exclusion{.events = {"Debug *", "signed_up"},
                            .tables = {"screens", "identifies", "tmp_*"},
                            .columns = {"orders.coupon", "context_ip", "users.*_secret"}};
  const auto leaves_out = [&](EventType type, std::string_view name = "") {
    return exclusion.leaves_out_event(type, name);
  };
  EXPECT_TRUE(leaves_out(EventType::kTrack, "Debug Ping"));
  EXPECT_TRUE(leaves_out(EventType::kTrack, "Signed Up"));
  EXPECT_FALSE(leaves_out(EventType::kTrack, "Orders"));
  EXPECT_FALSE(leaves_out(EventType::kTrack, "Tmp Table")) << "tracks has a row of it";
  EXPECT_TRUE(exclusion.leaves_out_table("tmp_table"));
  EXPECT_TRUE(leaves_out(EventType::kScreen));
  EXPECT_TRUE(leaves_out(EventType::kIdentify));
  EXPECT_TRUE(exclusion.leaves_out_table("users"));
  EXPECT_FALSE(exclusion.leaves_out_table("accounts"));
  EXPECT_FALSE(leaves_out(EventType::kPage));
  EXPECT_TRUE(exclusion.leaves_out_column("orders", "coupon"));
  EXPECT_FALSE(exclusion.leaves_out_column("refunds", "coupon"));
  EXPECT_TRUE(exclusion.leaves_out_column("pages", "context_ip"));
  EXPECT_TRUE(exclusion.leaves_out_column("users", "api_secret"));
  const Exclusion no_tracks{.tables = {"tracks", "b"}};
  EXPECT_FALSE(no_tracks.leaves_out_event(EventType::kTrack, "A"));
  EXPECT_TRUE(no_tracks.leaves_out_event(EventType::kTrack, "B"));
  EXPECT_TRUE(Exclusion{}.is_empty());
  EXPECT_FALSE(Exclusion{}.leaves_out_event(EventType::kTrack, "A"));
}

TEST(Selection, TakesTheLinesOfABatch) {
  Selection selection;
  selection.lines["b1"] = {2, 5};
  EXPECT_TRUE(selection.takes_line("b1", 5));
  EXPECT_FALSE(selection.takes_line("b1", 1));
  EXPECT_FALSE(selection.takes_line("b2", 2));
}

}  // namespace
}  // namespace leat::shape
