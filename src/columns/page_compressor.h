// Compresses the pages of one column. Used by column_encoder.cc only.
#pragma once

#include <string_view>

#include "base/error.h"
#include "columns/byte_buffer.h"
#include "columns/parquet_writer.h"

namespace leat::columns {

/// A page as it goes into the file: two pieces, one after the other.
struct CompressedPage {
  std::string_view head;
  std::string_view body;
  [[nodiscard]] std::size_t size() const { return head.size() + body.size(); }
};

enum class PageKind : std::uint8_t {
  kDictionary,  ///< the values of a dictionary
  kIndices,     ///< of a dictionary, or bits
  kWords,       ///< plain integers of 64 bits
  kNumbers,     ///< other plain numbers
  kTexts,       ///< plain
};

/// One thread at a time.
///
/// Snappy finds little in random text (ids, hashes), but searches long for it: when a page shrinks
/// by less than an eighth, the next pages of the same kind are stored, that is written as one
/// literal of Snappy's format, which every reader of Snappy takes. Now and then a page is tried.
class PageCompressor {
 public:
  explicit PageCompressor(const ParquetOptions& options) : options_(options) {}

  /// What is returned points into `raw` or into memory of the thread, until its next call.
  [[nodiscard]] Result<CompressedPage> compress(std::string_view raw, PageKind kind);
  /// A chunk ends: the next one's first page is tried.
  void start_chunk() { pages_to_store_ = 0; }

 private:
  [[nodiscard]] Result<CompressedPage> snappy(std::string_view raw, PageKind kind, ByteBuffer& out);
  [[nodiscard]] static CompressedPage stored(std::string_view raw, ByteBuffer& out);
  [[nodiscard]] static Result<CompressedPage> zstd(std::string_view raw, PageKind kind,
                                                   ByteBuffer& out);

  ParquetOptions options_;
  unsigned pages_to_store_ = 0;
  PageKind last_kind_ = PageKind::kTexts;
};

}  // namespace leat::columns
