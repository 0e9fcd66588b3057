// Memory that direct reads and writes may use: starts and ends at multiples of kDirectAlignment.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace leat::io {

/// A fixed block of memory, not cleared (the system hands out pages when they are first touched).
/// One owner.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  /// `bytes` is rounded up to a multiple of kDirectAlignment.
  explicit AlignedBuffer(std::size_t bytes);

  [[nodiscard]] char* data() { return memory_.get(); }
  [[nodiscard]] const char* data() const { return memory_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<char> span() { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(char* memory) const;
  };
  std::unique_ptr<char, Free> memory_;
  std::size_t size_ = 0;
};

}  // namespace leat::io
