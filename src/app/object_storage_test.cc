#include "app/object_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace leat::app {
namespace {

using testing::HasSubstr;

Config config(const std::map<std::string, std::string>& environment = {}) {
  auto loaded = load_config({.environment = environment});
  EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
  return loaded ? std::move(loaded->config) : Config();
}

const Environment kNothing = {{"HOME", "/nowhere"}, {"AWS_EC2_METADATA_DISABLED", "true"}};

TEST(ObjectStorage, AFolderUnlessSaidOtherwise) {
  const std::string root = testing::TempDir() + "/leat-object-storage";
  const auto usual = open_object_storage(config(), kNothing, {.usual_directory = root});
  ASSERT_TRUE(usual.has_value()) << usual.error().message;
  EXPECT_EQ(usual->directory, root);
  EXPECT_EQ(usual->s3, nullptr);
  EXPECT_TRUE(usual->store->put("s3://leat/a", "x").has_value());
  std::filesystem::remove_all(root);
}

TEST(ObjectStorage, KeysOfAnotherKindAreRefused) {
  const auto refusal = [](const std::map<std::string, std::string>& keys) {
    const Status checked = check_store_keys(config(keys));
    return checked ? "taken" : checked.error().message;
  };
  EXPECT_EQ(refusal({{"LEAT_STORE_ADDRESSING", "auto"}, {"LEAT_STORE_DIRECTORY", "/d"}}), "taken");
  for (const char* key : {"LEAT_STORE_REGION", "LEAT_STORE_ENDPOINT", "LEAT_STORE_PROFILE"}) {
    EXPECT_THAT(refusal({{key, "x"}}), HasSubstr("set store.kind: s3")) << key;
  }
  EXPECT_THAT(refusal({{"LEAT_STORE_ENCRYPTION", "AES256"}}),
              HasSubstr("store.encryption (environment) is for store.kind: s3"));
  EXPECT_THAT(refusal({{"LEAT_STORE_KIND", "s3"}, {"LEAT_STORE_DIRECTORY", "/d"}}),
              HasSubstr("set store.kind: directory"));
  EXPECT_EQ(refusal({{"LEAT_STORE_PROFILE", "x"}, {"LEAT_DESTINATION_COPY_AUTHORIZATION", "keys"}}),
            "taken");
}

TEST(ObjectStorage, S3AtAwsNeedsARegion) {
  const auto none = open_object_storage(config({{"LEAT_STORE_KIND", "s3"}}), kNothing, {});
  EXPECT_EQ(none.error().code, Errc::kInvalid);
  EXPECT_THAT(none.error().message, HasSubstr("set store.region"));
  const auto own = open_object_storage(
      config({{"LEAT_STORE_KIND", "s3"}, {"LEAT_STORE_REGION", "eu-west-1"}}), kNothing, {});
  ASSERT_TRUE(own.has_value());
  ASSERT_NE(own->s3, nullptr);
  EXPECT_EQ(own->s3->endpoint(), "https://s3.eu-west-1.amazonaws.com");
  Environment region = kNothing;
  region["AWS_REGION"] = "eu-central-1";
  const auto from_aws = open_object_storage(config({{"LEAT_STORE_KIND", "s3"}}), region, {});
  EXPECT_EQ(from_aws->s3->endpoint(), "https://s3.eu-central-1.amazonaws.com");
}

TEST(ObjectStorage, EndpointsOfOnesOwn) {
  Environment environment = kNothing;
  environment["AWS_ENDPOINT_URL_S3"] = "http://127.0.0.1:9000";
  const auto from_aws = open_object_storage(config({{"LEAT_STORE_KIND", "s3"}}), environment, {});
  ASSERT_TRUE(from_aws.has_value()) << from_aws.error().message;
  EXPECT_EQ(from_aws->s3->endpoint(), "http://127.0.0.1:9000");
  const auto own = open_object_storage(
      config({{"LEAT_STORE_KIND", "s3"}, {"LEAT_STORE_ENDPOINT", "https://minio.example"}}),
      environment, {});
  EXPECT_EQ(own->s3->endpoint(), "https://minio.example");
  const auto bad = open_object_storage(
      config({{"LEAT_STORE_KIND", "s3"}, {"LEAT_STORE_ENDPOINT", "minio:9000"}}), environment, {});
  EXPECT_EQ(bad.error().code, Errc::kInvalid);
}

TEST(ObjectStorage, KeysBelongTogether) {
  const auto half = open_object_storage(config({{"LEAT_STORE_KIND", "s3"},
                                                {"LEAT_STORE_REGION", "eu-west-1"},
                                                {"LEAT_STORE_SECRET_ACCESS_KEY", "hidden"}}),
                                        kNothing, {});
  EXPECT_EQ(half.error().code, Errc::kInvalid);
  EXPECT_EQ(half.error().message.find("hidden"), std::string::npos);
  const auto both = open_object_storage(config({{"LEAT_STORE_KIND", "s3"},
                                                {"LEAT_STORE_REGION", "eu-west-1"},
                                                {"LEAT_STORE_ACCESS_KEY_ID", "AKID"},
                                                {"LEAT_STORE_SECRET_ACCESS_KEY", "hidden"}}),
                                        kNothing, {});
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->credentials->get()->secret.access_key_id, "AKID");
  Environment bundle = kNothing;
  bundle["AWS_CA_BUNDLE"] = "/nowhere.pem";
  EXPECT_EQ(open_object_storage(config({{"LEAT_STORE_KIND", "s3"}}), bundle, {}).error().code,
            Errc::kNotFound);
}

TEST(ObjectStorage, KeysOfAStatementOpenTheFolderIfTheyAreKnown) {
  const std::string root = testing::TempDir() + "/leat-object-storage-keys";
  const auto folder = open_object_storage(config(), kNothing, {.usual_directory = root});
  const std::vector<dataapi::AccessKey> known = {{"LEAT1", "secret-of-leat-1", "leat"}};
  const auto opened = open_with_keys(*folder, known, {"LEAT1", "secret-of-leat-1", ""});
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(opened->get(), folder->store.get());
  const transfer::ObjectKeys wrong[] = {{"LEAT2", "secret-of-leat-1", ""},
                                        {"LEAT1", "hidden", ""},
                                        {"LEAT1", "secret-of-leat-1", "t"}};
  for (const transfer::ObjectKeys& keys : wrong) {
    const auto refused = open_with_keys(*folder, known, keys);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::kDenied);
    EXPECT_EQ(refused.error().message.find("hidden"), std::string::npos);
  }
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace leat::app
