// amz_checksum() of aws/verify.h: S3's checksum headers.
#include <openssl/evp.h>
#include <zlib.h>

#include <array>

#include "aws/verify.h"
#include "base/digest.h"

namespace leat::aws {
namespace {

template <class T>
std::string big_endian(T value) {
  std::string out;
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out += static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU);
  }
  return out;
}

template <std::size_t N>
std::string text_of(const std::array<std::uint8_t, N>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), N};
}

std::uint32_t crc32_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// CRC-64/NVME: reflected polynomial 0x9A6C9329AC4BC9B5, all ones before and after.
std::uint64_t crc64_nvme(std::string_view bytes) {
  static const std::array<std::uint64_t, 256> kTable = [] {
    std::array<std::uint64_t, 256> out{};
    for (std::uint64_t i = 0; i < out.size(); ++i) {
      std::uint64_t crc = i;
      for (int bit = 0; bit < 8; ++bit) {
        crc = (crc & 1U) != 0 ? (crc >> 1U) ^ 0x9A6C9329AC4BC9B5ULL : crc >> 1U;
      }
      out[i] = crc;
    }
    return out;
  }();
  std::uint64_t crc = ~std::uint64_t{0};
  for (const char c : bytes) {
    crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (crc >> 8U);
  }
  return ~crc;
}

std::string sha1_of(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha1(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), length};
}

}  // namespace

std::optional<std::string> amz_checksum(std::string_view algorithm, std::string_view bytes) {
  if (algorithm == "crc32") return to_base64(big_endian(crc32_of(bytes)));
  if (algorithm == "crc32c") return to_base64(big_endian(crc32c(bytes)));
  if (algorithm == "crc64nvme") return to_base64(big_endian(crc64_nvme(bytes)));
  if (algorithm == "sha1") return to_base64(sha1_of(bytes));
  if (algorithm == "sha256") return to_base64(text_of(sha256(bytes)));
  if (algorithm == "md5") return to_base64(text_of(md5(bytes)));
  return std::nullopt;
}

}  // namespace leat::aws
