// The connection breaks at every statement of a sync, before and after the server runs it, and the
// loader lives on or dies: in each world every event is in the warehouse exactly once and the books
// are those of an undisturbed load.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>

#include "aws/redshift_data.h"
#include "load_fixture.h"
#include "pipeline/load/data_api_connection.h"
#include "warehouse/dataapi/server.h"

namespace leat::load_test {
namespace {

class CrashMatrix : public LoadFixture {
 protected:
  // Two loads: the second one meets tables, needs new columns and a new table, brings duplicates of
  // both kinds, a rescue and merges users.
  void add_first() {
    archive_.add_seal({{"web",
                        {track("t1", "A", R"({"n":1})"), track("t2", "A", R"({"n":2})"),
                         identify("i1", "u1", R"({"plan":"x","email":"e"})")},
                        "2026-11-20T14:00:00Z"}});
  }
  void add_second() {
    archive_.add_seal(
        {{"web",
          {track("t2", "A", R"({"n":"no number","extra":1})"), track("t3", "B", R"({"x":true})"),
           track("t3", "B", R"({"x":false})"), track("t4", "C"), track("t5", "D", R"({"y":2})"),
           identify("i2", "u1", R"({"plan":"y"})"),
           R"({"type":"track","messageId":"bad","userId":"u"})"},
          "2026-11-20T14:30:00Z"}});
  }

  // The digest of an undisturbed load, and the number of statements its second sync takes.
  std::pair<std::string, int> undisturbed() {
    add_first();
    EXPECT_TRUE(sync(warehouse_).has_value());
    add_second();
    Fault none;
    load::Loader loader(options(warehouse_, breaking(load::connect_postgres, none)));
    EXPECT_TRUE(loader.sync({"web", "web"}, {}).has_value());
    return {digest(warehouse_, "web"), none.statements};
  }

  // Loads that are broken off list what is known, which large ones do; those that repair do not.
  load::LoaderOptions options(const TestWarehouse& warehouse,
                              load::Connect connect = load::connect_postgres) {
    load::LoaderOptions out = LoadFixture::options(warehouse, std::move(connect));
    out.destination.listed_rows = 1;
    return out;
  }

  struct World {
    bool after = false;
    bool loader_dies = false;
  };

  // True when every statement and world is wanted, which takes minutes with sanitizers; else a few
  // of them, spread over the load.
  static bool wants_all() { return std::getenv("LEAT_CRASH_ALL") != nullptr; }

  // Which of so many statements to break: all, or `samples` and the last one.
  static std::vector<int> broken_statements(int statements, int samples) {
    std::vector<int> out;
    const int step = wants_all() ? 1 : std::max(1, statements / samples);
    for (int at = (step + 1) / 2; at < statements; at += step) out.push_back(at);
    out.push_back(statements);
    return out;
  }

  // Without LEAT_CRASH_ALL: of the last statement, COMMIT, the worlds whose outcome is unknown to
  // the loader; of the others one each, in turn.
  static std::vector<World> worlds_of(int at, int statements) {
    const std::vector<World> all = {{false, false}, {true, true}, {false, true}, {true, false}};
    if (wants_all()) return all;
    if (at == statements) return {all[1], all[3]};
    return {all[static_cast<std::size_t>(at) % all.size()]};
  }

  // Loads the first seal undisturbed into a fresh warehouse. The archive holds both seals by now,
  // so the second one is hidden by loading with small transactions that break off after the first.
  void load_first(TestWarehouse& warehouse) {
    load::LoaderOptions one_seal = options(warehouse);
    one_seal.transaction_events_max = 1;
    one_seal.attempts_max = 1;
    std::stop_source stop;
    one_seal.connect = [&stop](const load::DestinationSettings& settings, std::stop_token token)
        -> std::expected<std::unique_ptr<load::Connection>, load::DestinationFailure> {
      class StopsAfterCommit final : public load::Connection {
       public:
        StopsAfterCommit(std::unique_ptr<load::Connection> connection,
                         std::stop_source& stop_source)
            : connection_(std::move(connection)), stop_(stop_source) {}
        std::expected<load::Rows, load::DestinationFailure> run(std::string_view sql,
                                                                std::stop_token) override {
          auto rows = connection_->run(sql, {});
          if (sql == "COMMIT") stop_.request_stop();
          return rows;
        }
        bool is_open() const override { return connection_->is_open(); }

       private:
        std::unique_ptr<load::Connection> connection_;
        std::stop_source& stop_;
      };
      auto connection = load::connect_postgres(settings, token);
      if (!connection) return std::unexpected(std::move(connection).error());
      return std::make_unique<StopsAfterCommit>(std::move(*connection), stop);
    };
    load::Loader loader(one_seal);
    EXPECT_FALSE(loader.sync({"web", "web"}, stop.get_token()).has_value());
    EXPECT_EQ(warehouse.ask("SELECT count(*) FROM leat.batches"), std::vector<std::string>{"1"});
  }
};

TEST_F(CrashMatrix, EveryStatementOfALoad) {
  const auto [expected, statements] = undisturbed();
  ASSERT_GT(statements, 25);
  for (const int at : broken_statements(statements, 4)) {
    for (const World world : worlds_of(at, statements)) {
      warehouse_.reset("web");
      load_first(warehouse_);
      Fault fault{.at = at, .after = world.after};
      {
        load::LoaderOptions breaking_options =
            options(warehouse_, breaking(load::connect_postgres, fault));
        if (world.loader_dies) breaking_options.attempts_max = 1;
        load::Loader loader(breaking_options);
        [[maybe_unused]] const auto ignored = loader.sync({"web", "web"}, {});
      }
      const auto again = sync(warehouse_);
      ASSERT_TRUE(again.has_value()) << again.error().error.message;
      ASSERT_EQ(digest(warehouse_, "web"), expected)
          << "broken " << (world.after ? "after" : "before") << " statement " << at << " of "
          << statements << (world.loader_dies ? ", loader dead" : ", loader alive");
      ASSERT_EQ(staged_objects(), 0U);
    }
  }
}

TEST_F(CrashMatrix, TheFirstLoadOfAllMakesEverythingOrNothing) {
  add_first();
  Fault none;
  {
    load::Loader loader(options(warehouse_, breaking(load::connect_postgres, none)));
    ASSERT_TRUE(loader.sync({"web", "web"}, {}).has_value());
  }
  const std::string expected = digest(warehouse_, "web");
  const int statements = none.statements;
  for (const int at : broken_statements(statements, 3)) {
    warehouse_.reset("web");
    Fault fault{.at = at, .after = at % 2 == 0};
    {
      load::LoaderOptions dying = options(warehouse_, breaking(load::connect_postgres, fault));
      dying.attempts_max = 1;
      load::Loader loader(dying);
      [[maybe_unused]] const auto ignored = loader.sync({"web", "web"}, {});
    }
    ASSERT_TRUE(sync(warehouse_).has_value());
    ASSERT_EQ(digest(warehouse_, "web"), expected) << (fault.after ? "after " : "before ") << at;
  }
}

TEST_F(CrashMatrix, ADestinationThatStaysAwayMidLoadLosesNothing) {
  const auto [expected, statements] = undisturbed();
  for (const int at : broken_statements(statements, 2)) {
    warehouse_.reset("web");
    load_first(warehouse_);
    Fault fault{.at = at, .repeats = true};
    load::Loader loader(options(warehouse_, breaking(load::connect_postgres, fault)));
    EXPECT_FALSE(loader.sync({"web", "web"}, {}).has_value());
    fault.at = 0;
    // The same loader goes on when it is back.
    const auto report = loader.sync({"web", "web"}, {});
    ASSERT_TRUE(report.has_value()) << report.error().error.message;
    ASSERT_EQ(digest(warehouse_, "web"), expected) << at;
  }
}

// Keys for so many calls: then the process is as good as dead, because it calls no more.
class MortalCredentials final : public aws::CredentialSource {
 public:
  MortalCredentials(aws::Secret secret, int calls_max)
      : secret_(std::move(secret)), calls_max_(calls_max) {}
  Result<aws::Credentials> get() override {
    if (calls_max_ > 0 && calls_ >= calls_max_) return fail(Errc::kDenied, "dead (test)");
    ++calls_;
    return aws::Credentials{.secret = secret_, .source = "a test"};
  }
  void expire(const aws::Credentials& /*credentials*/) override {}
  [[nodiscard]] int calls() const { return calls_; }

 private:
  const aws::Secret secret_;
  const int calls_max_;
  int calls_ = 0;
};

class DataApiCrash : public CrashMatrix {
 protected:
  static constexpr int kForEver = 0;

  void SetUp() override {
    const dataapi::AccessKey key = dataapi::make_access_key(secure_random(), "leat");
    secret_ = {key.id, key.secret, ""};
    auto server = dataapi::Server::start(
        {.listen = {"127.0.0.1", 0}, .keys = {key}, .warehouse = &warehouse_.warehouse()});
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
    http_ = std::move(*io::HttpClient::open({}));
  }
  void TearDown() override { server_->stop(net::Deadline::after_us(kUsPerSecond)); }

  // One sync by a process that lives for so many calls; says how many it made.
  int sync_for(int calls_max, bool must_load) {
    MortalCredentials credentials(secret_, calls_max);
    aws::RedshiftDataOptions options;
    options.workgroup_name = "leat";
    options.database = "dev";
    options.region = "us-east-1";
    options.endpoint = fmt::format("http://127.0.0.1:{}", server_->local().port);
    options.http = http_.get();
    options.credentials = &credentials;
    auto api = std::move(*aws::RedshiftData::open(std::move(options)));
    load::LoaderOptions loading = this->options(
        warehouse_, [&](const load::DestinationSettings& settings, std::stop_token stop) {
          return load::connect_data_api(*api, settings, std::move(stop));
        });
    loading.destination.session_keep_alive_s = 1;
    loading.destination.statement_bytes_max = load::kDataApiStatementBytesMax;
    if (!must_load) loading.attempts_max = 1;
    load::Loader loader(loading);
    const auto report = loader.sync({"web", "web"}, {});
    if (must_load) {
      EXPECT_TRUE(report.has_value()) << report.error().error.message;
    }
    return credentials.calls();
  }

  aws::Secret secret_;
  std::unique_ptr<io::HttpClient> http_;
  std::unique_ptr<dataapi::Server> server_;
};

// What the server has seen of a process that was killed is some number of calls.
TEST_F(DataApiCrash, EveryCallOfALoad) {
  const std::string expected = undisturbed().first;
  warehouse_.reset("web");
  load_first(warehouse_);
  const int calls = sync_for(kForEver, true);
  ASSERT_EQ(digest(warehouse_, "web"), expected);
  ASSERT_GT(calls, 25);
  for (const int at : broken_statements(calls, 1)) {
    warehouse_.reset("web");
    load_first(warehouse_);
    sync_for(at, false);
    // A session holds what it locked for a second more, and the next loader waits for that.
    sync_for(kForEver, true);
    ASSERT_EQ(digest(warehouse_, "web"), expected) << "dead after call " << at << " of " << calls;
    ASSERT_EQ(staged_objects(), 0U);
  }
}

}  // namespace
}  // namespace leat::load_test
