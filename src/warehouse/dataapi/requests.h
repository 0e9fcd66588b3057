// The JSON bodies of requests as checked values. Pure; any thread.
//
// Members that are not known are ignored, null is absent. Errors: SerializationException for text
// that is not the JSON of the operation's shape, ValidationException for values out of their range.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/dataapi/api_error.h"
#include "warehouse/dataapi/parameters.h"
#include "warehouse/dataapi/statements.h"

namespace leat::dataapi {

inline constexpr std::size_t kSqlBytesMax = 100 * 1024;
inline constexpr std::size_t kBatchMax = 40;

/// How the warehouse is named and entered.
struct TargetMembers {
  std::string cluster{};
  std::string workgroup{};
  std::string database{};
  std::string db_user{};
  std::string secret_arn{};
};

struct ExecuteMembers {
  TargetMembers target{};
  std::vector<std::string> sqls{};
  std::vector<SqlParameter> parameters{};
  ResultFormat format = ResultFormat::kJson;
  bool auto_commit = false;
  std::string statement_name{};
  std::string client_token{};
  std::string session_id{};
  std::optional<std::int64_t> keep_alive_seconds{};
  std::int64_t wait_seconds = 0;
  std::string fingerprint{};  ///< Equal for requests that ask the same, whatever their token.
};
/// ExecuteStatement, or BatchExecuteStatement.
[[nodiscard]] ApiResult<ExecuteMembers> parse_execute(std::string_view body, bool batch);

/// DescribeStatement, CancelStatement, GetStatementResult, GetStatementResultV2.
struct IdMembers {
  std::string id{};
  std::string next_token{};
  std::int64_t wait_seconds = 0;
};
[[nodiscard]] ApiResult<IdMembers> parse_id(std::string_view body);

struct ListStatementsMembers {
  TargetMembers target{};
  std::string statement_name{};
  std::optional<StatementStatus> status = StatementStatus::kFinished;  ///< Nothing: ALL.
  std::string next_token{};
  std::int64_t results_max = 100;
};
[[nodiscard]] ApiResult<ListStatementsMembers> parse_list_statements(std::string_view body);

struct ListSessionsMembers {
  TargetMembers target{};
  std::string session_id{};
  std::optional<SessionStatus> status{};
  std::string next_token{};
  std::int64_t results_max = 100;
};
[[nodiscard]] ApiResult<ListSessionsMembers> parse_list_sessions(std::string_view body);

/// ListDatabases, ListSchemas, ListTables, DescribeTable.
struct CatalogMembers {
  TargetMembers target{};
  std::string connected_database{};
  std::string schema_pattern{};
  std::string table_pattern{};
  std::string schema{};
  std::string table{};
  std::string next_token{};
  std::int64_t results_max = 1000;
};
[[nodiscard]] ApiResult<CatalogMembers> parse_catalog(std::string_view body);

/// RedshiftServerless.
struct ServerlessMembers {
  std::string workgroup{};
  std::string namespace_name{};
  std::string database{};
  std::optional<std::int64_t> duration_seconds{};
};
[[nodiscard]] ApiResult<ServerlessMembers> parse_serverless(std::string_view body);

}  // namespace leat::dataapi
