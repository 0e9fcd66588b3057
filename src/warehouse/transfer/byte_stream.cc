#include "warehouse/transfer/byte_stream.h"

#include <bzlib.h>
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "warehouse/transfer/input_files.h"
#include "warehouse/transfer/lzop_stream.h"

namespace leat::transfer {

using engine::fail_sql;
using engine::SqlResult;

namespace {

constexpr std::size_t kCompressedBytes = 256 << 10;
constexpr int kZstdWindowLogMax = 27;

class ObjectStream final : public ByteStream {
 public:
  ObjectStream(io::ObjectStore& store, std::string uri, std::uint64_t read_bytes)
      : store_(store), uri_(std::move(uri)), read_bytes_(read_bytes) {}

  SqlResult<std::size_t> read(std::span<char> out) override {
    if (used_ == piece_.size()) {
      if (at_end_) return std::size_t{0};
      auto piece = store_.get_range(uri_, offset_, read_bytes_);
      if (!piece) return std::unexpected(store_error(piece.error(), uri_));
      piece_ = std::move(*piece);
      offset_ += piece_.size();
      used_ = 0;
      at_end_ = piece_.size() < read_bytes_;
      if (piece_.empty()) return std::size_t{0};
    }
    const std::size_t count = std::min(out.size(), piece_.size() - used_);
    std::memcpy(out.data(), piece_.data() + used_, count);
    used_ += count;
    return count;
  }

 private:
  io::ObjectStore& store_;
  std::string uri_;
  std::uint64_t read_bytes_;
  std::uint64_t offset_ = 0;
  std::string piece_;
  std::size_t used_ = 0;
  bool at_end_ = false;
};

class MemoryStream final : public ByteStream {
 public:
  explicit MemoryStream(std::string bytes) : bytes_(std::move(bytes)) {}
  SqlResult<std::size_t> read(std::span<char> out) override {
    const std::size_t count = std::min(out.size(), bytes_.size() - used_);
    std::memcpy(out.data(), bytes_.data() + used_, count);
    used_ += count;
    return count;
  }

 private:
  std::string bytes_;
  std::size_t used_ = 0;
};

/// What all codecs share: a buffer of compressed bytes that is refilled from the stream below.
class Decompressor : public ByteStream {
 public:
  explicit Decompressor(std::unique_ptr<ByteStream> source) : source_(std::move(source)) {
    input_.resize(kCompressedBytes);
  }

  SqlResult<std::size_t> read(std::span<char> out) final {
    while (true) {
      if (used_ == filled_ && !source_ended_) {
        LEAT_ASSIGN(filled_, source_->read(input_));
        used_ = 0;
        source_ended_ = filled_ == 0;
      }
      if (source_ended_ && used_ == filled_ && between_members_) return std::size_t{0};
      std::size_t taken = 0;
      std::size_t made = 0;
      const std::size_t available = filled_ - used_;
      if (!step({input_.data() + used_, available}, taken, out, made)) return broken();
      used_ += taken;
      if (made > 0) return made;
      const bool stuck = taken == 0 && (available > 0 || source_ended_);
      if (stuck) return broken();
    }
  }

 protected:
  /// Decompresses from `in` to `out`; false when the data is broken. Sets between_members_.
  virtual bool step(std::span<char> in, std::size_t& taken, std::span<char> out,
                    std::size_t& made) = 0;
  virtual std::string_view name() const = 0;

  bool between_members_ = true;  ///< At a place where the data may end.

 private:
  std::unexpected<engine::SqlError> broken() const {
    return fail_sql("XX000", fmt::format("The file is not valid {} data or is cut off", name()));
  }

  std::unique_ptr<ByteStream> source_;
  std::string input_;
  std::size_t used_ = 0;
  std::size_t filled_ = 0;
  bool source_ended_ = false;
};

class GzipStream final : public Decompressor {
 public:
  explicit GzipStream(std::unique_ptr<ByteStream> source) : Decompressor(std::move(source)) {
    ready_ = inflateInit2(&state_, 15 + 16) == Z_OK;
  }
  ~GzipStream() override { inflateEnd(&state_); }

 protected:
  bool step(std::span<char> in, std::size_t& taken, std::span<char> out,
            std::size_t& made) override {
    if (!ready_) return false;
    if (in.empty() && between_members_) return true;
    if (between_members_) {
      // Members may follow each other; zeros between and after them are padding.
      if (any_member_ && in.front() == '\0') {
        taken = 1;
        return true;
      }
      if (inflateReset(&state_) != Z_OK) return false;
      any_member_ = true;
      between_members_ = false;
    }
    state_.next_in = reinterpret_cast<Bytef*>(in.data());
    state_.avail_in = static_cast<uInt>(in.size());
    state_.next_out = reinterpret_cast<Bytef*>(out.data());
    state_.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size(), 1 << 30));
    const uInt room = state_.avail_out;
    const int result = inflate(&state_, Z_NO_FLUSH);
    taken = in.size() - state_.avail_in;
    made = room - state_.avail_out;
    between_members_ = result == Z_STREAM_END;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
  }
  std::string_view name() const override { return "GZIP"; }

 private:
  z_stream state_{};
  bool ready_ = false;
  bool any_member_ = false;
};

class ZstdStream final : public Decompressor {
 public:
  explicit ZstdStream(std::unique_ptr<ByteStream> source)
      : Decompressor(std::move(source)), state_(ZSTD_createDStream()) {
    ZSTD_DCtx_setParameter(state_, ZSTD_d_windowLogMax, kZstdWindowLogMax);
  }
  ~ZstdStream() override { ZSTD_freeDStream(state_); }

 protected:
  bool step(std::span<char> in, std::size_t& taken, std::span<char> out,
            std::size_t& made) override {
    ZSTD_inBuffer input{.src = in.data(), .size = in.size(), .pos = 0};
    ZSTD_outBuffer output{.dst = out.data(), .size = out.size(), .pos = 0};
    const std::size_t result = ZSTD_decompressStream(state_, &output, &input);
    if (ZSTD_isError(result) != 0) return false;
    taken = input.pos;
    made = output.pos;
    if (taken > 0 || made > 0) between_members_ = result == 0;
    return true;
  }
  std::string_view name() const override { return "ZSTD"; }

 private:
  ZSTD_DStream* state_;
};

class Bzip2Stream final : public Decompressor {
 public:
  explicit Bzip2Stream(std::unique_ptr<ByteStream> source) : Decompressor(std::move(source)) {}
  ~Bzip2Stream() override {
    if (!between_members_) BZ2_bzDecompressEnd(&state_);
  }

 protected:
  bool step(std::span<char> in, std::size_t& taken, std::span<char> out,
            std::size_t& made) override {
    if (in.empty() && between_members_) return true;
    if (between_members_) {
      state_ = {};
      if (BZ2_bzDecompressInit(&state_, 0, 0) != BZ_OK) return false;
      between_members_ = false;
    }
    state_.next_in = in.data();
    state_.avail_in = static_cast<unsigned>(in.size());
    state_.next_out = out.data();
    state_.avail_out = static_cast<unsigned>(std::min<std::size_t>(out.size(), 1 << 30));
    const unsigned room = state_.avail_out;
    const int result = BZ2_bzDecompress(&state_);
    taken = in.size() - state_.avail_in;
    made = room - state_.avail_out;
    if (result == BZ_STREAM_END) {
      BZ2_bzDecompressEnd(&state_);
      between_members_ = true;
    }
    return result == BZ_OK || result == BZ_STREAM_END;
  }
  std::string_view name() const override { return "BZIP2"; }

 private:
  bz_stream state_{};
};

std::unique_ptr<ByteStream> decompressed(std::unique_ptr<ByteStream> source,
                                         sql::FileCompression compression) {
  switch (compression) {
    case sql::FileCompression::kGzip:
      return std::make_unique<GzipStream>(std::move(source));
    case sql::FileCompression::kZstd:
      return std::make_unique<ZstdStream>(std::move(source));
    case sql::FileCompression::kBzip2:
      return std::make_unique<Bzip2Stream>(std::move(source));
    case sql::FileCompression::kLzop:
      return open_lzop(std::move(source));
    default:
      return source;
  }
}

}  // namespace

std::unique_ptr<ByteStream> open_object(io::ObjectStore& store, std::string uri,
                                        sql::FileCompression compression,
                                        std::uint64_t read_bytes) {
  return decompressed(std::make_unique<ObjectStream>(store, std::move(uri), read_bytes),
                      compression);
}

std::unique_ptr<ByteStream> open_bytes(std::string bytes, sql::FileCompression compression) {
  return decompressed(std::make_unique<MemoryStream>(std::move(bytes)), compression);
}

}  // namespace leat::transfer
