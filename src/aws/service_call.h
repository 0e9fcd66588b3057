// One call to a service of AWS other than S3: the request's form and signature, its few
// repetitions, and what a refusal means.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credential_chain.h"
#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/time.h"
#include "io/file_system.h"
#include "io/http_client.h"

namespace leat::aws {

/// Longest answer, and longest file of a login, that is read.
inline constexpr std::uint64_t kAnswerBytesMax = 1U << 20U;
/// Content-Type of the query protocol's forms.
inline constexpr std::string_view kFormType = "application/x-www-form-urlencoded; charset=utf-8";

/// What the exchanges need. All borrowed.
struct ServiceContext {
  const Environment& environment;
  io::HttpClient& http;
  io::FileSystem& files;
  const Clock& clock;
  Random& random;
  const std::function<void(std::int64_t us)>& wait;
  std::string region;
};

/// The query protocol's parameters, in order; begins with Action and Version.
using Form = std::vector<std::pair<std::string, std::string>>;

struct Tries {
  int attempts = 3;
  std::int64_t timeout_us = 10 * kUsPerSecond;       ///< Of each.
  std::uint64_t answer_bytes_max = kAnswerBytesMax;  ///< kExhausted above it.
};

/// Sets what is null or empty to the machine's own clock, secure random numbers, and sleep.
void use_machine_where_missing(const Clock*& clock, Random*& random,
                               std::function<void(std::int64_t us)>& wait);

// All but exchange() are pure; any thread.

/// Sends up to `attempts` times; the last answer, whatever its status. Errors: io::HttpClient's.
[[nodiscard]] Result<io::HttpResponse> exchange(const ServiceContext& context,
                                                io::HttpRequest request, Tries tries);

/// Adds the signature's headers; those that `request` has are all signed. Its URL has no query.
void sign_request(io::HttpRequest& request, const Secret& secret, const SigningScope& scope);

/// What a service said no with, naming it (`who`) and the next step: kUnavailable for what may
/// pass, else kDenied. Messages of AWS name no secrets.
[[nodiscard]] std::unexpected<Error> refused(const io::HttpResponse& response, std::string_view who,
                                             std::string_view next);

/// Variable `name`, or empty.
[[nodiscard]] std::string variable(const Environment& environment, const std::string& name);
/// The URL of a service without a slash at its end: the environment's for `variable_part`
/// ("SSO_OIDC"), or AWS's for `host_part` ("oidc").
[[nodiscard]] std::string endpoint_of(const ServiceContext& context, std::string_view variable_part,
                                      std::string_view host_part, const std::string& region);
/// "https://host:port/path" to its Host header and path.
[[nodiscard]] std::pair<std::string, std::string> host_and_path(const std::string& url);

[[nodiscard]] std::string form_text(const Form& form);
/// The string member `name`, or empty.
[[nodiscard]] std::string member(const nlohmann::json& json, const char* name);
/// The code that a JSON service's error has, in any of its forms; else empty.
[[nodiscard]] std::string json_code(std::string_view body);

}  // namespace leat::aws
