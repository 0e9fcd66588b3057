#include "aws/redshift_data.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "aws/service_call.h"
#include "base/check.h"

namespace leat::aws {
namespace {

using Json = nlohmann::json;

// A call that waits for its statement is answered after that, or not at all.
constexpr std::int64_t kTimeoutUs = 45 * kUsPerSecond;
constexpr std::uint64_t kPageBytesMax = 64U << 20U;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::string> text_of(const Json& field) {
  for (const auto& [kind, value] : field.items()) {
    if (kind == "isNull") return std::nullopt;
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "t" : "f";
    return value.dump();
  }
  return std::nullopt;
}

std::unexpected<DataFailure> unreadable(std::string_view operation) {
  return std::unexpected(
      DataFailure{.error = {Errc::kUnavailable,
                            fmt::format("the answer of the Redshift Data API to {} cannot be read",
                                        operation)}});
}

DataResult<DataStatement> statement_of(std::string_view operation, const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  DataStatement out{.id = member(json, "Id"),
                    .session_id = member(json, "SessionId"),
                    .status = member(json, "Status"),
                    .error = member(json, "Error")};
  if (out.id.empty()) return unreadable(operation);
  const auto has_result = json.find("HasResultSet");
  out.has_result = has_result != json.end() && has_result->is_boolean() && has_result->get<bool>();
  const auto rows = json.find("ResultRows");
  if (rows != json.end() && rows->is_number_integer()) out.rows = rows->get<std::int64_t>();
  return out;
}

Status check(const RedshiftDataOptions& options) {
  if (options.cluster_identifier.empty() == options.workgroup_name.empty()) {
    return fail(Errc::kInvalid, "the Data API needs either a cluster or a workgroup; name one");
  }
  if (!options.secret_arn.empty() && !options.user.empty()) {
    return fail(Errc::kInvalid, "a secret names its user; name no other");
  }
  if (!options.user.empty() && options.cluster_identifier.empty()) {
    return fail(Errc::kInvalid, "a workgroup's user is the AWS identity or a secret's; name none");
  }
  if (options.region.empty() || options.database.empty()) {
    return fail(Errc::kInvalid, "the Data API needs the warehouse's region and database");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<RedshiftData>> RedshiftData::open(RedshiftDataOptions options) {
  LEAT_CHECK(options.http != nullptr && options.credentials != nullptr);
  LEAT_TRY(check(options));
  use_machine_where_missing(options.clock, options.random, options.wait);
  return std::unique_ptr<RedshiftData>(new RedshiftData(std::move(options)));
}

DataResult<std::string> RedshiftData::call(std::string_view operation, const std::string& body) {
  const ServiceContext context{.environment = options_.environment,
                               .http = *options_.http,
                               .files = io::posix_file_system(),
                               .clock = *options_.clock,
                               .random = *options_.random,
                               .wait = options_.wait,
                               .region = options_.region};
  std::string url = options_.endpoint;
  while (url.ends_with('/')) url.pop_back();
  if (url.empty()) url = endpoint_of(context, "REDSHIFT_DATA", "redshift-data", options_.region);
  url += '/';
  const auto credentials = options_.credentials->get();
  if (!credentials) {
    return std::unexpected(DataFailure{.code = "NoCredentials", .error = credentials.error()});
  }
  io::HttpRequest request{.method = "POST",
                          .url = url,
                          .headers = {{"content-type", "application/x-amz-json-1.1"},
                                      {"x-amz-target", fmt::format("RedshiftData.{}", operation)}},
                          .body = body};
  sign_request(
      request, credentials->secret,
      {.region = options_.region, .service = "redshift-data", .time = context.clock.now()});
  auto response = exchange(context, std::move(request),
                           {.timeout_us = kTimeoutUs, .answer_bytes_max = kPageBytesMax});
  if (!response) return std::unexpected(DataFailure{.error = response.error()});
  if (response->status == 200) return std::move(response->body);
  if (response->status == 403) options_.credentials->expire(*credentials);
  const auto said =
      refused(*response,
              fmt::format("{} ({}, with the keys from {})", operation, io::printable_url(url),
                          credentials->source),
              fmt::format("check that these AWS credentials may do redshift-data:{}", operation));
  return std::unexpected(DataFailure{.code = json_code(response->body), .error = said.error()});
}

DataResult<DataStatement> RedshiftData::execute(std::string_view sql, const std::string& session_id,
                                                int keep_alive_s, const std::string& client_token,
                                                int wait_s) {
  Json body = {{"Sql", sql}, {"ClientToken", client_token}};
  if (wait_s > 0) body["WaitTimeSeconds"] = wait_s;
  if (!session_id.empty()) {
    body["SessionId"] = session_id;
  } else {
    body["SessionKeepAliveSeconds"] = keep_alive_s;
    body["Database"] = options_.database;
    if (!options_.cluster_identifier.empty()) {
      body["ClusterIdentifier"] = options_.cluster_identifier;
    }
    if (!options_.workgroup_name.empty()) body["WorkgroupName"] = options_.workgroup_name;
    if (!options_.secret_arn.empty()) body["SecretArn"] = options_.secret_arn;
    if (!options_.user.empty()) body["DbUser"] = options_.user;
  }
  LEAT_ASSIGN(const std::string answer, call("ExecuteStatement", dump(body)));
  return statement_of("ExecuteStatement", answer);
}

DataResult<DataStatement> RedshiftData::describe(const std::string& id, int wait_s) {
  Json body = {{"Id", id}};
  if (wait_s > 0) body["WaitTimeSeconds"] = wait_s;
  LEAT_ASSIGN(const std::string answer, call("DescribeStatement", dump(body)));
  return statement_of("DescribeStatement", answer);
}

DataResult<DataPage> RedshiftData::result(const std::string& id, const std::string& next_token) {
  Json body = {{"Id", id}};
  if (!next_token.empty()) body["NextToken"] = next_token;
  LEAT_ASSIGN(const std::string answer, call("GetStatementResult", dump(body)));
  const Json json = Json::parse(answer, nullptr, false);
  const auto records = json.is_object() ? json.find("Records") : json.end();
  if (!json.is_object() || records == json.end() || !records->is_array()) {
    return unreadable("GetStatementResult");
  }
  DataPage page{.next_token = member(json, "NextToken")};
  for (const Json& record : *records) {
    auto& row = page.rows.emplace_back();
    for (const Json& field : record) row.push_back(text_of(field));
  }
  return page;
}

DataResult<void> RedshiftData::cancel(const std::string& id) {
  LEAT_TRY(call("CancelStatement", dump(Json{{"Id", id}})));
  return {};
}

}  // namespace leat::aws
