#include "warehouse/dataapi/statements.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/text.h"
#include "io/file_system.h"
#include "warehouse/dataapi/statements_state.h"

namespace leat::dataapi {
namespace {

constexpr std::int64_t kTickUs = kUsPerSecond;

std::size_t text_bytes_of(const StatementRequest& request) {
  std::size_t bytes = request.statement_name.size() + request.fingerprint.size();
  for (const std::string& sql : request.sqls) bytes += sql.size();
  for (const SqlParameter& parameter : request.parameters) {
    bytes += parameter.name.size() + parameter.value.size();
  }
  return bytes;
}

// Files of an earlier process mean nothing to anybody.
Status empty_directory(io::FileSystem& files, const std::string& directory) {
  LEAT_TRY(files.make_directories(directory));
  LEAT_ASSIGN(const auto entries, files.list(directory));
  for (const io::DirectoryEntry& entry : entries) {
    if (!entry.directory) LEAT_TRY(files.remove(directory + "/" + entry.name));
  }
  return {};
}

}  // namespace

std::string_view status_name(StatementStatus status) {
  switch (status) {
    case StatementStatus::kSubmitted:
      return "SUBMITTED";
    case StatementStatus::kPicked:
      return "PICKED";
    case StatementStatus::kStarted:
      return "STARTED";
    case StatementStatus::kFinished:
      return "FINISHED";
    case StatementStatus::kAborted:
      return "ABORTED";
    case StatementStatus::kFailed:
      return "FAILED";
  }
  return "FAILED";
}

Statements::State::State(StatementsOptions opened_with)
    : options(std::move(opened_with)),
      clock(options.clock == nullptr ? system_clock() : *options.clock),
      random(options.random == nullptr ? secure_random() : *options.random),
      budget(options.limits.results_bytes_max, [this] { make_room(); }),
      pool("data-api-sql", options.limits.running_max) {
  if (options.files == nullptr) options.files = &io::posix_file_system();
  if (metrics::Registry* registry = options.metrics; registry != nullptr) {
    active_gauge =
        &registry->gauge("leat_data_api_statements_active", "Statements submitted and not done");
    results_gauge =
        &registry->gauge("leat_data_api_results_bytes", "Bytes of the results that are kept");
    sessions_gauge = &registry->gauge("leat_data_api_sessions", "Sessions kept open");
    evicted = &registry->counter("leat_data_api_results_evicted_total",
                                 "Results dropped before their time, for room");
    for (const auto status :
         {StatementStatus::kFinished, StatementStatus::kAborted, StatementStatus::kFailed}) {
      finished_counts[static_cast<int>(status) - static_cast<int>(StatementStatus::kFinished)] =
          &registry->counter("leat_data_api_statements_total", "Statements that came to their end",
                             {{"status", std::string(status_name(status))}});
    }
    durations = &registry->histogram("leat_data_api_statement_seconds",
                                     "From a statement's start to its end");
  }
}

void Statements::State::stop() {
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex);
    stopping = true;
    for (const auto& [position, statement] : statements) {
      statement->cancelled = true;
      if (statement->running != nullptr) statement->running->terminate();
      for (Waiter& waiter : statement->waiters) waiters.push_back(std::move(waiter));
      statement->waiters.clear();
    }
    changed.notify_all();
  }
  if (keeper.joinable()) keeper.join();
  pool.stop();
  for (Waiter& waiter : waiters) waiter.then();
  const std::lock_guard lock(mutex);
  kept_sessions.clear();
}

TimeUs Statements::State::now() const {
  return clock.now();
}

Statements::Statements(std::unique_ptr<State> state) : state_(std::move(state)) {}
Statements::~Statements() {
  stop();
}

void Statements::stop() {
  state_->stop();
}

Result<std::unique_ptr<Statements>> Statements::start(StatementsOptions options) {
  auto state = std::make_unique<State>(std::move(options));
  if (!state->options.results_directory.empty()) {
    LEAT_TRY(empty_directory(*state->options.files, state->options.results_directory));
  }
  State* raw = state.get();
  state->keeper = std::thread([raw] { raw->keep_house(); });
  return std::unique_ptr<Statements>(new Statements(std::move(state)));
}

// Looking up. All within the lock.

ApiResult<StatementPointer> Statements::State::find(std::string_view id, std::string_view identity,
                                                    std::optional<std::size_t>& part) {
  const std::size_t colon = id.find(':');
  const auto found = by_id.find(std::string(id.substr(0, colon)));
  if (found == by_id.end() || found->second->view.request.identity != identity) {
    return no_resource("Query does not exist.", std::string(id));
  }
  const StatementPointer& statement = found->second;
  if (colon != std::string_view::npos) {
    const auto number = parse_number<std::size_t>(id.substr(colon + 1));
    if (!statement->view.request.batch || !number || *number == 0 ||
        *number > statement->parts.size()) {
      return no_resource("Query does not exist.", std::string(id));
    }
    part = *number - 1;
  }
  return statement;
}

ApiResult<StatementPointer> Statements::State::find_by_token(const StatementRequest& request) {
  if (request.client_token.empty()) return StatementPointer();
  const TimeUs oldest{now().value - options.limits.token_us};
  for (auto at = statements.rbegin(); at != statements.rend(); ++at) {
    const StatementView& view = at->second->view;
    if (view.created < oldest) break;
    if (view.request.client_token != request.client_token ||
        view.request.identity != request.identity) {
      continue;
    }
    if (view.request.fingerprint != request.fingerprint) {
      return invalid("The client token was used before with other parameters.");
    }
    return at->second;
  }
  return StatementPointer();
}

ApiResult<std::shared_ptr<KeptSession>> Statements::State::session_for(
    const StatementRequest& request) {
  if (!request.session_id.empty()) {
    const auto found = kept_sessions.find(request.session_id);
    if (found == kept_sessions.end() || found->second->identity != request.identity) {
      return no_resource("Session does not exist.", request.session_id);
    }
    if (found->second->view.status == SessionStatus::kClosed) {
      return invalid("Session is closed: " + request.session_id);
    }
    if (found->second->view.status == SessionStatus::kBusy) {
      return invalid("Session is busy with another statement: " + request.session_id);
    }
    return found->second;
  }
  if (!request.keep_alive_seconds || *request.keep_alive_seconds == 0)
    return std::shared_ptr<KeptSession>();
  const auto open = std::ranges::count_if(kept_sessions, [](const auto& entry) {
    return entry.second->view.status != SessionStatus::kClosed;
  });
  if (static_cast<std::size_t>(open) >= options.limits.sessions_max) {
    return fail_api(
        400, "ActiveSessionsExceededException",
        fmt::format("Exceeded maximum of {} active sessions.", options.limits.sessions_max));
  }
  auto kept = std::make_shared<KeptSession>();
  kept->view.id = uuid4(random);
  kept->view.created = now();
  kept->view.target = request.target;
  kept->identity = request.identity;
  kept->last_end = TimeUs{now().value + options.limits.session_us};
  kept_sessions.emplace(kept->view.id, kept);
  return kept;
}

StatementPointer Statements::State::add(StatementRequest request,
                                        std::shared_ptr<KeptSession> kept) {
  auto statement = std::make_shared<Statement>();
  statement->position = next_position++;
  StatementView& view = statement->view;
  view.id = uuid4(random);
  view.created = now();
  view.updated = view.created;
  for (const std::string& sql : request.sqls) {
    Part& part = statement->parts.emplace_back();
    part.view.sql = sql;
    part.view.created = view.created;
    part.view.updated = view.created;
  }
  if (kept != nullptr) {
    view.session_id = kept->view.id;
    request.target = kept->view.target;
    if (request.keep_alive_seconds) kept->view.keep_alive_seconds = *request.keep_alive_seconds;
    kept->view.status = SessionStatus::kBusy;
    kept->view.updated = view.created;
    kept->view.current_statement = view.id;
  }
  statement->kept = std::move(kept);
  view.request = std::move(request);
  // Texts are held twice: in the request and in the parts.
  statement->text_bytes = 2 * text_bytes_of(view.request);
  text_bytes += statement->text_bytes;
  statements.emplace(statement->position, statement);
  by_id.emplace(view.id, statement);
  ++active;
  if (active_gauge != nullptr) active_gauge->set(static_cast<std::int64_t>(active));
  return statement;
}

StatementView Statements::State::view_of(const Statement& statement,
                                         std::optional<std::size_t> part) const {
  StatementView view = statement.view;
  if (!part) {
    for (const Part& each : statement.parts) view.parts.push_back(each.view);
    return view;
  }
  const PartView& only = statement.parts[*part].view;
  view.id += fmt::format(":{}", *part + 1);
  view.status = only.status;
  view.error = only.error;
  view.updated = only.updated;
  view.duration_ns = only.duration_ns;
  view.request.batch = false;
  view.parts.push_back(only);
  return view;
}

// Limits.

void Statements::State::erase(const StatementPointer& statement) {
  text_bytes -= statement->text_bytes;
  by_id.erase(statement->view.id);
  statements.erase(statement->position);
}

void Statements::State::trim_history() {
  const StatementLimits& limits = options.limits;
  for (auto at = statements.begin(); at != statements.end();) {
    if (statements.size() <= limits.history_max && text_bytes <= limits.history_bytes_max) return;
    const StatementPointer statement = at->second;
    ++at;
    if (is_final(statement->view.status)) erase(statement);
  }
}

bool Statements::State::drop_oldest_result() {
  std::vector<std::shared_ptr<const ResultPages>> dropped;  // closed outside of the lock
  const std::lock_guard lock(mutex);
  for (const auto& [position, statement] : statements) {
    if (!is_final(statement->view.status)) continue;
    for (Part& part : statement->parts) {
      if (part.pages != nullptr) dropped.push_back(std::move(part.pages));
    }
    if (!dropped.empty()) break;
  }
  if (!dropped.empty() && evicted != nullptr) evicted->add();
  return !dropped.empty();
}

void Statements::State::make_room() {
  while (budget.over() && drop_oldest_result()) {
  }
}

// House-keeping.

std::optional<std::int64_t> Statements::State::next_deadline() const {
  std::optional<std::int64_t> next;
  for (const auto& [position, statement] : statements) {
    for (const Waiter& waiter : statement->waiters) {
      next = std::min(next.value_or(waiter.deadline_us), waiter.deadline_us);
    }
  }
  return next;
}

void Statements::State::keep_house() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    if (statements.empty() && kept_sessions.empty()) {
      changed.wait(lock);
      continue;
    }
    std::int64_t wait_us = kTickUs;
    if (waiting > 0) {
      const std::int64_t at = next_deadline().value_or(clock.monotonic_us() + kTickUs);
      wait_us = std::clamp<std::int64_t>(at - clock.monotonic_us(), 1000, kTickUs);
    }
    changed.wait_for(lock, std::chrono::microseconds(wait_us));
    lock.unlock();
    clean_up();
    lock.lock();
  }
}

void Statements::State::clean_up() {
  // What is dropped ends outside of the lock: files, sessions, answers.
  std::vector<StatementPointer> dropped;
  std::vector<std::unique_ptr<session::Session>> closed;
  std::vector<Waiter> due;
  {
    const std::lock_guard lock(mutex);
    const TimeUs time = now();
    const std::int64_t monotonic_us = clock.monotonic_us();
    for (auto at = statements.begin(); at != statements.end();) {
      const StatementPointer statement = at->second;
      ++at;
      // A session forgets what came just before the statement that it begins.
      if (statement->cancelled && statement->running != nullptr) statement->running->cancel();
      const auto ready = std::ranges::partition(statement->waiters, [&](const Waiter& waiter) {
        return waiter.deadline_us > monotonic_us;
      });
      for (Waiter& waiter : ready) due.push_back(std::move(waiter));
      statement->waiters.erase(ready.begin(), ready.end());
      if (is_final(statement->view.status) &&
          statement->view.updated.value + options.limits.retention_us <= time.value) {
        erase(statement);
        dropped.push_back(statement);
      }
    }
    waiting -= due.size();
    for (auto at = kept_sessions.begin(); at != kept_sessions.end();) {
      KeptSession& kept = *at->second;
      const bool idle = kept.view.status == SessionStatus::kAvailable;
      if (idle && (kept.view.ends <= time || kept.last_end <= time)) {
        closed.push_back(std::move(kept.session));
        kept.view.status = SessionStatus::kClosed;
        kept.view.updated = time;
      }
      const bool forgotten = kept.view.status == SessionStatus::kClosed &&
                             kept.view.updated.value + options.limits.retention_us <= time.value;
      at = forgotten ? kept_sessions.erase(at) : std::next(at);
    }
    if (results_gauge != nullptr) results_gauge->set(static_cast<std::int64_t>(budget.used()));
    if (sessions_gauge != nullptr) {
      sessions_gauge->set(std::ranges::count_if(kept_sessions, [](const auto& entry) {
        return entry.second->session != nullptr ||
               entry.second->view.status == SessionStatus::kBusy;
      }));
    }
  }
  for (Waiter& waiter : due) waiter.then();
}

// The API.

ApiResult<StatementView> Statements::submit(StatementRequest request) {
  State& state = *state_;
  StatementPointer statement;
  StatementView view;
  {
    const std::lock_guard lock(state.mutex);
    if (state.stopping) return fail_api(500, "InternalServerException", "The server is stopping.");
    LEAT_ASSIGN(const StatementPointer earlier, state.find_by_token(request));
    if (earlier != nullptr) return state.view_of(*earlier, std::nullopt);
    if (state.active >= state.options.limits.active_max) {
      return fail_api(400, "ActiveStatementsExceededException",
                      fmt::format("Exceeded maximum of {} active statements.",
                                  state.options.limits.active_max));
    }
    LEAT_ASSIGN(std::shared_ptr<KeptSession> kept, state.session_for(request));
    statement = state.add(std::move(request), std::move(kept));
    state.trim_history();
    view = state.view_of(*statement, std::nullopt);
    state.changed.notify_all();
  }
  const bool reserved = statement->kept != nullptr;
  state.pool.run([raw = state_.get(), statement] { raw->run(statement); }, reserved);
  return view;
}

ApiResult<StatementView> Statements::describe(std::string_view id, std::string_view identity) {
  const std::lock_guard lock(state_->mutex);
  std::optional<std::size_t> part;
  LEAT_ASSIGN(const StatementPointer statement, state_->find(id, identity, part));
  return state_->view_of(*statement, part);
}

ApiResult<ResultView> Statements::result(std::string_view id, std::string_view identity) {
  const std::lock_guard lock(state_->mutex);
  std::optional<std::size_t> index;
  LEAT_ASSIGN(const StatementPointer statement, state_->find(id, identity, index));
  const bool whole_batch = statement->view.request.batch && !index;
  const Part& part = statement->parts[index.value_or(0)];
  if (whole_batch || part.view.status != StatementStatus::kFinished || !part.view.has_result) {
    return no_resource(
        "Query does not have result. Please check query status with DescribeStatement.",
        std::string(id));
  }
  if (part.pages == nullptr) {
    return no_resource(
        "The result is no longer kept: it was dropped to make room for newer ones "
        "(data_api.results_bytes_max).",
        std::string(id));
  }
  return ResultView{.pages = part.pages,
                    .columns_json = part.columns_json,
                    .format = statement->view.request.format};
}

ApiStatus Statements::cancel(std::string_view id, std::string_view identity) {
  const std::lock_guard lock(state_->mutex);
  std::optional<std::size_t> part;
  LEAT_ASSIGN(const StatementPointer statement, state_->find(id, identity, part));
  if (part) return invalid("Could not cancel one statement of a batch; cancel the batch.");
  if (is_final(statement->view.status)) {
    return invalid(fmt::format("Could not cancel a query that is already in {} state with ID: {}",
                               status_name(statement->view.status), id));
  }
  statement->cancelled = true;
  if (statement->running != nullptr) statement->running->cancel();
  return {};
}

StatementPage Statements::list(const StatementFilter& filter) {
  const std::lock_guard lock(state_->mutex);
  StatementPage page;
  const auto matches = [](const std::string& wanted, const std::string& is) {
    return wanted.empty() || wanted == is;
  };
  for (auto at = state_->statements.rbegin(); at != state_->statements.rend(); ++at) {
    const Statement& statement = *at->second;
    const StatementRequest& request = statement.view.request;
    if (filter.before != 0 && statement.position >= filter.before) continue;
    if (request.identity != filter.identity ||
        (filter.status && statement.view.status != *filter.status) ||
        !request.statement_name.starts_with(filter.name_prefix) ||
        !matches(filter.database, request.target.database) ||
        !matches(filter.cluster, request.target.cluster) ||
        !matches(filter.workgroup, request.target.workgroup)) {
      continue;
    }
    if (page.statements.size() == filter.limit) {
      page.next = statement.position + 1;
      return page;
    }
    page.statements.push_back(state_->view_of(statement, std::nullopt));
  }
  return page;
}

std::vector<SessionView> Statements::sessions(std::string_view identity) {
  const std::lock_guard lock(state_->mutex);
  std::vector<SessionView> views;
  for (const auto& [id, kept] : state_->kept_sessions) {
    if (kept->identity == identity) views.push_back(kept->view);
  }
  std::ranges::sort(views, std::greater{}, &SessionView::created);
  return views;
}

ApiStatus Statements::wait(std::string_view id, std::string_view identity, std::int64_t seconds,
                           std::move_only_function<void()> then) {
  {
    const std::lock_guard lock(state_->mutex);
    std::optional<std::size_t> part;
    LEAT_ASSIGN(const StatementPointer statement, state_->find(id, identity, part));
    const StatementStatus status =
        part ? statement->parts[*part].view.status : statement->view.status;
    if (!is_final(status) && !state_->stopping) {
      if (state_->waiting >= state_->options.limits.waiting_max) {
        return fail_api(400, "ActiveWaitingRequestsExceededException",
                        fmt::format("Exceeded maximum of {} waiting requests.",
                                    state_->options.limits.waiting_max));
      }
      ++state_->waiting;
      statement->waiters.push_back(
          {.number = state_->next_waiter++,
           .deadline_us = state_->clock.monotonic_us() + seconds * kUsPerSecond,
           .then = std::move(then)});
      state_->changed.notify_all();
      return {};
    }
  }
  then();
  return {};
}

void Statements::clean_up() {
  state_->clean_up();
}

}  // namespace leat::dataapi
