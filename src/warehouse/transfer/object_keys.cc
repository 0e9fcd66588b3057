#include "warehouse/transfer/object_keys.h"

#include "base/text.h"

namespace leat::transfer {

using engine::fail_sql;
using engine::SqlResult;

SqlResult<std::optional<ObjectKeys>> object_keys(const sql::Credentials& credentials) {
  ObjectKeys keys{.access_key_id = credentials.access_key_id,
                  .secret_access_key = credentials.secret_access_key,
                  .session_token = credentials.session_token};
  bool has_role = false;
  for (const std::string_view part : split(credentials.credentials, ';')) {
    if (trim(part).empty()) continue;
    const auto equals = part.find('=');
    const std::string_view name = trim(part.substr(0, equals));
    const std::string_view value = equals == std::string_view::npos ? "" : part.substr(equals + 1);
    if (name == "aws_iam_role") {
      if (trim(value).empty()) return fail_sql("42601", "aws_iam_role needs the name of a role");
      has_role = true;
    } else if (name == "aws_access_key_id") {
      keys.access_key_id = value;
    } else if (name == "aws_secret_access_key") {
      keys.secret_access_key = value;
    } else if (name == "token") {
      keys.session_token = value;
    } else if (name != "master_symmetric_key") {
      return fail_sql("42601",
                      "CREDENTIALS takes aws_iam_role, or aws_access_key_id, "
                      "aws_secret_access_key and token, as name=value with ; between");
    }
  }
  const bool has_id = !keys.access_key_id.empty();
  const bool has_secret = !keys.secret_access_key.empty();
  if (has_id != has_secret || (!has_id && !keys.session_token.empty())) {
    return fail_sql("42601", "an access key needs both its id and its secret");
  }
  if (!has_id) return std::nullopt;
  if (has_role) return fail_sql("42601", "conflicting or redundant credentials options");
  return keys;
}

std::vector<std::string> iam_roles(const sql::Credentials& credentials) {
  if (credentials.iam_session) return {"SESSION"};
  if (!credentials.iam_roles.empty()) return credentials.iam_roles;
  for (const std::string_view part : split(credentials.credentials, ';')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || trim(part.substr(0, equals)) != "aws_iam_role")
      continue;
    std::vector<std::string> roles;
    for (const std::string_view role : split(part.substr(equals + 1), ','))
      roles.emplace_back(trim(role));
    return roles;
  }
  const bool keys = !credentials.access_key_id.empty() || !credentials.credentials.empty();
  return keys ? std::vector<std::string>() : std::vector<std::string>{"default"};
}

}  // namespace leat::transfer
