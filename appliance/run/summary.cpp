// SPDX-License-Identifier: Apache-2.0
#include "appliance/run/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "appliance/gate/gate.hpp"
#include "appliance/plan/plan.hpp"
#include "appliance/run/disturbance.hpp"
#include "appliance/run/finish.hpp"
#include "appliance/run/record.hpp"
#include "appliance/run/replan.hpp"
#include "bundles/files/read.hpp"

namespace stella::run {
namespace {

using canon::Json;

Json code_or_null(const std::string& code) {
  return code.empty() ? Json() : Json(code);
}

std::string standing_of(gate::Standing standing) {
  switch (standing) {
    case gate::Standing::no_request:
      return "no-request";
    case gate::Standing::waiting:
      return "waiting";
    case gate::Standing::open:
      return "open";
    case gate::Standing::rejected:
      return "rejected";
    case gate::Standing::expired:
      return "expired";
    case gate::Standing::withdrawn:
      return "withdrawn";
  }
  return "waiting";
}

Json gate_json(const gate::Subject& subject, const plan::Step& step, const Progress& progress, clock::Time now) {
  Json object = {{"gate", step.gate.id},       {"step", step.id},    {"have", 0}, {"need", step.gate.threshold},
                 {"approvers", Json::array()}, {"expiresAt", Json()}};
  const auto known = progress.gates.find(step.gate.id);
  if (known != progress.gates.end() && known->second.expires_at)
    object["expiresAt"] = clock::format(*known->second.expires_at);
  object["state"] = is_done(progress.step(step.id).state) ? "passed" : "pending";
  if (known == progress.gates.end() || subject.current == nullptr) return object;
  try {
    const gate::Tally tally = gate::tally(subject, step.gate, now);
    object["have"] = tally.have;
    object["need"] = tally.need;
    object["approvers"] = tally.approvers;
    if (object["state"] != "passed") object["state"] = standing_of(tally.standing);
    if (!tally.missing_roles.empty()) object["missingRoles"] = tally.missing_roles;
    if (!tally.request_path.empty()) object["request"] = tally.request_path;
    if (!tally.decided_by.empty()) object["decidedBy"] = tally.decided_by;
    if (!tally.why.empty()) object["why"] = tally.why;
  } catch (const fault::Error& error) {
    object["problem"] = fmt::format("{}: {}", fault::info(error.code()).name, error.what());
  }
  return object;
}

// A turn has no events of its own: its members say how it is.
StepState state_of_turn(const std::vector<StepState>& members) {
  const auto any = [&](auto test) { return std::any_of(members.begin(), members.end(), test); };
  if (any([](StepState state) { return state == StepState::failed; })) return StepState::failed;
  if (any([](StepState state) { return state == StepState::unknown; })) return StepState::unknown;
  if (!members.empty() && std::all_of(members.begin(), members.end(), is_done)) {
    const bool skipped =
        std::all_of(members.begin(), members.end(), [](StepState s) { return s == StepState::skipped; });
    return skipped ? StepState::skipped : StepState::succeeded;
  }
  if (any([](StepState state) { return state == StepState::running || is_done(state); })) return StepState::running;
  return StepState::pending;
}

std::map<std::string, StepState> turn_states(const Steps& steps, const Progress& progress) {
  std::map<std::string, StepState> turns;
  std::map<std::string, std::vector<StepState>> members;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {  // members before their groups
    StepState state = progress.step((*step)->id).state;
    if ((*step)->kind == plan::Kind::item) state = turns[(*step)->id] = state_of_turn(members[(*step)->id]);
    if (!(*step)->parent.empty()) members[(*step)->parent].push_back(state);
  }
  return turns;
}

void put_times(Json& object, const StepProgress& step, clock::Time now) {
  if (step.started_at == clock::Time{}) return;
  object["started"] = clock::format(step.started_at);
  if (step.ended_at != clock::Time{}) object["ended"] = clock::format(step.ended_at);
  const bool runs = step.state == StepState::running;
  if (runs || step.ended_at != clock::Time{})
    object["elapsedMs"] = std::max<std::int64_t>(0, ((runs ? now : step.ended_at) - step.started_at).count());
}

Json step_json(const plan::Step& step, const Progress& progress, StepState state, clock::Time at) {
  const StepProgress& now = progress.step(step.id);
  Json object = {{"step", step.id},
                 {"parent", step.parent},
                 {"kind", step.kind == plan::Kind::item ? "item" : std::string(pack::name_of(step.kind))},
                 {"state", name_of(state)},
                 {"tries", now.tries},
                 {"attempts", now.tries_now}};
  put_times(object, now, at);
  if (!now.message.empty()) object["message"] = now.message;
  if (!now.reason.empty()) object["reason"] = now.reason;
  if (now.state != StepState::pending && step.kind == plan::Kind::run) object["exit"] = now.exit_status;
  if (!now.log.empty()) object["log"] = now.log;
  if (!now.outputs.empty()) object["outputs"] = now.outputs;
  return object;
}

Json blocked_json(const Progress& progress) {
  Json rows = Json::array();
  for (const Blocked& one : progress.blocked)
    rows.push_back({{"step", one.step},
                    {"program", one.program},
                    {"protocol", one.protocol},
                    {"host", one.host},
                    {"address", one.address},
                    {"port", one.port},
                    {"count", one.count},
                    {"first", one.first},
                    {"line", one.line}});
  return rows;
}

// In force, has paused the run, or over.
std::string_view standing_of(const chaos::Injection& one, clock::Time now) {
  if (one.is_spent) return "took-hold";
  return chaos::is_active(one, now) ? "active" : "over";
}

Json chaos_json(const Progress& progress, clock::Time now) {
  Json rows = Json::array();
  for (const chaos::Injection& one : progress.chaos) {
    Json row = chaos::data_of(one);
    row["seq"] = one.seq;
    row["at"] = clock::format_millis(one.at);
    row["state"] = standing_of(one, now);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

int exit_of(const journal::RunRow& row) {
  if (row.state == "succeeded" || row.state == "planned" || row.state == "running") return 0;
  const fault::CodeInfo* info = fault::find_code(row.code);
  if (info != nullptr) return info->exit_status;
  return row.state == "waiting" || row.state == "paused" ? 7 : 1;
}

Json short_json(const journal::RunRow& row) {
  const auto count = [&](const char* name) {
    const auto steps = row.detail.find("steps");
    return steps != row.detail.end() && steps->contains(name) ? steps->at(name) : Json();
  };
  return {{"runId", row.id},
          {"state", row.state},
          {"attempt", row.attempt},
          {"tenant", row.tenant},
          {"pack", row.pack + ":" + row.version},
          {"packDigest", row.pack_digest},
          {"planHash", row.plan_hash},
          {"requestedBy", row.requested_by},
          {"exit", exit_of(row)},
          {"code", code_or_null(row.code)},
          {"reason", code_or_null(row.reason)},
          {"created", clock::format(row.created)},
          {"updated", clock::format(row.updated)},
          {"stepsDone", count("done")},
          {"stepsTotal", count("total")},
          {"stepsFailed", count("failed")}};
}

Json summary_json(const files::Home& home, const journal::Journal& journal, const journal::RunRow& row,
                  clock::Time now) {
  Progress progress;
  std::vector<journal::Event> seals;
  journal.for_each_event(row.id, 0, [&](const journal::Event& event) {
    apply(progress, event);
    if (event.type == "pack.evidence.sealed") seals.push_back(event);
  });
  const plan::Plan plan = stored_plan(row);
  const Made made = known_turns(plan, progress);
  const auto current = site::load_applied(home);
  const gate::Subject subject{.run = row.id,
                              .tenant = row.tenant,
                              .folder = row.folder,
                              .attempt = progress.attempt,
                              .requester = row.requested_by,
                              .plan = &plan,
                              .current = current ? &*current : nullptr};
  Json object = short_json(row);
  object["requestedVia"] = progress.via;
  object["requesters"] = progress.requesters;
  object["gates"] = Json::array();
  object["steps"] = Json::array();
  const Steps steps = steps_of(plan, made);
  const auto turns = turn_states(steps, progress);
  const Hooks hooks(
      progress.chaos, [&steps](const std::string& id) { return find_step(steps, id); }, now);
  for (const plan::Step* step : steps) {
    if (step->kind == plan::Kind::gate_approval) {
      object["gates"].push_back(gate_json(subject, *step, progress, now));
      Json& gate = object["gates"].back();
      const auto held = hooks.approvals_held_until(*step);
      if (held && gate["state"] != "passed") gate["delayedUntil"] = clock::format(*held);
    }
    const auto turn = turns.find(step->id);
    const StepState state = turn == turns.end() ? progress.step(step->id).state : turn->second;
    object["steps"].push_back(step_json(*step, progress, state, now));
  }
  object["outputs"] = progress.results;
  object["blocked"] = blocked_json(progress);
  object["chaos"] = chaos_json(progress, now);
  object["evidence"] = code_or_null(sealed_bag(row, seals));
  object["folder"] = row.folder;
  return object;
}

}  // namespace stella::run
