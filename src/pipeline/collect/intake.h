// From the body of one request to the lines that go into the journal: decompression, JSON, write
// keys, the rules for events. Knows nothing of sockets, so that tests and the fuzzer drive it
// directly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "net/address.h"
#include "pipeline/collect/server.h"
#include "pipeline/collect/sources.h"
#include "pipeline/event/validate.h"

namespace leat::collect {

/// What a request says beside its body.
struct IntakeRequest {
  event::EventType type = event::EventType::kNone;  ///< of the route; kNone: the body is a batch
  std::string_view body{};  ///< followed by net::kBodyPadding readable bytes
  std::string_view content_encoding{};
  std::string_view basic_key{};  ///< write key of the Authorization header, or empty
  std::string_view query_key{};  ///< write key of the query, or empty
  TimeUs received_at{};
  const net::IpAddress* ip = nullptr;  ///< the client's, or nothing when it must not be taken
  bool client_side = false;            ///< the route is used by devices only
  std::string_view user_agent{};
};

/// Why a body is answered with an error. All text is static.
struct IntakeRefusal {
  int status = 400;
  std::string_view code;
  std::string_view message;
};

/// The lines of one request for one source.
struct SourceLines {
  const Source* source = nullptr;
  std::string lines{};
  std::uint32_t events = 0;      ///< lines, the rejected ones included
  std::uint32_t rejected = 0;    ///< events that break a rule
  std::uint32_t suppressed = 0;  ///< events of persons of whom nothing is to be kept
};

/// One loop's own; one thread.
class Intake {
 public:
  /// `suppressions`: optional; all are borrowed but the limits.
  Intake(Intake&&) noexcept;
  Intake& operator=(Intake&&) noexcept;
  Intake(const Limits& limits, const Sources& sources, Random& random,
         const event::SuppressionFeed* suppressions = nullptr);
  ~Intake();

  /// Reads a body. A refusal means that nothing of it may be kept; otherwise lines() holds what
  /// must be.
  [[nodiscard]] std::optional<IntakeRefusal> read(const IntakeRequest& request);
  /// Of the last read(): an entry per source, perhaps none. Valid until the next read().
  [[nodiscard]] std::span<const SourceLines> lines() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::collect
