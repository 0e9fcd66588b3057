#include "warehouse/pgwire/codec.h"

#include <limits>

namespace leat::pgwire {
namespace {

/// Reads big-endian numbers and strings from the front of a payload; remembers the first failure.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::int16_t int16() { return static_cast<std::int16_t>(number(2)); }
  std::uint16_t uint16() { return static_cast<std::uint16_t>(number(2)); }
  std::int32_t int32() { return static_cast<std::int32_t>(number(4)); }
  std::uint32_t uint32() { return static_cast<std::uint32_t>(number(4)); }
  char byte() { return static_cast<char>(number(1)); }

  std::string_view bytes(std::size_t count) {
    if (failed_ || rest_.size() < count) {
      failed_ = true;
      return {};
    }
    const std::string_view result = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return result;
  }

  std::string_view cstring() {
    const std::size_t end = failed_ ? std::string_view::npos : rest_.find('\0');
    if (end == std::string_view::npos) {
      failed_ = true;
      return {};
    }
    const std::string_view result = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return result;
  }

  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool complete() const { return !failed_ && rest_.empty(); }

 private:
  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (const char c : bytes(size)) value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }

  std::string_view rest_;
  bool failed_ = false;
};

std::unexpected<ProtocolError> malformed(std::string_view what) {
  return std::unexpected(ProtocolError{"invalid message format: " + std::string(what)});
}

Parsed<FirstMessage> parse_startup(std::int32_t version, Reader& reader) {
  if (version >> 16 != 3) {
    return std::unexpected(
        ProtocolError{"unsupported frontend protocol " + std::to_string(version >> 16) + "." +
                      std::to_string(version & 0xffff) + ": server supports 3.0"});
  }
  StartupRequest request{.protocol_version = version, .parameters = {}};
  while (reader.left() > 1) {
    const std::string_view name = reader.cstring();
    const std::string_view value = reader.cstring();
    if (reader.failed() || name.empty()) return malformed("startup packet");
    request.parameters.emplace_back(name, value);
  }
  if (reader.byte() != '\0' || reader.failed()) return malformed("startup packet");
  return request;
}

Parsed<ClientMessage> parse_parse(Reader& reader) {
  ParseMessage message;
  message.statement = reader.cstring();
  message.text = reader.cstring();
  const std::size_t count = reader.uint16();
  if (reader.failed() || reader.left() != count * 4) return malformed("Parse");
  message.parameter_types.reserve(count);
  for (std::size_t i = 0; i < count; ++i) message.parameter_types.push_back(reader.uint32());
  return message;
}

bool read_formats(Reader& reader, std::vector<std::int16_t>& formats) {
  const std::size_t count = reader.uint16();
  if (reader.failed() || reader.left() < count * 2) return false;
  formats.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    formats.push_back(reader.int16());
    if (formats.back() != 0 && formats.back() != 1) return false;
  }
  return true;
}

Parsed<ClientMessage> parse_bind(Reader& reader) {
  BindMessage message;
  message.portal = reader.cstring();
  message.statement = reader.cstring();
  if (!read_formats(reader, message.parameter_formats)) return malformed("Bind");
  const std::size_t count = reader.uint16();
  if (reader.failed() || reader.left() < count * 4) return malformed("Bind");
  message.parameters.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t size = reader.int32();
    if (reader.failed() || size < -1) return malformed("Bind");
    if (size == -1) {
      message.parameters.emplace_back(std::nullopt);
    } else {
      message.parameters.emplace_back(reader.bytes(static_cast<std::size_t>(size)));
    }
  }
  if (!read_formats(reader, message.result_formats) || !reader.complete()) return malformed("Bind");
  const std::size_t formats = message.parameter_formats.size();
  if (formats > 1 && formats != count)
    return malformed("Bind: parameter formats do not match parameters");
  return message;
}

std::optional<Target> target_of(char type) {
  if (type == 'S') return Target::kStatement;
  if (type == 'P') return Target::kPortal;
  return std::nullopt;
}

template <class Message>
Parsed<ClientMessage> parse_named(Reader& reader, std::string_view what) {
  const auto target = target_of(reader.byte());
  const std::string_view name = reader.cstring();
  if (!target || !reader.complete()) return malformed(what);
  return Message{*target, name};
}

}  // namespace

Parsed<FirstMessage> parse_first_message(std::string_view payload) {
  Reader reader(payload);
  const std::int32_t code = reader.int32();
  if (reader.failed()) return malformed("startup packet");
  switch (code) {
    case kSslRequestCode:
      if (!reader.complete()) return malformed("SSLRequest");
      return SslRequest{};
    case kGssEncRequestCode:
      if (!reader.complete()) return malformed("GSSENCRequest");
      return GssEncRequest{};
    case kCancelRequestCode: {
      CancelRequest request;
      request.process_id = reader.int32();
      request.secret_key = reader.int32();
      if (!reader.complete()) return malformed("CancelRequest");
      return request;
    }
    default:
      return parse_startup(code, reader);
  }
}

std::vector<std::pair<std::string, std::string>> parse_options(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
      continue;
    }
    if (c == '\\' && i + 1 < text.size()) c = text[++i];
    word.push_back(c);
    in_word = true;
  }
  if (in_word) words.push_back(word);

  std::vector<std::pair<std::string, std::string>> settings;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view setting = words[i];
    if (setting == "-c" && i + 1 < words.size()) {
      setting = words[++i];
    } else if (setting.starts_with("-c") || setting.starts_with("--")) {
      setting.remove_prefix(2);
    } else {
      continue;
    }
    const std::size_t equals = setting.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return settings;
}

Parsed<ClientMessage> parse_client_message(char type, std::string_view payload) {
  Reader reader(payload);
  switch (type) {
    case 'Q': {
      const std::string_view text = reader.cstring();
      if (!reader.complete()) return malformed("Query");
      return QueryMessage{text};
    }
    case 'P':
      return parse_parse(reader);
    case 'B':
      return parse_bind(reader);
    case 'D':
      return parse_named<DescribeMessage>(reader, "Describe");
    case 'C':
      return parse_named<CloseMessage>(reader, "Close");
    case 'E': {
      ExecuteMessage message;
      message.portal = reader.cstring();
      message.row_limit = reader.int32();
      if (!reader.complete()) return malformed("Execute");
      return message;
    }
    case 'H':
      if (!payload.empty()) return malformed("Flush");
      return FlushMessage{};
    case 'S':
      if (!payload.empty()) return malformed("Sync");
      return SyncMessage{};
    case 'X':
      return TerminateMessage{};
    case 'd':
    case 'c':
    case 'f':
      return CopyMessage{type};
    case 'F':
      return FunctionCallMessage{};
    default:
      return std::unexpected(ProtocolError{"invalid frontend message type " +
                                           std::to_string(static_cast<unsigned char>(type))});
  }
}

Parsed<std::string_view> parse_password(std::string_view payload) {
  Reader reader(payload);
  const std::string_view text = reader.cstring();
  if (!reader.complete()) return malformed("PasswordMessage");
  return text;
}

Parsed<DigestResponse> parse_digest_response(std::string_view payload) {
  Reader reader(payload);
  DigestResponse response;
  for (std::string_view* part : {&response.digest, &response.client_nonce}) {
    const std::int32_t size = reader.int32();
    if (reader.failed() || size < 0) return malformed("digest response");
    *part = reader.bytes(static_cast<std::size_t>(size));
  }
  if (!reader.complete()) return malformed("digest response");
  return response;
}

void MessageWriter::begin(char type) {
  out_.push_back(type);
  length_at_ = out_.size();
  out_.append(4, '\0');
}

void MessageWriter::end() {
  const auto length = static_cast<std::uint32_t>(out_.size() - length_at_);
  for (std::size_t i = 0; i < 4; ++i)
    out_[length_at_ + i] = static_cast<char>(length >> (24U - 8U * i));
}

void MessageWriter::int16(std::int16_t value) {
  const auto bits = static_cast<std::uint16_t>(value);
  out_.push_back(static_cast<char>(bits >> 8U));
  out_.push_back(static_cast<char>(bits));
}

void MessageWriter::int32(std::int32_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  for (int shift = 24; shift >= 0; shift -= 8) out_.push_back(static_cast<char>(bits >> shift));
}

void MessageWriter::int64(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  for (int shift = 56; shift >= 0; shift -= 8) out_.push_back(static_cast<char>(bits >> shift));
}

void MessageWriter::cstring(std::string_view value) {
  out_.append(value.substr(0, value.find('\0')));
  out_.push_back('\0');
}

void MessageWriter::authentication_ok() {
  begin('R');
  int32(0);
  end();
}

void MessageWriter::authentication_cleartext() {
  begin('R');
  int32(3);
  end();
}

void MessageWriter::authentication_md5(std::string_view salt) {
  begin('R');
  int32(5);
  bytes(salt);
  end();
}

void MessageWriter::authentication_digest(std::string_view salt, std::string_view server_nonce) {
  begin('R');
  int32(13);
  int32(0);
  int32(static_cast<std::int32_t>(salt.size()));
  bytes(salt);
  int32(static_cast<std::int32_t>(server_nonce.size()));
  bytes(server_nonce);
  end();
}

void MessageWriter::backend_key_data(std::int32_t process_id, std::int32_t secret_key) {
  begin('K');
  int32(process_id);
  int32(secret_key);
  end();
}

void MessageWriter::parameter_status(std::string_view name, std::string_view value) {
  begin('S');
  cstring(name);
  cstring(value);
  end();
}

void MessageWriter::ready_for_query(char status) {
  begin('Z');
  byte(status);
  end();
}

void MessageWriter::command_complete(std::string_view tag) {
  begin('C');
  cstring(tag);
  end();
}

void MessageWriter::empty(char type) {
  begin(type);
  end();
}

void append_diagnostic(std::string& out, char type, const ErrorFields& fields) {
  MessageWriter writer(out);
  writer.begin(type);
  const auto field = [&](char code, std::string_view value) {
    if (value.empty()) return;
    writer.byte(code);
    writer.cstring(value);
  };
  field('S', fields.severity);
  field('C', fields.sqlstate);
  field('M', fields.message);
  field('D', fields.detail);
  field('H', fields.hint);
  if (fields.position > 0) field('P', std::to_string(fields.position));
  field('R', fields.routine);
  writer.byte('\0');
  writer.end();
}

}  // namespace leat::pgwire
