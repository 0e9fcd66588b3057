// The object store that is S3, or any other server that speaks its language.
//
// Large objects go up in parts and come down in ranges, several at once. A call that failed for a
// moment is made again by the rules of aws/retry.h; a bucket that lives in another region, a clock
// that is wrong and temporary keys that ran out are put right on the way. Every body's SHA-256 is
// signed, so a byte changed on the way is refused.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "io/http_client.h"
#include "io/object_store.h"

namespace leat::aws {

enum class Addressing : std::uint8_t {
  kAuto,         ///< By host at AWS, by path everywhere else.
  kPath,         ///< https://endpoint/bucket/key
  kVirtualHost,  ///< https://bucket.endpoint/key
};

struct S3Options {
  io::HttpClient* http = nullptr;           ///< Borrowed.
  CredentialSource* credentials = nullptr;  ///< Borrowed.
  std::string region = "us-east-1";
  std::string endpoint = {};  ///< "https://host:port"; empty: AWS's in the region.
  Addressing addressing = Addressing::kAuto;
  std::string encryption = {};  ///< "AES256", "aws:kms", "aws:kms:dsse" or empty: the bucket's own.
  std::string kms_key = {};     ///< With aws:kms; empty: the account's default key.

  std::uint64_t part_bytes = 8U << 20U;            ///< Of uploads and downloads; at least 5 MiB.
  std::uint64_t multipart_bytes_min = 16U << 20U;  ///< Larger objects go up in parts.
  unsigned parallel = 4;                           ///< Parts on the way at once, per call.
  int attempts_max = 5;                            ///< Of one request, the first included.
  std::int64_t connect_timeout_us = 5 * kUsPerSecond;
  std::int64_t stall_timeout_us = 30 * kUsPerSecond;
  std::int64_t request_timeout_us = 10 * kUsPerMinute;

  std::stop_token stop = {};  ///< Ends every call with kAborted, also between attempts.

  const Clock* clock = nullptr;                    ///< Borrowed; system_clock() when null.
  Random* random = nullptr;                        ///< Borrowed; secure_random() when null.
  std::function<void(std::int64_t us)> wait = {};  ///< Between attempts; sleeps when empty.
  metrics::Registry* metrics = nullptr;            ///< Borrowed; none when null.
};

/// One step of a check of the store, for a person.
struct StoreCheck {
  std::string name;
  Status status = {};
};

class S3ObjectStore final : public io::ObjectStore {
 public:
  /// kInvalid: endpoint, region, encryption or sizes. Asks the network nothing.
  [[nodiscard]] static Result<std::unique_ptr<S3ObjectStore>> open(S3Options options);
  ~S3ObjectStore() override;

  /// Beside what io::ObjectStore says: kUnsupported where the server knows no conditional put and
  /// one is asked for. A conditional put is one request, so 5 GiB at most (kInvalid): some servers
  /// do not look at the condition of a put in parts.
  [[nodiscard]] Result<io::ObjectInfo> put(std::string_view uri, std::string_view bytes,
                                           io::PutOptions options = {}) override;
  [[nodiscard]] Result<std::string> get(std::string_view uri,
                                        std::uint64_t bytes_max = std::uint64_t{1} << 32) override;
  [[nodiscard]] Result<std::string> get_range(std::string_view uri, std::uint64_t offset,
                                              std::uint64_t length) override;
  [[nodiscard]] Result<io::ObjectInfo> head(std::string_view uri) override;
  /// kNotFound when the bucket does not exist.
  [[nodiscard]] Result<io::ListPage> list(std::string_view prefix_uri,
                                          const io::ListOptions& options = {}) override;
  [[nodiscard]] Status remove(std::string_view uri) override;
  [[nodiscard]] Status remove_all(std::span<const std::string> uris) override;

  /// Tries what Leat does in `bucket`, with an object of its own that it removes: finding
  /// credentials, listing, writing, not overwriting, reading, removing. Ends at the first failure.
  [[nodiscard]] std::vector<StoreCheck> check(const std::string& bucket);

  /// "https://s3.eu-west-1.amazonaws.com" or the endpoint of the options.
  [[nodiscard]] const std::string& endpoint() const;

 private:
  struct Impl;
  explicit S3ObjectStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::aws
