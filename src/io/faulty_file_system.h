// A file system in memory that breaks on command, for tests of everything that writes. It keeps two
// states of every file and folder, the one programs see and the one that survives a power cut, and
// can
//   - fail the n-th operation, of any kind or of one kind, once or from then on;
//   - fall silent after n operations (the process died) and restart as after kill -9 or after a
//   power cut, where each
//     unsynced 512-byte sector and each unsynced name change independently survived or did not
//     (which tears writes);
//   - run out of space at a byte budget.
// Any thread; reproducible when one thread drives it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "io/file_system.h"

namespace leat::io {

enum class FileOperation : std::uint8_t {
  kOpen,
  kRead,
  kWrite,
  kSync,
  kTruncate,
  kReserve,
  kRename,
  kRemove,
  kList,
  kMakeDirectory,
  kSyncDirectory,
  kStat,
  kLock,
};

class FaultyFileSystem final : public FileSystem {
 public:
  FaultyFileSystem();
  ~FaultyFileSystem() override;

  /// Decides the fate of one operation before it happens: nothing lets it pass. A failed write has
  /// written a prefix of its bytes; a failed sync has lost the unsynced bytes' durability for good.
  using Fault = std::function<std::optional<Error>(FileOperation, const std::string& path,
                                                   std::uint64_t count)>;
  void set_fault(Fault fault);
  /// Fails operation number `n` (1 is the next one) with kUnavailable; all later ones too when
  /// `from_then_on`.
  void fail_at(std::uint64_t n, bool from_then_on = false);
  void fail_at(FileOperation kind, std::uint64_t n, bool from_then_on = false);
  void clear_faults();
  /// Operations asked for since the last clear_faults() or fail_at().
  [[nodiscard]] std::uint64_t operations() const;
  [[nodiscard]] std::uint64_t operations(FileOperation kind) const;

  /// Whether direct opens are honoured (the default) or fall back.
  void set_direct(bool honoured);
  /// Free bytes for file content; more is kExhausted. Nothing: no limit.
  void set_space(std::optional<std::uint64_t> free_bytes);

  /// What a restart finds after kill -9: all that was written. Locks are gone, open files of before
  /// are dead.
  void restart_process();
  /// What a restart finds after a power cut. `survival`: chance in percent that an unsynced sector
  /// or name survived.
  void restart_machine(SeededRandom& random, unsigned survival_percent);

  /// Direct access for tests, without faults: the visible bytes of a file (nothing when missing),
  /// and changing them.
  [[nodiscard]] std::optional<std::string> content(const std::string& path) const;
  void set_content(const std::string& path, std::string bytes);
  [[nodiscard]] std::vector<std::string> paths() const;

  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path,
                                                   OpenOptions options) override;
  [[nodiscard]] Status rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Status rename_new(const std::string& from, const std::string& to) override;
  [[nodiscard]] Status remove(const std::string& path) override;
  [[nodiscard]] Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  [[nodiscard]] Status make_directories(const std::string& directory) override;
  [[nodiscard]] Status sync_directory(const std::string& directory) override;
  [[nodiscard]] Result<FileInfo> stat(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

 private:
  struct State;
  class OpenFile;
  class HeldLock;
  std::shared_ptr<State> state_;
};

}  // namespace leat::io
