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
  explicit FunctionFixture(int threads = 1) : threads_(threads) {}
  void SetUp() override {
    auto opened = Database::open({.threads = threads_});
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

 private:
  int threads_;
};

}  // namespace leat::engine
