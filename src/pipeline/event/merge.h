// Batch-level members applied to one item of the batch. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace leat::event {

/// The JSON text of `event_json` (an object) with the batch's `context_json` and
/// `integrations_json` merged in; either may be empty. The item wins member by member, objects are
/// merged at every depth, null counts as absent. Nothing is merged into a member that the item
/// gives twice or that is not an object in the item. Errors: as parse_json.
[[nodiscard]] Result<std::string> merge_batch_members(std::string_view event_json,
                                                      std::string_view context_json,
                                                      std::string_view integrations_json);

}  // namespace leat::event
