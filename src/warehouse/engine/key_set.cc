#include "warehouse/engine/key_set.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "warehouse/engine/aggregate.h"
#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {
namespace {

// 512 MiB of keys. Whoever writes such filters asks first how many rows there are.
constexpr std::size_t kKeysMax = std::size_t{1} << 26U;
// At 16 a million keys' filter does not stay in the processor's cache beside what is read: an
// eighth more time, though a fortieth fewer keys pass it for nothing.
constexpr std::size_t kFilterBitsPerKey = 8;
constexpr std::size_t kRun = 512;  // keys of which those that pass are gathered first
// Slots are asked for so many keys ahead: each costs a look into memory.
constexpr std::size_t kAhead = 16;

std::uint64_t key_hash(std::int64_t key) {
  const std::uint64_t product = static_cast<std::uint64_t>(key) * 0x9e3779b97f4a7c15U;
  return product ^ (product >> 32U);
}

// Four bits of one word: the hash's low bits say which, its high bits say which word.
std::uint64_t key_filter_bits(std::uint64_t hash) {
  return (1ULL << (hash & 63U)) | (1ULL << ((hash >> 6U) & 63U)) | (1ULL << ((hash >> 12U) & 63U)) |
         (1ULL << ((hash >> 18U) & 63U));
}

unsigned shift_to(std::size_t power_of_two) {
  return 64U - static_cast<unsigned>(std::countr_zero(power_of_two));
}

}  // namespace

KeySet::KeySet(std::string_view keys) {
  const std::size_t count = keys.size() / sizeof(std::int64_t);
  // Two at least: a shift by all 64 bits has no meaning.
  filter_.resize(std::bit_ceil(count * kFilterBitsPerKey / 64 + 2));
  slots_.resize(std::bit_ceil(count * 2 + 2));
  filter_shift_ = shift_to(filter_.size());
  slot_shift_ = shift_to(slots_.size());
  const std::size_t mask = slots_.size() - 1;
  const auto key_at = [&](std::size_t i) {
    std::int64_t key = 0;
    std::memcpy(&key, keys.data() + i * sizeof key, sizeof key);
    return key;
  };
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) {
      __builtin_prefetch(&slots_[key_hash(key_at(i + kAhead)) >> slot_shift_], 1);
    }
    const std::int64_t key = key_at(i);
    const std::uint64_t hash = key_hash(key);
    filter_[hash >> filter_shift_] |= key_filter_bits(hash);
    if (key == 0) {
      has_zero_ = true;
      continue;
    }
    std::size_t slot = hash >> slot_shift_;
    while (slots_[slot] != 0 && slots_[slot] != key) slot = (slot + 1) & mask;
    slots_[slot] = key;
  }
}

void KeySet::look_up(std::span<const std::int64_t> keys, std::span<bool> found) const {
  std::array<std::uint32_t, kRun> passed;
  for (std::size_t done = 0; done < keys.size(); done += kRun) {
    const auto run = keys.subspan(done, std::min(kRun, keys.size() - done));
    std::size_t count = 0;
    for (std::size_t i = 0; i < run.size(); ++i) {
      const std::uint64_t hash = key_hash(run[i]);
      const std::uint64_t bits = key_filter_bits(hash);
      found[done + i] = false;
      passed[count] = static_cast<std::uint32_t>(i);
      // Added up instead of asked: nobody can foretell which key passes.
      count += (filter_[hash >> filter_shift_] & bits) == bits ? 1 : 0;
    }
    for (std::size_t i = 0; i < count; ++i) {
      __builtin_prefetch(&slots_[key_hash(run[passed[i]]) >> slot_shift_]);
    }
    for (std::size_t i = 0; i < count; ++i) found[done + passed[i]] = has(run[passed[i]]);
  }
}

bool KeySet::has(std::int64_t key) const {
  if (key == 0) return has_zero_;
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = key_hash(key) >> slot_shift_;
  while (slots_[slot] != 0 && slots_[slot] != key) slot = (slot + 1) & mask;
  return slots_[slot] != 0;
}

std::int64_t KeySets::add(std::uint64_t connection, std::shared_ptr<const KeySet> keys) {
  const std::lock_guard lock(mutex_);
  entries_.emplace(next_, Entry{.connection = connection, .keys = std::move(keys)});
  size_ = entries_.size();
  return next_++;
}

std::shared_ptr<const KeySet> KeySets::find(std::int64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(number);
  return found == entries_.end() ? nullptr : found->second.keys;
}

void KeySets::forget(std::uint64_t connection) {
  if (size_.load() == 0) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.connection == connection; });
  size_ = entries_.size();
}

namespace {

using Keys = std::vector<std::int64_t>;
using KeysState = GroupState<Keys>;

SqlStatus append_keys(duckdb_aggregate_state state, std::span<const std::int64_t> more) {
  Keys& keys = KeysState::of(state).made();
  if (keys.size() + more.size() > kKeysMax) {
    return fail_sql("53200", "a query after IN has too many keys to be kept in memory", {},
                    "Prepare the statement anew.");
  }
  keys.insert(keys.end(), more.begin(), more.end());
  return {};
}

void add_keys(duckdb_function_info info, duckdb_data_chunk chunk, duckdb_aggregate_state* states) {
  run_aggregate(info, [&]() -> SqlStatus {
    const idx_t size = duckdb_data_chunk_get_size(chunk);
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, 0);
    const auto* keys = static_cast<const std::int64_t*>(duckdb_vector_get_data(vector));
    std::uint64_t* const validity = duckdb_vector_get_validity(vector);
    const auto is_null = [&](idx_t row) {
      return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
    };
    // Runs of rows of one group: mostly the whole chunk.
    for (idx_t done = 0; done < size;) {
      idx_t end = done;
      while (end < size && states[end] == states[done] && !is_null(end)) ++end;
      if (end > done) LEAT_TRY(append_keys(states[done], {keys + done, keys + end}));
      done = std::max(end, done + 1);
    }
    return {};
  });
}

void join_keys(duckdb_function_info info, duckdb_aggregate_state* sources,
               duckdb_aggregate_state* targets, idx_t count) {
  run_aggregate(info, [&]() -> SqlStatus {
    for (idx_t i = 0; i < count; ++i) {
      const Keys* source = KeysState::of(sources[i]).value;
      if (source != nullptr) LEAT_TRY(append_keys(targets[i], *source));
    }
    return {};
  });
}

void give_keys(duckdb_function_info /*info*/, duckdb_aggregate_state* states, duckdb_vector result,
               idx_t count, idx_t offset) {
  for (idx_t i = 0; i < count; ++i) {
    const Keys* keys = KeysState::of(states[i]).value;
    const std::string_view bytes =
        keys == nullptr ? std::string_view("", 0)
                        : std::string_view(reinterpret_cast<const char*>(keys->data()),
                                           keys->size() * sizeof(std::int64_t));
    duckdb_vector_assign_string_element_len(result, offset + i, bytes.data(), bytes.size());
  }
}

DatabaseState& keeper_of(duckdb_function_info info) {
  return *static_cast<DatabaseState*>(duckdb_scalar_function_get_extra_info(info));
}

// The bind data is the connection's number itself.
void bind_to_connection(duckdb_bind_info info) {
  duckdb_client_context context = nullptr;
  duckdb_scalar_function_get_client_context(info, &context);
  const idx_t connection = duckdb_client_context_get_connection_id(context);
  duckdb_destroy_client_context(&context);
  duckdb_scalar_function_set_bind_data(info, reinterpret_cast<void*>(connection), nullptr);
  duckdb_scalar_function_set_bind_data_copy(info, [](void* data) { return data; });
}

void keep_keys(duckdb_function_info info, duckdb_data_chunk chunk, duckdb_vector result) {
  run_scalar(info, [&]() -> SqlStatus {
    const auto connection =
        reinterpret_cast<std::uint64_t>(duckdb_scalar_function_get_bind_data(info));
    auto* bytes = static_cast<duckdb_string_t*>(
        duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0)));
    auto* numbers = static_cast<std::int64_t*>(duckdb_vector_get_data(result));
    const idx_t size = duckdb_data_chunk_get_size(chunk);
    for (idx_t i = 0; i < size; ++i) {
      numbers[i] = keeper_of(info).key_sets.add(
          connection, std::make_shared<const KeySet>(std::string_view(
                          duckdb_string_t_data(&bytes[i]), duckdb_string_t_length(bytes[i]))));
    }
    return {};
  });
}

void look_up_keys(duckdb_function_info info, duckdb_data_chunk chunk, duckdb_vector result) {
  run_scalar(info, [&]() -> SqlStatus {
    const idx_t size = duckdb_data_chunk_get_size(chunk);
    const auto integers = [&](idx_t column) {
      return static_cast<const std::int64_t*>(
          duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, column)));
    };
    const std::int64_t* keys = integers(0);
    const std::int64_t* numbers = integers(1);
    auto* found = static_cast<bool*>(duckdb_vector_get_data(result));
    std::uint64_t* numbered = duckdb_vector_get_validity(duckdb_data_chunk_get_vector(chunk, 1));
    // Almost always one set for all rows. Answers for rows with a NULL are thrown away.
    for (idx_t done = 0; done < size;) {
      idx_t end = done + 1;
      while (end < size && numbers[end] == numbers[done]) ++end;
      if (numbered != nullptr && !duckdb_validity_row_is_valid(numbered, done)) {
        found[done++] = false;
        continue;
      }
      const auto set = keeper_of(info).key_sets.find(numbers[done]);
      if (set == nullptr) return fail_sql("XX000", "the keys of a query after IN are gone");
      set->look_up({keys + done, keys + end}, {found + done, found + end});
      done = end;
    }
    return {};
  });
}

struct KeyFunction {
  const char* name;
  std::vector<duckdb_type> parameters;
  duckdb_type returns;
  duckdb_scalar_function_t run;
  bool keeps;
};

SqlStatus register_scalar(DatabaseState& database, duckdb_connection connection,
                          const KeyFunction& definition) {
  const LogicalType returns(duckdb_create_logical_type(definition.returns));
  duckdb_scalar_function handle = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(handle, definition.name);
  for (const duckdb_type type : definition.parameters) {
    const LogicalType parameter(duckdb_create_logical_type(type));
    duckdb_scalar_function_add_parameter(handle, parameter.get());
  }
  duckdb_scalar_function_set_return_type(handle, returns.get());
  duckdb_scalar_function_set_function(handle, definition.run);
  duckdb_scalar_function_set_extra_info(handle, &database, nullptr);
  if (definition.keeps) {
    duckdb_scalar_function_set_bind(handle, bind_to_connection);
    // A plan may run many times; each time it keeps a set of its own.
    duckdb_scalar_function_set_volatile(handle);
  }
  return register_scalar_function(connection, handle, definition.name);
}

}  // namespace

SqlStatus register_key_sets(const std::shared_ptr<DatabaseState>& database,
                            duckdb_connection connection) {
  LEAT_TRY(register_aggregate<Keys>(connection, {.name = "leat_key_set",
                                                 .parameter = {.type = Type::kInt64},
                                                 .returns = {.type = Type::kBlob},
                                                 .update = add_keys,
                                                 .combine = join_keys,
                                                 .finalize = give_keys}));
  LEAT_TRY(register_scalar(*database, connection,
                           {.name = "leat_kept_keys",
                            .parameters = {DUCKDB_TYPE_BLOB},
                            .returns = DUCKDB_TYPE_BIGINT,
                            .run = keep_keys,
                            .keeps = true}));
  return register_scalar(*database, connection,
                         {.name = "leat_among",
                          .parameters = {DUCKDB_TYPE_BIGINT, DUCKDB_TYPE_BIGINT},
                          .returns = DUCKDB_TYPE_BOOLEAN,
                          .run = look_up_keys,
                          .keeps = false});
}

}  // namespace leat::engine
