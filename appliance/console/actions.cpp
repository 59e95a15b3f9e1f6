// SPDX-License-Identifier: Apache-2.0
// What acts: start, hand in a response, resume, cancel, and the request of a waiting gate. Each is the verb that a
// person would type.
#include <fmt/format.h>

#include "appliance/console/answer.hpp"
#include "appliance/console/desk.hpp"
#include "appliance/console/guard.hpp"
#include "appliance/console/routes.hpp"
#include "appliance/console/run_request.hpp"
#include "appliance/console/verb.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

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

http::Response act(Desk& desk, const Visit& visit, const Verb& verb, int status) {
  const Outcome outcome = run_verb(desk.home(), verb);
  const Json result = result_of(outcome);
  // Waiting is no failure of what was asked; a rejection that was recorded is none either.
  const bool waits = outcome.exit == 7 && result.is_object();
  const bool recorded = outcome.exit == 3 && result.is_object() && result.value("decision", "") == "rejected";
  if (outcome.exit != 0 && !waits && !recorded) return failure_response(outcome);
  return done(visit, result, waits ? 202 : status);
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
  return act(desk, visit, verb, 202);
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

http::Response with_fields(Desk& desk, const Visit& visit, std::vector<std::string> arguments,
                           const std::vector<std::string>& known, int status) {
  const journal::RunRow row = desk.run_of(visit);
  arguments.insert(arguments.end(), {"--run", row.id});
  for (const auto& [name, value] : fields_of(visit.request, known))
    arguments.push_back(fmt::format("--{}={}", name, value));
  return act(desk, visit, {.arguments = std::move(arguments), .via = visit.who.token}, status);
}

http::Response cancel(Desk& desk, const Visit& visit) {
  return with_fields(desk, visit, {"pack", "runs", "cancel"}, {"reason"}, 200);
}

http::Response resume(Desk& desk, const Visit& visit) {
  return with_fields(desk, visit, {"pack", "runs", "resume", "--detach"}, {"extend", "rerun", "fail"}, 202);
}

// The response's own run must be the one of the path: a form of one page does not act on another.
http::Response approve(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  const std::string response = is_form(visit.request) ? form_field(visit.request, "response") : visit.request.body;
  if (response.empty()) throw Error(Code::usage, "body", "the response file is missing", "response");
  if (run_in_response(response) != row.id)
    throw Error(Code::approval_mismatch, "run", "this response is for another run", row.id);
  return act(desk, visit, {.arguments = {"pack", "approve", "--offline-response", "-"}, .input = response}, 200);
}

http::Response request_file(Desk& desk, const Visit& visit) {
  const journal::RunRow row = desk.run_of(visit);
  const std::string gate = visit.query("gate").value_or("");
  if (gate.empty() || gate.size() > 200) throw Error(Code::usage, "gate", "the gate is missing", "gate");
  const Outcome outcome = run_verb(desk.home(), {.arguments = {"pack", "approve", "--run", row.id, "--gate=" + gate,
                                                               "--offline-request", "--out", "-"}});
  if (outcome.exit != 0) return failure_response(outcome);
  http::Response response;
  response.headers = {{"Content-Type", "application/json"},
                      {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", request_name(outcome.out))}};
  response.body = outcome.out;
  return response;
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
