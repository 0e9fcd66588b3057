#include "app/config.h"

#include <fmt/format.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "app/config_keys.h"
#include "app/env_file.h"
#include "app/file_text.h"
#include "base/text.h"

namespace leat::app {
namespace {

const Key* find_key(std::string_view path) {
  for (const Key& key : config_keys()) {
    if (key.path == path) return &key;
  }
  return nullptr;
}

const SourceKey* find_source_key(std::string_view name) {
  for (const SourceKey& key : source_keys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  if (const auto near = near_miss(word, candidates))
    return fmt::format("; did you mean '{}'?", *near);
  return "";
}

// "a, b and c" of what may stand at one level.
std::string list_text(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

// The keys of one group, or the groups and plain keys of the top level when `group` is empty.
std::vector<std::string> names_in(std::string_view group) {
  std::vector<std::string> names;
  const auto add = [&](std::string_view name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  };
  for (const Key& key : config_keys()) {
    const std::size_t dot = key.path.find('.');
    const std::string_view key_group = dot == std::string_view::npos ? "" : key.path.substr(0, dot);
    if (group.empty()) add(key.path.substr(0, dot));
    if (!group.empty() && key_group == group) add(key.path.substr(dot + 1));
  }
  if (group.empty()) add("sources");
  return names;
}

// Lays settings into a Config and collects what is wrong with them.
class Layers {
 public:
  void defaults() {
    for (const Key& key : config_keys()) {
      const auto value = parse_key_value(key, key.fallback);
      if (value) key.store(loaded_.config, *value);
    }
  }

  void mistake(std::string_view place, std::string_view what) {
    mistakes_.push_back(fmt::format("{}: {}", place, what));
  }
  void warn(std::string text) { loaded_.warnings.push_back(std::move(text)); }

  void set(const Key& key, std::string_view shown, std::string_view text,
           const std::string& place) {
    const auto value = parse_key_value(key, text);
    if (!value) return mistake(place, fmt::format("{}: {}", shown, value.error().message));
    key.store(loaded_.config, *value);
    loaded_.config.origins[std::string(key.path)] = place;
  }

  SourceConfig& source(std::string_view name) {
    for (SourceConfig& source : loaded_.config.sources) {
      if (source.name == name) return source;
    }
    return loaded_.config.sources.emplace_back(SourceConfig{.name = std::string(name)});
  }

  void set_source(SourceConfig& source, const SourceKey& key, std::string_view shown,
                  std::string_view text, const std::string& place) {
    const auto value = parse_key_value(key, text);
    if (!value) return mistake(place, fmt::format("{}: {}", shown, value.error().message));
    key.store(source, *value);
    loaded_.config.origins[fmt::format("sources.{}.{}", source.name, key.name)] = place;
  }

  // Declares a source; a bad name is a mistake and gives nothing.
  SourceConfig* declare_source(std::string_view name, std::string_view shown,
                               const std::string& place) {
    if (!is_source_name(name)) {
      mistake(place,
              fmt::format(
                  "{}: '{}' is not a name of a source; allowed: 1 to 64 of A-Z, a-z, 0-9, - and _",
                  shown, name));
      return nullptr;
    }
    return &source(name);
  }

  [[nodiscard]] const Config& config() const { return loaded_.config; }
  [[nodiscard]] Config& config() { return loaded_.config; }

  Result<LoadedConfig> finish() {
    if (mistakes_.empty()) return std::move(loaded_);
    std::string text;
    for (const std::string& line : mistakes_) {
      if (!text.empty()) text += '\n';
      text += line;
    }
    return fail(Errc::kInvalid, std::move(text));
  }

 private:
  LoadedConfig loaded_;
  std::vector<std::string> mistakes_;
};

// Reads leat.yml into the layers. Throws YAML::Exception on text that is no YAML; load_yaml catches
// it.
class YamlReader {
 public:
  YamlReader(Layers& layers, std::string path) : layers_(layers), path_(std::move(path)) {}

  void read(const std::string& text) {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return;
    if (!root.IsMap())
      return layers_.mistake(place(root), "the file is not a mapping; allowed: KEY: VALUE lines");
    each(root, "", [&](const std::string& name, const YAML::Node& key, const YAML::Node& value) {
      top_level(name, key, value);
    });
  }

 private:
  [[nodiscard]] std::string place(const YAML::Node& node) const {
    return fmt::format("{}:{}", path_, std::max(node.Mark().line + 1, 1));
  }

  // Calls `use` for each entry whose key is a scalar that did not occur before.
  template <class Use>
  void each(const YAML::Node& map, const std::string& prefix, Use use) {
    std::set<std::string> seen;
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) {
        layers_.mistake(place(entry.first), fmt::format("{}: a key that is not text",
                                                        prefix.empty() ? "top level" : prefix));
        continue;
      }
      const std::string name = entry.first.Scalar();
      if (!seen.insert(name).second) {
        layers_.mistake(place(entry.first),
                        fmt::format("{}{}: given twice; allowed: once", prefix, name));
        continue;
      }
      use(name, entry.first, entry.second);
    }
  }

  void unknown(const YAML::Node& at, const std::string& prefix, const std::string& name,
               const std::vector<std::string>& allowed) {
    layers_.mistake(place(at), fmt::format("{}{}: unknown key{}; allowed: {}", prefix, name,
                                           did_you_mean(name, allowed), list_text(allowed)));
  }

  void scalar(const Key& key, const YAML::Node& at, const YAML::Node& value) {
    if (value.IsNull()) return;  // `key:` with nothing after it keeps the default
    if (!value.IsScalar()) {
      return layers_.mistake(place(at), fmt::format("{}: holds more than one value; allowed: {}",
                                                    key.path, allowed_text(key)));
    }
    layers_.set(key, key.path, value.Scalar(), place(at));
  }

  void top_level(const std::string& name, const YAML::Node& at, const YAML::Node& value) {
    if (name == "sources") return sources(at, value);
    const Key* plain = name.find('.') == std::string::npos ? find_key(name) : nullptr;
    if (plain != nullptr) return scalar(*plain, at, value);
    const std::vector<std::string> allowed = names_in(name);
    if (allowed.empty() || name.empty()) return unknown(at, "", name, names_in(""));
    if (value.IsNull()) return;
    if (!value.IsMap()) {
      return layers_.mistake(place(at), fmt::format("{}: is a group of keys; allowed below it: {}",
                                                    name, list_text(allowed)));
    }
    each(value, name + ".",
         [&](const std::string& inner, const YAML::Node& key, const YAML::Node& inner_value) {
           const Key* found = find_key(name + "." + inner);
           if (found == nullptr) return unknown(key, name + ".", inner, allowed);
           scalar(*found, key, inner_value);
         });
  }

  void sources(const YAML::Node& at, const YAML::Node& value) {
    if (value.IsNull()) return;
    if (!value.IsMap()) {
      return layers_.mistake(place(at),
                             "sources: is a group; allowed below it: NAME: and its keys");
    }
    each(value, "sources.",
         [&](const std::string& name, const YAML::Node& key, const YAML::Node& settings) {
           const SourceConfig* source = layers_.declare_source(name, "sources", place(key));
           if (source != nullptr) one_source(name, key, settings);
         });
  }

  void one_source(const std::string& name, const YAML::Node& at, const YAML::Node& settings) {
    std::vector<std::string> allowed;
    for (const SourceKey& key : source_keys()) allowed.emplace_back(key.name);
    const std::string prefix = "sources." + name + ".";
    if (settings.IsNull()) return;
    if (!settings.IsMap()) {
      return layers_.mistake(
          place(at), fmt::format("sources.{}: is a group of keys; allowed below it: {}", name,
                                 list_text(allowed)));
    }
    each(settings, prefix,
         [&](const std::string& inner, const YAML::Node& key, const YAML::Node& value) {
           const SourceKey* found = find_source_key(inner);
           if (found == nullptr) return unknown(key, prefix, inner, allowed);
           if (value.IsNull()) return;
           if (!value.IsScalar()) {
             return layers_.mistake(
                 place(key), fmt::format("{}{}: holds more than one value; allowed: {}", prefix,
                                         inner, allowed_text(*found)));
           }
           layers_.set_source(layers_.source(name), *found, prefix + inner, value.Scalar(),
                              place(key));
         });
  }

  Layers& layers_;
  std::string path_;
};

void load_yaml(Layers& layers, const std::string& path, const std::string& text) {
  try {
    YamlReader(layers, path).read(text);
  } catch (const YAML::Exception& error) {
    layers.mistake(
        fmt::format("{}:{}", path, std::max(error.mark.line + 1, 1)),
        fmt::format("not YAML: {}; allowed: KEY: VALUE lines, as `leat init` writes them",
                    error.msg));
  }
}

// One NAME=VALUE of the environment or of .env.
struct Variable {
  std::string name;
  std::string value;
  std::string place;
  bool from_file = false;
};

// Names that mean something to Leat and are not keys.
const std::set<std::string> kOtherVariables = {"LEAT_CONFIG"};

// The sources of LEAT_SOURCES=web,shop; they come before their own variables, whatever the order
// given.
void declare_sources(Layers& layers, const std::vector<Variable>& variables) {
  for (const Variable& variable : variables) {
    if (variable.name != "LEAT_SOURCES") continue;
    for (const std::string_view name : split(variable.value, ',')) {
      (void)layers.declare_source(trim(name), "LEAT_SOURCES", variable.place);
    }
  }
}

void set_variable(Layers& layers, const Variable& variable) {
  std::vector<std::string> known;
  for (const Key& key : config_keys()) {
    known.push_back(env_name(key.path));
    if (known.back() == variable.name)
      return layers.set(key, variable.name, variable.value, variable.place);
  }
  for (SourceConfig& source : layers.config().sources) {
    for (const SourceKey& key : source_keys()) {
      known.push_back(env_name(fmt::format("sources.{}.{}", source.name, key.name)));
      if (known.back() == variable.name) {
        return layers.set_source(source, key, variable.name, variable.value, variable.place);
      }
    }
  }
  if (kOtherVariables.contains(variable.name) || variable.name == "LEAT_SOURCES") return;
  known.emplace_back("LEAT_SOURCES");
  const std::string hint = did_you_mean(variable.name, known);
  if (variable.from_file) {
    return layers.mistake(variable.place,
                          fmt::format("{}: unknown variable{}; allowed: the names in "
                                      "docs/reference/configuration.md",
                                      variable.name, hint));
  }
  // The process environment is shared with other programs (a service called "leat" gets
  // LEAT_SERVICE_HOST from Kubernetes), so only what looks like a slip of the pen is worth a
  // remark.
  if (!hint.empty())
    layers.warn(fmt::format("{}: {}: unknown variable{}", variable.place, variable.name, hint));
}

void load_variables(Layers& layers, const std::vector<Variable>& variables) {
  declare_sources(layers, variables);
  for (const Variable& variable : variables) set_variable(layers, variable);
}

std::vector<Variable> env_file_variables(Layers& layers, const ConfigInputs& inputs) {
  std::vector<Variable> variables;
  const EnvFile file = parse_env_file(inputs.env_file_text);
  for (const auto& [line, what] : file.mistakes)
    layers.mistake(fmt::format("{}:{}", inputs.env_file_path, line), what);
  for (const EnvLine& setting : file.settings) {
    if (!setting.name.starts_with("LEAT_") || setting.value.empty()) continue;
    variables.push_back({setting.name, setting.value,
                         fmt::format("{}:{}", inputs.env_file_path, setting.line), true});
  }
  return variables;
}

std::vector<Variable> environment_variables(const Environment& environment) {
  std::vector<Variable> variables;
  for (const auto& [name, value] : environment) {
    if (name.starts_with("LEAT_") && !value.empty())
      variables.push_back({name, value, "environment", false});
  }
  return variables;
}

void load_flags(Layers& layers, const ConfigInputs& inputs) {
  for (const auto& [path, text] : inputs.flags) {
    const Key* key = find_key(path);
    if (key != nullptr) layers.set(*key, flag_name(path), text, "command line");
  }
}

// Rules that need more than one key.
void check_sources(Layers& layers) {
  std::map<std::string, std::string> by_env;
  std::map<std::string, std::string> by_write_key;
  std::map<std::string, std::string> by_schema;
  for (const SourceConfig& source : layers.config().sources) {
    const auto clash = [&](std::map<std::string, std::string>& seen, const std::string& value,
                           std::string_view what) {
      if (value.empty()) return;
      const auto [at, fresh] = seen.emplace(value, source.name);
      if (!fresh) {
        layers.mistake("sources",
                       fmt::format("'{}' and '{}' have the same {}; allowed: one of each",
                                   at->second, source.name, what));
      }
    };
    clash(by_env, env_name(source.name), "name in the environment");
    clash(by_write_key, source.write_key, "write_key");
    clash(by_schema, source.schema, "schema");
  }
}

}  // namespace

Result<LoadedConfig> load_config(const ConfigInputs& inputs) {
  Layers layers;
  layers.defaults();
  if (!inputs.yaml_path.empty()) load_yaml(layers, inputs.yaml_path, inputs.yaml_text);
  const std::vector<Variable> from_file = env_file_variables(layers, inputs);
  const std::vector<Variable> from_environment = environment_variables(inputs.environment);
  declare_sources(layers, from_file);
  declare_sources(layers, from_environment);
  if (layers.config().sources.empty()) layers.source("web");
  load_variables(layers, from_file);
  load_variables(layers, from_environment);
  load_flags(layers, inputs);
  check_sources(layers);
  return layers.finish();
}

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return out;
}

Result<ConfigInputs> read_config_inputs(const std::string& yaml_path) {
  ConfigInputs inputs;
  inputs.environment = process_environment();
  std::string path = yaml_path;
  if (path.empty()) {
    if (const auto named = inputs.environment.find("LEAT_CONFIG");
        named != inputs.environment.end())
      path = named->second;
  }
  std::error_code ignored;
  if (path.empty() && std::filesystem::exists("leat.yml", ignored)) path = "leat.yml";
  if (!path.empty()) {
    auto text = read_text_file(path);
    if (!text) {
      return fail(text.error().code,
                  fmt::format("cannot read the configuration: {}", text.error().message));
    }
    inputs.yaml_path = path;
    inputs.yaml_text = std::move(*text);
  }
  const std::filesystem::path env_file = std::filesystem::path(path).parent_path() / ".env";
  if (std::filesystem::exists(env_file, ignored)) {
    auto text = read_text_file(env_file.string());
    if (!text) {
      return fail(text.error().code,
                  fmt::format("cannot read the secrets: {}", text.error().message));
    }
    inputs.env_file_path = env_file.string();
    inputs.env_file_text = std::move(*text);
  }
  return inputs;
}

}  // namespace leat::app
