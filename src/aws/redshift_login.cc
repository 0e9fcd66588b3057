#include "aws/redshift_login.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "aws/service_call.h"
#include "base/check.h"
#include "base/text.h"

namespace leat::aws {
namespace {

using Json = nlohmann::json;

// A login is good for new connections until its end; those that are open stay.
constexpr std::int64_t kRefreshBefore = 5 * kUsPerMinute;

struct Call {
  std::string action;
  std::string service;  // signing name, and the host's first label
  std::string variable_part;
  std::string content_type;
  std::string target;  // X-Amz-Target; empty for the query protocol
  std::string body;
};

Call cluster_call(const RedshiftLoginOptions& options) {
  const bool named = !options.user.empty();
  Form form = {{"Action", named ? "GetClusterCredentials" : "GetClusterCredentialsWithIAM"},
               {"Version", "2012-12-01"}};
  if (named) form.emplace_back("DbUser", options.user);
  form.emplace_back("DbName", options.database);
  form.emplace_back("ClusterIdentifier", options.cluster_identifier);
  form.emplace_back("DurationSeconds", fmt::format("{}", options.duration_s));
  if (named) form.emplace_back("AutoCreate", options.create_user ? "true" : "false");
  for (std::size_t i = 0; i < options.groups.size(); ++i) {
    form.emplace_back(fmt::format("DbGroups.DbGroup.{}", i + 1), options.groups[i]);
  }
  return {.action = form.front().second,
          .service = "redshift",
          .variable_part = "REDSHIFT",
          .content_type = std::string(kFormType),
          .target = {},
          .body = form_text(form)};
}

Call workgroup_call(const RedshiftLoginOptions& options) {
  const Json body = {{"workgroupName", options.workgroup_name},
                     {"dbName", options.database},
                     {"durationSeconds", options.duration_s}};
  return {.action = "GetCredentials",
          .service = "redshift-serverless",
          .variable_part = "REDSHIFT_SERVERLESS",
          .content_type = "application/x-amz-json-1.1",
          .target = "RedshiftServerless.GetCredentials",
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

Result<IssuedLogin> parse_workgroup_answer(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  IssuedLogin out{.user = member(json, "dbUser"), .password = member(json, "dbPassword")};
  const auto expires = json.is_object() ? json.find("expiration") : json.end();
  if (out.user.empty() || out.password.empty() || expires == json.end() || !expires->is_number()) {
    return fail(Errc::kInvalid, "the answer of Redshift Serverless has no user and password");
  }
  out.expires =
      TimeUs{static_cast<std::int64_t>(expires->get<double>() * static_cast<double>(kUsPerSecond))};
  return out;
}

std::string next_step(const io::HttpResponse& response, const Call& call,
                      const RedshiftLoginOptions& options) {
  std::string code = json_code(response.body);
  if (const auto error = parse_error_xml(response.body)) code = error->code;
  if (code.find("NotFound") != std::string::npos) {
    return options.workgroup_name.empty()
               ? fmt::format("there is no cluster '{}' in {}; correct its name or region",
                             options.cluster_identifier, options.region)
               : fmt::format("there is no workgroup '{}' in {}; correct its name or region",
                             options.workgroup_name, options.region);
  }
  return fmt::format("check the clock, and that these AWS credentials may do {}:{}", call.service,
                     call.action);
}

Status check(const RedshiftLoginOptions& options) {
  const bool cluster = !options.cluster_identifier.empty();
  if (cluster == !options.workgroup_name.empty()) {
    return fail(Errc::kInvalid, "name either a cluster or a workgroup to get a login for");
  }
  if (!cluster && !(options.user.empty() && options.groups.empty())) {
    return fail(Errc::kInvalid, "a workgroup's user is the AWS identity; name no user or groups");
  }
  if (!options.groups.empty() && options.user.empty()) {
    return fail(Errc::kInvalid, "groups are joined by a named user only; name it");
  }
  if (options.region.empty()) {
    return fail(Errc::kInvalid, "no region of the warehouse is known; name it");
  }
  if (options.duration_s < 900 || options.duration_s > 3600) {
    return fail(Errc::kInvalid, "a login lasts 900 to 3600 seconds");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<RedshiftLogin>> RedshiftLogin::open(RedshiftLoginOptions options) {
  LEAT_CHECK(options.http != nullptr && options.credentials != nullptr);
  LEAT_TRY(check(options));
  use_machine_where_missing(options.clock, options.random, options.wait);
  return std::unique_ptr<RedshiftLogin>(new RedshiftLogin(std::move(options)));
}

Result<IssuedLogin> RedshiftLogin::get() {
  const std::lock_guard lock(mutex_);
  if (!login_ || login_->expires.value - options_.clock->now().value < kRefreshBefore) {
    LEAT_ASSIGN(login_, ask());
  }
  return *login_;
}

void RedshiftLogin::expire(const IssuedLogin& login) {
  const std::lock_guard lock(mutex_);
  if (login_ && login_->password == login.password) login_.reset();
}

Result<IssuedLogin> RedshiftLogin::ask() {
  const ServiceContext context{.environment = options_.environment,
                               .http = *options_.http,
                               .files = io::posix_file_system(),
                               .clock = *options_.clock,
                               .random = *options_.random,
                               .wait = options_.wait,
                               .region = options_.region};
  const Call call =
      options_.workgroup_name.empty() ? cluster_call(options_) : workgroup_call(options_);
  std::string url = options_.endpoint;
  while (url.ends_with('/')) url.pop_back();
  if (url.empty()) url = endpoint_of(context, call.variable_part, call.service, options_.region);
  url += '/';
  LEAT_ASSIGN(const Credentials credentials, options_.credentials->get());
  io::HttpRequest request{.method = "POST",
                          .url = url,
                          .headers = {{"content-type", call.content_type}},
                          .body = call.body};
  if (!call.target.empty()) request.headers.push_back({"x-amz-target", call.target});
  sign_request(request, credentials.secret,
               {.region = options_.region, .service = call.service, .time = context.clock.now()});
  LEAT_ASSIGN(const auto response, exchange(context, std::move(request), {}));
  if (response.status != 200) {
    if (response.status == 403) options_.credentials->expire(credentials);
    return refused(response,
                   fmt::format("{} ({}, with the keys from {})", call.action,
                               io::printable_url(url), credentials.source),
                   next_step(response, call, options_));
  }
  return options_.workgroup_name.empty() ? parse_issued_login_xml(response.body)
                                         : parse_workgroup_answer(response.body);
}

}  // namespace leat::aws
