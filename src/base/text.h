// Text: UTF-8 validity, JSON strings, and small parsing helpers that std lacks.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

/// True when `bytes` is well-formed UTF-8 (simdjson's validator). Pure; any thread.
[[nodiscard]] bool is_utf8(std::string_view bytes);

/// Appends `text` to `out` as a JSON string with its quotes. `text` must be UTF-8.
void append_json_string(std::string& out, std::string_view text);
[[nodiscard]] std::string json_string(std::string_view text);

/// Longest prefix of `text` (UTF-8) that has at most `bytes_max` bytes and does not cut a
/// character.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max);

/// ASCII only; other bytes stay.
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] bool equal_ignore_case(std::string_view a, std::string_view b);
/// Without leading and trailing spaces, tabs, CR and LF.
[[nodiscard]] std::string_view trim(std::string_view text);
/// How many bytes of `text` are `wanted`. Fast where they are far apart, as the ends of lines are.
[[nodiscard]] std::size_t count_byte(std::string_view text, char wanted);
/// Pieces between `separator`s; n separators give n + 1 pieces.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

/// The whole of `text` as a decimal number of type T; nothing on any other character or out of
/// range.
template <class T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// The candidate nearest to `word` (edit distance at most 2 and below half its length), for "did
/// you mean".
[[nodiscard]] std::optional<std::string> near_miss(std::string_view word,
                                                   const std::vector<std::string>& candidates);

}  // namespace leat
