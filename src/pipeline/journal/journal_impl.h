// What a Journal is made of; shared by journal.cc and reader.cc.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "pipeline/journal/journal.h"
#include "pipeline/journal/segment_pool.h"
#include "pipeline/journal/shard_writer.h"

namespace leat::journal {

struct ShardState {
  std::unique_ptr<SegmentPool> pool;
  std::unique_ptr<ShardWriter> writer;  ///< Null for shards beyond shard_count; uses the pool.
  std::unique_ptr<Shard> shard;
  std::string prepare_problem;  ///< Last one logged; of the preparer alone.
  metrics::Gauge* disk_bytes = nullptr;
  metrics::Gauge* segments = nullptr;
  metrics::Gauge* spares = nullptr;

  [[nodiscard]] Offset durable() const { return writer ? writer->durable() : pool->recovered(); }
};

struct Journal::Impl {
  Options options;
  std::unique_ptr<io::FileLock> folder_lock;
  std::string id;
  std::deque<ShardState> shards;  // fixed after open()

  std::mutex mutex;  // guards wanted and stopping
  std::condition_variable wake;
  bool wanted = false;
  bool stopping = false;
  bool retry_prepare = false;  // of the preparer alone
  std::thread preparer;

  [[nodiscard]] Status open_shard(std::size_t index);
  void prepare_all();
  void run_preparer();
  void want_prepare();
  void stop_preparer();
};

}  // namespace leat::journal
