// The function of SUPER objects that DuckDB has nothing for:
//
//   leat_object_transform(json, count, path..., [path, value]...)
//
// The object with the members that the first `count` paths name, and each value behind them put in
// at its path, in this order; what is no object as it is. A path is written '"a"."b"'. Members
// keep their order, new ones come behind them.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "warehouse/engine/database.h"
#include "warehouse/engine/duckdb_bridge.h"
#include "warehouse/engine/function.h"

namespace leat::engine {
namespace {

/// As they stand in the JSON text; names with their quotes.
struct Member {
  std::string_view name;
  std::string_view value;
};

/// Names with their quotes.
using Path = std::vector<std::string>;

bool is_object(std::string_view json) {
  return json.starts_with('{');
}

/// Behind the string that begins at `at`.
std::size_t string_end(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) at += json[at] == '\\' ? 1 : 0;
  return std::min(at + 1, json.size());
}

std::size_t skip_space(std::string_view json, std::size_t at) {
  return std::min(json.find_first_not_of(" \t\r\n", at), json.size());
}

/// Behind the value that begins at `at`: at a comma, or the end of what holds it.
std::size_t value_end(std::string_view json, std::size_t at) {
  int depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = string_end(json, at);
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
    depth += c == '{' || c == '[' ? 1 : 0;
    depth -= c == '}' || c == ']' ? 1 : 0;
    ++at;
  }
  return at;
}

std::vector<Member> members_of(std::string_view object) {
  std::vector<Member> members;
  std::size_t at = skip_space(object, 1);
  while (at < object.size() && object[at] == '"') {
    const std::size_t name_end = string_end(object, at);
    const std::string_view name = object.substr(at, name_end - at);
    const std::size_t colon = std::min(object.find(':', name_end), object.size() - 1);
    const std::size_t begin = skip_space(object, colon + 1);
    const std::size_t end = value_end(object, begin);
    members.push_back({.name = name, .value = trim(object.substr(begin, end - begin))});
    at = skip_space(object, std::min(end + 1, object.size()));
  }
  return members;
}

void add_member(std::string& object, std::string_view name, std::string_view value) {
  object += fmt::format("{}{}:{}", object.size() > 1 ? "," : "", name, value);
}

/// The members that the paths name from `depth` on.
std::string kept(std::string_view object, const std::vector<const Path*>& paths,
                 std::size_t depth) {
  std::string result = "{";
  for (const Member& member : members_of(object)) {
    std::vector<const Path*> inner;
    bool whole = false;
    for (const Path* path : paths) {
      if ((*path)[depth] != member.name) continue;
      whole = whole || path->size() == depth + 1;
      if (path->size() > depth + 1) inner.push_back(path);
    }
    if (whole) {
      add_member(result, member.name, member.value);
    } else if (!inner.empty() && is_object(member.value)) {
      add_member(result, member.name, kept(member.value, inner, depth + 1));
    }
  }
  return result + "}";
}

/// The object with the value at the path, whose objects are made where they are missing.
SqlResult<std::string> with_value(std::string_view object, std::span<const std::string> path,
                                  std::string_view value) {
  std::string result = "{";
  bool found = false;
  const auto put = [&](std::string_view old) -> SqlStatus {
    found = true;
    if (path.size() == 1) {
      add_member(result, path[0], value);
      return {};
    }
    if (!is_object(old)) {
      return fail_sql("22023", fmt::format("OBJECT_TRANSFORM: {} is no object, so nothing can be "
                                           "set inside of it",
                                           path[0]));
    }
    LEAT_ASSIGN(const std::string inner, with_value(old, path.subspan(1), value));
    add_member(result, path[0], inner);
    return {};
  };
  for (const Member& member : members_of(object)) {
    if (member.name == path[0] && !found) {
      LEAT_TRY(put(member.value));
    } else {
      add_member(result, member.name, member.value);
    }
  }
  if (!found) LEAT_TRY(put("{}"));
  return result + "}";
}

SqlResult<Path> read_path(std::string_view text) {
  Path path;
  std::string_view rest = text;
  while (rest.starts_with('"')) {
    const std::size_t end = rest.find('"', 1);
    if (end == std::string_view::npos) break;
    path.push_back(json_string(rest.substr(1, end - 1)));
    rest.remove_prefix(end + 1);
    if (rest.empty()) return path;
    if (rest.front() != '.') break;
    rest.remove_prefix(1);
  }
  return fail_sql("22023",
                  fmt::format("OBJECT_TRANSFORM: '{}' is no path; write names in double quotes "
                              "with points between them: '\"a\".\"b\"'",
                              text));
}

SqlStatus transform(const Chunk& arguments, std::size_t row, FunctionOutput& output) {
  if (arguments.column(0).is_null(row)) {
    output.set_null(row);
    return {};
  }
  const std::string_view json = trim(arguments.column(0).text(row));
  const auto count = parse_number<std::size_t>(arguments.column(1).text(row)).value_or(0);
  const std::size_t sets = 2 + count;
  const auto path = [&](std::size_t i) { return read_path(arguments.column(i).text(row)); };
  std::vector<Path> paths;
  for (std::size_t i = 2; i < sets; ++i) {
    LEAT_ASSIGN(Path read, path(i));
    paths.push_back(std::move(read));
  }
  std::vector<const Path*> keep;
  for (const Path& each : paths) keep.push_back(&each);
  const bool changes = is_object(json) && arguments.columns().size() > 2;
  std::string result = changes ? kept(json, keep, 0) : std::string(json);
  for (std::size_t i = sets; changes && i + 1 < arguments.columns().size(); i += 2) {
    LEAT_ASSIGN(const Path at, path(i));
    const Column& value = arguments.column(i + 1);
    const std::string_view text = value.is_null(row) ? "null" : value.text(row);
    // JSON knows no infinity.
    const bool beyond = text == "Infinity" || text == "-Infinity" || text == "NaN";
    LEAT_ASSIGN(result, with_value(result, at, beyond ? "null" : text));
  }
  output.set_text(row, result);
  return {};
}

}  // namespace

SqlStatus add_object_function(Database& database) {
  return database.add_function(
      {.name = "leat_object_transform",
       .parameters = {plain_type(Type::kVarchar), plain_type(Type::kVarchar)},
       .more_parameters = plain_type(Type::kVarchar),
       .returns = plain_type(Type::kVarchar),
       .sees_null = true,
       .run = transform});
}

}  // namespace leat::engine
