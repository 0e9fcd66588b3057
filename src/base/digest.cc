#include "base/digest.h"

#include <isa-l/crc.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/check.h"

namespace leat {
namespace {

template <std::size_t N>
std::array<std::uint8_t, N> digest(const EVP_MD* type, std::string_view bytes) {
  std::array<std::uint8_t, N> out{};
  unsigned int size = 0;
  LEAT_CHECK(EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, type, nullptr) == 1 &&
             size == N);
  return out;
}

/// Value of a base64 digit in either alphabet, or -1.
int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
  // ISA-L leaves the initial and final complement to the caller, and takes a mutable pointer and an
  // int length.
  constexpr std::size_t kPieceMax = std::size_t{1} << 30;
  std::uint32_t crc = ~seed;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPieceMax);
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(piece.data()));
    crc = crc32_iscsi(data, static_cast<int>(piece.size()), crc);
    bytes.remove_prefix(piece.size());
  }
  return ~crc;
}

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::array<std::uint8_t, 16> xxh128(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  return std::to_array(canonical.digest);
}

std::optional<std::string> sha2(int bits, std::string_view bytes) {
  const EVP_MD* const type = bits == 224   ? EVP_sha224()
                             : bits == 256 ? EVP_sha256()
                             : bits == 384 ? EVP_sha384()
                             : bits == 512 ? EVP_sha512()
                                           : nullptr;
  if (type == nullptr) return std::nullopt;
  std::string out(static_cast<std::size_t>(bits) / 8, '\0');
  unsigned int size = 0;
  LEAT_CHECK(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()),
                        &size, type, nullptr) == 1 &&
             size == out.size());
  return out;
}

std::array<std::uint8_t, 32> sha256(std::string_view bytes) {
  return digest<32>(EVP_sha256(), bytes);
}

std::array<std::uint8_t, 16> md5(std::string_view bytes) {
  return digest<16>(EVP_md5(), bytes);
}

std::array<std::uint8_t, 32> hmac_sha256(std::string_view key, std::string_view bytes) {
  std::array<std::uint8_t, 32> out{};
  unsigned int size = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  LEAT_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data, bytes.size(),
                  out.data(), &size) != nullptr);
  return out;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      bytes.push_back(static_cast<char>((bits >> bit_count) & 0xff));
    }
  }
  return bytes;
}

bool equal_secret(std::string_view a, std::string_view b) {
  // Digests are of equal length, so even the lengths of the secrets do not show.
  const auto da = sha256(a);
  const auto db = sha256(b);
  return CRYPTO_memcmp(da.data(), db.data(), da.size()) == 0;
}

}  // namespace leat
