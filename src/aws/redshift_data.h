// The Redshift Data API, client side: SQL over HTTPS, for warehouses without an open port. One call
// each; who polls and what a session holds is the caller's.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credential_chain.h"
#include "aws/credentials.h"
#include "base/clock.h"
#include "base/random.h"
#include "io/http_client.h"

namespace leat::aws {

struct RedshiftDataOptions {
  /// Exactly one of them is set.
  std::string cluster_identifier = {};
  std::string workgroup_name = {};
  std::string database = {};
  /// Who to be, at most one of them: the user of a secret, or of a cluster a database user.
  /// Neither: the user named after the AWS identity.
  std::string secret_arn = {};
  std::string user = {};
  std::string region = {};
  std::string endpoint = {};  ///< https://host:port; empty: the environment's, or AWS's.
  Environment environment = {};

  io::HttpClient* http = nullptr;                  ///< Borrowed.
  CredentialSource* credentials = nullptr;         ///< Borrowed.
  const Clock* clock = nullptr;                    ///< Borrowed; system_clock() when null.
  Random* random = nullptr;                        ///< Borrowed; secure_random() when null.
  std::function<void(std::int64_t us)> wait = {};  ///< Between attempts; sleeps when empty.
};

/// A statement as the service last told.
struct DataStatement {
  std::string id{};
  std::string session_id{};  ///< Of execute() with a session.
  std::string status{};  ///< "FINISHED", "FAILED", "ABORTED", or one that is not final; may be "".
  std::string error{};   ///< Of FAILED, from describe().
  bool has_result = false;
  std::int64_t rows = -1;  ///< Returned or changed, from describe(); -1: not known.
};

/// What the service said no with: its exception's name ("ValidationException"), or empty when
/// there was no answer.
struct DataFailure {
  std::string code{};
  Error error;
};
template <class T>
using DataResult = std::expected<T, DataFailure>;

/// Values as text; a missing one is NULL. Booleans are "t" and "f".
struct DataPage {
  std::vector<std::vector<std::optional<std::string>>> rows{};
  std::string next_token{};  ///< Empty: the last page.
};

/// Any thread. Repeats what may pass, three times; an execution, by its token, runs once.
class RedshiftData {
 public:
  /// kInvalid: neither cluster nor workgroup, or both; secret and user; a user of a workgroup; no
  /// region or database.
  [[nodiscard]] static Result<std::unique_ptr<RedshiftData>> open(RedshiftDataOptions options);

  /// Begins `sql`, in the session `session_id`, or in a new one that lives `keep_alive_s` after its
  /// last statement. Waits up to `wait_s` (0 to 30) for its end where the service can. The same
  /// `client_token` within 8 hours begins nothing and tells of the first.
  [[nodiscard]] DataResult<DataStatement> execute(std::string_view sql,
                                                  const std::string& session_id, int keep_alive_s,
                                                  const std::string& client_token, int wait_s);
  [[nodiscard]] DataResult<DataStatement> describe(const std::string& id, int wait_s);
  [[nodiscard]] DataResult<DataPage> result(const std::string& id, const std::string& next_token);
  /// Asks for its end.
  [[nodiscard]] DataResult<void> cancel(const std::string& id);

  [[nodiscard]] Random& random() const { return *options_.random; }

 private:
  explicit RedshiftData(RedshiftDataOptions options) : options_(std::move(options)) {}
  [[nodiscard]] DataResult<std::string> call(std::string_view operation, const std::string& body);

  RedshiftDataOptions options_;
};

}  // namespace leat::aws
