// The file that many small tables share. Used by shaper.cc and table.cc only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "columns/parquet_writer.h"
#include "pipeline/shape/shaper.h"

namespace leat::shape {

/// Staged files are read once, whole, and removed: nobody searches them.
inline constexpr columns::ParquetOptions kStagedFile = {.ranges = false};

/// Lays the columns of each table over the columns of the file, which are made as they are needed.
/// One thread.
class SharedFileWriter {
 public:
  /// Widest table that is taken: what it makes wide is wide for all others too.
  static constexpr std::size_t kTableColumnsMax = 400;
  /// Of the file: the stage table has as many, and Redshift's limit is 1,600.
  static constexpr std::size_t kColumnsMax = 1'500;

  SharedFileWriter();

  /// True when the table has the columns that loads tell its rows apart by, and there is room for
  /// its others.
  [[nodiscard]] bool takes(const std::vector<StagedColumn>& columns) const;

  /// Where each column goes. Columns of a table never share a place.
  [[nodiscard]] std::vector<std::size_t> places_of(const std::vector<StagedColumn>& columns);

  /// Adds the rows of a file that is not finished as those of the table at `position`; `places` as
  /// ParquetWriter::finish_into takes them. Errors: those of the writer.
  [[nodiscard]] Status add(columns::ParquetWriter& rows, std::vector<std::size_t> places,
                           std::size_t position);

  [[nodiscard]] Result<SharedFile> finish();

 private:
  using Kind = std::tuple<columns::Type, std::uint8_t, std::uint8_t, bool>;
  static Kind kind_of(const columns::Column& column);
  std::size_t add_column(columns::Column column);

  std::vector<columns::Column> columns_;
  std::map<Kind, std::vector<std::size_t>> places_;  // of the columns for any name
  columns::StringSink sink_;
  columns::ParquetWriter writer_{sink_, kStagedFile};
};

}  // namespace leat::shape
