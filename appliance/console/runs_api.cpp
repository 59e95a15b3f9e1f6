// SPDX-License-Identifier: Apache-2.0
// GET /api/runs and /api/runs/{id}: what `pack runs list` and `pack runs show` say, for the visitor's tenant.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <span>

#include "appliance/console/answer.hpp"
#include "appliance/console/desk.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/console/run_json.hpp"
#include "appliance/console/run_list.hpp"
#include "appliance/run/summary.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::console {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::uint64_t kLimit = 100, kMaxLimit = 1000, kMaxRuns = 1000000;

// <milliseconds>.<how many came before>.<run id>: the last run of the page before.
struct Cursor {
  std::int64_t millis = 0;
  std::size_t before = 0;
  std::string id = {};
  [[nodiscard]] bool is_past(const journal::RunRow& row) const {
    return std::pair(row.created.time_since_epoch().count(), row.id) < std::pair(millis, id);
  }
};

Cursor parse_cursor(const std::string& text) {
  Cursor cursor;
  const char* end = text.data() + text.size();
  const auto millis = std::from_chars(text.data(), end, cursor.millis);
  if (millis.ec == std::errc() && millis.ptr != end && *millis.ptr == '.') {
    const auto before = std::from_chars(millis.ptr + 1, end, cursor.before);
    if (before.ec == std::errc() && before.ptr != end && *before.ptr == '.' && cursor.before <= kMaxRuns) {
      cursor.id = std::string(before.ptr + 1, end);
      return cursor;
    }
  }
  throw Error(Code::usage, "cursor", "that is no cursor", "cursor", "Give back what `next` said.");
}

std::string state_of(const Visit& visit) {
  static const std::vector<std::string> kStates = {"planned",   "running", "waiting",   "paused",
                                                   "succeeded", "failed",  "cancelled", "expired"};
  const std::string state = visit.query("state").value_or("");
  if (state.empty() || std::ranges::find(kStates, state) != kStates.end()) return state;
  throw Error(Code::usage, "state", fmt::format("no run is ever `{}`", canon::printable(state, 40)), "state");
}

journal::Journal::Filter filter_of(const Visit& visit) {
  journal::Journal::Filter filter{.state = state_of(visit), .pack = visit.query("pack").value_or("")};
  filter.tenant = visit.query("tenant").value_or(visit.who.tenant.value_or(""));
  if (!visit.who.may_see(filter.tenant))
    throw Denied("tenant", "this token is of another tenant", "Leave the tenant out.");
  if (const auto since = visit.query("since"))
    filter.since = since->find('-') != std::string::npos
                       ? clock::parse_time(*since, Code::usage, "since")
                       : visit.now - clock::parse_duration(*since, Code::usage, "since");
  return filter;
}

std::size_t limit_of(const Visit& visit) {
  return std::max<std::uint64_t>(1, visit.number("limit", kLimit, kMaxLimit));
}

// The rows that follow the cursor's. New runs come in front: what was counted before is a hint, the run itself decides.
std::vector<journal::RunRow> rows_after(const journal::Journal& journal, journal::Journal::Filter filter,
                                        const Cursor& from, std::size_t wanted) {
  for (filter.limit = from.before + wanted;; filter.limit *= 2) {
    auto rows = journal.list(filter);
    const bool all = rows.size() < filter.limit;
    if (!from.id.empty()) std::erase_if(rows, [&](const auto& row) { return !from.is_past(row); });
    if (rows.size() >= wanted || all) {
      rows.resize(std::min(rows.size(), wanted));
      return rows;
    }
  }
}

http::Response list_runs(Desk& desk, const Visit& visit) {
  return text_response(runs_text(desk, visit));
}

http::Response show_run(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  return text_response(desk.rendering_of(row, "api", [&] { return text_of(run_page(desk, row, visit.now)); }));
}

}  // namespace

std::string runs_text(Desk& desk, const Visit& visit) {
  // It may say how long ago, another list each time; and few ask for a second page twice.
  if (visit.query("since") || !visit.query("cursor").value_or("").empty()) return text_of(runs_page(desk, visit));
  return desk.first_page(filter_of(visit), limit_of(visit));
}

Json runs_page(Desk& desk, const Visit& visit) {
  const std::size_t limit = limit_of(visit);
  const auto text = visit.query("cursor");
  const Cursor from = text && !text->empty() ? parse_cursor(*text) : Cursor{};
  const auto rows =
      rows_after(desk.journal(), filter_of(visit), from, limit + 1);  // one more: to know whether there is
  const bool more = rows.size() > limit;
  std::map<std::string, journal::Hold> holds;
  for (auto& hold : desk.journal().holds()) holds[hold.run] = hold;
  Json runs = Json::array();
  for (const auto& row : std::span(rows).first(std::min(rows.size(), limit))) {
    const auto hold = holds.find(row.id);
    runs.push_back(row_json(row, hold == holds.end() ? nullptr : &hold->second));
  }
  Json next;
  if (more) {
    next = cursor_after(rows[limit - 1], from.before + limit);
  }
  return {{"runs", std::move(runs)}, {"more", more}, {"next", std::move(next)}};
}

// Folders of this machine are nobody's business outside.
Json run_page(Desk& desk, const journal::RunRow& row, clock::Time now) {
  Json object = run::summary_json(desk.home(), desk.journal(), row, now);
  object.erase("folder");
  const auto shorten = [](Json& value) {
    if (!value.is_string()) return;
    const std::string path = value.get<std::string>();
    value = path.substr(path.rfind('/') + 1);
  };
  shorten(object["evidence"]);
  for (Json& gate : object["gates"]) {
    if (gate.contains("request")) shorten(gate["request"]);
  }
  return object;
}

void add_run_routes(Routes& routes) {
  routes.add({.method = "GET", .pattern = "/api/runs", .act = list_runs});
  routes.add({.method = "GET", .pattern = "/api/runs/{id}", .act = show_run});
}

}  // namespace stella::console
