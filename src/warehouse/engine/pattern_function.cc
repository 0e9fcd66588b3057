// The functions behind REGEXP_COUNT, REGEXP_INSTR, REGEXP_REPLACE and REGEXP_SUBSTR with the p
// flag:
//
//   leat_pcre_count(text, pattern, start)
//   leat_pcre_instr(text, pattern, start, occurrence, after, group)   0: none
//   leat_pcre_replace(text, pattern, replacement, start)              $0 ... $9 in the replacement
//   leat_pcre_substr(text, pattern, start, occurrence, group)         empty: none
//
// Positions count characters from 1. A search begins at its start as if the text began there.
#include "warehouse/engine/pattern_function.h"

#include <fmt/format.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "warehouse/engine/database.h"
#include "warehouse/engine/duckdb_bridge.h"
#include "warehouse/engine/function.h"

namespace leat::engine {
namespace {

// One match may take so many steps, which is some tens of milliseconds, and so much memory: a
// pattern that backtracks without end stops here.
constexpr std::uint32_t kStepsMax = 1'000'000;
constexpr std::uint32_t kHeapKibibytesMax = 16 * 1024;

struct Free {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

struct Compiled {
  std::string text;
  std::unique_ptr<pcre2_code, Free> code;
  std::unique_ptr<pcre2_match_data, Free> data;
  std::unique_ptr<pcre2_match_context, Free> context;
};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string message_of(int code) {
  std::array<unsigned char, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

SqlStatus compile(Compiled& compiled, std::string_view pattern) {
  if (compiled.code != nullptr && compiled.text == pattern) return {};
  int code = 0;
  std::size_t at = 0;
  compiled.code.reset(pcre2_compile(bytes_of(pattern), pattern.size(),
                                    PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, nullptr));
  if (compiled.code == nullptr) {
    return fail_sql("2201B", fmt::format("invalid regular expression at byte {}: {}", at + 1,
                                         message_of(code)));
  }
  compiled.text = pattern;
  compiled.data.reset(pcre2_match_data_create_from_pattern(compiled.code.get(), nullptr));
  if (compiled.context == nullptr) {
    compiled.context.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(compiled.context.get(), kStepsMax);
    pcre2_set_depth_limit(compiled.context.get(), kStepsMax);
    pcre2_set_heap_limit(compiled.context.get(), kHeapKibibytesMax);
  }
  return {};
}

/// The length of the character that begins at `at`.
std::size_t character_bytes(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
  return end - at;
}

/// `text` from its character number `start`, from 1.
std::string_view from_character(std::string_view text, std::int64_t start) {
  std::size_t at = 0;
  for (std::int64_t i = 1; i < start && at < text.size(); ++i) at += character_bytes(text, at);
  return text.substr(at);
}

std::int64_t character_count(std::string_view text) {
  return std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; });
}

/// The match number `occurrence`, from 1; empty: there is none.
SqlResult<std::vector<PatternSpan>> find_match(std::string_view pattern, std::string_view text,
                                               std::int64_t occurrence) {
  std::vector<PatternSpan> found;
  if (occurrence < 1) return found;
  LEAT_TRY(each_match(pattern, text, [&](const std::vector<PatternSpan>& spans) {
    if (--occurrence == 0) found = spans;
    return occurrence > 0;
  }));
  return found;
}

/// The match or its group that is wished for; a pattern without groups ignores such a wish. Null:
/// there is none.
const PatternSpan* chosen(const std::vector<PatternSpan>& spans, std::int64_t wished) {
  if (spans.empty()) return nullptr;
  const auto group = static_cast<std::size_t>(wished);
  const PatternSpan& span = spans[group < spans.size() ? group : 0];
  return span.begin > span.end ? nullptr : &span;
}

std::string expanded(std::string_view replacement, std::string_view text,
                     const std::vector<PatternSpan>& spans) {
  std::string out;
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const bool group = replacement[i] == '$' && i + 1 < replacement.size() &&
                       replacement[i + 1] >= '0' && replacement[i + 1] <= '9';
    if (!group) {
      out += replacement[i];
      continue;
    }
    const auto number = static_cast<std::size_t>(replacement[++i] - '0');
    if (number >= spans.size() || spans[number].begin > spans[number].end) continue;
    out += text.substr(spans[number].begin, spans[number].end - spans[number].begin);
  }
  return out;
}

SqlStatus count(const Chunk& arguments, std::size_t row, FunctionOutput& output) {
  const std::string_view text =
      from_character(arguments.column(0).text(row), arguments.column(2).integer(row));
  std::int32_t matches = 0;
  LEAT_TRY(each_match(arguments.column(1).text(row), text, [&](const auto&) {
    ++matches;
    return true;
  }));
  output.set_int32(row, matches);
  return {};
}

SqlStatus instr(const Chunk& arguments, std::size_t row, FunctionOutput& output) {
  const std::string_view whole = arguments.column(0).text(row);
  const std::string_view text = from_character(whole, arguments.column(2).integer(row));
  LEAT_ASSIGN(const auto spans,
              find_match(arguments.column(1).text(row), text, arguments.column(3).integer(row)));
  const PatternSpan* const found = chosen(spans, arguments.column(5).integer(row));
  if (found == nullptr) {
    output.set_int32(row, 0);
    return {};
  }
  const bool after = arguments.column(4).integer(row) != 0;
  const std::size_t at = whole.size() - text.size() + (after ? found->end : found->begin);
  output.set_int32(row, static_cast<std::int32_t>(character_count(whole.substr(0, at)) + 1));
  return {};
}

SqlStatus replace(const Chunk& arguments, std::size_t row, FunctionOutput& output) {
  const std::string_view whole = arguments.column(0).text(row);
  const std::string_view text = from_character(whole, arguments.column(3).integer(row));
  std::string out(whole.substr(0, whole.size() - text.size()));
  std::size_t copied = 0;
  LEAT_TRY(each_match(arguments.column(1).text(row), text, [&](const auto& spans) {
    out += text.substr(copied, spans[0].begin - copied);
    out += expanded(arguments.column(2).text(row), text, spans);
    copied = spans[0].end;
    return true;
  }));
  out += text.substr(copied);
  output.set_text(row, out);
  return {};
}

SqlStatus substr(const Chunk& arguments, std::size_t row, FunctionOutput& output) {
  const std::string_view text =
      from_character(arguments.column(0).text(row), arguments.column(2).integer(row));
  LEAT_ASSIGN(const auto spans,
              find_match(arguments.column(1).text(row), text, arguments.column(3).integer(row)));
  const PatternSpan* const found = chosen(spans, arguments.column(4).integer(row));
  output.set_text(row, found == nullptr ? std::string_view()
                                        : text.substr(found->begin, found->end - found->begin));
  return {};
}

}  // namespace

SqlStatus each_match(std::string_view pattern, std::string_view text,
                     const std::function<bool(const std::vector<PatternSpan>&)>& visit) {
  thread_local Compiled compiled;
  LEAT_TRY(compile(compiled, pattern));
  std::vector<PatternSpan> spans;
  // An empty match is tried again at its place for one that is not, as Perl does.
  std::uint32_t options = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const int found =
        pcre2_match(compiled.code.get(), bytes_of(text), text.size(), at,
                    PCRE2_NO_UTF_CHECK | options, compiled.data.get(), compiled.context.get());
    if (found == PCRE2_ERROR_NOMATCH) {
      if (options == 0 || at >= text.size()) return {};
      options = 0;
      at += character_bytes(text, at);
      continue;
    }
    if (found < 0) {
      return fail_sql(
          "54001", "the regular expression needs too much work on a value: " + message_of(found) +
                       ". Write it so that it has fewer ways to match the same text.");
    }
    const std::size_t* const ends = pcre2_get_ovector_pointer(compiled.data.get());
    spans.assign(pcre2_get_ovector_count(compiled.data.get()), {.begin = 1, .end = 0});
    for (std::size_t i = 0; i < static_cast<std::size_t>(found); ++i) {
      if (ends[2 * i] != PCRE2_UNSET) spans[i] = {ends[2 * i], ends[2 * i + 1]};
    }
    // \K may set a match's begin behind its end.
    spans[0].begin = std::min(spans[0].begin, spans[0].end);
    if (!visit(spans)) return {};
    const bool moved = spans[0].end > at;
    at = std::max(at, spans[0].end);
    options = moved && spans[0].begin < spans[0].end ? 0 : PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED;
  }
  return {};
}

SqlStatus add_pattern_functions(Database& database) {
  const ColumnType text{.type = Type::kVarchar};
  const ColumnType number{.type = Type::kInt32};
  const auto add = [&](const char* name, const std::vector<ColumnType>& parameters,
                       const ColumnType& returns, auto run) {
    return database.add_function(
        {.name = name, .parameters = parameters, .returns = returns, .run = run});
  };
  LEAT_TRY(add("leat_pcre_count", {text, text, number}, number, count));
  LEAT_TRY(add("leat_pcre_instr", {text, text, number, number, number, number}, number, instr));
  LEAT_TRY(add("leat_pcre_replace", {text, text, text, number}, text, replace));
  return add("leat_pcre_substr", {text, text, number, number, number}, text, substr);
}

}  // namespace leat::engine
