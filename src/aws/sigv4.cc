#include "aws/sigv4.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/digest.h"
#include "base/text.h"

namespace leat::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// What proxies and HTTP libraries add or change on the way.
constexpr std::array<std::string_view, 12> kNeverSigned = {"authorization",
                                                           "connection",
                                                           "expect",
                                                           "keep-alive",
                                                           "proxy-authenticate",
                                                           "proxy-authorization",
                                                           "te",
                                                           "trailer",
                                                           "transfer-encoding",
                                                           "upgrade",
                                                           "user-agent",
                                                           "x-amzn-trace-id"};

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

// Trimmed, and every run of white space, line folds included, as one space.
void append_collapsed(std::string& out, std::string_view value) {
  bool pending = false;
  bool started = false;
  for (const char c : value) {
    if (is_space(c)) {
      pending = started;
      continue;
    }
    if (pending) out += ' ';
    pending = false;
    started = true;
    out += c;
  }
}

// Without empty and "." parts, ".." taking the part before it away.
std::string normalized_path(std::string_view path) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
      continue;
    }
    parts.push_back(part);
  }
  std::string out;
  for (const std::string_view part : parts) {
    out += '/';
    out += part;
  }
  if (out.empty() || path.ends_with('/')) out += '/';
  return out;
}

std::string canonical_path(std::string_view path, PathRule rule) {
  if (path.empty()) return "/";
  switch (rule) {
    case PathRule::kAsOnTheWire:
      return std::string(path);
    case PathRule::kNormalized:
      return percent_encode(normalized_path(path), true);
    case PathRule::kEncoded:
      return percent_encode(path, true);
  }
  std::unreachable();
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view piece : split(query, '&')) {
    if (piece.empty()) continue;
    const std::size_t equals = piece.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : piece.substr(equals + 1);
    std::string name = percent_encode(percent_decode(piece.substr(0, equals)));
    if (name == "X-Amz-Signature") continue;
    pairs.emplace_back(std::move(name), percent_encode(percent_decode(value)));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out += name;
    out += '=';
    out += value;
  }
  return out;
}

std::string joined(std::span<const std::string> names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += ';';
    out += name;
  }
  return out;
}

std::vector<std::string> names_to_sign(std::span<const HeaderView> headers) {
  std::vector<std::string> names;
  for (const HeaderView& header : headers) {
    std::string name = to_lower(header.name);
    if (std::find(kNeverSigned.begin(), kNeverSigned.end(), name) == kNeverSigned.end()) {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string scope_text(const SigningScope& scope, std::string_view amz_date) {
  return fmt::format("{}/{}/{}/aws4_request", amz_date.substr(0, 8), scope.region, scope.service);
}

std::string signature_of(const Secret& secret, const SigningScope& scope, std::string_view amz_date,
                         std::string_view canonical) {
  return sign_text(
      signing_key(secret.secret_access_key, amz_date.substr(0, 8), scope.region, scope.service),
      string_to_sign(amz_date, scope_text(scope, amz_date), canonical));
}

std::string_view bytes_of(const std::array<std::uint8_t, 32>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

struct Civil {
  CivilDate date;
  std::int64_t day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
};

Civil civil_of(TimeUs time) {
  Civil out;
  std::int64_t seconds = time.value / kUsPerSecond - (time.value % kUsPerSecond < 0 ? 1 : 0);
  constexpr std::int64_t kSecondsPerDay = 86400;
  out.day = seconds / kSecondsPerDay - (seconds % kSecondsPerDay < 0 ? 1 : 0);
  seconds -= out.day * kSecondsPerDay;
  out.date = civil_from_days(out.day);
  out.hour = static_cast<unsigned>(seconds / 3600);
  out.minute = static_cast<unsigned>(seconds / 60 % 60);
  out.second = static_cast<unsigned>(seconds % 60);
  return out;
}

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};

}  // namespace

std::string percent_encode(std::string_view text, bool keep_slash) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    if (is_unreserved(c) || (keep_slash && c == '/')) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string format_amz_date(TimeUs time) {
  const Civil c = civil_of(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.date.year, c.date.month, c.date.day,
                     c.hour, c.minute, c.second);
}

std::optional<TimeUs> parse_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  return parse_iso8601(fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2),
                                   text.substr(6, 2), text.substr(9, 2), text.substr(11, 2),
                                   text.substr(13, 2)));
}

std::string format_http_date(TimeUs time) {
  const Civil c = civil_of(time);
  const auto weekday = static_cast<std::size_t>((c.day % 7 + 7) % 7);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[weekday], c.date.day,
                     kMonths[c.date.month - 1], c.date.year, c.hour, c.minute, c.second);
}

std::optional<TimeUs> parse_http_date(std::string_view text) {
  // "Fri, 20 Nov 2026 14:03:05 GMT": the only form that HTTP allows to be made.
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) {
    return std::nullopt;
  }
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  if (month == kMonths.end()) return std::nullopt;
  return parse_iso8601(fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4),
                                   month - kMonths.begin() + 1, text.substr(5, 2),
                                   text.substr(17, 8)));
}

std::string canonical_request(const RequestToSign& request,
                              std::span<const std::string> signed_names, PathRule path_rule) {
  std::string out =
      fmt::format("{}\n{}\n{}\n", request.method, canonical_path(request.path, path_rule),
                  canonical_query(request.query));
  for (const std::string& name : signed_names) {
    out += name;
    out += ':';
    bool first = true;
    for (const HeaderView& header : request.headers) {
      if (!equal_ignore_case(header.name, name)) continue;
      if (!first) out += ',';
      first = false;
      append_collapsed(out, header.value);
    }
    out += '\n';
  }
  out += '\n';
  out += joined(signed_names);
  out += '\n';
  out += request.payload_hash;
  return out;
}

std::string string_to_sign(std::string_view amz_date, std::string_view scope,
                           std::string_view canonical) {
  return fmt::format("{}\n{}\n{}\n{}", kAlgorithm, amz_date, scope, to_hex(sha256(canonical)));
}

std::string signing_key(std::string_view secret_access_key, std::string_view day,
                        std::string_view region, std::string_view service) {
  auto key = hmac_sha256(fmt::format("AWS4{}", secret_access_key), day);
  key = hmac_sha256(bytes_of(key), region);
  key = hmac_sha256(bytes_of(key), service);
  key = hmac_sha256(bytes_of(key), "aws4_request");
  return std::string(bytes_of(key));
}

std::string sign_text(std::string_view key, std::string_view text) {
  return to_hex(hmac_sha256(key, text));
}

Signature sign_headers(const Secret& secret, const RequestToSign& request,
                       const SigningScope& scope) {
  Signature out;
  out.amz_date = format_amz_date(scope.time);
  std::vector<HeaderView> headers(request.headers.begin(), request.headers.end());
  headers.push_back({"x-amz-date", out.amz_date});
  if (!secret.session_token.empty() && !scope.token_after_signing) {
    headers.push_back({"x-amz-security-token", secret.session_token});
  }
  const std::vector<std::string> names = names_to_sign(headers);
  RequestToSign whole = request;
  whole.headers = headers;
  out.signature =
      signature_of(secret, scope, out.amz_date, canonical_request(whole, names, scope.path_rule));
  out.authorization = fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                                  secret.access_key_id, scope_text(scope, out.amz_date),
                                  joined(names), out.signature);
  return out;
}

std::string presign_query(const Secret& secret, const RequestToSign& request,
                          const SigningScope& scope, std::int64_t expires_s) {
  const std::string amz_date = format_amz_date(scope.time);
  const std::vector<std::string> names = names_to_sign(request.headers);
  std::string query(request.query);
  const auto add = [&query](std::string_view name, std::string_view value) {
    if (!query.empty()) query += '&';
    query += fmt::format("{}={}", name, percent_encode(value));
  };
  add("X-Amz-Algorithm", kAlgorithm);
  add("X-Amz-Credential", fmt::format("{}/{}", secret.access_key_id, scope_text(scope, amz_date)));
  add("X-Amz-Date", amz_date);
  add("X-Amz-Expires", fmt::format("{}", expires_s));
  add("X-Amz-SignedHeaders", joined(names));
  const bool token = !secret.session_token.empty();
  if (token && !scope.token_after_signing) add("X-Amz-Security-Token", secret.session_token);
  RequestToSign whole = request;
  whole.query = query;
  const std::string signature =
      signature_of(secret, scope, amz_date, canonical_request(whole, names, scope.path_rule));
  if (token && scope.token_after_signing) add("X-Amz-Security-Token", secret.session_token);
  add("X-Amz-Signature", signature);
  return query;
}

}  // namespace leat::aws
