#include <fmt/format.h>
#include <libpq-fe.h>

#include <iostream>
#include <iterator>
#include <memory>

#include "app/commands.h"
#include "app/sql_client.h"
#include "app/table_text.h"
#include "base/text.h"

namespace leat::app {
namespace {

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using QueryResult = std::unique_ptr<PGresult, ClearResult>;

constexpr Oid kBool = 16, kInt8 = 20, kInt2 = 21, kInt4 = 23, kFloat4 = 700, kFloat8 = 701,
              kNumeric = 1700;

bool is_number_type(Oid type) {
  return type == kInt8 || type == kInt2 || type == kInt4 || type == kFloat4 || type == kFloat8 ||
         type == kNumeric;
}

// NaN and the infinities are no JSON numbers.
bool is_json_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

std::string json_value(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) != 0) return "null";
  const std::string_view text = PQgetvalue(result, row, column);
  const Oid type = PQftype(result, column);
  if (type == kBool) return text == "t" ? "true" : "false";
  if (is_number_type(type) && is_json_number(text)) return std::string(text);
  return json_string(text);
}

std::string json_result(const PGresult* result) {
  std::string out = fmt::format("{{\"command\":{},\"columns\":[",
                                json_string(PQcmdStatus(const_cast<PGresult*>(result))));
  const int columns = PQnfields(result);
  const int rows = PQntuples(result);
  for (int c = 0; c < columns; ++c) out += (c > 0 ? "," : "") + json_string(PQfname(result, c));
  out += "],\"rows\":[";
  for (int r = 0; r < rows; ++r) {
    out += r > 0 ? ",[" : "[";
    for (int c = 0; c < columns; ++c) out += (c > 0 ? "," : "") + json_value(result, r, c);
    out += "]";
  }
  return out + "]}\n";
}

std::string text_result(const PGresult* result) {
  TableText table;
  const int columns = PQnfields(result);
  for (int c = 0; c < columns; ++c) {
    table.columns.emplace_back(PQfname(result, c));
    table.numeric.push_back(is_number_type(PQftype(result, c)));
  }
  for (int r = 0; r < PQntuples(result); ++r) {
    std::vector<std::string> row;
    for (int c = 0; c < columns; ++c)
      row.emplace_back(PQgetisnull(result, r, c) != 0 ? "" : PQgetvalue(result, r, c));
    table.rows.push_back(std::move(row));
  }
  return to_text(table);
}

// Sends `statement`, which may hold several, and prints each result.
Status ask(const Terminal& terminal, PGconn* connection, const std::string& statement, bool json) {
  if (PQsendQuery(connection, statement.c_str()) == 0) {
    return fail(Errc::kUnavailable, std::string(trim(PQerrorMessage(connection))));
  }
  while (QueryResult result{PQgetResult(connection)}) {
    switch (PQresultStatus(result.get())) {
      case PGRES_TUPLES_OK:
        terminal.print(json ? json_result(result.get()) : text_result(result.get()));
        break;
      case PGRES_COMMAND_OK:
        if (json) {
          terminal.print(json_result(result.get()));
        } else {
          terminal.say(fmt::format("{}\n", PQcmdStatus(result.get())));
        }
        break;
      case PGRES_EMPTY_QUERY:
        break;
      case PGRES_COPY_IN:
      case PGRES_COPY_OUT:
        return fail(Errc::kUnsupported, "COPY to and from the client: use psql for it");
      default:
        if (PQstatus(connection) != CONNECTION_OK) {
          return fail(Errc::kUnavailable, std::string(trim(PQerrorMessage(connection))));
        }
        return std::unexpected(error_of(result.get()));
    }
  }
  return {};
}

}  // namespace

Exit run_sql(const Terminal& terminal, const SqlOptions& options) {
  std::string statement = options.statement;
  if (statement.empty() || statement == "-") {
    statement.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  const auto client = SqlClient::connect(*config, "leat sql");
  if (!client) return report(terminal, client.error());
  const Status asked = ask(terminal, client->native(), statement, options.json);
  return asked ? Exit::kOk : report(terminal, asked.error());
}

}  // namespace leat::app
