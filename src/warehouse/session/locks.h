// Table locks, held from a transaction's first use of a table to its end.
//
//   kRead      a query                                       waits for kExclusive
//   kWrite     INSERT, UPDATE, DELETE, COPY, DDL             waits for kWrite and kExclusive
//   kExclusive LOCK                                          waits for everybody
//
// So writers of one table follow each other instead of failing, readers never wait for writers, and
// LOCK keeps everybody away, as Redshift's ACCESS EXCLUSIVE does. Waiters are served in the order
// of arrival. A wait that would close a circle fails at once with 40P01.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/session/result.h"

namespace leat::session {

enum class LockMode : std::uint8_t { kRead, kWrite, kExclusive };

/// As pg_locks shows it: "AccessShareLock", ....
[[nodiscard]] std::string_view lock_mode_name(LockMode mode);

struct LockInfo {
  std::string table;
  std::int32_t session = 0;
  LockMode mode = LockMode::kWrite;
  bool granted = false;
};

/// Any thread.
class LockTable {
 public:
  /// Takes the lock of `table` ("database/schema.name") for `session`; at once when it has it
  /// already, as strong or stronger. `stopped` is asked before and after every sleep (see wake()).
  /// Errors: 40P01 deadlock, 55P03 after `timeout_us`, 57014 when stopped.
  [[nodiscard]] SqlStatus acquire(std::int32_t session, const std::string& table, LockMode mode,
                                  std::int64_t timeout_us, const std::function<bool()>& stopped);
  /// Gives back everything that `session` holds.
  void release_all(std::int32_t session);
  /// Lets a waiting session look at its `stopped` again.
  void wake(std::int32_t session);
  [[nodiscard]] std::vector<LockInfo> list() const;

 private:
  struct Waiter {
    std::int32_t session = 0;
    LockMode mode = LockMode::kWrite;
  };
  struct Lock {
    std::map<std::int32_t, LockMode> holders;
    std::list<Waiter> waiters;
    std::condition_variable changed;
  };
  /// Sessions that must go before `session` can have the lock: holders, and waiters before it.
  [[nodiscard]] static std::vector<std::int32_t> blockers(const Lock& lock, std::int32_t session,
                                                          LockMode mode);
  [[nodiscard]] bool would_deadlock(std::int32_t session, const Lock& lock, LockMode mode) const;
  void hold(Lock& lock, const std::string& table, std::int32_t session, LockMode mode);
  void grant(Lock& lock, const std::string& table);

  mutable std::mutex mutex_;  // guards all below
  std::map<std::string, std::unique_ptr<Lock>, std::less<>> locks_;
  std::map<std::int32_t, std::set<std::string>> held_;
  std::map<std::int32_t, std::string> waiting_for_;
};

}  // namespace leat::session
