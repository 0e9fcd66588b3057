// The collector's speed beside its anchors, interleaved, medians, CPU time of the server process.
//
//   collect_bench [--dir FOLDER] [--seconds S] [--rounds N] [--only single|batch|latency]
//
// - one event a request, 256 connections, durable, against nginx answering a constant 200
// - batches of 100 events, durable, against simdjson's DOM parse of the same bytes
// - p50 of the answers at 64 connections, at half of the rate that the server can do, against the
//   p50 of one fdatasync; saturated it is 64 over the rate, whatever the disk, and is printed
//   beside nginx's
//
// The server runs in a child process on CPU 0, the load on CPU 1. FOLDER (default: build/bench)
// must be on the disk to be judged, not in memory.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <simdjson.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "child_process.h"
#include "http_load.h"
#include "measure.h"
#include "pipeline/collect/server.h"

namespace {

using namespace leat;  // NOLINT(google-build-using-namespace): a program of one file

using bench::Child;
using bench::cpu_us;
using bench::median;
using bench::pin_to;
using bench::thread_cpu_us;

constexpr std::size_t kBatch = 100;
constexpr std::string_view kWriteKey = "bench-write-key";

/// A web event of about 1.2 KB, as the browser library sends it.
std::string make_event(SeededRandom& random, bool with_type) {
  const std::uint64_t user = random.below(50'000);
  return fmt::format(
      R"({{"timestamp":"2026-11-20T14:03:{:02}.{:03}Z",)"
      R"("integrations":{{"Segment.io":true}},"userId":"user-{}",)"
      R"("anonymousId":"{}","event":"Product Viewed",)"
      R"({}"properties":{{"product_id":"sku-{}","name":"Caf\u00e9 chair n\u00ba {}",)"
      R"("category":"Furniture/Chairs","price":{}.{:02},"quantity":{},"currency":"EUR",)"
      R"("in_stock":{},"tags":["new","oak","sale"],)"
      R"("coupon":null,"position":{}}},"context":{{"page":{{"path":"/products/{}",)"
      R"("referrer":"https://www.example.com/search?q=oak+chair",)"
      R"("search":"?utm_source=news","title":"Chairs - Example Shop",)"
      R"("url":"https://shop.example.com/products/{}?utm_source=news"}},)"
      R"("userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like )"
      R"(Gecko) Chrome/126.0.0.0 Safari/537.36",)"
      R"("userAgentData":{{"brands":[{{"brand":"Chromium","version":"126"}},)"
      R"({{"brand":"Not/A)Brand","version":"8"}}],"mobile":false,)"
      R"("platform":"Linux"}},"locale":"de-DE","library":{{"name":"analytics.js",)"
      R"("version":"npm:next-1.84.3"}},)"
      R"("campaign":{{"source":"news","medium":"email","name":"autumn"}},)"
      R"("timezone":"Europe/Berlin","screen":{{"width":1920,"height":1080}}}},)"
      R"("messageId":"ajs-next-{}-{}","sentAt":"2026-11-20T14:03:{:02}.{:03}Z",)"
      R"("_metadata":{{"bundled":["Segment.io"],"unbundled":[],"bundledIds":[]}}}})",
      random.below(60), random.below(1000), user, uuid4(random),
      with_type ? R"("type":"track",)" : "", user, user % 977, 10 + user % 490, user % 100,
      1 + user % 4, user % 3 == 0, user % 40, user, user, 1'700'000'000'000 + user, uuid4(random),
      random.below(60), random.below(1000));
}

std::string make_request(std::string_view path, std::string_view body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: "
      "analytics-node-next/latest\r\nContent-Type: application/json\r\n"
      "Authorization: Basic YmVuY2gtd3JpdGUta2V5Og==\r\nAccept: */*\r\nContent-Length: "
      "{}\r\n\r\n{}",
      path, body.size(), body);
}

struct Work {
  std::vector<std::string> events;   // bodies of one event
  std::vector<std::string> singles;  // requests
  std::vector<std::string> batches;  // bodies of kBatch events
  std::vector<std::string> batch_requests;
};

Work make_work() {
  Work work;
  SeededRandom random(42);
  for (int i = 0; i < 4000; ++i) {
    work.events.push_back(make_event(random, false));
    work.singles.push_back(make_request("/v1/track", work.events.back()));
  }
  for (int i = 0; i < 64; ++i) {
    std::string body = R"({"batch":[)";
    for (std::size_t k = 0; k < kBatch; ++k) body += (k == 0 ? "" : ",") + make_event(random, true);
    body += fmt::format(R"(],"writeKey":"{}","sentAt":"2026-11-20T14:03:05.123Z"}})", kWriteKey);
    work.batches.push_back(body);
    work.batch_requests.push_back(make_request("/v1/batch", body));
  }
  return work;
}

int serve_leat(const std::string& directory, const std::function<void(std::uint16_t)>& tell,
               const std::function<void()>& wait) {
  auto journal = journal::Journal::open({.directory = directory});
  if (!journal) {
    fmt::print(stderr, "{}\n", journal.error().message);
    return 1;
  }
  net::HttpOptions http;
  http.listen = {"127.0.0.1", 0};
  auto server = collect::Server::start(
      http, {.sources = {{.name = "bench", .write_keys = {std::string(kWriteKey)}}},
             .journal = journal->get()});
  if (!server) {
    fmt::print(stderr, "{}\n", server.error().message);
    return 1;
  }
  // Nothing archives here: let the journal reuse its segments, as the archive would.
  tell((*server)->local().port);
  std::atomic<bool> done = false;
  std::thread releaser([&] {
    while (!done.load()) {
      (*journal)->release(0, (*journal)->durable(0));
      ::usleep(100'000);
    }
  });
  wait();
  done = true;
  releaser.join();
  (*server)->stop(net::Deadline::after_us(1'000'000));
  return (*journal)->close() ? 0 : 1;
}

/// nginx with one worker that answers every request with the collector's own body.
class Nginx {
 public:
  explicit Nginx(const std::string& directory) {
    std::filesystem::create_directories(directory);
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);  // finds a free port
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::exit(1);
    ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    ::close(probe);
    std::ofstream(directory + "/nginx.conf") << fmt::format(
        "daemon off; master_process off; worker_processes 1; pid {0}/nginx.pid; error_log "
        "{0}/error.log;\n"
        "events {{ worker_connections 2048; }}\n"
        "http {{ access_log off; keepalive_requests 1000000000; client_max_body_size 2m; "
        "client_body_temp_path {0}/b;\n"
        "proxy_temp_path {0}/p; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path "
        "{0}/s;\n"
        "server {{ listen 127.0.0.1:{1}; location / {{ default_type application/json; return 200 "
        "'{{\"success\":true}}'; }} }} }}\n",
        directory, port_);
    pid_ = ::fork();
    if (pid_ == 0) {
      pin_to(0);
      const std::string config = directory + "/nginx.conf";
      ::execlp("nginx", "nginx", "-p", directory.c_str(), "-c", config.c_str(), nullptr);
      ::execl("/usr/sbin/nginx", "nginx", "-p", directory.c_str(), "-c", config.c_str(), nullptr);
      std::_Exit(127);
    }
    for (int tries = 0; tries < 500; ++tries) {
      const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
      const bool up = ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
      ::close(socket);
      if (up) return;
      ::usleep(10'000);
    }
    fmt::print(stderr, "nginx did not start; install nginx-light\n");
    std::exit(1);
  }
  ~Nginx() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

struct Measured {
  double us_per_request = 0;
  double requests_per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
};

Measured measure(std::uint16_t port, pid_t pid, std::size_t connections,
                 const std::vector<std::string>& requests, std::int64_t duration_us,
                 std::int64_t pause_us = 0) {
  bench::HttpLoad load(port, connections, requests, pause_us);
  static_cast<void>(load.run(duration_us / 5));  // warm
  const double before = cpu_us(pid);
  const bench::LoadResult result = load.run(duration_us);
  const double used = cpu_us(pid) - before;
  if (result.others > 0) fmt::print(stderr, "{} answers were not 200\n", result.others);
  const auto count = static_cast<double>(std::max<std::uint64_t>(result.answers, 1));
  return {.us_per_request = used / count,
          .requests_per_second = count * 1e6 / static_cast<double>(result.elapsed_us),
          .p50_us = static_cast<double>(result.quantile_us(0.5)),
          .p99_us = static_cast<double>(result.quantile_us(0.99))};
}

/// CPU microseconds an event of simdjson's DOM parse of the batches.
double parse_us_per_event(const std::vector<std::string>& batches) {
  simdjson::dom::parser parser;
  std::vector<simdjson::padded_string> padded;
  for (const std::string& batch : batches) padded.emplace_back(batch);
  const auto parse_all = [&] {
    for (const auto& text : padded) {
      if (parser.parse(text).error() != simdjson::SUCCESS) std::exit(1);
    }
  };
  parse_all();
  const double before = thread_cpu_us();
  const int repeats = 50;
  for (int i = 0; i < repeats; ++i) parse_all();
  return (thread_cpu_us() - before) / (repeats * static_cast<double>(batches.size() * kBatch));
}

/// Median microseconds of one fdatasync of 4 KB written by O_DIRECT over bytes that were written
/// before.
double fdatasync_p50_us(const std::string& directory) {
  const std::string path = directory + "/fdatasync-probe";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
  if (file < 0) return 0;
  void* memory = nullptr;
  if (::posix_memalign(&memory, 4096, 4096) != 0) return 0;
  std::fill_n(static_cast<char*>(memory), 4096, 'x');
  std::vector<double> times;
  for (int pass = 0; pass < 2; ++pass) {  // the first pass writes the blocks for the first time
    for (int i = 0; i < 256; ++i) {
      const std::int64_t start = system_clock().monotonic_us();
      if (::pwrite(file, memory, 4096, off_t{i} * 4096) != 4096 || ::fdatasync(file) != 0) return 0;
      if (pass == 1) times.push_back(static_cast<double>(system_clock().monotonic_us() - start));
    }
  }
  std::free(memory);
  ::close(file);
  ::unlink(path.c_str());
  return median(times);
}

bool report(std::string_view what, double ratio, double floor, double goal, bool more_is_better,
            std::string_view detail) {
  const bool ok = more_is_better ? ratio >= floor : ratio <= floor;
  const bool reached = more_is_better ? ratio >= goal : ratio <= goal;
  fmt::print("{:<46} {:6.2f} x   floor {:4.2f}  goal {:4.2f}  {}   {}\n", what, ratio, floor, goal,
             reached ? "goal"
             : ok    ? "ok  "
                     : "BELOW",
             detail);
  return ok;
}

/// What the rounds measured; ratios are taken within a round, where subject and anchor met the same
/// noise.
struct Series {
  std::vector<double> nginx_us, single_us, single_ratio, single_rate;
  std::vector<double> parse_us, batch_us, batch_ratio;
  std::vector<double> sync_us, p50_us, p99_us, p50_ratio, half_rate;
  std::vector<double> full_p50_us, full_p99_us, full_rate, nginx_p50_us;
};

struct Bench {
  const Child& leat;
  const Nginx& nginx;
  const Work& work;
  const std::string& directory;
  std::int64_t duration_us;

  void single(Series& series) const {
    const Measured anchor = measure(nginx.port(), nginx.pid(), 256, work.singles, duration_us);
    const Measured subject = measure(leat.port(), leat.pid(), 256, work.singles, duration_us);
    series.nginx_us.push_back(anchor.us_per_request);
    series.single_us.push_back(subject.us_per_request);
    series.single_ratio.push_back(anchor.us_per_request / subject.us_per_request);
    series.single_rate.push_back(subject.requests_per_second);
  }

  void batch(Series& series) const {
    pin_to(0);  // where the server runs
    const double anchor_us = parse_us_per_event(work.batches);
    pin_to(1);
    const Measured subject = measure(leat.port(), leat.pid(), 16, work.batch_requests, duration_us);
    const double subject_us = subject.us_per_request / kBatch;
    series.parse_us.push_back(anchor_us);
    series.batch_us.push_back(subject_us);
    series.batch_ratio.push_back(anchor_us / subject_us);
  }

  void latency(Series& series) const {
    const double anchor_us = fdatasync_p50_us(directory);
    constexpr std::size_t kConnections = 64;
    const Measured bare =
        measure(nginx.port(), nginx.pid(), kConnections, work.singles, duration_us);
    const Measured full = measure(leat.port(), leat.pid(), kConnections, work.singles, duration_us);
    const auto pause_us =
        static_cast<std::int64_t>(2e6 * double{kConnections} / full.requests_per_second);
    const Measured half =
        measure(leat.port(), leat.pid(), kConnections, work.singles, duration_us, pause_us);
    series.sync_us.push_back(anchor_us);
    series.p50_us.push_back(half.p50_us);
    series.p99_us.push_back(half.p99_us);
    series.half_rate.push_back(half.requests_per_second);
    series.p50_ratio.push_back(half.p50_us / anchor_us);
    series.full_p50_us.push_back(full.p50_us);
    series.full_p99_us.push_back(full.p99_us);
    series.full_rate.push_back(full.requests_per_second);
    series.nginx_p50_us.push_back(bare.p50_us);
  }
};

bool report_all(const Series& series) {
  bool ok = true;
  if (!series.single_us.empty()) {
    ok &= report(
        "collector, 1 event/request, 256 connections", median(series.single_ratio), 0.5, 1.0, true,
        fmt::format("{:.2f} us/request (nginx 200: {:.2f}); {:.0f} requests/s",
                    median(series.single_us), median(series.nginx_us), median(series.single_rate)));
  }
  if (!series.batch_us.empty()) {
    ok &= report(
        "collector, batches of 100, 16 connections", median(series.batch_ratio), 0.35, 0.6, true,
        fmt::format("{:.3f} us/event (DOM parse: {:.3f}); {:.2f} M events/core-s",
                    median(series.batch_us), median(series.parse_us), 1 / median(series.batch_us)));
  }
  if (!series.p50_us.empty()) {
    ok &= report("durable p50 at 64 connections / fdatasync", median(series.p50_ratio), 8, 4, false,
                 fmt::format("{:.0f} us (fdatasync {:.0f}) at {:.0f} requests/s; p99 {:.0f} us",
                             median(series.p50_us), median(series.sync_us),
                             median(series.half_rate), median(series.p99_us)));
    fmt::print("{:<46} {:.0f} us at {:.0f} requests/s (nginx 200: {:.0f} us); p99 {:.0f} us\n",
               "  the same, saturated", median(series.full_p50_us), median(series.full_rate),
               median(series.nginx_p50_us), median(series.full_p99_us));
  }
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = "build/bench";
  std::string only;
  double seconds = 0.5;
  int rounds = 11;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--dir") directory = argv[i + 1];
    if (flag == "--seconds") seconds = std::atof(argv[i + 1]);
    if (flag == "--rounds") rounds = std::atoi(argv[i + 1]);
    if (flag == "--only") only = argv[i + 1];
  }
  directory = std::filesystem::absolute(directory).string() + "/collect";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const Work work = make_work();
  const auto duration = static_cast<std::int64_t>(seconds * 1e6);

  const Child leat([&](const auto& tell, const auto& wait) {
    return serve_leat(directory + "/journal", tell, wait);
  });
  const Nginx nginx(directory + "/nginx");
  pin_to(1);
  Series series;
  const Bench bench{leat, nginx, work, directory, duration};
  for (int round = 0; round < rounds; ++round) {
    if (only.empty() || only == "single") bench.single(series);
    if (only.empty() || only == "batch") bench.batch(series);
    if (only.empty() || only == "latency") bench.latency(series);
  }
  const bool ok = report_all(series);
  std::filesystem::remove_all(directory);
  return ok ? 0 : 1;
}
