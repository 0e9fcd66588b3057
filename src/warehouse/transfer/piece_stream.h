// Streams made of another stream piece by piece: blocks of LZOP and Avro files, other encodings.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "warehouse/transfer/byte_stream.h"

namespace leat::transfer {

/// Reads counted pieces of a stream.
class PieceReader {
 public:
  explicit PieceReader(std::unique_ptr<ByteStream> source) : source_(std::move(source)) {}

  /// The next `count` bytes, or fewer at the end. The view lives until the next call.
  [[nodiscard]] engine::SqlResult<std::string_view> next(std::size_t count) {
    while (buffer_.size() - used_ < count && !at_end_) {
      buffer_.erase(0, used_);
      used_ = 0;
      const std::size_t before = buffer_.size();
      buffer_.resize(std::max(count, before + kReadBytes));
      LEAT_ASSIGN(const std::size_t got, source_->read(std::span<char>(buffer_).subspan(before)));
      buffer_.resize(before + got);
      at_end_ = got == 0;
    }
    const std::string_view found = std::string_view(buffer_).substr(used_, count);
    used_ += found.size();
    return found;
  }

 private:
  static constexpr std::size_t kReadBytes = 64 << 10;

  std::unique_ptr<ByteStream> source_;
  std::string buffer_;
  std::size_t used_ = 0;
  bool at_end_ = false;
};

/// A stream whose bytes are made a piece at a time.
class PieceStream : public ByteStream {
 public:
  [[nodiscard]] engine::SqlResult<std::size_t> read(std::span<char> out) final {
    while (used_ == piece_.size()) {
      piece_.clear();
      used_ = 0;
      LEAT_ASSIGN(const bool more, make_piece(piece_));
      if (!more && piece_.empty()) return std::size_t{0};
    }
    const std::size_t count = std::min(out.size(), piece_.size() - used_);
    std::memcpy(out.data(), piece_.data() + used_, count);
    used_ += count;
    return count;
  }

 protected:
  /// Appends to `piece`; false at the end.
  [[nodiscard]] virtual engine::SqlResult<bool> make_piece(std::string& piece) = 0;

 private:
  std::string piece_;
  std::size_t used_ = 0;
};

}  // namespace leat::transfer
