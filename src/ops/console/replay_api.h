// The console's requests about replays and rescued events, as their URL's query says them. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/load/replay.h"
#include "pipeline/load/replay_jobs.h"
#include "pipeline/load/rescue.h"

namespace leat::console {

/// POST /api/replay (docs/reference/console-api.md). Errors: kInvalid, naming the parameter.
[[nodiscard]] Result<load::ReplayRequest> read_replay_query(std::string_view query);
/// The parameter `number` alone; 0 when it may be left out and is.
[[nodiscard]] Result<std::int64_t> read_replay_number(std::string_view query, bool may_be_absent);

/// What GET /api/rescued asks for.
struct RescuedQuery {
  std::string source;  ///< Empty: all.
  load::RescueQuery query;
};
[[nodiscard]] Result<RescuedQuery> read_rescued_query(std::string_view query);

/// `{"replays":[...]}` of those with that number; 0: all.
[[nodiscard]] std::string replays_json(const std::vector<load::ReplayJob>& jobs,
                                       std::int64_t number);

}  // namespace leat::console
