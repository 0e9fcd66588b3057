// One deletion of a person's events: archive, destination, staged files, in that order. Every step
// may be done again; what was announced in the log is counted once.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "io/object_store.h"
#include "pipeline/load/loader.h"
#include "pipeline/privacy/deletion_log.h"
#include "pipeline/privacy/regulation.h"

namespace leat::privacy {

struct DeletionOptions {
  io::ObjectStore* store = nullptr;  ///< Archive and staged files. Borrowed.
  std::string bucket;
  std::vector<load::SourceSettings> sources;  ///< All that the configuration names.
  /// The schema of a source that the archive has and the configuration names no more. Empty: the
  /// rows of such sources stay.
  std::function<std::string(std::string_view)> usual_schema_of;
  load::DestinationSettings destination;
  load::Connect connect;
  /// Seals what the journal holds; may be empty where there is no journal.
  std::function<Status()> seal_now;
  const Clock* clock = &system_clock();  ///< Borrowed.
  int attempts_max = 5;                  ///< Tries of one source's transaction.
  /// Called as the report grows; may be empty.
  std::function<void(const std::vector<SourceReport>&)> progress;
};

/// Does `request` to its end, or, when it is dry, finds out what it would do. `log`: of the
/// request; null when it is dry. Returns a report per source. Errors leave a state from which it
/// can be done again: those of store, destination and log; kUnavailable when stopped.
[[nodiscard]] Result<std::vector<SourceReport>> run_deletion(const DeletionOptions& options,
                                                             const DeletionRequest& request,
                                                             DeletionLog* log,
                                                             std::stop_token stop);

}  // namespace leat::privacy
