// SPDX-License-Identifier: Apache-2.0
// `spec.defaults`, `spec.failure` and the shapes that they share with steps.
#include <fmt/format.h>

#include "appliance/pack/grammar.hpp"
#include "appliance/pack/manifest_parts.hpp"
#include "appliance/pack/step_parts.hpp"
#include "bundles/canon/fields.hpp"

namespace stella::pack {
namespace {

bool is_retry_cause(const std::string& text) {
  if (text == "timeout") return true;
  if (!text.starts_with("exit:") || text.size() < 6 || text.size() > 8) return false;
  const std::string number = text.substr(5);
  return number.find_first_not_of("0123456789") == std::string::npos && std::stoi(number) >= 1 &&
         std::stoi(number) <= 255;
}

}  // namespace

std::optional<OnCrash> read_on_crash(Section& section) {
  const auto text = section.choice("onCrash", {"rerun", "fail", "ask"});
  if (!text) return std::nullopt;
  return *text == "rerun" ? OnCrash::rerun : *text == "fail" ? OnCrash::fail : OnCrash::ask;
}

void read_env(Section& section, Findings& findings, std::map<std::string, std::string>& env) {
  section.each_member(
      "env", kMaxWords, [&](const std::string& name, const canon::Json& value, const std::string& pointer) {
        if (!is_variable(name))
          return findings.note_key(
              pointer, fmt::format("`{}` is no variable's name, or begins with STELLA_", canon::printable(name, 60)));
        if (!value.is_string()) return findings.note(pointer, "a variable's value must be text; put it in quotes");
        env[name] = value.get<std::string>();
      });
}

std::optional<Retries> read_retries(Section& section, Findings& findings) {
  const canon::Json* value = section.any("retries");
  if (value == nullptr) return std::nullopt;
  Section entry(findings, *value, section.pointer_to("retries"));
  Retries retries;
  retries.max_attempts = static_cast<int>(entry.integer("maxAttempts", 1, 100).value_or(1));
  retries.backoff_seconds = entry.number("backoffSeconds", 0, 86400).value_or(retries.backoff_seconds);
  retries.factor = entry.number("factor", 1, 100).value_or(retries.factor);
  retries.max_backoff_seconds = entry.number("maxBackoffSeconds", 0, 86400).value_or(retries.max_backoff_seconds);
  retries.jitter = entry.number("jitter", 0, 1).value_or(0);
  retries.on = entry.texts("on", 300).value_or(std::vector<std::string>{});
  for (const std::string& cause : retries.on)
    if (!is_retry_cause(cause))
      entry.note("on", fmt::format("`{}` is no cause; write timeout, or exit:N with N from 1 to 255",
                                   canon::printable(cause, 60)));
  entry.finish();
  return retries;
}

Defaults read_defaults(Section& spec, Findings& findings) {
  Defaults defaults;
  if (const canon::Json* value = spec.any("failure")) {
    Section failure(findings, *value, spec.pointer_to("failure"));
    if (const auto retries = read_retries(failure, findings)) defaults.retries = *retries;
    defaults.continue_on_error = failure.boolean("continueOnError").value_or(false);
    failure.finish();
  }
  if (const canon::Json* value = spec.any("defaults")) {
    Section section(findings, *value, spec.pointer_to("defaults"));
    defaults.timeout = section.duration("timeout").value_or(defaults.timeout);
    if (const auto retries = read_retries(section, findings)) defaults.retries = *retries;
    defaults.on_crash = read_on_crash(section).value_or(defaults.on_crash);
    read_env(section, findings, defaults.env);
    defaults.network = read_network(section, findings);
    section.finish();
  }
  return defaults;
}

}  // namespace stella::pack
