// Functions that users define in SQL: their expression stands where they are called.
#include <fmt/format.h>

#include <algorithm>

#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

constexpr int kFunctionDepthMax = 16;  // of functions that call functions

/// The expression of a body, or null when it is no such SELECT.
const Expression* body_expression(const ParsedStatement& parsed) {
  const auto* select = get_if<SelectStatement>(parsed.statement);
  if (select == nullptr || select->query->kind != QueryKind::kSelect) return nullptr;
  const Query& query = *select->query;
  const Select& body = *query.select;
  const bool plain = query.with.empty() && query.order_by.empty() && !query.limit &&
                     !query.offset && body.from.empty() && !body.where && !body.connect_by &&
                     body.group_by.empty() && !body.group_by_all && !body.having && !body.qualify &&
                     !body.top && !body.distinct && body.distinct_on.empty() &&
                     body.items.size() == 1;
  return plain ? body.items[0].value.get() : nullptr;
}

/// A parameter's type without a length: arguments are not cut.
std::string argument_type(const TypeName& type) {
  const bool text = type.kind == TypeKind::kVarchar || type.kind == TypeKind::kChar;
  return text ? "VARCHAR" : duckdb_type(column_type(type));
}

}  // namespace

const DefinedFunction* Emitter::find_defined(const Expression& node) const {
  if (context_.relations == nullptr) return nullptr;
  auto found = context_.relations->find_functions(node.names, node.children.size());
  if (!found) {
    SqlError error = std::move(found).error();
    if (error.position == 0) error.position = node.span.begin + 1;
    throw TranslateFailure{std::move(error)};
  }
  if (found->empty()) return nullptr;
  // Of several the one whose parameters are most like the arguments.
  const auto likeness = [&](const DefinedFunction* function) {
    std::size_t same = 0;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const Expression& argument = *node.children[i];
      const Inferred kind =
          argument.kind == ExpressionKind::kString ? Inferred::kText : infer(argument).kind;
      same += kind == inferred_of(function->parameters[i]).kind ? 1 : 0;
    }
    return same;
  };
  return *std::ranges::max_element(*found, {}, likeness);
}

bool Emitter::call_defined(const Expression& node) {
  const DefinedFunction* function = find_defined(node);
  if (function == nullptr) return false;
  note_call(*function, node);
  if (function_depth_ >= kFunctionDepthMax)
    fail("54001", "functions call each other too deeply", node.span);
  const auto parsed = parse_statement(function->body);
  const Expression* value = parsed && *parsed ? body_expression(**parsed) : nullptr;
  if (value == nullptr) {
    fail("42P13", "the body of function " + function->name + " must be SELECT with one expression",
         node.span);
  }
  // Redshift has neither; a query would read with the rights of nobody in particular.
  const ExpressionParts parts = parts_of(*value);
  if (parts.query || parts.window) {
    fail("42P13",
         fmt::format("the body of function {} cannot have {}", function->name,
                     parts.query ? "subqueries" : "window functions"),
         node.span);
  }
  CallFrame frame{.function = function, .texts = {}};
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    frame.texts.push_back("CAST(" + text_of(*node.children[i]) + " AS " +
                          argument_type(function->parameters[i]) + ")");
  }
  // The body sees its parameters and no column of the caller.
  std::vector<Scope> scopes = std::exchange(scopes_, {});
  const CallFrame* outer = std::exchange(frame_, &frame);
  // The body's tree goes when it is written: nothing may stay that is known by its nodes.
  auto subquery_types = std::exchange(subquery_types_, {});
  ++function_depth_;
  write("CAST(");
  expression(*value);
  write(" AS " + argument_type(function->returns) + ")");
  --function_depth_;
  frame_ = outer;
  subquery_types_ = std::move(subquery_types);
  scopes_ = std::move(scopes);
  return true;
}

}  // namespace leat::sql
