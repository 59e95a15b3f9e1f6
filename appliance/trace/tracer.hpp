// SPDX-License-Identifier: Apache-2.0
// A run's journal as spans: the root `taskrunner.run`, beneath it each attempt, beneath those each gate and step (a
// group's members beneath the group), beneath steps each try. One thread; memory: the spans that are open.
//
// Ids come from the run's id alone, so that whoever reads the same journal writes the same spans. What is still open at
// the last event ends there with the attribute `stella.open`.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "appliance/journal/journal.hpp"
#include "appliance/trace/span.hpp"

namespace stella::trace {

class Tracer {
 public:
  using Emit = std::function<void(Span&&)>;  // children before their parents, the root last
  Tracer(const journal::RunRow& run, Emit emit);
  void take(const journal::Event& event);  // in order
  void finish();                           // ends what is open, and gives the root

 private:
  Span begin(const std::string& part, const std::string& parent, const std::string& name, clock::Time at) const;
  void begin_attempt(const journal::Event& event);
  void end_attempt(clock::Time at);
  void take_of_run(const journal::Event& event);
  void take_of_step(const journal::Event& event);
  void take_of_gate(const journal::Event& event);
  void start_step(const journal::Event& event);
  void finish_try(const journal::Event& event);
  void end_step(const std::string& step, clock::Time at);
  void note(const journal::Event& event);
  [[nodiscard]] std::string parent_of(const std::string& step) const;
  [[nodiscard]] std::string part(const std::string& kind, const std::string& name) const;

  struct Step {
    Span span;
    std::string kind;
    Span tried{};  // the try under way; no id: none
  };
  std::string run_;
  Emit emit_;
  int number_ = 0;  // of the attempt
  Span root_, attempt_;
  std::map<std::string, Step> steps_{};
  std::map<std::string, Span> gates_{};
  clock::Time last_{};
};

// The whole trace of a run, a TracesData a line and at most 500 spans in each.
void write_trace(const journal::Journal& journal, const journal::RunRow& run,
                 const std::function<void(std::string_view)>& write);

}  // namespace stella::trace
