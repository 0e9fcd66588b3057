// What a session asks about a statement before it runs it.
#include <algorithm>
#include <array>
#include <functional>

#include "warehouse/sql/mentions.h"
#include "warehouse/sql/translate.h"

namespace leat::sql {
namespace {

struct KindFacts {
  std::string_view kind;
  std::string_view tag;
  bool rows;
  bool alone;  ///< forbidden in a transaction block
  bool writes;
};

// In the order of StatementNode.
constexpr std::array<KindFacts, std::variant_size_v<StatementNode>> kFacts = {{
    {"SELECT", "SELECT", true, false, false},
    {"INSERT", "INSERT 0", false, false, true},
    {"UPDATE", "UPDATE", false, false, true},
    {"DELETE", "DELETE", false, false, true},
    {"MERGE", "MERGE", false, false, true},
    {"CREATE TABLE", "CREATE TABLE", false, false, true},
    {"CREATE TABLE AS", "SELECT", false, false, true},
    {"ALTER TABLE", "ALTER TABLE", false, false, true},
    {"DROP", "DROP", false, false, true},
    {"TRUNCATE", "TRUNCATE TABLE", false, false, true},
    {"CREATE SCHEMA", "CREATE SCHEMA", false, false, true},
    {"ALTER SCHEMA", "ALTER SCHEMA", false, false, true},
    {"CREATE DATABASE", "CREATE DATABASE", false, true, true},
    {"ALTER DATABASE", "ALTER DATABASE", false, false, true},
    {"CREATE VIEW", "CREATE VIEW", false, false, true},
    {"CREATE MATERIALIZED VIEW", "CREATE MATERIALIZED VIEW", false, false, true},
    {"REFRESH MATERIALIZED VIEW", "REFRESH", false, false, true},
    {"ALTER MATERIALIZED VIEW", "ALTER MATERIALIZED VIEW", false, false, true},
    {"COMMENT", "COMMENT", false, false, true},
    {"TRANSACTION", "BEGIN", false, false, false},
    {"LOCK", "LOCK TABLE", false, false, false},
    {"SET", "SET", false, false, false},
    {"RESET", "RESET", false, false, false},
    {"SHOW", "SHOW", true, false, false},
    {"USE", "USE", false, false, false},
    {"COPY", "COPY", false, false, true},
    {"UNLOAD", "UNLOAD", false, false, false},
    {"CREATE USER", "CREATE USER", false, false, true},
    {"ALTER USER", "ALTER USER", false, false, true},
    {"CREATE GROUP", "CREATE GROUP", false, false, true},
    {"ALTER GROUP", "ALTER GROUP", false, false, true},
    {"CREATE ROLE", "CREATE ROLE", false, false, true},
    {"ALTER ROLE", "ALTER ROLE", false, false, true},
    {"GRANT", "GRANT", false, false, true},
    {"ALTER DEFAULT PRIVILEGES", "ALTER DEFAULT PRIVILEGES", false, false, true},
    {"ANALYZE", "ANALYZE", false, false, false},
    {"VACUUM", "VACUUM", false, true, false},
    {"PREPARE", "PREPARE", false, false, false},
    {"EXECUTE", "EXECUTE", false, false, false},
    {"DEALLOCATE", "DEALLOCATE", false, false, false},
    {"DECLARE CURSOR", "DECLARE CURSOR", false, false, false},
    {"FETCH", "FETCH", true, false, false},
    {"CLOSE CURSOR", "CLOSE CURSOR", false, false, false},
    {"CANCEL", "CANCEL", false, false, false},
    {"EXPLAIN", "EXPLAIN", true, false, false},
    {"CALL", "CALL", false, false, true},
    {"CREATE FUNCTION", "CREATE FUNCTION", false, false, true},
    {"DROP FUNCTION", "DROP FUNCTION", false, false, true},
}};

std::string_view drop_tag(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kTable:
      return "DROP TABLE";
    case ObjectKind::kView:
      return "DROP VIEW";
    case ObjectKind::kMaterializedView:
      return "DROP MATERIALIZED VIEW";
    case ObjectKind::kSchema:
      return "DROP SCHEMA";
    case ObjectKind::kDatabase:
      return "DROP DATABASE";
    case ObjectKind::kUser:
      return "DROP USER";
    case ObjectKind::kGroup:
      return "DROP GROUP";
    case ObjectKind::kRole:
      return "DROP ROLE";
    default:
      return "DROP";
  }
}

/// Walks a tree and notes relations, hiding the names of common tables while they are visible.
class ReferenceWalk {
 public:
  std::vector<TableAccess> take() { return std::move(found_); }
  std::vector<RelationMention> take_mentions() { return std::move(mentions_); }
  std::vector<std::string> take_functions() { return std::move(functions_); }
  [[nodiscard]] bool met_query() const { return queries_; }
  [[nodiscard]] bool met_window() const { return windows_; }

  void add(const QualifiedName& name, Access access) {
    for (const TableAccess& known : found_) {
      if (known.access == access && known.table.parts == name.parts) return;
    }
    found_.push_back({name, access});
  }

  void expression(const Expression* node) {
    if (node == nullptr) return;
    for (const ExpressionPtr& child : node->children) expression(child.get());
    if (node->query) query(*node->query);
    if (!node->call) return;
    functions_.push_back(node->names.back());
    expression(node->call->filter.get());
    order(node->call->order_by);
    order(node->call->within_group);
    if (!node->call->window) return;
    windows_ = true;
    for (const ExpressionPtr& part : node->call->window->partition_by) expression(part.get());
    order(node->call->window->order_by);
    if (!node->call->window->frame) return;
    expression(node->call->window->frame->start_offset.get());
    expression(node->call->window->frame->end_offset.get());
  }

  void expressions(const std::vector<ExpressionPtr>& nodes) {
    for (const ExpressionPtr& node : nodes) expression(node.get());
  }

  void order(const std::vector<OrderItem>& items) {
    for (const OrderItem& item : items) expression(item.value.get());
  }

  /// Returns how many names became visible; give it to leave().
  std::size_t with(const std::vector<CommonTable>& tables, bool recursive) {
    for (const CommonTable& table : tables) {
      if (recursive) common_tables_.push_back(table.name);
      query(*table.query);
      if (!recursive) common_tables_.push_back(table.name);
    }
    return tables.size();
  }
  void leave(std::size_t count) { common_tables_.resize(common_tables_.size() - count); }

  void query(const Query& node) {
    queries_ = true;
    const std::size_t visible = with(node.with, node.recursive);
    if (node.select) select(*node.select);
    if (node.left) query(*node.left);
    if (node.right) query(*node.right);
    for (const auto& row : node.values) expressions(row);
    order(node.order_by);
    expression(node.limit.get());
    expression(node.offset.get());
    leave(visible);
  }

  void select(const Select& node) {
    aliases_.emplace_back();
    tables(node.from);
    for (const SelectItem& item : node.items) expression(item.value.get());
    expressions(node.distinct_on);
    expression(node.top.get());
    expression(node.where.get());
    expression(node.start_with.get());
    expression(node.connect_by.get());
    expressions(node.group_by);
    expression(node.having.get());
    expression(node.qualify.get());
    aliases_.pop_back();
  }

  void tables(const std::vector<TablePtr>& list) {
    for (const TablePtr& item : list) table(*item);
  }

  void table(const TableReference& node) {
    if (node.kind == TableKind::kName) {
      const bool path = (node.name.parts.size() > 1 || node.value) && is_alias(node.name.parts[0]);
      if (!path && !is_common_table(node.name)) {
        add(node.name, Access::kSelect);
        mentions_.push_back({.table = node.name, .aliased = !node.alias.empty()});
      }
      remember(node.alias.empty() ? std::string(node.name.name()) : node.alias);
    } else {
      remember(node.alias);
    }
    if (node.query) query(*node.query);
    expression(node.value.get());
    if (node.left) table(*node.left);
    if (node.right) table(*node.right);
    expression(node.on.get());
    for (const SelectItem& item : node.pivot_aggregates) expression(item.value.get());
    expression(node.pivot_for.get());
    for (const PivotValue& value : node.pivot_values) expression(value.value.get());
  }

  void open_scope() { aliases_.emplace_back(); }

 private:
  void remember(std::string alias) {
    if (aliases_.empty()) aliases_.emplace_back();
    if (!alias.empty()) aliases_.back().push_back(std::move(alias));
  }
  bool is_alias(const std::string& name) const {
    for (const auto& scope : aliases_) {
      if (std::find(scope.begin(), scope.end(), name) != scope.end()) return true;
    }
    return false;
  }
  bool is_common_table(const QualifiedName& name) const {
    return name.parts.size() == 1 && std::find(common_tables_.begin(), common_tables_.end(),
                                               name.parts[0]) != common_tables_.end();
  }

  std::vector<TableAccess> found_;
  std::vector<RelationMention> mentions_;
  std::vector<std::string> functions_;
  bool queries_ = false;
  bool windows_ = false;
  std::vector<std::string> common_tables_;
  std::vector<std::vector<std::string>> aliases_;
};

/// One overload per statement that names relations.
struct ReferenceVisitor {
  ReferenceWalk& walk;

  void operator()(const SelectStatement& node) const { walk.query(*node.query); }
  void operator()(const InsertStatement& node) const {
    walk.add(node.table, Access::kInsert);
    const std::size_t visible = walk.with(node.with, node.recursive);
    if (node.query) walk.query(*node.query);
    walk.leave(visible);
  }
  void operator()(const UpdateStatement& node) const {
    walk.add(node.table, Access::kUpdate);
    const std::size_t visible = walk.with(node.with, node.recursive);
    walk.tables(node.from);
    bool reads = node.where != nullptr;
    for (const Assignment& assignment : node.assignments) {
      walk.expression(assignment.value.get());
      const Expression& value = *assignment.value;
      reads = reads || value.kind == ExpressionKind::kColumn || value.query != nullptr ||
              !value.children.empty();
    }
    walk.expression(node.where.get());
    if (reads) walk.add(node.table, Access::kSelect);
    walk.leave(visible);
  }
  void operator()(const DeleteStatement& node) const {
    walk.add(node.table, Access::kDelete);
    const std::size_t visible = walk.with(node.with, node.recursive);
    walk.tables(node.using_tables);
    walk.expression(node.where.get());
    if (node.where) walk.add(node.table, Access::kSelect);
    walk.leave(visible);
  }
  void operator()(const MergeStatement& node) const {
    walk.add(node.target, Access::kSelect);
    if (node.matched_delete || node.remove_duplicates) walk.add(node.target, Access::kDelete);
    if (!node.matched_update.empty()) walk.add(node.target, Access::kUpdate);
    walk.add(node.target, Access::kInsert);
    walk.table(*node.source);
    walk.expression(node.on.get());
    for (const Assignment& assignment : node.matched_update)
      walk.expression(assignment.value.get());
    walk.expressions(node.insert_values);
  }
  void operator()(const CreateTableStatement& node) const {
    for (const LikeClause& like : node.likes) walk.add(like.table, Access::kReference);
    for (const ColumnDefinition& column : node.columns) {
      if (column.references) walk.add(column.references->table, Access::kReference);
    }
    for (const TableConstraint& constraint : node.constraints) {
      if (constraint.kind == ConstraintKind::kForeignKey)
        walk.add(constraint.references.table, Access::kReference);
    }
  }
  void operator()(const CreateTableAsStatement& node) const { walk.query(*node.query); }
  void operator()(const AlterTableStatement& node) const {
    walk.add(node.table, Access::kAlter);
    for (const AlterTableAction& action : node.actions) {
      if (action.kind == AlterTableKind::kAppend) walk.add(action.source, Access::kAlter);
    }
  }
  void operator()(const DropStatement& node) const {
    if (node.kind != ObjectKind::kTable && node.kind != ObjectKind::kView &&
        node.kind != ObjectKind::kMaterializedView) {
      return;
    }
    for (const QualifiedName& name : node.names) walk.add(name, Access::kDrop);
  }
  void operator()(const TruncateStatement& node) const { walk.add(node.table, Access::kTruncate); }
  void operator()(const CreateViewStatement& node) const { walk.query(*node.query); }
  void operator()(const CreateMaterializedViewStatement& node) const { walk.query(*node.query); }
  void operator()(const LockStatement& node) const {
    for (const QualifiedName& name : node.tables) walk.add(name, Access::kLock);
  }
  void operator()(const CopyStatement& node) const { walk.add(node.table, Access::kInsert); }
  void operator()(const UnloadStatement& node) const { walk.query(*node.query); }
  void operator()(const DeclareCursorStatement& node) const { walk.query(*node.query); }
  void operator()(const PrepareStatement& node) const { std::visit(*this, node.statement->node); }
  void operator()(const ExplainStatement& node) const { std::visit(*this, node.statement->node); }
  template <class Other>
  void operator()(const Other& /*node*/) const {}
};

}  // namespace

std::string_view statement_kind(const Statement& statement) {
  if (const auto* drop = get_if<DropStatement>(statement)) return drop_tag(drop->kind);
  if (const auto* grant = get_if<GrantStatement>(statement))
    return grant->revoke ? "REVOKE" : "GRANT";
  if (get_if<TransactionStatement>(statement) != nullptr) return command_tag(statement);
  return kFacts[statement.node.index()].kind;
}

std::string_view command_tag(const Statement& statement) {
  if (const auto* drop = get_if<DropStatement>(statement)) return drop_tag(drop->kind);
  if (const auto* grant = get_if<GrantStatement>(statement))
    return grant->revoke ? "REVOKE" : "GRANT";
  if (const auto* transaction = get_if<TransactionStatement>(statement)) {
    if (transaction->kind == TransactionKind::kCommit) return "COMMIT";
    if (transaction->kind == TransactionKind::kRollback) return "ROLLBACK";
    return transaction->verb == "begin" ? "BEGIN" : "START TRANSACTION";
  }
  return kFacts[statement.node.index()].tag;
}

bool returns_rows(const Statement& statement) {
  if (const auto* analyze = get_if<AnalyzeStatement>(statement)) return analyze->compression;
  return kFacts[statement.node.index()].rows;
}

bool is_constant(const Statement& statement) {
  const auto* node = get_if<SelectStatement>(statement);
  if (node == nullptr || node->query->kind != QueryKind::kSelect || !node->query->with.empty() ||
      !node->query->order_by.empty() || node->query->limit || node->query->offset) {
    return false;
  }
  const Select& select = *node->query->select;
  const bool plain = select.from.empty() && !select.where && !select.connect_by && !select.top &&
                     select.group_by.empty() && !select.group_by_all && !select.having &&
                     !select.qualify;
  return plain && std::ranges::all_of(select.items, [](const SelectItem& item) {
           const ExpressionKind kind = item.value->kind;
           return kind == ExpressionKind::kNull || kind == ExpressionKind::kBoolean ||
                  kind == ExpressionKind::kNumber || kind == ExpressionKind::kString;
         });
}

bool forbidden_in_transaction(const Statement& statement) {
  if (const auto* drop = get_if<DropStatement>(statement))
    return drop->kind == ObjectKind::kDatabase;
  if (const auto* alter = get_if<AlterTableStatement>(statement)) {
    return std::any_of(alter->actions.begin(), alter->actions.end(),
                       [](const AlterTableAction& action) {
                         return action.kind == AlterTableKind::kColumnType ||
                                action.kind == AlterTableKind::kAppend;
                       });
  }
  return kFacts[statement.node.index()].alone;
}

bool writes(const Statement& statement) {
  if (const auto* explain = get_if<ExplainStatement>(statement)) {
    return explain->analyze && writes(*explain->statement);
  }
  return kFacts[statement.node.index()].writes;
}

std::vector<TableAccess> referenced_tables(const Statement& statement) {
  ReferenceWalk walk;
  walk.open_scope();
  std::visit(ReferenceVisitor{walk}, statement.node);
  return walk.take();
}

std::vector<std::string> called_functions(const Statement& statement) {
  ReferenceWalk walk;
  walk.open_scope();
  std::visit(ReferenceVisitor{walk}, statement.node);
  std::vector<std::string> names = walk.take_functions();
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

ExpressionParts parts_of(const Expression& expression) {
  ReferenceWalk walk;
  walk.expression(&expression);
  return {.query = walk.met_query(), .window = walk.met_window()};
}

std::vector<RelationMention> mentioned_relations(const Query& query) {
  ReferenceWalk walk;
  walk.open_scope();
  walk.query(query);
  std::vector<RelationMention> mentions = walk.take_mentions();
  std::ranges::sort(mentions, std::greater<>(),
                    [](const RelationMention& mention) { return mention.table.span.begin; });
  return mentions;
}

}  // namespace leat::sql
