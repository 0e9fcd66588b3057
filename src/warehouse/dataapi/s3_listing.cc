#include "warehouse/dataapi/s3_listing.h"

#include <algorithm>
#include <string_view>

namespace leat::dataapi {
namespace {

/// Behind a folded prefix: sorts behind every key that begins with it.
constexpr std::string_view kLast = "\xf4\x8f\xbf\xbf";
constexpr std::size_t kStorePage = 1000;

}  // namespace

Result<Listing> list_page(io::ObjectStore& store, const ListingRequest& asked) {
  Listing listing;
  listing.last = asked.after;
  if (asked.limit == 0) return listing;
  const std::string root = "s3://" + asked.bucket + "/";
  // Where prefixes fold, the keys after the first of one are read in vain: so little is asked for
  // at first, and more as long as nothing folds.
  std::size_t wanted = asked.delimiter.empty() ? kStorePage : 1;
  for (;;) {
    io::ListOptions options;
    options.start_after = listing.last.empty() ? "" : root + listing.last;
    options.limit = wanted;
    LEAT_ASSIGN(const io::ListPage page, store.list(root + asked.prefix, options));
    wanted = std::min(wanted * 8, kStorePage);
    bool folded = false;
    for (const io::ObjectInfo& object : page.objects) {
      if (listing.objects.size() + listing.prefixes.size() == asked.limit) {
        listing.truncated = true;
        return listing;
      }
      const std::string key = object.uri.substr(root.size());
      const std::size_t cut = asked.delimiter.empty()
                                  ? std::string::npos
                                  : key.find(asked.delimiter, asked.prefix.size());
      if (cut != std::string::npos) {
        listing.prefixes.push_back(key.substr(0, cut + asked.delimiter.size()));
        listing.last = listing.prefixes.back() + std::string(kLast);
        folded = true;
        break;
      }
      listing.objects.push_back(object);
      listing.last = key;
    }
    if (folded) {
      wanted = 1;
    } else if (!page.truncated) {
      return listing;
    }
  }
}

}  // namespace leat::dataapi
