// SPDX-License-Identifier: Apache-2.0
// The log of one try of one step for the console: stretches of its lines, a search over all of them, all of it as a
// file.
#include "appliance/console/log_search.hpp"
#include "appliance/console/page_view.hpp"
#include "appliance/logs/lines.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

using fault::Code;
using fault::Error;

constexpr std::size_t kMaxStretch = 1000, kMaxPattern = 1000, kMaxNumbers = 1000;
constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 53;

http::Response html(std::string text) {
  http::Response response;
  response.headers = {{"Content-Type", "text/html; charset=utf-8"}};
  response.body = std::move(text);
  return response;
}

logs::OneTry try_of(const journal::RunRow& row, const Visit& visit) {
  return {row.folder + "/logs", visit.query("step").value_or(""), static_cast<int>(visit.number("try", 1, 1000000))};
}

http::Response lines(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  const logs::OneTry one = try_of(row, visit);
  const std::uint64_t from = visit.number("from", 1, kMaxNumber);
  const logs::Stretch stretch = logs::read_lines(one, from, visit.number("count", 200, kMaxStretch));
  page::LogView view{.run = row.id,
                     .step = one.step,
                     .number = one.number,
                     .total = static_cast<std::int64_t>(stretch.total),
                     .from = static_cast<std::int64_t>(from)};
  view.is_live = !stretch.has_ended && row.state == "running";
  for (const logs::TextLine& line : stretch.lines) view.lines.push_back(shown_line(line));
  return html(page::log_fragment(view));
}

}  // namespace

page::LogHits find_in_log(const logs::OneTry& one, const std::string& query, std::size_t shown) {
  page::LogHits hits{.query = query};
  if (query.empty()) return hits;
  try {
    const LogFound found = search_log(one, {.pattern = query.substr(0, kMaxPattern), .case_sensitive = false},
                                      [&](const logs::TextLine& line, std::size_t, std::size_t) {
                                        const auto number = static_cast<std::int64_t>(line.number);
                                        if (hits.numbers.size() < kMaxNumbers) hits.numbers.push_back(number);
                                        if (hits.shown.size() < shown) hits.shown.push_back(shown_line(line));
                                      });
    hits.lines = static_cast<std::int64_t>(found.count);
    hits.is_whole = !found.next;
  } catch (const Error& error) {
    if (error.reason() != "q") throw;
    hits.problem = error.what();
  }
  return hits;
}

namespace {

http::Response search(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  return html(page::hits_fragment(find_in_log(try_of(row, visit), visit.query("q").value_or(""), 0)));
}

http::Response raw(Desk& desk, const Visit& visit) {
  return download_log(visit.param("id"), try_of(desk.run_of(visit), visit));
}

}  // namespace

void add_page_log_routes(Routes& routes) {
  routes.add({.method = "GET", .pattern = "/console/packs/runs/{id}/log", .act = lines});
  routes.add({.method = "GET", .pattern = "/console/packs/runs/{id}/log/search", .act = search});
  routes.add({.method = "GET", .pattern = "/console/packs/runs/{id}/log/raw", .act = raw});
}

}  // namespace stella::console
