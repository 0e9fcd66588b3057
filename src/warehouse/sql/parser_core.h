// The parser's cursor over the tokens and all of its grammar rules. Rules throw ParseFailure, which
// never leaves the module: the public functions in parser.cc catch it.
#pragma once

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/sql/ast.h"
#include "warehouse/sql/lexer.h"
#include "warehouse/sql/parser.h"

namespace leat::sql {

struct ParseFailure {
  SqlError error;
};

/// The element (or tree) the parser refuses to nest deeper.
class NestingGuard {
 public:
  NestingGuard(int& nesting, const std::string_view& script, const Token& token)
      : nesting_(nesting) {
    if (++nesting_ > kNestingDepthMax) refuse(script, token);
  }
  ~NestingGuard() { --nesting_; }
  NestingGuard(const NestingGuard&) = delete;
  NestingGuard& operator=(const NestingGuard&) = delete;

 private:
  [[noreturn]] void refuse(std::string_view script, const Token& token);

  int& nesting_;
};

class Parser {
 public:
  /// `tokens` must outlive the parser and end with kEnd.
  Parser(std::string_view script, const std::vector<Token>& tokens)
      : script_(script), tokens_(tokens) {}

  [[nodiscard]] bool at_end() const { return token().kind == TokenKind::kEnd; }
  [[nodiscard]] bool accept_semicolon() { return accept_operator(";"); }
  /// Parses one statement; the cursor then stands at ';' or the end, or this throws.
  ParsedStatement parsed_statement();
  ExpressionPtr expression(int minimum_power = 0);
  QueryPtr query();
  TypeName type_name();
  void expect_end();

 private:
  // Cursor.
  [[nodiscard]] const Token& token(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  [[nodiscard]] bool at(Word word, std::size_t ahead = 0) const {
    return token(ahead).word == word;
  }
  [[nodiscard]] bool at_any(std::initializer_list<Word> words, std::size_t ahead = 0) const;
  [[nodiscard]] bool at_operator(std::string_view text, std::size_t ahead = 0) const {
    const Token& candidate = token(ahead);
    if (candidate.kind != TokenKind::kOperator || candidate.text.front() != text.front()) {
      return false;
    }
    return candidate.text.size() == text.size() && (text.size() == 1 || candidate.text == text);
  }
  [[nodiscard]] bool at_kind(TokenKind kind, std::size_t ahead = 0) const {
    return token(ahead).kind == kind;
  }
  void advance(std::size_t count = 1) { at_ += count; }
  bool accept(Word word) {
    if (!at(word)) return false;
    advance();
    return true;
  }
  bool accept(Word first, Word second) {
    if (!at(first) || !at(second, 1)) return false;
    advance(2);
    return true;
  }
  bool accept_operator(std::string_view text) {
    if (!at_operator(text)) return false;
    advance();
    return true;
  }
  void expect(Word word) {
    if (!accept(word)) syntax_error();
  }
  void expect_operator(std::string_view text) {
    if (!accept_operator(text)) syntax_error();
  }
  [[nodiscard]] SourceSpan span_from(std::size_t first_token) const;
  [[noreturn]] void syntax_error() const { syntax_error(token()); }
  [[noreturn]] void syntax_error(const Token& where) const;
  [[noreturn]] void fail_at(const Token& where, std::string sqlstate, std::string message) const;
  [[noreturn]] void unsupported(const Token& where, std::string what) const {
    fail_at(where, "0A000", std::move(what) + " is not supported");
  }
  NestingGuard nest() { return {nesting_, script_, token()}; }

  // Names and simple values.
  [[nodiscard]] static bool is_name(const Token& token);
  [[nodiscard]] static bool is_label(const Token& token);
  [[nodiscard]] static bool is_bare_alias(const Token& token);
  std::string name();
  std::string label();
  std::string any_case_name();
  QualifiedName qualified_name(std::size_t parts_max = 4);
  std::vector<QualifiedName> qualified_names();
  std::vector<std::string> names();
  std::vector<std::string> name_list();
  std::vector<std::string> optional_name_list();
  std::vector<std::string> common_table_columns();
  std::string string_literal();
  std::string string_or_name();
  std::int64_t integer();
  double number();
  std::optional<bool> accept_on_off();

  // Expressions.
  ExpressionPtr make(ExpressionKind kind, std::size_t first_token) const;
  ExpressionPtr done(ExpressionPtr node);
  ExpressionPtr unary(std::string_view op, int power, std::size_t first_token);
  ExpressionPtr binary(std::string_view op, ExpressionPtr left, ExpressionPtr right);
  ExpressionPtr infix(ExpressionPtr left, int minimum_power, bool& more);
  ExpressionPtr infix_word(ExpressionPtr left, int minimum_power, bool& more);
  ExpressionPtr logical(ExpressionKind kind, ExpressionPtr left, int power);
  ExpressionPtr comparison_tail(std::string_view op, ExpressionPtr left, int power);
  ExpressionPtr is_tail(ExpressionPtr left);
  ExpressionPtr between_tail(ExpressionPtr left, bool negated);
  ExpressionPtr in_tail(ExpressionPtr left, bool negated);
  ExpressionPtr like_tail(ExpressionPtr left, bool negated);
  ExpressionPtr prefix();
  ExpressionPtr prefix_word();
  ExpressionPtr hierarchy_operator();
  bool at_outer_join_mark(std::size_t ahead) const;
  ExpressionPtr postfix(ExpressionPtr value);
  ExpressionPtr parenthesized();
  ExpressionPtr parameter();
  ExpressionPtr literal(ExpressionKind kind, std::string_view text);
  ExpressionPtr typed_literal_or_null();
  void type_modifiers(TypeName& type, bool is_float);
  void time_zone_words(TypeName& type);
  void interval_type_fields(TypeName& type);
  ExpressionPtr interval_literal();
  ExpressionPtr case_expression();
  ExpressionPtr cast_call();
  ExpressionPtr convert_call();
  ExpressionPtr array_value();
  ExpressionPtr exists_or_subquery(ExpressionKind kind);
  ExpressionPtr column_or_function();
  ExpressionPtr function_call(std::vector<std::string> function_name, std::size_t first_token);
  void function_arguments(Expression& node);
  bool special_arguments(Expression& node);
  void object_transform_arguments(Expression& node);
  void function_tail(Expression& node);
  std::unique_ptr<Window> window();
  std::unique_ptr<WindowFrame> window_frame();
  FrameBound frame_bound(ExpressionPtr& offset);
  std::vector<OrderItem> order_items();
  std::vector<ExpressionPtr> expressions();
  std::string operator_name();

  // Queries.
  QueryPtr query_term(int minimum_power);
  QueryPtr query_primary();
  QueryPtr finish_query(QueryPtr node, std::size_t first_token, std::uint16_t outer);
  void with_clause(std::vector<CommonTable>& tables, bool& recursive);
  void query_tail(Query& node);
  std::unique_ptr<Select> select();
  void select_items(Select& node);
  void connect_by(Select& node);
  void group_by(Select& node);
  ExpressionPtr grouping_element();
  std::vector<TablePtr> table_list();
  TablePtr table_reference();
  TablePtr table_factor();
  TablePtr table_primary();
  TablePtr bracketed_table(std::size_t first);
  TablePtr nested_join(TablePtr left);
  void pivot_values(TableReference& node);
  TablePtr pivot(TablePtr source);
  TablePtr unpivot(TablePtr source);
  void table_alias(TableReference& node);
  TablePtr finish_table(TablePtr node, std::size_t first_token);
  std::vector<std::vector<ExpressionPtr>> values_rows();
  [[nodiscard]] bool at_query(std::size_t ahead = 0) const;
  [[nodiscard]] bool at_whole_query() const;
  [[nodiscard]] std::size_t closing_bracket(std::size_t opening) const;
  SourceSpan query_with_span(QueryPtr& out);

  // Statements.
  StatementNode statement();
  StatementNode select_statement();
  StatementNode dml_with();
  StatementNode insert(std::vector<CommonTable> with, bool recursive);
  StatementNode update(std::vector<CommonTable> with, bool recursive);
  StatementNode delete_rows(std::vector<CommonTable> with, bool recursive);
  StatementNode merge();
  std::vector<Assignment> assignments();
  StatementNode create();
  bool if_not_exists();
  StatementNode create_table(bool temporary);
  void check_column_type(const ColumnDefinition& column, const Token& where) const;
  DistributionStyle distribution_style();
  bool sort_key_attribute(TableAttributes& attributes);
  StatementNode create_table_as(CreateTableStatement head, std::vector<std::string> columns);
  void table_element(CreateTableStatement& node);
  ColumnDefinition column_definition();
  bool column_attribute(ColumnDefinition& column);
  Identity identity_arguments();
  std::string encoding();
  TableConstraint table_constraint();
  ForeignKey foreign_key();
  bool table_attribute(TableAttributes& attributes);
  void check_attributes(const CreateTableStatement& node, const Token& where) const;
  std::string key_name();
  StatementNode create_schema();
  StatementPtr schema_element();
  void on_commit(bool temporary);
  StatementNode create_database();
  StatementNode create_view(bool or_replace);
  StatementNode create_materialized_view();
  std::int64_t quota();
  StatementNode alter();
  StatementNode alter_table();
  AlterTableAction alter_table_action();
  AlterTableAction alter_add();
  AlterTableAction alter_drop();
  AlterTableAction alter_alter();
  StatementNode alter_schema();
  StatementNode alter_database();
  StatementNode object_statement();   ///< about objects, neither CREATE, ALTER nor DROP
  StatementNode session_statement();  ///< transactions, settings, cursors, ...
  StatementNode reset();
  StatementNode drop();
  /// USER, GROUP or ROLE; 0A000 for what cannot be dropped here.
  ObjectKind dropped_person(const Token& where);
  /// TABLE, VIEW, MATERIALIZED VIEW, SCHEMA or DATABASE; nothing when another word stands there.
  std::optional<ObjectKind> accept_object_kind();
  StatementNode comment();
  StatementNode transaction();
  void transaction_modes(std::string& isolation, std::optional<bool>& read_only);
  StatementNode set_transaction(SettingScope scope);
  double number_after_sign();
  StatementNode show_discovery(ShowStatement node);
  void show_grants(ShowStatement& node);
  void show_signature(ShowStatement& node);
  StatementNode set();
  SetStatement set_assignment(SettingScope scope);
  std::vector<std::string> setting_values(bool& to_default);
  StatementNode show();
  StatementNode copy();
  /// Reads options with `one` to the statement's end, each once.
  void options(const std::function<bool()>& one);
  bool copy_option(CopyStatement& node);
  bool copy_format(CopyStatement& node);
  bool copy_conversion(CopyStatement& node);
  bool copy_flag(CopyStatement& node);
  bool copy_loading(CopyStatement& node);
  std::int64_t integer_in_string();
  std::optional<FileCompression> accept_compression();
  void parse_unload_query(UnloadStatement& node, const Token& where);
  bool unload_text_option(UnloadStatement& node);
  bool credentials(Credentials& node);
  std::string optional_as_string();
  StatementNode unload();
  bool unload_option(UnloadStatement& node);
  double file_size_mb();
  StatementNode create_user();
  StatementNode alter_user();
  bool user_option(UserOptions& options);
  StatementNode create_group();
  StatementNode alter_group();
  StatementNode create_role();
  StatementNode create_function(bool or_replace);
  StatementNode drop_function();
  /// (type, ...): what tells functions of one name apart.
  std::vector<TypeName> parameter_types();
  StatementNode alter_role();
  GrantStatement grant_body(bool revoke);
  std::vector<Privilege> privileges();
  void grant_target(GrantStatement& node);
  void grant_scope(GrantStatement& node);
  void grant_routines(GrantStatement& node);
  std::vector<Grantee> grantees();
  StatementNode alter_default_privileges();
  StatementNode analyze();
  StatementNode vacuum();
  StatementNode prepare();
  StatementNode execute();
  StatementNode deallocate();
  StatementNode declare_cursor();
  StatementNode fetch();
  StatementNode explain();

  std::string_view script_;
  std::span<const Token> tokens_;
  std::size_t at_ = 0;
  // Of each opening bracket its closing one; made when it is first asked for.
  mutable std::vector<std::size_t> closings_;
  int nesting_ = 0;
  int retries_ = 0;  ///< brackets in FROM read twice; bounded, so that the time stays linear
  static constexpr int kRetriesMax = 32;
  int parameter_count_ = 0;
  std::uint16_t deepest_ = 0;  ///< depth of the deepest node finished since it was last set back
  std::optional<CreateTableAsStatement>
      into_;  ///< SELECT ... INTO, handed from select() to select_statement()
  bool in_connect_by_ = false;
  bool into_allowed_ = false;
};

}  // namespace leat::sql
