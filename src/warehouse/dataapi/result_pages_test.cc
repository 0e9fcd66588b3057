#include "warehouse/dataapi/result_pages.h"

#include <gtest/gtest.h>

#include "io/faulty_file_system.h"

namespace leat::dataapi {
namespace {

class ResultPagesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(files_.make_directories("/r")); }

  ResultPages::Options options() {
    ResultPages::Options made;
    made.files = &files_;
    made.path = "/r/1";
    made.separator = ",";
    made.limits = {.page_bytes = 6, .memory_bytes = 16, .result_bytes_max = 1000};
    return made;
  }

  io::FaultyFileSystem files_;
};

TEST_F(ResultPagesTest, KeepsSmallResultsInMemory) {
  ResultPages pages(options());
  ASSERT_TRUE(pages.add_row("[1]", 1));
  ASSERT_TRUE(pages.add_row("[2]", 1));
  ASSERT_TRUE(pages.add_row("[3]", 1));
  ASSERT_TRUE(pages.finish());
  EXPECT_FALSE(files_.content("/r/1"));
  ASSERT_EQ(pages.page_count(), 2U);
  EXPECT_EQ(*pages.page(0), "[1],[2]");
  EXPECT_EQ(*pages.page(1), "[3]");
  EXPECT_EQ(pages.rows(), 3U);
}

TEST_F(ResultPagesTest, PutsLargeResultsInAFileAndRemovesIt) {
  {
    ResultPages pages(options());
    for (int i = 0; i < 9; ++i) ASSERT_TRUE(pages.add_row("[" + std::to_string(i) + "]", 1));
    ASSERT_TRUE(pages.finish());
    EXPECT_TRUE(files_.content("/r/1"));
    ASSERT_EQ(pages.page_count(), 5U);
    EXPECT_EQ(*pages.page(3), "[6],[7]");
    EXPECT_EQ(*pages.page(4), "[8]");
  }
  EXPECT_FALSE(files_.content("/r/1"));
}

TEST_F(ResultPagesTest, CountsAgainstTheBudgetAndGivesBack) {
  ResultBudget budget(10, [] {});
  {
    ResultPages::Options made = options();
    made.budget = &budget;
    ResultPages pages(made);
    ASSERT_TRUE(pages.add_row("12345", 5));
    EXPECT_EQ(budget.used(), 5U);
    EXPECT_EQ(pages.add_row("123456", 6).error().code, Errc::kExhausted);
    EXPECT_EQ(budget.used(), 5U);
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST_F(ResultPagesTest, TellsWhenTheDiskFails) {
  for (std::uint64_t n = 1;; ++n) {
    files_.fail_at(n, true);
    bool failed = false;
    {
      ResultPages pages(options());
      for (int i = 0; i < 9 && !failed; ++i) failed = !pages.add_row("[1]", 1);
      failed = failed || !pages.finish();
    }
    files_.clear_faults();
    static_cast<void>(files_.remove("/r/1"));
    if (!failed) {
      EXPECT_GT(n, 3U);  // open and two writes
      return;
    }
  }
}

}  // namespace
}  // namespace leat::dataapi
