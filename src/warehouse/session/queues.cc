#include "warehouse/session/queues.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace leat::session {
namespace {

constexpr std::int32_t kSuperuserClass = 5;
constexpr std::int32_t kFirstClass = 6;
constexpr std::int32_t kOnlyClass = 100;
constexpr std::string_view kSuperuser = "superuser";
constexpr std::string_view kDefault = "default";

auto of_session(std::int32_t session) {
  return [session](const QueuedStatement& each) { return each.session == session; };
}

}  // namespace

Result<std::vector<QueueSpec>> parse_queues(std::string_view text) {
  std::vector<QueueSpec> specs;
  if (trim(text).empty()) return specs;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view each = trim(part);
    const std::size_t equals = each.find('=');
    const std::string name = to_lower(trim(each.substr(0, equals)));
    const auto slots = equals == std::string_view::npos
                           ? std::nullopt
                           : parse_number<std::int64_t>(trim(each.substr(equals + 1)));
    if (name.empty() || !slots || *slots < 1 || *slots > 10'000) {
      return fail(
          Errc::kInvalid,
          fmt::format("a queue is written NAME=SLOTS with 1 to 10000 slots, not \"{}\"", each));
    }
    if (name == kSuperuser || std::ranges::find(specs, name, &QueueSpec::name) != specs.end())
      return fail(Errc::kInvalid, fmt::format("there is a queue {} already", name));
    specs.push_back({.name = name, .slots = *slots});
  }
  return specs;
}

QueryQueues::QueryQueues(const std::vector<QueueSpec>& specs) {
  const auto add = [&](std::string_view name, std::int32_t service_class, std::int64_t slots) {
    Queue queue;
    queue.name = name;
    queue.service_class = service_class;
    queue.slots = slots;
    queues_.push_back(std::move(queue));
  };
  add(kSuperuser, kSuperuserClass, 1);
  std::int32_t next = kFirstClass;
  for (const QueueSpec& spec : specs) {
    if (spec.name != kDefault) add(spec.name, next++, spec.slots);
  }
  const auto found = std::ranges::find(specs, kDefault, &QueueSpec::name);
  add(kDefault, specs.empty() ? kOnlyClass : next, found == specs.end() ? 0 : found->slots);
}

std::size_t QueryQueues::choose(std::string_view query_group,
                                const std::vector<std::string>& groups, bool superuser) const {
  const auto named = [&](std::string_view name) {
    const auto found = std::ranges::find(queues_, name, &Queue::name);
    if (found == queues_.end() || (found->name == kSuperuser && !superuser)) return queues_.size();
    return static_cast<std::size_t>(found - queues_.begin());
  };
  if (const std::size_t by_group = named(to_lower(query_group)); by_group < queues_.size())
    return by_group;
  for (const std::string& group : groups) {
    if (group == kSuperuser) continue;
    if (const std::size_t by_user = named(group); by_user < queues_.size()) return by_user;
  }
  return queues_.size() - 1;
}

void QueryQueues::admit(Queue& queue) {
  for (QueuedStatement& each : queue.statements) {
    if (each.running) continue;
    if (queue.slots > 0 && queue.used + each.slots > queue.slots) break;
    each.running = true;
    queue.used += each.slots;
  }
  changed_.notify_all();
}

SqlResult<std::int64_t> QueryQueues::enter(std::size_t queue_index, QueuedStatement statement,
                                           bool hurried, const std::function<bool()>& stopped,
                                           const std::function<TimeUs()>& now) {
  std::unique_lock guard(mutex_);
  Queue& queue = queues_[queue_index];
  if (queue.slots > 0 && statement.slots > queue.slots) {
    return engine::fail_sql("22023",
                            fmt::format("wlm_query_slot_count is {}, and the queue {} has {} slots",
                                        statement.slots, queue.name, queue.slots));
  }
  const std::int32_t session = statement.session;
  statement.entered = now();
  statement.running = hurried;
  if (hurried) queue.used += statement.slots;
  // A list: the statement stays where it is.
  queue.statements.push_back(statement);
  QueuedStatement& mine = queue.statements.back();
  queue_of_[session] = queue_index;
  if (!hurried) admit(queue);
  const bool waits = !mine.running;
  while (!mine.running && !stopped()) changed_.wait(guard);
  if (!mine.running) {
    std::erase_if(queue.statements, of_session(session));
    queue_of_.erase(session);
    admit(queue);  // those behind may have waited for this one only
    return engine::fail_sql("57014", "canceling statement due to user request");
  }
  mine.started = waits ? now() : mine.entered;
  ++queue.served;
  return mine.started.value - mine.entered.value;
}

void QueryQueues::leave(std::int32_t session) {
  const std::lock_guard guard(mutex_);
  const auto where = queue_of_.extract(session);
  if (where.empty()) return;
  Queue& queue = queues_[where.mapped()];
  const auto found = std::ranges::find_if(queue.statements, of_session(session));
  queue.used -= found->slots;
  queue.statements.erase(found);
  admit(queue);
}

void QueryQueues::wake(std::int32_t session) {
  const std::lock_guard guard(mutex_);
  if (queue_of_.contains(session)) changed_.notify_all();
}

std::vector<QueueState> QueryQueues::list() const {
  const std::lock_guard guard(mutex_);
  std::vector<QueueState> states;
  for (const Queue& queue : queues_) {
    QueueState state{.service_class = queue.service_class,
                     .name = queue.name,
                     .slots = queue.slots,
                     .used = queue.used,
                     .served = queue.served};
    for (const bool running : {true, false}) {
      std::ranges::copy_if(queue.statements, std::back_inserter(state.statements),
                           [&](const QueuedStatement& each) { return each.running == running; });
    }
    states.push_back(std::move(state));
  }
  return states;
}

std::int32_t QueryQueues::service_class(std::size_t queue) const {
  return queues_[queue].service_class;
}

const std::string& QueryQueues::name(std::size_t queue) const {
  return queues_[queue].name;
}

}  // namespace leat::session
