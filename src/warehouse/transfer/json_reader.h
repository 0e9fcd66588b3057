// Splits a file into JSON values, and picks the parts of a value that a COPY's columns take.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "warehouse/transfer/byte_stream.h"
#include "warehouse/transfer/field.h"

namespace leat::transfer {

/// Walks over the top-level values of one file; they may be separated by white space only.
class JsonSplitter {
 public:
  JsonSplitter(std::unique_ptr<ByteStream> stream, std::uint64_t row_bytes_max);

  [[nodiscard]] engine::SqlStatus skip_lines(std::int64_t count);
  /// The next object or array, as it stands in the file; false at the end. What is neither (garbage
  /// between values) comes out up to its line's end, with `error` set. The view lives until the
  /// next call.
  [[nodiscard]] engine::SqlResult<bool> next(std::string_view& value,
                                             std::optional<FieldError>& error);
  /// Line of the last byte of the value that next() gave, from 1.
  [[nodiscard]] std::int64_t line_number() const { return line_; }

 private:
  [[nodiscard]] engine::SqlResult<bool> fill();
  /// Size of the value at start_; nothing when it is not all in the buffer.
  [[nodiscard]] std::optional<std::size_t> value_size();
  void take(std::size_t size);
  [[nodiscard]] engine::SqlResult<bool> discard(std::string_view& value);

  std::unique_ptr<ByteStream> stream_;
  std::uint64_t row_bytes_max_;
  std::string buffer_;
  std::size_t start_ = 0;
  std::size_t next_ = 0;
  bool at_end_ = false;
  std::int64_t line_ = 1;
  std::int64_t line_next_ = 1;
  std::string head_;  // of a value that was too long to keep
  // Where scanning of the value at start_ stopped for want of bytes.
  std::size_t scanned_ = 0;
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

/// A step of a path: a member's name or an element's index.
using JsonStep = std::variant<std::string, std::size_t>;
using JsonPath = std::vector<JsonStep>;

/// Reads one path: $['a'][0], $.a.b[1]. Errors: XX000. Pure; any thread.
[[nodiscard]] engine::SqlResult<JsonPath> parse_json_path(std::string_view text);

/// Reads a jsonpaths file. Nothing when its member is not called "jsonpaths", which makes COPY act
/// as with 'auto'.
[[nodiscard]] engine::SqlResult<std::optional<std::vector<JsonPath>>> parse_json_paths(
    std::string_view text);

/// How values go to columns.
struct JsonMapping {
  bool ignore_case = false;
  bool whole = false;  ///< 'noshred': the value as it is into the only column.
  std::optional<std::vector<JsonPath>> paths = {};
};

/// Converts one JSON value into the current cells of `columns`. One thread.
class JsonRow {
 public:
  JsonRow(const JsonMapping& mapping, std::vector<FieldConverter>& columns);
  ~JsonRow();
  JsonRow(const JsonRow&) = delete;
  JsonRow& operator=(const JsonRow&) = delete;

  struct Failure {
    FieldError error;
    std::optional<std::size_t> column;
    std::string value;
  };
  /// Reads `value` (an object or array) into all columns.
  [[nodiscard]] std::optional<Failure> read(std::string_view value);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace leat::transfer
