#include "warehouse/transfer/object_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::transfer {
namespace {

// As "id/secret/token", "a role", or the error's message.
std::string read_keys(const sql::Credentials& credentials) {
  const auto keys = object_keys(credentials);
  if (!keys) return keys.error().message;
  if (!*keys) return "a role";
  return (*keys)->access_key_id + "/" + (*keys)->secret_access_key + "/" + (*keys)->session_token;
}

TEST(ObjectKeys, AreReadInBothForms) {
  sql::Credentials role;
  role.iam_role_default = true;
  EXPECT_EQ(read_keys(role), "a role");
  sql::Credentials pair;
  pair.access_key_id = "A";
  pair.secret_access_key = "s/+=";
  EXPECT_EQ(read_keys(pair), "A/s/+=/");
  pair.session_token = "t";
  EXPECT_EQ(read_keys(pair), "A/s/+=/t");
  sql::Credentials text;
  text.credentials = "aws_iam_role=arn:aws:iam::1:role/r";
  EXPECT_EQ(read_keys(text), "a role");
  text.credentials = "aws_access_key_id=A;aws_secret_access_key=s=;token=t";
  EXPECT_EQ(read_keys(text), "A/s=/t");
}

TEST(ObjectKeys, RefusesHalvesWithoutShowingThem) {
  sql::Credentials half;
  half.access_key_id = "A";
  EXPECT_EQ(read_keys(half), "an access key needs both its id and its secret");
  sql::Credentials token;
  token.session_token = "t";
  EXPECT_EQ(read_keys(token), "an access key needs both its id and its secret");
  for (const char* credentials :
       {"hushhush", "aws_secret_access_key=hushhush", "key=hushhush",
        "aws_iam_role=r;aws_access_key_id=A;aws_secret_access_key=hushhush"}) {
    sql::Credentials text;
    text.credentials = credentials;
    const auto refused = object_keys(text);
    ASSERT_FALSE(refused.has_value()) << credentials;
    EXPECT_EQ(refused.error().sqlstate, "42601");
    EXPECT_THAT(refused.error().message, testing::Not(testing::HasSubstr("hushhush")));
  }
}

}  // namespace
}  // namespace leat::transfer
