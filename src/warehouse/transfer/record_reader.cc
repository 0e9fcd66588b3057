#include "warehouse/transfer/record_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace leat::transfer {

using engine::fail_sql;
using engine::SqlResult;
using engine::SqlStatus;

namespace {

constexpr std::size_t kFillBytes = 256 << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/// Reads "id:5,name:30" as the widths.
SqlResult<std::vector<std::size_t>> read_widths(std::string_view text) {
  std::vector<std::size_t> out;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t colon = part.rfind(':');
    const auto width = colon == std::string_view::npos
                           ? std::nullopt
                           : parse_number<std::size_t>(trim(part.substr(colon + 1)));
    if (!width || *width == 0 || *width > (4 << 20)) {
      return fail_sql("42601",
                      fmt::format("FIXEDWIDTH must be a list of 'label:width', not '{}'", text));
    }
    out.push_back(*width);
  }
  return out;
}

}  // namespace

SqlResult<TextFormat> TextFormat::read(const sql::CopyStatement& statement) {
  TextFormat out;
  if (statement.format == sql::FileFormat::kCsv) {
    out.kind = TextKind::kCsv;
    out.delimiter = ",";
  }
  if (statement.format == sql::FileFormat::kFixedWidth) {
    out.kind = TextKind::kFixedWidth;
    LEAT_ASSIGN(out.widths, read_widths(statement.format_argument));
  }
  if (statement.delimiter && !statement.delimiter->empty()) {
    out.delimiter = *statement.delimiter;
  }
  if (statement.quote && !statement.quote->empty()) out.quote = statement.quote->front();
  out.escape = statement.escape;
  out.remove_quotes = statement.remove_quotes;
  out.ignore_blank_lines = statement.ignore_blank_lines;
  if (statement.null_as) out.null_as = *statement.null_as;
  return out;
}

RecordReader::RecordReader(std::unique_ptr<ByteStream> stream, const TextFormat& format,
                           std::uint64_t row_bytes_max)
    : stream_(std::move(stream)), format_(format), row_bytes_max_(row_bytes_max) {}

/// Reads more behind the current record. False when the stream had ended before.
SqlResult<bool> RecordReader::fill() {
  if (at_end_) return false;
  const bool first = line_ == 1 && buffer_.empty() && start_ == 0;
  buffer_.erase(0, start_);
  next_ -= start_;
  start_ = 0;
  const std::size_t before = buffer_.size();
  // A longer record is read in longer steps, so that rescanning it stays linear.
  const std::size_t step = std::max(kFillBytes, before);
  buffer_.resize(before + step);
  auto count = stream_->read({buffer_.data() + before, step});
  buffer_.resize(before + (count ? *count : 0));
  if (!count) return std::unexpected(std::move(count).error());
  at_end_ = *count == 0;
  if (first && buffer_.starts_with(kByteOrderMark)) buffer_.erase(0, kByteOrderMark.size());
  return true;
}

std::optional<std::size_t> RecordReader::line_end(std::size_t from) const {
  const std::size_t at = buffer_.find('\n', start_ + from);
  if (at != std::string::npos) return at;
  if (at_end_) return buffer_.size();
  return std::nullopt;
}

void RecordReader::finish(Record& record, std::size_t end) {
  record.raw = std::string_view(buffer_).substr(start_, end - start_);
  if (record.raw.ends_with('\r')) record.raw.remove_suffix(1);
  record.line_number = line_;
  next_ = std::min(end + 1, buffer_.size());
  line_ += std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(start_),
                      buffer_.begin() + static_cast<std::ptrdiff_t>(end), '\n') +
           1;
}

void RecordReader::give_up(Record& record, std::int32_t code, std::string reason, std::size_t at,
                           std::size_t end) {
  record.error = FieldError{.code = code, .reason = std::move(reason)};
  record.error_at = at;
  finish(record, end);
}

std::string& RecordReader::scratch() {
  if (scratch_used_ == scratch_.size()) scratch_.push_back(std::make_unique<std::string>());
  std::string& out = *scratch_[scratch_used_++];
  out.clear();
  return out;
}

SqlStatus RecordReader::skip_lines(std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    Record record;
    while (true) {
      start_ = next_;
      if (const auto end = line_end(0); end && (start_ < buffer_.size() || !at_end_)) {
        finish(record, *end);
        break;
      }
      if (at_end_) return {};
      // What was read of the line is not needed.
      start_ = next_ = buffer_.size();
      LEAT_TRY(fill());
    }
  }
  return {};
}

SqlResult<bool> RecordReader::skip_oversize(Record& record) {
  const std::string head = buffer_.substr(start_, 1024);
  const std::int64_t line_number = line_;
  // The rest of the line is thrown away piece by piece, so that memory stays bounded.
  while (true) {
    if (const auto end = line_end(0)) {
      finish(record, *end);
      break;
    }
    start_ = next_ = buffer_.size();
    LEAT_TRY(fill());
  }
  std::string& kept = scratch();
  kept = head;
  record.raw = kept;
  record.line_number = line_number;
  record.fields.clear();
  record.error = FieldError{
      .code = 1204, .reason = fmt::format("The row is longer than {} bytes", row_bytes_max_)};
  record.error_at = 0;
  return true;
}

SqlResult<bool> RecordReader::next(Record& record) {
  while (true) {
    start_ = next_;
    scratch_used_ = 0;
    record.fields.clear();
    record.error.reset();
    if (start_ == buffer_.size()) {
      if (at_end_) return false;
      LEAT_TRY(fill());
      continue;
    }
    if (scan(record) == Scan::kMore) {
      if (buffer_.size() - start_ > row_bytes_max_) return skip_oversize(record);
      LEAT_TRY(fill());
      continue;
    }
    if (record.raw.empty() && format_.ignore_blank_lines) continue;
    return true;
  }
}

RecordReader::Scan RecordReader::scan(Record& record) {
  switch (format_.kind) {
    case TextKind::kCsv:
      return scan_csv(record);
    case TextKind::kFixedWidth:
      return scan_fixed(record);
    case TextKind::kDelimited:
      break;
  }
  return format_.escape || format_.remove_quotes ? scan_escaped(record) : scan_plain(record);
}

RecordReader::Scan RecordReader::scan_plain(Record& record) {
  const auto end = line_end(0);
  if (!end) return Scan::kMore;
  finish(record, *end);
  std::size_t at = 0;
  while (true) {
    const std::size_t stop = std::min(record.raw.find(format_.delimiter, at), record.raw.size());
    const std::string_view text = record.raw.substr(at, stop - at);
    record.fields.push_back({.text = text, .at = at, .is_null = text == format_.null_as});
    if (stop == record.raw.size()) return Scan::kDone;
    at = stop + format_.delimiter.size();
  }
}

RecordReader::Scan RecordReader::scan_escaped(Record& record) {
  std::size_t i = start_;
  while (true) {
    const std::size_t begin = i;
    char quote = 0;
    if (format_.remove_quotes && i < buffer_.size() && (buffer_[i] == '\'' || buffer_[i] == '"')) {
      quote = buffer_[i++];
    }
    std::string& text = scratch();
    bool closed = false;
    for (;; ++i) {
      if (i == buffer_.size()) {
        if (!at_end_) return Scan::kMore;
        break;
      }
      const char c = buffer_[i];
      if (format_.escape && c == '\\') {
        if (i + 1 == buffer_.size()) {
          if (!at_end_) return Scan::kMore;
          break;
        }
        text += buffer_[++i];
        continue;
      }
      if (quote != 0 && c == quote) {
        if (i + std::max<std::size_t>(2, format_.delimiter.size()) >= buffer_.size() && !at_end_)
          return Scan::kMore;
        const std::string_view rest = std::string_view(buffer_).substr(i + 1);
        closed = rest.empty() || rest.starts_with(format_.delimiter) || rest.front() == '\n' ||
                 rest.starts_with("\r\n");
        if (closed) {
          ++i;
          break;
        }
      }
      if (c == '\n') break;
      if (quote == 0 && may_be_delimiter(i)) return Scan::kMore;
      if (quote == 0 && at_delimiter(i)) break;
      text += c;
    }
    if (quote != 0 && !closed) {
      const auto end = line_end(i - start_);
      if (!end) return Scan::kMore;
      give_up(record, 1214, "Delimited value missing end quote", begin - start_, *end);
      return Scan::kDone;
    }
    const bool last = i >= buffer_.size() || !at_delimiter(i);
    std::size_t stop = std::min(i, buffer_.size());
    // The carriage return of a line end of two bytes belongs to no field.
    if (last && quote == 0 && stop > begin && buffer_[stop - 1] == '\r' && text.ends_with('\r')) {
      text.pop_back();
      --stop;
    }
    const std::string_view raw = std::string_view(buffer_).substr(begin, stop - begin);
    record.fields.push_back(
        {.text = text,
         .at = begin - start_,
         .is_null = raw == format_.null_as || (quote != 0 && text == format_.null_as)});
    if (last) {
      const auto end = line_end(i - start_);
      if (!end) return Scan::kMore;
      finish(record, *end);
      return Scan::kDone;
    }
    i += format_.delimiter.size();
  }
}

RecordReader::Scan RecordReader::scan_csv(Record& record) {
  const std::string_view all = buffer_;
  std::size_t i = start_;
  const bool blanks_count = is_blank(format_.delimiter.front());
  while (true) {
    std::size_t begin = i;
    std::size_t open = i;
    if (!blanks_count) {
      while (open < all.size() && is_blank(all[open])) ++open;
    }
    if (open == all.size() && !at_end_) return Scan::kMore;
    Field field{.text = {}, .at = begin - start_, .is_null = false};
    if (open < all.size() && all[open] == format_.quote) {
      std::size_t from = open + 1;
      std::string* decoded = nullptr;
      std::size_t close = 0;
      while (true) {
        close = all.find(format_.quote, from);
        if (close == std::string_view::npos || (close + 1 == all.size() && !at_end_)) {
          if (!at_end_) return Scan::kMore;
          // Never closed: only its first line is given up, the next one may be good again.
          give_up(record, 1214, "Delimited value missing end quote", begin - start_, *line_end(0));
          return Scan::kDone;
        }
        if (close + 1 >= all.size() || all[close + 1] != format_.quote) break;
        if (decoded == nullptr) decoded = &scratch();
        decoded->append(all.substr(from, close + 1 - from));
        from = close + 2;
      }
      if (decoded == nullptr) {
        field.text = all.substr(from, close - from);
      } else {
        decoded->append(all.substr(from, close - from));
        field.text = *decoded;
      }
      i = close + 1;
      while (i < all.size() && !blanks_count && is_blank(all[i])) ++i;
      if (i < all.size() && all[i] == '\r') ++i;
      if ((i == all.size() && !at_end_) || (i < all.size() && may_be_delimiter(i)))
        return Scan::kMore;
      if (i < all.size() && all[i] != '\n' && !at_delimiter(i)) {
        const auto end = line_end(i - start_);
        if (!end) return Scan::kMore;
        give_up(record, 1214, "Invalid quote formatting for CSV", i - start_, *end);
        return Scan::kDone;
      }
    } else {
      while (i < all.size() && all[i] != '\n' && !at_delimiter(i)) {
        if (may_be_delimiter(i)) return Scan::kMore;
        if (all[i] == format_.quote) {
          const auto end = line_end(i - start_);
          if (!end) return Scan::kMore;
          give_up(record, 1214, "Invalid quote formatting for CSV", i - start_, *end);
          return Scan::kDone;
        }
        ++i;
      }
      if (i == all.size() && !at_end_) return Scan::kMore;
      std::size_t stop = i;
      const bool ends_line = i == all.size() || all[i] == '\n';
      if (ends_line && stop > begin && all[stop - 1] == '\r') --stop;
      field.text = all.substr(begin, stop - begin);
    }
    field.is_null = field.text == format_.null_as;
    record.fields.push_back(field);
    if (i >= all.size() || all[i] == '\n') {
      finish(record, std::min(i, all.size()));
      return Scan::kDone;
    }
    i += format_.delimiter.size();
  }
}

RecordReader::Scan RecordReader::scan_fixed(Record& record) {
  const auto end = line_end(0);
  if (!end) return Scan::kMore;
  finish(record, *end);
  std::size_t at = 0;
  for (const std::size_t width : format_.widths) {
    if (at >= record.raw.size()) break;
    std::size_t stop = at;
    for (std::size_t characters = 0; characters < width && stop < record.raw.size(); ++characters) {
      ++stop;
      while (stop < record.raw.size() &&
             (static_cast<unsigned char>(record.raw[stop]) & 0xC0) == 0x80) {
        ++stop;
      }
    }
    std::string_view text = record.raw.substr(at, stop - at);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    record.fields.push_back({.text = text, .at = at, .is_null = text == format_.null_as});
    at = stop;
  }
  if (at < record.raw.size()) {
    record.error = FieldError{.code = 1202, .reason = "Extra column(s) found"};
    record.error_at = at;
  }
  return Scan::kDone;
}

}  // namespace leat::transfer
