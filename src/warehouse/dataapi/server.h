// The AWS side of the warehouse on one HTTP listener: Redshift Data API, the credential calls of
// Redshift, Redshift Serverless and STS, and the folder of objects as S3. Every request is signed
// (Signature Version 4).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/address.h"
#include "net/deadline.h"
#include "net/tls.h"
#include "warehouse/dataapi/access_keys.h"
#include "warehouse/dataapi/api.h"
#include "warehouse/dataapi/statements.h"

namespace leat::dataapi {

struct ServerOptions {
  net::Endpoint listen{};                ///< Port 0 picks a free one.
  std::optional<net::TlsContext> tls{};  ///< Nothing: plain HTTP.
  std::vector<AccessKey> keys{};
  ClusterFacts cluster{};
  session::Warehouse* warehouse = nullptr;             ///< Borrowed.
  std::string results_directory{};                     ///< As StatementsOptions.
  std::string objects_directory{};                     ///< Of the buckets; empty: no S3 is served.
  std::string uploads_directory{};                     ///< Of parts of objects; emptied at start.
  std::size_t body_bytes_max = std::size_t{64} << 20;  ///< One request; 413 beyond.
  std::size_t connections_max = 256;
  StatementLimits limits{};
  io::FileSystem* files = nullptr;  ///< Null: the machine's.
  const Clock* clock = nullptr;     ///< Null: the machine's.
  Random* random = nullptr;         ///< Null: the operating system's.
  metrics::Registry* metrics = nullptr;
};

class Server {
 public:
  /// Binds and serves. Errors: those of HttpServer::start and Statements::start.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(ServerOptions options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Stops at once if stop() was not called.
  ~Server();

  [[nodiscard]] net::Endpoint local() const;
  /// Cancels the running statements, answers what waits, closes all.
  void stop(net::Deadline deadline);

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace leat::dataapi
