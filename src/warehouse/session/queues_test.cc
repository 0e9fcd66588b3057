// Queues of statements, and the audit log.
#include "warehouse/session/queues.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "warehouse/session/audit.h"
#include "warehouse/session/history.h"
#include "warehouse/session/session_fixture.h"

namespace leat::session {
namespace {

using testing::HasSubstr;

TEST(Queues, AreReadAndRefused) {
  const auto read = [](std::string_view text) {
    const auto specs = parse_queues(text);
    if (!specs) return std::string("error");
    std::string out;
    for (const QueueSpec& spec : *specs) out += spec.name + ":" + std::to_string(spec.slots) + " ";
    return out;
  };
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read(" Load = 2,reports=4 , default=8"), "load:2 reports:4 default:8 ");
  for (const char* bad :
       {"x", "x=", "=3", "x=0", "x=-1", "x=10001", "x=2,", "x=2,x=3", "superuser=2", "x=two"}) {
    EXPECT_EQ(read(bad), "error") << bad;
  }
}

TEST(Queues, TheGroupOfTheSessionThenThatOfTheUserChooses) {
  const QueryQueues queues(*parse_queues("load=2,reports=4"));
  const auto chosen = [&](std::string_view group, const std::vector<std::string>& groups,
                          bool superuser = false) {
    return queues.name(queues.choose(group, groups, superuser));
  };
  EXPECT_EQ(chosen("", {}), "default");
  EXPECT_EQ(chosen("LOAD", {"reports"}), "load");
  EXPECT_EQ(chosen("other", {"staff", "reports"}), "reports");
  EXPECT_EQ(chosen("superuser", {}), "default");
  EXPECT_EQ(chosen("superuser", {}, true), "superuser");
  EXPECT_EQ(chosen("", {"superuser"}, true), "default");
  EXPECT_EQ(QueryQueues({}).service_class(1), 100);
  EXPECT_EQ(queues.service_class(queues.choose("reports", {}, false)), 7);
}

/// A warehouse of its own with two queues of one slot, little memory, and its audit log.
class QueuedWarehouse : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory =
        std::filesystem::temp_directory_path() / ("leat-queues-" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory);
    auto opened = Warehouse::open({.data_directory = (directory / "warehouse").string(),
                                   .admin_password = "Secret1234",
                                   .threads = 1,
                                   .memory_bytes_max = 48U << 20U,
                                   .queues = "load=1,default=1",
                                   .audit_file = audit_path()});
    ASSERT_TRUE(opened) << opened.error().message;
    warehouse = std::move(*opened);
    run(*open(), "create table numbers as select n from generate_series(1, 100000) as s(n)");
  }
  static void TearDownTestSuite() {
    warehouse.reset();
    std::filesystem::remove_all(directory);
  }

  [[nodiscard]] static std::string audit_path() { return (directory / "audit.log").string(); }
  [[nodiscard]] static std::string audit() {
    std::ifstream in(audit_path());
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] static std::unique_ptr<Session> open(std::string user = "leat") {
    auto opened = warehouse->open_session(
        {.user = std::move(user), .database = "dev", .remote_address = "127.0.0.1:1"});
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }
  /// Waits until `count` statements wait in queues.
  static void await_queued(Session& observer, std::string_view count) {
    while (ask(observer, "select count(*) from stv_wlm_query_queue_state") != count)
      std::this_thread::yield();
  }

  inline static std::filesystem::path directory;
  inline static std::unique_ptr<Warehouse> warehouse;
};

// A statement that only a cancel ends.
constexpr std::string_view kEndless =
    "select count(*) from numbers a, numbers b, numbers c, numbers d where a.n + b.n + c.n + d.n < "
    "0";

TEST_F(QueuedWarehouse, AStatementWaitsForASlotOfItsQueue) {
  const auto observer = open();
  const auto first = open();
  const auto second = open();
  std::thread running([&] { EXPECT_EQ(state_of(*first, kEndless), "57014"); });
  await_active(*observer, first->id());
  std::string counted;
  std::thread waiting([&] { counted = ask(*second, "select count(*) from numbers"); });
  await_queued(*observer, "1");
  EXPECT_EQ(ask(*observer,
                "select num_query_tasks, num_executing_queries, num_queued_queries from "
                "stv_wlm_service_class_state where service_class = 7"),
            "1|1|1");
  EXPECT_EQ(ask(*observer, "select trim(state) from stv_wlm_query_state order by 1"),
            "QueuedWaiting;Running");
  EXPECT_EQ(ask(*observer, "select count(*) from sys_query_history where status = 'queued'"), "1");
  // The other queue has a slot, and the catalog needs none.
  run(*observer, "set query_group to load");
  EXPECT_EQ(ask(*observer, "select count(*) from numbers"), "100000");
  first->cancel();
  running.join();
  waiting.join();
  EXPECT_EQ(counted, "100000");
  EXPECT_EQ(ask(*observer,
                "select trim(service_class_name), total_queue_time > 0 from stl_wlm_query "
                "where total_queue_time > 0"),
            "Default queue|t");
  EXPECT_EQ(ask(*observer,
                "select trim(name), num_query_tasks from stv_wlm_service_class_config "
                "order by service_class"),
            "Service class for super user|1;load|1;Default queue|1");
}

TEST_F(QueuedWarehouse, AWaitEndsWithCancelAndTimeout) {
  const auto observer = open();
  const auto first = open();
  const auto second = open();
  const auto third = open();
  std::thread running([&] { EXPECT_EQ(state_of(*first, kEndless), "57014"); });
  await_active(*observer, first->id());
  run(*second, "set statement_timeout to 50");
  EXPECT_THAT(ask(*second, "select count(*) from numbers"), HasSubstr("statement timeout"));
  std::thread waiting([&] { EXPECT_EQ(state_of(*third, "select max(n) from numbers"), "57014"); });
  await_queued(*observer, "1");
  third->cancel();
  waiting.join();
  EXPECT_EQ(ask(*observer, "select count(*) from stv_wlm_query_queue_state"), "0");
  first->cancel();
  running.join();
  EXPECT_EQ(ask(*second, "select max(n) from numbers"), "100000");
  run(*second, "set wlm_query_slot_count to 2");
  EXPECT_EQ(state_of(*second, "select max(n) from numbers"), "22023");
}

// Else the holder of the lock could wait for the slot of one that waits for the lock.
TEST_F(QueuedWarehouse, ATransactionThatHoldsTablesDoesNotWait) {
  const auto observer = open();
  const auto holder = open();
  const auto writer = open();
  run(*observer, "create table written (n int)");
  run(*holder, "begin");
  run(*holder, "insert into written values (1)");
  std::thread waiting([&] { EXPECT_EQ(state_of(*writer, "update written set n = 2"), ""); });
  await_lock_waiters(*observer, "1");
  EXPECT_EQ(state_of(*holder, "insert into written values (3)"), "");
  EXPECT_EQ(state_of(*holder, "commit"), "");
  waiting.join();
  EXPECT_EQ(ask(*observer, "select n from written"), "2;2");
}

TEST_F(QueuedWarehouse, TheAuditLogTellsWhoCameAndWhoChangedRights) {
  const std::size_t before = audit().size();
  {
    const auto admin = open();
    run(*admin, "create user alice password 'Secret1234'");
    run(*admin, "select 1");
    run(*admin, "grant usage on schema public to nobody");
  }
  warehouse->record_refused_login(
      {.user = "mallory", .database = "dev", .remote_address = "203.0.113.9:77"}, "md5");
  const std::string text = audit().substr(before);
  EXPECT_THAT(text, HasSubstr(R"("event":"initiating session","user":"leat")"));
  EXPECT_THAT(text, HasSubstr(R"("event":"disconnecting session")"));
  EXPECT_THAT(text, HasSubstr(R"("event":"authentication failure","user":"mallory")"));
  EXPECT_THAT(text, HasSubstr(R"("remote":"203.0.113.9:77")"));
  EXPECT_THAT(text, HasSubstr(R"("event":"user change")"));
  EXPECT_THAT(text, HasSubstr("CREATE USER alice"));
  EXPECT_THAT(text, HasSubstr(R"("sqlstate":"42704")"));
  EXPECT_THAT(text, testing::Not(HasSubstr("Secret1234")));
  EXPECT_THAT(text, testing::Not(HasSubstr("select 1")));
  EXPECT_EQ(std::ranges::count(text, '\n'), 5);
}

TEST_F(QueuedWarehouse, TheAuditLogIsTurnedOver) {
  const std::string path = (directory / "small.log").string();
  auto log = AuditLog::open(path, true, 2000);
  ASSERT_TRUE(log);
  QueryRecord record;
  record.text = "select 1";
  for (int n = 0; n < 30; ++n) (*log)->write(record, "leat", "dev", false);
  EXPECT_LE(std::filesystem::file_size(path), 2000U);
  EXPECT_LE(std::filesystem::file_size(path + ".1"), 2000U);
  EXPECT_EQ(AuditLog::open((directory / "no" / "such").string(), true).error().code,
            Errc::kNotFound);
}

// What does not fit into the memory goes to disk, and the answer is right.
TEST_F(QueuedWarehouse, ALargeSortSpills) {
  const auto session = open();
  EXPECT_EQ(state_of(*session,
                     "create table wide as select n, repeat(md5(n::varchar), 8) as t from "
                     "generate_series(1, 250000) as s(n)"),
            "");
  EXPECT_EQ(ask(*session,
                "select count(*), min(r) from (select t, row_number() over (order by t, "
                "n) as r from wide) x"),
            "250000|1");
}

}  // namespace
}  // namespace leat::session
