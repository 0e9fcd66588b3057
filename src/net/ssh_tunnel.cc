#include "net/ssh_tunnel.h"

#include <fmt/format.h>
#include <libssh2.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "base/digest.h"
#include "net/socket.h"
#include "net/stream.h"

namespace leat::net {
namespace {

constexpr std::int64_t kAcceptUs = 30'000'000;
constexpr int kKeepAliveSeconds = 30;
constexpr long kGoodbyeMs = 1000;
constexpr long kFurtherMs = 5000;
constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::size_t kWaysMax = 4;

struct FreeSession {
  void operator()(LIBSSH2_SESSION* session) const { libssh2_session_free(session); }
};
struct FreeHosts {
  void operator()(LIBSSH2_KNOWNHOSTS* hosts) const { libssh2_knownhost_free(hosts); }
};
struct FreeAgent {
  void operator()(LIBSSH2_AGENT* agent) const {
    libssh2_agent_disconnect(agent);
    libssh2_agent_free(agent);
  }
};
struct FreeChannel {
  void operator()(LIBSSH2_CHANNEL* channel) const { libssh2_channel_free(channel); }
};

std::string last_error(LIBSSH2_SESSION* session) {
  char* text = nullptr;
  const int code = libssh2_session_last_error(session, &text, nullptr, 0);
  return fmt::format("{} (libssh2 error {})", text != nullptr ? text : "no reason", code);
}

std::string who(const SshOptions& options) {
  return fmt::format("SSH server {}@{}", options.user, options.server.to_string());
}

Status check_host_key(LIBSSH2_SESSION* session, const SshOptions& options) {
  const std::unique_ptr<LIBSSH2_KNOWNHOSTS, FreeHosts> hosts(libssh2_knownhost_init(session));
  if (!hosts) return fail(Errc::kExhausted, "cannot read known hosts: out of memory");
  const int read = libssh2_knownhost_readfile(hosts.get(), options.known_hosts_file.c_str(),
                                              LIBSSH2_KNOWNHOST_FILE_OPENSSH);
  if (read < 0) {
    return fail(Errc::kNotFound,
                fmt::format("{}: the file of known hosts '{}' cannot be read; make it with "
                            "ssh-keyscan and compare the keys",
                            who(options), options.known_hosts_file));
  }
  std::size_t length = 0;
  int type = 0;
  const char* key = libssh2_session_hostkey(session, &length, &type);
  if (key == nullptr) return fail(Errc::kDenied, who(options) + " shows no host key");
  const int found = libssh2_knownhost_checkp(
      hosts.get(), options.server.host.c_str(), options.server.port, key, length,
      LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW, nullptr);
  if (found == LIBSSH2_KNOWNHOST_CHECK_MATCH) return {};
  const auto digest = sha256(std::string_view(key, length));
  std::string print = to_base64(std::string(digest.begin(), digest.end()));
  while (print.ends_with('=')) print.pop_back();
  if (found == LIBSSH2_KNOWNHOST_CHECK_MISMATCH) {
    return fail(
        Errc::kDenied,
        fmt::format("{} shows another host key (SHA256:{}) than the one in {}: somebody may "
                    "be between; ask who runs it, then mend the file",
                    who(options), print, options.known_hosts_file));
  }
  return fail(Errc::kDenied,
              fmt::format("{} is not in {}; compare its host key SHA256:{} with whoever runs it, "
                          "then add it with ssh-keyscan -p {} {}",
                          who(options), options.known_hosts_file, print, options.server.port,
                          options.server.host));
}

Status log_in_by_agent(LIBSSH2_SESSION* session, const SshOptions& options) {
  const std::unique_ptr<LIBSSH2_AGENT, FreeAgent> agent(libssh2_agent_init(session));
  if (!agent || libssh2_agent_connect(agent.get()) != 0 ||
      libssh2_agent_list_identities(agent.get()) != 0) {
    return fail(Errc::kDenied, fmt::format("{}: no key file is named and no agent answers at "
                                           "SSH_AUTH_SOCK; name a key file",
                                           who(options)));
  }
  libssh2_agent_publickey* identity = nullptr;
  libssh2_agent_publickey* before = nullptr;
  while (libssh2_agent_get_identity(agent.get(), &identity, before) == 0) {
    if (libssh2_agent_userauth(agent.get(), options.user.c_str(), identity) == 0) return {};
    before = identity;
  }
  return fail(Errc::kDenied,
              fmt::format("{} accepts none of the agent's keys; add one to its authorized_keys",
                          who(options)));
}

Status log_in(LIBSSH2_SESSION* session, const SshOptions& options) {
  if (options.key_file.empty()) return log_in_by_agent(session, options);
  if (::access(options.key_file.c_str(), R_OK) != 0) {
    return fail_errno(errno, fmt::format("{}: key file {}", who(options), options.key_file));
  }
  const int code = libssh2_userauth_publickey_fromfile_ex(
      session, options.user.c_str(), static_cast<unsigned>(options.user.size()), nullptr,
      options.key_file.c_str(), options.passphrase.c_str());
  if (code == 0) return {};
  return fail(Errc::kDenied,
              fmt::format("{} does not accept the key {}: {}; check user, passphrase and its "
                          "authorized_keys",
                          who(options), options.key_file, last_error(session)));
}

// What has been read from one side and not yet written to the other.
struct Piece {
  std::array<char, kPieceBytes> bytes{};
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] bool empty() const { return begin == end; }
};

using Channel = std::unique_ptr<LIBSSH2_CHANNEL, FreeChannel>;

// A connection to the local port and its way to the target.
struct Way {
  Channel channel;
  Descriptor local;
  Piece out;
  Piece in;
  bool is_over = false;

  bool move_in();  // target to local; whether anything came
  void write();    // what there is of `out`, to the target
};

bool Way::move_in() {
  bool has_moved = false;
  while (!is_over) {
    if (in.empty()) {
      const ssize_t count = libssh2_channel_read(channel.get(), in.bytes.data(), in.bytes.size());
      if (count == LIBSSH2_ERROR_EAGAIN) return has_moved;
      if (count <= 0) {
        is_over = count < 0 || libssh2_channel_eof(channel.get()) != 0;
        return has_moved;
      }
      has_moved = true;
      in.begin = 0;
      in.end = static_cast<std::size_t>(count);
    }
    const ssize_t count =
        ::send(local.get(), in.bytes.data() + in.begin, in.end - in.begin, MSG_NOSIGNAL);
    if (count < 0) {
      is_over = errno != EAGAIN && errno != EINTR;
      return has_moved;
    }
    in.begin += static_cast<std::size_t>(count);
  }
  return has_moved;
}

void Way::write() {
  while (!out.empty() && !is_over) {
    const ssize_t count =
        libssh2_channel_write(channel.get(), out.bytes.data() + out.begin, out.end - out.begin);
    if (count == LIBSSH2_ERROR_EAGAIN) return;
    if (count < 0) is_over = true;
    if (count > 0) out.begin += static_cast<std::size_t>(count);
  }
}

}  // namespace

struct SshTunnel::Impl {
  explicit Impl(Stream connected) : stream(std::move(connected)) {}
  ~Impl();

  void carry();
  [[nodiscard]] bool accept_first();
  [[nodiscard]] Channel open_channel() const;
  void accept_further();
  [[nodiscard]] bool wait() const;
  void move_out();
  [[nodiscard]] bool is_sending() const;

  Stream stream;  // owns the socket below the session
  std::unique_ptr<LIBSSH2_SESSION, FreeSession> session;
  Endpoint target;
  Channel first_channel;  // until its connection comes
  Descriptor listener;
  std::uint16_t port = 0;
  Descriptor stop;  // an eventfd, readable once the tunnel shall end
  std::thread thread;

  // The thread's own.
  std::vector<std::unique_ptr<Way>> ways;  // the first one is the client's
  // Whose bytes a packet holds that is not sent yet: nobody else may write before that.
  Way* sender = nullptr;
};

SshTunnel::Impl::~Impl() {
  if (thread.joinable()) {
    const std::uint64_t one = 1;
    (void)!::write(stop.get(), &one, sizeof one);
    thread.join();
  }
  if (!session) return;
  // Closing the channel says goodbye to the server, who may be gone.
  libssh2_session_set_blocking(session.get(), 1);
  libssh2_session_set_timeout(session.get(), kGoodbyeMs);
}

bool SshTunnel::Impl::accept_first() {
  std::array<pollfd, 2> waits = {pollfd{listener.get(), POLLIN, 0}, pollfd{stop.get(), POLLIN, 0}};
  const Deadline deadline = Deadline::after_us(kAcceptUs);
  auto way = std::make_unique<Way>();
  while (::poll(waits.data(), waits.size(), deadline.poll_ms()) > 0 && waits[1].revents == 0) {
    way->local =
        Descriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (way->local.get() >= 0) break;
  }
  if (way->local.get() < 0) return false;
  set_no_delay(way->local.get());
  way->channel = std::move(first_channel);
  ways.push_back(std::move(way));
  return true;
}

Channel SshTunnel::Impl::open_channel() const {
  return Channel(libssh2_channel_direct_tcpip_ex(session.get(), target.host.c_str(), target.port,
                                                 "127.0.0.1", 0));
}

bool SshTunnel::Impl::is_sending() const {
  return (libssh2_session_block_directions(session.get()) & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0;
}

void SshTunnel::Impl::accept_further() {
  if (ways.size() >= kWaysMax || sender != nullptr || is_sending()) return;
  auto way = std::make_unique<Way>();
  way->local =
      Descriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (way->local.get() < 0) return;
  set_no_delay(way->local.get());
  // Rare, and as quick as the bastion: the others wait for it.
  libssh2_session_set_blocking(session.get(), 1);
  libssh2_session_set_timeout(session.get(), kFurtherMs);
  way->channel = open_channel();
  libssh2_session_set_blocking(session.get(), 0);
  if (way->channel) ways.push_back(std::move(way));
}

bool SshTunnel::Impl::wait() const {
  std::vector<pollfd> waits = {pollfd{stop.get(), POLLIN, 0}};
  // One that waits for its turn may stay in the listener's queue.
  const bool takes_more = ways.size() < kWaysMax && sender == nullptr && !is_sending();
  waits.push_back({takes_more ? listener.get() : -1, POLLIN, 0});
  short ssh_events = is_sending() ? POLLOUT : 0;
  for (const auto& way : ways) {
    // What cannot be passed on is not fetched.
    if (way->in.empty()) ssh_events |= POLLIN;
    waits.push_back(
        {way->local.get(),
         static_cast<short>((way->out.empty() ? POLLIN : 0) | (way->in.empty() ? 0 : POLLOUT)), 0});
  }
  waits.push_back({stream.descriptor(), ssh_events, 0});
  int next_s = kKeepAliveSeconds;
  (void)libssh2_keepalive_send(session.get(), &next_s);
  const int ready = ::poll(waits.data(), waits.size(), std::max(next_s, 1) * 1000);
  return (ready >= 0 || errno == EINTR) && waits[0].revents == 0;
}

// Local to target.
void SshTunnel::Impl::move_out() {
  if (sender != nullptr) sender->write();
  if (sender != nullptr && !sender->out.empty() && !sender->is_over) return;
  sender = nullptr;
  for (const auto& way : ways) {
    if (way->out.empty()) {
      const ssize_t count =
          ::recv(way->local.get(), way->out.bytes.data(), way->out.bytes.size(), 0);
      way->is_over |= count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
      way->out.begin = 0;
      way->out.end = count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    way->write();
    if (way->out.empty() || way->is_over) continue;
    sender = way.get();
    return;
  }
}

void SshTunnel::Impl::carry() {
  if (!accept_first()) return;
  libssh2_session_set_blocking(session.get(), 0);
  libssh2_keepalive_config(session.get(), 1, kKeepAliveSeconds);
  do {
    // A channel says goodbye as it goes, for which nothing of another may be half sent.
    if (sender == nullptr) std::erase_if(ways, [](const auto& way) { return way->is_over; });
    accept_further();
    move_out();
    // Reading one channel may take in what is another's, of which the socket then says nothing.
    for (bool has_moved = true; has_moved;) {
      has_moved = false;
      for (const auto& way : ways) has_moved |= way->move_in();
    }
  } while (!ways.front()->is_over && wait());
  for (const auto& way : ways) way->local.reset();
  listener.reset();
}

SshTunnel::SshTunnel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SshTunnel::~SshTunnel() = default;

std::uint16_t SshTunnel::port() const {
  return impl_->port;
}

Result<std::unique_ptr<SshTunnel>> SshTunnel::open(const SshOptions& options,
                                                   const Endpoint& target, Deadline deadline) {
  static std::once_flag once;
  std::call_once(once, [] { libssh2_init(0); });
  auto connected = Stream::connect(options.server, deadline);
  if (!connected) {
    return fail(connected.error().code,
                fmt::format("{} cannot be reached: {}; check its address and firewall",
                            who(options), connected.error().message));
  }
  auto impl = std::make_unique<Impl>(std::move(*connected));
  impl->session.reset(libssh2_session_init());
  LIBSSH2_SESSION* session = impl->session.get();
  if (session == nullptr) return fail(Errc::kExhausted, "cannot make a session: out of memory");
  libssh2_session_set_timeout(session, std::max(deadline.poll_ms(), 1));
  if (libssh2_session_handshake(session, impl->stream.descriptor()) != 0) {
    return fail(Errc::kUnavailable, fmt::format("{}: no SSH handshake: {}; check the address",
                                                who(options), last_error(session)));
  }
  LEAT_TRY(check_host_key(session, options));
  LEAT_TRY(log_in(session, options));
  impl->target = target;
  impl->first_channel = impl->open_channel();
  if (!impl->first_channel) {
    return fail(Errc::kUnavailable,
                fmt::format("{} cannot reach {} from there: {}; check that address, and that the "
                            "server allows TCP forwarding",
                            who(options), target.to_string(), last_error(session)));
  }
  LEAT_ASSIGN(impl->listener,
              listen_on({"127.0.0.1", 0}, static_cast<int>(kWaysMax), PortSharing::kNone));
  impl->port = local_endpoint(impl->listener.get()).port;
  impl->stop = Descriptor(::eventfd(0, EFD_CLOEXEC));
  if (impl->stop.get() < 0) return fail_errno(errno, "cannot make an event descriptor");
  impl->thread = std::thread([self = impl.get()] { self->carry(); });
  return std::unique_ptr<SshTunnel>(new SshTunnel(std::move(impl)));
}

}  // namespace leat::net
