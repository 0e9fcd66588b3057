#include "warehouse/dataapi/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/digest.h"
#include "base/text.h"
#include "warehouse/dataapi/json_text.h"
#include "warehouse/session/warehouse.h"

namespace leat::dataapi {
namespace {

/// What SecretArn names: the secret "NAME" is warehouse user NAME. AWS appends "-" and six
/// characters to a secret's name.
std::string_view user_of_secret(std::string_view arn) {
  constexpr std::string_view kMark = ":secret:";
  const std::size_t at = arn.find(kMark);
  if (!arn.starts_with("arn:aws") || at == std::string_view::npos) return {};
  return arn.substr(at + kMark.size());
}

std::string_view without_prefix(std::string_view user) {
  for (const std::string_view prefix : {"IAM:", "IAMA:", "IAMR:"}) {
    if (user.starts_with(prefix)) return user.substr(prefix.size());
  }
  return user;
}

std::string parameters_json(const std::vector<SqlParameter>& parameters) {
  JsonArray array;
  for (const SqlParameter& parameter : parameters) {
    JsonObject object;
    object.text("name", parameter.name);
    object.text("value", parameter.value);
    array.add(object.take());
  }
  return array.take();
}

std::string_view format_name(ResultFormat format) {
  return format == ResultFormat::kCsv ? "CSV" : "JSON";
}

void write_target(JsonObject& out, const Target& target) {
  out.text_if("ClusterIdentifier", target.cluster);
  out.text_if("WorkgroupName", target.workgroup);
  out.text_if("SecretArn", target.secret_arn);
  out.text_if("DbUser", target.db_user);
  out.text("Database", target.database);
}

struct Totals {
  std::int64_t rows = -1;
  std::int64_t bytes = -1;
  bool has_result = false;
};

Totals totals_of(const StatementView& view) {
  Totals totals;
  for (const PartView& part : view.parts) {
    totals.has_result = totals.has_result || part.has_result;
    if (part.status != StatementStatus::kFinished) continue;
    totals.rows = std::max<std::int64_t>(totals.rows, 0) + std::max<std::int64_t>(part.rows, 0);
    totals.bytes = std::max<std::int64_t>(totals.bytes, 0) + std::max<std::int64_t>(part.bytes, 0);
  }
  if (view.status != StatementStatus::kFinished) totals.has_result = false;
  return totals;
}

std::string execute_json(const StatementView& view, bool waited) {
  JsonObject out;
  out.text("Id", view.id);
  out.time("CreatedAt", view.created);
  write_target(out, view.request.target);
  out.text_if("SessionId", view.session_id);
  if (waited) {
    out.text("Status", status_name(view.status));
    if (view.pid != 0) out.number("RedshiftPid", view.pid);
    out.boolean("HasResultSet", totals_of(view).has_result);
  }
  return out.take();
}

std::string part_json(const StatementView& view, std::size_t index) {
  const PartView& part = view.parts[index];
  JsonObject out;
  out.text("Id", fmt::format("{}:{}", view.id, index + 1));
  out.text("QueryString", part.sql);
  out.text("Status", status_name(part.status));
  out.time("CreatedAt", part.created);
  out.time("UpdatedAt", part.updated);
  out.number("Duration", part.duration_ns);
  out.number("ResultRows", part.rows);
  out.number("ResultSize", part.bytes);
  out.number("RedshiftQueryId", part.query_id);
  out.boolean("HasResultSet", part.has_result);
  out.text_if("Error", part.error);
  return out.take();
}

std::string describe_json(const StatementView& view) {
  JsonObject out;
  out.text("Id", view.id);
  out.text("Status", status_name(view.status));
  write_target(out, view.request.target);
  out.time("CreatedAt", view.created);
  out.time("UpdatedAt", view.updated);
  out.number("Duration", view.duration_ns);
  const Totals totals = totals_of(view);
  out.number("ResultRows", totals.rows);
  out.number("ResultSize", totals.bytes);
  out.boolean("HasResultSet", totals.has_result);
  out.number("RedshiftPid", view.pid);
  out.number("RedshiftQueryId", view.request.batch ? 0 : view.parts.front().query_id);
  out.text("ResultFormat", format_name(view.request.format));
  out.text_if("SessionId", view.session_id);
  out.text_if("Error", view.error);
  if (!view.request.parameters.empty()) {
    out.raw("QueryParameters", parameters_json(view.request.parameters));
  }
  if (view.request.batch) {
    out.text("ExecutionMode", view.request.auto_commit ? "AUTO_COMMIT" : "TRANSACTION");
    JsonArray parts;
    for (std::size_t i = 0; i < view.parts.size(); ++i) parts.add(part_json(view, i));
    out.raw("SubStatements", parts.take());
  } else {
    out.text("QueryString", view.parts.front().sql);
  }
  return out.take();
}

std::string listed_json(const StatementView& view) {
  JsonObject out;
  out.text("Id", view.id);
  out.text("Status", status_name(view.status));
  out.time("CreatedAt", view.created);
  out.time("UpdatedAt", view.updated);
  out.boolean("IsBatchStatement", view.request.batch);
  if (view.request.batch) {
    JsonArray sqls;
    for (const PartView& part : view.parts) sqls.add_text(part.sql);
    out.raw("QueryStrings", sqls.take());
  } else {
    out.text("QueryString", view.parts.front().sql);
  }
  out.text_if("StatementName", view.request.statement_name);
  out.text_if("SecretArn", view.request.target.secret_arn);
  out.text_if("SessionId", view.session_id);
  out.text("ResultFormat", format_name(view.request.format));
  if (!view.request.parameters.empty()) {
    out.raw("QueryParameters", parameters_json(view.request.parameters));
  }
  return out.take();
}

std::string_view session_status_name(SessionStatus status) {
  switch (status) {
    case SessionStatus::kAvailable:
      return "AVAILABLE";
    case SessionStatus::kBusy:
      return "BUSY";
    case SessionStatus::kClosed:
      return "CLOSED";
  }
  return "CLOSED";
}

std::string session_json(const SessionView& view) {
  JsonObject out;
  out.text("SessionId", view.id);
  out.text("Status", session_status_name(view.status));
  out.time("CreatedAt", view.created);
  out.time("UpdatedAt", view.updated);
  write_target(out, view.target);
  out.number("SessionAliveSeconds", view.keep_alive_seconds);
  if (view.status == SessionStatus::kAvailable) out.time("SessionTtl", view.ends);
  out.text_if("CurrentStatementId", view.current_statement);
  return out.take();
}

}  // namespace

void JsonObject::time(std::string_view name, TimeUs value) {
  raw(name, fmt::format("{}.{:03}", value.value / kUsPerSecond, value.value % kUsPerSecond / 1000));
}

std::string make_token(std::string_view of, std::uint64_t position) {
  return to_base64(fmt::format("{}|{:x}", position, hash64(of)));
}

ApiResult<std::uint64_t> read_token(std::string_view of, std::string_view token) {
  const std::optional<std::string> text = from_base64(token);
  const std::size_t bar = text ? text->find('|') : std::string::npos;
  if (bar != std::string::npos && text->substr(bar + 1) == fmt::format("{:x}", hash64(of))) {
    if (const auto position = parse_number<std::uint64_t>(std::string_view(*text).substr(0, bar))) {
      return *position;
    }
  }
  return invalid("NextToken is not valid for this request");
}

ApiStatus check_names(const ClusterFacts& facts, std::string_view cluster,
                      std::string_view workgroup) {
  if (!cluster.empty() && !workgroup.empty()) {
    return invalid("ClusterIdentifier and WorkgroupName cannot be specified together");
  }
  if (facts.strict_cluster && !cluster.empty() && cluster != facts.cluster) {
    return no_resource(fmt::format("Cluster {} not found.", cluster), std::string(cluster));
  }
  const bool arn = workgroup.starts_with("arn:");
  if (facts.strict_workgroup && !workgroup.empty() && !arn && workgroup != facts.workgroup) {
    return no_resource(fmt::format("Workgroup {} not found.", workgroup), std::string(workgroup));
  }
  return {};
}

ApiResult<std::string> allowed_user(const session::Warehouse& warehouse, const Caller& caller,
                                    std::string_view wanted) {
  const std::string_view name = without_prefix(wanted);
  if (name == caller.user) return caller.user;
  if (!caller.superuser) {
    return fail_api(
        400, "AccessDeniedException",
        fmt::format("The access key of user {} may not act as user {}.", caller.user, name));
  }
  const std::optional<session::UserFacts> known = warehouse.user_facts(name);
  if (!known) return invalid(fmt::format("FATAL: user \"{}\" does not exist", name));
  return known->name;
}

DataApi::DataApi(session::Warehouse& warehouse, Statements& statements, ClusterFacts facts)
    : warehouse_(warehouse), statements_(statements), facts_(std::move(facts)) {}

ApiResult<Target> DataApi::target_of(const TargetMembers& members, const Caller& caller) const {
  LEAT_TRY(check_names(facts_, members.cluster, members.workgroup));
  Target target;
  target.database = members.database;
  target.cluster = members.cluster;
  target.workgroup = members.workgroup;
  target.secret_arn = members.secret_arn;
  if (!members.secret_arn.empty()) {
    if (!members.db_user.empty())
      return invalid("SecretArn and DbUser cannot be specified together");
    std::string_view user = user_of_secret(members.secret_arn);
    if (!user.empty() && !warehouse_.user_facts(user) && user.size() > 7 &&
        user[user.size() - 7] == '-') {
      user.remove_suffix(7);
    }
    if (user.empty() || !warehouse_.user_facts(user)) {
      return invalid(
          "Secrets Manager can't find the specified secret. Here, the secret's name is that of a "
          "user of the warehouse.");
    }
    LEAT_ASSIGN(target.login_user, allowed_user(warehouse_, caller, user));
  } else {
    if (members.cluster.empty() && members.workgroup.empty()) {
      return invalid("Either ClusterIdentifier or WorkgroupName, or SecretArn, must be specified");
    }
    if (!members.workgroup.empty() && !members.db_user.empty()) {
      return invalid("DbUser cannot be specified with WorkgroupName");
    }
    const std::string_view wanted = members.db_user.empty() ? caller.user : members.db_user;
    LEAT_ASSIGN(target.login_user, allowed_user(warehouse_, caller, wanted));
    target.db_user = members.db_user.empty() ? "IAM:" + caller.user : members.db_user;
  }
  if (target.database.empty()) return invalid("Database must be specified");
  return target;
}

ApiResult<StatementView> DataApi::submit(const ExecuteMembers& members, bool batch,
                                         const Caller& caller) {
  StatementRequest request;
  request.identity = caller.user;
  request.remote_address = caller.remote_address;
  request.encrypted = caller.encrypted;
  request.batch = batch;
  request.auto_commit = members.auto_commit;
  request.sqls = members.sqls;
  request.parameters = members.parameters;
  request.format = members.format;
  request.statement_name = members.statement_name;
  request.client_token = members.client_token;
  request.fingerprint = members.fingerprint;
  request.session_id = members.session_id;
  request.keep_alive_seconds = members.keep_alive_seconds;
  const TargetMembers& target = members.target;
  if (members.session_id.empty()) {
    LEAT_ASSIGN(request.target, target_of(target, caller));
  } else if (!target.cluster.empty() || !target.workgroup.empty() || !target.db_user.empty() ||
             !target.secret_arn.empty() || !target.database.empty()) {
    return invalid(
        "SessionId cannot be specified with ClusterIdentifier, WorkgroupName, Database, DbUser or "
        "SecretArn: they are the session's");
  }
  return statements_.submit(std::move(request));
}

void DataApi::execute(std::string_view body, bool batch, const Caller& caller, Reply reply) {
  const ApiResult<ExecuteMembers> members = parse_execute(body, batch);
  if (!members) return reply(std::unexpected(members.error()));
  const ApiResult<StatementView> view = submit(*members, batch, caller);
  if (!view) return reply(std::unexpected(view.error()));
  if (members->wait_seconds == 0) return reply(execute_json(*view, false));
  // Shared: the statement has been submitted, so that a refused wait answers like no wait.
  auto shared = std::make_shared<Reply>(std::move(reply));
  const auto answer = [this, shared, id = view->id, identity = caller.user] {
    const ApiResult<StatementView> now = statements_.describe(id, identity);
    if (!now) return (*shared)(std::unexpected(now.error()));
    (*shared)(execute_json(*now, true));
  };
  if (!statements_.wait(view->id, caller.user, members->wait_seconds, answer)) answer();
}

void DataApi::describe(std::string_view body, const Caller& caller, Reply reply) {
  const ApiResult<IdMembers> members = parse_id(body);
  if (!members) return reply(std::unexpected(members.error()));
  auto shared = std::make_shared<Reply>(std::move(reply));
  const auto answer = [this, shared, id = members->id, identity = caller.user] {
    const ApiResult<StatementView> view = statements_.describe(id, identity);
    if (!view) return (*shared)(std::unexpected(view.error()));
    (*shared)(describe_json(*view));
  };
  if (members->wait_seconds == 0) return answer();
  const ApiStatus waits = statements_.wait(members->id, caller.user, members->wait_seconds, answer);
  if (!waits) (*shared)(std::unexpected(waits.error()));
}

void DataApi::get_result(std::string_view body, ResultFormat format, const Caller& caller,
                         Reply reply) {
  ApiResult<IdMembers> members = parse_id(body);
  if (!members) return reply(std::unexpected(members.error()));
  auto shared = std::make_shared<Reply>(std::move(reply));
  const std::int64_t wait_seconds = members->wait_seconds;
  const std::string id = members->id;
  const auto answer = [this, shared, format, caller, wanted = std::move(*members)] {
    (*shared)(result_page(wanted, format, caller));
  };
  if (wait_seconds == 0) return answer();
  const ApiStatus waits = statements_.wait(id, caller.user, wait_seconds, answer);
  if (!waits) (*shared)(std::unexpected(waits.error()));
}

ApiResult<std::string> DataApi::result_page(const IdMembers& members, ResultFormat format,
                                            const Caller& caller) {
  LEAT_ASSIGN(const ResultView view, statements_.result(members.id, caller.user));
  if (view.format != format) {
    return invalid(format == ResultFormat::kCsv
                       ? "The result is not in CSV format: use GetStatementResult"
                       : "The result is in CSV format: use GetStatementResultV2");
  }
  std::uint64_t page = 0;
  if (!members.next_token.empty()) {
    LEAT_ASSIGN(page, read_token(members.id, members.next_token));
  }
  if (page > 0 && page >= view.pages->page_count()) return invalid("NextToken is not valid");
  std::string rows;
  if (view.pages->page_count() > 0) {
    Result<std::string> read = view.pages->page(page);
    if (!read) return fail_api(500, "InternalServerException", read.error().message);
    rows = std::move(*read);
  }
  JsonObject out;
  if (format == ResultFormat::kCsv) {
    JsonObject records;
    records.text("CSVRecords", rows);
    out.raw("Records", "[" + records.take() + "]");
    out.text("ResultFormat", "CSV");
  } else {
    out.raw("Records", "[" + rows + "]");
  }
  out.raw("ColumnMetadata", view.columns_json);
  out.number("TotalNumRows", static_cast<std::int64_t>(view.pages->rows()));
  if (page + 1 < view.pages->page_count()) {
    out.text("NextToken", make_token(members.id, page + 1));
  }
  return out.take();
}

ApiResult<std::string> DataApi::cancel(std::string_view body, const Caller& caller) {
  LEAT_ASSIGN(const IdMembers members, parse_id(body));
  LEAT_TRY(statements_.cancel(members.id, caller.user));
  return std::string(R"({"Status":true})");
}

ApiResult<std::string> DataApi::list_statements(std::string_view body, const Caller& caller) {
  LEAT_ASSIGN(const ListStatementsMembers members, parse_list_statements(body));
  StatementFilter filter;
  filter.identity = caller.user;
  filter.name_prefix = members.statement_name;
  filter.status = members.status;
  filter.database = members.target.database;
  filter.cluster = members.target.cluster;
  filter.workgroup = members.target.workgroup;
  filter.limit = static_cast<std::size_t>(members.results_max);
  if (!members.next_token.empty()) {
    LEAT_ASSIGN(filter.before, read_token("statements", members.next_token));
  }
  const StatementPage page = statements_.list(filter);
  JsonArray listed;
  for (const StatementView& view : page.statements) listed.add(listed_json(view));
  JsonObject out;
  out.raw("Statements", listed.take());
  if (page.next != 0) out.text("NextToken", make_token("statements", page.next));
  return out.take();
}

ApiResult<std::string> DataApi::list_sessions(std::string_view body, const Caller& caller) {
  LEAT_ASSIGN(const ListSessionsMembers members, parse_list_sessions(body));
  std::uint64_t at = 0;
  if (!members.next_token.empty()) {
    LEAT_ASSIGN(at, read_token("sessions", members.next_token));
  }
  const auto fits = [](const std::string& wanted, const std::string& is) {
    return wanted.empty() || wanted == is;
  };
  JsonArray listed;
  std::uint64_t seen = 0;
  std::int64_t shown = 0;
  bool more = false;
  for (const SessionView& view : statements_.sessions(caller.user)) {
    if ((members.status && view.status != *members.status) || !fits(members.session_id, view.id) ||
        !fits(members.target.database, view.target.database) ||
        !fits(members.target.cluster, view.target.cluster) ||
        !fits(members.target.workgroup, view.target.workgroup) || seen++ < at) {
      continue;
    }
    if (shown == members.results_max) {
      more = true;
      break;
    }
    listed.add(session_json(view));
    ++shown;
  }
  JsonObject out;
  out.raw("Sessions", listed.take());
  if (more) {
    out.text("NextToken", make_token("sessions", at + static_cast<std::uint64_t>(shown)));
  }
  return out.take();
}

void DataApi::handle(std::string_view operation, std::string_view body, const Caller& caller,
                     Reply reply) {
  if (operation == "ExecuteStatement") return execute(body, false, caller, std::move(reply));
  if (operation == "BatchExecuteStatement") return execute(body, true, caller, std::move(reply));
  if (operation == "DescribeStatement") return describe(body, caller, std::move(reply));
  if (operation == "GetStatementResult") {
    return get_result(body, ResultFormat::kJson, caller, std::move(reply));
  }
  if (operation == "GetStatementResultV2") {
    return get_result(body, ResultFormat::kCsv, caller, std::move(reply));
  }
  if (operation == "CancelStatement") return reply(cancel(body, caller));
  if (operation == "ListStatements") return reply(list_statements(body, caller));
  if (operation == "ListSessions") return reply(list_sessions(body, caller));
  if (operation == "ListDatabases" || operation == "ListSchemas") {
    return reply(list_names(body, operation, caller));
  }
  if (operation == "ListTables") return reply(list_tables(body, caller));
  if (operation == "DescribeTable") return reply(describe_table(body, caller));
  reply(fail_api(404, "UnknownOperationException", fmt::format("Unknown operation {}", operation)));
}

}  // namespace leat::dataapi
