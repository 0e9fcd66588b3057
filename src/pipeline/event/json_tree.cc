#include "pipeline/event/json_tree.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"

namespace leat::event {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Length of the number at the front of `text`, 0 if there is none.
std::size_t number_length(std::string_view text) {
  std::size_t i = 0;
  const auto at = [&](std::size_t k) { return k < text.size() ? text[k] : '\0'; };
  if (at(i) == '-') ++i;
  if (at(i) == '0') {
    ++i;
  } else {
    if (!is_digit(at(i))) return 0;
    while (is_digit(at(i))) ++i;
  }
  if (at(i) == '.') {
    ++i;
    if (!is_digit(at(i))) return 0;
    while (is_digit(at(i))) ++i;
  }
  if (at(i) == 'e' || at(i) == 'E') {
    ++i;
    if (at(i) == '+' || at(i) == '-') ++i;
    if (!is_digit(at(i))) return 0;
    while (is_digit(at(i))) ++i;
  }
  return i;
}

std::optional<std::uint32_t> hex4(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const char c = text[i];
    std::uint32_t digit = 0;
    if (is_digit(c)) {
      digit = static_cast<std::uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<std::uint32_t>(c - 'A' + 10);
    } else {
      return std::nullopt;
    }
    value = value * 16 + digit;
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto push = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    push(code_point);
  } else if (code_point < 0x800) {
    push(0xc0 | (code_point >> 6));
    push(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    push(0xe0 | (code_point >> 12));
    push(0x80 | ((code_point >> 6) & 0x3f));
    push(0x80 | (code_point & 0x3f));
  } else {
    push(0xf0 | (code_point >> 18));
    push(0x80 | ((code_point >> 12) & 0x3f));
    push(0x80 | ((code_point >> 6) & 0x3f));
    push(0x80 | (code_point & 0x3f));
  }
}

/// Decodes the \u escape whose first digit is at `at`, with its second half if it is a pair;
/// returns the position after it, or nothing.
std::optional<std::size_t> decode_unicode(std::string_view inside, std::size_t at, std::string& out,
                                          TextFlaws& flaws) {
  const auto first = hex4(inside, at);
  if (!first) return std::nullopt;
  at += 4;
  std::uint32_t code_point = *first;
  if (code_point >= 0xd800 && code_point < 0xdc00 && inside.substr(at, 2) == "\\u") {
    const auto second = hex4(inside, at + 2);
    if (!second) return std::nullopt;
    if (*second >= 0xdc00 && *second < 0xe000) {
      code_point = 0x10000 + ((code_point - 0xd800) << 10) + (*second - 0xdc00);
      at += 6;
    }
  }
  if (code_point >= 0xd800 && code_point < 0xe000) {
    flaws.has_lone_surrogate = true;
    code_point = 0xfffd;
  }
  if (code_point == 0) flaws.has_nul = true;
  append_utf8(out, code_point);
  return at;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<JsonValue> document() {
    skip_space();
    LEAT_ASSIGN(JsonValue value, this->value(1));
    skip_space();
    if (at_ != text_.size()) return wrong("text after the value");
    return value;
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    return fail(Errc::kInvalid, fmt::format("not valid JSON: {}; byte {}", what, at_));
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Result<JsonValue> value(std::size_t depth) {
    if (depth > kJsonDepthMax) {
      return fail(Errc::kExhausted,
                  fmt::format("JSON nested deeper than {} levels", kJsonDepthMax));
    }
    const std::size_t start = at_;
    JsonValue out;
    switch (peek()) {
      case '{': {
        LEAT_TRY(object(out, depth));
        break;
      }
      case '[': {
        LEAT_TRY(array(out, depth));
        break;
      }
      case '"': {
        out.kind = JsonKind::kString;
        LEAT_TRY(string(out.text, out.flaws));
        break;
      }
      default: {
        LEAT_TRY(scalar(out));
      }
    }
    out.raw = text_.substr(start, at_ - start);
    return out;
  }

  Status scalar(JsonValue& out) {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("true")) {
      out.kind = JsonKind::kBoolean;
      out.boolean = true;
      at_ += 4;
    } else if (rest.starts_with("false")) {
      out.kind = JsonKind::kBoolean;
      at_ += 5;
    } else if (rest.starts_with("null")) {
      at_ += 4;
    } else {
      const std::size_t length = number_length(rest);
      if (length == 0) return wrong("no value here");
      out.kind = JsonKind::kNumber;
      at_ += length;
    }
    return {};
  }

  Status string(std::string& out, TextFlaws& flaws) {
    if (!take('"')) return wrong("a string should start here");
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) return wrong("a string does not end");
    const std::string_view inside = text_.substr(start, at_ - start);
    if (!decode_json_text(inside, out, flaws)) return wrong("bad escape or control character");
    ++at_;
    return {};
  }

  Status object(JsonValue& out, std::size_t depth) {
    out.kind = JsonKind::kObject;
    ++at_;
    skip_space();
    if (take('}')) return {};
    for (;;) {
      skip_space();
      std::string name;
      TextFlaws flaws;
      LEAT_TRY(string(name, flaws));
      skip_space();
      if (!take(':')) return wrong("a colon should stand here");
      skip_space();
      LEAT_ASSIGN(JsonValue member, value(depth + 1));
      out.members.push_back({std::move(name), std::move(member)});
      skip_space();
      if (take('}')) return {};
      if (!take(',')) return wrong("a comma or brace should stand here");
    }
  }

  Status array(JsonValue& out, std::size_t depth) {
    out.kind = JsonKind::kArray;
    ++at_;
    skip_space();
    if (take(']')) return {};
    for (;;) {
      skip_space();
      LEAT_ASSIGN(JsonValue item, value(depth + 1));
      out.items.push_back(std::move(item));
      skip_space();
      if (take(']')) return {};
      if (!take(',')) return wrong("a comma or bracket should stand here");
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->name == name) return &member->value;
  }
  return nullptr;
}

Result<JsonValue> parse_json(std::string_view text) {
  if (!is_utf8(text)) return fail(Errc::kInvalid, "not valid JSON: bytes are not UTF-8");
  return Reader(text).document();
}

bool decode_json_text(std::string_view inside, std::string& out, TextFlaws& flaws) {
  for (std::size_t at = 0; at < inside.size();) {
    const auto c = static_cast<unsigned char>(inside[at]);
    if (c < 0x20 || c == '"') return false;
    if (c != '\\') {
      const std::size_t start = at;
      do {
        ++at;
      } while (at < inside.size() && static_cast<unsigned char>(inside[at]) >= 0x20 &&
               inside[at] != '"' && inside[at] != '\\');
      out.append(inside, start, at - start);
      continue;
    }
    if (at + 1 >= inside.size()) return false;
    const char escape = inside[at + 1];
    at += 2;
    switch (escape) {
      case '"':
      case '\\':
      case '/':
        out.push_back(escape);
        break;
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u': {
        const auto after = decode_unicode(inside, at, out, flaws);
        if (!after) return false;
        at = *after;
        break;
      }
      default:
        return false;
    }
  }
  return true;
}

bool is_json_number(std::string_view token) {
  return !token.empty() && number_length(token) == token.size();
}

}  // namespace leat::event
