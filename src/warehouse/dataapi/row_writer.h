// Rows of the session as the Data API shows them: Field unions in JSON, or lines of CSV; and the
// metadata of their columns.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/dataapi/result_pages.h"
#include "warehouse/session/result.h"

namespace leat::dataapi {

enum class ResultFormat : std::uint8_t { kJson, kCsv };

/// A column as ColumnMetadata has it.
struct ColumnMetadata {
  std::string name{};
  std::string type_name{};
  std::string schema_name{};
  std::string table_name{};
  std::string column_default{};
  std::int64_t precision = 0;
  std::int64_t scale = 0;
  std::int64_t length = 0;
  std::int64_t nullable = 1;
  bool is_signed = false;
  bool is_case_sensitive = false;
};

[[nodiscard]] ColumnMetadata metadata_of(const session::Field& field);
/// The JSON array of them.
[[nodiscard]] std::string metadata_json(std::span<const ColumnMetadata> columns);

/// Takes one statement's rows into `pages`, and remembers its tag. One thread.
class RowWriter final : public session::ResultSink {
 public:
  /// `pages` may be null: rows are not expected then.
  RowWriter(ResultFormat format, std::span<const session::Field> fields, ResultPages* pages);

  bool on_fields(std::span<const session::Field> fields) override;
  bool on_rows(const engine::Chunk& chunk, std::size_t first, std::size_t count) override;
  bool on_complete(std::string_view tag) override;
  bool on_empty() override { return true; }
  void on_notice(session::Severity severity, std::string_view sqlstate,
                 std::string_view message) override;
  void on_setting(std::string_view name, std::string_view value) override;

  /// Why the rows were refused, when they were.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] const std::string& tag() const { return tag_; }

 private:
  ResultFormat format_;
  std::vector<std::uint32_t> types_;
  ResultPages* pages_;
  std::string row_;
  std::string cell_;
  std::string tag_;
  std::optional<Error> error_;
};

/// Rows that a command tag counts ("INSERT 0 3", "COPY 7"); 0 for the others. Pure; any thread.
[[nodiscard]] std::int64_t rows_of_tag(std::string_view tag);

}  // namespace leat::dataapi
