#include "pipeline/archive/redaction.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/digest.h"
#include "pipeline/archive/names.h"

namespace leat::archive {

Redactor::Redactor(io::ObjectStore& store, std::string bucket)
    : store_(store), bucket_(std::move(bucket)), archive_(store, bucket_) {}

Result<SealRedaction> Redactor::plan(const Seal& seal, const event::Person& person,
                                     const WantsSource& wants) {
  SealRedaction out{.after = seal, .batches = {}};
  for (Batch& batch : out.after.batches) {
    if (!wants(batch.source)) {
      continue;
    }
    LEAT_ASSIGN(const std::string lines, archive_.read(batch));
    ++out.objects_read;
    out.events_read += batch.events;
    auto redacted = event::redact(lines, person);
    if (!redacted) {
      return fail(redacted.error().code,
                  fmt::format("{}; {}", redacted.error().message, batch.uri));
    }
    if (redacted->places.empty()) {
      continue;
    }
    LEAT_ASSIGN(std::string object, compressor_.compress(redacted->lines));
    const Batch before = batch;
    batch.uri = with_revision(batch.uri, revision_of(batch.uri) + 1);
    batch.deleted += redacted->places.size();
    batch.raw_bytes = redacted->lines.size();
    batch.object_bytes = object.size();
    // A deletion is proven by SHA-256.
    batch.xxh128.clear();
    batch.sha256 = to_hex(sha256(object));
    LEAT_ASSIGN(std::string sha256_before, sha256_of(before));
    out.batches.push_back({.before = before,
                           .after = batch,
                           .sha256_before = std::move(sha256_before),
                           .object = std::move(object),
                           .places = std::move(redacted->places)});
  }
  return out;
}

Result<std::string> Redactor::sha256_of(const Batch& batch) {
  if (!batch.sha256.empty()) return batch.sha256;
  LEAT_ASSIGN(const std::string object, store_.get(batch.uri, batch.object_bytes));
  if (!is_object_of(batch, object)) {
    return fail(Errc::kCorrupt,
                fmt::format("the object changed while it was looked at; {}", batch.uri));
  }
  return to_hex(sha256(object));
}

Status Redactor::apply(const SealRedaction& redaction) {
  if (redaction.batches.empty()) {
    return {};
  }
  for (const RedactedBatch& batch : redaction.batches) {
    LEAT_TRY(clean(batch.before));
    const auto put = store_.put(batch.after.uri, batch.object);
    if (!put) {
      return std::unexpected(put.error());
    }
    // The object of before is about to go: what takes its place must be there, and whole.
    LEAT_ASSIGN(const std::string object, store_.get(batch.after.uri, batch.after.object_bytes));
    if (!is_object_of(batch.after, object)) {
      return fail(Errc::kCorrupt, fmt::format("the object that was just written reads back as "
                                              "another; nothing was removed; {}",
                                              batch.after.uri));
    }
  }
  const Seal& seal = redaction.after;
  const std::string uri = seal_uri(bucket_, seal.stream, seal.first);
  Seal expected = seal;
  for (const RedactedBatch& batch : redaction.batches) {
    *std::ranges::find(expected.batches, batch.after.id, &Batch::id) = batch.before;
  }
  LEAT_ASSIGN(const std::string present, store_.get(uri));
  if (present != format_seal(expected)) {
    return fail(
        Errc::kAborted,
        fmt::format("the seal changed meanwhile: another process redacts this archive; {}", uri));
  }
  const std::string text = format_seal(seal);
  if (const auto put = store_.put(uri, text); !put) {
    return std::unexpected(put.error());
  }
  LEAT_ASSIGN(const std::string written, store_.get(uri));
  if (written != text) {
    return fail(Errc::kAborted,
                fmt::format("the seal that was just written is another one already; {}", uri));
  }
  for (const RedactedBatch& batch : redaction.batches) {
    LEAT_TRY(store_.remove(batch.before.uri));
  }
  return {};
}

Status Redactor::clean(const Batch& batch) {
  const std::uint64_t revision = revision_of(batch.uri);
  if (revision == 0) {
    return {};
  }
  return store_.remove(with_revision(batch.uri, revision - 1));
}

}  // namespace leat::archive
