// Lines of an object to be. Unlike a string it grows where it stands when it can, and never writes
// zeros: lines of one object are up to 64 MiB, which are dear to copy and to touch twice.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/check.h"

namespace leat::archive {

/// One thread at a time.
class LineBuffer {
 public:
  void append(std::string_view lines) {
    if (size_ + lines.size() > room_) grow(size_ + lines.size());
    std::memcpy(bytes_.get() + size_, lines.data(), lines.size());
    size_ += lines.size();
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };

  void grow(std::size_t wanted) {
    // Few steps: what lies behind the lines is only asked for, not touched. Not more than the
    // lines of an object, where memory that is asked for counts.
    constexpr std::size_t kObjectBytes = std::size_t{72} << 20;
    const std::size_t room =
        std::max(wanted + wanted / 2, std::min(wanted * 8, kObjectBytes)) + 4096;
    auto* bytes = static_cast<char*>(std::realloc(bytes_.get(), room));
    LEAT_CHECK(bytes != nullptr);
    static_cast<void>(bytes_.release());
    bytes_.reset(bytes);
    room_ = room;
    ask_for_large_pages();
  }

  // Each first touch of a page is a fault, of which 64 MiB are 16,384. Where the system has no
  // large pages, nothing changes.
  void ask_for_large_pages() {
    constexpr std::size_t kLargePage = std::size_t{2} << 20;
    const auto start = std::bit_cast<std::uintptr_t>(bytes_.get());
    const std::uintptr_t first = (start + kLargePage - 1) / kLargePage * kLargePage;
    const std::uintptr_t end = (start + room_) / kLargePage * kLargePage;
    if (first >= end) return;
    static_cast<void>(::madvise(std::bit_cast<void*>(first), end - first, MADV_HUGEPAGE));
  }

  std::unique_ptr<char, Free> bytes_;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

}  // namespace leat::archive
