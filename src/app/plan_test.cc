#include "app/plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/event/line.h"

namespace leat::app {
namespace {

using ::testing::HasSubstr;

constexpr TimeUs kNow{1'790'000'000'000'000};

constexpr std::string_view kEvents =
    R"({"type":"track","event":"Order Completed","userId":"u1","properties":{"revenue":12.5}})"
    "\n\n"
    R"({"type":"page","userId":"u1","name":"Home"})"
    "\nnot json\n"
    R"({"type":"track","userId":"u1"})"
    "\n";

shape::Staged shaped(const PlannedLines& lines) {
  shape::Options options;
  options.synced_at = kNow;
  const auto staged = shape::shape_batches(
      options, {}, 1,
      [&](std::size_t) -> Result<shape::Batch> { return shape::Batch{"b", lines.lines}; });
  EXPECT_TRUE(staged.has_value());
  return staged.value_or(shape::Staged());
}

TEST(Plan, ReadsEventsAndLinesOfTheArchive) {
  const PlannedLines once = read_planned_lines(kEvents, "web", kNow);
  EXPECT_EQ(once.events, 3U);
  EXPECT_EQ(once.bad.count, 1U);
  ASSERT_EQ(once.bad.first.size(), 1U);
  EXPECT_EQ(once.bad.first[0].line, 4U);
  EXPECT_THAT(once.bad.first[0].why, ::testing::StartsWith("no JSON: "));
  const PlannedLines twice = read_planned_lines(once.lines, "other", kNow);
  EXPECT_EQ(twice.lines, once.lines);
  EXPECT_EQ(twice.bad.count, 0U);
}

// What the collector keeps, or rejects, is no bad line.
TEST(Plan, TakesWhatTheCollectorTakes) {
  constexpr std::string_view kHead =
      R"({"type":"track","event":"A","userId":"u","properties":{"p":)";
  std::string text = "\xef\xbb\xbf";
  for (const std::string_view value :
       {R"("cut \ud83d")", "123456789012345678901234567890", "[-1e999,\"\\udc00\"]", "1"}) {
    text += fmt::format("{}{}}}}}\n", kHead, value);
  }
  text += fmt::format("{}\"{}\"}}}}\n", kHead, std::string(40'000, 'x'));
  text += fmt::format("{}{}{}}}}}\n", kHead, std::string(126, '['), std::string(126, ']'));
  const PlannedLines taken = read_planned_lines(text, "web", kNow);
  EXPECT_EQ(taken.events, 6U);
  EXPECT_EQ(taken.bad.count, 0U);
  const Plan plan = make_plan(shaped(taken), {});
  EXPECT_EQ(plan.rescued_events, 1U);  // the long one
  EXPECT_GE(plan.rescued_values, 3U);

  text = fmt::format("{}{}{}}}}}\n", kHead, std::string(127, '['), std::string(127, ']'));
  text += fmt::format("{}\"{}\"}}}}\n", kHead, std::string(600'000, 'x'));
  const PlannedLines left_out = read_planned_lines(text, "web", kNow);
  ASSERT_EQ(left_out.bad.count, 2U);
  EXPECT_EQ(left_out.bad.first[0].why,
            "nested deeper than the 128 levels that the collector takes");
  EXPECT_EQ(left_out.bad.first[1].why, "longer than the 524,288 bytes that the collector takes");
}

TEST(Plan, SaysWhichLinesAreLeftOut) {
  std::string text = R"({"type":"track","event":"A","userId":"u"})";
  for (int i = 0; i < 7; ++i) text += "\n{\"type\":\"track\",\"event\":\"A";
  PlannedLines lines = read_planned_lines(text, "web", kNow);
  for (BadLine& bad : lines.bad.first) bad.input = "f.ndjson";
  Plan plan = make_plan(shaped(lines), {});
  plan.bad = lines.bad;
  const std::string shown = to_text(plan, false);
  EXPECT_THAT(shown, HasSubstr("7 of 8 lines are left out:\n  f.ndjson:2: no JSON: "));
  EXPECT_THAT(shown, HasSubstr("f.ndjson:6: "));
  EXPECT_THAT(shown, ::testing::Not(HasSubstr("f.ndjson:7: ")));
  EXPECT_THAT(to_json(plan), HasSubstr(R"("lines_left_out":7,"first_left_out":[{"input":)"));
}

TEST(Plan, CountsTablesColumnsAndRescues) {
  const Plan plan = make_plan(shaped(read_planned_lines(kEvents, "web", kNow)), {});
  EXPECT_EQ(plan.events, 3U);
  EXPECT_EQ(plan.rescued_events, 1U);  // a track without its event's name
  std::vector<std::string> names;
  for (const PlannedTable& table : plan.tables) names.push_back(table.name);
  EXPECT_THAT(names,
              ::testing::UnorderedElementsAre("tracks", "order_completed", "pages", "leat_rescue"));
  const std::string text = to_text(plan, true);
  EXPECT_THAT(text, HasSubstr("3 events give 4 tables; 1 events and 0 single values rescued"));
  EXPECT_THAT(text, HasSubstr("order_completed  revenue"));
  EXPECT_THAT(text, HasSubstr("double precision"));
  const std::string json = to_json(plan);
  EXPECT_THAT(json, HasSubstr(R"({"name":"revenue","type":"double precision"})"));
}

TEST(Plan, SaysWhyEventsAndValuesAreRescued) {
  const auto tracking_plan = shape::TrackingPlan::parse(
      R"({"rules":{"events":[{"name":"Order Completed","rules":{"type":"object","properties":)"
      R"({"properties":{"type":"object","required":["total"]}}}}]}})");
  ASSERT_TRUE(tracking_plan.has_value()) << tracking_plan.error().message;
  RescueReasons reasons;
  shape::Options options;
  options.synced_at = kNow;
  options.tracking_plan = tracking_plan->get();
  options.observer = &reasons;
  const PlannedLines lines = read_planned_lines(kEvents, "web", kNow);
  const auto staged = shape::shape_batches(
      options, {}, 1,
      [&](std::size_t) -> Result<shape::Batch> { return shape::Batch{"f.ndjson", lines.lines}; });
  ASSERT_TRUE(staged.has_value()) << staged.error().message;
  Plan plan = make_plan(*staged, {});
  plan.rescues = reasons.take();
  EXPECT_EQ(plan.rescued_events, 2U);
  std::map<std::string, PlannedRescue> by_reason;
  for (const PlannedRescue& rescue : plan.rescues) by_reason[rescue.reason] = rescue;
  ASSERT_TRUE(by_reason.contains("schema_violation"));
  EXPECT_EQ(by_reason["schema_violation"].count, 1U);
  EXPECT_EQ(by_reason["schema_violation"].event_id, "planned-1");
  EXPECT_EQ(by_reason["schema_violation"].input, "f.ndjson");
  EXPECT_THAT(by_reason["schema_violation"].detail, HasSubstr("total"));
  EXPECT_TRUE(by_reason.contains("event_not_defined"));
  EXPECT_THAT(to_text(plan, false), HasSubstr("schema_violation"));
  EXPECT_THAT(to_json(plan), HasSubstr(R"("reason":"schema_violation","count":1)"));
}

TEST(Plan, SaysHowFullAClusterWouldBe) {
  const Plan plan = make_plan(shaped(read_planned_lines(kEvents, "web", kNow)),
                              {.node_type = "dc2.large", .nodes = 2});
  ASSERT_TRUE(plan.own.has_value());
  EXPECT_EQ(plan.own->capacity_bytes, 320'000'000'000U);
  EXPECT_GT(full_share(*plan.own), 0);
  EXPECT_LT(full_share(*plan.own), kFullShare);
  EXPECT_THAT(to_json(plan), HasSubstr(R"("own_cluster":{"node_type":"dc2.large","nodes":2)"));
  EXPECT_FALSE(make_plan(shaped(read_planned_lines(kEvents, "web", kNow)), {}).own.has_value());
}

TEST(Plan, SmallTablesTakeABlockPerColumnAndSlice) {
  const Plan plan = make_plan(shaped(read_planned_lines(kEvents, "web", kNow)), {});
  for (const PlannedTable& table : plan.tables) {
    EXPECT_EQ(table.warehouse_bytes, (table.columns.size() + 3) * 2 << 20) << table.name;
  }
}

TEST(Plan, ClustersGrowUntilTheyAreBelowThreeQuarters) {
  const shape::Staged staged = shaped(read_planned_lines(kEvents, "web", kNow));
  const Plan small = make_plan(staged, {.events_per_month = 1000, .months = 12});
  EXPECT_EQ(small.events_stored, 12'000U);
  EXPECT_EQ(small.clusters.front().nodes, 1U);
  const Plan large = make_plan(staged, {.events_per_month = 50'000'000, .months = 12});
  const PlannedCluster& dense = large.clusters.front();
  ASSERT_GT(dense.nodes, 1U);
  EXPECT_LE(static_cast<double>(dense.bytes), 0.75 * static_cast<double>(dense.capacity_bytes));
  const double of_one_less = 0.75 * static_cast<double>(dense.capacity_bytes) *
                             static_cast<double>(dense.nodes - 1) /
                             static_cast<double>(dense.nodes);
  EXPECT_GT(static_cast<double>(dense.bytes), of_one_less);
  const Plan huge = make_plan(staged, {.events_per_month = 1'000'000'000'000, .months = 120});
  EXPECT_EQ(huge.clusters.front().nodes, 0U);
  EXPECT_THAT(to_text(huge, false), HasSubstr("too many"));
}

}  // namespace
}  // namespace leat::app
