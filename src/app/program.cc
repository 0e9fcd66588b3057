#include "app/program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <functional>
#include <iostream>
#include <memory>

#include "app/commands.h"
#include "app/config_keys.h"
#include "app/config_text.h"
#include "base/text.h"

namespace leat::app {
namespace {

// CLI11's help, with the first line only of each command in the list and a blank line before the
// usage.
class HelpFormat final : public CLI::Formatter {
 public:
  std::string make_subcommand(const CLI::App* command) const override {
    const std::string text = command->get_description();
    return fmt::format("  {:<12}{}\n", command->get_name(), text.substr(0, text.find('\n')));
  }
  std::string make_description(const CLI::App* app) const override {
    return CLI::Formatter::make_description(app) + "\n";
  }
};

// Everything that parsing fills, and the command that was chosen.
struct Parsed {
  InitOptions init;
  UpOptions up;
  UpOptions collect;
  UpOptions warehouse;
  BackupCommandOptions backup;
  EncryptCommandOptions encrypt;
  CheckOptions check;
  StatusOptions status;
  SyncOptions sync;
  HistoryOptions history;
  PauseOptions pause;
  PauseOptions resume;
  ReplayOptions replay;
  RescueOptions rescue;
  PrivacyOptions privacy;
  SqlOptions sql;
  PlanCommandOptions plan;
  InspectOptions inspect;
  SimulateOptions simulate;
  VersionOptions version;
  std::string reference_page;
  std::function<Exit(const Terminal&)> chosen;
};

void add_json(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "Print one JSON object instead of text");
}

void add_config_file(CLI::App& command, ConfigChoice& choice) {
  command
      .add_option("--config", choice.config_file,
                  "The configuration file (default: leat.yml if there is one)")
      ->type_name("FILE");
}

void add_key_flag(CLI::App& command, ConfigChoice& choice, const Key& key) {
  const std::string path(key.path);
  command
      .add_option_function<std::string>(
          flag_name(key.path),
          [&choice, path](const std::string& text) { choice.flags.emplace_back(path, text); },
          fmt::format("{} [{}]", key.about, key.fallback.empty() ? "none" : key.fallback))
      ->type_name("VALUE")
      ->group("Configuration (docs/reference/configuration.md)");
}

// For commands that only need to find the running process: --config and --data.
void add_data_flag(CLI::App& command, ConfigChoice& choice) {
  add_config_file(command, choice);
  command
      .add_option_function<std::string>(
          "--data", [&choice](const std::string& text) { choice.flags.emplace_back("data", text); },
          "The data directory of the running Leat [./leat-data]")
      ->type_name("DIR");
}

void add_all_flags(CLI::App& command, ConfigChoice& choice) {
  add_config_file(command, choice);
  for (const Key& key : config_keys()) {
    if (!key.secret) add_key_flag(command, choice, key);
  }
}

CLI::App& add_command(CLI::App& app, Parsed& parsed, const std::string& name,
                      const std::string& what, const std::string& examples,
                      std::function<Exit(const Terminal&)> run) {
  CLI::App* command = app.add_subcommand(name, what + "\n\nExamples:\n" + examples);
  command->callback([&parsed, run = std::move(run)] { parsed.chosen = run; });
  return *command;
}

// One of the verbs of a command, which share its options.
template <class Verb, class Options>
CLI::App& add_verb(CLI::App& command, Parsed& parsed, const std::string& name,
                   const std::string& what, Exit (*run)(const Terminal&, Verb, const Options&),
                   Verb verb, Options& options) {
  CLI::App* added = command.add_subcommand(name, what);
  added->callback([&parsed, &options, run, verb] {
    parsed.chosen = [&options, run, verb](const Terminal& t) { return run(t, verb, options); };
  });
  add_data_flag(*added, options.config);
  return *added;
}

void add_init(CLI::App& app, Parsed& parsed) {
  auto& command =
      add_command(app, parsed, "init", "Write a commented leat.yml and a .env for secrets.",
                  "  leat init\n  leat init /etc/leat",
                  [&](const Terminal& t) { return run_init(t, parsed.init); });
  command.add_option("directory", parsed.init.directory, "Where to write them [.]");
  command.add_flag("--force", parsed.init.force, "Replace files that are there");
}

void add_up(CLI::App& app, Parsed& parsed) {
  auto& command =
      add_command(app, parsed, "up",
                  "Run everything from one data directory: collector, archive, syncs, embedded "
                  "warehouse, status API.\n"
                  "Prints 'ready' on stdout once all of it listens; stops on SIGTERM or Ctrl-C.",
                  "  leat up\n  leat up --data /var/lib/leat --collect-listen 0.0.0.0:8080",
                  [&](const Terminal& t) { return run_up(t, parsed.up); });
  add_all_flags(command, parsed.up.config);
}

void add_backup_verb(CLI::App& warehouse, Parsed& parsed, const std::string& name,
                     const std::string& what, const std::string& about_file,
                     Exit (*run)(const Terminal&, const BackupCommandOptions&)) {
  BackupCommandOptions& options = parsed.backup;
  CLI::App* command = warehouse.add_subcommand(name, what);
  command->callback([&parsed, &options, run] {
    parsed.chosen = [&options, run](const Terminal& t) { return run(t, options); };
  });
  command->add_option("file", options.file, about_file)->required();
  add_data_flag(*command, options.config);
  add_json(*command, options.json);
}

void add_key_verbs(CLI::App& warehouse, Parsed& parsed) {
  EncryptCommandOptions& options = parsed.encrypt;
  const auto add = [&](const std::string& name, const std::string& what,
                       Exit (*run)(const Terminal&, const EncryptCommandOptions&)) {
    CLI::App* command = warehouse.add_subcommand(name, what);
    command->callback([&parsed, &options, run] {
      parsed.chosen = [&options, run](const Terminal& t) { return run(t, options); };
    });
    return command;
  };
  add("key", "Make a key for encrypted files.", run_make_key)
      ->add_option("file", options.key_file, "The file to make; it must not exist")
      ->required();
  for (const bool encrypt : {true, false}) {
    CLI::App* command =
        encrypt ? add("encrypt",
                      "Encrypt the files of a stopped warehouse with the key of the configuration, "
                      "or give them that one in place of another.",
                      run_encrypt)
                : add("decrypt", "Make plain files of a stopped warehouse's encrypted ones.",
                      run_decrypt);
    command->add_option("--old-key", options.old_key_file,
                        encrypt ? "File of the key that they have; without it they are plain"
                                : "File of their key; without it that of the configuration");
    add_data_flag(*command, options.config);
  }
}

void add_roles(CLI::App& app, Parsed& parsed) {
  auto& collect = add_command(
      app, parsed, "collect",
      "Run only the collector, its journal and the archive sealer, for a machine of its own.",
      "  leat collect --data /var/lib/leat --store-directory /srv/store",
      [&](const Terminal& t) { return run_collect(t, parsed.collect); });
  add_all_flags(collect, parsed.collect.config);
  CLI::App& warehouse = *app.add_subcommand(
      "warehouse",
      "Run only the embedded warehouse; backup and restore: copy it; key, encrypt and decrypt: the "
      "encryption of its files.\n\nExamples:\n"
      "  leat warehouse --data /var/lib/leat-warehouse --store-directory /srv/store\n"
      "  leat warehouse backup /backups/monday.leatbackup\n"
      "  leat warehouse restore /backups/monday.leatbackup --data /var/lib/leat-new");
  // Called after that of a verb, which has chosen already.
  warehouse.callback([&parsed, &warehouse] {
    if (!warehouse.get_subcommands().empty()) return;
    parsed.chosen = [&parsed](const Terminal& t) { return run_warehouse(t, parsed.warehouse); };
  });
  add_all_flags(warehouse, parsed.warehouse.config);
  add_backup_verb(warehouse, parsed, "backup",
                  "Write the warehouse, which may run and load meanwhile, into one new file.",
                  "The file to make; it must not exist", run_backup);
  add_backup_verb(warehouse, parsed, "restore",
                  "Make the warehouse of a data directory that has none from a backup.",
                  "The backup", run_restore);
  add_key_verbs(warehouse, parsed);
}

void add_check(CLI::App& app, Parsed& parsed) {
  auto& command =
      add_command(app, parsed, "check",
                  "Read the configuration and try everything it names, without starting anything.",
                  "  leat check\n  leat check --config /etc/leat/leat.yml --json",
                  [&](const Terminal& t) { return run_check(t, parsed.check); });
  add_all_flags(command, parsed.check.config);
  add_json(command, parsed.check.json);
}

void add_status(CLI::App& app, Parsed& parsed) {
  auto& command = add_command(app, parsed, "status",
                              "Show sources, syncs, lag and the books of a running Leat.",
                              "  leat status\n  leat status --json",
                              [&](const Terminal& t) { return run_status(t, parsed.status); });
  add_data_flag(command, parsed.status.config);
  add_json(command, parsed.status.json);
}

void add_sync(CLI::App& app, Parsed& parsed) {
  auto& command =
      add_command(app, parsed, "sync",
                  "Load everything acknowledged so far into the warehouse now, and wait for it.",
                  "  leat sync\n  leat sync --source web",
                  [&](const Terminal& t) { return run_sync(t, parsed.sync); });
  add_data_flag(command, parsed.sync.config);
  command.add_option("--source", parsed.sync.source, "Only this source [all]")->type_name("NAME");
  command
      .add_option_function<std::string>(
          "--timeout",
          [&parsed](const std::string& text) {
            const auto us = parse_duration_us(text);
            if (!us || *us <= 0)
              throw CLI::ValidationError("--timeout", "not a duration such as 90s or 10m");
            parsed.sync.timeout_us = *us;
          },
          "How long to wait [10m]")
      ->type_name("DURATION");
  add_json(command, parsed.sync.json);
}

void add_history(CLI::App& app, Parsed& parsed) {
  auto& command = add_command(
      app, parsed, "history",
      "Show what syncs loaded, and which failed and why, newest first; also of earlier runs.\n"
      "Syncs that found nothing to load are not in it.",
      "  leat history\n  leat history --source web --limit 100\n  leat history --tables --limit 1",
      [&](const Terminal& t) { return run_history(t, parsed.history); });
  add_data_flag(command, parsed.history.config);
  command.add_option("--source", parsed.history.source, "Only this source [all]")
      ->type_name("NAME");
  command.add_option("--limit", parsed.history.limit, "How many [20]")
      ->check(CLI::Range(1, 10'000))
      ->type_name("N");
  command.add_flag("--tables", parsed.history.tables, "Show the rows of each table");
  add_json(command, parsed.history.json);
}

void add_pause(CLI::App& app, Parsed& parsed) {
  auto& pause = add_command(app, parsed, "pause",
                            "Stop loading sources until `leat resume`, also over restarts; their "
                            "events are still received "
                            "and kept.\nWaits up to 5 s for the end of a sync that runs.",
                            "  leat pause\n  leat pause --source web",
                            [&](const Terminal& t) { return run_pause(t, parsed.pause, true); });
  add_data_flag(pause, parsed.pause.config);
  pause.add_option("--source", parsed.pause.source, "Only this source [all]")->type_name("NAME");
  add_json(pause, parsed.pause.json);
  auto& resume = add_command(
      app, parsed, "resume",
      "Load paused sources again: at once, or with sync.cron at its next time, if none was missed.",
      "  leat resume\n  leat resume --source web",
      [&](const Terminal& t) { return run_pause(t, parsed.resume, false); });
  add_data_flag(resume, parsed.resume.config);
  resume.add_option("--source", parsed.resume.source, "Only this source [all]")->type_name("NAME");
  add_json(resume, parsed.resume.json);
}

void add_replay(CLI::App& app, Parsed& parsed) {
  ReplayOptions& options = parsed.replay;
  auto& command = add_command(
      app, parsed, "replay",
      "Load events again from the archive: after a dropped table, a changed type or rule, a column "
      "or event that is wanted again.\n"
      "Rows are replaced, never doubled. It runs in the running Leat; when it is cut off, the same "
      "command goes on where it was.",
      "  leat replay --source web --table order_completed\n"
      "  leat replay --source web --from 2026-11-01 --to 2026-11-08 --dry-run\n"
      "  leat replay --source web --table orders --column coupon",
      [&](const Terminal& t) { return run_replay(t, options); });
  add_data_flag(command, options.config);
  command.add_option("--source", options.source, "Of this source [the only one]")
      ->type_name("NAME");
  command.add_option("--from", options.from, "Received at this time (UTC) or later")
      ->type_name("TIME");
  command.add_option("--to", options.to, "Received before this time")->type_name("TIME");
  command.add_option("--event", options.event, "Track events of this name")->type_name("NAME");
  command.add_option("--table", options.table, "Events that have a row in this table")
      ->type_name("NAME");
  command.add_option("--column", options.column, "Events with a value for this column")
      ->type_name("NAME");
  command.add_flag("--dry-run", options.dry_run, "Read everything, write nothing, say what it is");
  command.add_flag("--restart", options.restart,
                   "Begin anew, even if the same replay was not finished");
  command.add_flag("--detach", options.detach, "Start it and do not wait for it");
  command.add_flag("--list", options.list, "Show the replays of the running Leat");
  command.add_option("--stop", options.stop, "Stop the replay of this number for good")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}))
      ->type_name("N");
  add_json(command, options.json);
}

void add_rescue_verb(CLI::App& rescue, Parsed& parsed, RescueVerb verb, const std::string& name,
                     const std::string& what) {
  RescueOptions& options = parsed.rescue;
  CLI::App* command = &add_verb(rescue, parsed, name, what, run_rescue, verb, options);
  command->add_option("--source", options.source, "Of this source")->type_name("NAME");
  command->add_option("--table", options.table, "Meant for this table")->type_name("NAME");
  command->add_option("--column", options.column, "Meant for this column")->type_name("NAME");
  command->add_option("--reason", options.reason, "Rescued for this reason")->type_name("REASON");
  command->add_option("--event-id", options.event_id, "Of the event with this message id")
      ->type_name("ID");
  command->add_option("--id", options.id, "The rescue row with this id")->type_name("ID");
  if (verb == RescueVerb::kShow) {
    command->add_option("--limit", options.limit, "Values at most [20]")
        ->check(CLI::Range(1, 10'000))
        ->type_name("N");
  }
  if (verb == RescueVerb::kReplay) {
    command->add_flag("--dry-run", options.dry_run, "Write nothing, say what would load");
  }
  add_json(*command, options.json);
}

void add_rescue(CLI::App& app, Parsed& parsed) {
  CLI::App& command = *app.add_subcommand(
      "rescue",
      "See what did not fit, and load it once it does: list, show, replay.\n"
      "A value or event that a table could not take is kept in the table leat_rescue of its "
      "schema.\n\nExamples:\n"
      "  leat rescue list\n"
      "  leat rescue show --source web --table orders --reason type_mismatch\n"
      "  leat rescue replay --source web --table orders --column total");
  command.require_subcommand(1);
  add_rescue_verb(command, parsed, RescueVerb::kList, "list",
                  "Count what was rescued, by table, column and reason.");
  add_rescue_verb(command, parsed, RescueVerb::kShow, "show", "Show rescued values and events.");
  add_rescue_verb(command, parsed, RescueVerb::kReplay, "replay",
                  "Load the events of these rescue rows again; what loads now leaves leat_rescue.");
}

void add_privacy_verb(CLI::App& privacy, Parsed& parsed, PrivacyVerb verb, const std::string& name,
                      const std::string& what) {
  PrivacyOptions& options = parsed.privacy;
  CLI::App* command = &add_verb(privacy, parsed, name, what, run_privacy, verb, options);
  if (verb != PrivacyVerb::kList) {
    CLI::Option_group* person = command->add_option_group("person", "Who it is about");
    person->add_option("--user-id", options.user_id, "Events with this userId")->type_name("ID");
    person->add_option("--anonymous-id", options.anonymous_id, "Events with this anonymousId")
        ->type_name("ID");
    person->require_option(1);
    command->add_option("--source", options.source, "Of this source only [all]")->type_name("NAME");
  }
  if (verb == PrivacyVerb::kDelete) {
    command->add_flag("--suppress", options.suppress, "Keep no new events of the person either");
    command->add_flag("--dry-run", options.dry_run, "Change nothing, say what would be deleted");
  }
  add_json(*command, options.json);
}

void add_privacy(CLI::App& app, Parsed& parsed) {
  CLI::App& command = *app.add_subcommand(
      "privacy",
      "Delete a person's events everywhere, or keep none from now on: delete, suppress, "
      "unsuppress, "
      "list.\n"
      "It runs in the running Leat; a deletion that is cut off goes on with its next start.\n\n"
      "Examples:\n"
      "  leat privacy delete --user-id u-1842 --dry-run\n"
      "  leat privacy delete --user-id u-1842 --suppress\n"
      "  leat privacy suppress --anonymous-id 5f0c2a91 --source web\n"
      "  leat privacy list");
  command.require_subcommand(1);
  add_privacy_verb(command, parsed, PrivacyVerb::kDelete, "delete",
                   "Delete a person's events from the archive and their rows from the warehouse, "
                   "and write a report of it.");
  add_privacy_verb(command, parsed, PrivacyVerb::kSuppress, "suppress",
                   "Keep no new events of a person.");
  add_privacy_verb(command, parsed, PrivacyVerb::kUnsuppress, "unsuppress",
                   "Keep a person's events again.");
  add_privacy_verb(command, parsed, PrivacyVerb::kList, "list",
                   "Show what was asked for, and how many are suppressed.");
}

void add_sql(CLI::App& app, Parsed& parsed) {
  auto& command = add_command(app, parsed, "sql", "Ask the embedded warehouse.",
                              "  leat sql 'select event, count(*) from web.tracks group by 1'\n"
                              "  leat sql --json - < question.sql",
                              [&](const Terminal& t) { return run_sql(t, parsed.sql); });
  add_data_flag(command, parsed.sql.config);
  command.add_option("statement", parsed.sql.statement, "SQL; - or nothing reads it from stdin");
  add_json(command, parsed.sql.json);
}

void add_plan(CLI::App& app, Parsed& parsed) {
  PlanCommandOptions& options = parsed.plan;
  auto& command = add_command(
      app, parsed, "plan",
      "Say what events would become in the warehouse: tables, columns, types, and the room they "
      "take.",
      "  leat plan --events-per-month 20000000 events.ndjson\n"
      "  leat plan --tracking-plan web-plan.json events.ndjson\n"
      "  leat plan --archive --from 2026-11-01 --node-type ra3.xlplus --nodes 2\n"
      "  leat plan --live 10m --columns",
      [&](const Terminal& t) { return run_plan(t, options); });
  add_data_flag(command, options.config);
  CLI::Option* files = command.add_option(
      "file", options.files,
      "Files of one JSON event a line, or archive objects; - or nothing reads stdin");
  CLI::Option* archive = command.add_flag(
      "--archive", options.archive, "Read what the archive has of the source; writes nothing");
  command.add_option("--live", options.live, "Read what arrives in this time, such as 10m")
      ->type_name("TIME")
      ->excludes(files)
      ->excludes(archive);
  archive->excludes(files);
  command
      .add_option("--from", options.from, "Of the archive, received at this time (UTC) or later")
      ->type_name("TIME")
      ->needs(archive);
  command.add_option("--to", options.to, "Of the archive, received before this time")
      ->type_name("TIME")
      ->needs(archive);
  command
      .add_option("--source", options.source,
                  "The source whose events and settings count [the only one]")
      ->type_name("NAME");
  command
      .add_option("--tracking-plan", options.tracking_plan,
                  "Hold events against this JSON Schema for each event [the source's]")
      ->type_name("FILE");
  const auto node_types = planned_node_types();
  CLI::Option* node_type =
      command.add_option("--node-type", options.plan.node_type,
                         "Of a cluster that is there: warns when it would be more than 75 % full");
  node_type->check(CLI::IsMember(std::vector<std::string>(node_types.begin(), node_types.end())))
      ->type_name("TYPE");
  command.add_option("--nodes", options.plan.nodes, "How many of them [1]")
      ->check(CLI::Range(1, 128))
      ->needs(node_type)
      ->type_name("N");
  command
      .add_option("--events-per-month", options.plan.events_per_month,
                  "How many will come [as many as are given]")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000}))
      ->type_name("N");
  command.add_option("--months", options.plan.months, "How long rows stay [12]")
      ->check(CLI::Range(1, 1200))
      ->type_name("N");
  command.add_flag("--columns", options.columns, "List every column with its type");
  add_json(command, options.json);
}

void add_inspect(CLI::App& app, Parsed& parsed) {
  auto& command = add_command(app, parsed, "inspect",
                              "Say what is in a file that Leat wrote: journal segment, archive "
                              "object, seal, staged Parquet file, COPY manifest or backup.",
                              "  leat inspect leat-data/journal/*/*.log",
                              [&](const Terminal& t) { return run_inspect(t, parsed.inspect); });
  command.add_option("file", parsed.inspect.files, "The files")->required();
  add_json(command, parsed.inspect.json);
}

void add_simulate(CLI::App& app, Parsed& parsed) {
  SimulateOptions& options = parsed.simulate;
  auto& command = add_command(
      app, parsed, "simulate",
      "Send made-up but realistic events of a shop through the public HTTP API.",
      "  leat simulate --events 5000\n  leat simulate --events 100000 --rate 2000 --seed 7",
      [&](const Terminal& t) { return run_simulate(t, options); });
  add_data_flag(command, options.config);
  command.add_option("--events", options.events, "How many [1000]")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000'000}))
      ->type_name("N");
  command.add_option("--rate", options.rate, "Events a second; 0: as fast as they are taken [0]")
      ->check(CLI::Range(0, 100'000'000))
      ->type_name("N");
  command.add_option("--source", options.source, "The source they are sent to [the first]")
      ->type_name("NAME");
  command.add_option("--batch", options.batch, "Events a request [100]")
      ->check(CLI::Range(1, 500))
      ->type_name("N");
  command.add_option("--connections", options.connections, "Requests at once [2]")
      ->check(CLI::Range(1, 256))
      ->type_name("N");
  command.add_option("--users", options.users, "People in the shop [500]")
      ->check(CLI::Range(1, 100'000'000))
      ->type_name("N");
  command
      .add_option("--seed", options.seed,
                  "The same seed gives the same events [a new one, printed]")
      ->type_name("N");
  add_json(command, options.json);
}

void add_version(CLI::App& app, Parsed& parsed) {
  auto& command = add_command(app, parsed, "version", "Print the version.", "  leat version --json",
                              [&](const Terminal& t) { return run_version(t, parsed.version); });
  add_json(command, parsed.version.json);
}

// Hidden: prints a page of docs/reference, so that it can be brought up to date.
void add_reference(CLI::App& app, Parsed& parsed) {
  CLI::App* command = app.add_subcommand("reference", "Print a page of docs/reference.")->group("");
  command->add_option("page", parsed.reference_page)
      ->required()
      ->check(CLI::IsMember({"cli", "configuration"}));
  command->callback([&parsed] {
    parsed.chosen = [&parsed](const Terminal& terminal) {
      terminal.print(parsed.reference_page == "cli" ? cli_page() : configuration_page());
      return Exit::kOk;
    };
  });
}

std::unique_ptr<CLI::App> make_app(Parsed& parsed) {
  auto app = std::make_unique<CLI::App>(
      "Leat takes the events your apps send, keeps every one, and turns them into tables in a "
      "warehouse.\n\n"
      "Examples:\n  leat up                      start, with nothing configured\n"
      "  leat simulate --events 5000  send it made-up events\n"
      "  leat sync                    load them now\n"
      "  leat sql 'select count(*) from web.tracks'",
      "leat");
  app->formatter(std::make_shared<HelpFormat>());
  app->require_subcommand(1);
  app->set_version_flag("--version", std::string("leat ") + LEAT_VERSION, "Print the version");
  app->footer("More: leat COMMAND --help, docs/reference/cli.md");
  add_init(*app, parsed);
  add_up(*app, parsed);
  add_check(*app, parsed);
  add_status(*app, parsed);
  add_sync(*app, parsed);
  add_history(*app, parsed);
  add_pause(*app, parsed);
  add_replay(*app, parsed);
  add_rescue(*app, parsed);
  add_privacy(*app, parsed);
  add_sql(*app, parsed);
  add_plan(*app, parsed);
  add_inspect(*app, parsed);
  add_simulate(*app, parsed);
  add_roles(*app, parsed);
  add_version(*app, parsed);
  add_reference(*app, parsed);
  return app;
}

const CLI::App* find_command(CLI::App& app, std::string_view name) {
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

// "; did you mean 'status'?" for a command or flag that is nearly one, else nothing.
std::string near_word(CLI::App& app, int argc, char** argv) {
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands({})) commands.push_back(command->get_name());
  if (argc < 2) return "";
  const CLI::App* chosen = find_command(app, argv[1]);
  if (chosen == nullptr) {
    const auto near = near_miss(argv[1], commands);
    return near ? fmt::format("; did you mean '{}'?", *near) : "";
  }
  std::vector<std::string> flags;
  for (const CLI::Option* option : chosen->get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  for (int i = 2; i < argc; ++i) {
    const std::string_view word =
        std::string_view(argv[i]).substr(0, std::string_view(argv[i]).find('='));
    if (!word.starts_with("--") || chosen->get_option_no_throw(std::string(word)) != nullptr)
      continue;
    if (const auto near = near_miss(word, flags)) return fmt::format("; did you mean '{}'?", *near);
  }
  return "";
}

int usage_error(const Terminal& terminal, CLI::App& app, const CLI::ParseError& error, int argc,
                char** argv) {
  std::string what = error.what();
  if (argc < 2) what = "which command? See: leat --help";
  if (argc >= 2 && argv[1][0] != '-' && find_command(app, argv[1]) == nullptr) {
    what = fmt::format("unknown command '{}'", argv[1]);
  }
  for (char& c : what) c = c == '\n' ? ' ' : c;
  terminal.say(fmt::format("leat: {}{}\n", what, near_word(app, argc, argv)));
  return static_cast<int>(Exit::kUsage);
}

}  // namespace

int run_program(int argc, char** argv) {
  const Terminal terminal{stdout, stderr, ::isatty(STDERR_FILENO) != 0};
  std::signal(SIGPIPE, SIG_IGN);
  Parsed parsed;
  const auto app = make_app(parsed);
  try {
    app->parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app->exit(help, std::cout, std::cerr);
  } catch (const CLI::ParseError& error) {
    return usage_error(terminal, *app, error, argc, argv);
  }
  Exit code = Exit::kFailed;
  try {
    code = parsed.chosen(terminal);
  } catch (const std::exception& error) {
    terminal.say(fmt::format("leat: a fault of the program: {}; please report it\n", error.what()));
  }
  if (std::fflush(stdout) != 0 && errno != EPIPE && code == Exit::kOk) code = Exit::kFailed;
  return static_cast<int>(code);
}

std::string cli_page() {
  Parsed parsed;
  const auto app = make_app(parsed);
  std::string out =
      "# Command line\n\n"
      "<!-- Made from src/app/program.cc by `leat reference cli`; a test compares. -->\n\n"
      "Data goes to stdout, messages to stderr; `--json` is there wherever a table is printed. "
      "Exit codes: 0 done, 1 failed,\n"
      "2 the command line is wrong, 75 not now: run it again later.\n\n"
      "Commands that ask a running Leat find it through `connection.json` in its data directory.\n";
  out += "\n```text\n" + app->help() + "```\n";
  for (CLI::App* command : app->get_subcommands({})) {
    if (command->get_group().empty()) continue;
    out +=
        fmt::format("\n## leat {}\n\n```text\n{}```\n", command->get_name(), command->help("leat"));
    const std::string parent = "leat " + command->get_name();
    for (CLI::App* verb : command->get_subcommands({})) {
      out += fmt::format("\n### {} {}\n\n```text\n{}```\n", parent, verb->get_name(),
                         verb->help(parent));
    }
  }
  return out;
}

}  // namespace leat::app
