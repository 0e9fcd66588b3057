#include "net/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "net/socket.h"

namespace leat::net {
namespace {

constexpr int kEventsPerTurn = 512;
constexpr std::uint64_t kWakeData = ~std::uint64_t{0};

struct Watch {
  int descriptor = -1;
  std::uint32_t generation = 0;
  bool active = false;
  Loop::Callback callback;
};

}  // namespace

struct Loop::State {
  Descriptor epoll;
  Descriptor wake;
  std::deque<Watch> watches;  // a deque: callbacks may add watches while one of them runs
  std::vector<std::uint32_t> free_slots;
  std::vector<std::uint32_t>
      ended;  // ended in this turn: their callbacks may be running, so they are freed after it
  std::map<std::pair<std::int64_t, TimerId>, Task> timers;
  std::unordered_map<TimerId, std::int64_t> timer_times;
  TimerId last_timer = 0;
  std::vector<Task> turn_ends;
  std::int64_t now_us = 0;
  std::atomic<std::thread::id> thread;
  std::atomic<bool> stopping{false};

  std::mutex mutex;  // guards the two below
  std::vector<Task> posted;
  bool closed = false;

  [[nodiscard]] Watch* find(WatchId id);
  [[nodiscard]] int wait_ms() const;
  void wake_up();
  void run_posted();
  void run_timers();
  void dispatch(const epoll_event& event);
  void free_ended();
};

Watch* Loop::State::find(WatchId id) {
  const auto slot = static_cast<std::uint32_t>(id);
  if (slot >= watches.size()) return nullptr;
  Watch& watch = watches[slot];
  return watch.active && watch.generation == id >> 32 ? &watch : nullptr;
}

int Loop::State::wait_ms() const {
  if (timers.empty()) return -1;
  const std::int64_t left = timers.begin()->first.first - system_clock().monotonic_us();
  return static_cast<int>(std::clamp<std::int64_t>((left + 999) / 1000, 0, 60'000));
}

void Loop::State::wake_up() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake.get(), &one, sizeof one);
}

void Loop::State::run_posted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex);
    tasks.swap(posted);
  }
  for (Task& task : tasks) task();
}

void Loop::State::run_timers() {
  // Only those due at the start: a task that sets a timer of 0 us must not keep the turn from
  // ending.
  const TimerId newest = last_timer;
  auto next = timers.begin();
  while (next != timers.end() && next->first.first <= now_us) {
    if (next->first.second > newest) {
      ++next;
      continue;
    }
    Task task = std::move(next->second);
    timer_times.erase(next->first.second);
    timers.erase(next);
    task();
    next = timers.begin();
  }
}

void Loop::State::dispatch(const epoll_event& event) {
  if (event.data.u64 == kWakeData) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake.get(), &count, sizeof count);
    run_posted();
    return;
  }
  if (Watch* watch = find(event.data.u64)) watch->callback(event.events);
}

void Loop::State::free_ended() {
  for (const std::uint32_t slot : ended) {
    watches[slot].callback = nullptr;
    free_slots.push_back(slot);
  }
  ended.clear();
}

Loop::Loop(std::unique_ptr<State> state) : state_(std::move(state)) {}
Loop::~Loop() = default;

Result<std::unique_ptr<Loop>> Loop::make() {
  auto state = std::make_unique<State>();
  state->epoll = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
  state->wake = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (state->epoll.get() < 0 || state->wake.get() < 0)
    return fail_errno(errno, "cannot make an event loop");
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWakeData}};
  if (::epoll_ctl(state->epoll.get(), EPOLL_CTL_ADD, state->wake.get(), &event) != 0) {
    return fail_errno(errno, "cannot make an event loop");
  }
  state->now_us = system_clock().monotonic_us();
  return std::unique_ptr<Loop>(new Loop(std::move(state)));
}

Result<Loop::WatchId> Loop::watch(int descriptor, std::uint32_t events, Callback callback) {
  State& state = *state_;
  if (state.free_slots.empty()) {
    state.free_slots.push_back(static_cast<std::uint32_t>(state.watches.size()));
    state.watches.emplace_back();
  }
  const std::uint32_t slot = state.free_slots.back();
  Watch& watch = state.watches[slot];
  const WatchId id = std::uint64_t{watch.generation} << 32 | slot;
  epoll_event event{.events = events, .data = {.u64 = id}};
  if (::epoll_ctl(state.epoll.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) {
    return fail_errno(errno, "cannot watch a descriptor");
  }
  state.free_slots.pop_back();
  watch.descriptor = descriptor;
  watch.active = true;
  watch.callback = std::move(callback);
  return id;
}

void Loop::change_watch(WatchId id, std::uint32_t events) {
  const Watch* watch = state_->find(id);
  if (watch == nullptr) return;
  epoll_event event{.events = events, .data = {.u64 = id}};
  ::epoll_ctl(state_->epoll.get(), EPOLL_CTL_MOD, watch->descriptor, &event);
}

void Loop::end_watch(WatchId id) {
  Watch* watch = state_->find(id);
  if (watch == nullptr) return;
  ::epoll_ctl(state_->epoll.get(), EPOLL_CTL_DEL, watch->descriptor, nullptr);
  watch->active = false;
  // One below 2^31, so that no id is ever kWakeData.
  watch->generation = (watch->generation + 1) & 0x7fffffff;
  state_->ended.push_back(static_cast<std::uint32_t>(id));
}

Loop::TimerId Loop::run_after(std::int64_t us, Task task) {
  State& state = *state_;
  const TimerId id = ++state.last_timer;
  const std::int64_t time = system_clock().monotonic_us() + std::max<std::int64_t>(us, 0);
  state.timer_times.emplace(id, time);
  state.timers.emplace(std::pair(time, id), std::move(task));
  return id;
}

void Loop::cancel_timer(TimerId id) {
  const auto found = state_->timer_times.find(id);
  if (found == state_->timer_times.end()) return;
  state_->timers.erase({found->second, id});
  state_->timer_times.erase(found);
}

bool Loop::post(Task task) {
  bool first = false;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return false;
    first = state_->posted.empty();
    state_->posted.push_back(std::move(task));
  }
  if (first) state_->wake_up();
  return true;
}

void Loop::at_turn_end(Task task) {
  state_->turn_ends.push_back(std::move(task));
}

void Loop::run() {
  State& state = *state_;
  state.thread = std::this_thread::get_id();
  std::array<epoll_event, kEventsPerTurn> events{};
  while (!state.stopping.load()) {
    const int count =
        ::epoll_wait(state.epoll.get(), events.data(), kEventsPerTurn, state.wait_ms());
    state.now_us = system_clock().monotonic_us();
    for (int i = 0; i < count; ++i) state.dispatch(events[static_cast<std::size_t>(i)]);
    state.run_timers();
    for (Task& task : state.turn_ends) task();
    state.free_ended();
  }
  std::vector<Task> dropped;
  {
    const std::lock_guard lock(state.mutex);
    state.closed = true;
    dropped.swap(state.posted);
  }
  dropped.clear();
  state.thread = std::thread::id();
}

void Loop::stop() {
  state_->stopping = true;
  state_->wake_up();
}

bool Loop::is_current_thread() const {
  return state_->thread.load() == std::this_thread::get_id();
}

std::int64_t Loop::turn_us() const {
  return state_->now_us;
}

}  // namespace leat::net
