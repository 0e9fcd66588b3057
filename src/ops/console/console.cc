#include "ops/console/console.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "net/http_server.h"
#include "ops/console/replay_api.h"
#include "ops/console/status.h"
#include "ops/console/web_files.h"
#include "ops/console/worker.h"

namespace leat::console {
namespace {

constexpr std::int64_t kDefaultShown = 20;
constexpr std::int64_t kShownMax = 1000;
constexpr std::int64_t kHistoryMax = 10'000;
constexpr std::int64_t kPauseWaitUs = 5 * kUsPerSecond;
constexpr std::int64_t kSyncTimeoutDefaultS = 300;
constexpr std::int64_t kSyncTimeoutMaxS = 3600;
constexpr std::int64_t kStopUs = 2 * kUsPerSecond;
constexpr std::size_t kStatusWaitingMax = 64;
constexpr std::size_t kSyncsWaitingMax = 8;

// Nothing of the page comes from elsewhere, and no other page may frame it or read it.
constexpr std::string_view kSecurityHeaders =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src "
    "'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";
constexpr std::string_view kJson = "application/json";

net::Response answer(int status, std::string_view content_type, std::string body) {
  net::Response response;
  response.status = status;
  response.content_type = content_type;
  response.headers = std::string(kSecurityHeaders) + "Cache-Control: no-store\r\n";
  response.body = std::move(body);
  return response;
}

int http_status(Errc code) {
  switch (code) {
    case Errc::kInvalid:
      return 400;
    case Errc::kNotFound:
      return 404;
    case Errc::kConflict:
      return 409;
    case Errc::kDenied:
      return 403;
    case Errc::kExhausted:
      return 429;
    case Errc::kUnavailable:
    case Errc::kAborted:
      return 503;
    case Errc::kUnsupported:
      return 501;
    case Errc::kCorrupt:
    case Errc::kBug:
      return 500;
  }
  return 500;
}

net::Response error_answer(int status, const Error& error) {
  return answer(status, kJson, error_json(error));
}

net::Response error_answer(const Error& error) {
  return error_answer(http_status(error.code), error);
}

// A name in `Host` means that some page's name may have been pointed at this machine (DNS
// rebinding). Addresses, localhost and the name we listen on are the operator's own.
bool host_allowed(std::string_view host, std::string_view listen_host) {
  if (host.starts_with('[')) return true;
  const std::string_view name = host.substr(0, host.rfind(':'));
  if (name.empty() || equal_ignore_case(name, "localhost") || equal_ignore_case(name, listen_host))
    return true;
  return net::parse_ip_address(name).has_value();
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

struct StatusQuery {
  std::int64_t batches = kDefaultShown;
  std::int64_t syncs = kDefaultShown;
};

struct SyncQuery {
  std::string source;
  std::int64_t timeout_s = kSyncTimeoutDefaultS;
};

Result<std::int64_t> number_parameter(const std::string& name, const std::string& text,
                                      std::int64_t low, std::int64_t high) {
  const auto number = parse_number<std::int64_t>(text);
  if (!number || *number < low || *number > high) {
    return fail(Errc::kInvalid,
                fmt::format("parameter {} is \"{}\"; allowed: {} to {}", name, text, low, high));
  }
  return *number;
}

Result<StatusQuery> read_status_query(std::string_view text) {
  StatusQuery query;
  for (const auto& [name, value] : net::parse_query(text, 16)) {
    if (name == "batches") {
      LEAT_ASSIGN(query.batches, number_parameter(name, value, 0, kShownMax));
    } else if (name == "syncs") {
      LEAT_ASSIGN(query.syncs, number_parameter(name, value, 0, kShownMax));
    } else {
      return fail(Errc::kInvalid,
                  fmt::format("unknown parameter \"{}\"; allowed: batches, syncs", name));
    }
  }
  return query;
}

struct HistoryQuery {
  std::string source;
  std::int64_t limit = kDefaultShown;
};

Result<HistoryQuery> read_history_query(std::string_view text) {
  HistoryQuery query;
  for (const auto& [name, value] : net::parse_query(text, 16)) {
    if (name == "source") {
      query.source = value;
    } else if (name == "limit") {
      LEAT_ASSIGN(query.limit, number_parameter(name, value, 1, kHistoryMax));
    } else {
      return fail(Errc::kInvalid,
                  fmt::format("unknown parameter \"{}\"; allowed: source, limit", name));
    }
  }
  return query;
}

Result<std::string> read_pause_query(std::string_view text) {
  std::string source;
  for (const auto& [name, value] : net::parse_query(text, 16)) {
    if (name != "source") {
      return fail(Errc::kInvalid, fmt::format("unknown parameter \"{}\"; allowed: source", name));
    }
    source = value;
  }
  return source;
}

std::string paused_json(const std::vector<load::SourceState>& states) {
  std::string out = R"({"sources":[)";
  for (const load::SourceState& state : states) {
    if (!out.ends_with('[')) out += ',';
    out += fmt::format(
        R"({{"name":{},"paused_since":{},"running":{}}})", json_string(state.source.name),
        state.paused_since ? json_string(format_iso8601(*state.paused_since)) : "null",
        state.running);
  }
  return out + "]}";
}

Result<SyncQuery> read_sync_query(std::string_view text) {
  SyncQuery query;
  for (const auto& [name, value] : net::parse_query(text, 16)) {
    if (name == "source") {
      query.source = value;
    } else if (name == "timeout_seconds") {
      LEAT_ASSIGN(query.timeout_s, number_parameter(name, value, 1, kSyncTimeoutMaxS));
    } else {
      return fail(Errc::kInvalid,
                  fmt::format("unknown parameter \"{}\"; allowed: source, timeout_seconds", name));
    }
  }
  return query;
}

}  // namespace

struct Console::Impl {
  explicit Impl(ConsoleOptions console_options)
      : options(std::move(console_options)),
        started_at(options.clock->now()),
        status_worker(kStatusWaitingMax),
        sync_worker(kSyncsWaitingMax) {}

  ConsoleOptions options;
  TimeUs started_at;
  std::string url;
  Worker status_worker;
  Worker sync_worker;
  std::unique_ptr<net::HttpServer> server;  // its exchanges die before it

  // Blocks: on the status worker only.
  Snapshot take_snapshot(const StatusQuery& query) const {
    Snapshot snapshot;
    snapshot.version = options.version;
    snapshot.now = options.clock->now();
    snapshot.started_at = started_at;
    snapshot.connection = options.connection;
    const auto take = [&snapshot](std::string_view part, auto result, auto& into) {
      if (result) {
        into = std::move(*result);
      } else {
        snapshot.problems.push_back(Problem{std::string(part), result.error().message});
      }
    };
    // Later stages first, see Snapshot.
    if (options.ledger)
      take("ledger", options.ledger(static_cast<int>(query.batches)), snapshot.ledger);
    if (options.received) take("archive", options.received(), snapshot.received);
    if (options.journal) take("journal", options.journal(), snapshot.journal);
    if (options.schedule != nullptr) snapshot.states = options.schedule->states();
    if (options.history != nullptr) {
      snapshot.syncs = options.history->latest(static_cast<std::size_t>(query.syncs));
    }
    return snapshot;
  }

  void get_status(std::string_view text, net::Exchange exchange) {
    const auto query = read_status_query(text);
    if (!query) return exchange.reply(error_answer(query.error()));
    auto shared = std::make_shared<net::Exchange>(std::move(exchange));
    const bool queued = status_worker.post([this, query = *query, shared] {
      shared->reply(answer(200, kJson, status_json(take_snapshot(query))));
    });
    if (!queued) shared->reply(busy("status requests"));
  }

  static net::Response busy(std::string_view what) {
    net::Response response = error_answer(
        Error{Errc::kUnavailable, fmt::format("too many {} wait; try again in a second", what)});
    response.headers += "Retry-After: 1\r\n";
    return response;
  }

  // What changes something needs the token in a header of our own: a page of another origin cannot
  // set it without a preflight, which we never grant, and does not know it.
  [[nodiscard]] std::optional<net::Response> refuse(const net::RequestView& request) const {
    const auto token = request.header("Leat-Token");
    if (token && equal_secret(*token, options.token)) return std::nullopt;
    return error_answer(
        401,
        Error{Errc::kDenied,
              fmt::format("{} needs the console's token in the header Leat-Token{}", request.path,
                          options.connection.token_hint.empty()
                              ? std::string()
                              : "; it is " + options.connection.token_hint)});
  }

  // Replays run in the schedule's thread: nothing here waits for them.
  void answer_replay(const net::RequestView& request, net::Exchange exchange) {
    if (options.schedule == nullptr) {
      return exchange.reply(
          error_answer(Error{Errc::kUnsupported, "this process runs no replays"}));
    }
    load::SyncSchedule& schedule = *options.schedule;
    if (request.path == "/api/replays") {
      const auto number = read_replay_number(request.query, true);
      if (!number) return exchange.reply(error_answer(number.error()));
      return exchange.reply(answer(200, kJson, replays_json(schedule.replays(), *number)));
    }
    const auto job = [&]() -> Result<load::ReplayJob> {
      if (request.path == "/api/replay/stop") {
        LEAT_ASSIGN(const std::int64_t number, read_replay_number(request.query, false));
        return schedule.stop_replay(number);
      }
      LEAT_ASSIGN(const load::ReplayRequest asked, read_replay_query(request.query));
      return schedule.start_replay(asked);
    }();
    if (!job) return exchange.reply(error_answer(job.error()));
    exchange.reply(answer(200, kJson, replays_json({*job}, 0)));
  }

  // Shows what people sent, so it needs the token as well.
  void get_rescued(const net::RequestView& request, net::Exchange exchange) {
    if (auto refusal = refuse(request)) return exchange.reply(std::move(*refusal));
    const auto query = read_rescued_query(request.query);
    if (!query) return exchange.reply(error_answer(query.error()));
    if (!options.rescued) {
      return exchange.reply(
          error_answer(Error{Errc::kUnsupported, "this process has no destination"}));
    }
    auto shared = std::make_shared<net::Exchange>(std::move(exchange));
    const bool queued = status_worker.post([this, query = *query, shared] {
      const auto rescued = options.rescued(query.source, query.query);
      if (!rescued) return shared->reply(error_answer(rescued.error()));
      shared->reply(answer(200, kJson, load::to_json(*rescued)));
    });
    if (!queued) shared->reply(busy("status requests"));
  }

  // Names persons, so reading needs the token as well.
  void answer_privacy(const net::RequestView& request, net::Exchange exchange) {
    if (auto refusal = refuse(request)) return exchange.reply(std::move(*refusal));
    if (!options.privacy) {
      return exchange.reply(
          error_answer(Error{Errc::kUnsupported, "this process keeps no list of persons"}));
    }
    auto shared = std::make_shared<net::Exchange>(std::move(exchange));
    const bool is_post = request.method == net::Method::kPost;
    const bool queued =
        status_worker.post([this, is_post, query = std::string(request.query), shared] {
          auto json = options.privacy(is_post, query);
          if (!json) return shared->reply(error_answer(json.error()));
          shared->reply(answer(200, kJson, std::move(*json)));
        });
    if (!queued) shared->reply(busy("status requests"));
  }

  void get_history(std::string_view text, net::Exchange exchange) {
    const auto query = read_history_query(text);
    if (!query) return exchange.reply(error_answer(query.error()));
    if (options.history == nullptr) {
      return exchange.reply(error_answer(Error{Errc::kUnsupported, "this process runs no syncs"}));
    }
    auto shared = std::make_shared<net::Exchange>(std::move(exchange));
    const bool queued = status_worker.post([this, query = *query, shared] {
      const auto entries =
          options.history->read(query.source, static_cast<std::size_t>(query.limit));
      if (!entries) return shared->reply(error_answer(entries.error()));
      std::string body = R"({"syncs":[)";
      for (const load::SyncHistoryEntry& entry : *entries) {
        if (!body.ends_with('[')) body += ',';
        body += load::to_json(entry);
      }
      shared->reply(answer(200, kJson, body + "]}"));
    });
    if (!queued) shared->reply(busy("status requests"));
  }

  void post_pause(const net::RequestView& request, net::Exchange exchange) {
    const auto source = read_pause_query(request.query);
    if (!source) return exchange.reply(error_answer(source.error()));
    if (options.schedule == nullptr) {
      return exchange.reply(error_answer(Error{Errc::kUnsupported, "this process runs no syncs"}));
    }
    auto shared = std::make_shared<net::Exchange>(std::move(exchange));
    const bool pauses = request.path == "/api/pause";
    // Not behind a sync that somebody waits for: it is what may have to be paused.
    const bool queued = status_worker.post([this, source = *source, pauses, shared] {
      const auto states =
          pauses ? options.schedule->pause(source, kPauseWaitUs) : options.schedule->resume(source);
      shared->reply(states ? answer(200, kJson, paused_json(*states))
                           : error_answer(states.error()));
    });
    if (!queued) shared->reply(busy("status requests"));
  }

  void post_sync(const net::RequestView& request, net::Exchange exchange) {
    const auto query = read_sync_query(request.query);
    if (!query) return exchange.reply(error_answer(query.error()));
    if (options.schedule == nullptr) {
      return exchange.reply(error_answer(Error{Errc::kUnsupported, "this process runs no syncs"}));
    }
    auto shared = std::make_shared<net::Exchange>(std::move(exchange));
    const bool queued = sync_worker.post([this, query = *query, shared] {
      const auto reports = options.schedule->sync_now(query.source, query.timeout_s * kUsPerSecond);
      if (!reports) return shared->reply(error_answer(reports.error()));
      std::string body = R"({"syncs":[)";
      for (std::size_t i = 0; i < reports->size(); ++i) {
        if (i > 0) body += ',';
        body += load::to_json((*reports)[i]);
      }
      shared->reply(answer(200, kJson, body + "]}"));
    });
    if (!queued) shared->reply(busy("syncs"));
  }

  [[nodiscard]] net::Response get_ready() const {
    if (options.ready) {
      if (const auto status = options.ready(); !status) return error_answer(503, status.error());
    }
    return answer(200, kJson, R"({"ready":true})");
  }

  static net::Response file_answer(const WebFile& file, const net::RequestView& request) {
    const std::string etag = fmt::format("\"{:016x}\"", hash64(file.bytes));
    net::Response response;
    response.headers =
        fmt::format("{}Cache-Control: no-cache\r\nETag: {}\r\n", kSecurityHeaders, etag);
    if (request.header("If-None-Match") == etag) {
      response.status = 304;
      return response;
    }
    response.content_type = file.content_type;
    response.static_body = file.bytes;
    return response;
  }

  static net::Response not_allowed(std::string_view allowed) {
    net::Response response =
        error_answer(405, Error{Errc::kInvalid, fmt::format("this path takes {} only", allowed)});
    response.headers += fmt::format("Allow: {}\r\n", allowed);
    return response;
  }

  void on_request(const net::RequestView& request, net::Exchange exchange) {
    const std::string_view host = request.header("Host").value_or("");
    if (is_loopback(options.listen_host) && !host_allowed(host, options.listen_host)) {
      return exchange.reply(error_answer(
          421, Error{Errc::kDenied,
                     "use an address or localhost to reach this console, not another name"}));
    }
    const std::string_view path = request.path;
    if (path == "/api/sync" || path == "/api/pause" || path == "/api/resume" ||
        path == "/api/replay" || path == "/api/replay/stop") {
      if (request.method != net::Method::kPost) return exchange.reply(not_allowed("POST"));
      if (auto refusal = refuse(request)) return exchange.reply(std::move(*refusal));
      if (path == "/api/sync") return post_sync(request, std::move(exchange));
      if (path == "/api/pause" || path == "/api/resume") {
        return post_pause(request, std::move(exchange));
      }
      return answer_replay(request, std::move(exchange));
    }
    const bool reading =
        request.method == net::Method::kGet || request.method == net::Method::kHead;
    if (path == "/api/privacy") {
      if (!reading && request.method != net::Method::kPost) {
        return exchange.reply(not_allowed("GET, HEAD, POST"));
      }
      return answer_privacy(request, std::move(exchange));
    }
    if (path == "/api/status") {
      if (!reading) return exchange.reply(not_allowed("GET, HEAD"));
      return get_status(request.query, std::move(exchange));
    }
    if (path == "/api/history") {
      if (!reading) return exchange.reply(not_allowed("GET, HEAD"));
      return get_history(request.query, std::move(exchange));
    }
    if (path == "/api/rescued") {
      if (!reading) return exchange.reply(not_allowed("GET, HEAD"));
      return get_rescued(request, std::move(exchange));
    }
    if (path == "/api/replays") {
      if (!reading) return exchange.reply(not_allowed("GET, HEAD"));
      return answer_replay(request, std::move(exchange));
    }
    if (auto response = simple_answer(request)) {
      return exchange.reply(reading ? std::move(*response) : not_allowed("GET, HEAD"));
    }
    exchange.reply(error_answer(
        Error{Errc::kNotFound,
              "no such path; there are /, /api/status, /api/sync, /api/history, /api/pause, "
              "/api/resume, /api/replay, /api/replays, /api/replay/stop, /api/rescued, "
              "/api/privacy, /healthz, /readyz, /metrics"}));
  }

  [[nodiscard]] std::optional<net::Response> simple_answer(const net::RequestView& request) const {
    if (request.path == "/healthz") return answer(200, kJson, R"({"healthy":true})");
    if (request.path == "/readyz") return get_ready();
    if (request.path == "/metrics") {
      return answer(200, "text/plain; version=0.0.4; charset=utf-8",
                    options.metrics != nullptr ? options.metrics->to_text() : std::string());
    }
    for (const WebFile& file : web_files()) {
      if (file.path == request.path) return file_answer(file, request);
    }
    return std::nullopt;
  }
};

namespace {

class ConsoleHandler final : public net::Handler {
 public:
  using Answer = std::function<void(const net::RequestView&, net::Exchange)>;
  explicit ConsoleHandler(Answer answer) : answer_(std::move(answer)) {}
  void on_request(const net::RequestView& request, net::Exchange exchange) override {
    answer_(request, std::move(exchange));
  }

 private:
  Answer answer_;
};

}  // namespace

Console::Console(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Console::~Console() {
  stop();
}

Result<std::unique_ptr<Console>> Console::start(ConsoleOptions options) {
  if (options.token.empty()) return fail(Errc::kInvalid, "the console needs a token");
  auto impl = std::make_unique<Impl>(std::move(options));
  Impl* console = impl.get();
  net::HttpOptions http;
  http.listen = net::Endpoint{console->options.listen_host, console->options.listen_port};
  http.name = "console";
  http.registry = console->options.metrics;
  http.body_bytes_max = 64 * 1024;
  http.connections_max = 256;
  LEAT_ASSIGN(console->server,
              net::HttpServer::start(std::move(http), [console](net::Loop&, unsigned) {
                return std::make_unique<ConsoleHandler>(
                    [console](const net::RequestView& request, net::Exchange exchange) {
                      console->on_request(request, std::move(exchange));
                    });
              }));
  console->url = "http://" + console->server->local().to_string();
  return std::unique_ptr<Console>(new Console(std::move(impl)));
}

const std::string& Console::url() const {
  return impl_->url;
}

void Console::stop() {
  // Workers first: an exchange may not be answered after its server's end.
  impl_->status_worker.stop();
  impl_->sync_worker.stop();
  if (impl_->server) {
    impl_->server->stop(net::Deadline::after_us(kStopUs));
    impl_->server.reset();
  }
}

}  // namespace leat::console
