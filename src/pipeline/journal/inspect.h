// Describes a segment file for a person: `leat inspect FILE`. Reads only; needs no lock and no
// journal around it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"
#include "pipeline/journal/journal.h"

namespace leat::journal {

enum class SegmentEnd : std::uint8_t {
  kClean,    ///< After the last commit there is nothing of this segment.
  kClosed,   ///< The last thing is the mark of a clean stop.
  kTorn,     ///< The last commit was not finished when the writer died; it was never acknowledged.
  kCorrupt,  ///< A commit is damaged though later ones follow: acknowledged records are lost.
};

struct CommitReport {
  std::uint64_t position = 0;  ///< Byte in the file.
  std::uint64_t bytes = 0;     ///< With header, without padding.
  Offset first;
  std::uint32_t records = 0;  ///< Zero: the mark of a clean stop.
  std::uint64_t events = 0;
  TimeUs committed_at;
};

struct SegmentReport {
  std::string path;
  bool used = false;  ///< False: a spare without a readable header; the rest is empty then.
  std::uint32_t version = 0;
  std::string journal_id;
  std::uint32_t shard = 0;
  std::uint64_t sequence = 0;  ///< Number of this use of a file in its shard.
  std::uint64_t oldest_sequence =
      0;         ///< Oldest segment that was still needed when this one was begun.
  Offset first;  ///< First record it may hold.
  std::uint64_t segment_bytes = 0;
  TimeUs created_at;
  std::vector<CommitReport> commits;
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  SegmentEnd end = SegmentEnd::kClean;
  std::uint64_t end_position = 0;  ///< Where the good commits end.
  std::string problem;             ///< What is wrong there; empty when nothing is.
};

/// Reads the segment at `path`. kInvalid when the file is no segment, kUnsupported for a newer
/// version.
[[nodiscard]] Result<SegmentReport> inspect_segment(io::FileSystem& files, const std::string& path);

/// For people, and one JSON object for scripts; both end with a newline.
[[nodiscard]] std::string to_text(const SegmentReport& report);
[[nodiscard]] std::string to_json(const SegmentReport& report);

[[nodiscard]] std::string_view segment_end_name(SegmentEnd end);

}  // namespace leat::journal
