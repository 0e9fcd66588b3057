#include "pipeline/load/staging.h"

#include <fmt/format.h>

#include "base/log.h"
#include "io/object_store.h"
#include "pipeline/load/load_sql.h"

namespace leat::load {
namespace {

constexpr std::int64_t kLeftoverAgeUs = kUsPerDay;

std::string staging_prefix(std::string_view bucket, std::string_view schema) {
  return fmt::format("s3://{}/staging/{}/", bucket, schema);
}

}  // namespace

Staging::Staging(io::ObjectStore& store, std::string_view bucket, std::string_view schema,
                 std::string_view sync_id, std::int64_t part)
    : store_(store),
      prefix_(fmt::format("{}{}-{}/", staging_prefix(bucket, schema), sync_id, part)) {}

Staging::~Staging() {
  if (auto removed = store_.remove_all(written_); !removed) {
    log::warning("load", "cannot remove the staged files below {}: {}; it is tried again in a day",
                 prefix_, removed.error().message);
  }
}

Result<std::string> Staging::write(std::string_view table, std::string_view parquet) {
  const auto put = [this](const std::string& uri, std::string_view bytes) -> Status {
    written_.push_back(uri);
    // After a crash they are not looked at again.
    if (auto info = store_.put(uri, bytes, {.durable = false}); !info) {
      return fail(info.error().code,
                  fmt::format("cannot write the staged file {}: {}", uri, info.error().message));
    }
    return {};
  };
  const std::string uri = fmt::format("{}{}.parquet", prefix_, table);
  std::string manifest_uri = fmt::format("{}{}.manifest", prefix_, table);
  LEAT_TRY(put(uri, parquet));
  LEAT_TRY(put(manifest_uri, manifest_json(uri, static_cast<std::int64_t>(parquet.size()))));
  bytes_ += static_cast<std::int64_t>(parquet.size());
  return manifest_uri;
}

Result<std::size_t> remove_staged(io::ObjectStore& store, std::string_view bucket,
                                  std::string_view schema, TimeUs before) {
  std::size_t removed = 0;
  io::ListOptions options;
  while (true) {
    LEAT_ASSIGN(const io::ListPage page, store.list(staging_prefix(bucket, schema), options));
    std::vector<std::string> old;
    for (const io::ObjectInfo& object : page.objects) {
      if (object.modified.value < before.value) old.push_back(object.uri);
    }
    LEAT_TRY(store.remove_all(old));
    removed += old.size();
    if (!page.truncated || page.objects.empty()) return removed;
    options.start_after = page.objects.back().uri;
  }
}

Result<std::size_t> remove_leftovers(io::ObjectStore& store, std::string_view bucket,
                                     std::string_view schema, TimeUs now) {
  return remove_staged(store, bucket, schema, TimeUs{now.value - kLeftoverAgeUs});
}

}  // namespace leat::load
