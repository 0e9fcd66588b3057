#include "warehouse/transfer/avro_stream.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <zlib.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "warehouse/transfer/piece_stream.h"

namespace leat::transfer {

using engine::fail_sql;
using engine::SqlResult;
using engine::SqlStatus;

namespace {

// Redshift's own limits are 1 MB for the header and 4 MB for a block.
constexpr std::size_t kHeaderBytesMax = 1 << 20;
constexpr std::size_t kBlockBytesMax = 16 << 20;
constexpr std::size_t kRecordBytesMax = 16 << 20;
constexpr std::size_t kTypesMax = 10'000;
constexpr int kDepthMax = 64;

enum class AvroKind : std::uint8_t {
  kNull,
  kBoolean,
  kInteger,  // int and long
  kFloat,
  kDouble,
  kText,  // string and bytes
  kRecord,
  kEnum,
  kArray,
  kMap,
  kUnion,
  kFixed
};

struct AvroType {
  AvroKind kind = AvroKind::kNull;
  std::vector<std::string> names = {};  // of fields, or of an enum's symbols
  std::vector<std::size_t> parts = {};  // of fields, branches, items: indexes of types
  std::size_t size = 0;                 // of a fixed
};

std::unexpected<engine::SqlError> broken(std::string_view what) {
  return fail_sql("XX000", fmt::format("The file is not valid Avro: {}", what));
}

/// Bytes of one block, or of the header, read from the front.
class AvroBytes {
 public:
  explicit AvroBytes(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  std::optional<std::string_view> take(std::uint64_t count) {
    if (count > bytes_.size()) return std::nullopt;
    const std::string_view out = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return out;
  }
  /// A zig-zag number of variable length.
  std::optional<std::int64_t> number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = take(1);
      if (!byte) return std::nullopt;
      const auto bits = static_cast<std::uint8_t>(byte->front());
      value |= std::uint64_t{bits & 0x7FU} << shift;
      if ((bits & 0x80) == 0) {
        return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
      }
    }
    return std::nullopt;
  }
  std::optional<std::string_view> text() {
    const auto size = number();
    if (!size || *size < 0) return std::nullopt;
    return take(static_cast<std::uint64_t>(*size));
  }

 private:
  std::string_view bytes_;
};

/// Reads the schema's JSON into a table of types.
class AvroSchema {
 public:
  SqlStatus read(std::string_view json) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(json.data(), json.size(), true).get(root) != simdjson::SUCCESS) {
      return broken("its schema is not JSON");
    }
    LEAT_ASSIGN(root_, add(root, "", 0));
    if (types_[root_].kind != AvroKind::kRecord) {
      return fail_sql("0A000", "COPY reads Avro files of records only");
    }
    return {};
  }
  [[nodiscard]] const AvroType& type(std::size_t index) const { return types_[index]; }
  [[nodiscard]] std::size_t root() const { return root_; }

 private:
  using Element = simdjson::dom::element;

  SqlResult<std::size_t> add(const Element& node, const std::string& space, int depth) {
    if (depth > kDepthMax || types_.size() >= kTypesMax) return broken("its schema is too large");
    std::string_view name;
    if (node.get(name) == simdjson::SUCCESS) return named(name, space);
    simdjson::dom::array branches;
    if (node.get(branches) == simdjson::SUCCESS) return add_union(branches, space, depth);
    Element inner;
    if (node["type"].get(inner) != simdjson::SUCCESS) return broken("its schema has no type");
    if (inner.get(name) != simdjson::SUCCESS) return add(inner, space, depth + 1);
    if (name == "record" || name == "error") return add_record(node, space, depth);
    if (name == "enum") return add_enum(node, space);
    if (name == "fixed") return add_fixed(node, space);
    if (name == "array") return add_items(AvroKind::kArray, node["items"], space, depth);
    if (name == "map") return add_items(AvroKind::kMap, node["values"], space, depth);
    return named(name, space);
  }

  SqlResult<std::size_t> named(std::string_view name, const std::string& space) {
    static const std::map<std::string_view, AvroKind> kinds{
        {"null", AvroKind::kNull},   {"boolean", AvroKind::kBoolean},
        {"int", AvroKind::kInteger}, {"long", AvroKind::kInteger},
        {"float", AvroKind::kFloat}, {"double", AvroKind::kDouble},
        {"string", AvroKind::kText}, {"bytes", AvroKind::kText}};
    if (const auto kind = kinds.find(name); kind != kinds.end()) return push(kind->second);
    auto found = known_.find(full_name(name, space));
    if (found == known_.end()) found = known_.find(std::string(name));
    if (found == known_.end()) {
      return broken(fmt::format("its schema has no type \"{}\"", name));
    }
    return found->second;
  }

  SqlResult<std::size_t> add_union(const simdjson::dom::array& branches, const std::string& space,
                                   int depth) {
    const std::size_t index = push(AvroKind::kUnion);
    for (const Element& branch : branches) {
      LEAT_ASSIGN(const std::size_t part, add(branch, space, depth + 1));
      types_[index].parts.push_back(part);
    }
    return index;
  }

  SqlResult<std::size_t> add_items(AvroKind kind, simdjson::simdjson_result<Element> items,
                                   const std::string& space, int depth) {
    Element node;
    if (items.get(node) != simdjson::SUCCESS) return broken("its schema has no items");
    const std::size_t index = push(kind);
    LEAT_ASSIGN(const std::size_t part, add(node, space, depth + 1));
    types_[index].parts.push_back(part);
    return index;
  }

  SqlResult<std::size_t> add_record(const Element& node, std::string space, int depth) {
    const std::size_t index = push(AvroKind::kRecord);
    define(node, space, index);
    simdjson::dom::array fields;
    if (node["fields"].get(fields) != simdjson::SUCCESS) return broken("a record has no fields");
    for (const Element& field : fields) {
      std::string_view name;
      Element type;
      if (field["name"].get(name) != simdjson::SUCCESS ||
          field["type"].get(type) != simdjson::SUCCESS) {
        return broken("a field has no name or type");
      }
      LEAT_ASSIGN(const std::size_t part, add(type, space, depth + 1));
      types_[index].names.push_back(json_string(name));
      types_[index].parts.push_back(part);
    }
    return index;
  }

  SqlResult<std::size_t> add_enum(const Element& node, std::string space) {
    const std::size_t index = push(AvroKind::kEnum);
    define(node, space, index);
    simdjson::dom::array symbols;
    if (node["symbols"].get(symbols) != simdjson::SUCCESS) return broken("an enum has no symbols");
    for (const Element& symbol : symbols) {
      std::string_view name;
      if (symbol.get(name) != simdjson::SUCCESS) return broken("a symbol is no string");
      types_[index].names.push_back(json_string(name));
    }
    return index;
  }

  SqlResult<std::size_t> add_fixed(const Element& node, std::string space) {
    const std::size_t index = push(AvroKind::kFixed);
    define(node, space, index);
    std::uint64_t size = 0;
    if (node["size"].get(size) != simdjson::SUCCESS || size > kBlockBytesMax) {
      return broken("a fixed has no size");
    }
    types_[index].size = size;
    return index;
  }

  /// Makes the type known by its name; `space` becomes its namespace.
  void define(const Element& node, std::string& space, std::size_t index) {
    std::string_view name;
    std::string_view given;
    if (node["name"].get(name) != simdjson::SUCCESS) return;
    if (node["namespace"].get(given) == simdjson::SUCCESS) space = given;
    if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos) {
      space = name.substr(0, dot);
    }
    known_[full_name(name, space)] = index;
  }

  static std::string full_name(std::string_view name, const std::string& space) {
    if (space.empty() || name.find('.') != std::string_view::npos) return std::string(name);
    return space + "." + std::string(name);
  }

  std::size_t push(AvroKind kind) {
    types_.push_back({.kind = kind});
    return types_.size() - 1;
  }

  std::vector<AvroType> types_;
  std::map<std::string, std::size_t> known_;
  std::size_t root_ = 0;
};

/// Writes values as JSON. False: broken, or larger than a record may be.
class AvroWriter {
 public:
  AvroWriter(const AvroSchema& schema, AvroBytes& bytes, std::string& out)
      : schema_(schema), bytes_(bytes), out_(out), limit_(out.size() + kRecordBytesMax) {}

  bool value(std::size_t index, int depth) {
    if (depth > kDepthMax || out_.size() > limit_) return false;
    const AvroType& type = schema_.type(index);
    switch (type.kind) {
      case AvroKind::kNull:
        out_ += "null";
        return true;
      case AvroKind::kBoolean:
        return boolean();
      case AvroKind::kInteger:
        return integer();
      case AvroKind::kFloat:
        return real<float, std::uint32_t>();
      case AvroKind::kDouble:
        return real<double, std::uint64_t>();
      case AvroKind::kText:
        return text(bytes_.text());
      case AvroKind::kFixed:
        return text(bytes_.take(type.size));
      case AvroKind::kEnum:
        return symbol(type);
      case AvroKind::kUnion: {
        const auto branch = bytes_.number();
        if (!branch || *branch < 0 || std::cmp_greater_equal(*branch, type.parts.size()))
          return false;
        return value(type.parts[static_cast<std::size_t>(*branch)], depth + 1);
      }
      case AvroKind::kRecord:
        return record(type, depth);
      case AvroKind::kArray:
      case AvroKind::kMap:
        return items(type, depth);
    }
    return false;
  }

 private:
  bool boolean() {
    const auto byte = bytes_.take(1);
    if (byte) out_ += byte->front() != '\0' ? "true" : "false";
    return byte.has_value();
  }
  bool integer() {
    const auto number = bytes_.number();
    if (number) out_ += std::to_string(*number);
    return number.has_value();
  }
  /// Little-endian. What JSON has no number for becomes text.
  template <class Real, class Bits>
  bool real() {
    const auto taken = bytes_.take(sizeof(Bits));
    if (!taken) return false;
    Bits bits = 0;
    for (std::size_t i = sizeof(Bits); i-- > 0;) {
      bits = static_cast<Bits>(bits << 8) | static_cast<std::uint8_t>((*taken)[i]);
    }
    const auto number = std::bit_cast<Real>(bits);
    out_ += std::isfinite(number) ? fmt::format("{}", number) : fmt::format("\"{}\"", number);
    return true;
  }
  bool text(std::optional<std::string_view> found) {
    if (found) append_json_string(out_, *found);
    return found.has_value();
  }
  bool symbol(const AvroType& type) {
    const auto number = bytes_.number();
    if (!number || *number < 0 || std::cmp_greater_equal(*number, type.names.size())) return false;
    out_ += type.names[static_cast<std::size_t>(*number)];
    return true;
  }
  bool record(const AvroType& type, int depth) {
    out_ += '{';
    for (std::size_t i = 0; i < type.parts.size(); ++i) {
      if (i > 0) out_ += ',';
      out_ += type.names[i];
      out_ += ':';
      if (!value(type.parts[i], depth + 1)) return false;
    }
    out_ += '}';
    return true;
  }
  /// Runs of items, each with its count; a negative one has its size in bytes behind it.
  bool items(const AvroType& type, int depth) {
    const bool map = type.kind == AvroKind::kMap;
    out_ += map ? '{' : '[';
    bool first = true;
    while (true) {
      const auto count = bytes_.number();
      if (!count || *count == INT64_MIN) return false;
      if (*count == 0) break;
      if (*count < 0 && !bytes_.number()) return false;
      for (std::int64_t left = std::abs(*count); left > 0; --left) {
        if (!std::exchange(first, false)) out_ += ',';
        if (map) {
          if (!text(bytes_.text())) return false;
          out_ += ':';
        }
        if (!value(type.parts[0], depth + 1)) return false;
      }
    }
    out_ += map ? '}' : ']';
    return true;
  }

  const AvroSchema& schema_;
  AvroBytes& bytes_;
  std::string& out_;
  std::size_t limit_;
};

std::optional<std::string> inflated(std::string_view block) {
  z_stream state{};
  if (inflateInit2(&state, -15) != Z_OK) return std::nullopt;
  std::string out;
  int result = Z_OK;
  std::string input(block);
  state.next_in = reinterpret_cast<Bytef*>(input.data());
  state.avail_in = static_cast<uInt>(input.size());
  while (result == Z_OK && out.size() < kBlockBytesMax) {
    const std::size_t before = out.size();
    out.resize(before + (64U << 10));
    state.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    state.avail_out = 64 << 10;
    result = inflate(&state, Z_NO_FLUSH);
    out.resize(out.size() - state.avail_out);
  }
  inflateEnd(&state);
  if (result != Z_STREAM_END) return std::nullopt;
  return out;
}

class AvroStream final : public PieceStream {
 public:
  explicit AvroStream(std::unique_ptr<ByteStream> source) : reader_(std::move(source)) {}

 protected:
  SqlResult<bool> make_piece(std::string& piece) override {
    if (left_ == 0) {
      LEAT_ASSIGN(const bool more, next_block());
      if (!more) return false;
    }
    // A few records at a time: a block may hold many times its own size as JSON.
    AvroBytes bytes(std::string_view(block_).substr(used_));
    const std::size_t before = piece.size();
    while (left_ > 0 && piece.size() - before < kPieceBytes) {
      if (!AvroWriter(schema_, bytes, piece).value(schema_.root(), 0)) {
        return broken("a record does not go with the schema");
      }
      piece += '\n';
      --left_;
    }
    used_ = block_.size() - bytes.size();
    if (left_ == 0 && bytes.size() > 0) return broken("a block is longer than its records");
    return true;
  }

 private:
  static constexpr std::size_t kPieceBytes = 256 << 10;
  static constexpr std::size_t kSyncBytes = 16;

  /// A number of the file itself; nothing at the file's end.
  SqlResult<std::optional<std::int64_t>> number() {
    std::string bytes;
    while (bytes.size() < 10) {
      LEAT_ASSIGN(const std::string_view byte, reader_.next(1));
      if (byte.empty()) {
        if (bytes.empty()) return std::nullopt;
        break;
      }
      bytes += byte;
      if ((byte.front() & 0x80) == 0) return AvroBytes(bytes).number();
    }
    return broken("a number has no end");
  }

  SqlResult<std::string> counted(std::size_t size_max) {
    LEAT_ASSIGN(const std::optional<std::int64_t> size, number());
    if (!size || *size < 0 || std::cmp_greater(*size, size_max)) return broken("a length");
    LEAT_ASSIGN(const std::string_view bytes, reader_.next(static_cast<std::size_t>(*size)));
    if (std::cmp_not_equal(bytes.size(), *size)) return broken("it is cut off");
    return std::string(bytes);
  }

  SqlStatus read_header() {
    LEAT_ASSIGN(const std::string_view magic, reader_.next(4));
    if (magic != std::string_view("Obj\x01", 4)) return broken("it begins with something else");
    std::size_t total = 0;
    std::string schema;
    while (true) {
      LEAT_ASSIGN(const std::optional<std::int64_t> count, number());
      if (!count || *count == INT64_MIN) return broken("its header");
      if (*count == 0) break;
      if (*count < 0) LEAT_TRY(number());
      for (std::int64_t left = std::abs(*count); left > 0; --left) {
        LEAT_ASSIGN(const std::string key, counted(kHeaderBytesMax));
        LEAT_ASSIGN(std::string value, counted(kHeaderBytesMax));
        total += key.size() + value.size() + 2;
        if (total > kHeaderBytesMax) return broken("its header has more than 1 MB");
        if (key == "avro.schema") schema = std::move(value);
        if (key == "avro.codec") codec_ = std::move(value);
      }
    }
    if (codec_ != "null" && codec_ != "deflate" && codec_ != "snappy") {
      return fail_sql("0A000", fmt::format("Avro's codec {} is not supported", codec_), {},
                      "There are null, deflate and snappy.");
    }
    LEAT_ASSIGN(const std::string_view sync, reader_.next(kSyncBytes));
    sync_ = sync;
    return schema_.read(schema);
  }

  SqlResult<bool> next_block() {
    if (!started_) LEAT_TRY(read_header());
    started_ = true;
    LEAT_ASSIGN(const std::optional<std::int64_t> count, number());
    if (!count) return false;
    if (*count < 0) return broken("a block's count");
    left_ = *count;
    LEAT_ASSIGN(block_, counted(kBlockBytesMax));
    LEAT_ASSIGN(const std::string_view sync, reader_.next(kSyncBytes));
    if (sync != sync_ || sync.size() != kSyncBytes) return broken("a block's end");
    used_ = 0;
    if (codec_ == "null") return true;
    auto plain = codec_ == "deflate" ? inflated(block_) : from_snappy();
    if (!plain) return broken(fmt::format("a block is not {} data", codec_));
    block_ = std::move(*plain);
    return true;
  }

  /// Avro puts the content's CRC behind a Snappy block.
  std::optional<std::string> from_snappy() {
    if (block_.size() < 4) return std::nullopt;
    auto plain =
        snappy_decompressed(std::string_view(block_).substr(0, block_.size() - 4), kBlockBytesMax);
    if (!plain) return std::nullopt;
    std::uint32_t crc = 0;
    for (const char c : std::string_view(block_).substr(block_.size() - 4)) {
      crc = crc << 8 | static_cast<std::uint8_t>(c);
    }
    const auto* bytes = reinterpret_cast<const Bytef*>(plain->data());
    if (crc32_z(0, bytes, plain->size()) != crc) return std::nullopt;
    return plain;
  }

  PieceReader reader_;
  AvroSchema schema_;
  std::string codec_ = "null";
  std::string sync_;
  std::string block_;
  std::size_t used_ = 0;
  std::int64_t left_ = 0;
  bool started_ = false;
};

}  // namespace

std::optional<std::string> snappy_decompressed(std::string_view block, std::size_t size_max) {
  std::size_t at = 0;
  const auto little_endian = [&](std::size_t bytes) -> std::optional<std::size_t> {
    if (block.size() - at < bytes) return std::nullopt;
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      value |= std::size_t{static_cast<std::uint8_t>(block[at++])} << (8 * i);
    }
    return value;
  };
  std::size_t size = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = little_endian(1);
    if (!byte || shift > 28) return std::nullopt;
    size |= (*byte & 0x7F) << shift;
    if (*byte < 0x80) break;
  }
  if (size > size_max) return std::nullopt;
  std::string out;
  out.reserve(size);
  while (at < block.size()) {
    const std::size_t tag = static_cast<std::uint8_t>(block[at++]);
    std::size_t length = tag >> 2;
    if ((tag & 3) == 0) {
      if (length >= 60) {
        const auto more = little_endian(length - 59);
        if (!more) return std::nullopt;
        length = *more;
      }
      ++length;
      if (block.size() - at < length || size - out.size() < length) return std::nullopt;
      out.append(block.substr(at, length));
      at += length;
      continue;
    }
    const bool one_byte = (tag & 3) == 1;
    const auto low = little_endian(one_byte ? 1 : ((tag & 3) == 2 ? 2 : 4));
    if (!low) return std::nullopt;
    const std::size_t offset = one_byte ? (tag >> 5) << 8 | *low : *low;
    length = one_byte ? 4 + (length & 7) : length + 1;
    if (offset == 0 || offset > out.size() || size - out.size() < length) return std::nullopt;
    for (std::size_t i = 0; i < length; ++i) out += out[out.size() - offset];
  }
  if (out.size() != size) return std::nullopt;
  return out;
}

std::unique_ptr<ByteStream> open_avro_as_json(std::unique_ptr<ByteStream> source) {
  return std::make_unique<AvroStream>(std::move(source));
}

}  // namespace leat::transfer
