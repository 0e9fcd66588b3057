// The archive: every event ever received, as compressed objects that ordinary tools read. It is the
// truth; everything after it can be thrown away and rebuilt. Under s3://<bucket>/ there are
//
//   raw/source=<name>/date=YYYY-MM-DD/hour=HH/<stream>-<first>-<last>.ndjson.zst
//       the events of one batch; .r<N>.ndjson.zst after a person's events were taken out of it
//   seals/<stream>/<first>.json
//       what the journal records first..last became: the commit point
//   streams/<stream>.json
//       that the stream exists
//
// A stream is one journal shard ("<journal id>-<shard>"); first and last are journal offsets, 20
// digits. Seals of a stream follow each other without gap or overlap, so each record is in exactly
// one seal. A raw object without a seal is a half-made one and no batch. Bytes:
// docs/formats/archive.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "io/object_store.h"
#include "pipeline/journal/journal.h"

namespace leat::archive {

/// One sealed object: the events of one source received in one hour, from one seal. Its id, its
/// lines' number and their order never change; what a line holds only by a redaction.
struct Batch {
  std::string
      id;  ///< "<source>/<hour>/<stream>-<first>-<last>", unique for ever; the ledger's key.
  std::string source;
  std::string hour;  ///< UTC hour of received_at: "2026112014".
  std::string uri;
  std::uint64_t events = 0;        ///< Lines.
  std::uint64_t deleted = 0;       ///< Of them, those whose event was taken out since.
  std::uint64_t raw_bytes = 0;     ///< Of the lines.
  std::uint64_t object_bytes = 0;  ///< Of the compressed object.
  /// Of the compressed object, hexadecimal; one of the two. What is sealed has an XXH128; redacted
  /// objects, and those of seals of version 1, a SHA-256.
  std::string xxh128{};
  std::string sha256{};
  bool operator==(const Batch&) const = default;
};

/// What a range of one stream became. `events` is counted from the journal, so that it can be held
/// against the batches.
struct Seal {
  std::string stream;
  journal::Offset first;
  journal::Offset last;
  std::uint64_t events = 0;
  std::vector<Batch> batches;  ///< Ordered by source, then hour.
  bool operator==(const Seal&) const = default;
};

/// Last record seen per stream; a stream that is missing has not been read yet.
using Positions = std::map<std::string, journal::Offset>;

/// Reads an archive. Any thread. Errors: those of the store; kCorrupt when an object is not what
/// its seal says.
class Archive {
 public:
  /// `store` is borrowed.
  Archive(io::ObjectStore& store, std::string bucket);

  /// Names of all streams, ordered. One listing; its cost grows with the number of streams only.
  [[nodiscard]] Result<std::vector<std::string>> streams() const;
  /// Seals after `positions`, at most `limit`: in order within a stream, stream after stream.
  /// Advance the position of a stream to the `last` of each seal taken. Empty: nothing new. Costs
  /// one read per seal returned plus one per stream, whatever the archive holds.
  [[nodiscard]] Result<std::vector<Seal>> list_after(const Positions& positions,
                                                     std::size_t limit) const;
  /// The batch of that id as its seal has it. kInvalid (not an id), kNotFound.
  [[nodiscard]] Result<Batch> find_batch(std::string_view id) const;
  /// Batches of `source` received in hours that touch [from, to), ordered by hour, then stream and
  /// offset: for replay.
  [[nodiscard]] Result<std::vector<Batch>> batches_between(std::string_view source, TimeUs from,
                                                           TimeUs to) const;
  /// The lines of a batch, decompressed; size and digests are checked (kCorrupt), not the number of
  /// lines, which who loads them holds against the seal's. A batch that was redacted since `batch`
  /// was read from its seal is read as it is now.
  [[nodiscard]] Result<std::string> read(const Batch& batch) const;

 private:
  [[nodiscard]] Result<std::string> read_object(const Batch& batch) const;
  [[nodiscard]] Result<std::optional<Seal>> seal_at(const std::string& stream,
                                                    journal::Offset first) const;
  [[nodiscard]] Result<journal::Offset> first_of(const std::string& stream) const;

  io::ObjectStore& store_;
  std::string bucket_;
};

/// Names of the archive's objects. Pure; any thread.
[[nodiscard]] std::string seal_uri(std::string_view bucket, std::string_view stream,
                                   journal::Offset first);
[[nodiscard]] std::string stream_uri(std::string_view bucket, std::string_view stream);
[[nodiscard]] std::string batch_uri(std::string_view bucket, std::string_view source,
                                    std::string_view hour, std::string_view stream,
                                    journal::Offset first, journal::Offset last);
[[nodiscard]] std::string batch_id(std::string_view source, std::string_view hour,
                                   std::string_view stream, journal::Offset first,
                                   journal::Offset last);

/// Whether these are the bytes of the object that `batch` describes. Pure; any thread.
[[nodiscard]] bool is_object_of(const Batch& batch, std::string_view bytes);

/// The seal object's text, and back (kCorrupt). Pure; any thread.
[[nodiscard]] std::string format_seal(const Seal& seal);
[[nodiscard]] Result<Seal> parse_seal(std::string_view text);

}  // namespace leat::archive
