// Reads the commits of one segment in order and says exactly how they end:
//   nothing of this segment follows        -> clean end
//   an unfinished commit, nothing behind   -> torn: the writer died; it was never acknowledged
//   damage with later commits behind it    -> corrupt: a commit is only begun when the one before
//   is synced, so
//                                             acknowledged bytes are wrong
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/aligned_buffer.h"
#include "io/file_system.h"
#include "pipeline/journal/format.h"
#include "pipeline/journal/inspect.h"

namespace leat::journal {

/// One thread.
class SegmentScanner {
 public:
  /// `limit`: bytes of the file that may be read; what is beyond is not looked at.
  SegmentScanner(std::unique_ptr<io::File> file, std::string path, SegmentHeader header,
                 std::uint64_t limit);

  /// Raises the limit when the segment has grown.
  void set_limit(std::uint64_t limit) { limit_ = limit; }

  /// Loads the next commit and checks all of it; false at the end, which end() then describes.
  /// Errors: of the read.
  [[nodiscard]] Result<bool> next();

  /// The loaded commit; the views of its records hold until the next call of next().
  [[nodiscard]] const CommitHeader& commit() const { return commit_; }
  [[nodiscard]] const std::vector<Record>& records() const { return records_; }
  /// All bytes of the loaded commit as they are in the file, padding included.
  [[nodiscard]] std::string_view commit_bytes() const;
  /// Where the loaded commit begins.
  [[nodiscard]] std::uint64_t commit_position() const { return commit_position_; }

  /// Where the next commit belongs: behind all good ones.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] Offset next_offset() const { return next_offset_; }
  [[nodiscard]] std::uint32_t next_number() const { return next_number_; }
  [[nodiscard]] const SegmentHeader& header() const { return header_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] SegmentEnd end() const { return end_; }
  /// What is wrong at position(); empty when nothing is.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  [[nodiscard]] Result<std::string_view> bytes_at(std::uint64_t position, std::uint64_t count);
  [[nodiscard]] bool belongs_here(const CommitHeader& commit) const;
  [[nodiscard]] bool check_records(std::string_view data);
  [[nodiscard]] Result<bool> stop(std::string problem);

  std::unique_ptr<io::File> file_;
  std::string path_;
  SegmentHeader header_;
  std::uint64_t limit_;
  io::AlignedBuffer window_;  // file bytes [window_start_, window_start_ + window_bytes_)
  std::uint64_t window_start_ = 0;
  std::uint64_t window_bytes_ = 0;
  CommitHeader commit_;
  std::vector<Record> records_;
  std::uint64_t commit_position_ = 0;
  std::uint64_t position_ = kBlock;
  Offset next_offset_;
  std::uint32_t next_number_ = 1;
  bool closed_ = false;
  SegmentEnd end_ = SegmentEnd::kClean;
  std::string problem_;
};

/// Opens a segment file and reads its header. Errors: kNotFound for a spare, those of
/// decode_segment_header(), of the file system.
[[nodiscard]] Result<SegmentScanner> open_segment(io::FileSystem& files, const std::string& path);

}  // namespace leat::journal
