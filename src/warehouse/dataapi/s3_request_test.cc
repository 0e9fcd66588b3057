#include "warehouse/dataapi/s3_request.h"

#include <gtest/gtest.h>

#include "aws/verify.h"
#include "io/object_store.h"

namespace leat::dataapi {
namespace {

HttpRequest request_of(std::string path, std::string query = "",
                       std::vector<std::pair<std::string, std::string>> headers = {}) {
  HttpRequest request;
  request.method = net::Method::kGet;
  request.path = std::move(path);
  request.query = std::move(query);
  request.headers = std::move(headers);
  return request;
}

TEST(S3Request, Targets) {
  struct Case {
    std::string path;
    std::string host;
    std::string bucket;
    std::string key;
  };
  const Case cases[] = {
      {"/", "127.0.0.1:8082", "", ""},
      {"/b-1", "127.0.0.1:8082", "b-1", ""},
      {"/b-1/", "127.0.0.1:8082", "b-1", ""},
      {"/b-1/dir/a%20b%2B%C3%A9.txt", "127.0.0.1:8082", "b-1", "dir/a b+\xc3\xa9.txt"},
      {"/b-1/a+b", "localhost:8082", "b-1", "a+b"},
      {"/dir/k", "b-1.localhost:8082", "b-1", "dir/k"},
      {"/", "b-1.localhost", "b-1", ""},
  };
  for (const Case& each : cases) {
    const S3Target target = s3_target(request_of(each.path, "", {{"Host", each.host}}));
    EXPECT_EQ(target.bucket, each.bucket) << each.path << " " << each.host;
    EXPECT_EQ(target.key, each.key) << each.path << " " << each.host;
  }
  const S3Target target = s3_target(request_of("/b/k", "uploads&x-id=A&prefix=a%20b%2Fc"));
  EXPECT_TRUE(target.has("uploads"));
  EXPECT_EQ(target.value("prefix"), "a b/c");
  EXPECT_EQ(target.value("none"), "");
  EXPECT_EQ(target.uri(), "s3://b/k");
}

TEST(S3Request, Ranges) {
  struct Case {
    std::string header;
    std::uint64_t size;
    std::optional<ByteRange> range;
  };
  const Case cases[] = {
      {"", 10, std::nullopt},
      {"bytes=0-4", 10, ByteRange{0, 5}},
      {"bytes=3-", 10, ByteRange{3, 7}},
      {"bytes=-4", 10, ByteRange{6, 4}},
      {"bytes=-40", 10, ByteRange{0, 10}},
      {"bytes=9-99", 10, ByteRange{9, 1}},
      {"bytes=4-3", 10, std::nullopt},
      {"bytes=0-1,3-4", 10, std::nullopt},
      {"bytes=-", 10, std::nullopt},
      {"bytes=a-b", 10, std::nullopt},
      {"bytes=1-b", 10, std::nullopt},
      {"bytes=18446744073709551616-", 10, std::nullopt},
      {"bytes=0-18446744073709551615", 10, ByteRange{0, 10}},
      {"lines=0-4", 10, std::nullopt},
  };
  for (const Case& each : cases) {
    const auto range = parse_range(each.header, each.size);
    ASSERT_TRUE(range) << each.header;
    EXPECT_EQ(*range, each.range) << each.header;
  }
  for (const char* beyond : {"bytes=10-", "bytes=10-20", "bytes=-0"}) {
    EXPECT_EQ(parse_range(beyond, 10).error().code, Errc::kInvalid) << beyond;
  }
  EXPECT_FALSE(parse_range("bytes=0-", 0));
  EXPECT_FALSE(parse_range("bytes=-1", 0));
}

TEST(S3Request, Conditions) {
  const io::ObjectInfo info{
      .uri = "s3://b/k", .size = 1, .etag = "e1", .modified = TimeUs{1'000'000'500'000}};
  const std::string etag = "\"" + s3_etag("e1") + "\"";
  const std::string same = "Mon, 12 Jan 1970 13:46:40 GMT";
  const std::string earlier = "Mon, 12 Jan 1970 13:46:39 GMT";
  struct Case {
    std::vector<std::pair<std::string, std::string>> headers;
    int status;
  };
  const Case cases[] = {
      {{}, 0},
      {{{"If-Match", etag}}, 0},
      {{{"If-Match", "\"x\", " + etag}}, 0},
      {{{"If-Match", "*"}}, 0},
      {{{"If-Match", "\"x\""}}, 412},
      {{{"If-None-Match", etag}}, 304},
      {{{"If-None-Match", "W/" + etag}}, 304},
      {{{"If-None-Match", "\"x\""}}, 0},
      {{{"If-Modified-Since", same}}, 304},
      {{{"If-Modified-Since", earlier}}, 0},
      {{{"If-Modified-Since", "nonsense"}}, 0},
      {{{"If-Unmodified-Since", same}}, 0},
      {{{"If-Unmodified-Since", earlier}}, 412},
      {{{"If-Match", etag}, {"If-Unmodified-Since", earlier}}, 0},
      {{{"If-None-Match", "\"x\""}, {"If-Modified-Since", same}}, 0},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(failed_condition(request_of("/b/k", "", each.headers), info), each.status)
        << (each.headers.empty() ? "" : each.headers.front().first + each.headers.front().second);
  }
}

TEST(S3Request, Bodies) {
  aws::Verified verified;
  HttpRequest request = request_of("/b/k");
  std::string decoded;
  const auto read = [&](const std::vector<std::pair<std::string, std::string>>& headers) {
    request.headers = headers;
    const auto bytes = s3_body(request, verified, decoded);
    return bytes ? std::string(*bytes) : bytes.error().name;
  };
  request.body = "hello";
  EXPECT_EQ(read({}), "hello");
  EXPECT_EQ(read({{"Content-MD5", "XUFAKrxLKna5cZ2REBfFkg=="},
                  {"x-amz-checksum-crc32", "NhCmhg=="},
                  {"x-amz-checksum-algorithm", "CRC32"}}),
            "hello");
  EXPECT_EQ(read({{"Content-MD5", "XUFAKrxLKna5cZ2REBfFkh=="}}), "BadDigest");
  EXPECT_EQ(read({{"x-amz-checksum-crc32", "NhCmhh=="}}), "BadDigest");
  EXPECT_EQ(read({{"x-amz-checksum-xxhash3", "x"}}), "NotImplemented");
  // As current SDKs send what they stream.
  verified.payload = aws::PayloadKind::kChunksUnsigned;
  const std::string text = std::string(100, 'a') + std::string(50, 'b');
  request.body = "64\r\n" + std::string(100, 'a') + "\r\n32\r\n" + std::string(50, 'b') +
                 "\r\n0\r\nx-amz-checksum-crc32:PDlvaA==\r\n\r\n";
  EXPECT_EQ(read({{"x-amz-decoded-content-length", "150"}}), text);
  EXPECT_EQ(read({{"x-amz-decoded-content-length", "151"}}), "IncompleteBody");
  request.body.replace(request.body.find("PDlv"), 4, "AAAA");
  EXPECT_EQ(read({}), "BadDigest");
  request.body = "64\r\nshort";
  EXPECT_EQ(read({}), "IncompleteBody");
}

}  // namespace
}  // namespace leat::dataapi
