// The aws-chunked body coding of S3: decode_aws_chunked() of aws/verify.h.
//
//   <hex size>[;chunk-signature=<64 hex>]\r\n<data>\r\n ... 0[;chunk-signature=<64 hex>]\r\n
//   [name:value\r\n ...] [x-amz-trailer-signature:<64 hex>\r\n] \r\n
#include <fmt/format.h>

#include <charconv>

#include "aws/verify.h"
#include "base/digest.h"
#include "base/text.h"

namespace leat::aws {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kLineBytesMax = 8192;
constexpr std::size_t kTrailersMax = 32;

class Decoder {
 public:
  Decoder(std::string_view rest, const Verified& seed)
      : rest_(rest),
        seed_(seed),
        previous_(seed.signature),
        chunks_signed_(seed.payload == PayloadKind::kChunksSigned ||
                       seed.payload == PayloadKind::kChunksAndTrailerSigned) {}

  Result<DecodedChunks> run() {
    while (true) {
      LEAT_ASSIGN(const bool more, take_chunk());
      if (!more) break;
    }
    LEAT_TRY(take_trailers());
    if (!rest_.empty()) return fail(Errc::kInvalid, "bytes follow the end of the aws-chunked body");
    return std::move(out_);
  }

 private:
  Result<std::string_view> take_line() {
    const std::size_t end = rest_.substr(0, kLineBytesMax).find(kLineEnd);
    if (end == std::string_view::npos) {
      return fail(Errc::kInvalid, "the aws-chunked body ends in the middle of a line");
    }
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + kLineEnd.size());
    return line;
  }

  Status check_signature(std::string_view kind, std::string_view signature, std::string_view data,
                         std::string_view what) {
    const std::string empty =
        kind == "AWS4-HMAC-SHA256-PAYLOAD" ? to_hex(sha256("")) + "\n" : std::string();
    const std::string text = fmt::format("{}\n{}\n{}\n{}\n{}{}", kind, seed_.amz_date, seed_.scope,
                                         previous_, empty, to_hex(sha256(data)));
    std::string expected = sign_text(seed_.signing_key, text);
    if (!equal_secret(expected, signature)) {
      return fail(Errc::kDenied, fmt::format("the signature of {} does not match", what));
    }
    previous_ = std::move(expected);
    return {};
  }

  // False after the last chunk, the one without data.
  Result<bool> take_chunk() {
    LEAT_ASSIGN(const std::string_view line, take_line());
    const std::size_t semicolon = line.find(';');
    const std::string_view size_text = line.substr(0, semicolon);
    std::uint64_t size = 0;
    const char* end = size_text.data() + size_text.size();
    const auto [stop, error] = std::from_chars(size_text.data(), end, size, 16);
    if (error != std::errc{} || stop != end || size_text.empty()) {
      return fail(Errc::kInvalid, "a chunk of the aws-chunked body has no size");
    }
    std::string_view data;
    if (size > 0) {
      if (rest_.size() < kLineEnd.size() || size > rest_.size() - kLineEnd.size() ||
          rest_.substr(size, kLineEnd.size()) != kLineEnd) {
        return fail(Errc::kInvalid, "a chunk of the aws-chunked body is not as long as it says");
      }
      data = rest_.substr(0, size);
      rest_.remove_prefix(size + kLineEnd.size());
    }
    if (chunks_signed_) {
      constexpr std::string_view kExtension = "chunk-signature=";
      const std::string_view extension =
          semicolon == std::string_view::npos ? std::string_view() : line.substr(semicolon + 1);
      if (!extension.starts_with(kExtension)) {
        return fail(Errc::kDenied, "a chunk of the body has no chunk-signature");
      }
      LEAT_TRY(check_signature("AWS4-HMAC-SHA256-PAYLOAD", extension.substr(kExtension.size()),
                               data, "a chunk of the body"));
    }
    out_.body += data;
    return size > 0;
  }

  Status take_trailers() {
    std::string lines;
    std::optional<std::string> signature;
    // The body may end right after the last chunk's line, or with an empty line.
    while (!rest_.empty()) {
      LEAT_ASSIGN(const std::string_view line, take_line());
      if (line.empty()) break;
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos || out_.trailers.size() == kTrailersMax) {
        return fail(Errc::kInvalid, "a trailer of the aws-chunked body is not 'name:value'");
      }
      std::string name = to_lower(trim(line.substr(0, colon)));
      const std::string value(trim(line.substr(colon + 1)));
      if (name == "x-amz-trailer-signature") {
        signature = value;
        continue;
      }
      lines += fmt::format("{}:{}\n", name, value);
      out_.trailers.emplace_back(std::move(name), value);
    }
    if (seed_.payload != PayloadKind::kChunksAndTrailerSigned) return {};
    if (!signature) return fail(Errc::kDenied, "the body has no x-amz-trailer-signature");
    return check_signature("AWS4-HMAC-SHA256-TRAILER", *signature, lines, "the trailers");
  }

  std::string_view rest_;
  const Verified& seed_;
  std::string previous_;
  bool chunks_signed_;
  DecodedChunks out_;
};

}  // namespace

Result<DecodedChunks> decode_aws_chunked(std::string_view http_body, const Verified& seed) {
  return Decoder(http_body, seed).run();
}

}  // namespace leat::aws
