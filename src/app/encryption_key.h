// The key of the warehouse's files: a file that only its owner reads.
#pragma once

#include <string>

#include "app/config.h"
#include "base/error.h"
#include "base/random.h"

namespace leat::app {

struct EncryptionKey {
  std::string text{};  ///< As the engine takes it: base64. Never shown. Empty: files are plain.
  std::string id{};    ///< 16 hexadecimal digits that tell keys apart; says nothing of the key.
};

/// Reads a key of 32 to 1024 bytes, written as base64 or as hexadecimal digits. Errors: kDenied
/// when others than its owner may read the file; kInvalid when it holds no key; as fail_errno.
[[nodiscard]] Result<EncryptionKey> read_encryption_key(const std::string& path);

/// That of warehouse.encryption_key_file; an empty one when it is not set.
[[nodiscard]] Result<EncryptionKey> configured_key(const Config& config);

/// Writes a new key into the file `path`, which must not exist (0600). Errors: kConflict; as
/// fail_errno.
[[nodiscard]] Result<EncryptionKey> make_encryption_key(const std::string& path, Random& random);

}  // namespace leat::app
