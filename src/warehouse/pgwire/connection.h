// One client's connection: startup, login, messages, until it ends. Runs on its own thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/stream.h"
#include "net/tls.h"
#include "warehouse/pgwire/auth.h"
#include "warehouse/pgwire/codec.h"
#include "warehouse/pgwire/row_encoder.h"
#include "warehouse/pgwire/server.h"
#include "warehouse/session/warehouse.h"

namespace leat::pgwire {

/// What all connections of a server share. Outlives them.
struct ConnectionContext {
  ServerOptions options;
  session::Warehouse& warehouse;
  std::optional<net::TlsContext> tls;
  AddressRules addresses;
  LoginThrottle throttle;
  std::atomic<bool> stopping{false};
};

class Connection final : public session::ResultSink {
 public:
  Connection(net::Stream stream, ConnectionContext& context);
  ~Connection() override;

  /// Serves the client to the end. Never throws.
  void run();
  /// Refuses the client politely: the house is full.
  void refuse();
  /// Looks at `stopping` again, if idle. Any thread.
  void wake();
  /// Stops the running statement and ends the connection. Any thread.
  void terminate();

  // ResultSink
  bool on_fields(std::span<const session::Field> fields) override;
  bool on_rows(const engine::Chunk& chunk, std::size_t first, std::size_t count) override;
  bool on_complete(std::string_view tag) override;
  bool on_empty() override;
  void on_notice(session::Severity severity, std::string_view sqlstate,
                 std::string_view message) override;
  void on_setting(std::string_view name, std::string_view value) override;

 private:
  // Startup. False: the connection ends.
  bool start_up();
  bool read_first_message(FirstMessage& message);
  bool negotiate_tls();
  bool log_in(const StartupRequest& startup);
  bool authenticate(const session::SessionRequest& request, bool digest);
  /// The answer to a challenge; false: none came, or `user` has guessed too often (told).
  bool read_answer(char type, std::string& payload, const session::SessionRequest& request,
                   const std::string& user);
  bool refuse_guess(const session::SessionRequest& request);
  bool open_session(const session::SessionRequest& request, std::int32_t protocol_version);

  // Messages.
  bool serve_one();
  bool wait_for_input();
  bool fill(std::size_t bytes);
  bool handle(const ClientMessage& message);
  void handle_query(const QueryMessage& message);
  void handle_extended(const ClientMessage& message);
  void describe(const DescribeMessage& message);
  void execute(const ExecuteMessage& message);
  void ready();

  bool flush();
  void send_error(const session::SqlError& error, bool fatal = false);
  void fatal(std::string_view sqlstate, std::string message, std::string hint = {});

  net::Stream stream_;
  ConnectionContext& context_;
  int wake_fd_ = -1;
  std::mutex session_mutex_;  // guards session_ against terminate()
  std::unique_ptr<session::Session> session_;
  std::string user_;
  std::string client_version_;  // what a Redshift driver asked for
  WireVersion version_ = WireVersion::kPostgres;
  std::string in_;  // bytes read and not used yet
  std::size_t in_at_ = 0;
  std::string out_;
  bool skipping_ = false;  // after an error of the extended protocol, up to Sync
  bool broken_ = false;    // a write failed
  std::string script_;     // the running simple query, for positions
  std::vector<std::pair<std::string, std::vector<std::int16_t>>> portal_formats_;
  std::vector<std::int16_t> formats_;  // of the rows being sent
};

}  // namespace leat::pgwire
