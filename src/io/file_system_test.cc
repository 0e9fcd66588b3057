#include "io/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "io/aligned_buffer.h"
#include "io/faulty_file_system.h"

namespace leat::io {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;

std::string make_temporary_directory() {
  std::string path = std::filesystem::temp_directory_path() / "leat-io-XXXXXX";
  EXPECT_NE(::mkdtemp(path.data()), nullptr);
  return path;
}

// Both implementations must behave alike.
class FileSystemTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      directory_ = make_temporary_directory();
      files_ = &posix_file_system();
    } else {
      directory_ = "/data";
      files_ = &faulty_;
      ASSERT_TRUE(files_->make_directories(directory_).has_value());
    }
  }
  void TearDown() override {
    if (GetParam()) {
      std::filesystem::remove_all(directory_);
    }
  }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  void write(const std::string& name, std::string_view bytes) {
    auto file = files_->open(path(name), {.write = true, .create = true, .truncate = true});
    ASSERT_TRUE(file.has_value()) << file.error().to_string();
    ASSERT_TRUE((*file)->pwrite(bytes, 0).has_value());
    ASSERT_TRUE((*file)->sync().has_value());
  }

  FaultyFileSystem faulty_;
  FileSystem* files_ = nullptr;
  std::string directory_;
};

TEST_P(FileSystemTest, WritesReadsAndResizes) {
  auto file = files_->open(path("a"), {.write = true, .create = true});
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE((*file)->pwrite("hello", 3).has_value());
  EXPECT_EQ((*file)->size().value(), 8u);
  std::string into(10, 'x');
  EXPECT_EQ((*file)->pread({into.data(), into.size()}, 0).value(), 8u);
  EXPECT_EQ(into.substr(0, 8), std::string(3, '\0') + "hello");
  EXPECT_EQ((*file)->pread({into.data(), into.size()}, 8).value(), 0u);
  ASSERT_TRUE((*file)->truncate(4).has_value());
  EXPECT_EQ(read_file(*files_, path("a")).value(), std::string(3, '\0') + "h");
  EXPECT_TRUE((*file)->close().has_value());
}

TEST_P(FileSystemTest, NamesItsErrors) {
  write("file", "x");
  EXPECT_EQ(files_->open(path("none"), {}).error().code, Errc::kNotFound);
  EXPECT_EQ(files_->open(path("no/folder"), {.write = true, .create = true}).error().code,
            Errc::kNotFound);
  EXPECT_EQ(
      files_->open(path("file"), {.write = true, .create = true, .exclusive = true}).error().code,
      Errc::kConflict);
  EXPECT_EQ(files_->stat(path("none")).error().code, Errc::kNotFound);
  EXPECT_EQ(files_->stat(path("file/below")).error().code, Errc::kNotFound);
  EXPECT_EQ(files_->list(path("none")).error().code, Errc::kNotFound);
  EXPECT_EQ(files_->remove(path("none")).error().code, Errc::kNotFound);
  EXPECT_EQ(files_->rename(path("none"), path("b")).error().code, Errc::kNotFound);
  EXPECT_EQ(files_->make_directories(path("file")).error().code, Errc::kConflict);
  EXPECT_EQ(files_->make_directories(path("file/below")).error().code, Errc::kConflict);
  EXPECT_EQ(read_file(*files_, path("file"), 0).error().code, Errc::kExhausted);
}

TEST_P(FileSystemTest, RenamesOverAndRefusesOver) {
  write("a", "1");
  write("b", "2");
  EXPECT_EQ(files_->rename_new(path("a"), path("b")).error().code, Errc::kConflict);
  EXPECT_EQ(read_file(*files_, path("b")).value(), "2");
  ASSERT_TRUE(files_->rename(path("a"), path("b")).has_value());
  EXPECT_EQ(read_file(*files_, path("b")).value(), "1");
  ASSERT_TRUE(files_->rename_new(path("b"), path("c")).has_value());
  EXPECT_THAT(files_->list(directory_).value(), ElementsAre(FieldsAre("c", false)));
}

TEST_P(FileSystemTest, MakesFoldersAndListsInOrder) {
  ASSERT_TRUE(files_->make_directories(path("x/y/z")).has_value());
  ASSERT_TRUE(files_->make_directories(path("x/y")).has_value());
  write("x/b", "");
  write("x/B", "");
  write("x/z", "");
  EXPECT_THAT(files_->list(path("x")).value(),
              ElementsAre(FieldsAre("B", false), FieldsAre("b", false), FieldsAre("y", true),
                          FieldsAre("z", false)));
  EXPECT_TRUE(files_->stat(path("x/y")).value().directory);
  EXPECT_EQ(files_->remove(path("x/y")).error().code, Errc::kConflict);
  EXPECT_TRUE(files_->remove(path("x/y/z")).has_value());
}

TEST_P(FileSystemTest, OneLockHolder) {
  auto first = files_->lock(path("lock"));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(files_->lock(path("lock")).error().code, Errc::kConflict);
  first->reset();
  EXPECT_TRUE(files_->lock(path("lock")).has_value());
}

TEST_P(FileSystemTest, DirectFilesTakeAlignedBytes) {
  auto file = files_->open(path("direct"), {.write = true, .create = true, .direct = true});
  ASSERT_TRUE(file.has_value()) << file.error().to_string();
  AlignedBuffer buffer(3 * kDirectAlignment);
  std::memset(buffer.data(), 'd', buffer.size());
  ASSERT_TRUE((*file)->pwrite({buffer.data(), buffer.size()}, 0).has_value());
  ASSERT_TRUE((*file)->sync().has_value());
  AlignedBuffer back(8 * kDirectAlignment);
  EXPECT_EQ((*file)->pread(back.span(), kDirectAlignment).value(), 2 * kDirectAlignment);
  EXPECT_EQ(back.data()[0], 'd');
}

TEST_P(FileSystemTest, ReplacesAtomically) {
  ASSERT_TRUE(write_file_atomically(*files_, path("state"), "one").has_value());
  ASSERT_TRUE(write_file_atomically(*files_, path("state"), "two").has_value());
  EXPECT_EQ(read_file(*files_, path("state")).value(), "two");
  EXPECT_EQ(files_->list(directory_).value().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(All, FileSystemTest, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "Posix" : "Faulty"; });

TEST(ParentDirectory, Cases) {
  EXPECT_EQ(parent_directory("a/b"), "a");
  EXPECT_EQ(parent_directory("a/b/"), "a");
  EXPECT_EQ(parent_directory("b"), ".");
  EXPECT_EQ(parent_directory("/b"), "/");
  EXPECT_EQ(parent_directory("/"), "/");
}

TEST(FaultyFileSystem, UnsyncedBytesAndNamesDoNotSurvive) {
  FaultyFileSystem files;
  SeededRandom random(1);
  ASSERT_TRUE(files.make_directories("/d").has_value());
  {
    auto file = files.open("/d/synced", {.write = true, .create = true});
    ASSERT_TRUE((*file)->pwrite(std::string(2000, 'a'), 0).has_value());
    ASSERT_TRUE((*file)->sync().has_value());
    ASSERT_TRUE(files.sync_directory("/d").has_value());
    ASSERT_TRUE((*file)->pwrite(std::string(2000, 'b'), 0).has_value());
    auto unnamed = files.open("/d/unnamed", {.write = true, .create = true});
    ASSERT_TRUE((*unnamed)->pwrite("x", 0).has_value());
    ASSERT_TRUE((*unnamed)->sync().has_value());
  }
  files.restart_machine(random, 0);
  EXPECT_EQ(files.content("/d/synced"), std::string(2000, 'a'));
  EXPECT_EQ(files.content("/d/unnamed"), std::nullopt);
}

TEST(FaultyFileSystem, TearsUnsyncedWritesBySector) {
  SeededRandom random(7);
  bool torn = false;
  for (int round = 0; round < 50; ++round) {
    FaultyFileSystem files;
    ASSERT_TRUE(files.make_directories("/d").has_value());
    files.set_content("/d/f", std::string(2048, 'a'));
    auto file = files.open("/d/f", {.write = true});
    ASSERT_TRUE((*file)->pwrite(std::string(2048, 'b'), 0).has_value());
    files.restart_machine(random, 50);
    const std::string content = *files.content("/d/f");
    ASSERT_EQ(content.size(), 2048u);
    for (std::size_t sector = 0; sector < 4; ++sector) {
      EXPECT_EQ(
          content.find_first_not_of(content[sector * 512], sector * 512) % 512 == 0 ||
              content.find_first_not_of(content[sector * 512], sector * 512) == std::string::npos,
          true);
    }
    torn |= content.find('a') != std::string::npos && content.find('b') != std::string::npos;
    EXPECT_EQ((*file)->pwrite("x", 0).error().code, Errc::kUnavailable) << "a dead handle writes";
  }
  EXPECT_TRUE(torn);
}

TEST(FaultyFileSystem, FailedSyncLosesBytesForGood) {
  FaultyFileSystem files;
  SeededRandom random(1);
  ASSERT_TRUE(files.make_directories("/d").has_value());
  files.set_content("/d/f", "aaaa");
  auto file = files.open("/d/f", {.write = true});
  ASSERT_TRUE((*file)->pwrite("bbbb", 0).has_value());
  files.fail_at(FileOperation::kSync, 1);
  EXPECT_FALSE((*file)->sync().has_value());
  EXPECT_TRUE((*file)->sync().has_value());
  EXPECT_EQ(files.content("/d/f"), "bbbb") << "still in the cache";
  files.restart_machine(random, 100);
  EXPECT_EQ(files.content("/d/f"), "aaaa");
}

TEST(FaultyFileSystem, RunsOutOfSpaceAndRecovers) {
  FaultyFileSystem files;
  ASSERT_TRUE(files.make_directories("/d").has_value());
  files.set_space(10);
  auto file = files.open("/d/f", {.write = true, .create = true});
  EXPECT_EQ((*file)->pwrite(std::string(20, 'x'), 0).error().code, Errc::kExhausted);
  EXPECT_EQ((*file)->size().value(), 10u);
  ASSERT_TRUE(files.remove("/d/f").has_value());
  auto other = files.open("/d/g", {.write = true, .create = true});
  EXPECT_TRUE((*other)->pwrite(std::string(10, 'x'), 0).has_value());
}

TEST(WriteFileAtomically, OldOrNewAfterAnyFailureAndPowerCut) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    FaultyFileSystem files;
    SeededRandom random(seed);
    ASSERT_TRUE(files.make_directories("/d").has_value());
    ASSERT_TRUE(write_file_atomically(files, "/d/state", std::string(3000, 'o')).has_value());
    files.fail_at(1 + random.below(8), true);
    const bool written =
        write_file_atomically(files, "/d/state", std::string(3000, 'n')).has_value();
    files.restart_machine(random, static_cast<unsigned>(random.below(101)));
    const auto content = files.content("/d/state");
    ASSERT_TRUE(content.has_value());
    if (written) {
      EXPECT_EQ(*content, std::string(3000, 'n'));
    } else {
      EXPECT_TRUE(*content == std::string(3000, 'n') || *content == std::string(3000, 'o'));
    }
  }
}

}  // namespace
}  // namespace leat::io
