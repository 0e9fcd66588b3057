#include "net/http_head.h"

#include <gtest/gtest.h>

#include <string>

namespace leat::net {
namespace {

constexpr std::string_view kHost = "Host: a\r\n";

int status_of(std::string_view bytes, Head& head) {
  const auto refusal = parse_head(bytes, 100, head);
  return refusal ? refusal->status : 200;
}

TEST(ParseHead, ReadsAnOrdinaryHead) {
  Head head;
  const std::string bytes =
      "POST /v1/batch/?writeKey=k%20x HTTP/1.1\r\nHost: a\r\nContent-Length: "
      "12\r\nX-Empty:\r\nuser-AGENT:  x y \r\n\r\n";
  ASSERT_EQ(status_of(bytes, head), 200);
  const RequestView request = head.view();
  EXPECT_EQ(request.method, Method::kPost);
  EXPECT_EQ(request.path, "/v1/batch/");
  EXPECT_EQ(request.query, "writeKey=k%20x");
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(request.header("User-Agent"), "x y");
  EXPECT_EQ(request.header("x-empty"), "");
  EXPECT_EQ(request.header("nothing"), std::nullopt);
}

TEST(ParseHead, KeepAliveFollowsVersionAndConnection) {
  Head head;
  ASSERT_EQ(status_of("GET / HTTP/1.0\r\n\r\n", head), 200);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(status_of("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", head), 200);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.http_1_0);
  ASSERT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n", head), 200);
  EXPECT_FALSE(head.keep_alive);
}

TEST(ParseHead, RefusesWhatTwoServersCouldReadInTwoWays) {
  struct Case {
    const char* head;
    int status;
  };
  const Case cases[] = {
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
       "chunked\r\n\r\n",
       400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\n X: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/0.9\r\n\r\n", 505},
      {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nExpect: cookies\r\n\r\n", 417},
  };
  Head head;
  for (const Case& c : cases) EXPECT_EQ(status_of(c.head, head), c.status) << c.head;
  EXPECT_EQ(status_of(std::string_view("GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n", 35), head),
            400);
  EXPECT_EQ(status_of(std::string_view("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28), head), 400);
}

TEST(ParseHead, LimitsTheNumberOfHeaders) {
  Head head;
  std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 100; ++i) bytes += "X: y\r\n";
  EXPECT_EQ(status_of(bytes + "\r\n", head), 431);
}

TEST(FindHeadEnd, DoesNotReadOldBytesAgain) {
  std::size_t scanned = 0;
  const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody";
  for (std::size_t size = 0; size < bytes.size() - 4; ++size) {
    EXPECT_EQ(find_head_end(std::string_view(bytes).substr(0, size), scanned), 0U);
    EXPECT_LE(size, scanned + 3);
  }
  EXPECT_EQ(find_head_end(bytes, scanned), bytes.size() - 4);
}

TEST(ChunkedReader, DecodesWhateverThePieces) {
  const std::string head =
      "POST / HTTP/1.1\r\n" + std::string(kHost) + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string coded =
      "5\r\nhello\r\n1;name=\"v\"\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nNEXT";
  for (std::size_t step = 1; step <= coded.size(); ++step) {
    ChunkedReader reader(head, 1000, 1000);
    std::string unread;
    std::size_t given = 0;
    while (!reader.done()) {
      ASSERT_LT(given, coded.size()) << step;
      unread += coded.substr(given, step);
      given = std::min(given + step, coded.size());
      std::size_t consumed = 0;
      ASSERT_FALSE(reader.feed(unread, consumed)) << step;
      unread.erase(0, consumed);
    }
    EXPECT_EQ(reader.body(), "hello 0123456789");
    EXPECT_EQ(unread + coded.substr(given), "NEXT") << step;
  }
}

TEST(ChunkedReader, RefusesBrokenAndLargeBodies) {
  const std::string head =
      "POST / HTTP/1.1\r\n" + std::string(kHost) + "Transfer-Encoding: chunked\r\n\r\n";
  struct Case {
    std::string coded;
    int status;
  };
  const Case cases[] = {
      {"x\r\n", 400},
      {"5\nhello\r\n", 400},
      {"-1\r\n", 400},
      {"5\r\nhelloXX\r\n", 400},
      {"FFFFFFFFFFFFFFFFFF\r\n", 400},
      {"65\r\n", 413},
      {"64\r\n" + std::string(100, 'a') + "\r\n1\r\n", 413},
      {"FFFFFFFFFFFFFFFF\r\n", 413},
      {"1;" + std::string(2000, 'x'), 400},
      {"0\r\nX: " + std::string(2000, 'x'), 400},
      {"0\r\nbroken trailer\r\n\r\n", 400},
  };
  for (const Case& c : cases) {
    ChunkedReader reader(head, 100, 1000);
    std::size_t consumed = 0;
    const auto refusal = reader.feed(c.coded, consumed);
    ASSERT_TRUE(refusal) << c.coded.substr(0, 40);
    EXPECT_EQ(refusal->status, c.status) << c.coded.substr(0, 40);
  }
}

}  // namespace
}  // namespace leat::net
