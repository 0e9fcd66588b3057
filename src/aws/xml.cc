#include "aws/xml.h"

#include <fmt/format.h>

#include <cstring>
#include <pugixml.hpp>

#include "aws/sigv4.h"
#include "base/text.h"

namespace leat::aws {
namespace {

// pugixml with the name space prefixes passed over.
std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  for (const pugi::xml_node& at : node.children()) {
    if (at.type() == pugi::node_element && local_name(at) == name) return at;
  }
  return {};
}

std::string text_of(const pugi::xml_node& node, std::string_view name) {
  return child(node, name).child_value();
}

// All of an element's own text: a name in pieces (CDATA, a comment within) is one name.
std::string whole_text(const pugi::xml_node& node) {
  std::string text;
  for (const pugi::xml_node& piece : node.children()) {
    if (piece.type() == pugi::node_pcdata || piece.type() == pugi::node_cdata) {
      text += piece.value();
    }
  }
  return text;
}

bool load(pugi::xml_document& document, std::string_view xml) {
  return static_cast<bool>(
      document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_utf8));
}

Result<pugi::xml_node> root_named(pugi::xml_document& document, std::string_view xml,
                                  std::string_view name) {
  if (load(document, xml)) {
    const pugi::xml_node root = child(document, name);
    if (root) return root;
  }
  return fail(Errc::kInvalid,
              fmt::format("the answer is no <{}>; check that the endpoint is the service's", name));
}

std::string without_quotes(std::string text) {
  std::erase(text, '"');
  return text;
}

// encoding-type=url: percent signs, and "+" for a space.
std::string decoded_key(std::string text) {
  for (char& c : text) {
    if (c == '+') c = ' ';
  }
  return percent_decode(text);
}

constexpr int kPartNumberMax = 10'000;
constexpr std::string_view kNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";

}  // namespace

std::optional<XmlError> parse_error_xml(std::string_view xml) {
  pugi::xml_document document;
  if (!load(document, xml)) return std::nullopt;
  pugi::xml_node error = child(document, "Error");
  if (!error) error = child(child(document, "ErrorResponse"), "Error");
  if (!error) return std::nullopt;
  return XmlError{.code = text_of(error, "Code"),
                  .message = text_of(error, "Message"),
                  .region = text_of(error, "Region")};
}

Result<ListedObjects> parse_list_xml(std::string_view xml) {
  pugi::xml_document document;
  LEAT_ASSIGN(const pugi::xml_node root, root_named(document, xml, "ListBucketResult"));
  ListedObjects out;
  out.truncated = text_of(root, "IsTruncated") == "true";
  // A server may leave the encoding out; then it says so by not repeating it.
  const bool encoded = text_of(root, "EncodingType") == "url";
  for (const pugi::xml_node& node : root.children()) {
    if (local_name(node) != "Contents") continue;
    std::string key = text_of(node, "Key");
    const auto size = parse_number<std::uint64_t>(text_of(node, "Size"));
    if (key.empty() || !size) {
      return fail(Errc::kInvalid, "a listed object has no key or no size");
    }
    out.objects.push_back(
        {.key = encoded ? decoded_key(std::move(key)) : std::move(key),
         .size = *size,
         .etag = without_quotes(text_of(node, "ETag")),
         .modified = parse_iso8601(text_of(node, "LastModified")).value_or(TimeUs{0})});
  }
  return out;
}

Result<std::string> parse_upload_id_xml(std::string_view xml) {
  pugi::xml_document document;
  LEAT_ASSIGN(const pugi::xml_node root,
              root_named(document, xml, "InitiateMultipartUploadResult"));
  std::string id = text_of(root, "UploadId");
  if (id.empty()) return fail(Errc::kInvalid, "the answer has no UploadId");
  return id;
}

Result<std::string> parse_complete_xml(std::string_view xml) {
  pugi::xml_document document;
  LEAT_ASSIGN(const pugi::xml_node root,
              root_named(document, xml, "CompleteMultipartUploadResult"));
  return without_quotes(text_of(root, "ETag"));
}

Result<std::vector<DeleteFailure>> parse_delete_xml(std::string_view xml) {
  pugi::xml_document document;
  LEAT_ASSIGN(const pugi::xml_node root, root_named(document, xml, "DeleteResult"));
  std::vector<DeleteFailure> out;
  for (const pugi::xml_node& node : root.children()) {
    if (local_name(node) != "Error") continue;
    out.push_back({.key = text_of(node, "Key"),
                   .code = text_of(node, "Code"),
                   .message = text_of(node, "Message")});
  }
  return out;
}

Result<IssuedKeys> parse_issued_keys_xml(std::string_view xml) {
  pugi::xml_document document;
  if (!load(document, xml)) return fail(Errc::kInvalid, "the answer of STS is no XML");
  const pugi::xml_node response = document.document_element();
  for (const pugi::xml_node& result : response.children()) {
    const pugi::xml_node keys = child(result, "Credentials");
    if (!keys) continue;
    const auto expires = parse_iso8601(text_of(keys, "Expiration"));
    IssuedKeys out{.access_key_id = text_of(keys, "AccessKeyId"),
                   .secret_access_key = text_of(keys, "SecretAccessKey"),
                   .session_token = text_of(keys, "SessionToken"),
                   .expires = expires.value_or(TimeUs{0})};
    if (out.access_key_id.empty() || out.secret_access_key.empty() || !expires) break;
    return out;
  }
  return fail(Errc::kInvalid, "the answer of STS has no credentials");
}

Result<IssuedLogin> parse_issued_login_xml(std::string_view xml) {
  pugi::xml_document document;
  if (!load(document, xml)) return fail(Errc::kInvalid, "the answer of Redshift is no XML");
  const pugi::xml_node response = document.document_element();
  for (const pugi::xml_node& result : response.children()) {
    const auto expires = parse_iso8601(text_of(result, "Expiration"));
    IssuedLogin out{.user = text_of(result, "DbUser"),
                    .password = text_of(result, "DbPassword"),
                    .expires = expires.value_or(TimeUs{0})};
    if (!out.user.empty() && !out.password.empty() && expires) return out;
  }
  return fail(Errc::kInvalid, "the answer of Redshift has no user and password");
}

Result<DeleteRequest> parse_delete_request(std::string_view xml, std::size_t keys_max) {
  pugi::xml_document document;
  // A key may be made of spaces alone.
  const bool loaded = static_cast<bool>(document.load_buffer(
      xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata_single,
      pugi::encoding_utf8));
  const pugi::xml_node root = loaded ? child(document, "Delete") : pugi::xml_node();
  if (!root) return fail(Errc::kInvalid, "the body is no <Delete>");
  DeleteRequest out;
  out.quiet = text_of(root, "Quiet") == "true";
  for (const pugi::xml_node& node : root.children()) {
    if (local_name(node) != "Object") continue;
    if (child(node, "VersionId")) return fail(Errc::kUnsupported, "objects have no versions here");
    out.keys.push_back(whole_text(child(node, "Key")));
    if (out.keys.back().empty()) return fail(Errc::kInvalid, "an <Object> has no <Key>");
    if (out.keys.size() > keys_max) {
      return fail(Errc::kInvalid, fmt::format("more than {} keys", keys_max));
    }
  }
  if (out.keys.empty()) return fail(Errc::kInvalid, "no <Object> is named");
  return out;
}

Result<std::vector<UploadedPart>> parse_complete_request(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root =
      load(document, xml) ? child(document, "CompleteMultipartUpload") : pugi::xml_node();
  if (!root) return fail(Errc::kInvalid, "the body is no <CompleteMultipartUpload>");
  std::vector<UploadedPart> parts;
  for (const pugi::xml_node& node : root.children()) {
    if (local_name(node) != "Part") continue;
    const auto number = parse_number<int>(trim(text_of(node, "PartNumber")));
    std::string etag = without_quotes(text_of(node, "ETag"));
    if (!number || *number < 1 || *number > kPartNumberMax || etag.empty()) {
      return fail(Errc::kInvalid, "a <Part> has no PartNumber from 1 to 10000, or no ETag");
    }
    parts.push_back({.number = *number, .etag = std::string(trim(etag))});
  }
  if (parts.empty()) return fail(Errc::kInvalid, "no <Part> is named");
  return parts;
}

void append_xml_text(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\r':  // a reader would make a line feed of it
        out += "&#13;";
        break;
      default:
        out += c;
    }
  }
}

std::string complete_xml(std::span<const std::string> etags) {
  std::string out = fmt::format("<CompleteMultipartUpload xmlns=\"{}\">", kNamespace);
  for (std::size_t i = 0; i < etags.size(); ++i) {
    out += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>&quot;", i + 1);
    append_xml_text(out, etags[i]);
    out += "&quot;</ETag></Part>";
  }
  return out + "</CompleteMultipartUpload>";
}

std::string delete_xml(std::span<const std::string> keys) {
  std::string out = fmt::format("<Delete xmlns=\"{}\"><Quiet>true</Quiet>", kNamespace);
  for (const std::string& key : keys) {
    out += "<Object><Key>";
    append_xml_text(out, key);
    out += "</Key></Object>";
  }
  return out + "</Delete>";
}

}  // namespace leat::aws
