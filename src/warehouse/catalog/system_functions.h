// The functions behind the system schema that need more than SQL: names, visibility, rights, live
// rows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/catalog/catalog_session.h"
#include "warehouse/engine/database.h"
#include "warehouse/sql/focus.h"

namespace leat::catalog {

/// What system functions ask about the session that runs the statement.
struct SessionFacts {
  const CatalogSession* catalog = nullptr;
  std::int32_t user_id = 0;
  std::vector<std::string> search_path;  ///< Schemas that exist, in order; pg_catalog where the
                                         ///< setting names it.
  std::string database{};
  /// Calls its argument for every other database, with its name.
  std::function<void(const std::function<void(const std::string&, const CatalogSession&)>&)>
      each_other{};
  /// The relations that the running statement asks about; null: perhaps all.
  std::shared_ptr<const sql::CatalogFocus> focus{};
};

/// Implemented by the warehouse. Any thread.
class SystemHost {
 public:
  virtual ~SystemHost() = default;
  /// Calls `use` while session `id` cannot vanish; false when there is no such session.
  virtual bool with_session(std::int64_t id,
                            const std::function<void(const SessionFacts&)>& use) const = 0;
  /// Rows of a live relation (live_relations()) as a JSON array of objects, as session `id` may see
  /// them.
  [[nodiscard]] virtual std::string live_rows(std::string_view relation, std::int64_t id) const = 0;
  /// Cancels, or ends, the session `target` for session `id`: true when it was there and `id` may
  /// do that.
  virtual bool stop_session(std::int64_t id, std::int64_t target, bool terminate) = 0;
};

/// Registers the functions, all named leat_..., and the tables; `host` must outlive the database.
[[nodiscard]] engine::SqlStatus add_system_functions(engine::Database& database, SystemHost& host);

/// Registers the tables alone: leat_list_schemas(session), leat_list_relations(session) and
/// leat_list_columns(session) of the session's database, and leat_list_other_...(session) of all
/// others.
[[nodiscard]] engine::SqlStatus add_system_tables(engine::Database& database, SystemHost& host);

}  // namespace leat::catalog
