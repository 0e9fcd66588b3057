#include "pipeline/collect/item_facts.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>

namespace leat::collect {
namespace {

namespace dom = simdjson::dom;
using event::EventType;
using event::Kind;
using event::kind_of;
using event::Member;

std::string_view text_of(const dom::element& value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? text : std::string_view();
}

std::optional<std::int64_t> number_of(const dom::element& value) {
  std::int64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

/// event::member_named, sorted out by length first: most keys are told apart without comparing
/// bytes.
Member member_of(std::string_view key) {
  switch (key.size()) {
    case 4:
      if (key == "type") return Member::kType;
      return key == "name" ? Member::kName : Member::kOther;
    case 5:
      return key == "event" ? Member::kEvent : Member::kOther;
    case 6:
      if (key == "userId") return Member::kUserId;
      if (key == "sentAt") return Member::kSentAt;
      return key == "traits" ? Member::kTraits : Member::kOther;
    case 7:
      if (key == "groupId") return Member::kGroupId;
      return key == "context" ? Member::kContext : Member::kOther;
    case 8:
      return key == "category" ? Member::kCategory : Member::kOther;
    case 9:
      if (key == "messageId") return Member::kMessageId;
      return key == "timestamp" ? Member::kTimestamp : Member::kOther;
    case 10:
      if (key == "properties") return Member::kProperties;
      return key == "previousId" ? Member::kPreviousId : Member::kOther;
    case 11:
      return key == "anonymousId" ? Member::kAnonymousId : Member::kOther;
    case 12:
      return key == "integrations" ? Member::kIntegrations : Member::kOther;
    case 17:
      return key == "originalTimestamp" ? Member::kOriginalTimestamp : Member::kOther;
    default:
      return Member::kOther;
  }
}

bool can_identify(std::string_view message_id) {
  return !message_id.empty() && message_id.size() <= event::kMessageIdBytesMax &&
         message_id.find('\0') == std::string_view::npos;
}

/// Libraries that run on the user's device: the address that a request comes from is the user's.
/// Segment names no list; these are the values of context.library.name that its device libraries
/// and RudderStack's send.
bool is_client_side_library(std::string_view name) {
  static constexpr std::array<std::string_view, 13> kNames = {"analytics.js",
                                                              "analytics-ios",
                                                              "analytics-android",
                                                              "analytics-swift",
                                                              "analytics-kotlin",
                                                              "analytics-react-native",
                                                              "@segment/analytics-react-native",
                                                              "analytics-flutter",
                                                              "Analytics-CSharp",
                                                              "analytics.amp",
                                                              "RudderLabs JavaScript SDK",
                                                              "rudder-ios-library",
                                                              "com.rudderstack.android.sdk.core"};
  return std::ranges::find(kNames, name) != kNames.end();
}

Kind kind_of_member(const dom::object& object, std::string_view name) {
  Kind kind = Kind::kAbsent;
  for (const auto field : object) {
    if (field.key == name && !field.value.is_null()) kind = kind_of(field.value);
  }
  return kind;
}

void read_consent(const dom::element& value, ContextFacts& facts) {
  facts.category_preferences = facts.consent_version = Kind::kAbsent;
  facts.category_preferences_all_bool = true;
  dom::object consent;
  facts.consent_mergeable = value.get(consent) == simdjson::SUCCESS;
  if (!facts.consent_mergeable) return;
  for (const auto field : consent) {
    if (field.value.is_null()) continue;
    if (field.key == "version") facts.consent_version = kind_of(field.value);
    if (field.key != "categoryPreferences") continue;
    facts.category_preferences = kind_of(field.value);
    facts.category_preferences_all_bool = true;
    dom::object preferences;
    if (field.value.get(preferences) != simdjson::SUCCESS) continue;
    for (const auto preference : preferences) {
      if (!preference.value.is_bool() && !preference.value.is_null())
        facts.category_preferences_all_bool = false;
    }
  }
}

/// The item's context wins over the batch's, member by member.
void apply_context(const ContextFacts& own, const ContextFacts& batch, event::EventFacts& rules) {
  const auto merged = [&](Kind own_kind, Kind batch_kind, bool mergeable) {
    return own_kind != Kind::kAbsent    ? own_kind
           : own.mergeable && mergeable ? batch_kind
                                        : Kind::kAbsent;
  };
  rules.advertising_id = merged(own.advertising_id, batch.advertising_id, own.device_mergeable);
  if (!rules.is_consent_event) return;
  rules.consent_version = merged(own.consent_version, batch.consent_version, own.consent_mergeable);
  rules.category_preferences =
      merged(own.category_preferences, batch.category_preferences, own.consent_mergeable);
  rules.category_preferences_all_bool =
      own.category_preferences_all_bool && batch.category_preferences_all_bool;
}

}  // namespace

ContextFacts read_context(const dom::element& context) {
  ContextFacts facts;
  dom::object object;
  facts.mergeable = context.get(object) == simdjson::SUCCESS;
  if (!facts.mergeable) return facts;
  bool direct = false;
  bool client_side = false;
  for (const auto field : object) {
    const std::string_view key = field.key;
    if (key.size() != 6 && key.size() != 7) continue;
    if (key == "direct") {
      bool value = false;
      direct = field.value.get(value) == simdjson::SUCCESS && value;
    } else if (key == "device" && !field.value.is_null()) {
      dom::object device;
      facts.device_mergeable = field.value.get(device) == simdjson::SUCCESS;
      facts.advertising_id =
          facts.device_mergeable ? kind_of_member(device, "advertisingId") : Kind::kAbsent;
    } else if (key == "library") {
      dom::object library;
      std::string_view name;
      client_side = field.value.get(library) == simdjson::SUCCESS &&
                    library["name"].get(name) == simdjson::SUCCESS && is_client_side_library(name);
    } else if (key == "consent" && !field.value.is_null()) {
      read_consent(field.value, facts);
    }
  }
  facts.takes_ip = direct || client_side;
  return facts;
}

ItemFacts read_item(EventType route_type, const dom::element& item, const ContextFacts& batch) {
  ItemFacts facts;
  event::EventFacts& rules = facts.rules;
  rules.type = route_type;
  dom::object members;
  if (item.get(members) != simdjson::SUCCESS) {
    rules.is_object = false;
    facts.takes_ip = batch.takes_ip;
    return facts;
  }
  std::uint32_t seen = 0;
  std::optional<dom::element> context;
  for (const auto field : members) {
    const Member member = member_of(field.key);
    if (member == Member::kOther) {
      if (field.key == "writeKey") {
        facts.has_write_key = true;
        facts.write_key = text_of(field.value);
      }
      continue;
    }
    const std::uint32_t bit = 1U << static_cast<unsigned>(member);
    rules.has_duplicate_member |= (seen & bit) != 0;
    seen |= bit;
    const Kind kind = kind_of(field.value);
    rules.set(member, kind);
    switch (member) {
      case Member::kMessageId:
        facts.needs_message_id = !can_identify(text_of(field.value));
        break;
      case Member::kType:
        if (kind == Kind::kString && route_type == EventType::kNone)
          rules.type = event::event_type_of(text_of(field.value));
        break;
      case Member::kEvent:
        if (kind == Kind::kString)
          rules.is_consent_event = text_of(field.value) == event::kConsentEvent;
        break;
      case Member::kUserId:
        facts.user_id = text_of(field.value);
        facts.id_numbers[0] = number_of(field.value);
        break;
      case Member::kAnonymousId:
        facts.anonymous_id = text_of(field.value);
        facts.id_numbers[1] = number_of(field.value);
        break;
      case Member::kPreviousId:
        facts.previous_id = text_of(field.value);
        facts.id_numbers[2] = number_of(field.value);
        break;
      case Member::kContext:
        if (kind != Kind::kAbsent) context = field.value;
        break;
      default:
        break;
    }
  }
  rules.is_consent_event = rules.is_consent_event && rules.type == EventType::kTrack;
  const ContextFacts own = context ? read_context(*context) : ContextFacts();
  apply_context(own, batch, rules);
  facts.takes_ip = own.takes_ip || batch.takes_ip;
  return facts;
}

}  // namespace leat::collect
