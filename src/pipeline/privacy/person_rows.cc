#include "pipeline/privacy/person_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"

namespace leat::privacy {
namespace {

using load::qualified;
using load::quote_identifier;
using load::quote_literal;
using load::Rows;
using load::Session;
using load::Step;

constexpr std::string_view kDeletions = load::kDeletionsTable;
constexpr std::string_view kRescue = "leat_rescue";
// One row for each call of its type: where the event of a rescued value is found.
constexpr std::array<std::string_view, 6> kHomes = {"tracks",  "identifies", "pages",
                                                    "screens", "groups",     "aliases"};
constexpr std::size_t kLinesPerStatement = 500;
constexpr std::size_t kColumnBytes = 512;  // of user_id and anonymous_id

bool is_text(const load::StagedColumn& column) {
  return column.type.find("char") != std::string::npos || column.type == "text";
}

bool has_text(const std::vector<load::StagedColumn>& columns, std::string_view name) {
  const auto found = std::ranges::find(columns, name, &load::StagedColumn::name);
  return found != columns.end() && is_text(*found);
}

std::string create_deletions_sql(std::string_view ledger_schema) {
  return fmt::format(
      R"(CREATE TABLE IF NOT EXISTS {} ("deletion_id" varchar(64) NOT NULL, )"
      R"("source" varchar(512) NOT NULL, "subject_type" varchar(32) NOT NULL, )"
      R"("subject_hash" varchar(64) NOT NULL, "events" bigint NOT NULL, "rows" bigint NOT NULL, )"
      R"("table_rows" varchar(65535) NOT NULL, "requested_at" timestamp NOT NULL, )"
      R"("deleted_at" timestamp NOT NULL))",
      qualified(ledger_schema, kDeletions));
}

// A statement about a table: what to say of which rows.
struct TableRule {
  std::string table;
  std::string condition;
};

class PersonRows {
 public:
  PersonRows(Session& session, const RowsRequest& request)
      : session_(session),
        request_(request),
        literal_(quote_literal(request.person.id)),
        own_column_(request.person.key == event::PersonKey::kUserId ? "user_id" : "anonymous_id") {}

  Step<TableRows> remove() {
    LEAT_TRY(load::ensure_ledger(session_));
    LEAT_TRY(ensure_deletions());
    LEAT_TRY(run("BEGIN"));
    auto done = remove_in_transaction();
    if (!done) session_.roll_back();
    return done;
  }

  Step<TableRows> count() {
    LEAT_TRY(read_tables());
    TableRows out;
    std::set<std::string> rescued;  // the rules of leat_rescue find some rows twice
    for (const TableRule& rule : rules()) {
      const bool is_rescue = rule.table == kRescue;
      LEAT_ASSIGN(const Rows rows, run(fmt::format(R"(SELECT {} FROM {} WHERE {})",
                                                   is_rescue ? R"("id")" : "count(*)",
                                                   target(rule.table), rule.condition)));
      for (const auto& row : rows.rows) {
        const std::string text = row.at(0).value_or("");
        if (is_rescue) {
          rescued.insert(text);
        } else {
          out[rule.table] += parse_number<std::int64_t>(text).value_or(0);
        }
      }
      if (is_rescue) out[rule.table] = static_cast<std::int64_t>(rescued.size());
    }
    return out;
  }

 private:
  Step<Rows> run(const std::string& sql) {
    return session_.run(sql, fmt::format("deleting a person's rows of schema {}",
                                         quote_identifier(request_.schema)));
  }
  [[nodiscard]] const std::string& ledger() const { return session_.settings().ledger_schema; }
  [[nodiscard]] std::string target(std::string_view table) const {
    return qualified(request_.schema, table);
  }

  Step<void> ensure_deletions() {
    LEAT_ASSIGN(const auto found,
                load::read_columns(session_, ledger(), {std::string(kDeletions)}));
    if (found.empty()) LEAT_TRY(run(create_deletions_sql(ledger())));
    return {};
  }

  Step<TableRows> remove_in_transaction() {
    LEAT_TRY(run(load::lock_ledger_sql(ledger())));
    LEAT_ASSIGN(auto before, read_own_row());
    if (before) {
      session_.roll_back();
      return std::move(*before);
    }
    LEAT_TRY(read_tables());
    TableRows out;
    for (const TableRule& rule : rules()) {
      LEAT_ASSIGN(const Rows rows,
                  run(fmt::format("DELETE FROM {} WHERE {}", target(rule.table), rule.condition)));
      out[rule.table] += std::max<std::int64_t>(rows.affected_rows, 0);
    }
    LEAT_TRY(raise_deletions());
    LEAT_TRY(write_own_row(out));
    LEAT_TRY(run("COMMIT"));
    return out;
  }

  Step<std::optional<TableRows>> read_own_row() {
    LEAT_ASSIGN(
        const Rows rows,
        run(fmt::format(R"(SELECT "table_rows" FROM {} WHERE "deletion_id" = {} AND "source" = {})",
                        qualified(ledger(), kDeletions), quote_literal(request_.deletion_id),
                        quote_literal(request_.source))));
    if (rows.rows.empty()) return std::nullopt;
    TableRows out;
    const auto json = nlohmann::json::parse(rows.rows.front().at(0).value_or("{}"), nullptr, false);
    if (json.is_object()) {
      for (const auto& [table, count] : json.items()) {
        if (count.is_number_integer()) out[table] = count.get<std::int64_t>();
      }
    }
    return out;
  }

  // Tables of the schema, not its views.
  Step<void> read_tables() {
    LEAT_ASSIGN(tables_, load::read_tables(session_, request_.schema));
    std::erase_if(tables_, [](const auto& entry) { return entry.second.empty(); });
    return {};
  }

  [[nodiscard]] bool has(std::string_view table, std::string_view column) const {
    const auto found = tables_.find(std::string(table));
    return found != tables_.end() && has_text(found->second, column);
  }

  // The person's rows of a table with user_id, anonymous_id or, of aliases, previous_id.
  [[nodiscard]] std::string condition_of(const std::string& table) const {
    std::string out;
    const auto add = [&](std::string_view column) {
      if (!has(table, column)) return;
      if (!out.empty()) out += " OR ";
      out += fmt::format("{} = {}", quote_identifier(column), literal_);
    };
    add(own_column_);
    if (table == "aliases") add("previous_id");
    if (table == "users" && request_.person.key == event::PersonKey::kUserId) add("id");
    return out;
  }

  // In the order in which they must run: what is found through other rows goes before them.
  [[nodiscard]] std::vector<TableRule> rules() const {
    std::vector<TableRule> out;
    if (tables_.contains(std::string(kRescue))) {
      if (request_.person.id.size() > kColumnBytes) add_rows_without_id(out);
      add_rescue(out);
    }
    const std::string of_groups = condition_of("groups");
    if (!of_groups.empty() && has("groups", "group_id") && has("accounts", "id")) {
      out.push_back(
          {"accounts",
           fmt::format(R"("id" IN (SELECT g."group_id" FROM {0} g WHERE {1}) AND "id" NOT IN )"
                       R"((SELECT o."group_id" FROM {0} o WHERE o."group_id" IS NOT NULL AND )"
                       R"(coalesce(o.{2}, '') <> {3}))",
                       target("groups"), of_groups, quote_identifier(own_column_), literal_)});
    }
    for (const auto& [table, columns] : tables_) {
      std::string condition = condition_of(table);
      if (table == kRescue || condition.empty()) continue;
      out.push_back({table, std::move(condition)});
    }
    return out;
  }

  // Rows whose user_id (anonymous_id) is in leat_rescue, because no column takes it.
  void add_rows_without_id(std::vector<TableRule>& out) const {
    for (const std::string& lines : line_conditions()) {
      for (const auto& [table, columns] : tables_) {
        if (table == kRescue || !has(table, own_column_) || !has(table, "id")) continue;
        out.push_back({table, fmt::format(R"("id" IN (SELECT r."event_id" FROM {} r WHERE )"
                                          R"(r."column_name" = {} AND ({})))",
                                          target(kRescue), quote_literal(own_column_), lines)});
      }
    }
  }

  void add_rescue(std::vector<TableRule>& out) const {
    const std::string rescue(kRescue);
    for (const std::string_view home : kHomes) {
      const std::string condition = condition_of(std::string(home));
      if (condition.empty()) continue;
      out.push_back({rescue, fmt::format(R"("event_id" IN (SELECT h."id" FROM {} h WHERE {}))",
                                         target(home), condition)});
    }
    for (std::string& lines : line_conditions()) out.push_back({rescue, std::move(lines)});
  }

  // The rescue rows of the person's lines, as conditions short enough for a statement each.
  [[nodiscard]] std::vector<std::string> line_conditions() const {
    std::vector<std::string> out;
    std::string lines;
    std::size_t count = 0;
    const auto flush = [&] {
      if (!lines.empty()) out.push_back(lines);
      lines.clear();
      count = 0;
    };
    for (const auto& [batch, numbers] : request_.lines) {
      for (std::size_t at = 0; at < numbers.size();) {
        const std::size_t end = std::min(numbers.size(), at + kLinesPerStatement - count);
        lines += fmt::format(R"({}("batch_id" = {} AND "line" IN ({})))",
                             lines.empty() ? "" : " OR ", quote_literal(batch),
                             fmt::join(numbers.begin() + static_cast<std::ptrdiff_t>(at),
                                       numbers.begin() + static_cast<std::ptrdiff_t>(end), ", "));
        count += end - at;
        at = end;
        if (count >= kLinesPerStatement) flush();
      }
    }
    flush();
    return out;
  }

  Step<void> raise_deletions() {
    LEAT_ASSIGN(const std::int64_t deletions, load::read_deletions(session_, request_.source));
    load::BatchBooks row;
    row.batch_id = load::deletions_row_id(request_.source);
    row.source = request_.source;
    row.shard = load::kDeletionsShard;
    row.last_offset = deletions + 1;
    row.sync_id = request_.deletion_id;
    row.loaded_at = request_.now;
    LEAT_TRY(run(load::delete_batches_sql(ledger(), {row})));
    LEAT_TRY(run(load::insert_ledger_sql(ledger(), {row})));
    return {};
  }

  Step<void> write_own_row(const TableRows& rows) {
    std::int64_t all = 0;
    for (const auto& [table, count] : rows) all += count;
    LEAT_TRY(run(fmt::format(
        R"(INSERT INTO {} ("deletion_id", "source", "subject_type", "subject_hash", "events", )"
        R"("rows", "table_rows", "requested_at", "deleted_at") VALUES )"
        R"(({}, {}, {}, {}, {}, {}, {}, '{}', '{}'))",
        qualified(ledger(), kDeletions), quote_literal(request_.deletion_id),
        quote_literal(request_.source), quote_literal(event::person_key_name(request_.person.key)),
        quote_literal(request_.subject_hash), request_.events_deleted, all,
        quote_literal(load::table_rows_json(rows)), format_timestamp(request_.requested_at),
        format_timestamp(request_.now))));
    return {};
  }

  Session& session_;
  const RowsRequest& request_;
  const std::string literal_;
  const std::string_view own_column_;
  load::TableColumns tables_;
};

}  // namespace

Step<TableRows> delete_rows(Session& session, const RowsRequest& request) {
  return PersonRows(session, request).remove();
}

Step<TableRows> count_rows(Session& session, const RowsRequest& request) {
  return PersonRows(session, request).count();
}

}  // namespace leat::privacy
