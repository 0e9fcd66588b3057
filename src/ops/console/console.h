// The operator's view: status API, metrics, health and the web page, on one listening address.
//
// Never shows a secret. What blocks (ledger, sync) runs off the event loop. The API is in
// docs/reference/console-api.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "pipeline/load/books.h"
#include "pipeline/load/rescue.h"
#include "pipeline/load/sync_schedule.h"

namespace leat::console {

/// Where one journal shard and its archive stand.
struct ShardPosition {
  std::string shard;
  std::int64_t durable_offset = 0;   ///< Last record that is on disk.
  std::int64_t archived_offset = 0;  ///< Last record that is sealed in the archive.
  std::string health;                ///< Empty when appends are accepted, else why not.
};

/// What the collector and the archive hold of one source.
struct SourceReceived {
  std::string source;
  std::int64_t received_events =
      0;  ///< Acknowledged, by the journal, since the data directory was made.
  std::int64_t archived_events = 0;  ///< In sealed batches.
};

/// How a person reaches the system; shown on the page. No secrets: `password_hint` says where the
/// password is.
struct ConnectionHints {
  std::string collect_url;
  std::string warehouse_host;
  std::uint16_t warehouse_port = 0;
  std::string warehouse_database;
  std::string warehouse_user;
  bool warehouse_encrypted = false;  ///< Its files are.
  std::string password_hint;         ///< Such as "in <data>/connection.json".
  std::string token_hint;  ///< Where the console's token is; shown when the page asks for it.
};

struct ConsoleOptions {
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 8081;  ///< 0: a free one.
  /// What every POST must carry in the header `Leat-Token`. Not empty. Put in connection.json
  /// by the app.
  std::string token;
  std::string version;
  load::SyncSchedule* schedule = nullptr;  ///< Optional (a collector alone); borrowed.
  load::SyncHistory* history = nullptr;    ///< Optional; borrowed.
  metrics::Registry* metrics = nullptr;    ///< Borrowed.
  const Clock* clock = &system_clock();    ///< Borrowed.
  ConnectionHints connection;
  /// Each is called off the event loop, from one thread at a time; an empty one leaves its part
  /// out.
  std::function<Result<load::Ledger>(int latest)> ledger;
  /// `source` empty: all. Errors: kNotFound for an unknown one.
  std::function<Result<load::Rescued>(const std::string& source, const load::RescueQuery& query)>
      rescued;
  /// Answers /api/privacy with JSON: `query` of the request, which wants to change something when
  /// `is_post`. Errors: kInvalid, kNotFound and what the answering part has.
  std::function<Result<std::string>(bool is_post, const std::string& query)> privacy;
  std::function<Result<std::vector<ShardPosition>>()> journal;
  std::function<Result<std::vector<SourceReceived>>()> received;
  /// Ready to serve, or why not: GET /readyz. Called on the event loop: must not block.
  std::function<Status()> ready;
};

/// Owns its server and threads. Any thread.
class Console {
 public:
  /// Binds and starts serving. Errors: kConflict when the address is taken, kInvalid options.
  [[nodiscard]] static Result<std::unique_ptr<Console>> start(ConsoleOptions options);
  /// Stops.
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// "http://127.0.0.1:8081", with the port really bound.
  [[nodiscard]] const std::string& url() const;
  /// Refuses new requests, ends the running ones and the threads. Stop the schedule before: a
  /// request that waits for a sync ends when the schedule does. Idempotent.
  void stop();

 private:
  struct Impl;
  explicit Console(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::console
