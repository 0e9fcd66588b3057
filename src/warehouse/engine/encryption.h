// What DuckDB needs to write encrypted files.
//
// The library itself only reads them; the cryptography that writes (OpenSSL's AES-256-GCM and its
// random numbers) is in DuckDB's own signed extension httpfs, a file beside the library. What else
// the extension brings, reading over HTTP, is closed like all access outside of the named
// directories.
#pragma once

#include <string>

#include "base/error.h"

namespace leat::engine {

class Connection;

/// Where the extension must be: beside the library. Any thread.
[[nodiscard]] std::string encryption_extension();

/// kNotFound, with the next step, when the extension is not there. Any thread.
[[nodiscard]] Status check_encryption_extension();

/// Loads it, and encrypts temporary files of the connection's database from now on. Only before
/// access outside of the directories is closed. Errors: kNotFound; kUnsupported for one of another
/// version of DuckDB or without its signature.
[[nodiscard]] Status load_encryption(Connection& connection);

}  // namespace leat::engine
