#include "io/aligned_buffer.h"

#include <cstdlib>

#include "base/check.h"
#include "io/file_system.h"

namespace leat::io {

AlignedBuffer::AlignedBuffer(std::size_t bytes)
    : size_((bytes + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment) {
  memory_.reset(static_cast<char*>(std::aligned_alloc(kDirectAlignment, size_)));
  LEAT_CHECK(size_ == 0 || memory_ != nullptr);
}

void AlignedBuffer::Free::operator()(char* memory) const {
  std::free(memory);
}

}  // namespace leat::io
