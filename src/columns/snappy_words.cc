#include "columns/snappy_words.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "columns/byte_buffer.h"

namespace leat::columns {

namespace {

constexpr std::size_t kLiteralMax = 60;        // bytes of a literal with a tag of one byte
constexpr std::size_t kNearOffsetMax = 2'047;  // of a copy with a tag of two bytes

std::uint64_t load(const char* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, 8);
  return word;
}

char* put_literal(char* to, const char* from, std::size_t size) {
  while (size > 0) {
    const std::size_t part = std::min(size, kLiteralMax);
    *to++ = static_cast<char>((part - 1) << 2);
    copy_text(to, from, part);
    to += part;
    from += part;
    size -= part;
  }
  return to;
}

/// Of 1 to 16 bytes, copied as 16: both ends must have room.
char* put_short_literal(char* to, const char* from, std::size_t size) {
  *to++ = static_cast<char>((size - 1) << 2);
  std::memcpy(to, from, 16);
  return to + size;
}

char* put_copy(char* to, std::size_t offset, std::size_t size) {
  to[0] = static_cast<char>(1U | (size - 4) << 2 | (offset >> 8) << 5);
  to[1] = static_cast<char>(offset);
  return to + 2;
}

}  // namespace

std::size_t put_snappy_size(std::size_t bytes, char* out) {
  std::size_t used = 0;
  for (; bytes >= 0x80; bytes >>= 7) out[used++] = static_cast<char>(bytes | 0x80);
  out[used++] = static_cast<char>(bytes);
  return used;
}

std::size_t compress_words(std::string_view raw, char* out) {
  std::array<std::size_t, 256> seen{};  // where a word with these six high bytes ended last
  char* to = out + put_snappy_size(raw.size(), out);
  const char* data = raw.data();
  std::size_t literal = 0;  // where the bytes begin that are not written yet
  std::uint64_t previous = ~std::uint64_t{0};
  std::size_t at = raw.size() % 8;
  bool has_previous = false;
  for (; at < raw.size(); at += 8) {
    const std::uint64_t word = load(data + at);
    const std::uint64_t change = has_previous ? word ^ previous : ~std::uint64_t{0};
    std::size_t& same = seen[((word >> 16) * 0x9e3779b97f4a7c15ULL) >> 56];
    const std::size_t distance = at + 8 - same;
    std::size_t offset = 8;
    std::size_t differing = 8;  // low bytes that are a literal
    if (change >> 8 == 0) {
      differing = change == 0 ? 0 : 1;
    } else if (same != 0 && distance <= kNearOffsetMax &&
               (load(data + same - 8) ^ word) >> 16 == 0) {
      offset = distance;
      differing = 2;
    } else if (change >> 24 == 0) {
      differing = 3;
    } else if (change >> 32 == 0) {
      differing = 4;
    }
    if (differing < 8) {
      const std::size_t size = at + differing - literal;
      const bool is_short = size - 1 < 16 && raw.size() - literal >= 16;
      to = is_short ? put_short_literal(to, data + literal, size)
                    : put_literal(to, data + literal, size);
      to = put_copy(to, offset, 8 - differing);
      literal = at + 8;
    }
    same = at + 8;
    previous = word;
    has_previous = true;
  }
  to = put_literal(to, data + literal, raw.size() - literal);
  return static_cast<std::size_t>(to - out);
}

}  // namespace leat::columns
