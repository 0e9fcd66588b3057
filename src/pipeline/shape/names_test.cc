#include "pipeline/shape/names.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"
#include "pipeline/shape/shaper.h"

namespace leat::shape {
namespace {

using event::EventType;

struct Vector {
  const char* text;
  const char* name;
};

// Published test vectors of segmentio/go-snakecase.
constexpr Vector kPublished[] = {
    {"@49L0S145_¬fwHƒ0TSLNVp", "49l0s145_fw_h_0tslnvp"},
    {"lk0B@bFmjrLQ_Z6YL", "lk0_b_b_fmjr_lq_z6yl"},
    {"samPLE text", "sam_ple_text"},
    {"sample-text", "sample_text"},
    {"sample___text", "sample_text"},
    {"sampleText", "sample_text"},
    {"inviteYourCustomersAddInvites", "invite_your_customers_add_invites"},
    {"sample 2 Text", "sample_2_text"},
    {"   $#$sample   2    Text   ", "sample_2_text"},
    {"SAMPLE 2 TEXT", "sample_2_text"},
    {"___$$Base64Encode", "base64_encode"},
    {"FOO:BAR$BAZ", "foo_bar_baz"},
    {"FOO#BAR#BAZ", "foo_bar_baz"},
    {"something.com", "something_com"},
    {"$something%", "something"},
    {"•¶§ƒ˚foo˙∆˚¬", "foo"},
    {"CStringRef", "cstring_ref"},
    {"5test", "5test"},
    {"test5", "test5"},
    {"THE5r", "the5r"},
    {"5TEst", "5test"},
    {"_5TEst", "5test"},
    {"@%#&5TEst", "5test"},
    {"edf_6N", "edf_6n"},
    {"f_pX9", "f_p_x9"},
    {"p_z9Rg", "p_z9_rg"},
    {"2FA Enabled", "2fa_enabled"},
    {"Enabled 2FA", "enabled_2fa"}};

constexpr Vector kComputed[] = {
    {"Order Completed", "order_completed"},
    {"ORDER_COMPLETED", "order_completed"},
    {"HTTPServerError", "httpserver_error"},
    {"getHTTP2Response", "get_http2response"},
    {"userID", "user_id"},
    {"pageURL", "page_url"},
    {"iPhone6s", "i_phone6s"},
    {"Email iOS", "email_i_os"},
    {"IPv4", "ipv4"},
    {"ipV4", "ip_v4"},
    {"V2Beta", "v2beta"},
    {"v2Beta", "v2_beta"},
    {"MACAddress", "macaddress"},
    {"macAddress", "mac_address"},
    {"loadTime(ms)", "load_time_ms"},
    {"total_$", "total"},
    {"_id", "id"},
    {"__typename", "typename"},
    {"a__b", "a_b"},
    {"Café Visité", "caf_visit"},
    {"Überweisung", "berweisung"},
    {"Naïve", "na_ve"},
    {"日本語", ""},
    {"🚀 Launch", "launch"},
    {"context_userAgentData_fullVersionList", "context_user_agent_data_full_version_list"},
    {"context_page_URL", "context_page_url"},
    {"context_device_adTrackingEnabled", "context_device_ad_tracking_enabled"},
    {"Products[0]", "products_0"},
    {"", ""},
    {"_", ""}};

TEST(SnakeCase, PassesThePublishedVectors) {
  for (const Vector& v : kPublished) EXPECT_EQ(snake_case(v.text), v.name) << v.text;
}

TEST(SnakeCase, PassesTheComputedVectors) {
  for (const Vector& v : kComputed) EXPECT_EQ(snake_case(v.text), v.name) << v.text;
}

std::string random_text(SeededRandom& random) {
  static constexpr std::string_view kBytes = "abzABZ019__ .$\xc3\xa9";
  std::string text;
  for (std::uint64_t i = random.below(14); i > 0; --i) text += kBytes[random.below(kBytes.size())];
  return text;
}

TEST(SnakeCase, KeepsItsProperties) {
  SeededRandom random(11);
  for (int i = 0; i < 50'000; ++i) {
    const std::string text = random_text(random);
    const std::string name = snake_case(text);
    EXPECT_EQ(snake_case(name), name) << text;
    EXPECT_FALSE(name.starts_with('_') || name.ends_with('_')) << text;
    EXPECT_EQ(name.find("__"), std::string::npos) << text;
    for (const char c : name) {
      EXPECT_TRUE(c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) << text;
    }
    const std::string other = random_text(random);
    const std::string other_name = snake_case(other);
    const std::string joined =
        name.empty() || other_name.empty() ? name + other_name : name + "_" + other_name;
    EXPECT_EQ(snake_case(text + "_" + other), joined) << text << " + " << other;
  }
}

TEST(Names, PrefixDigitsAndReservedWords) {
  EXPECT_EQ(identifier_of("3doctors"), "_3doctors");
  EXPECT_EQ(identifier_of("select"), "_select");
  EXPECT_EQ(identifier_of("Order"), "_order");
  EXPECT_EQ(identifier_of("type"), "type");
  EXPECT_EQ(schema_name_of("My-Shop"), "my_shop");
  EXPECT_TRUE(is_reserved_word("globaldict64k"));
  EXPECT_FALSE(is_reserved_word("date"));
}

TEST(Names, HashWhatIsEmptyOrTooLong) {
  const std::string empty = identifier_of("日本語");
  EXPECT_EQ(empty.size(), 11U);
  EXPECT_TRUE(empty.starts_with("_u_"));
  EXPECT_NE(empty, identifier_of("中文"));
  EXPECT_EQ(identifier_of(std::string(127, 'a')), std::string(127, 'a'));
  const std::string a = identifier_of(std::string(200, 'a') + "x");
  const std::string b = identifier_of(std::string(200, 'a') + "y");
  EXPECT_EQ(a.size(), 127U);
  EXPECT_EQ(a.substr(0, 118), std::string(118, 'a'));
  EXPECT_NE(a, b);
}

TEST(Names, KeepEventsOffTheFixedTables) {
  for (const auto* name : {"Users", "Tracks", "accounts", "Leat Rescue", "PAGES"}) {
    EXPECT_EQ(event_table_of(name), "_" + snake_case(name));
  }
  EXPECT_EQ(event_table_of("Open"), "_open");
  const std::vector<std::string> taken = {"batches"};
  EXPECT_EQ(event_table_of("Batches", taken), "_batches");
  EXPECT_EQ(event_table_of("Batch", taken), "batch");
  EXPECT_EQ(event_table_of("Users", taken), "_users");
}

TEST(Names, LetStandardColumnsWin) {
  const auto name = [](Scope scope, EventType type, std::vector<std::string_view> path) {
    return column_name_of(scope, type, path);
  };
  EXPECT_EQ(name(Scope::kProperties, EventType::kTrack, {"id"}), "_id");
  EXPECT_EQ(name(Scope::kProperties, EventType::kTrack, {"_id"}), "_id");
  EXPECT_EQ(name(Scope::kProperties, EventType::kTrack, {"timestamp"}), "_timestamp");
  EXPECT_EQ(name(Scope::kProperties, EventType::kTrack, {"event"}), "_event");
  EXPECT_EQ(name(Scope::kProperties, EventType::kPage, {"event"}), "event");
  EXPECT_EQ(name(Scope::kTraits, EventType::kIdentify, {"userId"}), "_user_id");
  EXPECT_EQ(name(Scope::kTraits, EventType::kGroup, {"groupId"}), "_group_id");
  EXPECT_EQ(name(Scope::kProperties, EventType::kTrack, {"groupId"}), "group_id");
  EXPECT_EQ(name(Scope::kProperties, EventType::kTrack, {"context", "ip"}), "_context_ip");
  EXPECT_EQ(name(Scope::kContext, EventType::kTrack, {"ip"}), "context_ip");
  EXPECT_EQ(name(Scope::kContext, EventType::kTrack, {"traits", "firstName"}),
            "context_traits_first_name");
  EXPECT_EQ(name(Scope::kProperties, EventType::kTrack, {"a", "b", "c", "d"}), "a_b_c_d");
  EXPECT_EQ(name(Scope::kProperties, EventType::kTrack, {"2faCode"}), "_2fa_code");
  EXPECT_EQ(name(Scope::kProperties, EventType::kTrack, {"order"}), "_order");
}

}  // namespace
}  // namespace leat::shape
