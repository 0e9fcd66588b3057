#include "net/http_server.h"

#include <fmt/format.h>
#include <pthread.h>

#include <future>
#include <thread>
#include <vector>

#include "base/check.h"
#include "net/http_connections.h"
#include "net/socket.h"

namespace leat::net {

Exchange& Exchange::operator=(Exchange&& other) noexcept {
  if (this != &other) {
    if (owner_ != nullptr)
      reply({.status = 500, .content_type = "text/plain", .static_body = "internal error\n"});
    owner_ = std::exchange(other.owner_, nullptr);
    connection_ = other.connection_;
    sequence_ = other.sequence_;
  }
  return *this;
}

Exchange::~Exchange() {
  if (owner_ != nullptr)
    reply({.status = 500, .content_type = "text/plain", .static_body = "internal error\n"});
}

void Exchange::reply(Response response) {
  if (owner_ == nullptr) return;
  std::exchange(owner_, nullptr)->reply(connection_, sequence_, std::move(response));
}

HeldRequest Exchange::hold() {
  LEAT_CHECK(owner_ != nullptr);
  owner_->hold(connection_, sequence_);
  return {std::exchange(owner_, nullptr), connection_};
}

bool HeldRequest::resume() {
  return owner_ != nullptr && std::exchange(owner_, nullptr)->resume(connection_);
}

Response Handler::on_refused(int status, std::string_view message, const RequestView&) {
  return {.status = status,
          .content_type = "text/plain",
          .body = fmt::format("{}\n", message),
          .close = true};
}

struct HttpServer::State {
  struct Worker {
    std::unique_ptr<Loop> loop;
    std::unique_ptr<HttpConnections> connections;
    std::thread thread;
  };

  explicit State(HttpOptions given) : options(std::move(given)), shared(options) {}

  HttpOptions options;
  HttpShared shared;
  Endpoint local;
  std::vector<Worker> workers;

  void join() {
    for (Worker& worker : workers) {
      if (worker.thread.joinable()) worker.thread.join();
    }
  }
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  stop(Deadline::after_us(0));
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpOptions options, HandlerFactory factory) {
  if (options.loops < 1 || options.loops > 256)
    return fail(Errc::kInvalid, "loops must be 1 to 256");
  auto state = std::make_unique<State>(std::move(options));
  Endpoint endpoint = state->options.listen;
  for (unsigned i = 0; i < state->options.loops; ++i) {
    const PortSharing sharing = i == 0 ? PortSharing::kFirst : PortSharing::kJoin;
    LEAT_ASSIGN(auto listener, listen_on(endpoint, 4096,
                                         state->options.loops == 1 ? PortSharing::kNone : sharing));
    state->local = local_endpoint(listener.get());
    endpoint.port = state->local.port;
    LEAT_ASSIGN(auto loop, Loop::make());
    auto connections = std::make_unique<HttpConnections>(*loop, state->options, state->shared,
                                                         std::move(listener));
    state->workers.push_back({std::move(loop), std::move(connections), {}});
  }
  auto server = std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
  std::vector<std::future<Status>> started;
  for (unsigned i = 0; i < server->state_->workers.size(); ++i) {
    State::Worker& worker = server->state_->workers[i];
    auto promise = std::make_shared<std::promise<Status>>();
    started.push_back(promise->get_future());
    worker.loop->post([&worker, &factory, i, promise] {
      promise->set_value(worker.connections->start(factory, i));
    });
    worker.thread = std::thread([&worker] {
      worker.loop->run();
      worker.connections->close_all();
    });
    pthread_setname_np(worker.thread.native_handle(),
                       server->state_->options.name.substr(0, 15).c_str());
  }
  // All must have run before `factory` dies, also when one fails.
  Status status;
  for (auto& one : started) {
    Status result = one.get();
    if (!result) status = std::move(result);
  }
  LEAT_TRY(status);
  return server;
}

Endpoint HttpServer::local() const {
  return state_->local;
}

void HttpServer::stop(Deadline deadline) {
  for (State::Worker& worker : state_->workers) {
    worker.loop->post([&worker, left = deadline.left_us()] { worker.connections->stop(left); });
  }
  state_->join();
}

}  // namespace leat::net
