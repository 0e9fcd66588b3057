// The part of Thrift's compact protocol that Parquet's metadata needs, written field by field in
// ascending order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat::columns {

/// Appends to a string it does not own. One thread at a time.
class ThriftWriter {
 public:
  explicit ThriftWriter(std::string& out) : out_(out) {}

  void i32(int id, std::int32_t value) {
    field(id, kI32);
    zigzag(value);
  }
  void i64(int id, std::int64_t value) {
    field(id, kI64);
    zigzag(value);
  }
  void i8(int id, std::int8_t value) {
    field(id, kI8);
    out_.push_back(static_cast<char>(value));
  }
  void boolean(int id, bool value) { field(id, value ? kTrue : kFalse); }
  void binary(int id, std::string_view bytes) {
    field(id, kBinary);
    raw_binary(bytes);
  }
  /// Opens a struct field; close it with end_struct.
  void begin_struct(int id) {
    field(id, kStruct);
    begin_element();
  }
  /// Opens a struct that is an element of a list, or the outermost struct.
  void begin_element() {
    last_ids_.push_back(last_id_);
    last_id_ = 0;
  }
  void end_struct() {
    out_.push_back(0);
    last_id_ = last_ids_.back();
    last_ids_.pop_back();
  }
  void begin_struct_list(int id, std::size_t size) { list(id, kStruct, size); }
  void i32_list(int id, const std::vector<std::int32_t>& values) {
    list(id, kI32, values.size());
    for (const std::int32_t value : values) zigzag(value);
  }
  void binary_list(int id, const std::vector<std::string_view>& values) {
    list(id, kBinary, values.size());
    for (const std::string_view value : values) raw_binary(value);
  }

 private:
  enum TypeCode : std::uint8_t {
    kTrue = 1,
    kFalse = 2,
    kI8 = 3,
    kI32 = 5,
    kI64 = 6,
    kBinary = 8,
    kList = 9,
    kStruct = 12
  };

  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  void zigzag(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void raw_binary(std::string_view bytes) {
    varint(bytes.size());
    out_.append(bytes);
  }
  void field(int id, TypeCode type) {
    const int delta = id - last_id_;
    if (delta > 0 && delta <= 15) {
      out_.push_back(static_cast<char>((delta << 4) | type));
    } else {
      out_.push_back(static_cast<char>(type));
      zigzag(id);
    }
    last_id_ = id;
  }
  void list(int id, TypeCode element, std::size_t size) {
    field(id, kList);
    if (size < 15) {
      out_.push_back(static_cast<char>((size << 4) | element));
    } else {
      out_.push_back(static_cast<char>(0xf0 | element));
      varint(size);
    }
  }

  std::string& out_;
  int last_id_ = 0;
  std::vector<int> last_ids_;
};

}  // namespace leat::columns
