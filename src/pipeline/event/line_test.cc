#include "pipeline/event/line.h"

#include <gtest/gtest.h>

namespace leat::event {
namespace {

const TimeUs kReceived = *parse_iso8601("2026-11-20T14:03:05.123456Z");

TEST(LineWriter, WritesAllMembersInTheirOrder) {
  LineWriter writer;
  writer.begin_request({.received_at = kReceived,
                        .source = "web",
                        .type = "track",
                        .ip = "203.0.113.9",
                        .user_agent = "curl/8 \"x\"",
                        .sent_at = "2026-11-20T14:03:05Z",
                        .context_json = R"({"a":1})",
                        .integrations_json = R"({"All":true})"});
  std::string out;
  const EventPartsView event{
      .message_id = "m-1", .rejected = "id_not_string", .event_json = R"({"userId":42})"};
  writer.append(out, event);
  EXPECT_EQ(out,
            R"({"received_at":"2026-11-20T14:03:05.123456Z","source":"web","type":"track",)"
            R"("ip":"203.0.113.9","user_agent":"curl/8 \"x\"","message_id":"m-1",)"
            R"("sent_at":"2026-11-20T14:03:05Z","context":{"a":1},"integrations":{"All":true},)"
            R"("rejected":"id_not_string","event":{"userId":42}})"
            "\n");
  EXPECT_LE(out.size(), writer.bound(event));
  const auto line = parse_line(out);
  ASSERT_TRUE(line) << line.error().to_string();
  EXPECT_EQ(line->received_at, kReceived);
  EXPECT_EQ(line->source, "web");
  EXPECT_EQ(line->type, "track");
  EXPECT_EQ(line->ip, "203.0.113.9");
  EXPECT_EQ(line->user_agent, "curl/8 \"x\"");
  EXPECT_EQ(line->message_id, "m-1");
  EXPECT_EQ(line->sent_at, "2026-11-20T14:03:05Z");
  EXPECT_EQ(line->rejected, "id_not_string");
  EXPECT_EQ(line->context_json, R"({"a":1})");
  EXPECT_EQ(line->integrations_json, R"({"All":true})");
  EXPECT_EQ(line->event_json, R"({"userId":42})");
}

TEST(LineWriter, LeavesOutWhatIsAbsentAndForgetsTheRequestBefore) {
  LineWriter writer;
  writer.begin_request({.received_at = kReceived, .source = "a", .type = "page", .sent_at = "s"});
  writer.begin_request({.received_at = kReceived, .source = "b"});
  std::string out;
  writer.append(out, {.event_json = "{}"});
  EXPECT_EQ(out,
            "{\"received_at\":\"2026-11-20T14:03:05.123456Z\",\"source\":\"b\",\"event\":{}}\n");
}

TEST(LineWriter, KeepsEveryEventOnOneLine) {
  LineWriter writer;
  writer.begin_request({.received_at = kReceived, .source = "web", .context_json = "{\n}"});
  std::string out;
  writer.append(out, {.event_json = "{\r\n  \"a\": \"x\\ny\"\n}"});
  EXPECT_EQ(out.find('\n'), out.size() - 1);
  EXPECT_EQ(out.find('\r'), std::string::npos);
  const auto line = parse_line(out);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->event_json, "{    \"a\": \"x\\ny\" }");
}

TEST(LineWriter, RepairsHeaderBytesThatAreNotUtf8) {
  LineWriter writer;
  writer.begin_request(
      {.received_at = kReceived, .source = "web", .user_agent = "a\xff\xc3\xa9\xe6\x97z\x01"});
  std::string out;
  writer.append(out, {.event_json = "{}"});
  const auto line = parse_line(out);
  ASSERT_TRUE(line) << line.error().to_string();
  EXPECT_EQ(line->user_agent, "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbdz\x01");
}

TEST(ParseLine, AcceptsAnyValueAsARejectedEvent) {
  for (const auto* event : {"1", "null", "\"x\"", "[1]", "true"}) {
    LineWriter writer;
    writer.begin_request({.received_at = kReceived, .source = "web"});
    std::string out;
    writer.append(out, {.rejected = "bad_request", .event_json = event});
    const auto line = parse_line(out);
    ASSERT_TRUE(line);
    EXPECT_EQ(line->event_json, event);
  }
}

TEST(ParseLine, RefusesEverythingElse) {
  for (const auto* text :
       {"", "\n", "[]", "{}", R"({"event":{}})", R"({"received_at":"2026-11-20T14:03:05Z"})",
        R"({"received_at":"soon","source":"a","event":{}})",
        R"({"received_at":5,"source":"a","event":{}})",
        R"({"received_at":"2026-11-20T14:03:05Z","source":7,"event":{}})",
        R"({"source":"a","received_at":"2026-11-20T14:03:05Z","event":{}})",
        R"({"received_at":"2026-11-20T14:03:05Z","event":{},"source":"a"})",
        R"({"received_at":"2026-11-20T14:03:05Z","source":"a","source":"b","event":{}})",
        R"({"received_at":"2026-11-20T14:03:05Z","color":"a","event":{}})",
        R"({"received_at":"2026-11-20T14:03:05Z","source":"a","event":{}} x)",
        R"({"received_at":"2026-11-20T14:03:05Z","source":"a","event":{"a":}})"}) {
    EXPECT_FALSE(parse_line(text)) << text;
  }
}

}  // namespace
}  // namespace leat::event
