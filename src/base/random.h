// Random bytes and the ids made of them. Injected where a test must replay a run.
#pragma once

#include <cstdint>
#include <string>

namespace leat {

/// Source of random 64-bit numbers. One thread at a time unless said otherwise.
class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;
};

/// Cryptographic random numbers of the operating system (OpenSSL's generator). Any thread. Lives
/// for ever.
[[nodiscard]] Random& secure_random();

/// A reproducible sequence (splitmix64). For tests and generated data, never for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  [[nodiscard]] std::uint64_t next() override;
  /// A number in [0, bound); `bound` > 0. The bias is below bound / 2^64.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

/// A version 4 UUID in lower-case text, 36 characters.
[[nodiscard]] std::string uuid4(Random& random);

/// `length` characters of [A-Za-z0-9] (5.95 bits each): passwords and write keys.
[[nodiscard]] std::string random_token(Random& random, std::size_t length);

}  // namespace leat
