// What the configuration says to the parts of a running Leat: keys of one part read together, so
// that `leat check` finds what `leat up` would refuse.
#pragma once

#include <optional>

#include "app/config.h"
#include "app/notices.h"
#include "pipeline/collect/server.h"
#include "pipeline/journal/journal.h"
#include "pipeline/load/sync_times.h"

namespace leat::app {

/// The journal's folder is the caller's. Errors: kInvalid, sizes that do not go together.
[[nodiscard]] Result<journal::Options> journal_options(const Config& config);

/// What the collector takes.
[[nodiscard]] collect::Limits collect_limits(const Config& config);

/// Errors: kInvalid, such as a cron expression that never comes.
[[nodiscard]] Result<load::SyncTimes> sync_times(const Config& config);

/// Nothing when nobody is to be told; states and metrics are the caller's. Errors: kInvalid, of
/// check_notices or for keys that need another one.
[[nodiscard]] Result<std::optional<NoticeOptions>> notice_options(const Config& config);

}  // namespace leat::app
