// Replays of the running Leat, asked for and followed from the command line.
#pragma once

#include <string>

#include "app/commands.h"

namespace leat::app {

/// Asks for the replay that `target` (path and query) describes, shows how far it is, and says what
/// it did. `detach`: does not wait for it.
[[nodiscard]] Exit replay_and_follow(const Terminal& terminal, const std::string& data,
                                     const std::string& target, bool detach, bool json);

/// Prints the replays that the request `method` `target` answers with.
[[nodiscard]] Exit show_replays(const Terminal& terminal, const std::string& data,
                                std::string_view method, const std::string& target, bool json);

}  // namespace leat::app
