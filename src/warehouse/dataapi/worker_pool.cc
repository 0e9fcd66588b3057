#include "warehouse/dataapi/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace leat::dataapi {

bool WorkerPool::ready() const {
  return !reserved_.empty() || (!shared_.empty() && shared_running_ < shared_max_);
}

bool WorkerPool::run(Job job, bool reserved) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return false;
  (reserved ? reserved_ : shared_).push_back(std::move(job));
  const std::size_t startable =
      reserved_.size() + std::min(shared_.size(), shared_max_ - shared_running_);
  if (idle_ < startable) {
    threads_.emplace_back([this] { work(); });
    ++idle_;
    static_cast<void>(
        pthread_setname_np(threads_.back().native_handle(), name_.substr(0, 15).c_str()));
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ready() || (stopping_ && shared_.empty()); });
    if (!ready()) return;
    const bool reserved = !reserved_.empty();
    std::deque<Job>& queue = reserved ? reserved_ : shared_;
    Job job = std::move(queue.front());
    queue.pop_front();
    if (!reserved) ++shared_running_;
    --idle_;
    lock.unlock();
    job();
    job = nullptr;  // what it holds goes outside of the lock
    lock.lock();
    ++idle_;
    if (!reserved) --shared_running_;
    changed_.notify_all();
  }
}

void WorkerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  // Nobody adds threads any more.
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace leat::dataapi
