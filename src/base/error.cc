#include "base/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace leat {

std::string_view errc_name(Errc code) {
  switch (code) {
    case Errc::kInvalid:
      return "invalid";
    case Errc::kNotFound:
      return "not found";
    case Errc::kConflict:
      return "conflict";
    case Errc::kDenied:
      return "denied";
    case Errc::kExhausted:
      return "exhausted";
    case Errc::kUnavailable:
      return "unavailable";
    case Errc::kAborted:
      return "aborted";
    case Errc::kCorrupt:
      return "corrupt";
    case Errc::kUnsupported:
      return "unsupported";
    case Errc::kBug:
      return "bug";
  }
  return "unknown";
}

std::string Error::to_string() const {
  return fmt::format("{}: {}", errc_name(code), message);
}

std::unexpected<Error> fail_errno(int error_number, std::string_view what,
                                  std::source_location where) {
  Errc code = Errc::kUnavailable;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      code = Errc::kExhausted;
      break;
    case ENOENT:
    case ENOTDIR:
      code = Errc::kNotFound;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = Errc::kDenied;
      break;
    case EEXIST:
      code = Errc::kConflict;
      break;
    case EINVAL:
    case ENAMETOOLONG:
      code = Errc::kInvalid;
      break;
    default:
      break;
  }
  return fail(code, fmt::format("{}: {}", what, std::generic_category().message(error_number)),
              where);
}

}  // namespace leat
