// SPDX-License-Identifier: Apache-2.0
// pack runs logs: what a run's steps wrote, from its chunk files, also while it runs. Nothing is served: any process
// that may read the home may look.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/log_lines.hpp"
#include "appliance/cli/log_query.hpp"
#include "appliance/cli/run_console.hpp"
#include "appliance/cli/runs.hpp"
#include "appliance/journal/holder.hpp"
#include "appliance/run/expiry.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMaxShown = 10000;
constexpr auto kLookEvery = std::chrono::milliseconds(200);
constexpr int kLooksWithoutRunner = 10;  // a run that was just submitted has none for a moment

struct Tries {  // what the journal says has run
  std::vector<std::string> steps;
  std::vector<std::pair<std::string, std::int64_t>> all;
};

Tries tries_of(const journal::Journal& journal, const std::string& run) {
  Tries tries;
  journal.for_each_event(run, 0, [&](const journal::Event& event) {
    if (event.type != "pack.step.started" || event.step.empty()) return;
    if (std::find(tries.steps.begin(), tries.steps.end(), event.step) == tries.steps.end() && tries.steps.size() < 64)
      tries.steps.push_back(event.step);
    tries.all.emplace_back(event.step, event.data.value("try", std::int64_t{0}));
  });
  return tries;
}

class Logs {
 public:
  Logs(Invocation& call, const journal::Journal& journal, const journal::RunRow& row, Tries tries)
      : call_(&call),
        journal_(&journal),
        run_(row.id),
        place_(row),
        asked_(call.value("--step").value_or("")),
        pattern_(pattern_of(call)),
        tries_(std::move(tries)) {
    // One step's own text is found by the index; a group's is picked out of all.
    const bool exact = std::none_of(tries_.all.begin(), tries_.all.end(), [&](const auto& one) {
      return one.first != asked_ && is_wanted(asked_, one.first);
    });
    reader_.emplace(row.folder + "/logs", logs::Query{.step = exact ? asked_ : std::string(), .since = since_of(call)});
  }

  // All that is there now.
  void look() {
    while (const auto piece = reader_->next()) {
      if (!is_wanted(asked_, piece->step)) continue;
      if (raw_ && !pattern_) {
        call_->out().raw(piece->bytes);
        continue;
      }
      lines_.add(*piece, [this](const LogLine& line) { take(line); });
      print();
    }
  }
  void finish() {
    lines_.finish([this](const LogLine& line) { take(line); });
    print();
  }
  // True while its runner has it.
  [[nodiscard]] bool is_moving() const {
    const std::string state = journal_->need(run_).state;
    return state == "running" || state == "planned";
  }
  [[nodiscard]] canon::Json result() const {
    canon::Json made = canon::Json::array();
    for (const auto& [step, number] : tries_of(*journal_, run_).all) {
      if (is_wanted(asked_, step)) made.push_back({{"step", step}, {"try", number}});
    }
    canon::Json object = {{"runId", run_}, {"state", journal_->need(run_).state}, {"logs", std::move(made)}};
    if (call_->out().format() == Format::json) {
      object["lines"] = kept_;
      object["truncated"] = more_;
    }
    return object;
  }

 private:
  void take(const LogLine& line) {
    if (pattern_ && !matches_line(*pattern_, line.text)) return;
    if (raw_) {
      text_ += fmt::format("{}\n", line.text);
    } else if (call_->out().is_table()) {
      text_ += fmt::format("{} | {}\n", line.step, shown_line(line.text));
    } else {
      show_row(line);
    }
  }
  void show_row(const LogLine& line) {
    if (call_->out().format() == Format::json && kept_.size() >= kMaxShown) {
      more_ = true;
      return;
    }
    const canon::Json row = log_row(place_, line);
    if (call_->out().format() == Format::json) {
      kept_.push_back(row);
    } else {
      call_->out().event(row);
    }
  }
  void print() {
    if (!text_.empty()) call_->out().raw(text_);
    text_.clear();
  }

  Invocation* call_;
  const journal::Journal* journal_;
  std::string run_;
  LogPlace place_;
  std::string asked_;
  std::unique_ptr<re2::RE2> pattern_;
  bool raw_ = call_->flag("--raw") && call_->out().is_table();
  Tries tries_;
  std::optional<logs::Reader> reader_;
  LogLines lines_;
  std::string text_;
  canon::Json kept_ = canon::Json::array();
  bool more_ = false;
};

void require_step(const Tries& tries, const std::string& run, const std::string& step) {
  for (const auto& one : tries.all) {
    if (is_wanted(step, one.first)) return;
  }
  const auto guess = canon::nearest(step, tries.steps);
  throw Error(Code::usage, "step",
              fmt::format("no step `{}` has run in {}{}", canon::printable(step, 80), run,
                          guess ? fmt::format(", did you mean `{}`?", *guess) : ""),
              run, fmt::format("Steps with logs: {}.", fmt::join(tries.steps, ", ")));
}

void follow(Invocation& call, const journal::Journal& journal, Logs& logs, const std::string& run) {
  // Looked at in this order, so that nothing is missed that was written before the end.
  int alone = 0;
  for (bool moving = true; moving;) {
    alone = journal::find_runner(journal.need(run)) ? 0 : alone + 1;
    moving = logs.is_moving() && alone < kLooksWithoutRunner;
    logs.look();
    if (moving) std::this_thread::sleep_for(kLookEvery);
  }
  const journal::RunRow row = journal.need(run);
  if (logs.is_moving())
    return call.out().note(
        fmt::format("no process runs {}: it was interrupted; `stella pack runs resume --run {}` goes on", run, run));
  const bool waits = row.state == "waiting" || row.state == "paused";
  call.out().note(waits ? fmt::format("{} is {}: `stella pack runs show {}` says what is next", run, row.state, run)
                        : fmt::format("{} has ended: {}", run, row.state));
}

int show_logs(Invocation& call) {
  const std::string id = need_run(call);
  const auto journal = run::open_journal(call.home(), looking_time(call));
  const auto row = journal.need(id);
  const bool live = call.flag("--follow");
  Tries tries = tries_of(journal, id);
  if (const auto step = call.value("--step"); step && !live) require_step(tries, id, *step);
  Logs logs(call, journal, row, std::move(tries));
  if (live) {
    follow(call, journal, logs, id);
  } else {
    logs.look();
  }
  logs.finish();
  call.out().result(logs.result());
  return 0;
}

}  // namespace

Command runs_logs_command() {
  return {{"pack", "runs", "logs"},
          "what a run's steps wrote, secrets redacted",
          "stella pack runs logs run:plant-7:20261123T165433120Z --step verify --since 10m --grep 'error|warn'",
          {kRunArgument},
          {kRunOption,
           {"--step", "STEP", "only this step, or all that a map or loop of this name holds", false, false, false},
           {"--follow", "", "go on until the run ends or waits", false, false, false},
           {"--since", "TIME", "only what was written then and later: an RFC 3339 time, or how long ago (10m)", false,
            false, false},
           {"--grep", "PATTERN", "only lines that match this RE2 pattern", false, false, false},
           {"--raw", "", "the bytes as they are: no step names, control characters not escaped", false, false, false}},
          show_logs};
}

}  // namespace stella::cli
