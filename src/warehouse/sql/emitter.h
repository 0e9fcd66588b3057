// Writes the DuckDB form of a tree. One emitter per statement; throws TranslateFailure, which
// translate.cc catches.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/sql/ast.h"
#include "warehouse/sql/emit_scope.h"
#include "warehouse/sql/function_table.h"
#include "warehouse/sql/mentions.h"
#include "warehouse/sql/translate.h"

namespace leat::sql {

class Emitter {
 public:
  explicit Emitter(const TranslateContext& context)
      : context_(context), collations_(context.insensitive) {
    out_.reserve(1000);
  }
  /// Notes what the text uses, too.
  Emitter(const TranslateContext& context, ColumnUse& use) : Emitter(context) { use_ = &use; }

  void expression(const Expression& node);
  void query(const Query& node);
  /// The DEFAULT of a column of that type (emit_definition.cc).
  void stored_default(const Expression& node, const TypeName& type);
  /// Returns the text written so far and starts anew.
  std::string take() { return std::exchange(out_, {}); }

  // Statements (emit_statement.cc). Each returns complete DuckDB statements.
  std::vector<std::string> statement(const Statement& node);
  /// Of the query emitted last.
  [[nodiscard]] std::vector<ResultColumn> result_columns() const;

 private:
  using Arguments = std::vector<ExpressionPtr>;

  // Output.
  void write(std::string_view text) {
    out_ += text;
    if (out_.size() > kOutputBytesMax) too_large();
  }
  void identifier(std::string_view name) {
    if (name.find('"') != std::string_view::npos) return write(quote_identifier(name));
    out_ += '"';
    out_ += name;
    write("\"");
  }
  void string_literal(std::string_view text) { write(quote_literal(text)); }
  void identifiers(const std::vector<std::string>& names);
  void comma_separated(const Arguments& nodes);
  [[noreturn]] void too_large() const;
  [[noreturn]] static void fail(std::string sqlstate, std::string message, SourceSpan span);
  [[noreturn]] static void unsupported(std::string what, SourceSpan span) {
    fail("0A000", std::move(what) + " is not supported", span);
  }
  /// The text `rule` writes, without writing it.
  template <class Rule>
  std::string captured(Rule rule) {
    const std::size_t begin = out_.size();
    rule();
    std::string text(out_, begin);
    out_.resize(begin);
    return text;
  }
  std::string text_of(const Expression& node) {
    return captured([&] { expression(node); });
  }
  std::string operand_text(const Expression& node) {
    return captured([&] { operand(node); });
  }

  // Expressions (emit_expression.cc).
  void operand(const Expression& node);
  /// The column that is meant, as find_column(); 42702 where it may be several.
  const ScopeColumn* unambiguous_column(const Expression& node);
  // Parts of expression(); false when the node is of another part.
  bool simple_value(const Expression& node);
  bool condition(const Expression& node);
  void composite(const Expression& node);
  void column(const Expression& node);
  void super_path(std::string_view base, std::string_view path);
  /// A SUPER value that a call or cast gives, as what stands around it takes it. False: nothing was
  /// written.
  bool super_taken(const Expression& node);
  /// What two SUPER values are ordered and compared by.
  [[nodiscard]] std::string super_order(const Expression& node);
  /// Writes an argument that recasts_ holds; false: it does not.
  bool recast(const Expression& node);
  /// Notes what a call turns its arguments into, until `rule` is done.
  template <class Rule>
  void with_recasts(const Expression& call, std::string_view group, Rule rule) {
    std::vector<const Expression*> noted = note_recasts(call, group);
    rule();
    for (const Expression* each : noted) recasts_.erase(each);
  }
  [[nodiscard]] std::vector<const Expression*> note_recasts(const Expression& call,
                                                            std::string_view group);
  /// Notes those of `results`, one of which a call or CASE gives, that stand beside SUPER values.
  [[nodiscard]] std::vector<const Expression*> note_super_results(
      const std::vector<const Expression*>& results);
  /// The value as clients see it.
  [[nodiscard]] std::string as_text(const Expression& node);
  /// `rule` with SUPER values taken as `use`.
  template <class Rule>
  void with_super_as(SuperUse use, Rule rule) {
    const SuperUse outer = std::exchange(super_use_, use);
    rule();
    super_use_ = outer;
  }
  void unary(const Expression& node);
  void binary(const Expression& node);
  /// A long chain of `||`, or of sums of whole numbers of one type; false: nothing was written.
  bool long_chain(const Expression& node);
  template <class Operand>
  void balanced(std::span<const Expression* const> operands, std::string_view op,
                const Operand& operand);
  void concatenated(const Expression& node);
  void concatenated_operand(const Expression& node);
  void division(const Expression& node);
  /// True for what is an interval without planning: literals, casts, differences of timestamps.
  [[nodiscard]] bool is_interval(const Expression& node) const;
  /// The engine's function (engine/decimal_division.cc) that is wide enough for `precision` digits.
  [[nodiscard]] static std::string quotient_call(std::int32_t precision, std::int32_t scale,
                                                 const std::string& dividend,
                                                 const std::string& divisor);
  // Floating point beyond its range (emit_float.cc).
  /// Writes the outermost operator of an expression with its check; false: nothing was written.
  bool checked_float(const Expression& node);
  bool float_operands(const Expression& node, std::vector<const Expression*>& operands);
  /// True where a key of GROUP BY is no plain column: what stands in the select list must then stay
  /// as the key is written.
  static bool has_computed_groups(const Select& node);
  void exact_quotient(const std::string& dividend, const std::string& divisor,
                      const InferredType& result);
  void regex_match(const Expression& node);
  void comparison(std::string_view op, const Expression& left, const Expression& right);
  /// A SUPER value as the number or text that it is compared with; NULL where it is no number.
  /// False when nothing was written: it is no SUPER value, or `other` is neither.
  bool compared_super(const Expression& node, const InferredType& other);
  // Text, where blanks at the end count for nothing, and case as the collation says
  // (emit_text_comparison.cc). Each returns false when nothing was written: the operands are not of
  // that kind.
  bool text_comparison(std::string_view op, const Expression& left, const Expression& right);
  bool number_comparison(std::string_view op, const Expression& left, const Expression& right);
  bool text_between(const Expression& node);
  /// Rows beside each other, position by position.
  bool row_in_list(const Expression& node);
  void compared_row(const Expression& row, const Expression& value);
  bool text_pair(std::string_view op, const Expression& left, const Expression& right);
  bool text_subquery(std::string_view op, const Expression& left, const Expression& right);
  /// True for text that is compared without looking at case.
  [[nodiscard]] bool is_insensitive(const InferredType& type) const;
  /// True for text whose equal values may be written differently.
  [[nodiscard]] bool has_key(const InferredType& type) const;
  [[nodiscard]] bool has_key(const Expression& node) const;
  /// What is the same for equal texts: `text`, without its blanks and in lower case where they may
  /// be there and do not count.
  [[nodiscard]] std::string text_key(const std::string& text, const InferredType& type) const;
  /// The collation of texts that meet; 0A000 for two that differ.
  [[nodiscard]] static Collation met(Collation a, Collation b, SourceSpan span);
  [[nodiscard]] Collation met(std::span<const ExpressionPtr> nodes, SourceSpan span) const;
  /// The key of the value, beside others with which it has that collation.
  [[nodiscard]] std::string compared_value(const Expression& node, Collation collation);
  [[nodiscard]] std::string compared_value(const Expression& node) {
    return compared_value(node, infer(node).collation);
  }
  /// COLLATE(x, 'ci') and x COLLATE ci.
  void collated(const Expression& node);
  /// `left` and the query that it is compared with, "x IN (SELECT ...)" without the word between.
  void compare_with_query(const Expression& left, std::string_view word, const Query& node);
  struct ComparedQuery {
    std::vector<std::string> values;  ///< of the left side, as they are compared
    std::vector<std::string> keys;    ///< of the query's columns, numbered
    bool cut = false;                 ///< The keys are not the columns themselves.
    bool correlated = false;          ///< It may name columns of the queries around it.
    std::string text;
  };
  [[nodiscard]] ComparedQuery compared_query(const Expression& left, const Query& node);
  void compare_with_query(const ComparedQuery& compared, std::string_view word, bool row);
  /// (a, b) IN (SELECT ...), where the engine refuses it or takes any NULL of the query for all
  /// rows. False: nothing was written.
  bool row_in_query(const Expression& node);
  // IN with a query whose keys are looked up in a set (emit_key_set.cc).
  /// A condition of which only what is true counts: of WHERE.
  void filter(const Expression& node);
  /// False when nothing was written: no such test.
  bool key_set_test(const Expression& node);
  [[nodiscard]] bool is_key_query(const Query& node) const;
  void compared_values(const Arguments& nodes);
  // Keys of groups and sets (emit_blanks.cc).
  void find_groups(const Select& node);
  void find_group(const Select& node, const Expression& key, bool sets);
  /// The item at a place of the select list, where stars count as their columns: one of those is
  /// put into `made`. Null when that is not known.
  [[nodiscard]] const Expression* item_at(const Select& node, std::size_t place,
                                          Expression& made) const;
  /// Has a star show what stands for the keys of GROUP BY among its columns.
  void represent_in_star(const Expression& star);
  [[nodiscard]] const KeyedGroup* group_of(const Expression& node);
  void group_keys(const Select& node);
  /// The keys of GROUP BY that are paths into SUPER values.
  [[nodiscard]] std::set<std::pair<std::string, std::string>> path_keys(const Select& node) const;
  /// Writes what stands for the node, if it is such a key of GROUP BY.
  bool represented(const Expression& node);
  /// What DISTINCT compares, given the items as emitted; empty: the items as they are.
  [[nodiscard]] std::string distinct_keys(const Select& node,
                                          const std::vector<std::string>& items) const;
  /// Writes a set operation whose sides stand in the output from `left` and `right` on anew.
  void combine(const Query& node, std::size_t left, std::size_t right,
               const std::vector<ScopeColumn>& columns);
  /// Notes the keys of GROUP BY, where a subquery may name them: nothing can stand for them there.
  void note_correlated_groups(const Select& node);
  /// Notes the columns of USING and NATURAL, whose blanks and case may not count.
  void note_cut_columns(const TableReference& node);
  /// `source`, a table in FROM, with those of its columns trimmed, and under the engine's own
  /// collation.
  [[nodiscard]] std::string cut_source(const TableReference& node, std::string source,
                                       std::vector<ScopeColumn>& columns) const;
  [[nodiscard]] bool is_output_alias(const Expression& node) const;
  bool text_in(const Expression& node);
  /// What a text is compared with, if it is known before any row is.
  [[nodiscard]] std::optional<ConstantText> constant_text(const Expression& node,
                                                          Collation collation);
  [[nodiscard]] bool is_constant_text(const Expression& node) const;
  /// How a text is compared with it.
  enum class TextSide : std::uint8_t {
    kOther,    ///< no text, or not known to be one
    kColumn,   ///< values as they were stored, with blanks at their ends
    kTrimmed,  ///< values never end in a blank: CHAR, columns without a mark
    kComputed
  };
  [[nodiscard]] TextSide text_side(const Expression& node) const;
  [[nodiscard]] std::string keyed_text(const Expression& node, TextSide side, Collation collation);
  [[nodiscard]] std::string compared_text(std::string_view op, const Expression& value,
                                          TextSide side, Collation collation,
                                          const ConstantText& constant);
  /// What an operand of `op` counts as: a parameter has its declared type, or the one that its
  /// neighbour gives it.
  [[nodiscard]] InferredType operand_type(std::string_view op, const Expression& node,
                                          const Expression& other) const;
  void arithmetic_operand(std::string_view op, const Expression& node, const Expression& other);
  void joined(const Expression& node, std::string_view separator);
  /// 42804 for a number or a date where a condition must stand.
  void require_condition(const Expression& node, std::string_view where) const;
  void is_test(const Expression& node);
  void in_test(const Expression& node);
  void like_test(const Expression& node);
  void quantified(const Expression& node);
  void case_when(const Expression& node);
  void cast(const Expression& node);
  void literal_cast(const Expression& node, const TypeName& type);
  /// 22003 for an integer that the type does not hold.
  static void require_whole(const TypeName& type, std::string_view text, SourceSpan span);
  void varbyte_cast(const Expression& value, const TypeName& type);
  void lax_literal_cast(const Expression& node, const TypeName& type);
  std::string normal_literal(const TypeName& type, std::string_view text, SourceSpan span) const;
  void character_cast(const Expression& value, const TypeName& type);
  void plain_cast(const Expression& node);
  /// The value of a cast, written; cut off to the type's scale where Redshift does not round.
  [[nodiscard]] std::string cut_value(const Expression& node);
  /// `value`, refused where it has no place in the 8 bytes of a decimal with 19 digits.
  [[nodiscard]] std::string narrowed(std::string value, const TypeName& type) const;
  void registered_name_cast(const Expression& node, std::string_view what);
  void typed_literal(const TypeName& type, std::string_view text, SourceSpan span);
  /// A number as written; 22003 beyond what its type holds.
  void number(const Expression& node);
  void interval(const Expression& node);
  void subscript(const Expression& node);
  void field(const Expression& node);
  void parameter(const Expression& node);
  /// True for a parameter whose type the client declared.
  [[nodiscard]] bool is_declared(const Expression& node) const;
  /// A parameter that takes its type from what stands beside it.
  [[nodiscard]] bool is_untyped_parameter(const Expression& node) const;
  /// $n that the client declared as numeric.
  [[nodiscard]] bool is_decimal_parameter(const Expression& node) const;
  /// `outputs`: the columns that places in the list mean; null: places mean nothing.
  /// `select`: whose items aliases and places mean.
  void order_by(const std::vector<OrderItem>& items, bool compared = false,
                const std::vector<ScopeColumn>* outputs = nullptr, const Select* select = nullptr);
  /// What an output column of SUPER that an alias or a place means is ordered by; empty: none.
  [[nodiscard]] std::string output_order(const OrderItem& item, const Select& select);
  /// Writes ORDER BY of a set operation, whose text begins at `begin`.
  void order_set(const std::vector<OrderItem>& items, std::size_t begin,
                 const std::vector<ScopeColumn>& columns);
  [[nodiscard]] InferredType ordered_type(const Expression& node,
                                          const std::vector<ScopeColumn>* outputs) const;
  /// The JSON path of a SUPER navigation and its base; nothing when the node is none.
  std::optional<std::pair<std::string, std::string>> super_navigation(const Expression& node) const;
  [[nodiscard]] bool is_of_system(const Expression& column) const;
  [[nodiscard]] std::string attribute_name(const Expression& node, std::size_t part) const;
  void require_column(const std::string& name, SourceSpan span) const;
  /// 42501 for a column that the user may not read, and for a star over such columns.
  void check_readable(const Expression& node) const;
  const ScopeTable* find_alias(std::string_view alias) const;
  /// The select item that a name means; null when it may be a column of FROM.
  const LateralAlias* find_lateral(const Expression& node) const;

  // Types (infer.cc).
  InferredType infer(const Expression& node) const;
  /// The column that a name means; null when it is not known.
  const ScopeColumn* find_column(const Expression& node) const;
  InferredType infer_binary(const Expression& node) const;
  InferredType infer_function(const Expression& node) const;
  InferredType infer_text_function(const Expression& node) const;
  InferredType infer_continuous(const Expression& node) const;
  InferredType infer_choice(const std::vector<const Expression*>& results) const;
  /// What may become the value of CASE, COALESCE and the like; empty: it is none of them.
  [[nodiscard]] static std::vector<const Expression*> choices(const Expression& node);
  /// Notes the decimals among them that are to be written with the digits of all.
  void note_wide_choices(const Expression& node);

  // Functions (emit_function.cc, emit_date.cc, emit_json.cc).
  void function(const Expression& node);
  void rewritten(const FunctionEntry& entry, const Expression& node);
  void call_by_name(std::string_view name, const Expression& node);
  void call_template(std::string_view text, const Expression& node);
  void call_system(std::string_view name, const Expression& node);
  void call_unknown(const Expression& node);
  /// A user's function, written out; false when there is none of that name.
  bool call_defined(const Expression& node);
  [[nodiscard]] const DefinedFunction* find_defined(const Expression& node) const;
  bool aggregate_function(const Expression& node);
  bool string_function(const Expression& node);
  bool date_function(const Expression& node);
  bool json_function(const Expression& node);
  void object_transform(const Expression& node);
  void over(const Expression& node);
  void window(const Window& node);
  void average(const Expression& node);
  [[nodiscard]] static std::string float_aggregate(std::string_view name, const Expression& node);
  void sum(const Expression& node);
  void interval_sum(const Expression& node);
  /// MIN, MAX.
  void extreme(const Expression& node);
  /// 42883 for what no sum or order of BOOLEAN is.
  void refuse_boolean(const Expression& node) const;
  /// FNV_HASH, MURMUR3_32_HASH.
  void hash(const Expression& node);
  void sign(const Expression& node);
  /// ROUND, TRUNC of a number.
  void rounded(const Expression& node);
  void series(const Expression& node);
  void list_aggregate(const Expression& node);
  /// 0A000 where the call brings texts of different collations together.
  void check_collations(const Expression& node) const;
  /// Functions that look at case as the collation says; false: not one of them, or case counts.
  bool insensitive_function(const Expression& node);
  void percentile(const Expression& node);
  void continuous(const Expression& node, const Expression& value, const std::string& place,
                  bool descending);
  // Sketches (emit_sketch.cc). What cannot take one fails with 42883 (42846 for casts).
  [[nodiscard]] bool is_sketch(const Expression& node) const;
  /// `operation`: "ordering" or "equality".
  void refuse_sketch_key(const Expression& node, std::string_view operation) const;
  void refuse_sketch_keys(const Select& node, const std::vector<OrderItem>& order) const;
  void refuse_sketch_operands(const Expression& node, std::string_view op) const;
  void refuse_sketch_arguments(const Expression& node) const;
  bool sketch_function(const Expression& node);
  void sketch_cast(const Expression& node);
  /// The value as a sketch: text is read.
  void sketch_value(const Expression& value);
  void assigned_sketch(const Expression& value, const RelationColumn& column);
  void decode(const Expression& node);
  void checksum(const Expression& node);
  void text_to_number(const Expression& node);
  void null_if(const Expression& node);
  void substring(const Expression& node);
  void regexp_function(const Expression& node);
  void date_add(const Expression& node);
  void date_difference(const Expression& node);
  void date_part(const Expression& node, bool extract);
  void date_trunc(const Expression& node);
  void convert_timezone(const Expression& node);
  void compare_moments(const Expression& node);
  void time_zone(const Expression& node);
  /// The moment in UTC, or the local time of one, by a zone whose offset may be fixed.
  [[nodiscard]] std::string in_utc(const std::string& local, const Expression& zone);
  [[nodiscard]] std::string in_zone(const std::string& utc, const Expression& zone);
  void to_char(const Expression& node);
  void read_moment(const Expression& node);
  void to_number(const Expression& node);
  [[nodiscard]] std::string local_now_text() const;
  [[nodiscard]] std::string zoned_time(const std::string& value) const;
  /// A value for a date function: string literals become timestamps.
  void moment(const Expression& node);
  std::string date_part_name(const Expression& node);
  [[nodiscard]] static const std::string& literal_argument(const Expression& node,
                                                           std::size_t index,
                                                           std::string_view function);

  // Queries (emit_query.cc).
  void query_body(const Query& node);
  void select(const Select& node, const std::vector<OrderItem>& order_by, const Expression* limit,
              const Expression* offset);
  /// Returns the value's text.
  std::string select_item(const SelectItem& item);
  void with(const std::vector<CommonTable>& tables, bool recursive);
  /// Notes what a recursive common table's first part gives: its columns have those types.
  void note_anchor(const Query& node);
  [[nodiscard]] std::vector<ScopeColumn> values_columns(const Query& node) const;
  void from(const std::vector<TablePtr>& tables);
  // SUPER arrays unnested inside of the table they belong to, which keeps their order
  // (emit_elements.cc).
  /// Puts the elements of an item of FROM into the table that has the array; false: nothing was
  /// written. `or_null`: a row without elements stays, as in LEFT JOIN.
  bool hosted_elements(const TableReference& node, bool or_null = false);
  bool host_elements(const Expression& array, ScopeTable entry, bool or_null);
  /// An item of FROM behind a comma that begins with such elements.
  bool continues_table(const TableReference& node);
  /// The table of this FROM whose array, or whose elements' array, a path begins at. Null: none.
  ScopeTable* host_of(const Expression& array);
  /// JOIN of elements, without a condition, whose left side begins at `left` in the output; false:
  /// nothing was written.
  bool joins_elements(const TableReference& node, std::size_t left);
  void rename_elements();
  void table(const TableReference& node);
  void one_table(const TableReference& node);
  void named_table(const TableReference& node);
  void table_function(const TableReference& node);
  void elements(const TableReference& node, const Expression& array, const std::string& column);
  void unnest(const TableReference& node, const Expression& array);
  bool unnest_call(const TableReference& node);
  void super_unpivot(const TableReference& node);
  void join(const TableReference& node);
  /// An outer join whose condition, as emitted, holds a query: the rows of one side are asked for
  /// each row of the other. `left`, `right`: where the sides begin in the output. False: the
  /// engine must do.
  bool lateral_join(const TableReference& node, std::size_t left, std::size_t right,
                    const std::string& condition);
  void pivot(const TableReference& node);
  [[nodiscard]] std::optional<std::vector<ScopeColumn>> pivot_groups(
      const TableReference& node) const;
  void pivot_by_filter(const TableReference& node, const std::string& source,
                       const std::vector<ScopeColumn>& groups, std::vector<ScopeColumn>& columns);
  void unpivot(const TableReference& node);
  void alias_of(const TableReference& node, const std::string& alias);
  std::string add_scope_table(ScopeTable entry);
  void relation_name(const QualifiedName& name, const Relation* relation);
  /// The relation, or what the user may read of it.
  void readable_relation(const TableReference& node, const Relation* relation, ScopeTable& entry);
  const Relation* look_up(const QualifiedName& name) const;
  [[nodiscard]] bool is_common_table(const QualifiedName& name) const;
  const std::vector<ScopeColumn>* common_table_columns(const QualifiedName& name) const;
  static std::string output_name(const Expression& node);
  // What stars stand for (emit_star.cc).
  std::vector<ScopeColumn> output_columns(const Select& node) const;
  /// Nothing when the columns of one of its tables are not known.
  [[nodiscard]] std::optional<std::vector<StarColumn>> star_columns(const Select& node,
                                                                    const Expression& star) const;
  /// Writes a star as its columns; false: the engine's star has them in the same order.
  bool star_by_columns(const Select& node, const Expression& star);

  // UNION, INTERSECT, EXCEPT (emit_set_operation.cc).
  void set_operation(const Query& node);
  std::string set_side(const Query& node, bool right);
  /// 42804 for columns of types that do not meet.
  static void check_sides_match(const Query& node, const std::vector<ScopeColumn>& left,
                                const std::vector<ScopeColumn>& right);
  /// `columns`: of the side; `both`: of the result; `wide`: those that need all 38 digits.
  static std::string widened_side(std::string text, const std::vector<ScopeColumn>& columns,
                                  const std::vector<ScopeColumn>& both,
                                  const std::vector<bool>& wide);

  // What is used (column_use.cc). Each does nothing unless somebody asks.
  void note_call(const DefinedFunction& function, const Expression& node) const;
  void note_column(const Expression& node) const;
  void note_star(const Select& node, const SelectItem& item) const;
  void note_join(const TableReference& node) const;
  /// All columns of the innermost scope, or of one of its tables.
  void note_all() const;
  void note_all(const ScopeTable& table) const;

  // (+) and CONNECT BY (emit_oracle.cc).
  [[nodiscard]] static bool has_outer_marks(const Select& node);
  [[nodiscard]] std::optional<std::size_t> table_of(const Expression& column) const;
  std::string outer_joined_tables(const Select& node, std::string& where);
  void hierarchy(const Select& node);
  void hierarchy_value(const Expression& node);
  void hierarchy_path(const Expression& node);
  [[nodiscard]] bool is_level(const Expression& node) const;

  // Statements.
  std::string insert(const InsertStatement& node);
  std::vector<const RelationColumn*> insert_targets(const InsertStatement& node,
                                                    const Relation* relation) const;
  void insert_values(const Query& rows, const std::vector<const RelationColumn*>& targets);
  /// `all_columns`: the statement names none.
  void insert_query(const Query& rows, const std::vector<const RelationColumn*>& targets,
                    bool all_columns);
  std::string update(const UpdateStatement& node);
  /// The condition that joins the changed table to itself where FROM has it under another name and
  /// nothing else says how the two meet: as in Redshift, both are the same rows then.
  [[nodiscard]] std::string joined_target(const Relation* relation,
                                          const std::vector<TablePtr>& from,
                                          const Expression* where) const;
  void where_joined(const std::string& join, const Expression* where);
  std::string delete_rows(const DeleteStatement& node);
  std::vector<std::string> merge(const MergeStatement& node);
  std::vector<std::string> merge_removing_duplicates(const MergeStatement& node);
  /// INSERT's rows from `source` (a query's text), checked against the lengths of `targets`.
  void checked_rows(const std::string& source, const std::vector<const RelationColumn*>& targets);
  std::vector<std::string> create_table(const CreateTableStatement& node);
  std::string create_table_as(const CreateTableAsStatement& node);
  std::string alter_table(const QualifiedName& table, const AlterTableAction& action);
  std::vector<std::string> drop(const DropStatement& node);
  std::vector<std::string> view_statement(const Statement& node);
  void target_relation(const QualifiedName& name, const std::string& alias);
  void assigned(const Expression& value, const RelationColumn* column);
  /// The column of `relation` (null: not known, as the answer then) with that name, or 42703.
  const RelationColumn* target_column(const Relation* relation, const QualifiedName& table,
                                      const std::string& name, SourceSpan span) const;
  [[nodiscard]] std::string assigned_text(const std::string& value,
                                          const RelationColumn& column) const;
  void column_with_type(const ColumnDefinition& column, const std::string& sequence);

  bool row_comparison(std::string_view op, const Expression& left, const Expression& right);
  /// Many terms that compare columns with constants, as IN or NOT IN of each column; false: nothing
  /// was written.
  bool joined_as_lists(const Expression& node, std::string_view separator);

  static constexpr std::size_t kFloatOperandsMax = 16;
  // The engine plans without hearing a cancellation, in a time that grows with the third power of
  // an expression's depth (300: half a second) and with the square of the terms of AND and OR
  // (10,000: three seconds).
  static constexpr int kDepthMax = 300;
  static constexpr std::size_t kTermsMax = 10'000;
  static constexpr std::size_t kSelectItemsMax = 1664;  ///< as in PostgreSQL
  static constexpr std::size_t kPlainTermsMax = 64;     ///< of OR over AND, see joined()
  static constexpr std::size_t kPlainChainMax = 32;     ///< operands written from left to right
  static constexpr std::size_t kOutputBytesMax = 64 * 1024 * 1024;

  const TranslateContext& context_;
  std::string out_;
  std::vector<Scope> scopes_;
  struct KnownCommonTable {
    std::string name;
    std::vector<ScopeColumn> columns;
    mutable bool read = false;  ///< Something names it.
  };
  std::vector<KnownCommonTable> common_tables_;
  const Relation* merge_target_ = nullptr;  ///< what the source that is written may not read
  const CommonTable* recursion_ = nullptr;  ///< The recursive one whose query is written.
  bool has_parameters_ = false;
  /// Of the scalar subqueries written so far.
  std::map<const Expression*, InferredType> subquery_types_;
  /// Decimals that are written as DECIMAL(38, scale).
  std::map<const Expression*, std::int32_t> wide_choices_;
  SuperUse super_use_ = SuperUse::kValue;
  std::map<const Expression*, Recast> recasts_{};  ///< arguments that are written as something else
  /// Inside of a user's function: what stands for $1 ... $n there.
  struct CallFrame {
    const DefinedFunction* function = nullptr;
    std::vector<std::string> texts;
  };
  const CallFrame* frame_ = nullptr;
  int function_depth_ = 0;
  int depth_ = 0;                         ///< of expressions in each other, as written
  const Expression* filtered_ = nullptr;  ///< the aggregate that gets FILTER (filter_)
  bool filter_written_ = false;
  std::string filter_;
  bool float_checks_ = false;               ///< arithmetic written now is checked; not in a DEFAULT
  const Expression* float_root_ = nullptr;  ///< the operator whose check is being written
  std::set<const Expression*> float_parts_{};  ///< operators that a check around them covers
  bool reads_table_ = false;                   ///< a relation of users was named so far
  bool in_from_function_ = false;              ///< in a call that stands in FROM
  bool in_recursion_ = false;   ///< in a recursive common table: UNION stays at its top
  bool hosts_ = false;          ///< the tables of FROM written now may take elements
  std::size_t hosts_from_ = 0;  ///< ... that begin there or behind
  std::size_t elements_ = 0;    ///< put into tables so far
  std::size_t queries_ = 0;     ///< written so far
  std::size_t reached_ = 0;     ///< the outermost scope whose columns were named so far
  const TableReference* continued_ = nullptr;  ///< elements that the table before has already,
  std::size_t continued_at_ = 0;               ///< ... which begins there
  bool in_natural_ = false;                    ///< in a NATURAL join: its columns are noted
  std::vector<std::string> cut_columns_;    ///< names of columns that tables in FROM give as keys
  bool collations_;                         ///< a text that may be compared without case was seen
  std::vector<const Expression*> filters_;  ///< what must be true of a row that is kept
  std::vector<ScopeColumn> last_columns_;   ///< output columns of the query emitted last
  ColumnUse* use_ = nullptr;                ///< null: nobody asks
  const Expression* item_ = nullptr;        ///< the select item without alias that is being written
};

}  // namespace leat::sql
