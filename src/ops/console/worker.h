// One thread that runs tasks in order, for what may block and so must not run on an event loop.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace leat::console {

/// Any thread.
class Worker {
 public:
  using Task = std::move_only_function<void()>;

  /// At most `waiting_max` tasks wait.
  explicit Worker(std::size_t waiting_max);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Queues `task`; false, and the task is destroyed, when too many wait or the worker is stopped.
  [[nodiscard]] bool post(Task task);
  /// Ends after the running task; waiting ones are destroyed. Idempotent.
  void stop();

 private:
  void run();

  const std::size_t waiting_max_;
  std::mutex mutex_;  // guards waiting_ and stopping_
  std::condition_variable changed_;
  std::deque<Task> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace leat::console
