#include "pipeline/archive/archive.h"

#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_d_forceIgnoreChecksum
#include <fmt/core.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/digest.h"
#include "base/text.h"
#include "pipeline/archive/names.h"

namespace leat::archive {
namespace {

constexpr std::uint64_t kSealBytesMax = std::uint64_t{64} << 20;
constexpr std::uint64_t kRawBytesMax = std::uint64_t{4} << 30;
constexpr std::size_t kXxh128Digits = 32;
constexpr std::size_t kSha256Digits = 64;
constexpr std::uint64_t kSealVersionMax = 2;

std::unexpected<Error> corrupt(std::string_view what, std::string_view uri) {
  return fail(Errc::kCorrupt, fmt::format("{}; {}", what, uri));
}

// Reads members of a JSON object and remembers whether all were as expected.
class Members {
 public:
  explicit Members(const nlohmann::json& object) : object_(object) {}

  std::string text(const char* name) {
    const auto at = object_.find(name);
    if (at == object_.end() || !at->is_string()) {
      good_ = false;
      return {};
    }
    return at->get<std::string>();
  }
  std::uint64_t number(const char* name) {
    const auto at = object_.find(name);
    if (at == object_.end() || !at->is_number_unsigned()) {
      good_ = false;
      return 0;
    }
    return at->get<std::uint64_t>();
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  const nlohmann::json& object_;
  bool good_ = true;
};

Result<Batch> parse_batch(const nlohmann::json& object, const Seal& seal) {
  if (!object.is_object()) {
    return fail(Errc::kCorrupt, "a batch of the seal is no object");
  }
  Members members(object);
  Batch batch{.id = members.text("id"),
              .source = members.text("source"),
              .hour = members.text("hour"),
              .uri = members.text("uri"),
              .events = members.number("events"),
              .deleted = object.contains("deleted") ? members.number("deleted") : 0,
              .raw_bytes = members.number("raw_bytes"),
              .object_bytes = members.number("object_bytes"),
              .xxh128 = object.contains("xxh128") ? members.text("xxh128") : "",
              .sha256 = object.contains("sha256") ? members.text("sha256") : ""};
  const bool has_digest = (batch.xxh128.size() == kXxh128Digits && batch.sha256.empty()) ||
                          (batch.sha256.size() == kSha256Digits && batch.xxh128.empty());
  if (!members.good() || !has_digest || batch.deleted > batch.events ||
      batch.id != batch_id(batch.source, batch.hour, seal.stream, seal.first, seal.last)) {
    return fail(Errc::kCorrupt, "a batch of the seal lacks members or does not match its range");
  }
  return batch;
}

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

/// Decompresses an object whose bytes have been compared with their digest: that of the lines
/// inside, which is for tools that have no seal, would only repeat it. Returns zstd's answer.
std::size_t decompress(std::span<char> to, std::string_view object) {
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  LEAT_CHECK(context != nullptr);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_forceIgnoreChecksum, ZSTD_d_ignoreChecksum);
  return ZSTD_decompressDCtx(context.get(), to.data(), to.size(), object.data(), object.size());
}

}  // namespace

bool is_object_of(const Batch& batch, std::string_view bytes) {
  if (bytes.size() != batch.object_bytes) return false;
  return batch.sha256.empty() ? to_hex(xxh128(bytes)) == batch.xxh128
                              : to_hex(sha256(bytes)) == batch.sha256;
}

std::string format_seal(const Seal& seal) {
  // Programs that know version 1 only can read every seal whose batches all have a SHA-256.
  const bool is_first_version =
      std::ranges::all_of(seal.batches, &std::string::empty, &Batch::xxh128);
  std::string out =
      fmt::format(R"({{"leat_seal":{},"stream":{},"first":{},"last":{},"events":{},"batches":[)",
                  is_first_version ? 1 : 2, json_string(seal.stream), seal.first.value,
                  seal.last.value, seal.events);
  for (std::size_t i = 0; i < seal.batches.size(); ++i) {
    const Batch& batch = seal.batches[i];
    out += fmt::format(
        "{}\n{{\"id\":{},\"source\":{},\"hour\":{},\"uri\":{},\"events\":{},{}\"raw_bytes\":{},"
        "\"object_bytes\":{},\"{}\":{}}}",
        i == 0 ? "" : ",", json_string(batch.id), json_string(batch.source),
        json_string(batch.hour), json_string(batch.uri), batch.events,
        batch.deleted == 0 ? "" : fmt::format("\"deleted\":{},", batch.deleted), batch.raw_bytes,
        batch.object_bytes, batch.sha256.empty() ? "xxh128" : "sha256",
        json_string(batch.sha256.empty() ? batch.xxh128 : batch.sha256));
  }
  return out + "]}\n";
}

Result<Seal> parse_seal(std::string_view text) {
  const auto object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) {
    return fail(Errc::kCorrupt, "the seal is no JSON object");
  }
  Members members(object);
  if (const std::uint64_t version = members.number("leat_seal");
      members.good() && (version == 0 || version > kSealVersionMax)) {
    return fail(Errc::kUnsupported,
                fmt::format("the seal has format version {}, this program knows 1 to {}", version,
                            kSealVersionMax));
  }
  Seal seal{.stream = members.text("stream"),
            .first = journal::Offset{members.number("first")},
            .last = journal::Offset{members.number("last")},
            .events = members.number("events"),
            .batches = {}};
  const auto batches = object.find("batches");
  if (!members.good() || batches == object.end() || !batches->is_array() || seal.first.value == 0 ||
      seal.last < seal.first) {
    return fail(Errc::kCorrupt, "the seal lacks members or its range is empty");
  }
  std::uint64_t events = 0;
  for (const auto& element : *batches) {
    LEAT_ASSIGN(Batch batch, parse_batch(element, seal));
    events += batch.events;
    seal.batches.push_back(std::move(batch));
  }
  if (events != seal.events) {
    return fail(Errc::kCorrupt,
                fmt::format("the seal's books do not balance: {} events from the journal, {} in "
                            "its batches",
                            seal.events, events));
  }
  return seal;
}

Archive::Archive(io::ObjectStore& store, std::string bucket)
    : store_(store), bucket_(std::move(bucket)) {}

Result<std::vector<std::string>> Archive::streams() const {
  const std::string prefix = streams_prefix(bucket_);
  std::vector<std::string> names;
  io::ListOptions options;
  while (true) {
    LEAT_ASSIGN(const io::ListPage page, store_.list(prefix, options));
    for (const io::ObjectInfo& object : page.objects) {
      std::string_view name = std::string_view(object.uri).substr(prefix.size());
      if (name.ends_with(kJsonSuffix)) {
        name.remove_suffix(kJsonSuffix.size());
        names.emplace_back(name);
      }
    }
    if (!page.truncated || page.objects.empty()) {
      return names;
    }
    options.start_after = page.objects.back().uri;
  }
}

// The first record that the archive holds of a stream: 1 unless older seals were removed on
// purpose.
Result<journal::Offset> Archive::first_of(const std::string& stream) const {
  const std::string uri = stream_uri(bucket_, stream);
  LEAT_ASSIGN(const std::string text, store_.get(uri, kSealBytesMax));
  const auto object = nlohmann::json::parse(text, nullptr, false);
  if (object.is_object()) {
    Members members(object);
    const journal::Offset first{members.number("first")};
    if (members.good() && first.value != 0) {
      return first;
    }
  }
  return corrupt("the stream's description cannot be read", uri);
}

Result<std::optional<Seal>> Archive::seal_at(const std::string& stream,
                                             journal::Offset first) const {
  const std::string uri = seal_uri(bucket_, stream, first);
  const auto text = store_.get(uri, kSealBytesMax);
  if (!text) {
    if (text.error().code == Errc::kNotFound) {
      return std::optional<Seal>();
    }
    return std::unexpected(text.error());
  }
  auto seal = parse_seal(*text);
  if (!seal) {
    return fail(seal.error().code, fmt::format("{}; {}", seal.error().message, uri));
  }
  if (seal->stream != stream || seal->first != first) {
    return corrupt("the seal is not what its name says", uri);
  }
  return std::optional(*std::move(seal));
}

Result<std::vector<Seal>> Archive::list_after(const Positions& positions, std::size_t limit) const {
  LEAT_ASSIGN(const std::vector<std::string> names, streams());
  std::vector<Seal> seals;
  for (const std::string& stream : names) {
    const auto position = positions.find(stream);
    journal::Offset next{1};
    if (position != positions.end() && position->second.value != 0) {
      next = journal::Offset{position->second.value + 1};
    } else {
      LEAT_ASSIGN(next, first_of(stream));
    }
    while (seals.size() < limit) {
      LEAT_ASSIGN(auto seal, seal_at(stream, next));
      if (!seal) {
        break;
      }
      next = journal::Offset{seal->last.value + 1};
      seals.push_back(*std::move(seal));
    }
  }
  return seals;
}

Result<Batch> Archive::find_batch(std::string_view id) const {
  const auto name = parse_batch_id(id);
  if (!name) {
    return fail(Errc::kInvalid, fmt::format("not a batch id: {}; it looks like "
                                            "web/2026112014/0123456789-0000-<first>-<last>",
                                            json_string(utf8_prefix(id, 200))));
  }
  LEAT_ASSIGN(const auto seal, seal_at(name->stream, name->first));
  if (seal) {
    for (const Batch& batch : seal->batches) {
      if (batch.id == id) {
        return batch;
      }
    }
  }
  return fail(Errc::kNotFound, fmt::format("the archive has no batch {}", id));
}

Result<std::vector<Batch>> Archive::batches_between(std::string_view source, TimeUs from,
                                                    TimeUs to) const {
  std::vector<Batch> batches;
  if (to <= from) {
    return batches;
  }
  const std::string prefix = source_prefix(bucket_, source);
  const std::string first_hour = hour_text(from);
  const std::string last_hour = hour_text(TimeUs{to.value - 1});
  std::map<std::pair<std::string, std::uint64_t>, std::optional<Seal>> seals;
  io::ListOptions options{.start_after = prefix + hour_folder(first_hour), .limit = 1000};
  while (true) {
    LEAT_ASSIGN(const io::ListPage page, store_.list(prefix, options));
    for (const io::ObjectInfo& object : page.objects) {
      const auto name = parse_batch_uri(std::string_view(object.uri).substr(prefix.size()));
      if (!name) {
        continue;
      }
      if (name->hour > last_hour) {
        return batches;
      }
      const auto [seal, added] = seals.try_emplace({name->stream, name->first.value});
      if (added) {
        LEAT_ASSIGN(seal->second, seal_at(name->stream, name->first));
      }
      if (seal->second) {
        std::ranges::copy_if(seal->second->batches, std::back_inserter(batches),
                             [&](const Batch& batch) { return batch.uri == object.uri; });
      }
    }
    if (!page.truncated || page.objects.empty()) {
      return batches;
    }
    options.start_after = page.objects.back().uri;
  }
}

Result<std::string> Archive::read(const Batch& batch) const {
  auto lines = read_object(batch);
  if (lines || (lines.error().code != Errc::kCorrupt && lines.error().code != Errc::kNotFound &&
                lines.error().code != Errc::kExhausted)) {
    return lines;
  }
  // Whoever keeps seals in memory may hold one from before a redaction.
  const auto now = find_batch(batch.id);
  if (!now || *now == batch) {
    return fail(lines.error().code,
                fmt::format("{}; bring it back from a copy of the archive, or from an earlier "
                            "version of the object",
                            lines.error().message));
  }
  return read_object(*now);
}

Result<std::string> Archive::read_object(const Batch& batch) const {
  LEAT_ASSIGN(const std::string object, store_.get(batch.uri, batch.object_bytes));
  if (!is_object_of(batch, object)) {
    return corrupt("the object is not the one its seal describes: size or digest differ",
                   batch.uri);
  }
  if (batch.raw_bytes > kRawBytesMax ||
      ZSTD_getFrameContentSize(object.data(), object.size()) != batch.raw_bytes) {
    return corrupt("the object's decompressed size is not the one its seal says", batch.uri);
  }
  std::string lines;
  std::size_t size = 0;
  lines.resize_and_overwrite(batch.raw_bytes, [&](char* to, std::size_t room) {
    size = decompress({to, room}, object);
    return ZSTD_isError(size) != 0 ? 0 : size;
  });
  if (ZSTD_isError(size) != 0 || size != batch.raw_bytes) {
    return corrupt("the object cannot be decompressed", batch.uri);
  }
  return lines;
}

}  // namespace leat::archive
