#include "warehouse/dataapi/server.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "aws/verify.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "net/http_server.h"
#include "warehouse/dataapi/credentials.h"
#include "warehouse/dataapi/http_request.h"
#include "warehouse/dataapi/refusal.h"
#include "warehouse/dataapi/s3.h"
#include "warehouse/dataapi/worker_pool.h"
#include "warehouse/session/warehouse.h"

namespace leat::dataapi {
namespace {

constexpr std::size_t kRequestThreads = 16;
constexpr std::string_view kJsonType = "application/x-amz-json-1.1";
constexpr std::string_view kDataPrefix = "RedshiftData.";
constexpr std::string_view kServerlessPrefix = "RedshiftServerless.";
constexpr std::string_view kS3Service = "s3";

HttpRequest copy_of(const net::RequestView& view) {
  HttpRequest request;
  request.method = view.method;
  request.method_text = view.method_text;
  request.path = view.path;
  request.query = view.query;
  for (const net::HeaderView& header : view.headers) {
    request.headers.emplace_back(header.name, header.value);
  }
  request.body = view.body;
  request.peer = view.peer.to_string();
  request.tls = view.tls;
  return request;
}

net::Response json_answer(const ApiResult<std::string>& result, std::string_view request_id) {
  net::Response response;
  response.content_type = kJsonType;
  response.headers = fmt::format("x-amzn-RequestId: {}\r\n", request_id);
  if (result) {
    response.body = *result;
    return response;
  }
  const ApiError& error = result.error();
  response.status = error.status;
  response.headers += fmt::format("x-amzn-ErrorType: {}\r\n", error.name);
  response.body = error_json(error);
  return response;
}

/// What the server itself refuses: too large a body, say.
ApiError server_refusal(int status, std::string_view message) {
  const std::string_view name = status == 413   ? "EntityTooLarge"
                                : status == 408 ? "RequestTimeout"
                                : status == 503 ? "SlowDown"
                                : status >= 500 ? "InternalError"
                                                : "InvalidRequest";
  return fail_api(status, name, std::string(message)).error();
}

bool is_form(const HttpRequest& request) {
  return request.method == net::Method::kPost && request.path == "/" &&
         request.header_or("content-type", "").starts_with("application/x-www-form-urlencoded");
}

}  // namespace

/// An answer under way: what it takes to send it.
struct Pending {
  HttpRequest request{};
  net::Exchange exchange{};
  std::string request_id{};
};
using PendingPointer = std::shared_ptr<Pending>;

struct Server::State {
  explicit State(ServerOptions opened_with);

  void handle(const PendingPointer& pending);
  void handle_json(const PendingPointer& pending, std::string_view target);
  void handle_form(const PendingPointer& pending);
  void handle_s3(const PendingPointer& pending);
  std::expected<aws::Verified, aws::Refusal> verify(const HttpRequest& request,
                                                    std::string_view service) const;
  ApiResult<Caller> caller_of(const HttpRequest& request, const aws::Verified& verified) const;
  ApiResult<Caller> json_caller(const HttpRequest& request, std::string_view service) const;
  void count(std::string_view service, bool refused) const;

  ServerOptions options;
  const Clock& clock;
  Random& random;
  std::map<std::string, AccessKey, std::less<>> keys;
  std::unique_ptr<Statements> statements;
  std::unique_ptr<DataApi> api;
  std::unique_ptr<S3> s3;  ///< Null: not served.
  Credentials credentials;
  WorkerPool pool{"data-api", kRequestThreads};
  std::unique_ptr<net::HttpServer> http;
  bool stopped = false;
};

namespace {

/// Runs on the loop; hands everything to the pool.
class LoopHandler final : public net::Handler {
 public:
  using Take = std::function<bool(PendingPointer)>;
  LoopHandler(Take take, bool s3) : take_(std::move(take)), s3_(s3) {}

  void on_request(const net::RequestView& request, net::Exchange exchange) override {
    auto pending = std::make_shared<Pending>();
    pending->request = copy_of(request);
    pending->exchange = std::move(exchange);
    if (!take_(pending)) {
      pending->exchange.reply({.status = 503, .static_body = "stopping\n", .close = true});
    }
  }

  net::Response on_refused(int status, std::string_view message,
                           const net::RequestView& request) override {
    if (!s3_ || request.header("x-amz-target")) {
      return net::Handler::on_refused(status, message, request);
    }
    return S3::error(server_refusal(status, message), copy_of(request), uuid4(secure_random()));
  }

 private:
  Take take_;
  bool s3_;
};

}  // namespace

Server::State::State(ServerOptions opened_with)
    : options(std::move(opened_with)),
      clock(options.clock == nullptr ? system_clock() : *options.clock),
      random(options.random == nullptr ? secure_random() : *options.random),
      credentials(*options.warehouse, options.cluster, clock, random) {
  for (const AccessKey& key : options.keys) keys[key.id] = key;
}

void Server::State::count(std::string_view service, bool refused) const {
  if (options.metrics == nullptr) return;
  options.metrics
      ->counter("leat_data_api_requests_total", "Requests by service",
                {{"service", std::string(service)}})
      .add();
  if (!refused) return;
  options.metrics
      ->counter("leat_data_api_refused_total", "Requests whose signature was refused",
                {{"service", std::string(service)}})
      .add();
}

std::expected<aws::Verified, aws::Refusal> Server::State::verify(const HttpRequest& request,
                                                                 std::string_view service) const {
  std::vector<aws::HeaderView> headers;
  headers.reserve(request.headers.size());
  for (const auto& [name, value] : request.headers) headers.push_back({name, value});
  aws::VerifyOptions rules;
  rules.service = service;
  rules.s3 = service == kS3Service;
  rules.now = clock.now();
  auto verified = aws::verify({.method = request.method_text,
                               .path = request.path,
                               .query = request.query,
                               .headers = headers,
                               .body = request.body},
                              rules, [this](std::string_view id) -> std::optional<aws::FoundKey> {
                                const auto found = keys.find(id);
                                if (found == keys.end()) return std::nullopt;
                                return aws::FoundKey{.secret_access_key = found->second.secret};
                              });
  count(service, !verified);
  return verified;
}

ApiResult<Caller> Server::State::caller_of(const HttpRequest& request,
                                           const aws::Verified& verified) const {
  const AccessKey& key = keys.find(verified.access_key_id)->second;
  const auto facts = options.warehouse->user_facts(key.user);
  if (!facts) {
    return fail_api(
        400, "AccessDeniedException",
        fmt::format("The access key belongs to user {}, who does not exist.", key.user));
  }
  return Caller{.access_key_id = key.id,
                .user = facts->name,
                .superuser = facts->superuser,
                .remote_address = request.peer,
                .encrypted = request.tls};
}

ApiResult<Caller> Server::State::json_caller(const HttpRequest& request,
                                             std::string_view service) const {
  const auto verified = verify(request, service);
  if (!verified) return std::unexpected(json_refusal(verified.error()));
  return caller_of(request, *verified);
}

void Server::State::handle_json(const PendingPointer& pending, std::string_view target) {
  const auto answer = [pending](ApiResult<std::string> result) {
    pending->exchange.reply(json_answer(result, pending->request_id));
  };
  const bool data = target.starts_with(kDataPrefix);
  if (!data && !target.starts_with(kServerlessPrefix)) {
    return answer(
        fail_api(404, "UnknownOperationException", fmt::format("Unknown operation {}", target)));
  }
  const std::string_view service = data ? "redshift-data" : "redshift-serverless";
  const ApiResult<Caller> caller = json_caller(pending->request, service);
  if (!caller) return answer(std::unexpected(caller.error()));
  target.remove_prefix(data ? kDataPrefix.size() : kServerlessPrefix.size());
  if (data) {
    api->handle(target, pending->request.body, *caller, answer);
  } else {
    answer(credentials.serverless(target, pending->request.body, *caller));
  }
}

void Server::State::handle_form(const PendingPointer& pending) {
  const HttpRequest& request = pending->request;
  const std::string_view service = Credentials::service_of(request.body);
  const auto answer = [&](const ApiResult<std::string>& result) {
    net::Response response;
    response.content_type = "text/xml";
    response.headers = fmt::format("x-amzn-RequestId: {}\r\n", pending->request_id);
    response.status = result ? 200 : result.error().status;
    response.body =
        result ? *result : Credentials::error_xml(service, result.error(), pending->request_id);
    pending->exchange.reply(std::move(response));
  };
  if (service.empty()) {
    return answer(fail_api(400, "InvalidAction", "The action is not valid for this endpoint."));
  }
  const auto verified = verify(request, service);
  if (!verified) return answer(std::unexpected(query_refusal(verified.error())));
  const ApiResult<Caller> caller = caller_of(request, *verified);
  if (!caller) return answer(fail_api(403, "AccessDenied", caller.error().message));
  answer(credentials.query(request.body, *caller, pending->request_id));
}

void Server::State::handle_s3(const PendingPointer& pending) {
  const HttpRequest& request = pending->request;
  const auto refuse = [&](const ApiError& error) {
    pending->exchange.reply(S3::error(error, request, pending->request_id));
  };
  const auto verified = verify(request, kS3Service);
  if (!verified) return refuse(s3_refusal(verified.error()));
  const ApiResult<Caller> caller = caller_of(request, *verified);
  if (!caller) return refuse(fail_api(403, "AccessDenied", caller.error().message).error());
  pending->exchange.reply(s3->handle(request, *verified, *caller, pending->request_id));
}

void Server::State::handle(const PendingPointer& pending) {
  pending->request_id = uuid4(secure_random());
  if (const auto target = pending->request.header("x-amz-target")) {
    return handle_json(pending, *target);
  }
  if (is_form(pending->request)) return handle_form(pending);
  if (s3 != nullptr) return handle_s3(pending);
  net::Response response;
  response.status = 404;
  response.content_type = "text/plain";
  response.static_body = "not an AWS request that is served here\n";
  pending->exchange.reply(std::move(response));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  stop(net::Deadline::after_us(0));
}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options) {
  auto state = std::make_unique<State>(std::move(options));
  const ServerOptions& chosen = state->options;
  StatementsOptions statements;
  statements.warehouse = chosen.warehouse;
  statements.results_directory = chosen.results_directory;
  statements.files = chosen.files;
  statements.limits = chosen.limits;
  statements.clock = chosen.clock;
  statements.random = chosen.random;
  statements.metrics = chosen.metrics;
  LEAT_ASSIGN(state->statements, Statements::start(std::move(statements)));
  state->api = std::make_unique<DataApi>(*chosen.warehouse, *state->statements, chosen.cluster);
  if (!chosen.objects_directory.empty()) {
    LEAT_ASSIGN(state->s3, S3::open({.directory = chosen.objects_directory,
                                     .region = chosen.cluster.region,
                                     .files = chosen.files,
                                     .uploads = {.files = chosen.files,
                                                 .directory = chosen.uploads_directory,
                                                 .clock = chosen.clock,
                                                 .random = chosen.random}}));
  }

  net::HttpOptions http;
  http.listen = chosen.listen;
  http.tls = chosen.tls;
  http.name = "data_api";
  http.registry = chosen.metrics;
  http.body_bytes_max = chosen.body_bytes_max;
  http.connections_max = chosen.connections_max;
  // One request at a time: what waits, waits in the socket.
  http.pipeline_max = 1;
  State* raw = state.get();
  LEAT_ASSIGN(
      state->http, net::HttpServer::start(http, [raw](net::Loop&, unsigned) {
        return std::make_unique<LoopHandler>(
            [raw](PendingPointer pending) {
              return raw->pool.run([raw, pending = std::move(pending)] { raw->handle(pending); });
            },
            raw->s3 != nullptr);
      }));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

net::Endpoint Server::local() const {
  return state_->http->local();
}

void Server::stop(net::Deadline deadline) {
  if (std::exchange(state_->stopped, true) || state_->http == nullptr) return;
  state_->statements->stop();
  // Before the server: what runs still answers through it. New requests get 503 meanwhile.
  state_->pool.stop();
  state_->http->stop(deadline);
}

}  // namespace leat::dataapi
