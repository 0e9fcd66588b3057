// The embedded warehouse with its real server on a free port of loopback.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/object_store.h"
#include "pipeline/load/destination.h"

namespace leat::session {
class Warehouse;
}

namespace leat::load_test {

class TestWarehouse {
 public:
  /// `store` is what COPY reads; its root is a folder the warehouse may read directly. In memory
  /// where no folder for its file is given.
  TestWarehouse(io::ObjectStore& store, const std::string& root,
                const std::string& data_directory = {});
  ~TestWarehouse();
  TestWarehouse(const TestWarehouse&) = delete;
  TestWarehouse& operator=(const TestWarehouse&) = delete;

  [[nodiscard]] load::DestinationSettings settings() const;
  /// For a server of another kind before it.
  [[nodiscard]] session::Warehouse& warehouse() const;

  /// Rows of a query of the administrator, as "a|b|NULL" each; a failure is one row "ERROR ...".
  /// One thread.
  std::vector<std::string> ask(const std::string& sql) const;

  /// Drops the schema, with everything in it, and the ledger.
  void reset(const std::string& schema) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Every table of the schema with all its rows but for the columns that say when and how they were
/// loaded, and the ledger's books of the schema's source: equal exactly when two loads ended in the
/// same warehouse.
[[nodiscard]] std::string digest(const TestWarehouse& warehouse, const std::string& schema);

}  // namespace leat::load_test
