#include "net/address.h"

#include <gtest/gtest.h>

namespace leat::net {
namespace {

TEST(IpAddress, ReadsAndPrints) {
  struct Case {
    const char* text;
    const char* printed;  // nullptr: refused
    bool v4;
  };
  const Case cases[] = {
      {"203.0.113.9", "203.0.113.9", true},
      {"::ffff:203.0.113.9", "203.0.113.9", true},
      {"2001:DB8::1", "2001:db8::1", false},
      {"::", "::", false},
      {"1.2.3", nullptr, false},
      {"1.2.3.256", nullptr, false},
      {" 1.2.3.4", nullptr, false},
      {"", nullptr, false},
      {"localhost", nullptr, false},
  };
  for (const Case& c : cases) {
    const auto address = parse_ip_address(c.text);
    ASSERT_EQ(address.has_value(), c.printed != nullptr) << c.text;
    if (!address) continue;
    EXPECT_EQ(address->to_string(), c.printed);
    EXPECT_EQ(address->is_v4(), c.v4) << c.text;
  }
  EXPECT_FALSE(parse_ip_address(std::string_view("1.2.3.4\0x", 9)));
}

TEST(IpNetwork, ContainsItsAddresses) {
  struct Case {
    const char* network;
    const char* address;
    bool inside;
  };
  const Case cases[] = {
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"10.0.0.0/8", "2001:db8::1", false},
      {"192.168.1.128/25", "192.168.1.200", true},
      {"192.168.1.128/25", "192.168.1.100", false},
      {"127.0.0.1", "127.0.0.1", true},
      {"127.0.0.1", "127.0.0.2", false},
      {"0.0.0.0/0", "8.8.8.8", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"2001:db8::/32", "2001:db8:ffff::1", true},
      {"2001:db8::/33", "2001:db8:ffff::1", false},
      {"::/0", "8.8.8.8", true},
  };
  for (const Case& c : cases) {
    const auto network = parse_ip_network(c.network);
    ASSERT_TRUE(network) << c.network;
    EXPECT_EQ(network->contains(*parse_ip_address(c.address)), c.inside)
        << c.network << " " << c.address;
  }
  for (const char* bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "x/8", "::/129", "/8"}) {
    EXPECT_FALSE(parse_ip_network(bad)) << bad;
  }
}

TEST(Endpoint, ReadsAndPrints) {
  for (const char* good :
       {"127.0.0.1:8080", "localhost:0", "[::1]:5439", "leat.example.com:65535"}) {
    const auto endpoint = parse_endpoint(good);
    ASSERT_TRUE(endpoint) << good;
    EXPECT_EQ(endpoint->to_string(), good);
  }
  for (const char* bad : {"", "8080", ":8080", "host:", "host:65536", "host:-1", "::1:80", "[]:80",
                          "a b:80", "http://host:80", "host:80x"}) {
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
  }
}

}  // namespace
}  // namespace leat::net
