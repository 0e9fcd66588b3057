#include "io/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "base/text.h"

namespace leat::io {
namespace {

// Headers of one answer, all together. S3's own are below 8 KiB.
constexpr std::size_t kHeaderBytesMax = 64 * 1024;

// An easy handle in a multi handle of its own: the multi keeps the connections and lets a call be
// watched and stopped while it waits.
struct Handle {
  CURL* easy = nullptr;
  CURLM* multi = nullptr;

  Handle() : easy(curl_easy_init()), multi(curl_multi_init()) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (easy != nullptr) curl_easy_cleanup(easy);
    if (multi != nullptr) curl_multi_cleanup(multi);
  }
};

// One call: what the callbacks share.
struct Exchange {
  const HttpRequest& request;
  HttpResponse response = {};
  std::uint64_t sent = 0;          // of the body
  std::uint64_t header_bytes = 0;  // of the answer
  std::int64_t progress_us = 0;    // monotonic time of the last byte either way
  Status failure = {};             // what a callback ended the call with
  std::array<char, CURL_ERROR_SIZE> detail = {};
};

void note_progress(Exchange& exchange) {
  exchange.progress_us = system_clock().monotonic_us();
}

std::size_t read_body(char* into, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::span<char> space(into, size * count);
  note_progress(exchange);
  if (!exchange.request.body_reader) {
    const std::string_view left = exchange.request.body.substr(exchange.sent);
    const std::size_t taken = std::min(left.size(), space.size());
    std::memcpy(space.data(), left.data(), taken);
    exchange.sent += taken;
    return taken;
  }
  const std::uint64_t left = exchange.request.body_reader_bytes - exchange.sent;
  if (left == 0) return 0;
  auto read = exchange.request.body_reader(
      exchange.sent, space.first(std::min<std::uint64_t>(space.size(), left)));
  note_progress(exchange);
  if (read && *read > 0) {
    exchange.sent += *read;
    return *read;
  }
  exchange.failure = read ? fail(Errc::kBug, "a body to be sent ended before its size")
                          : Status(std::unexpected(std::move(read.error())));
  return CURL_READFUNC_ABORT;
}

int seek_body(void* context, curl_off_t offset, int origin) {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Exchange*>(context)->sent = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view line(bytes, size * count);
  note_progress(exchange);
  exchange.header_bytes += line.size();
  if (exchange.header_bytes > kHeaderBytesMax) {
    exchange.failure = fail(
        Errc::kExhausted,
        fmt::format("the headers of the answer from {} are longer than {} bytes; check that the "
                    "address is the right one",
                    printable_url(exchange.request.url), kHeaderBytesMax));
    return 0;
  }
  if (line.starts_with("HTTP/")) {  // of the answer after a 100 Continue or a proxy's CONNECT
    const std::size_t space = line.find(' ');
    exchange.response = {};
    if (space != std::string_view::npos) {
      exchange.response.status = parse_number<int>(line.substr(space + 1, 3)).value_or(0);
    }
    return line.size();
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && colon > 0) {
    exchange.response.headers.push_back(
        {std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))});
  }
  return line.size();
}

}  // namespace

struct HttpClient::Impl {
  Options options;
  std::mutex mutex;                           // guards idle
  std::vector<std::unique_ptr<Handle>> idle;  // the last one was used last
  std::atomic<std::uint64_t> opened{0};

  Result<std::unique_ptr<Handle>> take();
  void give_back(std::unique_ptr<Handle> handle);
};

Result<std::unique_ptr<Handle>> HttpClient::Impl::take() {
  {
    const std::lock_guard lock(mutex);
    if (!idle.empty()) {
      auto handle = std::move(idle.back());
      idle.pop_back();
      return handle;
    }
  }
  auto handle = std::make_unique<Handle>();
  if (handle->easy == nullptr || handle->multi == nullptr) {
    return fail(Errc::kExhausted, "cannot make an HTTP connection: out of memory");
  }
  return handle;
}

void HttpClient::Impl::give_back(std::unique_ptr<Handle> handle) {
  const std::lock_guard lock(mutex);
  if (idle.size() < options.idle_connections_max) idle.push_back(std::move(handle));
}

namespace {

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* context);

// Frees the list of header lines.
struct HeaderLines {
  curl_slist* list = nullptr;
  HeaderLines() = default;
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;
  ~HeaderLines() { curl_slist_free_all(list); }
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

bool is_header_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of(
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                              "!#$%&'*+-.^_`|~") == std::string_view::npos;
}

Status add_headers(const HttpRequest& request, HeaderLines& lines) {
  lines.add("Expect:");  // no waiting for 100 Continue before the body
  for (const HttpHeader& header : request.headers) {
    if (!is_header_name(header.name) ||
        header.value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return fail(Errc::kInvalid,
                  fmt::format("a header of the request to {} has a line break or no proper name",
                              printable_url(request.url)));
    }
    // curl's way to write a header without a value.
    lines.add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  return {};
}

long milliseconds(std::int64_t us) {
  return static_cast<long>(std::max<std::int64_t>(1, us / 1000));
}

void set_options(CURL* easy, Exchange& exchange, const HttpClient::Options& options,
                 const HeaderLines& lines) {
  const HttpRequest& request = exchange.request;
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options.ca_bundle.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_bundle.c_str());
  }
  if (request.direct) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lines.list);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange.detail.data());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connect_timeout_us));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(request.timeout_us));
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &exchange);
  const std::uint64_t size = request.body_reader ? request.body_reader_bytes : request.body.size();
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (size > 0 || request.method == "PUT" || request.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_body);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, &exchange);
  }
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L * 1024L);
  if (request.method != "HEAD") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view piece(bytes, size * count);
  note_progress(exchange);
  const HttpRequest& request = exchange.request;
  if (request.sink && exchange.response.status >= 200 && exchange.response.status < 300) {
    exchange.failure = request.sink(piece);
    note_progress(exchange);  // the sink's own time is not the server's
    return exchange.failure ? piece.size() : 0;
  }
  if (exchange.response.body.size() + piece.size() > request.answer_bytes_max) {
    exchange.failure =
        fail(Errc::kExhausted, fmt::format("the answer from {} is longer than {} bytes",
                                           printable_url(request.url), request.answer_bytes_max));
    return 0;
  }
  exchange.response.body += piece;
  return piece.size();
}

struct Failure {
  Errc code;
  HttpFault fault;
  std::string_view what;
  std::string_view next;
};

Failure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {Errc::kInvalid, HttpFault::kOther, "is no http or https URL",
              "write it as https://host:port/path"};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Errc::kUnavailable, HttpFault::kConnect, "cannot be reached: no such host",
              "check the name, and that this machine's name server works"};
    case CURLE_COULDNT_CONNECT:
      return {Errc::kUnavailable, HttpFault::kConnect, "cannot be reached",
              "check the address, that it is running, and the network between"};
    case CURLE_OPERATION_TIMEDOUT:
      return {Errc::kUnavailable, HttpFault::kTimeout, "did not answer in time",
              "try again; when it stays so, check the network between"};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return {Errc::kDenied, HttpFault::kTls, "has a certificate that is not trusted",
              "name the certificate authority's PEM file as CA bundle, or correct the address"};
    case CURLE_SSL_CONNECT_ERROR:
      return {Errc::kUnavailable, HttpFault::kTls, "and this machine could not agree on TLS",
              "check that the port speaks https, or write http"};
    case CURLE_OUT_OF_MEMORY:  // also what curl calls a header line of over 100 KiB
      return {Errc::kExhausted, HttpFault::kOther,
              "sent a header that is too large, or memory has run out",
              "check that the address is the right one"};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return {Errc::kUnavailable, HttpFault::kBroken, "did not answer in HTTP",
              "check the address and port"};
    default:  // reset, closed, short, or anything else on the way
      return {Errc::kUnavailable, HttpFault::kBroken,
              "broke the connection before its answer was "
              "whole",
              "try again; when it stays so, look into the server's log"};
  }
}

std::unexpected<Error> fail_with(const Exchange& exchange, CURLcode code, HttpFault& fault) {
  const Failure failure = failure_of(code);
  fault = failure.fault;
  const std::string_view detail =
      exchange.detail[0] != '\0' ? exchange.detail.data() : curl_easy_strerror(code);
  return fail(failure.code, fmt::format("{} {} ({}); {}", printable_url(exchange.request.url),
                                        failure.what, trim(detail), failure.next));
}

/// How a connection ends that the server has closed.
bool is_broken(CURLcode code) {
  return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;
}

// Runs the transfer to its end. The timeout that curl does not know (no byte for a while) and the
// stop are looked at between two waits.
Result<CURLcode> run(Handle& handle, Exchange& exchange) {
  const HttpRequest& request = exchange.request;
  const std::stop_callback wake(request.stop, [&handle] { curl_multi_wakeup(handle.multi); });
  note_progress(exchange);
  while (true) {
    int running = 0;
    if (curl_multi_perform(handle.multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(handle.multi, &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    if (request.stop.stop_requested()) {
      return fail(Errc::kAborted,
                  fmt::format("the call to {} was stopped", printable_url(request.url)));
    }
    const std::int64_t waited = system_clock().monotonic_us() - exchange.progress_us;
    if (waited >= request.stall_timeout_us) return CURLE_OPERATION_TIMEDOUT;
    // Waits for the sockets, curl's own timers, a wake-up, or the moment a stall is one.
    const std::int64_t wait_ms =
        std::clamp<std::int64_t>((request.stall_timeout_us - waited + 999) / 1000, 1, 10'000);
    curl_multi_poll(handle.multi, nullptr, 0, static_cast<int>(wait_ms), nullptr);
  }
}

}  // namespace

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::open(Options options) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  if (!options.ca_bundle.empty() && ::access(options.ca_bundle.c_str(), R_OK) != 0) {
    return fail(Errc::kNotFound,
                fmt::format("the CA bundle {} cannot be read; name a PEM file that this user can "
                            "read",
                            options.ca_bundle));
  }
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(impl)));
}

std::uint64_t HttpClient::connections_opened() const {
  return impl_->opened;
}

Result<HttpResponse> HttpClient::send(const HttpRequest& request, HttpFault* fault) {
  HttpFault ignored = HttpFault::kNone;
  HttpFault& found = fault != nullptr ? *fault : ignored;
  found = HttpFault::kOther;
  HeaderLines lines;
  LEAT_TRY(add_headers(request, lines));
  for (bool fresh = false;; fresh = true) {
    LEAT_ASSIGN(auto handle, impl_->take());
    Exchange exchange{.request = request};
    curl_easy_reset(handle->easy);
    set_options(handle->easy, exchange, impl_->options, lines);
    curl_easy_setopt(handle->easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
    if (curl_multi_add_handle(handle->multi, handle->easy) != CURLM_OK) {
      return fail(Errc::kExhausted, "cannot start an HTTP exchange: out of memory");
    }
    Result<CURLcode> code = run(*handle, exchange);
    long connections = 0;
    curl_easy_getinfo(handle->easy, CURLINFO_NUM_CONNECTS, &connections);
    impl_->opened += static_cast<std::uint64_t>(std::max(0L, connections));
    curl_multi_remove_handle(handle->multi, handle->easy);
    impl_->give_back(std::move(handle));
    if (!exchange.failure) return std::unexpected(std::move(exchange.failure.error()));
    if (!code) return std::unexpected(std::move(code.error()));
    // curl itself sends again only what it had not begun to send. A POST may have had its effect.
    const bool may_repeat = !fresh && connections == 0 && request.method != "POST";
    if (may_repeat && exchange.header_bytes == 0 && is_broken(*code)) continue;
    if (*code != CURLE_OK) return fail_with(exchange, *code, found);
    found = HttpFault::kNone;
    return std::move(exchange.response);
  }
}

std::optional<std::string_view> HttpResponse::header(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (equal_ignore_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::string printable_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t query = url.find_first_of("?#", start);
  const std::string_view shown = url.substr(0, query);
  const std::size_t path = shown.find('/', start);
  const std::size_t at = shown.substr(0, path).rfind('@');
  std::string out(shown.substr(0, start));
  out += shown.substr(at != std::string_view::npos && at >= start ? at + 1 : start);
  if (query != std::string_view::npos) out += "?...";
  return out;
}

}  // namespace leat::io
