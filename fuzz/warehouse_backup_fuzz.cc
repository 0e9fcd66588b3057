// A backup of any bytes: checking and unpacking it must end in a database's files or a clear error,
// and both must agree.
//
// The first byte chooses what is repaired before, so that the fuzzer gets behind the checksums:
//   1: the header's checksum   2: the first chunk's checksum
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "io/faulty_file_system.h"
#include "warehouse/backup/backup.h"

namespace {

constexpr std::size_t kHeaderBytes = 512;

void put_checksum(std::string& bytes, std::size_t at, std::uint32_t checksum) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(checksum >> (8 * i));
}

std::size_t length_at(std::string_view bytes, std::size_t at) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i)
    length |= std::size_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return length;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 1U) != 0 && bytes.size() >= kHeaderBytes) {
    put_checksum(bytes, kHeaderBytes - 4,
                 leat::crc32c(std::string_view(bytes).substr(0, kHeaderBytes - 4)));
  }
  if ((data[0] & 2U) != 0 && bytes.size() >= kHeaderBytes + 8) {
    const std::string_view rest = std::string_view(bytes).substr(kHeaderBytes + 8);
    const std::string_view chunk = rest.substr(0, length_at(bytes, kHeaderBytes));
    put_checksum(bytes, kHeaderBytes + 4, leat::crc32c(chunk, leat::crc32c(std::string(8, '\0'))));
  }
  leat::io::FaultyFileSystem files;
  if (!files.make_directories("/backups")) std::abort();
  files.set_content("/backups/one", bytes);
  const auto checked = leat::backup::check_backup(files, "/backups/one");
  const auto unpacked = leat::backup::unpack_backup(files, "/backups/one", "/restored");
  if (unpacked && !checked) std::abort();
  if (checked && checked->database_bytes + checked->log_bytes > bytes.size()) std::abort();
  return 0;
}
