#include <fmt/format.h>

#include <filesystem>

#include "app/commands.h"
#include "app/config_text.h"
#include "app/file_text.h"
#include "base/random.h"
#include "base/text.h"

namespace leat::app {

Exit report(const Terminal& terminal, const Error& error) {
  for (const std::string_view line : split(error.message, '\n'))
    terminal.say(fmt::format("leat: {}\n", line));
  switch (error.code) {
    case Errc::kExhausted:
    case Errc::kUnavailable:
    case Errc::kAborted:
      return Exit::kTryAgain;
    default:
      return Exit::kFailed;
  }
}

Result<Config> load_choice(const Terminal& terminal, const ConfigChoice& choice) {
  LEAT_ASSIGN(auto inputs, read_config_inputs(choice.config_file));
  inputs.flags = choice.flags;
  LEAT_ASSIGN(auto loaded, load_config(inputs));
  for (const std::string& warning : loaded.warnings)
    terminal.say(fmt::format("leat: warning: {}\n", warning));
  return std::move(loaded.config);
}

Exit run_init(const Terminal& terminal, const InitOptions& options) {
  const std::filesystem::path folder(options.directory);
  const std::string yaml = (folder / "leat.yml").lexically_normal().string();
  const std::string secrets = (folder / ".env").lexically_normal().string();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return report(
        terminal,
        fail_errno(error.value(), fmt::format("cannot make {}", folder.string())).error());
  }
  for (const std::string& path : {yaml, secrets}) {
    if (!options.force && std::filesystem::exists(path, error)) {
      return report(terminal, fail(Errc::kConflict,
                                   fmt::format("{} is there already; --force replaces it", path))
                                  .error());
    }
  }
  if (auto done = publish_text_file(yaml, sample_yaml(), 0644); !done)
    return report(terminal, done.error());
  const std::string text = sample_env_file(random_token(secure_random(), 32));
  if (auto done = publish_text_file(secrets, text, 0600); !done)
    return report(terminal, done.error());
  terminal.say(fmt::format(
      "wrote {} and {} (secrets: keep it out of version control)\nnext: leat check, leat up\n",
      yaml, secrets));
  return Exit::kOk;
}

Exit run_version(const Terminal& terminal, const VersionOptions& options) {
  terminal.print(options.json ? fmt::format("{{\"version\":{}}}\n", json_string(LEAT_VERSION))
                              : fmt::format("leat {}\n", LEAT_VERSION));
  return Exit::kOk;
}

}  // namespace leat::app
