#include "warehouse/pgwire/connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

namespace leat::pgwire {
namespace {

constexpr std::size_t kStartupBytesMax = 10'000;
constexpr std::size_t kLoginBytesMax = 65'536;
constexpr std::size_t kReadBytes = 16'384;
constexpr std::size_t kFlushBytes = 65'536;

std::uint32_t big_endian32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

std::string random_bytes(Random& random, std::size_t count) {
  std::string bytes;
  while (bytes.size() < count) {
    const std::uint64_t bits = random.next();
    for (unsigned shift = 0; shift < 64 && bytes.size() < count; shift += 8) {
      bytes.push_back(static_cast<char>(bits >> shift));
    }
  }
  return bytes;
}

std::string_view severity_name(session::Severity severity) {
  switch (severity) {
    case session::Severity::kInfo:
      return "INFO";
    case session::Severity::kNotice:
      return "NOTICE";
    case session::Severity::kWarning:
      return "WARNING";
  }
  return "NOTICE";
}

/// The newest that both know.
WireVersion agreed_version(std::string_view client) {
  const int wanted = parse_number<int>(client).value_or(0);
  return static_cast<WireVersion>(std::clamp(wanted, 0, static_cast<int>(WireVersion::kBinary)));
}

std::string parameter_of(const StartupRequest& startup, std::string_view name) {
  std::string value;
  for (const auto& [key, each] : startup.parameters) {
    if (key == name) value = each;
  }
  return value;
}

}  // namespace

Connection::Connection(net::Stream stream, ConnectionContext& context)
    : stream_(std::move(stream)),
      context_(context),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Connection::~Connection() {
  if (wake_fd_ >= 0) close(wake_fd_);
}

void Connection::wake() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(wake_fd_, &one, sizeof one));
}

void Connection::terminate() {
  const std::lock_guard lock(session_mutex_);
  if (session_ != nullptr) session_->terminate();
  wake();
  if (session_ == nullptr) stream_.cancel();
}

void Connection::run() {
  if (start_up()) {
    while (serve_one()) {
    }
  }
  static_cast<void>(flush());
  {
    const std::lock_guard lock(session_mutex_);
    session_.reset();
  }
  stream_.finish_writing();
}

void Connection::refuse() {
  FirstMessage message;
  if (!read_first_message(message)) return;
  if (std::holds_alternative<SslRequest>(message) ||
      std::holds_alternative<GssEncRequest>(message)) {
    out_ = "N";
    if (!flush() || !read_first_message(message)) return;
  }
  fatal("53300", "sorry, too many clients already",
        fmt::format("The limit of {} connections is warehouse.connections_max.",
                    context_.options.connections_max));
  static_cast<void>(flush());
  stream_.finish_writing();
}

// Startup

bool Connection::read_first_message(FirstMessage& message) {
  const net::Deadline deadline = net::Deadline::after_us(context_.options.login_timeout_us);
  std::array<char, 4> length_bytes{};
  if (!stream_.read_exactly(length_bytes, deadline)) return false;
  const std::uint32_t length = big_endian32({length_bytes.data(), 4});
  if (length < 8 || length > kStartupBytesMax) {
    fatal("08P01", "invalid length of startup packet");
    return false;
  }
  std::string payload(length - 4, '\0');
  if (!stream_.read_exactly(payload, deadline)) return false;
  Parsed<FirstMessage> parsed = parse_first_message(payload);
  if (!parsed) {
    fatal("08P01", parsed.error().message);
    return false;
  }
  message = std::move(*parsed);
  return true;
}

bool Connection::negotiate_tls() {
  const bool offered = context_.tls.has_value() && !stream_.is_tls();
  out_ = offered ? "S" : "N";
  if (!flush()) return false;
  if (!offered) return true;
  const Status secured =
      stream_.accept_tls(*context_.tls, net::Deadline::after_us(context_.options.login_timeout_us));
  return secured.has_value();
}

bool Connection::start_up() {
  // SSLRequest and GSSENCRequest may come first, each at most once.
  for (int attempt = 0; attempt < 3; ++attempt) {
    FirstMessage message;
    if (!read_first_message(message)) return false;
    if (const auto* cancel = std::get_if<CancelRequest>(&message)) {
      context_.warehouse.cancel(cancel->process_id, cancel->secret_key);
      return false;
    }
    if (std::holds_alternative<SslRequest>(message)) {
      if (!negotiate_tls()) return false;
      continue;
    }
    if (std::holds_alternative<GssEncRequest>(message)) {
      out_ = "N";
      if (!flush()) return false;
      continue;
    }
    return log_in(std::get<StartupRequest>(message));
  }
  fatal("08P01", "too many negotiation requests");
  return false;
}

bool Connection::log_in(const StartupRequest& startup) {
  session::SessionRequest request;
  request.user = parameter_of(startup, "user");
  request.database = parameter_of(startup, "database");
  if (request.database.empty()) request.database = request.user;
  request.remote_address = stream_.peer().to_string();
  request.encrypted = stream_.is_tls();
  if (request.user.empty()) {
    fatal("28000", "no PostgreSQL user name specified in startup packet");
    return false;
  }
  for (const auto& [name, value] : startup.parameters) {
    if (name == "options") {
      for (auto& setting : parse_options(value)) request.settings.push_back(std::move(setting));
    } else if (name != "user" && name != "database") {
      request.settings.emplace_back(name, value);
    }
  }
  user_ = request.user;
  if (context_.options.require_tls && !request.encrypted) {
    fatal("28000", "this server accepts TLS connections only", "Connect with sslmode=require.");
    return false;
  }
  const bool digest = parameter_of(startup, "driver_version").starts_with("Redshift");
  client_version_ = parameter_of(startup, "client_protocol_version");
  if (!authenticate(request, digest)) return false;
  return open_session(request, startup.protocol_version);
}

bool Connection::refuse_guess(const session::SessionRequest& request) {
  context_.warehouse.record_refused_login(request, "throttled");
  fatal("28000", "too many failed logins of user \"" + request.user + "\"",
        "Wait a minute, then try again.");
  return false;
}

bool Connection::read_answer(char type, std::string& payload,
                             const session::SessionRequest& request, const std::string& user) {
  if (!flush()) return false;
  const net::Deadline deadline = net::Deadline::after_us(context_.options.login_timeout_us);
  std::array<char, 5> head{};
  if (!stream_.read_exactly(head, deadline)) return false;
  const std::uint32_t length = big_endian32({head.data() + 1, 4});
  if (head[0] != type || length < 4 || length > kLoginBytesMax) {
    fatal("08P01", "expected a password response");
    return false;
  }
  payload.resize(length - 4);
  if (!stream_.read_exactly(payload, deadline)) return false;
  return context_.throttle.take_up(user, stream_.peer().host, system_clock().monotonic_us()) ||
         refuse_guess(request);
}

bool Connection::authenticate(const session::SessionRequest& request, bool digest) {
  const std::string address = stream_.peer().host;
  Random& random = context_.options.random == nullptr ? secure_random() : *context_.options.random;
  // Without the prefix that IAM puts before a name: it is the same user's password.
  const std::string user = context_.warehouse.login_verifier(request.user).user;
  // Before the password is asked for: from a wrong place even the right one does not help.
  if (!context_.addresses.allowed(user, address)) {
    context_.warehouse.record_refused_login(request, "address");
    fatal("28000",
          fmt::format("user \"{}\" may not log in from the address {}", request.user, address),
          "The administrator's setting is warehouse.allowed_addresses.");
    return false;
  }
  if (!context_.throttle.allowed(user, address, system_clock().monotonic_us()))
    return refuse_guess(request);
  const session::LoginVerifier verifier = context_.warehouse.login_verifier(request.user);
  MessageWriter writer(out_);
  std::string payload;
  std::string_view method;
  bool right = false;
  if (digest) {
    method = "digest";
    const std::string nonce = random_bytes(random, 32);
    writer.authentication_digest(verifier.sha256_salt, nonce);
    if (!read_answer('d', payload, request, user)) return false;
    const Parsed<DigestResponse> answer = parse_digest_response(payload);
    const auto fits = [&](const std::string& stored) {
      return answer && check_digest(answer->digest, stored, nonce, answer->client_nonce);
    };
    right = fits(verifier.sha256_digest);
    for (const auto& temporary : verifier.temporary) right = fits(temporary.sha256_digest) || right;
  } else if (verifier.md5_hex.empty() && verifier.temporary.empty() &&
             !verifier.sha256_digest.empty()) {
    method = "password";
    if (!stream_.is_tls()) {
      fatal("28000", "the password of user \"" + request.user + "\" can be checked over TLS only",
            "Connect with sslmode=require, or use a Redshift driver.");
      return false;
    }
    writer.authentication_cleartext();
    if (!read_answer('p', payload, request, user)) return false;
    const Parsed<std::string_view> password = parse_password(payload);
    right = password && context_.warehouse.check_password(request.user, *password);
  } else {
    method = "md5";
    const std::string salt = random_bytes(random, 4);
    writer.authentication_md5(salt);
    if (!read_answer('p', payload, request, user)) return false;
    const Parsed<std::string_view> answer = parse_password(payload);
    const auto fits = [&](const std::string& stored) {
      return answer && check_md5(*answer, stored, salt);
    };
    right = fits(verifier.md5_hex);
    for (const auto& temporary : verifier.temporary) right = fits(temporary.md5_hex) || right;
  }
  if (right) {
    context_.throttle.succeeded(user, address);
    return true;
  }
  context_.warehouse.record_refused_login(request, method);
  fatal("28000", "password authentication failed for user \"" + request.user + "\"");
  return false;
}

bool Connection::open_session(const session::SessionRequest& request,
                              std::int32_t protocol_version) {
  session::SqlResult<std::unique_ptr<session::Session>> opened =
      context_.warehouse.open_session(request);
  if (!opened) {
    send_error(opened.error(), true);
    return false;
  }
  {
    const std::lock_guard lock(session_mutex_);
    session_ = std::move(*opened);
    session_->on_terminate([this] { wake(); });
  }
  MessageWriter writer(out_);
  if ((protocol_version & 0xffff) > 0) {
    writer.begin('v');
    writer.int32(0);
    writer.int32(0);
    writer.end();
  }
  writer.authentication_ok();
  for (const auto& [name, value] : session_->reported_settings())
    writer.parameter_status(name, value);
  // Only Redshift's drivers ask; others get what PostgreSQL sends.
  if (!client_version_.empty()) {
    version_ = agreed_version(client_version_);
    writer.parameter_status("server_protocol_version", std::to_string(static_cast<int>(version_)));
  }
  writer.backend_key_data(session_->id(), session_->secret_key());
  ready();
  return flush();
}

// Messages

bool Connection::wait_for_input() {
  const bool in_transaction = session_->transaction() != session::TransactionStatus::kIdle;
  const std::int64_t of_user_us = session_->idle_timeout_us();
  std::int64_t idle_us = of_user_us > 0 ? of_user_us : context_.options.idle_timeout_us;
  if (in_transaction) {
    idle_us = context_.options.idle_transaction_timeout_us;
    if (of_user_us > 0) idle_us = std::min(idle_us, of_user_us);
  }
  const net::Deadline deadline = net::Deadline::after_us(idle_us);
  for (;;) {
    if (context_.stopping || session_->terminated()) {
      fatal("57P01", "terminating connection due to administrator command");
      return false;
    }
    if (stream_.readable()) return true;
    std::array<pollfd, 2> descriptors{pollfd{stream_.native(), POLLIN, 0},
                                      pollfd{wake_fd_, POLLIN, 0}};
    const int ready_count = poll(descriptors.data(), descriptors.size(), deadline.poll_ms());
    if (ready_count == 0 && deadline.left_us() == 0) {
      session_->idled_out();
      if (in_transaction) {
        fatal("25P03", "terminating connection due to idle-in-transaction timeout");
      } else {
        fatal("57P05", "terminating connection due to idle-session timeout");
      }
      return false;
    }
    if ((descriptors[1].revents & POLLIN) != 0) {
      std::uint64_t count = 0;
      static_cast<void>(!read(wake_fd_, &count, sizeof count));
    }
    if (descriptors[0].revents != 0) return true;
  }
}

bool Connection::fill(std::size_t bytes) {
  while (in_.size() - in_at_ < bytes) {
    if (in_at_ > 0) {
      in_.erase(0, in_at_);
      in_at_ = 0;
    }
    // Within a message the client has the write timeout for each piece; before one it may think.
    const bool between = in_.empty();
    if (between && !wait_for_input()) return false;
    const std::size_t size = in_.size();
    in_.resize(size +
               std::max(kReadBytes, bytes - size > kFlushBytes ? kFlushBytes : std::size_t{0}));
    const Result<std::size_t> got = stream_.read_some(
        std::span(in_).subspan(size), net::Deadline::after_us(context_.options.write_timeout_us));
    in_.resize(size + got.value_or(0));
    if (!got || *got == 0) return false;
  }
  return true;
}

bool Connection::serve_one() {
  if (!fill(5)) return false;
  const char type = in_[in_at_];
  const std::uint32_t length = big_endian32(std::string_view(in_).substr(in_at_ + 1, 4));
  if (length < 4) {
    fatal("08P01", "invalid message length");
    return false;
  }
  if (length > context_.options.message_bytes_max) {
    fatal("54000", fmt::format("message of {} bytes is larger than the limit of {}", length,
                               context_.options.message_bytes_max));
    return false;
  }
  if (!fill(std::size_t{length} + 1)) return false;
  // The message's views point into the payload, which handling must not move.
  const std::string payload = in_.substr(in_at_ + 5, length - 4);
  in_at_ += std::size_t{length} + 1;
  const Parsed<ClientMessage> message = parse_client_message(type, payload);
  if (!message) {
    fatal("08P01", message.error().message);
    return false;
  }
  if (!handle(*message)) return false;
  if (session_->terminated()) {
    fatal("57P01", "terminating connection due to administrator command");
    return false;
  }
  // Answers to pipelined messages go out together.
  if (in_.size() - in_at_ < 5 || out_.size() >= kFlushBytes) return flush();
  return !broken_;
}

bool Connection::handle(const ClientMessage& message) {
  if (std::holds_alternative<TerminateMessage>(message)) return false;
  if (std::holds_alternative<SyncMessage>(message)) {
    skipping_ = false;
    if (const session::SqlStatus synced = session_->sync(*this); !synced)
      send_error(synced.error());
    ready();
    return !broken_;
  }
  if (std::holds_alternative<FlushMessage>(message)) return flush();
  if (std::holds_alternative<CopyMessage>(message))
    return true;  // leftovers of a failed COPY are skipped
  if (skipping_) return true;
  if (const auto* query = std::get_if<QueryMessage>(&message)) {
    handle_query(*query);
    return !broken_;
  }
  if (std::holds_alternative<FunctionCallMessage>(message)) {
    session_->fail_transaction();
    send_error({.sqlstate = "0A000",
                .message = "function calls of the protocol are not supported",
                .detail = {},
                .hint = "Call the function with SELECT."});
    ready();
    return true;
  }
  handle_extended(message);
  return !broken_;
}

void Connection::handle_query(const QueryMessage& message) {
  formats_.clear();
  if (const session::SqlStatus done = session_->simple_query(message.text, *this); !done)
    send_error(done.error());
  ready();
}

void Connection::handle_extended(const ClientMessage& message) {
  MessageWriter writer(out_);
  session::SqlStatus done;
  if (const auto* parse = std::get_if<ParseMessage>(&message)) {
    done = session_->parse(parse->statement, parse->text, parse->parameter_types, *this);
    if (done) writer.empty('1');
  } else if (const auto* bind = std::get_if<BindMessage>(&message)) {
    std::vector<session::Parameter> parameters;
    for (std::size_t i = 0; i < bind->parameters.size(); ++i) {
      parameters.push_back(
          {.bytes = bind->parameters[i], .binary = format_of(bind->parameter_formats, i) == 1});
    }
    done = session_->bind(bind->portal, bind->statement, parameters, *this);
    if (done) {
      std::erase_if(portal_formats_,
                    [&](const auto& entry) { return entry.first == bind->portal; });
      portal_formats_.emplace_back(bind->portal, bind->result_formats);
      writer.empty('2');
    }
  } else if (const auto* close = std::get_if<CloseMessage>(&message)) {
    if (close->target == Target::kStatement) {
      session_->close_statement(close->name);
    } else {
      session_->close_portal(close->name);
      std::erase_if(portal_formats_, [&](const auto& entry) { return entry.first == close->name; });
    }
    writer.empty('3');
  } else if (const auto* wanted = std::get_if<DescribeMessage>(&message)) {
    describe(*wanted);
    return;
  } else if (const auto* run = std::get_if<ExecuteMessage>(&message)) {
    execute(*run);
    return;
  }
  if (!done) {
    send_error(done.error());
    skipping_ = true;
  }
}

void Connection::describe(const DescribeMessage& message) {
  MessageWriter writer(out_);
  std::vector<session::Field> fields;
  std::vector<std::int16_t> formats;
  session::SqlStatus done;
  if (message.target == Target::kStatement) {
    session::SqlResult<session::StatementDescription> description =
        session_->describe_statement(message.name, *this);
    if (description) {
      writer.begin('t');
      writer.int16(static_cast<std::int16_t>(description->parameter_types.size()));
      for (const std::uint32_t oid : description->parameter_types)
        writer.int32(static_cast<std::int32_t>(oid));
      writer.end();
      fields = std::move(description->fields);
    } else {
      done = std::unexpected(std::move(description).error());
    }
  } else {
    session::SqlResult<std::vector<session::Field>> described =
        session_->describe_portal(message.name);
    if (described) {
      fields = std::move(*described);
      const auto known = std::ranges::find(
          portal_formats_, message.name, &std::pair<std::string, std::vector<std::int16_t>>::first);
      if (known != portal_formats_.end()) formats = known->second;
    } else {
      done = std::unexpected(std::move(described).error());
    }
  }
  if (!done) {
    send_error(done.error());
    skipping_ = true;
    return;
  }
  if (fields.empty()) {
    writer.empty('n');
  } else {
    append_row_description(out_, fields, formats, version_, session_->database());
  }
}

void Connection::execute(const ExecuteMessage& message) {
  const auto known = std::ranges::find(portal_formats_, message.portal,
                                       &std::pair<std::string, std::vector<std::int16_t>>::first);
  formats_ = known == portal_formats_.end() ? std::vector<std::int16_t>() : known->second;
  const std::int64_t limit = std::max(message.row_limit, 0);
  const session::SqlResult<session::ExecuteOutcome> outcome =
      session_->execute(message.portal, limit, *this);
  if (!outcome) {
    send_error(outcome.error());
    skipping_ = true;
  } else if (*outcome == session::ExecuteOutcome::kSuspended) {
    MessageWriter(out_).empty('s');
  }
}

void Connection::ready() {
  // Portals live as long as their transaction, also behind a Sync.
  if (session_->transaction() == session::TransactionStatus::kIdle) portal_formats_.clear();
  MessageWriter(out_).ready_for_query(static_cast<char>(session_->transaction()));
}

// Output

bool Connection::flush() {
  if (broken_) return false;
  if (out_.empty()) return true;
  const Status written =
      stream_.write_all(out_, net::Deadline::after_us(context_.options.write_timeout_us));
  out_.clear();
  if (!written) broken_ = true;
  return written.has_value();
}

bool Connection::on_fields(std::span<const session::Field> fields) {
  append_row_description(out_, fields, formats_, version_, session_->database());
  return !broken_;
}

bool Connection::on_rows(const engine::Chunk& chunk, std::size_t first, std::size_t count) {
  // In pieces, so that wide rows do not gather in memory.
  constexpr std::size_t kRowsAtOnce = 256;
  const bool zoned = std::ranges::any_of(chunk.columns(), [](const engine::Column& column) {
    return column.type().type == engine::Type::kTimestampTz;
  });
  const CellStyle style{.extra_float_digits = session_->extra_float_digits(),
                        .time_zone = zoned ? &session_->time_zone() : nullptr,
                        .version = version_};
  for (std::size_t at = first; at < first + count; at += kRowsAtOnce) {
    append_rows(out_, chunk, at, std::min(kRowsAtOnce, first + count - at), formats_, style);
    if (out_.size() >= kFlushBytes && !flush()) return false;
  }
  return !broken_;
}

bool Connection::on_complete(std::string_view tag) {
  MessageWriter(out_).command_complete(tag);
  return !broken_;
}

bool Connection::on_empty() {
  MessageWriter(out_).empty('I');
  return !broken_;
}

void Connection::on_notice(session::Severity severity, std::string_view sqlstate,
                           std::string_view message) {
  append_diagnostic(
      out_, 'N', {.severity = severity_name(severity), .sqlstate = sqlstate, .message = message});
}

void Connection::on_setting(std::string_view name, std::string_view value) {
  MessageWriter(out_).parameter_status(name, value);
}

void Connection::send_error(const session::SqlError& error, bool is_fatal) {
  const bool is_outdated = error.message == session::kOutdatedStatement;
  append_diagnostic(out_, 'E',
                    {.severity = is_fatal ? "FATAL" : "ERROR",
                     .sqlstate = error.sqlstate,
                     .message = error.message,
                     .detail = error.detail,
                     .hint = error.hint,
                     .position = static_cast<std::int32_t>(error.position),
                     .routine = is_outdated ? "RevalidateCachedQuery" : ""});
}

void Connection::fatal(std::string_view sqlstate, std::string message, std::string hint) {
  send_error({.sqlstate = std::string(sqlstate),
              .message = std::move(message),
              .detail = {},
              .hint = std::move(hint)},
             true);
}

}  // namespace leat::pgwire
