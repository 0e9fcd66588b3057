// Reads request heads and chunked bodies with Boost.Beast's parser, and refuses what it lets pass
// but what could make two servers see two different requests: repeated or listed Content-Length,
// any Transfer-Encoding but "chunked", folded headers, a missing or second Host. The only file that
// includes Beast is http_head.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace leat::net {

/// Why a request is answered by the server itself, and the connection then closed. `message` is
/// static.
struct Refusal {
  int status = 400;
  std::string_view message;
};

/// A parsed head. The views point into the bytes it was read from.
struct Head {
  Method method = Method::kOther;
  std::string_view method_text;
  std::string_view target;
  std::vector<HeaderView> headers;
  std::uint64_t content_length = 0;
  bool chunked = false;
  bool keep_alive = true;
  bool http_1_0 = false;
  bool expect_continue = false;

  /// As handlers see it; body and peer are left empty.
  [[nodiscard]] RequestView view() const;
};

/// Length of the head at the start of `bytes`, its empty line included, or 0 when that has not
/// arrived. `scanned` is kept by the caller between calls for the same head (0 at first), so that
/// slow heads are not read again and again.
[[nodiscard]] std::size_t find_head_end(std::string_view bytes, std::size_t& scanned);

/// Parses `bytes`, exactly one head with its empty line, into `head` (whose vector is reused).
/// Nothing when it is well formed. Pure; any thread.
[[nodiscard]] std::optional<Refusal> parse_head(std::string_view bytes, std::size_t headers_max,
                                                Head& head);

/// Undoes the chunked transfer coding of one body, piece by piece.
class ChunkedReader {
 public:
  /// `head`: the head that announced it, already accepted by parse_head. `line_bytes_max` bounds a
  /// chunk's size line with its extensions, and the trailers.
  ChunkedReader(std::string_view head, std::size_t body_bytes_max, std::size_t line_bytes_max);
  ~ChunkedReader();

  /// Takes what it can from `bytes`, appending decoded bytes to body(). `consumed` tells how much;
  /// the rest must be given again, followed by more. Returns a refusal (400, 413) or nothing.
  [[nodiscard]] std::optional<Refusal> feed(std::string_view bytes, std::size_t& consumed);
  /// True once the last chunk and the trailers have been read.
  [[nodiscard]] bool done() const;
  /// The decoded body once done(), followed by kBodyPadding readable bytes.
  [[nodiscard]] std::string_view body() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::net
