#include "net/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <vector>

namespace leat::net {
namespace {

using testing::ElementsAre;

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe(ends.data()), 0); }
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void put() const { EXPECT_EQ(::write(ends[1], "x", 1), 1); }
  void take() const {
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
  }
  std::array<int, 2> ends{};
};

TEST(Loop, RunsTimersInOrderOfTimeAndPostsInOrderOfPosting) {
  auto loop = *Loop::make();
  std::vector<int> seen;
  loop->run_after(2000, [&] { seen.push_back(3); });
  loop->run_after(1000, [&] { seen.push_back(2); });
  const auto cancelled = loop->run_after(1500, [&] { seen.push_back(99); });
  loop->cancel_timer(cancelled);
  loop->run_after(3000, [&] { loop->stop(); });
  loop->post([&] { seen.push_back(0); });
  loop->post([&] { seen.push_back(1); });
  loop->run();
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3));
}

TEST(Loop, CallsAWatchUntilItEnds) {
  auto loop = *Loop::make();
  const Pipe pipe;
  int calls = 0;
  Loop::WatchId id = 0;
  id = *loop->watch(pipe.ends[0], EPOLLIN, [&](std::uint32_t events) {
    EXPECT_EQ(events, std::uint32_t{EPOLLIN});
    if (++calls == 3) {
      loop->end_watch(id);
      loop->run_after(0, [&] { loop->stop(); });
    }
  });
  pipe.put();  // level triggered: not read, so it fires again and again
  loop->run();
  EXPECT_EQ(calls, 3);
}

TEST(Loop, AWatchEndedInTheSameTurnIsNotCalled) {
  auto loop = *Loop::make();
  const Pipe one;
  const Pipe two;
  std::array<Loop::WatchId, 2> ids{};
  int calls = 0;
  const auto end_other = [&](std::size_t other) {
    return [&, other](std::uint32_t) {
      ++calls;
      loop->end_watch(ids[other]);
      loop->stop();
    };
  };
  ids[0] = *loop->watch(one.ends[0], EPOLLIN, end_other(1));
  ids[1] = *loop->watch(two.ends[0], EPOLLIN, end_other(0));
  one.put();
  two.put();
  loop->run();
  EXPECT_EQ(calls, 1);
}

TEST(Loop, ChangedAndReusedWatchesGoToTheRightCallback) {
  auto loop = *Loop::make();
  const Pipe one;
  const Pipe two;
  std::vector<int> seen;
  const auto first = *loop->watch(one.ends[0], EPOLLIN, [&](std::uint32_t) { seen.push_back(1); });
  loop->change_watch(first, 0);
  one.put();
  two.put();
  loop->post([&] {
    loop->end_watch(first);
    EXPECT_TRUE(loop->watch(two.ends[0], EPOLLIN, [&](std::uint32_t) {
      seen.push_back(2);
      loop->stop();
    }));
  });
  loop->run();
  EXPECT_THAT(seen, ElementsAre(2));
}

TEST(Loop, CallsTheTurnEndAfterTheCallbacks) {
  auto loop = *Loop::make();
  std::vector<int> seen;
  loop->at_turn_end([&] { seen.push_back(2); });
  loop->post([&] { seen.push_back(1); });
  loop->post([&] { loop->stop(); });
  loop->run();
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST(Loop, TakesPostsFromOtherThreadsAndRefusesThemAfterItsEnd) {
  auto loop = *Loop::make();
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        loop->post([&] {
          EXPECT_TRUE(loop->is_current_thread());
          if (++count == 4000) loop->stop();
        });
      }
    });
  }
  loop->run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 4000);
  EXPECT_FALSE(loop->is_current_thread());
  bool ran = false;
  EXPECT_FALSE(loop->post([&] { ran = true; }));
  EXPECT_FALSE(ran);
}

TEST(Loop, ATimerOfZeroDoesNotKeepTheTurnFromEnding) {
  auto loop = *Loop::make();
  int turns = 0;
  int timers = 0;
  std::function<void()> again = [&] {
    ++timers;
    if (turns < 3) {
      loop->run_after(0, again);
    } else {
      loop->stop();
    }
  };
  loop->at_turn_end([&] { ++turns; });
  loop->run_after(0, again);
  loop->run();
  EXPECT_GE(turns, 3);
  EXPECT_LE(timers, turns + 1);
}

}  // namespace
}  // namespace leat::net
