// What every benchmark measures with: CPU time and medians. For programs of bench/ only.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace leat::bench {

/// Of an odd or even number of values; 0 of none.
inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

inline double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}
inline double thread_cpu_us() {
  return seconds_of(CLOCK_THREAD_CPUTIME_ID) * 1e6;
}
/// Of all threads.
inline double process_cpu_us() {
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID) * 1e6;
}

/// CPU seconds that all threads together use while `work` runs.
template <class Work>
double cpu_seconds(Work&& work) {
  const double start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  work();
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start;
}

/// Ends the program with the error when there is one.
template <class T>
void require(const T& result, std::string_view what) {
  if (result) return;
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(what.size()), what.data(),
               result.error().message.c_str());
  std::exit(1);
}

}  // namespace leat::bench
