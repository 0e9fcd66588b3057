// The S3 store against a real server, started by s3_store_test.py: the same suite as for
// directories, directly and through a proxy that breaks one request in eight, and what only S3 has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "aws/s3_object_store.h"
#include "base/clock.h"
#include "base/digest.h"
#include "io/object_store_conformance.h"

namespace leat::aws {
namespace {

using io::ObjectStoreConformance;
using testing::HasSubstr;

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  EXPECT_NE(value, nullptr) << name << " is not set: run s3_store_test.py";
  return value == nullptr ? "" : value;
}

struct Choice {
  std::string endpoint = setting("LEAT_S3_ENDPOINT");
  std::string secret_key = setting("LEAT_S3_SECRET_KEY");
  std::string access_key = setting("LEAT_S3_ACCESS_KEY");
  std::string ca_bundle = {};
  const Clock* clock = nullptr;
  std::int64_t stall_timeout_us = 5 * kUsPerSecond;
  int attempts_max = 8;
};

struct Opened {
  std::unique_ptr<io::HttpClient> http;
  std::unique_ptr<FixedCredentials> credentials;
  std::unique_ptr<S3ObjectStore> store;
};

Opened open(const Choice& choice = {}) {
  Opened out;
  out.http = std::move(*io::HttpClient::open({.ca_bundle = choice.ca_bundle}));
  out.credentials = std::make_unique<FixedCredentials>(
      Secret{choice.access_key, choice.secret_key, ""}, "a test");
  S3Options options;
  options.http = out.http.get();
  options.credentials = out.credentials.get();
  options.endpoint = choice.endpoint;
  options.clock = choice.clock;
  options.stall_timeout_us = choice.stall_timeout_us;
  options.attempts_max = choice.attempts_max;
  options.part_bytes = 5U << 20U;
  options.multipart_bytes_min = 5U << 20U;
  auto store = S3ObjectStore::open(std::move(options));
  EXPECT_TRUE(store.has_value()) << store.error().to_string();
  out.store = std::move(*store);
  return out;
}

// Chooses the proxy's faults, in per mille of requests; gives what there was before, as JSON.
std::string choose_faults(const std::string& faults) {
  const auto http = std::move(*io::HttpClient::open({}));
  const auto reply = http->send(
      {.url = setting("LEAT_S3_FAULTY_ENDPOINT") + "/-/faults?" + faults, .direct = true});
  EXPECT_TRUE(reply.has_value());
  return reply ? reply->body : "";
}

void empty_buckets(io::ObjectStore& store) {
  for (const char* bucket : {"s3://leat/", "s3://other/"}) {
    while (true) {
      const auto page = store.list(bucket);
      ASSERT_TRUE(page.has_value()) << page.error().to_string();
      std::vector<std::string> uris;
      for (const auto& object : page->objects) uris.push_back(object.uri);
      const Status removed = store.remove_all(uris);
      ASSERT_TRUE(removed.has_value()) << removed.error().to_string();
      if (!page->truncated) break;
    }
  }
}

class RealStore final : public io::StoreUnderTest {
 public:
  explicit RealStore(std::string faults) {
    empty_buckets(*open().store);
    Choice choice;
    if (!faults.empty()) {
      choose_faults(faults);
      choice.endpoint = setting("LEAT_S3_FAULTY_ENDPOINT");
    }
    opened_ = open(choice);
    faulty_ = !faults.empty();
  }
  ~RealStore() override {
    if (faulty_) std::printf("faults: %s\n", choose_faults("seed=1").c_str());
  }
  io::ObjectStore& store() override { return *opened_.store; }

 private:
  Opened opened_;
  bool faulty_ = false;
};

const auto kName = [](const auto& chosen) { return chosen.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Ceph, ObjectStoreConformance,
    testing::Values(
        io::StoreKind{"Direct", [] { return std::make_unique<RealStore>(""); }},
        io::StoreKind{
            "Resets",
            [] { return std::make_unique<RealStore>("reset=40&lost=50&half=40&seed=1"); }},
        io::StoreKind{
            "Errors",
            [] { return std::make_unique<RealStore>("error=60&slow_down=60&slow=30&seed=2"); }}),
    kName);

TEST(S3Real, PartsMakeOneObject) {
  const Opened s3 = open();
  std::string bytes(18U << 20U, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 % 253);
  const auto put = s3.store->put("s3://leat/parts", bytes);
  ASSERT_TRUE(put.has_value()) << put.error().to_string();
  EXPECT_TRUE(put->etag.ends_with("-4")) << put->etag;
  EXPECT_EQ(s3.store->head("s3://leat/parts")->etag, put->etag);
  EXPECT_TRUE(s3.store->get("s3://leat/parts").value() == bytes);
}

TEST(S3Real, ListsMoreThanOneAnswerHolds) {
  const Opened s3 = open();
  empty_buckets(*s3.store);
  constexpr int kCount = 1100;
  {
    std::vector<std::jthread> writers;
    for (int w = 0; w < 4; ++w) {
      writers.emplace_back([&s3, w] {
        for (int i = w; i < kCount; i += 4) {
          char uri[32];
          std::snprintf(uri, sizeof uri, "s3://leat/n/%05d", i);
          EXPECT_TRUE(s3.store->put(uri, "x").has_value());
        }
      });
    }
  }
  const auto page = s3.store->list("s3://leat/n/", {.start_after = {}, .limit = 1050});
  ASSERT_TRUE(page.has_value()) << page.error().to_string();
  ASSERT_EQ(page->objects.size(), 1050u);
  EXPECT_TRUE(page->truncated);
  EXPECT_EQ(page->objects.back().uri, "s3://leat/n/01049");
  const auto rest =
      s3.store->list("s3://leat/n/", {.start_after = page->objects.back().uri, .limit = 1050});
  EXPECT_EQ(rest->objects.size(), 50u);
  EXPECT_FALSE(rest->truncated);
  empty_buckets(*s3.store);
}

TEST(S3Real, SaysWhoIsRefusedAndWhy) {
  Choice wrong_secret;
  wrong_secret.secret_key = "not-the-secret";
  const auto signature = open(wrong_secret).store->get("s3://leat/a");
  EXPECT_EQ(signature.error().code, Errc::kDenied);
  EXPECT_THAT(signature.error().message, HasSubstr("SignatureDoesNotMatch"));
  EXPECT_THAT(signature.error().message, testing::Not(HasSubstr("not-the-secret")));
  Choice unknown;
  unknown.access_key = "NOBODY";
  const auto key = open(unknown).store->get("s3://leat/a");
  EXPECT_EQ(key.error().code, Errc::kDenied);
  EXPECT_THAT(key.error().message, HasSubstr("InvalidAccessKeyId"));
  const Opened s3 = open();
  for (const Error& error : {s3.store->list("s3://absent-bucket/").error(),
                             s3.store->put("s3://absent-bucket/a", "x").error(),
                             s3.store->get("s3://absent-bucket/a").error()}) {
    EXPECT_EQ(error.code, Errc::kNotFound) << error.message;
    EXPECT_THAT(error.message, HasSubstr("make the bucket"));
  }
}

TEST(S3Real, AWrongClockIsCorrected) {
  for (const std::int64_t off : {-3 * kUsPerHour, 40 * kUsPerDay}) {
    const FakeClock clock(TimeUs{system_clock().now().value + off});
    Choice choice;
    choice.clock = &clock;
    const Opened s3 = open(choice);
    const auto put = s3.store->put("s3://leat/clock", "x");
    EXPECT_TRUE(put.has_value()) << put.error().to_string();
    const Opened other = open(choice);
    EXPECT_TRUE(other.store->head("s3://leat/clock").has_value()) << "HEAD's answer has no code";
  }
}

TEST(S3Real, ServersThatStallAreLeft) {
  choose_faults("stall=300&seed=4");
  Choice choice;
  choice.endpoint = setting("LEAT_S3_FAULTY_ENDPOINT");
  choice.stall_timeout_us = 200'000;
  const Opened s3 = open(choice);
  for (int i = 0; i < 10; ++i) {
    const auto put = s3.store->put("s3://leat/stall", std::string(1000, 'x'));
    EXPECT_TRUE(put.has_value()) << put.error().to_string();
    EXPECT_EQ(s3.store->get("s3://leat/stall").value().size(), 1000u);
  }
  EXPECT_THAT(choose_faults("seed=1"), testing::Not(HasSubstr("\"stall\": 0")));
}

TEST(S3Real, ADeadServerIsUnavailable) {
  choose_faults("reset=1000");
  Choice choice;
  choice.endpoint = setting("LEAT_S3_FAULTY_ENDPOINT");
  choice.attempts_max = 3;
  const auto put = open(choice).store->put("s3://leat/a", "x");
  EXPECT_EQ(put.error().code, Errc::kUnavailable);
  EXPECT_THAT(put.error().message, HasSubstr("tried 3 times"));
  choose_faults("seed=1");
}

TEST(S3Real, TlsIsVerified) {
  Choice choice;
  choice.endpoint = setting("LEAT_S3_TLS_ENDPOINT");
  const auto refused = open(choice).store->put("s3://leat/tls", "x");
  EXPECT_EQ(refused.error().code, Errc::kDenied) << refused.error().message;
  EXPECT_THAT(refused.error().message, HasSubstr("CA bundle"));
  choice.ca_bundle = setting("LEAT_S3_CA");
  const Opened s3 = open(choice);
  ASSERT_TRUE(s3.store->put("s3://leat/tls", "x").has_value());
  EXPECT_EQ(s3.store->get("s3://leat/tls").value(), "x");
  // The certificate is for 127.0.0.1 only.
  choice.endpoint.replace(choice.endpoint.find("127.0.0.1"), 9, "localhost");
  EXPECT_EQ(open(choice).store->head("s3://leat/tls").error().code, Errc::kDenied);
}

TEST(S3Real, CheckPassesAndLeavesNothing) {
  const Opened s3 = open();
  empty_buckets(*s3.store);
  const auto checks = s3.store->check("leat");
  EXPECT_EQ(checks.size(), 6u);
  for (const StoreCheck& check : checks) {
    EXPECT_TRUE(check.status.has_value()) << check.name << ": " << check.status.error().to_string();
  }
  EXPECT_TRUE(s3.store->list("s3://leat/")->objects.empty());
  const auto missing = s3.store->check("absent-bucket");
  ASSERT_EQ(missing.size(), 2u);
  EXPECT_FALSE(missing.back().status.has_value());
}

}  // namespace
}  // namespace leat::aws
