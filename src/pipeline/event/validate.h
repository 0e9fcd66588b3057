// The rules of Segment's tracking API for one event, and the discard codes that users of Segment
// know. Both collect and shape judge through this file, so that they agree. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace simdjson::dom {
class element;  // NOLINT(readability-identifier-naming): simdjson's name
}

namespace leat::event {

enum class EventType : std::uint8_t { kNone, kTrack, kIdentify, kPage, kScreen, kGroup, kAlias };

/// "track", ... ; kNone for any other text.
[[nodiscard]] EventType event_type_of(std::string_view text);
/// "track", ... ; "" for kNone.
[[nodiscard]] std::string_view event_type_name(EventType type);

/// What a member of an event is; null counts as absent.
enum class Kind : std::uint8_t {
  kAbsent,
  kEmptyString,
  kString,
  kNumber,
  kBoolean,
  kObject,
  kArray
};

/// What `value` is.
[[nodiscard]] Kind kind_of(const simdjson::dom::element& value);

/// The members of an event that mean something; all others stay in the archive only.
enum class Member : std::uint8_t {
  kMessageId,
  kType,
  kUserId,
  kAnonymousId,
  kGroupId,
  kPreviousId,
  kEvent,
  kName,
  kCategory,
  kTimestamp,
  kOriginalTimestamp,
  kSentAt,
  kContext,
  kIntegrations,
  kProperties,
  kTraits,
  kOther,
};
inline constexpr std::size_t kMemberCount = 16;
inline constexpr std::array<std::string_view, kMemberCount> kMemberNames = {
    "messageId", "type",         "userId",     "anonymousId", "groupId",           "previousId",
    "event",     "name",         "category",   "timestamp",   "originalTimestamp", "sentAt",
    "context",   "integrations", "properties", "traits"};

/// The member with that JSON name, or kOther.
[[nodiscard]] Member member_named(std::string_view name);

/// What the rules need to know of one event.
struct EventFacts {
  bool is_object = true;                      ///< false: the item is not a JSON object at all
  bool has_duplicate_member = false;          ///< one of kMemberNames is there twice: ambiguous
  EventType type = EventType::kNone;          ///< of the route, else of the item's "type"
  std::array<Kind, kMemberCount> members{};   ///< by Member
  Kind advertising_id = Kind::kAbsent;        ///< context.device.advertisingId
  bool is_consent_event = false;              ///< track kConsentEvent
  Kind category_preferences = Kind::kAbsent;  ///< context.consent.categoryPreferences
  bool category_preferences_all_bool = true;
  Kind consent_version = Kind::kAbsent;  ///< context.consent.version

  [[nodiscard]] Kind of(Member member) const { return members[static_cast<std::size_t>(member)]; }
  void set(Member member, Kind kind) { members[static_cast<std::size_t>(member)] = kind; }
};

inline constexpr std::string_view kConsentEvent = "Segment Consent Preference Updated";

/// The discard code of the first broken rule, or "" for a good event. Codes are Segment's
/// (docs/reference/tables-and-columns.md, "Rejected events").
[[nodiscard]] std::string_view validate(const EventFacts& facts);

/// Judges an event in simdjson's DOM. `route_type`: type the route implies, or kNone in a batch,
/// where the item's own "type" counts. `batch_context`: the batch's context or nullptr; the item's
/// members win over it.
[[nodiscard]] std::string_view validate(EventType route_type, const simdjson::dom::element& event,
                                        const simdjson::dom::element* batch_context = nullptr);

/// The discard code of an event that is longer than the collector takes.
inline constexpr std::string_view kPayloadLimit = "exceed_payload_limit";

/// Longest message id that a warehouse row can carry, in bytes.
inline constexpr std::size_t kMessageIdBytesMax = 512;

/// True when `event` (an object) has no messageId that can identify its rows: absent, null, not a
/// string, empty, longer than kMessageIdBytesMax, or holding a NUL. The collector then assigns one.
[[nodiscard]] bool needs_message_id(const simdjson::dom::element& event);

}  // namespace leat::event
