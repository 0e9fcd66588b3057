// The words of the grammar as small numbers, so that the parser compares integers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat::sql {

enum class WordClass : std::uint8_t {
  kNone,  ///< an identifier anywhere
  kSoft,  ///< reserved in Redshift's list, but read as a column where nothing else fits
  kHard   ///< never an identifier without quotes
};

/// Index into kWords; kNoWord for identifiers the grammar does not know.
enum class Word : std::uint16_t {};
inline constexpr Word kNoWord = Word{0xffff};

struct WordEntry {
  std::string_view text;
  WordClass word_class;
};

namespace words_detail {
inline constexpr auto kNone = WordClass::kNone;
inline constexpr auto kSoft = WordClass::kSoft;
inline constexpr auto kHard = WordClass::kHard;
#define LEAT_WORD(text, word_class) WordEntry{text, word_class},
inline constexpr WordEntry kTable[] = {
#include "warehouse/sql/words.inc"
};
#undef LEAT_WORD
}  // namespace words_detail

inline constexpr std::size_t kWordCount =
    sizeof(words_detail::kTable) / sizeof(words_detail::kTable[0]);

/// The word of a lower-case text that is in the table; does not compile for any other.
consteval Word operator""_w(const char* text, std::size_t size) {
  const std::string_view wanted(text, size);
  std::size_t low = 0;
  std::size_t high = kWordCount;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (words_detail::kTable[middle].text < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == kWordCount || words_detail::kTable[low].text != wanted) throw "not in words.inc";
  return static_cast<Word>(low);
}

/// Finds a lower-case text; kNoWord when the grammar does not know it. Constant time.
[[nodiscard]] Word find_word(std::string_view lower_case);

[[nodiscard]] inline std::string_view word_text(Word word) {
  return word == kNoWord ? std::string_view()
                         : words_detail::kTable[static_cast<std::size_t>(word)].text;
}
[[nodiscard]] inline WordClass word_class(Word word) {
  return word == kNoWord ? WordClass::kNone
                         : words_detail::kTable[static_cast<std::size_t>(word)].word_class;
}

}  // namespace leat::sql
