#include "pipeline/archive/compressor.h"

#include <fmt/core.h>
#include <zstd.h>

#include "base/check.h"

namespace leat::archive {
namespace {

constexpr int kCompressionLevel = 1;
// 2 MiB instead of the level's 512 KiB: measured a tenth less time, and objects 1.3 % smaller.
// Larger ones bring no more.
constexpr int kWindowLog = 21;

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

struct Compressor::State {
  std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
};

Compressor::Compressor() : state_(std::make_unique<State>()) {}
Compressor::~Compressor() = default;

Result<std::string> Compressor::compress(std::string_view lines) {
  ZSTD_CCtx* const c = state_->context.get();
  LEAT_CHECK(c != nullptr);
  ZSTD_CCtx_reset(c, ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, kCompressionLevel);
  ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, kWindowLog);
  ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 1);
  std::string out;
  std::size_t size = 0;
  out.resize_and_overwrite(ZSTD_compressBound(lines.size()), [&](char* to, std::size_t room) {
    size = ZSTD_compress2(c, to, room, lines.data(), lines.size());
    return ZSTD_isError(size) != 0 ? 0 : size;
  });
  if (ZSTD_isError(size) != 0) {
    return fail(Errc::kBug, fmt::format("cannot compress a batch: {}", ZSTD_getErrorName(size)));
  }
  return out;
}

}  // namespace leat::archive
