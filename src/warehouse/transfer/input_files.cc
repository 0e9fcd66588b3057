#include "warehouse/transfer/input_files.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <optional>
#include <utility>

#include "base/error.h"

namespace leat::transfer {

using engine::fail_sql;
using engine::SqlError;
using engine::SqlResult;

namespace {

constexpr std::uint64_t kManifestBytesMax = 64 << 20;
constexpr std::size_t kFilesMax = 100'000;

std::unexpected<SqlError> bad_manifest(std::string_view what) {
  return fail_sql(
      "XX000", fmt::format("The manifest is not valid: {}", what),
      R"(A manifest looks like {"entries":[{"url":"s3://bucket/key","mandatory":true}]}.)");
}

SqlResult<ManifestEntry> parse_entry(simdjson::dom::element element, std::size_t index) {
  const auto wrong = [&](std::string_view what) {
    return bad_manifest(fmt::format("entry {}: {}", index, what));
  };
  simdjson::dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return wrong("not an object");
  ManifestEntry entry;
  std::string_view url;
  if (object["url"].get(url) != simdjson::SUCCESS) return wrong("\"url\" is missing or no text");
  entry.url = url;
  const auto name = io::parse_object_uri(entry.url);
  if (!name || name->key.empty() || name->key.ends_with('/')) {
    return fail_sql("XX000",
                    fmt::format("The manifest is not valid: entry {}: a full object path is "
                                "needed, such as s3://bucket/key",
                                index),
                    "code: 8001");
  }
  simdjson::dom::element mandatory;
  if (object["mandatory"].get(mandatory) == simdjson::SUCCESS &&
      mandatory.get(entry.mandatory) != simdjson::SUCCESS) {
    return wrong("\"mandatory\" is neither true nor false");
  }
  simdjson::dom::element length;
  if (object["meta"]["content_length"].get(length) == simdjson::SUCCESS &&
      (length.get(entry.content_length) != simdjson::SUCCESS || entry.content_length < 0)) {
    return wrong("\"content_length\" is no size");
  }
  return entry;
}

}  // namespace

SqlResult<std::vector<ManifestEntry>> parse_manifest(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size(), true).get(root) != simdjson::SUCCESS) {
    return bad_manifest("it is not JSON in UTF-8");
  }
  simdjson::dom::array entries;
  if (root["entries"].get(entries) != simdjson::SUCCESS) {
    return bad_manifest("it has no list \"entries\"");
  }
  std::vector<ManifestEntry> out;
  for (const simdjson::dom::element element : entries) {
    LEAT_ASSIGN(ManifestEntry entry, parse_entry(element, out.size()));
    out.push_back(std::move(entry));
    if (out.size() > kFilesMax) return bad_manifest("it lists more than 100000 files");
  }
  return out;
}

SqlError store_error(const Error& error, std::string_view uri) {
  std::string_view status = "Status 503,Error ServiceUnavailable";
  switch (error.code) {
    case Errc::kNotFound:
      status = "Status 404,Error NoSuchKey";
      break;
    case Errc::kDenied:
      status = "Status 403,Error AccessDenied";
      break;
    case Errc::kInvalid:
      status = "Status 400,Error InvalidURI";
      break;
    default:
      break;
  }
  return {.sqlstate = error.code == Errc::kUnavailable ? "58030" : "XX000",
          .message = fmt::format("S3ServiceException:{},{},Key {}", error.message, status, uri)};
}

namespace {

SqlResult<std::vector<InputFile>> find_by_prefix(const std::string& prefix,
                                                 io::ObjectStore& store) {
  std::vector<InputFile> out;
  io::ListOptions options;
  bool any = false;
  while (true) {
    auto page = store.list(prefix, options);
    if (!page) return std::unexpected(store_error(page.error(), prefix));
    for (io::ObjectInfo& object : page->objects) {
      any = true;
      options.start_after = object.uri;
      if (object.size > 0) out.push_back({.uri = std::move(object.uri), .size = object.size});
    }
    if (out.size() > kFilesMax) {
      return fail_sql("54000",
                      fmt::format("The prefix '{}' names more than {} files", prefix, kFilesMax));
    }
    if (!page->truncated || page->objects.empty()) break;
  }
  if (!any) {
    return fail_sql("XX000", fmt::format("The specified S3 prefix '{}' does not exist", prefix));
  }
  return out;
}

SqlResult<std::optional<InputFile>> find_entry(const ManifestEntry& entry, io::ObjectStore& store) {
  const auto info = store.head(entry.url);
  if (!info && info.error().code == Errc::kNotFound && !entry.mandatory) return std::nullopt;
  if (!info && info.error().code == Errc::kNotFound) {
    return fail_sql("XX000",
                    fmt::format("Problem reading manifest file - the mandatory file {} does not "
                                "exist",
                                entry.url),
                    "code: 1212");
  }
  if (!info) return std::unexpected(store_error(info.error(), entry.url));
  if (entry.content_length >= 0 && info->size != static_cast<std::uint64_t>(entry.content_length)) {
    return fail_sql("XX000", fmt::format("The file {} has {} bytes, the manifest says {}",
                                         entry.url, info->size, entry.content_length));
  }
  return InputFile{.uri = entry.url, .size = info->size};
}

}  // namespace

SqlResult<std::vector<InputFile>> find_input_files(const sql::CopyStatement& statement,
                                                   io::ObjectStore& store) {
  const auto name = io::parse_object_uri(statement.source);
  if (!name) {
    return fail_sql("0A000", fmt::format("COPY cannot read from '{}'", statement.source), {},
                    "Name objects as s3://bucket/key.");
  }
  if (!statement.manifest) return find_by_prefix(statement.source, store);
  const auto text = store.get(statement.source, kManifestBytesMax);
  if (!text) return std::unexpected(store_error(text.error(), statement.source));
  LEAT_ASSIGN(const std::vector<ManifestEntry> entries, parse_manifest(*text));
  std::vector<InputFile> out;
  bool any = false;
  for (const ManifestEntry& entry : entries) {
    LEAT_ASSIGN(std::optional<InputFile> file, find_entry(entry, store));
    any |= file.has_value();
    if (file && file->size > 0) out.push_back(std::move(*file));
  }
  if (!any) {
    return fail_sql("XX000",
                    fmt::format("The manifest {} names no file that exists", statement.source));
  }
  return out;
}

}  // namespace leat::transfer
