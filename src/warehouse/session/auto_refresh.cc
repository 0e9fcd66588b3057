#include "warehouse/session/auto_refresh.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/clock.h"
#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

class SilentSink final : public ResultSink {
 public:
  bool on_fields(std::span<const Field>) override { return true; }
  bool on_rows(const engine::Chunk&, std::size_t, std::size_t) override { return true; }
  bool on_complete(std::string_view) override { return true; }
  bool on_empty() override { return true; }
  void on_notice(Severity, std::string_view, std::string_view) override {}
  void on_setting(std::string_view, std::string_view) override {}
};

/// True when the relation reads one of `changed`, itself or through views.
bool reads(const catalog::Catalog& catalog, const catalog::Relation& relation,
           const std::set<catalog::Oid>& changed, int depth = 0) {
  constexpr int kDepthMax = 100;  // as of views that depend on each other
  return std::ranges::any_of(relation.depends_on, [&](const catalog::Oid oid) {
    if (changed.contains(oid)) return true;
    const catalog::RelationPointer below = catalog.relation(oid);
    return below != nullptr && !below->stored() && depth < kDepthMax &&
           reads(catalog, *below, changed, depth + 1);
  });
}

std::vector<ViewKey> readers_of(const WarehouseState& state, catalog::Oid database,
                                const std::set<catalog::Oid>& changed) {
  std::vector<ViewKey> readers;
  const Databases::CatalogPointer catalog = state.databases->of(database);
  if (catalog == nullptr) return readers;
  for (const catalog::Oid oid : catalog->auto_refreshed()) {
    const catalog::RelationPointer view = catalog->relation(oid);
    if (view != nullptr && reads(*catalog, *view, changed))
      readers.push_back({.database = database, .view = oid});
  }
  return readers;
}

/// False for what goes by: others in the way, or too many sessions. What is wrong with the query
/// waits for the next change.
bool is_over(const SqlStatus& done) {
  static constexpr std::string_view kPassing[] = {"40001", "40P01", "55P03",
                                                  "57014", "57P01", "53300"};
  return done || std::ranges::find(kPassing, done.error().sqlstate) == std::end(kPassing);
}

bool refresh_view(const std::shared_ptr<WarehouseState>& state, const ViewKey& key) {
  const catalog::DatabasePointer database = state->catalog->database(key.database);
  const Databases::CatalogPointer catalog =
      database == nullptr ? nullptr : state->databases->of(key.database);
  const catalog::RelationPointer view = catalog == nullptr ? nullptr : catalog->relation(key.view);
  const catalog::UserPointer owner = view == nullptr ? nullptr : state->catalog->user(view->owner);
  if (owner == nullptr || !view->auto_refresh) return true;
  const SessionRequest request{.user = owner->name,
                               .database = database->name,
                               .settings = {{"application_name", "auto refresh"}}};
  SqlResult<std::unique_ptr<SessionState>> session =
      open_state(state, *owner, *database, catalog, request, true);
  if (!session) return false;
  AutoRefresh& worker = *state->refresher;
  worker.running(session->get(), lock_name(catalog->alias(), view->schema_name, view->name));
  SilentSink sink;
  const SqlStatus done = (*session)->simple_query(
      fmt::format("REFRESH MATERIALIZED VIEW {}.{}", engine::quote_identifier(view->schema_name),
                  engine::quote_identifier(view->name)),
      sink);
  worker.running(nullptr, {});
  return is_over(done);
}

}  // namespace

AutoRefresh::Host auto_refresh_host(const std::weak_ptr<WarehouseState>& state) {
  return {.readers =
              [state](catalog::Oid database, const std::set<catalog::Oid>& changed) {
                const auto known = state.lock();
                return known == nullptr ? std::vector<ViewKey>()
                                        : readers_of(*known, database, changed);
              },
          .refresh =
              [state](const ViewKey& view) {
                const auto known = state.lock();
                return known == nullptr || refresh_view(known, view);
              }};
}

void RefreshSchedule::note(const ViewKey& view, std::int64_t now_us) {
  constexpr std::int64_t kDelaysMax = 10;
  const auto [entry, added] =
      waiting_.try_emplace(view, Entry{.first_us = now_us, .due_us = now_us + delay_us_});
  if (added) return;
  const std::int64_t last = entry->second.first_us + kDelaysMax * delay_us_;
  entry->second.due_us = std::max(entry->second.due_us, std::min(now_us + delay_us_, last));
}

void RefreshSchedule::retry(const ViewKey& view, std::int64_t now_us) {
  constexpr int kDoublingsMax = 6;
  const int before = attempts_[view]++;
  const std::int64_t due =
      now_us + delay_us_ * (std::int64_t{1} << std::min(before, kDoublingsMax));
  waiting_[view] = {.first_us = now_us, .due_us = due};
}

std::optional<std::int64_t> RefreshSchedule::next_us() const {
  std::optional<std::int64_t> next;
  for (const auto& [view, entry] : waiting_)
    next = std::min(next.value_or(entry.due_us), entry.due_us);
  return next;
}

std::optional<ViewKey> RefreshSchedule::take(std::int64_t now_us) {
  const auto first = std::ranges::min_element(
      waiting_, {}, [](const auto& waiting) { return waiting.second.due_us; });
  if (first == waiting_.end() || first->second.due_us > now_us) return std::nullopt;
  const ViewKey view = first->first;
  waiting_.erase(first);
  return view;
}

AutoRefresh::AutoRefresh(Host host, std::int64_t delay_us)
    : host_(std::move(host)), schedule_(delay_us), thread_([this] { run(); }) {}

void AutoRefresh::changed(catalog::Oid database, const std::set<catalog::Oid>& relations) {
  const std::lock_guard lock(mutex_);
  news_[database].insert(relations.begin(), relations.end());
  changed_.notify_all();
}

void AutoRefresh::note(const ViewKey& view) {
  const std::lock_guard lock(mutex_);
  schedule_.note(view, system_clock().monotonic_us());
  changed_.notify_all();
}

void AutoRefresh::running(SessionState* session, std::string held) {
  const std::lock_guard lock(mutex_);
  session_ = session;
  lock_ = std::move(held);
  const bool unwanted = stopping_ || (current_ && paused_.contains(current_->database));
  if (unwanted) cancel_running(true);
}

/// Not SessionState::cancel(): who asks may hold the mutex of the table locks. The session waits
/// for no lock for long.
void AutoRefresh::cancel_running(bool for_good) {
  if (session_ == nullptr) return;
  if (for_good) session_->ended = true;
  session_->cancelled = true;
  session_->connection->interrupt();
}

void AutoRefresh::give_way(std::string_view held) {
  const std::lock_guard lock(mutex_);
  if (session_ != nullptr && lock_ == held) cancel_running(false);
}

void AutoRefresh::pause(catalog::Oid database) {
  std::unique_lock lock(mutex_);
  paused_.insert(database);
  if (current_ && current_->database == database) cancel_running(true);
  changed_.wait(lock, [&] { return !current_ || current_->database != database; });
}

void AutoRefresh::resume(catalog::Oid database) {
  const std::lock_guard lock(mutex_);
  paused_.erase(database);
}

void AutoRefresh::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    cancel_running(true);
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void AutoRefresh::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!news_.empty()) {
      const auto news = std::exchange(news_, {});
      lock.unlock();
      std::vector<ViewKey> readers;
      for (const auto& [database, relations] : news) {
        const std::vector<ViewKey> found = host_.readers(database, relations);
        readers.insert(readers.end(), found.begin(), found.end());
      }
      lock.lock();
      for (const ViewKey& view : readers) schedule_.note(view, system_clock().monotonic_us());
      continue;
    }
    const std::int64_t now = system_clock().monotonic_us();
    current_ = schedule_.take(now);
    if (!current_) {
      if (const auto next = schedule_.next_us()) {
        changed_.wait_for(lock, std::chrono::microseconds(*next - now));
      } else {
        changed_.wait(lock);
      }
      continue;
    }
    const ViewKey view = *current_;
    bool over = false;
    if (!paused_.contains(view.database)) {
      lock.unlock();
      over = host_.refresh(view);
      lock.lock();
    }
    current_.reset();
    changed_.notify_all();
    if (over) {
      schedule_.done(view);
    } else {
      schedule_.retry(view, system_clock().monotonic_us());
    }
  }
}

}  // namespace leat::session
