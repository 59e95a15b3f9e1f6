// SPDX-License-Identifier: Apache-2.0
#include "appliance/chaos/injection.hpp"

#include <fmt/format.h>

#include <array>

#include "bundles/canon/fields.hpp"

namespace stella::chaos {
namespace {

using fault::Code;
using fault::Error;

constexpr std::array<std::string_view, 3> kNames = {"pause", "drop-network", "delay-approvals"};
constexpr clock::Duration kShortestSpan = std::chrono::seconds(1);
constexpr clock::Duration kSlack = std::chrono::seconds(5);  // between what two processes read off one clock

}  // namespace

std::string_view name_of(Hook hook) {
  return kNames[static_cast<std::size_t>(hook)];
}

Hook parse_hook(const std::string& text) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) return static_cast<Hook>(i);
  }
  throw Error(Code::usage, "hook", fmt::format("there is no hook `{}`", canon::printable(text, 80)), "--hook",
              "Name pause, drop-network or delay-approvals.");
}

clock::Duration parse_span(const std::string& text) {
  const clock::Duration span = clock::parse_duration(text, Code::usage, "--for");
  if (span >= kShortestSpan && span <= kLongestSpan) return span;
  throw Error(Code::usage, "duration", fmt::format("a hook of {} is out of bounds", clock::format_duration(span)),
              "--for", "Give 1s to 1h.");
}

canon::Json data_of(const Injection& injection) {
  canon::Json data = {{"hook", name_of(injection.hook)},
                      {"forMs", injection.span.count()},
                      {"by", injection.by},
                      {"until", clock::format_millis(injection.until)}};
  if (!injection.step.empty()) data["step"] = injection.step;
  return data;
}

Injection parse_injection(const canon::Json& data, std::int64_t seq, clock::Time at, const std::string& run) {
  canon::Fields fields(data, Code::journal_tampered, "chaos", run);
  Injection injection;
  const std::string hook = fields.text("hook");
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == hook) injection.hook = static_cast<Hook>(i);
  }
  injection.span = clock::Duration(fields.integer("forMs", kShortestSpan.count(), kLongestSpan.count()));
  injection.by = fields.text("by");
  injection.until = clock::parse_time(fields.text("until"), Code::journal_tampered, run);
  if (fields.has("step")) injection.step = fields.text("step");
  injection.seq = seq;
  injection.at = at;
  if (name_of(injection.hook) == hook) return injection;
  throw Error(Code::journal_tampered, "chaos", fmt::format("event {} names no hook", seq), run);
}

bool is_active(const Injection& injection, clock::Time now) {
  return now < injection.until && injection.until - now <= injection.span + kSlack;
}

}  // namespace stella::chaos
