#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>

#include "warehouse/engine/chunk.h"

namespace leat::engine {
namespace {

std::string of_double(double value, int extra_float_digits) {
  std::string out;
  append_double(value, extra_float_digits, out);
  return out;
}

std::string of_float(float value, int extra_float_digits) {
  std::string out;
  append_float(value, extra_float_digits, out);
  return out;
}

/// C's "%.{precision}g", by the library.
template <class T>
std::string general(T value, int precision) {
  std::array<char, 64> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                       std::chars_format::general, precision)
                             .ptr};
}

void expect_as_the_library_writes(double value) {
  if (!std::isfinite(value)) return;
  for (const int extra : {0, -1, -7, -12, -15}) {
    EXPECT_EQ(of_double(value, extra), general(value, std::max(1, 15 + extra)))
        << fmt::format("{:a} {}", value, extra);
  }
  const auto narrow = static_cast<float>(value);
  if (!std::isfinite(narrow)) return;
  for (const int extra : {0, -3}) {
    EXPECT_EQ(of_float(narrow, extra), general(narrow, 6 + extra)) << fmt::format("{:a}", narrow);
  }
}

TEST(ShortText, FloatsOfAllSizesAreRoundedAsTheLibraryRounds) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 50'000; ++i) expect_as_the_library_writes(std::bit_cast<double>(random()));
  // Those of sizes that are written without an exponent, and some on either side.
  std::uniform_real_distribution<double> exponent(-6, 17);
  for (int i = 0; i < 50'000; ++i) {
    const double value = std::pow(10.0, exponent(random));
    expect_as_the_library_writes(i % 2 == 0 ? value : -value);
  }
}

TEST(ShortText, FloatsBetweenTwoTextsGoToTheEvenOne) {
  // Exactly in the middle of two texts of 15 digits, and as near to it as can be.
  std::mt19937_64 random(12);
  for (int i = 0; i < 20'000; ++i) {
    const int halvings = 1 + i % 12;
    const auto whole = static_cast<double>(random() % (1ULL << 50U));
    const double middle = std::ldexp(whole, -halvings);
    for (const double value :
         {middle, std::nextafter(middle, 0.0), std::nextafter(middle, 1e300)}) {
      expect_as_the_library_writes(value);
    }
  }
  EXPECT_EQ(of_double(0.5, -15), "0.5");
  EXPECT_EQ(of_double(2.5, -15), "2");
  EXPECT_EQ(of_double(3.5, -15), "4");
  EXPECT_EQ(of_double(123456789012.3455, -1), "123456789012.35");
}

TEST(ShortText, FloatsAtPowersOfTen) {
  for (int power = -8; power <= 20; ++power) {
    const double value = std::pow(10.0, power);
    for (const double near : {value, std::nextafter(value, 0.0), std::nextafter(value, 1e300),
                              value * 0.9999999999999995, value * 0.9999999}) {
      expect_as_the_library_writes(near);
      expect_as_the_library_writes(-near);
    }
  }
}

TEST(ShortText, FloatsThatAreWrittenByHand) {
  EXPECT_EQ(of_double(0, 0), "0");
  EXPECT_EQ(of_double(-0.0, 0), "-0");
  EXPECT_EQ(of_double(12.5, 0), "12.5");
  EXPECT_EQ(of_double(-1200, 0), "-1200");
  EXPECT_EQ(of_double(0.0001, 0), "0.0001");
  EXPECT_EQ(of_double(0.00001, 0), "1e-05");
  EXPECT_EQ(of_double(999999999999999, 0), "999999999999999");
  EXPECT_EQ(of_double(1e15, 0), "1e+15");
  EXPECT_EQ(of_double(0.1 + 0.2, 0), "0.3");
  EXPECT_EQ(of_double(0.1 + 0.2, 1), "0.30000000000000004");
  EXPECT_EQ(of_double(std::numeric_limits<double>::denorm_min(), 0), "4.94065645841247e-324");
  EXPECT_EQ(of_double(std::numeric_limits<double>::quiet_NaN(), 0), "NaN");
  EXPECT_EQ(of_double(-std::numeric_limits<double>::infinity(), 0), "-Infinity");
  EXPECT_EQ(of_float(999999.5F, 0), "1e+06");
  EXPECT_EQ(of_float(0.1F, 0), "0.1");
}

TEST(ShortText, DatesAreThoseOfTheCalendar) {
  using std::chrono::days;
  using std::chrono::sys_days;
  using std::chrono::year_month_day;
  std::mt19937 random(13);
  std::uniform_int_distribution<int> near(-12'000'000, 11'000'000);  // its years are 16 bits wide
  for (int i = 0; i < 100'000; ++i) {
    const int day = i < 40'000 ? i - 20'000 : near(random);
    const year_month_day date{sys_days{days{day}}};
    const int year = static_cast<int>(date.year());
    std::string text;
    append_date(day, text);
    EXPECT_EQ(text, fmt::format("{:04}-{:02}-{:02}{}", year > 0 ? year : 1 - year,
                                static_cast<unsigned>(date.month()),
                                static_cast<unsigned>(date.day()), year > 0 ? "" : " BC"));
  }
}

TEST(ShortText, DatesAtTheEndsOfWhatIsKept) {
  const auto date = [](std::int64_t day) {
    std::string out;
    append_date(day, out);
    return out;
  };
  EXPECT_EQ(date(-719'468), "0001-03-01 BC");
  EXPECT_EQ(date(-719'469), "0001-02-29 BC");
  EXPECT_EQ(date(std::numeric_limits<std::int32_t>::max() - 719'468), "5879610-09-09");
  EXPECT_EQ(date(std::numeric_limits<std::int32_t>::max() - 719'467), "5879610-09-10");
  EXPECT_EQ(date(std::numeric_limits<std::int32_t>::max() - 1), "5881580-07-10");
  EXPECT_EQ(date(std::numeric_limits<std::int32_t>::max()), "infinity");
  EXPECT_EQ(date(std::numeric_limits<std::int32_t>::min() + 2), "5877642-06-25 BC");
}

}  // namespace
}  // namespace leat::engine
