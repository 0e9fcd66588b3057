// The folder of objects as S3, over real sockets: by our own client of S3, which does all that
// every store must do, and request by request.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "aws/s3_object_store.h"
#include "io/object_store_conformance.h"
#include "warehouse/dataapi/server.h"
#include "warehouse/dataapi/test_client.h"
#include "warehouse/session/warehouse.h"

namespace leat::dataapi {
namespace {

using testing::HasSubstr;
using testing::Not;

const AccessKey kAdmin{"LEATADMIN0000000", "adminsecretadminsecret", "leat"};
const AccessKey kReader{"LEATREADER000000", "readersecretreadersecret", "reader"};

/// A server with a folder of its own.
class Served {
 public:
  explicit Served(std::size_t body_bytes_max = std::size_t{64} << 20) {
    std::string pattern = (std::filesystem::temp_directory_path() / "leat-s3-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    warehouse_ = std::move(*session::Warehouse::open({.admin_password = "Secret123"}));
    ServerOptions options;
    options.listen = {"127.0.0.1", 0};
    options.keys = {kAdmin, kReader};
    options.warehouse = warehouse_.get();
    options.objects_directory = folder_ + "/objects";
    options.uploads_directory = folder_ + "/uploads";
    options.body_bytes_max = body_bytes_max;
    server_ = std::move(*Server::start(std::move(options)));
  }
  ~Served() {
    server_->stop(net::Deadline::after_us(5'000'000));
    std::filesystem::remove_all(folder_);
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  [[nodiscard]] std::string url() const { return "http://" + server_->local().to_string(); }
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  std::unique_ptr<session::Warehouse> warehouse_;
  std::unique_ptr<Server> server_;
};

/// The store of which the conformance suite knows nothing but that it is one.
class StoreOverS3 final : public io::StoreUnderTest {
 public:
  StoreOverS3() {
    http_ = std::move(*io::HttpClient::open({}));
    aws::S3Options options;
    options.http = http_.get();
    options.credentials = &credentials_;
    options.endpoint = served_.url();
    options.part_bytes = 5U << 20U;
    options.multipart_bytes_min = 5U << 20U;
    store_ = std::move(*aws::S3ObjectStore::open(std::move(options)));
  }
  io::ObjectStore& store() override { return *store_; }

 private:
  Served served_;
  std::unique_ptr<io::HttpClient> http_;
  aws::FixedCredentials credentials_{aws::Secret{kAdmin.id, kAdmin.secret, ""}, "a test"};
  std::unique_ptr<aws::S3ObjectStore> store_;
};

}  // namespace
}  // namespace leat::dataapi

namespace leat::io {

INSTANTIATE_TEST_SUITE_P(ServedAsS3, ObjectStoreConformance,
                         testing::Values(StoreKind{
                             "served", [] { return std::make_unique<dataapi::StoreOverS3>(); }}),
                         [](const auto& made) { return made.param.name; });

}  // namespace leat::io

namespace leat::dataapi {
namespace {

class S3Server : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<TestClient> client(const AccessKey& key) const {
    return std::make_unique<TestClient>(served_.url(), aws::Secret{key.id, key.secret, ""});
  }
  [[nodiscard]] io::HttpResponse ask(TestClient::Request request) const {
    request.service = "s3";
    return admin_->send(request);
  }
  static std::string code(const io::HttpResponse& answer) {
    const std::size_t at = answer.body.find("<Code>");
    if (at == std::string::npos) return "";
    return answer.body.substr(at + 6, answer.body.find("</Code>") - at - 6);
  }
  void put(const std::string& path, std::string body) const {
    const auto answer = ask({.method = "PUT", .path = path, .body = std::move(body)});
    ASSERT_EQ(answer.status, 200) << answer.body;
  }

  Served served_{std::size_t{6} << 20};
  std::unique_ptr<TestClient> admin_ = client(kAdmin);
};

TEST_F(S3Server, GetsObjectsAndTheirParts) {
  put("/bucket/dir/a%20b.txt", "0123456789");
  io::HttpResponse answer = ask({.method = "GET", .path = "/bucket/dir/a%20b.txt"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "0123456789");
  EXPECT_EQ(answer.header("content-length"), "10");
  EXPECT_TRUE(answer.header("last-modified"));
  EXPECT_TRUE(answer.header("x-amz-request-id"));
  const std::string etag(*answer.header("etag"));
  answer = ask({.method = "HEAD", .path = "/bucket/dir/a%20b.txt"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-length"), "10");
  EXPECT_EQ(answer.header("etag"), etag);
  answer =
      ask({.method = "GET", .path = "/bucket/dir/a%20b.txt", .headers = {{"Range", "bytes=2-4"}}});
  EXPECT_EQ(answer.status, 206);
  EXPECT_EQ(answer.body, "234");
  EXPECT_EQ(answer.header("content-range"), "bytes 2-4/10");
  answer =
      ask({.method = "GET", .path = "/bucket/dir/a%20b.txt", .headers = {{"Range", "bytes=10-"}}});
  EXPECT_EQ(answer.status, 416);
  EXPECT_EQ(code(answer), "InvalidRange");
  EXPECT_THAT(answer.body, HasSubstr("<ActualObjectSize>10</ActualObjectSize>"));
  answer =
      ask({.method = "GET", .path = "/bucket/dir/a%20b.txt", .headers = {{"If-None-Match", etag}}});
  EXPECT_EQ(answer.status, 304);
  answer = ask(
      {.method = "GET", .path = "/bucket/dir/a%20b.txt", .headers = {{"If-Match", "\"other\""}}});
  EXPECT_EQ(code(answer), "PreconditionFailed");
  EXPECT_EQ(code(ask({.method = "GET", .path = "/bucket/none"})), "NoSuchKey");
  answer = ask({.method = "HEAD", .path = "/bucket/none"});
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(code(ask({.method = "GET", .path = "/bucket/dir"})), "NoSuchKey");
}

TEST_F(S3Server, TakesWhatSdksStream) {
  const std::string chunks = "64\r\n" + std::string(100, 'a') + "\r\n32\r\n" +
                             std::string(50, 'b') +
                             "\r\n0\r\nx-amz-checksum-crc32:PDlvaA==\r\n\r\n";
  io::HttpResponse answer = ask({.method = "PUT",
                                 .path = "/bucket/streamed",
                                 .headers = {{"Content-Encoding", "aws-chunked"},
                                             {"x-amz-decoded-content-length", "150"},
                                             {"x-amz-trailer", "x-amz-checksum-crc32"}},
                                 .body = chunks,
                                 .payload_hash = std::string(aws::kStreamingUnsignedTrailer)});
  EXPECT_EQ(answer.status, 200) << answer.body;
  answer = ask({.method = "GET", .path = "/bucket/streamed"});
  EXPECT_EQ(answer.body, std::string(100, 'a') + std::string(50, 'b'));
  answer = ask({.method = "PUT",
                .path = "/bucket/unsigned",
                .body = "x",
                .payload_hash = std::string(aws::kUnsignedPayload)});
  EXPECT_EQ(answer.status, 200) << answer.body;
  answer = ask({.method = "PUT",
                .path = "/bucket/unsigned",
                .headers = {{"x-amz-checksum-crc32", "AAAAAA=="}},
                .body = "x"});
  EXPECT_EQ(code(answer), "BadDigest");
}

TEST_F(S3Server, HonoursPresignedUrls) {
  put("/bucket/k", "shared");
  io::HttpResponse answer =
      ask({.method = "GET", .path = "/bucket/k", .query = "x-id=GetObject", .presigned = true});
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body, "shared");
  answer = ask({.method = "PUT", .path = "/bucket/k", .body = "written", .presigned = true});
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(ask({.method = "GET", .path = "/bucket/k"}).body, "written");
  const auto early = client(kAdmin);
  early->now = TimeUs{early->now.value - 2 * kUsPerMinute};
  answer = early->send({.method = "GET", .path = "/bucket/k", .service = "s3", .presigned = true});
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("Request has expired"));
}

TEST_F(S3Server, ListsBothWays) {
  for (const char* key : {"a/1", "a/2", "b%26c", "d"}) put(std::string("/bucket/") + key, "x");
  io::HttpResponse answer =
      ask({.method = "GET",
           .path = "/bucket",
           .query = "delimiter=%2F&encoding-type=url&list-type=2&max-keys=2"});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"));
  EXPECT_THAT(answer.body, HasSubstr("<Key>b%26c</Key>"));
  EXPECT_THAT(answer.body, HasSubstr("<KeyCount>2</KeyCount>"));
  EXPECT_THAT(answer.body, HasSubstr("<IsTruncated>true</IsTruncated>"));
  answer = ask({.method = "GET", .path = "/bucket/", .query = "marker=a%2F2&prefix="});
  EXPECT_THAT(answer.body, HasSubstr("<Key>b&amp;c</Key>"));
  EXPECT_THAT(answer.body, Not(HasSubstr("a/2</Key>")));
  EXPECT_THAT(answer.body, Not(HasSubstr("KeyCount")));
  answer = ask({.method = "GET", .path = "/"});
  EXPECT_THAT(answer.body, HasSubstr("<Bucket><Name>bucket</Name>"));
  EXPECT_THAT(answer.body, Not(HasSubstr(".tmp")));
  EXPECT_EQ(ask({.method = "HEAD", .path = "/bucket"}).header("x-amz-bucket-region"), "us-east-1");
  EXPECT_EQ(ask({.method = "DELETE", .path = "/bucket"}).status, 409);
  EXPECT_EQ(ask({.method = "DELETE", .path = "/empty-bucket"}).status, 204);
  EXPECT_EQ(code(ask({.method = "GET", .path = "/No"})), "InvalidBucketName");
  EXPECT_EQ(code(ask({.method = "GET", .path = "/bucket", .query = "acl="})), "NotImplemented");
}

TEST_F(S3Server, DeletesAndCopies) {
  put("/bucket/a%26b", "content");
  io::HttpResponse answer = ask(
      {.method = "PUT", .path = "/other/copy", .headers = {{"x-amz-copy-source", "bucket/a%26b"}}});
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("<CopyObjectResult"));
  EXPECT_EQ(ask({.method = "GET", .path = "/other/copy"}).body, "content");
  answer = ask({.method = "PUT",
                .path = "/other/copy",
                .headers = {{"x-amz-copy-source", "bucket/a%26b"},
                            {"x-amz-copy-source-if-match", "\"other\""}}});
  EXPECT_EQ(code(answer), "PreconditionFailed");
  answer =
      ask({.method = "POST",
           .path = "/bucket",
           .query = "delete=",
           .body = "<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>none</Key></Object>"
                   "<Object><Key>x//y</Key></Object></Delete>"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("<Deleted><Key>a&amp;b</Key></Deleted>"));
  EXPECT_THAT(answer.body, HasSubstr("<Deleted><Key>none</Key></Deleted>"));
  EXPECT_THAT(answer.body, HasSubstr("<Error><Key>x//y</Key><Code>InvalidArgument</Code>"));
  EXPECT_EQ(code(ask({.method = "GET", .path = "/bucket/a%26b"})), "NoSuchKey");
  EXPECT_EQ(code(ask({.method = "POST", .path = "/bucket", .query = "delete=", .body = "<D/>"})),
            "MalformedXML");
  EXPECT_EQ(ask({.method = "DELETE", .path = "/other/copy"}).status, 204);
  EXPECT_EQ(ask({.method = "DELETE", .path = "/other/copy"}).status, 204);
}

TEST_F(S3Server, PutsPartsTogether) {
  io::HttpResponse answer = ask({.method = "POST", .path = "/bucket/big", .query = "uploads="});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const std::size_t at = answer.body.find("<UploadId>") + 10;
  const std::string id = answer.body.substr(at, answer.body.find('<', at) - at);
  std::string complete = "<CompleteMultipartUpload>";
  for (int number = 1; number <= 2; ++number) {
    answer = ask({.method = "PUT",
                  .path = "/bucket/big",
                  .query = fmt::format("partNumber={}&uploadId={}", number, id),
                  .body = std::string(1000, static_cast<char>('a' + number))});
    ASSERT_EQ(answer.status, 200) << answer.body;
    complete += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number,
                            *answer.header("etag"));
  }
  complete += "</CompleteMultipartUpload>";
  EXPECT_THAT(ask({.method = "GET", .path = "/bucket/big", .query = "uploadId=" + id}).body,
              HasSubstr("<PartNumber>2</PartNumber>"));
  EXPECT_THAT(ask({.method = "GET", .path = "/bucket", .query = "uploads="}).body, HasSubstr(id));
  EXPECT_EQ(code(ask({.method = "POST",
                      .path = "/bucket/big",
                      .query = "uploadId=" + id,
                      .body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x"
                              "</ETag></Part></CompleteMultipartUpload>"})),
            "InvalidPart");
  answer =
      ask({.method = "POST", .path = "/bucket/big", .query = "uploadId=" + id, .body = complete});
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(ask({.method = "GET", .path = "/bucket/big"}).body,
            std::string(1000, 'b') + std::string(1000, 'c'));
  EXPECT_EQ(code(ask({.method = "DELETE", .path = "/bucket/big", .query = "uploadId=" + id})),
            "NoSuchUpload");
  EXPECT_TRUE(std::filesystem::is_empty(served_.folder() + "/uploads"));
}

TEST_F(S3Server, RefusesWhoMayNot) {
  const TestClient::Request get{.method = "GET", .path = "/bucket/k", .service = "s3"};
  io::HttpResponse answer = admin_->send_unsigned(get);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(code(answer), "AccessDenied");
  AccessKey wrong = kAdmin;
  wrong.secret += "x";
  answer = client(wrong)->send(get);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(code(answer), "SignatureDoesNotMatch");
  EXPECT_THAT(answer.body, HasSubstr("<StringToSign>AWS4-HMAC-SHA256"));
  wrong.id = "LEATNOBODY000000";
  EXPECT_EQ(code(client(wrong)->send(get)), "InvalidAccessKeyId");
  const auto late = client(kAdmin);
  late->now = TimeUs{late->now.value - 16 * kUsPerMinute};
  EXPECT_EQ(code(late->send(get)), "RequestTimeTooSkewed");
  // A user who does not exist, and then one who is no superuser.
  EXPECT_EQ(code(client(kReader)->send(get)), "AccessDenied");
  answer = admin_->data("ExecuteStatement",
                        R"({"Sql":"create user reader password 'Secret123'","Database":"dev",
                            "WorkgroupName":"leat","WaitTimeSeconds":30})");
  ASSERT_THAT(answer.body, HasSubstr("FINISHED"));
  EXPECT_EQ(code(client(kReader)->send(get)), "AccessDenied");
  answer = ask({.method = "PUT",
                .path = "/bucket/k",
                .body = "changed on the way",
                .payload_hash = std::string(64, '0')});
  EXPECT_EQ(code(answer), "XAmzContentSHA256Mismatch");
  answer = ask({.method = "PUT", .path = "/bucket/k", .body = std::string(7U << 20U, 'x')});
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(code(answer), "EntityTooLarge");
  EXPECT_EQ(code(ask({.method = "PUT", .path = "/bucket/a/../../k", .body = "x"})),
            "InvalidArgument");
}

TEST_F(S3Server, OnlyOneOfManyWritesAnew) {
  io::HttpResponse answer =
      ask({.method = "PUT", .path = "/bucket/k", .headers = {{"If-None-Match", "*"}}, .body = "a"});
  EXPECT_EQ(answer.status, 200);
  answer =
      ask({.method = "PUT", .path = "/bucket/k", .headers = {{"If-None-Match", "*"}}, .body = "b"});
  EXPECT_EQ(code(answer), "PreconditionFailed");
  EXPECT_EQ(ask({.method = "GET", .path = "/bucket/k"}).body, "a");
  answer =
      ask({.method = "PUT", .path = "/bucket/k", .headers = {{"If-Match", "\"x\""}}, .body = "b"});
  EXPECT_EQ(code(answer), "NotImplemented");
}

}  // namespace
}  // namespace leat::dataapi
