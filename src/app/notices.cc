#include "app/notices.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/log.h"
#include "base/text.h"

namespace leat::app {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr std::int64_t kAgainFirstUs = 10 * kUsPerSecond;
constexpr std::int64_t kAgainMaxUs = 3600 * kUsPerSecond;
constexpr std::int64_t kGiveUpUs = 86'400 * kUsPerSecond;
constexpr std::int64_t kSendTimeoutUs = 10 * kUsPerSecond;
// A destination that is away for long must not fill the memory with what nobody could be told.
constexpr std::size_t kWaitingMax = 1000;

std::string_view kind_name(NoticeKind kind) {
  return kind == NoticeKind::kSyncFailing ? "sync_failing" : "sync_recovered";
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::int64_t backoff_us(int attempts) {
  return std::min(kAgainFirstUs << std::min(attempts - 1, 20), kAgainMaxUs);
}

}  // namespace

std::string to_json(const Notice& notice) {
  std::string out = fmt::format(
      "{{\"kind\":\"{}\",\"source\":{},\"schema\":{},\"since\":\"{}\",\"at\":\"{}\",\"host\":{},"
      "\"failures\":{}",
      kind_name(notice.kind), json_string(notice.source), json_string(notice.schema),
      format_iso8601(notice.since), format_iso8601(notice.at), json_string(host_name()),
      notice.failures);
  if (notice.kind == NoticeKind::kSyncFailing) {
    out += fmt::format(",\"error\":{{\"kind\":{},\"message\":{}}}", json_string(notice.error_kind),
                       json_string(notice.message));
  }
  return out + "}";
}

io::Mail to_mail(const Notice& notice, const std::string& from, std::vector<std::string> to) {
  io::Mail mail{.from = from, .to = std::move(to), .date = notice.at};
  const std::string where = host_name();
  if (notice.kind == NoticeKind::kSyncFailing) {
    mail.subject = fmt::format("Leat: {} has not been loaded since {}", notice.source,
                               format_iso8601(notice.since));
    mail.text = fmt::format(
        "Source {} cannot be loaded into schema {}.\n\nSince: {}\nFailures in a row: {}\nCause: "
        "{}\n\nNothing is lost: events are received and kept, and the next sync that works loads "
        "them.\n\nLeat on {}: leat status\n",
        notice.source, notice.schema, format_iso8601(notice.since), notice.failures, notice.message,
        where);
  } else {
    mail.subject = fmt::format("Leat: {} is loaded again", notice.source);
    mail.text = fmt::format(
        "Source {} is loaded into schema {} again, after failures since {}.\n\nLeat on {}: leat "
        "status\n",
        notice.source, notice.schema, format_iso8601(notice.since), where);
  }
  return mail;
}

std::vector<Notice> NoticeRules::look(const std::vector<load::SourceState>& states, TimeUs now) {
  std::vector<Notice> out;
  for (const load::SourceState& state : states) {
    const auto at = failing_.find(state.source.name);
    if (state.consecutive_failures == 0) {
      if (at == failing_.end()) continue;
      if (at->second.told) {
        out.push_back({.kind = NoticeKind::kSyncRecovered,
                       .source = state.source.name,
                       .schema = state.source.schema,
                       .since = at->second.since,
                       .at = now,
                       .failures = 0,
                       .error_kind = {},
                       .message = {}});
      }
      failing_.erase(at);
      continue;
    }
    Failing& failing =
        at != failing_.end()
            ? at->second
            : failing_.emplace(state.source.name, Failing{state.last_failure.value_or(now), {}})
                  .first->second;
    const bool due = failing.told ? now.value - failing.told->value >= every_us_
                                  : now.value - failing.since.value >= after_us_;
    if (!due) continue;
    failing.told = now;
    out.push_back({.kind = NoticeKind::kSyncFailing,
                   .source = state.source.name,
                   .schema = state.source.schema,
                   .since = failing.since,
                   .at = now,
                   .failures = state.consecutive_failures,
                   .error_kind = state.last_error_kind,
                   .message = state.last_error});
  }
  return out;
}

Status check_notices(const NoticeOptions& options) {
  const auto starts_with_any = [](const std::string& url, std::string_view a, std::string_view b) {
    return (url.starts_with(a) && url.size() > a.size()) ||
           (url.starts_with(b) && url.size() > b.size());
  };
  if (!options.webhook.empty() && !starts_with_any(options.webhook, "http://", "https://")) {
    return fail(Errc::kInvalid,
                "notify.webhook is no URL; write it as https://HOST/PATH or http://HOST/PATH");
  }
  const std::string& server = options.mail_server.url;
  if (server.empty()) return {};
  if (!starts_with_any(server, "smtps://", "smtp://")) {
    return fail(Errc::kInvalid,
                fmt::format("notify.mail_server '{}' is no mail server; write it as "
                            "smtps://HOST:465 or smtp://HOST:587",
                            server));
  }
  if (options.mail_from.empty() || options.mail_to.empty()) {
    return fail(Errc::kInvalid,
                "notify.mail_server needs notify.mail_from and notify.mail_to; set them");
  }
  std::vector<std::string> addresses = options.mail_to;
  addresses.push_back(options.mail_from);
  for (const std::string& address : addresses) {
    if (address.find('@') != std::string::npos) continue;
    return fail(Errc::kInvalid,
                fmt::format("'{}' is no mail address; correct notify.mail_from or notify.mail_to, "
                            "such as leat@example.com",
                            address));
  }
  return {};
}

Result<std::unique_ptr<Notifier>> Notifier::start(NoticeOptions options) {
  LEAT_TRY(check_notices(options));
  options.mail_server.timeout_us = kSendTimeoutUs;
  LEAT_ASSIGN(auto http, io::HttpClient::open({}));
  std::unique_ptr<Notifier> out(new Notifier(std::move(options), std::move(http)));
  out->thread_ = std::jthread([self = out.get()](const std::stop_token& stop) { self->run(stop); });
  return out;
}

Notifier::Notifier(NoticeOptions options, std::unique_ptr<io::HttpClient> http)
    : options_(std::move(options)),
      http_(std::move(http)),
      rules_(options_.after_us, options_.every_us) {}

Notifier::~Notifier() = default;

void Notifier::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any ended;
  while (!stop.stop_requested()) {
    for (const Notice& notice : rules_.look(options_.states(), options_.clock->now())) {
      queue(notice);
    }
    deliver_due(stop);
    std::unique_lock lock(mutex);
    ended.wait_for(lock, stop, kLookEvery, [] { return false; });
  }
}

void Notifier::queue(const Notice& notice) {
  const std::int64_t now_us = options_.clock->monotonic_us();
  Delivery delivery{.notice = notice,
                    .channel = Channel::kWebhook,
                    .next_us = now_us,
                    .give_up_us = now_us + kGiveUpUs};
  if (!options_.webhook.empty()) waiting_.push_back(delivery);
  delivery.channel = Channel::kMail;
  if (!options_.mail_server.url.empty()) waiting_.push_back(std::move(delivery));
  while (waiting_.size() > kWaitingMax) {
    count(waiting_.front(), "lost");
    waiting_.pop_front();
  }
}

void Notifier::deliver_due(const std::stop_token& stop) {
  for (std::size_t left = waiting_.size(); left > 0 && !stop.stop_requested(); --left) {
    Delivery delivery = std::move(waiting_.front());
    waiting_.pop_front();
    if (delivery.next_us > options_.clock->monotonic_us()) {
      waiting_.push_back(std::move(delivery));
      continue;
    }
    const Status told = deliver(delivery, stop);
    if (told) {
      count(delivery, "delivered");
      continue;
    }
    if (told.error().code == Errc::kAborted) return;
    ++delivery.attempts;
    delivery.next_us = options_.clock->monotonic_us() + backoff_us(delivery.attempts);
    const bool last = delivery.next_us > delivery.give_up_us;
    log::warning("notices", "source {}: a notice ({}) could not be sent: {}; {}",
                 delivery.notice.source, kind_name(delivery.notice.kind), told.error().message,
                 last ? "given up" : "it is tried again");
    count(delivery, last ? "lost" : "retried");
    if (!last) waiting_.push_back(std::move(delivery));
  }
}

Status Notifier::deliver(const Delivery& delivery, const std::stop_token& stop) {
  if (delivery.channel == Channel::kMail) {
    auto sent = io::send_mail(options_.mail_server,
                              to_mail(delivery.notice, options_.mail_from, options_.mail_to), stop);
    if (sent || sent.error().code != Errc::kDenied) return sent;
    return fail(Errc::kDenied, fmt::format("{}; correct notify.mail_user, notify.mail_password or "
                                           "notify.mail_ca_bundle",
                                           sent.error().message));
  }
  const std::string body = to_json(delivery.notice);
  io::HttpRequest request{.method = "POST",
                          .url = options_.webhook,
                          .headers = {{"content-type", "application/json"}},
                          .body = body,
                          .timeout_us = kSendTimeoutUs,
                          .stop = stop};
  if (!options_.webhook_token.empty()) {
    request.headers.push_back({"authorization", "Bearer " + options_.webhook_token});
  }
  LEAT_ASSIGN(const io::HttpResponse answer, http_->send(request));
  if (answer.status >= 200 && answer.status < 300) return {};
  return fail(Errc::kUnavailable,
              fmt::format("{} answered {}", io::printable_url(options_.webhook), answer.status));
}

void Notifier::count(const Delivery& delivery, std::string_view outcome) {
  if (options_.metrics == nullptr) return;
  options_.metrics
      ->counter("leat_notices_total", "Notices to people, by channel and what became of them.",
                {{"channel", delivery.channel == Channel::kMail ? "mail" : "webhook"},
                 {"outcome", std::string(outcome)}})
      .add();
}

}  // namespace leat::app
