#include "warehouse/session/history.h"

#include <algorithm>
#include <utility>

namespace leat::session {
namespace {

constexpr std::size_t kQueriesMax = 5000;
constexpr std::size_t kOthersMax = 5000;

template <class Record>
void append(std::deque<Record>& records, Record record, std::size_t limit) {
  records.push_back(std::move(record));
  if (records.size() > limit) records.pop_front();
}

template <class Record>
std::vector<Record> copy(const std::deque<Record>& records) {
  return {records.begin(), records.end()};
}

}  // namespace

void History::start(QueryRecord record) {
  const std::lock_guard lock(mutex_);
  append(queries_, std::move(record), kQueriesMax);
}

void History::finish(QueryRecord record) {
  const std::lock_guard lock(mutex_);
  // Ids grow with the position, and a running statement is near the end.
  for (auto at = queries_.rbegin(); at != queries_.rend(); ++at) {
    if (at->id != record.id) continue;
    *at = std::move(record);
    at->finished = true;
    return;
  }
}

void History::add(LoadErrorRecord record) {
  const std::lock_guard lock(mutex_);
  append(load_errors_, std::move(record), kOthersMax);
}

void History::add(LoadRecord record) {
  const std::lock_guard lock(mutex_);
  append(loads_, std::move(record), kOthersMax);
}

void History::add(UnloadRecord record) {
  const std::lock_guard lock(mutex_);
  append(unloads_, std::move(record), kOthersMax);
}

void History::add(ConnectionRecord record) {
  const std::lock_guard lock(mutex_);
  append(connections_, std::move(record), kOthersMax);
}

void History::add(QuotaRecord record) {
  const std::lock_guard lock(mutex_);
  append(quota_violations_, std::move(record), kOthersMax);
}

void History::add(RefreshRecord record) {
  const std::lock_guard lock(mutex_);
  append(refreshes_, std::move(record), kOthersMax);
}

std::vector<QueryRecord> History::queries() const {
  const std::lock_guard lock(mutex_);
  return copy(queries_);
}

std::vector<LoadErrorRecord> History::load_errors() const {
  const std::lock_guard lock(mutex_);
  return copy(load_errors_);
}

std::vector<LoadRecord> History::loads() const {
  const std::lock_guard lock(mutex_);
  return copy(loads_);
}

std::vector<UnloadRecord> History::unloads() const {
  const std::lock_guard lock(mutex_);
  return copy(unloads_);
}

std::vector<ConnectionRecord> History::connections() const {
  const std::lock_guard lock(mutex_);
  return copy(connections_);
}

std::vector<QuotaRecord> History::quota_violations() const {
  const std::lock_guard lock(mutex_);
  return copy(quota_violations_);
}

std::vector<RefreshRecord> History::refreshes() const {
  const std::lock_guard lock(mutex_);
  return copy(refreshes_);
}

}  // namespace leat::session
