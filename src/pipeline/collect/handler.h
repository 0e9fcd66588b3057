// One loop's collector: requests to lines to its shard of the journal, and the answers once they
// are durable. Internal to collect; one thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_server.h"
#include "pipeline/collect/intake.h"
#include "pipeline/collect/rate_limit.h"
#include "pipeline/collect/routes.h"
#include "pipeline/collect/server.h"
#include "pipeline/collect/sources.h"

namespace leat::collect {

/// What the loops of one collector share.
struct Shared {
  Options options;
  Sources sources;
  unsigned loops = 1;
  metrics::Registry own_registry;  // used when the options name none
  metrics::Registry* registry = nullptr;
  std::atomic<bool> ready{true};
};

class CollectHandler final : public net::Handler {
 public:
  CollectHandler(Shared& shared, net::Loop& loop, journal::Shard& shard);
  ~CollectHandler() override;

  void on_request(const net::RequestView& request, net::Exchange exchange) override;
  [[nodiscard]] net::Response on_refused(int status, std::string_view message,
                                         const net::RequestView& request) override;

 private:
  /// A request whose lines are in the journal and not durable yet.
  struct Waiting {
    journal::Offset offset;
    net::Exchange exchange;
    std::string headers;
    bool pixel = false;
    std::int64_t since_us = 0;
  };
  /// A request that waits, unread, for room in the journal.
  struct Held {
    net::HeldRequest request;
    std::int64_t since_us = 0;
  };
  struct SourceState {
    RateLimit rate;
    metrics::Counter* events = nullptr;
    metrics::Counter* rejected = nullptr;
    metrics::Counter* suppressed = nullptr;
  };

  void take_event(const net::RequestView& request, const Route& route, net::Exchange exchange);
  void take_pixel(const net::RequestView& request, const Route& route, net::Exchange exchange);
  [[nodiscard]] IntakeRequest describe(const net::RequestView& request, const Route& route);
  [[nodiscard]] std::int64_t rate_wait_seconds();
  void count_events();
  [[nodiscard]] Result<journal::Offset> append(TimeUs received_at);
  void keep(const net::RequestView& http, const IntakeRequest& request, bool pixel,
            net::Exchange exchange);
  void answer_unkept(const net::RequestView& http, bool pixel, net::Exchange exchange,
                     const Error& error);
  [[nodiscard]] bool must_queue(const net::RequestView& http) const;
  void hold(const net::RequestView& http, net::Exchange exchange);
  void resume_held();
  void end_old_holds();
  void handle_journal();
  void answer_ready(const net::RequestView& request, net::Exchange exchange);
  void answer(net::Exchange& exchange, net::Response response);
  void refuse(net::Exchange& exchange, bool pixel, net::Response response);

  Shared& shared_;
  net::Loop& loop_;
  journal::Shard& shard_;
  const Clock& clock_;
  Intake intake_;
  std::vector<SourceState> sources_;  // by Sources::index_of
  net::Loop::WatchId watch_ = 0;
  std::deque<Waiting> waiting_;                 // in the order of offsets
  std::deque<Held> held_;                       // in the order of arrival
  bool held_again_ = false;                     // the request just resumed found no room
  net::Loop::TimerId hold_timer_ = 0;           // 0: none runs
  std::vector<journal::NewRecord> records_;     // of the request at hand
  std::array<metrics::Counter*, 6> answers_{};  // by hundreds of the status
  metrics::Counter& bytes_;
  metrics::Gauge& waiting_gauge_;
  metrics::Gauge& held_gauge_;
  metrics::Counter& hold_timeouts_;
  metrics::Counter& unknown_keys_;
  metrics::Histogram& commit_time_;

  // Of the request at hand: what IntakeRequest points to.
  std::string authorization_;  // the last one seen, which most requests repeat
  std::string basic_key_;      // of it
  std::string query_key_;
  net::IpAddress client_;
};

}  // namespace leat::collect
