// Writes trees back as Redshift SQL. Inside of the module only: translate.h has the functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/sql/translate.h"

namespace leat::sql {

/// Expressions in redshift_text.cc, queries and FROM in redshift_text_query.cc.
class RedshiftText {
 public:
  std::string take() { return std::move(out_); }

  void expression(const Expression& node);

  void query(const Query& node);

  void with(const std::vector<CommonTable>& tables, bool recursive);

  void table(const TableReference& node);

  void identifier(std::string_view name) { write(quote_identifier(name)); }
  void path(const std::vector<std::string>& names);
  void column_list(const std::vector<std::string>& names);
  void write(std::string_view text) { out_ += text; }
  void optional(std::string_view head, const ExpressionPtr& node);
  void separated(const std::vector<ExpressionPtr>& nodes, std::string_view separator,
                 bool brackets);
  void tables(std::string_view head, const std::vector<TablePtr>& list);

 private:
  void bracketed(const Expression& node);
  void literal(std::string_view text);
  void type(const TypeName& node);
  /// Only these types may have a name of several words before a literal.
  void typed_literal_name(const TypeName& node);
  void order(const std::vector<OrderItem>& items);

  void predicate(const Expression& node);

  void value(const Expression& node);

  /// (x).y, but x[0].y: a bare column would take the field into its name.
  void postfix_base(const Expression& node, bool field);

  void case_when(const Expression& node);

  void function(const Expression& node);
  static std::string quoted_function_name(std::string_view name) { return quote_identifier(name); }

  void over(const Window& node);

  void select(const Select& node);

  void select_item(const SelectItem& item);

  void join(const TableReference& node);

  void pivot(const TableReference& node);

  void alias(const TableReference& node);

  std::string out_;
};

}  // namespace leat::sql
