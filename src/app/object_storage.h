// The object store that the configuration names: a folder, or S3 with the credentials that this
// machine has.
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "app/config.h"
#include "aws/credentials.h"
#include "aws/s3_object_store.h"
#include "base/metrics.h"
#include "io/http_client.h"
#include "io/object_store.h"
#include "warehouse/dataapi/access_keys.h"
#include "warehouse/transfer/object_keys.h"

namespace leat::app {

/// A store with what it stands on.
struct ObjectStorage {
  std::unique_ptr<io::HttpClient> http = {};
  std::unique_ptr<aws::CredentialSource> credentials = {};
  std::unique_ptr<io::ObjectStore> store = {};
  aws::S3ObjectStore* s3 = nullptr;  ///< `store`, when it is S3.
  aws::S3Options s3_options = {};    ///< Of `s3`.
  std::string directory = {};        ///< Of the buckets, when it is a folder.
};

struct StorageOptions {
  std::string usual_directory = {};      ///< When store.directory is empty.
  int attempts_max = 5;                  ///< Of a request to S3.
  std::stop_token stop = {};             ///< Ends requests to S3, and their repetitions.
  metrics::Registry* metrics = nullptr;  ///< Borrowed; none when null.
};

/// Errors: kInvalid, a key that store.kind has no use for, with its place.
[[nodiscard]] Status check_store_keys(const Config& config);

/// Opens it. Nothing of S3 is asked yet but, where no region is configured, the region of the
/// machine. Errors: kInvalid (keys that contradict each other), kNotFound (CA bundle).
[[nodiscard]] Result<ObjectStorage> open_object_storage(const Config& config,
                                                        const Environment& environment,
                                                        const StorageOptions& options);

/// The keys that a client of S3 would take here: store.access_key_id, or those of the chain with
/// store.profile. `http` is borrowed. Errors: kInvalid (half of a pair).
[[nodiscard]] Result<std::unique_ptr<aws::CredentialSource>> open_store_credentials(
    const Config& config, const Environment& environment, io::HttpClient& http);

/// The buckets of `storage` as `keys` open them: S3 with these keys, which says at the first read
/// whether they are good; or the folder, if `known`, the keys of its own S3 endpoint, has them
/// (else kDenied). Borrows from `storage`. Any thread.
[[nodiscard]] Result<std::shared_ptr<io::ObjectStore>> open_with_keys(
    const ObjectStorage& storage, std::span<const dataapi::AccessKey> known,
    const transfer::ObjectKeys& keys);

}  // namespace leat::app
