// The page's files, compiled into the binary from web/ (EmbedFiles.cmake).
#pragma once

#include <span>
#include <string_view>

namespace leat::console {

struct WebFile {
  std::string_view path;  ///< "/console.js"; "/" is index.html
  std::string_view content_type;
  std::string_view bytes;
};

/// All files. Static storage; any thread.
[[nodiscard]] std::span<const WebFile> web_files();

}  // namespace leat::console
