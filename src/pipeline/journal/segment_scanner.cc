#include "pipeline/journal/segment_scanner.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace leat::journal {
namespace {

// A commit that does not end in the window is read again: with 1 MiB that was a third of all bytes.
constexpr std::uint64_t kWindowBytes = std::uint64_t{4} << 20;

}  // namespace

SegmentScanner::SegmentScanner(std::unique_ptr<io::File> file, std::string path,
                               SegmentHeader header, std::uint64_t limit)
    : file_(std::move(file)),
      path_(std::move(path)),
      header_(std::move(header)),
      limit_(limit),
      next_offset_(header_.first) {}

// Bytes [position, position + count) of the file, or fewer where it or the limit ends. `position`
// is a multiple of kBlock.
Result<std::string_view> SegmentScanner::bytes_at(std::uint64_t position, std::uint64_t count) {
  const std::uint64_t end = std::min(limit_, header_.segment_bytes);
  if (position >= end) {
    return std::string_view();
  }
  count = std::min(count, end - position);
  if (position < window_start_ || position + count > window_start_ + window_bytes_) {
    const std::uint64_t wanted =
        round_up_to_block(std::min(std::max(count, kWindowBytes), end - position));
    if (window_.size() < wanted) {
      window_ = io::AlignedBuffer(wanted);
    }
    window_bytes_ = 0;
    window_start_ = position;
    LEAT_ASSIGN(window_bytes_, file_->pread({window_.data(), wanted}, position));
    // What lies beyond the limit may be changing: never keep it.
    window_bytes_ = std::min(window_bytes_, end - position);
  }
  const std::uint64_t at = position - window_start_;
  return std::string_view(window_.data() + at,
                          std::min(count, window_bytes_ - std::min(at, window_bytes_)));
}

bool SegmentScanner::belongs_here(const CommitHeader& commit) const {
  return commit.nonce == header_.nonce && commit.sequence == header_.sequence;
}

bool SegmentScanner::check_records(std::string_view data) {
  records_.clear();
  std::uint32_t digest = 0;
  std::uint64_t events = 0;
  for (std::uint32_t i = 0; i < commit_.records; ++i) {
    const auto frame = decode_frame(data);
    if (!frame || frame->record.offset.value != commit_.first.value + i) {
      return false;
    }
    digest = extend_digest(digest, frame->checksum);
    events += frame->record.event_count;
    records_.push_back(frame->record);
    data.remove_prefix(frame->bytes);
  }
  return data.empty() && digest == commit_.digest && events == commit_.events;
}

Result<bool> SegmentScanner::next() {
  records_.clear();
  LEAT_ASSIGN(const std::string_view head, bytes_at(position_, kCommitHeaderBytes));
  const auto found = decode_commit_header(head);
  if (!found || !belongs_here(*found)) {
    return stop("");
  }
  if (found->first != next_offset_ || found->number != next_number_) {
    end_ = SegmentEnd::kCorrupt;
    problem_ = fmt::format("commit {} with record {} where commit {} with record {} belongs",
                           found->number, found->first.value, next_number_, next_offset_.value);
    return false;
  }
  LEAT_ASSIGN(const std::string_view bytes, bytes_at(position_, found->bytes()));
  commit_ = *found;
  if (bytes.size() < found->bytes() || !check_records(bytes.substr(kCommitHeaderBytes))) {
    records_.clear();
    return stop("commit is incomplete");
  }
  commit_position_ = position_;
  position_ += round_up_to_block(commit_.bytes());
  next_offset_.value += commit_.records;
  ++next_number_;
  closed_ = commit_.closed;
  return true;
}

// Decides between an unfinished end and damage by looking for a later commit of this segment.
Result<bool> SegmentScanner::stop(std::string problem) {
  end_ = !problem.empty() ? SegmentEnd::kTorn : closed_ ? SegmentEnd::kClosed : SegmentEnd::kClean;
  problem_ = std::move(problem);
  for (std::uint64_t at = position_ + kBlock; at < std::min(limit_, header_.segment_bytes);
       at += kBlock) {
    LEAT_ASSIGN(const std::string_view head, bytes_at(at, kCommitHeaderBytes));
    const auto later = decode_commit_header(head);
    if (later && belongs_here(*later) && later->number > next_number_) {
      end_ = SegmentEnd::kCorrupt;
      problem_ = fmt::format(
          "commit {} with record {} is damaged, but commit {} with record {} follows at {}",
          next_number_, next_offset_.value, later->number, later->first.value, at);
      return false;
    }
  }
  return false;
}

std::string_view SegmentScanner::commit_bytes() const {
  const std::uint64_t at = commit_position_ - window_start_;
  return {window_.data() + at, std::min(round_up_to_block(commit_.bytes()), window_bytes_ - at)};
}

Result<SegmentScanner> open_segment(io::FileSystem& files, const std::string& path) {
  LEAT_ASSIGN(auto file, files.open(path, {.direct = true}));
  LEAT_ASSIGN(const std::uint64_t size, file->size());
  io::AlignedBuffer block(kBlock);
  LEAT_ASSIGN(const std::size_t count, file->pread(block.span(), 0));
  auto header = decode_segment_header({block.data(), count});
  if (!header) {
    return fail(header.error().code, header.error().message + "; " + path);
  }
  if (header->sequence == 0) {
    return fail(Errc::kNotFound, "a spare segment, without records; " + path);
  }
  return SegmentScanner(std::move(file), path, *std::move(header), size);
}

}  // namespace leat::journal
