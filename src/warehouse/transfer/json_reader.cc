#include "warehouse/transfer/json_reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace leat::transfer {

using engine::fail_sql;
using engine::SqlResult;
using engine::SqlStatus;
namespace dom = simdjson::dom;

namespace {

constexpr std::size_t kFillBytes = 256 << 10;
constexpr std::size_t kPathSteps = 64;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

JsonSplitter::JsonSplitter(std::unique_ptr<ByteStream> stream, std::uint64_t row_bytes_max)
    : stream_(std::move(stream)), row_bytes_max_(row_bytes_max) {}

SqlResult<bool> JsonSplitter::fill() {
  if (at_end_) return false;
  const bool first = line_next_ == 1 && buffer_.empty();
  buffer_.erase(0, start_);
  next_ -= start_;
  start_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kFillBytes);
  auto count = stream_->read({buffer_.data() + before, kFillBytes});
  buffer_.resize(before + (count ? *count : 0));
  if (!count) return std::unexpected(std::move(count).error());
  at_end_ = *count == 0;
  if (first && buffer_.starts_with("\xEF\xBB\xBF")) buffer_.erase(0, 3);
  return true;
}

void JsonSplitter::take(std::size_t size) {
  line_ =
      line_next_ + std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(start_),
                              buffer_.begin() + static_cast<std::ptrdiff_t>(start_ + size), '\n');
  line_next_ = line_;
  next_ = start_ + size;
  scanned_ = 0;
  depth_ = 0;
  in_string_ = false;
  escaped_ = false;
}

SqlStatus JsonSplitter::skip_lines(std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    while (true) {
      start_ = next_;
      const std::size_t end = buffer_.find('\n', start_);
      if (end != std::string::npos) {
        take(end + 1 - start_);
        break;
      }
      if (at_end_) {
        next_ = buffer_.size();
        return {};
      }
      start_ = next_ = buffer_.size();
      LEAT_TRY(fill());
    }
  }
  return {};
}

std::optional<std::size_t> JsonSplitter::value_size() {
  const std::string_view text = std::string_view(buffer_).substr(start_);
  for (std::size_t i = scanned_; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (c == '}' || c == ']') {
      if (--depth_ == 0) return i + 1;
    }
  }
  scanned_ = text.size();
  return std::nullopt;
}

/// Goes behind the value at start_ without keeping it, and gives its beginning.
SqlResult<bool> JsonSplitter::discard(std::string_view& value) {
  head_ = buffer_.substr(start_, 1024);
  value = head_;
  while (true) {
    if (const auto size = value_size()) {
      take(*size);
      return true;
    }
    line_next_ +=
        std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(start_), buffer_.end(), '\n');
    start_ = next_ = buffer_.size();
    scanned_ = 0;
    LEAT_ASSIGN(const bool more, fill());
    if (!more) {
      take(0);
      return true;
    }
  }
}

SqlResult<bool> JsonSplitter::next(std::string_view& value, std::optional<FieldError>& error) {
  error.reset();
  start_ = next_;
  const auto give_line = [&](std::int32_t code, std::string reason) {
    const std::size_t end = std::min(buffer_.find('\n', start_), buffer_.size());
    take(end - start_);
    value = std::string_view(buffer_).substr(start_, std::min<std::size_t>(end - start_, 4096));
    error = FieldError{.code = code, .reason = std::move(reason)};
    return true;
  };
  while (true) {
    if (scanned_ == 0) {
      while (start_ < buffer_.size() && is_space(buffer_[start_])) {
        if (buffer_[start_] == '\n') ++line_next_;
        ++start_;
      }
      next_ = start_;
    }
    if (start_ == buffer_.size()) {
      LEAT_ASSIGN(const bool more, fill());
      if (!more) return false;
      continue;
    }
    const bool opens = buffer_[start_] == '{' || buffer_[start_] == '[';
    if (!opens) {
      if (buffer_.find('\n', start_) == std::string::npos && !at_end_ &&
          buffer_.size() - start_ < row_bytes_max_) {
        LEAT_TRY(fill());
        continue;
      }
      return give_line(1216, "Invalid JSON: an object or array was expected");
    }
    if (const auto size = value_size()) {
      take(*size);
      value = std::string_view(buffer_).substr(start_, *size);
      return true;
    }
    if (buffer_.size() - start_ > row_bytes_max_) {
      error =
          FieldError{.code = 1216,
                     .reason = fmt::format("The object is longer than {} bytes", row_bytes_max_)};
      return discard(value);
    }
    if (at_end_) {
      error = FieldError{.code = 1216, .reason = "Invalid JSON: the object is not closed"};
      return discard(value);
    }
    LEAT_TRY(fill());
  }
}

namespace {

std::unexpected<engine::SqlError> bad_path(std::string_view path, std::string_view why) {
  return fail_sql("XX000", fmt::format("Invalid JSONPath format: {}: {}", path, why));
}

/// Reads "['name']" or "[3]" at the front of `rest`.
std::optional<JsonStep> take_bracket(std::string_view& rest) {
  rest.remove_prefix(1);
  if (rest.empty()) return std::nullopt;
  if (rest.front() == '\'' || rest.front() == '"') {
    const char quote = rest.front();
    const std::size_t close = rest.find(quote, 1);
    if (close == std::string_view::npos || rest.substr(close + 1, 1) != "]") return std::nullopt;
    std::string name(rest.substr(1, close - 1));
    rest.remove_prefix(close + 2);
    return name;
  }
  const std::size_t close = rest.find(']');
  if (close == std::string_view::npos) return std::nullopt;
  const auto index = parse_number<std::size_t>(rest.substr(0, close));
  if (!index) return std::nullopt;
  rest.remove_prefix(close + 1);
  return *index;
}

}  // namespace

SqlResult<JsonPath> parse_json_path(std::string_view text) {
  std::string_view rest = trim(text);
  if (!rest.starts_with('$')) return bad_path(text, "it must begin with $");
  rest.remove_prefix(1);
  JsonPath out;
  bool dotted = false;
  bool bracketed = false;
  while (!rest.empty()) {
    if (out.size() == kPathSteps) return bad_path(text, "it has too many steps");
    if (rest.front() == '[') {
      auto step = take_bracket(rest);
      if (!step) return bad_path(text, "a bracket holds neither a quoted name nor a number");
      bracketed |= std::holds_alternative<std::string>(*step);
      out.push_back(std::move(*step));
    } else if (rest.front() == '.') {
      rest.remove_prefix(1);
      const std::size_t end = std::min(rest.find_first_of(".["), rest.size());
      const std::string_view name = rest.substr(0, end);
      if (name.empty() || name.find_first_of("'*]") != std::string_view::npos) {
        return bad_path(text, "a name is missing or holds one of ' * ]");
      }
      out.emplace_back(std::string(name));
      rest.remove_prefix(end);
      dotted = true;
    } else {
      return bad_path(text, "steps are .name, ['name'] and [number]");
    }
  }
  if (dotted && bracketed) return bad_path(text, "dot and bracket notation cannot be mixed");
  return out;
}

SqlResult<std::optional<std::vector<JsonPath>>> parse_json_paths(std::string_view text) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(text.data(), text.size(), true).get(object) != simdjson::SUCCESS) {
    return fail_sql("XX000", "The JSONPaths file is not one JSON object in UTF-8");
  }
  dom::element list;
  if (object["jsonpaths"].get(list) != simdjson::SUCCESS) return std::nullopt;
  dom::array array;
  if (list.get(array) != simdjson::SUCCESS) {
    return fail_sql("XX000", "The member \"jsonpaths\" of the JSONPaths file is no list");
  }
  std::vector<JsonPath> out;
  for (const dom::element element : array) {
    std::string_view path;
    if (element.get(path) != simdjson::SUCCESS || trim(path).empty()) {
      return fail_sql("XX000", "A JSONPaths file holds paths as text, none of them empty");
    }
    LEAT_ASSIGN(JsonPath parsed, parse_json_path(path));
    out.push_back(std::move(parsed));
  }
  return out;
}

struct JsonRow::State {
  const JsonMapping& mapping;
  std::vector<FieldConverter>& columns;
  dom::parser parser;
  std::unordered_map<std::string, std::size_t> by_name;  // lower case when ignore_case
  std::vector<std::string> texts;  // of numbers, booleans and nested values, one a column
  std::vector<std::optional<dom::element>> found;

  State(const JsonMapping& map, std::vector<FieldConverter>& targets)
      : mapping(map), columns(targets), texts(targets.size()), found(targets.size()) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string& name = columns[i].column().name;
      by_name[map.ignore_case ? to_lower(name) : name] = i;
    }
  }

  std::optional<Failure> fail(FieldError error, std::size_t column, std::string value) {
    return Failure{.error = std::move(error), .column = column, .value = std::move(value)};
  }

  /// Puts `element` into column `index`.
  std::optional<Failure> set(std::size_t index, dom::element element) {
    FieldConverter& column = columns[index];
    if (element.is_null()) {
      if (auto error = column.set_null()) return fail(std::move(*error), index, "");
      return std::nullopt;
    }
    const bool is_super = column.column().type.kind == sql::TypeKind::kSuper;
    std::string_view text;
    if (!is_super && element.get(text) == simdjson::SUCCESS) {
      if (auto error = column.set(text)) return fail(std::move(*error), index, std::string(text));
      return std::nullopt;
    }
    std::string& owned = texts[index];
    owned = text_of(element);
    if (auto error = column.set(owned)) return fail(std::move(*error), index, owned);
    return std::nullopt;
  }

  static std::string text_of(dom::element element) {
    // Whole numbers keep all their digits.
    double number = 0;
    if (element.type() == dom::element_type::DOUBLE && element.get(number) == simdjson::SUCCESS)
      return fmt::format("{}", number);
    return simdjson::minify(element);
  }

  std::optional<Failure> read_auto(dom::element value) {
    dom::object object;
    if (value.get(object) != simdjson::SUCCESS) {
      return Failure{.error = {.code = 1216, .reason = "Invalid JSON: an object was expected"},
                     .column = std::nullopt,
                     .value = {}};
    }
    std::ranges::fill(found, std::nullopt);
    for (const auto& [key, element] : object) {
      const auto column = by_name.find(mapping.ignore_case ? to_lower(key) : std::string(key));
      // The last of several members of one name wins.
      if (column != by_name.end()) found[column->second] = element;
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (found[i]) {
        if (auto failure = set(i, *found[i])) return failure;
      } else if (auto error = columns[i].set_null()) {
        return fail(std::move(*error), i, "");
      }
    }
    return std::nullopt;
  }

  std::optional<Failure> read_paths(dom::element value) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const JsonPath& path = (*mapping.paths)[i];
      std::optional<dom::element> at = value;
      for (const JsonStep& step : path) {
        dom::element next;
        if (const auto* name = std::get_if<std::string>(&step)) {
          dom::object object;
          if (at->get(object) != simdjson::SUCCESS) {
            return fail(
                {.code = 1216, .reason = "Invalid JSONPath format: Member is not an object."}, i,
                text_of(*at));
          }
          if (object[*name].get(next) != simdjson::SUCCESS) {
            at.reset();
            break;
          }
        } else {
          dom::array array;
          if (at->get(array) != simdjson::SUCCESS ||
              array.at(std::get<std::size_t>(step)).get(next) != simdjson::SUCCESS) {
            return fail({.code = 1216,
                         .reason = "Invalid JSONPath format: Not an array or index out of range."},
                        i, text_of(*at));
          }
        }
        at = next;
      }
      if (at) {
        if (auto failure = set(i, *at)) return failure;
      } else if (auto error = columns[i].set_null()) {
        return fail(std::move(*error), i, "");
      }
    }
    return std::nullopt;
  }
};

JsonRow::JsonRow(const JsonMapping& mapping, std::vector<FieldConverter>& columns)
    : state_(std::make_unique<State>(mapping, columns)) {}
JsonRow::~JsonRow() = default;

std::optional<JsonRow::Failure> JsonRow::read(std::string_view value) {
  State& state = *state_;
  dom::element root;
  const auto parsed = state.parser.parse(value.data(), value.size(), true).get(root);
  if (parsed != simdjson::SUCCESS) {
    return Failure{.error = {.code = 1216,
                             .reason = fmt::format(
                                 "Invalid JSON: {}",
                                 std::string_view(simdjson::error_message(parsed)).substr(0, 80))},
                   .column = std::nullopt,
                   .value = {}};
  }
  if (state.mapping.whole) return state.set(0, root);
  return state.mapping.paths ? state.read_paths(root) : state.read_auto(root);
}

}  // namespace leat::transfer
