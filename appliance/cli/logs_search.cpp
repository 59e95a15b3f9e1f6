// SPDX-License-Identifier: Apache-2.0
// logs search: lines of all runs of the home, or their events, the newest first, in memory that grows with --limit
// only.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/log_query.hpp"
#include "appliance/cli/runs.hpp"
#include "appliance/run/expiry.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kUsualLimit = 1000, kMaxLimit = 100000, kMaxHeldBytes = 32 << 20, kMaxJsonBytes = 64 << 20,
                      kRowBytes = 1000, kAllRuns = 1000000;

enum class Order { newest_first, oldest_first };

std::size_t limit_of(Invocation& call) {
  const auto text = call.value("--limit");
  if (!text) return kUsualLimit;
  const bool is_number =
      !text->empty() && text->size() < 7 && text->find_first_not_of("0123456789") == std::string::npos;
  const std::size_t limit = is_number ? std::stoul(*text) : 0;
  if (limit == 0 || limit > kMaxLimit)
    throw Error(Code::usage, "limit", fmt::format("a limit is a number from 1 to {}", kMaxLimit), "--limit");
  return limit;
}

bool is_of_pack(const journal::RunRow& row, const std::string& asked) {
  return asked.empty() || row.pack == asked || row.pack + ":" + row.version == asked;
}

bool may_still_print(const journal::RunRow& row) {
  return row.state == "running" || row.state == "planned";
}

// The runs that may hold what is asked for, the newest first.
std::vector<journal::RunRow> runs_of(Invocation& call, const journal::Journal& journal,
                                     const std::optional<clock::Time>& since) {
  if (const auto run = call.value("--run")) return {journal.need(*run)};
  const std::string pack = call.value("--pack").value_or("");
  const std::string tenant = call.value("--tenant") ? call.tenant() : std::string();
  std::vector<journal::RunRow> runs = journal.list({.tenant = tenant, .limit = kAllRuns});
  std::erase_if(runs, [&](const journal::RunRow& row) {
    return !is_of_pack(row, pack) || (since && row.updated < *since && !may_still_print(row));
  });
  return runs;
}

struct Found {             // a line that is held until it is its turn
  std::string step, text;  // of an event: its line in the journal
  int number = 1;
  logs::Stream stream = logs::Stream::out;
  clock::Time at{};
  std::uint64_t line = 1;
};

class Search {
 public:
  explicit Search(Invocation& call)
      : call_(&call),
        step_(call.value("--step").value_or("")),
        since_(since_of(call)),
        pattern_(pattern_of(call)),
        order_(call.flag("--oldest-first") ? Order::oldest_first : Order::newest_first),
        left_(limit_of(call)),
        events_(call.flag("--events")),
        journal_(run::open_journal(call.home(), looking_time(call))) {}

  void run() {
    std::vector<journal::RunRow> runs = runs_of(*call_, journal_, since_);
    if (order_ == Order::oldest_first) std::reverse(runs.begin(), runs.end());
    for (const journal::RunRow& row : runs) {
      if (left_ == 0) {
        more_ = true;
        break;
      }
      ++searched_;
      search(row);
    }
  }
  [[nodiscard]] canon::Json result() const {
    canon::Json object = {{"runs", searched_}, {"lines", shown_}, {"truncated", more_}};
    if (call_->out().format() == Format::json) object["found"] = rows_;
    return object;
  }
  [[nodiscard]] bool is_truncated() const { return more_; }

 private:
  void search(const journal::RunRow& row) {
    held_.clear();
    held_bytes_ = 0;
    if (events_) {
      search_events(row);
    } else {
      search_text(row);
    }
    if (order_ == Order::newest_first) std::reverse(held_.begin(), held_.end());
    show_held(row);
  }

  void search_text(const journal::RunRow& row) {
    LogLines lines;
    const auto take = [this](const LogLine& line) { hold(line); };
    logs::Reader reader(row.folder + "/logs", {.since = since_});
    while (const auto piece = reader.next()) {
      if (!is_wanted(step_, piece->step)) continue;
      lines.add(*piece, take);
      if (order_ == Order::oldest_first) show_held(row);
      if (left_ == 0) return;
    }
    lines.finish(take);
  }

  void search_events(const journal::RunRow& row) {
    journal_.for_each_event(row.id, 0, [&](const journal::Event& event) {
      if (!is_wanted(step_, event.step) || (since_ && event.at < *since_)) return;
      if (order_ == Order::newest_first || held_.size() <= left_)
        hold({event.step, 0, logs::Stream::out, event.at, static_cast<std::uint64_t>(event.seq), event.line});
    });
  }

  void hold(const LogLine& line) {
    if (pattern_ && !matches_line(*pattern_, line.text)) return;
    held_.push_back({std::string(line.step), std::string(line.text), line.number, line.stream, line.at, line.line});
    held_bytes_ += line.text.size();
    // Of the newest, only as many as may still be shown; of the oldest, those are shown at once.
    while (order_ == Order::newest_first && (held_.size() > left_ || held_bytes_ > kMaxHeldBytes)) {
      held_bytes_ -= held_.front().text.size();
      held_.pop_front();
      more_ = true;
    }
  }

  void show_held(const journal::RunRow& row) {
    const LogPlace place(row);
    for (const Found& one : held_) {
      if (left_ == 0) {
        more_ = true;
        break;
      }
      --left_;
      show(place, one);
    }
    held_.clear();
  }

  void show(const LogPlace& place, const Found& one) {
    ++shown_;
    if (call_->out().is_table())
      return call_->out().raw(fmt::format("{} {} {} | {}\n", clock::format_millis(one.at), place.run,
                                          one.step.empty() ? "-" : one.step, shown_line(text_of(one))));
    canon::Json row = events_ ? event_row(place, one) : line_row(place, one);
    if (call_->out().format() == Format::json) {
      json_bytes_ += one.text.size() + kRowBytes;
      rows_.push_back(std::move(row));
      if (json_bytes_ > kMaxJsonBytes) {  // one object has to be held whole; ndjson has no such end
        left_ = 0;
        more_ = true;
      }
    } else {
      call_->out().event(row);
    }
  }

  [[nodiscard]] std::string text_of(const Found& one) const {
    if (!events_) return one.text;
    const canon::Json event = canon::parse_json(one.text, Code::journal_tampered, "journal");
    return fmt::format("{} {}", event.value("type", ""), canon::canonical(event.value("data", canon::Json::object())));
  }
  canon::Json line_row(const LogPlace& place, const Found& one) {
    canon::Json row = log_row(place, {one.step, one.number, one.stream, one.at, one.line, one.text});
    row["attempt"] = attempt_of(place.run, one.step, one.number);
    return row;
  }
  static canon::Json event_row(const LogPlace& place, const Found& one) {
    canon::Json row = canon::parse_json(one.text, Code::journal_tampered, place.run);
    for (const char* name : {"prev", "run", "step"}) row.erase(name);
    row["runId"] = place.run;
    row["packId"] = place.pack;
    row["tenant"] = place.tenant;
    row["stepId"] = one.step;
    return row;
  }

  // Of the run, from its journal; read once a run, at its first line.
  int attempt_of(const std::string& run, const std::string& step, int number) {
    if (run != attempts_of_) {
      attempts_.clear();
      attempts_of_ = run;
      journal_.for_each_event(run, 0, [&](const journal::Event& event) {
        if (event.type == "pack.step.started") attempts_[{event.step, event.data.value("try", 1)}] = event.attempt;
      });
    }
    const auto found = attempts_.find({step, number});
    return found == attempts_.end() ? 1 : found->second;
  }

  Invocation* call_;
  std::string step_;
  std::optional<clock::Time> since_;
  std::unique_ptr<re2::RE2> pattern_;
  Order order_;
  std::size_t left_;
  bool events_;
  journal::Journal journal_;
  std::deque<Found> held_{};
  std::size_t held_bytes_ = 0, json_bytes_ = 0;
  std::size_t searched_ = 0, shown_ = 0;
  bool more_ = false;
  canon::Json rows_ = canon::Json::array();
  std::string attempts_of_;
  std::map<std::pair<std::string, int>, int> attempts_;
};

int search_logs(Invocation& call) {
  Search search(call);
  search.run();
  if (search.is_truncated())
    call.out().note("there is more: raise --limit, or narrow it with --since, --run or --grep");
  call.out().result(search.result());
  return 0;
}

}  // namespace

std::vector<Command> logs_commands() {
  return {{{"logs", "search"},
           "lines of all runs' logs, the newest first",
           "stella logs search --pack firmware-rollout --since 24h --grep 'error|refused'",
           {},
           {{"--run", "RUN", "only this run", false, false, false},
            {"--pack", "NAME[:VERSION]", "only runs of this pack", false, false, false},
            {"--step", "STEP", "only this step, or all that a map or loop of this name holds", false, false, false},
            {"--since", "TIME", "only what was written then and later: an RFC 3339 time, or how long ago (10m)", false,
             false, false},
            {"--grep", "PATTERN", "only lines that match this RE2 pattern", false, false, false},
            {"--limit", "N", "at most so many lines (default 1000, at most 100000)", false, false, false},
            {"--events", "", "the journals' events instead of what steps wrote", false, false, false},
            {"--oldest-first", "", "in the order in which they were written", false, false, false}},
           search_logs}};
}

}  // namespace stella::cli
