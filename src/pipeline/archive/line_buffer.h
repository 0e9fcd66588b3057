// Lines of an object to be. Unlike a string it grows where it stands when it can, and never writes
// zeros: lines of one object are up to 64 MiB, which are dear to copy and to touch twice.
#pragma once

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
    const std::size_t room = wanted + wanted / 2 + 4096;
    auto* bytes = static_cast<char*>(std::realloc(bytes_.get(), room));
    LEAT_CHECK(bytes != nullptr);
    static_cast<void>(bytes_.release());
    bytes_.reset(bytes);
    room_ = room;
  }

  std::unique_ptr<char, Free> bytes_;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

}  // namespace leat::archive
