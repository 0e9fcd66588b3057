// Multipart uploads of S3: see s3.h.
#include <fmt/format.h>

#include "aws/sigv4.h"
#include "aws/xml.h"
#include "base/text.h"
#include "io/object_store.h"
#include "warehouse/dataapi/s3.h"
#include "warehouse/dataapi/xml.h"

namespace leat::dataapi {
namespace {

constexpr int kPartsMax = 10'000;

ApiError upload_error(const Error& error, const S3Target& target) {
  if (error.code != Errc::kNotFound) return s3_error(error, target);
  return fail_api(404, "NoSuchUpload",
                  "The specified multipart upload does not exist. The upload ID might be invalid, "
                  "or the multipart upload might have been aborted or completed.")
      .error();
}

ApiResult<std::vector<aws::UploadedPart>> read_parts(std::string_view body) {
  auto parts = aws::parse_complete_request(body);
  if (!parts) {
    return fail_api(400, "MalformedXML",
                    fmt::format("The XML you provided was not well-formed or did not validate "
                                "against our published schema: {}.",
                                parts.error().message));
  }
  for (std::size_t i = 1; i < parts->size(); ++i) {
    if ((*parts)[i].number <= (*parts)[i - 1].number) {
      return fail_api(400, "InvalidPartOrder",
                      "The list of parts was not in ascending order. The parts list must be "
                      "specified in order by part number.");
    }
  }
  return std::move(*parts);
}

}  // namespace

S3::Answer S3::create_upload(const S3Target& target) {
  // What cannot be stored in the end is refused before its parts are sent.
  if (const auto name = io::parse_object_uri(target.uri()); !name) {
    return std::unexpected(s3_error(name.error(), target));
  }
  const auto id = uploads_->begin(target.bucket, target.key);
  if (!id) return std::unexpected(s3_error(id.error(), target));
  XmlWriter xml;
  xml.open("InitiateMultipartUploadResult", kS3Namespace);
  xml.text("Bucket", target.bucket);
  xml.text("Key", target.key);
  xml.text("UploadId", *id);
  xml.close("InitiateMultipartUploadResult");
  return xml_answer(xml.take());
}

S3::Answer S3::upload_part(const HttpRequest& request, const S3Target& target,
                           const aws::Verified& verified) {
  const auto number = parse_number<int>(target.value("partNumber"));
  if (!number || *number < 1 || *number > kPartsMax) {
    return fail_api(400, "InvalidArgument",
                    "Part number must be an integer between 1 and 10000, inclusive");
  }
  const auto keep = [&](std::string_view bytes) {
    return uploads_->put(target.value("uploadId"), target.bucket, target.key, *number, bytes);
  };
  net::Response response;
  if (request.header("x-amz-copy-source")) {
    const std::lock_guard lock(making_);
    LEAT_ASSIGN(const std::string bytes, copy_source(request));
    const auto etag = keep(bytes);
    if (!etag) return std::unexpected(upload_error(etag.error(), target));
    XmlWriter xml;
    xml.open("CopyPartResult", kS3Namespace);
    xml.text("ETag", "\"" + *etag + "\"");
    xml.close("CopyPartResult");
    return xml_answer(xml.take());
  }
  std::string decoded;
  LEAT_ASSIGN(const std::string_view bytes, s3_body(request, verified, decoded));
  const auto etag = keep(bytes);
  if (!etag) return std::unexpected(upload_error(etag.error(), target));
  response.headers = fmt::format("ETag: \"{}\"\r\n", *etag);
  return response;
}

// The checksum headers of this request are those of the object, not of the body.
S3::Answer S3::complete_upload(const HttpRequest& request, const S3Target& target) {
  LEAT_ASSIGN(const auto parts, read_parts(request.body));
  const auto upload = uploads_->find(target.value("uploadId"), target.bucket, target.key);
  if (!upload) return std::unexpected(upload_error(upload.error(), target));
  const std::lock_guard lock(making_);
  const auto bytes = uploads_->join(*upload, parts, kMadeObjectBytesMax);
  if (!bytes) {
    const Error& error = bytes.error();
    if (error.code == Errc::kInvalid || error.code == Errc::kNotFound) {
      return fail_api(400, "InvalidPart",
                      "One or more of the specified parts could not be found. The part may not "
                      "have been uploaded, or its entity tag may not match.");
    }
    if (error.code == Errc::kExhausted) return fail_api(400, "EntityTooLarge", error.message);
    return std::unexpected(s3_error(error, target));
  }
  LEAT_ASSIGN(const io::ObjectInfo stored, store(request, target, *bytes));
  static_cast<void>(uploads_->remove(upload->id, target.bucket, target.key));
  XmlWriter xml;
  xml.open("CompleteMultipartUploadResult", kS3Namespace);
  xml.text("Location", fmt::format("/{}/{}", target.bucket, aws::percent_encode(target.key, true)));
  xml.text("Bucket", target.bucket);
  xml.text("Key", target.key);
  xml.text("ETag", "\"" + s3_etag(stored.etag) + "\"");
  xml.close("CompleteMultipartUploadResult");
  return xml_answer(xml.take());
}

S3::Answer S3::abort_upload(const S3Target& target) {
  const Status removed = uploads_->remove(target.value("uploadId"), target.bucket, target.key);
  if (!removed) return std::unexpected(upload_error(removed.error(), target));
  net::Response response;
  response.status = 204;
  return response;
}

S3::Answer S3::list_parts(const S3Target& target) const {
  const auto upload = uploads_->find(target.value("uploadId"), target.bucket, target.key);
  if (!upload) return std::unexpected(upload_error(upload.error(), target));
  XmlWriter xml;
  xml.open("ListPartsResult", kS3Namespace);
  xml.text("Bucket", target.bucket);
  xml.text("Key", target.key);
  xml.text("UploadId", upload->id);
  xml.number("MaxParts", kPartsMax);
  xml.boolean("IsTruncated", false);
  for (const auto& [number, part] : upload->parts) {
    xml.open("Part");
    xml.number("PartNumber", number);
    xml.text("LastModified", s3_time(part.modified));
    xml.text("ETag", "\"" + part.etag + "\"");
    xml.number("Size", static_cast<long long>(part.size));
    xml.close("Part");
  }
  xml.close("ListPartsResult");
  return xml_answer(xml.take());
}

S3::Answer S3::list_uploads(const S3Target& target) const {
  XmlWriter xml;
  xml.open("ListMultipartUploadsResult", kS3Namespace);
  xml.text("Bucket", target.bucket);
  xml.boolean("IsTruncated", false);
  for (const S3Uploads::Upload& upload : uploads_->list(target.bucket)) {
    if (!upload.key.starts_with(target.value("prefix"))) continue;
    xml.open("Upload");
    xml.text("Key", upload.key);
    xml.text("UploadId", upload.id);
    xml.text("Initiated", s3_time(upload.started));
    xml.close("Upload");
  }
  xml.close("ListMultipartUploadsResult");
  return xml_answer(xml.take());
}

}  // namespace leat::dataapi
