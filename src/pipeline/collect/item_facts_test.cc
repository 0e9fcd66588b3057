#include "pipeline/collect/item_facts.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>

namespace leat::collect {
namespace {

using event::EventType;

/// Both readings of the same event must agree: this one, which walks once, and event's own.
TEST(ReadItem, AgreesWithTheReadingOfTheEventModule) {
  const char* const items[] = {
      "5",
      "null",
      "[]",
      "{}",
      R"({"type":"track","userId":"u","event":"E","messageId":"m"})",
      R"({"type":"track","userId":"u","event":"E","messageId":"m","messageId":""})",
      R"({"type":"track","userId":"u","event":"E","messageId":"a\u0000b"})",
      R"({"type":"track","userId":"u","userId":"v","event":"E"})",
      R"({"type":"","userId":"u"})",
      R"({"type":5,"userId":"u"})",
      R"({"type":"page","anonymousId":"a","name":"","category":5})",
      R"({"type":"group","anonymousId":"a","groupId":"g","traits":[]})",
      R"({"type":"alias","userId":"a","previousId":"g"})",
      R"({"type":"alias","userId":"a","previousId":7})",
      R"({"type":"track","userId":"u","event":"E","context":{"device":{"advertisingId":7}}})",
      R"({"type":"track","userId":"u","event":"E","context":{"device":{"advertisingId":null}}})",
      R"({"type":"track","userId":"u","event":"E","context":{"device":null}})",
      R"({"type":"track","userId":"u","event":"E","context":{"device":5}})",
      R"({"type":"track","userId":"u","event":"E",)"
      R"("context":{"device":{"advertisingId":7},"device":null}})",
      R"({"type":"track","userId":"u","event":"E",)"
      R"("context":{"device":{"advertisingId":7},"device":{}}})",
      R"({"type":"track","userId":"u","event":"E","context":5})",
      R"({"type":"track","userId":"u","event":"E","context":null})",
      R"({"type":"track","userId":"u","event":"Segment Consent Preference Updated"})",
      R"({"type":"page","userId":"u","event":"Segment Consent Preference Updated"})",
      R"({"type":"track","userId":"u","event":"Segment Consent Preference Updated",)"
      R"("context":{"consent":{}}})",
      R"({"type":"track","userId":"u","event":"Segment Consent Preference Updated",)"
      R"("context":{"consent":5}})",
      R"({"type":"track","userId":"u","event":"Segment Consent Preference Updated",
          "context":{"consent":{"categoryPreferences":{"a":true},"version":2}}})",
      R"({"type":"track","userId":"u","event":"Segment Consent Preference Updated",
          "context":{"consent":{"categoryPreferences":{"a":"yes"},"version":2}}})",
      R"({"type":"track","userId":"u","event":"Segment Consent Preference Updated",
          "context":{"consent":{"categoryPreferences":{"a":true,"b":null},"version":"2"}}})",
      R"({"type":"track","userId":"u","event":"Segment Consent Preference Updated",
          "context":{"consent":{"categoryPreferences":{"a":1},"categoryPreferences":{"a":true}}}})",
  };
  const char* const contexts[] = {
      "",
      "{}",
      R"({"device":{"advertisingId":7}})",
      R"({"device":{"advertisingId":"x"},
          "consent":{"categoryPreferences":{"a":true},"version":1}})",
      R"({"consent":{"categoryPreferences":{"a":1},"version":"x"}})",
      R"({"consent":{"categoryPreferences":[]}})",
      R"({"device":5,"consent":5})",
  };
  simdjson::dom::parser item_parser;
  simdjson::dom::parser context_parser;
  for (const std::string item_text : items) {
    const simdjson::dom::element item = item_parser.parse(item_text);
    for (const std::string context_text : contexts) {
      simdjson::dom::element context;
      ContextFacts batch;
      if (!context_text.empty()) {
        context = context_parser.parse(context_text);
        batch = read_context(context);
      }
      for (const EventType type : {EventType::kNone, EventType::kTrack, EventType::kIdentify}) {
        const ItemFacts facts = read_item(type, item, batch);
        EXPECT_EQ(event::validate(facts.rules),
                  event::validate(type, item, context_text.empty() ? nullptr : &context))
            << item_text << " in " << context_text;
        EXPECT_EQ(facts.needs_message_id, event::needs_message_id(item)) << item_text;
      }
    }
  }
}

TEST(ReadItem, KnowsEveryMemberThatTheRulesKnow) {
  simdjson::dom::parser parser;
  for (std::size_t i = 0; i < event::kMemberCount; ++i) {
    const std::string text = "{\"" + std::string(event::kMemberNames[i]) + "\":[]}";
    const simdjson::dom::element item = parser.parse(text);
    EXPECT_EQ(read_item(EventType::kNone, item, {}).rules.members[i], event::Kind::kArray) << text;
  }
}

}  // namespace
}  // namespace leat::collect
