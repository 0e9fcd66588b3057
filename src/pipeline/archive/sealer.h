// Moves the journal into the archive: takes durable records, writes one object per source and hour,
// publishes the seal, then lets the journal reuse the space.
//
// The range of a seal is fixed in an intent file, durable before the first object is written; so a
// crash at any point is followed by the same objects under the same names. Every state and its next
// step:
//   intent file names a range whose seal exists     -> the range is done; the next one starts
//   behind it intent file names a range without a seal        -> write its objects (again), then
//   its seal no intent file                                  -> the stream starts at record 1
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "io/file_system.h"
#include "io/object_store.h"
#include "pipeline/archive/archive.h"
#include "pipeline/journal/journal.h"

namespace leat::archive {

struct SealerOptions {
  journal::Journal* journal = nullptr;  ///< Borrowed.
  io::ObjectStore* store = nullptr;     ///< Borrowed.
  std::string bucket;
  std::string state_directory;  ///< For the intent files, beside the journal; made when missing.
  io::FileSystem* files = nullptr;         ///< Borrowed; posix_file_system() when null.
  std::int64_t seal_every_us = 5'000'000;  ///< Seal this long after the first unsealed record ...
  std::uint64_t seal_bytes_max =
      std::uint64_t{64} << 20;  ///< ... or at this many bytes of lines; also the memory bound.
  std::int64_t retry_us_max =
      30'000'000;                ///< Longest pause after failures; the first is 250 ms, doubling.
  const Clock* clock = nullptr;  ///< Borrowed; system_clock() when null.
  metrics::Registry* metrics = nullptr;  ///< Borrowed; none when null.
};

/// What an operator sees of one stream.
struct StreamStatus {
  std::string stream;
  journal::Offset durable;          ///< Last record in the journal.
  journal::Offset sealed;           ///< Last record in the archive.
  std::uint64_t sealed_events = 0;  ///< Since open().
  std::uint64_t sealed_bytes = 0;   ///< Of lines, since open().
  std::string error;                ///< Why the last try failed; empty when it did not.
};

/// Either start() runs it in a thread, or the owner calls step(). Not both.
class Sealer {
 public:
  /// Reads the intent files; registers nothing and writes no object yet.
  [[nodiscard]] static Result<std::unique_ptr<Sealer>> open(SealerOptions options);
  /// Stops the thread. An unfinished seal is finished by the next run.
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  void start();
  /// Ends the thread after the seal it is writing. Any thread.
  void stop();

  /// One round over all streams: seals what is due (everything durable when `all`). Goes on with
  /// the other streams when one fails; the first error is returned and kept in status().
  [[nodiscard]] Status step(bool all = false);

  /// Seals everything that is durable now and waits for it, at most `timeout_us`. Any thread; with
  /// or without start(). kUnavailable at the deadline, naming the last error.
  [[nodiscard]] Status seal_now(std::int64_t timeout_us);

  /// Any thread.
  [[nodiscard]] std::vector<StreamStatus> status() const;

 private:
  struct Impl;
  explicit Sealer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::archive
