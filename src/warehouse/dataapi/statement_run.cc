// Running a statement on a worker's thread.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "warehouse/dataapi/statements_state.h"
#include "warehouse/session/warehouse.h"

namespace leat::dataapi {
namespace {

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
}

/// The byte where character number `character` (from 0) of UTF-8 text begins.
std::size_t byte_of(std::string_view text, std::size_t character) {
  std::size_t byte = 0;
  while (byte < text.size() && (character > 0 || !begins_character(text[byte]))) {
    if (begins_character(text[byte])) --character;
    ++byte;
  }
  return byte;
}

/// Which character of the text as written the character `position` (from 1) of `sql` is.
std::size_t original_character(const PositionalSql& sql, std::string_view written,
                               std::int64_t position) {
  const std::size_t byte = byte_of(sql.text, static_cast<std::size_t>(position - 1));
  const std::string_view before = written.substr(0, sql.original_position(byte));
  return static_cast<std::size_t>(std::ranges::count_if(before, begins_character)) + 1;
}

/// As Amazon's driver words an error: "ERROR: text\n  Position: 12". `sql` is what was run of the
/// text as written.
std::string error_text(const session::SqlError& error, const PositionalSql& sql,
                       std::string_view written) {
  std::string text = "ERROR: " + error.message;
  if (!error.detail.empty()) text += "\n  Detail: " + error.detail;
  if (!error.hint.empty()) text += "\n  Hint: " + error.hint;
  if (error.position > 0) {
    text += fmt::format("\n  Position: {}", original_character(sql, written, error.position));
  }
  return text;
}

/// Parses into the unnamed statement. Where the types of parameters do not follow from their
/// places, the engine cannot tell the columns before it has the values: then it is told the types
/// that it would take.
session::SqlStatus parse_sql(session::Session& session, std::string_view sql, bool has_parameters,
                             session::ResultSink& sink) {
  LEAT_TRY(session.parse("", sql, {}, sink));
  if (!has_parameters) return {};
  LEAT_ASSIGN(const session::StatementDescription described, session.describe_statement("", sink));
  constexpr std::uint32_t kUnknownType = 705;
  const bool open = described.fields.size() == 1 &&
                    described.fields.front().type_oid == kUnknownType &&
                    described.fields.front().name == "unknown";
  return open ? session.parse("", sql, described.parameter_types, sink) : session::SqlStatus();
}

}  // namespace

bool Statements::State::begin(Statement& statement) {
  const std::lock_guard lock(mutex);
  if (statement.cancelled || stopping) return false;
  statement.view.status = StatementStatus::kPicked;
  statement.view.updated = now();
  return true;
}

std::unique_ptr<session::Session> Statements::State::open_session(Statement& statement,
                                                                  std::string& error) {
  if (statement.kept != nullptr) {
    const std::lock_guard lock(mutex);
    if (statement.kept->session != nullptr) return std::move(statement.kept->session);
  }
  const StatementRequest& asked = statement.view.request;
  session::SessionRequest request;
  request.user = asked.target.login_user;
  request.database = asked.target.database;
  request.remote_address = asked.remote_address;
  request.encrypted = asked.encrypted;
  request.settings = {{"application_name", "RedshiftDataAPI"},
                      {"statement_timeout", std::to_string(24 * 3600 * 1000)}};
  session::SqlResult<std::unique_ptr<session::Session>> opened =
      options.warehouse->open_session(request);
  if (!opened) {
    error = "FATAL: " + opened.error().message;
    return nullptr;
  }
  return std::move(*opened);
}

void Statements::State::start_part(Statement& statement, std::size_t index) {
  const std::lock_guard lock(mutex);
  PartView& part = statement.parts[index].view;
  part.status = StatementStatus::kStarted;
  part.updated = now();
}

void Statements::State::end_part(Statement& statement, std::size_t index, StatementStatus status,
                                 std::string error, std::int64_t started_us) {
  const std::lock_guard lock(mutex);
  PartView& part = statement.parts[index].view;
  part.status = status;
  part.error = std::move(error);
  part.updated = now();
  part.duration_ns = (clock.monotonic_us() - started_us) * 1000;
}

std::string Statements::State::run_part(Statement& statement, std::size_t index,
                                        session::Session& session) {
  Part& part = statement.parts[index];
  const StatementRequest& request = statement.view.request;
  const PositionalSql sql = to_positional(part.view.sql, request.parameters);
  std::vector<session::Parameter> values;
  for (const std::size_t at : sql.order) {
    values.push_back({.bytes = request.parameters[at].value, .binary = false});
  }
  RowWriter nothing(request.format, {}, nullptr);
  if (auto done = parse_sql(session, sql.text, !values.empty(), nothing); !done) {
    return error_text(done.error(), sql, part.view.sql);
  }
  if (auto done = session.bind("", "", values, nothing); !done) {
    return error_text(done.error(), sql, part.view.sql);
  }
  const session::SqlResult<std::vector<session::Field>> fields = session.describe_portal("");
  if (!fields) return error_text(fields.error(), sql, part.view.sql);

  std::shared_ptr<ResultPages> pages;
  if (!fields->empty()) {
    ResultPages::Options to;
    to.files = options.files;
    to.limits = options.limits.result;
    to.budget = &budget;
    to.separator = request.format == ResultFormat::kJson ? "," : "";
    if (!options.results_directory.empty()) {
      const std::lock_guard lock(mutex);
      to.path = fmt::format("{}/{}", options.results_directory, next_file++);
    }
    pages = std::make_shared<ResultPages>(std::move(to));
  }
  RowWriter writer(request.format, *fields, pages.get());
  const session::SqlResult<session::ExecuteOutcome> outcome = session.execute("", 0, writer);
  if (writer.error()) return "ERROR: " + writer.error()->message;
  if (!outcome) return error_text(outcome.error(), sql, part.view.sql);
  if (pages != nullptr) {
    if (const Status finished = pages->finish(); !finished) {
      return "ERROR: " + finished.error().message;
    }
  }
  std::vector<ColumnMetadata> columns;
  for (const session::Field& field : *fields) columns.push_back(metadata_of(field));

  const std::lock_guard lock(mutex);
  part.view.has_result = pages != nullptr;
  part.view.rows =
      pages != nullptr ? static_cast<std::int64_t>(pages->rows()) : rows_of_tag(writer.tag());
  part.view.bytes = pages != nullptr ? static_cast<std::int64_t>(pages->bytes()) : 0;
  part.view.query_id = session.last_query_id();
  part.columns_json = metadata_json(columns);
  part.pages = std::move(pages);
  return {};
}

void Statements::State::run_parts(Statement& statement, session::Session& session) {
  const bool one_transaction = statement.view.request.batch && !statement.view.request.auto_commit;
  RowWriter nothing(ResultFormat::kJson, {}, nullptr);
  bool stopped = false;
  std::string first_error;
  for (std::size_t i = 0; i < statement.parts.size(); ++i) {
    const std::int64_t started_us = clock.monotonic_us();
    {
      const std::lock_guard lock(mutex);
      stopped = stopped || statement.cancelled;
    }
    if (stopped) {
      end_part(statement, i, StatementStatus::kAborted, {}, started_us);
      continue;
    }
    start_part(statement, i);
    std::string error = run_part(statement, i, session);
    if (!one_transaction || i + 1 == statement.parts.size() || !error.empty()) {
      const session::SqlStatus synced = session.sync(nothing);
      if (!synced && error.empty()) error = error_text(synced.error(), {}, {});
    }
    const bool failed = !error.empty();
    bool cancelled = false;
    {
      const std::lock_guard lock(mutex);
      cancelled = failed && statement.cancelled;
      if (failed) statement.parts[i].view.has_result = false;
    }
    if (failed && first_error.empty()) {
      first_error = statement.view.request.batch
                        ? fmt::format("Query #{} failed with {}", i + 1, error)
                        : error;
    }
    end_part(statement, i,
             cancelled ? StatementStatus::kAborted
             : failed  ? StatementStatus::kFailed
                       : StatementStatus::kFinished,
             std::move(error), started_us);
    if (failed && (one_transaction || cancelled)) stopped = true;
  }
  const std::lock_guard lock(mutex);
  statement.view.error = std::move(first_error);
}

void Statements::State::finish(const StatementPointer& statement, std::string error) {
  std::vector<Waiter> waiters;
  std::vector<std::shared_ptr<const ResultPages>> undone;  // closed outside of the lock
  {
    const std::lock_guard lock(mutex);
    StatementView& view = statement->view;
    if (!error.empty()) view.error = std::move(error);
    const bool all_finished = std::ranges::all_of(statement->parts, [](const Part& part) {
      return part.view.status == StatementStatus::kFinished;
    });
    if (all_finished) {
      view.status = StatementStatus::kFinished;
    } else {
      view.status = statement->cancelled ? StatementStatus::kAborted : StatementStatus::kFailed;
    }
    view.updated = now();
    for (Part& part : statement->parts) {
      if (!is_final(part.view.status)) part.view.status = StatementStatus::kAborted;
      if (part.view.status != StatementStatus::kFinished) undone.push_back(std::move(part.pages));
      view.duration_ns = std::max<std::int64_t>(view.duration_ns, 0) +
                         std::max<std::int64_t>(part.view.duration_ns, 0);
    }
    waiters = std::move(statement->waiters);
    statement->waiters.clear();
    waiting -= waiters.size();
    --active;
    if (active_gauge != nullptr) active_gauge->set(static_cast<std::int64_t>(active));
    if (durations != nullptr) durations->observe_us(view.duration_ns / 1000);
    const int index = static_cast<int>(view.status) - static_cast<int>(StatementStatus::kFinished);
    if (finished_counts[index] != nullptr) finished_counts[index]->add();
  }
  for (Waiter& waiter : waiters) waiter.then();
}

void Statements::State::give_back(Statement& statement, std::unique_ptr<session::Session> session) {
  std::unique_ptr<session::Session> ended;  // outside of the lock
  const std::lock_guard lock(mutex);
  statement.running = nullptr;
  if (statement.kept == nullptr) {
    ended = std::move(session);
    return;
  }
  SessionView& view = statement.kept->view;
  view.current_statement.clear();
  view.updated = now();
  view.ends = TimeUs{std::min(view.updated.value + view.keep_alive_seconds * kUsPerSecond,
                              statement.kept->last_end.value)};
  const bool usable = session != nullptr && !session->terminated() && !stopping;
  view.status = usable ? SessionStatus::kAvailable : SessionStatus::kClosed;
  (usable ? statement.kept->session : ended) = std::move(session);
}

void Statements::State::run(const StatementPointer& statement) {
  std::string error;
  std::unique_ptr<session::Session> session;
  if (begin(*statement)) session = open_session(*statement, error);
  if (session != nullptr) {
    bool goes_on = true;
    {
      const std::lock_guard lock(mutex);
      goes_on = !statement->cancelled;
      if (goes_on) {
        statement->running = session.get();
        statement->view.pid = session->id();
        statement->view.status = StatementStatus::kStarted;
        statement->view.updated = now();
      }
    }
    if (goes_on) run_parts(*statement, *session);
  }
  // The session is free before the statement is done, so that the next one finds it.
  give_back(*statement, std::move(session));
  finish(statement, std::move(error));
}

}  // namespace leat::dataapi
