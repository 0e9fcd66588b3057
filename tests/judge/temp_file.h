// A file in the temporary folder, removed at the end. For tests and benchmarks only.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace leat::judge {

/// Holds `bytes` under a name that ends in `suffix`.
class TempFile {
 public:
  explicit TempFile(std::string_view bytes, const std::string& suffix = ".parquet") {
    path_ = (std::filesystem::temp_directory_path() / ("leat-XXXXXX" + suffix)).string();
    const int fd = mkstemps(path_.data(), static_cast<int>(suffix.size()));
    if (fd < 0) std::abort();
    (void)std::fclose(fdopen(fd, "r"));
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TempFile() { std::filesystem::remove(path_); }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace leat::judge
