#include "pipeline/event/sample_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "base/text.h"

namespace leat::event {
namespace {

constexpr std::array<std::string_view, 12> kTrackNames = {
    "Product Viewed",    "Product List Viewed",       "Product Added",      "Products Searched",
    "Cart Viewed",       "Checkout Started",          "Order Completed",    "Coupon Applied",
    "Promotion Clicked", "Product Added to Wishlist", "Email Link Clicked", "Signed Up"};
// Out of 100: how often each of them happens.
constexpr std::array<unsigned, 12> kTrackWeights = {30, 16, 12, 9, 8, 6, 5, 3, 4, 3, 2, 2};

struct Place {
  std::string_view country, city, timezone, locale, currency;
};
constexpr std::array<Place, 8> kPlaces = {{
    {"DE", "Berlin", "Europe/Berlin", "de-DE", "EUR"},
    {"FR", "Orl\u00e9ans", "Europe/Paris", "fr-FR", "EUR"},
    {"US", "Portland", "America/Los_Angeles", "en-US", "USD"},
    {"US", "Austin", "America/Chicago", "en-US", "USD"},
    {"GB", "Leeds", "Europe/London", "en-GB", "GBP"},
    {"JP", "\u5927\u962a", "Asia/Tokyo", "ja-JP", "JPY"},
    {"BR", "S\u00e3o Paulo", "America/Sao_Paulo", "pt-BR", "BRL"},
    {"SE", "Malm\u00f6", "Europe/Stockholm", "sv-SE", "SEK"},
}};
constexpr std::array<std::string_view, 6> kPaths = {"/",     "/products", "/products/detail",
                                                    "/cart", "/checkout", "/account/orders"};
constexpr std::array<std::string_view, 6> kTitles = {
    "Home", "All Products", "Product \\\"Detail\\\"",
    "Cart", "Checkout",     "Your Orders \\u2013 Shop"};
constexpr std::array<std::string_view, 5> kCategories = {"Shoes", "Jackets", "Bags", "Hats",
                                                         "Caf\u00e9"};
constexpr std::array<std::string_view, 5> kSources = {"google", "newsletter", "bing", "partner",
                                                      "direct"};
constexpr std::array<std::string_view, 4> kPlans = {"free", "basic", "pro", "enterprise"};
constexpr std::array<std::string_view, 4> kAgents = {
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 "
    "Safari/537.36"};

template <class... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

/// A number that is always the same for the same person or thing.
std::uint64_t fixed(std::uint64_t thing, std::uint64_t salt) {
  return SeededRandom(thing * 1'000'003 + salt).next();
}

std::string uuid_of(std::uint64_t thing, std::uint64_t salt) {
  SeededRandom random(thing * 1'000'003 + salt);
  return uuid4(random);
}

double price_of(std::uint64_t product) {
  return static_cast<double>(fixed(product, 1) % 15'000 + 499) / 100;
}

}  // namespace

struct SampleEvents::Visitor {
  std::uint64_t number = 0;
  bool is_known = false;
  const Place* place = nullptr;
};

SampleEvents::SampleEvents(std::uint64_t seed, std::uint32_t users)
    : random_(seed), users_(std::max(users, 1U)) {}

void SampleEvents::append(std::string& out, TimeUs now) {
  if (!last_.empty() && chance(1)) {
    out += last_;
    return;
  }
  const std::uint64_t roll = random_.below(100);
  const Library library = roll < 72   ? Library::kBrowser
                          : roll < 92 ? Library::kIos
                                      : Library::kNode;
  const std::size_t start = out.size();
  append_event(out, library, now);
  last_.assign(out, start);
}

SampleEvents::Visitor SampleEvents::visitor() {
  // Some visit much more often than others.
  const std::uint64_t number = random_.below(random_.below(users_) + 1);
  return {.number = number,
          .is_known = chance(45),
          .place = &kPlaces[fixed(number, 2) % kPlaces.size()]};
}

void SampleEvents::append_event(std::string& out, Library library, TimeUs now) {
  Visitor who = visitor();
  const unsigned roll = static_cast<unsigned>(random_.below(1000));
  const std::string_view type = roll < 600   ? "track"
                                : roll < 860 ? (library == Library::kIos ? "screen" : "page")
                                : roll < 940 ? "identify"
                                : roll < 990 ? "screen"
                                : roll < 997 ? "group"
                                             : "alias";
  if (type == "alias") who.is_known = true;  // the call needs a userId
  const TimeUs happened{(now.value - static_cast<std::int64_t>(random_.below(30'000)) * 1000) /
                        1000 * 1000};
  const std::string timestamp = format_iso8601(happened);
  const std::string sent = format_iso8601(TimeUs{now.value / 1000 * 1000});
  const std::string id = uuid4(random_);
  switch (library) {
    case Library::kBrowser:
      put(out, R"({{"timestamp":"{}","integrations":{{}},)", timestamp);
      append_ids(out, who);
      put(out, R"(,"type":"{}",)", type);
      append_call(out, type, who);
      out += R"(,"context":{)";
      append_browser_context(out, who);
      put(out, R"(}},"messageId":"ajs-next-{}-{}","sentAt":"{}"}})", happened.value / 1000, id,
          sent);
      return;
    case Library::kIos:
      put(out, R"({{"type":"{}",)", type);
      append_call(out, type, who);
      put(out, R"(,"messageId":"{}","originalTimestamp":"{}",)", id, timestamp);
      append_ids(out, who);
      out += R"(,"context":{)";
      append_ios_context(out, who);
      put(out, R"(}},"integrations":{{}},"sentAt":"{}","channel":"mobile"}})", sent);
      return;
    case Library::kNode:
      break;
  }
  out += '{';
  append_ids(out, who);
  out += ',';
  append_call(out, type, who);
  put(out, R"(,"type":"{}","context":{{)", type);
  append_node_context(out);
  put(out,
      R"(}},"timestamp":"{}","messageId":"node-next-{}-{}",)"
      R"("_metadata":{{"nodeVersion":"20.20.0","jsRuntime":"node"}},"sentAt":"{}"}})",
      timestamp, happened.value / 1000, id, sent);
}

void SampleEvents::append_ids(std::string& out, const Visitor& visitor) {
  put(out, R"("anonymousId":"{}","userId":)", uuid_of(visitor.number, 3));
  if (visitor.is_known) {
    put(out, R"("u{}")", 100'000 + visitor.number);
  } else {
    out += "null";
  }
}

void SampleEvents::append_call(std::string& out, std::string_view type, const Visitor& visitor) {
  if (type == "track") {
    append_track(out, visitor);
  } else if (type == "page" || type == "screen") {
    append_page(out, type == "screen");
  } else if (type == "identify") {
    append_traits(out, visitor);
  } else if (type == "group") {
    const std::uint64_t company = fixed(visitor.number, 4) % 200;
    put(out, R"("groupId":"g{}","traits":{{"name":"Company {}","industry":"{}","employees":{},)",
        company, company, kCategories[company % kCategories.size()], company * 7 + 3);
    put(out, R"("plan":"{}"}})", kPlans[company % kPlans.size()]);
  } else {
    put(out, R"("previousId":"{}")", uuid_of(visitor.number, 5));
  }
}

void SampleEvents::append_product(std::string& out, std::uint64_t product) {
  put(out,
      R"("product_id":"{}","sku":"SKU-{:05}","name":"Item {} \"{}\"","category":"{}",)"
      R"("brand":"Brand {}","price":{},"quantity":{})",
      fixed(product, 6) % 1'000'000, product, product, product % 3 == 0 ? "Classic" : "Sport",
      kCategories[product % kCategories.size()], product % 17, price_of(product),
      1 + random_.below(3));
}

void SampleEvents::append_order(std::string& out, const Visitor& visitor, bool completed) {
  double total = 0;
  std::string products;
  for (std::uint64_t i = 0, count = 1 + random_.below(2); i < count; ++i) {
    const std::uint64_t product = random_.below(300);
    total += price_of(product);
    products += i == 0 ? "{" : ",{";
    append_product(products, product);
    products += '}';
  }
  total = std::round(total * 100) / 100;
  put(out, R"("order_id":"o-{:07}","revenue":{},"shipping":{},"tax":{},"currency":"{}",)",
      completed ? ++orders_ : orders_, total, chance(50) ? 4.95 : 0.0, std::round(total * 19) / 100,
      visitor.place->currency);
  if (chance(30)) put(out, R"("coupon":"{}",)", chance(50) ? "SAVE10" : "FREESHIP");
  put(out, R"("isGift":{},"country":"{}","products":[{}])", chance(10), visitor.place->country,
      products);
}

void SampleEvents::append_track(std::string& out, const Visitor& visitor) {
  unsigned roll = static_cast<unsigned>(random_.below(100));
  std::size_t which = 0;
  while (which + 1 < kTrackNames.size() && roll >= kTrackWeights[which]) {
    roll -= kTrackWeights[which++];
  }
  put(out, R"("event":"{}","properties":{{)", kTrackNames[which]);
  switch (which) {
    case 0:
    case 2:
    case 9: {
      append_product(out, random_.below(300));
      put(out, R"(,"position":{},"currency":"{}","variant":)", random_.below(40),
          visitor.place->currency);
      out += chance(40) ? "null" : R"("blue/42")";
      if (chance(30)) out += R"(,"inStock":true)";
      break;
    }
    case 1:
      put(out, R"("list_id":"l{}","category":"{}","resultCount":{},"filters":["size:{}","new"])",
          random_.below(30), kCategories[random_.below(5)], random_.below(300), random_.below(48));
      break;
    case 3:
      put(out, R"("query":"warm {} gr\u00f6\u00dfe","resultCount":{},"took_ms":{})",
          kCategories[random_.below(5)], random_.below(90),
          static_cast<double>(random_.below(90'000)) / 100);
      break;
    case 4:
    case 5:
    case 6:
      append_order(out, visitor, which == 6);
      break;
    default:
      put(out, R"("label":"{} {}","placement":{{"slot":{},"page":"{}"}},"value":{})",
          kSources[random_.below(5)], random_.below(50), random_.below(9), kPaths[random_.below(6)],
          random_.below(100));
      if (which == 11) put(out, R"(,"plan":"{}","trial":{})", kPlans[random_.below(4)], chance(50));
  }
  out += '}';
}

void SampleEvents::append_page(std::string& out, bool is_screen) {
  const std::uint64_t page = random_.below(kPaths.size());
  put(out, R"("name":"{}","properties":{{)", is_screen ? "Screen" : "Page");
  if (!is_screen) {
    put(out,
        R"("path":"{}","referrer":"{}","search":"{}","title":"{}","url":"https://shop.example{}",)",
        kPaths[page], chance(40) ? "https://www.google.com/" : "", chance(25) ? "?utm=1" : "",
        kTitles[page], kPaths[page]);
  }
  put(out, R"("loadTime":{},"variant":"{}","section":"{}"}})",
      static_cast<double>(random_.below(500'000)) / 1000, chance(50) ? "A" : "B",
      kCategories[random_.below(5)]);
}

void SampleEvents::append_traits(std::string& out, const Visitor& visitor) {
  const std::uint64_t n = visitor.number;
  put(out,
      R"("traits":{{"email":"user{}@mail{}.example","firstName":"Ann{}",)"
      R"("lastName":"O\u2019Neil {}",)"
      R"("plan":"{}","logins":{},"createdAt":"20{:02}-{:02}-{:02}T08:00:00.000Z",)"
      R"("address":{{"city":"{}","country":"{}","postalCode":"{:05}"}})",
      n, n % 5, n % 90, n % 70, kPlans[fixed(n, 7) % 4], random_.below(500), 15 + n % 10,
      1 + n % 12, 1 + n % 28, visitor.place->city, visitor.place->country, fixed(n, 8) % 100'000);
  if (chance(40)) out += R"(,"newsletter":true)";
  if (chance(20)) out += R"(,"phone":null)";
  out += '}';
}

void SampleEvents::append_page_context(std::string& out) {
  const std::uint64_t page = random_.below(kPaths.size());
  put(out,
      R"("page":{{"path":"{}","referrer":"{}","search":"{}","title":"{}",)"
      R"("url":"https://shop.example{}?p={}"}})",
      kPaths[page], chance(40) ? "https://www.google.com/" : "", chance(25) ? "?utm=1" : "",
      kTitles[page], kPaths[page], random_.below(5000));
}

void SampleEvents::append_browser_context(std::string& out, const Visitor& visitor) {
  const std::uint64_t n = visitor.number;
  append_page_context(out);
  put(out, R"(,"userAgent":"{}","userAgentData":{{"mobile":{},"platform":"{}",)",
      kAgents[fixed(n, 9) % kAgents.size()], fixed(n, 9) % 4 == 2,
      fixed(n, 9) % 2 == 0 ? "macOS" : "Windows");
  out +=
      R"("brands":[{"brand":"Chromium","version":"130"},{"brand":"Not?A_Brand","version":"99"}]},)";
  put(out, R"("locale":"{}","timezone":"{}","ip":"203.0.{}.{}",)", visitor.place->locale,
      visitor.place->timezone, n % 256, fixed(n, 10) % 256);
  put(out, R"("location":{{"country":"{}","city":"{}"}},)", visitor.place->country,
      visitor.place->city);
  put(out, R"("screen":{{"width":{},"height":{},"density":{}}},)", 1280 + n % 3 * 320,
      720 + n % 3 * 180, n % 2 == 0 ? 2.0 : 1.5);
  if (chance(35)) {
    put(out,
        R"("campaign":{{"source":"{}","medium":"cpc","name":"spring {}","term":"",)"
        R"("content":"c{}"}},)",
        kSources[random_.below(5)], random_.below(12), random_.below(40));
  }
  out += R"("library":{"name":"analytics.js","version":"npm:next-1.76.0"})";
}

void SampleEvents::append_ios_context(std::string& out, const Visitor& visitor) {
  const std::uint64_t n = visitor.number;
  put(out,
      R"("app":{{"name":"Shop","version":"4.{}.0","build":"{}","namespace":"com.example.shop"}},)",
      n % 9, 1000 + n % 9);
  put(out,
      R"("device":{{"id":"{}","manufacturer":"Apple","model":"iPhone{},2","name":"iPhone",)"
      R"("type":"ios",)"
      R"("adTrackingEnabled":{}}},)",
      uuid_of(n, 11), 12 + n % 5, n % 2 == 0);
  put(out, R"("os":{{"name":"iOS","version":"18.{}"}},)", n % 4);
  put(out, R"("network":{{"bluetooth":false,"carrier":"T-Mobile","cellular":{},"wifi":{}}},)",
      n % 3 == 0, n % 3 != 0);
  out += R"("screen":{"width":390,"height":844,"density":3},)";
  put(out, R"("locale":"{}","timezone":"{}","ip":"198.51.{}.{}",)", visitor.place->locale,
      visitor.place->timezone, n % 256, fixed(n, 12) % 256);
  put(out, R"("location":{{"country":"{}","city":"{}"}},)", visitor.place->country,
      visitor.place->city);
  put(out, R"("traits":{{"plan":"{}"}},)", kPlans[fixed(n, 7) % 4]);
  out += R"("library":{"name":"analytics-ios","version":"4.1.8"})";
}

void SampleEvents::append_node_context(std::string& out) {
  put(out, R"("library":{{"name":"@segment/analytics-node","version":"2.2.0"}},"host":"worker-{}")",
      random_.below(6));
}

}  // namespace leat::event
