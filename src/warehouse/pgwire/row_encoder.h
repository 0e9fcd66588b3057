// Rows as the protocol sends them: RowDescription, and DataRow messages in text or binary.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/session/result.h"

namespace leat {
class TimeZone;
}

namespace leat::pgwire {

/// The format of each of `fields` from Bind's list: none means text, one stands for all, else one
/// each. Types that have no binary form here are sent as text only if that was asked. Pure; any
/// thread.
[[nodiscard]] std::int16_t format_of(std::span<const std::int16_t> formats, std::size_t column);

/// Redshift's additions to the protocol, as agreed at the start (docs/reference/wire-protocol.md).
enum class WireVersion : std::uint8_t {
  kPostgres = 0,          ///< none
  kExtendedMetadata = 1,  ///< RowDescription says where columns come from
  kBinary = 2             ///< and NUMERIC has a binary form of its own
};

/// How cells are written.
struct CellStyle {
  int extra_float_digits = 0;
  const TimeZone* time_zone = nullptr;  ///< Of TIMESTAMPTZ as text; null: UTC.
  WireVersion version = WireVersion::kPostgres;
};

/// Appends a RowDescription. `database`: the catalog name of the extended form.
void append_row_description(std::string& out, std::span<const session::Field> fields,
                            std::span<const std::int16_t> formats, WireVersion version,
                            std::string_view database);

/// Appends one DataRow for each of rows [first, first + count) of `chunk`.
void append_rows(std::string& out, const engine::Chunk& chunk, std::size_t first, std::size_t count,
                 std::span<const std::int16_t> formats, const CellStyle& style);

}  // namespace leat::pgwire
