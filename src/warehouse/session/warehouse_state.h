// What all sessions of one warehouse share. Inside of the module only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/time.h"
#include "warehouse/catalog/catalog.h"
#include "warehouse/catalog/system_functions.h"
#include "warehouse/engine/database.h"
#include "warehouse/session/audit.h"
#include "warehouse/session/auto_refresh.h"
#include "warehouse/session/databases.h"
#include "warehouse/session/history.h"
#include "warehouse/session/locks.h"
#include "warehouse/session/queues.h"
#include "warehouse/session/serialization.h"
#include "warehouse/session/temporary_passwords.h"
#include "warehouse/session/warehouse.h"

namespace leat::session {

struct SessionState;

/// What others may see of a session.
struct SessionInfo {
  std::int32_t id = 0;
  std::int32_t user_id = 0;
  std::string user{};
  catalog::Oid database_oid = 0;
  std::int64_t timeout_s = 0;             ///< SESSION TIMEOUT of the user; 0: none
  catalog::Oid used_database_oid = 0;     ///< By USE; 0: none
  catalog::Oid visited_database_oid = 0;  ///< Written to by the open transaction; 0: none
  std::string database{};
  std::string application{};
  TimeUs start{};
  std::string state{"idle"};
  std::string query{};
  std::int64_t query_id = 0;
  TimeUs query_start{};
  std::int64_t transaction = 0;
  TimeUs transaction_start{};
};

/// Cancels statements whose time is over; one thread for all sessions, asleep while nothing is
/// armed.
class StatementTimer {
 public:
  using Expired = void (*)(SessionState& session);
  explicit StatementTimer(Expired expired);
  StatementTimer(const StatementTimer&) = delete;
  StatementTimer& operator=(const StatementTimer&) = delete;
  ~StatementTimer();
  void arm(SessionState& session, std::int64_t after_us);
  /// After it returns, `session` is not touched any more.
  void disarm(SessionState& session);

 private:
  void run();

  Expired expired_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::multimap<std::int64_t, SessionState*> deadlines_;
  bool stopping_ = false;
  std::thread thread_;
};

struct WarehouseState final : catalog::SystemHost {
  explicit WarehouseState(WarehouseOptions opened_with);
  ~WarehouseState() override;

  // SystemHost
  bool with_session(std::int64_t id,
                    const std::function<void(const catalog::SessionFacts&)>& use) const override;
  [[nodiscard]] std::string live_rows(std::string_view relation, std::int64_t id) const override;
  bool stop_session(std::int64_t id, std::int64_t target, bool terminate) override;

  [[nodiscard]] TimeUs now() const;

  /// Into the history and the audit log.
  void record(ConnectionRecord record);

  /// Makes it known. Errors: 53300 when there are too many, or `of_user_max` (-1: no limit) of its
  /// user, or `of_database_max` of its database; 3D000 when that is being dropped.
  SqlStatus add_session(SessionState& session, SessionInfo info, std::int64_t of_user_max,
                        std::int64_t of_database_max);
  /// From now on nobody can connect to it, until released. 55006 while somebody is.
  SqlStatus close_database(const catalog::Database& known);
  void reopen_database(catalog::Oid database);
  /// Keeps it from being closed while session `id` uses it. 3D000 when it is closed.
  SqlStatus use_database(std::int32_t id, const catalog::Database& known);
  /// The same until the session's transaction ends.
  SqlStatus visit_database(std::int32_t id, const catalog::Database& known);
  /// Its name; empty when there is none any more.
  [[nodiscard]] std::string database_name(catalog::Oid database) const;
  void remove_session(std::int32_t id);
  void update_info(std::int32_t id, const std::function<void(SessionInfo&)>& change);
  [[nodiscard]] std::vector<SessionInfo> session_infos() const;

  WarehouseOptions options;
  const Clock& clock;
  std::unique_ptr<engine::Database> database;
  std::shared_ptr<catalog::Catalog> catalog;  ///< Of the first database: users, groups, roles.
  std::unique_ptr<Databases> databases;
  LockTable locks;
  Serialization serialization;
  std::unique_ptr<QueryQueues> queues;
  std::unique_ptr<AuditLog> audit;  ///< Null: none is kept.
  History history;
  TemporaryPasswords temporary_passwords;
  StatementTimer timer;
  std::unique_ptr<AutoRefresh> refresher;  ///< From Warehouse::open() on.
  TimeUs started{};
  std::atomic<std::int64_t> next_query{1};
  std::atomic<std::int64_t> next_transaction{1000};
  std::atomic<std::int32_t> next_session{1'073'741'824};  // as large as Redshift's process numbers
  std::atomic<bool> closing{false};

 private:
  struct Entry {
    SessionState* session = nullptr;
    SessionInfo info{};
  };
  mutable std::shared_mutex sessions_mutex_;  // guards all below
  std::map<std::int32_t, Entry> sessions_;
  std::set<catalog::Oid> closed_databases_;

  friend class Warehouse;
};

/// A session of `user` in the database of `catalog`. `automatic`: of the warehouse's own, which no
/// limit on connections and no log of them concerns. Errors: 53300 (warehouse.cc).
[[nodiscard]] SqlResult<std::unique_ptr<SessionState>> open_state(
    const std::shared_ptr<WarehouseState>& state, const catalog::User& user,
    const catalog::Database& database, Databases::CatalogPointer catalog,
    const SessionRequest& request, bool automatic);

/// What AutoRefresh asks of the warehouse (auto_refresh.cc).
[[nodiscard]] AutoRefresh::Host auto_refresh_host(const std::weak_ptr<WarehouseState>& state);

/// Rows of live relations, apart from the session's own (live_rows.cc).
[[nodiscard]] std::string live_rows_of(const WarehouseState& state, std::string_view relation,
                                       const SessionInfo& viewer, bool sees_all);

}  // namespace leat::session
