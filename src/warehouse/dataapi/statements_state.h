// The inside of Statements. Only statements*.cc include it.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "warehouse/dataapi/statements.h"
#include "warehouse/dataapi/worker_pool.h"
#include "warehouse/session/session.h"

namespace leat {
namespace metrics {
class Counter;
class Gauge;
class Histogram;
}  // namespace metrics
}  // namespace leat

namespace leat::dataapi {

struct Part {
  PartView view{};
  std::string columns_json{};
  std::shared_ptr<const ResultPages> pages{};
};

struct Waiter {
  std::uint64_t number = 0;
  std::int64_t deadline_us = 0;  // monotonic
  std::move_only_function<void()> then;
};

struct KeptSession {
  SessionView view{};
  std::string identity{};
  TimeUs last_end{};                            // at the latest
  std::unique_ptr<session::Session> session{};  // of the worker while busy
};

struct Statement {
  std::uint64_t position = 0;
  StatementView view{};  // without its parts
  std::vector<Part> parts{};
  std::shared_ptr<KeptSession> kept{};
  session::Session* running = nullptr;
  bool cancelled = false;
  std::size_t text_bytes = 0;
  std::vector<Waiter> waiters{};
};

using StatementPointer = std::shared_ptr<Statement>;

struct Statements::State {
  explicit State(StatementsOptions opened_with);
  void stop();

  // statements.cc
  ApiResult<StatementPointer> find(std::string_view id, std::string_view identity,
                                   std::optional<std::size_t>& part);
  ApiResult<StatementPointer> find_by_token(const StatementRequest& request);
  ApiResult<std::shared_ptr<KeptSession>> session_for(const StatementRequest& request);
  StatementPointer add(StatementRequest request, std::shared_ptr<KeptSession> kept);
  StatementView view_of(const Statement& statement, std::optional<std::size_t> part) const;
  void erase(const StatementPointer& statement);
  bool drop_oldest_result();
  void make_room();
  void trim_history();
  std::optional<std::int64_t> next_deadline() const;
  void keep_house();
  void clean_up();

  // statement_run.cc
  void run(const StatementPointer& statement);
  bool begin(Statement& statement);
  std::unique_ptr<session::Session> open_session(Statement& statement, std::string& error);
  void run_parts(Statement& statement, session::Session& session);
  std::string run_part(Statement& statement, std::size_t index, session::Session& session);
  void start_part(Statement& statement, std::size_t index);
  void end_part(Statement& statement, std::size_t index, StatementStatus status, std::string error,
                std::int64_t started_us);
  void finish(const StatementPointer& statement, std::string error);
  void give_back(Statement& statement, std::unique_ptr<session::Session> session);

  [[nodiscard]] TimeUs now() const;

  StatementsOptions options;
  const Clock& clock;
  Random& random;
  ResultBudget budget;
  metrics::Gauge* active_gauge = nullptr;
  metrics::Gauge* results_gauge = nullptr;
  metrics::Gauge* sessions_gauge = nullptr;
  metrics::Counter* evicted = nullptr;
  metrics::Counter* finished_counts[3] = {};  // FINISHED, ABORTED, FAILED
  metrics::Histogram* durations = nullptr;

  mutable std::mutex mutex;  // guards all below
  std::condition_variable changed;
  std::map<std::uint64_t, StatementPointer> statements;  // by age
  std::unordered_map<std::string, StatementPointer> by_id;
  std::map<std::string, std::shared_ptr<KeptSession>, std::less<>> kept_sessions;
  std::uint64_t next_position = 1;
  std::uint64_t next_waiter = 1;
  std::uint64_t next_file = 1;
  std::size_t text_bytes = 0;
  std::size_t active = 0;
  std::size_t waiting = 0;
  bool stopping = false;

  WorkerPool pool;
  std::thread keeper;
};

}  // namespace leat::dataapi
