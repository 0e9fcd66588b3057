// Sending to a real SMTP server is tests/e2e/notices_test.py.
#include "io/mail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.h"

namespace leat::io {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Mail mail() {
  return {.from = "leat@example.com",
          .to = {"a@example.com", "b@example.com"},
          .subject = "web cannot be loaded",
          .text = "It waits.",
          .date = *parse_iso8601("2026-11-20T14:03:05Z")};
}

TEST(Mail, IsHeadersAndATextInBase64) {
  EXPECT_EQ(mail_text(mail()),
            "Date: Fri, 20 Nov 2026 14:03:05 +0000\r\nFrom: leat@example.com\r\n"
            "To: a@example.com, b@example.com\r\nSubject: web cannot be loaded\r\n"
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n\r\n"
            "SXQgd2FpdHMu\r\n");
}

TEST(Mail, LinesStayShortAndSubjectsKeepTheirCharacters) {
  Mail long_one = mail();
  long_one.subject = "Prüfung \r\nBcc: everybody@example.com " + std::string(200, 'x');
  long_one.text = std::string(1000, 'y');
  const std::string text = mail_text(long_one);
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = text.find("\r\n", start);
    EXPECT_LE(end - start, 78U) << text.substr(start, end - start);
    EXPECT_THAT(text.substr(start, end - start), Not(StartsWith("Bcc:")));
    start = end + 2;
  }
  EXPECT_THAT(text, HasSubstr("Subject: =?UTF-8?B?" + to_base64("Prüfung").substr(0, 10)));
}

TEST(Mail, RefusesWhatIsNoAddress) {
  const auto refused = [](auto change) {
    Mail changed = mail();
    change(changed);
    const Status sent = send_mail({.url = "smtp://127.0.0.1:1"}, changed, {});
    return !sent && sent.error().code == Errc::kInvalid;
  };
  EXPECT_TRUE(refused([](Mail& m) { m.to.clear(); }));
  EXPECT_TRUE(refused([](Mail& m) { m.to[1] = "nobody"; }));
  EXPECT_TRUE(refused([](Mail& m) { m.from = "a@b\r\nDATA"; }));
  EXPECT_TRUE(refused([](Mail& m) { m.from = "Leat <a@b>"; }));
  EXPECT_EQ(send_mail({.url = "http://127.0.0.1:1"}, mail(), {}).error().code, Errc::kInvalid);
}

TEST(Mail, AServerThatIsNotThereIsWorthAnotherTry) {
  const Status sent = send_mail({.url = "smtp://127.0.0.1:1"}, mail(), {});
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error().code, Errc::kUnavailable);
  EXPECT_THAT(sent.error().message, StartsWith("mail server smtp://127.0.0.1:1: "));
}

}  // namespace
}  // namespace leat::io
