#include "aws/credential_services.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "aws/endpoint.h"
#include "aws/retry.h"
#include "aws/sigv4.h"
#include "aws/verify.h"
#include "aws/xml.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"

namespace leat::aws {
namespace {

using Json = nlohmann::json;

}  // namespace

Result<Credentials> credentials_of_json(std::string_view text, std::string_view token_name,
                                        std::string_view source) {
  const Json json = Json::parse(text, nullptr, false);
  Credentials out;
  out.secret.access_key_id = member(json, "AccessKeyId");
  out.secret.secret_access_key = member(json, "SecretAccessKey");
  out.secret.session_token = member(json, std::string(token_name).c_str());
  out.source = source;
  const std::string expiration = member(json, "Expiration");
  out.expires = parse_iso8601(expiration);
  if (out.secret.access_key_id.empty() || out.secret.secret_access_key.empty() ||
      (!expiration.empty() && !out.expires)) {
    return fail(Errc::kInvalid, fmt::format("{} gave no JSON object with AccessKeyId, "
                                            "SecretAccessKey and, when they expire, Expiration",
                                            source));
  }
  return out;
}

// ---- STS

Result<Credentials> ask_sts(const ServiceContext& context, const Form& form,
                            const Credentials* signer) {
  const std::string region = context.region.empty() ? "us-east-1" : context.region;
  const std::string url = endpoint_of(context, "STS", "sts", region) + "/";
  const std::string body = form_text(form);
  io::HttpRequest request{.method = "POST",
                          .url = url,
                          .headers = {{"content-type", std::string(kFormType)}},
                          .body = body};
  if (signer != nullptr) {
    sign_request(request, signer->secret,
                 {.region = region, .service = "sts", .time = context.clock.now()});
  }
  LEAT_ASSIGN(const auto response, exchange(context, std::move(request), {}));
  const std::string who = fmt::format("STS ({})", io::printable_url(url));
  if (response.status != 200) {
    return refused(response, who,
                   "check the role's trust policy, and that the caller may assume it");
  }
  LEAT_ASSIGN(IssuedKeys keys, parse_issued_keys_xml(response.body));
  return Credentials{.secret = {std::move(keys.access_key_id), std::move(keys.secret_access_key),
                                std::move(keys.session_token)},
                     .expires = keys.expires};
}

// ---- IAM Identity Center

namespace {

std::string hex_sha1(std::string_view text) {
  return to_hex(*from_base64(*amz_checksum("sha1", text)));
}

// Puts a new token in the cache file, when the old one soon ends and can be renewed.
void refresh_sso_token(const ServiceContext& context, const std::string& region,
                       const std::string& path, Json& token) {
  const auto expires = parse_iso8601(member(token, "expiresAt"));
  const auto registered = parse_iso8601(member(token, "registrationExpiresAt"));
  constexpr std::int64_t kSoon = 15 * kUsPerMinute;
  const TimeUs now = context.clock.now();
  if (expires && expires->value - now.value >= kSoon) return;
  if (member(token, "refreshToken").empty() || member(token, "clientId").empty() ||
      member(token, "clientSecret").empty() || !registered || *registered <= now) {
    return;
  }
  const Json asked = {{"grantType", "refresh_token"},
                      {"clientId", member(token, "clientId")},
                      {"clientSecret", member(token, "clientSecret")},
                      {"refreshToken", member(token, "refreshToken")}};
  const std::string body = asked.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto response =
      exchange(context,
               {.method = "POST",
                .url = endpoint_of(context, "SSO_OIDC", "oidc", region) + "/token",
                .headers = {{"content-type", "application/json"}},
                .body = body},
               {});
  if (!response || response->status != 200) return;  // the old one is used until it ends
  const Json answer = Json::parse(response->body, nullptr, false);
  const std::string fresh = member(answer, "accessToken");
  if (fresh.empty() || !answer.contains("expiresIn") || !answer["expiresIn"].is_number_integer()) {
    return;
  }
  token["accessToken"] = fresh;
  token["expiresAt"] =
      format_iso8601(TimeUs{now.value + answer["expiresIn"].get<std::int64_t>() * kUsPerSecond});
  if (!member(answer, "refreshToken").empty()) {
    token["refreshToken"] = member(answer, "refreshToken");
  }
  const Status written = io::write_file_atomically(
      context.files, path, token.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!written) {
    log::warning("aws", "the refreshed login could not be kept: {}", written.error().message);
  }
}

}  // namespace

Result<Credentials> ask_sso(const ServiceContext& context, const SsoLogin& login,
                            const std::string& home) {
  const std::string again = fmt::format(
      "run `aws sso login{}{}`", login.session.empty() ? "" : " --sso-session ", login.session);
  const std::string path =
      fmt::format("{}/.aws/sso/cache/{}.json", home,
                  hex_sha1(login.session.empty() ? login.start_url : login.session));
  const auto text = io::read_file(context.files, path, kAnswerBytesMax);
  if (!text) {
    return fail(Errc::kDenied, fmt::format("there is no login in {}; {}", path, again));
  }
  Json token = Json::parse(*text, nullptr, false);
  refresh_sso_token(context, login.region, path, token);
  const auto expires = parse_iso8601(member(token, "expiresAt"));
  const std::string bearer = member(token, "accessToken");
  if (bearer.empty() || !expires || *expires <= context.clock.now()) {
    return fail(Errc::kDenied, fmt::format("the login in {} has ended; {}", path, again));
  }
  LEAT_ASSIGN(const auto response,
              exchange(context,
                       {.url = fmt::format("{}/federation/credentials?role_name={}&account_id={}",
                                           endpoint_of(context, "SSO", "portal.sso", login.region),
                                           percent_encode(login.role_name),
                                           percent_encode(login.account_id)),
                        .headers = {{"x-amz-sso_bearer_token", bearer}}},
                       {}));
  if (response.status != 200) return refused(response, "IAM Identity Center", again);
  const Json answer = Json::parse(response.body, nullptr, false);
  const Json keys = answer.is_object() ? answer.value("roleCredentials", Json()) : Json();
  Credentials out{.secret = {member(keys, "accessKeyId"), member(keys, "secretAccessKey"),
                             member(keys, "sessionToken")}};
  if (keys.is_object() && keys.contains("expiration") && keys["expiration"].is_number_integer()) {
    out.expires = TimeUs{keys["expiration"].get<std::int64_t>() * 1000};
  }
  if (out.secret.access_key_id.empty() || out.secret.secret_access_key.empty() || !out.expires) {
    return fail(Errc::kUnavailable, "IAM Identity Center gave no role credentials; try again");
  }
  return out;
}

// ---- container

namespace {

constexpr std::string_view kContainerHost = "http://169.254.170.2";

// Credentials in clear go over this machine's own network only.
Status check_container_url(const std::string& url) {
  if (url.starts_with("https://")) return {};
  const std::string host = host_and_path(url).first;
  for (const std::string_view good :
       {"localhost", "127.", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"}) {
    const bool prefix = good.ends_with('.');
    const std::string_view after =
        host.starts_with(good) ? std::string_view(host).substr(good.size()) : "x";
    if (url.starts_with("http://") && host.starts_with(good) &&
        (prefix ? host.find_first_not_of("0123456789.:") == std::string::npos
                : after.empty() || after.front() == ':')) {
      return {};
    }
  }
  return fail(Errc::kInvalid,
              "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of this machine "
              "or container; correct it");
}

}  // namespace

Result<Credentials> ask_container(const ServiceContext& context) {
  const std::string relative =
      variable(context.environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const std::string url = relative.empty()
                              ? variable(context.environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI")
                              : std::string(kContainerHost) + relative;
  LEAT_TRY(check_container_url(url));
  std::string authorization = variable(context.environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  const std::string file = variable(context.environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!file.empty()) {
    LEAT_ASSIGN(const std::string text, io::read_file(context.files, file, kAnswerBytesMax));
    authorization = trim(text);
  }
  io::HttpRequest request{.url = url, .headers = {{"accept", "application/json"}}, .direct = true};
  if (!authorization.empty()) request.headers.push_back({"authorization", authorization});
  LEAT_ASSIGN(const auto response,
              exchange(context, std::move(request), {.timeout_us = 2 * kUsPerSecond}));
  if (response.status != 200) {
    return refused(response, "the container's credentials endpoint",
                   "check the task's role and AWS_CONTAINER_AUTHORIZATION_TOKEN");
  }
  return credentials_of_json(response.body, "Token", "the container's credentials endpoint");
}

// ---- EC2 metadata

namespace {

class InstanceMetadata {
 public:
  explicit InstanceMetadata(const ServiceContext& context) : context_(context) {
    base_ = variable(context.environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const bool ipv6 = equal_ignore_case(
        variable(context.environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), "ipv6");
    if (base_.empty()) base_ = ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    while (base_.ends_with('/')) base_.pop_back();
    tries_.attempts = number("AWS_METADATA_SERVICE_NUM_ATTEMPTS", 1);
    tries_.timeout_us = number("AWS_METADATA_SERVICE_TIMEOUT", 1) * kUsPerSecond;
  }

  Result<std::string> get(std::string_view path) {
    if (equal_ignore_case(variable(context_.environment, "AWS_EC2_METADATA_DISABLED"), "true")) {
      return fail(Errc::kNotFound, "AWS_EC2_METADATA_DISABLED is true");
    }
    if (!asked_for_token_) LEAT_TRY(take_token());
    io::HttpRequest request{.url = fmt::format("{}{}", base_, path), .direct = true};
    if (!token_.empty()) request.headers.push_back({"x-aws-ec2-metadata-token", token_});
    const auto response = exchange(context_, std::move(request), tries_);
    if (!response) return absent(response.error());
    if (response->status != 200) {
      return fail(Errc::kNotFound,
                  fmt::format("EC2's metadata service answered {} to {}", response->status, path));
    }
    return response->body;
  }

 private:
  int number(const char* name, int fallback) const {
    return std::clamp(parse_number<int>(variable(context_.environment, name)).value_or(fallback), 1,
                      60);
  }

  static std::unexpected<Error> absent(const Error& error) {
    return fail(Errc::kNotFound, fmt::format("no EC2 metadata: {}", error.message));
  }

  // Version 2 wants a token; a machine that only has version 1 has none to give.
  Status take_token() {
    const auto response = exchange(context_,
                                   {.method = "PUT",
                                    .url = base_ + "/latest/api/token",
                                    .headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}},
                                    .direct = true},
                                   tries_);
    if (!response) return absent(response.error());
    asked_for_token_ = true;
    if (response->status == 200) {
      token_ = trim(response->body);
      return {};
    }
    const bool old = response->status == 403 || response->status == 404 || response->status == 405;
    const bool refused =
        equal_ignore_case(variable(context_.environment, "AWS_EC2_METADATA_V1_DISABLED"), "true");
    if (old && !refused) return {};
    return fail(
        Errc::kNotFound,
        fmt::format("EC2's metadata service answered {} instead of a token", response->status));
  }

  const ServiceContext& context_;
  std::string base_;
  Tries tries_;
  bool asked_for_token_ = false;
  std::string token_;
};

}  // namespace

Result<Credentials> ask_instance(const ServiceContext& context) {
  constexpr std::string_view kRoles = "/latest/meta-data/iam/security-credentials/";
  InstanceMetadata metadata(context);
  LEAT_ASSIGN(const std::string roles, metadata.get(kRoles));
  const std::string role(trim(split(roles, '\n').front()));
  if (role.empty()) return fail(Errc::kNotFound, "this EC2 machine has no role");
  LEAT_ASSIGN(const std::string text, metadata.get(std::string(kRoles) + percent_encode(role)));
  const std::string code = json_code(text);
  if (!code.empty() && code != "Success") {
    return fail(Errc::kDenied, fmt::format("EC2's metadata service has no credentials for role {}: "
                                           "{}; check the instance profile",
                                           role, code));
  }
  LEAT_ASSIGN(Credentials out, credentials_of_json(text, "Token", "EC2's metadata service"));
  out.source = fmt::format("EC2's metadata service (role {})", role);
  // When the service itself cannot refresh them, AWS accepts them for longer than they say.
  const TimeUs now = context.clock.now();
  if (out.expires && *out.expires <= now) {
    constexpr std::int64_t kLonger = 15 * kUsPerMinute;
    const auto spread = static_cast<std::int64_t>(context.random.next() % (8 * kUsPerMinute));
    out.expires = TimeUs{now.value + kLonger + 2 * kUsPerMinute + spread};
  }
  return out;
}

Result<std::string> ask_instance_region(const ServiceContext& context) {
  InstanceMetadata metadata(context);
  LEAT_ASSIGN(const std::string region, metadata.get("/latest/meta-data/placement/region"));
  return std::string(trim(region));
}

}  // namespace leat::aws
