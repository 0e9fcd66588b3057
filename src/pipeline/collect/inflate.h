// Undoes Content-Encoding within a limit, so that a small body cannot become a large one.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/error.h"

struct libdeflate_decompressor;

namespace leat::collect {

/// One thread at a time; keeps its memory for the next body.
class Inflater {
 public:
  /// `bytes_max`: most bytes that a body may become.
  explicit Inflater(std::size_t bytes_max);
  ~Inflater();

  /// Decompresses all of `body` (gzip, of one or more members). The result holds until the next
  /// call and is followed by net::kBodyPadding readable bytes. Errors: kInvalid when it is no gzip,
  /// broken, cut off or followed by other bytes; kExhausted when it would be larger than the limit.
  [[nodiscard]] Result<std::string_view> gunzip(std::string_view body);

 private:
  struct Freer {
    void operator()(libdeflate_decompressor* decompressor) const;
  };
  std::size_t bytes_max_;
  std::unique_ptr<char[]> buffer_;  // made at first use
  std::unique_ptr<libdeflate_decompressor, Freer> decompressor_;
};

}  // namespace leat::collect
