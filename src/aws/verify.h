// The server's side of Signature Version 4: who sent a request, or why it is refused. Pure: no
// clock, no network; the time and the keys are given.
//
// Rules and wording follow AWS; a request is verified by the headers that it says it signed, with
// their raw text, because every client signs others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/sigv4.h"
#include "base/time.h"

namespace leat::aws {

/// A request as it came over the wire: nothing decoded, folded, merged or left out.
struct ReceivedRequest {
  std::string_view method = {};
  std::string_view path = {};   ///< Undecoded.
  std::string_view query = {};  ///< Undecoded, without "?".
  std::span<const HeaderView> headers = {};
  std::string_view body = {};  ///< After HTTP's transfer coding, before aws-chunked.
};

struct VerifyOptions {
  std::string_view service = {};              ///< The scope's service; empty: any.
  std::span<const std::string> regions = {};  ///< The scope's region is one of them; empty: any.
  bool s3 = false;                            ///< S3's path rule, and presigned bodies unsigned.
  bool content_sha256_required = true;        ///< With `s3`: x-amz-content-sha256 must be there.
  TimeUs now = {};
  std::int64_t skew_us = 15 * kUsPerMinute;  ///< Largest difference between the clocks.
};

/// What is known of an access key.
struct FoundKey {
  std::string secret_access_key;
  std::string session_token = {};  ///< When not empty the request must carry it.
  std::optional<TimeUs> expires = {};
};

/// Nothing for a key that is not known. Called on the verifying thread, at most once a request.
using KeyLookup = std::function<std::optional<FoundKey>(std::string_view access_key_id)>;

enum class PayloadKind : std::uint8_t {
  kSigned,                  ///< The body's SHA-256 was signed and is right.
  kUnsigned,                ///< UNSIGNED-PAYLOAD.
  kChunksSigned,            ///< aws-chunked, each chunk signed.
  kChunksAndTrailerSigned,  ///< The same with signed trailers.
  kChunksUnsigned,          ///< aws-chunked, nothing signed, trailers follow.
};

struct Verified {
  std::string access_key_id;
  std::string region;
  std::string service;
  std::string amz_date;     ///< "20261120T140305Z".
  std::string scope;        ///< "20261120/us-east-1/s3/aws4_request".
  std::string signature;    ///< Hexadecimal; the seed of the chunks' signatures.
  std::string signing_key;  ///< Raw. Secret.
  bool presigned = false;
  PayloadKind payload = PayloadKind::kSigned;
};

struct Refusal {
  enum class Reason : std::uint8_t {
    kMissingToken,           ///< No signature at all.
    kIncomplete,             ///< Malformed: a part is missing or not of its form.
    kUnknownKey,             ///< No such access key.
    kBadSignature,           ///< Signed with another secret, or something else than was sent.
    kTooSkewed,              ///< The clocks differ too much, or the signature has grown old.
    kExpiredPresign,         ///< X-Amz-Expires has passed.
    kExpiredToken,           ///< The temporary credentials have expired.
    kBadToken,               ///< Another session token than the key's.
    kWrongScope,             ///< Signed for another service, region or day.
    kMissingContentSha256,   ///< S3 without x-amz-content-sha256.
    kContentSha256Mismatch,  ///< The body is not the one that was signed.
  };
  Reason reason = Reason::kIncomplete;
  std::string message = {};            ///< AWS's wording.
  std::string canonical_request = {};  ///< With kBadSignature: S3's errors show both. They hold
  std::string string_to_sign = {};     ///< what the client sent, its session token included.
};

/// Verifies the headers' or the query's signature and the body's hash. Any thread.
[[nodiscard]] std::expected<Verified, Refusal> verify(const ReceivedRequest& request,
                                                      const VerifyOptions& options,
                                                      const KeyLookup& keys);

struct DecodedChunks {
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> trailers = {};  ///< Names in lower case.
};

/// Decodes an aws-chunked body, and checks the signatures that `seed.payload` promises. Errors:
/// kInvalid (framing, sizes), kDenied (a chunk's or the trailer's signature). Any thread.
[[nodiscard]] Result<DecodedChunks> decode_aws_chunked(std::string_view http_body,
                                                       const Verified& seed);

/// The value that x-amz-checksum-`algorithm` must have for `bytes` (base64), or nothing for an
/// algorithm that is not known here. Known, in lower case: crc32, crc32c, crc64nvme, sha1, sha256,
/// md5. Any thread.
[[nodiscard]] std::optional<std::string> amz_checksum(std::string_view algorithm,
                                                      std::string_view bytes);

}  // namespace leat::aws
