// Events in the query of an image's address (the pixel API). Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leat::collect {

/// The JSON text of the event in `query`: the decoded `data` parameter (base64 in either alphabet,
/// padded or not), or else an object of the flat parameters, whose dotted names become nested
/// objects and whose values stay strings. Nothing when `data` is not base64, or a flat name
/// contradicts another ("a=1&a.b=2") or nests more than 16 deep.
[[nodiscard]] std::optional<std::string> event_of_query(std::string_view query);

/// A transparent image of one pixel: 43 bytes of image/gif.
[[nodiscard]] std::string_view pixel_image();

}  // namespace leat::collect
