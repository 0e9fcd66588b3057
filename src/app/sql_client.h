// A connection to the warehouse of the running process, for commands that ask it something.
#pragma once

#include <memory>
#include <string>

#include "app/config.h"
#include "base/error.h"

struct pg_conn;
struct pg_result;

namespace leat::net {
class SshTunnel;
}

namespace leat::app {

/// An error that the warehouse answered with: message, SQLSTATE, position, detail and hint.
[[nodiscard]] Error error_of(const pg_result* result);

/// Owned by one thread.
class SqlClient {
 public:
  /// Connects as the running process does, through its tunnel if there is one; `application` is the
  /// connection's application_name. Errors: kUnavailable when nothing runs or it cannot be reached.
  [[nodiscard]] static Result<SqlClient> connect(const Config& config,
                                                 const std::string& application);
  SqlClient(SqlClient&& other) noexcept;
  SqlClient& operator=(SqlClient&& other) noexcept;
  ~SqlClient();

  /// Runs statements whose rows nobody wants. Errors: kUnavailable when the connection is lost.
  [[nodiscard]] Status run(const std::string& statements);
  [[nodiscard]] pg_conn* native() const { return connection_.get(); }

 private:
  struct CloseConnection {
    void operator()(pg_conn* connection) const;
  };
  SqlClient();
  std::unique_ptr<net::SshTunnel> tunnel_;
  std::unique_ptr<pg_conn, CloseConnection> connection_;
};

}  // namespace leat::app
