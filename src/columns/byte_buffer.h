// Growing bytes of the Parquet writer, and how short texts are copied and compared without calls.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/check.h"

namespace leat::columns {

/// Growing bytes without zeroing; room(n) makes n bytes writable at the end.
class ByteBuffer {
 public:
  [[nodiscard]] char* room(std::size_t bytes) {
    if (size_ + bytes > room_) grow(bytes);
    return bytes_.get() + size_;
  }
  void advance(std::size_t bytes) { size_ += bytes; }
  /// Keeps the first `size` bytes.
  void cut(std::size_t size) { size_ = size; }
  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] char* data() { return bytes_.get(); }
  [[nodiscard]] const char* data() const { return bytes_.get(); }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };

  void grow(std::size_t bytes) {
    // Small ones grow faster: a load of many tables has ten thousand of them.
    constexpr std::size_t kSmall = 4096;
    room_ = std::max({room_ * (room_ < kSmall ? 4 : 2), size_ + bytes, std::size_t{256}});
    auto* grown = static_cast<char*>(std::realloc(bytes_.get(), room_));
    LEAT_CHECK(grown != nullptr);
    static_cast<void>(bytes_.release());
    bytes_.reset(grown);
  }
  std::unique_ptr<char, Free> bytes_;
  std::size_t room_ = 0;
  std::size_t size_ = 0;
};

/// memcpy for texts, most of which are short: blocks that overlap instead of a call.
inline void copy_text(char* to, const char* from, std::size_t size) {
  if (size > 64) {
    std::memcpy(to, from, size);
  } else if (size >= 16) {
    for (std::size_t at = 0; at + 16 < size; at += 16) std::memcpy(to + at, from + at, 16);
    std::memcpy(to + size - 16, from + size - 16, 16);
  } else if (size >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + size - 4, from + size - 4, 4);
  } else if (size > 0) {
    to[0] = from[0];
    to[size / 2] = from[size / 2];
    to[size - 1] = from[size - 1];
  }
}

/// Like ==, for texts most of which are short.
inline bool is_same_text(std::string_view a, std::string_view b) {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  if (size > 256) return a == b;
  if (size < 4) {
    return size == 0 || (a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1]);
  }
  if (size < 8) {
    const auto word = [](const char* from) {
      std::uint32_t out = 0;
      std::memcpy(&out, from, 4);
      return out;
    };
    return word(a.data()) == word(b.data()) &&
           word(a.data() + size - 4) == word(b.data() + size - 4);
  }
  const auto differing = [&](std::size_t at) {
    std::uint64_t left = 0;
    std::uint64_t right = 0;
    std::memcpy(&left, a.data() + at, 8);
    std::memcpy(&right, b.data() + at, 8);
    return left ^ right;
  };
  std::uint64_t bits = differing(size - 8);
  for (std::size_t at = 0; at + 8 < size; at += 8) bits |= differing(at);
  return bits == 0;
}

/// The first eight bytes as a number that sorts as they do; shorter texts end in zeros.
inline std::uint64_t order_prefix(std::string_view text) {
  std::uint64_t word = 0;
  if (text.size() >= 8) {
    std::memcpy(&word, text.data(), 8);
  } else {
    copy_text(reinterpret_cast<char*>(&word), text.data(), text.size());
  }
  static_assert(std::endian::native == std::endian::little);
  return __builtin_bswap64(word);
}

}  // namespace leat::columns
