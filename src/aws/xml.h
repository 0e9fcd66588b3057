// The XML that S3 and STS answer with, and what clients send them: both sides, because Leat asks
// and answers. Read by pugixml, which expands no entity of a document's own; unknown elements are
// passed over, name spaces ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace leat::aws {

/// An <Error>, of S3 or within an STS <ErrorResponse>. Empty members where there is none.
struct XmlError {
  std::string code = {};
  std::string message = {};
  std::string region = {};  ///< S3, with a bucket that lives elsewhere.
};

struct ListedObject {
  std::string key;  ///< Decoded.
  std::uint64_t size = 0;
  std::string etag;  ///< Without quotes.
  TimeUs modified = {};
};

struct ListedObjects {
  std::vector<ListedObject> objects;
  bool truncated = false;
};

/// One of the keys that DeleteObjects could not delete.
struct DeleteFailure {
  std::string key;
  std::string code;
  std::string message;
};

/// What STS gives out. Secret.
struct IssuedKeys {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  TimeUs expires = {};
};

/// What Redshift gives out for its PostgreSQL port. Secret.
struct IssuedLogin {
  std::string user;
  std::string password;
  TimeUs expires = {};
};

// All pure; any thread. Errors: kInvalid when the text is not the document that is meant.

/// Nothing when `xml` is no error document.
[[nodiscard]] std::optional<XmlError> parse_error_xml(std::string_view xml);
/// ListObjectsV2 with encoding-type=url.
[[nodiscard]] Result<ListedObjects> parse_list_xml(std::string_view xml);
[[nodiscard]] Result<std::string> parse_upload_id_xml(std::string_view xml);
/// The ETag of CompleteMultipartUpload, without quotes.
[[nodiscard]] Result<std::string> parse_complete_xml(std::string_view xml);
[[nodiscard]] Result<std::vector<DeleteFailure>> parse_delete_xml(std::string_view xml);
/// AssumeRole and AssumeRoleWithWebIdentity.
[[nodiscard]] Result<IssuedKeys> parse_issued_keys_xml(std::string_view xml);
/// GetClusterCredentials and GetClusterCredentialsWithIAM.
[[nodiscard]] Result<IssuedLogin> parse_issued_login_xml(std::string_view xml);

/// What a client sends as DeleteObjects: at most `keys_max` keys.
struct DeleteRequest {
  std::vector<std::string> keys;
  bool quiet = false;
};
[[nodiscard]] Result<DeleteRequest> parse_delete_request(std::string_view xml,
                                                         std::size_t keys_max = 1000);

/// What a client sends as CompleteMultipartUpload.
struct UploadedPart {
  int number = 0;
  std::string etag;  ///< Without quotes.
};
[[nodiscard]] Result<std::vector<UploadedPart>> parse_complete_request(std::string_view xml);

/// `text` as character data or the value of an attribute in double quotes.
void append_xml_text(std::string& out, std::string_view text);

/// The body of CompleteMultipartUpload: the parts' ETags from part 1 on.
[[nodiscard]] std::string complete_xml(std::span<const std::string> etags);
/// The body of DeleteObjects, quiet. Keys have no control characters.
[[nodiscard]] std::string delete_xml(std::span<const std::string> keys);

}  // namespace leat::aws
