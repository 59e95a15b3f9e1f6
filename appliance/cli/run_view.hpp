// SPDX-License-Identifier: Apache-2.0
// A run on a terminal: a line for how far it is, one for each chaos hook that is active, one for each step that runs or
// gate that waits, log lines scrolling above. It is told what happens and draws when it is asked to. Not for several
// threads at once.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/cli/output.hpp"
#include "appliance/cli/screen.hpp"
#include "appliance/journal/journal.hpp"

namespace stella::cli {

class RunView {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  struct Count {  // of steps of work: run::StepTally
    std::size_t done = 0, failed = 0, total = 0;
  };
  // `colours` says only whether there is colour.
  RunView(const Output& colours, Screen::Sink sink, Moment start);
  void begin_at(Count count);  // what was done before now says nothing about the speed
  void count(Count count) { count_ = count; }

  void event(const journal::Event& event, Moment now);
  void line(const std::string& step, std::string_view text);  // the last one of a step stands behind its name
  void say(std::string text);                                 // scrolls above
  void draw(Size size, Moment now);                           // also writes what was said since
  void close();                                               // the block goes, what was said stays

 private:
  struct Row {
    std::string step, last;
    Moment since;
    bool gate = false;
  };
  struct Hook {
    std::string what;
    Moment until;
  };
  void injected(const journal::Event& event, Moment now);
  void started(const journal::Event& event, Moment now);
  void remove(const std::string& step);
  [[nodiscard]] std::string head(Size size, Moment now) const;
  [[nodiscard]] std::string row_text(const Row& row, Size size, Moment now) const;

  const Output* colours_;
  Screen screen_;
  Moment start_;
  Count count_;
  std::size_t done_before_ = 0;
  std::vector<Row> rows_;  // in the order of their starts
  std::vector<Hook> hooks_;
  std::vector<std::string> said_;
};

}  // namespace stella::cli
