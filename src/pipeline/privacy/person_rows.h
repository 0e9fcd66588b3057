// A person's rows in one source's schema, found and deleted in one transaction that holds the
// ledger's lock.
//
//   BEGIN -> lock ledger -> is this deletion's row there? then it is done -> rescued values and
//   events -> accounts that only the person's calls describe -> every table with user_id or
//   anonymous_id -> users -> raise the ledger's count of deletions -> the deletion's own row ->
//   COMMIT
//
// The raised count makes each load that read the archive before begin again (load_sql.h,
// deletions_row_id); the deletion's row, with its counts, makes doing it again harmless.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "pipeline/event/person.h"
#include "pipeline/load/load_transaction.h"

namespace leat::privacy {

struct RowsRequest {
  std::string deletion_id;
  std::string source;
  std::string schema;
  event::Person person;
  std::string subject_hash;
  std::int64_t events_deleted = 0;  ///< In the archive; for the deletion's row.
  /// Lines of the archive that the person's events were, by batch.
  std::map<std::string, std::vector<std::uint64_t>> lines;
  TimeUs requested_at;
  TimeUs now;
};

/// Rows by table, every table that was looked at.
using TableRows = std::map<std::string, std::int64_t>;

/// Deletes them, or finds that this very deletion has been committed before. Rolls back after an
/// error. `session`: no transaction is open. A schema that is not there has no rows.
[[nodiscard]] load::Step<TableRows> delete_rows(load::Session& session, const RowsRequest& request);
/// Counts them, without a lock.
[[nodiscard]] load::Step<TableRows> count_rows(load::Session& session, const RowsRequest& request);

}  // namespace leat::privacy
