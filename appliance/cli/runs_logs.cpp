// SPDX-License-Identifier: Apache-2.0
// pack runs logs: what the steps of a run wrote.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/run_console.hpp"
#include "appliance/cli/runs.hpp"
#include "appliance/run/expiry.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/fd.hpp"

namespace stella::cli {
namespace {

using fault::Code;
using fault::Error;

// One try's log, read from where the last look ended.
class Tail {
 public:
  Tail(std::string step, const std::string& path) : step_(std::move(step)), path_(path) {}

  void print(Output& out, bool raw) {
    if (!fd_) fd_ = files::Fd(::open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd_) return;  // the step was started, its log not yet made
    char block[65536];
    for (ssize_t got; (got = ::read(fd_.get(), block, sizeof block)) > 0;)
      take({block, static_cast<std::size_t>(got)}, out, raw);
  }
  void finish(Output& out) {
    if (!held_.empty()) show(out, held_);
    held_.clear();
  }

 private:
  void take(std::string_view bytes, Output& out, bool raw) {
    if (raw) return out.raw(bytes);
    held_ += bytes;
    std::size_t start = 0;
    for (std::size_t end; (end = held_.find('\n', start)) != std::string::npos; start = end + 1)
      show(out, std::string_view(held_).substr(start, end - start));
    held_.erase(0, start);
  }
  // A tab between words is what it is; everything else that could steer a terminal is written out.
  void show(Output& out, std::string_view line) const {
    std::string shown;
    for (std::size_t from = 0; from <= line.size();) {
      const std::size_t tab = std::min(line.find('\t', from), line.size());
      shown += canon::printable(line.substr(from, tab - from), 16384);
      if (tab < line.size()) shown += '\t';
      from = tab + 1;
    }
    out.raw(fmt::format("{} | {}\n", step_, shown));
  }

  std::string step_, path_;
  files::Fd fd_;
  std::string held_;
};

// Follows the tries in the order of their starts; the last one that is not finished is looked at again and again.
class Logs {
 public:
  Logs(Invocation& call, const journal::Journal& journal, journal::RunRow row)
      : call_(&call), journal_(&journal), row_(std::move(row)) {
    step_ = call.value("--step").value_or("");
  }

  bool look() {  // true while the run runs
    const bool runs = is_moving();
    for (const auto& event : journal_->events(row_.id, seen_)) {
      seen_ = event.seq;
      const bool wanted = step_.empty() || event.step == step_;
      if (event.type == "pack.step.started" && wanted) begin(event);
      if (event.type == "pack.step.finished" && wanted) end();
    }
    if (current_) current_->print(call_->out(), call_->flag("--raw"));
    return runs;
  }
  void finish() { end(); }
  [[nodiscard]] const canon::Json& tries() const { return tries_; }

 private:
  bool is_moving() const {
    const std::string state = journal_->need(row_.id).state;
    return state == "running" || state == "planned";
  }
  void begin(const journal::Event& event) {
    end();
    const auto log = event.data.find("log");
    if (log == event.data.end() || !log->is_string()) return;
    tries_.push_back({{"step", event.step},
                      {"try", event.data.value("try", 0)},
                      {"path", row_.folder + "/" + log->get<std::string>()}});
    if (call_->out().is_table()) current_.emplace(event.step, row_.folder + "/" + log->get<std::string>());
  }
  void end() {
    if (!current_) return;
    current_->print(call_->out(), call_->flag("--raw"));
    current_->finish(call_->out());
    current_.reset();
  }

  Invocation* call_;
  const journal::Journal* journal_;
  journal::RunRow row_;
  std::string step_;
  std::int64_t seen_ = 0;
  std::optional<Tail> current_;
  canon::Json tries_ = canon::Json::array();
};

void require_step(const journal::Journal& journal, const std::string& run, const std::string& step) {
  std::vector<std::string> known;
  for (const auto& event : journal.events(run)) {
    if (event.step == step) return;
    if (event.type == "pack.step.started") known.push_back(event.step);
  }
  const auto guess = canon::nearest(step, known);
  throw Error(Code::usage, "step",
              fmt::format("no step `{}` has run in {}{}", canon::printable(step, 80), run,
                          guess ? fmt::format(", did you mean `{}`?", *guess) : ""),
              run, fmt::format("Steps with logs: {}.", fmt::join(known, ", ")));
}

int show_logs(Invocation& call) {
  const std::string id = need_run(call);
  const auto journal = run::open_journal(call.home(), looking_time(call));
  const bool follow = call.flag("--follow");
  if (const auto step = call.value("--step"); step && !follow) require_step(journal, id, *step);
  Logs logs(call, journal, journal.need(id));
  while (logs.look() && follow) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  logs.finish();
  call.out().result({{"runId", id}, {"logs", logs.tries()}});
  return 0;
}

}  // namespace

Command runs_logs_command() {
  return {{"pack", "runs", "logs"},
          "what a run's steps wrote, secrets redacted",
          "stella pack runs logs run:plant-7:20261123T165433120Z --step verify",
          {kRunArgument},
          {kRunOption,
           {"--step", "STEP", "only this step", false, false, false},
           {"--follow", "", "go on while the run runs", false, false, false},
           {"--raw", "", "the bytes as they are: control characters are not escaped", false, false, false}},
          show_logs};
}

}  // namespace stella::cli
