// Users and groups.
#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "base/text.h"
#include "warehouse/catalog/password.h"
#include "warehouse/session/rights_support.h"
#include "warehouse/sql/datetime.h"

namespace leat::session {

SqlStatus check_new_name(const SessionState& session, catalog::GranteeKind kind,
                         const std::string& name) {
  using catalog::GranteeKind;
  const std::string_view what = kind == GranteeKind::kUser    ? "user"
                                : kind == GranteeKind::kGroup ? "group"
                                                              : "role";
  if (name == "public" || name == "rdsdb" ||
      (kind == GranteeKind::kRole && name.starts_with("sys:"))) {
    return engine::fail_sql("42939", fmt::format("{} name \"{}\" is reserved", what, name), {},
                            "Choose another name.");
  }
  struct Taken {
    std::string_view by;
    bool is;
  };
  const Taken all[] = {
      {"user", session.catalog.user(name) != nullptr},
      {"group", kind != GranteeKind::kRole && session.catalog.group(name) != nullptr},
      {"role", kind != GranteeKind::kGroup && session.catalog.role(name) != nullptr}};
  for (const Taken& taken : all) {
    if (taken.is)
      return engine::fail_sql("42710", fmt::format("{} \"{}\" already exists", taken.by, name));
  }
  return {};
}

namespace {

using catalog::Group;
using catalog::User;

Random& random_of(const SessionState& session) {
  Random* random = session.shared->options.random;
  return random == nullptr ? secure_random() : *random;
}

/// ALTER USER ... SET and RESET: what the user's next sessions begin with.
SqlStatus change_settings(User& user, const sql::AlterUserStatement& statement) {
  if (statement.reset && statement.reset->name == "all") {
    user.settings.clear();
  } else if (statement.reset) {
    user.settings.erase(statement.reset->name);
  }
  if (!statement.set) return {};
  const std::string& name = statement.set->name;
  if (statement.set->to_default) {
    user.settings.erase(name);
    return {};
  }
  const std::string value = setting_text(*statement.set);
  Settings trial;
  LEAT_TRY(trial.set(name, value));
  if (value.find('\n') != std::string::npos)
    return engine::fail_sql("22023", "a setting of a user may not hold a line feed");
  user.settings[name] = value;
  return {};
}

SqlStatus apply_options(const SessionState& session, User& user, const sql::UserOptions& options) {
  if (options.password)
    LEAT_TRY(catalog::set_password(user, *options.password, true, random_of(session)));
  if (options.password_disable) {
    user.password_disabled = true;
    user.md5_hex.clear();
    user.sha256_digest.clear();
    user.sha256_salt.clear();
  }
  if (user.password_disabled && options.create_user.value_or(user.superuser) &&
      (options.password_disable || options.create_user)) {
    return engine::fail_sql("42601", "the password of a superuser cannot be disabled");
  }
  if (options.create_database) user.create_database = *options.create_database;
  if (options.create_user) user.superuser = *options.create_user;
  if (options.syslog_unrestricted) user.unrestricted_log = *options.syslog_unrestricted;
  if (options.connection_limit) user.connection_limit = *options.connection_limit;
  if (options.valid_until) {
    user.valid_until = *options.valid_until;
    const auto normal = sql::normal_timestamp(*options.valid_until);
    user.valid_until_time = parse_iso8601(normal.value_or(*options.valid_until));
    const std::string word = to_lower(*options.valid_until);
    if (word == "infinity") {
      user.valid_until.clear();
    } else if (!user.valid_until_time) {
      return engine::fail_sql(
          "22007", "invalid input syntax for VALID UNTIL: \"" + *options.valid_until + "\"", {},
          "Write YYYY-MM-DD or YYYY-MM-DD HH:MM:SS.");
    }
  }
  if (options.session_timeout) {
    constexpr std::int64_t kLeast = 60;
    constexpr std::int64_t kMost = 20 * 86'400;
    const std::int64_t seconds = *options.session_timeout;
    if (seconds != 0 && (seconds < kLeast || seconds > kMost)) {
      return engine::fail_sql(
          "22023", fmt::format("SESSION TIMEOUT must be between {} and {} seconds", kLeast, kMost));
    }
    user.session_timeout_s = seconds;
  }
  if (!options.external_id.empty()) user.external_id = options.external_id;
  if (!user.external_id.empty() && !user.password_disabled) {
    return engine::fail_sql("42601", "a user with EXTERNALID may have no password", {},
                            "Add PASSWORD DISABLE: the identity provider knows the user.");
  }
  return {};
}

SqlStatus change_members(SessionState& session, Group& group, const std::vector<std::string>& names,
                         bool add) {
  for (const std::string& name : names) {
    const catalog::UserPointer user = session.catalog.user(name);
    if (user == nullptr) return no_user(name);
    std::erase(group.members, user->id);
    if (add) group.members.push_back(user->id);
  }
  return {};
}

bool owns_something_in(const catalog::CatalogSession& in, std::int32_t id) {
  for (const auto& schema : in.schemas()) {
    if (schema->owner == id) return true;
  }
  for (const auto& function : in.functions()) {
    if (function->owner == id) return true;
  }
  for (const auto& relation : in.relations(0)) {
    if (relation->owner == id) return true;
  }
  return false;
}

bool owns_something(const SessionState& session, std::int32_t id) {
  for (const auto& database : session.catalog.databases()) {
    if (database->owner == id) return true;
  }
  for (const auto& role : session.catalog.roles()) {
    if (role->owner == id) return true;
  }
  return owns_something_in(session.catalog, id);
}

/// Of the user's objects and privileges in other databases, which cannot be changed from here.
SqlStatus check_other_databases(const SessionState& session, const catalog::User& user) {
  std::string owns;
  session.facts().each_other([&](const std::string& name, const catalog::CatalogSession& other) {
    if (owns.empty() && owns_something_in(other, user.id)) owns = name;
  });
  if (!owns.empty()) {
    return engine::fail_sql("55006",
                            fmt::format("user \"{}\" can't be dropped because the user owns some "
                                        "object in database {}",
                                        user.name, owns));
  }
  const std::string granted = database_with_grants(session, catalog::GranteeKind::kUser, user.id);
  if (granted.empty()) return {};
  return engine::fail_sql("55006",
                          fmt::format("user \"{}\" can't be dropped because the user has a "
                                      "privilege on some object in database {}",
                                      user.name, granted));
}

SqlStatus drop_user(SessionState& session, const catalog::UserPointer& user) {
  if (user->id == session.user_id)
    return engine::fail_sql("55006", "current user cannot be dropped");
  if (user->superuser) LEAT_TRY(session.require_superuser("drop superusers"));
  if (owns_something(session, user->id)) {
    return engine::fail_sql(
        "55006",
        fmt::format("user \"{}\" can't be dropped because the user owns some object", user->name));
  }
  if (has_grants(session, catalog::GranteeKind::kUser, user->id)) {
    return engine::fail_sql(
        "55006",
        fmt::format("user \"{}\" can't be dropped because the user has a privilege on some object",
                    user->name));
  }
  LEAT_TRY(check_other_databases(session, *user));
  LEAT_TRY(forget_grantee(session, catalog::GranteeKind::kUser, user->id));
  for (const catalog::GroupPointer& group : session.catalog.groups()) {
    if (std::ranges::find(group->members, user->id) == group->members.end()) continue;
    Group changed = *group;
    std::erase(changed.members, user->id);
    LEAT_TRY(session.catalog.put(std::move(changed)));
  }
  session.shared->temporary_passwords.forget(user->name);
  return session.catalog.drop_user(user->id);
}

/// What a superuser alone can give, whatever privileges of the system somebody else holds.
SqlStatus check_powers(const SessionState& session, const sql::UserOptions& options) {
  if (options.create_user.value_or(false)) LEAT_TRY(session.require_superuser("create superusers"));
  if (options.syslog_unrestricted.value_or(false))
    LEAT_TRY(session.require_superuser("give SYSLOG ACCESS UNRESTRICTED"));
  return {};
}

}  // namespace

SqlStatus SessionState::run_create_user(Running&, const sql::CreateUserStatement& statement) {
  LEAT_TRY(require_system_privilege("create user", "create users"));
  LEAT_TRY(check_powers(*this, statement.options));
  if (!statement.options.in_groups.empty()) LEAT_TRY(require_superuser("alter groups"));
  LEAT_TRY(lock_table("pg_user", statement.name));
  LEAT_TRY(check_new_name(*this, catalog::GranteeKind::kUser, statement.name));
  if (!statement.options.password && !statement.options.password_disable) {
    return engine::fail_sql("42601", "CREATE USER needs PASSWORD '...' or PASSWORD DISABLE");
  }
  User made;
  made.id = catalog.catalog().new_user_id();
  made.name = statement.name;
  LEAT_TRY(apply_options(*this, made, statement.options));
  LEAT_TRY(open_engine());
  const std::int32_t made_id = made.id;
  LEAT_TRY(catalog.put(std::move(made)));
  for (const std::string& name : statement.options.in_groups) {
    const catalog::GroupPointer group = catalog.group(name);
    if (group == nullptr) return engine::fail_sql("42704", "group \"" + name + "\" does not exist");
    Group changed = *group;
    changed.members.push_back(made_id);
    LEAT_TRY(catalog.put(std::move(changed)));
  }
  return {};
}

SqlStatus SessionState::run_alter_user(Running&, const sql::AlterUserStatement& statement) {
  const catalog::UserPointer user_before = catalog.user(statement.name);
  if (user_before == nullptr) return no_user(statement.name);
  const bool own_matter = statement.options.password || statement.set || statement.reset;
  const bool own_change =
      user_before->id == user_id && own_matter && statement.rename_to.empty() &&
      !statement.options.create_user && !statement.options.create_database &&
      !statement.options.valid_until && !statement.options.connection_limit &&
      !statement.options.syslog_unrestricted && !statement.options.session_timeout &&
      !statement.options.password_disable && statement.options.external_id.empty();
  if (!own_change) LEAT_TRY(require_system_privilege("alter user", "alter users"));
  // Nor may one's own powers grow by the privilege to alter users.
  LEAT_TRY(check_powers(*this, statement.options));
  if (user_before->superuser && !own_change) LEAT_TRY(require_superuser("alter superusers"));
  User changed = *user_before;
  LEAT_TRY(change_settings(changed, statement));
  if (!statement.rename_to.empty()) {
    LEAT_TRY(check_new_name(*this, catalog::GranteeKind::kUser, statement.rename_to));
    shared->temporary_passwords.forget(changed.name);
    changed.name = statement.rename_to;
    changed.md5_hex.clear();  // it holds the old name
  }
  LEAT_TRY(apply_options(*this, changed, statement.options));
  LEAT_TRY(open_engine());
  return catalog.put(std::move(changed));
}

SqlStatus SessionState::run_create_group(Running&, const sql::CreateGroupStatement& statement) {
  LEAT_TRY(require_superuser("create groups"));
  LEAT_TRY(lock_table("pg_user", statement.name));
  LEAT_TRY(check_new_name(*this, catalog::GranteeKind::kGroup, statement.name));
  Group group;
  group.id = catalog.catalog().new_user_id();
  group.name = statement.name;
  LEAT_TRY(change_members(*this, group, statement.users, true));
  LEAT_TRY(open_engine());
  return catalog.put(std::move(group));
}

SqlStatus SessionState::run_alter_group(Running&, const sql::AlterGroupStatement& statement) {
  LEAT_TRY(require_superuser("alter groups"));
  const catalog::GroupPointer group = catalog.group(statement.name);
  if (group == nullptr)
    return engine::fail_sql("42704", "group \"" + statement.name + "\" does not exist");
  Group changed = *group;
  if (!statement.rename_to.empty()) {
    LEAT_TRY(check_new_name(*this, catalog::GranteeKind::kGroup, statement.rename_to));
    changed.name = statement.rename_to;
  }
  LEAT_TRY(change_members(*this, changed, statement.users, statement.add));
  LEAT_TRY(open_engine());
  return catalog.put(std::move(changed));
}

SqlStatus SessionState::drop_people(Running& running, const sql::DropStatement& statement) {
  const bool users = statement.kind == sql::ObjectKind::kUser;
  if (users) {
    LEAT_TRY(require_system_privilege("drop user", "drop users"));
  } else {
    LEAT_TRY(require_superuser("drop groups"));
  }
  LEAT_TRY(open_engine());
  for (const sql::QualifiedName& qualified : statement.names) {
    const std::string name(qualified.name());
    const catalog::UserPointer found_user = users ? catalog.user(name) : nullptr;
    const catalog::GroupPointer found_group = users ? nullptr : catalog.group(name);
    if (found_user == nullptr && found_group == nullptr) {
      const std::string text =
          fmt::format("{} \"{}\" does not exist", users ? "user" : "group", name);
      if (!statement.if_exists) return engine::fail_sql("42704", text);
      running.sink.on_notice(Severity::kInfo, "00000", text + " and will be skipped");
      continue;
    }
    if (users) {
      if (found_user->superuser) LEAT_TRY(require_superuser("drop superusers"));
      LEAT_TRY(drop_user(*this, found_user));
    } else {
      if (has_grants(*this, catalog::GranteeKind::kGroup, found_group->id)) {
        return engine::fail_sql("55006",
                                fmt::format("group \"{}\" has a privilege on some object", name));
      }
      LEAT_TRY(forget_grantee(*this, catalog::GranteeKind::kGroup, found_group->id));
      LEAT_TRY(catalog.drop_group(found_group->id));
    }
  }
  return {};
}

}  // namespace leat::session
