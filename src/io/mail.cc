#include "io/mail.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <mutex>
#include <string_view>

#include "base/digest.h"
#include "base/text.h"

namespace leat::io {
namespace {

constexpr std::size_t kLine = 76;  // characters of a base64 line, RFC 2045

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Upload {
  std::string text;
  std::size_t sent = 0;
  std::stop_token stop;
};

std::size_t read_text(char* into, std::size_t size, std::size_t count, void* context) {
  auto& upload = *static_cast<Upload*>(context);
  const std::size_t taken = std::min(size * count, upload.text.size() - upload.sent);
  std::copy_n(upload.text.data() + upload.sent, taken, into);
  upload.sent += taken;
  return taken;
}

int check_stop(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Upload*>(context)->stop.stop_requested() ? 1 : 0;
}

// RFC 5322's form, in UTC.
std::string format_date(TimeUs time) {
  const std::time_t seconds = time.value / kUsPerSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} +0000",
                     kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                     kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (c < ' ' || c > '~') return false;
  }
  return true;
}

// RFC 2047: words of at most 75 characters, never cutting a character in two.
std::string encoded_words(std::string_view text) {
  constexpr std::size_t kBytes = 42;
  std::string out;
  while (!text.empty()) {
    const std::string_view part = utf8_prefix(text, kBytes);
    const std::size_t taken = part.empty() ? std::min(kBytes, text.size()) : part.size();
    if (!out.empty()) out += "\r\n ";
    out += fmt::format("=?UTF-8?B?{}?=", to_base64(text.substr(0, taken)));
    text.remove_prefix(taken);
  }
  return out;
}

// An address goes into a header and a command: nothing in it may end either.
bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  return is_plain(text) && at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find_first_of(" <>,;\"") == std::string_view::npos;
}

bool is_loopback(std::string_view url) {
  const std::string_view host = url.substr(std::string_view("smtp://").size());
  return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
}

Status check(const MailServer& server, const Mail& mail) {
  if (!server.url.starts_with("smtp://") && !server.url.starts_with("smtps://")) {
    return fail(Errc::kInvalid, "the mail server is smtp://HOST:PORT or smtps://HOST:PORT");
  }
  if (mail.to.empty()) return fail(Errc::kInvalid, "a mail needs a receiver");
  if (!is_address(mail.from)) {
    return fail(Errc::kInvalid, fmt::format("'{}' is no mail address", mail.from));
  }
  for (const std::string& to : mail.to) {
    if (!is_address(to)) return fail(Errc::kInvalid, fmt::format("'{}' is no mail address", to));
  }
  return {};
}

Status status_of(CURLcode code, const MailServer& server, std::string_view detail) {
  switch (code) {
    case CURLE_OK:
      return {};
    case CURLE_ABORTED_BY_CALLBACK:
      return fail(Errc::kAborted, "stopped");
    case CURLE_LOGIN_DENIED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_USE_SSL_FAILED:
      return fail(Errc::kDenied, fmt::format("mail server {}: {}", server.url, detail));
    default:
      return fail(Errc::kUnavailable, fmt::format("mail server {}: {}", server.url, detail));
  }
}

void set_server(CURL* easy, const MailServer& server) {
  curl_easy_setopt(easy, CURLOPT_URL, server.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(server.timeout_us / 1000));
  const bool may_be_plain = server.url.starts_with("smtp://") && is_loopback(server.url);
  curl_easy_setopt(easy, CURLOPT_USE_SSL, may_be_plain ? CURLUSESSL_TRY : CURLUSESSL_ALL);
  if (!server.ca_bundle.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, server.ca_bundle.c_str());
  if (!server.user.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, server.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, server.password.c_str());
  }
}

}  // namespace

std::string mail_text(const Mail& mail) {
  std::string out = fmt::format("Date: {}\r\nFrom: {}\r\nTo: ", format_date(mail.date), mail.from);
  for (std::size_t i = 0; i < mail.to.size(); ++i) out += (i > 0 ? ", " : "") + mail.to[i];
  out += fmt::format("\r\nSubject: {}\r\n",
                     is_plain(mail.subject) ? mail.subject : encoded_words(mail.subject));
  out +=
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n\r\n";
  const std::string body = to_base64(mail.text);
  for (std::size_t at = 0; at < body.size(); at += kLine) out += body.substr(at, kLine) + "\r\n";
  return out;
}

Status send_mail(const MailServer& server, const Mail& mail, std::stop_token stop) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  LEAT_TRY(check(server, mail));
  const std::unique_ptr<CURL, FreeEasy> easy(curl_easy_init());
  if (!easy) return fail(Errc::kExhausted, "cannot make a mail client: out of memory");
  curl_slist* list = nullptr;
  for (const std::string& to : mail.to) list = curl_slist_append(list, to.c_str());
  const std::unique_ptr<curl_slist, FreeList> receivers(list);
  Upload upload{.text = mail_text(mail), .stop = std::move(stop)};
  std::array<char, CURL_ERROR_SIZE> detail{};
  set_server(easy.get(), server);
  curl_easy_setopt(easy.get(), CURLOPT_MAIL_FROM, mail.from.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_MAIL_RCPT, receivers.get());
  curl_easy_setopt(easy.get(), CURLOPT_READFUNCTION, read_text);
  curl_easy_setopt(easy.get(), CURLOPT_READDATA, &upload);
  curl_easy_setopt(easy.get(), CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_XFERINFOFUNCTION, check_stop);
  curl_easy_setopt(easy.get(), CURLOPT_XFERINFODATA, &upload);
  curl_easy_setopt(easy.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, detail.data());
  const CURLcode code = curl_easy_perform(easy.get());
  return status_of(code, server, detail[0] != '\0' ? detail.data() : curl_easy_strerror(code));
}

}  // namespace leat::io
