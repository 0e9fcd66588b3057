#include "warehouse/engine/hll_sketch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>
#include <optional>

#include "base/text.h"

namespace leat::engine {
namespace {

constexpr std::uint64_t kSeed = 9001;
constexpr std::uint64_t kFactor1 = 0x87c37b91114253d5;
constexpr std::uint64_t kFactor2 = 0x4cf5ad432745937f;
constexpr unsigned kValueBits = 6;
constexpr std::uint32_t kValueMask = (1U << kValueBits) - 1;

std::uint64_t first_block(std::uint64_t block) {
  return std::rotl(block * kFactor1, 31) * kFactor2;
}
std::uint64_t second_block(std::uint64_t block) {
  return std::rotl(block * kFactor2, 33) * kFactor1;
}
std::uint64_t spread(std::uint64_t hash) {
  hash = (hash ^ (hash >> 33U)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33U)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33U);
}
HllHash finished(std::uint64_t first, std::uint64_t second, std::uint64_t size) {
  first ^= size;
  second ^= size;
  first += second;
  second += first;
  first = spread(first);
  second = spread(second);
  first += second;
  return {.first = first, .second = first + second};
}

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 64;

constexpr std::array<std::uint8_t, 256> base64_digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (std::size_t i = 0; i < kBase64.size(); ++i)
    digits[static_cast<unsigned char>(kBase64[i])] = static_cast<std::uint8_t>(i);
  return digits;
}
constexpr std::array<std::uint8_t, 256> kDigits = base64_digits();

/// Reads the JSON of a sparse sketch, token by token. Spaces between tokens are allowed.
class SparseReader {
 public:
  explicit SparseReader(std::string_view text) : rest_(text) {}

  bool take(char wanted) {
    skip_blanks();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// A name and the colon behind it; empty: there is none.
  std::string_view name() {
    if (!take('"')) return {};
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos) return {};
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return take(':') ? found : std::string_view();
  }
  std::optional<std::uint32_t> number() {
    skip_blanks();
    const std::size_t end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    const auto value = parse_number<std::uint32_t>(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return value;
  }
  std::optional<std::vector<std::uint32_t>> numbers() {
    if (!take('[')) return std::nullopt;
    std::vector<std::uint32_t> found;
    if (take(']')) return found;
    do {
      const auto value = number();
      if (!value) return std::nullopt;
      found.push_back(*value);
    } while (take(','));
    if (!take(']')) return std::nullopt;
    return found;
  }
  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }

 private:
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
  }

  std::string_view rest_;
};

struct SparseText {
  std::optional<std::uint32_t> version;
  std::optional<std::uint32_t> log_registers;
  std::optional<std::vector<std::uint32_t>> indices;
  std::optional<std::vector<std::uint32_t>> values;
};

/// The two lists of "sparse", each once.
bool read_lists(SparseReader& reader, SparseText& text) {
  if (!reader.take('{')) return false;
  do {
    const std::string_view name = reader.name();
    auto* list = name == "indices" ? &text.indices : (name == "values" ? &text.values : nullptr);
    if (list == nullptr || *list) return false;
    *list = reader.numbers();
    if (!*list) return false;
  } while (reader.take(','));
  return reader.take('}') && text.indices && text.values;
}

bool read_sparse(std::string_view json, SparseText& text) {
  SparseReader reader(json);
  if (!reader.take('{')) return false;
  do {
    const std::string_view name = reader.name();
    if (name == "sparse") {
      if (text.indices || !read_lists(reader, text)) return false;
      continue;
    }
    auto* number =
        name == "version" ? &text.version : (name == "logm" ? &text.log_registers : nullptr);
    if (number == nullptr || *number) return false;
    *number = reader.number();
    if (!*number) return false;
  } while (reader.take(','));
  return reader.take('}') && reader.at_end() && text.indices.has_value();
}

std::unexpected<SqlError> not_a_sketch(std::string_view why) {
  return fail_sql("22P02", fmt::format("invalid input syntax for type hllsketch: {}", why), {},
                  "A sketch is the text that HLL_CREATE_SKETCH shows: a JSON object with logm 15 "
                  "and sparse indices and values, or 32768 characters of base64.");
}

// Ertl's estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017) has no
// bias that would have to be measured. Both sums end when a further term changes nothing.
double sigma(double share) {
  double sum = share;
  for (double last = -1, weight = 1; last != sum; weight *= 2) {
    share *= share;
    last = sum;
    sum += share * weight;
  }
  return sum;
}
double tau(double share) {
  if (share <= 0 || share >= 1) return 0;
  double sum = 1 - share;
  for (double last = -1, weight = 0.5; last != sum; weight *= 0.5) {
    share = std::sqrt(share);
    last = sum;
    sum -= (1 - share) * (1 - share) * weight;
  }
  return sum / 3;
}

}  // namespace

HllHash hll_hash(std::uint64_t value, std::size_t size) {
  return finished(kSeed ^ first_block(value), kSeed, size);
}

HllHash hll_hash(std::string_view bytes) {
  const auto word = [](std::string_view from) {
    std::uint64_t value = 0;
    std::memcpy(&value, from.data(), std::min<std::size_t>(from.size(), sizeof value));
    return value;
  };
  std::uint64_t first = kSeed;
  std::uint64_t second = kSeed;
  std::string_view rest = bytes;
  for (; rest.size() >= 16; rest.remove_prefix(16)) {
    first = std::rotl(first ^ first_block(word(rest)), 27) + second;
    first = first * 5 + 0x52dce729;
    second = std::rotl(second ^ second_block(word(rest.substr(8))), 31) + first;
    second = second * 5 + 0x38495ab5;
  }
  if (rest.size() > 8) second ^= second_block(word(rest.substr(8)));
  if (!rest.empty()) first ^= first_block(word(rest));
  return finished(first, second, bytes.size());
}

void HllSketch::raise_sparse(std::uint32_t index, std::uint8_t value) {
  // Three quarters of the places at most, so that a search ends soon.
  if ((taken_ + 1) * 4 > entries_.size() * 3) grow();
  const std::size_t last = entries_.size() - 1;
  const std::uint32_t entry = index << kValueBits | value;
  for (std::size_t at = index & last;; at = (at + 1) & last) {
    std::uint32_t& kept = entries_[at];
    if (kept == 0) {
      kept = entry;
      if (++taken_ > kSparseEntriesMax) make_dense();
      return;
    }
    if (kept >> kValueBits == index) {
      if (kept < entry) kept = entry;
      return;
    }
  }
}

void HllSketch::grow() {
  std::vector<std::uint32_t> before(std::max<std::size_t>(entries_.size() * 2, 8));
  before.swap(entries_);
  const std::size_t last = entries_.size() - 1;
  for (const std::uint32_t entry : before) {
    if (entry == 0) continue;
    std::size_t at = (entry >> kValueBits) & last;
    while (entries_[at] != 0) at = (at + 1) & last;
    entries_[at] = entry;
  }
}

void HllSketch::make_dense() {
  registers_.resize(kRegisters);
  for (const std::uint32_t entry : entries_) {
    if (entry != 0) raise(entry >> kValueBits, static_cast<std::uint8_t>(entry & kValueMask));
  }
  entries_ = {};
  taken_ = 0;
}

void HllSketch::merge(const HllSketch& other) {
  if (!other.is_dense()) {
    for (const std::uint32_t entry : other.entries_) {
      if (entry != 0) raise(entry >> kValueBits, static_cast<std::uint8_t>(entry & kValueMask));
    }
    return;
  }
  if (!is_dense()) make_dense();
  for (std::size_t i = 0; i < kRegisters; ++i)
    registers_[i] = std::max(registers_[i], other.registers_[i]);
}

std::int64_t HllSketch::cardinality() const {
  if (!is_dense()) {
    const double all = kSparseIndices;
    return std::llround(-all * std::log1p(-static_cast<double>(taken_) / all));
  }
  std::array<std::uint32_t, kValueMax + 1> counts{};
  for (const std::uint8_t value : registers_) ++counts[value];
  const double all = kRegisters;
  if (counts[0] == kRegisters) return 0;
  double sum = all * tau(1 - counts[kValueMax] / all);
  for (std::size_t value = kValueMax - 1; value > 0; --value) sum = (sum + counts[value]) / 2;
  sum += all * sigma(counts[0] / all);
  return std::llround(all * all / (2 * std::log(2.0) * sum));
}

void HllSketch::append_text(std::string& out) const {
  if (is_dense()) {
    for (const std::uint8_t value : registers_) out += kBase64[value];
    return;
  }
  std::vector<std::uint32_t> sorted;
  sorted.reserve(taken_);
  std::ranges::copy_if(entries_, std::back_inserter(sorted),
                       [](std::uint32_t entry) { return entry != 0; });
  std::ranges::sort(sorted);
  out += R"({"version":1,"logm":15,"sparse":{"indices":[)";
  const auto list = [&](unsigned shift, std::uint32_t mask) {
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (i > 0) out += ',';
      out += fmt::format_int(sorted[i] >> shift & mask).c_str();
    }
  };
  list(kValueBits, kSparseIndices - 1);
  out += R"(],"values":[)";
  list(0, kValueMask);
  out += "]}}";
}

SqlResult<HllSketch> HllSketch::parse(std::string_view text) {
  HllSketch sketch;
  text = trim(text);
  if (text.size() == kRegisters && text.front() != '{') {
    sketch.registers_.resize(kRegisters);
    for (std::size_t i = 0; i < kRegisters; ++i) {
      const std::uint8_t value = kDigits[static_cast<unsigned char>(text[i])];
      if (value == kNoDigit) return not_a_sketch("a character is not one of base64");
      sketch.registers_[i] = value;
    }
    return sketch;
  }
  SparseText sparse;
  if (!read_sparse(text, sparse))
    return not_a_sketch("it is neither the JSON of a sparse sketch nor a dense one");
  if (sparse.version.value_or(1) != 1) return not_a_sketch("its version is not 1");
  if (sparse.log_registers != 15) return not_a_sketch("its logm is not 15");
  if (sparse.indices->size() != sparse.values->size())
    return not_a_sketch("it has not one value for each index");
  for (std::size_t i = 0; i < sparse.indices->size(); ++i) {
    const std::uint32_t index = (*sparse.indices)[i];
    const std::uint32_t value = (*sparse.values)[i];
    if (index >= kSparseIndices) return not_a_sketch(fmt::format("index {} is too large", index));
    if (value == 0 || value > kValueMax)
      return not_a_sketch(fmt::format("value {} is not one of 1 to 63", value));
    sketch.raise(index, static_cast<std::uint8_t>(value));
  }
  return sketch;
}

}  // namespace leat::engine
