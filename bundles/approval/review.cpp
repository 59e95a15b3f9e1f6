// SPDX-License-Identifier: Apache-2.0
#include "bundles/approval/review.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "bundles/approval/wrap.hpp"

namespace stella::approval {
namespace {

using canon::Json;

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : canon::canonical(value);
}

void head(Page& page, const Request& request) {
  const Asked& asked = request.asked;
  page.line("APPROVAL REQUEST " + asked.request_id + "   gate " + asked.gate, 0);
  page.rule('=');
  page.field("Run", fmt::format("{}, attempt {}", asked.run, asked.attempt));
  page.field("Tenant", asked.tenant + " of site " + request.pinned.site);
  const bool may = request.pinned.allow_requester_to_approve;
  std::vector<std::string> people = asked.requesters;
  if (!holds(people, asked.requested_by)) people.insert(people.begin(), asked.requested_by);
  page.field("Asked by", fmt::format("{} ({})", fmt::join(people, ", "),
                                     may ? "may approve this, the policy says" : "cannot approve this"));
  page.field("From", fmt::format("{}, key {}", asked.appliance, asked.appliance_key_id.substr(0, 16)));
  page.field("Home", asked.home_kind == "personal" ? "personal: its owner can change whatever no other person signed"
                                                   : "service: operators come through a socket");
  page.field("Issued", clock::format(asked.issued_at) + " by the appliance's clock");
  page.field("Expires", clock::format(asked.expires_at));
  if (asked.supersedes) page.field("Replaces", "request " + *asked.supersedes);
  page.field("Pack", fmt::format("{} {}", request.plan.pack_name, request.plan.pack_version));
  page.digest("", request.plan.pack_digest);
  for (const SignedBy& each : asked.publishers)
    page.field("Built by", fmt::format("{}, key {}", each.name, each.key_id.substr(0, 16)));
  page.digest("Plan", request.plan_hash);
  page.field("Policy", fmt::format("version {}", asked.policy_version));
  page.digest("", asked.policy_digest);
  page.field("Mode", request.plan.mode);
  page.field("Tools", fmt::format("stella {}", asked.stella_version));
  page.digest("", asked.stella_digest);
  page.field("", request.plan.host_programs ? "uses the appliance's own programs"
                                            : "runtime " + text_of(request.plan.document.at("runtime")));
}

void needs(Page& page, const Request& request) {
  const PlanGate& gate = *request.plan.find_gate(request.asked.gate);
  std::string text = fmt::format("{} {}", gate.threshold, gate.threshold == 1 ? "person" : "people");
  for (const auto& [role, least] : gate.roles) text += fmt::format(", at least {} {}", least, role);
  page.field("Needs", text);
  for (const Json& each : request.plan.document.at("approvals")) {
    if (each.at("id") != gate.id) continue;
    for (const auto& [name, value] : each.items())
      if (name != "id" && name != "threshold" && name != "roles")
        page.line(fmt::format("{}: {}", name, text_of(value)), Page::kLabel);
  }
}

void inputs(Page& page, const Request& request) {
  page.heading("INPUTS");
  const auto found = request.plan.document.find("inputs");
  if (found == request.plan.document.end() || found->empty()) return page.line("none");
  if (!found->is_object()) return page.line(text_of(*found));
  for (const auto& [name, value] : found->items()) page.line(fmt::format("{} = {}", name, canon::canonical(value)));
}

void script(Page& page, std::string_view text) {
  page.line("script:", 6);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    page.line(text.substr(0, end), 8);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// All of it, in the plan's own words: what is not shown cannot be approved.
void step(Page& page, const std::string& id, const PlanStep* each, const std::string& standing) {
  const std::string after = standing.empty() ? "" : " " + standing;
  if (each == nullptr) return page.line(fmt::format("{} [turn]{}", id, after));
  page.line(fmt::format("{} [{}]{}", id, each->kind, after));
  for (const auto& [name, value] : each->node.items()) {
    if (name == "id" || name == "kind") continue;
    if ((value.is_array() || value.is_object() || value.is_string()) && value.empty()) continue;
    if (name == "script" && value.is_string()) {
      script(page, value.get_ref<const std::string&>());
    } else {
      page.line(fmt::format("{}: {}", name, text_of(value)), 6);
    }
  }
}

using Done = std::map<std::string, const StepDone*>;

std::string standing_of(const Done& finished, const std::string& id, const std::string& gate) {
  if (id == gate) return "THIS GATE";
  const auto done = finished.find(id);
  if (done == finished.end()) return "not finished";
  if (done->second->state == "skipped") return "skipped";
  return fmt::format("{}, exit {}", done->second->state == "continued" ? "failed, the pack goes on" : "finished",
                     done->second->exit);
}

// In plan order; the turns that were made while the run went on stand at the end.
void steps(Page& page, const Request& request) {
  const Asked& asked = request.asked;
  const auto set_of = [](const std::vector<std::string>& ids) { return std::set<std::string>(ids.begin(), ids.end()); };
  const std::set<std::string> released = set_of(request.plan.released_by(asked.gate)),
                              behind = set_of(request.plan.behind(asked.gate));
  std::vector<std::string> mentioned = {asked.gate};
  Done done;
  for (const StepDone& each : asked.steps_done) {
    mentioned.push_back(each.id);
    done.emplace(each.id, &each);
  }
  const Order order = request.plan.order(mentioned);
  page.heading("RELEASES  these steps start once the gate is open");
  for (const auto& [id, each] : order.steps)
    if (released.contains(id)) step(page, id, each, "");
  page.heading("DONE  or not held by this gate");
  for (const auto& [id, each] : order.steps)
    if (!behind.contains(id)) step(page, id, each, standing_of(done, id, order.gates.at(asked.gate)));
  if (behind.size() == released.size()) return;
  page.heading("NOT RELEASED  a later gate holds these");
  for (const auto& [id, each] : order.steps)
    if (behind.contains(id) && !released.contains(id)) step(page, id, each, "");
}

std::string reviewed_version(const Asked& asked, const PlanSecret& secret) {
  for (const ReviewedSecret& each : asked.secrets)
    if (each.name == secret.name && each.scope == secret.scope && each.version)
      return fmt::format("version {}", *each.version);
  return "version not known, the vault was sealed";
}

void reach(Page& page, const Request& request) {
  page.heading("NETWORK  hosts that steps of this run can reach");
  const auto host = [](const PlanEndpoint& each) {
    return fmt::format("{} at {} port {}", each.host, each.address, each.port);
  };
  for (const PlanEndpoint& each : request.plan.allowed) page.line(host(each));
  if (request.plan.allowed.empty()) page.line("none");
  page.heading("SECRETS  and where a step that holds one, or what it wrote, could send it");
  for (const PlanSecret& each : request.plan.secrets) {
    page.line(fmt::format("{} of scope {}, {}", each.name, each.scope, reviewed_version(request.asked, each)));
    page.line(fmt::format("given to: {}", fmt::join(each.steps, ", ")), 6);
    for (const PlanEndpoint& endpoint : request.plan.allowed)
      page.line(fmt::format("{} -> {}", each.name, host(endpoint)), 6);
    if (request.plan.allowed.empty()) page.line("no host is reachable in this run", 6);
  }
  if (request.plan.secrets.empty()) page.line("none");
}

// Members of the plan that no section above shows.
void others(Page& page, const Request& request) {
  static const std::vector<std::string> kShown = {"schema", "pack",      "tenant",  "mode",    "inputs",
                                                  "steps",  "approvals", "secrets", "network", "runtime"};
  page.heading("OTHER");
  for (const auto& [name, value] : request.plan.document.items())
    if (!holds(kShown, name)) page.line(fmt::format("{}: {}", name, text_of(value)));
  for (const auto& [name, value] : request.plan.document.at("network").items())
    if (name != "allowed") page.line(fmt::format("network {}: {}", name, text_of(value)));
  for (const Json& each : request.plan.document.at("approvals"))
    if (each.at("id") != request.asked.gate) page.line("another gate: " + text_of(each));
}

void state(Page& page, const Request& request) {
  const Asked& asked = request.asked;
  page.heading("STATE  what must still be there when the steps start");
  page.line(fmt::format("event {} of the journal, {}", asked.state.journal_seq, asked.state.journal_head), 0);
  page.digest("work", asked.state.work);
  page.digest("artifacts", asked.state.artifacts);
  page.digest("outputs", asked.state.outputs);
  page.heading("LEDGER");
  page.line(fmt::format("{} entries before this request", asked.ledger_size), 0);
  page.digest("root", asked.ledger_root);
}

}  // namespace

std::string review_text(const Request& request) {
  Page page;
  head(page, request);
  needs(page, request);
  steps(page, request);
  reach(page, request);
  inputs(page, request);
  others(page, request);
  state(page, request);
  page.rule('=');
  return page.text();
}

canon::Digest display_digest(const Request& request) {
  return canon::sha256(review_text(request));
}

}  // namespace stella::approval
