// Routes, pixel, client and rate limit: the pure pieces around a request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.h"
#include "pipeline/collect/client.h"
#include "pipeline/collect/pixel.h"
#include "pipeline/collect/rate_limit.h"
#include "pipeline/collect/replies.h"
#include "pipeline/collect/routes.h"

namespace leat::collect {
namespace {

using event::EventType;
using testing::HasSubstr;

TEST(RouteOf, KnowsEveryRouteWithAndWithoutVersionAndSlash) {
  struct Case {
    const char* path = nullptr;
    RouteKind kind = RouteKind::kEvent;
    EventType type = EventType::kNone;
    bool client_side = false;
  };
  const Case cases[] = {
      {"track", RouteKind::kEvent, EventType::kTrack},
      {"identify", RouteKind::kEvent, EventType::kIdentify},
      {"page", RouteKind::kEvent, EventType::kPage},
      {"screen", RouteKind::kEvent, EventType::kScreen},
      {"group", RouteKind::kEvent, EventType::kGroup},
      {"alias", RouteKind::kEvent, EventType::kAlias},
      {"t", RouteKind::kEvent, EventType::kTrack},
      {"i", RouteKind::kEvent, EventType::kIdentify},
      {"p", RouteKind::kEvent, EventType::kPage},
      {"s", RouteKind::kEvent, EventType::kScreen},
      {"g", RouteKind::kEvent, EventType::kGroup},
      {"a", RouteKind::kEvent, EventType::kAlias},
      {"batch", RouteKind::kBatch},
      {"b", RouteKind::kBatch},
      {"import", RouteKind::kBatch},
      {"m", RouteKind::kTelemetry},
      {"pixel/track", RouteKind::kPixel, EventType::kTrack, true},
      {"pixel/identify", RouteKind::kPixel, EventType::kIdentify, true},
      {"pixel/group", RouteKind::kPixel, EventType::kGroup, true},
      {"pixel/alias", RouteKind::kPixel, EventType::kAlias, true},
      {"pixel/page", RouteKind::kPixel, EventType::kPage, true},
      {"pixel/screen", RouteKind::kPixel, EventType::kScreen, true},
      {"pixel/v1/track", RouteKind::kPixel, EventType::kTrack, true},
      {"beacon/v1/batch", RouteKind::kBatch, EventType::kNone, true},
      {"projects/abc%20d/settings", RouteKind::kSettings},
      {"health", RouteKind::kHealth},
      {"ready", RouteKind::kReady},
      {"metrics", RouteKind::kMetrics},
  };
  for (const Case& c : cases) {
    for (const char* prefix : {"/", "/v1/"}) {
      for (const char* slash : {"", "/"}) {
        const std::string path = std::string(prefix) + c.path + slash;
        const Route route = route_of(path);
        EXPECT_EQ(route.kind, c.kind) << path;
        EXPECT_EQ(route.type, c.type) << path;
        EXPECT_EQ(route.client_side, c.client_side) << path;
        EXPECT_EQ(route.write_key, c.kind == RouteKind::kSettings ? "abc%20d" : "");
      }
    }
  }
  for (const char* path : {"",
                           "/",
                           "*",
                           "/v1",
                           "/v1/",
                           "/v2/track",
                           "/v1/Track",
                           "/v1/track//",
                           "/v1/v1/track",
                           "/v1/x",
                           "/pixel",
                           "/pixel/",
                           "/pixel/batch",
                           "/pixel/t",
                           "/projects//settings",
                           "/projects/a/b/settings",
                           "/projects/a",
                           "/projects/settings",
                           "/tracks",
                           "//track",
                           "/beacon"}) {
    EXPECT_EQ(route_of(path).kind, RouteKind::kUnknown) << path;
  }
}

TEST(EventOfQuery, ReadsFlatParametersAsNestedStrings) {
  EXPECT_EQ(
      event_of_query("userId=u&event=Email%20Opened&properties.subject=Hi+you&properties.email=a%"
                     "40b&writeKey=k"),
      R"({"event":"Email Opened","properties":{"email":"a@b","subject":"Hi you"},)"
      R"("userId":"u","writeKey":"k"})");
  EXPECT_EQ(event_of_query("a.b.c=1&a.d=&x=%22"), R"({"a":{"b":{"c":"1"},"d":""},"x":"\""})");
  EXPECT_EQ(event_of_query("a=1&a=2"), R"({"a":"2"})");
  for (const char* bad : {"", "a=1&a.b=2", "a.b=2&a=1", ".=1", "a.=1", "a..b=1", "a=%ff", "%ff=1",
                          "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q=1"}) {
    EXPECT_EQ(event_of_query(bad), std::nullopt) << bad;
  }
}

TEST(EventOfQuery, ReadsBase64InBothAlphabetsPaddedOrNot) {
  const std::string event = R"({"event":"???>>>","userId":"u"})";
  const std::string standard = to_base64(event);
  ASSERT_THAT(standard, HasSubstr("+"));
  std::string url_safe = standard;
  for (char& c : url_safe) c = c == '+' ? '-' : c == '/' ? '_' : c;
  for (std::string data : {standard, url_safe}) {
    EXPECT_EQ(event_of_query("data=" + data), event) << data;
    while (data.ends_with('=')) data.pop_back();
    EXPECT_EQ(event_of_query("x=1&data=" + data), event) << data;
  }
  EXPECT_EQ(event_of_query("data=%%%"), std::nullopt);
  EXPECT_EQ(event_of_query("data=a"), std::nullopt);
}

TEST(PixelImage, IsTheDocumentedGif) {
  EXPECT_EQ(to_hex(pixel_image()),
            "47494638396101000100800000000000000000"
            "21f904010000000"
            "02c00000000010001000002024401003b");
  EXPECT_EQ(pixel_image().size(), 43U);
}

net::RequestView request_with(const std::vector<net::HeaderView>& headers) {
  net::RequestView request;
  request.headers = headers;
  request.peer = *net::parse_ip_address("10.0.0.1");
  return request;
}

TEST(BasicWriteKey, ReadsTheUserNameWithAndWithoutColon) {
  struct Case {
    const char* header;
    const char* key;
  };
  const Case cases[] = {
      {"Basic YWJjMTIzOg==", "abc123"},
      {"basic YWJjMTIzOg", "abc123"},
      {"Basic YWJjMTIz", "abc123"},
      {"Basic  YWJjMTIzOg== ", "abc123"},
      {"Basic YWJjMTIzOnB3", "abc123"},
      {"Bearer YWJjMTIzOg==", ""},
      {"Basic", ""},
      {"Basic !!!", ""},
      {"", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(basic_write_key(c.header), c.key) << c.header;
}

TEST(QueryWriteKey, IsDecoded) {
  EXPECT_EQ(query_write_key("a=1&writeKey=k%2B1"), "k+1");
  EXPECT_EQ(query_write_key("writekey=k"), "");
  EXPECT_EQ(query_write_key(""), "");
}

TEST(ClientAddress, BelievesForwardedForOnlyFromTrustedProxies) {
  const std::vector<net::IpNetwork> trusted = {*net::parse_ip_network("10.0.0.0/8")};
  struct Case {
    std::vector<net::HeaderView> headers;
    const char* address;
  };
  const Case cases[] = {
      {{}, "10.0.0.1"},
      {{{"X-Forwarded-For", "203.0.113.9"}}, "203.0.113.9"},
      {{{"X-Forwarded-For", "6.6.6.6, 203.0.113.9, 10.2.3.4"}}, "203.0.113.9"},
      {{{"X-Forwarded-For", "6.6.6.6"}, {"x-forwarded-for", "203.0.113.9"}}, "203.0.113.9"},
      {{{"X-Forwarded-For", "10.9.9.9"}}, "10.9.9.9"},
      {{{"X-Forwarded-For", "203.0.113.9, nonsense, 10.2.3.4"}}, "10.2.3.4"},
      {{{"X-Forwarded-For", ""}}, "10.0.0.1"},
      {{{"X-Forwarded-For", "2001:db8::1"}}, "2001:db8::1"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(client_address(request_with(c.headers), trusted).to_string(), c.address);
    EXPECT_EQ(client_address(request_with(c.headers), {}).to_string(), "10.0.0.1");
  }
}

TEST(RateLimit, LetsTheAverageThroughAndTellsHowLongToWait) {
  RateLimit limit(100);
  std::int64_t now = 1'000'000'000;
  EXPECT_EQ(limit.wait_seconds(now), 0);
  limit.take(350);  // a batch may go into debt
  EXPECT_EQ(limit.wait_seconds(now), 3);
  now += 2'000'000;
  EXPECT_EQ(limit.wait_seconds(now), 1);
  now += 600'000;
  EXPECT_EQ(limit.wait_seconds(now), 0);
  now += 3'600'000'000;  // an hour saves up one second's worth only
  EXPECT_EQ(limit.wait_seconds(now), 0);
  limit.take(100);
  EXPECT_EQ(limit.wait_seconds(now), 1);
  RateLimit none;
  none.take(1'000'000);
  EXPECT_EQ(none.wait_seconds(now), 0);
}

TEST(Preflight, EchoesOnlyListsOfHeaderNames) {
  const auto allowed = [](std::string_view asked) {
    const std::vector<net::HeaderView> headers = {{"Origin", "https://a"},
                                                  {"Access-Control-Request-Headers", asked}};
    return preflight(request_with(headers)).headers;
  };
  EXPECT_THAT(allowed("authorization,x-retry-count"),
              HasSubstr("Access-Control-Allow-Headers: authorization,x-retry-count\r\n"));
  EXPECT_THAT(
      allowed("a\"b"),
      HasSubstr("Access-Control-Allow-Headers: Content-Type, Content-Encoding, Authorization, "
                "X-Retry-Count"));
  EXPECT_THAT(allowed(std::string(2000, 'a')),
              HasSubstr("Access-Control-Allow-Headers: Content-Type"));
}

}  // namespace
}  // namespace leat::collect
