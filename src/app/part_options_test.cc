#include "app/part_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace leat::app {
namespace {

using testing::HasSubstr;

Config config(const std::map<std::string, std::string>& environment) {
  auto loaded = load_config({.environment = environment});
  EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
  return loaded ? std::move(loaded->config) : Config();
}

template <class Options>
std::string message(const Result<Options>& result) {
  return result ? "taken" : result.error().message;
}

TEST(PartOptions, DefaultsAreGood) {
  EXPECT_EQ(message(journal_options(config({}))), "taken");
  EXPECT_EQ(message(sync_times(config({}))), "taken");
  const auto notices = notice_options(config({}));
  ASSERT_TRUE(notices.has_value()) << notices.error().message;
  EXPECT_FALSE(notices->has_value());
}

TEST(PartOptions, SizesOfTheJournalGoTogether) {
  EXPECT_THAT(message(journal_options(config(
                  {{"LEAT_JOURNAL_SEGMENT_BYTES", "64MiB"}, {"LEAT_JOURNAL_DISK_MAX", "4MiB"}}))),
              HasSubstr("journal.disk_max"));
  EXPECT_THAT(message(journal_options(config({{"LEAT_JOURNAL_SEGMENT_BYTES", "2MB"}}))),
              HasSubstr("multiple of 4096"));
}

TEST(PartOptions, SyncsThatNeverComeAreRefused) {
  EXPECT_THAT(
      message(sync_times(config({{"LEAT_SYNC_CRON", "15 5 * * *"}, {"LEAT_SYNC_HOURS", "6-22"}}))),
      HasSubstr("sync.cron: '15 5 * * *' in hours 6-22 names no time that ever comes"));
  EXPECT_EQ(
      message(sync_times(config({{"LEAT_SYNC_CRON", "15 * * * *"}, {"LEAT_SYNC_HOURS", "6-22"}}))),
      "taken");
}

TEST(PartOptions, ATimeTableIsGivenOnce) {
  EXPECT_EQ(
      message(sync_times(config({{"LEAT_SYNC_CRON", "15 * * * *"}, {"LEAT_SYNC_EVERY", "5m"}}))),
      "sync.every (environment) and sync.cron (environment) exclude each other; take one out");
}

TEST(PartOptions, NoticesNeedWhatTheyAreSentBy) {
  EXPECT_THAT(message(notice_options(config({{"LEAT_NOTIFY_WEBHOOK_TOKEN", "t"}}))),
              HasSubstr("notify.webhook is not"));
  EXPECT_THAT(message(notice_options(config({{"LEAT_NOTIFY_MAIL_TO", "a@b.example"}}))),
              HasSubstr("notify.mail_server is not"));
  EXPECT_THAT(message(notice_options(config({{"LEAT_NOTIFY_WEBHOOK", "ftp://x"}}))),
              HasSubstr("https://HOST/PATH"));
  const auto good = notice_options(config({{"LEAT_NOTIFY_MAIL_SERVER", "smtps://mail.example:465"},
                                           {"LEAT_NOTIFY_MAIL_FROM", "leat@a.example"},
                                           {"LEAT_NOTIFY_MAIL_TO", "x@a.example, y@a.example"}}));
  ASSERT_TRUE(good.has_value() && good->has_value()) << message(good);
  EXPECT_THAT((*good)->mail_to, testing::ElementsAre("x@a.example", "y@a.example"));
}

}  // namespace
}  // namespace leat::app
