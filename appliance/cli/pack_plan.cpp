// SPDX-License-Identifier: Apache-2.0
// pack plan: what a pack would do here, without doing it.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <unordered_map>

#include "appliance/admission/admission.hpp"
#include "appliance/cli/command.hpp"
#include "appliance/cli/plan_mask.hpp"
#include "appliance/journal/journal.hpp"
#include "appliance/pack/folder.hpp"
#include "appliance/pack/inputs.hpp"
#include "appliance/plan/diff.hpp"
#include "appliance/plan/plan.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/files/read.hpp"
#include "bundles/files/write.hpp"

namespace stella::cli {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxInputs = std::uint64_t{16} << 20, kMaxPlan = std::uint64_t{64} << 20;  // bytes

struct Subject {
  pack::Manifest manifest;
  canon::Digest digest{};
  pack::FileReader read;
  std::vector<std::string> publishers;
};

Subject from_folder(Invocation& call) {
  pack::Reading reading = pack::read_folder(".");
  pack::require_none(reading.problems);
  call.out().note(
      "the current folder is planned as it is: it is neither built nor signed, so only the plan can be seen");
  return {std::move(reading.manifest), {}, pack::reader_of_folder("."), {}};
}

Subject from_pack(Invocation& call, const site::Policy* policy) {
  const admission::Wanted wanted{call.value("--pack"), call.value("--bundle")};
  if (policy == nullptr) {
    call.out().note(
        "no site policy is applied: no publisher is trusted, no network allowed, nobody can approve; only the plan can "
        "be seen");
    const auto looked = std::make_shared<admission::Looked>(admission::look(call.home(), wanted));
    return {looked->manifest,
            looked->pack.digest,
            [looked](const std::string& path) { return admission::reader_of(looked->pack)(path); },
            {}};
  }
  const auto admitted =
      std::make_shared<admission::Admitted>(admission::admit(call.home(), wanted, policy, call.tenant()));
  Subject subject{admitted->manifest,
                  admitted->pack.digest,
                  [admitted](const std::string& path) { return admission::reader_of(admitted->pack)(path); },
                  {}};
  for (const auto& signer : admitted->pack.publishers) subject.publishers.push_back(signer.name);
  return subject;
}

plan::Plan make_plan(Invocation& call, const Subject& subject, const site::Policy* policy) {
  std::optional<pack::InputsFile> file;
  if (const auto path = call.value("--inputs")) file = pack::InputsFile{*path, call.read_argument(*path, kMaxInputs)};
  const pack::Inputs inputs = pack::read_inputs(subject.manifest, file, subject.read);
  return plan::make({.manifest = subject.manifest,
                     .pack_digest = subject.digest,
                     .inputs = inputs,
                     .policy = policy,
                     .tenant = call.tenant()});
}

// `given` is a plan's file or a run.
plan::Plan earlier_plan(Invocation& call, const std::string& given) {
  std::string path = given;
  if (struct stat found{}; given.starts_with("run:") && ::stat(given.c_str(), &found) != 0)
    path = journal::Journal::open(call.home()).need(given).folder + "/plan.json";
  return plan::parse(call.read_argument(path, kMaxPlan), Code::usage, path);
}

// `begun`: what was said before.
std::string share_of(const plan::Step& group, std::string begun) {
  std::string text = std::move(begun);
  if (group.max_parallel > 0 && group.kind != plan::Kind::loop) text += fmt::format(", {} at once", group.max_parallel);
  if (group.max_failures.many > 0)
    text += fmt::format(", {}{} may fail", group.max_failures.many, group.max_failures.percent ? "%" : "");
  if (!group.until.empty()) text += ", until " + group.until;
  return text;
}

std::string detail_of(const plan::Step& step) {
  switch (step.kind) {
    case plan::Kind::gate_approval:
      return fmt::format("{} approvals: {}", step.gate.threshold, step.gate.id);
    case plan::Kind::gate_policy:
      return canon::printable(step.expression, 60);
    case plan::Kind::parallel:
      return canon::printable(share_of(step, "members at the same time"), 100);
    case plan::Kind::conditional:
      return canon::printable(fmt::format("first of: {}", fmt::join(step.cases, "; ")), 100);
    case plan::Kind::item:
      return canon::printable(canon::canonical(step.turn->item), 60);
    case plan::Kind::map:
    case plan::Kind::loop:
      return canon::printable(
          share_of(step, step.dynamic ? fmt::format("over {}, at most {} turns", step.items, step.max_turns)
                         : step.kind == plan::Kind::map ? "a turn for each item"
                                                        : "turn after turn"),
          120);
    case plan::Kind::run:
      break;
  }
  if (!step.script.empty()) return "script";
  std::string words;
  for (const plan::Word& word : step.command) words += (words.empty() ? "" : " ") + word.text;
  return canon::printable(words, 60);
}

// Groups before their members, which are indented; the templates of a turn that only the run makes as `[*]`.
void add_rows(const std::vector<plan::Step>& steps, const std::string& prefix, std::size_t level,
              std::vector<std::vector<std::string>>& rows) {
  std::unordered_map<std::string, std::size_t> levels;
  for (const plan::Step& step : steps) {
    const auto parent = levels.find(step.parent);
    const std::size_t own = parent == levels.end() ? level : parent->second + 1;
    levels.emplace(step.id, own);
    const std::string id = prefix + step.id;
    rows.push_back({std::string(2 * own, ' ') + id, std::string(pack::name_of(step.kind)), step.step_class,
                    fmt::format("{}", fmt::join(step.needs, ",")), detail_of(step)});
    add_rows(step.body, id + "[*]::", own + 1, rows);
  }
}

void show_steps(Output& out, const plan::Plan& plan) {
  std::vector<std::vector<std::string>> rows;
  add_rows(plan.steps, "", 0, rows);
  out.table({"STEP", "KIND", "CLASS", "AFTER", "WHAT"}, rows);
}

void show_gates(Output& out, const plan::Plan& plan) {
  for (const plan::Step& step : plan.steps) {
    if (step.kind != plan::Kind::gate_approval) continue;
    std::string roles;
    for (const auto& [role, count] : step.gate.roles) roles += fmt::format(", {} of role {}", count, role);
    out.say(
        fmt::format("approval {}: {} people{}, within {}{}", step.gate.id, step.gate.threshold, roles,
                    clock::format_duration(step.gate.expires_after),
                    step.gate.message.empty() ? "" : fmt::format(": {}", canon::printable(step.gate.message, 200))));
  }
}

void show_secrets(Output& out, const plan::Plan& plan) {
  for (const Json& secret : plan.document["secrets"])
    out.say(fmt::format("secret {} of scope {}, as {}: for {}", secret["name"].get<std::string>(),
                        secret["scope"].get<std::string>(), secret["as"].get<std::string>(),
                        secret["steps"].empty()
                            ? "no step"
                            : fmt::format("{}", fmt::join(secret["steps"].get<std::vector<std::string>>(), ", "))));
}

void show_network(Output& out, const network::Decisions& decisions) {
  for (const network::Endpoint& each : decisions.allowed)
    out.say(fmt::format("network {} {} port {} at {}", out.good("allowed"), each.host, each.port, each.address));
  for (const network::Refused& each : decisions.refused) {
    out.say(fmt::format("network {} {} port {}; the site's policy would have to say under network.allow:",
                        out.bad("refused"), each.host, each.port));
    out.say("  " + each.line);
  }
}

void show(Invocation& call, const Subject& subject, const plan::Plan& plan, const network::Decisions& decisions) {
  Output& out = call.out();
  out.say(fmt::format("plan   {}", out.strong(plan.hash_text())));
  out.say(fmt::format(
      "pack   {}:{} {}{}", plan.pack_name, plan.pack_version,
      subject.digest == canon::Digest{} ? "(not built)" : subject.digest.tagged(),
      subject.publishers.empty() ? "" : fmt::format(", published by {}", fmt::join(subject.publishers, ", "))));
  out.say(fmt::format("tenant {}, mode {}, runtime {}", plan.tenant, plan.document["mode"].get<std::string>(),
                      plan.runtime ? plan.runtime->text() : "host"));
  for (const auto& [name, value] : plan.inputs.items())
    out.say(fmt::format("input {} = {}", name, canon::printable(canon::canonical(value), 200)));
  for (const auto& [name, file] : plan.files)
    out.say(fmt::format("file {}: {} bytes, {}", name, file.size_bytes, file.digest.tagged()));
  show_steps(out, plan);
  show_gates(out, plan);
  show_secrets(out, plan);
  show_network(out, decisions);
}

std::string side(const Json& value) {
  return canon::printable(canon::canonical(value), 300);
}

Json show_changes(Output& out, const std::vector<plan::Change>& changes) {
  Json all = Json::array();
  out.say(changes.empty() ? "nothing changed" : fmt::format("{} changes", changes.size()));
  for (const plan::Change& change : changes) {
    const std::string kind = !change.before ? "added" : !change.after ? "removed" : "changed";
    Json entry = {{"change", kind}, {"place", change.place}};
    if (change.before) entry["before"] = *change.before;
    if (change.after) entry["after"] = *change.after;
    all.push_back(entry);
    out.say(fmt::format("{} {}", kind, out.strong(change.place)));
    if (change.before) out.say(out.bad("  - " + side(*change.before)));
    if (change.after) out.say(out.good("  + " + side(*change.after)));
  }
  return all;
}

// {added, removed: [step id], changed: [{id, field, from, to}]}; what is no step has its place as id.
Json by_step(const std::vector<plan::Change>& changes) {
  Json all = {{"added", Json::array()}, {"removed", Json::array()}, {"changed", Json::array()}};
  for (const plan::Change& change : changes) {
    std::string id = change.place, field;
    if (id.starts_with("steps[")) {
      const auto end = id.rfind(']');
      const auto dot = id.find("].");
      field = dot == std::string::npos ? "" : id.substr(dot + 2);
      id = id.substr(6, (dot == std::string::npos ? end : dot) - 6);
    } else if (const auto dot = id.find('.'); dot != std::string::npos) {
      field = id.substr(dot + 1);
      id = id.substr(0, dot);
    }
    if (field.empty() && !change.before)
      all["added"].push_back(id);
    else if (field.empty() && !change.after)
      all["removed"].push_back(id);
    else
      all["changed"].push_back({{"id", id},
                                {"field", field},
                                {"from", change.before.value_or(nullptr)},
                                {"to", change.after.value_or(nullptr)}});
  }
  return all;
}

Json refused_json(const network::Decisions& decisions) {
  Json all = Json::array();
  for (const network::Refused& each : decisions.refused)
    all.push_back({{"host", each.host}, {"port", each.port}, {"line", each.line}});
  return all;
}

int show_plan(Invocation& call) {
  const auto applied = site::load_applied(call.home());
  const site::Policy* policy = applied ? &applied->policy : nullptr;
  const Subject subject = call.value("--pack") || call.value("--bundle") ? from_pack(call, policy) : from_folder(call);
  const plan::Plan plan = make_plan(call, subject, policy);
  const auto decisions = network::decide(subject.manifest.network, policy, subject.manifest.name);
  if (const auto out = call.value("--out")) files::write_atomically(*out, plan.bytes, 0644);
  const Json simulated = plan::simulation(plan);
  Json result = {{"planHash", plan.hash_text()},
                 {"plan", plan.document},
                 {"classes", simulated["classes"]},
                 {"dynamic", simulated["dynamic"]},
                 {"refused", refused_json(decisions)}};
  int status = 0;
  if (const auto earlier = call.value("--diff")) {
    const plan::Plan before = earlier_plan(call, *earlier);
    const PlanMask mask(call, plan.tenant, {&before.document, &plan.document});
    std::vector<plan::Change> changes = plan::diff(before.document, plan.document);
    for (plan::Change& change : changes) {
      change.place = mask.text(change.place);
      for (auto* shown : {&change.before, &change.after})
        if (*shown) **shown = mask.value(**shown);
    }
    result["plan"] = mask.value(plan.document);
    call.out().say(fmt::format("plan   {}", call.out().strong(plan.hash_text())));
    result["changes"] = show_changes(call.out(), changes);
    result["diff"] = by_step(changes);
    if (call.flag("--exit-code") && !changes.empty()) status = 1;
  } else {
    show(call, subject, plan, decisions);
  }
  call.out().result(result);
  return status;
}

}  // namespace

std::vector<Command> pack_plan_commands() {
  return {
      {{"pack", "plan"},
       "show what a pack would do here, and the hash that approvers sign",
       "stella pack plan --bundle firmware-rollout-1.4.0.pack --inputs inputs.json --out plan.json",
       {},
       {{"--pack", "NAME:VERSION", "a pack of the registry"},
        {"--bundle", "FILE", "a .pack file; without both: the current folder"},
        {"--inputs", "FILE", "JSON, or YAML by extension"},
        {"--out", "FILE", "write exactly the hashed bytes"},
        {"--diff", "PLAN|RUN", "show what changed from a plan's file or a run"},
        {"--redact", "FILE", "with --diff: the values of the plans' secrets as a JSON object (`-`: standard input)"},
        {"--exit-code", "", "with --diff: exit 1 when something changed"}},
       show_plan}};
}

}  // namespace stella::cli
