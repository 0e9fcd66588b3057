#include "warehouse/dataapi/refusal.h"

#include "aws/verify.h"
#include "warehouse/dataapi/json_text.h"

namespace leat::dataapi {
namespace {

using Reason = aws::Refusal::Reason;

struct Names {
  std::string_view json;
  int query_status;
  std::string_view query;
  int s3_status;
  std::string_view s3;
};

Names names_of(Reason reason) {
  switch (reason) {
    case Reason::kMissingToken:
      return {"MissingAuthenticationTokenException", 403, "MissingAuthenticationToken", 403,
              "AccessDenied"};
    case Reason::kIncomplete:
      return {"IncompleteSignatureException", 400, "IncompleteSignature", 400,
              "AuthorizationHeaderMalformed"};
    case Reason::kUnknownKey:
      return {"UnrecognizedClientException", 403, "InvalidClientTokenId", 403,
              "InvalidAccessKeyId"};
    case Reason::kBadSignature:
      return {"InvalidSignatureException", 403, "SignatureDoesNotMatch", 403,
              "SignatureDoesNotMatch"};
    case Reason::kTooSkewed:
      return {"InvalidSignatureException", 403, "SignatureDoesNotMatch", 403,
              "RequestTimeTooSkewed"};
    case Reason::kExpiredPresign:
      return {"InvalidSignatureException", 403, "RequestExpired", 403, "AccessDenied"};
    case Reason::kExpiredToken:
      return {"ExpiredTokenException", 403, "ExpiredToken", 400, "ExpiredToken"};
    case Reason::kBadToken:
      return {"UnrecognizedClientException", 403, "InvalidClientTokenId", 400, "InvalidToken"};
    case Reason::kWrongScope:
      return {"InvalidSignatureException", 403, "SignatureDoesNotMatch", 400,
              "AuthorizationHeaderMalformed"};
    case Reason::kMissingContentSha256:
      return {"InvalidSignatureException", 403, "SignatureDoesNotMatch", 400, "InvalidRequest"};
    case Reason::kContentSha256Mismatch:
      return {"InvalidSignatureException", 403, "SignatureDoesNotMatch", 400,
              "XAmzContentSHA256Mismatch"};
  }
  return {"InvalidSignatureException", 403, "SignatureDoesNotMatch", 403, "SignatureDoesNotMatch"};
}

}  // namespace

ApiError json_refusal(const aws::Refusal& refusal) {
  return fail_api(400, names_of(refusal.reason).json, refusal.message).error();
}

ApiError query_refusal(const aws::Refusal& refusal) {
  const Names names = names_of(refusal.reason);
  return fail_api(names.query_status, names.query, refusal.message).error();
}

ApiError s3_refusal(const aws::Refusal& refusal) {
  const Names names = names_of(refusal.reason);
  ApiError error = fail_api(names.s3_status, names.s3, refusal.message).error();
  if (refusal.reason == Reason::kBadSignature) {
    error.members = {{"StringToSign", refusal.string_to_sign},
                     {"CanonicalRequest", refusal.canonical_request}};
  }
  if (refusal.reason == Reason::kTooSkewed) {
    error.members = {{"MaxAllowedSkewMilliseconds", "900000"}};
  }
  return error;
}

std::string error_json(const ApiError& error) {
  JsonObject out;
  out.text("__type", error.name);
  out.text("Message", error.message);
  for (const auto& [name, value] : error.members) out.text(name, value);
  return out.take();
}

}  // namespace leat::dataapi
