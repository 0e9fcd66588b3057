#include "pipeline/collect/slices.h"

namespace leat::collect {

// Both skips visit two of the four structural characters of a member: keys and colons are where the
// grammar says. The document is valid, and at most Limits::depth_max deep, so the recursion is too.

std::size_t SliceWalk::skip_value(std::size_t at) const {
  const char first = byte(at);
  if (first == '{') return skip_object(at);
  if (first == '[') return skip_array(at);
  return at + 1;
}

std::size_t SliceWalk::skip_object(std::size_t at) const {
  if (byte(++at) == '}') return at + 1;
  do {
    at = skip_value(at + 2);
  } while (byte(at++) == ',');
  return at;
}

std::size_t SliceWalk::skip_array(std::size_t at) const {
  if (byte(++at) == ']') return at + 1;
  do {
    at = skip_value(at);
  } while (byte(at++) == ',');
  return at;
}

std::string_view SliceWalk::take_value() {
  const std::size_t first = positions_[at_];
  const bool container = bytes_[first] == '{' || bytes_[first] == '[';
  at_ = skip_value(at_);
  std::size_t end = 0;
  if (container) {
    end = positions_[at_ - 1] + 1;
  } else {
    end = at_ < count_ ? positions_[at_] : bytes_.size();
    while (end > first && (bytes_[end - 1] == ' ' || bytes_[end - 1] == '\t' ||
                           bytes_[end - 1] == '\n' || bytes_[end - 1] == '\r')) {
      --end;
    }
  }
  skip_comma();
  return bytes_.substr(first, end - first);
}

}  // namespace leat::collect
