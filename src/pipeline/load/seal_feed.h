// The archive's seals for all sources of a loader: each is read once, however many sources look
// through it for their batches.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/archive/archive.h"

namespace leat::load {

/// Remembers the newest seals of each stream, up to `batches_max` batches in all. One thread at a
/// time.
class SealFeed {
 public:
  /// `archive` is borrowed.
  explicit SealFeed(const archive::Archive& archive, std::size_t batches_max = 20'000)
      : archive_(archive), batches_max_(batches_max) {}

  /// As archive::Archive::list_after, in any order of streams. Reads what is not remembered, and
  /// looks once into each stream for newer ones.
  [[nodiscard]] Result<std::vector<archive::Seal>> list_after(const archive::Positions& positions,
                                                              std::size_t limit);

 private:
  /// Seals that follow each other without a gap.
  struct Run {
    bool is_from_start = false;  // the first one is the first of its stream
    std::deque<archive::Seal> seals;
  };

  void remember(const archive::Seal& seal, bool is_first);
  void forget_oldest();

  const archive::Archive& archive_;
  std::size_t batches_max_;
  std::size_t batches_ = 0;
  std::map<std::string, Run> runs_;
};

}  // namespace leat::load
