// The counters of one source's syncs (docs/reference/metrics.md). Used by sync_schedule.cc only.
#pragma once

#include <string>

#include "base/metrics.h"
#include "pipeline/load/sync_report.h"

namespace leat::load {

struct SourceMetrics {
  metrics::Counter* succeeded = nullptr;
  metrics::Counter* failed = nullptr;
  metrics::Counter* batches = nullptr;
  metrics::Counter* loaded = nullptr;
  metrics::Counter* deduplicated = nullptr;
  metrics::Counter* rescued = nullptr;
  metrics::Counter* excluded = nullptr;
  metrics::Counter* values_rescued = nullptr;
  metrics::Counter* staged_bytes = nullptr;
  metrics::Histogram* duration = nullptr;
  metrics::Gauge* last_success = nullptr;
  metrics::Gauge* failures_in_a_row = nullptr;
  metrics::Gauge* paused = nullptr;

  /// `registry` must outlive it.
  [[nodiscard]] static SourceMetrics make(metrics::Registry& registry, const std::string& source);
  /// Counts what a sync did.
  void count(const SyncReport& report) const;
};

}  // namespace leat::load
