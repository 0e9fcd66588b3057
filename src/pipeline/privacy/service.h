// Takes requests about persons, does them one after the other in a thread of its own, and keeps
// the list of suppressions fresh for the collector.
//
// INITIALIZED -> RUNNING -> FINISHED or FAILED. A deletion is a file before it is answered; one
// that a process did not finish goes on when the next one starts. What passes by itself (a store or
// a warehouse that is away) is tried again for some minutes; after that the same request goes on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "io/file_system.h"
#include "io/object_store.h"
#include "pipeline/event/suppression.h"
#include "pipeline/privacy/deletion.h"
#include "pipeline/privacy/regulation.h"

namespace leat::privacy {

struct ServiceOptions {
  std::string directory;            ///< For logs and reports; made when missing.
  io::FileSystem* files = nullptr;  ///< Borrowed; posix_file_system() when null.
  Random* random = &secure_random();
  /// Without a connect function only suppressions are taken, no deletions.
  DeletionOptions deletion;
  /// Overwrites what the journal has sealed, and returns how many bytes; may be empty where there
  /// is no journal.
  std::function<Result<std::uint64_t>()> erase_journal;
  /// How often the list is read anew: other processes change it too.
  std::int64_t refresh_us = 30'000'000;
  /// Pause before a failed deletion is tried again, and how often it is.
  std::int64_t retry_us = 15'000'000;
  int tries_max = 8;
};

struct Request {
  RegulationType type = RegulationType::kDeleteOnly;
  event::Person person;
  std::string source{};  ///< Empty: all.
  bool is_dry = false;
};

/// Any thread.
class Service {
 public:
  /// Reads the list (from the store, or the last copy when the store is away) and what is
  /// unfinished; starts the thread. Errors: those of the file system; kCorrupt.
  [[nodiscard]] static Result<std::unique_ptr<Service>> open(ServiceOptions options);
  /// Stops; a running deletion goes on with the next process.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  void stop();

  /// Suppressions are done when it returns, deletions begun. A deletion of the same person and
  /// source that is not over is answered with itself, and tried again when it had failed. Errors:
  /// kNotFound (source), kUnsupported (no destination here), those of the store.
  [[nodiscard]] Result<Regulation> submit(const Request& request);
  /// The newest first.
  [[nodiscard]] std::vector<Regulation> regulations() const;
  [[nodiscard]] std::vector<event::Suppression> suppressions() const;

  /// For the collector.
  [[nodiscard]] const event::SuppressionFeed& feed() const;

 private:
  struct Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// s3://<bucket>/privacy/suppressions.json
[[nodiscard]] std::string suppressions_uri(std::string_view bucket);

}  // namespace leat::privacy
