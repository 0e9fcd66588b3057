#include "warehouse/transfer/encoded_stream.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "warehouse/transfer/piece_stream.h"

namespace leat::transfer {

using engine::fail_sql;
using engine::SqlResult;

namespace {

constexpr std::size_t kPieceBytes = 64 << 10;

/// Writes a code point as UTF-8, also half of a surrogate pair.
void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6);
    return byte(0x80 | (code & 0x3F));
  }
  if (code < 0x10000) {
    byte(0xE0 | code >> 12);
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
  }
  byte(0x80 | (code >> 6 & 0x3F));
  byte(0x80 | (code & 0x3F));
}

class Latin1Stream final : public PieceStream {
 public:
  explicit Latin1Stream(std::unique_ptr<ByteStream> source) : reader_(std::move(source)) {}

 protected:
  SqlResult<bool> make_piece(std::string& piece) override {
    LEAT_ASSIGN(const std::string_view bytes, reader_.next(kPieceBytes));
    for (const char c : bytes) append_utf8(piece, static_cast<std::uint8_t>(c));
    return !bytes.empty();
  }

 private:
  PieceReader reader_;
};

class Utf16Stream final : public PieceStream {
 public:
  Utf16Stream(std::unique_ptr<ByteStream> source, FileEncoding encoding)
      : reader_(std::move(source)), encoding_(encoding) {}

 protected:
  SqlResult<bool> make_piece(std::string& piece) override {
    if (!started_) LEAT_TRY(start(piece));
    LEAT_ASSIGN(const std::string_view bytes, reader_.next(kPieceBytes));
    if (bytes.size() % 2 != 0) {
      return fail_sql("XX000", "The file ends within a UTF-16 character (error 1221)");
    }
    for (std::size_t at = 0; at < bytes.size(); at += 2) append(piece, unit(bytes.substr(at, 2)));
    if (bytes.empty() && high_ != 0) append_utf8(piece, std::exchange(high_, 0));
    return !bytes.empty();
  }

 private:
  [[nodiscard]] std::uint32_t unit(std::string_view pair) const {
    const auto first = static_cast<std::uint8_t>(pair[0]);
    const auto second = static_cast<std::uint8_t>(pair[1]);
    return big_endian_ ? std::uint32_t{first} << 8 | second : std::uint32_t{second} << 8 | first;
  }

  void append(std::string& piece, std::uint32_t code) {
    const bool low = code >= 0xDC00 && code < 0xE000;
    if (high_ != 0 && low) {
      return append_utf8(piece,
                         0x10000 + ((std::exchange(high_, 0) - 0xD800) << 10) + (code - 0xDC00));
    }
    if (high_ != 0) append_utf8(piece, std::exchange(high_, 0));
    if (code >= 0xD800 && code < 0xDC00) {
      high_ = code;
    } else {
      append_utf8(piece, code);
    }
  }

  /// Reads the mark; what stands there instead is text.
  engine::SqlStatus start(std::string& piece) {
    started_ = true;
    big_endian_ = encoding_ == FileEncoding::kUtf16Be;
    LEAT_ASSIGN(const std::string_view mark, reader_.next(2));
    if (mark.empty()) return {};
    const bool little = mark == "\xFF\xFE";
    const bool big = mark == "\xFE\xFF";
    if (encoding_ == FileEncoding::kUtf16 && !little && !big) {
      return fail_sql("XX000", "The file has no byte order mark (error 1221)", {},
                      "Say ENCODING UTF16LE or UTF16BE.");
    }
    const bool differs = (little && encoding_ == FileEncoding::kUtf16Be) ||
                         (big && encoding_ == FileEncoding::kUtf16Le);
    if (differs) {
      return fail_sql("XX000", "The file's byte order mark differs from ENCODING (error 1221)");
    }
    big_endian_ = big_endian_ || big;
    if (!little && !big) {
      if (mark.size() != 2) {
        return fail_sql("XX000", "The file ends within a UTF-16 character (error 1221)");
      }
      append(piece, unit(mark));
    }
    return {};
  }

  PieceReader reader_;
  FileEncoding encoding_;
  bool started_ = false;
  bool big_endian_ = false;
  std::uint32_t high_ = 0;  // the first half of a surrogate pair
};

}  // namespace

SqlResult<FileEncoding> file_encoding(std::string_view name) {
  const std::string lower = to_lower(name);
  if (lower.empty() || lower == "utf8" || lower == "utf-8") return FileEncoding::kUtf8;
  if (lower == "utf16") return FileEncoding::kUtf16;
  if (lower == "utf16le") return FileEncoding::kUtf16Le;
  if (lower == "utf16be") return FileEncoding::kUtf16Be;
  if (lower == "iso88591") return FileEncoding::kIso88591;
  return fail_sql("0A000", fmt::format("ENCODING {} is not supported", name), {},
                  "There are UTF8, UTF16, UTF16LE, UTF16BE and ISO88591.");
}

std::unique_ptr<ByteStream> open_as_utf8(std::unique_ptr<ByteStream> source,
                                         FileEncoding encoding) {
  if (encoding == FileEncoding::kUtf8) return source;
  if (encoding == FileEncoding::kIso88591) {
    return std::make_unique<Latin1Stream>(std::move(source));
  }
  return std::make_unique<Utf16Stream>(std::move(source), encoding);
}

}  // namespace leat::transfer
