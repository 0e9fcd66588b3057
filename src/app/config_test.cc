#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"

namespace leat::app {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What loading leat.yml with `text` complains about; empty when it is fine.
std::string mistakes(std::string_view text) {
  const auto loaded = load_config({.yaml_path = "leat.yml", .yaml_text = std::string(text)});
  return loaded ? "" : loaded.error().message;
}

TEST(Config, NothingGivesDefaultsAndTheSourceWeb) {
  const auto loaded = load_config({});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(loaded->config.data, "./leat-data");
  EXPECT_EQ(loaded->config.collect_listen, "127.0.0.1:8080");
  EXPECT_EQ(loaded->config.sync_every_us, kUsPerMinute);
  ASSERT_EQ(loaded->config.sources.size(), 1U);
  EXPECT_EQ(loaded->config.sources[0].name, "web");
  EXPECT_TRUE(loaded->config.sources[0].enabled);
  EXPECT_THAT(loaded->warnings, IsEmpty());
  EXPECT_THAT(loaded->config.origins, IsEmpty());
}

TEST(Config, LaterLayersWin) {
  ConfigInputs inputs{
      .yaml_path = "leat.yml",
      .yaml_text =
          "sync:\n  every: 2m\ncollect:\n  listen: 127.0.0.1:1\nconsole:\n  listen: localhost:1\n"
          "warehouse:\n  listen: 127.0.0.1:1",
      .env_file_path = ".env",
      .env_file_text =
          "LEAT_COLLECT_LISTEN=127.0.0.1:2\nLEAT_CONSOLE_LISTEN=127.0.0.1:2\n"
          "LEAT_WAREHOUSE_LISTEN=127.0.0.1:2\nOTHER=x\n",
      .environment = {{"LEAT_CONSOLE_LISTEN", "127.0.0.1:3"},
                      {"LEAT_WAREHOUSE_LISTEN", "127.0.0.1:3"},
                      {"LEAT_DATA", ""}},
      .flags = {{"warehouse.listen", "127.0.0.1:4"}}};
  const auto loaded = load_config(inputs);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(loaded->config.sync_every_us, 2 * kUsPerMinute);
  EXPECT_EQ(loaded->config.collect_listen, "127.0.0.1:2");
  EXPECT_EQ(loaded->config.console_listen, "127.0.0.1:3");
  EXPECT_EQ(loaded->config.warehouse_listen, "127.0.0.1:4");
  EXPECT_EQ(loaded->config.data, "./leat-data");  // an empty variable is not set
  EXPECT_EQ(loaded->config.origins.at("sync.every"), "leat.yml:2");
  EXPECT_EQ(loaded->config.origins.at("collect.listen"), ".env:1");
  EXPECT_EQ(loaded->config.origins.at("console.listen"), "environment");
  EXPECT_EQ(loaded->config.origins.at("warehouse.listen"), "command line");
}

TEST(Config, ReadsSources) {
  const auto loaded = load_config(
      {.yaml_path = "leat.yml",
       .yaml_text = "sources:\n  web:\n  shop-app:\n    schema: shop\n    enabled: false\n",
       .env_file_path = ".env",
       .env_file_text = "LEAT_SOURCES_SHOP_APP_WRITE_KEY=k1\n",
       .environment = {{"LEAT_SOURCES", "web, mobile"}, {"LEAT_SOURCES_MOBILE_WRITE_KEY", "k2"}}});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  std::vector<std::string> seen;
  for (const SourceConfig& source : loaded->config.sources) {
    seen.push_back(source.name + "/" + source.write_key + "/" + source.schema +
                   (source.enabled ? "" : "/off"));
  }
  EXPECT_THAT(seen, ElementsAre("web//", "shop-app/k1/shop/off", "mobile/k2/"));
}

TEST(Config, NamesFileLineKeyAndWhatIsAllowed) {
  const std::string top_level =
      "data, log_level, collect, journal, store, archive, sync, destination, notify, console, "
      "warehouse, "
      "data_api, sources";
  const std::vector<std::pair<std::string_view, std::string>> cases = {
      {"colect:\n  listen: 1",
       "leat.yml:1: colect: unknown key; did you mean 'collect'?; allowed: " + top_level},
      {"collect:\n  lisen: 127.0.0.1:1",
       "leat.yml:2: collect.lisen: unknown key; did you mean 'listen'?; allowed: listen, "
       "threads, connections_max, request_timeout, hold_timeout, body_bytes_max, event_bytes_max, "
       "batch_events_max, trusted_proxies, tls_certificate, tls_key"},
      {"collect.listen: 127.0.0.1:1",
       "leat.yml:1: collect.listen: unknown key; allowed: " + top_level},
      {"sync:\n  every: soon",
       "leat.yml:2: sync.every: 'soon' is not a duration; allowed: a duration from 10ms to 7d, "
       "written with ms, s, m, h or d"},
      {"warehouse:\n  queues: load=many",
       "leat.yml:2: warehouse.queues: 'load=many' is not a list of queues; allowed: "
       "QUEUE=STATEMENTS, separated by commas, such as 'load=2, default=8'"},
      {"warehouse:\n  allowed_addresses: alice=nowhere",
       "leat.yml:2: warehouse.allowed_addresses: 'alice=nowhere' is not a list of users and "
       "networks; allowed: USER=NETWORKS, separated by commas, where * stands for every user that "
       "is not named, such as 'alice=10.0.0.0/8 192.168.1.7, *=10.1.0.0/16'"},
      {"\nsync: 5s",
       "leat.yml:2: sync: is a group of keys; allowed below it: every, cron, hours, "
       "time_zone, manual, transaction_bytes_max"},
      {"sync:\n  every: [1, 2]",
       "leat.yml:2: sync.every: holds more than one value; allowed: a duration from 10ms to 7d, "
       "written with ms, s, m, h or d"},
      {"sync:\n  every: 5s\n  every: 6s", "leat.yml:3: sync.every: given twice; allowed: once"},
      {"- a", "leat.yml:1: the file is not a mapping; allowed: KEY: VALUE lines"},
      {"sources: [web]", "leat.yml:1: sources: is a group; allowed below it: NAME: and its keys"},
      {"sources:\n  a/b:",
       "leat.yml:2: sources: 'a/b' is not a name of a source; allowed: 1 to 64 of A-Z, a-z, 0-9, - "
       "and _"},
      {"sources:\n  web:\n    key: x",
       "leat.yml:3: sources.web.key: unknown key; allowed: write_key, schema, enabled, "
       "events_per_second_max, tracking_plan, sync, exclude_events, exclude_tables, "
       "exclude_columns"},
      {"sources:\n  web:\n    enabled: yes",
       "leat.yml:3: sources.web.enabled: 'yes' is not true or false; allowed: true or "
       "false"},
      {"sources:\n  web: x",
       "leat.yml:2: sources.web: is a group of keys; allowed below it: write_key, schema, enabled, "
       "events_per_second_max, tracking_plan, sync, exclude_events, exclude_tables, "
       "exclude_columns"},
      {"sources:\n  a-b:\n  a_b:",
       "sources: 'a-b' and 'a_b' have the same name in the environment; allowed: one of each"},
      {"sources:\n  a:\n    schema: x\n  b:\n    schema: x",
       "sources: 'a' and 'b' have the same schema; allowed: one of each"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(mistakes(text), expected) << text;
}

TEST(Config, TellsWhereYamlBreaks) {
  EXPECT_THAT(mistakes("collect:\n  listen: \"x\n"), ::testing::StartsWith("leat.yml:"));
  EXPECT_THAT(mistakes("a: b: c"), ::testing::HasSubstr("not YAML"));
}

TEST(Config, CollectsEveryMistake) {
  EXPECT_EQ(mistakes("log_level: loud\nsync:\n  every: 1y"),
            "leat.yml:1: log_level: 'loud' is not one of the choices; allowed: one of debug, info, "
            "warning, error\n"
            "leat.yml:3: sync.every: '1y' is not a duration; allowed: a duration from 10ms to 7d, "
            "written with ms, s, m, h "
            "or d");
}

TEST(Config, KeysWithoutValuesKeepTheirDefaults) {
  EXPECT_EQ(mistakes("collect:\n  listen:\nsync:\nsources:\n"), "");
}

TEST(Config, UnknownVariablesAreMistakesInTheFileAndRemarksInTheEnvironment) {
  const auto file =
      load_config({.env_file_path = ".env", .env_file_text = "X=1\nLEAT_SYNC_EVRY=5s"});
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().message,
            ".env:2: LEAT_SYNC_EVRY: unknown variable; did you mean 'LEAT_SYNC_EVERY'?; allowed: "
            "the names in "
            "docs/reference/configuration.md");
  const auto loaded = load_config(
      {.environment = {
           {"LEAT_SYNC_EVRY", "5s"}, {"LEAT_SERVICE_HOST", "10.0.0.1"}, {"LEAT_CONFIG", "x"}}});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_THAT(
      loaded->warnings,
      ElementsAre(
          "environment: LEAT_SYNC_EVRY: unknown variable; did you mean 'LEAT_SYNC_EVERY'?"));
}

TEST(Config, BadVariablesNameTheVariable) {
  const auto loaded = load_config({.environment = {{"LEAT_SYNC_EVERY", "soon"}}});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().message,
            "environment: LEAT_SYNC_EVERY: 'soon' is not a duration; allowed: a duration from 10ms "
            "to 7d, written with ms, "
            "s, m, h or d");
}

TEST(Config, SecretsStayOutOfMessages) {
  const auto loaded = load_config(
      {.yaml_path = "leat.yml",
       .yaml_text = "sources:\n  a:\n    write_key: hunter2\n  b:\n    write_key: hunter2"});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().message.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace leat::app
