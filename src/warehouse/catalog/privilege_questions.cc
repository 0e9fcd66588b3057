#include "warehouse/catalog/privilege_questions.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/sql/function_table.h"
#include "warehouse/sql/translate.h"

namespace leat::catalog {
namespace {

using engine::fail_sql;
using engine::SqlResult;

/// What somebody may do with an object, and what of it they may pass on.
struct Held {
  std::uint32_t privileges = 0;
  std::uint32_t grantable = 0;
};
/// Nothing: no object has the number that was asked for.
using Answer = SqlResult<std::optional<Held>>;

/// "t", "s.t" or either in double quotes, folded to lower case.
std::pair<std::string, std::string> split_name(std::string_view written) {
  std::array<std::string, 3> parts;
  std::size_t part = 0;
  bool quoted = false;
  for (const char c : written) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && !quoted && part + 1 < parts.size()) {
      ++part;
    } else {
      parts.at(part).push_back(c);
    }
  }
  if (part == 0) return {std::string(), to_lower(parts[0])};
  return {to_lower(parts.at(part - 1)), to_lower(parts.at(part))};
}

/// The privileges on one column, by name or number; empty: on any.
std::uint32_t on_columns(const SessionFacts& facts, const User& user, const Relation& relation,
                         std::string_view wanted) {
  std::uint32_t held = 0;
  for (const Column& column : relation.columns) {
    if (!wanted.empty() && column.name != wanted && std::to_string(column.number) != wanted)
      continue;
    held |= column_privileges(*facts.catalog, user, relation, column.number);
  }
  return held;
}

SqlResult<UserPointer> user_of(const SessionFacts& facts, std::string_view name) {
  if (name.empty()) return facts.catalog->user(facts.user_id);
  if (const auto id = parse_number<std::int32_t>(name)) return facts.catalog->user(*id);
  if (UserPointer user = facts.catalog->user(name)) return user;
  return fail_sql("42704", fmt::format("user \"{}\" does not exist", name));
}

/// Everybody may read system relations.
Answer on_system_relation(std::string_view written) {
  const auto [schema, name] = split_name(written);
  sql::QualifiedName asked;
  if (!schema.empty()) asked.parts.push_back(schema);
  asked.parts.push_back(name);
  if (sql::is_system_relation(asked)) return Held{.privileges = kSelect};
  return fail_sql("42P01", fmt::format("relation \"{}\" does not exist", written));
}

Answer on_relation(const SessionFacts& facts, const User& user, const PrivilegeQuestion& question) {
  const auto oid = parse_number<Oid>(question.object);
  if (oid && *oid < kFirstObjectOid) return Held{.privileges = kSelect};
  const RelationPointer relation =
      oid ? facts.catalog->relation(*oid) : find_relation(facts, question.object);
  if (relation == nullptr && oid) return std::nullopt;
  if (relation == nullptr) return on_system_relation(question.object);
  Held held{.privileges = privileges_on(*facts.catalog, user, *relation),
            .grantable = grantable_privileges(user, relation->owner, relation->acl)};
  if (question.kind == "relation") return held;
  const std::string_view column = question.kind.substr(std::string_view("column:").size());
  const bool is_there =
      column.empty() || std::ranges::any_of(relation->columns, [&](const Column& each) {
        return each.name == column || std::to_string(each.number) == column;
      });
  if (!is_there) {
    return fail_sql("42703", fmt::format("column \"{}\" of relation \"{}\" does not exist", column,
                                         relation->name));
  }
  held.privileges |= on_columns(facts, user, *relation, column);
  return held;
}

Answer on_schema(const SessionFacts& facts, const User& user, std::string_view written) {
  const auto oid = parse_number<Oid>(written);
  const std::string name = to_lower(written);
  if ((oid && *oid < kFirstObjectOid) || name == "pg_catalog" || name == "information_schema") {
    if (!oid || facts.catalog->schema(*oid) == nullptr) return Held{.privileges = kUsage};
  }
  const SchemaPointer schema = oid ? facts.catalog->schema(*oid) : facts.catalog->schema(name);
  if (schema == nullptr && oid) return std::nullopt;
  if (schema == nullptr) {
    return fail_sql("3F000", fmt::format("schema \"{}\" does not exist", written));
  }
  return Held{.privileges = privileges_on(*facts.catalog, user, *schema),
              .grantable = grantable_privileges(user, schema->owner, schema->acl)};
}

Answer on_database(const SessionFacts& facts, const User& user, std::string_view written) {
  const auto oid = parse_number<Oid>(written);
  const DatabasePointer database =
      oid ? facts.catalog->database(*oid) : facts.catalog->database(to_lower(written));
  if (database == nullptr && oid) return std::nullopt;
  if (database == nullptr) {
    return fail_sql("3D000", fmt::format("database \"{}\" does not exist", written));
  }
  return Held{
      .privileges = effective_privileges(*facts.catalog, user, database->owner, database->acl),
      .grantable = grantable_privileges(user, database->owner, database->acl)};
}

struct WrittenFunction {
  std::string schema;  // empty: by the search path
  std::string name;
  std::string signature;
};

/// Reads "f(integer, varchar)" or "s.f(...)".
WrittenFunction read_function(std::string_view written) {
  const std::size_t open = written.find('(');
  auto [schema, name] = split_name(trim(written.substr(0, open)));
  std::string types;
  if (open != std::string_view::npos) {
    for (const std::string_view type :
         split(written.substr(open + 1, written.rfind(')') - open - 1), ',')) {
      if (trim(type).empty()) continue;
      types += (types.empty() ? "" : ", ") + sql::format_type(sql::parse_type_name(trim(type)));
    }
  }
  std::string signature = name + "(" + types + ")";
  return {std::move(schema), std::move(name), std::move(signature)};
}

FunctionPointer find_function(const SessionFacts& facts, const WrittenFunction& wanted) {
  const std::vector<std::string> schemas =
      wanted.schema.empty() ? facts.search_path : std::vector<std::string>{wanted.schema};
  const std::vector<FunctionPointer> all = facts.catalog->functions();
  for (const std::string& schema : schemas) {
    const auto found = std::ranges::find_if(all, [&](const FunctionPointer& each) {
      return each->schema_name == schema && each->signature() == wanted.signature;
    });
    if (found != all.end()) return *found;
  }
  return nullptr;
}

Held held_on_function(const SessionFacts& facts, const User& user, const Function& function) {
  return {.privileges = effective_privileges(*facts.catalog, user, function.owner, function.acl),
          .grantable = grantable_privileges(user, function.owner, function.acl)};
}

/// Everybody may call the functions of the system.
Answer on_function(const SessionFacts& facts, const User& user, std::string_view written) {
  if (const auto oid = parse_number<Oid>(written)) {
    if (*oid < kFirstObjectOid) return Held{.privileges = kExecute};
    for (const FunctionPointer& each : facts.catalog->functions()) {
      if (each->oid == *oid) return held_on_function(facts, user, *each);
    }
    return std::nullopt;
  }
  const WrittenFunction wanted = read_function(written);
  if (const FunctionPointer function = find_function(facts, wanted))
    return held_on_function(facts, user, *function);
  if (!sql::find_function(wanted.name).empty()) return Held{.privileges = kExecute};
  return fail_sql("42883", fmt::format("function {} does not exist", written));
}

/// PG_HAS_ROLE: a user is a member of itself, of its groups and of the roles it holds.
SqlResult<std::optional<bool>> has_role(const SessionFacts& facts, const User& user,
                                        std::string_view written) {
  const std::string name = to_lower(written);
  const UserPointer other = facts.catalog->user(name);
  const auto groups = facts.catalog->groups();
  const auto group = std::ranges::find(groups, name, [](const auto& each) { return each->name; });
  if (other == nullptr && group == groups.end() && facts.catalog->role(name) == nullptr) {
    return fail_sql("42704", fmt::format("role \"{}\" does not exist", written));
  }
  if (user.superuser || (other != nullptr && other->id == user.id)) return true;
  if (group != groups.end() &&
      std::ranges::find((*group)->members, user.id) != (*group)->members.end()) {
    return true;
  }
  return is_member(facts, "user", user.name, name).value_or(false);
}

/// HAS_ASSUMEROLE_PRIVILEGE: the object is an ARN or "default", the privilege a command.
SqlResult<std::optional<bool>> may_assume(const SessionFacts& facts, const User& user,
                                          const PrivilegeQuestion& question) {
  const std::string command = to_lower(trim(question.privileges));
  const auto wanted = iam_commands_from_name(command);
  if (!wanted) {
    return fail_sql("22023", fmt::format("unrecognized command type: \"{}\"", question.privileges),
                    {}, "Commands are COPY, UNLOAD, EXTERNAL FUNCTION, CREATE MODEL and ALL.");
  }
  return (iam_commands(*facts.catalog, user, question.object) & *wanted) == *wanted;
}

Answer held_on(const SessionFacts& facts, const User& user, const PrivilegeQuestion& question) {
  if (question.kind == "schema") return on_schema(facts, user, question.object);
  if (question.kind == "database") return on_database(facts, user, question.object);
  if (question.kind == "function") return on_function(facts, user, question.object);
  return on_relation(facts, user, question);
}

/// The bits of one of the privileges that were asked for; 0 for those of PostgreSQL that nobody
/// has here.
SqlResult<std::uint32_t> bits_of(std::string_view word) {
  constexpr std::array<std::string_view, 2> kOfPostgres = {"rule", "trigger"};
  if (std::ranges::find(kOfPostgres, word) != kOfPostgres.end()) return 0U;
  if (const auto bit = privilege_from_name(word)) return *bit;
  return fail_sql("22023", fmt::format("unrecognized privilege type: \"{}\"", word));
}

}  // namespace

RelationPointer find_relation(const SessionFacts& facts, std::string_view written) {
  const auto [schema, name] = split_name(written);
  if (!schema.empty()) return facts.catalog->relation(schema, name);
  if (RelationPointer temporary = facts.catalog->temporary(name)) return temporary;
  for (const std::string& entry : facts.search_path) {
    if (RelationPointer relation = facts.catalog->relation(entry, name)) return relation;
  }
  return nullptr;
}

/// USER_IS_MEMBER_OF and ROLE_IS_MEMBER_OF; nothing for unknown names.
std::optional<bool> is_member(const SessionFacts& facts, std::string_view kind,
                              std::string_view member, std::string_view role_name) {
  const RolePointer role = facts.catalog->role(to_lower(role_name));
  const bool of_user = kind == "user";
  const UserPointer user = of_user ? facts.catalog->user(member) : nullptr;
  const RolePointer inner = of_user ? nullptr : facts.catalog->role(to_lower(member));
  if (role == nullptr || (user == nullptr && inner == nullptr)) return std::nullopt;
  if (user != nullptr && user->superuser) return true;
  const std::vector<std::int32_t> held =
      roles_of(*facts.catalog, of_user ? GranteeKind::kUser : GranteeKind::kRole,
               of_user ? user->id : inner->id);
  return std::ranges::find(held, role->id) != held.end();
}

SqlResult<std::optional<bool>> has_privilege(const SessionFacts& facts,
                                             const PrivilegeQuestion& question) {
  LEAT_ASSIGN(const UserPointer user, user_of(facts, question.user));
  if (user == nullptr) return std::nullopt;
  if (question.kind == "role") return has_role(facts, *user, question.object);
  if (question.kind == "iam_role") return may_assume(facts, *user, question);
  LEAT_ASSIGN(const std::optional<Held> held, held_on(facts, *user, question));
  if (!held) return std::nullopt;
  bool answer = false;
  for (const std::string_view each : split(question.privileges, ',')) {
    constexpr std::string_view kGrantOption = " with grant option";
    const std::string written = to_lower(trim(each));
    std::string_view word = written;
    const bool to_grant = word.ends_with(kGrantOption);
    if (to_grant) word.remove_suffix(kGrantOption.size());
    // Redshift has no such privilege: everybody may connect. psql asks for it all the same.
    if (question.kind == "database" && trim(word) == "connect") {
      answer = answer || !to_grant;
      continue;
    }
    LEAT_ASSIGN(const std::uint32_t bits, bits_of(trim(word)));
    answer = answer || ((to_grant ? held->grantable : held->privileges) & bits) != 0;
  }
  return answer;
}

}  // namespace leat::catalog
