#include "warehouse/dataapi/requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/digest.h"

namespace leat::dataapi {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDepthMax = 32;
constexpr std::size_t kParametersMax = 1000;

/// Nesting that a parser of values would have to follow by recursion.
bool is_too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthMax) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

std::unexpected<ApiError> not_serial(std::string message) {
  return fail_api(400, "SerializationException", std::move(message));
}

/// As AWS words a broken constraint.
std::string constraint(std::string_view member, std::string_view rule) {
  std::string name(member);
  if (!name.empty() && name[0] >= 'A' && name[0] <= 'Z') {
    name[0] = static_cast<char>(name[0] - 'A' + 'a');
  }
  return fmt::format("1 validation error detected: Value at '{}' failed to satisfy constraint: {}",
                     name, rule);
}

ApiResult<Json> parse_object(std::string_view body) {
  if (is_too_deep(body)) return not_serial("the request is nested too deeply");
  if (body.empty()) return Json::object();
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return not_serial("the request is not a JSON object");
  return json;
}

/// Reads members of one object and keeps the first mistake.
class Reader {
 public:
  explicit Reader(const Json& object) : object_(object) {}

  std::string text(const char* member, std::size_t min = 0, std::size_t max = 2048,
                   bool required = false) {
    const Json* value = find(member, required);
    if (value == nullptr) return {};
    if (!value->is_string()) {
      serial(fmt::format("{} must be a string", member));
      return {};
    }
    const auto& text = value->get_ref<const std::string&>();
    if (text.size() < min) {
      broken(member, fmt::format("Member must have length greater than or equal to {}", min));
    } else if (text.size() > max) {
      broken(member, fmt::format("Member must have length less than or equal to {}", max));
    }
    return text;
  }

  std::optional<std::int64_t> number(const char* member, std::int64_t min, std::int64_t max) {
    const Json* value = find(member, false);
    if (value == nullptr) return std::nullopt;
    const bool fits =
        value->is_number_integer() &&
        !(value->is_number_unsigned() && value->get<std::uint64_t>() > std::uint64_t{1} << 62U);
    if (!fits) {
      serial(fmt::format("{} must be a whole number", member));
      return std::nullopt;
    }
    const auto number = value->get<std::int64_t>();
    if (number < min) {
      broken(member, fmt::format("Member must have value greater than or equal to {}", min));
    } else if (number > max) {
      broken(member, fmt::format("Member must have value less than or equal to {}", max));
    }
    return number;
  }

  /// One of `choices`, or empty when absent.
  std::string choice(const char* member, std::initializer_list<std::string_view> choices) {
    std::string value = text(member);
    if (!value.empty() && std::ranges::find(choices, value) == choices.end()) {
      broken(member,
             fmt::format("Member must satisfy enum value set: [{}]", fmt::join(choices, ", ")));
    }
    return value;
  }

  void boolean(const char* member) {
    const Json* value = find(member, false);
    if (value != nullptr && !value->is_boolean()) {
      serial(fmt::format("{} must be true or false", member));
    }
  }

  const Json* list(const char* member, bool required) {
    const Json* value = find(member, required);
    if (value == nullptr) return nullptr;
    if (!value->is_array()) {
      serial(fmt::format("{} must be a list", member));
      return nullptr;
    }
    return value;
  }

  void broken(std::string_view member, std::string_view rule) {
    if (!error_) error_ = invalid(constraint(member, rule)).error();
  }
  void wrong(std::string message) {
    if (!error_) error_ = invalid(std::move(message)).error();
  }
  void serial(std::string message) {
    if (!error_) error_ = not_serial(std::move(message)).error();
  }
  [[nodiscard]] ApiStatus status() const {
    if (error_) return std::unexpected(*error_);
    return {};
  }

 private:
  const Json* find(const char* member, bool required) {
    const auto found = object_.find(member);
    if (found != object_.end() && !found->is_null()) return &*found;
    if (required) broken(member, "Member must not be null");
    return nullptr;
  }

  const Json& object_;
  std::optional<ApiError> error_;
};

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_cluster_name(std::string_view name) {
  if (name.size() > 63 || name.front() < 'a' || name.front() > 'z' || name.back() == '-' ||
      name.find("--") != std::string_view::npos) {
    return false;
  }
  return std::ranges::all_of(name, [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_workgroup_name(std::string_view name) {
  if (name.starts_with("arn:aws")) return name.size() <= 128;
  return name.size() >= 3 && name.size() <= 63 &&
         std::ranges::all_of(name, [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_statement_id(std::string_view id) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (id.size() < kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == '-' ? id[i] != '-' : !is_lower_or_digit(id[i])) return false;
  }
  if (id.size() == kShape.size()) return true;
  const std::string_view rest = id.substr(kShape.size());
  return rest[0] == ':' && rest.size() <= 3 &&
         std::ranges::all_of(rest.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

TargetMembers read_target(Reader& reader) {
  TargetMembers target;
  target.cluster = reader.text("ClusterIdentifier");
  target.workgroup = reader.text("WorkgroupName");
  target.database = reader.text("Database");
  target.db_user = reader.text("DbUser");
  target.secret_arn = reader.text("SecretArn");
  if (!target.cluster.empty() && !is_cluster_name(target.cluster)) {
    reader.broken(
        "ClusterIdentifier",
        "Member must satisfy regular expression pattern: ^[a-z]{1}[a-z0-9]*(-[a-z0-9]+)*$");
  }
  if (!target.workgroup.empty() && !is_workgroup_name(target.workgroup)) {
    reader.broken(
        "WorkgroupName",
        "Member must satisfy regular expression pattern: ^(([a-z0-9-]{3,63})|arn:aws.*)$");
  }
  return target;
}

std::string read_id(Reader& reader, const char* member, bool required) {
  std::string id = reader.text(member, 0, 256, required);
  if (!id.empty() && !is_statement_id(id)) {
    reader.wrong(
        "id must satisfy regex pattern: ^[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\\d{0,2})?$");
  } else if (id.empty() && required) {
    reader.broken(member, "Member must not be null");
  }
  return id;
}

bool is_parameter_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
  });
}

std::vector<SqlParameter> read_parameters(Reader& reader) {
  std::vector<SqlParameter> parameters;
  const Json* list = reader.list("Parameters", false);
  if (list == nullptr) return parameters;
  if (list->empty()) {
    reader.broken("Parameters", "Member must have length greater than or equal to 1");
  } else if (list->size() > kParametersMax) {
    reader.broken("Parameters",
                  fmt::format("Member must have length less than or equal to {}", kParametersMax));
    return parameters;
  }
  for (const Json& each : *list) {
    if (!each.is_object()) {
      reader.serial("a parameter must be an object");
      return parameters;
    }
    Reader member(each);
    SqlParameter parameter{.name = member.text("name", 1, 2048, true),
                           .value = member.text("value", 1, kSqlBytesMax, true)};
    if (const ApiStatus read = member.status(); !read) {
      if (read.error().name == "SerializationException") {
        reader.serial(read.error().message);
      } else {
        reader.wrong(read.error().message);
      }
      return parameters;
    }
    if (!is_parameter_name(parameter.name)) {
      reader.broken("parameters.name",
                    "Member must satisfy regular expression pattern: ^[0-9a-zA-Z_]+$");
    }
    if (std::ranges::find(parameters, parameter.name, &SqlParameter::name) != parameters.end()) {
      reader.wrong("Parameters list contains the name twice: " + parameter.name);
    }
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

std::vector<std::string> read_sqls(Reader& reader, bool batch) {
  if (!batch) return {reader.text("Sql", 0, kSqlBytesMax, true)};
  std::vector<std::string> sqls;
  const Json* list = reader.list("Sqls", true);
  if (list == nullptr) return sqls;
  if (list->empty()) {
    reader.broken("Sqls", "Member must have length greater than or equal to 1");
  } else if (list->size() > kBatchMax) {
    reader.broken("Sqls",
                  fmt::format("Member must have length less than or equal to {}", kBatchMax));
  }
  for (const Json& each : *list) {
    if (!each.is_string()) {
      reader.serial("Sqls must be a list of strings");
      return sqls;
    }
    const auto& sql = each.get_ref<const std::string&>();
    if (sql.size() > kSqlBytesMax) {
      reader.broken("Sqls",
                    fmt::format("Member must have length less than or equal to {}", kSqlBytesMax));
      return sqls;
    }
    sqls.push_back(sql);
  }
  return sqls;
}

/// The members of the operations that answer in pages of at most `limit`; 0 asks for no less.
template <class Members>
void read_paging(Reader& reader, std::int64_t limit, Members& members) {
  members.next_token = reader.text("NextToken");
  members.results_max = reader.number("MaxResults", 0, limit).value_or(limit);
  if (members.results_max == 0) members.results_max = limit;
}

std::string fingerprint_of(Json json, bool batch) {
  json.erase("ClientToken");
  json.erase("WaitTimeSeconds");
  return to_hex(sha256((batch ? "batch " : "single ") +
                       json.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

}  // namespace

ApiResult<ExecuteMembers> parse_execute(std::string_view body, bool batch) {
  LEAT_ASSIGN(const Json json, parse_object(body));
  Reader reader(json);
  ExecuteMembers members;
  members.sqls = read_sqls(reader, batch);
  members.target = read_target(reader);
  members.parameters = read_parameters(reader);
  members.statement_name = reader.text("StatementName", 0, 2048);
  members.client_token = reader.text("ClientToken", 1, 64);
  members.session_id = read_id(reader, "SessionId", false);
  members.keep_alive_seconds = reader.number("SessionKeepAliveSeconds", 0, 86400);
  members.wait_seconds = reader.number("WaitTimeSeconds", 1, 30).value_or(0);
  members.format = reader.choice("ResultFormat", {"JSON", "CSV"}) == "CSV" ? ResultFormat::kCsv
                                                                           : ResultFormat::kJson;
  if (batch) {
    members.auto_commit =
        reader.choice("ExecutionMode", {"TRANSACTION", "AUTO_COMMIT"}) == "AUTO_COMMIT";
  }
  reader.boolean("WithEvent");
  LEAT_TRY(reader.status());
  std::string unused;
  for (std::size_t i = 0; i < members.parameters.size(); ++i) {
    const bool used = std::ranges::any_of(members.sqls, [&](const std::string& sql) {
      const auto order = to_positional(sql, members.parameters).order;
      return std::ranges::find(order, i) != order.end();
    });
    if (!used) unused += (unused.empty() ? "" : ", ") + members.parameters[i].name;
  }
  if (!unused.empty()) {
    return invalid("Parameters list contains unused parameters. Unused parameters: [" + unused +
                   "]");
  }
  members.fingerprint = fingerprint_of(json, batch);
  return members;
}

ApiResult<IdMembers> parse_id(std::string_view body) {
  LEAT_ASSIGN(const Json json, parse_object(body));
  Reader reader(json);
  IdMembers members;
  members.id = read_id(reader, "Id", true);
  members.next_token = reader.text("NextToken");
  members.wait_seconds = reader.number("WaitTimeSeconds", 1, 30).value_or(0);
  LEAT_TRY(reader.status());
  return members;
}

ApiResult<ListStatementsMembers> parse_list_statements(std::string_view body) {
  LEAT_ASSIGN(const Json json, parse_object(body));
  Reader reader(json);
  ListStatementsMembers members;
  members.target = read_target(reader);
  members.statement_name = reader.text("StatementName", 0, 2048);
  read_paging(reader, 100, members);
  reader.boolean("RoleLevel");
  const std::string status = reader.choice(
      "Status", {"SUBMITTED", "PICKED", "STARTED", "FINISHED", "ABORTED", "FAILED", "ALL"});
  LEAT_TRY(reader.status());
  if (status == "ALL") members.status.reset();
  for (int i = 0; i <= static_cast<int>(StatementStatus::kFailed); ++i) {
    const auto each = static_cast<StatementStatus>(i);
    if (status == status_name(each)) members.status = each;
  }
  return members;
}

ApiResult<ListSessionsMembers> parse_list_sessions(std::string_view body) {
  LEAT_ASSIGN(const Json json, parse_object(body));
  Reader reader(json);
  ListSessionsMembers members;
  members.target = read_target(reader);
  members.session_id = read_id(reader, "SessionId", false);
  read_paging(reader, 100, members);
  reader.boolean("RoleLevel");
  const std::string status = reader.choice("Status", {"AVAILABLE", "BUSY", "CLOSED"});
  LEAT_TRY(reader.status());
  if (status == "AVAILABLE") members.status = SessionStatus::kAvailable;
  if (status == "BUSY") members.status = SessionStatus::kBusy;
  if (status == "CLOSED") members.status = SessionStatus::kClosed;
  return members;
}

ApiResult<CatalogMembers> parse_catalog(std::string_view body) {
  LEAT_ASSIGN(const Json json, parse_object(body));
  Reader reader(json);
  CatalogMembers members;
  members.target = read_target(reader);
  if (members.target.database.empty()) reader.broken("Database", "Member must not be null");
  members.connected_database = reader.text("ConnectedDatabase");
  members.schema_pattern = reader.text("SchemaPattern");
  members.table_pattern = reader.text("TablePattern");
  members.schema = reader.text("Schema");
  members.table = reader.text("Table");
  read_paging(reader, 1000, members);
  LEAT_TRY(reader.status());
  return members;
}

ApiResult<ServerlessMembers> parse_serverless(std::string_view body) {
  LEAT_ASSIGN(const Json json, parse_object(body));
  Reader reader(json);
  ServerlessMembers members;
  members.workgroup = reader.text("workgroupName");
  members.namespace_name = reader.text("namespaceName");
  members.database = reader.text("dbName");
  members.duration_seconds = reader.number("durationSeconds", 900, 3600);
  if (!members.workgroup.empty() && !is_workgroup_name(members.workgroup)) {
    reader.broken("workgroupName", "Member must satisfy regular expression pattern: ^[a-z0-9-]+$");
  }
  LEAT_TRY(reader.status());
  return members;
}

}  // namespace leat::dataapi
