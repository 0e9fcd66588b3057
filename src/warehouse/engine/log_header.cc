#include "warehouse/engine/log_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <optional>

namespace leat::engine {
namespace {

// An entry of DuckDB's: fields by number, each number in two bytes, integers in the form of LEB128.
constexpr std::uint16_t kEntryField = 100;
constexpr std::uint64_t kVersionEntry = 98;
constexpr std::uint16_t kVersionField = 101;
constexpr std::uint16_t kDatabaseField = 102;  // which file the log belongs to: a list of bytes
constexpr std::uint16_t kCheckpointField = 103;
constexpr std::uint16_t kEnd = 0xffff;

/// Reads an entry; once something is missing, nothing more can be read.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ended_early() const { return ended_early_; }

  /// Passes over the field's number if it comes next.
  bool take(std::uint16_t field) {
    if (bytes_.size() < 2) return fail_short();
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes_[i]); };
    if (byte(0) != (field & 0xff) || byte(1) != field >> 8) return false;
    bytes_.remove_prefix(2);
    return true;
  }
  bool take_number(std::uint64_t& number) {
    number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) return fail_short();
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      number |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

 private:
  bool fail_short() {
    ended_early_ = true;
    return false;
  }

  std::string_view bytes_;
  bool ended_early_ = false;
};

bool take_list(Fields& fields) {
  std::uint64_t count = 0;
  if (!fields.take_number(count) || count > kLogHeaderBytesMax) return false;
  std::uint64_t element = 0;
  while (count-- > 0) {
    if (!fields.take_number(element) || element > 0xff) return false;
  }
  return true;
}

bool take_header(Fields& fields) {
  std::uint64_t number = 0;
  if (!fields.take(kEntryField) || !fields.take_number(number) || number != kVersionEntry) {
    return false;
  }
  if (!fields.take(kVersionField) || !fields.take_number(number)) return false;
  if (fields.take(kDatabaseField) && !take_list(fields)) return false;
  if (fields.take(kCheckpointField) && !fields.take_number(number)) return false;
  return fields.take(kEnd);
}

}  // namespace

bool is_log_beginning(std::string_view bytes) {
  if (std::ranges::all_of(bytes, [](char byte) { return byte == '\0'; })) return true;
  Fields fields(bytes);
  return take_header(fields) || (fields.ended_early() && bytes.size() < kLogHeaderBytesMax);
}

Status check_log(const std::string& path) {
  const std::string log = path + ".wal";
  std::ifstream file(log, std::ios::binary);
  if (!file) return {};  // none, or one that the engine will say it cannot read
  std::array<char, kLogHeaderBytesMax> bytes{};
  file.read(bytes.data(), bytes.size());
  if (is_log_beginning({bytes.data(), static_cast<std::size_t>(file.gcount())})) return {};
  return fail(Errc::kCorrupt,
              fmt::format("the log of the warehouse's latest transactions is damaged at its "
                          "beginning; {}; restore a backup with: leat warehouse restore FILE (or "
                          "move this file away, which loses them)",
                          log));
}

}  // namespace leat::engine
