// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/page_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "appliance/console/run_json.hpp"
#include "appliance/plan/diff.hpp"
#include "appliance/retention/prune.hpp"
#include "appliance/run/advice.hpp"
#include "bundles/files/read.hpp"
#include "bundles/site/policy.hpp"

namespace stella::console {
namespace {

using canon::Json;
using fault::Code;

constexpr std::uint64_t kMaxPlan = std::uint64_t{256} << 20;
constexpr std::int64_t kEvents = 200;
constexpr std::size_t kHitsShown = 100;
constexpr std::size_t kLooked = 20;  // earlier runs, for one to compare with

Json plan_of(const std::string& folder) {
  const std::string path = folder + "/plan.json";
  return canon::parse_json(files::read_input(path, {kMaxPlan}), Code::journal_tampered, path, kMaxPlan,
                           canon::kMaxPlanValues);
}

Json summary_of(Desk& desk, const journal::RunRow& row, clock::Time now) {
  Json summary = run_page(desk, row, now);
  if (const auto applied = site::load_applied(desk.home())) run::add_candidates(summary, applied->policy, row);
  summary["exported"] = retention::is_exported(desk.journal(), row);
  summary["hold"] = Json();
  if (const auto hold = desk.journal().hold_of(row.id))
    summary["hold"] = {{"who", hold->who}, {"reason", hold->reason}, {"at", clock::format(hold->at)}};
  summary["next"] = run::next_of(summary);
  return summary;
}

// The last run of the same pack and tenant that succeeded before this one was asked for.
void compare(Desk& desk, const journal::RunRow& row, page::RunView& view) {
  const auto earlier =
      desk.journal().list({.tenant = row.tenant, .state = "succeeded", .pack = row.pack, .limit = kLooked});
  const auto found = std::find_if(earlier.begin(), earlier.end(), [&](const journal::RunRow& one) {
    return one.id != row.id && one.created <= row.created;
  });
  if (found == earlier.end()) return;
  view.compared_with = found->id;
  if (found->plan_hash == row.plan_hash) return;
  for (plan::Change& one : plan::diff(plan_of(found->folder), view.plan))
    view.changes.push_back({std::move(one.place), std::move(one.before), std::move(one.after)});
}

void put_events(Desk& desk, const journal::RunRow& row, const Visit& visit, page::RunView& view) {
  const std::int64_t last = desk.journal().head(row.id).seq;
  const auto until =
      static_cast<std::int64_t>(visit.number("events", static_cast<std::uint64_t>(last), std::uint64_t{1} << 53));
  const std::int64_t after = std::max<std::int64_t>(0, std::min(until, last) - kEvents);
  desk.journal().for_each_event(row.id, after, [&](const journal::Event& event) {
    if (event.seq > until || static_cast<std::int64_t>(view.events.size()) >= kEvents) return;
    view.events.push_back({{"seq", event.seq},
                           {"at", clock::format_millis(event.at)},
                           {"type", event.type},
                           {"step", event.step},
                           {"data", event.data}});
  });
  view.events_before = after;
}

// The step whose log somebody wants to see who has not said which: one that runs, one that failed, the last one.
std::string telling_step(const Json& summary) {
  std::string chosen, ended;
  int rank = 0;
  for (const Json& row : page::list_of(summary, "steps")) {
    const std::string state = page::text_of(row, "state"), end = page::text_of(row, "ended");
    if (page::text_of(row, "kind") != "run" || page::number_of(row, "tries") == 0) continue;
    const int now = state == "running" ? 3 : state == "failed" || state == "unknown" ? 2 : 1;
    if (now < rank || (now == rank && (now > 1 || end < ended))) continue;
    rank = now;
    chosen = page::text_of(row, "step");
    ended = end;
  }
  return chosen;
}

LogWish wish_of(const Visit& visit, const Json& summary) {
  LogWish wish{.step = visit.query("step").value_or("")};
  if (wish.step.empty()) wish.step = telling_step(summary);
  const std::string asked = visit.query("try").value_or("");
  wish.number = asked.empty() ? 0 : static_cast<int>(visit.number("try", 0, 1000000));
  wish.from = visit.number("from", 0, std::uint64_t{1} << 53);
  wish.count = visit.query("part").value_or("") == "live" ? 0 : static_cast<std::size_t>(page::kLinesOfAPage);
  return wish;
}

const char* said_after(const std::string& done) {
  if (done == "approve") return "The response was recorded.";
  if (done == "resume") return "The run goes on.";
  if (done == "cancel") return "The run is being cancelled.";
  return "";
}

}  // namespace

page::Frame frame_of(Desk& desk, const Visit& visit) {
  page::Frame frame{.who = visit.who.name, .notice = said_after(visit.query("done").value_or(""))};
  if (visit.who.tenant) frame.who += " · " + *visit.who.tenant;
  frame.with_logout = !visit.who.cookie.empty();
  // Who comes with a token or over the socket in each request needs no form token; the field is only there.
  frame.form_token = frame.with_logout ? desk.office().sessions.form_token(visit.who.cookie) : "none";
  frame.may_run = visit.who.scopes.contains(access::Scope::run);
  frame.may_approve = visit.who.scopes.contains(access::Scope::approve);
  return frame;
}

page::LogLine shown_line(const logs::TextLine& line) {
  return {.number = static_cast<std::int64_t>(line.number),
          .text = line.text,
          .is_error = line.stream == logs::Stream::err,
          .at = clock::format_millis(line.at),
          .left_out = static_cast<std::int64_t>(line.left_out)};
}

page::LogView log_view(const journal::RunRow& row, const Json& summary, const LogWish& wish) {
  page::LogView view{.run = row.id, .step = wish.step, .number = 1, .tries = 1};
  std::string state;
  for (const Json& one : page::list_of(summary, "steps")) {
    if (page::text_of(one, "step") != wish.step) continue;
    view.tries = std::max(1, static_cast<int>(page::number_of(one, "tries")));
    state = page::text_of(one, "state");
  }
  view.number = wish.number > 0 ? wish.number : view.tries;
  view.is_live = state == "running" && view.number == view.tries && row.state == "running";
  if (wish.step.empty()) return view;
  const logs::OneTry one{row.folder + "/logs", wish.step, view.number};
  const bool at_end = wish.from == 0 && (view.is_live || state == "failed" || state == "unknown");
  const logs::Stretch stretch = at_end ? logs::read_end(one, wish.count) : logs::read_lines(one, wish.from, wish.count);
  view.total = static_cast<std::int64_t>(stretch.total);
  view.from = stretch.lines.empty() ? 1 : static_cast<std::int64_t>(stretch.lines.front().number);
  for (const logs::TextLine& line : stretch.lines) view.lines.push_back(shown_line(line));
  return view;
}

page::RunView run_view(Desk& desk, const journal::RunRow& row, const Visit& visit) {
  page::RunView view{.summary = summary_of(desk, row, visit.now), .plan = plan_of(row.folder), .now = visit.now};
  compare(desk, row, view);
  put_events(desk, row, visit, view);
  view.log = log_view(row, view.summary, wish_of(visit, view.summary));
  if (const std::string query = visit.query("q").value_or(""); !query.empty() && !view.log.step.empty())
    view.log.hits = find_in_log({row.folder + "/logs", view.log.step, view.log.number}, query, kHitsShown);
  view.group = visit.query("group");
  view.member = static_cast<std::int64_t>(visit.number("member", 0, 100000000));
  view.as_graph = visit.query("view").value_or("") == "graph";
  if (const fault::CodeInfo* info = fault::find_code(row.code)) {
    view.cause = info->cause;
    view.fix = info->fix;
  }
  return view;
}

}  // namespace stella::console
