#include "base/digest.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace leat {
namespace {

TEST(Digest, MatchesPublishedVectors) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);                           // RFC 3720 check value
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);                 // RFC 3720 B.4
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xe3069283U);               // continues
  EXPECT_EQ(to_hex(xxh128("")), "99aa06d3014798d86001c324468d497f");     // xxhsum's self test
  EXPECT_EQ(to_hex(xxh128("abc")), "06b05ab6733a618578af5f94892f3950");  // xxh128sum
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(*sha2(224, "abc")),  // FIPS 180-4
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
  EXPECT_EQ(to_hex(*sha2(256, "abc")), to_hex(sha256("abc")));
  EXPECT_EQ(to_hex(*sha2(384, "abc")),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(to_hex(*sha2(512, "abc")),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_FALSE(sha2(1, "abc"));
  EXPECT_EQ(to_hex(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");  // RFC 4231 case 2
}

TEST(Digest, ReadsBothBase64Alphabets) {
  EXPECT_EQ(to_base64("abc123:"), "YWJjMTIzOg==");
  EXPECT_EQ(from_base64("YWJjMTIzOg=="), "abc123:");
  EXPECT_EQ(from_base64("YWJjMTIzOg"), "abc123:");
  EXPECT_EQ(from_base64("-_-_"), from_base64("+/+/"));
  EXPECT_EQ(from_base64(""), "");
  EXPECT_EQ(from_base64("a"), std::nullopt);
  EXPECT_EQ(from_base64("ab c"), std::nullopt);
  EXPECT_EQ(from_base64("===="), std::nullopt);
}

TEST(Random, MakesVersionFourUuids) {
  SeededRandom random(7);
  const std::string id = uuid4(random);
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  EXPECT_NE(uuid4(random), id);
  EXPECT_EQ(random_token(secure_random(), 32).size(), 32U);
}

}  // namespace
}  // namespace leat
