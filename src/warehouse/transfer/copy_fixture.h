// A warehouse with a folder store, for the tests of this module.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/directory_object_store.h"
#include "warehouse/engine/blank_marks.h"
#include "warehouse/engine/database.h"
#include "warehouse/transfer/byte_stream.h"
#include "warehouse/transfer/copy.h"
#include "warehouse/transfer/target_type.h"

namespace leat::transfer {

inline sql::TypeName type_of(sql::TypeKind kind, int length = -1, int precision = -1,
                             int scale = -1) {
  sql::TypeName out;
  out.kind = kind;
  out.length = length;
  out.precision = precision;
  out.scale = scale;
  return out;
}
inline sql::TypeName varchar(int length) {
  return type_of(sql::TypeKind::kVarchar, length);
}

/// A file of the folder testdata.
inline std::string testdata(const std::string& name) {
  std::ifstream in(std::string(LEAT_TESTDATA) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// All of the stream; nothing after an error.
inline std::optional<std::string> drained(std::unique_ptr<ByteStream> stream) {
  std::string out;
  std::string piece(1000, ' ');
  while (true) {
    const auto got = stream->read(piece);
    if (!got) return std::nullopt;
    if (*got == 0) return out;
    out.append(piece, 0, *got);
  }
}

class CopyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "leat-copy-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    store =
        std::move(*io::DirectoryObjectStore::open({.files = nullptr, .root = root_ + "/store"}));
    database =
        std::move(*engine::Database::open({.path = root_ + "/warehouse.db",
                                           .threads = 2,
                                           .directories = {root_ + "/store", root_ + "/scratch"}}));
    std::filesystem::create_directory(root_ + "/scratch");
    connection = std::move(*database->connect());
  }
  void TearDown() override {
    connection.reset();
    database.reset();
    std::filesystem::remove_all(root_);
  }

  void put(const std::string& key, std::string_view bytes) {
    ASSERT_TRUE(store->put("s3://bucket/" + key, bytes));
  }

  /// Makes table t of the columns.
  void create(std::vector<TargetColumn> columns) {
    std::string sql = "create or replace table t(";
    for (const TargetColumn& column : columns) {
      if (&column != &columns.front()) sql += ", ";
      sql += engine::quote_identifier(column.name) + " " + engine_type(column.type);
      if (!column.nullable) sql += " not null";
    }
    ASSERT_TRUE(connection->run(sql + ")"));
    target = {.name = "t", .engine_name = "t", .columns = std::move(columns)};
  }

  CopyReport copy(const sql::CopyStatement& statement) {
    return run_copy(statement, target, *connection, *store, options);
  }

  /// All rows of the query as "a|b|NULL" lines.
  std::string rows(const std::string& sql = "select * from t") {
    auto all = connection->query(sql);
    if (!all) return all.error().sqlstate + " " + all.error().message;
    std::string out;
    for (const engine::TextRow& row : *all) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0) out += '|';
        out += row[i].value_or("NULL");
      }
      out += '\n';
    }
    return out;
  }

  std::string root_;
  std::unique_ptr<io::DirectoryObjectStore> store;
  std::unique_ptr<engine::Database> database;
  std::unique_ptr<engine::Connection> connection;
  CopyTarget target;
  CopyOptions options;
};

/// Tests that load one file at a time.
class FileCopyTest : public CopyTest {
 protected:
  using Change = std::function<void(sql::CopyStatement&)>;

  /// Loads `bytes` as one file into the emptied table t; the report stays in `report`. The table's
  /// rows, or the errors as "line:column:code reason" lines.
  std::string load_file(std::string_view bytes, sql::FileFormat format, const Change& change) {
    EXPECT_TRUE(connection->run("delete from t"));
    put("file", bytes);
    sql::CopyStatement statement;
    statement.source = "s3://bucket/file";
    statement.format = format;
    if (format == sql::FileFormat::kJson) statement.format_argument = "auto";
    if (change) change(statement);
    report = copy(statement);
    if (!report.error) return rows();
    if (report.errors.empty()) return report.error->sqlstate + " " + report.error->message;
    std::string out;
    for (const LoadError& error : report.errors) {
      out += fmt::format("{}:{}:{} {}\n", error.line_number, error.column_name, error.code,
                         error.reason);
    }
    return out;
  }

  CopyReport report;
};

}  // namespace leat::transfer
