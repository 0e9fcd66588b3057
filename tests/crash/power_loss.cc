// power_loss.so: preloaded into `leat`, it makes the machine lose power at a chosen system call.
//
// Every write below LEAT_POWER_DIR is remembered with the bytes it replaced until the file is
// synced. At the chosen call the library undoes what no sync has made durable (wholly, partly or
// torn at a 512-byte sector, by seed) and kills the process with SIGKILL. What is left in the
// folder is what a disk could hold after the power came back.
//
//   LEAT_POWER_DIR=/data            only files below it count
//   LEAT_POWER_AT=sync:17           the call (any|write|sync|rename|unlink|open, or a statement
//                                   that the loader sends: copy|commit) and its number
//   LEAT_POWER_MODE=kill|drop|torn  kill: keep everything written; drop: undo all unsynced;
//                                   torn: undo a random part
//   LEAT_POWER_SEED=1
//
// A statement is caught where libpq sends it; by seed the power goes before that, or some
// milliseconds into the warehouse's work on it.
//
// The model is that of ext4 with ordered data: syncing a file also makes its own name durable; a
// rename, a new name or a removal becomes durable when its directory is synced, or with the file
// itself. Writes through mmap are not seen. Any thread; one lock orders all calls.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace {

using FileId = std::pair<dev_t, ino_t>;

enum class Undo { kBytes, kRename, kCreate, kUnlink };

/// One change that a power loss may take back.
struct Change {
  Change(Undo what, FileId id, std::string in_folder, std::string name)
      : kind(what), file(id), folder(std::move(in_folder)), path(std::move(name)) {}
  Undo kind;
  FileId file;            // the file whose sync makes it durable
  std::string folder;     // the folder whose sync makes a name durable; empty for bytes
  std::string path;       // the file, or the new name
  std::uint64_t age = 0;  // order of remembering, from 1
  off_t offset = 0;
  off_t old_size = 0;
  std::string
      bytes;  // kBytes: what was there before (shorter than the write when it grew the file)
  std::size_t length = 0;
  std::string other;   // kRename: the old name
  std::string backup;  // hidden hard link to what a rename replaced or an unlink removed
};

struct State {
  std::mutex mutex;
  std::string dir;
  std::string call;
  long at = -1;
  long seen = 0;
  enum class Mode { kKill, kDrop, kTorn } mode = Mode::kKill;
  std::uint64_t random = 1;
  long backups = 0;
  std::uint64_t age = 0;
  std::vector<Change> changes;
  std::map<int, std::string> paths;  // open descriptors below dir
};

thread_local bool inside = false;  // our own calls are not intercepted

template <class F>
F next(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

State& state() {
  static State* const kState = [] {
    auto* s = new State;  // lives until the process dies, whatever the order of destructors
    const char* dir = std::getenv("LEAT_POWER_DIR");
    const char* at = std::getenv("LEAT_POWER_AT");
    const char* mode = std::getenv("LEAT_POWER_MODE");
    const char* seed = std::getenv("LEAT_POWER_SEED");
    char real[PATH_MAX];
    if (dir != nullptr && realpath(dir, real) != nullptr) s->dir = std::string(real) + "/";
    if (at != nullptr) {
      const std::string text = at;
      const std::size_t colon = text.find(':');
      s->call = text.substr(0, colon);
      if (colon != std::string::npos) s->at = std::atol(text.c_str() + colon + 1);
    }
    if (mode != nullptr && std::strcmp(mode, "drop") == 0) s->mode = State::Mode::kDrop;
    if (mode != nullptr && std::strcmp(mode, "torn") == 0) s->mode = State::Mode::kTorn;
    if (seed != nullptr) s->random = static_cast<std::uint64_t>(std::atoll(seed)) * 2 + 1;
    return s;
  }();
  return *kState;
}

std::uint64_t draw(State& s) {
  s.random = s.random * 6364136223846793005ULL + 1442695040888963407ULL;
  return s.random >> 33;
}

std::string absolute(const char* path) {
  if (path[0] == '/') return path;
  char cwd[PATH_MAX];
  return getcwd(cwd, sizeof cwd) != nullptr ? std::string(cwd) + "/" + path : path;
}

bool counts(const State& s, const std::string& path) {
  return !s.dir.empty() && path.starts_with(s.dir);
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

FileId id_of(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 ? FileId{info.st_dev, info.st_ino} : FileId{};
}

void undo_bytes(State& s, const Change& change) {
  std::size_t keep = 0;  // bytes of the write that reached the disk
  if (s.mode == State::Mode::kTorn) {
    const std::size_t sectors = change.length / 512 + 1;
    keep = std::min(change.length, draw(s) % (sectors + 1) * 512);
  }
  const int fd = next<int (*)(const char*, int, ...)>("open")(change.path.c_str(), O_RDWR);
  if (fd < 0) return;
  if (keep < change.bytes.size()) {
    (void)!next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(
        fd, change.bytes.data() + keep, change.bytes.size() - keep,
        change.offset + static_cast<off_t>(keep));
  }
  const off_t grown_to = change.offset + static_cast<off_t>(keep);
  const off_t size = keep == 0 ? change.old_size : std::max(change.old_size, grown_to);
  struct stat info{};
  if (fstat(fd, &info) == 0 && info.st_size > size) {
    (void)!next<int (*)(int, off_t)>("ftruncate")(fd, size);
  }
  (void)close(fd);
}

void undo(State& s, const Change& change) {
  switch (change.kind) {
    case Undo::kBytes:
      undo_bytes(s, change);
      break;
    case Undo::kCreate:
      (void)next<int (*)(const char*)>("unlink")(change.path.c_str());
      break;
    case Undo::kRename:
      (void)next<int (*)(const char*, const char*)>("rename")(change.path.c_str(),
                                                              change.other.c_str());
      [[fallthrough]];
    case Undo::kUnlink:
      if (!change.backup.empty()) {
        (void)next<int (*)(const char*, const char*)>("rename")(change.backup.c_str(),
                                                                change.path.c_str());
      }
      break;
  }
}

[[noreturn]] void lose_power(State& s) {
  inside = true;
  if (s.mode != State::Mode::kKill) {
    for (auto change = s.changes.rbegin(); change != s.changes.rend(); ++change) {
      // A torn loss lets some unsynced changes survive: disks reorder.
      if (s.mode == State::Mode::kTorn && draw(s) % 3 == 0) continue;
      undo(s, *change);
    }
  }
  (void)kill(getpid(), SIGKILL);
  for (;;) pause();
}

/// Called with the lock held, before the call is made.
void reached(State& s, const char* call) {
  if (s.call != "any" && s.call != call) return;
  if (++s.seen == s.at) lose_power(s);
}

void remember(State& s, Change change) {
  change.age = ++s.age;
  s.changes.push_back(std::move(change));
}

/// Makes the changes that `matches` durable, if they are not younger than `age`.
template <class Match>
void forget(State& s, std::uint64_t age, Match matches) {
  std::erase_if(s.changes, [&](const Change& change) {
    if (change.age > age || !matches(change)) return false;
    if (!change.backup.empty()) (void)next<int (*)(const char*)>("unlink")(change.backup.c_str());
    return true;
  });
}

std::string make_backup(State& s, const std::string& path) {
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  // Beside the watched folder, so that the program never lists it.
  std::string parent = s.dir.substr(0, s.dir.size() - 1);
  std::string backup =
      parent + ".lost." + std::to_string(getpid()) + "." + std::to_string(++s.backups);
  return link(path.c_str(), backup.c_str()) == 0 ? backup : std::string();
}

void remember_bytes(State& s, const std::string& path, off_t offset, std::size_t length) {
  Change change(Undo::kBytes, id_of(path), {}, path);
  change.offset = offset;
  change.length = length;
  const int fd = next<int (*)(const char*, int, ...)>("open")(path.c_str(), O_RDONLY);
  if (fd < 0) return;
  struct stat info{};
  if (fstat(fd, &info) == 0) change.old_size = info.st_size;
  change.bytes.resize(length);
  const ssize_t got = pread(fd, change.bytes.data(), length, offset);
  change.bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  (void)close(fd);
  remember(s, std::move(change));
}

/// Runs `call` as a write of `length` bytes at `offset` (-1: the descriptor's position).
template <class Call>
auto as_write(int fd, off_t offset, std::size_t length, Call call) {
  State& s = state();
  if (inside || s.dir.empty()) return call();
  const std::lock_guard lock(s.mutex);
  const auto path = s.paths.find(fd);
  if (path == s.paths.end()) return call();
  inside = true;
  reached(s, "write");
  if (offset < 0) {
    const bool append = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
    offset = lseek(fd, 0, SEEK_CUR);
    struct stat info{};
    if (append && fstat(fd, &info) == 0) offset = info.st_size;
  }
  remember_bytes(s, path->second, offset, length);
  const auto result = call();
  inside = false;
  return result;
}

template <class Call>
int as_sync(int fd, Call call) {
  State& s = state();
  if (inside || s.dir.empty()) return call();
  std::string path;
  std::uint64_t age = 0;
  {
    const std::lock_guard lock(s.mutex);
    const auto found = s.paths.find(fd);
    if (found == s.paths.end()) return call();
    path = found->second;
    inside = true;
    reached(s, "sync");
    inside = false;
    age = s.age;
  }
  // Not under the lock, so that other threads go on as they do without us. What is written after
  // the sync began is younger than `age` and stays unsynced.
  const int result = call();
  const std::lock_guard lock(s.mutex);
  inside = true;
  if (result == 0) {
    struct stat info{};
    if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
      forget(s, age, [&](const Change& change) { return change.folder == path; });
    } else {
      const FileId file = id_of(path);
      forget(s, age, [&](const Change& change) { return change.file == file; });
    }
  }
  inside = false;
  return result;
}

int opened(const char* path, int flags, int fd, bool existed) {
  State& s = state();
  if (inside || s.dir.empty() || fd < 0) return fd;
  const std::lock_guard lock(s.mutex);
  inside = true;
  char real[PATH_MAX];
  const std::string name = realpath(path, real) != nullptr ? real : absolute(path);
  if (counts(s, name + "/")) {
    s.paths[fd] = name;
    if ((flags & O_CREAT) != 0 && !existed) {
      reached(s, "open");
      remember(s, Change(Undo::kCreate, id_of(name), folder_of(name), name));
    }
  }
  inside = false;
  return fd;
}

template <class Call>
int as_rename(const char* from, const char* to, Call call) {
  State& s = state();
  const std::string new_name = absolute(to);
  if (inside || !counts(s, new_name)) return call();
  const std::lock_guard lock(s.mutex);
  inside = true;
  reached(s, "rename");
  Change change(Undo::kRename, id_of(from), folder_of(new_name), new_name);
  change.other = absolute(from);
  change.backup = make_backup(s, new_name);
  const int result = call();
  if (result == 0) remember(s, std::move(change));
  inside = false;
  return result;
}

template <class Call>
int as_unlink(const char* path, Call call) {
  State& s = state();
  const std::string name = absolute(path);
  if (inside || !counts(s, name)) return call();
  const std::lock_guard lock(s.mutex);
  inside = true;
  reached(s, "unlink");
  Change change(Undo::kUnlink, FileId{}, folder_of(name), name);
  change.backup = make_backup(s, name);
  const int result = call();
  if (result == 0 && !change.backup.empty()) remember(s, std::move(change));
  inside = false;
  return result;
}

std::size_t total(const iovec* parts, int count) {
  std::size_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  return size;
}

/// The call that a statement counts as; nullptr: none.
const char* statement_call(const char* sql) {
  if (strncasecmp(sql, "COPY ", 5) == 0) return "copy";
  if (strncasecmp(sql, "COMMIT", 6) == 0) return "commit";
  return nullptr;
}

/// True when the power is to go while the server works on this statement.
bool power_goes_after(const char* sql) {
  State& s = state();
  const char* call = statement_call(sql);
  if (s.dir.empty() || call == nullptr || s.call != call) return false;
  const std::lock_guard lock(s.mutex);
  if (++s.seen != s.at) return false;
  if (draw(s) % 3 == 0) lose_power(s);
  return true;
}

}  // namespace

extern "C" {
// NOLINTBEGIN(readability-identifier-naming): the C library's names.

ssize_t write(int fd, const void* data, size_t size) {
  return as_write(fd, -1, size, [&] {
    return next<ssize_t (*)(int, const void*, size_t)>("write")(fd, data, size);
  });
}
ssize_t writev(int fd, const iovec* parts, int count) {
  return as_write(fd, -1, total(parts, count), [&] {
    return next<ssize_t (*)(int, const iovec*, int)>("writev")(fd, parts, count);
  });
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  return as_write(fd, offset, size, [&] {
    return next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(fd, data, size, offset);
  });
}
ssize_t pwrite64(int fd, const void* data, size_t size, off_t offset) {
  return pwrite(fd, data, size, offset);
}
ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
  return as_write(fd, offset, total(parts, count), [&] {
    return next<ssize_t (*)(int, const iovec*, int, off_t)>("pwritev")(fd, parts, count, offset);
  });
}
int ftruncate(int fd, off_t size) {
  State& s = state();
  struct stat info{};
  off_t old = 0;
  if (fstat(fd, &info) == 0) old = info.st_size;
  (void)s;
  // A cut loses bytes that may have to come back; growing only has its size undone.
  return as_write(fd, size < old ? size : old, size < old ? static_cast<size_t>(old - size) : 0,
                  [&] { return next<int (*)(int, off_t)>("ftruncate")(fd, size); });
}
int ftruncate64(int fd, off_t size) {
  return ftruncate(fd, size);
}

int fsync(int fd) {
  return as_sync(fd, [&] { return next<int (*)(int)>("fsync")(fd); });
}
int fdatasync(int fd) {
  return as_sync(fd, [&] { return next<int (*)(int)>("fdatasync")(fd); });
}

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const auto mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  const bool existed = access(path, F_OK) == 0;
  return opened(path, flags, next<int (*)(const char*, int, ...)>("open")(path, flags, mode),
                existed);
}
int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const auto mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  return open(path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const auto mode = static_cast<mode_t>(va_arg(list, int));
  va_end(list);
  if (folder == AT_FDCWD || path[0] == '/') return open(path, flags, mode);
  const int fd = next<int (*)(int, const char*, int, ...)>("openat")(folder, path, flags, mode);
  char link_path[64];
  (void)std::snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", fd);
  return opened(link_path, flags & ~O_CREAT, fd, true);
}
int close(int fd) {
  State& s = state();
  if (!inside && !s.dir.empty()) {
    const std::lock_guard lock(s.mutex);
    s.paths.erase(fd);
  }
  return next<int (*)(int)>("close")(fd);
}
int rename(const char* from, const char* to) {
  return as_rename(from, to,
                   [&] { return next<int (*)(const char*, const char*)>("rename")(from, to); });
}
int unlink(const char* path) {
  return as_unlink(path, [&] { return next<int (*)(const char*)>("unlink")(path); });
}
int remove(const char* path) noexcept {
  struct stat info{};
  if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) return rmdir(path);
  return unlink(path);
}

struct pg_conn;
int PQsendQuery(pg_conn* connection, const char* sql) {
  const bool last = power_goes_after(sql);
  const int sent = next<int (*)(pg_conn*, const char*)>("PQsendQuery")(connection, sql);
  if (last) {
    State& s = state();
    std::unique_lock lock(s.mutex);
    const auto wait_us = static_cast<useconds_t>(draw(s) % 20000);
    lock.unlock();
    (void)usleep(wait_us);  // a moment of chance within the statement is what this is for
    lock.lock();
    lose_power(s);
  }
  return sent;
}

// NOLINTEND(readability-identifier-naming)
}
