// SPDX-License-Identifier: Apache-2.0
// What waits for what in a plan, with turns that the plan knows only as templates.
#include <algorithm>
#include <set>

#include "bundles/approval/plan_view.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::approval {
namespace {

// The approval's own id, behind the turns.
std::string approval_of(const std::string& gate) {
  const auto cut = gate.rfind("::");
  return cut == gate.npos ? gate : gate.substr(cut + 2);
}

class Orderer {
 public:
  explicit Orderer(const PlanView& plan) {
    for (const PlanStep& step : plan.steps) add(step, "", "");
  }

  // Makes the turns that the id names, outermost first: `a[1]` and `a[1]::b[0]` of a[1]::b[0]::c.
  void make_turns(const std::string& id) {
    for (std::size_t open = id.find('['); open != id.npos; open = id.find('[', open + 1)) {
      const std::size_t close = id.find(']', open);
      if (close == id.npos) return;
      const std::string text = id.substr(open + 1, close - open - 1);
      if (text.empty() || text.size() > 6 || text.find_first_not_of("0123456789") != text.npos) return;
      if (!make_turn(id.substr(0, open), std::stoi(text))) return;
    }
  }

  Order take() { return std::move(order_); }

 private:
  void add(const PlanStep& step, const std::string& prefix, const std::string& turn) {
    const std::string id = prefix + step.id;
    GraphStep node{id, step.parent.empty() ? turn : prefix + step.parent, {}};
    for (const std::string& need : step.needs) node.needs.push_back(prefix + need);
    order_.graph.add(node);
    order_.steps.emplace_back(id, &step);
    if (!step.gate.empty()) order_.gates.emplace(prefix.empty() ? step.gate : prefix + approval_of(step.gate), id);
    if (!step.body.empty()) groups_.emplace(id, &step);
  }

  // False when there is no such group; one whose turns stand in the plan needs nothing.
  bool make_turn(const std::string& group, int number) {
    if (order_.graph.has(group + "[" + std::to_string(number) + "]")) return true;
    const auto found = groups_.find(group);
    if (found == groups_.end()) return false;
    const PlanStep& from = *found->second;
    if (number >= from.node.value("maxTurns", 0))
      throw fault::Error(
          fault::Code::approval_malformed, "plan",
          "turn " + std::to_string(number) + " of " + canon::printable(group, 200) + " is more than the plan allows",
          group);
    const bool in_order = from.kind == "loop";
    for (int each = in_order ? 0 : number; each <= number; ++each) {
      const std::string turn = group + "[" + std::to_string(each) + "]";
      if (order_.graph.has(turn)) continue;
      GraphStep node{turn, group, {}};
      if (in_order && each > 0) node.needs.push_back(group + "[" + std::to_string(each - 1) + "]");
      order_.graph.add(node);
      order_.steps.emplace_back(turn, nullptr);
      for (const PlanStep& step : from.body) add(step, turn + "::", turn);
    }
    return true;
  }

  Order order_;
  std::map<std::string, const PlanStep*> groups_;
};

}  // namespace

Order PlanView::order(const std::vector<std::string>& mentioned) const {
  Orderer orderer(*this);
  for (const std::string& id : mentioned) orderer.make_turns(id);
  return orderer.take();
}

const PlanGate* PlanView::find_gate(const std::string& id) const {
  std::string wanted = id;
  for (std::size_t open = wanted.size();;) {
    const auto found = std::ranges::find(gates, wanted, &PlanGate::id);
    if (found != gates.end()) return &*found;
    if (open == 0 || (open = wanted.rfind('[', open - 1)) == wanted.npos) return nullptr;
    const std::size_t close = wanted.find(']', open);
    if (close == wanted.npos) return nullptr;
    wanted.replace(open + 1, close - open - 1, "*");  // from the innermost turn outwards
  }
}

std::vector<std::string> PlanView::behind(const std::string& gate_id) const {
  const Order all = order({gate_id});
  const auto gate = all.gates.find(gate_id);
  return gate == all.gates.end() ? std::vector<std::string>{} : all.graph.behind(gate->second);
}

std::vector<std::string> PlanView::released_by(const std::string& gate_id) const {
  const Order all = order({gate_id});
  const auto gate = all.gates.find(gate_id);
  if (gate == all.gates.end()) return {};
  const std::vector<std::string> waiting = all.graph.behind(gate->second);
  const std::set<std::string> held(waiting.begin(), waiting.end());
  std::vector<std::string> later;  // gates that keep what waits for them
  for (const auto& [id, step] : all.gates)
    if (held.contains(step)) later.push_back(step);
  const std::vector<std::string> kept = all.graph.behind(later);
  const std::set<std::string> not_yet(kept.begin(), kept.end());
  std::vector<std::string> released;
  for (const std::string& id : waiting)
    if (!not_yet.contains(id)) released.push_back(id);
  return released;
}

}  // namespace stella::approval
