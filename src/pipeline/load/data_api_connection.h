// A destination reached through the Redshift Data API: no port of it need be open.
#pragma once

#include <expected>
#include <memory>
#include <stop_token>

#include "pipeline/load/destination.h"

namespace leat::aws {
class RedshiftData;
}

namespace leat::load {

/// Longest statement that the Data API takes, in bytes.
inline constexpr std::size_t kDataApiStatementBytesMax = 100'000;

/// Opens a session of `api` (borrowed) and sets the query group. A transaction lives in the
/// session, so that a load is the same one transaction as over libpq: it locks, looks, and decides.
/// A process that dies leaves the session, and what it has locked, to end by itself
/// session_keep_alive_s after its last statement. A session that ended between two transactions is
/// replaced by another. Any thread.
[[nodiscard]] std::expected<std::unique_ptr<Connection>, DestinationFailure> connect_data_api(
    aws::RedshiftData& api, const DestinationSettings& settings, std::stop_token stop);

}  // namespace leat::load
