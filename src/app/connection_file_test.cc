#include "app/connection_file.h"

#include <gtest/gtest.h>

#include "app/data_directory.h"
#include "app/file_text.h"

namespace leat::app {
namespace {

ConnectionFile sample() {
  ConnectionFile file;
  file.collect_url = "http://127.0.0.1:8080";
  file.console_url = "http://127.0.0.1:8081";
  file.sources = {{"web", "key", "web"}, {"shop-app", "k\"2", "shop"}};
  file.warehouse_host = "127.0.0.1";
  file.warehouse_port = 5439;
  file.warehouse_user = "leat";
  file.warehouse_password = "secret";
  file.warehouse_database = "dev";
  return file;
}

TEST(ConnectionFile, HasExactlyThePromisedMembers) {
  std::string text = to_json(sample());
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  EXPECT_EQ(
      text,
      R"({"collect":{"url":"http://127.0.0.1:8080"},"console":{"url":"http://127.0.0.1:8081"},)"
      R"("data_api":{"url":null},"sources":[{"name":"web","write_key":"key","schema":"web"},)"
      R"({"name":"shop-app","write_key":"k\"2","schema":"shop"}],"warehouse":)"
      R"({"host":"127.0.0.1","port":5439,)"
      R"("user":"leat","password":"secret","database":"dev"}})");
}

TEST(ConnectionFile, TellsTheAccessKeyWithTheDataApi) {
  ConnectionFile file = sample();
  file.data_api_url = "http://127.0.0.1:8082";
  file.data_api_access_key_id = "LEAT0000000000000000";
  file.data_api_secret_access_key = "secret";
  file.data_api_region = "us-east-1";
  file.data_api_cluster_identifier = "leat";
  file.data_api_workgroup_name = "leat";
  std::string text = to_json(file);
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  EXPECT_NE(text.find(R"("data_api":{"url":"http://127.0.0.1:8082",)"
                      R"("access_key_id":"LEAT0000000000000000","secret_access_key":"secret",)"
                      R"("region":"us-east-1","cluster_identifier":"leat",)"
                      R"("workgroup_name":"leat"})"),
            std::string::npos)
      << text;
  const auto read = parse_connection_file(text);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(to_json(*read), to_json(file));
}

TEST(ConnectionFile, ReadsBack) {
  const auto file = parse_connection_file(to_json(sample()));
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(to_json(*file), to_json(sample()));
}

TEST(ConnectionFile, RefusesWhatItDidNotWrite) {
  for (const char* text :
       {"", "[]", "{}", "{\"warehouse\":{\"port\":\"x\"}}", "{\"warehouse\":{\"port\":70000}}",
        "{\"sources\":[1],\"warehouse\":{\"port\":1}}"}) {
    EXPECT_FALSE(parse_connection_file(text).has_value()) << text;
  }
}

TEST(ConnectionFile, SaysHowToStartWhenNothingRuns) {
  const auto file = read_connection_file("/nowhere/leat-data");
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, Errc::kUnavailable);
  EXPECT_EQ(file.error().message,
            "nothing runs in /nowhere/leat-data (no /nowhere/leat-data/connection.json); start it "
            "with: leat up --data "
            "/nowhere/leat-data");
}

}  // namespace
}  // namespace leat::app
