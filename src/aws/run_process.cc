// run_process() of aws/credential_chain.h.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "aws/credential_chain.h"

extern char** environ;

namespace leat::aws {
namespace {

constexpr std::size_t kOutputBytesMax = 64 * 1024;
constexpr std::int64_t kTimeoutUs = 60 * kUsPerSecond;

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) ends[0] = ends[1] = -1;
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_write();
    if (ends[0] >= 0) ::close(ends[0]);
  }
  void close_write() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
};

// False when there was too much of it or too little time.
bool read_both(const Pipe& out, const Pipe& errors, ProcessOutput& output) {
  const std::int64_t end = system_clock().monotonic_us() + kTimeoutUs;
  std::array<pollfd, 2> waiting = {{{.fd = out.ends[0], .events = POLLIN, .revents = 0},
                                    {.fd = errors.ends[0], .events = POLLIN, .revents = 0}}};
  const std::array<std::string*, 2> into = {&output.out, &output.errors};
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    const std::int64_t left = end - system_clock().monotonic_us();
    if (left <= 0) return false;
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(left / 1000 + 1)) < 0) continue;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      char bytes[4096];
      const ssize_t got = ::read(waiting[i].fd, bytes, sizeof bytes);
      if (got <= 0) {
        waiting[i].fd = -1;
        continue;
      }
      into[i]->append(bytes, static_cast<std::size_t>(got));
      if (into[i]->size() > kOutputBytesMax) return false;
    }
  }
  return true;
}

}  // namespace

Result<ProcessOutput> run_process(const std::vector<std::string>& words) {
  Pipe out;
  Pipe errors;
  if (words.empty() || out.ends[0] < 0 || errors.ends[0] < 0) {
    return fail(Errc::kUnavailable, "a process cannot be started; try again");
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  ::posix_spawn_file_actions_adddup2(&actions, errors.ends[1], 2);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = -1;
  const int error =
      ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail_errno(error, fmt::format("cannot start {}", words.front()));
  out.close_write();
  errors.close_write();
  ProcessOutput output;
  const bool whole = read_both(out, errors, output);
  if (!whole) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!whole) {
    return fail(Errc::kUnavailable,
                fmt::format("{} did not end within {} s or wrote over {} KiB; run it by hand",
                            words.front(), kTimeoutUs / kUsPerSecond, kOutputBytesMax / 1024));
  }
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

}  // namespace leat::aws
