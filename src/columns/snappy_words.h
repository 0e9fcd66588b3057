// Compresses 64-bit integers into Snappy's format, faster than a compressor that must look for any
// match anywhere: a number shares its high bytes with one of the last 255 or with none.
#pragma once

#include <cstddef>
#include <string_view>

namespace leat::columns {

/// Room that compress_words needs at most for `bytes` bytes.
[[nodiscard]] constexpr std::size_t compressed_words_max(std::size_t bytes) {
  return bytes + bytes / 6 + 32;
}

/// Writes `raw`, bytes that end in 64-bit little-endian integers, as one Snappy block and returns
/// its size. Pure; any thread. Source: Snappy's format_description.txt.
[[nodiscard]] std::size_t compress_words(std::string_view raw, char* out);

/// What a Snappy block of `bytes` uncompressed bytes begins with; returns its size, up to 10.
std::size_t put_snappy_size(std::size_t bytes, char* out);

}  // namespace leat::columns
