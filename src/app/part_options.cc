#include "app/part_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <thread>

#include "base/text.h"

namespace leat::app {

Result<journal::Options> journal_options(const Config& config) {
  journal::Options options;
  options.shard_count = config.collect_threads > 0
                            ? static_cast<std::size_t>(config.collect_threads)
                            : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  options.segment_bytes = static_cast<std::uint64_t>(config.journal_segment_bytes);
  options.buffer_bytes = std::min(options.buffer_bytes, options.segment_bytes / 4);
  options.disk_max = static_cast<std::uint64_t>(config.journal_disk_bytes_max);
  LEAT_TRY(journal::check_sizes(options));
  return options;
}

collect::Limits collect_limits(const Config& config) {
  return {.body_bytes_max = static_cast<std::size_t>(config.collect_body_bytes_max),
          .event_bytes_max = static_cast<std::size_t>(config.collect_event_bytes_max),
          .batch_events_max = static_cast<std::size_t>(config.collect_batch_events_max)};
}

Result<load::SyncTimes> sync_times(const Config& config) {
  const auto every = config.origins.find("sync.every");
  if (!config.sync_cron.empty() && every != config.origins.end()) {
    return fail(Errc::kInvalid,
                fmt::format("sync.every ({}) and sync.cron ({}) exclude each other; take one out",
                            every->second, config.origins.at("sync.cron")));
  }
  auto times = load::SyncTimes::parse({.every_us = config.sync_every_us,
                                       .cron = config.sync_cron,
                                       .hours = config.sync_hours,
                                       .time_zone = config.sync_time_zone,
                                       .manual = config.sync_manual});
  if (!times) return fail(times.error().code, "sync." + times.error().message);
  return times;
}

Result<std::optional<NoticeOptions>> notice_options(const Config& config) {
  if (config.notify_webhook.empty() && !config.notify_webhook_token.empty()) {
    return fail(Errc::kInvalid,
                "notify.webhook_token is set and notify.webhook is not; set that, or take it out");
  }
  const bool has_mail_keys = !config.notify_mail_to.empty() || !config.notify_mail_from.empty() ||
                             !config.notify_mail_user.empty();
  if (config.notify_mail_server.empty() && has_mail_keys) {
    return fail(Errc::kInvalid,
                "keys notify.mail_* are set and notify.mail_server is not; set that, or take them "
                "out");
  }
  if (config.notify_webhook.empty() && config.notify_mail_server.empty()) return std::nullopt;
  NoticeOptions options;
  options.after_us = config.notify_after_us;
  options.every_us = config.notify_every_us;
  options.webhook = config.notify_webhook;
  options.webhook_token = config.notify_webhook_token;
  options.mail_server = {.url = config.notify_mail_server,
                         .user = config.notify_mail_user,
                         .password = config.notify_mail_password,
                         .ca_bundle = config.notify_mail_ca_bundle};
  options.mail_from = config.notify_mail_from;
  for (const std::string_view to : split(config.notify_mail_to, ',')) {
    if (!trim(to).empty()) options.mail_to.emplace_back(trim(to));
  }
  LEAT_TRY(check_notices(options));
  return options;
}

}  // namespace leat::app
