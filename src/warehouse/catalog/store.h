// The catalog's tables in the database file: reading all of it, and writing one object.
#pragma once

#include "warehouse/catalog/catalog.h"

namespace leat::catalog {

/// Makes the store's tables when absent, in the connection's database. Their layout:
/// docs/internals/warehouse.md.
[[nodiscard]] engine::SqlStatus create_store(engine::Connection& connection);
/// Those of users, groups, roles, databases and the grants of IAM's roles.
[[nodiscard]] engine::SqlStatus create_cluster_store(engine::Connection& connection);
/// The same in any other database: views of the schema `store`, in which the tables are.
[[nodiscard]] engine::SqlStatus create_cluster_views(engine::Connection& connection,
                                                     std::string_view store);

/// Reads every object of the connection's database, whose name in the engine is `alias`, as changes
/// against nothing.
[[nodiscard]] engine::SqlResult<Changes> read_store(engine::Connection& connection,
                                                    const std::string& alias);
/// Adds the marks of columns that hold blanks at the ends of texts. Looks at every text of a file
/// that an older version wrote, once.
[[nodiscard]] engine::SqlStatus read_blanks(engine::Connection& connection, Changes& changes);
/// Adds users, groups, roles, databases and the grants of IAM's roles.
[[nodiscard]] engine::SqlStatus read_cluster(engine::Connection& connection, Changes& changes);

// Write one object's new version; `before` is the one the store holds, null when it is new.
// `store`: the schema of the cluster's tables, as SQL text.
[[nodiscard]] engine::SqlStatus write_user(engine::Connection& connection, std::string_view store,
                                           const User& user);
[[nodiscard]] engine::SqlStatus write_group(engine::Connection& connection, std::string_view store,
                                            const Group& group);
[[nodiscard]] engine::SqlStatus write_role(engine::Connection& connection, std::string_view store,
                                           const Role& role);
[[nodiscard]] engine::SqlStatus write_database(engine::Connection& connection,
                                               std::string_view store, const Database& database);
[[nodiscard]] engine::SqlStatus write_iam_grants(engine::Connection& connection,
                                                 std::string_view store, const IamGrants& grants);
[[nodiscard]] engine::SqlStatus write_schema(engine::Connection& connection, const Schema& schema);
[[nodiscard]] engine::SqlStatus write_standing(engine::Connection& connection,
                                               const StandingPrivileges& standing);
[[nodiscard]] engine::SqlStatus write_function(engine::Connection& connection,
                                               const Function& function);
[[nodiscard]] engine::SqlStatus write_relation(engine::Connection& connection,
                                               const Relation& relation, const Relation* before);

[[nodiscard]] engine::SqlStatus write_blanks(engine::Connection& connection, Oid relation,
                                             const std::vector<std::int16_t>& columns);

[[nodiscard]] engine::SqlStatus erase_user(engine::Connection& connection, std::string_view store,
                                           std::int32_t id);
[[nodiscard]] engine::SqlStatus erase_group(engine::Connection& connection, std::string_view store,
                                            std::int32_t id);
[[nodiscard]] engine::SqlStatus erase_role(engine::Connection& connection, std::string_view store,
                                           std::int32_t id);
[[nodiscard]] engine::SqlStatus erase_database(engine::Connection& connection,
                                               std::string_view store, Oid oid);
[[nodiscard]] engine::SqlStatus erase_schema(engine::Connection& connection, Oid oid);
[[nodiscard]] engine::SqlStatus erase_function(engine::Connection& connection, Oid oid);
[[nodiscard]] engine::SqlStatus erase_relation(engine::Connection& connection, Oid oid);

}  // namespace leat::catalog
