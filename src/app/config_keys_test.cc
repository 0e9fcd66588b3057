#include "app/config_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/time.h"

namespace leat::app {
namespace {

TEST(ConfigKeys, ReadsDurations) {
  const auto read = [](std::string_view text) { return parse_duration_us(text).value_or(-1); };
  EXPECT_EQ(read("250ms"), 250'000);
  EXPECT_EQ(read("5s"), 5 * kUsPerSecond);
  EXPECT_EQ(read("1m"), kUsPerMinute);
  EXPECT_EQ(read("12h"), 12 * kUsPerHour);
  EXPECT_EQ(read("2d"), 2 * kUsPerDay);
  EXPECT_EQ(read("0s"), 0);
  for (const char* bad : {"", "5", "s", "5 s", "-5s", "1.5s", "5S", "5sec", "99999999999999999999s",
                          "9223372036854775807d"}) {
    EXPECT_EQ(read(bad), -1) << bad;
  }
}

TEST(ConfigKeys, ReadsSizes) {
  const auto read = [](std::string_view text) { return parse_bytes(text).value_or(-1); };
  EXPECT_EQ(read("0"), 0);
  EXPECT_EQ(read("1048576"), 1048576);
  EXPECT_EQ(read("64MiB"), 64 << 20);
  EXPECT_EQ(read("2GB"), 2'000'000'000);
  EXPECT_EQ(read("7B"), 7);
  for (const char* bad : {"", "MiB", "64 MiB", "64mib", "-1", "1.5GiB", "9223372036854775807KiB"}) {
    EXPECT_EQ(read(bad), -1) << bad;
  }
}

TEST(ConfigKeys, WritesTheLargestWholeUnit) {
  EXPECT_EQ(duration_text(300 * kUsPerSecond), "5m");
  EXPECT_EQ(duration_text(90 * kUsPerSecond), "90s");
  EXPECT_EQ(duration_text(10'000), "10ms");
  EXPECT_EQ(bytes_text(64 << 20), "64MiB");
  EXPECT_EQ(bytes_text(1000), "1000");
  EXPECT_EQ(bytes_text(0), "0");
}

// The table itself: what parsing, documentation and flags rely on.
TEST(ConfigKeys, EveryKeyIsSoundAndNamedOnce) {
  std::set<std::string> variables;
  std::set<std::string> flags;
  for (const Key& key : config_keys()) {
    EXPECT_TRUE(parse_key_value(key, key.fallback).has_value()) << key.path;
    EXPECT_TRUE(variables.insert(env_name(key.path)).second) << key.path;
    EXPECT_TRUE(flags.insert(flag_name(key.path)).second) << key.path;
    EXPECT_FALSE(key.about.empty()) << key.path;
    EXPECT_EQ(key.type == KeyType::kChoice, !key.choices.empty()) << key.path;
    EXPECT_LE(key.min, key.max) << key.path;
  }
}

TEST(ConfigKeys, NamesVariablesAndFlags) {
  EXPECT_EQ(env_name("collect.listen"), "LEAT_COLLECT_LISTEN");
  EXPECT_EQ(env_name("sources.shop-app.write_key"), "LEAT_SOURCES_SHOP_APP_WRITE_KEY");
  EXPECT_EQ(flag_name("collect.request_timeout"), "--collect-request-timeout");
}

TEST(ConfigKeys, SaysWhatIsAllowed) {
  const auto message = [](std::string_view path, std::string_view text) {
    for (const Key& key : config_keys()) {
      if (key.path == path) {
        const auto value = parse_key_value(key, text);
        return value ? std::string("fine") : value.error().message;
      }
    }
    return std::string("no such key");
  };
  EXPECT_EQ(message("sync.every", "soon"),
            "'soon' is not a duration; allowed: a duration from 10ms to 7d, written with ms, s, m, "
            "h or d");
  EXPECT_EQ(
      message("sync.every", "8d"),
      "'8d' is out of range; allowed: a duration from 10ms to 7d, written with ms, s, m, h or d");
  EXPECT_EQ(message("collect.listen", "8080"),
            "'8080' is not an address; allowed: HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080; "
            "port 0 takes a free "
            "one");
  EXPECT_EQ(message("log_level", "loud"),
            "'loud' is not one of the choices; allowed: one of debug, info, warning, error");
  EXPECT_EQ(
      message("archive.bucket", "My Bucket"),
      "'My Bucket' is not a name of a bucket; allowed: 3 to 63 of a-z, 0-9, . and -, starting "
      "and ending with a letter or digit");
  EXPECT_EQ(message("collect.threads", "257"),
            "'257' is out of range; allowed: a whole number from 0 to 256");
  EXPECT_EQ(message("collect.listen", "[::1]:0"), "fine");
}

TEST(ConfigKeys, NamesOfSources) {
  EXPECT_TRUE(is_source_name("web"));
  EXPECT_TRUE(is_source_name("Shop-App_2"));
  EXPECT_FALSE(is_source_name(""));
  EXPECT_FALSE(is_source_name("a/b"));
  EXPECT_FALSE(is_source_name(".."));
  EXPECT_FALSE(is_source_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace leat::app
