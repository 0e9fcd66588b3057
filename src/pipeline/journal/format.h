// The bytes of a segment file. docs/formats/journal.md is the table; this is the only code that
// knows it.
//
// A segment is a header block, then commits, each starting at a multiple of kBlock. A file is used
// many times, so it is full of bytes from earlier uses; what ties a commit to this use is the
// random nonce that header and commits share, and what ties records to a commit is the digest over
// their checksums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "pipeline/journal/journal.h"

namespace leat::journal {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kBlock = 4096;
inline constexpr std::size_t kCommitHeaderBytes = 64;
inline constexpr std::size_t kFrameHeaderBytes = 32;
inline constexpr std::size_t kSourceBytesMax = 255;
inline constexpr std::size_t kJournalIdBytes = 10;

[[nodiscard]] constexpr std::uint64_t round_up_to_block(std::uint64_t bytes) {
  return (bytes + kBlock - 1) / kBlock * kBlock;
}

struct SegmentHeader {
  std::uint64_t nonce = 0;              ///< Random for each use of a file; zero in a spare only.
  std::uint64_t sequence = 0;           ///< Of this use, from 1; larger is later. Zero: a spare.
  std::uint64_t previous_sequence = 0;  ///< The segment before it; zero when none is needed.
  std::uint64_t oldest_sequence = 0;    ///< Where the chain of needed segments begins.
  Offset first;                         ///< Of the first record it may hold.
  std::uint64_t segment_bytes = 0;
  TimeUs created_at;
  std::uint32_t shard = 0;
  std::string journal_id;
};

/// Fills the header block.
void encode_segment_header(const SegmentHeader& header, std::span<char, kBlock> block);
/// kNotFound: no segment header there; kCorrupt: one that is damaged; kUnsupported: of a
/// newer version.
[[nodiscard]] Result<SegmentHeader> decode_segment_header(std::string_view block);

struct CommitHeader {
  std::uint64_t nonce = 0;
  std::uint64_t sequence = 0;
  Offset first;  ///< Of its first record; of the next one when it has none.
  std::uint32_t records = 0;
  std::uint32_t data_bytes = 0;  ///< Of the frames.
  std::uint32_t events = 0;
  std::uint32_t digest = 0;  ///< crc32c over the frames' checksums, in order.
  TimeUs committed_at;
  std::uint32_t number = 0;  ///< In the segment, from 1.
  bool closed = false;       ///< The mark of a clean stop; has no records.

  [[nodiscard]] std::uint64_t bytes() const {
    return kCommitHeaderBytes + std::uint64_t{data_bytes};
  }
};

void encode_commit_header(const CommitHeader& header, std::span<char, kCommitHeaderBytes> out);
/// Nothing when the bytes are no commit header.
[[nodiscard]] std::optional<CommitHeader> decode_commit_header(std::string_view bytes);

[[nodiscard]] constexpr std::size_t frame_bytes(std::size_t source_bytes, std::size_t line_bytes) {
  return kFrameHeaderBytes + source_bytes + line_bytes;
}
/// Writes a frame of frame_bytes() to `out`; returns its checksum.
std::uint32_t encode_frame(char* out, Offset offset, const RecordHeader& header,
                           std::string_view lines);

struct Frame {
  Record record;  ///< Views into the bytes given.
  std::uint32_t checksum = 0;
  std::size_t bytes = 0;
};
/// The frame at the start of `bytes`, checked; nothing when it is damaged.
[[nodiscard]] std::optional<Frame> decode_frame(std::string_view bytes);

/// The digest of a commit after one more frame.
[[nodiscard]] std::uint32_t extend_digest(std::uint32_t digest, std::uint32_t checksum);

}  // namespace leat::journal
