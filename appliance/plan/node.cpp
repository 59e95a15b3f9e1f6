// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/node.hpp"

#include <fmt/format.h>

namespace stella::plan {
namespace {

using canon::Json;

Json word(const Word& word) {
  return word.open ? Json{{"template", word.text}} : Json(word.text);
}

Json retries(const Retries& retries) {
  return {{"maxAttempts", retries.max_attempts},
          {"backoffSeconds", retries.backoff_seconds},
          {"factor", retries.factor},
          {"maxBackoffSeconds", retries.max_backoff_seconds},
          {"jitter", retries.jitter},
          {"on", retries.on}};
}

void write_run(const Step& step, Json& node) {
  if (step.script.empty()) {
    node["command"] = Json::array();
    for (const Word& each : step.command) node["command"].push_back(word(each));
  } else {
    node["script"] = step.script;
  }
  for (const auto& [name, value] : step.env) node["env"][name] = word(value);
  for (const Secret& each : step.secrets) node["secrets"].push_back(secret(each));
  if (!step.network.empty()) node["network"] = endpoints(step.network);
  node["timeout"] = text_of(step.timeout);
  if (step.retries.max_attempts > 1) node["retries"] = retries(step.retries);
  if (step.continue_on_error) node["continueOnError"] = true;
  node["onCrash"] = pack::name_of(step.on_crash);
  for (const auto& [name, type] : step.outputs) node["outputs"][name] = pack::name_of(type);
  for (const auto& artifact : step.artifacts)
    node["artifacts"].push_back({{"name", artifact.name}, {"path", artifact.path}});
}

Json failures(const MaxFailures& failures) {
  return failures.percent ? Json(fmt::format("{}%", failures.many)) : Json(failures.many);
}

void write_turns(const Step& step, Json& node) {
  node["iterator"] = step.iterator;
  if (!step.index.empty()) node["index"] = step.index;
  node["maxTurns"] = step.max_turns;
  if (!step.until.empty()) node["until"] = step.until;
  if (step.delay.count() > 0) node["delay"] = text_of(step.delay);
  if (step.dynamic) node["dynamic"] = true;
  if (!step.items.empty()) node["items"] = step.items;
  if (step.fixed_items) node["items"] = *step.fixed_items;
  if (step.body.empty()) return;
  node["steps"] = Json::array();
  for (const Step& each : step.body) node["steps"].push_back(step_node(each));
}

void write_group(const Step& step, Json& node) {
  if (step.kind == Kind::conditional) node["cases"] = step.cases;
  if (step.kind == Kind::map || step.kind == Kind::loop) write_turns(step, node);
  if (step.max_parallel > 0) node["maxParallel"] = step.max_parallel;
  if (step.max_failures.many > 0) node["maxFailures"] = failures(step.max_failures);
  if (step.fail_fast) node["failFast"] = true;
  if (step.timeout.count() > 0) node["timeout"] = text_of(step.timeout);
  if (step.continue_on_error) node["continueOnError"] = true;
}

}  // namespace

// Whole hours, minutes or seconds in ISO 8601, else milliseconds: one text for one duration, read by parse_duration.
std::string text_of(clock::Duration duration) {
  const auto ms = duration.count();
  if (ms % 3600000 == 0) return fmt::format("PT{}H", ms / 3600000);
  if (ms % 60000 == 0) return fmt::format("PT{}M", ms / 60000);
  return ms % 1000 == 0 ? fmt::format("PT{}S", ms / 1000) : fmt::format("{}ms", ms);
}

Json endpoints(const std::vector<Endpoint>& list) {
  Json out = Json::array();
  for (const Endpoint& each : list)
    out.push_back({{"host", each.host}, {"address", each.address}, {"port", each.port}});
  return out;
}

Json secret(const Secret& secret) {
  Json out = {{"name", secret.name}, {"scope", secret.scope}, {"as", secret.env.empty() ? "file" : "env"}};
  if (!secret.env.empty()) out["env"] = secret.env;
  return out;
}

Json step_node(const Step& step) {
  Json node = {{"id", step.id}, {"needs", step.needs}, {"class", step.step_class}, {"kind", pack::name_of(step.kind)}};
  if (!step.parent.empty()) node["in"] = step.parent;
  if (step.at_end) node["finally"] = true;
  if (step.branch >= 0) node["branch"] = step.branch;
  if (!step.when.empty()) node["when"] = step.when;
  switch (step.kind) {
    case Kind::run:
      write_run(step, node);
      break;
    case Kind::gate_approval:
      node["approval"] = step.gate.id;
      break;
    case Kind::gate_policy:
      node["expression"] = step.expression;
      if (!step.message.empty()) node["message"] = step.message;
      break;
    case Kind::item:
      node["item"] = step.turn->item;
      break;
    default:
      write_group(step, node);
  }
  return node;
}

canon::Digest digest_of(const Step& step) {
  return canon::sha256(canon::canonical(step_node(step)));
}

}  // namespace stella::plan
