// The calls by which AWS clients get into a warehouse: temporary passwords, and where it listens.
// Redshift and STS (query protocol, XML) and Redshift Serverless (JSON 1.1).
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "warehouse/dataapi/api.h"
#include "warehouse/dataapi/api_error.h"

namespace leat {
class Clock;
class Random;
}  // namespace leat

namespace leat::dataapi {

class Credentials {
 public:
  /// Borrows all.
  Credentials(session::Warehouse& warehouse, ClusterFacts facts, const Clock& clock, Random& random)
      : warehouse_(warehouse), facts_(std::move(facts)), clock_(clock), random_(random) {}

  /// The service whose signature the action of this form body needs: "redshift", "sts", or "" when
  /// no such action is known. Pure.
  [[nodiscard]] static std::string_view service_of(std::string_view form);
  /// The XML document that answers the form. Any thread; blocks while a user is made.
  [[nodiscard]] ApiResult<std::string> query(std::string_view form, const Caller& caller,
                                             std::string_view request_id);
  /// The XML document of an error.
  [[nodiscard]] static std::string error_xml(std::string_view service, const ApiError& error,
                                             std::string_view request_id);

  /// RedshiftServerless.`operation`.
  [[nodiscard]] ApiResult<std::string> serverless(std::string_view operation, std::string_view body,
                                                  const Caller& caller);

 private:
  struct Issued {
    std::string login;
    std::string password;
    TimeUs expires;
  };
  [[nodiscard]] Issued issue(std::string_view prefix, std::string_view user,
                             std::int64_t duration_seconds);
  [[nodiscard]] ApiStatus check_database(std::string_view database) const;
  [[nodiscard]] std::string workgroup_json() const;

  session::Warehouse& warehouse_;
  ClusterFacts facts_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace leat::dataapi
