#include "pipeline/collect/inflate.h"

#include <libdeflate.h>

#include "net/http.h"

namespace leat::collect {

void Inflater::Freer::operator()(libdeflate_decompressor* decompressor) const {
  libdeflate_free_decompressor(decompressor);
}

Inflater::Inflater(std::size_t bytes_max) : bytes_max_(bytes_max) {}
Inflater::~Inflater() = default;

Result<std::string_view> Inflater::gunzip(std::string_view body) {
  if (!decompressor_) {
    decompressor_.reset(libdeflate_alloc_decompressor());
    buffer_ = std::make_unique<char[]>(bytes_max_ + net::kBodyPadding);
  }
  if (!decompressor_) return fail(Errc::kExhausted, "no memory to decompress a body");
  std::size_t size = 0;
  do {
    std::size_t read = 0;
    std::size_t written = 0;
    const libdeflate_result result =
        libdeflate_gzip_decompress_ex(decompressor_.get(), body.data(), body.size(),
                                      buffer_.get() + size, bytes_max_ - size, &read, &written);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      return fail(Errc::kExhausted, "the decompressed body is too large");
    }
    if (result != LIBDEFLATE_SUCCESS || read == 0)
      return fail(Errc::kInvalid, "the body is not valid gzip");
    body.remove_prefix(read);
    size += written;
  } while (!body.empty());
  return std::string_view(buffer_.get(), size);
}

}  // namespace leat::collect
