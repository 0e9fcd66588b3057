// One page of ListObjects and ListObjectsV2: keys, and prefixes where a delimiter folds them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/object_store.h"

namespace leat::dataapi {

struct ListingRequest {
  std::string bucket{};
  std::string prefix{};
  std::string delimiter{};  ///< Empty: nothing is folded.
  std::string after{};      ///< Only keys behind it; also Listing::last of the page before.
  std::size_t limit = 1000;
};

struct Listing {
  std::vector<io::ObjectInfo> objects{};
  std::vector<std::string> prefixes{};
  bool truncated = false;
  std::string last{};  ///< What the next page begins behind.
};

/// Errors: those of ObjectStore::list. Any thread.
[[nodiscard]] Result<Listing> list_page(io::ObjectStore& store, const ListingRequest& asked);

}  // namespace leat::dataapi
