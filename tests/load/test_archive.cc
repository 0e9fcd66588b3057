#include "test_archive.h"

#include <fmt/format.h>
#include <zstd.h>

#include "base/check.h"
#include "base/digest.h"
#include "base/text.h"
#include "pipeline/event/line.h"

namespace leat::load_test {
namespace {

std::string compress(const std::string& bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 1);
  LEAT_CHECK(ZSTD_isError(size) == 0);
  out.resize(size);
  return out;
}

}  // namespace

std::unique_ptr<io::DirectoryObjectStore> open_store(const std::string& root) {
  io::DirectoryObjectStore::Options options;
  options.root = root;
  auto store = io::DirectoryObjectStore::open(std::move(options));
  LEAT_CHECK(store.has_value());
  return std::move(*store);
}

std::vector<std::string> TestArchive::add_seal(const std::vector<SourceEvents>& batches,
                                               const std::string& stream) {
  std::uint64_t& last = last_[stream];
  archive::Seal seal;
  seal.stream = stream;
  seal.first = journal::Offset{last + 1};
  for (const SourceEvents& batch : batches) last += batch.events.size();
  if (journal::Offset{last} < seal.first) ++last;
  seal.last = journal::Offset{last};
  std::vector<std::string> ids;
  for (const SourceEvents& batch : batches) {
    const TimeUs start = *parse_iso8601(batch.received_at);
    std::string lines;
    for (std::size_t i = 0; i < batch.events.size(); ++i) {
      event::LineWriter writer;
      event::RequestPartsView request;
      request.received_at = TimeUs{start.value + static_cast<std::int64_t>(i) * kUsPerSecond};
      request.source = batch.source;
      writer.begin_request(request);
      event::EventPartsView one;
      one.event_json = batch.events[i];
      writer.append(lines, one);
    }
    std::string hour;
    for (const char c : format_iso8601(start).substr(0, 13)) {
      if (c >= '0' && c <= '9') hour += c;
    }
    const std::string object = compress(lines);
    archive::Batch entry;
    entry.id = archive::batch_id(batch.source, hour, stream, seal.first, seal.last);
    entry.source = batch.source;
    entry.hour = hour;
    entry.uri = archive::batch_uri("leat", batch.source, hour, stream, seal.first, seal.last);
    entry.events = batch.events.size();
    entry.raw_bytes = lines.size();
    entry.object_bytes = object.size();
    entry.sha256 = to_hex(sha256(object));
    LEAT_CHECK(store_.put(entry.uri, object).has_value());
    seal.events += entry.events;
    ids.push_back(entry.id);
    seal.batches.push_back(std::move(entry));
  }
  LEAT_CHECK(store_.put(archive::stream_uri("leat", stream), R"({"first":1})").has_value());
  LEAT_CHECK(store_.put(archive::seal_uri("leat", stream, seal.first), archive::format_seal(seal))
                 .has_value());
  return ids;
}

std::string track(std::string_view id, std::string_view event, std::string_view properties,
                  std::string_view user) {
  return fmt::format(R"({{"type":"track","messageId":{},"userId":{},"event":{},"properties":{}}})",
                     json_string(id), json_string(user), json_string(event), properties);
}

std::string identify(std::string_view id, std::string_view user, std::string_view traits) {
  return fmt::format(R"({{"type":"identify","messageId":{},"userId":{},"traits":{}}})",
                     json_string(id), json_string(user), traits);
}

std::string page(std::string_view id, std::string_view name) {
  return fmt::format(R"({{"type":"page","messageId":{},"anonymousId":"a1","name":{}}})",
                     json_string(id), json_string(name));
}

}  // namespace leat::load_test
