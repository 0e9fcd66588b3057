// Finds credentials as AWS's own tools do, with what the machine already has, and keeps them fresh.
//
// In this order: environment variables; the profile (roles, web identity, SSO, keys, `aws login`, a
// process); web identity from the environment; the container's endpoint; EC2's metadata service. A
// source that is set up and fails ends the search; one that is not set up is passed over, and named
// with its reason when nothing is found.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aws/credentials.h"
#include "base/clock.h"
#include "base/random.h"
#include "io/file_system.h"
#include "io/http_client.h"

namespace leat::aws {

using Environment = std::map<std::string, std::string>;

struct ProcessOutput {
  int exit_code = 0;
  std::string out = {};
  std::string errors = {};
};
/// Runs a program found by PATH with its arguments, without a shell. kUnavailable: it cannot be
/// started or does not end in time.
using ProcessRunner = std::function<Result<ProcessOutput>(const std::vector<std::string>& words)>;

/// Runs processes of this machine, 60 s and 64 KiB of output each at most. Any thread.
[[nodiscard]] Result<ProcessOutput> run_process(const std::vector<std::string>& words);

struct CredentialChainOptions {
  Environment environment = {};
  std::string profile = {};  ///< Named in the configuration: then variables with keys do not count.
  std::string region = {};   ///< For STS; empty: resolve_region().
  io::HttpClient* http = nullptr;                  ///< Borrowed.
  io::FileSystem* files = nullptr;                 ///< Borrowed; posix_file_system() when null.
  const Clock* clock = nullptr;                    ///< Borrowed; system_clock() when null.
  Random* random = nullptr;                        ///< Borrowed; secure_random() when null.
  ProcessRunner process = {};                      ///< run_process() when empty.
  std::function<void(std::int64_t us)> wait = {};  ///< Between attempts; sleeps when empty.
};

/// The region to use: AWS_REGION, AWS_DEFAULT_REGION, the profile's `region`, EC2's metadata. Empty
/// when none says one. Errors: kInvalid (a broken profile file). May wait for the network.
[[nodiscard]] Result<std::string> resolve_region(const CredentialChainOptions& options);

/// The endpoint that the environment gives for a service ("S3", "STS", "REDSHIFT_DATA"):
/// AWS_ENDPOINT_URL_<SERVICE>, else AWS_ENDPOINT_URL, unless AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is
/// true. Empty when none. Pure; any thread.
[[nodiscard]] std::string configured_endpoint(const Environment& environment,
                                              std::string_view service);

/// Any thread. Credentials are fetched by the first get(). From 15 minutes before they expire one
/// caller at a time fetches new ones while the others go on with the old; from 10 minutes on all
/// wait for it; when it fails the old ones are used until they expire.
class CredentialChain final : public CredentialSource {
 public:
  explicit CredentialChain(CredentialChainOptions options);
  ~CredentialChain() override;

  [[nodiscard]] Result<Credentials> get() override;
  void expire(const Credentials& credentials) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::aws
