// SPDX-License-Identifier: Apache-2.0
// The page of one run and its parts. Pure functions from what the journal says to HTML; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "appliance/graph/fold.hpp"
#include "appliance/page/frame.hpp"
#include "appliance/page/log.hpp"

namespace stella::page {

struct PlanChange {  // as plan::diff gives it; what is absent was added or removed
  std::string place;
  std::optional<canon::Json> before, after;
};

struct RunView {
  // As `runs show` has it: run::summary_json with mayDecide, exported and hold.
  canon::Json summary;
  canon::Json plan;                      // the plan document
  std::vector<canon::Json> events = {};  // lines of the journal, oldest first
  std::int64_t events_before = 0;        // how many there are before them
  std::string compared_with = {};        // a run id; empty: there is none to compare with
  std::vector<PlanChange> changes = {};
  LogView log = {};
  std::optional<std::string> group = {};  // of which all members are shown, from `member` on; empty text: the top
  std::int64_t member = 0;
  bool as_graph = false;             // steps as a graph, without a script
  std::string cause = {}, fix = {};  // of the run's code
  clock::Time now{};
};
inline constexpr std::int64_t kMembersOfAPage = 100;

[[nodiscard]] std::string run_page(const Frame& frame, const RunView& view);

// The steps with what only later turns will bring, in plan order.
[[nodiscard]] std::vector<graph::Step> steps_of(const canon::Json& summary, const canon::Json& plan);
// What starts only after this gate: ids of the steps that need it, of the outermost ones only.
[[nodiscard]] std::vector<std::string> released_by(const std::vector<graph::Step>& steps, const std::string& gate_step);
// An event in words.
[[nodiscard]] std::string told(const canon::Json& event);

// Parts, in the order of the page.
[[nodiscard]] Html run_header(const Frame& frame, const RunView& view);
[[nodiscard]] Html gates(const Frame& frame, const RunView& view, const std::vector<graph::Step>& steps);
[[nodiscard]] Html blocked(const RunView& view);
[[nodiscard]] Html step_tree(const RunView& view, const std::vector<graph::Step>& steps, const graph::Entry& root);
[[nodiscard]] Html step_graph(const RunView& view, const graph::Entry& root);
[[nodiscard]] Html plan_part(const RunView& view);
[[nodiscard]] Html outputs_part(const RunView& view);
[[nodiscard]] Html evidence_part(const RunView& view);
[[nodiscard]] Html timeline_part(const RunView& view);

}  // namespace stella::page
