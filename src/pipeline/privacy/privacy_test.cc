// Deletions over an archive in memory and a destination that keeps what a transaction did. What the
// SQL does is tested against the embedded warehouse in tests/e2e/privacy_test.py.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/digest.h"
#include "base/text.h"
#include "io/directory_object_store.h"
#include "io/faulty_file_system.h"
#include "pipeline/archive/archive.h"
#include "pipeline/archive/compressor.h"
#include "pipeline/load/load_sql.h"
#include "pipeline/privacy/deletion.h"
#include "pipeline/privacy/person_rows.h"
#include "pipeline/privacy/service.h"

namespace leat::privacy {
namespace {

using journal::Offset;
using load::DestinationFailure;
using load::FailureKind;
using load::Rows;

const event::Person kAnn{event::PersonKey::kUserId, "ann"};

std::string line_of(std::string_view user, int number) {
  return fmt::format(R"({{"received_at":"2026-11-20T14:03:05.123Z","source":"web","event":)"
                     R"({{"userId":"{}","n":{}}}}})"
                     "\n",
                     user, number);
}

// Two tables with three rows of the person, until a deletion is committed; and its row then.
struct Warehouse {
  bool has_rows = true;
  std::optional<std::string> table_rows;  // of the deletion's row
  int statements = 0;
  int fail_at = 0;
  bool fails_after_commit = false;
  std::vector<std::string> texts;
};

class FakeConnection final : public load::Connection {
 public:
  explicit FakeConnection(Warehouse& warehouse) : warehouse_(warehouse) {}
  std::expected<Rows, DestinationFailure> run(std::string_view sql, std::stop_token) override {
    warehouse_.texts.emplace_back(sql);
    const bool fails = ++warehouse_.statements == warehouse_.fail_at;
    if (!open_ || (fails && !warehouse_.fails_after_commit)) return lost();
    if (sql == "COMMIT") {
      warehouse_.has_rows = false;
      warehouse_.table_rows = table_rows_;
    }
    if (fails) return lost();
    Rows rows;
    if (sql.starts_with("SELECT table_name")) {
      if (sql.find("'web'") != std::string_view::npos) {
        for (const char* table : {"tracks", "leat_rescue", "a_view"}) {
          rows.rows.push_back({table, "id", "character varying", "512"});
          rows.rows.push_back({table, "user_id", "character varying", "512"});
        }
      } else {
        for (const std::string_view name : load::kLedgerColumns) {
          rows.rows.push_back({"batches", std::string(name), "bigint"});
        }
      }
    } else if (sql.starts_with("SELECT c.relname")) {
      rows.rows = {{"tracks", "r"}, {"leat_rescue", "r"}, {"a_view", "v"}};
    } else if (sql.starts_with("SELECT \"table_rows\"")) {
      if (warehouse_.table_rows) rows.rows.push_back({*warehouse_.table_rows});
    } else if (sql.starts_with("SELECT count(*)")) {
      rows.rows.push_back({warehouse_.has_rows ? "3" : "0"});
    } else if (sql.starts_with("DELETE FROM \"web\".\"tracks\"")) {
      rows.affected_rows = warehouse_.has_rows ? 3 : 0;
    } else if (sql.starts_with("INSERT INTO \"leat\".\"deletions\"")) {
      table_rows_ = R"({"leat_rescue":0,"tracks":3})";
    }
    return rows;
  }
  bool is_open() const override { return open_; }

 private:
  std::unexpected<DestinationFailure> lost() {
    open_ = false;
    return std::unexpected(DestinationFailure{FailureKind::kUnreachable, "", "lost"});
  }
  Warehouse& warehouse_;
  std::string table_rows_;
  bool open_ = true;
};

struct World {
  World() {
    open();
    seal(1, {line_of("bob", 1) + line_of("ann", 2)});
    seal(2, {line_of("ann", 3) + line_of("ann", 4)});
    seal(3, {line_of("bob", 5)});
    EXPECT_TRUE(store->put(archive::stream_uri("leat", "s"),
                           R"({"leat_stream":1,"stream":"s","first":1})"));
    EXPECT_TRUE(store->put("s3://leat/staging/web/x/tracks.parquet", "PAR1"));
    EXPECT_TRUE(files.make_directories("/privacy"));
  }

  void open() {
    auto opened = io::DirectoryObjectStore::open({.files = &files, .root = "/objects"});
    ASSERT_TRUE(opened) << opened.error().message;
    store = std::move(*opened);
  }

  void seal(std::uint64_t offset, const std::string& lines, const std::string& source = "web") {
    archive::Seal seal{
        .stream = "s", .first = Offset{offset}, .last = Offset{offset}, .batches = {}};
    const auto object = archive::Compressor().compress(lines);
    seal.events = static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
    seal.batches.push_back(
        {.id = archive::batch_id(source, "2026112014", "s", seal.first, seal.last),
         .source = source,
         .hour = "2026112014",
         .uri = archive::batch_uri("leat", source, "2026112014", "s", seal.first, seal.last),
         .events = seal.events,
         .raw_bytes = lines.size(),
         .object_bytes = object->size(),
         .xxh128 = to_hex(xxh128(*object))});
    ASSERT_TRUE(store->put(seal.batches[0].uri, *object));
    ASSERT_TRUE(store->put(archive::seal_uri("leat", "s", seal.first), format_seal(seal)));
  }

  DeletionOptions options() {
    DeletionOptions out;
    out.store = store.get();
    out.bucket = "leat";
    out.sources = {{.name = "web", .schema = "web"}};
    out.connect = [this](const load::DestinationSettings&, std::stop_token)
        -> std::expected<std::unique_ptr<load::Connection>, DestinationFailure> {
      return std::make_unique<FakeConnection>(warehouse);
    };
    return out;
  }

  // As the service does it: from a log that is made once.
  Result<std::vector<SourceReport>> run() {
    const DeletionRequest request{
        .id = "d1", .person = kAnn, .source = {}, .requested_at = TimeUs{1}};
    auto log = DeletionLog::open(files, "/privacy/d1.log");
    if (!log && log.error().code == Errc::kNotFound) {
      log = DeletionLog::create(files, "/privacy/d1.log", request);
    }
    if (!log) return std::unexpected(log.error());
    const DeletionOptions all = options();
    return run_deletion(all, request, log->get(), {});
  }

  io::FaultyFileSystem files;
  std::unique_ptr<io::DirectoryObjectStore> store;
  Warehouse warehouse;
};

void expect_whole(const std::vector<SourceReport>& reports, const std::string& where) {
  ASSERT_EQ(reports.size(), 1U) << where;
  const SourceReport& web = reports[0];
  EXPECT_EQ(web.objects_read, 3) << where;
  EXPECT_EQ(web.events_read, 5) << where;
  EXPECT_EQ(web.events_deleted, 3) << where;
  ASSERT_EQ(web.objects.size(), 2U) << where;
  EXPECT_EQ(web.objects[1].lines, (std::vector<std::uint64_t>{1, 2})) << where;
  EXPECT_EQ(web.table_rows, (TableRows{{"leat_rescue", 0}, {"tracks", 3}})) << where;
}

TEST(Deletion, DeletesEverywhereAndReports) {
  World world;
  const auto reports = world.run();
  ASSERT_TRUE(reports) << reports.error().message;
  expect_whole(*reports, "");
  EXPECT_EQ((*reports)[0].staged_files_removed, 1);
  // The lock first, the rescued lines by batch and place, views untouched, the fence raised.
  const auto& texts = world.warehouse.texts;
  const auto at = [&](std::string_view part) {
    return std::ranges::find_if(texts,
                                [&](const auto& text) { return text.find(part) != text.npos; });
  };
  EXPECT_EQ(*(at("BEGIN") + 1), "LOCK TABLE \"leat\".\"batches\"");
  EXPECT_NE(at(R"("line" IN (1, 2))"), texts.end());
  EXPECT_EQ(at("a_view"), texts.end());
  EXPECT_NE(at("'web/deletions'"), texts.end());
  EXPECT_EQ(texts.back(), "COMMIT");

  // Again: nothing is left, and the transaction's own row says what it did.
  const auto again = world.run();
  ASSERT_TRUE(again);
  expect_whole(*again, "again");
}

// The configuration may have named the source once.
TEST(Deletion, ReachesSourcesThatAreNamedNoMore) {
  World world;
  world.seal(4, line_of("ann", 6) + line_of("bob", 7), "Old App");
  DeletionOptions options = world.options();
  options.usual_schema_of = [](std::string_view source) {
    EXPECT_EQ(source, "Old App");
    return "old_app";
  };
  const DeletionRequest request{
      .id = "d1", .person = kAnn, .source = {}, .requested_at = TimeUs{1}};
  auto log = DeletionLog::create(world.files, "/privacy/d1.log", request);
  ASSERT_TRUE(log) << log.error().message;
  const auto reports = run_deletion(options, request, log->get(), {});
  ASSERT_TRUE(reports) << reports.error().message;
  ASSERT_EQ(reports->size(), 2U);
  EXPECT_EQ((*reports)[0].events_deleted, 3);
  EXPECT_EQ((*reports)[1].source, "Old App");
  EXPECT_EQ((*reports)[1].schema, "old_app");
  EXPECT_EQ((*reports)[1].events_deleted, 1);
  EXPECT_EQ((*reports)[1].objects_read, 1);
  const auto& texts = world.warehouse.texts;
  EXPECT_NE(std::ranges::find_if(
                texts, [](const std::string& text) { return text.find("'Old App'") != text.npos; }),
            texts.end());

  DeletionRequest of_web = request;
  of_web.id = "d2";
  of_web.source = "web";
  of_web.is_dry = true;
  const auto web = run_deletion(options, of_web, nullptr, {});
  ASSERT_TRUE(web) << web.error().message;
  EXPECT_EQ(web->size(), 1U);
}

// A store whose first readers of an archive object wait for each other.
class MeetingStore final : public io::ObjectStore {
 public:
  explicit MeetingStore(io::ObjectStore& inside) : inside_(inside) {}
  Result<io::ObjectInfo> put(std::string_view uri, std::string_view bytes,
                             io::PutOptions options) override {
    return inside_.put(uri, bytes, options);
  }
  Result<std::string> get(std::string_view uri, std::uint64_t bytes_max) override {
    if (uri.find("/raw/") == uri.npos) return inside_.get(uri, bytes_max);
    {
      std::unique_lock lock(mutex_);
      most_readers_ = std::max(most_readers_, ++readers_);
      met_.notify_all();
      met_.wait_for(lock, std::chrono::seconds(5), [this] { return most_readers_ > 1; });
    }
    auto object = inside_.get(uri, bytes_max);
    const std::lock_guard lock(mutex_);
    --readers_;
    return object;
  }
  Result<std::string> get_range(std::string_view uri, std::uint64_t offset,
                                std::uint64_t length) override {
    return inside_.get_range(uri, offset, length);
  }
  Result<io::ObjectInfo> head(std::string_view uri) override { return inside_.head(uri); }
  Result<io::ListPage> list(std::string_view prefix, const io::ListOptions& options) override {
    return inside_.list(prefix, options);
  }
  Status remove(std::string_view uri) override { return inside_.remove(uri); }
  [[nodiscard]] int most_readers() const { return most_readers_; }

 private:
  io::ObjectStore& inside_;
  std::mutex mutex_;
  std::condition_variable met_;
  int readers_ = 0;
  int most_readers_ = 0;
};

TEST(Deletion, ReadsAFewSealsAtOnce) {
  World world;
  for (std::uint64_t offset = 4; offset <= 20; ++offset) world.seal(offset, line_of("bob", 6));
  MeetingStore store(*world.store);
  DeletionOptions options = world.options();
  options.store = &store;
  const DeletionRequest request{.id = "d", .person = kAnn, .source = {}, .is_dry = true};
  const auto reports = run_deletion(options, request, nullptr, {});
  ASSERT_TRUE(reports) << reports.error().message;
  EXPECT_EQ((*reports)[0].objects_read, 20);
  EXPECT_EQ((*reports)[0].events_deleted, 3);
  EXPECT_GE(store.most_readers(), 2);
  EXPECT_LE(store.most_readers(), 4);
}

// An id that no column takes is in leat_rescue, and the rows are found through it.
TEST(Deletion, FindsRowsWhoseIdWasTooLong) {
  World world;
  const std::string id(600, 'a');
  world.seal(4, line_of(id, 7));
  const DeletionRequest request{.id = "d1",
                                .person = {event::PersonKey::kUserId, id},
                                .source = {},
                                .requested_at = TimeUs{1}};
  auto log = DeletionLog::create(world.files, "/privacy/d1.log", request);
  ASSERT_TRUE(log) << log.error().message;
  const DeletionOptions options = world.options();
  const auto reports = run_deletion(options, request, log->get(), {});
  ASSERT_TRUE(reports) << reports.error().message;
  EXPECT_EQ((*reports)[0].events_deleted, 1);
  const auto& texts = world.warehouse.texts;
  const auto by_rescue = std::ranges::find_if(texts, [](const std::string& text) {
    return text.starts_with(R"(DELETE FROM "web"."tracks" WHERE "id" IN (SELECT r."event_id")");
  });
  ASSERT_NE(by_rescue, texts.end());
  EXPECT_NE(by_rescue->find(R"(r."column_name" = 'user_id' AND)"), std::string::npos);
  const auto of_rescue = std::ranges::find_if(texts, [](const std::string& text) {
    return text.starts_with(R"(DELETE FROM "web"."leat_rescue" WHERE ("batch_id")");
  });
  ASSERT_NE(of_rescue, texts.end());
  EXPECT_LT(by_rescue, of_rescue);
}

TEST(Deletion, ADryRunChangesNothing) {
  World world;
  const auto before = world.files.paths();
  const DeletionRequest request{.id = "d", .person = kAnn, .source = {}, .is_dry = true};
  const DeletionOptions options = world.options();
  const auto reports = run_deletion(options, request, nullptr, {});
  ASSERT_TRUE(reports) << reports.error().message;
  EXPECT_EQ((*reports)[0].events_deleted, 3);
  EXPECT_EQ((*reports)[0].table_rows.at("tracks"), 3);
  EXPECT_EQ(world.files.paths(), before);
  EXPECT_TRUE(world.warehouse.has_rows);
}

// Whatever fails or wherever the process dies, the same request goes on, and the report in the end
// is that of an undisturbed one.
TEST(DeletionCrash, FailsOrDiesAtEveryFileOperation) {
  World quiet;
  quiet.files.clear_faults();
  ASSERT_TRUE(quiet.run());
  const std::uint64_t operations = quiet.files.operations();
  ASSERT_GT(operations, 40U);
  for (const bool dies : {false, true}) {
    for (std::uint64_t n = 1; n <= operations; ++n) {
      World world;
      world.files.fail_at(n, dies);
      const auto first = world.run();
      world.files.clear_faults();
      if (dies) {
        world.store.reset();
        world.files.restart_process();
        world.open();
      }
      const auto reports = world.run();
      ASSERT_TRUE(reports) << n << ": " << reports.error().message;
      expect_whole(*reports, fmt::format("{}{}", n, dies ? " dies" : ""));
      EXPECT_FALSE(world.warehouse.has_rows);
    }
  }
}

TEST(DeletionCrash, LosesTheConnectionAtEveryStatement) {
  World quiet;
  ASSERT_TRUE(quiet.run());
  const int statements = quiet.warehouse.statements;
  for (const bool after : {false, true}) {
    for (int n = 1; n <= statements; ++n) {
      World world;
      world.warehouse.fail_at = n;
      world.warehouse.fails_after_commit = after;
      const auto reports = world.run();
      ASSERT_TRUE(reports) << n << ": " << reports.error().message;
      expect_whole(*reports, fmt::format("statement {}", n));
    }
  }
}

class ServiceTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Service>> open() {
    return Service::open({.directory = "/privacy",
                          .files = &world.files,
                          .random = &random,
                          .deletion = world.options(),
                          .erase_journal = [this]() -> Result<std::uint64_t> {
                            if (erasures++ == 0) return fail(Errc::kUnavailable, "disk");
                            return 4096;
                          },
                          .retry_us = 1000,
                          .tries_max = 3});
  }
  static Regulation wait(const Service& service, const std::string& id) {
    const std::int64_t until = system_clock().monotonic_us() + 20'000'000;
    while (system_clock().monotonic_us() < until) {
      for (const Regulation& each : service.regulations()) {
        const bool is_over =
            each.status == RegulationStatus::kFinished || each.status == RegulationStatus::kFailed;
        if (each.id == id && is_over) return each;
      }
      std::this_thread::yield();
    }
    ADD_FAILURE() << "regulation " << id << " does not end";
    return {};
  }
  World world;
  SeededRandom random{7};
  int erasures = 0;
};

TEST_F(ServiceTest, SuppressesAndDeletesAndRemembersIt) {
  const Request request{.type = RegulationType::kSuppressWithDelete, .person = kAnn, .source = {}};
  std::string id;
  std::string report;
  {
    auto service = open();
    ASSERT_TRUE(service) << service.error().message;
    EXPECT_EQ((*service)->feed().get(), nullptr);
    const auto begun = (*service)->submit(request);
    ASSERT_TRUE(begun) << begun.error().message;
    id = begun->id;
    const Regulation done = wait(**service, id);
    EXPECT_EQ(done.status, RegulationStatus::kFinished) << done.error;
    expect_whole(done.sources, "service");
    EXPECT_EQ(erasures, 2) << "what fails is tried again";
    EXPECT_EQ(done.journal_bytes_erased, 4096U);
    EXPECT_TRUE((*service)->feed().get()->matches("web", "ann", "", ""));
    EXPECT_EQ((*service)->suppressions().size(), 1U);
    report = to_json(done);
  }
  // The log, with the person's id, is gone; what stays names nobody, and who knows can tell.
  for (const std::string& path : world.files.paths()) {
    EXPECT_EQ(world.files.content(path).value_or("").find("ann"), std::string::npos) << path;
  }
  EXPECT_EQ(world.files.content("/privacy/report-" + id + ".json"), report + "\n");
  EXPECT_EQ(regulation_from_json(report)->subject_hash, subject_hash(id, kAnn));

  auto service = open();
  ASSERT_TRUE(service);
  ASSERT_EQ((*service)->regulations().size(), 1U);
  EXPECT_EQ(to_json((*service)->regulations()[0]), report);
  EXPECT_TRUE((*service)->feed().get()->matches("web", "ann", "", ""));
  EXPECT_TRUE(
      (*service)->submit({.type = RegulationType::kUnsuppress, .person = kAnn, .source = {}}));
  EXPECT_FALSE((*service)->feed().get()->matches("web", "ann", "", ""));
  EXPECT_EQ((*service)
                ->submit({.type = RegulationType::kUnsuppress, .person = kAnn, .source = {}})
                .error()
                .code,
            Errc::kNotFound);
}

TEST_F(ServiceTest, GoesOnWithWhatAProcessBeforeBegan) {
  const DeletionRequest request{
      .id = "d1", .person = kAnn, .source = {}, .requested_at = TimeUs{1}};
  ASSERT_TRUE(DeletionLog::create(world.files, "/privacy/d1.log", request));
  auto service = open();
  ASSERT_TRUE(service) << service.error().message;
  const Regulation done = wait(**service, "d1");
  EXPECT_EQ(done.status, RegulationStatus::kFinished) << done.error;
  expect_whole(done.sources, "resumed");
}

TEST_F(ServiceTest, FailsAfterSomeTriesAndGoesOnWhenAskedAgain) {
  ASSERT_TRUE(world.store->put("s3://leat/privacy/lock", "somebody else"));
  auto service = open();
  ASSERT_TRUE(service);
  const Request request{.type = RegulationType::kDeleteOnly, .person = kAnn, .source = {}};
  const auto begun = (*service)->submit(request);
  ASSERT_TRUE(begun);
  const Regulation failed = wait(**service, begun->id);
  EXPECT_EQ(failed.status, RegulationStatus::kFailed);
  EXPECT_NE(failed.error.find("s3://leat/privacy/lock"), std::string::npos);
  EXPECT_TRUE(world.warehouse.has_rows);

  ASSERT_TRUE(world.store->remove("s3://leat/privacy/lock"));
  const auto again = (*service)->submit(request);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, begun->id);
  EXPECT_EQ(wait(**service, begun->id).status, RegulationStatus::kFinished);
  EXPECT_EQ((*service)->submit({.person = kAnn, .source = "wep"}).error().code, Errc::kNotFound);
}

TEST_F(ServiceTest, KeepsTheLastListWhenTheStoreIsAway) {
  const Request request{.type = RegulationType::kSuppressOnly, .person = kAnn, .source = {}};
  {
    auto service = open();
    ASSERT_TRUE(service);
    ASSERT_TRUE((*service)->submit(request));
  }
  world.files.set_fault([](io::FileOperation, const std::string& path, std::uint64_t) {
    return path.find("suppressions.json") != std::string::npos
               ? std::optional(Error{Errc::kUnavailable, "away"})
               : std::nullopt;
  });
  auto service = open();
  ASSERT_TRUE(service) << service.error().message;
  EXPECT_TRUE((*service)->feed().get()->matches("web", "ann", "", ""));
}

}  // namespace
}  // namespace leat::privacy
