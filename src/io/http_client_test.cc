#include "io/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "base/clock.h"
#include "io/http_test_server.h"

namespace leat::io {
namespace {

using Fault = TestReply::Fault;
using testing::HasSubstr;
using testing::Not;

std::unique_ptr<HttpClient> client() {
  auto out = HttpClient::open({});
  EXPECT_TRUE(out.has_value());
  return std::move(*out);
}

TEST(HttpClient, SendsAndReceivesEveryPart) {
  TestRequest seen;
  HttpTestServer server([&seen](const TestRequest& request) {
    seen = request;
    return TestReply{.status = 207, .headers = {{"X-A", " b "}, {"x-a", "c"}}, .body = "answer"};
  });
  const auto http = client();
  const auto reply = http->send({.method = "POST",
                                 .url = server.url("/a/../b/./c%2Fd?x=%20&y"),
                                 .headers = {{"X-One", "1"}, {"X-Empty", ""}},
                                 .body = "body"});
  ASSERT_TRUE(reply.has_value()) << reply.error().to_string();
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/a/../b/./c%2Fd?x=%20&y");
  EXPECT_EQ(seen.body, "body");
  EXPECT_EQ(seen.header("x-one"), "1");
  EXPECT_EQ(seen.header("host"), server.url().substr(7));
  EXPECT_EQ(seen.header("user-agent"), "leat");
  EXPECT_EQ(seen.header("content-type"), "");
  EXPECT_EQ(seen.header("expect"), "");
  EXPECT_EQ(reply->status, 207);
  EXPECT_EQ(reply->body, "answer");
  EXPECT_EQ(reply->header("X-a"), "b");
  EXPECT_FALSE(reply->header("x-b").has_value());
}

TEST(HttpClient, MethodsAndBodies) {
  std::vector<std::string> seen;
  HttpTestServer server([&seen](const TestRequest& request) {
    seen.push_back(request.method + " " + request.header("content-length") + " " + request.body);
    return TestReply{.status = request.method == "DELETE" ? 204 : 200, .body = "x"};
  });
  const auto http = client();
  for (const char* method : {"GET", "HEAD", "DELETE", "PUT", "POST"}) {
    const auto reply = http->send({.method = method, .url = server.url("/")});
    ASSERT_TRUE(reply.has_value()) << method << reply.error().to_string();
    EXPECT_EQ(reply->body, std::string_view(method) == "HEAD" || reply->status == 204 ? "" : "x");
  }
  EXPECT_THAT(seen, testing::ElementsAre("GET  ", "HEAD  ", "DELETE  ", "PUT 0 ", "POST 0 "));
  EXPECT_EQ(server.connections(), 1u);
  EXPECT_EQ(http->connections_opened(), 1u);
}

TEST(HttpClient, StreamsBothWays) {
  std::string got;
  const std::string large(3'000'000, 'q');
  HttpTestServer server([&](const TestRequest& request) {
    got = request.body;
    return TestReply{.body = large};
  });
  const auto http = client();
  std::uint64_t received = 0;
  const auto reply = http->send(
      {.method = "PUT",
       .url = server.url("/"),
       .body_reader = [](std::uint64_t offset, std::span<char> into) -> Result<std::size_t> {
         const std::size_t take = std::min<std::size_t>(into.size(), 777);
         for (std::size_t i = 0; i < take; ++i) {
           into[i] = static_cast<char>('a' + (offset + i) % 26);
         }
         return take;
       },
       .body_reader_bytes = 1'000'000,
       .sink = [&received](std::string_view piece) -> Status {
         received += piece.size();
         return {};
       }});
  ASSERT_TRUE(reply.has_value()) << reply.error().to_string();
  ASSERT_EQ(got.size(), 1'000'000u);
  EXPECT_EQ(got[999'999], static_cast<char>('a' + 999'999 % 26));
  EXPECT_EQ(received, large.size());
  EXPECT_TRUE(reply->body.empty());
}

TEST(HttpClient, ErrorsOfReaderAndSinkEndTheCall) {
  HttpTestServer server([](const TestRequest&) { return TestReply{.body = "abc"}; });
  const auto http = client();
  auto reply =
      http->send({.method = "PUT",
                  .url = server.url("/"),
                  .body_reader = [](std::uint64_t, std::span<char>) -> Result<std::size_t> {
                    return fail(Errc::kCorrupt, "torn");
                  },
                  .body_reader_bytes = 10});
  EXPECT_EQ(reply.error().message, "torn");
  reply = http->send({.url = server.url("/"), .sink = [](std::string_view) -> Status {
                        return fail(Errc::kExhausted, "full");
                      }});
  EXPECT_EQ(reply.error().message, "full");
  reply = http->send(
      {.method = "PUT",
       .url = server.url("/"),
       .body_reader = [](std::uint64_t, std::span<char>) -> Result<std::size_t> { return 0; },
       .body_reader_bytes = 10});
  EXPECT_EQ(reply.error().code, Errc::kBug);
  // The client is as good as before.
  EXPECT_EQ(http->send({.url = server.url("/")})->body, "abc");
}

// A sink takes good answers only: an error's text is for the caller.
TEST(HttpClient, SinkIsForSuccess) {
  HttpTestServer server(
      [](const TestRequest&) { return TestReply{.status = 404, .body = "<Error/>"}; });
  const auto reply =
      client()->send({.url = server.url("/"), .sink = [](std::string_view) -> Status {
                        return fail(Errc::kBug, "called");
                      }});
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->body, "<Error/>");
}

TEST(HttpClient, FollowsNothing) {
  HttpTestServer server([](const TestRequest&) {
    return TestReply{.status = 307, .headers = {{"Location", "http://127.0.0.1:1/"}}};
  });
  const auto reply = client()->send({.url = server.url("/")});
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->status, 307);
  EXPECT_EQ(server.requests(), 1u);
}

TEST(HttpClient, BreaksAreUnavailableAndNameTheUrlOnly) {
  for (const Fault fault : {Fault::kClose, Fault::kReset, Fault::kShortBody, Fault::kResetInBody}) {
    HttpTestServer server([fault](const TestRequest&) {
      return TestReply{.body = std::string(1000, 'x'), .fault = fault};
    });
    HttpFault found = HttpFault::kNone;
    const auto reply = client()->send({.url = server.url("/bucket/key?X-Amz-Signature=hidden"),
                                       .headers = {{"Authorization", "hidden"}}},
                                      &found);
    ASSERT_FALSE(reply.has_value()) << static_cast<int>(fault);
    EXPECT_EQ(reply.error().code, Errc::kUnavailable);
    EXPECT_EQ(found, HttpFault::kBroken);
    EXPECT_THAT(reply.error().message, HasSubstr(server.url("/bucket/key?...")));
    EXPECT_THAT(reply.error().message, Not(HasSubstr("hidden")));
  }
}

TEST(HttpClient, SlowServersMeetEachDeadline) {
  for (const Fault fault : {Fault::kSilent, Fault::kSilentInBody}) {
    HttpTestServer server([fault](const TestRequest&) {
      return TestReply{.body = std::string(1000, 'x'), .fault = fault};
    });
    const auto http = client();
    for (const bool stall : {true, false}) {
      HttpRequest request{.url = server.url("/")};
      (stall ? request.stall_timeout_us : request.timeout_us) = 50'000;
      HttpFault found = HttpFault::kNone;
      const std::int64_t start = system_clock().monotonic_us();
      const auto reply = http->send(request, &found);
      EXPECT_LT(system_clock().monotonic_us() - start, 10 * kUsPerSecond);
      ASSERT_FALSE(reply.has_value());
      EXPECT_EQ(reply.error().code, Errc::kUnavailable);
      EXPECT_EQ(found, HttpFault::kTimeout);
      EXPECT_THAT(reply.error().message, HasSubstr("in time"));
    }
  }
}

TEST(HttpClient, HugeAnswersMeetLimits) {
  HttpTestServer server([](const TestRequest& request) {
    if (request.target == "/line") {
      return TestReply{.headers = {{"X-Huge", std::string(200'000, 'h')}}};
    }
    if (request.target == "/lines") {
      return TestReply{.headers = std::vector<HttpHeader>(1000, {"X-Many", std::string(99, 'h')})};
    }
    return TestReply{.body = std::string(1001, 'b')};
  });
  const auto http = client();
  for (const char* target : {"/line", "/lines", "/body"}) {
    const auto reply = http->send({.url = server.url(target), .answer_bytes_max = 1000});
    ASSERT_FALSE(reply.has_value()) << target;
    EXPECT_EQ(reply.error().code, Errc::kExhausted) << reply.error().message;
    EXPECT_THAT(reply.error().message, HasSubstr(server.url(target)));
  }
}

TEST(HttpClient, UsesConnectionsAgainAndSurvivesTheirEnd) {
  HttpTestServer server([](const TestRequest& request) {
    return TestReply{.body = "x",
                     .fault = request.number % 2 == 0 ? Fault::kCloseAfter : Fault::kNone};
  });
  const auto http = client();
  for (int i = 0; i < 10; ++i) {
    const auto reply = http->send({.method = "PUT", .url = server.url("/"), .body = "body"});
    ASSERT_TRUE(reply.has_value()) << i << reply.error().to_string();
  }
  EXPECT_EQ(server.connections(), 5u);
  EXPECT_EQ(server.requests(), 10u);
}

TEST(HttpClient, ManyThreadsShareOneClient) {
  HttpTestServer server([](const TestRequest& request) { return TestReply{.body = request.body}; });
  const auto http = client();
  std::array<int, 8> good{};
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < good.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 25; ++i) {
          const std::string body = std::to_string(t * 1000 + static_cast<std::size_t>(i));
          const auto reply = http->send({.method = "PUT", .url = server.url("/"), .body = body});
          good[t] += reply && reply->body == body ? 1 : 0;
        }
      });
    }
  }
  EXPECT_THAT(good, testing::Each(25));
  EXPECT_LE(server.connections(), 8u);
}

TEST(HttpClient, StopEndsAWait) {
  std::stop_source stop;
  HttpTestServer server([&stop](const TestRequest&) {
    stop.request_stop();
    return TestReply{.fault = Fault::kSilent};
  });
  const auto reply = client()->send({.url = server.url("/"), .stop = stop.get_token()});
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, Errc::kAborted);
}

TEST(HttpClient, RefusesWhatCannotBeSent) {
  const auto http = client();
  for (const char* url : {"", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "nonsense"}) {
    HttpFault found = HttpFault::kNone;
    const auto reply = http->send({.url = url}, &found);
    ASSERT_FALSE(reply.has_value()) << url;
    EXPECT_NE(found, HttpFault::kNone);
    if (std::string_view(url) != "nonsense") {
      EXPECT_EQ(reply.error().code, Errc::kInvalid) << url;
    }
  }
  for (const HttpHeader& header :
       {HttpHeader{"X", "a\r\nY: b"}, HttpHeader{"X Y", "a"}, HttpHeader{"", "a"},
        HttpHeader{"X:", "a"}, HttpHeader{"X", std::string("a\0b", 3)}}) {
    EXPECT_EQ(http->send({.url = "http://127.0.0.1:1/", .headers = {header}}).error().code,
              Errc::kInvalid);
  }
  HttpFault found = HttpFault::kNone;
  const auto refused = http->send({.url = "http://user:hidden@127.0.0.1:1/a?b=hidden"}, &found);
  EXPECT_EQ(refused.error().code, Errc::kUnavailable);
  EXPECT_EQ(found, HttpFault::kConnect);
  EXPECT_THAT(refused.error().message, Not(HasSubstr("hidden")));
  EXPECT_EQ(HttpClient::open({.ca_bundle = "/nowhere.pem"}).error().code, Errc::kNotFound);
}

// TLS is spoken to a server that speaks none.
TEST(HttpClient, TlsToAPlainPort) {
  HttpTestServer server([](const TestRequest&) { return TestReply{}; });
  HttpFault found = HttpFault::kNone;
  std::string url = server.url("/");
  url.replace(0, 4, "https");
  const auto reply = client()->send({.url = url, .stall_timeout_us = 200'000}, &found);
  ASSERT_FALSE(reply.has_value());
  EXPECT_NE(found, HttpFault::kNone);
}

TEST(PrintableUrl, Table) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"https://h/p", "https://h/p"},
      {"https://h/p?a=b", "https://h/p?..."},
      {"https://user:pass@h:1/p", "https://h:1/p"},
      {"https://h/p@q", "https://h/p@q"},
      {"https://u:p@h?x@y", "https://h?..."},
      {"https://a@b@h/", "https://h/"},
      {"nonsense", "nonsense"},
      {"", ""},
  };
  for (const auto& [url, shown] : cases) EXPECT_EQ(printable_url(url), shown);
}

}  // namespace
}  // namespace leat::io
