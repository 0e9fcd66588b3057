// Takes a person's events out of sealed batches. A batch stays the batch it was: its id, the number
// of its lines and the place of every other line; so ledger, rescue table and replays that name it
// stay right, and its books balance with the event counted as deleted.
//
// The new object gets a name of its own and is whole, and read back, before the seal names it; the
// seal is the commit point, as it is when a batch is made; then the object of before goes. A crash
// between any two steps leaves either the old batch or the new one, and the next redaction of the
// seal removes what was left behind.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/object_store.h"
#include "pipeline/archive/archive.h"
#include "pipeline/archive/compressor.h"
#include "pipeline/event/person.h"

namespace leat::archive {

/// One batch before and after its redaction, and the object to be.
struct RedactedBatch {
  Batch before;
  Batch after;
  std::string sha256_before;  ///< Of the object of before, whatever its seal says of it.
  std::string object;
  std::vector<std::uint64_t> places;  ///< Of the lines that are gone, from 1.
};

/// What redacting one seal comes to.
struct SealRedaction {
  Seal after;
  std::vector<RedactedBatch> batches;  ///< Those that hold events of the person.
  std::uint64_t objects_read = 0;
  std::uint64_t events_read = 0;
};

/// One thread at a time, and one process at a time for an archive: seals are read, changed and
/// written back.
class Redactor {
 public:
  using WantsSource = std::function<bool(std::string_view source)>;

  /// `store` is borrowed.
  Redactor(io::ObjectStore& store, std::string bucket);

  /// Reads the seal's batches of the wanted sources and makes the objects without the person's
  /// events. Writes nothing; holds the new objects in memory. Errors: those of Archive::read.
  [[nodiscard]] Result<SealRedaction> plan(const Seal& seal, const event::Person& person,
                                           const WantsSource& wants);
  /// Puts the objects, then the seal, then removes the objects of before. May be called again after
  /// any error or crash, with a new plan. kAborted when the seal is not what was planned from.
  [[nodiscard]] Status apply(const SealRedaction& redaction);
  /// Removes the object that a batch had before its last redaction, should a crash have left it.
  [[nodiscard]] Status clean(const Batch& batch);

 private:
  [[nodiscard]] Result<std::string> sha256_of(const Batch& batch);

  io::ObjectStore& store_;
  std::string bucket_;
  Archive archive_;
  Compressor compressor_;
};

}  // namespace leat::archive
