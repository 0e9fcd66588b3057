#include "pipeline/shape/event_reader.h"

#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/json_compact.h"
#include "base/text.h"
#include "pipeline/event/json_tree.h"
#include "pipeline/event/merge.h"

namespace leat::shape {
namespace {

using columns::Cell;
using event::Kind;
using event::Member;

constexpr std::uint8_t kLineMemberCount = 11;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// First quote, backslash or control character at or after `at`. A line feed ends every line, so it
/// stops.
#if defined(__SSE2__)
inline const char* find_text_end(const char* at) {
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i control = _mm_set1_epi8(0x1f);
  for (;; at += 32) {
    const auto stops = [&](const char* from) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
      const __m128i ends =
          _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash));
      const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes);
      return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(ends, controls)));
    };
    const std::uint32_t mask = stops(at) | (stops(at + 16) << 16);
    if (mask != 0) return at + std::countr_zero(mask);
  }
}

inline bool matches_key(const Paths::Node& node, const char* at) {
  const auto half = [&](std::size_t offset) {
    const __m128i key = _mm_load_si128(reinterpret_cast<const __m128i*>(node.key + offset));
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + offset));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(key, bytes)));
  };
  return ((half(0) | (half(16) << 16)) & node.mask) == node.mask;
}
#else
inline const char* find_text_end(const char* at) {
  while (*at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  return at;
}

inline bool matches_key(const Paths::Node& node, const char* at) {
  return std::memcmp(node.key, at, node.key_size + 1) == 0;
}
#endif

Kind kind_of(const Value& value) {
  switch (value.kind) {
    case ValueKind::kText:
      return value.cell.text_size == 0 ? Kind::kEmptyString : Kind::kString;
    case ValueKind::kFlawedText:
      return Kind::kString;
    case ValueKind::kBoolean:
      return Kind::kBoolean;
    case ValueKind::kJson:
      return Kind::kArray;
    default:
      return Kind::kNumber;
  }
}

}  // namespace

bool EventReader::read(std::string_view line, EventValues& out) {
  out.route_type = out.message_id = out.rejected = {};
  out.ip = out.sent_at = {};
  out.event_json = out.merged_json = out.integrations_json = {};
  out.facts = {};
  out.context.clear();
  out.properties.clear();
  out.traits.clear();
  out.has_context_ip = false;
  batch_context_ = batch_integrations_ = {};
  out_ = &out;
  at_ = line.data();
  if (*at_ != '{') return false;
  ++at_;
  if (!read_line_members(out)) return false;
  return at_ == line.data() + line.size();
}

inline void EventReader::skip_space() {
  while (*at_ == ' ' || *at_ == '\t' || *at_ == '\r') {
    saw_space_ = true;
    ++at_;
  }
}

/// Reads a key (at its opening quote) and the colon after it; kNone when there is none.
inline Paths::Id EventReader::read_key(Paths::Id parent, Paths::Id previous) {
  if (*at_ != '"') return Paths::kNone;
  const Paths::Node& before = paths_.node(previous == Paths::kNone ? parent : previous);
  const Paths::Id* guesses = previous == Paths::kNone ? before.first : before.next;
  for (int i = 0; i < 2; ++i) {
    const Paths::Id guess = guesses[i];
    const Paths::Node& node = paths_.node(guess);
    if (node.mask != 0 && matches_key(node, at_ + 1)) {
      at_ += node.key_size + 2;
      return after_key() ? guess : Paths::kNone;
    }
  }
  return learn_key(parent, previous);
}

inline bool EventReader::after_key() {
  if (*at_ != ':') {
    skip_space();
    if (*at_ != ':') return false;
  }
  ++at_;
  if (static_cast<unsigned char>(*at_) <= ' ') skip_space();
  return true;
}

Paths::Id EventReader::learn_key(Paths::Id parent, Paths::Id previous) {
  const char* start = at_ + 1;
  if (!skip_string()) return Paths::kNone;
  const Paths::Id id = paths_.child(parent, {start, static_cast<std::size_t>(at_ - 1 - start)});
  Paths::Node& before = paths_.node(previous == Paths::kNone ? parent : previous);
  Paths::Id* guesses = previous == Paths::kNone ? before.first : before.next;
  guesses[1] = guesses[0];
  guesses[0] = id;
  return after_key() ? id : Paths::kNone;
}

bool EventReader::skip_string() {
  const char* start = ++at_;
  const char* end = find_text_end(start);
  bool has_escape = false;
  while (*end == '\\') {
    has_escape = true;
    if (static_cast<unsigned char>(end[1]) < 0x20) return false;
    end = find_text_end(end + 2);
  }
  if (*end != '"') return false;
  at_ = end + 1;
  if (!has_escape) return true;
  scratch_.clear();
  event::TextFlaws flaws;
  return event::decode_json_text({start, static_cast<std::size_t>(end - start)}, scratch_, flaws);
}

inline bool EventReader::read_text(Value& value) {
  const char* start = at_ + 1;
  const char* end = find_text_end(start);
  value.raw = at_;
  if (*end != '"') [[unlikely]] {
    return read_escaped_text(value, start, end);
  }
  value.kind = ValueKind::kText;
  value.cell = Cell::of_text({start, static_cast<std::size_t>(end - start)});
  value.raw_size = static_cast<std::uint32_t>(end + 1 - value.raw);
  at_ = end + 1;
  return true;
}

bool EventReader::read_escaped_text(Value& value, const char* start, const char* end) {
  while (*end == '\\') {
    if (static_cast<unsigned char>(end[1]) < 0x20) return false;
    end = find_text_end(end + 2);
  }
  if (*end != '"') return false;
  scratch_.clear();
  event::TextFlaws flaws;
  const std::string_view inside(start, static_cast<std::size_t>(end - start));
  if (!event::decode_json_text(inside, scratch_, flaws)) return false;
  value.kind = flaws.any() ? ValueKind::kFlawedText : ValueKind::kText;
  value.cell = Cell::of_text(arena_.copy(scratch_));
  value.raw_size = static_cast<std::uint32_t>(end + 1 - value.raw);
  at_ = end + 1;
  return true;
}

/// A number, boolean or null.
inline bool EventReader::read_scalar(Value& value, bool& is_null) {
  const char* start = at_;
  value.raw = start;
  is_null = false;
  switch (*start) {
    case 't':
      if (std::memcmp(start, "true", 4) != 0) return false;
      at_ += 4;
      value.kind = ValueKind::kBoolean;
      value.cell = Cell::of_integer(1);
      break;
    case 'f':
      if (std::memcmp(start, "false", 5) != 0) return false;
      at_ += 5;
      value.kind = ValueKind::kBoolean;
      value.cell = Cell::of_integer(0);
      break;
    case 'n':
      if (std::memcmp(start, "null", 4) != 0) return false;
      at_ += 4;
      is_null = true;
      return true;
    default: {
      const bool negative = *at_ == '-';
      at_ += negative ? 1 : 0;
      const char* digits = at_;
      std::uint64_t number = 0;
      for (; is_digit(*at_); ++at_) number = number * 10 + static_cast<std::uint64_t>(*at_ - '0');
      const auto count = at_ - digits;
      if (count == 0 || (*digits == '0' && count > 1)) return false;
      if (*at_ != '.' && *at_ != 'e' && *at_ != 'E' && count <= 18) {
        value.kind = ValueKind::kInteger;
        const auto integer = static_cast<std::int64_t>(number);
        value.cell = Cell::of_integer(negative ? -integer : integer);
        break;
      }
      while (is_digit(*at_) || *at_ == '.' || *at_ == 'e' || *at_ == 'E' || *at_ == '+' ||
             *at_ == '-') {
        ++at_;
      }
      const std::string_view token(start, static_cast<std::size_t>(at_ - start));
      if (!event::is_json_number(token)) return false;
      read_number(token, value);
    }
  }
  value.raw_size = static_cast<std::uint32_t>(at_ - start);
  return true;
}

/// An array, or an object as one value.
bool EventReader::read_nested(Value& value, std::size_t depth) {
  value.raw = at_;
  saw_space_ = false;
  if (!skip_value(depth)) return false;
  value.raw_size = static_cast<std::uint32_t>(at_ - value.raw);
  value.kind = ValueKind::kJson;
  std::string_view text = value.raw_text();
  if (saw_space_) {
    scratch_.clear();
    append_compact_json(scratch_, text);
    text = arena_.copy(scratch_);
  }
  value.cell = Cell::of_text(text);
  return true;
}

/// Checks a value of any kind and passes over it. `depth`: of this value.
bool EventReader::skip_value(std::size_t depth) {
  if (depth > event::kJsonDepthMax) return false;
  switch (*at_) {
    case '"':
      return skip_string();
    case '{':
      return skip_members('}', depth);
    case '[':
      return skip_members(']', depth);
    default: {
      Value ignored;
      bool is_null = false;
      return read_scalar(ignored, is_null);
    }
  }
}

bool EventReader::skip_members(char close, std::size_t depth) {
  ++at_;
  skip_space();
  if (*at_ == close) {
    ++at_;
    return true;
  }
  for (;;) {
    skip_space();
    if (close == '}') {
      if (*at_ != '"' || !skip_string()) return false;
      skip_space();
      if (*at_ != ':') return false;
      ++at_;
      skip_space();
    }
    if (!skip_value(depth + 1)) return false;
    skip_space();
    if (*at_ == close) {
      ++at_;
      return true;
    }
    if (*at_ != ',') return false;
    ++at_;
  }
}

void EventReader::note_special(SpecialPath special, Kind kind) {
  EventValues& out = *out_;
  switch (special) {
    case SpecialPath::kIp:
      out.has_context_ip = true;
      break;
    case SpecialPath::kAdvertisingId:
      out.facts.advertising_id = kind;
      break;
    case SpecialPath::kCategoryPreferences:
      out.facts.category_preferences = kind;
      break;
    case SpecialPath::kCategoryPreference:
      if (kind != Kind::kBoolean) out.facts.category_preferences_all_bool = false;
      break;
    case SpecialPath::kConsentVersion:
      out.facts.consent_version = kind;
      break;
    case SpecialPath::kNone:
      break;
  }
}

/// Reads the object at `at_` into one value for each leaf below it.
bool EventReader::read_tree(Paths::Id parent, std::vector<Value>& values, std::size_t depth) {
  if (depth > event::kJsonDepthMax) return false;
  ++at_;
  if (static_cast<unsigned char>(*at_) <= ' ') skip_space();
  if (*at_ == '}') {
    ++at_;
    return true;
  }
  for (Paths::Id previous = Paths::kNone;;) {
    const Paths::Id id = read_key(parent, previous);
    if (id == Paths::kNone || !read_member(id, values, depth + 1)) return false;
    previous = id;
    if (static_cast<unsigned char>(*at_) <= ' ') skip_space();
    if (*at_ == ',') {
      ++at_;
      if (static_cast<unsigned char>(*at_) <= ' ') skip_space();
      continue;
    }
    if (*at_ != '}') return false;
    ++at_;
    return true;
  }
}

/// Reads the value of one path; `depth`: of the value.
inline bool EventReader::read_member(Paths::Id id, std::vector<Value>& values, std::size_t depth) {
  const SpecialPath special = paths_.node(id).special;
  if (*at_ == '{' && (!whole_objects_ || &values == &out_->context)) {
    if (special != SpecialPath::kNone) note_special(special, Kind::kObject);
    return read_tree(id, values, depth);
  }
  if (depth > event::kJsonDepthMax) return false;
  Value& value = values.emplace_back();
  value.node = id & 0xfff'ffff;
  if (*at_ == '"') {
    if (!read_text(value)) return false;
  } else if (*at_ == '[' || *at_ == '{') {
    if (!read_nested(value, depth)) return false;
  } else {
    bool is_null = false;
    if (!read_scalar(value, is_null)) return false;
    if (is_null) {
      values.pop_back();
      return true;
    }
  }
  if (special != SpecialPath::kNone) [[unlikely]] {
    note_special(special, kind_of(value));
  }
  return true;
}

bool EventReader::read_plain_text(std::string_view& text) {
  Value value;
  if (*at_ != '"' || !read_text(value)) return false;
  text = value.cell.as_text();
  return true;
}

bool EventReader::read_line_text(LineText& text) {
  const char* const start = at_;
  if (!read_plain_text(text.text)) return false;
  const bool is_as_written = text.text.data() == start + 1;
  text.json = is_as_written ? std::string_view(start, at_) : std::string_view();
  return true;
}

bool EventReader::read_line_members(EventValues& out) {
  unsigned next = 0;
  if (static_cast<unsigned char>(*at_) <= ' ') skip_space();
  for (Paths::Id previous = Paths::kNone;;) {
    const Paths::Id id = read_key(Paths::kLine, previous);
    if (id == Paths::kNone) return false;
    previous = id;
    const unsigned index = paths_.node(id).role;
    const bool in_order = index < kLineMemberCount && index >= next && (next != 0 || index == 0);
    if (!in_order || !read_line_member(index, out)) return false;
    next = index + 1;
    if (static_cast<unsigned char>(*at_) <= ' ') skip_space();
    if (next == kLineMemberCount) break;
    if (*at_ != ',') return false;
    ++at_;
    if (static_cast<unsigned char>(*at_) <= ' ') skip_space();
  }
  if (*at_ != '}') return false;
  ++at_;
  return batch_context_.empty() && batch_integrations_.empty() ? true : read_merged(out);
}

bool EventReader::read_line_member(unsigned index, EventValues& out) {
  std::string_view ignored;
  const char* start = at_;
  switch (index) {
    case 0: {
      std::string_view text;
      if (!read_plain_text(text)) return false;
      const auto time = arrivals_.read(text);
      if (!time) return false;
      out.received_at = *time;
      return true;
    }
    case 1:
      return read_plain_text(ignored);  // the source: known from the batch
    case 2:
      return read_plain_text(out.route_type);
    case 3:
      return read_line_text(out.ip);
    case 4:
      return read_plain_text(ignored);  // the user agent: no column
    case 5:
      return read_plain_text(out.message_id);
    case 6:
      return read_line_text(out.sent_at);
    case 7:
      if (!skip_value(2)) return false;
      batch_context_ = {start, static_cast<std::size_t>(at_ - start)};
      return true;
    case 8:
      if (!skip_value(2)) return false;
      batch_integrations_ = {start, static_cast<std::size_t>(at_ - start)};
      return true;
    case 9:
      return read_plain_text(out.rejected);
    default:
      break;
  }
  const bool needs_values =
      out.rejected.empty() && batch_context_.empty() && batch_integrations_.empty();
  const bool is_object = *start == '{';
  out.facts.is_object = is_object;
  if (out.rejected.empty()) out.facts.type = event::event_type_of(out.route_type);
  if (needs_values && is_object ? !read_event(out, 2) : !skip_value(2)) return false;
  out.event_json = {start, static_cast<std::size_t>(at_ - start)};
  out.merged_json = out.event_json;
  return true;
}

/// Events of batches with members of their own are merged first and read from the merged text.
bool EventReader::read_merged(EventValues& out) {
  if (!out.rejected.empty() || !out.facts.is_object) return true;
  const auto merged =
      event::merge_batch_members(out.event_json, batch_context_, batch_integrations_);
  if (!merged) return false;
  scratch_ = *merged;
  scratch_ += '\n';
  const char* end_of_line = at_;
  at_ = arena_.copy(scratch_).data();
  out.merged_json = {at_, merged->size()};
  if (!read_event(out, 1)) return false;
  at_ = end_of_line;
  return true;
}

bool EventReader::read_event(EventValues& out, std::size_t depth) {
  std::uint32_t seen = 0;
  ++at_;
  if (static_cast<unsigned char>(*at_) <= ' ') skip_space();
  if (*at_ == '}') {
    ++at_;
    return true;
  }
  for (Paths::Id previous = Paths::kNone;;) {
    const Paths::Id id = read_key(Paths::kEvent, previous);
    if (id == Paths::kNone) return false;
    previous = id;
    const auto member = static_cast<Member>(paths_.node(id).role);
    if (member == Member::kOther) {
      if (!skip_value(depth + 1)) return false;
    } else {
      const std::uint32_t bit = 1U << static_cast<unsigned>(member);
      if ((seen & bit) != 0) out.facts.has_duplicate_member = true;
      seen |= bit;
      if (!read_event_member(member, out, depth + 1)) return false;
    }
    if (static_cast<unsigned char>(*at_) <= ' ') skip_space();
    if (*at_ == ',') {
      ++at_;
      if (static_cast<unsigned char>(*at_) <= ' ') skip_space();
      continue;
    }
    if (*at_ != '}') return false;
    ++at_;
    return true;
  }
}

bool EventReader::read_event_member(Member member, EventValues& out, std::size_t depth) {
  const char* start = at_;
  if (*start == '{') {
    out.facts.set(member, Kind::kObject);
    switch (member) {
      case Member::kContext:
        return read_tree(Paths::kContext, out.context, depth);
      case Member::kProperties:
        return read_tree(Paths::kProperties, out.properties, depth);
      case Member::kTraits:
        return read_tree(Paths::kTraits, out.traits, depth);
      default:
        break;
    }
    Value& value = out.members[static_cast<std::size_t>(member)];
    if (!read_nested(value, depth)) return false;
    if (member == Member::kIntegrations) out.integrations_json = value.raw_text();
    return true;
  }
  Value& value = out.members[static_cast<std::size_t>(member)];
  value.node = Paths::kContext;
  bool is_null = false;
  if (*start == '"') {
    if (!read_text(value)) return false;
  } else if (*start == '[') {
    if (!read_nested(value, depth)) return false;
  } else if (!read_scalar(value, is_null)) {
    return false;
  }
  if (is_null) {
    out.facts.set(member, Kind::kAbsent);
    return true;
  }
  out.facts.set(member, kind_of(value));
  const bool is_text = value.kind == ValueKind::kText;
  if (member == Member::kType && out.route_type.empty() && is_text) {
    out.facts.type = event::event_type_of(value.cell.as_text());
  } else if (member == Member::kEvent && is_text) {
    out.facts.is_consent_event = value.cell.as_text() == event::kConsentEvent;
  } else if (member == Member::kContext) {
    out.context.push_back(value);  // not an object: becomes the column `context`
  }
  return true;
}

}  // namespace leat::shape
