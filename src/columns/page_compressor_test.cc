#include "columns/page_compressor.h"

#include <gtest/gtest.h>
#include <snappy-c.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "columns/snappy_words.h"

namespace leat::columns {
namespace {

/// What Snappy itself makes of a block; "not snappy" for what is none.
std::string uncompressed(std::string_view block) {
  std::size_t size = 0;
  if (snappy_uncompressed_length(block.data(), block.size(), &size) != SNAPPY_OK) {
    return "not snappy";
  }
  std::string out(size, '\0');
  return snappy_uncompress(block.data(), block.size(), out.data(), &size) == SNAPPY_OK
             ? out
             : "not snappy";
}

std::string words_of(std::size_t count, const std::function<std::int64_t(std::int64_t)>& make) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t word = make(static_cast<std::int64_t>(i));
    out.append(reinterpret_cast<const char*>(&word), 8);
  }
  return out;
}

std::string compressed_words(const std::string& raw) {
  std::string out(compressed_words_max(raw.size()), '\0');
  const std::size_t size = compress_words(raw, out.data());
  EXPECT_LE(size, out.size());
  out.resize(size);
  return out;
}

TEST(SnappyWords, SnappyReadsThemBack) {
  SeededRandom random(1);
  const auto below = [&](std::uint64_t bound) {
    return
        [&random, bound](std::int64_t) { return static_cast<std::int64_t>(random.below(bound)); };
  };
  const struct {
    const char* name;
    std::function<std::int64_t(std::int64_t)> make;
    double ratio_max;  // of the bytes written to those given, for many words
  } cases[] = {
      {"constant", [](auto) { return 7; }, 0.27},
      {"counted", [](auto i) { return 1'000'000 + i; }, 0.51},
      {"negative", [](auto i) { return -i * 3; }, 0.51},
      {"small", below(1'000), 0.7},
      {"a million", below(1'000'000), 0.65},
      {"a billion", below(1'000'000'000), 0.9},
      {"times", [](auto i) { return 1'795'000'000'000'000 + i * 1'000'003; }, 0.8},
      {"anything", [&](auto) { return static_cast<std::int64_t>(random.next()); }, 1.03},
      {"mixed", [&](auto i) { return i % 3 == 0 ? 5 : static_cast<std::int64_t>(random.next()); },
       1.03},
  };
  for (const auto& c : cases) {
    for (const std::size_t count : {0U, 1U, 2U, 7U, 255U, 256U, 257U, 5000U}) {
      for (const std::size_t odd : {0U, 1U, 7U, 9U}) {
        const std::string raw = std::string(odd, '\x05') + words_of(count, c.make);
        const std::string block = compressed_words(raw);
        ASSERT_EQ(uncompressed(block), raw) << c.name << " " << count << " " << odd;
        if (count < 5000) continue;
        EXPECT_LT(static_cast<double>(block.size()), c.ratio_max * static_cast<double>(raw.size()))
            << c.name;
      }
    }
  }
}

TEST(PageCompressor, StoresWhatDoesNotShrinkAndTriesAgain) {
  SeededRandom random(2);
  PageCompressor compressor({.codec = Codec::kSnappy});
  const auto compress = [&](const std::string& raw, PageKind kind) {
    const auto page = compressor.compress(raw, kind);
    EXPECT_TRUE(page);
    const std::string whole = std::string(page->head) + std::string(page->body);
    EXPECT_EQ(page->size(), whole.size());
    EXPECT_EQ(uncompressed(whole), raw);
    return whole.size();
  };
  const std::string noise =
      words_of(9'000, [&](auto) { return static_cast<std::int64_t>(random.next()); });
  const std::string plain(72'000, 'a');
  EXPECT_GT(compress(noise, PageKind::kTexts), noise.size());
  EXPECT_GT(compress(plain, PageKind::kTexts), plain.size()) << "stored, as the one before";
  EXPECT_EQ(compress("", PageKind::kTexts), 1U);
  EXPECT_LT(compress(plain, PageKind::kDictionary), plain.size() / 10) << "another kind";
  EXPECT_GT(compress(noise, PageKind::kTexts), noise.size());
  int stored = 0;
  while (compress(plain, PageKind::kTexts) > plain.size()) ASSERT_LT(++stored, 100);
  EXPECT_GT(stored, 10);
  EXPECT_GT(compress(noise, PageKind::kTexts), noise.size());
  compressor.start_chunk();
  EXPECT_LT(compress(plain, PageKind::kTexts), plain.size() / 10) << "a new chunk";
}

}  // namespace
}  // namespace leat::columns
