#include "net/http_head.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "base/text.h"

namespace leat::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using beast::error_code;

std::string_view to_std(beast::string_view text) {
  return {text.data(), text.size()};
}

/// "0\r\n\r\n": Beast's parser asserts that it is not asked about the last chunk with fewer bytes.
constexpr std::size_t kLastChunkBytes = 5;

constexpr Refusal kMalformed{400, "malformed HTTP request"};
constexpr Refusal kBadLength{400, "bad or repeated Content-Length"};
constexpr Refusal kBadChunk{400, "malformed chunked body"};

Method method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::kGet;
    case http::verb::head:
      return Method::kHead;
    case http::verb::post:
      return Method::kPost;
    case http::verb::put:
      return Method::kPut;
    case http::verb::delete_:
      return Method::kDelete;
    case http::verb::options:
      return Method::kOptions;
    case http::verb::patch:
      return Method::kPatch;
    default:
      return Method::kOther;
  }
}

/// Beast's parser with our own sink: heads go to `head`, decoded chunks to `body`.
class Parser final : public http::basic_parser<true> {
 public:
  Head* head = nullptr;
  std::string_view bytes;  // the head; every view must lie inside
  std::size_t headers_max = 0;
  std::string* body = nullptr;
  std::size_t body_bytes_max = 0;
  Refusal refusal = kMalformed;

  /// Checks what only the whole head can tell.
  bool finish() {
    if (version_ == 11 && hosts_ == 0) return refuse({400, "a Host header is required"});
    if (head->chunked && version_ == 10) return refuse({400, "HTTP/1.0 has no Transfer-Encoding"});
    return true;
  }

 private:
  bool refuse(Refusal why) {
    refusal = why;
    return false;
  }
  void refuse(Refusal why, error_code& error) {
    refusal = why;
    error = http::error::bad_value;
  }

  void on_request_impl(http::verb method, beast::string_view method_text, beast::string_view target,
                       int version, error_code&) override {
    version_ = version;
    if (head == nullptr) return;
    head->http_1_0 = version == 10;
    head->method = method_of(method);
    head->method_text = to_std(method_text);
    head->target = to_std(target);
  }

  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     error_code& error) override {
    if (head == nullptr || body_started_) return;  // trailers carry nothing that handlers see
    const bool folded = value.data() < bytes.data() || value.data() > bytes.data() + bytes.size();
    if (folded && !value.empty())
      return refuse({400, "folded header lines are not allowed"}, error);
    if (head->headers.size() >= headers_max) return refuse({431, "too many headers"}, error);
    head->headers.push_back({to_std(name), folded ? std::string_view() : to_std(value)});
    switch (field) {
      case http::field::host:
        if (++hosts_ > 1) refuse({400, "more than one Host header"}, error);
        break;
      case http::field::content_length:
        if (++lengths_ > 1 ||
            !std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; })) {
          refuse(kBadLength, error);
        }
        break;
      case http::field::transfer_encoding:
        if (!beast::iequals(value, "chunked"))
          refuse({501, "this transfer coding is not supported"}, error);
        break;
      case http::field::expect:
        if (!beast::iequals(value, "100-continue"))
          refuse({417, "this expectation is not supported"}, error);
        head->expect_continue = true;
        break;
      default:
        break;
    }
  }

  void on_header_impl(error_code&) override {}
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {
    body_started_ = true;
  }
  std::size_t on_body_impl(beast::string_view piece, error_code&) override { return piece.size(); }
  void on_chunk_header_impl(std::uint64_t size, beast::string_view, error_code& error) override {
    if (body != nullptr && size > body_bytes_max - std::min(body_bytes_max, body->size())) {
      refuse({413, "the request body is too large"}, error);
    }
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view piece, error_code&) override {
    if (body != nullptr) body->append(piece.data(), piece.size());
    return piece.size();
  }
  void on_finish_impl(error_code&) override {}

  int version_ = 11;
  int hosts_ = 0;
  int lengths_ = 0;
  bool body_started_ = false;
};

/// True when the request line is in order but for a version that is not ours.
bool has_foreign_version(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  if (line.size() < 9) return false;
  const std::string_view version = line.substr(line.size() - 9);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.starts_with(" HTTP/") && is_digit(version[6]) && version[7] == '.' &&
         is_digit(version[8]) && version != " HTTP/1.0" && version != " HTTP/1.1";
}

Refusal refusal_of(const Parser& parser, const error_code& error) {
  if (error == http::error::bad_version && has_foreign_version(parser.bytes)) {
    return {505, "only HTTP/1.0 and HTTP/1.1 are supported"};
  }
  if (error == http::error::bad_content_length || error == http::error::multiple_content_length)
    return kBadLength;
  if (error == http::error::bad_transfer_encoding) {
    return {400, "Content-Length and Transfer-Encoding together, or one of them twice"};
  }
  if (error == http::error::bad_value) return parser.refusal;
  return kMalformed;
}

}  // namespace

RequestView Head::view() const {
  RequestView request;
  request.method = method;
  request.method_text = method_text;
  request.target = target;
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  request.headers = headers;
  return request;
}

std::size_t find_head_end(std::string_view bytes, std::size_t& scanned) {
  const std::size_t end = bytes.find("\r\n\r\n", scanned);
  if (end != std::string_view::npos) return end + 4;
  scanned = bytes.size() > 3 ? bytes.size() - 3 : 0;
  return 0;
}

std::optional<Refusal> parse_head(std::string_view bytes, std::size_t headers_max, Head& head) {
  head.method_text = {};
  head.target = {};
  head.headers.clear();
  head.expect_continue = false;
  Parser parser;
  parser.head = &head;
  parser.bytes = bytes;
  parser.headers_max = headers_max;
  parser.header_limit(
      static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size() + 1, UINT32_MAX)));
  parser.body_limit(boost::none);
  error_code error;
  const std::size_t used = parser.put({bytes.data(), bytes.size()}, error);
  if (error) return refusal_of(parser, error);
  if (used != bytes.size() || !parser.is_header_done()) return kMalformed;
  head.chunked = parser.chunked();
  head.keep_alive = parser.keep_alive();
  head.content_length = head.chunked ? 0 : parser.content_length().value_or(0);
  if (!parser.finish()) return parser.refusal;
  return std::nullopt;
}

struct ChunkedReader::State {
  std::string body;
  std::size_t body_bytes = 0;  // known at the end; padding follows
  std::size_t line_bytes_max = 0;
  Parser parser;
};

ChunkedReader::ChunkedReader(std::string_view head, std::size_t body_bytes_max,
                             std::size_t line_bytes_max)
    : state_(std::make_unique<State>()) {
  Parser& parser = state_->parser;
  state_->line_bytes_max = line_bytes_max;
  parser.body = &state_->body;
  parser.body_bytes_max = body_bytes_max;
  parser.header_limit(
      static_cast<std::uint32_t>(std::min<std::size_t>(head.size() + 1, UINT32_MAX)));
  parser.body_limit(boost::none);
  error_code error;
  parser.put({head.data(), head.size()}, error);
}

ChunkedReader::~ChunkedReader() = default;

std::optional<Refusal> ChunkedReader::feed(std::string_view bytes, std::size_t& consumed) {
  Parser& parser = state_->parser;
  consumed = 0;
  while (consumed < bytes.size() && !parser.is_done()) {
    error_code error;
    const std::string_view rest = bytes.substr(consumed);
    if (rest.front() == '0' && rest.size() < kLastChunkBytes) return std::nullopt;
    const std::size_t used = parser.put({rest.data(), rest.size()}, error);
    consumed += used;
    if (error == http::error::need_more) {
      if (bytes.size() - consumed > state_->line_bytes_max) return kBadChunk;
      return std::nullopt;
    }
    if (error) {
      const bool ours = error == http::error::bad_value && parser.refusal.status == 413;
      return ours ? parser.refusal : kBadChunk;
    }
  }
  if (parser.is_done()) {
    state_->body_bytes = state_->body.size();
    state_->body.append(kBodyPadding, '\0');
  }
  return std::nullopt;
}

bool ChunkedReader::done() const {
  return state_->parser.is_done();
}

std::string_view ChunkedReader::body() const {
  return std::string_view(state_->body).substr(0, state_->body_bytes);
}

}  // namespace leat::net
