#include "app/console_client.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/connection_file.h"
#include "app/data_directory.h"
#include "app/file_text.h"
#include "aws/sigv4.h"
#include "base/text.h"
#include "io/http_client.h"

namespace leat::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kAnswerBytesMax = 256U << 20U;  // a status names every table

// The URL of the running process's status API.
Result<std::string> console_url(const std::string& data) {
  LEAT_ASSIGN(const auto file, read_connection_file(data));
  if (file.console_url.empty()) {
    return fail(Errc::kInvalid, fmt::format("the process in {} has no status API", data));
  }
  return file.console_url;
}

// An answer that is not 200, as an error with the API's own code and message.
Error error_of(const io::HttpResponse& answer) {
  const Json json = Json::parse(answer.body, nullptr, false);
  std::string message = fmt::format("the status API answered {}", answer.status);
  if (json.is_object() && json.contains("error") && json["error"].is_object()) {
    message = json["error"].value("message", message);
  }
  Errc code = Errc::kInvalid;
  if (answer.status == 503 || answer.status == 504) code = Errc::kUnavailable;
  if (answer.status == 429 || answer.status == 507) code = Errc::kExhausted;
  if (answer.status == 401 || answer.status == 403) code = Errc::kDenied;
  return Error{code, std::move(message)};
}

Result<Json> parse_answer(const io::HttpResponse& answer) {
  if (answer.status != 200) return std::unexpected(error_of(answer));
  Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object())
    return fail(Errc::kUnavailable, "the status API's answer is no JSON object");
  return json;
}

}  // namespace

Result<Json> ask_console(const std::string& data, const ConsoleRequest& request) {
  LEAT_ASSIGN(const std::string url, console_url(data));
  io::HttpRequest call{.method = request.method,
                       .url = url + request.path,
                       .answer_bytes_max = kAnswerBytesMax,
                       .stall_timeout_us = request.timeout_us,
                       .timeout_us = request.timeout_us,
                       .direct = true};
  const auto token = read_text_file(DataPaths{data}.console_token());
  // Some of what is only read needs none.
  if (!token && request.method != "GET") return std::unexpected(token.error());
  if (token) call.headers.push_back({"Leat-Token", std::string(trim(*token))});
  LEAT_ASSIGN(const auto client, io::HttpClient::open({}));
  LEAT_ASSIGN(const auto answer, client->send(call));
  return parse_answer(answer);
}

std::string query_part(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : fmt::format("&{}={}", name, aws::percent_encode(value));
}

}  // namespace leat::app
