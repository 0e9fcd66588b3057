#include "pipeline/load/data_api_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "aws/redshift_data.h"
#include "base/clock.h"
#include "base/text.h"

namespace leat::load {
namespace {

constexpr int kWaitSeconds = 5;  // a stop request is noticed after that long
constexpr std::int64_t kFirstPauseMs = 20;
constexpr std::int64_t kPauseMsMax = 1000;

bool is_final(const aws::DataStatement& statement) {
  return statement.status == "FINISHED" || statement.status == "FAILED" ||
         statement.status == "ABORTED";
}

void wait_at_most(std::int64_t ms, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, std::chrono::milliseconds(ms),
                                         [] { return false; });
}

DestinationFailure failure_of(const aws::DataFailure& failure) {
  DestinationFailure out;
  out.message = failure.error.message;
  const bool passing = failure.error.code == Errc::kUnavailable ||
                       failure.error.code == Errc::kExhausted ||
                       failure.code.find("Exceeded") != std::string::npos ||
                       failure.code.find("Throttling") != std::string::npos;
  const bool is_session = to_lower(failure.error.message).find("session") != std::string::npos;
  if (passing || is_session) {
    out.kind = FailureKind::kUnreachable;
  } else if (failure.code == "ValidationException") {
    out.kind = FailureKind::kOther;
  } else {
    out.kind = FailureKind::kLoginRefused;
  }
  return out;
}

// "ERROR: relation "x" does not exist\n  Position: 12" as the service says a statement failed.
DestinationFailure failure_of_statement(const aws::DataStatement& statement) {
  DestinationFailure out;
  std::string_view text = trim(statement.error);
  if (text.starts_with("ERROR:")) text = trim(text.substr(6));
  out.message = text.empty() ? fmt::format("the statement ended as {}", statement.status) : text;
  // The service tells no SQLSTATE.
  out.kind = classify_failure("", out.message);
  const std::string lower = to_lower(out.message);
  const auto has = [&](std::string_view part) { return lower.find(part) != std::string::npos; };
  if (has("does not exist")) out.kind = FailureKind::kObjectMissing;
  if (has("already exists")) out.kind = FailureKind::kObjectExists;
  return out;
}

class DataApiConnection final : public Connection {
 public:
  DataApiConnection(aws::RedshiftData& api, const DestinationSettings& settings)
      : api_(api),
        timeout_ms_(settings.statement_timeout_ms),
        keep_alive_s_(settings.session_keep_alive_s),
        first_sql_(settings.query_group.empty()
                       ? std::string("SELECT 1")
                       : "SET query_group TO " + quote_literal(settings.query_group)) {}
  ~DataApiConnection() override {
    if (open_ && in_transaction_) [[maybe_unused]]
      const auto ignored = run("ROLLBACK", {});
  }

  [[nodiscard]] bool is_open() const override { return open_; }

  /// Begins a session, and says in it what it is for.
  std::expected<Rows, DestinationFailure> begin_session(const std::stop_token& stop) {
    session_.clear();
    return exchange(first_sql_, stop);
  }

  std::expected<Rows, DestinationFailure> run(std::string_view sql, std::stop_token stop) override {
    if (!open_) {
      return std::unexpected(
          DestinationFailure{FailureKind::kUnreachable, "", "the session is closed"});
    }
    if (sql.size() > kDataApiStatementBytesMax) {
      return std::unexpected(DestinationFailure{
          FailureKind::kUnsupported, "",
          fmt::format(
              "a statement of {} bytes is longer than the {} that the Data API takes; lower "
              "destination.columns_max, or load through a port (destination.protocol)",
              sql.size(), kDataApiStatementBytesMax)});
    }
    auto rows = exchange(sql, stop);
    // A session may end between two syncs; what is not in a transaction can go to a new one.
    const bool session_is_over = !rows && rows.error().kind == FailureKind::kUnreachable;
    if (session_is_over && !in_transaction_ && !begun_) {
      rows = begin_session(stop);
      if (rows) rows = exchange(sql, stop);
    }
    if (rows) {
      if (sql == "BEGIN") in_transaction_ = true;
      if (sql == "COMMIT" || sql == "ROLLBACK") in_transaction_ = false;
      return rows;
    }
    const FailureKind kind = rows.error().kind;
    if (kind == FailureKind::kUnreachable || kind == FailureKind::kTimeout ||
        kind == FailureKind::kStopped) {
      open_ = false;
    }
    return rows;
  }

 private:
  std::expected<Rows, DestinationFailure> exchange(std::string_view sql,
                                                   const std::stop_token& stop) {
    begun_ = false;
    const std::int64_t deadline_us = system_clock().monotonic_us() + timeout_ms_ * 1000;
    if (stop.stop_requested()) return std::unexpected(stopped());
    // The same token in each repetition of a lost call: the statement runs once.
    auto statement = api_.execute(sql, session_, keep_alive_s_, uuid4(api_.random()), kWaitSeconds);
    if (!statement) return std::unexpected(failure_of(statement.error()));
    begun_ = true;
    if (session_.empty()) session_ = statement->session_id;
    std::int64_t pause_ms = kFirstPauseMs;
    bool is_described = false;
    int wait_s = kWaitSeconds;
    while (!is_final(*statement)) {
      if (stop.stop_requested() || system_clock().monotonic_us() >= deadline_us) {
        [[maybe_unused]] const auto ignored = api_.cancel(statement->id);
        if (stop.stop_requested()) return std::unexpected(stopped());
        return std::unexpected(DestinationFailure{
            FailureKind::kTimeout, "",
            fmt::format("no end after {} ms of running a statement", timeout_ms_)});
      }
      const std::int64_t before_us = system_clock().monotonic_us();
      auto described = api_.describe(statement->id, wait_s);
      if (!described) {
        // So many wait already, or the service cannot wait.
        if (wait_s == 0 || described.error().code.empty()) {
          return std::unexpected(failure_of(described.error()));
        }
        wait_s = 0;
        continue;
      }
      *statement = std::move(*described);
      is_described = true;
      // A service that does not wait is asked less and less often.
      const bool answered_at_once = system_clock().monotonic_us() - before_us < 100'000;
      if (!is_final(*statement) && answered_at_once) {
        wait_at_most(pause_ms, stop);
        pause_ms = std::min(pause_ms * 2, kPauseMsMax);
      }
    }
    return rows_of(*statement, is_described);
  }

  std::expected<Rows, DestinationFailure> rows_of(aws::DataStatement statement, bool is_described) {
    Rows rows;
    if (statement.status == "FINISHED" && statement.has_result) {
      std::string next;
      do {
        auto page = api_.result(statement.id, next);
        if (!page) return std::unexpected(failure_of(page.error()));
        std::ranges::move(page->rows, std::back_inserter(rows.rows));
        next = std::move(page->next_token);
      } while (!next.empty());
      return rows;
    }
    if (!is_described) {
      auto described = api_.describe(statement.id, 0);
      if (!described) return std::unexpected(failure_of(described.error()));
      statement = std::move(*described);
    }
    if (statement.status != "FINISHED") return std::unexpected(failure_of_statement(statement));
    rows.affected_rows = statement.rows;
    return rows;
  }

  static DestinationFailure stopped() {
    return {FailureKind::kStopped, "", "stopped while running a statement"};
  }

  aws::RedshiftData& api_;
  std::int64_t timeout_ms_;
  int keep_alive_s_;
  std::string first_sql_;
  std::string session_;
  bool open_ = true;
  bool in_transaction_ = false;
  bool begun_ = false;  // the service took the statement at hand
};

}  // namespace

std::expected<std::unique_ptr<Connection>, DestinationFailure> connect_data_api(
    aws::RedshiftData& api, const DestinationSettings& settings, std::stop_token stop) {
  auto session = std::make_unique<DataApiConnection>(api, settings);
  auto opened = session->begin_session(stop);
  if (!opened) return std::unexpected(std::move(opened).error());
  return session;
}

}  // namespace leat::load
