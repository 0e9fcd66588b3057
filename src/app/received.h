// How many events each source has ever had acknowledged, and how many of them are in the archive:
// the first two columns of the books.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/archive/archive.h"
#include "pipeline/journal/journal.h"

namespace leat::app {

struct SourceCounts {
  std::int64_t received_events = 0;  ///< Durable in the journal or sealed.
  std::int64_t archived_events = 0;  ///< In sealed batches.
};

/// Counts from the archive's seals and, behind the last one, from the journal. Remembers where it
/// was, so that a call costs what is new since the last one; the first call reads every seal. Any
/// thread.
class ReceivedCounts {
 public:
  /// Both are borrowed; `journal` may be null where there is no collector.
  ReceivedCounts(const archive::Archive& archive, journal::Journal* journal)
      : archive_(archive), journal_(journal) {}

  /// By source. Errors: those of the archive and the journal.
  [[nodiscard]] Result<std::map<std::string, SourceCounts>> count();

 private:
  [[nodiscard]] Status take_new_seals();
  [[nodiscard]] Status add_unsealed(std::map<std::string, SourceCounts>& counts) const;

  const archive::Archive& archive_;
  journal::Journal* journal_;
  std::mutex mutex_;  // guards all below
  archive::Positions positions_;
  std::map<std::string, SourceCounts> archived_;
};

}  // namespace leat::app
