#include "warehouse/pgwire/server.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <list>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "net/address.h"
#include "warehouse/pgwire/connection.h"

namespace leat::pgwire {
namespace {

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::kNotFound, "cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<net::Certificate> certificate_of(const ServerOptions& options) {
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty()) {
    return fail(Errc::kInvalid, "a TLS certificate needs its key, and a key its certificate");
  }
  if (options.tls_certificate_file.empty()) {
    const Clock& clock = options.clock == nullptr ? system_clock() : *options.clock;
    net::SelfSignedOptions self_signed;
    self_signed.valid_from = clock.now();
    return net::make_self_signed_certificate(self_signed);
  }
  net::Certificate certificate;
  LEAT_ASSIGN(certificate.chain_pem, read_file(options.tls_certificate_file));
  LEAT_ASSIGN(certificate.private_key_pem, read_file(options.tls_key_file));
  return certificate;
}

}  // namespace

struct ServerState {
  struct Client {
    std::unique_ptr<Connection> connection;
    std::thread thread;
    bool done = false;  // guarded by mutex
  };

  ServerState(const ServerOptions& options, session::Warehouse& warehouse, net::Listener listening)
      : context{.options = options,
                .warehouse = warehouse,
                .tls = std::nullopt,
                .addresses = {},
                .throttle = LoginThrottle(options.failed_logins_max)},
        listener(std::move(listening)) {
    if (options.metrics != nullptr) {
      connections =
          &options.metrics->gauge("leat_pgwire_connections", "Open connections of the warehouse");
      accepted = &options.metrics->counter("leat_pgwire_accepted_total",
                                           "Connections accepted by the warehouse");
      refused = &options.metrics->counter("leat_pgwire_refused_total",
                                          "Connections refused because of the limit");
    }
  }

  void accept_loop();
  void start_client(net::Stream stream);
  void reap();

  ConnectionContext context;
  net::Listener listener;
  metrics::Gauge* connections = nullptr;
  metrics::Counter* accepted = nullptr;
  metrics::Counter* refused = nullptr;
  std::thread acceptor;
  std::mutex mutex;  // guards all below
  std::condition_variable changed;
  std::list<Client> clients;
  std::size_t running = 0;
  bool stopped = false;
};

void ServerState::reap() {
  std::list<Client> finished;
  {
    const std::lock_guard lock(mutex);
    for (auto at = clients.begin(); at != clients.end();) {
      const auto next = std::next(at);
      if (at->done) finished.splice(finished.end(), clients, at);
      at = next;
    }
  }
  for (Client& client : finished) client.thread.join();
}

void ServerState::start_client(net::Stream stream) {
  const std::lock_guard lock(mutex);
  const bool full = running >= context.options.connections_max;
  clients.emplace_back();
  Client& client = clients.back();
  client.connection = std::make_unique<Connection>(std::move(stream), context);
  ++running;
  if (accepted != nullptr) accepted->add();
  if (full && refused != nullptr) refused->add();
  if (connections != nullptr) connections->set(static_cast<std::int64_t>(running));
  client.thread = std::thread([this, &client, full] {
    if (full) {
      client.connection->refuse();
    } else {
      client.connection->run();
    }
    const std::lock_guard guard(mutex);
    client.done = true;
    --running;
    if (connections != nullptr) connections->set(static_cast<std::int64_t>(running));
    changed.notify_all();
  });
}

void ServerState::accept_loop() {
  for (;;) {
    Result<net::Stream> stream = listener.accept(net::Deadline::never());
    if (!stream) {
      if (stream.error().code == Errc::kAborted) return;
      log::warning("pgwire", "cannot accept a connection: {}", stream.error().message);
      std::unique_lock lock(mutex);
      changed.wait_for(lock, std::chrono::milliseconds(50));
      continue;
    }
    reap();
    start_client(std::move(*stream));
  }
}

Server::Server(std::unique_ptr<ServerState> state) : state_(std::move(state)) {}

Server::~Server() {
  stop(0);
}

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options,
                                              session::Warehouse& warehouse) {
  LEAT_ASSIGN(const net::Endpoint endpoint, net::parse_endpoint(options.listen));
  Result<AddressRules> addresses = AddressRules::parse(options.allowed_addresses);
  if (!addresses)
    return fail(Errc::kInvalid, "warehouse.allowed_addresses: " + addresses.error().message);
  if (!options.local_user.empty()) addresses->allow_loopback(options.local_user);
  LEAT_ASSIGN(net::Listener listener, net::Listener::open(endpoint));
  auto state = std::make_unique<ServerState>(options, warehouse, std::move(listener));
  state->context.addresses = std::move(*addresses);
  if (options.tls) {
    LEAT_ASSIGN(const net::Certificate certificate, certificate_of(options));
    LEAT_ASSIGN(net::TlsContext context, net::TlsContext::for_server(certificate));
    state->context.tls = std::move(context);
  }
  ServerState* raw = state.get();
  state->acceptor = std::thread([raw] { raw->accept_loop(); });
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

std::uint16_t Server::port() const {
  return state_->listener.local().port;
}

void Server::stop(std::int64_t deadline_us) {
  ServerState& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    if (state.stopped) return;
    state.stopped = true;
  }
  state.listener.cancel();
  state.acceptor.join();
  state.context.stopping = true;
  std::unique_lock lock(state.mutex);
  for (ServerState::Client& client : state.clients) client.connection->wake();
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(deadline_us);
  state.changed.wait_until(lock, until, [&] { return state.running == 0; });
  while (state.running > 0) {
    for (ServerState::Client& client : state.clients) {
      if (!client.done) client.connection->terminate();
    }
    state.changed.wait_for(lock, std::chrono::milliseconds(100),
                           [&] { return state.running == 0; });
  }
  lock.unlock();
  state.reap();
}

}  // namespace leat::pgwire
