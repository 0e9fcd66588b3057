// What the loading user may do in the destination, asked before a load finds out.
#pragma once

#include <expected>
#include <stop_token>
#include <string>
#include <vector>

#include "pipeline/load/destination.h"

namespace leat::load {

/// A right that loading needs and the user has not.
struct MissingRight {
  std::string detail;  ///< "user loader may not create tables in schema web"
  std::string grant;   ///< The statement with which an administrator gives it.
};

/// What is missing to load into `schemas` and to keep the ledger in settings.ledger_schema: empty
/// when nothing is. Asks the catalog only, changes nothing. Rights of the role that COPY reads S3
/// with cannot be asked for. One thread, as `connection`.
[[nodiscard]] std::expected<std::vector<MissingRight>, DestinationFailure> missing_rights(
    Connection& connection, const DestinationSettings& settings,
    const std::vector<std::string>& schemas, std::stop_token stop);

}  // namespace leat::load
