#include "warehouse/dataapi/result_pages.h"

#include "io/file_system.h"

namespace leat::dataapi {

bool ResultBudget::take(std::uint64_t bytes) {
  used_ += bytes;
  if (!over()) return true;
  make_room_();
  if (!over()) return true;
  used_ -= bytes;
  return false;
}

ResultPages::ResultPages(Options options) : options_(std::move(options)) {}

ResultPages::~ResultPages() {
  if (options_.budget != nullptr) options_.budget->give_back(bytes_);
  if (file_ == nullptr) return;
  file_.reset();
  static_cast<void>(options_.files->remove(options_.path));
}

Status ResultPages::add_row(std::string_view row, std::size_t value_bytes) {
  if (value_bytes > options_.limits.row_bytes_max) {
    return fail(Errc::kExhausted, "Packet for query is too large");
  }
  const std::string_view separator = page_open_ ? options_.separator : std::string_view();
  const std::uint64_t added = separator.size() + row.size();
  if (bytes_ + added > options_.limits.result_bytes_max) {
    return fail(Errc::kExhausted, "Database response exceeded size limit");
  }
  if (options_.budget != nullptr && !options_.budget->take(added)) {
    return fail(Errc::kExhausted,
                "Database response exceeded size limit: the results kept for all statements fill "
                "data_api.results_bytes_max");
  }
  if (!page_open_) pages_.push_back({.offset = bytes_, .length = 0});
  page_open_ = true;
  memory_ += separator;
  memory_ += row;
  bytes_ += added;
  pages_.back().length += added;
  ++rows_;
  if (pages_.back().length >= options_.limits.page_bytes) page_open_ = false;
  if (memory_.size() >= options_.limits.memory_bytes && !options_.path.empty()) return spill();
  return {};
}

Status ResultPages::spill() {
  if (file_ == nullptr) {
    LEAT_ASSIGN(file_, options_.files->open(options_.path,
                                            {.write = true, .create = true, .truncate = true}));
  }
  LEAT_TRY(file_->pwrite(memory_, file_bytes_));
  file_bytes_ += memory_.size();
  memory_.clear();
  return {};
}

Status ResultPages::finish() {
  page_open_ = false;
  if (file_ != nullptr && !memory_.empty()) LEAT_TRY(spill());
  memory_.shrink_to_fit();
  return {};
}

Result<std::string> ResultPages::page(std::size_t index) const {
  const Page& wanted = pages_.at(index);
  if (file_ == nullptr) return memory_.substr(wanted.offset, wanted.length);
  std::string bytes(wanted.length, '\0');
  LEAT_ASSIGN(const std::size_t got, file_->pread(bytes, wanted.offset));
  if (got != bytes.size()) return fail(Errc::kCorrupt, "a result's file ends too early");
  return bytes;
}

}  // namespace leat::dataapi
