// The whole chain against a server that plays STS, SSO, a container and EC2's metadata, with files
// in memory and a clock of its own.
#include "aws/credential_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "aws/sigv4.h"
#include "aws/verify.h"
#include "base/digest.h"
#include "base/text.h"
#include "io/faulty_file_system.h"
#include "io/http_test_server.h"

namespace leat::aws {
namespace {

using io::TestReply;
using io::TestRequest;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kSecret = "SECRET-THAT-IS-NEVER-SHOWN";

class ChainTest : public testing::Test {
 protected:
  ChainTest()
      : server_([this](const TestRequest& request) {
          seen_.push_back(request);
          return answer_(request);
        }),
        http_(std::move(*io::HttpClient::open({}))) {
    options_.environment = {{"HOME", "/home/u"}, {"AWS_EC2_METADATA_DISABLED", "true"}};
    options_.http = http_.get();
    options_.files = &files_;
    options_.clock = &clock_;
    options_.random = &random_;
    options_.wait = [this](std::int64_t) { ++waits_; };
    options_.process = [this](const std::vector<std::string>& words) {
      words_ = words;
      return process_;
    };
  }

  std::string& env(const std::string& name) { return options_.environment[name]; }
  void file(const std::string& path, const std::string& text) {
    ASSERT_TRUE(files_.make_directories(io::parent_directory(path)).has_value());
    ASSERT_TRUE(io::write_file_atomically(files_, path, text).has_value());
  }
  Result<Credentials> get() { return CredentialChain(options_).get(); }
  std::string in(std::int64_t us) const { return format_iso8601(TimeUs{clock_.now().value + us}); }
  // STS's answer with keys that last an hour.
  TestReply issue(const std::string& action, const std::string& key) const {
    return {.body = "<" + action + "Response><" + action + "Result><Credentials><AccessKeyId>" +
                    key + "</AccessKeyId><SecretAccessKey>" + std::string(kSecret) +
                    "</SecretAccessKey><SessionToken>tok</SessionToken><Expiration>" +
                    in(kUsPerHour) + "</Expiration></Credentials></" + action + "Result></" +
                    action + "Response>"};
  }
  std::string json_keys(const std::string& key, const std::string& expires) const {
    return R"({"Version":1,"Code":"Success","AccessKeyId":")" + key + R"(","SecretAccessKey":")" +
           std::string(kSecret) + R"(","Token":"tok","SessionToken":"tok","Expiration":")" +
           expires + "\"}";
  }

  FakeClock clock_{*parse_iso8601("2026-11-20T12:00:00Z")};
  SeededRandom random_{1};
  io::FaultyFileSystem files_;
  std::vector<TestRequest> seen_;
  std::function<TestReply(const TestRequest&)> answer_ = [](const TestRequest&) {
    return TestReply{.status = 404};
  };
  io::HttpTestServer server_;
  std::unique_ptr<io::HttpClient> http_;
  CredentialChainOptions options_;
  std::atomic<int> waits_{0};
  std::vector<std::string> words_;
  Result<ProcessOutput> process_ = ProcessOutput{};
};

TEST_F(ChainTest, NothingFoundTellsWhatWasTriedAndWhatToDo) {
  const auto none = get();
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Errc::kDenied);
  for (const char* part : {"AWS_ACCESS_KEY_ID", "/home/u/.aws/config", "/home/u/.aws/credentials",
                           "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                           "AWS_EC2_METADATA_DISABLED", "set AWS_ACCESS_KEY_ID and"}) {
    EXPECT_THAT(none.error().message, HasSubstr(part));
  }
}

TEST_F(ChainTest, Environment) {
  env("AWS_ACCESS_KEY_ID") = "AKID";
  EXPECT_THAT(get().error().message, HasSubstr("without AWS_SECRET_ACCESS_KEY"));
  env("AWS_SECRET_ACCESS_KEY") = kSecret;
  env("AWS_SESSION_TOKEN") = "tok";
  const auto found = get();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->secret.access_key_id, "AKID");
  EXPECT_EQ(found->secret.session_token, "tok");
  EXPECT_EQ(found->source, "the environment");
  // A profile named in the configuration goes before it.
  options_.profile = "dev";
  EXPECT_THAT(get().error().message, HasSubstr("profile dev is in neither of"));
}

TEST_F(ChainTest, KeysOfProfiles) {
  file("/home/u/.aws/credentials",
       "[default]\naws_access_key_id=A1\naws_secret_access_key=" + std::string(kSecret) +
           "\n[dev]\naws_access_key_id=A2\naws_secret_access_key=s\naws_session_token=t\n"
           "[half]\naws_access_key_id=A3\n");
  file("/home/u/.aws/config",
       "[profile dev]\nregion=eu-west-3\naws_access_key_id=LESS\naws_secret_access_key=l\n"
       "[profile only]\naws_access_key_id=A4\naws_secret_access_key=s\n");
  EXPECT_EQ(get()->secret.access_key_id, "A1");
  EXPECT_EQ(get()->source, "profile default of /home/u/.aws/credentials");
  env("AWS_PROFILE") = "dev";
  EXPECT_EQ(get()->secret.access_key_id, "A2");
  EXPECT_EQ(resolve_region(options_).value(), "eu-west-3");
  env("AWS_DEFAULT_REGION") = "r2";
  EXPECT_EQ(resolve_region(options_).value(), "r2");
  env("AWS_REGION") = "r1";
  EXPECT_EQ(resolve_region(options_).value(), "r1");
  env("AWS_PROFILE") = "only";
  EXPECT_EQ(get()->secret.access_key_id, "A4");
  env("AWS_PROFILE") = "half";
  EXPECT_THAT(get().error().message, HasSubstr("only one of"));
  env("AWS_PROFILE") = "absent";
  EXPECT_THAT(get().error().message, HasSubstr("aws configure --profile absent"));
  env("AWS_SHARED_CREDENTIALS_FILE") = "~/other";
  file("/home/u/other", "[absent]\naws_access_key_id=A5\naws_secret_access_key=s\n");
  EXPECT_EQ(get()->secret.access_key_id, "A5");
  file("/home/u/other", "broken " + std::string(kSecret));
  EXPECT_EQ(get().error().code, Errc::kInvalid);
  EXPECT_THAT(get().error().message, Not(HasSubstr(std::string(kSecret))));
}

TEST_F(ChainTest, AssumesTheRoleOfAProfileThroughOthers) {
  env("AWS_ENDPOINT_URL_STS") = server_.url();
  env("AWS_PROFILE") = "second";
  file("/home/u/.aws/credentials", "[base]\naws_access_key_id=BASE\naws_secret_access_key=bs\n");
  file("/home/u/.aws/config",
       "[profile base]\nregion=eu-west-1\n"
       "[profile first]\nrole_arn=arn:aws:iam::1:role/first\nsource_profile=base\n"
       "external_id=e1\nduration_seconds=900\nrole_session_name=name\n"
       "[profile second]\nrole_arn=arn:aws:iam::1:role/second\nsource_profile=first\n"
       "region=eu-west-1\n");
  answer_ = [this](const TestRequest& request) {
    // Who signed it is verified as AWS does.
    std::vector<HeaderView> headers;
    for (const auto& header : request.headers) headers.push_back({header.name, header.value});
    const auto verified =
        verify({.method = request.method,
                .path = request.target,
                .headers = headers,
                .body = request.body},
               {.service = "sts", .now = clock_.now()},
               [](std::string_view key) -> std::optional<FoundKey> {
                 if (key == "BASE") return FoundKey{.secret_access_key = "bs"};
                 return FoundKey{.secret_access_key = std::string(kSecret), .session_token = "tok"};
               });
    EXPECT_TRUE(verified.has_value()) << verified.error().message;
    return issue("AssumeRole", "ROLE" + std::to_string(seen_.size()));
  };
  const auto found = get();
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->secret.access_key_id, "ROLE2");
  EXPECT_EQ(found->source, "profile second (role arn:aws:iam::1:role/second)");
  ASSERT_EQ(seen_.size(), 2u);
  EXPECT_EQ(seen_[0].body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Ffirst&"
            "RoleSessionName=name&DurationSeconds=900&ExternalId=e1");
  EXPECT_THAT(seen_[1].body, HasSubstr("RoleSessionName=leat-"));
  EXPECT_THAT(seen_[1].header("authorization"), HasSubstr("Credential=ROLE1/"));
}

TEST_F(ChainTest, RolesThatCannotBeAssumedSayWhy) {
  env("AWS_ENDPOINT_URL_STS") = server_.url();
  env("AWS_PROFILE") = "p";
  const auto with = [this](const std::string& config) {
    file("/home/u/.aws/config", config);
    const auto found = get();
    EXPECT_FALSE(found.has_value()) << config;
    EXPECT_EQ(found.error().code, Errc::kDenied) << found.error().message;
    return found.error().message;
  };
  EXPECT_THAT(with("[profile p]\nrole_arn=r\n"), HasSubstr("exactly one of"));
  EXPECT_THAT(with("[profile p]\nrole_arn=r\nsource_profile=b\ncredential_source=Environment\n"),
              HasSubstr("exactly one of"));
  EXPECT_THAT(with("[profile p]\nrole_arn=r\nsource_profile=b\n"), HasSubstr("does not exist"));
  EXPECT_THAT(with("[profile p]\nrole_arn=r\nsource_profile=q\n"
                   "[profile q]\nrole_arn=r\nsource_profile=p\n"),
              HasSubstr("leads back"));
  EXPECT_THAT(with("[profile p]\nrole_arn=r\ncredential_source=Elsewhere\n"),
              HasSubstr("allowed: Environment"));
  EXPECT_THAT(with("[profile p]\nrole_arn=r\nmfa_serial=m\nsource_profile=p\n"),
              HasSubstr("mfa_serial"));
  const std::string keys = "aws_access_key_id=K\naws_secret_access_key=" + std::string(kSecret);
  answer_ = [](const TestRequest&) {
    return TestReply{.status = 403,
                     .body =
                         "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not allowed"
                         "</Message></Error></ErrorResponse>"};
  };
  const std::string refused = with("[profile p]\nrole_arn=r\nsource_profile=p\n" + keys);
  EXPECT_THAT(refused, HasSubstr("AccessDenied \"not allowed\""));
  EXPECT_THAT(refused, HasSubstr("trust policy"));
  EXPECT_THAT(refused, HasSubstr("profile p"));
  EXPECT_THAT(refused, Not(HasSubstr(std::string(kSecret))));
}

TEST_F(ChainTest, RoleCallersBesideProfiles) {
  env("AWS_ENDPOINT_URL_STS") = server_.url();
  options_.profile = "p";
  answer_ = [this](const TestRequest& request) {
    if (request.target == "/creds")
      return TestReply{.body = json_keys("CONTAINER", in(kUsPerHour))};
    return issue("AssumeRole", "ROLE");
  };
  file("/home/u/.aws/config", "[profile p]\nrole_arn=r\ncredential_source=EcsContainer\n");
  env("AWS_CONTAINER_CREDENTIALS_FULL_URI") = server_.url("/creds");
  EXPECT_EQ(get()->secret.access_key_id, "ROLE");
  EXPECT_THAT(seen_.back().header("authorization"), HasSubstr("Credential=CONTAINER/"));
}

TEST_F(ChainTest, WebIdentityIsNotSignedAndReadsItsTokenEachTime) {
  env("AWS_ENDPOINT_URL") = server_.url();
  env("AWS_WEB_IDENTITY_TOKEN_FILE") = "/token";
  EXPECT_THAT(get().error().message, HasSubstr("without AWS_ROLE_ARN"));
  env("AWS_ROLE_ARN") = "arn:r";
  EXPECT_EQ(get().error().code, Errc::kNotFound);
  int broken = 1;
  answer_ = [&](const TestRequest&) {
    if (broken-- > 0) {
      return TestReply{.status = 400,
                       .body =
                           "<ErrorResponse><Error><Code>IDPCommunicationError</Code></Error>"
                           "</ErrorResponse>"};
    }
    return issue("AssumeRoleWithWebIdentity", "WEB");
  };
  CredentialChain chain(options_);
  file("/token", "first\n");
  EXPECT_EQ(chain.get()->secret.access_key_id, "WEB");
  EXPECT_EQ(waits_, 1);
  EXPECT_EQ(seen_.back().header("authorization"), "");
  EXPECT_THAT(seen_.back().body, HasSubstr("WebIdentityToken=first"));
  file("/token", "second");
  clock_.advance_us(50 * kUsPerMinute);
  EXPECT_EQ(chain.get()->secret.access_key_id, "WEB");
  EXPECT_THAT(seen_.back().body, HasSubstr("WebIdentityToken=second"));
}

TEST_F(ChainTest, SsoUsesTheCachedLoginAndRenewsIt) {
  env("AWS_ENDPOINT_URL") = server_.url();
  env("AWS_PROFILE") = "corp";
  file("/home/u/.aws/config",
       "[profile corp]\nsso_session=main\nsso_account_id=123456789012\nsso_role_name=Reader\n"
       "[sso-session main]\nsso_region=eu-west-1\nsso_start_url=https://corp.example/start\n");
  EXPECT_THAT(get().error().message, HasSubstr("run `aws sso login --sso-session main`"));
  // The SHA-1 of "main".
  const std::string path = "/home/u/.aws/sso/cache/b28b7af69320201d1cf206ebf28373980add1451.json";
  const auto login = [&](std::int64_t left) {
    file(path, R"({"accessToken":"bearer","expiresAt":")" + in(left) +
                   R"(","clientId":"c","clientSecret":"cs","refreshToken":"r1",)"
                   R"("registrationExpiresAt":")" +
                   in(kUsPerDay) + "\"}");
  };
  int token_status = 200;
  answer_ = [&](const TestRequest& request) {
    if (request.target == "/token") {
      return TestReply{.status = token_status,
                       .body = R"({"accessToken":"fresh","expiresIn":3600,"refreshToken":"r2"})"};
    }
    return TestReply{.body = R"({"roleCredentials":{"accessKeyId":"SSO","secretAccessKey":")" +
                             std::string(kSecret) + R"(","sessionToken":"t","expiration":)" +
                             std::to_string((clock_.now().value + kUsPerHour) / 1000) + "}}"};
  };
  login(kUsPerHour);
  auto found = get();
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->secret.access_key_id, "SSO");
  EXPECT_EQ(found->expires->value, clock_.now().value + kUsPerHour);
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].target, "/federation/credentials?role_name=Reader&account_id=123456789012");
  EXPECT_EQ(seen_[0].header("x-amz-sso_bearer_token"), "bearer");
  // Soon at its end: renewed, and kept.
  login(10 * kUsPerMinute);
  EXPECT_TRUE(get().has_value());
  EXPECT_EQ(seen_.back().header("x-amz-sso_bearer_token"), "fresh");
  EXPECT_THAT(io::read_file(files_, path).value(), HasSubstr("\"refreshToken\":\"r2\""));
  // Not renewed: used until its end, then no more.
  token_status = 400;
  login(10 * kUsPerMinute);
  EXPECT_TRUE(get().has_value());
  EXPECT_EQ(seen_.back().header("x-amz-sso_bearer_token"), "bearer");
  login(-1);
  EXPECT_THAT(get().error().message, HasSubstr("has ended; run `aws sso login"));
  answer_ = [](const TestRequest&) {
    return TestReply{.status = 401, .body = R"({"message":"Session token not found"})"};
  };
  login(kUsPerHour);
  EXPECT_THAT(get().error().message, HasSubstr("aws sso login"));
}

TEST_F(ChainTest, AwsLogin) {
  env("AWS_PROFILE") = "p";
  file("/home/u/.aws/config", "[profile p]\nlogin_session=arn:aws:sts::1:x\n");
  EXPECT_THAT(get().error().message, HasSubstr("aws login --profile p"));
  file("/home/u/.aws/login/cache/" + to_hex(sha256("arn:aws:sts::1:x")) + ".json",
       R"({"accessToken":{"accessKeyId":"LOGIN","secretAccessKey":"s","sessionToken":"t",)"
       R"("expiresAt":")" +
           in(kUsPerHour) + "\"}}");
  EXPECT_EQ(get()->secret.access_key_id, "LOGIN");
}

TEST_F(ChainTest, CredentialProcess) {
  env("AWS_PROFILE") = "p";
  file("/home/u/.aws/config", "[profile p]\ncredential_process = /opt/tool 'two words' --x\n");
  process_ = ProcessOutput{.out = json_keys("PROC", in(kUsPerHour))};
  const auto found = get();
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->secret.access_key_id, "PROC");
  EXPECT_THAT(words_, testing::ElementsAre("/opt/tool", "two words", "--x"));
  const std::vector<std::pair<ProcessOutput, std::string>> failures = {
      {{.exit_code = 3, .out = std::string(kSecret), .errors = "log in first"}, "log in first"},
      {{.out = std::string(kSecret)}, "\"Version\": 1"},
      {{.out = R"({"Version":2})"}, "\"Version\": 1"},
      {{.out = R"({"Version":1,"SecretAccessKey":")" + std::string(kSecret) + "\"}"},
       "AccessKeyId"},
      {{.out = json_keys("PROC", in(-1))}, "have expired"},
      {{.out = json_keys("PROC", "soon")}, "Expiration"}};
  for (const auto& [output, text] : failures) {
    process_ = output;
    const auto refused = get();
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, HasSubstr(text));
    EXPECT_THAT(refused.error().message, HasSubstr("/opt/tool"));
    EXPECT_THAT(refused.error().message, Not(HasSubstr(std::string(kSecret))));
  }
}

TEST_F(ChainTest, Container) {
  env("AWS_CONTAINER_CREDENTIALS_FULL_URI") = server_.url("/creds");
  env("AWS_CONTAINER_AUTHORIZATION_TOKEN") = "Basic abc";
  int failures = 2;
  answer_ = [&](const TestRequest&) {
    if (failures-- > 0) return TestReply{.status = 500};
    return TestReply{.body = json_keys("ECS", in(kUsPerHour))};
  };
  const auto found = get();
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->secret.access_key_id, "ECS");
  EXPECT_EQ(found->secret.session_token, "tok");
  EXPECT_EQ(seen_.back().header("authorization"), "Basic abc");
  env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") = "/t";
  file("/t", "Bearer x\n");
  EXPECT_TRUE(get().has_value());
  EXPECT_EQ(seen_.back().header("authorization"), "Bearer x");
  answer_ = [](const TestRequest&) { return TestReply{.status = 403, .body = "{}"}; };
  EXPECT_THAT(get().error().message, HasSubstr("container credentials"));
  for (const char* bad : {"http://example.com/creds", "http://127.0.0.1.example.com/", "ftp://x/",
                          "http://localhost.example.com/"}) {
    env("AWS_CONTAINER_CREDENTIALS_FULL_URI") = bad;
    EXPECT_EQ(get().error().code, Errc::kInvalid) << bad;
  }
}

TEST_F(ChainTest, InstanceMetadata) {
  env("AWS_EC2_METADATA_DISABLED") = "false";
  env("AWS_EC2_METADATA_SERVICE_ENDPOINT") = server_.url("/");
  int token_status = 200;
  std::string code = "Success";
  std::string expires = in(kUsPerHour);
  answer_ = [&](const TestRequest& request) {
    if (request.method == "PUT") {
      EXPECT_EQ(request.target, "/latest/api/token");
      EXPECT_EQ(request.header("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
      return TestReply{.status = token_status, .body = "TOKEN"};
    }
    EXPECT_EQ(request.header("x-aws-ec2-metadata-token"), token_status == 200 ? "TOKEN" : "");
    if (request.target == "/latest/meta-data/placement/region")
      return TestReply{.body = "eu-south-1"};
    if (request.target == "/latest/meta-data/iam/security-credentials/") {
      return TestReply{.body = "my-role"};
    }
    EXPECT_EQ(request.target, "/latest/meta-data/iam/security-credentials/my-role");
    std::string body = json_keys("EC2", expires);
    body.replace(body.find("Success"), 7, code);
    return TestReply{.body = body};
  };
  auto found = get();
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->secret.access_key_id, "EC2");
  EXPECT_EQ(found->source, "EC2's metadata service (role my-role)");
  EXPECT_EQ(resolve_region(options_).value(), "eu-south-1");
  token_status = 404;  // version 1
  EXPECT_TRUE(get().has_value());
  env("AWS_EC2_METADATA_V1_DISABLED") = "true";
  EXPECT_THAT(get().error().message, HasSubstr("404 instead of a token"));
  token_status = 200;
  code = "Failed!";
  EXPECT_THAT(get().error().message, HasSubstr("instance profile"));
  // The service cannot refresh: what has expired is used on.
  code = "Success";
  expires = in(-kUsPerHour);
  found = get();
  ASSERT_TRUE(found.has_value());
  EXPECT_GE(found->expires->value, clock_.now().value + 15 * kUsPerMinute);
  EXPECT_LE(found->expires->value, clock_.now().value + 25 * kUsPerMinute);
  answer_ = [](const TestRequest&) { return TestReply{.fault = TestReply::Fault::kReset}; };
  EXPECT_THAT(get().error().message, HasSubstr("no EC2 metadata"));
  EXPECT_EQ(resolve_region(options_).value(), "");
}

// 15 minutes before the end one caller fetches; a failure leaves the old ones until they end.
TEST_F(ChainTest, RefreshesInTime) {
  env("AWS_CONTAINER_CREDENTIALS_FULL_URI") = server_.url("/creds");
  bool good = true;
  answer_ = [&](const TestRequest&) {
    if (!good) return TestReply{.status = 403, .body = "{}"};
    return TestReply{.body = json_keys("K" + std::to_string(seen_.size()), in(kUsPerHour))};
  };
  CredentialChain chain(options_);
  EXPECT_EQ(chain.get()->secret.access_key_id, "K1");
  clock_.advance_us(44 * kUsPerMinute);
  EXPECT_EQ(chain.get()->secret.access_key_id, "K1");
  EXPECT_EQ(seen_.size(), 1u);
  clock_.advance_us(2 * kUsPerMinute);
  EXPECT_EQ(chain.get()->secret.access_key_id, "K2");
  good = false;
  clock_.advance_us(46 * kUsPerMinute);
  EXPECT_EQ(chain.get()->secret.access_key_id, "K2");
  EXPECT_EQ(chain.get()->secret.access_key_id, "K2");
  EXPECT_EQ(seen_.size(), 3u) << "a failed refresh is not repeated for each call";
  clock_.advance_us(13 * kUsPerMinute);
  EXPECT_EQ(chain.get()->secret.access_key_id, "K2");
  clock_.advance_us(2 * kUsPerMinute);
  EXPECT_FALSE(chain.get().has_value()) << "expired keys are never given out";
  good = true;
  const auto again = chain.get();
  ASSERT_TRUE(again.has_value());
  chain.expire(*again);
  EXPECT_NE(chain.get()->secret.access_key_id, again->secret.access_key_id);
  // Called expired by a call that began with older ones: nothing to do.
  const std::size_t before = seen_.size();
  chain.expire(*again);
  EXPECT_TRUE(chain.get().has_value());
  EXPECT_EQ(seen_.size(), before);
}

TEST_F(ChainTest, OneFetchForManyThreads) {
  env("AWS_CONTAINER_CREDENTIALS_FULL_URI") = server_.url("/creds");
  answer_ = [&](const TestRequest&) { return TestReply{.body = json_keys("K", in(kUsPerHour))}; };
  CredentialChain chain(options_);
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] { good += chain.get().has_value() ? 1 : 0; });
    }
  }
  EXPECT_EQ(good, 8);
  EXPECT_EQ(seen_.size(), 1u);
}

TEST(ConfiguredEndpoint, Order) {
  EXPECT_EQ(configured_endpoint({}, "S3"), "");
  EXPECT_EQ(configured_endpoint({{"AWS_ENDPOINT_URL", "a"}}, "S3"), "a");
  EXPECT_EQ(configured_endpoint({{"AWS_ENDPOINT_URL", "a"}, {"AWS_ENDPOINT_URL_S3", "b"}}, "S3"),
            "b");
  EXPECT_EQ(configured_endpoint(
                {{"AWS_ENDPOINT_URL", "a"}, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}}, "S3"),
            "");
}

TEST(RunProcess, GivesWhatItWroteAndHowItEnded) {
  const auto good = run_process({"sh", "-c", "echo out; echo bad >&2; exit 3"});
  ASSERT_TRUE(good.has_value()) << good.error().message;
  EXPECT_EQ(good->exit_code, 3);
  EXPECT_EQ(good->out, "out\n");
  EXPECT_EQ(good->errors, "bad\n");
  EXPECT_FALSE(run_process({"/nowhere/no-program"}).has_value());
  EXPECT_FALSE(run_process({}).has_value());
  const auto much = run_process({"sh", "-c", "while echo yyyyyyyyyyyyyyyyyyyyyyyy; do :; done"});
  EXPECT_EQ(much.error().code, Errc::kUnavailable);
}

}  // namespace
}  // namespace leat::aws
