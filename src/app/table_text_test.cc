#include "app/table_text.h"

#include <gtest/gtest.h>

namespace leat::app {
namespace {

TEST(TableText, AlignsColumns) {
  TableText table;
  table.columns = {"table", "rows"};
  table.numeric = {false, true};
  table.rows = {{"tracks", "12"}, {"\xC3\xA9t\xC3\xA9", "5,000"}, {"a\nb", ""}};
  EXPECT_EQ(to_text(table),
            "table    rows\n"
            "------  -----\n"
            "tracks     12\n"
            "\xC3\xA9t\xC3\xA9     5,000\n"
            "a\\nb\n");
}

TEST(TableText, SeparatesThousands) {
  EXPECT_EQ(size_text(512), "512 B");
  EXPECT_EQ(size_text(1'500'000), "1.5 MB");
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1,000");
  EXPECT_EQ(count_text(-1234567), "-1,234,567");
  EXPECT_EQ(count_text(-123), "-123");
}

}  // namespace
}  // namespace leat::app
