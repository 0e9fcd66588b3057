#include "pipeline/privacy/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace leat::privacy {
namespace {

constexpr std::size_t kKept = 1000;
constexpr std::size_t kOwnerLength = 24;
constexpr std::string_view kLogSuffix = ".log";
constexpr std::string_view kReportSuffix = ".json";
constexpr std::string_view kReportPrefix = "report-";

bool may_pass(Errc code) {
  return code == Errc::kUnavailable || code == Errc::kAborted || code == Errc::kExhausted;
}

}  // namespace

std::string suppressions_uri(std::string_view bucket) {
  return fmt::format("s3://{}/privacy/suppressions.json", bucket);
}

struct Service::Impl {
  struct Job {
    DeletionRequest request;
    Regulation regulation;
    int tries = 0;
    std::int64_t due_us = 0;  // monotonic
    [[nodiscard]] bool is_over() const {
      return regulation.status == RegulationStatus::kFinished ||
             regulation.status == RegulationStatus::kFailed;
    }
  };

  explicit Impl(ServiceOptions service_options) : options(std::move(service_options)) {}

  ServiceOptions options;
  std::string owner;
  event::SuppressionFeed feed;
  std::mutex list_mutex;  // one change of the list at a time

  mutable std::mutex mutex;  // guards all below
  std::condition_variable_any wake;
  std::list<Job> jobs;             // the newest first; who works on one holds no lock
  std::vector<Regulation> others;  // suppressions done, and reports of earlier processes
  std::jthread thread;

  // ---- files

  [[nodiscard]] std::string path_of(std::string_view name) const {
    return fmt::format("{}/{}", options.directory, name);
  }
  [[nodiscard]] std::string log_path(const std::string& id) const {
    return path_of(id + std::string(kLogSuffix));
  }
  [[nodiscard]] std::string report_path(const std::string& id) const {
    return path_of(fmt::format("{}{}{}", kReportPrefix, id, kReportSuffix));
  }

  Status read_owner() {
    const std::string path = path_of("owner");
    auto text = io::read_file(*options.files, path, 1024);
    if (!text && text.error().code == Errc::kNotFound) {
      text = random_token(*options.random, kOwnerLength);
      LEAT_TRY(io::write_file_atomically(*options.files, path, *text));
    }
    if (!text) return std::unexpected(text.error());
    owner = std::string(trim(*text));
    return {};
  }

  // Reports of deletions that are over, and deletions that are not.
  Status read_directory() {
    LEAT_ASSIGN(const auto entries, options.files->list(options.directory));
    for (const io::DirectoryEntry& entry : entries) {
      const std::string& name = entry.name;
      if (name.starts_with(kReportPrefix) && name.ends_with(kReportSuffix)) {
        LEAT_ASSIGN(const std::string text, io::read_file(*options.files, path_of(name)));
        auto report = regulation_from_json(text);
        if (report) {
          others.push_back(std::move(*report));
        } else {
          log::warning("privacy", "{}; {}", report.error().message, path_of(name));
        }
      } else if (name.ends_with(kLogSuffix)) {
        LEAT_ASSIGN(const auto log, DeletionLog::open(*options.files, path_of(name)));
        // A process may have died between the report and the end of the log.
        const auto report = options.files->stat(report_path(log->request().id));
        if (report) {
          LEAT_TRY(options.files->remove(path_of(name)));
          continue;
        }
        log::info("privacy", "going on with deletion {}", log->request().id);
        add_job(log->request());
      }
    }
    return {};
  }

  // ---- suppressions

  // Null when there is no list yet.
  Result<std::shared_ptr<event::SuppressionList>> read_list() {
    const auto text = options.deletion.store->get(suppressions_uri(options.deletion.bucket));
    if (!text && text.error().code == Errc::kNotFound) return nullptr;
    if (!text) return std::unexpected(text.error());
    LEAT_ASSIGN(event::SuppressionList list, event::SuppressionList::parse(*text));
    return std::make_shared<event::SuppressionList>(std::move(list));
  }

  void publish(std::shared_ptr<const event::SuppressionList> list) {
    const auto before = feed.get();
    const std::string text = list ? list->text() : std::string();
    if ((before ? before->text() : std::string()) == text) return;
    // For a start while the store is away.
    const auto kept = list ? io::write_file_atomically(*options.files, copy_path(), text)
                           : options.files->remove(copy_path());
    if (!kept) log::warning("privacy", "cannot keep a copy: {}", kept.error().message);
    feed.publish(std::move(list));
  }

  [[nodiscard]] std::string copy_path() const { return path_of("suppressions.copy"); }

  Status refresh() {
    const std::scoped_lock lock(list_mutex);
    LEAT_ASSIGN(auto list, read_list());
    publish(std::move(list));
    return {};
  }

  Status first_refresh() {
    const Status read = refresh();
    if (read || read.error().code == Errc::kCorrupt || read.error().code == Errc::kUnsupported) {
      return read;
    }
    const auto text = io::read_file(*options.files, copy_path());
    if (!text && text.error().code != Errc::kNotFound) return std::unexpected(text.error());
    log::warning("privacy", "the list of suppressions cannot be read, {} is used: {}",
                 text ? "the last copy" : "none", read.error().message);
    if (!text) return {};
    LEAT_ASSIGN(event::SuppressionList list, event::SuppressionList::parse(*text));
    feed.publish(std::make_shared<const event::SuppressionList>(std::move(list)));
    return {};
  }

  // Changes the list, and looks whether another process changed it at the same moment.
  template <class Change>
  Status change_list(Change change) {
    constexpr int kTries = 5;
    const std::scoped_lock lock(list_mutex);
    const std::string uri = suppressions_uri(options.deletion.bucket);
    for (int attempt = 0; attempt < kTries; ++attempt) {
      LEAT_ASSIGN(auto list, read_list());
      const bool is_new = list == nullptr;
      if (is_new) {
        list =
            std::make_shared<event::SuppressionList>(event::SuppressionList::make(*options.random));
      }
      if (!change(*list)) {
        publish(is_new ? nullptr : std::move(list));
        return {};
      }
      const std::string text = list->text();
      const auto put = options.deletion.store->put(uri, text, {.if_none_match = is_new});
      if (!put && put.error().code == Errc::kConflict) continue;
      if (!put) return std::unexpected(put.error());
      LEAT_ASSIGN(const std::string written, options.deletion.store->get(uri));
      if (written != text) continue;
      publish(std::move(list));
      return {};
    }
    return fail(Errc::kAborted, "other processes change the list of suppressions; try again");
  }

  Result<Regulation> suppress(const Request& request) {
    const bool adds = request.type != RegulationType::kUnsuppress;
    Regulation done;
    done.id = uuid4(*options.random);
    done.type = request.type;
    done.status = RegulationStatus::kFinished;
    done.subject_type = request.person.key;
    done.subject_hash = subject_hash(done.id, request.person);
    done.source = request.source;
    done.requested_at = options.deletion.clock->now();
    bool changed = false;
    LEAT_TRY(change_list([&](event::SuppressionList& list) {
      changed = adds ? list.add(request.person, request.source, done.requested_at)
                     : list.remove(request.person, request.source);
      return changed;
    }));
    if (!adds && !changed) {
      return fail(Errc::kNotFound,
                  request.source.empty()
                      ? std::string("this person is not suppressed in all sources; one of a single "
                                    "source is lifted with --source")
                      : fmt::format("this person is not suppressed in source \"{}\" alone",
                                    request.source));
    }
    done.finished_at = options.deletion.clock->now();
    return done;
  }

  // ---- deletions

  Job& add_job(const DeletionRequest& request) {
    Job& job = jobs.emplace_front();
    job.request = request;
    job.regulation.id = request.id;
    job.regulation.type = request.type;
    job.regulation.subject_type = request.person.key;
    job.regulation.subject_hash = subject_hash(request.id, request.person);
    job.regulation.source = request.source;
    job.regulation.is_dry = request.is_dry;
    job.regulation.requested_at = request.requested_at;
    return job;
  }

  Status check_source(const std::string& source) const {
    std::vector<std::string> names;
    for (const load::SourceSettings& each : options.deletion.sources) names.push_back(each.name);
    if (source.empty() || std::ranges::find(names, source) != names.end()) return {};
    const auto near = near_miss(source, names);
    return fail(Errc::kNotFound,
                fmt::format("there is no source \"{}\"{}", source,
                            near ? fmt::format("; did you mean \"{}\"?", *near) : ""));
  }

  Result<Regulation> submit_deletion(const Request& request) {
    if (!options.deletion.connect) {
      return fail(Errc::kUnsupported,
                  "this process has no destination; delete where the syncs run");
    }
    const std::scoped_lock lock(mutex);
    for (Job& job : jobs) {
      const bool is_same = job.request.person == request.person &&
                           job.request.source == request.source &&
                           job.request.type == request.type && job.request.is_dry == request.is_dry;
      if (!is_same || job.regulation.status == RegulationStatus::kFinished) continue;
      if (job.regulation.status == RegulationStatus::kFailed) {
        if (job.request.is_dry) continue;
        job.regulation.status = RegulationStatus::kInitialized;
        job.tries = 0;
      }
      job.due_us = 0;
      wake.notify_all();
      return job.regulation;
    }
    const DeletionRequest made{.id = uuid4(*options.random),
                               .type = request.type,
                               .person = request.person,
                               .source = request.source,
                               .is_dry = request.is_dry,
                               .requested_at = options.deletion.clock->now()};
    if (!made.is_dry) {
      const auto log = DeletionLog::create(*options.files, log_path(made.id), made);
      if (!log) return std::unexpected(log.error());
    }
    forget_oldest();
    const Regulation regulation = add_job(made).regulation;
    wake.notify_all();
    return regulation;
  }

  void forget_oldest() {
    for (auto at = jobs.end(); jobs.size() >= kKept && at != jobs.begin();) {
      --at;
      if (at->is_over()) at = jobs.erase(at);
    }
  }

  // Seals are read, changed and written back: one process at a time. The lock survives a crash; its
  // owner goes on.
  Status take_lock() {
    const std::string uri = lock_uri();
    const auto put = options.deletion.store->put(uri, owner, {.if_none_match = true});
    if (put) return {};
    if (put.error().code != Errc::kConflict) return std::unexpected(put.error());
    LEAT_ASSIGN(const std::string holder, options.deletion.store->get(uri));
    if (holder == owner) return {};
    return fail(Errc::kUnavailable,
                fmt::format("another Leat deletes events of this archive; if there is none any "
                            "more, remove {} ",
                            uri));
  }
  [[nodiscard]] std::string lock_uri() const {
    return fmt::format("s3://{}/privacy/lock", options.deletion.bucket);
  }

  Result<std::vector<SourceReport>> work(Job& job, const std::stop_token& stop) {
    const DeletionRequest& request = job.request;
    DeletionOptions with_progress = options.deletion;
    with_progress.progress = [&](const std::vector<SourceReport>& reports) {
      const std::scoped_lock lock(mutex);
      job.regulation.sources = reports;
    };
    if (request.is_dry) return run_deletion(with_progress, request, nullptr, stop);
    if (request.type == RegulationType::kSuppressWithDelete) {
      LEAT_TRY(change_list([&](event::SuppressionList& list) {
        return list.add(request.person, request.source, request.requested_at);
      }));
    }
    LEAT_TRY(take_lock());
    LEAT_ASSIGN(const auto log, DeletionLog::open(*options.files, log_path(request.id)));
    LEAT_ASSIGN(auto reports, run_deletion(with_progress, request, log.get(), stop));
    if (options.erase_journal) {
      LEAT_ASSIGN(const std::uint64_t erased, options.erase_journal());
      const std::scoped_lock lock(mutex);
      job.regulation.journal_bytes_erased = erased;
    }
    LEAT_TRY(options.deletion.store->remove(lock_uri()));
    return reports;
  }

  // The report is durable before the log goes, which has the person's id.
  Status finish(const Regulation& regulation) {
    if (regulation.is_dry) return {};
    LEAT_TRY(io::write_file_atomically(*options.files, report_path(regulation.id),
                                       to_json(regulation) + "\n"));
    LEAT_TRY(options.files->remove(log_path(regulation.id)));
    return options.files->sync_directory(options.directory);
  }

  void run_job(Job& job, std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
    job.regulation.status = RegulationStatus::kRunning;
    job.regulation.error.clear();
    lock.unlock();
    auto reports = work(job, stop);
    Regulation done = job.regulation;
    Status finished;
    if (reports) {
      done.sources = std::move(*reports);
      done.status = RegulationStatus::kFinished;
      done.finished_at = options.deletion.clock->now();
      finished = finish(done);
    } else {
      finished = std::unexpected(reports.error());
    }
    lock.lock();
    if (finished) {
      job.regulation = std::move(done);
      return;
    }
    if (stop.stop_requested()) return;
    ++job.tries;
    job.regulation.error = finished.error().message;
    const bool again =
        !job.request.is_dry && may_pass(finished.error().code) && job.tries < options.tries_max;
    if (again) {
      job.due_us = options.deletion.clock->monotonic_us() + options.retry_us;
      log::info("privacy", "deletion {} is tried again after: {}", job.request.id,
                job.regulation.error);
      return;
    }
    job.regulation.status = RegulationStatus::kFailed;
    log::error("privacy", "deletion {} failed: {}; the same request goes on with it",
               job.request.id, job.regulation.error);
  }

  // The oldest first.
  Job* pick(std::int64_t now_us) {
    for (auto at = jobs.rbegin(); at != jobs.rend(); ++at) {
      if (!at->is_over() && at->due_us <= now_us) return &*at;
    }
    return nullptr;
  }

  void run(const std::stop_token& stop) {
    const Clock& clock = *options.deletion.clock;
    std::int64_t refresh_at_us = clock.monotonic_us() + options.refresh_us;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      if (Job* job = options.deletion.connect ? pick(clock.monotonic_us()) : nullptr) {
        run_job(*job, lock, stop);
        continue;
      }
      if (clock.monotonic_us() >= refresh_at_us) {
        lock.unlock();
        if (const Status read = refresh(); !read) {
          log::warning("privacy", "the list of suppressions stays as it was: {}",
                       read.error().message);
        }
        refresh_at_us = clock.monotonic_us() + options.refresh_us;
        lock.lock();
        continue;
      }
      std::int64_t due_us = refresh_at_us;
      for (const Job& job : jobs) {
        if (options.deletion.connect && !job.is_over())
          due_us = std::min(due_us, std::max(job.due_us, std::int64_t{1}));
      }
      const std::int64_t wait_us = std::max<std::int64_t>(due_us - clock.monotonic_us(), 1000);
      const std::size_t known = jobs.size();
      wake.wait_for(lock, stop, std::chrono::microseconds(wait_us),
                    [&] { return jobs.size() != known || pick(clock.monotonic_us()) != nullptr; });
    }
  }
};

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Service::~Service() {
  stop();
}

void Service::stop() {
  impl_->thread.request_stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

Result<std::unique_ptr<Service>> Service::open(ServiceOptions options) {
  options.files = options.files != nullptr ? options.files : &io::posix_file_system();
  auto impl = std::make_unique<Impl>(std::move(options));
  LEAT_TRY(impl->options.files->make_directories(impl->options.directory));
  LEAT_TRY(impl->read_owner());
  LEAT_TRY(impl->first_refresh());
  LEAT_TRY(impl->read_directory());
  impl->thread =
      std::jthread([part = impl.get()](const std::stop_token& stop) { part->run(stop); });
  return std::unique_ptr<Service>(new Service(std::move(impl)));
}

Result<Regulation> Service::submit(const Request& request) {
  LEAT_TRY(impl_->check_source(request.source));
  if (deletes(request.type)) return impl_->submit_deletion(request);
  LEAT_ASSIGN(Regulation done, impl_->suppress(request));
  const std::scoped_lock lock(impl_->mutex);
  impl_->others.push_back(done);
  return done;
}

std::vector<Regulation> Service::regulations() const {
  const std::scoped_lock lock(impl_->mutex);
  std::vector<Regulation> out = impl_->others;
  for (const Impl::Job& job : impl_->jobs) out.push_back(job.regulation);
  std::ranges::stable_sort(out, [](const Regulation& a, const Regulation& b) {
    return a.requested_at.value > b.requested_at.value;
  });
  return out;
}

std::vector<event::Suppression> Service::suppressions() const {
  const auto list = impl_->feed.get();
  return list ? list->entries() : std::vector<event::Suppression>();
}

const event::SuppressionFeed& Service::feed() const {
  return impl_->feed;
}

}  // namespace leat::privacy
