// GRANT and REVOKE of ASSUMEROLE: who may name a role of IAM in COPY and UNLOAD.
#include <fmt/format.h>

#include <algorithm>

#include "warehouse/catalog/rights.h"
#include "warehouse/session/rights_support.h"

namespace leat::session {
namespace {

using catalog::IamGrant;
using catalog::IamGrants;

SqlResult<std::uint32_t> read_commands(const sql::GrantStatement& statement) {
  if (statement.assume_role_for.empty()) {
    return engine::fail_sql("42601", "ASSUMEROLE needs FOR with the commands it is for", {},
                            "Commands are ALL, COPY, UNLOAD, EXTERNAL FUNCTION and CREATE MODEL.");
  }
  std::uint32_t commands = 0;
  for (const std::string& name : statement.assume_role_for) {
    const auto bits = catalog::iam_commands_from_name(name);
    if (!bits) {
      return engine::fail_sql(
          "42601", fmt::format("ASSUMEROLE is not for \"{}\"", name), {},
          "Commands are ALL, COPY, UNLOAD, EXTERNAL FUNCTION and CREATE MODEL.");
    }
    commands |= *bits;
  }
  return commands;
}

/// As it is kept: empty for ALL.
std::string kept_name(const sql::QualifiedName& written) {
  return written.name() == "all" ? std::string() : std::string(written.name());
}

void grant(IamGrants& grants, IamGrant wanted) {
  const auto known = std::ranges::find_if(grants, [&](const IamGrant& each) {
    return each.role == wanted.role && each.kind == wanted.kind && each.grantee == wanted.grantee;
  });
  if (known == grants.end()) {
    grants.push_back(std::move(wanted));
  } else {
    known->commands |= wanted.commands;
  }
}

/// Taken away from ALL, a privilege is taken away from each role as well.
SqlStatus revoke(IamGrants& grants, const IamGrant& wanted) {
  for (IamGrant& each : grants) {
    if (each.kind != wanted.kind || each.grantee != wanted.grantee) continue;
    if (!wanted.role.empty() && each.role.empty() && (each.commands & wanted.commands) != 0) {
      return engine::fail_sql(
          "0LP01",
          fmt::format("cannot revoke ASSUMEROLE on \"{}\" that is held on all roles", wanted.role),
          {}, "Send REVOKE ASSUMEROLE ON ALL first, and grant it on the roles that are meant.");
    }
    if (wanted.role.empty() || each.role == wanted.role) each.commands &= ~wanted.commands;
  }
  std::erase_if(grants, [](const IamGrant& each) { return each.commands == 0; });
  return {};
}

}  // namespace

SqlStatus grant_iam_roles(SessionState& session, const sql::GrantStatement& statement) {
  LEAT_TRY(session.require_superuser("grant ASSUMEROLE"));
  LEAT_ASSIGN(const std::uint32_t commands, read_commands(statement));
  LEAT_TRY(session.lock_table("pg_user", "assumerole"));
  IamGrants grants = *session.catalog.iam_grants();
  for (const sql::QualifiedName& role : statement.objects) {
    for (const sql::Grantee& written : statement.grantees) {
      if (written.with_grant_option || statement.grant_option_for)
        return engine::fail_sql("0LP01", "ASSUMEROLE has no grant option");
      LEAT_ASSIGN(const FoundGrantee grantee, find_grantee(session, written));
      IamGrant wanted{.role = kept_name(role),
                      .kind = grantee.kind,
                      .grantee = grantee.id,
                      .commands = commands};
      if (statement.revoke) {
        LEAT_TRY(revoke(grants, wanted));
      } else {
        grant(grants, std::move(wanted));
      }
    }
  }
  return session.catalog.put(std::move(grants));
}

SqlStatus require_iam_roles(const SessionState& session, const std::vector<std::string>& roles,
                            catalog::IamCommand command) {
  const catalog::UserPointer me = session.user();
  if (me == nullptr) return engine::fail_sql("28000", "the session's user was dropped");
  for (const std::string& role : roles) {
    if ((catalog::iam_commands(session.catalog, *me, role) & command) != 0) continue;
    return engine::fail_sql(
        "42501",
        fmt::format("User {} does not have ASSUMEROLE permission on IAM role \"{}\" for {}",
                    me->name, role, command == catalog::kIamCopy ? "COPY" : "UNLOAD"),
        {},
        fmt::format("A superuser can send GRANT ASSUMEROLE ON {} TO {} FOR {}.",
                    role == "default" ? role : engine::quote_literal(role),
                    engine::quote_identifier(me->name),
                    command == catalog::kIamCopy ? "COPY" : "UNLOAD"));
  }
  return {};
}

SqlStatus forget_iam_grantee(SessionState& session, catalog::GranteeKind kind, std::int32_t id) {
  IamGrants grants = *session.catalog.iam_grants();
  const std::size_t removed = std::erase_if(
      grants, [&](const IamGrant& each) { return each.kind == kind && each.grantee == id; });
  return removed == 0 ? SqlStatus() : session.catalog.put(std::move(grants));
}

}  // namespace leat::session
