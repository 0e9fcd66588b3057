#include "pipeline/archive/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "base/clock.h"
#include "base/digest.h"
#include "base/random.h"
#include "base/text.h"
#include "io/directory_object_store.h"
#include "io/faulty_file_system.h"
#include "pipeline/archive/inspect.h"
#include "pipeline/archive/names.h"
#include "pipeline/archive/sealer.h"

namespace leat::archive {
namespace {

using journal::Offset;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kTimeout = 20 * kUsPerSecond;

// Remembers what was put, over all lives: an object written twice must be the same bytes.
class RecordingStore final : public io::ObjectStore {
 public:
  RecordingStore(io::ObjectStore& store, std::map<std::string, std::string>& digests)
      : store_(store), digests_(digests) {}
  Result<io::ObjectInfo> put(std::string_view uri, std::string_view bytes,
                             io::PutOptions options) override {
    const std::string digest = to_hex(sha256(bytes));
    const auto [seen, added] = digests_.try_emplace(std::string(uri), digest);
    EXPECT_EQ(seen->second, digest) << uri << " was written twice with different bytes";
    return store_.put(uri, bytes, options);
  }
  Result<std::string> get(std::string_view uri, std::uint64_t bytes_max) override {
    return store_.get(uri, bytes_max);
  }
  Result<std::string> get_range(std::string_view uri, std::uint64_t offset,
                                std::uint64_t length) override {
    return store_.get_range(uri, offset, length);
  }
  Result<io::ObjectInfo> head(std::string_view uri) override { return store_.head(uri); }
  Result<io::ListPage> list(std::string_view prefix, const io::ListOptions& options) override {
    return store_.list(prefix, options);
  }
  Status remove(std::string_view uri) override { return store_.remove(uri); }

 private:
  io::ObjectStore& store_;
  std::map<std::string, std::string>& digests_;
};

class World {
 public:
  explicit World(std::uint64_t seed = 1) : random(seed) {}

  Status open() {
    journal::Options journal_options;
    journal_options.files = &files;
    journal_options.directory = "/data/journal";
    journal_options.shard_count = shards;
    journal_options.segment_bytes = 64 << 10;
    journal_options.buffer_bytes = 16 << 10;
    journal_options.disk_max = 64 << 20;
    journal_options.background = false;
    journal_options.clock = &clock;
    journal_options.random = &random;
    LEAT_ASSIGN(journal, journal::Journal::open(journal_options));
    LEAT_ASSIGN(directory_store,
                io::DirectoryObjectStore::open({.files = &files, .root = "/data/objects"}));
    store = std::make_unique<RecordingStore>(*directory_store, digests);
    archive = std::make_unique<Archive>(*store, "leat");
    LEAT_ASSIGN(sealer, Sealer::open(sealer_options()));
    return {};
  }

  SealerOptions sealer_options() {
    return {.journal = journal.get(),
            .store = store.get(),
            .bucket = "leat",
            .state_directory = "/data/archive",
            .files = &files,
            .seal_bytes_max = seal_bytes_max,
            .clock = &clock};
  }

  void drop() {
    sealer.reset();
    archive.reset();
    store.reset();
    directory_store.reset();
    journal.reset();
  }

  // Appends one record of `events` lines, each with a number of its own.
  void append(const std::string& source, int events = 1, std::size_t bytes = 60,
              std::size_t shard = 0) {
    std::string lines;
    std::set<std::uint64_t> numbers;
    for (int i = 0; i < events; ++i) {
      std::string line = "{\"n\":" + std::to_string(next_number) + ",\"source\":\"" + source + "\"";
      line.resize(std::max(line.size(), bytes), ' ');
      lines += line + "}\n";
      numbers.insert(next_number++);
    }
    const auto offset =
        journal->shard(shard).append({.source = source,
                                      .received_at = clock.now(),
                                      .event_count = static_cast<std::uint32_t>(events)},
                                     lines);
    if (offset) {
      buffered.emplace_back(shard, *offset, numbers);
    }
  }

  // Commits, and takes note of what is durable now.
  void commit() {
    journal->run_once();
    for (const auto& [shard, offset, numbers] : buffered) {
      if (offset <= journal->durable(shard)) {
        promised.insert(numbers.begin(), numbers.end());
      }
    }
    std::erase_if(buffered, [&](const auto& entry) {
      return std::get<1>(entry) <= journal->durable(std::get<0>(entry));
    });
  }

  // Every promised event is in exactly one batch; nothing is there twice; seals follow each other;
  // books balance.
  void verify() {
    const auto seals = archive->list_after({}, 100'000);
    ASSERT_TRUE(seals.has_value()) << seals.error().to_string();
    std::map<std::string, std::uint64_t> next;
    std::set<std::uint64_t> seen;
    std::set<std::string> ids;
    for (const Seal& seal : *seals) {
      const std::uint64_t expected = next.contains(seal.stream) ? next[seal.stream] : 1;
      EXPECT_EQ(seal.first.value, expected) << seal.stream;
      next[seal.stream] = seal.last.value + 1;
      for (const Batch& batch : seal.batches) {
        EXPECT_TRUE(ids.insert(batch.id).second) << batch.id;
        const auto lines = archive->read(batch);
        ASSERT_TRUE(lines.has_value()) << lines.error().to_string();
        for (const std::string_view line : split(*lines, '\n')) {
          if (line.empty()) {
            continue;
          }
          const auto number = parse_number<std::uint64_t>(line.substr(5, line.find(',') - 5));
          ASSERT_TRUE(number.has_value()) << line;
          EXPECT_TRUE(seen.insert(*number).second) << "event " << *number << " is in two batches";
          EXPECT_THAT(std::string(line), HasSubstr("\"source\":\"" + batch.source + "\""));
        }
      }
    }
    for (const std::uint64_t number : promised) {
      EXPECT_TRUE(seen.contains(number))
          << "event " << number << " was promised and is not in the archive";
      if (testing::Test::HasFailure()) {
        return;
      }
    }
    for (std::size_t shard = 0; shard < journal->readable_shard_count(); ++shard) {
      const std::string stream = journal->stream(shard);
      EXPECT_EQ(next.contains(stream) ? next[stream] : 1, journal->durable(shard).value + 1);
    }
  }

  io::FaultyFileSystem files;
  FakeClock clock{TimeUs{1'795'183'385'000'000}};  // 2026-11-20T14:03:05Z
  SeededRandom random;
  std::size_t shards = 1;
  std::uint64_t seal_bytes_max = 1 << 20;
  std::map<std::string, std::string> digests;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<io::DirectoryObjectStore> directory_store;
  std::unique_ptr<RecordingStore> store;
  std::unique_ptr<Archive> archive;
  std::unique_ptr<Sealer> sealer;
  std::vector<std::tuple<std::size_t, Offset, std::set<std::uint64_t>>> buffered;
  std::set<std::uint64_t> promised;
  std::uint64_t next_number = 1;
};

TEST(Sealer, GroupsBySourceAndHour) {
  World world;
  ASSERT_TRUE(world.open().has_value());
  world.append("web", 2);
  world.append("ios");
  world.clock.advance_us(kUsPerHour);
  world.append("web");
  world.commit();
  ASSERT_TRUE(world.sealer->step(true).has_value());
  const auto seals = world.archive->list_after({}, 10);
  ASSERT_TRUE(seals.has_value());
  ASSERT_EQ(seals->size(), 1u);
  const Seal& seal = seals->front();
  EXPECT_EQ(seal.events, 4u);
  ASSERT_EQ(seal.batches.size(), 3u);
  EXPECT_EQ(seal.batches[0].source, "ios");
  EXPECT_EQ(seal.batches[1].hour, "2026112014");
  EXPECT_EQ(seal.batches[1].events, 2u);
  EXPECT_EQ(seal.batches[2].hour, "2026112015");
  const std::string range = world.journal->stream(0) + "-00000000000000000001-00000000000000000003";
  EXPECT_EQ(seal.batches[1].uri,
            "s3://leat/raw/source=web/date=2026-11-20/hour=14/" + range + ".ndjson.zst");
  EXPECT_EQ(seal.batches[1].id, "web/2026112014/" + range);
  EXPECT_THAT(world.archive->streams().value(), ElementsAre(world.journal->stream(0)));
  world.verify();
  EXPECT_TRUE(world.archive->list_after({{seal.stream, seal.last}}, 10).value().empty());
  EXPECT_EQ(world.archive->find_batch(seal.batches[1].id).value(), seal.batches[1]);
  EXPECT_EQ(world.archive->find_batch("web/2026112013/" + range).error().code, Errc::kNotFound);
  EXPECT_EQ(world.archive->find_batch("web").error().code, Errc::kInvalid);
  EXPECT_EQ(world.sealer->status()[0].sealed.value, 3u);
}

TEST(Sealer, SealsWhenDue) {
  World world;
  ASSERT_TRUE(world.open().has_value());
  ASSERT_TRUE(world.sealer->step().has_value());
  world.append("web");
  world.commit();
  ASSERT_TRUE(world.sealer->step().has_value());
  EXPECT_EQ(world.sealer->status()[0].sealed.value, 0u) << "not due yet";
  world.clock.advance_us(5 * kUsPerSecond);
  ASSERT_TRUE(world.sealer->step().has_value());
  EXPECT_EQ(world.sealer->status()[0].sealed.value, 1u);
  EXPECT_EQ(world.archive->list_after({}, 10).value().size(), 1u);
  world.clock.advance_us(60 * kUsPerSecond);
  ASSERT_TRUE(world.sealer->step().has_value());
  EXPECT_EQ(world.archive->list_after({}, 10).value().size(), 1u) << "nothing new, nothing sealed";
}

TEST(Sealer, SplitsAtItsSizeAndSealsEarlyThen) {
  World world;
  world.seal_bytes_max = 10'000;
  ASSERT_TRUE(world.open().has_value());
  for (int i = 0; i < 30; ++i) {
    world.append("web", 1, 1000);
    world.commit();
  }
  world.append("web", 1, 12'000);
  world.commit();
  ASSERT_TRUE(world.sealer->step().has_value());
  const auto seals = world.archive->list_after({}, 100);
  ASSERT_TRUE(seals.has_value());
  EXPECT_EQ(seals->size(), 5u) << "three full ones, the rest, and the record larger than the limit";
  for (const Seal& seal : *seals) {
    EXPECT_TRUE(seal.batches[0].raw_bytes <= 10'000 || seal.first == seal.last);
  }
  EXPECT_EQ(world.archive->list_after({}, 2).value().size(), 2u);
  world.verify();
}

TEST(Sealer, ReleasesTheJournal) {
  World world;
  ASSERT_TRUE(world.open().has_value());
  std::uint64_t most = 0;
  for (int i = 0; i < 300; ++i) {
    world.append("web", 1, 5000);
    world.commit();
    if (i % 5 == 4) {
      ASSERT_TRUE(world.sealer->step(true).has_value());
    }
    most = std::max(most, world.journal->status(0).disk_bytes);
  }
  EXPECT_LE(most, 5u * (64 << 10));
  world.verify();
}

TEST(Sealer, KeepsRecordsWhileTheStoreIsAway) {
  World world;
  ASSERT_TRUE(world.open().has_value());
  world.files.set_fault([](io::FileOperation operation, const std::string& path,
                           std::uint64_t) -> std::optional<Error> {
    if (path.starts_with("/data/objects") && operation == io::FileOperation::kOpen) {
      return Error{Errc::kUnavailable, "the store is away"};
    }
    return std::nullopt;
  });
  for (int i = 0; i < 50; ++i) {
    world.append("web", 1, 3000);
    world.commit();
    EXPECT_FALSE(world.sealer->step(true).has_value());
  }
  EXPECT_THAT(world.sealer->status()[0].error, HasSubstr("away"));
  EXPECT_EQ(world.journal->status(0).oldest.value, 1u);
  world.files.clear_faults();
  ASSERT_TRUE(world.sealer->step(true).has_value());
  EXPECT_EQ(world.sealer->status()[0].error, "");
  world.verify();
}

TEST(Sealer, BacksOffAfterFailures) {
  World world;
  ASSERT_TRUE(world.open().has_value());
  world.append("web");
  world.commit();
  world.clock.advance_us(10 * kUsPerSecond);
  std::uint64_t tries = 0;
  world.files.set_fault(
      [&](io::FileOperation, const std::string& path, std::uint64_t) -> std::optional<Error> {
        if (path.starts_with("/data/archive")) {
          ++tries;
          return Error{Errc::kUnavailable, "no"};
        }
        return std::nullopt;
      });
  static_cast<void>(world.sealer->step());  // due from the next step on
  world.clock.advance_us(10 * kUsPerSecond);
  for (int i = 0; i < 600; ++i) {
    static_cast<void>(world.sealer->step());
    world.clock.advance_us(100'000);
  }
  EXPECT_GE(tries, 5u);
  EXPECT_LE(tries, 10u) << "0.25 s, 0.5 s, ... in one minute";
}

TEST(Sealer, RefusesAJournalOlderThanTheArchive) {
  World world;
  ASSERT_TRUE(world.open().has_value());
  world.append("web");
  world.append("web");
  world.commit();
  ASSERT_TRUE(world.sealer->step(true).has_value());
  world.drop();
  for (const std::string& path : world.files.paths()) {
    if (path.starts_with("/data/journal/shard")) {
      ASSERT_TRUE(world.files.remove(path).has_value());
    }
  }
  world.files.restart_process();
  EXPECT_EQ(world.open().error().code, Errc::kCorrupt);
}

TEST(Sealer, NoticesASecondCopyOfItsJournal) {
  World world;
  ASSERT_TRUE(world.open().has_value());
  world.append("web");
  world.append("web");
  world.commit();
  // The copy sealed record 1 alone; this one intends 1 to 2 and finds the other's seal after its
  // crash.
  Seal foreign{.stream = world.journal->stream(0),
               .first = Offset{1},
               .last = Offset{1},
               .events = 0,
               .batches = {}};
  world.files.set_fault(
      [](io::FileOperation, const std::string& path, std::uint64_t) -> std::optional<Error> {
        return path.starts_with("/data/objects") ? std::optional(Error{Errc::kUnavailable, "no"})
                                                 : std::nullopt;
      });
  EXPECT_FALSE(world.sealer->step(true).has_value());
  world.files.clear_faults();
  ASSERT_TRUE(
      world.directory_store->put(seal_uri("leat", foreign.stream, Offset{1}), format_seal(foreign))
          .has_value());
  EXPECT_EQ(world.sealer->step(true).error().code, Errc::kConflict);
}

TEST(Sealer, RunsInAThread) {
  World world;
  ASSERT_TRUE(world.open().has_value());
  world.append("web", 3);
  world.commit();
  world.sealer->start();
  ASSERT_TRUE(world.sealer->seal_now(kTimeout).has_value());
  EXPECT_EQ(world.archive->list_after({}, 10).value().size(), 1u);
  ASSERT_TRUE(world.sealer->seal_now(kTimeout).has_value());
  world.files.set_fault(
      [](io::FileOperation, const std::string& path, std::uint64_t) -> std::optional<Error> {
        return path.starts_with("/data/objects") ? std::optional(Error{Errc::kUnavailable, "gone"})
                                                 : std::nullopt;
      });
  world.append("web");
  world.commit();
  const Status late = world.sealer->seal_now(150'000);
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, Errc::kUnavailable);
  EXPECT_THAT(late.error().message, HasSubstr("gone"));
  world.files.clear_faults();
  ASSERT_TRUE(world.sealer->seal_now(kTimeout).has_value());
  world.sealer->stop();
  world.verify();
}

TEST(Archive, SeveralShardsAndJournals) {
  World world;
  world.shards = 3;
  ASSERT_TRUE(world.open().has_value());
  for (std::size_t shard = 0; shard < 3; ++shard) {
    world.append("web", 1, 60, shard);
  }
  world.commit();
  ASSERT_TRUE(world.sealer->step(true).has_value());
  EXPECT_EQ(world.archive->streams().value().size(), 3u);
  EXPECT_EQ(world.archive->list_after({}, 100).value().size(), 3u);
  world.verify();
}

TEST(Archive, FindsBatchesByTimeForReplay) {
  World world;
  ASSERT_TRUE(world.open().has_value());
  const TimeUs start = world.clock.now();
  for (int i = 0; i < 30; ++i) {
    world.append("web");
    world.append("ios");
    world.commit();
    ASSERT_TRUE(world.sealer->step(true).has_value());
    world.clock.advance_us(kUsPerHour);
  }
  const auto between = [&](std::int64_t from_hours, std::int64_t to_hours) {
    const auto batches =
        world.archive->batches_between("web", TimeUs{start.value + from_hours * kUsPerHour},
                                       TimeUs{start.value + to_hours * kUsPerHour});
    EXPECT_TRUE(batches.has_value());
    std::vector<std::string> hours;
    for (const Batch& batch : *batches) {
      EXPECT_EQ(batch.source, "web");
      hours.push_back(batch.hour);
    }
    return hours;
  };
  EXPECT_THAT(between(0, 1), ElementsAre("2026112014", "2026112015"))
      << "14:03 to 15:03 touches two hours";
  EXPECT_THAT(between(10, 10), ElementsAre());
  EXPECT_EQ(between(-1000, 1000).size(), 30u);
  EXPECT_EQ(between(9, 10).front(), "2026112023");
  EXPECT_EQ(between(100, 200).size(), 0u);
  EXPECT_EQ(world.archive->batches_between("android", start, TimeUs{start.value + kUsPerDay})
                .value()
                .size(),
            0u);
  // An object whose seal was never made is no batch.
  ASSERT_TRUE(world.directory_store
                  ->put(batch_uri("leat", "web", "2026112014", world.journal->stream(0),
                                  Offset{1000}, Offset{1001}),
                        "x")
                  .has_value());
  EXPECT_THAT(between(0, 1), ElementsAre("2026112014", "2026112015"));
}

TEST(Archive, DamagedObjectsAreCorrupt) {
  World world;
  ASSERT_TRUE(world.open().has_value());
  world.append("web", 20);
  world.commit();
  ASSERT_TRUE(world.sealer->step(true).has_value());
  const Batch batch = world.archive->list_after({}, 1).value()[0].batches[0];
  const std::string bytes = world.directory_store->get(batch.uri).value();
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 8);
    ASSERT_TRUE(world.directory_store->put(batch.uri, damaged).has_value());
    EXPECT_EQ(world.archive->read(batch).error().code, Errc::kCorrupt);
  }
  ASSERT_TRUE(world.directory_store->put(batch.uri, bytes.substr(0, bytes.size() - 1)).has_value());
  EXPECT_EQ(world.archive->read(batch).error().code, Errc::kCorrupt);
  ASSERT_TRUE(world.directory_store->remove(batch.uri).has_value());
  EXPECT_EQ(world.archive->read(batch).error().code, Errc::kNotFound);
  ASSERT_TRUE(world.directory_store->put(batch.uri, bytes).has_value());
  EXPECT_TRUE(world.archive->read(batch).has_value());
  Batch lying = batch;
  lying.raw_bytes += 1;
  EXPECT_TRUE(world.archive->read(lying).has_value()) << "the seal knows better";
  lying.id = "a batch of no seal";
  const auto read = world.archive->read(lying);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::kCorrupt);
}

TEST(Inspect, DescribesObjects) {
  World world;
  ASSERT_TRUE(world.open().has_value());
  world.append("web", 5, 300);
  world.commit();
  ASSERT_TRUE(world.sealer->step(true).has_value());
  const Batch batch = world.archive->list_after({}, 1).value()[0].batches[0];
  const std::string bytes = world.directory_store->get(batch.uri).value();
  const auto report = inspect_object(bytes);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->lines, 5u);
  EXPECT_EQ(report->raw_bytes, batch.raw_bytes);
  EXPECT_EQ(report->xxh128, batch.xxh128);
  EXPECT_EQ(report->sha256, to_hex(sha256(bytes)));
  EXPECT_EQ(report->problem, "");
  EXPECT_EQ(report->first_line.size(), 200u);
  EXPECT_THAT(to_text(*report), HasSubstr("5 events"));
  EXPECT_THAT(to_json(*report), HasSubstr("\"lines\":5"));
  for (std::size_t size = 12; size < bytes.size(); ++size) {
    const auto cut = inspect_object(bytes.substr(0, size));
    ASSERT_TRUE(cut.has_value());
    EXPECT_NE(cut->problem, "") << size;
  }
  EXPECT_EQ(inspect_object("hello").error().code, Errc::kInvalid);
  EXPECT_EQ(inspect_object("").error().code, Errc::kInvalid);
}

// The objects are for ordinary tools: zstdcat must print the very lines.
TEST(Archive, ZstdcatReadsBatches) {
  std::string root = std::filesystem::temp_directory_path() / "leat-archive-XXXXXX";
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  World world;
  ASSERT_TRUE(world.open().has_value());
  world.append("web", 5, 300);
  world.commit();
  auto disk = io::DirectoryObjectStore::open({.files = nullptr, .root = root});
  ASSERT_TRUE(disk.has_value());
  SealerOptions options = world.sealer_options();
  options.store = disk->get();
  options.state_directory = "/data/other";
  auto sealer = Sealer::open(options);
  ASSERT_TRUE(sealer.has_value());
  ASSERT_TRUE((*sealer)->step(true).has_value());
  const Archive archive(**disk, "leat");
  const Batch batch = archive.list_after({}, 1).value()[0].batches[0];
  const std::string command = "zstdcat '" + (*disk)->local_path(batch.uri).value() + "'";
  FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string printed(batch.raw_bytes + 100, '\0');
  printed.resize(std::fread(printed.data(), 1, printed.size(), pipe));
  EXPECT_EQ(::pclose(pipe), 0);
  EXPECT_EQ(printed, archive.read(batch).value());
  std::filesystem::remove_all(root);
}

// The collector's threads may become fewer while records of a shard are not sealed yet.
TEST(Sealer, SealsShardsThatNobodyWritesTo) {
  World world;
  world.shards = 3;
  ASSERT_TRUE(world.open().has_value());
  world.append("web", 5, 60, 0);
  world.append("web", 7, 60, 2);
  world.commit();
  ASSERT_TRUE(world.journal->close().has_value());
  world.drop();
  world.shards = 1;
  ASSERT_TRUE(world.open().has_value());
  ASSERT_TRUE(world.sealer->step(true).has_value());
  const auto seals = world.archive->list_after({}, 100);
  ASSERT_TRUE(seals.has_value());
  ASSERT_EQ(seals->size(), 2u);
  EXPECT_EQ((*seals)[1].stream, world.journal->stream(2));
  EXPECT_EQ((*seals)[1].events, 7u);
  EXPECT_EQ(world.journal->status(2).released, Offset{1});
}

// ---- crashes

void work(World& world, SeededRandom& random, int steps) {
  static constexpr std::array<const char*, 3> kSources = {"web", "ios", "server"};
  for (int i = 0; i < steps; ++i) {
    const std::uint64_t records = 1 + random.below(4);
    for (std::uint64_t record = 0; record < records; ++record) {
      world.append(kSources[random.below(3)], static_cast<int>(1 + random.below(3)),
                   60 + random.below(900));
      world.clock.advance_us(static_cast<std::int64_t>(random.below(20)) * kUsPerMinute);
    }
    world.commit();
    if (random.below(2) == 0) {
      static_cast<void>(world.sealer->step(random.below(2) == 0));
    }
  }
}

void seal_rest_and_verify(World& world) {
  const Status opened = world.open();
  ASSERT_TRUE(opened.has_value()) << opened.error().to_string();
  world.commit();
  const Status sealed = world.sealer->step(true);
  ASSERT_TRUE(sealed.has_value()) << sealed.error().to_string();
  world.verify();
}

TEST(ArchiveCrash, FailsOrDiesAtEveryOperation) {
  enum Mode { kOnce, kKilled, kPowerCut };
  for (const Mode mode : {kOnce, kKilled, kPowerCut}) {
    std::uint64_t n = 1;
    for (bool beyond = false; !beyond; ++n) {
      World world(n);
      world.seal_bytes_max = 4000;
      SeededRandom random(11);
      world.files.fail_at(n, mode != kOnce);
      if (world.open()) {
        work(world, random, 7);
      }
      beyond = world.files.operations() < n;
      world.drop();
      if (mode == kPowerCut) {
        world.files.restart_machine(random, static_cast<unsigned>(n % 5) * 25);
      } else {
        world.files.restart_process();
      }
      world.buffered.clear();
      seal_rest_and_verify(world);
      ASSERT_FALSE(testing::Test::HasFailure()) << "mode " << mode << " operation " << n;
      // What was sealed survives the next power cut too, though the journal may be gone by then.
      world.drop();
      world.files.restart_machine(random, 0);
      seal_rest_and_verify(world);
      ASSERT_FALSE(testing::Test::HasFailure())
          << "mode " << mode << " operation " << n << ", second cut";
    }
    EXPECT_GT(n, 120u);
  }
}

TEST(ArchiveCrash, SurvivesManyCrashesInARow) {
  // Other seeds with --gtest_shuffle, so that --gtest_repeat=N --gtest_shuffle runs N times as
  // many.
  const auto run = static_cast<std::uint64_t>(testing::UnitTest::GetInstance()->random_seed());
  constexpr std::uint64_t kLives = 25;
  for (std::uint64_t seed = 1 + run * kLives; seed <= (run + 1) * kLives; ++seed) {
    World world(seed);
    world.seal_bytes_max = 2000 + seed % 50 * 100;
    world.shards = 1 + seed % 2;
    SeededRandom random(seed * 104'729);
    for (int crash = 0; crash < 10; ++crash) {
      world.files.fail_at(1 + random.below(400), random.below(3) != 0);
      if (world.open()) {
        work(world, random, static_cast<int>(random.below(12)));
      }
      world.drop();
      world.buffered.clear();
      if (random.below(2) == 0) {
        world.files.restart_process();
      } else {
        world.files.restart_machine(random, static_cast<unsigned>(random.below(101)));
      }
      seal_rest_and_verify(world);
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << " crash " << crash;
      world.drop();
      world.files.restart_process();
    }
  }
}

}  // namespace
}  // namespace leat::archive
