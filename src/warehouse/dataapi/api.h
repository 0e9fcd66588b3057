// The operations of the Data API: from a checked identity and a JSON body to the JSON of the
// answer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "warehouse/dataapi/api_error.h"
#include "warehouse/dataapi/requests.h"
#include "warehouse/dataapi/statements.h"

namespace leat::session {
class Warehouse;
}

namespace leat::dataapi {

/// Whose access key signed the request.
struct Caller {
  std::string access_key_id{};
  std::string user{};  ///< Of the warehouse.
  bool superuser = false;
  std::string remote_address{};
  bool encrypted = false;
};

/// The one warehouse of this machine as AWS names it.
struct ClusterFacts {
  std::string cluster = "leat";    ///< Shown; a request may use any name unless strict.
  std::string workgroup = "leat";  ///< The same.
  bool strict_cluster = false;     ///< Other clusters do not exist.
  bool strict_workgroup = false;   ///< Other workgroups do not exist.
  std::string region = "us-east-1";
  std::string account = "000000000000";
  std::string host = "127.0.0.1";  ///< Of the PostgreSQL protocol.
  std::uint16_t port = 5439;
  std::string database = "dev";
  std::string admin_user = "leat";
};

/// ResourceNotFoundException when `facts` are strict about it and the name is another.
[[nodiscard]] ApiStatus check_names(const ClusterFacts& facts, std::string_view cluster,
                                    std::string_view workgroup);

/// The user that the caller may become: itself, or as superuser anybody who exists.
/// AccessDeniedException otherwise. Prefixes such as IAM: are taken off.
[[nodiscard]] ApiResult<std::string> allowed_user(const session::Warehouse& warehouse,
                                                  const Caller& caller, std::string_view wanted);

class DataApi {
 public:
  /// Both are borrowed.
  DataApi(session::Warehouse& warehouse, Statements& statements, ClusterFacts facts);

  using Reply = std::move_only_function<void(ApiResult<std::string>)>;
  /// Answers through `reply`, once: now, or later on another thread (WaitTimeSeconds). Blocks
  /// while catalog queries run or a result's page is read. Any thread.
  void handle(std::string_view operation, std::string_view body, const Caller& caller, Reply reply);

 private:
  [[nodiscard]] ApiResult<Target> target_of(const TargetMembers& members,
                                            const Caller& caller) const;
  [[nodiscard]] ApiResult<StatementView> submit(const ExecuteMembers& members, bool batch,
                                                const Caller& caller);
  void execute(std::string_view body, bool batch, const Caller& caller, Reply reply);
  void describe(std::string_view body, const Caller& caller, Reply reply);
  void get_result(std::string_view body, ResultFormat format, const Caller& caller, Reply reply);
  [[nodiscard]] ApiResult<std::string> cancel(std::string_view body, const Caller& caller);
  [[nodiscard]] ApiResult<std::string> list_statements(std::string_view body, const Caller& caller);
  [[nodiscard]] ApiResult<std::string> list_sessions(std::string_view body, const Caller& caller);
  [[nodiscard]] ApiResult<std::string> result_page(const IdMembers& members, ResultFormat format,
                                                   const Caller& caller);
  // catalog_operations.cc
  [[nodiscard]] ApiResult<std::string> list_names(std::string_view body, std::string_view operation,
                                                  const Caller& caller);
  [[nodiscard]] ApiResult<std::string> list_tables(std::string_view body, const Caller& caller);
  [[nodiscard]] ApiResult<std::string> describe_table(std::string_view body, const Caller& caller);
  [[nodiscard]] ApiResult<std::vector<std::vector<std::string>>> query(
      const CatalogMembers& members, const Caller& caller, std::string_view sql,
      const std::vector<std::string>& values) const;

  session::Warehouse& warehouse_;
  Statements& statements_;
  ClusterFacts facts_;
};

/// NextToken: an opaque form of a position, bound to what it continues. Pure; any thread.
[[nodiscard]] std::string make_token(std::string_view of, std::uint64_t position);
/// ValidationException for a token of something else.
[[nodiscard]] ApiResult<std::uint64_t> read_token(std::string_view of, std::string_view token);

}  // namespace leat::dataapi
