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

/// A child process and the two pipes to it; ends, once it reads the end of its pipe, with this
/// object.
class ChildProcess {
 public:
  /// The child's ends of the pipes.
  struct Ends {
    int in = -1;
    int out = -1;
    /// Waits for a byte; false at the end.
    [[nodiscard]] bool wait() const {
      char byte = 0;
      ssize_t got = 0;
      while ((got = ::read(in, &byte, 1)) < 0) {
      }
      return got == 1;
    }
    /// Plain bytes.
    template <class T>
    void tell(const T& value) const {
      if (::write(out, &value, sizeof value) < 0) std::_Exit(1);
    }
  };

  /// `run` is all that the child does; what it returns is its exit code.
  explicit ChildProcess(const std::function<int(const Ends&)>& run) {
    int to_parent[2];
    int to_child[2];
    if (::pipe(to_parent) != 0 || ::pipe(to_child) != 0) std::exit(1);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(to_child[1]);
      ::close(to_parent[0]);
      std::_Exit(run({.in = to_child[0], .out = to_parent[1]}));
    }
    ::close(to_parent[1]);
    ::close(to_child[0]);
    control_ = to_child[1];
    answers_ = to_parent[0];
  }
  ~ChildProcess() {
    ::close(control_);
    ::close(answers_);
    ::waitpid(pid_, nullptr, 0);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Ends one wait of the child.
  [[nodiscard]] bool wake() const { return ::write(control_, "", 1) == 1; }
  /// Takes what the child tells; false when it is gone.
  template <class T>
  [[nodiscard]] bool hear(T& value) const {
    return ::read(answers_, &value, sizeof value) == static_cast<ssize_t>(sizeof value);
  }

 private:
  pid_t pid_ = -1;
  int control_ = -1;
  int answers_ = -1;
};

/// A server in a child process, on a processor of its own; ends with this object.
class Child {
 public:
  /// `serve` runs in the child: it tells the port and returns when `wait` returns.
  explicit Child(const std::function<int(const std::function<void(std::uint16_t)>& tell,
                                         const std::function<void()>& wait)>& serve)
      : process_([&](const ChildProcess::Ends& ends) {
          pin_to(0);
          return serve([&](std::uint16_t port) { ends.tell(port); },
                       [&] { static_cast<void>(ends.wait()); });
        }) {
    if (!process_.hear(port_)) {
      fmt::print(stderr, "the server did not start\n");
      std::exit(1);
    }
  }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  ChildProcess process_;
  std::uint16_t port_ = 0;
};

/// Work that is done again and again in one child process, so that neither it nor its parent finds
/// the other's memory. Ends with this object. Figures are plain bytes.
template <class Figures>
class ChildWork {
 public:
  /// `work` runs in the child.
  explicit ChildWork(const std::function<Figures()>& work)
      : process_([&](const ChildProcess::Ends& ends) {
          while (ends.wait()) ends.tell(work());
          return 0;
        }) {}

  /// What the work returned this time.
  [[nodiscard]] Figures run() const {
    Figures figures{};
    if (!process_.wake() || !process_.hear(figures)) {
      fmt::print(stderr, "the child process did not work\n");
      std::exit(1);
    }
    return figures;
  }

 private:
  ChildProcess process_;
};

}  // namespace leat::bench
