#include "pipeline/privacy/deletion.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <span>

#include "base/log.h"
#include "base/text.h"
#include "pipeline/archive/redaction.h"
#include "pipeline/load/staging.h"
#include "pipeline/privacy/person_rows.h"

namespace leat::privacy {
namespace {

constexpr std::size_t kSealsPerPage = 64;
// Each read holds the lines of one object, and the new objects of one seal.
constexpr std::size_t kSealsReadAtOnce = 4;

RewrittenObject object_of(const archive::RedactedBatch& batch) {
  return {.batch_id = batch.before.id,
          .events_deleted = static_cast<std::int64_t>(batch.places.size()),
          .uri_before = batch.before.uri,
          .sha256_before = batch.sha256_before,
          .uri_after = batch.after.uri,
          .sha256_after = batch.after.sha256,
          .lines = batch.places};
}

void pause(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, time, [] { return false; });
}

class DeletionRun {
 public:
  DeletionRun(const DeletionOptions& options, const DeletionRequest& request, DeletionLog* log,
              std::stop_token stop)
      : options_(options),
        request_(request),
        log_(log),
        stop_(std::move(stop)),
        archive_(*options.store, options.bucket),
        redactor_(*options.store, options.bucket) {}

  Result<std::vector<SourceReport>> run() {
    LEAT_TRY(choose_sources());
    // What is only in the journal would come after the archive was looked through.
    if (options_.seal_now) LEAT_TRY(options_.seal_now());
    LEAT_TRY(redact_archive());
    for (SourceReport& source : reports_) {
      LEAT_TRY(delete_from_destination(source));
      if (options_.progress) options_.progress(reports_);
    }
    return std::move(reports_);
  }

 private:
  Status choose_sources() {
    std::vector<std::string> names;
    for (const load::SourceSettings& source : options_.sources) {
      names.push_back(source.name);
      if (!request_.source.empty() && source.name != request_.source) continue;
      reports_.push_back({.source = source.name, .schema = source.schema});
    }
    if (!reports_.empty()) return {};
    const auto near = near_miss(request_.source, names);
    return fail(Errc::kNotFound,
                fmt::format("there is no source \"{}\"{}", request_.source,
                            near ? fmt::format("; did you mean \"{}\"?", *near) : ""));
  }

  [[nodiscard]] SourceReport* report_of(std::string_view source) {
    const auto found = std::ranges::find(reports_, source, &SourceReport::source);
    return found == reports_.end() ? nullptr : &*found;
  }

  [[nodiscard]] bool takes(std::string_view source) const {
    return request_.source.empty() || source == request_.source;
  }

  // Sources that the configuration names no more have events of the person all the same.
  SourceReport& report_for(const std::string& source) {
    if (SourceReport* found = report_of(source)) return *found;
    const std::string schema = options_.usual_schema_of ? options_.usual_schema_of(source) : "";
    return reports_.emplace_back(SourceReport{.source = source, .schema = schema});
  }

  Status redact_archive() {
    archive::Positions positions;
    while (true) {
      LEAT_ASSIGN(const auto seals, archive_.list_after(positions, kSealsPerPage));
      if (seals.empty()) return {};
      for (std::size_t at = 0; at < seals.size(); at += kSealsReadAtOnce) {
        if (stop_.stop_requested()) return stopped();
        const std::size_t count = std::min(kSealsReadAtOnce, seals.size() - at);
        LEAT_TRY(redact_seals(std::span(seals).subspan(at, count)));
      }
      for (const archive::Seal& seal : seals) positions[seal.stream] = seal.last;
      if (options_.progress) options_.progress(reports_);
    }
  }

  static std::unexpected<Error> stopped() {
    return fail(Errc::kUnavailable, "the program is stopping; the next start goes on");
  }

  // Reads them at once, most of the time there is, and changes them one after the other.
  Status redact_seals(std::span<const archive::Seal> seals) {
    std::vector<std::future<Result<archive::SealRedaction>>> plans;
    for (const archive::Seal& seal : seals) {
      plans.push_back(std::async(std::launch::async, [this, &seal] {
        return archive::Redactor(*options_.store, options_.bucket)
            .plan(seal, request_.person, [this](std::string_view source) { return takes(source); });
      }));
    }
    // All are over before anything of this goes.
    std::vector<Result<archive::SealRedaction>> done;
    for (auto& plan : plans) done.push_back(plan.get());
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (!done[i]) return std::unexpected(done[i].error());
      LEAT_TRY(redact_seal(seals[i], *done[i]));
    }
    return {};
  }

  Status redact_seal(const archive::Seal& seal, const archive::SealRedaction& plan) {
    if (!request_.is_dry) LEAT_TRY(take_over(seal));
    for (const archive::Batch& batch : seal.batches) {
      if (!takes(batch.source)) continue;
      SourceReport& report = report_for(batch.source);
      ++report.objects_read;
      report.events_read += static_cast<std::int64_t>(batch.events);
    }
    if (!request_.is_dry) {
      for (const archive::RedactedBatch& batch : plan.batches) {
        LEAT_TRY(log_->add(object_of(batch)));
      }
      LEAT_TRY(redactor_.apply(plan));
    }
    for (const archive::RedactedBatch& batch : plan.batches)
      note(batch.before.source, object_of(batch));
    return {};
  }

  // What a process before this one did of the seal.
  Status take_over(const archive::Seal& seal) {
    for (const archive::Batch& batch : seal.batches) {
      if (!takes(batch.source)) continue;
      LEAT_TRY(redactor_.clean(batch));
      const auto announced = log_->objects().find(batch.id);
      if (announced == log_->objects().end()) continue;
      if (announced->second.sha256_after == batch.sha256) note(batch.source, announced->second);
    }
    return {};
  }

  void note(const std::string& source, const RewrittenObject& object) {
    SourceReport& report = report_for(source);
    report.events_deleted += object.events_deleted;
    report.objects.push_back(object);
  }

  Status delete_from_destination(SourceReport& report) {
    if (report.schema.empty()) return {};
    RowsRequest rows{.deletion_id = request_.id,
                     .source = report.source,
                     .schema = report.schema,
                     .person = request_.person,
                     .subject_hash = subject_hash(request_.id, request_.person),
                     .events_deleted = report.events_deleted,
                     .lines = {},
                     .requested_at = request_.requested_at,
                     .now = options_.clock->now()};
    for (const RewrittenObject& object : report.objects) {
      auto& lines = rows.lines[object.batch_id];
      lines.insert(lines.end(), object.lines.begin(), object.lines.end());
    }
    LEAT_ASSIGN(report.table_rows, delete_with_retries(rows));
    if (request_.is_dry) return {};
    // Loads that these files are of read the archive before, and cannot be committed any more.
    LEAT_ASSIGN(const std::size_t removed,
                load::remove_staged(*options_.store, options_.bucket, report.schema, rows.now));
    report.staged_files_removed = static_cast<std::int64_t>(removed);
    return {};
  }

  Result<TableRows> delete_with_retries(const RowsRequest& rows) {
    for (int attempt = 1;; ++attempt) {
      if (stop_.stop_requested()) return stopped();
      auto done = delete_once(rows);
      if (done) return std::move(*done);
      const load::FailureKind kind = done.error().kind;
      const bool passing =
          kind == load::FailureKind::kSerialization || kind == load::FailureKind::kUnreachable ||
          kind == load::FailureKind::kObjectMissing || kind == load::FailureKind::kObjectExists;
      if (!passing || attempt >= options_.attempts_max) {
        return std::unexpected(std::move(done).error().error);
      }
      log::info("privacy", "trying again after: {}", done.error().error.message);
      pause(std::chrono::milliseconds(std::int64_t{25} << std::min(attempt, 5)), stop_);
    }
  }

  load::Step<TableRows> delete_once(const RowsRequest& rows) {
    auto connection = options_.connect(options_.destination, stop_);
    if (!connection) {
      return std::unexpected(load::StepFailure{
          .error = load::describe_failure(connection.error(), "connecting", options_.destination),
          .kind = connection.error().kind});
    }
    load::Session session(**connection, options_.destination, stop_);
    return request_.is_dry ? count_rows(session, rows) : delete_rows(session, rows);
  }

  const DeletionOptions& options_;
  const DeletionRequest& request_;
  DeletionLog* log_;
  std::stop_token stop_;
  archive::Archive archive_;
  archive::Redactor redactor_;
  std::vector<SourceReport> reports_;
};

}  // namespace

Result<std::vector<SourceReport>> run_deletion(const DeletionOptions& options,
                                               const DeletionRequest& request, DeletionLog* log,
                                               std::stop_token stop) {
  return DeletionRun(options, request, log, std::move(stop)).run();
}

}  // namespace leat::privacy
