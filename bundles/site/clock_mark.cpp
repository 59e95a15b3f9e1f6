// SPDX-License-Identifier: Apache-2.0
#include "bundles/site/clock_mark.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::site {
namespace {

using fault::Code;
using fault::Error;
using std::chrono::milliseconds;

constexpr auto kBehind = std::chrono::minutes(5);
constexpr auto kAhead = std::chrono::hours(1);
constexpr auto kWriteEvery = std::chrono::minutes(1);
constexpr std::size_t kMaxConfirmed = 100;
constexpr std::int64_t kMaxMillis = std::int64_t{1} << 53;

struct Record {
  clock::Time highest{};
  std::string boot;
  milliseconds uptime{0};
  canon::Json confirmed = canon::Json::array();
};

std::string record_path(const files::Home& home) {
  return home.site() + "/clock.json";
}

std::optional<Record> load_record(const files::Home& home) {
  const std::string path = record_path(home);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 && errno == ENOENT) return std::nullopt;
  constexpr auto kCode = Code::clock_rollback;
  const canon::Json object =
      canon::parse_json(files::read_input(path, {.max_bytes = 1 << 20, .links = files::Links::refuse}), kCode, path);
  canon::Fields fields(object, kCode, "record", path);
  (void)fields.choice("schema", {"stella.clock.v1"});
  Record record;
  record.highest = clock::parse_time(fields.text("highest", 64), kCode, path);
  record.boot = fields.text("boot", 64);
  record.uptime = milliseconds(fields.integer("uptimeMillis", 0, kMaxMillis));
  record.confirmed = fields.array("confirmed", kMaxConfirmed);
  fields.finish();
  return record;
}

void store_record(const files::Home& home, const Record& record) {
  files::make_folders(home.site());
  files::write_atomically(record_path(home),
                          canon::pretty({{"schema", "stella.clock.v1"},
                                         {"highest", clock::format_millis(record.highest)},
                                         {"boot", record.boot},
                                         {"uptimeMillis", record.uptime.count()},
                                         {"confirmed", record.confirmed}}),
                          0600);
}

// Counts on while the machine sleeps and cannot be set.
milliseconds uptime() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return milliseconds(std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000);
}

std::string boot_id() {
  try {
    const files::Fd file =
        files::open_input("/proc/sys/kernel/random/boot_id", {.max_bytes = 64, .empty = files::Empty::allow});
    std::string id = files::read_stream(file.get(), 64, "boot_id");
    while (id.ends_with('\n')) id.pop_back();
    return id;
  } catch (const fault::Error&) {
    return {};  // without it every start looks like another boot, and only `behind` is noticed
  }
}

struct Judgement {
  std::string reason, sentence;
};

Judgement judge(const Record& record, clock::Time now) {
  if (now + kBehind < record.highest) {
    return {"behind", fmt::format("the clock says {}, but {} was seen already", clock::format(now),
                                  clock::format(record.highest))};
  }
  if (record.boot.empty() || record.boot != boot_id()) return {};
  const clock::Time expected = record.highest + (uptime() - record.uptime);
  if (now > expected + kAhead) {
    return {"ahead", fmt::format("the clock says {}, but since it was last seen only time for {} went by",
                                 clock::format(now), clock::format(expected))};
  }
  return {};
}

clock::Time trusted_time(const files::Home& home, const std::optional<Record>& record, clock::Time now) {
  if (!record) return now;
  const Judgement judgement = judge(*record, now);
  if (judgement.reason.empty()) return std::max(now, record->highest);
  throw Error(Code::clock_rollback, judgement.reason, judgement.sentence, record_path(home),
              "Set the clock right, or if it is right: stella site clock --confirm --reason TEXT");
}

}  // namespace

ClockMark look_at_clock(const files::Home& home, clock::Time now) {
  const std::optional<Record> record = load_record(home);
  if (!record) return {};
  return {record->highest, judge(*record, now).sentence};
}

clock::Time decide_by(const files::Home& home, clock::Time now) {
  return trusted_time(home, load_record(home), now);
}

clock::Time observe_clock(const files::Home& home, clock::Time now) {
  const std::optional<Record> record = load_record(home);
  const clock::Time decided = trusted_time(home, record, now);
  if (record && now < record->highest + kWriteEvery) return decided;
  Record next = record.value_or(Record{});
  next.highest = now;
  next.boot = boot_id();
  next.uptime = uptime();
  store_record(home, next);
  return decided;
}

void confirm_clock(const files::Home& home, clock::Time now, const std::string& reason, const std::string& by) {
  Record next = load_record(home).value_or(Record{now, {}, {}, canon::Json::array()});
  while (next.confirmed.size() >= kMaxConfirmed) next.confirmed.erase(next.confirmed.begin());
  next.confirmed.push_back(
      {{"at", clock::format(now)}, {"from", clock::format(next.highest)}, {"reason", reason}, {"by", by}});
  next.highest = now;
  next.boot = boot_id();
  next.uptime = uptime();
  store_record(home, next);
}

}  // namespace stella::site
