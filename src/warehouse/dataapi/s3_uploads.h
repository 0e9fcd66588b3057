// Multipart uploads under way: the parts wait as files until they are put together. Nothing of them
// outlives the process, so nothing is synced.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace leat {
class Clock;
class Random;
namespace aws {
struct UploadedPart;
}
namespace io {
class FileSystem;
}
}  // namespace leat

namespace leat::dataapi {

/// Any thread.
class S3Uploads {
 public:
  struct Options {
    io::FileSystem* files = nullptr;  ///< Null: the machine's.
    std::string directory{};          ///< Emptied at the start.
    const Clock* clock = nullptr;     ///< Null: the machine's.
    Random* random = nullptr;         ///< Null: the operating system's.
    std::size_t uploads_max = 1000;
    std::uint64_t bytes_max = std::uint64_t{8} << 30;  ///< Of all parts together.
    std::int64_t abandoned_us = 24 * kUsPerHour;       ///< Unfinished ones go after this.
  };
  struct Part {
    int number = 0;
    std::string etag{};  ///< MD5, hexadecimal.
    std::uint64_t size = 0;
    TimeUs modified{};
    std::string path{};
  };
  struct Upload {
    std::string id{};
    std::string bucket{};
    std::string key{};
    TimeUs started{};
    std::map<int, Part> parts{};
  };

  /// Errors: those of the file system.
  [[nodiscard]] static Result<std::unique_ptr<S3Uploads>> open(Options options);
  ~S3Uploads();
  S3Uploads(const S3Uploads&) = delete;
  S3Uploads& operator=(const S3Uploads&) = delete;

  /// kExhausted: too many.
  [[nodiscard]] Result<std::string> begin(std::string_view bucket, std::string_view key);
  /// The part's ETag. Replaces a part of that number. kNotFound: no such upload. kExhausted: full.
  [[nodiscard]] Result<std::string> put(std::string_view id, std::string_view bucket,
                                        std::string_view key, int number, std::string_view bytes);
  /// kNotFound.
  [[nodiscard]] Result<Upload> find(std::string_view id, std::string_view bucket,
                                    std::string_view key) const;
  [[nodiscard]] std::vector<Upload> list(std::string_view bucket) const;
  /// The bytes of `parts`, in order. kInvalid: a part is not there or has another ETag. kExhausted:
  /// more than `bytes_max`.
  [[nodiscard]] Result<std::string> join(const Upload& upload,
                                         std::span<const aws::UploadedPart> parts,
                                         std::uint64_t bytes_max) const;
  /// Forgets the upload and its parts. kNotFound.
  [[nodiscard]] Status remove(std::string_view id, std::string_view bucket, std::string_view key);

 private:
  explicit S3Uploads(Options options);
  using Uploads = std::map<std::string, Upload, std::less<>>;
  [[nodiscard]] Result<Uploads::const_iterator> find_locked(std::string_view id,
                                                            std::string_view bucket,
                                                            std::string_view key) const;
  void drop_parts(const Upload& upload);
  void drop_abandoned();
  [[nodiscard]] Status write(const Part& part, std::string_view bytes);

  Options options_;
  const Clock& clock_;
  Random& random_;
  mutable std::mutex mutex_;  // guards all below
  Uploads uploads_;
  std::uint64_t bytes_ = 0;
  std::uint64_t next_file_ = 1;
};

}  // namespace leat::dataapi
