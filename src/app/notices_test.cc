// Delivery to a real webhook and a real SMTP server is tests/e2e/notices_test.py.
#include "app/notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "io/http_test_server.h"

namespace leat::app {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const TimeUs kStart = *parse_iso8601("2026-11-20T14:00:00Z");

TimeUs after(std::int64_t minutes) {
  return TimeUs{kStart.value + minutes * kUsPerMinute};
}

std::vector<load::SourceState> failing(int failures) {
  load::SourceState state;
  state.source = {"web", "web_schema"};
  state.consecutive_failures = failures;
  if (failures > 0) {
    state.last_failure = kStart;
    state.last_error = "refused; set the right password";
    state.last_error_kind = "login_refused";
  }
  return {state};
}

TEST(NoticeRules, TellsAfterAWhileThenNowAndThenAndOnceWhenItIsOver) {
  NoticeRules rules(5 * kUsPerMinute, 60 * kUsPerMinute);
  EXPECT_THAT(rules.look(failing(0), after(0)), IsEmpty());
  EXPECT_THAT(rules.look(failing(1), after(0)), IsEmpty());
  EXPECT_THAT(rules.look(failing(7), after(4)), IsEmpty());
  const auto first = rules.look(failing(9), after(5));
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].kind, NoticeKind::kSyncFailing);
  EXPECT_EQ(first[0].failures, 9);
  EXPECT_EQ(first[0].since, kStart);
  EXPECT_THAT(rules.look(failing(20), after(64)), IsEmpty());
  EXPECT_THAT(rules.look(failing(21), after(65)), SizeIs(1));
  const auto over = rules.look(failing(0), after(70));
  ASSERT_THAT(over, SizeIs(1));
  EXPECT_EQ(over[0].kind, NoticeKind::kSyncRecovered);
  EXPECT_THAT(rules.look(failing(0), after(71)), IsEmpty());
}

TEST(NoticeRules, AShortFailureIsNobodysBusiness) {
  NoticeRules rules(5 * kUsPerMinute, 60 * kUsPerMinute);
  EXPECT_THAT(rules.look(failing(3), after(1)), IsEmpty());
  EXPECT_THAT(rules.look(failing(0), after(2)), IsEmpty());
  EXPECT_THAT(rules.look(failing(1), after(6)), SizeIs(1)) << "since its last_failure, 14:00";
}

TEST(Notice, SaysCauseAndNextStep) {
  NoticeRules rules(0, kUsPerMinute);
  const Notice notice = rules.look(failing(2), after(1)).at(0);
  const auto json = nlohmann::json::parse(to_json(notice));
  EXPECT_EQ(json["kind"], "sync_failing");
  EXPECT_EQ(json["source"], "web");
  EXPECT_EQ(json["schema"], "web_schema");
  EXPECT_EQ(json["since"], "2026-11-20T14:00:00.000Z");
  EXPECT_EQ(json["failures"], 2);
  EXPECT_EQ(json["error"]["kind"], "login_refused");
  const io::Mail mail = to_mail(notice, "a@b", {"c@d"});
  EXPECT_THAT(mail.subject, HasSubstr("web has not been loaded since"));
  EXPECT_THAT(mail.text, HasSubstr("refused; set the right password"));
  EXPECT_THAT(mail.text, HasSubstr("Nothing is lost"));
}

TEST(Notifier, RefusesChannelsThatCannotWork) {
  NoticeOptions options;
  options.states = [] { return failing(0); };
  options.webhook = "example.com/hook";
  EXPECT_EQ(Notifier::start(options).error().code, Errc::kInvalid);
  options.webhook.clear();
  options.mail_server.url = "smtp://127.0.0.1:25";
  EXPECT_THAT(Notifier::start(options).error().message, HasSubstr("notify.mail_from"));
  options.mail_from = "leat@example.com";
  options.mail_to = {"operators"};
  EXPECT_THAT(Notifier::start(options).error().message, HasSubstr("'operators'"));
  options.mail_to = {"operators@example.com"};
  options.mail_server.url = "mail.example.com";
  EXPECT_THAT(Notifier::start(options).error().message, HasSubstr("smtps://HOST:465"));
}

TEST(Notifier, PostsToTheWebhookAndEndsAtOnce) {
  std::mutex mutex;
  std::condition_variable came;
  std::vector<io::TestRequest> requests;
  io::HttpTestServer server([&](const io::TestRequest& request) {
    const std::lock_guard lock(mutex);
    requests.push_back(request);
    came.notify_all();
    return io::TestReply{.status = 204};
  });
  NoticeOptions options;
  options.webhook = server.url("/hook");
  options.webhook_token = "token";
  options.states = [] { return failing(1); };
  options.every_us = kUsPerDay;
  auto notifier = Notifier::start(options);
  ASSERT_TRUE(notifier.has_value()) << notifier.error().message;
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(came.wait_for(lock, std::chrono::seconds(20), [&] { return !requests.empty(); }));
  }
  notifier->reset();
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].target, "/hook");
  EXPECT_EQ(requests[0].header("authorization"), "Bearer token");
  EXPECT_EQ(nlohmann::json::parse(requests[0].body)["kind"], "sync_failing");
}

}  // namespace
}  // namespace leat::app
