// Brings a source's unseen batches into a destination, exactly once.
//
// The whole argument: a batch's ledger row commits in the same transaction as its rows; the
// transaction's first statement locks the ledger; inside the lock the loader looks again which
// batches are there. Nothing on the loader's side is needed to be right after a crash.
// docs/concepts/exactly-once.md tells it in full.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "base/random.h"
#include "pipeline/load/books.h"
#include "pipeline/load/destination.h"
#include "pipeline/load/sync_report.h"
#include "pipeline/shape/shaper.h"

namespace leat::io {
class ObjectStore;
}
namespace leat::archive {
class Archive;
}

namespace leat::load {

/// One source and the schema its tables live in.
struct SourceSettings {
  std::string name;
  std::string schema;
  shape::TrackingPlan* tracking_plan = nullptr;  ///< Optional; borrowed.
  shape::Exclusion exclusion{};                  ///< What of it is not loaded.
  bool is_paused = false;  ///< Nothing is loaded; its events wait in the archive.
};

struct LoaderOptions {
  DestinationSettings destination;
  io::ObjectStore* store = nullptr;      ///< Holds the staged files; COPY reads them. Borrowed.
  archive::Archive* archive = nullptr;   ///< Borrowed.
  std::string bucket = "leat";           ///< Bucket of the staged files.
  const Clock* clock = &system_clock();  ///< Borrowed.
  Random* random = &secure_random();     ///< Makes sync ids. Borrowed.
  metrics::Registry* metrics = nullptr;  ///< Optional; borrowed.
  Connect connect = connect_postgres;
  shape::Options
      shape;  ///< Types and limits of this destination's tables; synced_at is set per sync.
  /// Raw bytes of one transaction, and its events; at least the batches of one seal.
  std::int64_t transaction_bytes_max = 128 << 20;
  std::int64_t transaction_events_max = 2'000'000;
  /// A source that had nothing in this many seals of a shard gets its position stored in the
  /// ledger: about an hour of seals, which a restart would read again.
  std::int64_t checkpoint_seals = 720;
  /// When a table refuses rows: trials to find them, each a transaction that is rolled back. When
  /// they are used up, the events of whole parts count as refused.
  int refusal_trials_max = 128;
  int attempts_max =
      5;  ///< Tries of one transaction after serialization conflicts and lost connections.
};

/// A failed sync: what was done before it failed is committed and stays.
struct SyncFailure {
  Error error;
  FailureKind kind = FailureKind::kOther;  ///< kOther as well when the destination is not to blame.
  SyncReport done;
};

/// One thread at a time.
class Loader {
 public:
  explicit Loader(LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Loads every batch of `source` that the archive has and the ledger has not. Ends early, with
  /// what is committed, on a stop request. Nothing to do is a report with zero batches.
  [[nodiscard]] std::expected<SyncReport, SyncFailure> sync(const SourceSettings& source,
                                                            std::stop_token stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::load
