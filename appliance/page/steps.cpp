// SPDX-License-Identifier: Apache-2.0
// The steps of a run as a tree and as a graph; large groups as their counts.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "appliance/graph/layout.hpp"
#include "appliance/page/run.hpp"

namespace stella::page {
namespace {

using canon::Json;
using markup::Attribute;
using markup::element;
using markup::url_part;

// The end of a turn's step without its turn: `one` of flash[3]::one.
std::string short_name(const std::string& id) {
  const std::size_t at = id.rfind("::");
  return at == std::string::npos ? id : id.substr(at + 2);
}

std::string detail_of(const Json& row) {
  std::string text;
  const auto add = [&](const std::string& one) { text += (text.empty() ? "" : " · ") + one; };
  if (row.contains("elapsedMs") && text_of(row, "state") != "waiting")
    add(span_text(clock::Duration(number_of(row, "elapsedMs"))));
  if (const std::int64_t tries = number_of(row, "attempts"); tries > 1) add(fmt::format("{} tries", tries));
  const std::string reason = text_of(row, "reason", 60), state = text_of(row, "state");
  if (!reason.empty() && state != "skipped")
    add(reason == "exit" ? fmt::format("exit {}", number_of(row, "exit")) : reason);
  return text;
}

std::string counts_text(const graph::Counts& counts) {
  std::string text = fmt::format("{}/{} done", counts.done, counts.all);
  if (counts.failed > 0) text += fmt::format(", {} failed", counts.failed);
  if (counts.running > 0) text += fmt::format(", {} running", counts.running);
  return text;
}

// A stretch has no state of its own: its worst one.
std::string state_of(const graph::Entry& entry) {
  if (entry.step != nullptr) return entry.step->state;
  if (entry.counts.failed > 0) return "failed";
  if (entry.counts.running > 0) return "running";
  return entry.counts.done == entry.counts.all ? "succeeded" : "pending";
}

std::string group_link(const RunView& view, const std::string& group, std::size_t member) {
  return fmt::format("{}?group={}&member={}#steps", run_path(text_of(view.summary, "runId")), url_part(group), member);
}

std::string parent_of(const graph::Entry& stretch) {
  return stretch.stretched.empty() ? std::string() : stretch.stretched.front()->parent;
}

std::string kind_word(const std::string& kind) {
  if (kind == "gate.approval") return "gate";
  if (kind == "gate.policy") return "policy";
  return kind == "run" || kind == "item" ? "" : kind;
}

Html tree(const RunView& view, const std::vector<graph::Entry>& entries);

Html stretch(const RunView& view, const graph::Entry& entry) {
  return element("li", {{"data-key", fmt::format("+{}+{}", parent_of(entry), entry.first)}},
                 element("a", {{"class", "item stretch"}, {"href", group_link(view, parent_of(entry), entry.first)}},
                         shape(state_of(entry)),
                         element("span", {{"class", "step-name"}}, fmt::format("{} steps", entry.counts.all)),
                         element("span", {{"class", "detail"}}, counts_text(entry.counts))));
}

Html line(const RunView& view, const graph::Entry& entry) {
  const graph::Step& step = *entry.step;
  const bool group = entry.is_group() || entry.counts.all > 0, chosen = step.id == view.log.step && !step.id.empty();
  const std::string link =
      entry.folded ? group_link(view, step.id, 0) : log_link(text_of(view.summary, "runId"), step.id, 0, 0);
  const std::string kind = kind_word(step.kind), counts = group ? counts_text(entry.counts) : "";
  const std::string detail = counts + (!counts.empty() && !step.detail.empty() ? " · " : "") + step.detail;
  Html text = shape(step.state) + element("span", {{"class", "step-name"}}, short_name(step.id));
  if (!kind.empty()) text += element("span", {{"class", "kind"}}, kind);
  text += element("span", {{"class", "unseen"}}, step.state);
  text += element("span", {{"class", "detail"}}, detail);
  Html all = element("a",
                     {{"class", group ? "item group" : "item"},
                      {"href", link},
                      {"data-step", step.id},
                      {"data-state", step.state},
                      {"title", step.id + ": " + step.state},
                      Attribute::when("aria-current", "true", chosen)},
                     text);
  if (!entry.members.empty()) all += element("ol", {}, tree(view, entry.members));
  return element("li", {{"data-key", step.id}, {"class", tone_of(step.state)}}, all);
}

Html tree(const RunView& view, const std::vector<graph::Entry>& entries) {
  Html all;
  for (const graph::Entry& one : entries) all += one.step == nullptr ? stretch(view, one) : line(view, one);
  return all;
}

// All members of one large group, a page at a time.
Html members_page(const RunView& view, const std::vector<graph::Step>& steps) {
  const std::string& group = *view.group;
  std::vector<const graph::Step*> members;
  for (const graph::Step& one : steps) {
    if (one.parent == group) members.push_back(&one);
  }
  const std::size_t from = std::min(static_cast<std::size_t>(std::max<std::int64_t>(0, view.member)), members.size());
  const std::size_t to = std::min(members.size(), from + static_cast<std::size_t>(kMembersOfAPage));
  Html rows, links;
  for (std::size_t i = from; i < to; ++i) rows += line(view, {.step = members[i], .counts = {}});
  if (from > 0)
    links +=
        element("a",
                {{"href", group_link(view, group, from - std::min(from, static_cast<std::size_t>(kMembersOfAPage)))}},
                "earlier") +
        " ";
  if (to < members.size()) links += element("a", {{"href", group_link(view, group, to)}}, "later") + " ";
  links += element("a", {{"href", run_path(text_of(view.summary, "runId")) + "#steps"}}, "back to all");
  return element("p", {{"class", "pages"}}, group.empty() ? "Steps" : group,
                 fmt::format(": {} to {} of {}. ", from + 1, to, members.size()), links) +
         element("ol", {{"class", "tree"}}, rows);
}

std::string clipped(const std::string& text, std::size_t letters) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 && seen++ == letters) return text.substr(0, i) + "…";
  }
  return text;
}

Html svg_text(const char* kind, int x, int y, const std::string& text) {
  return element("text", {{"class", kind}, {"x", x}, {"y", y}}, text);
}

Html drawn(const RunView& view, const graph::Box& box) {
  const graph::Entry& entry = *box.entry;
  const std::string state = state_of(entry), tone = tone_of(state);
  const bool open = !entry.members.empty(), stretch = entry.step == nullptr;
  const std::string id = stretch ? fmt::format("{} steps", entry.counts.all) : entry.step->id;
  const std::string detail = entry.counts.all > 0 ? counts_text(entry.counts) : entry.step->detail;
  const std::string run = text_of(view.summary, "runId");
  const std::string link = stretch        ? group_link(view, parent_of(entry), entry.first)
                           : entry.folded ? group_link(view, id, 0)
                                          : log_link(run, id, 0, 0);
  Html inner =
      element("title", {}, id + ": " + state) +
      element("rect", {{"x", box.x}, {"y", box.y}, {"width", box.width}, {"height", box.height}, {"rx", "6"}}) +
      element("use", {{"href", "#m-" + shape_name(state)},
                      {"x", box.x + 10},
                      {"y", box.y + (open ? 9 : 15)},
                      {"width", "16"},
                      {"height", "16"},
                      {"class", "mark " + tone}});
  const std::size_t letters = static_cast<std::size_t>((box.width - 44) / 8);
  inner += svg_text("box-name", box.x + 34, box.y + (open || detail.empty() ? (open ? 22 : 28) : 20),
                    clipped(stretch ? id : short_name(id), open ? 18 : letters));
  if (!detail.empty())
    inner += open ? element("text", {{"class", "box-detail end"}, {"x", box.x + box.width - 10}, {"y", box.y + 22}},
                            clipped(detail, letters - 6))
                  : svg_text("box-detail", box.x + 34, box.y + 37, clipped(detail, letters + 2));
  return element("a",
                 {{"class", fmt::format("box {}{}{}", tone, open ? " open" : "", stretch ? " stretch" : "")},
                  {"href", link},
                  {"data-key", stretch ? fmt::format("+{}+{}", parent_of(entry), entry.first) : id},
                  {"data-step", stretch ? "" : id},
                  {"aria-label", fmt::format("{}: {} {}", id, state, detail)}},
                 inner);
}

void add_planned(const Json& templates, const std::string& group, std::vector<graph::Step>& out, int depth) {
  const auto full = [&](const std::string& id) { return fmt::format("{}[*]::{}", group, id); };
  for (const Json& one : templates) {
    const std::string in = text_of(one, "in"), id = full(text_of(one, "id"));
    graph::Step step{
        .id = id, .parent = in.empty() ? group : full(in), .kind = text_of(one, "kind"), .state = "planned"};
    for (const Json& need : list_of(one, "needs")) {
      if (need.is_string()) step.needs.push_back(full(need.get<std::string>()));
    }
    out.push_back(std::move(step));
    if (const Json& inner = list_of(one, "steps"); !inner.empty() && depth < 8) add_planned(inner, id, out, depth + 1);
  }
}

}  // namespace

std::vector<graph::Step> steps_of(const Json& summary, const Json& plan) {
  std::unordered_map<std::string, const Json*> planned;
  for (const Json& one : list_of(plan, "steps")) planned[text_of(one, "id")] = &one;
  std::unordered_set<std::string> with_turns;
  for (const Json& row : list_of(summary, "steps")) {
    if (text_of(row, "kind") == "item") with_turns.insert(text_of(row, "parent"));
  }
  // A gate that has been asked for has no events of its own as a step: what the run waits for is what it is.
  std::unordered_set<std::string> asked;
  for (const Json& gate : list_of(summary, "gates")) {
    if (text_of(summary, "state") == "waiting" && text_of(gate, "state") != "passed" &&
        !text_of(gate, "expiresAt").empty())
      asked.insert(text_of(gate, "step"));
  }
  std::vector<graph::Step> steps;
  for (const Json& row : list_of(summary, "steps")) {
    graph::Step step{.id = text_of(row, "step"),
                     .parent = text_of(row, "parent"),
                     .kind = text_of(row, "kind"),
                     .state = text_of(row, "state"),
                     .detail = detail_of(row)};
    if (step.state == "pending" && asked.contains(step.id)) step.state = "waiting";
    const auto found = planned.find(step.id);
    const Json& needs = found != planned.end() ? list_of(*found->second, "needs") : list_of(row, "needs");
    for (const Json& need : needs) {
      if (need.is_string()) step.needs.push_back(need.get<std::string>());
    }
    const bool to_come = found != planned.end() && found->second->value("dynamic", false) &&
                         !with_turns.contains(step.id) && step.state == "pending";
    if (to_come && step.detail.empty())
      step.detail = fmt::format("up to {} turns", number_of(*found->second, "maxTurns"));
    const std::string id = step.id;
    steps.push_back(std::move(step));
    if (to_come) add_planned(list_of(*found->second, "steps"), id, steps, 0);
  }
  return steps;
}

Html step_tree(const RunView& view, const std::vector<graph::Step>& steps, const graph::Entry& root) {
  return element("div", {{"id", "tree"}, markup::Attribute::flag("hidden", view.as_graph)},
                 view.group ? members_page(view, steps) : element("ol", {{"class", "tree"}}, tree(view, root.members)));
}

Html step_graph(const RunView& view, const graph::Entry& root) {
  const graph::Picture picture = graph::lay_out(root);
  std::string lines;
  for (const graph::Edge& edge : picture.edges) {
    const int bend = std::max(10, (edge.y2 - edge.y1) / 2);
    lines += fmt::format("M{} {}C{} {} {} {} {} {}", edge.x1, edge.y1, edge.x1, edge.y1 + bend, edge.x2, edge.y2 - bend,
                         edge.x2, edge.y2);
  }
  // Groups first, then the edges over them, then the steps: an edge within a group lies on its ground.
  Html ground, steps;
  for (const graph::Box& box : picture.boxes) (box.entry->members.empty() ? steps : ground) += drawn(view, box);
  return element("div", {{"id", "graph"}, {"class", "graph"}, markup::Attribute::flag("hidden", !view.as_graph)},
                 element("svg",
                         {{"viewBox", fmt::format("0 0 {} {}", picture.width, picture.height)},
                          {"width", picture.width},
                          {"height", picture.height},
                          {"role", "group"},
                          {"aria-label", "Steps as a graph"}},
                         ground, element("path", {{"class", "edges"}, {"d", lines}, {"aria-hidden", "true"}}), steps));
}

}  // namespace stella::page
