#include "pipeline/shape/fit.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace leat::shape {
namespace {

// Casts against every column type are judged through DuckDB in tests/shape.
TEST(TimeReader, AnswersAsParseIso8601Whatever) {
  const std::string_view usual[] = {"2026-11-20T14:03:05.123Z",     "2026-11-20T14:03:59.999999Z",
                                    "2026-11-20T14:04:00.000Z",     "1969-12-31T23:59:59.001Z",
                                    "2026-11-20T14:03:05.123456Z",  "2026-11-20T14:03:05Z",
                                    "2026-11-20T14:03:05.123+00:00"};
  static constexpr std::string_view kBytes = "0159-:.TZ+ a/";
  SeededRandom random(5);
  TimeReader times;
  for (int i = 0; i < 200'000; ++i) {
    std::string text(usual[random.below(std::size(usual))]);
    for (std::uint64_t changes = random.below(3); changes > 0; --changes) {
      text[random.below(text.size())] = kBytes[random.below(kBytes.size())];
    }
    ASSERT_EQ(times.read(text), parse_iso8601(text)) << text;
  }
}

TEST(ReadNumber, IsExactOrSaysThatItCannotBe) {
  const struct {
    const char* token;
    ValueKind kind;
    double real;
  } cases[] = {{"0", ValueKind::kInteger, 0},
               {"9223372036854775807", ValueKind::kInteger, 0},
               {"9223372036854775808", ValueKind::kHuge, 0},
               {"1.0", ValueKind::kReal, 1.0},
               {"0.1", ValueKind::kReal, 0.1},
               {"-12345.678", ValueKind::kReal, -12345.678},
               {"123456789012345.6", ValueKind::kReal, 123456789012345.6},
               {"0.30000000000000004", ValueKind::kReal, 0.30000000000000004},
               {"1e5", ValueKind::kReal, 1e5},
               {"-2.5E-10", ValueKind::kReal, -2.5e-10},
               {"1e400", ValueKind::kHuge, 0},
               {"1e-400", ValueKind::kHuge, 0}};
  for (const auto& c : cases) {
    Value value = make_value(ValueKind::kNever, columns::Cell::of_integer(0));
    read_number(c.token, value);
    EXPECT_EQ(value.kind, c.kind) << c.token;
    if (c.kind == ValueKind::kReal) {
      EXPECT_EQ(value.cell.real, c.real) << c.token;
    }
  }
}

TEST(Arena, KeepsCopiesUntilCleared) {
  Arena arena;
  const std::string_view small = arena.copy("abc");
  const std::string_view large = arena.copy(std::string(1'000'000, 'x'));
  const std::string_view after = arena.copy("def");
  EXPECT_EQ(small, "abc");
  EXPECT_EQ(large.size(), 1'000'000U);
  EXPECT_EQ(after, "def");
  EXPECT_GT(arena.bytes(), 1'000'000U);
  arena.clear();
  EXPECT_EQ(arena.bytes(), 0U);
}

}  // namespace
}  // namespace leat::shape
