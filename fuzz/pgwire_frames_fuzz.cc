// Bytes from a client: the first packet, typed messages, answers to a login.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "warehouse/pgwire/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(leat::pgwire::parse_first_message(bytes));
  static_cast<void>(leat::pgwire::parse_options(bytes));
  static_cast<void>(leat::pgwire::parse_client_message(bytes.front(), bytes.substr(1)));
  static_cast<void>(leat::pgwire::parse_password(bytes));
  static_cast<void>(leat::pgwire::parse_digest_response(bytes));
  return 0;
}
