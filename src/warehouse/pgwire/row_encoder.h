// Rows as the protocol sends them: RowDescription, and DataRow messages in text or binary.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "warehouse/session/result.h"

namespace leat::pgwire {

/// True when cells of this type can be sent in binary. Pure; any thread.
[[nodiscard]] bool has_binary_format(std::uint32_t type_oid);

/// The format of each of `fields` from Bind's list: none means text, one stands for all, else one
/// each. Types that have no binary form here are sent as text only if that was asked. Pure; any
/// thread.
[[nodiscard]] std::int16_t format_of(std::span<const std::int16_t> formats, std::size_t column);

/// Appends a RowDescription.
void append_row_description(std::string& out, std::span<const session::Field> fields,
                            std::span<const std::int16_t> formats);

/// Appends one DataRow for each of rows [first, first + count) of `chunk`.
void append_rows(std::string& out, const engine::Chunk& chunk, std::size_t first, std::size_t count,
                 std::span<const std::int16_t> formats, int extra_float_digits);

}  // namespace leat::pgwire
