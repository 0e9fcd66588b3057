// One client's life in the warehouse: its transaction, settings, prepared statements, portals,
// cursor, temp tables.
//
//   kIdle --BEGIN--> kInTransaction --COMMIT, ROLLBACK--> kIdle
//   kInTransaction --any error--> kFailed --COMMIT (rolls back), ROLLBACK--> kIdle
//
// Outside a block each statement commits by itself; the statements of one simple query that holds
// several commit together. In the extended protocol the implicit transaction ends at sync().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/session/result.h"

namespace leat {
class TimeZone;
}

namespace leat::session {

enum class TransactionStatus : char { kIdle = 'I', kInTransaction = 'T', kFailed = 'E' };

/// A parameter of Bind: nothing is NULL. `binary` as in the protocol's format codes.
struct Parameter {
  std::optional<std::string_view> bytes{};
  bool binary = false;
};

struct StatementDescription {
  std::vector<std::uint32_t> parameter_types{};  ///< OIDs, one for each $n.
  std::vector<Field> fields{};
  bool returns_rows = false;  ///< False: NoData.
};

enum class ExecuteOutcome : std::uint8_t { kComplete, kSuspended, kEmpty };

struct SessionState;

/// Used by one thread at a time, except cancel() and id(). Destroying it rolls back, drops its temp
/// tables and releases its locks.
class Session {
 public:
  explicit Session(std::unique_ptr<SessionState> state);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// What pg_backend_pid() and BackendKeyData say; and the secret that cancelling needs.
  [[nodiscard]] std::int32_t id() const;
  [[nodiscard]] std::int32_t secret_key() const;
  [[nodiscard]] TransactionStatus transaction() const;
  /// Settings to report at start, in order: server_version and the others of
  /// docs/reference/wire-protocol.md.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> reported_settings() const;

  /// Runs every statement of `text`, stopping at the first error. Rows and tags of the ones before
  /// it have gone to `sink`.
  [[nodiscard]] SqlStatus simple_query(std::string_view text, ResultSink& sink);

  // The extended protocol. An error fails the open transaction; the front end then skips to Sync.
  // Names: "" is the unnamed one, replaced silently; a named statement or portal must be closed
  // before its name is used again.
  [[nodiscard]] SqlStatus parse(std::string_view statement, std::string_view text,
                                std::span<const std::uint32_t> parameter_types, ResultSink& sink);
  [[nodiscard]] SqlResult<StatementDescription> describe_statement(std::string_view statement,
                                                                   ResultSink& sink);
  [[nodiscard]] SqlStatus bind(std::string_view portal, std::string_view statement,
                               std::span<const Parameter> parameters, ResultSink& sink);
  [[nodiscard]] SqlResult<std::vector<Field>> describe_portal(std::string_view portal);
  /// At most `row_limit` rows (0: all). kSuspended: there may be more; call again to go on.
  [[nodiscard]] SqlResult<ExecuteOutcome> execute(std::string_view portal, std::int64_t row_limit,
                                                  ResultSink& sink);
  void close_statement(std::string_view statement);
  void close_portal(std::string_view portal);
  /// Ends the implicit transaction, if there is one: commits it, or rolls it back after an error.
  [[nodiscard]] SqlStatus sync(ResultSink& sink);
  /// Tells that the front end itself refused a message (a protocol rule), so that an open
  /// transaction fails as well.
  void fail_transaction();

  /// After so long without a message the front end ends the session, as its user's SESSION TIMEOUT
  /// says; 0: after its own time.
  [[nodiscard]] std::int64_t idle_timeout_us() const;
  /// Notes that this is why it ends.
  void idled_out();
  /// The database that it is connected to.
  [[nodiscard]] const std::string& database() const;
  /// What pg_last_query_id() says; -1 before the first one.
  [[nodiscard]] std::int64_t last_query_id() const;

  /// For the text form of floating point columns.
  [[nodiscard]] int extra_float_digits() const;
  /// For the text form of TIMESTAMPTZ. Valid until the next call of this session.
  [[nodiscard]] const TimeZone& time_zone();

  /// `wake` is called, from any thread, when terminate() is; set once, before others know the
  /// session.
  void on_terminate(std::function<void()> wake);

  /// Stops the running statement, which fails with 57014. Any thread.
  void cancel();
  /// As cancel, and every later statement fails with 57P01; the front end closes the connection.
  /// Any thread.
  void terminate();
  [[nodiscard]] bool terminated() const;

 private:
  std::unique_ptr<SessionState> state_;
};

}  // namespace leat::session
