#include "columns/page_compressor.h"

#include <fmt/format.h>
#include <snappy-c.h>
#include <zstd.h>

#include "columns/snappy_words.h"

namespace leat::columns {

namespace {

struct ZstdSearch {
  int level = 1;
  int hash_log = 10;
  int min_match = 6;
};

/// Level 1 with tables of 4 and 8 KiB, which stay in the nearest cache: over the pages of event
/// tables a quarter less time than the level's own 64 KiB, and files 1.5 % larger
/// (bench/shape_bench).
ZstdSearch search_of(PageKind kind) {
  switch (kind) {
    case PageKind::kDictionary:
      return {.hash_log = 11, .min_match = 7};
    case PageKind::kIndices:
      // Packed bits repeat by chance only: a better search makes them a fifteenth smaller.
      return {.level = -5, .hash_log = 0, .min_match = 0};
    case PageKind::kWords:
    case PageKind::kNumbers:
      return {.min_match = 5};
    case PageKind::kTexts:
      return {};
  }
  return {};
}

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
  // One for all columns: a load of a thousand tables has some ten thousand of them.
  thread_local ByteBuffer out;
  return options_.codec == Codec::kSnappy ? snappy(raw, kind, out) : zstd(raw, kind, out);
}

Result<CompressedPage> PageCompressor::snappy(std::string_view raw, PageKind kind,
                                              ByteBuffer& out) {
  if (kind == last_kind_ && pages_to_store_ > 0 && !raw.empty()) {
    --pages_to_store_;
    return stored(raw, out);
  }
  last_kind_ = kind;
  std::size_t size = snappy_max_compressed_length(raw.size());
  char* room = out.room(std::max(size, compressed_words_max(raw.size())));
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
CompressedPage PageCompressor::stored(std::string_view raw, ByteBuffer& out) {
  char* head = out.room(16);
  std::size_t used = put_snappy_size(raw.size(), head);
  head[used++] = static_cast<char>(63U << 2);
  const auto length = static_cast<std::uint32_t>(raw.size() - 1);
  std::memcpy(head + used, &length, 4);
  return {.head = {head, used + 4}, .body = raw};
}

Result<CompressedPage> PageCompressor::zstd(std::string_view raw, PageKind kind, ByteBuffer& out) {
  thread_local ZstdContext compressor;
  if (compressor.context == nullptr) return fail(Errc::kExhausted, "no memory for zstd");
  const ZstdSearch search = search_of(kind);
  ZSTD_CCtx_setParameter(compressor.context, ZSTD_c_compressionLevel, search.level);
  ZSTD_CCtx_setParameter(compressor.context, ZSTD_c_hashLog, search.hash_log);
  ZSTD_CCtx_setParameter(compressor.context, ZSTD_c_minMatch, search.min_match);
  const std::size_t bound = ZSTD_compressBound(raw.size());
  char* room = out.room(bound);
  const std::size_t size = ZSTD_compress2(compressor.context, room, bound, raw.data(), raw.size());
  if (ZSTD_isError(size) != 0) {
    return fail(Errc::kBug, fmt::format("zstd refused a page: {}", ZSTD_getErrorName(size)));
  }
  return CompressedPage{.head = {}, .body = {room, size}};
}

}  // namespace leat::columns
