// SPDX-License-Identifier: Apache-2.0
#include "appliance/journal/event_types.hpp"

#include <fmt/format.h>

namespace stella::journal {
namespace {

std::vector<EventType> of_runs() {
  const std::vector<Member> why = {{"code", "the error's code"},
                                   {"reason", "its reason"},
                                   {"message", "what happened"},
                                   {"step", "the step that it concerns, if one does"}};
  std::vector<Member> paused = why;
  paused.push_back({"owed", "the end that the run has to come to after its `finally` steps"});
  return {
      {"pack.run.submitted",
       "a run was made; its first event",
       false,
       {{"by", "who asked for it"},
        {"via", "{token, tenant, madeBy, for} or {peer, user}: by what, when they do not sit at the appliance"},
        {"pack", "name"},
        {"version", "its version"},
        {"packDigest", "of the bundle's config"},
        {"planHash", "of plan.json"},
        {"askedHash", "what `--plan-hash` named"}}},
      {"pack.run.planned",
       "it was planned, or planned anew under another policy",
       false,
       {{"planHash", "of plan.json"},
        {"policy", "{version, digest} of the site policy"},
        {"simulation", "what each step would do"}}},
      {"pack.run.started",
       "its first step may begin",
       false,
       {{"planHash", "of plan.json"}, {"finally", "true: it has steps that run at its end whatever comes"}}},
      {"pack.run.paused", "it stands still until somebody resumes it", false, paused},
      {"pack.run.resumed",
       "it goes on, or a new attempt begins",
       false,
       {{"by", "who resumed it"},
        {"via", "by what, as of `pack.run.submitted`"},
        {"from", "the state before"},
        {"reused", "steps that do not run again"},
        {"changed", "parts of the plan that a newer policy changed"},
        {"altered", "files that are not what they were"}}},
      {"pack.run.succeeded",
       "all its steps are done",
       false,
       {{"outputs", "[{name, path, sha256, bytes}]"}, {"values", "outputs that are values, by name"}}},
      {"pack.run.failed", "a step failed, the network was blocked or a gate was rejected", false, why},
      {"pack.run.cancelled", "somebody ended it", false, {{"by", "who"}, {"via", "by what"}, {"reason", "why"}}},
      {"pack.run.expired", "a gate ran out", false, {{"code", "the error's code"}, {"gate", "the gate"}}},
  };
}

std::vector<EventType> of_steps() {
  return {
      {"pack.step.started",
       "durable before the step's first instruction",
       true,
       {{"try", "its number, from 1"},
        {"log", "the log's name"},
        {"digest", "of the step in the plan"},
        {"kind", "of a group or gate: `parallel`, `map`, `loop`, `conditional`, `gate.approval`, `gate.policy`"},
        {"case", "of a conditional: the one taken"},
        {"turns", "how many a map or loop has"},
        {"items", "what a map goes over, where only the run knows"}}},
      {"pack.step.output",
       "it printed something; at most every two seconds",
       true,
       {{"try", "its number"},
        {"log", "the log's name"},
        {"offset", "of the part in the try's text"},
        {"bytes", "of the part"},
        {"sha256", "of the part"}}},
      {"pack.step.finished",
       "a try ended; durable before anything that follows from it",
       true,
       {{"try", "its number"},
        {"state",
         "`succeeded`, `continued` (failed, and the pack lets it), `failed`, `pending` (it never ran) or "
         "`unknown`"},
        {"kind", "of a group or gate"},
        {"gate", "of an approval gate"},
        {"exit", "its exit status"},
        {"signal", "the signal that ended it"},
        {"reason", "why it failed"},
        {"message", "the same for people"},
        {"outputs", "its declared outputs"},
        {"artifacts", "files that it left, with digests"},
        {"limits", "which limits held"},
        {"elapsedMs", "how long it took"},
        {"log", "the log's name"},
        {"logBytes", "length of its whole text"},
        {"logSha256", "digest of its whole text"},
        {"digest", "of the step in the plan"}}},
      {"pack.step.retried",
       "another try follows",
       true,
       {{"try", "the next one's number"},
        {"delayMs", "how long it waits first"},
        {"reason", "why the last one failed"},
        {"decision", "`rerun`: a person's word after a crash"}}},
      {"pack.step.skipped",
       "it does not run",
       true,
       {{"when", "the condition that did not hold"}, {"case", "the case taken instead"}, {"digest", "of the step"}}},
  };
}

std::vector<EventType> of_gates() {
  return {
      {"pack.gate.waiting",
       "a gate began to wait, or was given more time",
       true,
       {{"gate", "its id in the plan"},
        {"threshold", "how many approvals it needs"},
        {"roles", "how many of each role"},
        {"message", "the pack's words to approvers"},
        {"expiresAt", "when it runs out"},
        {"by", "who gave more time"},
        {"via", "by what"}}},
      {"pack.gate.approved", "enough approvals count", true, {{"gate", "its id"}, {"approvers", "their names"}}},
      {"pack.gate.rejected", "somebody said no", true, {{"gate", "its id"}, {"by", "who"}, {"comment", "why"}}},
      {"pack.gate.expired", "nobody decided in time", true, {{"gate", "its id"}, {"expiredAt", "when it ran out"}}},
      {"pack.approval.requested",
       "a request file went out",
       true,
       {{"gate", "its id"},
        {"dsse", "digest of the request's payload"},
        {"requestId", "the request's id"},
        {"planHash", "of plan.json"},
        {"attempt", "the run's attempt"},
        {"threshold", "how many approvals it needs"},
        {"expiresAt", "when it runs out"},
        {"supersedes", "the request before it"},
        {"requesters", "who may not approve it"}}},
      {"pack.approval.recorded",
       "a response was taken in",
       true,
       {{"gate", "its id"},
        {"dsse", "digest of the response"},
        {"decision", "`approved` or `rejected`"},
        {"approver", "who decided"},
        {"keyid", "their key"},
        {"comment", "their words"},
        {"requestId", "the request's id"},
        {"signedAt", "when they signed"},
        {"seen", "{size, root} of the ledger that they saw"}}},
      {"pack.approval.refused",
       "a response was not taken",
       false,
       {{"gate", "its id"},
        {"code", "the error's code"},
        {"reason", "its reason"},
        {"message", "what happened"},
        {"file", "the file's name"},
        {"sha256", "of what came"}}},
  };
}

std::vector<EventType> of_surroundings() {
  return {
      {"pack.network.blocked",
       "a step tried to reach what the policy does not allow; nothing left",
       true,
       {{"program", "which program"},
        {"protocol", "`tcp`, `udp`, `dns`, `other`"},
        {"host", "the name, when one was asked for"},
        {"address", "the address"},
        {"port", "the port"},
        {"count", "how often"},
        {"first", "when first"},
        {"line", "what the policy would have to say"},
        {"lost", "true: too many came to name each"}}},
      {"pack.network.allowed",
       "what a step did with an allowed host",
       true,
       {{"host", "the name"},
        {"address", "the pinned address"},
        {"port", "the port"},
        {"connections", "how many"},
        {"bytesOut", "sent"},
        {"bytesIn", "received"},
        {"unreachable", "how many found nobody"},
        {"cut", "how many a chaos hook reset"}}},
      {"pack.secret.leased",
       "a step was given a secret",
       true,
       {{"name", "the secret's name"}, {"scope", "its scope"}, {"version", "its version"}}},
      {"pack.secret.released",
       "the step's copy is gone",
       true,
       {{"name", "the secret's name"}, {"scope", "its scope"}, {"version", "its version"}}},
      {"pack.chaos.injected",
       "a test of resilience began",
       false,
       {{"hook", "`pause`, `drop-network`, `delay-approvals`"},
        {"forMs", "how long"},
        {"step", "before or in which step"},
        {"by", "who"},
        {"until", "when it ends"}}},
  };
}

std::vector<EventType> of_evidence() {
  return {
      {"pack.evidence.sealed",
       "a bag of evidence was made and signed",
       false,
       {{"bag", "its folder's name"}, {"number", "its number on this appliance"}, {"list", "digest of its list"}}},
      {"pack.evidence.exported",
       "the bag was copied out and read back",
       false,
       {{"list", "digest of its list"}, {"fileSystem", "of the medium"}, {"removable", "whether the medium is"}}},
      {"pack.hold.placed", "the run is kept whatever its age", false, {{"by", "who"}, {"reason", "why"}}},
      {"pack.hold.released", "it may be pruned again", false, {{"by", "who"}}},
      {"pack.artifacts.removed",
       "what was large in an ended run was removed by its age",
       false,
       {{"by", "who"},
        {"why", "the rule"},
        {"bytes", "how much was freed"},
        {"list", "digest of the sealed bag's list"},
        {"exported", "whether that bag was exported"}}},
  };
}

}  // namespace

const std::vector<EventType>& event_types() {
  static const std::vector<EventType> kAll = [] {
    std::vector<EventType> all = of_runs();
    for (const auto& part : {of_steps(), of_gates(), of_surroundings(), of_evidence()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return kAll;
}

std::string events_page() {
  std::string page =
      "# Events\n\nGenerated by `stella explain --events --markdown`; a test compares the two. Every line of a run's "
      "[journal](journal.md) has `seq`, `at`, `type`, `run`, `attempt`, `prev` and `data`; those marked *step* also "
      "have `step`. Members that do not apply are left out, and a later stella may add some.\n\n"
      "| type | written when | of |\n|---|---|---|\n";
  for (const EventType& one : event_types())
    page += fmt::format(
        "| [`{}`](#{}) | {} | {} |\n", one.name,
        [&] {
          std::string anchor;
          for (const char c : one.name)
            if (c != '.') anchor += c;
          return anchor;
        }(),
        one.when, one.of_step ? "step" : "run");
  for (const EventType& one : event_types()) {
    page += fmt::format("\n## {}\n\n| data | meaning |\n|---|---|\n", one.name);
    for (const Member& member : one.data) page += fmt::format("| `{}` | {} |\n", member.name, member.meaning);
  }
  return page;
}

}  // namespace stella::journal
