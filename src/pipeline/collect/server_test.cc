// The whole collector over real sockets and a real journal in a temporary folder.
#include "pipeline/collect/server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/digest.h"
#include "net/http_test_client.h"
#include "pipeline/collect/collect_test_support.h"
#include "pipeline/collect/pixel.h"
#include "pipeline/journal/slow_disk_test_support.h"

namespace leat::collect {
namespace {

using journal::SlowDisk;
using net::Deadline;
using net::get;
using net::post;
using net::read_answer;
using net::soon;
using net::status_of;
using net::Stream;
using Syncs = journal::SlowDisk::Syncs;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kEvent = R"({"userId":"u","event":"E","writeKey":"web-key"})";
constexpr std::string_view kBatch =
    R"({"batch":[{"type":"track","userId":"u","event":"E"}],"writeKey":"web-key"})";
constexpr std::string_view kSuccess = "\r\n\r\n{\"success\":true}";

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "leat-collect-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    journal_options_ = {.directory = directory_ + "/journal", .segment_bytes = 1 << 20};
    journal_options_.buffer_bytes = 512 << 10;
    http_.listen = {"127.0.0.1", 0};
    http_.linger_us = 200'000;
    options_.sources = {{.name = "web", .write_keys = {"web-key"}},
                        {.name = "app", .write_keys = {"app-key", "abc123"}},
                        {.name = "slow", .write_keys = {"slow-key"}, .events_per_second_max = 10}};
    options_.metrics = &metrics_;
    options_.clock = &clock_;
  }
  void TearDown() override {
    server_.reset();
    journal_.reset();
    std::filesystem::remove_all(directory_);
  }

  void start() {
    auto journal = journal::Journal::open(journal_options_);
    ASSERT_TRUE(journal) << journal.error().message;
    journal_ = std::move(*journal);
    options_.journal = journal_.get();
    auto server = Server::start(http_, options_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  Stream connect() { return net::connect(server_->local()); }
  std::string ask(std::string_view request) { return net::ask(server_->local(), request); }

  void expect_serving() {
    EXPECT_THAT(ask(post("/v1/track", kEvent)),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith(kSuccess)));
  }

  /// All durable lines of the journal's first shard that were not read before.
  std::vector<event::Line> new_lines() {
    std::vector<event::Line> lines;
    if (!reader_) reader_.emplace(*journal_, 0, journal::Offset{1});
    journal::Record record;
    while (true) {
      const auto more = reader_->next(record);
      EXPECT_TRUE(more);
      if (!more || !*more) return lines;
      kept_.emplace_back(record.lines);
      const auto of_record = read_lines(kept_.back());
      EXPECT_EQ(of_record.size(), record.event_count);
      for (const event::Line& line : of_record) {
        EXPECT_EQ(line.source, record.source);
        EXPECT_EQ(line.received_at, record.received_at);
        lines.push_back(line);
      }
    }
  }

  std::string directory_;
  FakeClock clock_{*parse_iso8601("2026-11-20T14:03:05.123456Z")};
  metrics::Registry metrics_;
  journal::Options journal_options_;
  net::HttpOptions http_;
  Options options_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<Server> server_;
  std::optional<journal::Reader> reader_;
  std::deque<std::string> kept_;  // what the views of lines point to
};

TEST_F(ServerTest, TakesEveryDataRouteWithAndWithoutVersionAndSlash) {
  start();
  const std::map<std::string, std::string> types = {
      {"identify", "identify"}, {"track", "track"}, {"page", "page"},
      {"screen", "screen"},     {"group", "group"}, {"alias", "alias"},
      {"i", "identify"},        {"t", "track"},     {"p", "page"},
      {"s", "screen"},          {"g", "group"},     {"a", "alias"}};
  const std::string event =
      R"({"userId":"u","event":"E","groupId":"g","previousId":"p","messageId":"m"})";
  const std::string body = event.substr(0, event.size() - 1) + R"(,"writeKey":"web-key"})";
  Stream stream = connect();
  for (const auto& [route, type] : types) {
    for (const char* form : {"/v1/{}", "/v1/{}/", "/{}", "/{}/"}) {
      const std::string path = fmt::format(fmt::runtime(form), route);
      ASSERT_TRUE(stream.write_all(post(path, body), soon()));
      ASSERT_THAT(read_answer(stream),
                  AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                        HasSubstr("Content-Type: application/json\r\n"), EndsWith(kSuccess)))
          << path;
      const auto lines = new_lines();  // the answer came after the events were durable
      ASSERT_EQ(lines.size(), 1U) << path;
      EXPECT_EQ(lines[0].type, type) << path;
      EXPECT_EQ(lines[0].rejected, "") << path;
      EXPECT_EQ(lines[0].event_json, event) << path;
    }
  }
  for (const char* path :
       {"/v1/batch", "/v1/batch/", "/batch", "/v1/b", "/b/", "/v1/import", "/v1/import/", "/import",
        "/beacon/v1/batch", "/beacon/v1/batch?writeKey=web-key"}) {
    ASSERT_TRUE(stream.write_all(post(path, kBatch), soon()));
    ASSERT_THAT(read_answer(stream), EndsWith(kSuccess)) << path;
    EXPECT_EQ(new_lines().size(), 1U) << path;
  }
  ASSERT_TRUE(stream.write_all(
      post("/v1/m", R"({"series":[{"type":"Counter","metric":"x","value":1}]})"), soon()));
  EXPECT_THAT(read_answer(stream), EndsWith(kSuccess));
  EXPECT_THAT(new_lines(), IsEmpty());
}

TEST_F(ServerTest, AnswersOnlyWhenTheEventsAreDurable) {
  journal_options_.background = false;
  start();
  Stream stream = connect();
  ASSERT_TRUE(stream.write_all(post("/v1/track", kEvent) + post("/v1/batch", kBatch), soon()));
  auto& waiting = metrics_.gauge("leat_collect_waiting_requests", "");
  const Deadline limit = soon();
  while (waiting.value() < 2 && limit.left_us() > 0) std::this_thread::yield();
  ASSERT_EQ(waiting.value(), 2);
  EXPECT_THAT(ask(get("/health")), HasSubstr(R"({"status":"ok"})"));
  EXPECT_FALSE(stream.readable());
  EXPECT_THAT(new_lines(), IsEmpty());
  while (!stream.readable() && limit.left_us() > 0) journal_->run_once();
  EXPECT_THAT(read_answer(stream), EndsWith(kSuccess));
  EXPECT_THAT(read_answer(stream), EndsWith(kSuccess));
  EXPECT_EQ(new_lines().size(), 2U);
}

TEST_F(ServerTest, Answers503WithRetryAfterWhenTheJournalRefusesAndRecovers) {
  journal_options_.segment_bytes = 64 << 10;
  journal_options_.buffer_bytes = 32 << 10;
  journal_options_.disk_max = 256 << 10;
  journal_options_.retry_us = 1000;
  start();
  const std::string event = fmt::format(
      R"({{"userId":"u","event":"E","writeKey":"web-key","x":"{}"}})", std::string(10'000, 'x'));
  std::size_t kept = 0;
  std::string answer;
  for (int i = 0; i < 200; ++i) {
    answer = ask(post("/v1/track", event));
    if (status_of(answer) != 200) break;
    ++kept;
  }
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 1\r\n"),
                            HasSubstr(R"("success":false)"), HasSubstr(R"("code":"unavailable")")));
  EXPECT_EQ(status_of(ask(get("/ready"))), 503);
  EXPECT_EQ(status_of(ask(get("/health"))), 200);
  EXPECT_GE(new_lines().size(), kept);  // what was acknowledged is there
  journal_->release(0, journal_->durable(0));
  const Deadline limit = soon();
  while (status_of(answer) != 200 && limit.left_us() > 0) answer = ask(post("/v1/track", event));
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_EQ(status_of(ask(get("/ready"))), 200);
}

class SlowDiskTest : public ServerTest {
 protected:
  static constexpr int kClients = 8;
  static constexpr int kRequests = 30;  // of each; both buffers together hold no more than these

  SlowDiskTest() {
    journal_options_.files = &disk_.files();
    journal_options_.segment_bytes = 256 << 10;
    journal_options_.buffer_bytes = 32 << 10;
    journal_options_.disk_max = 64 << 20;
    journal_options_.retry_us = 1000;
  }
  void TearDown() override {
    disk_.set(Syncs::kWork);
    ServerTest::TearDown();
  }

  static std::string large_event(int client, int number) {
    return fmt::format(R"({{"userId":"{}","event":"{:03}","x":"{}","messageId":"m",)"
                       R"("writeKey":"web-key"}})",
                       client, number, std::string(2000, 'x'));
  }

  /// Every client sends all its requests at once.
  void overfill() {
    disk_.set(Syncs::kWait);
    for (int client = 0; client < kClients; ++client) {
      clients_.push_back(connect());
      std::string requests;
      for (int i = 0; i < kRequests; ++i) {
        const std::string event = large_event(client, i);
        requests += i % 2 == 0 ? post("/v1/track", event)
                               : fmt::format(
                                     "POST /v1/track HTTP/1.1\r\nHost: t\r\nTransfer-"
                                     "Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
                                     event.size(), event);
      }
      ASSERT_TRUE(clients_.back().write_all(requests, soon()));
    }
  }

  /// Waits until all clients but perhaps one have a request that waits for room.
  void expect_held() {
    const Deadline limit = soon();
    while (held() < kClients - 1 && limit.left_us() > 0) std::this_thread::yield();
    ASSERT_GE(held(), kClients - 1);
  }
  std::int64_t held() { return metrics_.gauge("leat_collect_held_requests", "").value(); }

  SlowDisk disk_;
  std::vector<Stream> clients_;
};

TEST_F(SlowDiskTest, RequestsWaitForRoomAndKeepTheirOrder) {
  options_.hold_us_max = 60'000'000;
  start();
  overfill();
  expect_held();
  EXPECT_THAT(ask(get("/health")), HasSubstr(R"({"status":"ok"})"));
  EXPECT_THAT(ask(get("/ready")), HasSubstr(R"({"status":"ready"})"));
  for (Stream& client : clients_) EXPECT_FALSE(client.readable());
  disk_.set(Syncs::kWork);
  for (Stream& client : clients_) {
    for (int i = 0; i < kRequests; ++i) ASSERT_THAT(read_answer(client), EndsWith(kSuccess)) << i;
  }
  EXPECT_EQ(held(), 0);
  std::map<std::string, int> next;
  const auto lines = new_lines();
  EXPECT_EQ(lines.size(), static_cast<std::size_t>(kClients * kRequests));
  for (const event::Line& line : lines) {
    const std::string user = std::string(line.event_json.substr(11, 1));
    EXPECT_THAT(line.event_json, HasSubstr(fmt::format(R"("event":"{:03}")", next[user]++)));
  }
  EXPECT_EQ(metrics_.counter("leat_collect_hold_timeouts_total", "").value(), 0U);
  EXPECT_EQ(metrics_
                .counter("leat_collect_events_total", "Events appended to the journal.",
                         {{"source", "web"}})
                .value(),
            static_cast<std::uint64_t>(kClients * kRequests));
}

TEST_F(SlowDiskTest, WhoWaitsTooLongGetsA503) {
  options_.hold_us_max = 20'000;
  start();
  overfill();
  const std::string answer = ask(post("/v1/track", large_event(0, 0)));
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 1\r\n")));
  EXPECT_GE(metrics_.counter("leat_collect_hold_timeouts_total", "").value(), 1U);
  disk_.set(Syncs::kWork);
  std::size_t kept = 0;
  for (Stream& client : clients_) {
    for (int i = 0; i < kRequests; ++i) kept += status_of(read_answer(client)) == 200 ? 1 : 0;
  }
  EXPECT_GT(kept, 0U);
  EXPECT_EQ(new_lines().size(), kept);
  EXPECT_EQ(held(), 0);
  expect_serving();
}

TEST_F(SlowDiskTest, ABrokenDiskAnswersThoseThatWait) {
  options_.hold_us_max = 60'000'000;
  start();
  overfill();
  expect_held();
  disk_.set(Syncs::kFail);
  for (Stream& client : clients_) {
    for (int i = 0; i < kRequests; ++i) ASSERT_EQ(status_of(read_answer(client)), 503) << i;
  }
  EXPECT_EQ(held(), 0);
  EXPECT_EQ(status_of(ask(get("/ready"))), 503);
  disk_.set(Syncs::kWork);
  const Deadline limit = soon();
  while (status_of(ask(post("/v1/track", kEvent))) != 200 && limit.left_us() > 0) {
  }
  expect_serving();
}

TEST_F(SlowDiskTest, StopAnswersThoseThatWait) {
  options_.hold_us_max = 60'000'000;
  start();
  overfill();
  expect_held();
  server_->stop(Deadline::after_us(20'000));
  disk_.set(Syncs::kWork);
  for (Stream& client : clients_) EXPECT_EQ(status_of(read_answer(client)), 503);
}

TEST_F(SlowDiskTest, AClientThatLeavesWhileItWaitsIsForgotten) {
  options_.hold_us_max = 60'000'000;
  start();
  overfill();
  expect_held();
  clients_.clear();
  disk_.set(Syncs::kWork);
  const Deadline limit = soon();
  while (held() > 0 && limit.left_us() > 0) std::this_thread::yield();
  EXPECT_EQ(held(), 0);
  expect_serving();
}

TEST_F(ServerTest, AClosedJournalIsA503) {
  start();
  ASSERT_TRUE(journal_->close());
  EXPECT_THAT(ask(post("/v1/track", kEvent)),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: ")));
  // The pixel hides it, as it hides everything.
  EXPECT_THAT(ask(get("/v1/pixel/track?userId=u&event=E&writeKey=web-key")),
              StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, TakesTheKeyFromBodyBasicAndQuery) {
  start();
  const std::string keyless = R"({"userId":"u","event":"E"})";
  struct Case {
    std::string request;
    int status;
    std::string source;
  };
  const Case cases[] = {
      {post("/v1/track", keyless, "Authorization: Basic YWJjMTIzOg==\r\n"), 200, "app"},
      {post("/v1/track", keyless, "Authorization: Basic YWJjMTIz\r\n"), 200, "app"},
      {post("/v1/track", kEvent, "Authorization: Basic YWJjMTIzOg==\r\n"), 200, "web"},
      {post("/v1/track", kEvent, "Authorization: Bearer a.b.c\r\n"), 200, "web"},
      {post("/v1/track?writeKey=app-key", keyless), 200, "app"},
      {post("/v1/track?writeKey=web-key", keyless, "Authorization: Basic YWJjMTIzOg==\r\n"), 200,
       "app"},
      {post("/v1/track", keyless), 401, ""},
      {post("/v1/track", keyless, "Authorization: Bearer a.b.c\r\n"), 401, ""},
      {post("/v1/track", keyless, "Authorization: Basic bm9ib2R5Og==\r\n"), 401, ""},
      {post("/beacon/v1/batch?writeKey=app-key",
            R"({"batch":[{"type":"track","userId":"u","event":"E"}]})",
            "Content-Type: text/plain\r\n"),
       200, "app"},
  };
  for (const Case& c : cases) {
    const std::string answer = ask(c.request);
    EXPECT_EQ(status_of(answer), c.status) << c.request;
    const auto lines = new_lines();
    ASSERT_EQ(lines.size(), c.source.empty() ? 0U : 1U) << c.request;
    if (lines.empty()) {
      EXPECT_THAT(answer,
                  HasSubstr(R"({"success":false,"message":"the write key is missing or unknown",)"
                            R"("code":"unknown_source"})"));
    } else {
      EXPECT_EQ(lines[0].source, c.source);
    }
  }
}

TEST_F(ServerTest, TakesAnyContentTypeAndGzip) {
  start();
  for (const char* type : {"application/json", "text/plain", "application/json; charset=utf-8",
                           "application/x-www-form-urlencoded", "image/png", ""}) {
    EXPECT_EQ(status_of(ask(post("/v1/t", kEvent, fmt::format("Content-Type: {}\r\n", type)))), 200)
        << type;
  }
  EXPECT_EQ(status_of(ask(post("/v1/b", gzip(kBatch),
                               "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n"))),
            200);
  EXPECT_EQ(status_of(ask(post("/v1/b", gzip(kBatch)))), 200);
  EXPECT_EQ(new_lines().size(), 8U);
  const std::string chunked =
      "POST /v1/b HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n" +
      std::string(kBatch.substr(0, 16)) + fmt::format("\r\n{:x}\r\n", kBatch.size() - 16) +
      std::string(kBatch.substr(16)) + "\r\n0\r\n\r\n";
  EXPECT_EQ(status_of(ask(chunked)), 200);
  EXPECT_EQ(new_lines().size(), 1U);
}

TEST_F(ServerTest, BadInputGetsItsAnswerAndTheServerGoesOn) {
  start();
  const std::string bomb = gzip(std::string(100 << 20, ' '));
  const std::string large_event = fmt::format(
      R"({{"userId":"u","event":"E","writeKey":"web-key","x":"{}"}})", std::string(33 * 1024, 'x'));
  struct Case {
    std::string what;
    std::string request;
    int status;
  };
  const Case cases[] = {
      {"invalid JSON", post("/v1/track", "{\"userId\":"), 400},
      {"empty body", post("/v1/track", ""), 400},
      {"no object", post("/v1/track", "[]"), 400},
      {"batch is no array", post("/v1/batch", R"({"batch":{},"writeKey":"web-key"})"), 400},
      {"wrong types", post("/v1/track", R"({"userId":42,"event":[],"writeKey":"web-key"})"), 200},
      {"deep nesting", post("/v1/track", std::string(100'000, '[')), 400},
      {"deep objects",
       post("/v1/track",
            [] {
              std::string text;
              for (int i = 0; i < 5000; ++i) text += "{\"a\":";
              return text;
            }()),
       400},
      {"huge key",
       post("/v1/track", fmt::format(R"({{"{}":1,"userId":"u","event":"E","writeKey":"web-key"}})",
                                     std::string(30'000, 'k'))),
       200},
      {"invalid UTF-8", post("/v1/track", "{\"userId\":\"\xff\xfe\"}"), 400},
      {"NUL byte", post("/v1/track", std::string("{\"userId\":\"\0\"}", 14)), 400},
      {"NUL only", post("/v1/track", std::string(64, '\0')), 400},
      {"event of 33 KB", post("/v1/track", large_event), 400},
      {"oversize body", post("/v1/batch", std::string(524'289, ' ')), 413},
      {"announced oversize",
       "POST /v1/batch HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999\r\n\r\n", 413},
      {"gzip bomb", post("/v1/batch", bomb, "Content-Encoding: gzip\r\n"), 413},
      {"broken gzip", post("/v1/batch", "\x1f\x8b\x08\x00", "Content-Encoding: gzip\r\n"), 400},
      {"foreign coding", post("/v1/batch", kBatch, "Content-Encoding: br\r\n"), 415},
      {"not HTTP", "hello\r\n\r\n", 400},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"unknown coding", "POST /v1/t HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
      {"two lengths",
       "POST /v1/t HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"length and chunks",
       "POST /v1/t HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"large head", get("/" + std::string(20'000, 'x')), 431},
      {"unknown route", post("/v1/nothing", kEvent), 404},
      {"wrong method", get("/v1/track"), 405},
      {"wrong method", post("/v1/pixel/track", kEvent), 405},
  };
  for (const Case& c : cases) {
    const std::string answer = ask(c.request);
    EXPECT_EQ(status_of(answer), c.status) << c.what << "\n" << answer;
    if (c.status != 200) {
      EXPECT_THAT(answer, AllOf(HasSubstr("Content-Type: application/json\r\n"),
                                HasSubstr(R"("success":false)")));
    }
    expect_serving();
  }
  std::size_t rejected = 0;
  for (const event::Line& line : new_lines()) rejected += line.rejected.empty() ? 0 : 1;
  EXPECT_EQ(rejected, 1U);  // the wrong types: kept, never lost
}

TEST_F(ServerTest, SlowAndHalfClosedClientsDoNotDisturbOthers) {
  http_.head_timeout_us = http_.body_timeout_us = 30'000;
  start();
  Stream slow_head = connect();
  Stream slow_body = connect();
  Stream half = connect();
  Stream cut = connect();
  ASSERT_TRUE(slow_head.write_all("POST /v1/tr", soon()));
  ASSERT_TRUE(slow_body.write_all(
      "POST /v1/track HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n{", soon()));
  ASSERT_TRUE(half.write_all(post("/v1/track", kEvent), soon()));
  half.finish_writing();
  ASSERT_TRUE(cut.write_all(post("/v1/track", kEvent).substr(0, 90), soon()));
  cut.finish_writing();
  expect_serving();
  EXPECT_EQ(status_of(read_answer(half)), 200);
  EXPECT_EQ(status_of(read_answer(cut)), 400);
  EXPECT_THAT(read_answer(slow_head),
              AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr(R"("code":"request_timeout")")));
  EXPECT_EQ(status_of(read_answer(slow_body)), 408);
  EXPECT_EQ(new_lines().size(), 2U);
}

TEST_F(ServerTest, SpeaksCors) {
  start();
  const std::string origin = "Origin: https://shop.example\r\n";
  const auto is_allowed = AllOf(HasSubstr("Access-Control-Allow-Origin: https://shop.example\r\n"),
                                HasSubstr("Access-Control-Allow-Credentials: true\r\n"),
                                HasSubstr("Access-Control-Expose-Headers: Retry-After\r\n"),
                                HasSubstr("Vary: Origin\r\n"));
  for (const char* path :
       {"/v1/t", "/v1/batch/", "/v1/projects/web-key/settings", "/v1/m", "/anything"}) {
    const std::string answer = ask(
        get(path,
            origin + "Access-Control-Request-Method: POST\r\n"
                     "Access-Control-Request-Headers: authorization,content-type,x-retry-count\r\n",
            "OPTIONS"));
    EXPECT_THAT(
        answer,
        AllOf(
            StartsWith("HTTP/1.1 204 No Content\r\n"), is_allowed,
            HasSubstr("Access-Control-Allow-Methods: POST, GET, OPTIONS\r\n"),
            HasSubstr("Access-Control-Allow-Headers: authorization,content-type,x-retry-count\r\n"),
            HasSubstr("Access-Control-Max-Age: 900\r\n"), Not(HasSubstr("Content-Length"))))
        << path;
  }
  EXPECT_THAT(ask(get("/v1/t", origin, "OPTIONS")),
              HasSubstr("Access-Control-Allow-Headers: Content-Type, Content-Encoding, "
                        "Authorization, X-Retry-Count"));
  EXPECT_THAT(ask(post("/v1/t", kEvent, origin)), AllOf(StartsWith("HTTP/1.1 200 "), is_allowed));
  EXPECT_THAT(ask(post("/v1/t", "{", origin)), AllOf(StartsWith("HTTP/1.1 400 "), is_allowed));
  EXPECT_THAT(ask(post("/v1/t", "{}", origin)), AllOf(StartsWith("HTTP/1.1 401 "), is_allowed));
  EXPECT_THAT(ask(fmt::format("POST /v1/t HTTP/1.1\r\nHost: t\r\n{}Content-Length: 999999\r\n\r\n",
                              origin)),
              AllOf(StartsWith("HTTP/1.1 413 "), is_allowed));
  EXPECT_THAT(ask(post("/v1/t", kEvent)), Not(HasSubstr("Access-Control")));
}

TEST_F(ServerTest, ServesThePixel) {
  start();
  const auto is_image =
      AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Type: image/gif\r\n"),
            HasSubstr("Content-Length: 43\r\n"), EndsWith(std::string(pixel_image())));
  EXPECT_THAT(
      ask(get(
          "/v1/pixel/track?userId=u&event=Email%20Opened&properties.subject=Hi&writeKey=web-key")),
      is_image);
  auto lines = new_lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].type, "track");
  EXPECT_EQ(lines[0].rejected, "");
  EXPECT_EQ(lines[0].ip, "127.0.0.1");
  EXPECT_EQ(lines[0].event_json,
            R"({"event":"Email Opened","properties":{"subject":"Hi"},"userId":"u"})");
  EXPECT_THAT(
      ask(get("/pixel/v1/identify/?data=" + to_base64(R"({"userId":"u","writeKey":"web-key"})"))),
      is_image);
  EXPECT_EQ(new_lines().at(0).type, "identify");
  for (const char* nothing :
       {"/v1/pixel/track?data=%25%25", "/v1/pixel/track", "/v1/pixel/track?data=AAAA",
        "/v1/pixel/track?userId=u&event=E&writeKey=nobody", "/v1/pixel/track?a=1&a.b=2"}) {
    EXPECT_THAT(ask(get(nothing)), is_image) << nothing;
    EXPECT_THAT(new_lines(), IsEmpty()) << nothing;
  }
}

TEST_F(ServerTest, ServesTheSettingsOfKnownKeys) {
  start();
  for (const char* path : {"/v1/projects/web-key/settings", "/projects/web-key/settings/",
                           "/v1/projects/web%2Dkey/settings"}) {
    EXPECT_THAT(ask(get(path)),
                AllOf(StartsWith("HTTP/1.1 200 "),
                      HasSubstr(R"({"integrations":{"Segment.io":{"apiKey":"web-key",)"
                                R"("apiHost":"leat.test/v1","protocol":"http",)")));
  }
  EXPECT_THAT(ask(get("/v1/projects/web-key/settings", "X-Forwarded-Proto: https\r\n")),
              HasSubstr(R"("protocol":"https")"));
  EXPECT_EQ(status_of(ask(get("/v1/projects/nobody/settings"))), 404);
}

TEST_F(ServerTest, LimitsTheRateOfASource) {
  start();
  const std::string event = R"({"userId":"u","event":"E","writeKey":"slow-key"})";
  int passed = 0;
  std::string answer;
  for (int i = 0; i < 20 && status_of(answer) != 429; ++i) {
    answer = ask(post("/v1/track", event));
    passed += status_of(answer) == 200 ? 1 : 0;
  }
  EXPECT_EQ(passed, 10);
  EXPECT_THAT(answer, AllOf(HasSubstr("Retry-After: 1\r\n"), HasSubstr("X-RateLimit-Reset: 1\r\n"),
                            HasSubstr(R"("code":"too_many_requests")")));
  expect_serving();  // the other sources are free
  clock_.advance_us(1'000'000);
  EXPECT_EQ(status_of(ask(post("/v1/track", event))), 200);
}

TEST_F(ServerTest, TellsTheAddressOfDirectCallsAndOfTrustedProxies) {
  options_.trusted_proxies = {*net::parse_ip_network("127.0.0.0/8")};
  start();
  const std::string direct =
      R"({"userId":"u","event":"E","writeKey":"web-key","context":{"direct":true}})";
  EXPECT_EQ(status_of(ask(post("/v1/track", direct))), 200);
  EXPECT_EQ(new_lines().at(0).ip, "127.0.0.1");
  EXPECT_EQ(status_of(ask(post("/v1/track", direct, "X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\n"))),
            200);
  EXPECT_EQ(new_lines().at(0).ip, "203.0.113.9");
  EXPECT_EQ(status_of(ask(post("/v1/track", direct, "X-Forwarded-For: 2001:db8::1\r\n"))), 200);
  EXPECT_EQ(new_lines().at(0).ip, "");  // IPv6 is not taken
  EXPECT_EQ(status_of(ask(post("/v1/track", kEvent,
                               "User-Agent: test/1\r\nX-Forwarded-For: 203.0.113.9\r\n"))),
            200);
  const auto lines = new_lines();
  EXPECT_EQ(lines.at(0).ip, "");  // a server's library
  EXPECT_EQ(lines.at(0).user_agent, "test/1");
}

TEST_F(ServerTest, TellsHealthReadinessAndMetrics) {
  start();
  expect_serving();
  EXPECT_EQ(status_of(ask(post("/v1/track", R"({"userId":5,"event":"E","writeKey":"web-key"})"))),
            200);
  EXPECT_EQ(status_of(ask(post("/v1/track", "{"))), 400);
  // Segment answers 200 to an unknown key and drops the event; here the sender is told, and where
  // only an image can be answered, the operator.
  EXPECT_EQ(status_of(ask(post("/v1/track", R"({"userId":"u","event":"E","writeKey":"no"})"))),
            401);
  EXPECT_EQ(status_of(ask(get("/v1/pixel/track?userId=u&event=E&writeKey=no"))), 200);
  EXPECT_THAT(ask(get("/health")), EndsWith(R"({"status":"ok"})"));
  EXPECT_THAT(ask(get("/ready/")), EndsWith(R"({"status":"ready"})"));
  const std::string text = ask(get("/metrics"));
  EXPECT_THAT(text, AllOf(HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
                          HasSubstr("leat_collect_events_total{source=\"web\"} 2\n"),
                          HasSubstr("leat_collect_events_rejected_total{source=\"web\"} 1\n"),
                          HasSubstr("leat_collect_events_total{source=\"app\"} 0\n"),
                          HasSubstr("leat_collect_answers_total{status=\"4xx\"} 2\n"),
                          HasSubstr("leat_collect_unknown_write_keys_total 2\n"),
                          HasSubstr("leat_collect_commit_seconds_count 2\n"),
                          HasSubstr("leat_net_requests_total{server=\"collect\"}")));
  server_->set_ready(false);
  EXPECT_THAT(ask(get("/ready")), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(ask(get("/health")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, StopAnswersWhatWaitsForTheJournal) {
  start();
  std::vector<Stream> streams;
  for (int i = 0; i < 20; ++i) {
    streams.push_back(connect());
    ASSERT_TRUE(streams.back().write_all(post("/v1/track", kEvent), soon()));
  }
  server_->stop(soon());
  for (Stream& stream : streams) EXPECT_EQ(status_of(read_answer(stream)), 200);
  ASSERT_TRUE(journal_->close());
  EXPECT_EQ(new_lines().size(), 20U);
}

TEST_F(ServerTest, EveryLoopHasItsShard) {
  http_.loops = 2;
  journal_options_.shard_count = 2;
  start();
  for (int i = 0; i < 40; ++i) expect_serving();
  EXPECT_EQ(journal_->durable(0).value + journal_->durable(1).value, 40U);
}

TEST_F(ServerTest, RefusesToStartWithoutEnoughShardsOrWithBadSources) {
  auto journal = journal::Journal::open(journal_options_);
  ASSERT_TRUE(journal);
  options_.journal = journal->get();
  http_.loops = 2;
  EXPECT_EQ(Server::start(http_, options_).error().code, Errc::kInvalid);
  http_.loops = 1;
  options_.sources.push_back({.name = "web", .write_keys = {"x"}});
  EXPECT_EQ(Server::start(http_, options_).error().code, Errc::kInvalid);
  options_.journal = nullptr;
  EXPECT_EQ(Server::start(http_, options_).error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace leat::collect
