// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/message.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "appliance/notify/wording.hpp"
#include "bundles/canon/digest.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::notify {
namespace {

constexpr std::size_t kIdDigits = 32;

std::string short_hash(const canon::Json& of) {
  return canon::sha256(canon::canonical(of)).hex().substr(0, kIdDigits);
}

// What of the run makes this message this one.
std::string key_of(const Message& message) {
  if (message.what == What::blocked) return fmt::format("blocked/{}", message.attempt);
  if (message.what == What::gate_expiring) return fmt::format("expiring/{}", message.seq);
  if (message.what == What::test) return "test/" + clock::format_millis(message.at);
  return fmt::format("event/{}", message.seq);
}

Message made(const Place& place, const journal::RunRow& row, What what) {
  Message message;
  message.what = what;
  message.site = place.policy->site;
  message.appliance = place.appliance;
  message.run = row.id;
  message.tenant = row.tenant;
  message.pack = shown(row.pack, 200);
  message.version = shown(row.version, 100);
  message.plan_hash = row.plan_hash;
  message.attempt = row.attempt;
  message.state = moment_of(what).state;
  return message;
}

void add_gate(const Place& place, Message& message, const journal::RunRow& row, const OpenGate& gate) {
  message.gate = gate;
  message.step = shown(gate.step, 300);
  message.gate->gate = shown(gate.gate, 300);
  message.gate->message = shown(gate.message, 500);
  message.missing = missing_at(gate, *place.policy, row.tenant);
}

}  // namespace

Message make_message(const Place& place, const journal::RunRow& row, const journal::Event& event, What what,
                     const std::optional<OpenGate>& gate) {
  Message message = made(place, row, what);
  message.seq = event.seq;
  message.attempt = event.attempt;
  message.at = event.at;
  message.step = shown(event.step, 300);
  message.code = data_text(event, "code", 60);
  message.reason = data_text(event, "reason", 300);
  if (gate) add_gate(place, message, row, *gate);
  put_words(message, event);
  message.next = next_command(message);
  return message;
}

Message make_expiring(const Place& place, const journal::RunRow& row, const OpenGate& gate, clock::Time now) {
  Message message = made(place, row, What::gate_expiring);
  message.seq = gate.seq;
  message.at = now;
  add_gate(place, message, row, gate);
  put_expiring_words(message, gate.expires_at - now);
  message.next = next_command(message);
  return message;
}

Message make_test(const Place& place, clock::Time now) {
  Message message;
  message.what = What::test;
  message.site = place.policy->site;
  message.appliance = place.appliance;
  message.at = now;
  message.headline =
      fmt::format("A test of notifications from {}", place.appliance.empty() ? "stella" : place.appliance);
  message.text = "Nothing happened. If you read this, messages come through.";
  return message;
}

std::string id_of(const Message& message, const std::string& target) {
  return short_hash({"stella.notification.v1", message.site, message.appliance, message.run, key_of(message), target});
}

std::string matter_of(const Message& message) {
  if (message.what == What::test || message.what == What::chaos) return id_of(message, "matter");
  const std::string gate = message.gate ? message.gate->gate : "";
  return short_hash({"stella.matter.v1", message.site, message.appliance, message.run, gate});
}

canon::Json json_of(const Message& message, const std::string& id) {
  const Moment& moment = moment_of(message.what);
  canon::Json json = {{"schema", "stella.notification.v1"},
                      {"id", id},
                      {"topic", moment.topic},
                      {"event", moment.event},
                      {"severity", name_of(moment.severity)},
                      {"site", message.site},
                      {"appliance", message.appliance},
                      {"at", clock::format_millis(message.at)},
                      {"headline", message.headline},
                      {"text", message.text},
                      {"next", message.next}};
  if (message.run.empty()) return json;
  json["run"] = {{"id", message.run},
                 {"tenant", message.tenant},
                 {"pack", message.pack},
                 {"version", message.version},
                 {"planHash", message.plan_hash},
                 {"state", message.state},
                 {"attempt", message.attempt},
                 {"seq", message.seq}};
  for (const auto& [name, value] :
       {std::pair{"step", &message.step}, {"code", &message.code}, {"reason", &message.reason}}) {
    if (!value->empty()) json["run"][name] = *value;
  }
  if (message.gate) {
    json["gate"] = {{"name", message.gate->gate},
                    {"need", message.gate->need},
                    {"approved", message.gate->approved},
                    {"missing", message.missing.approvals},
                    {"missingRoles", message.missing.roles},
                    {"mayDecide", message.missing.people},
                    {"expiresAt", clock::format(message.gate->expires_at)}};
  }
  return json;
}

std::vector<std::pair<std::string, std::string>> facts_of(const Message& message) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&](const char* label, const std::string& value) {
    if (!value.empty()) facts.emplace_back(label, value);
  };
  add("Run", message.run);
  add("Tenant", message.tenant);
  if (!message.pack.empty()) add("Pack", message.pack + ":" + message.version);
  add("Plan", message.plan_hash);
  if (!message.state.empty()) add("State", fmt::format("{} (attempt {})", message.state, message.attempt));
  add("Time", clock::format(message.at));
  add("Step", message.step);
  if (message.gate) add("Gate", gate_words(message));
  add("Code", message.code.empty() || message.reason.empty() ? message.code
                                                             : fmt::format("{} ({})", message.code, message.reason));
  add("Appliance", message.appliance.empty() ? message.site : message.appliance + " at " + message.site);
  return facts;
}

}  // namespace stella::notify
