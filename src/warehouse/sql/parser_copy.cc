// COPY and UNLOAD with all their options, in any order.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "warehouse/sql/parser_core.h"

namespace leat::sql {

std::string Parser::optional_as_string() {
  (void)accept("as"_w);
  return string_literal();
}

/// IAM_ROLE, ACCESS_KEY_ID ..., CREDENTIALS. The three forms exclude each other.
bool Parser::credentials(Credentials& node) {
  const Token& where = token();
  const bool first_form = !node.given();
  if (accept("iam_role"_w)) {
    (void)accept("as"_w);
    if (!first_form) fail_at(where, "42601", "conflicting or redundant credentials options");
    if (accept("default"_w)) {
      node.iam_role_default = true;
      return true;
    }
    const std::string roles = string_literal();
    if (roles == "SESSION") {
      node.iam_session = true;
      return true;
    }
    if (roles == "default") {
      node.iam_role_default = true;
      return true;
    }
    std::size_t begin = 0;
    while (begin <= roles.size()) {
      const std::size_t comma = std::min(roles.find(',', begin), roles.size());
      node.iam_roles.push_back(roles.substr(begin, comma - begin));
      if (trim(node.iam_roles.back()).empty()) {
        fail_at(where, "42601",
                "IAM_ROLE needs the name of a role: 'arn:aws:iam::<account>:role/<name>', default "
                "or SESSION");
      }
      begin = comma + 1;
    }
    return true;
  }
  if (at("with"_w) && at("credentials"_w, 1)) advance();
  if (accept("credentials"_w)) {
    if (!first_form) fail_at(where, "42601", "conflicting or redundant credentials options");
    node.credentials = optional_as_string();
    if (trim(node.credentials).empty()) {
      fail_at(where, "42601",
              "CREDENTIALS needs 'aws_iam_role=...', or 'aws_access_key_id=...;"
              "aws_secret_access_key=...'");
    }
    return true;
  }
  if (accept("access_key_id"_w)) {
    if (!node.access_key_id.empty() || node.iam_role_default || !node.iam_roles.empty() ||
        !node.credentials.empty()) {
      fail_at(where, "42601", "conflicting or redundant credentials options");
    }
    node.access_key_id = optional_as_string();
    return true;
  }
  if (accept("secret_access_key"_w)) {
    node.secret_access_key = optional_as_string();
    return true;
  }
  if (accept("session_token"_w) || accept("token"_w)) {
    node.session_token = optional_as_string();
    return true;
  }
  return false;
}

StatementNode Parser::copy() {
  advance();
  CopyStatement node;
  node.table = qualified_name();
  node.columns = optional_name_list();
  if (at("to"_w)) unsupported(token(), "COPY TO");
  expect("from"_w);
  if (at("stdin"_w)) syntax_error();
  const std::size_t source = at_;
  node.source = string_literal();
  node.source_span = span_from(source);
  options([&] { return copy_option(node); });
  return node;
}

void Parser::options(const std::function<bool()>& one) {
  std::vector<Word> seen;
  while (!at_end() && !at_operator(";")) {
    const Token& where = token();
    if (!one()) syntax_error();
    // FORMAT AS CSV and CSV are told by what they set.
    if (where.word == "format"_w) continue;
    if (std::ranges::find(seen, where.word) != seen.end())
      fail_at(where, "42601", "conflicting or redundant options: " + std::string(where.text));
    seen.push_back(where.word);
  }
}

bool Parser::copy_option(CopyStatement& node) {
  return credentials(node.credentials) || copy_format(node) || copy_conversion(node) ||
         copy_loading(node);
}

bool Parser::copy_format(CopyStatement& node) {
  if (at("format"_w)) {
    advance();
    (void)accept("as"_w);
    if (!at_any({"csv"_w, "json"_w, "avro"_w, "parquet"_w, "orc"_w, "fixedwidth"_w, "delimiter"_w,
                 "shapefile"_w})) {
      syntax_error();
    }
  }
  const Token& where = token();
  FileFormat format = FileFormat::kDelimited;
  switch (where.word) {
    case "csv"_w:
      format = FileFormat::kCsv;
      break;
    case "json"_w:
      format = FileFormat::kJson;
      break;
    case "avro"_w:
      format = FileFormat::kAvro;
      break;
    case "parquet"_w:
      format = FileFormat::kParquet;
      break;
    case "orc"_w:
      format = FileFormat::kOrc;
      break;
    case "fixedwidth"_w:
      format = FileFormat::kFixedWidth;
      break;
    case "shapefile"_w:
      unsupported(where, "COPY from SHAPEFILE");
    default:
      return false;
  }
  advance();
  if (node.format_written) fail_at(where, "42601", "conflicting or redundant format options");
  node.format_written = true;
  node.format = format;
  if (format == FileFormat::kCsv) {
    if (accept("quote"_w)) node.quote = optional_as_string();
  } else if (format == FileFormat::kJson || format == FileFormat::kAvro) {
    const bool as_written = accept("as"_w);
    node.format_argument = "auto";
    if (as_written || at_kind(TokenKind::kString)) node.format_argument = string_literal();
  } else if (format == FileFormat::kFixedWidth) {
    node.format_argument = optional_as_string();
  } else if (format == FileFormat::kParquet) {
    node.serialize_to_json = accept("serializetojson"_w);
  }
  return true;
}

bool Parser::copy_conversion(CopyStatement& node) {
  const Token& where = token();
  switch (where.word) {
    case "delimiter"_w:
      advance();
      node.delimiter = optional_as_string();
      return true;
    case "quote"_w:
      advance();
      node.quote = optional_as_string();
      return true;
    case "serializetojson"_w:
      advance();
      node.serialize_to_json = true;
      return true;
    case "null"_w:
      advance();
      node.null_as = optional_as_string();
      return true;
    case "acceptinvchars"_w:
      advance();
      if (accept("as"_w) || at_kind(TokenKind::kString)) {
        node.accept_invalid_characters = string_literal();
      } else {
        node.accept_invalid_characters = "?";
      }
      return true;
    case "dateformat"_w:
      advance();
      node.date_format = optional_as_string();
      return true;
    case "timeformat"_w:
      advance();
      node.time_format = optional_as_string();
      return true;
    case "encoding"_w:
      advance();
      (void)accept("as"_w);
      node.encoding = string_or_name();
      return true;
    case "ignoreheader"_w:
      advance();
      (void)accept("as"_w);
      node.ignore_header = at_kind(TokenKind::kString) ? integer_in_string() : integer();
      if (node.ignore_header < 0) fail_at(where, "22023", "IGNOREHEADER must not be negative");
      return true;
    default:
      return copy_flag(node);
  }
}

bool Parser::copy_flag(CopyStatement& node) {
  switch (token().word) {
    case "escape"_w:
      node.escape = true;
      break;
    case "removequotes"_w:
      node.remove_quotes = true;
      break;
    case "ignoreblanklines"_w:
      node.ignore_blank_lines = true;
      break;
    case "blanksasnull"_w:
      node.blanks_as_null = true;
      break;
    case "emptyasnull"_w:
      node.empty_as_null = true;
      break;
    case "fillrecord"_w:
      node.fill_record = true;
      break;
    case "trimblanks"_w:
      node.trim_blanks = true;
      break;
    case "truncatecolumns"_w:
      node.truncate_columns = true;
      break;
    case "roundec"_w:
      node.round_decimals = true;
      break;
    case "acceptanydate"_w:
      node.accept_any_date = true;
      break;
    case "explicit_ids"_w:
      node.explicit_ids = true;
      break;
    case "ignoreallerrors"_w:
      node.ignore_all_errors = true;
      break;
    case "noload"_w:
      node.no_load = true;
      break;
    case "manifest"_w:
      node.manifest = true;
      break;
    case "encrypted"_w:
      node.encrypted = true;
      break;
    case "ssh"_w:
      node.ssh = true;
      break;
    default:
      return false;
  }
  advance();
  return true;
}

std::int64_t Parser::integer_in_string() {
  const Token& where = token();
  const std::string text = string_literal();
  std::int64_t value = 0;
  if (text.empty() || text.size() > 18) syntax_error(where);
  for (const char c : text) {
    if (c < '0' || c > '9') syntax_error(where);
    value = value * 10 + (c - '0');
  }
  return value;
}

bool Parser::copy_loading(CopyStatement& node) {
  const Token& where = token();
  if (const auto compression = accept_compression()) {
    if (node.compression != FileCompression::kNone) {
      fail_at(where, "42601", "conflicting or redundant compression options");
    }
    node.compression = *compression;
    return true;
  }
  if (accept("maxerror"_w)) {
    (void)accept("as"_w);
    node.max_error = integer();
    if (*node.max_error < 0 || *node.max_error > 100000) {
      fail_at(where, "22023", "MAXERROR must be between 0 and 100000");
    }
    return true;
  }
  if (accept("region"_w)) {
    node.region = optional_as_string();
    return true;
  }
  if (accept("master_symmetric_key"_w)) {
    node.master_symmetric_key = optional_as_string();
    return true;
  }
  if (accept("readratio"_w)) {
    (void)accept("as"_w);
    node.read_ratio = integer();
    return true;
  }
  if (accept("comprows"_w)) {
    (void)accept("as"_w);
    node.compression_rows = integer();
    if (*node.compression_rows < 1000 || *node.compression_rows > 2147483647)
      fail_at(where, "22023", "COMPROWS must be between 1000 and 2147483647");
    return true;
  }
  if (accept("compupdate"_w)) {
    node.compression_update = "on";
    if (accept("preset"_w)) {
      node.compression_update = "preset";
    } else if (const auto on = accept_on_off()) {
      node.compression_update = *on ? "on" : "off";
    }
    return true;
  }
  if (accept("statupdate"_w)) {
    node.statistics_update = accept_on_off().value_or(true);
    return true;
  }
  if (at("job"_w)) unsupported(where, "COPY JOB");
  return false;
}

std::optional<FileCompression> Parser::accept_compression() {
  if (accept("gzip"_w)) return FileCompression::kGzip;
  if (accept("bzip2"_w)) return FileCompression::kBzip2;
  if (accept("lzop"_w)) return FileCompression::kLzop;
  if (accept("zstd"_w)) return FileCompression::kZstd;
  return std::nullopt;
}

StatementNode Parser::unload() {
  advance();
  UnloadStatement node;
  expect_operator("(");
  const Token& text = token();
  node.query_text = string_literal();
  expect_operator(")");
  parse_unload_query(node, text);
  expect("to"_w);
  const std::size_t destination = at_;
  node.destination = string_literal();
  node.destination_span = span_from(destination);
  options([&] { return credentials(node.credentials) || unload_option(node); });
  return node;
}

/// The inner text has its own tokens; an error in it is shown at the string's place.
void Parser::parse_unload_query(UnloadStatement& node, const Token& where) {
  auto inner = parse_script(node.query_text);
  if (!inner) {
    fail_at(where, inner.error().sqlstate, inner.error().message);
  }
  if (inner->size() != 1) fail_at(where, "42601", "UNLOAD needs one SELECT statement");
  auto* query = std::get_if<SelectStatement>(&inner->front().statement.node);
  if (query == nullptr) fail_at(where, "42601", "UNLOAD needs one SELECT statement");
  if (inner->front().parameter_count > 0) {
    fail_at(where, "42601", "parameters are not allowed in the text of UNLOAD");
  }
  if (query->query->limit && query->query->kind == QueryKind::kSelect) {
    fail_at(where, "0A000",
            "Limit clause is not supported; nest the query: select * from (select ... limit n)");
  }
  node.query = std::move(query->query);
}

bool Parser::unload_option(UnloadStatement& node) {
  const Token& where = token();
  const bool format_word = accept("format"_w);
  if (format_word) (void)accept("as"_w);
  if (at_any({"csv"_w, "parquet"_w, "json"_w})) {
    if (node.format != FileFormat::kDelimited) {
      fail_at(where, "42601", "conflicting or redundant format options");
    }
    node.format =
        at("csv"_w) ? FileFormat::kCsv : (at("json"_w) ? FileFormat::kJson : FileFormat::kParquet);
    advance();
    return true;
  }
  if (format_word) syntax_error();
  if (const auto compression = accept_compression()) {
    node.compression = *compression;
    return true;
  }
  if (accept("partition"_w)) {
    expect("by"_w);
    node.partition_by = name_list();
    node.partition_include = accept("include"_w);
    return true;
  }
  if (accept("manifest"_w)) {
    node.manifest = true;
    node.manifest_verbose = accept("verbose"_w);
    return true;
  }
  if (accept("encrypted"_w)) {
    node.encrypted = true;
    node.encrypted_auto = accept("auto"_w);
    return true;
  }
  if (accept("parallel"_w)) {
    node.parallel = accept_on_off().value_or(true);
    return true;
  }
  if (accept("maxfilesize"_w)) {
    (void)accept("as"_w);
    node.max_file_size_mb = file_size_mb();
    return true;
  }
  if (accept("rowgroupsize"_w)) {
    (void)accept("as"_w);
    node.row_group_size_mb = file_size_mb();
    return true;
  }
  return unload_text_option(node);
}

bool Parser::unload_text_option(UnloadStatement& node) {
  switch (token().word) {
    case "header"_w:
      node.header = true;
      break;
    case "addquotes"_w:
      node.add_quotes = true;
      break;
    case "escape"_w:
      node.escape = true;
      break;
    case "allowoverwrite"_w:
      node.allow_overwrite = true;
      break;
    case "cleanpath"_w:
      node.clean_path = true;
      break;
    case "delimiter"_w:
      advance();
      node.delimiter = optional_as_string();
      return true;
    case "fixedwidth"_w:
      advance();
      node.format = FileFormat::kFixedWidth;
      node.fixed_width = optional_as_string();
      return true;
    case "kms_key_id"_w:
      advance();
      node.kms_key_id = optional_as_string();
      return true;
    case "master_symmetric_key"_w:
      advance();
      node.master_symmetric_key = optional_as_string();
      return true;
    case "null"_w:
      advance();
      node.null_as = optional_as_string();
      return true;
    case "region"_w:
      advance();
      node.region = optional_as_string();
      return true;
    case "extension"_w:
      advance();
      node.extension = optional_as_string();
      return true;
    default:
      return false;
  }
  advance();
  return true;
}

double Parser::file_size_mb() {
  const double size = number();
  if (accept("gb"_w)) return size * 1024;
  (void)accept("mb"_w);
  return size;
}

}  // namespace leat::sql
