#include "aws/redshift_login.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "aws/verify.h"
#include "io/http_test_server.h"

namespace leat::aws {
namespace {

using io::TestReply;
using io::TestRequest;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

const TimeUs kNow = *parse_iso8601("2026-11-20T14:00:00Z");

std::string login_xml(std::string_view user, std::string_view password, std::string_view until) {
  return fmt::format(
      "<GetClusterCredentialsResponse xmlns=\"http://redshift.amazonaws.com/doc/2012-12-01/\">"
      "<GetClusterCredentialsResult><DbUser>{}</DbUser><DbPassword>{}</DbPassword>"
      "<Expiration>{}</Expiration></GetClusterCredentialsResult>"
      "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
      "</GetClusterCredentialsResponse>",
      user, password, until);
}

// Answers as Redshift would; every request's signature is verified first.
class RedshiftLoginTest : public testing::Test {
 protected:
  void SetUp() override {
    auto http = io::HttpClient::open({});
    ASSERT_TRUE(http.has_value());
    http_ = std::move(*http);
    server_ = std::make_unique<io::HttpTestServer>([this](const TestRequest& request) {
      requests_.push_back(request);
      if (!is_signed(request)) return TestReply{.status = 403, .body = "bad signature"};
      return answer_(request);
    });
  }

  bool is_signed(const TestRequest& request) {
    std::vector<HeaderView> headers;
    for (const io::HttpHeader& header : request.headers) {
      headers.push_back({header.name, header.value});
    }
    const auto verified = verify(
        {.method = request.method,
         .path = request.target,
         .headers = headers,
         .body = request.body},
        {.now = clock_.now()}, [](std::string_view key) {
          return key == "AKID" ? std::optional(FoundKey{.secret_access_key = "S"}) : std::nullopt;
        });
    if (verified) services_.push_back(verified->service);
    return verified.has_value();
  }

  RedshiftLoginOptions cluster() {
    RedshiftLoginOptions options;
    options.cluster_identifier = "c1";
    options.database = "dev";
    options.user = "loader";
    options.region = "eu-west-1";
    options.endpoint = server_->url() + "/";
    options.http = http_.get();
    options.credentials = &credentials_;
    options.clock = &clock_;
    options.wait = [](std::int64_t) {};
    return options;
  }
  RedshiftLoginOptions workgroup() {
    RedshiftLoginOptions options = cluster();
    options.cluster_identifier.clear();
    options.user.clear();
    options.workgroup_name = "wg-1";
    return options;
  }
  std::unique_ptr<RedshiftLogin> open(RedshiftLoginOptions options) {
    auto login = RedshiftLogin::open(std::move(options));
    EXPECT_TRUE(login.has_value()) << login.error().message;
    return login ? std::move(*login) : nullptr;
  }

  FakeClock clock_{kNow};
  FixedCredentials credentials_{Secret{"AKID", "S", ""}};
  std::unique_ptr<io::HttpClient> http_;
  std::vector<TestRequest> requests_;
  std::vector<std::string> services_;
  std::function<TestReply(const TestRequest&)> answer_;
  std::unique_ptr<io::HttpTestServer> server_;  // last: it uses all of them
};

TEST_F(RedshiftLoginTest, AsksAClusterAsRecorded) {
  answer_ = [](const TestRequest&) {
    return TestReply{.body = login_xml("IAMA:loader:g1", "p", "2026-11-20T14:15:00Z")};
  };
  RedshiftLoginOptions options = cluster();
  options.create_user = true;
  options.groups = {"g1", "g 2"};
  const auto login = open(std::move(options))->get();
  ASSERT_TRUE(login.has_value()) << login.error().message;
  EXPECT_EQ(login->user, "IAMA:loader:g1");
  EXPECT_EQ(login->password, "p");
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_EQ(requests_[0].method, "POST");
  EXPECT_EQ(requests_[0].target, "/");
  EXPECT_EQ(requests_[0].body,
            "Action=GetClusterCredentials&Version=2012-12-01&DbUser=loader&DbName=dev"
            "&ClusterIdentifier=c1&DurationSeconds=900&AutoCreate=true"
            "&DbGroups.DbGroup.1=g1&DbGroups.DbGroup.2=g%202");
  EXPECT_EQ(services_, std::vector<std::string>{"redshift"});
}

TEST_F(RedshiftLoginTest, BecomesTheIdentityWhenNoUserIsNamed) {
  answer_ = [](const TestRequest&) {
    return TestReply{.body = login_xml("IAMR:role", "p", "2026-11-20T14:15:00Z")};
  };
  RedshiftLoginOptions options = cluster();
  options.user.clear();
  ASSERT_TRUE(open(std::move(options))->get().has_value());
  EXPECT_EQ(requests_[0].body,
            "Action=GetClusterCredentialsWithIAM&Version=2012-12-01&DbName=dev"
            "&ClusterIdentifier=c1&DurationSeconds=900");
}

TEST_F(RedshiftLoginTest, AsksAWorkgroup) {
  answer_ = [](const TestRequest& request) {
    EXPECT_EQ(request.header("x-amz-target"), "RedshiftServerless.GetCredentials");
    EXPECT_EQ(request.header("content-type"), "application/x-amz-json-1.1");
    return TestReply{.body = R"({"dbUser":"IAM:a","dbPassword":"p","expiration":1795184100.5})"};
  };
  const auto login = open(workgroup())->get();
  ASSERT_TRUE(login.has_value()) << login.error().message;
  EXPECT_EQ(login->user, "IAM:a");
  EXPECT_EQ(login->expires.value, 1795184100'500000);
  EXPECT_EQ(services_, std::vector<std::string>{"redshift-serverless"});
}

TEST_F(RedshiftLoginTest, KeepsALoginUntilFiveMinutesBeforeItsEnd) {
  int given = 0;
  answer_ = [&](const TestRequest&) {
    ++given;
    return TestReply{.body =
                         login_xml("IAM:loader", fmt::format("p{}", given),
                                   format_iso8601(TimeUs{clock_.now().value + 15 * kUsPerMinute}))};
  };
  const auto login = open(cluster());
  EXPECT_EQ(login->get()->password, "p1");
  clock_.advance_us(9 * kUsPerMinute);
  EXPECT_EQ(login->get()->password, "p1");
  clock_.advance_us(2 * kUsPerMinute);
  const auto second = login->get();
  EXPECT_EQ(second->password, "p2");
  login->expire({.user = "IAM:loader", .password = "p1"});  // long replaced
  EXPECT_EQ(login->get()->password, "p2");
  login->expire(*second);
  EXPECT_EQ(login->get()->password, "p3");
}

TEST_F(RedshiftLoginTest, ARefusalNamesTheCauseAndTheNextStepButNoSecret) {
  answer_ = [](const TestRequest&) {
    return TestReply{.status = 404,
                     .body =
                         "<ErrorResponse><Error><Type>Sender</Type><Code>ClusterNotFound</Code>"
                         "<Message>Cluster c1 not found.</Message></Error></ErrorResponse>"};
  };
  const auto none = open(cluster())->get();
  EXPECT_EQ(none.error().code, Errc::kDenied);
  EXPECT_THAT(none.error().message, HasSubstr("GetClusterCredentials"));
  EXPECT_THAT(none.error().message, HasSubstr("404 ClusterNotFound \"Cluster c1 not found.\""));
  EXPECT_THAT(none.error().message,
              EndsWith("; there is no cluster 'c1' in eu-west-1; correct its name or region"));
  answer_ = [](const TestRequest&) {
    return TestReply{.status = 400,
                     .body = R"({"__type":"AccessDeniedException","message":"no right"})"};
  };
  const auto denied = open(workgroup())->get();
  EXPECT_EQ(denied.error().code, Errc::kDenied);
  EXPECT_THAT(denied.error().message, HasSubstr("redshift-serverless:GetCredentials"));
  EXPECT_THAT(denied.error().message, Not(HasSubstr("AKID")));
}

TEST_F(RedshiftLoginTest, TriesAgainWhatMayPassAndGivesUpAfterThree) {
  answer_ = [this](const TestRequest&) {
    return requests_.size() < 3
               ? TestReply{.status = 503, .body = "busy"}
               : TestReply{.body = login_xml("IAM:loader", "p", "2026-11-20T14:15:00Z")};
  };
  EXPECT_TRUE(open(cluster())->get().has_value());
  EXPECT_EQ(requests_.size(), 3U);
  requests_.clear();
  answer_ = [](const TestRequest&) { return TestReply{.status = 503, .body = "busy"}; };
  const auto away = open(cluster())->get();
  EXPECT_EQ(away.error().code, Errc::kUnavailable);
  EXPECT_EQ(requests_.size(), 3U);
}

TEST_F(RedshiftLoginTest, AnAnswerWithoutALoginIsAnError) {
  for (const char* body : {"", "<a/>", "no xml",
                           "<R><GetClusterCredentialsResult><DbUser>u</DbUser>"
                           "</GetClusterCredentialsResult></R>"}) {
    answer_ = [&](const TestRequest&) { return TestReply{.body = body}; };
    EXPECT_EQ(open(cluster())->get().error().code, Errc::kInvalid) << body;
  }
  for (const char* body :
       {"", "[]", R"({"dbUser":"u"})", R"({"dbUser":"u","dbPassword":"p","expiration":"soon"})"}) {
    answer_ = [&](const TestRequest&) { return TestReply{.body = body}; };
    EXPECT_EQ(open(workgroup())->get().error().code, Errc::kInvalid) << body;
  }
}

TEST_F(RedshiftLoginTest, RefusesOptionsThatContradictEachOther) {
  const auto refused = [&](void (*change)(RedshiftLoginOptions&)) {
    RedshiftLoginOptions options = cluster();
    change(options);
    const auto login = RedshiftLogin::open(std::move(options));
    return !login && login.error().code == Errc::kInvalid;
  };
  EXPECT_TRUE(refused([](auto& o) { o.workgroup_name = "wg"; }));
  EXPECT_TRUE(refused([](auto& o) { o.cluster_identifier.clear(); }));
  EXPECT_TRUE(refused([](auto& o) { o.cluster_identifier.swap(o.workgroup_name); }));
  EXPECT_TRUE(refused([](auto& o) {
    o.user.clear();
    o.groups = {"g"};
  }));
  EXPECT_TRUE(refused([](auto& o) { o.region.clear(); }));
  EXPECT_TRUE(refused([](auto& o) { o.duration_s = 899; }));
  EXPECT_FALSE(refused([](auto&) {}));
}

}  // namespace
}  // namespace leat::aws
