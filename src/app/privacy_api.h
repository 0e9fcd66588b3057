// /api/privacy of the status API (docs/reference/console-api.md).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "pipeline/privacy/service.h"

namespace leat::app {

/// What POST /api/privacy asks for. Errors: kInvalid, naming the parameter.
[[nodiscard]] Result<privacy::Request> read_privacy_query(std::string_view query);

/// Answers a request: a POST submits, a GET shows all, or the regulation of the parameter `id`.
/// `{"regulations":[...],"suppressions":[...]}`; of a POST with the one regulation. Any thread.
[[nodiscard]] Result<std::string> answer_privacy(privacy::Service& service, bool is_post,
                                                 const std::string& query);

}  // namespace leat::app
