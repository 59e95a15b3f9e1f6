// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "appliance/expression/expression.hpp"
#include "appliance/pack/value_type.hpp"
#include "appliance/plan/expand.hpp"
#include "appliance/plan/plan.hpp"
#include "appliance/plan/words.hpp"

namespace stella::plan {
namespace {

using canon::Json;

class Filler {
 public:
  Filler(const Plan& plan, const View& view, const Step& step) : plan_(plan), view_(view), step_(step) {}

  std::string operator()(const Word& word) const {
    if (!word.open) return word.text;
    const std::string at = "step " + step_.id;
    const auto words = expression::Template::parse(word.text, at);
    try {
      return argument(words.evaluate(context(plan_, view_, step_, words.names())), fault::Code::pack_step_failed, at);
    } catch (const fault::Error& error) {
      throw fault::Error(fault::Code::pack_step_failed, "expression", error.what(), at);
    }
  }

 private:
  const Plan& plan_;
  const View& view_;
  const Step& step_;
};

std::string filled(const Word& word, const Json& context, const std::string& at) {
  if (!word.open) return word.text;
  return argument(expression::Template::parse(word.text, at).evaluate(context), fault::Code::pack_step_failed, at);
}

}  // namespace

Json context(const Plan& plan, const Progress& progress) {
  Json steps = Json::object(), approvals = Json::object();
  for (const auto& [id, result] : progress.steps)
    steps[id] = {{"state", result.state},
                 {"exit", result.exit_status},
                 {"outputs", result.outputs.is_null() ? Json::object() : result.outputs}};
  for (const auto& [id, people] : progress.approvals) approvals[id] = {{"approvers", people}};
  return {{"inputs", plan.inputs},
          {"steps", std::move(steps)},
          {"approvals", std::move(approvals)},
          {"run",
           {{"id", progress.run_id},
            {"attempt", progress.attempt},
            {"tenant", plan.tenant},
            {"pack", plan.pack_name},
            {"version", plan.pack_version},
            {"planHash", plan.hash_text()}}}};
}

Resolved resolve(const Step& step, const Json& context) {
  const std::string at = "step " + step.id;
  Resolved resolved;
  if (!step.script.empty()) resolved.argv = {"/bin/sh", "-eu", "-c", step.script};
  for (const Word& word : step.command) resolved.argv.push_back(filled(word, context, at));
  for (const auto& [name, value] : step.env) resolved.env[name] = filled(value, context, at);
  return resolved;
}

bool holds(const std::string& expression, const Json& context) {
  return expression.empty() || expression::is_true(expression::Expression::parse(expression, {}).evaluate(context));
}

Resolved resolve(const Plan& plan, const View& view, const Step& step) {
  const Filler filled(plan, view, step);
  Resolved resolved;
  if (!step.script.empty()) resolved.argv = {"/bin/sh", "-eu", "-c", step.script};
  for (const Word& word : step.command) resolved.argv.push_back(filled(word));
  for (const auto& [name, value] : step.env) resolved.env[name] = filled(value);
  return resolved;
}

bool holds(const std::string& expression, const Plan& plan, const View& view, const Step& at) {
  if (expression.empty()) return true;
  const auto parsed = expression::Expression::parse(expression, "step " + at.id);
  return expression::is_true(parsed.evaluate(context(plan, view, at, parsed.names())));
}

Json items_of(const Plan& plan, const View& view, const Step& group) {
  const auto parsed = expression::Expression::parse(group.items, "step " + group.id);
  Json items = parsed.evaluate(context(plan, view, group, parsed.names()));
  // What a step writes to $STELLA_OUTPUT is text; a list is given as its JSON.
  if (items.is_string() && items.get_ref<const std::string&>().starts_with("["))
    items = canon::parse_json(items.get<std::string>(), fault::Code::pack_step_failed, "step " + group.id);
  require_items(group, items, fault::Code::pack_step_failed);
  return items;
}

Json value_of(const Output& output, const Plan& plan, const View& view) {
  const std::string at = "output " + output.name;
  const auto words = expression::Template::parse(output.value, at);
  Json value = words.evaluate(context(plan, view, Step{}, words.names()));
  const bool is_text = value.is_string() && output.type != pack::InputType::string;
  if (is_text) {  // what steps give is text: a number or list is given as its JSON
    try {
      value = canon::parse_json(value.get<std::string>(), fault::Code::pack_step_failed, at);
    } catch (const fault::Error&) {
    }
  }
  if (pack::is_of_type(value, output.type)) return value;
  throw fault::Error(fault::Code::pack_step_failed, "output",
                     fmt::format("output `{}` is not of type {}", output.name, pack::name_of(output.type)), at,
                     "Have the steps that it reads give such a value, or change the output's type.");
}

}  // namespace stella::plan
