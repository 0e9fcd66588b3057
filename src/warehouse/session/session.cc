#include "warehouse/session/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <type_traits>

#include "base/clock.h"
#include "base/text.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

QueryClass class_of(const sql::Statement& statement, std::string_view kind) {
  if (sql::get_if<sql::SelectStatement>(statement) != nullptr ||
      sql::get_if<sql::InsertStatement>(statement) != nullptr ||
      sql::get_if<sql::UpdateStatement>(statement) != nullptr ||
      sql::get_if<sql::DeleteStatement>(statement) != nullptr ||
      sql::get_if<sql::MergeStatement>(statement) != nullptr ||
      sql::get_if<sql::CopyStatement>(statement) != nullptr ||
      sql::get_if<sql::UnloadStatement>(statement) != nullptr ||
      sql::get_if<sql::CreateTableAsStatement>(statement) != nullptr) {
    return QueryClass::kQuery;
  }
  if (kind.starts_with("CREATE") || kind.starts_with("ALTER") || kind.starts_with("DROP") ||
      kind.starts_with("TRUNCATE")) {
    return QueryClass::kDdl;
  }
  return QueryClass::kUtility;
}

std::string query_type(const sql::Statement& statement, QueryClass kind) {
  if (sql::get_if<sql::CreateTableAsStatement>(statement) != nullptr) return "CTAS";
  if (kind == QueryClass::kDdl) return "DDL";
  if (kind == QueryClass::kUtility) return "UTILITY";
  return std::string(sql::statement_kind(statement));
}

bool ends_block(const sql::Statement& statement) {
  const auto* transaction = sql::get_if<sql::TransactionStatement>(statement);
  return transaction != nullptr && transaction->kind != sql::TransactionKind::kBegin;
}

/// Of users, groups, roles and what they may do.
bool is_about_people(const sql::Statement& statement) {
  if (const auto* drop = sql::get_if<sql::DropStatement>(statement)) {
    return drop->kind == sql::ObjectKind::kUser || drop->kind == sql::ObjectKind::kGroup ||
           drop->kind == sql::ObjectKind::kRole;
  }
  return sql::get_if<sql::CreateUserStatement>(statement) != nullptr ||
         sql::get_if<sql::AlterUserStatement>(statement) != nullptr ||
         sql::get_if<sql::CreateGroupStatement>(statement) != nullptr ||
         sql::get_if<sql::AlterGroupStatement>(statement) != nullptr ||
         sql::get_if<sql::CreateRoleStatement>(statement) != nullptr ||
         sql::get_if<sql::AlterRoleStatement>(statement) != nullptr ||
         sql::get_if<sql::GrantStatement>(statement) != nullptr ||
         sql::get_if<sql::AlterDefaultPrivilegesStatement>(statement) != nullptr;
}

/// What takes a slot of a queue: work on the users' tables. Questions to the catalog alone do not.
bool takes_slot(const sql::Statement& statement, QueryClass kind) {
  if (sql::get_if<sql::CopyStatement>(statement) != nullptr ||
      sql::get_if<sql::UnloadStatement>(statement) != nullptr ||
      sql::get_if<sql::ExecuteStatement>(statement) != nullptr ||
      sql::get_if<sql::RefreshMaterializedViewStatement>(statement) != nullptr) {
    return true;
  }
  if (kind != QueryClass::kQuery && sql::get_if<sql::DeclareCursorStatement>(statement) == nullptr)
    return false;
  const std::vector<sql::TableAccess> tables = sql::referenced_tables(statement);
  return std::ranges::any_of(tables,
                             [](const auto& each) { return !sql::is_system_relation(each.table); });
}

bool is_transaction(const sql::Statement& statement) {
  return sql::get_if<sql::TransactionStatement>(statement) != nullptr;
}

std::unexpected<SqlError> client_gone() {
  return engine::fail_sql("08006", "the client closed the connection or stopped reading");
}

}  // namespace

SqlStatus SessionState::simple_query(std::string_view script, ResultSink& sink) {
  if (const std::shared_ptr<PreparedStatement> known = recall(script, {})) {
    LEAT_TRY(run_one(*known->parsed, known->text, sink, true, known.get()));
    return block == Block::kImplicit ? commit_block(&sink) : SqlStatus();
  }
  sql::SqlResult<std::vector<sql::ParsedStatement>> parsed = sql::parse_script(script);
  if (!parsed) {
    fail_block();
    return std::unexpected(from_sql(std::move(parsed).error()));
  }
  if (parsed->empty()) {
    sink.on_empty();
    return {};
  }
  const bool several = parsed->size() > 1;
  const bool query =
      !several && sql::get_if<sql::SelectStatement>(parsed->front().statement) != nullptr;
  if (query) {
    const auto known = std::make_shared<PreparedStatement>();
    known->text = script;
    known->parsed = std::move(parsed->front());
    remember(known);
    LEAT_TRY(run_one(*known->parsed, known->text, sink, true, known.get()));
    return block == Block::kImplicit ? commit_block(&sink) : SqlStatus();
  }
  for (const sql::ParsedStatement& statement : *parsed) {
    const bool implicit = block == Block::kNone && !is_transaction(statement.statement) &&
                          (several || sql::writes(statement.statement)) &&
                          !(sql::forbidden_in_transaction(statement.statement) && !several);
    if (implicit) start_block(Block::kImplicit, false);
    LEAT_TRY(run_one(statement, script, sink, !several));
    if (block == Block::kImplicit && !several) LEAT_TRY(commit_block(&sink));
  }
  if (block == Block::kImplicit) return commit_block(&sink);
  return {};
}

SqlStatus SessionState::run_one(const sql::ParsedStatement& parsed, std::string_view script,
                                ResultSink& sink, bool alone, PreparedStatement* known) {
  Running running{.statement = parsed.statement,
                  .text = script,
                  .span = parsed.span,
                  .sink = sink,
                  .known = known};
  LEAT_TRY(guarded(running, alone && block != Block::kExplicit, [&] { return dispatch(running); }));
  // A change that commits by itself must have committed before its tag says that it is done.
  if (block == Block::kImplicit && alone) LEAT_TRY(commit_block(&sink));
  return finish(running);
}

SqlStatus SessionState::finish(Running& running) {
  if (running.tag.empty()) running.tag = sql::command_tag(running.statement);
  return running.sink.on_complete(running.tag) ? SqlStatus() : client_gone();
}

SqlStatus SessionState::guarded(Running& running, bool alone,
                                const std::function<SqlStatus()>& body) {
  if (ended)
    return engine::fail_sql("57P01", "terminating connection due to administrator command");
  if (failed && !ends_block(running.statement)) {
    return engine::fail_sql(
        "25P02", "current transaction is aborted, commands ignored until end of transaction block");
  }
  const std::string_view kind = sql::statement_kind(running.statement);
  SqlStatus allowed;
  if (!alone && sql::forbidden_in_transaction(running.statement)) {
    allowed =
        engine::fail_sql("25001", std::string(kind) + " cannot run inside a transaction block");
  } else if ((block_read_only || settings.is_on("readonly") ||
              settings.is_on("transaction_read_only")) &&
             sql::writes(running.statement)) {
    allowed = engine::fail_sql("25006", "transaction is read-only");
  }
  if (!allowed) {
    fail_block();
    return allowed;
  }

  cancelled = false;
  timed_out = false;
  lock_wait_us = 0;
  current_query = shared->next_query.fetch_add(1);
  QueryRecord record;
  record.id = current_query;
  record.user = user_id;
  record.session = id;
  record.database = request.database;
  record.transaction =
      block == Block::kNone ? shared->next_transaction.fetch_add(1) : transaction_id;
  record.kind = class_of(running.statement, kind);
  record.type = query_type(running.statement, record.kind);
  record.label = settings.get("query_group");
  record.text =
      history_text(running.statement,
                   running.text.substr(running.span.begin, running.span.end - running.span.begin));
  record.start = shared->now();
  shared->history.start(record);
  shared->update_info(id, [&](SessionInfo& info) {
    info.state = "active";
    info.query = record.text;
    info.query_id = record.id;
    info.query_start = record.start;
  });
  steps.clear();
  const std::int64_t timeout_us = settings.statement_timeout_us();
  if (timeout_us > 0) shared->timer.arm(*this, timeout_us);
  SqlStatus done = enter_queue(running.statement, record);
  if (done) done = visit_written(running.statement, true);
  tables_used = {};
  if (done) done = body();
  if (done) done = check_serializable();
  if (done && home != nullptr) done = check_visited_quotas();
  shared->queues->leave(id);
  if (timeout_us > 0) shared->timer.disarm(*this);

  record.end = shared->now();
  record.rows = running.rows;
  record.lock_wait_us = lock_wait_us;
  record.steps = std::move(steps);
  steps.clear();
  if (!done) {
    done = std::unexpected(dress(std::move(done).error()));
    record.failed = true;
    record.cancelled = done.error().sqlstate == "57014";
    record.sqlstate = done.error().sqlstate;
    record.error = done.error().message;
    fail_block();
  } else if (record.kind == QueryClass::kQuery) {
    last_query = record.id;
  }
  leave_visited();
  if (block == Block::kNone) unlock_statement();
  if (shared->audit != nullptr) {
    const catalog::UserPointer me = user();
    shared->audit->write(record, me == nullptr ? request.user : me->name, request.database,
                         is_about_people(running.statement));
  }
  shared->history.finish(std::move(record));
  shared->update_info(id, [&](SessionInfo& info) {
    info.state = block == Block::kNone ? "idle"
                 : failed              ? "idle in transaction (aborted)"
                                       : "idle in transaction";
  });
  return done;
}

SqlStatus SessionState::enter_queue(const sql::Statement& statement, QueryRecord& record) {
  if (!takes_slot(statement, record.kind)) return {};
  const catalog::UserPointer me = user();
  std::vector<std::string> groups;
  for (const catalog::GroupPointer& group : catalog.groups()) {
    if (std::ranges::find(group->members, user_id) != group->members.end())
      groups.push_back(group->name);
  }
  QueryQueues& queues = *shared->queues;
  const std::size_t queue = queues.choose(record.label, groups, me != nullptr && me->superuser);
  record.service_class = queues.service_class(queue);
  record.queue = queues.name(queue);
  record.slots =
      parse_number<std::int64_t>(settings.get("wlm_query_slot_count")).value_or(std::int64_t{1});
  // Who holds tables of an open transaction must not wait for others who may wait for those.
  const bool hurried = block == Block::kExplicit && holds_locks;
  LEAT_ASSIGN(record.queue_wait_us, queues.enter(
                                        queue,
                                        {.session = id,
                                         .user = user_id,
                                         .query = record.id,
                                         .transaction = record.transaction,
                                         .slots = record.slots},
                                        hurried, [this] { return cancelled || ended; },
                                        [this] { return shared->now(); }));
  return {};
}

namespace {

template <class Node>
using Runner = SqlStatus (SessionState::*)(Running&, const Node&);

/// The statements that have one member each to run them.
constexpr std::tuple kRunners = {
    &SessionState::run_lock,
    &SessionState::run_create_table,
    &SessionState::run_create_table_as,
    &SessionState::run_alter_table,
    &SessionState::run_alter_schema,
    &SessionState::run_drop,
    &SessionState::run_truncate,
    &SessionState::run_create_schema,
    &SessionState::run_create_view,
    &SessionState::run_create_database,
    &SessionState::run_alter_database,
    &SessionState::run_create_materialized_view,
    &SessionState::run_refresh,
    &SessionState::run_alter_materialized_view,
    &SessionState::run_comment,
    &SessionState::run_set,
    &SessionState::run_reset,
    &SessionState::run_show,
    &SessionState::run_copy,
    &SessionState::run_unload,
    &SessionState::run_create_user,
    &SessionState::run_alter_user,
    &SessionState::run_create_group,
    &SessionState::run_alter_group,
    &SessionState::run_create_role,
    &SessionState::run_alter_role,
    &SessionState::run_grant,
    &SessionState::run_alter_default_privileges,
    &SessionState::run_prepare,
    &SessionState::run_execute,
    &SessionState::run_deallocate,
    &SessionState::run_declare,
    &SessionState::run_fetch,
    &SessionState::run_close,
    &SessionState::run_cancel,
    &SessionState::run_explain,
    &SessionState::run_use,
    &SessionState::run_call,
    &SessionState::run_create_function,
    &SessionState::run_drop_function,
};

/// Runs `node` with its member; nothing when it has none.
template <class Node>
std::optional<SqlStatus> run_with_member(SessionState& session, Running& running,
                                         const Node& node) {
  std::optional<SqlStatus> done;
  const auto attempt = [&](auto member) {
    if constexpr (std::is_same_v<decltype(member), Runner<Node>>)
      done = (session.*member)(running, node);
  };
  std::apply([&](auto... members) { (attempt(members), ...); }, kRunners);
  return done;
}

}  // namespace

SqlStatus SessionState::dispatch(Running& running) {
  return std::visit(
      [&](const auto& node) -> SqlStatus {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, sql::SelectStatement>) {
          return run_query(running);
        } else if constexpr (std::is_same_v<Node, sql::InsertStatement> ||
                             std::is_same_v<Node, sql::UpdateStatement> ||
                             std::is_same_v<Node, sql::DeleteStatement> ||
                             std::is_same_v<Node, sql::MergeStatement>) {
          return run_change(running);
        } else if constexpr (std::is_same_v<Node, sql::TransactionStatement>) {
          return run_transaction(running);
        } else if constexpr (std::is_same_v<Node, sql::AnalyzeStatement> ||
                             std::is_same_v<Node, sql::VacuumStatement>) {
          return run_maintenance(running);
        } else {
          if (std::optional<SqlStatus> done = run_with_member(*this, running, node)) return *done;
          return engine::fail_sql(
              "0A000", std::string(sql::statement_kind(running.statement)) + " is not supported");
        }
      },
      running.statement.node);
}

SqlStatus SessionState::run_lock(Running& running, const sql::LockStatement& statement) {
  LEAT_TRY(check_access(running.statement));
  if (block != Block::kExplicit) {
    return engine::fail_sql("25P01", "LOCK TABLE may only be used in transaction blocks");
  }
  for (const sql::QualifiedName& name : statement.tables) {
    LEAT_ASSIGN(const catalog::RelationPointer relation, find_relation(name));
    LEAT_TRY(require(*relation, 0));
    // Readers wait for it: who may only read may not keep others from it.
    const std::uint32_t changes =
        catalog::kInsert | catalog::kUpdate | catalog::kDelete | catalog::kTruncate;
    const catalog::UserPointer me = user();
    if (!relation->temporary && (catalog::privileges_on(catalog, *me, *relation) & changes) == 0)
      return engine::fail_sql("42501", "permission denied for relation " + relation->name);
  }
  return lock_tables(running.statement);
}

SqlStatus SessionState::run_deallocate(Running&, const sql::DeallocateStatement& statement) {
  if (statement.name.empty()) {
    sql_prepared.clear();
  } else if (sql_prepared.erase(statement.name) == 0) {
    return engine::fail_sql("26000",
                            "prepared statement \"" + statement.name + "\" does not exist");
  }
  return {};
}

SqlStatus SessionState::run_call(Running&, const sql::CallStatement& statement) {
  // What `leat warehouse backup` asks for while it copies the database's files.
  const bool hold = statement.procedure.name() == "leat_hold_checkpoints";
  if (hold || statement.procedure.name() == "leat_release_checkpoints") {
    LEAT_TRY(require_superuser("copy the database's files"));
    if (hold == holds_checkpoints) return {};
    if (hold) {
      LEAT_TRY(shared->databases->hold());
      if (SqlStatus held = shared->database->hold_checkpoints(); !held) {
        shared->databases->release();
        return held;
      }
    } else {
      shared->database->release_checkpoints();
      shared->databases->release();
    }
    holds_checkpoints = hold;
    return {};
  }
  return no_procedure(statement);
}

std::unexpected<SqlError> no_procedure(const sql::CallStatement& call) {
  return engine::fail_sql("42883", "procedure " + call.procedure.to_string() + " does not exist",
                          {}, "There are no stored procedures: send their statements themselves.");
}

// The public face.

Session::Session(std::unique_ptr<SessionState> state) : state_(std::move(state)) {}
Session::~Session() = default;

std::int32_t Session::id() const {
  return state_->id;
}
std::int64_t Session::idle_timeout_us() const {
  return state_->idle_timeout_us;
}
void Session::idled_out() {
  state_->idled_out = true;
}
const std::string& Session::database() const {
  return state_->request.database;
}
std::int64_t Session::last_query_id() const {
  return state_->last_query;
}
std::int32_t Session::secret_key() const {
  return state_->secret_key;
}

TransactionStatus Session::transaction() const {
  if (state_->failed) return TransactionStatus::kFailed;
  return state_->block == Block::kNone ? TransactionStatus::kIdle
                                       : TransactionStatus::kInTransaction;
}

std::vector<std::pair<std::string, std::string>> Session::reported_settings() const {
  const Settings& settings = state_->settings;
  std::vector<std::pair<std::string, std::string>> list;
  for (const auto& [name, value] : settings.list()) {
    if (const std::string_view reported = Settings::reported_name(name); !reported.empty()) {
      list.emplace_back(reported, value);
    }
  }
  list.emplace_back("timezone_abbreviations", "Default");
  list.emplace_back("padb_version", "1.0.100000");
  list.emplace_back("padb_revision", "1ea7");
  list.emplace_back("max_numeric_precision", "38");
  list.emplace_back("max_varchar_size", "65535");
  list.emplace_back("datashare_enabled", "off");
  return list;
}

SqlStatus Session::simple_query(std::string_view text, ResultSink& sink) {
  return state_->simple_query(text, sink);
}

namespace {

/// An error of the extended protocol fails the open block.
template <class Result>
Result failing(SessionState& state, Result result) {
  if (!result) {
    result = std::unexpected(state.dress(std::move(result).error()));
    state.fail_block();
  }
  return result;
}

}  // namespace

SqlStatus Session::parse(std::string_view statement, std::string_view text,
                         std::span<const std::uint32_t> parameter_types, ResultSink&) {
  return failing(*state_, state_->parse(statement, text, parameter_types));
}

SqlResult<StatementDescription> Session::describe_statement(std::string_view statement,
                                                            ResultSink&) {
  return failing(*state_, state_->describe_statement(statement));
}

SqlStatus Session::bind(std::string_view portal, std::string_view statement,
                        std::span<const Parameter> parameters, ResultSink&) {
  return failing(*state_, state_->bind(portal, statement, parameters));
}

SqlResult<std::vector<Field>> Session::describe_portal(std::string_view portal) {
  return failing(*state_, state_->describe_portal(portal));
}

SqlResult<ExecuteOutcome> Session::execute(std::string_view portal, std::int64_t row_limit,
                                           ResultSink& sink) {
  return failing(*state_, state_->execute(portal, row_limit, sink));
}

void Session::close_statement(std::string_view statement) {
  if (const auto found = state_->statements.find(statement); found != state_->statements.end()) {
    state_->statements.erase(found);
  }
}

void Session::close_portal(std::string_view portal) {
  if (const auto found = state_->portals.find(portal); found != state_->portals.end()) {
    state_->forget(found->second->rows.get());
    state_->portals.erase(found);
  }
}

SqlStatus Session::sync(ResultSink& sink) {
  return state_->sync(sink);
}
void Session::fail_transaction() {
  state_->fail_block();
}
int Session::extra_float_digits() const {
  return parse_number<int>(state_->settings.get("extra_float_digits")).value_or(0);
}
const TimeZone& Session::time_zone() {
  return state_->time_zone();
}
void Session::on_terminate(std::function<void()> wake) {
  const std::lock_guard lock(state_->wake_mutex);
  state_->wake = std::move(wake);
}
void Session::cancel() {
  state_->cancel(false);
}
void Session::terminate() {
  state_->terminate();
}
bool Session::terminated() const {
  return state_->ended;
}

}  // namespace leat::session
