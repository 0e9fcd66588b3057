#include "test_warehouse.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "warehouse/pgwire/server.h"
#include "warehouse/session/warehouse.h"

namespace leat::load_test {

struct TestWarehouse::State {
  std::unique_ptr<session::Warehouse> warehouse;
  std::unique_ptr<pgwire::Server> server;
  load::DestinationSettings settings;
  std::unique_ptr<load::Connection> asking;
};

TestWarehouse::TestWarehouse(io::ObjectStore& store, const std::string& root,
                             const std::string& data_directory)
    : state_(std::make_unique<State>()) {
  session::WarehouseOptions options;
  options.data_directory = data_directory;
  options.admin_password = "Correct-Horse-1";
  options.threads = 1;
  options.directories = {root};
  options.object_store = &store;
  auto warehouse = session::Warehouse::open(std::move(options));
  LEAT_CHECK(warehouse.has_value());
  state_->warehouse = std::move(*warehouse);
  pgwire::ServerOptions listening;
  listening.listen = "127.0.0.1:0";
  listening.tls = false;
  auto server = pgwire::Server::start(listening, *state_->warehouse);
  LEAT_CHECK(server.has_value());
  state_->server = std::move(*server);
  state_->settings.port = state_->server->port();
  state_->settings.password = "Correct-Horse-1";
  state_->settings.sslmode = "disable";
  state_->settings.statement_timeout_ms = 300'000;
}

TestWarehouse::~TestWarehouse() {
  state_->asking.reset();
  state_->server->stop(0);
}

load::DestinationSettings TestWarehouse::settings() const {
  return state_->settings;
}

session::Warehouse& TestWarehouse::warehouse() const {
  return *state_->warehouse;
}

std::vector<std::string> TestWarehouse::ask(const std::string& sql) const {
  auto& connection = state_->asking;
  if (!connection || !connection->is_open()) {
    auto opened = load::connect_postgres(state_->settings, {});
    if (!opened) return {"ERROR " + opened.error().message};
    connection = std::move(*opened);
  }
  const auto rows = connection->run(sql, {});
  if (!rows) return {fmt::format("ERROR {} {}", rows.error().sqlstate, rows.error().message)};
  std::vector<std::string> out;
  for (const auto& row : rows->rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += '|';
      line += row[i].value_or("NULL");
    }
    out.push_back(std::move(line));
  }
  return out;
}

void TestWarehouse::reset(const std::string& schema) const {
  for (const std::string& name : {schema, std::string("leat")}) {
    const auto failed = ask(fmt::format("DROP SCHEMA IF EXISTS \"{}\" CASCADE", name));
    LEAT_CHECK(failed.empty());
  }
}

std::string digest(const TestWarehouse& warehouse, const std::string& schema) {
  std::string out;
  for (const std::string& table : warehouse.ask(fmt::format(
           "SELECT DISTINCT table_name FROM svv_columns WHERE table_schema = '{}' ORDER BY 1",
           schema))) {
    std::vector<std::string> columns = warehouse.ask(fmt::format(
        "SELECT column_name FROM svv_columns WHERE table_schema = '{}' AND table_name = '{}'",
        schema, table));
    std::ranges::sort(columns);
    std::string list;
    for (const std::string& column : columns) {
      if (column == "uuid_ts") continue;
      list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", column);
    }
    out += fmt::format("== {} ({})\n", table, list);
    std::vector<std::string> rows =
        warehouse.ask(fmt::format("SELECT {} FROM \"{}\".\"{}\"", list, schema, table));
    std::ranges::sort(rows);
    for (const std::string& row : rows) out += row + "\n";
  }
  out += "== books\n";
  for (const std::string& row :
       warehouse.ask("SELECT batch_id, received, loaded, deduplicated, rescued, excluded, "
                     "values_rescued, table_rows FROM leat.batches "
                     "WHERE hour IS NOT NULL ORDER BY batch_id")) {
    out += row + "\n";
  }
  return out;
}

}  // namespace leat::load_test
