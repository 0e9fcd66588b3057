// `leat check`: tries what the configuration names, and changes nothing.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>

#include "app/commands.h"
#include "app/connection_file.h"
#include "app/data_directory.h"
#include "app/destination.h"
#include "app/encryption_key.h"
#include "app/file_text.h"
#include "app/object_storage.h"
#include "app/part_options.h"
#include "app/sources.h"
#include "base/text.h"
#include "net/address.h"
#include "net/stream.h"
#include "net/tls.h"
#include "pipeline/load/destination.h"
#include "pipeline/load/rights.h"
#include "pipeline/shape/conflicts.h"
#include "warehouse/engine/encryption.h"

namespace leat::app {
namespace {

constexpr const char* kDestinationKeys = "see the keys destination.*";

struct CheckResult {
  std::string name;
  bool ok = true;
  std::string detail;
  std::string fix;  // empty when ok
};

// The directory itself, or the nearest one above it that exists.
std::filesystem::path existing_part(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path at = std::filesystem::absolute(path, error);
  while (!std::filesystem::exists(at, error) && at.has_relative_path()) at = at.parent_path();
  return at;
}

// True when another process holds the data directory's lock now.
bool is_held(const std::string& data) {
  const int lock = ::open(DataPaths{data}.lock().c_str(), O_RDONLY | O_CLOEXEC);
  if (lock < 0) return false;
  const bool held = ::flock(lock, LOCK_SH | LOCK_NB) != 0;
  ::close(lock);
  return held;
}

class Checks {
 public:
  explicit Checks(const Config& config) : config_(config), running_(is_held(config.data)) {}

  std::vector<CheckResult> run() {
    check_directory("data", config_.data);
    check_store();
    check_space();
    check_sources();
    check_parts();
    check_listen("collect.listen", config_.collect_listen);
    check_listen("console.listen", config_.console_listen);
    const bool embedded = is_embedded(config_);
    if (embedded) check_listen("warehouse.listen", config_.warehouse_listen);
    // Where it is not set, a taken port is replaced by a free one.
    if (embedded && config_.origins.contains("data_api.listen"))
      check_listen("data_api.listen", config_.data_api_listen);
    check_certificate("collect", config_.collect_tls_certificate, config_.collect_tls_key);
    check_certificate("warehouse", config_.warehouse_tls_certificate, config_.warehouse_tls_key);
    check_certificate("data_api", config_.data_api_tls_certificate, config_.data_api_tls_key);
    check_encryption();
    check_warehouse();
    return std::move(results_);
  }

 private:
  void pass(std::string name, std::string detail) {
    results_.push_back({std::move(name), true, std::move(detail), ""});
  }
  void miss(std::string name, std::string detail, std::string fix) {
    results_.push_back({std::move(name), false, std::move(detail), std::move(fix)});
  }

  void check_directory(const std::string& key, const std::string& path) {
    std::error_code error;
    const auto part = existing_part(path);
    const bool there = std::filesystem::exists(path, error);
    if (!std::filesystem::is_directory(part, error)) {
      return miss(key, fmt::format("{} is a file", part.string()),
                  fmt::format("set {} to a folder", key));
    }
    if (::access(part.c_str(), R_OK | W_OK | X_OK) != 0) {
      return miss(key, fmt::format("{} cannot be written by this user", part.string()),
                  fmt::format("give this user the folder, or set {} to another", key));
    }
    if (running_ && key == "data")
      return pass(key, fmt::format("{} is in use by a running Leat", path));
    pass(key,
         there ? fmt::format("{} can be written", path) : fmt::format("{} will be made", path));
  }

  void check_store() {
    if (const Status keys = check_store_keys(config_); !keys) {
      return miss_with_step("store", keys.error());
    }
    if (config_.store_kind == "directory") {
      if (!config_.store_directory.empty())
        check_directory("store.directory", config_.store_directory);
      return;
    }
    // A person waits for the answer: not as patient as the program itself.
    const auto storage = open_object_storage(config_, process_environment(), {.attempts_max = 2});
    if (!storage) return miss_with_step("store", storage.error());
    pass("store", fmt::format("S3 at {}", storage->s3->endpoint()));
    for (const aws::StoreCheck& check : storage->s3->check(config_.archive_bucket)) {
      const std::string name = "store: " + check.name;
      if (check.status) {
        pass(name, fmt::format("works in bucket {}", config_.archive_bucket));
      } else {
        miss_with_step(name, check.status.error());
      }
    }
  }

  void miss_failure(std::string name, std::string_view action,
                    const load::DestinationFailure& failure,
                    const load::DestinationSettings& settings) {
    miss(std::move(name), load::what_failed(failure, action, settings),
         load::next_step(failure, settings));
  }

  // The end of a message is the next step for the reader.
  void miss_with_step(std::string name, const Error& error,
                      std::string other = "see the keys store.*") {
    const std::size_t step = error.message.rfind("; ");
    if (step == std::string::npos) {
      return miss(std::move(name), error.message, std::move(other));
    }
    miss(std::move(name), error.message.substr(0, step), error.message.substr(step + 2));
  }

  void check_space() {
    constexpr std::uint64_t kSpaceMin = 1ULL << 30U;
    struct statvfs status{};
    const auto part = existing_part(config_.data);
    if (::statvfs(part.c_str(), &status) != 0) return;
    const std::uint64_t free = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
    const std::string detail = fmt::format(
        "{:.1f} GiB free in {}", static_cast<double>(free) / (1ULL << 30U), part.string());
    if (free >= kSpaceMin) return pass("disk", detail);
    miss("disk", detail,
         "free at least 1 GiB, or set data to another disk: when it is full, events are answered "
         "503");
  }

  void check_sources() {
    const auto sources = name_sources(config_.sources);
    if (!sources) return miss("sources", sources.error().message, "correct leat.yml");
    std::string list;
    for (const Source& source : *sources) {
      list += fmt::format("{}{} (schema {})", list.empty() ? "" : ", ", source.name, source.schema);
    }
    pass("sources", list);
    for (const Source& source : *sources) check_tracking_plan(source);
  }

  // Keys that are good alone and do not go together.
  void check_parts() {
    const auto refuse = [this](const char* name, const Error& error) {
      miss_with_step(name, error, "see docs/reference/configuration.md");
    };
    if (const auto journal = journal_options(config_); !journal) refuse("journal", journal.error());
    if (const auto times = sync_times(config_); !times) refuse("sync", times.error());
    check_conflicts();
    const auto notices = notice_options(config_);
    if (!notices) return refuse("notify", notices.error());
    if (!*notices) return;
    const bool has_webhook = !(*notices)->webhook.empty();
    const bool has_mail = !(*notices)->mail_server.url.empty();
    pass("notify", fmt::format("by {}{}{}; nothing was sent", has_webhook ? "webhook" : "",
                               has_webhook && has_mail ? " and " : "", has_mail ? "mail" : ""));
  }

  // Names that no event gives would count for nothing, and nobody would be told.
  void check_conflicts() {
    const auto policies = shape::ConflictPolicies::parse(config_.destination_conflicts,
                                                         config_.destination_column_conflicts);
    if (!policies) return;  // the configuration was read: it is one
    for (const auto& [entry, nearest] : policies->unreachable()) {
      miss("destination.column_conflicts",
           fmt::format("no event gives a table and column of the name {}", entry),
           fmt::format("write {}, the nearest that there may be", nearest));
    }
  }

  void check_tracking_plan(const Source& source) {
    if (source.tracking_plan.empty()) return;
    const std::string name = fmt::format("sources.{}.tracking_plan", source.name);
    const auto plan = read_tracking_plan(source.tracking_plan);
    if (!plan) return miss(name, plan.error().message, "correct the file, or name another");
    pass(name,
         fmt::format("{} has schemas for {} events", source.tracking_plan, (*plan)->event_count()));
  }

  void check_listen(const std::string& key, const std::string& text) {
    if (running_) return pass(key, fmt::format("{} (of the running Leat)", text));
    const auto endpoint = net::parse_endpoint(text);
    if (!endpoint) return miss(key, endpoint.error().message, "correct it");
    const auto listener = net::Listener::open(*endpoint);
    if (listener) return pass(key, fmt::format("{} is free", text));
    miss(key, listener.error().message,
         fmt::format("stop what listens there, or set {} to another address", key));
  }

  void check_certificate(const std::string& part, const std::string& certificate,
                         const std::string& key) {
    if (certificate.empty() && key.empty()) return;
    const std::string name = part + ".tls_certificate";
    if (certificate.empty() || key.empty()) {
      return miss(name, fmt::format("{0}.tls_certificate and {0}.tls_key are needed both", part),
                  "set both, or none");
    }
    const auto chain = read_text_file(certificate);
    const auto secret = read_text_file(key);
    if (!chain) return miss(name, chain.error().message, "name a PEM file that this user can read");
    if (!secret) {
      return miss(part + ".tls_key", secret.error().message,
                  "name a PEM file that this user can read");
    }
    const auto context = net::TlsContext::for_server({*chain, *secret});
    if (!context) {
      return miss(name, context.error().message,
                  "name a certificate and the key that belongs to it");
    }
    pass(name, fmt::format("{} and its key can be used", certificate));
  }

  void check_encryption() {
    const std::string& path = config_.warehouse_encryption_key_file;
    if (path.empty() || !is_embedded(config_)) return;
    const std::string name = "warehouse.encryption_key_file";
    const auto key = read_encryption_key(path);
    if (!key) return miss_with_step(name, key.error(), "make one with: leat warehouse key FILE");
    const Status extension = engine::check_encryption_extension();
    if (!extension) return miss_with_step(name, extension.error(), "put it there");
    pass(name, fmt::format("{} holds the key {}", path, key->id));
  }

  // The destination, where there is one to be reached now.
  void check_warehouse() {
    if (const Status keys = check_destination_keys(config_); !keys) {
      return miss_with_step("destination", keys.error(), kDestinationKeys);
    }
    ConnectionFile running;
    if (is_embedded(config_)) {
      auto file = read_connection_file(config_.data);
      if (!file) return;
      running = std::move(*file);
    }
    const auto destination = open_destination(config_, process_environment(), running);
    if (!destination) return miss_with_step("warehouse", destination.error(), kDestinationKeys);
    const load::DestinationSettings& settings = (*destination)->settings;
    const std::string where = fmt::format("{}:{}", settings.host, settings.port);
    const auto connection = (*destination)->connect(settings, std::stop_token());
    if (!connection) {
      return miss_failure("warehouse", "connecting", connection.error(), settings);
    }
    const auto answer = (*connection)->run("select 1", std::stop_token());
    if (!answer) {
      return miss_failure("warehouse", "asking it", answer.error(), settings);
    }
    pass("warehouse",
         fmt::format("{} answers as {} in {}", where, settings.user, settings.database));
    check_rights(**connection, settings);
    if (settings.copy_keys) check_copy_keys(settings);
  }

  void check_copy_keys(const load::DestinationSettings& settings) {
    const auto keys = settings.copy_keys();
    if (!keys) return miss_with_step("warehouse: keys for COPY", keys.error());
    pass("warehouse: keys for COPY",
         fmt::format("{}, {}", keys->access_key_id,
                     keys->session_token.empty() ? "which do not end; temporary ones are safer"
                                                 : "temporary ones"));
  }

  void check_rights(load::Connection& connection, const load::DestinationSettings& settings) {
    const auto sources = name_sources(config_.sources);
    if (!sources) return;  // check_sources() has said why
    std::vector<std::string> schemas;
    for (const Source& source : *sources) schemas.push_back(source.schema);
    const auto missing = load::missing_rights(connection, settings, schemas, std::stop_token());
    if (!missing) {
      return miss_failure("warehouse: rights", "asking for its rights", missing.error(), settings);
    }
    for (const load::MissingRight& right : *missing) {
      miss("warehouse: rights", right.detail, "as an administrator run: " + right.grant);
    }
    if (missing->empty()) {
      pass("warehouse: rights",
           fmt::format("{} may load into {}", settings.user, fmt::join(schemas, ", ")));
    }
  }

  const Config& config_;
  const bool running_;
  std::vector<CheckResult> results_;
};

std::string to_json(const std::vector<CheckResult>& results, bool all_ok) {
  std::string out = fmt::format("{{\"ok\":{},\"checks\":[", all_ok);
  for (const CheckResult& result : results) {
    if (out.back() == '}') out += ',';
    out +=
        fmt::format("{{\"name\":{},\"ok\":{},\"detail\":{},\"fix\":{}}}", json_string(result.name),
                    result.ok, json_string(result.detail), json_string(result.fix));
  }
  return out + "]}\n";
}

}  // namespace

Exit run_check(const Terminal& terminal, const CheckOptions& options) {
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  const auto results = Checks(*config).run();
  bool all_ok = true;
  for (const CheckResult& result : results) all_ok = all_ok && result.ok;
  if (options.json) {
    terminal.print(to_json(results, all_ok));
  } else {
    for (const CheckResult& result : results) {
      terminal.print(
          fmt::format("{:<4}  {}: {}\n", result.ok ? "ok" : "FAIL", result.name, result.detail));
      if (!result.ok) terminal.print(fmt::format("      fix: {}\n", result.fix));
    }
  }
  return all_ok ? Exit::kOk : Exit::kFailed;
}

}  // namespace leat::app
