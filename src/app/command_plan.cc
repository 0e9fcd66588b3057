// `leat plan`: what events would become in the warehouse, without loading them.
#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <utility>

#include "app/commands.h"
#include "app/file_text.h"
#include "app/plan.h"
#include "app/shaping.h"
#include "base/clock.h"
#include "pipeline/archive/inspect.h"

namespace leat::app {
namespace {

Result<std::string> read_input(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  LEAT_ASSIGN(std::string bytes, read_text_file(path));
  if (!archive::is_object(bytes)) return bytes;
  auto lines = archive::decompress_object(bytes);
  if (!lines) return fail(lines.error().code, path + ": " + lines.error().message);
  return lines;
}

void warn_of(const Terminal& terminal, const std::string& path, const PlannedLines& lines) {
  if (lines.not_json == 0) return;
  terminal.say(fmt::format("leat: warning: {}:{}: not JSON; {} such lines are left out\n",
                           path == "-" ? "stdin" : path, lines.first_not_json, lines.not_json));
}

Result<Plan> plan_files(const Terminal& terminal, const PlanCommandOptions& options,
                        const Config& config) {
  std::vector<shape::Batch> batches;
  const std::vector<std::string> standard_input = {"-"};
  for (const std::string& path : options.files.empty() ? standard_input : options.files) {
    LEAT_ASSIGN(const std::string text, read_input(path));
    PlannedLines lines = read_planned_lines(text, "plan", system_clock().now());
    warn_of(terminal, path, lines);
    batches.push_back({.id = path, .lines = std::move(lines.lines)});
  }
  shape::Options shaping = shape_options(config);
  shaping.synced_at = system_clock().now();
  LEAT_ASSIGN(const shape::Staged staged,
              shape::shape_batches(
                  shaping, {}, batches.size(),
                  [&](std::size_t position) -> Result<shape::Batch> { return batches[position]; }));
  Plan plan = make_plan(staged, options.plan);
  if (plan.events == 0) {
    return fail(Errc::kInvalid,
                "there is no event in the input; give files of one JSON event a line, or objects "
                "of the archive");
  }
  return plan;
}

}  // namespace

Exit run_plan(const Terminal& terminal, const PlanCommandOptions& options) {
  const auto config = load_choice(terminal, options.config);
  if (!config) return report(terminal, config.error());
  const auto plan = plan_files(terminal, options, *config);
  if (!plan) return report(terminal, plan.error());
  terminal.print(options.json ? to_json(*plan) : to_text(*plan, options.columns));
  return Exit::kOk;
}

}  // namespace leat::app
