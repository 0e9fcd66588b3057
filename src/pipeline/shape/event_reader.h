// Reads one line of the event log into values by path, as fast as it can without trusting it: every
// byte is checked, and what JSON forbids is refused. Design: docs/internals/shape.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "pipeline/event/validate.h"
#include "pipeline/shape/fit.h"
#include "pipeline/shape/paths.h"

namespace leat::shape {

/// Bytes that must be readable behind a line.
inline constexpr std::size_t kLinePadding = 64;

/// A text of the line's own members, empty when the line has none.
struct LineText {
  std::string_view text;
  std::string_view json;  ///< with its quotes; of a text with escapes empty
};

/// What one line holds. Text points into the line or the arena. Reused from line to line.
struct EventValues {
  TimeUs received_at;
  std::string_view route_type;
  LineText ip;
  std::string_view message_id;
  LineText sent_at;
  std::string_view rejected;
  std::string_view event_json;         ///< as in the line
  std::string_view merged_json;        ///< with the members of its batch
  std::string_view integrations_json;  ///< after the merge
  event::EventFacts facts;
  std::array<Value, event::kMemberCount> members;  ///< where facts say text, number or boolean
  std::vector<Value> context;
  std::vector<Value> properties;
  std::vector<Value> traits;
  bool has_context_ip = false;

  [[nodiscard]] const Value& member(event::Member member) const {
    return members[static_cast<std::size_t>(member)];
  }
};

/// One thread at a time.
class EventReader {
 public:
  /// `whole_objects`: an object that is a value of properties or traits stays one value.
  EventReader(Paths& paths, Arena& arena, bool whole_objects)
      : paths_(paths), arena_(arena), whole_objects_(whole_objects) {}

  /// Reads `line`, which must be UTF-8 and is followed by a line feed and kLinePadding readable
  /// bytes in memory. Returns false when it is no line of the event log: not JSON, nested too deep,
  /// or against the line format. For a rejected event only the line's own members and event_json
  /// are read. Memory it asks for stays proportional to the line.
  [[nodiscard]] bool read(std::string_view line, EventValues& out);

 private:
  bool read_line_members(EventValues& out);
  bool read_line_member(unsigned index, EventValues& out);
  bool read_event(EventValues& out, std::size_t depth);
  bool read_event_member(event::Member member, EventValues& out, std::size_t depth);
  bool read_merged(EventValues& out);
  bool read_tree(Paths::Id parent, std::vector<Value>& values, std::size_t depth);
  bool read_member(Paths::Id id, std::vector<Value>& values, std::size_t depth);
  bool read_text(Value& value);
  bool read_escaped_text(Value& value, const char* start, const char* at);
  bool read_scalar(Value& value, bool& is_null);
  bool read_nested(Value& value, std::size_t depth);
  bool skip_value(std::size_t depth);
  bool skip_members(char close, std::size_t depth);
  bool skip_string();
  bool read_plain_text(std::string_view& text);
  bool read_line_text(LineText& text);
  void note_special(SpecialPath special, event::Kind kind);
  Paths::Id read_key(Paths::Id parent, Paths::Id previous);
  Paths::Id learn_key(Paths::Id parent, Paths::Id previous);
  bool after_key();
  void skip_space();

  Paths& paths_;
  Arena& arena_;
  // Of received_at alone: the times inside the event may be those of a minute that has the same
  // place in a reader, and then each of both would be read the long way.
  TimeReader arrivals_;
  bool whole_objects_;
  EventValues* out_ = nullptr;
  const char* at_ = nullptr;
  bool saw_space_ = false;
  std::string_view batch_context_;
  std::string_view batch_integrations_;
  std::string scratch_;
};

}  // namespace leat::shape
