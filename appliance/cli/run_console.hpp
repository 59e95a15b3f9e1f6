// SPDX-License-Identifier: Apache-2.0
// How a run shows itself on a terminal and in programs' pipes, for the verbs that run. Called from one thread; on a
// terminal a second one, its own, redraws ten times a second.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "appliance/cli/command.hpp"
#include "appliance/cli/run_view.hpp"
#include "appliance/run/live.hpp"

namespace stella::cli {

class RunConsole : public run::Listener {
 public:
  explicit RunConsole(Invocation& call) : call_(&call) {}
  RunConsole(const RunConsole&) = delete;
  RunConsole& operator=(const RunConsole&) = delete;
  ~RunConsole() override;
  void event(const journal::Event& event) override;
  void line(const std::string& step, std::string_view text) override;
  void note(const std::string& text) override;
  [[nodiscard]] bool wants_lines() const override;

  // From here on the run is drawn in place, where standard error is a terminal that can (not TERM=dumb, not --quiet).
  void begin(const run::Record& record);
  // The terminal is as it was before; plain lines from here on. For prompts and results.
  void end();

 private:
  void redraw();
  Invocation* call_;
  std::mutex mutex_;
  std::condition_variable wake_;
  const run::Record* record_ = nullptr;  // of the run that is drawn; it changes on the runner's thread only
  run::StepTally tally_;
  std::optional<RunView> view_;  // guarded by mutex_
  bool over_ = false;            // guarded by mutex_
  std::thread drawer_;
};

// RUN as --run or as a plain argument; ERR_USAGE when neither or both differ.
[[nodiscard]] std::string need_run(Invocation& call);
// What the runner is handed on this machine. The vault is asked for at the first secret; `secrets`, when it is not
// null, stands in for it.
[[nodiscard]] run::Tools tools_for(Invocation& call, journal::Journal& journal, RunConsole& console,
                                   std::unique_ptr<lease::Source> secrets);
// Prints the result and, where there is one, throws the outcome's error; gives 0 otherwise. `resumed`: what was told
// before a resume, as the result's `resume`; null: none.
int show_outcome(Invocation& call, const journal::Journal& journal, const run::Outcome& outcome,
                 const canon::Json& resumed = {});

}  // namespace stella::cli
