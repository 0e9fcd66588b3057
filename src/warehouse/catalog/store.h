// The catalog's tables in the database file: reading all of it, and writing one object.
#pragma once

#include "warehouse/catalog/catalog.h"

namespace leat::catalog {

/// Makes the store's tables when absent. Their layout: docs/internals/warehouse.md.
[[nodiscard]] engine::SqlStatus create_store(engine::Connection& connection);

/// Reads every object, as changes against nothing.
[[nodiscard]] engine::SqlResult<Changes> read_store(engine::Connection& connection);

// Write one object's new version; `before` is the one the store holds, null when it is new.
[[nodiscard]] engine::SqlStatus write_user(engine::Connection& connection, const User& user);
[[nodiscard]] engine::SqlStatus write_group(engine::Connection& connection, const Group& group);
[[nodiscard]] engine::SqlStatus write_role(engine::Connection& connection, const Role& role);
[[nodiscard]] engine::SqlStatus write_schema(engine::Connection& connection, const Schema& schema);
[[nodiscard]] engine::SqlStatus write_database(engine::Connection& connection,
                                               const Database& database);
[[nodiscard]] engine::SqlStatus write_standing(engine::Connection& connection,
                                               const StandingPrivileges& standing);
[[nodiscard]] engine::SqlStatus write_function(engine::Connection& connection,
                                               const Function& function);
[[nodiscard]] engine::SqlStatus write_relation(engine::Connection& connection,
                                               const Relation& relation, const Relation* before);

[[nodiscard]] engine::SqlStatus erase_user(engine::Connection& connection, std::int32_t id);
[[nodiscard]] engine::SqlStatus erase_group(engine::Connection& connection, std::int32_t id);
[[nodiscard]] engine::SqlStatus erase_role(engine::Connection& connection, std::int32_t id);
[[nodiscard]] engine::SqlStatus erase_schema(engine::Connection& connection, Oid oid);
[[nodiscard]] engine::SqlStatus erase_function(engine::Connection& connection, Oid oid);
[[nodiscard]] engine::SqlStatus erase_relation(engine::Connection& connection, Oid oid);

}  // namespace leat::catalog
