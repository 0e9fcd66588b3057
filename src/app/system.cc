#include "app/system.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "app/data_directory.h"
#include "app/destination.h"
#include "app/encryption_key.h"
#include "app/file_text.h"
#include "app/notices.h"
#include "app/object_storage.h"
#include "app/part_options.h"
#include "app/privacy_api.h"
#include "app/received.h"
#include "app/shaping.h"
#include "app/sources.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "io/file_system.h"
#include "net/address.h"
#include "net/tls.h"
#include "ops/console/console.h"
#include "pipeline/archive/archive.h"
#include "pipeline/archive/sealer.h"
#include "pipeline/collect/server.h"
#include "pipeline/journal/journal.h"
#include "pipeline/load/loader.h"
#include "pipeline/load/replay.h"
#include "pipeline/load/rescue.h"
#include "pipeline/load/sync_schedule.h"
#include "pipeline/privacy/service.h"
#include "pipeline/shape/names.h"
#include "warehouse/backup/exchange.h"
#include "warehouse/dataapi/server.h"
#include "warehouse/engine/database.h"
#include "warehouse/pgwire/server.h"
#include "warehouse/session/warehouse.h"

namespace leat::app {
namespace {

constexpr std::string_view kAdminUser = "leat";
constexpr std::size_t kPasswordLength = 32;

// What a client on this machine connects to when the server listens on every address.
std::string reachable_host(const std::string& listen_host) {
  if (listen_host == "0.0.0.0") return "127.0.0.1";
  if (listen_host == "::") return "::1";
  return listen_host;
}

std::string url_of(std::string_view scheme, const net::Endpoint& bound) {
  return fmt::format("{}://{}", scheme,
                     net::Endpoint{reachable_host(bound.host), bound.port}.to_string());
}

Error in_part(std::string_view part, Error error) {
  error.message = fmt::format("{}: {}", part, error.message);
  return error;
}

// Nothing when neither file is named: plain HTTP.
Result<std::optional<net::TlsContext>> tls_of(std::string_view group,
                                              const std::string& certificate,
                                              const std::string& key) {
  if (certificate.empty() && key.empty()) return std::nullopt;
  if (certificate.empty() || key.empty()) {
    return fail(Errc::kInvalid,
                fmt::format("{0}.tls_certificate and {0}.tls_key are needed both", group));
  }
  LEAT_ASSIGN(const std::string chain_text, read_text_file(certificate));
  LEAT_ASSIGN(const std::string key_text, read_text_file(key));
  LEAT_ASSIGN(auto context, net::TlsContext::for_server({chain_text, key_text}));
  return std::optional(std::move(context));
}

std::uint64_t half_of_memory() {
  const auto pages = ::sysconf(_SC_PHYS_PAGES);
  const auto page_bytes = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page_bytes > 0
             ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes) / 2
             : 0;
}

}  // namespace

// Members are destroyed in the reverse of this order: what borrows goes before what it borrows
// from.
struct System::Impl {
  Impl(const Config& settings, DataDirectory held) : config(settings), data(std::move(held)) {}

  Config config;
  DataDirectory data;
  metrics::Registry metrics;
  std::vector<Source> sources;
  std::map<std::string, std::unique_ptr<shape::TrackingPlan>> tracking_plans;  // by source
  ConnectionFile connection;

  std::stop_source store_stop;
  ObjectStorage storage;
  std::unique_ptr<session::Warehouse> warehouse;
  std::unique_ptr<pgwire::Server> warehouse_server;
  std::unique_ptr<dataapi::Server> data_api;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<archive::Sealer> sealer;
  std::unique_ptr<archive::Archive> archive;
  std::unique_ptr<ReceivedCounts> received;
  std::unique_ptr<Destination> destination;
  std::unique_ptr<load::Loader> loader;
  std::unique_ptr<load::Replayer> replayer;
  std::unique_ptr<load::SyncHistory> history;
  std::unique_ptr<load::SyncSchedule> schedule;
  std::unique_ptr<Notifier> notifier;
  std::unique_ptr<privacy::Service> privacy;
  std::unique_ptr<collect::Server> collector;
  std::unique_ptr<console::Console> console;

  Status start_store();
  Status start_warehouse();
  Result<std::vector<dataapi::AccessKey>> access_keys();
  Status start_data_api();
  Status start_journal();
  Status start_load();
  Status start_notifier();
  Status start_privacy();
  Status start_collector();
  Status start_console();
  Status publish_connection();

  [[nodiscard]] Result<std::vector<console::ShardPosition>> shard_positions() const;
  [[nodiscard]] Result<std::vector<console::SourceReceived>> source_counts();
  [[nodiscard]] Result<load::Rescued> rescued(const std::string& source,
                                              const load::RescueQuery& query) const;
  [[nodiscard]] Status ready() const;
  Status stop(std::int64_t deadline_us);
};

Status System::Impl::start_store() {
  LEAT_ASSIGN(storage, open_object_storage(config, process_environment(),
                                           {.usual_directory = data.paths().objects(),
                                            .stop = store_stop.get_token(),
                                            .metrics = &metrics}));
  archive = std::make_unique<archive::Archive>(*storage.store, config.archive_bucket);
  return {};
}

Status System::Impl::start_warehouse() {
  LEAT_ASSIGN(const auto listen, net::parse_endpoint(config.warehouse_listen));
  LEAT_ASSIGN(const std::string password,
              keep_secret(data.paths().admin_password(), kPasswordLength, secure_random()));
  session::WarehouseOptions options;
  options.data_directory = data.paths().warehouse();
  options.database = config.warehouse_database;
  LEAT_TRY(backup::finish_exchange(io::posix_file_system(), options.data_directory));
  LEAT_ASSIGN(const EncryptionKey key, configured_key(config));
  options.key = key.text;
  options.admin_user = kAdminUser;
  options.admin_password = password;
  options.threads = static_cast<int>(config.warehouse_threads);
  options.memory_bytes_max = config.warehouse_memory_bytes_max > 0
                                 ? static_cast<std::uint64_t>(config.warehouse_memory_bytes_max)
                                 : half_of_memory();
  options.object_store = storage.store.get();
  LEAT_ASSIGN(const auto keys, access_keys());
  options.store_for_keys = [this, keys](const transfer::ObjectKeys& given) {
    return open_with_keys(storage, keys, given);
  };
  if (!storage.directory.empty()) {
    std::error_code error;
    options.directories = {std::filesystem::absolute(storage.directory, error).string()};
  }
  options.sessions_max = static_cast<std::size_t>(config.warehouse_sessions_max);
  options.queues = config.warehouse_queues;
  if (config.warehouse_audit != "off") options.audit_file = data.paths().audit();
  options.audit_statements = config.warehouse_audit == "activity";
  options.metrics = &metrics;
  LEAT_ASSIGN(warehouse, session::Warehouse::open(options));

  pgwire::ServerOptions server;
  server.listen = config.warehouse_listen;
  server.tls_certificate_file = config.warehouse_tls_certificate;
  server.tls_key_file = config.warehouse_tls_key;
  server.require_tls = config.warehouse_require_tls;
  server.allowed_addresses = config.warehouse_allowed_addresses;
  server.local_user = kAdminUser;
  server.connections_max = options.sessions_max;
  server.metrics = &metrics;
  LEAT_ASSIGN(warehouse_server, pgwire::Server::start(server, *warehouse));

  connection.warehouse_host = reachable_host(listen.host);
  connection.warehouse_port = warehouse_server->port();
  connection.warehouse_user = kAdminUser;
  connection.warehouse_password = password;
  connection.warehouse_database = config.warehouse_database;
  return {};
}

Result<std::vector<dataapi::AccessKey>> System::Impl::access_keys() {
  const std::string path = data.paths().access_keys();
  auto text = read_text_file(path);
  if (!text && text.error().code != Errc::kNotFound) return std::unexpected(text.error());
  if (!text) {
    text = dataapi::access_keys_text({dataapi::make_access_key(secure_random(), kAdminUser)});
    LEAT_TRY(publish_text_file(path, *text, 0600));
  }
  auto keys = dataapi::parse_access_keys(*text);
  if (!keys) return fail(keys.error().code, fmt::format("{}: {}", path, keys.error().message));
  if (!config.data_api_access_key_id.empty() || !config.data_api_secret_access_key.empty()) {
    auto configured = dataapi::parse_access_keys(fmt::format(
        "{} {} {}", config.data_api_access_key_id, config.data_api_secret_access_key, kAdminUser));
    if (!configured) {
      return fail(Errc::kInvalid, "data_api.access_key_id and data_api.secret_access_key: " +
                                      configured.error().message);
    }
    std::erase_if(*keys, [&](const auto& key) { return key.id == configured->front().id; });
    keys->insert(keys->begin(), configured->front());
  }
  return keys;
}

Status System::Impl::start_data_api() {
  dataapi::ServerOptions options;
  LEAT_ASSIGN(options.listen, net::parse_endpoint(config.data_api_listen));
  LEAT_ASSIGN(options.tls,
              tls_of("data_api", config.data_api_tls_certificate, config.data_api_tls_key));
  LEAT_ASSIGN(options.keys, access_keys());
  const auto or_leat = [](const std::string& name) { return name.empty() ? "leat" : name; };
  options.cluster.cluster = or_leat(config.data_api_cluster_identifier);
  options.cluster.workgroup = or_leat(config.data_api_workgroup_name);
  options.cluster.strict_cluster = !config.data_api_cluster_identifier.empty();
  options.cluster.strict_workgroup = !config.data_api_workgroup_name.empty();
  options.cluster.region = config.data_api_region;
  options.cluster.host = connection.warehouse_host;
  options.cluster.port = connection.warehouse_port;
  options.cluster.database = config.warehouse_database;
  options.cluster.admin_user = kAdminUser;
  options.warehouse = warehouse.get();
  options.results_directory = data.paths().results();
  options.objects_directory = storage.directory;
  options.uploads_directory = data.paths().uploads();
  options.body_bytes_max = static_cast<std::size_t>(config.data_api_body_bytes_max);
  options.connections_max = static_cast<std::size_t>(config.data_api_connections_max);
  options.limits.active_max = static_cast<std::size_t>(config.data_api_statements_active_max);
  options.limits.running_max = static_cast<std::size_t>(config.data_api_statements_running_max);
  options.limits.sessions_max = static_cast<std::size_t>(config.data_api_sessions_max);
  options.limits.results_bytes_max = static_cast<std::uint64_t>(config.data_api_results_bytes_max);
  options.metrics = &metrics;
  const std::string_view scheme = options.tls ? "https" : "http";
  const std::vector<dataapi::AccessKey> keys = options.keys;

  auto started = dataapi::Server::start(options);
  if (!started && started.error().code == Errc::kUnavailable &&
      !config.origins.contains("data_api.listen")) {
    log::warning("data_api", "{} is taken; listening on a free port", config.data_api_listen);
    options.listen.port = 0;
    started = dataapi::Server::start(options);
  }
  LEAT_ASSIGN(data_api, std::move(started));
  connection.data_api_url = url_of(scheme, data_api->local());
  const auto admin = std::ranges::find(keys, kAdminUser, &dataapi::AccessKey::user);
  if (admin != keys.end()) {
    connection.data_api_access_key_id = admin->id;
    connection.data_api_secret_access_key = admin->secret;
  }
  connection.data_api_region = config.data_api_region;
  connection.data_api_cluster_identifier = options.cluster.cluster;
  connection.data_api_workgroup_name = options.cluster.workgroup;
  return {};
}

Status System::Impl::start_journal() {
  LEAT_ASSIGN(journal::Options options, journal_options(config));
  options.directory = data.paths().journal();
  options.metrics = &metrics;
  LEAT_ASSIGN(journal, journal::Journal::open(options));

  archive::SealerOptions sealing;
  sealing.journal = journal.get();
  sealing.store = storage.store.get();
  sealing.bucket = config.archive_bucket;
  sealing.state_directory = data.paths().seals();
  sealing.seal_every_us = config.archive_seal_every_us;
  sealing.seal_bytes_max = static_cast<std::uint64_t>(config.archive_seal_bytes);
  sealing.metrics = &metrics;
  LEAT_ASSIGN(sealer, archive::Sealer::open(sealing));
  sealer->start();
  return {};
}

Status System::Impl::start_load() {
  LEAT_ASSIGN(destination, open_destination(config, process_environment(), connection));
  if (!is_embedded(config)) {
    connection.warehouse_host = destination->settings.host;
    connection.warehouse_port = destination->settings.port;
    connection.warehouse_user = destination->settings.user;
    connection.warehouse_password = destination->settings.password;
    connection.warehouse_database = destination->settings.database;
  }
  load::LoaderOptions options;
  options.destination = destination->settings;
  options.connect = destination->connect;
  options.store = storage.store.get();
  options.archive = archive.get();
  options.bucket = config.archive_bucket;
  options.metrics = &metrics;
  options.shape = shape_options(config);
  options.transaction_bytes_max = config.sync_transaction_bytes_max;
  loader = std::make_unique<load::Loader>(options);
  replayer = std::make_unique<load::Replayer>(options);

  load::SyncScheduleOptions schedules;
  for (const Source& source : sources) {
    const auto plan = tracking_plans.find(source.name);
    schedules.sources.push_back(
        {.name = source.name,
         .schema = source.schema,
         .tracking_plan = plan == tracking_plans.end() ? nullptr : plan->second.get(),
         .exclusion = source.exclusion,
         .is_paused = !source.sync});
  }
  LEAT_ASSIGN(schedules.times, sync_times(config));
  schedules.metrics = &metrics;
  schedules.replays = replayer.get();
  LEAT_ASSIGN(history, load::SyncHistory::open(
                           {.files = &io::posix_file_system(), .directory = data.paths().syncs()}));
  schedules.history = history.get();
  const std::string memory = data.paths().syncs() + "/memory.json";
  LEAT_ASSIGN(schedules.memory, load::read_sync_memory(io::posix_file_system(), memory));
  schedules.remember = [memory](const load::SyncMemory& changed) {
    return load::write_sync_memory(io::posix_file_system(), memory, changed);
  };
  if (sealer) {
    constexpr std::int64_t kSealTimeoutUs = 60 * kUsPerSecond;
    schedules.seal_now = [this] { return sealer->seal_now(kSealTimeoutUs); };
  }
  schedule = std::make_unique<load::SyncSchedule>(
      schedules, [this](const load::SourceSettings& source, std::stop_token stop) {
        return loader->sync(source, stop);
      });
  schedule->start();
  return {};
}

Status System::Impl::start_notifier() {
  LEAT_ASSIGN(auto options, notice_options(config));
  if (!options) return {};
  options->metrics = &metrics;
  options->states = [this] { return schedule->states(); };
  LEAT_ASSIGN(notifier, Notifier::start(*std::move(options)));
  return {};
}

Status System::Impl::start_privacy() {
  privacy::ServiceOptions options;
  options.directory = data.paths().privacy();
  options.deletion.store = storage.store.get();
  options.deletion.bucket = config.archive_bucket;
  for (const Source& source : sources) {
    options.deletion.sources.push_back({.name = source.name, .schema = source.schema});
    options.deletion.usual_schema_of = shape::schema_name_of;
  }
  if (destination) {
    options.deletion.destination = destination->settings;
    options.deletion.connect = destination->connect;
  }
  if (sealer) {
    constexpr std::int64_t kSealTimeoutUs = 60 * kUsPerSecond;
    options.deletion.seal_now = [this]() -> Status {
      LEAT_TRY(journal->begin_segments(kSealTimeoutUs));
      return sealer->seal_now(kSealTimeoutUs);
    };
    options.erase_journal = [this] { return journal->erase_released(); };
  }
  LEAT_ASSIGN(privacy, privacy::Service::open(std::move(options)));
  return {};
}

Status System::Impl::start_collector() {
  net::HttpOptions http;
  LEAT_ASSIGN(http.listen, net::parse_endpoint(config.collect_listen));
  http.loops = static_cast<unsigned>(journal->shard_count());
  http.connections_max = static_cast<std::size_t>(config.collect_connections_max);
  http.head_timeout_us = std::min(http.head_timeout_us, config.collect_request_timeout_us);
  http.body_timeout_us = config.collect_request_timeout_us;
  http.name = "collect";
  LEAT_ASSIGN(http.tls, tls_of("collect", config.collect_tls_certificate, config.collect_tls_key));
  const std::string_view scheme = http.tls ? "https" : "http";

  collect::Options options;
  for (const Source& source : sources) {
    options.sources.push_back(
        {source.name, {source.write_key}, source.enabled, source.events_per_second_max});
  }
  options.journal = journal.get();
  options.suppressions = &privacy->feed();
  options.limits = collect_limits(config);
  options.hold_us_max = config.collect_hold_timeout_us;
  for (const std::string_view text : split(config.collect_trusted_proxies, ',')) {
    if (trim(text).empty()) continue;
    LEAT_ASSIGN(const auto network, net::parse_ip_network(trim(text)));
    options.trusted_proxies.push_back(network);
  }
  options.metrics = &metrics;
  LEAT_ASSIGN(collector, collect::Server::start(std::move(http), std::move(options)));
  connection.collect_url = url_of(scheme, collector->local());
  return {};
}

Result<std::vector<console::ShardPosition>> System::Impl::shard_positions() const {
  std::map<std::string, std::int64_t> sealed;
  for (const archive::StreamStatus& stream : sealer->status()) {
    sealed[stream.stream] = static_cast<std::int64_t>(stream.sealed.value);
  }
  std::vector<console::ShardPosition> positions;
  for (std::size_t i = 0; i < journal->readable_shard_count(); ++i) {
    const journal::ShardStatus status = journal->status(i);
    positions.push_back({.shard = journal->stream(i),
                         .durable_offset = static_cast<std::int64_t>(status.durable.value),
                         .archived_offset = sealed[journal->stream(i)],
                         .health = status.health == "ok" ? "" : status.health});
  }
  return positions;
}

Result<std::vector<console::SourceReceived>> System::Impl::source_counts() {
  LEAT_ASSIGN(const auto counts, received->count());
  std::vector<console::SourceReceived> out;
  for (const Source& source : sources) {
    const auto found = counts.find(source.name);
    const SourceCounts of_source = found == counts.end() ? SourceCounts{} : found->second;
    out.push_back({source.name, of_source.received_events, of_source.archived_events});
  }
  for (const auto& [name, of_source] : counts) {
    if (std::ranges::find(sources, name, &Source::name) != sources.end()) continue;
    out.push_back({name, of_source.received_events, of_source.archived_events});
  }
  return out;
}

Result<load::Rescued> System::Impl::rescued(const std::string& source,
                                            const load::RescueQuery& query) const {
  std::vector<load::SourceSettings> selected;
  std::vector<std::string> names;
  for (const Source& each : sources) {
    names.push_back(each.name);
    if (source.empty() || source == each.name)
      selected.push_back({.name = each.name, .schema = each.schema});
  }
  if (selected.empty()) {
    const auto near = near_miss(source, names);
    return fail(Errc::kNotFound,
                fmt::format("there is no source \"{}\"{}", source,
                            near ? fmt::format("; did you mean \"{}\"?", *near) : ""));
  }
  return load::read_rescued(destination->settings, destination->connect, selected, query,
                            std::stop_token());
}

Status System::Impl::ready() const {
  if (!journal) return {};
  for (std::size_t i = 0; i < journal->shard_count(); ++i) LEAT_TRY(journal->shard(i).health());
  return {};
}

Status System::Impl::start_console() {
  LEAT_ASSIGN(const auto listen, net::parse_endpoint(config.console_listen));
  LEAT_ASSIGN(const std::string token,
              keep_secret(data.paths().console_token(), kPasswordLength, secure_random()));
  console::ConsoleOptions options;
  options.listen_host = listen.host;
  options.listen_port = listen.port;
  options.token = token;
  options.version = LEAT_VERSION;
  options.schedule = schedule.get();
  options.history = history.get();
  options.metrics = &metrics;
  options.connection = {
      .collect_url = connection.collect_url,
      .warehouse_host = connection.warehouse_host,
      .warehouse_port = connection.warehouse_port,
      .warehouse_database = connection.warehouse_database,
      .warehouse_user = connection.warehouse_user,
      .warehouse_encrypted = is_embedded(config) && !config.warehouse_encryption_key_file.empty(),
      .password_hint = "in " + data.paths().connection(),
      .token_hint = "in " + data.paths().console_token()};
  if (schedule) {
    options.ledger = [to = destination.get()](int latest) {
      return load::read_ledger(to->settings, to->connect, latest, std::stop_token());
    };
    options.rescued = [this](const std::string& source, const load::RescueQuery& query) {
      return rescued(source, query);
    };
  }
  if (privacy) {
    options.privacy = [this](bool is_post, const std::string& query) {
      return answer_privacy(*privacy, is_post, query);
    };
  }
  if (journal) options.journal = [this] { return shard_positions(); };
  received = std::make_unique<ReceivedCounts>(*archive, journal.get());
  options.received = [this] { return source_counts(); };
  options.ready = [this] { return ready(); };
  LEAT_ASSIGN(console, console::Console::start(std::move(options)));
  connection.console_url = console->url();
  return {};
}

Status System::Impl::publish_connection() {
  for (const Source& source : sources)
    connection.sources.push_back({source.name, source.write_key, source.schema});
  // For `psql`, which reads passwords from such a file. The server's own name for each of its
  // addresses.
  const std::string pgpass = fmt::format("*:{}:*:{}:{}\n", connection.warehouse_port,
                                         connection.warehouse_user, connection.warehouse_password);
  LEAT_TRY(publish_text_file(data.paths().pgpass(), pgpass, 0600));
  return publish_text_file(data.paths().connection(), to_json(connection), 0600);
}

Status System::Impl::stop(std::int64_t deadline_us) {
  const net::Deadline deadline = net::Deadline::after_us(deadline_us);
  (void)::unlink(data.paths().connection().c_str());
  Status first;
  if (collector) collector->stop(net::Deadline::after_us(deadline_us / 3));
  {
    // A store that hangs must not hold up the end; what is not sealed then is in the journal.
    const std::jthread hurry([this, deadline_us](const std::stop_token& ended) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any().wait_for(
          lock, ended, std::chrono::microseconds(deadline_us / 2), [] { return false; });
      if (!ended.stop_requested()) store_stop.request_stop();
    });
    notifier.reset();
    if (privacy) privacy->stop();
    if (schedule) schedule->stop();
    if (history) {
      if (const Status kept = history->flush(); !kept) {
        log::warning("load", "the history of syncs could not be written: {}", kept.error().message);
      }
    }
    if (sealer) sealer->stop();
  }
  if (journal) first = journal->close();
  if (console) console->stop();
  if (data_api) data_api->stop(net::Deadline::after_us(deadline.left_us() / 3));
  if (warehouse_server) warehouse_server->stop(deadline.left_us() / 2);
  console.reset();
  collector.reset();
  schedule.reset();
  data_api.reset();
  warehouse_server.reset();
  warehouse.reset();  // checkpoints
  return first;
}

System::System(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
System::~System() = default;

const ConnectionFile& System::connection() const {
  return impl_->connection;
}
const std::string& System::data() const {
  return impl_->data.paths().root;
}
Status System::stop(std::int64_t deadline_us) {
  return impl_->stop(deadline_us);
}

Result<std::unique_ptr<System>> System::start(const Config& config, const Parts& parts) {
  LEAT_ASSIGN(auto data, DataDirectory::open(config.data));
  auto impl = std::make_unique<Impl>(config, std::move(data));
  // What an earlier process left behind must not be taken for this one's.
  (void)::unlink(impl->data.paths().connection().c_str());
  if (parts.collect || parts.load) {
    LEAT_ASSIGN(impl->sources,
                resolve_sources(config.sources, impl->data.paths().write_keys(), secure_random()));
    for (const Source& source : impl->sources) {
      if (source.tracking_plan.empty()) continue;
      LEAT_ASSIGN(impl->tracking_plans[source.name], read_tracking_plan(source.tracking_plan));
    }
  }
  const auto start_part = [&](bool wanted, std::string_view name,
                              Status (Impl::*start)()) -> Status {
    if (!wanted) return {};
    const Status started = (*impl.*start)();
    if (!started) return std::unexpected(in_part(name, started.error()));
    return {};
  };
  LEAT_TRY(start_part(true, "store", &Impl::start_store));
  LEAT_TRY(start_part(parts.warehouse, "warehouse", &Impl::start_warehouse));
  LEAT_TRY(start_part(parts.warehouse, "data_api", &Impl::start_data_api));
  LEAT_TRY(start_part(parts.collect, "journal", &Impl::start_journal));
  LEAT_TRY(start_part(parts.load, "sync", &Impl::start_load));
  LEAT_TRY(start_part(parts.load, "notify", &Impl::start_notifier));
  LEAT_TRY(start_part(parts.collect || parts.load, "privacy", &Impl::start_privacy));
  LEAT_TRY(start_part(parts.collect, "collect", &Impl::start_collector));
  LEAT_TRY(start_part(parts.console, "console", &Impl::start_console));
  LEAT_TRY(start_part(true, "data", &Impl::publish_connection));
  return std::unique_ptr<System>(new System(std::move(impl)));
}

}  // namespace leat::app
