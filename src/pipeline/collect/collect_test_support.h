// What the collector's tests share.
#pragma once

#include <gtest/gtest.h>
#include <libdeflate.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/event/line.h"

namespace leat::collect {

inline std::string gzip(std::string_view text) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(6), &libdeflate_free_compressor);
  std::string out(libdeflate_gzip_compress_bound(compressor.get(), text.size()), '\0');
  out.resize(
      libdeflate_gzip_compress(compressor.get(), text.data(), text.size(), out.data(), out.size()));
  return out;
}

/// Lines of the journal, read back. Their views are into `text`.
inline std::vector<event::Line> read_lines(std::string_view text) {
  std::vector<event::Line> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    auto line = event::parse_line(text.substr(0, end));
    EXPECT_TRUE(line) << text.substr(0, end);
    if (!line) return lines;
    lines.push_back(std::move(*line));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace leat::collect
