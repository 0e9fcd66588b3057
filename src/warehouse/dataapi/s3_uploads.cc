#include "warehouse/dataapi/s3_uploads.h"

#include <fmt/format.h>

#include "aws/xml.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/random.h"
#include "io/file_system.h"

namespace leat::dataapi {
namespace {

constexpr std::size_t kIdLength = 40;

Status remove_files(io::FileSystem& files, const std::string& directory) {
  LEAT_ASSIGN(const auto entries, files.list(directory));
  for (const io::DirectoryEntry& entry : entries) {
    if (!entry.directory) LEAT_TRY(files.remove(directory + "/" + entry.name));
  }
  return {};
}

}  // namespace

S3Uploads::S3Uploads(Options options)
    : options_(std::move(options)),
      clock_(options_.clock == nullptr ? system_clock() : *options_.clock),
      random_(options_.random == nullptr ? secure_random() : *options_.random) {
  if (options_.files == nullptr) options_.files = &io::posix_file_system();
}

S3Uploads::~S3Uploads() = default;

Result<std::unique_ptr<S3Uploads>> S3Uploads::open(Options options) {
  std::unique_ptr<S3Uploads> uploads(new S3Uploads(std::move(options)));
  io::FileSystem& files = *uploads->options_.files;
  const std::string& directory = uploads->options_.directory;
  LEAT_TRY(files.make_directories(directory));
  LEAT_TRY(remove_files(files, directory));
  return uploads;
}

void S3Uploads::drop_parts(const Upload& upload) {
  for (const auto& [number, part] : upload.parts) {
    bytes_ -= part.size;
    if (const Status removed = options_.files->remove(part.path); !removed) {
      log::warning("data_api", "the part of an upload stays until the next start: {}",
                   removed.error().to_string());
    }
  }
}

void S3Uploads::drop_abandoned() {
  const std::int64_t oldest = clock_.now().value - options_.abandoned_us;
  for (auto at = uploads_.begin(); at != uploads_.end();) {
    if (at->second.started.value > oldest) {
      ++at;
      continue;
    }
    drop_parts(at->second);
    at = uploads_.erase(at);
  }
}

Result<S3Uploads::Uploads::const_iterator> S3Uploads::find_locked(std::string_view id,
                                                                  std::string_view bucket,
                                                                  std::string_view key) const {
  const auto found = uploads_.find(id);
  if (found == uploads_.end() || found->second.bucket != bucket || found->second.key != key) {
    return fail(Errc::kNotFound, "no such upload");
  }
  return found;
}

Result<std::string> S3Uploads::begin(std::string_view bucket, std::string_view key) {
  const std::lock_guard lock(mutex_);
  drop_abandoned();
  if (uploads_.size() >= options_.uploads_max) {
    return fail(Errc::kExhausted,
                fmt::format("more than {} multipart uploads are open", options_.uploads_max));
  }
  Upload upload;
  upload.id = random_token(random_, kIdLength);
  upload.bucket = bucket;
  upload.key = key;
  upload.started = clock_.now();
  std::string id = upload.id;
  uploads_.emplace(id, std::move(upload));
  return id;
}

Status S3Uploads::write(const Part& part, std::string_view bytes) {
  LEAT_ASSIGN(const auto file, options_.files->open(part.path, {.write = true, .create = true}));
  LEAT_TRY(file->pwrite(bytes, 0));
  return file->close();
}

Result<std::string> S3Uploads::put(std::string_view id, std::string_view bucket,
                                   std::string_view key, int number, std::string_view bytes) {
  Upload written;  // what takes the part's place in the books when it cannot be kept
  Part& part = written.parts[number];
  part.number = number;
  part.etag = to_hex(md5(bytes));
  part.size = bytes.size();
  {
    const std::lock_guard lock(mutex_);
    LEAT_TRY(find_locked(id, bucket, key));
    if (bytes_ + bytes.size() > options_.bytes_max) {
      return fail(Errc::kExhausted, "the parts of all open uploads fill their limit");
    }
    bytes_ += bytes.size();
    part.path = fmt::format("{}/{}", options_.directory, next_file_++);
    part.modified = clock_.now();
  }
  const Status stored = write(part, bytes);
  const std::lock_guard lock(mutex_);
  const auto found = find_locked(id, bucket, key);
  if (!stored || !found) {
    drop_parts(written);
    return std::unexpected(stored ? found.error() : stored.error());
  }
  Part& place = uploads_.find(id)->second.parts[number];
  std::string etag = part.etag;
  std::swap(place, part);
  // What was there before; nothing when its path is empty.
  if (part.path.empty()) written.parts.clear();
  drop_parts(written);
  return etag;
}

Result<S3Uploads::Upload> S3Uploads::find(std::string_view id, std::string_view bucket,
                                          std::string_view key) const {
  const std::lock_guard lock(mutex_);
  LEAT_ASSIGN(const auto found, find_locked(id, bucket, key));
  return found->second;
}

std::vector<S3Uploads::Upload> S3Uploads::list(std::string_view bucket) const {
  const std::lock_guard lock(mutex_);
  std::vector<Upload> all;
  for (const auto& [id, upload] : uploads_) {
    if (upload.bucket == bucket) all.push_back(upload);
  }
  return all;
}

Result<std::string> S3Uploads::join(const Upload& upload, std::span<const aws::UploadedPart> parts,
                                    std::uint64_t bytes_max) const {
  std::uint64_t total = 0;
  for (const aws::UploadedPart& wanted : parts) {
    const auto found = upload.parts.find(wanted.number);
    if (found == upload.parts.end() || found->second.etag != wanted.etag) {
      return fail(Errc::kInvalid, fmt::format("part {} is not there", wanted.number));
    }
    total += found->second.size;
  }
  if (total > bytes_max) {
    return fail(Errc::kExhausted, fmt::format("the object has {} bytes; at most {} are put "
                                              "together here",
                                              total, bytes_max));
  }
  std::string all(static_cast<std::size_t>(total), '\0');
  std::size_t at = 0;
  for (const aws::UploadedPart& wanted : parts) {
    const Part& part = upload.parts.at(wanted.number);
    LEAT_ASSIGN(const auto file, options_.files->open(part.path, {}));
    LEAT_ASSIGN(const std::size_t got, file->pread({all.data() + at, part.size}, 0));
    if (got != part.size) return fail(Errc::kCorrupt, "the file of a part ends too early");
    at += part.size;
  }
  return all;
}

Status S3Uploads::remove(std::string_view id, std::string_view bucket, std::string_view key) {
  const std::lock_guard lock(mutex_);
  LEAT_ASSIGN(const auto found, find_locked(id, bucket, key));
  drop_parts(found->second);
  uploads_.erase(found);
  return {};
}

}  // namespace leat::dataapi
