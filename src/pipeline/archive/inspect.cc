#include "pipeline/archive/inspect.h"

#include <fmt/core.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/digest.h"
#include "base/text.h"

namespace leat::archive {
namespace {

constexpr std::size_t kFirstLineBytes = 200;

struct FreeStream {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

// Counts a piece of the decompressed bytes.
void count(ObjectReport& report, std::string_view piece, bool& in_first_line) {
  report.raw_bytes += piece.size();
  report.lines += count_byte(piece, '\n');
  if (in_first_line) {
    const std::string_view line = piece.substr(0, piece.find('\n'));
    report.first_line.append(line.substr(
        0, kFirstLineBytes + 4 - std::min(kFirstLineBytes + 4, report.first_line.size())));
    in_first_line = line.size() == piece.size();
  }
}

}  // namespace

bool is_object(std::string_view bytes) {
  return bytes.starts_with("\x28\xB5\x2F\xFD");  // zstd's magic number
}

Result<ObjectReport> inspect_object(std::string_view bytes) {
  if (ZSTD_getFrameContentSize(bytes.data(), bytes.size()) == ZSTD_CONTENTSIZE_ERROR) {
    return fail(Errc::kInvalid, "not a zstd stream");
  }
  ObjectReport report;
  report.object_bytes = bytes.size();
  report.xxh128 = to_hex(xxh128(bytes));
  report.sha256 = to_hex(sha256(bytes));
  const std::unique_ptr<ZSTD_DStream, FreeStream> stream(ZSTD_createDStream());
  ZSTD_initDStream(stream.get());
  std::vector<char> piece(ZSTD_DStreamOutSize());
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  bool in_first_line = true;
  bool more = true;
  char last = '\n';
  std::size_t left = 0;
  while (more) {
    ZSTD_outBuffer out{piece.data(), piece.size(), 0};
    left = ZSTD_decompressStream(stream.get(), &out, &in);
    if (ZSTD_isError(left) != 0) {
      report.problem = fmt::format("damaged at byte {}: {}", in.pos, ZSTD_getErrorName(left));
      break;
    }
    count(report, {piece.data(), out.pos}, in_first_line);
    last = out.pos != 0 ? piece[out.pos - 1] : last;
    more = in.pos < in.size || out.pos == out.size;
  }
  if (report.problem.empty() && left != 0) {
    report.problem = "cut short: the last zstd frame is not finished";
  }
  if (report.problem.empty() && last != '\n') {
    report.problem = "the last line has no end";
  }
  report.first_line = std::string(utf8_prefix(report.first_line, kFirstLineBytes));
  return report;
}

Result<std::string> decompress_object(std::string_view bytes) {
  constexpr std::uint64_t kBytesMax = 4ULL << 30;
  const std::uint64_t size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
    return fail(Errc::kInvalid, "not an archive object: no zstd stream that says its size");
  }
  if (size > kBytesMax) return fail(Errc::kExhausted, "the object has more than 4 GiB of lines");
  std::string lines(size, '\0');
  const std::size_t got = ZSTD_decompress(lines.data(), lines.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(got) != 0 || got != size) {
    return fail(Errc::kCorrupt, "the object is damaged; `leat inspect` says where");
  }
  return lines;
}

Result<Seal> inspect_seal(std::string_view bytes) {
  return parse_seal(bytes);
}

std::string to_text(const ObjectReport& report) {
  return fmt::format(
      "archive object\n  {} events, {} bytes of lines, {} bytes compressed ({:.1f} x)\n  xxh128 "
      "{}\n  sha256 {}\n"
      "  first: {}\n  {}{}\n",
      report.lines, report.raw_bytes, report.object_bytes,
      static_cast<double>(report.raw_bytes) /
          static_cast<double>(std::max<std::uint64_t>(report.object_bytes, 1)),
      report.xxh128, report.sha256, report.first_line,
      report.problem.empty() ? "whole" : "problem: ", report.problem);
}

std::string to_json(const ObjectReport& report) {
  const std::string first = is_utf8(report.first_line) ? report.first_line : "";
  return fmt::format(
      R"({{"kind":"archive_object","object_bytes":{},"raw_bytes":{},"lines":{},"xxh128":"{}","sha256":"{}",)"
      R"("first_line":{},"problem":{}}})"
      "\n",
      report.object_bytes, report.raw_bytes, report.lines, report.xxh128, report.sha256,
      json_string(first), json_string(report.problem));
}

std::string to_text(const Seal& seal) {
  std::string out =
      fmt::format("archive seal\n  stream {}, records {} to {}, {} events in {} batches\n",
                  seal.stream, seal.first.value, seal.last.value, seal.events, seal.batches.size());
  for (const Batch& batch : seal.batches) {
    out += fmt::format(
        "  {} {}: {} events{}, {} bytes of lines, {} bytes compressed\n    {}\n    {} {}\n",
        batch.source, batch.hour, batch.events,
        batch.deleted == 0 ? "" : fmt::format(" ({} deleted)", batch.deleted), batch.raw_bytes,
        batch.object_bytes, batch.uri, batch.sha256.empty() ? "xxh128" : "sha256",
        batch.sha256.empty() ? batch.xxh128 : batch.sha256);
  }
  return out;
}

}  // namespace leat::archive
