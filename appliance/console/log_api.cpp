// SPDX-License-Identifier: Apache-2.0
// One try's log by lines, for a page that shows a part of it: a stretch, the whole as a download, and a search. Memory
// grows with what is asked for, never with the log.
#include "appliance/console/answer.hpp"
#include "appliance/console/desk.hpp"
#include "appliance/console/log_search.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/logs/lines.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::uint64_t kMaxCount = 5000, kMaxHits = 1000;
constexpr std::size_t kShown = 400, kMaxStretch = 4 << 20;

logs::OneTry try_of(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  logs::OneTry one{row.folder + "/logs", visit.query("step").value_or(""), 0};
  if (one.step.empty()) throw Error(Code::usage, "step", "the step is missing", "step");
  one.number = static_cast<int>(visit.number("try", 0, 1000000));
  if (one.number > 0) return one;
  one.number = 1;
  for (const auto& extent : logs::tries(one.folder)) {  // the newest that printed something
    if (extent.step == one.step) one.number = std::max(one.number, extent.number);
  }
  return one;
}

http::Response stretch(Desk& desk, const Visit& visit) {
  const logs::OneTry one = try_of(desk, visit);
  const std::size_t count = visit.number("count", 500, kMaxCount);
  const std::uint64_t from = visit.number("from", 0, std::uint64_t{1} << 53);
  // Without `from`: the end of it.
  const logs::Stretch found = from == 0 ? logs::read_end(one, count) : logs::read_lines(one, from, count);
  Json lines = Json::array();
  std::size_t bytes = 0;
  for (const auto& line : found.lines) {
    if ((bytes += line.text.size()) > kMaxStretch) break;  // the client asks for the rest
    Json object = {{"n", line.number}, {"text", line.text}, {"at", clock::format_millis(line.at)}};
    if (line.stream == logs::Stream::err) object["err"] = true;
    if (line.left_out > 0) object["leftOut"] = line.left_out;
    lines.push_back(std::move(object));
  }
  return json_response({{"step", one.step},
                        {"try", one.number},
                        {"total", found.total},
                        {"ended", found.has_ended},
                        {"lines", std::move(lines)}});
}

// Counts every hit, lists the first of them; after five seconds says where to go on.
http::Response search(Desk& desk, const Visit& visit) {
  const logs::OneTry one = try_of(desk, visit);
  const LogWanted wanted{.pattern = visit.query("q").value_or(""),
                         .literal = visit.query("regex").value_or("1") == "0",
                         .case_sensitive = visit.query("case").value_or("1") != "0",
                         .from = std::max<std::uint64_t>(1, visit.number("from", 1, std::uint64_t{1} << 53))};
  const std::uint64_t limit = visit.number("limit", 200, kMaxHits);
  Json hits = Json::array();
  const LogFound found =
      search_log(one, wanted, [&](const logs::TextLine& line, std::size_t start, std::size_t length) {
        if (hits.size() >= limit) return;
        hits.push_back(
            {{"n", line.number}, {"start", start}, {"length", length}, {"text", line.text.substr(0, kShown)}});
      });
  return json_response({{"step", one.step},
                        {"try", one.number},
                        {"count", found.count},
                        {"hits", std::move(hits)},
                        {"next", found.next ? Json(*found.next) : Json()}});
}

http::Response download(Desk& desk, const Visit& visit) {
  const logs::OneTry one = try_of(desk, visit);
  return download_log(visit.param("id"), one);
}

}  // namespace

void add_log_routes(Routes& routes) {
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/log", .act = stretch});
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/log/search", .act = search});
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/log/raw", .act = download});
}

}  // namespace stella::console
