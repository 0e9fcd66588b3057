#include "app/sql_client.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include "app/connection_file.h"
#include "app/destination.h"
#include "base/text.h"

namespace leat::app {
namespace {

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text != nullptr ? text : "";
}

}  // namespace

Error error_of(const PGresult* result) {
  std::string message = fmt::format("{} (SQLSTATE {}", field(result, PG_DIAG_MESSAGE_PRIMARY),
                                    field(result, PG_DIAG_SQLSTATE));
  const std::string position = field(result, PG_DIAG_STATEMENT_POSITION);
  message += position.empty() ? ")" : fmt::format(", at character {})", position);
  for (const char more : {PG_DIAG_MESSAGE_DETAIL, PG_DIAG_MESSAGE_HINT}) {
    if (const std::string text = field(result, more); !text.empty()) message += "\n" + text;
  }
  return Error{Errc::kInvalid, std::move(message)};
}

void SqlClient::CloseConnection::operator()(PGconn* connection) const {
  PQfinish(connection);
}

SqlClient::SqlClient() = default;
SqlClient::SqlClient(SqlClient&& other) noexcept = default;
SqlClient& SqlClient::operator=(SqlClient&& other) noexcept = default;
SqlClient::~SqlClient() = default;

Result<SqlClient> SqlClient::connect(const Config& config, const std::string& application) {
  LEAT_ASSIGN(const ConnectionFile running, read_connection_file(config.data));
  LEAT_ASSIGN(const auto destination, open_destination(config, process_environment(), running));
  LEAT_ASSIGN(Access access, access_now(*destination));
  load::Parameters parameters = load::libpq_parameters(access.settings);
  parameters.emplace_back("connect_timeout", "10");
  parameters.emplace_back("application_name", application);
  const load::ParameterArrays arrays(parameters);
  SqlClient client;
  client.tunnel_ = std::move(access.tunnel);
  client.connection_.reset(PQconnectdbParams(arrays.keywords.data(), arrays.values.data(), 0));
  if (PQstatus(client.native()) != CONNECTION_OK) {
    return fail(Errc::kUnavailable,
                fmt::format("cannot reach the warehouse at {}:{}: {}", access.settings.host,
                            access.settings.port, trim(PQerrorMessage(client.native()))));
  }
  return client;
}

Status SqlClient::run(const std::string& statements) {
  PGresult* const result = PQexec(native(), statements.c_str());
  const ExecStatusType status = PQresultStatus(result);
  Status done;
  if (PQstatus(native()) != CONNECTION_OK) {
    done = fail(Errc::kUnavailable, std::string(trim(PQerrorMessage(native()))));
  } else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    done = std::unexpected(error_of(result));
  }
  PQclear(result);
  return done;
}

}  // namespace leat::app
