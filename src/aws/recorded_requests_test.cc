// The bytes that Leat sends to AWS, with Amazon's own host names, against the recorded ones in
// testdata/requests: what cannot be tried against Amazon here is pinned. LEAT_RECORD=1 writes the
// files anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "aws/endpoint.h"
#include "aws/redshift_data.h"
#include "aws/redshift_login.h"
#include "aws/s3_object_store.h"
#include "io/http_test_server.h"

namespace leat::aws {
namespace {

using io::TestReply;
using io::TestRequest;

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A proxy stands where Amazon would: requests keep their host names, and so their signatures.
class RecordedRequests : public testing::Test {
 protected:
  void SetUp() override {
    server_ = std::make_unique<io::HttpTestServer>([this](const TestRequest& request) {
      requests_.push_back(request);
      return reply_;
    });
    ::setenv("http_proxy", server_->url().c_str(), 1);
    ::setenv("no_proxy", "", 1);
    http_ = std::move(*io::HttpClient::open({}));
  }
  void TearDown() override {
    ::unsetenv("http_proxy");
    ::unsetenv("no_proxy");
  }

  static std::string text_of(const TestRequest& request) {
    std::string out = fmt::format("{} {}\n", request.method, request.target);
    for (const io::HttpHeader& header : request.headers) {
      // The proxy's, not Amazon's; and the program's version.
      if (header.name == "Proxy-Connection" || header.name == "User-Agent") continue;
      out += fmt::format("{}: {}\n", header.name, header.value);
    }
    return out + "\n" + request.body + "\n";
  }

  // Compares all requests since the last call with the file.
  void expect_recorded(const std::string& name) {
    std::string sent;
    for (const TestRequest& request : requests_) sent += text_of(request);
    requests_.clear();
    const std::string path = fmt::format("{}/requests/{}.http", LEAT_TESTDATA, name);
    if (std::getenv("LEAT_RECORD") != nullptr) std::ofstream(path, std::ios::binary) << sent;
    EXPECT_EQ(sent, file_text(path)) << name;
  }

  // What both kinds of client have in common.
  template <class Options>
  Options options_of(std::string_view service) {
    Options options;
    options.database = "dev";
    options.region = "eu-west-1";
    options.endpoint = fmt::format("http://{}.eu-west-1.amazonaws.com", service);
    options.http = http_.get();
    options.credentials = &credentials_;
    options.clock = &clock_;
    options.random = &random_;
    options.wait = [](std::int64_t) {};
    return options;
  }
  RedshiftDataOptions data_options() {
    auto options = options_of<RedshiftDataOptions>("redshift-data");
    options.workgroup_name = "analytics";
    return options;
  }
  RedshiftLoginOptions login_options() {
    auto options = options_of<RedshiftLoginOptions>("redshift");
    options.cluster_identifier = "analytics";
    return options;
  }

  FakeClock clock_{*parse_iso8601("2026-11-20T14:00:00Z")};
  SeededRandom random_{1};
  FixedCredentials credentials_{Secret{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                       "a+token/of==temporary+keys"}};
  TestReply reply_;
  std::vector<TestRequest> requests_;
  std::unique_ptr<io::HttpTestServer> server_;
  std::unique_ptr<io::HttpClient> http_;
};

constexpr const char* kClientToken = "302f5b9d-6dec-4d95-b0d2-477f2a426180";
constexpr const char* kStatementId = "d9b6c0c9-0747-4bf4-b142-e8883122f766";

TEST_F(RecordedRequests, DataApi) {
  reply_.body = fmt::format(R"({{"Id":"{}","Status":"FINISHED","Records":[]}})", kStatementId);
  auto api = std::move(*RedshiftData::open(data_options()));
  EXPECT_TRUE(api->execute("SET query_group TO 'leat'", "", 15, kClientToken, 5).has_value());
  EXPECT_TRUE(api->execute("COMMIT", kStatementId, 15, kClientToken, 5).has_value());
  EXPECT_TRUE(api->describe(kStatementId, 5).has_value());
  EXPECT_TRUE(api->describe(kStatementId, 0).has_value());
  EXPECT_TRUE(api->result(kStatementId, "").has_value());
  EXPECT_TRUE(api->result(kStatementId, "next==").has_value());
  EXPECT_TRUE(api->cancel(kStatementId).has_value());
  expect_recorded("data_api_workgroup");

  RedshiftDataOptions named = data_options();
  named.workgroup_name.clear();
  named.cluster_identifier = "analytics";
  named.user = "segment";
  api = std::move(*RedshiftData::open(named));
  EXPECT_TRUE(api->execute("SELECT 'caf\xC3\xA9'", "", 15, kClientToken, 0).has_value());
  named.user.clear();
  named.secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:leat-AbCdEf";
  api = std::move(*RedshiftData::open(named));
  EXPECT_TRUE(api->execute("SELECT 1", "", 15, kClientToken, 0).has_value());
  expect_recorded("data_api_cluster");
}

TEST_F(RecordedRequests, Logins) {
  reply_.body =
      "<GetClusterCredentialsResponse><GetClusterCredentialsResult><DbUser>IAM:u</DbUser>"
      "<DbPassword>p</DbPassword><Expiration>2026-11-20T14:15:00Z</Expiration>"
      "</GetClusterCredentialsResult></GetClusterCredentialsResponse>";
  RedshiftLoginOptions named = login_options();
  named.user = "segment";
  named.create_user = true;
  named.groups = {"loaders", "a b"};
  EXPECT_TRUE((*RedshiftLogin::open(named))->get().has_value());
  expect_recorded("get_cluster_credentials");

  EXPECT_TRUE((*RedshiftLogin::open(login_options()))->get().has_value());
  expect_recorded("get_cluster_credentials_with_iam");

  RedshiftLoginOptions workgroup = login_options();
  workgroup.cluster_identifier.clear();
  workgroup.workgroup_name = "analytics";
  workgroup.endpoint = "http://redshift-serverless.eu-west-1.amazonaws.com";
  reply_.body = R"({"dbUser":"IAMR:r","dbPassword":"p","expiration":1795184100.5})";
  EXPECT_TRUE((*RedshiftLogin::open(workgroup))->get().has_value());
  expect_recorded("serverless_get_credentials");
}

// What a load puts, for COPY to read, and removes after it; and what the archive asks for.
TEST_F(RecordedRequests, Objects) {
  S3Options options;
  options.http = http_.get();
  options.credentials = &credentials_;
  options.region = "eu-west-1";
  options.endpoint = "http://s3.eu-west-1.amazonaws.com";
  options.clock = &clock_;
  options.random = &random_;
  options.wait = [](std::int64_t) {};
  options.addressing = Addressing::kVirtualHost;
  options.encryption = "aws:kms";
  options.kms_key = "alias/leat";
  auto store = std::move(*S3ObjectStore::open(std::move(options)));
  reply_.headers = {{"ETag", "\"e\""}, {"Last-Modified", "Fri, 20 Nov 2026 14:00:00 GMT"}};
  const std::string folder = "s3://acme-leat/staging/web/1-1/";
  EXPECT_TRUE(store->put(folder + "order completed.parquet", "PAR1PAR1").has_value());
  EXPECT_TRUE(store
                  ->put(folder + "order completed.manifest",
                        R"({"entries":[{"url":"s3://acme-leat/staging/web/1-1/order completed)"
                        R"(.parquet","mandatory":true,"meta":{"content_length":8}}]})")
                  .has_value());
  EXPECT_TRUE(
      store->put("s3://acme-leat/seals/0/1-2.json", "{}", {.if_none_match = true}).has_value());
  EXPECT_TRUE(store->head(folder + "order completed.parquet").has_value());
  EXPECT_TRUE(store->get_range("s3://acme-leat/raw/a=1/x+y.zst", 10, 20).has_value());
  EXPECT_TRUE(store->remove(folder + "order completed.parquet").has_value());
  expect_recorded("s3_objects");

  reply_.headers.clear();
  reply_.body =
      "<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>";
  EXPECT_TRUE(store->list("s3://acme-leat/seals/0/", {.start_after = "s3://acme-leat/seals/0/1-2"})
                  .has_value());
  expect_recorded("s3_list");
}

// The hosts those requests go to where no endpoint is configured.
TEST(AwsEndpoints, AreAmazons) {
  EXPECT_EQ(service_endpoint("redshift-data", "eu-west-1"),
            "https://redshift-data.eu-west-1.amazonaws.com");
  EXPECT_EQ(service_endpoint("redshift", "us-gov-west-1"),
            "https://redshift.us-gov-west-1.amazonaws.com");
  EXPECT_EQ(service_endpoint("redshift-serverless", "cn-north-1"),
            "https://redshift-serverless.cn-north-1.amazonaws.com.cn");
}

}  // namespace
}  // namespace leat::aws
