#include "warehouse/engine/number.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "warehouse/engine/chunk.h"

namespace leat::engine {
namespace {

std::string read(std::string_view text, int width, int scale, DecimalRounding rounding) {
  const DecimalText parsed = parse_decimal(text, width, scale, rounding);
  if (parsed.error == NumberError::kSyntax) return "syntax";
  if (parsed.error == NumberError::kRange) return "range";
  std::string out;
  append_decimal(parsed.unscaled, scale, out);
  return out;
}

TEST(ParseDecimal, Table) {
  using enum DecimalRounding;
  const std::vector<std::tuple<std::string, int, int, DecimalRounding, std::string>> table{
      {"0", 18, 0, kTruncate, "0"},
      {"-0", 18, 2, kTruncate, "0.00"},
      {"20.259", 8, 2, kTruncate, "20.25"},
      {"20.259", 8, 2, kHalfAwayFromZero, "20.26"},
      {"-20.255", 8, 2, kHalfAwayFromZero, "-20.26"},
      {"-20.2549999", 8, 2, kHalfAwayFromZero, "-20.25"},
      {" +1.5 ", 8, 2, kTruncate, "1.50"},
      {".5", 8, 2, kTruncate, "0.50"},
      {"5.", 8, 2, kTruncate, "5.00"},
      {"1e3", 8, 2, kTruncate, "1000.00"},
      {"1.5E+2", 8, 2, kTruncate, "150.00"},
      {"12345e-3", 8, 2, kTruncate, "12.34"},
      {"12345e-3", 8, 2, kHalfAwayFromZero, "12.35"},
      {"999999.99", 8, 2, kTruncate, "999999.99"},
      {"1000000", 8, 2, kTruncate, "range"},
      {"999999.995", 8, 2, kTruncate, "999999.99"},
      {"999999.995", 8, 2, kHalfAwayFromZero, "range"},
      {"1e99", 38, 0, kTruncate, "range"},
      {"0e99", 38, 0, kTruncate, "0"},
      {"1e-99", 38, 2, kTruncate, "0.00"},
      {"5e-1", 38, 0, kHalfAwayFromZero, "1"},
      {"99999999999999999999999999999999999999", 38, 0, kTruncate,
       "99999999999999999999999999999999999999"},
      {"100000000000000000000000000000000000000", 38, 0, kTruncate, "range"},
      {"0.99999999999999999999999999999999999999", 38, 37, kHalfAwayFromZero,
       "1.0000000000000000000000000000000000000"},
      {"1.2345678901234567890123456789012345678901234567890", 38, 37, kTruncate,
       "1.2345678901234567890123456789012345678"},
      {"123456789012345678901234567890123456789.9", 38, 0, kTruncate, "range"},
      {"", 18, 0, kTruncate, "syntax"},
      {"-", 18, 0, kTruncate, "syntax"},
      {".", 18, 0, kTruncate, "syntax"},
      {"1.2.3", 18, 0, kTruncate, "syntax"},
      {"1e", 18, 0, kTruncate, "syntax"},
      {"1e+-3", 18, 0, kTruncate, "syntax"},
      {"1e99999999999", 18, 0, kTruncate, "syntax"},
      {"--1", 18, 0, kTruncate, "syntax"},
      {"1 2", 18, 0, kTruncate, "syntax"},
      {"0x10", 18, 0, kTruncate, "syntax"},
      {"nan", 18, 0, kTruncate, "syntax"},
  };
  for (const auto& [text, width, scale, rounding, expected] : table) {
    EXPECT_EQ(read(text, width, scale, rounding), expected) << text;
  }
}

}  // namespace
}  // namespace leat::engine
