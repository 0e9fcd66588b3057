// A server under test in a process of its own, on a processor of its own. For programs of bench/
// only.
#pragma once

#include <fmt/format.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

namespace leat::bench {

inline void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

/// CPU time of all threads of a process in microseconds.
inline double cpu_us(pid_t pid) {
  double total = 0;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid))) {
    std::ifstream file(task.path() / "schedstat");
    double nanoseconds = 0;
    file >> nanoseconds;
    total += nanoseconds / 1000;
  }
  return total;
}

/// A server in a child process; ends with this object.
class Child {
 public:
  /// `serve` runs in the child: it tells the port and returns when `wait` returns.
  Child(const std::function<int(const std::function<void(std::uint16_t)>& tell,
                                const std::function<void()>& wait)>& serve) {
    int to_parent[2];
    int to_child[2];
    if (::pipe(to_parent) != 0 || ::pipe(to_child) != 0) std::exit(1);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(to_child[1]);
      pin_to(0);
      const auto tell = [&](std::uint16_t port) {
        if (::write(to_parent[1], &port, sizeof port) < 0) std::_Exit(1);
      };
      const auto wait = [&] {
        char byte = 0;
        while (::read(to_child[0], &byte, 1) < 0) {
        }
      };
      std::_Exit(serve(tell, wait));
    }
    ::close(to_parent[1]);
    ::close(to_child[0]);
    control_ = to_child[1];
    if (::read(to_parent[0], &port_, sizeof port_) != sizeof port_) {
      fmt::print(stderr, "the server did not start\n");
      std::exit(1);
    }
    ::close(to_parent[0]);
  }
  ~Child() {
    ::close(control_);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  pid_t pid_ = -1;
  int control_ = -1;
  std::uint16_t port_ = 0;
};

/// Work that is done again and again in one child process, so that neither it nor its parent finds
/// the other's memory. Ends with this object. Figures are plain bytes.
template <class Figures>
class ChildWork {
 public:
  /// `work` runs in the child.
  explicit ChildWork(const std::function<Figures()>& work) {
    int to_parent[2];
    int to_child[2];
    if (::pipe(to_parent) != 0 || ::pipe(to_child) != 0) std::exit(1);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(to_child[1]);
      for (char byte = 0; ::read(to_child[0], &byte, 1) == 1;) {
        const Figures figures = work();
        if (::write(to_parent[1], &figures, sizeof figures) < 0) std::_Exit(1);
      }
      std::_Exit(0);
    }
    ::close(to_parent[1]);
    ::close(to_child[0]);
    control_ = to_child[1];
    answers_ = to_parent[0];
  }
  ~ChildWork() {
    ::close(control_);
    ::close(answers_);
    ::waitpid(pid_, nullptr, 0);
  }
  ChildWork(const ChildWork&) = delete;
  ChildWork& operator=(const ChildWork&) = delete;

  /// What the work returned this time.
  [[nodiscard]] Figures run() const {
    Figures figures{};
    if (::write(control_, "", 1) != 1 ||
        ::read(answers_, &figures, sizeof figures) != static_cast<ssize_t>(sizeof figures)) {
      fmt::print(stderr, "the child process did not work\n");
      std::exit(1);
    }
    return figures;
  }

 private:
  pid_t pid_ = -1;
  int control_ = -1;
  int answers_ = -1;
};

}  // namespace leat::bench
