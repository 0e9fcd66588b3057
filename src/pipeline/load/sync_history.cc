#include "pipeline/load/sync_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/json_members.h"
#include "base/log.h"
#include "base/text.h"

namespace leat::load {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 4> kOutcomes = {"success", "partial", "failure", "stopped"};

TimeUs member_time(const Json& object, const char* member) {
  return parse_iso8601(member_text(object, member)).value_or(TimeUs{});
}

std::vector<std::string> texts_at(const Json& object, const char* member) {
  std::vector<std::string> out;
  const auto found = object.find(member);
  if (found == object.end() || !found->is_array()) return out;
  for (const Json& text : *found) {
    if (text.is_string()) out.push_back(text.get<std::string>());
  }
  return out;
}

constexpr double kWorkSecondsMax = 1e9;
constexpr double kAgeSecondsMax = 1e12;  // an event may say that it happened in the year 1

std::int64_t us_at(const Json& object, const std::string& member,
                   double seconds_max = kWorkSecondsMax) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_number()) return 0;
  const auto seconds = found->get<double>();
  if (!(seconds >= 0 && seconds <= seconds_max)) return 0;
  return std::llround(seconds * 1e6);
}

SyncReport report_from(const Json& json) {
  SyncReport out;
  out.sync_id = member_text(json, "sync_id");
  out.source = member_text(json, "source");
  out.started_at = member_time(json, "started_at");
  out.finished_at = member_time(json, "finished_at");
  out.batches = member_number(json, "batches");
  out.transactions = member_number(json, "transactions");
  const Json& events = member_object(json, "events");
  out.events = {.received = member_number(events, "received"),
                .loaded = member_number(events, "loaded"),
                .deduplicated = member_number(events, "deduplicated"),
                .rescued = member_number(events, "rescued"),
                .excluded = member_number(events, "excluded")};
  out.values_rescued = member_number(json, "values_rescued");
  out.refused_events = member_number(json, "refused_events");
  out.staged_bytes = member_number(json, "staged_bytes");
  const Json& seconds = member_object(json, "seconds");
  out.phases = {.find_us = us_at(seconds, "find"),
                .shape_us = us_at(seconds, "shape"),
                .stage_us = us_at(seconds, "stage"),
                .load_us = us_at(seconds, "load")};
  const Json& freshness = member_object(json, "freshness");
  const auto lateness = [&freshness](const std::string& prefix, double seconds_max) {
    return Lateness{.p50_us = us_at(freshness, prefix + "p50_seconds", seconds_max),
                    .p99_us = us_at(freshness, prefix + "p99_seconds", seconds_max),
                    .max_us = us_at(freshness, prefix + "max_seconds", seconds_max)};
  };
  out.freshness = {.rows = member_number(freshness, "rows"),
                   .arrival = lateness("", kWorkSecondsMax),
                   .event = lateness("event_", kAgeSecondsMax)};
  const Json& rows = member_object(json, "table_rows");
  for (const auto& [table, count] : rows.items()) {
    if (count.is_number_integer()) out.table_rows[table] = count.get<std::int64_t>();
  }
  out.tables_created = texts_at(json, "tables_created");
  out.columns_added = texts_at(json, "columns_added");
  return out;
}

// What the lines of one entry, written again as its count grew, have in common.
std::string key_of(const SyncHistoryEntry& entry) {
  return fmt::format("{} {} {}", entry.report.source, entry.first_sync_id,
                     entry.first_started_at.value);
}

// The lines of a file from its last one on, while `take` wants more.
template <class Take>
bool each_line_backwards(std::string_view text, const Take& take) {
  while (!text.empty()) {
    if (text.back() == '\n') text.remove_suffix(1);
    const std::size_t at = text.rfind('\n');
    const std::string_view line = at == std::string_view::npos ? text : text.substr(at + 1);
    text = at == std::string_view::npos ? std::string_view() : text.substr(0, at + 1);
    if (!line.empty() && !take(line)) return false;
  }
  return true;
}

}  // namespace

std::string_view sync_outcome_name(SyncOutcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

std::string to_json(const SyncHistoryEntry& entry) {
  return fmt::format(
      R"({{"report":{},"outcome":{},"error":{},"error_kind":{},"times":{},"first_sync_id":{},)"
      R"("first_started_at":{}}})",
      to_json(entry.report), json_string(sync_outcome_name(entry.outcome)),
      json_string(entry.error), json_string(entry.error_kind), entry.times,
      json_string(entry.first_sync_id), json_string(format_iso8601(entry.first_started_at)));
}

Result<SyncHistoryEntry> sync_history_entry(std::string_view json) {
  const Json object = Json::parse(json, nullptr, false);
  if (!object.is_object() || !object.contains("report") || !object["report"].is_object()) {
    return fail(Errc::kCorrupt, "a line of the sync history is no JSON object of a sync");
  }
  SyncHistoryEntry out;
  out.report = report_from(object["report"]);
  const auto outcome = std::ranges::find(kOutcomes, member_text(object, "outcome"));
  if (outcome == kOutcomes.end()) {
    return fail(Errc::kCorrupt, "a line of the sync history has no outcome");
  }
  out.outcome = static_cast<SyncOutcome>(outcome - kOutcomes.begin());
  out.error = member_text(object, "error");
  out.error_kind = member_text(object, "error_kind");
  out.times =
      static_cast<int>(std::clamp<std::int64_t>(member_number(object, "times"), 1, 1 << 30));
  out.first_sync_id = member_text(object, "first_sync_id");
  out.first_started_at = member_time(object, "first_started_at");
  return out;
}

std::string SyncHistory::path(bool old) const {
  return options_.directory + (old ? "/history.1.ndjson" : "/history.ndjson");
}

Result<std::unique_ptr<SyncHistory>> SyncHistory::open(SyncHistoryOptions options) {
  std::unique_ptr<SyncHistory> out(new SyncHistory(std::move(options)));
  if (out->options_.files == nullptr) return out;
  LEAT_TRY(out->options_.files->make_directories(out->options_.directory));
  LEAT_TRY(out->open_file());
  LEAT_ASSIGN(auto entries, out->read_files("", kInMemory));
  for (SyncHistoryEntry& entry : entries) {
    out->kept_.push_back({.entry = std::move(entry), .written = true});
  }
  return out;
}

Status SyncHistory::open_file() {
  LEAT_ASSIGN(file_, options_.files->open(path(false), {.write = true, .create = true}));
  LEAT_ASSIGN(size_, file_->size());
  if (size_ == 0) return {};
  // A crash may have torn the last line; the next one must not become a part of it.
  std::array<char, 1> last{};
  LEAT_ASSIGN(const std::size_t got, file_->pread(last, size_ - 1));
  if (got == 0 || last[0] == '\n') return {};
  LEAT_TRY(file_->pwrite("\n", size_));
  ++size_;
  return {};
}

// Begins a new file when the present one has its half of the space.
Status SyncHistory::make_room(std::size_t bytes) {
  if (file_ == nullptr) LEAT_TRY(open_file());
  if (size_ == 0 || size_ + bytes <= options_.bytes_max / 2) return {};
  file_.reset();
  LEAT_TRY(options_.files->rename(path(false), path(true)));
  LEAT_TRY(open_file());
  return options_.files->sync_directory(options_.directory);
}

Status SyncHistory::write(const SyncHistoryEntry& entry) {
  const std::string line = to_json(entry) + "\n";
  LEAT_TRY(make_room(line.size()));
  LEAT_TRY(file_->pwrite(line, size_));
  if (auto synced = file_->sync(); !synced) {
    file_.reset();  // what it holds is not known any more
    return synced;
  }
  size_ += line.size();
  return {};
}

// Writes what is not written yet, the oldest first. A count that only grew is written at 1, 2, 4,
// 8, ...: a day of failures must not push the rest out of the file.
Status SyncHistory::write_all(bool with_counts) {
  if (options_.files == nullptr) return {};
  std::vector<SyncHistoryEntry> entries;
  {
    const std::lock_guard lock(mutex_);
    for (const Kept& kept : kept_) {
      const bool is_due =
          with_counts || std::has_single_bit(static_cast<unsigned>(kept.entry.times));
      if (!kept.written && is_due) entries.insert(entries.begin(), kept.entry);
    }
  }
  for (const SyncHistoryEntry& entry : entries) {
    LEAT_TRY(write(entry));
    const std::lock_guard lock(mutex_);
    const std::string key = key_of(entry);
    for (Kept& kept : kept_) {
      if (key_of(kept.entry) == key && kept.entry.times == entry.times) kept.written = true;
    }
  }
  return {};
}

void SyncHistory::add(SyncHistoryEntry entry) {
  const std::lock_guard files_lock(files_mutex_);
  bool ends_row = false;
  {
    const std::lock_guard lock(mutex_);
    entry.first_sync_id = entry.report.sync_id;
    entry.first_started_at = entry.report.started_at;
    const auto before = std::ranges::find_if(
        kept_, [&](const Kept& kept) { return kept.entry.report.source == entry.report.source; });
    const bool repeats = before != kept_.end() && entry.outcome == SyncOutcome::kFailure &&
                         before->entry.outcome == SyncOutcome::kFailure &&
                         before->entry.error == entry.error;
    if (repeats) {
      entry.times = before->entry.times + 1;
      entry.first_sync_id = before->entry.first_sync_id;
      entry.first_started_at = before->entry.first_started_at;
      kept_.erase(before);
    } else {
      ends_row = before != kept_.end() && !before->written;
    }
    kept_.push_front({.entry = std::move(entry), .written = false});
    if (kept_.size() > kInMemory) kept_.pop_back();
  }
  const Status written = write_all(ends_row);
  if (!written && !fails_) {
    log::warning("load", "the history of syncs cannot be written: {}; it is kept in memory",
                 written.error().message);
  }
  fails_ = !written;
}

std::vector<SyncHistoryEntry> SyncHistory::latest(std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  std::vector<SyncHistoryEntry> out;
  for (std::size_t i = 0; i < std::min(limit, kept_.size()); ++i) out.push_back(kept_[i].entry);
  return out;
}

Result<std::vector<SyncHistoryEntry>> SyncHistory::read_files(std::string_view source,
                                                              std::size_t limit) const {
  std::vector<SyncHistoryEntry> out;
  std::set<std::string> seen;
  const auto take = [&](std::string_view line) {
    auto entry = sync_history_entry(line);
    if (!entry || (!source.empty() && entry->report.source != source)) return true;
    // The newest line of an entry has its last count.
    if (seen.insert(key_of(*entry)).second) out.push_back(std::move(*entry));
    return out.size() < limit;
  };
  for (const bool old : {false, true}) {
    auto text = io::read_file(*options_.files, path(old));
    if (!text && text.error().code == Errc::kNotFound) continue;
    if (!text) return std::unexpected(std::move(text).error());
    if (!each_line_backwards(*text, take)) break;
  }
  return out;
}

Result<std::vector<SyncHistoryEntry>> SyncHistory::read(std::string_view source,
                                                        std::size_t limit) const {
  // What is in memory is newer, or has not been written.
  std::vector<SyncHistoryEntry> out;
  std::set<std::string> seen;
  const auto take = [&](std::vector<SyncHistoryEntry> entries) {
    for (SyncHistoryEntry& entry : entries) {
      if (out.size() >= limit) return;
      if (!source.empty() && entry.report.source != source) continue;
      if (seen.insert(key_of(entry)).second) out.push_back(std::move(entry));
    }
  };
  take(latest(kInMemory));
  if (out.size() >= limit || options_.files == nullptr) return out;
  const std::lock_guard lock(files_mutex_);
  LEAT_ASSIGN(auto entries, read_files(source, limit));
  take(std::move(entries));
  return out;
}

Status SyncHistory::flush() {
  const std::lock_guard lock(files_mutex_);
  return write_all(true);
}

}  // namespace leat::load
