#include "ops/console/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::console {
namespace {

using testing::HasSubstr;

load::SourceBooks books_of(load::EventCounts events) {
  load::SourceBooks books;
  books.source = "web";
  books.batches = 1;
  books.events = events;
  return books;
}

Snapshot balanced_snapshot() {
  Snapshot snapshot;
  snapshot.ledger = load::Ledger{};
  snapshot.ledger->sources.push_back(books_of(
      {.received = 1000, .loaded = 900, .deduplicated = 50, .rescued = 30, .excluded = 20}));
  snapshot.received = {{"web", 1300, 1200}};
  return snapshot;
}

TEST(Verdict, BalancedBooksTellWhatIsOnTheWay) {
  const Snapshot snapshot = balanced_snapshot();
  EXPECT_EQ(judge(snapshot).balanced, true);
  const Verdict verdict = judge(source_views(snapshot).at(0));
  EXPECT_EQ(verdict.balanced, true);
  EXPECT_EQ(verdict.sentence,
            "source \"web\": balanced, 1,000 received = 900 loaded + 50 deduplicated + 30 rescued "
            "+ 20 excluded; "
            "300 more on the way (100 in the journal, 200 archived and waiting for a sync)");
}

TEST(Verdict, TellsHowManyEventsAreDeleted) {
  Snapshot snapshot = balanced_snapshot();
  EXPECT_THAT(status_json(snapshot), HasSubstr(R"("excluded":20,"deleted":0,)"));
  snapshot.ledger->sources[0].deleted = 1'012;
  EXPECT_EQ(judge(snapshot).balanced, true);
  EXPECT_THAT(judge(source_views(snapshot).at(0)).sentence,
              HasSubstr("20 excluded; 1,012 of all these deleted on request; 300 more"));
  EXPECT_THAT(status_json(snapshot), HasSubstr(R"("excluded":20,"deleted":1012,)"));
}

TEST(Verdict, SaysWhereItDoesNotBalance) {
  Snapshot ledger_wrong = balanced_snapshot();
  ledger_wrong.ledger->sources[0].events.loaded -= 1;
  EXPECT_EQ(judge(ledger_wrong).balanced, false);
  EXPECT_THAT(judge(ledger_wrong).sentence,
              HasSubstr("does NOT balance: 1,000 received, but 899 loaded"));

  Snapshot archive_has_more = balanced_snapshot();
  archive_has_more.received = {{"web", 1100, 1200}};
  EXPECT_EQ(judge(archive_has_more).balanced, false);
  EXPECT_THAT(judge(archive_has_more).sentence, HasSubstr("100 events MORE than the journal"));

  Snapshot ledger_has_more = balanced_snapshot();
  ledger_has_more.received = {{"web", 900, 900}};
  EXPECT_EQ(judge(ledger_has_more).balanced, false);
  EXPECT_THAT(judge(ledger_has_more).sentence, HasSubstr("100 events MORE than this archive"));

  Snapshot batch_wrong = balanced_snapshot();
  load::BatchBooks batch;
  batch.batch_id = "web/2026112014/j-1-2";
  batch.events = {.received = 2, .loaded = 1};
  batch_wrong.ledger->latest.push_back(batch);
  EXPECT_EQ(judge(batch_wrong).balanced, false);
  EXPECT_THAT(judge(batch_wrong).sentence, HasSubstr("web/2026112014/j-1-2"));
}

// A source that was renamed or taken out of the configuration before its last events were loaded.
TEST(Verdict, TellsOfEventsThatNobodyLoads) {
  Snapshot snapshot = balanced_snapshot();
  load::SourceState web;
  web.source = {.name = "web", .schema = "web"};
  snapshot.states.push_back(web);
  snapshot.received->push_back({"old", 50, 40});
  const Verdict verdict = judge(snapshot);
  EXPECT_EQ(verdict.balanced, true);
  EXPECT_THAT(verdict.sentence, HasSubstr("source \"old\": balanced"));
  EXPECT_THAT(verdict.sentence, HasSubstr("50 more that nobody loads"));
  EXPECT_THAT(verdict.sentence, HasSubstr("add it to sources"));
  EXPECT_THAT(judge(source_views(snapshot).at(1)).sentence, HasSubstr("300 more on the way"));
  snapshot.ledger->sources.push_back(books_of({.received = 50, .loaded = 50}));
  snapshot.ledger->sources.back().source = "old";
  snapshot.received->back() = {"old", 50, 50};
  EXPECT_THAT(judge(snapshot).sentence, HasSubstr("the books balance"));
}

// Wrong credentials of the store, for example.
TEST(Verdict, DoesNotGuessWithoutAnArchive) {
  Snapshot snapshot = balanced_snapshot();
  snapshot.received.reset();
  for (const Verdict& verdict : {judge(snapshot), judge(source_views(snapshot).at(0))}) {
    EXPECT_EQ(verdict.balanced, std::nullopt);
    EXPECT_THAT(verdict.sentence, HasSubstr("cannot tell, the archive cannot be read"));
  }
  snapshot.ledger->sources[0].events.loaded -= 1;
  EXPECT_EQ(judge(snapshot).balanced, false);
}

TEST(Verdict, DoesNotGuessWithoutALedger) {
  Snapshot snapshot = balanced_snapshot();
  snapshot.ledger.reset();
  EXPECT_EQ(judge(snapshot).balanced, std::nullopt);
  EXPECT_THAT(status_json(snapshot), HasSubstr(R"("balanced":null)"));
  EXPECT_THAT(status_json(snapshot), HasSubstr(R"("waiting_for_sync":null)"));
}

TEST(Verdict, ASourceThatHasNothingInTheLedgerYetIsAtZero) {
  Snapshot snapshot = balanced_snapshot();
  snapshot.received->push_back({"app", 5, 5});
  EXPECT_EQ(judge(snapshot).balanced, true);
  EXPECT_EQ(source_views(snapshot).at(0).waiting_for_sync(), 5);
}

TEST(StatusJson, HasEveryPart) {
  Snapshot snapshot = balanced_snapshot();
  snapshot.version = "1.2.3";
  snapshot.journal = {{"j-0000", 10, 7, "disk full"}};
  snapshot.problems = {{"ledger", "say \"why\""}};
  snapshot.connection.password_hint = "in /d/connection.json";
  load::SourceState state;
  state.source = {"web", "web_schema"};
  state.last_error = "away; start it";
  state.paused_since = *parse_iso8601("2026-11-20T14:00:00Z");
  load::SyncReport& report = state.last_report.emplace();
  report.freshness = {.rows = 2,
                      .arrival = {.p50_us = 1'500'000, .p99_us = 2'000'000, .max_us = 2'000'000},
                      .event = {.p50_us = 3'500'000, .p99_us = 4'000'000, .max_us = 5'000'000}};
  report.table_freshness["a"] = report.freshness;
  snapshot.states.push_back(state);
  const std::string json = status_json(snapshot);
  for (const char* part :
       {R"("version":"1.2.3")", R"("balanced":true)",
        R"("name":"web","schema":"web_schema","received":1300)",
        R"("records_to_archive":3,"health":"disk full")",
        R"({"part":"ledger","message":"say \"why\""})", R"("last_error":"away; start it")",
        R"("all":{"rows":2,"p50_seconds":1.500,"p99_seconds":2.000,"max_seconds":2.000,)"
        R"("event_p50_seconds":3.500,"event_p99_seconds":4.000,"event_max_seconds":5.000},)"
        R"("tables":{"a":{"rows":2,)",
        R"("paused_by":"request","paused_since":"2026-11-20T14:00:00.000Z")",
        R"("password_hint":"in /d/connection.json")"}) {
    EXPECT_THAT(json, HasSubstr(part));
  }
}

}  // namespace
}  // namespace leat::console
