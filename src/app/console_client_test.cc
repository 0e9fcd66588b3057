#include "app/console_client.h"

#include <gtest/gtest.h>

#include "app/progress.h"

namespace leat::app {
namespace {

TEST(ConsoleClient, EscapesWhatItAsksFor) {
  EXPECT_EQ(query_part("event", "Order Completed & more"), "&event=Order%20Completed%20%26%20more");
  EXPECT_EQ(query_part("event", ""), "");
}

TEST(ConsoleClient, DrawsABar) {
  EXPECT_EQ(progress_bar(0, 10, 4), "[....]   0 %");
  EXPECT_EQ(progress_bar(5, 10, 4), "[##..]  50 %");
  EXPECT_EQ(progress_bar(10, 10, 4), "[####] 100 %");
  EXPECT_EQ(progress_bar(11, 10, 4), "[####] 100 %");
  EXPECT_EQ(progress_bar(0, 0, 4), "[....]   0 %");
}

TEST(ConsoleClient, SaysNothingWithoutATerminal) {
  std::FILE* said = std::tmpfile();
  {
    const Terminal terminal{.err = said};
    const Progress progress(terminal, [](double) { return std::string("x"); });
  }
  EXPECT_EQ(std::ftell(said), 0);
  std::fclose(said);
}

}  // namespace
}  // namespace leat::app
