// The raw bytes of the values of a JSON document that simdjson has parsed: its DOM keeps none, but
// the parser still holds the positions of all structural characters (brackets, colons, commas, and
// the first byte of every scalar).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat::collect {

/// Walks the structural characters of a valid document beside a walk through its DOM:
///
///   walk.enter(); for (field : object) { walk.skip_key(); raw = walk.take_value(); } walk.leave();
class SliceWalk {
 public:
  /// `positions`: of the `count` structural characters of `bytes`, which is valid JSON. Both must
  /// outlive the walk.
  SliceWalk(std::string_view bytes, const std::uint32_t* positions, std::size_t count)
      : bytes_(bytes), positions_(positions), count_(count) {}

  /// Number of the structural character at the current place, for a later walk to go_to().
  [[nodiscard]] std::size_t place() const { return at_; }
  void go_to(std::size_t place) { at_ = place; }
  /// Where the value or key at the current place begins.
  [[nodiscard]] std::size_t position() const { return positions_[at_]; }

  /// Steps into the object or array at the current place.
  void enter() { ++at_; }
  /// Steps over a key and its colon.
  void skip_key() { at_ += 2; }
  /// Steps over the value at the current place and the comma behind it; returns the value's bytes.
  [[nodiscard]] std::string_view take_value();
  /// Steps over the closing bracket of what was entered, and the comma behind it.
  void leave() {
    ++at_;
    skip_comma();
  }

 private:
  [[nodiscard]] char byte(std::size_t at) const { return bytes_.data()[positions_[at]]; }
  [[nodiscard]] std::size_t skip_value(std::size_t at) const;
  [[nodiscard]] std::size_t skip_object(std::size_t at) const;
  [[nodiscard]] std::size_t skip_array(std::size_t at) const;
  void skip_comma() {
    if (at_ < count_ && bytes_[positions_[at_]] == ',') ++at_;
  }

  std::string_view bytes_;
  const std::uint32_t* positions_;
  std::size_t count_;
  std::size_t at_ = 0;
};

}  // namespace leat::collect
