// Files of "input line, => output line": read, compared, and rewritten when LEAT_UPDATE_TESTDATA is
// set.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

namespace leat::sql {

inline bool updating_testdata() {
  return std::filesystem::exists(std::string(LEAT_TESTDATA) + "/update");
}

inline void check_golden(const std::string& name,
                         const std::function<std::string(const std::string&)>& produce) {
  const std::string path = std::string(LEAT_TESTDATA) + "/" + name;
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  const bool update = updating_testdata();
  std::string rewritten;
  std::string line;
  std::string input;
  int checked = 0;
  while (std::getline(file, line)) {
    if (line.starts_with("=> ")) {
      if (update) continue;
      ++checked;
      EXPECT_EQ("=> " + produce(input), line) << input;
      continue;
    }
    rewritten += line + "\n";
    if (line.empty() || line.starts_with("#")) continue;
    input = line;
    if (update) rewritten += "=> " + produce(input) + "\n";
  }
  if (update) {
    std::ofstream(path) << rewritten;
    return;
  }
  EXPECT_GT(checked, 10) << path;
}

/// Gives every input line of the file to `use`.
inline void check_golden_inputs(const std::string& name,
                                const std::function<void(const std::string&)>& use) {
  std::ifstream file(std::string(LEAT_TESTDATA) + "/" + name);
  ASSERT_TRUE(file) << name;
  std::string line;
  while (std::getline(file, line)) {
    if (!line.empty() && !line.starts_with("#") && !line.starts_with("=> ")) use(line);
  }
}

}  // namespace leat::sql
