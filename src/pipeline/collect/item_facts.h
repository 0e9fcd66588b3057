// What the collector must know of one event, read in one walk over its members in simdjson's DOM.
// The rules themselves are event/validate.h's; a test and the fuzzer hold this reading against
// event's own. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pipeline/event/validate.h"

namespace leat::collect {

/// What matters in a `context`. Null members count as absent; the last of several counts.
struct ContextFacts {
  bool mergeable = true;          ///< absent or an object: a batch's context may add to it
  bool device_mergeable = true;   ///< context.device likewise
  bool consent_mergeable = true;  ///< context.consent likewise
  bool takes_ip = false;          ///< context.direct, or a library that runs on the user's device
  event::Kind advertising_id = event::Kind::kAbsent;
  event::Kind category_preferences = event::Kind::kAbsent;
  bool category_preferences_all_bool = true;
  event::Kind consent_version = event::Kind::kAbsent;
};

[[nodiscard]] ContextFacts read_context(const simdjson::dom::element& context);

struct ItemFacts {
  event::EventFacts rules{};     ///< for event::validate
  bool needs_message_id = true;  ///< as event::needs_message_id
  bool takes_ip = false;         ///< the address of the request is the user's
  bool has_write_key = false;    ///< there is a member "writeKey", whatever it holds
  std::string_view
      write_key{};  ///< of the item itself, or empty; lives as long as the parser's document
  std::string_view user_id{};  ///< as the three below, and empty when it is no string
  std::string_view anonymous_id{};
  std::string_view previous_id{};
  /// These three, when they are whole numbers.
  std::array<std::optional<std::int64_t>, 3> id_numbers{};
};

/// Reads one event. `route_type`: as event::validate. `batch`: the batch's context, or an empty
/// ContextFacts.
[[nodiscard]] ItemFacts read_item(event::EventType route_type, const simdjson::dom::element& item,
                                  const ContextFacts& batch);

}  // namespace leat::collect
