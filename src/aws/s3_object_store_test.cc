// The store against a server whose answers are written here: what a real one cannot be made to do
// on command. The same store against a real server: tests/s3.
#include "aws/s3_object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "aws/sigv4.h"
#include "base/digest.h"
#include "base/text.h"
#include "io/http_test_server.h"

namespace leat::aws {
namespace {

using io::HttpTestServer;
using io::TestReply;
using io::TestRequest;
using testing::HasSubstr;
using testing::Not;
using Fault = TestReply::Fault;

constexpr std::string_view kSecretKey = "SECRETKEYSECRETKEY";
constexpr std::string_view kToken = "TOKENTOKENTOKEN";

TestReply error_reply(int status, const std::string& code, const std::string& more = "") {
  return {.status = status,
          .headers = {{"Content-Type", "application/xml"}},
          .body = "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>said</Message>" +
                  more + "</Error>"};
}

// Credentials that change when they are called expired.
class ChangingCredentials final : public CredentialSource {
 public:
  Result<Credentials> get() override {
    return Credentials{
        .secret = {"AKID" + std::to_string(expired_), std::string(kSecretKey), std::string(kToken)},
        .source = "a test"};
  }
  void expire(const Credentials& /*credentials*/) override { ++expired_; }

 private:
  int expired_ = 0;
};

class S3StoreTest : public testing::Test {
 protected:
  void serve(HttpTestServer::Answer answer) {
    server_ = std::make_unique<HttpTestServer>(std::move(answer));
    http_ = std::move(*io::HttpClient::open({}));
    S3Options options;
    options.http = http_.get();
    options.credentials = &credentials_;
    options.region = "eu-west-1";
    options.endpoint = server_->url();
    options.clock = &clock_;
    options.random = &random_;
    options.wait = [this](std::int64_t us) { waits_.push_back(us); };
    options.metrics = &metrics_;
    options.multipart_bytes_min = 12U << 20U;
    options.part_bytes = 5U << 20U;
    change_(options);
    auto store = S3ObjectStore::open(options);
    ASSERT_TRUE(store.has_value()) << store.error().to_string();
    store_ = std::move(*store);
  }

  FakeClock clock_{*parse_iso8601("2026-11-20T12:00:00Z")};
  SeededRandom random_{1};
  metrics::Registry metrics_;
  ChangingCredentials credentials_;
  std::function<void(S3Options&)> change_ = [](S3Options&) {};
  std::vector<std::int64_t> waits_;
  std::unique_ptr<HttpTestServer> server_;
  std::unique_ptr<io::HttpClient> http_;
  std::unique_ptr<S3ObjectStore> store_;
};

TEST_F(S3StoreTest, WritesTheRequestThatS3Wants) {
  TestRequest seen;
  change_ = [](S3Options& options) {
    options.encryption = "aws:kms";
    options.kms_key = "key/1";
  };
  serve([&seen](const TestRequest& request) {
    seen = request;
    return TestReply{.headers = {{"ETag", "\"abc\""}}};
  });
  const auto put = store_->put("s3://leat/raw/source=web/h\xc3\xa9 +.zst", "hello");
  ASSERT_TRUE(put.has_value()) << put.error().to_string();
  EXPECT_EQ(put->etag, "abc");
  EXPECT_EQ(put->size, 5u);
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.target, "/leat/raw/source%3Dweb/h%C3%A9%20%2B.zst");
  EXPECT_EQ(seen.body, "hello");
  EXPECT_EQ(seen.header("x-amz-content-sha256"), to_hex(sha256("hello")));
  EXPECT_EQ(seen.header("x-amz-date"), "20261120T120000Z");
  EXPECT_EQ(seen.header("x-amz-security-token"), kToken);
  EXPECT_EQ(seen.header("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(seen.header("x-amz-server-side-encryption-aws-kms-key-id"), "key/1");
  EXPECT_EQ(seen.header("if-none-match"), "");
  EXPECT_THAT(seen.header("authorization"),
              HasSubstr("Credential=AKID0/20261120/eu-west-1/s3/aws4_request, SignedHeaders=host;"
                        "x-amz-content-sha256;x-amz-date;x-amz-security-token;"
                        "x-amz-server-side-encryption;"
                        "x-amz-server-side-encryption-aws-kms-key-id, "));
}

TEST_F(S3StoreTest, TriesAgainAfterEveryPassingFailure) {
  const std::vector<TestReply> failures = {error_reply(500, "InternalError"),
                                           error_reply(503, "SlowDown"),
                                           error_reply(503, "ServiceUnavailable"),
                                           error_reply(400, "RequestTimeout"),
                                           error_reply(409, "ConditionalRequestConflict"),
                                           {.status = 502, .body = "<html>bad gateway"},
                                           {.fault = Fault::kReset},
                                           {.fault = Fault::kClose},
                                           {.body = "xx", .fault = Fault::kShortBody},
                                           {.body = "xx", .fault = Fault::kResetInBody}};
  for (const TestReply& failure : failures) {
    int calls = 0;
    serve([&](const TestRequest&) {
      return ++calls <= 4 ? failure : TestReply{.headers = {{"ETag", "\"e\""}}};
    });
    waits_.clear();
    const auto put = store_->put("s3://leat/a", "x");
    ASSERT_TRUE(put.has_value()) << put.error().to_string();
    EXPECT_EQ(calls, 5) << failure.body;
    EXPECT_EQ(waits_.size(), 4u);
    const bool throttled = failure.body.find("SlowDown") != std::string::npos;
    for (std::size_t i = 0; i < waits_.size(); ++i) {
      EXPECT_LE(waits_[i], (throttled ? 500'000 : 100'000) << i);
    }
  }
}

TEST_F(S3StoreTest, GivesUpAfterItsAttempts) {
  int calls = 0;
  TestReply failure = error_reply(503, "SlowDown");
  serve([&](const TestRequest&) {
    ++calls;
    return failure;
  });
  auto put = store_->put("s3://leat/a", "x");
  EXPECT_EQ(put.error().code, Errc::kExhausted) << put.error().message;
  EXPECT_EQ(calls, 5);
  failure = error_reply(500, "InternalError");
  EXPECT_EQ(store_->get("s3://leat/a").error().code, Errc::kUnavailable);
  failure = {.fault = Fault::kClose};
  put = store_->put("s3://leat/a", "x");
  EXPECT_EQ(put.error().code, Errc::kUnavailable);
  EXPECT_THAT(put.error().message, HasSubstr("tried 5 times"));
  // What will not pass is not tried again.
  failure = error_reply(403, "AccessDenied");
  calls = 0;
  put = store_->put("s3://leat/a", "x");
  EXPECT_EQ(put.error().code, Errc::kDenied);
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(put.error().message, HasSubstr("s3:PutObject"));
}

// A server that is down does not get five times the requests for long.
TEST_F(S3StoreTest, QuotaEndsRetriesOfADeadServer) {
  int calls = 0;
  serve([&calls](const TestRequest&) {
    ++calls;
    return error_reply(500, "InternalError");
  });
  for (int i = 0; i < 200; ++i) EXPECT_FALSE(store_->head("s3://leat/a").has_value());
  EXPECT_EQ(calls, 200 + 500 / 5);
}

TEST_F(S3StoreTest, HonoursRetryAfter) {
  int calls = 0;
  serve([&calls](const TestRequest&) {
    TestReply reply = error_reply(503, "SlowDown");
    reply.headers.push_back({"Retry-After", "7"});
    return ++calls == 1 ? reply : TestReply{.body = "x"};
  });
  ASSERT_TRUE(store_->get("s3://leat/a").has_value());
  ASSERT_EQ(waits_.size(), 1u);
  EXPECT_EQ(waits_[0], 7 * kUsPerSecond);
}

TEST_F(S3StoreTest, FollowsABucketToItsRegionOnce) {
  TestReply bare{.status = 301, .headers = {{"x-amz-bucket-region", "us-west-2"}}};
  const std::vector<TestReply> cases = {
      error_reply(400, "AuthorizationHeaderMalformed", "<Region>us-west-2</Region>"),
      bare,
      {.status = 400, .headers = {{"x-amz-bucket-region", "us-west-2"}}}};
  for (const TestReply& refusal : cases) {
    std::vector<std::string> regions;
    serve([&](const TestRequest& request) {
      const std::string authorization = request.header("authorization");
      const auto parts = split(authorization, '/');
      regions.emplace_back(parts[2]);
      return parts[2] == "us-west-2" ? TestReply{.body = "x"} : refusal;
    });
    EXPECT_TRUE(store_->get("s3://leat/a").has_value());
    EXPECT_TRUE(store_->get("s3://leat/b").has_value());
    EXPECT_THAT(regions, testing::ElementsAre("eu-west-1", "us-west-2", "us-west-2"));
    EXPECT_TRUE(waits_.empty());
  }
  // A server that always points elsewhere.
  int calls = 0;
  serve([&](const TestRequest&) {
    ++calls;
    return TestReply{.status = 301,
                     .headers = {{"x-amz-bucket-region", "r-" + std::to_string(calls)}}};
  });
  EXPECT_EQ(store_->head("s3://leat/a").error().code, Errc::kInvalid);
  EXPECT_EQ(calls, 2);
}

TEST_F(S3StoreTest, CorrectsAWrongClock) {
  const TimeUs server_time{clock_.now().value + 3 * kUsPerHour};
  int refused = 0;
  serve([&](const TestRequest& request) {
    const TimeUs signed_at = *parse_amz_date(request.header("x-amz-date"));
    TestReply reply;
    if (std::abs(signed_at.value - server_time.value) > 15 * kUsPerMinute) {
      ++refused;
      reply = request.method == "HEAD" ? TestReply{.status = 403}
                                       : error_reply(403, "RequestTimeTooSkewed");
    }
    reply.headers.push_back({"Date", format_http_date(server_time)});
    return reply;
  });
  EXPECT_TRUE(store_->put("s3://leat/a", "x").has_value());
  EXPECT_EQ(refused, 1);
  EXPECT_TRUE(store_->put("s3://leat/a", "x").has_value());
  EXPECT_EQ(refused, 1);
  clock_.advance_us(-6 * kUsPerHour);
  EXPECT_TRUE(store_->head("s3://leat/a").has_value());
  EXPECT_EQ(refused, 2);
}

TEST_F(S3StoreTest, RefreshesExpiredKeysOnce) {
  serve([](const TestRequest& request) {
    return request.header("authorization").find("AKID1") != std::string::npos
               ? TestReply{.body = "x"}
               : error_reply(400, "ExpiredToken");
  });
  EXPECT_TRUE(store_->get("s3://leat/a").has_value());
  int calls = 0;
  serve([&calls](const TestRequest&) {
    ++calls;
    return error_reply(400, "ExpiredToken");
  });
  const auto get = store_->get("s3://leat/a");
  EXPECT_EQ(get.error().code, Errc::kDenied);
  EXPECT_THAT(get.error().message, HasSubstr("a test"));
  EXPECT_EQ(calls, 2);
}

// The answer of the put that made the object is lost: the condition then fails on the put's own
// object.
TEST_F(S3StoreTest, KnowsItsOwnConditionalPut) {
  std::map<std::string, std::string> objects;
  bool by_another = false;
  serve([&](const TestRequest& request) {
    if (request.method == "HEAD") {
      return TestReply{.headers = {{"x-amz-meta-leat-put", objects[request.target]}}};
    }
    const std::string token = request.header("x-amz-meta-leat-put");
    EXPECT_EQ(request.header("if-none-match"), "*");
    if (objects.contains(request.target)) return error_reply(412, "PreconditionFailed");
    objects[request.target] = by_another ? "other" : token;
    return TestReply{.fault = Fault::kReset};
  });
  EXPECT_TRUE(store_->put("s3://leat/a", "x", {.if_none_match = true}).has_value());
  EXPECT_EQ(store_->put("s3://leat/a", "x", {.if_none_match = true}).error().code, Errc::kConflict);
  by_another = true;
  EXPECT_EQ(store_->put("s3://leat/b", "x", {.if_none_match = true}).error().code, Errc::kConflict);
}

TEST_F(S3StoreTest, SaysWhenTheServerLacksConditions) {
  serve([](const TestRequest&) { return error_reply(501, "NotImplemented"); });
  EXPECT_EQ(store_->put("s3://leat/a", "x", {.if_none_match = true}).error().code,
            Errc::kUnsupported);
}

// Another program listens there, or a proxy in front.
TEST_F(S3StoreTest, SaysWhenTheServerIsNoneOfS3) {
  for (const int status : {404, 405}) {
    serve([status](const TestRequest&) { return TestReply{.status = status, .body = "no page"}; });
    const auto listed = store_->list("s3://leat/a/", {});
    ASSERT_FALSE(listed.has_value());
    EXPECT_THAT(listed.error().message, testing::HasSubstr("endpoint speaks S3's protocol"));
  }
}

// A server that keeps parts: enough of multipart to fail it at every request.
class PartServer {
 public:
  TestReply operator()(const TestRequest& request) {
    ++requests;
    if (requests == fail_at) return failure;
    const bool complete = request.method == "POST" && request.target.find("uploadId=") != kNone;
    if (request.method == "POST" && request.target.find("uploads=") != kNone) {
      token = request.header("x-amz-meta-leat-put");
      open = true;
      return {.body =
                  "<InitiateMultipartUploadResult><UploadId>u 1</UploadId>"
                  "</InitiateMultipartUploadResult>"};
    }
    if (complete && !open) return error_reply(404, "NoSuchUpload");
    if (complete) {
      open = false;
      object.clear();
      for (const auto& [number, bytes] : parts) object += bytes;
      if (requests == lose_at) return {.fault = Fault::kReset};
      if (requests == hide_error_at) {
        open = true;
        object.clear();
        return error_reply(200, "InternalError");
      }
      return {.body =
                  "<CompleteMultipartUploadResult><ETag>\"e-3\"</ETag>"
                  "</CompleteMultipartUploadResult>"};
    }
    if (request.method == "PUT") {
      const std::size_t at = request.target.find("partNumber=") + 11;
      const int number = std::stoi(request.target.substr(at));
      EXPECT_THAT(request.target, HasSubstr("uploadId=u%201"));
      parts[number] = request.body;
      return {.headers = {{"ETag", "\"p" + std::to_string(number) + "\""}}};
    }
    if (request.method == "DELETE") {
      open = false;
      aborted = true;
      return {.status = 204};
    }
    return {.headers = {{"x-amz-meta-leat-put", token}}};
  }

  static constexpr std::size_t kNone = std::string::npos;
  int requests = 0;
  int fail_at = 0;
  int lose_at = 0;
  int hide_error_at = 0;
  TestReply failure = error_reply(403, "AccessDenied");
  bool open = false;
  bool aborted = false;
  std::string token;
  std::map<int, std::string> parts;
  std::string object;
};

std::string large_bytes() {
  std::string out(13U << 20U, '\0');
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(i * 7 % 251);
  return out;
}

TEST_F(S3StoreTest, LargeObjectsGoInPartsAndFailAtEachRequest) {
  const std::string bytes = large_bytes();
  // Begin, three parts, complete.
  for (int fail_at = 0; fail_at <= 5; ++fail_at) {
    PartServer parts;
    parts.fail_at = fail_at;
    serve([&parts](const TestRequest& request) { return parts(request); });
    const auto put = store_->put("s3://leat/a", bytes);
    EXPECT_EQ(put.has_value(), fail_at == 0) << fail_at;
    EXPECT_EQ(parts.aborted, fail_at >= 2) << fail_at;
    EXPECT_FALSE(parts.open);
    if (put) {
      EXPECT_EQ(put->etag, "e-3");
      EXPECT_TRUE(parts.object == bytes);
      EXPECT_EQ(parts.parts.size(), 3u);
    } else {
      EXPECT_EQ(put.error().code, Errc::kDenied);
      EXPECT_TRUE(parts.object.empty());
    }
  }
  // The same failures, passing: nothing is seen of them.
  for (int fail_at = 1; fail_at <= 5; ++fail_at) {
    for (const TestReply& failure :
         {error_reply(503, "SlowDown"), TestReply{.fault = Fault::kReset}}) {
      PartServer parts;
      parts.fail_at = fail_at;
      parts.failure = failure;
      serve([&parts](const TestRequest& request) { return parts(request); });
      EXPECT_TRUE(store_->put("s3://leat/a", bytes).has_value()) << fail_at;
      EXPECT_TRUE(parts.object == bytes);
    }
  }
}

TEST_F(S3StoreTest, CompletionThatWasLostOrHidAnError) {
  const std::string bytes = large_bytes();
  PartServer lost;
  lost.lose_at = 5;
  serve([&lost](const TestRequest& request) { return lost(request); });
  EXPECT_TRUE(store_->put("s3://leat/a", bytes).has_value());
  EXPECT_TRUE(lost.object == bytes);
  EXPECT_FALSE(lost.aborted);

  PartServer hidden;
  hidden.hide_error_at = 5;
  serve([&hidden](const TestRequest& request) { return hidden(request); });
  EXPECT_TRUE(store_->put("s3://leat/a", bytes).has_value());
  EXPECT_TRUE(hidden.object == bytes);
  EXPECT_EQ(hidden.requests, 6);
}

// Serves one object by ranges.
TestReply ranged(const TestRequest& request, const std::string& object, const std::string& etag) {
  if (!request.header("if-match").empty() && request.header("if-match") != etag) {
    return error_reply(412, "PreconditionFailed");
  }
  const std::string range = request.header("range");
  EXPECT_TRUE(range.starts_with("bytes="));
  const std::size_t dash = range.find('-');
  const std::size_t begin = std::stoul(range.substr(6, dash - 6));
  const std::size_t end = std::min(object.size(), std::stoul(range.substr(dash + 1)) + 1);
  if (begin >= object.size()) return error_reply(416, "InvalidRange");
  return {.status = 206,
          .headers = {{"ETag", etag},
                      {"Content-Range", "bytes " + std::to_string(begin) + "-" +
                                            std::to_string(end - 1) + "/" +
                                            std::to_string(object.size())}},
          .body = object.substr(begin, end - begin)};
}

TEST_F(S3StoreTest, LargeObjectsComeInRanges) {
  const std::string object = large_bytes();
  int calls = 0;
  int fault_at = 0;
  serve([&](const TestRequest& request) {
    TestReply reply = ranged(request, object, "\"e\"");
    if (++calls == fault_at) reply.fault = Fault::kResetInBody;
    return reply;
  });
  EXPECT_TRUE(store_->get("s3://leat/a").value() == object);
  EXPECT_EQ(calls, 3);
  EXPECT_TRUE(store_->get_range("s3://leat/a", 1, 12U << 20U).value() ==
              object.substr(1, 12U << 20U));
  EXPECT_TRUE(store_->get_range("s3://leat/a", 100, 5).value() == object.substr(100, 5));
  EXPECT_TRUE(store_->get_range("s3://leat/a", object.size() - 3, 100).value() ==
              object.substr(object.size() - 3));
  EXPECT_EQ(store_->get_range("s3://leat/a", object.size(), 100).value(), "");
  EXPECT_EQ(store_->get("s3://leat/a", 1000).error().code, Errc::kExhausted);
  for (fault_at = 1; fault_at <= 3; ++fault_at) {
    calls = 0;
    EXPECT_TRUE(store_->get("s3://leat/a").value() == object) << fault_at;
  }
}

TEST_F(S3StoreTest, ObjectReplacedWhileItIsRead) {
  const std::string first = large_bytes();
  const std::string second(11U << 20U, 'n');
  int calls = 0;
  bool always = false;
  serve([&](const TestRequest& request) {
    ++calls;
    const bool is_first = always ? calls % 2 == 1 : calls == 1;
    return ranged(request, is_first ? first : second,
                  always ? "\"e" + std::to_string(calls) + "\"" : (is_first ? "\"a\"" : "\"b\""));
  });
  EXPECT_TRUE(store_->get("s3://leat/a").value() == second);
  always = true;
  EXPECT_EQ(store_->get("s3://leat/a").error().code, Errc::kUnavailable);
}

TEST_F(S3StoreTest, AServerThatPassesOverRange) {
  serve([](const TestRequest&) { return TestReply{.body = "0123456789"}; });
  EXPECT_EQ(store_->get("s3://leat/a").value(), "0123456789");
  EXPECT_EQ(store_->get_range("s3://leat/a", 2, 3).value(), "234");
  EXPECT_EQ(store_->get_range("s3://leat/a", 10, 3).value(), "");
  EXPECT_EQ(store_->get("s3://leat/a", 5).error().code, Errc::kExhausted);
}

TEST_F(S3StoreTest, DeletesInBatches) {
  std::vector<TestRequest> seen;
  std::string answer = "<DeleteResult/>";
  serve([&](const TestRequest& request) {
    seen.push_back(request);
    return TestReply{.body = answer};
  });
  std::vector<std::string> uris;
  for (int i = 0; i < 2500; ++i) uris.push_back("s3://leat/k" + std::to_string(i));
  uris.emplace_back("s3://other/<k>");
  EXPECT_TRUE(store_->remove_all(uris).has_value());
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].target, "/leat?delete=");
  EXPECT_EQ(seen[3].target, "/other?delete=");
  EXPECT_THAT(seen[3].body, HasSubstr("<Key>&lt;k&gt;</Key>"));
  const auto digest = md5(seen[3].body);
  EXPECT_EQ(seen[3].header("content-md5"),
            to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()}));
  answer = "<DeleteResult><Error><Key>k7</Key><Code>AccessDenied</Code></Error></DeleteResult>";
  const auto denied = store_->remove_all(uris);
  EXPECT_EQ(denied.error().code, Errc::kDenied);
  EXPECT_THAT(denied.error().message, HasSubstr("s3://leat/k7"));
}

TEST_F(S3StoreTest, NoMessageHoldsASecret) {
  int status = 0;
  std::string code;
  serve([&](const TestRequest&) { return error_reply(status, code); });
  const std::vector<std::pair<int, std::string>> answers = {
      {403, "AccessDenied"},         {403, "SignatureDoesNotMatch"}, {403, "InvalidAccessKeyId"},
      {400, "ExpiredToken"},         {404, "NoSuchBucket"},          {404, "NoSuchKey"},
      {501, "NotImplemented"},       {500, "InternalError"},         {503, "SlowDown"},
      {403, "RequestTimeTooSkewed"}, {301, "PermanentRedirect"},     {418, "Unheard"}};
  for (const auto& [one, name] : answers) {
    status = one;
    code = name;
    for (const Error& error :
         {store_->put("s3://leat/a", "x").error(), store_->get("s3://leat/a").error(),
          store_->list("s3://leat/").error(), store_->head("s3://leat/a").error()}) {
      EXPECT_THAT(error.message, Not(HasSubstr(std::string(kSecretKey))));
      EXPECT_THAT(error.message, Not(HasSubstr(std::string(kToken))));
      EXPECT_THAT(error.message, HasSubstr("s3://leat/"));
    }
  }
}

TEST_F(S3StoreTest, Check) {
  std::map<std::string, std::string> objects;
  bool conditional = true;
  serve([&](const TestRequest& request) {
    if (request.target.find("list-type") != std::string::npos) {
      return TestReply{.body = "<ListBucketResult/>"};
    }
    if (request.method == "DELETE") {
      objects.erase(request.target);
      return TestReply{.status = 204};
    }
    if (request.method == "PUT") {
      if (conditional && objects.contains(request.target)) {
        return error_reply(412, "PreconditionFailed");
      }
      objects[request.target] = request.body;
      return TestReply{};
    }
    return TestReply{.body = objects[request.target]};
  });
  for (const StoreCheck& check : store_->check("leat")) {
    EXPECT_TRUE(check.status.has_value()) << check.name << check.status.error().to_string();
  }
  EXPECT_TRUE(objects.empty());
  conditional = false;
  const auto checks = store_->check("leat");
  EXPECT_EQ(checks[3].status.error().code, Errc::kUnsupported);
  EXPECT_TRUE(objects.empty());
}

TEST_F(S3StoreTest, Addresses) {
  std::vector<std::string> hosts;
  change_ = [](S3Options& options) { options.addressing = Addressing::kVirtualHost; };
  serve([&hosts](const TestRequest& request) {
    hosts.push_back(request.header("host") + request.target);
    return TestReply{};
  });
  // No name server knows the bucket's host: only that it was asked for shows.
  const auto get = store_->get("s3://leat/a");
  EXPECT_THAT(get.error().message, HasSubstr("leat.127.0.0.1"));
  S3Options options;
  options.http = http_.get();
  options.credentials = &credentials_;
  for (const char* bad : {"ftp://x", "x:9000", "http://", "https://u:p@h", "http://h/?q"}) {
    options.endpoint = bad;
    EXPECT_EQ(S3ObjectStore::open(options).error().code, Errc::kInvalid) << bad;
  }
  options.endpoint = "";
  for (const auto& [region, endpoint] : std::map<std::string, std::string>{
           {"eu-west-1", "https://s3.eu-west-1.amazonaws.com"},
           {"cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn"}}) {
    options.region = region;
    EXPECT_EQ((*S3ObjectStore::open(options))->endpoint(), endpoint);
  }
  options.region = "no region";
  EXPECT_EQ(S3ObjectStore::open(options).error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace leat::aws
