// What gives out temporary credentials over HTTP: STS, IAM Identity Center (SSO), the container's
// endpoint, EC2's metadata. Each function is one exchange and its few repetitions; which one is
// asked, and when, is aws/credential_chain.cc's.
#pragma once

#include <string>
#include <string_view>

#include "aws/credential_chain.h"
#include "aws/service_call.h"

namespace leat::aws {

/// `form` begins with Action and Version. Signed with `signer`, or not at all when it is null.
[[nodiscard]] Result<Credentials> ask_sts(const ServiceContext& context, const Form& form,
                                          const Credentials* signer);

struct SsoLogin {
  std::string session;  ///< Name of the sso-session; empty: the old form.
  std::string start_url;
  std::string region;
  std::string account_id;
  std::string role_name;
};
/// `home` holds .aws/sso/cache. Refreshes and writes back the cached token when it can.
[[nodiscard]] Result<Credentials> ask_sso(const ServiceContext& context, const SsoLogin& login,
                                          const std::string& home);

/// By AWS_CONTAINER_CREDENTIALS_*; one of them is set.
[[nodiscard]] Result<Credentials> ask_container(const ServiceContext& context);

/// kNotFound: no metadata service answers here, or the machine has no role.
[[nodiscard]] Result<Credentials> ask_instance(const ServiceContext& context);
/// The region of this EC2 machine. kNotFound as above.
[[nodiscard]] Result<std::string> ask_instance_region(const ServiceContext& context);

/// {"AccessKeyId","SecretAccessKey",...} of containers, metadata and processes. `token_name` is the
/// session token's member. Errors: kInvalid, naming `source`, never showing a member's value.
[[nodiscard]] Result<Credentials> credentials_of_json(std::string_view json,
                                                      std::string_view token_name,
                                                      std::string_view source);

}  // namespace leat::aws
