// libpq behind Connection. Everything is non-blocking with one poll loop, so that a deadline or a
// stop request ends every wait; only name resolution (inside PQconnectStartParams) and PQcancel may
// block, the latter bounded by tcp_user_timeout.
#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "pipeline/load/destination.h"

namespace leat::load {
namespace {

constexpr const char* kSystemCertificates = "/etc/ssl/certs/ca-certificates.crt";

constexpr std::chrono::milliseconds kCancelWait{1000};

struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPointer = std::unique_ptr<PGresult, ClearResult>;

// Becomes readable when a stop is requested.
class StopSignal {
 public:
  explicit StopSignal(const std::stop_token& stop)
      : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), callback_(std::in_place, stop, Raise{fd_}) {}
  ~StopSignal() {
    callback_.reset();
    if (fd_ >= 0) ::close(fd_);
  }
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  struct Raise {
    int fd;
    void operator()() const {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
    }
  };
  int fd_;
  std::optional<std::stop_callback<Raise>> callback_;  // gone before the descriptor is closed
};

enum class Wait : std::uint8_t { kReady, kDeadline, kStopped, kBroken };

Wait wait_for(int socket, short events, std::int64_t deadline_us, const StopSignal& stop) {
  while (true) {
    const std::int64_t left_us = deadline_us - system_clock().monotonic_us();
    if (left_us <= 0) return Wait::kDeadline;
    std::array<pollfd, 2> fds = {pollfd{socket, events, 0}, pollfd{stop.fd(), POLLIN, 0}};
    const int left_ms = static_cast<int>(std::min<std::int64_t>(left_us / 1000 + 1, 60'000));
    const int ready = ::poll(fds.data(), fds.size(), left_ms);
    if (ready < 0 && errno != EINTR) return Wait::kBroken;
    if (ready <= 0) continue;
    if (fds[1].revents != 0) return Wait::kStopped;
    if (fds[0].revents != 0) return Wait::kReady;
  }
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// The driver's words without the password, should they ever hold it.
std::string without_secret(std::string message, const std::string& password) {
  // A shorter one would also hide words.
  if (password.size() >= 4) mask(message, password);
  return message;
}

DestinationFailure failure_of_wait(Wait wait, std::string_view doing, std::int64_t timeout_ms) {
  if (wait == Wait::kStopped)
    return {FailureKind::kStopped, "", fmt::format("stopped while {}", doing)};
  if (wait == Wait::kDeadline) {
    return {FailureKind::kTimeout, "", fmt::format("no end after {} ms of {}", timeout_ms, doing)};
  }
  return {FailureKind::kUnreachable, "", fmt::format("{}: {}", doing, std::strerror(errno))};
}

class PostgresConnection final : public Connection {
 public:
  PostgresConnection(PGconn* connection, const DestinationSettings& settings)
      : connection_(connection),
        password_(settings.password),
        timeout_ms_(settings.statement_timeout_ms) {}

  [[nodiscard]] bool is_open() const override { return connection_ != nullptr; }

  std::expected<Rows, DestinationFailure> run(std::string_view sql, std::stop_token stop) override {
    if (!connection_) {
      return std::unexpected(
          DestinationFailure{FailureKind::kUnreachable, "", "the connection is closed"});
    }
    auto rows = exchange(std::string(sql), stop);
    if (!rows) {
      const FailureKind kind = rows.error().kind;
      if (kind == FailureKind::kStopped || (kind == FailureKind::kTimeout && cancelled_)) cancel();
      const bool broken = PQstatus(connection_.get()) != CONNECTION_OK;
      if (broken || cancelled_) {
        if (broken && !cancelled_) rows.error().kind = FailureKind::kUnreachable;
        connection_.reset();
      }
    }
    return rows;
  }

 private:
  std::expected<Rows, DestinationFailure> exchange(const std::string& sql,
                                                   const std::stop_token& stop) {
    const StopSignal signal(stop);
    const std::int64_t deadline = system_clock().monotonic_us() + timeout_ms_ * 1000;
    PGconn* connection = connection_.get();
    if (PQsendQuery(connection, sql.c_str()) == 0) return std::unexpected(driver_failure());
    for (int left = PQflush(connection); left != 0; left = PQflush(connection)) {
      if (left < 0) return std::unexpected(driver_failure());
      const Wait wait = wait_for(PQsocket(connection), POLLIN | POLLOUT, deadline, signal);
      if (wait != Wait::kReady) return std::unexpected(give_up(wait));
      if (PQconsumeInput(connection) == 0) return std::unexpected(driver_failure());
    }
    Rows rows;
    std::optional<DestinationFailure> failure;
    while (true) {
      while (PQisBusy(connection) != 0) {
        const Wait wait = wait_for(PQsocket(connection), POLLIN, deadline, signal);
        if (wait != Wait::kReady) return std::unexpected(give_up(wait));
        if (PQconsumeInput(connection) == 0) return std::unexpected(driver_failure());
      }
      const ResultPointer result(PQgetResult(connection));
      if (!result) break;
      read_result(*result, rows, failure);
      if (PQstatus(connection) != CONNECTION_OK) break;
    }
    if (failure) return std::unexpected(std::move(*failure));
    return rows;
  }

  void read_result(PGresult& result, Rows& rows, std::optional<DestinationFailure>& failure) const {
    const ExecStatusType status = PQresultStatus(&result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
      rows = Rows{};
      rows.command = PQcmdStatus(&result);
      rows.affected_rows = parse_number<std::int64_t>(PQcmdTuples(&result)).value_or(-1);
      rows.rows.resize(static_cast<std::size_t>(PQntuples(&result)));
      for (int row = 0; row < PQntuples(&result); ++row) {
        auto& values = rows.rows[static_cast<std::size_t>(row)];
        for (int column = 0; column < PQnfields(&result); ++column) {
          if (PQgetisnull(&result, row, column) != 0) {
            values.emplace_back(std::nullopt);
          } else {
            values.emplace_back(std::in_place, PQgetvalue(&result, row, column),
                                static_cast<std::size_t>(PQgetlength(&result, row, column)));
          }
        }
      }
      return;
    }
    if (failure) return;
    failure = failure_of(result);
  }

  [[nodiscard]] DestinationFailure failure_of(PGresult& result) const {
    const auto field = [&result](int code) -> std::string_view {
      const char* text = PQresultErrorField(&result, code);
      return text == nullptr ? std::string_view() : std::string_view(text);
    };
    DestinationFailure failure;
    failure.sqlstate = field(PG_DIAG_SQLSTATE);
    failure.message = field(PG_DIAG_MESSAGE_PRIMARY);
    if (failure.message.empty()) failure.message = trim(PQresultErrorMessage(&result));
    if (failure.message.empty()) {
      failure.message = fmt::format("unexpected answer {}", PQresStatus(PQresultStatus(&result)));
    }
    for (const int code : std::array<int, 2>{PG_DIAG_MESSAGE_DETAIL, PG_DIAG_MESSAGE_HINT}) {
      if (!field(code).empty()) failure.message += fmt::format(" ({})", field(code));
    }
    failure.message = without_secret(std::move(failure.message), password_);
    failure.kind = classify_failure(failure.sqlstate, failure.message);
    return failure;
  }

  [[nodiscard]] DestinationFailure driver_failure() const {
    DestinationFailure failure;
    failure.message =
        without_secret(std::string(trim(PQerrorMessage(connection_.get()))), password_);
    failure.kind = classify_failure("", failure.message);
    return failure;
  }

  DestinationFailure give_up(Wait wait) {
    cancelled_ = true;
    return failure_of_wait(wait, "running a statement", timeout_ms_);
  }

  // Asks the server to end the statement. PQcancel blocks until the server hangs up, which a stuck
  // server never does, so it gets a thread of its own and a moment to finish.
  void cancel() {
    PGcancel* request = PQgetCancel(connection_.get());
    if (request == nullptr) return;
    std::packaged_task<void()> task([request] {
      std::array<char, 256> why{};
      PQcancel(request, why.data(), why.size());
      PQfreeCancel(request);
    });
    const std::future<void> done = task.get_future();
    std::thread(std::move(task)).detach();
    done.wait_for(kCancelWait);
  }

  std::unique_ptr<PGconn, FinishConnection> connection_;
  std::string password_;
  std::int64_t timeout_ms_;
  bool cancelled_ = false;
};

std::optional<DestinationFailure> finish_connecting(PGconn* connection,
                                                    const DestinationSettings& settings,
                                                    const std::stop_token& stop) {
  const auto driver_failure = [&]() {
    DestinationFailure failure;
    failure.message =
        without_secret(std::string(trim(PQerrorMessage(connection))), settings.password);
    failure.kind = classify_failure("", failure.message);
    // Whatever else goes wrong before the login is over, waiting may help and a retry harms nobody.
    if (failure.kind == FailureKind::kOther) failure.kind = FailureKind::kUnreachable;
    return failure;
  };
  const StopSignal signal(stop);
  const std::int64_t deadline = system_clock().monotonic_us() + settings.connect_timeout_ms * 1000;
  if (PQstatus(connection) == CONNECTION_BAD) return driver_failure();
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) return driver_failure();
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    const Wait wait = wait_for(PQsocket(connection), events, deadline, signal);
    if (wait != Wait::kReady) {
      DestinationFailure failure = failure_of_wait(wait, "connecting", settings.connect_timeout_ms);
      if (wait == Wait::kDeadline) failure.kind = FailureKind::kUnreachable;
      return failure;
    }
    state = PQconnectPoll(connection);
  }
  if (PQsetnonblocking(connection, 1) != 0) return driver_failure();
  return std::nullopt;
}

}  // namespace

ParameterArrays::ParameterArrays(const Parameters& parameters) {
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword);
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
}

Parameters libpq_parameters(const DestinationSettings& settings) {
  std::string sslmode = settings.sslmode;
  if (sslmode.empty()) sslmode = is_loopback(settings.host) ? "prefer" : "verify-full";
  std::string certificates = settings.ssl_root_certificate;
  if (certificates.empty() && sslmode.starts_with("verify")) certificates = kSystemCertificates;
  Parameters out = {{"host", settings.host},
                    {"port", std::to_string(settings.port)},
                    {"dbname", settings.database},
                    {"user", settings.user},
                    {"password", settings.password},
                    {"sslmode", sslmode},
                    {"gssencmode", "disable"},
                    {"client_encoding", "UTF8"},
                    {"keepalives", "1"},
                    {"keepalives_idle", "30"},
                    {"keepalives_interval", "10"},
                    {"keepalives_count", "3"},
                    {"tcp_user_timeout", "60000"}};
  if (!settings.host_address.empty()) out.emplace_back("hostaddr", settings.host_address);
  if (!certificates.empty()) out.emplace_back("sslrootcert", certificates);
  return out;
}

std::expected<std::unique_ptr<Connection>, DestinationFailure> connect_postgres(
    const DestinationSettings& settings, std::stop_token stop) {
  Parameters parameters = libpq_parameters(settings);
  parameters.emplace_back("application_name", "leat");
  const ParameterArrays arrays(parameters);
  std::unique_ptr<PGconn, FinishConnection> connection(
      PQconnectStartParams(arrays.keywords.data(), arrays.values.data(), 0));
  if (!connection) {
    return std::unexpected(DestinationFailure{FailureKind::kOther, "", "out of memory"});
  }
  PQsetNoticeReceiver(connection.get(), [](void*, const PGresult*) {}, nullptr);
  if (auto failure = finish_connecting(connection.get(), settings, stop)) {
    return std::unexpected(std::move(*failure));
  }
  auto session = std::make_unique<PostgresConnection>(connection.release(), settings);
  if (!settings.query_group.empty()) {
    auto set = session->run("SET query_group TO " + quote_literal(settings.query_group), stop);
    if (!set) return std::unexpected(std::move(set).error());
  }
  return session;
}

}  // namespace leat::load
