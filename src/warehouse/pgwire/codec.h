// The PostgreSQL frontend/backend protocol 3.0 as bytes: reading what clients send, writing what
// they get.
//
// Pure: no sockets, no state but the buffer. Every length and count in a message is checked against
// the bytes that are there; a message that does not parse is a ProtocolError, never a guess. Wire
// facts: docs/reference/ wire-protocol.md.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace leat::pgwire {

/// Malformed bytes from the client. The connection ends with SQLSTATE 08P01 and this text.
struct ProtocolError {
  std::string message{};
};
template <class T>
using Parsed = std::expected<T, ProtocolError>;

inline constexpr std::int32_t kProtocolVersion3 = 196608;
inline constexpr std::int32_t kSslRequestCode = 80877103;
inline constexpr std::int32_t kGssEncRequestCode = 80877104;
inline constexpr std::int32_t kCancelRequestCode = 80877102;

struct SslRequest {};
struct GssEncRequest {};
struct CancelRequest {
  std::int32_t process_id = 0;
  std::int32_t secret_key = 0;
};
/// Parameters in the order sent; names may repeat (the last one wins, as in PostgreSQL).
struct StartupRequest {
  std::int32_t protocol_version = 0;
  std::vector<std::pair<std::string, std::string>> parameters{};
};
using FirstMessage = std::variant<SslRequest, GssEncRequest, CancelRequest, StartupRequest>;

/// Reads the untyped packet that opens a connection. `payload` is what follows the Int32 length.
/// Pure; any thread.
[[nodiscard]] Parsed<FirstMessage> parse_first_message(std::string_view payload);

/// Splits the `options` startup parameter: `-c name=value`, `-cname=value`, `--name=value`; a
/// backslash keeps the next character. Unknown switches are skipped. Pure; any thread.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parse_options(std::string_view text);

// Views in the messages below point into the payload that was parsed.
struct QueryMessage {
  std::string_view text{};
};
struct ParseMessage {
  std::string_view statement{};
  std::string_view text{};
  std::vector<std::uint32_t> parameter_types{};
};
struct BindMessage {
  std::string_view portal{};
  std::string_view statement{};
  std::vector<std::int16_t> parameter_formats{};
  std::vector<std::optional<std::string_view>> parameters{};
  std::vector<std::int16_t> result_formats{};
};
enum class Target : std::uint8_t { kStatement, kPortal };
struct DescribeMessage {
  Target target = Target::kStatement;
  std::string_view name{};
};
struct CloseMessage {
  Target target = Target::kStatement;
  std::string_view name{};
};
struct ExecuteMessage {
  std::string_view portal{};
  std::int32_t row_limit = 0;  ///< 0: all rows
};
struct FlushMessage {};
struct SyncMessage {};
struct TerminateMessage {};
/// Copy data and function calls: Redshift has neither; the session answers, the bytes are skipped.
struct CopyMessage {
  char type = 0;
};
struct FunctionCallMessage {};
using ClientMessage = std::variant<QueryMessage, ParseMessage, BindMessage, DescribeMessage,
                                   CloseMessage, ExecuteMessage, FlushMessage, SyncMessage,
                                   TerminateMessage, CopyMessage, FunctionCallMessage>;

/// Reads one typed message after authentication. `payload` is what follows the Int32 length. Pure;
/// any thread.
[[nodiscard]] Parsed<ClientMessage> parse_client_message(char type, std::string_view payload);

/// Reads a PasswordMessage's text ('p').
[[nodiscard]] Parsed<std::string_view> parse_password(std::string_view payload);

/// Answer of a Redshift driver to authentication code 13 ('d').
struct DigestResponse {
  std::string_view digest{};
  std::string_view client_nonce{};
};
[[nodiscard]] Parsed<DigestResponse> parse_digest_response(std::string_view payload);

/// Writes messages one after the other into a buffer. Not thread-safe.
class MessageWriter {
 public:
  explicit MessageWriter(std::string& out) : out_(out) {}

  /// Starts a message; `end` fills in its length. No nesting.
  void begin(char type);
  void end();

  void byte(char value) { out_.push_back(value); }
  void int16(std::int16_t value);
  void int32(std::int32_t value);
  void int64(std::int64_t value);
  void bytes(std::string_view value) { out_.append(value); }
  /// A NUL in `value` would end the string early for the client; it is cut there.
  void cstring(std::string_view value);

  // Whole messages.
  void authentication_ok();
  void authentication_cleartext();
  void authentication_md5(std::string_view salt);
  /// Redshift's SHA-256 digest challenge (code 13, algorithm 0).
  void authentication_digest(std::string_view salt, std::string_view server_nonce);
  void backend_key_data(std::int32_t process_id, std::int32_t secret_key);
  void parameter_status(std::string_view name, std::string_view value);
  void ready_for_query(char status);
  void command_complete(std::string_view tag);
  void empty(char type);

 private:
  std::string& out_;
  std::size_t length_at_ = 0;
};

/// Fields of an ErrorResponse or NoticeResponse. Empty ones are left out; `position` 0 is none.
struct ErrorFields {
  std::string_view severity{};
  std::string_view sqlstate{};
  std::string_view message{};
  std::string_view detail{};
  std::string_view hint{};
  std::int32_t position = 0;
  std::string_view routine{};  ///< Of PostgreSQL's sources: drivers know some errors by it.
};
/// `type` is 'E' or 'N'.
void append_diagnostic(std::string& out, char type, const ErrorFields& fields);

}  // namespace leat::pgwire
