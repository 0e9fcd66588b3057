// A database in memory, and what its functions answer. For tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "warehouse/engine/database.h"

namespace leat::engine {

class FunctionFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Database::open({.threads = 1});
    ASSERT_TRUE(opened) << opened.error().message;
    database = std::move(*opened);
    connection = std::move(*database->connect());
  }

  /// "[cell]" of each row, or "SQLSTATE message".
  std::string rows(const std::string& sql) {
    auto rows = connection->query(sql);
    if (!rows) return rows.error().sqlstate + " " + rows.error().message;
    std::string out;
    for (const TextRow& row : *rows) out += "[" + row[0].value_or("NULL") + "]";
    return out;
  }

  std::unique_ptr<Database> database;
  std::unique_ptr<Connection> connection;
};

}  // namespace leat::engine
