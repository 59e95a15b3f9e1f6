// SPDX-License-Identifier: Apache-2.0
#include "appliance/notify/wording.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "bundles/canon/fields.hpp"

namespace stella::notify {
namespace {

constexpr std::size_t kMaxText = 1000, kMaxPeople = 20;

std::string approvals(int count) {
  return fmt::format("{} approval{}", count, count == 1 ? "" : "s");
}

// A name as a word of a shell's command line. Names of gates have no quotes; what is foreign and has one stays whole.
std::string word(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == ':';
  });
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string people_in(const journal::Event& event, const char* name) {
  std::vector<std::string> people;
  const auto found = event.data.find(name);
  if (found != event.data.end() && found->is_array()) {
    for (const auto& one : *found) {
      if (one.is_string() && people.size() < kMaxPeople) people.push_back(shown(one.get<std::string>(), 120));
    }
  }
  return fmt::format("{}", fmt::join(people, ", "));
}

std::string target_of(const journal::Event& event) {
  const std::string host = data_text(event, "host", 253), address = data_text(event, "address", 64);
  return fmt::format("{} port {}", host.empty() ? address : host, data_text(event, "port", 10));
}

void put_gate_words(Message& message, const journal::Event& event, const std::string& pack) {
  const std::string gate = data_text(event, "gate", 300);
  const std::string own = message.gate ? message.gate->message : "";
  switch (message.what) {
    case What::gate_waiting:
      message.headline =
          fmt::format("{} waits at gate {}: {} needed", pack, gate, approvals(message.gate ? message.gate->need : 1));
      if (const std::string by = data_text(event, "by", 120); !by.empty())
        message.headline += fmt::format(" (more time, given by {})", by);
      message.text = own;
      return;
    case What::gate_approved:
      message.headline = fmt::format("{}: gate {} was approved by {}", pack, gate, people_in(event, "approvers"));
      message.text = own;
      return;
    case What::gate_rejected:
      message.headline = fmt::format("{}: {} rejected gate {}", pack, data_text(event, "by", 120), gate);
      message.text = data_text(event, "comment", kMaxText);
      return;
    default:
      message.headline = fmt::format("{}: gate {} ran out before it was approved", pack, gate);
      message.text = own;
  }
}

}  // namespace

std::string shown(const std::string& foreign, std::size_t max_bytes) {
  return canon::printable(foreign, max_bytes);
}

std::string data_text(const journal::Event& event, const char* name, std::size_t max_bytes) {
  if (!event.data.is_object()) return {};
  const auto found = event.data.find(name);
  if (found == event.data.end()) return {};
  if (found->is_number_integer()) return std::to_string(found->get<std::int64_t>());
  return found->is_string() ? shown(found->get<std::string>(), max_bytes) : std::string();
}

void put_words(Message& message, const journal::Event& event) {
  const std::string pack = fmt::format("{}:{} ({})", message.pack, message.version, message.tenant);
  switch (message.what) {
    case What::failed:
    case What::paused:
      message.headline =
          fmt::format("{} {}: {}", pack, message.what == What::failed ? "failed" : "is paused", message.code);
      message.text = data_text(event, "message", kMaxText);
      if (message.step.empty()) message.step = data_text(event, "step", 300);
      return;
    case What::blocked:
      message.headline = fmt::format("{}: step {} was kept from {}", pack, message.step, target_of(event));
      message.text = fmt::format("{} tried {} {} time(s). A policy with this line under network.allow would let it: {}",
                                 data_text(event, "program", 200), data_text(event, "protocol", 20),
                                 data_text(event, "count", 20), data_text(event, "line", 400));
      message.code = "ERR_PACK_NETWORK_BLOCKED";
      return;
    case What::succeeded:
      message.headline = fmt::format("{} succeeded", pack);
      return;
    case What::cancelled:
      message.headline = fmt::format("{} was cancelled", pack);
      if (const std::string by = data_text(event, "by", 120); !by.empty()) message.headline += " by " + by;
      message.text = std::exchange(message.reason, {});
      return;
    case What::expired:
      message.headline = fmt::format("{} expired: gate {} ran out", pack, data_text(event, "gate", 300));
      return;
    case What::chaos:
      message.headline = fmt::format("{}: chaos was injected ({})", pack, data_text(event, "hook", 60));
      message.text = fmt::format("by {}", data_text(event, "by", 120));
      return;
    default:
      put_gate_words(message, event, pack);
  }
}

void put_expiring_words(Message& message, clock::Duration left) {
  message.headline =
      fmt::format("{}:{} ({}): gate {} runs out in {}, {} missing", message.pack, message.version, message.tenant,
                  message.gate->gate, clock::format_duration(left), approvals(message.missing.approvals));
  message.text = message.gate->message;
}

std::string next_command(const Message& message) {
  const std::string run = word(message.run);
  switch (message.what) {
    case What::gate_waiting:
    case What::gate_expiring:
      return fmt::format("stella pack approve --run {} --gate {} --offline-request", run,
                         word(message.gate ? message.gate->gate : ""));
    case What::gate_approved:
    case What::gate_rejected:
    case What::gate_expired:
    case What::paused:
      return fmt::format("stella pack runs resume --run {}", run);
    case What::expired:
      return fmt::format("stella pack runs resume --run {} --extend 48h", run);
    case What::succeeded:
      return fmt::format("stella pack runs export --run {} --media DIR", run);
    case What::test:
      return "";
    default:
      return fmt::format("stella pack runs show {}", run);
  }
}

std::string gate_words(const Message& message) {
  const OpenGate& gate = *message.gate;
  std::string words = fmt::format("{}: {} of {}", gate.gate, gate.approved.size(), approvals(gate.need));
  if (!gate.approved.empty()) words += fmt::format(" ({})", fmt::join(gate.approved, ", "));
  const bool waits = message.what == What::gate_waiting || message.what == What::gate_expiring;
  if (!waits) return words;
  if (!message.missing.roles.empty()) words += fmt::format("; missing role {}", fmt::join(message.missing.roles, ", "));
  std::vector<std::string> people = message.missing.people;
  const std::size_t more = people.size() > kMaxPeople ? people.size() - kMaxPeople : 0;
  people.resize(people.size() - more);
  if (more > 0) people.push_back(fmt::format("and {} more", more));
  if (!people.empty()) words += fmt::format("; may decide: {}", fmt::join(people, ", "));
  return words + fmt::format("; until {}", clock::format(gate.expires_at));
}

}  // namespace stella::notify
