#include "pipeline/collect/server.h"

#include <fmt/format.h>

#include "pipeline/collect/handler.h"

namespace leat::collect {

struct Server::State {
  Shared shared;
  std::unique_ptr<net::HttpServer> http;
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(net::HttpOptions http, Options options) {
  if (options.journal == nullptr) return fail(Errc::kInvalid, "the collector needs a journal");
  if (http.loops > options.journal->shard_count()) {
    return fail(Errc::kInvalid,
                fmt::format("the collector has {} loops and the journal only {} shards", http.loops,
                            options.journal->shard_count()));
  }
  auto state = std::make_unique<State>();
  Shared& shared = state->shared;
  LEAT_ASSIGN(shared.sources, Sources::make(options.sources));
  shared.registry = options.metrics != nullptr ? options.metrics : &shared.own_registry;
  shared.loops = http.loops;
  shared.options = std::move(options);
  http.name = "collect";
  http.registry = shared.registry;
  http.body_bytes_max = shared.options.limits.body_bytes_max;
  LEAT_ASSIGN(state->http,
              net::HttpServer::start(std::move(http), [&shared](net::Loop& loop, unsigned index) {
                return std::make_unique<CollectHandler>(shared, loop,
                                                        shared.options.journal->shard(index));
              }));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

net::Endpoint Server::local() const {
  return state_->http->local();
}

void Server::set_ready(bool ready) {
  state_->shared.ready = ready;
}

void Server::stop(net::Deadline deadline) {
  set_ready(false);
  state_->http->stop(deadline);
}

}  // namespace leat::collect
