// The least and the greatest value of a column chunk, for its statistics.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace leat::columns {

/// Of values of one kind: all notes between two clear() are of the same kind. One thread at a time.
class ValueRange {
 public:
  /// `wanted` false: nothing is noted, and no range is ever known.
  explicit ValueRange(bool wanted) : wanted_(wanted) {}
  void note_texts(std::span<const std::string_view> texts);
  void note_integers(std::span<const std::int64_t> values);
  void note_reals(std::span<const double> values);
  /// Some value cannot be told: there is no range until the next clear().
  void give_up() { unknown_ = true; }
  void clear();

  /// False when nothing was noted, a text is too long to be kept or a number is NaN.
  [[nodiscard]] bool is_known() const { return has_value_ && !unknown_; }

  struct Texts {
    std::string_view min;
    std::string_view max;
  };
  struct Integers {
    std::int64_t min = 0;
    std::int64_t max = 0;
  };
  struct Reals {
    double min = 0;
    double max = 0;
  };
  [[nodiscard]] Texts texts() const { return {min_text_, max_text_}; }
  [[nodiscard]] Integers integers() const { return integers_; }
  /// As the format asks: a zero is -0 below and +0 above.
  [[nodiscard]] Reals reals() const;

 private:
  void note_text(std::string_view text, std::uint64_t prefix);

  bool wanted_;
  bool has_value_ = false;
  bool unknown_ = false;
  Integers integers_;
  Reals reals_;
  std::string min_text_;
  std::string max_text_;
  std::uint64_t min_prefix_ = 0;  // order_prefix of the texts: tells most comparisons
  std::uint64_t max_prefix_ = 0;
};

}  // namespace leat::columns
