// The shaper once more, slow and plain: a JSON tree and maps, one row at a time. The judge of the
// fast one in property tests, fuzzing and doubt: both must show the same rows.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "columns/types.h"
#include "pipeline/event/json_tree.h"
#include "pipeline/event/line.h"
#include "pipeline/event/validate.h"
#include "pipeline/shape/fit.h"
#include "pipeline/shape/shaper.h"

namespace leat::shape {

/// Rows of one table, in order, as RowObserver shows them.
using ReferenceRows = std::vector<std::map<std::string, std::string>>;

/// One thread at a time.
class Reference {
 public:
  Reference(Options options, const std::vector<KnownTable>& known);

  /// Shapes everything: once to see the values of new columns, once to make rows. To be called
  /// once.
  void shape(const std::vector<Batch>& batches);

  [[nodiscard]] const std::map<std::string, ReferenceRows>& rows() const { return rows_; }
  [[nodiscard]] const std::vector<BatchCounts>& batches() const { return batches_; }
  /// True when a value asked for the policy kFail.
  [[nodiscard]] bool has_conflict() const { return has_conflict_; }
  /// Columns of a table by name, known and new; empty for a table without rows.
  [[nodiscard]] const std::map<std::string, columns::Column>& columns_of(const std::string& table);

 private:
  /// One value below context, properties or traits, or of a member of the event.
  struct Leaf {
    std::vector<std::string> path;
    Value value;
    std::string text;  // what the value's cell points to
  };
  struct Event {
    TimeUs received_at;
    bool has_received_at = false;
    std::string id;
    event::EventType type = event::EventType::kNone;
    std::map<event::Member, Leaf> members;
    std::deque<Leaf> context;
    std::deque<Leaf> own;
    std::optional<Leaf> sent_at;
    std::optional<Leaf> original;
    TimeUs corrected;
    std::optional<Leaf> bad_timestamp;  // beside original
    bool uses_own_id = false;
    std::string event_table;
    bool has_own_table = true;  // false: a track event whose table may not be made
    std::string_view raw;       // the event's text in its line
    std::string ip_json;
    std::string sent_json;
  };
  using Row = std::map<std::string, std::string>;

  /// What the values of a new column are like.
  struct Seen {
    ValueKind first = ValueKind::kNever;
    bool has_real = false;
    bool has_inexact_integer = false;
    bool has_other_text = false;
  };

  void add(const Batch& batch);
  void add_entities();
  void add_line(std::string_view line);
  void see(const std::string& table, const std::string& column, const Value& value);
  [[nodiscard]] std::optional<columns::Column> make_column(const std::string& table,
                                                           const std::string& column,
                                                           const Value& value) const;
  void add_rejected(Event& event, const event::Line& line);
  event::EventFacts read_members(Event& event, const event::Line& line,
                                 const event::JsonValue& json);
  void read_values(Event& event, const event::Line& line, const event::JsonValue& json);
  void read_times(Event& event, const event::Line& line);
  void add_event(Event& event);
  void add_row(const std::string& table, const std::string& id, const Event& event);
  void place(const std::string& table, const std::string& column, const Leaf& leaf, Row& row,
             const Event& event, std::map<std::string, const Leaf*>& sources);
  /// Places a value that does not fit its column beside it; false when there is no place.
  [[nodiscard]] bool place_beside(const std::string& table, const columns::Column& column,
                                  const Leaf& leaf, Row& row);
  void overflow(const std::string& table, const std::string& column, const Leaf& leaf,
                const Event& event);
  void place_overflow(const std::string& table, Row& row, const Event& event);
  /// True when the table may not have a column more of that name.
  [[nodiscard]] bool is_full(const std::string& table, std::string_view column);
  [[nodiscard]] bool may_make_table() const;
  [[nodiscard]] static std::string home_of(event::EventType type);
  [[nodiscard]] static bool is_entity_table(const std::string& table);
  void rescue(const Event& event, const std::string& table, const std::string& column,
              std::string_view reason, std::string_view value, std::string_view detail = {});
  void rescue_event(Event& event, std::string_view reason, std::string_view value,
                    std::string_view detail = {});
  [[nodiscard]] bool exists(const std::string& table) const;
  std::map<std::string, columns::Column>& make_table(const std::string& table);

  struct Entity {
    struct Member {
      std::string name;
      std::string json;
      std::int64_t received_at = 0;
    };
    std::map<std::string, std::pair<std::string, std::int64_t>> values;
    std::vector<Member> overflow;

    /// False when the object has no room for the member.
    bool take_overflow(const std::string& column, std::string_view json, std::int64_t received_at);
  };
  Entity& entity_of(const std::string& table, const std::string& id);

  Options options_;
  NewColumnRules rules_;
  std::map<std::string, std::map<std::string, columns::Column>> known_;
  std::map<std::string, std::map<std::string, columns::Column>> tables_;
  std::map<std::string, ReferenceRows> rows_;
  std::map<std::string, std::vector<std::pair<std::string, Entity>>> entities_;
  std::vector<BatchCounts> batches_;
  std::map<std::pair<std::string, std::string>, Seen> seen_;  // by table and column
  bool is_looking_ = false;
  bool has_conflict_ = false;
  std::vector<std::pair<std::string, const Leaf*>> overflowing_;  // of the row being made
  std::uint64_t line_ = 0;
  std::uint64_t order_ = 0;
};

}  // namespace leat::shape
