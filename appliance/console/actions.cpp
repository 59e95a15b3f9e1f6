// SPDX-License-Identifier: Apache-2.0
// What acts: start, hand in a response, resume, cancel, and the request of a waiting gate. Each is the verb that a
// person would type.
#include <fmt/format.h>

#include "appliance/console/answer.hpp"
#include "appliance/console/desk.hpp"
#include "appliance/console/guard.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/console/run_acts.hpp"
#include "appliance/console/run_request.hpp"
#include "appliance/console/verb.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

using canon::Json;
using fault::Code;

constexpr std::size_t kMaxRunBody = 4 << 20, kMaxResponse = 1 << 20, kMaxForm = 64 << 10;

bool is_form(const http::Request& request) {
  const std::string type = http::media_type(request.header("content-type").value_or(""));
  return type == "application/x-www-form-urlencoded" || type == "multipart/form-data";
}

// A page's form goes back to the page; a program gets the verb's object.
http::Response done(const Visit& visit, const Json& result, int status) {
  if (is_form(visit.request)) return see_other("/console/packs/runs/" + visit.param("id"));
  return json_response(result, status);
}

http::Response answer(const Visit& visit, const Outcome& outcome, int status) {
  if (!was_done(outcome)) return failure_response(outcome);
  return done(visit, result_of(outcome), outcome.exit == 7 ? 202 : status);
}

std::string tenant_for(const Visit& visit, const RunRequest& wish) {
  if (!wish.tenant) return visit.who.tenant.value_or("");
  if (!visit.who.may_see(*wish.tenant)) throw Denied("tenant", "this token is of another tenant");
  return *wish.tenant;
}

http::Response start_run(Desk& desk, const Visit& visit) {
  const RunRequest wish = parse_run_request(visit.request.body);
  Verb verb{.arguments = {"pack", "run", "--detach", "--no-files", "--pack", wish.pack}, .via = visit.who.token};
  if (const std::string tenant = tenant_for(visit, wish); !tenant.empty())
    verb.arguments.insert(verb.arguments.begin(), {"--tenant", tenant});
  if (!wish.plan_hash.empty()) verb.arguments.insert(verb.arguments.end(), {"--plan-hash", wish.plan_hash});
  if (!wish.inputs.empty()) {
    verb.arguments.insert(verb.arguments.end(), {"--inputs", "-"});
    verb.input = wish.inputs;
  }
  return answer(visit, run_verb(desk.home(), verb), 202);
}

// Fields of a JSON object or of a form; a name that is not known is refused.
http::Pairs fields_of(const http::Request& request, const std::vector<std::string>& known) {
  http::Pairs fields;
  if (is_form(request)) {
    for (const std::string& name : known) {
      if (std::string value = form_field(request, name); !value.empty()) fields.emplace_back(name, std::move(value));
    }
  } else if (!request.body.empty()) {
    const Json object = canon::parse_json(request.body, Code::usage, "body", kMaxForm);
    canon::Fields reader(object, Code::usage, "body", "body");
    for (const std::string& name : known) {
      if (auto value = reader.maybe_text(name, 4000)) fields.emplace_back(name, std::move(*value));
    }
    reader.finish();
  }
  return fields;
}

http::Response cancel(Desk& desk, const Visit& visit) {
  return answer(visit, cancel_run(desk, visit, fields_of(visit.request, {"reason"})), 200);
}

http::Response resume(Desk& desk, const Visit& visit) {
  return answer(visit, resume_run(desk, visit, fields_of(visit.request, {"extend", "rerun", "fail"})), 202);
}

http::Response approve(Desk& desk, const Visit& visit) {
  const bool form = is_form(visit.request);
  return answer(visit, hand_in(desk, visit, form ? form_field(visit.request, "response") : visit.request.body), 200);
}

http::Response request_file(Desk& desk, const Visit& visit) {
  const Outcome outcome = make_request(desk, visit, visit.query("gate").value_or(""));
  return outcome.exit == 0 ? json_attachment(outcome.out, request_name(outcome.out)) : failure_response(outcome);
}

}  // namespace

void add_action_routes(Routes& routes) {
  routes.add({.method = "POST", .pattern = "/api/runs", .need = Need::run, .act = start_run, .max_body = kMaxRunBody});
  routes.add({.method = "POST",
              .pattern = "/api/runs/{id}/approve",
              .need = Need::approve,
              .act = approve,
              .max_body = kMaxResponse});
  routes.add(
      {.method = "POST", .pattern = "/api/runs/{id}/cancel", .need = Need::run, .act = cancel, .max_body = kMaxForm});
  routes.add(
      {.method = "POST", .pattern = "/api/runs/{id}/resume", .need = Need::run, .act = resume, .max_body = kMaxForm});
  routes.add({.method = "GET", .pattern = "/api/runs/{id}/request", .need = Need::approve, .act = request_file});
}

}  // namespace stella::console
