// The rows of one statement, encoded once as the pages that clients fetch.
//
// Small results stay in memory; a larger one goes to a file of its own that is removed with it.
// Nothing survives the process.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace leat::io {
class File;
class FileSystem;
}  // namespace leat::io

namespace leat::dataapi {

struct ResultLimits {
  std::size_t page_bytes = std::size_t{1} << 20;     ///< A page is full from here on.
  std::size_t memory_bytes = std::size_t{64} << 10;  ///< Above, the result goes to a file.
  std::uint64_t result_bytes_max = 100'000'000;      ///< One statement's rows.
  std::size_t row_bytes_max = 64 * 1024;             ///< One row's values, as text.
};

/// Bytes of all results together. Any thread.
class ResultBudget {
 public:
  /// `make_room` is called, from any thread, when `bytes_max` is passed; it drops old results.
  ResultBudget(std::uint64_t bytes_max, std::function<void()> make_room)
      : bytes_max_(bytes_max), make_room_(std::move(make_room)) {}
  /// False: full, and no room could be made.
  [[nodiscard]] bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { used_ -= bytes; }
  [[nodiscard]] std::uint64_t used() const { return used_; }
  [[nodiscard]] bool over() const { return used_ > bytes_max_; }

 private:
  std::uint64_t bytes_max_;
  std::function<void()> make_room_;
  std::atomic<std::uint64_t> used_{0};
};

/// Filled by one thread, then read by any.
class ResultPages {
 public:
  struct Options {
    io::FileSystem* files = nullptr;  ///< Borrowed.
    std::string path{};               ///< Of the file, should one be needed. Empty: memory only.
    ResultLimits limits{};
    ResultBudget* budget = nullptr;  ///< Borrowed; nothing: not counted.
    std::string_view separator{};    ///< Between rows of a page; static storage.
  };

  explicit ResultPages(Options options);
  ResultPages(const ResultPages&) = delete;
  ResultPages& operator=(const ResultPages&) = delete;
  ~ResultPages();

  /// Errors: kExhausted when the result, or all results together, pass their limit, or the disk is
  /// full; the message is what the client reads.
  /// `value_bytes`: of the row's values alone.
  [[nodiscard]] Status add_row(std::string_view row, std::size_t value_bytes);
  [[nodiscard]] Status finish();

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t page_count() const { return pages_.size(); }
  /// The encoded rows of page `index` < page_count(). Errors: those of the file.
  [[nodiscard]] Result<std::string> page(std::size_t index) const;

 private:
  struct Page {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };
  [[nodiscard]] Status spill();

  Options options_;
  std::vector<Page> pages_;
  std::string memory_;            // what is not in the file
  std::uint64_t file_bytes_ = 0;  // what is
  std::unique_ptr<io::File> file_;
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
  bool page_open_ = false;
};

}  // namespace leat::dataapi
