// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/templates.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace stella::plan {
namespace {

enum class Order { one_by_one, at_once };

class Writer {
 public:
  explicit Writer(const Terms& terms) : terms_(terms) {}

  std::vector<Step> write() {
    std::vector<Step> all;
    list(terms_.manifest.steps, Step{}, Order::one_by_one, all);
    Step finally;
    finally.at_end = true;
    list(terms_.manifest.at_end, finally, Order::one_by_one, all);
    return all;
  }

 private:
  // `like` gives what all of the list have: parent, branch, at_end. Without `needs` a step waits for all before it;
  // naming those that nothing waits for yet says the same.
  void list(const std::vector<pack::Step>& steps, const Step& like, Order order, std::vector<Step>& out) const {
    std::set<std::size_t> ends;
    std::unordered_map<std::string_view, std::size_t> numbers;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      Step step = like;
      if (steps[i].needs) {
        step.needs = *steps[i].needs;
        for (const std::string& need : step.needs) ends.erase(numbers.at(need));
      } else if (order == Order::one_by_one) {
        for (const std::size_t end : ends) step.needs.push_back(steps[end].id);
        ends.clear();
      }
      ends.insert(i);
      numbers.emplace(steps[i].id, i);
      write_step(steps[i], std::move(step), out);
    }
  }

  void write_step(const pack::Step& from, Step step, std::vector<Step>& out) const {
    step.id = from.id;
    step.kind = from.kind;
    step.when = from.when;
    step.continue_on_error = from.continue_on_error;
    if (from.kind == Kind::run) write_run(from, step);
    if (from.kind == Kind::gate_approval) step.gate = gate_of(*terms_.manifest.find_approval(from.approval));
    if (from.kind == Kind::gate_policy) {
      step.expression = from.expression;
      step.message = from.message;
    }
    if (is_group(from.kind)) write_group(from, step);
    out.push_back(std::move(step));
    write_members(from, out.back().at_end, out);
  }

  static bool is_group(Kind kind) {
    return kind == Kind::parallel || kind == Kind::map || kind == Kind::loop || kind == Kind::conditional;
  }

  void write_members(const pack::Step& from, bool at_end, std::vector<Step>& out) const {
    Step like;
    like.parent = from.id;
    like.at_end = at_end;
    if (from.kind == Kind::parallel) list(from.steps, like, Order::at_once, out);
    if (from.kind != Kind::conditional) return;
    for (const pack::Case& each : from.cases) {
      ++like.branch;
      list(each.steps, like, Order::one_by_one, out);
    }
    ++like.branch;
    list(from.otherwise, like, Order::one_by_one, out);
  }

  void write_run(const pack::Step& from, Step& step) const {
    for (const std::string& word : from.command) step.command.push_back({word, true});
    if (!step.command.empty() && step.command[0].text.starts_with("./")) step.command[0].text.replace(0, 1, "/pack");
    step.script = from.script;
    for (const auto& [name, value] : from.env) step.env[name] = {value, true};
    for (const std::string& name : from.secrets) step.secrets.push_back(*terms_.manifest.find_secret(name));
    for (const Endpoint& endpoint : terms_.allowed)
      if (!from.network || std::ranges::any_of(*from.network, [&](const pack::Ask& ask) {
            return ask.host == endpoint.host && ask.port == endpoint.port;
          }))
        step.network.push_back(endpoint);
    step.timeout = from.timeout;
    step.retries = from.retries;
    step.on_crash = from.on_crash;
    step.outputs = from.outputs;
    step.artifacts = from.artifacts;
  }

  [[nodiscard]] Gate gate_of(const pack::Approval& approval) const {
    return {approval.id, approval.threshold, approval.roles, approval.expires_after.value_or(terms_.default_expiry),
            terms_.known.fill(approval.message, "approval " + approval.id).text};
  }

  void write_group(const pack::Step& from, Step& step) const {
    step.timeout = from.timeout;
    step.max_parallel = from.max_parallel;
    step.max_failures = from.max_failures;
    step.fail_fast = from.fail_fast;
    for (const pack::Case& each : from.cases) step.cases.push_back(each.when);
    if (from.kind != Kind::map && from.kind != Kind::loop) return;
    step.iterator = from.iterator;
    step.index = from.index;
    step.max_turns = from.max_turns;
    step.until = from.until;
    step.delay = from.delay;
    step.items = from.items.expression;
    if (from.items.fixed) step.fixed_items = from.items.fixed;
    if (from.items.range) {
      step.fixed_items = canon::Json::array();
      for (auto each = from.items.range->first; each <= from.items.range->second; ++each)
        step.fixed_items->push_back(each);
    }
    Step like;
    like.at_end = step.at_end;
    list(from.steps, like, Order::one_by_one, step.body);
  }

  const Terms& terms_;
};

}  // namespace

std::vector<Step> templates_of(const Terms& terms) {
  return Writer(terms).write();
}

}  // namespace stella::plan
