// One running Leat: the parts that its role needs, started in the order in which they depend on
// each other and stopped in the reverse one. docs/internals/architecture.md shows the parts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/config.h"
#include "app/connection_file.h"
#include "base/error.h"

namespace leat::app {

/// Which parts run.
struct Parts {
  bool collect = false;    ///< Collector, journal and archive sealer.
  bool load = false;       ///< Syncs into the destination.
  bool warehouse = false;  ///< The embedded warehouse.
  bool console = false;    ///< Status API.
};

/// One thread, but stop() may come from another.
class System {
 public:
  /// Starts `parts` on the configured data directory and returns when each listens. Errors name the
  /// part; what had been started is stopped again.
  [[nodiscard]] static Result<std::unique_ptr<System>> start(const Config& config,
                                                             const Parts& parts);
  /// As a crash would: nothing acknowledged is lost. Call stop() first for an orderly end.
  ~System();
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  /// How to reach what was started: what connection.json says.
  [[nodiscard]] const ConnectionFile& connection() const;
  /// The data directory's absolute path.
  [[nodiscard]] const std::string& data() const;

  /// Takes no more requests, lets the running ones end, commits the journal, ends the syncs and
  /// closes the warehouse; at most about `deadline_us`. The first error, after everything was
  /// stopped.
  [[nodiscard]] Status stop(std::int64_t deadline_us);

 private:
  struct Impl;
  explicit System(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::app
