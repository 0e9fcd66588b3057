// Whom a COPY or UNLOAD reads and writes objects as: AWS keys, or roles of IAM.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "warehouse/engine/connection.h"
#include "warehouse/sql/ast.h"

namespace leat::transfer {

/// All but the id are secrets.
struct ObjectKeys {
  std::string access_key_id = {};
  std::string secret_access_key = {};
  std::string session_token = {};  ///< Empty: none.
};

/// The keys of ACCESS_KEY_ID ... or of CREDENTIALS 'aws_access_key_id=...;...'; nothing when a role
/// is named. 42601: half of a pair, or a part that CREDENTIALS does not know; the message has no
/// part of it. Pure; any thread.
[[nodiscard]] engine::SqlResult<std::optional<ObjectKeys>> object_keys(
    const sql::Credentials& credentials);

/// The roles of IAM that are named in place of keys, which may be a chain of them: ARNs, "default"
/// (also when nothing is named), "SESSION". Empty beside keys. Pure; any thread.
[[nodiscard]] std::vector<std::string> iam_roles(const sql::Credentials& credentials);

}  // namespace leat::transfer
