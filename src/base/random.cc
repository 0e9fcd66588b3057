#include "base/random.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include "base/check.h"

namespace leat {
namespace {

class SecureRandom final : public Random {
 public:
  [[nodiscard]] std::uint64_t next() override {
    std::uint64_t value = 0;
    // A machine without randomness cannot make a secret: going on would make a weak one.
    LEAT_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value) == 1);
    return value;
  }
};

}  // namespace

Random& secure_random() {
  static SecureRandom random;
  return random;
}

std::uint64_t SeededRandom::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::string uuid4(Random& random) {
  const std::uint64_t high = (random.next() & 0xffffffffffff0fffULL) | 0x0000000000004000ULL;
  const std::uint64_t low = (random.next() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xffff, low >> 48, low & 0xffffffffffffULL);
}

std::string random_token(Random& random, std::size_t length) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string token(length, '\0');
  for (char& c : token) c = kAlphabet[random.next() % (sizeof kAlphabet - 1)];
  return token;
}

}  // namespace leat
