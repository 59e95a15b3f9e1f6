// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "appliance/plan/plan.hpp"

namespace stella::plan {
namespace {

using canon::Json;

Json case_of(const Step& step, const StepResult& result) {
  if (result.branch < 0) return nullptr;
  if (result.branch >= static_cast<int>(step.cases.size())) return "else";
  return result.branch;
}

class Builder {
 public:
  Builder(const Plan& plan, const View& view, const Step& at) : plan_(plan), view_(view), at_(at) {}

  Json build(const Names& names) {
    for (const auto& path : names) add(path);
    return std::move(context_);
  }

 private:
  void add(const std::vector<std::string>& path) {
    const std::string& root = path[0];
    if (root == "inputs") return add_input(path);
    if (root == "run") {
      context_["run"] = {{"id", view_.run_id},      {"attempt", view_.attempt},      {"tenant", plan_.tenant},
                         {"pack", plan_.pack_name}, {"version", plan_.pack_version}, {"planHash", plan_.hash_text()}};
      return;
    }
    if (root == "steps" && path.size() > 1) return add_step(path);
    if (root == "approvals" && path.size() > 1) return add_approval(path[1]);
    for (const Turn* turn = at_.turn.get(); turn != nullptr; turn = turn->around.get()) {
      if (root == turn->iterator) context_[root] = turn->item;
      if (root == turn->index) context_[root] = turn->number;
    }
  }

  void add_input(const std::vector<std::string>& path) {
    Json& inputs = context_["inputs"];
    if (path.size() == 1)
      inputs = plan_.inputs;
    else if (plan_.inputs.contains(path[1]))
      inputs[path[1]] = plan_.inputs[path[1]];
  }

  // In the own turn, then outwards.
  template <class Use>
  void find(const std::string& id, const Use& use) const {
    std::string around = at_.kind == Kind::item ? at_.id : std::string(turn_of(at_.id));
    while (true) {
      if (use(around.empty() ? id : around + "::" + id) || around.empty()) return;
      around.resize(around.rfind('['));  // the map's id
      around = turn_of(around);
    }
  }

  void add_step(const std::vector<std::string>& path) {
    Json& steps = context_["steps"];
    const bool with_items = path.size() < 3 || path[2] == "items";
    find(path[1], [&](const std::string& id) {
      const Step* step = view_.find(id);
      if (step == nullptr) return false;
      Json& entry = steps[path[1]];
      if (entry.is_null() || (with_items && !entry.contains("items"))) entry = step_view(*step, with_items);
      return true;
    });
  }

  void add_approval(const std::string& name) {
    Json& approvals = context_["approvals"];
    find(name, [&](const std::string& gate) {
      const auto people = view_.approvers(gate);
      if (people.empty()) return false;
      approvals[name] = {{"approvers", people}};
      return true;
    });
  }

  [[nodiscard]] Json step_view(const Step& step, bool with_items) const {
    StepResult result = view_.result(step.id);
    Json view = {{"state", result.state}};
    switch (step.kind) {
      case Kind::parallel:
      case Kind::item:
        break;
      case Kind::conditional:
        view["case"] = case_of(step, result);
        break;
      case Kind::map:
      case Kind::loop:
        if (with_items) view["items"] = turns_view(step);
        break;
      default:
        view["exit"] = result.exit_status;
        view["outputs"] = std::move(result.outputs);
    }
    return view;
  }

  [[nodiscard]] Json turns_view(const Step& group) const {
    Json turns = Json::array();
    for (const std::string& id : view_.members(group.id)) {
      Json steps = Json::object();
      add_members(id, id + "::", steps);
      turns.push_back({{"state", view_.result(id).state}, {"steps", std::move(steps)}});
    }
    return turns;
  }

  // Members of a parallel or conditional stand among the turn's own steps, as their ids do.
  void add_members(const std::string& group, const std::string& prefix, Json& steps) const {
    for (const std::string& id : view_.members(group)) {
      const Step* step = view_.find(id);
      if (step == nullptr) continue;
      steps[id.substr(prefix.size())] = step_view(*step, true);
      if (step->kind == Kind::parallel || step->kind == Kind::conditional) add_members(id, prefix, steps);
    }
  }

  const Plan& plan_;
  const View& view_;
  const Step& at_;
  Json context_ = Json::object();
};

}  // namespace

Json context(const Plan& plan, const View& view, const Step& at, const Names& names) {
  return Builder(plan, view, at).build(names);
}

}  // namespace stella::plan
