// Threads made when there is work, for jobs that may wait long (statements).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace leat::dataapi {

/// Any thread.
class WorkerPool {
 public:
  using Job = std::move_only_function<void()>;

  /// At most `shared_max` jobs run at once, beside the reserved ones; the others wait in order.
  WorkerPool(std::string name, std::size_t shared_max)
      : name_(std::move(name)), shared_max_(shared_max) {}
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() { stop(); }

  /// A `reserved` job runs at once, whatever else does: for those whose number the caller bounds
  /// and on which others may wait. False after stop().
  bool run(Job job, bool reserved = false);
  /// Runs what waits, then ends the threads. Not from a job.
  void stop();

 private:
  void work();
  [[nodiscard]] bool ready() const;

  std::string name_;
  std::size_t shared_max_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<Job> shared_;
  std::deque<Job> reserved_;
  std::size_t shared_running_ = 0;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace leat::dataapi
