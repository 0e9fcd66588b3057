// A destination warehouse as the loader sees it: settings, and a connection that runs one SQL
// statement at a time.
//
// The same SQL goes to Amazon Redshift and to the embedded warehouse. Errors carry SQLSTATE and are
// told apart by what the operator or the loader must do (classify_failure), never only by the
// driver's text.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace leat::load {

/// AWS keys that a COPY carries. The values are secrets, but for the id.
struct CopyKeys {
  std::string access_key_id = {};
  std::string secret_access_key = {};
  std::string session_token = {};  ///< Empty: keys that do not expire.
};

/// How to reach one warehouse. The password is never logged, printed or put in a process argument.
struct DestinationSettings {
  std::string name = "warehouse";  ///< For messages and metrics.
  std::string host = "127.0.0.1";  ///< Host name or address.
  std::uint16_t port = 5439;
  /// Address to connect to in place of `host`, which is still what its certificate must name: the
  /// near end of a tunnel. Empty: host's own.
  std::string host_address = {};
  std::string database = "dev";
  std::string user = "leat";
  std::string password;
  /// libpq's disable, allow, prefer, require, verify-ca or verify-full. Empty: prefer for a
  /// loopback address, verify-full for any other.
  std::string sslmode;
  std::string ssl_root_certificate;             ///< PEM file for verify-*; empty: the system's.
  std::int64_t connect_timeout_ms = 10'000;     ///< For the whole of connecting and logging in.
  std::int64_t statement_timeout_ms = 600'000;  ///< For one statement; longer ones are cancelled.
  std::string query_group = "leat";             ///< SET query_group; empty: not set.
  /// Schema of the ledger table `batches`. The source's own schema where the user may create no
  /// other.
  std::string ledger_schema = "leat";
  /// What COPY may read S3 with: "default" or a role's ARN (comma separated chain).
  std::string iam_role = "default";
  /// Gives the keys that COPY reads S3 with in place of the role, good for some minutes; asked
  /// before each COPY. Empty: the role. Any thread.
  std::function<Result<CopyKeys>()> copy_keys = {};
  /// Through the Data API: how long a session lives after its last statement, and so how long one
  /// of a process that died keeps what it had locked. Seconds.
  int session_keep_alive_s = 15;
  /// Longest statement, as far as it can be made of shorter ones; 0: what Redshift takes, 16 MB.
  std::size_t statement_bytes_max = 0;
  /// Staged rows of a table from which on those with an id that the table has are listed in a
  /// temporary table of their own. It takes two statements more, and spares looking for the
  /// others again.
  std::int64_t listed_rows = 100'000;
};

/// What a failure of the destination asks for.
enum class FailureKind : std::uint8_t {
  kUnreachable,  ///< No connection, or it broke: wait and try again.
  kTls,  ///< No encrypted connection, or a certificate that does not verify: a person must act.
  kLoginRefused,   ///< Wrong user, password or database: a person must act; events wait.
  kPermission,     ///< A right is missing: a person must grant it; events wait.
  kSerialization,  ///< Another transaction was in the way (1023, 40001, deadlock): start again at
                   ///< once.
  kDiskFull,       ///< The warehouse has no room: a person must act; events wait.
  kTimeout,        ///< A statement took longer than its deadline and was cancelled.
  kStopped,        ///< The stop token asked for it.
  kObjectMissing,  ///< A schema, table or column the loader relies on is gone: re-read and plan
                   ///< again.
  kObjectExists,   ///< A table or column appeared meanwhile: re-read and plan again.
  kStagedFile,     ///< COPY could not read or use the staged file.
  kRowRefused,     ///< A value or a row is not what a table takes: its event is rescued.
  kUnsupported,    ///< The server does not know the statement: is it a Redshift?
  kOther,
};

/// Stable lower-case name, such as "login_refused". Pure; any thread.
[[nodiscard]] std::string_view failure_kind_name(FailureKind kind);

/// Why a statement or a connection failed, as far as the driver knows.
struct DestinationFailure {
  FailureKind kind = FailureKind::kOther;
  std::string sqlstate;  ///< Five characters, or empty when the server did not answer.
  std::string message;   ///< The server's or driver's text; holds no secret.
};

/// The settings for somebody who looks and does not wait as long as a load may. Pure; any thread.
[[nodiscard]] DestinationSettings within(DestinationSettings settings, std::int64_t timeout_ms);

/// Sorts a failure by SQLSTATE and, where Redshift uses XX000 for everything, by its documented
/// texts (segment-warehouses 7.6, redshift 5.7). Pure; any thread.
[[nodiscard]] FailureKind classify_failure(std::string_view sqlstate, std::string_view message);

/// The Error of `failure` while doing `action` ("copying into \"web\".\"tracks\""): what_failed and
/// next_step. kUnavailable, kDenied, kAborted, kExhausted
/// ... follow from the kind. Pure; any thread.
[[nodiscard]] Error describe_failure(const DestinationFailure& failure, std::string_view action,
                                     const DestinationSettings& settings);

/// What failed, on which object and why. Pure; any thread.
[[nodiscard]] std::string what_failed(const DestinationFailure& failure, std::string_view action,
                                      const DestinationSettings& settings);

/// What a person does about `failure`, and what becomes of the events meanwhile. Pure; any thread.
[[nodiscard]] std::string next_step(const DestinationFailure& failure,
                                    const DestinationSettings& settings);

/// One row of a result, its values as text; a missing value is NULL.
using Row = std::vector<std::optional<std::string>>;

/// A statement's result.
struct Rows {
  std::vector<Row> rows;
  std::string command;  ///< Command tag, such as "INSERT 0 3".
  std::int64_t affected_rows =
      -1;  ///< From the tag of INSERT, UPDATE, DELETE; -1 when the tag has no number.
};

/// One session of the destination. One thread at a time. The destructor closes it; an open
/// transaction rolls back.
class Connection {
 public:
  virtual ~Connection() = default;
  /// Runs one statement and waits for its end. Deadline: the settings' statement_timeout_ms; a stop
  /// request cancels it. After kUnreachable, kTimeout or kStopped the connection is closed
  /// (`is_open()` false).
  [[nodiscard]] virtual std::expected<Rows, DestinationFailure> run(std::string_view sql,
                                                                    std::stop_token stop) = 0;
  [[nodiscard]] virtual bool is_open() const = 0;
};

/// Opens a session; injected so that tests can break connections at will. Any thread.
using Connect = std::function<std::expected<std::unique_ptr<Connection>, DestinationFailure>(
    const DestinationSettings& settings, std::stop_token stop)>;

/// libpq's keywords with their values.
using Parameters = std::vector<std::pair<const char*, std::string>>;

/// The two arrays, each with a null at its end, that libpq takes; they point into `parameters`.
struct ParameterArrays {
  explicit ParameterArrays(const Parameters& parameters);
  std::vector<const char*> keywords;
  std::vector<const char*> values;
};

/// What libpq is to connect with; the caller adds application_name. Holds the password. Pure; any
/// thread.
[[nodiscard]] Parameters libpq_parameters(const DestinationSettings& settings);

/// Connects over the PostgreSQL protocol with libpq: non-blocking, TCP keepalives, connect
/// deadline, then SET query_group. Any thread.
[[nodiscard]] std::expected<std::unique_ptr<Connection>, DestinationFailure> connect_postgres(
    const DestinationSettings& settings, std::stop_token stop);

/// Puts *** where `secret` occurs; an empty one occurs nowhere. Pure; any thread.
void mask(std::string& text, std::string_view secret);

/// `name` as a quoted SQL identifier, and `text` as an expression for a string that reads the same
/// whether the server takes backslashes in literals as escapes (Redshift) or not: 'a' || chr(92) ||
/// 'b'. Pure; any thread.
[[nodiscard]] std::string quote_identifier(std::string_view name);
[[nodiscard]] std::string quote_literal(std::string_view text);

}  // namespace leat::load
