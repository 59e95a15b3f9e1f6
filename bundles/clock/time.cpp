// SPDX-License-Identifier: Apache-2.0
#include "bundles/clock/time.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>

namespace stella::clock {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }
};

struct Parts {
  int year;
  unsigned month, day;
  std::int64_t hour, minute, second, millis;
};

Parts split(Time time) {
  const auto midnight = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{midnight};
  const auto rest = (time - midnight).count();
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          rest / 3600000,
          rest / 60000 % 60,
          rest / 1000 % 60,
          rest % 1000};
}

// Digits only, exactly `count` of them; -1 when they are not there.
int digits(std::string_view text, std::size_t from, std::size_t count) {
  if (text.size() < from + count) return -1;
  int value = 0;
  for (const char c : text.substr(from, count)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

constexpr std::int64_t kDayMillis = 86400000;
constexpr std::int64_t kMaxMillis = kDayMillis * 36525;

std::int64_t unit_millis(char unit, bool in_time, bool short_form) {
  switch (unit) {
    case 'Y':
      return !in_time && !short_form ? kDayMillis * 365 : 0;
    case 'W':
      return !in_time && !short_form ? kDayMillis * 7 : 0;
    case 'D':
      return !in_time && !short_form ? kDayMillis : 0;
    case 'H':
      return in_time && !short_form ? 3600000 : 0;
    case 'M':
      return in_time && !short_form ? 60000 : 0;
    case 'S':
      return in_time && !short_form ? 1000 : 0;
    case 'd':
      return short_form ? kDayMillis : 0;
    case 'h':
      return short_form ? 3600000 : 0;
    case 'm':
      return short_form ? 60000 : 0;
    case 's':
      return short_form ? 1000 : 0;
    default:
      return 0;
  }
}

// Milliseconds, or -1.
std::int64_t duration_millis(std::string_view text) {
  const bool short_form = text.empty() || text.front() != 'P';
  if (short_form && text.size() > 2 && text.ends_with("ms")) {
    const int value = text.size() <= 11 ? digits(text, 0, text.size() - 2) : -1;
    return value;
  }
  bool in_time = false;
  std::int64_t total = 0, last_unit = kMaxMillis + 1;
  std::size_t i = short_form ? 0 : 1;
  bool any = false;
  while (i < text.size()) {
    if (!short_form && text[i] == 'T' && !in_time) {
      in_time = true;
      ++i;
      if (i == text.size()) return -1;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    if (end == i || end - i > 9 || end == text.size()) return -1;
    const std::int64_t unit = unit_millis(text[end], in_time, short_form);
    if (unit == 0 || unit >= last_unit || (short_form && any)) return -1;
    total += static_cast<std::int64_t>(digits(text, i, end - i)) * unit;
    if (total > kMaxMillis) return -1;
    last_unit = unit;
    any = true;
    i = end + 1;
  }
  return any ? total : -1;
}

}  // namespace

const Clock& system_clock() noexcept {
  static const SystemClock clock;
  return clock;
}

std::string format(Time time) {
  const Parts p = split(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", p.year, p.month, p.day, p.hour, p.minute, p.second);
}

std::string format_millis(Time time) {
  const Parts p = split(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", p.year, p.month, p.day, p.hour, p.minute, p.second,
                     p.millis);
}

std::string format_compact(Time time) {
  const Parts p = split(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}{:03}Z", p.year, p.month, p.day, p.hour, p.minute, p.second,
                     p.millis);
}

Time parse_time(std::string_view text, fault::Code code, const std::string& at) {
  const fault::Error bad(code, "time", fmt::format("not a UTC time like 2026-11-23T16:54:33Z: {}", text.substr(0, 40)),
                         at);
  if (text.size() < 20 || text.size() > 24 || text.back() != 'Z') throw bad;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') throw bad;
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  int millis = 0;
  if (text.size() > 20) {
    const std::size_t count = text.size() - 21;
    if (text[19] != '.' || count < 1 || count > 3) throw bad;
    millis = digits(text, 20, count);
    if (millis < 0) throw bad;
    for (std::size_t i = count; i < 3; ++i) millis *= 10;
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (year < 1970 || month < 0 || day < 0 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 59) {
    throw bad;
  }
  return Time{std::chrono::sys_days{date}} + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + milliseconds(millis);
}

Duration parse_duration(std::string_view text, fault::Code code, const std::string& at) {
  const std::int64_t millis = duration_millis(text);
  if (millis < 0) {
    throw fault::Error(code, "duration", fmt::format("not a duration like PT30M, P30D or 30s: {}", text.substr(0, 40)),
                       at);
  }
  return Duration{millis};
}

std::string format_duration(Duration duration) {
  const std::int64_t ms = duration.count();
  if (ms < 0) return "-" + format_duration(-duration);
  if (ms < 1000) return fmt::format("{} ms", ms);
  const std::int64_t seconds = ms / 1000;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600)
    return seconds % 60 ? fmt::format("{} m {} s", seconds / 60, seconds % 60) : fmt::format("{} m", seconds / 60);
  const std::int64_t minutes = seconds / 60;
  if (minutes < 1440)
    return minutes % 60 ? fmt::format("{} h {} m", minutes / 60, minutes % 60) : fmt::format("{} h", minutes / 60);
  const std::int64_t hours = minutes / 60;
  return hours % 24 ? fmt::format("{} d {} h", hours / 24, hours % 24) : fmt::format("{} d", hours / 24);
}

}  // namespace stella::clock
