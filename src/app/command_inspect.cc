// `leat inspect`: says what is in a file that Leat wrote. What a file is, its first bytes tell.
#include <fmt/format.h>

#include <utility>

#include "app/backup_text.h"
#include "app/commands.h"
#include "app/file_text.h"
#include "app/inspect_parquet.h"
#include "base/text.h"
#include "io/file_system.h"
#include "pipeline/archive/inspect.h"
#include "pipeline/journal/inspect.h"
#include "warehouse/backup/backup.h"

namespace leat::app {
namespace {

constexpr std::string_view kParquetMagic = "PAR1";
constexpr std::string_view kManifestStart = R"({"entries":)";

struct Description {
  std::string text;
  bool sound = true;  // false: the file is damaged
};

Result<Description> describe_object(const std::string& bytes, bool json) {
  LEAT_ASSIGN(const auto report, archive::inspect_object(bytes));
  return Description{json ? archive::to_json(report) : archive::to_text(report),
                     report.problem.empty()};
}

Result<Description> describe_seal(const std::string& bytes, bool json) {
  LEAT_ASSIGN(const auto seal, archive::inspect_seal(bytes));
  return Description{json ? archive::format_seal(seal) : archive::to_text(seal)};
}

Result<Description> describe_staged(const std::string& path, bool json) {
  LEAT_ASSIGN(std::string text, describe_parquet(path, json));
  return Description{std::move(text)};
}

// A COPY manifest is short JSON that says all itself.
Result<Description> describe_manifest(const std::string& bytes, bool json) {
  return Description{json ? bytes : "COPY manifest\n" + bytes};
}

Result<Description> describe_segment(const std::string& path, bool json) {
  LEAT_ASSIGN(const auto report, journal::inspect_segment(io::posix_file_system(), path));
  return Description{json ? journal::to_json(report) : journal::to_text(report),
                     report.end != journal::SegmentEnd::kCorrupt};
}

Result<Description> describe_warehouse_backup(const std::string& path, bool json) {
  LEAT_ASSIGN(const auto contents, backup::check_backup(io::posix_file_system(), path));
  return Description{json ? backup_json(contents) : backup_text(contents)};
}

Result<Description> describe(const std::string& path, bool json) {
  LEAT_ASSIGN(const bool whole_warehouse, is_backup_file(path));
  if (whole_warehouse) return describe_warehouse_backup(path, json);
  LEAT_ASSIGN(const std::string bytes, read_text_file(path));
  if (archive::is_object(bytes)) return describe_object(bytes, json);
  if (bytes.starts_with(kParquetMagic)) return describe_staged(path, json);
  if (bytes.starts_with(kManifestStart)) return describe_manifest(bytes, json);
  if (bytes.starts_with('{')) return describe_seal(bytes, json);
  auto segment = describe_segment(path, json);
  if (!segment && segment.error().code == Errc::kInvalid) {
    return fail(Errc::kInvalid,
                "not a file that Leat writes: neither journal segment nor archive object, seal, "
                "Parquet file, COPY manifest or backup");
  }
  return segment;
}

// Errors of the file system name the file themselves.
std::string with_path(const std::string& path, const std::string& message) {
  return message.starts_with(path + ":") ? message : fmt::format("{}: {}", path, message);
}

}  // namespace

Exit run_inspect(const Terminal& terminal, const InspectOptions& options) {
  Exit code = Exit::kOk;
  for (const std::string& path : options.files) {
    auto description = describe(path, options.json);
    if (!description) {
      const Error& error = description.error();
      code = report(terminal, fail(error.code, with_path(path, error.message)).error());
      continue;
    }
    if (!options.json && options.files.size() > 1) terminal.print(fmt::format("{}:\n", path));
    terminal.print(description->text);
    if (!description->text.ends_with('\n')) terminal.print("\n");
    if (!description->sound) code = Exit::kFailed;
  }
  return code;
}

}  // namespace leat::app
