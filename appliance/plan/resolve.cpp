// SPDX-License-Identifier: Apache-2.0
#include "appliance/expression/expression.hpp"
#include "appliance/plan/plan.hpp"
#include "appliance/plan/words.hpp"

namespace stella::plan {
namespace {

using canon::Json;

std::string filled(const Word& word, const Json& context, const std::string& at) {
  if (!word.open) return word.text;
  std::string text = expression::text_of(expression::Template::parse(word.text, at).evaluate(context));
  if (text.find('\0') != text.npos || text.size() > kMaxWord)
    throw fault::Error(fault::Code::pack_step_failed, "expression",
                       "a value with a NUL character, or of more than 131,071 bytes, cannot become an argument", at);
  return text;
}

}  // namespace

Json context(const Plan& plan, const Progress& progress) {
  Json steps = Json::object(), approvals = Json::object();
  for (const auto& [id, result] : progress.steps) {
    steps[id] = {{"state", result.state}, {"exit", result.exit_status}, {"outputs", Json::object()}};
    for (const auto& [name, value] : result.outputs) steps[id]["outputs"][name] = value;
  }
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

}  // namespace stella::plan
