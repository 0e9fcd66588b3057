#include "app/object_storage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "aws/credential_chain.h"
#include "aws/service_call.h"
#include "base/digest.h"
#include "io/directory_object_store.h"

namespace leat::app {
namespace {

aws::Addressing addressing_of(const std::string& text) {
  if (text == "path") return aws::Addressing::kPath;
  if (text == "host") return aws::Addressing::kVirtualHost;
  return aws::Addressing::kAuto;
}

Result<std::unique_ptr<aws::CredentialSource>> credentials_of(
    const Config& config, const aws::CredentialChainOptions& chain) {
  if (config.store_access_key_id.empty() != config.store_secret_access_key.empty()) {
    return fail(Errc::kInvalid,
                "store.access_key_id and store.secret_access_key belong together; set both, or "
                "none to use what AWS's own tools would");
  }
  if (!config.store_access_key_id.empty()) {
    return std::make_unique<aws::FixedCredentials>(
        aws::Secret{config.store_access_key_id, config.store_secret_access_key, ""});
  }
  return std::make_unique<aws::CredentialChain>(chain);
}

// A server of one's own has one region, and most do not mind its name.
Result<std::string> region_of(const Config& config, const std::string& endpoint,
                              const aws::CredentialChainOptions& chain) {
  if (!config.store_region.empty()) return config.store_region;
  aws::CredentialChainOptions asked = chain;
  if (!endpoint.empty()) asked.environment["AWS_EC2_METADATA_DISABLED"] = "true";
  LEAT_ASSIGN(std::string region, aws::resolve_region(asked));
  if (!region.empty()) return region;
  if (!endpoint.empty()) return std::string("us-east-1");
  return fail(Errc::kInvalid,
              "no region for S3 is known; set store.region (or AWS_REGION) to the bucket's");
}

struct StoreKey {
  std::string_view name;
  std::string Config::* value;
  std::string_view usual = "";
};

constexpr std::array kKeysOfS3 = {StoreKey{"region", &Config::store_region},
                                  StoreKey{"endpoint", &Config::store_endpoint},
                                  StoreKey{"addressing", &Config::store_addressing, "auto"},
                                  StoreKey{"encryption", &Config::store_encryption, "bucket"},
                                  StoreKey{"kms_key", &Config::store_kms_key},
                                  StoreKey{"ca_bundle", &Config::store_ca_bundle}};
// COPY may take these, wherever the archive is.
constexpr std::array kKeysOfCredentials = {
    StoreKey{"profile", &Config::store_profile},
    StoreKey{"access_key_id", &Config::store_access_key_id},
    StoreKey{"secret_access_key", &Config::store_secret_access_key}};

// Events would be kept where nobody looks for them.
Status refuse_if_set(const Config& config, const StoreKey& key, std::string_view kind) {
  if (config.*key.value == key.usual) return {};
  const auto origin = config.origins.find(fmt::format("store.{}", key.name));
  return fail(Errc::kInvalid,
              fmt::format("store.{} ({}) is for store.kind: {}, and it is {}; set store.kind: {}, "
                          "or take the key out",
                          key.name, origin == config.origins.end() ? "set" : origin->second, kind,
                          config.store_kind, kind));
}

}  // namespace

Status check_store_keys(const Config& config) {
  if (config.store_kind != "directory") {
    return refuse_if_set(config, {"directory", &Config::store_directory}, "directory");
  }
  for (const StoreKey& key : kKeysOfS3) LEAT_TRY(refuse_if_set(config, key, "s3"));
  if (config.destination_copy_authorization == "keys") return {};
  for (const StoreKey& key : kKeysOfCredentials) LEAT_TRY(refuse_if_set(config, key, "s3"));
  return {};
}

Result<ObjectStorage> open_object_storage(const Config& config, const Environment& environment,
                                          const StorageOptions& options) {
  LEAT_TRY(check_store_keys(config));
  ObjectStorage out;
  if (config.store_kind == "directory") {
    out.directory =
        config.store_directory.empty() ? options.usual_directory : config.store_directory;
    LEAT_ASSIGN(out.store,
                io::DirectoryObjectStore::open({.files = nullptr, .root = out.directory}));
    return out;
  }
  io::HttpClient::Options http;
  http.ca_bundle = config.store_ca_bundle.empty() ? aws::variable(environment, "AWS_CA_BUNDLE")
                                                  : config.store_ca_bundle;
  LEAT_ASSIGN(out.http, io::HttpClient::open(std::move(http)));
  aws::CredentialChainOptions chain{
      .environment = environment, .profile = config.store_profile, .http = out.http.get()};
  LEAT_ASSIGN(out.credentials, credentials_of(config, chain));
  aws::S3Options s3;
  s3.http = out.http.get();
  s3.credentials = out.credentials.get();
  s3.endpoint = config.store_endpoint.empty() ? aws::configured_endpoint(environment, "S3")
                                              : config.store_endpoint;
  LEAT_ASSIGN(s3.region, region_of(config, s3.endpoint, chain));
  s3.addressing = addressing_of(config.store_addressing);
  if (!config.store_kms_key.empty() && !config.store_encryption.starts_with("aws:kms")) {
    return fail(Errc::kInvalid, fmt::format("store.kms_key means nothing with store.encryption: "
                                            "{}; set aws:kms, or take the key out",
                                            config.store_encryption));
  }
  if (config.store_encryption != "bucket") s3.encryption = config.store_encryption;
  s3.kms_key = config.store_kms_key;
  s3.attempts_max = options.attempts_max;
  s3.stop = options.stop;
  s3.metrics = options.metrics;
  out.s3_options = s3;
  LEAT_ASSIGN(auto store, aws::S3ObjectStore::open(std::move(s3)));
  out.s3 = store.get();
  out.store = std::move(store);
  return out;
}

Result<std::unique_ptr<aws::CredentialSource>> open_store_credentials(
    const Config& config, const Environment& environment, io::HttpClient& http) {
  return credentials_of(
      config, {.environment = environment, .profile = config.store_profile, .http = &http});
}

Result<std::shared_ptr<io::ObjectStore>> open_with_keys(const ObjectStorage& storage,
                                                        std::span<const dataapi::AccessKey> known,
                                                        const transfer::ObjectKeys& keys) {
  if (storage.s3 == nullptr) {
    const auto found = std::ranges::find(known, keys.access_key_id, &dataapi::AccessKey::id);
    if (found == known.end()) {
      return fail(Errc::kDenied,
                  "The AWS Access Key Id you provided does not exist in our records.");
    }
    // Digests take equally long to compare whatever is wrong.
    if (sha256(found->secret) != sha256(keys.secret_access_key) || !keys.session_token.empty()) {
      return fail(Errc::kDenied, "The secret or the token does not belong to the access key.");
    }
    return std::shared_ptr<io::ObjectStore>(std::shared_ptr<void>(), storage.store.get());
  }
  struct Keyed {
    explicit Keyed(aws::Secret secret) : credentials(std::move(secret), "the statement") {}
    aws::FixedCredentials credentials;
    std::unique_ptr<aws::S3ObjectStore> store;
  };
  auto keyed = std::make_shared<Keyed>(
      aws::Secret{keys.access_key_id, keys.secret_access_key, keys.session_token});
  aws::S3Options options = storage.s3_options;
  options.credentials = &keyed->credentials;
  options.metrics = nullptr;
  LEAT_ASSIGN(keyed->store, aws::S3ObjectStore::open(std::move(options)));
  io::ObjectStore* const store = keyed->store.get();
  return std::shared_ptr<io::ObjectStore>(std::move(keyed), store);
}

}  // namespace leat::app
