// Temporary users of a Redshift warehouse for those who have AWS credentials and no password:
// GetClusterCredentials and GetClusterCredentialsWithIAM for clusters, GetCredentials for Redshift
// Serverless.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "aws/credential_chain.h"
#include "aws/credentials.h"
#include "aws/xml.h"
#include "base/clock.h"
#include "base/random.h"
#include "io/http_client.h"

namespace leat::aws {

struct RedshiftLoginOptions {
  /// Exactly one of them is set.
  std::string cluster_identifier = {};
  std::string workgroup_name = {};
  std::string database = {};
  /// Of a cluster: the database user to become. Empty: the one named after the AWS identity.
  std::string user = {};
  bool create_user = false;              ///< Makes `user` when there is none.
  std::vector<std::string> groups = {};  ///< Database groups to join for the session; with `user`.
  std::string region = {};
  std::string endpoint = {};  ///< https://host:port; empty: the environment's, or AWS's.
  Environment environment = {};
  std::int64_t duration_s = 900;  ///< 900 to 3600.

  io::HttpClient* http = nullptr;                  ///< Borrowed.
  CredentialSource* credentials = nullptr;         ///< Borrowed.
  const Clock* clock = nullptr;                    ///< Borrowed; system_clock() when null.
  Random* random = nullptr;                        ///< Borrowed; secure_random() when null.
  std::function<void(std::int64_t us)> wait = {};  ///< Between attempts; sleeps when empty.
};

/// Keeps a login until five minutes before its end. Any thread; one at a time asks AWS.
class RedshiftLogin {
 public:
  /// kInvalid: neither cluster nor workgroup, or both; a user or groups for a workgroup; groups
  /// without a user; no region; a duration out of range.
  [[nodiscard]] static Result<std::unique_ptr<RedshiftLogin>> open(RedshiftLoginOptions options);

  /// A user and password that are good now. Errors: kDenied (no AWS credentials, or they may not),
  /// kUnavailable (no answer), kInvalid (an answer that is none).
  [[nodiscard]] Result<IssuedLogin> get();
  /// Says that the warehouse refused `login`: the next get() asks for another.
  void expire(const IssuedLogin& login);

 private:
  explicit RedshiftLogin(RedshiftLoginOptions options) : options_(std::move(options)) {}
  [[nodiscard]] Result<IssuedLogin> ask();

  RedshiftLoginOptions options_;
  std::mutex mutex_;
  std::optional<IssuedLogin> login_;  // guarded by mutex_
};

}  // namespace leat::aws
