// Files of the program lzop.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "warehouse/transfer/byte_stream.h"

namespace leat::transfer {

/// Decompresses one LZO1X block; nothing when it is broken or makes other than `size` bytes. Pure;
/// any thread. Source: the format's description in the Linux kernel, "LZO stream format".
[[nodiscard]] std::optional<std::string> lzo1x_decompressed(std::string_view block,
                                                            std::size_t size);

/// The content of an lzop file, or of several that follow each other. Memory: one block. Errors:
/// XX000 for a broken file or a checksum that differs.
[[nodiscard]] std::unique_ptr<ByteStream> open_lzop(std::unique_ptr<ByteStream> source);

}  // namespace leat::transfer
