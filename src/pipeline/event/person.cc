#include "pipeline/event/person.h"

#include <fmt/format.h>

#include "base/text.h"
#include "pipeline/event/json_tree.h"
#include "pipeline/event/line.h"

namespace leat::event {
namespace {

constexpr std::size_t kIdBytesMax = 32'768;  // of an event

bool names(const JsonValue& value, std::string_view id) {
  if (value.kind == JsonKind::kString) return value.text == id;
  return value.kind == JsonKind::kNumber && value.raw == id;
}

}  // namespace

std::string_view person_key_name(PersonKey key) {
  return key == PersonKey::kUserId ? "USER_ID" : "ANONYMOUS_ID";
}

Result<Person> make_person(std::string_view key_name, std::string_view id) {
  Person person;
  if (key_name == person_key_name(PersonKey::kAnonymousId)) {
    person.key = PersonKey::kAnonymousId;
  } else if (key_name != person_key_name(PersonKey::kUserId)) {
    return fail(Errc::kInvalid, fmt::format("a person is known by USER_ID or ANONYMOUS_ID, not {}",
                                            json_string(key_name)));
  }
  if (id.empty() || id.size() > kIdBytesMax || !is_utf8(id) || id.find('\0') != id.npos) {
    return fail(Errc::kInvalid,
                fmt::format("an id has 1 to {} bytes of UTF-8; this one has {} bytes", kIdBytesMax,
                            id.size()));
  }
  person.id = id;
  return person;
}

bool is_of_person(std::string_view line, const Person& person) {
  // Without an escape in the line, the id can only stand there as it is.
  const bool holds_id = line.find(person.id) != std::string_view::npos;
  if (!holds_id && line.find('\\') == std::string_view::npos) return false;
  const auto parsed = parse_line(line);
  const auto event = parsed ? parse_json(parsed->event_json) : fail(Errc::kInvalid, "");
  if (!event) return line.find(json_string(person.id)) != std::string_view::npos;
  const std::string_view own = person.key == PersonKey::kUserId ? "userId" : "anonymousId";
  // A member that is there twice counts each time.
  for (const JsonMember& member : event->members) {
    if ((member.name == own || member.name == "previousId") && names(member.value, person.id)) {
      return true;
    }
  }
  return false;
}

bool is_removed(std::string_view rejected) {
  return rejected == kDeleted || rejected == kSuppressed;
}

std::string removed_line(TimeUs received_at, std::string_view source, std::string_view code) {
  LineWriter writer;
  writer.begin_request({.received_at = received_at, .source = source});
  std::string out;
  writer.append(out, {.rejected = code, .event_json = "null"});
  return out;
}

Result<Redacted> redact(std::string_view lines, const Person& person) {
  Redacted out;
  out.lines.reserve(lines.size());
  for (std::uint64_t place = 1; !lines.empty(); ++place) {
    const std::size_t end = lines.find('\n');
    const std::size_t size = end == std::string_view::npos ? lines.size() : end + 1;
    const std::string_view line = lines.substr(0, size);
    lines.remove_prefix(size);
    if (!is_of_person(line, person)) {
      out.lines += line;
      continue;
    }
    const auto parsed = parse_line(line);
    if (!parsed) {
      return fail(Errc::kCorrupt,
                  fmt::format("a line that holds the id cannot be read: {}; nothing was changed",
                              parsed.error().message));
    }
    out.lines += removed_line(parsed->received_at, parsed->source, kDeleted);
    out.places.push_back(place);
  }
  return out;
}

}  // namespace leat::event
