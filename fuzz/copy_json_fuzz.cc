// COPY's splitting of JSON files into values, and JSONPaths files.
//
// Input: byte 0 chooses: bit 0 paths or auto, bit 1 ignore case, bits 6 and 7 header lines; the
// rest is the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "warehouse/transfer/json_reader.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

leat::transfer::TargetColumn column(const char* name, leat::sql::TypeKind kind) {
  leat::transfer::TargetColumn out{.name = name};
  out.type.kind = kind;
  out.type.length = 20;
  out.type.precision = 10;
  out.type.scale = 2;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  // The same bytes as a JSONPaths file: any answer, no crash.
  (void)leat::transfer::parse_json_paths(bytes);
  (void)leat::transfer::parse_json_path(bytes);

  const std::vector<leat::transfer::TargetColumn> targets{
      column("a", leat::sql::TypeKind::kInteger), column("b", leat::sql::TypeKind::kVarchar),
      column("c", leat::sql::TypeKind::kSuper), column("d", leat::sql::TypeKind::kDecimal)};
  const auto options = *leat::transfer::FieldOptions::read({});
  std::vector<leat::transfer::FieldConverter> converters;
  converters.reserve(targets.size());
  for (const auto& target : targets) converters.emplace_back(target, options);
  leat::transfer::JsonMapping mapping;
  mapping.ignore_case = (data[0] & 2) != 0;
  if ((data[0] & 1) != 0) {
    mapping.paths = *leat::transfer::parse_json_paths(
        R"({"jsonpaths": ["$.a", "$['b'][0]", "$", "$.d.e[2]"]})");
  }
  leat::transfer::JsonRow row(mapping, converters);
  leat::transfer::JsonSplitter splitter(
      leat::transfer::open_bytes(bytes, leat::sql::FileCompression::kNone), 4096);
  require(splitter.skip_lines(data[0] >> 6).has_value());
  std::size_t values = 0;
  std::string_view value;
  std::optional<leat::transfer::FieldError> error;
  while (true) {
    const auto more = splitter.next(value, error);
    require(more.has_value());
    if (!*more) break;
    require(++values <= bytes.size());
    require(splitter.line_number() >= 1);
    if (error) continue;
    require(!value.empty() && (value.front() == '{' || value.front() == '['));
    const auto failure = row.read(value);
    require(!failure || !failure->error.reason.empty());
  }
  return 0;
}
