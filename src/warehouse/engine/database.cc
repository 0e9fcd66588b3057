#include "warehouse/engine/database.h"

#include <fmt/format.h>
#include <malloc.h>

#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/text.h"
#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {

namespace {

using Setting = std::pair<std::string, std::string>;

std::vector<Setting> settings_of(const DatabaseOptions& options) {
  std::vector<Setting> out{
      {"integer_division", "true"},
      {"default_null_order", "nulls_last_on_asc_first_on_desc"},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"allow_community_extensions", "false"},
      {"allow_unsigned_extensions", "false"},
      {"allow_persistent_secrets", "false"},
      // Staged files are read once: keeping their bytes would only push table data out.
      {"enable_external_file_cache", "false"},
      // Encodings of the pinned library: smaller files and faster loads than its default of 2024.
      {"storage_compatibility_version", "latest"},
  };
  if (options.threads > 0) out.emplace_back("threads", std::to_string(options.threads));
  if (options.memory_bytes_max > 0) {
    out.emplace_back("memory_limit", fmt::format("{}B", options.memory_bytes_max));
  }
  std::string temp_directory = options.temp_directory;
  if (temp_directory.empty() && !options.path.empty()) temp_directory = options.path + ".tmp";
  out.emplace_back("temp_directory", temp_directory);
  if (options.temp_bytes_max > 0) {
    out.emplace_back("max_temp_directory_size", fmt::format("{}B", options.temp_bytes_max));
  }
  out.emplace_back("checkpoint_threshold", fmt::format("{}B", options.checkpoint_bytes));
  out.insert(out.end(), options.settings.begin(), options.settings.end());
  return out;
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

std::unexpected<Error> open_error(const std::string& path, std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  if (contains_any(text, {"Could not set lock", "Conflicting lock"})) {
    return fail(Errc::kConflict,
                fmt::format("opening the database: another process has it open; {}; stop that "
                            "process or choose another data directory",
                            path));
  }
  if (contains_any(text, {"not a valid DuckDB", "orrupt", "hecksum", "Serialization Error",
                          "replaying WAL", "Failed to deserialize", "INTERNAL Error",
                          "file is smaller", "Could not read enough bytes", "FATAL Error",
                          "version number", "Out of Range Error", "failed to read"})) {
    return fail(Errc::kCorrupt,
                fmt::format("the warehouse's file is damaged or not one of Leat's; {}: {}; move it "
                            "away, then restore a backup with: leat warehouse restore FILE (or "
                            "start without one: the archive is loaded again)",
                            path, line));
  }
  if (contains_any(text, {"No such file", "does not exist"})) {
    return fail(Errc::kNotFound, fmt::format("opening the database: {}: {}", path, line));
  }
  if (contains_any(text, {"Permission denied"})) {
    return fail(Errc::kDenied, fmt::format("opening the database: {}: {}", path, line));
  }
  if (contains_any(text, {"No space left"})) {
    return fail(Errc::kExhausted, fmt::format("opening the database: {}: {}", path, line));
  }
  if (contains_any(text, {"Invalid Input Error", "Parser Error"})) {
    return fail(Errc::kInvalid, fmt::format("opening the database: {}", line));
  }
  return fail(Errc::kUnavailable, fmt::format("opening the database: {}: {}", path, line));
}

std::string bytes_list(const std::vector<std::string>& directories) {
  std::string out = "[";
  for (std::string directory : directories) {
    if (!directory.ends_with('/')) directory += '/';
    if (out.size() > 1) out += ", ";
    out += quote_literal(directory);
  }
  return out + "]";
}

/// Opens the handle with its settings.
Result<duckdb_database> open_handle(const DatabaseOptions& options) {
  duckdb_config config = nullptr;
  if (duckdb_create_config(&config) != DuckDBSuccess) {
    return fail(Errc::kBug, "opening the database: no configuration could be made");
  }
  for (const auto& [name, value] : settings_of(options)) {
    if (duckdb_set_config(config, name.c_str(), value.c_str()) == DuckDBSuccess) continue;
    duckdb_destroy_config(&config);
    return fail(Errc::kInvalid,
                fmt::format("opening the database: setting {} cannot be {}", name, value));
  }
  duckdb_database database = nullptr;
  char* text = nullptr;
  const duckdb_state state = duckdb_open_ext(options.path.empty() ? nullptr : options.path.c_str(),
                                             &database, config, &text);
  duckdb_destroy_config(&config);
  if (state == DuckDBSuccess) return database;
  const std::string message = text == nullptr ? "no reason was given" : text;
  duckdb_free(text);
  return open_error(options.path, message);
}

}  // namespace

Database::Database(std::shared_ptr<DatabaseState> state) : state_(std::move(state)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options) {
  if (options.path.find('\0') != std::string::npos) {
    return fail(Errc::kInvalid, "opening the database: the path holds a zero byte");
  }
  LEAT_ASSIGN(duckdb_database handle, open_handle(options));
  auto state = std::make_shared<DatabaseState>();
  state->database = handle;
  state->checkpoint_bytes = options.checkpoint_bytes;
  std::unique_ptr<Database> database(new Database(state));
  auto connection = database->connect();
  if (!connection) return fail(Errc::kBug, "opening the database: " + connection.error().message);
  SqlStatus ready = register_sources(state, (*connection)->state_->connection);
  if (ready) ready = register_length_checks((*connection)->state_->connection);
  if (ready) ready = register_decimal_division((*connection)->state_->connection);
  if (ready) ready = add_hash_functions(*database);
  if (ready) ready = add_format_functions(*database);
  // The order matters: the directories cannot be changed once access outside of them is off.
  for (const std::string& sql :
       {std::string("SET GLOBAL TimeZone = 'UTC'"),
        "SET GLOBAL allowed_directories = " + bytes_list(options.directories),
        std::string("SET GLOBAL enable_external_access = false")}) {
    if (ready) ready = (*connection)->state_->run_raw(sql.c_str());
  }
  if (!ready) {
    return fail(Errc::kInvalid, fmt::format("opening the database: {}", ready.error().message));
  }
  return database;
}

SqlResult<std::unique_ptr<Connection>> Database::connect() {
  auto state = std::make_unique<Connection::State>();
  state->database = state_;
  if (duckdb_connect(state_->database, &state->connection) != DuckDBSuccess) {
    return fail_sql("08006", "the engine accepts no further connection");
  }
  return std::unique_ptr<Connection>(new Connection(std::move(state)));
}

Status Database::attach(std::string_view name, std::string_view path) {
  const auto connection = connect();
  if (!connection) return fail(Errc::kBug, "opening a database: " + connection.error().message);
  const std::string sql =
      fmt::format("ATTACH {} AS {}", quote_literal(path), quote_identifier(name));
  duckdb_result result;
  Status attached;
  if (duckdb_query((*connection)->state_->connection, sql.c_str(), &result) != DuckDBSuccess) {
    const char* text = duckdb_result_error(&result);
    attached = open_error(std::string(path), text == nullptr ? "no reason was given" : text);
  }
  duckdb_destroy_result(&result);
  return attached;
}

SqlStatus Database::detach(std::string_view name) {
  LEAT_ASSIGN(const std::unique_ptr<Connection> connection, connect());
  LEAT_TRY(connection->run(fmt::format("DETACH {}", quote_identifier(name))));
  return {};
}

SqlStatus Database::hold_checkpoints() {
  const std::lock_guard lock(state_->holds_mutex);
  if (state_->holds == 0) {
    LEAT_ASSIGN(const std::unique_ptr<Connection> connection, connect());
    LEAT_TRY(connection->run("SET GLOBAL checkpoint_threshold = '1000000 TiB'"));
  }
  ++state_->holds;
  return {};
}

void Database::release_checkpoints() {
  const std::lock_guard lock(state_->holds_mutex);
  if (--state_->holds > 0) return;
  // A large WAL moves into the file with the next transaction that ends.
  auto connection = connect();
  if (connection) {
    static_cast<void>((*connection)
                          ->run(fmt::format("SET GLOBAL checkpoint_threshold = '{}B'",
                                            state_->checkpoint_bytes)));
  }
}

SqlStatus Database::checkpoint() {
  const std::lock_guard lock(state_->holds_mutex);
  if (state_->holds > 0) return {};
  LEAT_ASSIGN(const std::unique_ptr<Connection> connection, connect());
  auto done = connection->run("CHECKPOINT");
  if (done) return {};
  // Refused while other transactions are active: the last of them to end checkpoints by itself.
  if (done.error().sqlstate == "40001") return {};
  return std::unexpected(std::move(done).error());
}

std::string Database::engine_version() {
  std::string_view version = duckdb_library_version();
  if (version.starts_with('v')) version.remove_prefix(1);
  return std::string(version);
}

void tune_allocator() {
  // Freed memory stays in the process: fresh pages are dear in a virtual machine (zeroing, faults).
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  mallopt(M_TOP_PAD, 16 << 20);
  mallopt(M_ARENA_MAX, 4);
}

}  // namespace leat::engine
