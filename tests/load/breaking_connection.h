// A connection that breaks at a chosen statement: before the server gets it, or after it has run it
// and before the answer is back. Either way the server sees the client gone.
#pragma once

#include <memory>

#include "pipeline/load/destination.h"

namespace leat::load_test {

/// Shared by the connections of one sync.
struct Fault {
  int at = 0;            ///< Statement number over all connections, from 1; 0: never.
  bool after = false;    ///< The statement runs, its answer is lost.
  bool repeats = false;  ///< Every statement from `at` on fails: the destination stays away.
  int statements = 0;    ///< Seen so far.
};

/// Connects with `inner` and breaks as `fault` says. `fault` must outlive the connections.
[[nodiscard]] inline load::Connect breaking(load::Connect inner, Fault& fault) {
  class Breaking final : public load::Connection {
   public:
    Breaking(std::unique_ptr<load::Connection> connection, Fault& breaking_fault)
        : connection_(std::move(connection)), fault_(breaking_fault) {}
    std::expected<load::Rows, load::DestinationFailure> run(std::string_view sql,
                                                            std::stop_token stop) override {
      const load::DestinationFailure gone{load::FailureKind::kUnreachable, "",
                                          "the connection broke (test)"};
      if (!connection_) return std::unexpected(gone);
      ++fault_.statements;
      const bool breaks = fault_.at > 0 && (fault_.repeats ? fault_.statements >= fault_.at
                                                           : fault_.statements == fault_.at);
      if (!breaks) return connection_->run(sql, stop);
      if (fault_.after) [[maybe_unused]]
        const auto lost = connection_->run(sql, stop);
      connection_.reset();
      return std::unexpected(gone);
    }
    bool is_open() const override { return connection_ != nullptr; }

   private:
    std::unique_ptr<load::Connection> connection_;
    Fault& fault_;
  };
  return [inner = std::move(inner), &fault](const load::DestinationSettings& settings,
                                            std::stop_token stop)
             -> std::expected<std::unique_ptr<load::Connection>, load::DestinationFailure> {
    auto connection = inner(settings, stop);
    if (!connection) return std::unexpected(std::move(connection).error());
    return std::make_unique<Breaking>(std::move(*connection), fault);
  };
}

}  // namespace leat::load_test
