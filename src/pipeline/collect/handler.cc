#include "pipeline/collect/handler.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "pipeline/collect/client.h"
#include "pipeline/collect/pixel.h"
#include "pipeline/collect/replies.h"

namespace leat::collect {
namespace {

using net::Method;

Limits fitting(Limits limits, const journal::Shard& shard) {
  limits.lines_bytes_max = std::min(limits.lines_bytes_max, shard.record_bytes_max());
  return limits;
}

bool reads_only(Method method) {
  return method == Method::kGet || method == Method::kHead;
}

/// The method that a route wants.
bool accepts(RouteKind kind, Method method) {
  switch (kind) {
    case RouteKind::kEvent:
    case RouteKind::kBatch:
    case RouteKind::kTelemetry:
      return method == Method::kPost;
    default:
      return reads_only(method);
  }
}

std::string_view code_of(int status) {
  switch (status) {
    case 408:
      return "request_timeout";
    case 413:
      return "exceed_payload_limit";
    case 431:
      return "headers_too_large";
    default:
      return "bad_request";
  }
}

}  // namespace

CollectHandler::CollectHandler(Shared& shared, net::Loop& loop, journal::Shard& shard)
    : shared_(shared),
      loop_(loop),
      shard_(shard),
      clock_(shared.options.clock != nullptr ? *shared.options.clock : system_clock()),
      intake_(fitting(shared.options.limits, shard), shared.sources,
              shared.options.random != nullptr ? *shared.options.random : secure_random(),
              shared.options.suppressions),
      bytes_(shared.registry->counter("leat_collect_body_bytes_total",
                                      "Bytes of request bodies, as sent.")),
      waiting_gauge_(shared.registry->gauge("leat_collect_waiting_requests",
                                            "Requests that wait for the journal.")),
      held_gauge_(shared.registry->gauge("leat_collect_held_requests",
                                         "Requests that wait for room in the journal.")),
      hold_timeouts_(shared.registry->counter(
          "leat_collect_hold_timeouts_total",
          "Requests refused because there was no room in the journal for too long.")),
      unknown_keys_(shared.registry->counter(
          "leat_collect_unknown_write_keys_total",
          "Requests of which nothing is kept because no source has their write key.")),
      commit_time_(
          shared.registry->histogram("leat_collect_commit_seconds",
                                     "Time from reading a request to its events being durable.")) {
  for (const Source& source : shared.sources.all()) {
    sources_.push_back(
        {.rate = RateLimit(static_cast<double>(source.events_per_second_max) / shared.loops),
         .events = &shared.registry->counter("leat_collect_events_total",
                                             "Events appended to the journal.",
                                             {{"source", source.name}}),
         .rejected = &shared.registry->counter("leat_collect_events_rejected_total",
                                               "Of these, events that break a rule.",
                                               {{"source", source.name}}),
         .suppressed = &shared.registry->counter(
             "leat_collect_events_suppressed_total",
             "Of these, events of suppressed persons: nothing of them is kept.",
             {{"source", source.name}})});
  }
  for (std::size_t i = 1; i < answers_.size(); ++i) {
    answers_[i] =
        &shared.registry->counter("leat_collect_answers_total", "Answers, by class of status.",
                                  {{"status", fmt::format("{}xx", i)}});
  }
  auto watch = loop.watch(shard.notify_fd(), EPOLLIN, [this](std::uint32_t) { handle_journal(); });
  if (watch) {
    watch_ = *watch;
  } else {
    log::error("collect", "cannot watch the journal: {}", watch.error().message);
    shared.ready = false;
  }
}

CollectHandler::~CollectHandler() {
  loop_.end_watch(watch_);
  if (hold_timer_ != 0) loop_.cancel_timer(hold_timer_);
  held_gauge_.add(-static_cast<std::int64_t>(held_.size()));
  waiting_gauge_.add(-static_cast<std::int64_t>(waiting_.size()));
  for (Waiting& one : waiting_) {
    one.exchange.reply(failure(503, "unavailable", "the collector is stopping",
                               std::move(one.headers), shared_.options.retry_after_seconds));
  }
}

void CollectHandler::answer(net::Exchange& exchange, net::Response response) {
  answers_[static_cast<std::size_t>(std::clamp(response.status / 100, 1, 5))]->add();
  exchange.reply(std::move(response));
}

/// The pixel is always answered with its image, so that no broken picture shows.
void CollectHandler::refuse(net::Exchange& exchange, bool pixel, net::Response response) {
  answer(exchange, pixel ? image(std::string()) : std::move(response));
}

void CollectHandler::on_request(const net::RequestView& request, net::Exchange exchange) {
  if (request.held_since_us == 0) bytes_.add(request.body.size());
  if (request.method == Method::kOptions) return answer(exchange, preflight(request));
  const Route route = route_of(request.path);
  if (route.kind == RouteKind::kUnknown) {
    return answer(exchange,
                  failure(404, "not_found", "no such route; see docs/reference/http-api.md",
                          cors_headers(request)));
  }
  if (!accepts(route.kind, request.method)) {
    const bool posts = accepts(route.kind, Method::kPost);
    return answer(exchange,
                  failure(405, "method_not_allowed", posts ? "use POST" : "use GET",
                          cors_headers(request) + (posts ? "Allow: POST, OPTIONS\r\n"
                                                         : "Allow: GET, HEAD, OPTIONS\r\n")));
  }
  switch (route.kind) {
    case RouteKind::kEvent:
    case RouteKind::kBatch:
      return take_event(request, route, std::move(exchange));
    case RouteKind::kPixel:
      return take_pixel(request, route, std::move(exchange));
    case RouteKind::kTelemetry:
      return answer(exchange, success(cors_headers(request)));
    case RouteKind::kHealth:
      return answer(exchange,
                    {.content_type = "application/json", .static_body = R"({"status":"ok"})"});
    case RouteKind::kReady:
      return answer_ready(request, std::move(exchange));
    case RouteKind::kMetrics:
      return answer(exchange, {.content_type = "text/plain; version=0.0.4; charset=utf-8",
                               .body = shared_.registry->to_text()});
    case RouteKind::kSettings: {
      const std::string write_key = net::percent_decode(route.write_key, false);
      if (shared_.sources.find(write_key) == nullptr) {
        return answer(exchange, failure(404, "unknown_source", "no source has this write key",
                                        cors_headers(request)));
      }
      return answer(exchange, settings(request, write_key));
    }
    case RouteKind::kUnknown:
      break;
  }
}

net::Response CollectHandler::on_refused(int status, std::string_view message,
                                         const net::RequestView& request) {
  // 501 and 505 make several libraries drop their events for good (and 501 and 505 are no fault of
  // an event).
  if (status == 501 || status == 505) status = 400;
  answers_[static_cast<std::size_t>(std::clamp(status / 100, 1, 5))]->add();
  net::Response response = failure(status, code_of(status), message, cors_headers(request));
  response.close = true;
  return response;
}

IntakeRequest CollectHandler::describe(const net::RequestView& request, const Route& route) {
  const auto authorization = request.header("Authorization").value_or(std::string_view());
  if (authorization != authorization_) {
    authorization_ = authorization;
    basic_key_ = basic_write_key(authorization);
  }
  query_key_ = query_write_key(request.query);
  client_ = client_address(request, shared_.options.trusted_proxies);
  return {.type = route.type,
          .body = request.body,
          .content_encoding = request.header("Content-Encoding").value_or(std::string_view()),
          .basic_key = basic_key_,
          .query_key = query_key_,
          .received_at = clock_.now(),
          .ip = client_.is_v4() ? &client_ : nullptr,  // IPv6 is not taken, as Segment does not
          .client_side = route.client_side,
          .user_agent = request.header("User-Agent").value_or(std::string_view())};
}

void CollectHandler::take_event(const net::RequestView& request, const Route& route,
                                net::Exchange exchange) {
  if (must_queue(request)) return hold(request, std::move(exchange));
  keep(request, describe(request, route), false, std::move(exchange));
}

void CollectHandler::take_pixel(const net::RequestView& request, const Route& route,
                                net::Exchange exchange) {
  if (must_queue(request)) return hold(request, std::move(exchange));
  auto body = event_of_query(request.query);
  if (!body) return answer(exchange, image(cors_headers(request)));
  const std::size_t size = body->size();
  body->append(net::kBodyPadding, '\0');
  IntakeRequest described = describe(request, route);
  described.body = std::string_view(*body).substr(0, size);
  described.content_encoding = {};
  keep(request, described, true, std::move(exchange));
}

std::int64_t CollectHandler::rate_wait_seconds() {
  const std::int64_t now_us = clock_.monotonic_us();
  std::int64_t wait = 0;
  for (const SourceLines& lines : intake_.lines()) {
    wait =
        std::max(wait, sources_[shared_.sources.index_of(*lines.source)].rate.wait_seconds(now_us));
  }
  return wait;
}

/// Of the lines at hand, which have been appended.
void CollectHandler::count_events() {
  for (const SourceLines& lines : intake_.lines()) {
    SourceState& source = sources_[shared_.sources.index_of(*lines.source)];
    source.rate.take(lines.events);
    source.events->add(lines.events);
    if (lines.rejected > 0) source.rejected->add(lines.rejected);
    if (lines.suppressed > 0) source.suppressed->add(lines.suppressed);
  }
}

/// Appends all lines at hand or none; the offset of the last record, or zero when there are none.
Result<journal::Offset> CollectHandler::append(TimeUs received_at) {
  records_.clear();
  for (const SourceLines& lines : intake_.lines()) {
    records_.push_back({.header = {.source = lines.source->name,
                                   .received_at = received_at,
                                   .event_count = lines.events},
                        .lines = lines.lines});
  }
  if (records_.empty()) return journal::Offset{};
  return shard_.append(records_);
}

void CollectHandler::keep(const net::RequestView& http, const IntakeRequest& request, bool pixel,
                          net::Exchange exchange) {
  if (const auto refusal = intake_.read(request)) {
    if (refusal->code == "unknown_source") unknown_keys_.add();
    return refuse(exchange, pixel,
                  failure(refusal->status, refusal->code, refusal->message, cors_headers(http)));
  }
  if (const std::int64_t wait = rate_wait_seconds(); wait > 0) {
    return refuse(
        exchange, pixel,
        failure(429, "too_many_requests", "the source sends more events a second than it may",
                cors_headers(http), wait));
  }
  const auto offset = append(request.received_at);
  if (!offset) return answer_unkept(http, pixel, std::move(exchange), offset.error());
  count_events();
  if (offset->value == 0) return answer(exchange, success(cors_headers(http)));  // an empty batch
  waiting_.push_back({.offset = *offset,
                      .exchange = std::move(exchange),
                      .headers = cors_headers(http),
                      .pixel = pixel,
                      .since_us = http.held_since_us != 0 ? http.held_since_us : loop_.turn_us()});
  waiting_gauge_.add(1);
}

/// The journal did not take a request's lines: the request waits if time may help.
void CollectHandler::answer_unkept(const net::RequestView& http, bool pixel, net::Exchange exchange,
                                   const Error& error) {
  if (error.code == Errc::kInvalid) {
    return refuse(exchange, pixel,
                  failure(413, "exceed_payload_limit", "the events do not fit the journal's buffer",
                          cors_headers(http)));
  }
  const bool room_will_come = error.code == Errc::kExhausted && shard_.health().has_value();
  const bool waited_enough = http.held_since_us != 0 &&
                             loop_.turn_us() - http.held_since_us >= shared_.options.hold_us_max;
  if (room_will_come && !waited_enough) return hold(http, std::move(exchange));
  if (room_will_come) hold_timeouts_.add();
  refuse(exchange, pixel,
         failure(503, "unavailable", "the events cannot be kept now; send them again later",
                 cors_headers(http), shared_.options.retry_after_seconds));
}

// ---- requests that wait for room

/// A request that comes while others are held goes behind them.
bool CollectHandler::must_queue(const net::RequestView& http) const {
  return !held_.empty() && http.held_since_us == 0;
}

void CollectHandler::hold(const net::RequestView& http, net::Exchange exchange) {
  held_again_ = http.held_since_us != 0;
  const std::int64_t since_us = held_again_ ? http.held_since_us : loop_.turn_us();
  held_.insert(held_again_ ? held_.begin() : held_.end(),
               {.request = exchange.hold(), .since_us = since_us});
  held_gauge_.add(1);
  if (hold_timer_ == 0) {
    hold_timer_ = loop_.run_after(
        std::max<std::int64_t>(since_us + shared_.options.hold_us_max - loop_.turn_us(), 0),
        [this] { end_old_holds(); });
  }
}

/// Lets held requests try again, in their order, until one finds no room.
void CollectHandler::resume_held() {
  held_again_ = false;
  while (!held_.empty() && !held_again_) {
    net::HeldRequest request = held_.front().request;
    held_.pop_front();
    held_gauge_.add(-1);
    request.resume();
  }
}

/// The journal still has no room: whoever waited long enough is told by its next try.
void CollectHandler::end_old_holds() {
  hold_timer_ = 0;
  resume_held();
  if (!held_.empty() && hold_timer_ == 0) {
    hold_timer_ =
        loop_.run_after(held_.front().since_us + shared_.options.hold_us_max - loop_.turn_us(),
                        [this] { end_old_holds(); });
  }
}

void CollectHandler::handle_journal() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(shard_.notify_fd(), &count, sizeof count);
  const journal::Offset durable = shard_.durable();
  std::int64_t answered = 0;
  for (; !waiting_.empty() && waiting_.front().offset <= durable;
       waiting_.pop_front(), ++answered) {
    Waiting& one = waiting_.front();
    commit_time_.observe_us(loop_.turn_us() - one.since_us);
    answer(one.exchange,
           one.pixel ? image(std::move(one.headers)) : success(std::move(one.headers)));
  }
  if (!waiting_.empty() && !shard_.health()) {
    // They may still become durable; the copies that the clients send again are told by their
    // message ids.
    for (; !waiting_.empty(); waiting_.pop_front(), ++answered) {
      Waiting& one = waiting_.front();
      refuse(one.exchange, one.pixel,
             failure(503, "unavailable", "the events cannot be kept now; send them again later",
                     std::move(one.headers), shared_.options.retry_after_seconds));
    }
  }
  waiting_gauge_.add(-answered);
  resume_held();
}

void CollectHandler::answer_ready(const net::RequestView& request, net::Exchange exchange) {
  const Status health = shard_.health();
  if (health && shared_.ready.load()) {
    return answer(exchange,
                  {.content_type = "application/json", .static_body = R"({"status":"ready"})"});
  }
  answer(exchange,
         failure(503, "unavailable", health ? "starting or stopping" : health.error().message,
                 cors_headers(request), shared_.options.retry_after_seconds));
}

}  // namespace leat::collect
