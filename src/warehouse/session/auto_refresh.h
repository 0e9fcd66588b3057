// Materialized views with AUTO REFRESH YES: refreshed soon after something that they read has
// changed, one at a time, by a session of their owner's in a thread of the warehouse's.
//
// A view is due a short while after the last change, so that many changes in a row cost one
// refresh, but not later than ten such whiles after the first. What comes into the way of a user's
// statement is cancelled and tried again later (docs/adr/0142).
#pragma once

#include <compare>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "warehouse/catalog/model.h"

namespace leat::session {

struct SessionState;

struct ViewKey {
  catalog::Oid database = 0;
  catalog::Oid view = 0;
  auto operator<=>(const ViewKey&) const = default;
};

/// Which views are to be refreshed, and when. Times are monotonic, in microseconds. Not for several
/// threads.
class RefreshSchedule {
 public:
  explicit RefreshSchedule(std::int64_t delay_us) : delay_us_(delay_us) {}
  /// Something that the view reads has changed.
  void note(const ViewKey& view, std::int64_t now_us);
  /// The last attempt came to nothing: later again, each time twice as late, up to 64 delays.
  void retry(const ViewKey& view, std::int64_t now_us);
  /// The last attempt is over.
  void done(const ViewKey& view) { attempts_.erase(view); }
  /// When the next view is due.
  [[nodiscard]] std::optional<std::int64_t> next_us() const;
  /// Takes the view that is due for the longest time.
  [[nodiscard]] std::optional<ViewKey> take(std::int64_t now_us);

 private:
  struct Entry {
    std::int64_t first_us = 0;
    std::int64_t due_us = 0;
  };
  std::int64_t delay_us_;
  std::map<ViewKey, Entry> waiting_;
  std::map<ViewKey, int> attempts_;
};

/// Any thread.
class AutoRefresh {
 public:
  /// What a warehouse does for it.
  struct Host {
    /// The views with AUTO REFRESH that read any of the relations, directly or through views.
    std::function<std::vector<ViewKey>(catalog::Oid database, const std::set<catalog::Oid>&)>
        readers;
    /// Refreshes the view; false: to be tried again later.
    std::function<bool(const ViewKey&)> refresh;
  };

  AutoRefresh(Host host, std::int64_t delay_us);
  AutoRefresh(const AutoRefresh&) = delete;
  AutoRefresh& operator=(const AutoRefresh&) = delete;
  ~AutoRefresh() { stop(); }

  /// A transaction that changed rows of these relations has committed.
  void changed(catalog::Oid database, const std::set<catalog::Oid>& relations);
  void note(const ViewKey& view);

  /// Of the refresh under way: its session, and the table lock that users may wait for. Null: over.
  void running(SessionState* session, std::string lock);
  /// Somebody waits for that lock: the refresh that holds it is cancelled.
  void give_way(std::string_view lock);
  /// Ends refreshes in the database, and begins none before resume(): it is about to be dropped or
  /// renamed.
  void pause(catalog::Oid database);
  void resume(catalog::Oid database);
  /// Ends the thread; a refresh under way is cancelled.
  void stop();

 private:
  void run();
  /// `for_good`: what it has not begun either.
  void cancel_running(bool for_good);

  Host host_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  RefreshSchedule schedule_;
  std::map<catalog::Oid, std::set<catalog::Oid>> news_;
  std::set<catalog::Oid> paused_;
  std::optional<ViewKey> current_;
  SessionState* session_ = nullptr;
  std::string lock_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace leat::session
