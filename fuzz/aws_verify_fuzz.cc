// The server's side of Signature Version 4: authorization headers, presigned queries and
// aws-chunked bodies.
//
// Input: lines. The first is the path and query, those up to the first empty line are headers, the
// rest is the body.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "aws/sigv4.h"
#include "aws/verify.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace leat::aws;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string_view rest = input;
  const auto line = [&rest] {
    const std::size_t end = rest.find('\n');
    const std::string_view out = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return out;
  };
  const std::string_view target = line();
  const std::size_t mark = target.find('?');
  std::vector<HeaderView> headers;
  while (!rest.empty() && headers.size() < 64) {
    const std::string_view header = line();
    if (header.empty()) break;
    const std::size_t colon = header.find(':');
    headers.push_back({header.substr(0, colon), colon == std::string_view::npos
                                                    ? std::string_view()
                                                    : header.substr(colon + 1)});
  }
  const ReceivedRequest request{
      .method = "PUT",
      .path = target.substr(0, mark),
      .query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1),
      .headers = headers,
      .body = rest};
  for (const bool s3 : {false, true}) {
    const auto answer =
        verify(request, {.s3 = s3, .now = *parse_amz_date("20261120T120000Z")},
               [](std::string_view) { return FoundKey{.secret_access_key = "secret"}; });
    if (!answer && answer.error().message.empty()) std::abort();
    if (answer && answer->signing_key.size() != 32) std::abort();
  }
  for (const PayloadKind kind : {PayloadKind::kChunksUnsigned, PayloadKind::kChunksSigned,
                                 PayloadKind::kChunksAndTrailerSigned}) {
    const Verified seed{.access_key_id = "a",
                        .region = "r",
                        .service = "s3",
                        .amz_date = "20261120T120000Z",
                        .scope = "s",
                        .signature = "0",
                        .signing_key = "k",
                        .payload = kind};
    const auto decoded = decode_aws_chunked(rest, seed);
    if (decoded && decoded->body.size() > rest.size()) std::abort();
  }
  if (percent_decode(percent_encode(input)) != input) std::abort();
  return 0;
}
