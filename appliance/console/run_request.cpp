// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/run_request.hpp"

#include <fmt/format.h>

#include "bundles/approval/response.hpp"
#include "bundles/canon/fields.hpp"
#include "bundles/fault/error.hpp"

namespace stella::console {
namespace {

using canon::Json;
using fault::Code;
using fault::Error;

constexpr std::size_t kMaxInputs = 4 << 20;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

}  // namespace

RunRequest parse_run_request(std::string_view body) {
  const Json object = canon::parse_json(body, Code::usage, "body", kMaxInputs);
  canon::Fields fields(object, Code::usage, "body", "body");
  RunRequest wish;
  wish.pack = fields.text("pack", 300);
  wish.plan_hash = fields.maybe_text("planHash", 100).value_or("");
  wish.tenant = fields.maybe_text("tenant", 64);
  if (const Json* inputs = fields.maybe("inputs")) {
    if (!inputs->is_object()) fields.fail("is no object", "inputs");
    wish.inputs = canon::canonical(*inputs);
  }
  fields.finish();
  // They become arguments: one that begins with a dash would be an option.
  for (const std::string* text : {&wish.pack, &wish.plan_hash}) {
    if (text->starts_with('-')) fields.fail("begins with a dash", "pack");
  }
  if (wish.tenant && (wish.tenant->empty() || wish.tenant->front() == '-')) fields.fail("is no tenant", "tenant");
  return wish;
}

std::string run_in_response(std::string_view text) {
  const dsse::Envelope envelope = approval::read_response(text, "response");
  const Json statement = canon::parse_json(envelope.payload, Code::approval_malformed, "response");
  const Json::json_pointer place("/predicate/runId");
  if (!statement.contains(place) || !statement.at(place).is_string())
    throw Error(Code::approval_malformed, "statement", "the response names no run", "response");
  return statement.at(place).get<std::string>();
}

std::string request_name(std::string_view text) {
  try {
    const Json object = canon::parse_json(text, Code::internal, "request", text.size(), canon::kMaxPlanValues);
    const auto envelope = dsse::parse(object.at("request").dump(), Code::internal, "request");
    const Json predicate = canon::parse_json(envelope.payload, Code::internal, "request").at("predicate");
    std::string name = fmt::format("REQ-{}-{}.json", predicate.at("gate").get<std::string>(),
                                   predicate.at("requestId").get<std::string>().substr(0, 8));
    for (char& c : name) c = is_plain(c) ? c : '_';
    return name;
  } catch (const std::exception&) {
    return "request.json";  // only a name: the desk reads what is in it
  }
}

}  // namespace stella::console
