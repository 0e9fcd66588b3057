#include "app/http_call.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <mutex>

#include "base/text.h"

namespace leat::app {
namespace {

constexpr std::size_t kReplyBytesMax = 256U << 20U;

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* reply) {
  auto& body = static_cast<HttpReply*>(reply)->body;
  if (body.size() + size * count > kReplyBytesMax) return 0;  // ends the transfer
  body.append(bytes, size * count);
  return size * count;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* reply) {
  const std::string_view line(bytes, size * count);
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && equal_ignore_case(line.substr(0, colon), "retry-after")) {
    const auto seconds = parse_number<std::int64_t>(trim(line.substr(colon + 1)));
    if (seconds) static_cast<HttpReply*>(reply)->retry_after_s = *seconds;
  }
  return size * count;
}

// "http://127.0.0.1:8081/api/status" gives "http://127.0.0.1:8081": a path may hold a key.
std::string_view origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return url;
  return url.substr(0, url.find_first_of("/?", scheme + 3));
}

}  // namespace

struct HttpClient::Impl {
  CURL* easy = nullptr;
  ~Impl() {
    if (easy != nullptr) curl_easy_cleanup(easy);
  }
};

HttpClient::HttpClient() : impl_(std::make_unique<Impl>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  impl_->easy = curl_easy_init();
}

HttpClient::~HttpClient() = default;

Result<HttpReply> HttpClient::call(const HttpCall& call) {
  CURL* easy = impl_->easy;
  if (easy == nullptr) return fail(Errc::kExhausted, "cannot make an HTTP client: out of memory");
  HttpReply reply;
  curl_slist* headers = curl_slist_append(nullptr, "Expect:");  // no waiting for 100 Continue
  for (const auto& [name, value] : call.headers) {
    headers = curl_slist_append(headers, fmt::format("{}: {}", name, value).c_str());
  }
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout_ms));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &reply);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // a Leat is on this machine or named directly
  if (call.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  }
  const CURLcode code = curl_easy_perform(easy);
  curl_slist_free_all(headers);
  if (code != CURLE_OK) {
    return fail(Errc::kUnavailable, fmt::format("no answer from {}: {}", origin_of(call.url),
                                                curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  return reply;
}

}  // namespace leat::app
