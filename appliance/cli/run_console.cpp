// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/run_console.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>

#include "appliance/cli/run_report.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/canon/members.hpp"

namespace stella::cli {
namespace {

using Clock = std::chrono::steady_clock;

RunView::Count count_of(const run::StepTally& tally) {
  return {.done = tally.done(), .failed = tally.failed(), .total = tally.total()};
}

void write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

// Asked at each drawing: no signal is needed to hear of a new size.
Size size_of_terminal() {
  struct winsize found {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &found) != 0 || found.ws_col == 0 || found.ws_row == 0) return {};
  return {found.ws_row, found.ws_col};
}

// A thread that no signal is delivered to: the runner's own thread is woken by them.
std::thread without_signals(std::function<void()> work) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(work));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

// What people are told of an event; empty: nothing.
std::string text_about(const journal::Event& event, const Output& out) {
  const std::string& type = event.type;
  if (type == "pack.run.started")
    return fmt::format("run {} (plan {})", event.run, canon::shown_in(event.data, "planHash"));
  if (type == "pack.run.resumed")
    return fmt::format("run {} goes on: attempt {}, {} steps reused", event.run, event.attempt,
                       event.data.at("reused").size());
  if (type == "pack.step.started") return out.strong(fmt::format("▶ {}", event.step));
  if (type == "pack.step.skipped") return fmt::format("- {} skipped: its `when` does not hold", event.step);
  if (type == "pack.step.retried")
    return fmt::format("↻ {} again, try {}", event.step, canon::shown_in(event.data, "try"));
  if (type == "pack.secret.leased")
    return fmt::format("  secret {} version {} leased to {}", canon::shown_in(event.data, "name"),
                       canon::shown_in(event.data, "version"), event.step);
  if (type == "pack.gate.approved")
    return out.good(fmt::format("✓ gate {} is open", canon::shown_in(event.data, "gate")));
  if (type == "pack.chaos.injected")
    return out.bad(fmt::format("chaos: {}{} until {}, by {}", canon::shown_in(event.data, "hook"),
                               event.step.empty() ? "" : " on " + event.step, canon::shown_in(event.data, "until"),
                               canon::shown_in(event.data, "by")));
  if (type == "pack.evidence.sealed")
    return fmt::format("evidence sealed: bag {} ({})", canon::shown_in(event.data, "number"),
                       canon::shown_in(event.data, "bag"));
  if (type != "pack.step.finished") return {};
  const std::string state = canon::shown_in(event.data, "state");
  if (state == "succeeded") return out.good(fmt::format("✓ {}", event.step));
  return out.bad(fmt::format("✗ {} {}: {}", event.step, state, canon::shown_in(event.data, "message")));
}

}  // namespace

RunConsole::~RunConsole() {
  end();
}

void RunConsole::begin(const run::Record& record) {
  const char* term = std::getenv("TERM");
  const bool able = term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
  if (!able || !call_->out().is_table() || call_->out().is_quiet() || ::isatty(STDERR_FILENO) != 1 ||
      drawer_.joinable())
    return;
  record_ = &record;
  tally_.follow(record);
  view_.emplace(call_->out(), write_all, Clock::now());
  view_->begin_at(count_of(tally_));
  over_ = false;
  drawer_ = without_signals([this] { redraw(); });
}

void RunConsole::redraw() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    view_->draw(size_of_terminal(), Clock::now());
    wake_.wait_for(lock, std::chrono::milliseconds(100), [this] { return over_; });
  }
  view_->close();
  view_.reset();
}

void RunConsole::end() {
  if (!drawer_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  wake_.notify_all();
  drawer_.join();
}

void RunConsole::event(const journal::Event& event) {
  if (call_->out().format() == Format::ndjson)
    return call_->out().event(canon::parse_json(event.line, fault::Code::internal, event.run));
  {
    const std::scoped_lock lock(mutex_);
    if (view_) {
      tally_.follow(*record_);
      tally_.take(event.type, event.step, event.data);
      view_->count(count_of(tally_));
      view_->event(event, Clock::now());
    }
  }
  const std::string text = text_about(event, call_->out());
  if (!text.empty()) note(text);
}

void RunConsole::line(const std::string& step, std::string_view text) {
  const std::scoped_lock lock(mutex_);
  if (view_) return view_->line(step, text);
  call_->out().note(fmt::format("{} | {}", step, text));
}

void RunConsole::note(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  if (view_) return view_->say(text);
  call_->out().note(text);
}

bool RunConsole::wants_lines() const {
  return call_->out().is_table() && !call_->out().is_quiet();
}

std::string need_run(Invocation& call) {
  const auto option = call.value("--run"), plain = call.value("RUN");
  if (option && plain && *option != *plain)
    throw fault::Error(fault::Code::usage, "run", "two runs were named", {}, "Name the run once.");
  if (option) return *option;
  if (plain) return *plain;
  throw fault::Error(fault::Code::usage, "run", "no run was named", {},
                     "Give --run RUN; `stella pack runs list` shows them.");
}

run::Tools tools_for(Invocation& call, journal::Journal& journal, RunConsole& console,
                     std::unique_ptr<lease::Source> secrets) {
  // std::function must be copyable; the source is handed out once.
  auto given = std::make_shared<std::unique_ptr<lease::Source>>(std::move(secrets));
  return {
      .home = &call.home(),
      .journal = &journal,
      .clock = &call.clock(),
      .listener = &console,
      .sandbox = [](const sandbox::Spec& spec, sandbox::Observer& observer) { return sandbox::run(spec, observer); },
      .open_secrets =
          [&call, &console, given] {
            if (*given) return std::move(*given);
            if (!call.has_passphrases()) console.end();  // a prompt may follow
            return lease::open_vault(call.home(), call.passphrases());
          }};
}

int show_outcome(Invocation& call, const journal::Journal& journal, const run::Outcome& outcome,
                 const canon::Json& resumed) {
  auto summary = summary_of(call, journal, outcome.row);
  if (!resumed.is_null()) summary["resume"] = resumed;
  if (call.out().is_table()) say_summary(call.out(), summary, call.clock().now(), Fold::large_groups);
  call.out().result(summary);
  if (outcome.error) throw *outcome.error;
  return 0;
}

}  // namespace stella::cli
