#include "app/received.h"

namespace leat::app {
namespace {

constexpr std::size_t kSealsAtOnce = 256;

}  // namespace

Result<std::map<std::string, SourceCounts>> ReceivedCounts::count() {
  const std::scoped_lock lock(mutex_);
  // A seal that comes between the two readings moves records from the journal to the archive and
  // may let them be recycled; then the journal says kNotFound and the archive has them.
  constexpr int kTries = 5;
  for (int attempt = 1;; ++attempt) {
    LEAT_TRY(take_new_seals());
    std::map<std::string, SourceCounts> counts = archived_;
    if (journal_ == nullptr) return counts;
    const Status added = add_unsealed(counts);
    if (added) return counts;
    if (added.error().code != Errc::kNotFound || attempt == kTries)
      return std::unexpected(added.error());
  }
}

Status ReceivedCounts::take_new_seals() {
  while (true) {
    LEAT_ASSIGN(const auto seals, archive_.list_after(positions_, kSealsAtOnce));
    for (const archive::Seal& seal : seals) {
      for (const archive::Batch& batch : seal.batches) {
        const auto events = static_cast<std::int64_t>(batch.events);
        archived_[batch.source].archived_events += events;
        archived_[batch.source].received_events += events;
      }
      positions_[seal.stream] = seal.last;
    }
    if (seals.size() < kSealsAtOnce) return {};
  }
}

Status ReceivedCounts::add_unsealed(std::map<std::string, SourceCounts>& counts) const {
  for (std::size_t shard = 0; shard < journal_->readable_shard_count(); ++shard) {
    const auto sealed = positions_.find(journal_->stream(shard));
    const std::uint64_t last = sealed == positions_.end() ? 0 : sealed->second.value;
    journal::Reader reader(*journal_, shard, journal::Offset{last + 1});
    journal::Record record;
    while (true) {
      LEAT_ASSIGN(const bool more, reader.next(record));
      if (!more) break;
      counts[std::string(record.source)].received_events += record.event_count;
    }
  }
  return {};
}

}  // namespace leat::app
