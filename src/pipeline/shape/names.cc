#include "pipeline/shape/names.h"

#include <algorithm>
#include <array>

#include "base/digest.h"
#include "pipeline/shape/shaper.h"

namespace leat::shape {
namespace {

// Amazon Redshift Database Developer Guide, "Reserved words"; sorted.
constexpr std::array<std::string_view, 159> kReservedWords = {
    "aes128",
    "aes256",
    "all",
    "allowoverwrite",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "authorization",
    "az64",
    "backup",
    "between",
    "binary",
    "blanksasnull",
    "both",
    "bytedict",
    "bzip2",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "connect",
    "constraint",
    "create",
    "credentials",
    "cross",
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "current_user_id",
    "default",
    "deferrable",
    "deflate",
    "defrag",
    "delta",
    "delta32k",
    "desc",
    "disable",
    "distinct",
    "do",
    "else",
    "emptyasnull",
    "enable",
    "encode",
    "encrypt",
    "encryption",
    "end",
    "except",
    "explicit",
    "false",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "globaldict256",
    "globaldict64k",
    "grant",
    "group",
    "gzip",
    "having",
    "identity",
    "ignore",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "language",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "lun",
    "luns",
    "lzo",
    "lzop",
    "minus",
    "mostly16",
    "mostly32",
    "mostly8",
    "natural",
    "new",
    "not",
    "notnull",
    "null",
    "nulls",
    "off",
    "offline",
    "offset",
    "oid",
    "old",
    "on",
    "only",
    "open",
    "or",
    "order",
    "outer",
    "overlaps",
    "parallel",
    "partition",
    "percent",
    "permissions",
    "pivot",
    "placing",
    "primary",
    "raw",
    "readratio",
    "recover",
    "references",
    "rejectlog",
    "resort",
    "respect",
    "restore",
    "right",
    "select",
    "session_user",
    "similar",
    "snapshot",
    "some",
    "start",
    "sysdate",
    "system",
    "table",
    "tag",
    "tdes",
    "text255",
    "text32k",
    "then",
    "timestamp",
    "to",
    "top",
    "trailing",
    "true",
    "truncatecolumns",
    "union",
    "unique",
    "unnest",
    "unpivot",
    "user",
    "using",
    "verbose",
    "wallet",
    "when",
    "where",
    "with",
    "without",
};

constexpr std::array<std::string_view, 9> kFixedTables = {"accounts",   "aliases",     "groups",
                                                          "identifies", "leat_rescue", "pages",
                                                          "screens",    "tracks",      "users"};

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_separator(char c) {
  return !is_upper(c) && !is_lower(c) && !is_digit(c);
}

/// Appends the longest run of capitals and digits in lower case, then the longest run of small
/// letters and digits.
std::size_t append_word(std::string& out, std::string_view text, std::size_t at) {
  while (at < text.size() && (is_upper(text[at]) || is_digit(text[at]))) {
    const char c = text[at++];
    out.push_back(is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c);
  }
  while (at < text.size() && (is_lower(text[at]) || is_digit(text[at]))) out.push_back(text[at++]);
  return at;
}

std::string hash8(std::string_view text) {
  return to_hex(sha256(text)).substr(0, 8);
}

bool is_standard_column(event::EventType type, std::string_view name) {
  using event::EventType;
  static constexpr std::array<std::string_view, 10> kEverywhere = {
      "id",           "received_at", "uuid",    "uuid_ts",   "loaded_at",
      "anonymous_id", "user_id",     "sent_at", "timestamp", "original_timestamp"};
  if (std::ranges::find(kEverywhere, name) != kEverywhere.end()) return true;
  if (type == EventType::kTrack) return name == "event" || name == "event_text";
  if (type == EventType::kGroup) return name == "group_id";
  return type == EventType::kAlias && name == "previous_id";
}

/// Rules 3, 4 and 7 for a name that is already in snake case.
std::string finish_name(std::string name, std::string_view raw) {
  if (name.empty()) return "_u_" + hash8(raw);
  if (is_digit(name[0]) || is_reserved_word(name)) name.insert(name.begin(), '_');
  if (name.size() > kNameBytesMax) {
    name.resize(kNameBytesMax - 9);
    name += '_';
    name += hash8(raw);
  }
  return name;
}

}  // namespace

std::string snake_case(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  // Phase 1: what is snake case already stays.
  std::size_t at = 0;
  bool saw_lower = false;
  bool saw_underscore = false;
  bool lower_since_underscore = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '_') {
      const bool is_inner = at > 0 && at + 1 < text.size();
      if (!is_inner || !(is_lower(text[at + 1]) || is_digit(text[at + 1]))) break;
      saw_underscore = true;
      lower_since_underscore = false;
    } else if (is_lower(c)) {
      saw_lower = true;
      lower_since_underscore = saw_underscore;
    } else if (!is_digit(c)) {
      break;
    }
  }
  out.append(text.substr(0, at));
  if (at == text.size()) return out;
  // Phase 2: a word in capitals that starts right after digits joins them.
  if (is_upper(text[at]) && (!saw_lower || (saw_underscore && !lower_since_underscore))) {
    at = append_word(out, text, at);
  }
  // Phase 3: word by word.
  for (;;) {
    while (at < text.size() && is_separator(text[at])) ++at;
    if (at == text.size()) return out;
    if (!out.empty()) out.push_back('_');
    at = append_word(out, text, at);
  }
}

bool is_reserved_word(std::string_view word) {
  return std::ranges::binary_search(kReservedWords, word);
}

std::string identifier_of(std::string_view text) {
  return finish_name(snake_case(text), text);
}

std::string schema_name_of(std::string_view source) {
  return identifier_of(source);
}

bool is_fixed_table(std::string_view name) {
  return std::ranges::find(kFixedTables, name) != kFixedTables.end();
}

bool is_standard_column_name(std::string_view name) {
  using event::EventType;
  constexpr std::array kTypes = {EventType::kTrack, EventType::kGroup, EventType::kAlias};
  return std::ranges::any_of(kTypes,
                             [&](EventType type) { return is_standard_column(type, name); });
}

bool is_common_column_name(std::string_view name) {
  return is_standard_column(event::EventType::kNone, name);
}

bool is_hashed_name(std::string_view name) {
  return name.size() == 11 && name.starts_with("_u_") &&
         name.find_first_not_of("0123456789abcdef", 3) == std::string_view::npos;
}

std::string event_table_of(std::string_view event_name, std::span<const std::string> taken) {
  std::string name = identifier_of(event_name);
  const bool is_taken = is_fixed_table(name) || std::ranges::find(taken, name) != taken.end();
  if (is_taken) name.insert(name.begin(), '_');
  return name;
}

std::string column_name_of(Scope scope, event::EventType type,
                           std::span<const std::string_view> path) {
  std::string raw = scope == Scope::kContext ? "context" : "";
  for (const std::string_view key : path) {
    if (!raw.empty() || &key != path.data()) raw.push_back('_');
    raw += key;
  }
  std::string name = snake_case(raw);
  const bool is_own = scope != Scope::kContext;
  if (is_own && (is_standard_column(type, name) || name.starts_with("context_"))) {
    name.insert(name.begin(), '_');
    if (name.size() <= kNameBytesMax) return name;
  }
  return finish_name(std::move(name), raw);
}

std::string name_beside(std::string_view column, std::string_view suffix) {
  std::string name(column);
  if (name.size() + suffix.size() > kNameBytesMax) {
    name.resize(kNameBytesMax - suffix.size() - 9);
    name += '_';
    name += hash8(column);
  }
  return name.append(suffix);
}

}  // namespace leat::shape
