// The hash functions of the dialect that DuckDB lacks:
//
//   leat_crc32(text)                   CRC-32C, eight hexadecimal digits
//   leat_sha2(value, bits)             224, 256 (and 0), 384, 512; hexadecimal digits
//   leat_farm_fingerprint(value)       FarmHash Fingerprint64
//   leat_fnv_hash(value, seed)         64-bit FNV-1a of the value's bytes, as wide as its type
//   leat_murmur3(value, seed)          32-bit Murmur3 of the bytes that Apache Iceberg defines
#include <fmt/format.h>

#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "warehouse/engine/database.h"
#include "warehouse/engine/duckdb_bridge.h"
#include "warehouse/engine/function.h"

namespace leat::engine {
namespace {

constexpr std::uint64_t kPrime0 = 0xc3a5c85c97cb3127;
constexpr std::uint64_t kPrime1 = 0xb492b66fbe98f273;
constexpr std::uint64_t kPrime2 = 0x9ae16a3b2f90404f;

std::uint64_t word(const char* bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}
std::uint64_t half_word(const char* bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}
std::uint64_t rotate(std::uint64_t value, unsigned shift) {
  return (value >> shift) | (value << (64 - shift));
}
std::uint64_t shift_mix(std::uint64_t value) {
  return value ^ (value >> 47U);
}
std::uint64_t mix(std::uint64_t u, std::uint64_t v, std::uint64_t multiplier) {
  const std::uint64_t a = shift_mix((u ^ v) * multiplier);
  return shift_mix((v ^ a) * multiplier) * multiplier;
}

std::uint64_t farm_up_to_16(const char* s, std::size_t size) {
  const std::uint64_t multiplier = kPrime2 + size * 2;
  if (size >= 8) {
    const std::uint64_t a = word(s) + kPrime2;
    const std::uint64_t b = word(s + size - 8);
    return mix(rotate(b, 37) * multiplier + a, (rotate(a, 25) + b) * multiplier, multiplier);
  }
  if (size >= 4) {
    return mix(size + (half_word(s) << 3U), half_word(s + size - 4), multiplier);
  }
  if (size == 0) return kPrime2;
  const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(s[i])}; };
  const std::uint64_t y = byte(0) + (byte(size / 2) << 8U);
  const std::uint64_t z = size + (byte(size - 1) << 2U);
  return shift_mix(y * kPrime2 ^ z * kPrime0) * kPrime2;
}

std::uint64_t farm_up_to_32(const char* s, std::size_t size) {
  const std::uint64_t multiplier = kPrime2 + size * 2;
  const std::uint64_t a = word(s) * kPrime1;
  const std::uint64_t b = word(s + 8);
  const std::uint64_t c = word(s + size - 8) * multiplier;
  const std::uint64_t d = word(s + size - 16) * kPrime2;
  return mix(rotate(a + b, 43) + rotate(c, 30) + d, a + rotate(b + kPrime2, 18) + c, multiplier);
}

std::uint64_t farm_up_to_64(const char* s, std::size_t size) {
  const std::uint64_t multiplier = kPrime2 + size * 2;
  const std::uint64_t a = word(s) * kPrime2;
  const std::uint64_t b = word(s + 8);
  const std::uint64_t c = word(s + size - 8) * multiplier;
  const std::uint64_t d = word(s + size - 16) * kPrime2;
  const std::uint64_t y = rotate(a + b, 43) + rotate(c, 30) + d;
  const std::uint64_t z = mix(y, a + rotate(b + kPrime2, 18) + c, multiplier);
  const std::uint64_t e = word(s + 16) * multiplier;
  const std::uint64_t f = word(s + 24);
  const std::uint64_t g = (y + word(s + size - 32)) * multiplier;
  const std::uint64_t h = (z + word(s + size - 24)) * multiplier;
  return mix(rotate(e + f, 43) + rotate(g, 30) + h, e + rotate(f + a, 18) + g, multiplier);
}

using Pair = std::pair<std::uint64_t, std::uint64_t>;

Pair weak_mix(const char* s, std::uint64_t a, std::uint64_t b) {
  a += word(s);
  b = rotate(b + a + word(s + 24), 21);
  const std::uint64_t c = a;
  a += word(s + 8) + word(s + 16);
  b += rotate(a, 44);
  return {a + word(s + 24), b + c};
}

std::uint64_t farm_fingerprint(std::string_view bytes) {
  const char* s = bytes.data();
  const std::size_t size = bytes.size();
  if (size <= 16) return farm_up_to_16(s, size);
  if (size <= 32) return farm_up_to_32(s, size);
  if (size <= 64) return farm_up_to_64(s, size);
  constexpr std::uint64_t kSeed = 81;
  std::uint64_t x = kSeed * kPrime2 + word(s);
  std::uint64_t y = kSeed * kPrime1 + 113;
  std::uint64_t z = shift_mix(y * kPrime2 + 113) * kPrime2;
  Pair v{0, 0};
  Pair w{0, 0};
  const auto round = [&](const char* at, std::uint64_t multiplier, std::uint64_t nine) {
    x = rotate(x + y + v.first + word(at + 8), 37) * multiplier;
    y = rotate(y + v.second + word(at + 48), 42) * multiplier;
    x ^= w.second * nine;
    y += v.first * nine + word(at + 40);
    z = rotate(z + w.first, 33) * multiplier;
    v = weak_mix(at, v.second * multiplier, x + w.first);
    w = weak_mix(at + 32, z + w.second, y + word(at + 16));
    std::swap(z, x);
  };
  const char* const end = s + (size - 1) / 64 * 64;
  for (const char* at = s; at != end; at += 64) round(at, kPrime1, 1);
  const std::uint64_t multiplier = kPrime1 + ((z & 0xffU) << 1U);
  w.first += (size - 1) & 63U;
  v.first += w.first;
  w.first += v.first;
  round(s + size - 64, multiplier, 9);
  return mix(mix(v.first, w.first, multiplier) + shift_mix(y) * kPrime0 + z,
             mix(v.second, w.second, multiplier) + x, multiplier);
}

std::uint64_t fnv_hash(std::string_view bytes, std::uint64_t seed) {
  constexpr std::uint64_t kFnvPrime = 0x100000001b3;
  for (const char c : bytes) seed = (seed ^ static_cast<unsigned char>(c)) * kFnvPrime;
  return seed;
}

std::uint32_t murmur3(std::string_view bytes, std::uint32_t seed) {
  const auto spread = [](std::uint32_t k) {
    k *= 0xcc9e2d51U;
    k = (k << 15U) | (k >> 17U);
    return k * 0x1b873593U;
  };
  std::uint32_t hash = seed;
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    std::uint32_t block = 0;
    std::memcpy(&block, bytes.data() + at, sizeof block);
    hash ^= spread(block);
    hash = ((hash << 13U) | (hash >> 19U)) * 5 + 0xe6546b64U;
  }
  std::uint32_t tail = 0;
  for (std::size_t i = bytes.size(); i > at; --i)
    tail = (tail << 8U) | static_cast<unsigned char>(bytes[i - 1]);
  hash ^= spread(tail) ^ static_cast<std::uint32_t>(bytes.size());
  hash = (hash ^ (hash >> 16U)) * 0x85ebca6bU;
  hash = (hash ^ (hash >> 13U)) * 0xc2b2ae35U;
  return hash ^ (hash >> 16U);
}

std::size_t width_of(Type type) {
  if (type == Type::kBoolean) return 1;
  if (type == Type::kInt16) return 2;
  return type == Type::kInt32 || type == Type::kDate ? 4 : 8;
}

bool is_bytes(Type type) {
  return type == Type::kVarchar || type == Type::kBlob;
}

/// The first argument's bytes: text as it is, numbers little-endian in `width` bytes.
std::string value_bytes(const Column& column, std::size_t row, Type type, std::size_t width) {
  if (is_bytes(type)) return std::string(column.text(row));
  const std::int64_t value = column.integer(row);
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  bytes.resize(width);
  return bytes;
}

using Run = std::function<SqlStatus(const Chunk&, std::size_t, FunctionOutput&)>;

ScalarFunction made(std::string name, std::vector<ColumnType> parameters, Type returns, Run run) {
  return {.name = std::move(name),
          .parameters = std::move(parameters),
          .more_parameters = {},
          .returns = plain_type(returns),
          .sees_null = false,
          .is_volatile = false,
          .run = std::move(run)};
}

SqlStatus add_for_type(Database& database, Type type) {
  LEAT_TRY(database.add_function(
      made("leat_fnv_hash", {plain_type(type), plain_type(Type::kInt64)}, Type::kInt64,
           [type](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
             const std::string bytes = value_bytes(arguments.column(0), row, type, width_of(type));
             const auto seed = static_cast<std::uint64_t>(arguments.column(1).integer(row));
             output.set_int64(row, static_cast<std::int64_t>(fnv_hash(bytes, seed)));
             return {};
           })));
  if (type == Type::kBoolean) return {};
  return database.add_function(
      made("leat_murmur3", {plain_type(type), plain_type(Type::kInt32)}, Type::kInt32,
           [type](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
             const std::string bytes = value_bytes(arguments.column(0), row, type, 8);
             const auto seed = static_cast<std::uint32_t>(arguments.column(1).integer(row));
             output.set_int32(row, static_cast<std::int32_t>(murmur3(bytes, seed)));
             return {};
           }));
}

SqlStatus add_for_bytes(Database& database, Type type) {
  LEAT_TRY(database.add_function(
      made("leat_sha2", {plain_type(type), plain_type(Type::kInt32)}, Type::kVarchar,
           [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
             const auto bits = static_cast<int>(arguments.column(1).integer(row));
             const auto digest = sha2(bits == 0 ? 256 : bits, arguments.column(0).text(row));
             if (!digest)
               return fail_sql("22023", fmt::format("SHA2: {} bits are not known", bits));
             output.set_text(row, to_hex(*digest));
             return {};
           })));
  return database.add_function(
      made("leat_farm_fingerprint", {plain_type(type)}, Type::kInt64,
           [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
             output.set_int64(
                 row, static_cast<std::int64_t>(farm_fingerprint(arguments.column(0).text(row))));
             return {};
           }));
}

}  // namespace

SqlStatus add_hash_functions(Database& database) {
  LEAT_TRY(database.add_function(
      made("leat_crc32", {plain_type(Type::kVarchar)}, Type::kVarchar,
           [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
             output.set_text(row, fmt::format("{:08x}", crc32c(arguments.column(0).text(row))));
             return {};
           })));
  for (const Type type :
       {Type::kVarchar, Type::kBlob, Type::kBoolean, Type::kInt16, Type::kInt32, Type::kInt64,
        Type::kDate, Type::kTime, Type::kTimestamp, Type::kTimestampTz}) {
    LEAT_TRY(add_for_type(database, type));
  }
  LEAT_TRY(add_for_bytes(database, Type::kVarchar));
  return add_for_bytes(database, Type::kBlob);
}

}  // namespace leat::engine
