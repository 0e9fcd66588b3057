#include "warehouse/dataapi/access_keys.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace leat::dataapi {
namespace {

TEST(AccessKeys, ReadsBackWhatItWrites) {
  SeededRandom random(1);
  const std::vector<AccessKey> keys{make_access_key(random, "leat"),
                                    make_access_key(random, "other")};
  EXPECT_EQ(keys[0].id.size(), 20U);
  EXPECT_EQ(keys[0].secret.size(), 40U);
  const auto read = parse_access_keys(access_keys_text(keys));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, keys);
}

TEST(AccessKeys, NamesTheLineThatIsWrong) {
  const std::string good = "LEATADMIN0000000 secretsecretsecret leat\n";
  EXPECT_EQ(parse_access_keys("# words\n\n" + good)->size(), 1U);
  for (const std::string line :
       {"a b c", "LEATADMIN0000000 secretsecretsecret", "LEATADMIN000000- secretsecretsecret leat",
        "LEATADMIN0000001 short leat", "LEATADMIN0000000 secretsecretsecret leat"}) {
    const auto read = parse_access_keys(good + line);
    ASSERT_FALSE(read) << line;
    EXPECT_TRUE(read.error().message.starts_with("line 2: ")) << read.error().message;
  }
}

}  // namespace
}  // namespace leat::dataapi
