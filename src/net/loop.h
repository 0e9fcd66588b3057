// One thread's event loop over epoll: descriptors, timers, and functions posted by other threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/error.h"

namespace leat::net {

/// Runs callbacks on the thread that called run(). Only post() and stop() may be called from other
/// threads; everything else belongs to the loop's thread (or to any one thread before run()).
class Loop {
 public:
  using Task = std::move_only_function<void()>;
  /// `events` is the epoll mask that fired.
  using Callback = std::move_only_function<void(std::uint32_t events)>;
  using TimerId = std::uint64_t;
  using WatchId = std::uint64_t;

  /// Errors: kUnavailable, kExhausted when the system refuses descriptors.
  [[nodiscard]] static Result<std::unique_ptr<Loop>> make();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Calls `callback` whenever `descriptor` has one of `events` (epoll bits, level triggered). The
  /// descriptor stays the caller's and must outlive the watch. Errors: those of epoll_ctl.
  [[nodiscard]] Result<WatchId> watch(int descriptor, std::uint32_t events, Callback callback);
  /// Changes what a watch waits for; 0 still reports errors and hang-ups.
  void change_watch(WatchId id, std::uint32_t events);
  /// Ends a watch; its callback is not called any more, even when its event has already been
  /// collected.
  void end_watch(WatchId id);

  /// Calls `task` once, `us` microseconds from now (0: at the next turn).
  TimerId run_after(std::int64_t us, Task task);
  void cancel_timer(TimerId id);

  /// Runs `task` on the loop's thread, in order of posting. Any thread. After the loop has ended,
  /// `task` is destroyed unrun and false is returned.
  bool post(Task task);
  /// Calls `task` after every turn, before the loop waits again: the place to send what a turn has
  /// gathered.
  void at_turn_end(Task task);

  /// Runs until stop(). Calls watches, timers and tasks on this thread.
  void run();
  /// Makes run() return after its current turn. Any thread.
  void stop();
  /// True on the thread inside run().
  [[nodiscard]] bool is_current_thread() const;
  /// Monotonic microseconds, read once a turn: cheap, up to one turn old.
  [[nodiscard]] std::int64_t turn_us() const;

 private:
  struct State;
  explicit Loop(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace leat::net
