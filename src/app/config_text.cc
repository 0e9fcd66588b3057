#include "app/config_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "app/config_keys.h"

namespace leat::app {
namespace {

std::string_view group_of(std::string_view path) {
  const std::size_t dot = path.find('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

std::string_view name_of(std::string_view path) {
  const std::size_t dot = path.find('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

// Appends `text` as comment lines of at most 100 columns, each starting with `prefix`.
void append_wrapped(std::string& out, std::string_view prefix, std::string_view text) {
  constexpr std::size_t kColumnsMax = 100;
  std::string line(prefix);
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    if (line.size() > prefix.size() && line.size() + 1 + word.size() > kColumnsMax) {
      out += line + "\n";
      line = prefix;
    }
    if (line.size() > prefix.size()) line += ' ';
    line += word;
    text = space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
  }
  out += line + "\n";
}

// A pipe would end a table's cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string sample_yaml() {
  std::string out =
      "# leat.yml: what this Leat is told. Every key is shown with its default; uncomment what you "
      "change.\n"
      "# Each key can also be set by the environment (collect.listen is LEAT_COLLECT_LISTEN), by "
      ".env beside this\n"
      "# file, or by a flag (--collect-listen). Flag wins over environment over .env over this "
      "file.\n"
      "# All keys: docs/reference/configuration.md. Check this file with: leat check\n";
  std::string_view group;
  for (const Key& key : config_keys()) {
    if (group_of(key.path) != group) {
      group = group_of(key.path);
      out += fmt::format("\n{}:\n", group);
    } else if (group.empty()) {
      out += '\n';
    }
    const std::string indent = group.empty() ? "" : "  ";
    append_wrapped(out, indent + "# ", key.about);
    if (key.secret) {
      out += fmt::format("{}# {} belongs in .env: {}\n", indent, name_of(key.path),
                         env_name(key.path));
    } else {
      out += fmt::format("{}# {}: {}\n", indent, name_of(key.path),
                         key.fallback.empty() ? "\"\"" : key.fallback);
    }
  }
  out +=
      "\n# One entry for each site or app that sends events. Its tables are in the schema of its "
      "name.\n"
      "sources:\n"
      "  web:\n";
  for (const SourceKey& key : source_keys()) {
    append_wrapped(out, "    # ", key.about);
    if (key.secret) {
      out += fmt::format("    # {} is in .env: {}\n", key.name,
                         env_name(fmt::format("sources.web.{}", key.name)));
    } else {
      const std::string_view unset = key.name == "schema" ? "web" : "\"\"";
      out += fmt::format("    # {}: {}\n", key.name, key.fallback.empty() ? unset : key.fallback);
    }
  }
  return out;
}

std::string sample_env_file(const std::string& write_key) {
  return fmt::format(
      "# Secrets of this Leat: keep this file out of version control. Any key of leat.yml may "
      "stand here by its\n"
      "# name in the environment.\n"
      "{}={}\n",
      env_name("sources.web.write_key"), write_key);
}

std::string configuration_page() {
  std::string out =
      "# Configuration\n\n"
      "<!-- Made from src/app/config_keys.cc by `leat reference configuration`; a test compares. "
      "-->\n\n"
      "Without any configuration `leat up` works: every key has a default. What differs is said in "
      "up to four places; the\n"
      "first that says something wins:\n\n"
      "1. a **flag** of `leat up` or `leat check`, such as `--collect-listen 0.0.0.0:8080` (never "
      "for secrets);\n"
      "2. an **environment** variable, such as `LEAT_COLLECT_LISTEN=0.0.0.0:8080`;\n"
      "3. the file **`.env`** beside `leat.yml` (in the working directory when there is none), "
      "with the same names;\n"
      "4. the file **`leat.yml`** of the working directory, or the one named by `--config` or "
      "`LEAT_CONFIG`.\n\n"
      "An empty variable counts as not set. `leat init` writes a commented `leat.yml` and a "
      "`.env`; `leat check` reads all of it\n"
      "without starting anything. A mistake stops the start with one line each: place, key, what "
      "is wrong, what is allowed;\n"
      "an unknown key or an unknown `LEAT_` name in `.env` is a mistake, in the environment it is "
      "a warning if it looks like a\n"
      "slip.\n\n"
      "```text\n"
      "leat.yml:4: collect.lisen: unknown key; did you mean 'listen'?; allowed: listen, threads, "
      "connections_max, "
      "request_timeout, hold_timeout, body_bytes_max, event_bytes_max, batch_events_max, "
      "trusted_proxies, "
      "tls_certificate, tls_key\n"
      "```\n\n"
      "## Keys\n\n"
      "In `leat.yml`, `collect.listen` is the key `listen` below `collect:`.\n\n"
      "| key | default | allowed | environment | meaning |\n"
      "| --- | --- | --- | --- | --- |\n";
  for (const Key& key : config_keys()) {
    out += fmt::format("| `{}` | `{}` | {} | `{}` | {} |\n", key.path, key.fallback,
                       cell(allowed_text(key)), env_name(key.path), cell(key.about));
  }
  out +=
      "\n## Sources\n\n"
      "A source is one site or app that sends events; its name is the key below `sources:`. "
      "Without any, there is one,\n"
      "`web`. `LEAT_SOURCES=web,shop` declares sources without a file. In the names of variables "
      "every character of a source's\n"
      "name that is no letter or digit becomes `_`.\n\n"
      "```yaml\n"
      "sources:\n"
      "  web:\n"
      "  shop-app:\n"
      "    schema: shop\n"
      "```\n\n"
      "| key | default | allowed | environment | meaning |\n"
      "| --- | --- | --- | --- | --- |\n";
  for (const SourceKey& key : source_keys()) {
    out += fmt::format("| `sources.NAME.{}` | {} | {} | `LEAT_SOURCES_NAME_{}` | {} |\n", key.name,
                       key.fallback.empty() ? "" : fmt::format("`{}`", key.fallback),
                       cell(allowed_text(key)), env_name(key.name).substr(5), cell(key.about));
  }
  return out;
}

}  // namespace leat::app
