// HyperLogLog sketches: how many different values there were, in at most 24 KB, as Amazon Redshift
// keeps them (HLLSKETCH).
//
// A value is hashed with MurmurHash3 (x64, 128 bits, seed 9001), which is what the sketches in
// Amazon's documentation were made with. The low bits of the hash's first half are the index, the
// leading zeros of its second half plus one are the value kept at it. A small sketch keeps the
// indices of 26 bits that occurred (sparse); what would take more room than 32768 registers of 6
// bits becomes these (dense), the index then being its low 15 bits.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/engine/error.h"

namespace leat::engine {

struct HllHash {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

/// The hash of a value's bytes. Pure; any thread.
[[nodiscard]] HllHash hll_hash(std::string_view bytes);
/// The same for an integer's `size` bytes, 1 to 8, little-endian; those of `value` above are zero.
[[nodiscard]] HllHash hll_hash(std::uint64_t value, std::size_t size);

/// One thread at a time.
class HllSketch {
 public:
  static constexpr std::uint32_t kRegisters = 1U << 15;
  static constexpr std::uint32_t kSparseIndices = 1U << 26;
  /// Sparse entries that take as much room as the dense form: 4 bytes each.
  static constexpr std::size_t kSparseEntriesMax = 6144;
  static constexpr std::uint8_t kValueMax = 63;

  void add(HllHash hash) {
    const int zeros = std::countl_zero(hash.second);
    const auto value = static_cast<std::uint8_t>(zeros < kValueMax ? zeros + 1 : kValueMax);
    raise(static_cast<std::uint32_t>(hash.first) & (kSparseIndices - 1), value);
  }
  /// Becomes the sketch of the values of both.
  void merge(const HllSketch& other);

  /// The estimate. Its relative standard error is at most 1.04 / sqrt(32768), 0.57 %; of a sparse
  /// sketch practically none.
  [[nodiscard]] std::int64_t cardinality() const;
  [[nodiscard]] bool is_dense() const { return !registers_.empty(); }

  /// Redshift's text: {"version":1,"logm":15,"sparse":{"indices":[...],"values":[...]}} with
  /// ascending indices, or the registers in base64, one character each.
  void append_text(std::string& out) const;
  /// Reads both forms; "version" may be missing. Errors: 22P02 for anything else. Pure; any thread.
  [[nodiscard]] static SqlResult<HllSketch> parse(std::string_view text);

 private:
  /// `index` is one of 26 bits.
  void raise(std::uint32_t index, std::uint8_t value) {
    if (!is_dense()) return raise_sparse(index, value);
    std::uint8_t& kept = registers_[index % kRegisters];
    if (kept < value) kept = value;
  }
  void raise_sparse(std::uint32_t index, std::uint8_t value);
  void grow();
  void make_dense();

  // An entry is an index above 6 bits of its value; 0 is a free place. A power of two of them, at
  // most three quarters taken.
  std::vector<std::uint32_t> entries_;
  std::size_t taken_ = 0;
  std::vector<std::uint8_t> registers_;  // empty, or kRegisters
};

}  // namespace leat::engine
