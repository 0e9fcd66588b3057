// A disk for tests whose syncs wait, or fail, when the test says so.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "io/faulty_file_system.h"

namespace leat::journal {

/// A disk whose syncs begin to wait, or to fail, when the test says so.
class SlowDisk {
 public:
  enum class Syncs : std::uint8_t { kWork, kWait, kFail };

  SlowDisk() {
    files_.set_fault([this](io::FileOperation operation, const std::string&,
                            std::uint64_t) -> std::optional<Error> {
      if (operation != io::FileOperation::kSync) return std::nullopt;
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return syncs_ != Syncs::kWait; });
      if (syncs_ == Syncs::kWork) return std::nullopt;
      return Error{Errc::kUnavailable, "the disk is broken"};
    });
  }
  ~SlowDisk() { set(Syncs::kWork); }
  void set(Syncs syncs) {
    const std::lock_guard lock(mutex_);
    syncs_ = syncs;
    changed_.notify_all();
  }
  io::FileSystem& files() { return files_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Syncs syncs_ = Syncs::kWork;
  io::FaultyFileSystem files_;
};

}  // namespace leat::journal
