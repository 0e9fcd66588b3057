#include "warehouse/catalog/copy_database.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "warehouse/catalog/store.h"
#include "warehouse/catalog/system_schema.h"

namespace leat::catalog {
namespace {

using engine::fail_sql;
using engine::quote_identifier;
using engine::quote_literal;
using engine::SqlResult;
using engine::SqlStatus;
using engine::TextRow;

struct Name {
  std::string schema;
  std::string object;

  [[nodiscard]] std::string quoted() const {
    return quote_identifier(schema) + "." + quote_identifier(object);
  }
  bool operator==(const Name&) const = default;
};

/// The system schemas are made new: they are of the running version.
constexpr std::string_view kKept =
    "NOT internal AND schema_name NOT IN ('leat_system', 'leat_dialect')";

class Copy {
 public:
  Copy(engine::Connection& connection, const DatabaseCopy& copy)
      : connection_(connection),
        from_(quote_literal(copy.from)),
        to_(quote_literal(copy.to)),
        old_(quote_identifier(copy.from) + "."),
        new_(quote_identifier(copy.to) + "."),
        progress_(copy.progress) {}

  SqlStatus make_schemas() {
    LEAT_ASSIGN(const auto rows,
                connection_.query(fmt::format("SELECT schema_name FROM duckdb_schemas() WHERE "
                                              "database_name = {} AND {} ORDER BY oid",
                                              from_, kKept)));
    for (const TextRow& row : rows) {
      const std::string name = row.at(0).value_or("");
      if (name == "main") continue;
      LEAT_TRY(make("CREATE SCHEMA IF NOT EXISTS " + quote_identifier(name), name));
    }
    return {};
  }

  SqlStatus make_sequences() {
    LEAT_ASSIGN(const auto rows,
                connection_.query(fmt::format(
                    "SELECT schema_name, sequence_name, increment_by, min_value, max_value, cycle, "
                    "sql FROM duckdb_sequences() WHERE database_name = {}",
                    from_)));
    for (const TextRow& row : rows) {
      const Name name{row.at(0).value_or(""), row.at(1).value_or("")};
      // Only the text tells the next number.
      const std::string text = row.at(6).value_or("");
      constexpr std::string_view kStart = " START ";
      const std::size_t at = text.rfind(kStart);
      if (at == std::string::npos)
        return fail_sql("XX000", "a sequence is not understood: " + text);
      const std::size_t begin = at + kStart.size();
      LEAT_TRY(make(
          fmt::format("CREATE SEQUENCE {} INCREMENT BY {} MINVALUE {} MAXVALUE {} START "
                      "{} {}",
                      name.quoted(), row.at(2).value_or("1"), row.at(3).value_or("1"),
                      row.at(4).value_or("1"), text.substr(begin, text.find(' ', begin) - begin),
                      row.at(5) == "true" || row.at(5) == "t" ? "CYCLE" : "NO CYCLE"),
          name.quoted()));
    }
    return {};
  }

  SqlStatus make_tables() {
    LEAT_ASSIGN(const auto there, tables(to_));
    LEAT_ASSIGN(const auto wanted, tables(from_));
    for (const auto& [name, definition] : wanted) {
      const auto same = [&](const Definition& made) { return made.first == name; };
      const bool made_here = std::ranges::any_of(there, same);
      // The catalog's own tables may hold first rows.
      LEAT_TRY(make(made_here ? fmt::format("DELETE FROM {}{}", new_, name.quoted()) : definition,
                    name.quoted()));
      LEAT_TRY(make(
          fmt::format("INSERT INTO {0}{2} BY NAME SELECT * FROM {1}{2}", new_, old_, name.quoted()),
          name.quoted()));
      LEAT_TRY(compare(name, made_here));
      if (progress_) progress_(++tables_done_, wanted.size());
    }
    return {};
  }

 private:
  using Definition = std::pair<Name, std::string>;

  SqlResult<std::vector<Definition>> tables(const std::string& database) {
    LEAT_ASSIGN(const auto rows, connection_.query(fmt::format(
                                     "SELECT schema_name, table_name, sql FROM duckdb_tables() "
                                     "WHERE database_name = {} AND {} ORDER BY table_oid",
                                     database, kKept)));
    std::vector<Definition> list;
    for (const TextRow& row : rows) {
      list.emplace_back(Name{row.at(0).value_or(""), row.at(1).value_or("")},
                        row.at(2).value_or(""));
    }
    return list;
  }

  SqlStatus make(const std::string& sql, const std::string& what) {
    auto done = connection_.run(sql);
    if (done) return {};
    engine::SqlError error = std::move(done).error();
    error.message = fmt::format("{}: {}", what, error.message);
    return std::unexpected(std::move(error));
  }

  SqlResult<std::vector<TextRow>> columns(const std::string& database, const Name& name) {
    return connection_.query(fmt::format(
        "SELECT column_name, data_type, is_nullable, column_default FROM duckdb_columns() WHERE "
        "database_name = {} AND schema_name = {} AND table_name = {} ORDER BY column_index",
        database, quote_literal(name.schema), quote_literal(name.object)));
  }

  SqlResult<std::vector<TextRow>> sums(const std::string& prefix, const Name& name,
                                       const std::string& list) {
    return connection_.query(fmt::format(
        "SELECT count(*), sum(CAST(hash(r) AS HUGEINT)) FROM (SELECT {} FROM {}{}) AS r", list,
        prefix, name.quoted()));
  }

  /// `made_here`: a table of the catalog, to which a version of Leat may have added columns.
  SqlStatus compare(const Name& name, bool made_here) {
    LEAT_ASSIGN(const auto wanted, columns(from_, name));
    std::string list;
    for (const TextRow& column : wanted)
      list += (list.empty() ? "" : ", ") + quote_identifier(column.at(0).value_or(""));
    LEAT_ASSIGN(const auto before, sums(old_, name, list));
    LEAT_ASSIGN(const auto after, sums(new_, name, list));
    LEAT_ASSIGN(const auto had, columns(to_, name));
    if (before == after && (made_here || had == wanted)) return {};
    return fail_sql("XX001", name.quoted() + ": the copy is not like the table");
  }

  engine::Connection& connection_;
  const std::string from_;  // as literals
  const std::string to_;
  const std::string old_;  // as prefixes of names
  const std::string new_;
  const std::function<void(std::uint64_t, std::uint64_t)>& progress_;
  std::uint64_t tables_done_ = 0;
};

}  // namespace

SqlStatus copy_database(engine::Connection& connection, const DatabaseCopy& copy) {
  if (auto used = connection.run("USE " + quote_identifier(copy.to)); !used)
    return std::unexpected(std::move(used).error());
  LEAT_TRY(create_store(connection));
  LEAT_TRY(copy.cluster_store.empty() ? create_cluster_store(connection)
                                      : create_cluster_views(connection, copy.cluster_store));
  // Defaults and views call its macros.
  LEAT_TRY(create_system_schema(connection));
  Copy work(connection, copy);
  LEAT_TRY(work.make_schemas());
  LEAT_TRY(work.make_sequences());
  // Bound views are rows of the catalog's tables; the engine's views of older files are not needed.
  return work.make_tables();
}

}  // namespace leat::catalog
