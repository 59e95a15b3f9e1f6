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
#include "bundles/site/policy.hpp"

namespace stella::cli {
namespace {

using canon::Json;

std::string text_of(const Json& data, const char* name) {
  const auto found = data.find(name);
  if (found == data.end() || found->is_null()) return {};
  return canon::printable(found->is_string() ? found->get<std::string>() : canon::canonical(*found), 300);
}
std::vector<std::string> texts_of(const Json& data, const char* name) {
  std::vector<std::string> texts;
  if (const auto found = data.find(name); found != data.end() && found->is_array()) {
    for (const Json& one : *found) texts.push_back(canon::printable(one.get<std::string>(), 120));
  }
  return texts;
}

void say_gate(Output& out, const Json& gate, clock::Time now) {
  const std::string state = text_of(gate, "state"), expires = text_of(gate, "expiresAt");
  std::string line = fmt::format("  gate {}: {}, {} of {} approvals", text_of(gate, "gate"), marked(out, state),
                                 text_of(gate, "have"), text_of(gate, "need"));
  if (const auto names = texts_of(gate, "approvers"); !names.empty())
    line += fmt::format(" ({})", fmt::join(names, ", "));
  if (run::is_undecided(gate) && !expires.empty()) {
    const auto left = clock::parse_time(expires, fault::Code::internal, "expiresAt") - now;
    line += left.count() > 0 ? fmt::format(", {} left (runs out {})", clock::format_duration(left), expires)
                             : fmt::format(", ran out {}", expires);
  }
  out.say(line);
  if (const auto roles = texts_of(gate, "missingRoles"); run::is_undecided(gate) && !roles.empty())
    out.say(fmt::format("    missing: {}", fmt::join(roles, ", ")));
  if (const auto names = texts_of(gate, "mayDecide"); !names.empty())
    out.say(fmt::format("    may decide: {}", fmt::join(names, ", ")));
  if (const std::string until = text_of(gate, "delayedUntil"); !until.empty())
    out.say(fmt::format("    a chaos hook holds approvals back until {}", until));
  for (const char* name : {"decidedBy", "why", "problem"}) {
    if (const std::string value = text_of(gate, name); !value.empty())
      out.say(fmt::format("    {}: {}", std::string_view(name) == "decidedBy" ? "decided by" : name, value));
  }
}

void say_blocked(Output& out, const Json& one) {
  const std::string address = text_of(one, "address");
  out.say(out.bad(fmt::format("  blocked: {}: {} {} {}{} port {} ({} times)", text_of(one, "step"),
                              text_of(one, "program"), text_of(one, "protocol"), text_of(one, "host"),
                              address.empty() ? "" : " " + address, text_of(one, "port"), text_of(one, "count"))));
  if (const std::string line = text_of(one, "line"); !line.empty())
    out.say(fmt::format("    a policy with this line under network.allow would let it: {}", line));
}

void say_chaos(Output& out, const Json& one) {
  const std::string step = text_of(one, "step"), by = text_of(one, "by");
  out.say(fmt::format("  chaos: {}{} at {} by {}, until {}: {}", text_of(one, "hook"),
                      step.empty() ? "" : " on step " + step, text_of(one, "at"), by, text_of(one, "until"),
                      text_of(one, "state")));
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
    const std::string value = text_of(summary, name);
    if (!value.empty()) out.say(fmt::format("  {:<9}{}", label, value));
    if (label == std::string_view("by")) {
      if (const std::string via = journal::via_text(summary.at("requestedVia")); !via.empty())
        out.say(fmt::format("  {:<9}{}", "with", via));
    }
  }
  if (text_of(summary, "state") == "running" && text_of(summary, "runner").empty())
    out.say(fmt::format("  {:<9}none: it was interrupted and does not go on by itself", "runner"));
  if (const auto hold = summary.find("hold"); hold != summary.end() && hold->is_object())
    out.say(fmt::format("  {:<9}by {} since {}: {}", "held", text_of(*hold, "who"), text_of(*hold, "at"),
                        text_of(*hold, "reason")));
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
  if (const std::string bag = text_of(summary, "evidence"); !bag.empty())
    out.say(fmt::format("  evidence {}{}", bag, text_of(summary, "exported") == "true" ? " (exported)" : ""));
  if (const Json& kit = summary.at("kit"); kit.is_object())
    out.say(kit.at("file").is_string()
                ? fmt::format("  kit      {}", text_of(kit, "file"))
                : fmt::format("  kit      waits: {}", canon::printable(text_of(kit, "why"), 300)));
  if (const Json& removed = summary.at("artifactsRemoved"); removed.is_object())
    out.say(fmt::format("  removed  artifacts and bags, {} by {}: {}", text_of(removed, "at"), text_of(removed, "by"),
                        text_of(removed, "why")));
  if (const std::string next = text_of(summary, "next"); !next.empty()) out.say(fmt::format("  next     {}", next));
}

}  // namespace stella::cli
