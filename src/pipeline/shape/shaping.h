// One pass of the shaper over the batches of a sync: what shaper.cc (lines and events), placing.cc
// (values into columns) and rescue.cc (what fits nowhere) share. Used by those three only.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "pipeline/shape/event_reader.h"
#include "pipeline/shape/rules.h"
#include "pipeline/shape/shaper.h"
#include "pipeline/shape/table.h"

namespace leat::shape {

/// Finds by string_view in a map of strings.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return hash64(text); }
};

/// The times of one event, as values for its columns.
struct EventTimes {
  Value sent_at;
  Value original;
  bool has_sent_at = false;
  bool has_original = false;
  TimeUs corrected;
  Value timestamp;  // beside original, when it is none
  bool has_bad_timestamp = false;
};

/// Type of a new column that its first value alone does not tell.
struct DecidedType {
  columns::Type type = columns::Type::kVarchar;
  ValueKind first = ValueKind::kNever;  // as Table::add takes it
};
/// By table and column.
using DecidedTypes = std::map<std::pair<std::string, std::string>, DecidedType>;

/// A value whose column cannot be made, and the name that the column would have.
struct Overflowing {
  std::string_view name;
  const Value* value;
};

/// What one or more rows of the rescue table keep. The text must live until flush.
struct Rescued {
  std::string_view table;
  std::string_view column;  // empty for a whole event
  std::string_view reason;
  std::string_view value;
  std::string_view detail;
  std::string_view encoding = "json";
};

/// One pass over the batches of a sync. One thread at a time.
struct Shaper {
  Shaper(const Options& options_in, const std::vector<KnownTable>& known_in,
         DecidedTypes& decided_in)
      : options(options_in),
        rules(new_column_rules(options_in)),
        decided(decided_in),
        reader(paths, arena, options_in.objects != Nested::kFlatten) {
    for (const KnownTable& table : known_in) known.emplace(table.name, &table);
  }

  Status add(Batch batch);
  /// Nothing when the pass has to be made again, with the types that are decided now. Errors: a
  /// conflict whose policy is kFail.
  Result<std::optional<Staged>> finish();
  Status stage_tables(Staged& staged);

  // shaper.cc: where rows go, and one line
  Table& fixed_table(std::array<Table*, 8>& cache, event::EventType type, bool is_entity);
  Table* table(std::string_view name, TableKind kind, event::EventType type);
  Table* event_table(const Value& name);
  Status shape_line(std::string_view line, bool is_valid_utf8);
  bool is_wanted();
  bool is_left_out();
  bool brings_column(const Table& home, const Table* second) const;
  Status shape_event();
  Status exclude_event();
  Status shape_rows();
  EventTimes times_of_event();
  Value value_of(const LineText& text);
  bool choose_id();
  const std::vector<Value>& own_values() const;
  Status flush();

  // placing.cc
  Status add_row(Table& table, std::string_view row_id, const EventTimes& times);
  void place_standard(Table& table, const EventTimes& times);
  void place_paths(Table& table, const std::vector<Value>& list);
  void place_own(Table& table);
  void place(Table& table, int index, const Value& value);
  void place_member(Table& table, StandardColumn column, event::Member member);
  void place_time(Table& table, StandardColumn column, TimeUs time);
  void place_mark(Table& table, StandardColumn column, const Value& mark);
  void place_beside(Table& table, int index, std::string_view reason, const Value& value);
  void overflow(Table& table, std::string_view name, const Value& value);
  void place_overflow(Table& table);
  int resolve(Table& table, const Value& value);
  std::optional<columns::Column> new_column(const Table& table, const std::string& name,
                                            const Value& value, ValueKind& first);
  void reconsider_type(Table& table, int index, const Value& value);

  // rescue.cc
  void rescue_earlier(Table& table, int index, const Value& newer);
  void rescue_value(const Table& table, std::string_view column, std::string_view reason,
                    const Value& value);
  Status rescue_event(std::string_view reason, std::string_view value,
                      std::string_view detail = {});
  void rescue(Rescued what);
  void rescue_part(const Rescued& what, std::string_view piece, std::uint64_t part);
  void note_conflict(const Table& table, int index, std::string_view reason);

  Options options;
  NewColumnRules rules;
  std::map<std::string, const KnownTable*, std::less<>> known;
  DecidedTypes& decided;
  bool is_in_vain = false;  // a type was decided too late for values that are written already
  Arena arena;
  TimeReader times;
  Paths paths;
  EventReader reader;
  EventValues values;

  std::vector<std::unique_ptr<Table>> tables;
  std::unordered_map<std::string, Table*, TextHash, std::equal_to<>> by_name;
  std::unordered_map<std::string, Table*, TextHash, std::equal_to<>> by_event;
  std::array<Table*, 8> home_tables{};
  std::array<Table*, 8> entity_tables{};
  std::vector<std::uint64_t> rows_before;  // of each table, at the start of the batch
  std::size_t new_tables = 0;

  std::vector<std::unique_ptr<std::string>> held;
  std::size_t held_bytes = 0;
  std::vector<BatchCounts> batches;
  BatchCounts* counts = nullptr;
  std::vector<SelectedCounts> selected;
  bool takes_all = options.selection.takes_all();
  std::unordered_map<std::string, bool, TextHash, std::equal_to<>> wanted_events;
  bool leaves_out = !options.exclusion.is_empty();
  bool has_tracks = !options.exclusion.leaves_out_table("tracks");
  std::unordered_map<std::string, bool, TextHash, std::equal_to<>> left_out_events;
  std::string_view batch_id;
  std::uint64_t line_number = 0;
  std::int64_t order = 0;

  // of the event being shaped
  std::string_view event_slug;
  std::string_view id;
  bool has_received_at = false;
  bool is_selected = true;
  bool has_own_table = true;             // false: a track event whose table may not be made
  std::vector<Overflowing> overflowing;  // of the row being made, and where each name is in it
  std::unordered_map<std::string_view, std::size_t, TextHash> overflowing_of;
  Status failure;                 // of the rescue table's writer
  std::optional<Error> conflict;  // the first one whose policy is kFail
};

}  // namespace leat::shape
