#include "warehouse/session/locks.h"

#include <algorithm>
#include <chrono>

namespace leat::session {

bool LockTable::would_deadlock(std::int32_t session, const Lock& lock) const {
  std::int32_t holder = lock.owner;
  // Every session waits for at most one lock, so the chain has no branches; it can only be as long
  // as there are waiters.
  for (std::size_t steps = 0; steps <= waiting_for_.size(); ++steps) {
    if (holder == session) return true;
    const auto waits = waiting_for_.find(holder);
    if (waits == waiting_for_.end()) return false;
    const auto next = locks_.find(waits->second);
    if (next == locks_.end()) return false;
    holder = next->second->owner;
  }
  return true;
}

SqlStatus LockTable::acquire(std::int32_t session, const std::string& table,
                             std::int64_t timeout_us, const std::function<bool()>& stopped) {
  std::unique_lock guard(mutex_);
  auto& slot = locks_[table];
  if (slot == nullptr) slot = std::make_unique<Lock>();
  Lock& lock = *slot;
  if (lock.owner == session) return {};
  if (lock.owner == 0) {
    lock.owner = session;
    held_[session].push_back(table);
    return {};
  }
  if (would_deadlock(session, lock)) {
    return engine::fail_sql(
        "40P01", "deadlock detected",
        "The session waits for table " + table + ", whose holder waits for this session.",
        "Lock the tables of all transactions in the same order.");
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(timeout_us);
  lock.waiters.push_back(session);
  waiting_for_[session] = table;
  bool timed_out = false;
  while (lock.owner != session && !stopped() && !timed_out) {
    timed_out = lock.changed.wait_until(guard, deadline) == std::cv_status::timeout;
  }
  waiting_for_.erase(session);
  if (lock.owner == session) return {};  // release_all() made us the owner and noted it
  std::erase(lock.waiters, session);
  if (stopped()) return engine::fail_sql("57014", "canceling statement due to user request");
  return engine::fail_sql("55P03", "canceling statement due to lock timeout",
                          "Table " + table + " stayed locked.");
}

void LockTable::release_all(std::int32_t session) {
  const std::lock_guard guard(mutex_);
  const auto held = held_.find(session);
  if (held == held_.end()) return;
  for (const std::string& table : held->second) {
    const auto found = locks_.find(table);
    Lock& lock = *found->second;
    if (lock.waiters.empty()) {
      locks_.erase(found);
      continue;
    }
    lock.owner = lock.waiters.front();
    lock.waiters.pop_front();
    held_[lock.owner].push_back(table);
    lock.changed.notify_all();
  }
  held_.erase(session);
}

void LockTable::wake(std::int32_t session) {
  const std::lock_guard guard(mutex_);
  const auto waits = waiting_for_.find(session);
  if (waits == waiting_for_.end()) return;
  if (const auto lock = locks_.find(waits->second); lock != locks_.end())
    lock->second->changed.notify_all();
}

std::vector<LockInfo> LockTable::list() const {
  const std::lock_guard guard(mutex_);
  std::vector<LockInfo> list;
  for (const auto& [table, lock] : locks_) {
    list.push_back({.table = table, .session = lock->owner, .granted = true});
    for (const std::int32_t waiter : lock->waiters)
      list.push_back({.table = table, .session = waiter, .granted = false});
  }
  return list;
}

}  // namespace leat::session
