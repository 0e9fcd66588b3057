#include "aws/s3_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>

#include "aws/endpoint.h"
#include "base/check.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"

namespace leat::aws {
namespace {

// Farther from the server's clock than this, a refused signature is put down to it.
constexpr std::int64_t kSkewUs = 4 * kUsPerMinute;

// Codes that S3 and its like give to a request signed at the wrong time.
bool is_skew(std::string_view code) {
  return code == "RequestTimeTooSkewed" || code == "RequestExpired" ||
         code == "RequestInTheFuture" || code == "InvalidSignatureException" ||
         code == "SignatureDoesNotMatch" || code == "AccessDenied" || code == "Forbidden";
}

bool is_expired_token(std::string_view code) {
  return code == "ExpiredToken" || code == "ExpiredTokenException" ||
         code == "TokenRefreshRequired" || code == "RequestExpired";
}

RetryKind kind_of(io::HttpFault fault) {
  return fault == io::HttpFault::kTimeout ? RetryKind::kTimeout : RetryKind::kTransient;
}

std::string query_text(const std::vector<std::pair<std::string, std::string>>& query) {
  std::string out;
  for (const auto& [name, value] : query) {
    if (!out.empty()) out += '&';
    out += percent_encode(name) + "=" + percent_encode(value);
  }
  return out;
}

S3Problem problem_of(const io::HttpResponse& response, std::string& other_region) {
  S3Problem problem{.status = response.status};
  other_region = response.header("x-amz-bucket-region").value_or("");
  if (const auto error = parse_error_xml(response.body)) {
    problem.code = error->code;
    problem.message = error->message;
    if (other_region.empty()) other_region = error->region;
  }
  return problem;
}

}  // namespace

// What one call() has used up.
struct S3Client::Attempt {
  int number = 1;
  bool redirected = false;
  bool clock_corrected = false;
  bool refreshed = false;
  RetryKind last_retry = RetryKind::kNever;
};

Result<std::unique_ptr<S3Client>> S3Client::open(S3Options options) {
  LEAT_CHECK(options.http != nullptr && options.credentials != nullptr);
  if (options.clock == nullptr) options.clock = &system_clock();
  if (options.random == nullptr) options.random = &secure_random();
  if (!options.wait) {
    options.wait = [stop = options.stop](std::int64_t us) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any().wait_for(lock, stop, std::chrono::microseconds(us),
                                             [] { return false; });
    };
  }
  constexpr std::uint64_t kPartMin = 5U << 20U;
  constexpr std::uint64_t kPartMax = 1ULL << 30U;
  if (options.part_bytes < kPartMin || options.part_bytes > kPartMax || options.parallel < 1 ||
      options.attempts_max < 1) {
    return fail(Errc::kInvalid,
                "parts are 5 MiB to 1 GiB, and at least one goes at a time and is tried once");
  }
  if (!options.encryption.empty() && options.encryption != "AES256" &&
      options.encryption != "aws:kms" && options.encryption != "aws:kms:dsse") {
    return fail(Errc::kInvalid, fmt::format("'{}' is no encryption of S3; allowed: AES256, "
                                            "aws:kms, aws:kms:dsse",
                                            options.encryption));
  }
  auto client = std::unique_ptr<S3Client>(new S3Client(std::move(options)));
  LEAT_TRY(client->read_endpoint());
  if (metrics::Registry* registry = client->options_.metrics; registry != nullptr) {
    client->requests_ = &registry->counter("leat_s3_requests_total", "Requests sent to S3.");
    client->retries_ =
        &registry->counter("leat_s3_retries_total", "Requests sent to S3 again after a failure.");
  }
  return client;
}

Status S3Client::read_endpoint() {
  if (options_.region.empty() ||
      options_.region.find_first_not_of("abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
          std::string::npos) {
    return fail(Errc::kInvalid,
                fmt::format("'{}' is no region; name one such as eu-west-1", options_.region));
  }
  at_aws_ = options_.endpoint.empty();
  endpoint_ = at_aws_ ? service_endpoint("s3", options_.region) : options_.endpoint;
  while (endpoint_.ends_with('/')) endpoint_.pop_back();
  const std::size_t colons = endpoint_.find("://");
  scheme_ = endpoint_.substr(0, colons == std::string::npos ? 0 : colons);
  const std::string_view rest = colons == std::string::npos
                                    ? std::string_view()
                                    : std::string_view(endpoint_).substr(colons + 3);
  const std::size_t slash = rest.find('/');
  host_ = rest.substr(0, slash);
  base_path_ = slash == std::string_view::npos ? "" : std::string(rest.substr(slash));
  if ((scheme_ != "http" && scheme_ != "https") || host_.empty() ||
      endpoint_.find_first_of("@?# ") != std::string::npos) {
    return fail(Errc::kInvalid, fmt::format("'{}' is no endpoint; write it as https://host:port",
                                            io::printable_url(endpoint_)));
  }
  // As the Host header has it.
  const std::string_view usual = scheme_ == "https" ? ":443" : ":80";
  if (host_.ends_with(usual)) host_.resize(host_.size() - usual.size());
  return {};
}

TimeUs S3Client::now() const {
  return TimeUs{options_.clock->now().value + clock_offset_us_};
}

std::string S3Client::region_of(std::string_view bucket) {
  const std::lock_guard lock(mutex_);
  const auto found = bucket_regions_.find(bucket);
  return found == bucket_regions_.end() ? options_.region : found->second;
}

S3Client::Address S3Client::address_of(const S3Call& call, const std::string& region) const {
  Address address;
  const std::string host = at_aws_ ? fmt::format("s3.{}.{}", region, dns_suffix(region)) : host_;
  // A certificate for *.s3.REGION.amazonaws.com covers no name with one more dot.
  const bool by_host = options_.addressing == Addressing::kVirtualHost ||
                       (options_.addressing == Addressing::kAuto && at_aws_ &&
                        call.bucket.find('.') == std::string_view::npos);
  address.host = by_host ? fmt::format("{}.{}", call.bucket, host) : host;
  address.path = base_path_;
  if (!by_host) address.path += fmt::format("/{}", call.bucket);
  if (by_host || !call.key.empty()) address.path += "/" + percent_encode(call.key, true);
  const std::string query = query_text(call.query);
  address.url = fmt::format("{}://{}{}{}{}", scheme_, address.host, address.path,
                            query.empty() ? "" : "?", query);
  return address;
}

io::HttpRequest S3Client::sign(const S3Call& call, const Credentials& credentials,
                               const std::string& payload_hash) {
  const std::string region = region_of(call.bucket);
  const Address address = address_of(call, region);
  io::HttpRequest request{.method = std::string(call.method),
                          .url = address.url,
                          .headers = call.headers,
                          .body = call.body,
                          .answer_bytes_max = call.answer_bytes_max,
                          .connect_timeout_us = options_.connect_timeout_us,
                          .stall_timeout_us = options_.stall_timeout_us,
                          .timeout_us = options_.request_timeout_us,
                          .stop = options_.stop};
  request.headers.push_back({"x-amz-content-sha256", payload_hash});
  std::vector<HeaderView> views = {{"host", address.host}};
  for (const io::HttpHeader& header : request.headers) views.push_back({header.name, header.value});
  const std::string query = query_text(call.query);
  const Signature signature = sign_headers(
      credentials.secret,
      {.method = call.method,
       .path = address.path,
       .query = query,
       .headers = views,
       .payload_hash = payload_hash},
      {.region = region, .service = "s3", .time = now(), .path_rule = PathRule::kAsOnTheWire});
  request.headers.push_back({"x-amz-date", signature.amz_date});
  if (!credentials.secret.session_token.empty()) {
    request.headers.push_back({"x-amz-security-token", credentials.secret.session_token});
  }
  request.headers.push_back({"authorization", signature.authorization});
  return request;
}

// True when the cause of the refusal was found and changed: the call is made once more, at once.
bool S3Client::put_right(const S3Call& call, const Credentials& credentials,
                         const io::HttpResponse& response, const S3Problem& problem,
                         const std::string& other_region, Attempt& attempt) {
  const bool about_region = problem.status == 301 || problem.status == 307 ||
                            problem.code == "AuthorizationHeaderMalformed" ||
                            problem.code == "IllegalLocationConstraintException" ||
                            (problem.status == 400 && problem.code.empty());
  if (about_region && !attempt.redirected && !other_region.empty() &&
      other_region != region_of(call.bucket)) {
    attempt.redirected = true;
    log::info("s3", "bucket {} is in region {}; set it to save a request", call.bucket,
              other_region);
    const std::lock_guard lock(mutex_);
    bucket_regions_.insert_or_assign(std::string(call.bucket), other_region);
    return true;
  }
  if (is_expired_token(problem.code) && !attempt.refreshed) {
    attempt.refreshed = true;
    options_.credentials->expire(credentials);
    return true;
  }
  // An answer to HEAD has no body to name the code.
  const bool about_time =
      is_skew(problem.code) || (problem.code.empty() && (problem.status == 403));
  const auto date = parse_http_date(response.header("date").value_or(""));
  if (about_time && !attempt.clock_corrected && date) {
    const std::int64_t offset = date->value - options_.clock->now().value;
    if (std::abs(offset - clock_offset_us_) > kSkewUs) {
      attempt.clock_corrected = true;
      clock_offset_us_ = offset;
      log::warning("s3",
                   "this machine's clock is {} s off the object store's; set it (requests are "
                   "signed with the store's time meanwhile)",
                   -offset / kUsPerSecond);
      return true;
    }
  }
  return false;
}

// True after the wait; false when there is no attempt or quota left.
bool S3Client::wait_for_retry(RetryKind kind, const io::HttpResponse* response, Attempt& attempt) {
  if (kind == RetryKind::kNever || attempt.number >= options_.attempts_max || !quota_.take(kind)) {
    return false;
  }
  std::int64_t delay = retry_delay_us(*options_.random, kind, attempt.number);
  if (response != nullptr) {
    const auto asked = parse_number<std::int64_t>(response->header("retry-after").value_or(""));
    if (asked && *asked > 0) {
      delay = std::max(delay, std::min<std::int64_t>(*asked, 20) * kUsPerSecond);
    }
  }
  options_.wait(delay);
  attempt.last_retry = kind;
  ++attempt.number;
  if (retries_ != nullptr) retries_->add();
  return true;
}

Result<S3Answer> S3Client::call(const S3Call& call) {
  const std::string payload_hash = to_hex(sha256(call.body));
  Attempt attempt;
  S3Answer answer;
  while (true) {
    LEAT_ASSIGN(const Credentials credentials, options_.credentials->get());
    answer.credentials_source = credentials.source;
    io::HttpFault fault = io::HttpFault::kNone;
    if (requests_ != nullptr) requests_->add();
    auto response = options_.http->send(sign(call, credentials, payload_hash), &fault);
    if (!response) {
      const bool again = response.error().code == Errc::kUnavailable &&
                         wait_for_retry(kind_of(fault), nullptr, attempt);
      if (!again) {
        if (attempt.number > 1) {
          response.error().message += fmt::format("; tried {} times", attempt.number);
        }
        return std::unexpected(std::move(response.error()));
      }
      continue;
    }
    answer.response = std::move(*response);
    const int status = answer.response.status;
    std::string other_region;
    S3Problem problem;
    if (status >= 200 && status < 300) {
      const auto hidden = call.error_in_200 ? parse_error_xml(answer.response.body) : std::nullopt;
      if (!hidden) {
        quota_.give_back(attempt.last_retry);
        answer.problem.reset();
        return answer;
      }
      problem = {.status = 500, .code = hidden->code, .message = hidden->message};
    } else {
      problem = problem_of(answer.response, other_region);
    }
    if (put_right(call, credentials, answer.response, problem, other_region, attempt)) continue;
    const bool again =
        wait_for_retry(retry_kind(problem.status, problem.code), &answer.response, attempt);
    if (!again) {
      answer.problem = std::move(problem);
      return answer;
    }
  }
}

namespace {

struct Explanation {
  Errc code;
  std::string next;
};

Explanation explanation_of(const S3Problem& problem, const std::string& source) {
  const std::string_view code = problem.code;
  if (code == "NoSuchBucket") {
    return {Errc::kNotFound, "make the bucket, or correct its name, region or endpoint"};
  }
  if (code == "InvalidAccessKeyId" || code == "InvalidClientTokenId") {
    return {Errc::kDenied,
            fmt::format("the access key from {} is not known there; replace it", source)};
  }
  if (code == "SignatureDoesNotMatch") {
    return {Errc::kDenied,
            fmt::format("the secret key from {} does not belong to its access key; correct it",
                        source)};
  }
  if (code == "RequestTimeTooSkewed") {
    return {Errc::kDenied, "set this machine's clock (NTP)"};
  }
  if (is_expired_token(code) || code == "InvalidToken") {
    return {Errc::kDenied,
            fmt::format("the temporary keys from {} have run out; get new ones", source)};
  }
  if (code.starts_with("KMS.") || code.starts_with("KMS")) {
    return {Errc::kDenied, "check the KMS key and the right kms:GenerateDataKey on it"};
  }
  if (problem.status == 401 || problem.status == 403) {
    return {Errc::kDenied,
            fmt::format("the keys from {} may not do this; grant s3:GetObject, s3:PutObject, "
                        "s3:DeleteObject and s3:AbortMultipartUpload on its objects and "
                        "s3:ListBucket on the bucket",
                        source)};
  }
  if (problem.status == 301 || problem.status == 307 || code == "AuthorizationHeaderMalformed") {
    return {Errc::kInvalid, "the bucket is in another region; set that one"};
  }
  // S3 says what is missing, unless it may not answer with a body.
  const std::string_view no_s3 = "see whether the endpoint speaks S3's protocol";
  if (problem.status == 404) return {Errc::kNotFound, std::string(code.empty() ? no_s3 : "")};
  if (problem.status == 412) return {Errc::kConflict, ""};
  if (problem.status == 409) return {Errc::kConflict, "somebody else is changing it; try again"};
  if (problem.status == 501 || code == "NotImplemented") {
    return {Errc::kUnsupported, "this server lacks what was asked; use another, or S3"};
  }
  if (code == "QuotaExceeded" || problem.status == 507) {
    return {Errc::kExhausted, "the store's quota is full; raise it or remove objects"};
  }
  if (retry_kind(problem.status, code) == RetryKind::kThrottling) {
    return {Errc::kExhausted, "the store asks to slow down; try again later"};
  }
  if (problem.status >= 500) return {Errc::kUnavailable, "try again later"};
  return {Errc::kInvalid, std::string(code.empty() ? no_s3 : "see the code in S3's documentation")};
}

}  // namespace

std::unexpected<Error> S3Client::explain(const S3Answer& answer, std::string_view action,
                                         std::string_view uri) const {
  const S3Problem& problem = *answer.problem;
  const Explanation found = explanation_of(problem, answer.credentials_source);
  std::string said = problem.code.empty() ? fmt::format("status {}", problem.status)
                                          : fmt::format("{} {}", problem.status, problem.code);
  if (!problem.message.empty()) {
    said +=
        fmt::format(", \"{}\"", utf8_prefix(is_utf8(problem.message) ? problem.message : "", 300));
  }
  return fail(found.code, fmt::format("{} {} at {} failed: {}{}{}", action, uri, endpoint_, said,
                                      found.next.empty() ? "" : "; ", found.next));
}

}  // namespace leat::aws
