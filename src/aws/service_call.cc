#include "aws/service_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "aws/endpoint.h"
#include "aws/retry.h"
#include "aws/xml.h"
#include "base/digest.h"
#include "base/text.h"

namespace leat::aws {

using Json = nlohmann::json;

std::string member(const nlohmann::json& json, const char* name) {
  if (!json.is_object()) return "";
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string json_code(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  for (const char* name : {"__type", "code", "Code", "error"}) {
    std::string code = member(json, name);
    if (!code.empty()) return code.substr(code.find('#') + 1);
  }
  return "";
}

void use_machine_where_missing(const Clock*& clock, Random*& random,
                               std::function<void(std::int64_t us)>& wait) {
  if (clock == nullptr) clock = &system_clock();
  if (random == nullptr) random = &secure_random();
  if (!wait) {
    wait = [](std::int64_t us) { std::this_thread::sleep_for(std::chrono::microseconds(us)); };
  }
}

Result<io::HttpResponse> exchange(const ServiceContext& context, io::HttpRequest request,
                                  Tries tries) {
  request.answer_bytes_max = tries.answer_bytes_max;
  request.timeout_us = tries.timeout_us;
  request.connect_timeout_us = std::min<std::int64_t>(tries.timeout_us, 5 * kUsPerSecond);
  for (int attempt = 1;; ++attempt) {
    auto response = context.http.send(request);
    RetryKind kind = RetryKind::kTransient;
    if (response) {
      const auto error = parse_error_xml(response->body);
      kind = response->status < 300
                 ? RetryKind::kNever
                 : retry_kind(response->status, error ? error->code : json_code(response->body));
    } else if (response.error().code != Errc::kUnavailable) {
      kind = RetryKind::kNever;
    }
    if (kind == RetryKind::kNever || attempt == tries.attempts) return response;
    context.wait(retry_delay_us(context.random, kind, attempt));
  }
}

std::unexpected<Error> refused(const io::HttpResponse& response, std::string_view who,
                               std::string_view next) {
  std::string code;
  std::string message;
  if (const auto error = parse_error_xml(response.body)) {
    code = error->code;
    message = error->message;
  } else {
    code = json_code(response.body);
    const Json json = Json::parse(response.body, nullptr, false);
    for (const char* name : {"message", "Message", "error_description"}) {
      if (message.empty()) message = member(json, name);
    }
  }
  const bool passing = response.status >= 500 || response.status == 429;
  return fail(passing ? Errc::kUnavailable : Errc::kDenied,
              fmt::format("{} answered {} {}{}{}{}; {}", who, response.status, code,
                          message.empty() ? "" : " \"", utf8_prefix(message, 300),
                          message.empty() ? "" : "\"", next));
}

std::string form_text(const Form& form) {
  std::string out;
  for (const auto& [name, value] : form) {
    if (!out.empty()) out += '&';
    out += percent_encode(name) + "=" + percent_encode(value);
  }
  return out;
}

std::pair<std::string, std::string> host_and_path(const std::string& url) {
  const std::size_t start = url.find("://") == std::string::npos ? 0 : url.find("://") + 3;
  const std::size_t slash = url.find('/', start);
  std::string host = url.substr(start, slash == std::string::npos ? slash : slash - start);
  const std::string_view usual = url.starts_with("https") ? ":443" : ":80";
  if (host.ends_with(usual)) host.resize(host.size() - usual.size());
  return {host, slash == std::string::npos ? "/" : url.substr(slash)};
}

std::string endpoint_of(const ServiceContext& context, std::string_view variable_part,
                        std::string_view host_part, const std::string& region) {
  std::string endpoint = configured_endpoint(context.environment, variable_part);
  if (endpoint.empty()) endpoint = service_endpoint(host_part, region);
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint;
}

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

void sign_request(io::HttpRequest& request, const Secret& secret, const SigningScope& scope) {
  const auto [host, path] = host_and_path(request.url);
  std::vector<HeaderView> views = {{"host", host}};
  for (const io::HttpHeader& header : request.headers) views.push_back({header.name, header.value});
  const std::string hash = to_hex(sha256(request.body));
  const Signature signature = sign_headers(
      secret, {.method = request.method, .path = path, .headers = views, .payload_hash = hash},
      scope);
  request.headers.push_back({"x-amz-date", signature.amz_date});
  if (!secret.session_token.empty()) {
    request.headers.push_back({"x-amz-security-token", secret.session_token});
  }
  request.headers.push_back({"authorization", signature.authorization});
}

}  // namespace leat::aws
