#include "warehouse/engine/database.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sched.h>
#include <sys/sysinfo.h>

#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/text.h"
#include "warehouse/engine/duckdb_bridge.h"
#include "warehouse/engine/encryption.h"
#include "warehouse/engine/log_header.h"

namespace leat::engine {

namespace {

using Setting = std::pair<std::string, std::string>;

/// How many workers DuckDB is told to have; 0: it counts the machine's processors itself. It does
/// not see that a process may use a part of them only, and workers beyond that part only take it
/// from the others while they wait.
int workers_of(const DatabaseOptions& options) {
  if (options.threads > 0) return options.threads;
  cpu_set_t usable;
  CPU_ZERO(&usable);
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return 0;
  const int count = CPU_COUNT(&usable);
  return count < get_nprocs() ? count : 0;
}

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
  if (const int workers = workers_of(options); workers > 0)
    out.emplace_back("threads", std::to_string(workers));
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

std::unexpected<Error> key_error(const std::string& path, std::string_view what) {
  return fail(Errc::kDenied, fmt::format("opening the database: {} {}", path, what));
}

std::unexpected<Error> open_error(const std::string& path, std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  if (contains_any(text, {"Wrong encryption key"})) {
    return key_error(path,
                     "is encrypted with another key: name the file of its key in "
                     "warehouse.encryption_key_file (of a key before: with --old-key)");
  }
  if (contains_any(text, {"Cannot open encrypted database"})) {
    return key_error(path,
                     "is encrypted: name the file of its key in warehouse.encryption_key_file (of "
                     "a key before: with --old-key)");
  }
  if (contains_any(text, {"is not encrypted"})) {
    return key_error(path,
                     "is not encrypted, and there is a key (warehouse.encryption_key_file): "
                     "encrypt it with: leat warehouse encrypt");
  }
  if (contains_any(text, {"Could not set lock", "Conflicting lock"})) {
    return fail(Errc::kConflict,
                fmt::format("opening the database: another process has it open; {}; stop that "
                            "process or choose another data directory",
                            path));
  }
  if (contains_any(text, {"not a valid DuckDB", "orrupt", "hecksum", "Serialization Error",
                          "replaying WAL", "Failed to deserialize", "INTERNAL Error",
                          "file is smaller", "Could not read enough bytes", "FATAL Error",
                          "version number", "Out of Range Error", "failed to read", "AES tag"})) {
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
  // A file with a key can only be attached to one that has none.
  const bool in_memory = options.path.empty() || !options.key.empty();
  if (!in_memory) LEAT_TRY(check_log(options.path));
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
  const duckdb_state state =
      duckdb_open_ext(in_memory ? nullptr : options.path.c_str(), &database, config, &text);
  duckdb_destroy_config(&config);
  if (state == DuckDBSuccess) return database;
  const std::string message = text == nullptr ? "no reason was given" : text;
  duckdb_free(text);
  return open_error(options.path, message);
}

/// Runs a statement that holds the key; no error shows it.
Status attach_file(duckdb_connection connection, std::string_view name, const std::string& path,
                   const std::string& key) {
  LEAT_TRY(check_log(path));
  std::string sql = "ATTACH " + quote_literal(path);
  if (!name.empty()) sql += " AS " + quote_identifier(name);
  // DuckDB takes no key for what is in memory, and writes none of it to a disk.
  if (!key.empty() && path != ":memory:") sql += " (ENCRYPTION_KEY " + quote_literal(key) + ")";
  duckdb_result result;
  Status attached;
  if (duckdb_query(connection, sql.c_str(), &result) != DuckDBSuccess) {
    const char* text = duckdb_result_error(&result);
    std::string shown = text == nullptr ? "no reason was given" : text;
    for (std::size_t at = 0; !key.empty() && (at = shown.find(key, at)) != std::string::npos;)
      shown.replace(at, key.size(), "***");
    attached = open_error(path, shown);
  }
  duckdb_destroy_result(&result);
  return attached;
}

/// Opens the first of the encrypted files, and lets connections begin there.
Status attach_main(DatabaseState& state, Connection& connection, Connection::State& raw,
                   const std::string& path) {
  // The name of the empty one in memory, to which it is attached; DuckDB keeps two more.
  if (std::filesystem::path(path).stem() == "memory") {
    return fail(Errc::kInvalid,
                "an encrypted database cannot be called memory: choose another name "
                "(warehouse.database)");
  }
  LEAT_TRY(attach_file(raw.connection, {}, path, state.key));
  const auto named =
      connection.query("SELECT database_name FROM duckdb_databases() WHERE path IS NOT NULL");
  if (!named || named->size() != 1)
    return fail(Errc::kBug, "opening the database: its name is not known");
  state.main = named->front().front().value_or("");
  if (!connection.run("USE " + quote_identifier(state.main)))
    return fail(Errc::kBug, "opening the database: it cannot be used");
  return {};
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
  state->key = options.key;
  if (!options.key.empty() || options.encryption) LEAT_TRY(load_encryption(**connection));
  if (!options.key.empty() && !options.path.empty())
    LEAT_TRY(attach_main(*state, **connection, *(*connection)->state_, options.path));
  SqlStatus ready = register_sources(state, (*connection)->state_->connection);
  if (ready) ready = register_sinks(state, (*connection)->state_->connection);
  if (ready) ready = register_length_checks(state, (*connection)->state_->connection);
  if (ready) ready = register_key_sets(state, (*connection)->state_->connection);
  if (ready) ready = register_decimal_division((*connection)->state_->connection);
  if (ready) ready = register_float_check((*connection)->state_->connection);
  if (ready) ready = register_float_aggregates((*connection)->state_->connection);
  if (ready) ready = add_hash_functions(*database);
  if (ready) ready = add_pattern_functions(*database);
  if (ready) ready = add_format_functions(*database);
  if (ready) ready = add_text_number_function(*database);
  if (ready) ready = add_object_function(*database);
  if (ready) ready = add_value_functions(*database);
  if (ready) ready = register_catalog_types((*connection)->state_->connection);
  if (ready) ready = register_sketch_aggregates((*connection)->state_->connection);
  if (ready) ready = add_sketch_functions(*database);
  std::vector<std::string> directories = options.directories;
  directories.emplace_back(kSinkDirectory);
  // The order matters: the directories cannot be changed once access outside of them is off.
  for (const std::string& sql : {std::string("SET GLOBAL TimeZone = 'UTC'"),
                                 "SET GLOBAL allowed_directories = " + bytes_list(directories),
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
  duckdb_client_context context = nullptr;
  duckdb_connection_get_client_context(state->connection, &context);
  state->id = duckdb_client_context_get_connection_id(context);
  duckdb_destroy_client_context(&context);
  if (!state_->main.empty())
    LEAT_TRY(state->run_raw(("USE " + quote_identifier(state_->main)).c_str()));
  return std::unique_ptr<Connection>(new Connection(std::move(state)));
}

Status Database::attach(std::string_view name, std::string_view path) {
  return attach(name, path, state_->key);
}

Status Database::attach(std::string_view name, std::string_view path, const std::string& key) {
  const auto connection = connect();
  if (!connection) return fail(Errc::kBug, "opening a database: " + connection.error().message);
  return attach_file((*connection)->state_->connection, name, std::string(path), key);
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
