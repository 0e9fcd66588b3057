// The statements of the Data API: submitted, run on worker threads, remembered with their results.
//
//   SUBMITTED -> PICKED -> STARTED -> FINISHED | FAILED | ABORTED
//
// All state is in memory and bounded (StatementLimits): statements and results go after 24 hours,
// the oldest ones sooner when their limit is reached, and all of them with the process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "warehouse/dataapi/api_error.h"
#include "warehouse/dataapi/parameters.h"
#include "warehouse/dataapi/result_pages.h"
#include "warehouse/dataapi/row_writer.h"

namespace leat {
class Clock;
class Random;
namespace metrics {
class Registry;
}
namespace session {
class Warehouse;
}
}  // namespace leat

namespace leat::dataapi {

enum class StatementStatus : std::uint8_t {
  kSubmitted,
  kPicked,
  kStarted,
  kFinished,
  kAborted,
  kFailed,
};
[[nodiscard]] std::string_view status_name(StatementStatus status);
[[nodiscard]] constexpr bool is_final(StatementStatus status) {
  return status >= StatementStatus::kFinished;
}

/// Where a statement runs and as whom, as the client said it and as it was resolved.
struct Target {
  std::string login_user{};  ///< Of the warehouse.
  std::string database{};
  std::string db_user{};  ///< As shown; empty: not shown.
  std::string secret_arn{};
  std::string cluster{};
  std::string workgroup{};
  bool operator==(const Target&) const = default;
};

struct StatementRequest {
  std::string identity{};  ///< Who asks; the others do not see the statement.
  std::string remote_address{};
  bool encrypted = false;
  bool batch = false;
  bool auto_commit = false;  ///< Batches: each statement commits by itself.
  std::vector<std::string> sqls{};
  std::vector<SqlParameter> parameters{};
  ResultFormat format = ResultFormat::kJson;
  std::string statement_name{};
  std::string client_token{};  ///< Empty: none.
  std::string fingerprint{};   ///< Of the whole request: the same token must come with the same.
  Target target{};
  std::string session_id{};                          ///< Empty: none.
  std::optional<std::int64_t> keep_alive_seconds{};  ///< Of the session.
};

struct StatementLimits {
  std::size_t active_max = 200;      ///< Submitted and not done.
  std::size_t running_max = 50;      ///< Running at once, beside those of sessions.
  std::size_t sessions_max = 100;    ///< Kept sessions.
  std::size_t waiting_max = 200;     ///< Requests that wait (WaitTimeSeconds).
  std::size_t history_max = 10'000;  ///< Statements remembered.
  std::size_t history_bytes_max = std::size_t{64} << 20;     ///< Their texts and parameters.
  std::int64_t retention_us = 24 * kUsPerHour;               ///< Of statements and results.
  std::int64_t token_us = 8 * kUsPerHour;                    ///< Of client tokens.
  std::int64_t session_us = 24 * kUsPerHour;                 ///< A session's longest life.
  std::uint64_t results_bytes_max = std::uint64_t{1} << 30;  ///< Of all results.
  ResultLimits result{};
};

struct StatementsOptions {
  session::Warehouse* warehouse = nullptr;  ///< Borrowed.
  std::string results_directory{};          ///< For large results; emptied at the start. Empty:
                                            ///< results stay in memory.
  io::FileSystem* files = nullptr;          ///< Null: the machine's.
  StatementLimits limits{};
  const Clock* clock = nullptr;  ///< Null: the machine's.
  Random* random = nullptr;      ///< Null: the operating system's.
  metrics::Registry* metrics = nullptr;
};

/// One SQL text of a statement, as it stands now.
struct PartView {
  std::string sql{};
  StatementStatus status = StatementStatus::kSubmitted;
  std::string error{};
  TimeUs created{};
  TimeUs updated{};
  std::int64_t duration_ns = -1;
  std::int64_t rows = -1;  ///< Returned or changed; -1: not known.
  std::int64_t bytes = -1;
  std::int64_t query_id = -1;
  bool has_result = false;
};

struct StatementView {
  std::string id{};
  StatementStatus status = StatementStatus::kSubmitted;
  StatementRequest request{};
  std::string session_id{};
  std::string error{};
  TimeUs created{};
  TimeUs updated{};
  std::int64_t duration_ns = -1;
  std::int64_t pid = 0;
  std::vector<PartView> parts{};  ///< One, or those of the batch.
};

/// The rows of one SQL text.
struct ResultView {
  std::shared_ptr<const ResultPages> pages{};
  std::string columns_json{};
  ResultFormat format = ResultFormat::kJson;
};

struct StatementFilter {
  std::string identity{};
  std::string name_prefix{};
  std::optional<StatementStatus> status = StatementStatus::kFinished;  ///< Nothing: all.
  std::string database{};                                              ///< Empty: all.
  std::string cluster{};                                               ///< Empty: all.
  std::string workgroup{};                                             ///< Empty: all.
  std::uint64_t before = 0;  ///< Only older ones than this position; 0: from the newest.
  std::size_t limit = 100;
};

struct StatementPage {
  std::vector<StatementView> statements{};
  std::uint64_t next = 0;  ///< For StatementFilter::before; 0: the end.
};

enum class SessionStatus : std::uint8_t { kAvailable, kBusy, kClosed };

struct SessionView {
  std::string id{};
  SessionStatus status = SessionStatus::kAvailable;
  TimeUs created{};
  TimeUs updated{};
  TimeUs ends{};  ///< When it is closed unless used before.
  Target target{};
  std::int64_t keep_alive_seconds = 0;
  std::string current_statement{};
};

/// Any thread. No call waits for a statement.
class Statements {
 public:
  /// Errors: those of making the results' folder.
  [[nodiscard]] static Result<std::unique_ptr<Statements>> start(StatementsOptions options);
  Statements(const Statements&) = delete;
  Statements& operator=(const Statements&) = delete;
  /// As stop().
  ~Statements();
  /// Cancels what runs, answers the waiting requests, closes the sessions. What was done can still
  /// be asked for.
  void stop();

  /// Notes the statement and has it run. The same client token gives the first one's id.
  [[nodiscard]] ApiResult<StatementView> submit(StatementRequest request);
  /// `id`: of a statement of `identity`, or "ID:N" for a part of its batch: the view then has this
  /// part only.
  [[nodiscard]] ApiResult<StatementView> describe(std::string_view id, std::string_view identity);
  [[nodiscard]] ApiResult<ResultView> result(std::string_view id, std::string_view identity);
  [[nodiscard]] ApiStatus cancel(std::string_view id, std::string_view identity);
  [[nodiscard]] StatementPage list(const StatementFilter& filter);
  [[nodiscard]] std::vector<SessionView> sessions(std::string_view identity);

  /// Calls `then` once: when the statement is done, or `seconds` from now; on any thread, perhaps
  /// before this returns. Errors: as describe, and ActiveWaitingRequestsExceededException; `then`
  /// is not called then.
  [[nodiscard]] ApiStatus wait(std::string_view id, std::string_view identity, std::int64_t seconds,
                               std::move_only_function<void()> then);

  /// Drops what is too old. Happens by itself; tests with a clock of their own call it.
  void clean_up();

 private:
  struct State;
  explicit Statements(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace leat::dataapi
