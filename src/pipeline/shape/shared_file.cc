#include "pipeline/shape/shared_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace leat::shape {
namespace {

using columns::Column;
using columns::Type;

struct Named {
  std::string_view name;
  Type type;
};

// Questions about the rows of all tables at once need these at one place for all of them.
constexpr std::array<Named, 5> kNamed = {{{"id", Type::kVarchar},
                                          {"received_at", Type::kTimestamp},
                                          {"uuid", Type::kInt64},
                                          {"leat_batch", Type::kInt64},
                                          {"leat_order", Type::kInt64}}};

bool is_required(std::string_view name) {
  return name.starts_with("leat_");
}

}  // namespace

SharedFileWriter::SharedFileWriter() {
  add_column({.name = "leat_table", .type = Type::kInt64, .nullable = false});
  for (const Named& named : kNamed) {
    add_column({.name = std::string(named.name),
                .type = named.type,
                .nullable = !is_required(named.name)});
  }
}

std::size_t SharedFileWriter::add_column(Column column) {
  writer_.add_column(column);
  columns_.push_back(std::move(column));
  return columns_.size() - 1;
}

bool SharedFileWriter::takes(const std::vector<StagedColumn>& columns) const {
  const auto has = [&](const Named& named) {
    return std::ranges::any_of(columns, [&](const StagedColumn& each) {
      return each.column.name == named.name && each.column.type == named.type &&
             each.column.nullable != is_required(named.name);
    });
  };
  if (columns.size() > kTableColumnsMax || !std::ranges::all_of(kNamed, has)) return false;
  std::map<Kind, std::size_t> needed;
  std::size_t made = 0;
  for (const StagedColumn& each : columns) {
    if (std::ranges::find(kNamed, each.column.name, &Named::name) != kNamed.end()) continue;
    const auto places = places_.find(kind_of(each.column));
    const std::size_t there = places == places_.end() ? 0 : places->second.size();
    if (++needed[kind_of(each.column)] > there) ++made;
  }
  return columns_.size() + made <= kColumnsMax;
}

SharedFileWriter::Kind SharedFileWriter::kind_of(const Column& column) {
  return {column.type, column.precision, column.scale, column.nullable};
}

std::vector<std::size_t> SharedFileWriter::places_of(const std::vector<StagedColumn>& columns) {
  std::vector<std::size_t> out;
  std::map<Kind, std::size_t> taken;
  for (const StagedColumn& each : columns) {
    const Column& column = each.column;
    const auto named = std::ranges::find(kNamed, column.name, &Named::name);
    std::size_t place = 0;
    if (named != kNamed.end()) {
      place = 1 + static_cast<std::size_t>(named - kNamed.begin());
    } else {
      std::vector<std::size_t>& places = places_[kind_of(column)];
      const std::size_t number = taken[kind_of(column)]++;
      if (number == places.size()) {
        Column made = column;
        made.name = fmt::format("v{}", columns_.size() - kNamed.size());
        places.push_back(add_column(std::move(made)));
      }
      place = places[number];
    }
    columns_[place].length = std::max(columns_[place].length, column.length);
    out.push_back(place);
  }
  return out;
}

Status SharedFileWriter::add(columns::ParquetWriter& rows, std::vector<std::size_t> places,
                             std::size_t position) {
  LEAT_TRY(rows.add_constant_column(
      columns_.front(), columns::Cell::of_integer(static_cast<std::int64_t>(position))));
  places.push_back(0);
  return rows.finish_into(writer_, places);
}

Result<SharedFile> SharedFileWriter::finish() {
  SharedFile out{.columns = columns_, .rows = writer_.rows(), .parquet = {}};
  if (out.rows == 0) return out;
  LEAT_TRY(writer_.finish());
  out.parquet = sink_.take();
  return out;
}

}  // namespace leat::shape
