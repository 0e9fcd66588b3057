#include "aws/sigv4.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/digest.h"
#include "base/text.h"

namespace leat::aws {
namespace {

constexpr std::string_view kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kFirstToken =
    "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
constexpr std::string_view kSecondToken =
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfI"
    "eoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0"
    "wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+"
    "scqKmlzm8FDrypN"
    "C9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

struct SuiteCase {
  std::string name;
  std::string method;
  std::string path;
  std::string query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string flags;
  std::string header_signature;
  std::string query_signature;

  [[nodiscard]] bool flag(std::string_view wanted) const {
    for (const std::string_view flag : split(flags, ',')) {
      if (flag == wanted) return true;
    }
    return false;
  }
};

std::vector<SuiteCase> read_suite() {
  std::vector<SuiteCase> out;
  std::ifstream file(LEAT_TESTDATA "/signing_suite.tsv");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto cells = split(line, '\t');
    if (cells.size() != 9) return {};
    SuiteCase c;
    c.name = cells[0];
    c.method = cells[1];
    c.path = cells[2];
    c.query = cells[3];
    for (const std::string_view header : split(cells[4], '|')) {
      if (header.empty()) continue;
      const std::size_t colon = header.find(':');
      std::string value(header.substr(colon + 1));
      for (std::size_t at = 0; (at = value.find("\\n", at)) != std::string::npos;) {
        value.replace(at, 2, "\n");
      }
      c.headers.emplace_back(header.substr(0, colon), value);
    }
    c.body = cells[5];
    c.flags = cells[6];
    c.header_signature = cells[7];
    c.query_signature = cells[8];
    out.push_back(std::move(c));
  }
  return out;
}

TEST(SigV4, AllCasesOfThePublicSuite) {
  const std::vector<SuiteCase> suite = read_suite();
  ASSERT_EQ(suite.size(), 38u);
  for (const SuiteCase& c : suite) {
    const std::string hash = c.body.empty() ? std::string(kEmptyHash) : to_hex(sha256(c.body));
    std::vector<HeaderView> headers = {{"Host", "example.amazonaws.com"}};
    for (const auto& [name, value] : c.headers) headers.push_back({name, value});
    Secret secret{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
    if (c.flag("token")) {
      secret.session_token = c.name.starts_with("post-sts") ? kSecondToken : kFirstToken;
    }
    const SigningScope scope{
        .region = "us-east-1",
        .service = "service",
        .time = *parse_amz_date("20150830T123600Z"),
        .path_rule = c.flag("no-normalize") ? PathRule::kEncoded : PathRule::kNormalized,
        .token_after_signing = c.flag("omit_session_token")};
    RequestToSign request{.method = c.method,
                          .path = c.path,
                          .query = c.query,
                          .headers = headers,
                          .payload_hash = hash};
    const std::string query = presign_query(secret, request, scope, 3600);
    EXPECT_TRUE(query.ends_with("&X-Amz-Signature=" + c.query_signature)) << c.name << "\n"
                                                                          << query;
    if (c.flag("sign_body")) headers.push_back({"x-amz-content-sha256", hash});
    request.headers = headers;
    const Signature signature = sign_headers(secret, request, scope);
    EXPECT_EQ(signature.signature, c.header_signature) << c.name;
    EXPECT_TRUE(signature.authorization.ends_with(c.header_signature)) << c.name;
  }
}

// The examples of S3's own pages.
TEST(SigV4, SignsAsS3Documents) {
  const Secret secret{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
  const SigningScope scope{.region = "us-east-1",
                           .service = "s3",
                           .time = *parse_amz_date("20130524T000000Z"),
                           .path_rule = PathRule::kAsOnTheWire};
  const std::vector<HeaderView> get = {{"Host", "examplebucket.s3.amazonaws.com"},
                                       {"Range", "bytes=0-9"},
                                       {"x-amz-content-sha256", kEmptyHash}};
  EXPECT_EQ(
      sign_headers(secret, {.path = "/test.txt", .headers = get, .payload_hash = kEmptyHash}, scope)
          .signature,
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  const std::vector<HeaderView> host = {{"Host", "examplebucket.s3.amazonaws.com"}};
  EXPECT_TRUE(presign_query(
                  secret, {.path = "/test.txt", .headers = host, .payload_hash = kUnsignedPayload},
                  scope, 86400)
                  .ends_with("aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"));
  const std::vector<HeaderView> put = {{"Host", "s3.amazonaws.com"},
                                       {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                       {"x-amz-content-sha256", kStreamingPayload},
                                       {"content-encoding", "aws-chunked"},
                                       {"x-amz-decoded-content-length", "66560"},
                                       {"content-length", "66824"}};
  EXPECT_EQ(sign_headers(secret,
                         {.method = "PUT",
                          .path = "/examplebucket/chunkObject.txt",
                          .headers = put,
                          .payload_hash = kStreamingPayload},
                         scope)
                .signature,
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
}

TEST(SigV4, LeavesOutWhatProxiesChange) {
  const Secret secret{"A", "S", "token"};
  const SigningScope scope{.region = "r", .service = "s", .time = TimeUs{0}};
  const std::vector<HeaderView> headers = {
      {"Host", "h"}, {"User-Agent", "x"}, {"Expect", "100-continue"}, {"Connection", "close"}};
  const Signature signature =
      sign_headers(secret, {.headers = headers, .payload_hash = kEmptyHash}, scope);
  EXPECT_NE(signature.authorization.find("SignedHeaders=host;x-amz-date;x-amz-security-token,"),
            std::string::npos)
      << signature.authorization;
  EXPECT_EQ(signature.amz_date, "19700101T000000Z");
}

TEST(SigV4, PercentEncodes) {
  EXPECT_EQ(percent_encode("aZ09-._~/ +%=\xc3\xa9"), "aZ09-._~%2F%20%2B%25%3D%C3%A9");
  EXPECT_EQ(percent_encode("a/b c", true), "a/b%20c");
  EXPECT_EQ(percent_decode("a%2Fb%20c+%zz%4"), "a/b c+%zz%4");
  EXPECT_EQ(percent_decode("%41%"), "A%");
}

TEST(SigV4, Dates) {
  const TimeUs time = *parse_iso8601("2026-11-20T14:03:05.9Z");
  EXPECT_EQ(format_amz_date(time), "20261120T140305Z");
  EXPECT_EQ(format_http_date(time), "Fri, 20 Nov 2026 14:03:05 GMT");
  EXPECT_EQ(parse_amz_date("20261120T140305Z"), parse_iso8601("2026-11-20T14:03:05Z"));
  EXPECT_EQ(parse_http_date("Fri, 20 Nov 2026 14:03:05 GMT"),
            parse_iso8601("2026-11-20T14:03:05Z"));
  EXPECT_EQ(format_http_date(*parse_iso8601("1969-12-31T23:59:59.5Z")),
            "Wed, 31 Dec 1969 23:59:59 GMT");
  for (const char* bad : {"", "20261120T140305", "20261320T140305Z", "2026-11-20T14:03Z",
                          "20261120 140305Z", "2026112aT140305Z"}) {
    EXPECT_FALSE(parse_amz_date(bad).has_value()) << bad;
  }
  for (const char* bad : {"", "Fri, 20 Now 2026 14:03:05 GMT", "Fri, 20 Nov 2026 14:03:05 CET",
                          "Friday, 20-Nov-26 14:03:05 GMT"}) {
    EXPECT_FALSE(parse_http_date(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace leat::aws
