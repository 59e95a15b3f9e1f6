// SPDX-License-Identifier: Apache-2.0
#include "appliance/cli/run_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "appliance/cli/state_mark.hpp"
#include "appliance/journal/holder.hpp"
#include "appliance/journal/via.hpp"
#include "appliance/kit/delivery.hpp"
#include "appliance/kit/manifest.hpp"
#include "appliance/retention/prune.hpp"
#include "appliance/run/advice.hpp"
#include "appliance/run/summary.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/canon/members.hpp"
#include "bundles/site/policy.hpp"

namespace stella::cli {
namespace {

using canon::Json;

void say_gate(Output& out, const Json& gate, clock::Time now) {
  const std::string state = canon::shown_in(gate, "state"), expires = canon::shown_in(gate, "expiresAt");
  std::string line = fmt::format("  gate {}: {}, {} of {} approvals", canon::shown_in(gate, "gate"), marked(out, state),
                                 canon::shown_in(gate, "have"), canon::shown_in(gate, "need"));
  if (const auto names = canon::all_shown_in(gate, "approvers"); !names.empty())
    line += fmt::format(" ({})", fmt::join(names, ", "));
  if (run::is_undecided(gate) && !expires.empty()) {
    const auto left = clock::parse_time(expires, fault::Code::internal, "expiresAt") - now;
    line += left.count() > 0 ? fmt::format(", {} left (runs out {})", clock::format_duration(left), expires)
                             : fmt::format(", ran out {}", expires);
  }
  out.say(line);
  if (const auto roles = canon::all_shown_in(gate, "missingRoles"); run::is_undecided(gate) && !roles.empty())
    out.say(fmt::format("    missing: {}", fmt::join(roles, ", ")));
  if (const auto names = canon::all_shown_in(gate, "mayDecide"); !names.empty())
    out.say(fmt::format("    may decide: {}", fmt::join(names, ", ")));
  if (const std::string until = canon::shown_in(gate, "delayedUntil"); !until.empty())
    out.say(fmt::format("    a chaos hook holds approvals back until {}", until));
  for (const char* name : {"decidedBy", "why", "problem"}) {
    if (const std::string value = canon::shown_in(gate, name); !value.empty())
      out.say(fmt::format("    {}: {}", std::string_view(name) == "decidedBy" ? "decided by" : name, value));
  }
}

void say_blocked(Output& out, const Json& one) {
  const std::string address = canon::shown_in(one, "address");
  out.say(out.bad(fmt::format("  blocked: {}: {} {} {}{} port {} ({} times)", canon::shown_in(one, "step"),
                              canon::shown_in(one, "program"), canon::shown_in(one, "protocol"),
                              canon::shown_in(one, "host"), address.empty() ? "" : " " + address,
                              canon::shown_in(one, "port"), canon::shown_in(one, "count"))));
  if (const std::string line = canon::shown_in(one, "line"); !line.empty())
    out.say(fmt::format("    a policy with this line under network.allow would let it: {}", line));
}

void say_chaos(Output& out, const Json& one) {
  const std::string step = canon::shown_in(one, "step"), by = canon::shown_in(one, "by");
  out.say(fmt::format("  chaos: {}{} at {} by {}, until {}: {}", canon::shown_in(one, "hook"),
                      step.empty() ? "" : " on step " + step, canon::shown_in(one, "at"), by,
                      canon::shown_in(one, "until"), canon::shown_in(one, "state")));
}

void say_head(Output& out, const Json& summary) {
  out.say(out.strong(fmt::format("{}  ", summary.at("runId").get<std::string>())) +
          marked(out, summary.at("state").get<std::string>()));
  for (const auto& [name, label] : {std::pair{"pack", "pack"},
                                    {"planHash", "plan"},
                                    {"requestedBy", "by"},
                                    {"attempt", "attempt"},
                                    {"code", "code"},
                                    {"reason", "reason"}}) {
    const std::string value = canon::shown_in(summary, name);
    if (!value.empty()) out.say(fmt::format("  {:<9}{}", label, value));
    if (label == std::string_view("by")) {
      if (const std::string via = journal::via_text(summary.at("requestedVia")); !via.empty())
        out.say(fmt::format("  {:<9}{}", "with", via));
    }
  }
  if (canon::shown_in(summary, "state") == "running" && canon::shown_in(summary, "runner").empty())
    out.say(fmt::format("  {:<9}none: it was interrupted and does not go on by itself", "runner"));
  if (const auto hold = summary.find("hold"); hold != summary.end() && hold->is_object())
    out.say(fmt::format("  {:<9}by {} since {}: {}", "held", canon::shown_in(*hold, "who"),
                        canon::shown_in(*hold, "at"), canon::shown_in(*hold, "reason")));
}

// Null where the site has no kit folder or the run is not finished.
Json kit_of(const files::Home& home, const journal::RunRow& row) {
  const kit::Standing standing = kit::standing(home);
  if (standing.folder.empty() || !kit::has_ended(row)) return {};
  const std::string file = kit::find_delivered(home, row);
  Json why;
  for (const kit::Waiting& one : standing.waiting)
    if (one.run == row.id) why = one.why;
  return {{"folder", standing.folder}, {"file", file.empty() ? Json() : Json(file)}, {"why", why}};
}

}  // namespace

Json summary_of(Invocation& call, const journal::Journal& journal, const journal::RunRow& row) {
  Json summary = run::summary_json(call.home(), journal, row, call.clock().now());
  if (const auto applied = site::load_applied(call.home())) run::add_candidates(summary, applied->policy, row);
  summary["exported"] = retention::is_exported(journal, row);
  summary["hold"] = canon::Json();
  if (const auto hold = journal.hold_of(row.id))
    summary["hold"] = {{"who", hold->who}, {"reason", hold->reason}, {"at", clock::format(hold->at)}};
  summary["runner"] = Json();
  if (row.state == "running") {
    if (const auto runner = journal::find_runner(row)) summary["runner"] = *runner;
  }
  summary["kit"] = kit_of(call.home(), row);
  summary["artifactsRemoved"] = canon::Json();
  if (const auto removed = retention::find_artifacts_removed(journal, row))
    summary["artifactsRemoved"] = {{"at", clock::format(removed->at)},
                                   {"by", removed->data.value("by", std::string())},
                                   {"why", removed->data.value("why", std::string())}};
  summary["next"] = run::next_of(summary);
  return summary;
}

void say_summary(Output& out, const Json& summary, clock::Time now, Fold fold) {
  say_head(out, summary);
  say_tree(out, summary.at("steps"), fold);
  for (const Json& gate : summary.at("gates")) say_gate(out, gate, now);
  for (const Json& one : summary.at("blocked")) say_blocked(out, one);
  for (const Json& one : summary.at("chaos")) say_chaos(out, one);
  if (const std::string bag = canon::shown_in(summary, "evidence"); !bag.empty())
    out.say(fmt::format("  evidence {}{}", bag, canon::shown_in(summary, "exported") == "true" ? " (exported)" : ""));
  if (const Json& kit = summary.at("kit"); kit.is_object())
    out.say(kit.at("file").is_string()
                ? fmt::format("  kit      {}", canon::shown_in(kit, "file"))
                : fmt::format("  kit      waits: {}", canon::printable(canon::shown_in(kit, "why"), 300)));
  if (const Json& removed = summary.at("artifactsRemoved"); removed.is_object())
    out.say(fmt::format("  removed  artifacts and bags, {} by {}: {}", canon::shown_in(removed, "at"),
                        canon::shown_in(removed, "by"), canon::shown_in(removed, "why")));
  if (const std::string next = canon::shown_in(summary, "next"); !next.empty())
    out.say(fmt::format("  next     {}", next));
}

}  // namespace stella::cli
