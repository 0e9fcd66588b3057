// One line of the raw event log: the journal's payload and the archive's NDJSON. Written by collect
// and read by shape, both only through this file. Format: docs/formats/event-line.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace leat::event {

/// What one request says about all of its events. Text members are plain text (not JSON) and may
/// hold any bytes;
/// `_json` members are raw JSON values. Empty means absent.
struct RequestPartsView {
  TimeUs received_at{};
  std::string_view source{};             ///< name of the source, for example "web"
  std::string_view type{};               ///< only where the route implies it: "track", ...
  std::string_view ip{};                 ///< address of the peer
  std::string_view user_agent{};         ///< the request's User-Agent header
  std::string_view sent_at{};            ///< batch-level sentAt
  std::string_view context_json{};       ///< batch-level context, an object
  std::string_view integrations_json{};  ///< batch-level integrations, an object
};

/// What differs from one event of a request to the next.
struct EventPartsView {
  std::string_view message_id{};  ///< only where the collector assigned one (needs_message_id)
  std::string_view rejected{};    ///< discard code of event/validate.h; empty for a good event
  std::string_view event_json{};  ///< the event's bytes as received: JSON, any value if rejected
};

/// Writes lines of one request after another. The parts common to a request are written once by
/// begin_request and copied for each event. Text that is not UTF-8 gets U+FFFD for each bad byte;
/// CR and LF between the tokens of raw JSON become spaces, so that a line never holds a line feed.
/// One thread at a time.
class LineWriter {
 public:
  /// Starts a request; the views need not live longer than the call.
  void begin_request(const RequestPartsView& request);
  /// Appends one line with its line feed to `out`.
  void append(std::string& out, const EventPartsView& event) const;
  /// Upper bound of the bytes that append adds for this event.
  [[nodiscard]] std::size_t bound(const EventPartsView& event) const;

 private:
  std::string head_;    // {"received_at":...,"user_agent":"..." without a trailing comma
  std::string common_;  // ,"sent_at":...,"context":...,"integrations":...
};

/// The parts of one parsed line. `_json` members are raw JSON slices of the line; the others are
/// decoded text.
struct Line {
  TimeUs received_at;
  std::string source;
  std::string type;
  std::string ip;
  std::string user_agent;
  std::string message_id;
  std::string sent_at;
  std::string rejected;
  std::string_view context_json;
  std::string_view integrations_json;
  std::string_view event_json;
};

/// Reads one line (with or without its line feed). Strict: known members, in the format's order,
/// each at most once; the whole line is checked to be valid JSON. Errors: kInvalid, saying what is
/// wrong; kExhausted when nested too deep. The views point into `text`. Pure; any thread.
[[nodiscard]] Result<Line> parse_line(std::string_view text);

}  // namespace leat::event
