#include "warehouse/dataapi/credentials.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "net/http.h"
#include "warehouse/dataapi/json_text.h"
#include "warehouse/dataapi/row_writer.h"
#include "warehouse/dataapi/xml.h"
#include "warehouse/session/warehouse.h"

namespace leat::dataapi {
namespace {

constexpr std::string_view kRedshiftSpace =
    "xmlns=\"http://redshift.amazonaws.com/doc/2012-12-01/\"";
constexpr std::string_view kStsSpace = "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"";
constexpr std::int64_t kDurationMin = 900;
constexpr std::int64_t kDurationMax = 3600;
constexpr std::size_t kPasswordLength = 40;

using Form = std::vector<std::pair<std::string, std::string>>;

std::string_view member(const Form& form, std::string_view name) {
  for (const auto& [key, value] : form) {
    if (key == name) return value;
  }
  return {};
}

bool has_list(const Form& form, std::string_view name) {
  return std::ranges::any_of(form, [&](const auto& each) {
    return std::string_view(each.first).starts_with(std::string(name) + ".") &&
           !each.second.empty();
  });
}

std::string second_of(TimeUs time) {
  return format_iso8601(TimeUs{time.value / kUsPerSecond * kUsPerSecond});
}

// ISO 8601 without a fraction: what the XML timestamps are.
std::string xml_time(TimeUs time) {
  std::string text = second_of(time);
  if (const std::size_t point = text.find('.'); point != std::string::npos) {
    text = text.substr(0, point) + "Z";
  }
  return text;
}

ApiResult<std::int64_t> duration_of(const Form& form) {
  const std::string_view text = member(form, "DurationSeconds");
  if (text.empty()) return kDurationMin;
  const auto seconds = parse_number<std::int64_t>(text);
  if (!seconds || *seconds < kDurationMin || *seconds > kDurationMax) {
    return fail_api(
        400, "InvalidParameterValue",
        fmt::format("DurationSeconds must be between {} and {}", kDurationMin, kDurationMax));
  }
  return *seconds;
}

bool is_user_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("_+.@-").find(c) != std::string_view::npos;
  });
}

ApiStatus create_user(session::Warehouse& warehouse, const Caller& caller, std::string_view name) {
  session::SessionRequest request;
  request.user = caller.user;
  request.database = warehouse.database();
  request.remote_address = caller.remote_address;
  auto session = warehouse.open_session(request);
  if (!session) return fail_api(400, "UnsupportedOperation", session.error().message);
  RowWriter nothing(ResultFormat::kJson, {}, nullptr);
  const auto done =
      (*session)->simple_query(fmt::format("CREATE USER \"{}\" PASSWORD DISABLE", name), nothing);
  // 42710: somebody else has just made it.
  if (!done && done.error().sqlstate != "42710") {
    return fail_api(400, "UnsupportedOperation", done.error().message);
  }
  return {};
}

/// The error of a JSON service under the name that the query services use.
ApiError as_query_error(ApiError error) {
  if (error.name == "AccessDeniedException") return {403, "AccessDenied", error.message, {}};
  if (error.name == "ResourceNotFoundException") return {404, "ClusterNotFound", error.message, {}};
  if (error.name == "ValidationException") {
    return {400, "InvalidParameterValue", error.message, {}};
  }
  return error;
}

void close_answer(XmlWriter& xml, std::string_view action, std::string_view request_id) {
  xml.close(fmt::format("{}Result", action));
  xml.open("ResponseMetadata");
  xml.text("RequestId", request_id);
  xml.close("ResponseMetadata");
  xml.close(fmt::format("{}Response", action));
}

void open_answer(XmlWriter& xml, std::string_view action, std::string_view space) {
  xml.open(fmt::format("{}Response", action), space);
  xml.open(fmt::format("{}Result", action));
}

void write_cluster(XmlWriter& xml, const ClusterFacts& facts, std::string_view name) {
  xml.open("Cluster");
  xml.text("ClusterIdentifier", name);
  xml.text("NodeType", "leat");
  xml.text("ClusterStatus", "available");
  xml.text("ClusterAvailabilityStatus", "Available");
  xml.text("MasterUsername", facts.admin_user);
  xml.text("DBName", facts.database);
  xml.open("Endpoint");
  xml.text("Address", facts.host);
  xml.number("Port", facts.port);
  xml.close("Endpoint");
  xml.text("AvailabilityZone", facts.region + "a");
  xml.number("NumberOfNodes", 1);
  xml.boolean("PubliclyAccessible", false);
  xml.boolean("Encrypted", false);
  xml.close("Cluster");
}

}  // namespace

std::string_view Credentials::service_of(std::string_view form) {
  const Form members = net::parse_query(form);
  const std::string_view action = member(members, "Action");
  if (action == "GetClusterCredentials" || action == "GetClusterCredentialsWithIAM" ||
      action == "DescribeClusters") {
    return "redshift";
  }
  return action == "GetCallerIdentity" ? "sts" : "";
}

Credentials::Issued Credentials::issue(std::string_view prefix, std::string_view user,
                                       std::int64_t duration_seconds) {
  Issued issued;
  issued.login = fmt::format("{}:{}", prefix, user);
  issued.password = random_token(random_, kPasswordLength);
  issued.expires = TimeUs{clock_.now().value + duration_seconds * kUsPerSecond};
  warehouse_.add_temporary_password(issued.login, issued.password, issued.expires);
  return issued;
}

ApiStatus Credentials::check_database(std::string_view database) const {
  if (database.empty() || warehouse_.has_database(database)) return {};
  return invalid(fmt::format("Database {} does not exist", database));
}

ApiResult<std::string> Credentials::query(std::string_view text, const Caller& caller,
                                          std::string_view request_id) {
  const Form form = net::parse_query(text);
  const std::string_view action = member(form, "Action");
  XmlWriter xml;
  if (action == "GetCallerIdentity") {
    open_answer(xml, action, kStsSpace);
    xml.text("Arn", fmt::format("arn:aws:iam::{}:user/{}", facts_.account, caller.user));
    xml.text("UserId", caller.access_key_id);
    xml.text("Account", facts_.account);
    close_answer(xml, action, request_id);
    return xml.take();
  }
  const std::string_view cluster = member(form, "ClusterIdentifier");
  if (const ApiStatus known = check_names(facts_, cluster, {}); !known) {
    return std::unexpected(as_query_error(known.error()));
  }
  if (action == "DescribeClusters") {
    open_answer(xml, action, kRedshiftSpace);
    xml.open("Clusters");
    write_cluster(xml, facts_, cluster.empty() ? facts_.cluster : cluster);
    xml.close("Clusters");
    close_answer(xml, action, request_id);
    return xml.take();
  }
  LEAT_ASSIGN(const std::int64_t seconds, duration_of(form));
  if (const ApiStatus known = check_database(member(form, "DbName")); !known) {
    return std::unexpected(as_query_error(known.error()));
  }
  Issued issued;
  if (action == "GetClusterCredentialsWithIAM") {
    issued = issue("IAM", caller.user, seconds);
  } else {
    const std::string_view user = member(form, "DbUser");
    if (!is_user_name(user)) {
      return fail_api(400, "InvalidParameterValue",
                      "DbUser must be 1 to 64 lower-case letters, digits and _ + . @ -");
    }
    if (has_list(form, "DbGroups")) {
      return fail_api(
          400, "UnsupportedOperation",
          "DbGroups is not supported here; add the user to its groups with ALTER GROUP");
    }
    const bool create = member(form, "AutoCreate") == "true";
    const bool known = warehouse_.user_facts(user).has_value();
    if (user != caller.user && !caller.superuser) {
      return fail_api(403, "AccessDenied",
                      fmt::format("User: {} is not authorized to perform: "
                                  "redshift:GetClusterCredentials for user {}",
                                  caller.user, user));
    }
    if (create && !known) LEAT_TRY(create_user(warehouse_, caller, user));
    issued = issue(create ? "IAMA" : "IAM", user, seconds);
  }
  open_answer(xml, action, kRedshiftSpace);
  xml.text("DbUser", issued.login);
  xml.text("DbPassword", issued.password);
  xml.text("Expiration", xml_time(issued.expires));
  if (action == "GetClusterCredentialsWithIAM") {
    xml.text("NextRefreshTime", xml_time(issued.expires));
  }
  close_answer(xml, action, request_id);
  return xml.take();
}

std::string Credentials::error_xml(std::string_view service, const ApiError& error,
                                   std::string_view request_id) {
  XmlWriter xml;
  xml.open("ErrorResponse", service == "sts" ? kStsSpace : kRedshiftSpace);
  xml.open("Error");
  xml.text("Type", error.status < 500 ? "Sender" : "Receiver");
  xml.text("Code", error.name);
  xml.text("Message", error.message);
  xml.close("Error");
  xml.text("RequestId", request_id);
  xml.close("ErrorResponse");
  return xml.take();
}

std::string Credentials::workgroup_json() const {
  JsonObject endpoint;
  endpoint.text("address", facts_.host);
  endpoint.number("port", facts_.port);
  JsonObject out;
  out.text("workgroupName", facts_.workgroup);
  out.text("workgroupArn", fmt::format("arn:aws:redshift-serverless:{}:{}:workgroup/{}",
                                       facts_.region, facts_.account, facts_.workgroup));
  out.text("namespaceName", facts_.workgroup);
  out.text("status", "AVAILABLE");
  out.raw("endpoint", endpoint.take());
  out.number("port", facts_.port);
  out.boolean("publiclyAccessible", false);
  out.boolean("enhancedVpcRouting", false);
  return out.take();
}

ApiResult<std::string> Credentials::serverless(std::string_view operation, std::string_view body,
                                               const Caller& caller) {
  LEAT_ASSIGN(const ServerlessMembers members, parse_serverless(body));
  LEAT_TRY(check_names(facts_, {}, members.workgroup));
  JsonObject out;
  if (operation == "GetCredentials") {
    LEAT_TRY(check_database(members.database));
    const Issued issued =
        issue("IAM", caller.user, members.duration_seconds.value_or(kDurationMin));
    out.text("dbUser", issued.login);
    out.text("dbPassword", issued.password);
    out.time("expiration", issued.expires);
    out.time("nextRefreshTime", issued.expires);
    return out.take();
  }
  if (operation == "GetWorkgroup") {
    if (members.workgroup.empty()) return invalid("workgroupName must not be null");
    ClusterFacts named = facts_;
    if (!members.workgroup.starts_with("arn:")) named.workgroup = members.workgroup;
    out.raw("workgroup", Credentials(warehouse_, named, clock_, random_).workgroup_json());
    return out.take();
  }
  if (operation == "ListWorkgroups") {
    out.raw("workgroups", "[" + workgroup_json() + "]");
    return out.take();
  }
  if (operation == "GetNamespace") {
    if (members.namespace_name.empty()) return invalid("namespaceName must not be null");
    JsonObject space;
    space.text("namespaceName", members.namespace_name);
    space.text("adminUsername", facts_.admin_user);
    space.text("dbName", facts_.database);
    space.text("status", "AVAILABLE");
    out.raw("namespace", space.take());
    return out.take();
  }
  return fail_api(404, "UnknownOperationException", fmt::format("Unknown operation {}", operation));
}

}  // namespace leat::dataapi
