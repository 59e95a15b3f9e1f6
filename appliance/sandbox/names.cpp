// SPDX-License-Identifier: Apache-2.0
#include "appliance/sandbox/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "appliance/sandbox/witness.hpp"

namespace stella::sandbox {
namespace {

constexpr std::size_t kMostNames = 4096;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_local(const std::string& name) {
  return name == "localhost" || name == "stella" || name.ends_with(".localhost");
}

}  // namespace

Names::Names(const Spec& spec) {
  for (const auto& endpoint : spec.allowed) {
    const std::string address = normal_address(endpoint.address).value_or(endpoint.address);
    auto& addresses = pinned_[lower(endpoint.host)];
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
    hosts_.emplace(address, endpoint.host);
    allowed_.emplace(address, endpoint.port);
  }
  for (const auto& endpoint : spec.undeclared) {
    hosts_.emplace(normal_address(endpoint.address).value_or(endpoint.address), endpoint.host);
  }
}

Names::Found Names::find(const Question& question) {
  if (question.type == QuestionType::ptr) return find_pointer(question.name);
  if (is_local(question.name)) return {Kind::local, {ReplyCode::ok, {"127.0.0.1", "::1"}, {}}};
  if (const auto pinned = pinned_.find(question.name); pinned != pinned_.end()) {
    return {Kind::allowed, {ReplyCode::ok, pinned->second, {}}};
  }
  if (question.type == QuestionType::other) return {Kind::unlisted, {ReplyCode::refused, {}, {}}};
  const auto* sink = sink_for(question.name);
  if (sink == nullptr) return {Kind::exhausted, {ReplyCode::refused, {}, {}}};
  return {Kind::unlisted, {ReplyCode::ok, *sink, {}}};
}

// Asking back for the name of an address that the step was given is innocent; servers do it for their own clients.
Names::Found Names::find_pointer(const std::string& name) {
  const auto address = reversed_address(name);
  if (!address) return {Kind::unlisted, {ReplyCode::no_name, {}, {}}};
  if (is_loopback_address(*address) && host_of(*address).empty())
    return {Kind::local, {ReplyCode::ok, {}, "localhost"}};
  const std::string host = host_of(*address);
  if (!host.empty()) return {Kind::local, {ReplyCode::ok, {}, host}};
  return {Kind::unlisted, {ReplyCode::no_name, {}, {}}};
}

std::string Names::host_of(const std::string& address) const {
  if (const auto sink = sink_names_.find(address); sink != sink_names_.end()) return sink->second;
  const auto host = hosts_.find(address);
  return host == hosts_.end() ? std::string() : host->second;
}

const std::vector<std::string>* Names::sink_for(const std::string& name) {
  if (const auto known = sinks_.find(name); known != sinks_.end()) return &known->second;
  if (sinks_.size() >= kMostNames) return nullptr;
  std::string v4, v6;
  do {
    v4 = fmt::format("198.{}.{}.{}", 18 + (next_sink_ >> 16), next_sink_ >> 8 & 0xff, next_sink_ & 0xff);
    v6 = normal_address(fmt::format("2001:2::{:x}", next_sink_)).value();
    ++next_sink_;
  } while (hosts_.contains(v4) || hosts_.contains(v6));
  sink_names_[v4] = name;
  sink_names_[v6] = name;
  return &(sinks_[name] = {v4, v6});
}

}  // namespace stella::sandbox
