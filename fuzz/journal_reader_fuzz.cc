// A segment file with any bytes: inspecting it, and opening and reading a journal that has it, must
// end in records or a clear error, never in a crash, and never in records that are not there in
// order.
//
// The first byte chooses what is repaired before, so that the fuzzer gets behind the checksums:
//   1: the segment header's checksum   2: nonce, sequence and checksum of commits   4: checksums of
//   frames and digests
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/clock.h"
#include "base/digest.h"
#include "base/random.h"
#include "io/faulty_file_system.h"
#include "pipeline/journal/format.h"
#include "pipeline/journal/inspect.h"
#include "pipeline/journal/journal.h"

namespace {

using namespace leat;           // NOLINT(google-build-using-namespace): a program of one file
using namespace leat::journal;  // NOLINT(google-build-using-namespace)

constexpr std::size_t kSegmentBytes = 64 << 10;
constexpr std::size_t kHeaderBytes = 128;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

template <class T>
T get(const std::string& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <class T>
void put(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

void repair_frames(std::string& file, std::size_t commit) {
  const auto records = get<std::uint32_t>(file, commit + 24);
  std::size_t at = commit + kCommitHeaderBytes;
  std::uint32_t digest = 0;
  for (std::uint32_t i = 0; i < records && at + kFrameHeaderBytes <= file.size(); ++i) {
    const auto size = get<std::uint32_t>(file, at + 4);
    if (size < kFrameHeaderBytes || size > file.size() - at) {
      return;
    }
    const std::uint32_t checksum = crc32c(std::string_view(file).substr(at + 4, size - 4));
    put(file, at, checksum);
    digest = extend_digest(digest, checksum);
    at += size;
  }
  put(file, commit + 36, digest);
}

void repair(std::string& file, std::uint8_t what) {
  if ((what & 1U) != 0) {
    put(file, kHeaderBytes - 4, crc32c(std::string_view(file).substr(0, kHeaderBytes - 4)));
  }
  for (std::size_t at = kBlock; at + kBlock <= file.size(); at += kBlock) {
    const bool looks_used = get<std::uint32_t>(file, at + 48) != 0;  // its number
    if ((what & 4U) != 0 && looks_used) {
      repair_frames(file, at);
    }
    if ((what & 2U) != 0 && looks_used) {
      put(file, at, get<std::uint64_t>(file, 16));
      put(file, at + 8, get<std::uint64_t>(file, 24));
      put(file, at + 60, crc32c(std::string_view(file).substr(at, kCommitHeaderBytes - 4)));
    }
  }
}

void read_all(Journal& journal) {
  const ShardStatus status = journal.status(0);
  Reader reader(journal, 0, status.oldest);
  Record record;
  std::uint64_t expected = status.oldest.value;
  while (true) {
    const auto more = reader.next(record);
    // recover() has checked the newest segment; older ones are only checked here.
    if (!more || !*more) {
      require(more.has_value() || more.error().code == Errc::kCorrupt);
      break;
    }
    require(record.offset.value == expected);
    ++expected;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) {
    return 0;
  }
  std::string file(reinterpret_cast<const char*>(data + 1), size - 1);
  file.resize(std::max<std::size_t>(round_up_to_block(file.size()), kSegmentBytes));
  repair(file, data[0]);

  io::FaultyFileSystem files;
  require(files.make_directories("/j/shard-0000").has_value());
  files.set_content("/j/shard-0000/segment-000001.log", file);
  std::string id = file.substr(72, kJournalIdBytes);
  files.set_content("/j/journal.json", "{\"leat_journal\":1,\"id\":\"" + id + "\"}\n");
  const auto report = inspect_segment(files, "/j/shard-0000/segment-000001.log");
  if (report) {
    require(!to_text(*report).empty() && !to_json(*report).empty());
  }

  SeededRandom random(1);
  const FakeClock clock{TimeUs{0}};
  auto journal = Journal::open({.files = &files,
                                .directory = "/j",
                                .segment_bytes = kSegmentBytes,
                                .buffer_bytes = 16 << 10,
                                .background = false,
                                .clock = &clock,
                                .random = &random});
  if (!journal) {
    return 0;
  }
  read_all(**journal);
  // Whatever it was, the journal goes on behind it, and a restart finds what was added.
  const auto offset =
      (*journal)->shard(0).append({.source = "s", .received_at = {}, .event_count = 1}, "{}\n");
  if (offset) {
    (*journal)->run_once();
    require((*journal)->durable(0) == *offset);
    read_all(**journal);
  }
  return 0;
}
