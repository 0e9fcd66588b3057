#include "aws/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/digest.h"
#include "base/text.h"

namespace leat::aws {
namespace {

using Reason = Refusal::Reason;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kMismatch =
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details.";

std::unexpected<Refusal> refuse(Reason reason, std::string message) {
  return std::unexpected(Refusal{.reason = reason, .message = std::move(message)});
}

// What the client claims, from its headers or its query.
struct Claim {
  std::string access_key_id;
  std::string day;
  std::string region;
  std::string service;
  std::string scope;
  std::vector<std::string> signed_names;
  std::string signature;
  std::string amz_date;
  std::string session_token;
  std::optional<std::int64_t> expires_s;
  bool presigned = false;
};

std::optional<std::string_view> header_of(const ReceivedRequest& request, std::string_view name) {
  for (const HeaderView& header : request.headers) {
    if (equal_ignore_case(header.name, name)) return trim(header.value);
  }
  return std::nullopt;
}

std::optional<std::string> query_of(const ReceivedRequest& request, std::string_view name) {
  for (const std::string_view piece : split(request.query, '&')) {
    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos || percent_decode(piece.substr(0, equals)) != name) {
      continue;
    }
    return percent_decode(piece.substr(equals + 1));
  }
  return std::nullopt;
}

bool is_hex_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::expected<void, Refusal> read_credential(std::string_view credential, Claim& claim) {
  // The key may hold slashes; the four parts after it may not.
  std::array<std::string_view, 4> parts;
  std::string_view rest = credential;
  for (std::size_t i = parts.size(); i-- > 0;) {
    const std::size_t slash = rest.rfind('/');
    if (slash == std::string_view::npos) {
      return refuse(Reason::kIncomplete,
                    fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                                "keyid/date/region/service/term, got '{}'",
                                credential));
    }
    parts[i] = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
  }
  if (rest.empty() || parts[3] != "aws4_request") {
    return refuse(Reason::kIncomplete,
                  "Credential should be scoped with a valid terminator: 'aws4_request'");
  }
  claim.access_key_id = rest;
  claim.scope = credential.substr(rest.size() + 1);
  claim.day = parts[0];
  claim.region = parts[1];
  claim.service = parts[2];
  return {};
}

std::expected<void, Refusal> read_signed_names(std::string_view text, Claim& claim) {
  for (const std::string_view name : split(text, ';')) {
    if (name.empty() || to_lower(name) != name) {
      return refuse(Reason::kIncomplete, "SignedHeaders must be lower-case names joined by ';'");
    }
    claim.signed_names.emplace_back(name);
  }
  if (!std::is_sorted(claim.signed_names.begin(), claim.signed_names.end()) ||
      std::adjacent_find(claim.signed_names.begin(), claim.signed_names.end()) !=
          claim.signed_names.end()) {
    return refuse(Reason::kIncomplete, "SignedHeaders must be sorted, each name once");
  }
  return {};
}

std::expected<Claim, Refusal> claim_of_header(const ReceivedRequest& request,
                                              std::string_view authorization) {
  Claim claim;
  std::string_view rest = authorization;
  if (!rest.starts_with(kAlgorithm)) {
    return refuse(Reason::kIncomplete, "Unsupported AWS 'algorithm'; use AWS4-HMAC-SHA256");
  }
  rest.remove_prefix(kAlgorithm.size());
  bool credential = false;
  bool names = false;
  for (std::string_view part : split(rest, ',')) {
    part = trim(part);
    const std::size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    if (key == "Credential" && !credential) {
      if (auto read = read_credential(value, claim); !read) return std::unexpected(read.error());
      credential = true;
    } else if (key == "SignedHeaders" && !names) {
      if (auto read = read_signed_names(value, claim); !read) return std::unexpected(read.error());
      names = true;
    } else if (key == "Signature" && claim.signature.empty()) {
      claim.signature = value;
    } else {
      return refuse(Reason::kIncomplete, "Authorization header has a part that is not known");
    }
  }
  if (!credential) {
    return refuse(Reason::kIncomplete, "Authorization header requires 'Credential' parameter.");
  }
  if (!names) {
    return refuse(Reason::kIncomplete, "Authorization header requires 'SignedHeaders' parameter.");
  }
  if (const auto date = header_of(request, "x-amz-date")) {
    claim.amz_date = *date;
  } else if (const auto http_date = header_of(request, "date")) {
    const auto time = parse_http_date(*http_date);
    claim.amz_date = time ? format_amz_date(*time) : std::string(*http_date);
  } else {
    return refuse(Reason::kIncomplete,
                  "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' "
                  "header.");
  }
  claim.session_token = header_of(request, "x-amz-security-token").value_or("");
  return claim;
}

std::expected<Claim, Refusal> claim_of_query(const ReceivedRequest& request) {
  Claim claim;
  claim.presigned = true;
  if (query_of(request, "X-Amz-Algorithm").value_or("") != kAlgorithm) {
    return refuse(Reason::kIncomplete, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  }
  const auto credential = query_of(request, "X-Amz-Credential");
  const auto names = query_of(request, "X-Amz-SignedHeaders");
  const auto expires = query_of(request, "X-Amz-Expires");
  const auto date = query_of(request, "X-Amz-Date");
  if (!credential || !names || !expires || !date) {
    return refuse(Reason::kIncomplete,
                  "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                  "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                  "X-Amz-Expires parameters.");
  }
  if (auto read = read_credential(*credential, claim); !read) return std::unexpected(read.error());
  if (auto read = read_signed_names(*names, claim); !read) return std::unexpected(read.error());
  claim.expires_s = parse_number<std::int64_t>(*expires);
  constexpr std::int64_t kWeek = 604800;
  if (!claim.expires_s || *claim.expires_s < 1 || *claim.expires_s > kWeek) {
    return refuse(Reason::kIncomplete,
                  "X-Amz-Expires must be a whole number from 1 to 604800 (a week)");
  }
  claim.amz_date = *date;
  claim.signature = query_of(request, "X-Amz-Signature").value_or("");
  claim.session_token = query_of(request, "X-Amz-Security-Token").value_or("");
  return claim;
}

std::expected<Claim, Refusal> claim_of(const ReceivedRequest& request) {
  const auto authorization = header_of(request, "authorization");
  const bool presigned = query_of(request, "X-Amz-Signature").has_value();
  if (authorization && presigned) {
    return refuse(Reason::kIncomplete,
                  "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or "
                  "the Authorization header should be specified");
  }
  if (!authorization && !presigned) {
    return refuse(Reason::kMissingToken, "Request is missing Authentication Token");
  }
  auto claim = authorization ? claim_of_header(request, *authorization) : claim_of_query(request);
  if (claim && !is_hex_digest(claim->signature)) {
    return refuse(Reason::kIncomplete, "Signature must be 64 hexadecimal digits");
  }
  return claim;
}

std::expected<void, Refusal> check_scope(const Claim& claim, const VerifyOptions& options) {
  if (claim.day != claim.amz_date.substr(0, 8)) {
    return refuse(Reason::kWrongScope,
                  fmt::format("Credential date does not match the request's date: '{}' and '{}'",
                              claim.day, claim.amz_date));
  }
  if (!options.service.empty() && claim.service != options.service) {
    return refuse(
        Reason::kWrongScope,
        fmt::format("Credential should be scoped to correct service: '{}'.", options.service));
  }
  if (!options.regions.empty() && std::find(options.regions.begin(), options.regions.end(),
                                            claim.region) == options.regions.end()) {
    return refuse(Reason::kWrongScope,
                  fmt::format("Credential should be scoped to a valid region: '{}', expecting '{}'",
                              claim.region, options.regions.front()));
  }
  return {};
}

std::expected<void, Refusal> check_time(const Claim& claim, const VerifyOptions& options) {
  const auto signed_at = parse_amz_date(claim.amz_date);
  if (!signed_at) {
    return refuse(Reason::kIncomplete,
                  fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'", claim.amz_date));
  }
  const std::string now = format_amz_date(options.now);
  if (signed_at->value > options.now.value + options.skew_us) {
    return refuse(Reason::kTooSkewed, fmt::format("Signature not yet current: {} is still later "
                                                  "than {}",
                                                  claim.amz_date, now));
  }
  if (claim.presigned) {
    if (options.now.value > signed_at->value + *claim.expires_s * kUsPerSecond) {
      return refuse(Reason::kExpiredPresign, "Request has expired");
    }
    return {};
  }
  if (options.now.value > signed_at->value + options.skew_us) {
    return refuse(Reason::kTooSkewed,
                  fmt::format("Signature expired: {} is now earlier than {}", claim.amz_date, now));
  }
  return {};
}

// Whoever may add headers on the way must not be able to change what the request means.
std::expected<void, Refusal> check_signed_names(const ReceivedRequest& request,
                                                const Claim& claim) {
  const auto is_signed = [&claim](const std::string& name) {
    return std::binary_search(claim.signed_names.begin(), claim.signed_names.end(), name);
  };
  if (!is_signed("host")) {
    return refuse(Reason::kBadSignature,
                  "'Host' must be a 'SignedHeader' in the AWS Authorization");
  }
  for (const HeaderView& header : request.headers) {
    const std::string name = to_lower(header.name);
    if (name.starts_with("x-amz-") && !is_signed(name)) {
      return refuse(Reason::kBadSignature,
                    fmt::format("There were headers present in the request which were not signed: "
                                "{}",
                                name));
    }
  }
  return {};
}

std::optional<PayloadKind> streaming_kind(std::string_view hash) {
  if (hash == kUnsignedPayload) return PayloadKind::kUnsigned;
  if (hash == kStreamingPayload) return PayloadKind::kChunksSigned;
  if (hash == kStreamingPayloadTrailer) return PayloadKind::kChunksAndTrailerSigned;
  if (hash == kStreamingUnsignedTrailer) return PayloadKind::kChunksUnsigned;
  return std::nullopt;
}

struct Payload {
  std::string hash;
  PayloadKind kind = PayloadKind::kSigned;
  bool mismatch = false;
};

std::expected<Payload, Refusal> payload_of(const ReceivedRequest& request, const Claim& claim,
                                           const VerifyOptions& options) {
  Payload payload;
  std::optional<std::string> stated;
  if (const auto header = header_of(request, "x-amz-content-sha256")) stated = *header;
  if (!stated && claim.presigned) stated = query_of(request, "X-Amz-Content-Sha256");
  if (!stated && options.s3 && claim.presigned) stated = kUnsignedPayload;
  if (!stated && options.s3 && options.content_sha256_required) {
    return refuse(Reason::kMissingContentSha256,
                  "Missing required header for this request: x-amz-content-sha256");
  }
  if (stated && options.s3) {
    if (const auto kind = streaming_kind(*stated)) {
      return Payload{.hash = *stated, .kind = *kind};
    }
  }
  payload.hash = to_hex(sha256(request.body));
  if (stated && *stated != payload.hash) {
    payload.hash = *stated;
    payload.mismatch = true;
  }
  return payload;
}

std::expected<void, Refusal> check_key(const Claim& claim, const FoundKey& key,
                                       const VerifyOptions& options) {
  if (!equal_secret(claim.session_token, key.session_token)) {
    return refuse(Reason::kBadToken, "The security token included in the request is invalid.");
  }
  if (key.expires && *key.expires <= options.now) {
    return refuse(Reason::kExpiredToken, "The security token included in the request is expired");
  }
  return {};
}

Refusal mismatch_refusal(std::string canonical, std::string to_sign) {
  return Refusal{.reason = Reason::kBadSignature,
                 .message = std::string(kMismatch),
                 .canonical_request = std::move(canonical),
                 .string_to_sign = std::move(to_sign)};
}

}  // namespace

std::expected<Verified, Refusal> verify(const ReceivedRequest& request,
                                        const VerifyOptions& options, const KeyLookup& keys) {
  auto claim = claim_of(request);
  if (!claim) return std::unexpected(std::move(claim.error()));
  if (auto good = check_scope(*claim, options); !good) return std::unexpected(good.error());
  const auto key = keys(claim->access_key_id);
  if (!key) {
    return refuse(Reason::kUnknownKey,
                  "The AWS Access Key Id you provided does not exist in our records.");
  }
  if (auto good = check_key(*claim, *key, options); !good) return std::unexpected(good.error());
  if (auto good = check_time(*claim, options); !good) return std::unexpected(good.error());
  if (auto good = check_signed_names(request, *claim); !good) return std::unexpected(good.error());
  auto payload = payload_of(request, *claim, options);
  if (!payload) return std::unexpected(std::move(payload.error()));

  const RequestToSign to_sign{.method = request.method,
                              .path = request.path,
                              .query = request.query,
                              .headers = request.headers,
                              .payload_hash = payload->hash};
  std::string canonical = canonical_request(
      to_sign, claim->signed_names, options.s3 ? PathRule::kAsOnTheWire : PathRule::kNormalized);
  std::string text = string_to_sign(claim->amz_date, claim->scope, canonical);
  std::string signing =
      signing_key(key->secret_access_key, claim->day, claim->region, claim->service);
  if (!equal_secret(sign_text(signing, text), claim->signature)) {
    return std::unexpected(mismatch_refusal(std::move(canonical), std::move(text)));
  }
  if (payload->mismatch) {
    return refuse(Reason::kContentSha256Mismatch,
                  "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  return Verified{.access_key_id = std::move(claim->access_key_id),
                  .region = std::move(claim->region),
                  .service = std::move(claim->service),
                  .amz_date = std::move(claim->amz_date),
                  .scope = std::move(claim->scope),
                  .signature = std::move(claim->signature),
                  .signing_key = std::move(signing),
                  .presigned = claim->presigned,
                  .payload = payload->kind};
}

}  // namespace leat::aws
