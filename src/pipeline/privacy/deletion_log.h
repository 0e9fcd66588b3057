// What is under way of one deletion: a file of JSON lines that only grows, each durable before what
// it announces is done. The first line holds the request with the person's id, so the file goes
// when the deletion is done. docs/formats/privacy.md.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "io/file_system.h"
#include "pipeline/event/person.h"
#include "pipeline/privacy/regulation.h"

namespace leat::privacy {

/// A deletion's request.
struct DeletionRequest {
  std::string id;
  RegulationType type = RegulationType::kDeleteOnly;
  event::Person person;
  std::string source{};  ///< Empty: all.
  bool is_dry = false;
  TimeUs requested_at{};
};

/// One thread.
class DeletionLog {
 public:
  /// Makes the file, durable when it returns.
  [[nodiscard]] static Result<std::unique_ptr<DeletionLog>> create(io::FileSystem& files,
                                                                   const std::string& path,
                                                                   const DeletionRequest& request);
  /// Reads what there is; a line that a crash cut off is none. kCorrupt.
  [[nodiscard]] static Result<std::unique_ptr<DeletionLog>> open(io::FileSystem& files,
                                                                 const std::string& path);

  [[nodiscard]] const DeletionRequest& request() const { return request_; }
  /// By batch id; announced, and perhaps done.
  [[nodiscard]] const std::map<std::string, RewrittenObject>& objects() const { return objects_; }
  /// Announces an object. Durable when it returns.
  [[nodiscard]] Status add(const RewrittenObject& object);

 private:
  DeletionLog() = default;
  [[nodiscard]] Status append(const std::string& line);

  std::unique_ptr<io::File> file_;
  std::uint64_t end_ = 0;
  DeletionRequest request_;
  std::map<std::string, RewrittenObject> objects_;
};

}  // namespace leat::privacy
