#include "warehouse/sql/words.h"

#include <bit>
#include <cstring>
#include <type_traits>

namespace leat::sql {
namespace {

constexpr std::size_t kSlots = 2048;
static_assert(kWordCount * 2 < kSlots);

/// Of the length and the first and last four bytes, which tell the words apart well enough: every
/// word and name of a statement comes through here.
constexpr std::size_t hash_of(std::string_view text) {
  const auto four_from = [text](std::size_t at) {
    std::uint32_t bytes = 0;
    if (!std::is_constant_evaluated() && text.size() >= 4) {
      std::memcpy(&bytes, text.data() + at, 4);
      return bytes;
    }
    for (std::size_t i = std::min(at + 4, text.size()); i > at; --i) {
      bytes = (bytes << 8U) | static_cast<unsigned char>(text[i - 1]);
    }
    return bytes;
  };
  static_assert(std::endian::native == std::endian::little);
  const std::uint32_t head = four_from(0);
  const std::uint32_t tail = four_from(text.size() < 4 ? 0 : text.size() - 4);
  const std::uint32_t mixed =
      (head * 0x9e3779b1U) ^ (tail * 0x85ebca6bU) ^ static_cast<std::uint32_t>(text.size());
  return ((mixed * 0xc2b2ae35U) >> 16U) & (kSlots - 1);
}

constexpr std::array<std::uint16_t, kSlots> make_slots() {
  std::array<std::uint16_t, kSlots> slots{};
  slots.fill(0xffff);
  for (std::size_t i = 0; i < kWordCount; ++i) {
    std::size_t slot = hash_of(words_detail::kTable[i].text);
    while (slots[slot] != 0xffff) slot = (slot + 1) & (kSlots - 1);
    slots[slot] = static_cast<std::uint16_t>(i);
  }
  return slots;
}

constexpr auto kSlotTable = make_slots();

}  // namespace

Word find_word(std::string_view lower_case) {
  for (std::size_t slot = hash_of(lower_case);; slot = (slot + 1) & (kSlots - 1)) {
    const std::uint16_t index = kSlotTable[slot];
    if (index == 0xffff) return kNoWord;
    if (words_detail::kTable[index].text == lower_case) return static_cast<Word>(index);
  }
}

}  // namespace leat::sql
