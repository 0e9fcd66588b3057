// `leat warehouse key`, `encrypt` and `decrypt`: the key of the warehouse's files, and giving them
// one, another one, or none.
#include <fmt/format.h>

#include <filesystem>
#include <mutex>

#include "app/commands.h"
#include "app/data_directory.h"
#include "app/encryption_key.h"
#include "app/progress.h"
#include "app/table_text.h"
#include "base/clock.h"
#include "base/random.h"
#include "io/file_system.h"
#include "warehouse/backup/exchange.h"
#include "warehouse/session/rewrite.h"

namespace leat::app {
namespace {

/// What is being done, for the line on the terminal.
class Doing {
 public:
  void set(const std::string& file, std::uint64_t done, std::uint64_t total) {
    const std::lock_guard lock(mutex_);
    text_ =
        fmt::format("{} {} of {} tables of {}",
                    progress_bar(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total)),
                    done, total, file);
  }
  [[nodiscard]] std::string line() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_ = "reading";
};

struct Change {
  EncryptionKey from;
  EncryptionKey to;
};

Result<std::size_t> rewrite(const Terminal& terminal, const Config& config, const Change& change) {
  io::FileSystem& files = io::posix_file_system();
  LEAT_ASSIGN(const DataDirectory data, DataDirectory::open(config.data));
  std::error_code error;
  const std::string directory = std::filesystem::absolute(data.paths().warehouse(), error).string();
  // What another attempt has decided stands.
  LEAT_TRY(backup::finish_exchange(files, directory));
  const std::string first = fmt::format("{}/{}.duckdb", directory, config.warehouse_database);
  if (const auto info = files.stat(first); !info) {
    return fail(info.error().code, fmt::format("there is no warehouse here: {}; name its folder "
                                               "with --data",
                                               info.error().message));
  }
  LEAT_TRY(backup::prepare_exchange(files, directory));
  Doing doing;
  const Progress shown(terminal, [&](double) { return doing.line(); });
  session::RewriteOptions options;
  options.data_directory = directory;
  options.database = config.warehouse_database;
  options.new_directory = backup::exchange_directory(directory);
  options.key = change.from.text;
  options.new_key = change.to.text;
  options.memory_bytes_max = static_cast<std::uint64_t>(config.warehouse_memory_bytes_max);
  options.progress = [&](const std::string& file, std::uint64_t done, std::uint64_t total) {
    doing.set(file, done, total);
  };
  LEAT_ASSIGN(const std::vector<std::string> names, session::rewrite_warehouse(options));
  LEAT_TRY(backup::begin_exchange(files, directory, names));
  LEAT_TRY(backup::finish_exchange(files, directory));
  return names.size();
}

Result<Change> change_of(const Config& config, const EncryptCommandOptions& options, bool encrypt) {
  Change change;
  LEAT_ASSIGN(EncryptionKey configured, configured_key(config));
  if (!options.old_key_file.empty()) {
    LEAT_ASSIGN(change.from, read_encryption_key(options.old_key_file));
  } else if (!encrypt) {
    change.from = configured;
  }
  if (encrypt) change.to = std::move(configured);
  if (encrypt && change.to.text.empty()) {
    return fail(
        Errc::kInvalid,
        "warehouse.encryption_key_file is not set; leat warehouse key FILE makes a key, then "
        "name its file there");
  }
  if (!encrypt && change.from.text.empty()) {
    return fail(Errc::kInvalid,
                "no key to read the files with; name its file in warehouse.encryption_key_file or "
                "with --old-key");
  }
  if (change.from.id == change.to.id)
    return fail(Errc::kInvalid, "the old key and the new one are the same");
  return change;
}

Exit run_rewrite(const Terminal& terminal, const EncryptCommandOptions& options, bool encrypt) {
  const std::int64_t started_us = system_clock().monotonic_us();
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  const auto change = change_of(*config, options, encrypt);
  if (!change) return report(terminal, change.error());
  const auto count = rewrite(terminal, *config, *change);
  if (!count) return report(terminal, count.error());
  const double seconds = static_cast<double>(system_clock().monotonic_us() - started_us) / 1e6;
  terminal.say(
      fmt::format("{} {} of the warehouse in {:.1f} s{}\n", encrypt ? "encrypted" : "decrypted",
                  *count == 1 ? "the file" : fmt::format("{} files", *count), seconds,
                  encrypt ? " with the key " + change->to.id
                          : "; take warehouse.encryption_key_file out of the configuration"));
  return Exit::kOk;
}

}  // namespace

Exit run_make_key(const Terminal& terminal, const EncryptCommandOptions& options) {
  const auto key = make_encryption_key(options.key_file, secure_random());
  if (!key) return report(terminal, key.error());
  terminal.say(
      fmt::format("made the key {} in {}; keep a copy in a safe place: without it nobody "
                  "reads what it encrypts\n",
                  key->id, options.key_file));
  return Exit::kOk;
}

Exit run_encrypt(const Terminal& terminal, const EncryptCommandOptions& options) {
  return run_rewrite(terminal, options, true);
}

Exit run_decrypt(const Terminal& terminal, const EncryptCommandOptions& options) {
  return run_rewrite(terminal, options, false);
}

}  // namespace leat::app
