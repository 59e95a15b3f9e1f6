// SPDX-License-Identifier: Apache-2.0
#include "appliance/plan/writing.hpp"

#include <map>
#include <set>

#include "appliance/plan/node.hpp"

namespace stella::plan {
namespace {

using canon::Json;

// Gates of templates too, whose ids have `[*]` for the turns that only the run makes.
void add_approvals(const std::vector<Step>& steps, Json& out) {
  for (const Step& step : steps) {
    add_approvals(step.body, out);
    if (step.kind != Kind::gate_approval) continue;
    Json entry = {{"id", step.gate.id},
                  {"threshold", step.gate.threshold},
                  {"roles", Json::object()},
                  {"expiresAfter", text_of(step.gate.expires_after)}};
    for (const auto& [role, count] : step.gate.roles) entry["roles"][role] = count;
    if (!step.gate.message.empty()) entry["message"] = step.gate.message;
    out.push_back(std::move(entry));
  }
}

// secret -> the steps that get it; the turns of a map or loop count as one.
using Holders = std::map<std::string, std::set<std::string>>;

void add_holders(const std::vector<Step>& steps, const std::string& prefix, Holders& holders) {
  for (const Step& step : steps) {
    for (const Secret& each : step.secrets) holders[each.name].insert(template_id(prefix + step.id));
    if (!step.body.empty()) add_holders(step.body, prefix + step.id + "[*]::", holders);
  }
}

// Every secret that the pack declares.
Json secrets(const Parts& parts) {
  Holders holders;
  add_holders(parts.steps, "", holders);
  Json out = Json::array();
  for (const Secret& declared : parts.sources.manifest.secrets) {
    Json entry = secret(declared);
    entry["steps"] = holders[declared.name];
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

Json output_node(const Output& output) {
  if (output.type == pack::InputType::file) return {{"name", output.name}, {"path", output.path}};
  return {{"name", output.name}, {"type", pack::name_of(output.type)}, {"value", output.value}};
}

}  // namespace

std::string written(const Parts& parts) {
  const pack::Manifest& manifest = parts.sources.manifest;
  const site::Policy* policy = parts.sources.policy;
  Json steps = Json::array(), files = Json::object(), outputs = Json::array(), approvals = Json::array();
  for (const Step& step : parts.steps) steps.push_back(step_node(step));
  for (const auto& [name, file] : parts.sources.inputs.files)
    files[name] = {{"sha256", file.digest.hex()}, {"size", file.size_bytes}};
  for (const Output& output : manifest.outputs) outputs.push_back(output_node(output));
  add_approvals(parts.steps, approvals);
  return canon::canonical(
      {{"schema", "stella.plan.v1"},
       {"pack",
        {{"name", manifest.name}, {"version", manifest.version}, {"digest", parts.sources.pack_digest.tagged()}}},
       {"tenant", parts.sources.tenant},
       {"mode", name_of(policy != nullptr ? policy->mode : site::Mode::sealed)},
       {"inputs", parts.sources.inputs.values},
       {"files", files},
       {"steps", steps},
       {"approvals", approvals},
       {"secrets", secrets(parts)},
       {"network", network_node(parts.decisions)},
       {"outputs", outputs},
       {"maxParallel", manifest.max_parallel},
       {"runtime", runtime(manifest)}});
}

}  // namespace stella::plan
