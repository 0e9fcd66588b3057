// ~/.aws/config and ~/.aws/credentials: sections of settings, as AWS's own tools read them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace leat::aws {

/// Names in lower case to values. A setting within another ("s3 =" and indented lines) has the name
/// "s3.addressing_style".
using Settings = std::map<std::string, std::string>;
/// "default", "profile dev", "sso-session corp"; names without their quotes.
using Sections = std::map<std::string, Settings>;

/// Reads INI text: `name = value` or `name: value`, comments on lines of their own after # or ;,
/// indented lines that go on with the value above. Errors: kInvalid with `path` and the line; the
/// line's text is not shown, it may be a secret. Pure; any thread.
[[nodiscard]] Result<Sections> parse_profile_text(std::string_view text, std::string_view path);

/// Splits a command as a shell does its words: blanks, '...', "..." and backslashes; nothing is
/// expanded. kInvalid: a quote that is not closed. Pure; any thread.
[[nodiscard]] Result<std::vector<std::string>> split_command(std::string_view command);

}  // namespace leat::aws
