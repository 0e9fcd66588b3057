#include "ops/console/console.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/text.h"

namespace leat::console {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Sends raw bytes, returns everything until the server closes.
std::string talk(const std::string& url, const std::string& request) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval timeout{20, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(parse_number<std::uint16_t>(url.substr(url.rfind(':') + 1)).value_or(0));
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket);
    return "";
  }
  [[maybe_unused]] const auto sent = ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  char buffer[4096];
  for (ssize_t n = 1; n > 0;) {
    n = ::recv(socket, buffer, sizeof buffer, 0);
    if (n > 0) answer.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(socket);
  return answer;
}

class ConsoleTest : public testing::Test {
 protected:
  ConsoleTest() {
    load::SyncScheduleOptions schedule;
    schedule.sources = {{"web", "web"}};
    schedule.times = load::SyncTimes::manual();
    schedule.history = history_.get();
    schedule_ = std::make_unique<load::SyncSchedule>(
        schedule,
        [this](const load::SourceSettings& source,
               std::stop_token) -> std::expected<load::SyncReport, load::SyncFailure> {
          if (sync_error_) return std::unexpected(load::SyncFailure{*sync_error_, {}, {}});
          load::SyncReport report;
          report.source = source.name;
          report.batches = 2;
          return report;
        });
    schedule_->start();
    options_.listen_port = 0;
    options_.token = "the-console-token";
    options_.schedule = schedule_.get();
    options_.history = history_.get();
    options_.metrics = &registry_;
    options_.connection.token_hint = "in <data>/console_token";
    options_.ledger = [this](int latest) -> Result<load::Ledger> {
      latest_ = latest;
      if (ledger_error_) return std::unexpected(*ledger_error_);
      return load::Ledger{};
    };
    options_.ready = [this]() -> Status { return ready_; };
  }
  void TearDown() override { schedule_->stop(); }

  std::string ask(std::string_view method, std::string_view target, std::string_view headers = "",
                  std::string_view host = "127.0.0.1") {
    if (!console_) {
      auto started = Console::start(options_);
      EXPECT_TRUE(started.has_value()) << started.error().message;
      if (!started) return "";
      console_ = std::move(*started);
    }
    return talk(
        console_->url(),
        fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}{}\r\n", method, target,
                    host, headers, method == "POST" ? "Content-Length: 0\r\n" : ""));
  }

  metrics::Registry registry_;
  std::unique_ptr<load::SyncHistory> history_ = std::move(*load::SyncHistory::open({}));
  ConsoleOptions options_;
  std::unique_ptr<load::SyncSchedule> schedule_;
  std::optional<Error> sync_error_;
  std::optional<Error> ledger_error_;
  Status ready_;
  int latest_ = -1;
  std::unique_ptr<Console> console_;
};

TEST_F(ConsoleTest, ShowsTheStatus) {
  const std::string answer = ask("GET", "/api/status?batches=7");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr(R"("name":"web")"));
  EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store"));
  EXPECT_EQ(latest_, 7);
  EXPECT_THAT(answer, Not(HasSubstr("the-console-token")));
}

TEST_F(ConsoleTest, ShowsWhatItCanWhileTheWarehouseIsAway) {
  ledger_error_ = Error{Errc::kUnavailable, "warehouse away; start it"};
  const std::string answer = ask("GET", "/api/status");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr(R"({"part":"ledger","message":"warehouse away; start it"})"));
  EXPECT_THAT(answer, HasSubstr(R"("balanced":null)"));
}

TEST_F(ConsoleTest, RefusesUnknownOrWrongParameters) {
  for (const char* target : {"/api/status?batch=1", "/api/status?batches=x",
                             "/api/status?batches=-1", "/api/status?syncs=100000"}) {
    EXPECT_THAT(ask("GET", target), StartsWith("HTTP/1.1 400")) << target;
  }
}

TEST_F(ConsoleTest, SyncsOnlyWithTheToken) {
  EXPECT_THAT(ask("POST", "/api/sync"), StartsWith("HTTP/1.1 401"));
  const std::string wrong = ask("POST", "/api/sync", "Leat-Token: the-console-tokem\r\n");
  EXPECT_THAT(wrong, StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(wrong, HasSubstr("in <data>/console_token"));
  const std::string answer = ask("POST", "/api/sync", "Leat-Token: the-console-token\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr(R"("batches":2)"));
  EXPECT_THAT(ask("GET", "/api/sync", "Leat-Token: the-console-token\r\n"),
              StartsWith("HTTP/1.1 405"));
}

TEST_F(ConsoleTest, ShowsTheHistoryOfSyncs) {
  EXPECT_THAT(ask("GET", "/api/history"), HasSubstr(R"({"syncs":[]})"));
  ask("POST", "/api/sync", "Leat-Token: the-console-token\r\n");
  const std::string answer = ask("GET", "/api/history?source=web&limit=5");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr(R"("outcome":"success","error":"","error_kind":"","times":1)"));
  EXPECT_THAT(answer, HasSubstr(R"("seconds":{"find":0)"));
  EXPECT_THAT(ask("GET", "/api/history?source=app"), HasSubstr(R"({"syncs":[]})"));
  EXPECT_THAT(ask("GET", "/api/history?limit=0"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET", "/api/history?offset=1"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("POST", "/api/history"), StartsWith("HTTP/1.1 405"));
}

TEST_F(ConsoleTest, PausesAndResumesOnlyWithTheToken) {
  constexpr std::string_view kToken = "Leat-Token: the-console-token\r\n";
  EXPECT_THAT(ask("POST", "/api/pause"), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(ask("GET", "/api/resume", kToken), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(ask("POST", "/api/pause?source=wep", kToken), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("POST", "/api/pause?sauce=web", kToken), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("POST", "/api/pause", kToken), HasSubstr(R"({"name":"web","paused_since":"2)"));
  EXPECT_THAT(ask("GET", "/api/status"), HasSubstr(R"("paused_by":"request")"));
  const std::string refused = ask("POST", "/api/sync?source=web", kToken);
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(refused, HasSubstr("leat resume --source web"));
  EXPECT_THAT(ask("POST", "/api/resume?source=web", kToken), HasSubstr(R"("paused_since":null)"));
  EXPECT_THAT(ask("POST", "/api/sync?source=web", kToken), StartsWith("HTTP/1.1 200"));
}

TEST_F(ConsoleTest, TellsWhySyncsFail) {
  sync_error_ = Error{Errc::kDenied, "wrong password; set it"};
  const std::string answer =
      ask("POST", "/api/sync?source=web", "Leat-Token: the-console-token\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(answer,
              HasSubstr(R"({"error":{"code":"denied","message":"wrong password; set it"}})"));
  EXPECT_THAT(ask("POST", "/api/sync?source=wep", "Leat-Token: the-console-token\r\n"),
              StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("POST", "/api/sync?sauce=web", "Leat-Token: the-console-token\r\n"),
              StartsWith("HTTP/1.1 400"));
}

TEST_F(ConsoleTest, StartsReplaysOnlyWithTheToken) {
  constexpr std::string_view kToken = "Leat-Token: the-console-token\r\n";
  for (const char* target : {"/api/replay?source=web", "/api/replay/stop?number=1"}) {
    EXPECT_THAT(ask("POST", target), StartsWith("HTTP/1.1 401")) << target;
    EXPECT_THAT(ask("GET", target, kToken), StartsWith("HTTP/1.1 405")) << target;
  }
  EXPECT_THAT(ask("POST", "/api/replay?source=web", kToken), HasSubstr("runs no replays"));
  EXPECT_THAT(ask("POST", "/api/replay?sauce=web", kToken), HasSubstr("unknown parameter"));
  EXPECT_THAT(ask("POST", "/api/replay/stop?number=1", kToken), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("GET", "/api/replays"), HasSubstr(R"({"replays":[]})"));
}

TEST_F(ConsoleTest, ShowsRescuedValuesOnlyWithTheToken) {
  constexpr std::string_view kToken = "Leat-Token: the-console-token\r\n";
  EXPECT_THAT(ask("GET", "/api/rescued"), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(ask("GET", "/api/rescued", kToken), StartsWith("HTTP/1.1 501"));
  console_.reset();
  options_.rescued = [](const std::string& source, const load::RescueQuery& query) {
    load::Rescued out;
    out.groups.push_back({.source = source, .reason = query.filter.reason, .values = 3});
    return Result<load::Rescued>(out);
  };
  EXPECT_THAT(ask("GET", "/api/rescued?source=web&reason=too_long", kToken),
              HasSubstr(R"("source":"web","table":null,"column":null,"reason":"too_long")"));
  EXPECT_THAT(ask("GET", "/api/rescued?rows=3", kToken), StartsWith("HTTP/1.1 400"));
}

TEST_F(ConsoleTest, RefusesOtherNamesForThisMachine) {
  EXPECT_THAT(ask("GET", "/api/status", "", "evil.example"), StartsWith("HTTP/1.1 421"));
  for (const char* host :
       {"localhost", "localhost:8081", "127.0.0.1:1", "[::1]:8081", "127.0.0.1"}) {
    EXPECT_THAT(ask("GET", "/healthz", "", host), StartsWith("HTTP/1.1 200")) << host;
  }
}

TEST_F(ConsoleTest, NeverGrantsOtherOrigins) {
  const std::string answer = ask("OPTIONS", "/api/sync", "Origin: http://evil.example\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(answer, Not(HasSubstr("Access-Control-Allow")));
}

TEST_F(ConsoleTest, AnswersHealthReadinessAndMetrics) {
  EXPECT_THAT(ask("GET", "/healthz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("GET", "/readyz"), StartsWith("HTTP/1.1 200"));
  ready_ = fail(Errc::kExhausted, "disk full; make room");
  const std::string not_ready = ask("GET", "/readyz");
  EXPECT_THAT(not_ready, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(not_ready, HasSubstr("disk full; make room"));
  registry_.counter("leat_test_total", "A test").add(3);
  EXPECT_THAT(ask("GET", "/metrics"), HasSubstr("leat_test_total 3"));
}

TEST_F(ConsoleTest, ServesThePage) {
  const std::string page = ask("GET", "/");
  EXPECT_THAT(page, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(page, HasSubstr("Content-Type: text/html; charset=utf-8"));
  EXPECT_THAT(page, HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(page, HasSubstr("<title>Leat</title>"));
  EXPECT_THAT(ask("GET", "/console.js"), HasSubstr("'use strict';"));
  EXPECT_THAT(ask("GET", "/console.css"), HasSubstr("text/css"));
  const auto at = page.find("ETag: ");
  ASSERT_NE(at, std::string::npos);
  const std::string etag = page.substr(at + 6, page.find("\r\n", at) - at - 6);
  EXPECT_THAT(ask("GET", "/", "If-None-Match: " + etag + "\r\n"), StartsWith("HTTP/1.1 304"));
  const std::string head = ask("HEAD", "/");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(head, Not(HasSubstr("<title>")));
  EXPECT_THAT(ask("GET", "/nothing"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("POST", "/"), StartsWith("HTTP/1.1 405"));
}

TEST_F(ConsoleTest, StopsWhileRequestsWait) {
  ask("GET", "/healthz");
  console_->stop();
  console_->stop();
}

TEST_F(ConsoleTest, NeedsAToken) {
  options_.token.clear();
  EXPECT_EQ(Console::start(options_).error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace leat::console
