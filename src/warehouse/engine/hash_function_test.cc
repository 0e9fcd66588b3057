// The hash functions, by the values that Amazon Redshift's documentation prints.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "warehouse/engine/database.h"

namespace leat::engine {
namespace {

TEST(HashFunction, GivesThePublishedValues) {
  auto opened = Database::open({.threads = 1});
  ASSERT_TRUE(opened) << opened.error().message;
  const std::unique_ptr<Connection> connection = std::move(*(*opened)->connect());
  const std::string seed = "-3750763034362895579::bigint";
  const std::vector<std::pair<std::string, std::string>> table{
      {"leat_crc32('Amazon Redshift')", "f2726906"},
      {"leat_crc32('')", "00000000"},
      {"leat_farm_fingerprint('Amazon Redshift')", "8085098817162212970"},
      {"leat_farm_fingerprint('Amazon Redshift'::blob)", "8085098817162212970"},
      {"leat_fnv_hash(1::integer, " + seed + ")", "-5968735742475085980"},
      {"leat_fnv_hash(1::smallint, " + seed + ")", "589727492704079044"},
      {"leat_fnv_hash(1::bigint, " + seed + ")", "-8517097267634966620"},
      {"leat_fnv_hash('Amazon Redshift', " + seed + ")", "7783490368944507294"},
      {"leat_fnv_hash('Amazon Redshift', -5968735742475085980::bigint)", "-2202602717770968555"},
      {"leat_fnv_hash('cd', leat_fnv_hash('ab', " + seed + "))", "-281581062704388899"},
      {"leat_fnv_hash(NULL::integer, " + seed + ")", "NULL"},
      {"leat_murmur3(1::integer, 0::integer)", "1392991556"},
      {"leat_murmur3('Amazon Redshift', 0::integer)", "-1563580564"},
      {"leat_murmur3('cd', leat_murmur3('ab', 0::integer))", "1711522338"},
      {"leat_murmur3(1::integer, leat_murmur3(2::integer, 0::integer))", "1179621905"},
      {"leat_sha2('abc', 0::integer)",
       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"leat_sha2('abc'::blob, 224::integer)",
       "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
      {"leat_sha2('abc', 13::integer)", "22023 SHA2: 13 bits are not known"},
  };
  for (const auto& [expression, expected] : table) {
    auto rows = connection->query("SELECT " + expression);
    const std::string got = rows ? rows->front()[0].value_or("NULL")
                                 : rows.error().sqlstate + " " + rows.error().message;
    EXPECT_EQ(got, expected) << expression;
  }
}

TEST(HashFunction, FingerprintsOfEveryLengthDiffer) {
  auto opened = Database::open({.threads = 1});
  ASSERT_TRUE(opened);
  const std::unique_ptr<Connection> connection = std::move(*(*opened)->connect());
  // Each branch of the algorithm, with its borders: 0, 3, 4, 7, 8, 16, 17, 32, 33, 64, 65, 128.
  auto rows = connection->query(
      "SELECT count(DISTINCT leat_farm_fingerprint(repeat('x', n::integer))) FROM range(300) r(n)");
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->front()[0], "300");
}

}  // namespace
}  // namespace leat::engine
