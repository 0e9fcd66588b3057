#include "aws/s3_object_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "aws/s3_client.h"
#include "base/check.h"
#include "base/digest.h"
#include "base/text.h"

namespace leat::aws {
namespace {

constexpr std::uint64_t kPartsMax = 10'000;
constexpr std::uint64_t kSinglePutMax = 5ULL << 30U;
constexpr std::size_t kListMax = 1000;
constexpr std::size_t kDeleteMax = 1000;
constexpr std::uint64_t kMiB = 1U << 20U;
// Tells this put from another one of the same name and bytes.
constexpr std::string_view kPutHeader = "x-amz-meta-leat-put";

std::string without_quotes(std::string_view text) {
  std::string out(text);
  std::erase(out, '"');
  return out;
}

// "bytes 0-9/100"
std::optional<std::uint64_t> total_of(std::string_view content_range) {
  const std::size_t slash = content_range.rfind('/');
  if (!content_range.starts_with("bytes ") || slash == std::string_view::npos) return std::nullopt;
  return parse_number<std::uint64_t>(content_range.substr(slash + 1));
}

// Runs `work(i)` for i below `count`, at most `threads` at once, on this thread and others. After
// an error no more are begun, and the first one is returned.
template <class Work>
Status in_parallel(std::size_t count, unsigned threads, Work work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  Status first = {};
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      Status done = work(i);
      if (done) continue;
      next = count;
      const std::lock_guard lock(mutex);
      if (first) first = std::move(done);
    }
  };
  {
    std::vector<std::jthread> others;
    const std::size_t wanted = std::min<std::size_t>(threads, count);
    for (std::size_t t = 1; t < wanted; ++t) others.emplace_back(run);
    run();
  }
  return first;
}

struct Fetched {
  std::string bytes;
  std::uint64_t total = 0;
  std::string etag;
};

}  // namespace

struct S3ObjectStore::Impl {
  std::unique_ptr<S3Client> client;

  [[nodiscard]] const S3Options& options() const { return client->options(); }
  [[nodiscard]] Result<io::ObjectName> object_name(std::string_view uri) const;
  void add_encryption(std::vector<io::HttpHeader>& headers) const;
  [[nodiscard]] io::ObjectInfo info_of(std::string_view uri, const io::HttpResponse& response,
                                       std::uint64_t size) const;

  Result<io::ObjectInfo> put_whole(std::string_view uri, const io::ObjectName& name,
                                   std::string_view bytes, io::PutOptions options);
  Result<std::optional<io::HttpResponse>> own_put(const io::ObjectName& name,
                                                  const std::string& token);
  Result<io::ObjectInfo> put_in_parts(std::string_view uri, const io::ObjectName& name,
                                      std::string_view bytes);
  Result<std::string> begin_upload(std::string_view uri, const io::ObjectName& name,
                                   const std::string& token);
  Result<std::string> put_part(std::string_view uri, const io::ObjectName& name,
                               const std::string& upload, std::size_t number,
                               std::string_view bytes);
  Result<std::string> complete_upload(std::string_view uri, const io::ObjectName& name,
                                      const std::string& upload, const std::string& token,
                                      std::span<const std::string> etags);
  void abort_upload(const io::ObjectName& name, const std::string& upload);

  Result<std::string> fetch(std::string_view uri, std::uint64_t offset, std::uint64_t length,
                            std::uint64_t bytes_max);
  Result<std::optional<Fetched>> fetch_first(std::string_view uri, const io::ObjectName& name,
                                             std::uint64_t offset, std::uint64_t length);
  Status fetch_rest(std::string_view uri, const io::ObjectName& name, const std::string& etag,
                    std::uint64_t offset, std::string& into, std::size_t have);
  Status delete_batch(const std::string& bucket, std::span<const std::string> keys);
};

S3ObjectStore::S3ObjectStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
S3ObjectStore::~S3ObjectStore() = default;

Result<std::unique_ptr<S3ObjectStore>> S3ObjectStore::open(S3Options options) {
  auto impl = std::make_unique<Impl>();
  LEAT_ASSIGN(impl->client, S3Client::open(std::move(options)));
  return std::unique_ptr<S3ObjectStore>(new S3ObjectStore(std::move(impl)));
}

const std::string& S3ObjectStore::endpoint() const {
  return impl_->client->endpoint();
}

Result<io::ObjectName> S3ObjectStore::Impl::object_name(std::string_view uri) const {
  LEAT_ASSIGN(io::ObjectName name, io::parse_object_uri(uri));
  if (name.key.empty()) {
    return fail(Errc::kInvalid, fmt::format("{} names a bucket, not an object", uri));
  }
  return name;
}

void S3ObjectStore::Impl::add_encryption(std::vector<io::HttpHeader>& headers) const {
  if (options().encryption.empty()) return;
  headers.push_back({"x-amz-server-side-encryption", options().encryption});
  if (options().encryption.starts_with("aws:kms") && !options().kms_key.empty()) {
    headers.push_back({"x-amz-server-side-encryption-aws-kms-key-id", options().kms_key});
  }
}

io::ObjectInfo S3ObjectStore::Impl::info_of(std::string_view uri, const io::HttpResponse& response,
                                            std::uint64_t size) const {
  const auto modified = parse_http_date(response.header("last-modified").value_or(""));
  return {.uri = std::string(uri),
          .size = size,
          .etag = without_quotes(response.header("etag").value_or("")),
          .modified = modified.value_or(client->now())};
}

// ---- put

Result<io::ObjectInfo> S3ObjectStore::put(std::string_view uri, std::string_view bytes,
                                          io::PutOptions options) {
  LEAT_ASSIGN(const io::ObjectName name, impl_->object_name(uri));
  if (options.if_none_match && bytes.size() > kSinglePutMax) {
    return fail(Errc::kInvalid,
                fmt::format("{} has {} bytes; a put that must not replace takes at most {}", uri,
                            bytes.size(), kSinglePutMax));
  }
  if (options.if_none_match || bytes.size() <= impl_->options().multipart_bytes_min) {
    return impl_->put_whole(uri, name, bytes, options);
  }
  return impl_->put_in_parts(uri, name, bytes);
}

Result<io::ObjectInfo> S3ObjectStore::Impl::put_whole(std::string_view uri,
                                                      const io::ObjectName& name,
                                                      std::string_view bytes,
                                                      io::PutOptions put_options) {
  S3Call call{.method = "PUT", .bucket = name.bucket, .key = name.key, .body = bytes};
  add_encryption(call.headers);
  std::string token;
  if (put_options.if_none_match) {
    token = random_token(*options().random, 24);
    call.headers.push_back({"if-none-match", "*"});
    call.headers.push_back({std::string(kPutHeader), token});
  }
  LEAT_ASSIGN(const S3Answer answer, client->call(call));
  if (!answer.problem) return info_of(uri, answer.response, bytes.size());
  if (answer.problem->status == 412 && put_options.if_none_match) {
    // An earlier attempt, here or within libcurl, may be the one that made it, and only its answer
    // was lost.
    LEAT_ASSIGN(const auto own, own_put(name, token));
    if (own) return info_of(uri, *own, bytes.size());
    return fail(Errc::kConflict, fmt::format("{} exists already", uri));
  }
  return client->explain(answer, "writing", uri);
}

// The object as it is now, when it is the one that the put with `token` made.
Result<std::optional<io::HttpResponse>> S3ObjectStore::Impl::own_put(const io::ObjectName& name,
                                                                     const std::string& token) {
  LEAT_ASSIGN(S3Answer answer,
              client->call({.method = "HEAD", .bucket = name.bucket, .key = name.key}));
  if (answer.problem && answer.problem->status != 404) {
    return client->explain(answer, "looking at", name.uri());
  }
  if (answer.problem || answer.response.header(kPutHeader) != std::string_view(token)) {
    return std::nullopt;
  }
  return std::move(answer.response);
}

Result<io::ObjectInfo> S3ObjectStore::Impl::put_in_parts(std::string_view uri,
                                                         const io::ObjectName& name,
                                                         std::string_view bytes) {
  std::uint64_t part_bytes = options().part_bytes;
  if (bytes.size() / part_bytes >= kPartsMax) {
    part_bytes = (bytes.size() / kPartsMax / kMiB + 1) * kMiB;
  }
  const std::size_t count = (bytes.size() + part_bytes - 1) / part_bytes;
  const std::string token = random_token(*options().random, 24);
  LEAT_ASSIGN(const std::string upload, begin_upload(uri, name, token));
  std::vector<std::string> etags(count);
  const Status sent = in_parallel(count, options().parallel, [&](std::size_t i) -> Status {
    const std::string_view part = bytes.substr(i * part_bytes, part_bytes);
    LEAT_ASSIGN(etags[i], put_part(uri, name, upload, i + 1, part));
    return {};
  });
  if (!sent) {
    abort_upload(name, upload);
    return std::unexpected(sent.error());
  }
  auto etag = complete_upload(uri, name, upload, token, etags);
  if (!etag) {
    abort_upload(name, upload);
    return std::unexpected(std::move(etag.error()));
  }
  return io::ObjectInfo{.uri = std::string(uri),
                        .size = bytes.size(),
                        .etag = std::move(*etag),
                        .modified = client->now()};
}

Result<std::string> S3ObjectStore::Impl::begin_upload(std::string_view uri,
                                                      const io::ObjectName& name,
                                                      const std::string& token) {
  S3Call call{.method = "POST",
              .bucket = name.bucket,
              .key = name.key,
              .query = {{"uploads", ""}},
              .headers = {{std::string(kPutHeader), token}}};
  add_encryption(call.headers);
  LEAT_ASSIGN(const S3Answer answer, client->call(call));
  if (answer.problem) return client->explain(answer, "writing", uri);
  return parse_upload_id_xml(answer.response.body);
}

Result<std::string> S3ObjectStore::Impl::put_part(std::string_view uri, const io::ObjectName& name,
                                                  const std::string& upload, std::size_t number,
                                                  std::string_view bytes) {
  LEAT_ASSIGN(
      const S3Answer answer,
      client->call({.method = "PUT",
                    .bucket = name.bucket,
                    .key = name.key,
                    .query = {{"partNumber", fmt::format("{}", number)}, {"uploadId", upload}},
                    .body = bytes}));
  if (answer.problem)
    return client->explain(answer, fmt::format("writing part {} of", number), uri);
  std::string etag = without_quotes(answer.response.header("etag").value_or(""));
  if (etag.empty()) {
    return fail(Errc::kUnavailable,
                fmt::format("writing part {} of {} at {} gave no ETag; check that the endpoint is "
                            "an S3 server",
                            number, uri, client->endpoint()));
  }
  return etag;
}

Result<std::string> S3ObjectStore::Impl::complete_upload(std::string_view uri,
                                                         const io::ObjectName& name,
                                                         const std::string& upload,
                                                         const std::string& token,
                                                         std::span<const std::string> etags) {
  const std::string body = complete_xml(etags);
  LEAT_ASSIGN(const S3Answer answer, client->call({.method = "POST",
                                                   .bucket = name.bucket,
                                                   .key = name.key,
                                                   .query = {{"uploadId", upload}},
                                                   .body = body,
                                                   .error_in_200 = true}));
  if (!answer.problem) {
    LEAT_ASSIGN(std::string etag, parse_complete_xml(answer.response.body));
    if (!etag.empty()) return etag;
    // Ceph 16 leaves it out.
    LEAT_ASSIGN(const auto own, own_put(name, token));
    return own ? without_quotes(own->header("etag").value_or("")) : std::string();
  }
  if (answer.problem->code == "NoSuchUpload") {
    // Completed by an attempt whose answer was lost?
    LEAT_ASSIGN(const auto own, own_put(name, token));
    if (own) return without_quotes(own->header("etag").value_or(""));
  }
  return client->explain(answer, "completing", uri);
}

// What cannot be aborted now is a bucket's lifecycle rule's to remove (docs/guides).
void S3ObjectStore::Impl::abort_upload(const io::ObjectName& name, const std::string& upload) {
  static_cast<void>(client->call({.method = "DELETE",
                                  .bucket = name.bucket,
                                  .key = name.key,
                                  .query = {{"uploadId", upload}}}));
}

// ---- get

Result<std::string> S3ObjectStore::get(std::string_view uri, std::uint64_t bytes_max) {
  return impl_->fetch(uri, 0, UINT64_MAX, bytes_max);
}

Result<std::string> S3ObjectStore::get_range(std::string_view uri, std::uint64_t offset,
                                             std::uint64_t length) {
  if (length == 0) {
    LEAT_TRY(head(uri));
    return std::string();
  }
  return impl_->fetch(uri, offset, length, UINT64_MAX);
}

Result<std::string> S3ObjectStore::Impl::fetch(std::string_view uri, std::uint64_t offset,
                                               std::uint64_t length, std::uint64_t bytes_max) {
  LEAT_ASSIGN(const io::ObjectName name, object_name(uri));
  constexpr int kTriesMax = 3;
  for (int tried = 0; tried < kTriesMax; ++tried) {
    LEAT_ASSIGN(auto first, fetch_first(uri, name, offset, length));
    if (!first) return std::string();  // nothing from there on
    const std::uint64_t wanted = std::min(length, first->total - offset);
    if (wanted > bytes_max) {
      return fail(Errc::kExhausted,
                  fmt::format("{} has {} bytes; at most {} are read", uri, wanted, bytes_max));
    }
    const std::size_t have = first->bytes.size();
    if (have == wanted) return std::move(first->bytes);
    first->bytes.resize(wanted);
    const Status rest = fetch_rest(uri, name, first->etag, offset, first->bytes, have);
    if (rest) return std::move(first->bytes);
    // Replaced between two ranges: all of it once more.
    if (rest.error().code != Errc::kConflict) return std::unexpected(rest.error());
  }
  return fail(Errc::kUnavailable,
              fmt::format("{} was replaced again and again while it was read; try again", uri));
}

// The range's first part, with the size of the whole object. Nothing when the object ends before
// `offset`.
Result<std::optional<Fetched>> S3ObjectStore::Impl::fetch_first(std::string_view uri,
                                                                const io::ObjectName& name,
                                                                std::uint64_t offset,
                                                                std::uint64_t length) {
  const std::uint64_t last = offset + std::min(length, options().part_bytes) - 1;
  LEAT_ASSIGN(S3Answer answer,
              client->call({.method = "GET",
                            .bucket = name.bucket,
                            .key = name.key,
                            .headers = {{"range", fmt::format("bytes={}-{}", offset, last)}},
                            .answer_bytes_max = UINT64_MAX}));
  if (answer.problem) {
    if (answer.problem->status == 416) return std::optional<Fetched>();
    return client->explain(answer, "reading", uri);
  }
  Fetched out;
  out.etag = answer.response.header("etag").value_or("");
  out.bytes = std::move(answer.response.body);
  if (answer.response.status == 206) {
    const auto total = total_of(answer.response.header("content-range").value_or(""));
    if (total && *total >= offset + out.bytes.size() && !out.bytes.empty()) {
      out.total = *total;
      return out;
    }
    return fail(Errc::kUnavailable,
                fmt::format("reading {} at {} gave a range without its place; check that the "
                            "endpoint is an S3 server",
                            uri, client->endpoint()));
  }
  // The whole object: a server may pass over Range.
  out.total = out.bytes.size();
  if (offset >= out.total) return std::optional<Fetched>();
  out.bytes = out.bytes.substr(offset, std::min(length, out.total - offset));
  return out;
}

// Fills `into` from `have` on; its first byte is the object's at `offset`.
Status S3ObjectStore::Impl::fetch_rest(std::string_view uri, const io::ObjectName& name,
                                       const std::string& etag, std::uint64_t offset,
                                       std::string& into, std::size_t have) {
  const std::uint64_t part = options().part_bytes;
  const std::size_t count = (into.size() - have + part - 1) / part;
  return in_parallel(count, options().parallel, [&](std::size_t i) -> Status {
    const std::uint64_t begin = have + i * part;
    const std::uint64_t end = std::min<std::uint64_t>(begin + part, into.size());
    LEAT_ASSIGN(
        const S3Answer answer,
        client->call(
            {.method = "GET",
             .bucket = name.bucket,
             .key = name.key,
             .headers = {{"range", fmt::format("bytes={}-{}", offset + begin, offset + end - 1)},
                         {"if-match", etag}},
             .answer_bytes_max = part}));
    if (answer.problem && answer.problem->status == 416) {
      return fail(Errc::kConflict, "the object became shorter");
    }
    if (answer.problem) return client->explain(answer, "reading", uri);
    if (answer.response.status != 206 || answer.response.body.size() != end - begin) {
      return fail(Errc::kUnavailable,
                  fmt::format("reading {} at {} gave {} bytes instead of {}; try again", uri,
                              client->endpoint(), answer.response.body.size(), end - begin));
    }
    std::memcpy(into.data() + begin, answer.response.body.data(), end - begin);
    return {};
  });
}

Result<io::ObjectInfo> S3ObjectStore::head(std::string_view uri) {
  LEAT_ASSIGN(const io::ObjectName name, impl_->object_name(uri));
  LEAT_ASSIGN(const S3Answer answer,
              impl_->client->call({.method = "HEAD", .bucket = name.bucket, .key = name.key}));
  if (answer.problem) return impl_->client->explain(answer, "looking at", uri);
  const auto size =
      parse_number<std::uint64_t>(answer.response.header("content-length").value_or(""));
  if (!size) {
    return fail(Errc::kUnavailable,
                fmt::format("looking at {} at {} gave no size; check that the endpoint is an S3 "
                            "server",
                            uri, endpoint()));
  }
  return impl_->info_of(uri, answer.response, *size);
}

// ---- list and remove

Result<io::ListPage> S3ObjectStore::list(std::string_view prefix_uri,
                                         const io::ListOptions& options) {
  LEAT_ASSIGN(const io::ObjectName prefix, io::parse_object_uri(prefix_uri));
  std::string start_after;
  if (!options.start_after.empty()) {
    LEAT_ASSIGN(io::ObjectName after, io::parse_object_uri(options.start_after));
    if (after.bucket != prefix.bucket) {
      return fail(Errc::kInvalid, fmt::format("start_after {} is in another bucket than {}",
                                              options.start_after, prefix_uri));
    }
    start_after = std::move(after.key);
  }
  io::ListPage page;
  page.truncated = true;
  while (page.truncated && page.objects.size() < options.limit) {
    const std::size_t wanted = std::min(kListMax, options.limit - page.objects.size());
    S3Call call{.method = "GET",
                .bucket = prefix.bucket,
                .query = {{"list-type", "2"},
                          {"encoding-type", "url"},
                          {"max-keys", fmt::format("{}", wanted)},
                          {"prefix", prefix.key}}};
    if (!start_after.empty()) call.query.emplace_back("start-after", start_after);
    LEAT_ASSIGN(const S3Answer answer, impl_->client->call(call));
    if (answer.problem) return impl_->client->explain(answer, "listing", prefix_uri);
    LEAT_ASSIGN(ListedObjects listed, parse_list_xml(answer.response.body));
    page.truncated = listed.truncated && !listed.objects.empty();
    for (ListedObject& object : listed.objects) {
      start_after = object.key;
      std::string uri = io::ObjectName{prefix.bucket, std::move(object.key)}.uri();
      // An object of somebody else's whose name Leat has no way to say.
      if (!io::parse_object_uri(uri)) continue;
      page.objects.push_back({.uri = std::move(uri),
                              .size = object.size,
                              .etag = std::move(object.etag),
                              .modified = object.modified});
    }
  }
  return page;
}

Status S3ObjectStore::remove(std::string_view uri) {
  LEAT_ASSIGN(const io::ObjectName name, impl_->object_name(uri));
  LEAT_ASSIGN(const S3Answer answer,
              impl_->client->call({.method = "DELETE", .bucket = name.bucket, .key = name.key}));
  if (!answer.problem || answer.problem->code == "NoSuchKey") return {};
  return impl_->client->explain(answer, "removing", uri);
}

Status S3ObjectStore::remove_all(std::span<const std::string> uris) {
  std::map<std::string, std::vector<std::string>> keys;
  for (const std::string& uri : uris) {
    LEAT_ASSIGN(io::ObjectName name, impl_->object_name(uri));
    keys[name.bucket].push_back(std::move(name.key));
  }
  for (const auto& [bucket, all] : keys) {
    for (std::size_t at = 0; at < all.size(); at += kDeleteMax) {
      const std::size_t count = std::min(kDeleteMax, all.size() - at);
      LEAT_TRY(impl_->delete_batch(bucket, std::span(all).subspan(at, count)));
    }
  }
  return {};
}

Status S3ObjectStore::Impl::delete_batch(const std::string& bucket,
                                         std::span<const std::string> keys) {
  const std::string body = delete_xml(keys);
  const auto digest = md5(body);
  const std::string_view raw(reinterpret_cast<const char*>(digest.data()), digest.size());
  LEAT_ASSIGN(const S3Answer answer, client->call({.method = "POST",
                                                   .bucket = bucket,
                                                   .query = {{"delete", ""}},
                                                   .headers = {{"content-md5", to_base64(raw)}},
                                                   .body = body,
                                                   .error_in_200 = true}));
  const std::string uri = io::ObjectName{bucket, keys.front()}.uri();
  if (answer.problem) return client->explain(answer, "removing", uri);
  LEAT_ASSIGN(const auto failures, parse_delete_xml(answer.response.body));
  for (const DeleteFailure& failure : failures) {
    if (failure.code == "NoSuchKey") continue;
    S3Answer one = answer;
    one.problem = S3Problem{.status = failure.code == "AccessDenied" ? 403 : 500,
                            .code = failure.code,
                            .message = failure.message};
    return client->explain(one, "removing", io::ObjectName{bucket, failure.key}.uri());
  }
  return {};
}

// ---- check

std::vector<StoreCheck> S3ObjectStore::check(const std::string& bucket) {
  std::vector<StoreCheck> out;
  const auto step = [&out](std::string name, Status status) {
    out.push_back({std::move(name), std::move(status)});
    return out.back().status.has_value();
  };
  const auto status_of = [](auto result) -> Status {
    if (result) return {};
    return std::unexpected(std::move(result.error()));
  };
  auto credentials = impl_->options().credentials->get();
  if (!step(credentials ? "credentials from " + credentials->source : "credentials",
            status_of(std::move(credentials)))) {
    return out;
  }
  const std::string folder = fmt::format("s3://{}/leat-check/", bucket);
  if (!step("listing", status_of(list(folder, {.start_after = {}, .limit = 1})))) return out;
  const std::string uri = folder + random_token(*impl_->options().random, 16);
  if (!step("writing", status_of(put(uri, "leat", {.if_none_match = true})))) return out;
  const auto again = put(uri, "other", {.if_none_match = true});
  Status kept = {};
  if (again || again.error().code != Errc::kConflict) {
    kept = again ? fail(Errc::kUnsupported,
                        fmt::format("{} replaced an object that it was told not to replace; use a "
                                    "server that knows If-None-Match",
                                    endpoint()))
                 : Status(std::unexpected(again.error()));
  }
  const bool good = step("not replacing", std::move(kept));
  auto read = get(uri);
  Status same = status_of(read);
  if (same && good && *read != "leat") same = fail(Errc::kCorrupt, "other bytes came back");
  if (good) step("reading", std::move(same));
  step("removing", remove(uri));
  return out;
}

}  // namespace leat::aws
