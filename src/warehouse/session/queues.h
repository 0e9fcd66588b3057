// Queues of statements: how many of each kind may run at once, as Redshift's workload management
// has them.
//
// A statement goes to the queue that has the name of the session's query_group, else to the one
// that has the name of a group of the user's, else to "default". In a queue statements are served
// in the order of arrival.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "warehouse/session/result.h"

namespace leat::session {

struct QueueSpec {
  std::string name{};
  std::int64_t slots = 0;  ///< 0: no limit.
};

/// Reads "load=2, reports=4, default=8": names in lower case and numbers from 1 to 10000. Empty:
/// none, and nothing waits. Errors: kInvalid, naming the part. Pure.
[[nodiscard]] Result<std::vector<QueueSpec>> parse_queues(std::string_view text);

/// A statement in a queue.
struct QueuedStatement {
  std::int32_t session = 0;
  std::int32_t user = 0;
  std::int64_t query = 0;
  std::int64_t transaction = 0;
  std::int64_t slots = 1;
  TimeUs entered{};
  TimeUs started{};
  bool running = false;
};

struct QueueState {
  std::int32_t service_class = 0;
  std::string name{};
  std::int64_t slots = 0;
  std::int64_t used = 0;
  std::int64_t served = 0;                    ///< Statements since the start.
  std::vector<QueuedStatement> statements{};  ///< Running ones, then those that wait, in order.
};

/// Any thread.
class QueryQueues {
 public:
  /// Adds "superuser" (one slot) in front and "default" (no limit) at the end when `specs` does not
  /// name it. Service classes as in Redshift: 5 superuser, 6 and on the named ones; 100 the default
  /// one when nothing is configured.
  explicit QueryQueues(const std::vector<QueueSpec>& specs);

  /// The queue of a statement; `groups`: the user's, in order.
  [[nodiscard]] std::size_t choose(std::string_view query_group,
                                   const std::vector<std::string>& groups, bool superuser) const;
  /// Waits for slots and returns for how long, in microseconds. A `hurried` statement, whose
  /// transaction others may wait for, takes them at once. Errors: 22023 for more slots than the
  /// queue has, 57014 when `stopped` says so.
  [[nodiscard]] SqlResult<std::int64_t> enter(std::size_t queue, QueuedStatement statement,
                                              bool hurried, const std::function<bool()>& stopped,
                                              const std::function<TimeUs()>& now);
  /// Gives the slots of the session's statement back; nothing to do when it has none.
  void leave(std::int32_t session);
  /// Lets a waiting session look at its `stopped` again.
  void wake(std::int32_t session);

  [[nodiscard]] std::vector<QueueState> list() const;
  [[nodiscard]] std::int32_t service_class(std::size_t queue) const;
  [[nodiscard]] const std::string& name(std::size_t queue) const;

 private:
  struct Queue {
    std::string name;
    std::int32_t service_class = 0;
    std::int64_t slots = 0;
    std::int64_t used = 0;
    std::int64_t served = 0;
    std::list<QueuedStatement> statements;
  };
  /// Starts those at the front that fit.
  void admit(Queue& queue);

  mutable std::mutex mutex_;  // guards all below but names, classes and slots, which stay
  std::condition_variable changed_;
  std::vector<Queue> queues_;
  std::map<std::int32_t, std::size_t> queue_of_;  ///< By session.
};

}  // namespace leat::session
