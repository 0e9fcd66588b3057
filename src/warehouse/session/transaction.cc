// Blocks, locks, and what an error does to them.
#include <fmt/format.h>

#include "base/clock.h"
#include "warehouse/session/session_state.h"

namespace leat::session {

void SessionState::start_block(Block kind, bool read_only) {
  block = kind;
  failed = false;
  block_read_only = read_only;
  settings_before = settings;
  transaction_id = shared->next_transaction.fetch_add(1);
  shared->update_info(id, [&](SessionInfo& info) {
    info.transaction = transaction_id;
    info.transaction_start = shared->now();
  });
}

SqlStatus SessionState::open_engine() {
  LEAT_TRY(follow_time_zone());
  if (block == Block::kNone || engine_open) return {};
  LEAT_TRY(begin_engine());
  engine_open = true;
  catalog.transaction_started();
  return {};
}

SqlStatus SessionState::begin_engine() {
  const catalog::DatabasePointer database = catalog.database();
  serialized = database != nullptr && database->serializable;
  if (!serialized) return connection->begin();
  return shared->serialization.begin(transaction_id, [&]() -> SqlStatus {
    LEAT_TRY(connection->begin());
    // The engine takes the snapshot of a file when that is first read.
    auto read = connection->query("SELECT 1 FROM leat_catalog.properties LIMIT 1");
    if (read) return {};
    static_cast<void>(connection->rollback());
    return std::unexpected(std::move(read).error());
  });
}

SqlStatus SessionState::check_serializable() {
  const Serialization::Use use = std::exchange(tables_used, {});
  return serialized ? shared->serialization.add(transaction_id, id, use) : SqlStatus();
}

SqlStatus SessionState::follow_time_zone() {
  const std::string& name = settings.get("timezone");
  if (engine_zone == name) return {};
  // Values are written with the machine's database of zones, read and computed with the engine's.
  if (Result<TimeZone> known = TimeZone::find(name); !known)
    return engine::fail_sql("22023", std::move(known).error().message);
  LEAT_TRY(connection->run("SET TimeZone = " + engine::quote_literal(name)));
  engine_zone = name;
  return {};
}

const TimeZone& SessionState::time_zone() {
  const std::string& name = settings.get("timezone");
  if (zone.name() != name) zone = TimeZone::find(name).value_or(TimeZone());
  return zone;
}

void SessionState::end_block() {
  block = Block::kNone;
  failed = false;
  engine_open = false;
  block_read_only = false;
  rows_changed.clear();
  changed_relations.clear();
  visited_catalog.reset();
  serialized = false;
  grown_schemas.clear();
  if (!local_before.empty()) {
    for (const auto& [name, value] : local_before) static_cast<void>(settings.set(name, value));
    local_before.clear();
    ++settings_epoch;
  }
  cursors.clear();
  portals.clear();
  streaming = nullptr;
  unlock_statement();
  shared->update_info(id, [](SessionInfo& info) {
    info.transaction = 0;
    info.visited_database_oid = 0;
  });
}

SqlStatus SessionState::commit_block(ResultSink* sink) {
  if (block == Block::kNone) return {};
  if (failed) {
    rollback_block(sink);
    return {};
  }
  LEAT_TRY(quiet_engine());
  cursors.clear();
  portals.clear();
  streaming = nullptr;
  if (engine_open) {
    if (SqlStatus allowed = check_quotas(); !allowed) {
      rollback_block(sink);
      return allowed;
    }
    const auto commit = [&] { return catalog.commit(); };
    SqlResult<bool> committed =
        serialized ? shared->serialization.commit(transaction_id, commit) : commit();
    if (!committed) {
      SqlError error = dress(std::move(committed).error());
      rollback_block(sink);
      return std::unexpected(std::move(error));
    }
    for (const auto& changed : {own_catalog, visited_catalog}) {
      const bool refreshed = changed != nullptr && !changed->auto_refreshed().empty();
      if (!changed_relations.empty() && refreshed)
        shared->refresher->changed(changed->oid(), changed_relations);
    }
  }
  end_block();
  return {};
}

void SessionState::rollback_block(ResultSink* sink) {
  if (block == Block::kNone) return;
  cursors.clear();
  portals.clear();
  streaming = nullptr;
  if (engine_open) {
    static_cast<void>(connection->rollback());
    catalog.rolled_back();
    if (serialized) shared->serialization.rolled_back(transaction_id);
  }
  const std::vector<std::pair<std::string, std::string>> before = settings.list();
  settings = settings_before;
  local_before.clear();
  for (const auto& [name, value] : before) {
    if (settings.get(name) == value) continue;
    ++settings_epoch;
    if (sink != nullptr) report_setting(name, *sink);
  }
  end_block();
}

void SessionState::fail_block() {
  if (block == Block::kNone) return;
  const Block kind = block;
  const bool read_only = block_read_only;
  rollback_block(nullptr);
  if (kind == Block::kExplicit) {
    block = kind;
    failed = true;
    block_read_only = read_only;
    settings_before = settings;
  }
}

SqlStatus SessionState::check_stopped() const {
  if (ended)
    return engine::fail_sql("57P01", "terminating connection due to administrator command");
  if (timed_out) {
    return engine::fail_sql("57014",
                            fmt::format("Query ({}) cancelled: statement timeout", current_query));
  }
  if (cancelled) {
    return engine::fail_sql("57014",
                            fmt::format("Query ({}) cancelled on user's request", current_query));
  }
  return {};
}

SqlError SessionState::dress(SqlError error) const {
  if (error.sqlstate == "57014" || ended) {
    if (SqlStatus stopped = check_stopped(); !stopped) return std::move(stopped).error();
  }
  if (error.sqlstate == "40001" && error.message != "1023") {
    error.detail =
        "Serializable isolation violation: another transaction changed the same data first (" +
        error.message + ").";
    error.message = "1023";
    error.hint = "Run the transaction again; LOCK the table at its start to wait instead.";
  }
  if (error.message.starts_with("a transaction can write to one database only"))
    return one_database_error(std::move(error));
  return error;
}

std::string lock_name(std::string_view database, std::string_view schema, std::string_view name) {
  return fmt::format("{}/{}.{}", database, schema, name);
}

SqlStatus SessionState::lock_table(const std::string& schema, const std::string& name,
                                   LockMode mode, std::string_view database) {
  const std::int64_t before = shared->clock.monotonic_us();
  holds_locks = true;
  // The relations pg_... stand for what all databases share.
  if (database.empty() && !schema.starts_with("pg_")) database = own_catalog->alias();
  const std::string lock = lock_name(database, schema, name);
  constexpr std::int64_t kAutomaticTimeoutUs = 1'000'000;
  const std::int64_t timeout_us = automatic ? kAutomaticTimeoutUs : shared->options.lock_timeout_us;
  SqlStatus locked = shared->locks.acquire(id, lock, mode, timeout_us, [&] {
    if (!automatic) shared->refresher->give_way(lock);
    return cancelled || ended;
  });
  lock_wait_us += shared->clock.monotonic_us() - before;
  return locked;
}

void SessionState::unlock_statement() {
  if (!holds_locks) return;
  holds_locks = false;
  shared->locks.release_all(id);
}

SqlStatus SessionState::run_transaction(Running& running) {
  const auto& statement = std::get<sql::TransactionStatement>(running.statement.node);
  switch (statement.kind) {
    case sql::TransactionKind::kBegin:
      if (block == Block::kExplicit) {
        running.sink.on_notice(Severity::kWarning, "25001",
                               "there is already a transaction in progress");
      } else if (block == Block::kImplicit) {
        block = Block::kExplicit;  // earlier statements of the same string belong to it
        block_read_only = statement.read_only.value_or(false);
      } else {
        start_block(Block::kExplicit,
                    statement.read_only.value_or(settings.is_on("default_transaction_read_only")));
      }
      return {};
    case sql::TransactionKind::kCommit:
      if (block != Block::kExplicit) {
        running.sink.on_notice(Severity::kWarning, "25P01", "there is no transaction in progress");
      }
      if (failed) running.tag = "ROLLBACK";
      return commit_block(&running.sink);
    case sql::TransactionKind::kRollback:
      if (block != Block::kExplicit) {
        running.sink.on_notice(Severity::kWarning, "25P01", "there is no transaction in progress");
      }
      rollback_block(&running.sink);
      return {};
  }
  return {};
}

}  // namespace leat::session
