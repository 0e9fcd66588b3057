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
};

Names names_of(Reason reason) {
  switch (reason) {
    case Reason::kMissingToken:
      return {"MissingAuthenticationTokenException", 403, "MissingAuthenticationToken"};
    case Reason::kIncomplete:
      return {"IncompleteSignatureException", 400, "IncompleteSignature"};
    case Reason::kUnknownKey:
    case Reason::kBadToken:
      return {"UnrecognizedClientException", 403, "InvalidClientTokenId"};
    case Reason::kExpiredPresign:
      return {"InvalidSignatureException", 403, "RequestExpired"};
    case Reason::kExpiredToken:
      return {"ExpiredTokenException", 403, "ExpiredToken"};
    case Reason::kBadSignature:
    case Reason::kTooSkewed:
    case Reason::kWrongScope:
    case Reason::kMissingContentSha256:
    case Reason::kContentSha256Mismatch:
      return {"InvalidSignatureException", 403, "SignatureDoesNotMatch"};
  }
  return {"InvalidSignatureException", 403, "SignatureDoesNotMatch"};
}

}  // namespace

ApiError json_refusal(const aws::Refusal& refusal) {
  return fail_api(400, names_of(refusal.reason).json, refusal.message).error();
}

ApiError query_refusal(const aws::Refusal& refusal) {
  const Names names = names_of(refusal.reason);
  return fail_api(names.query_status, names.query, refusal.message).error();
}

std::string error_json(const ApiError& error) {
  JsonObject out;
  out.text("__type", error.name);
  out.text("Message", error.message);
  for (const auto& [name, value] : error.members) out.text(name, value);
  return out.take();
}

}  // namespace leat::dataapi
