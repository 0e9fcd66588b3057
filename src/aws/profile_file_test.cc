#include "aws/profile_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::aws {
namespace {

using testing::ElementsAre;

TEST(ProfileFile, ReadsWhatAwsToolsWrite) {
  const auto read = parse_profile_text(
      "# comment\n"
      "[default]\n"
      "region = eu-west-1\n"
      "Output: json\r\n"
      "\n"
      "[profile dev]\n"
      "aws_access_key_id=AKID\n"
      "aws_secret_access_key = a=b:c # not a comment\n"
      "; comment\n"
      "s3 =\n"
      "  addressing_style = path\n"
      "  max_concurrent_requests: 4\n"
      "role_arn = arn:aws:iam::1:role/x\n"
      "[profile \"my name\"]\n"
      "region =\n"
      "[sso-session  corp]\n"
      "sso_region = us-east-1\n"
      "long = one\n"
      "  two\n",
      "config");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->at("default").at("region"), "eu-west-1");
  EXPECT_EQ(read->at("default").at("output"), "json");
  const Settings& dev = read->at("profile dev");
  EXPECT_EQ(dev.at("aws_secret_access_key"), "a=b:c # not a comment");
  EXPECT_EQ(dev.at("s3.addressing_style"), "path");
  EXPECT_EQ(dev.at("s3.max_concurrent_requests"), "4");
  EXPECT_EQ(dev.at("role_arn"), "arn:aws:iam::1:role/x");
  EXPECT_EQ(read->at("profile my name").at("region"), "");
  EXPECT_EQ(read->at("sso-session corp").at("sso_region"), "us-east-1");
  EXPECT_EQ(read->at("sso-session corp").at("long"), "one\ntwo");
  EXPECT_TRUE(parse_profile_text("", "x")->empty());
}

TEST(ProfileFile, NamesTheBrokenLineAndNotItsText) {
  for (const auto& [text, line] :
       std::vector<std::pair<std::string, std::string>>{{"key = HIDDEN\n", "f:1:"},
                                                        {"[a]\nHIDDEN\n", "f:2:"},
                                                        {"[a\nb = HIDDEN", "f:1:"},
                                                        {"[a]\n= HIDDEN", "f:2:"},
                                                        {"[a]\ns3 =\n  HIDDEN\n", "f:3:"}}) {
    const auto read = parse_profile_text(text, "f");
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, Errc::kInvalid);
    EXPECT_TRUE(read.error().message.starts_with(line)) << read.error().message;
    EXPECT_EQ(read.error().message.find("HIDDEN"), std::string::npos);
  }
}

TEST(SplitCommand, AsAShellDoes) {
  EXPECT_THAT(split_command("/bin/tool --a b").value(), ElementsAre("/bin/tool", "--a", "b"));
  EXPECT_THAT(split_command("'a b' \"c \\\" d\" e\\ f '' $HOME").value(),
              ElementsAre("a b", "c \" d", "e f", "", "$HOME"));
  EXPECT_THAT(split_command("  ").value(), ElementsAre());
  EXPECT_THAT(split_command("a'b'\"c\"").value(), ElementsAre("abc"));
  EXPECT_FALSE(split_command("a 'b").has_value());
}

}  // namespace
}  // namespace leat::aws
