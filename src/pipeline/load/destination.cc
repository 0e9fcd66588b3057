#include "pipeline/load/destination.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace leat::load {
namespace {

struct StateRule {
  std::string_view prefix;  // of the SQLSTATE
  FailureKind kind;
};

// Longer prefixes first.
constexpr std::array<StateRule, 29> kStateRules = {{
    {"57014", FailureKind::kTimeout},       {"53100", FailureKind::kDiskFull},
    {"40001", FailureKind::kSerialization}, {"40P01", FailureKind::kSerialization},
    {"42501", FailureKind::kPermission},    {"3D000", FailureKind::kLoginRefused},
    {"3F000", FailureKind::kObjectMissing}, {"42P01", FailureKind::kObjectMissing},
    {"42703", FailureKind::kObjectMissing}, {"42701", FailureKind::kObjectExists},
    {"42P07", FailureKind::kObjectExists},  {"42P06", FailureKind::kObjectExists},
    {"23505", FailureKind::kObjectExists},  {"42601", FailureKind::kUnsupported},
    {"42883", FailureKind::kUnsupported},   {"57P01", FailureKind::kUnreachable},
    {"57P02", FailureKind::kUnreachable},   {"57P03", FailureKind::kUnreachable},
    {"57P05", FailureKind::kUnreachable},   {"53300", FailureKind::kUnreachable},
    {"25P03", FailureKind::kUnreachable},   {"25P02", FailureKind::kOther},
    {"0A", FailureKind::kUnsupported},      {"08", FailureKind::kUnreachable},
    {"28", FailureKind::kLoginRefused},     {"40", FailureKind::kSerialization},
    {"53", FailureKind::kDiskFull},         {"22", FailureKind::kRowRefused},
    {"23", FailureKind::kRowRefused},
}};

struct TextRule {
  std::string_view part;  // of the message, lower case
  FailureKind kind;
};

// Redshift answers XX000 (or nothing, before login) to most of these; the texts are the documented
// ones.
constexpr std::array<TextRule, 49> kTextRules = {{
    {"resize mode", FailureKind::kUnreachable},
    {"serializable isolation violation", FailureKind::kSerialization},
    {"disk full", FailureKind::kDiskFull},
    {"disk space quota", FailureKind::kDiskFull},
    {"permission denied", FailureKind::kPermission},
    {"must be owner", FailureKind::kPermission},
    {"must be superuser", FailureKind::kPermission},
    {"assumerole permission", FailureKind::kPermission},
    {"s3serviceexception", FailureKind::kStagedFile},
    {"manifest", FailureKind::kStagedFile},
    {"load into table", FailureKind::kRowRefused},
    {"longer than the length defined", FailureKind::kRowRefused},
    {"value too long", FailureKind::kRowRefused},
    {"length exceeds ddl length", FailureKind::kRowRefused},
    {"multibyte character not supported", FailureKind::kRowRefused},
    {"invalid or unsupported utf8", FailureKind::kRowRefused},
    {"cannot insert a null value", FailureKind::kRowRefused},
    {"numeric data overflow", FailureKind::kRowRefused},
    {"value out of range", FailureKind::kRowRefused},
    {"overflow (", FailureKind::kRowRefused},
    {"invalid json format", FailureKind::kRowRefused},
    {"super value exceeds", FailureKind::kRowRefused},
    {"spectrum scan error", FailureKind::kStagedFile},
    {"incompatible parquet schema", FailureKind::kStagedFile},
    {"s3 prefix", FailureKind::kStagedFile},
    {"certificate", FailureKind::kTls},
    {"does not support ssl", FailureKind::kTls},
    {"ssl is not enabled", FailureKind::kTls},
    {"ssl error", FailureKind::kTls},
    {"no encryption", FailureKind::kTls},
    {"authentication failed", FailureKind::kLoginRefused},
    {"no password supplied", FailureKind::kLoginRefused},
    {"authentication method", FailureKind::kLoginRefused},
    {"no pg_hba.conf entry", FailureKind::kLoginRefused},
    {"not permitted to log in", FailureKind::kLoginRefused},
    {"failed logins", FailureKind::kLoginRefused},
    {"role \"", FailureKind::kLoginRefused},
    {"database \"", FailureKind::kLoginRefused},
    {"server closed the connection", FailureKind::kUnreachable},
    {"could not connect", FailureKind::kUnreachable},
    {"connection refused", FailureKind::kUnreachable},
    {"timed out", FailureKind::kUnreachable},
    {"timeout expired", FailureKind::kUnreachable},
    {"could not translate host name", FailureKind::kUnreachable},
    {"connection reset", FailureKind::kUnreachable},
    {"broken pipe", FailureKind::kUnreachable},
    {"could not receive data", FailureKind::kUnreachable},
    {"could not send data", FailureKind::kUnreachable},
    {"no connection to the server", FailureKind::kUnreachable},
}};

// The word after the last occurrence of `before`: the object a server's message names.
std::string word_after(std::string_view message, std::string_view before) {
  const auto at = message.find(before);
  if (at == std::string_view::npos) return {};
  std::string_view rest = message.substr(at + before.size());
  rest = rest.substr(0, rest.find_first_of(" \n\r\t;,"));
  while (!rest.empty() && (rest.front() == '"')) rest.remove_prefix(1);
  while (!rest.empty() && (rest.back() == '"' || rest.back() == '.')) rest.remove_suffix(1);
  return std::string(rest);
}

std::string grant_for(std::string_view message, const DestinationSettings& settings) {
  const std::string user = quote_identifier(settings.user);
  if (message.find("ASSUMEROLE") != std::string_view::npos) {
    return fmt::format("GRANT ASSUMEROLE ON '{}' TO {} FOR COPY", settings.iam_role, user);
  }
  if (message.find("temporary tables") != std::string_view::npos) {
    return fmt::format("GRANT TEMP ON DATABASE {} TO {}", quote_identifier(settings.database),
                       user);
  }
  if (const auto name = word_after(message, "denied for database "); !name.empty()) {
    return fmt::format("GRANT CREATE ON DATABASE {} TO {}", quote_identifier(name), user);
  }
  if (const auto name = word_after(message, "denied for schema "); !name.empty()) {
    return fmt::format("GRANT USAGE, CREATE ON SCHEMA {} TO {}", quote_identifier(name), user);
  }
  for (const std::string_view before : {"denied for relation ", "denied for table "}) {
    if (const auto name = word_after(message, before); !name.empty()) {
      return fmt::format("GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE <schema>.{} TO {}",
                         quote_identifier(name), user);
    }
  }
  for (const std::string_view before : {"owner of relation ", "owner of table "}) {
    if (const auto name = word_after(message, before); !name.empty()) {
      return fmt::format("ALTER TABLE <schema>.{} OWNER TO {}", quote_identifier(name), user);
    }
  }
  return fmt::format("GRANT CREATE ON DATABASE {} TO {}", quote_identifier(settings.database),
                     user);
}

// libpq breaks its texts into lines; a failure is one line of a log. A server that refuses the
// login over TLS and without says so twice.
std::string one_line(std::string_view text) {
  text = trim(text);
  const std::size_t half = text.size() / 2;
  const bool is_twice =
      text.size() % 2 == 1 && text[half] == '\n' && text.substr(0, half) == text.substr(half + 1);
  if (is_twice) text = text.substr(0, half);
  std::string out;
  for (const std::string_view line : split(text, '\n')) {
    if (!out.empty()) out += ' ';
    out += trim(line);
  }
  return out;
}

Errc code_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::kUnreachable:
    case FailureKind::kTimeout:
    case FailureKind::kStopped:
    case FailureKind::kStagedFile:
    case FailureKind::kRowRefused:
    case FailureKind::kOther:
      return Errc::kUnavailable;
    case FailureKind::kTls:
    case FailureKind::kLoginRefused:
    case FailureKind::kPermission:
      return Errc::kDenied;
    case FailureKind::kSerialization:
    case FailureKind::kObjectMissing:
    case FailureKind::kObjectExists:
      return Errc::kAborted;
    case FailureKind::kDiskFull:
      return Errc::kExhausted;
    case FailureKind::kUnsupported:
      return Errc::kUnsupported;
  }
  return Errc::kBug;
}

}  // namespace

std::string_view failure_kind_name(FailureKind kind) {
  switch (kind) {
    case FailureKind::kUnreachable:
      return "unreachable";
    case FailureKind::kTls:
      return "tls";
    case FailureKind::kLoginRefused:
      return "login_refused";
    case FailureKind::kPermission:
      return "permission";
    case FailureKind::kSerialization:
      return "serialization";
    case FailureKind::kDiskFull:
      return "disk_full";
    case FailureKind::kTimeout:
      return "timeout";
    case FailureKind::kStopped:
      return "stopped";
    case FailureKind::kObjectMissing:
      return "object_missing";
    case FailureKind::kObjectExists:
      return "object_exists";
    case FailureKind::kStagedFile:
      return "staged_file";
    case FailureKind::kRowRefused:
      return "row_refused";
    case FailureKind::kUnsupported:
      return "unsupported";
    case FailureKind::kOther:
      return "other";
  }
  return "other";
}

FailureKind classify_failure(std::string_view sqlstate, std::string_view message) {
  const std::string text = to_lower(message);
  // Redshift says 57014 while it resizes; that passes by itself.
  const bool resizing = text.find("resize mode") != std::string::npos;
  // XX000 says nothing, so the text decides.
  if (!sqlstate.empty() && sqlstate != "XX000" && !resizing) {
    for (const StateRule& rule : kStateRules) {
      if (sqlstate.starts_with(rule.prefix)) return rule.kind;
    }
  }
  if (text.starts_with("1023") || text.find(" 1023") != std::string::npos) {
    return FailureKind::kSerialization;
  }
  for (const TextRule& rule : kTextRules) {
    if (text.find(rule.part) != std::string::npos) return rule.kind;
  }
  return FailureKind::kOther;
}

DestinationSettings within(DestinationSettings settings, std::int64_t timeout_ms) {
  settings.connect_timeout_ms = std::min(settings.connect_timeout_ms, timeout_ms);
  settings.statement_timeout_ms = std::min(settings.statement_timeout_ms, timeout_ms);
  return settings;
}

std::string next_step(const DestinationFailure& failure, const DestinationSettings& settings) {
  switch (failure.kind) {
    case FailureKind::kUnreachable:
      return "check that the warehouse runs and that its address, port and firewall let this "
             "machine in; "
             "events wait in the archive and the next sync tries again";
    case FailureKind::kTls:
      return "set sslmode and the CA file of this destination to what the server offers; events "
             "wait in "
             "the archive";
    case FailureKind::kLoginRefused:
      return "set the right user, password and database for this destination; events wait in the "
             "archive";
    case FailureKind::kPermission:
      return fmt::format("as an administrator run: {}; events wait in the archive",
                         grant_for(failure.message, settings));
    case FailureKind::kSerialization:
      return "another transaction was in the way; the load is tried again";
    case FailureKind::kDiskFull:
      return "make room in the warehouse or resize it; events wait in the archive";
    case FailureKind::kTimeout:
      return "see what the warehouse is busy with, or raise the statement timeout of this "
             "destination; "
             "events wait in the archive";
    case FailureKind::kStopped:
      return "the program is stopping; the next start goes on";
    case FailureKind::kObjectMissing:
    case FailureKind::kObjectExists:
      return "the tables changed under the load; the next sync reads them anew";
    case FailureKind::kStagedFile:
      return "check that the warehouse may read the staging bucket (iam_role), then look at "
             "stl_load_errors or sys_load_error_detail; events wait in the archive";
    case FailureKind::kRowRefused:
      return "look at the column that the message names (leat_rescue has the events that were "
             "refused one by one); events wait in the archive";
    case FailureKind::kUnsupported:
      return "check that the destination is Amazon Redshift or Leat's own warehouse";
    case FailureKind::kOther:
      return "events wait in the archive and the next sync tries again";
  }
  return {};
}

std::string what_failed(const DestinationFailure& failure, std::string_view action,
                        const DestinationSettings& settings) {
  std::string message = one_line(failure.message);
  while (message.ends_with('.')) message.pop_back();
  std::string state =
      failure.sqlstate.empty() ? "" : fmt::format(" (SQLSTATE {})", failure.sqlstate);
  return fmt::format("{} failed at destination \"{}\" ({}:{}/{} as {}): {}{}", action,
                     settings.name, settings.host, settings.port, settings.database, settings.user,
                     message, state);
}

Error describe_failure(const DestinationFailure& failure, std::string_view action,
                       const DestinationSettings& settings) {
  return Error{code_of(failure.kind),
               what_failed(failure, action, settings) + "; " + next_step(failure, settings)};
}

void mask(std::string& text, std::string_view secret) {
  constexpr std::string_view kMask = "***";
  if (secret.empty()) return;
  for (std::size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kMask.size())) {
    text.replace(at, secret.size(), kMask);
  }
}

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out += '"';
}

std::string quote_literal(std::string_view text) {
  std::string out = "'";
  bool escaped = false;
  for (const char c : text) {
    if (c == '\\') {
      out += "' || chr(92) || '";
      escaped = true;
      continue;
    }
    if (c == '\'') out += '\'';
    out += c;
  }
  out += '\'';
  return escaped ? fmt::format("({})", out) : out;
}

}  // namespace leat::load
