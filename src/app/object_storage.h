// The object store that the configuration names: a folder, or S3 with the credentials that this
// machine has.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "app/config.h"
#include "aws/credentials.h"
#include "aws/s3_object_store.h"
#include "base/metrics.h"
#include "io/http_client.h"
#include "io/object_store.h"

namespace leat::app {

/// A store with what it stands on.
struct ObjectStorage {
  std::unique_ptr<io::HttpClient> http = {};
  std::unique_ptr<aws::CredentialSource> credentials = {};
  std::unique_ptr<io::ObjectStore> store = {};
  aws::S3ObjectStore* s3 = nullptr;  ///< `store`, when it is S3.
  std::string directory = {};        ///< Of the buckets, when it is a folder.
};

struct StorageOptions {
  std::string usual_directory = {};      ///< When store.directory is empty.
  int attempts_max = 5;                  ///< Of a request to S3.
  std::stop_token stop = {};             ///< Ends requests to S3, and their repetitions.
  metrics::Registry* metrics = nullptr;  ///< Borrowed; none when null.
};

/// Opens it. Nothing of S3 is asked yet but, where no region is configured, the region of the
/// machine. Errors: kInvalid (keys that contradict each other), kNotFound (CA bundle).
[[nodiscard]] Result<ObjectStorage> open_object_storage(const Config& config,
                                                        const Environment& environment,
                                                        const StorageOptions& options);

}  // namespace leat::app
