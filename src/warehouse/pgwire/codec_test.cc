#include "warehouse/pgwire/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::pgwire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

using namespace std::string_literals;

std::string int32_text(std::int32_t value) {
  std::string out;
  MessageWriter(out).int32(value);
  return out;
}

TEST(Codec, ReadsFirstMessages) {
  EXPECT_TRUE(
      std::holds_alternative<SslRequest>(*parse_first_message(int32_text(kSslRequestCode))));
  EXPECT_TRUE(
      std::holds_alternative<GssEncRequest>(*parse_first_message(int32_text(kGssEncRequestCode))));
  const auto cancel =
      parse_first_message(int32_text(kCancelRequestCode) + int32_text(77) + int32_text(-5));
  ASSERT_TRUE(cancel);
  EXPECT_EQ(std::get<CancelRequest>(*cancel).process_id, 77);
  EXPECT_EQ(std::get<CancelRequest>(*cancel).secret_key, -5);
  const auto startup = parse_first_message(int32_text(kProtocolVersion3) +
                                           "user\0leat\0database\0dev\0unheard_of\0\0\0"s);
  ASSERT_TRUE(startup);
  EXPECT_THAT(std::get<StartupRequest>(*startup).parameters,
              ElementsAre(Pair("user", "leat"), Pair("database", "dev"), Pair("unheard_of", "")));
}

TEST(Codec, RefusesMalformedFirstMessages) {
  const std::string cases[] = {
      "",
      "\0\0\1"s,
      int32_text(kSslRequestCode) + "x",
      int32_text(kCancelRequestCode) + int32_text(1),
      int32_text(kCancelRequestCode) + int32_text(1) + int32_text(1) + "x",
      int32_text(kProtocolVersion3),
      int32_text(kProtocolVersion3) + "user\0leat"s,
      int32_text(kProtocolVersion3) + "user\0leat\0"s,
      int32_text(kProtocolVersion3) + "user\0leat\0x"s,
      int32_text(2 << 16) + "\0"s,
  };
  for (const std::string& bytes : cases)
    EXPECT_FALSE(parse_first_message(bytes)) << testing::PrintToString(bytes);
}

TEST(Codec, SplitsOptions) {
  EXPECT_THAT(parse_options("-c a=1 -cb=2 --c=3 -x ignored -c d\\ d=4\\\\ -c"),
              ElementsAre(Pair("a", "1"), Pair("b", "2"), Pair("c", "3"), Pair("d d", "4\\")));
  EXPECT_THAT(parse_options("  "), IsEmpty());
  EXPECT_THAT(parse_options("-c =x --y"), IsEmpty());
}

TEST(Codec, ReadsClientMessages) {
  // The messages are views into their payloads, so these must outlive them.
  const std::string query_bytes = "select 1\0"s;
  EXPECT_EQ(std::get<QueryMessage>(*parse_client_message('Q', query_bytes)).text, "select 1");
  const std::string parse_bytes = "s\0select $1\0\0\1\0\0\0\x17"s;
  const auto parse = parse_client_message('P', parse_bytes);
  ASSERT_TRUE(parse);
  EXPECT_EQ(std::get<ParseMessage>(*parse).statement, "s");
  EXPECT_EQ(std::get<ParseMessage>(*parse).text, "select $1");
  EXPECT_THAT(std::get<ParseMessage>(*parse).parameter_types, ElementsAre(23U));

  const std::string bind_bytes = "p\0s\0\0\1\0\1\0\2\0\0\0\3abc\xff\xff\xff\xff\0\1\0\1"s;
  const auto bind = parse_client_message('B', bind_bytes);
  ASSERT_TRUE(bind);
  const auto& message = std::get<BindMessage>(*bind);
  EXPECT_EQ(message.portal, "p");
  EXPECT_THAT(message.parameter_formats, ElementsAre(1));
  EXPECT_THAT(message.parameters,
              ElementsAre(testing::Optional(std::string_view("abc")), std::nullopt));
  EXPECT_THAT(message.result_formats, ElementsAre(1));

  const std::string describe_bytes = "Sx\0"s;
  EXPECT_EQ(std::get<DescribeMessage>(*parse_client_message('D', describe_bytes)).target,
            Target::kStatement);
  const std::string close_bytes = "Px\0"s;
  EXPECT_EQ(std::get<CloseMessage>(*parse_client_message('C', close_bytes)).name, "x");
  const std::string execute_bytes = "p\0\0\0\0\5"s;
  EXPECT_EQ(std::get<ExecuteMessage>(*parse_client_message('E', execute_bytes)).row_limit, 5);
  EXPECT_TRUE(std::holds_alternative<FlushMessage>(*parse_client_message('H', "")));
  EXPECT_TRUE(std::holds_alternative<SyncMessage>(*parse_client_message('S', "")));
  EXPECT_TRUE(std::holds_alternative<TerminateMessage>(*parse_client_message('X', "")));
}

TEST(Codec, RefusesMalformedClientMessages) {
  const std::pair<char, std::string> cases[] = {
      {'Q', ""s},
      {'Q', "select 1"s},
      {'Q', "a\0b"s},
      {'P', "s\0select 1\0"s},
      {'P', "s\0select 1\0\0\1"s},
      {'P', "s\0select 1\0\xff\xff\0\0\0\1"s},
      {'B', "p\0s\0\0\0\0\1\0\0\0\5abc\0\0"s},       // parameter longer than the message
      {'B', "p\0s\0\0\0\0\1\xff\xff\xff\xfe\0\0"s},  // length -2
      {'B', "p\0s\0\0\1\0\7\0\0\0\0"s},              // format 7
      {'B', "p\0s\0\0\2\0\0\0\0\0\1\0\0\0\0\0\0"s},  // two formats for one parameter
      {'B', "p\0s\0\0\0\0\0\0\0x"s},                 // bytes after the end
      {'B', "p\0s\0\0\0\xff\xff\0\0"s},              // 65535 parameters promised
      {'D', "Qx\0"s},
      {'D', "S"s},
      {'C', "Sx"s},
      {'E', "p\0\0\0\0"s},
      {'H', "x"s},
      {'S', "x"s},
      {'z', ""s},
  };
  for (const auto& [type, payload] : cases) {
    EXPECT_FALSE(parse_client_message(type, payload)) << type << testing::PrintToString(payload);
  }
}

TEST(Codec, ReadsPasswords) {
  const std::string password = "secret\0"s;
  EXPECT_EQ(*parse_password(password), "secret");
  EXPECT_FALSE(parse_password("secret"));
  EXPECT_FALSE(parse_password("a\0b\0"s));
  const std::string digest_bytes = "\0\0\0\2ab\0\0\0\1c"s;
  const auto digest = parse_digest_response(digest_bytes);
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->digest, "ab");
  EXPECT_EQ(digest->client_nonce, "c");
  EXPECT_FALSE(parse_digest_response("\0\0\0\2ab\0\0\0\2c"s));
  EXPECT_FALSE(parse_digest_response("\xff\xff\xff\xff\0\0\0\0"s));
}

TEST(Codec, WritesMessages) {
  std::string out;
  MessageWriter writer(out);
  writer.ready_for_query('I');
  EXPECT_EQ(out, "Z\0\0\0\5I"s);
  out.clear();
  writer.parameter_status("a", "b");
  EXPECT_EQ(out, "S\0\0\0\x08"s + "a\0b\0"s);
  out.clear();
  writer.authentication_digest("salt", "nonce");
  EXPECT_EQ(out, "R\0\0\0\x1d\0\0\0\x0d\0\0\0\0\0\0\0\4salt\0\0\0\5nonce"s);
  out.clear();
  append_diagnostic(out, 'E',
                    {.severity = "ERROR", .sqlstate = "42P01", .message = "m\0x"s, .position = 7});
  EXPECT_EQ(out, "E\0\0\0\x19SERROR\0C42P01\0Mm\0P7\0\0"s);
}

}  // namespace
}  // namespace leat::pgwire
