#include "warehouse/session/locks.h"

#include <algorithm>
#include <chrono>

namespace leat::session {
namespace {

bool conflict(LockMode a, LockMode b) {
  if (a == LockMode::kExclusive || b == LockMode::kExclusive) return true;
  return a == LockMode::kWrite && b == LockMode::kWrite;
}

}  // namespace

std::string_view lock_mode_name(LockMode mode) {
  switch (mode) {
    case LockMode::kRead:
      return "AccessShareLock";
    case LockMode::kWrite:
      return "ShareRowExclusiveLock";
    case LockMode::kExclusive:
      return "AccessExclusiveLock";
  }
  return "";
}

std::vector<std::int32_t> LockTable::blockers(const Lock& lock, std::int32_t session,
                                              LockMode mode) {
  std::vector<std::int32_t> list;
  for (const auto& [holder, held] : lock.holders) {
    if (holder != session && conflict(held, mode)) list.push_back(holder);
  }
  // One that holds the lock already and wants more goes first: those that wait, wait for it.
  if (lock.holders.contains(session)) return list;
  for (const Waiter& waiter : lock.waiters) {
    if (waiter.session == session) break;
    if (conflict(waiter.mode, mode)) list.push_back(waiter.session);
  }
  return list;
}

bool LockTable::would_deadlock(std::int32_t session, const Lock& lock, LockMode mode) const {
  std::vector<std::int32_t> open = blockers(lock, session, mode);
  std::set<std::int32_t> seen;
  while (!open.empty()) {
    const std::int32_t next = open.back();
    open.pop_back();
    if (next == session) return true;
    if (!seen.insert(next).second) continue;
    const auto waits = waiting_for_.find(next);
    if (waits == waiting_for_.end()) continue;
    const Lock& other = *locks_.find(waits->second)->second;
    const auto waiter = std::ranges::find(other.waiters, next, &Waiter::session);
    const std::vector<std::int32_t> more = blockers(other, next, waiter->mode);
    open.insert(open.end(), more.begin(), more.end());
  }
  return false;
}

void LockTable::hold(Lock& lock, const std::string& table, std::int32_t session, LockMode mode) {
  LockMode& held = lock.holders.try_emplace(session, mode).first->second;
  held = std::max(held, mode);
  held_[session].insert(table);
}

void LockTable::grant(Lock& lock, const std::string& table) {
  for (auto waiter = lock.waiters.begin(); waiter != lock.waiters.end();) {
    if (!blockers(lock, waiter->session, waiter->mode).empty()) {
      ++waiter;
      continue;
    }
    hold(lock, table, waiter->session, waiter->mode);
    waiting_for_.erase(waiter->session);
    waiter = lock.waiters.erase(waiter);
  }
  lock.changed.notify_all();
}

SqlStatus LockTable::acquire(std::int32_t session, const std::string& table, LockMode mode,
                             std::int64_t timeout_us, const std::function<bool()>& stopped) {
  std::unique_lock guard(mutex_);
  auto& slot = locks_[table];
  if (slot == nullptr) slot = std::make_unique<Lock>();
  Lock& lock = *slot;
  if (const auto held = lock.holders.find(session);
      held != lock.holders.end() && held->second >= mode) {
    return {};
  }
  if (blockers(lock, session, mode).empty()) {
    hold(lock, table, session, mode);
    return {};
  }
  if (would_deadlock(session, lock, mode)) {
    return engine::fail_sql(
        "40P01", "deadlock detected",
        "The session waits for table " + table + ", whose holder waits for this session.",
        "Lock the tables of all transactions in the same order.");
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(timeout_us);
  lock.waiters.push_back({.session = session, .mode = mode});
  waiting_for_[session] = table;
  bool timed_out = false;
  const auto granted = [&] { return !waiting_for_.contains(session); };
  while (!granted() && !stopped() && !timed_out) {
    timed_out = lock.changed.wait_until(guard, deadline) == std::cv_status::timeout;
  }
  if (granted()) return {};
  waiting_for_.erase(session);
  std::erase_if(lock.waiters, [&](const Waiter& waiter) { return waiter.session == session; });
  grant(lock, table);  // those behind may have waited for this one only
  if (stopped()) return engine::fail_sql("57014", "canceling statement due to user request");
  return engine::fail_sql("55P03", "canceling statement due to lock timeout",
                          "Table " + table + " stayed locked.");
}

void LockTable::release_all(std::int32_t session) {
  const std::lock_guard guard(mutex_);
  const auto held = held_.extract(session);
  if (held.empty()) return;
  for (const std::string& table : held.mapped()) {
    const auto found = locks_.find(table);
    Lock& lock = *found->second;
    lock.holders.erase(session);
    if (lock.holders.empty() && lock.waiters.empty()) {
      locks_.erase(found);
    } else {
      grant(lock, table);
    }
  }
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
    for (const auto& [holder, mode] : lock->holders) {
      list.push_back({.table = table, .session = holder, .mode = mode, .granted = true});
    }
    for (const Waiter& waiter : lock->waiters) {
      list.push_back(
          {.table = table, .session = waiter.session, .mode = waiter.mode, .granted = false});
    }
  }
  return list;
}

}  // namespace leat::session
