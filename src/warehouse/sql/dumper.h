// Writes the dump format of parser.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
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
  template <class T>
  void entry(std::string_view name, const std::optional<T>& value) {
    if (!value) return;
    if constexpr (std::is_same_v<T, std::string>) {
      entry(name, quoted(*value));
    } else if constexpr (std::is_same_v<T, bool>) {
      entry(name, *value ? std::string_view("yes") : std::string_view("no"));
    } else {
      entry(name, std::to_string(*value));
    }
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
