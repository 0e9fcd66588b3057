#include "pipeline/journal/format.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/digest.h"

namespace leat::journal {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::string_view kMagic = "leatjrnl";
constexpr std::size_t kSegmentHeaderBytes = 128;

template <class T>
void put(char* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

template <class T>
T get(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

void encode_segment_header(const SegmentHeader& header, std::span<char, kBlock> block) {
  std::ranges::fill(block, '\0');
  char* out = block.data();
  std::memcpy(out, kMagic.data(), kMagic.size());
  put(out + 8, kFormatVersion);
  put(out + 12, header.shard);
  put(out + 16, header.nonce);
  put(out + 24, header.sequence);
  put(out + 32, header.previous_sequence);
  put(out + 40, header.oldest_sequence);
  put(out + 48, header.first.value);
  put(out + 56, header.segment_bytes);
  put(out + 64, header.created_at.value);
  std::ranges::copy(std::string_view(header.journal_id).substr(0, kJournalIdBytes), out + 72);
  put(out + kSegmentHeaderBytes - 4, crc32c({out, kSegmentHeaderBytes - 4}));
}

Result<SegmentHeader> decode_segment_header(std::string_view block) {
  if (block.size() < kSegmentHeaderBytes || !block.starts_with(kMagic)) {
    return fail(Errc::kNotFound, "no segment header");
  }
  const auto version = get<std::uint32_t>(block, 8);
  const bool intact = crc32c(block.substr(0, kSegmentHeaderBytes - 4)) ==
                      get<std::uint32_t>(block, kSegmentHeaderBytes - 4);
  if (version > kFormatVersion && version < 1000) {
    return fail(
        Errc::kUnsupported,
        fmt::format(
            "segment has format version {}, this program knows {}; use the newer program that "
            "wrote it",
            version, kFormatVersion));
  }
  if (!intact || version != kFormatVersion) {
    return fail(Errc::kCorrupt, "segment header is damaged");
  }
  SegmentHeader header;
  header.shard = get<std::uint32_t>(block, 12);
  header.nonce = get<std::uint64_t>(block, 16);
  header.sequence = get<std::uint64_t>(block, 24);
  header.previous_sequence = get<std::uint64_t>(block, 32);
  header.oldest_sequence = get<std::uint64_t>(block, 40);
  header.first = Offset{get<std::uint64_t>(block, 48)};
  header.segment_bytes = get<std::uint64_t>(block, 56);
  header.created_at = TimeUs{get<std::int64_t>(block, 64)};
  header.journal_id = std::string(block.substr(72, kJournalIdBytes));
  const bool spare = header.sequence == 0;
  constexpr std::uint64_t kNumberMax = std::uint64_t{1} << 62;
  const bool sound = header.first.value < kNumberMax && header.sequence < kNumberMax &&
                     (header.nonce == 0) == spare && (header.first.value == 0) == spare &&
                     header.segment_bytes >= 2 * kBlock && header.segment_bytes % kBlock == 0 &&
                     header.oldest_sequence <= header.sequence &&
                     (spare || header.previous_sequence < header.sequence);
  if (!sound) {
    return fail(Errc::kCorrupt, "segment header holds impossible values");
  }
  return header;
}

void encode_commit_header(const CommitHeader& header, std::span<char, kCommitHeaderBytes> out) {
  char* at = out.data();
  put(at, header.nonce);
  put(at + 8, header.sequence);
  put(at + 16, header.first.value);
  put(at + 24, header.records);
  put(at + 28, header.data_bytes);
  put(at + 32, header.events);
  put(at + 36, header.digest);
  put(at + 40, header.committed_at.value);
  put(at + 48, header.number);
  put(at + 52, std::uint32_t{header.closed ? 1U : 0U});
  put(at + 56, std::uint32_t{0});
  put(at + 60, crc32c({at, kCommitHeaderBytes - 4}));
}

std::optional<CommitHeader> decode_commit_header(std::string_view bytes) {
  if (bytes.size() < kCommitHeaderBytes || get<std::uint64_t>(bytes, 0) == 0 ||
      crc32c(bytes.substr(0, kCommitHeaderBytes - 4)) != get<std::uint32_t>(bytes, 60)) {
    return std::nullopt;
  }
  CommitHeader header;
  header.nonce = get<std::uint64_t>(bytes, 0);
  header.sequence = get<std::uint64_t>(bytes, 8);
  header.first = Offset{get<std::uint64_t>(bytes, 16)};
  header.records = get<std::uint32_t>(bytes, 24);
  header.data_bytes = get<std::uint32_t>(bytes, 28);
  header.events = get<std::uint32_t>(bytes, 32);
  header.digest = get<std::uint32_t>(bytes, 36);
  header.committed_at = TimeUs{get<std::int64_t>(bytes, 40)};
  header.number = get<std::uint32_t>(bytes, 48);
  header.closed = get<std::uint32_t>(bytes, 52) == 1;
  return header;
}

std::uint32_t encode_frame(char* out, Offset offset, const RecordHeader& header,
                           std::string_view lines) {
  const std::size_t bytes = frame_bytes(header.source.size(), lines.size());
  put(out + 4, static_cast<std::uint32_t>(bytes));
  put(out + 8, offset.value);
  put(out + 16, header.received_at.value);
  put(out + 24, header.event_count);
  put(out + 28, static_cast<std::uint32_t>(header.source.size()));
  std::memcpy(out + kFrameHeaderBytes, header.source.data(), header.source.size());
  std::memcpy(out + kFrameHeaderBytes + header.source.size(), lines.data(), lines.size());
  const std::uint32_t checksum = crc32c({out + 4, bytes - 4});
  put(out, checksum);
  return checksum;
}

std::optional<Frame> decode_frame(std::string_view bytes) {
  if (bytes.size() < kFrameHeaderBytes) {
    return std::nullopt;
  }
  const auto size = get<std::uint32_t>(bytes, 4);
  const auto source_bytes = get<std::uint32_t>(bytes, 28);
  if (size > bytes.size() || source_bytes > kSourceBytesMax ||
      size < kFrameHeaderBytes + source_bytes) {
    return std::nullopt;
  }
  Frame frame;
  frame.checksum = get<std::uint32_t>(bytes, 0);
  if (crc32c(bytes.substr(4, size - 4)) != frame.checksum) {
    return std::nullopt;
  }
  frame.bytes = size;
  frame.record.offset = Offset{get<std::uint64_t>(bytes, 8)};
  frame.record.received_at = TimeUs{get<std::int64_t>(bytes, 16)};
  frame.record.event_count = get<std::uint32_t>(bytes, 24);
  frame.record.source = bytes.substr(kFrameHeaderBytes, source_bytes);
  frame.record.lines =
      bytes.substr(kFrameHeaderBytes + source_bytes, size - kFrameHeaderBytes - source_bytes);
  return frame;
}

std::uint32_t extend_digest(std::uint32_t digest, std::uint32_t checksum) {
  std::array<char, sizeof checksum> bytes{};
  put(bytes.data(), checksum);
  return crc32c({bytes.data(), bytes.size()}, digest);
}

}  // namespace leat::journal
