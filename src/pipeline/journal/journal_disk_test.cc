// The journal on real files: threads, kill -9, a real full disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/random.h"
#include "pipeline/journal/inspect.h"
#include "pipeline/journal/journal.h"

namespace leat::journal {
namespace {

constexpr int kTimeoutMs = 30'000;

std::string make_directory() {
  std::string path = std::filesystem::temp_directory_path() / "leat-journal-XXXXXX";
  EXPECT_NE(::mkdtemp(path.data()), nullptr);
  return path;
}

Options disk_options(const std::string& directory, std::size_t shards) {
  Options options;
  options.directory = directory + "/journal";
  options.shard_count = shards;
  options.segment_bytes = 256 << 10;
  options.buffer_bytes = 64 << 10;
  options.disk_max = 256 << 20;
  options.retry_us = 2'000;
  return options;
}

// What record `offset` of `shard` holds, so that another process can check it.
std::string content(std::size_t shard, std::uint64_t offset) {
  SeededRandom random(shard * 1'000'000'007 + offset);
  std::string lines =
      "{\"shard\":" + std::to_string(shard) + ",\"offset\":" + std::to_string(offset);
  lines.append(random.below(3000), static_cast<char>('a' + random.below(26)));
  return lines + "}\n";
}

// Waits until the shard has news; false at the time limit.
bool wait_for_news(const Shard& shard) {
  pollfd wanted{.fd = shard.notify_fd(), .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, kTimeoutMs) <= 0) {
    return false;
  }
  eventfd_t count = 0;
  static_cast<void>(::eventfd_read(shard.notify_fd(), &count));
  return true;
}

void check_records(Journal& journal, std::size_t shard, std::uint64_t from, std::uint64_t through) {
  ASSERT_GE(journal.durable(shard).value, through) << "acknowledged records are lost";
  Reader reader(journal, shard, Offset{from});
  Record record;
  for (std::uint64_t offset = from; offset <= through; ++offset) {
    const auto more = reader.next(record);
    ASSERT_TRUE(more.has_value()) << more.error().to_string();
    ASSERT_TRUE(*more);
    ASSERT_EQ(record.offset.value, offset);
    ASSERT_EQ(record.lines, content(shard, offset));
  }
}

// Appends, and reads and releases what is durable, at once.
void append_and_follow(Journal& journal) {
  constexpr std::uint64_t kRecords = 5000;
  std::thread follower([&] {
    Reader reader(journal, 0, Offset{1});
    Record record;
    std::uint64_t next = 1;
    while (next <= kRecords) {
      const auto more = reader.next(record);
      ASSERT_TRUE(more.has_value()) << more.error().to_string();
      if (!*more) {
        std::this_thread::yield();
        continue;
      }
      ASSERT_EQ(record.offset.value, next);
      ASSERT_EQ(record.lines, content(0, next));
      if (next % 100 == 0) {
        journal.release(0, Offset{next});
      }
      ++next;
    }
  });
  Shard& shard = journal.shard(0);
  std::uint64_t appended = 0;
  while (appended < kRecords) {
    const auto offset = shard.append({.source = "web", .received_at = TimeUs{1}, .event_count = 1},
                                     content(0, appended + 1));
    if (offset) {
      ASSERT_EQ(offset->value, ++appended);
    } else {
      ASSERT_EQ(offset.error().code, Errc::kExhausted);
      ASSERT_TRUE(wait_for_news(shard));
    }
  }
  while (shard.durable().value < kRecords) {
    ASSERT_TRUE(wait_for_news(shard));
  }
  follower.join();
}

TEST(JournalDisk, CommitsInTheBackgroundWhileAReaderFollows) {
  const std::string directory = make_directory();
  auto journal = Journal::open(disk_options(directory, 1));
  ASSERT_TRUE(journal.has_value()) << journal.error().to_string();
  append_and_follow(**journal);
  EXPECT_LT((*journal)->status(0).segments, 10u);
  EXPECT_TRUE((*journal)->close().has_value());
  std::filesystem::remove_all(directory);
}

TEST(JournalDisk, ErasesWhatIsReleasedWhileRecordsCome) {
  const std::string directory = make_directory();
  auto opened = Journal::open(disk_options(directory, 1));
  ASSERT_TRUE(opened.has_value()) << opened.error().to_string();
  Journal& journal = **opened;
  std::uint64_t erased = 0;
  std::jthread eraser([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const Status begun = journal.begin_segments(std::int64_t{kTimeoutMs} * 1000);
      ASSERT_TRUE(begun.has_value()) << begun.error().to_string();
      const auto bytes = journal.erase_released();
      ASSERT_TRUE(bytes.has_value()) << bytes.error().to_string();
      erased += *bytes;
    }
  });
  append_and_follow(journal);
  eraser.request_stop();
  eraser.join();
  EXPECT_GT(erased, 0u);
  EXPECT_TRUE(journal.close().has_value());
  EXPECT_EQ(journal.begin_segments(1000).error().code, Errc::kUnavailable);
  std::filesystem::remove_all(directory);
}

TEST(JournalDisk, CloseCommitsWhatIsBuffered) {
  const std::string directory = make_directory();
  {
    auto journal = Journal::open(disk_options(directory, 2));
    ASSERT_TRUE(journal.has_value());
    for (std::uint64_t offset = 1; offset <= 20; ++offset) {
      ASSERT_TRUE(
          (*journal)
              ->shard(1)
              .append({.source = "web", .received_at = {}, .event_count = 1}, content(1, offset))
              .has_value());
    }
    ASSERT_TRUE((*journal)->close().has_value());
    EXPECT_EQ((*journal)->durable(1).value, 20u);
  }
  auto journal = Journal::open(disk_options(directory, 2));
  ASSERT_TRUE(journal.has_value());
  check_records(**journal, 1, 1, 20);
  const auto report = inspect_segment(io::posix_file_system(),
                                      directory + "/journal/shard-0001/segment-000001.log");
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->records, 20u);
  EXPECT_EQ(report->end, SegmentEnd::kClosed);
  EXPECT_THAT(to_text(*report), testing::HasSubstr("20 records from 1"));
  EXPECT_THAT(to_json(*report), testing::HasSubstr("\"end\":\"closed\""));
  std::filesystem::remove_all(directory);
}

// The child appends for ever and tells what is durable; it never returns.
[[noreturn]] void append_until_killed(const std::string& directory, int report_fd) {
  auto opened = Journal::open(disk_options(directory, 2));
  if (!opened) {
    ::_exit(3);
  }
  Journal& journal = **opened;
  std::array<std::uint64_t, 2> next{};
  for (std::size_t shard = 0; shard < 2; ++shard) {
    next[shard] = journal.durable(shard).value + 1;
  }
  while (true) {
    for (std::size_t shard = 0; shard < 2; ++shard) {
      for (int i = 0; i < 20; ++i) {
        const auto offset = journal.shard(shard).append(
            {.source = "web", .received_at = {}, .event_count = 1}, content(shard, next[shard]));
        if (!offset) {
          break;
        }
        ++next[shard];
      }
      const std::array<std::uint64_t, 2> report{shard, journal.durable(shard).value};
      if (::write(report_fd, report.data(), sizeof report) != sizeof report) {
        ::_exit(4);
      }
    }
  }
}

TEST(JournalDisk, NothingDurableIsLostByKill9) {
  const std::string directory = make_directory();
  SeededRandom random(99);
  std::array<std::uint64_t, 2> checked{1, 1};
  for (int round = 0; round < 25; ++round) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      append_until_killed(directory, pipe[1]);
    }
    ::close(pipe[1]);
    // Kill after a random number of reports, then take in all that were sent before.
    std::array<std::uint64_t, 2> durable{};
    std::uint64_t reports_left = 1 + random.below(400);
    std::array<std::uint64_t, 2> report{};
    while (::read(pipe[0], report.data(), sizeof report) == sizeof report) {
      durable[report[0]] = std::max(durable[report[0]], report[1]);
      if (reports_left != 0 && --reports_left == 0) {
        ASSERT_EQ(::kill(child, SIGKILL), 0);
      }
    }
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;

    auto journal = Journal::open(disk_options(directory, 2));
    ASSERT_TRUE(journal.has_value()) << journal.error().to_string();
    for (std::size_t shard = 0; shard < 2; ++shard) {
      const std::uint64_t end = (*journal)->durable(shard).value;
      ASSERT_GE(end, durable[shard]);
      check_records(**journal, shard, checked[shard], end);
      ASSERT_FALSE(testing::Test::HasFailure()) << "round " << round;
      checked[shard] = end + 1;
      (*journal)->release(shard, Offset{end});
    }
  }
  EXPECT_GT(checked[0], 100u);
  std::filesystem::remove_all(directory);
}

TEST(JournalDisk, SecondProcessIsRefused) {
  const std::string directory = make_directory();
  auto journal = Journal::open(disk_options(directory, 1));
  ASSERT_TRUE(journal.has_value());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto second = Journal::open(disk_options(directory, 1));
    ::_exit(!second && second.error().code == Errc::kConflict ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  journal->reset();
  std::filesystem::remove_all(directory);
}

TEST(JournalDisk, RealFullDiskRefusesAndRecovers) {
  const std::string directory = make_directory();
  if (::mount("leat-test", directory.c_str(), "tmpfs", 0, "size=2m") != 0) {
    const std::string reason = std::strerror(errno);
    std::filesystem::remove_all(directory);
    GTEST_SKIP() << "cannot mount a small tmpfs (needs root): " << reason;
  }
  {
    auto filler =
        io::posix_file_system().open(directory + "/filler", {.write = true, .create = true});
    ASSERT_TRUE(filler.has_value());
    ASSERT_TRUE((*filler)->pwrite(std::string(900 << 10, 'f'), 0).has_value());
    auto opened = Journal::open(disk_options(directory, 1));
    ASSERT_TRUE(opened.has_value()) << opened.error().to_string();
    Journal& journal = **opened;
    Shard& shard = journal.shard(0);
    std::uint64_t appended = 0;
    while (shard.health()) {
      const auto offset = shard.append({.source = "web", .received_at = {}, .event_count = 1},
                                       content(0, appended + 1));
      if (offset) {
        ++appended;
        ASSERT_LT(appended, 5000u) << "the disk never fills";
      } else if (shard.health()) {
        ASSERT_TRUE(wait_for_news(shard));
      }
    }
    EXPECT_EQ(shard.health().error().code, Errc::kExhausted) << shard.health().error().to_string();
    EXPECT_EQ(
        shard.append({.source = "web", .received_at = {}, .event_count = 1}, "x\n").error().code,
        Errc::kExhausted);
    EXPECT_LT(shard.durable().value, appended);
    // Space returns, and nobody tells the journal.
    ASSERT_TRUE(io::posix_file_system().remove(directory + "/filler").has_value());
    filler->reset();
    while (shard.durable().value < appended) {
      ASSERT_TRUE(wait_for_news(shard));
    }
    while (!shard.health()) {
      ASSERT_TRUE(wait_for_news(shard));
    }
    check_records(journal, 0, 1, appended);
    EXPECT_TRUE(journal.close().has_value());
  }
  EXPECT_EQ(::umount(directory.c_str()), 0);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace leat::journal
