#include "pipeline/event/validate.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace leat::event {
namespace {

struct Case {
  const char* json;
  const char* code;
};

void check(EventType route, const Case& c) {
  simdjson::dom::parser parser;
  const simdjson::dom::element event =
      parser.parse(simdjson::padded_string(std::string_view(c.json)));
  EXPECT_EQ(validate(route, event), c.code) << c.json;
}

TEST(Validate, FollowsTheDiscardCodesInABatch) {
  const Case cases[] = {
      {R"(5)", "bad_request"},
      {R"([])", "bad_request"},
      {R"({})", "UNSUPPORTED_EVENT_TYPE"},
      {R"({"type":"dance","userId":"u"})", "UNSUPPORTED_EVENT_TYPE"},
      {R"({"type":5,"userId":"u"})", "UNSUPPORTED_EVENT_TYPE"},
      {R"({"type":"track","type":"page","userId":"u","event":"E"})", "duplicate_member"},
      {R"({"type":"track","userId":"u","event":"E"})", ""},
      {R"({"type":"track","anonymousId":"u","userId":null,"event":"E"})", ""},
      {R"({"type":"track","event":"E"})", "no_user_anon_id"},
      {R"({"type":"track","userId":42,"event":"E"})", "id_not_string"},
      {R"({"type":"track","userId":"","event":"E"})", "id_not_string"},
      {R"({"type":"track","userId":"u","anonymousId":{},"event":"E"})", "id_not_string"},
      {R"({"type":"track","userId":"u"})", "event_not_defined"},
      {R"({"type":"track","userId":"u","event":null})", "event_not_defined"},
      {R"({"type":"track","userId":"u","event":""})", "event_not_defined"},
      {R"({"type":"track","userId":"u","event":7})", "event_not_string"},
      {R"({"type":"track","userId":"u","event":"E","properties":"x"})", "properties_not_object"},
      {R"({"type":"track","userId":"u","event":"E","properties":[]})", "properties_not_object"},
      {R"({"type":"track","userId":"u","event":"E","properties":null})", ""},
      {R"({"type":"track","userId":"u","event":"E","traits":5})", ""},
      {R"({"type":"identify","userId":"u","traits":5})", "traits_not_object"},
      {R"({"type":"identify","userId":"u"})", ""},
      {R"({"type":"page","userId":"u","name":""})", "name_not_string"},
      {R"({"type":"screen","userId":"u","name":5})", "name_not_string"},
      {R"({"type":"page","userId":"u","category":false})", "category_not_string"},
      {R"({"type":"page","userId":"u","name":"Home","category":"c"})", ""},
      {R"({"type":"group","userId":"u"})", "id_required"},
      {R"({"type":"group","userId":"u","groupId":3})", "id_not_string"},
      {R"({"type":"group","userId":"u","groupId":"g"})", ""},
      {R"({"type":"alias","userId":"u"})", "id_required"},
      {R"({"type":"alias","anonymousId":"u","previousId":"p"})", "id_required"},
      {R"({"type":"alias","userId":"u","previousId":""})", "id_not_string"},
      {R"({"type":"alias","userId":"u","previousId":"p"})", ""},
      {R"({"type":"page","userId":"u","context":{"device":{"advertisingId":7}}})",
       "device_advertisingid_should_be_string"},
      {R"({"type":"page","userId":"u","context":{"device":{"advertisingId":"x"}}})", ""},
  };
  for (const Case& c : cases) check(EventType::kNone, c);
}

TEST(Validate, TheRouteWinsOverTheMember) {
  check(EventType::kPage, {R"({"type":"track","userId":"u"})", ""});
  check(EventType::kTrack, {R"({"userId":"u"})", "event_not_defined"});
}

TEST(Validate, ConsentEventNeedsItsPreferences) {
  const std::string head =
      R"({"type":"track","userId":"u","event":"Segment Consent Preference Updated","context":)";
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "consent_categorypreferences_should_exist"},
      {R"({"consent":{"categoryPreferences":5}})",
       "consent_categorypreferences_fields_should_be_object"},
      {R"({"consent":{"categoryPreferences":{"Ads":"yes"}}})",
       "consent_categorypreferences_fields_should_be_bool"},
      {R"({"consent":{"categoryPreferences":{"Ads":true},"version":"2"}})",
       "consent_version_should_be_number"},
      {R"({"consent":{"categoryPreferences":{"Ads":true},"version":2}})", ""}};
  for (const auto& [context, code] : cases) {
    check(EventType::kNone, {(head + context + "}").c_str(), code});
  }
}

TEST(Validate, ReadsTheBatchContextToo) {
  simdjson::dom::parser parser;
  simdjson::dom::parser batch_parser;
  const simdjson::dom::element batch =
      batch_parser.parse(R"({"device":{"advertisingId":7}})"_padded);
  const simdjson::dom::element plain = parser.parse(R"({"type":"page","userId":"u"})"_padded);
  EXPECT_EQ(validate(EventType::kNone, plain, &batch), "device_advertisingid_should_be_string");
  const simdjson::dom::element own = parser.parse(
      R"({"type":"page","userId":"u","context":{"device":{"advertisingId":"x"}}})"_padded);
  EXPECT_EQ(validate(EventType::kNone, own, &batch), "");
}

TEST(NeedsMessageId, KnowsIdsThatCannotIdentify) {
  const std::pair<std::string, bool> cases[] = {
      {R"({"messageId":"m"})", false},
      {R"({})", true},
      {R"({"messageId":null})", true},
      {R"({"messageId":42})", true},
      {R"({"messageId":""})", true},
      {R"({"messageId":"a\u0000b"})", true},
      {R"({"messageId":")" + std::string(512, 'x') + "\"}", false},
      {R"({"messageId":")" + std::string(513, 'x') + "\"}", true}};
  for (const auto& [json, needs] : cases) {
    simdjson::dom::parser parser;
    EXPECT_EQ(needs_message_id(parser.parse(simdjson::padded_string(json))), needs) << json;
  }
}

TEST(EventType, NamesRoundTrip) {
  for (const auto* name : {"track", "identify", "page", "screen", "group", "alias"}) {
    EXPECT_EQ(event_type_name(event_type_of(name)), name);
  }
  EXPECT_EQ(event_type_of("Track"), EventType::kNone);
  EXPECT_EQ(member_named("sentAt"), Member::kSentAt);
  EXPECT_EQ(member_named("color"), Member::kOther);
}

}  // namespace
}  // namespace leat::event
