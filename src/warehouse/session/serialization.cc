#include "warehouse/session/serialization.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace leat::session {
namespace {

/// Committed transactions that are remembered for open ones; with more the next statement of those
/// is refused.
constexpr std::size_t kRememberedMax = 20'000;

std::optional<catalog::Oid> shared_table(const std::set<catalog::Oid>& a,
                                         const std::set<catalog::Oid>& b) {
  for (const catalog::Oid oid : a) {
    if (b.contains(oid)) return oid;
  }
  return std::nullopt;
}

std::unexpected<SqlError> violation(std::string detail) {
  return engine::fail_sql("40001", "1023", std::move(detail),
                          "Run the transaction again; LOCK the tables at its start to wait "
                          "instead.");
}

}  // namespace

bool Serialization::before(const Entry& a, const Entry& b) {
  const bool a_sees_b = b.committed != 0 && b.committed < a.snapshot;
  const bool b_sees_a = a.committed != 0 && a.committed < b.snapshot;
  if (!a_sees_b && shared_table(a.use.reads, b.use.writes)) return true;
  if (b_sees_a && shared_table(a.use.writes, b.use.reads)) return true;
  const bool first = a.committed != 0 && (b.committed == 0 || a.committed < b.committed);
  return first && shared_table(a.use.writes, b.use.writes).has_value();
}

std::vector<std::int64_t> Serialization::circle(std::int64_t from) const {
  // Breadth first: the shortest circle is the one to be told.
  std::map<std::int64_t, std::int64_t> reached_from;
  std::vector<std::int64_t> queue{from};
  for (std::size_t at = 0; at < queue.size(); ++at) {
    const Entry& here = entries_.at(queue[at]);
    for (const auto& [id, entry] : entries_) {
      if (id == queue[at] || reached_from.contains(id) || !before(here, entry)) continue;
      reached_from[id] = queue[at];
      if (id != from) {
        queue.push_back(id);
        continue;
      }
      std::vector<std::int64_t> way;
      for (std::int64_t step = reached_from[from]; step != from; step = reached_from[step])
        way.push_back(step);
      way.push_back(from);
      return way;
    }
  }
  return {};
}

SqlStatus Serialization::begin(std::int64_t transaction, const std::function<SqlStatus()>& take) {
  const std::lock_guard lock(mutex_);
  LEAT_TRY(take());
  entries_[transaction] = {.snapshot = ++time_};
  return {};
}

SqlStatus Serialization::add(std::int64_t transaction, std::int32_t session, const Use& use) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(transaction);
  if (found == entries_.end() || (use.reads.empty() && use.writes.empty())) return {};
  if (entries_.size() > kRememberedMax) {
    return violation(
        fmt::format("Serializable isolation violation: more than {} transactions "
                    "committed since this one began.",
                    kRememberedMax));
  }
  Entry& entry = found->second;
  entry.use.reads.insert(use.reads.begin(), use.reads.end());
  entry.use.writes.insert(use.writes.begin(), use.writes.end());
  const std::vector<std::int64_t> way = circle(transaction);
  if (way.empty()) return {};
  const Entry& other = entries_.at(way.front());
  auto table = shared_table(use.reads, other.use.writes);
  if (!table) table = shared_table(use.writes, other.use.reads);
  if (!table) table = shared_table(use.writes, other.use.writes);
  return violation(
      fmt::format("Serializable isolation violation on table - {}, transactions forming the cycle "
                  "are: {} (pid:{})",
                  table.value_or(0), fmt::join(way, ", "), session));
}

SqlResult<bool> Serialization::commit(std::int64_t transaction,
                                      const std::function<SqlResult<bool>()>& commit) {
  const std::lock_guard lock(mutex_);
  SqlResult<bool> done = commit();
  if (const auto found = entries_.find(transaction); found != entries_.end()) {
    if (done && *done) {
      found->second.committed = ++time_;
    } else {
      entries_.erase(found);
    }
  }
  forget();
  return done;
}

void Serialization::rolled_back(std::int64_t transaction) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(transaction);
  if (found == entries_.end() || found->second.committed != 0) return;
  entries_.erase(found);
  forget();
}

std::size_t Serialization::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void Serialization::forget() {
  // What committed before a snapshot that is remembered cannot come after its owner; a circle
  // through an open transaction and one that it does not see may pass by one that both see.
  std::uint64_t horizon = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [id, entry] : entries_) {
    if (entry.committed == 0) horizon = std::min(horizon, entry.snapshot);
  }
  std::uint64_t oldest = horizon;
  for (const auto& [id, entry] : entries_) {
    if (entry.committed > horizon) oldest = std::min(oldest, entry.snapshot);
  }
  std::erase_if(entries_, [&](const auto& each) {
    return each.second.committed != 0 && each.second.committed < oldest;
  });
}

}  // namespace leat::session
