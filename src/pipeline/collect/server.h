// The collector: Segment's HTTP API in front of the journal. Routes, limits and answers:
// docs/reference/http-api.md.
//
// A data request is answered 200 only when every event in it is durable in the journal; events that
// break a rule are kept too, as rejected lines. Each loop of the HTTP server owns one shard of the
// journal. When the shard's buffer is full, requests wait in their connections, in the order in
// which they came, and the clients feel it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "base/random.h"
#include "net/address.h"
#include "net/http_server.h"
#include "pipeline/collect/sources.h"
#include "pipeline/journal/journal.h"

namespace leat::event {
class SuppressionFeed;
}

namespace leat::collect {

struct Limits {
  std::size_t body_bytes_max = std::size_t{512} * 1024;  ///< after decompression: 413
  std::size_t event_bytes_max =
      std::size_t{32} * 1024;            ///< alone: 400; in a batch: that event is rejected
  std::size_t batch_events_max = 2'500;  ///< those above are rejected
  std::size_t lines_bytes_max =
      std::size_t{3} * 1024 * 1024;  ///< of one request's lines in the journal: 413
  std::size_t depth_max = 128;       ///< nesting of a body: 400
};

struct Options {
  std::vector<Source> sources;
  journal::Journal* journal =
      nullptr;  ///< Borrowed; has at least as many shards as there are loops.
  Limits limits{};
  /// Peers whose X-Forwarded-For is believed; empty: nobody's.
  std::vector<net::IpNetwork> trusted_proxies{};
  /// Whose events are answered 200 and not kept. Borrowed; null: nobody's.
  const event::SuppressionFeed* suppressions = nullptr;
  std::int64_t retry_after_seconds = 1;  ///< of 503
  /// How long a request waits for room in the journal while the disk is slower than the input;
  /// above: 503. Its connection is not read meanwhile.
  std::int64_t hold_us_max = 5'000'000;
  const Clock* clock = nullptr;  ///< Borrowed; system_clock() when null.
  Random* random = nullptr;      ///< Borrowed, any thread; secure_random() when null.
  metrics::Registry* metrics =
      nullptr;  ///< Borrowed; also what /metrics prints; none: own, unseen.
};

class Server {
 public:
  /// Starts serving. `http`: address, loops, TLS, timeouts; its body limit and registry are set
  /// here. Errors: kInvalid (sources, more loops than shards), and those of net::HttpServer::start.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(net::HttpOptions http,
                                                             Options options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] net::Endpoint local() const;
  /// What /ready answers beside the journal's health (true at first): false tells load balancers to
  /// look elsewhere.
  void set_ready(bool ready);
  /// As net::HttpServer::stop: requests that wait for the journal get their answer until
  /// `deadline`. Must come before the journal's close().
  void stop(net::Deadline deadline);

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace leat::collect
