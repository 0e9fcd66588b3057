// Files in another encoding than UTF-8.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "warehouse/transfer/byte_stream.h"

namespace leat::transfer {

enum class FileEncoding : std::uint8_t { kUtf8, kUtf16, kUtf16Le, kUtf16Be, kIso88591 };

/// The encoding that COPY's ENCODING names (any case; empty: UTF-8). Errors: 0A000.
[[nodiscard]] engine::SqlResult<FileEncoding> file_encoding(std::string_view name);

/// The stream as UTF-8. UTF16 needs a byte order mark; that of the two others may not differ. Half
/// of a surrogate pair comes out as bytes that are no UTF-8, so that the row's error says so.
/// Errors: XX000 (load error 1221) for a mark that is missing or differs, or half a character at
/// the end.
[[nodiscard]] std::unique_ptr<ByteStream> open_as_utf8(std::unique_ptr<ByteStream> source,
                                                       FileEncoding encoding);

}  // namespace leat::transfer
