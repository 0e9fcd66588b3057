// Tells people what needs a person: a source that has not been loaded for a while, and that it is
// loaded again. By webhook, by e-mail, or both.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "io/http_client.h"
#include "io/mail.h"
#include "pipeline/load/sync_schedule.h"

namespace leat::app {

enum class NoticeKind : std::uint8_t { kSyncFailing, kSyncRecovered };

struct Notice {
  NoticeKind kind = NoticeKind::kSyncFailing;
  std::string source;
  std::string schema;
  TimeUs since;  ///< Of the first failure.
  TimeUs at;
  int failures = 0;        ///< In a row; kSyncRecovered: 0.
  std::string error_kind;  ///< load::failure_kind_name; empty when it recovered.
  std::string message;     ///< The last failure with its next step; empty when it recovered.
};

/// One JSON object. Pure; any thread.
[[nodiscard]] std::string to_json(const Notice& notice);
/// Pure; any thread.
[[nodiscard]] io::Mail to_mail(const Notice& notice, const std::string& from,
                               std::vector<std::string> to);

/// Decides what is told. One thread.
class NoticeRules {
 public:
  /// A source is told of when it has failed for `after_us`, then every `every_us` while it fails,
  /// and once when it is loaded again.
  NoticeRules(std::int64_t after_us, std::int64_t every_us)
      : after_us_(after_us), every_us_(every_us) {}

  [[nodiscard]] std::vector<Notice> look(const std::vector<load::SourceState>& states, TimeUs now);

 private:
  struct Failing {
    TimeUs since;
    std::optional<TimeUs> told;
  };
  std::int64_t after_us_;
  std::int64_t every_us_;
  std::map<std::string, Failing> failing_;  // by source
};

struct NoticeOptions {
  std::int64_t after_us = 0;
  std::int64_t every_us = 0;
  std::string webhook = {};         ///< http:// or https://; empty: none.
  std::string webhook_token = {};   ///< Sent as `Authorization: Bearer`; empty: not sent.
  io::MailServer mail_server = {};  ///< Without URL: no mail.
  std::string mail_from = {};
  std::vector<std::string> mail_to = {};
  const Clock* clock = &system_clock();  ///< Borrowed.
  metrics::Registry* metrics = nullptr;  ///< Borrowed.
  /// What to look at, once a second.
  std::function<std::vector<load::SourceState>()> states = {};
};

/// Errors: kInvalid, a channel that cannot work: no URL, no addresses.
[[nodiscard]] Status check_notices(const NoticeOptions& options);

/// Looks and tells, in a thread of its own. What cannot be delivered is tried again, 10 s doubling
/// to 1 h, for a day; a notice that waits when the process ends is lost.
class Notifier {
 public:
  /// kInvalid: a webhook that is no URL, or a mail without addresses.
  [[nodiscard]] static Result<std::unique_ptr<Notifier>> start(NoticeOptions options);
  /// Ends the thread, and what it is about to send.
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

 private:
  enum class Channel : std::uint8_t { kWebhook, kMail };
  struct Delivery {
    Notice notice;
    Channel channel = Channel::kWebhook;
    int attempts = 0;
    std::int64_t next_us = 0;     // monotonic
    std::int64_t give_up_us = 0;  // monotonic
  };

  Notifier(NoticeOptions options, std::unique_ptr<io::HttpClient> http);
  void run(const std::stop_token& stop);
  void queue(const Notice& notice);
  void deliver_due(const std::stop_token& stop);
  [[nodiscard]] Status deliver(const Delivery& delivery, const std::stop_token& stop);
  void count(const Delivery& delivery, std::string_view outcome);

  NoticeOptions options_;
  std::unique_ptr<io::HttpClient> http_;
  NoticeRules rules_;
  std::deque<Delivery> waiting_;  // the thread's own
  std::jthread thread_;
};

}  // namespace leat::app
