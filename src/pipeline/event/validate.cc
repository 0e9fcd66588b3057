#include "pipeline/event/validate.h"

#include <simdjson.h>

#include <optional>

namespace leat::event {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

bool is_text(Kind kind) {
  return kind == Kind::kString;
}
bool is_bad_id(Kind kind) {
  return kind != Kind::kAbsent && !is_text(kind);
}

std::string_view check_ids(const EventFacts& facts) {
  if (is_bad_id(facts.of(Member::kUserId)) || is_bad_id(facts.of(Member::kAnonymousId)))
    return "id_not_string";
  if (facts.of(Member::kUserId) == Kind::kAbsent &&
      facts.of(Member::kAnonymousId) == Kind::kAbsent) {
    return "no_user_anon_id";
  }
  if (facts.type == EventType::kGroup) {
    if (facts.of(Member::kGroupId) == Kind::kAbsent) return "id_required";
    if (is_bad_id(facts.of(Member::kGroupId))) return "id_not_string";
  }
  if (facts.type == EventType::kAlias) {
    if (is_bad_id(facts.of(Member::kPreviousId))) return "id_not_string";
    if (facts.of(Member::kPreviousId) == Kind::kAbsent ||
        facts.of(Member::kUserId) == Kind::kAbsent)
      return "id_required";
  }
  return {};
}

std::string_view check_content(const EventFacts& facts) {
  const auto not_object = [](Kind kind) { return kind != Kind::kAbsent && kind != Kind::kObject; };
  const auto not_name = [](Kind kind) { return kind != Kind::kAbsent && kind != Kind::kString; };
  switch (facts.type) {
    case EventType::kTrack:
      if (facts.of(Member::kEvent) == Kind::kAbsent ||
          facts.of(Member::kEvent) == Kind::kEmptyString) {
        return "event_not_defined";
      }
      if (facts.of(Member::kEvent) != Kind::kString) return "event_not_string";
      if (not_object(facts.of(Member::kProperties))) return "properties_not_object";
      break;
    case EventType::kPage:
    case EventType::kScreen:
      if (not_name(facts.of(Member::kName))) return "name_not_string";
      if (not_name(facts.of(Member::kCategory))) return "category_not_string";
      if (not_object(facts.of(Member::kProperties))) return "properties_not_object";
      break;
    case EventType::kIdentify:
    case EventType::kGroup:
    case EventType::kAlias:
      if (not_object(facts.of(Member::kTraits))) return "traits_not_object";
      break;
    case EventType::kNone:
      break;
  }
  return {};
}

std::string_view check_context(const EventFacts& facts) {
  if (facts.advertising_id != Kind::kAbsent && facts.advertising_id != Kind::kString &&
      facts.advertising_id != Kind::kEmptyString) {
    return "device_advertisingid_should_be_string";
  }
  if (!facts.is_consent_event) return {};
  if (facts.category_preferences == Kind::kAbsent) {
    return "consent_categorypreferences_should_exist";
  }
  if (facts.category_preferences != Kind::kObject) {
    return "consent_categorypreferences_fields_should_be_object";
  }
  if (!facts.category_preferences_all_bool) {
    return "consent_categorypreferences_fields_should_be_bool";
  }
  if (facts.consent_version != Kind::kAbsent && facts.consent_version != Kind::kNumber) {
    return "consent_version_should_be_number";
  }
  return {};
}

/// The last member of that name which is not null.
std::optional<element> member_of(const std::optional<element>& parent, std::string_view name) {
  std::optional<element> found;
  object members;
  if (!parent || parent->get(members) != simdjson::SUCCESS) return found;
  for (const auto field : members) {
    if (field.key == name && !field.value.is_null()) found = field.value;
  }
  return found;
}

/// A member of context by path; the item's own wins over the batch's.
std::optional<element> context_value(const std::optional<element>& own, const element* batch,
                                     std::string_view outer, std::string_view inner) {
  const auto own_outer = member_of(own, outer);
  auto found = member_of(own_outer, inner);
  const bool may_merge = !own_outer || own_outer->is_object();
  if (!found && may_merge && batch != nullptr && (!own || own->is_object())) {
    found = member_of(member_of(*batch, outer), inner);
  }
  return found;
}

void read_context(EventFacts& facts, const std::optional<element>& own, const element* batch) {
  const auto kind_at = [&](std::string_view outer, std::string_view inner) {
    const auto value = context_value(own, batch, outer, inner);
    return value ? kind_of(*value) : Kind::kAbsent;
  };
  if (!own && batch == nullptr) return;
  facts.advertising_id = kind_at("device", "advertisingId");
  if (!facts.is_consent_event) return;
  facts.consent_version = kind_at("consent", "version");
  facts.category_preferences = kind_at("consent", "categoryPreferences");
  for (const auto& source : {own, batch != nullptr ? std::optional(*batch) : std::nullopt}) {
    const auto preferences = member_of(member_of(source, "consent"), "categoryPreferences");
    object members;
    if (!preferences || preferences->get(members) != simdjson::SUCCESS) continue;
    for (const auto field : members) {
      if (!field.value.is_bool() && !field.value.is_null()) {
        facts.category_preferences_all_bool = false;
      }
    }
  }
}

}  // namespace

Kind kind_of(const element& value) {
  switch (value.type()) {
    case element_type::NULL_VALUE:
      return Kind::kAbsent;
    case element_type::BOOL:
      return Kind::kBoolean;
    case element_type::STRING:
      return std::string_view(value).empty() ? Kind::kEmptyString : Kind::kString;
    case element_type::OBJECT:
      return Kind::kObject;
    case element_type::ARRAY:
      return Kind::kArray;
    default:
      return Kind::kNumber;
  }
}

EventType event_type_of(std::string_view text) {
  if (text == "track") return EventType::kTrack;
  if (text == "identify") return EventType::kIdentify;
  if (text == "page") return EventType::kPage;
  if (text == "screen") return EventType::kScreen;
  if (text == "group") return EventType::kGroup;
  if (text == "alias") return EventType::kAlias;
  return EventType::kNone;
}

std::string_view event_type_name(EventType type) {
  switch (type) {
    case EventType::kNone:
      return "";
    case EventType::kTrack:
      return "track";
    case EventType::kIdentify:
      return "identify";
    case EventType::kPage:
      return "page";
    case EventType::kScreen:
      return "screen";
    case EventType::kGroup:
      return "group";
    case EventType::kAlias:
      return "alias";
  }
  return "";
}

Member member_named(std::string_view name) {
  for (std::size_t i = 0; i < kMemberNames.size(); ++i) {
    if (kMemberNames[i] == name) return static_cast<Member>(i);
  }
  return Member::kOther;
}

std::string_view validate(const EventFacts& facts) {
  if (!facts.is_object) return "bad_request";
  if (facts.has_duplicate_member) return "duplicate_member";
  if (facts.type == EventType::kNone) return "UNSUPPORTED_EVENT_TYPE";
  for (const auto check : {check_ids, check_content, check_context}) {
    if (const std::string_view code = check(facts); !code.empty()) return code;
  }
  return {};
}

std::string_view validate(EventType route_type, const element& event,
                          const element* batch_context) {
  EventFacts facts;
  facts.type = route_type;
  object members;
  if (event.get(members) != simdjson::SUCCESS) {
    facts.is_object = false;
    return validate(facts);
  }
  std::uint32_t seen = 0;
  std::optional<element> context;
  for (const auto field : members) {
    const Member member = member_named(field.key);
    if (member == Member::kOther) continue;
    const std::uint32_t bit = 1U << static_cast<unsigned>(member);
    facts.has_duplicate_member |= (seen & bit) != 0;
    seen |= bit;
    const Kind kind = kind_of(field.value);
    facts.set(member, kind);
    if (member == Member::kType && kind == Kind::kString && route_type == EventType::kNone) {
      facts.type = event_type_of(std::string_view(field.value));
    } else if (member == Member::kEvent && kind == Kind::kString) {
      facts.is_consent_event = std::string_view(field.value) == kConsentEvent;
    } else if (member == Member::kContext && kind != Kind::kAbsent) {
      context = field.value;
    }
  }
  facts.is_consent_event = facts.is_consent_event && facts.type == EventType::kTrack;
  read_context(facts, context, batch_context);
  return validate(facts);
}

bool needs_message_id(const element& event) {
  object members;
  if (event.get(members) != simdjson::SUCCESS) return true;
  bool needs = true;
  for (const auto field : members) {
    if (field.key != "messageId") continue;
    std::string_view text;
    needs = field.value.get(text) != simdjson::SUCCESS || text.empty() ||
            text.size() > kMessageIdBytesMax || text.find('\0') != std::string_view::npos;
  }
  return needs;
}

}  // namespace leat::event
