// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/parse_step.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "appliance/pack/value_type.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::plan {
namespace {

using canon::Fields;
using canon::Json;

constexpr int kMaxTurns = 200000, kMaxLevels = 32;
const std::vector<std::string> kKinds = {"run", "gate.approval", "gate.policy", "parallel",
                                         "map", "loop",          "conditional", "item"};

bool is_group(Kind kind) {
  return kind != Kind::run && kind != Kind::gate_approval && kind != Kind::gate_policy;
}

// One list of steps: the plan's, or the templates of a turn. `prefix` is what their gates' ids begin with.
class Steps {
 public:
  Steps(const Reading& reading, std::string prefix, int level)
      : reading_(reading), prefix_(std::move(prefix)), level_(level) {}

  std::vector<Step> read(const Json& nodes) {
    steps_.reserve(nodes.size());
    for (const Json& node : nodes) read_step(node);
    return std::move(steps_);
  }

 private:
  [[nodiscard]] Fields fields(const Json& node, const std::string& place) const {
    return {node, reading_.code, "plan", reading_.at + place};
  }
  [[nodiscard]] static int small(Fields& from, std::string_view name, int min, int max) {
    return static_cast<int>(from.integer(name, min, max));
  }
  [[nodiscard]] static bool flag(Fields& from, std::string_view name) { return from.has(name) && from.boolean(name); }
  [[nodiscard]] clock::Duration duration(Fields& from, std::string_view name) const {
    return clock::parse_duration(from.text(name), reading_.code, fmt::format("{}: {}", reading_.at, name));
  }

  [[nodiscard]] Word word(const Json& node) const {
    if (node.is_string()) return {node.get<std::string>(), false};
    Fields open = fields(node, ": an argument");
    Word word{open.text("template"), true};
    open.finish();
    return word;
  }

  [[nodiscard]] Retries retries(const Json& node) const {
    Fields entry = fields(node, ".retries");
    Retries retries;
    retries.max_attempts = small(entry, "maxAttempts", 1, 100);
    const auto number = [&](std::string_view name) {
      const Json& value = entry.any(name);
      if (!value.is_number() || value < 0) entry.fail("a number from 0 belongs here", name);
      return value.get<double>();
    };
    retries.backoff_seconds = number("backoffSeconds");
    retries.factor = number("factor");
    retries.max_backoff_seconds = number("maxBackoffSeconds");
    retries.jitter = number("jitter");
    retries.on = entry.texts("on");
    entry.finish();
    return retries;
  }

  void read_run(Fields& node, Step& step) const {
    if (node.has("script"))
      step.script = node.text("script", std::size_t{1} << 20);
    else
      for (const Json& each : node.array("command")) step.command.push_back(word(each));
    if (step.script.empty() && step.command.empty()) node.fail("a run step has a command or a script", "command");
    if (node.has("env"))
      for (const auto& [name, value] : node.object("env").items()) step.env[name] = word(value);
    if (node.has("secrets"))
      for (const Json& each : node.array("secrets"))
        step.secrets.push_back(parse_secret(each, reading_.code, reading_.at));
    if (node.has("network"))
      for (const Json& each : node.array("network"))
        step.network.push_back(parse_endpoint(each, reading_.code, reading_.at));
    step.timeout = duration(node, "timeout");
    if (const Json* value = node.maybe("retries")) step.retries = retries(*value);
    step.continue_on_error = flag(node, "continueOnError");
    const std::string on_crash = node.choice("onCrash", {"rerun", "fail", "ask"});
    step.on_crash = on_crash == "rerun" ? OnCrash::rerun : on_crash == "fail" ? OnCrash::fail : OnCrash::ask;
    read_results(node, step);
  }

  void read_results(Fields& node, Step& step) const {
    if (node.has("outputs"))
      for (const auto& [name, value] : node.object("outputs").items()) {
        const auto type = value.is_string() ? pack::find_type(value.get<std::string>()) : std::nullopt;
        if (!type || *type == pack::InputType::file) node.fail("an output has a type", "outputs");
        step.outputs[name] = *type;
      }
    if (!node.has("artifacts")) return;
    for (const Json& each : node.array("artifacts")) {
      Fields entry(each, reading_.code, "plan", reading_.at + ": an artifact");
      step.artifacts.push_back({entry.text("name"), entry.text("path")});
      entry.finish();
    }
  }

  void read_gate(Fields& node, Step& step) const {
    const std::string id = node.text("approval");
    const auto found = reading_.gates.find(id);
    if (found == reading_.gates.end())
      node.fail(fmt::format("no approval `{}` is listed", canon::printable(id, 63)), "approval");
    step.gate = found->second;
  }

  void read_turns(Fields& node, Step& step) {
    step.iterator = node.text("iterator");
    step.index = node.maybe_text("index").value_or("");
    step.max_turns = small(node, "maxTurns", 0, kMaxTurns);
    step.until = node.maybe_text("until").value_or("");
    if (node.has("delay")) step.delay = duration(node, "delay");
    step.dynamic = flag(node, "dynamic");
    if (const Json* items = node.maybe("items")) {
      if (items->is_array())
        step.fixed_items = *items;
      else
        step.items = node.text("items");
    }
    if (level_ == 0 && step.dynamic != !step.items.empty())
      node.fail("a map or loop has `items` when it is dynamic", "items");
    if (!node.has("steps")) return;
    if (level_ >= kMaxLevels) node.fail("maps and loops are nested too deep", "steps");
    step.body = Steps(reading_, prefix_ + step.id + "[*]::", level_ + 1).read(node.array("steps"));
  }

  void read_group(Fields& node, Step& step) {
    if (step.kind == Kind::conditional) step.cases = node.texts("cases");
    if (step.kind == Kind::map || step.kind == Kind::loop) read_turns(node, step);
    if (node.has("maxParallel")) step.max_parallel = small(node, "maxParallel", 1, 256);
    if (const Json* many = node.maybe("maxFailures")) {
      step.max_failures.percent = many->is_string();
      const std::string text = many->is_string() ? many->get<std::string>() : "";
      if (text.empty())
        step.max_failures.many = small(node, "maxFailures", 1, kMaxTurns);
      else if (text.size() > 4 || text.back() != '%' || text.find_first_not_of("0123456789") != text.size() - 1)
        node.fail("a share such as \"10%\" belongs here", "maxFailures");
      else
        step.max_failures.many = std::stoi(text);
    }
    step.fail_fast = flag(node, "failFast");
    if (node.has("timeout")) step.timeout = duration(node, "timeout");
    step.continue_on_error = flag(node, "continueOnError");
  }

  void read_turn(Fields& node, Step& step, const Step* group) {
    const int number = turns_[step.parent]++;
    if (group == nullptr || (group->kind != Kind::map && group->kind != Kind::loop) ||
        step.id != fmt::format("{}[{}]", step.parent, number))
      node.fail("this is not the next turn of a map or loop", "id");
    step.turn = std::make_shared<Turn>(Turn{group->iterator, group->index, number, node.any("item"), group->turn});
  }

  // The group that it says it stands in, null at top. A turn's step carries the turn in its id.
  const Step* group_of(Fields& node, const Step& step) const {
    if (step.parent.empty()) return nullptr;
    const auto found = numbers_.find(step.parent);
    if (found == numbers_.end() || !is_group(steps_[found->second].kind))
      node.fail("the group it stands in does not stand before it", "in");
    const Step& group = steps_[found->second];
    const bool wants_turn = group.kind == Kind::map || group.kind == Kind::loop;
    if (wants_turn != (step.kind == Kind::item)) node.fail("a map or loop holds turns, and only they do", "in");
    if (turn_of(step.id) != (group.kind == Kind::item ? std::string_view(group.id) : turn_of(group.id)))
      node.fail("the id does not begin with the turn that it stands in", "id");
    if ((group.kind == Kind::conditional) != (step.branch >= 0) || step.branch > static_cast<int>(group.cases.size()))
      node.fail("a member of a conditional has its branch, and only they do", "branch");
    return &group;
  }

  void read_needs(Fields& node, Step& step) const {
    step.needs = node.texts("needs");
    for (const std::string& need : step.needs) {
      const auto found = numbers_.find(need);
      if (found == numbers_.end() || steps_[found->second].parent != step.parent)
        node.fail("a step needs only steps of its list that stand before it", "needs");
    }
  }

  void read_kind(Fields& node, Step& step, const Step* group) {
    if (step.kind == Kind::run) return read_run(node, step);
    if (step.kind == Kind::gate_approval) return read_gate(node, step);
    if (step.kind == Kind::item) return read_turn(node, step, group);
    if (step.kind != Kind::gate_policy) return read_group(node, step);
    step.expression = node.text("expression");
    step.message = node.maybe_text("message").value_or("");
  }

  void read_step(const Json& json) {
    Fields node = fields(json, ".steps");
    Step step;
    step.id = node.text("id");
    step.parent = node.maybe_text("in").value_or("");
    const std::string kind = node.choice("kind", kKinds);
    step.kind = static_cast<Kind>(std::find(kKinds.begin(), kKinds.end(), kind) - kKinds.begin());
    step.branch = node.has("branch") ? small(node, "branch", 0, 100) : -1;
    const Step* group = group_of(node, step);
    if (group != nullptr) step.turn = group->turn;
    read_needs(node, step);
    step.when = node.maybe_text("when").value_or("");
    step.at_end = flag(node, "finally");
    step.step_class = node.choice("class", {"pending", "skipped", "requires-approval", "requires-policy"});
    read_kind(node, step, group);
    node.finish();
    step.digest = canon::sha256(canon::canonical(json));
    if (!numbers_.emplace(step.id, steps_.size()).second) node.fail("the step is there twice", "id");
    steps_.push_back(std::move(step));
  }

  const Reading& reading_;
  std::string prefix_;
  int level_;
  std::vector<Step> steps_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::unordered_map<std::string, int> turns_;
};

}  // namespace

Endpoint parse_endpoint(const Json& node, fault::Code code, const std::string& at) {
  Fields entry(node, code, "plan", at + ": an endpoint");
  Endpoint endpoint{entry.text("host"), entry.text("address"), static_cast<int>(entry.integer("port", 1, 65535))};
  entry.finish();
  return endpoint;
}

Secret parse_secret(const Json& node, fault::Code code, const std::string& at) {
  Fields entry(node, code, "plan", at + ": a secret");
  Secret secret{entry.text("name"), entry.text("scope"), entry.maybe_text("env").value_or("")};
  if (entry.choice("as", {"file", "env"}) == (secret.env.empty() ? "env" : "file"))
    entry.fail("`as` and `env` disagree", "as");
  entry.ignore("steps");
  entry.finish();
  return secret;
}

std::vector<Step> parse_steps(const Json& nodes, const Reading& reading) {
  return Steps(reading, "", 0).read(nodes);
}

}  // namespace stella::plan
