#include "aws/credential_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "aws/credential_services.h"
#include "aws/profile_file.h"
#include "base/check.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"

namespace leat::aws {
namespace {

constexpr std::int64_t kRefreshFrom = 15 * kUsPerMinute;
constexpr std::int64_t kRefreshAtLast = 10 * kUsPerMinute;
constexpr std::int64_t kAfterFailedRefresh = kUsPerMinute;

CredentialChainOptions completed(CredentialChainOptions options) {
  LEAT_CHECK(options.http != nullptr);
  if (options.files == nullptr) options.files = &io::posix_file_system();
  if (!options.process) options.process = run_process;
  use_machine_where_missing(options.clock, options.random, options.wait);
  return options;
}

ServiceContext context_of(const CredentialChainOptions& options, std::string region) {
  return {.environment = options.environment,
          .http = *options.http,
          .files = *options.files,
          .clock = *options.clock,
          .random = *options.random,
          .wait = options.wait,
          .region = std::move(region)};
}

// Both profile files, read once for one search.
class Profiles {
 public:
  static Result<Profiles> read(const CredentialChainOptions& options) {
    Profiles out;
    const std::string home = variable(options.environment, "HOME");
    const auto path = [&](const char* name, const char* usual) {
      std::string given = variable(options.environment, name);
      if (given.starts_with("~/")) given = home + given.substr(1);
      return given.empty() ? home + usual : given;
    };
    out.config_path_ = path("AWS_CONFIG_FILE", "/.aws/config");
    out.credentials_path_ = path("AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials");
    LEAT_ASSIGN(out.config_, load(*options.files, out.config_path_));
    LEAT_ASSIGN(out.credentials_, load(*options.files, out.credentials_path_));
    return out;
  }

  static std::string name_of(const CredentialChainOptions& options) {
    for (const std::string& name : {options.profile, variable(options.environment, "AWS_PROFILE"),
                                    variable(options.environment, "AWS_DEFAULT_PROFILE")}) {
      if (!name.empty()) return name;
    }
    return "default";
  }

  [[nodiscard]] const Settings* config(const std::string& profile) const {
    if (const Settings* found = section(config_, "profile " + profile)) return found;
    return profile == "default" ? section(config_, "default") : nullptr;
  }
  [[nodiscard]] const Settings* credentials(const std::string& profile) const {
    return section(credentials_, profile);
  }
  [[nodiscard]] const Settings* session(const std::string& name) const {
    return section(config_, "sso-session " + name);
  }
  [[nodiscard]] bool exists(const std::string& profile) const {
    return config(profile) != nullptr || credentials(profile) != nullptr;
  }
  // Of the profile in either file.
  [[nodiscard]] std::string setting(const std::string& profile, const std::string& name) const {
    for (const Settings* from : {config(profile), credentials(profile)}) {
      const std::string value = of(from, name);
      if (!value.empty()) return value;
    }
    return "";
  }
  static std::string of(const Settings* settings, const std::string& name) {
    if (settings == nullptr) return "";
    const auto found = settings->find(name);
    return found == settings->end() ? "" : found->second;
  }
  [[nodiscard]] const std::string& config_path() const { return config_path_; }
  [[nodiscard]] const std::string& credentials_path() const { return credentials_path_; }

 private:
  static const Settings* section(const Sections& sections, const std::string& name) {
    const auto found = sections.find(name);
    return found == sections.end() ? nullptr : &found->second;
  }
  // A file that is not there has no sections.
  static Result<Sections> load(io::FileSystem& files, const std::string& path) {
    constexpr std::uint64_t kBytesMax = 1U << 20U;
    auto text = io::read_file(files, path, kBytesMax);
    if (!text && text.error().code == Errc::kNotFound) return Sections();
    if (!text) return std::unexpected(std::move(text.error()));
    return parse_profile_text(*text, path);
  }

  Sections config_;
  Sections credentials_;
  std::string config_path_;
  std::string credentials_path_;
};

// One search through the sources.
class Search {
 public:
  Search(const CredentialChainOptions& options, const Profiles& profiles, std::string region)
      : options_(options), profiles_(profiles), context_(context_of(options, std::move(region))) {}

  Result<Credentials> run() {
    using Source = std::optional<Credentials>;
    for (const auto source : {&Search::environment, &Search::profile, &Search::web_identity,
                              &Search::container, &Search::instance}) {
      LEAT_ASSIGN(Source found, (this->*source)());
      if (found) return std::move(*found);
    }
    std::string tried;
    for (const std::string& line : tried_) tried += (tried.empty() ? "" : "; ") + line;
    return fail(Errc::kDenied,
                fmt::format("no AWS credentials found: {}; set AWS_ACCESS_KEY_ID and "
                            "AWS_SECRET_ACCESS_KEY, name a profile, or give the machine a role",
                            tried));
  }

 private:
  using Found = Result<std::optional<Credentials>>;

  Found passed_over(std::string reason) {
    tried_.push_back(std::move(reason));
    return std::nullopt;
  }

  [[nodiscard]] std::string env(const char* name) const {
    return variable(options_.environment, name);
  }

  Found environment();
  Found profile();
  Found web_identity();
  Found container();
  Found instance();

  Found of_profile(const std::string& name, std::set<std::string>& seen);
  Found assume_role(const std::string& name, std::set<std::string>& seen);
  Result<Credentials> role_caller(const std::string& name, std::set<std::string>& seen);
  Found sso(const std::string& name);
  Found login_session(const std::string& name);
  Found process(const std::string& name);
  [[nodiscard]] Found keys_of(const Settings* settings, const std::string& source) const;
  Result<Credentials> with_token_file(const std::string& role, const std::string& session,
                                      const std::string& file);
  [[nodiscard]] std::string session_name(const std::string& given) const;

  const CredentialChainOptions& options_;
  const Profiles& profiles_;
  ServiceContext context_;
  std::vector<std::string> tried_;
};

std::unexpected<Error> in_source(std::string_view source, Error error) {
  error.message = fmt::format("{}: {}", source, error.message);
  return std::unexpected(std::move(error));
}

Search::Found Search::environment() {
  if (!options_.profile.empty()) {
    return passed_over("the environment was not asked, because a profile is configured");
  }
  const std::string key = env("AWS_ACCESS_KEY_ID");
  const std::string secret = env("AWS_SECRET_ACCESS_KEY");
  if (key.empty() && secret.empty()) {
    return passed_over("the environment has no AWS_ACCESS_KEY_ID");
  }
  if (key.empty() || secret.empty()) {
    return fail(Errc::kDenied,
                fmt::format("the environment has {} without {}; set both or none",
                            key.empty() ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID",
                            key.empty() ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY"));
  }
  return Credentials{.secret = {key, secret, env("AWS_SESSION_TOKEN")},
                     .expires = parse_iso8601(env("AWS_CREDENTIAL_EXPIRATION")),
                     .source = "the environment"};
}

Search::Found Search::profile() {
  const std::string name = Profiles::name_of(options_);
  const bool chosen = !options_.profile.empty() || !env("AWS_PROFILE").empty() ||
                      !env("AWS_DEFAULT_PROFILE").empty();
  if (!profiles_.exists(name)) {
    const std::string where =
        fmt::format("{} and {}", profiles_.config_path(), profiles_.credentials_path());
    if (chosen) {
      return fail(Errc::kDenied, fmt::format("profile {} is in neither of {}; correct its name, or "
                                             "make it with `aws configure --profile {}`",
                                             name, where, name));
    }
    return passed_over(fmt::format("profile {} is in neither of {}", name, where));
  }
  std::set<std::string> seen;
  auto found = of_profile(name, seen);
  if (!found) return in_source(fmt::format("profile {}", name), std::move(found.error()));
  if (*found) return found;
  return passed_over(fmt::format("profile {} has neither keys nor a way to get some", name));
}

Search::Found Search::keys_of(const Settings* settings, const std::string& source) const {
  const std::string key = Profiles::of(settings, "aws_access_key_id");
  const std::string secret = Profiles::of(settings, "aws_secret_access_key");
  if (key.empty() && secret.empty()) return std::nullopt;
  if (key.empty() || secret.empty()) {
    return fail(Errc::kDenied, fmt::format("{} has only one of aws_access_key_id and "
                                           "aws_secret_access_key; add the other",
                                           source));
  }
  std::string token = Profiles::of(settings, "aws_session_token");
  if (token.empty()) token = Profiles::of(settings, "aws_security_token");
  return Credentials{.secret = {key, secret, token}, .source = source};
}

Search::Found Search::of_profile(const std::string& name, std::set<std::string>& seen) {
  if (!seen.insert(name).second) {
    return fail(Errc::kDenied, fmt::format("source_profile leads back to {}; correct {}", name,
                                           profiles_.config_path()));
  }
  const std::string role = profiles_.setting(name, "role_arn");
  const std::string token_file = profiles_.setting(name, "web_identity_token_file");
  if (!role.empty() && !token_file.empty()) {
    LEAT_ASSIGN(Credentials out,
                with_token_file(role, profiles_.setting(name, "role_session_name"), token_file));
    out.source = fmt::format("profile {} (role {} by web identity)", name, role);
    return out;
  }
  if (!role.empty()) return assume_role(name, seen);
  LEAT_ASSIGN(auto found, sso(name));
  if (found) return found;
  const std::string source = fmt::format("profile {} of ", name);
  LEAT_ASSIGN(found, keys_of(profiles_.credentials(name), source + profiles_.credentials_path()));
  if (found) return found;
  LEAT_ASSIGN(found, login_session(name));
  if (found) return found;
  LEAT_ASSIGN(found, process(name));
  if (found) return found;
  return keys_of(profiles_.config(name), source + profiles_.config_path());
}

// The credentials that AssumeRole is signed with.
Result<Credentials> Search::role_caller(const std::string& name, std::set<std::string>& seen) {
  const std::string source = profiles_.setting(name, "source_profile");
  const std::string kind = profiles_.setting(name, "credential_source");
  if (source.empty() == kind.empty()) {
    return fail(Errc::kDenied, fmt::format("a role needs exactly one of source_profile and "
                                           "credential_source; correct profile {} in {}",
                                           name, profiles_.config_path()));
  }
  std::optional<Credentials> found;
  if (source == name) {  // its own keys, not its own role
    LEAT_ASSIGN(found, keys_of(profiles_.credentials(name), "source_profile " + source));
    if (!found) {
      LEAT_ASSIGN(found, keys_of(profiles_.config(name), "source_profile " + source));
    }
  } else if (!source.empty()) {
    if (!profiles_.exists(source)) {
      return fail(Errc::kDenied, fmt::format("source_profile {} does not exist; correct {}", source,
                                             profiles_.config_path()));
    }
    LEAT_ASSIGN(found, of_profile(source, seen));
  } else if (kind == "Environment") {
    LEAT_ASSIGN(found, environment());
  } else if (kind == "EcsContainer") {
    LEAT_ASSIGN(found, container());
  } else if (kind == "Ec2InstanceMetadata") {
    LEAT_ASSIGN(found, instance());
  } else {
    return fail(Errc::kDenied, fmt::format("credential_source {} is not known; allowed: "
                                           "Environment, EcsContainer, Ec2InstanceMetadata",
                                           kind));
  }
  if (found) return std::move(*found);
  return fail(Errc::kDenied,
              fmt::format("{} {} has no credentials to assume the role with; give it some",
                          source.empty() ? "credential_source" : "source_profile",
                          source.empty() ? kind : source));
}

std::string Search::session_name(const std::string& given) const {
  return given.empty() ? fmt::format("leat-{}", options_.clock->now().value / kUsPerSecond) : given;
}

Search::Found Search::assume_role(const std::string& name, std::set<std::string>& seen) {
  if (!profiles_.setting(name, "mfa_serial").empty()) {
    return fail(Errc::kDenied,
                "its role wants a code of a device (mfa_serial), which a service cannot ask for; "
                "use a role without, or keys from `aws sts` in the environment");
  }
  LEAT_ASSIGN(const Credentials caller, role_caller(name, seen));
  const std::string role = profiles_.setting(name, "role_arn");
  Form form = {{"Action", "AssumeRole"},
               {"Version", "2011-06-15"},
               {"RoleArn", role},
               {"RoleSessionName", session_name(profiles_.setting(name, "role_session_name"))}};
  for (const auto& [setting, parameter] :
       {std::pair{"duration_seconds", "DurationSeconds"}, std::pair{"external_id", "ExternalId"}}) {
    const std::string value = profiles_.setting(name, setting);
    if (!value.empty()) form.emplace_back(parameter, value);
  }
  LEAT_ASSIGN(Credentials out, ask_sts(context_, form, &caller));
  out.source = fmt::format("profile {} (role {})", name, role);
  return out;
}

Result<Credentials> Search::with_token_file(const std::string& role, const std::string& session,
                                            const std::string& file) {
  constexpr std::uint64_t kTokenBytesMax = 20'000;
  LEAT_ASSIGN(const std::string token, io::read_file(*options_.files, file, kTokenBytesMax));
  return ask_sts(context_,
                 {{"Action", "AssumeRoleWithWebIdentity"},
                  {"Version", "2011-06-15"},
                  {"RoleArn", role},
                  {"RoleSessionName", session_name(session)},
                  {"WebIdentityToken", std::string(trim(token))}},
                 nullptr);
}

Search::Found Search::web_identity() {
  const std::string file = env("AWS_WEB_IDENTITY_TOKEN_FILE");
  const std::string role = env("AWS_ROLE_ARN");
  if (file.empty()) return passed_over("AWS_WEB_IDENTITY_TOKEN_FILE is not set");
  if (role.empty()) {
    return fail(Errc::kDenied,
                "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN; set the role too");
  }
  auto found = with_token_file(role, env("AWS_ROLE_SESSION_NAME"), file);
  if (!found) return in_source("web identity", std::move(found.error()));
  found->source = fmt::format("web identity (role {})", role);
  return std::move(*found);
}

Search::Found Search::sso(const std::string& name) {
  SsoLogin login{.session = profiles_.setting(name, "sso_session"),
                 .start_url = profiles_.setting(name, "sso_start_url"),
                 .region = profiles_.setting(name, "sso_region"),
                 .account_id = profiles_.setting(name, "sso_account_id"),
                 .role_name = profiles_.setting(name, "sso_role_name")};
  if (login.session.empty() && login.start_url.empty()) return std::nullopt;
  if (!login.session.empty()) {
    const Settings* session = profiles_.session(login.session);
    if (session == nullptr) {
      return fail(Errc::kDenied, fmt::format("[sso-session {}] is not in {}; add it", login.session,
                                             profiles_.config_path()));
    }
    login.region = Profiles::of(session, "sso_region");
    login.start_url = Profiles::of(session, "sso_start_url");
  }
  if (login.region.empty() || login.account_id.empty() || login.role_name.empty()) {
    return fail(Errc::kDenied, fmt::format("sso_region, sso_account_id and sso_role_name must all "
                                           "be set; add what is missing to {}",
                                           profiles_.config_path()));
  }
  LEAT_ASSIGN(Credentials out, ask_sso(context_, login, env("HOME")));
  out.source = fmt::format("profile {} (IAM Identity Center)", name);
  return out;
}

// What `aws login` keeps. It is used as it is; only that command can renew it.
Search::Found Search::login_session(const std::string& name) {
  const std::string session = profiles_.setting(name, "login_session");
  if (session.empty()) return std::nullopt;
  std::string folder = env("AWS_LOGIN_CACHE_DIRECTORY");
  if (folder.empty()) folder = env("HOME") + "/.aws/login/cache";
  const std::string path = fmt::format("{}/{}.json", folder, to_hex(sha256(session)));
  constexpr std::uint64_t kBytesMax = 1U << 20U;
  const auto text = io::read_file(*options_.files, path, kBytesMax);
  const auto json = nlohmann::json::parse(text ? *text : "", nullptr, false);
  const auto token = json.is_object() ? json.value("accessToken", nlohmann::json()) : json;
  const auto member = [&token](const char* key) -> std::string {
    return token.is_object() && token.contains(key) && token[key].is_string()
               ? token[key].get<std::string>()
               : "";
  };
  const auto expires = parse_iso8601(member("expiresAt"));
  if (!expires || *expires <= options_.clock->now() || member("accessKeyId").empty()) {
    return fail(Errc::kDenied,
                fmt::format("the login in {} is missing or has ended; run `aws login --profile {}`",
                            path, name));
  }
  return Credentials{
      .secret = {member("accessKeyId"), member("secretAccessKey"), member("sessionToken")},
      .expires = expires,
      .source = fmt::format("profile {} (aws login)", name)};
}

Search::Found Search::process(const std::string& name) {
  const std::string command = profiles_.setting(name, "credential_process");
  if (command.empty()) return std::nullopt;
  LEAT_ASSIGN(const auto words, split_command(command));
  if (words.empty()) return std::nullopt;
  const std::string source = fmt::format("credential_process ({})", words.front());
  auto output = options_.process(words);
  if (!output) return in_source(source, std::move(output.error()));
  if (output->exit_code != 0) {
    return fail(Errc::kDenied,
                fmt::format("{} ended with code {} and said \"{}\"; run it by hand", source,
                            output->exit_code, utf8_prefix(trim(output->errors), 300)));
  }
  const auto json = nlohmann::json::parse(output->out, nullptr, false);
  if (!json.is_object() || json.value("Version", nlohmann::json()) != 1) {
    return fail(Errc::kDenied,
                fmt::format("{} gave no JSON object with \"Version\": 1; correct it", source));
  }
  LEAT_ASSIGN(Credentials out, credentials_of_json(output->out, "SessionToken", source));
  if (out.expires && *out.expires <= options_.clock->now()) {
    return fail(Errc::kDenied, fmt::format("{} gave keys that have expired; correct it", source));
  }
  return out;
}

Search::Found Search::container() {
  if (env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty() &&
      env("AWS_CONTAINER_CREDENTIALS_FULL_URI").empty()) {
    return passed_over("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set");
  }
  auto found = ask_container(context_);
  if (!found) return in_source("container credentials", std::move(found.error()));
  return std::move(*found);
}

Search::Found Search::instance() {
  auto found = ask_instance(context_);
  if (found) return std::move(*found);
  if (found.error().code == Errc::kNotFound) return passed_over(found.error().message);
  return std::unexpected(std::move(found.error()));
}

}  // namespace

std::string configured_endpoint(const Environment& environment, std::string_view service) {
  if (equal_ignore_case(variable(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true")) {
    return "";
  }
  const std::string own = variable(environment, fmt::format("AWS_ENDPOINT_URL_{}", service));
  return own.empty() ? variable(environment, "AWS_ENDPOINT_URL") : own;
}

namespace {

// Without asking the network.
std::string known_region(const CredentialChainOptions& options, const Profiles& profiles) {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    const std::string region = variable(options.environment, name);
    if (!region.empty()) return region;
  }
  return profiles.setting(Profiles::name_of(options), "region");
}

}  // namespace

Result<std::string> resolve_region(const CredentialChainOptions& given) {
  const CredentialChainOptions options = completed(given);
  LEAT_ASSIGN(const Profiles profiles, Profiles::read(options));
  std::string known = known_region(options, profiles);
  if (!known.empty()) return known;
  return ask_instance_region(context_of(options, "")).value_or("");
}

struct CredentialChain::Impl {
  CredentialChainOptions options;
  std::mutex mutex;  // guards all below
  std::condition_variable fetched;
  std::optional<Credentials> current;
  bool stale = false;  // AWS called them expired
  bool fetching = false;
  std::int64_t not_before_us = 0;  // a failed refresh is not tried again before this wall time

  [[nodiscard]] Result<Credentials> search() const;
  [[nodiscard]] std::int64_t left_us() const {
    if (!current || stale) return 0;
    if (!current->expires) return INT64_MAX;
    return std::max<std::int64_t>(0, current->expires->value - options.clock->now().value);
  }
};

Result<Credentials> CredentialChain::Impl::search() const {
  LEAT_ASSIGN(const Profiles profiles, Profiles::read(options));
  const std::string region =
      options.region.empty() ? known_region(options, profiles) : options.region;
  return Search(options, profiles, region).run();
}

CredentialChain::CredentialChain(CredentialChainOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->options = completed(std::move(options));
}
CredentialChain::~CredentialChain() = default;

Result<Credentials> CredentialChain::get() {
  Impl& impl = *impl_;
  std::unique_lock lock(impl.mutex);
  while (true) {
    const std::int64_t left = impl.left_us();
    const bool rests = left > 0 && impl.options.clock->now().value < impl.not_before_us;
    if (left > kRefreshFrom || rests) return *impl.current;
    if (!impl.fetching) break;
    if (left > kRefreshAtLast) return *impl.current;
    impl.fetched.wait(lock);
  }
  impl.fetching = true;
  lock.unlock();
  auto found = impl.search();
  lock.lock();
  impl.fetching = false;
  impl.fetched.notify_all();
  if (found) {
    impl.current = std::move(*found);
    impl.stale = false;
    // Keys that live shorter than the window would be fetched for every call.
    impl.not_before_us = impl.options.clock->now().value + kAfterFailedRefresh;
    return *impl.current;
  }
  if (impl.left_us() == 0) return std::unexpected(std::move(found.error()));
  impl.not_before_us = impl.options.clock->now().value + kAfterFailedRefresh;
  log::warning("aws", "credentials could not be refreshed and are used until they expire: {}",
               found.error().message);
  return *impl.current;
}

void CredentialChain::expire(const Credentials& credentials) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->current && impl_->current->secret.access_key_id == credentials.secret.access_key_id &&
      impl_->current->secret.session_token == credentials.secret.session_token) {
    impl_->stale = true;
  }
}

}  // namespace leat::aws
