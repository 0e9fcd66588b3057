// Writes the dump format of parser.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/sql/ast.h"

namespace leat::sql {

class Dumper {
 public:
  void expression(const Expression& node);
  void query(const Query& node);
  void statement(const Statement& node);
  std::string take() { return std::exchange(text_, {}); }

  // Used by the per-statement rules of dump_statement.cc.
  static std::string quoted(std::string_view text);
  void word(std::string_view text) {
    if (!text_.empty() && text_.back() != '(') text_ += ' ';
    text_ += text;
  }
  void open(std::string_view head) {
    word("(");
    text_ += head;
  }
  void close() { text_ += ')'; }
  void flag(std::string_view name, bool value) {
    if (value) word(name);
  }
  /// `(name value)` unless the value is empty.
  void entry(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    open(name);
    word(value);
    close();
  }
  void entry(std::string_view name, const std::optional<std::string>& value) {
    if (!value) return;
    open(name);
    word(quoted(*value));
    close();
  }
  void entry(std::string_view name, const std::optional<std::int64_t>& value) {
    if (value) entry(name, std::to_string(*value));
  }
  void entry(std::string_view name, const std::optional<bool>& value) {
    if (value) entry(name, *value ? "yes" : "no");
  }
  void name_list(std::string_view head, const std::vector<std::string>& names);
  void list(std::string_view head, const std::vector<ExpressionPtr>& nodes);
  void optional_expression(std::string_view head, const ExpressionPtr& node);
  void common_tables(const std::vector<CommonTable>& tables, bool recursive);
  void table(const TableReference& node);

 private:
  void call(const Expression& node);
  void order(std::string_view head, const std::vector<OrderItem>& items);
  void select(const Select& node);
  void select_item(const SelectItem& item);

  std::string text_;
};

}  // namespace leat::sql
