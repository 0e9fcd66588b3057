#include "pipeline/collect/intake.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "net/http.h"
#include "pipeline/collect/collect_test_support.h"
#include "pipeline/event/suppression.h"

namespace leat::collect {
namespace {

using event::EventType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const net::IpAddress kClient = *net::parse_ip_address("203.0.113.9");
const TimeUs kNow = *parse_iso8601("2026-11-20T14:03:05.123456Z");

Sources sources() {
  return *Sources::make({{.name = "web", .write_keys = {"web-key", "web-key-2"}},
                         {.name = "app", .write_keys = {"app-key"}},
                         {.name = "off", .write_keys = {"off-key"}, .enabled = false}});
}

class IntakeTest : public testing::Test {
 protected:
  std::optional<IntakeRefusal> read(std::string_view body, IntakeRequest request = {}) {
    padded_ = std::string(body) + std::string(net::kBodyPadding, 'x');
    request.body = std::string_view(padded_).substr(0, body.size());
    if (request.received_at.value == 0) request.received_at = kNow;
    return intake_.read(request);
  }
  /// Status of the answer: that of the refusal, or 200.
  int status(std::string_view body, const IntakeRequest& request = {}) {
    const auto refusal = read(body, request);
    return refusal ? refusal->status : 200;
  }
  /// The lines of one source, read back.
  std::vector<event::Line> lines(std::string_view source = "web") {
    std::vector<event::Line> all;
    for (const SourceLines& entry : intake_.lines()) {
      if (entry.source->name != source) continue;
      all = read_lines(entry.lines);
      const auto rejected = std::ranges::count_if(
          all, [](const event::Line& line) { return !line.rejected.empty(); });
      EXPECT_EQ(entry.events, all.size());
      EXPECT_EQ(entry.rejected, rejected);
    }
    return all;
  }
  std::vector<std::string> rejections(std::string_view source = "web") {
    std::vector<std::string> codes;
    for (const event::Line& line : lines(source)) codes.push_back(line.rejected);
    return codes;
  }

  Sources sources_ = sources();
  SeededRandom random_{7};
  Intake intake_{Limits{}, sources_, random_};
  std::string padded_;
};

constexpr std::string_view kGood =
    R"({"userId":"u","event":"E","messageId":"m","writeKey":"web-key"})";

TEST_F(IntakeTest, KeepsOneEventAsReceived) {
  const std::string body =
      "\xef\xbb\xbf \n{ \"userId\":\"u\",\n \"event\":\"Caf\xC3\xA9\\u0021\", "
      "\"writeKey\":\"web-key\", \"messageId\":\"m\"}\r\n";
  ASSERT_EQ(status(body, {.type = EventType::kTrack, .user_agent = "curl/8"}), 200);
  const auto read = lines();
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].received_at, kNow);
  EXPECT_EQ(read[0].source, "web");
  EXPECT_EQ(read[0].type, "track");
  EXPECT_EQ(read[0].user_agent, "curl/8");
  EXPECT_EQ(read[0].message_id, "");
  EXPECT_EQ(read[0].rejected, "");
  EXPECT_EQ(read[0].event_json,
            "{ \"userId\":\"u\",  \"event\":\"Caf\xC3\xA9\\u0021\", \"messageId\":\"m\"}");
}

// Of a suppressed person nothing reaches the journal but that there was an event.
TEST_F(IntakeTest, KeepsNothingOfASuppressedPerson) {
  event::SuppressionFeed feed;
  intake_ = Intake{Limits{}, sources_, random_, &feed};
  constexpr std::string_view kBatch =
      R"({"writeKey":"web-key","context":{"ip":"203.0.113.9"},"batch":[)"
      R"({"type":"track","event":"E","userId":"u1","messageId":"m1"},)"
      R"({"type":"track","event":"E","userId":"u2","messageId":"m2"},)"
      R"({"type":"identify","userId":"u3","anonymousId":"a1"}]})";
  ASSERT_EQ(status(kBatch), 200);
  EXPECT_EQ(lines().size(), 3U);

  event::SuppressionList list = event::SuppressionList::make(random_);
  list.add({event::PersonKey::kUserId, "u1"}, "", kNow);
  list.add({event::PersonKey::kAnonymousId, "a1"}, "web", kNow);
  feed.publish(std::make_shared<event::SuppressionList>(list));
  ASSERT_EQ(status(kBatch), 200);
  ASSERT_EQ(intake_.lines().size(), 1U);
  const SourceLines& kept = intake_.lines().front();
  EXPECT_EQ(kept.events, 3U);
  EXPECT_EQ(kept.suppressed, 2U);
  const auto read = read_lines(kept.lines);
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(kept.lines.substr(0, kept.lines.find('\n') + 1),
            event::removed_line(kNow, "web", event::kSuppressed));
  EXPECT_THAT(read[1].event_json, HasSubstr("m2"));
  EXPECT_EQ(read[2].rejected, event::kSuppressed);

  // An id that is sent as a number, and one longer than any row takes.
  const std::string long_id(2000, 'x');
  list.add({event::PersonKey::kUserId, "-42"}, "", kNow);
  list.add({event::PersonKey::kUserId, long_id}, "", kNow);
  feed.publish(std::make_shared<event::SuppressionList>(list));
  ASSERT_EQ(status(fmt::format(
                R"({{"writeKey":"web-key","batch":[{{"type":"track","event":"E","userId":-42}},)"
                R"({{"type":"track","event":"E","userId":42}},)"
                R"({{"type":"track","event":"E","userId":"{}"}}]}})",
                long_id)),
            200);
  EXPECT_EQ(intake_.lines().front().suppressed, 2U);
  const auto numbered = read_lines(intake_.lines().front().lines);
  ASSERT_EQ(numbered.size(), 3U);
  EXPECT_EQ(numbered[0].rejected, event::kSuppressed);
  EXPECT_EQ(numbered[1].rejected, "id_not_string");
  EXPECT_EQ(numbered[2].rejected, event::kSuppressed);

  // Numbers that fit no machine number must not hide the ids beside them, nor be taken for others.
  list.add({event::PersonKey::kUserId, "0"}, "", kNow);
  feed.publish(std::make_shared<event::SuppressionList>(list));
  ASSERT_EQ(status(R"({"writeKey":"web-key","batch":[)"
                   R"({"type":"track","event":"E","userId":-42,"properties":{"n":1e999}},)"
                   R"({"type":"track","event":"E","userId":123456789012345678901234567890}]})"),
            200);
  const auto large = read_lines(intake_.lines().front().lines);
  ASSERT_EQ(large.size(), 2U);
  EXPECT_EQ(large[0].rejected, event::kSuppressed);
  EXPECT_EQ(large[1].rejected, "id_not_string");

  feed.publish(std::make_shared<event::SuppressionList>(event::SuppressionList::make(random_)));
  ASSERT_EQ(status(kBatch), 200);
  EXPECT_EQ(rejections(), std::vector<std::string>(3));
}

// Write keys are secrets, and the source's name says as much.
TEST_F(IntakeTest, KeepsNoWriteKey) {
  struct Case {
    std::string_view sent;
    std::string_view kept;
  };
  const Case cases[] = {
      {R"({"writeKey":"web-key"})", R"({})"},
      {R"({ "writeKey" : "web-key" })", R"({})"},
      {R"({"writeKey":"web-key","a":[1,{"b":"}"}]})", R"({"a":[1,{"b":"}"}]})"},
      {R"({"a" : "," , "writeKey" : "web-key" })", R"({"a" : "," })"},
      {R"({"a":{"c":2} ,"writeKey":"web-key", "b":1e400})", R"({"a":{"c":2} , "b":1e400})"},
      {R"({"writeKey":"web-key","a":1,"write\u004bey":"web-key","a":2})", R"({"a":1,"a":2})"},
      {R"({"a":1,"writeKey":{"x":[1,2]},"b":2})", R"({"a":1,"b":2})"},
      {R"({"properties":{"writeKey":"mine"},"writeKey":null})",
       R"({"properties":{"writeKey":"mine"}})"},
      {R"({"WriteKey":1,"writeKey2":2})", R"({"WriteKey":1,"writeKey2":2})"},
      {R"([{"writeKey":"web-key"}])", R"([{"writeKey":"web-key"}])"},  // no object: no members
  };
  for (const Case& c : cases) {
    const bool is_object = c.sent.starts_with('{');
    if (is_object) {
      ASSERT_EQ(status(c.sent, {.type = EventType::kTrack, .basic_key = "web-key"}), 200);
      ASSERT_EQ(lines().size(), 1U) << c.sent;
      EXPECT_EQ(lines()[0].event_json, c.kept);
    }
    ASSERT_EQ(
        status(fmt::format(R"({{"batch":[{0},{{"type":"track","userId":"u","event":"E"}},{0}],)"
                           R"("writeKey":"web-key"}})",
                           c.sent)),
        200);
    ASSERT_EQ(lines().size(), 3U) << c.sent;
    EXPECT_EQ(lines()[0].event_json, c.kept);
    EXPECT_EQ(lines()[1].event_json, R"({"type":"track","userId":"u","event":"E"})");
    EXPECT_EQ(lines()[2].event_json, c.kept);
    EXPECT_FALSE(lines()[0].rejected.empty());
  }
  // Good events, events of unknown and disabled sources, and events above a limit.
  const std::string good = R"({"type":"track","userId":"u","event":"E","writeKey":"web-key"})";
  const std::string foreign = R"({"type":"track","userId":"u","event":"E","writeKey":"stranger"})";
  const std::string large =
      fmt::format(R"({{"writeKey":"web-key","x":"{}"}})", std::string(33'000, 'x'));
  ASSERT_EQ(status(fmt::format(R"({{"writeKey":"web-key","batch":[{},{},{}],"context":{{"a":1}}}})",
                               good, foreign, large)),
            200);
  EXPECT_THAT(rejections(), ElementsAre("", "unknown_source", "exceed_payload_limit"));
  for (const SourceLines& entry : intake_.lines()) {
    EXPECT_THAT(entry.lines, Not(HasSubstr("-key")));
    EXPECT_THAT(entry.lines, Not(HasSubstr("stranger")));
  }
  ASSERT_EQ(
      status(R"({"userId":"u","event":"E","writeKey":"off-key"})", {.type = EventType::kTrack}),
      200);
  EXPECT_EQ(lines("off")[0].event_json, R"({"userId":"u","event":"E"})");
  for (const SourceLines& entry : intake_.lines()) EXPECT_THAT(entry.lines, Not(HasSubstr("-key")));
  ASSERT_EQ(status(R"({"batch":[5,"writeKey",null],"writeKey":"web-key"})"), 200);
  for (const SourceLines& entry : intake_.lines()) EXPECT_THAT(entry.lines, Not(HasSubstr("-key")));
}

TEST_F(IntakeTest, AssignsAMessageIdWhereThereIsNone) {
  for (const char* member :
       {"", R"("messageId":null,)", R"("messageId":"",)", R"("messageId":5,)"}) {
    ASSERT_EQ(status(fmt::format(R"({{{}"userId":"u","event":"E","writeKey":"web-key"}})", member),
                     {.type = EventType::kTrack}),
              200);
    EXPECT_EQ(lines().at(0).message_id.size(), 36U) << member;
  }
}

TEST_F(IntakeTest, RefusesBodiesThatAreNoEvents) {
  struct Case {
    std::string body;
    int status;
    EventType type = EventType::kTrack;
    std::string_view code = "invalid_request";
  };
  const std::string deep(200, '[');
  const Case cases[] = {
      {"", 400},
      {"   ", 400},
      {"{", 400},
      {"{]", 400},
      {R"({"a":1}x)", 400},
      {R"({"a":1} {"a":1})", 400},
      {R"({'a':1})", 400},
      {R"({"a":01})", 400},
      {R"({"a":1,})", 400},
      {R"({"a":"\x"})", 400},
      {R"({"a":NaN})", 400},
      {"{\"a\":\"line\nfeed\"}", 400},
      {std::string("{\"a\":\"nul\0\"}", 11), 400},
      {std::string("\0", 1), 400},
      {std::string(kGood) + std::string("\0", 1), 400},
      {"{\"a\":\"\xff\"}", 400},
      {"{\"a\":\"\xc0\xaf\"}", 400},
      {"{\"a\":\"\xed\xa0\x80\"}", 400},
      {"{\"a\":\"cut \xe2\x82", 400},
      {deep, 400},
      {deep + std::string(200, ']'), 400},
      {"[]", 400, EventType::kTrack, "bad_request"},
      {"\"text\"", 400, EventType::kTrack, "bad_request"},
      {"5", 400, EventType::kTrack, "bad_request"},
      {"null", 400, EventType::kNone, "bad_request"},
      {"[]", 400, EventType::kNone, "bad_request"},
      {R"({"writeKey":"web-key"})", 400, EventType::kNone, "bad_request"},
      {R"({"writeKey":"web-key","batch":{}})", 400, EventType::kNone, "bad_request"},
      {R"({"writeKey":"web-key","batch":"x"})", 400, EventType::kNone, "bad_request"},
      {R"({"writeKey":"web-key","batch":null})", 400, EventType::kNone, "bad_request"},
      {R"({"writeKey":"web-key","batch":[],"batch":[]})", 400, EventType::kNone, "bad_request"},
      {R"({"writeKey":"web-key","batch":[],"context":[]})", 400, EventType::kNone, "bad_request"},
      {R"({"writeKey":"web-key","batch":[],"integrations":"x"})", 400, EventType::kNone,
       "bad_request"},
      {"\x1f\x8b\x08 broken", 400, EventType::kTrack, "bad_request"},
  };
  for (const Case& c : cases) {
    const auto refusal = read(c.body, {.type = c.type});
    ASSERT_TRUE(refusal) << c.body.substr(0, 60);
    EXPECT_EQ(refusal->status, c.status) << c.body.substr(0, 60);
    EXPECT_EQ(refusal->code, c.code) << c.body.substr(0, 60);
    EXPECT_TRUE(intake_.lines().empty());
    EXPECT_EQ(status(kGood, {.type = EventType::kTrack}), 200);
  }
}

TEST_F(IntakeTest, LimitsNesting) {
  const auto nested = [](std::size_t depth) {
    return R"({"userId":"u","event":"E","writeKey":"web-key","properties":{"p":)" +
           std::string(depth, '[') + std::string(depth, ']') + "}}";
  };
  EXPECT_EQ(status(nested(126), {.type = EventType::kTrack}),
            200);  // 128 with the two objects around
  EXPECT_EQ(lines().size(), 1U);
  EXPECT_EQ(status(nested(127), {.type = EventType::kTrack}), 400);
}

TEST_F(IntakeTest, TakesTheWriteKeyFromBodyThenBasicThenQuery) {
  struct Case {
    const char* body_key;
    const char* basic_key;
    const char* query_key;
    const char* source;  // nullptr: 401
  };
  const Case cases[] = {
      {"web-key", "", "", "web"},
      {"web-key", "app-key", "app-key", "web"},
      {"", "app-key", "web-key", "app"},
      {"", "", "web-key-2", "web"},
      {"", "", "", nullptr},
      {"nobody", "app-key", "", nullptr},
      {"", "nobody", "web-key", nullptr},
      {"WEB-KEY", "", "", nullptr},
  };
  for (const Case& c : cases) {
    for (const bool batch : {false, true}) {
      const std::string key =
          *c.body_key != 0 ? fmt::format(R"("writeKey":"{}",)", c.body_key) : "";
      const std::string body =
          batch ? fmt::format(R"({{{}"batch":[{{"type":"track","userId":"u","event":"E"}}]}})", key)
                : fmt::format(R"({{{}"userId":"u","event":"E"}})", key);
      const int got = status(body, {.type = batch ? EventType::kNone : EventType::kTrack,
                                    .basic_key = c.basic_key,
                                    .query_key = c.query_key});
      ASSERT_EQ(got, c.source != nullptr ? 200 : 401) << body << c.basic_key << c.query_key;
      EXPECT_EQ(lines(c.source != nullptr ? c.source : "").size(), c.source != nullptr ? 1U : 0U);
    }
  }
  EXPECT_EQ(status(R"({"writeKey":5,"userId":"u","event":"E"})", {.type = EventType::kTrack}), 401);
  EXPECT_EQ(status(R"({"writeKey":5,"userId":"u","event":"E"})",
                   {.type = EventType::kTrack, .basic_key = "web-key"}),
            200);
  EXPECT_EQ(status(R"({"batch":[]})"), 401);
}

TEST_F(IntakeTest, SplitsABatchAndKeepsWhatAppliesToAll) {
  const std::string body = R"({ "sentAt" : "2026-11-20T14:00:00Z" , "writeKey":"web-key",
    "batch" : [ {"type":"track","userId":"u","event":"A","messageId":"1"} ,
  {"type":"page","anonymousId":"a", "properties": {"list":[1,{"x":"]}"},[]]},"messageId":"2"},
  {"type":"identify","userId":"u","traits":{},"messageId":"3","context":{"ip":"1.2.3.4"}} ] ,
    "context": {"library":{"name":"x"}}, "integrations":{"All":true}, "sequence": 5 })";
  ASSERT_EQ(status(body), 200);
  const auto read = lines();
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].event_json, R"({"type":"track","userId":"u","event":"A","messageId":"1"})");
  EXPECT_EQ(read[1].event_json,
            R"({"type":"page","anonymousId":"a", "properties": {"list":[1,{"x":"]}"},[]]},)"
            R"("messageId":"2"})");
  for (const event::Line& line : read) {
    EXPECT_EQ(line.type, "");
    EXPECT_EQ(line.sent_at, "2026-11-20T14:00:00Z");
    EXPECT_EQ(line.context_json, R"({"library":{"name":"x"}})");
    EXPECT_EQ(line.integrations_json, R"({"All":true})");
    EXPECT_EQ(line.rejected, "");
  }
}

TEST_F(IntakeTest, SplitsBatchesOfAnyValuesExactly) {
  const std::vector<std::string> items = {"1",           "\"a, ]\\\"\"", "null",
                                          "true",        "[]",           "{}",
                                          "[[],{},[1]]", "-1.5e3",       "{\"\\\"}\":[\"{\"]}"};
  for (const char* space : {"", " ", "\t\r\n  "}) {
    std::string body = "{\"writeKey\":\"web-key\",\"batch\":[";
    for (const std::string& item : items)
      body += fmt::format("{}{}{}{}", body.back() == '[' ? "" : ",", space, item, space);
    body += fmt::format("]{},\"x\"{}:{}3{}}}", space, space, space, space);
    ASSERT_EQ(status(body), 200) << body;
    const auto read = lines();
    ASSERT_EQ(read.size(), items.size());
    for (std::size_t i = 0; i < items.size(); ++i) EXPECT_EQ(read[i].event_json, items[i]);
  }
}

TEST_F(IntakeTest, KeepsEventsThatBreakARuleAsRejected) {
  struct Case {
    const char* item;
    const char* code;
  };
  const Case cases[] = {
      {R"({"type":"track","userId":"u","event":"E"})", ""},
      {R"({"type":"track","userId":42,"event":"E"})", "id_not_string"},
      {R"({"type":"track","userId":"","event":"E"})", "id_not_string"},
      {R"({"type":"track","event":"E"})", "no_user_anon_id"},
      {R"({"type":"track","userId":"u"})", "event_not_defined"},
      {R"({"type":"track","userId":"u","event":5})", "event_not_string"},
      {R"({"type":"track","userId":"u","event":"E","properties":[]})", "properties_not_object"},
      {R"({"type":"identify","userId":"u","traits":"x"})", "traits_not_object"},
      {R"({"type":"page","userId":"u","name":5})", "name_not_string"},
      {R"({"type":"page","userId":"u","category":""})", "category_not_string"},
      {R"({"type":"group","userId":"u"})", "id_required"},
      {R"({"type":"alias","userId":"u"})", "id_required"},
      {R"({"type":"nonsense","userId":"u"})", "UNSUPPORTED_EVENT_TYPE"},
      {R"({"userId":"u","event":"E"})", "UNSUPPORTED_EVENT_TYPE"},
      {R"({"type":"track","userId":"u","event":"E","context":{"device":{"advertisingId":5}}})",
       "device_advertisingid_should_be_string"},
      {"5", "bad_request"},
      {"null", "bad_request"},
  };
  std::string body = R"({"writeKey":"web-key","batch":[)";
  std::vector<std::string> codes;
  for (const Case& c : cases) {
    if (body.back() != '[') body += ',';
    body += c.item;
    codes.emplace_back(c.code);
  }
  ASSERT_EQ(status(body + "]}"), 200);
  EXPECT_EQ(rejections(), codes);
  // Alone, the route tells the type; the answer is 200 all the same.
  EXPECT_EQ(
      status(R"({"userId":42,"event":"E","writeKey":"web-key"})", {.type = EventType::kTrack}),
      200);
  EXPECT_THAT(rejections(), ElementsAre("id_not_string"));
  EXPECT_EQ(status(R"({"userId":"u","type":"track","writeKey":"web-key"})",
                   {.type = EventType::kIdentify}),
            200);
  EXPECT_THAT(rejections(), ElementsAre(""));
}

TEST_F(IntakeTest, ABatchContextTakesPartInTheRules) {
  EXPECT_EQ(status(R"({"writeKey":"web-key","context":{"device":{"advertisingId":5}},
                       "batch":[{"type":"track","userId":"u","event":"E"}]})"),
            200);
  EXPECT_THAT(rejections(), ElementsAre("device_advertisingid_should_be_string"));
}

TEST_F(IntakeTest, AnItemsOwnWriteKeyWins) {
  const std::string body = R"({"writeKey":"web-key","batch":[
    {"type":"track","userId":"u","event":"1","writeKey":"app-key"},
    {"type":"track","userId":"u","event":"2"},
    {"type":"track","userId":"u","event":"3","writeKey":"nobody"},
    {"type":"track","userId":"u","event":"4","writeKey":"app-key"}]})";
  ASSERT_EQ(status(body), 200);
  EXPECT_THAT(rejections("app"), ElementsAre("", ""));
  EXPECT_THAT(rejections("web"), ElementsAre("", "unknown_source"));
  // MetaRouter's form: keys in the items only.
  EXPECT_EQ(status(R"({"batch":[{"type":"track","userId":"u","event":"1","writeKey":"app-key"}]})"),
            200);
  EXPECT_THAT(rejections("app"), ElementsAre(""));
  EXPECT_EQ(status(R"({"batch":[{"type":"track","userId":"u","event":"1","writeKey":"nobody"}]})"),
            401);
}

// SDKs drop what is answered 401: an item without a source must not cost those that have one.
TEST_F(IntakeTest, KeepsItemsWithoutASourceBesideThoseThatHaveOne) {
  for (const char* const batch_key : {"", R"("writeKey":"nobody",)"}) {
    ASSERT_EQ(status(fmt::format(R"({{{}"batch":[
      {{"type":"track","userId":"u","event":"1","writeKey":"stranger"}},
      {{"type":"track","userId":"u","event":"2"}},
      {{"type":"track","userId":"u","event":"3","writeKey":"app-key"}},
      {{"type":"track","userId":"u","event":"4","writeKey":"web-key"}}]}})",
                                 batch_key)),
              200);
    EXPECT_THAT(rejections("app"), ElementsAre("unknown_source", "unknown_source", ""));
    EXPECT_THAT(rejections("web"), ElementsAre(""));
  }
}

TEST_F(IntakeTest, ADisabledSourceKeepsItsEventsAsRejected) {
  EXPECT_EQ(
      status(R"({"userId":"u","event":"E","writeKey":"off-key"})", {.type = EventType::kTrack}),
      200);
  EXPECT_THAT(rejections("off"), ElementsAre("source_disabled"));
}

TEST_F(IntakeTest, LimitsTheSizeOfEventsAndBodies) {
  const auto event_of_size = [](std::size_t size, std::string_view type) {
    std::string text = fmt::format(
        R"({{"userId":"u","event":"E","writeKey":"web-key"{},"properties":{{"p":")", type);
    text.resize(size - 3, 'x');
    return text + "\"}}";
  };
  EXPECT_EQ(status(event_of_size(32768, ""), {.type = EventType::kTrack}), 200);
  constexpr std::size_t kKeyBytes = std::string_view(R"(,"writeKey":"web-key")").size();
  EXPECT_EQ(lines().at(0).event_json.size(), 32768U - kKeyBytes);
  EXPECT_EQ(status("  " + event_of_size(32768, "") + "\n", {.type = EventType::kTrack}), 200);
  EXPECT_EQ(status(event_of_size(32769, ""), {.type = EventType::kTrack}), 400);
  const std::string good = event_of_size(32768, R"(,"type":"track")");
  const std::string large = event_of_size(32769, R"(,"type":"track")");
  EXPECT_EQ(status(fmt::format(R"({{"batch":[{},{}],"writeKey":"web-key"}})", good, large)), 200);
  EXPECT_THAT(rejections(), ElementsAre("", "exceed_payload_limit"));

  std::string body = R"({"writeKey":"web-key","batch":[)";
  while (body.size() < 480'000)
    body += (body.back() == '[' ? "" : ",") + event_of_size(1000, R"(,"type":"track")");
  body += "]}";
  body.resize(524'288, ' ');
  EXPECT_EQ(status(body), 200);
  EXPECT_EQ(status(body + " "), 413);
}

TEST_F(IntakeTest, RejectsTheEventsAbove2500) {
  std::string body = R"({"writeKey":"web-key","batch":[)";
  for (int i = 0; i < 3000; ++i) {
    body += fmt::format(R"({}{{"type":"track","userId":"u","event":"E","messageId":"{}"}})",
                        i == 0 ? "" : ",", i);
  }
  ASSERT_EQ(status(body + "]}"), 200);
  const auto codes = rejections();
  ASSERT_EQ(codes.size(), 3000U);
  EXPECT_EQ(codes[2499], "");
  EXPECT_EQ(std::ranges::count(codes, "exceed_batch_limit"), 500);
}

TEST_F(IntakeTest, ASmallBatchCannotBecomeManyLineBytes) {
  std::string body =
      R"({"writeKey":"web-key","context":{"x":")" + std::string(100'000, 'x') + R"("},"batch":[)";
  for (int i = 0; i < 2000; ++i) body += i == 0 ? "{}" : ",{}";
  EXPECT_EQ(status(body + "]}"), 413);
  body = R"({"writeKey":"web-key","batch":[1)";
  while (body.size() < 500'000) body += ",1";
  EXPECT_EQ(status(body + "]}"), 413);
}

TEST_F(IntakeTest, AnEmptyBatchIsFineAndKeepsNothing) {
  EXPECT_EQ(status(R"({"writeKey":"web-key","batch":[]})"), 200);
  EXPECT_TRUE(intake_.lines().empty());
  EXPECT_EQ(status(R"({"writeKey":"web-key","context":{},"batch":[ ],"x":[]})"), 200);
}

TEST_F(IntakeTest, Gunzips) {
  const std::string packed = gzip(kGood);
  for (const char* coding :
       {"gzip", "GZIP", "x-gzip", "", "identity"}) {  // also when the header does not say so
    EXPECT_EQ(status(packed, {.type = EventType::kTrack, .content_encoding = coding}), 200)
        << coding;
    EXPECT_EQ(lines().at(0).event_json, R"({"userId":"u","event":"E","messageId":"m"})");
  }
  const std::string two = gzip(kGood.substr(0, 10)) + gzip(kGood.substr(10));
  EXPECT_EQ(status(two, {.type = EventType::kTrack, .content_encoding = "gzip"}), 200);
  EXPECT_EQ(status(kGood, {.type = EventType::kTrack, .content_encoding = "gzip"}), 400);
  EXPECT_EQ(status(packed.substr(0, packed.size() - 1), {.type = EventType::kTrack}), 400);
  EXPECT_EQ(status(packed + "x", {.type = EventType::kTrack}), 400);
  EXPECT_EQ(status(kGood, {.type = EventType::kTrack, .content_encoding = "br"}), 415);
}

TEST_F(IntakeTest, StopsGzipBombs) {
  const std::string bomb = gzip(std::string(300 << 20, ' '));
  EXPECT_LT(bomb.size(), 524'288U);
  EXPECT_EQ(status(bomb, {.type = EventType::kTrack, .content_encoding = "gzip"}), 413);
  const std::string full = gzip(std::string(kGood) + std::string(524'288 - kGood.size(), ' '));
  EXPECT_EQ(status(full, {.type = EventType::kTrack}), 200);
  EXPECT_EQ(status(gzip(std::string(kGood) + std::string(524'289 - kGood.size(), ' '))), 413);
}

TEST_F(IntakeTest, TellsTheAddressOnlyWhereItIsTheUsers) {
  struct Case {
    const char* context;  // of the batch's item
    const char* batch_context;
    bool told;
  };
  const Case cases[] = {
      {"{}", "{}", false},
      {R"({"direct":true})", "{}", true},
      {R"({"direct":false})", "{}", false},
      {R"({"direct":"true"})", "{}", false},
      {"{}", R"({"direct":true})", true},
      {R"({"library":{"name":"analytics.js"}})", "{}", true},
      {R"({"library":{"name":"analytics-kotlin"}})", "{}", true},
      {R"({"library":{"name":"@segment/analytics-node"}})", "{}", false},
      {R"({"library":"analytics.js"})", "{}", false},
      {"{}", R"({"library":{"name":"analytics-ios"}})", true},
      {"5", "{}", false},
  };
  for (const Case& c : cases) {
    ASSERT_EQ(status(fmt::format(R"({{"writeKey":"web-key","context":{},"batch":[
                     {{"type":"track","userId":"u","event":"E","context":{}}}]}})",
                                 c.batch_context, c.context),
                     {.ip = &kClient}),
              200);
    EXPECT_EQ(lines().at(0).ip, c.told ? "203.0.113.9" : "") << c.context << c.batch_context;
  }
  const std::string body =
      R"({"userId":"u","event":"E","writeKey":"web-key","context":{"direct":true}})";
  EXPECT_EQ(status(body, {.type = EventType::kTrack, .ip = &kClient}), 200);
  EXPECT_EQ(lines().at(0).ip, "203.0.113.9");
  EXPECT_EQ(status(body, {.type = EventType::kTrack}), 200);  // an IPv6 peer
  EXPECT_EQ(lines().at(0).ip, "");
  EXPECT_EQ(status(kGood, {.type = EventType::kTrack, .ip = &kClient, .client_side = true}), 200);
  EXPECT_EQ(lines().at(0).ip, "203.0.113.9");
}

TEST_F(IntakeTest, WritesMixedSourcesAndAddressesInOneBatch) {
  const std::string body = R"({"writeKey":"web-key","batch":[
    {"type":"track","userId":"u","event":"1"},
    {"type":"track","userId":"u","event":"2","context":{"direct":true}},
    {"type":"track","userId":"u","event":"3","writeKey":"app-key","context":{"direct":true}},
    {"type":"track","userId":"u","event":"4"}]})";
  ASSERT_EQ(status(body, {.ip = &kClient}), 200);
  const auto web = lines("web");
  ASSERT_EQ(web.size(), 3U);
  EXPECT_THAT((std::vector{web[0].ip, web[1].ip, web[2].ip}), ElementsAre("", "203.0.113.9", ""));
  EXPECT_EQ(lines("app").at(0).ip, "203.0.113.9");
}

TEST_F(IntakeTest, TakesKeysOfAnySizeAndDuplicates) {
  const std::string key(20'000, 'k');
  EXPECT_EQ(status(fmt::format(R"({{"{}":1,"userId":"u","event":"E","writeKey":"web-key"}})", key),
                   {.type = EventType::kTrack}),
            200);
  EXPECT_EQ(status(R"({"userId":"u","userId":"v","event":"E","writeKey":"web-key"})",
                   {.type = EventType::kTrack}),
            200);
  EXPECT_THAT(rejections(), ElementsAre("duplicate_member"));
  EXPECT_EQ(status(R"({"userId":"u","event":"E","writeKey":"web-key","":{"":[]}})",
                   {.type = EventType::kTrack}),
            200);
  // An escaped NUL is valid JSON: kept as received.
  EXPECT_EQ(status("{\"userId\":\"u\",\"event\":\"\\u0000\",\"writeKey\":\"web-key\"}",
                   {.type = EventType::kTrack}),
            200);
  EXPECT_THAT(lines().at(0).event_json, HasSubstr("\\u0000"));
}

// A text that was cut within an emoji, as JavaScript writes it: it must not cost the whole batch.
TEST_F(IntakeTest, KeepsHalvesOfUtf16Pairs) {
  const std::string body =
      R"({"batch":[{"type":"track","userId":"u\\ud83d","event":"E\udc00",)"
      R"("properties":{"h":"\ud800half","p":"\ud83d\ude80","n":-1e999,"l":"\ud83d\ud83d\ude80"}},)"
      R"({"type":"track","userId":7,"event":"\uD83D"}],"writeKey":"web-key"})";
  ASSERT_EQ(status(body), 200);
  EXPECT_THAT(rejections(), ElementsAre("", "id_not_string"));
  EXPECT_THAT(lines()[0].event_json,
              HasSubstr(R"({"h":"\ud800half","p":"\ud83d\ude80","n":-1e999,)"));
  EXPECT_THAT(lines()[0].event_json, HasSubstr(R"("event":"E\udc00")"));
  for (const char* bad : {R"(\ud8)", R"(\ud80x)", R"(\x \ud800)", R"(\ud800\)"}) {
    EXPECT_EQ(
        status(fmt::format(R"({{"x":"{}","userId":"u","event":"E","writeKey":"web-key"}})", bad),
               {.type = EventType::kTrack}),
        400)
        << bad;
  }
}

TEST_F(IntakeTest, KeepsNumbersThatFitNoMachineNumber) {
  const std::string body =
      R"({"batch":[{"type":"track","userId":"u","event":"E",)"
      R"("properties":{"a":123456789012345678901234567890,"b":-1e999,)"
      R"("c":"1e999 \" 5","d":[1,2.5e3,0.1e-999]}},{"type":"track","userId":7,)"
      R"("event":"E"}],"writeKey":"web-key"})";
  ASSERT_EQ(status(body), 200);
  EXPECT_THAT(rejections(), ElementsAre("", "id_not_string"));
  EXPECT_THAT(lines()[0].event_json,
              HasSubstr(R"("a":123456789012345678901234567890,"b":-1e999,)"));
  for (const char* bad : {"1e", "01", "-", "1.", "12345678901234567890123x", "1e999-", "--1e999"}) {
    EXPECT_EQ(
        status(fmt::format(R"({{"x":1e999,"a":{},"userId":"u","event":"E","writeKey":"web-key"}})",
                           bad),
               {.type = EventType::kTrack}),
        400)
        << bad;
  }
}

TEST(Sources, RefusesKeysAndNamesThatAreThereTwice) {
  EXPECT_FALSE(
      Sources::make({{.name = "a", .write_keys = {"k"}}, {.name = "b", .write_keys = {"k"}}}));
  EXPECT_FALSE(
      Sources::make({{.name = "a", .write_keys = {"k"}}, {.name = "a", .write_keys = {"l"}}}));
  EXPECT_FALSE(Sources::make({{.name = "a", .write_keys = {}}}));
  EXPECT_FALSE(Sources::make({{.name = "a", .write_keys = {""}}}));
  EXPECT_FALSE(Sources::make({{.name = "", .write_keys = {"k"}}}));
  EXPECT_FALSE(Sources::make({{.name = std::string(256, 'x'), .write_keys = {"k"}}}));
}

}  // namespace
}  // namespace leat::collect
