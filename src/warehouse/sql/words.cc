#include "warehouse/sql/words.h"

namespace leat::sql {
namespace {

constexpr std::size_t kSlots = 2048;
static_assert(kWordCount * 2 < kSlots);

constexpr std::size_t hash_of(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619U;
  return (hash ^ (hash >> 15U)) & (kSlots - 1);
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
