#include "aws/verify.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"

namespace leat::aws {
namespace {

using Reason = Refusal::Reason;

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

// A request that can be altered before it is verified.
struct Sample {
  std::string method = "POST";
  std::string path = "/";
  std::string query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body = "{}";

  [[nodiscard]] std::expected<Verified, Refusal> check(const VerifyOptions& options,
                                                       FoundKey key = {}) const {
    if (key.secret_access_key.empty()) key.secret_access_key = kSecret;
    std::vector<HeaderView> views;
    for (const auto& [name, value] : headers) views.push_back({name, value});
    return verify({.method = method, .path = path, .query = query, .headers = views, .body = body},
                  options, [&key](std::string_view id) -> std::optional<FoundKey> {
                    if (id != "AKIDEXAMPLE") return std::nullopt;
                    return key;
                  });
  }
  std::string& header(std::string_view name) {
    for (auto& [at, value] : headers) {
      if (equal_ignore_case(at, name)) return value;
    }
    return headers.emplace_back(name, "").second;
  }
  void drop(std::string_view name) {
    std::erase_if(headers, [name](const auto& h) { return equal_ignore_case(h.first, name); });
  }
};

TimeUs at(std::string_view amz_date) {
  return *parse_amz_date(amz_date);
}

Sample signed_sample(const Secret& secret = {"AKIDEXAMPLE", std::string(kSecret), ""}) {
  Sample sample;
  sample.headers = {{"Host", "127.0.0.1:8082"},
                    {"X-Amz-Target", "RedshiftData.ExecuteStatement"},
                    {"Content-Type", "application/x-amz-json-1.1"}};
  std::vector<HeaderView> views;
  for (const auto& [name, value] : sample.headers) views.push_back({name, value});
  const std::string hash = to_hex(sha256(sample.body));
  const Signature signature = sign_headers(
      secret, {.method = "POST", .headers = views, .payload_hash = hash},
      {.region = "us-east-1", .service = "redshift-data", .time = at("20261120T120000Z")});
  sample.headers.emplace_back("X-Amz-Date", signature.amz_date);
  if (!secret.session_token.empty()) {
    sample.headers.emplace_back("X-Amz-Security-Token", secret.session_token);
  }
  sample.headers.emplace_back("Authorization", signature.authorization);
  return sample;
}

VerifyOptions data_api() {
  return {.service = "redshift-data", .now = at("20261120T120100Z")};
}

Reason refused(const std::expected<Verified, Refusal>& answer) {
  EXPECT_FALSE(answer.has_value());
  return answer ? Reason::kMissingToken : answer.error().reason;
}

TEST(Verify, AcceptsWhatSigningMakes) {
  const auto answer = signed_sample().check(data_api());
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->access_key_id, "AKIDEXAMPLE");
  EXPECT_EQ(answer->region, "us-east-1");
  EXPECT_EQ(answer->scope, "20261120/us-east-1/redshift-data/aws4_request");
  EXPECT_FALSE(answer->presigned);
}

// Bytes that the JavaScript SDK and the command line tool of AWS sent.
TEST(Verify, AcceptsRecordedClients) {
  Sample cli;
  cli.headers = {
      {"Host", "127.0.0.1:18080"},
      {"Accept-Encoding", "identity"},
      {"X-Amz-Target", "RedshiftData.ExecuteStatement"},
      {"Content-Type", "application/x-amz-json-1.1"},
      {"User-Agent", "aws-cli/2.9.19"},
      {"X-Amz-Date", "20261120T220612Z"},
      {"Authorization",
       "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/us-east-1/redshift-data/aws4_request, "
       "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
       "Signature=6d293be076301fdd76a3e5e2ad8a02f9fbf56402bb51ee94f7a1c5f5ca237397"}};
  cli.body = R"({"ClusterIdentifier": "c1", "Database": "dev", "DbUser": "awsuser", "Parameters": )"
             R"([{"name": "id", "value": "1"}], "Sql": "select :id", )"
             R"("ClientToken": "302f5b9d-6dec-4d95-b0d2-477f2a426180"})";
  const VerifyOptions options{.service = "redshift-data", .now = at("20261120T220700Z")};
  auto answer = cli.check(options);
  EXPECT_TRUE(answer.has_value()) << answer.error().canonical_request;

  Sample js;
  js.headers = {
      {"content-type", "application/x-amz-json-1.1"},
      {"x-amz-target", "RedshiftData.ExecuteStatement"},
      {"content-length", "225"},
      {"x-amz-user-agent", "aws-sdk-js/3.1168.0"},
      {"host", "127.0.0.1:18080"},
      {"amz-sdk-invocation-id", "6282e6be-4f83-40fa-88e9-a3f93339bc2f"},
      {"amz-sdk-request", "attempt=1; max=3"},
      {"x-amz-date", "20261120T220723Z"},
      {"x-amz-security-token", "SESSTOK"},
      {"x-amz-content-sha256", "55bdbadaf769a7370aae54d6b8380ba5acd332c7286af8ce8dfd7cd6dd9dae6b"},
      {"authorization",
       "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/us-east-1/redshift-data/aws4_request, "
       "SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-length;content-type;host;"
       "x-amz-content-sha256;x-amz-date;x-amz-security-token;x-amz-target;x-amz-user-agent, "
       "Signature=a931721fafc9170967a1477336b46b2ca7d74eb632dd7ed73f276dffaa7878a5"},
      {"Connection", "keep-alive"}};
  js.body = R"({"Sql":"select :id","Database":"dev","Parameters":[{"name":"id","value":"1"}],)"
            R"("WorkgroupName":"wg-1","ClientToken":"4a55e06b-93c4-4449-82e5-fd0630ee9fc5",)"
            R"("ResultFormat":"CSV","SessionKeepAliveSeconds":60,"WaitTimeSeconds":30})";
  answer = js.check(options, {.secret_access_key = "", .session_token = "SESSTOK"});
  EXPECT_TRUE(answer.has_value()) << answer.error().canonical_request;
  EXPECT_EQ(refused(js.check(options, {.secret_access_key = "", .session_token = "OTHER"})),
            Reason::kBadToken);
  EXPECT_EQ(refused(js.check(options)), Reason::kBadToken);
}

TEST(Verify, RefusesEveryChange) {
  struct Case {
    const char* name;
    void (*change)(Sample&);
    Reason reason;
  };
  const std::vector<Case> cases = {
      {"no signature", [](Sample& s) { s.drop("Authorization"); }, Reason::kMissingToken},
      {"body", [](Sample& s) { s.body = "{\"a\":1}"; }, Reason::kBadSignature},
      {"method", [](Sample& s) { s.method = "PUT"; }, Reason::kBadSignature},
      {"path", [](Sample& s) { s.path = "/x"; }, Reason::kBadSignature},
      {"query", [](Sample& s) { s.query = "x=1"; }, Reason::kBadSignature},
      {"signed header", [](Sample& s) { s.header("X-Amz-Target") = "RedshiftData.X"; },
       Reason::kBadSignature},
      {"host", [](Sample& s) { s.header("Host") = "other"; }, Reason::kBadSignature},
      {"added x-amz header", [](Sample& s) { s.header("X-Amz-Meta-A") = "1"; },
       Reason::kBadSignature},
      {"no date", [](Sample& s) { s.drop("X-Amz-Date"); }, Reason::kIncomplete},
      {"bad date", [](Sample& s) { s.header("X-Amz-Date") = "20261120"; }, Reason::kIncomplete},
      {"other day", [](Sample& s) { s.header("X-Amz-Date") = "20261119T120000Z"; },
       Reason::kWrongScope},
      {"other algorithm", [](Sample& s) { s.header("Authorization") = "AWS4-ECDSA a"; },
       Reason::kIncomplete},
      {"nothing in it", [](Sample& s) { s.header("Authorization") = "AWS4-HMAC-SHA256"; },
       Reason::kIncomplete},
      {"basic", [](Sample& s) { s.header("Authorization") = "Basic YTpi"; }, Reason::kIncomplete},
      {"both ways", [](Sample& s) { s.query = "X-Amz-Signature=1"; }, Reason::kIncomplete},
  };
  for (const Case& c : cases) {
    Sample sample = signed_sample();
    c.change(sample);
    EXPECT_EQ(refused(sample.check(data_api())), c.reason) << c.name;
  }
}

TEST(Verify, RefusesOtherKeysScopesAndTimes) {
  const Sample sample = signed_sample();
  EXPECT_EQ(refused(sample.check(data_api(), {.secret_access_key = "other"})),
            Reason::kBadSignature);
  EXPECT_EQ(refused(sample.check({.service = "s3", .now = at("20261120T120100Z")})),
            Reason::kWrongScope);
  const std::vector<std::string> regions = {"eu-west-1"};
  EXPECT_EQ(refused(sample.check(
                {.service = "redshift-data", .regions = regions, .now = at("20261120T120100Z")})),
            Reason::kWrongScope);
  EXPECT_EQ(refused(sample.check({.now = at("20261120T121501Z")})), Reason::kTooSkewed);
  EXPECT_EQ(refused(sample.check({.now = at("20261120T114459Z")})), Reason::kTooSkewed);
  EXPECT_TRUE(sample.check({.now = at("20261120T121500Z")}).has_value());
  EXPECT_TRUE(sample.check({.now = at("20261120T114500Z")}).has_value());
  EXPECT_EQ(refused(sample.check(data_api(),
                                 {.secret_access_key = "", .expires = at("20261120T120000Z")})),
            Reason::kExpiredToken);
  const Sample other = signed_sample({"UNKNOWN", std::string(kSecret), ""});
  EXPECT_EQ(refused(other.check(data_api())), Reason::kUnknownKey);
  const auto refusal = sample.check(data_api(), {.secret_access_key = "other"});
  EXPECT_EQ(refusal.error().string_to_sign.find("other"), std::string::npos);
  EXPECT_TRUE(refusal.error().canonical_request.starts_with("POST\n/\n"));
}

TEST(Verify, Presigned) {
  const Secret secret{"AKIDEXAMPLE", std::string(kSecret), "token/1"};
  const std::vector<HeaderView> host = {{"Host", "leat.example"}};
  Sample sample;
  sample.method = "GET";
  sample.path = "/bucket/a%20b";
  sample.body = "";
  sample.headers = {{"Host", "leat.example"}};
  sample.query = presign_query(secret,
                               {.method = "GET",
                                .path = sample.path,
                                .query = "x-id=GetObject",
                                .headers = host,
                                .payload_hash = kUnsignedPayload},
                               {.region = "us-east-1",
                                .service = "s3",
                                .time = at("20261120T120000Z"),
                                .path_rule = PathRule::kAsOnTheWire},
                               600);
  const FoundKey key{.secret_access_key = std::string(kSecret), .session_token = "token/1"};
  const auto check = [&](std::string_view now) {
    return sample.check({.service = "s3", .s3 = true, .now = at(now)}, key);
  };
  const auto answer = check("20261120T121000Z");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_TRUE(answer->presigned);
  EXPECT_EQ(answer->payload, PayloadKind::kUnsigned);
  EXPECT_EQ(refused(check("20261120T121001Z")), Reason::kExpiredPresign);
  EXPECT_EQ(refused(check("20261120T114459Z")), Reason::kTooSkewed);
  const std::string good = sample.query;
  sample.query += "&more=1";
  EXPECT_EQ(refused(check("20261120T120000Z")), Reason::kBadSignature);
  for (const char* expires : {"0", "604801", "x", "-1"}) {
    sample.query = good;
    sample.query.replace(good.find("Expires=600"), 11, std::string("Expires=") + expires);
    EXPECT_EQ(refused(check("20261120T120000Z")), Reason::kIncomplete) << expires;
  }
}

TEST(Verify, S3PayloadRules) {
  const auto make = [](std::string_view stated, std::string_view signed_hash) {
    Sample sample;
    sample.method = "PUT";
    sample.path = "/b/k";
    sample.body = "hello";
    sample.headers = {{"Host", "h"}};
    if (!stated.empty()) sample.headers.emplace_back("x-amz-content-sha256", stated);
    std::vector<HeaderView> views;
    for (const auto& [name, value] : sample.headers) views.push_back({name, value});
    const Signature signature = sign_headers(
        {"AKIDEXAMPLE", std::string(kSecret), ""},
        {.method = "PUT", .path = "/b/k", .headers = views, .payload_hash = signed_hash},
        {.region = "r",
         .service = "s3",
         .time = at("20261120T120000Z"),
         .path_rule = PathRule::kAsOnTheWire});
    sample.headers.emplace_back("x-amz-date", signature.amz_date);
    sample.headers.emplace_back("authorization", signature.authorization);
    return sample;
  };
  const VerifyOptions s3{.service = "s3", .s3 = true, .now = at("20261120T120000Z")};
  const std::string hash = to_hex(sha256("hello"));
  const std::string other = to_hex(sha256("other"));
  EXPECT_EQ(make(hash, hash).check(s3)->payload, PayloadKind::kSigned);
  EXPECT_EQ(make(kUnsignedPayload, kUnsignedPayload).check(s3)->payload, PayloadKind::kUnsigned);
  EXPECT_EQ(make(kStreamingUnsignedTrailer, kStreamingUnsignedTrailer).check(s3)->payload,
            PayloadKind::kChunksUnsigned);
  EXPECT_EQ(refused(make(other, other).check(s3)), Reason::kContentSha256Mismatch);
  EXPECT_EQ(refused(make("", hash).check(s3)), Reason::kMissingContentSha256);
  EXPECT_TRUE(make("", hash)
                  .check({.service = "s3",
                          .s3 = true,
                          .content_sha256_required = false,
                          .now = at("20261120T120000Z")})
                  .has_value());
  // Only S3 knows the literals.
  EXPECT_EQ(refused(make(kUnsignedPayload, kUnsignedPayload)
                        .check({.service = "s3", .now = at("20261120T120000Z")})),
            Reason::kContentSha256Mismatch);
}

Verified chunk_seed(std::string signature, PayloadKind kind) {
  return {.access_key_id = "AKIAIOSFODNN7EXAMPLE",
          .region = "us-east-1",
          .service = "s3",
          .amz_date = "20130524T000000Z",
          .scope = "20130524/us-east-1/s3/aws4_request",
          .signature = std::move(signature),
          .signing_key = signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524",
                                     "us-east-1", "s3"),
          .payload = kind};
}

std::string chunk(std::size_t size, std::string_view signature) {
  char line[128];
  std::snprintf(line, sizeof line, "%zx;chunk-signature=%s\r\n", size,
                std::string(signature).c_str());
  return std::string(line) + (size > 0 ? std::string(size, 'a') + "\r\n" : "");
}

// The vectors of S3's page on signed chunks.
TEST(AwsChunked, DocumentedChunks) {
  const Verified seed =
      chunk_seed("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
                 PayloadKind::kChunksSigned);
  const std::string body =
      chunk(65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648") +
      chunk(1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497") +
      chunk(0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9") + "\r\n";
  const auto decoded = decode_aws_chunked(body, seed);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().to_string();
  EXPECT_EQ(decoded->body, std::string(66560, 'a'));
  std::string changed = body;
  changed[200] = 'b';
  EXPECT_EQ(decode_aws_chunked(changed, seed).error().code, Errc::kDenied);
  // Chunks left out at the end, or in the middle.
  EXPECT_FALSE(decode_aws_chunked(body.substr(0, body.find("400;")), seed).has_value());
  std::string shorter = body;
  shorter.erase(shorter.find("400;"), shorter.find("0;chunk", 66000) - shorter.find("400;"));
  EXPECT_FALSE(decode_aws_chunked(shorter, seed).has_value());
}

TEST(AwsChunked, DocumentedTrailer) {
  const Verified seed =
      chunk_seed("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
                 PayloadKind::kChunksAndTrailerSigned);
  const std::string chunks =
      chunk(65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2") +
      chunk(1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7") +
      chunk(0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
  const std::string trailer =
      "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:"
      "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
  const auto decoded = decode_aws_chunked(chunks + trailer, seed);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().to_string();
  ASSERT_EQ(decoded->trailers.size(), 1u);
  EXPECT_EQ(decoded->trailers[0].second, "sOO8/Q==");
  EXPECT_EQ(amz_checksum("crc32c", decoded->body), "sOO8/Q==");
  EXPECT_EQ(decode_aws_chunked(chunks + "x-amz-checksum-crc32c:AAAA/Q==" + trailer.substr(30), seed)
                .error()
                .code,
            Errc::kDenied);
  EXPECT_EQ(decode_aws_chunked(chunks + "\r\n", seed).error().code, Errc::kDenied);
}

TEST(AwsChunked, UnsignedAndBroken) {
  const Verified seed = chunk_seed("", PayloadKind::kChunksUnsigned);
  const std::string good = "64\r\n" + std::string(100, 'a') + "\r\n32\r\n" + std::string(50, 'b') +
                           "\r\n0\r\nx-amz-checksum-crc32:PDlvaA==\r\n\r\n";
  const auto decoded = decode_aws_chunked(good, seed);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->body.size(), 150u);
  EXPECT_EQ(amz_checksum("crc32", decoded->body), "PDlvaA==");
  for (const std::string& bad :
       {std::string(), std::string("5"), std::string("5\r\n"), std::string("5\r\nabc\r\n"),
        std::string("zz\r\nab\r\n"), std::string("ffffffffffffffff\r\nab\r\n0\r\n\r\n"),
        std::string("-1\r\n\r\n"), std::string("2\r\nabX\r\n0\r\n\r\n"),
        std::string("0\r\nno colon\r\n\r\n"), std::string("0\r\n\r\nmore"),
        std::string("11111111111111111\r\n")}) {
    EXPECT_EQ(decode_aws_chunked(bad, seed).error().code, Errc::kInvalid) << bad;
  }
}

TEST(AmzChecksum, KnownValues) {
  EXPECT_EQ(amz_checksum("crc32", "hello"), "NhCmhg==");
  EXPECT_EQ(amz_checksum("crc64nvme", "123456789"), "rosUhgp5mIg=");
  EXPECT_EQ(amz_checksum("sha1", "abc"), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
  EXPECT_EQ(amz_checksum("md5", ""), "1B2M2Y8AsgTpgAmY7PhCfg==");
  EXPECT_EQ(amz_checksum("sha256", ""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  EXPECT_FALSE(amz_checksum("xxhash64", "").has_value());
}

}  // namespace
}  // namespace leat::aws
