#include "warehouse/dataapi/s3.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "aws/sigv4.h"
#include "aws/verify.h"
#include "aws/xml.h"
#include "base/digest.h"
#include "base/text.h"
#include "io/directory_object_store.h"
#include "io/file_system.h"
#include "warehouse/dataapi/s3_listing.h"
#include "warehouse/dataapi/xml.h"

namespace leat::dataapi {
namespace {

constexpr std::size_t kKeysMax = 1000;

/// Subresources that are asked for by a name in the query and that are not served.
constexpr std::array<std::string_view, 22> kUnserved = {
    "accelerate",        "acl",          "analytics",   "attributes", "cors",
    "encryption",        "inventory",    "legal-hold",  "lifecycle",  "logging",
    "metrics",           "notification", "object-lock", "policy",     "policyStatus",
    "publicAccessBlock", "replication",  "restore",     "retention",  "select",
    "tagging",           "website"};

ApiError not_implemented(std::string_view what) {
  return {.status = 501,
          .name = "NotImplemented",
          .message = fmt::format("{} is not implemented here.", what),
          .members = {}};
}

std::unexpected<ApiError> failed_precondition() {
  return fail_api(412, "PreconditionFailed",
                  "At least one of the pre-conditions you specified did not hold");
}

std::unexpected<ApiError> no_method() {
  return fail_api(405, "MethodNotAllowed",
                  "The specified method is not allowed against this resource.");
}

std::string object_headers(const io::ObjectInfo& info) {
  return fmt::format(
      "ETag: \"{}\"\r\nLast-Modified: {}\r\nAccept-Ranges: bytes\r\n"
      "Content-Type: binary/octet-stream\r\n",
      s3_etag(info.etag), aws::format_http_date(info.modified));
}

/// A part of a file, sent as it is read.
class FileSource final : public net::BodySource {
 public:
  FileSource(std::unique_ptr<io::File> file, std::uint64_t first)
      : file_(std::move(file)), first_(first) {}
  std::size_t read(std::uint64_t offset, std::span<char> into) override {
    return file_->pread(into, first_ + offset).value_or(0);
  }

 private:
  std::unique_ptr<io::File> file_;
  std::uint64_t first_;
};

/// Names in a listing, encoded when the client asks for it.
struct NameWriter {
  bool encode = false;
  [[nodiscard]] std::string operator()(std::string_view name) const {
    return encode ? aws::percent_encode(name, true) : std::string(name);
  }
};

void write_entries(XmlWriter& xml, const Listing& listing, const NameWriter& name,
                   std::size_t root_bytes) {
  for (const io::ObjectInfo& object : listing.objects) {
    xml.open("Contents");
    xml.text("Key", name(object.uri.substr(root_bytes)));
    xml.text("LastModified", s3_time(object.modified));
    xml.text("ETag", "\"" + s3_etag(object.etag) + "\"");
    xml.number("Size", static_cast<long long>(object.size));
    xml.text("StorageClass", "STANDARD");
    xml.close("Contents");
  }
  for (const std::string& prefix : listing.prefixes) {
    xml.open("CommonPrefixes");
    xml.text("Prefix", name(prefix));
    xml.close("CommonPrefixes");
  }
}

ApiStatus check_served(const HttpRequest& request, const S3Target& target) {
  if (!io::parse_object_uri("s3://" + target.bucket + "/")) {
    return fail_api(400, "InvalidBucketName", "The specified bucket is not valid.");
  }
  for (const std::string_view unserved : kUnserved) {
    if (target.has(unserved)) return std::unexpected(not_implemented(unserved));
  }
  if (target.has("versionId") || target.has("versions")) {
    return std::unexpected(not_implemented("Versioning"));
  }
  constexpr std::string_view kClientKey = "x-amz-server-side-encryption-customer-algorithm";
  if (request.header(kClientKey)) return std::unexpected(not_implemented(kClientKey));
  return {};
}

}  // namespace

struct S3::OpenObject {
  io::ObjectInfo info;
  std::unique_ptr<io::File> file;
};

std::string s3_time(TimeUs time) {
  return format_iso8601(TimeUs{time.value / 1000 * 1000});
}

net::Response xml_answer(std::string xml) {
  net::Response response;
  response.content_type = "application/xml";
  response.body = std::move(xml);
  return response;
}

ApiError s3_error(const Error& error, const S3Target& target) {
  const auto make = [&](int status, std::string_view code, std::string message) {
    ApiError made = fail_api(status, code, std::move(message)).error();
    if (!target.key.empty()) made.members.emplace_back("Key", target.key);
    return made;
  };
  switch (error.code) {
    case Errc::kNotFound:
      return make(404, "NoSuchKey", "The specified key does not exist.");
    case Errc::kConflict:
      return make(409, "OperationAborted", error.message);
    case Errc::kInvalid:
      return make(400, "InvalidArgument", error.message);
    case Errc::kDenied:
      return make(403, "AccessDenied", error.message);
    case Errc::kUnsupported:
      return make(501, "NotImplemented", error.message);
    case Errc::kExhausted:
    case Errc::kUnavailable:
      return make(503, "SlowDown", error.message);
    default:
      return make(500, "InternalError", error.message);
  }
}

S3::S3(S3Options options)
    : options_(std::move(options)),
      files_(options_.files == nullptr ? io::posix_file_system() : *options_.files) {}

S3::~S3() = default;

Result<std::unique_ptr<S3>> S3::open(S3Options options) {
  std::unique_ptr<S3> s3(new S3(std::move(options)));
  LEAT_ASSIGN(s3->store_, io::DirectoryObjectStore::open(
                              {.files = &s3->files_, .root = s3->options_.directory}));
  LEAT_ASSIGN(s3->uploads_, S3Uploads::open(s3->options_.uploads));
  return s3;
}

net::Response S3::error(const ApiError& error, const HttpRequest& request,
                        std::string_view request_id) {
  XmlWriter xml;
  xml.open("Error");
  xml.text("Code", error.name);
  xml.text("Message", error.message);
  for (const auto& [name, value] : error.members) xml.text(name, value);
  xml.text("Resource", request.path);
  xml.text("RequestId", request_id);
  xml.text("HostId", "leat");
  xml.close("Error");
  net::Response response = xml_answer(request.method == net::Method::kHead ? "" : xml.take());
  response.status = error.status;
  response.headers = fmt::format("x-amz-request-id: {}\r\nx-amz-id-2: leat\r\n", request_id);
  return response;
}

net::Response S3::handle(const HttpRequest& request, const aws::Verified& verified,
                         const Caller& caller, std::string_view request_id) {
  Answer answer = [&]() -> Answer {
    if (!caller.superuser) {
      return fail_api(403, "AccessDenied",
                      "Access Denied: objects are open to access keys of superusers only.");
    }
    return dispatch(request, s3_target(request), verified);
  }();
  if (!answer) return error(answer.error(), request, request_id);
  answer->headers += fmt::format("x-amz-request-id: {}\r\nx-amz-id-2: leat\r\n", request_id);
  return std::move(*answer);
}

S3::Answer S3::dispatch(const HttpRequest& request, const S3Target& target,
                        const aws::Verified& verified) {
  if (target.bucket.empty()) {
    return request.method == net::Method::kGet ? list_buckets() : no_method();
  }
  LEAT_TRY(check_served(request, target));
  return target.key.empty() ? on_bucket(request, target, verified)
                            : on_object(request, target, verified);
}

S3::Answer S3::on_bucket(const HttpRequest& request, const S3Target& target,
                         const aws::Verified& verified) {
  net::Response response;
  switch (request.method) {
    case net::Method::kHead:
      response.headers = fmt::format("x-amz-bucket-region: {}\r\n", options_.region);
      return response;
    case net::Method::kGet:
      if (target.has("location") || target.has("versioning")) {
        const bool location = target.has("location");
        const std::string_view name = location ? "LocationConstraint" : "VersioningConfiguration";
        XmlWriter xml;
        xml.open(name, kS3Namespace);
        if (location && options_.region != "us-east-1") xml.characters(options_.region);
        xml.close(name);
        return xml_answer(xml.take());
      }
      return target.has("uploads") ? list_uploads(target) : list_objects(target);
    case net::Method::kPut:
      // A bucket is there as soon as it is named.
      response.headers = fmt::format("Location: /{}\r\n", target.bucket);
      return response;
    case net::Method::kPost:
      return target.has("delete") ? delete_objects(request, target, verified) : no_method();
    case net::Method::kDelete:
      return delete_bucket(target);
    default:
      return no_method();
  }
}

S3::Answer S3::on_object(const HttpRequest& request, const S3Target& target,
                         const aws::Verified& verified) {
  const bool upload = target.has("uploadId");
  switch (request.method) {
    case net::Method::kGet:
      return upload ? list_parts(target) : get_object(request, target);
    case net::Method::kHead:
      return get_object(request, target);
    case net::Method::kPut:
      if (upload) return upload_part(request, target, verified);
      if (request.header("x-amz-copy-source")) return copy_object(request, target);
      return put_object(request, target, verified);
    case net::Method::kPost:
      if (target.has("uploads")) return create_upload(target);
      return upload ? complete_upload(request, target) : no_method();
    case net::Method::kDelete: {
      if (upload) return abort_upload(target);
      if (const Status removed = store_->remove(target.uri()); !removed) {
        return std::unexpected(s3_error(removed.error(), target));
      }
      net::Response response;
      response.status = 204;
      return response;
    }
    default:
      return no_method();
  }
}

S3::Answer S3::list_buckets() const {
  const auto entries = files_.list(options_.directory);
  if (!entries) return std::unexpected(s3_error(entries.error(), {}));
  XmlWriter xml;
  xml.open("ListAllMyBucketsResult", kS3Namespace);
  xml.open("Buckets");
  for (const io::DirectoryEntry& entry : *entries) {
    if (!entry.directory || !io::parse_object_uri("s3://" + entry.name + "/")) continue;
    const auto info = files_.stat(options_.directory + "/" + entry.name);
    xml.open("Bucket");
    xml.text("Name", entry.name);
    xml.text("CreationDate", s3_time(info ? info->modified : TimeUs{0}));
    xml.close("Bucket");
  }
  xml.close("Buckets");
  xml.open("Owner");
  xml.text("ID", "leat");
  xml.close("Owner");
  xml.close("ListAllMyBucketsResult");
  return xml_answer(xml.take());
}

S3::Answer S3::list_objects(const S3Target& target) const {
  const bool second = target.value("list-type") == "2";
  ListingRequest asked{.bucket = target.bucket,
                       .prefix = std::string(target.value("prefix")),
                       .delimiter = std::string(target.value("delimiter")),
                       .after = std::string(target.value(second ? "start-after" : "marker"))};
  if (target.has("max-keys")) {
    const auto limit = parse_number<std::uint32_t>(target.value("max-keys"));
    if (!limit) return fail_api(400, "InvalidArgument", "max-keys is not a number");
    asked.limit = std::min<std::size_t>(*limit, kKeysMax);
  }
  if (second && target.has("continuation-token")) {
    const auto token = from_base64(target.value("continuation-token"));
    if (!token) {
      return fail_api(400, "InvalidArgument", "The continuation token provided is incorrect");
    }
    asked.after = *token;
  }
  const auto listing = list_page(*store_, asked);
  if (!listing) return std::unexpected(s3_error(listing.error(), target));
  const NameWriter name{.encode = target.value("encoding-type") == "url"};
  XmlWriter xml;
  xml.open("ListBucketResult", kS3Namespace);
  xml.text("Name", target.bucket);
  xml.text("Prefix", name(asked.prefix));
  if (!asked.delimiter.empty()) xml.text("Delimiter", name(asked.delimiter));
  xml.number("MaxKeys", static_cast<long long>(asked.limit));
  if (name.encode) xml.text("EncodingType", "url");
  xml.boolean("IsTruncated", listing->truncated);
  if (second) {
    xml.number("KeyCount", static_cast<long long>(listing->objects.size()) +
                               static_cast<long long>(listing->prefixes.size()));
    if (target.has("start-after")) xml.text("StartAfter", name(target.value("start-after")));
    if (target.has("continuation-token")) {
      xml.text("ContinuationToken", target.value("continuation-token"));
    }
    if (listing->truncated) xml.text("NextContinuationToken", to_base64(listing->last));
  } else {
    xml.text("Marker", name(asked.after));
    if (listing->truncated) xml.text("NextMarker", name(listing->last));
  }
  write_entries(xml, *listing, name, S3Target{.bucket = target.bucket}.uri().size());
  xml.close("ListBucketResult");
  return xml_answer(xml.take());
}

S3::Answer S3::delete_bucket(const S3Target& target) const {
  const auto listing = list_page(*store_, {.bucket = target.bucket, .limit = 1});
  if (!listing) return std::unexpected(s3_error(listing.error(), target));
  if (!listing->objects.empty()) {
    return fail_api(409, "BucketNotEmpty", "The bucket you tried to delete is not empty.");
  }
  net::Response response;
  response.status = 204;
  return response;
}

// The file may be replaced at any moment: what is opened must be what was described.
Result<S3::OpenObject> S3::open_object(const std::string& uri) const {
  constexpr int kTries = 3;
  LEAT_ASSIGN(const std::string path, store_->local_path(uri));
  for (int i = 0; i < kTries; ++i) {
    LEAT_ASSIGN(io::ObjectInfo before, store_->head(uri));
    auto file = files_.open(path, {});
    const auto after = store_->head(uri);
    if (file && after && after->etag == before.etag) {
      return OpenObject{.info = std::move(before), .file = std::move(*file)};
    }
    if (!file && file.error().code != Errc::kNotFound) return std::unexpected(file.error());
  }
  return fail(Errc::kUnavailable, "the object is replaced again and again; try later");
}

S3::Answer S3::get_object(const HttpRequest& request, const S3Target& target) const {
  auto object = open_object(target.uri());
  if (!object) return std::unexpected(s3_error(object.error(), target));
  const io::ObjectInfo& info = object->info;
  net::Response response;
  const int failed = failed_condition(request, info);
  if (failed == 412) return failed_precondition();
  if (failed != 0) {
    response.status = failed;
    response.headers = fmt::format("ETag: \"{}\"\r\n", s3_etag(info.etag));
    return response;
  }
  const std::string_view header = request.header_or("range", "");
  const auto range = parse_range(header, info.size);
  if (!range) {
    ApiError error =
        fail_api(416, "InvalidRange", "The requested range is not satisfiable").error();
    error.members = {{"RangeRequested", std::string(header)},
                     {"ActualObjectSize", std::to_string(info.size)}};
    return std::unexpected(std::move(error));
  }
  const ByteRange wanted = range->value_or(ByteRange{.first = 0, .length = info.size});
  response.headers = object_headers(info);
  if (*range) {
    response.status = 206;
    response.headers += fmt::format("Content-Range: bytes {}-{}/{}\r\n", wanted.first,
                                    wanted.first + wanted.length - 1, info.size);
  }
  response.source = std::make_unique<FileSource>(std::move(object->file), wanted.first);
  response.source_bytes = wanted.length;
  return response;
}

// If-None-Match: * is decided by the store, where two writers cannot both win.
ApiResult<io::ObjectInfo> S3::store(const HttpRequest& request, const S3Target& target,
                                    std::string_view bytes) {
  const auto none_match = request.header("if-none-match");
  if (request.header("if-match") || (none_match && *none_match != "*")) {
    return std::unexpected(not_implemented("A condition on the ETag of what is written over"));
  }
  auto stored = store_->put(target.uri(), bytes, {.if_none_match = none_match.has_value()});
  if (stored) return std::move(*stored);
  if (stored.error().code == Errc::kConflict && none_match) return failed_precondition();
  return std::unexpected(s3_error(stored.error(), target));
}

S3::Answer S3::put_object(const HttpRequest& request, const S3Target& target,
                          const aws::Verified& verified) {
  std::string decoded;
  LEAT_ASSIGN(const std::string_view bytes, s3_body(request, verified, decoded));
  LEAT_ASSIGN(const io::ObjectInfo stored, store(request, target, bytes));
  net::Response response;
  response.headers = fmt::format("ETag: \"{}\"\r\n", s3_etag(stored.etag));
  return response;
}

ApiResult<std::string> S3::copy_source(const HttpRequest& request) const {
  std::string name = aws::percent_decode(request.header_or("x-amz-copy-source", ""));
  if (name.starts_with('/')) name.erase(0, 1);
  if (name.find("?versionId=") != std::string::npos) {
    return std::unexpected(not_implemented("Versioning"));
  }
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) {
    return fail_api(400, "InvalidArgument", "x-amz-copy-source must be bucket/key");
  }
  const S3Target source{.bucket = name.substr(0, slash), .key = name.substr(slash + 1)};
  const auto object = open_object(source.uri());
  if (!object) return std::unexpected(s3_error(object.error(), source));
  if (failed_condition(request, object->info, "x-amz-copy-source-") != 0) {
    return failed_precondition();
  }
  const std::uint64_t size = object->info.size;
  const auto range = parse_range(request.header_or("x-amz-copy-source-range", ""), size);
  if (!range) return fail_api(416, "InvalidRange", "The requested range is not satisfiable");
  const ByteRange wanted = range->value_or(ByteRange{.first = 0, .length = size});
  if (wanted.length > kMadeObjectBytesMax) {
    return fail_api(400, "EntityTooLarge",
                    fmt::format("At most {} bytes are copied here.", kMadeObjectBytesMax));
  }
  std::string bytes(static_cast<std::size_t>(wanted.length), '\0');
  const auto got = object->file->pread(bytes, wanted.first);
  if (!got) return std::unexpected(s3_error(got.error(), source));
  if (*got != bytes.size()) return fail_api(500, "InternalError", "The source ended too early.");
  return bytes;
}

S3::Answer S3::copy_object(const HttpRequest& request, const S3Target& target) {
  const std::lock_guard lock(making_);
  LEAT_ASSIGN(const std::string bytes, copy_source(request));
  LEAT_ASSIGN(const io::ObjectInfo stored, store(request, target, bytes));
  XmlWriter xml;
  xml.open("CopyObjectResult", kS3Namespace);
  xml.text("ETag", "\"" + s3_etag(stored.etag) + "\"");
  xml.text("LastModified", s3_time(stored.modified));
  xml.close("CopyObjectResult");
  return xml_answer(xml.take());
}

S3::Answer S3::delete_objects(const HttpRequest& request, const S3Target& target,
                              const aws::Verified& verified) {
  std::string decoded;
  LEAT_ASSIGN(const std::string_view body, s3_body(request, verified, decoded));
  const auto asked = aws::parse_delete_request(body, kKeysMax);
  if (!asked && asked.error().code == Errc::kUnsupported) {
    return std::unexpected(s3_error(asked.error(), target));
  }
  if (!asked) {
    return fail_api(400, "MalformedXML",
                    fmt::format("The XML you provided was not well-formed or did not validate "
                                "against our published schema: {}.",
                                asked.error().message));
  }
  XmlWriter xml;
  xml.open("DeleteResult", kS3Namespace);
  for (const std::string& key : asked->keys) {
    const S3Target object{.bucket = target.bucket, .key = key};
    const Status removed = store_->remove(object.uri());
    if (removed && asked->quiet) continue;
    xml.open(removed ? "Deleted" : "Error");
    xml.text("Key", key);
    if (!removed) {
      const ApiError error = s3_error(removed.error(), object);
      xml.text("Code", error.name);
      xml.text("Message", error.message);
    }
    xml.close(removed ? "Deleted" : "Error");
  }
  xml.close("DeleteResult");
  return xml_answer(xml.take());
}

}  // namespace leat::dataapi
