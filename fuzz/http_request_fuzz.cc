// The bytes of a connection: heads and chunked bodies, in one piece and byte by byte.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/http_head.h"

namespace {

using leat::net::ChunkedReader;
using leat::net::Head;

struct Decoded {
  int status = 0;  // 0: more bytes are awaited
  std::string body = {};
  std::size_t rest = 0;
};

Decoded decode(std::string_view head, std::string_view bytes, std::size_t step) {
  ChunkedReader reader(head, 4096, 512);
  std::string unread;
  std::size_t given = 0;
  while (given < bytes.size() && !reader.done()) {
    unread += bytes.substr(given, step);
    given = std::min(given + step, bytes.size());
    std::size_t consumed = 0;
    if (const auto refusal = reader.feed(unread, consumed)) return {.status = refusal->status};
    LEAT_CHECK(consumed <= unread.size());
    unread.erase(0, consumed);
  }
  if (!reader.done()) return {};
  LEAT_CHECK(reader.body().size() <= 4096);
  return {.status = 200,
          .body = std::string(reader.body()),
          .rest = unread.size() + bytes.size() - given};
}

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Head head;
  for (int requests = 0; requests < 16; ++requests) {
    std::size_t scanned = 0;
    const std::size_t head_bytes = leat::net::find_head_end(bytes, scanned);
    if (head_bytes == 0) return 0;
    const std::string_view head_text = bytes.substr(0, head_bytes);
    if (leat::net::parse_head(head_text, 20, head)) return 0;
    LEAT_CHECK(head.headers.size() <= 20);
    LEAT_CHECK(inside(head.target, head_text) && inside(head.method_text, head_text));
    for (const auto& header : head.headers)
      LEAT_CHECK(inside(header.name, head_text) && inside(header.value, head_text));
    const auto view = head.view();
    LEAT_CHECK(!(head.chunked && view.header("Content-Length")));
    static_cast<void>(leat::net::parse_query(view.query));
    bytes.remove_prefix(head_bytes);
    if (!head.chunked) {
      if (head.content_length > bytes.size()) return 0;
      bytes.remove_prefix(static_cast<std::size_t>(head.content_length));
      continue;
    }
    const Decoded whole = decode(head_text, bytes, bytes.size() + 1);
    const Decoded pieces = decode(head_text, bytes, 1);
    // A limit may be noticed a few bytes earlier or later, but two readings never give two bodies.
    if (whole.status == 200 && pieces.status == 200) {
      LEAT_CHECK(whole.body == pieces.body && whole.rest == pieces.rest);
    }
    LEAT_CHECK((whole.status == 200) == (pieces.status == 200));
    if (whole.status != 200) return 0;
    bytes.remove_prefix(bytes.size() - whole.rest);
  }
  return 0;
}
