#include "pipeline/journal/inspect.h"

#include <fmt/core.h>

#include <iterator>

#include "base/text.h"
#include "pipeline/journal/segment_scanner.h"

namespace leat::journal {

std::string_view segment_end_name(SegmentEnd end) {
  switch (end) {
    case SegmentEnd::kClean:
      return "clean";
    case SegmentEnd::kClosed:
      return "closed";
    case SegmentEnd::kTorn:
      return "torn";
    case SegmentEnd::kCorrupt:
      return "corrupt";
  }
  return "unknown";
}

Result<SegmentReport> inspect_segment(io::FileSystem& files, const std::string& path) {
  SegmentReport report;
  report.path = path;
  auto scanner = open_segment(files, path);
  if (!scanner) {
    if (scanner.error().code == Errc::kCorrupt) {
      report.end = SegmentEnd::kCorrupt;
      report.problem = scanner.error().message;
      return report;
    }
    if (scanner.error().code != Errc::kNotFound) {
      return std::unexpected(scanner.error());
    }
    // A spare, or a file whose making was cut short, which is zeros in front.
    LEAT_ASSIGN(const auto file, files.open(path, {}));
    std::string front(kBlock, 'x');
    LEAT_ASSIGN(const std::size_t count, file->pread({front.data(), front.size()}, 0));
    front.resize(count);
    const auto spare = decode_segment_header(front);
    if (!spare && (front.empty() || front.find_first_not_of('\0') != std::string::npos)) {
      return fail(Errc::kInvalid, "not a journal segment; " + path);
    }
    report.problem = spare ? "" : "unfinished: it is removed when the journal is opened";
    return report;
  }
  const SegmentHeader& header = scanner->header();
  report.used = true;
  report.version = kFormatVersion;
  report.journal_id = header.journal_id;
  report.shard = header.shard;
  report.sequence = header.sequence;
  report.oldest_sequence = header.oldest_sequence;
  report.first = header.first;
  report.segment_bytes = header.segment_bytes;
  report.created_at = header.created_at;
  while (true) {
    LEAT_ASSIGN(const bool more, scanner->next());
    if (!more) {
      break;
    }
    const CommitHeader& commit = scanner->commit();
    report.commits.push_back({.position = scanner->commit_position(),
                              .bytes = commit.bytes(),
                              .first = commit.first,
                              .records = commit.records,
                              .events = commit.events,
                              .committed_at = commit.committed_at});
    report.records += commit.records;
    report.events += commit.events;
  }
  report.end = scanner->end();
  report.end_position = scanner->position();
  report.problem = scanner->problem();
  return report;
}

std::string to_text(const SegmentReport& report) {
  std::string out = fmt::format("journal segment {}\n", report.path);
  if (!report.used) {
    out += report.problem.empty() ? "  spare: ready to be used, holds no records\n"
                                  : fmt::format("  {}\n", report.problem);
    return out;
  }
  auto to = std::back_inserter(out);
  fmt::format_to(to, "  journal {}, shard {}, segment {} (oldest needed {}), format {}\n",
                 report.journal_id, report.shard, report.sequence, report.oldest_sequence,
                 report.version);
  fmt::format_to(to, "  begun {}, {} bytes\n", format_iso8601(report.created_at),
                 report.segment_bytes);
  fmt::format_to(to, "  {} records from {}, {} events, {} commits\n", report.records,
                 report.first.value, report.events, report.commits.size());
  fmt::format_to(to, "  {:>10}  {:>10}  {:>14}  {:>8}  {:>8}  committed at\n", "byte", "size",
                 "first record", "records", "events");
  for (const CommitReport& commit : report.commits) {
    fmt::format_to(to, "  {:>10}  {:>10}  {:>14}  {:>8}  {:>8}  {}{}\n", commit.position,
                   commit.bytes, commit.first.value, commit.records, commit.events,
                   format_iso8601(commit.committed_at),
                   commit.records == 0 ? "  (clean stop)" : "");
  }
  fmt::format_to(to, "  end: {} at byte {}{}{}\n", segment_end_name(report.end),
                 report.end_position, report.problem.empty() ? "" : ": ", report.problem);
  return out;
}

std::string to_json(const SegmentReport& report) {
  std::string out = fmt::format(R"({{"kind":"journal_segment","path":{},"used":{})",
                                json_string(report.path), report.used);
  auto to = std::back_inserter(out);
  if (report.used) {
    fmt::format_to(
        to,
        R"(,"version":{},"journal":{},"shard":{},"sequence":{},"oldest_sequence":{},"first":{},)"
        R"("segment_bytes":{},"created_at":"{}","records":{},"events":{},"commits":[)",
        report.version, json_string(report.journal_id), report.shard, report.sequence,
        report.oldest_sequence, report.first.value, report.segment_bytes,
        format_iso8601(report.created_at), report.records, report.events);
    for (std::size_t i = 0; i < report.commits.size(); ++i) {
      const CommitReport& commit = report.commits[i];
      fmt::format_to(to,
                     R"({}{{"position":{},"bytes":{},"first":{},"records":{},"events":{},)"
                     R"("committed_at":"{}"}})",
                     i == 0 ? "" : ",", commit.position, commit.bytes, commit.first.value,
                     commit.records, commit.events, format_iso8601(commit.committed_at));
    }
    fmt::format_to(to, R"(],"end":"{}","end_position":{})", segment_end_name(report.end),
                   report.end_position);
  }
  fmt::format_to(to, R"(,"problem":{}}})", json_string(report.problem));
  return out + "\n";
}

}  // namespace leat::journal
