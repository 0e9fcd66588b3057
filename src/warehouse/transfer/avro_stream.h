// Avro object container files, read as JSON.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "warehouse/transfer/byte_stream.h"

namespace leat::transfer {

/// Decompresses a raw Snappy block; nothing when it is broken or larger than `size_max`. Pure; any
/// thread.
[[nodiscard]] std::optional<std::string> snappy_decompressed(std::string_view block,
                                                             std::size_t size_max);

/// The records of an Avro file as JSON objects, one on a line: members by field name; enums by
/// name, bytes and fixed as text, the value of a union's branch alone; logical types are not
/// interpreted. Codecs null, deflate, snappy. Memory: one block. Errors: XX000 for a broken file,
/// 0A000 for another codec or a top level that is no record.
[[nodiscard]] std::unique_ptr<ByteStream> open_avro_as_json(std::unique_ptr<ByteStream> source);

}  // namespace leat::transfer
