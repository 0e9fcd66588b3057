#include "columns/page_compressor.h"

#include <fmt/format.h>
#include <snappy-c.h>
#include <zstd.h>

#include "columns/snappy_words.h"

namespace leat::columns {

namespace {

constexpr int kZstdLevelOfIndices = -5;
constexpr unsigned kPagesStoredMax = 31;  // until the next one is tried

/// One compression context for each thread: its tables stay warm over all columns.
struct ZstdContext {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZstdContext() = default;
  ZstdContext(const ZstdContext&) = delete;
  ZstdContext& operator=(const ZstdContext&) = delete;
  ~ZstdContext() { ZSTD_freeCCtx(context); }
};

}  // namespace

Result<CompressedPage> PageCompressor::compress(std::string_view raw, PageKind kind) {
  out_.cut(0);
  return options_.codec == Codec::kSnappy ? snappy(raw, kind) : zstd(raw, kind);
}

Result<CompressedPage> PageCompressor::snappy(std::string_view raw, PageKind kind) {
  if (kind == last_kind_ && pages_to_store_ > 0 && !raw.empty()) {
    --pages_to_store_;
    return stored(raw);
  }
  last_kind_ = kind;
  std::size_t size = snappy_max_compressed_length(raw.size());
  char* room = out_.room(std::max(size, compressed_words_max(raw.size())));
  if (kind == PageKind::kWords) {
    size = compress_words(raw, room);
  } else if (snappy_compress(raw.data(), raw.size(), room, &size) != SNAPPY_OK) {
    return fail(Errc::kBug, "snappy refused a page");
  }
  pages_to_store_ = size > raw.size() - raw.size() / 8 ? kPagesStoredMax : 0;
  return CompressedPage{.head = {}, .body = {room, size}};
}

/// Snappy's format: the size as a varint, then pieces; here one literal with a length of four
/// bytes.
CompressedPage PageCompressor::stored(std::string_view raw) {
  char* head = out_.room(16);
  std::size_t used = put_snappy_size(raw.size(), head);
  head[used++] = static_cast<char>(63U << 2);
  const auto length = static_cast<std::uint32_t>(raw.size() - 1);
  std::memcpy(head + used, &length, 4);
  return {.head = {head, used + 4}, .body = raw};
}

Result<CompressedPage> PageCompressor::zstd(std::string_view raw, PageKind kind) {
  thread_local ZstdContext compressor;
  if (compressor.context == nullptr) return fail(Errc::kExhausted, "no memory for zstd");
  // Packed bits repeat by chance only: a better search makes them a fifteenth smaller.
  const int level = kind == PageKind::kIndices ? kZstdLevelOfIndices : options_.zstd_level;
  const std::size_t bound = ZSTD_compressBound(raw.size());
  char* room = out_.room(bound);
  const std::size_t size =
      ZSTD_compressCCtx(compressor.context, room, bound, raw.data(), raw.size(), level);
  if (ZSTD_isError(size) != 0) {
    return fail(Errc::kBug, fmt::format("zstd refused a page: {}", ZSTD_getErrorName(size)));
  }
  return CompressedPage{.head = {}, .body = {room, size}};
}

}  // namespace leat::columns
