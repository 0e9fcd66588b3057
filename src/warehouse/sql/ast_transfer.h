// COPY and UNLOAD, typed. Included by ast.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "warehouse/sql/query.h"

namespace leat::sql {

struct Credentials {
  bool iam_role_default = false;
  bool iam_session = false;
  std::vector<std::string> iam_roles;
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  std::string credentials;  ///< the text after CREDENTIALS, unparsed
  [[nodiscard]] bool given() const {
    return iam_role_default || iam_session || !iam_roles.empty() || !access_key_id.empty() ||
           !credentials.empty();
  }
};

enum class FileFormat : std::uint8_t {
  kDelimited,
  kCsv,
  kFixedWidth,
  kJson,
  kAvro,
  kParquet,
  kOrc,
  kShapefile
};
enum class FileCompression : std::uint8_t { kNone, kGzip, kBzip2, kLzop, kZstd };

struct CopyStatement {
  QualifiedName table;
  std::vector<std::string> columns;
  std::string source;  ///< 's3://...'
  SourceSpan source_span;
  Credentials credentials;
  std::string region;
  bool manifest = false;
  bool encrypted = false;
  std::string master_symmetric_key;
  bool ssh = false;
  std::optional<std::int64_t> read_ratio;

  FileFormat format = FileFormat::kDelimited;
  bool format_written = false;
  std::string format_argument;  ///< JSON and AVRO: 'auto', 'auto ignorecase', 'noshred' or a path;
                                ///< FIXEDWIDTH spec
  bool serialize_to_json = false;
  FileCompression compression = FileCompression::kNone;
  std::optional<std::string> delimiter;  ///< decoded
  std::optional<std::string> quote;
  bool escape = false;
  bool remove_quotes = false;
  std::optional<std::string> null_as;
  std::int64_t ignore_header = 0;
  bool ignore_blank_lines = false;
  bool blanks_as_null = false;
  bool empty_as_null = false;
  bool fill_record = false;
  bool trim_blanks = false;
  bool truncate_columns = false;
  bool round_decimals = false;
  bool accept_any_date = false;
  bool explicit_ids = false;
  std::optional<std::string> accept_invalid_characters;  ///< replacement; '?' when none written
  std::string date_format;
  std::string time_format;
  std::string encoding;
  std::optional<std::int64_t> max_error;
  bool ignore_all_errors = false;
  bool no_load = false;
  std::string compression_update;  ///< COMPUPDATE: "", "on", "off", "preset"
  std::optional<bool> statistics_update;
  std::optional<std::int64_t> compression_rows;
};

struct UnloadStatement {
  std::string query_text;  ///< decoded
  QueryPtr query;          ///< query_text parsed; positions inside it are relative to query_text
  std::string destination;
  SourceSpan destination_span;
  Credentials credentials;
  FileFormat format = FileFormat::kDelimited;
  std::vector<std::string> partition_by;
  bool partition_include = false;
  bool manifest = false;
  bool manifest_verbose = false;
  bool header = false;
  std::optional<std::string> delimiter;
  std::string fixed_width;
  bool encrypted = false;
  bool encrypted_auto = false;
  std::string kms_key_id;
  std::string master_symmetric_key;
  FileCompression compression = FileCompression::kNone;
  bool add_quotes = false;
  std::optional<std::string> null_as;
  bool escape = false;
  bool allow_overwrite = false;
  bool clean_path = false;
  bool parallel = true;
  std::optional<double> max_file_size_mb;
  std::optional<double> row_group_size_mb;
  std::string region;
  std::optional<std::string> extension;
};

}  // namespace leat::sql
