// The commands of the program: what each is told, and the function that does it. Reading the
// command line is program.h's job; these only see checked options.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "app/config.h"
#include "app/plan.h"
#include "base/error.h"

namespace leat::app {

/// What the caller's shell sees.
enum class Exit : int { kOk = 0, kFailed = 1, kUsage = 2, kTryAgain = 75 };

/// Where a command talks to a person. Data goes to `out`, everything else to `err`.
struct Terminal {
  std::FILE* out = stdout;
  std::FILE* err = stderr;
  bool err_is_terminal = false;  ///< Progress and the like are shown.

  void print(std::string_view text) const { std::fwrite(text.data(), 1, text.size(), out); }
  void say(std::string_view text) const { std::fwrite(text.data(), 1, text.size(), err); }
};

/// Says each line of the error as "leat: LINE" and gives the exit code that its kind asks for:
/// kTryAgain for kExhausted, kUnavailable and kAborted, else kFailed.
[[nodiscard]] Exit report(const Terminal& terminal, const Error& error);

/// Which configuration a command works on.
struct ConfigChoice {
  std::string config_file{};  ///< --config; empty: leat.yml if there is one.
  std::vector<std::pair<std::string, std::string>> flags{};  ///< Keys given as flags.
};

/// Loads the configuration and says its warnings.
[[nodiscard]] Result<Config> load_choice(const Terminal& terminal, const ConfigChoice& choice);

/// The time that a flag names: "2026-11-20", "2026-11-20T14" or a whole one, in UTC. kInvalid.
[[nodiscard]] Result<TimeUs> time_of_flag(std::string_view flag, std::string text);

struct InitOptions {
  std::string directory = ".";
  bool force = false;  ///< Replace files that are there.
};
[[nodiscard]] Exit run_init(const Terminal& terminal, const InitOptions& options);

/// Of `up` and the commands that run one role of it.
struct UpOptions {
  ConfigChoice config{};
};
[[nodiscard]] Exit run_up(const Terminal& terminal, const UpOptions& options);
[[nodiscard]] Exit run_warehouse(const Terminal& terminal, const UpOptions& options);
[[nodiscard]] Exit run_collect(const Terminal& terminal, const UpOptions& options);

struct BackupCommandOptions {
  ConfigChoice config{};
  std::string file{};
  bool json = false;
};
[[nodiscard]] Exit run_backup(const Terminal& terminal, const BackupCommandOptions& options);
[[nodiscard]] Exit run_restore(const Terminal& terminal, const BackupCommandOptions& options);

struct EncryptCommandOptions {
  ConfigChoice config{};
  std::string key_file{};      ///< Of `key`: the file to make.
  std::string old_key_file{};  ///< Of the others; empty: the files are plain, or as configured.
};
[[nodiscard]] Exit run_make_key(const Terminal& terminal, const EncryptCommandOptions& options);
[[nodiscard]] Exit run_encrypt(const Terminal& terminal, const EncryptCommandOptions& options);
[[nodiscard]] Exit run_decrypt(const Terminal& terminal, const EncryptCommandOptions& options);

struct CheckOptions {
  ConfigChoice config{};
  bool json = false;
};
[[nodiscard]] Exit run_check(const Terminal& terminal, const CheckOptions& options);

struct StatusOptions {
  ConfigChoice config{};
  bool json = false;
};
[[nodiscard]] Exit run_status(const Terminal& terminal, const StatusOptions& options);

struct SyncOptions {
  ConfigChoice config{};
  std::string source{};  ///< Empty: all.
  std::int64_t timeout_us = 10LL * 60 * 1'000'000;
  bool json = false;
};
[[nodiscard]] Exit run_sync(const Terminal& terminal, const SyncOptions& options);

struct HistoryOptions {
  ConfigChoice config{};
  std::string source{};     ///< Empty: all.
  std::int64_t limit = 20;  ///< The newest so many.
  bool tables = false;      ///< A line per table of each sync.
  bool json = false;
};
[[nodiscard]] Exit run_history(const Terminal& terminal, const HistoryOptions& options);

struct PauseOptions {
  ConfigChoice config{};
  std::string source{};  ///< Empty: all.
  bool json = false;
};
/// `pauses` false: resumes.
[[nodiscard]] Exit run_pause(const Terminal& terminal, const PauseOptions& options, bool pauses);

struct ReplayOptions {
  ConfigChoice config{};
  std::string source{};  ///< Empty: the only one.
  std::string from{};    ///< Times as parse_iso8601, or to the hour; empty: no bound.
  std::string to{};
  std::string event{};
  std::string table{};
  std::string column{};
  bool restart = false;
  bool dry_run = false;
  bool detach = false;    ///< Start it and return.
  bool list = false;      ///< Show those of the running process.
  std::int64_t stop = 0;  ///< Number of the one to stop; 0: none.
  bool json = false;
};
[[nodiscard]] Exit run_replay(const Terminal& terminal, const ReplayOptions& options);

enum class PrivacyVerb { kDelete, kSuppress, kUnsuppress, kList };
struct PrivacyOptions {
  ConfigChoice config{};
  std::string user_id{};  ///< One of the two, but for kList.
  std::string anonymous_id{};
  std::string source{};   ///< Empty: all.
  bool suppress = false;  ///< Of kDelete: keep nothing new either.
  bool dry_run = false;
  bool json = false;
};
[[nodiscard]] Exit run_privacy(const Terminal& terminal, PrivacyVerb verb,
                               const PrivacyOptions& options);

enum class RescueVerb : std::uint8_t { kList, kShow, kReplay };
struct RescueOptions {
  ConfigChoice config{};
  std::string source{};  ///< Empty: all (kReplay: the only one).
  std::string table{};   ///< Of the rescue rows, as the members below.
  std::string column{};
  std::string reason{};
  std::string event_id{};
  std::string id{};
  std::int64_t limit = 20;  ///< kShow: values at most.
  bool dry_run = false;     ///< kReplay.
  bool json = false;
};
[[nodiscard]] Exit run_rescue(const Terminal& terminal, RescueVerb verb,
                              const RescueOptions& options);

struct SqlOptions {
  ConfigChoice config{};
  std::string statement{};  ///< Empty or "-": from stdin.
  bool json = false;
};
[[nodiscard]] Exit run_sql(const Terminal& terminal, const SqlOptions& options);

struct PlanCommandOptions {
  ConfigChoice config{};
  std::vector<std::string> files{};  ///< Empty or "-": stdin. Not with `archive` or `live`.
  PlanOptions plan{};
  std::string source{};         ///< Whose settings count; empty: the only one's, or none.
  std::string tracking_plan{};  ///< In place of the source's; empty: the source's.
  bool archive = false;         ///< Reads what the archive has of the source ...
  std::string from{};           ///< ... received at this time or later,
  std::string to{};             ///< and before this one.
  std::string live{};           ///< Reads what arrives in this time.
  bool columns = false;
  bool json = false;
};
[[nodiscard]] Exit run_plan(const Terminal& terminal, const PlanCommandOptions& options);

struct InspectOptions {
  std::vector<std::string> files{};
  bool json = false;
};
[[nodiscard]] Exit run_inspect(const Terminal& terminal, const InspectOptions& options);

struct SimulateOptions {
  ConfigChoice config{};
  std::string source{};  ///< Empty: the first one.
  std::int64_t events = 1000;
  std::int64_t rate = 0;     ///< Events a second; 0: as fast as they are taken.
  std::int64_t batch = 100;  ///< Events a request.
  std::int64_t connections = 2;
  std::int64_t users = 500;
  std::uint64_t seed = 0;                 ///< 0: a new one, which is printed.
  std::int64_t patience_us = 60'000'000;  ///< How long one batch may be refused before giving up.
  bool json = false;
};
[[nodiscard]] Exit run_simulate(const Terminal& terminal, const SimulateOptions& options);

struct VersionOptions {
  bool json = false;
};
[[nodiscard]] Exit run_version(const Terminal& terminal, const VersionOptions& options);

}  // namespace leat::app
