#include "net/http_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/text.h"
#include "net/http_test_client.h"

namespace leat::net {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// `good` bytes of "0123456789" over and over, and then no more.
class Digits final : public BodySource {
 public:
  explicit Digits(std::uint64_t good) : good_(good) {}
  std::size_t read(std::uint64_t offset, std::span<char> into) override {
    std::size_t done = 0;
    for (; done < into.size() && offset + done < good_; ++done) {
      into[done] = static_cast<char>('0' + (offset + done) % 10);
    }
    return done;
  }

 private:
  std::uint64_t good_;
};

/// Echoes; /source?N answers N bytes read while they are sent, /short one that ends too early;
/// /later answers at the next turn; /keep keeps the exchange until /release, which answers all that
/// are kept; /hold puts requests back until /open.
class TestHandler final : public Handler {
 public:
  explicit TestHandler(Loop& loop) : loop_(loop) {}

  void on_request(const RequestView& request, Exchange exchange) override {
    if (request.path == "/later") {
      loop_.run_after(0,
                      [moved = std::move(exchange), body = std::string(request.query)]() mutable {
                        moved.reply({.body = body});
                      });
      return;
    }
    if (request.path == "/keep") {
      kept_.emplace_back(std::move(exchange), request.query);
      return;
    }
    if (request.path == "/release") {
      for (auto& [one, body] : kept_) one.reply({.body = body});
      kept_.clear();
    }
    if (request.path == "/hold" && !open_) {
      held_.push_back(exchange.hold());
      return;
    }
    if (request.path == "/open" || request.path == "/ajar") {
      open_ = request.path == "/open";
      loop_.run_after(0, [this] {
        for (HeldRequest& one : std::exchange(held_, {})) resumed_ += one.resume() ? 1 : 0;
      });
    }
    if (request.path == "/resumed") {
      exchange.reply({.body = std::to_string(resumed_)});
      return;
    }
    if (request.path == "/forget") return;
    if (request.path == "/thread") {
      std::thread([moved = std::move(exchange)]() mutable {
        moved.reply({.body = "from a thread"});
      }).detach();
      return;
    }
    if (request.path == "/large") {
      exchange.reply({.body = std::string(8 << 20, 'x')});
      return;
    }
    if (request.path == "/source" || request.path == "/short") {
      const auto bytes = parse_number<std::uint64_t>(request.query).value_or(0);
      const bool whole = request.path == "/source";
      exchange.reply(
          {.source = std::make_unique<Digits>(whole ? bytes : bytes - 1), .source_bytes = bytes});
      return;
    }
    if (request.path == "/nothing") {
      exchange.reply({.status = 204, .headers = "X-Nothing: 1\r\n"});
      return;
    }
    exchange.reply(
        {.content_type = "text/plain",
         .body = fmt::format("{} {} [{}] {}", request.method_text, request.target,
                             request.body.size() > 100 ? std::to_string(request.body.size())
                                                       : std::string(request.body),
                             request.peer.to_string())});
  }

 private:
  Loop& loop_;
  std::vector<std::pair<Exchange, std::string>> kept_;
  std::vector<HeldRequest> held_;
  bool open_ = false;
  int resumed_ = 0;
};

HttpOptions small_options() {
  HttpOptions options;
  options.listen = {"127.0.0.1", 0};
  options.head_bytes_max = 1024;
  options.body_bytes_max = 1000;
  options.linger_us = 200'000;
  return options;
}

std::unique_ptr<HttpServer> serve(HttpOptions options) {
  auto server = HttpServer::start(
      std::move(options), [](Loop& loop, unsigned) { return std::make_unique<TestHandler>(loop); });
  EXPECT_TRUE(server) << (server ? "" : server.error().message);
  return std::move(*server);
}

/// The server still answers.
void expect_alive(const HttpServer& server) {
  EXPECT_THAT(ask(server.local(), get("/alive")), HasSubstr("GET /alive [] "));
}

std::string digits(std::size_t count) {
  std::string text(count, '\0');
  Digits all(count);
  EXPECT_EQ(all.read(0, text), count);
  return text;
}

TEST(HttpServer, ReadsBodiesWhileTheyAreSent) {
  const auto server = serve(small_options());
  Stream stream = connect(server->local());
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{256} * 1024,
                                  std::size_t{20} * 1024 * 1024 + 7}) {
    // The answer after it waits for its end.
    ASSERT_TRUE(stream.write_all(get(fmt::format("/source?{}", bytes)) + get("/behind"), soon()));
    const std::string answer = read_answer(stream);
    EXPECT_THAT(answer.substr(0, 300), HasSubstr(fmt::format("Content-Length: {}\r\n", bytes)));
    const std::string body = answer.substr(answer.find("\r\n\r\n") + 4);
    EXPECT_EQ(body.size(), bytes);
    EXPECT_TRUE(body == digits(bytes));
    EXPECT_THAT(read_answer(stream), HasSubstr("GET /behind [] "));
  }
  // HEAD tells the length alone.
  ASSERT_TRUE(stream.write_all(get("/source?12345", "", "HEAD") + get("/behind"), soon()));
  std::string head;
  std::array<char, 1> byte{};
  while (!head.ends_with("\r\n\r\n") && stream.read_exactly(byte, soon())) head += byte[0];
  EXPECT_THAT(head, HasSubstr("Content-Length: 12345\r\n"));
  EXPECT_THAT(read_answer(stream), HasSubstr("GET /behind [] "));
}

TEST(HttpServer, CutsABodyWhoseSourceFails) {
  const auto server = serve(small_options());
  Stream stream = connect(server->local());
  ASSERT_TRUE(stream.write_all(get("/short?1000000") + get("/behind"), soon()));
  const std::string answer = read_all(stream);
  EXPECT_THAT(answer.substr(0, 300), HasSubstr("Content-Length: 1000000\r\n"));
  EXPECT_LT(answer.size(), 1'000'000U);
  EXPECT_THAT(answer.substr(answer.size() - 10), Not(HasSubstr("behind")));
  expect_alive(*server);
}

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  const auto server = serve(small_options());
  Stream stream = connect(server->local());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(
        stream.write_all("POST /x?y HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody", soon()));
    const std::string answer = read_answer(stream);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
    EXPECT_THAT(answer, HasSubstr("GMT\r\nContent-Type: text/plain\r\nContent-Length: "));
    EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nPOST /x?y [body] 127.0.0.1"));
  }
}

TEST(HttpServer, ReadsARequestWhateverThePieces) {
  const auto server = serve(small_options());
  const std::string request =
      "\r\nPOST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody"
      "POST /b HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nch\r\n3\r\nunk\r\n0\r\n\r\n";
  for (const std::size_t step : {1UL, 2UL, 3UL, 7UL, 50UL, 1000UL}) {
    Stream stream = connect(server->local());
    for (std::size_t at = 0; at < request.size(); at += step) {
      ASSERT_TRUE(stream.write_all(request.substr(at, step), soon()));
    }
    EXPECT_THAT(read_answer(stream), HasSubstr("POST /a [body]"));
    EXPECT_THAT(read_answer(stream), HasSubstr("POST /b [chunk]"));
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  HttpOptions options = small_options();
  options.pipeline_max = 4;
  const auto server = serve(options);
  Stream stream = connect(server->local());
  std::string requests;
  for (int i = 0; i < 100; ++i)
    requests += get(fmt::format("{}?{}", i % 3 == 0 ? "/later" : "/now", i));
  ASSERT_TRUE(stream.write_all(requests, soon()));
  for (int i = 0; i < 100; ++i) {
    const std::string wanted =
        i % 3 == 0 ? fmt::format("\r\n\r\n{}", i) : fmt::format("/now?{} ", i);
    ASSERT_THAT(read_answer(stream), HasSubstr(wanted)) << i;
  }
}

TEST(HttpServer, HoldsBackAnswersUntilThoseBeforeAreGiven) {
  const auto server = serve(small_options());
  Stream stream = connect(server->local());
  ASSERT_TRUE(
      stream.write_all(get("/keep?1") + get("/now") + get("/keep?2") + get("/release"), soon()));
  EXPECT_THAT(read_answer(stream), testing::EndsWith("\r\n\r\n1"));
  EXPECT_THAT(read_answer(stream), HasSubstr("GET /now"));
  EXPECT_THAT(read_answer(stream), testing::EndsWith("\r\n\r\n2"));
  EXPECT_THAT(read_answer(stream), HasSubstr("GET /release"));
}

TEST(HttpServer, AnswersFromAnotherThreadAndForAForgetfulHandler) {
  const auto server = serve(small_options());
  EXPECT_THAT(ask(server->local(), get("/thread")), HasSubstr("from a thread"));
  EXPECT_THAT(ask(server->local(), get("/forget")), StartsWith("HTTP/1.1 500 "));
}

TEST(HttpServer, SendsLargeAnswersToSlowReadersAndReadsTheirNextRequestLater) {
  HttpOptions options = small_options();
  options.output_bytes_max = 1000;
  const auto server = serve(options);
  Stream stream = connect(server->local());
  ASSERT_TRUE(stream.write_all(get("/large") + get("/large") + get("/end"), soon()));
  EXPECT_EQ(read_answer(stream).size() >> 20, 8U);
  EXPECT_EQ(read_answer(stream).size() >> 20, 8U);
  EXPECT_THAT(read_answer(stream), HasSubstr("GET /end"));
}

TEST(HttpServer, KnowsHeadAnd204AndHttp10) {
  const auto server = serve(small_options());
  Stream stream = connect(server->local());
  ASSERT_TRUE(stream.write_all(
      "HEAD /x HTTP/1.1\r\nHost: t\r\n\r\n" + get("/nothing") +
          "GET /10 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /10 HTTP/1.0\r\n\r\n",
      soon()));
  const std::string all = read_all(stream);
  EXPECT_THAT(all, Not(HasSubstr("HEAD /x")));
  EXPECT_THAT(all, HasSubstr("HTTP/1.1 204 No Content\r\nDate: "));
  EXPECT_THAT(all, HasSubstr("X-Nothing: 1\r\n\r\nHTTP/1.1 200"));
  EXPECT_THAT(all, HasSubstr("Connection: keep-alive\r\n\r\nGET /10 []"));
  EXPECT_THAT(all, HasSubstr("Connection: close\r\n\r\nGET /10 []"));
}

TEST(HttpServer, SendsContinueOnlyWhenTheBodyIsAwaited) {
  const auto server = serve(small_options());
  Stream stream = connect(server->local());
  const std::string head =
      "POST /c HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  ASSERT_TRUE(stream.write_all(head, soon()));
  EXPECT_EQ(read_answer(stream), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(stream.write_all("ab", soon()));
  EXPECT_THAT(read_answer(stream), HasSubstr("POST /c [ab]"));
  ASSERT_TRUE(stream.write_all(head + "cd", soon()));
  EXPECT_THAT(read_answer(stream), HasSubstr("POST /c [cd]"));
  // An empty body too: Amazon's clients take an answer without it for the connection's last.
  const std::string empty =
      "PUT /e HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n";
  ASSERT_TRUE(stream.write_all(empty + head + "ef", soon()));
  EXPECT_EQ(read_answer(stream), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(read_answer(stream), HasSubstr("PUT /e []"));
  EXPECT_THAT(read_answer(stream), HasSubstr("POST /c [ef]"));
}

TEST(HttpServer, RefusesBadRequestsAndGoesOn) {
  const auto server = serve(small_options());
  struct Case {
    std::string request;
    int status;
  };
  const Case cases[] = {
      {std::string("\x16\x03\x01\x02\x00\x01", 6), 400},  // a TLS hello
      {std::string("\0\0\0\0", 4), 400},
      {"{\"batch\":[]}", 400},
      {"GET /\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/3.0\r\nHost: t\r\n\r\n", 505},
      {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody", 400},
      {"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 18446744073709551615\r\n\r\n", 413},
      {"GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(2000, 'x'), 431},
      {"GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(2000, 'x') + "\r\n\r\n", 431},
  };
  for (const Case& c : cases) {
    Stream stream = connect(server->local());
    ASSERT_TRUE(stream.write_all(c.request, soon()));
    const std::string answer = read_all(stream);
    EXPECT_THAT(answer, StartsWith(fmt::format("HTTP/1.1 {} ", c.status)))
        << c.request.substr(0, 80);
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("HTTP/1.1 200")));
    expect_alive(*server);
  }
}

TEST(HttpServer, TheAnswerToARefusalArrivesThoughTheClientGoesOnSending) {
  const auto server = serve(small_options());
  Stream stream = connect(server->local());
  ASSERT_TRUE(
      stream.write_all("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4000000\r\n\r\n", soon()));
  // The server reads and drops; nothing here may be reset before the answer is read.
  EXPECT_TRUE(stream.write_all(std::string(4'000'000, 'x'), soon()));
  EXPECT_THAT(read_all(stream), StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServer, RequestsBehindARefusedOneAreNotServed) {
  const auto server = serve(small_options());
  Stream stream = connect(server->local());
  ASSERT_TRUE(stream.write_all(
      get("/first") +
          "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"
          "\r\n0\r\n\r\n" +
          get("/smuggled"),
      soon()));
  const std::string all = read_all(stream);
  EXPECT_THAT(all, HasSubstr("GET /first"));
  EXPECT_THAT(all, HasSubstr("HTTP/1.1 400 "));
  EXPECT_THAT(all, Not(HasSubstr("smuggled")));
}

TEST(HttpServer, AnswersAHalfClosedClientAndThenCloses) {
  const auto server = serve(small_options());
  for (const char* path : {"/now", "/later?x"}) {
    Stream stream = connect(server->local());
    ASSERT_TRUE(stream.write_all(get(path), soon()));
    stream.finish_writing();
    EXPECT_THAT(read_all(stream), StartsWith("HTTP/1.1 200 "));
  }
  Stream cut = connect(server->local());
  ASSERT_TRUE(
      cut.write_all("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf", soon()));
  cut.finish_writing();
  EXPECT_THAT(read_all(cut), StartsWith("HTTP/1.1 400 "));
  Stream silent = connect(server->local());
  silent.finish_writing();
  EXPECT_EQ(read_all(silent), "");
}

TEST(HttpServer, TimesOutSlowClients) {
  struct Case {
    std::string sent;
    std::string_view answer;
  };
  const Case cases[] = {
      {"", ""},
      {"GET / HT", "HTTP/1.1 408 "},
      {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf", "HTTP/1.1 408 "},
      {"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", "HTTP/1.1 408 "},
  };
  HttpOptions options = small_options();
  options.idle_timeout_us = options.head_timeout_us = options.body_timeout_us = 20'000;
  const auto server = serve(options);
  for (const Case& c : cases) {
    Stream stream = connect(server->local());
    ASSERT_TRUE(stream.write_all(c.sent, soon()));
    const std::string all = read_all(stream);
    EXPECT_EQ(all.substr(0, c.answer.size()), c.answer) << c.sent;
    EXPECT_EQ(all.empty(), c.answer.empty()) << all;
  }
}

TEST(HttpServer, ADrippingHeadDoesNotRenewItsTime) {
  HttpOptions options = small_options();
  options.head_timeout_us = 50'000;
  const auto server = serve(options);
  Stream stream = connect(server->local());
  ASSERT_TRUE(stream.write_all("GET / HTTP/1.1\r\nX: ", soon()));
  // One byte whenever the last has gone; without a fixed limit this would go on until the head is
  // too large.
  const Deadline limit = soon();
  std::array<char, 4096> answer{};
  std::size_t got = 0;
  while (got == 0 && limit.left_us() > 0) {
    if (!stream.write_all("x", soon())) break;
    const auto count = stream.read_some(answer, Deadline::after_us(5'000));
    got = count.value_or(0);
  }
  EXPECT_THAT(std::string(answer.data(), got), StartsWith("HTTP/1.1 408 "));
}

TEST(HttpServer, ClosesAClientThatDoesNotReadItsAnswer) {
  HttpOptions options = small_options();
  options.write_timeout_us = 20'000;
  metrics::Registry registry;
  options.registry = &registry;
  const auto server = serve(options);
  Stream stream = connect(server->local());
  ASSERT_TRUE(stream.write_all(get("/large") + get("/large"), soon()));
  const Deadline limit = soon();
  auto& timeouts = registry.counter("leat_net_timeouts_total", "", {{"server", "http"}});
  while (timeouts.value() == 0 && limit.left_us() > 0) std::this_thread::yield();
  EXPECT_EQ(timeouts.value(), 1U);
}

TEST(HttpServer, TurnsConnectionsAwayAboveTheLimitAndTakesThemAgainBelow) {
  HttpOptions options = small_options();
  options.connections_max = 2;
  metrics::Registry registry;
  options.registry = &registry;
  const auto server = serve(options);
  {
    Stream one = connect(server->local());
    Stream two = connect(server->local());
    ASSERT_TRUE(one.write_all(get("/1"), soon()));
    read_answer(one);
    ASSERT_TRUE(two.write_all(get("/2"), soon()));
    read_answer(two);
    Stream three = connect(server->local());
    EXPECT_THAT(read_all(three),
                AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 1\r\n")));
  }
  EXPECT_EQ(
      registry.counter("leat_net_connections_refused_total", "", {{"server", "http"}}).value(), 1U);
  const Deadline limit = soon();
  std::string answer;
  while (!answer.starts_with("HTTP/1.1 200") && limit.left_us() > 0) {
    Stream again = connect(server->local());
    static_cast<void>(again.write_all(get("/again"), soon()));
    answer = read_answer(again);
  }
  EXPECT_THAT(answer, HasSubstr("GET /again"));
}

TEST(HttpServer, StopFinishesWhatIsAskedAndEndsIdleConnections) {
  auto server = serve(small_options());
  Stream idle = connect(server->local());
  ASSERT_TRUE(idle.write_all(get("/idle"), soon()));
  read_answer(idle);
  Stream busy = connect(server->local());
  ASSERT_TRUE(busy.write_all(get("/keep?kept"), soon()));
  Stream releaser = connect(server->local());
  ASSERT_TRUE(
      releaser.write_all("POST /release HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\n", soon()));
  // The held request has been read when a later one on another connection has been answered.
  expect_alive(*server);
  std::thread stopper([&] { server->stop(soon()); });
  EXPECT_EQ(read_all(idle), "");
  ASSERT_TRUE(releaser.write_all("x", soon()));
  EXPECT_THAT(read_all(releaser), HasSubstr("Connection: close\r\n\r\nPOST /release"));
  EXPECT_THAT(read_all(busy), HasSubstr("Connection: close\r\n\r\nkept"));
  stopper.join();
  EXPECT_FALSE(Stream::connect(server->local(), soon()));
}

TEST(HttpServer, StopEndsEverythingAtItsDeadline) {
  auto server = serve(small_options());
  Stream busy = connect(server->local());
  ASSERT_TRUE(busy.write_all(get("/keep?kept"), soon()));
  expect_alive(*server);
  server->stop(Deadline::after_us(10'000));
  const std::string all = read_all(busy);
  EXPECT_THAT(all, Not(HasSubstr("200 OK")));
}

TEST(HttpServer, AHeldRequestIsGivenAgainWhole) {
  const std::string chunked =
      "POST /hold?chunks HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nch\r\n3\r\nunk\r\n0\r\n\r\n";
  HttpOptions options = small_options();
  options.head_timeout_us = options.body_timeout_us = options.idle_timeout_us = 200'000;
  for (const std::size_t step : {1UL, 7UL, 1000UL}) {
    const auto server = serve(options);
    Stream stream = connect(server->local());
    const std::string requests = post("/hold?length", "body") + chunked + get("/behind") +
                                 get("/hold?last", "Connection: close\r\n") + get("/never");
    for (std::size_t at = 0; at < requests.size(); at += step) {
      ASSERT_TRUE(stream.write_all(requests.substr(at, step), soon()));
    }
    // Neither time nor being resumed in vain brings an answer; the others are served.
    for (int i = 0; i < 3; ++i) EXPECT_THAT(ask(server->local(), get("/ajar")), HasSubstr("200"));
    EXPECT_FALSE(stream.readable());
    Stream idle = connect(server->local());
    EXPECT_EQ(read_all(idle), "");  // timed out
    EXPECT_FALSE(stream.readable());
    EXPECT_THAT(ask(server->local(), get("/open")), HasSubstr("200"));
    EXPECT_THAT(read_answer(stream), HasSubstr("POST /hold?length [body]"));
    EXPECT_THAT(read_answer(stream), HasSubstr("POST /hold?chunks [chunk]"));
    EXPECT_THAT(read_answer(stream), HasSubstr("GET /behind"));
    const std::string rest = read_all(stream);
    EXPECT_THAT(rest, HasSubstr("GET /hold?last"));
    EXPECT_THAT(rest, Not(HasSubstr("never")));
  }
}

TEST(HttpServer, AHeldRequestOfAClientThatIsGoneIsDropped) {
  const auto server = serve(small_options());
  {
    Stream stream = connect(server->local());
    ASSERT_TRUE(stream.write_all(get("/hold"), soon()));
    expect_alive(*server);
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(stream.native(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  expect_alive(*server);
  EXPECT_THAT(ask(server->local(), get("/open")), HasSubstr("200"));
  EXPECT_THAT(ask(server->local(), get("/resumed")), testing::EndsWith("\r\n\r\n0"));
}

TEST(HttpServer, StopRefusesWhatIsStillHeld) {
  auto server = serve(small_options());
  Stream stream = connect(server->local());
  ASSERT_TRUE(stream.write_all(get("/now") + get("/hold") + get("/behind"), soon()));
  expect_alive(*server);
  server->stop(Deadline::after_us(10'000));
  EXPECT_THAT(read_answer(stream), HasSubstr("GET /now"));
  EXPECT_THAT(read_answer(stream), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(read_all(stream), Not(HasSubstr("behind")));
  EXPECT_FALSE(Stream::connect(server->local(), soon()));
}

TEST(HttpServer, ServesOnSeveralLoopsThatShareOnePort) {
  HttpOptions options = small_options();
  options.loops = 3;
  const auto server = serve(options);
  std::vector<std::thread> clients;
  std::atomic<int> answered = 0;
  for (int t = 0; t < 8; ++t) {
    clients.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        if (ask(server->local(), get("/x")).find("GET /x") != std::string::npos) ++answered;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, 160);
}

TEST(HttpServer, DoesNotShareItsPortWithAnotherServer) {
  HttpOptions options = small_options();
  options.loops = 2;
  const auto server = serve(options);
  options.listen = server->local();
  const auto second = HttpServer::start(
      options, [](Loop& loop, unsigned) { return std::make_unique<TestHandler>(loop); });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kConflict);
}

TEST(HttpServer, SpeaksTls) {
  const auto certificate = make_self_signed_certificate({.valid_from = system_clock().now()});
  HttpOptions options = small_options();
  options.tls = *TlsContext::for_server(*certificate);
  options.head_timeout_us = 5'000'000;
  const auto server = serve(options);
  const auto trusting = TlsContext::for_client(certificate->chain_pem);
  Stream stream = connect(server->local());
  ASSERT_TRUE(stream.connect_tls(*trusting, "localhost", soon()));
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += get(fmt::format("/{}", i));
  ASSERT_TRUE(stream.write_all(requests, soon()));
  for (int i = 0; i < 50; ++i)
    ASSERT_THAT(read_answer(stream), HasSubstr(fmt::format("GET /{} []", i)));
  ASSERT_TRUE(stream.write_all(get("/large"), soon()));
  EXPECT_EQ(read_answer(stream).size() >> 20, 8U);
  ASSERT_TRUE(
      stream.write_all("GET /last HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", soon()));
  EXPECT_THAT(read_all(stream), HasSubstr("GET /last"));
  // Plain text to a TLS port ends that connection only.
  Stream plain = connect(server->local());
  ASSERT_TRUE(plain.write_all(get("/"), soon()));
  EXPECT_THAT(read_all(plain), Not(HasSubstr("200 OK")));
  Stream other = connect(server->local());
  EXPECT_TRUE(other.connect_tls(*trusting, "localhost", soon()));
}

TEST(HttpServer, SurvivesClientsThatResetAtAnyByte) {
  const auto server = serve(small_options());
  const std::string request =
      "POST /later?x HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody" + get("/large");
  for (std::size_t size = 0; size <= request.size(); ++size) {
    Stream stream = connect(server->local());
    ASSERT_TRUE(stream.write_all(request.substr(0, size), soon()));
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(stream.native(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  expect_alive(*server);
}

}  // namespace
}  // namespace leat::net
