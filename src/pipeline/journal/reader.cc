#include <fmt/core.h>

#include <optional>
#include <utility>

#include "base/check.h"
#include "pipeline/journal/journal.h"
#include "pipeline/journal/journal_impl.h"
#include "pipeline/journal/segment_scanner.h"

namespace leat::journal {

struct Reader::Impl {
  Journal::Impl& journal;
  ShardState& shard;
  Offset position;
  std::optional<SegmentScanner> scanner;
  std::size_t next_record = 0;  // in the scanner's commit

  [[nodiscard]] Status enter_segment(const ReadableSegment& segment);
  [[nodiscard]] Status load();
  [[nodiscard]] std::unexpected<Error> missing() const;
};

Reader::Reader(Journal& journal, std::size_t shard, Offset from) {
  LEAT_CHECK(shard < journal.readable_shard_count() && from.value > 0);
  impl_ = std::make_unique<Impl>(Impl{.journal = *journal.impl_,
                                      .shard = journal.impl_->shards[shard],
                                      .position = from,
                                      .scanner = std::nullopt});
}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;

Offset Reader::position() const {
  return impl_->position;
}

Status Reader::Impl::enter_segment(const ReadableSegment& segment) {
  LEAT_ASSIGN(auto file, journal.options.files->open(segment.path, {.direct = true}));
  scanner.emplace(std::move(file), segment.path, segment.header, segment.end);
  next_record = 0;
  return {};
}

// The segment does not hold what the journal knows it must. Either it was released and reused
// meanwhile, or it is damaged.
std::unexpected<Error> Reader::Impl::missing() const {
  if (const auto again = shard.pool->find(position); !again) {
    return std::unexpected(again.error());
  }
  return fail(
      Errc::kCorrupt,
      fmt::format("record {} cannot be read: {}; {} at byte {}; run `leat inspect` on the file",
                  position.value,
                  scanner->problem().empty() ? "no commit there" : scanner->problem(),
                  scanner->path(), scanner->position()));
}

// Loads the commit that holds `position`, which is durable.
Status Reader::Impl::load() {
  LEAT_ASSIGN(const ReadableSegment segment, shard.pool->find(position));
  if (!scanner || scanner->header().sequence != segment.header.sequence) {
    LEAT_TRY(enter_segment(segment));
  }
  scanner->set_limit(segment.end);
  while (true) {
    LEAT_ASSIGN(const bool more, scanner->next());
    if (!more) {
      return missing();
    }
    const Offset first = scanner->commit().first;
    if (position < first) {
      return missing();
    }
    if (position < scanner->next_offset()) {
      next_record = position.value - first.value;
      return {};
    }
  }
}

Result<bool> Reader::next(Record& record) {
  if (impl_->position > impl_->shard.durable()) {
    return false;
  }
  if (!impl_->scanner || impl_->next_record >= impl_->scanner->records().size()) {
    if (Status loaded = impl_->load(); !loaded) {
      impl_->scanner.reset();
      return std::unexpected(std::move(loaded).error());
    }
  }
  record = impl_->scanner->records()[impl_->next_record];
  LEAT_CHECK(record.offset == impl_->position);
  ++impl_->next_record;
  ++impl_->position.value;
  return true;
}

}  // namespace leat::journal
