// SPDX-License-Identifier: Apache-2.0
// How a run that does not run goes on: the same attempt where it was interrupted, a new one where it has ended. One
// thread; the caller holds the run's lock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "appliance/run/live.hpp"

namespace stella::run {

struct ResumeWish {
  std::vector<std::string> rerun, fail;   // what to do with steps in flight when the runner died: full ids
  std::optional<clock::Duration> extend;  // more time for a gate
};

// What resuming would do, without doing it.
struct Prospect {
  bool new_attempt = false, new_plan = false;
  struct Row {
    std::string step, what, why;
  };  // what: reused, rerun, next, ask, fail
  std::vector<Row> steps;
  // What a person should know about a step that somebody must decide about.
  struct Left {
    std::string step;
    std::vector<std::string> printed, changed;  // the end of its log, redacted; files newer than its start
    std::size_t withheld = 0;  // such files of a step with secrets, whose names nobody has searched for them
  };
  std::vector<Left> in_flight;
};
// ERR_ARTIFACT_STORE reason `gone`: as altered_artifacts().
[[nodiscard]] Prospect foresee(const Record& record, const ResumeWish& wish);

// Journals what resuming means, so that go_on() can go on: pack.run.resumed (with the steps that are reused), the fate
// of steps in flight, more time. ERR_PACK_INTERRUPTED reason `unknown` when somebody must decide about a step first;
// ERR_USAGE reasons `state`, `step`; ERR_PACK_HASH_MISMATCH reason `asked` when the present policy gives another plan
// than the one asked for at submission; ERR_ARTIFACT_STORE reason `gone`. A plan that the policy changed is planned
// anew under a new attempt; so is one whose artifacts were altered while no gate had seen them.
void prepare_to_resume(Live& live, const ResumeWish& wish);

}  // namespace stella::run
