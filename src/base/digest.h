// Checksums, digests and their text forms, over well-kept libraries (ISA-L, OpenSSL, xxHash).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat {

/// CRC-32C (Castagnoli) of `bytes`, continuing from `seed` (0 to start), as in RFC 3720 B.4. Pure;
/// any thread.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

/// XXH3 64-bit hash: for tables in memory and sharding, never stored without its seed and never for
/// security.
[[nodiscard]] std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

/// XXH3 128-bit hash, most significant byte first, as `xxh128sum` prints it: finds damage in stored
/// bytes. Never for security.
[[nodiscard]] std::array<std::uint8_t, 16> xxh128(std::string_view bytes);

/// Digests as raw bytes.
/// `bits`: 224, 256, 384 or 512; nothing for another number.
[[nodiscard]] std::optional<std::string> sha2(int bits, std::string_view bytes);
[[nodiscard]] std::array<std::uint8_t, 32> sha256(std::string_view bytes);
[[nodiscard]] std::array<std::uint8_t, 16> md5(std::string_view bytes);
[[nodiscard]] std::array<std::uint8_t, 32> hmac_sha256(std::string_view key,
                                                       std::string_view bytes);

/// Lower-case hexadecimal text of `bytes`.
[[nodiscard]] std::string to_hex(std::string_view bytes);
template <std::size_t N>
[[nodiscard]] std::string to_hex(const std::array<std::uint8_t, N>& bytes) {
  return to_hex(std::string_view(reinterpret_cast<const char*>(bytes.data()), N));
}

/// Standard base64 with padding.
[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Reads base64 in the standard or the URL-safe alphabet, padded or not. Nothing when any other
/// character occurs or the length is impossible.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// Compares secrets in a time that does not depend on where they differ.
[[nodiscard]] bool equal_secret(std::string_view a, std::string_view b);

}  // namespace leat
