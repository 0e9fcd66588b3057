#include "warehouse/engine/hll_sketch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

namespace leat::engine {
namespace {

std::string text_of(const HllSketch& sketch) {
  std::string text;
  sketch.append_text(text);
  return text;
}

HllSketch sketch_of(std::uint64_t first, std::uint64_t last, std::size_t size = 8) {
  HllSketch sketch;
  for (std::uint64_t i = first; i <= last; ++i) sketch.add(hll_hash(i, size));
  return sketch;
}

// Vendor's pages: HLL_CREATE_SKETCH, HLL_COMBINE, usage notes of the HyperLogLog functions.
TEST(HllSketch, IsWhatTheVendorsPagesShow) {
  EXPECT_EQ(text_of(sketch_of(1, 4, 4)),
            R"({"version":1,"logm":15,"sparse":{"indices":[20812342,20850007,22362299,47158030],)"
            R"("values":[1,2,1,1]}})");
  EXPECT_EQ(text_of(sketch_of(1, 6, 4)),
            R"({"version":1,"logm":15,"sparse":{"indices":[20812342,20850007,22362299,40314817,)"
            R"(42650774,47158030],"values":[1,2,1,3,2,1]}})");
  HllSketch wide = sketch_of(1, 2);
  wide.merge(sketch_of(5, 6));
  EXPECT_EQ(text_of(wide),
            R"({"version":1,"logm":15,"sparse":{"indices":[15099259,33107846,37891580,50065963],)"
            R"("values":[2,3,2,1]}})");
  EXPECT_EQ(text_of(HllSketch()), R"({"version":1,"logm":15,"sparse":{"indices":[],"values":[]}})");
}

TEST(HllSketch, HashesBytesAndIntegersAlike) {
  const std::string bytes("\x05\0\0\0\0\0\0\0", 8);
  for (const std::size_t size : {1U, 2U, 4U, 8U}) {
    const HllHash as_bytes = hll_hash(std::string_view(bytes).substr(0, size));
    const HllHash as_number = hll_hash(5, size);
    EXPECT_EQ(as_bytes.first, as_number.first) << size;
    EXPECT_EQ(as_bytes.second, as_number.second) << size;
  }
}

TEST(HllSketch, SmallSetsAreCountedExactly) {
  for (const std::uint64_t count : {0U, 1U, 2U, 10U, 100U, 1000U, 6000U}) {
    const HllSketch sketch = sketch_of(1, count);
    EXPECT_FALSE(sketch.is_dense());
    EXPECT_NEAR(static_cast<double>(sketch.cardinality()), static_cast<double>(count), 2);
  }
}

// Sixty sets of each size, all sizes dense: the mean error says whether the estimate leans to a
// side, its spread whether it is as narrow as 32768 registers allow.
TEST(HllSketch, RelativeErrorStaysWithinTheTheory) {
  const double standard_error = 1.04 / std::sqrt(32768.0);
  std::mt19937_64 random(20261122);
  constexpr int kSets = 60;
  for (const int count : {7000, 20000, 60000, 100000, 300000}) {
    double sum = 0;
    double squares = 0;
    for (int set = 0; set < kSets; ++set) {
      HllSketch sketch;
      for (int i = 0; i < count; ++i) sketch.add(hll_hash(random(), 8));
      ASSERT_TRUE(sketch.is_dense());
      const double error = static_cast<double>(sketch.cardinality()) / count - 1;
      EXPECT_LT(std::abs(error), 4.5 * standard_error) << count << ", set " << set;
      sum += error;
      squares += error * error;
    }
    EXPECT_LT(std::abs(sum / kSets), 3 * standard_error / std::sqrt(kSets)) << count;
    EXPECT_LT(std::sqrt(squares / kSets), 1.3 * standard_error) << count;
  }
}

TEST(HllSketch, MergedIsTheSketchOfTheUnion) {
  struct Ranges {
    std::uint64_t first_end, second_begin, second_end;
  };
  for (const Ranges& each :
       {Ranges{100, 50, 200}, Ranges{5000, 4000, 9000}, Ranges{100, 1, 50000},
        Ranges{50000, 40000, 90000}, Ranges{50000, 1, 10}, Ranges{6144, 6144, 6145}}) {
    const HllSketch whole = sketch_of(1, std::max(each.first_end, each.second_end));
    HllSketch merged = sketch_of(1, each.first_end);
    const HllSketch second = sketch_of(each.second_begin, each.second_end);
    HllSketch other_way = second;
    other_way.merge(merged);
    merged.merge(second);
    EXPECT_EQ(text_of(merged), text_of(whole));
    EXPECT_EQ(text_of(other_way), text_of(whole));
  }
}

TEST(HllSketch, BothFormsAreReadBack) {
  for (const std::uint64_t count : {0U, 1U, 6000U, 6300U, 100000U}) {
    const HllSketch sketch = sketch_of(1, count);
    const std::string text = text_of(sketch);
    EXPECT_EQ(sketch.is_dense(), count > 6144);
    EXPECT_EQ(text.size() == 32768, sketch.is_dense());
    const auto read = HllSketch::parse(text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(text_of(*read), text);
    EXPECT_EQ(read->cardinality(), sketch.cardinality());
  }
}

TEST(HllSketch, ReadsWhatOthersWrite) {
  const auto older = HllSketch::parse(
      " {\"logm\": 15, \"sparse\": {\"indices\": [14523, 9559, 4878], \"values\":[1,2,1]}}\n");
  ASSERT_TRUE(older) << older.error().message;
  EXPECT_EQ(older->cardinality(), 3);
  EXPECT_EQ(text_of(*older),
            R"({"version":1,"logm":15,"sparse":{"indices":[4878,9559,14523],"values":[1,2,1]}})");
}

TEST(HllSketch, DamagedTextIsAnError) {
  const std::string good =
      R"({"version":1,"logm":15,"sparse":{"indices":[20812342,67108863],"values":[1,63]}})";
  ASSERT_TRUE(HllSketch::parse(good));
  for (std::size_t end = 0; end < good.size(); ++end)
    EXPECT_FALSE(HllSketch::parse(good.substr(0, end))) << end;
  for (const char* bad : {"",
                          "{}",
                          "[]",
                          "null",
                          "AAAA",
                          R"({"logm":15})",
                          R"({"logm":15,"sparse":{}})",
                          R"({"version":2,"logm":15,"sparse":{"indices":[],"values":[]}})",
                          R"({"logm":14,"sparse":{"indices":[],"values":[]}})",
                          R"({"sparse":{"indices":[],"values":[]}})",
                          R"({"logm":15,"sparse":{"indices":[1],"values":[]}})",
                          R"({"logm":15,"sparse":{"indices":[67108864],"values":[1]}})",
                          R"({"logm":15,"sparse":{"indices":[1],"values":[64]}})",
                          R"({"logm":15,"sparse":{"indices":[1],"values":[0]}})",
                          R"({"logm":15,"sparse":{"indices":[-1],"values":[1]}})",
                          R"({"logm":15,"sparse":{"indices":[1.5],"values":[1]}})",
                          R"({"logm":15,"sparse":{"indices":[1,],"values":[1]}})",
                          R"({"logm":15,"sparse":{"indices":[1],"values":[1],"values":[1]}})",
                          R"({"logm":15,"dense":{"indices":[],"values":[]}})",
                          R"({"logm":15,"sparse":{"indices":[],"values":[]}} x)"}) {
    const auto read = HllSketch::parse(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().sqlstate, "22P02");
  }
  std::string dense = text_of(sketch_of(1, 10000));
  EXPECT_FALSE(HllSketch::parse(dense.substr(1)));
  EXPECT_FALSE(HllSketch::parse(dense + "A"));
  dense[777] = '*';
  EXPECT_FALSE(HllSketch::parse(dense));
}

}  // namespace
}  // namespace leat::engine
