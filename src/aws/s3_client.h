// One request to S3 and everything that makes it succeed: address, signature, retries, redirects to
// other regions, clock correction, refreshed credentials. What the requests mean is
// aws/s3_object_store.cc's.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/retry.h"
#include "aws/s3_object_store.h"
#include "aws/xml.h"

namespace leat::aws {

struct S3Call {
  std::string_view method = "GET";
  std::string_view bucket = {};
  std::string_view key = {};                                    ///< Empty for the bucket itself.
  std::vector<std::pair<std::string, std::string>> query = {};  ///< Undecoded.
  std::vector<io::HttpHeader> headers = {};                     ///< All are signed.
  std::string_view body = {};
  std::uint64_t answer_bytes_max = 64U << 20U;
  bool error_in_200 = false;  ///< A 200 with an <Error> inside counts as a 500.
};

/// What S3 said no with.
struct S3Problem {
  int status = 0;
  std::string code = {};  ///< Empty for an answer without a body.
  std::string message = {};
};

struct S3Answer {
  io::HttpResponse response = {};
  std::optional<S3Problem> problem = {};  ///< Nothing for a 2xx.
  std::string credentials_source = {};
};

class S3Client {
 public:
  [[nodiscard]] static Result<std::unique_ptr<S3Client>> open(S3Options options);

  /// Errors: no answer after all attempts (kUnavailable), TLS (kDenied), no credentials. Any
  /// thread.
  [[nodiscard]] Result<S3Answer> call(const S3Call& call);

  /// The error for a problem of `action` ("reading"), with the next step. `uri` names the object.
  [[nodiscard]] std::unexpected<Error> explain(const S3Answer& answer, std::string_view action,
                                               std::string_view uri) const;

  [[nodiscard]] const S3Options& options() const { return options_; }
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  [[nodiscard]] TimeUs now() const;  ///< The server's time, as far as it is known.

 private:
  struct Address {
    std::string url;
    std::string host;
    std::string path;
  };
  struct Attempt;

  explicit S3Client(S3Options options) : options_(std::move(options)) {}
  [[nodiscard]] Status read_endpoint();
  [[nodiscard]] Address address_of(const S3Call& call, const std::string& region) const;
  [[nodiscard]] std::string region_of(std::string_view bucket);
  [[nodiscard]] io::HttpRequest sign(const S3Call& call, const Credentials& credentials,
                                     const std::string& payload_hash);
  [[nodiscard]] bool put_right(const S3Call& call, const Credentials& credentials,
                               const io::HttpResponse& response, const S3Problem& problem,
                               const std::string& other_region, Attempt& attempt);
  [[nodiscard]] bool wait_for_retry(RetryKind kind, const io::HttpResponse* response,
                                    Attempt& attempt);

  S3Options options_;
  std::string endpoint_;
  std::string scheme_;
  std::string host_;       // with the port when it is not the scheme's
  std::string base_path_;  // of the endpoint, without a slash at its end
  bool at_aws_ = false;
  std::atomic<std::int64_t> clock_offset_us_{0};
  RetryQuota quota_;
  std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> bucket_regions_;  // guarded by mutex_
  metrics::Counter* requests_ = nullptr;
  metrics::Counter* retries_ = nullptr;
};

}  // namespace leat::aws
