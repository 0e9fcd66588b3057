// `leat plan`: what events would become in the warehouse, without loading them.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "app/commands.h"
#include "app/config_keys.h"
#include "app/data_directory.h"
#include "app/file_text.h"
#include "app/object_storage.h"
#include "app/part_options.h"
#include "app/plan.h"
#include "app/shaping.h"
#include "app/sources.h"
#include "base/clock.h"
#include "pipeline/archive/archive.h"
#include "pipeline/archive/inspect.h"
#include "pipeline/load/load_sql.h"

namespace leat::app {
namespace {

// What is shaped: so many batches, read one after another.
struct Input {
  std::size_t batches = 0;
  shape::ReadBatch read;
  BadLines bad{};
};

Result<std::string> read_file(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  LEAT_ASSIGN(std::string bytes, read_text_file(path));
  if (!archive::is_object(bytes)) return bytes;
  auto lines = archive::decompress_object(bytes);
  if (!lines) return fail(lines.error().code, path + ": " + lines.error().message);
  return lines;
}

Result<Input> open_files(const PlanCommandOptions& options, const Config& config) {
  BadLines bad;
  std::vector<shape::Batch> batches;
  const std::vector<std::string> standard_input = {"-"};
  for (const std::string& path : options.files.empty() ? standard_input : options.files) {
    LEAT_ASSIGN(const std::string text, read_file(path));
    PlannedLines lines =
        read_planned_lines(text, "plan", system_clock().now(), collect_limits(config));
    const std::string name = path == "-" ? "stdin" : path;
    for (BadLine& each : lines.bad.first) {
      each.input = name;
      bad.add(std::move(each));
    }
    bad.count += lines.bad.count - lines.bad.first.size();
    batches.push_back({.id = name, .lines = std::move(lines.lines)});
  }
  const std::size_t count = batches.size();
  return Input{
      .batches = count,
      .read = [batches = std::move(batches)](std::size_t position) -> Result<shape::Batch> {
        return batches[position];
      },
      .bad = std::move(bad)};
}

// The configured archive, read only.
class ArchiveInput {
 public:
  ArchiveInput(const Config& config, std::string source)
      : config_(config), source_(std::move(source)) {}

  [[nodiscard]] Status open() {
    const std::string usual = DataPaths{config_.data}.objects();
    const std::string& folder = config_.store_directory.empty() ? usual : config_.store_directory;
    std::error_code error;
    if (config_.store_kind == "directory" && !std::filesystem::is_directory(folder, error)) {
      return fail(Errc::kNotFound,
                  fmt::format("there is no archive at {}; name the data directory with --data, or "
                              "the store in the configuration",
                              folder));
    }
    LEAT_ASSIGN(storage_,
                open_object_storage(config_, process_environment(), {.usual_directory = usual}));
    archive_.emplace(*storage_.store, config_.archive_bucket);
    return {};
  }

  [[nodiscard]] Result<std::vector<archive::Batch>> between(TimeUs from, TimeUs to) const {
    return archive_->batches_between(source_, from, to);
  }

  /// What is sealed in that time.
  [[nodiscard]] Result<std::vector<archive::Batch>> arriving(std::int64_t us) const {
    const auto batches_now = [this](TimeUs from) {
      return between(from, TimeUs{system_clock().now().value + kUsPerHour});
    };
    // The batches of this hour that are there already are not news.
    const TimeUs begin = system_clock().now();
    LEAT_ASSIGN(const auto before, batches_now(begin));
    std::set<std::string> known;
    for (const archive::Batch& batch : before) known.insert(batch.id);
    std::this_thread::sleep_for(std::chrono::microseconds(us));
    LEAT_ASSIGN(auto batches, batches_now(begin));
    std::erase_if(batches, [&](const auto& batch) { return known.contains(batch.id); });
    return batches;
  }

  /// Borrows the object.
  [[nodiscard]] Input input_of(std::vector<archive::Batch> batches) const {
    const std::size_t count = batches.size();
    return {
        .batches = count,
        .read = [this, batches = std::move(batches)](std::size_t position) -> Result<shape::Batch> {
          LEAT_ASSIGN(std::string lines, archive_->read(batches[position]));
          return shape::Batch{.id = batches[position].id, .lines = std::move(lines)};
        }};
  }

 private:
  const Config& config_;
  std::string source_;
  ObjectStorage storage_;
  std::optional<archive::Archive> archive_;
};

Result<std::vector<archive::Batch>> find_batches(const Terminal& terminal,
                                                 const PlanCommandOptions& options,
                                                 const ArchiveInput& archive) {
  if (!options.live.empty()) {
    const auto us = parse_duration_us(options.live);
    if (!us) {
      return fail(Errc::kInvalid,
                  fmt::format("--live '{}' is no duration; allowed: 30s, 10m, 1h", options.live));
    }
    terminal.say(fmt::format("leat: reading what arrives in {}\n", options.live));
    return archive.arriving(*us);
  }
  TimeUs from{0};
  TimeUs to{system_clock().now().value + kUsPerHour};
  if (!options.from.empty()) {
    LEAT_ASSIGN(from, time_of_flag("--from", options.from));
  }
  if (!options.to.empty()) {
    LEAT_ASSIGN(to, time_of_flag("--to", options.to));
  }
  return archive.between(from, to);
}

// The source whose settings count: the named one, or the only one; nothing without any.
Result<std::optional<Source>> source_of(const PlanCommandOptions& options, const Config& config) {
  LEAT_ASSIGN(const auto sources, name_sources(config.sources));
  if (!options.source.empty()) {
    const auto found = std::ranges::find(sources, options.source, &Source::name);
    if (found != sources.end()) return *found;
    return fail(Errc::kInvalid,
                fmt::format("there is no source '{}' in the configuration", options.source));
  }
  const bool reads_archive = options.archive || !options.live.empty();
  if (sources.size() == 1) return sources.front();
  if (reads_archive) {
    return fail(Errc::kInvalid, "there is more than one source; name one with --source");
  }
  return std::nullopt;
}

Result<Plan> make_plan_of(const PlanCommandOptions& options, const Config& config,
                          const std::optional<Source>& source, const Input& input) {
  shape::Options shaping = shape_options(config);
  shaping.synced_at = system_clock().now();
  std::string plan_file = options.tracking_plan;
  if (source) {
    shaping.exclusion = source->exclusion;
    shaping.taken_tables = load::ledger_tables_in(source->schema, config.destination_ledger_schema);
    if (plan_file.empty()) plan_file = source->tracking_plan;
  }
  std::unique_ptr<shape::TrackingPlan> tracking_plan;
  if (!plan_file.empty()) {
    LEAT_ASSIGN(tracking_plan, read_tracking_plan(plan_file));
  }
  shaping.tracking_plan = tracking_plan.get();
  RescueReasons reasons;
  shaping.observer = &reasons;
  LEAT_ASSIGN(const shape::Staged staged,
              shape::shape_batches(shaping, {}, input.batches, input.read));
  Plan plan = make_plan(staged, options.plan);
  plan.rescues = reasons.take();
  return plan;
}

Result<Plan> plan_input(const Terminal& terminal, const PlanCommandOptions& options,
                        const Config& config) {
  LEAT_ASSIGN(const auto source, source_of(options, config));
  const bool reads_archive = options.archive || !options.live.empty();
  ArchiveInput archive(config, source ? source->name : "");
  Input input;
  if (reads_archive) {
    LEAT_TRY(archive.open());
    LEAT_ASSIGN(auto batches, find_batches(terminal, options, archive));
    input = archive.input_of(std::move(batches));
  } else {
    LEAT_ASSIGN(input, open_files(options, config));
  }
  LEAT_ASSIGN(Plan plan, make_plan_of(options, config, source, input));
  plan.bad = std::move(input.bad);
  if (plan.events > 0) return plan;
  if (reads_archive) {
    return fail(Errc::kInvalid, "the archive has no event of that source and time");
  }
  std::string lines;
  for (const BadLine& bad : plan.bad.first) {
    lines += fmt::format(" {}:{}: {};", bad.input, bad.line, bad.why);
  }
  return fail(Errc::kInvalid,
              fmt::format("there is no event in the input;{} give files of one JSON event a line, "
                          "or objects of the archive",
                          lines));
}

void warn_of_room(const Terminal& terminal, const Plan& plan, const PlanOptions& options) {
  if (!plan.own || full_share(*plan.own) <= kFullShare) return;
  terminal.say(fmt::format(
      "leat: warning: {} {} of {} would be {:.0f} % full after {} months; above {:.0f} % a cluster "
      "gets slow: take more nodes, or keep rows for less long\n",
      plan.own->nodes, plan.own->nodes == 1 ? "node" : "nodes", plan.own->node_type,
      100 * full_share(*plan.own), options.months, 100 * kFullShare));
}

}  // namespace

Exit run_plan(const Terminal& terminal, const PlanCommandOptions& options) {
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  const auto plan = plan_input(terminal, options, *config);
  if (!plan) return report(terminal, plan.error());
  terminal.print(options.json ? to_json(*plan) : to_text(*plan, options.columns));
  warn_of_room(terminal, *plan, options.plan);
  return Exit::kOk;
}

}  // namespace leat::app
