#include "app/config_text.h"

#include <gtest/gtest.h>

#include <string>

#include "app/config.h"
#include "app/file_text.h"
#include "app/program.h"

namespace leat::app {
namespace {

TEST(ConfigText, TheSampleGivesTheDefaults) {
  const auto loaded = load_config({.yaml_path = "leat.yml", .yaml_text = sample_yaml()});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_TRUE(loaded->config.origins.empty());
  ASSERT_EQ(loaded->config.sources.size(), 1U);
}

// Every commented key must be right once it is uncommented.
TEST(ConfigText, TheSampleUncommentedIsValid) {
  std::string text;
  const std::string sample = sample_yaml();
  std::size_t at = 0;
  while (at < sample.size()) {
    const std::size_t end = sample.find('\n', at);
    std::string line = sample.substr(at, end - at);
    at = end + 1;
    const std::size_t hash = line.find("# ");
    const std::size_t colon = line.find(": ");
    const bool key = hash != std::string::npos && colon != std::string::npos &&
                     line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", hash + 2) == colon;
    if (key) line.erase(hash, 2);
    text += line + "\n";
  }
  const auto loaded = load_config({.yaml_path = "leat.yml", .yaml_text = text});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message << "\n" << text;
  EXPECT_TRUE(loaded->config.origins.contains("collect.listen"));
  EXPECT_TRUE(loaded->config.origins.contains("sources.web.enabled"));
}

TEST(ConfigText, TheSampleSecretsLoad) {
  const auto loaded = load_config({.env_file_path = ".env", .env_file_text = sample_env_file("k")});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(loaded->config.sources[0].write_key, "k");
}

TEST(ConfigText, TheReferencePageIsTheTable) {
  const auto page = read_text_file(LEAT_CONFIGURATION_PAGE);
  ASSERT_TRUE(page.has_value()) << page.error().message;
  EXPECT_EQ(*page, configuration_page())
      << "run: build/dev/leat reference configuration > docs/reference/configuration.md";
}

TEST(ConfigText, TheCommandLinePageIsTheTable) {
  const auto page = read_text_file(LEAT_CLI_PAGE);
  ASSERT_TRUE(page.has_value()) << page.error().message;
  EXPECT_EQ(*page, cli_page()) << "run: build/dev/leat reference cli > docs/reference/cli.md";
}

}  // namespace
}  // namespace leat::app
