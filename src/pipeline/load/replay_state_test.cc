#include "pipeline/load/replay_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/load/replay_sql.h"

namespace leat::load {
namespace {

BatchBooks batch(EventCounts events, std::int64_t values_rescued = 0) {
  BatchBooks out;
  out.batch_id = "web/2026112014/j-0000-1-9";
  out.events = events;
  out.values_rescued = values_rescued;
  out.table_rows = {{"tracks", events.loaded + events.deduplicated}};
  return out;
}

// The present rules' view of the whole batch.
BatchBooks now(std::int64_t rescued, std::int64_t excluded, std::int64_t values_rescued = 0) {
  BatchBooks out;
  out.events.rescued = rescued;
  out.events.excluded = excluded;
  out.values_rescued = values_rescued;
  return out;
}

TEST(ReplayState, BooksMoveEventsInAndNeverOut) {
  struct Case {
    const char* what;
    EventCounts before;
    BatchBooks present;
    ReplayCounts counts;
    EventCounts after;
  };
  const EventCounts ten = {
      .received = 10, .loaded = 5, .deduplicated = 1, .rescued = 2, .excluded = 2};
  const Case cases[] = {
      {"everything is there already",
       ten,
       now(2, 2),
       {.is_whole = true, .staged = 6, .known = 6, .rescued = 2, .excluded = 2},
       ten},
      {"the tables were dropped",
       ten,
       now(2, 2),
       {.is_whole = true, .staged = 6, .added = 5, .rescued = 2, .excluded = 2},
       ten},
      {"what was rescued fits now, one of it twice",
       ten,
       now(0, 2),
       {.is_whole = true, .staged = 8, .known = 6, .added = 1, .excluded = 2, .resolved_events = 2},
       {.received = 10, .loaded = 6, .deduplicated = 2, .rescued = 0, .excluded = 2}},
      {"what was excluded is wanted now",
       ten,
       now(2, 0),
       {.is_whole = true, .staged = 8, .known = 6, .added = 2, .rescued = 2},
       {.received = 10, .loaded = 7, .deduplicated = 1, .rescued = 2, .excluded = 0}},
      {"the rules are stricter; rows that are there stay",
       ten,
       now(4, 2),
       {.is_whole = true, .staged = 4, .known = 4, .rescued = 4, .excluded = 2},
       ten},
      {"what was excluded is rescued",
       ten,
       now(3, 0),
       {.is_whole = true, .staged = 7, .known = 6, .added = 1, .rescued = 3},
       {.received = 10, .loaded = 6, .deduplicated = 1, .rescued = 3, .excluded = 0}},
      {"some events: one was rescued",
       ten,
       now(2, 2),
       {.staged = 3, .known = 2, .added = 1, .resolved_events = 1},
       {.received = 10, .loaded = 6, .deduplicated = 1, .rescued = 1, .excluded = 2}},
      {"some events: one of two excluded",
       ten,
       now(2, 0),
       {.staged = 3, .known = 2, .added = 1},
       {.received = 10, .loaded = 6, .deduplicated = 1, .rescued = 2, .excluded = 1}},
      {"some events, of a dropped table",
       ten,
       now(2, 2),
       {.staged = 3, .known = 0, .added = 3},
       ten},
      {"some events: more resolved than the books know",
       ten,
       now(0, 2),
       {.staged = 3, .known = 3, .resolved_events = 3},
       {.received = 10, .loaded = 5, .deduplicated = 3, .rescued = 0, .excluded = 2}},
  };
  for (const Case& each : cases) {
    const BatchBooks after = books_after_replay(batch(each.before), each.present, each.counts);
    EXPECT_EQ(after.events, each.after) << each.what << ": " << to_json(after.events);
    EXPECT_TRUE(after.events.balanced()) << each.what;
  }
}

TEST(ReplayState, CountsRescuedValues) {
  const EventCounts events = {.received = 4, .loaded = 4};
  EXPECT_EQ(books_after_replay(batch(events, 3), now(0, 0, 1), {.is_whole = true, .staged = 4})
                .values_rescued,
            1);
  EXPECT_EQ(books_after_replay(batch(events, 3), now(0, 0, 1),
                               {.staged = 2, .known = 2, .resolved_values = 2})
                .values_rescued,
            2);
}

TEST(ReplayState, ASelectionIsReadBackAsWritten) {
  const ReplaySelection plain{.source = "web"};
  EXPECT_EQ(plain.to_json(), R"({"source":"web"})");
  ReplaySelection full{.source = "web",
                       .from = parse_iso8601("2026-11-01T00:00:00Z"),
                       .to = parse_iso8601("2026-11-02T00:00:00Z"),
                       .event = "Order \"X\"",
                       .table = "orders",
                       .column = "total",
                       .rescue = RescueFilter{.table = "orders", .reason = "too_long"}};
  const auto again = ReplaySelection::parse(full.to_json());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->to_json(), full.to_json());
  EXPECT_EQ(again->from, full.from);
  EXPECT_EQ(again->rescue, full.rescue);
  EXPECT_FALSE(ReplaySelection::parse("[1]").has_value());
}

TEST(ReplayState, AsksTheLedgerForTheHoursOfTheRange) {
  const ReplaySelection selection{.source = "web",
                                  .from = parse_iso8601("2026-11-20T14:30:00Z"),
                                  .to = parse_iso8601("2026-11-20T16:00:00Z")};
  const ReplayRange range{.ledger_schema = "leat",
                          .schema = "web",
                          .selection = selection,
                          .loaded_before = *parse_iso8601("2026-11-21T00:00:00Z"),
                          .position = "web/2026112014/x"};
  EXPECT_EQ(replay_batches_sql(range, 7),
            R"(SELECT "batch_id" FROM "leat"."batches" WHERE "source" = 'web' AND "hour" IS NOT )"
            R"(NULL AND "loaded_at" < '2026-11-21 00:00:00' AND "batch_id" > 'web/2026112014/x' )"
            R"(AND "hour" > '2026-11-20 13:30:00' AND "hour" < '2026-11-20 16:00:00' )"
            R"(ORDER BY "batch_id" LIMIT 7)");
}

}  // namespace
}  // namespace leat::load
