// SPDX-License-Identifier: Apache-2.0
// chaos report: before, during and after each hook of a run, and whether it is back to its baseline.
#include "appliance/chaos/report.hpp"

#include <fmt/format.h>

#include "appliance/cli/deciding_time.hpp"
#include "appliance/cli/run_console.hpp"
#include "appliance/cli/runs.hpp"
#include "appliance/cli/state_mark.hpp"
#include "appliance/run/expiry.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::cli {
namespace {

using canon::Json;
using chaos::Comparison;
using chaos::Finding;
using chaos::Measures;
using chaos::Verdict;

Json spread_json(const std::vector<clock::Duration>& lengths) {
  const chaos::Spread spread = chaos::spread_of(lengths);
  return {{"count", spread.count}, {"medianMs", spread.median.count()}, {"greatestMs", spread.greatest.count()}};
}

Json measures_json(const Measures& one, const chaos::Window& window) {
  Json types = Json::object();
  for (const auto& [type, lengths] : one.lengths) types[type] = spread_json(lengths);
  return {{"from", clock::format_millis(window.from)},
          {"to", clock::format_millis(window.to)},
          {"stepDuration", types},
          {"gateWait", spread_json(one.gate_waits)},
          {"stepsEnded", one.ended},
          {"failures", one.failures},
          {"retries", one.retries},
          {"blocked", one.blocked},
          {"logBytes", one.log_bytes}};
}

// Rounded to a thousandth: RFC 8785 writes what is left, and nobody reads more.
Json rounded(const std::optional<double>& value) {
  if (!value) return nullptr;
  return static_cast<double>(static_cast<std::int64_t>(*value * 1000 + 0.5)) / 1000;
}

Json comparisons_json(const std::vector<Comparison>& all) {
  Json rows = Json::array();
  for (const Comparison& one : all) {
    Json row = {{"metric", one.metric},
                {"baseline", rounded(one.baseline)},
                {"after", rounded(one.after)},
                {"verdict", chaos::name_of(one.verdict)}};
    if (!one.type.empty()) row["type"] = one.type;
    if (!one.why.empty()) row["why"] = one.why;
    rows.push_back(std::move(row));
  }
  return rows;
}

Json finding_json(const Finding& one) {
  Json object = chaos::data_of(one.injection);
  object["seq"] = one.injection.seq;
  object["at"] = clock::format_millis(one.injection.at);
  object["over"] = one.is_over;
  object["before"] = measures_json(one.before, one.parts.before);
  object["during"] = measures_json(one.during, one.parts.during);
  object["after"] = measures_json(one.after, one.parts.after);
  object["againstItself"] = comparisons_json(one.own);
  object["againstEarlierRuns"] = comparisons_json(one.history);
  object["verdict"] = chaos::name_of(one.verdict);
  return object;
}

std::string value_text(const std::string& metric, const std::optional<double>& value) {
  if (!value) return "-";
  if (metric == "stepDuration" || metric == "gateWait")
    return span_text(clock::Duration(static_cast<std::int64_t>(*value)));
  return metric == "logThroughput" ? fmt::format("{:.0f} B/s", *value) : fmt::format("{:.2f} a step", *value);
}

std::string verdict_text(const Output& out, const Comparison& one) {
  if (one.verdict == Verdict::unknown) return out.faint(fmt::format("unknown: {}", one.why));
  return one.verdict == Verdict::back ? out.good("back") : out.bad("not back");
}

void say_parts(Output& out, const Finding& one) {
  std::vector<std::vector<std::string>> rows;
  const auto row = [&](const char* name, const Measures& part) {
    std::string lengths;
    for (const auto& [type, all] : part.lengths)
      lengths += fmt::format("{}{} {}", lengths.empty() ? "" : ", ", type, span_text(chaos::spread_of(all).median));
    const std::string waits = part.gate_waits.empty() ? "-" : span_text(chaos::spread_of(part.gate_waits).median);
    rows.push_back({name, span_text(part.length), std::to_string(part.ended), lengths.empty() ? "-" : lengths, waits,
                    std::to_string(part.retries), std::to_string(part.failures), std::to_string(part.blocked),
                    std::to_string(part.log_bytes)});
  };
  row("before", one.before);
  row("during", one.during);
  row("after", one.after);
  out.table({"PART", "LENGTH", "ENDED", "MEDIANS", "GATES", "RETRIES", "FAILURES", "BLOCKED", "LOG BYTES"}, rows);
}

void say_finding(Output& out, const Finding& one, std::size_t past) {
  out.say(out.strong(fmt::format("{}{} at {} by {}", chaos::name_of(one.injection.hook),
                                 one.injection.step.empty() ? "" : " on " + canon::printable(one.injection.step, 120),
                                 clock::format(one.injection.at), canon::printable(one.injection.by, 120))));
  say_parts(out, one);
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const std::string& against, const std::vector<Comparison>& all) {
    for (const Comparison& each : all)
      rows.push_back({each.type.empty() ? each.metric : each.metric + " " + each.type, against,
                      value_text(each.metric, each.baseline), value_text(each.metric, each.after),
                      verdict_text(out, each)});
  };
  add("itself", one.own);
  add(fmt::format("{} runs", past), one.history);
  out.table({"METRIC", "AGAINST", "BASELINE", "AFTER", "VERDICT"}, rows);
  if (!one.is_over) return out.say("  It is not over yet: ask again afterwards.");
  const char* verdict = one.verdict == Verdict::back       ? "back to its baseline, as far as there is enough to tell"
                        : one.verdict == Verdict::not_back ? "NOT back to its baseline"
                                                           : "unknown: there is too little to tell";
  out.say(fmt::format("  {}", one.verdict == Verdict::not_back ? out.bad(verdict) : verdict));
}

int report_chaos(Invocation& call) {
  const std::string id = need_run(call);
  const auto journal = run::open_journal(call.home(), looking_time(call));
  const auto row = journal.need(id);
  const chaos::Trace trace = chaos::trace_of(journal, id);
  const auto past =
      trace.injections().empty() ? std::vector<chaos::Trace>{} : chaos::history_of(journal, row, chaos::kMostHistory);
  const auto findings = chaos::findings_of(trace, past, call.clock().now());
  Json result = {{"runId", id},
                 {"state", row.state},
                 {"pack", row.pack + ":" + row.version},
                 {"earlierRuns", past.size()},
                 {"rules", chaos::kRules},
                 {"injections", Json::array()}};
  for (const Finding& one : findings) {
    result["injections"].push_back(finding_json(one));
    call.out().event(result["injections"].back());
    if (call.out().is_table()) say_finding(call.out(), one, past.size());
  }
  if (findings.empty()) call.out().say(fmt::format("no chaos hook was injected into {}", id));
  for (const std::string_view rule : chaos::kRules) {
    if (!findings.empty()) call.out().say(call.out().faint(rule));
  }
  call.out().result(result);
  return 0;
}

}  // namespace

Command chaos_report_command() {
  return {{"chaos", "report"},
          "before, during and after each hook of a run, and whether it is back to its baseline",
          "stella chaos report --run run:plant-7:20261123T165433120Z",
          {kRunArgument},
          {kRunOption},
          report_chaos};
}

}  // namespace stella::cli
