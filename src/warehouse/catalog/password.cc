#include "warehouse/catalog/password.h"

#include <algorithm>
#include <optional>

#include "base/digest.h"
#include "base/error.h"

namespace leat::catalog {
namespace {

constexpr std::size_t kSaltBytes = 32;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

int hex_digit(char c) {
  if (c <= '9') return c - '0';
  return (c | 0x20) - 'a' + 10;
}

std::string from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<char>(hex_digit(text[i]) << 4 | hex_digit(text[i + 1])));
  }
  return bytes;
}

template <std::size_t N>
std::string as_text(const std::array<std::uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

std::string salted_digest(std::string_view password, std::string_view salt) {
  return as_text(sha256(std::string(password) + std::string(salt)));
}

std::string random_salt(Random& random) {
  std::string salt;
  while (salt.size() < kSaltBytes) {
    const std::uint64_t bits = random.next();
    for (unsigned shift = 0; shift < 64; shift += 8)
      salt.push_back(static_cast<char>(bits >> shift));
  }
  return salt;
}

std::string md5_form(std::string_view password, std::string_view name) {
  return to_hex(md5(std::string(password) + std::string(name)));
}

engine::SqlStatus check_clear(std::string_view password) {
  const auto has = [&](auto predicate) { return std::ranges::any_of(password, predicate); };
  const char* problem = nullptr;
  if (password.size() < 8) {
    problem = "Password must be at least 8 characters long.";
  } else if (password.size() > 64) {
    problem = "Password must be 64 characters or less in length.";
  } else if (!has([](char c) { return c >= '0' && c <= '9'; })) {
    problem = "Password must contain a number.";
  } else if (!has([](char c) { return c >= 'A' && c <= 'Z'; })) {
    problem = "Password must contain an upper-case letter.";
  } else if (!has([](char c) { return c >= 'a' && c <= 'z'; })) {
    problem = "Password must contain a lower-case letter.";
  } else if (has([](char c) {
               return c < 33 || c > 126 || std::string_view("'\"\\/@").contains(c);
             })) {
    problem = "Password must consist of ASCII characters 33 to 126 other than ' \" \\ / and @.";
  }
  if (problem == nullptr) return {};
  return engine::fail_sql("22023", problem);
}

}  // namespace

engine::SqlStatus set_password(User& user, std::string_view written, bool check_rules,
                               Random& random) {
  user.md5_hex.clear();
  user.sha256_digest.clear();
  user.sha256_salt.clear();
  user.password_disabled = false;
  if (written.size() == 35 && written.starts_with("md5") && is_hex(written.substr(3))) {
    user.md5_hex = written.substr(3);
    std::ranges::transform(user.md5_hex, user.md5_hex.begin(), [](char c) {
      return c >= 'A' && c <= 'F' ? static_cast<char>(c | 0x20) : c;
    });
    return {};
  }
  const bool digest_only = written.starts_with("sha256|");
  std::string_view clear = written;
  if (digest_only) {
    clear.remove_prefix(7);
    const std::size_t bar = clear.find('|');
    if (bar != std::string_view::npos) {
      const std::string_view digest = clear.substr(0, bar);
      const std::string_view salt = clear.substr(bar + 1);
      if (digest.size() != 64 || !is_hex(digest) || salt.empty() || salt.size() % 2 != 0 ||
          !is_hex(salt)) {
        return engine::fail_sql(
            "22023",
            "sha256 password must be sha256|<64 hexadecimal digits>|<salt in hexadecimal>");
      }
      user.sha256_digest = from_hex(digest);
      user.sha256_salt = from_hex(salt);
      return {};
    }
  }
  if (check_rules) {
    if (engine::SqlStatus checked = check_clear(clear); !checked) return checked;
  }
  user.sha256_salt = random_salt(random);
  user.sha256_digest = salted_digest(clear, user.sha256_salt);
  if (!digest_only) user.md5_hex = md5_form(clear, user.name);
  return {};
}

bool password_matches(const User* user, std::string_view password) {
  static const User kNobody = [] {
    User made;
    made.sha256_digest = std::string(32, '\0');
    made.sha256_salt = std::string(kSaltBytes, 's');
    return made;
  }();
  const User& known = user == nullptr ? kNobody : *user;
  const bool by_digest =
      equal_secret(salted_digest(password, known.sha256_salt), known.sha256_digest) &&
      !known.sha256_digest.empty();
  const bool by_md5 =
      equal_secret(md5_form(password, known.name), known.md5_hex) && !known.md5_hex.empty();
  return user != nullptr && !user->password_disabled && (by_digest || by_md5);
}

}  // namespace leat::catalog
