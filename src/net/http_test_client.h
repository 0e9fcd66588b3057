// A plain HTTP client for tests: writes raw requests and reads one answer after the other, so that
// a test sees exactly what is on the wire. Fails the running test when the connection does.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "net/address.h"
#include "net/deadline.h"
#include "net/stream.h"

namespace leat::net {

/// The time limit of one step of a test.
inline Deadline soon() {
  return Deadline::after_us(20'000'000);
}

inline Stream connect(const Endpoint& server) {
  auto stream = Stream::connect(server, soon());
  EXPECT_TRUE(stream);
  return std::move(*stream);
}

inline std::string get(std::string_view target, std::string_view headers = "",
                       std::string_view method = "GET") {
  return fmt::format("{} {} HTTP/1.1\r\nHost: leat.test\r\n{}\r\n", method, target, headers);
}

inline std::string post(std::string_view target, std::string_view body,
                        std::string_view headers = "") {
  return fmt::format("POST {} HTTP/1.1\r\nHost: leat.test\r\nContent-Length: {}\r\n{}\r\n{}",
                     target, body.size(), headers, body);
}

/// Reads one answer: its head, and as many bytes as its Content-Length says.
inline std::string read_answer(Stream& stream) {
  std::string text;
  std::array<char, 1> byte{};
  while (!text.ends_with("\r\n\r\n")) {
    const auto count = stream.read_some(byte, soon());
    if (!count || *count == 0) return text + "<ended>";
    text += byte[0];
  }
  const std::size_t at = text.find("Content-Length: ");
  if (at == std::string::npos) return text;
  const std::string_view length = std::string_view(text).substr(at + 16);
  std::string body(*parse_number<std::size_t>(length.substr(0, length.find('\r'))), '\0');
  EXPECT_TRUE(stream.read_exactly(body, soon()));
  return text + body;
}

/// Reads until the peer closes.
inline std::string read_all(Stream& stream) {
  std::string text;
  std::array<char, 65536> piece{};
  while (true) {
    const auto count = stream.read_some(piece, soon());
    if (!count) return text + "<" + count.error().to_string() + ">";
    if (*count == 0) return text;
    text.append(piece.data(), *count);
  }
}

/// The answer to one request on a connection of its own.
inline std::string ask(const Endpoint& server, std::string_view request) {
  Stream stream = connect(server);
  EXPECT_TRUE(stream.write_all(request, soon()));
  return read_answer(stream);
}

/// Status of an answer; 0 when there is none.
inline int status_of(std::string_view answer) {
  return answer.size() > 12 ? parse_number<int>(answer.substr(9, 3)).value_or(0) : 0;
}

}  // namespace leat::net
