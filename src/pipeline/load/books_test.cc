#include "pipeline/load/books.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::load {
namespace {

// Answers in order, then refuses.
class ScriptedConnection final : public Connection {
 public:
  using Answer = std::expected<Rows, DestinationFailure>;
  explicit ScriptedConnection(std::vector<Answer> answers) : answers_(std::move(answers)) {}
  Answer run(std::string_view, std::stop_token) override {
    if (next_ == answers_.size())
      return std::unexpected(DestinationFailure{FailureKind::kOther, "", "unasked"});
    return answers_[next_++];
  }
  bool is_open() const override { return true; }

 private:
  std::vector<Answer> answers_;
  std::size_t next_ = 0;
};

Connect scripted(std::vector<ScriptedConnection::Answer> answers) {
  return
      [answers](const DestinationSettings&,
                std::stop_token) -> std::expected<std::unique_ptr<Connection>, DestinationFailure> {
        return std::make_unique<ScriptedConnection>(answers);
      };
}

TEST(Books, BalanceOnlyWhenEveryEventIsAccountedFor) {
  BatchBooks books;
  books.batch_id = "web/2026112014/j-1-2";
  books.events = {.received = 10, .loaded = 5, .deduplicated = 2, .rescued = 2, .excluded = 1};
  EXPECT_TRUE(check_balance(books).has_value());
  for (std::int64_t EventCounts::* member :
       {&EventCounts::received, &EventCounts::loaded, &EventCounts::deduplicated,
        &EventCounts::rescued, &EventCounts::excluded}) {
    BatchBooks wrong = books;
    wrong.events.*member += 1;
    const Status status = check_balance(wrong);
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().code, Errc::kBug);
    EXPECT_THAT(status.error().message, testing::HasSubstr("web/2026112014/j-1-2"));
  }
}

TEST(Books, ReadsTotalsAndBatches) {
  Rows totals;
  totals.rows = {{"web", "2", "10", "7", "1", "1", "1", "4", "2026-11-20 14:03:05.25"}};
  Rows batches;
  batches.rows = {{"web/2026112014/j-1-2", "web", "j", "1", "2", "2026-11-20 14:00:00", "10", "7",
                   "1", "1", "1", "4", R"({"tracks":8})", "s", "2026-11-20 14:03:05.25"}};
  Rows columns;
  columns.rows = {{"deletions", "source"}};
  Rows deletions;
  deletions.rows = {{"app", "7"}, {"web", "3"}};
  const auto ledger = read_ledger({}, scripted({totals, columns, deletions, batches}), 5, {});
  ASSERT_TRUE(ledger.has_value()) << ledger.error().message;
  ASSERT_EQ(ledger->sources.size(), 1U);
  EXPECT_EQ(
      ledger->sources[0].events,
      (EventCounts{.received = 10, .loaded = 7, .deduplicated = 1, .rescued = 1, .excluded = 1}));
  EXPECT_EQ(ledger->sources[0].deleted, 3);
  ASSERT_EQ(ledger->latest.size(), 1U);
  EXPECT_EQ(ledger->latest[0].hour, "2026112014");
  EXPECT_EQ(ledger->latest[0].table_rows.at("tracks"), 8);
  EXPECT_EQ(
      to_json(ledger->latest[0]),
      R"({"batch_id":"web/2026112014/j-1-2","source":"web","shard":"j","first_offset":1,)"
      R"("last_offset":2,)"
      R"("hour":"2026112014","events":{"received":10,"loaded":7,"deduplicated":1,"rescued":1,)"
      R"("excluded":1,)"
      R"("balanced":true},"values_rescued":4,"table_rows":{"tracks":8},"sync_id":"s",)"
      R"("loaded_at":"2026-11-20T14:03:05.250Z"})");
}

TEST(Books, NobodyWasDeletedWhereThereIsNoTableOfDeletions) {
  Rows totals;
  totals.rows = {{"web", "2", "10", "7", "1", "1", "1", "4", "2026-11-20 14:03:05.25"}};
  const auto ledger = read_ledger({}, scripted({totals, Rows{}}), 0, {});
  ASSERT_TRUE(ledger.has_value()) << ledger.error().message;
  EXPECT_EQ(ledger->sources[0].deleted, 0);
}

TEST(Books, AnAbsentLedgerIsEmpty) {
  const auto ledger = read_ledger({},
                                  scripted({std::unexpected(DestinationFailure{
                                      FailureKind::kObjectMissing, "42P01", "no table"})}),
                                  5, {});
  ASSERT_TRUE(ledger.has_value());
  EXPECT_TRUE(ledger->sources.empty());
}

TEST(Books, OtherFailuresAreTold) {
  const auto ledger = read_ledger({},
                                  scripted({std::unexpected(DestinationFailure{
                                      FailureKind::kPermission, "42501", "permission denied"})}),
                                  5, {});
  ASSERT_FALSE(ledger.has_value());
  EXPECT_EQ(ledger.error().code, Errc::kDenied);
  EXPECT_EQ(read_ledger({}, scripted({}), 10'001, {}).error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace leat::load
