// SPDX-License-Identifier: Apache-2.0
#include "appliance/page/run.hpp"

#include <fmt/format.h>

namespace stella::page {
namespace {

using markup::element;

Html steps_panel(const RunView& view, const std::vector<graph::Step>& steps) {
  const graph::Entry root = graph::fold(steps);
  const std::string run = run_path(text_of(view.summary, "runId"));
  return element("section", {{"id", "steps"}, {"class", "steps-panel"}, {"aria-labelledby", "steps-title"}},
                 element("div", {{"class", "panel-head"}}, element("h2", {{"id", "steps-title"}}, "Steps"),
                         element("a",
                                 {{"id", "as-graph"},
                                  {"class", "button quiet"},
                                  {"href", run + (view.as_graph ? "#steps" : "?view=graph#steps")},
                                  {"title", "Tree or graph (d)"}},
                                 view.as_graph ? "Tree" : "Graph")),
                 step_tree(view, steps, root), step_graph(view, root));
}

Html tabs() {
  Html links;
  for (const auto& [id, name] : {std::pair{"plan", "Plan"}, std::pair{"outputs", "Outputs"},
                                 std::pair{"evidence", "Evidence"}, std::pair{"timeline", "Timeline"}})
    links += element("a", {{"href", fmt::format("#{}", id)}, {"data-tab", id}}, name);
  return element("nav", {{"class", "tabs"}, {"aria-label", "Parts of the run"}}, links);
}

}  // namespace

std::string run_page(const Frame& frame, const RunView& view) {
  const std::vector<graph::Step> steps = steps_of(view.summary, view.plan);
  const std::string run = text_of(view.summary, "runId"), state = text_of(view.summary, "state");
  // What the script brings up to date is `live`; the log beside it is the script's own.
  Html content = element(
      "div",
      {{"id", "live"},
       {"data-live", "run"},
       {"data-run", run},
       {"data-state", state},
       {"data-events", "/task-runner/runs/" + markup::url_part(run) + "/events"},
       {"data-logs", "/task-runner/runs/" + markup::url_part(run) + "/logs"}},
      element("div", {{"id", "top"}}, run_header(frame, view), gates(frame, view, steps), blocked(view)),
      element("div", {{"class", "work"}}, steps_panel(view, steps), log_panel(view.log)), tabs(),
      element("div", {{"id", "parts"}}, plan_part(view), outputs_part(view), evidence_part(view), timeline_part(view)));
  return framed(frame, {.title = text_of(view.summary, "pack", 200) + " " + state, .kind = "run", .content = content});
}

}  // namespace stella::page
