// The error type of the whole program, and the two macros that pass it on.
//
// A function that can fail returns Result<T> or Status. No exception crosses a module edge: modules
// that call throwing libraries translate at the seam. Messages are lower case: what failed, then
// the changing values (object, numbers), then the next step for the reader, separated by "; ".
#pragma once

#include <cstdint>
#include <expected>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace leat {

/// What the caller should do next. The HTTP status, SQLSTATE and exit code follow from it
/// (docs/reference/errors.md).
enum class Errc : std::uint8_t {
  kInvalid,      ///< The input is wrong: reject it, never retry.
  kNotFound,     ///< The object does not exist: re-read state, then decide.
  kConflict,     ///< The object exists or changed: re-read state, then decide.
  kDenied,       ///< Identity or grant is missing.
  kExhausted,    ///< A limit or quota is reached: back off, shed load.
  kUnavailable,  ///< Retry this call with a budget.
  kAborted,      ///< Restart the larger operation from its start.
  kCorrupt,      ///< Stored bytes are wrong: stop this log or table and alert.
  kUnsupported,  ///< Not implemented: the message says what and what to do instead.
  kBug,          ///< An invariant of the program is broken.
};

/// Stable lower-case name of a code, such as "invalid". Pure; any thread.
[[nodiscard]] std::string_view errc_name(Errc code);

struct Error {
  Errc code = Errc::kBug;
  std::string message;
  std::source_location where = std::source_location::current();

  /// "invalid: message", for a person. Source locations belong in logs only.
  [[nodiscard]] std::string to_string() const;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

/// Makes the error alternative of a Result: `return fail(Errc::kNotFound, "...");`
[[nodiscard]] inline std::unexpected<Error> fail(
    Errc code, std::string message, std::source_location where = std::source_location::current()) {
  return std::unexpected(Error{code, std::move(message), where});
}

/// Error of a failed system call: picks the code from `error_number` (ENOSPC and EDQUOT:
/// kExhausted, ENOENT: kNotFound, EACCES and EPERM: kDenied, EEXIST: kConflict, else kUnavailable)
/// and appends its text to `what`.
[[nodiscard]] std::unexpected<Error> fail_errno(
    int error_number, std::string_view what,
    std::source_location where = std::source_location::current());

}  // namespace leat

#define LEAT_CAT_IMPL(a, b) a##b
#define LEAT_CAT(a, b) LEAT_CAT_IMPL(a, b)

/// Returns the error of `expr` (a Status or Result) from the enclosing function, or goes on.
#define LEAT_TRY(expr)                                        \
  do {                                                        \
    if (auto leat_result = (expr); !leat_result) [[unlikely]] \
      return std::unexpected(std::move(leat_result).error()); \
  } while (false)

#define LEAT_ASSIGN_IMPL(tmp, decl, expr)           \
  auto tmp = (expr);                                \
  if (!tmp) [[unlikely]]                            \
    return std::unexpected(std::move(tmp).error()); \
  decl = std::move(*tmp)

/// `LEAT_ASSIGN(const auto size, file.size());`: declares from the value, or returns the error.
#define LEAT_ASSIGN(decl, ...) \
  LEAT_ASSIGN_IMPL(LEAT_CAT(leat_result_, __LINE__), decl, (__VA_ARGS__))
