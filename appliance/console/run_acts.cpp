// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/run_acts.hpp"

#include <fmt/format.h>

#include "appliance/console/run_request.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

using fault::Code;
using fault::Error;

Outcome act(Desk& desk, const Visit& visit, std::vector<std::string> arguments, const http::Pairs& wishes) {
  arguments.insert(arguments.end(), {"--run", desk.run_of(visit).id});
  for (const auto& [name, value] : wishes) arguments.push_back(fmt::format("--{}={}", name, value));
  return run_verb(desk.home(), {.arguments = std::move(arguments), .via = visit.who.token});
}

}  // namespace

Outcome cancel_run(Desk& desk, const Visit& visit, const http::Pairs& wishes) {
  return act(desk, visit, {"pack", "runs", "cancel"}, wishes);
}

Outcome resume_run(Desk& desk, const Visit& visit, const http::Pairs& wishes) {
  return act(desk, visit, {"pack", "runs", "resume", "--detach"}, wishes);
}

Outcome hand_in(Desk& desk, const Visit& visit, const std::string& response) {
  const journal::RunRow row = desk.run_of(visit);
  if (response.empty())
    throw Error(Code::usage, "body", "the response file is missing", "response",
                "Give the RES-….json file that came back.");
  if (run_in_response(response) != row.id)
    throw Error(Code::approval_mismatch, "run", "this response is for another run", row.id);
  return run_verb(desk.home(), {.arguments = {"pack", "approve", "--offline-response", "-"}, .input = response});
}

Outcome make_request(Desk& desk, const Visit& visit, const std::string& gate) {
  const journal::RunRow row = desk.run_of(visit);
  if (gate.empty() || gate.size() > 200) throw Error(Code::usage, "gate", "the gate is missing", "gate");
  return run_verb(desk.home(), {.arguments = {"pack", "approve", "--run", row.id, "--gate=" + gate, "--offline-request",
                                              "--out", "-"}});
}

bool was_done(const Outcome& outcome) {
  if (outcome.exit == 0) return true;
  const canon::Json result = result_of(outcome);
  if (!result.is_object()) return false;
  return outcome.exit == 7 || (outcome.exit == 3 && result.value("decision", "") == "rejected");
}

http::Response json_attachment(std::string bytes, const std::string& name) {
  http::Response response;
  response.headers = {{"Content-Type", "application/json"},
                      {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", name)}};
  response.body = std::move(bytes);
  return response;
}

}  // namespace stella::console
