#include "app/destination.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "io/http_test_server.h"

namespace leat::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Config config(const std::map<std::string, std::string>& environment) {
  auto loaded = load_config({.environment = environment});
  EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
  return loaded ? std::move(loaded->config) : Config();
}

const Environment kKeys = {{"HOME", "/nowhere"},
                           {"AWS_EC2_METADATA_DISABLED", "true"},
                           {"AWS_ACCESS_KEY_ID", "AKID"},
                           {"AWS_SECRET_ACCESS_KEY", "S"},
                           {"AWS_REGION", "eu-west-1"}};

TEST(Destination, TheEmbeddedOneIsReachedByTheConnectionFile) {
  ConnectionFile running;
  running.warehouse_host = "127.0.0.1";
  running.warehouse_port = 5440;
  running.warehouse_user = "leat";
  running.warehouse_password = "secret";
  running.warehouse_database = "dev";
  const auto destination = open_destination(config({}), kKeys, running);
  ASSERT_TRUE(destination.has_value()) << destination.error().message;
  EXPECT_EQ((*destination)->settings.port, 5440);
  EXPECT_EQ((*destination)->settings.password, "secret");
  EXPECT_EQ((*destination)->login, nullptr);
}

TEST(Destination, AnotherHostIsVerifiedUnlessSaidOtherwise) {
  const auto usual =
      open_destination(config({{"LEAT_DESTINATION_HOST", "c1.example"}}), kKeys, ConnectionFile());
  ASSERT_TRUE(usual.has_value()) << usual.error().message;
  EXPECT_EQ((*usual)->settings.user, "leat");
  EXPECT_EQ((*usual)->settings.sslmode, "");  // verify-full, as it is not this machine
  const auto chosen = open_destination(
      config({{"LEAT_DESTINATION_HOST", "c1.example"}, {"LEAT_DESTINATION_SSLMODE", "require"}}),
      kKeys, ConnectionFile());
  EXPECT_EQ((*chosen)->settings.sslmode, "require");
}

TEST(Destination, KeysThatContradictEachOtherAreRefused) {
  const auto message = [](const std::map<std::string, std::string>& keys) {
    const auto refused = open_destination(config(keys), kKeys, ConnectionFile());
    return refused ? std::string("taken") : refused.error().message;
  };
  EXPECT_THAT(message({{"LEAT_DESTINATION_AUTHENTICATION", "iam"}}),
              HasSubstr("set destination.host"));
  EXPECT_THAT(message({{"LEAT_DESTINATION_HOST", "h"},
                       {"LEAT_DESTINATION_AUTHENTICATION", "iam"},
                       {"LEAT_DESTINATION_PASSWORD", "p"}}),
              HasSubstr("exclude each other"));
  for (const char* schema : {"Leat", "a b", "1a", "pg_leat", "information_schema"}) {
    EXPECT_THAT(message({{"LEAT_DESTINATION_LEDGER_SCHEMA", schema}}),
                HasSubstr("destination.ledger_schema"))
        << schema;
  }
  EXPECT_THAT(message({{"LEAT_DESTINATION_HOST", "h"}, {"LEAT_DESTINATION_CLUSTER", "c"}}),
              HasSubstr("set destination.authentication: iam"));
  EXPECT_THAT(message({{"LEAT_DESTINATION_HOST", "h"}, {"LEAT_DESTINATION_AUTHENTICATION", "iam"}}),
              HasSubstr("destination.cluster"));
}

TEST(Destination, CopyTakesTheKeysOfTheStore) {
  const auto keys_of = [](const std::map<std::string, std::string>& more) {
    std::map<std::string, std::string> all = {{"LEAT_DESTINATION_COPY_AUTHORIZATION", "keys"}};
    all.insert(more.begin(), more.end());
    const auto destination = open_destination(config(all), kKeys, ConnectionFile());
    if (!destination) return destination.error().message;
    const auto keys = (*destination)->settings.copy_keys();
    return keys ? keys->access_key_id + "/" + keys->secret_access_key : keys.error().message;
  };
  EXPECT_EQ(keys_of({}), "AKID/S");
  EXPECT_EQ(keys_of({{"LEAT_STORE_ACCESS_KEY_ID", "OWN"}, {"LEAT_STORE_SECRET_ACCESS_KEY", "o"}}),
            "OWN/o");
  EXPECT_THAT(keys_of({{"LEAT_DESTINATION_PROTOCOL", "data_api"}}), HasSubstr("use a role"));
}

// Gives logins with passwords p1, p2, ...
class LoginTest : public testing::Test {
 protected:
  io::HttpTestServer server_{[this](const io::TestRequest&) {
    return io::TestReply{
        .body = fmt::format(R"({{"dbUser":"IAM:a","dbPassword":"p{}","expiration":4102444800}})",
                            ++given_)};
  }};
  std::unique_ptr<Destination> destination() {
    auto opened = open_destination(config({{"LEAT_DESTINATION_HOST", "127.0.0.1"},
                                           {"LEAT_DESTINATION_AUTHENTICATION", "iam"},
                                           {"LEAT_DESTINATION_WORKGROUP", "wg-1"},
                                           {"LEAT_DESTINATION_API_ENDPOINT", server_.url()}}),
                                   kKeys, ConnectionFile());
    EXPECT_TRUE(opened.has_value()) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  // Refuses the passwords in `refused_`.
  load::Connect connect() {
    return [this](const load::DestinationSettings& settings, const std::stop_token&)
               -> std::expected<std::unique_ptr<load::Connection>, load::DestinationFailure> {
      tried_.push_back(settings.user + "/" + settings.password);
      return std::unexpected(load::DestinationFailure{
          .kind = refusal_, .sqlstate = "28000", .message = "password authentication failed"});
    };
  }

  std::atomic<int> given_ = 0;
  load::FailureKind refusal_ = load::FailureKind::kLoginRefused;
  std::vector<std::string> tried_;
};

TEST_F(LoginTest, ARefusedLoginIsAskedForOnceMore) {
  const auto to = destination();
  ASSERT_NE(to, nullptr);
  EXPECT_FALSE(connect_with_login(*to->login, connect(), to->settings, {}).has_value());
  EXPECT_THAT(tried_, ElementsAre("IAM:a/p1", "IAM:a/p2"));
}

TEST_F(LoginTest, AnotherFailureKeepsTheLogin) {
  const auto to = destination();
  ASSERT_NE(to, nullptr);
  refusal_ = load::FailureKind::kUnreachable;
  EXPECT_FALSE(connect_with_login(*to->login, connect(), to->settings, {}).has_value());
  EXPECT_FALSE(connect_with_login(*to->login, connect(), to->settings, {}).has_value());
  EXPECT_THAT(tried_, ElementsAre("IAM:a/p1", "IAM:a/p1"));
}

}  // namespace
}  // namespace leat::app
