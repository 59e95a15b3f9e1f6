// SPDX-License-Identifier: Apache-2.0
// The console's pages for people: GET /console/packs/runs and /console/packs/runs/{id}, and the files they need.
#include <fmt/format.h>

#include "appliance/console/neutral.hpp"
#include "appliance/console/page_view.hpp"
#include "appliance/console/run_json.hpp"
#include "appliance/page/assets.hpp"
#include "appliance/page/runs.hpp"
#include "bundles/canon/digest.hpp"

namespace stella::console {
namespace {

using fault::Code;
using fault::Error;

http::Response html(std::string text, int status = 200) {
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "text/html; charset=utf-8"}};
  response.body = std::move(text);
  return response;
}

std::string next_address(const page::RunsView& view, const canon::Json& next) {
  if (!next.is_string()) return {};
  const auto part = [](const char* name, const std::string& value) {
    return value.empty() ? std::string() : fmt::format("{}={}&", name, markup::url_part(value));
  };
  return fmt::format("{}?{}{}{}{}cursor={}", page::runs_path(), part("state", view.state), part("pack", view.pack),
                     part("tenant", view.tenant), part("since", view.since), markup::url_part(next.get<std::string>()));
}

// A list that has not changed costs its script's next question nothing: 304. What is counted from now is counted in the
// browser too.
std::string list_tag(Desk& desk, const Visit& visit) {
  const page::Frame frame = frame_of(desk, visit);
  return fmt::format("\"{}\"", canon::sha256(fmt::format("{}\n{}\n{}\n{}", frame.who, frame.form_token,
                                                         variant_of(frame), runs_text(desk, visit)))
                                   .hex());
}

bool has_it(const Visit& visit, const std::string& tag) {
  return visit.request.header("if-none-match").value_or("") == tag;
}

http::Response list(Desk& desk, const Visit& visit) {
  page::RunsView view{.now = visit.now};
  std::string tag;
  int status = 200;
  try {
    view.state = visit.query("state").value_or("");
    view.pack = visit.query("pack").value_or("");
    view.tenant = visit.query("tenant").value_or("");
    view.since = visit.query("since").value_or("");
    tag = list_tag(desk, visit);
    if (has_it(visit, tag)) {
      http::Response same;
      same.status = 304;
      same.headers = {{"ETag", tag}};
      return same;
    }
    const canon::Json found = runs_page(desk, visit);
    view.runs = found.at("runs");
    view.next = next_address(view, found.at("next"));
  } catch (const Error& error) {
    if (error.code() != Code::usage) throw;
    view.problem = error.what();
    status = 400;
  }
  http::Response response = html(page::runs_page(frame_of(desk, visit), view), status);
  if (status == 200) response.headers.emplace_back("ETag", tag);
  return response;
}

http::Response show(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  const page::Frame frame = frame_of(desk, visit);
  std::string key = "page " + variant_of(frame);
  for (const auto& [name, value] : visit.request.target.query) key += fmt::format("\n{}={}", name, value);
  return html(personal(
      desk.rendering_of(row, key, [&] { return page::run_page(neutral(frame), run_view(desk, row, visit)); }), frame));
}

http::Response begin_at_the_list(Desk&, const Visit&) {
  http::Response response;
  response.status = 303;
  response.headers = {{"Location", page::runs_path()}};
  return response;
}

http::Response asset(Desk&, const Visit& visit) {
  const page::Asset* found = page::find_asset(visit.request.target.path);
  if (found == nullptr) throw Error(Code::file_not_found, "asset", "there is no such file");
  http::Response response;
  response.headers = {{"Content-Type", std::string(found->type)},
                      {"Cache-Control", "public, max-age=31536000, immutable"}};
  response.fixed = found->bytes;
  return response;
}

}  // namespace

void add_page_routes(Routes& routes) {
  routes.add({.method = "GET", .pattern = "/", .act = begin_at_the_list, .is_page = true});
  routes.add({.method = "GET", .pattern = "/console", .act = begin_at_the_list, .is_page = true});
  routes.add({.method = "GET", .pattern = "/console/packs/runs", .act = list, .is_page = true});
  routes.add({.method = "GET", .pattern = "/console/packs/runs/{id}", .act = show, .is_page = true});
  routes.add({.method = "GET",
              .pattern = "/console/assets/{name}",
              .need = Need::open,
              .act = asset,
              .where = http::Where::server_thread});
}

}  // namespace stella::console
