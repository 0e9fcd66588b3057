#include "pipeline/archive/redaction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/digest.h"
#include "base/text.h"
#include "io/directory_object_store.h"
#include "io/faulty_file_system.h"
#include "pipeline/archive/names.h"

namespace leat::archive {
namespace {

using journal::Offset;

const event::Person kAnn{event::PersonKey::kUserId, "ann"};

std::string line_of(std::string_view user, int number) {
  return std::string(R"({"received_at":"2026-11-20T14:03:05.123Z","source":"web","event":)") +
         R"({"userId":")" + std::string(user) + R"(","n":)" + std::to_string(number) + "}}\n";
}

// An archive of one stream: two seals, the first with batches of two sources.
class World {
 public:
  World() {
    open();
    const std::string web = line_of("bob", 1) + line_of("ann", 2) + line_of("bob", 3);
    seal(1, 4, {{"app", line_of("ann", 4)}, {"web", web}});
    seal(5, 5, {{"web", line_of("bob", 5)}});
    EXPECT_TRUE(store->put(stream_uri("leat", "s"), R"({"leat_stream":1,"stream":"s","first":1})"));
  }

  void open() {
    auto opened = io::DirectoryObjectStore::open({.files = &files, .root = "/objects"});
    ASSERT_TRUE(opened) << opened.error().message;
    store = std::move(*opened);
  }

  void seal(std::uint64_t first, std::uint64_t last,
            const std::vector<std::pair<std::string, std::string>>& batches) {
    Seal seal{.stream = "s", .first = Offset{first}, .last = Offset{last}, .batches = {}};
    Compressor compressor;
    for (const auto& [source, lines] : batches) {
      const auto object = compressor.compress(lines);
      const auto events = static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
      seal.events += events;
      seal.batches.push_back(
          {.id = batch_id(source, "2026112014", "s", seal.first, seal.last),
           .source = source,
           .hour = "2026112014",
           .uri = batch_uri("leat", source, "2026112014", "s", seal.first, seal.last),
           .events = events,
           .raw_bytes = lines.size(),
           .object_bytes = object->size()});
      // Batches of both versions of the seal.
      if (source == "web") {
        seal.batches.back().xxh128 = to_hex(xxh128(*object));
      } else {
        seal.batches.back().sha256 = to_hex(sha256(*object));
      }
      ASSERT_TRUE(store->put(seal.batches.back().uri, *object));
    }
    ASSERT_TRUE(store->put(seal_uri("leat", "s", seal.first), format_seal(seal)));
  }

  // Goes through the whole archive once.
  Status redact(const event::Person& person, std::uint64_t* removed = nullptr) {
    Archive archive(*store, "leat");
    Redactor redactor(*store, "leat");
    LEAT_ASSIGN(const auto seals, archive.list_after({}, 100));
    for (const Seal& seal : seals) {
      for (const Batch& batch : seal.batches) LEAT_TRY(redactor.clean(batch));
      LEAT_ASSIGN(const SealRedaction plan,
                  redactor.plan(seal, person, [](std::string_view) { return true; }));
      LEAT_TRY(redactor.apply(plan));
      for (const RedactedBatch& batch : plan.batches) {
        if (removed != nullptr) *removed += batch.after.deleted - batch.before.deleted;
      }
    }
    return {};
  }

  // All lines of all batches, by batch; every seal and object must be whole.
  std::map<std::string, std::string> lines() {
    std::map<std::string, std::string> out;
    Archive archive(*store, "leat");
    const auto seals = archive.list_after({}, 100);
    EXPECT_TRUE(seals) << seals.error().message;
    if (!seals) return out;
    for (const Seal& seal : *seals) {
      for (const Batch& batch : seal.batches) {
        const auto read = archive.read(batch);
        EXPECT_TRUE(read) << read.error().message;
        out[batch.id] = read.value_or("");
      }
    }
    return out;
  }

  std::set<std::string> objects() {
    std::set<std::string> out;
    const auto page = store->list("s3://leat/", {});
    EXPECT_TRUE(page);
    for (const auto& object : page->objects) out.insert(object.uri);
    return out;
  }

  io::FaultyFileSystem files;
  std::unique_ptr<io::DirectoryObjectStore> store;
};

TEST(Redaction, TakesOutThePersonAndNothingElse) {
  World world;
  const auto before = world.lines();
  const auto objects_before = world.objects();
  const auto seals = Archive(*world.store, "leat").list_after({}, 100);
  ASSERT_TRUE(seals);

  std::uint64_t removed = 0;
  ASSERT_TRUE(world.redact(kAnn, &removed));
  EXPECT_EQ(removed, 2U);
  const std::string gone =
      event::removed_line(*parse_iso8601("2026-11-20T14:03:05.123Z"), "web", event::kDeleted);
  const Batch& web = (*seals)[0].batches[1];
  const auto after = world.lines();
  EXPECT_EQ(after.at(web.id), line_of("bob", 1) + gone + line_of("bob", 3));
  EXPECT_EQ(after.at((*seals)[1].batches[0].id), before.at((*seals)[1].batches[0].id));
  // Who kept the seal of before reads the batch as it is now.
  EXPECT_EQ(*Archive(*world.store, "leat").read(web), after.at(web.id));

  // The books: as many events as before, one of each batch deleted.
  const auto now = Archive(*world.store, "leat").list_after({}, 100);
  EXPECT_EQ((*now)[0].events, 4U);
  EXPECT_EQ((*now)[0].batches[1].events, 3U);
  EXPECT_EQ((*now)[0].batches[1].deleted, 1U);
  EXPECT_EQ((*now)[1], (*seals)[1]);

  // The objects of before are gone; time finds the new ones; nothing is left to do.
  const auto objects = world.objects();
  EXPECT_EQ(objects.size(), objects_before.size());
  EXPECT_FALSE(objects.contains(web.uri));
  EXPECT_TRUE(objects.contains(with_revision(web.uri, 1)));
  const auto found = Archive(*world.store, "leat")
                         .batches_between("web", *parse_iso8601("2026-11-20T14:00:00Z"),
                                          *parse_iso8601("2026-11-20T15:00:00Z"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size(), 2U);
  removed = 0;
  ASSERT_TRUE(world.redact(kAnn, &removed));
  EXPECT_EQ(removed, 0U);
  EXPECT_EQ(world.objects(), objects);

  // A second person out of the same batch.
  ASSERT_TRUE(world.redact({event::PersonKey::kUserId, "bob"}, &removed));
  EXPECT_EQ(removed, 3U);
  EXPECT_TRUE(world.objects().contains(with_revision(web.uri, 2)));
  EXPECT_EQ(world.objects().size(), objects_before.size());
}

TEST(Redaction, RefusesASealThatChangedMeanwhile) {
  World world;
  Redactor redactor(*world.store, "leat");
  const auto seals = Archive(*world.store, "leat").list_after({}, 1);
  const auto plan = redactor.plan((*seals)[0], kAnn, [](std::string_view) { return true; });
  ASSERT_TRUE(plan);
  ASSERT_TRUE(world.redact({event::PersonKey::kUserId, "bob"}));
  EXPECT_EQ(redactor.apply(*plan).error().code, Errc::kAborted);
}

// Whatever operation fails, and whether the process goes on or dies there, every batch can be read,
// as it was or without the person; done again, the end is the same as without a failure.
TEST(RedactionCrash, FailsOrDiesAtEveryOperation) {
  World quiet;
  quiet.files.clear_faults();
  ASSERT_TRUE(quiet.redact(kAnn));
  const std::uint64_t operations = quiet.files.operations();
  const auto lines = quiet.lines();
  const auto objects = quiet.objects();
  ASSERT_GT(operations, 20U);
  for (const bool dies : {false, true}) {
    for (std::uint64_t n = 1; n <= operations; ++n) {
      World world;
      const auto before = world.lines();
      world.files.fail_at(n, dies);
      const bool failed = !world.redact(kAnn);
      world.files.clear_faults();
      if (dies) {
        world.store.reset();
        world.files.restart_process();
        world.open();
      }
      for (const auto& [id, text] : world.lines()) {
        EXPECT_TRUE(text == before.at(id) || text == lines.at(id)) << n;
      }
      ASSERT_TRUE(world.redact(kAnn)) << n;
      EXPECT_EQ(world.lines(), lines) << n;
      EXPECT_EQ(world.objects(), objects) << n << (failed ? " after a failure" : "");
    }
  }
}

}  // namespace
}  // namespace leat::archive
