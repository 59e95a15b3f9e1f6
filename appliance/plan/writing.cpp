// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/writing.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace stella::plan {
namespace {

using canon::Json;

// Whole hours, minutes or seconds in ISO 8601, else milliseconds: one text for one duration, read by parse_duration.
std::string text_of(clock::Duration duration) {
  const auto ms = duration.count();
  if (ms % 3600000 == 0) return fmt::format("PT{}H", ms / 3600000);
  if (ms % 60000 == 0) return fmt::format("PT{}M", ms / 60000);
  return ms % 1000 == 0 ? fmt::format("PT{}S", ms / 1000) : fmt::format("{}ms", ms);
}

Json word(const Word& word) {
  return word.open ? Json{{"template", word.text}} : Json(word.text);
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
}

Json step_node(const Step& step) {
  Json node = {{"id", step.id}, {"needs", step.needs}, {"class", step.step_class}, {"kind", "run"}};
  if (!step.when.empty()) node["when"] = step.when;
  if (step.kind == Kind::run) write_run(step, node);
  if (step.kind == Kind::gate_approval) {
    node["kind"] = "gate.approval";
    node["approval"] = step.gate.id;
  }
  if (step.kind == Kind::gate_policy) {
    node["kind"] = "gate.policy";
    node["expression"] = step.expression;
    if (!step.message.empty()) node["message"] = step.message;
  }
  return node;
}

Json approvals(const std::vector<Step>& steps) {
  Json out = Json::array();
  for (const Step& step : steps) {
    if (step.kind != Kind::gate_approval) continue;
    Json entry = {{"id", step.gate.id},
                  {"threshold", step.gate.threshold},
                  {"roles", Json::object()},
                  {"expiresAfter", text_of(step.gate.expires_after)}};
    for (const auto& [role, count] : step.gate.roles) entry["roles"][role] = count;
    if (!step.gate.message.empty()) entry["message"] = step.gate.message;
    out.push_back(std::move(entry));
  }
  return out;
}

// Every secret that the pack declares, with the steps that get it.
Json secrets(const Parts& parts) {
  Json out = Json::array();
  for (const Secret& declared : parts.sources.manifest.secrets) {
    Json entry = secret(declared);
    entry["steps"] = Json::array();
    for (const Step& step : parts.steps)
      if (std::ranges::any_of(step.secrets, [&](const Secret& each) { return each.name == declared.name; }))
        entry["steps"].push_back(step.id);
    out.push_back(std::move(entry));
  }
  return out;
}

Json runtime(const pack::Manifest& manifest) {
  if (!manifest.runtime) return "host";
  return {{"image", manifest.runtime->name}, {"digest", manifest.runtime->digest.tagged()}};
}

Json network_node(const network::Decisions& decisions) {
  Json asked = Json::array(), refused = Json::array();
  for (const pack::Ask& each : decisions.asked) asked.push_back({{"host", each.host}, {"port", each.port}});
  for (const network::Refused& each : decisions.refused) refused.push_back({{"host", each.host}, {"port", each.port}});
  return {{"asked", asked}, {"allowed", endpoints(decisions.allowed)}, {"refused", refused}};
}

}  // namespace

std::string written(const Parts& parts) {
  const pack::Manifest& manifest = parts.sources.manifest;
  const site::Policy* policy = parts.sources.policy;
  Json steps = Json::array(), files = Json::object(), outputs = Json::array();
  for (const Step& step : parts.steps) steps.push_back(step_node(step));
  for (const auto& [name, file] : parts.sources.inputs.files)
    files[name] = {{"sha256", file.digest.hex()}, {"size", file.size_bytes}};
  for (const Output& output : manifest.outputs) outputs.push_back({{"name", output.name}, {"path", output.path}});
  return canon::canonical(
      {{"schema", "stella.plan.v1"},
       {"pack",
        {{"name", manifest.name}, {"version", manifest.version}, {"digest", parts.sources.pack_digest.tagged()}}},
       {"tenant", parts.sources.tenant},
       {"mode", name_of(policy != nullptr ? policy->mode : site::Mode::sealed)},
       {"inputs", parts.sources.inputs.values},
       {"files", files},
       {"steps", steps},
       {"approvals", approvals(parts.steps)},
       {"secrets", secrets(parts)},
       {"network", network_node(parts.decisions)},
       {"outputs", outputs},
       {"runtime", runtime(manifest)}});
}

}  // namespace stella::plan
