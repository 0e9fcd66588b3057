// The folder of objects as S3: for tools that UNLOAD to s3:// and then read it, or put files there
// for COPY. Path-style and virtual-hosted ("bucket.localhost") requests.
//
// Objects are bytes: metadata, content types, tags and versions are not kept. A bucket is there as
// soon as it is named. Docs: docs/reference/s3.md.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http.h"
#include "warehouse/dataapi/api.h"
#include "warehouse/dataapi/api_error.h"
#include "warehouse/dataapi/http_request.h"
#include "warehouse/dataapi/s3_request.h"
#include "warehouse/dataapi/s3_uploads.h"

namespace leat::io {
class DirectoryObjectStore;
class File;
struct ObjectInfo;
}  // namespace leat::io

namespace leat::dataapi {

/// Largest object that is made from parts or by copying: it is in memory while it is stored. One at
/// a time is.
inline constexpr std::uint64_t kMadeObjectBytesMax = std::uint64_t{1} << 30;

struct S3Options {
  std::string directory{};  ///< Of the buckets. Other processes may write there.
  std::string region = "us-east-1";
  io::FileSystem* files = nullptr;  ///< Null: the machine's.
  S3Uploads::Options uploads{};
};

/// Any thread; blocks while objects are opened and written.
class S3 {
 public:
  /// Errors: those of the file system.
  [[nodiscard]] static Result<std::unique_ptr<S3>> open(S3Options options);
  ~S3();
  S3(const S3&) = delete;
  S3& operator=(const S3&) = delete;

  /// Answers a request whose signature is right.
  [[nodiscard]] net::Response handle(const HttpRequest& request, const aws::Verified& verified,
                                     const Caller& caller, std::string_view request_id);
  /// The answer to an error, also to a refused signature.
  [[nodiscard]] static net::Response error(const ApiError& error, const HttpRequest& request,
                                           std::string_view request_id);

 private:
  explicit S3(S3Options options);

  using Answer = ApiResult<net::Response>;
  struct OpenObject;
  [[nodiscard]] Answer dispatch(const HttpRequest& request, const S3Target& target,
                                const aws::Verified& verified);
  [[nodiscard]] Answer on_bucket(const HttpRequest& request, const S3Target& target,
                                 const aws::Verified& verified);
  [[nodiscard]] Answer on_object(const HttpRequest& request, const S3Target& target,
                                 const aws::Verified& verified);
  [[nodiscard]] Answer list_buckets() const;
  [[nodiscard]] Answer list_objects(const S3Target& target) const;
  [[nodiscard]] Answer delete_bucket(const S3Target& target) const;
  [[nodiscard]] Result<OpenObject> open_object(const std::string& uri) const;
  [[nodiscard]] Answer get_object(const HttpRequest& request, const S3Target& target) const;
  [[nodiscard]] Answer put_object(const HttpRequest& request, const S3Target& target,
                                  const aws::Verified& verified);
  [[nodiscard]] Answer copy_object(const HttpRequest& request, const S3Target& target);
  [[nodiscard]] Answer delete_objects(const HttpRequest& request, const S3Target& target,
                                      const aws::Verified& verified);
  [[nodiscard]] ApiResult<std::string> copy_source(const HttpRequest& request) const;
  [[nodiscard]] ApiResult<io::ObjectInfo> store(const HttpRequest& request, const S3Target& target,
                                                std::string_view bytes);
  // s3_multipart.cc
  [[nodiscard]] Answer create_upload(const S3Target& target);
  [[nodiscard]] Answer upload_part(const HttpRequest& request, const S3Target& target,
                                   const aws::Verified& verified);
  [[nodiscard]] Answer complete_upload(const HttpRequest& request, const S3Target& target);
  [[nodiscard]] Answer abort_upload(const S3Target& target);
  [[nodiscard]] Answer list_parts(const S3Target& target) const;
  [[nodiscard]] Answer list_uploads(const S3Target& target) const;

  S3Options options_;
  io::FileSystem& files_;
  std::unique_ptr<io::DirectoryObjectStore> store_;
  std::unique_ptr<S3Uploads> uploads_;
  std::mutex making_;  // held while an object is made in memory from parts or another object
};

// Shared by s3.cc and s3_multipart.cc.
inline constexpr std::string_view kS3Namespace =
    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
[[nodiscard]] ApiError s3_error(const Error& error, const S3Target& target);
[[nodiscard]] net::Response xml_answer(std::string xml);
/// With milliseconds, as S3's XML has times.
[[nodiscard]] std::string s3_time(TimeUs time);

}  // namespace leat::dataapi
