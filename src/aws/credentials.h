// Who Leat is to AWS: credentials, where they come from, and their refresh.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "aws/sigv4.h"
#include "base/error.h"
#include "base/time.h"

namespace leat::aws {

/// Keys with what is known of them. Only `source` may be printed.
struct Credentials {
  Secret secret;
  std::optional<TimeUs> expires = {};  ///< Nothing: they do not expire.
  std::string source = {};             ///< For messages, such as "the environment".
};

/// Gives credentials that are good now. Any thread.
class CredentialSource {
 public:
  CredentialSource() = default;
  CredentialSource(const CredentialSource&) = delete;
  CredentialSource& operator=(const CredentialSource&) = delete;
  virtual ~CredentialSource() = default;

  /// Errors: kDenied (none found, or refused, with what was tried and what to do), kUnavailable
  /// (a service that gives them did not answer).
  [[nodiscard]] virtual Result<Credentials> get() = 0;
  /// Says that AWS called `credentials` expired: the next get() fetches others, if it can.
  virtual void expire(const Credentials& credentials) = 0;
};

/// Keys from the configuration.
class FixedCredentials final : public CredentialSource {
 public:
  explicit FixedCredentials(Secret secret, std::string source = "the configuration")
      : credentials_{.secret = std::move(secret), .source = std::move(source)} {}
  [[nodiscard]] Result<Credentials> get() override { return credentials_; }
  void expire(const Credentials& /*credentials*/) override {}

 private:
  const Credentials credentials_;
};

}  // namespace leat::aws
