// All HTTP connections of one loop: accepts, reads, dispatches to the handler, answers in order,
// times out, closes. Internal to net.
//
// A connection's life:
//
//   kHandshake (TLS only) -> kHead <-> kBody | kChunks      -> closed
//                              \________________________________-> kLingering -> closed
//
//   kHead      between requests (no input) or inside a head
//   kBody      the head is complete and says how long the body is; both stay in `input` until all
//   is there kChunks    the head is complete (copied to `chunk_head`) and the chunks are decoded as
//   they come kLingering the last answer and our FIN are sent; input is thrown away so that the
//   answer is not reset
//
// Every request gets a slot, in order; a slot is filled by reply() and sent when all before it are.
// An answer whose body has a source is sent piece by piece: while there is a source, `output` holds
// its next bytes and no later answer goes in.
// `closing` means that no request is read any more: when slots and output are empty the connection
// ends. `held` means that the handler has put the next request back: it stays in `input` (or
// `chunks`), nothing more is read, and no timer runs, until resume(). Connections are destroyed
// only by handle_event, flush and the timers, never below process(), so references stay valid
// there.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "net/http_head.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/socket.h"

struct ssl_st;

namespace leat::net {

/// What the loops of one server share.
struct HttpShared {
  explicit HttpShared(const HttpOptions& options);

  std::atomic<std::size_t> connections{0};
  metrics::Registry own_registry;  // used when the options name none
  metrics::Registry& registry;
  metrics::Gauge& open;
  metrics::Counter& accepted;
  metrics::Counter& requests;
  metrics::Counter& bytes_read;
  metrics::Counter& bytes_written;
  metrics::Counter& refused_connections;
  metrics::Counter& timeouts;
  metrics::Labels labels;
};

/// Bytes read and not yet consumed. Memory is not cleared, and goes back to a pool when empty.
struct InputBuffer {
  std::unique_ptr<char[]> memory;
  std::size_t capacity = 0;
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::string_view view() const { return {memory.get() + begin, end - begin}; }
  [[nodiscard]] bool empty() const { return begin == end; }
};

class HttpConnections {
 public:
  HttpConnections(Loop& loop, const HttpOptions& options, HttpShared& shared, Descriptor listener);
  ~HttpConnections();

  /// Makes the handler and begins to accept. On the loop's thread, as everything below but reply
  /// and abandon.
  [[nodiscard]] Status start(const HandlerFactory& factory, unsigned index);
  /// Begins to end: see HttpServer::stop. Stops the loop when the last connection is gone or after
  /// `left_us`.
  void stop(std::int64_t left_us);
  /// Ends everything now.
  void close_all();

  /// Any thread; see Exchange.
  void reply(std::uint64_t connection, std::uint32_t sequence, Response response);
  /// See Exchange::hold and HeldRequest::resume.
  void hold(std::uint64_t connection, std::uint32_t sequence);
  [[nodiscard]] bool resume(std::uint64_t connection);

 private:
  enum class Phase : std::uint8_t { kHandshake, kHead, kBody, kChunks, kLingering };
  enum class Timer : std::uint8_t { kNone, kIdle, kHead, kBody, kWrite, kLinger };
  static constexpr std::size_t kTimers = 6;
  static constexpr std::size_t kScratchBytes = std::size_t{256} * 1024;

  struct Slot {
    Response response = {};
    bool done = false;
    bool keep_alive = true;
    bool head_only = false;
    bool http_1_0 = false;
    bool interim = false;  // "100 Continue": no answer of its own
  };

  struct SslFreer {
    void operator()(ssl_st* ssl) const;
  };

  struct Connection {
    std::uint64_t id = 0;
    Descriptor socket;
    std::unique_ptr<ssl_st, SslFreer> ssl;
    Loop::WatchId watch = 0;
    std::uint32_t interest = 0;
    IpAddress peer;
    Phase phase = Phase::kHead;
    bool alive = false;
    bool closing = false;      // read no more requests; end when everything is answered
    bool held = false;         // its next request was put back by the handler
    bool linger = false;       // end by kLingering
    bool peer_closed = false;  // the client has sent its FIN
    bool dirty = false;        // is in dirty_
    bool tls_wants_write = false;

    InputBuffer input;
    std::size_t scanned = 0;         // kHead: bytes searched for the end of the head
    std::size_t head_bytes = 0;      // kBody
    std::size_t total_bytes = 0;     // kBody: head and body
    std::size_t large_request = 0;   // size of the last request if it did not fit the shared buffer
    std::int64_t held_since_us = 0;  // of the next request; 0: it was not held yet
    std::string chunk_head;          // kChunks
    std::unique_ptr<ChunkedReader> chunks;

    std::vector<Slot> slots;  // those from slots_begin on are live
    std::size_t slots_begin = 0;
    std::uint32_t first_sequence = 0;  // of slots[slots_begin]
    std::string output;
    std::size_t output_sent = 0;
    std::unique_ptr<BodySource> source;  // of the answer under way; its next piece is in `output`
    std::uint64_t source_offset = 0;
    std::uint64_t source_bytes = 0;

    Timer timer = Timer::kNone;
    std::int64_t deadline_us = 0;
    Connection* timer_previous = nullptr;
    Connection* timer_next = nullptr;

    [[nodiscard]] std::size_t waiting() const { return slots.size() - slots_begin; }
    [[nodiscard]] std::size_t unsent() const { return output.size() - output_sent; }
  };

  struct TimerList {
    Connection* first = nullptr;
    Connection* last = nullptr;
  };

  // Accepting (http_accept.cc).
  void handle_accept();
  void adopt(int socket, const sockaddr_storage& address);
  void turn_away(int socket);
  [[nodiscard]] Connection& take_slot();
  void destroy(Connection& connection);
  [[nodiscard]] Connection* find(std::uint64_t id);

  // Timers (http_accept.cc).
  void arm(Connection& connection, Timer timer);
  void update_timer(Connection& connection);
  void schedule_sweep(std::int64_t deadline_us);
  void sweep();
  void time_out(Connection& connection);
  [[nodiscard]] std::int64_t duration_us(Timer timer) const;

  // Reading (http_connections.cc).
  void handle_event(std::uint64_t id, std::uint32_t events);
  [[nodiscard]] bool handshake(Connection& connection);
  void read(Connection& connection);
  [[nodiscard]] long receive(Connection& connection, char* into, std::size_t size);
  void handle_end(Connection& connection);
  void drain(Connection& connection);
  void process_input(Connection& connection);
  [[nodiscard]] std::size_t process(Connection& connection, std::string_view data);
  [[nodiscard]] bool process_head(Connection& connection, std::string_view data, std::size_t& used);
  [[nodiscard]] bool process_body(Connection& connection, std::string_view data, std::size_t& used);
  [[nodiscard]] bool process_chunks(Connection& connection, std::string_view data,
                                    std::size_t& used);
  void send_continue(Connection& connection);
  void begin_body(Connection& connection, std::size_t head_bytes, std::string_view data);
  [[nodiscard]] bool dispatch(Connection& connection, std::string_view body);
  void refuse(Connection& connection, Refusal refusal, const RequestView& request);
  void keep(Connection& connection, std::string_view rest);
  void reserve(InputBuffer& buffer, std::size_t size);
  void release(InputBuffer& buffer);
  [[nodiscard]] bool paused(const Connection& connection) const;

  // Writing (http_answer.cc).
  void answer(std::uint64_t connection, std::uint32_t sequence, Response response);
  void deliver(Connection& connection);
  void serialize(Connection& connection, Slot& slot);
  void mark_dirty(Connection& connection);
  void flush_dirty();
  void flush(Connection& connection);
  [[nodiscard]] bool send_output(Connection& connection);
  [[nodiscard]] bool send_buffered(Connection& connection);
  [[nodiscard]] bool refill(Connection& connection);
  void finish(Connection& connection);
  void update_interest(Connection& connection);
  void publish_counts();

  Loop& loop_;
  const HttpOptions& options_;
  HttpShared& shared_;
  Descriptor listener_;
  Loop::WatchId listener_watch_ = 0;
  std::unique_ptr<Handler> handler_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::uint32_t> free_;
  std::size_t alive_ = 0;
  bool stopping_ = false;

  std::unique_ptr<char[]> scratch_;  // what one read brings, when the connection holds nothing yet
  std::vector<InputBuffer> pool_;
  std::size_t pool_bytes_ = 0;
  Head head_;
  std::vector<std::uint64_t> dirty_;
  std::vector<std::uint64_t> flushing_;
  std::array<TimerList, kTimers> timer_lists_;
  std::int64_t sweep_us_ = 0;  // when the sweep runs next; 0: not planned
  Loop::TimerId sweep_timer_ = 0;
  std::string date_line_;
  std::int64_t date_second_ = -1;

  std::uint64_t requests_ = 0;  // since the last publish_counts()
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
};

}  // namespace leat::net
