#include "warehouse/session/warehouse.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "warehouse/catalog/password.h"
#include "warehouse/catalog/system_schema.h"
#include "warehouse/engine/blank_marks.h"
#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

std::string_view without_prefix(std::string_view user) {
  for (const std::string_view prefix : {"IAM:", "IAMA:", "IAMR:"}) {
    if (user.starts_with(prefix)) return user.substr(prefix.size());
  }
  return user;
}

Error to_error(const SqlError& error, std::string_view what) {
  const Errc code = error.sqlstate == "53100" ? Errc::kExhausted : Errc::kCorrupt;
  return Error{code, fmt::format("{}: {} [{}] {}{}", what, error.message, error.sqlstate,
                                 error.detail, error.hint)};
}

/// Of the files of the databases beside the first one; empty: in memory.
std::string others_directory(const WarehouseOptions& options) {
  if (options.data_directory.empty()) return {};
  return std::filesystem::absolute(options.data_directory + "/" + others_folder(options.database))
      .string();
}

Result<std::unique_ptr<engine::Database>> open_database(const WarehouseOptions& options) {
  engine::DatabaseOptions database;
  database.threads = options.threads;
  database.memory_bytes_max = options.memory_bytes_max;
  database.temp_directory = options.temp_directory;
  database.key = options.key;
  database.directories = options.directories;
  if (!options.data_directory.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.data_directory + "/scratch", error);
    if (error) {
      return fail_errno(error.value(),
                        "cannot make the warehouse's folder " + options.data_directory);
    }
    database.path = options.data_directory + "/" + options.database + ".duckdb";
    database.directories.push_back(others_directory(options));
    database.directories.push_back(
        std::filesystem::absolute(options.data_directory + "/scratch").string());
  }
  return engine::Database::open(database);
}

SqlStatus set_connection(engine::Connection& connection, const SessionState& session,
                         std::string_view user) {
  for (const std::string& setting : sql::required_settings()) LEAT_TRY(connection.run(setting));
  LEAT_TRY(enter_database(connection, session));
  LEAT_TRY(
      connection.run(fmt::format("SET VARIABLE leat_session = CAST({} AS BIGINT)", session.id)));
  return enter_user(connection, user, session.user_id);
}

}  // namespace

SqlStatus enter_user(engine::Connection& connection, std::string_view name, std::int32_t id) {
  LEAT_TRY(connection.run(fmt::format("SET VARIABLE leat_user = {}", engine::quote_literal(name))));
  LEAT_TRY(connection.run(fmt::format("SET VARIABLE leat_user_id = {}", id)));
  return {};
}

SqlStatus enter_database(engine::Connection& connection, const SessionState& session) {
  const std::string& alias = session.own_catalog->alias();
  LEAT_TRY(connection.run("USE " + engine::quote_identifier(alias)));
  LEAT_TRY(
      connection.run(fmt::format("SET VARIABLE leat_alias = {}", engine::quote_literal(alias))));
  LEAT_TRY(connection.run(fmt::format("SET VARIABLE leat_database = {}",
                                      engine::quote_literal(session.request.database))));
  return {};
}

StatementTimer::StatementTimer(Expired expired) : expired_(expired), thread_([this] { run(); }) {}

StatementTimer::~StatementTimer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void StatementTimer::arm(SessionState& session, std::int64_t after_us) {
  const std::lock_guard lock(mutex_);
  deadlines_.emplace(system_clock().monotonic_us() + after_us, &session);
  changed_.notify_all();
}

void StatementTimer::disarm(SessionState& session) {
  const std::lock_guard lock(mutex_);
  std::erase_if(deadlines_, [&](const auto& entry) { return entry.second == &session; });
}

void StatementTimer::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (deadlines_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const std::int64_t left = deadlines_.begin()->first - system_clock().monotonic_us();
    if (left > 0) {
      changed_.wait_for(lock, std::chrono::microseconds(left));
      continue;
    }
    // Within the lock, so that disarm() returns only when this is over.
    expired_(*deadlines_.begin()->second);
    deadlines_.erase(deadlines_.begin());
  }
}

WarehouseState::WarehouseState(WarehouseOptions opened_with)
    : options(std::move(opened_with)),
      clock(options.clock == nullptr ? system_clock() : *options.clock),
      timer([](SessionState& session) { session.cancel(true); }) {}

WarehouseState::~WarehouseState() = default;

TimeUs WarehouseState::now() const {
  return clock.now();
}

void WarehouseState::record(ConnectionRecord record) {
  if (audit != nullptr) audit->write(record);
  history.add(std::move(record));
}

SqlStatus WarehouseState::add_session(SessionState& session, SessionInfo info,
                                      std::int64_t of_user_max, std::int64_t of_database_max) {
  const std::unique_lock lock(sessions_mutex_);
  if (sessions_.size() >= options.sessions_max) {
    return engine::fail_sql("53300", "sorry, too many clients already", {},
                            "The limit is warehouse.sessions_max.");
  }
  const auto own = std::ranges::count_if(
      sessions_, [&](const auto& entry) { return entry.second.info.user_id == info.user_id; });
  if (of_user_max >= 0 && own >= of_user_max)
    return engine::fail_sql("53300", "too many connections for user \"" + info.user + "\"");
  const auto there = std::ranges::count_if(sessions_, [&](const auto& entry) {
    return entry.second.info.database_oid == info.database_oid;
  });
  if (of_database_max >= 0 && there >= of_database_max) {
    return engine::fail_sql("53300", "too many connections for database \"" + info.database + "\"");
  }
  if (closed_databases_.contains(info.database_oid)) return no_database(info.database);
  const std::int32_t id = info.id;
  sessions_[id] = Entry{&session, std::move(info)};
  return {};
}

SqlStatus WarehouseState::close_database(const catalog::Database& known) {
  refresher->pause(known.oid);
  std::unique_lock lock(sessions_mutex_);
  const bool used = std::ranges::any_of(sessions_, [&](const auto& entry) {
    const SessionInfo& info = entry.second.info;
    return info.database_oid == known.oid || info.used_database_oid == known.oid ||
           info.visited_database_oid == known.oid;
  });
  if (used) {
    lock.unlock();
    refresher->resume(known.oid);
    return engine::fail_sql("55006",
                            "database \"" + known.name + "\" is being accessed by other users");
  }
  closed_databases_.insert(known.oid);
  return {};
}

SqlStatus WarehouseState::use_database(std::int32_t id, const catalog::Database& known) {
  const std::unique_lock lock(sessions_mutex_);
  if (closed_databases_.contains(known.oid)) return no_database(known.name);
  if (const auto found = sessions_.find(id); found != sessions_.end())
    found->second.info.used_database_oid = known.oid;
  return {};
}

SqlStatus WarehouseState::visit_database(std::int32_t id, const catalog::Database& known) {
  const std::unique_lock lock(sessions_mutex_);
  if (closed_databases_.contains(known.oid)) return no_database(known.name);
  if (const auto found = sessions_.find(id); found != sessions_.end())
    found->second.info.visited_database_oid = known.oid;
  return {};
}

void WarehouseState::reopen_database(catalog::Oid database_oid) {
  refresher->resume(database_oid);
  const std::unique_lock lock(sessions_mutex_);
  closed_databases_.erase(database_oid);
}

std::string WarehouseState::database_name(catalog::Oid database_oid) const {
  const catalog::DatabasePointer known = catalog->database(database_oid);
  return known == nullptr ? std::string() : known->name;
}

void WarehouseState::remove_session(std::int32_t id) {
  const std::unique_lock lock(sessions_mutex_);
  sessions_.erase(id);
}

void WarehouseState::update_info(std::int32_t id, const std::function<void(SessionInfo&)>& change) {
  const std::unique_lock lock(sessions_mutex_);
  if (const auto found = sessions_.find(id); found != sessions_.end()) change(found->second.info);
}

std::vector<SessionInfo> WarehouseState::session_infos() const {
  const std::shared_lock lock(sessions_mutex_);
  std::vector<SessionInfo> infos;
  for (const auto& [id, entry] : sessions_) infos.push_back(entry.info);
  return infos;
}

bool WarehouseState::with_session(
    std::int64_t id, const std::function<void(const catalog::SessionFacts&)>& use) const {
  const std::shared_lock lock(sessions_mutex_);
  const auto found = sessions_.find(static_cast<std::int32_t>(id));
  if (found == sessions_.end()) return false;
  use(found->second.session->facts());
  return true;
}

bool WarehouseState::stop_session(std::int64_t id, std::int64_t target, bool terminate) {
  const std::shared_lock lock(sessions_mutex_);
  const auto asking = sessions_.find(static_cast<std::int32_t>(id));
  const auto found = sessions_.find(static_cast<std::int32_t>(target));
  if (asking == sessions_.end() || found == sessions_.end()) return false;
  const catalog::UserPointer user = catalog->user(asking->second.info.user_id);
  const catalog::UserPointer other = catalog->user(found->second.info.user_id);
  if (user == nullptr) return false;
  const bool own = found->second.info.user_id == user->id;
  // The privilege is for queries, and for those of users. The asking session's thread waits for
  // this answer, so its state stands still.
  const bool may_cancel = !terminate && !(other != nullptr && other->superuser) &&
                          asking->second.session->has_system_privilege("cancel");
  if (!own && !user->superuser && !may_cancel) return false;
  if (terminate) {
    found->second.session->terminate();
  } else {
    found->second.session->cancel(false);
  }
  return true;
}

SessionState::SessionState(std::shared_ptr<WarehouseState> warehouse,
                           std::shared_ptr<catalog::Catalog> database,
                           std::unique_ptr<engine::Connection> opened)
    : shared(std::move(warehouse)),
      connection(std::move(opened)),
      own_catalog(std::move(database)),
      catalog(*own_catalog, *connection) {}

SessionState::~SessionState() {
  if (id == 0) return;
  rollback_block(nullptr);
  statements.clear();
  recent.clear();
  sql_prepared.clear();
  portals.clear();
  cursors.clear();
  for (const catalog::RelationPointer& temporary : catalog.temporaries())
    connection->blank_marks().forget(temporary->oid);
  // Temporary tables go with the connection.
  shared->remove_session(id);
  unlock_statement();
  if (holds_checkpoints) {
    shared->database->release_checkpoints();
    shared->databases->release();
  }
  if (automatic) return;
  const catalog::UserPointer me = user();
  shared->record(ConnectionRecord{.event = "disconnecting session",
                                  .time = shared->now(),
                                  .remote = request.remote_address,
                                  .session = id,
                                  .database = connected_database,
                                  .user = me == nullptr ? request.user : me->name,
                                  .method = {},
                                  .duration_us = shared->now().value - started.value,
                                  .timed_out = idled_out,
                                  .encrypted = request.encrypted,
                                  .application = settings.get("application_name")});
}

catalog::SessionFacts SessionState::facts() const {
  return {.catalog = &home_catalog(),
          .user_id = user_id,
          .search_path = resolved_search_path(true),
          .database = home_database(),
          .each_other =
              [this](const auto& use) {
                for (const Databases::CatalogPointer& other : shared->databases->all()) {
                  if (other.get() == &home_catalog().catalog()) continue;
                  const catalog::DatabasePointer known = other->database();
                  if (known != nullptr)
                    use(known->name, catalog::CatalogSession(*other, *connection));
                }
              },
          .focus = focus.load()};
}

void SessionState::cancel(bool because_of_timeout) {
  if (because_of_timeout) timed_out = true;
  cancelled = true;
  connection->interrupt();
  shared->locks.wake(id);
  shared->queues->wake(id);
}

void SessionState::terminate() {
  ended = true;
  cancel(false);
  const std::lock_guard lock(wake_mutex);
  if (wake) wake();
}

Warehouse::Warehouse(std::shared_ptr<WarehouseState> state) : state_(std::move(state)) {}

Warehouse::~Warehouse() {
  state_->refresher->stop();
  LEAT_CHECK(state_->session_infos().empty());
  static_cast<void>(state_->database->checkpoint());
}

Result<std::unique_ptr<Warehouse>> Warehouse::open(WarehouseOptions options) {
  auto state = std::make_shared<WarehouseState>(std::move(options));
  state->started = state->now();
  const Result<std::vector<QueueSpec>> queues = parse_queues(state->options.queues);
  if (!queues) return fail(Errc::kInvalid, "warehouse.queues: " + queues.error().message);
  state->queues = std::make_unique<QueryQueues>(*queues);
  if (!state->options.audit_file.empty()) {
    LEAT_ASSIGN(state->audit,
                AuditLog::open(state->options.audit_file, state->options.audit_statements));
  }
  LEAT_ASSIGN(state->database, open_database(state->options));
  if (SqlStatus added = catalog::add_system_functions(*state->database, *state); !added) {
    return std::unexpected(to_error(added.error(), "cannot register the system functions"));
  }
  SqlResult<std::unique_ptr<engine::Connection>> connection = state->database->connect();
  if (!connection) {
    return std::unexpected(
        to_error(connection.error(), "cannot connect to the warehouse's database"));
  }
  for (const std::string& setting : sql::required_settings()) {
    if (auto done = (*connection)->run(setting); !done) {
      return std::unexpected(to_error(done.error(), "cannot set up the warehouse's database"));
    }
  }
  catalog::CatalogOptions catalog_options{.database = state->options.database,
                                          .admin_user = state->options.admin_user,
                                          .admin_password = state->options.admin_password,
                                          .now = state->now(),
                                          .random = state->options.random};
  SqlResult<std::unique_ptr<catalog::Catalog>> catalog =
      catalog::Catalog::open(**connection, catalog_options);
  if (!catalog)
    return std::unexpected(to_error(catalog.error(), "cannot read the warehouse's catalog"));
  state->catalog = std::move(*catalog);
  if (SqlStatus made = catalog::create_system_schema(**connection); !made) {
    return std::unexpected(to_error(made.error(), "cannot make the warehouse's system schema"));
  }
  state->databases =
      std::make_unique<Databases>(*state->database, others_directory(state->options));
  LEAT_TRY(state->databases->open_all(state->catalog));
  state->refresher =
      std::make_unique<AutoRefresh>(auto_refresh_host(state), state->options.auto_refresh_delay_us);
  // What changed before the last end is not known.
  for (const Databases::CatalogPointer& each : state->databases->all()) {
    for (const catalog::Oid view : each->auto_refreshed())
      state->refresher->note({.database = each->oid(), .view = view});
  }
  return std::unique_ptr<Warehouse>(new Warehouse(std::move(state)));
}

LoginVerifier Warehouse::login_verifier(std::string_view name) const {
  const catalog::UserPointer user = state_->catalog->user(without_prefix(name));
  LoginVerifier verifier{.user = std::string(without_prefix(name)),
                         .md5_hex = {},
                         .sha256_digest = {},
                         .sha256_salt = {},
                         .temporary = {}};
  if (user != nullptr && !user->password_disabled) {
    verifier.md5_hex = user->md5_hex;
    verifier.sha256_digest = user->sha256_digest;
    verifier.sha256_salt = user->sha256_salt;
  } else {
    // A salt that stays the same for a name, as a real one does.
    const auto salt = sha256("leat login " + std::string(name) + state_->options.admin_password);
    verifier.sha256_salt.assign(salt.begin(), salt.end());
  }
  if (user == nullptr) return verifier;
  for (const std::string& password : state_->temporary_passwords.of(name, state_->now())) {
    const auto digest = sha256(password + verifier.sha256_salt);
    verifier.temporary.push_back({.md5_hex = to_hex(md5(password + std::string(name))),
                                  .sha256_digest = std::string(digest.begin(), digest.end())});
  }
  return verifier;
}

bool Warehouse::check_password(std::string_view name, std::string_view password) const {
  const catalog::UserPointer user = state_->catalog->user(without_prefix(name));
  bool right = catalog::password_matches(user.get(), password);
  for (const std::string& temporary : state_->temporary_passwords.of(name, state_->now())) {
    right = (equal_secret(temporary, password) && user != nullptr) || right;
  }
  return right;
}

void Warehouse::add_temporary_password(std::string_view login, std::string_view password,
                                       TimeUs expires) {
  state_->temporary_passwords.add(login, password, expires);
}

std::optional<UserFacts> Warehouse::user_facts(std::string_view name) const {
  const catalog::UserPointer user = state_->catalog->user(name);
  if (user == nullptr) return std::nullopt;
  return UserFacts{.name = user->name, .superuser = user->superuser};
}

void Warehouse::record_refused_login(const SessionRequest& request, std::string_view method) {
  state_->record(ConnectionRecord{.event = "authentication failure",
                                  .time = state_->now(),
                                  .remote = request.remote_address,
                                  .session = 0,
                                  .database = request.database,
                                  .user = std::string(utf8_prefix(request.user, 127)),
                                  .method = std::string(method),
                                  .duration_us = 0,
                                  .encrypted = request.encrypted,
                                  .application = {}});
}

SqlResult<std::unique_ptr<SessionState>> open_state(const std::shared_ptr<WarehouseState>& state,
                                                    const catalog::User& user,
                                                    const catalog::Database& database,
                                                    Databases::CatalogPointer catalog,
                                                    const SessionRequest& request, bool automatic) {
  LEAT_ASSIGN(std::unique_ptr<engine::Connection> connection, state->database->connect());
  auto session = std::make_unique<SessionState>(state, std::move(catalog), std::move(connection));
  session->automatic = automatic;
  session->user_id = user.id;
  session->login_user_id = user.id;
  session->request = request;
  session->connected_database = request.database;
  session->started = state->now();
  session->settings.force("session_authorization", user.name);
  session->settings.force("is_superuser", user.superuser ? "on" : "off");
  if (user.name == state->options.admin_user) {
    // The ledger's schema has the administrator's name: "$user" would make it the place where
    // CREATE TABLE puts what a person makes.
    session->settings.force("search_path", "public");
  }
  for (const auto& [name, value] : user.settings)
    static_cast<void>(session->settings.set(name, value));
  for (const auto& [name, value] : request.settings) {
    // Clients send parameters of many servers: what is not known, or cannot be, is left out.
    static_cast<void>(session->settings.set(to_lower(name), value));
  }
  if (!session->follow_time_zone()) {
    static_cast<void>(session->settings.reset("timezone"));
  }
  session->settings.make_default();
  session->settings_before = session->settings;
  Random& random = state->options.random == nullptr ? secure_random() : *state->options.random;
  session->secret_key = static_cast<std::int32_t>(random.next());
  session->id = state->next_session.fetch_add(1);
  SessionInfo info;
  info.id = session->id;
  info.user_id = user.id;
  info.user = user.name;
  info.database_oid = database.oid;
  info.database = database.name;
  info.timeout_s = user.session_timeout_s;
  session->idle_timeout_us = user.session_timeout_s * 1'000'000;
  info.application = session->settings.get("application_name");
  info.start = session->started;
  if (SqlStatus added =
          state->add_session(*session, std::move(info), automatic ? -1 : user.connection_limit,
                             automatic || user.superuser ? -1 : database.connection_limit);
      !added) {
    session->id = 0;  // nobody knows it, and nothing has to be given back
    return std::unexpected(std::move(added).error());
  }
  LEAT_TRY(set_connection(*session->connection, *session, user.name));
  session->engine_zone = "UTC";  // as required_settings() say
  if (automatic) return session;
  state->record(ConnectionRecord{.event = "initiating session",
                                 .time = session->started,
                                 .remote = request.remote_address,
                                 .session = session->id,
                                 .database = request.database,
                                 .user = user.name,
                                 .method = {},
                                 .duration_us = 0,
                                 .timeout_s = user.session_timeout_s,
                                 .encrypted = request.encrypted,
                                 .application = session->settings.get("application_name")});
  return session;
}

SqlResult<std::unique_ptr<Session>> Warehouse::open_session(const SessionRequest& request) {
  if (state_->closing) return engine::fail_sql("57P03", "the warehouse is shutting down");
  const catalog::UserPointer user = state_->catalog->user(without_prefix(request.user));
  if (user == nullptr) {
    return engine::fail_sql("28000",
                            "password authentication failed for user \"" + request.user + "\"");
  }
  if (user->valid_until_time && *user->valid_until_time <= state_->now()) {
    return engine::fail_sql("28000",
                            "the password of user \"" + user->name + "\" is no longer valid");
  }
  const catalog::DatabasePointer database = state_->catalog->database(request.database);
  const Databases::CatalogPointer catalog =
      database == nullptr ? nullptr : state_->databases->of(database->oid);
  if (catalog == nullptr) return no_database(request.database);
  LEAT_ASSIGN(auto session, open_state(state_, *user, *database, catalog, request, false));
  return std::make_unique<Session>(std::move(session));
}

void Warehouse::cancel(std::int32_t id, std::int32_t secret_key) {
  const std::shared_lock lock(state_->sessions_mutex_);
  const auto found = state_->sessions_.find(id);
  if (found == state_->sessions_.end() || found->second.session->secret_key != secret_key) return;
  found->second.session->cancel(false);
}

void Warehouse::terminate_sessions() {
  state_->closing = true;
  state_->refresher->stop();
  const std::shared_lock lock(state_->sessions_mutex_);
  for (const auto& [id, entry] : state_->sessions_) entry.session->terminate();
}

std::size_t Warehouse::session_count() const {
  return state_->session_infos().size();
}
const std::string& Warehouse::database() const {
  return state_->options.database;
}
bool Warehouse::has_database(std::string_view name) const {
  return state_->catalog->database(name) != nullptr;
}

}  // namespace leat::session
