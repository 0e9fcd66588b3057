// The bytes of an archive object, made from its lines.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace leat::archive {

/// Keeps zstd's working memory from one object to the next. One thread at a time.
class Compressor {
 public:
  Compressor();
  ~Compressor();

  /// One frame with content size and checksum. The same lines give the same bytes with the same
  /// zstd library. kBug when zstd fails.
  [[nodiscard]] Result<std::string> compress(std::string_view lines);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::archive
