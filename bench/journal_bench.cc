// The journal's speed beside its anchor, one fdatasync of a written block, interleaved, medians.
//
//   journal_bench [--dir FOLDER] [--seconds S] [--rounds N]
//
// - append(): CPU of the appending thread per record, nothing else running on it
// - closed loop: N requests wait, each appends its next record when its last one is durable; CPU of
// all threads per
//   record and the time a request waits
//
// FOLDER (default: build/bench) must be on the disk to be judged, not in memory.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/aligned_buffer.h"
#include "io/file_system.h"
#include "measure.h"
#include "pipeline/journal/journal.h"

namespace {

using namespace leat;  // NOLINT(google-build-using-namespace): a program of one file
using bench::median;
using bench::process_cpu_us;
using bench::thread_cpu_us;

double percentile(std::vector<double>& values, double share) {
  std::ranges::sort(values);
  return values.empty()
             ? 0
             : values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

[[noreturn]] void stop(const Error& error) {
  fmt::print(stderr, "{}\n", error.to_string());
  std::exit(1);
}

/// p50 in microseconds of writing and syncing one block of a file written before.
double sync_anchor_us(const std::string& directory, int rounds) {
  auto file = io::posix_file_system().open(directory + "/anchor",
                                           {.write = true, .create = true, .direct = true});
  if (!file) {
    stop(file.error());
  }
  io::AlignedBuffer block(io::kDirectAlignment);
  std::memset(block.data(), 'a', block.size());
  std::vector<double> times;
  for (int i = -64; i < rounds; ++i) {
    const std::int64_t before = system_clock().monotonic_us();
    const auto position = static_cast<std::uint64_t>((i + 64) % 64) * io::kDirectAlignment;
    if (!(*file)->pwrite({block.data(), block.size()}, position) || !(*file)->sync()) {
      stop({Errc::kUnavailable, "the anchor cannot be written"});
    }
    if (i >= 0) {
      times.push_back(static_cast<double>(system_clock().monotonic_us() - before));
    }
  }
  return percentile(times, 0.5);
}

struct Loop {
  double records_per_second = 0;
  double cpu_us_per_record = 0;
  double p50_ratio = 0;  // to the anchor of the same round, which met the same noise
  double p50_us = 0;
  double p99_us = 0;
};

/// `clients` requests of `bytes` each, one record a request, for `seconds`.
Loop closed_loop(journal::Shard& shard, std::size_t clients, std::size_t bytes, double seconds) {
  const std::string lines(bytes, 'x');
  std::deque<std::pair<std::uint64_t, std::int64_t>> waiting;  // offset, appended at
  std::vector<double> latencies;
  const std::int64_t start = system_clock().monotonic_us();
  const double cpu = process_cpu_us();
  std::size_t idle = clients;
  std::int64_t now = start;
  while (now - start < static_cast<std::int64_t>(seconds * 1e6)) {
    for (; idle > 0; --idle) {
      const auto offset =
          shard.append({.source = "web", .received_at = TimeUs{now}, .event_count = 1}, lines);
      if (!offset) {
        break;  // the buffer is full: the request waits for the next commit
      }
      waiting.emplace_back(offset->value, now);
    }
    pollfd wanted{.fd = shard.notify_fd(), .events = POLLIN, .revents = 0};
    ::poll(&wanted, 1, 1000);
    eventfd_t count = 0;
    static_cast<void>(::eventfd_read(shard.notify_fd(), &count));
    now = system_clock().monotonic_us();
    const std::uint64_t durable = shard.durable().value;
    while (!waiting.empty() && waiting.front().first <= durable) {
      latencies.push_back(static_cast<double>(now - waiting.front().second));
      waiting.pop_front();
      ++idle;
    }
  }
  Loop result;
  const double elapsed = static_cast<double>(now - start) / 1e6;
  result.records_per_second = static_cast<double>(latencies.size()) / elapsed;
  result.cpu_us_per_record = (process_cpu_us() - cpu) / static_cast<double>(latencies.size());
  result.p99_us = percentile(latencies, 0.99);
  result.p50_us = percentile(latencies, 0.5);
  return result;
}

/// CPU of append() alone in nanoseconds per record.
double append_ns(journal::Shard& shard, std::size_t bytes) {
  const std::string lines(bytes, 'x');
  double cpu = 0;
  std::size_t records = 0;
  while (records < 200'000) {
    const double before = thread_cpu_us();
    bool full = false;
    for (int i = 0; i < 200 && !full; ++i) {
      full = !shard.append({.source = "web", .received_at = TimeUs{1}, .event_count = 1}, lines);
      records += full ? 0 : 1;
    }
    cpu += thread_cpu_us() - before;
    pollfd wanted{.fd = shard.notify_fd(), .events = POLLIN, .revents = 0};
    if (full) {
      ::poll(&wanted, 1, 1000);
    }
    eventfd_t count = 0;
    static_cast<void>(::eventfd_read(shard.notify_fd(), &count));
  }
  return cpu * 1000 / static_cast<double>(records);
}

struct Case {
  std::size_t clients;
  std::size_t bytes;
};

void run(const std::string& directory, double seconds, int rounds) {
  journal::Options options;
  options.directory = directory + "/journal";
  options.buffer_bytes = 8 << 20;
  auto opened = journal::Journal::open(options);
  if (!opened) {
    stop(opened.error());
  }
  journal::Journal& journal = **opened;
  journal::Shard& shard = journal.shard(0);
  const auto release = [&] { journal.release(0, journal.durable(0)); };

  const std::vector<Case> cases = {
      {1, 1200}, {64, 1200}, {256, 1200}, {16, 120'000}, {32, 120'000}};
  std::vector<std::vector<Loop>> results(cases.size());
  std::vector<double> anchors;
  std::vector<double> appends;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      anchors.push_back(sync_anchor_us(directory, 300));
      results[i].push_back(closed_loop(shard, cases[i].clients, cases[i].bytes, seconds));
      results[i].back().p50_ratio = results[i].back().p50_us / anchors.back();
      release();
    }
    appends.push_back(append_ns(shard, 1200));
    release();
  }
  fmt::print("one fdatasync of a written 4 KiB block, p50: {:.0f} us\n", median(anchors));
  fmt::print("append() of 1200 bytes: {:.0f} ns CPU\n", median(appends));
  fmt::print("{:>8}  {:>8}  {:>10}  {:>10}  {:>9}  {:>9}  {:>9}\n", "requests", "bytes",
             "records/s", "CPU us/rec", "p50 us", "p99 us", "p50/sync");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto figure = [&](double Loop::* member) {
      std::vector<double> values;
      for (const Loop& loop : results[i]) {
        values.push_back(loop.*member);
      }
      return median(values);
    };
    fmt::print("{:>8}  {:>8}  {:>10.0f}  {:>10.2f}  {:>9.0f}  {:>9.0f}  {:>8.1f}x\n",
               cases[i].clients, cases[i].bytes, figure(&Loop::records_per_second),
               figure(&Loop::cpu_us_per_record), figure(&Loop::p50_us), figure(&Loop::p99_us),
               figure(&Loop::p50_ratio));
  }
  if (const Status closed = journal.close(); !closed) {
    stop(closed.error());
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = "build/bench";
  double seconds = 2;
  int rounds = 3;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--dir") {
      directory = argv[i + 1];
    } else if (name == "--seconds") {
      seconds = std::strtod(argv[i + 1], nullptr);
    } else if (name == "--rounds") {
      rounds = static_cast<int>(std::strtol(argv[i + 1], nullptr, 10));
    }
  }
  directory += "/journal_bench";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  run(directory, seconds, rounds);
  std::filesystem::remove_all(directory);
  return 0;
}
