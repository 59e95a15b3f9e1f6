// SPDX-License-Identifier: Apache-2.0
// What the forms of a run's page do: what the API does, and then the page again; what went wrong is told as a page.
#include <fmt/format.h>

#include "appliance/console/answer.hpp"
#include "appliance/console/guard.hpp"
#include "appliance/console/page_view.hpp"
#include "appliance/console/run_acts.hpp"
#include "appliance/console/run_files.hpp"
#include "appliance/console/run_request.hpp"
#include "appliance/console/trouble.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

using canon::Json;

constexpr std::size_t kMaxForm = 8 << 10, kMaxResponse = 1 << 20;

using Make = std::function<http::Response(const Outcome&)>;

// `act`, and what `then` makes of it when it was done.
http::Response told(Desk& desk, const Visit& visit, const std::function<Outcome()>& act, const Make& then) {
  const std::string run = desk.run_of(visit).id;
  try {
    const Outcome outcome = act();
    if (was_done(outcome)) return then(outcome);
    const Json error = error_of(outcome);
    return trouble_page(desk, visit,
                        {.code = page::text_of(error, "code"),
                         .message = page::text_of(error, "message"),
                         .fix = page::text_of(error, "fix"),
                         .run = run},
                        status_of_exit(outcome.exit));
  } catch (const fault::Error& error) {
    return trouble_page(
        desk, visit,
        {.code = std::string(fault::info(error.code()).name), .message = error.what(), .fix = error.fix(), .run = run},
        status_of(error));
  }
}

Make back_to(const Visit& visit, const char* done) {
  return [to = fmt::format("{}?done={}", page::run_path(visit.param("id")), done)](const Outcome&) {
    return see_other(to);
  };
}

http::Response request(Desk& desk, const Visit& visit) {
  return told(
      desk, visit, [&] { return make_request(desk, visit, form_field(visit.request, "gate")); },
      [](const Outcome& outcome) { return json_attachment(outcome.out, request_name(outcome.out)); });
}

http::Response approve(Desk& desk, const Visit& visit) {
  return told(
      desk, visit, [&] { return hand_in(desk, visit, form_field(visit.request, "response")); },
      back_to(visit, "approve"));
}

http::Response resume(Desk& desk, const Visit& visit) {
  return told(
      desk, visit, [&] { return resume_run(desk, visit, {}); }, back_to(visit, "resume"));
}

http::Response cancel(Desk& desk, const Visit& visit) {
  http::Pairs wishes;
  if (const std::string reason = form_field(visit.request, "reason"); !reason.empty())
    wishes.emplace_back("reason", reason);
  return told(
      desk, visit, [&] { return cancel_run(desk, visit, wishes); }, back_to(visit, "cancel"));
}

http::Response plan(Desk& desk, const Visit& visit) {
  return json_attachment(plan_text(desk.run_of(visit)), "plan.json");
}

http::Response artifact(Desk& desk, const Visit& visit) {
  return send_artifact(desk.run_of(visit), visit.query("path").value_or(""));
}

}  // namespace

void add_page_act_routes(Routes& routes) {
  const auto form = [&](const char* name, Need need, Act act, std::size_t max_body) {
    routes.add({.method = "POST",
                .pattern = fmt::format("/console/packs/runs/{{id}}/{}", name),
                .need = need,
                .act = std::move(act),
                .max_body = max_body,
                .is_page = true});
  };
  form("request", Need::approve, request, kMaxForm);
  form("approve", Need::approve, approve, kMaxResponse);
  form("resume", Need::run, resume, kMaxForm);
  form("cancel", Need::run, cancel, kMaxForm);
  routes.add({.method = "GET", .pattern = "/console/packs/runs/{id}/plan.json", .act = plan});
  routes.add({.method = "GET", .pattern = "/console/packs/runs/{id}/artifact", .act = artifact});
}

}  // namespace stella::console
