#include "columns/column_encoder.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <snappy-c.h>
#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "columns/thrift_writer.h"

namespace leat::columns {
namespace {

constexpr std::uint32_t kDictionaryTrial = 512;  // distinct values before it is judged
constexpr std::uint32_t kDictionaryLongTrial = 8192;
constexpr std::size_t kDictionaryBytesMax = 1024 * 1024;  // of one row group
constexpr std::size_t kRangeBytesMax = 1024;              // longest text kept as minimum or maximum

constexpr std::int32_t kPlain = 0;
constexpr std::int32_t kRle = 3;
constexpr std::int32_t kRleDictionary = 8;

/// One compression context for each thread: its tables stay warm over all columns.
struct Compressor {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor() { ZSTD_freeCCtx(context); }
};

Result<std::size_t> compress_snappy(std::string_view raw, ByteBuffer& out) {
  std::size_t size = snappy_max_compressed_length(raw.size());
  char* room = out.room(size);
  if (snappy_compress(raw.data(), raw.size(), room, &size) != SNAPPY_OK) {
    return fail(Errc::kBug, "snappy refused a page");
  }
  out.advance(size);
  return size;
}

/// Compresses `raw` onto the end of `out`; returns the compressed size.
Result<std::size_t> compress(std::string_view raw, ByteBuffer& out, Codec codec, int level) {
  if (codec == Codec::kSnappy) return compress_snappy(raw, out);
  thread_local Compressor compressor;
  if (compressor.context == nullptr) return fail(Errc::kExhausted, "no memory for zstd");
  const std::size_t bound = ZSTD_compressBound(raw.size());
  char* room = out.room(bound);
  const std::size_t size =
      ZSTD_compressCCtx(compressor.context, room, bound, raw.data(), raw.size(), level);
  if (ZSTD_isError(size) != 0) {
    return fail(Errc::kBug, fmt::format("zstd refused a page: {}", ZSTD_getErrorName(size)));
  }
  out.advance(size);
  return size;
}

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

template <class T>
void append_plain(ByteBuffer& out, T value) {
  std::memcpy(out.room(sizeof(T)), &value, sizeof(T));
  out.advance(sizeof(T));
}

/// Plain encoding of a BYTE_ARRAY.
void append_text(ByteBuffer& out, std::string_view text) {
  const auto length = static_cast<std::uint32_t>(text.size());
  char* to = out.room(text.size() + 4);
  std::memcpy(to, &length, 4);
  text.copy(to + 4, text.size());
  out.advance(text.size() + 4);
}

struct PageHeader {
  bool is_dictionary = false;
  std::size_t raw_bytes = 0;
  std::size_t compressed_bytes = 0;
  std::size_t values = 0;
  std::int32_t encoding = kPlain;
};

void append_page_header(std::string& out, const PageHeader& header) {
  ThriftWriter thrift(out);
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
}

std::uint64_t mix(std::uint64_t word) {
  word *= 0x9e3779b97f4a7c15ULL;
  return word ^ (word >> 32);
}

/// Packs `indices` at `width` bits each, least significant bit first, padded to whole groups of
/// eight.
void pack_bits(ByteBuffer& out, const std::vector<std::uint32_t>& indices, unsigned width) {
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

void ByteBuffer::grow(std::size_t bytes) {
  bytes_.resize(std::max({bytes_.size() * 2, size_ + bytes, std::size_t{256}}));
}

void ColumnEncoder::Dictionary::clear() {
  plain.clear();
  offsets.clear();
  words.clear();
  std::ranges::fill(slots, Slot{});
  size = 0;
  last_index = 0;
}

std::string_view ColumnEncoder::Dictionary::text_at(std::uint32_t index) const {
  const char* entry = plain.data() + offsets[index];
  std::uint32_t length = 0;
  std::memcpy(&length, entry, 4);
  return {entry + 4, length};
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
    : column_(std::move(column)), options_(options), physical_(physical_type(column_)) {
  switch (physical_) {
    case Physical::kInt32:
    case Physical::kFloat:
      plain_width_ = 4;
      break;
    case Physical::kInt64:
    case Physical::kDouble:
      plain_width_ = 8;
      break;
    case Physical::kBoolean:
    case Physical::kFixed16:
      dictionary_wanted_ = false;
      break;
    case Physical::kByteArray:
      break;
  }
  page_uses_dictionary_ = dictionary_wanted_;
}

Status ColumnEncoder::append(const ColumnView& view, std::size_t rows) {
  for (std::size_t at = 0; at < rows; at += 64) {
    const std::size_t count = std::min<std::size_t>(64, rows - at);
    std::uint64_t bits = count == 64 ? ~0ULL : (1ULL << count) - 1;
    if (view.cells == nullptr) {
      bits = 0;
    } else if (view.valid != nullptr) {
      bits &= view.valid[at / 64];
    }
    const auto values = static_cast<std::size_t>(std::popcount(bits));
    if (values != count && !column_.nullable) {
      return fail(Errc::kInvalid, fmt::format("NULL in column '{}'", column_.name));
    }
    append_bits(bits, count);
    page_rows_ += count;
    page_values_ += values;
    chunk_.nulls += count - values;
    if (bits != 0) append_word(view.cells + at, bits);
    const std::size_t page_bytes = page_plain_.size() + page_indices_.size() * 2;
    const bool is_full = page_rows_ + 64 > options_.page_rows || page_bytes >= options_.page_bytes;
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

template <class Encode>
void ColumnEncoder::for_each_value(const Cell* cells, std::uint64_t bits, Encode encode) {
  for (; bits != 0; bits &= bits - 1) encode(cells[std::countr_zero(bits)]);
}

void ColumnEncoder::append_word(const Cell* cells, std::uint64_t bits) {
  switch (physical_) {
    case Physical::kByteArray:
      for_each_value(cells, bits, [this](const Cell& cell) { encode_text(cell.as_text()); });
      break;
    case Physical::kInt32:
      for_each_value(cells, bits, [this](const Cell& cell) {
        note_integer_range(cell.integer);
        encode_word(static_cast<std::uint32_t>(cell.integer));
      });
      break;
    case Physical::kInt64:
      for_each_value(cells, bits, [this](const Cell& cell) {
        note_integer_range(cell.integer);
        encode_word(static_cast<std::uint64_t>(cell.integer));
      });
      break;
    case Physical::kFloat:
      for_each_value(cells, bits, [this](const Cell& cell) {
        const auto narrow = static_cast<float>(cell.real);
        note_real_range(narrow);
        encode_word(std::bit_cast<std::uint32_t>(narrow));
      });
      break;
    case Physical::kDouble:
      for_each_value(cells, bits, [this](const Cell& cell) {
        note_real_range(cell.real);
        encode_word(std::bit_cast<std::uint64_t>(cell.real));
      });
      break;
    case Physical::kBoolean:
      for_each_value(cells, bits, [this](const Cell& cell) {
        note_integer_range(cell.integer != 0 ? 1 : 0);
        encode_boolean(cell.integer != 0);
      });
      break;
    case Physical::kFixed16:
      for_each_value(cells, bits, [this](const Cell& cell) { encode_decimal(cell); });
      break;
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

void ColumnEncoder::encode_text(std::string_view text) {
  if (page_uses_dictionary_) {
    page_indices_.push_back(text_index(text));
    return;
  }
  note_text_range(text);
  append_text(page_plain_, text);
}

void ColumnEncoder::encode_plain_word(std::uint64_t word) {
  std::memcpy(page_plain_.room(8), &word, 8);  // little endian: the low bytes come first
  page_plain_.advance(plain_width_);
}

void ColumnEncoder::encode_word(std::uint64_t word) {
  if (page_uses_dictionary_) {
    page_indices_.push_back(word_index(word));
  } else {
    encode_plain_word(word);
  }
}

void ColumnEncoder::encode_boolean(bool value) {
  page_indices_.push_back(value ? 1 : 0);  // packed at one bit each, which is what plain means here
}

void ColumnEncoder::encode_decimal(const Cell& cell) {
  range_unknown_ = true;
  char* to = page_plain_.room(16);
  for (int i = 0; i < 8; ++i) {
    to[i] = static_cast<char>(static_cast<std::uint64_t>(cell.high) >> (56 - 8 * i));
    to[8 + i] = static_cast<char>(cell.low >> (56 - 8 * i));
  }
  page_plain_.advance(16);
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

std::uint32_t ColumnEncoder::text_index(std::string_view text) {
  Dictionary& d = dictionary_;
  if (d.size != 0 && d.text_at(d.last_index) == text) return d.last_index;
  if (d.slots.size() < 2 * (std::size_t{d.size} + 1)) grow_slots();
  const auto tag = static_cast<std::uint32_t>(XXH3_64bits(text.data(), text.size()));
  const std::size_t mask = d.slots.size() - 1;
  std::size_t at = tag & mask;
  for (; d.slots[at].index_plus_one != 0; at = (at + 1) & mask) {
    if (d.slots[at].tag != tag) continue;
    const std::uint32_t index = d.slots[at].index_plus_one - 1;
    if (d.text_at(index) == text) return d.last_index = index;
  }
  note_text_range(text);
  d.offsets.push_back(static_cast<std::uint32_t>(d.plain.size()));
  append_text(d.plain, text);
  d.slots[at] = {tag, ++d.size};
  return d.last_index = d.size - 1;
}

std::uint32_t ColumnEncoder::word_index(std::uint64_t word) {
  Dictionary& d = dictionary_;
  if (d.size != 0 && word == d.last_word) return d.last_index;
  if (d.slots.size() < 2 * (std::size_t{d.size} + 1)) grow_slots();
  const auto tag = static_cast<std::uint32_t>(mix(word));
  const std::size_t mask = d.slots.size() - 1;
  std::size_t at = tag & mask;
  d.last_word = word;
  for (; d.slots[at].index_plus_one != 0; at = (at + 1) & mask) {
    const std::uint32_t index = d.slots[at].index_plus_one - 1;
    if (d.slots[at].tag == tag && d.words[index] == word) return d.last_index = index;
  }
  d.words.push_back(word);
  std::memcpy(d.plain.room(8), &word, 8);
  d.plain.advance(plain_width_);
  d.slots[at] = {tag, ++d.size};
  return d.last_index = d.size - 1;
}

void ColumnEncoder::note_text_range(std::string_view text) {
  if (range_unknown_) return;
  if (text.size() > kRangeBytesMax) {
    range_unknown_ = true;  // a cut bound would be wrong, a whole one would bloat the footer
    return;
  }
  if (!chunk_.has_range) {
    chunk_.has_range = true;
    chunk_.min.assign(text);
    chunk_.max.assign(text);
  } else if (text < chunk_.min) {
    chunk_.min.assign(text);
  } else if (text > chunk_.max) {
    chunk_.max.assign(text);
  }
}

void ColumnEncoder::note_integer_range(std::int64_t value) {
  if (!chunk_.has_range) {
    chunk_.has_range = true;
    min_integer_ = max_integer_ = value;
  }
  min_integer_ = std::min(min_integer_, value);
  max_integer_ = std::max(max_integer_, value);
}

void ColumnEncoder::note_real_range(double value) {
  if (value != value) {
    range_unknown_ = true;
    return;
  }
  if (!chunk_.has_range) {
    chunk_.has_range = true;
    min_real_ = max_real_ = value;
  }
  min_real_ = std::min(min_real_, value);
  max_real_ = std::max(max_real_, value);
}

void ColumnEncoder::append_definition_levels() {
  if (!column_.nullable) return;
  const std::size_t length_at = page_raw_.size();
  append_plain(page_raw_, std::uint32_t{0});
  if (page_values_ == page_rows_ || page_values_ == 0) {
    append_varint(page_raw_, page_rows_ << 1);
    append_byte(page_raw_, page_values_ == 0 ? 0 : 1);
  } else {
    const std::size_t groups = (page_rows_ + 7) / 8;
    append_varint(page_raw_, (groups << 1) | 1);
    std::memcpy(page_raw_.room(groups), page_valid_.data(), groups);
    page_raw_.advance(groups);
  }
  const auto length = static_cast<std::uint32_t>(page_raw_.size() - length_at - 4);
  page_raw_.overwrite(length_at, {reinterpret_cast<const char*>(&length), 4});
}

void ColumnEncoder::append_indices() {
  if (physical_ == Physical::kBoolean) {
    pack_bits(page_raw_, page_indices_, 1);
    return;
  }
  const auto width =
      static_cast<unsigned>(std::max(1, static_cast<int>(std::bit_width(dictionary_.size - 1))));
  append_byte(page_raw_, width);
  const bool is_constant =
      std::ranges::all_of(page_indices_, [&](auto index) { return index == page_indices_[0]; });
  if (is_constant) {
    append_varint(page_raw_, page_indices_.size() << 1);
    for (unsigned bits = 0; bits < width; bits += 8) {
      append_byte(page_raw_, (page_indices_[0] >> bits) & 0xff);
    }
    return;
  }
  append_varint(page_raw_, ((page_indices_.size() + 7) / 8 << 1) | 1);
  pack_bits(page_raw_, page_indices_, width);
}

Status ColumnEncoder::close_page() {
  if (page_rows_ == 0) {
    page_uses_dictionary_ = dictionary_wanted_ && dictionary_open_;
    return {};
  }
  page_raw_.clear();
  append_definition_levels();
  // A page without values is a plain page whatever the column does: it needs no dictionary.
  const bool uses_dictionary = page_uses_dictionary_ && page_values_ != 0;
  if (uses_dictionary || (physical_ == Physical::kBoolean && page_values_ != 0)) {
    append_indices();
  } else if (page_plain_.size() != 0) {
    std::memcpy(page_raw_.room(page_plain_.size()), page_plain_.data(), page_plain_.size());
    page_raw_.advance(page_plain_.size());
  }
  page_compressed_.clear();
  // Times and counters differ in their low bytes only, which a thorough search finds; text does not
  // repay it.
  const bool is_plain_words = plain_width_ != 0 && !uses_dictionary && page_values_ != 0;
  const int level = options_.zstd_level + (is_plain_words ? 2 : 0);
  LEAT_ASSIGN(const std::size_t compressed,
              compress(page_raw_.view(), page_compressed_, options_.codec, level));
  const std::size_t before = chunk_.data_pages.size();
  append_page_header(chunk_.data_pages, {.is_dictionary = false,
                                         .raw_bytes = page_raw_.size(),
                                         .compressed_bytes = compressed,
                                         .values = page_rows_,
                                         .encoding = uses_dictionary ? kRleDictionary : kPlain});
  chunk_.uncompressed_bytes += chunk_.data_pages.size() - before + page_raw_.size();
  chunk_.data_pages.append(page_compressed_.view());
  chunk_.has_plain_pages |= !uses_dictionary;
  chunk_.rows += page_rows_;
  page_rows_ = 0;
  page_values_ = 0;
  page_plain_.clear();
  page_indices_.clear();
  page_uses_dictionary_ = dictionary_wanted_ && dictionary_open_;
  return {};
}

void ColumnEncoder::finish_range() {
  if (range_unknown_) chunk_.has_range = false;
  if (!chunk_.has_range) return;
  switch (physical_) {
    case Physical::kByteArray:
    case Physical::kFixed16:
      return;
    case Physical::kBoolean:
      chunk_.min = bytes_of(static_cast<std::uint8_t>(min_integer_));
      chunk_.max = bytes_of(static_cast<std::uint8_t>(max_integer_));
      return;
    case Physical::kInt32:
      chunk_.min = bytes_of(static_cast<std::int32_t>(min_integer_));
      chunk_.max = bytes_of(static_cast<std::int32_t>(max_integer_));
      return;
    case Physical::kInt64:
      chunk_.min = bytes_of(min_integer_);
      chunk_.max = bytes_of(max_integer_);
      return;
    case Physical::kFloat:
    case Physical::kDouble:
      break;
  }
  // The format asks for -0 as a lower and +0 as an upper bound.
  if (min_real_ == 0) min_real_ = -0.0;
  if (max_real_ == 0) max_real_ = 0.0;
  if (physical_ == Physical::kFloat) {
    chunk_.min = bytes_of(static_cast<float>(min_real_));
    chunk_.max = bytes_of(static_cast<float>(max_real_));
  } else {
    chunk_.min = bytes_of(min_real_);
    chunk_.max = bytes_of(max_real_);
  }
}

Result<ColumnChunk> ColumnEncoder::finish_chunk() {
  LEAT_TRY(close_page());
  if (dictionary_.size != 0) {
    page_compressed_.clear();
    LEAT_ASSIGN(const std::size_t compressed, compress(dictionary_.plain.view(), page_compressed_,
                                                       options_.codec, options_.zstd_level));
    append_page_header(chunk_.dictionary_page, {.is_dictionary = true,
                                                .raw_bytes = dictionary_.plain.size(),
                                                .compressed_bytes = compressed,
                                                .values = dictionary_.size,
                                                .encoding = kPlain});
    chunk_.uncompressed_bytes += chunk_.dictionary_page.size() + dictionary_.plain.size();
    chunk_.dictionary_page.append(page_compressed_.view());
    dictionary_.clear();
  }
  finish_range();
  ColumnChunk done = std::move(chunk_);
  chunk_ = {};
  range_unknown_ = false;
  dictionary_open_ = true;
  page_uses_dictionary_ = dictionary_wanted_;
  return done;
}

}  // namespace leat::columns
