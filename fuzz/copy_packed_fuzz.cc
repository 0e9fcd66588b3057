// Files that COPY unpacks or turns into UTF-8 with code of its own: LZOP, Avro, Snappy, UTF-16.
//
// Input: byte 0 chooses the format; the rest is the file or block.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "warehouse/transfer/avro_stream.h"
#include "warehouse/transfer/encoded_stream.h"
#include "warehouse/transfer/lzop_stream.h"

namespace {

constexpr std::size_t kBytesMax = 4 << 20;

void drain(std::unique_ptr<leat::transfer::ByteStream> stream) {
  std::string piece(4096, ' ');
  std::size_t total = 0;
  while (total < kBytesMax) {
    const auto got = stream->read(piece);
    if (!got) {
      if (got.error().message.empty()) std::abort();
      return;
    }
    if (*got == 0) return;
    if (*got > piece.size()) std::abort();
    total += *got;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  using leat::transfer::FileEncoding;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto plain = [&] {
    return leat::transfer::open_bytes(bytes, leat::sql::FileCompression::kNone);
  };
  switch (data[0] % 8) {
    case 0:
      drain(leat::transfer::open_lzop(plain()));
      break;
    case 1:
      drain(leat::transfer::open_avro_as_json(plain()));
      break;
    case 2: {
      const auto made = leat::transfer::snappy_decompressed(bytes, kBytesMax);
      if (made && made->size() > kBytesMax) std::abort();
      break;
    }
    case 3: {
      const std::size_t wanted = bytes.size() * 3 % 5000;
      const auto made = leat::transfer::lzo1x_decompressed(bytes, wanted);
      if (made && made->size() != wanted) std::abort();
      break;
    }
    default:
      drain(leat::transfer::open_as_utf8(plain(), static_cast<FileEncoding>(data[0] % 5)));
  }
  return 0;
}
