#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "app/commands.h"
#include "app/connection_file.h"
#include "app/table_text.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "io/http_client.h"
#include "pipeline/event/sample_events.h"

namespace leat::app {
namespace {

constexpr std::int64_t kBackoffFirstUs = 100'000;
constexpr std::int64_t kBackoffMaxUs = 5'000'000;
constexpr std::int64_t kProgressEveryUs = 200'000;
constexpr std::int64_t kReplyTimeoutUs = 30'000'000;

struct Totals {
  std::int64_t events = 0;    // acknowledged with 200
  std::int64_t requests = 0;  // that were sent
  std::int64_t refused = 0;   // of these: 429, 503, other 5xx, or no answer; sent again
};

// What Retry-After asks for, when it is there and in seconds.
std::optional<std::int64_t> asked_wait_us(const io::HttpResponse& reply) {
  const auto value = reply.header("retry-after");
  if (!value) return std::nullopt;
  const auto seconds = parse_number<std::int64_t>(*value);
  if (!seconds || *seconds < 0) return std::nullopt;
  return *seconds * kUsPerSecond;
}

// Several threads that each keep one connection and take the next batch from one generator, so that
// the events of a seed are the same whatever their number.
class Simulation {
 public:
  Simulation(const SimulateOptions& options, std::unique_ptr<io::HttpClient> http, std::string url,
             std::string_view write_key)
      : options_(options),
        http_(std::move(http)),
        url_(std::move(url)),
        authorization_("Basic " + to_base64(std::string(write_key) + ":")),
        samples_(options.seed, static_cast<std::uint32_t>(options.users)),
        started_us_(system_clock().monotonic_us()) {}

  Status run(const Terminal& terminal) {
    std::vector<std::jthread> threads;
    const std::int64_t batches = (options_.events + options_.batch - 1) / options_.batch;
    const std::int64_t count = std::min(options_.connections, batches);
    running_ = static_cast<int>(count);
    for (std::int64_t i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    watch(terminal);
    threads.clear();
    if (failure_) return std::unexpected(*failure_);
    return {};
  }

  [[nodiscard]] Totals totals() const {
    const std::scoped_lock lock(mutex_);
    return totals_;
  }
  [[nodiscard]] double seconds() const {
    return static_cast<double>(system_clock().monotonic_us() - started_us_) / 1e6;
  }

 private:
  struct Batch {
    std::string body;
    std::int64_t events = 0;
    std::int64_t due_us = 0;  // monotonic
  };

  // Shows progress until the last thread is done.
  void watch(const Terminal& terminal) {
    std::unique_lock lock(mutex_);
    while (running_ > 0) {
      changed_.wait_for(lock, std::chrono::microseconds(kProgressEveryUs));
      if (!terminal.err_is_terminal) continue;
      terminal.say(fmt::format("\r{} of {} events, {} retries ", count_text(totals_.events),
                               count_text(options_.events), count_text(totals_.refused)));
    }
    if (terminal.err_is_terminal) terminal.say("\r\x1b[K");
  }

  void work() {
    while (auto batch = next_batch()) {
      if (!wait_until(batch->due_us)) break;
      const Status sent = send(*batch);
      if (sent) continue;
      const std::scoped_lock lock(mutex_);
      if (!failure_) failure_ = sent.error();
    }
    const std::scoped_lock lock(mutex_);
    --running_;
    changed_.notify_all();
  }

  std::optional<Batch> next_batch() {
    const std::scoped_lock lock(mutex_);
    if (failure_ || made_ == options_.events) return std::nullopt;
    Batch batch;
    batch.due_us = started_us_ + (options_.rate > 0 ? made_ * kUsPerSecond / options_.rate : 0);
    batch.events = std::min(options_.batch, options_.events - made_);
    const TimeUs now = system_clock().now();
    batch.body = R"({"batch":[)";
    for (std::int64_t i = 0; i < batch.events; ++i) {
      if (i > 0) batch.body += ',';
      samples_.append(batch.body, now);
    }
    batch.body += fmt::format("],\"sentAt\":\"{}\"}}", format_iso8601(now));
    made_ += batch.events;
    return batch;
  }

  // False when another thread failed meanwhile.
  bool wait_until(std::int64_t monotonic_us) {
    std::unique_lock lock(mutex_);
    while (!failure_) {
      const std::int64_t left = monotonic_us - system_clock().monotonic_us();
      if (left <= 0) return true;
      changed_.wait_for(lock, std::chrono::microseconds(std::min(left, kProgressEveryUs)));
    }
    return false;
  }

  // Sends one batch until it is acknowledged, as the libraries of the protocol do.
  Status send(const Batch& batch) {
    const std::int64_t give_up_us = system_clock().monotonic_us() + options_.patience_us;
    for (std::int64_t backoff_us = kBackoffFirstUs;;
         backoff_us = std::min(2 * backoff_us, kBackoffMaxUs)) {
      const auto reply = http_->send(
          {.method = "POST",
           .url = url_ + "/v1/batch",
           .headers = {{"Content-Type", "application/json"}, {"Authorization", authorization_}},
           .body = batch.body,
           .timeout_us = kReplyTimeoutUs,
           .direct = true});
      if (reply && reply->status == 200) {
        count({batch.events, 1, 0});
        return {};
      }
      count({0, 1, 1});
      const bool again = !reply || reply->status == 429 || reply->status >= 500;
      if (!again) {
        return fail(Errc::kInvalid,
                    fmt::format("the collector answered {}: {}", reply->status, trim(reply->body)));
      }
      const std::int64_t asked_us = reply ? asked_wait_us(*reply).value_or(backoff_us) : backoff_us;
      const std::int64_t next_us = system_clock().monotonic_us() + asked_us;
      if (next_us > give_up_us) {
        return fail(Errc::kUnavailable, reply ? fmt::format("the collector kept answering {}: {}",
                                                            reply->status, trim(reply->body))
                                              : reply.error().message);
      }
      if (!wait_until(next_us)) return fail(Errc::kAborted, "another connection failed");
    }
  }

  void count(const Totals& more) {
    const std::scoped_lock lock(mutex_);
    totals_.events += more.events;
    totals_.requests += more.requests;
    totals_.refused += more.refused;
  }

  const SimulateOptions& options_;
  const std::unique_ptr<io::HttpClient> http_;  // any thread
  const std::string url_;
  const std::string authorization_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  event::SampleEvents samples_;
  std::int64_t made_ = 0;
  Totals totals_;
  std::optional<Error> failure_;
  int running_ = 0;
  const std::int64_t started_us_;
};

Result<ConnectionSource> choose_source(const ConnectionFile& file, const std::string& name) {
  std::vector<std::string> names;
  for (const ConnectionSource& source : file.sources) {
    if (name.empty() || source.name == name) return source;
    names.push_back(source.name);
  }
  const auto near = near_miss(name, names);
  return fail(Errc::kNotFound, near ? fmt::format("no source '{}'; did you mean '{}'?", name, *near)
                                    : fmt::format("no source '{}'; see: leat status", name));
}

void print_totals(const Terminal& terminal, const SimulateOptions& options,
                  const Simulation& simulation, const std::string& source) {
  const Totals totals = simulation.totals();
  const double seconds = simulation.seconds();
  const double rate = static_cast<double>(totals.events) / std::max(seconds, 1e-6);
  if (options.json) {
    terminal.print(
        fmt::format("{{\"source\":{},\"seed\":{},\"events\":{},\"requests\":{},\"retries\":{},"
                    "\"seconds\":{:.3f},\"events_per_second\":{:.0f}}}\n",
                    json_string(source), options.seed, totals.events, totals.requests,
                    totals.refused, seconds, rate));
    return;
  }
  terminal.print(fmt::format(
      "{} events acknowledged by source {} in {:.1f} s ({} events/s, {} requests, {} retries, seed "
      "{})\n",
      count_text(totals.events), source, seconds, count_text(static_cast<std::int64_t>(rate)),
      count_text(totals.requests), count_text(totals.refused), options.seed));
}

}  // namespace

Exit run_simulate(const Terminal& terminal, const SimulateOptions& given) {
  SimulateOptions options = given;
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  const auto file = read_connection_file(config->data);
  if (!file) return report(terminal, file.error());
  if (file->collect_url.empty()) {
    return report(
        terminal,
        fail(Errc::kInvalid, "the process in this data directory collects no events").error());
  }
  const auto source = choose_source(*file, options.source);
  if (!source) return report(terminal, source.error());
  // Kept within what every JSON reader holds exactly.
  if (options.seed == 0) options.seed = 1 + secure_random().next() % 1'000'000'000;
  // As many connections are kept as threads may send at once.
  auto http =
      io::HttpClient::open({.idle_connections_max = static_cast<std::size_t>(options.connections)});
  if (!http) return report(terminal, http.error());
  Simulation simulation(options, std::move(*http), file->collect_url, source->write_key);
  const Status done = simulation.run(terminal);
  print_totals(terminal, options, simulation, source->name);
  return done ? Exit::kOk : report(terminal, done.error());
}

}  // namespace leat::app
