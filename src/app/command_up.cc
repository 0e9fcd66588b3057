// `leat up` and the commands that run one role of it: start, say how to reach it, wait for a
// signal, stop.
#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <thread>

#include "app/commands.h"
#include "app/data_directory.h"
#include "app/system.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/time.h"
#include "warehouse/engine/database.h"

namespace leat::app {
namespace {

// Parts are asked to stop within this; the process ends at the latest a moment after.
constexpr std::int64_t kStopUs = 8 * kUsPerSecond;
constexpr std::int64_t kGiveUpUs = 9 * kUsPerSecond;

void set_log_level(const std::string& name) {
  if (name == "debug") log::set_level(log::Level::kDebug);
  if (name == "info") log::set_level(log::Level::kInfo);
  if (name == "warning") log::set_level(log::Level::kWarning);
  if (name == "error") log::set_level(log::Level::kError);
}

// Each connection needs a descriptor, and the usual soft limit is 1024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGUSR1);  // ends StopWatch
  return signals;
}

// Ends the process when stopping takes too long, or at a second Ctrl-C; nothing acknowledged is
// lost by that. A second SIGTERM changes nothing: supervisors and wrappers send several.
class StopWatch {
 public:
  explicit StopWatch(const sigset_t& signals) : signals_(signals), thread_([this] { watch(); }) {}
  // Everything has stopped in time.
  ~StopWatch() {
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;

 private:
  void watch() const {
    const std::int64_t give_up_us = system_clock().monotonic_us() + kGiveUpUs;
    while (true) {
      const std::int64_t left_us =
          std::max<std::int64_t>(0, give_up_us - system_clock().monotonic_us());
      const timespec limit{.tv_sec = left_us / kUsPerSecond,
                           .tv_nsec = left_us % kUsPerSecond * 1000};
      const int signal = ::sigtimedwait(&signals_, nullptr, &limit);
      if (signal == SIGUSR1) return;
      if (signal == SIGINT) {
        log::warning("up", "stopped at once, as asked twice");
        ::_exit(130);
      }
      if (signal < 0 && errno == EAGAIN) {
        log::warning("up", "stopping took too long; ending now");
        ::_exit(static_cast<int>(Exit::kFailed));
      }
    }
  }

  const sigset_t signals_;
  std::thread thread_;
};

void say_how_to_reach(const Terminal& terminal, const System& system) {
  const ConnectionFile& file = system.connection();
  std::string text = fmt::format("leat {} runs in {}\n", LEAT_VERSION, system.data());
  if (!file.collect_url.empty()) {
    text += fmt::format("  collect    {}\n", file.collect_url);
    for (const ConnectionSource& source : file.sources) {
      text += fmt::format("  write key  {} (source {}, schema {})\n", source.write_key, source.name,
                          source.schema);
    }
  }
  if (!file.console_url.empty()) text += fmt::format("  console    {}\n", file.console_url);
  if (!file.warehouse_host.empty()) {
    text += fmt::format("  warehouse  PGPASSFILE={} psql -h {} -p {} -U {} {}\n",
                        DataPaths{system.data()}.pgpass(), file.warehouse_host, file.warehouse_port,
                        file.warehouse_user, file.warehouse_database);
  }
  if (!file.data_api_url.empty()) {
    text += fmt::format("  data api   {} (access key in {})\n", file.data_api_url,
                        DataPaths{system.data()}.connection());
  }
  text += "Stop it with Ctrl-C.\n";
  terminal.say(text);
}

Exit run_system(const Terminal& terminal, const ConfigChoice& choice,
                Parts (*parts_of)(const Config&)) {
  const auto config = load_choice(terminal, choice);
  if (!config) return report(terminal, config.error());
  set_log_level(config->log_level);
  engine::tune_allocator();
  ::umask(0077);
  raise_descriptor_limit();
  // Blocked before any thread starts, so that only this function sees them.
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  auto system = System::start(*config, parts_of(*config));
  if (!system) return report(terminal, system.error());
  say_how_to_reach(terminal, **system);
  terminal.print("ready\n");
  std::fflush(terminal.out);

  int signal = SIGUSR1;
  while (signal == SIGUSR1) (void)::sigwait(&signals, &signal);
  terminal.say("stopping\n");
  const StopWatch watch(signals);
  const Status stopped = (*system)->stop(kStopUs);
  system->reset();
  if (!stopped) return report(terminal, stopped.error());
  terminal.say("stopped\n");
  return Exit::kOk;
}

Parts parts_of_up(const Config& config) {
  return {.collect = true, .load = true, .warehouse = is_embedded(config), .console = true};
}

}  // namespace

Exit run_up(const Terminal& terminal, const UpOptions& options) {
  return run_system(terminal, options.config, parts_of_up);
}

Exit run_warehouse(const Terminal& terminal, const UpOptions& options) {
  return run_system(terminal, options.config,
                    [](const Config&) { return Parts{.warehouse = true}; });
}

Exit run_collect(const Terminal& terminal, const UpOptions& options) {
  return run_system(terminal, options.config,
                    [](const Config&) { return Parts{.collect = true, .console = true}; });
}

}  // namespace leat::app
