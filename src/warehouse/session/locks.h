// Table locks: held from the first write (or LOCK) of a transaction to its end, so that writers of
// one table follow each other instead of failing.
//
// One mode, exclusive. Readers take none: they see their snapshot. Waiters are served in the order
// of arrival. A wait that would close a circle fails at once with 40P01.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/session/result.h"

namespace leat::session {

struct LockInfo {
  std::string table;
  std::int32_t session = 0;
  bool granted = false;
};

/// Any thread.
class LockTable {
 public:
  /// Takes the lock of `table` ("schema.name") for `session`; at once when it has it already.
  /// `stopped` is asked before and after every sleep (see wake()). Errors: 40P01 deadlock, 55P03
  /// after `timeout_us`, 57014 when stopped.
  [[nodiscard]] SqlStatus acquire(std::int32_t session, const std::string& table,
                                  std::int64_t timeout_us, const std::function<bool()>& stopped);
  /// Gives back everything that `session` holds.
  void release_all(std::int32_t session);
  /// Lets a waiting session look at its `stopped` again.
  void wake(std::int32_t session);
  [[nodiscard]] std::vector<LockInfo> list() const;

 private:
  struct Lock {
    std::int32_t owner = 0;
    std::deque<std::int32_t> waiters;
    std::condition_variable changed;
  };
  [[nodiscard]] bool would_deadlock(std::int32_t session, const Lock& lock) const;

  mutable std::mutex mutex_;  // guards all below
  std::map<std::string, std::unique_ptr<Lock>, std::less<>> locks_;
  std::map<std::int32_t, std::vector<std::string>> held_;
  std::map<std::int32_t, std::string> waiting_for_;
};

}  // namespace leat::session
