#include "warehouse/dataapi/access_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "base/random.h"
#include "base/text.h"

namespace leat::dataapi {
namespace {

bool is_id(std::string_view id) {
  return id.size() >= 16 && id.size() <= 128 && std::ranges::all_of(id, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

bool is_secret(std::string_view secret) {
  return secret.size() >= 16 && secret.size() <= 128 &&
         std::ranges::all_of(secret, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split(line, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

}  // namespace

Result<std::vector<AccessKey>> parse_access_keys(std::string_view text) {
  std::vector<AccessKey> keys;
  std::size_t number = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty() || line.starts_with('#')) continue;
    const auto words = words_of(line);
    if (words.size() != 3) {
      return fail(Errc::kInvalid, fmt::format("line {}: an access key is ID SECRET USER", number));
    }
    if (!is_id(words[0])) {
      return fail(Errc::kInvalid,
                  fmt::format("line {}: the ID must be 16 to 128 of [A-Za-z0-9_]", number));
    }
    if (!is_secret(words[1])) {
      return fail(
          Errc::kInvalid,
          fmt::format("line {}: the SECRET must be 16 to 128 printable characters", number));
    }
    if (std::ranges::find(keys, words[0], &AccessKey::id) != keys.end()) {
      return fail(Errc::kInvalid, fmt::format("line {}: the ID is there twice", number));
    }
    keys.push_back({std::string(words[0]), std::string(words[1]), std::string(words[2])});
  }
  return keys;
}

std::string access_keys_text(const std::vector<AccessKey>& keys) {
  std::string text =
      "# Access keys of the Data API, one a line: ID SECRET USER (of the warehouse).\n";
  for (const AccessKey& key : keys) text += fmt::format("{} {} {}\n", key.id, key.secret, key.user);
  return text;
}

AccessKey make_access_key(Random& random, std::string_view user) {
  std::string id = "LEAT";
  for (const char c : random_token(random, 16)) {
    id += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return {.id = std::move(id), .secret = random_token(random, 40), .user = std::string(user)};
}

}  // namespace leat::dataapi
