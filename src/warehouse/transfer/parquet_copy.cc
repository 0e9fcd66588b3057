#include "warehouse/transfer/parquet_copy.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "io/directory_object_store.h"
#include "warehouse/transfer/target_type.h"

namespace leat::transfer {

using engine::fail_sql;
using engine::quote_identifier;
using engine::quote_literal;
using engine::SqlError;
using engine::SqlResult;
using engine::SqlStatus;

namespace {

/// Puts objects of a store that is no folder into files, and removes them at the end.
class LocalFiles {
 public:
  LocalFiles(io::ObjectStore& store, const CopyOptions& options)
      : store_(store),
        folder_(dynamic_cast<io::DirectoryObjectStore*>(&store)),
        options_(options) {}
  LocalFiles(const LocalFiles&) = delete;
  LocalFiles& operator=(const LocalFiles&) = delete;
  ~LocalFiles() {
    std::error_code ignored;
    for (const std::string& path : fetched_) std::filesystem::remove(path, ignored);
  }

  SqlResult<std::string> path_of(const InputFile& file) {
    if (folder_ != nullptr) {
      auto path = folder_->local_path(file.uri);
      if (!path) return std::unexpected(store_error(path.error(), file.uri));
      return *path;
    }
    return fetch(file);
  }

 private:
  SqlResult<std::string> fetch(const InputFile& file) {
    if (options_.scratch_directory.empty()) {
      return fail_sql("XX000", "COPY needs a scratch directory to read Parquet from this store");
    }
    std::string path = (std::filesystem::path(options_.scratch_directory) / "copy-XXXXXX").string();
    const int descriptor = mkstemp(path.data());
    if (descriptor < 0) return fail_sql("58030", "a scratch file could not be made: " + path);
    close(descriptor);
    fetched_.push_back(path);
    std::ofstream out(path, std::ios::binary);
    for (std::uint64_t offset = 0; offset < file.size;) {
      const auto bytes = store_.get_range(file.uri, offset, options_.read_bytes);
      if (!bytes) return std::unexpected(store_error(bytes.error(), file.uri));
      if (bytes->empty()) return fail_sql("XX000", "the file became shorter: " + file.uri);
      out.write(bytes->data(), static_cast<std::streamsize>(bytes->size()));
      offset += bytes->size();
    }
    out.close();
    if (!out) return fail_sql("53100", "a scratch file could not be written: " + path);
    return path;
  }

  io::ObjectStore& store_;
  io::DirectoryObjectStore* folder_;
  const CopyOptions& options_;
  std::vector<std::string> fetched_;
};

struct FileColumn {
  std::string name;
  std::string type;  ///< DuckDB's spelling.
  auto operator<=>(const FileColumn&) const = default;
};

std::unexpected<SqlError> scan_error(int code, std::string_view context) {
  return fail_sql("XX000", "Spectrum Scan Error",
                  fmt::format("-----------------------------------------------\n"
                              "error:  Spectrum Scan Error\ncode:      {}\ncontext:   {}\n"
                              "-----------------------------------------------",
                              code, context));
}

SqlResult<std::vector<FileColumn>> describe(engine::Connection& connection, const std::string& path,
                                            const std::string& uri) {
  auto rows =
      connection.query(fmt::format("DESCRIBE SELECT * FROM read_parquet({})", quote_literal(path)));
  if (!rows) {
    const std::string& sqlstate = rows.error().sqlstate;
    if (sqlstate == "57014" || sqlstate == "53200") return std::unexpected(rows.error());
    return scan_error(15001, fmt::format("Not a valid Parquet file. File name: {}", uri));
  }
  std::vector<FileColumn> out;
  for (const engine::TextRow& row : *rows) {
    out.push_back({.name = row[0].value_or(""), .type = row[1].value_or("")});
  }
  return out;
}

bool is_one_of(std::string_view type, std::initializer_list<std::string_view> list) {
  for (const std::string_view candidate : list) {
    if (type == candidate) return true;
  }
  return false;
}

/// The SQL that turns file column `name` of type `type` into the target's type, or nothing when
/// they do not go together.
std::optional<std::string> conversion(const std::string& name, std::string_view type,
                                      const sql::TypeName& to, bool serialize_to_json) {
  const bool nested = type.ends_with(']') || type.starts_with("STRUCT") || type.starts_with("MAP");
  const bool is_small = is_one_of(type, {"TINYINT", "UTINYINT", "SMALLINT"});
  const bool is_medium = is_small || is_one_of(type, {"USMALLINT", "INTEGER"});
  const bool is_large = is_medium || is_one_of(type, {"UINTEGER", "BIGINT"});
  const bool is_instant =
      is_one_of(type, {"TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"});
  const bool is_zoned = type == "TIMESTAMP WITH TIME ZONE";
  switch (to.kind) {
    case sql::TypeKind::kBoolean:
      if (type == "BOOLEAN") return name;
      break;
    case sql::TypeKind::kSmallint:
      // Parquet's smallest integer is 32 bits: values are checked, not the type.
      if (is_medium) return fmt::format("CAST({} AS SMALLINT)", name);
      break;
    case sql::TypeKind::kInteger:
      if (is_medium) return name;
      break;
    case sql::TypeKind::kBigint:
      if (is_large) return name;
      break;
    case sql::TypeKind::kReal:
      if (type == "FLOAT") return name;
      break;
    case sql::TypeKind::kDouble:
      if (is_one_of(type, {"FLOAT", "DOUBLE"})) return name;
      break;
    case sql::TypeKind::kDecimal:
      if (decimal_fits(type, to)) return fmt::format("CAST({} AS {})", name, engine_type(to));
      break;
    case sql::TypeKind::kChar:
    case sql::TypeKind::kVarchar:
      if (is_one_of(type, {"VARCHAR", "JSON"})) return name;
      if (type.starts_with("ENUM(")) return fmt::format("CAST({} AS VARCHAR)", name);
      if (type == "BLOB") return fmt::format("decode({})", name);
      break;
    case sql::TypeKind::kVarbyte:
      if (type == "BLOB") return name;
      break;
    case sql::TypeKind::kDate:
      if (type == "DATE") return name;
      break;
    case sql::TypeKind::kTime:
      if (type == "TIME") return name;
      break;
    case sql::TypeKind::kTimestamp:
      if (is_instant) return fmt::format("CAST({} AS TIMESTAMP)", name);
      if (is_zoned) return fmt::format("{} AT TIME ZONE 'UTC'", name);
      break;
    case sql::TypeKind::kTimestampTz:
      if (is_zoned) return name;
      if (is_instant) return fmt::format("CAST({} AS TIMESTAMP) AT TIME ZONE 'UTC'", name);
      break;
    case sql::TypeKind::kSuper:
      if (nested && serialize_to_json) return fmt::format("to_json({})", name);
      if (is_one_of(type, {"VARCHAR", "JSON"})) return fmt::format("CAST({} AS JSON)", name);
      if (type == "BLOB") return fmt::format("CAST(decode({}) AS JSON)", name);
      if (is_large || is_one_of(type, {"BOOLEAN", "FLOAT", "DOUBLE"})) {
        return fmt::format("to_json({})", name);
      }
      break;
    default:
      break;
  }
  return std::nullopt;
}

/// `expression` refused when it has 19 digits and does not fit the 8 bytes that Redshift keeps them
/// in.
std::string with_range_check(std::string expression, const TargetColumn& column) {
  const sql::TypeName& type = column.type;
  if (type.kind != sql::TypeKind::kDecimal || type.precision != 19) return expression;
  const auto bound = [&](std::string digits) {
    digits.insert(digits.size() - static_cast<std::size_t>(std::max(type.scale, 0)), ".");
    return fmt::format("CAST('{}' AS DECIMAL(38,{}))", digits, std::max(type.scale, 0));
  };
  return fmt::format("CASE WHEN {0} > {1} OR {0} < -{2} THEN CAST(error({3}) AS {4}) ELSE {0} END",
                     expression, bound("9223372036854775807"), bound("9223372036854775808"),
                     quote_literal("22003: Numeric data overflow (result precision), column \"" +
                                   column.name + "\""),
                     engine_type(type));
}

/// `expression` refused with 1204's words when it is longer than the column, in bytes.
std::string with_length_check(std::string expression, const TargetColumn& column,
                              const std::string& file_expression) {
  const bool is_char = column.type.kind == sql::TypeKind::kChar;
  const bool is_text = is_char || column.type.kind == sql::TypeKind::kVarchar;
  if (!is_text && column.type.kind != sql::TypeKind::kVarbyte) return expression;
  // Blanks at the end of a CHAR have no meaning: they are not kept.
  if (is_char) expression = fmt::format("rtrim({}, ' ')", expression);
  return fmt::format("leat_fit_loaded({}, {}, {}, {}{})", expression, column.type.length,
                     quote_literal(column.name), file_expression,
                     column.blank_key == 0 ? "" : fmt::format(", {}", column.blank_key));
}

using Columns = std::vector<const TargetColumn*>;

SqlStatus check_count(const sql::CopyStatement& statement, const Columns& columns,
                      const std::vector<FileColumn>& found, const std::string& uri) {
  const bool fits =
      found.size() == columns.size() || (found.size() < columns.size() && statement.fill_record);
  if (fits) return {};
  return scan_error(15001, fmt::format("Unmatched number of columns between table and file. Table "
                                       "columns: {}, Data columns: {}, File name: {}",
                                       columns.size(), found.size(), uri));
}

/// SELECT over all files of one schema, its columns in the order of `columns`.
SqlResult<std::string> select_sql(const sql::CopyStatement& statement, const Columns& columns,
                                  const std::vector<FileColumn>& found,
                                  const std::vector<std::string>& paths, const std::string& uri) {
  LEAT_TRY(check_count(statement, columns, found, uri));
  std::string list;
  std::string names;
  // A file of our own store is a path inside; its name is what a person can act on.
  const std::string file = paths.size() == 1 ? quote_literal(uri) : "filename";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) list += ", ";
    if (i >= found.size()) {
      list += "NULL";
      continue;
    }
    const std::string name = fmt::format("c{}", i);
    names += fmt::format("{}{}", i > 0 ? ", " : "", name);
    auto expression =
        conversion(name, found[i].type, columns[i]->type, statement.serialize_to_json);
    if (!expression) {
      return scan_error(
          15007, fmt::format("File '{}' has an incompatible Parquet schema for column '{}'. Column "
                             "type: {}, Parquet column: {} {}",
                             uri, columns[i]->name, declared_type(columns[i]->type), found[i].name,
                             found[i].type));
    }
    list +=
        with_length_check(with_range_check(std::move(*expression), *columns[i]), *columns[i], file);
  }
  std::string path_list;
  for (const std::string& path : paths) {
    path_list += (path_list.empty() ? "" : ", ") + quote_literal(path);
  }
  return fmt::format("SELECT {} FROM read_parquet([{}]) AS t({})", list, path_list, names);
}

}  // namespace

SqlStatus copy_parquet(const sql::CopyStatement& statement, const CopyTarget& target,
                       const Columns& columns, const std::vector<InputFile>& files,
                       engine::Connection& connection, io::ObjectStore& store,
                       const CopyOptions& options, CopyReport& report) {
  if (files.empty()) return {};
  LocalFiles local(store, options);
  struct Group {
    std::vector<std::string> paths;
    std::string first_uri;
  };
  // Files are matched by position, each by its own schema; one scan reads all that share one.
  std::map<std::vector<FileColumn>, Group> groups;
  for (const InputFile& file : files) {
    LEAT_ASSIGN(const std::string path, local.path_of(file));
    LEAT_ASSIGN(std::vector<FileColumn> found, describe(connection, path, file.uri));
    Group& group = groups[std::move(found)];
    if (group.paths.empty()) group.first_uri = file.uri;
    group.paths.push_back(path);
  }
  std::string select;
  for (const auto& [found, group] : groups) {
    LEAT_ASSIGN(const std::string part,
                select_sql(statement, columns, found, group.paths, group.first_uri));
    select += (select.empty() ? "" : " UNION ALL ") + part;
  }
  if (statement.no_load) {
    LEAT_ASSIGN(const auto counted, connection.query(fmt::format(
                                        "SELECT count(COLUMNS(*)), count(*) FROM ({})", select)));
    report.rows = parse_number<std::int64_t>(counted.front().back().value_or("0")).value_or(0);
  } else {
    std::string names;
    for (const TargetColumn* column : columns) {
      names += (names.empty() ? "" : ", ") + quote_identifier(column->name);
    }
    LEAT_ASSIGN(report.rows, connection.run(fmt::format("INSERT INTO {}({}) {}", target.engine_name,
                                                        names, select)));
  }
  for (const InputFile& file : files) {
    report.files.push_back({.file = file.uri, .bytes = file.size});
  }
  return {};
}

}  // namespace leat::transfer
