// Names of schemas, tables and columns: Segment's rules, and Leat's where those are silent
// (docs/reference/tables-and-columns.md, "Names"). Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "pipeline/event/validate.h"

namespace leat::shape {

/// Longest identifier of Redshift, in bytes.
inline constexpr std::size_t kNameBytesMax = 127;

/// The snake case of Segment's go-snakecase, byte for byte: runs of [a-z0-9] joined by '_',
/// possibly empty. Every byte from 0x80 on separates.
[[nodiscard]] std::string snake_case(std::string_view text);

/// True for one of Redshift's 159 reserved words, given in lower case. The list is frozen: a word
/// that Redshift adds later must not rename a column.
[[nodiscard]] bool is_reserved_word(std::string_view word);

/// snake_case, then `_` before a digit or a reserved word, `_u_` and a hash for an empty result,
/// and a cut with a hash beyond kNameBytesMax.
[[nodiscard]] std::string identifier_of(std::string_view text);

/// Table of a track event, for example "order_completed"; `_users` for an event whose table would
/// clash with a fixed one, or with one of `taken`.
[[nodiscard]] std::string event_table_of(std::string_view event_name,
                                         std::span<const std::string> taken = {});

/// True for the tables that calls of every kind have, such as "tracks", and leat_rescue.
[[nodiscard]] bool is_fixed_table(std::string_view name);

/// True for a column that Leat fills in some table, such as "sent_at".
[[nodiscard]] bool is_standard_column_name(std::string_view name);

/// True for a column that Leat fills in the tables of all calls, such as "user_id": no property or
/// trait has it.
[[nodiscard]] bool is_common_column_name(std::string_view name);

/// True for a name as one without letters and digits gets it: "_u_" and eight hexadecimal digits.
[[nodiscard]] bool is_hashed_name(std::string_view name);

/// Where a column's path starts.
enum class Scope : std::uint8_t { kContext, kProperties, kTraits };

/// Column of a path. `path`: the decoded keys from the scope's object down. `type`: the call, whose
/// standard columns take precedence: a property or trait that equals one, or starts with
/// `context_`, gets a `_` in front.
[[nodiscard]] std::string column_name_of(Scope scope, event::EventType type,
                                         std::span<const std::string_view> path);

/// Name of a column that stands beside `column` and ends with `suffix`, at most kNameBytesMax.
[[nodiscard]] std::string name_beside(std::string_view column, std::string_view suffix);

}  // namespace leat::shape
