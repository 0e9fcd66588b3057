// Whose event a line of the raw event log is, and what stays of a line whose event was taken out on
// a person's request. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace leat::event {

/// What a person is known by.
enum class PersonKey : std::uint8_t { kUserId, kAnonymousId };

struct Person {
  PersonKey key = PersonKey::kUserId;
  std::string id{};  ///< As sent; not empty.
  bool operator==(const Person&) const = default;
};

/// "USER_ID" or "ANONYMOUS_ID", as Segment names the subjects of a regulation.
[[nodiscard]] std::string_view person_key_name(PersonKey key);
/// The person whose subject type and id these are. kInvalid: another type, or no id, or one of more
/// than 32,768 bytes or not UTF-8.
[[nodiscard]] Result<Person> make_person(std::string_view key_name, std::string_view id);

/// Whether a line's event is the person's: its userId (anonymousId), or the previousId of an alias,
/// is the id. A number counts by its text. Whatever cannot be read is theirs when it holds the id
/// as a JSON string.
[[nodiscard]] bool is_of_person(std::string_view line, const Person& person);

/// Discard codes of lines whose event is not there any more (docs/formats/event-line.md).
inline constexpr std::string_view kDeleted = "deleted";        ///< Taken out of the archive.
inline constexpr std::string_view kSuppressed = "suppressed";  ///< Never kept.
[[nodiscard]] bool is_removed(std::string_view rejected);

/// What stays of an event: when it came, from which source, and that it is gone. With a line feed.
[[nodiscard]] std::string removed_line(TimeUs received_at, std::string_view source,
                                       std::string_view code);

/// `lines` with every line of the person replaced by removed_line(kDeleted): the number of lines
/// and the place of the others stay.
struct Redacted {
  std::string lines;
  std::vector<std::uint64_t> places;  ///< Of the replaced lines, from 1.
};
/// kCorrupt when a line that is theirs has no readable received_at and source.
[[nodiscard]] Result<Redacted> redact(std::string_view lines, const Person& person);

}  // namespace leat::event
