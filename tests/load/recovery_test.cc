// Nothing is lost on the way: whatever an event holds, its value can be found by SQL, in its row or
// in the rescue table, under every policy, with random types, names, nesting and sizes, over
// several loads; and the books balance.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "base/json_compact.h"
#include "base/text.h"
#include "base/time.h"
#include "load_fixture.h"
#include "pipeline/event/json_tree.h"
#include "pipeline/shape/names.h"
#include "pipeline/shape/selection.h"

namespace leat::load_test {
namespace {

using event::JsonKind;
using event::JsonValue;
using testing::ElementsAre;

/// Calls of every kind with properties, traits and contexts that like the edges. Every text and
/// number is another one, so that a value found is the value sent. No value holds '|', which
/// separates the warehouse's answers.
class RandomCalls {
 public:
  explicit RandomCalls(std::uint64_t seed) : random_(seed) {}

  std::string call(const std::string& id) {
    static const std::vector<std::string> kEvents = {"Order Completed",
                                                     "ORDER_COMPLETED",
                                                     "Users",
                                                     "select",
                                                     "2FA",
                                                     "\xe6\x97\xa5\xe6\x9c\xac",
                                                     std::string(140, 'e'),
                                                     std::string(140, 'e') + "x"};
    static const std::vector<std::string> kOthers = {
        R"("identify","traits":)", R"("page","properties":)", R"("screen","properties":)",
        R"("group","groupId":"g","traits":)", R"("alias","previousId":"p","traits":)"};
    const std::string& event = kEvents[random_.below(kEvents.size())];
    std::string out = fmt::format(R"({{"userId":"u","messageId":{},"type":)", json_string(id));
    out += chance(60) ? fmt::format(R"("track","event":{},"properties":)", json_string(event))
                      : kOthers[random_.below(kOthers.size())];
    out += object(0);
    if (chance(30)) out += ",\"context\":" + object(0);
    return out + "}";
  }

 private:
  bool chance(unsigned percent) { return random_.below(100) < percent; }

  std::string text() {
    const std::uint64_t number = ++made_;
    switch (random_.below(9)) {
      case 0:
        return fmt::format("\"{}\"", number);
      case 1:
        return fmt::format("\"{}.5\"", number);
      case 2:
        return fmt::format("\"2024-02-{:02}\"", 1 + number % 29);
      case 3:
        return fmt::format("\"2024-02-29T10:{:02}:{:02}.{:06}{}+02:00\"", number % 60,
                           number / 60 % 60, number % 1'000'000, chance(20) ? "001" : "");
      case 4:
        return json_string(fmt::format("{}{}", number, std::string(random_.below(900), 'x')));
      case 5: {
        std::string long_text = std::to_string(number);
        for (std::uint64_t i = random_.below(300); i > 0; --i) long_text += "\xc3\xa9";
        return json_string(long_text);
      }
      case 6:
        return fmt::format(R"("n\u0000{}")", number);
      case 7:
        return fmt::format(R"("q\"\\\t\u00e9\ud83d\ude80{}")", number);
      default:
        return fmt::format("\"text {}\"", number);
    }
  }

  std::string number() {
    const std::uint64_t number = ++made_;
    switch (random_.below(8)) {
      case 0:
        return fmt::format("{}", number);
      case 1:
        return fmt::format("-{}", number);
      case 2:
        return fmt::format("{}.25", number);
      case 3:
        return fmt::format("{}", 9'007'199'254'740'993ULL + 2 * number);
      case 4:
        return fmt::format("9223372036854{:06}", 775'808 + number % 100'000);
      case 5:
        return fmt::format("{}123456789012345678901234567890", number);
      case 6:
        return fmt::format("{}e400", number);
      default:
        return fmt::format("{}.5e3", number);
    }
  }

  std::string value(std::size_t depth) {
    switch (random_.below(depth > 2 ? 5 : 7)) {
      case 0:
        return chance(50) ? "null" : (chance(50) ? "true" : "false");
      case 1:
      case 2:
        return number();
      case 3:
      case 4:
        return text();
      case 5: {
        std::string out = "[ ";
        for (std::uint64_t i = 1 + random_.below(3); i > 0; --i) {
          out += value(depth + 1) + (i > 1 ? " ,\t" : "");
        }
        return out + "]";
      }
      default:
        return object(depth + 1);
    }
  }

  std::string object(std::size_t depth) {
    static const std::vector<std::string> kKeys = {"a",
                                                   "b",
                                                   "A",
                                                   "orderId",
                                                   "order_id",
                                                   "order",
                                                   "id",
                                                   "timestamp",
                                                   "2fa",
                                                   "context_x",
                                                   "\xe6\x97\xa5",
                                                   "_extra",
                                                   std::string(150, 'k'),
                                                   std::string(150, 'k') + "x"};
    std::string out = "{";
    for (std::uint64_t i = random_.below(6); i > 0; --i) {
      std::string key = kKeys[random_.below(kKeys.size())];
      if (chance(15)) key = fmt::format("p{}", random_.below(30));
      out += fmt::format("{} : {}{}", json_string(key), value(depth + 1), i > 1 ? ", " : "");
    }
    return out + "}";
  }

  SeededRandom random_;
  std::uint64_t made_ = 0;
};

/// A value that must be found, and the column that it was meant for.
struct Leaf {
  std::string column;
  JsonValue value;
  std::string compact;
};

/// Where an object stands, which its leaves' columns are named by.
struct Place {
  shape::Scope scope;
  event::EventType type;
};

void collect(const JsonValue& object, Place place, std::vector<std::string> path,
             bool whole_objects, std::vector<Leaf>& leaves) {
  for (const auto& [name, value] : object.members) {
    path.push_back(name);
    if (value.kind == JsonKind::kObject && !whole_objects) {
      collect(value, place, path, false, leaves);
    } else if (value.kind != JsonKind::kNull) {
      const std::vector<std::string_view> keys(path.begin(), path.end());
      Leaf leaf{.column = shape::column_name_of(place.scope, place.type, keys),
                .value = value,
                .compact = {}};
      append_compact_json(leaf.compact, value.raw);
      leaves.push_back(std::move(leaf));
    }
    path.pop_back();
  }
}

bool is_same_number(std::string_view sent, const std::string& found) {
  if (found.empty() || !event::is_json_number(sent)) return false;
  char* end = nullptr;
  const long double got = std::strtold(found.c_str(), &end);
  if (*end != '\0') return false;
  const long double expected = std::strtold(std::string(sent).c_str(), nullptr);
  const bool is_whole = sent.find_first_of(".eE") == std::string_view::npos;
  if (is_whole && found.find_first_of(".eE") == std::string::npos) return sent == found;
  return std::fabs(got - expected) <= 1e-13L * std::fabs(expected);
}

/// True when `found`, the text of a column, is what the event said.
bool is_same(const Leaf& leaf, const std::string& found) {
  const JsonValue& value = leaf.value;
  switch (value.kind) {
    case JsonKind::kNumber:
      return is_same_number(value.raw, found);
    case JsonKind::kBoolean:
      return found == (value.boolean ? "t" : "f") || found == (value.boolean ? "true" : "false") ||
             found == (value.boolean ? "1" : "0");
    case JsonKind::kString: {
      if (value.text == found || is_same_number(value.text, found)) return true;
      const auto sent = parse_iso8601(value.text);
      return sent && sent == parse_iso8601(found);
    }
    default:
      return leaf.compact == found;
  }
}

struct Row {
  std::map<std::string, std::string> values;  // of columns that are not NULL
};

class RecoveryTest : public LoadFixture {
 protected:
  std::vector<std::string> columns_of(const std::string& table) const {
    return warehouse_.ask(
        fmt::format("SELECT column_name FROM svv_columns WHERE table_schema = "
                    "'web' AND table_name = {} ORDER BY ordinal_position",
                    load::quote_literal(table)));
  }

  /// Rows of a table by id.
  std::map<std::string, Row> rows_of(const std::string& table) const {
    const std::vector<std::string> columns = columns_of(table);
    std::string list;
    for (const std::string& column : columns) {
      list += (list.empty() ? "" : ", ") + load::quote_identifier(column);
    }
    std::map<std::string, Row> rows;
    for (const std::string& line :
         warehouse_.ask(fmt::format("SELECT {} FROM web.\"{}\"", list, table))) {
      const auto values = split(line, '|');
      EXPECT_EQ(values.size(), columns.size()) << line;
      if (values.size() != columns.size()) break;
      Row row;
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (values[i] != "NULL") row.values[columns[i]] = values[i];
      }
      const std::string id = row.values["id"];
      rows[id] = std::move(row);
    }
    return rows;
  }

  /// By event, table and column.
  std::multimap<std::string, std::string> rescued_values() const {
    std::multimap<std::string, std::string> rescued;
    for (const std::string& line :
         warehouse_.ask("SELECT event_id, table_name, column_name, value FROM web.leat_rescue")) {
      const auto parts = split(line, '|');
      EXPECT_EQ(parts.size(), 4U) << line;
      if (parts.size() != 4) break;
      rescued.emplace(fmt::format("{}|{}|{}", parts[0], parts[1], parts[2]), parts[3]);
    }
    return rescued;
  }

  /// Where the value is, or nothing.
  static bool is_found(const Leaf& leaf, const Row& row,
                       const std::multimap<std::string, std::string>& rescued,
                       const std::string& rescue_key) {
    for (const auto& [name, value] : row.values) {
      if (name == leaf.column || name.starts_with(leaf.column + "__")) {
        if (is_same(leaf, value) || value == leaf.compact) return true;
      }
      // Names that are too long for a suffix are cut before it.
      const bool is_cut = leaf.column.size() > 100 && name.find("__") != std::string::npos;
      if (is_cut && (is_same(leaf, value) || value == leaf.compact)) return true;
    }
    if (const auto extra = row.values.find("_extra"); extra != row.values.end()) {
      const auto json = event::parse_json(extra->second);
      const JsonValue* member = json ? json->find(leaf.column) : nullptr;
      if (member != nullptr && member->raw == leaf.compact) return true;
    }
    const auto [first, last] = rescued.equal_range(rescue_key);
    for (auto at = first; at != last; ++at) {
      if (at->second == leaf.value.raw) return true;
    }
    return false;
  }

  void run(std::uint64_t seed, const shape::Options& shaping) {
    RandomCalls calls(seed);
    std::map<std::string, std::string> sent;  // by message id
    load::LoaderOptions loading = options(warehouse_);
    loading.shape = shaping;
    load::Loader loader(loading);
    for (int round = 0; round < 3; ++round) {
      std::vector<std::string> events;
      for (int i = 0; i < 30; ++i) {
        const std::string id = fmt::format("m{}-{}", round, i);
        events.push_back(calls.call(id));
        sent[id] = events.back();
      }
      archive_.add_seal({{"web", events}});
      const auto report = loader.sync({"web", "web"}, {});
      ASSERT_TRUE(report.has_value()) << report.error().error.message;
      EXPECT_EQ(report->events.received, 30);
    }
    check_books(static_cast<std::int64_t>(sent.size()));
    check_values(sent, shaping);
  }

  void check_books(std::int64_t events) const {
    EXPECT_THAT(warehouse_.ask("SELECT count(*) FROM leat.batches WHERE received <> loaded + "
                               "deduplicated + rescued + excluded"),
                ElementsAre("0"));
    EXPECT_THAT(warehouse_.ask("SELECT sum(received), sum(loaded) FROM leat.batches"),
                ElementsAre(fmt::format("{0}|{0}", events)));
    EXPECT_THAT(warehouse_.ask("SELECT sum(n) FROM (SELECT count(*) AS n FROM web.tracks UNION ALL "
                               "SELECT count(*) FROM web.identifies UNION ALL "
                               "SELECT count(*) FROM web.pages UNION ALL "
                               "SELECT count(*) FROM web.screens UNION ALL "
                               "SELECT count(*) FROM web.groups UNION ALL "
                               "SELECT count(*) FROM web.aliases)"),
                ElementsAre(std::to_string(events)));
  }

  void check_values(const std::map<std::string, std::string>& sent,
                    const shape::Options& shaping) const {
    std::map<std::string, std::map<std::string, Row>> tables;
    for (const std::string& name :
         warehouse_.ask("SELECT DISTINCT table_name FROM svv_columns WHERE table_schema = 'web'")) {
      if (name != shape::kRescueTable) tables[name] = rows_of(name);
    }
    const std::multimap<std::string, std::string> rescued = rescued_values();
    std::size_t values = 0;
    for (const auto& [id, event] : sent) {
      const auto json = event::parse_json(event);
      ASSERT_TRUE(json);
      const event::EventType type = event::event_type_of(json->find("type")->text);
      const JsonValue* name = json->find("event");
      std::string table(shape::home_table_of(type));
      if (name != nullptr && tables.contains(shape::event_table_of(name->text))) {
        table = shape::event_table_of(name->text);
      }
      ASSERT_TRUE(tables[table].contains(id)) << table << " has no row of " << event;
      std::vector<Leaf> leaves;
      const bool whole_objects = shaping.objects != shape::Nested::kFlatten;
      for (const char* member : {"properties", "traits"}) {
        const JsonValue* const own = json->find(member);
        if (own != nullptr)
          collect(*own, {shape::Scope::kProperties, type}, {}, whole_objects, leaves);
      }
      const JsonValue* const context = json->find("context");
      if (context != nullptr) collect(*context, {shape::Scope::kContext, type}, {}, false, leaves);
      values += leaves.size();
      for (const Leaf& leaf : leaves) {
        const bool found = is_found(leaf, tables[table][id], rescued,
                                    fmt::format("{}|{}|{}", id, table, leaf.column));
        EXPECT_TRUE(found) << leaf.value.raw << " of " << table << '.' << leaf.column << " in "
                           << event;
        if (!found) return;  // one is enough to read
      }
    }
    EXPECT_GT(values, sent.size());
  }

  static shape::Options with_policy(std::string_view policy) {
    shape::Options options;
    options.conflicts = *shape::ConflictPolicies::parse(policy, "");
    return options;
  }
};

TEST_F(RecoveryTest, EveryValueIsFoundWhenConflictsAreRescued) {
  run(1, with_policy("rescue"));
}

TEST_F(RecoveryTest, EveryValueIsFoundWhenConflictsWiden) {
  run(2, with_policy("widen"));
}

TEST_F(RecoveryTest, EveryValueIsFoundWhenConflictsGoToSuper) {
  run(3, with_policy("super"));
}

TEST_F(RecoveryTest, EveryValueIsFoundAsText) {
  shape::Options options = with_policy("widen");
  options.types = shape::TypeMode::kVarchar;
  run(4, options);
}

TEST_F(RecoveryTest, EveryValueIsFoundWithNestedValuesAsSuper) {
  shape::Options options = with_policy("super");
  options.objects = shape::Nested::kSuper;
  options.arrays = shape::Nested::kSuper;
  run(5, options);
}

TEST_F(RecoveryTest, EveryValueIsFoundWhenTablesAndColumnsAreFew) {
  shape::Options options = with_policy("widen");
  options.columns_max = 16;
  options.tables_max = 5;
  run(6, options);
}

// By user and trait: the JSON of the newest value.
using NewestTraits = std::map<std::string, std::map<std::string, std::string>>;

class NewestTraitsTest : public RecoveryTest {
 protected:
  static constexpr int kCalls = 72;

  /// Loads calls of three users, in batches that are received out of order. The first has all
  /// traits. `value_of`: JSON of a trait's value in the call of a time.
  NewestTraits load_calls(
      load::Loader& loader, const std::vector<std::string>& traits,
      const std::function<std::string(std::string_view, const std::string&)>& value_of) {
    SeededRandom random(7);
    NewestTraits newest;
    std::map<std::string, std::string> when;  // by user and trait
    int calls = 0;
    for (const int minute : {30, 10, 20, 50, 5, 40}) {
      std::vector<std::string> events;
      for (int i = 0; i < kCalls / 6; ++i) {
        // The batch is received a second a call.
        const std::string received = fmt::format("{:02}:{:02}", minute, i);
        const std::string user = fmt::format("u{}", random.below(3));
        std::string object;
        for (const std::string& trait : traits) {
          if (calls > 0 && random.below(3) == 0) continue;
          const std::string value = value_of(trait, received);
          object += fmt::format("{}\"{}\":{}", object.empty() ? "" : ",", trait, value);
          std::string& last = when[user + trait];
          if (last <= received) std::tie(last, newest[user][trait]) = std::pair(received, value);
        }
        events.push_back(identify(fmt::format("i{}", ++calls), user, "{" + object + "}"));
      }
      archive_.add_seal({{"web", events, fmt::format("2026-11-20T14:{:02}:00Z", minute)}});
      if (random.below(2) == 0) sync_with(loader);
    }
    sync_with(loader);
    return newest;
  }

  /// The users with their newest values, as ask gives them.
  static std::vector<std::string> rows_of_newest(NewestTraits& newest,
                                                 const std::vector<std::string>& traits) {
    std::vector<std::string> rows;
    for (auto& [user, values] : newest) {
      std::string row = user;
      for (const std::string& trait : traits) {
        const auto json = event::parse_json(values[trait]);
        EXPECT_TRUE(json) << values[trait];
        if (!json) return rows;
        row += "|" + (json->kind == JsonKind::kString ? json->text : std::string(json->raw));
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

  void expect_nothing_rescued() const {
    EXPECT_THAT(warehouse_.ask("SELECT sum(received), sum(loaded), sum(values_rescued) FROM "
                               "leat.batches"),
                ElementsAre(fmt::format("{0}|{0}|0", kCalls)));
  }
};

// A user's row has the newest value of every trait, whatever the order in which calls come, and
// whatever comes twice.
TEST_F(NewestTraitsTest, AreInColumnsOfUsers) {
  load::Loader loader(options(warehouse_));
  const std::vector<std::string> traits = {"plan", "email", "city"};
  NewestTraits newest =
      load_calls(loader, traits, [](std::string_view trait, const std::string& received) {
        return fmt::format("\"{} {}\"", trait, received);
      });
  EXPECT_THAT(warehouse_.ask("SELECT id, plan, email, city FROM web.users ORDER BY id"),
              testing::ElementsAreArray(rows_of_newest(newest, traits)));
  expect_nothing_rescued();
}

// The same where users may have no column for most traits: those are in _extra, name by name.
TEST_F(NewestTraitsTest, AreInExtraOfUsersWithoutColumns) {
  load::LoaderOptions loading = options(warehouse_);
  loading.shape.columns_max = 12;  // nine standard columns of identifies, two more, and _extra
  load::Loader loader(loading);
  const std::vector<std::string> traits = {"plan", "email", "city", "team", "tags"};
  NewestTraits newest =
      load_calls(loader, traits, [](std::string_view trait, const std::string& received) {
        if (trait == "tags") return fmt::format(R"(["\\",{{"a b":"{} é"}}])", received);
        return fmt::format("\"{} \\\" {}\"", trait, received);
      });
  EXPECT_THAT(warehouse_.ask("SELECT id, plan, email, _extra.city::varchar, _extra.team::varchar, "
                             "json_serialize(_extra.tags) FROM web.users ORDER BY id"),
              testing::ElementsAreArray(rows_of_newest(newest, traits)));
  EXPECT_EQ(columns_of("users").size(), 4 + 2 + 1U);
  expect_nothing_rescued();
}

// What an object has no room for is still to be found.
TEST_F(RecoveryTest, TraitsThatExtraHasNoRoomForAreInIdentifies) {
  load::LoaderOptions loading = options(warehouse_);
  loading.shape.columns_max = 10;
  load::Loader loader(loading);
  const std::string old_value(40'000, 'o');
  const std::string new_value(30'000, 'n');
  archive_.add_seal({{"web",
                      {identify("i1", "u1", R"({"a":1,"before":")" + old_value + "\"}"),
                       identify("i2", "u1", R"({"wide":")" + std::string(30'000, 'w') + "\"}")}}});
  sync_with(loader);
  EXPECT_THAT(warehouse_.ask("SELECT table_name, column_name, reason, len(value) FROM "
                             "web.leat_rescue"),
              ElementsAre("users|wide|too_many_columns|30002"));
  archive_.add_seal({{"web",
                      {identify("i3", "u1", R"({"after":")" + new_value + "\"}")},
                      "2026-11-20T14:30:00Z"}});
  sync_with(loader);
  EXPECT_THAT(
      warehouse_.ask("SELECT _extra.a, len(_extra.after::varchar), _extra.before FROM web.users"),
      ElementsAre("1|30000|NULL"));
  // As docs/reference/tables-and-columns.md says.
  EXPECT_THAT(warehouse_.ask("SELECT received_at, len(_extra.before::varchar) FROM web.identifies "
                             "WHERE user_id = 'u1' AND _extra.before IS NOT NULL ORDER BY 1"),
              ElementsAre(testing::EndsWith("|40000")));
}

// What gives way in users and accounts, whatever the order and sizes, is still to be found by SQL:
// in the row of the call that brought it.
TEST_F(RecoveryTest, TraitsThatGiveWayAreInTheirCalls) {
  load::LoaderOptions loading = options(warehouse_);
  loading.shape.columns_max = 12;
  load::Loader loader(loading);
  SeededRandom random(11);
  struct Sent {
    std::string id;
    std::string owner;
    std::string name;
    std::string json;
  };
  std::map<bool, std::vector<Sent>> sent;  // false: of users, true: of accounts
  for (const int minute : {30, 10, 50, 20}) {
    std::vector<std::string> events;
    for (int i = 0; i < 10; ++i) {
      const bool is_group = random.below(2) == 0;
      const std::string id = fmt::format("c{}-{}", minute, i);
      const std::string owner = fmt::format("o{}", random.below(2));
      std::map<std::string, std::string> traits;
      for (int n = 0; n < 3; ++n) {
        traits[fmt::format("t{}", random.below(9))] =
            fmt::format("\"{}\"", std::string(1 + random.below(21'000), 'x') + id);
      }
      std::string object;
      for (const auto& [name, json] : traits) {
        object += fmt::format("{}\"{}\":{}", object.empty() ? "" : ",", name, json);
        sent[is_group].push_back({id, owner, name, json});
      }
      object = "{" + object + "}";
      events.push_back(is_group ? fmt::format(R"({{"type":"group","messageId":"{}","userId":"u",)"
                                              R"("groupId":"{}","traits":{}}})",
                                              id, owner, object)
                                : identify(id, owner, object));
    }
    archive_.add_seal({{"web", events, fmt::format("2026-11-20T14:{:02}:00Z", minute)}});
    sync_with(loader);
  }
  const auto rescued = rescued_values();
  for (const bool is_group : {false, true}) {
    const std::string home = is_group ? "groups" : "identifies";
    const auto calls = rows_of(home);
    const auto owners = rows_of(is_group ? "accounts" : "users");
    std::size_t gone = 0;
    for (const Sent& each : sent[is_group]) {
      const auto json = event::parse_json(each.json);
      ASSERT_TRUE(json && calls.contains(each.id));
      const Leaf leaf{.column = each.name, .value = *json, .compact = each.json};
      EXPECT_TRUE(is_found(leaf, calls.at(each.id), rescued,
                           fmt::format("{}|{}|{}", each.id, home, each.name)))
          << each.name << " of " << each.id;
      const Row& owner = owners.at(each.owner);
      const auto extra = owner.values.find("_extra");
      const bool is_there = owner.values.contains(each.name) ||
                            (extra != owner.values.end() &&
                             extra->second.find("\"" + each.name + "\":") != std::string::npos);
      if (!is_there) ++gone;
    }
    EXPECT_GT(gone, 0U) << "of " << home << ": the test shows nothing";
  }
}

TEST_F(RecoveryTest, TheFailPolicyStopsTheSourceAndLosesNothing) {
  load::LoaderOptions loading = options(warehouse_);
  loading.shape.conflicts = *shape::ConflictPolicies::parse("rescue", "a.n=fail");
  load::Loader loader(loading);
  archive_.add_seal(
      {{"web", {track("t1", "A", R"({"n":1})")}}, {"app", {track("t1", "A", R"({"n":1})")}}});
  sync_with(loader, "web");
  archive_.add_seal({{"web", {track("t2", "A", R"({"n":"many"})"), track("t3", "A", "{}")}}});
  archive_.add_seal({{"web", {track("t4", "A", R"({"n":4})")}}});
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto failed = loader.sync({"web", "web"}, {});
    ASSERT_FALSE(failed.has_value());
    const std::string& message = failed.error().error.message;
    for (const char* part : {"source \"web\"", "event t2", "a.n (bigint)", "type_mismatch",
                             "wait in the archive", "destination.column_conflicts"}) {
      EXPECT_THAT(message, testing::HasSubstr(part));
    }
  }
  EXPECT_THAT(warehouse_.ask("SELECT id FROM web.a"), ElementsAre("t1"));
  EXPECT_EQ(sync_with(loader, "app").events.loaded, 1) << "other sources go on";
  // Another policy, and everything that waited is loaded.
  EXPECT_EQ(sync_well(warehouse_).events.loaded, 3);
  EXPECT_THAT(warehouse_.ask("SELECT id, n FROM web.a ORDER BY id"),
              ElementsAre("t1|1", "t2|NULL", "t3|NULL", "t4|4"));
}

TEST_F(RecoveryTest, SuperColumnsAnswerQueriesAndMergeInUsers) {
  load::LoaderOptions loading = options(warehouse_);
  loading.shape.objects = shape::Nested::kSuper;
  load::Loader loader(loading);
  archive_.add_seal(
      {{"web",
        {identify("i1", "u1", R"({"address":{"city":"Bonn","zip":"53111"},"plan":"x"})"),
         identify("i2", "u2", R"({"address":{"city":"Rome"}})")}}});
  sync_with(loader);
  archive_.add_seal({{"web",
                      {identify("i3", "u1", R"({"address":{"city":"Berlin"}})"),
                       identify("i4", "u2", R"({"plan":"y"})")},
                      "2026-11-20T14:10:00Z"}});
  sync_with(loader);
  EXPECT_THAT(warehouse_.ask("SELECT id, address.city, plan FROM web.users ORDER BY id"),
              ElementsAre("u1|\"Berlin\"|x", "u2|\"Rome\"|y"));
  EXPECT_THAT(warehouse_.ask("SELECT data_type FROM svv_columns WHERE table_schema = 'web' AND "
                             "table_name = 'users' AND column_name = 'address'"),
              ElementsAre("super"));
}

TEST_F(RecoveryTest, ATrackingPlanRescuesWhatBreaksIt) {
  const auto plan = shape::TrackingPlan::parse(
      R"({"rules":{"unplanned_events":"rescue","events":[{"name":"A","rules":{"properties":)"
      R"({"properties":{"required":["n"]}}}}]}})");
  ASSERT_TRUE(plan) << plan.error().message;
  archive_.add_seal({{"web",
                      {track("t1", "A", R"({"n":1})"), track("t2", "A", "{}"), track("t3", "B"),
                       page("p1", "Home")}}});
  load::Loader loader(options(warehouse_));
  const auto report = loader.sync({"web", "web", plan->get()}, {});
  ASSERT_TRUE(report.has_value()) << report.error().error.message;
  EXPECT_EQ(report->events, (load::EventCounts{.received = 4, .loaded = 2, .rescued = 2}));
  EXPECT_THAT(warehouse_.ask("SELECT event_id, table_name, column_name, reason, detail FROM "
                             "web.leat_rescue ORDER BY event_id"),
              ElementsAre(testing::StartsWith("t2|tracks|NULL|schema_violation|properties: "),
                          "t3|tracks|NULL|unplanned|event 'B' is not in the plan"));
}

}  // namespace
}  // namespace leat::load_test
