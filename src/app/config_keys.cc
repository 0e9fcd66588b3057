#include "app/config_keys.h"

#include <limits>
#include <utility>

#include "base/time.h"

namespace leat::app {
namespace {

constexpr std::int64_t kMs = 1000;
constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kGiB = 1024 * kMiB;

constexpr Key kKeys[] = {
    {"data", KeyType::kPath, "./leat-data", "", 0, 0,
     "The data directory: journal, archive, warehouse, secrets. Made when it is not there, for the "
     "user only.",
     false, [](Config& c, const KeyValue& v) { c.data = v.text; }},
    {"log_level", KeyType::kChoice, "info", "debug info warning error", 0, 0,
     "The least level of the log lines on stderr.", false,
     [](Config& c, const KeyValue& v) { c.log_level = v.text; }},

    {"collect.listen", KeyType::kAddress, "127.0.0.1:8080", "", 0, 0,
     "Where events are received over HTTP.", false,
     [](Config& c, const KeyValue& v) { c.collect_listen = v.text; }},
    {"collect.threads", KeyType::kCount, "0", "", 0, 256,
     "Event loops of the collector, each with its own journal shard; 0 takes one per core.", false,
     [](Config& c, const KeyValue& v) { c.collect_threads = v.number; }},
    {"collect.connections_max", KeyType::kCount, "10000", "", 1, 1000000,
     "Connections open at once, over all loops; further ones are closed at once.", false,
     [](Config& c, const KeyValue& v) { c.collect_connections_max = v.number; }},
    {"collect.request_timeout", KeyType::kDuration, "30s", "", 100 * kMs, kUsPerHour,
     "How long a client may take to send one whole request.", false,
     [](Config& c, const KeyValue& v) { c.collect_request_timeout_us = v.number; }},
    {"collect.hold_timeout", KeyType::kDuration, "5s", "", 10 * kMs, kUsPerHour,
     "How long a request waits for room in the journal's buffer before it is answered 503.", false,
     [](Config& c, const KeyValue& v) { c.collect_hold_timeout_us = v.number; }},

    {"collect.body_bytes_max", KeyType::kBytes, "512KiB", "", kKiB, 2 * kMiB,
     "One request's body after decompression; larger ones are answered 413.", false,
     [](Config& c, const KeyValue& v) { c.collect_body_bytes_max = v.number; }},
    {"collect.event_bytes_max", KeyType::kBytes, "32KiB", "", 256, 2 * kMiB,
     "One event. A larger one is answered 400 when it comes alone, and rejected within a batch.",
     false, [](Config& c, const KeyValue& v) { c.collect_event_bytes_max = v.number; }},
    {"collect.batch_events_max", KeyType::kCount, "2500", "", 1, 100000,
     "Events of one batch; those above are rejected.", false,
     [](Config& c, const KeyValue& v) { c.collect_batch_events_max = v.number; }},
    {"collect.trusted_proxies", KeyType::kNetworks, "", "", 0, 0,
     "Peers whose X-Forwarded-For is believed, separated by commas; when empty, nobody's.", false,
     [](Config& c, const KeyValue& v) { c.collect_trusted_proxies = v.text; }},
    {"collect.tls_certificate", KeyType::kPath, "", "", 0, 0,
     "PEM file of the certificate chain; with collect.tls_key, events are received over HTTPS "
     "only.",
     false, [](Config& c, const KeyValue& v) { c.collect_tls_certificate = v.text; }},
    {"collect.tls_key", KeyType::kPath, "", "", 0, 0, "PEM file of the certificate's private key.",
     false, [](Config& c, const KeyValue& v) { c.collect_tls_key = v.text; }},

    {"journal.segment_bytes", KeyType::kBytes, "64MiB", "", kMiB, kGiB,
     "Size of one journal segment file; each shard keeps at least two.", false,
     [](Config& c, const KeyValue& v) { c.journal_segment_bytes = v.number; }},

    {"journal.disk_max", KeyType::kBytes, "64GiB", "", 4 * kMiB, 1024 * kGiB * 1024,
     "All journal files together. When the archive is away for so long that they are full, "
     "requests get 503.",
     false, [](Config& c, const KeyValue& v) { c.journal_disk_bytes_max = v.number; }},

    {"store.kind", KeyType::kChoice, "directory", "directory s3", 0, 0,
     "Where objects are kept: in folders of this machine, or in S3 or a server that speaks its "
     "protocol. The keys below that are not store.directory are S3's.",
     false, [](Config& c, const KeyValue& v) { c.store_kind = v.text; }},
    {"store.directory", KeyType::kPath, "", "", 0, 0,
     "The folder whose subfolders are the buckets; when empty, DATA/objects. Processes that share "
     "one (a collector and "
     "a separate `leat warehouse`) name the same folder.",
     false, [](Config& c, const KeyValue& v) { c.store_directory = v.text; }},
    {"store.region", KeyType::kText, "", "", 0, 0,
     "Region of the bucket; when empty, AWS_REGION, the profile's, or this machine's.", false,
     [](Config& c, const KeyValue& v) { c.store_region = v.text; }},
    {"store.endpoint", KeyType::kText, "", "", 0, 0,
     "https://HOST:PORT of a server that is not AWS's; when empty, AWS_ENDPOINT_URL_S3, or AWS's.",
     false, [](Config& c, const KeyValue& v) { c.store_endpoint = v.text; }},
    {"store.addressing", KeyType::kChoice, "auto", "auto path host", 0, 0,
     "Whether the bucket stands in the path or in the host's name; auto is host at AWS and path "
     "elsewhere.",
     false, [](Config& c, const KeyValue& v) { c.store_addressing = v.text; }},
    {"store.encryption", KeyType::kChoice, "bucket", "bucket AES256 aws:kms aws:kms:dsse", 0, 0,
     "How S3 encrypts what is written: as the bucket says, with S3's own keys, or with KMS.", false,
     [](Config& c, const KeyValue& v) { c.store_encryption = v.text; }},
    {"store.kms_key", KeyType::kText, "", "", 0, 0,
     "KMS key for aws:kms, by id or ARN; when empty, the account's own for S3.", false,
     [](Config& c, const KeyValue& v) { c.store_kms_key = v.text; }},
    {"store.profile", KeyType::kText, "", "", 0, 0,
     "Profile of ~/.aws to take credentials from; when empty, they are looked for as AWS's own "
     "tools do (environment, profile, web identity, container, EC2).",
     false, [](Config& c, const KeyValue& v) { c.store_profile = v.text; }},
    {"store.access_key_id", KeyType::kText, "", "", 0, 0,
     "Access key in place of those; needs store.secret_access_key.", false,
     [](Config& c, const KeyValue& v) { c.store_access_key_id = v.text; }},
    {"store.secret_access_key", KeyType::kText, "", "", 0, 0,
     "Its secret. Best set in the environment or .env.", true,
     [](Config& c, const KeyValue& v) { c.store_secret_access_key = v.text; }},
    {"store.ca_bundle", KeyType::kPath, "", "", 0, 0,
     "PEM file of the certificates to trust; when empty, AWS_CA_BUNDLE, or the system's.", false,
     [](Config& c, const KeyValue& v) { c.store_ca_bundle = v.text; }},

    {"archive.bucket", KeyType::kBucket, "leat", "", 0, 0,
     "The bucket of raw events and staged files. In a directory store it is made when it is not "
     "there; in S3 it must be.",
     false, [](Config& c, const KeyValue& v) { c.archive_bucket = v.text; }},
    {"archive.seal_every", KeyType::kDuration, "5s", "", 10 * kMs, kUsPerDay,
     "How long received events wait in the journal before they are sealed into an archive object.",
     false, [](Config& c, const KeyValue& v) { c.archive_seal_every_us = v.number; }},
    {"archive.seal_bytes", KeyType::kBytes, "64MiB", "", 64 * kKiB, 4 * kGiB,
     "Raw events of one shard that are sealed at once, whatever their age.", false,
     [](Config& c, const KeyValue& v) { c.archive_seal_bytes = v.number; }},

    {"sync.every", KeyType::kDuration, "1m", "", 10 * kMs, 7 * kUsPerDay,
     "How often each source's new batches are loaded into the warehouse.", false,
     [](Config& c, const KeyValue& v) { c.sync_every_us = v.number; }},
    {"sync.cron", KeyType::kCron, "", "", 0, 0,
     "When loads start, as a cron expression in place of `every`: '15 * * * *' is each hour at "
     ":15. "
     "A time that passed while a load was running is made up for at once.",
     false, [](Config& c, const KeyValue& v) { c.sync_cron = v.text; }},
    {"sync.hours", KeyType::kHours, "", "", 0, 0,
     "The hours of the day in which loads may start, such as 6-22 or 0,6,12,18; when empty, all. "
     "Retries keep to them, `leat sync` does not.",
     false, [](Config& c, const KeyValue& v) { c.sync_hours = v.text; }},
    {"sync.time_zone", KeyType::kTimeZone, "UTC", "", 0, 0,
     "The time zone of `cron` and `hours`. A local time that clocks skip counts as the end of the "
     "gap, one that occurs twice counts once.",
     false, [](Config& c, const KeyValue& v) { c.sync_time_zone = v.text; }},
    {"sync.manual", KeyType::kBool, "false", "", 0, 0, "Loads start by `leat sync` only.", false,
     [](Config& c, const KeyValue& v) { c.sync_manual = v.number != 0; }},

    {"sync.transaction_bytes_max", KeyType::kBytes, "128MiB", "", kKiB, 4 * kGiB,
     "Raw events that one load transaction takes at most; a single seal may be larger. Smaller "
     "transactions take less memory and hold the ledger's lock for less time.",
     false, [](Config& c, const KeyValue& v) { c.sync_transaction_bytes_max = v.number; }},

    {"destination.protocol", KeyType::kChoice, "postgres", "postgres data_api", 0, 0,
     "postgres connects to destination.host; data_api asks the Redshift Data API over HTTPS, with "
     "the AWS credentials that the machine has, so that no port need be open.",
     false, [](Config& c, const KeyValue& v) { c.destination_protocol = v.text; }},
    {"destination.host", KeyType::kText, "", "", 0, 0,
     "The warehouse that events are loaded into; when empty, the embedded one, which `leat up` "
     "then runs itself.",
     false, [](Config& c, const KeyValue& v) { c.destination_host = v.text; }},
    {"destination.port", KeyType::kCount, "5439", "", 1, 65535, "Its port.", false,
     [](Config& c, const KeyValue& v) { c.destination_port = v.number; }},
    {"destination.database", KeyType::kText, "dev", "", 0, 0, "Its database.", false,
     [](Config& c, const KeyValue& v) { c.destination_database = v.text; }},
    {"destination.user", KeyType::kText, "", "", 0, 0,
     "The user that loads. When empty: leat, or with iam the one named after the AWS identity.",
     false, [](Config& c, const KeyValue& v) { c.destination_user = v.text; }},
    {"destination.password", KeyType::kText, "", "", 0, 0,
     "The user's password. Best set in the environment or .env.", true,
     [](Config& c, const KeyValue& v) { c.destination_password = v.text; }},
    {"destination.authentication", KeyType::kChoice, "password", "password iam", 0, 0,
     "password logs in with destination.password; iam gets a temporary password with the AWS "
     "credentials that the machine has, and a new one before it ends.",
     false, [](Config& c, const KeyValue& v) { c.destination_authentication = v.text; }},
    {"destination.cluster", KeyType::kText, "", "", 0, 0,
     "With iam or data_api: the identifier of the provisioned cluster.", false,
     [](Config& c, const KeyValue& v) { c.destination_cluster = v.text; }},
    {"destination.workgroup", KeyType::kText, "", "", 0, 0,
     "With iam or data_api: the name of the workgroup of Redshift Serverless.", false,
     [](Config& c, const KeyValue& v) { c.destination_workgroup = v.text; }},
    {"destination.secret", KeyType::kText, "", "", 0, 0,
     "With data_api: ARN of the secret that holds the user and password; when empty, the user is "
     "destination.user of a cluster, or the one named after the AWS identity.",
     false, [](Config& c, const KeyValue& v) { c.destination_secret = v.text; }},
    {"destination.region", KeyType::kText, "", "", 0, 0,
     "With iam or data_api: the warehouse's AWS region; when empty, AWS_REGION, the profile's, or "
     "this "
     "machine's.",
     false, [](Config& c, const KeyValue& v) { c.destination_region = v.text; }},
    {"destination.profile", KeyType::kText, "", "", 0, 0,
     "With iam or data_api: profile of ~/.aws to take credentials from; when empty, they are "
     "looked for as "
     "AWS's own tools do.",
     false, [](Config& c, const KeyValue& v) { c.destination_profile = v.text; }},
    {"destination.groups", KeyType::kText, "", "", 0, 0,
     "With iam and a user of a cluster: database groups to join for the session, separated by "
     "commas.",
     false, [](Config& c, const KeyValue& v) { c.destination_groups = v.text; }},
    {"destination.create_user", KeyType::kBool, "false", "", 0, 0,
     "With iam and a user of a cluster: true makes the user when there is none.", false,
     [](Config& c, const KeyValue& v) { c.destination_create_user = v.number != 0; }},
    {"destination.api_endpoint", KeyType::kText, "", "", 0, 0,
     "https://HOST:PORT that gives the temporary passwords (iam) or answers the Data API; when "
     "empty, AWS_ENDPOINT_URL_REDSHIFT, ..._REDSHIFT_SERVERLESS or ..._REDSHIFT_DATA, or AWS's.",
     false, [](Config& c, const KeyValue& v) { c.destination_api_endpoint = v.text; }},
    {"destination.sslmode", KeyType::kChoice, "auto",
     "auto disable allow prefer require verify-ca verify-full", 0, 0,
     "How TLS is used towards it, in libpq's words; auto is verify-full, but prefer for an address "
     "of this machine.",
     false, [](Config& c, const KeyValue& v) { c.destination_sslmode = v.text; }},
    {"destination.ssl_root_certificate", KeyType::kPath, "", "", 0, 0,
     "PEM file of the certificates to trust for verify-ca and verify-full.", false,
     [](Config& c, const KeyValue& v) { c.destination_ssl_root_certificate = v.text; }},
    {"destination.ssh_server", KeyType::kAddress, "", "", 0, 0,
     "A bastion through whose SSH the warehouse is reached; destination.host is then what the "
     "bastion connects to. When empty, directly.",
     false, [](Config& c, const KeyValue& v) { c.destination_ssh_server = v.text; }},
    {"destination.ssh_user", KeyType::kText, "", "", 0, 0, "The user at the bastion.", false,
     [](Config& c, const KeyValue& v) { c.destination_ssh_user = v.text; }},
    {"destination.ssh_key", KeyType::kPath, "", "", 0, 0,
     "File of the user's private key; when empty, the keys of the agent at SSH_AUTH_SOCK.", false,
     [](Config& c, const KeyValue& v) { c.destination_ssh_key = v.text; }},
    {"destination.ssh_passphrase", KeyType::kText, "", "", 0, 0,
     "The key file's passphrase. Best set in the environment or .env.", true,
     [](Config& c, const KeyValue& v) { c.destination_ssh_passphrase = v.text; }},
    {"destination.ssh_known_hosts", KeyType::kPath, "", "", 0, 0,
     "File that holds the bastion's host key; when empty, ~/.ssh/known_hosts.", false,
     [](Config& c, const KeyValue& v) { c.destination_ssh_known_hosts = v.text; }},
    {"destination.iam_role", KeyType::kText, "default", "", 0, 0,
     "The role COPY reads the staged files with: default, or an ARN.", false,
     [](Config& c, const KeyValue& v) { c.destination_iam_role = v.text; }},
    {"destination.copy_authorization", KeyType::kChoice, "role", "role keys", 0, 0,
     "What COPY reads the staged files with. The role of destination.iam_role, or the AWS keys "
     "that "
     "store.* uses, sent in the statement; they should be temporary ones.",
     false, [](Config& c, const KeyValue& v) { c.destination_copy_authorization = v.text; }},
    {"destination.query_group", KeyType::kText, "leat", "", 0, 0,
     "query_group of the loads, by which the warehouse chooses a queue.", false,
     [](Config& c, const KeyValue& v) { c.destination_query_group = v.text; }},
    {"destination.ledger_schema", KeyType::kText, "leat", "", 0, 0,
     "Schema of the ledger, the table `batches`. The schema of a source where the user may create "
     "no other.",
     false, [](Config& c, const KeyValue& v) { c.destination_ledger_schema = v.text; }},
    {"destination.types", KeyType::kChoice, "inferred", "inferred varchar", 0, 0,
     "inferred chooses the type of a new column by all its values in the sync that makes it; "
     "varchar "
     "makes every one text.",
     false, [](Config& c, const KeyValue& v) { c.destination_types = v.text; }},
    {"destination.varchar_length", KeyType::kCount, "512", "", 1, 65535,
     "Bytes of a new text column.", false,
     [](Config& c, const KeyValue& v) { c.destination_varchar_length = v.number; }},
    {"destination.conflicts", KeyType::kChoice, "rescue", "rescue widen super fail", 0, 0,
     "Where a value goes that does not fit its column. Into leat_rescue, into a column of its own "
     "type beside it, into a SUPER column beside it, or nowhere, and the load of its source stops "
     "until somebody acts.",
     false, [](Config& c, const KeyValue& v) { c.destination_conflicts = v.text; }},
    {"destination.column_conflicts", KeyType::kConflicts, "", "", 0, 0,
     "The same for single columns, over destination.conflicts.", false,
     [](Config& c, const KeyValue& v) { c.destination_column_conflicts = v.text; }},
    {"destination.objects", KeyType::kChoice, "flatten", "flatten json super", 0, 0,
     "What becomes of an object in properties and traits. A column for each of its members, or "
     "one with its JSON as varchar or SUPER. context is always flattened.",
     false, [](Config& c, const KeyValue& v) { c.destination_objects = v.text; }},
    {"destination.arrays", KeyType::kChoice, "json", "json super", 0, 0,
     "What becomes of an array, its JSON as varchar or SUPER.", false,
     [](Config& c, const KeyValue& v) { c.destination_arrays = v.text; }},
    {"destination.columns_max", KeyType::kCount, "1598", "", 20, 1598,
     "Columns of one table. The last one is then _extra, a SUPER object of all values that would "
     "need more.",
     false, [](Config& c, const KeyValue& v) { c.destination_columns_max = v.number; }},
    {"destination.tables_max", KeyType::kCount, "9000", "", 10, 200000,
     "Tables of one schema. A new event then gets no table; its rows are in tracks, with the "
     "properties in _extra.",
     false, [](Config& c, const KeyValue& v) { c.destination_tables_max = v.number; }},
    {"destination.warehouse_id", KeyType::kText, "", "", 0, 0,
     "The name of this warehouse in integrations.Warehouses.warehouseIds. Events with such a list "
     "are left out when the name is not in it; when empty, lists say nothing.",
     false, [](Config& c, const KeyValue& v) { c.destination_warehouse_id = v.text; }},

    {"notify.webhook", KeyType::kText, "", "", 0, 0,
     "https://... that gets a POST of JSON when a source cannot be loaded, and when it is again. "
     "Best set in the environment or .env when it holds a secret.",
     true, [](Config& c, const KeyValue& v) { c.notify_webhook = v.text; }},
    {"notify.webhook_token", KeyType::kText, "", "", 0, 0,
     "Sent to the webhook as `Authorization: Bearer`. Best set in the environment or .env.", true,
     [](Config& c, const KeyValue& v) { c.notify_webhook_token = v.text; }},
    {"notify.mail_server", KeyType::kText, "", "", 0, 0,
     "smtps://HOST:465 or smtp://HOST:587 (with STARTTLS) to send the same as e-mail; when empty, "
     "no mail.",
     false, [](Config& c, const KeyValue& v) { c.notify_mail_server = v.text; }},
    {"notify.mail_user", KeyType::kText, "", "", 0, 0,
     "User of the mail server; when empty, no login.", false,
     [](Config& c, const KeyValue& v) { c.notify_mail_user = v.text; }},
    {"notify.mail_password", KeyType::kText, "", "", 0, 0,
     "The user's password. Best set in the environment or .env.", true,
     [](Config& c, const KeyValue& v) { c.notify_mail_password = v.text; }},
    {"notify.mail_from", KeyType::kText, "", "", 0, 0, "The sender's address.", false,
     [](Config& c, const KeyValue& v) { c.notify_mail_from = v.text; }},
    {"notify.mail_to", KeyType::kText, "", "", 0, 0,
     "The receivers' addresses, separated by commas.", false,
     [](Config& c, const KeyValue& v) { c.notify_mail_to = v.text; }},
    {"notify.mail_ca_bundle", KeyType::kPath, "", "", 0, 0,
     "PEM file of the certificates to trust for the mail server; when empty, the system's.", false,
     [](Config& c, const KeyValue& v) { c.notify_mail_ca_bundle = v.text; }},
    {"notify.after", KeyType::kDuration, "5m", "", 0, 7 * kUsPerDay,
     "How long a source must have failed to load before anybody is told.", false,
     [](Config& c, const KeyValue& v) { c.notify_after_us = v.number; }},
    {"notify.every", KeyType::kDuration, "1d", "", kUsPerSecond, 30 * kUsPerDay,
     "How often it is told again while it lasts.", false,
     [](Config& c, const KeyValue& v) { c.notify_every_us = v.number; }},

    {"console.listen", KeyType::kAddress, "127.0.0.1:8081", "", 0, 0,
     "Where the status API listens: what `leat status` and `leat sync` ask.", false,
     [](Config& c, const KeyValue& v) { c.console_listen = v.text; }},

    {"warehouse.listen", KeyType::kAddress, "127.0.0.1:5439", "", 0, 0,
     "Where the embedded warehouse speaks the PostgreSQL protocol.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_listen = v.text; }},
    {"warehouse.database", KeyType::kName, "dev", "", 0, 0,
     "Name of the embedded warehouse's database.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_database = v.text; }},
    {"warehouse.memory_max", KeyType::kBytes, "0", "", 0, 1024 * kGiB * 16,
     "Memory that queries may use before they spill to disk; 0 takes half of the machine's.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_memory_bytes_max = v.number; }},
    {"warehouse.threads", KeyType::kCount, "0", "", 0, 1024,
     "Threads of one query; 0 takes one per core that the process may use.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_threads = v.number; }},
    {"warehouse.sessions_max", KeyType::kCount, "500", "", 1, 10000,
     "Clients connected at once, as Redshift's 500.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_sessions_max = v.number; }},
    {"warehouse.queues", KeyType::kQueues, "", "", 0, 0,
     "How many statements run at once, by queue, such as load=2, default=8. A session's queue is "
     "its query_group, or the name of one of its user's groups. When empty, nothing waits.",
     false, [](Config& c, const KeyValue& v) { c.warehouse_queues = v.text; }},
    {"warehouse.audit", KeyType::kChoice, "connections", "off connections activity", 0, 0,
     "What audit.log in the data directory holds: logins and changes of rights, or all statements.",
     false, [](Config& c, const KeyValue& v) { c.warehouse_audit = v.text; }},
    {"warehouse.allowed_addresses", KeyType::kAddressRules, "", "", 0, 0,
     "From where users may log in, such as alice=10.0.0.0/8, *=10.1.0.0/16; when empty, anywhere.",
     false, [](Config& c, const KeyValue& v) { c.warehouse_allowed_addresses = v.text; }},
    {"warehouse.require_tls", KeyType::kBool, "false", "", 0, 0,
     "true refuses clients that do not ask for TLS. Clients that ask always get it.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_require_tls = v.number != 0; }},
    {"warehouse.tls_certificate", KeyType::kPath, "", "", 0, 0,
     "PEM file of the certificate chain; when empty, a self-signed one is made.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_tls_certificate = v.text; }},
    {"warehouse.tls_key", KeyType::kPath, "", "", 0, 0,
     "PEM file of the certificate's private key.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_tls_key = v.text; }},
    {"warehouse.encryption_key_file", KeyType::kPath, "", "", 0, 0,
     "File with the key that the warehouse's database files are encrypted with, which `leat "
     "warehouse key` makes; when empty, they are not encrypted. Only its owner may read it.",
     false, [](Config& c, const KeyValue& v) { c.warehouse_encryption_key_file = v.text; }},

    {"data_api.listen", KeyType::kAddress, "127.0.0.1:8082", "", 0, 0,
     "Where the embedded warehouse answers the Redshift Data API and the AWS calls for temporary "
     "passwords. When this is not set and the port is taken, a free one is used; connection.json "
     "says which.",
     false, [](Config& c, const KeyValue& v) { c.data_api_listen = v.text; }},
    {"data_api.access_key_id", KeyType::kText, "", "", 0, 0,
     "Access key of the administrator for the Data API. When empty, one is made once and kept in "
     "DATA/access-keys, where others can be added.",
     false, [](Config& c, const KeyValue& v) { c.data_api_access_key_id = v.text; }},
    {"data_api.secret_access_key", KeyType::kText, "", "", 0, 0,
     "Its secret. Best set in the environment or .env.", true,
     [](Config& c, const KeyValue& v) { c.data_api_secret_access_key = v.text; }},
    {"data_api.region", KeyType::kText, "us-east-1", "", 0, 0,
     "AWS region that answers name. Requests may be signed for any.", false,
     [](Config& c, const KeyValue& v) { c.data_api_region = v.text; }},
    {"data_api.cluster_identifier", KeyType::kText, "", "", 0, 0,
     "The warehouse's name as a cluster. When empty, every name means this warehouse, and answers "
     "say leat.",
     false, [](Config& c, const KeyValue& v) { c.data_api_cluster_identifier = v.text; }},
    {"data_api.workgroup_name", KeyType::kText, "", "", 0, 0,
     "The warehouse's name as a serverless workgroup. When empty, every name means this "
     "warehouse, and answers say leat.",
     false, [](Config& c, const KeyValue& v) { c.data_api_workgroup_name = v.text; }},
    {"data_api.statements_active_max", KeyType::kCount, "200", "", 1, 100000,
     "Statements submitted and not done; further ones are refused with "
     "ActiveStatementsExceededException.",
     false, [](Config& c, const KeyValue& v) { c.data_api_statements_active_max = v.number; }},
    {"data_api.statements_running_max", KeyType::kCount, "50", "", 1, 1000,
     "Statements running at once, beside those of sessions; the others wait as SUBMITTED.", false,
     [](Config& c, const KeyValue& v) { c.data_api_statements_running_max = v.number; }},
    {"data_api.sessions_max", KeyType::kCount, "100", "", 1, 1000,
     "Sessions kept open (SessionKeepAliveSeconds); further ones are refused.", false,
     [](Config& c, const KeyValue& v) { c.data_api_sessions_max = v.number; }},
    {"data_api.results_bytes_max", KeyType::kBytes, "1GiB", "", kMiB, 1024 * kGiB,
     "All results kept on disk; the oldest go first when it is full.", false,
     [](Config& c, const KeyValue& v) { c.data_api_results_bytes_max = v.number; }},
    {"data_api.body_bytes_max", KeyType::kBytes, "64MiB", "", kMiB, kGiB,
     "One request's body, so also an object or a part of one put over S3; larger ones are answered "
     "413.",
     false, [](Config& c, const KeyValue& v) { c.data_api_body_bytes_max = v.number; }},
    {"data_api.connections_max", KeyType::kCount, "256", "", 1, 100000,
     "Connections open at once; further ones are closed at once.", false,
     [](Config& c, const KeyValue& v) { c.data_api_connections_max = v.number; }},
    {"data_api.tls_certificate", KeyType::kPath, "", "", 0, 0,
     "PEM file of the certificate chain; with data_api.tls_key, HTTPS only.", false,
     [](Config& c, const KeyValue& v) { c.data_api_tls_certificate = v.text; }},
    {"data_api.tls_key", KeyType::kPath, "", "", 0, 0, "PEM file of the certificate's private key.",
     false, [](Config& c, const KeyValue& v) { c.data_api_tls_key = v.text; }},
};

constexpr SourceKey kSourceKeys[] = {
    {"write_key", KeyType::kText, "", 0, 0,
     "What clients of this source authenticate with. Best set in the environment or .env. When "
     "empty, one is made once "
     "and kept in DATA/write-keys.json.",
     true, [](SourceConfig& s, const KeyValue& v) { s.write_key = v.text; }},
    {"schema", KeyType::kText, "", 0, 0,
     "Schema of the source's tables; when empty, the source's name in snake case.", false,
     [](SourceConfig& s, const KeyValue& v) { s.schema = v.text; }},
    {"enabled", KeyType::kBool, "true", 0, 0,
     "When false, events are answered 200 and kept in the archive as rejected (source_disabled), "
     "and "
     "become rescue rows.",
     false, [](SourceConfig& s, const KeyValue& v) { s.enabled = v.number != 0; }},
    {"events_per_second_max", KeyType::kCount, "0", 0, 1000000000,
     "Above it, requests are answered 429 with Retry-After; 0: no limit.", false,
     [](SourceConfig& s, const KeyValue& v) { s.events_per_second_max = v.number; }},
    {"tracking_plan", KeyType::kPath, "", 0, 0,
     "JSON file with a JSON Schema for each event. Events that break it are kept in leat_rescue "
     "and get no rows. When empty, every event is good.",
     false, [](SourceConfig& s, const KeyValue& v) { s.tracking_plan = v.text; }},
    {"sync", KeyType::kBool, "true", 0, 0,
     "When false, nothing of the source is loaded; its events wait in the archive, and all of them "
     "are loaded when it is true again.",
     false, [](SourceConfig& s, const KeyValue& v) { s.sync = v.number != 0; }},
    {"exclude_events", KeyType::kText, "", 0, 0,
     "Track events that are not loaded, by name or table, separated by commas; * stands for any "
     "characters. They are counted as excluded and stay in the archive; `leat replay --event NAME` "
     "brings them in once they are wanted.",
     false, [](SourceConfig& s, const KeyValue& v) { s.exclude_events = v.text; }},
    {"exclude_tables", KeyType::kText, "", 0, 0,
     "Tables that get no rows, such as screens, users or tmp_*. Without identifies there are no "
     "users, without groups no accounts. An event without any row left is counted as excluded; "
     "`leat replay --table NAME` fills a table that is wanted again.",
     false, [](SourceConfig& s, const KeyValue& v) { s.exclude_tables = v.text; }},
    {"exclude_columns", KeyType::kText, "", 0, 0,
     "Columns that get no values, as TABLE.COLUMN or COLUMN, such as orders.coupon or "
     "context_ip; only columns of context, properties and traits. `leat replay --column NAME` "
     "fills "
     "one that is wanted again.",
     false, [](SourceConfig& s, const KeyValue& v) { s.exclude_columns = v.text; }},
};

}  // namespace

std::span<const Key> config_keys() {
  return kKeys;
}
std::span<const SourceKey> source_keys() {
  return kSourceKeys;
}

}  // namespace leat::app
