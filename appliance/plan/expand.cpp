// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/expand.hpp"

#include <fmt/format.h>

#include "appliance/plan/node.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::plan {
namespace {

std::string at_of(const Step& step) {
  return "step " + step.id;
}

// The approval's own id, behind the turns.
std::string approval_of(const std::string& gate) {
  const auto cut = gate.rfind("::");
  return cut == gate.npos ? gate : gate.substr(cut + 2);
}

std::size_t bytes_of(const Step& step) {
  std::size_t bytes = kStepBytes + step.id.size() + step.script.size();
  for (const Word& word : step.command) bytes += word.text.size();
  for (const auto& [name, word] : step.env) bytes += name.size() + word.text.size();
  if (step.kind == Kind::item) bytes += canon::canonical(step.turn->item).size();
  return bytes;
}

}  // namespace

void require_items(const Step& group, const canon::Json& items, fault::Code code) {
  if (!items.is_array())
    throw fault::Error(code, "items",
                       fmt::format("what {} goes over is {}, not a list", group.id,
                                   items.is_null() ? "nothing" : std::string(items.type_name())),
                       at_of(group), "Have the expression under `items` give a list.");
  if (items.size() > static_cast<std::size_t>(group.max_turns))
    throw fault::Error(
        code, "turns", fmt::format("{} would have {} turns, {} are allowed", group.id, items.size(), group.max_turns),
        at_of(group), group.kind == Kind::map ? "Raise the map's maxItems." : "Raise the loop's maxIterations.");
}

void Expansion::add(const std::vector<Step>& templates) {
  write(templates, {});
}

void Expansion::push(Step step) {
  if (steps_.size() >= kMaxPlanned)
    throw fault::Error(known_.code(), "turns", fmt::format("the plan has more than {} steps", kMaxPlanned), at_of(step),
                       "Have fewer items, or fewer steps for each.");
  bytes_ += bytes_of(step);
  if (bytes_ > kMaxPlanBytes)
    throw fault::Error(known_.code(), "size", "the plan would have more than 16 MiB", at_of(step),
                       "Have fewer items, or shorter ones; what steps do not need as text can be a file input.");
  if (step.step_class == "skipped") skipped_.insert(step.id);
  steps_.push_back(std::move(step));
}

void Expansion::add_turn(const Step& group, const std::vector<Step>& body, int number, const canon::Json& item) {
  Step turn;
  turn.id = fmt::format("{}[{}]", group.id, number);
  turn.parent = group.id;
  turn.kind = Kind::item;
  turn.at_end = group.at_end;
  turn.step_class = "pending";
  if (group.kind == Kind::loop && number > 0) turn.needs = {fmt::format("{}[{}]", group.id, number - 1)};
  turn.turn = std::make_shared<Turn>(Turn{group.iterator, group.index, number, item, group.turn});
  turn.digest = digest_of(turn);
  const Around within{turn.id + "::", turn.id, turn.turn, false};
  push(std::move(turn));
  known_.enter(*within.turn);
  write(body, within);
  known_.leave(*within.turn);
}

void Expansion::write(const std::vector<Step>& templates, const Around& around) {
  for (const Step& each : templates) write_step(each, around);
}

void Expansion::write_step(const Step& from, const Around& around) {
  Step step = from;
  step.id = around.prefix + from.id;
  step.parent = from.parent.empty() ? around.parent : around.prefix + from.parent;
  for (std::string& need : step.needs) need = around.prefix + need;
  step.turn = around.turn;
  std::vector<Step> body = std::move(step.body);
  step.body.clear();
  fill(step, around.prefix);
  decide_class(step);
  if (step.kind == Kind::conditional) decide_cases(step);
  if (step.kind == Kind::map || step.kind == Kind::loop) return write_turns(std::move(step), std::move(body));
  step.digest = digest_of(step);
  push(std::move(step));
}

// All or nothing of each word. A body's words are filled again when its turns are made.
void Expansion::fill(Step& step, const std::string& prefix) {
  const std::string at = at_of(step);
  for (Word& word : step.command)
    if (word.open) word = known_.fill(word.text, at);
  for (auto& [name, word] : step.env)
    if (word.open) word = known_.fill(word.text, at);
  step.message = known_.fill(step.message, at).text;
  if (step.kind == Kind::gate_approval) step.gate.id = prefix + approval_of(step.gate.id);
}

// A policy gate's message stays as it is: it is filled in once, when its turn is made, so that no text is read as a
// template twice.
void Expansion::fill_body(std::vector<Step>& body, const std::string& prefix) {
  for (Step& step : body) {
    const std::string at = "step " + prefix + step.id;
    for (Word& word : step.command)
      if (word.open) word = known_.fill(word.text, at);
    for (auto& [name, word] : step.env)
      if (word.open) word = known_.fill(word.text, at);
    step.step_class = step.kind == Kind::gate_approval ? "requires-approval"
                      : step.kind == Kind::gate_policy ? "requires-policy"
                                                       : "pending";
    if (!step.when.empty() && known_.decide(step.when, at) == false) step.step_class = "skipped";
    if (step.kind == Kind::gate_approval) step.gate.id = prefix + approval_of(step.gate.id);
    fill_body(step.body, prefix + step.id + "[*]::");
  }
}

void Expansion::decide_class(Step& step) {
  step.step_class = step.kind == Kind::gate_approval ? "requires-approval"
                    : step.kind == Kind::gate_policy ? "requires-policy"
                                                     : "pending";
  const auto branches = step.branch < 0 ? closed_.end() : closed_.find(step.parent);
  const bool closed = branches != closed_.end() && branches->second[static_cast<std::size_t>(step.branch)];
  if (closed || skipped_.contains(step.parent) ||
      (!step.when.empty() && known_.decide(step.when, at_of(step)) == false))
    step.step_class = "skipped";
}

// The first case that holds is taken: one that surely does not hold, and all after one that surely does, are closed.
void Expansion::decide_cases(const Step& step) {
  std::vector<bool> closed(step.cases.size() + 1);
  bool taken = false;
  for (std::size_t i = 0; i < step.cases.size(); ++i) {
    closed[i] = taken;
    if (taken || step.step_class == "skipped") continue;
    const std::optional<bool> holds = known_.decide(step.cases[i], at_of(step));
    closed[i] = holds == false;
    taken = holds == true;
  }
  closed.back() = taken;
  closed_.emplace(step.id, std::move(closed));
}

std::optional<canon::Json> Expansion::items_known(const Step& group) {
  if (group.fixed_items) return group.fixed_items;
  return known_.value(group.items, at_of(group));
}

void Expansion::write_turns(Step group, std::vector<Step> body) {
  const bool skipped = group.step_class == "skipped";
  auto items = skipped ? std::optional<canon::Json>(canon::Json::array()) : items_known(group);
  group.dynamic = !items;
  if (items) {
    require_items(group, *items, known_.code());
    group.items.clear();
    group.fixed_items.reset();
  } else {
    fill_body(body, group.id + "[*]::");
    group.body = std::move(body);
  }
  group.digest = digest_of(group);
  push(group);
  if (!items) return;
  int number = 0;
  for (const canon::Json& item : *items) add_turn(group, body, number++, item);
}

std::vector<Step> instantiate(const Plan& plan, const Step& group, int number, const canon::Json& item) {
  Known known(plan.inputs, fault::Code::pack_step_failed);
  std::vector<const Turn*> around;
  for (const Turn* turn = group.turn.get(); turn != nullptr; turn = turn->around.get()) around.push_back(turn);
  for (const Turn* turn : around) known.enter(*turn);
  Expansion expansion(known);
  expansion.add_turn(group, group.body, number, item);
  return expansion.take();
}

}  // namespace stella::plan
