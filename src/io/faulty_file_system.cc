#include "io/faulty_file_system.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "base/check.h"

namespace leat::io {
namespace {

constexpr std::size_t kSector = 512;  // what a disk writes whole or not at all
constexpr std::size_t kKinds = 13;

struct Change {
  std::uint64_t offset = 0;  // of the bytes, or the new size when `resize`
  std::string bytes;
  bool resize = false;
  bool lost = false;  // a sync failed: no later sync makes it durable
};

struct Inode {
  bool directory = false;
  std::uint64_t identity = 0;
  std::string now;
  std::string durable;
  std::vector<Change> unsynced;
};

using Names = std::map<std::string, std::shared_ptr<Inode>>;

// One change of names that a file system makes whole or not at all.
struct NameChange {
  std::set<std::string> directories;
  std::string removed;  // empty: none
  std::string added;    // empty: none
  std::shared_ptr<Inode> inode;

  void apply(Names& names) const {
    if (!removed.empty()) {
      names.erase(removed);
    }
    if (!added.empty()) {
      names[added] = inode;
    }
  }
};

void put_bytes(std::string& content, std::uint64_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) {
    content.resize(offset + bytes.size());
  }
  std::memcpy(content.data() + offset, bytes.data(), bytes.size());
}

void apply_change(std::string& content, const Change& change) {
  if (change.resize) {
    content.resize(change.offset);
  } else {
    put_bytes(content, change.offset, change.bytes);
  }
}

// The sectors of an unsynced write survive each for itself.
void apply_survivors(std::string& content, const Change& change, SeededRandom& random,
                     unsigned percent) {
  if (change.resize) {
    if (random.below(100) < percent) {
      content.resize(change.offset);
    }
    return;
  }
  std::size_t at = 0;
  while (at < change.bytes.size()) {
    const std::size_t in_sector = kSector - (change.offset + at) % kSector;
    const std::size_t count = std::min(in_sector, change.bytes.size() - at);
    if (random.below(100) < percent) {
      put_bytes(content, change.offset + at, std::string_view(change.bytes).substr(at, count));
    }
    at += count;
  }
}

}  // namespace

struct FaultyFileSystem::State {
  mutable std::mutex mutex;  // guards all below
  Names names;
  Names durable_names;
  std::vector<NameChange> pending;
  std::map<std::string, std::uint64_t> locks;  // path -> generation
  std::uint64_t generation = 0;  // of the process: open files of an older one are dead
  std::uint64_t next_identity = 1;
  std::optional<std::uint64_t> space;
  bool direct = true;
  Fault fault;
  std::uint64_t operations = 0;
  std::array<std::uint64_t, kKinds> operations_of_kind{};

  std::optional<Error> refuse(FileOperation kind, const std::string& path) {
    ++operations;
    ++operations_of_kind[static_cast<std::size_t>(kind)];
    return fault ? fault(kind, path, operations) : std::nullopt;
  }

  std::shared_ptr<Inode> make_inode(bool directory) {
    auto inode = std::make_shared<Inode>();
    inode->directory = directory;
    inode->identity = next_identity++;
    return inode;
  }

  std::shared_ptr<Inode> find(const std::string& path) const {
    const auto at = names.find(path);
    return at == names.end() ? nullptr : at->second;
  }

  bool has_directory(const std::string& path) const {
    if (path == "/" || path == ".") {
      return true;
    }
    const auto inode = find(path);
    return inode != nullptr && inode->directory;
  }

  // Bytes of growth that the disk still has room for; takes them.
  std::uint64_t take_space(std::uint64_t wanted) {
    if (!space) {
      return wanted;
    }
    const std::uint64_t taken = std::min(wanted, *space);
    *space -= taken;
    return taken;
  }

  void give_space(std::uint64_t bytes) {
    if (space) {
      *space += bytes;
    }
  }

  void change_names(NameChange change) {
    if (!change.added.empty()) {
      if (const auto replaced = find(change.added)) {
        give_space(replaced->now.size());
      }
    } else if (const auto removed = find(change.removed)) {
      give_space(removed->now.size());
    }
    change.apply(names);
    pending.push_back(std::move(change));
  }
};

class FaultyFileSystem::OpenFile final : public File {
 public:
  OpenFile(std::shared_ptr<State> state, std::shared_ptr<Inode> inode, std::string path,
           OpenOptions options)
      : state_(std::move(state)),
        inode_(std::move(inode)),
        path_(std::move(path)),
        options_(options),
        generation_(state_->generation) {}

  Result<std::size_t> pread(std::span<char> into, std::uint64_t offset) override {
    const std::lock_guard lock(state_->mutex);
    LEAT_TRY(admit(FileOperation::kRead));
    LEAT_TRY(check_alignment(into.data(), into.size(), offset));
    if (offset >= inode_->now.size()) {
      return std::size_t{0};
    }
    const std::size_t count = std::min<std::size_t>(into.size(), inode_->now.size() - offset);
    std::memcpy(into.data(), inode_->now.data() + offset, count);
    return count;
  }

  Status pwrite(std::string_view bytes, std::uint64_t offset) override {
    const std::lock_guard lock(state_->mutex);
    const Status admitted = admit(FileOperation::kWrite);
    if (!admitted && generation_ != state_->generation) {
      return admitted;
    }
    LEAT_TRY(check_alignment(bytes.data(), bytes.size(), offset));
    if (!options_.write) {
      return fail_errno(EBADF, "cannot write " + path_);
    }
    if (!admitted) {
      const std::size_t whole_sectors = bytes.size() / 2 / kSector * kSector;
      write_within_space(bytes.substr(0, whole_sectors), offset);
      return admitted;
    }
    if (write_within_space(bytes, offset) < bytes.size()) {
      return fail_errno(ENOSPC, "cannot write " + path_);
    }
    return {};
  }

  Status sync() override {
    const std::lock_guard lock(state_->mutex);
    if (const Status admitted = admit(FileOperation::kSync); !admitted) {
      for (Change& change : inode_->unsynced) {
        change.lost = true;
      }
      return admitted;
    }
    for (const Change& change : inode_->unsynced) {
      if (!change.lost) {
        apply_change(inode_->durable, change);
      }
    }
    inode_->unsynced.clear();
    return {};
  }

  Status truncate(std::uint64_t size) override {
    const std::lock_guard lock(state_->mutex);
    LEAT_TRY(admit(FileOperation::kTruncate));
    if (size < inode_->now.size()) {
      state_->give_space(inode_->now.size() - size);
    }
    inode_->now.resize(size);
    inode_->unsynced.push_back({.offset = size, .bytes = {}, .resize = true});
    return {};
  }

  Status reserve(std::uint64_t size) override {
    const std::lock_guard lock(state_->mutex);
    LEAT_TRY(admit(FileOperation::kReserve));
    const std::uint64_t old_size = inode_->now.size();
    if (size <= old_size) {
      return {};
    }
    const std::uint64_t taken = state_->take_space(size - old_size);
    if (taken < size - old_size) {
      state_->give_space(taken);
      return fail_errno(ENOSPC, "cannot reserve space for " + path_);
    }
    inode_->now.resize(size);
    inode_->unsynced.push_back({.offset = size, .bytes = {}, .resize = true});
    return {};
  }

  Result<std::uint64_t> size() override {
    const std::lock_guard lock(state_->mutex);
    LEAT_TRY(admit(FileOperation::kStat));
    return std::uint64_t{inode_->now.size()};
  }

  [[nodiscard]] bool direct() const override { return options_.direct; }
  Status close() override { return {}; }

 private:
  Status admit(FileOperation kind) {
    if (generation_ != state_->generation) {
      return fail(Errc::kUnavailable, "the process that opened the file is gone; " + path_);
    }
    if (auto error = state_->refuse(kind, path_)) {
      return std::unexpected(*std::move(error));
    }
    return {};
  }

  Status check_alignment(const char* memory, std::size_t size, std::uint64_t offset) const {
    if (options_.direct && (reinterpret_cast<std::uintptr_t>(memory) % kDirectAlignment != 0 ||
                            size % kDirectAlignment != 0 || offset % kDirectAlignment != 0)) {
      return fail_errno(EINVAL, "misaligned direct access to " + path_);
    }
    return {};
  }

  std::size_t write_within_space(std::string_view bytes, std::uint64_t offset) {
    const std::uint64_t end = offset + bytes.size();
    const std::uint64_t old_size = inode_->now.size();
    if (end > old_size) {
      const std::uint64_t room = old_size + state_->take_space(end - old_size);
      bytes = bytes.substr(0, room > offset ? room - offset : 0);
    }
    if (!bytes.empty()) {
      put_bytes(inode_->now, offset, bytes);
      inode_->unsynced.push_back({.offset = offset, .bytes = std::string(bytes)});
    }
    return bytes.size();
  }

  std::shared_ptr<State> state_;
  std::shared_ptr<Inode> inode_;
  std::string path_;
  OpenOptions options_;
  std::uint64_t generation_;
};

class FaultyFileSystem::HeldLock final : public FileLock {
 public:
  HeldLock(std::shared_ptr<State> state, std::string path)
      : state_(std::move(state)), path_(std::move(path)), generation_(state_->generation) {}
  ~HeldLock() override {
    const std::lock_guard lock(state_->mutex);
    if (generation_ == state_->generation) {
      state_->locks.erase(path_);
    }
  }

 private:
  std::shared_ptr<State> state_;
  std::string path_;
  std::uint64_t generation_;
};

FaultyFileSystem::FaultyFileSystem() : state_(std::make_shared<State>()) {}
FaultyFileSystem::~FaultyFileSystem() = default;

void FaultyFileSystem::set_fault(Fault fault) {
  const std::lock_guard lock(state_->mutex);
  state_->fault = std::move(fault);
}

void FaultyFileSystem::fail_at(std::uint64_t n, bool from_then_on) {
  clear_faults();
  set_fault([n, from_then_on](FileOperation, const std::string& path,
                              std::uint64_t count) -> std::optional<Error> {
    if (count == n || (from_then_on && count > n)) {
      return Error{Errc::kUnavailable, "injected fault; " + path};
    }
    return std::nullopt;
  });
}

void FaultyFileSystem::fail_at(FileOperation kind, std::uint64_t n, bool from_then_on) {
  clear_faults();
  set_fault([kind, n, from_then_on, count = std::uint64_t{0}](
                FileOperation operation, const std::string& path,
                std::uint64_t) mutable -> std::optional<Error> {
    count += operation == kind ? 1 : 0;
    if (operation == kind && (count == n || (from_then_on && count > n))) {
      return Error{Errc::kUnavailable, "injected fault; " + path};
    }
    return std::nullopt;
  });
}

void FaultyFileSystem::clear_faults() {
  const std::lock_guard lock(state_->mutex);
  state_->fault = nullptr;
  state_->operations = 0;
  state_->operations_of_kind.fill(0);
}

std::uint64_t FaultyFileSystem::operations() const {
  const std::lock_guard lock(state_->mutex);
  return state_->operations;
}

std::uint64_t FaultyFileSystem::operations(FileOperation kind) const {
  const std::lock_guard lock(state_->mutex);
  return state_->operations_of_kind[static_cast<std::size_t>(kind)];
}

void FaultyFileSystem::set_direct(bool honoured) {
  const std::lock_guard lock(state_->mutex);
  state_->direct = honoured;
}

void FaultyFileSystem::set_space(std::optional<std::uint64_t> free_bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->space = free_bytes;
}

void FaultyFileSystem::restart_process() {
  clear_faults();
  const std::lock_guard lock(state_->mutex);
  ++state_->generation;
  state_->locks.clear();
}

void FaultyFileSystem::restart_machine(SeededRandom& random, unsigned survival_percent) {
  restart_process();
  const std::lock_guard lock(state_->mutex);
  for (const NameChange& change : state_->pending) {
    if (random.below(100) < survival_percent) {
      change.apply(state_->durable_names);
    }
  }
  state_->pending.clear();
  // Whatever lay in a folder whose name is gone is gone with it. Parents sort before their
  // children.
  std::erase_if(state_->durable_names, [&](const auto& entry) {
    const std::string parent = parent_directory(entry.first);
    return parent != "/" && parent != "." && !state_->durable_names.contains(parent);
  });
  for (auto& [path, inode] : state_->durable_names) {
    for (const Change& change : inode->unsynced) {
      apply_survivors(inode->durable, change, random, survival_percent);
    }
    inode->unsynced.clear();
    inode->now = inode->durable;
  }
  state_->names = state_->durable_names;
}

std::optional<std::string> FaultyFileSystem::content(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  const auto inode = state_->find(path);
  return inode == nullptr ? std::nullopt : std::optional(inode->now);
}

void FaultyFileSystem::set_content(const std::string& path, std::string bytes) {
  const std::lock_guard lock(state_->mutex);
  auto inode = state_->find(path);
  if (inode == nullptr) {
    inode = state_->make_inode(false);
    state_->names[path] = inode;
    state_->durable_names[path] = inode;
  }
  inode->now = bytes;
  inode->durable = std::move(bytes);
  inode->unsynced.clear();
}

std::vector<std::string> FaultyFileSystem::paths() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> result;
  for (const auto& [path, inode] : state_->names) {
    if (!inode->directory) {
      result.push_back(path);
    }
  }
  return result;
}

Result<std::unique_ptr<File>> FaultyFileSystem::open(const std::string& path, OpenOptions options) {
  const std::lock_guard lock(state_->mutex);
  if (auto error = state_->refuse(FileOperation::kOpen, path)) {
    return std::unexpected(*std::move(error));
  }
  auto inode = state_->find(path);
  if (inode != nullptr && options.exclusive) {
    return fail_errno(EEXIST, "cannot open " + path);
  }
  if (inode == nullptr) {
    const std::string parent = parent_directory(path);
    if (!options.create || !state_->has_directory(parent)) {
      return fail_errno(ENOENT, "cannot open " + path);
    }
    inode = state_->make_inode(false);
    state_->change_names({.directories = {parent}, .removed = {}, .added = path, .inode = inode});
  } else if (inode->directory) {
    return fail(Errc::kConflict, "cannot open " + path + ": it is a folder");
  } else if (options.truncate && !inode->now.empty()) {
    state_->give_space(inode->now.size());
    inode->now.clear();
    inode->unsynced.push_back({.offset = 0, .bytes = {}, .resize = true});
  }
  options.direct = options.direct && state_->direct;
  return std::make_unique<OpenFile>(state_, std::move(inode), path, options);
}

Status FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  if (auto error = state_->refuse(FileOperation::kRename, to)) {
    return std::unexpected(*std::move(error));
  }
  const auto inode = state_->find(from);
  if (inode == nullptr || !state_->has_directory(parent_directory(to))) {
    return fail_errno(ENOENT, "cannot rename " + from + " to " + to);
  }
  if (inode->directory || state_->has_directory(to)) {
    return fail(Errc::kConflict, "cannot rename " + from + " to " + to + ": it is a folder");
  }
  state_->change_names({.directories = {parent_directory(from), parent_directory(to)},
                        .removed = from,
                        .added = to,
                        .inode = inode});
  return {};
}

Status FaultyFileSystem::rename_new(const std::string& from, const std::string& to) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->find(to) != nullptr) {
      return fail_errno(EEXIST, "cannot rename " + from + " to " + to);
    }
  }
  return rename(from, to);
}

Status FaultyFileSystem::remove(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (auto error = state_->refuse(FileOperation::kRemove, path)) {
    return std::unexpected(*std::move(error));
  }
  if (state_->find(path) == nullptr) {
    return fail_errno(ENOENT, "cannot remove " + path);
  }
  const auto next = state_->names.upper_bound(path + "/");
  if (next != state_->names.end() && next->first.starts_with(path + "/")) {
    return fail(Errc::kConflict, "cannot remove " + path + ": the folder is not empty");
  }
  state_->change_names(
      {.directories = {parent_directory(path)}, .removed = path, .added = {}, .inode = nullptr});
  return {};
}

Result<std::vector<DirectoryEntry>> FaultyFileSystem::list(const std::string& directory) {
  const std::lock_guard lock(state_->mutex);
  if (auto error = state_->refuse(FileOperation::kList, directory)) {
    return std::unexpected(*std::move(error));
  }
  if (!state_->has_directory(directory)) {
    return fail_errno(ENOENT, "cannot list " + directory);
  }
  std::vector<DirectoryEntry> entries;
  const std::string prefix = directory == "/" ? "/" : directory + "/";
  for (auto at = state_->names.lower_bound(prefix);
       at != state_->names.end() && at->first.starts_with(prefix); ++at) {
    const std::string name = at->first.substr(prefix.size());
    if (name.find('/') == std::string::npos) {
      entries.push_back({name, at->second->directory});
    }
  }
  std::ranges::sort(entries, {}, &DirectoryEntry::name);
  return entries;
}

Status FaultyFileSystem::make_directories(const std::string& directory) {
  const std::string parent = parent_directory(directory);
  if (parent == directory || directory == ".") {
    return {};
  }
  LEAT_TRY(make_directories(parent));
  {
    const std::lock_guard lock(state_->mutex);
    if (auto error = state_->refuse(FileOperation::kMakeDirectory, directory)) {
      return std::unexpected(*std::move(error));
    }
    const auto existing = state_->find(directory);
    if (existing != nullptr && !existing->directory) {
      return fail(Errc::kConflict, "cannot make folder, a file has its name; " + directory);
    }
    if (existing == nullptr) {
      state_->change_names({.directories = {parent},
                            .removed = {},
                            .added = directory,
                            .inode = state_->make_inode(true)});
    }
  }
  return sync_directory(parent);
}

Status FaultyFileSystem::sync_directory(const std::string& directory) {
  const std::lock_guard lock(state_->mutex);
  if (auto error = state_->refuse(FileOperation::kSyncDirectory, directory)) {
    return std::unexpected(*std::move(error));
  }
  if (!state_->has_directory(directory)) {
    return fail_errno(ENOENT, "cannot sync folder " + directory);
  }
  std::erase_if(state_->pending, [&](const NameChange& change) {
    const bool here = change.directories.contains(directory);
    if (here) {
      change.apply(state_->durable_names);
    }
    return here;
  });
  return {};
}

Result<FileInfo> FaultyFileSystem::stat(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (auto error = state_->refuse(FileOperation::kStat, path)) {
    return std::unexpected(*std::move(error));
  }
  if (state_->has_directory(path)) {
    return FileInfo{.size = 0, .directory = true, .modified = {}, .identity = 0};
  }
  const auto inode = state_->find(path);
  if (inode == nullptr) {
    return fail_errno(ENOENT, "cannot examine " + path);
  }
  return FileInfo{
      .size = inode->now.size(), .directory = false, .modified = {}, .identity = inode->identity};
}

Result<std::unique_ptr<FileLock>> FaultyFileSystem::lock(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (auto error = state_->refuse(FileOperation::kLock, path)) {
    return std::unexpected(*std::move(error));
  }
  if (!state_->locks.emplace(path, state_->generation).second) {
    return fail(Errc::kConflict, "another process holds the lock; " + path);
  }
  return std::make_unique<HeldLock>(state_, path);
}

}  // namespace leat::io
