#include "columns/column_encoder.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "columns/gather.h"
#include "columns/thrift_writer.h"

// The arrays for a run of values are written before they are read, in loops that should do
// nothing else.
// NOLINTBEGIN(cppcoreguidelines-pro-type-member-init)
namespace leat::columns {
namespace {

constexpr std::uint32_t kDictionaryTrial = 512;  // distinct values before it is judged
constexpr std::uint32_t kDictionaryLongTrial = 8192;
constexpr std::size_t kDictionaryBytesMax = 1024 * 1024;  // of one row group
constexpr std::size_t kDictionaryBytesNear = 2048;        // so few are found in the nearest cache

constexpr std::int32_t kPlain = 0;
constexpr std::int32_t kRle = 3;
constexpr std::int32_t kRleDictionary = 8;

void append_varint(ByteBuffer& out, std::uint64_t value) {
  char* to = out.room(10);
  std::size_t used = 0;
  for (; value >= 0x80; value >>= 7) to[used++] = static_cast<char>(value | 0x80);
  to[used++] = static_cast<char>(value);
  out.advance(used);
}

void append_byte(ByteBuffer& out, unsigned byte) {
  *out.room(1) = static_cast<char>(byte);
  out.advance(1);
}

/// Plain encoding of a BYTE_ARRAY.
void append_text(ByteBuffer& out, std::string_view text) {
  const auto length = static_cast<std::uint32_t>(text.size());
  char* to = out.room(text.size() + 4);
  std::memcpy(to, &length, 4);
  copy_text(to + 4, text.data(), text.size());
  out.advance(text.size() + 4);
}

struct PageHeader {
  bool is_dictionary = false;
  std::size_t raw_bytes = 0;
  std::size_t compressed_bytes = 0;
  std::size_t values = 0;
  std::int32_t encoding = kPlain;
};

void append_page_header(ByteBuffer& out, const PageHeader& header) {
  std::string bytes;
  ThriftWriter thrift(bytes);
  thrift.begin_element();
  thrift.i32(1, header.is_dictionary ? 2 : 0);
  thrift.i32(2, static_cast<std::int32_t>(header.raw_bytes));
  thrift.i32(3, static_cast<std::int32_t>(header.compressed_bytes));
  thrift.begin_struct(header.is_dictionary ? 7 : 5);
  thrift.i32(1, static_cast<std::int32_t>(header.values));
  thrift.i32(2, header.encoding);
  if (!header.is_dictionary) {
    thrift.i32(3, kRle);
    thrift.i32(4, kRle);
  }
  thrift.end_struct();
  thrift.end_struct();
  out.append(bytes);
}

std::uint64_t mix(std::uint64_t word) {
  word *= 0x9e3779b97f4a7c15ULL;
  return word ^ (word >> 32);
}

__extension__ using Unsigned128 = unsigned __int128;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<Unsigned128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// Of a text's bytes, for its place in the dictionary; most texts are short. Who does not know the
/// seed cannot send texts that all have one place.
std::uint32_t text_tag(std::string_view text, std::uint64_t seed) {
  constexpr std::uint64_t kSecond = 0xd6e8feb86659fd93ULL;
  const auto word = [](const char* from) {
    std::uint64_t out = 0;
    std::memcpy(&out, from, 8);
    return out;
  };
  const std::size_t size = text.size();
  const char* at = text.data();
  if (size > 64) return static_cast<std::uint32_t>(XXH3_64bits_withSeed(at, size, seed));
  std::uint64_t state = seed + size * kSecond;
  if (size >= 16) {
    for (const char* last = at + size - 16; at < last; at += 16) {
      state = fold(word(at) ^ seed, word(at + 8) ^ state);
    }
    at = text.data() + size - 16;
    state = fold(word(at) ^ seed, word(at + 8) ^ state);
  } else {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    if (size >= 8) {
      low = word(at);
      high = word(at + size - 8);
    } else if (size >= 4) {
      std::memcpy(&low, at, 4);
      std::memcpy(&high, at + size - 4, 4);
    } else if (size > 0) {
      low = static_cast<unsigned char>(at[0]);
      high = static_cast<unsigned char>(at[size / 2]) |
             static_cast<std::uint64_t>(static_cast<unsigned char>(at[size - 1])) << 8;
    }
    state = fold(low ^ seed, high ^ state);
  }
  return static_cast<std::uint32_t>(state ^ (state >> 32));
}

/// Packs `indices` at `width` bits each, least significant bit first, padded to whole groups of
/// eight.
void pack_bits(ByteBuffer& out, std::span<const std::uint32_t> indices, unsigned width) {
  const std::size_t bytes = (indices.size() + 7) / 8 * width;
  char* to = out.room(bytes + 8);
  std::size_t used = 0;
  std::uint64_t pending = 0;
  unsigned filled = 0;
  for (const std::uint32_t index : indices) {
    pending |= static_cast<std::uint64_t>(index) << filled;
    filled += width;
    if (filled >= 32) {
      std::memcpy(to + used, &pending, 4);
      used += 4;
      pending >>= 32;
      filled -= 32;
    }
  }
  for (; used < bytes; ++used, pending >>= 8) to[used] = static_cast<char>(pending);
  out.advance(bytes);
}

template <class T>
std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}

}  // namespace

void ColumnEncoder::Dictionary::clear() {
  plain.cut(0);
  std::ranges::fill(slots, Slot{});
  size = 0;
  last = {};
}

inline bool ColumnEncoder::Dictionary::has_text(const Slot& slot, std::string_view text) const {
  const auto at = static_cast<std::uint32_t>(slot.word);
  return is_same_text({plain.data() + at, slot.word >> 32}, text);
}

inline std::string_view ColumnEncoder::Dictionary::only_text() const {
  return plain.view().substr(sizeof(std::uint32_t));
}

Physical physical_type(const Column& column) {
  switch (column.type) {
    case Type::kBoolean:
      return Physical::kBoolean;
    case Type::kInt16:
    case Type::kInt32:
    case Type::kDate:
      return Physical::kInt32;
    case Type::kInt64:
    case Type::kTimestamp:
    case Type::kTimestampTz:
      return Physical::kInt64;
    case Type::kFloat:
      return Physical::kFloat;
    case Type::kDouble:
      return Physical::kDouble;
    case Type::kDecimal:
      return column.precision <= 18 ? Physical::kInt64 : Physical::kFixed16;
    case Type::kVarchar:
    case Type::kSuper:
    case Type::kUnsupported:
      return Physical::kByteArray;
  }
  return Physical::kByteArray;
}

ColumnEncoder::ColumnEncoder(Column column, const ParquetOptions& options)
    : column_(std::move(column)),
      options_(options),
      physical_(physical_type(column_)),
      compressor_(options),
      range_(options.ranges) {
  switch (physical_) {
    case Physical::kInt32:
    case Physical::kFloat:
      plain_width_ = 4;
      plain_kind_ = PageKind::kNumbers;
      break;
    case Physical::kInt64:
      plain_width_ = 8;
      plain_kind_ = PageKind::kWords;
      break;
    case Physical::kDouble:
      plain_width_ = 8;
      plain_kind_ = PageKind::kNumbers;
      break;
    case Physical::kBoolean:
    case Physical::kFixed16:
      dictionary_wanted_ = false;
      break;
    case Physical::kByteArray:
      break;
  }
  // Four bytes of length, a varint, then a bit for each row: at most one run more than a page has.
  if (column_.nullable) levels_room_ = 16 + (options_.page_rows + kRunRows) / 8;
  page_uses_dictionary_ = dictionary_wanted_;
}

Status ColumnEncoder::append(const ColumnView& view, std::size_t rows) {
  for (std::size_t at = 0; at < rows; at += kRunRows) {
    const std::size_t count = std::min(kRunRows, rows - at);
    std::uint64_t bits = count == kRunRows ? ~0ULL : (1ULL << count) - 1;
    if (view.values == nullptr) {
      bits = 0;
    } else if (view.valid != nullptr) {
      bits &= view.valid[at / kRunRows];
    }
    const auto values = static_cast<std::size_t>(std::popcount(bits));
    if (values != count && !column_.nullable) {
      return fail(Errc::kInvalid, fmt::format("NULL in column '{}'", column_.name));
    }
    if (page_rows_ == 0) start_page();
    append_bits(bits, count);
    page_rows_ += count;
    page_values_ += values;
    chunk_.nulls += count - values;
    if (bits != 0) append_values(view, at, bits);
    const std::size_t page_bytes = page_.size() - page_begin_ + page_indices_.size() / 2;
    const bool is_full =
        page_rows_ + kRunRows > options_.page_rows || page_bytes >= options_.page_bytes;
    if (is_full || page_uses_dictionary_ != (dictionary_wanted_ && dictionary_open_)) {
      LEAT_TRY(close_page());
    }
  }
  return {};
}

Status ColumnEncoder::fill_nulls_to(std::uint64_t rows) {
  if (rows <= this->rows()) return {};
  return append(ColumnView{}, static_cast<std::size_t>(rows - this->rows()));
}

void ColumnEncoder::append_bits(std::uint64_t bits, std::size_t count) {
  if (!column_.nullable) return;
  const std::size_t word = page_rows_ / 64;
  const std::size_t shift = page_rows_ % 64;
  if (page_valid_.size() < word + 2) page_valid_.resize(word + 2);
  if (shift == 0) {
    page_valid_[word] = bits;
  } else {
    page_valid_[word] |= bits << shift;
    page_valid_[word + 1] = bits >> (64 - shift);
  }
  if (shift + count <= 64) page_valid_[word + 1] = 0;
}

void ColumnEncoder::append_values(const ColumnView& view, std::size_t at, std::uint64_t bits) {
  std::array<std::int64_t, kRunRows> integers;
  std::array<double, kRunRows> reals;
  switch (physical_) {
    case Physical::kByteArray: {
      std::array<std::string_view, kRunRows> texts;
      encode_texts({texts.data(), gather_texts(view, at, bits, texts.data())});
      break;
    }
    case Physical::kInt32:
    case Physical::kInt64:
      encode_integers({integers.data(), gather_integers(view, at, bits, integers.data())});
      break;
    case Physical::kFloat:
    case Physical::kDouble:
      encode_reals({reals.data(), gather_reals(view, at, bits, reals.data())});
      break;
    case Physical::kBoolean:
      encode_booleans({integers.data(), gather_integers(view, at, bits, integers.data())});
      break;
    case Physical::kFixed16: {
      std::array<Cell, kRunRows> cells;
      const std::size_t count =
          gather<Cell>(view.values, at, bits, cells.data(), [](const Cell& cell) { return cell; });
      encode_decimals({cells.data(), count});
      break;
    }
  }
  if (page_uses_dictionary_) judge_dictionary();
}

// A dictionary of ids costs more than it saves, now and later: nearly every value is new from the
// start. One of people or pages fills up fast as well, but the values repeat once it is full, so it
// gets a longer trial.
void ColumnEncoder::judge_dictionary() {
  if (dictionary_.size <= kDictionaryTrial) return;
  const std::uint64_t values = rows() - chunk_.nulls;
  const std::uint64_t repeats = values - dictionary_.size;
  if (repeats < values / 16) dictionary_wanted_ = false;
  if (dictionary_.size > kDictionaryLongTrial && repeats < values / 2) dictionary_wanted_ = false;
  if (dictionary_.plain.size() > kDictionaryBytesMax) dictionary_open_ = false;
}

// Texts and dictionary seldom lie in the nearest cache, and a look-up waits for one after the
// other: so all texts of a run are hashed first, then all their slots are visited, and only then
// compared.
void ColumnEncoder::encode_texts(std::span<const std::string_view> texts) {
  if (!page_uses_dictionary_) return encode_plain_texts(texts);
  if (dictionary_.slots.empty()) grow_slots();
  for (const std::string_view text : texts) __builtin_prefetch(text.data());
  std::uint32_t* to = add_indices(texts.size());
  const Dictionary& d = dictionary_;
  // Many columns have one value for a whole load: it is compared, and nothing need be hashed.
  if (d.size == 1 &&
      std::ranges::all_of(texts, [&](auto text) { return is_same_text(text, d.only_text()); })) {
    std::fill_n(to, texts.size(), 0);
    return;
  }
  std::array<std::uint32_t, kRunRows> tags;
  const std::size_t mask = d.slots.size() - 1;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    tags[i] = text_tag(texts[i], seed_);
    __builtin_prefetch(d.slots.data() + (tags[i] & mask));
  }
  if (d.plain.size() > kDictionaryBytesNear) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      __builtin_prefetch(d.plain.data() + static_cast<std::uint32_t>(d.slots[tags[i] & mask].word));
    }
  }
  for (std::size_t i = 0; i < texts.size(); ++i) *to++ = text_index(texts[i], tags[i]);
}

void ColumnEncoder::encode_plain_texts(std::span<const std::string_view> texts) {
  range_.note_texts(texts);
  std::size_t bytes = 0;
  for (const std::string_view text : texts) bytes += 4 + text.size();
  char* to = page_.room(bytes);
  for (const std::string_view text : texts) {
    const auto size = static_cast<std::uint32_t>(text.size());
    std::memcpy(to, &size, 4);
    copy_text(to + 4, text.data(), size);
    to += 4 + size;
  }
  page_.advance(bytes);
}

void ColumnEncoder::encode_integers(std::span<const std::int64_t> values) {
  range_.note_integers(values);
  std::array<std::uint64_t, kRunRows> words;
  for (std::size_t i = 0; i < values.size(); ++i) words[i] = static_cast<std::uint64_t>(values[i]);
  encode_words({words.data(), values.size()});
}

void ColumnEncoder::encode_reals(std::span<const double> values) {
  std::array<std::uint64_t, kRunRows> words;
  if (physical_ == Physical::kDouble) {
    range_.note_reals(values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      words[i] = std::bit_cast<std::uint64_t>(values[i]);
    }
  } else {
    std::array<double, kRunRows> narrow;
    for (std::size_t i = 0; i < values.size(); ++i) {
      narrow[i] = static_cast<float>(values[i]);
      words[i] = std::bit_cast<std::uint32_t>(static_cast<float>(values[i]));
    }
    range_.note_reals({narrow.data(), values.size()});
  }
  encode_words({words.data(), values.size()});
}

/// Numbers by the pattern of their bits; of the narrow ones the low half.
void ColumnEncoder::encode_words(std::span<const std::uint64_t> words) {
  if (page_uses_dictionary_) {
    const std::uint64_t mask = plain_width_ == 4 ? 0xffffffffULL : ~0ULL;
    std::uint32_t* to = add_indices(words.size());
    for (const std::uint64_t word : words) *to++ = word_index(word & mask);
    return;
  }
  char* to = page_.room(words.size() * plain_width_);
  if (plain_width_ == 8) {
    std::memcpy(to, words.data(), words.size_bytes());
  } else {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto narrow = static_cast<std::uint32_t>(words[i]);
      std::memcpy(to + i * 4, &narrow, 4);
    }
  }
  page_.advance(words.size() * plain_width_);
}

void ColumnEncoder::encode_booleans(std::span<const std::int64_t> values) {
  // Packed at one bit each when the page is closed, which is what plain means here.
  std::array<std::int64_t, kRunRows> bits;
  std::uint32_t* to = add_indices(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    bits[i] = values[i] != 0 ? 1 : 0;
    to[i] = static_cast<std::uint32_t>(bits[i]);
  }
  range_.note_integers({bits.data(), values.size()});
}

void ColumnEncoder::encode_decimals(std::span<const Cell> cells) {
  range_.give_up();
  char* to = page_.room(cells.size() * 16);
  for (const Cell& cell : cells) {
    const std::uint64_t high = __builtin_bswap64(static_cast<std::uint64_t>(cell.high));
    const std::uint64_t low = __builtin_bswap64(cell.low);
    std::memcpy(to, &high, 8);
    std::memcpy(to + 8, &low, 8);
    to += 16;
  }
  page_.advance(cells.size() * 16);
}

void ColumnEncoder::grow_slots() {
  std::vector<Slot> old = std::move(dictionary_.slots);
  dictionary_.slots.assign(std::max<std::size_t>(64, old.size() * 4), Slot{});
  const std::size_t mask = dictionary_.slots.size() - 1;
  // The tag keeps enough of the hash to find every place again: 32 bits, tables stay below 2^32
  // slots.
  for (const Slot& slot : old) {
    if (slot.index_plus_one == 0) continue;
    std::size_t at = slot.tag & mask;
    while (dictionary_.slots[at].index_plus_one != 0) at = (at + 1) & mask;
    dictionary_.slots[at] = slot;
  }
}

inline std::uint32_t ColumnEncoder::text_index(std::string_view text, std::uint32_t tag) {
  Dictionary& d = dictionary_;
  std::size_t mask = d.slots.size() - 1;
  std::size_t at = tag & mask;
  for (; d.slots[at].index_plus_one != 0; at = (at + 1) & mask) {
    const Slot& slot = d.slots[at];
    if (slot.tag == tag && d.has_text(slot, text)) return slot.index_plus_one - 1;
  }
  return add_text(text, tag, at);
}

std::uint32_t ColumnEncoder::add_text(std::string_view text, std::uint32_t tag, std::size_t at) {
  Dictionary& d = dictionary_;
  if (d.slots.size() < 2 * (std::size_t{d.size} + 1)) {
    grow_slots();
    const std::size_t mask = d.slots.size() - 1;
    at = tag & mask;
    while (d.slots[at].index_plus_one != 0) at = (at + 1) & mask;
  }
  range_.note_texts({&text, 1});
  append_text(d.plain, text);
  const std::uint64_t place = d.plain.size() - text.size();
  d.slots[at] = {
      .word = place | std::uint64_t{text.size()} << 32, .tag = tag, .index_plus_one = ++d.size};
  return d.size - 1;
}

std::uint32_t ColumnEncoder::word_index(std::uint64_t word) {
  Dictionary& d = dictionary_;
  if (d.size != 0 && word == d.last.word) return d.last.index_plus_one - 1;
  if (d.slots.size() < 2 * (std::size_t{d.size} + 1)) grow_slots();
  const auto tag = static_cast<std::uint32_t>(mix(word));
  const std::size_t mask = d.slots.size() - 1;
  std::size_t at = tag & mask;
  for (; d.slots[at].index_plus_one != 0; at = (at + 1) & mask) {
    const Slot& slot = d.slots[at];
    if (slot.word != word) continue;
    d.last = slot;
    return slot.index_plus_one - 1;
  }
  std::memcpy(d.plain.room(8), &word, 8);
  d.plain.advance(plain_width_);
  d.last = {.word = word, .tag = tag, .index_plus_one = ++d.size};
  d.slots[at] = d.last;
  return d.size - 1;
}

/// Room for `count` indices of the page, to be written at once.
std::uint32_t* ColumnEncoder::add_indices(std::size_t count) {
  char* to = page_indices_.room(count * sizeof(std::uint32_t));
  page_indices_.advance(count * sizeof(std::uint32_t));
  return reinterpret_cast<std::uint32_t*>(to);
}

std::span<const std::uint32_t> ColumnEncoder::indices() const {
  return {reinterpret_cast<const std::uint32_t*>(page_indices_.data()),
          page_indices_.size() / sizeof(std::uint32_t)};
}

void ColumnEncoder::start_page() {
  if (std::exchange(dictionary_is_closed_, false)) dictionary_.clear();
  // Packed values are written after the levels, once those are known.
  const bool is_packed = page_uses_dictionary_ || physical_ == Physical::kBoolean;
  page_begin_ = is_packed ? 0 : levels_room_;
  static_cast<void>(page_.room(page_begin_));
  page_.advance(page_begin_);
}

/// Puts the levels right before the values, if there are any yet, and returns where they begin.
std::size_t ColumnEncoder::put_definition_levels() {
  if (!column_.nullable) return 0;
  std::array<char, 16> head;
  std::size_t used = 4;
  const bool is_one_run = page_values_ == page_rows_ || page_values_ == 0;
  const std::size_t groups = is_one_run ? 0 : (page_rows_ + 7) / 8;
  std::uint64_t run = is_one_run ? page_rows_ << 1 : (groups << 1) | 1;
  for (; run >= 0x80; run >>= 7) head[used++] = static_cast<char>(run | 0x80);
  head[used++] = static_cast<char>(run);
  if (is_one_run) head[used++] = page_values_ == 0 ? 0 : 1;
  const auto length = static_cast<std::uint32_t>(used - 4 + groups);
  std::memcpy(head.data(), &length, 4);
  if (page_begin_ == 0) {
    page_begin_ = used + groups;
    static_cast<void>(page_.room(page_begin_ + page_indices_.size()));
    page_.advance(page_begin_);
  }
  const std::size_t begin = page_begin_ - used - groups;
  std::memcpy(page_.data() + begin, head.data(), used);
  if (groups != 0) std::memcpy(page_.data() + begin + used, page_valid_.data(), groups);
  return begin;
}

void ColumnEncoder::append_indices() {
  if (physical_ == Physical::kBoolean) {
    pack_bits(page_, indices(), 1);
    return;
  }
  const auto width =
      static_cast<unsigned>(std::max(1, static_cast<int>(std::bit_width(dictionary_.size - 1))));
  const std::span<const std::uint32_t> all = indices();
  append_byte(page_, width);
  if (std::ranges::all_of(all, [&](auto index) { return index == all[0]; })) {
    append_varint(page_, all.size() << 1);
    for (unsigned bits = 0; bits < width; bits += 8) {
      append_byte(page_, (all[0] >> bits) & 0xff);
    }
    return;
  }
  append_varint(page_, ((all.size() + 7) / 8 << 1) | 1);
  pack_bits(page_, all, width);
}

Status ColumnEncoder::close_page() {
  if (page_rows_ == 0) {
    page_uses_dictionary_ = dictionary_wanted_ && dictionary_open_;
    return {};
  }
  // A page without values is a plain page whatever the column does: it needs no dictionary.
  const bool uses_dictionary = page_uses_dictionary_ && page_values_ != 0;
  const bool is_packed = uses_dictionary || (physical_ == Physical::kBoolean && page_values_ != 0);
  const std::size_t begin = put_definition_levels();
  if (is_packed) append_indices();
  const std::string_view raw = page_.view().substr(begin);
  const PageKind kind = is_packed ? PageKind::kIndices : plain_kind_;
  LEAT_ASSIGN(const CompressedPage page, compressor_.compress(raw, kind));
  if (chunk_.rows == 0) data_pages_.cut(0);
  const std::size_t before = data_pages_.size();
  append_page_header(data_pages_, {.is_dictionary = false,
                                   .raw_bytes = raw.size(),
                                   .compressed_bytes = page.size(),
                                   .values = page_rows_,
                                   .encoding = uses_dictionary ? kRleDictionary : kPlain});
  chunk_.uncompressed_bytes += data_pages_.size() - before + raw.size();
  data_pages_.append(page.head);
  data_pages_.append(page.body);
  chunk_.has_plain_pages |= !uses_dictionary;
  chunk_.rows += page_rows_;
  page_rows_ = 0;
  page_values_ = 0;
  page_.cut(0);
  page_indices_.cut(0);
  page_uses_dictionary_ = dictionary_wanted_ && dictionary_open_;
  return {};
}

void ColumnEncoder::finish_range() {
  chunk_.has_range = range_.is_known();
  if (!chunk_.has_range) return;
  const ValueRange::Integers integers = range_.integers();
  const ValueRange::Reals reals = range_.reals();
  const auto keep = [&](auto min, auto max) {
    chunk_.min = bytes_of(min);
    chunk_.max = bytes_of(max);
  };
  switch (physical_) {
    case Physical::kByteArray:
      chunk_.min = range_.texts().min;
      chunk_.max = range_.texts().max;
      break;
    case Physical::kBoolean:
      keep(static_cast<std::uint8_t>(integers.min), static_cast<std::uint8_t>(integers.max));
      break;
    case Physical::kInt32:
      keep(static_cast<std::int32_t>(integers.min), static_cast<std::int32_t>(integers.max));
      break;
    case Physical::kInt64:
      keep(integers.min, integers.max);
      break;
    case Physical::kFloat:
      keep(static_cast<float>(reals.min), static_cast<float>(reals.max));
      break;
    case Physical::kDouble:
      keep(reals.min, reals.max);
      break;
    case Physical::kFixed16:
      break;  // never known
  }
}

Status ColumnEncoder::close_dictionary() {
  dictionary_page_.cut(0);
  if (dictionary_.size == 0 || dictionary_is_closed_) return {};
  const std::string_view raw = dictionary_.plain.view();
  LEAT_ASSIGN(const CompressedPage page, compressor_.compress(raw, PageKind::kDictionary));
  append_page_header(dictionary_page_, {.is_dictionary = true,
                                        .raw_bytes = raw.size(),
                                        .compressed_bytes = page.size(),
                                        .values = dictionary_.size,
                                        .encoding = kPlain});
  chunk_.uncompressed_bytes += dictionary_page_.size() + raw.size();
  dictionary_page_.append(page.head);
  dictionary_page_.append(page.body);
  dictionary_is_closed_ = true;
  return {};
}

Result<ColumnChunk> ColumnEncoder::finish_chunk() {
  LEAT_TRY(close_page());
  LEAT_TRY(close_dictionary());
  finish_range();
  ColumnChunk done = std::move(chunk_);
  done.dictionary_page = dictionary_page_.view();
  done.data_pages = data_pages_.view();
  chunk_ = {};
  range_.clear();
  compressor_.start_chunk();
  dictionary_open_ = true;
  page_uses_dictionary_ = dictionary_wanted_;
  return done;
}

}  // namespace leat::columns
// NOLINTEND(cppcoreguidelines-pro-type-member-init)
