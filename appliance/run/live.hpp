// SPDX-License-Identifier: Apache-2.0
// A run while its runner has it: what the runner was handed, and the one way by which it says what happened (journal
// first, then the record in memory, then whoever listens). One thread.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/logs/writer.hpp"
#include "appliance/run/record.hpp"
#include "appliance/run/step_index.hpp"
#include "appliance/run/tally.hpp"
#include "appliance/sandbox/step.hpp"
#include "bundles/fault/error.hpp"

namespace stella::run {

class Listener {  // a person's terminal, or a program's pipe
 public:
  virtual ~Listener() = default;
  virtual void event(const journal::Event& event) = 0;
  virtual void line(const std::string& step, std::string_view text) = 0;  // redacted and printable, without newline
  // False: nobody reads lines, so none are made. Any thread; stays what it is.
  [[nodiscard]] virtual bool wants_lines() const { return true; }
  virtual void note(const std::string& text) = 0;
};

struct Tools {
  const files::Home* home;
  journal::Journal* journal;
  const clock::Clock* clock;
  Listener* listener;
  std::function<sandbox::Result(const sandbox::Spec&, sandbox::Observer&)> sandbox;
  std::function<std::unique_ptr<lease::Source>()> open_secrets;  // called once, when the first step wants one
};

struct Choices {
  bool wait = false;       // poll a closed gate instead of ending
  bool fail_fast = false;  // end a step at its first blocked attempt
  std::chrono::milliseconds poll{500};
  std::optional<clock::Duration> extend;  // of the next gate's time
  std::string who;                        // the operator
  canon::Json via = {};                   // by what they asked (journal/via.hpp)
};

struct Outcome {
  journal::RunRow row;
  std::optional<fault::Error> error;  // why it is not `succeeded`; its exit status is the run's
};

class Live {
 public:
  Live(Tools tools, Record& record, Choices choices);
  [[nodiscard]] Record& record() noexcept { return *record_; }
  [[nodiscard]] const Progress& progress() const noexcept { return record_->progress; }
  [[nodiscard]] const plan::Plan& plan() const noexcept { return *record_->plan; }
  // The steps by id and by group; follow_steps() takes in the turns that were made since.
  [[nodiscard]] const StepIndex& index() const noexcept { return index_; }
  void follow_steps() { index_.follow(*record_); }
  [[nodiscard]] const std::string& id() const noexcept { return record_->row.id; }
  [[nodiscard]] const std::string& folder() const noexcept { return record_->row.folder; }
  [[nodiscard]] const Choices& choices() const noexcept { return choices_; }
  [[nodiscard]] const Tools& tools() const noexcept { return tools_; }
  [[nodiscard]] clock::Time now() const { return tools_.clock->now(); }
  [[nodiscard]] lease::Source& secrets();
  // The run's log, opened at the first call; the Writer itself may be used by the lanes' threads too.
  [[nodiscard]] logs::Writer& logs();

  // Durable when it returns, with all that was added, and printed, before: events name digests of it.
  void say(std::vector<journal::NewEvent> events, const journal::RunChange& change = {});
  // Progress knows it at once; durable, and told to the listener, with the next commit() or say(). Not for what changes
  // the attempt, nor for gates that begin to wait.
  void add(journal::NewEvent event);
  void commit();  // nothing is lost when it throws: it may be called again
  [[nodiscard]] std::size_t uncommitted() const noexcept { return added_.size(); }
  // Takes in what other processes have said about this run since.
  void refresh();
  // The same where something has been written since the last time; cheap enough for every turn.
  void hear_others();

 private:
  void take(const std::vector<journal::Event>& events);
  void append(const std::vector<journal::NewEvent>& events, const journal::RunChange& change, std::size_t known);
  [[nodiscard]] journal::RunChange counted(const std::vector<journal::NewEvent>& events, journal::RunChange change);
  Tools tools_;
  Record* record_;
  Choices choices_;
  std::unique_ptr<lease::Source> secrets_;
  std::optional<logs::Writer> logs_;
  StepIndex index_;
  StepTally tally_;
  std::int64_t heard_ = -1;  // the journal's version
  std::vector<journal::NewEvent> added_;
};

[[nodiscard]] inline journal::NewEvent event_of(std::string type, canon::Json data, std::string step = {}) {
  return {std::move(type), std::move(step), std::move(data)};
}
// The change of the row that an error brings.
[[nodiscard]] journal::RunChange change_to(const std::string& state, const fault::Error& error);

}  // namespace stella::run
