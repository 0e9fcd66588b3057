#include "warehouse/transfer/lzop_stream.h"

#include <zlib.h>

#include <cstdint>
#include <utility>

#include "base/error.h"
#include "warehouse/transfer/piece_stream.h"

namespace leat::transfer {

using engine::fail_sql;
using engine::SqlResult;

namespace {

/// Reads and writes one LZO1X block with every bound checked.
class Lzo1x {
 public:
  Lzo1x(std::string_view in, std::size_t size) : in_(in), size_(size) { out_.reserve(size); }

  std::optional<std::string> run() {
    if (in_.empty()) return std::nullopt;
    // Literals that come first have an opcode of their own.
    std::size_t state = 0;
    if (const std::uint8_t first = byte_at(0); first > 17) {
      at_ = 1;
      const std::size_t count = first - 17U;
      if (!literals(count)) return std::nullopt;
      state = count < 4 ? count : 4;
    }
    while (!ended_) {
      if (!instruction(state)) return std::nullopt;
    }
    if (at_ != in_.size() || out_.size() != size_) return std::nullopt;
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::uint8_t byte_at(std::size_t at) const {
    return static_cast<std::uint8_t>(in_[at]);
  }

  bool instruction(std::size_t& state) {
    if (at_ >= in_.size()) return false;
    const std::size_t code = byte_at(at_++);
    if (code < 16) return short_code(code, state);
    std::size_t length = 0;
    std::size_t distance = 0;
    if (code >= 64) {
      if (at_ >= in_.size()) return false;
      length = code >= 128 ? 5 + ((code >> 5) & 3) : 3 + ((code >> 5) & 1);
      distance = (std::size_t{byte_at(at_++)} << 3) + ((code >> 2) & 7) + 1;
      return copy(length, distance) && tail(code & 3, state);
    }
    const std::size_t mask = code >= 32 ? 31 : 7;
    if (!long_length(code & mask, mask, length)) return false;
    if (in_.size() - at_ < 2) return false;
    const std::size_t pair = byte_at(at_) | std::size_t{byte_at(at_ + 1)} << 8;
    at_ += 2;
    if (code >= 32) {
      distance = (pair >> 2) + 1;
    } else {
      distance = 16384 + ((code & 8) << 11) + (pair >> 2);
      if (distance == 16384) return ended_ = true;
    }
    return copy(length + 2, distance) && tail(pair & 3, state);
  }

  /// 0 to 15: what it means hangs on how many literals came before.
  bool short_code(std::size_t code, std::size_t& state) {
    if (state == 0) {
      std::size_t length = 0;
      if (!long_length(code, 15, length) || !literals(length + 3)) return false;
      state = 4;
      return true;
    }
    if (at_ >= in_.size()) return false;
    const std::size_t high = byte_at(at_++);
    const std::size_t near = (high << 2) + (code >> 2) + 1;
    const bool done = state == 4 ? copy(3, near + 2048) : copy(2, near);
    return done && tail(code & 3, state);
  }

  /// A length whose bits are zero goes on in the bytes behind.
  bool long_length(std::size_t bits, std::size_t base, std::size_t& length) {
    length = bits;
    if (bits != 0) return true;
    length = base;
    while (at_ < in_.size() && in_[at_] == '\0') {
      length += 255;
      ++at_;
      if (length > size_) return false;
    }
    if (at_ >= in_.size()) return false;
    length += byte_at(at_++);
    return true;
  }

  bool tail(std::size_t count, std::size_t& state) {
    state = count;
    return literals(count);
  }

  bool literals(std::size_t count) {
    if (in_.size() - at_ < count || size_ - out_.size() < count) return false;
    out_.append(in_.substr(at_, count));
    at_ += count;
    return true;
  }

  bool copy(std::size_t length, std::size_t distance) {
    if (distance > out_.size() || size_ - out_.size() < length) return false;
    // The source may reach into what is being written.
    for (std::size_t i = 0; i < length; ++i) out_ += out_[out_.size() - distance];
    return true;
  }

  std::string_view in_;
  std::size_t size_;
  std::string out_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t out = 0;
  for (const char c : bytes) out = out << 8 | static_cast<std::uint8_t>(c);
  return out;
}

class LzopStream final : public PieceStream {
 public:
  explicit LzopStream(std::unique_ptr<ByteStream> source) : reader_(std::move(source)) {}

 protected:
  SqlResult<bool> make_piece(std::string& piece) override {
    if (!in_member_) {
      LEAT_ASSIGN(const bool more, read_header());
      if (!more) return false;
      in_member_ = true;
    }
    LEAT_ASSIGN(const std::uint32_t size, number(4));
    if (size == 0) {
      in_member_ = false;
      return true;
    }
    LEAT_ASSIGN(const std::uint32_t stored, number(4));
    if (size > kBlockBytesMax || stored > size) return broken();
    std::uint32_t adler = 0;
    std::uint32_t crc = 0;
    if ((flags_ & kAdlerOfContent) != 0) {
      LEAT_ASSIGN(adler, number(4));
    }
    if ((flags_ & kCrcOfContent) != 0) {
      LEAT_ASSIGN(crc, number(4));
    }
    if (stored < size) {
      if ((flags_ & kAdlerOfBlock) != 0) LEAT_TRY(number(4));
      if ((flags_ & kCrcOfBlock) != 0) LEAT_TRY(number(4));
    }
    LEAT_ASSIGN(const std::string_view block, reader_.next(stored));
    if (block.size() != stored) return broken();
    if (stored == size) {
      piece = block;
    } else {
      auto made = lzo1x_decompressed(block, size);
      if (!made) return broken();
      piece = std::move(*made);
    }
    const auto* bytes = reinterpret_cast<const Bytef*>(piece.data());
    const bool differs = ((flags_ & kAdlerOfContent) != 0 && adler32(1, bytes, size) != adler) ||
                         ((flags_ & kCrcOfContent) != 0 && crc32(0, bytes, size) != crc);
    if (differs) return broken();
    return true;
  }

 private:
  static constexpr std::uint32_t kAdlerOfContent = 0x1;
  static constexpr std::uint32_t kAdlerOfBlock = 0x2;
  static constexpr std::uint32_t kExtraField = 0x40;
  static constexpr std::uint32_t kCrcOfContent = 0x100;
  static constexpr std::uint32_t kCrcOfBlock = 0x200;
  static constexpr std::uint32_t kFilter = 0x800;
  static constexpr std::uint32_t kBlockBytesMax = 64 << 20;
  static constexpr std::uint32_t kExtraBytesMax = 1 << 20;
  static constexpr std::string_view kMagic{"\x89LZO\0\r\n\x1a\n", 9};

  static std::unexpected<engine::SqlError> broken() {
    return fail_sql("XX000", "The file is not valid LZOP data or is cut off");
  }

  SqlResult<std::uint32_t> number(std::size_t bytes) {
    LEAT_ASSIGN(const std::string_view text, reader_.next(bytes));
    if (text.size() != bytes) return broken();
    return big_endian(text);
  }

  /// False when nothing more comes.
  SqlResult<bool> read_header() {
    LEAT_ASSIGN(const std::string_view magic, reader_.next(kMagic.size()));
    if (magic.empty() && any_member_) return false;
    if (magic != kMagic) return broken();
    any_member_ = true;
    LEAT_ASSIGN(const std::uint32_t version, number(2));
    LEAT_TRY(number(2));  // the library's version
    if (version >= 0x0940) LEAT_TRY(number(2));
    LEAT_ASSIGN(const std::uint32_t method, number(1));
    if (method < 1 || method > 3) return broken();
    if (version >= 0x0940) LEAT_TRY(number(1));
    LEAT_ASSIGN(flags_, number(4));
    if ((flags_ & kFilter) != 0) {
      return fail_sql("0A000", "LZOP files with a filter are not supported");
    }
    LEAT_TRY(number(4));  // mode
    LEAT_TRY(number(4));  // time, its low and its high half
    if (version >= 0x0940) LEAT_TRY(number(4));
    LEAT_ASSIGN(const std::uint32_t name, number(1));
    LEAT_TRY(reader_.next(name));
    LEAT_TRY(number(4));  // checksum
    if ((flags_ & kExtraField) != 0) {
      LEAT_ASSIGN(const std::uint32_t size, number(4));
      if (size > kExtraBytesMax) return broken();
      LEAT_TRY(reader_.next(size));
      LEAT_TRY(number(4));
    }
    return true;
  }

  PieceReader reader_;
  std::uint32_t flags_ = 0;
  bool in_member_ = false;
  bool any_member_ = false;
};

}  // namespace

std::optional<std::string> lzo1x_decompressed(std::string_view block, std::size_t size) {
  return Lzo1x(block, size).run();
}

std::unique_ptr<ByteStream> open_lzop(std::unique_ptr<ByteStream> source) {
  return std::make_unique<LzopStream>(std::move(source));
}

}  // namespace leat::transfer
