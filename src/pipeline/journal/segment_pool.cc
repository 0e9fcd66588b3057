#include "pipeline/journal/segment_pool.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "pipeline/journal/segment_scanner.h"

namespace leat::journal {
namespace {

constexpr std::string_view kPrefix = "segment-";
constexpr std::string_view kSuffix = ".log";
constexpr std::uint64_t kZeroBytes = std::uint64_t{1} << 20;
constexpr std::size_t kSparesKept = 2;

std::optional<std::uint64_t> slot_number(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) ||
      name.size() <= kPrefix.size() + kSuffix.size()) {
    return std::nullopt;
  }
  return parse_number<std::uint64_t>(
      name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size()));
}

Status write_zeros(io::File& file, std::uint64_t from, std::uint64_t end) {
  io::AlignedBuffer zeros(std::min(end - from, kZeroBytes));
  std::ranges::fill(zeros.span(), '\0');
  for (std::uint64_t at = from; at < end; at += zeros.size()) {
    const std::uint64_t count = std::min<std::uint64_t>(zeros.size(), end - at);
    LEAT_TRY(file.pwrite({zeros.data(), count}, at));
  }
  return {};
}

}  // namespace

SegmentPool::SegmentPool(PoolOptions options) : options_(std::move(options)) {}

std::string SegmentPool::slot_path(std::uint64_t number) const {
  return fmt::format("{}/{}{:06}{}", options_.directory, kPrefix, number, kSuffix);
}

// ---- recovery: one thread, before anything else runs

Result<std::optional<ActiveSegment>> SegmentPool::recover(bool writable) {
  LEAT_ASSIGN(Found found, read_folder());
  LEAT_TRY(link_chain(std::move(found)));
  if (segments_.empty()) {
    return std::optional<ActiveSegment>();
  }
  return scan_newest(writable);
}

Result<SegmentPool::Found> SegmentPool::read_folder() {
  LEAT_TRY(options_.files->make_directories(options_.directory));
  // What is seen now must also be seen after a power cut: whoever made a file may have died before
  // syncing its name.
  LEAT_TRY(options_.files->sync_directory(options_.directory));
  LEAT_ASSIGN(const auto entries, options_.files->list(options_.directory));
  Found found;
  for (const io::DirectoryEntry& entry : entries) {
    if (const auto number = slot_number(entry.name); number && !entry.directory) {
      next_slot_number_ = std::max(next_slot_number_, *number + 1);
      LEAT_TRY(read_slot(options_.directory + "/" + entry.name, found));
    }
  }
  return found;
}

Status SegmentPool::read_slot(const std::string& path, Found& found) {
  LEAT_ASSIGN(const auto file, options_.files->open(path, {.direct = true}));
  LEAT_ASSIGN(const std::uint64_t size, file->size());
  io::AlignedBuffer block(kBlock);
  LEAT_ASSIGN(const std::size_t count, file->pread(block.span(), 0));
  const auto header = decode_segment_header({block.data(), count});
  if (!header) {
    if (header.error().code == Errc::kUnsupported) {
      return fail(header.error().code, header.error().message + "; " + path);
    }
    // Unfinished files are not trusted: what is seen of them may not be on disk.
    const bool unfinished =
        std::ranges::all_of(block.span().first(count), [](char c) { return c == '\0'; });
    (unfinished ? found.unused : found.damaged)
        .push_back({.path = path, .bytes = size, .sequence = 0, .keep = false});
    return {};
  }
  if (header->journal_id != options_.journal_id || header->shard != options_.shard) {
    return fail(
        Errc::kCorrupt,
        fmt::format(
            "segment belongs to shard {} of journal {}, not to shard {} of {}; move it back; {}",
            header->shard, header->journal_id, options_.shard, options_.journal_id, path));
  }
  if (size < header->segment_bytes) {
    return fail(Errc::kCorrupt, fmt::format("segment has {} bytes, its header says {}; {}", size,
                                            header->segment_bytes, path));
  }
  if (header->sequence == 0) {
    const bool keep = header->segment_bytes == options_.segment_bytes;
    found.unused.push_back(
        {.path = path, .bytes = size, .sequence = 0, .keep = keep, .is_blank = true});
  } else {
    found.segments.push_back({.path = path, .header = *header, .end = header->segment_bytes});
  }
  return {};
}

// Sorts what was found into segments that hold records and slots to reuse.
Status SegmentPool::link_chain(Found found) {
  std::map<std::uint64_t, Segment> by_sequence;
  for (Segment& segment : found.segments) {
    const auto [other, added] = by_sequence.try_emplace(segment.header.sequence, segment);
    if (!added) {
      return fail(
          Errc::kCorrupt,
          fmt::format("two segments have sequence {}: {} and {}; one is a copy, move it away",
                      segment.header.sequence, other->second.path, segment.path));
    }
  }
  if (!by_sequence.empty()) {
    const SegmentHeader newest = by_sequence.rbegin()->second.header;
    last_sequence_ = newest.sequence;
    durable_oldest_ = newest.oldest_sequence;
    for (std::uint64_t wanted = newest.sequence; wanted >= newest.oldest_sequence && wanted != 0;) {
      const auto node = by_sequence.extract(wanted);
      if (node.empty()) {
        return fail(
            Errc::kCorrupt,
            fmt::format(
                "segment {} is missing, or its header is damaged, though segment {} needs it; "
                "acknowledged records are lost; {}",
                wanted, newest.sequence, options_.directory));
      }
      Segment& segment = node.mapped();
      if (!segments_.empty() && segment.header.first > segments_.front().header.first) {
        return fail(Errc::kCorrupt, fmt::format("segments {} and {} overlap; {}", wanted,
                                                segments_.front().header.sequence, segment.path));
      }
      wanted = segment.header.previous_sequence;
      segments_.push_front(std::move(segment));
    }
  }
  for (const Slot& slot : found.damaged) {
    LEAT_TRY(check_damaged(slot, last_sequence_));
    found.unused.push_back(slot);
  }
  for (auto& [sequence, segment] : by_sequence) {
    found.unused.push_back({.path = segment.path,
                            .bytes = segment.header.segment_bytes,
                            .sequence = 0,
                            .keep = segment.header.segment_bytes == options_.segment_bytes});
  }
  slots_.assign(found.unused.begin(), found.unused.end());
  return {};
}

// A damaged header is what a crash while a slot is begun leaves behind, and then no commit can
// follow it.
Status SegmentPool::check_damaged(const Slot& slot, std::uint64_t newest) const {
  LEAT_ASSIGN(const auto file, options_.files->open(slot.path, {.direct = true}));
  io::AlignedBuffer block(kBlock);
  LEAT_ASSIGN(const std::size_t count, file->pread(block.span(), kBlock));
  const auto commit = decode_commit_header({block.data(), count});
  if (commit && commit->sequence > newest) {
    return fail(Errc::kCorrupt,
                fmt::format("segment header is damaged, but commits of segment {} follow it; "
                            "acknowledged records are lost; {}",
                            commit->sequence, slot.path));
  }
  return {};
}

Result<std::optional<ActiveSegment>> SegmentPool::scan_newest(bool writable) {
  Segment& newest = segments_.back();
  LEAT_ASSIGN(SegmentScanner scanner, open_segment(*options_.files, newest.path));
  std::string last_commit;
  while (true) {
    LEAT_ASSIGN(const bool more, scanner.next());
    if (!more) {
      break;
    }
    last_commit = scanner.commit_bytes();
  }
  if (scanner.end() == SegmentEnd::kCorrupt) {
    return fail(Errc::kCorrupt, fmt::format("{}; {} at byte {}", scanner.problem(), newest.path,
                                            scanner.position()));
  }
  recovered_ = Offset{scanner.next_offset().value - 1};
  newest.end = scanner.position();
  ActiveSegment active{.file = nullptr,
                       .path = newest.path,
                       .header = newest.header,
                       .position = scanner.position(),
                       .next_number = scanner.next_number()};
  LEAT_ASSIGN(active.file, write_header({.path = newest.path}, newest.header));
  if (!last_commit.empty()) {
    io::AlignedBuffer buffer(last_commit.size());
    std::ranges::copy(last_commit, buffer.data());
    LEAT_TRY(active.file->pwrite({buffer.data(), buffer.size()}, scanner.commit_position()));
  }
  // What is not found now must never be found again: the next write here, torn as well, could put
  // right just the sectors that an unfinished commit lacks. Without its header it stays unfinished.
  if (active.position + kBlock <= newest.header.segment_bytes) {
    io::AlignedBuffer nothing(kBlock);
    std::ranges::fill(nothing.span(), '\0');
    LEAT_TRY(active.file->pwrite({nothing.data(), nothing.size()}, active.position));
  }
  LEAT_TRY(active.file->sync());
  const bool has_room = active.position + 2 * kBlock <= newest.header.segment_bytes;
  return writable && has_room ? std::optional(std::move(active)) : std::nullopt;
}

// ---- making and taking slots

// No durable header needs what is in it.
bool SegmentPool::is_unneeded(const Slot& slot) const {
  return slot.sequence == 0 || slot.sequence < durable_oldest_;
}

bool SegmentPool::usable(const Slot& slot) const {
  return slot.keep && is_unneeded(slot);
}

std::uint64_t SegmentPool::disk_bytes() const {
  std::uint64_t bytes = making_bytes_;
  for (const Segment& segment : segments_) {
    bytes += segment.header.segment_bytes;
  }
  for (const Slot& slot : slots_) {
    bytes += slot.bytes;
  }
  return bytes;
}

bool SegmentPool::has_usable_slot() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(slots_, [this](const Slot& slot) { return usable(slot); });
}

// Makes released slots usable by writing a later `oldest` into the newest header. Without this a
// full disk could never recover: no slot could be made, and none reused before one was.
Status SegmentPool::advance_oldest() {
  const std::lock_guard header_lock(header_mutex_);
  Slot slot;
  SegmentHeader header;
  {
    const std::lock_guard lock(mutex_);
    const bool held_back = std::ranges::any_of(slots_, [this](const Slot& held) {
      return held.sequence != 0 && held.sequence >= durable_oldest_;
    });
    if (!held_back || segments_.empty()) {
      return {};
    }
    slot.path = segments_.back().path;
    header = segments_.back().header;
    header.oldest_sequence = segments_.front().header.sequence;
  }
  LEAT_ASSIGN(const auto file, write_header(slot, header));
  const std::lock_guard lock(mutex_);
  segments_.back().header.oldest_sequence = header.oldest_sequence;
  durable_oldest_ = header.oldest_sequence;
  return {};
}

// Makes a slot usable: an old one, else a new one.
Status SegmentPool::ensure_slot() {
  if (has_usable_slot()) {
    return {};
  }
  const std::lock_guard making_lock(making_mutex_);
  LEAT_TRY(advance_oldest());
  if (has_usable_slot()) {
    return {};
  }
  std::string path;
  const std::uint64_t bytes = options_.segment_bytes;
  {
    const std::lock_guard lock(mutex_);
    if (disk_bytes() + bytes > options_.disk_max) {
      return fail(
          Errc::kExhausted,
          fmt::format(
              "the journal has reached journal.disk_max: {} of {} bytes of this shard are in "
              "use; see why the archive does not take the records, or raise the limit; {}",
              disk_bytes(), options_.disk_max, options_.directory));
    }
    path = slot_path(next_slot_number_++);
    making_bytes_ = bytes;
  }
  auto slot = create_slot(path, bytes);
  const std::lock_guard lock(mutex_);
  making_bytes_ = 0;
  if (!slot) {
    return std::unexpected(slot.error());
  }
  slots_.push_front(*slot);
  return {};
}

// Only the flusher takes, so what ensure_slot() found is still there.
Result<SegmentPool::Slot> SegmentPool::take_slot() {
  LEAT_TRY(ensure_slot());
  const std::lock_guard lock(mutex_);
  const auto at = std::ranges::find_if(slots_, [this](const Slot& slot) { return usable(slot); });
  LEAT_CHECK(at != slots_.end());
  Slot slot = *at;
  slots_.erase(at);
  return slot;
}

Result<SegmentPool::Slot> SegmentPool::create_slot(const std::string& path, std::uint64_t bytes) {
  Slot slot{.path = path, .bytes = bytes, .sequence = 0, .keep = true, .is_blank = true};
  Status made = make_file(path, bytes);
  if (made) made = write_spare_header(slot);
  if (made) made = options_.files->sync_directory(options_.directory);
  if (!made) {
    const Status removed = options_.files->remove(path);
    if (!removed && removed.error().code != Errc::kNotFound) {
      log::warning("journal", "unfinished segment stays until the journal is opened again: {}",
                   removed.error().to_string());
    }
    return fail(made.error().code, fmt::format("cannot make a journal segment of {} bytes: {}",
                                               bytes, made.error().message));
  }
  return slot;
}

Status SegmentPool::make_file(const std::string& path, std::uint64_t bytes) {
  LEAT_ASSIGN(const auto file,
              options_.files->open(
                  path, {.write = true, .create = true, .exclusive = true, .direct = true}));
  LEAT_TRY(file->reserve(bytes));
  // Reserved space is not enough: only blocks that were written once are written again without new
  // metadata.
  LEAT_TRY(write_zeros(*file, 0, bytes));
  return file->sync();
}

// The header of a spare is written once the zeros are durable, and so says that they are.
Status SegmentPool::write_spare_header(const Slot& slot) {
  SegmentHeader header;
  header.segment_bytes = slot.bytes;
  header.created_at = options_.clock->now();
  header.shard = options_.shard;
  header.journal_id = options_.journal_id;
  LEAT_ASSIGN([[maybe_unused]] const auto file, write_header(slot, header));
  return {};
}

// The old header stays in front until the rest is gone: after a crash it says, as before, that
// nobody needs the file.
Status SegmentPool::blank(const Slot& slot) {
  {
    LEAT_ASSIGN(const auto file, options_.files->open(slot.path, {.write = true, .direct = true}));
    LEAT_TRY(write_zeros(*file, kBlock, slot.bytes));
    LEAT_TRY(file->sync());
  }
  return write_spare_header(slot);
}

Result<std::uint64_t> SegmentPool::erase_free() {
  std::uint64_t erased = 0;
  while (true) {
    const std::lock_guard making_lock(making_mutex_);  // one file at a time: the flusher may wait
    LEAT_TRY(advance_oldest());
    Slot slot;
    {
      const std::lock_guard lock(mutex_);
      const auto at = std::ranges::find_if(
          slots_, [this](const Slot& each) { return !each.is_blank && is_unneeded(each); });
      if (at == slots_.end()) return erased;
      slot = *at;
      slots_.erase(at);
      making_bytes_ = slot.bytes;
    }
    const Status blanked = blank(slot);
    if (!blanked) discard_slot(slot);
    const std::lock_guard lock(mutex_);
    making_bytes_ = 0;
    if (!blanked) {
      return fail(blanked.error().code, fmt::format("cannot erase the free segment {}: {}",
                                                    slot.path, blanked.error().message));
    }
    erased += slot.bytes;
    slot.sequence = 0;
    slot.is_blank = true;
    slots_.push_front(std::move(slot));
  }
}

Status SegmentPool::prepare() {
  LEAT_TRY(advance_oldest());
  std::vector<Slot> surplus;
  bool wanted = false;
  {
    const std::lock_guard lock(mutex_);
    std::size_t kept = 0;
    std::erase_if(slots_, [&](const Slot& slot) {
      if (is_unneeded(slot) && (!slot.keep || ++kept > kSparesKept)) {
        surplus.push_back(slot);
        return true;
      }
      return false;
    });
    wanted = kept == 0;
  }
  for (const Slot& slot : surplus) {
    if (const Status removed = options_.files->remove(slot.path); !removed) {
      log::warning("journal", "surplus segment stays: {}", removed.error().to_string());
    }
  }
  return wanted ? ensure_slot() : Status{};
}

// ---- writing

Result<ActiveSegment> SegmentPool::activate(Offset first) {
  LEAT_ASSIGN(const Slot slot, take_slot());
  const std::lock_guard header_lock(header_mutex_);
  SegmentHeader header;
  {
    const std::lock_guard lock(mutex_);
    header.sequence = ++last_sequence_;
    header.previous_sequence = segments_.empty() ? 0 : segments_.back().header.sequence;
    header.oldest_sequence =
        segments_.empty() ? header.sequence : segments_.front().header.sequence;
  }
  do {
    header.nonce = options_.random->next();
  } while (header.nonce == 0);
  header.first = first;
  header.segment_bytes = slot.bytes;
  header.created_at = options_.clock->now();
  header.shard = options_.shard;
  header.journal_id = options_.journal_id;
  auto file = write_header(slot, header);
  if (!file) {
    discard_slot(slot);
    return std::unexpected(file.error());
  }
  const std::lock_guard lock(mutex_);
  segments_.push_back({.path = slot.path, .header = header, .end = kBlock});
  durable_oldest_ = header.oldest_sequence;
  return ActiveSegment{.file = std::move(*file), .path = slot.path, .header = header};
}

Status SegmentPool::leave_newest() {
  const Offset next{recovered_.value + 1};
  {
    const std::lock_guard lock(mutex_);
    if (segments_.empty() || segments_.back().header.first == next) return {};
  }
  const auto begun = activate(next);
  return begun ? Status{} : std::unexpected(begun.error());
}

Result<std::unique_ptr<io::File>> SegmentPool::write_header(const Slot& slot,
                                                            const SegmentHeader& header) {
  LEAT_ASSIGN(auto file, options_.files->open(slot.path, {.write = true, .direct = true}));
  io::AlignedBuffer block(kBlock);
  encode_segment_header(header, block.span().first<kBlock>());
  LEAT_TRY(file->pwrite({block.data(), block.size()}, 0));
  LEAT_TRY(file->sync());
  return file;
}

// A slot whose header could not be written is not trusted again.
void SegmentPool::discard_slot(const Slot& slot) {
  if (const Status removed = options_.files->remove(slot.path); !removed) {
    log::warning("journal", "failed segment stays: {}", removed.error().to_string());
  }
}

void SegmentPool::set_active_end(std::uint64_t end) {
  const std::lock_guard lock(mutex_);
  LEAT_CHECK(!segments_.empty());
  segments_.back().end = end;
}

void SegmentPool::poison_active() {
  const std::lock_guard lock(mutex_);
  LEAT_CHECK(!segments_.empty());
  segments_.back().poisoned = true;
  ++poisoned_;
}

// ---- releasing and reading

void SegmentPool::release(Offset through) {
  const std::lock_guard lock(mutex_);
  released_ = std::max(released_, through);
  // The newest stays even when it is not written any more: its header is what keeps the chain
  // together.
  while (segments_.size() > 1 && segments_[1].header.first.value <= released_.value + 1) {
    const Segment& segment = segments_.front();
    slots_.push_back(
        {.path = segment.path,
         .bytes = segment.header.segment_bytes,
         .sequence = segment.header.sequence,
         .keep = !segment.poisoned && segment.header.segment_bytes == options_.segment_bytes});
    segments_.pop_front();
  }
}

Result<ReadableSegment> SegmentPool::find(Offset offset) const {
  const std::lock_guard lock(mutex_);
  for (auto at = segments_.rbegin(); at != segments_.rend(); ++at) {
    if (at->header.first <= offset) {
      return ReadableSegment{.path = at->path, .header = at->header, .end = at->end};
    }
  }
  return fail(Errc::kNotFound,
              fmt::format("record {} was released; the oldest held is {}; {}", offset.value,
                          segments_.empty() ? 0 : segments_.front().header.first.value,
                          options_.directory));
}

SegmentPool::Counts SegmentPool::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts;
  counts.segments = segments_.size();
  counts.spares = slots_.size();
  counts.disk_bytes = disk_bytes();
  counts.poisoned = poisoned_;
  counts.oldest = segments_.empty() ? Offset{} : segments_.front().header.first;
  counts.released = released_;
  return counts;
}

}  // namespace leat::journal
