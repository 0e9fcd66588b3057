// The forms in which passwords are stored and written: clear, md5..., sha256|....
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "warehouse/catalog/model.h"
#include "warehouse/engine/error.h"

namespace leat::catalog {

/// Sets the stored forms of `user` (whose name must be set) from what stands after PASSWORD:
///   clear text                     -> md5 and sha256 forms; must obey Redshift's rules when
///   `check_rules` 'md5' + 32 hex digits          -> md5 form only 'sha256|<clear text>' -> sha256
///   form only 'sha256|<64 hex>|<hex salt>'   -> sha256 form only
/// Errors: 22023 with Redshift's text, such as "Password must contain a number.".
[[nodiscard]] engine::SqlStatus set_password(User& user, std::string_view written, bool check_rules,
                                             Random& random);

/// Compares a clear-text password with any stored form. Takes the same time for every user.
[[nodiscard]] bool password_matches(const User* user, std::string_view password);

}  // namespace leat::catalog
