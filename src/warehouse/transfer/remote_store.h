// A store that is no folder, and whose calls can fail: for the tests of this module.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "io/object_store.h"

namespace leat::transfer {

/// A store that is no folder: every object comes through get_range, which fails at the n-th call.
class RemoteStore : public io::ObjectStore {
 public:
  RemoteStore(io::ObjectStore& inside, int fail_at) : inside_(inside), fail_at_(fail_at) {}
  Result<io::ObjectInfo> put(std::string_view uri, std::string_view bytes,
                             io::PutOptions options) override {
    LEAT_TRY(count());
    return inside_.put(uri, bytes, options);
  }
  Result<std::string> get(std::string_view uri, std::uint64_t bytes_max) override {
    LEAT_TRY(count());
    return inside_.get(uri, bytes_max);
  }
  Result<std::string> get_range(std::string_view uri, std::uint64_t offset,
                                std::uint64_t length) override {
    LEAT_TRY(count());
    return inside_.get_range(uri, offset, length);
  }
  Result<io::ObjectInfo> head(std::string_view uri) override {
    LEAT_TRY(count());
    return inside_.head(uri);
  }
  Result<io::ListPage> list(std::string_view prefix, const io::ListOptions& options) override {
    LEAT_TRY(count());
    return inside_.list(prefix, options);
  }
  Status remove(std::string_view uri) override {
    LEAT_TRY(count());
    return inside_.remove(uri);
  }

 private:
  Status count() {
    if (++calls_ == fail_at_) return fail(Errc::kUnavailable, "the store is away");
    return {};
  }
  io::ObjectStore& inside_;
  int fail_at_;
  int calls_ = 0;
};

}  // namespace leat::transfer
